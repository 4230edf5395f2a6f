"""A robust mixed model: an offset for each land use, drawn towards that of all; sites as random blocks.

The excess loss of bin i, of land use c, at site s and distance d is

    y = offset + u(c) + slope log10(d / reference) + v(s) + e,

u and v normal about 0 with standard deviations that the data tell. Henderson's mixed-model
equations (C. R. Henderson, Biometrics 31 (1975) 423) give offset, slope, u and v; the fixed point of
W. H. Fellner (Robust estimation of variance components, Technometrics 28 (1986) 51) the deviations.
Gross outliers are weighted down by Tukey's bisquare (A. E. Beaton and J. W. Tukey, Technometrics 16
(1974) 147), reweighted until nothing moves; the spread is the scaled median absolute deviation of what
keeps a weight.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.plan.radio.calibration_bins import TO_SIGMA, group_medians

ROUNDS_MAX = 400
_STILL_DB = 1e-4
_LEAST_DB = 1e-3
_SITE, _CLASS = 0, 1


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """What is fitted: excess [dB], decades of distance, land use, site and weight of each bin (b,).

    ``own`` (b,) counts the land uses with an offset of their own from 0, -1 for all others.
    """

    excess_db: Floats
    decades: Floats
    own: Ints
    site: Ints
    weight: Floats
    classes: int
    sites: int
    slope: bool

    def take(self, rows: Ints) -> Design:
        """Return the design of the bins at positions ``rows``; sites are counted anew."""
        names, site = np.unique(self.site[rows], return_inverse=True)
        columns = {name: getattr(self, name)[rows] for name in ("excess_db", "decades", "own", "weight")}
        return replace(self, **columns, site=site.astype(np.int64), sites=len(names))


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """What was found [dB]: ``offset``, ``slope`` a decade, ``by_class`` (classes,), ``by_site`` (sites,).

    ``covariance`` (1 + classes, 1 + classes) is of the errors of offset and ``by_class``;
    ``scale_db`` the spread of bins within a site and land use, ``class_sigma_db`` and
    ``site_sigma_db`` of the offsets; ``bin_variance`` [dB squared] that of a bin of weight 1 in the
    equations.
    """

    offset_db: float
    slope_db: float
    by_class: Floats
    by_site: Floats
    covariance: Floats
    scale_db: float
    class_sigma_db: float
    site_sigma_db: float
    bin_variance: float

    def correction_db(self, own: Ints, decades: Floats) -> Floats:
        """Return the further loss [dB] (n,) at a site that was not measured."""
        return self.offset_db + np.append(self.by_class, 0.0)[own] + self.slope_db * decades

    def stderr_db(self, own: int) -> float:
        """Return the standard error [dB] of the offset of a land use by its number; -1 is that of all."""
        pick = np.zeros(len(self.covariance))
        pick[0] = 1.0
        if own >= 0:
            pick[1 + own] = 1.0
        return float(np.sqrt(np.maximum(pick @ self.covariance @ pick, 0.0)))


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Weighted sums by site and land use (sites, 1 + classes), those without an offset of their own first."""

    one: Floats
    decades: Floats
    decades2: Floats
    excess: Floats
    product: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Solution:
    """Solution of the mixed-model equations: effects, and their error covariance by unit of error variance."""

    effect: Floats
    by_site: Floats
    inverse: Floats
    site_variance: Floats


def bisquare(residual: Floats, scale: float, constant: float) -> Floats:
    """Return Tukey's bisquare weights, 0 to 1, of residuals beside their ``scale``."""
    squares = np.minimum((residual / (constant * scale)) ** 2, 1.0)
    return np.asarray((1.0 - squares) ** 2)


def error_variance(residual: Floats, scale: float, constant: float, weight: Floats) -> float:
    """Return the variance that an M-estimate's errors follow (P. J. Huber, Robust Statistics (1981), section 3.2).

    It is the mean of psi squared by the square of the mean of its derivative, times the scale squared.
    """
    u = residual / scale
    t2 = np.minimum((u / constant) ** 2, 1.0)
    psi2 = np.average((u * (1.0 - t2) ** 2) ** 2, weights=weight)
    slope = np.average((1.0 - t2) * (1.0 - 5.0 * t2), weights=weight)
    # Where more than half of the bins are outliers the derivative may vanish; the spread then stands alone.
    return float(scale**2 * psi2 / slope**2) if slope > 0.1 else float(scale**2)


def fit(design: Design, constant: float) -> Fit:
    """Return the robust mixed fit of ``design``, with Tukey's ``constant``; see the module."""
    offset, by_class, by_site = _start(design)
    slope = 0.0
    sigma, scale = [_spread(by_site), _spread(by_class)], np.inf
    for _ in range(ROUNDS_MAX):
        mean = offset + np.append(by_class, 0.0)[design.own] + slope * design.decades + by_site[design.site]
        residual = design.excess_db - mean
        scale = _scale(residual, scale, constant)
        robust = bisquare(residual, scale, constant)
        variance = _working_variance(design, residual, robust, (scale, constant))
        found = _solve(_sums(design, design.weight * robust), design, variance, sigma)
        old = np.concatenate([[offset, slope, *sigma], by_class, by_site])
        offset, slope, by_class = _parts(design, found.effect)
        by_site = found.by_site
        sigma = _sigmas(design, found, variance, sigma)
        fresh = np.concatenate([[offset, slope, *sigma], by_class, by_site])
        if np.abs(fresh - old).max() < _STILL_DB:
            break
    return Fit(
        offset_db=offset,
        slope_db=slope,
        by_class=by_class,
        by_site=by_site,
        covariance=variance * _without_slope(design, found.inverse),
        scale_db=scale,
        class_sigma_db=sigma[_CLASS],
        site_sigma_db=sigma[_SITE],
        bin_variance=variance,
    )


