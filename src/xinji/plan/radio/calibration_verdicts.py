"""Plain sentences on measurements: what they are enough for, what not, and what looks wrong in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.core.calibration import ALL, Evidence, Verdict
from xinji.core.vocabulary import LAND_USES
from xinji.plan.radio.calibration_bins import TO_SIGMA, Bins, group_medians
from xinji.plan.radio.calibration_holdout import mean_by_site
from xinji.plan.radio.calibration_settings import Settings

_POLISHES = 4


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen of the points before the fit.

    ``floor_dbm`` [dBm] is the lowest level, ``at_floor`` the share of points there, ``cut_off`` the
    share of bins where weaker levels would have been lost, ``outliers`` of points left out as gross
    outliers; ``odd_sites`` are the names of sites left out and how far [dB] their loss stands above the
    others'.
    """

    floor_dbm: float
    at_floor: float
    cut_off: float
    outliers: float
    odd_sites: tuple[tuple[str, float], ...]


def strange_sites(bins: Bins, settings: Settings) -> tuple[tuple[str, float], ...]:
    """Return the sites whose own offset [dB] stands far off the others', which points at the site's data.

    Land use is taken off first, by medians in turn. The score is that of B. Iglewicz and D. C. Hoaglin (How
    to Detect and Handle Outliers (1993), section 3.3), on the medians of sites with enough bins.
    """
    of_class, of_site = np.zeros(len(LAND_USES)), np.zeros(len(bins.sites))
    for _ in range(_POLISHES):
        of_class = group_medians(bins.excess_db - of_site[bins.site], bins.clutter_class, len(LAND_USES))
        of_site = group_medians(bins.excess_db - of_class[bins.clutter_class], bins.site, len(bins.sites))
    judged = np.flatnonzero(np.bincount(bins.site, minlength=len(bins.sites)) >= settings.site_bins_min)
    if len(judged) < settings.sites_min:
        return ()
    off = of_site[judged] - np.median(of_site[judged])
    limit = max(settings.site_offset_max_db, settings.site_score_max * TO_SIGMA * float(np.median(np.abs(off))))
    return tuple((str(bins.sites[judged[k]]), float(off[k])) for k in np.flatnonzero(np.abs(off) > limit))


def refusals(bins: Bins, settings: Settings) -> Iterator[Verdict]:
    """Yield why ``bins`` cannot be fitted at all."""
    square = f"{settings.bin_m:g} m"
    count = np.bincount(bins.site, minlength=len(bins.sites))
    sites = int((count >= settings.site_bins_min).sum())
    if sites < settings.sites_min:
        found = f"{sites} site{'s have' if sites != 1 else ' has'} at least {settings.site_bins_min} bins of {square}"
        why = "what holds at so few sites need not hold at the next"
        yield Verdict(ALL, "refused", f"{found}, {settings.sites_min} are needed: {why}")
    if len(bins) < settings.bins_min:
        yield Verdict(ALL, "refused", f"{len(bins)} bins of {square} are left, {settings.bins_min} are needed")
    if len(bins) and count.max() > settings.site_share_max * len(bins):
        share = f"{100 * count.max() / len(bins):.0f} % of the bins are of site {bins.sites[count.argmax()]}"
        yield Verdict(ALL, "refused", f"{share}, at most {100 * settings.site_share_max:.0f} % may be of one")


