"""What holds for every path: reciprocity, limits, order and continuity."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p1812.random_paths import nearby, random_link, random_profile, swapped
from xinji.plan.radio.p1812 import Profile, basic_transmission_loss
from xinji.plan.radio.p1812.diffraction import bullington_loss_db
from xinji.plan.radio.p1812.loss import distance_factor, joined_loss_db, limited_loss_db, soft_maximum_db, time_factor

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=80, deadline=None)
@given(SEEDS)
def test_both_directions_lose_the_same(seed: int) -> None:
    profile, link = random_profile(seed), nearby(random_link(seed))
    if profile.zone[0] != profile.zone[-1]:
        link = replace(link, sigma_db=0.0)
    there, back = basic_transmission_loss(profile, link), basic_transmission_loss(*swapped(profile, link))
    for name in ("diffraction_excess_median_db", "diffraction_excess_ducting_db", "ducting_db", "troposcatter_db"):
        assert getattr(there, name) == pytest.approx(getattr(back, name), rel=1e-7, abs=1e-6), name
    assert there.loss_db == pytest.approx(back.loss_db, abs=1e-6)
    assert (there.tx_horizon_km, there.roughness_m) == pytest.approx((back.rx_horizon_km, back.roughness_m), abs=1e-8)


@settings(max_examples=80, deadline=None)
@given(SEEDS)
def test_every_path_has_a_sound_breakdown(seed: int) -> None:
    profile, link = random_profile(seed, longest_km=1500.0), random_link(seed)
    found = basic_transmission_loss(profile, link)
    assert all(math.isfinite(getattr(found, name)) for name in found.__slots__)
    assert found.loss_db >= found.line_of_sight_db
    assert found.median_places_db <= min(found.troposcatter_db, found.enhanced_db) + 1e-9
    assert found.diffraction_or_ducting_db <= found.diffraction_db
    assert 0.0 <= found.sea_fraction <= 1.0 + 1e-12
    assert found.longest_inland_km <= found.longest_land_km <= found.path_length_km * (1.0 + 1e-12)
    assert found.tx_horizon_km + found.rx_horizon_km <= found.path_length_km * (1.0 + 1e-12)
    assert found.field_dbuv_m + found.loss_db == pytest.approx(199.36 + 20.0 * math.log10(link.frequency_ghz))


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_more_places_or_more_time_never_lose_less(seed: int) -> None:
    profile, link = random_profile(seed), random_link(seed)
    by_place = [
        basic_transmission_loss(profile, replace(link, location_percent=share)).loss_db
        for share in (1.0, 20.0, 50.0, 80.0, 99.0)
    ]
    assert by_place == sorted(by_place)
    levels = [basic_transmission_loss(profile, replace(link, time_percent=share)) for share in (1.0, 5.0, 20.0, 50.0)]
    for name in ("line_of_sight_db", "troposcatter_db", "ducting_db"):
        values = [getattr(level, name) for level in levels]
        assert values == sorted(values), name


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_an_obstacle_costs_more_at_higher_frequency(seed: int) -> None:
    profile, link = random_profile(seed), random_link(seed)
    ends = (float(profile.height_m[0]) + link.tx_height_m, float(profile.height_m[-1]) + link.rx_height_m)
    surface = profile.surface_m()
    surface[len(surface) // 2] = max(*ends, float(surface.max())) + 10.0
    losses = [
        bullington_loss_db(profile.distance_km, surface, ends, 8500.0, wave) for wave in (10.0, 3.0, 1.0, 0.3, 0.05)
    ]
    assert losses == sorted(losses)
    free = [basic_transmission_loss(profile, replace(link, frequency_ghz=f)).free_space_db for f in (0.03, 0.4, 6.0)]
    assert free == sorted(free)


@pytest.mark.parametrize("frequency_ghz", [0.3, 0.7, 3.5, 6.0])
@pytest.mark.parametrize("length_km", [0.25, 1.0, 3.0])
def test_a_clear_short_path_is_free_space(frequency_ghz: float, length_km: float) -> None:
    n = 50
    profile = Profile(np.linspace(0.0, length_km, n), np.full(n, 20.0), np.zeros(n), np.full(n, 4))
    link = replace(random_link(3), frequency_ghz=frequency_ghz, time_percent=50.0, tx_height_m=200.0, rx_height_m=200.0)
    found = basic_transmission_loss(profile, link)
    distance_m = 1e3 * length_km
    physical = 20.0 * math.log10(4.0 * math.pi * distance_m * frequency_ghz * 1e9 / 299_792_458.0)
    assert found.diffraction_excess_db == 0.0
    assert found.loss_db == pytest.approx(found.free_space_db, abs=0.01)
    assert found.free_space_db == pytest.approx(physical, abs=0.06)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_points_on_straight_ground_change_next_to_nothing(seed: int) -> None:
    """A profile with points put between, on bare straight ground, has the same fit and horizons no lower."""
    profile, link = random_profile(seed), replace(random_link(seed), sigma_db=0.0)
    between = 0.5 * (profile.distance_km[1:] + profile.distance_km[:-1])
    distance = np.sort(np.concatenate((profile.distance_km, between)))
    bare = Profile(
        profile.distance_km.copy(), profile.height_m.copy(), np.zeros(len(profile)), np.full(len(profile), 4)
    )
    height = np.interp(distance, bare.distance_km, bare.height_m)
    dense = Profile(distance, height, np.zeros(len(distance)), np.full(len(distance), 4))
    coarse, fine = basic_transmission_loss(bare, link), basic_transmission_loss(dense, link)
    assert fine.tx_smooth_m == pytest.approx(coarse.tx_smooth_m, abs=1e-6)
    assert fine.tx_horizon_mrad >= coarse.tx_horizon_mrad - 1e-9
    assert fine.longest_inland_km == pytest.approx(bare.length_km)


def test_polarization_matters_over_sea_at_long_waves_only() -> None:
    n = 200
    sea = Profile(np.linspace(0.0, 60.0, n), np.zeros(n), np.zeros(n), np.full(n, 1))
    link = replace(random_link(5), time_percent=50.0, tx_height_m=20.0, rx_height_m=5.0)
    gaps = []
    for frequency in (0.03, 0.3, 3.0):
        levels = [
            basic_transmission_loss(
                sea, replace(link, frequency_ghz=frequency, polarization=polarization)
            ).spherical_median_db
            for polarization in ("horizontal", "vertical")
        ]
        gaps.append(levels[0] - levels[1])
    assert gaps[0] > 10.0
    assert max(abs(gap) for gap in gaps[1:]) < 0.1


def test_closed_form_stays_near_the_profile() -> None:
    profile, link = random_profile(8), random_link(8)
    usual = basic_transmission_loss(profile, link)
    closed = basic_transmission_loss(profile, link, closed_form_smooth=True)
    assert closed.bullington_actual_median_db == usual.bullington_actual_median_db
    assert closed.bullington_smooth_median_db == pytest.approx(usual.bullington_smooth_median_db, abs=1.0)


def test_a_terminal_at_sea_is_at_the_coast() -> None:
    n = 60
    sea = Profile(np.linspace(0.0, 40.0, n), np.zeros(n), np.zeros(n), np.full(n, 1))
    link = random_link(2)
    near, far = (basic_transmission_loss(sea, replace(link, tx_coast_km=km, rx_coast_km=km)) for km in (0.0, 900.0))
    assert near.loss_db == far.loss_db
    assert near.places_excess_db == 0.0


def test_an_edge_that_just_touches_the_ray() -> None:
    """Where both tangents are the ray itself the diffraction parameter is 0."""
    distance = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    height = np.array([0.0, -500.0, 0.0, -500.0, 0.0])
    bulge = 500.0 / 8500.0 * 4.0
    touching = bullington_loss_db(distance, height, (bulge, bulge), 8500.0, 0.1)
    just_below = bullington_loss_db(distance, height, (bulge + 1e-9, bulge + 1e-9), 8500.0, 0.1)
    just_above = bullington_loss_db(distance, height, (bulge - 1e-9, bulge - 1e-9), 8500.0, 0.1)
    assert touching == pytest.approx(just_below, abs=1e-6)
    assert touching == pytest.approx(just_above, abs=1e-6)


def test_combining_steps() -> None:
    assert soft_maximum_db(120.0, 120.0) == pytest.approx(120.0 + 2.5 * math.log(2.0))
    assert soft_maximum_db(9000.0, 120.0) == 9000.0
    assert limited_loss_db(130.0, 140.0, 0.5) == 130.0
    assert limited_loss_db(150.0, 140.0, 0.5) == 145.0
    assert joined_loss_db(150.0, 150.0) == pytest.approx(150.0 - 5.0 * math.log10(2.0))
    assert joined_loss_db(5000.0, 9000.0) == 5000.0
    assert time_factor(1.0, 4.0) == 1.0
    assert time_factor(50.0, 4.0) == pytest.approx(0.0, abs=1e-8)
    assert distance_factor(20.0) == 0.5
