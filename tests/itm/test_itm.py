"""The Irregular Terrain Model against published figures, closed forms and its own symmetries."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from xinji.core.arrays import Floats
from xinji.errors import InputError
from xinji.plan.radio.itm import (
    Climate,
    ItmLink,
    Prediction,
    Regime,
    Service,
    Share,
    Siting,
    Terrain,
    area_loss,
    free_space_db,
    point_to_point_loss,
    service_of,
)
from xinji.plan.radio.itm.diffraction import diffraction_db, diffraction_line, height_gain_db, knife_edge_db
from xinji.plan.radio.itm.geometry import fitted_line, horizons, irregularity_m, profile_geometry
from xinji.plan.radio.itm.medium import medium_of
from xinji.plan.radio.itm.scatter import frequency_gain_db, height_loss_db, scatter_line
from xinji.plan.radio.itm.variability import upper_quantile

LINK = ItmLink(
    tx_height_m=30.0,
    rx_height_m=2.0,
    frequency_mhz=700.0,
    vertical=True,
    permittivity=15.0,
    conductivity_s_m=0.008,
    refractivity=301.0,
    climate=Climate.CONTINENTAL_TEMPERATE,
)
MEDIAN = Share(service=Service.BROADCAST, time_percent=50.0, location_percent=50.0, situation_percent=50.0)
RANDOM = (Siting.RANDOM, Siting.RANDOM)


def rolling(seed: int, *, intervals: int = 200, rise_m: float = 60.0) -> Terrain:
    generator = np.random.default_rng(seed)
    x = np.linspace(0.0, 1.0, intervals + 1)
    waves = [a * np.sin(2 * np.pi * (k * x + p)) for k, (a, p) in enumerate(generator.random((6, 2)), 1)]
    return Terrain(100.0, 100.0 + rise_m * np.sum(waves, axis=0))


# Rows of NTIA/itm's area.csv: link, siting, irregularity, distance, mode, percentages and loss.
AREA = [
    ((10, 1, 230, False, 5), (0, 0), 0.0, 16.0, 0, (87, 50, 50), 152.5),
    ((3, 1.5, 450, False, 5), (1, 0), 10.0, 10.0, 1, (40, 28, 25), 133.0),
    ((15, 3, 980, True, 4), (2, 1), 5.0, 100.0, 2, (92, 53, 97), 224.1),
    ((3, 5, 3100, True, 2), (0, 1), 20.0, 75.0, 3, (50, 80, 43), 205.1),
    ((1.5, 10, 8900, True, 1), (1, 2), 45.0, 25.0, 0, (70, 99, 26), 156.0),
]


@pytest.mark.parametrize(("link", "siting", "irregular", "distance", "mode", "percents", "loss"), AREA)
def test_area_figures(
    *,
    link: tuple[float, float, float, bool, int],
    siting: tuple[int, int],
    irregular: float,
    distance: float,
    mode: int,
    percents: tuple[float, float, float],
    loss: float,
) -> None:
    tx, rx, frequency, vertical, climate = link
    given_link = replace(
        LINK, tx_height_m=tx, rx_height_m=rx, frequency_mhz=frequency, vertical=vertical, climate=Climate(climate)
    )
    service, fixed_location, fixed_situation = service_of(mode)
    share = Share(
        service=service,
        time_percent=percents[0],
        location_percent=percents[1],
        situation_percent=percents[2],
        fixed_location=fixed_location,
        fixed_situation=fixed_situation,
    )
    found = area_loss(distance, irregular, (Siting(siting[0]), Siting(siting[1])), given_link, share)
    assert found.loss_db == pytest.approx(loss, abs=0.05)


def test_all_three_regimes() -> None:
    found = [area_loss(distance, 90.0, RANDOM, LINK, MEDIAN) for distance in (5.0, 60.0, 400.0)]
    assert [one.regime for one in found] == [Regime.LINE_OF_SIGHT, Regime.DIFFRACTION, Regime.SCATTER]


@given(seed=st.integers(0, 1000), tx=st.floats(5, 60), rx=st.floats(1.5, 60))
@settings(max_examples=25, deadline=None)
def test_reversing_the_path_changes_little(seed: int, tx: float, rx: float) -> None:
    """Where the path is resampled alike from both ends, loss does not depend on who sends."""
    terrain = rolling(seed)
    back = Terrain(terrain.step_m, terrain.height_m[::-1].copy())
    there = point_to_point_loss(terrain, replace(LINK, tx_height_m=tx, rx_height_m=rx), MEDIAN)
    again = point_to_point_loss(back, replace(LINK, tx_height_m=rx, rx_height_m=tx), MEDIAN)
    assert there.geometry.horizon_m == pytest.approx(again.geometry.horizon_m[::-1], rel=0.05)
    assert there.geometry.irregularity_m == pytest.approx(again.geometry.irregularity_m, rel=0.05)
    # Effective heights are counted from whole indices, which differ by one from either end.
    assert there.loss_db == pytest.approx(again.loss_db, abs=6.0)


@given(distance=st.floats(1.0, 300.0), irregular=st.floats(0.0, 300.0), rx=st.floats(1.0, 100.0))
@settings(max_examples=50, deadline=None)
def test_area_loss_is_reciprocal(distance: float, irregular: float, rx: float) -> None:
    one = area_loss(distance, irregular, (Siting.CAREFUL, Siting.RANDOM), replace(LINK, rx_height_m=rx), MEDIAN)
    swapped = replace(LINK, tx_height_m=rx, rx_height_m=LINK.tx_height_m)
    other = area_loss(distance, irregular, (Siting.RANDOM, Siting.CAREFUL), swapped, MEDIAN)
    assert one.loss_db == pytest.approx(other.loss_db, abs=1e-9)


@given(first=st.floats(1, 99), second=st.floats(1, 99), service=st.sampled_from(list(Service)))
@settings(max_examples=50, deadline=None)
def test_more_time_costs_more_loss(first: float, second: float, service: Service) -> None:
    def loss(percent: float) -> float:
        share = replace(MEDIAN, service=service, time_percent=percent, situation_percent=percent)
        return area_loss(40.0, 90.0, RANDOM, LINK, share).loss_db

    low, high = sorted((first, second))
    assert loss(low) <= loss(high) + 1e-9


def test_what_is_fixed_varies_less() -> None:
    hard = replace(MEDIAN, location_percent=95.0, situation_percent=95.0)
    losses = [
        area_loss(40.0, 90.0, RANDOM, LINK, share).loss_db
        for share in (
            hard,
            replace(hard, fixed_situation=True),
            replace(hard, fixed_situation=True, fixed_location=True),
            MEDIAN,
        )
    ]
    assert losses == sorted(losses, reverse=True)
    assert len(set(losses)) == 4


def test_regimes_join_without_a_step() -> None:
    """The line of sight's curve ends where the diffraction line begins, and that where scatter begins."""

    def reference(distance_km: float) -> Prediction:
        return area_loss(distance_km, 90.0, RANDOM, LINK, MEDIAN)

    for before, after in ((Regime.LINE_OF_SIGHT, Regime.DIFFRACTION), (Regime.DIFFRACTION, Regime.SCATTER)):
        low, high = (5.0, 60.0) if before == Regime.LINE_OF_SIGHT else (60.0, 400.0)
        while high - low > 1e-9:
            middle = 0.5 * (low + high)
            low, high = (middle, high) if reference(middle).regime == before else (low, middle)
        assert reference(high).regime == after
        assert reference(low).reference_db == pytest.approx(reference(high).reference_db, abs=1e-4)


