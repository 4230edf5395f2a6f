"""Sheets of a build office as rows of cells: CSV in UTF-8 or GB18030, and Excel workbooks."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from xinji.errors import Fault, InputError, raise_if
from xinji.io.acceptance_columns import Heading, read_headings, recognised

HEADER_WITHIN = 10
"""The heading is looked for in so many rows; titles may stand above it."""
ROWS_MAX = 200_000
EXCEL = (".xlsx", ".xlsm")
_BREAKS = re.compile(r"\s*[\t\n\v\f\r]+\s*")

Cell: TypeAlias = str | int | float | bool | dt.datetime | dt.date | dt.time | None
"""What a cell holds; texts only in CSV."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A sheet: its file's name, headings by column, and its rows with the line that an editor or Excel shows."""

    name: str
    headings: Mapping[str, Heading]
    lines: tuple[int, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __len__(self) -> int:
        return len(self.rows)

    def cell(self, row: int, column: str) -> Cell:
        """Return a cell, blanks around its text taken off; None where it is empty or there is no such column."""
        heading = self.headings.get(column)
        if heading is None or heading.place >= len(self.rows[row]):
            return None
        value = self.rows[row][heading.place]
        return _stripped(value)

    def layer(self, row: int) -> str:
        """Return where a fault of ``row`` lies, in words."""
        return f"{self.name} line {self.lines[row]}"


def _stripped(value: Cell) -> Cell:
    if isinstance(value, str):
        # A line break within a cell (Alt+Enter) is there for the eye, as a blank is.
        return _BREAKS.sub(" ", value.replace("\u3000", " ").replace("\xa0", " ")).strip() or None
    return value


def read_sheet(
    path: Path,
    columns: Mapping[str, tuple[str, ...]],
    needed: Sequence[str],
    *,
    sheet: str = "",
    ignored: Sequence[str] = (),
) -> Sheet:
    """Read a sheet at ``path`` whose headings are of ``columns``; empty rows are passed over.

    CSV is read as UTF-8 (with or without byte-order mark), else as GB18030. Of a workbook, ``sheet`` is
    read, or the first one with known headings. Columns ``ignored`` are passed over. Raises InputError
    with every fault of the headings.
    """
    book = _workbook(path, sheet) if path.suffix.lower() in EXCEL else {"": _csv_rows(path)}
    name, rows, top = _chosen(path, book, columns)
    raise_if(_size_faults(name, rows), InputError)
    texts = _texts(rows[top])
    headings, faults = read_headings(name, ["" if text in ignored else text for text in texts], columns, needed)
    faults += [
        Fault(name, f"there is no column {text!r} to ignore", "Check the spelling.")
        for text in ignored
        if text not in texts
    ]
    body = [(n + 1, row) for n, row in enumerate(rows) if n > top and any(_stripped(cell) is not None for cell in row)]
    if not body:
        faults.append(Fault(name, "there is no row below the heading", "Give at least one row."))
    faults += _uneven(name, len(rows[top]), body)
    raise_if(faults, InputError)
    return Sheet(name, headings, tuple(n for n, _ in body), tuple(row for _, row in body))


def _uneven(name: str, width: int, body: Sequence[tuple[int, tuple[Cell, ...]]]) -> Iterator[Fault]:
    for number, (line, row) in enumerate(body):
        if any(_stripped(cell) is not None for cell in row[width:]):
            message = f"{len(row)} fields, the heading has {width}"
            yield Fault(f"{name} line {line}", message, "Mend it; a text with a comma stands in double quotes.", number)


def _size_faults(name: str, rows: Sequence[object]) -> Iterator[Fault]:
    if len(rows) > ROWS_MAX:
        yield Fault(name, f"{len(rows):,} rows, at most {ROWS_MAX:,} are read at once", "Split the file.")


def _texts(row: Sequence[Cell]) -> list[str]:
    return ["" if (cell := _stripped(value)) is None else str(cell) for value in row]


Rows: TypeAlias = list[tuple[Cell, ...]]


def _chosen(path: Path, book: Mapping[str, Rows], columns: Mapping[str, tuple[str, ...]]) -> tuple[str, Rows, int]:
    """Return the name, the rows and the heading's position of the first sheet that has a heading."""
    best, found = 0, None
    for title, rows in book.items():
        for top, row in enumerate(rows[:HEADER_WITHIN]):
            score = recognised(_texts(row), columns)
            if score > best:
                best, found = score, (f"{path.name} [{title}]" if title and len(book) > 1 else path.name, rows, top)
        if found is not None:
            return found
    known = ", ".join(f"{name} ({_chinese(others)})" for name, others in columns.items())
    message = f"no heading is found in the first {HEADER_WITHIN} rows"
    firsts = [_texts(row) for rows in book.values() for row in rows[:1]]
    if any(mark in text for texts in firsts for text in texts for mark in ";\t；，"):
        message += "; the columns are not separated by commas"
    raise InputError([Fault(path.name, message, f"Name the columns in one row. Known are {known}.")])


def _chinese(names: Sequence[str]) -> str:
    return next(name for name in names if not name.isascii())


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        message, remedy = f"there is no file {path}", "Check the spelling."
    except IsADirectoryError:
        message, remedy = f"{path} is a folder", "Name a CSV file or an Excel workbook."
    except OSError as error:
        message, remedy = f"the file cannot be read ({error.strerror})", "Check the path and your rights."
    raise InputError([Fault(path.name, message, remedy)])


def _csv_rows(path: Path) -> Rows:
    raw = _bytes(path)
    if raw[:4] == b"PK\x03\x04":
        raise InputError([Fault(path.name, "is an Excel workbook, not CSV", "Name it .xlsx.")])
    text = _decoded(path, raw)
    try:
        rows: Rows = [tuple(row) for row in csv.reader(io.StringIO(text, newline=""), strict=True)]
    except csv.Error as error:
        raise InputError([Fault(path.name, f"the file is not sound CSV ({error})", "Mend its quotes.")]) from error
    return rows


def _decoded(path: Path, raw: bytes) -> str:
    remedy = "Save it as CSV in UTF-8, or as an Excel workbook (.xlsx)."
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError([Fault(path.name, "the file is UTF-16 text", remedy)])
    if raw[:4] == b"\xd0\xcf\x11\xe0":
        raise InputError([Fault(path.name, "is a workbook of Excel 97 to 2003", remedy)])
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text.removeprefix("\ufeff")
    raise InputError([Fault(path.name, "the file is neither UTF-8 nor GB18030 text", remedy)])


def _workbook(path: Path, sheet: str) -> dict[str, Rows]:
    """Return the rows of each sheet of a workbook, or of ``sheet`` alone; formulas as they were last computed."""
    source, broken = io.BytesIO(_bytes(path)), "Open it in Excel and save it again as .xlsx."
    try:
        book = load_workbook(source, read_only=True, data_only=True)
        if sheet and sheet not in book.sheetnames:
            remedy = f"The workbook has {', '.join(book.sheetnames)}."
            raise InputError([Fault(path.name, f"there is no sheet {sheet!r}", remedy)])
        return {
            name: [tuple(row) for row in book[name].iter_rows(values_only=True)]
            for name in book.sheetnames
            if (not sheet or name == sheet) and hasattr(book[name], "iter_rows")
        }
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, SyntaxError, EOFError) as error:
        message = f"the file is no sound Excel workbook ({type(error).__name__})"
        raise InputError([Fault(path.name, message, broken)]) from error
