"""All files of a plan but the report, in one call."""

from __future__ import annotations

from pathlib import Path

from xinji.core.replanned import Replanned
from xinji.core.study import Study
from xinji.io.plan_geopackage import write_geopackage
from xinji.io.plan_json import write_plan_json
from xinji.io.plan_layers import Words
from xinji.io.plan_tables import write_csvs, write_geoparquet, write_workbook


def write_all(folder: Path, study: Study, *, words: Words, replanned: Replanned | None = None) -> dict[str, Path]:
    """Write every file of ``study`` to ``folder`` and return the paths by name.

    The names are ``plan.json``, ``plan.gpkg``, ``bill_of_materials.xlsx``, and those of the CSV
    tables and GeoParquet layers under ``tables/`` and ``layers/``. ``words``
    (``xinji.show.text.words``) gives the language; ``replanned`` goes into plan.json. Each file appears
    whole or not at all. Raises OutputError where the disk refuses.
    """
    paths = {
        "plan.json": write_plan_json(folder / "plan.json", study, replanned=replanned),
        "plan.gpkg": write_geopackage(folder / "plan.gpkg", study, words=words),
        "bill_of_materials.xlsx": write_workbook(folder / "bill_of_materials.xlsx", study, words=words),
    }
    tables = write_csvs(folder / "tables", study, words=words)
    layers = write_geoparquet(folder / "layers", study, words=words)
    paths |= {f"tables/{path.name}": path for path in tables.values()}
    return paths | {f"layers/{path.name}": path for path in layers.values()}
