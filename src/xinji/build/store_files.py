"""SQLite files as ledgers: what a file holds, looked at without changing it, and how a new one begins and ends."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from xinji.errors import Fault, InputError

APPLICATION = 0x584A4C31
"""Marks a SQLite file as a ledger (application_id)."""

OWNERS_FILE = 0o600
"""Contracts, sums and payments are for whoever keeps the ledger; who else may read them is theirs to say."""

_TABLES = ("alembic_version", "event")
_HEADER_BYTES = 20
_WAL_AT = 18
_WAL = 2
"""Octet 18 of a SQLite file: the format in which it is written (SQLite, "Database File Format", section 1.3)."""


def require_ledger(path: Path, *, create: bool, wait_s: float) -> None:
    """Raise InputError where the file at ``path`` is something else than a ledger; nothing in it is changed.

    With ``create`` there may be none, or one that holds nothing at all. Waits up to ``wait_s`` [s] for a writer.
    """
    if create and not path.exists():
        return
    try:
        with closing(_read_only(path, wait_s)) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    except (sqlite3.Error, UnicodeDecodeError, OSError) as error:
        message = f"{path} cannot be opened: {_said(error)}"
        raise InputError([Fault("ledger", message, "Name a ledger's file, or a new one.")]) from error
    if application == APPLICATION or (application == 0 and names.issuperset(_TABLES)):
        return
    if application or names:
        remedy = "Name a ledger's file, or a new one; this file was left as it is."
        raise InputError([Fault("ledger", f"{path} holds no ledger, but other data", remedy)])
    if not create:
        raise InputError([Fault("ledger", f"{path} holds no ledger", "Make a ledger there, or name another file.")])


def _read_only(path: Path, wait_s: float) -> sqlite3.Connection:
    """Return a connection to ``path`` that writes nothing, not even the files that SQLite keeps beside it."""
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    alone = len(header) > _WAL_AT and header[_WAL_AT] == _WAL and not beside(path)[0].exists()
    mode = "mode=ro&immutable=1" if alone else "mode=ro"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=wait_s)


def _said(error: sqlite3.Error | UnicodeDecodeError | OSError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "the file is damaged: it holds text that is not UTF-8"
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def made_file(path: Path) -> bool:
    """Make the file at ``path``, empty and its owner's alone; return whether there was none."""
    with suppress(OSError):  # SQLite says in its own words why it cannot write there.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNERS_FILE))
        return True
    return False


def take_away(path: Path) -> None:
    """Remove the file at ``path`` and what SQLite keeps beside it."""
    for place in (path, *beside(path)):
        place.unlink(missing_ok=True)


def beside(path: Path) -> tuple[Path, Path]:
    """Return the files that SQLite keeps beside the one at ``path``: its log and the log's index."""
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")
