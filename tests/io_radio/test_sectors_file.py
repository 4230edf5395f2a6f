"""Sector lists: read, written and read again; every fault with its row."""

from __future__ import annotations

import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from xinji.core.radio import Sectors
from xinji.errors import InputError
from xinji.io.sectors_file import read_sectors, write_sectors

CRS = "EPSG:32650"
HEAD = "id,site,x_m,y_m,height_m,band_mhz,eirp_dbm,azimuth_deg,downtilt_deg,load,antenna"
GOOD = "a1,A,500000,3400000,30,700,28.5,0,6,0.5,"


def write(folder: Path, *rows: str, head: str = HEAD) -> Path:
    path = folder / "sectors.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def faults(path: Path, load: float | None = None, antennas: tuple[str, ...] | None = None) -> list[str]:
    with pytest.raises(InputError) as error:
        read_sectors(path, CRS, load=load, antennas=antennas)
    assert all(fault.remedy.endswith((".", "?")) for fault in error.value.faults)
    return [str(fault) for fault in error.value.faults]


def same(one: Sectors, other: Sectors) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in one.__slots__)


numbers = st.floats(-90.0, 90.0, allow_nan=False)


@settings(max_examples=20, deadline=None)
@given(
    rows=st.lists(st.tuples(numbers, numbers, st.floats(0.5, 399.0), st.floats(0.0, 359.9)), min_size=1, max_size=5),
    suffix=st.sampled_from([".csv", ".gpkg"]),
    name=st.text("AB基站,\"' 1", max_size=4).map(str.strip),
)
def test_a_list_reads_back_equal(rows: list[tuple[float, ...]], suffix: str, name: str) -> None:
    n = len(rows)
    tilt, dbm, height, azimuth = (np.array(part) for part in zip(*rows, strict=True))
    sectors = Sectors(
        id=np.array([f"{name}{k}" for k in range(n)]),
        site=np.array([f"s{k}{name}" for k in range(n)]),
        x_m=500_000.0 + tilt * 100.1,
        y_m=3_400_000.0 + dbm * 99.7,
        height_m=height,
        band_mhz=np.full(n, 3500),
        eirp_dbm=dbm / 2.0,
        azimuth_deg=azimuth,
        downtilt_deg=tilt,
        load=np.abs(tilt) / 90.0,
        antenna=np.array([name] * n),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"list{suffix}"
        write_sectors(path, sectors, CRS)
        assert same(read_sectors(path, CRS), sectors)


def test_a_plain_list(tmp_path: Path) -> None:
    sectors = read_sectors(write(tmp_path, GOOD, "a2,A,500000.1,3400000,30,700,28.5,-120,6,1,kathrein"), CRS)
    assert sectors.id.tolist() == ["a1", "a2"]
    assert sectors.azimuth_deg.tolist() == [0.0, 240.0]
    assert sectors.band_mhz.dtype == np.int64
    assert sectors.antenna.tolist() == ["", "kathrein"]
    assert sectors.load.tolist() == [0.5, 1.0]


def test_degrees_and_the_power_of_a_carrier(tmp_path: Path) -> None:
    head = "id,site,lon,lat,height_m,band_mhz,carrier_eirp_dbm,subcarriers,azimuth_deg,downtilt_deg"
    # The central meridian of zone 50 at the equator of the false easting: published origin of UTM.
    sectors = read_sectors(write(tmp_path, "a,A,117,0,30,3500,63,3276,10,4", head=head), CRS, load=0.25)
    assert (sectors.x_m[0], sectors.y_m[0]) == pytest.approx((500_000.0, 0.0), abs=1e-6)
    assert sectors.eirp_dbm[0] == pytest.approx(63.0 - 35.153439, abs=1e-5)
    assert sectors.load.tolist() == [0.25]


def test_a_geopackage_in_another_crs_is_placed(tmp_path: Path) -> None:
    sectors = read_sectors(write(tmp_path, GOOD), CRS)
    write_sectors(tmp_path / "list.gpkg", sectors, CRS)
    gpd.read_file(tmp_path / "list.gpkg").to_crs(4326).to_file(tmp_path / "degrees.gpkg")
    placed = read_sectors(tmp_path / "degrees.gpkg", CRS)
    assert (placed.x_m[0], placed.y_m[0]) == pytest.approx((500_000.0, 3_400_000.0), abs=1e-4)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a1,A,500000,3400000,30,700,28.5,0,6,0.5,", "the id 'a1' is used before"),
        (",A,500000,3400000,30,700,28.5,0,6,0.5,", "the id is missing"),
        ("a2,,500000,3400000,30,700,28.5,0,6,0.5,", "the site is missing"),
        ("a2,A,500200,3400000,30,700,28.5,0,6,0.5,", "the sector stands 200.0 m from row 0 of the same site"),
        ("a2,A,500000,3400000,98ft,700,28.5,0,6,0.5,", "height_m is '98ft', which is no number"),
        ("a2,A,500000,3400000,3000,700,28.5,0,6,0.5,", "height_m is 3000, expected 0.1 to 400"),
        ("a2,A,500000,3400000,,700,28.5,0,6,0.5,", "height_m is missing"),
        ("a2,A,500000,3400000,30,3.5,28.5,0,6,0.5,", "band_mhz is 3.5, expected 30 to 300000"),
        ("a2,A,500000,3400000,30,700.5,28.5,0,6,0.5,", "band_mhz is 700.5"),
        ("a2,A,500000,3400000,30,700,280,0,6,0.5,", "eirp_dbm is 280, expected -60 to 100"),
        ("a2,A,500000,3400000,30,700,28.5,400,6,0.5,", "azimuth_deg is 400"),
        ("a2,A,500000,3400000,30,700,28.5,0,96,0.5,", "downtilt_deg is 96"),
        ("a2,A,500000,3400000,30,700,28.5,0,6,50,", "load is 50, expected 0 to 1"),
        ("a2,A,500000,3400000,30,700,28.5,0,6,0.5,k7", "the antenna 'k7' has no pattern"),
        ("a2,A,500000,inf,30,700,28.5,0,6,0.5,", "y_m is inf"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: str, said: str) -> None:
    found = faults(write(tmp_path, GOOD, row), antennas=("k1",))
    assert len(found) == 1
    assert found[0].startswith("sectors.csv, row 1: ")
    assert said in found[0]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    rows = ("a1,A,500000,3400000,,700,28.5,0,6,0.5,", "a1,A,500000,3400000,30,x,28.5,0,6,2,")
    assert len(faults(write(tmp_path, *rows))) == 4


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("eirp_dbm", "power", "no column gives the power"),
        ("load", "busy", "nothing says how busy the sectors are"),
        ("height_m", "heigth_m", r"the column 'height_m' is missing. Is it 'heigth_m'? Rename it."),
        ("antenna", "pattern", "columns that nothing reads: pattern"),
        ("x_m", "lon", "columns that nothing reads: y_m"),
        ("site", "id", "columns named twice: id"),
    ],
)
def test_a_wrong_column_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert any(said in found for found in faults(write(tmp_path, GOOD, head=HEAD.replace(old, new))))


