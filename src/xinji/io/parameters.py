"""The parameter registry as shipped: every CSV under ``xinji/data/parameters``, by country profile."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from xinji.core.parameters import Parameter, Parameters
from xinji.errors import Fault, ParameterError, raise_if

PROFILES = ("cn", "lmic")
"""Country profiles; rows of profile ``any`` belong to each of them."""

COLUMNS = ("key", "profile", "value", "unit", "year", "low", "high", "status", "source", "url", "note")
_ANY = "any"


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of one file; ``number`` counts from 0 below the header."""

    file: str
    number: int
    profile: str
    parameter: Parameter


def load(profile: str) -> Parameters:
    """Return the registry of ``profile`` (one of ``PROFILES``): rows of ``any`` overlaid by its own.

    Raises ParameterError with every fault of every file.
    """
    return load_from(files("xinji") / "data" / "parameters", profile)


def load_from(folder: Traversable, profile: str) -> Parameters:
    """Return the registry of ``profile`` from the CSV files of ``folder``; see ``load``."""
    if profile not in PROFILES:
        message = f"profile {profile!r} is unknown"
        raise ParameterError([Fault("region.toml, profile", message, f"Use one of {', '.join(PROFILES)}.")])
    faults: list[Fault] = []
    rows: list[_Row] = []
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".csv"):
            rows += _read(file, faults)
    faults += _duplicates(rows)
    raise_if(faults, ParameterError)
    entries = {row.parameter.key: row.parameter for row in rows if row.profile == _ANY}
    entries |= {row.parameter.key: row.parameter for row in rows if row.profile == profile}
    return Parameters(profile, dict(sorted(entries.items())))


def _read(file: Traversable, faults: list[Fault]) -> list[_Row]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        faults.append(Fault(file.name, f"not UTF-8 text at byte {error.start}", "Save the file as UTF-8."))
        return []
    lines = csv.reader(io.StringIO(text, newline=""))
    header = tuple(next(lines, []))
    if header != COLUMNS:
        message = f"the header is {','.join(header) or 'missing'}"
        faults.append(Fault(file.name, message, f"Write it exactly: {','.join(COLUMNS)}."))
        return []
    rows = []
    for number, cells in enumerate(lines):
        wrong = list(_row_faults(file.name, number, cells))
        faults += wrong
        if not wrong:
            rows.append(_Row(file.name, number, cells[1], _parameter(cells)))
    return rows


def _parameter(cells: list[str]) -> Parameter:
    key, _, value, unit, year, low, high, status, source, url, note = cells
    return Parameter(key, float(value), unit, year, float(low), float(high), status, source, url, note)


def _row_faults(file: str, number: int, cells: list[str]) -> Iterator[Fault]:
    if len(cells) != len(COLUMNS):
        message = f"{len(cells)} fields, expected {len(COLUMNS)}"
        yield Fault(file, message, "Put text that holds a comma in double quotes.", number)
        return
    named = dict(zip(COLUMNS, cells, strict=True))
    if named["profile"] not in (_ANY, *PROFILES):
        message = f"{named['key']}: profile {named['profile']!r} is unknown"
        yield Fault(file, message, f"Use one of {', '.join((_ANY, *PROFILES))}.", number)
    for column in ("key", "unit"):
        if not named[column].strip():
            yield Fault(file, f"{named['key']}: {column} is empty", f"Give the {column}.", number)
    bad = [column for column in ("value", "low", "high") if not _is_number(named[column])]
    for column in bad:
        message = f"{named['key']}: {column} is {named[column]!r}, not a number"
        yield Fault(file, message, "Give a finite number with a decimal point.", number)
    if not bad:
        for fault in _parameter(cells).faults():
            yield Fault(file, f"{named['key']}: {fault.message}", fault.remedy, number)


def _is_number(text: str) -> bool:
    try:
        value = float(text)
    except ValueError:
        return False
    return abs(value) < float("inf")


def _duplicates(rows: list[_Row]) -> Iterator[Fault]:
    seen: dict[tuple[str, str], _Row] = {}
    for row in rows:
        first = seen.setdefault((row.parameter.key, row.profile), row)
        if first is not row:
            message = f"{row.parameter.key} of profile {row.profile!r} is already in {first.file}, row {first.number}"
            yield Fault(row.file, message, "Keep one of the two.", row.number)
