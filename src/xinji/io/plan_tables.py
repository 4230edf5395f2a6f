"""A plan as tables: an Excel workbook, CSV files and GeoParquet, with sums exact to the cent."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from pathlib import Path

import numpy as np
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from xinji.core.assets import BillLine, assets_of, bill_of, calendar_year
from xinji.core.study import SPEND_COLUMNS, Study
from xinji.io.atomic import atomic_file
from xinji.io.plan_layers import Words, plan_layers
from xinji.units import CENTS_PER_UNIT

MONEY, PLAIN, COUNT, TEXT = "#,##0.00", "General", "#,##0", "@"
"""Excel's number formats of a column."""

Value = str | int | float | Decimal


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a name for its file, a title, and columns of (heading, number format)."""

    name: str
    title: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Value, ...], ...]
    totals: frozenset[int]
    """Rows that add up others."""


def money(cents: int) -> Decimal:
    """Return ``cents`` in currency units, exactly."""
    return Decimal(int(cents)) / CENTS_PER_UNIT


def plan_tables(study: Study, words: Words) -> tuple[Table, ...]:
    """Return the tables of ``study``: bill, items, trenches, spending and assumptions."""
    return (
        _bill(study, words),
        _items(study, words),
        _trenches(study, words),
        _spend(study, words),
        _assumptions(study, words),
    )


def _columns(words: Words, *columns: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((words[f"table.{key}"], form) for key, form in columns)


def _kind(words: Words, kind: str) -> str:
    """Return what ``kind`` is called in the reader's language; a kind without a name keeps its own."""
    return words.get(f"kind.{kind}", kind)


def _bill(study: Study, words: Words) -> Table:
    """Return what is bought by year, technology, kind and payer, with a total by year and of all."""
    rows: list[tuple[Value, ...]] = []
    totals: list[int] = []
    lines = bill_of(study)
    for year, group in groupby(lines, key=lambda line: line.year):
        mine = list(group)
        for line in mine:
            unit = words[f"unit.{line.unit}"]
            costs = (money(line.capex), money(line.opex))
            named = (words[f"technology.{line.technology}"], _kind(words, line.kind), _kind(words, line.payer))
            rows.append((year, *named, round(line.quantity, 1), unit, *costs))
        totals.append(len(rows))
        rows.append((f"{words['table.total']} {year}", "", "", "", "", "", *_sums(mine)))
    totals.append(len(rows))
    rows.append((words["table.total"], "", "", "", "", "", *_sums(lines)))
    columns = _columns(
        words, ("year", PLAIN), ("technology", TEXT), ("kind", TEXT), ("payer", TEXT), ("quantity", COUNT),
        ("unit", TEXT), ("capex", MONEY), ("opex_year", MONEY),
    )  # fmt: skip
    return Table("bill_of_materials", words["table.bill"], columns, tuple(rows), frozenset(totals))


def _sums(lines: Sequence[BillLine]) -> tuple[Decimal, Decimal]:
    return money(sum(line.capex for line in lines)), money(sum(line.opex for line in lines))


def _items(study: Study, words: Words) -> Table:
    """Return every option that the plan builds, one by one."""
    assets, reasons = assets_of(study), study.plan.reasons
    built = np.flatnonzero(study.plan.stage >= 1)
    order = built[np.lexsort((assets.id[built], assets.technology[built], assets.year[built]))]
    rows: list[tuple[Value, ...]] = [
        (
            int(assets.year[i]), str(assets.id[i]), words[f"technology.{assets.technology[i]}"],
            _kind(words, str(assets.kind[i])), _kind(words, str(assets.payer[i])), round(float(assets.x_m[i]), 1),
            round(float(assets.y_m[i]), 1), money(assets.capex[i]), money(assets.opex[i]),
            words[f"reason.{reasons.code[i]}"],
        )
        for i in order.tolist()
    ]  # fmt: skip
    sums = money(int(assets.capex[order].sum())), money(int(assets.opex[order].sum()))
    rows.append((words["table.total"], "", "", "", "", "", "", *sums, ""))
    columns = _columns(
        words, ("year", PLAIN), ("id", TEXT), ("technology", TEXT), ("kind", TEXT), ("payer", TEXT), ("x_m", COUNT),
        ("y_m", COUNT), ("capex", MONEY), ("opex_year", MONEY), ("reason", TEXT),
    )  # fmt: skip
    return Table("items", words["table.items"], columns, tuple(rows), frozenset({len(rows) - 1}))


