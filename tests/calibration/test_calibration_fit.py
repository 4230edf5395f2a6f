from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from xinji.core.arrays import Floats
from xinji.io.parameters import load
from xinji.plan.radio.calibration_fit import Design, bisquare, error_variance, fit
from xinji.plan.radio.calibration_settings import read_settings

TUKEY = read_settings(load("cn")).tukey
NEVER = 1e6
"""A constant that weighs nothing down: the fit is then an ordinary mixed model."""


def a_design(seed: int, *, slope: bool = True, bins: int = 240, sites: int = 6, classes: int = 3) -> Design:
    random = np.random.default_rng(seed)
    own = random.integers(-1, classes, bins)
    site = np.concatenate([np.arange(sites), random.integers(0, sites, bins - sites)])
    decades = random.uniform(-0.6, 0.6, bins)
    excess = 3.0 + np.append(random.normal(0, 4, classes), 0)[own] + random.normal(0, 2, sites)[site] + 9.0 * decades
    return Design(
        excess_db=excess + random.normal(0, 6, bins),
        decades=decades,
        own=own.astype(np.int64),
        site=site.astype(np.int64),
        weight=random.uniform(0.3, 1.0, bins),
        classes=classes,
        sites=sites,
        slope=slope,
    )


def dense(design: Design, sigmas: tuple[float, float, float]) -> tuple[Floats, Floats, Floats, Floats]:
    """Return fixed effects, class and site effects by the full covariance matrix, and that of the fixed effects."""
    variance, of_class, of_site = sigmas
    fixed = np.column_stack([np.ones(len(design.own)), *([design.decades] if design.slope else [])])
    by_class = (design.own[:, None] == np.arange(design.classes)).astype(float)
    by_site = (design.site[:, None] == np.arange(design.sites)).astype(float)
    full = np.diag(variance / design.weight) + of_class**2 * by_class @ by_class.T + of_site**2 * by_site @ by_site.T
    inverse = np.linalg.inv(full)
    covariance = np.linalg.inv(fixed.T @ inverse @ fixed)
    effect = covariance @ fixed.T @ inverse @ design.excess_db
    rest = inverse @ (design.excess_db - fixed @ effect)
    return effect, of_class**2 * by_class.T @ rest, of_site**2 * by_site.T @ rest, covariance


@pytest.mark.parametrize("slope", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_without_outliers_it_is_generalised_least_squares(seed: int, slope: bool) -> None:  # noqa: FBT001
    design = a_design(seed, slope=slope)
    found = fit(design, NEVER)
    effect, by_class, by_site, covariance = dense(
        design, (found.bin_variance, found.class_sigma_db, found.site_sigma_db)
    )
    assert found.offset_db == pytest.approx(effect[0], abs=2e-3)
    assert found.slope_db == pytest.approx(effect[1] if slope else 0.0, abs=2e-3)
    np.testing.assert_allclose(found.by_class, by_class, atol=2e-3)
    np.testing.assert_allclose(found.by_site, by_site, atol=2e-3)
    assert found.stderr_db(-1) == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_the_spreads_of_sites_and_classes_maximise_the_restricted_likelihood(seed: int) -> None:
    design = a_design(seed, bins=400, sites=9)
    found = fit(design, NEVER)

    def deviance(of_class: float, of_site: float) -> float:
        fixed = np.column_stack([np.ones(len(design.own)), design.decades])
        by_class = (design.own[:, None] == np.arange(design.classes)).astype(float)
        by_site = (design.site[:, None] == np.arange(design.sites)).astype(float)
        full = np.diag(found.bin_variance / design.weight) + of_class**2 * by_class @ by_class.T
        full += of_site**2 * by_site @ by_site.T
        inverse = np.linalg.inv(full)
        middle = fixed.T @ inverse @ fixed
        rest = design.excess_db - fixed @ np.linalg.solve(middle, fixed.T @ inverse @ design.excess_db)
        return float(np.linalg.slogdet(full)[1] + np.linalg.slogdet(middle)[1] + rest @ inverse @ rest)

    best = deviance(found.class_sigma_db, found.site_sigma_db)
    for factor in (0.9, 1.1):
        assert deviance(factor * found.class_sigma_db, found.site_sigma_db) > best
        assert deviance(found.class_sigma_db, factor * found.site_sigma_db) > best


def test_the_constant_gives_an_efficiency_of_85_percent() -> None:
    def psi(u: float) -> float:
        return u * float(bisquare(np.array([u]), 1.0, TUKEY)[0])

    def slope(u: float) -> float:
        return (psi(u + 1e-5) - psi(u - 1e-5)) / 2e-5

    square = quad(lambda u: psi(u) ** 2 * norm.pdf(u), -TUKEY, TUKEY)[0]
    mean = quad(lambda u: slope(u) * norm.pdf(u), -TUKEY, TUKEY)[0]
    assert mean**2 / square == pytest.approx(0.85, abs=0.002)


def test_the_error_variance_is_that_of_repeated_estimates() -> None:
    random = np.random.default_rng(3)
    estimates, told = [], []
    for _ in range(400):
        sample = random.standard_t(3, 120)
        centre, scale = float(np.median(sample)), 1.4826 * float(np.median(np.abs(sample - np.median(sample))))
        for _ in range(30):
            weight = bisquare(sample - centre, scale, TUKEY)
            centre = float((weight * sample).sum() / weight.sum())
        estimates.append(centre)
        told.append(error_variance(sample - centre, scale, TUKEY, np.ones(120)) / 120)
    assert float(np.mean(told)) == pytest.approx(float(np.var(estimates)), rel=0.15)


@given(st.integers(0, 5), st.floats(-80.0, 80.0))
@settings(max_examples=25, deadline=None)
def test_a_common_shift_moves_the_offset_alone(seed: int, shift_db: float) -> None:
    design = a_design(seed)
    found, moved = fit(design, TUKEY), fit(replace(design, excess_db=design.excess_db + shift_db), TUKEY)
    assert moved.offset_db - found.offset_db == pytest.approx(shift_db, abs=1e-3)
    np.testing.assert_allclose(moved.by_class, found.by_class, atol=1e-3)
    assert moved.slope_db == pytest.approx(found.slope_db, abs=1e-3)
    assert moved.stderr_db(0) == pytest.approx(found.stderr_db(0), rel=1e-3)


@given(st.integers(0, 5), st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_the_order_of_bins_does_not_matter(seed: int, random: object) -> None:
    design = a_design(seed)
    order = np.random.default_rng(hash(random) % 2**32).permutation(len(design.own))
    found, moved = fit(design, TUKEY), fit(design.take(order), TUKEY)
    assert moved.offset_db == pytest.approx(found.offset_db, abs=1e-3)
    np.testing.assert_allclose(moved.by_class, found.by_class, atol=1e-3)


def test_small_classes_are_drawn_to_the_offset_of_all() -> None:
    """With equal own means, fewer bins leave less of the difference."""
    random = np.random.default_rng(0)
    size = {0: 4, 1: 400, 2: 400, 3: 400}
    own = np.repeat(list(size), list(size.values()))
    mean = np.array([6.0, 6.0, -6.0, 0.0])[own]
    noise = random.normal(0, 8, len(own))
    for code in size:
        noise[own == code] -= noise[own == code].mean()
    site = np.arange(len(own)) % 10
    design = Design(mean + noise, np.zeros(len(own)), own, site, np.ones(len(own)), 4, 10, slope=False)
    found = fit(design, NEVER)
    assert 0.2 < found.by_class[0] < 0.9 * found.by_class[1]