def test_degrees_called_metres_are_told(tmp_path: Path) -> None:
    assert any("look like degrees" in found for found in faults(write(tmp_path, "a,A,120.3,31.5,30,700,28,0,6,1,")))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no row"),
        (b"id;site\n1;2\n", "not separated by commas"),
        (HEAD.encode() + b"\na,b\n", "row 0: 2 fields, expected 11"),
        (b"id,site\n\xff\xfe,1\n", "not UTF-8"),
        (b'id,site\n"a,1\n', "not sound CSV"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "sectors.csv").write_bytes(content)
    assert any(said in found for found in faults(tmp_path / "sectors.csv"))


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    assert any("there is no file" in found for found in faults(tmp_path / "none.csv"))
    (tmp_path / "text.gpkg").write_text("no database", encoding="utf-8")
    assert any("cannot be read as GeoPackage" in found for found in faults(tmp_path / "text.gpkg"))
    sectors = read_sectors(write(tmp_path, GOOD), CRS)
    write_sectors(tmp_path / "list.gpkg", sectors, CRS)
    lines = gpd.read_file(tmp_path / "list.gpkg").set_geometry([shapely.LineString([(0, 0), (1, 1)])], crs=CRS)
    lines.to_file(tmp_path / "lines.gpkg")
    assert any("row 0: the row has no point" in found for found in faults(tmp_path / "lines.gpkg"))
    with pytest.raises(InputError, match="suffix"):
        write_sectors(tmp_path / "list.xlsx", sectors, CRS)
