"""Places for ledgers: a test that asks for ``ledger_place`` runs on SQLite and on PostgreSQL.

A folder of tests takes the fixture up in its own conftest.py:

    from support.ledger_stores import ledger_place

    __all__ = ["ledger_place"]
"""

from __future__ import annotations

import atexit
import os
import subprocess
from collections.abc import Callable
from functools import cache
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "postgres.sh"

Places = Callable[[], str]
"""Gives a fresh, empty place for a ledger at each call."""

_NUMBERS = count(1)


@cache
def postgres_url() -> str:
    """Return the URL of this process's own PostgreSQL, started at the first call; empty if there is none.

    It stops when the process ends, however it ends.
    """
    started = subprocess.run([SCRIPT, "start", str(os.getpid())], capture_output=True, text=True, check=False)  # noqa: S603
    if started.returncode:
        return ""
    folder = started.stdout.strip()
    atexit.register(_stop, folder)
    return subprocess.run([SCRIPT, "url", folder], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603


def _stop(folder: str) -> None:
    subprocess.run([SCRIPT, "stop", folder], check=False)  # noqa: S603


def postgres_place() -> str:
    """Return a schema of its own in this process's PostgreSQL; skips the test if there is none."""
    url = postgres_url()
    if not url:
        pytest.skip("needs PostgreSQL: run `scripts/postgres.sh install`")
    schema = f"ledger_{next(_NUMBERS)}"
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA {schema}"))
    return f"{url}&options={quote(f'-csearch_path={schema}')}"


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Give fresh places in the database that this run of the test is for."""
    if request.param == "postgresql":
        postgres_place()
        return postgres_place
    return lambda: str(tmp_path_factory.mktemp("ledger") / "ledger.db")
