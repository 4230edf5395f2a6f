from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

from support.tiny import CRS, tiny_region
from xinji.core.grid import Grid
from xinji.errors import InputError
from xinji.io.check_gcj import gcj02
from xinji.io.measurements import Frame, MeasurementFile, read_measurements

GRID = Grid(CRS, 250_000.0, 3_490_000.0, 10.0, 1_000, 1_000)
FRAME = Frame(GRID, {"A": (700, 2600), "B": (2600,)})
ROWS = pd.DataFrame(
    {
        "x": [251_000.0, 252_000.0, 253_000.0],
        "y": [3_485_000.0, 3_486_000.0, 3_487_000.0],
        "rsrp": [-90.5, -101.0, -85.0],
        "site": ["A", "B", "A"],
        "band": [700, 2600, 2600],
    }
)
TO_DEGREES = pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)


def in_degrees(frame: pd.DataFrame) -> pd.DataFrame:
    lon, lat = TO_DEGREES.transform(frame["x"].to_numpy(), frame["y"].to_numpy())
    return frame.drop(columns=["x", "y"]).assign(lon=lon, lat=lat)


def written(folder: Path, frame: pd.DataFrame, suffix: str = ".csv") -> Path:
    path = folder / f"drive{suffix}"
    points = gpd.points_from_xy(frame["x"], frame["y"]) if "x" in frame else None
    if suffix == ".csv":
        frame.to_csv(path, index=False)
    elif suffix == ".xlsx":
        frame.to_excel(path, index=False)
    elif suffix == ".gpkg":
        gpd.GeoDataFrame(frame.drop(columns=["x", "y"]), geometry=points, crs=CRS).to_crs(4326).to_file(path)
    elif suffix == ".geo.parquet":
        gpd.GeoDataFrame(frame.drop(columns=["x", "y"]), geometry=points, crs=CRS).to_parquet(path)
    else:
        frame.to_parquet(path)
    return path


def faults(path: Path, frame: Frame = FRAME) -> str:
    with pytest.raises(InputError) as caught:
        read_measurements(path, frame)
    return str(caught.value)


def assert_as_given(found: MeasurementFile) -> None:
    assert found.warnings == ()
    assert found.rows == 3
    levels = found.measurements
    np.testing.assert_allclose(levels.x_m, ROWS["x"], atol=0.01)
    np.testing.assert_allclose(levels.y_m, ROWS["y"], atol=0.01)
    assert levels.rsrp_dbm.tolist() == ROWS["rsrp"].tolist()
    assert levels.site.tolist() == ROWS["site"].tolist()
    assert levels.band_mhz.tolist() == ROWS["band"].tolist()


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".gpkg", ".parquet", ".geo.parquet"])
def test_every_format_gives_the_same(tmp_path: Path, suffix: str) -> None:
    assert_as_given(read_measurements(written(tmp_path, ROWS, suffix), FRAME))


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
def test_degrees_are_placed_in_the_regions_crs(tmp_path: Path, suffix: str) -> None:
    assert_as_given(read_measurements(written(tmp_path, in_degrees(ROWS), suffix), FRAME))


@pytest.mark.parametrize(
    "names",
    [
        {"lon": "Longitude", "lat": "LATITUDE", "rsrp": "SS-RSRP (dBm)", "site": "Serving Site ID", "band": "Freq_MHz"},
        {"lon": "经度", "lat": "纬度", "rsrp": "RSRP(dBm)", "site": "服务基站", "band": "频段（MHz）"},
        {"lon": "lng", "lat": "Lat", "rsrp": "Level [dBm]", "site": "site_name", "band": "Band"},
    ],
)
def test_columns_go_by_other_names(tmp_path: Path, names: dict[str, str]) -> None:
    frame = in_degrees(ROWS).rename(columns=names).assign(PCI=[1, 2, 3], SINR=[3.0, 4.0, 5.0])
    assert_as_given(read_measurements(written(tmp_path, frame), FRAME))


