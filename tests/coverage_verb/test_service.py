"""Level, server, SINR and shares of a network, against the same worked out pixel by pixel."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from xinji.core.arrays import Floats
from xinji.core.grid import Grid
from xinji.core.radio import NOT_COVERED, AntennaCuts, LossMap, Sectors
from xinji.core.region import Cells
from xinji.errors import InputError
from xinji.io.parameters import load
from xinji.plan.radio import service
from xinji.plan.radio.antenna import Pattern, sector_db
from xinji.plan.radio.area import Mast
from xinji.plan.radio.bands import read_bands
from xinji.plan.radio.indoor import QUANTILES
from xinji.plan.radio.p2109 import THERMALLY_EFFICIENT, TRADITIONAL, entry_loss_db
from xinji.plan.radio.service import Block, Network, Scene, blocks_of, links, masts_of, receive, view
from xinji.plan.radio.service_loads import split
from xinji.plan.radio.service_quality import LAYERS, entry_median_db, layers, read_quality
from xinji.plan.radio.service_statistics import histogram, pixels_of, shares, typical

GRID = Grid("EPSG:32650", 1_000.0, 9_000.0, 20.0, 30, 40)
PATTERN = Pattern(65.0, 10.0, 6.0, 20.0, 30.0)
NOISE_DBM = -120.0


def sectors_at(places: list[tuple[str, float, float, float, int, float]], load: float = 0.5) -> Sectors:
    """Return sectors of (site, x, y, height, band, azimuth)."""
    site, x, y, height, band, azimuth = zip(*places, strict=True)
    n = len(places)
    return Sectors(
        id=np.array([f"{name}-{k}" for k, name in enumerate(site)], dtype=np.str_),
        site=np.array(site, dtype=np.str_),
        x_m=np.array(x, dtype=np.float64),
        y_m=np.array(y, dtype=np.float64),
        height_m=np.array(height, dtype=np.float64),
        band_mhz=np.array(band, dtype=np.int64),
        eirp_dbm=np.full(n, 40.0),
        azimuth_deg=np.array(azimuth, dtype=np.float64),
        downtilt_deg=np.full(n, 6.0),
        load=np.linspace(load, load / 2.0, n),
        antenna=np.full(n, "", dtype=np.str_),
    )


def a_network(sectors: Sectors, seed: int = 1) -> tuple[Network, Scene]:
    random = np.random.default_rng(seed)
    masts, mast_of = masts_of(sectors)
    maps = []
    for number, mast in enumerate(masts):
        top, left = number % 4, 2 * (number % 3)
        window = Grid(GRID.crs, GRID.west_m + 20.0 * left, GRID.north_m - 20.0 * top, 20.0, 25, 32)
        loss = random.integers(9_000, 13_000, (2, 25, 32)).astype(np.uint16)
        loss[:, random.random((25, 32)) < 0.1] = NOT_COVERED
        maps.append(LossMap(mast.site, mast.x_m, mast.y_m, mast.height_m, 1.5, (700.0, 2600.0), window, loss))
    network = Network(
        sectors=sectors,
        masts=masts,
        mast_of=mast_of,
        windows=tuple(one.grid for one in maps),
        map_of=lambda number: maps[number],
        radiated=np.zeros(len(sectors), dtype=bool),
        patterns={700: PATTERN, 2600: PATTERN},
        cuts={},
    )
    ground = random.uniform(0.0, 30.0, (GRID.rows, GRID.columns)).astype(np.float32)
    return network, Scene(GRID, ground, 1.5)


PLACES = [
    ("a", 1_205.0, 8_790.0, 30.0, 2600, 0.0),
    ("a", 1_205.0, 8_790.0, 30.0, 2600, 120.0),
    ("b", 1_500.0, 8_600.0, 25.0, 2600, 240.0),
    ("b", 1_500.0, 8_600.0, 25.0, 700, 10.0),
    ("c", 1_700.0, 8_900.0, 45.0, 2600, 77.0),
]


def level_by_hand(network: Network, scene: Scene, sector: int, row: int, column: int) -> float:
    """Return the RSRP of a sector at a pixel [dBm], minus infinity where it is not covered; plain trigonometry."""
    sectors, mast = network.sectors, network.masts[network.mast_of[sector]]
    kept = network.map_of(int(network.mast_of[sector]))
    x, y = GRID.west_m + (column + 0.5) * 20.0, GRID.north_m - (row + 0.5) * 20.0
    top, left = round((GRID.north_m - kept.grid.north_m) / 20.0), round((kept.grid.west_m - GRID.west_m) / 20.0)
    down, across = row - top, column - left
    if not (0 <= down < kept.grid.rows and 0 <= across < kept.grid.columns):
        return -math.inf
    code = int(kept.loss[kept.frequency_mhz.index(float(sectors.band_mhz[sector])), down, across])
    if code == NOT_COVERED:
        return -math.inf
    home = scene.ground_m[int((GRID.north_m - mast.y_m) // 20.0), int((mast.x_m - GRID.west_m) // 20.0)]
    drop = float(home) + mast.height_m - float(scene.ground_m[row, column]) - 1.5
    depression = math.degrees(math.atan2(drop, math.hypot(x - mast.x_m, y - mast.y_m)))
    off = math.degrees(math.atan2(x - mast.x_m, y - mast.y_m)) - float(sectors.azimuth_deg[sector])
    gain = float(sector_db(PATTERN, np.array([off]), np.array([depression]))[0])
    return float(sectors.eirp_dbm[sector]) - code / 100.0 + gain


def test_level_server_and_sinr_are_those_worked_out_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "SECTORS_A_CALL", 2)
    network, scene = a_network(sectors_at(PLACES))
    mine = [0, 1, 2, 4]
    for block in blocks_of(GRID, 16):
        got = receive(network, scene, block, 2600, NOISE_DBM)
        for row in range(0, block.rows, 5):
            for column in range(0, block.columns, 3):
                levels = [level_by_hand(network, scene, k, block.top + row, block.left + column) for k in mine]
                if max(levels) == -math.inf:
                    assert got.sector[row, column] == -1
                    assert np.isnan([got.rsrp_dbm[row, column], got.sinr_db[row, column]]).all()
                    continue
                best = int(np.argmax(levels))
                assert got.sector[row, column] == mine[best]
                assert got.rsrp_dbm[row, column] == pytest.approx(levels[best], abs=0.006)
                load = [float(network.sectors.load[k]) for k in mine]
                others = sum(w * 10 ** (p / 10) for k, (w, p) in enumerate(zip(load, levels, strict=True)) if k != best)
                sinr = levels[best] - 10 * math.log10(others + 10 ** (NOISE_DBM / 10))
                assert got.sinr_db[row, column] == pytest.approx(sinr, abs=0.03)


@given(side=st.integers(3, 50))
@settings(max_examples=10, deadline=None)
def test_the_size_of_blocks_changes_nothing(side: int) -> None:
    network, scene = a_network(sectors_at(PLACES))
    whole = receive(network, scene, Block(0, 0, GRID.rows, GRID.columns), 2600, NOISE_DBM)
    server = np.full((GRID.rows, GRID.columns), -9)
    sinr = np.zeros(server.shape, dtype=np.float32)
    for block in blocks_of(GRID, side):
        part = receive(network, scene, block, 2600, NOISE_DBM)
        server[block.cut()], sinr[block.cut()] = part.sector, part.sinr_db
    assert np.array_equal(server, whole.sector)
    assert np.array_equal(sinr, whole.sinr_db, equal_nan=True)


def test_points_receive_what_rasters_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BLOCK", 16)
    network, scene = a_network(sectors_at(PLACES))
    random = np.random.default_rng(3)
    rows, columns = random.integers(0, GRID.rows, 60), random.integers(0, GRID.columns, 60)
    got = receive(network, scene, Block(0, 0, GRID.rows, GRID.columns), 2600, NOISE_DBM)
    found = links(network, scene, (rows, columns), 2600, -200.0)
    assert np.array_equal(found.server(), got.sector[rows, columns])
    for point in range(60):
        mine = slice(found.start[point], found.start[point + 1])
        by_hand = {k: level_by_hand(network, scene, k, int(rows[point]), int(columns[point])) for k in (0, 1, 2, 4)}
        wanted = {k: level for k, level in by_hand.items() if level > -math.inf}
        assert set(found.sector[mine].tolist()) == set(wanted)
        for sector, power in zip(found.sector[mine].tolist(), found.rsrp_mw[mine].tolist(), strict=True):
            assert 10 * math.log10(power) == pytest.approx(wanted[sector], abs=0.006)


def test_a_map_of_another_tool_holds_its_antenna_already() -> None:
    network, scene = a_network(sectors_at(PLACES[:1]))
    bare = replace(network, radiated=np.array([True]))
    got = receive(bare, scene, Block(0, 0, GRID.rows, GRID.columns), 2600, NOISE_DBM)
    kept = network.map_of(0)
    wanted = 40.0 - np.where(kept.loss[1] == NOT_COVERED, np.nan, kept.loss[1] / 100.0)
    assert np.allclose(got.rsrp_dbm[:25, :32], wanted, atol=0.001, equal_nan=True)
    (point,) = links(bare, scene, (np.array([7]), np.array([9])), 2600, -200.0).rsrp_mw[:1]
    assert 10 * math.log10(point) == pytest.approx(wanted[7, 9], abs=1e-3)


def test_imported_patterns_are_used_with_their_mechanical_tilt() -> None:
    flat = AntennaCuts("omni", 10.0, 2600.0, 0.0, np.zeros(360), np.zeros(360))
    sectors = replace(sectors_at(PLACES[:1]), antenna=np.array(["omni"]))
    network, scene = a_network(sectors_at(PLACES[:1]))
    network = replace(network, sectors=sectors, cuts={"omni": flat})
    got = receive(network, scene, Block(0, 0, GRID.rows, GRID.columns), 2600, NOISE_DBM)
    kept = network.map_of(0)
    covered = kept.loss[1] != NOT_COVERED
    assert np.allclose(got.rsrp_dbm[:25, :32][covered], 40.0 - kept.loss[1][covered] / 100.0, atol=0.001)


def test_what_cannot_be_served_is_refused() -> None:
    network, scene = a_network(sectors_at(PLACES))
    with pytest.raises(InputError, match="band 2600 MHz has no antenna pattern"):
        replace(network, patterns={700: PATTERN})
    with pytest.raises(InputError, match="antenna 'x' is unknown"):
        replace(network, sectors=replace(network.sectors, antenna=np.full(5, "x")))
    shifted = tuple(replace(window, west_m=window.west_m + 7.0) for window in network.windows)
    with pytest.raises(InputError, match="do not lie on the ground's"):
        receive(replace(network, windows=shifted), scene, Block(0, 0, 9, 9), 2600, NOISE_DBM)
    old = [replace(network.map_of(k), frequency_mhz=(800.0, 900.0)) for k in range(3)]
    with pytest.raises(InputError, match="has no band 2600 MHz, only 800, 900"):
        receive(replace(network, map_of=lambda k: old[k]), scene, Block(0, 0, 9, 9), 2600, NOISE_DBM)


def test_the_view_from_a_mast() -> None:
    ground = np.zeros((GRID.rows, GRID.columns), dtype=np.float32)
    ground[0, 10] = 100.0
    scene = Scene(GRID, ground, 1.5)
    mast = Mast("m", GRID.west_m + 10.5 * 20.0, GRID.north_m - 10.5 * 20.0, 31.5)
    rows, columns = np.array([10, 10, 20, 0, 10]), np.array([20, 0, 10, 10, 10])
    bearing, depression = view(scene, mast, (rows, columns))
    assert bearing[:4].tolist() == pytest.approx([90.0, -90.0, 180.0, 0.0])
    level = math.degrees(math.atan2(30.0, 200.0))
    up = math.degrees(math.atan2(30.0 - 100.0, 200.0))
    assert depression.tolist() == pytest.approx([level, level, level, up, 90.0])


def test_a_site_with_two_heights_has_two_masts_in_one_place() -> None:
    places = [("a", 10.0, 20.0, 30.0, 700, 0.0), ("a", 10.3, 20.0, 25.0, 700, 0.0), ("a", 10.3, 20.0, 30.0, 700, 9.0)]
    masts, mast_of = masts_of(sectors_at(places))
    assert [(mast.x_m, mast.height_m) for mast in masts] == [(10.0, 30.0), (10.0, 25.0)]
    assert mast_of.tolist() == [0, 1, 0]


def test_the_median_loss_into_buildings_by_counting() -> None:
    for frequency, share in ((0.7, 0.1), (2.6, 0.0), (3.5, 1.0), (4.9, 0.5)):
        median = entry_median_db(frequency, share)
        below = 0.0
        for building, weight in ((TRADITIONAL, 1.0 - share), (THERMALLY_EFFICIENT, share)):
            many = (np.arange(50_000) + 0.5) / 50_000
            loss = entry_loss_db(building, np.full(50_000, frequency), many, np.zeros(50_000))
            below += weight * float((loss <= median).mean())
        assert below == pytest.approx(0.5, abs=1.0 / QUANTILES)


def test_the_layers_of_a_block() -> None:
    parameters = load("cn")
    quality = read_quality(parameters, read_bands(parameters)[1])
    network, scene = a_network(sectors_at(PLACES))
    got = receive(network, scene, Block(0, 0, GRID.rows, GRID.columns), 2600, quality.noise_dbm)
    found = layers(got, quality, network.sectors)
    assert tuple(found) == LAYERS
    nothing = got.sector < 0
    assert nothing.any()
    for values in found.values():
        assert values.dtype == np.float32
        assert np.array_equal(np.isnan(values), nothing)
    inside = ~nothing
    for place in ("residential", "industrial"):
        assert (found[f"{place}_probability"][inside] <= found["outdoor_probability"][inside] + 1e-6).all()
        assert (found["rsrp_dbm"] - found[f"{place}_rsrp_dbm"])[inside].min() > quality.entry_median_db[place] - 0.01
    edge = np.abs(found["rsrp_dbm"] - quality.rsrp_min_dbm) < 0.05
    assert np.allclose(found["outdoor_probability"][edge & inside], 0.5, atol=0.01)
    order = np.argsort(found["sinr_db"][inside])
    assert (np.diff(found["down_mbps"][inside][order]) >= -1e-3).all()


def square_cells(values: Floats) -> Cells:
    """Return 2 x 3 cells of 100 m in the upper left of the grid, and one smaller than a pixel."""
    corners = [(1_000.0 + 100.0 * k, 8_800.0 + 100.0 * j) for j in range(2) for k in range(3)]
    shape = [shapely.box(x, y, x + 100.0, y + 100.0) for x, y in corners] + [
        shapely.box(1_501.0, 8_501.0, 1_505.0, 8_505.0)
    ]
    n = len(shape)
    return Cells(
        id=np.array([f"c{k}" for k in range(n)]),
        x_m=np.array([one.centroid.x for one in shape]),
        y_m=np.array([one.centroid.y for one in shape]),
        shape=np.array(shape, dtype=object),
        area_m2=np.array([one.area for one in shape]),
        residents=values,
        workers=values / 2.0,
        industrial_area_m2=np.zeros(n),
        land_use=np.array([1, 1, 1, 4, 4, 4, 12], dtype=np.uint8),
        group=np.array([1, 1, 1, 0, 0, 0, 3], dtype=np.uint8),
    )


def test_shares_are_those_counted_by_hand() -> None:
    cells = square_cells(np.array([10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0]))
    pixels = pixels_of(GRID, cells)
    assert np.bincount(pixels.cell).tolist() == [25] * 6 + [1]
    covered = np.zeros((GRID.rows, GRID.columns), dtype=bool)
    covered[:5, :5] = True
    covered[5:10, :1] = True
    found = {
        (one.part, one.name, one.subject): one.share for one in shares({("700", "outdoor"): covered}, pixels, cells)
    }
    # Cell 3 is the upper left one, cell 0 the one below it; a fifth of that one is covered.
    assert found["all", "all", "residents"] == pytest.approx((40.0 + 0.2 * 10.0) / 280.0)
    assert found["group", "urban", "residents"] == pytest.approx(2.0 / 60.0)
    assert found["group", "industrial_cluster", "area_km2"] == pytest.approx(1.0 / 3.0)
    assert found["land_use", "residential", "workers"] == pytest.approx(2.0 / 60.0)
    assert found["group", "rural", "residents"] == 0.0
    assert found["all", "all", "industrial_area_km2"] is None
    assert ("group", "town", "residents") not in found


def test_histograms_and_percentiles_hold_everybody() -> None:
    cells = square_cells(np.full(7, 10.0))
    pixels = pixels_of(GRID, cells)
    level = np.full((GRID.rows, GRID.columns), -82.0, dtype=np.float32)
    level[:5] = np.nan
    bins = list(histogram("700", "rsrp_dbm", level, pixels, cells))
    assert sum(one.residents for one in bins) == pytest.approx(70.0)
    held = {(one.low, one.high): one.residents for one in bins if one.residents}
    assert held == pytest.approx({(-math.inf, -140.0): 30.0, (-85.0, -80.0): 40.0})
    both = {one.of: one for one in typical("700", "rsrp_dbm", level, pixels, cells)}
    assert (both["residents"].p5, both["residents"].p50, both["residents"].p95) == (None, -82.0, -82.0)
    assert (both["area"].p5, both["area"].p95) == (None, -82.0)


def test_traffic_is_split_by_what_carriers_can_move() -> None:
    parameters = load("cn")
    bands = read_bands(parameters)
    qualities = {band.mhz: read_quality(parameters, band) for band in bands[:2]}
    network, scene = a_network(sectors_at(PLACES))
    points = (np.array([2, 12, 20]), np.array([4, 20, 39]))
    found = {mhz: links(network, scene, points, mhz, -200.0) for mhz in qualities}
    near = {mhz: replace(quality, rsrp_min_dbm=-500.0) for mhz, quality in qualities.items()}
    down = np.ones((3, 4))
    carried = np.ones((4, 4), dtype=bool)
    carried[3, 0] = False
    traffic = split(found, near, down, carried)
    served = np.array([[bool(np.diff(found[mhz].start)[k]) for mhz in qualities] for k in range(3)])
    assert sum(traffic.values()) == pytest.approx(
        np.where(served.all(1), 4.0, np.where(served[:, 1], 4.0, served[:, 0] * 3.0))
    )
    far = {mhz: replace(quality, rsrp_min_dbm=50.0) for mhz, quality in qualities.items()}
    assert not any(part.any() for part in split(found, far, down, carried).values())
