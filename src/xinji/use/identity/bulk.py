"""Many records at once, into the store and out of it: all of them or, where one is wrong, none.

Rows are made into entries and sorted in runs (by one or more processes), the runs are merged and go into
the store in one transaction, at its end where they sort there. Readers go on meanwhile; other writers
wait for that last step.
"""

from __future__ import annotations

import csv
import multiprocessing
import os
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain, count, islice, repeat
from pathlib import Path
from typing import TextIO

from xinji.errors import Fault, OutputError
from xinji.use.identity import bulk_form
from xinji.use.identity.bulk_blocks import Block, blocks_of, grouped_rows, line_blocks, table_blocks
from xinji.use.identity.bulk_runs import FAULTS_KEPT, Run, encode_run, merged, rows_with
from xinji.use.identity.bulk_table import Plain, columns_of, is_table
from xinji.use.identity.entry import Entry
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.names import fold
from xinji.use.identity.record import Record, Value
from xinji.use.identity.shape_table import ShapeTable, decode_shape, encode_shape
from xinji.use.identity.shapes import Kind, kind_of, learn
from xinji.use.identity.store import OWNERS_FILE, Store

CHUNK = 100_000
"""Records sorted at once by each process."""

SAMPLE = 5_000
"""First records that the shapes are learned from."""

WORTH = 32
"""Records of one kind among these that make a shape worth while."""

Task = tuple[Block, Path, str]
"""Rows of one run, where to write it, name of what is loaded."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load came to: records written, and how long it took [s]."""

    records: int
    seconds: float


def load(store: Store, records: Iterable[Record], *, replace: bool = False) -> Loaded:
    """Write ``records`` to ``store``; their timestamps are kept.

    Raises IdentifierError with the position of each fault in ``records`` (a handle given twice, or
    registered before unless ``replace``); nothing is written then.
    """
    numbered = ((row, partial(_given, record)) for row, record in enumerate(records))
    return _load(store, blocks_of(numbered, _sizes()), "records", processes=1, replace=replace)


def load_jsonl(store: Store, path: Path, *, processes: int = 2, replace: bool = False) -> Loaded:
    """Write the records of the JSON Lines file ``path`` (see ``bulk_form``) to ``store``; see ``load``.

    ``processes`` is how many make entries at a time; with more than one, call it from a program whose
    main module can be imported.
    """
    now_s = int(time.time())
    with _opened(path) as source:
        blocks = line_blocks(source.buffer, _sizes(), now_s)
        return _load(store, blocks, path.name, processes=processes, replace=replace)


def load_csv(store: Store, path: Path, *, processes: int = 2, replace: bool = False) -> Loaded:
    """Write the records of the CSV file ``path`` to ``store``; see ``load_jsonl``.

    A record a row under columns of values (see ``bulk_table``, the fastest form), or a value a row (see
    ``bulk_form``); the header tells them apart.
    """
    with _opened(path) as source:
        try:
            blocks = _csv_blocks(source, path.name, int(time.time()))
            return _load(store, blocks, path.name, processes=processes, replace=replace)
        except (csv.Error, UnicodeDecodeError) as error:
            raise refuse(Code.INVALID_VALUE, path.name, str(error), "Save it as CSV in UTF-8.") from None


def _opened(path: Path) -> TextIO:
    try:
        return path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise refuse(Code.ERROR, str(path), f"it cannot be read: {error.strerror}", "Name a file.") from None


def _check_header(header: list[str], layer: str) -> None:
    missing = [name for name in bulk_form.NEEDED if name not in header]
    unknown = [name for name in header if name not in bulk_form.COLUMNS]
    if missing or unknown or len(set(header)) != len(header):
        message = f"the header is {','.join(header)[:200]!r}"
        raise refuse(Code.INVALID_VALUE, layer, message, f"Use the columns {','.join(bulk_form.COLUMNS)}.")


def _csv_blocks(source: TextIO, layer: str, now_s: int) -> Iterator[Block]:
    header = next(csv.reader(iter(source.readline, "")), [])
    if is_table(header):
        return table_blocks(source, _sizes(), columns_of(header, layer), now_s)
    _check_header(header, layer)
    return blocks_of(grouped_rows(csv.reader(source), header, now_s), _sizes())


def _sizes() -> Iterator[int]:
    """Yield how many rows to take at a time: first few, to learn from."""
    yield SAMPLE
    yield from repeat(CHUNK)


def _given(record: Record) -> Record:
    return record


