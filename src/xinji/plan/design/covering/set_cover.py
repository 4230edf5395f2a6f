"""Set covering: every demand point by at least one site, at least cost, with a certificate.

Prices come from restarted PDHG (``cheapest_relax``) on the points that others do not imply; a core of
sites that the prices favour is searched (``set_search``) from greedy covers, then solved exactly window
by window (``set_window``); the bound is recomputed from the prices alone (``cheapest_certificate``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.errors import Fault, raise_if
from xinji.plan.design.covering.cheapest_certificate import cheapest_bound
from xinji.plan.design.covering.cheapest_relax import CheapestRelaxation, relax_cost
from xinji.plan.design.covering.covers import Covers, covered, reach_of
from xinji.plan.design.covering.reduce import merge_points
from xinji.plan.design.covering.set_reduce import implied_points
from xinji.plan.design.covering.set_search import Ground, complete, empty_cover, ground_of, search
from xinji.plan.design.covering.set_window import refine_cover
from xinji.plan.design.proof import Clock, certified_gap

_RELAX_GAP = 1e-4
_RELAX_ROUNDS = 4000
_RELAX_SHARE = 0.45
_CORE_BEST = 4
_CORE_LIMIT = 0.15
_TURNS_PER_SITE = 1500
_CHUNKS = 50
_SHARPEST = 1e-3
_WHOLE = 1e-6
_FAVOUR = 0.99


@dataclass(frozen=True, slots=True, eq=False)
class SetCover:
    """Sites (rising) that cover every point; ``value`` their cost; ``bound`` that no cover undercuts.

    ``price`` (n,) proves it, see ``cheapest_bound``; where all costs are whole numbers, the bound is rounded up.
    """

    sites: Ints
    value: float
    bound: float
    price: Floats

    def __post_init__(self) -> None:
        freeze(self.sites, self.price)

    @property
    def gap(self) -> float:
        """Distance of the proved bound from the value, relative to the value."""
        return certified_gap(self.value, self.bound)


def set_covering(covers: Covers, *, seconds: float, seed: int) -> SetCover:
    """Return sites that cover every demand point, whatever its weight, at little cost.

    ``seconds`` of processor time is a guard: rounds and turns decide where it allows them, and
    ``seed`` then fixes the answer. Raises InputError that lists the points no site covers.
    """
    raise_if(_faults(covers, seconds))
    clock = Clock(seconds)
    given = covers.cost == 0.0
    bare = ~covered(covers, given)
    if not bare.any():
        return _proved(covers, np.flatnonzero(given), np.zeros(covers.points))
    rest, members = _needed(covers, bare)
    limit = Clock(min(_RELAX_SHARE * seconds, clock.left))
    relaxed = relax_cost(rest, reach_of(rest), spared=0.0, gap=_RELAX_GAP, rounds=_RELAX_ROUNDS, clock=limit)
    price = np.zeros(covers.points)
    price[members[0]] = relaxed.price
    chosen = given.copy()
    chosen[members[1][_searched(rest, relaxed, clock, seed)]] = True
    return _proved(covers, np.flatnonzero(_without_spare(covers, chosen)), price)


def _faults(covers: Covers, seconds: float) -> Iterator[Fault]:
    for row in np.flatnonzero(np.diff(covers.start) == 0):
        yield Fault("set covering", "no site covers this demand point", "Add a site there or leave it out.", int(row))
    if not seconds > 0.0:
        yield Fault("set covering", f"the time limit is {seconds} s", "Give more than 0 seconds.")


def _proved(covers: Covers, sites: Ints, price: Floats) -> SetCover:
    value = float(covers.cost[sites].sum())
    bound = max(cheapest_bound(covers, price=price), 0.0)
    if (covers.cost == np.floor(covers.cost)).all():
        # A sum of whole costs is whole.
        bound = float(np.ceil(bound - _WHOLE))
    return SetCover(sites, value, min(bound, value), price)


def _needed(covers: Covers, bare: Bools) -> tuple[Covers, tuple[Ints, Ints]]:
    """Return the instance of the ``bare`` points that no other implies, with its points and sites in ``covers``."""
    asked = Covers(covers.start, covers.site, bare.astype(np.float64), covers.cost)
    merged = merge_points(asked, covers.cost > 0.0)
    implied = implied_points(merged.covers, reach_of(merged.covers))
    first = np.full(merged.covers.points, covers.points, dtype=np.int64)
    member = np.flatnonzero(merged.group >= 0)
    np.minimum.at(first, merged.group[member], member)
    kept = np.flatnonzero(~implied)
    weight = np.zeros(covers.points)
    weight[first[kept]] = 1.0
    useful = np.zeros(covers.sites, dtype=np.bool_)
    useful[covers.site[np.repeat(weight > 0.0, np.diff(covers.start))]] = True
    rest = merge_points(Covers(covers.start, covers.site, weight, covers.cost), useful & (covers.cost > 0.0))
    point = np.empty(rest.covers.points, dtype=np.int64)
    held = np.flatnonzero(rest.group >= 0)
    point[rest.group[held]] = held
    return rest.covers, (point, rest.site)


def _searched(covers: Covers, relaxed: CheapestRelaxation, clock: Clock, seed: int) -> Ints:
    """Return the sites of the cheapest cover found on the core."""
    reach = reach_of(covers)
    reduced = covers.cost - np.add.reduceat(relaxed.price[reach.point], reach.start[:-1])
    small = merge_points(covers, _core(covers, reduced))
    rest, (_, sites) = _needed(small.covers, np.ones(small.covers.points, dtype=np.bool_))
    points = reach_of(rest)
    ground = ground_of(rest, points, rest.cost)
    held = small.site[sites]
    favoured = 1.0 - _FAVOUR * np.clip(relaxed.share[held], 0.0, 1.0)
    rates = (rest.cost, np.maximum(reduced[held], _SHARPEST * rest.cost), rest.cost * favoured)
    begun = [_greedy(rest, ground, rate) for rate in rates]
    start = min(begun, key=lambda chosen: float(rest.cost[chosen].sum()))
    best = _walked(rest, ground, start, clock, seed)
    best = refine_cover(rest, best, clock=clock, seed=seed)
    return held[np.flatnonzero(best)]


def _core(covers: Covers, reduced: Floats) -> Bools:
    """Return the sites (m,) that the prices favour: small reduced cost, or among the least of some point's."""
    kept = reduced <= _CORE_LIMIT * covers.cost
    lengths = np.diff(covers.start)
    row = np.repeat(np.arange(covers.points), lengths)
    order = np.lexsort((reduced[covers.site], row))
    rank = np.arange(len(order)) - np.repeat(covers.start[:-1], lengths)
    kept[covers.site[order[rank < _CORE_BEST]]] = True
    return np.asarray(kept)


