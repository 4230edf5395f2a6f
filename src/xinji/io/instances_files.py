"""Files of published optimisation instances as text and numbers, plain or compressed, and tables of known optima."""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xinji.core.arrays import Floats
from xinji.errors import Fault
from xinji.io.validation_tables import number

FAULTS_SHOWN = 20
"""So many faults of a file are named one by one; the others are counted."""

_GZIP = b"\x1f\x8b"
_ENDINGS = (".gz", ".gr", ".stp", ".txt", ".dat")
_PROSE = re.compile(r"\b([A-Za-z]+\d+)(?: A/B)? (\d+(?:\.\d+)?)/(\d+(?:\.\d+)?)(?=[,;.\s|]|$)")
_NAME_COLUMNS = ("file", "name", "instance", "problem")
_LOWER_COLUMNS = ("lower", "optimum", "optimal", "opt", "value", "best")
_UPPER_COLUMNS = ("upper", "optimum", "optimal", "opt", "value", "best")


@dataclass(frozen=True, slots=True)
class Known:
    """What others proved of an instance that is minimised: no solution is under ``lower``, one attains ``upper``.

    The optimum is proved where they are equal. ``rounding`` is a unit of the last place printed (0 for whole numbers).
    """

    lower: float
    upper: float
    rounding: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The ``words`` of a file; ``first_line`` (from 1) is that which ``text`` begins with."""

    file: str
    words: tuple[str, ...]
    text: str
    first_line: int

    def lines(self) -> Iterator[int]:
        """Yield the line that each word stands on."""
        for at, row in enumerate(self.text.splitlines(), self.first_line):
            yield from (at for _ in row.split())


def read_text(path: Path, file: str, faults: list[Fault]) -> str | None:
    """Return the text of ``path``, compressed by gzip or not, whatever its name; None if it cannot be read.

    ``file`` names it in the fault added to ``faults``.
    """
    try:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if raw.startswith(_GZIP) else raw
    except (OSError, EOFError, zlib.error) as error:
        found = f"the file cannot be read ({getattr(error, 'strerror', None) or error})"
        faults.append(Fault(file, found, "Check its rights, or copy it anew."))
        return None
    return raw.decode("latin-1").removeprefix("\xef\xbb\xbf")


def plain_name(name: str) -> str:
    """Return a file's name without folders and known endings, in its own case."""
    name = name.replace("\\", "/").rpartition("/")[2]
    while name.lower().endswith(_ENDINGS):
        name = name.rpartition(".")[0]
    return name


def read_words(text: str, file: str) -> Words:
    """Return the words of ``text``; a first line that begins with ``FILE:`` is a title."""
    title, _, rest = text.partition("\n")
    if title.lstrip().upper().startswith("FILE:"):
        return Words(file, tuple(rest.split()), rest, 2)
    return Words(file, tuple(text.split()), text, 1)


def numbers(words: Words, what: str, faults: list[Fault]) -> Floats | None:
    """Return all ``words`` as finite numbers; None with faults where one is none."""
    try:
        values = np.array(words.words, dtype=np.float64)
    except ValueError:
        values = None
    if values is not None and np.isfinite(values).all():
        return values
    wrong = [
        Fault(words.file, f"line {line}: {word!r} stands where {what} was expected", "Write a finite number.", line - 1)
        for word, line in zip(words.words, words.lines(), strict=True)
        if number(word) is None
    ]
    faults += shortened(wrong, words.file)
    return None


def shortened(wrong: list[Fault], file: str) -> list[Fault]:
    """Return the first ``FAULTS_SHOWN`` of ``wrong``, and how many more there are."""
    if len(wrong) <= FAULTS_SHOWN:
        return wrong
    message = f"{len(wrong) - FAULTS_SHOWN} further lines are wrong"
    return [*wrong[:FAULTS_SHOWN], Fault(file, message, "Check that the file is whole and of this format.")]


def known_table(text: str) -> dict[str, Known]:
    """Return what a table of known optima says, by name in lower case.

    It is CSV with a header that names file, lower and upper (or optimum), or lines of a name and one number
    (the optimum) or two (lower, upper). Lines of any other form are passed over.
    """
    rows = [row for row in csv.reader(text.splitlines()) if row and not row[0].startswith("#")]
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    if len(header) > 1 and any(name in header for name in _NAME_COLUMNS):
        return _csv_optima(header, rows[1:])
    found = {}
    for line in text.splitlines():
        words = line.replace(",", " ").split()
        if len(words) in (2, 3) and all(number(word) is not None for word in words[1:]):
            found[plain_name(words[0]).lower()] = known(words[1], words[-1])
    return found


def known(lower: str, upper: str) -> Known:
    """Return the known values as printed."""
    places = max(len(text.partition(".")[2]) if "e" not in text.lower() else 0 for text in (lower, upper))
    low, high = float(lower), float(upper)
    return Known(min(low, high), high, 10.0**-places if places else 0.0)


def _csv_optima(header: list[str], rows: list[list[str]]) -> dict[str, Known]:
    def place(names: tuple[str, ...]) -> int | None:
        return next((header.index(name) for name in names if name in header), None)

    name, lower, upper = place(_NAME_COLUMNS), place(_LOWER_COLUMNS), place(_UPPER_COLUMNS)
    if name is None or lower is None or upper is None:
        return {}
    found = {}
    for row in rows:
        if len(row) > max(name, lower, upper):
            cells = row[lower].strip(), row[upper].strip()
            if all(number(cell) is not None for cell in cells):
                found[plain_name(row[name].strip()).lower()] = known(*cells)
    return found


def known_in_prose(text: str) -> dict[str, Known]:
    """Return optima told as ``D15 A/B 1042/1108`` (instances D15-A and D15-B), by name in lower case."""
    found = {}
    for match in _PROSE.finditer(text):
        for letter, value in zip("ab", match.groups()[1:], strict=True):
            found[f"{match[1].lower()}-{letter}"] = known(value, value)
    return found


def last_number(text: str) -> Known | None:
    """Return the last number of an ``.opt`` file as the optimum; None where it ends otherwise."""
    words = text.split()
    return known(words[-1], words[-1]) if words and number(words[-1]) is not None else None


def capacities(table: Mapping[str, Known], name: str) -> Iterator[str]:
    """Yield the words behind ``name`` and an underscore in a table of optima, such as 8000 for ``capa_8000``."""
    for key in table:
        stem, mark, word = key.rpartition("_")
        if mark and stem == name.lower() and number(word) is not None:
            yield word
