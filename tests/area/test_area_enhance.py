"""Ducting: its parts against the reference, and the bound that tells where it cannot matter."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from area.one_path import fractal, link_of
from xinji.plan.radio import p1812
from xinji.plan.radio.area import Climate
from xinji.plan.radio.area.bands import band_rows
from xinji.plan.radio.area.enhance import incidence_percent, time_db
from xinji.plan.radio.area.profile import Profile, accumulate, steepen
from xinji.plan.radio.area.quiet import Quiet, fill_quiet, least_ducting_db, nearer_ducting_db, survey_mast
from xinji.plan.radio.area.reduce import Antennas, Ends, look_back
from xinji.plan.radio.p1812.climate import ducting_time_percent
from xinji.plan.radio.p1812.ducting import time_loss_db

STEP_KM = 0.03


@given(length=st.floats(0.3, 200.0), latitude=st.floats(0.0, 90.0), percent=st.floats(1.0, 50.0))
@settings(max_examples=100, deadline=None)
def test_incidence_and_time_are_those_of_the_reference(length: float, latitude: float, percent: float) -> None:
    often = ducting_time_percent(latitude, length, length)
    assert incidence_percent(length, latitude) == pytest.approx(often, rel=1e-12)
    assert time_db(percent, 0.3 * often, length) == pytest.approx(time_loss_db(percent, 0.3 * often, length), rel=1e-12)


@given(length=st.floats(0.3, 200.0), latitude=st.floats(0.0, 90.0), share=st.floats(1e-9, 1.0))
@settings(max_examples=200, deadline=None)
def test_loss_at_half_the_time_falls_with_incidence(length: float, latitude: float, share: float) -> None:
    often = incidence_percent(length, latitude)
    assert time_db(50.0, share * often, length) >= time_db(50.0, often, length) - 1e-9


@given(latitude=st.floats(0.0, 90.0), length=st.floats(0.3, 199.0))
@settings(max_examples=100, deadline=None)
def test_loss_at_half_the_time_hardly_falls_within_a_step(latitude: float, length: float) -> None:
    def at(km: float) -> float:
        return time_db(50.0, incidence_percent(km, latitude), km)

    assert at(length + STEP_KM) > at(length) - 0.02


@given(
    seed=st.integers(0, 2**31),
    points=st.integers(9, 250),
    rough=st.sampled_from([1.0, 10.0, 60.0, 300.0]),
    latitude=st.floats(0.0, 80.0),
    gradient=st.floats(20.0, 120.0),
    mhz=st.sampled_from([500.0, 2600.0, 6000.0]),
    mast_m=st.sampled_from([5.0, 30.0, 200.0]),
    share=st.floats(0.51, 1.49),
)
@settings(max_examples=150, deadline=None)
def test_bound_never_exceeds_ducting(
    seed: int,
    points: int,
    rough: float,
    latitude: float,
    gradient: float,
    mhz: float,
    mast_m: float,
    share: float,
) -> None:
    rng = np.random.default_rng(seed)
    ground = GROUND[int(rng.integers(512)), :points] * rough
    climate = Climate(50.0, gradient, 325.0, latitude)
    curvature = 500.0 / p1812.effective_earth_radius_km(gradient)
    last, terminal = points - 1, 1.5
    length = (last + share) * STEP_KM
    end = float(ground[-1] - ground[0] + rng.normal(scale=5.0))

    distance = np.append(np.arange(points) * STEP_KM, length)
    level = np.append(ground - ground[0], end)
    path = p1812.Profile(distance, level, np.zeros(points + 1), np.full(points + 1, 4))
    exact = p1812.basic_transmission_loss(path, link_of(mast_m, terminal, mhz / 1e3, length, climate)).ducting_db

    row = band_rows(np.array([mhz / 1e3]), climate)[0]
    lean = np.float32(max(0.0, row[8] - 0.264 * row[0]))
    room = np.zeros((6, points), np.float32)
    quiet = Quiet(room[0], room[1], room[2], room[3], np.float32(mhz / 1e3), lean)
    fill_quiet(STEP_KM, latitude, quiet)
    inverse = np.append(1.0, 1.0 / distance[1:-1]).astype(np.float32)
    low = level[:-1].astype(np.float32)
    profile = Profile(distance[:-1].astype(np.float32), inverse, low, low, room[4], np.zeros(points), np.zeros(points))
    antennas = Antennas(np.float32(mast_m), np.float32(terminal), np.float32(curvature), np.float32(0.1))
    accumulate(profile, points, antennas.mast_m)
    bare = room[5]
    steepen(profile, profile.ground, points, (antennas.curvature, antennas.mast_m), bare)
    survey_mast(profile, bare, points, quiet)
    ends = Ends(np.array([length], np.float32), np.array([end], np.float32))
    least = np.zeros(1, np.float32)
    rise = np.array([end + terminal - mast_m], np.float32)
    least_ducting_db(ends, rise, np.array([last], np.int32), quiet, least)
    chord = np.float32(rise[0] / length)
    seen = look_back(profile, last, (antennas.mast_m, chord, np.float32(length)), antennas.curvature)
    above = (np.float32(length), np.float32(end + terminal))
    both = nearer_ducting_db(profile, last, above, (bare[last], seen.bare), (antennas, quiet))
    guided = float(row[7])
    assert float(least[0]) + guided <= exact + 1e-3
    assert float(both) + guided <= exact + 1e-3
    assert math.isfinite(exact)


GROUND = fractal(512, 17, 1.0)
