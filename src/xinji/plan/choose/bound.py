"""The proved bound: Lagrangian relaxation of what couples options, solved by deflected subgradients.

Let go, each at a multiplier of at least 0: a row is served at most once; capacities; the arcs of a
row that stand on one option (``index.Index.pair``); budgets; floors. For trenches options pay charges
(``charges``). What stays (an option only on its host, once built always built) is solved exactly by
``staged.best_stages``. Sites are kept whole (``block``): a host's options, one of their resources and a row's
arcs on them.
Any multipliers give a valid bound (weak duality), so it does not matter how they were found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.core.offer import EXISTING
from xinji.core.plan import Certificate
from xinji.core.problem import Problem
from xinji.plan.choose.block import (
    Blocks,
    Terms,
    block_choice,
    block_gains,
    blocks_of,
    line_needs,
    needless,
    no_blocks,
)
from xinji.plan.choose.charges import Charges, charge, dues, prizes, rents, stations, upkeep
from xinji.plan.choose.index import SERVERS, Index, budget_limits, index, row_worth, stage_prices
from xinji.plan.choose.staged import best_stages, forest
from xinji.plan.jit import compiled

_DEFLECTION = 0.6
_PATIENCE = 15
_SHRINK = 0.7
_AVERAGE = 0.03
_WHOLE = 0.6
_NEAR = 0.03
_CHARGED_EVERY = {False: 10, True: 5}
_CHARGED_TRENCHES = 20_000
_ITERATIONS = (60, 250)
_WORK = 400_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Multipliers:
    """Prices of what the relaxation lets go; shapes as in ``Certificate``."""

    budget: Floats
    row: Floats
    capacity: Floats
    floor: Floats
    pair: Floats

    def parts(self) -> tuple[Floats, ...]:
        """Return the five arrays in a fixed order."""
        return (self.budget, self.row, self.capacity, self.floor, self.pair)


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """A proved bound on the maximised objective, its certificate, and what guides the heuristic.

    ``value`` bounds worth from above (or minus the discounted cost); ``multipliers`` price everything that
    is let go, what whole sites keep included, which the certificate leaves at 0; ``standing`` (n, T) is the
    averaged relaxed choice, between 0 and 1; ``interrupted`` says that Ctrl-C ended the descent.
    """

    value: float
    certificate: Certificate
    multipliers: Multipliers
    standing: Floats
    interrupted: bool = False


def first_prices(problem: Problem) -> Multipliers:
    """Return prices to begin with: money is dearer in early stages, where it also buys later years."""
    arcs = index(problem)
    stages, (n, resources) = problem.stages, problem.capacity.shape
    worth = float(problem.value.sum()) / max(float(problem.budget.sum()), 1.0)
    return Multipliers(
        budget=worth * np.linspace(1.5, 0.3, stages),
        row=np.zeros(problem.value.shape),
        capacity=np.zeros((n, stages, resources)),
        floor=np.zeros((len(problem.floor_name), stages)),
        pair=np.zeros((len(arcs.pair_row), stages)),
    )


def bound_of(certificate: Certificate, value: float) -> Bound:
    """Return the bound ``value`` (on the maximised objective) that ``certificate`` proves."""
    multipliers = Multipliers(
        budget=certificate.budget,
        row=certificate.row,
        capacity=certificate.capacity,
        floor=certificate.floor,
        pair=certificate.pair,
    )
    n, stages = certificate.capacity.shape[:2]
    return Bound(value, certificate, multipliers, np.zeros((n, stages)))


@compiled
def _standing_gains(index: Index, capacity: Floats, pair: Floats) -> Floats:
    """Return what the prices pay each option for standing (n, T): for its capacities and its pairs."""
    n, stages = len(index.start) - 1, capacity.shape[1]
    gain = np.zeros((n, stages))
    for option in range(n):
        for k in range(index.capacity.shape[1]):
            if index.limited[option, k]:
                gain[option] += index.capacity[option, k] * capacity[option, :, k]
    for p in range(len(index.pair_option)):
        gain[index.pair_option[p]] += pair[p]
    return gain


@compiled
def _profits(index: Index, worth: Floats, capacity: Floats, pair: Floats) -> Floats:
    """Return what the prices leave each arc (a, T) for serving the whole row.

    Row by row, since worth, pairs and amounts stand in memory in that order.
    """
    stages = worth.shape[1]
    profit = np.empty((len(index.row), stages))
    for arc in index.by_row:
        row, other, option = index.row[arc], index.partner[arc], index.owner[arc]
        for t in range(stages):
            profit[arc, t] = worth[row, t]
        for column in range(index.pair.shape[1]):
            p = index.pair[arc, column]
            if p >= 0:
                for t in range(stages):
                    profit[arc, t] -= pair[p, t]
        for k in range(index.capacity.shape[1]):
            carrier = other if (k == SERVERS and other >= 0) else option
            if index.limited[carrier, k]:
                for t in range(stages):
                    profit[arc, t] -= index.amount[row, t, k] * capacity[carrier, t, k]
    return profit


@compiled
def _serve_alone(index: Index, profit: Floats) -> tuple[Floats, Floats]:
    """Return what arcs serve if nothing but the prices limits them (a, T), and what options gain by it (n, T)."""
    stages = profit.shape[1]
    served, gain = np.zeros(profit.shape), np.zeros((len(index.start) - 1, stages))
    for option in range(len(gain)):
        for arc in range(index.start[option], index.start[option + 1]):
            for t in range(stages):
                if profit[arc, t] > 0.0:
                    served[arc, t] = index.share[arc]
                    gain[option, t] += index.share[arc] * profit[arc, t]
    return served, gain


@compiled
def _use(index: Index, option: int, t: int, served: Floats, slack: tuple[Floats, Floats, Floats]) -> None:
    """Take what the arcs of ``option`` serve in stage index ``t`` off the slacks."""
    row_slack, capacity_slack, pair_slack = slack
    for arc in range(index.start[option], index.start[option + 1]):
        if served[arc, t] > 0.0:
            row, other = index.row[arc], index.partner[arc]
            row_slack[row, t] -= served[arc, t]
            for p in index.pair[arc]:
                if p >= 0:
                    pair_slack[p, t] -= served[arc, t]
            for k in range(index.capacity.shape[1]):
                carrier = other if (k == SERVERS and other >= 0) else option
                if index.limited[carrier, k]:
                    capacity_slack[carrier, t, k] -= index.amount[row, t, k] * served[arc, t]


@compiled
def _slack(index: Index, stage: Ints, served: Floats, slack: tuple[Floats, Floats, Floats]) -> None:
    """Fill ``slack`` = (row (r, T), capacity (n, T, resources), pair (p, T)) for the relaxed choice."""
    row_slack, capacity_slack, pair_slack = slack
    row_slack[:] = 1.0
    capacity_slack[:] = 0.0
    pair_slack[:] = 0.0
    for option in range(len(index.start) - 1):
        if stage[option] >= 0:
            first = max(stage[option] - 1, 0)
            for k in range(index.capacity.shape[1]):
                if index.limited[option, k]:
                    capacity_slack[option, first:, k] += index.capacity[option, k]
            for t in range(first, row_slack.shape[1]):
                _use(index, option, t, served, slack)
    for p in range(len(index.pair_option)):
        if stage[index.pair_option[p]] >= 0:
            pair_slack[p, max(stage[index.pair_option[p]] - 1, 0) :] += 1.0


def standing_gains(problem: Problem, prices: Floats, gain: Floats) -> Floats:
    """Return the gain of every option standing from stage 0..T on (n, T + 1), costs at ``prices`` (T,)."""
    stages = problem.stages
    later = np.cumsum(prices[::-1])[::-1]
    from_stage = np.minimum(np.arange(stages + 1), stages) - 1
    from_stage[0] = 0
    build = np.concatenate([[0.0], prices])
    options = np.cumsum(gain[:, ::-1], axis=1)[:, ::-1][:, from_stage]
    return np.asarray(options - problem.opex[:, None] * later[from_stage] - problem.capex[:, None] * build)


class _Inner(NamedTuple):
    """The relaxed problem at given prices, trenches apart.

    ``gains`` (n, T + 1) are those of the options, with a block's all at its host; ``served`` (a, T)
    is what arcs serve one by one; ``terms`` and ``table`` are the blocks'.
    """

    gains: Floats
    served: Floats
    terms: Terms
    table: Floats


def _inner(problem: Problem, arcs: Index, blocks: Blocks, prices: Multipliers) -> _Inner:
    worth = row_worth(problem, prices.floor * floor_active(problem)) - prices.row
    money = stage_prices(problem, prices.budget)
    profit = _profits(arcs, worth, prices.capacity, prices.pair)
    gain = _standing_gains(arcs, prices.capacity, prices.pair)
    served, alone = _serve_alone(arcs, profit)
    terms = Terms(
        built=problem.built,
        standing=gain - problem.opex[:, None] * money,
        cost=problem.capex[:, None] * money,
        need=line_needs(problem, blocks),
        profit=profit,
        alone=alone,
    )
    gains = standing_gains(problem, money, gain + alone)
    gains[blocks.child] = 0.0
    whole, table = block_gains(blocks, arcs, terms)
    gains[blocks.host] += whole
    return _Inner(gains, served, terms, table)


def relaxation(
    problem: Problem, arcs: Index, blocks: Blocks, charges: Charges, prices: Multipliers
) -> tuple[float, Ints, Floats]:
    """Return the bound that ``prices`` and ``charges`` prove, the relaxed stages (n,) and service (a, T)."""
    return _choice(problem, arcs, blocks, charges, prices, _inner(problem, arcs, blocks, prices))


def _choice(
    problem: Problem, arcs: Index, blocks: Blocks, charges: Charges, prices: Multipliers, inner: _Inner
) -> tuple[float, Ints, Floats]:
    """Return what ``relaxation`` does from the relaxed problem ``inner``, whose service is written over."""
    trees, gains = forest(problem), inner.gains.copy()
    _, rent = rents(stage_prices(problem, prices.budget), upkeep(problem))
    gains[:, 1:] -= dues(charges, rent)
    value, chosen = best_stages(trees.order, trees.parent, trees.built, gains)
    block_choice(blocks, arcs, inner.terms, inner.table, chosen, inner.served)
    value += prices.row.sum() - (prices.floor * floor_active(problem) * problem.floor_amount[:, None]).sum()
    if problem.goal == "most_value":
        value += float(prices.budget @ budget_limits(problem))
    return float(value), chosen, inner.served


def floor_active(problem: Problem) -> Floats:
    """Return 1 where a floor (f,) holds in a stage (T,), else 0."""
    return (np.arange(1, problem.stages + 1) >= problem.floor_stage[:, None]).astype(float)


def spending(problem: Problem, charges: Charges, money: Floats, chosen: Ints) -> Floats:
    """Return the relaxed spending by stage (T,) [cents]: options, and charges in place of trenches.

    ``money`` (T,) is the price of a cent by stage.
    """
    stages = problem.stages
    in_plan = chosen >= 0
    once = np.bincount(chosen[in_plan], weights=problem.capex[in_plan].astype(float), minlength=stages + 1)
    once[0] = 0.0
    first = np.maximum(chosen[in_plan], 1)
    yearly = np.bincount(first, weights=problem.opex[in_plan].astype(float), minlength=stages + 1)
    share = upkeep(problem)
    stands = (chosen > 0)[:, None] & (chosen[:, None] <= np.arange(1, stages + 1))
    dug = (charges.cents * stands).sum(axis=0)
    payer, _ = rents(money, share)
    more = np.bincount(payer, weights=np.diff(dug, prepend=0.0), minlength=stages)
    return np.asarray(once[1:] + np.cumsum(yearly[1:]) + more + share * dug)


class _Descent:
    """The subgradient method's own state; scaled so that each family of multipliers moves alike."""

    def __init__(self, problem: Problem, arcs: Index) -> None:
        self.problem, self.arcs = problem, arcs
        self.stations = stations(problem, all_roots(problem))
        self.blocks, self.whole = no_blocks(problem, arcs), False
        self.priced = float(problem.goal == "most_value")
        self.scale, self.prices = _start(problem, arcs, _typical_worth(problem), self.priced)
        self.charges = charge(problem, self.stations, np.zeros((len(problem.option_id), problem.stages)))
        self.slack = tuple(np.zeros(part.shape) for part in (self.prices.row, self.prices.capacity, self.prices.pair))

    def keep_whole(self, blocks: Blocks) -> None:
        """Go on with ``blocks``, without the prices that they make needless."""
        capacity, pair = needless(self.problem, self.arcs, blocks)
        self.blocks, self.whole = blocks, True
        self.prices = replace(
            self.prices,
            capacity=np.where(capacity[:, None], 0.0, self.prices.capacity),
            pair=np.where(pair[:, None], 0.0, self.prices.pair),
        )
        budget, row, capacities, floor, pairs = self.scale
        capacities = np.where(capacity[:, None], 0.0, capacities)
        self.scale = (budget, row, capacities, floor, np.where(pair[:, None], 0.0, pairs))

    def evaluate(self, *, charge_anew: bool) -> tuple[float, Ints, Floats]:
        """Return what ``relaxation`` does at the prices, with charges by what options gain at these if asked for."""
        problem, arcs, blocks, prices = self.problem, self.arcs, self.blocks, self.prices
        inner = _inner(problem, arcs, blocks, prices)
        if charge_anew:
            money = stage_prices(problem, prices.budget)
            prize = prizes(problem, _with_hosted(problem, inner.gains[:, 1:]), money)
            self.charges = charge(problem, self.stations, prize)
        return _choice(problem, arcs, blocks, self.charges, prices, inner)

    def gradient(self, chosen: Ints, served: Floats) -> tuple[Floats, ...]:
        """Return the slack of every relaxed constraint, in the order of ``Multipliers.parts``."""
        problem, (row, capacity, pair) = self.problem, self.slack
        _slack(self.arcs, chosen, served, (row, capacity, pair))
        spend = spending(problem, self.charges, stage_prices(problem, self.prices.budget), chosen)
        budget = (budget_limits(problem) - (np.cumsum(spend) if problem.carry_over else spend)) * self.priced
        floor = (problem.floor_weight @ (1.0 - row) - problem.floor_amount[:, None]) * floor_active(problem)
        return budget, row, capacity, floor, pair

    def move(self, direction: tuple[Floats, ...], over: float) -> None:
        """Step against ``direction`` by as much as Polyak's rule allows for a value ``over`` its target."""
        length = sum(float((part * part * scale).sum()) for part, scale in zip(direction, self.scale, strict=True))
        step = over / max(length, 1e-300)
        budget, row, capacity, floor, pair = (
            np.maximum(part - step * scale * along, 0.0)
            for part, scale, along in zip(self.prices.parts(), self.scale, direction, strict=True)
        )
        row = np.minimum(row, row_worth(self.problem, floor * floor_active(self.problem)))
        self.prices = Multipliers(budget, row, capacity, floor, pair)


