"""One node for all attacks; after each, nothing secret may stand in any log record."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from support.http_node import ADMIN
from support.secured_node import SECRETS, Secured, admins_key, fill_secured, secured
from xinji.use.identity.audit import AuditLog, AuditSettings
from xinji.use.identity.node import Node, NodeSettings, Role
from xinji.use.identity.record import Reference
from xinji.use.identity.serve import Serving, start
from xinji.use.identity.serve_http import event_loop
from xinji.use.identity.store import open_store

AtWork = Callable[..., AbstractContextManager[Secured]]


@contextmanager
def _at_work(folder: Path, serving: Serving, audit: AuditSettings | None = None) -> Iterator[Secured]:
    with open_store(folder, create=True) as store:
        fill_secured(store)
        node = Node(store, NodeSettings(role=Role.SECONDARY, administrators=(Reference(ADMIN, 0),)))
        log = None if audit is None else AuditLog(folder, audit)
        chosen = replace(serving, doirp_port=0, http_port=0, allowance=None, audit=log)
        loop, stop, ready = event_loop(), asyncio.Event(), threading.Event()
        ports: list[int] = []

        async def run() -> None:
            doirp, http = await start(node, chosen)
            ports.extend((http.port, doirp.port))
            ready.set()
            await stop.wait()
            await asyncio.gather(doirp.stop(1.0), http.stop(1.0))

        thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
        thread.start()
        assert ready.wait(60)
        try:
            yield Secured(ports[0], ports[1], store)
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(60)
            loop.close()
            assert not thread.is_alive()


@pytest.fixture(scope="session")
def at_work() -> AtWork:
    """Serves the node of all attacks from a folder as a `Serving` says, with an audit log if settings are given."""
    return _at_work


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
