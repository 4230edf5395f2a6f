"""Maximal covering: which sites within a budget serve the most demand, and how much more any could."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.errors import Fault, InputError, raise_if
from xinji.plan.design.covering.certificate import NO_CUTS, Cuts, covering_bound, earned, earned_by_cuts
from xinji.plan.design.covering.core_relax import near_sites, relax_by_core
from xinji.plan.design.covering.covers import Covers, covered_weight, reach_of
from xinji.plan.design.covering.cuts import Tight, tighten, to_points
from xinji.plan.design.covering.cuts_simplex import tighten_exactly
from xinji.plan.design.covering.exact import fixed_sites, refine
from xinji.plan.design.covering.greedy import greedy
from xinji.plan.design.covering.local import Search
from xinji.plan.design.covering.merging import improve_and_merge
from xinji.plan.design.covering.pdhg import Relaxed
from xinji.plan.design.covering.reduce import Merged, join_prices, merge_points, neighbours_together, spread_price
from xinji.plan.design.proof import Clock, certified_gap

_GAP, _GAP_SMALL = 1e-4, 2e-4
_ROUNDS = 20_000
_RELAXING, _SEARCHING_SMALL, _SEARCHING, _SEARCHING_LARGEST = 0.25, 0.35, 0.55, 0.85
_FAR, _FAR_SMALL, _BALANCE = 0.05, 0.3, 0.5
_BRIEF, _HALF, _COOLING, _REFINING = 0.1, 0.5, 0.9, 0.15
_EXACT, _WHOLE, _LARGE, _LARGEST = 0.01, 20_000, 1_000_000, 10_000_000
_NEAR, _FEW = 0.01, 300
_TURNS, _TURN, _LAST = 4, 0.6, 0.05
_WORTH_MERGING = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class CoveringPlan:
    """Chosen ``sites`` (rising), the weight ``value`` that they cover, and the ``bound`` that none can exceed.

    ``price`` (n,) within [0, weight] and ``cuts`` prove the bound in one pass (``certificate.covering_bound``);
    ``budget_price`` is what one more unit of budget is about worth; ``relaxed`` is the value of the
    relaxed shares that were found: without cuts no prices prove less.
    """

    sites: Ints
    value: float
    bound: float
    price: Floats
    cuts: Cuts
    budget_price: float
    relaxed: float

    def __post_init__(self) -> None:
        freeze(self.sites, self.price)

    @property
    def gap(self) -> float:
        """Distance of the bound from the value, relative to the value."""
        return certified_gap(self.value, self.bound)


def max_covering(covers: Covers, *, budget: float, seconds: float, seed: int) -> CoveringPlan:
    """Return sites of ``covers`` whose cost keeps ``budget`` and that cover as much weight as was found.

    About ``seconds`` of processor time are spent at most, less where the bound is met. Raises
    InputError where the budget or the seconds are negative or no numbers.
    """
    raise_if(_faults(budget, seconds), InputError)
    clock = Clock(seconds)
    merged = merge_points(covers)
    small = merged.covers.points < _WORTH_MERGING * covers.points
    work = merged.covers if small else covers
    money = _spendable(covers.cost, budget)
    gap = _GAP if len(covers.site) > _LARGE else _GAP_SMALL
    relaxed = relax_by_core(work, money, seconds=_RELAXING * clock.left, gap=gap, rounds=_ROUNDS)
    price = spread_price(merged, covers.weight, relaxed.price) if small else relaxed.price
    proof = Proof(covering_bound(covers, money, price), price, NO_CUTS)
    pairs = len(covers.site)
    sizes = ((_WHOLE, _SEARCHING), (_LARGE, _SEARCHING_SMALL), (_LARGEST, _SEARCHING), (pairs, _SEARCHING_LARGEST))
    searching = next(part for most, part in sizes if pairs <= most)
    search = Search(proof.bound, clock.left * searching, seed, relaxed.budget_price)
    sites = _search(work, money, relaxed, search)
    value = covered_weight(covers, sites)
    proof = _sharpen(covers, money, relaxed, proof, value, clock)
    return CoveringPlan(
        sites=sites,
        value=value,
        bound=max(proof.bound, value),
        price=proof.price,
        cuts=proof.cuts,
        budget_price=relaxed.budget_price,
        relaxed=relaxed.value,
    )


class Proof(NamedTuple):
    """A bound with the prices of points (n,) and the cuts that prove it."""

    bound: float
    price: Floats
    cuts: Cuts


def _sharpen(covers: Covers, budget: float, relaxed: Relaxed, proof: Proof, value: float, clock: Clock) -> Proof:
    """Return a proof at least as good as ``proof``, by cuts, if time is left and the value is below the bound.

    The cuts are priced on the sites near use; where others earn too much at the new prices, they join in.
    """
    exactly = len(covers.site) <= _LARGE
    far, part = (_FAR_SMALL, 1.0 - _LAST) if exactly else (_FAR, _TURN)
    inside = _core(covers, relaxed, far)
    begin, share, balance = proof, relaxed.share, _BALANCE
    for _ in range(_TURNS):
        if clock.left <= 0.0 or proof.bound <= value:
            break
        core = merge_points(covers, inside)
        first = Tight(join_prices(core, begin.price), _on_groups(core, begin.cuts), share[core.site], np.inf, balance)
        tight = (tighten_exactly if exactly else tighten)(core.covers, budget, first, value, Clock(part * clock.left))
        price, cuts = to_points(core, covers, tight)
        if not np.isfinite(tight.bound):
            break
        begin = Proof(covering_bound(covers, budget, price, cuts), price, cuts)
        proof = begin if begin.bound < proof.bound else proof
        share = np.zeros(covers.sites)
        share[core.site] = tight.share
        gain = earned(covers, price) + earned_by_cuts(covers, cuts)
        more = ~inside & (gain >= (1.0 - far) * relaxed.budget_price * covers.cost)
        inside |= more
    return proof


def _on_groups(core: Merged, cuts: Cuts) -> Cuts:
    """Return ``cuts`` on points as cuts on the groups of ``core``, each once."""
    groups = np.sort(core.group[cuts.point], axis=1)
    single, place = np.unique(groups, axis=0, return_inverse=True)
    return Cuts(single, np.bincount(place.ravel(), weights=cuts.price, minlength=len(single)).astype(np.float64))


def _faults(budget: float, seconds: float) -> Iterator[Fault]:
    for name, value in (("budget", budget), ("seconds", seconds)):
        if not (np.isfinite(value) and value >= 0.0):
            yield Fault(name, f"it is {value}", "Give a number of at least 0.")


def _spendable(cost: Floats, budget: float) -> float:
    """Return how much of ``budget`` can be spent: whole multiples where all costs are the same."""
    if len(cost) and cost[0] > 0.0 and (cost == cost[0]).all():
        return min(float(np.floor(budget / cost[0] * (1.0 + 1e-12))), len(cost)) * float(cost[0])
    return min(budget, float(cost.sum()))


def _search(covers: Covers, budget: float, relaxed: Relaxed, search: Search) -> Ints:
    """Return sites found on the sites that the relaxation uses or nearly uses."""
    core = merge_points(covers, _core(covers, relaxed, _NEAR))
    clock, small = Clock(search.seconds), len(core.covers.site) <= _WHOLE
    near, order = neighbours_together(core.covers, reach_of(core.covers))
    reach = reach_of(near)
    sites = greedy(near, reach, budget)
    tiny = len(covers.site) <= _WHOLE
    cooling = clock.left * (_BRIEF if tiny else _HALF if small else _COOLING)
    found = order[improve_and_merge(near, reach, sites, budget, replace(search, seconds=cooling))]
    value = covered_weight(core.covers, found)
    if small or search.bound - value <= _EXACT * value:
        short = relaxed.budget_price * covers.cost - relaxed.gain
        limit = clock.seconds * (1.0 if small else _REFINING)
        useless, _ = fixed_sites(short[core.site], relaxed.bound - value)
        found = refine(core.covers, found, budget, ~useless, (min(clock.left, limit), search.seed))
    return np.sort(core.site[found])


def _core(covers: Covers, relaxed: Relaxed, near: float) -> Bools:
    """Return the sites (m,) in use in the relaxation, or short of it by at most ``near`` of their cost's worth."""
    if covers.sites <= _FEW:
        return np.ones(covers.sites, dtype=np.bool_)
    short = relaxed.budget_price * covers.cost - relaxed.gain
    close = near_sites(relaxed, relaxed.gain, covers.cost, near)
    return np.asarray(close | (short <= np.partition(short, _FEW)[_FEW]))
