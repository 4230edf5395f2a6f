"""Errors at sites that a fit has not seen, and the simplest correction that they justify.

Whole sites are held out (block cross-validation: D. R. Roberts et al., Ecography 40 (2017) 913), since
neighbouring points are alike. Of the corrections tried the simplest within one standard error of the
best is taken (L. Breiman et al., Classification and Regression Trees (1984), section 3.4.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.core.calibration import MODELS, Errors
from xinji.plan.radio.calibration_fit import Design, Fit, fit


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """The correction [dB] of each bin (b,) by the fit that did not see its site, and those fits."""

    correction_db: Floats
    fits: tuple[Fit, ...]


def folds_of(site: Ints, folds: int) -> Ints:
    """Return the fold of each bin (b,): whole sites, the largest first, each to the smallest fold so far."""
    count = np.bincount(site)
    fold, filled = np.zeros(len(count), dtype=np.int64), np.zeros(min(folds, len(count)))
    for largest in np.lexsort((np.arange(len(count)), -count)).tolist():
        fold[largest] = int(np.argmin(filled))
        filled[fold[largest]] += count[largest]
    return fold[site]


def held_out(design: Design, fold: Ints, constant: float) -> HeldOut:
    """Return what each bin's correction is when its fold is left out of the fit."""
    correction, fits = np.zeros(len(fold)), []
    for number in range(int(fold.max()) + 1):
        found = fit(design.take(np.flatnonzero(fold != number)), constant)
        out = fold == number
        correction[out] = found.correction_db(design.own[out], design.decades[out])
        fits.append(found)
    return HeldOut(correction, tuple(fits))


def errors_of(error_db: Floats) -> Errors:
    """Return the mean absolute, root mean square and mean of errors [dB] (n,), NaN where there are none."""
    if not len(error_db):
        return Errors(*[float("nan")] * 3)
    square = float(np.sqrt((error_db**2).mean()))
    return Errors(float(np.abs(error_db).mean()), square, float(error_db.mean()))


def mean_by_site(values: Floats, site: Ints) -> tuple[float, float]:
    """Return the mean of ``values`` (b,) and its standard error, the sites being what was drawn at random.

    The ratio estimator of cluster sampling (W. G. Cochran, Sampling Techniques (1977), section 9A.4). With
    one site the error is infinite.
    """
    mean, count = float(values.mean()), np.bincount(site)
    count, total = count[count > 0], np.bincount(site, weights=values)[count > 0]
    if len(count) < 2:
        return mean, float("inf")
    squares = float(((total - count * mean) ** 2).sum()) * len(count) / (len(count) - 1)
    return mean, float(np.sqrt(squares) / len(values))


def simplest(errors_db: Mapping[str, Floats], site: Ints) -> str:
    """Return the first of ``MODELS`` whose errors (b,) are within one standard error of the best model's."""
    tried = [name for name in MODELS if name in errors_db]
    sizes = {name: np.abs(errors_db[name]) for name in tried}
    best = min(tried, key=lambda name: (float(sizes[name].mean()), tried.index(name)))
    for name in tried:
        behind, stderr = mean_by_site(sizes[name] - sizes[best], site)
        if name == best or behind <= stderr:
            return name
    return best


def jackknife_stderr_db(fits: tuple[Fit, ...], own: int) -> float:
    """Return the standard error [dB] of a land use's offset from the fits without one fold each.

    The delete-a-group jackknife (J. Shao and D. Tu, The Jackknife and Bootstrap (1995), section 5.2); ``own`` is
    the number of the land use, -1 for those without an offset of their own.
    """
    offsets = np.array([one.offset_db + (one.by_class[own] if own >= 0 else 0.0) for one in fits])
    spread = ((offsets - offsets.mean()) ** 2).sum()
    return float(np.sqrt(spread * (len(fits) - 1) / len(fits)))
