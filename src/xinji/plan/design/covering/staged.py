"""Staged maximal covering: which site opens in which stage, under cumulative budgets, with a certificate.

Shares and prices come from restarted PDHG (``staged_relax``); the sites that the prices find worth
while are searched by simulated annealing (``staged_anneal``) from the cost-benefit plan
(``staged_greedy``); the bound is recomputed from the prices alone (``staged_certificate``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.errors import Fault, raise_if
from xinji.plan.design.covering.covers import Covers, Reach, reach_of
from xinji.plan.design.covering.reduce import Merged, merge_points
from xinji.plan.design.covering.staged_anneal import Purse, anneal, begin, neighbours
from xinji.plan.design.covering.staged_certificate import staged_bound, staged_value
from xinji.plan.design.covering.staged_greedy import staged_greedy
from xinji.plan.design.covering.staged_project import Money
from xinji.plan.design.covering.staged_relax import StagedRelaxation, relax
from xinji.plan.design.covering.staged_state import empty_state, field_of
from xinji.plan.design.proof import Clock, certified_gap

_RELAX_GAP = 3e-4
_RELAX_ROUNDS = 3000
_RELAX_SHARE = 0.45
_SHORTLIST = 3.0
_FEWEST = 200
_NEAR = 30
_HEATS, _COLD = (1.0, 0.1), 5e-4
_OVERSPENT = 1.0
_CHUNKS = 50
_MOVES_PER_SITE = 160_000
_LEAST_PRICE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class StagedCovering:
    """A staged plan and what proves how good it is.

    ``stage`` (m,) in which each site opens, -1 for never; ``value`` of the plan; ``bound`` that no
    plan within the budgets exceeds, by ``price`` (n, T) and ``money_price`` (T,), see
    ``staged_bound``; ``greedy_value`` of the plan by cost-benefit alone.
    """

    stage: Ints
    value: float
    bound: float
    price: Floats
    money_price: Floats
    greedy_value: float

    def __post_init__(self) -> None:
        freeze(self.stage, self.price, self.money_price)

    @property
    def gap(self) -> float:
        """Distance of the proved bound from the value, relative to the value."""
        return certified_gap(self.value, self.bound)


def staged_covering(covers: Covers, *, worth: Floats, budget: Floats, seconds: float, seed: int) -> StagedCovering:
    """Return when each site opens, so that covered weight times stage worth, summed over the stages, is large.

    A point counts in every stage in which a site that stands covers it: weight times ``worth``
    (T,) >= 0 each (a discount factor, for example). Sites once built stay; what is spent up to a
    stage keeps within ``budget`` (T,), cumulative and never falling. ``seconds`` of processor time
    is a guard: rounds and moves decide where it allows them, and ``seed`` then fixes the answer.
    Raises InputError for weights, budgets or limits that make no sense.
    """
    raise_if(_faults(worth, budget, seconds))
    clock = Clock(seconds)
    opens = np.searchsorted(budget, covers.cost, side="left").astype(np.int64)
    merged = _working(covers, opens, len(budget))
    if not merged.covers.points or not worth.any():
        return _nothing(covers, worth, budget)
    reach = reach_of(merged.covers)
    money = Money(merged.covers.cost, budget, opens[merged.site])
    limit = Clock(min(_RELAX_SHARE * seconds, clock.left))
    relaxed = relax(merged.covers, reach, money, worth, gap=_RELAX_GAP, rounds=_RELAX_ROUNDS, clock=limit)
    greedy = staged_greedy(merged.covers, reach, budget)
    stage = _searched(merged.covers, reach, relaxed, greedy, _Task(worth, budget, clock, seed))
    price = _spread(merged, covers, worth, relaxed.price)
    bound = staged_bound(covers, worth=worth, budget=budget, price=price, money_price=relaxed.money_price)
    plan, simple = _placed(merged, covers, stage), _placed(merged, covers, greedy)
    value = staged_value(covers, plan, worth)
    simple_value = staged_value(covers, simple, worth)
    return StagedCovering(plan, value, max(bound, value), price, relaxed.money_price, simple_value)


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    worth: Floats
    budget: Floats
    clock: Clock
    seed: int


def _faults(worth: Floats, budget: Floats, seconds: float) -> Iterator[Fault]:
    if worth.ndim != 1 or not len(worth) or not (np.isfinite(worth) & (worth >= 0.0)).all():
        yield Fault("staged covering", f"the stages' worth is {worth}", "Give a number of at least 0 for each stage.")
    if budget.shape != worth.shape or not (np.isfinite(budget) & (budget >= 0.0)).all():
        found = f"the budget is {budget} for {worth.size} stages"
        yield Fault("staged covering", found, "Give a cumulative amount of at least 0 for each stage.")
    elif (np.diff(budget) < 0.0).any():
        found = f"the cumulative budget falls: {budget}"
        yield Fault("staged covering", found, "Give what is available in all by the end of each stage.")
    if not seconds > 0.0:
        yield Fault("staged covering", f"the time limit is {seconds} s", "Give more than 0 seconds.")


def _working(covers: Covers, opens: Ints, stages: int) -> Merged:
    """Return the points that count, merged, on the sites that some budget holds and that cover any weight."""
    heavy = np.repeat(covers.weight, np.diff(covers.start))
    earns = np.bincount(covers.site, weights=heavy, minlength=covers.sites) > 0.0
    return merge_points(covers, earns & (opens < stages))


def _nothing(covers: Covers, worth: Floats, budget: Floats) -> StagedCovering:
    """Return the empty plan: no site that the budgets hold earns anything."""
    price, free = np.outer(covers.weight, worth), np.zeros(len(worth))
    bound = staged_bound(covers, worth=worth, budget=budget, price=price, money_price=free)
    dear = bool(bound > 0.0)
    if dear:
        price = np.zeros_like(price)
        bound = staged_bound(covers, worth=worth, budget=budget, price=price, money_price=free)
    return StagedCovering(np.full(covers.sites, -1, dtype=np.int64), 0.0, bound, price, free, 0.0)


def _spread(merged: Merged, covers: Covers, worth: Floats, price: Floats) -> Floats:
    """Return every point's prices (n, T): its share of its group's; its whole worth where no site of use covers it."""
    limit = np.outer(covers.weight, worth)
    member = merged.group >= 0
    part = covers.weight[member] / merged.covers.weight[merged.group[member]]
    spread = limit.copy()
    spread[member] = np.minimum(part[:, None] * price[merged.group[member]], limit[member])
    return spread


def _placed(merged: Merged, covers: Covers, stage: Ints) -> Ints:
    full = np.full(covers.sites, -1, dtype=np.int64)
    full[merged.site] = stage
    return full


def _searched(covers: Covers, reach: Reach, relaxed: StagedRelaxation, start: Ints, task: _Task) -> Ints:
    """Return the best stages (m,) that annealing finds on the shortlist, from ``start`` on."""
    stages = len(task.budget)
    small = merge_points(covers, _shortlist(covers, reach, relaxed, start))
    lists = small.covers
    points = reach_of(lists)
    near = neighbours(lists.start, lists.site, lists.weight, points.start, points.point, _NEAR)
    field, state = field_of(points, lists.weight, task.worth), empty_state(lists.points, lists.sites, stages)
    price = relaxed.money_price
    over = _OVERSPENT * np.maximum(price, _LEAST_PRICE * price.max(initial=0.0) + 1e-300)
    purse = Purse(lists.cost, task.budget, price, over)
    stage = np.where(start < 0, stages, start)[small.site]
    walk = begin(field, state, purse, stage, task.seed)
    built = max(int(walk.number[0]), 1)
    unit, moves = float(state.value[0]) / built, _MOVES_PER_SITE * built // (len(_HEATS) * _CHUNKS)
    for again, hot in enumerate(_HEATS):
        cooling = (_COLD / hot) ** (1.0 / _CHUNKS)
        done, begun = 0.0, task.clock.left
        spare = begun * (1.0 - 1.0 / (len(_HEATS) - again))
        while done < _CHUNKS and task.clock.left > spare:
            heat, before = unit * hot * cooling**done, task.clock.spent
            # The colder, the less does money cost that would be left over.
            within = price * (1.0 - done / _CHUNKS)
            purse = Purse(lists.cost, task.budget, within, over + price - within)
            anneal(field, state, purse, walk, near, (heat, heat * cooling), moves)
            # A chunk that takes more than its share of the time left cools further at once.
            left = max(task.clock.left - spare, 1e-9 * begun)
            done += max(1.0, (task.clock.spent - before) * (_CHUNKS - done) / left)
    found = np.full(covers.sites, -1, dtype=np.int64)
    found[small.site] = np.where(walk.best == stages, -1, walk.best)
    return found


def _shortlist(covers: Covers, reach: Reach, relaxed: StagedRelaxation, start: Ints) -> Bools:
    """Return the sites (m,) worth searching: those that the prices favour most, and those of ``start``."""
    earned = np.add.reduceat(relaxed.price[reach.point], reach.start[:-1], axis=0)
    earned -= np.outer(covers.cost, relaxed.money_price)
    profit = np.cumsum(earned[:, ::-1], axis=1).max(axis=1)
    wanted = max(int(_SHORTLIST * relaxed.share[:, -1].sum()), _FEWEST)
    kept = start >= 0
    kept[np.argsort(-profit, kind="stable")[:wanted]] = True
    return np.asarray(kept)
