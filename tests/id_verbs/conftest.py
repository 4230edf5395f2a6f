"""A node that was made by `xinji id init`, and a small ledger."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from support.ports import free_ports
from support.small_ledger import built, new_ledger, registered
from xinji.cli import main

PREFIX = "88.123.10"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a node, `node`, and its administrator's key, `admin.pem`."""
    home = tmp_path_factory.mktemp("made") / "home"
    home.mkdir()
    ports = ("--doirp-port", str(free_ports(1)[0]), "--http-port", "8000")
    assert main(["id", "init", f"{home}/node", "--prefix", PREFIX, "--key", f"{home}/admin.pem", *ports]) == 0
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "home"))


@pytest.fixture
def node(home: Path) -> Path:
    return home / "node"


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    """The place of a ledger with two facilities, one of them built."""
    place = str(tmp_path / "small.ledger")
    with new_ledger(place) as opened:
        opened.append(registered("R-1", "R-2"))
        opened.append(built("R-1"))
    return place
