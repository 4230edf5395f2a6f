from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t

from calibration.drive_test import INDUSTRIAL, OPEN, RESIDENTIAL, Truth, drive
from xinji.core.arrays import Bools
from xinji.core.calibration import ALL, Calibration
from xinji.core.grid import Grid, Raster
from xinji.core.radio import NOT_COVERED, LossMap
from xinji.core.vocabulary import LAND_USES
from xinji.io.parameters import load
from xinji.plan.radio.calibration import calibrate, corrected_loss_db, corrected_map
from xinji.plan.radio.calibration_bins import Comparison
from xinji.plan.radio.calibration_holdout import folds_of, mean_by_site
from xinji.plan.radio.calibration_settings import read_settings

SETTINGS = read_settings(load("cn"))
TRUTH = Truth()
LIFTED = Truth(sites=8, routes=3, points=150, offsets_db=((OPEN, 6.0), (RESIDENTIAL, 16.0), (INDUSTRIAL, 11.0)))


@cache
def calibrated(seed: int) -> Calibration:
    return calibrate(drive(seed), SETTINGS)


def offsets(found: Calibration) -> dict[str, tuple[float, float]]:
    return {one.subject: (one.offset_db, one.stderr_db) for one in found.evidence if one.subject != ALL}


def said(found: Calibration, subject: str, kind: str) -> str:
    return " | ".join(one.message for one in found.verdicts if (one.subject, one.kind) == (subject, kind))