def _load(store: Store, blocks: Iterator[Block], layer: str, *, processes: int, replace: bool) -> Loaded:
    start = time.monotonic()
    with tempfile.TemporaryDirectory(dir=store.folder, prefix="load-") as folder:
        first = list(islice(blocks, 1))
        _learn(store, first)
        files_of = (Path(folder) / f"{number}.run" for number in count())
        tasks = ((block, next(files_of), layer) for block in chain(first, blocks))
        runs = list(_encoded(tasks, store, processes))
        faults = [fault for run in runs for fault in run.faults]
        _refuse_if(faults, sum(run.fault_count for run in runs), layer, Code.INVALID_VALUE)
        files = [run.file for run in runs if run.file is not None]
        written = _merge_into(store, files, layer, replace=replace)
    return Loaded(written, time.monotonic() - start)


def _learn(store: Store, first: Iterable[Block]) -> None:
    """Keep shapes for the kinds of record that the first rows show."""
    samples: dict[Kind, list[tuple[Value, ...]]] = {}
    for _, make in chain.from_iterable(block() for block in first):
        with suppress(IdentifierError):
            made = make()
            record = made.whole() if isinstance(made, Plain) else made
            public = tuple(value for value in record.values if value.public)
            samples.setdefault(kind_of(public), []).append(public)
    held = set(store.layout.shapes.shapes)
    worth = [learn(found) for kind, found in samples.items() if kind and len(found) >= WORTH]
    store.keep_shapes([shape for shapes in worth for shape in shapes if shape not in held])


def _encoded(tasks: Iterator[Task], store: Store, processes: int) -> Iterator[Run]:
    if processes <= 1:
        for block, file, layer in tasks:
            yield encode_run(block(), store.layout.shapes, file, layer)
        return
    known = [encode_shape(shape) for shape in store.layout.shapes.shapes]
    # Not by fork: the store's lock and thread must not be copied.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, fresh, initializer=_start, initargs=(known,)) as pool:
        waiting: deque[Future[Run]] = deque()
        for task in tasks:
            waiting.append(pool.submit(_run_task, task))
            if len(waiting) > processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _start(known: list[bytes]) -> None:
    _run_task.__dict__["shapes"] = ShapeTable(map(decode_shape, known))


def _run_task(task: Task) -> Run:
    block, file, layer = task
    return encode_run(block(), _run_task.__dict__["shapes"], file, layer)


def _merge_into(store: Store, files: list[Path], layer: str, *, replace: bool) -> int:
    twice: list[Fault] = []
    try:
        return store.write_sorted(_unless(merged(files, layer, twice), twice, layer), replace=replace)
    except IdentifierError as error:
        if error.code != Code.HANDLE_EXISTS:
            raise
        rows = rows_with(files, [fold(fault.layer) for fault in error.faults])
        faults = [Fault(layer, f"{f.layer}: {f.message}", f.remedy, rows.get(fold(f.layer))) for f in error.faults]
        raise IdentifierError(faults, Code.HANDLE_EXISTS) from None


def _unless(entries: Iterator[Entry], twice: list[Fault], layer: str) -> Iterator[Entry]:
    yield from entries
    # Raised inside the transaction, which then ends without a trace.
    _refuse_if(twice[:FAULTS_KEPT], len(twice), layer, Code.INVALID_HANDLE)


def _refuse_if(faults: list[Fault], number: int, layer: str, code: Code) -> None:
    if number > len(faults[:FAULTS_KEPT]):
        message, remedy = f"{number} faults, of which the first {FAULTS_KEPT} are told", "Mend these first."
        faults = [*faults[:FAULTS_KEPT], Fault(layer, message, remedy)]
    if faults:
        raise IdentifierError(faults, code)


def export_jsonl(store: Store, path: Path, *, prefix: str = "", private: bool = False) -> int:
    """Write the records whose handles start with ``prefix`` to ``path``, a line each; return how many.

    As of one moment; with private values only if ``private``. Raises OutputError where ``path`` exists.
    """
    with _written(path) as out:
        number = 0
        for record in store.records(prefix, private=private):
            out.write(bulk_form.line_of(record) + "\n")
            number += 1
    return number


def export_csv(store: Store, path: Path, *, prefix: str = "", private: bool = False) -> int:
    """Write records to ``path`` as CSV, a row for each value; see ``export_jsonl``.

    Records without values are left out, for they have no row.
    """
    with _written(path) as out:
        rows = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        rows.writerow(bulk_form.COLUMNS)
        number = 0
        for record in store.records(prefix, private=private):
            rows.writerows(bulk_form.rows_of(record))
            number += bool(record.values)
    return number


@contextmanager
def _written(path: Path) -> Iterator[TextIO]:
    """Open a file that takes the place of ``path`` once it is whole."""
    part = path.with_name(f".{path.name}.part")
    try:
        if path.exists():
            raise OutputError(f"{path} exists; name another file or remove it")
        with part.open("x", encoding="utf-8", newline="") as out:
            # It may hold private values; who is to read it, its owner says.
            os.fchmod(out.fileno(), OWNERS_FILE)
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.rename(path)
    except OSError as error:
        raise OutputError(f"{path} could not be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