def test_high_antennas_close_by_see_free_space() -> None:
    flat = Terrain(50.0, np.full(101, 10.0))
    found = point_to_point_loss(flat, replace(LINK, tx_height_m=300.0, rx_height_m=300.0), MEDIAN)
    assert found.regime == Regime.LINE_OF_SIGHT
    assert found.free_space_db == pytest.approx(free_space_db(5000.0, 700.0))
    # Two rays in phase give at most 6 dB.
    assert -6.1 < found.loss_db - found.free_space_db < 6.1


def test_free_space_constant() -> None:
    wavelength_m = 299_792_458.0 / 1e9
    assert free_space_db(1000.0, 1000.0) == pytest.approx(20 * math.log10(4 * math.pi * 1000 / wavelength_m), abs=0.01)


def test_fitted_line_is_least_squares_for_lines_and_close_for_others() -> None:
    line = 3.0 + 0.25 * np.arange(50.0)
    assert fitted_line(line, 4.7, 31.2) == pytest.approx((3.0, 3.0 + 0.25 * 49))
    wave = np.sin(np.arange(400.0) / 3.0) + 0.01 * np.arange(400.0)
    slope, start = np.polyfit(np.arange(400.0), wave, 1)
    assert fitted_line(wave, 0.0, 399.0) == pytest.approx((start, start + slope * 399), abs=0.02)
    # Too short a part is widened by one interval at each end.
    assert fitted_line(line, 10.5, 10.2) == pytest.approx((3.0, 3.0 + 0.25 * 49))