def _typical_worth(problem: Problem) -> Floats:
    """Return a worth for each row and stage (r, T) that scales its multiplier."""
    if problem.goal == "most_value":
        return problem.value.copy()
    money = float(problem.capex.sum() + problem.trench_capex.sum()) / 100.0
    weight = problem.floor_weight.sum(axis=0)
    return np.repeat((money * weight / max(float(weight.sum()), 1.0))[:, None], problem.stages, axis=1)


def _start(problem: Problem, arcs: Index, typical: Floats, priced: float) -> tuple[tuple[Floats, ...], Multipliers]:
    """Return the scale of each family's steps and the multipliers to start from."""
    n, resources = problem.capacity.shape
    stages, floors = problem.stages, len(problem.floor_name)
    worth = float(typical.sum())
    money = worth / max(float(problem.budget.sum()), 1.0)
    used = np.maximum(problem.amount.sum(axis=(0, 1)), 1e-9)
    largest = np.maximum(np.where(arcs.limited, arcs.capacity, 0.0).max(axis=0), 1e-9)
    floor = worth / np.maximum(problem.floor_weight.sum(axis=1), 1.0) / stages
    scale = (
        money / np.maximum(budget_limits(problem), 1.0),
        typical,
        np.broadcast_to(worth / used / largest, (n, stages, resources)),
        np.broadcast_to((floor / np.maximum(problem.floor_amount, 1.0))[:, None], (floors, stages)),
        typical[arcs.pair_row],
    )
    first_floor = 0.0 if priced else 0.1
    prices = Multipliers(
        budget=np.full(stages, 0.5 * priced * money),
        row=0.3 * priced * typical,
        capacity=np.zeros((n, stages, resources)),
        floor=first_floor * floor[:, None] * floor_active(problem),
        pair=np.zeros((len(arcs.pair_row), stages)),
    )
    return scale, prices


