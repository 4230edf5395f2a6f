"""Running maxima, hulls, fits and horizons of one ray against brute force and the reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from area.one_path import link_of
from xinji.plan.radio import p1812
from xinji.plan.radio.area import Climate
from xinji.plan.radio.area.enhance import find_crests, horizons_of
from xinji.plan.radio.area.profile import Profile, accumulate, steepen
from xinji.plan.radio.area.reduce import fitted_ends, highest_above, look_back, look_back_at_top
from xinji.plan.radio.p1812.path import diffraction_parameters, fitted_ends_m
from xinji.plan.radio.p1812.path import horizons_of as reference_horizons
from xinji.plan.radio.p1812.profile import SHORTEST_KM

STEP_KM = 0.03
MAST_M = 25.0
CURVATURE = 0.056

heights = st.lists(st.floats(0.0, 400.0, width=32), min_size=6, max_size=60)


def profile_of(ground: list[float]) -> Profile:
    level = np.array(ground, dtype=np.float32)
    level -= level[0]
    distance = (np.arange(len(level)) * STEP_KM).astype(np.float32)
    inverse = np.ones_like(distance)
    inverse[1:] = 1.0 / (np.arange(1, len(level)) * STEP_KM)
    line = np.zeros_like(level)
    profile = Profile(distance, inverse, level, level.copy(), line, np.zeros(len(level)), np.zeros(len(level)))
    accumulate(profile, len(level), np.float32(MAST_M))
    return profile


@settings(max_examples=100, deadline=None)
@given(ground=heights)
def test_steepest_slopes_up_to_each_point(ground: list[float]) -> None:
    profile = profile_of(ground)
    found = np.zeros(len(ground), np.float32)
    steepen(profile, profile.ground, len(ground), (np.float32(CURVATURE), np.float32(MAST_M)), found)
    distance, level = profile.distance.astype(float)[1:], profile.ground.astype(float)[1:]
    flat = np.maximum.accumulate((level - MAST_M) / distance)
    bent = np.maximum.accumulate((level - CURVATURE * distance**2 - MAST_M) / distance)
    assert np.allclose(profile.steepest[1:], flat, rtol=1e-5, atol=1e-2)
    assert np.allclose(found[1:], bent, rtol=1e-5, atol=1e-2)


@settings(max_examples=100, deadline=None)
@given(ground=heights, share=st.floats(0.51, 1.49), above=st.floats(-300.0, 300.0), stands=st.floats(0.0, 30.0))
def test_what_is_seen_back_from_each_pixel(ground: list[float], share: float, above: float, stands: float) -> None:
    profile = profile_of(ground)
    profile.top[::3] += np.float32(stands)
    low, high, distance = profile.ground.astype(float), profile.top.astype(float), profile.distance.astype(float)
    for last in range(1, len(ground)):
        length, level = (last + share) * STEP_KM, low[last] + above
        slope = (level - MAST_M) / length
        inner = slice(1, last + 1)
        run = length - distance[inner]
        sight = (np.float32(MAST_M), np.float32(slope), np.float32(length))
        seen = look_back(profile, last, sight, np.float32(CURVATURE))
        exact = (
            (low[inner] - MAST_M - slope * distance[inner]).max(),
            ((low[inner] - level) / run).max(),
            ((low[inner] - level) / run - CURVATURE * run).max(),
            ((high[inner] - level) / run - CURVATURE * run).max(),
        )
        assert np.allclose(seen, exact, rtol=1e-4, atol=2e-2)
        alone = look_back_at_top(profile, last, (np.float32(length), np.float32(level)), np.float32(CURVATURE))
        assert float(alone) == pytest.approx(exact[3], rel=1e-4, abs=2e-2)


@settings(max_examples=60, deadline=None)
@given(ground=heights, share=st.floats(0.51, 1.49), end_m=st.floats(-100.0, 300.0), terminal_m=st.floats(1.0, 50.0))
def test_fit_and_horizons_are_those_of_the_reference(
    ground: list[float], share: float, end_m: float, terminal_m: float
) -> None:
    profile = profile_of(ground)
    crest = np.zeros(len(ground), np.int32)
    last = len(ground) - 1
    length = (last + share) * STEP_KM
    distance = np.append(profile.distance.astype(float), length)
    level = np.append(profile.ground.astype(float), end_m)
    fitted = fitted_ends(profile, last, (length, end_m))
    assert np.allclose(fitted, fitted_ends_m(distance, level), rtol=1e-6, atol=1e-3)
    find_crests(profile, len(ground), (CURVATURE, MAST_M), crest)
    found = horizons_of(profile, crest, last, (length, end_m + terminal_m), (CURVATURE, MAST_M))
    if length < SHORTEST_KM:
        return
    path = p1812.Profile(distance, level, np.zeros(len(level)), np.full(len(level), 4))
    link = link_of(MAST_M, terminal_m, 1.0, length, Climate(50.0, 45.0, 325.0, 30.0))
    exact = reference_horizons(path, link, 500.0 / CURVATURE)
    assert (found.mast_mrad, found.terminal_mrad) == pytest.approx((exact.tx_mrad, exact.rx_mrad), abs=1e-4)
    if not exact.transhorizon:
        ends = (MAST_M, end_m + terminal_m)
        nu = diffraction_parameters(distance, level, ends, 500.0 / CURVATURE, link.wavelength_m)
        assert nu[found.mast_point - 1] == pytest.approx(nu.max(), abs=1e-4)


@given(ground=heights, start=st.floats(-50.0, 50.0, width=32), slope=st.floats(-50.0, 50.0, width=32))
@settings(max_examples=50, deadline=None)
def test_highest_above_a_line(ground: list[float], start: float, slope: float) -> None:
    profile = profile_of(ground)
    first, last = 1, len(ground) - 1
    above = profile.ground.astype(float) - start - slope * profile.distance.astype(float)
    found = highest_above(profile, (first, last), (np.float32(start), np.float32(slope)))
    assert float(found) == pytest.approx(above[first : last + 1].max(), abs=1e-3)
