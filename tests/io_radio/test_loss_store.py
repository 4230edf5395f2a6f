"""The path-loss store: what goes in comes out, nothing is computed twice, nothing torn is believed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st

from xinji.core.grid import Grid
from xinji.core.radio import NOT_COVERED, LossMap
from xinji.errors import InputError
from xinji.io.loss_store import (
    ABOUT_FILE,
    MAPS_FILE,
    StoreAbout,
    Wanted,
    open_store,
    surface_fingerprint,
    write_loss_maps,
)

CRS = "EPSG:32650"
GRID = Grid(CRS, 500_000.0, 3_400_000.0, 30.0, 70, 90)
ABOUT = StoreAbout(CRS, "0a1b", {"time_percent": 50.0, "latitude_deg": 31.5}, 1.5, "P.1812-8, engine 1")


def loss_map(site: str = "A", bands: tuple[float, ...] = (700.0,), seed: int = 1, height_m: float = 30.0) -> LossMap:
    loss = np.random.default_rng(seed).integers(6_000, 20_000, (len(bands), GRID.rows, GRID.columns), dtype=np.uint16)
    loss[:, :9, :5] = NOT_COVERED
    return LossMap(site, 501_000.0, 3_399_000.0, height_m, 1.5, bands, GRID, loss)


def wanted(site: str = "A", bands: tuple[float, ...] = (700.0,)) -> Wanted:
    return Wanted(site, 501_000.0, 3_399_000.0, 30.0, 2_000.0, bands)


def put(folder: Path, *maps: LossMap) -> None:
    write_loss_maps(folder, maps, ABOUT, radius_m=2_000.0)


def told(error: pytest.ExceptionInfo[InputError]) -> str:
    assert all(fault.remedy for fault in error.value.faults)
    return str(error.value)


@settings(max_examples=15, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 40), st.integers(1, 40)),
    seed=st.integers(0, 99),
    site=st.text(min_size=1, max_size=60),
)
def test_what_goes_in_comes_out(shape: tuple[int, int, int], seed: int, site: str) -> None:
    bands, rows, columns = shape
    loss = np.random.default_rng(seed).integers(0, 65_536, shape, dtype=np.uint16)
    grid = replace(GRID, rows=rows, columns=columns)
    before = LossMap(site, 1.25, 2.5, 30.1, 1.5, (700.0, 2600.0, 3500.5)[:bands], grid, loss)
    with tempfile.TemporaryDirectory() as folder:
        put(Path(folder) / "store", before)
        after = open_store(Path(folder) / "store", ABOUT).read(site)
    assert (after.site, after.x_m, after.y_m, after.height_m) == (site, 1.25, 2.5, 30.1)
    assert (after.terminal_m, after.frequency_mhz, after.grid) == (1.5, before.frequency_mhz, grid)
    np.testing.assert_array_equal(after.loss, loss)


def test_the_file_opens_in_any_gis(tmp_path: Path) -> None:
    put(tmp_path, loss_map(bands=(2600.0, 700.0)))
    (path,) = tmp_path.glob("*.tif")
    assert path.name.startswith("A_30m_")
    with rasterio.open(path) as source:
        assert (source.dtypes, source.nodata, source.crs) == (("uint16",) * 2, 65_535.0, CRS)
        assert (source.scales, source.units) == ((0.01, 0.01), ("dB", "dB"))
        assert source.descriptions == ("700 MHz", "2600 MHz")
        assert source.profile["tiled"]
        assert source.compression.name == "zstd"
        np.testing.assert_array_equal(source.read(1), loss_map(bands=(2600.0, 700.0)).loss[1])


def test_only_what_is_missing_is_asked_for(tmp_path: Path) -> None:
    assert open_store(tmp_path, ABOUT).missing([wanted()]) == (wanted(),)
    put(tmp_path, loss_map())
    store = open_store(tmp_path, ABOUT)
    assert store.missing([wanted(), wanted("B")]) == (wanted("B"),)
    assert store.missing([wanted(bands=(700.0, 3500.0))]) == (wanted(bands=(3500.0,)),)
    for other in (replace(wanted(), x_m=0.0), replace(wanted(), radius_m=3e3), replace(wanted(), height_m=25.0)):
        assert store.missing([other]) == (other,)


def test_a_further_band_keeps_the_others(tmp_path: Path) -> None:
    first, second = loss_map(bands=(2600.0,)), loss_map(bands=(700.0,), seed=2)
    put(tmp_path, first, loss_map("B", seed=3))
    put(tmp_path, second)
    store = open_store(tmp_path, ABOUT)
    np.testing.assert_array_equal(store.read("A").loss, np.concatenate([second.loss, first.loss]))
    np.testing.assert_array_equal(store.read("A", frequency_mhz=(2600.0, 700.0)).loss[0], first.loss[0])
    np.testing.assert_array_equal(store.read("B").loss, loss_map("B", seed=3).loss)
    assert len(list(tmp_path.glob("*.tif"))) == 2


def test_a_moved_site_gives_up_its_old_bands(tmp_path: Path) -> None:
    put(tmp_path, loss_map(bands=(700.0, 2600.0)))
    put(tmp_path, replace(loss_map(), x_m=502_000.0))
    assert open_store(tmp_path).read("A").frequency_mhz == (700.0,)
    assert len(list(tmp_path.glob("*.tif"))) == 1


def test_heights_stand_side_by_side(tmp_path: Path) -> None:
    put(tmp_path, loss_map(), loss_map(seed=2, height_m=45.0))
    store = open_store(tmp_path)
    np.testing.assert_array_equal(store.read("A", height_m=45.0).loss, loss_map(seed=2).loss)
    with pytest.raises(InputError) as error:
        store.read("A")
    assert "maps at 30, 45 m" in told(error)


def test_writing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    put(tmp_path / "one", loss_map(bands=(700.0, 2600.0)))
    put(tmp_path / "two", loss_map(bands=(700.0, 2600.0)))
    (one,), (two,) = ((tmp_path / name).glob("*.tif") for name in ("one", "two"))
    assert one.name == two.name
    assert one.read_bytes() == two.read_bytes()


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    def maps() -> Iterator[LossMap]:
        yield loss_map("A")
        yield loss_map("B", seed=2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_loss_maps(tmp_path, maps(), ABOUT, radius_m=2_000.0)
    # A kill in the middle of a line leaves this behind.
    with (tmp_path / MAPS_FILE).open("ab") as target:
        target.write(b'{"site": "C", "x_')
    rest = open_store(tmp_path, ABOUT).missing([wanted("A"), wanted("B"), wanted("C")])
    assert [want.site for want in rest] == ["C"]
    put(tmp_path, loss_map("C", seed=3))
    store = open_store(tmp_path, ABOUT)
    assert store.missing([wanted("A"), wanted("B"), wanted("C")]) == ()
    assert store.verify() == ()
    assert not list(tmp_path.glob(".xinji-*"))


@pytest.mark.parametrize("spoil", ["cut", "flipped", "gone"])
def test_a_torn_file_is_named(tmp_path: Path, spoil: str) -> None:
    put(tmp_path, loss_map("A"), loss_map("B", seed=2))
    (path,) = tmp_path.glob("A_*.tif")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    if spoil == "gone":
        path.unlink()
    else:
        path.write_bytes(content if spoil == "flipped" else content[:-7])
    store = open_store(tmp_path, ABOUT)
    with pytest.raises(InputError) as error:
        store.read("A")
    assert path.name in told(error)
    with pytest.raises(InputError):
        store.read_window("A", GRID)
    assert [path.name in fault.layer for fault in store.verify()] == [True]
    np.testing.assert_array_equal(store.read("B").loss, loss_map("B", seed=2).loss)
    if spoil != "flipped":
        assert store.missing([wanted()]) == (wanted(),)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (replace(ABOUT, surface="ffff"), "another ground or clutter"),
        (replace(ABOUT, crs="EPSG:32651"), "another CRS"),
        (replace(ABOUT, terminal_m=10.0), r"another terminal height \(1.5; now 10.0\)"),
        (replace(ABOUT, model="P.1812-8, engine 2"), "another model"),
        (replace(ABOUT, climate={**ABOUT.climate, "time_percent": 1.0}), "time_percent = 50.0; now it is 1.0"),
        (replace(ABOUT, climate={"time_percent": 50.0}), "latitude_deg = 31.5; now it is None"),
    ],
)
def test_a_store_of_something_else_is_refused(tmp_path: Path, other: StoreAbout, said: str) -> None:
    put(tmp_path, loss_map())
    with pytest.raises(InputError, match=said) as error:
        open_store(tmp_path, other)
    assert "Name another folder" in told(error)
    with pytest.raises(InputError, match=said):
        write_loss_maps(tmp_path, [], other, radius_m=2_000.0)
    assert open_store(tmp_path).about == ABOUT


def test_all_differences_are_told_at_once(tmp_path: Path) -> None:
    put(tmp_path, loss_map())
    with pytest.raises(InputError) as error:
        open_store(tmp_path, replace(ABOUT, surface="f", terminal_m=9.0, climate={}))
    assert len(error.value.faults) == 4


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (ABOUT_FILE, b"no json", "not that of a path-loss store"),
        (ABOUT_FILE, b'{"format": 9}', "format is 9, this version reads 1"),
        (MAPS_FILE, b'{"site": "A"}\n', "row 0: the line is damaged"),
    ],
)
def test_a_damaged_store_is_refused(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    put(tmp_path, loss_map())
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said) as error:
        open_store(tmp_path, ABOUT)
    told(error)


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no path-loss store"):
        open_store(tmp_path)
    put(tmp_path, loss_map())
    store = open_store(tmp_path)
    with pytest.raises(InputError, match="no path loss of site Z"):
        store.read("Z")
    with pytest.raises(InputError, match="site A at 9 m"):
        store.read("A", height_m=9.0)
    with pytest.raises(InputError, match="no path loss at 3500 MHz, only 700"):
        store.read("A", frequency_mhz=(3500.0,))


def test_maps_that_do_not_belong_are_refused(tmp_path: Path) -> None:
    other = replace(loss_map(), terminal_m=9.0, grid=replace(GRID, crs="EPSG:32651"))
    with pytest.raises(InputError) as error:
        put(tmp_path, loss_map("B"), other)
    assert len(error.value.faults) == 2
    assert list(open_store(tmp_path).entries) == [("B", 30.0)]


@settings(max_examples=30, deadline=None)
@given(row=st.integers(-80, 80), column=st.integers(-100, 100), rows=st.integers(1, 90), columns=st.integers(1, 90))
def test_a_window_equals_the_map(window_store: Path, row: int, column: int, rows: int, columns: int) -> None:
    frame = Grid(CRS, GRID.west_m + 30.0 * column, GRID.north_m - 30.0 * row, 30.0, rows, columns)
    part = open_store(window_store).read_window("A", frame, frequency_mhz=(2600.0,))
    whole = loss_map(bands=(700.0, 2600.0)).loss[1]
    assert part.grid == frame
    for r in range(0, rows, 7):
        for c in range(0, columns, 7):
            inside = 0 <= row + r < GRID.rows and 0 <= column + c < GRID.columns
            assert part.loss[0, r, c] == (whole[row + r, column + c] if inside else NOT_COVERED)


@pytest.fixture(scope="module")
def window_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    put(folder, loss_map(bands=(700.0, 2600.0)))
    return folder


@pytest.mark.parametrize(
    "frame", [replace(GRID, west_m=GRID.west_m + 10.0), replace(GRID, cell_m=25.0), replace(GRID, crs="EPSG:32651")]
)
def test_other_pixels_are_refused(window_store: Path, frame: Grid) -> None:
    with pytest.raises(InputError, match="the map's are 30 m from"):
        open_store(window_store).read_window("A", frame)


def test_the_fingerprint_sees_every_change() -> None:
    ground, clutter = np.zeros((3, 4), np.float32), np.zeros((3, 4), np.uint8)
    changed = ground.copy()
    changed[2, 3] = 0.1
    prints = [
        surface_fingerprint(GRID, ground, clutter),
        surface_fingerprint(GRID, changed, clutter),
        surface_fingerprint(GRID, clutter, ground),
        surface_fingerprint(GRID, ground.T, clutter),
        surface_fingerprint(replace(GRID, cell_m=31.0), ground, clutter),
    ]
    assert len(set(prints)) == len(prints)
    assert surface_fingerprint(GRID, ground.copy(), clutter) == prints[0]
