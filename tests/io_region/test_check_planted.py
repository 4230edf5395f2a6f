"""Every kind of fault is planted into a sound region, and must be named with its layer and row."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely
from rasterio.transform import Affine

from support.tiny import SOUTH_M, WEST_M, write_tiny
from xinji.errors import Fault, RegionError
from xinji.io.check import CheckReport, check
from xinji.io.region import read

Mend = Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame | None]
Plant = Callable[[Path], None]


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("regions") / "tiny"
    write_tiny(folder, seed=1)
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "tiny"))


@dataclass(frozen=True)
class Case:
    name: str
    plant: Plant
    layer: str
    message: str
    row: int | None = None
    warning: bool = False


def edit(layer: str, change: Mend) -> Plant:
    def plant(folder: Path) -> None:
        path = folder / f"{layer}.parquet"
        frame = gpd.read_parquet(path)
        changed = change(frame)
        (frame if changed is None else changed).to_parquet(path)

    return plant


def put(layer: str, row: int, column: str, value: object) -> Plant:
    def change(frame: gpd.GeoDataFrame) -> None:
        frame[column] = [value if n == row else old for n, old in enumerate(frame[column])]

    return edit(layer, change)


def place(layer: str, row: int, shape: object) -> Plant:
    def change(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        shapes = [shape if n == row else old for n, old in enumerate(frame.geometry)]
        return frame.set_geometry(gpd.GeoSeries(shapes, crs=frame.crs))

    return edit(layer, change)


def drop(name: str) -> Plant:
    return lambda folder: (folder / name).unlink()


def cut(name: str, share: float = 0.5) -> Plant:
    def plant(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(len(data) * share)])

    return plant


def toml(old: str, new: str) -> Plant:
    def plant(folder: Path) -> None:
        path = folder / "region.toml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return plant


def raster(layer: str, change: Callable[[np.ndarray, dict[str, Any]], np.ndarray]) -> Plant:
    def plant(folder: Path) -> None:
        path = folder / f"{layer}.tif"
        with rasterio.open(path) as source:
            profile, values = dict(source.profile), source.read(1)
        values = change(values, profile)
        with rasterio.open(path, "w", **profile) as target:
            for band in range(profile["count"]):
                target.write(values, band + 1)

    return plant


def paint(layer: str, value: float, nodata: float | None = None) -> Plant:
    def change(values: np.ndarray, profile: dict[str, Any]) -> np.ndarray:
        values[3, 4] = value
        profile["nodata"] = nodata
        return values

    return raster(layer, change)


def reframe(layer: str, **settings: object) -> Plant:
    def change(values: np.ndarray, profile: dict[str, Any]) -> np.ndarray:
        profile.update(settings)
        return values.astype(profile["dtype"])

    return raster(layer, change)


def unplace(layer: str) -> Plant:
    def plant(folder: Path) -> None:
        path = folder / f"{layer}.parquet"
        table = pq.read_table(path)
        meta = json.loads(table.schema.metadata[b"geo"])
        meta["columns"]["geometry"]["crs"] = None
        pq.write_table(table.replace_schema_metadata({b"geo": json.dumps(meta).encode()}), path)

    return plant


def scribble(folder: Path) -> None:
    (folder / "clutter.tif").write_text("no raster", encoding="utf-8")


def ungeo(folder: Path) -> None:
    table = pq.read_table(folder / "cells.parquet")
    pq.write_table(table.replace_schema_metadata({}), folder / "cells.parquet")


def swap_rows(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    swapped = shapely.transform(frame.geometry.to_numpy(), lambda xy: xy[:, ::-1])
    return frame.set_geometry(gpd.GeoSeries(list(swapped), crs=frame.crs))


def split_roads(share: float) -> Mend:
    def change(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        middle = np.quantile(shapely.get_x(shapely.centroid(frame.geometry.to_numpy())), share)
        x = shapely.get_coordinates(shapely.get_point(frame.geometry.to_numpy(), 0))[:, 0]
        end = shapely.get_coordinates(shapely.get_point(frame.geometry.to_numpy(), -1))[:, 0]
        return frame[(x < middle) == (end < middle)]

    return change


def twice(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return frame.set_geometry([*frame.geometry[:5], frame.geometry[4]], crs=frame.crs)


BOWTIE = shapely.Polygon([(WEST_M, SOUTH_M), (WEST_M + 9, SOUTH_M + 9), (WEST_M + 9, SOUTH_M), (WEST_M, SOUTH_M + 9)])
FAR = shapely.Point(WEST_M + 20_000.0, SOUTH_M)
FLAT = Affine(25.0, 0.0, WEST_M - 500.0, 0.0, 25.0, SOUTH_M - 500.0)
TILTED = Affine(25.0, 3.0, WEST_M - 500.0, 3.0, -25.0, SOUTH_M + 2000.0)
OBLONG = Affine(25.0, 0.0, WEST_M - 500.0, 0.0, -30.0, SOUTH_M + 2000.0)
EAST = Affine(25.0, 0.0, WEST_M + 700.0, 0.0, -25.0, SOUTH_M + 2000.0)

FILES = (
    Case("no cells", drop("cells.parquet"), "cells", "cells.parquet is missing"),
    Case("no terrain", drop("terrain.tif"), "terrain", "terrain.tif is missing"),
    Case(
        "named no_build gone",
        toml("[policy]", '[layers]\nwater = "lakes.parquet"\n[policy]'),
        "water",
        "lakes.*missing",
    ),
    Case("cells cut short", cut("cells.parquet"), "cells", "cannot be read as GeoParquet"),
    Case("cells empty file", cut("cells.parquet", 0.0), "cells", "cannot be read as GeoParquet"),
    Case("terrain cut short", cut("terrain.tif"), "terrain", "cannot be read as GeoTIFF"),
    Case(
        "clutter is text",
        scribble,
        "clutter",
        "cannot be read as GeoTIFF",
    ),
    Case("plain parquet", ungeo, "cells", "cannot be read as GeoParquet"),
    Case("no CRS", unplace("roads"), "roads", "names no CRS"),
    Case("geographic CRS", edit("cells", lambda f: f.to_crs(4326)), "cells", r"EPSG:4326, geographic \(degrees\)"),
    Case("other CRS", edit("roads", lambda f: f.to_crs(32650)), "roads", "EPSG:32650.*the region's is EPSG:32651"),
    Case("no column", edit("cells", lambda f: f.drop(columns="workers")), "cells", "'workers' is missing"),
    Case(
        "text for number",
        edit("cells", lambda f: f.assign(residents="many")),
        "cells",
        "'residents' holds .*expected number",
    ),
    Case(
        "number for text",
        edit("facilities", lambda f: f.assign(id=range(len(f)))),
        "facilities",
        "'id' holds .*expected text",
    ),
    Case("float node", edit("roads", lambda f: f.assign(to_node=f.to_node + 0.5)), "roads", "'to_node'.*whole number"),
    Case("unused column", edit("cells", lambda f: f.assign(fid=1)), "cells", "nothing reads: fid", warning=True),
    Case("empty layer", edit("cells", lambda f: f.iloc[:0]), "cells", "the layer is empty"),
    Case("no facilities", edit("facilities", lambda f: f.iloc[:0]), "facilities", "the layer is empty"),
    Case("renamed geometry", edit("cells", lambda f: f.rename_geometry("geom")), "cells", "column is called 'geom'"),
)
ROWS = (
    Case("negative people", put("cells", 4, "residents", -5.0), "cells", "residents is -5 people", 4),
    Case("NaN people", put("cells", 5, "workers", np.nan), "cells", "workers is missing", 5),
    Case("infinite people", put("cells", 6, "workers", np.inf), "cells", "workers is inf", 6),
    Case("dense", put("cells", 7, "residents", 1e6), "cells", "16,000,000 residents/km2", 7),
    Case(
        "too much industry", put("cells", 8, "industrial_area_m2", 99_999.0), "cells", "99,999, the cell has 62,500", 8
    ),
    Case("nobody", edit("cells", lambda f: f.assign(residents=0.0, workers=0.0)), "cells", "nobody lives or works"),
    Case("duplicate cell", put("cells", 9, "id", "c000_003"), "cells", "'c000_003' is already that of row 3", 9),
    Case("no id", put("cells", 9, "id", None), "cells", "the id is missing", 9),
    Case("land use", put("cells", 1, "land_use", "industry"), "cells", "land_use is 'industry'", 1),
    Case("no land use", put("cells", 1, "land_use", None), "cells", "land_use is missing", 1),
    Case("group", put("cells", 2, "group", "city"), "cells", "group is 'city'", 2),
    Case("road class", put("roads", 3, "road_class", "alley"), "roads", "road_class is 'alley'", 3),
    Case("facility kind", put("facilities", 2, "kind", "tower"), "facilities", "kind is 'tower'", 2),
    Case("duplicate site", put("facilities", 3, "id", "f002"), "facilities", "'f002' is already that of row 2", 3),
    Case("tall site", put("facilities", 3, "height_m", 3500.0), "facilities", "3500 m, expected at most 400", 3),
    Case("no height", put("facilities", 3, "height_m", np.nan), "facilities", "height_m is missing", 3),
    Case("low site", put("facilities", 3, "height_m", 0.0), "facilities", "height 0 m", 3, warning=True),
    Case("band words", put("facilities", 3, "bands", "n78"), "facilities", "bands hold n78", 3),
    Case("other band", put("facilities", 3, "bands", "900"), "facilities", "900 MHz are not planned", 3, warning=True),
    Case("no source", put("facilities", 3, "source", None), "facilities", "source is missing", 3),
    Case("no pop", put("facilities", 0, "kind", "server_room"), "facilities", "no facility of kind fibre_pop"),
    Case("no room", put("facilities", 1, "kind", "fibre_pop"), "facilities", "of kind server_room", warning=True),
    Case("no length", put("roads", 2, "length_m", 0.0), "roads", "length_m is 0", 2),
    Case("length in mm", put("roads", 2, "length_m", 4e5), "roads", "length_m is 400,000, the line", 2, warning=True),
    Case("length in km", put("roads", 2, "length_m", 0.4), "roads", "shorter than", 2),
)
PLACES = (
    Case("no geometry", place("cells", 3, None), "cells", "the geometry is missing", 3),
    Case("empty geometry", place("cells", 3, shapely.Polygon()), "cells", "the geometry is empty", 3),
    Case("bow tie", place("cells", 3, BOWTIE), "cells", "invalid .*Self-intersection", 3),
    Case("point cell", place("cells", 3, FAR), "cells", "a Point, expected Polygon", 3),
    Case("polygon site", place("facilities", 3, BOWTIE), "facilities", "a Polygon, expected Point", 3),
    Case("infinite site", place("facilities", 3, shapely.Point(np.inf, 1.0)), "facilities", "not finite", 3),
    Case("site outside", place("facilities", 3, FAR), "facilities", r"18\.5 km outside the boundary", 3),
    Case("swapped site", place("facilities", 3, shapely.Point(SOUTH_M + 9, WEST_M + 9)), "facilities", "swapped", 3),
    Case("swapped layer", edit("facilities", swap_rows), "facilities", "x and y look swapped: 6 of 6"),
    Case(
        "site in zone",
        place("facilities", 3, shapely.Point(WEST_M + 9, SOUTH_M + 9)),
        "facilities",
        "no-build",
        3,
        warning=True,
    ),
    Case(
        "site in water",
        place("facilities", 3, shapely.Point(WEST_M + 19, SOUTH_M + 19)),
        "facilities",
        "stands in water",
        3,
        warning=True,
    ),
    Case("site twice", edit("facilities", twice), "facilities", "very same place", 5, warning=True),
    Case("cell outside", place("cells", 3, shapely.box(0, 0, 250, 250)), "cells", "outside the boundary", 3),
    Case(
        "overlap",
        place("cells", 3, shapely.box(WEST_M, SOUTH_M, WEST_M + 250, SOUTH_M + 250)),
        "cells",
        "overlap by 0.06",
    ),
    Case("roads elsewhere", edit("roads", lambda f: f.set_geometry(f.translate(9e4, 0))), "roads", "no road lies in"),
    Case("stray end", put("roads", 0, "to_node", 2), "roads", "m from its node", 0),
    Case("islands", edit("roads", split_roads(0.5)), "roads", "in 2 pieces; .* expected at least 80%"),
    Case("islet", edit("roads", split_roads(0.1)), "roads", r"in 2 pieces; the largest holds 8\d", warning=True),
    Case("two boundaries", edit("boundary", lambda f: f.iloc[[0, 0]]), "boundary", "2 rows, expected 1"),
    Case("bad zone", place("no_build", 0, BOWTIE), "no_build", "invalid", 0),
)
RASTERS = (
    Case("hole", paint("terrain", np.nan), "terrain", "1 of 10000 pixels have no value"),
    Case("declared hole", paint("terrain", -9999.0, -9999.0), "terrain", "1 of 10000 pixels have no value"),
    Case("undeclared hole", paint("terrain", -9999.0), "terrain", "expected -500 to 9000 m"),
    Case("clutter code", paint("clutter", 99), "clutter", r"unknown codes \(99\)"),
    Case("south first", reframe("terrain", transform=FLAT), "terrain", "from south to north"),
    Case("rotated", reframe("terrain", transform=TILTED), "terrain", "rotated"),
    Case("oblong", reframe("clutter", transform=OBLONG), "clutter", "pixels are 25 x 30 m"),
    Case("too small", reframe("terrain", transform=EAST), "terrain", r"\d+ of 36 cells lie beyond"),
    Case("raster CRS", reframe("clutter", crs="EPSG:32650"), "clutter", "CRS is EPSG:32650"),
    Case("no raster CRS", reframe("terrain", crs=None), "terrain", "names no CRS"),
    Case("float clutter", reframe("clutter", dtype="float32", predictor=3), "clutter", "float32, expected uint8"),
    Case("two bands", reframe("terrain", count=2), "terrain", "2 bands, expected 1"),
)
SETTINGS = (
    Case("year without budget", toml("3800000.0, 3800000.0]", "3800000.0]"), "policy.budget", "2 budgets for 3 years"),
    Case("zero budget", toml("[3800000.0, 3800000.0, 3800000.0]", "[0, 0, 0]"), "policy.budget", "zero in every year"),
    Case("poor year", toml("[3800000.0,", "[0,"), "policy.budget", "2026 has no budget", warning=True),
    Case(
        "floor year",
        toml("floors = []", 'floors = [{group="rural", service="gigabit", year=2040, share=0.5}]'),
        "policy.floors.0",
        "year 2040 is not planned",
    ),
    Case(
        "unknown parameter",
        toml("[policy]", '[parameters."finance.discount"]\nvalue = 1\nunit = "1"\n[policy]'),
        "parameters.finance.discount",
        "unknown",
    ),
    Case("geographic region", toml('"EPSG:32651"', '"EPSG:4326"'), "crs", "not projected"),
)


def hits(case: Case, faults: tuple[Fault, ...]) -> list[Fault]:
    return [
        fault
        for fault in faults
        if fault.layer.endswith(case.layer) and re.search(case.message, fault.message) and fault.row in (case.row, None)
    ]


@pytest.mark.parametrize("case", [*FILES, *ROWS, *PLACES, *RASTERS, *SETTINGS], ids=lambda case: case.name)
def test_a_planted_fault_is_named(folder: Path, case: Case) -> None:
    case.plant(folder)
    report = check(folder)
    found = hits(case, report.warnings if case.warning else report.faults)
    assert found, "\n".join(map(str, (*report.faults, *report.warnings)))
    assert case.row is None or found[0].row == case.row
    assert all(len(fault.remedy) > 8 for fault in found)
    assert not case.warning or report.faults == ()


def test_faults_planted_together_are_all_named(folder: Path) -> None:
    """One row each, so that no fault hides another."""
    chosen = [case for case in ROWS if case.name in TOGETHER] + [case for case in PLACES if case.name in TOGETHER]
    chosen += [case for case in (*SETTINGS, *RASTERS) if case.name in TOGETHER]
    for case in chosen:
        case.plant(folder)
    report = check(folder)
    assert len(chosen) == len(TOGETHER)
    assert [case.name for case in chosen if not hits(case, report.faults)] == []
    assert len(report.faults) == len(chosen)
    with pytest.raises(RegionError) as refused:
        read(folder)
    assert refused.value.faults == report.faults


TOGETHER = {
    "negative people",
    "NaN people",
    "infinite people",
    "dense",
    "too much industry",
    "duplicate cell",
    "land use",
    "group",
    "bow tie",
    "road class",
    "facility kind",
    "site outside",
    "hole",
    "clutter code",
    "year without budget",
}


def test_rows_of_a_layer_without_crs_are_checked_too(folder: Path) -> None:
    put("cells", 4, "residents", -5.0)(folder)
    unplace("cells")(folder)
    messages = [fault.message for fault in check(folder).faults]
    assert messages == ["cells.parquet names no CRS", "residents is -5 people"]


def test_layers_are_checked_although_region_toml_is_refused(folder: Path) -> None:
    put("cells", 4, "residents", -5.0)(folder)
    toml('"EPSG:32651"', '"EPSG:4326"')(folder)
    assert [fault.layer for fault in check(folder).faults] == ["region.toml, crs", "cells"]


def test_an_empty_folder_lacks_everything(tmp_path: Path) -> None:
    assert [fault.layer for fault in check(tmp_path).faults] == [
        "region.toml",
        "cells",
        "roads",
        "facilities",
        "boundary",
        "terrain",
        "clutter",
    ]


def test_many_rows_with_one_fault_are_counted(folder: Path) -> None:
    frame = gpd.read_parquet(folder / "cells.parquet")
    many = gpd.GeoDataFrame(frame.loc[np.repeat(0, 60)].reset_index(drop=True))
    many["id"] = [f"c{n}" for n in range(60)]
    many["residents"] = -1.0
    many.to_parquet(folder / "cells.parquet")
    messages = [fault for fault in check(folder).faults if "residents" in fault.message or "further" in fault.message]
    assert len(messages) == 51
    assert "10 further rows" in messages[-1].message


def test_a_sound_region_has_no_fault_and_a_summary(sound: Path) -> None:
    report: CheckReport = check(sound)
    assert report.faults == ()
    quality = {line.name: line.value for line in report.quality}
    assert quality["cells"] == 36
    assert quality["area of the cells"] == pytest.approx(36 * 0.0625)
    assert quality["road graph: pieces"] == 1
    assert quality["facilities: radio_site"] == 4
    assert quality["facilities assumed, not surveyed"] == pytest.approx(100 * 4 / 6)
    assert quality["cells on the terrain"] == 100
    assert quality["parameters"] > 100
