"""Terrain and clutter that are wrong: refused with status 2, the place and the remedy, or read as they say."""

from __future__ import annotations

import re
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from cli.command_line import call, listing
from io_import.town_sources import SOUTH, WEST, write_sources
from support.tiny import write_tiny
from xinji.core.arrays import Floats
from xinji.core.grid import Grid, Raster
from xinji.io.check import check
from xinji.io.dem_faults import range_faults, settled_faults, slope_faults, where, zero_faults
from xinji.io.importing import import_region
from xinji.io.region import built_in, read

Change = Callable[[Floats], Floats]


def keep(values: Floats) -> Floats:
    return values


def hills(values: Floats) -> Floats:
    """Put hills of 40 to 160 m on a grid of ``values``."""
    y, x = np.mgrid[: values.shape[0], : values.shape[1]]
    return np.asarray(100.0 + 30.0 * np.sin(x / 6.0) + 30.0 * np.cos(y / 7.0))


def spot(value: float) -> Change:
    def change(values: Floats) -> Floats:
        values = hills(values)
        values[30:33, 50:55] = value
        return values

    return change


def times(factor: float) -> Change:
    return lambda values: hills(values) * factor


@dataclass(frozen=True)
class Case:
    """What is changed in a raster (values, profile, tags of band 1), and what must be told."""

    name: str
    told: str
    change: Change = hills
    profile: dict[str, Any] = field(default_factory=dict)
    unit: str = ""
    scale: tuple[float, float] = (1.0, 0.0)


def spoil(path: Path, case: Case) -> None:
    with rasterio.open(path) as source:
        profile, values = dict(source.profile), source.read(1).astype(np.float64)
    profile.update({"nodata": None, "compress": None, "predictor": 1, **case.profile})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        write(path, profile, values, case)


def write(path: Path, profile: dict[str, Any], values: Floats, case: Case) -> None:
    with rasterio.open(path, "w", **profile) as target:
        for band in range(profile["count"]):
            target.write(case.change(values).astype(profile["dtype"]), band + 1)
        if case.unit:
            target.units = (case.unit,) * profile["count"]
        target.scales, target.offsets = (case.scale[0],) * profile["count"], (case.scale[1],) * profile["count"]


def two_values(values: Floats) -> Floats:
    values = spot(-9999)(values)
    values[40, 60] = 32767
    return values


FAR = "expected -500 to 9000 m; that is probably a no-data value"
CORNER = rasterio.Affine(25.0, 0.0, WEST - 500, 0.0, 25.0, SOUTH - 500)
TILTED = rasterio.Affine(25.0, 2.0, WEST - 700, 2.0, -25.0, SOUTH + 1_500)
IMPORTS = (
    Case("undeclared -32768", f"hold -32768 in 15 pixels, {FAR}", spot(-32768), {"dtype": "int16"}),
    Case("undeclared -9999", f"hold -9999 in 15 pixels, {FAR}", spot(-9999)),
    Case("two undeclared values", "hold -9999 in 15 pixels and 32767 in 1 pixels", two_values),
    Case("zero holes", r"15 pixels hold exactly 0 and lie \d+ m below .*Declare it with nodata = 0", spot(0)),
    Case("centimetres", r"lie between \S+ and \S+ m, .*probably decimetres, centimetres or feet", times(100.0)),
    Case("decimetres", "half of the neighbouring heights differ by .*centimetres, decimetres or feet", times(10.0)),
    Case("band in feet", "the band's unit is 'ft', expected metres.*`unit` of an import", unit="ft"),
    Case("vertical CRS in feet", "unit is 'foot', expected metres", profile={"crs": "EPSG:32650+8228"}),
    Case("two bands", "dem.tif has 2 bands, expected 1. Say which with `band`", profile={"count": 2}),
    Case("no CRS", 'names no CRS. Add crs = "EPSG', profile={"crs": None}),
    Case("local CRS", "no known place on the ground", profile={"crs": 'LOCAL_CS["site grid",UNIT["metre",1]]'}),
    Case("no frame", "no affine frame", profile={"transform": rasterio.Affine.identity()}),
    Case(
        "degrees called metres", "edges fit degrees", profile={"transform": rasterio.Affine(3e-4, 0, 117, 0, -3e-4, 31)}
    ),
    Case("metres called degrees", "look projected", profile={"crs": "EPSG:4326"}),
    Case("complex numbers", "the values are complex64", profile={"dtype": "complex64"}),
    Case("not the region", "does not touch", profile={"transform": rasterio.Affine(25, 0, 9e5, 0, -25, 4e6)}),
)


