"""Partial covering: a given share of the weight at least cost, with a certificate.

As set covering, with the weight that may stay uncovered priced as well: prices from restarted PDHG
(``cheapest_relax``), annealing on the sites they favour (``partial_search``), and a bound that the
prices alone prove again (``cheapest_certificate``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.errors import Fault, InfeasibleError, raise_if
from xinji.plan.design.covering.cheapest_certificate import cheapest_bound
from xinji.plan.design.covering.cheapest_relax import CheapestRelaxation, relax_cost
from xinji.plan.design.covering.covers import Covers, Reach, covered, covered_weight, reach_of
from xinji.plan.design.covering.partial_search import Aim, anneal_cost, cheapest_greedy
from xinji.plan.design.covering.reduce import Merged, merge_points
from xinji.plan.design.covering.set_cover import set_covering
from xinji.plan.design.covering.staged_anneal import Purse, begin, neighbours
from xinji.plan.design.covering.staged_state import empty_state, field_of
from xinji.plan.design.proof import Clock, certified_gap

_RELAX_GAP = 2e-4
_RELAX_ROUNDS = 3000
_RELAX_SHARE = 0.45
_SHORTLIST = 3.0
_FEWEST = 200
_NEAR = 30
_HOT, _COLD = 0.1, 1e-3
_MISSED = 1.0
_CHUNKS = 50
_MOVES_PER_SITE = 40_000
_WITHIN = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class PartialCover:
    """Sites (rising) that cover enough; ``value`` their cost; ``bound`` that none such undercuts.

    ``price`` (n,) and ``spared_price`` prove the bound with the weight ``spared`` that may stay
    uncovered, see ``cheapest_bound``; ``weight`` is what the sites cover.
    """

    sites: Ints
    value: float
    bound: float
    weight: float
    price: Floats
    spared: float
    spared_price: float

    def __post_init__(self) -> None:
        freeze(self.sites, self.price)

    @property
    def gap(self) -> float:
        """Distance of the proved bound from the value, relative to the value."""
        return certified_gap(self.value, self.bound)


def partial_covering(covers: Covers, *, share: float, seconds: float, seed: int) -> PartialCover:
    """Return sites that cover at least ``share`` (0 to 1) of all weight at little cost.

    ``seconds`` of processor time is a guard: rounds and moves decide where it allows them, and
    ``seed`` then fixes the answer. Raises InputError for limits that make no sense, InfeasibleError where all
    sites together cover less than the share.
    """
    raise_if(_faults(share, seconds))
    clock = Clock(seconds)
    total = float(covers.weight.sum())
    if share == 1.0:
        return _whole(covers, total, seconds, seed)
    need = share * total * (1.0 - _WITHIN)
    most = covered_weight(covers, np.arange(covers.sites))
    if most < need:
        less = f"All sites together cover {most:g} of the weight {total:g}, less than the share {share:g}"
        raise InfeasibleError(f"{less}; ask for at most {most / total:.6g} or add sites.")
    given = covers.cost == 0.0
    bare = ~covered(covers, given)
    chosen, price, spared_price = given.copy(), np.zeros(covers.points), 0.0
    missing = need - float(covers.weight[~bare].sum())
    if missing > 0.0:
        rest = Covers(covers.start, covers.site, np.where(bare, covers.weight, 0.0), covers.cost)
        merged = merge_points(rest, _useful(rest))
        spared = max(float(merged.covers.weight.sum()) - missing, 0.0)
        found, relaxed = _solved(merged.covers, missing, spared, clock, seed)
        chosen[merged.site[found]] = True
        price, spared_price = _spread(merged, covers, relaxed, bare), relaxed.spared_price
        chosen = _mended(covers, chosen, need)
    sites = np.flatnonzero(chosen)
    value, spared = float(covers.cost[sites].sum()), total - need
    bound = cheapest_bound(covers, price=price, spared=spared, spared_price=spared_price)
    weight = covered_weight(covers, sites)
    return PartialCover(sites, value, min(max(bound, 0.0), value), weight, price, spared, spared_price)


def _faults(share: float, seconds: float) -> Iterator[Fault]:
    if not 0.0 <= share <= 1.0:
        yield Fault("partial covering", f"the share of the weight is {share}", "Give a number from 0 to 1.")
    if not seconds > 0.0:
        yield Fault("partial covering", f"the time limit is {seconds} s", "Give more than 0 seconds.")


def _whole(covers: Covers, total: float, seconds: float, seed: int) -> PartialCover:
    """Return sites that cover every point of any weight: set covering."""
    heavy = covers.weight > 0.0
    lengths = np.diff(covers.start)
    if (lengths[heavy] == 0).any():
        lost = float(covers.weight[heavy & (lengths == 0)].sum())
        found = f"No site covers a weight of {lost:g} of {total:g}"
        raise InfeasibleError(f"{found}; ask for a smaller share or add sites.")
    start = np.append(0, np.cumsum(lengths[heavy]))
    asked = Covers(start, covers.site[np.repeat(heavy, lengths)], covers.weight[heavy], covers.cost)
    cover = set_covering(asked, seconds=seconds, seed=seed)
    price = np.zeros(covers.points)
    price[heavy] = cover.price
    return PartialCover(cover.sites, cover.value, cover.bound, total, price, 0.0, 0.0)


def _useful(covers: Covers) -> Bools:
    heavy = np.repeat(covers.weight, np.diff(covers.start))
    earns = np.bincount(covers.site, weights=heavy, minlength=covers.sites) > 0.0
    return np.asarray(earns & (covers.cost > 0.0))


def _spread(merged: Merged, covers: Covers, relaxed: CheapestRelaxation, bare: Bools) -> Floats:
    """Return every point's price (n,): its share of its group's; what giving it up costs where no site covers it."""
    price = np.where(bare, relaxed.spared_price * covers.weight, 0.0)
    member = merged.group >= 0
    part = covers.weight[member] / merged.covers.weight[merged.group[member]]
    price[member] = part * relaxed.price[merged.group[member]]
    return price


def _solved(covers: Covers, need: float, spared: float, clock: Clock, seed: int) -> tuple[Bools, CheapestRelaxation]:
    """Return sites (m,) that cover the ``need`` (but for rounding), and the prices."""
    reach = reach_of(covers)
    limit = Clock(min(_RELAX_SHARE * clock.seconds, clock.left))
    relaxed = relax_cost(covers, reach, spared=spared, gap=_RELAX_GAP, rounds=_RELAX_ROUNDS, clock=limit)
    start = cheapest_greedy(covers, reach, need)
    small = merge_points(covers, _shortlist(covers, reach, relaxed, start))
    best = _annealed(small.covers, relaxed, start[small.site], need, (clock, seed))
    chosen = np.zeros(covers.sites, dtype=np.bool_)
    chosen[small.site[best]] = True
    return chosen, relaxed


def _shortlist(covers: Covers, reach: Reach, relaxed: CheapestRelaxation, start: Bools) -> Bools:
    """Return the sites (m,) worth searching: those that the prices favour most, and those of ``start``."""
    reduced = covers.cost - np.add.reduceat(relaxed.price[reach.point], reach.start[:-1])
    wanted = max(int(_SHORTLIST * max(relaxed.share.sum(), start.sum())), _FEWEST)
    kept = start.copy()
    kept[np.argsort(reduced, kind="stable")[:wanted]] = True
    return kept


def _annealed(
    covers: Covers, relaxed: CheapestRelaxation, start: Bools, need: float, limits: tuple[Clock, int]
) -> Bools:
    """Return the cheapest sites (m,) found that cover the ``need``, from ``start`` on."""
    clock, seed = limits
    reach = reach_of(covers)
    near = neighbours(covers.start, covers.site, covers.weight, reach.start, reach.point, _NEAR)
    field, state = field_of(reach, covers.weight, np.ones(1)), empty_state(covers.points, covers.sites, 1)
    typical = float(covers.cost[start].sum()) / need
    worth = max(relaxed.spared_price, 0.1 * typical)
    purse = Purse(covers.cost, np.full(1, np.inf), np.zeros(1), np.zeros(1))
    walk = begin(field, state, purse, np.where(start, 0, 1), seed)
    walk.best_value[0] = walk.spent[0]
    aim = Aim(covers.cost, need, worth, _MISSED * worth)
    built = max(int(start.sum()), 1)
    unit, moves = float(covers.cost[start].mean()), _MOVES_PER_SITE * built // _CHUNKS
    cooling = (_COLD / _HOT) ** (1.0 / _CHUNKS)
    done = 0.0
    while done < _CHUNKS and clock.left > 0.0:
        heat, before = unit * _HOT * cooling**done, clock.spent
        anneal_cost(field, state, aim, walk, near, (heat, heat * cooling), moves)
        done += max(1.0, (clock.spent - before) * (_CHUNKS - done) / max(clock.left, 1e-9))
    return np.asarray(walk.best == 0)


def _mended(covers: Covers, chosen: Bools, need: float) -> Bools:
    """Return ``chosen`` (m,) without sites that the ``need`` can spare, dearest first; add what rounding left out."""
    reach = reach_of(covers)
    count = np.bincount(
        np.repeat(np.arange(covers.points), np.diff(covers.start)), weights=chosen[covers.site], minlength=covers.points
    )
    left = chosen.copy()
    if covered_weight(covers, np.flatnonzero(left)) < need:
        met = covered(covers, left)
        open_weight = np.where(met, 0.0, covers.weight)
        rest = Covers(covers.start, covers.site, open_weight, np.maximum(covers.cost, 1e-300))
        return np.asarray(left | cheapest_greedy(rest, reach, need - float(covers.weight[met].sum())))
    weight = covered_weight(covers, np.flatnonzero(left))
    sites = np.flatnonzero(left & (covers.cost > 0.0))
    for site in sites[np.argsort(-covers.cost[sites], kind="stable")]:
        points = reach.point[reach.start[site] : reach.start[site + 1]]
        lost = float(covers.weight[points[count[points] == 1]].sum())
        if weight - lost >= need * (1.0 + _WITHIN):
            count[points] -= 1
            weight -= lost
            left[site] = False
    return left
