"""Copies of a store: made while it serves, checked by fingerprint, never written over anything."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from xinji.errors import OutputError
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.store import DATA_FILE, OWNERS_FILE, OWNERS_FOLDER, Store, open_store

NOTE_FILE = "backup.json"
BLOCK = 2**20


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup says of itself: SHA-256 of its data file, records in it, when it was made (ISO 8601, UTC)."""

    fingerprint: str
    records: int
    made: str


def back_up(store: Store, folder: Path) -> Backup:
    """Write one moment of ``store`` and a note with its fingerprint to ``folder``, which must not exist.

    The store goes on being read and written. Raises OutputError; a part of a backup is taken away again.
    """
    _refuse_existing(folder)
    part = folder.with_name(f".{folder.name}.part")
    try:
        part.mkdir(mode=OWNERS_FOLDER, parents=True)
        store.copy_to(part)
        with open_store(part, read_only=True) as copy:
            records = copy.statistics().records
        (part / "lock.mdb").unlink(missing_ok=True)
        note = Backup(fingerprint_of(part / DATA_FILE), records, datetime.now(UTC).isoformat(timespec="seconds"))
        (part / NOTE_FILE).write_text(json.dumps(asdict(note), indent=1) + "\n", encoding="utf-8")
        _to_disk(part)
        part.rename(folder)
    except OSError as error:
        raise OutputError(f"the backup {folder} could not be written: {error.strerror}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return note


def check_backup(folder: Path) -> Backup:
    """Return the note of the backup in ``folder`` once its data agrees with it; raises IdentifierError where not."""
    try:
        found = json.loads((folder / NOTE_FILE).read_text(encoding="utf-8"))
        note = Backup(str(found["fingerprint"]), int(found["records"]), str(found["made"]))
        fingerprint = fingerprint_of(folder / DATA_FILE)
    except OSError as error:
        raise _bad(folder, f"{error.filename} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise _bad(folder, f"{NOTE_FILE} is not a backup's note") from None
    if fingerprint != note.fingerprint:
        raise _bad(folder, f"the fingerprint is {fingerprint[:16]}..., noted is {note.fingerprint[:16]}...")
    return note


def restore(folder: Path, target: Path) -> Backup:
    """Make the store ``target``, which must not exist, from the backup in ``folder``, checked before and after.

    Raises IdentifierError where the backup is damaged, OutputError where ``target`` exists or the system refuses.
    """
    note = check_backup(folder)
    _refuse_existing(target)
    part = target.with_name(f".{target.name}.part")
    try:
        part.mkdir(mode=OWNERS_FOLDER, parents=True)
        shutil.copyfile(folder / DATA_FILE, part / DATA_FILE)
        _to_disk(part)
        if fingerprint_of(part / DATA_FILE) != note.fingerprint:
            raise OutputError(f"the copy for {target} differs from the backup; the disk may be failing")
        with open_store(part, read_only=True) as copy:
            records = copy.statistics().records
        if records != note.records:
            raise _bad(folder, f"it holds {records} records, noted are {note.records}")
        (part / "lock.mdb").unlink(missing_ok=True)
        part.rename(target)
    except OSError as error:
        raise OutputError(f"{target} could not be written: {error.strerror}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return note


def fingerprint_of(file: Path) -> str:
    """Return the SHA-256 of ``file`` in hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as source:
        while block := source.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _to_disk(folder: Path) -> None:
    """Bring every file of ``folder`` to the disk, each its owner's alone: secrets go wherever a copy goes."""
    for file in folder.iterdir():
        file.chmod(OWNERS_FILE)
    for place in (*folder.iterdir(), folder):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _refuse_existing(folder: Path) -> None:
    if folder.exists():
        raise OutputError(f"{folder} exists; name a folder that does not, nothing is ever written over")


def _bad(folder: Path, message: str) -> IdentifierError:
    return refuse(Code.ERROR, str(folder), message, "Take another backup.")
