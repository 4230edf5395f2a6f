"""Edited GeoPackages that contradict themselves, the options or the years; and what sound edits do."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest

from cli.command_line import call, listing
from xinji.workflow.planning import PlanRun, PlanSettings, plan_region

Spoil = Callable[[Path], None]


def rewrite(path: Path, layer: str, change: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]) -> None:
    """Rewrite one layer of a GeoPackage, as an editor does that saves."""
    layers = {str(name): pyogrio.read_dataframe(path, layer=name) for name, kind in pyogrio.list_layers(path) if kind}
    layers[layer] = change(layers[layer])
    path.unlink()
    for name, frame in layers.items():
        pyogrio.write_dataframe(frame, path, layer=name, driver="GPKG", append=path.exists())


def decide(layer: str, row: int, decision: str, year: int | None) -> Spoil:
    def spoil(path: Path) -> None:
        def change(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
            frame["decision"] = [decision if n == row else old for n, old in enumerate(frame["decision"])]
            frame["fixed_year"] = [year if n == row else None for n in range(len(frame))]
            return frame

        rewrite(path, layer, change)

    return spoil


def of_status(status: str, decision: str, year: int | None) -> Spoil:
    """Decide on the first site with ``status``."""

    def spoil(path: Path) -> None:
        sites = pyogrio.read_dataframe(path, layer="sites")
        decide("sites", int(np.flatnonzero(sites["status"] == status)[0]), decision, year)(path)

    return spoil


def moved(path: Path) -> None:
    rewrite(path, "sites", lambda f: f.set_geometry(f.translate(250.0, 0.0)))


def fewer(path: Path) -> None:
    rewrite(path, "sites", lambda f: gpd.GeoDataFrame(f.iloc[2:]))


def renamed(path: Path) -> None:
    rewrite(path, "sites", lambda f: f.assign(id=[f"mine-{n}" for n in range(len(f))]))


def copied(path: Path) -> None:
    rewrite(path, "sites", lambda f: gpd.GeoDataFrame(f.iloc[[*range(len(f)), 0]]))


def no_column(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("ALTER TABLE edge_nodes DROP COLUMN fixed_year")


def cut_short(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 3])


def is_text(path: Path) -> None:
    path.write_text("no database", encoding="utf-8")


CASES: tuple[tuple[str, Spoil, str], ...] = (
    (
        "unknown decision",
        decide("sites", 0, "maybe", None),
        r"sites, row 0: the decision .* 'maybe'\. Use one of",
    ),
    ("no year", of_status("planned", "fixed", None), r"sites, row \d+: .* fixed with no fixed_year\. Give a year from"),
    (
        "late year",
        of_status("planned", "fixed", 2050),
        r"sites, row \d+: .* fixed_year 2050\. Give a year from",
    ),
    ("idle year", of_status("planned", "free", 2027), r"sites, row \d+: .* has fixed_year 2027 but is free\. Set its"),
    ("exists", of_status("existing", "fixed", 2027), r"sites, row \d+: .* exists already .*back to free"),
    ("cannot go", of_status("existing", "forbidden", None), r"sites, row \d+: .* cannot be forbidden\. Set its"),
    ("trench", decide("trenches", 3, "forbidden", None), r"trenches, row 3: .* cannot be forbidden\. .*no-build zone"),
    ("moved", moved, r"sites, row 0: .* was moved by 250 m\. Move it back"),
    ("rows gone", fewer, r"ids are gone from .*\. Keep every row"),
    ("new ids", renamed, r"sites, row 0: the id 'mine-0' is unknown\. Remove the row"),
    ("copied", copied, r"sites, row \d+: the id .* is used before\. Remove the copy"),
    ("no column", no_column, r"edge_nodes: column fixed_year is missing\. Edit the plan\.gpkg"),
    ("cut short", cut_short, r"plan\.gpkg: (cannot be read as a GeoPackage|holds none of the layers)"),
    ("text", is_text, r"plan\.gpkg: cannot be read as a GeoPackage"),
)


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning:pyogrio")
@pytest.mark.parametrize(("name", "spoil", "told"), CASES, ids=[case[0] for case in CASES])
def test_a_wrong_edit_is_refused(
    name: str, spoil: Spoil, told: str, sound_region: Path, planned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del name
    spoil(planned / "plan.gpkg")
    before = listing(planned)
    answer = call(capsys, "plan", sound_region, "--keep", planned / "plan.gpkg", "--out", planned)
    assert answer.status == 2
    assert re.search(told, answer.err), answer.err
    assert "Traceback" not in answer.err
    assert listing(planned) == before


def test_a_plan_of_another_region_is_refused(region: Path, planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facilities = gpd.read_parquet(region / "facilities.parquet")
    facilities["id"] = "other-" + facilities["id"]
    facilities.to_parquet(region / "facilities.parquet")
    answer = call(capsys, "plan", region, "--keep", planned / "plan.gpkg", "--out", region.parent / "new")
    assert answer.status == 2
    assert re.search(r"the id '.*' is unknown\. Remove the row", answer.err)


def update(path: Path, layer: str, values: list[tuple[str, int | None, str]]) -> None:
    """Set decision and year by id, as an attribute table does."""
    with closing(sqlite3.connect(path)) as database, database:
        for trigger in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{trigger[0]}"')
        database.executemany(f"UPDATE {layer} SET decision = ?, fixed_year = ? WHERE id = ?", values)  # noqa: S608


def test_what_is_fixed_is_built_and_what_is_forbidden_is_not(quick_run: PlanRun, planned: Path) -> None:
    sites = pyogrio.read_dataframe(planned / "plan.gpkg", layer="sites")
    wanted, unwanted = map(str, sites.loc[sites["year_built"] == 2026, "id"].iloc[:2])
    update(planned / "plan.gpkg", "sites", [("fixed", 2028, wanted), ("forbidden", None, unwanted)])
    settings = PlanSettings(tries=1, keep=planned / "plan.gpkg")
    again = plan_region(str(quick_run.source), settings=settings).study
    stage = dict(zip(again.problem.option_id.tolist(), again.plan.stage.tolist(), strict=True))
    assert (stage[wanted], stage[unwanted]) == (3, -1)


def test_a_fixed_trench_is_dug_in_its_year(quick_run: PlanRun, planned: Path) -> None:
    trenches = pyogrio.read_dataframe(planned / "plan.gpkg", layer="trenches")
    dug = str(trenches.loc[trenches["status"] == "never", "id"].iloc[0])
    update(planned / "plan.gpkg", "trenches", [("fixed", 2027, dug)])
    settings = PlanSettings(tries=1, keep=planned / "plan.gpkg")
    again = plan_region(str(quick_run.source), settings=settings).study
    assert again.plan.trench_stage[again.problem.trench_id.tolist().index(dug)] == 2
