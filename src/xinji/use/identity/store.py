"""Records on disk: one embedded LMDB environment a node, read by many processes, written by one at a time.

A write is acknowledged after its transaction is on disk; changes that wait together share a transaction.
Readers see the last commit before their snapshot and never wait. Only this module and its ``store_*``
neighbours touch lmdb.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import lmdb

from xinji.errors import OutputError
from xinji.use.identity import store_log
from xinji.use.identity.changes import Change
from xinji.use.identity.entry import HAS_PRIVATE, Entry, body_of, flags_of, spelling_of, times_of
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.names import fold
from xinji.use.identity.record import Record, decode_values
from xinji.use.identity.shape_table import RAW
from xinji.use.identity.shapes import Shape
from xinji.use.identity.store_tables import Layout, Tables
from xinji.use.identity.store_writer import Writer
from xinji.use.identity.wire import Cursor

FORMAT = b"xinji identifier store 1"
DATA_FILE = "data.mdb"

MAP_BYTES = 2**40
"""Least address space set aside [bytes]; the file is as large as what is in it."""

MAX_READERS = 510

OWNERS_FILE, OWNERS_FOLDER = 0o600, 0o700
"""Permissions of what holds private values and secrets: for the owner alone."""

SPARE = 8
"""Ended read transactions kept for the next ones."""


@dataclass(frozen=True, slots=True)
class Found:
    """A record as a reader finds it: spelling, encoded public values, encoded private values or None, times."""

    handle: str
    body: bytes
    private: bytes | None
    created_s: int
    modified_s: int

    def record(self, *, private: bool) -> Record:
        """Return it decoded, with its private values if ``private``."""
        values = decode_values(Cursor(self.body))
        if private and self.private:
            values += decode_values(Cursor(self.private))
        return Record(self.handle, values)


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a store holds: records, prefixes, shapes, and bytes used on disk."""

    records: int
    with_private: int
    prefixes: int
    shapes: int
    used_bytes: int

    @property
    def bytes_each(self) -> float:
        """Bytes on disk for each record; 0 for an empty store."""
        return self.used_bytes / self.records if self.records else 0.0


