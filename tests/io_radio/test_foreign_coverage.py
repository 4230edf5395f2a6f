"""Coverage of other tools: placed, moved to the sector's power, or refused with every reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import rasterio

from xinji.core.grid import Grid
from xinji.core.radio import LevelMap, Sectors
from xinji.errors import InputError
from xinji.io.foreign_coverage import read_coverage

CRS = "EPSG:32650"
WEST, NORTH = 500_000.0, 3_400_000.0
GRID = Grid(CRS, WEST, NORTH, 50.0, 40, 60)
FRAME = rasterio.Affine(50.0, 0.0, WEST, 0.0, -50.0, NORTH)


def sectors() -> Sectors:
    return Sectors(
        id=np.array(["a1", "a2", "b1"]),
        site=np.array(["A", "A", "B"]),
        x_m=np.full(3, WEST + 1e3),
        y_m=np.full(3, NORTH - 1e3),
        height_m=np.array([30.0, 30.0, 25.0]),
        band_mhz=np.array([700, 700, 3500]),
        eirp_dbm=np.array([30.0, 31.0, 40.0]),
        azimuth_deg=np.zeros(3),
        downtilt_deg=np.zeros(3),
        load=np.zeros(3),
        antenna=np.array(["", "", ""]),
    )


def plane(x_m: np.ndarray, y_m: np.ndarray) -> np.ndarray:
    """Return levels [dBm] that fall evenly, so that any sound resampling gives them back."""
    return np.asarray(-70.0 - 0.004 * (x_m - WEST) + 0.006 * (y_m - NORTH))


def on_grid(grid: Grid) -> np.ndarray:
    columns, rows = np.meshgrid(np.arange(grid.columns) + 0.5, np.arange(grid.rows) + 0.5)
    return plane(grid.west_m + columns * grid.cell_m, grid.north_m - rows * grid.cell_m)


def write_raster(path: Path, values: np.ndarray, **changes: Any) -> None:
    profile = {"driver": "GTiff", "count": 1, "dtype": "float32", "crs": CRS, "transform": FRAME, "nodata": -999.0}
    profile |= {"height": values.shape[-2], "width": values.shape[-1], **changes}
    with rasterio.open(path, "w", **profile) as target:
        for band in range(profile["count"]):
            target.write(values.astype(profile["dtype"]), band + 1)


def write_table(folder: Path, *rows: str, head: str = "sector,file,band_mhz") -> Path:
    (folder / "list.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return folder / "list.csv"


def faults(table: Path) -> list[str]:
    with pytest.raises(InputError) as error:
        read_coverage(table, GRID, sectors())
    assert all(fault.remedy.endswith((".", ")", "?")) for fault in error.value.faults)
    return [str(fault) for fault in error.value.faults]


def read_one(folder: Path, row: str = "b1,b.tif,3500", head: str = "sector,file,band_mhz") -> LevelMap:
    (found,) = read_coverage(write_table(folder, row, head=head), GRID, sectors())
    return found


def test_the_same_pixels_are_taken_as_they_are(tmp_path: Path) -> None:
    values = on_grid(GRID)
    values[:3] = -999.0
    write_raster(tmp_path / "b.tif", values)
    found = read_one(tmp_path)
    assert (found.sector, found.band_mhz, found.grid) == ("b1", 3500, GRID)
    assert found.rsrp_dbm.dtype == np.float32
    assert np.isnan(found.rsrp_dbm[:3]).all()
    np.testing.assert_allclose(found.rsrp_dbm[3:], values[3:], atol=1e-4)


def test_finer_coarser_and_south_first_pixels_give_the_same_levels(tmp_path: Path) -> None:
    wide = {10.0: (220, 320), 100.0: (40, 50)}
    for side, shape in wide.items():
        source = Grid(CRS, WEST - 2 * side, NORTH + 2 * side, side, *shape)
        frame = rasterio.Affine(side, 0.0, source.west_m, 0.0, -side, source.north_m)
        write_raster(tmp_path / "b.tif", on_grid(source), transform=frame)
        got = read_one(tmp_path).rsrp_dbm
        np.testing.assert_allclose(got, on_grid(GRID)[:, : got.shape[1]], atol=0.02, equal_nan=False)
        turned = rasterio.Affine(side, 0.0, source.west_m, 0.0, side, source.north_m - shape[0] * side)
        write_raster(tmp_path / "b.tif", on_grid(source)[::-1], transform=turned)
        np.testing.assert_allclose(read_one(tmp_path).rsrp_dbm, got, atol=1e-3)


def test_degrees_are_projected(tmp_path: Path) -> None:
    to_degrees = pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    west, north = to_degrees.transform(WEST - 300.0, NORTH + 300.0)
    side = 0.0004
    columns, rows = np.meshgrid(np.arange(100) + 0.5, np.arange(70) + 0.5)
    x_m, y_m = to_degrees.transform(west + columns * side, north - rows * side, direction="INVERSE")
    write_raster(
        tmp_path / "b.tif", plane(x_m, y_m), transform=rasterio.Affine(side, 0, west, 0, -side, north), crs=4326
    )
    np.testing.assert_allclose(read_one(tmp_path).rsrp_dbm, on_grid(GRID), atol=0.05)


def test_an_ascii_grid_takes_its_crs_from_the_table(tmp_path: Path) -> None:
    head = f"ncols 60\nnrows 40\nxllcorner {WEST}\nyllcorner {NORTH - 2_000.0}\ncellsize 50\nNODATA_value -999\n"
    body = "\n".join(" ".join(f"{value:.3f}" for value in row) for row in on_grid(GRID))
    (tmp_path / "b.asc").write_text(head + body + "\n", encoding="ascii")
    found = read_one(tmp_path, f"b1,b.asc,3500,{CRS}", "sector,file,band_mhz,crs")
    np.testing.assert_allclose(found.rsrp_dbm, on_grid(GRID), atol=1e-3)
    assert any("names no CRS" in said for said in faults(write_table(tmp_path, "b1,b.asc,3500")))


def test_levels_follow_the_power_and_the_offset(tmp_path: Path) -> None:
    write_raster(tmp_path / "b.tif", on_grid(GRID))
    head = "site,file,band_mhz,eirp_dbm,height_m,offset_db"
    found = read_one(tmp_path, "B,b.tif,3500,46,25.2,-3", head)
    np.testing.assert_allclose(found.rsrp_dbm, on_grid(GRID) + 40.0 - 46.0 - 3.0, atol=1e-4)
    assert found.sector == "b1"


def test_the_band_of_several_is_chosen(tmp_path: Path) -> None:
    write_raster(tmp_path / "b.tif", on_grid(GRID), count=2)
    assert any("has 2 bands, expected 1" in said for said in faults(write_table(tmp_path, "b1,b.tif,3500")))
    found = read_one(tmp_path, "b1,b.tif,3500,2", "sector,file,band_mhz,raster_band")
    np.testing.assert_allclose(found.rsrp_dbm, on_grid(GRID), atol=1e-4)
    table = write_table(tmp_path, "b1,b.tif,3500,3", head="sector,file,band_mhz,raster_band")
    assert any("band 3 is asked for" in said for said in faults(table))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (-on_grid(GRID), "they look like path loss or dBuV/m"),
        (10 ** (on_grid(GRID) / 10.0), "they look like milliwatts"),
        (np.where(on_grid(GRID) < -75.0, on_grid(GRID), -9999.0), "expected -250 to 20 dBm"),
        (np.where(on_grid(GRID) < -75.0, on_grid(GRID), 0.0), "hold exactly 0 dBm"),
        (np.full((40, 60), -999.0), "no pixel has a level"),
    ],
)
def test_values_that_are_no_levels_are_refused(tmp_path: Path, values: np.ndarray, said: str) -> None:
    write_raster(tmp_path / "b.tif", values)
    (found,) = faults(write_table(tmp_path, "b1,b.tif,3500"))
    assert found.startswith("list.csv, b.tif, row 0: ")
    assert said in found


def test_an_undeclared_value_is_declared_by_the_table(tmp_path: Path) -> None:
    write_raster(tmp_path / "b.tif", np.where(on_grid(GRID) < -75.0, on_grid(GRID), 0.0))
    found = read_one(tmp_path, "b1,b.tif,3500,0", "sector,file,band_mhz,nodata")
    assert np.isnan(found.rsrp_dbm[0, 0])
    assert np.nanmax(found.rsrp_dbm) < -70.0


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    write_raster(tmp_path / "far.tif", on_grid(GRID), transform=rasterio.Affine(50, 0, 9e5, 0, -50, 4e6))
    write_raster(tmp_path / "bare.tif", on_grid(GRID), crs=None)
    (tmp_path / "text.tif").write_text("no raster", encoding="utf-8")
    rows = (
        "a1,none.tif,700,",
        "a2,far.tif,700,45",
        "zz,far.tif,700,",
        "b1,bare.tif,3500,",
        "b1,text.tif,3500,",
        "a1,text.tif,2600,",
        ",far.tif,700,",
    )
    found = faults(write_table(tmp_path, *rows, head="sector,file,band_mhz,height_m"))
    expected = (
        "row 0: there is no file",
        "row 1: made for 45 m, sector a2 is at 30 m",
        "row 1: the raster holds no level within the area",
        "row 2: sector 'zz' is unknown",
        "row 3: bare.tif names no CRS",
        "row 4: sector b1 has levels in row 3 already",
        "row 5: sector 'a1' is on 700 MHz, not 2600",
        "row 6: the sector is missing",
    )
    for said in expected:
        assert any(said in fault for fault in found), (said, found)
    assert len(found) == len(expected)


def test_a_site_of_several_sectors_must_be_told_apart(tmp_path: Path) -> None:
    write_raster(tmp_path / "b.tif", on_grid(GRID))
    found = faults(write_table(tmp_path, "A,b.tif,700", head="site,file,band_mhz"))
    assert any("site 'A' has 2 sectors on 700 MHz" in said for said in found)
    found = faults(write_table(tmp_path, "A,a1,b.tif,700,5", head="site,sector,file,band_mhz,colour"))
    assert any("both sector and site" in said for said in found)
    assert any("nothing reads: colour" in said for said in found)


def test_a_level_map_checks_itself() -> None:
    with pytest.raises(InputError, match="expected float32 of shape"):
        LevelMap("a", 700, GRID, np.zeros((2, 2), dtype=np.float32))