def _trenches(study: Study, words: Words) -> Table:
    """Return every trench that the plan digs, one by one."""
    trenches, problem, roads = study.trenches, study.problem, study.region.roads
    year = calendar_year(study.plan.trench_stage, problem.years)
    dug = np.flatnonzero(study.plan.trench_stage >= 1)
    order = dug[np.lexsort((trenches.id[dug], year[dug]))]
    rows: list[tuple[Value, ...]] = [
        (
            int(year[i]), str(trenches.id[i]), str(roads.id[trenches.road[i]]) if trenches.road[i] >= 0 else "",
            _kind(words, str(trenches.method[i])), _kind(words, trenches.payer),
            round(float(problem.trench_length_m[i]), 1), money(problem.trench_capex[i]), money(problem.trench_opex[i]),
        )
        for i in order.tolist()
    ]  # fmt: skip
    length = round(float(problem.trench_length_m[order].sum()), 1)
    sums = money(int(problem.trench_capex[order].sum())), money(int(problem.trench_opex[order].sum()))
    rows.append((words["table.total"], "", "", "", "", length, *sums))
    columns = _columns(
        words, ("year", PLAIN), ("id", TEXT), ("road", TEXT), ("kind", TEXT), ("payer", TEXT), ("length_m", COUNT),
        ("capex", MONEY), ("opex_year", MONEY),
    )  # fmt: skip
    return Table("trenches", words["table.trenches"], columns, tuple(rows), frozenset({len(rows) - 1}))


def _spend(study: Study, words: Words) -> Table:
    """Return spending by year against the budget, capex and opex by where the money goes."""
    outcome, plan, problem = study.outcome, study.plan, study.problem
    parts = np.concatenate([outcome.capex, outcome.opex], axis=1)
    totals = parts.sum(axis=1)
    rows: list[tuple[Value, ...]] = [
        (
            year, *(money(c) for c in parts[k].tolist()), money(totals[k]), money(problem.budget[k]),
            money(problem.budget[k] - plan.spend[k]),
        )
        for k, year in enumerate(study.policy.years)
    ]  # fmt: skip
    whole = (*parts.sum(axis=0).tolist(), totals.sum(), problem.budget.sum(), (problem.budget - plan.spend).sum())
    rows.append((words["table.total"], *(money(c) for c in whole)))
    heads = [
        (f"{words[f'table.{kind}']}: {words[f'technology.{name}']}", MONEY)
        for kind in ("capex", "opex")
        for name in SPEND_COLUMNS
    ]
    rest = _columns(words, ("spend_total", MONEY), ("budget", MONEY), ("unspent", MONEY))
    columns = (*_columns(words, ("year", PLAIN)), *heads, *rest)
    return Table("spend", words["table.spend"], columns, tuple(rows), frozenset({len(rows) - 1}))


def _assumptions(study: Study, words: Words) -> Table:
    """Return every parameter with its range, source and status."""
    rows: list[tuple[Value, ...]] = [
        (key, e.value, e.unit, e.low, e.high, e.year, words[f"status.{e.status}"], e.source, e.url, e.note)
        for key, e in sorted(study.region.parameters.entries.items())
    ]
    columns = _columns(
        words, ("key", TEXT), ("value", PLAIN), ("unit", TEXT), ("low", PLAIN), ("high", PLAIN), ("year", TEXT),
        ("status", TEXT), ("source", TEXT), ("url", TEXT), ("note", TEXT),
    )  # fmt: skip
    return Table("assumptions", words["table.assumptions"], columns, tuple(rows), frozenset())