class Reader:
    """One thread's view of the store: a snapshot until ``refresh``. Not for two threads at once."""

    __slots__ = ("_begin", "_expanders", "_get", "_layout", "_txn")

    def __init__(self, store: Store) -> None:
        layout = store.layout
        self._layout = layout
        self._expanders = layout.shapes.expanders
        self._begin = partial(store.environment.begin, layout.tables.records)
        self._txn = self._begin()
        self._get = self._txn.get

    def refresh(self) -> None:
        """See the newest commit from now on."""
        # LMDB takes the ended transaction's place for the new one, so this costs no system call.
        self._txn.abort()
        self._txn = self._begin()
        self._get = self._txn.get

    def rest(self) -> None:
        """Let go of the snapshot, so that the store may use its old pages again; ``refresh`` before reading on."""
        self._txn.abort()

    def body(self, key: bytes) -> bytes | None:
        """Return count and public values of the record with the folded handle ``key``; None where there is none."""
        try:
            entry = self._get(key)
            if entry is None:
                return None
            # As entry.body_of, written out: this line is what a server's speed hangs on.
            number = entry[:2]
            if number == RAW:
                return entry[12 + entry[11] :]
            form, getter = self._expanders[number]
            return form % getter(entry[12:].split(entry[11:12]))
        except lmdb.BadValsizeError:
            return None
        except KeyError:
            self._layout.learn_shapes(self._txn)
            return body_of(self._get(key, b""), self._expanders)

    def open_body(self, key: bytes) -> bytes | None:
        """Return what ``body`` does, but None as well where the record has private values besides."""
        try:
            entry = self._get(key)
            if entry is None or entry[2] & HAS_PRIVATE:
                return None
            number = entry[:2]
            if number == RAW:
                return entry[12 + entry[11] :]
            form, getter = self._expanders[number]
            return form % getter(entry[12:].split(entry[11:12]))
        except lmdb.BadValsizeError:
            return None
        except KeyError:
            return self.body(key)

    def find(self, key: bytes) -> Found | None:
        """Return all of the record with the folded handle ``key``, private values included; None where none is."""
        body = self.body(key)
        if body is None:
            return None
        entry = self._get(key, b"")
        private = self._get(key, db=self._layout.tables.private) if flags_of(entry) & HAS_PRIVATE else None
        return Found(spelling_of(key, entry), body, private, *times_of(entry))

    def record(self, handle: str | bytes, *, private: bool = False) -> Record | None:
        """Return the record of ``handle`` with its public values, or with all if ``private``."""
        found = self.find(fold(handle))
        if found is None:
            return None
        return found.record(private=private)

    def pairs(self, prefix: bytes = b"", after: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Yield key and entry of each record whose key starts with ``prefix``, in order, past the key ``after``."""
        cursor = self._txn.cursor()
        start = max(prefix, after)
        there = cursor.set_range(start) if start else cursor.first()
        if there and after and cursor.key() == after:
            there = cursor.next()
        if there:
            for key, entry in cursor:
                if not key.startswith(prefix):
                    return
                yield key, entry


class Store:
    """An open store; close it, or use it in ``with``. Opened once a process."""

    def __init__(self, environment: lmdb.Environment, folder: Path, *, read_only: bool) -> None:
        self.environment = environment
        self.folder = folder
        self.layout = Layout(environment, create=not read_only)
        self._writer = Writer(self.layout) if not read_only else None
        self._own = threading.local()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish the changes that wait, then let go of the files. Readers are of no use afterwards."""
        if self._writer is not None:
            self._writer.stop()
        self.environment.close()

    def reader(self) -> Reader:
        """Return a reader for the calling thread to keep."""
        return Reader(self)

    def fresh(self) -> Reader:
        """Return the calling thread's own reader at the newest commit; valid until the thread's next call."""
        reader: Reader | None = getattr(self._own, "reader", None)
        if reader is None:
            reader = self._own.reader = Reader(self)
        else:
            reader.refresh()
        return reader

    def record(self, handle: str | bytes, *, private: bool = False) -> Record | None:
        """Return the record of ``handle`` as last committed, with its public values, or with all if ``private``."""
        reader = self.fresh()
        try:
            return reader.record(handle, private=private)
        finally:
            reader.rest()

    def submit(self, change: Change) -> Future[Record | None]:
        """Queue ``change``; the future holds the record after it once that is on disk, or the IdentifierError."""
        if self._writer is None:
            raise refuse(Code.READ_ONLY, change.handle, "the store is open for reading", "Open it for writing.")
        return self._writer.submit(change)

    def apply(self, change: Change) -> Record | None:
        """Make ``change`` and return the record after it, which is then on disk."""
        return self.submit(change).result()

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yield the handles that start with ``prefix`` in the order of their keys, as of one moment."""
        for key, entry in self.reader().pairs(fold(prefix)):
            yield spelling_of(key, entry)

    def records(self, prefix: str = "", *, private: bool = False) -> Iterator[Record]:
        """Yield the records whose handles start with ``prefix``, as of one moment."""
        reader = self.reader()
        for key, _ in reader.pairs(fold(prefix)):
            record = reader.record(key, private=private)
            if record is not None:
                yield record

    def prefixes(self) -> dict[str, int]:
        """Return how many records lie under each prefix (in upper case)."""
        with self.environment.begin(db=self.layout.tables.prefixes) as txn:
            return {bytes(key).decode(): int.from_bytes(count, "big") for key, count in txn.cursor()}

    def statistics(self) -> Statistics:
        """Return what the store holds as last committed."""
        with self.environment.begin() as txn:
            sizes = {name: txn.stat(db)["entries"] for name, db in self.layout.tables.named()}
        info, stat = self.environment.info(), self.environment.stat()
        used = (info["last_pgno"] + 1) * stat["psize"]
        return Statistics(sizes["records"], sizes["private"], sizes["prefixes"], sizes["shapes"], used)

    def changed(self, after: int, most: int) -> store_log.Changed:
        """Return at most ``most`` changes after number ``after`` of the log; none where the store keeps no log."""
        if self.layout.log is None:
            return store_log.Changed(0, 0, ())
        with self.environment.begin() as txn:
            return store_log.read(txn, self.layout.log, after, most)

    def keep_shapes(self, shapes: Iterable[Shape]) -> None:
        """Keep ``shapes`` for the records that are written from now on."""
        known = len(self.layout.shapes)
        try:
            with self.environment.begin(write=True) as txn:
                self.layout.learn_shapes(txn)
                self.layout.add_shapes(txn, shapes)
        except lmdb.Error as error:
            self.layout.forget_shapes(known)
            raise OutputError(f"the store {self.folder} could not be written: {error}") from error

    def write_sorted(self, entries: Iterable[Entry], *, replace: bool = False) -> int:
        """Write ``entries``, ascending by key, in one transaction; return how many.

        Raises IdentifierError (HANDLE_EXISTS) where a key exists and ``replace`` is not set, OutputError where
        the disk refuses; nothing is written then.
        """
        try:
            with self.environment.begin(write=True) as txn:
                written = self.layout.tables.fill(txn, entries, replace=replace)
                if self.layout.log is not None:
                    store_log.append(txn, self.layout.log, [b""])
                return written
        except lmdb.Error as error:
            raise OutputError(f"the store {self.folder} could not be written: {error}") from error

    def copy_to(self, folder: Path) -> None:
        """Write a compact copy of one moment into the empty ``folder`` while others read and write."""
        try:
            self.environment.copy(str(folder), compact=True)
        except lmdb.Error as error:
            raise OutputError(f"the store could not be copied to {folder}: {error}") from error


def open_store(folder: Path, *, create: bool = False, read_only: bool = False) -> Store:
    """Open the store in ``folder``, made there if ``create``.

    Raises IdentifierError where there is no store or ``folder`` holds something else, OutputError where
    the system refuses.
    """
    file = folder / DATA_FILE
    if not file.is_file() and (read_only or not create):
        raise _no_store(folder, "there is no identifier store", "Make one with create, or name another folder.")
    if not file.is_file() and folder.exists() and any(folder.iterdir()):
        raise _no_store(folder, "the folder holds other things", "Name a folder that is empty or not there yet.")
    folder.mkdir(mode=OWNERS_FOLDER, parents=True, exist_ok=True)
    size = file.stat().st_size if file.is_file() else 0
    try:
        environment = lmdb.open(
            str(folder),
            map_size=max(MAP_BYTES, 2 * size),
            max_dbs=8,
            max_readers=MAX_READERS,
            max_spare_txns=SPARE,
            readonly=read_only,
            mode=OWNERS_FILE,
            # Else what the process held in memory before, keys too, ends up in unused parts of the file.
            meminit=True,
            readahead=False,
        )
    except lmdb.InvalidError:
        raise _no_store(folder, "the file is damaged or of another kind", "Restore a backup.") from None
    except lmdb.Error as error:
        raise OutputError(f"the store {folder} could not be opened: {error}") from error
    with ExitStack() as undo:
        undo.callback(environment.close)
        Tables.check_format(environment, FORMAT, fresh=size == 0 and not read_only)
        if size == 0:
            _sync_folder(folder)
        store = Store(environment, folder, read_only=read_only)
        undo.pop_all()
    return store


def _sync_folder(folder: Path) -> None:
    # A new file is only sure to be there after a crash once its folder is on disk as well.
    for place in (folder, folder.parent):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _no_store(folder: Path, message: str, remedy: str) -> IdentifierError:
    return refuse(Code.ERROR, str(folder), message, remedy)
