"""What lies in a store's files: its tables, the shapes known of it, and how sorted entries go into it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import lmdb

from xinji.errors import Fault
from xinji.use.identity.entry import Entry, spelling_of
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.shape_table import ShapeTable, decode_shape, encode_shape
from xinji.use.identity.shapes import Shape

APPEND_BATCH = 2_000

CLASHES_KEPT = 100
"""Most handles told that exist already."""

Table = lmdb._Database  # noqa: SLF001 - the binding gives its table handles no public name
Transaction = lmdb.Transaction


class Tables(NamedTuple):
    """The tables of a store: records and private values by key, shapes by number, record counts by prefix."""

    records: Table
    private: Table
    shapes: Table
    prefixes: Table

    @classmethod
    def of(cls, environment: lmdb.Environment, *, create: bool) -> Tables:
        """Open the tables of ``environment``."""
        return cls(*(environment.open_db(name.encode(), create=create) for name in cls._fields))

    @staticmethod
    def check_format(environment: lmdb.Environment, expected: bytes, *, fresh: bool) -> None:
        """Refuse an environment that another program made, mark a fresh one."""
        with environment.begin(write=fresh) as txn:
            if fresh:
                txn.put(b"format", expected)
            elif txn.get(b"format") != expected:
                message = f"the file says {bytes(txn.get(b'format') or b'')[:40]!r}, expected {expected!r}"
                raise refuse(Code.ERROR, environment.path(), message, "Name the folder of an identifier store.")

    def named(self) -> Iterator[tuple[str, Table]]:
        """Yield each table with its name."""
        yield from zip(self._fields, self, strict=True)

    def tally(self, txn: Transaction[bytes], deltas: Counter[bytes]) -> None:
        """Add ``deltas`` to the numbers of records by prefix."""
        for prefix, delta in deltas.items():
            total = int.from_bytes(txn.get(prefix, b"", db=self.prefixes), "big") + delta
            if total:
                txn.put(prefix, total.to_bytes(8, "big"), db=self.prefixes)
            elif delta:
                txn.delete(prefix, db=self.prefixes)

    def fill(self, txn: Transaction[bytes], entries: Iterable[Entry], *, replace: bool) -> int:
        """Write ``entries``, ascending by key, and return how many; see ``Store.write_sorted``."""
        written, deltas, last = 0, Counter[bytes](), b""
        clashes: list[Fault] = []
        with txn.cursor(self.records) as cursor:
            if cursor.last():
                last = bytes(cursor.key())
            private = txn.cursor(self.private)
            for batch in _batches(entries):
                fresh = batch[0].key > last
                if fresh:
                    cursor.putmulti([(entry.key, entry.public) for entry in batch], append=True)
                    last = batch[-1].key
                    deltas.update([entry.key.partition(b"/")[0] for entry in batch])
                else:
                    deltas.update(self._merge(txn, batch, None if replace else clashes))
                    last = max(last, batch[-1].key)
                private.putmulti([(entry.key, entry.private) for entry in batch if entry.private])
                written += len(batch)
        if clashes:
            raise IdentifierError(clashes, Code.HANDLE_EXISTS)
        self.tally(txn, deltas)
        return written

    def _merge(self, txn: Transaction[bytes], batch: list[Entry], clashes: list[Fault] | None) -> Iterator[bytes]:
        for entry in batch:
            exists = not txn.put(entry.key, entry.public, overwrite=False, db=self.records)
            if exists and clashes is not None:
                if len(clashes) < CLASHES_KEPT:
                    handle = spelling_of(entry.key, entry.public)
                    clashes.append(Fault(handle, "the handle is registered", "Leave it out, or replace what is there."))
            elif exists:
                txn.put(entry.key, entry.public, db=self.records)
                txn.delete(entry.key, db=self.private)
            else:
                yield entry.key.partition(b"/")[0]


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == APPEND_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _log_of(environment: lmdb.Environment, *, create: bool) -> Table | None:
    """Return the log of changes; None where a store that is only read has none yet."""
    try:
        return environment.open_db(b"changes", create=create)
    except (lmdb.ReadonlyError, lmdb.NotFoundError):
        return None


class Layout:
    """The tables and shapes of one environment, shared by its reading and its writing side."""

    def __init__(self, environment: lmdb.Environment, *, create: bool) -> None:
        self.environment = environment
        self.tables = Tables.of(environment, create=create)
        self.log = _log_of(environment, create=create)
        self.shapes = ShapeTable()
        self._lock = threading.Lock()
        with environment.begin() as txn:
            self.learn_shapes(txn)

    def learn_shapes(self, txn: Transaction[bytes]) -> None:
        """Take in the shapes that were stored since (another process may have)."""
        with self._lock:
            for number in range(len(self.shapes) + 1, txn.stat(self.tables.shapes)["entries"] + 1):
                octets = txn.get(number.to_bytes(2, "big"), b"", db=self.tables.shapes)
                self.shapes.add(decode_shape(octets))

    def add_shapes(self, txn: Transaction[bytes], shapes: Iterable[Shape]) -> None:
        """Keep ``shapes`` in the write transaction ``txn``, as long as there are numbers left."""
        with self._lock:
            for shape in shapes:
                if not self.shapes.full:
                    txn.put(self.shapes.add(shape), encode_shape(shape), db=self.tables.shapes)

    def forget_shapes(self, beyond: int) -> None:
        """Drop the shapes of a transaction that came to nothing."""
        with self._lock:
            self.shapes.forget(beyond)
