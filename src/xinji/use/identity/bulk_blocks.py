"""Files in blocks of whole rows, so that the rows can be taken apart by other processes.

The process that reads the file only cuts it where a row ends; making records of a block's rows is left
to whoever calls the block.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from io import StringIO
from itertools import groupby, islice
from typing import BinaryIO, TextIO

from xinji.use.identity import bulk_form
from xinji.use.identity.bulk_table import Columns, Plain, record_from_cells
from xinji.use.identity.errors import Code, refuse
from xinji.use.identity.record import Record

Numbered = tuple[int, Callable[[], Record | Plain]]
"""A row and what makes its record."""

Block = Callable[[], Iterable[Numbered]]
"""Some rows; may be sent to another process."""

MOST_IN_QUOTES = 100_000
"""Most lines that one quoted cell may span."""


def blocks_of(numbered: Iterable[Numbered], sizes: Iterator[int]) -> Iterator[Block]:
    """Yield ``numbered`` in blocks of ``sizes`` rows."""
    source = iter(numbered)
    while rows := list(islice(source, next(sizes))):
        yield partial(_these, rows)


def _these(rows: list[Numbered]) -> list[Numbered]:
    return rows


def line_blocks(source: BinaryIO, sizes: Iterator[int], now_s: int) -> Iterator[Block]:
    """Yield the JSON lines of ``source`` in blocks of ``sizes``; values without a timestamp get ``now_s``."""
    first = 0
    while lines := list(islice(source, next(sizes))):
        yield partial(_lines, b"".join(lines), first, now_s)
        first += len(lines)


def _lines(block: bytes, first: int, now_s: int) -> Iterator[Numbered]:
    for row, line in enumerate(block.removesuffix(b"\n").split(b"\n"), first):
        yield row, partial(bulk_form.record_from_line, line, now_s)


def table_blocks(source: TextIO, sizes: Iterator[int], columns: Columns, now_s: int) -> Iterator[Block]:
    """Yield the rows of a table (see ``bulk_table``) after its header in blocks of about ``sizes`` rows."""
    first = 0
    while lines := list(islice(source, next(sizes))):
        text = "".join(lines)
        # An odd number of quotation marks: the last cell goes on in the next line.
        for _ in range(MOST_IN_QUOTES):
            if text.count('"') % 2 == 0 or not (line := source.readline()):
                break
            text += line
        yield partial(_cells, text, first, columns, now_s)
        first += sum(part.count("\n") for part in text.split('"')[::2])


def _cells(text: str, first: int, columns: Columns, now_s: int) -> Iterator[Numbered]:
    row = first
    try:
        for row, cells in enumerate(csv.reader(StringIO(text, newline=""), strict=True), first):
            yield row, partial(record_from_cells, cells, columns, now_s)
    except csv.Error as error:
        yield row, partial(_unreadable, str(error))


def _unreadable(message: str) -> Record:
    raise refuse(Code.INVALID_VALUE, "record", f"this row or the next cannot be read: {message}", "Mend its quotes.")


def grouped_rows(rows: Iterable[list[str]], header: list[str], now_s: int) -> Iterator[Numbered]:
    """Yield the records of a CSV file with a value a row: rows of one handle that follow one another."""
    place = header.index("handle")
    by_handle = groupby(enumerate(rows), key=lambda pair: pair[1][place] if len(pair[1]) > place else "")
    for _, numbered in by_handle:
        group = list(numbered)
        if all(len(row) == len(header) for _, row in group):
            cells = [dict(zip(header, row, strict=True)) for _, row in group]
            yield group[0][0], partial(bulk_form.record_from_rows, cells, now_s)
        else:
            yield group[0][0], _ragged


def _ragged() -> Record:
    remedy = "Give every row as many cells as the header."
    raise refuse(Code.INVALID_VALUE, "record", "a row has more or fewer cells than the header", remedy)