def doubts(bins: Bins, facts: Facts, settings: Settings) -> Iterator[Verdict]:
    """Yield what is to be looked into in the data, whatever the fit."""
    if facts.at_floor > settings.floor_share_max:
        found = f"{100 * facts.at_floor:.0f} % of the points stand at the lowest level, {facts.floor_dbm:.0f} dBm"
        why = "the receiver seems to write that where it hears less"
        yield Verdict(ALL, "doubt", f"{found}: {why}; bins near it are left out")
    if facts.cut_off > settings.cut_off_share_max:
        found = (
            f"{100 * facts.cut_off:.0f} % of the bins lie where levels below {facts.floor_dbm:.0f} dBm would be lost"
        )
        why = "weak levels are missing and the rest look too strong there"
        yield Verdict(ALL, "doubt", f"{found}: {why}; those bins are left out. Measure with a more sensitive receiver")
    if facts.outliers > settings.outlier_share_max:
        found = f"{100 * facts.outliers:.0f} % of the points are gross outliers of their land use and site"
        look = "look for indoor points, lost positions and wrong serving sites"
        yield Verdict(ALL, "doubt", f"{found}: they are left out; {look}")
    for name, off in facts.odd_sites:
        side = "weaker" if off > 0 else "stronger"
        found = f"its levels are {abs(off):.0f} dB {side} than the other sites' against the prediction"
        look = "an offset of one site points at its own data, not at the model"
        yield Verdict(name, "doubt", f"{found}: {look}. Check EIRP, height, azimuth and name; it is left out")
    if len(bins):
        low, high = np.quantile(bins.predicted_dbm, [0.05, 0.95]).tolist()
        if high - low < settings.level_range_min_db:
            found = f"predicted levels span {high - low:.0f} dB only (5 to 95 % of the bins)"
            yield Verdict(ALL, "doubt", f"{found}: they say little of places nearer or farther")


def fit_doubts(bins: Bins, rest_db: Floats, offset_db: float, settings: Settings) -> Iterator[Verdict]:
    """Yield what is to be looked into after a fit that leaves ``rest_db`` (b,) and found ``offset_db`` for all."""
    if abs(offset_db) > settings.offset_doubtful_db:
        found = f"the offset common to all land uses is {offset_db:+.0f} dB"
        look = "so much points at EIRP, feeder loss, terminal gain or height rather than at the ground"
        yield Verdict(ALL, "doubt", f"{found}: {look}; measurements alone cannot tell them apart")
    bands: Ints = np.unique(bins.band_mhz)
    for band in bands.tolist() if len(bands) > 1 else []:
        mine = bins.band_mhz == band
        mean, stderr = mean_by_site(rest_db[mine], bins.site[mine])
        if abs(mean) > max(settings.band_bias_max_db, 2.0 * stderr):
            found = f"{band} MHz stays {mean:+.1f} dB off after the correction"
            yield Verdict(f"{band} MHz", "doubt", f"{found}: check its EIRP, or calibrate the bands one by one")


def class_verdicts(evidence: tuple[Evidence, ...], settings: Settings, *, common: bool) -> Iterator[Verdict]:
    """Yield what the data of each land use are enough for, where some correction was found to help.

    ``common`` says whether those without enough take the offset common to all.
    """
    offset = f"{evidence[0].offset_db:+.1f} dB, standard error {evidence[0].stderr_db:.1f} dB"
    taken = f"it takes the offset common to all ({offset})"
    left = f"the offset common to all ({offset}) is too unsure, and the model is left as it is"
    missing = taken if common else left
    yield Verdict("land uses not measured", "enough" if common else "refused", missing.replace("it takes", "they take"))
    for one in evidence:
        if one.subject == ALL:
            continue
        found = f"{one.bins} bins at {one.sites} sites"
        if one.bins < settings.class_bins_min or one.sites < settings.class_sites_min:
            needed = f"{settings.class_bins_min} bins at {settings.class_sites_min} sites are needed"
            yield Verdict(one.subject, "refused", f"{found}, {needed}: {missing}")
        elif one.after.mae_db >= one.before.mae_db:
            grew = f"at sites held out the error would go from {one.before.mae_db:.2f} to {one.after.mae_db:.2f} dB"
            yield Verdict(one.subject, "refused", f"{grew}: the model is left as it is")
        else:
            fell = f"at sites held out the error goes from {one.before.mae_db:.2f} to {one.after.mae_db:.2f} dB"
            yield Verdict(one.subject, "enough", f"{found}; {fell}")