def swap(folder: Path, old: str, new: str) -> None:
    path = folder / "region.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def imported(folder: Path) -> tuple[Raster, tuple[str, ...]]:
    """Return the terrain that an import of ``folder`` makes, and its notes."""
    summary = import_region(folder, folder / "out", overwrite=True)
    return read(folder / "out")[0].terrain, summary.notes


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources") / "town"
    folder.mkdir()
    write_sources(folder)
    return folder


@pytest.fixture
def town(sources: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sources, tmp_path / "town"))


@pytest.mark.parametrize("case", IMPORTS, ids=lambda case: case.name)
def test_an_import_refuses_a_wrong_dem(town: Path, case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(town / "dem.tif", case)
    before = listing(town)
    answer = call(capsys, "import", town, "--out", town / "out")
    assert answer.status == 2
    lines = [line for line in answer.err.splitlines() if line.startswith("xinji: ")]
    assert len(lines) == 1, answer.err
    assert lines[0].startswith("xinji: import.terrain.raster: ")
    assert re.search(case.told, lines[0]), lines[0]
    assert re.search(r"[.] \S.{7,}[.?]$", lines[0])
    assert "Traceback" not in answer.err
    assert listing(town) == before


def test_an_import_says_where_the_holes_are(town: Path, capsys: pytest.CaptureFixture[str]) -> None:
    swap(town, "fill_nodata_m = 3.0\n", "")
    answer = call(capsys, "import", town, "--out", town / "out")
    assert answer.status == 2
    told = (
        r"import\.terrain: 0\.\d% of the terrain's pixels have no height \(4\), in rows \d+ to \d+, columns \d+ to \d+"
    )
    assert re.search(told + r" \(x 500500 to 500600, y 3400400 to 3400500\)\. .*fill_nodata_m", answer.err)


@pytest.fixture
def plain(town: Path) -> Raster:
    spoil(town / "dem.tif", Case("plain", ""))
    return imported(town)[0]


@pytest.mark.parametrize(
    ("case", "mapping", "note"),
    [
        (Case("south first", "", lambda v: hills(v)[::-1], {"transform": CORNER}), "", "rows run from south to north"),
        (Case("scaled", "", times(10.0), {"dtype": "float32"}, scale=(0.1, 0.0)), "", "scale 0.1 and offset 0 are"),
        (Case("offset", "", lambda v: hills(v) + 50.0, scale=(1.0, -50.0)), "", "offset -50 are applied"),
        (Case("feet", "", times(1.0 / 0.3048), unit="ft"), ', unit = "ft"', "in ft are converted"),
        (Case("survey feet", "", times(3937.0 / 1200.0)), ', unit = "us_ft"', "in us_ft are converted"),
        (Case("centimetres", "", times(100.0)), ', unit = "cm"', "in cm are converted"),
        (Case("metres", "", unit="metre"), "", ""),
        (Case("second band", "", profile={"count": 2}), ", band = 2", ""),
    ],
    ids=lambda part: part.name if isinstance(part, Case) else "",
)
def test_what_is_unambiguous_is_read_right(town: Path, plain: Raster, case: Case, mapping: str, note: str) -> None:
    shutil.copy(town.parent / "town" / "dem.tif", town / "plain.tif")
    with rasterio.open(town / "dem.tif") as source:
        profile = dict(source.profile)
    with rasterio.open(town / "dem.tif", "w", **profile) as target:
        target.write(np.zeros((profile["height"], profile["width"]), np.float32), 1)
    spoil(town / "dem.tif", case)
    swap(town, 'file = "dem.tif"', f'file = "dem.tif"{mapping}')
    terrain, notes = imported(town)
    np.testing.assert_allclose(terrain.values, plain.values, atol=0.11)
    assert not note or any(note in said for said in notes), notes


def test_a_rotated_dem_is_warped_by_its_frame(town: Path) -> None:
    def slope(values: Floats) -> Floats:
        rows, columns = np.mgrid[: values.shape[0], : values.shape[1]] + 0.5
        y_m = TILTED.f + TILTED.d * columns + TILTED.e * rows
        return np.asarray(50.0 + 0.05 * (y_m - SOUTH))

    spoil(town / "dem.tif", Case("rotated", "", slope, {"transform": TILTED}))
    swap(town, "fill_nodata_m = 3.0", 'fill_nodata_m = "nearest"')
    terrain, notes = imported(town)
    grid = terrain.grid
    y_m = grid.north_m - (np.arange(grid.rows) + 0.5) * grid.cell_m
    np.testing.assert_allclose(terrain.values[:, 10:40].mean(axis=1), 50.0 + 0.05 * (y_m - SOUTH), atol=0.06)
    assert any("rotated; it is warped" in said for said in notes)


@pytest.mark.parametrize(
    ("mapping", "unit", "told"),
    [
        ('unit = "ft"', "m", "in 'm', the mapping says 'ft'"),
        ('unit = "yard"', "", "found 'yard'"),
        ("band = 4", "", "has 1 bands, band 4 is asked for"),
        ("band = 0", "", "found 0"),
    ],
)
def test_a_mapping_that_contradicts_the_dem_is_refused(
    town: Path, mapping: str, unit: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(town / "dem.tif", Case("", "", unit=unit))
    swap(town, 'file = "dem.tif"', f'file = "dem.tif", {mapping}')
    answer = call(capsys, "import", town, "--out", town / "out")
    assert answer.status == 2
    assert told in answer.err


def test_true_zeros_can_be_stated(town: Path) -> None:
    spoil(town / "dem.tif", Case("", "", spot(0)))
    swap(town, 'file = "dem.tif"', 'file = "dem.tif", nodata = -32768')
    terrain, _ = imported(town)
    assert terrain.values.min() < 20.0
    assert not check(town / "out").faults


def test_coarse_and_clipped_sources_are_noted(town: Path) -> None:
    frame = rasterio.Affine(200.0, 0.0, WEST - 500, 0.0, -200.0, SOUTH + 1_500)
    path = town / "dem.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=10, width=15, count=1, dtype="uint8", crs="EPSG:32650", transform=frame
    ) as target:
        target.write(np.full((10, 15), 255, np.uint8), 1)
    _, notes = imported(town)
    assert any("the source's pixels are 200 m wide, ours 50 m" in said for said in notes)
    assert any("150 pixels hold 255, the most that uint8 can" in said for said in notes)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("regions") / "tiny"
    write_tiny(folder, seed=1)
    return folder


CHECKS = (
    Case("hole", r"15 of 10000 pixels have no value, in rows 30 to 32, columns 50 to 54 \(x", spot(np.nan)),
    Case("declared hole", "15 of 10000 pixels have no value", spot(-9999.0), {"nodata": -9999.0}),
    Case("undeclared -32768", "hold -32768 in 15 pixels", spot(-32768)),
    Case("centimetres", "probably decimetres, centimetres or feet", times(100.0)),
    Case("decimetres", "half of the neighbouring heights differ by", times(20.0)),
    Case("feet", "the band's unit is 'US survey foot', expected metres", unit="US survey foot"),
    Case("scale", "a scale of 0.1 and an offset of 0, expected plain metres", scale=(0.1, 0.0)),
    Case("no frame", "has no georeference", profile={"transform": rasterio.Affine.identity()}),
    Case("degrees", "the CRS is EPSG:4326", profile={"crs": "EPSG:4326"}),
    Case("high towns", "half of the inhabited cells lie above 60", lambda v: hills(v) + 5_940.0),
)


@pytest.mark.parametrize("case", CHECKS, ids=lambda case: case.name)
def test_a_check_refuses_wrong_terrain(
    sound: Path, tmp_path: Path, case: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(sound, tmp_path / "tiny"))
    spoil(folder / "terrain.tif", case)
    answer = call(capsys, "check", folder)
    assert answer.status == 2
    lines = [line for line in (answer.out + answer.err).splitlines() if re.search(case.told, line)]
    assert len(lines) == 1, answer.out + answer.err
    assert "terrain: " in lines[0]
    assert re.search(r"[.] \S.{7,}[.?]$", lines[0])
    faults = [fault for fault in check(folder).faults if fault.layer == "terrain"]
    assert len(faults) == 1, faults


def test_doubts_are_warnings(sound: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(sound, tmp_path / "tiny"))
    spoil(folder / "terrain.tif", Case("", "", spot(0.0)))
    report = check(folder)
    assert not report.faults
    assert any("15 pixels hold exactly 0" in str(fault) for fault in report.warnings)
    assert not any(fault.layer == "terrain" for fault in check(sound).warnings)


def test_coarse_terrain_is_a_warning(sound: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(sound, tmp_path / "tiny"))
    with rasterio.open(folder / "terrain.tif") as source:
        frame, profile = source.transform, dict(source.profile)
    wide = rasterio.Affine(250.0, 0.0, frame.c, 0.0, -250.0, frame.f)
    profile.update(transform=wide, height=10, width=10)
    with rasterio.open(folder / "terrain.tif", "w", **profile) as target:
        target.write(np.full((10, 10), 20.0, np.float32), 1)
    assert any("the pixels are 250 m wide" in str(fault) for fault in check(folder).warnings)


def test_true_landscapes_pass() -> None:
    y, x = np.mgrid[:80, :80] * 30.0
    coast = np.maximum(0.0, 0.02 * x - 10.0)
    alps = 2_500.0 + 1_500.0 * np.sin(x / 900.0) * np.cos(y / 900.0)
    dead_sea = np.full((80, 80), -430.0)
    for land in (coast, alps, dead_sea, alps + 4_500.0, np.zeros((80, 80))):
        assert not list(range_faults("t", land))
        assert not list(slope_faults("t", land, 30.0))
        assert not list(zero_faults("t", land, "."))
    grid = Grid("EPSG:32650", 0.0, 2_400.0, 30.0, 80, 80)
    valley = np.hypot(x - 1_400.0, y) < 200.0
    towns = (x[valley] + 15.0, 2_385.0 - y[valley], np.full(int(valley.sum()), 5_000.0))
    assert not list(settled_faults(Raster(grid, alps + 1_000.0), *towns))
    assert any("lie above" in str(fault) for fault in settled_faults(Raster(grid, alps * 3.28), *towns))
    assert any(
        "slopes" in str(fault) for fault in settled_faults(Raster(grid, alps), x.ravel(), y.ravel(), np.ones(x.size))
    )
    assert list(slope_faults("t", alps * 3.28, 30.0))


def test_where_names_rows_columns_and_coordinates() -> None:
    pixels = np.zeros((4, 5), dtype=bool)
    pixels[1, 2] = pixels[2, 4] = True
    grid = Grid("EPSG:32650", 1_000.0, 2_000.0, 10.0, 4, 5)
    assert where(pixels, grid) == "rows 1 to 2, columns 2 to 4 (x 1020 to 1050, y 1970 to 1990)"


def test_the_built_in_region_in_centimetres_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(built_in()["xinwu"], tmp_path / "xinwu"))
    assert not check(folder).faults
    spoil(folder / "terrain.tif", Case("", "", lambda values: values * 100.0))
    (fault,) = check(folder).faults
    assert "half of the densely settled cells lie on slopes of" in fault.message
