"""Tables of the ledger's reports: CSV files and one Excel workbook, money exact to the cent."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from xinji.io.atomic import atomic_file
from xinji.io.plan_tables import MONEY, Table

SHARE, INDEX, DAYS = "0.0%", "0.00", "#,##0"
"""Excel's number formats beside those of a plan's tables."""

_WIDTH_MAX, _WIDTH_HEADING = 60.0, 16
_WIDE = 0x2E7F


def write_tables(folder: Path, tables: Sequence[Table], *, workbook: str, heads: Sequence[str]) -> dict[str, Path]:
    """Write ``tables`` to ``folder``: each as CSV, and all as sheets of ``workbook``; return the paths by name.

    ``heads`` stand above each sheet's title. CSV starts with a byte-order mark, without which Excel
    garbles Chinese. Raises OutputError where the disk refuses.
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    paths = {}
    for table in tables:
        paths[table.name] = folder / f"{table.name}.csv"
        with atomic_file(paths[table.name]) as fresh, fresh.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([heading for heading, _ in table.columns])
            writer.writerows(table.rows)
        _fill(book.create_sheet(table.title[:31]), table, heads)
    with atomic_file(folder / workbook) as fresh:
        book.save(fresh)
    return {"workbook": folder / workbook, **paths}


def _fill(sheet: Worksheet, table: Table, heads: Sequence[str]) -> None:
    for text in (*heads, table.title):
        sheet.append([text])
    sheet["A1"].font = Font(bold=True, size=13)
    top = len(heads) + 2
    sheet.cell(top - 1, 1).font = Font(bold=True)
    sheet.append([heading for heading, _ in table.columns])
    line = Side(style="thin", color="808080")
    for cell in sheet[top]:
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E4E9EC")
        cell.alignment, cell.border = Alignment(wrap_text=True, vertical="center"), Border(bottom=line)
    for number, row in enumerate(table.rows):
        sheet.append([None if value == "" else value for value in row])
        for cell, (_, form) in zip(sheet[number + top + 1], table.columns, strict=True):
            cell.number_format = form
            if cell.data_type == "f":
                # A name that begins like a formula is a name.
                cell.data_type = "s"
            if number in table.totals:
                cell.font, cell.border = Font(bold=True), Border(top=line)
    for column, width in enumerate(_widths(table), start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.freeze_panes = sheet.cell(top + 1, 2)
    sheet.print_title_rows = f"{top}:{top}"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight, sheet.sheet_properties.pageSetUpPr.fitToPage = 0, True


def _widths(table: Table) -> list[float]:
    widths = []
    for column, (heading, form) in enumerate(table.columns):
        shown = [
            f"{row[column]:,.2f}" if form == MONEY and row[column] != "" else str(row[column]) for row in table.rows
        ]
        longest = max((_breadth(text) for text in shown), default=0)
        widths.append(min(max(longest, min(_breadth(heading), _WIDTH_HEADING)) + 2.0, _WIDTH_MAX))
    return widths


def _breadth(text: str) -> int:
    return sum(2 if ord(letter) > _WIDE else 1 for letter in text)
