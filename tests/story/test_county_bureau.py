"""A county bureau's week: import with mistakes, mend, plan twice, compare, report, decide on one site, plan again."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest

from story.county_files import ERRORS, PARKS, SITES, mend, write_county
from xinji.cli import main

PARKS_FIRST = (
    "--set", "policy.priority.industrial_cluster=6", "--set", "policy.priority.urban=1",
    "--set", "policy.priority.town=1", "--set", "policy.priority.rural=1",
)  # fmt: skip


@pytest.fixture
def bureau(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_county(tmp_path / "files")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def xinji(capsys: pytest.CaptureFixture[str], status: int, *arguments: str) -> tuple[str, str]:
    capsys.readouterr()
    found = main(arguments)
    out, err = capsys.readouterr()
    assert found == status, err
    return out, err


def plan(capsys: pytest.CaptureFixture[str], out: str, *more: str) -> dict[str, Any]:
    printed, _ = xinji(capsys, 0, "plan", "county", "--out", out, "--effort", "2", "--json", *more)
    made = json.loads(printed)
    assert made["checker"] == "green"
    assert made["budget"] == {"2026": 60e6, "2027": 60e6}
    assert all(made["spend"][year] <= 60e6 for year in made["spend"])
    return dict(made)


def test_the_story(bureau: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, refused = xinji(capsys, 2, "import", "files", "--out", "county")
    told = [line for line in refused.splitlines() if line.startswith("xinji: facilities, row ")]
    assert len(told) == len(ERRORS) == 14
    for row, (_, _, what) in ERRORS.items():
        assert any(line.startswith(f"xinji: facilities, row {row}: ") and what in line for line in told), what
    assert not (bureau / "county").exists()

    mend(bureau / "files")
    out, _ = xinji(capsys, 0, "import", "files", "--out", "county")
    assert f"{SITES} radio_site" in out
    out, _ = xinji(capsys, 0, "check", "county")
    assert "No fault" in out
    cells = gpd.read_parquet("county/cells.parquet")
    parks = sum((east - west) * (north - south) for west, south, east, north in PARKS)
    assert (cells["group"] == "industrial_cluster").sum() == parks

    first = plan(capsys, "plans/parks", *PARKS_FIRST)
    even = plan(capsys, "plans/even")
    served = [made["coverage"]["industrial_cluster"]["industrial_edge"]["2026"] for made in (first, even)]
    assert served[0] >= served[1]

    out, _ = xinji(capsys, 0, "diff", "plans/parks", "plans/even")
    assert "priority.industrial_cluster" in out
    assert "2026" in out
    assert re.search(r"Only in [AB]|in different years", out)

    report = (bureau / "plans" / "even" / "report.html").read_text(encoding="utf-8")
    assert 'lang="zh' in report
    assert "江滨县" in report
    assert re.search(r"<script[^>]+src=|<link[^>]+href=", report) is None

    site, year = put_off(Path("plans/even/plan.gpkg"))
    again = plan(capsys, "plans/even_2", "--keep", "plans/even/plan.gpkg")
    kept = json.loads(Path("plans/even_2/plan.json").read_text(encoding="utf-8"))["options"][site]
    assert (kept["year"], kept["committed"]) == (year, True)
    assert again["value"] <= even["bound"]
    out, _ = xinji(capsys, 0, "diff", "plans/even", "plans/even_2")
    assert site in out


def put_off(path: Path) -> tuple[str, int]:
    """Fix a site that the plan builds in 2026 to 2027, as an attribute table does; return its id and year."""
    sites = gpd.read_file(path, layer="sites")
    site = str(sites.loc[sites["year_built"] == 2026, "id"].iloc[0])
    with closing(sqlite3.connect(path)) as database, database:
        # The triggers of the spatial index call functions that plain SQLite has not.
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE sites SET decision = 'fixed', fixed_year = 2027 WHERE id = ?", (site,))
    return site, 2027
