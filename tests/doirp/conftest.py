"""A world for the tests of DO-IRP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.doirp_world import World, world


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world that tests of one file share."""
    one = world(tmp_path_factory.mktemp("world"))
    yield one
    one.service.close()
    one.store.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[World]:
    """A world of the test's own."""
    one = world(tmp_path)
    yield one
    one.service.close()
    one.store.close()