def prove(problem: Problem, *, target: float, rounds: int = 5, iterations: int | None = None) -> Bound:
    """Return a proved bound on the maximised objective (worth, or minus the discounted cost).

    ``target`` is the objective of a known plan, which sets the length of the steps. Each of ``rounds`` begins
    with long steps again; the last ones keep sites whole, which takes several times as long. A round takes
    ``iterations``, by default as many as the problem's size leaves time for (``round_length``). The last one takes
    steps as short as if a plan were known that is worth nearly the bound.
    """
    iterations = round_length(problem) if iterations is None else iterations
    arcs = index(problem)
    blocks, descent = blocks_of(problem, arcs), _Descent(problem, arcs)
    interrupted = False
    best, standing = np.inf, np.zeros((len(problem.option_id), problem.stages))
    guide, first_whole = descent.prices, rounds - int(_WHOLE * rounds)
    for turn in range(rounds):
        if turn == first_whole:
            descent.keep_whole(blocks)
        if first_whole < turn == rounds - 1:
            target = max(target, best - _NEAR * abs(best))
        try:
            value, found, now = _descend(descent, target, iterations)
        except KeyboardInterrupt:
            interrupted = True
            if turn:
                break
            value, found, now = _descend(descent, target, 1)
        if value < best:
            best, standing, kept = value, now, found
            guide = guide if descent.whole else found[0]
        descent.prices, descent.charges = found
        if interrupted:
            break
    prices, charges = kept
    best = relaxation(problem, arcs, blocks, charges, prices)[0]
    return Bound(best, _certificate(charges, prices), guide, standing, interrupted)