def _start(design: Design) -> tuple[float, Floats, Floats]:
    """Return offset, class and site effects by medians: first of all, then of classes, then of sites."""
    offset = float(np.median(design.excess_db))
    rest = design.excess_db - offset
    by_class = group_medians(rest, design.own + 1, design.classes + 1)[1:]
    rest = rest - np.append(by_class, 0.0)[design.own]
    return offset, by_class, group_medians(rest, design.site, design.sites)


def _spread(effects: Floats) -> float:
    return max(float(np.sqrt(np.mean(effects**2))) if len(effects) else 0.0, 1.0)


def _scale(residual: Floats, old: float, constant: float) -> float:
    """Return the spread of the residuals that the bisquare gave a weight beside the ``old`` one.

    What has no weight does not widen the spread either, so that outliers on one side lose their hold.
    """
    size = np.abs(residual)
    within = size[size <= constant * old]
    return max(TO_SIGMA * float(np.median(within if len(within) else size)), _LEAST_DB)


def _working_variance(design: Design, residual: Floats, robust: Floats, tuning: tuple[float, float]) -> float:
    """Return the variance of a bin of weight 1 that makes the equations' own errors those of the M-estimate."""
    scale, constant = tuning
    total = float(design.weight.sum())
    variance = error_variance(residual, scale, constant, design.weight)
    lost = design.sites + design.classes + design.slope
    freedom = max(total - lost, 0.25 * total)
    return max(variance * float((design.weight * robust).sum()) / freedom, _LEAST_DB**2)


def _sums(design: Design, weight: Floats) -> _Sums:
    shape = (design.sites, design.classes + 1)
    group = design.site * shape[1] + design.own + 1

    def total(values: Floats) -> Floats:
        summed = np.bincount(group, weights=weight * values, minlength=shape[0] * shape[1])
        return np.asarray(summed.reshape(shape), dtype=np.float64)

    z, y = design.decades, design.excess_db
    return _Sums(total(np.ones_like(y)), total(z), total(z * z), total(y), total(z * y))


def _solve(sums: _Sums, design: Design, variance: float, sigma: list[float]) -> _Solution:
    """Solve Henderson's equations with the sites absorbed; effects are offset, (slope,) classes."""
    slope, classes = int(design.slope), design.classes
    size = 1 + slope + classes
    sites = np.zeros((design.sites, size))
    sites[:, 0] = sums.one.sum(axis=1)
    sites[:, 1 + slope :] = sums.one[:, 1:]
    matrix = np.zeros((size, size))
    matrix[0] = matrix[:, 0] = sites.sum(axis=0)
    own = np.arange(1 + slope, size)
    matrix[own, own] = sites.sum(axis=0)[own] + variance / sigma[_CLASS] ** 2
    right = np.zeros(size)
    right[0], right[own] = sums.excess.sum(), sums.excess[:, 1:].sum(axis=0)
    if slope:
        sites[:, 1] = sums.decades.sum(axis=1)
        matrix[0, 1] = matrix[1, 0] = sums.decades.sum()
        matrix[1, own] = matrix[own, 1] = sums.decades[:, 1:].sum(axis=0)
        matrix[1, 1], right[1] = sums.decades2.sum(), sums.product.sum()
    held = sums.one.sum(axis=1) + variance / sigma[_SITE] ** 2
    scaled = sites / held[:, None]
    level = sums.excess.sum(axis=1)
    inverse = np.linalg.pinv(matrix - sites.T @ scaled, hermitian=True)
    effect = inverse @ (right - scaled.T @ level)
    by_site = level / held - scaled @ effect
    return _Solution(effect, by_site, inverse, 1.0 / held + np.einsum("ij,jk,ik->i", scaled, inverse, scaled))


def _sigmas(design: Design, found: _Solution, variance: float, sigma: list[float]) -> list[float]:
    """Return the standard deviations of sites and classes after one step of Fellner's fixed point."""
    first = len(found.effect) - design.classes
    of_class = (found.effect[first:], variance * np.diag(found.inverse)[first:])
    of_site = (found.by_site, variance * found.site_variance)
    return [_sigma(*effects, old) for effects, old in zip((of_site, of_class), sigma, strict=True)]


def _sigma(effect: Floats, error_variance_db2: Floats, old: float) -> float:
    """Return the effects' squares by how many of them the data tell apart from 0."""
    told = len(effect) - float(error_variance_db2.sum()) / old**2
    return max(float(np.sqrt((effect**2).sum() / max(told, 1e-9))), _LEAST_DB) if len(effect) else _LEAST_DB


def _parts(design: Design, effect: Floats) -> tuple[float, float, Floats]:
    first = len(effect) - design.classes
    return float(effect[0]), float(effect[1]) if design.slope else 0.0, effect[first:]


def _without_slope(design: Design, inverse: Floats) -> Floats:
    keep = [0, *range(1 + design.slope, len(inverse))]
    return np.asarray(inverse[np.ix_(keep, keep)])