def test_bands_may_be_nr_bands(tmp_path: Path) -> None:
    frame = ROWS.assign(band=["n28", "N41", "2600 MHz"])
    assert_as_given(read_measurements(written(tmp_path, frame), FRAME))


def test_sites_with_one_band_need_no_band_column(tmp_path: Path) -> None:
    only_b = ROWS.assign(site="B").drop(columns="band")
    assert read_measurements(written(tmp_path, only_b), FRAME).measurements.band_mhz.tolist() == [2600] * 3
    assert "these sites have several [MHz]: A (700, 2600)" in faults(written(tmp_path, ROWS.drop(columns="band")))


def test_numeric_site_names_stay_whole(tmp_path: Path) -> None:
    frame = Frame(GRID, {"1201": (2600,)})
    path = written(tmp_path, ROWS.assign(site=1201.0, band=2600), ".xlsx")
    assert read_measurements(path, frame).measurements.site.tolist() == ["1201"] * 3


def test_every_fault_is_listed_with_its_row(tmp_path: Path) -> None:
    text = (
        "x,y,rsrp,site,band\n251000,3485000,-20,A,700\noops,3485000,-90,A,700\n251000,,-90,,0\n251000,3485000,,A,n1\n"
    )
    path = tmp_path / "drive.csv"
    path.write_text(text, encoding="utf-8")
    found = faults(path)
    for expected in (
        "row 0: rsrp is -20, expected -156 to -31",
        "row 1: x is 'oops', which is no number",
        "row 2: y is missing",
        "row 2: the serving site is missing",
        "row 2: the band is '0'",
        "row 3: rsrp is missing",
        "row 3: the band is 'n1'",
    ):
        assert expected in found


def test_reported_values_are_told_from_levels(tmp_path: Path) -> None:
    assert "reported values 0 to 127" in faults(written(tmp_path, ROWS.assign(rsrp=[66, 56, 71])))
    assert "with its minus sign" in faults(written(tmp_path, ROWS.assign(rsrp=[90.5, 101.0, 85.0])))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"site": "PCI"}, "PCIs repeat across sites"),
        ({"site": "operator"}, "no column tells the serving site"),
        ({"rsrp": "rsrq"}, "no column tells the RSRP in dBm"),
        ({"x": "across"}, "no two columns tell the place"),
        ({"band": "RSRP (dBm)"}, "'rsrp' and 'RSRP (dBm)' both tell rsrp"),
    ],
)
def test_columns_that_lack_or_clash(tmp_path: Path, change: dict[str, str], message: str) -> None:
    assert message in faults(written(tmp_path, ROWS.rename(columns=change)))


def test_two_places_are_one_too_many(tmp_path: Path) -> None:
    both = in_degrees(ROWS).assign(x=ROWS["x"], y=ROWS["y"])
    assert "given twice, in degrees and in metres" in faults(written(tmp_path, both))


def test_swapped_degrees_lie_outside(tmp_path: Path) -> None:
    swapped = in_degrees(ROWS).rename(columns={"lon": "lat", "lat": "lon"})
    assert "lat is 120" in faults(written(tmp_path, swapped))


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    more = pd.concat([ROWS, ROWS.iloc[:1], ROWS.assign(site="Z"), ROWS.iloc[:1].assign(site="Y"), ROWS.assign(x=1.0)])
    more = pd.concat([more, ROWS.iloc[1:2].assign(band=700)])
    found = read_measurements(written(tmp_path, more), FRAME)
    assert len(found.measurements) == 3
    assert found.rows == len(more) == 12
    said = " | ".join(fault.message for fault in found.warnings)
    assert "2 serving sites are not known, with their rows: Z (3), Y (1)" in said
    assert "1 rows are on a band [MHz] that their site does not have: B 700" in said
    assert "3 of 12 rows lie outside the region's rasters" in said
    assert "1 rows repeat an earlier one" in said