def round_length(problem: Problem) -> int:
    """Return how often a round evaluates the relaxation: seldom enough that it looks at ``_WORK`` arcs and stages."""
    few, many = _ITERATIONS
    return int(np.clip(_WORK // max(len(problem.arc_row) * problem.stages, 1), few, many))


def charged_every(problem: Problem, *, whole: bool) -> int:
    """Return after how many evaluations charges are made anew: growing their cores sees all trenches."""
    return _CHARGED_EVERY[whole] * (1 + len(problem.trench_id) // _CHARGED_TRENCHES)


def _certificate(charges: Charges, prices: Multipliers) -> Certificate:
    count = [len(cores.width) for cores in charges.cores]
    before = np.concatenate([[0], np.cumsum(count)])[:-1]
    numbered = list(zip(before, charges.cores, strict=True))
    station = charges.station
    return Certificate(
        budget=prices.budget,
        row=prices.row,
        capacity=prices.capacity,
        floor=prices.floor,
        pair=prices.pair,
        charge=charges.cents,
        core_stage=np.repeat(np.arange(1, len(count) + 1), count),
        core_width=np.concatenate([cores.width for cores in charges.cores]),
        core_parent=np.concatenate([np.where(cores.parent >= 0, cores.parent + at, -1) for at, cores in numbered]),
        cover_core=np.concatenate([cores.cover_core + at for at, cores in numbered]),
        cover_node=np.concatenate([cores.cover_node for cores in charges.cores]),
        cover_time=np.concatenate([cores.cover_time for cores in charges.cores]),
        option_core=np.stack(
            [np.where(station >= 0, cores.node_core[station] + at, -1) for at, cores in numbered], axis=1
        ),
    )


def _with_hosted(problem: Problem, gains: Floats) -> Floats:
    """Return ``gains`` (n, T) with, at each host, what all that it hosts gains at best from each stage on."""
    total = gains.copy()
    order = forest(problem).order
    for option in order[problem.host[order] >= 0]:
        best = np.maximum(np.maximum.accumulate(total[option, ::-1])[::-1], 0.0)
        total[problem.host[option]] += best
    return total


def _descend(descent: _Descent, target: float, iterations: int) -> tuple[float, tuple[Multipliers, Charges], Floats]:
    """Return the least bound found, its multipliers and charges, and the averaged relaxed choice (n, T)."""
    problem, every = descent.problem, charged_every(descent.problem, whole=descent.whole)
    best, found, theta, stall = np.inf, (descent.prices, descent.charges), 1.0, 0
    direction: tuple[Floats, ...] = tuple(np.zeros(part.shape) for part in descent.prices.parts())
    standing = np.zeros((len(problem.option_id), problem.stages))
    stage_number = np.arange(1, problem.stages + 1)
    for step in range(iterations):
        value, chosen, served = descent.evaluate(charge_anew=step % every == 0)
        stall += 1
        if value < best:
            stall = 0 if value < best - 1e-5 * abs(best) or not np.isfinite(best) else stall
            best, found = value, (descent.prices, descent.charges)
        if stall >= _PATIENCE:
            theta, stall = theta * _SHRINK, 0
        keep = _DEFLECTION if step else 0.0
        slack = descent.gradient(chosen, served)
        direction = tuple(keep * old + (1.0 - keep) * new for old, new in zip(direction, slack, strict=True))
        now = (chosen[:, None] >= 0) & (chosen[:, None] <= stage_number)
        standing = standing + (now - standing) * max(_AVERAGE, 1.0 / (step + 1))
        if theta < 1e-4:
            break
        aim = 0.5 * (best + target)
        descent.move(direction, theta * max(value - aim, 1e-9 * abs(value)))
    return best, found, standing


def all_roots(problem: Problem) -> Ints:
    """Return the nodes that are joined from the start: points of presence and existing options' own."""
    return np.unique(np.concatenate([problem.roots, problem.node[(problem.built == EXISTING) & (problem.node >= 0)]]))