def _greedy(covers: Covers, ground: Ground, rate: Floats) -> Bools:
    cover = empty_cover(covers.points, ground)
    complete(ground, cover, rate)
    return cover.chosen


def _walked(covers: Covers, ground: Ground, start: Bools, clock: Clock, seed: int) -> Bools:
    cover = empty_cover(covers.points, ground)
    order = np.where(start, 1e-9 * covers.cost, covers.cost)
    complete(ground, cover, order)
    spent = np.array([covers.cost[cover.chosen].sum(), np.inf])
    spent[1] = spent[0] * (1.0 + 1e-6)
    best, state = cover.chosen.copy(), np.random.default_rng(seed).integers(1, 2**63, size=1).astype(np.uint64)
    turns = max(_TURNS_PER_SITE * int(cover.numbers[1]) // _CHUNKS, 1)
    for _ in range(_CHUNKS):
        if clock.left <= 0.0:
            break
        search(ground, cover, best, spent, turns, state)
    return best


def _without_spare(covers: Covers, chosen: Bools) -> Bools:
    """Return ``chosen`` (m,) without the sites that cost something and that nothing needs, dearest first."""
    reach = reach_of(covers)
    count = np.bincount(
        np.repeat(np.arange(covers.points), np.diff(covers.start)), weights=chosen[covers.site], minlength=covers.points
    )
    left = chosen.copy()
    sites = np.flatnonzero(chosen & (covers.cost > 0.0))
    for site in sites[np.argsort(-covers.cost[sites], kind="stable")]:
        points = reach.point[reach.start[site] : reach.start[site + 1]]
        if (count[points] > 1).all():
            count[points] -= 1
            left[site] = False
    return left