def test_if_nothing_is_left_it_is_a_fault(tmp_path: Path) -> None:
    found = faults(written(tmp_path, ROWS.assign(site="Z")))
    assert "no row is left" in found
    assert "Z (3)" in found


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("drive.csv", b"", "holds no row"),
        ("drive.csv", b"x,y,rsrp,site\n", "holds no row"),
        ("drive.csv", "经度,纬度\n1,2\n".encode("gb18030"), "not UTF-8"),
        ("drive.csv", b"x;y;rsrp\n1;2;3\n", "not separated by commas"),
        ("drive.xlsx", b"no workbook", "cannot be read"),
        ("drive.gpkg", b"no database", "cannot be read"),
        ("drive.parquet", b"no columns", "cannot be read"),
        ("drive.kml", b"<kml/>", "the ending is '.kml'"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert message in faults(path)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".gpkg", ".parquet"])
def test_there_is_no_file(tmp_path: Path, suffix: str) -> None:
    assert "there is no file" in faults(tmp_path / f"absent{suffix}")


def test_two_filled_sheets_or_layers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "drive.xlsx"
    with pd.ExcelWriter(path) as writer:
        ROWS.to_excel(writer, sheet_name="one", index=False)
        ROWS.to_excel(writer, sheet_name="two", index=False)
    assert "2 sheets hold rows: one, two" in faults(path)
    path = written(tmp_path, ROWS, ".gpkg")
    gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(0, 0)], crs=4326).to_file(path, layer="more")
    assert "it holds the layers drive, more" in faults(path)


def test_rows_of_a_layer_need_points(tmp_path: Path) -> None:
    path = tmp_path / "drive.gpkg"
    shapes = [shapely.Point(251_000, 3_485_000), None, shapely.LineString([(0, 0), (1, 1)])]
    gpd.GeoDataFrame(ROWS[["rsrp", "site", "band"]], geometry=shapes, crs=CRS).to_file(path)
    found = faults(path)
    assert "row 1: the row has no point" in found
    assert "row 2: the row has no point" in found


def on_roads(shift: bool) -> tuple[pd.DataFrame, Frame]:  # noqa: FBT001
    region, _ = tiny_region(3, 16)
    random = np.random.default_rng(0)
    edges = random.integers(0, len(region.roads), 900)
    points = shapely.line_interpolate_point(region.roads.shape[edges], random.random(900), normalized=True)
    lon, lat = TO_DEGREES.transform(
        shapely.get_x(points) + random.normal(0, 3, 900), shapely.get_y(points) + random.normal(0, 3, 900)
    )
    if shift:
        lon, lat = gcj02(lon, lat)
    frame = pd.DataFrame({"lon": lon, "lat": lat, "rsrp": -90.0, "site": "B", "band": 2600})
    wide = Grid(CRS, 240_000.0, 3_500_000.0, 10.0, 3_000, 3_000)
    return frame, Frame(wide, FRAME.bands, region.roads.shape)


def test_a_gcj02_shift_is_shown_by_the_roads_and_taken_off_on_request(tmp_path: Path) -> None:
    plain, frame = on_roads(shift=False)
    shifted, _ = on_roads(shift=True)
    sound = read_measurements(written(tmp_path, plain), frame)
    assert sound.warnings == ()
    path = written(tmp_path, shifted)
    suspected = read_measurements(path, frame)
    assert "a GCJ-02 shift against the roads is suspected" in suspected.warnings[0].message
    assert "--gcj02" in suspected.warnings[0].remedy
    assert (
        np.hypot(*(getattr(suspected.measurements, k) - getattr(sound.measurements, k) for k in ("x_m", "y_m"))).min()
        > 300
    )
    mended = read_measurements(path, frame, gcj02=True)
    assert mended.warnings == ()
    np.testing.assert_allclose(mended.measurements.x_m, sound.measurements.x_m, atol=0.01)
    np.testing.assert_allclose(mended.measurements.y_m, sound.measurements.y_m, atol=0.01)
