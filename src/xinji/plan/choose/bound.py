"""The proved bound: Lagrangian relaxation of what couples options, solved by deflected subgradients.

Let go, each at a multiplier of at least 0: a row is served at most once; capacities; the arcs of a
row that stand on one option (``index.Index.pair``); budgets; floors. What stays (an option only on
its host and inside its cores, once built always built) is solved exactly by ``staged.best_stages``.
Sites are kept whole (``block``): a host's options, one of their resources and a row's arcs on them.
Any multipliers give a valid bound (weak duality), so it does not matter how they were found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.core.offer import EXISTING, FORBIDDEN
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
from xinji.plan.choose.cores import Cores, grow_cores
from xinji.plan.choose.index import SERVERS, Index, budget_limits, index, row_worth, stage_prices
from xinji.plan.choose.staged import Forest, best_stages, forest
from xinji.plan.jit import compiled

_DEFLECTION = 0.6
_PATIENCE = 15
_SHRINK = 0.7
_AVERAGE = 0.03
_WHOLE = 0.43
_NEAR = 0.03
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


def standing_gains(problem: Problem, trees: Forest, prices: Floats, gain: Floats) -> Floats:
    """Return the gain of every forest node standing from stage 0..T on (n + k, T + 1), costs at ``prices`` (T,)."""
    stages = problem.stages
    later = np.cumsum(prices[::-1])[::-1]
    from_stage = np.minimum(np.arange(stages + 1), stages) - 1
    from_stage[0] = 0
    build = np.concatenate([[0.0], prices])
    options = np.cumsum(gain[:, ::-1], axis=1)[:, ::-1][:, from_stage]
    options = options - problem.opex[:, None] * later[from_stage] - problem.capex[:, None] * build
    cores = -trees.width[:, None] * (build + trees.opex_share * later[from_stage])
    return np.concatenate([options, cores])


class _Inner(NamedTuple):
    """The relaxed problem at given prices.

    ``gains`` (n + k, T + 1) are those of the forest's nodes, with a block's all at its host; ``served`` (a, T)
    is what arcs serve one by one; ``terms`` and ``table`` are the blocks'.
    """

    gains: Floats
    served: Floats
    terms: Terms
    table: Floats


def _inner(problem: Problem, arcs: Index, blocks: Blocks, trees: Forest, prices: Multipliers) -> _Inner:
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
    gains = standing_gains(problem, trees, money, gain + alone)
    gains[blocks.child] = 0.0
    whole, table = block_gains(blocks, arcs, terms)
    gains[blocks.host] += whole
    return _Inner(gains, served, terms, table)


def relaxation(
    problem: Problem, arcs: Index, blocks: Blocks, trees: Forest, prices: Multipliers
) -> tuple[float, Ints, Floats]:
    """Return the bound that ``prices`` prove, the relaxed stages (n + k,) and the relaxed service (a, T)."""
    inner = _inner(problem, arcs, blocks, trees, prices)
    value, chosen = best_stages(trees.order, trees.parent, trees.built, inner.gains)
    block_choice(blocks, arcs, inner.terms, inner.table, chosen, inner.served)
    value += prices.row.sum() - (prices.floor * floor_active(problem) * problem.floor_amount[:, None]).sum()
    if problem.goal == "most_value":
        value += float(prices.budget @ budget_limits(problem))
    return float(value), chosen, inner.served


def floor_active(problem: Problem) -> Floats:
    """Return 1 where a floor (f,) holds in a stage (T,), else 0."""
    return (np.arange(1, problem.stages + 1) >= problem.floor_stage[:, None]).astype(float)


def spending(problem: Problem, trees: Forest, chosen: Ints) -> Floats:
    """Return the relaxed spending by stage (T,) [cents]: options, and cores in place of trenches."""
    stages = problem.stages
    capex = np.concatenate([problem.capex.astype(float), trees.width])
    opex = np.concatenate([problem.opex.astype(float), trees.width * trees.opex_share])
    in_plan = chosen >= 0
    once = np.bincount(chosen[in_plan], weights=capex[in_plan], minlength=stages + 1)
    once[0] = 0.0
    yearly = np.bincount(np.maximum(chosen[in_plan], 1), weights=opex[in_plan], minlength=stages + 1)
    return np.asarray(once[1:] + np.cumsum(yearly[1:]))


class _Descent:
    """The subgradient method's own state; scaled so that each family of multipliers moves alike."""

    def __init__(self, problem: Problem, arcs: Index, trees: Forest) -> None:
        self.problem, self.arcs, self.trees = problem, arcs, trees
        self.blocks, self.whole = no_blocks(problem, arcs), False
        self.priced = float(problem.goal == "most_value")
        self.scale, self.prices = _start(problem, arcs, _typical_worth(problem), self.priced)
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

    def gradient(self, chosen: Ints, served: Floats) -> tuple[Floats, ...]:
        """Return the slack of every relaxed constraint, in the order of ``Multipliers.parts``."""
        problem, (row, capacity, pair) = self.problem, self.slack
        _slack(self.arcs, chosen, served, (row, capacity, pair))
        spend = spending(problem, self.trees, chosen)
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


