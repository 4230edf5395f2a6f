"""Sector antennas: the corners of the pattern, and three sectors together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinji.plan.radio.antenna import Pattern, best_sector_db, horizontal_db, sector_db, vertical_db

PATTERN = Pattern(65.0, 10.0, 6.0, 20.0, 30.0)
THREE = np.array([0.0, 120.0, 240.0])


def test_half_power_is_three_decibels_at_half_the_beamwidth() -> None:
    assert horizontal_db(PATTERN, np.array([0.0, 32.5, -32.5])).tolist() == [0.0, -3.0, -3.0]
    np.testing.assert_allclose(vertical_db(PATTERN, np.array([6.0, 11.0, 1.0])), [0.0, -3.0, -3.0])


def test_back_and_side_lobes_are_bounded() -> None:
    assert horizontal_db(PATTERN, np.array([180.0]))[0] == -30.0
    assert vertical_db(PATTERN, np.array([90.0]))[0] == -20.0
    assert sector_db(PATTERN, np.array([180.0]), np.array([90.0]))[0] == -30.0


def test_between_two_sectors() -> None:
    found = best_sector_db(PATTERN, np.array([60.0, 120.0]), np.array([6.0, 6.0]), THREE)
    assert found[0] == pytest.approx(-12.0 * (60.0 / 65.0) ** 2)
    assert found[1] == 0.0


@given(st.floats(-720.0, 720.0), st.floats(0.0, 90.0))
def test_best_sector_repeats_every_120_degrees_and_loses_to_none(bearing: float, depression: float) -> None:
    here, below = np.array([bearing]), np.array([depression])
    best = best_sector_db(PATTERN, here, below, THREE)[0]
    assert best == pytest.approx(best_sector_db(PATTERN, here + 120.0, below, THREE)[0], abs=1e-6)
    assert best == max(sector_db(PATTERN, here - azimuth, below)[0] for azimuth in THREE)
    assert -30.0 <= best <= 0.0
