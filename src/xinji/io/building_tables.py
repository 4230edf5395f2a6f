"""Tables of the ledger's reports: CSV files and one Excel workbook, money exact to the cent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook

from xinji.io.atomic import atomic_file
from xinji.io.plan_tables import Table, fill_sheet, write_csv

SHARE, INDEX, DAYS = "0.0%", "0.00", "#,##0"
"""Excel's number formats beside those of a plan's tables."""

_TITLE_MAX = 31
"""Characters that Excel allows in the name of a sheet."""


def write_tables(folder: Path, tables: Sequence[Table], *, workbook: str, heads: Sequence[str]) -> dict[str, Path]:
    """Write ``tables`` to ``folder``: each as CSV, and all as sheets of ``workbook``; return the paths by name.

    ``heads`` stand above each sheet's title. Raises OutputError where the disk refuses.
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    paths = {}
    for table in tables:
        paths[table.name] = write_csv(folder / f"{table.name}.csv", table)
        fill_sheet(book.create_sheet(table.title[:_TITLE_MAX]), table, (*heads, table.title))
    with atomic_file(folder / workbook) as fresh:
        book.save(fresh)
    return {"workbook": folder / workbook, **paths}
