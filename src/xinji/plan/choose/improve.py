"""The heuristic: construct a plan, then take parts of it away and build them again, better.

Large-neighbourhood search (Shaw 1998; Pisinger and Ropke 2010). Each try prunes
the trenches and books every cost from nothing, so no drift can build up. The seed fixes the run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from xinji.core.arrays import Bools, Floats, Ints
from xinji.core.offer import EXISTING, FREE
from xinji.core.problem import Problem
from xinji.plan.choose.bound import Multipliers, all_roots
from xinji.plan.choose.construct import (
    Aim,
    State,
    Task,
    bundle_need,
    floor_met,
    greedy_stage,
    keep_stage,
    new_state,
    resume,
    stand_existing,
    task,
)
from xinji.plan.choose.index import stage_prices
from xinji.plan.choose.money import spend
from xinji.plan.choose.near import serve_near
from xinji.plan.choose.network import (
    Network,
    affordable,
    book_way,
    dig_way,
    kept,
    new_network,
    prune,
    spread_joined,
    start_stage,
    wanted_from,
)
from xinji.plan.choose.relay import relaid
from xinji.plan.choose.serve import serve
from xinji.plan.choose.staged import option_nodes
from xinji.units import CENTS_PER_UNIT

Progress = Callable[[int, int], None]

_SPREAD = 0.2
_WARMTH = 0.0002
_HOPE = 0.004
_SIZES = (10, 80)
_LATE = 0.3
_LOCAL = 0.9
_PROMISING = 0.001
_RELAID_TRENCHES = 20_000
_OUT_OF_REACH = 1e15
_LADDERS = ((0.9, 0.7, 0.5, 0.4), (0.9, 0.7, 0.5, 0.3), (0.95, 0.8, 0.6, 0.4, 0.2), (0.9, 0.6, 0.3))
_FALLING = (*_LADDERS, (0.5,), (0.7,), (0.8,), (0.9,))


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to search: ``tries`` decide; ``seconds`` only guard against a slow machine.

    ``rounds`` is how often the bound's descent begins anew.
    """

    tries: int = 100
    seconds: float = np.inf
    seed: int = 0
    progress: Progress | None = None
    rounds: int = 5


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Stages (n,) and (m,), service (a, T) in kernel order; ``valid``: budgets, floors, commitments hold."""

    stage: Ints
    dug: Ints
    served: Floats
    objective: float
    valid: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """What stays the same during one search."""

    problem: Problem
    plan: Task
    roots: Ints
    node: Ints
    ways: csr_array
    free_trench: Bools

    def aim(self, noise: Floats, least: float) -> Aim:
        """Return the aim of a pass for worth."""
        problem = self.problem
        return Aim(problem.value, noise, least, problem.carry_over, np.zeros(len(problem.value)), 0.0, 1)

    def floor_aim(self, noise: Floats, floor: int, stage: int) -> Aim:
        """Return the aim of a pass for one floor in one stage."""
        problem = self.problem
        weight = problem.floor_weight[floor].copy()
        worth = np.zeros_like(problem.value)
        worth[:, stage - 1 :] = weight[:, None]
        return Aim(worth, noise, 0.0, problem.carry_over, weight, float(problem.floor_amount[floor]), stage)


def starts(standing: Floats) -> list[Ints]:
    """Return stages (k, n) to begin a plan with, several times, from the averaged relaxed choice ``standing`` (n, T).

    What surely stands comes first and what may stand last: each option in the first stage above falling limits.
    """
    found = []
    for limits in _FALLING:
        above = [standing > limit for limit in limits]
        found.append(np.stack([np.where(one.any(axis=1), 1 + one.argmax(axis=1), -1) for one in above]))
    return found


def improve(
    problem: Problem, prices: Multipliers, start: Ints, effort: Effort, others: Sequence[Ints] = ()
) -> tuple[Solution, bool]:
    """Return the best plan found and whether Ctrl-C stopped the search.

    ``prices`` are the bound's; ``start`` stages to begin with (-1 never), or some of ``others`` if the plan
    that they lead to is better: (n,), or (k, n) for wishes of which the first are met before the next.
    """
    search = _search(problem, prices)
    best = _begun(search, start)
    if not best.valid:
        return best, False
    best = _laid_anew(search, best)
    for other in others:
        found = _begun(search, other)
        best = _better(best, _laid_anew(search, found) if found.valid else found)
    return _anneal(search, best, effort)


def _begun(search: _Search, start: Ints) -> Solution:
    """Return a plan, with its best service if valid, that follows ``start`` (n,) or (k, n) where it can."""
    problem = search.problem
    forced = np.where(problem.built >= EXISTING, problem.built, -1)
    wishes = np.where(forced >= 0, forced, np.atleast_2d(start))
    found = _construct(search, wishes, floors_before=False)
    if not found.valid:
        found = _better(found, _construct(search, wishes, floors_before=True))
    return _serve_best(search, found) if found.valid else found


def improve_from(problem: Problem, prices: Multipliers, assets: tuple[Ints, Ints], effort: Effort) -> Solution:
    """Return the best plan found from the valid one with ``assets``: stages (n,) and (m,) of options and trenches."""
    search = _search(problem, prices)
    nothing = np.zeros((len(problem.arc_row), problem.stages))
    start = Solution(*assets, served=nothing, objective=0.0, valid=True)
    return _anneal(search, _serve_best(search, start), effort)[0]


def _anneal(search: _Search, best: Solution, effort: Effort) -> tuple[Solution, bool]:
    """Return the best plan found from the valid plan ``best`` and whether Ctrl-C stopped the search."""
    rng = np.random.default_rng(effort.seed)
    begun = time.monotonic()
    current = best
    every, promising = relay_every(search.problem), 0
    try:
        for count in range(effort.tries):
            if time.monotonic() - begun > effort.seconds:
                break
            keep, may = _destroy(search, current.stage, rng)
            noise = np.exp(_SPREAD * rng.standard_normal(len(may)))
            fresh = _rebuild(search, current, keep, np.where(may, noise, 0.0))
            if fresh.valid and fresh.objective > current.objective - _HOPE * abs(current.objective):
                fresh = _served_near(search, current, fresh)
                if fresh.valid and fresh.objective > current.objective - _PROMISING * abs(current.objective):
                    fresh = _laid_anew(search, fresh) if promising % every == 0 else fresh
                    promising += 1
                warmth = _WARMTH * (1.0 - count / effort.tries) * abs(current.objective)
                current = fresh if fresh.valid and fresh.objective > current.objective - warmth else current
                best = _better(best, fresh)
            if effort.progress is not None:
                effort.progress(count + 1, effort.tries)
    except KeyboardInterrupt:
        return best, True
    return best, False


def relay_every(problem: Problem) -> int:
    """Return after how many promising plans the trenches of one are laid anew: laying them sees the whole region."""
    return 1 + len(problem.trench_id) // _RELAID_TRENCHES


def _search(problem: Problem, prices: Multipliers) -> _Search:
    unlimited = np.full(problem.stages, 1 << 52, dtype=np.int64)
    if problem.goal == "least_cost":
        problem = replace(problem, budget=unlimited)
    ends = (problem.from_node, problem.to_node)
    ways = csr_array((problem.trench_length_m + 1e-3, ends), shape=(problem.node_count,) * 2)
    return _Search(
        problem=problem,
        plan=task(problem, stage_prices(problem, prices.budget), prices.capacity),
        roots=all_roots(problem),
        node=option_nodes(problem),
        ways=ways,
        free_trench=problem.trench_built == FREE,
    )


def _better(old: Solution, new: Solution) -> Solution:
    return new if (new.valid, new.objective) > (old.valid, old.objective) else old


def _construct(search: _Search, wishes: Ints, *, floors_before: bool) -> Solution:
    """Return a plan built from nothing that follows ``wishes`` (k, n), one after the other, stage by stage.

    Floors come first in the stage in which they fall due, or before everything else.
    """
    problem, plan = search.problem, search.plan
    state, network = new_state(problem, plan.arcs), new_network(problem, search.roots)
    stand_existing(plan, state, network)
    plain = np.ones(len(problem.built))
    committed = np.where(problem.built > EXISTING, problem.built, -1)
    for stage in range(1, problem.stages + 1):
        for option in np.flatnonzero((committed == stage) & (problem.node >= 0)):
            _dig_early(search, state, network, int(option), stage)
        keep_stage(plan, state, network, np.flatnonzero(committed == stage), stage, problem.carry_over)
    if floors_before:
        _meet_due(search, state, network, range(1, problem.stages + 1))
    for stage in range(1, problem.stages + 1):
        _meet_due(search, state, network, range(stage, stage + 1))
        for wish in wishes:
            keep_stage(plan, state, network, np.flatnonzero(wish == stage), stage, problem.carry_over)
        if problem.goal == "most_value":
            greedy_stage(plan, state, network, search.aim(plain, 1.0), stage)
    return _fill(search, state, network, plain)


def _dig_early(search: _Search, state: State, network: Network, option: int, stage: int) -> None:
    """Dig the way to a committed ``option`` in an earlier stage where its own stage cannot pay for it."""
    plan, carry = search.plan, search.problem.carry_over
    start_stage(plan.graph, network, stage, np.inf)
    need, node = bundle_need(plan, state, network, option, stage)
    if node < 0 or affordable(network.left, need, carry):
        return
    for earlier in range(stage - 1, 0, -1):
        start_stage(plan.graph, network, earlier, np.inf)
        way = np.zeros(search.problem.stages)
        book_way(plan.graph, network, node, earlier, way)
        if affordable(network.left, way, carry):
            network.left[:] -= way
            dig_way(plan.graph, network, node, earlier, np.inf)
            return


def _rebuild(search: _Search, base: Solution, keep: Ints, noise: Floats) -> Solution:
    """Return the plan that keeps ``keep`` (n,) of ``base`` and builds again what pays.

    Trenches that nothing kept needs are left out, and every cost is booked anew. ``noise`` (n,)
    multiplies what options are worth to the greedy passes; 0 leaves them out.
    """
    problem, plan = search.problem, search.plan
    dug = base.dug.copy()
    prune(plan.graph, search.free_trench, wanted_from(problem, keep, search.roots), dug, problem.stages)
    network = new_network(problem, search.roots)
    network.dug[:] = dug
    for stage in range(problem.stages + 1):
        spread_joined(problem, network, stage)
    network.left[:] = problem.budget - spend(problem, keep, dug)
    state = new_state(problem, plan.arcs)
    resume(plan, state, base.served, keep)
    for stage in range(1, problem.stages + 1):
        if problem.goal == "most_value":
            greedy_stage(plan, state, network, search.aim(noise, 1.0), stage)
    return _fill(search, state, network, noise, again=problem.goal == "most_value")


def _fill(search: _Search, state: State, network: Network, noise: Floats, *, again: bool = False) -> Solution:
    """Return the plan after meeting floors and spending what is left.

    Where ``again``, the best service has yet to say whether the floors are met: greedy service misses by a little
    what a linear program met exactly.
    """
    problem, plan = search.problem, search.plan
    _meet_due(search, state, network, range(1, problem.stages + 1))
    for stage in range(1, problem.stages + 1):
        if problem.goal == "most_value":
            greedy_stage(plan, state, network, search.aim(noise, 0.0), stage)
    met = kept(network.left, carry_over=problem.carry_over)
    met = met and _committed(problem, state) and (again or _floors_met(search, state))
    return Solution(state.stage, network.dug, state.served, _objective(problem, state, network), met)


def _laid_anew(search: _Search, found: Solution) -> Solution:
    """Return ``found`` with cheaper trenches, what they save spent at once, where that is better.

    A tree that is cheaper in all can cost more in one stage: then the plan is built from nothing along it.
    """
    problem = search.problem
    dug = relaid(problem, found.stage, found.dug, search.roots)
    left = (problem.budget - spend(problem, found.stage, dug)).astype(float)
    base = replace(found, dug=dug)
    if not kept(left, carry_over=problem.carry_over):
        graph = search.plan.graph
        only = graph._replace(capex=np.where(dug >= 0, graph.capex, _OUT_OF_REACH))
        along = replace(search, plan=search.plan._replace(graph=only))
        base = _construct(along, np.atleast_2d(found.stage), floors_before=False)
        if not base.valid:
            return found
    fresh = _rebuild(search, base, base.stage, np.ones(len(base.stage)))
    return _better(found, _served_near(search, found, fresh))


def _serve_best(search: _Search, found: Solution) -> Solution:
    """Return ``found`` with the best service that its assets allow."""
    problem = search.problem
    if problem.goal == "least_cost":
        return found
    return _with_service(search, found, serve(problem, found.stage, found.dug))


def _served_near(search: _Search, known: Solution, fresh: Solution) -> Solution:
    """Return ``fresh`` with the best service around where it differs from ``known``, the rest as there."""
    if search.problem.goal == "least_cost" or not fresh.valid:
        return fresh
    before = np.empty_like(known.served)
    before[search.plan.arcs.arc] = known.served
    served = serve_near(search.problem, fresh.stage, fresh.dug, known.stage, before)
    return replace(fresh, valid=False) if served is None else _with_service(search, fresh, served)


def _with_service(search: _Search, found: Solution, served: Floats) -> Solution:
    worth = float((search.problem.value[search.problem.arc_row] * served).sum())
    return replace(found, served=served[search.plan.arcs.arc], objective=worth)


def _due(problem: Problem, stages: range) -> list[tuple[int, int]]:
    """Return the floors that hold in ``stages``, with the stage, the earliest floors first."""
    order = np.argsort(problem.floor_stage, kind="stable")
    return [(int(floor), stage) for floor in order for stage in stages if stage >= problem.floor_stage[floor]]


def _floors_met(search: _Search, state: State) -> bool:
    plain = np.ones(len(state.stage))
    due = _due(search.problem, range(1, search.problem.stages + 1))
    return all(floor_met(state, search.floor_aim(plain, floor, stage)) for floor, stage in due)


def _meet_due(search: _Search, state: State, network: Network, stages: range) -> None:
    """Build until the floors that hold in ``stages`` are met, each as late as money allows."""
    plain = np.ones(len(state.stage))
    for floor, stage in _due(search.problem, stages):
        _meet(search, state, network, search.floor_aim(plain, floor, stage))


def _committed(problem: Problem, state: State) -> bool:
    """Return whether everything committed stands from its stage on."""
    forced = problem.built >= EXISTING
    return bool((state.stage[forced] == problem.built[forced]).all())


def _meet(search: _Search, state: State, network: Network, aim: Aim) -> None:
    """Build until the floor of ``aim`` is met, as late as money allows."""
    for stage in range(aim.floor_stage, 0, -1):
        if floor_met(state, aim):
            return
        greedy_stage(search.plan, state, network, aim, stage)


def _objective(problem: Problem, state: State, network: Network) -> float:
    """Return the worth served, or minus the discounted cost [currency]."""
    if problem.goal == "most_value":
        return float((problem.value * (1.0 - state.rest)).sum())
    return -float(problem.discount @ (problem.budget - network.left)) / CENTS_PER_UNIT


def _destroy(search: _Search, stages: Ints, rng: np.random.Generator) -> tuple[Ints, Bools]:
    """Return ``stages`` (n,) with a part taken away, and the options (n,) that may be built in its place.

    Taken away is what stands near a random option, all of it or its late stages, or a random part.
    """
    problem = search.problem
    hosting = np.isin(np.arange(len(stages)), problem.host[problem.built >= EXISTING])
    free = (problem.built == FREE) & (stages > 0) & ~hosting
    gone = np.zeros(len(stages), dtype=bool)
    count = int(rng.integers(*_SIZES))
    draw = rng.random()
    if draw < _LOCAL:
        area = _near(search, int(rng.integers(len(stages))), 3 * count)
        gone[area] = free[area] & (stages[area] >= (rng.integers(1, problem.stages + 1) if draw < _LATE else 1))
    else:
        standing = np.flatnonzero(free)
        gone[rng.choice(standing, size=min(count, len(standing)), replace=False)] = True
        area = np.arange(len(stages))
    while True:
        orphan = free & ~gone & (problem.host >= 0) & gone[problem.host]
        if not orphan.any():
            break
        gone |= orphan
    may = gone.copy()
    may[area] = True
    return np.where(gone, -1, stages), may


def _near(search: _Search, seed: int, count: int) -> Ints:
    """Return the ``count`` options nearest to option ``seed`` along the trench graph, itself included."""
    node = search.node
    if node[seed] < 0:
        return np.array([seed])
    far = dijkstra(search.ways, directed=False, indices=node[seed])
    distance = np.where(node >= 0, far[node], np.inf)
    return np.argsort(distance, kind="stable")[:count].astype(np.int64)