def test_irregularity_of_a_slope_and_of_two_levels() -> None:
    slope = Terrain(100.0, np.linspace(0.0, 900.0, 301))
    assert irregularity_m(slope, 100.0, 29_900.0) == pytest.approx(0.0, abs=1e-9)
    teeth = Terrain(100.0, np.where(np.arange(601) // 10 % 2 == 0, 0.0, 40.0))
    # Over 60 km the interdecile range of the two levels is their difference, seen short of infinity.
    far = 1.0 - 0.8 * math.exp(-60_000.0 / 50e3)
    assert irregularity_m(teeth, 0.0, 60_000.0) == pytest.approx(40.0 / far, rel=0.03)
    assert irregularity_m(teeth, 0.0, 150.0) == 0.0


def brute_horizon(terrain: Terrain, top_m: float, radius_m: float, away: Floats, ground: Floats) -> tuple[float, float]:
    best = (-math.inf, 0.0)
    for distance, height in zip(away, ground, strict=True):
        angle = (height - top_m) / distance - distance / (2 * radius_m)
        if angle > best[0]:
            best = (angle, distance)
    assert terrain.distance_m >= best[1]
    return best


@given(seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_horizons_by_brute_force(seed: int) -> None:
    terrain = rolling(seed, intervals=80)
    angles, distances = horizons(terrain, (20.0, 3.0), 8_495e3)
    x: Floats = terrain.step_m * np.arange(1.0, terrain.intervals + 1)
    ground = terrain.height_m.copy()
    ground[-1] += 3.0
    tx = brute_horizon(terrain, terrain.height_m[0] + 20.0, 8_495e3, x, ground[1:])
    ground = terrain.height_m[::-1].copy()
    ground[-1] += 20.0
    rx = brute_horizon(terrain, terrain.height_m[-1] + 3.0, 8_495e3, x, ground[1:])
    assert (angles[0], distances[0]) == pytest.approx(tx)
    assert (angles[1], distances[1]) == pytest.approx(rx)


def test_diffraction_line_passes_its_points() -> None:
    terrain = rolling(3)
    medium = medium_of(LINK, 100.0)
    geometry = profile_geometry(terrain, (30.0, 2.0), medium)
    slope, start = diffraction_line(geometry, medium)
    scale = (medium.earth_radius_m**2 / 700.0) ** (1 / 3)
    near = max(geometry.smooth_horizons_m(medium), geometry.horizons_m + 5 * scale)
    for distance in (near, near + 10 * scale):
        assert slope * distance + start == pytest.approx(diffraction_db(distance, geometry, medium))


def test_approximations_stay_near_what_they_approximate() -> None:
    shares = np.linspace(0.001, 0.999, 999)
    assert [upper_quantile(float(share)) for share in shares] == pytest.approx(-ndtri(shares), abs=4.5e-4)
    assert knife_edge_db(5.76 - 1e-9) == pytest.approx(knife_edge_db(5.76), abs=0.05)
    assert knife_edge_db(0.0) == pytest.approx(20 * math.log10(2), abs=0.01)
    # Curves of the height gain and of the frequency gain meet where one passes into the next.
    assert height_gain_db(2000.0 - 1e-6, 0.01) == pytest.approx(height_gain_db(2000.0, 0.01), abs=0.2)
    for efficiency in (2.0, 3.0, 4.0):
        assert frequency_gain_db(1.3, efficiency - 1e-9) == pytest.approx(frequency_gain_db(1.3, efficiency), abs=1e-6)
    assert frequency_gain_db(1e6, 3.0) == pytest.approx(0.0, abs=1e-6)


def test_scatter_is_not_defined_for_antennas_on_the_ground() -> None:
    low = replace(LINK, tx_height_m=0.5, rx_height_m=0.5, frequency_mhz=20.0)
    found = area_loss(900.0, 0.0, RANDOM, low, MEDIAN)
    medium = medium_of(low, 0.0)
    assert math.isinf(height_loss_db(found.geometry.horizons_m + 200e3, found.geometry, medium))
    assert scatter_line(found.geometry, medium) is None
    assert found.regime == Regime.DIFFRACTION


def test_service_codes() -> None:
    assert service_of(3) == (Service.BROADCAST, False, False)
    assert service_of(12) == (Service.MOBILE, True, False)
    assert service_of(21) == (Service.ACCIDENTAL, False, True)
    assert service_of(30) == (Service.SINGLE_MESSAGE, True, True)
    for code in (-1, 4, 19, 35, 40):
        with pytest.raises(InputError, match=f"variability is {code}"):
            service_of(code)


def test_every_fault_is_named() -> None:
    with pytest.raises(InputError) as caught:
        replace(LINK, tx_height_m=0.1, frequency_mhz=10.0, refractivity=500.0, conductivity_s_m=0.0)
    assert len(caught.value.faults) == 4
    with pytest.raises(InputError) as caught:
        replace(MEDIAN, time_percent=0.0, situation_percent=100.0)
    assert len(caught.value.faults) == 2
    with pytest.raises(InputError) as caught:
        area_loss(-1.0, math.nan, RANDOM, LINK, MEDIAN)
    assert len(caught.value.faults) == 2
    for step, heights in ((0.0, np.zeros(5)), (10.0, np.zeros(2)), (10.0, np.array([0.0, np.nan, 0.0]))):
        with pytest.raises(InputError):
            Terrain(step, heights)


def test_what_the_model_does_not_hold_for_is_refused() -> None:
    with pytest.raises(InputError, match="surface refractivity"):
        point_to_point_loss(Terrain(1000.0, np.full(20, 8000.0)), LINK, MEDIAN)
    with pytest.raises(InputError, match="impedance"):
        area_loss(10.0, 90.0, RANDOM, replace(LINK, permittivity=1.0, vertical=False), MEDIAN)


def test_cautions_name_what_was_not_tried() -> None:
    assert area_loss(20.0, 90.0, RANDOM, LINK, MEDIAN).cautions == ()
    said = area_loss(0.5, 90.0, RANDOM, replace(LINK, frequency_mhz=15_000.0, rx_height_m=0.6), MEDIAN).cautions
    assert any("frequency" in words for words in said)
    assert any("antenna height" in words for words in said)
    assert any("distance" in words for words in said)