def prove(problem: Problem, *, target: float, rounds: int = 7, iterations: int | None = None) -> Bound:
    """Return a proved bound on the maximised objective (worth, or minus the discounted cost).

    ``target`` is the objective of a known plan, which sets the length of the steps. Cores are grown
    anew in each of ``rounds``, each option paying for its own with what the prices of the round
    before leave it. The last rounds keep sites whole, which takes several times as long. A round takes
    ``iterations``, by default as many as the problem's size leaves time for (``round_length``). The last one takes
    steps as short as if a plan were known that is worth nearly the bound.
    """
    iterations = round_length(problem) if iterations is None else iterations
    arcs = index(problem)
    blocks = blocks_of(problem, arcs)
    cores, trees = _cored(problem, _first_prizes(problem))
    descent = _Descent(problem, arcs, trees)
    interrupted = False
    best, standing = np.inf, np.zeros((len(problem.option_id), problem.stages))
    guide, first_whole = descent.prices, rounds - int(_WHOLE * rounds)
    for turn in range(rounds):
        if turn:
            cores, trees = _cored(problem, _prizes(descent))
            descent.trees = trees
        if turn == first_whole:
            descent.keep_whole(blocks)
        if first_whole < turn == rounds - 1:
            target = max(target, best - _NEAR * abs(best))
        try:
            value, prices, now = _descend(descent, target, iterations)
        except KeyboardInterrupt:
            interrupted = True
            if turn:
                break
            value, prices, now = _descend(descent, target, 1)
        if value < best:
            best, standing, kept = value, now, (cores, trees, prices)
            guide = guide if descent.whole else prices
        descent.prices = prices
        if interrupted:
            break
    cores, trees, prices = kept
    best = relaxation(problem, arcs, blocks, trees, prices)[0]
    return Bound(best, _certificate(cores, trees, prices), guide, standing, interrupted)


def round_length(problem: Problem) -> int:
    """Return how often a round evaluates the relaxation: seldom enough that it looks at ``_WORK`` arcs and stages."""
    few, many = _ITERATIONS
    return int(np.clip(_WORK // max(len(problem.arc_row) * problem.stages, 1), few, many))


def _certificate(cores: Cores, trees: Forest, prices: Multipliers) -> Certificate:
    n = len(prices.capacity)
    return Certificate(
        budget=prices.budget,
        row=prices.row,
        capacity=prices.capacity,
        floor=prices.floor,
        pair=prices.pair,
        core_width=cores.width,
        core_parent=cores.parent,
        cover_core=cores.cover_core,
        cover_node=cores.cover_node,
        cover_time=cores.cover_time,
        option_core=np.where((trees.parent[:n] >= n), trees.parent[:n] - n, -1),
    )


def _standalone(problem: Problem) -> Bools:
    """Return the options (n,) that cores can stand around: joined on their own, and not from the start."""
    free = (problem.built != EXISTING) & (problem.built != FORBIDDEN)
    return np.asarray((problem.host < 0) & free & (problem.node >= 0))


def _cored(problem: Problem, surplus: Floats) -> tuple[Cores, Forest]:
    """Return cores that ``surplus`` (n,) [cents] pays for, and the forest of options in them."""
    alone = _standalone(problem)
    prize = np.bincount(problem.node[alone], weights=surplus[alone], minlength=problem.node_count).astype(float)
    cores = grow_cores(problem, all_roots(problem), prize, np.unique(problem.node[alone]))
    return cores, forest(problem, cores, np.where(alone, cores.node_core[problem.node], -1))


def _first_prizes(problem: Problem) -> Floats:
    """Return prizes (n,) that never run out."""
    return np.full(len(problem.option_id), float(problem.trench_capex.sum() + 1))


def _prizes(descent: _Descent) -> Floats:
    """Return what each option with all it hosts is worth over its own cost (n,), in cents of trench capex."""
    problem, trees, prices = descent.problem, descent.trees, descent.prices
    n, money = len(problem.option_id), stage_prices(descent.problem, descent.prices.budget)
    own = _inner(problem, descent.arcs, descent.blocks, trees, prices).gains[:n]
    order = np.argsort(problem.host < 0, kind="stable")
    total = own.copy()
    for option in order[problem.host[order] >= 0]:
        best = np.maximum(np.maximum.accumulate(total[option, ::-1])[::-1], 0.0)
        total[problem.host[option]] += best
    later = np.cumsum(money[::-1])[::-1]
    unit = np.maximum(money + trees.opex_share * later, money.max() * 1e-9 + 1e-300)
    return np.asarray(np.maximum((total[:, 1:] / unit).max(axis=1), 0.0))


def _descend(descent: _Descent, target: float, iterations: int) -> tuple[float, Multipliers, Floats]:
    """Return the least bound found, its multipliers, and the averaged relaxed choice (n, T)."""
    problem, n = descent.problem, len(descent.problem.option_id)
    best, best_prices, theta, stall = np.inf, descent.prices, 1.0, 0
    direction: tuple[Floats, ...] = tuple(np.zeros(part.shape) for part in descent.prices.parts())
    standing = np.zeros((n, problem.stages))
    stage_number = np.arange(1, problem.stages + 1)
    for step in range(iterations):
        value, chosen, served = relaxation(problem, descent.arcs, descent.blocks, descent.trees, descent.prices)
        stall += 1
        if value < best:
            stall = 0 if value < best - 1e-5 * abs(best) or not np.isfinite(best) else stall
            best, best_prices = value, descent.prices
        if stall >= _PATIENCE:
            theta, stall = theta * _SHRINK, 0
        keep = _DEFLECTION if step else 0.0
        slack = descent.gradient(chosen, served)
        direction = tuple(keep * old + (1.0 - keep) * new for old, new in zip(direction, slack, strict=True))
        now = (chosen[:n, None] >= 0) & (chosen[:n, None] <= stage_number)
        standing = standing + (now - standing) * max(_AVERAGE, 1.0 / (step + 1))
        if theta < 1e-4:
            break
        aim = 0.5 * (best + target)
        descent.move(direction, theta * max(value - aim, 1e-9 * abs(value)))
    return best, best_prices, standing


def all_roots(problem: Problem) -> Ints:
    """Return the nodes that are joined from the start: points of presence and existing options' own."""
    return np.unique(np.concatenate([problem.roots, problem.node[(problem.built == EXISTING) & (problem.node >= 0)]]))
