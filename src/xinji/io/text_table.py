"""Tables of text: CSV files, column by column, with every fault named by its row."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from xinji.core.arrays import Bools, Floats, Strings
from xinji.errors import Fault, InputError, raise_if
from xinji.io.check_rows import each_row


@dataclass(frozen=True, slots=True, eq=False)
class TextTable:
    """A table of ``name`` with ``rows`` rows: texts by column; faults gather in ``faults``."""

    name: str
    rows: int
    columns: Mapping[str, Strings]
    faults: list[Fault] = field(default_factory=list)

    def check_columns(self, needed: Iterable[str], optional: Iterable[str]) -> None:
        """Add a fault for each ``needed`` column that lacks and each column that nothing reads."""
        wanted, known = list(needed), [*needed, *optional]
        unknown = [column for column in self.columns if column not in known]
        for column in wanted:
            if column not in self.columns:
                close = difflib.get_close_matches(column, unknown, 1)
                hint = f"Is it {close[0]!r}? Rename it." if close else "Add it."
                self.faults.append(Fault(self.name, f"the column {column!r} is missing", hint))
        if unknown:
            message = f"columns that nothing reads: {', '.join(unknown)}"
            self.faults.append(Fault(self.name, message, f"Remove or rename them; known are {', '.join(known)}."))

    def texts(self, column: str) -> Strings:
        """Return ``column`` (rows,); empty texts where there is no such column."""
        if column in self.columns:
            return self.columns[column]
        return np.full(self.rows, "", dtype=np.str_)

    def numbers(self, column: str, low: float, high: float, *, remedy: str, default: float | None = None) -> Floats:
        """Return ``column`` (rows,), NaN where a fault was added: no number, or not ``low`` to ``high``.

        ``default`` stands where the text is empty; without one that is a fault too.
        """
        texts = self.texts(column)
        if column not in self.columns and default is None:
            return np.full(self.rows, np.nan)
        values = np.array([_number(text) for text in texts], dtype=np.float64).reshape(self.rows)
        empty: Bools = texts == ""
        if default is not None:
            values[empty] = default
        else:
            self.bad(empty, lambda _: f"{column} is missing", remedy)
        wrong = ~empty & ~((values >= low) & (values <= high))

        def say(row: int) -> str:
            if np.isnan(values[row]):
                return f"{column} is {str(texts[row])!r}, which is no number"
            return f"{column} is {values[row]:g}, expected {low:g} to {high:g}"

        self.bad(wrong, say, remedy)
        return np.where(wrong, np.nan, values)

    def bad(self, rows: Bools, say: Callable[[int], str], remedy: str) -> None:
        """Add a fault for each of ``rows`` (rows,) that is true, with the message ``say(row)``."""
        self.faults.extend(each_row(self.name, rows, say, remedy))


def read_csv(path: Path) -> TextTable:
    """Read the CSV file at ``path`` (UTF-8, commas, one header line); blanks around texts go.

    Raises InputError where it cannot be read, has no row, names a column twice, or a row has more or
    fewer fields than the header.
    """
    lines = _lines(path)
    header = [name.strip() for name in lines[0]] if lines else []
    body = [[text.strip() for text in line] for line in lines[1:] if line]
    raise_if(_shape_faults(path.name, header, body))
    columns = {name: np.array([line[n] for line in body], dtype=np.str_) for n, name in enumerate(header)}
    return TextTable(path.name, len(body), columns)


def _shape_faults(name: str, header: list[str], body: list[list[str]]) -> Iterator[Fault]:
    if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
        yield Fault(name, "the columns are not separated by commas", "Save it as CSV with commas.")
    if not body:
        yield Fault(name, "the file holds no row", "Give a header line and at least one row.")
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        yield Fault(name, f"columns named twice: {', '.join(twice)}", "Give each column its own name.")
    uneven = np.array([len(line) != len(header) for line in body], dtype=bool)
    mend = "Mend the row; a text with a comma stands in double quotes."
    yield from each_row(name, uneven, lambda row: f"{len(body[row])} fields, expected {len(header)}", mend)


def _lines(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as source:
            return list(csv.reader(source, strict=True))
    except FileNotFoundError:
        message, remedy = f"there is no file {path}", "Check the spelling."
    except UnicodeDecodeError as error:
        message, remedy = f"the file is not UTF-8 text ({error.reason} at byte {error.start})", "Save it as UTF-8."
    except csv.Error as error:
        message, remedy = f"the file is not sound CSV ({error})", "Mend its quotes."
    except OSError as error:
        message, remedy = f"the file cannot be read ({error.strerror})", "Check the path and your rights."
    raise InputError([Fault(path.name, message, remedy)])


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
