"""The loss map at its edges, its joints between models, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from area.one_path import CELL_M, clutter, fractal, surface
from xinji.core.arrays import Floats
from xinji.core.grid import Grid
from xinji.core.radio import CODES_PER_DB, NOT_COVERED, LossMap
from xinji.errors import InputError, RegionError
from xinji.plan.radio.area import Climate, Mast, Surface, loss_at, loss_map
from xinji.plan.radio.area.near import near_weight, street_loss_db
from xinji.plan.radio.area.tail import SCATTER_SHOWS_DB, Band, median_db

HALF = Climate(50.0, 45.0, 325.0, 31.5)
SIDE = 256
WHOLE = surface(fractal(SIDE, 2, 40.0), clutter(SIDE, 8))
MIDDLE_M = 128 * CELL_M


def area(
    whole: Surface,
    x_m: float,
    y_m: float,
    *,
    radius_m: float = 2_000.0,
    mhz: tuple[float, ...] = (700.0,),
    climate: Climate = HALF,
) -> LossMap:
    mast = Mast("a", x_m, y_m, 30.0)
    return loss_map(whole, mast, frequency_mhz=mhz, radius_m=radius_m, terminal_m=1.5, climate=climate)


def distance_m(found: LossMap) -> Floats:
    x = found.grid.west_m + (np.arange(found.grid.columns) + 0.5) * found.grid.cell_m
    y = found.grid.north_m - (np.arange(found.grid.rows) + 0.5) * found.grid.cell_m
    return np.asarray(np.hypot(x[None, :] - found.x_m, y[:, None] - found.y_m))


@pytest.mark.parametrize("percent", [50.0, 10.0])
@pytest.mark.parametrize(
    "place",
    {
        "north-west corner": (0.0, SIDE * CELL_M),
        "south-east corner": (SIDE * CELL_M - 0.01, 0.01),
        "edge": (MIDDLE_M, 1.0),
        "middle": (MIDDLE_M, MIDDLE_M),
        "centre of a pixel": (MIDDLE_M + 0.5 * CELL_M, MIDDLE_M + 0.5 * CELL_M),
    }.values(),
)
def test_every_pixel_within_the_radius_is_covered(place: tuple[float, float], percent: float) -> None:
    found = area(WHOLE, *place, climate=Climate(percent, 45.0, 325.0, 31.5))
    away = distance_m(found)
    covered = found.loss[0] != NOT_COVERED
    clear = np.abs(away - 2_000.0) > 0.01
    assert (covered == (away <= 2_000.0))[clear].all()
    assert (found.loss[0][covered] > 3_000).all()
    grid = found.grid
    assert grid.west_m >= 0.0
    assert grid.north_m <= SIDE * CELL_M
    assert grid.rows <= SIDE
    assert grid.columns <= SIDE


def test_a_clipped_window_changes_no_pixel_away_from_the_edge() -> None:
    east = 200 * CELL_M + 7.0
    cut = surface(WHOLE.ground_m[:, 150:].astype(float), WHOLE.clutter_m[:, 150:].astype(float))
    whole, part = (
        area(WHOLE, east, MIDDLE_M + 3.0, radius_m=1_200.0),
        area(cut, east - 150 * CELL_M, MIDDLE_M + 3.0, radius_m=1_200.0),
    )
    assert whole.loss.shape == part.loss.shape
    # Positions are rounded differently, so that a pixel between two rays may change sides.
    assert np.mean(whole.loss == part.loss) > 0.99


def test_rectangular_ground() -> None:
    wide = surface(fractal(256, 2, 40.0)[:20])
    found = area(wide, 3_000.0, 300.0, radius_m=2_500.0)
    assert found.loss.shape[1:] == (20, found.grid.columns)
    tall = surface(fractal(256, 2, 40.0)[:20].T.copy())
    turned = area(tall, 300.0, 256 * CELL_M - 4_680.0, radius_m=2_500.0)
    assert turned.loss.shape[2] == 20
    assert (found.loss[0] != NOT_COVERED).sum() == (distance_m(found) <= 2_500.0).sum()


def test_smallest_radius() -> None:
    found = area(WHOLE, MIDDLE_M, MIDDLE_M, radius_m=250.0)
    assert ((found.loss[0] != NOT_COVERED) == (distance_m(found) <= 250.0)).all()


def test_coarse_pixels_leave_no_hole_at_the_mast() -> None:
    coarse = surface(fractal(64, 2, 100.0), cell_m=1_200.0)
    for percent in (50.0, 10.0):
        climate = Climate(percent, 45.0, 325.0, 31.5)
        found = area(coarse, 38_400.0 + 350.0, 38_400.0 + 20.0, radius_m=12_000.0, climate=climate)
        covered = found.loss[0] != NOT_COVERED
        assert (covered == (distance_m(found) <= 12_000.0)).all()
        assert (found.loss[0][covered] > 7_000).all()


def test_same_input_same_bytes() -> None:
    for percent in (50.0, 10.0):
        climate = Climate(percent, 45.0, 325.0, 20.0)
        first, second = (area(WHOLE, 3_333.0, 4_444.0, mhz=(700.0, 3500.0), climate=climate) for _ in range(2))
        assert first.loss.tobytes() == second.loss.tobytes()


@pytest.mark.parametrize("percent", [50.0, 10.0])
@pytest.mark.parametrize("latitude", [2.0, 31.5, 60.0])
def test_a_further_band_changes_no_other(latitude: float, percent: float) -> None:
    climate = Climate(percent, 45.0, 325.0, latitude)
    alone = area(WHOLE, 3_333.0, 4_444.0, mhz=(2600.0,), radius_m=3_500.0, climate=climate)
    joined = area(WHOLE, 3_333.0, 4_444.0, mhz=(700.0, 2600.0, 5900.0, 26_000.0), radius_m=3_500.0, climate=climate)
    assert (alone.loss[0] == joined.loss[1]).all()


def test_near_and_far_models_fade_into_each_other() -> None:
    assert near_weight(np.array([0.0, 250.0, 375.0, 500.0, 900.0])).tolist() == [1.0, 1.0, 0.5, 0.0, 0.0]
    flat = surface(np.zeros((9, 900)), cell_m=2.0)
    found = area(flat, 1.0, 9.0, radius_m=900.0)
    line = found.loss[0, 4].astype(float) / CODES_PER_DB
    away = distance_m(found)[4]
    assert np.abs(np.diff(line[(away > 100.0) & (away < 800.0)])).max() < 0.25
    inside = (away > 20.0) & (away <= 250.0)
    street = street_loss_db(away[inside], 0.7, (30.0, 1.5), np.zeros(inside.sum()))
    assert np.abs(line[inside] - street).max() <= 0.006


def test_above_6_ghz_only_the_street_model_serves_as_far_as_it_goes() -> None:
    found = area(WHOLE, MIDDLE_M, MIDDLE_M, radius_m=3_500.0, mhz=(26_000.0,))
    away = distance_m(found)
    built = np.zeros_like(away)
    top = round((SIDE * CELL_M - found.grid.north_m) / CELL_M)
    left = round(found.grid.west_m / CELL_M)
    built[:] = WHOLE.clutter_m[top : top + found.grid.rows, left : left + found.grid.columns]
    covered = found.loss[0] != NOT_COVERED
    assert (covered == (away <= 3_500.0)).all()
    street = street_loss_db(away[covered], 26.0, (30.0, 1.5), built[covered])
    assert np.abs(found.loss[0][covered] / CODES_PER_DB - street).max() <= 0.006
    far = area(surface(np.zeros((20, 400))), 300.0, 300.0, radius_m=9_000.0, mhz=(26_000.0,))
    reach = distance_m(far)
    assert ((far.loss[0] != NOT_COVERED) == (reach <= 5_000.0)).all()


def test_below_500_mhz_nothing_serves_near_the_mast() -> None:
    found = area(WHOLE, MIDDLE_M, MIDDLE_M, mhz=(450.0, 700.0))
    away = distance_m(found)
    assert ((found.loss[0] != NOT_COVERED) == ((away >= 250.0) & (away <= 2_000.0))).all()
    assert ((found.loss[1] != NOT_COVERED) == (away <= 2_000.0)).all()


@pytest.mark.parametrize("percent", [50.0, 10.0])
def test_some_pixels_alone_are_those_of_the_map(percent: float) -> None:
    climate = Climate(percent, 45.0, 325.0, 10.0)
    rng = np.random.default_rng(1)
    rows, columns = rng.integers(70, 180, 300), rng.integers(60, 190, 300)
    x, y, mhz = MIDDLE_M + 7.0, MIDDLE_M - 11.0, (450.0, 2600.0, 26_000.0)
    away = np.hypot((columns + 0.5) * CELL_M - x, (SIDE - rows - 0.5) * CELL_M - y)
    found = loss_at(WHOLE, Mast("a", x, y, 30.0), (rows, columns), frequency_mhz=mhz, terminal_m=1.5, climate=climate)
    whole = area(WHOLE, x, y, radius_m=float(away.max()) + CELL_M, mhz=mhz, climate=climate)
    top, left = round((SIDE * CELL_M - whole.grid.north_m) / CELL_M), round(whole.grid.west_m / CELL_M)
    expected = whole.loss_db()[:, rows - top, columns - left]
    assert (np.isinf(found) == np.isinf(expected)).all()
    here = np.isfinite(found)
    # A pixel between two rays may change sides, for the bearing is rounded otherwise.
    assert np.mean(np.abs(found[here] - expected[here]) < 1e-4) > 0.99


@pytest.mark.parametrize("mhz", [(100.0, 2600.0), (26_000.0,)])
def test_chosen_pixels_have_the_loss_of_the_map(mhz: tuple[float, ...]) -> None:
    east, north = 3_333.0, 4_444.0
    row, column = np.divmod(np.random.default_rng(3).choice(SIDE * SIDE, 20_000, replace=False), SIDE)
    away = np.hypot((column + 0.5) * CELL_M - east, (SIDE - row - 0.5) * CELL_M - north)
    row, column, away = row[away < 3_000.0], column[away < 3_000.0], away[away < 3_000.0]
    found = loss_at(WHOLE, Mast("a", east, north, 30.0), (row, column), frequency_mhz=mhz, terminal_m=1.5, climate=HALF)
    whole = area(WHOLE, east, north, radius_m=float(away.max()) + CELL_M, mhz=mhz)
    top, left = round((SIDE * CELL_M - whole.grid.north_m) / CELL_M), round(whole.grid.west_m / CELL_M)
    codes = whole.loss[:, row - top, column - left]
    assert (np.isinf(found) == (codes == NOT_COVERED)).all()
    served = codes != NOT_COVERED
    # Bearings are rounded differently, so that a pixel between two rays may change sides.
    assert np.mean(np.abs(found[served] - codes[served] / CODES_PER_DB) < 1e-9) > 0.999


def test_leaving_scatters_angle_out_moves_the_sum_by_less_than_a_hundredth() -> None:
    excess = np.linspace(-60.0, -0.001, 1_001).astype(np.float32)
    zero, kept = np.zeros_like(excess), np.empty_like(excess)
    # Scatter without an angle lies the constant above free space; a path with an angle scatters less.
    nothing = np.float32(0)
    shift = SCATTER_SHOWS_DB - np.float32(100.0)
    band = Band(nothing, nothing, nothing, nothing, np.float32(-100.0), shift, nothing, nothing, nothing)
    for angle in (0.0, 3.0, 30.0, 300.0):
        median_db((zero - np.float32(70.0), zero - np.float32(70.0), zero + np.float32(angle)), band, excess, kept)
        diffracted, scattered = -170.0 + excess.astype(float), -170.0 + SCATTER_SHOWS_DB + 0.573 * angle
        exact = -5.0 * np.log10(10.0 ** (-0.2 * diffracted) + 10.0 ** (-0.2 * scattered))
        assert np.abs(kept - np.maximum(exact, -170.0)).max() < 0.01


def test_all_faults_are_told_at_once() -> None:
    mast = Mast("a", -5.0, 10.0, 0.5)
    with pytest.raises(InputError) as caught:
        loss_map(WHOLE, mast, frequency_mhz=(20.0, 2e5), radius_m=10.0, terminal_m=0.0, climate=HALF)
    text = str(caught.value)
    assert len(caught.value.faults) == 7
    for part in (
        "20 MHz",
        "200000 MHz",
        "radius is 10 m",
        "antenna height of a",
        "terminal height",
        "four pixels",
        "off the terrain",
    ):
        assert part in text


def test_other_faults() -> None:
    with pytest.raises(InputError, match="no frequency"):
        area(WHOLE, MIDDLE_M, MIDDLE_M, mhz=())
    with pytest.raises(InputError, match="one pixel wide"):
        area(surface(np.zeros((1, 50))), 40.0, 10.0)
    with pytest.raises(InputError, match="radius"):
        area(WHOLE, MIDDLE_M, MIDDLE_M, radius_m=float("nan"))


def test_surface_refuses_holes_and_wrong_heights() -> None:
    grid = Grid("EPSG:32650", 0.0, 90.0, 30.0, 3, 3)
    level, codes = np.zeros((3, 3), np.float32), np.zeros((3, 3), np.uint8)
    holed = level.copy()
    holed[1, 2] = np.nan
    with pytest.raises(RegionError, match="1 pixels without height, the first in row 1, column 2"):
        Surface(grid, holed, level.copy(), codes)
    with pytest.raises(RegionError, match="heights run from"):
        Surface(grid, level + np.float32(30_000.0), level.copy(), codes)
    with pytest.raises(RegionError, match="negative or missing"):
        Surface(grid, level.copy(), level - np.float32(1.0), codes)
    with pytest.raises(RegionError, match="shape"):
        Surface(grid, level[:2].copy(), level.copy(), codes)


def test_climate_tells_all_faults() -> None:
    with pytest.raises(RegionError) as caught:
        Climate(60.0, 200.0, 100.0, 95.0)
    assert len(caught.value.faults) == 4
