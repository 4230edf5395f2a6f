"""Antennas known by two cuts: both cuts come back, tilt is a rotation, and the rest is near a true pattern."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinji.core.arrays import Floats
from xinji.core.radio import AntennaCuts
from xinji.plan.radio.antenna import cuts_gain_db, mounted_gain_db, tilted_deg
from xinji.plan.radio.array import Panel, envelope_cuts, envelope_dbi, steered_beams, vertical_circle

ANGLES = np.arange(360.0)


def one(value: float) -> Floats:
    return np.array([value])


def lobed(tilt: float) -> AntennaCuts:
    """Return cuts of a sector antenna whose beam is tilted and whose back lobe is not."""
    turned = (ANGLES + 180.0) % 360.0 - 180.0
    horizontal = np.minimum(12.0 * (turned / 65.0) ** 2, 25.0)
    front = 12.0 * ((turned - tilt) / 8.0) ** 2
    back = 25.0 + 12.0 * ((ANGLES - 180.0) / 12.0) ** 2
    return AntennaCuts("lobed", 17.0, 2_600.0, tilt, horizontal, np.minimum(np.minimum(front, back), 40.0))


@pytest.mark.parametrize("tilt", [0.0, 6.0])
def test_the_vertical_cut_comes_back_in_front_and_behind(tilt: float) -> None:
    cuts = lobed(tilt)
    off, below = vertical_circle(ANGLES)
    np.testing.assert_allclose(cuts_gain_db(cuts, off, below), -cuts.vertical_db, atol=1e-9)


def test_the_horizontal_cut_comes_back_where_the_antenna_has_no_tilt() -> None:
    cuts = lobed(0.0)
    np.testing.assert_allclose(cuts_gain_db(cuts, ANGLES, np.zeros(360)), -cuts.horizontal_db, atol=1e-9)


@given(st.floats(-720.0, 720.0), st.floats(-90.0, 90.0))
def test_gain_repeats_mirrors_and_never_exceeds_the_peak(off: float, below: float) -> None:
    cuts = lobed(6.0)
    here = cuts_gain_db(cuts, one(off), one(below))[0]
    assert here <= 0.0
    assert here == pytest.approx(cuts_gain_db(cuts, one(off + 360.0), one(below))[0], abs=1e-6)
    assert here == pytest.approx(cuts_gain_db(cuts, one(-off), one(below))[0], abs=1e-6)


def test_between_whole_degrees_cuts_are_linear() -> None:
    cuts = lobed(6.0)
    found = cuts_gain_db(cuts, one(0.0), one(9.25))[0]
    assert -found == pytest.approx(0.75 * cuts.vertical_db[9] + 0.25 * cuts.vertical_db[10])
    assert -cuts_gain_db(cuts, one(0.0), one(-0.5))[0] == pytest.approx(
        (cuts.vertical_db[359] + cuts.vertical_db[0]) / 2
    )


@given(st.floats(-180.0, 180.0), st.floats(-89.0, 89.0), st.floats(-30.0, 30.0))
def test_tilting_forth_and_back_changes_nothing(off: float, below: float, tilt: float) -> None:
    seen = tilted_deg(one(off), one(below), one(tilt))
    back_off, back_below = tilted_deg(*seen, one(-tilt))
    assert back_below[0] == pytest.approx(below, abs=1e-6)
    turn = (back_off[0] - off + 180.0) % 360.0 - 180.0
    assert turn * np.cos(np.radians(below)) == pytest.approx(0.0, abs=1e-6)


@given(st.floats(-180.0, 180.0), st.floats(-90.0, 90.0), st.floats(-30.0, 30.0))
def test_tilting_is_a_rotation(off: float, below: float, tilt: float) -> None:
    # Second route: the rotation matrix about the line across the axis, applied to the direction itself.
    def direction(azimuth: float, depression: float) -> Floats:
        a, d = np.radians(azimuth), np.radians(depression)
        return np.array([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), -np.sin(d)])

    t = np.radians(tilt)
    matrix = np.array([[np.cos(t), 0.0, -np.sin(t)], [0.0, 1.0, 0.0], [np.sin(t), 0.0, np.cos(t)]])
    seen_off, seen_below = tilted_deg(one(off), one(below), one(tilt))
    np.testing.assert_allclose(direction(seen_off[0], seen_below[0]), matrix @ direction(off, below), atol=1e-9)


def test_mechanical_tilt_goes_down_in_front_up_behind_and_leaves_the_sides() -> None:
    off = np.array([0.0, 90.0, 180.0])
    _, below = tilted_deg(off, np.zeros(3), one(8.0))
    np.testing.assert_allclose(below, [-8.0, 0.0, 8.0], atol=1e-9)
    cuts = lobed(0.0)
    assert mounted_gain_db(cuts, one(0.0), one(8.0), one(8.0))[0] == pytest.approx(0.0, abs=1e-9)
    assert mounted_gain_db(cuts, one(0.0), one(0.0), one(8.0))[0] == pytest.approx(-12.0, abs=1e-9)


def summed_db(cuts: AntennaCuts, off: Floats, below: Floats) -> Floats:
    """Return the sum of both cuts, the plain way of filling a pattern in."""
    parts = [
        np.interp(angle % 360.0, np.arange(361.0), np.append(cut, cut[0]))
        for angle, cut in ((off, cuts.horizontal_db), (below, cuts.vertical_db))
    ]
    deepest = max(cuts.horizontal_db.max(), cuts.vertical_db.max())
    return np.asarray(-np.minimum(parts[0] + parts[1], deepest))


@pytest.mark.parametrize(("rows", "columns", "tilt"), [(10, 1, 0.0), (10, 1, 6.0), (10, 1, 10.0), (8, 4, 6.0)])
def test_filled_in_pattern_is_near_the_true_one(rows: int, columns: int, tilt: float) -> None:
    panel = Panel(rows, columns, 0.7, 0.5)
    beams = steered_beams(panel, one(0.0), one(tilt))
    cuts = envelope_cuts("panel", panel, beams, 3_500.0)
    rng = np.random.default_rng(1)
    below, off = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, 20_000))), rng.uniform(-180.0, 180.0, 20_000)
    true = envelope_dbi(panel, beams, off, below) - cuts.gain_dbi
    strong = true > -20.0
    error, plain = (np.abs(f(cuts, off, below) - true)[strong] for f in (cuts_gain_db, summed_db))
    assert np.median(error) < 0.1
    assert np.percentile(error, 95) < 0.7
    assert np.median(error) < np.median(plain) + 0.01


def test_back_lobe_is_that_of_the_file_where_the_sum_of_cuts_misses_it() -> None:
    cuts = lobed(6.0)
    assert cuts_gain_db(cuts, one(180.0), one(0.0))[0] == pytest.approx(-25.0)
    assert summed_db(cuts, one(180.0), one(0.0))[0] < -31.0
