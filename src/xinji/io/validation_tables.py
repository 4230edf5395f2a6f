"""Tables of published figures as their authors left them: CSV with units, comments and any line end.

A file is UTF-8 or Latin-1. Lines that are empty or begin with ``#`` are passed over, and so is a line
of units below the header. Columns are found by name, whatever their order, case and unit.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xinji.core.arrays import Floats, freeze
from xinji.errors import Fault

ROWS_SHOWN = 50
"""So many unreadable cells of a file are named one by one; the others are counted."""

Line = tuple[int, list[str]]
"""A line's number in its file, from 1, and its cells, stripped."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_UNIT = re.compile(r"\(.*?\)|\[.*?\]")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of table, known by its columns: our name -> the names that a header may use, lower case.

    ``words`` names columns that hold texts instead of numbers; ``optional`` ones may be absent.
    """

    name: str
    columns: Mapping[str, tuple[str, ...]]
    optional: Mapping[str, tuple[str, ...]]
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The rows (n) of one file.

    ``lines`` (n,) are line numbers from 1; ``numbers`` holds (n,) float64 and ``words``
    texts by our column names; ``unused`` names the header's columns that the kind does not ask for;
    ``terrain`` holds a row's terrain (interval [m], heights [m]) where the kind has any.
    """

    file: str
    kind: str
    lines: tuple[int, ...]
    numbers: Mapping[str, Floats]
    words: Mapping[str, tuple[str, ...]]
    unused: tuple[str, ...]
    terrain: tuple[Floats, ...] = ()

    def __len__(self) -> int:
        return len(self.lines)

    def place(self, row: int) -> str:
        """Return where ``row`` stands, in words."""
        return f"{self.file}, line {self.lines[row]}"


def read_lines(path: Path, file: str, faults: list[Fault]) -> list[Line] | None:
    """Return the non-empty lines of a CSV file, comments included; None if it cannot be read.

    ``file`` names it in the fault added to ``faults``.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        faults.append(Fault(file, f"the file cannot be read ({error.strerror})", "Check its rights, or copy it anew."))
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=None), strict=True)]
    except csv.Error as error:
        faults.append(Fault(file, f"the file is no CSV ({error})", "Separate cells by commas, and close quotes."))
        return None
    return [(number, row) for number, row in enumerate(rows, 1) if any(row)]


def number(cell: str) -> float | None:
    """Return the finite number that ``cell`` spells, else None (``nan``, ``1_000`` and ``1,5`` are none)."""
    if _NUMBER.fullmatch(cell) is None:
        return None
    value = float(cell)
    return value if np.isfinite(value) else None


def read_table(path: Path, file: str, kinds: tuple[Kind, ...], faults: list[Fault]) -> Table | None:
    """Return the table in ``path``, of the one of ``kinds`` whose columns it has; None if faulty.

    Faults go to ``faults`` with ``file``, the line, and the row from 0 below the header.
    """
    lines = read_lines(path, file, faults)
    if lines is None:
        return None
    lines = [line for line in lines if not line[1][0].startswith("#")]
    if not lines:
        faults.append(Fault(file, "the file is empty", "Give a header and one row for each case."))
        return None
    header = [_plain(cell) for cell in lines[0][1]]
    kind = _kind(header, kinds)
    wrong = list(_header_faults(file, header, kind))
    faults += wrong
    if wrong:
        return None
    body = lines[2:] if len(lines) > 1 and _holds_units(lines[1][1]) else lines[1:]
    return _table(file, kind, header, body, faults)


def _plain(cell: str) -> str:
    """Return a header's name without unit, in lower case."""
    return _UNIT.sub("", cell).strip().lower()


def _kind(header: list[str], kinds: tuple[Kind, ...]) -> Kind:
    """Return the kind that lacks the fewest columns in ``header``; of equals, that with most columns."""
    return min(kinds, key=lambda kind: (len(list(_absent(header, kind))), -len(kind.columns)))


def _absent(header: list[str], kind: Kind) -> Iterator[str]:
    yield from (ours for ours, names in kind.columns.items() if not set(names) & set(header))


def _header_faults(file: str, header: list[str], kind: Kind) -> Iterator[Fault]:
    known = {**kind.columns, **kind.optional}
    for ours in _absent(header, kind):
        message = f"the column {ours!r} is missing; the header has {', '.join(filter(None, header)) or 'no names'}"
        yield Fault(file, message, f"Name a column {' or '.join(known[ours])}.")
    for ours, names in known.items():
        if sum(name in names for name in header) > 1:
            yield Fault(file, f"the header has several columns for {ours!r}", "Leave one of them.")


def _holds_units(cells: list[str]) -> bool:
    return not any(number(cell) is not None for cell in cells) and any("(" in cell or "[" in cell for cell in cells)


def _table(file: str, kind: Kind, header: list[str], body: list[Line], faults: list[Fault]) -> Table | None:
    place = _places(header, kind)
    cells = {ours: [row[at] if at < len(row) else "" for _, row in body] for ours, at in place.items()}
    wrong = list(_cell_faults(file, cells, kind.words, [line for line, _ in body]))
    faults += wrong
    if wrong:
        return None
    words = {ours: tuple(cells.pop(ours)) for ours in kind.words if ours in cells}
    numbers = {ours: np.array([float(cell) for cell in column]) for ours, column in cells.items()}
    freeze(*numbers.values())
    return Table(
        file=file,
        kind=kind.name,
        lines=tuple(line for line, _ in body),
        numbers=numbers,
        words=words,
        unused=tuple(name for at, name in enumerate(header) if name and at not in place.values()),
    )


def _places(header: list[str], kind: Kind) -> dict[str, int]:
    """Return where in ``header`` each of our columns stands."""
    known = {**kind.columns, **kind.optional}
    return {ours: header.index(name) for ours, names in known.items() for name in names if name in header}


def _cell_faults(
    file: str, cells: Mapping[str, list[str]], words: tuple[str, ...], lines: list[int]
) -> Iterator[Fault]:
    """Yield what is missing or no number; the first ``ROWS_SHOWN`` one by one."""
    bad = [
        (row, ours, column[row])
        for ours, column in cells.items()
        for row in range(len(lines))
        if (not column[row] if ours in words else number(column[row]) is None)
    ]
    for row, ours, cell in sorted(bad)[:ROWS_SHOWN]:
        found = f"is {cell!r}" if cell else "is missing"
        expected = "a word" if ours in words else "a finite number"
        yield Fault(file, f"line {lines[row]}: {ours} {found}", f"Write {expected}.", row)
    if len(bad) > ROWS_SHOWN:
        message = f"{len(bad) - ROWS_SHOWN} further cells are missing or no number"
        yield Fault(file, message, "Check that the file is a table of figures.")
