"""One node for all attacks; after each, nothing secret may stand in any log record."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest

from support.secured_node import SECRETS, Secured, admins_key, secured
from support.secured_node import at_work as serve

AtWork = Callable[..., AbstractContextManager[Secured]]


@pytest.fixture(scope="session")
def at_work() -> AtWork:
    """Serves the node of all attacks from a folder as a `Serving` says, with an audit log if settings are given."""
    return lambda folder, serving, audit=None: serve(folder, replace(serving, allowance=None), audit)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A node that limits nobody."""
    with secured(tmp_path_factory.mktemp("secured") / "store") as found:
        yield found


@pytest.fixture(autouse=True)
def secrets_stay_out_of_logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Keep every log record of a test, of all threads, and look for secrets in them."""
    caplog.set_level(logging.DEBUG)
    yield
    records = [*caplog.get_records("setup"), *caplog.get_records("call")]
    said = "\n".join(f"{record.getMessage()} {record.exc_info} {record.exc_text}" for record in records)
    # No attack may even make the node stumble.
    assert not [record for record in records if record.levelno >= logging.ERROR], said
    for secret in SECRETS:
        assert secret.decode() not in said
    numbers = admins_key().private.private_numbers()
    assert str(getattr(numbers, "d", "")) not in said
