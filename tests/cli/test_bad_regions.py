"""Regions that are wrong in one place: refused with status 2, the place, the remedy, and nothing written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

from cli.command_line import call, listing
from support.tiny import SOUTH_M, WEST_M

Plant = Callable[[Path], None]
Change = Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]
MEND = r"[.] \S.{7,}[.]?$"
"""Where any remedy will do: a second sentence that says what to do."""

FAR = shapely.Point(1.0, 1.0)
BOWTIE = shapely.Polygon(
    [(WEST_M, SOUTH_M), (WEST_M + 200, SOUTH_M + 200), (WEST_M + 200, SOUTH_M), (WEST_M, SOUTH_M + 200)]
)


@dataclass(frozen=True)
class Case:
    """What is planted, and what the message must hold: the place, what was found, and the remedy."""

    name: str
    plant: Plant
    place: str
    found: str
    remedy: str


def cut(name: str, share: float = 0.5) -> Plant:
    def plant(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(len(content) * share)])

    return plant


def text(name: str, content: bytes) -> Plant:
    def plant(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return plant


def gone(name: str) -> Plant:
    return lambda folder: (folder / name).unlink()


def edit(layer: str, change: Change) -> Plant:
    def plant(folder: Path) -> None:
        path = folder / f"{layer}.parquet"
        change(gpd.read_parquet(path)).to_parquet(path)

    return plant


def put(layer: str, row: int, column: str, value: object) -> Plant:
    def change(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        frame[column] = [value if n == row else old for n, old in enumerate(frame[column])]
        return frame

    return edit(layer, change)


def toml(old: str, new: str) -> Plant:
    def plant(folder: Path) -> None:
        path = folder / "region.toml"
        content = path.read_text(encoding="utf-8")
        changed = re.sub(old, new, content, count=1, flags=re.MULTILINE)
        assert changed != content
        path.write_text(changed, encoding="utf-8")

    return plant


def policy(line: str) -> Plant:
    """Replace the line of one key of [policy], or add it."""
    key = line.split(" ", maxsplit=1)[0]

    def plant(folder: Path) -> None:
        path = folder / "region.toml"
        head, _, tail = path.read_text(encoding="utf-8").partition("[policy]\n")
        tail = re.sub(rf"^{key} = .*\n", "", tail, flags=re.MULTILINE)
        path.write_text(f"{head}[policy]\n{line}\n{tail}", encoding="utf-8")

    return plant


def far_roads(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give half of the roads nodes and ends of their own, so that the graph falls in two."""
    half = np.arange(len(frame)) % 2 == 0
    moved = gpd.GeoDataFrame(frame[half].copy())
    moved[["from_node", "to_node"]] += 100_000
    moved = moved.set_geometry(moved.translate(3.0, 3.0))
    moved["id"] = "x" + moved["id"]
    return gpd.GeoDataFrame(pd.concat([frame, moved], ignore_index=True), crs=frame.crs)


def reproject_raster(name: str, crs: str) -> Plant:
    def plant(folder: Path) -> None:
        with rasterio.open(folder / name) as source:
            values, profile = source.read(), {**source.profile, "crs": crs}
        with rasterio.open(folder / name, "w", **profile) as target:
            target.write(values)

    return plant


def hole(folder: Path) -> None:
    with rasterio.open(folder / "terrain.tif", "r+") as target:
        values = target.read(1)
        values[5, 5] = np.nan
        target.write(values, 1)


