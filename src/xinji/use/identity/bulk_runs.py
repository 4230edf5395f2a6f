"""Sorting more records than memory holds: sorted runs on disk, merged as they are read."""

from __future__ import annotations

import heapq
import marshal
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from xinji.errors import Fault
from xinji.use.identity.bulk_table import Plain
from xinji.use.identity.entry import Entry, Times, encode_entry, shaped_entry
from xinji.use.identity.errors import IdentifierError
from xinji.use.identity.record import Record
from xinji.use.identity.shape_table import ShapeTable

FAULTS_KEPT = 100
"""Most faults told one by one; further ones are counted."""

BLOCK = 1_000
"""Records read at once from a run."""

Row = tuple[bytes, bytes, bytes, int]
"""Key, entry, private values, row number."""


@dataclass(frozen=True, slots=True)
class Run:
    """A sorted part of what is loaded: its file, records in it, faults of its rows and how many there were."""

    file: Path | None
    records: int
    faults: tuple[Fault, ...]
    fault_count: int


def encode_run(
    numbered: Iterable[tuple[int, Callable[[], Record | Plain]]], shapes: ShapeTable, file: Path, layer: str
) -> Run:
    """Make, encode and sort the records of ``numbered`` (row, maker) and write them to ``file``.

    What a maker raises (IdentifierError) becomes a fault of its row.
    """
    rows: list[Row] = []
    faults: list[Fault] = []
    count = 0
    for row, make in numbered:
        try:
            entry = _entry(make(), shapes)
        except IdentifierError as error:
            count += len(error.faults)
            if len(faults) < FAULTS_KEPT:
                faults += [Fault(layer, fault.message, fault.remedy, row) for fault in error.faults]
            continue
        rows.append((*entry, row))
    rows.sort(key=itemgetter(0))
    if count == 0:
        _write(rows, file)
    return Run(file if count == 0 else None, len(rows), tuple(faults), count)


def _entry(record: Record | Plain, shapes: ShapeTable) -> Entry:
    if isinstance(record, Plain):
        moment, kind = record.timestamp_s, record.columns.kind
        fitting = shapes.fit(kind, record.data, (moment,)) if kind is not None else None
        shaped = shaped_entry(record.handle, Times(moment, moment), fitting)
        if shaped is not None:
            return Entry(*shaped, b"")
        record = record.whole()
    times = [value.timestamp_s for value in record.values] or [0]
    return encode_entry(record, Times(min(times), max(times)), shapes)


def _write(rows: list[Row], file: Path) -> None:
    with file.open("wb") as out:
        for start in range(0, len(rows), BLOCK):
            marshal.dump(rows[start : start + BLOCK], out)


def read_run(file: Path) -> Iterator[Row]:
    """Yield the rows of a run that this process's own load has written."""
    with file.open("rb") as source:
        while True:
            try:
                yield from marshal.load(source)  # noqa: S302 - our own file of a moment ago, in our own folder
            except EOFError:
                return


def merged(files: Sequence[Path], layer: str, faults: list[Fault]) -> Iterator[Entry]:
    """Yield the entries of all runs in the order of their keys; a key that comes again goes to ``faults``."""
    last: bytes | None = None
    first_row = 0
    for key, public, private, row in heapq.merge(*map(read_run, files), key=itemgetter(0)):
        if key == last:
            message = f"the handle {key.decode()!r} stands in row {first_row} already"
            faults.append(Fault(layer, message, "Keep one of them.", row))
            continue
        last, first_row = key, row
        yield Entry(key, public, private)


def rows_with(files: Sequence[Path], keys: Iterable[bytes]) -> dict[bytes, int]:
    """Return the row of each of ``keys``."""
    wanted = frozenset(keys)
    return {row[0]: row[3] for file in files for row in read_run(file) if row[0] in wanted}
