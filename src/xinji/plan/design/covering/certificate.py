"""The proof of a covering plan, by one pass over prices of demand points.

A point i is worth ``w`` where a chosen site covers it. For any price ``u`` in [0, w] of the point
its worth is at most ``w - u`` plus ``u`` for each chosen site that covers it (weak duality, Church
and ReVelle's maximal covering, Papers Reg. Sci. Assoc. 32, 1974). So no choice is worth more than
``sum(w - u)`` plus the most that sites within the budget earn at these prices.

Cuts sharpen this. For three points the sum of their lists and of ``z <= 1``, halved and rounded
down, gives ``z1 + z2 + z3 <= 1 + sum of ceil(k / 2) x``, where k of the three lists hold the site (a
Chvatal-Gomory cut with halves: Caprara and Fischetti, Math. Prog. 74, 1996). A cut of price v at
least 0 adds v, takes v off what each of its points can still be worth, and pays ``v ceil(k / 2)`` to
the sites. Plain numpy, apart from the search.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from xinji.core.arrays import Floats, Ints, freeze
from xinji.errors import Fault, InputError, raise_if
from xinji.plan.design.covering.covers import Covers

_BLOCK = 4_000_000
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Cuts:
    """Cuts on three different points each, ``point`` (q, 3), at ``price`` (q,) of at least 0."""

    point: Ints = field(default_factory=lambda: np.zeros((0, 3), dtype=np.int64))
    price: Floats = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        freeze(self.point, self.price)


NO_CUTS = Cuts()


def covering_bound(covers: Covers, budget: float, price: Floats, cuts: Cuts = NO_CUTS) -> float:
    """Return what no choice of sites within ``budget`` can cover, proved by ``price`` (n,) and ``cuts``.

    Where all weights are whole numbers, so is the bound. Raises InputError where a price is not
    within [0, weight], or a cut's below 0 or not on three different points.
    """
    raise_if([*_price_faults(covers, price), *_cut_faults(covers, cuts)], InputError)
    taken = price + np.bincount(cuts.point.ravel(), weights=np.repeat(cuts.price, 3), minlength=covers.points)
    gain = earned(covers, price) + earned_by_cuts(covers, cuts)
    total = float(np.maximum(covers.weight - taken, 0.0).sum()) + float(cuts.price.sum())
    total += most_earned(gain, covers.cost, budget)
    whole = bool((covers.weight == np.floor(covers.weight)).all())
    # Rounding of the sums, far above their true error.
    total += _ROUNDING * max(float(covers.weight.sum()), 1.0)
    return float(np.floor(total)) if whole else total


def earned(covers: Covers, price: Floats) -> Floats:
    """Return for each site (m,) the ``price`` (n,) of the points that it covers."""
    gain = np.zeros(covers.sites)
    length = np.diff(covers.start)
    for first, last in _blocks(covers):
        pairs = slice(int(covers.start[first]), int(covers.start[last]))
        paid = np.repeat(price[first:last], length[first:last])
        gain += np.bincount(covers.site[pairs], weights=paid, minlength=covers.sites)
    return gain


def earned_by_cuts(covers: Covers, cuts: Cuts) -> Floats:
    """Return for each site (m,) what the ``cuts`` pay it: half the lists of three that hold it, rounded up."""
    point = cuts.point.ravel()
    length = covers.start[point + 1] - covers.start[point]
    first = np.repeat(covers.start[point] - (np.cumsum(length) - length), length)
    site = covers.site[first + np.arange(int(length.sum()))]
    cut = np.repeat(np.repeat(np.arange(len(cuts.price)), 3), length)
    held, times = np.unique(cut * covers.sites + site, return_counts=True)
    paid = cuts.price[held // max(covers.sites, 1)] * ((times + 1) // 2)
    gain = np.zeros(covers.sites)
    np.add.at(gain, held % max(covers.sites, 1), paid)
    return gain


def most_earned(gain: Floats, cost: Floats, budget: float) -> float:
    """Return a bound on the ``gain`` (m,) of any sites whose ``cost`` (m,) keeps ``budget``.

    With equal costs that many of the best; otherwise the best per cost, the last in part (Dantzig,
    Operations Research 5, 1957).
    """
    free = cost <= 0.0
    paid = np.flatnonzero(~free & (gain > 0.0))
    ratio = gain[paid] / cost[paid]
    order = paid[np.argsort(-ratio)]
    spent = np.cumsum(cost[order])
    inside = spent <= budget * (1.0 + _ROUNDING)
    full = order[inside]
    best = float(gain[free].sum()) + float(gain[full].sum())
    if len(full) == len(order) or (cost[order] == cost[order[0]]).all():
        return best
    left = max(budget - float(cost[full].sum()), 0.0)
    return best + left * float(gain[order[len(full)]] / cost[order[len(full)]])


def _price_faults(covers: Covers, price: Floats) -> Iterator[Fault]:
    if price.shape != covers.weight.shape:
        yield Fault("prices", f"{price.shape} prices of {covers.points} points", "Give one for each point.")
        return
    for row in np.flatnonzero(~((price >= 0.0) & (price <= covers.weight))):
        found = f"the price is {price[row]} at a weight of {covers.weight[row]}"
        yield Fault("prices", found, "Prices lie between 0 and the weight.", int(row))


def _cut_faults(covers: Covers, cuts: Cuts) -> Iterator[Fault]:
    if cuts.point.shape != (len(cuts.price), 3):
        yield Fault("cuts", f"{cuts.point.shape} points of {len(cuts.price)} cuts", "Give three for each cut.")
        return
    low, middle, high = np.sort(cuts.point, axis=1).T
    wrong = (low < 0) | (high >= covers.points) | (low == middle) | (middle == high)
    for row in np.flatnonzero(wrong):
        yield Fault("cuts", f"its points are {cuts.point[row].tolist()}", "Name three different points.", int(row))
    for row in np.flatnonzero(~((cuts.price >= 0.0) & np.isfinite(cuts.price))):
        yield Fault("cuts", f"the price is {cuts.price[row]}", "Give a number of at least 0.", int(row))


def _blocks(covers: Covers) -> Iterator[tuple[int, int]]:
    """Yield ranges of points with about as many pairs each, so that memory stays small."""
    first = 0
    while first < covers.points:
        end = int(covers.start[first]) + _BLOCK
        last = max(int(np.searchsorted(covers.start, end, side="right")) - 1, first + 1)
        yield first, min(last, covers.points)
        first = last