CASES = (
    Case("cells cut short", cut("cells.parquet"), "cells", "cannot be read as GeoParquet", MEND),
    Case("roads cut short", cut("roads.parquet", 0.1), "roads", "cannot be read as GeoParquet", MEND),
    Case("terrain cut short", cut("terrain.tif"), "terrain", "cannot be read as GeoTIFF", MEND),
    Case("clutter is text", text("clutter.tif", b"no raster"), "clutter", "cannot be read as GeoTIFF", MEND),
    Case("facilities empty file", text("facilities.parquet", b""), "facilities", "cannot be read", MEND),
    Case("toml cut short", cut("region.toml", 0.05), "region.toml", "TOML|missing", "Mend|Add"),
    Case("toml not UTF-8", text("region.toml", b"name = '\xff\xfe'"), "region.toml", "not UTF-8", "Save it as UTF-8"),
    Case("no cells", gone("cells.parquet"), "cells", "there is no|missing", MEND),
    Case("no terrain", gone("terrain.tif"), "terrain", "there is no|missing", MEND),
    Case("degrees", edit("cells", lambda f: f.to_crs(4326)), "cells", "EPSG:4326", "[Rr]eproject|xinji import"),
    Case("other zone", edit("roads", lambda f: f.to_crs(32650)), "roads", "EPSG:32650", "[Rr]eproject|xinji import"),
    Case("terrain's CRS", reproject_raster("terrain.tif", "EPSG:32650"), "terrain", "EPSG:32650", MEND),
    Case("region in degrees", toml("EPSG:32651", "EPSG:4326"), "region.toml, crs", "not projected", "EPSG:32650"),
    Case("NaN workers", put("cells", 5, "workers", np.nan), "cells, row 5", "workers is missing", MEND),
    Case("negative people", put("cells", 4, "residents", -5.0), "cells, row 4", "residents is -5", MEND),
    Case("infinite people", put("cells", 6, "residents", np.inf), "cells, row 6", "residents is inf", MEND),
    Case("people as text", edit("cells", lambda f: f.assign(residents="many")), "cells", "expected number", MEND),
    Case("duplicate id", put("cells", 9, "id", "c000_003"), "cells, row 9", "already that of row 3", MEND),
    Case("unknown group", put("cells", 2, "group", "city"), "cells, row 2", "group is 'city'", "rural"),
    Case("unknown kind", put("facilities", 2, "kind", "mast"), "facilities, row 2", "kind is 'mast'", "radio_site"),
    Case("no column", edit("cells", lambda f: f.drop(columns="workers")), "cells", "'workers' is missing", MEND),
    Case("no geometry", put("cells", 3, "geometry", None), "cells, row 3", "geometry is missing", MEND),
    Case("bow tie", put("cells", 3, "geometry", BOWTIE), "cells, row 3", "invalid", MEND),
    Case("site outside", put("facilities", 3, "geometry", FAR), "facilities, row 3", "outside", MEND),
    Case("empty layer", edit("cells", lambda f: f.iloc[:0]), "cells", "the layer is empty", "at least one"),
    Case("no pop", put("facilities", 0, "kind", "server_room"), "facilities", "no facility of kind fibre_pop", MEND),
    Case("roads in pieces", edit("roads", far_roads), "roads", "in [0-9]+ pieces", MEND),
    Case("hole in terrain", hole, "terrain", "have no value", MEND),
    Case("unknown key", policy("bugdet = [1.0, 1.0, 1.0]"), "region.toml, policy.bugdet", "unknown", "'budget'"),
    Case("budget as text", policy('budget = "60 million"'), "policy.budget", "found '60 million'", "must be"),
    Case("amount as text", policy('budget = ["60", 60, 60]'), "policy.budget.0", "found '60'", "valid number"),
    Case("negative budget", policy("budget = [1.0, -1.0, 1.0]"), "policy.budget", "2027 is -1", "at least 0"),
    Case("budget missing", policy("budget = [1e6, 1e6]"), "policy.budget", "2 budgets for 3 years", "one budget"),
    Case("no money", policy("budget = [0, 0, 0]"), "policy.budget", "zero in every year", "above 0"),
    Case("years reversed", policy("years = [2028, 2027, 2026]"), "policy.years", "2028, 2027", "rising order"),
    Case("years with a gap", policy("years = [2026, 2028, 2029]"), "policy.years", "2026, 2028", "consecutive"),
    Case("rate in percent", policy("discount_rate = 8.0"), "policy.discount_rate", "8.0", "0.08"),
    Case("question", policy('question = "cheapest"'), "policy.question", "'cheapest'", "least_cost"),
    Case("no target", policy('question = "least_cost"'), "policy.floors", "no floor is given", "Add"),
    Case(
        "floor's group",
        policy('floors = [{group = "poor", service = "gigabit", year = 2026, share = 0.5}]'),
        "policy.floors.0", "'poor' is unknown", "rural",
    ),
    Case(
        "floor's year",
        policy('floors = [{group = "all", service = "gigabit", year = 2040, share = 0.5}]'),
        "policy.floors.0", "2040 is not planned", "2026",
    ),
    Case("profile", toml('"cn"', '"us"'), "region.toml, profile", "found 'us'", "'cn'"),
    Case("currency", toml('"CNY"', '"EUR"'), "region.toml, currency", "EUR", "CNY"),
    Case(
        "unknown parameter",
        toml(r"^\[policy\]", '[parameters."energy.tarif"]\nvalue = 1\nunit = "1"\n[policy]'),
        "parameters.energy.tarif", "unknown", "'energy.tariff'",
    ),
    Case(
        "wrong unit",
        toml(r"^\[policy\]", '[parameters."energy.tariff"]\nvalue = 1\nunit = "CNY"\n[policy]'),
        "parameters.energy.tariff", "'CNY'", "currency/kWh",
    ),
)  # fmt: skip


@pytest.mark.parametrize("verb", ["check", "plan"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_faulty_region_is_refused(case: Case, verb: str, region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case.plant(region)
    before = listing(region.parent)
    out = ("--out", region.parent / "deep" / "plan", "--effort", "0") if verb == "plan" else ()
    answer = call(capsys, verb, region, *out)
    assert answer.status == 2, answer
    told = [line for line in answer.err.splitlines() if line.startswith("xinji: ") and case.place in line]
    assert any(re.search(case.found, line) and re.search(case.remedy, line) for line in told), answer.err
    assert "Traceback" not in answer.err
    assert listing(region.parent) == before


def test_all_faults_are_told_at_once(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = {"negative people", "unknown kind", "hole in terrain", "years reversed"}
    chosen = [case for case in CASES if case.name in names]
    for case in chosen:
        case.plant(region)
    answer = call(capsys, "plan", region, "--out", region.parent / "plan")
    assert answer.status == 2
    assert all(re.search(f"{case.place}.*{case.found}", answer.err) for case in chosen), answer.err