def write_workbook(path: Path, study: Study, *, words: Words) -> Path:
    """Write the tables of ``study`` as sheets of one Excel workbook to ``path`` and return it.

    Raises OutputError where the disk refuses.
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    for table in plan_tables(study, words):
        sheet = book.create_sheet(table.title)
        head = getattr(study.region, words["language.title"])
        fill_sheet(sheet, table, (f"{head} · {table.title} · {study.region.currency}",))
    with atomic_file(path) as fresh:
        book.save(fresh)
    return path


def fill_sheet(sheet: Worksheet, table: Table, heads: Sequence[str]) -> None:
    """Write ``table`` with ``heads`` above, headings that stay in sight, and a page that fits its width.

    A text that begins like a formula stays a text.
    """
    for text in heads:
        sheet.append([text])
    sheet.cell(len(heads), 1).font = Font(bold=True)
    sheet["A1"].font = Font(bold=True, size=13)
    top = len(heads) + 1
    sheet.append([heading for heading, _ in table.columns])
    line = Side(style="thin", color="808080")
    for cell in sheet[top]:
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E4E9EC")
        cell.alignment, cell.border = Alignment(wrap_text=True, vertical="center"), Border(bottom=line)
    for number, row in enumerate(table.rows):
        sheet.append([None if value == "" else value for value in row])
        for cell, (_, form) in zip(sheet[top + number + 1], table.columns, strict=True):
            cell.number_format = form
            if cell.data_type == "f":
                cell.data_type = "s"
            if number in table.totals:
                cell.font, cell.border = Font(bold=True), Border(top=line)
    for column, width in enumerate(_widths(table), start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.freeze_panes = sheet.cell(top + 1, 2)
    sheet.print_title_rows = f"{top}:{top}"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight, sheet.sheet_properties.pageSetUpPr.fitToPage = 0, True


def _widths(table: Table) -> Iterator[float]:
    """Yield the width of each column in characters, wide ones cut so that a page still holds them."""
    for column, (heading, form) in enumerate(table.columns):
        shown = (
            f"{row[column]:,.2f}" if form == MONEY else str(row[column]) for row in table.rows if row[column] != ""
        )
        longest = max((_breadth(text) for text in shown), default=0)
        yield min(max(longest, min(_breadth(heading), 14)) + 2.0, 60.0)


def _breadth(text: str) -> int:
    """Return how many narrow characters ``text`` is wide; Chinese ones count twice."""
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)


def write_csv(path: Path, table: Table) -> Path:
    """Write ``table`` to ``path`` as CSV and return it.

    The file starts with a byte-order mark, without which Excel garbles Chinese. Texts that Excel would take for
    formulas have an apostrophe before them. Raises OutputError where the disk refuses.
    """
    with atomic_file(path) as fresh, fresh.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([heading for heading, _ in table.columns])
        writer.writerows([_no_formula(value) for value in row] for row in table.rows)
    return path


def _no_formula(value: Value) -> Value:
    """Return ``value``; a text that a spreadsheet would run (CWE-1236) with an apostrophe before it."""
    risky = isinstance(value, str) and len(value) > 1 and value[0] in "=+-@\t\r"
    return f"'{value}" if risky else value


def write_csvs(folder: Path, study: Study, *, words: Words) -> dict[str, Path]:
    """Write each table of ``study`` to ``folder`` as CSV and return the paths by table.

    Raises OutputError where the disk refuses.
    """
    paths = {}
    for table in plan_tables(study, words):
        paths[table.name] = write_csv(folder / f"{table.name}.csv", table)
    return paths


def write_geoparquet(folder: Path, study: Study, *, words: Words) -> dict[str, Path]:
    """Write each layer of the plan to ``folder`` as GeoParquet and return the paths by layer.

    Raises OutputError where the disk refuses.
    """
    paths = {}
    for name, layer in plan_layers(study, words).items():
        paths[name] = folder / f"{name}.parquet"
        with atomic_file(paths[name]) as fresh:
            layer.to_parquet(fresh, compression="zstd")
    return paths
