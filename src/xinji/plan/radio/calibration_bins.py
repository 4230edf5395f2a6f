"""Measured levels against predicted ones: local medians on bins, what they are worth, which are cut off.

Levels vary quickly over a few wavelengths, and slowly over tens of metres. Medians over bins of more
than 40 wavelengths leave the slow part (W. C. Y. Lee, "Estimate of local average power of a mobile radio
signal", IEEE Trans. Veh. Technol. 34 (1985) 22). Neighbouring bins still share much of it
(M. Gudmundson, "Correlation model for shadow fading in mobile radio systems", Electronics Letters 27
(1991) 2145: an exponential of distance), so that each counts for less than one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from xinji.core.arrays import Bools, Codes, Floats, Ints, Strings, freeze, row_faults, shape_faults
from xinji.core.vocabulary import LAND_USES
from xinji.errors import Fault, InputError, raise_if

TO_SIGMA = 1.4826
"""The standard deviation of normal errors is so many times their median absolute deviation."""

FLOOR_QUANTILE = 0.001
"""The receiver's floor is taken as this quantile of the levels, so that one stray value does not set it."""

_NEIGHBOURS_BINS = 6.0
_DECORRELATION_MAX_BINS = 4.0
_CLIP = 2.5
_ROUNDS = 20
_CROWD = 3
_LEAST_SPREAD_DB = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Points (n) measured and predicted: place [m], RSRP [dBm], land use, serving site, band, distance to it [m]."""

    x_m: Floats
    y_m: Floats
    measured_dbm: Floats
    predicted_dbm: Floats
    clutter_class: Codes
    site: Strings
    band_mhz: Ints
    distance_m: Floats

    def __post_init__(self) -> None:
        raise_if(self._faults(), InputError)
        freeze(*(getattr(self, name) for name in self.__slots__))

    def __len__(self) -> int:
        return len(self.x_m)

    def take(self, rows: Bools) -> Comparison:
        """Return the points where ``rows`` (n,) is true."""
        return Comparison(*(getattr(self, name)[rows] for name in self.__slots__))

    def _faults(self) -> Iterator[Fault]:
        n = (len(self.x_m),)
        wrong = list(shape_faults("comparison", [(name, getattr(self, name), n) for name in self.__slots__]))
        yield from wrong
        if wrong:
            return
        for name in ("x_m", "y_m", "measured_dbm", "predicted_dbm"):
            bad = ~np.isfinite(getattr(self, name))
            yield from row_faults("comparison", bad, f"{name} is missing", "Leave the point out.")
        near = ~(np.isfinite(self.distance_m) & (self.distance_m > 0))
        yield from row_faults("comparison", near, "the distance is not positive", "Leave the point out.")
        strange = self.clutter_class >= len(LAND_USES)
        yield from row_faults("comparison", strange, "unknown land use", "Use codes of LAND_USES.")


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """Local medians (b) by site, band, land use and square of the ground.

    ``excess_db`` is the predicted less the measured level: what the model lacks in loss.
    ``site`` are positions in ``sites``; ``weight`` (b,), 0 to 1, is what a bin counts for beside its
    neighbours; ``points`` were measured in it.
    """

    x_m: Floats
    y_m: Floats
    excess_db: Floats
    predicted_dbm: Floats
    clutter_class: Ints
    site: Ints
    band_mhz: Ints
    distance_m: Floats
    points: Ints
    weight: Floats
    sites: Strings

    def __post_init__(self) -> None:
        freeze(*(getattr(self, name) for name in self.__slots__))

    def __len__(self) -> int:
        return len(self.x_m)

    def take(self, rows: Bools) -> Bins:
        """Return the bins where ``rows`` (b,) is true; ``sites`` keeps only theirs."""
        kept = {name: getattr(self, name)[rows] for name in self.__slots__ if name != "sites"}
        names, place = np.unique(self.sites[kept["site"]], return_inverse=True)
        kept["site"] = place.astype(np.int64)
        return Bins(**kept, sites=names)


def plausible(points: Comparison, bin_m: float, constant: float) -> Bools:
    """Return which points (n,) are no gross outliers, neither in their bin nor of their land use and site.

    Those within ``constant`` standard deviations of the median, first of their bin, then of land use
    and site; medians and deviations are taken anew of what is left until nothing changes. Of normal
    errors about one in 200 goes at a constant of 3.44, on both sides alike.
    """
    names, site = np.unique(points.site, return_inverse=True)
    use, excess = points.clutter_class.astype(np.int64), points.predicted_dbm - points.measured_dbm
    group, first = _groups(points, site.astype(np.int64), bin_m)

    def off_bin(keep: Bools) -> Floats:
        return excess - group_medians(excess[keep], group[keep], len(first))[group]

    def off_site(keep: Bools) -> Floats:
        rest = excess - group_medians(excess[keep], use[keep], len(LAND_USES))[use]
        return rest - group_medians(rest[keep], site[keep], len(names))[site]

    crowded = np.bincount(group)[group] >= _CROWD
    sound = _within(off_bin, crowded, crowded, constant) | ~crowded
    return _within(off_site, sound, sound, constant)


def _within(rest_of: Callable[[Bools], Floats], start: Bools, judged: Bools, constant: float) -> Bools:
    """Return which of the ``judged`` points (n,) are within ``constant`` deviations of what is kept of them."""
    keep = start
    for _ in range(_ROUNDS):
        if not keep.any():
            break
        rest = np.abs(rest_of(keep))
        # A point that is the median of its bin is off by nothing, which says nothing of the spread.
        off = rest[keep & (rest > 0.0)]
        spread = TO_SIGMA * float(np.median(off)) if len(off) else 0.0
        fresh = judged & (rest <= constant * max(spread, _LEAST_SPREAD_DB))
        if (fresh == keep).all():
            break
        keep = fresh
    return keep


def _groups(points: Comparison, site: Ints, bin_m: float) -> tuple[Ints, Ints]:
    """Return the bin of each point (n,) and a point of each bin (b,); ``site`` (n,) counts the sites."""
    squares = [np.floor(axis / bin_m).astype(np.int64) for axis in (points.x_m, points.y_m)]
    keys = [points.clutter_class.astype(np.int64), points.band_mhz, *squares, site]
    order = np.lexsort(keys)
    changes = np.zeros(len(points), dtype=bool)
    changes[:1] = True
    for key in keys:
        changes[1:] |= np.diff(key[order]) != 0
    group = np.empty(len(points), dtype=np.int64)
    group[order] = np.cumsum(changes) - 1
    return group, order[changes]


def bins_of(points: Comparison, bin_m: float) -> Bins:
    """Return the medians of ``points`` on squares of side ``bin_m`` [m]; each weighs 1."""
    names, site = np.unique(points.site, return_inverse=True)
    group, first = _groups(points, site.astype(np.int64), bin_m)
    excess = points.predicted_dbm - points.measured_dbm
    columns = (points.x_m, points.y_m, excess, points.predicted_dbm, points.distance_m)
    x_m, y_m, excess_db, predicted_dbm, distance_m = (group_medians(column, group, len(first)) for column in columns)
    return Bins(
        x_m=x_m,
        y_m=y_m,
        excess_db=excess_db,
        predicted_dbm=predicted_dbm,
        clutter_class=points.clutter_class[first].astype(np.int64),
        site=site[first].astype(np.int64),
        band_mhz=points.band_mhz[first],
        distance_m=distance_m,
        points=np.bincount(group, minlength=len(first)).astype(np.int64),
        weight=np.ones(len(first)),
        sites=names,
    )


def group_medians(values: Floats, group: Ints, groups: int) -> Floats:
    """Return the median of ``values`` (n,) in each of ``groups`` (0 where a group is empty)."""
    order = np.lexsort((values, group))
    count = np.bincount(group, minlength=groups)
    start = np.cumsum(count) - count
    ranked = np.append(values[order], 0.0)
    low, high = start + np.maximum(count - 1, 0) // 2, start + count // 2
    return np.where(count > 0, 0.5 * (ranked[low] + ranked[high]), 0.0)


def spread_db(values: Floats) -> float:
    """Return a standard deviation that gross outliers hardly move: the scaled median absolute deviation."""
    return TO_SIGMA * float(np.median(np.abs(values - np.median(values)))) if len(values) else float("nan")


def decorrelation_m(bins: Bins, residual_db: Floats, bin_m: float) -> float:
    """Return the distance over which the residuals (b,) of a site lose their correlation to 1/e [m], 0 if none.

    From the correlation of adjacent bins and Gudmundson's exponential; at most four bins, since what
    reaches farther is a matter of the site. Residuals are clipped, so that outliers do not hide it.
    """
    sigma = spread_db(residual_db)
    pairs, distance = _neighbours(bins, 1.5 * bin_m)
    if not len(pairs) or not sigma > 0:
        return 0.0
    clipped = np.clip((residual_db - np.median(residual_db)) / sigma, -_CLIP, _CLIP)
    correlation = float((clipped[pairs[:, 0]] * clipped[pairs[:, 1]]).mean() / (clipped**2).mean())
    if correlation <= 0.0:
        return 0.0
    longest = _DECORRELATION_MAX_BINS * bin_m
    return float(min(longest, -distance.mean() / np.log(min(correlation, 0.999))))


def weighted(bins: Bins, decorrelation: float, bin_m: float) -> Bins:
    """Return ``bins`` with the weight of each beside its neighbours of the same site and band.

    The weight is one by the sum of its correlations with them and itself, at ``decorrelation`` [m];
    the weights add up to about as many uncorrelated bins as would fix the mean as well.
    """
    if decorrelation <= 0.0:
        return bins
    pairs, distance = _neighbours(bins, _NEIGHBOURS_BINS * bin_m)
    shared = np.exp(-distance / decorrelation)
    total = np.ones(len(bins))
    for end in (0, 1):
        total += np.bincount(pairs[:, end], weights=shared, minlength=len(bins))
    return replace(bins, weight=1.0 / total)


def _neighbours(bins: Bins, radius_m: float) -> tuple[Ints, Floats]:
    """Return pairs (k, 2) of bins of one site and band within ``radius_m``, and their distances [m]."""
    _, layer = np.unique(np.column_stack([bins.site, bins.band_mhz]), axis=0, return_inverse=True)
    places = np.column_stack([bins.x_m, bins.y_m, layer.ravel() * 10.0 * radius_m])
    pairs: Ints = cKDTree(places).query_pairs(radius_m, output_type="ndarray").astype(np.int64)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    return pairs, np.asarray(np.linalg.norm(places[pairs[:, 0]] - places[pairs[:, 1]], axis=1))


def floor_dbm(measured_dbm: Floats) -> float:
    """Return the level [dBm] below which (nearly) nothing was measured."""
    return float(np.quantile(measured_dbm, FLOOR_QUANTILE))


def share_at_floor(measured_dbm: Floats, floor: float) -> float:
    """Return the share of levels within 1 dB of ``floor`` or below it: a receiver that stops there piles them up."""
    return float((measured_dbm <= floor + 1.0).mean())


def cut_off(bins: Bins, floor: float, sigmas: float) -> Bools:
    """Return which bins (b,) lie where the receiver would have lost weak levels.

    A bin is cut off if its predicted level, shifted by the median excess of the others, is not at least
    ``sigmas`` standard deviations above ``floor`` [dBm]. What is chosen by the prediction alone, and
    not by the level measured, leaves the rest unbiased.
    """
    lost = np.zeros(len(bins), dtype=bool)
    for _ in range(_ROUNDS):
        rest = bins.excess_db[~lost]
        if not len(rest):
            break
        edge = floor + sigmas * spread_db(rest) + float(np.median(rest))
        fresh = bins.predicted_dbm < edge
        if (fresh == lost).all():
            break
        lost = fresh
    return lost
