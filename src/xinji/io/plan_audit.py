"""The files of a plan held against the study that they were written from: every figure that differs, by its place."""

from __future__ import annotations

import csv
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from xinji.core.study import Study
from xinji.errors import InputError
from xinji.io.plan_audit_money import money_findings
from xinji.io.plan_json import plan_document, read_plan_json
from xinji.io.plan_layers import Words
from xinji.io.plan_schema import OptionEntry, PlanDocument, TrenchEntry
from xinji.io.plan_tables import Table, plan_tables
from xinji.io.validation_tables import number

JSON_FILE = "plan.json"
WORKBOOK_FILE = "bill_of_materials.xlsx"
TABLE_FOLDER = "tables"

_RELATIVE = 1e-8
"""Figures are written with 9 digits or more; sums may differ in the last between machines."""

_CLOCKLESS = ("version",)
"""Keys of plan.json that say who wrote it, not what is planned."""

_OF_LEDGER = "replanned"
"""Comes from a ledger, which the study does not hold: it is held against plan and policy instead."""

_ABSENT = "nothing"

_Rows: TypeAlias = list[list[str]] | str
"""The rows of a table, or why there are none."""


def json_findings(folder: Path, study: Study) -> Iterator[str]:
    """Yield where plan.json in ``folder`` says otherwise than ``study``, or its own money does not add up."""
    try:
        found = read_plan_json(folder / JSON_FILE)
    except InputError as error:
        yield from (str(fault) for fault in error.faults)
        return
    expected = plan_document(study).model_dump(mode="json")
    given = found.model_dump(mode="json")
    for key in (*_CLOCKLESS, _OF_LEDGER):
        given.pop(key), expected.pop(key)
    yield from (f"{JSON_FILE}: {line}" for line in _differences("", given, expected))
    yield from (f"{JSON_FILE}: {line}" for line in (*_sums(found), *money_findings(found)))


def _differences(place: str, given: object, expected: object) -> Iterator[str]:
    if isinstance(given, dict) and isinstance(expected, dict):
        for key in sorted({*given, *expected}):
            inner = f"{place}.{key}" if place else str(key)
            yield from _differences(inner, given.get(key, _ABSENT), expected.get(key, _ABSENT))
    elif isinstance(given, list) and isinstance(expected, list) and len(given) == len(expected):
        for at, (one, other) in enumerate(zip(given, expected, strict=True)):
            yield from _differences(f"{place}[{at}]", one, other)
    elif not same(given, expected):
        yield f"{place} is {given!r}, the proved plan has {expected!r}"


def same(given: object, expected: object) -> bool:
    """Return whether two figures are the same but for rounding, or two other things equal."""
    if isinstance(given, bool) or isinstance(expected, bool):
        return given is expected
    if isinstance(given, int) and isinstance(expected, int):
        return given == expected
    if isinstance(given, int | float | Decimal) and isinstance(expected, int | float | Decimal):
        a, b = float(given), float(expected)
        return math.isclose(a, b, rel_tol=_RELATIVE, abs_tol=1e-12) or (math.isnan(a) and math.isnan(b))
    return given == expected


def _sums(plan: PlanDocument) -> Iterator[str]:
    """Yield what does not add up in plan.json alone: spending from its assets, the gap from value and bound."""
    bought: list[OptionEntry | TrenchEntry] = [*plan.options.values(), *plan.trenches.values()]
    for year in plan.years:
        capex = sum(one.capex for one in bought if one.year == year)
        opex = sum(one.opex for one in bought if 0 <= one.year <= year)
        said = plan.plan.spend.get(str(year))
        if said != capex + opex:
            yield f"plan.spend.{year} is {said} cents, its options and trenches add up to {capex + opex}"
    value, bound = plan.plan.objective, plan.plan.bound
    gap = abs(bound - value) / max(abs(value), 1e-12)
    if not math.isclose(plan.plan.gap, gap, rel_tol=1e-4, abs_tol=1e-6):
        yield f"plan.gap is {plan.plan.gap:.9g}, value and bound make it {gap:.9g}"


def table_findings(folder: Path, study: Study, languages: Sequence[Words]) -> Iterator[str]:
    """Yield where the CSV tables and the workbook in ``folder`` say otherwise than ``study``.

    They may be in any one of ``languages``.
    """
    choices = [plan_tables(study, words) for words in languages]
    written = {table.name: _read_csv(folder / TABLE_FOLDER / f"{table.name}.csv") for table in choices[0]}
    tables = max(choices, key=lambda tables: _spoken(tables, written))
    for table in tables:
        yield from _rows_findings(f"{TABLE_FOLDER}/{table.name}.csv", table, written[table.name])
    yield from _workbook_findings(folder / WORKBOOK_FILE, tables)


def _spoken(tables: Sequence[Table], written: Mapping[str, _Rows]) -> int:
    """Return how many files have the headings of ``tables``, which are in one language."""
    return sum(not isinstance(rows := written[table.name], str) and rows[:1] == [_heads(table)] for table in tables)


def _read_csv(path: Path) -> _Rows:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file))
    except FileNotFoundError:
        return "the file is missing"
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        return f"the file cannot be read ({error})"


def _workbook_findings(path: Path, tables: Sequence[Table]) -> Iterator[str]:
    try:
        book = load_workbook(path, read_only=True, data_only=True)
        sheets = {
            sheet.title: [["" if cell is None else str(cell) for cell in row] for row in sheet.values]
            for sheet in book.worksheets
        }
        book.close()
    except FileNotFoundError:
        yield f"{path.name}: the file is missing"
        return
    except (OSError, KeyError, ValueError, InvalidFileException, zipfile.BadZipFile) as error:
        yield f"{path.name}: the file cannot be read ({error})"
        return
    for table in tables:
        rows = sheets.get(table.title)
        # A title stands above the headings.
        found = "the sheet is missing" if rows is None else rows[1:]
        yield from _rows_findings(f"{path.name}, {table.title}", table, found)


def _rows_findings(place: str, table: Table, rows: _Rows) -> Iterator[str]:
    if isinstance(rows, str):
        yield f"{place}: {rows}"
        return
    expected = [_heads(table), *([str(value) for value in row] for row in table.rows)]
    if len(rows) != len(expected):
        yield f"{place}: there are {len(rows)} lines, the proved plan makes {len(expected)}"
    for at, (given, wanted) in enumerate(zip(rows, expected, strict=False), 1):
        if len(given) != len(wanted):
            yield f"{place}, line {at}: there are {len(given)} cells, expected {len(wanted)}"
            continue
        for heading, one, other in zip(expected[0], given, wanted, strict=True):
            if not _same_text(one, other):
                yield f"{place}, line {at}, {heading}: found {one!r}, the proved plan has {other!r}"


def _heads(table: Table) -> list[str]:
    return [heading for heading, _ in table.columns]


def _same_text(one: str, other: str) -> bool:
    a, b = number(one), number(other)
    return one == other or (a is not None and b is not None and same(a, b))
