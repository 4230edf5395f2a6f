"""Fit the propagation model to measured RSRP, by land use, or say why the data do not allow it.

The correction is a further loss for each land use of the receiver (drawn towards the offset common
to all, as far as the data of a land use are few) and, where the data ask for it, a slope over the
logarithm of distance. Points are thinned to local medians (``calibration_bins``) and fitted robustly
with the sites as random blocks (``calibration_fit``); of the corrections tried, no correction being
the simplest of all, the errors at sites held out choose (``calibration_holdout``): what does not lower
them is never applied. An offset common to all sites cannot be told from a wrong EIRP of all.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xinji.core.arrays import Bools, Codes, Floats, Ints
from xinji.core.calibration import ALL, MODELS, Calibration, Errors, Evidence, Verdict
from xinji.core.grid import Raster
from xinji.core.radio import CODES_PER_DB, NOT_COVERED, LossMap
from xinji.core.vocabulary import LAND_USES
from xinji.plan.radio.calibration_bins import (
    Bins,
    Comparison,
    bins_of,
    cut_off,
    decorrelation_m,
    floor_dbm,
    plausible,
    share_at_floor,
    spread_db,
    weighted,
)
from xinji.plan.radio.calibration_fit import Design, Fit, fit
from xinji.plan.radio.calibration_holdout import (
    HeldOut,
    errors_of,
    folds_of,
    held_out,
    jackknife_stderr_db,
    mean_by_site,
    simplest,
)
from xinji.plan.radio.calibration_settings import Settings
from xinji.plan.radio.calibration_verdicts import Facts, class_verdicts, doubts, fit_doubts, refusals, strange_sites

SURE_STDERRS = 2.0
"""Land uses without data enough of their own take the common offset only if it is so many standard errors from 0."""

_NAN = float("nan")
_UNKNOWN = Errors(_NAN, _NAN, _NAN)


def calibrate(points: Comparison, settings: Settings) -> Calibration:
    """Return the correction that ``points`` support, with the evidence; the identity where they do not."""
    bands = tuple(np.unique(points.band_mhz).tolist())
    far = points.take(points.distance_m >= settings.distance_min_m)
    if not len(far):
        nothing = f"no point lies {settings.distance_min_m:g} m or more from its site"
        return _identity(bands, (), (Verdict(ALL, "refused", nothing),))
    floor = floor_dbm(far.measured_dbm)
    sane = plausible(far, settings.bin_m, settings.tukey)
    every = bins_of(far.take(sane), settings.bin_m)
    lost = cut_off(every, floor, settings.floor_sigmas)
    sound = every.take(~lost)
    odd = strange_sites(sound, settings)
    kept = sound.take(~np.isin(sound.sites[sound.site], [name for name, _ in odd]))
    facts = Facts(floor, share_at_floor(far.measured_dbm, floor), float(lost.mean()), float(1.0 - sane.mean()), odd)
    doubtful = tuple(doubts(kept, facts, settings))
    refused = tuple(refusals(kept, settings))
    if refused:
        return _identity(bands, _bare_evidence(kept), (*refused, *doubtful))
    found = _fitted(_decorrelated(kept, settings), settings)
    return replace(found, bands_mhz=bands, verdicts=(*found.verdicts, *doubtful))


def corrected_loss_db(calibration: Calibration, loss_db: Floats, clutter_class: Codes, distance_m: Floats) -> Floats:
    """Return basic transmission loss [dB] with the correction; the arrays have one shape.

    ``clutter_class`` are codes of ``LAND_USES`` at the receiver, ``distance_m`` is from the site.
    An infinite loss stays infinite.
    """
    nearest, farthest = calibration.distance_m
    decades = np.log10(np.clip(distance_m, nearest, farthest) / calibration.reference_m)
    further = calibration.offset_db[clutter_class] + calibration.slope_db * decades
    return np.asarray(loss_db + np.where(calibration.applied[clutter_class], further, 0.0))


def corrected_map(calibration: Calibration, loss_map: LossMap, clutter: Raster) -> LossMap:
    """Return ``loss_map`` with the correction, by the land use of ``clutter`` under each pixel's centre.

    Losses stay within what a code can hold; pixels not covered stay so.
    """
    grid = loss_map.grid
    x = grid.west_m + (np.arange(grid.columns) + 0.5) * grid.cell_m
    y = grid.north_m - (np.arange(grid.rows) + 0.5) * grid.cell_m
    across, down = np.meshgrid(x, y)
    use = clutter.sample(across.ravel(), down.ravel()).reshape(across.shape)
    distance = np.hypot(across - loss_map.x_m, down - loss_map.y_m)
    further = corrected_loss_db(calibration, np.zeros(distance.shape), use, distance)
    codes = np.clip(np.rint(loss_map.loss + CODES_PER_DB * further), 0, NOT_COVERED - 1).astype(np.uint16)
    return replace(loss_map, loss=np.where(loss_map.loss == NOT_COVERED, np.uint16(NOT_COVERED), codes))


def _decorrelated(bins: Bins, settings: Settings) -> Bins:
    """Return ``bins`` with weights for what neighbours share, from the residuals of a first fit."""
    own, (decades, _) = _own_numbers(bins, settings), _decades(bins)
    design = _design(bins, own, decades, MODELS[-1])
    found = fit(design, settings.tukey)
    residual = bins.excess_db - found.correction_db(design.own, decades) - found.by_site[bins.site]
    return weighted(bins, decorrelation_m(bins, residual, settings.bin_m), settings.bin_m)


def _fitted(bins: Bins, settings: Settings) -> Calibration:
    """Return the correction that lowers the errors at sites held out, or the identity."""
    own, (decades, reference_m) = _own_numbers(bins, settings), _decades(bins)
    fold = folds_of(bins.site, settings.folds)
    tried = {
        name: held_out(_design(bins, own, decades, name), fold, settings.tukey)
        for name in _worth_trying(bins, own, settings)
    }
    errors = {MODELS[0]: bins.excess_db} | {name: bins.excess_db - of.correction_db for name, of in tried.items()}
    model = simplest(errors, bins.site)
    shown = model if model in tried else min(tried, key=lambda name: float(np.abs(errors[name]).mean()))
    design = _design(bins, own, decades, shown)
    found = fit(design, settings.tukey)
    if "class" not in shown:
        own = np.full(len(LAND_USES), -1, dtype=np.int64)
    evidence = _evidence(bins, design, found, tried[shown])
    rest = bins.excess_db - found.correction_db(design.own, design.decades)
    doubtful = tuple(fit_doubts(bins, rest, found.offset_db, settings))
    if model == MODELS[0]:
        refused = Verdict(ALL, "refused", _no_better(evidence[0], errors[shown], bins))
        return _identity((), evidence, (refused, *doubtful))
    sure = abs(evidence[0].offset_db) > SURE_STDERRS * evidence[0].stderr_db
    better = Verdict(ALL, "enough", _better(evidence[0], model))
    verdicts = (better, *class_verdicts(evidence, settings, common=sure), *doubtful)
    enough = _own_numbers(bins, settings) >= 0
    applied = np.where(enough, ~_worse(evidence), sure)
    if not applied.any():
        return _identity((), evidence, verdicts)
    return Calibration(
        model=model,
        offset_db=found.correction_db(own, np.zeros(len(LAND_USES))),
        applied=applied,
        slope_db=found.slope_db,
        reference_m=reference_m,
        distance_m=(float(bins.distance_m.min()), float(bins.distance_m.max())),
        sigma_db=_sigmas(bins, design, found, _own_numbers(bins, settings)),
        site_sigma_db=found.site_sigma_db,
        bands_mhz=(),
        evidence=evidence,
        verdicts=verdicts,
    )


def _own_numbers(bins: Bins, settings: Settings) -> Ints:
    """Return the number of each land use (land uses,) among those with data enough for their own offset, or -1."""
    pairs = np.unique(np.column_stack([bins.clutter_class, bins.site]), axis=0)
    sites = np.bincount(pairs[:, 0], minlength=len(LAND_USES))
    count = np.bincount(bins.clutter_class, minlength=len(LAND_USES))
    enough = (count >= settings.class_bins_min) & (sites >= settings.class_sites_min)
    return np.where(enough, np.cumsum(enough) - 1, -1).astype(np.int64)


def _decades(bins: Bins) -> tuple[Floats, float]:
    """Return the decades of distance of each bin (b,) from the median distance, and that [m]."""
    logs = np.log10(bins.distance_m)
    middle = float(np.median(logs))
    return logs - middle, float(np.clip(10.0**middle, bins.distance_m.min(), bins.distance_m.max()))


def _design(bins: Bins, own: Ints, decades: Floats, model: str) -> Design:
    by_class = "class" in model
    return Design(
        excess_db=bins.excess_db,
        decades=decades,
        own=own[bins.clutter_class] if by_class else np.full(len(bins), -1, dtype=np.int64),
        site=bins.site,
        weight=bins.weight,
        classes=int(own.max()) + 1 if by_class else 0,
        sites=len(bins.sites),
        slope="slope" in model,
    )


def _worth_trying(bins: Bins, own: Ints, settings: Settings) -> list[str]:
    """Return the corrections that data can tell apart: classes need two land uses, a slope a span of distance."""
    several = len(np.unique(own[bins.clutter_class])) > 1
    low, high = np.quantile(np.log10(bins.distance_m), [0.05, 0.95]).tolist()
    spans = high - low >= settings.decades_min
    return [name for name in MODELS[1:] if (several or "class" not in name) and (spans or "slope" not in name)]


def _evidence(bins: Bins, design: Design, found: Fit, held: HeldOut) -> tuple[Evidence, ...]:
    """Return the evidence of all land uses together, then of each that was measured."""
    everything = np.ones(len(bins), dtype=bool)
    common = replace(found, by_class=np.zeros(0))
    after_fit = bins.excess_db - found.correction_db(design.own, design.decades)
    rows = [(ALL, everything, -1)]
    for code in np.unique(bins.clutter_class).tolist():
        mine = bins.clutter_class == code
        rows.append((LAND_USES[code], mine, int(design.own[mine][0])))
    lines = []
    for subject, mine, number in rows:
        offset = common.offset_db + (float(found.by_class[number]) if number >= 0 else 0.0)
        stderr = max(found.stderr_db(number), jackknife_stderr_db(held.fits, number))
        line = replace(
            _counts(bins, mine, subject),
            offset_db=offset,
            stderr_db=stderr,
            spread_after_db=spread_db(after_fit[mine]),
            before=errors_of(bins.excess_db[mine]),
            after=errors_of((bins.excess_db - held.correction_db)[mine]),
        )
        lines.append(line)
    return tuple(lines)


def _bare_evidence(bins: Bins) -> tuple[Evidence, ...]:
    """Return what can be said without a fit: counts, median offsets and spreads."""
    if not len(bins):
        return ()
    lines = [_counts(bins, np.ones(len(bins), dtype=bool), ALL)]
    codes = np.unique(bins.clutter_class).tolist()
    return (*lines, *(_counts(bins, bins.clutter_class == code, LAND_USES[code]) for code in codes))


def _counts(bins: Bins, mine: Bools, subject: str) -> Evidence:
    excess = bins.excess_db[mine]
    return Evidence(
        subject=subject,
        points=int(bins.points[mine].sum()),
        bins=int(mine.sum()),
        effective_bins=float(bins.weight[mine].sum()),
        sites=len(np.unique(bins.site[mine])),
        offset_db=float(np.median(excess)),
        stderr_db=_NAN,
        spread_before_db=spread_db(excess),
        spread_after_db=_NAN,
        before=_UNKNOWN,
        after=_UNKNOWN,
    )


def _worse(evidence: tuple[Evidence, ...]) -> Bools:
    """Return which land uses (land uses,) the correction does not help at the sites held out."""
    worse = np.zeros(len(LAND_USES), dtype=bool)
    for one in evidence[1:]:
        worse[LAND_USES.index(one.subject)] = one.after.mae_db >= one.before.mae_db
    return worse


def _sigmas(bins: Bins, design: Design, found: Fit, enough: Ints) -> Floats:
    """Return the spread [dB] within a site of each land use with data ``enough`` (not -1), else that of all."""
    rest = bins.excess_db - found.correction_db(design.own, design.decades) - found.by_site[bins.site]
    sigma = np.full(len(LAND_USES), found.scale_db)
    for code in np.flatnonzero(enough >= 0).tolist():
        sigma[code] = spread_db(rest[bins.clutter_class == code])
    return sigma


def _better(one: Evidence, model: str) -> str:
    fell = f"from {one.before.mae_db:.2f} to {one.after.mae_db:.2f} dB"
    return f"the correction is {model}; at sites held out the mean absolute error goes {fell}"


def _no_better(one: Evidence, error_db: Floats, bins: Bins) -> str:
    gain, stderr = mean_by_site(np.abs(bins.excess_db) - np.abs(error_db), bins.site)
    found = f"at sites held out the best correction lowers the mean absolute error of {one.before.mae_db:.2f} dB"
    return f"{found} by {gain:.2f} dB, with a standard error of {stderr:.2f} dB: the model is left as it is"


def _identity(bands_mhz: tuple[int, ...], evidence: tuple[Evidence, ...], verdicts: tuple[Verdict, ...]) -> Calibration:
    """Return the calibration that changes nothing."""
    shape = len(LAND_USES)
    return Calibration(
        model=MODELS[0],
        offset_db=np.zeros(shape),
        applied=np.zeros(shape, dtype=bool),
        slope_db=0.0,
        reference_m=1.0,
        distance_m=(1.0, 1.0),
        sigma_db=np.full(shape, _NAN),
        site_sigma_db=_NAN,
        bands_mhz=bands_mhz,
        evidence=evidence,
        verdicts=verdicts,
    )