def patches(points: Comparison, share: float, seed: int) -> Bools:
    """Return which points lie in stretches of 100 m that were spoilt as a whole."""
    spoilt = np.random.default_rng(seed).random(len(points) // 10 + 1) < share
    return spoilt[np.arange(len(points)) // 10]


def test_the_truth_lies_within_its_standard_errors() -> None:
    """Over 12 drive tests, 95 % intervals hold the truth about as often as they say."""
    inside, scores = [], []
    for seed in range(12):
        found = calibrated(seed)
        assert "class" in found.model
        for code, true in TRUTH.offsets_db:
            offset, stderr = offsets(found)[LAND_USES[code]]
            scores.append((offset - true) / stderr)
            inside.append(abs(scores[-1]) < t.ppf(0.975, TRUTH.sites - 1))
    assert np.mean(inside) >= 0.86
    assert 0.7 < np.sqrt(np.mean(np.square(scores))) < 1.25


def test_a_slope_is_found_and_only_where_there_is_one() -> None:
    with_slope = [calibrate(drive(seed, Truth(slope_db=10.0)), SETTINGS) for seed in range(3)]
    assert all(found.model == "offset by class and slope" for found in with_slope)
    assert float(np.mean([found.slope_db for found in with_slope])) == pytest.approx(10.0, abs=1.5)
    without = [calibrated(seed).slope_db for seed in range(4)]
    assert without.count(0.0) >= 3


def test_nothing_is_applied_where_the_model_is_right() -> None:
    truth = Truth(sites=8, routes=3, offsets_db=((OPEN, 0.0), (RESIDENTIAL, 0.0)), site_sigma_db=1.5)
    found = [calibrate(drive(seed, truth), SETTINGS) for seed in range(4)]
    untouched = [one for one in found if not one.applied.any()]
    assert len(untouched) >= 3
    for one in untouched:
        assert one.model == "none"
        assert "the model is left as it is" in said(one, ALL, "refused")


def test_what_is_applied_lowers_the_error_held_out() -> None:
    for seed in range(4):
        found = calibrated(seed)
        for one in found.evidence[1:]:
            if found.applied[LAND_USES.index(one.subject)]:
                assert one.after.mae_db < one.before.mae_db


@pytest.mark.parametrize(("size_db", "patchy"), [(40.0, True), (30.0, False), (-30.0, True)])
def test_a_fifth_of_gross_outliers_moves_the_offsets_by_less_than_a_decibel(size_db: float, patchy: bool) -> None:  # noqa: FBT001
    points = drive(5)
    bad = patches(points, 0.2, 2) if patchy else np.random.default_rng(1).random(len(points)) < 0.2
    levels = np.clip(points.measured_dbm + np.where(bad, size_db, 0.0), -156.0, -31.0)
    clean, spoilt = calibrated(5), calibrate(replace(points, measured_dbm=levels), SETTINGS)
    for use, (offset, _) in offsets(clean).items():
        assert offsets(spoilt)[use][0] == pytest.approx(offset, abs=1.0)
    assert "gross outliers" in said(spoilt, ALL, "doubt")
    assert not said(clean, ALL, "doubt")


@pytest.mark.parametrize(("floor", "piled"), [(-110.0, False), (-105.0, True)])
def test_levels_cut_at_a_floor_are_flagged_and_do_not_bias(floor: float, piled: bool) -> None:  # noqa: FBT001
    points = drive(5)
    if piled:
        heard = replace(points, measured_dbm=np.maximum(points.measured_dbm, floor))
    else:
        heard = points.take(points.measured_dbm >= floor)
    found = calibrate(heard, SETTINGS)
    assert "would be lost" in said(found, ALL, "doubt")
    assert ("stand at the lowest level" in said(found, ALL, "doubt")) == piled
    excess = heard.predicted_dbm - heard.measured_dbm
    ours, naive = [], []
    for code, true in TRUTH.offsets_db:
        offset, stderr = offsets(found)[LAND_USES[code]]
        assert abs(offset - true) < 2.5 * stderr
        ours.append(abs(offset - true))
        naive.append(abs(float(np.median(excess[heard.clutter_class == code])) - true))
    assert np.mean(ours) < 0.6 * np.mean(naive)


def test_data_of_one_site_are_refused() -> None:
    points = drive(5)
    found = calibrate(points.take(points.site == "S03"), SETTINGS)
    assert found.model == "none"
    assert not found.applied.any()
    assert "1 site has at least 10 bins of 50 m, 5 are needed" in said(found, ALL, "refused")
    assert "100 % of the bins are of site S03" in said(found, ALL, "refused")


def test_one_site_among_many_may_not_dominate() -> None:
    points = drive(6, Truth(routes=8))
    few = np.random.default_rng(0).random(len(points)) < 0.01
    found = calibrate(points.take((points.site == "S00") | few), SETTINGS)
    assert "of the bins are of site S00, at most 50 % may be of one" in said(found, ALL, "refused")
    assert not found.applied.any()


def test_too_few_bins_are_refused() -> None:
    found = calibrate(drive(6, Truth(sites=6, routes=1, points=45)), SETTINGS)
    assert "bins of 50 m are left, 100 are needed" in said(found, ALL, "refused")


def test_no_point_beyond_the_near_field_is_refused() -> None:
    points = drive(6, LIFTED)
    found = calibrate(replace(points, distance_m=np.full(len(points), 60.0)), SETTINGS)
    assert "no point lies 100 m or more from its site" in said(found, ALL, "refused")


def test_a_land_use_with_few_bins_takes_the_common_offset() -> None:
    points = drive(7, LIFTED)
    rare = LAND_USES.index("medical")
    use = points.clutter_class.copy()
    use[(points.site == "S01") & (points.distance_m < 400.0)] = rare
    found = calibrate(replace(points, clutter_class=use), SETTINGS)
    assert "it takes the offset common to all" in said(found, "medical", "refused")
    never_seen = LAND_USES.index("airport")
    assert found.offset_db[rare] == found.offset_db[never_seen]
    assert found.applied[rare]


def test_an_unsure_common_offset_is_not_given_to_land_uses_without_data() -> None:
    truth = Truth(sites=8, routes=3, offsets_db=((OPEN, -9.0), (RESIDENTIAL, 9.0), (INDUSTRIAL, 0.0)))
    found = calibrate(drive(3, truth), SETTINGS)
    assert found.applied[[OPEN, RESIDENTIAL]].all()
    assert found.applied.sum() <= 3
    assert "is too unsure" in said(found, "land uses not measured", "refused")


def test_a_site_with_a_wrong_power_is_named_and_left_out() -> None:
    points = drive(5)
    wrong = replace(points, measured_dbm=points.measured_dbm - np.where(points.site == "S03", 20.0, 0.0))
    clean, found = calibrated(5), calibrate(wrong, SETTINGS)
    assert "weaker than the other sites'" in said(found, "S03", "doubt")
    assert found.evidence[0].sites == TRUTH.sites - 1
    for use, (offset, _) in offsets(clean).items():
        assert offsets(found)[use][0] == pytest.approx(offset, abs=1.0)


def test_a_large_common_offset_is_doubted() -> None:
    points = drive(5)
    found = calibrate(replace(points, predicted_dbm=points.predicted_dbm + 25.0), SETTINGS)
    assert "points at EIRP" in said(found, ALL, "doubt")


def test_a_band_that_differs_is_named() -> None:
    points = drive(5)
    low = np.arange(len(points)) % 2 == 0
    bands = np.where(low, 700, 2600).astype(np.int64)
    levels = points.measured_dbm + np.where(low, 10.0, 0.0)
    found = calibrate(replace(points, band_mhz=bands, measured_dbm=levels), SETTINGS)
    assert "stays -" in said(found, "700 MHz", "doubt")
    assert found.bands_mhz == (700, 2600)
    assert not said(calibrate(replace(points, band_mhz=bands), SETTINGS), "700 MHz", "doubt")


def test_levels_that_span_little_are_doubted() -> None:
    points = drive(5, LIFTED)
    found = calibrate(points.take((points.distance_m > 900.0) & (points.distance_m < 1_500.0)), SETTINGS)
    assert "predicted levels span" in said(found, ALL, "doubt")
    assert found.slope_db == 0.0


@given(st.floats(0.0, 12.0))
@settings(max_examples=3, deadline=None)
def test_weaker_levels_raise_every_offset_by_as_much(shift_db: float) -> None:
    points = drive(8, LIFTED)
    found = calibrate(points, SETTINGS)
    moved = calibrate(replace(points, measured_dbm=points.measured_dbm - shift_db), SETTINGS)
    assert moved.model == found.model
    np.testing.assert_allclose(moved.offset_db - found.offset_db, shift_db, atol=2e-3)
    np.testing.assert_allclose(moved.sigma_db, found.sigma_db, atol=2e-3)


@given(st.integers(0, 1_000))
@settings(max_examples=3, deadline=None)
def test_the_order_of_points_and_the_names_of_sites_do_not_matter(seed: int) -> None:
    points = drive(8, LIFTED)
    order = np.random.default_rng(seed).permutation(len(points))
    columns = {name: getattr(points, name)[order] for name in points.__slots__}
    found, moved = calibrate(points, SETTINGS), calibrate(Comparison(**columns), SETTINGS)
    assert moved.model == found.model
    np.testing.assert_allclose(moved.offset_db, found.offset_db, atol=2e-3)
    assert [one.kind for one in moved.verdicts] == [one.kind for one in found.verdicts]


def test_whole_sites_are_held_out() -> None:
    site = np.repeat(np.arange(7), [50, 40, 30, 20, 10, 5, 5])
    fold = folds_of(site, 3)
    assert sorted(set(fold.tolist())) == [0, 1, 2]
    for number in range(7):
        assert len(set(fold[site == number].tolist())) == 1
    assert np.ptp(np.bincount(fold)) <= 10
    assert len(set(folds_of(site, 20).tolist())) == 7


def test_the_standard_error_of_a_mean_knows_sites() -> None:
    random = np.random.default_rng(0)
    site = np.repeat(np.arange(12), 40)
    means, told = zip(
        *(mean_by_site((random.normal(0, 2, 12)[site] + random.normal(0, 1, 480)), site) for _ in range(300)),
        strict=True,
    )
    assert float(np.mean(told)) == pytest.approx(float(np.std(means)), rel=0.12)
    assert mean_by_site(np.ones(4), np.zeros(4, dtype=np.int64)) == (1.0, float("inf"))


def test_loss_grows_by_offset_and_slope_within_the_measured_distances() -> None:
    found = calibrate(drive(2, Truth(slope_db=10.0)), SETTINGS)
    near, far = found.distance_m
    distance = np.array([near / 10, near, found.reference_m, far, 10 * far])
    use = np.full(5, RESIDENTIAL, dtype=np.uint8)
    further = corrected_loss_db(found, np.full(5, 100.0), use, distance) - 100.0
    assert further[0] == further[1]
    assert further[3] == further[4]
    assert further[2] == pytest.approx(found.offset_db[RESIDENTIAL])
    assert further[3] - further[2] == pytest.approx(found.slope_db * np.log10(far / found.reference_m))
    assert np.isinf(corrected_loss_db(found, np.array([np.inf]), use[:1], distance[:1]))
    off = replace(found, applied=np.zeros(len(LAND_USES), dtype=bool))
    assert corrected_loss_db(off, np.full(5, 100.0), use, distance).tolist() == [100.0] * 5


def test_a_map_is_corrected_pixel_by_pixel() -> None:
    found = calibrate(drive(2, LIFTED), SETTINGS)
    grid = Grid("EPSG:32650", 0.0, 1_000.0, 50.0, 20, 20)
    random = np.random.default_rng(0)
    clutter = Raster(grid, random.integers(0, len(LAND_USES), (20, 20)).astype(np.uint8))
    window = Grid(grid.crs, 100.0, 900.0, 50.0, 10, 12)
    loss = random.integers(8_000, 14_000, (2, 10, 12)).astype(np.uint16)
    loss[:, 3, 4] = NOT_COVERED
    before = LossMap("a", 420.0, 610.0, 30.0, 1.5, (700.0, 2600.0), window, loss)
    after = corrected_map(found, before, clutter)
    for row, column in ((0, 0), (9, 11), (5, 2)):
        x, y = 100.0 + 50.0 * (column + 0.5), 900.0 - 50.0 * (row + 0.5)
        use = clutter.sample(np.array([x]), np.array([y]))
        distance = np.array([np.hypot(x - 420.0, y - 610.0)])
        expected = corrected_loss_db(found, before.loss_db()[1, row, column][None].astype(float), use, distance)
        assert after.loss_db()[1, row, column] == pytest.approx(expected[0], abs=0.006)
    assert (after.loss[:, 3, 4] == NOT_COVERED).all()
