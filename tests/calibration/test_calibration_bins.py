from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.drive_test import OPEN, RESIDENTIAL, Truth, drive
from xinji.errors import InputError
from xinji.plan.radio.calibration_bins import (
    bins_of,
    cut_off,
    decorrelation_m,
    floor_dbm,
    group_medians,
    plausible,
    share_at_floor,
    weighted,
)

SMALL = Truth(sites=5, routes=2, points=80)


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(-50, 50)), max_size=40))
def test_medians_by_group(rows: list[tuple[int, float]]) -> None:
    group = np.array([row[0] for row in rows], dtype=np.int64)
    values = np.array([row[1] for row in rows], dtype=np.float64)
    expected = [float(np.median(values[group == k])) if (group == k).any() else 0.0 for k in range(5)]
    np.testing.assert_allclose(group_medians(values, group, 5), expected)


def test_bins_are_the_medians_that_a_dictionary_gives() -> None:
    points = drive(0, SMALL)
    bins = bins_of(points, 50.0)
    expected: dict[tuple[object, ...], list[float]] = {}
    for k in range(len(points)):
        square = (int(points.x_m[k] // 50), int(points.y_m[k] // 50))
        key = (str(points.site[k]), int(points.band_mhz[k]), int(points.clutter_class[k]), *square)
        expected.setdefault(key, []).append(float(points.predicted_dbm[k] - points.measured_dbm[k]))
    assert len(bins) == len(expected)
    assert bins.points.sum() == len(points)
    np.testing.assert_allclose(np.sort(bins.excess_db), np.sort([np.median(found) for found in expected.values()]))


def test_two_land_uses_in_one_square_stay_apart() -> None:
    points = drive(0, SMALL).take(np.arange(800) < 2)
    both = replace(points, clutter_class=np.array([OPEN, RESIDENTIAL], dtype=np.uint8))
    assert len(bins_of(points, 1e6)) == 1
    assert len(bins_of(both, 1e6)) == 2


def test_weights_are_one_over_the_sum_of_correlations() -> None:
    bins = bins_of(drive(1, SMALL), 50.0)
    found = weighted(bins, 60.0, 50.0)
    across = np.hypot(bins.x_m[:, None] - bins.x_m, bins.y_m[:, None] - bins.y_m)
    near = (bins.site[:, None] == bins.site) & (across <= 300.0)
    np.testing.assert_allclose(found.weight, 1.0 / (np.exp(-across / 60.0) * near).sum(axis=1))
    assert weighted(bins, 0.0, 50.0).weight.tolist() == [1.0] * len(bins)


@pytest.mark.parametrize("truth_m", [50.0, 100.0])
def test_the_decorrelation_distance_is_found(truth_m: float) -> None:
    """Medians over 50 m are smoother than points: what is found lies a little above."""
    found = []
    for seed in range(6):
        points = drive(seed, Truth(offsets_db=((OPEN, 0.0),), site_sigma_db=0.0, decorrelation_m=truth_m))
        bins = bins_of(points, 50.0)
        found.append(decorrelation_m(bins, bins.excess_db, 50.0))
    assert 0.8 * truth_m < float(np.mean(found)) < 1.6 * truth_m


def test_uncorrelated_levels_have_no_decorrelation_distance() -> None:
    bins = bins_of(drive(3, Truth(offsets_db=((OPEN, 0.0),), site_sigma_db=0.0, decorrelation_m=0.0)), 50.0)
    assert decorrelation_m(bins, bins.excess_db, 50.0) < 20.0


def test_planted_outliers_are_implausible_and_others_are_not() -> None:
    points = drive(2)
    bad = np.random.default_rng(0).random(len(points)) < 0.1
    planted = replace(points, measured_dbm=points.measured_dbm + np.where(bad, 40.0, 0.0))
    keep = plausible(planted, 50.0, 3.44)
    assert (~keep[bad]).mean() > 0.99
    assert keep[~bad].mean() > 0.95
    assert plausible(points, 50.0, 3.44).mean() > 0.985


def test_cut_off_bins_are_those_whose_true_level_is_near_the_floor() -> None:
    points = drive(4, Truth(offsets_db=((OPEN, 5.0),), site_sigma_db=0.0, sigma_db=6.0))
    heard = points.take(points.measured_dbm >= -105.0)
    floor = floor_dbm(heard.measured_dbm)
    assert floor == pytest.approx(-105.0, abs=0.2)
    bins = bins_of(heard, 50.0)
    lost = cut_off(bins, floor, 2.0)
    assert 0.3 < lost.mean() < 0.95
    assert float(np.median(bins.excess_db[~lost])) == pytest.approx(5.0, abs=1.2)
    assert float(np.median(bins.excess_db[lost])) < 3.5
    assert cut_off(bins_of(points, 50.0), floor_dbm(points.measured_dbm), 2.0).mean() < 0.1


def test_share_at_the_floor() -> None:
    levels = np.array([-120.0, -120.0, -119.5, -90.0])
    assert share_at_floor(levels, -120.0) == 0.75


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(["x_m", "measured_dbm", "predicted_dbm", "distance_m"]))
def test_points_that_are_no_numbers_are_refused(column: str) -> None:
    points = drive(0, SMALL)
    values = getattr(points, column).copy()
    values[7] = np.nan
    with pytest.raises(InputError, match="row 7"):
        replace(points, **{column: values})


def test_columns_of_another_length_are_refused() -> None:
    points = drive(0, SMALL)
    with pytest.raises(InputError, match="site has shape"):
        replace(points, site=points.site[:-1])
