"""Branch and bound for prize-collecting cases: reductions, dual ascent and tree heuristics at every node.

After Leitner, Ljubic, Luipersbeck and Sinnl, INFORMS J. Computing 30, 2018: a node of the search takes one
node of the graph in or out.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace

import numpy as np

from xinji.core.arrays import Bools
from xinji.plan.design.proof import Clock
from xinji.plan.design.steiner.prize_bound import Bound, best_ascent, fixed, reached
from xinji.plan.design.steiner.prize_case import NOTHING, Case, origins, renumbered, subcase, with_required
from xinji.plan.design.steiner.prize_cutting import relax
from xinji.plan.design.steiner.prize_degree import reduce_degrees
from xinji.plan.design.steiner.prize_distance import reduce_distances
from xinji.plan.design.steiner.prize_local import improved
from xinji.plan.design.steiner.prize_state import Search
from xinji.plan.design.steiner.prize_tree import (
    Found,
    best_tree,
    ground_of,
    joined_by_paths,
)

_STARTS = 6
_ROOTS = 5
_ROOTS_LATER = 2
_SHRINKS = 0.9
_NEAR = 1.02
_LP_EDGES = 6000
_MERGED_NODES = 400
_MERGE_SECONDS = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The ``nodes`` (n,) of the best tree, its ``value``, the proved ``bound`` and how many cases were ``searched``."""

    nodes: Bools
    value: float
    bound: float
    searched: int


def search(case: Case, *, unit: float, seconds: float, seed: int, known: float = np.inf) -> Outcome:
    """Return the best tree of ``case`` found within ``seconds`` if it costs less than ``known``.

    ``unit`` divides the values of all trees (0 if nothing is known): a better tree is better by as much.
    Where no tree costs less, ``nodes`` is empty and the value and bound are at most ``known``.
    """
    case = renumbered(case)
    state = _begin(case, unit, Clock(seconds), seed, known)
    proved = _explore(state, case)
    if unit > 0.0 and np.isfinite(proved):
        proved = float(np.ceil(proved / unit - 1e-6)) * unit
    return Outcome(state.nodes, state.value, min(state.value, proved), state.visited)


def _explore(state: Search, case: Case) -> float:
    """Branch and bound until nothing is open or time is out; return the bound of what is."""
    open_cases: list[tuple[float, int, Case]] = [(-np.inf, 0, case)]
    count = 1
    while open_cases and (state.clock.left > 0.0 or not state.visited):
        bound, _, node = heapq.heappop(open_cases)
        if bound > state.cutoff:
            continue
        state.visited += 1
        bound, children = _visit(state, node, bound)
        for child in children:
            heapq.heappush(open_cases, (bound, count, child))
            count += 1
    return min((entry[0] for entry in open_cases), default=np.inf)


def _begin(case: Case, unit: float, clock: Clock, seed: int, known: float) -> Search:
    """Return a search that knows the tree of one node."""
    required = np.flatnonzero(case.required)
    root = int(required[0]) if len(required) else -1
    none = np.zeros(case.node_count, dtype=np.bool_)
    state = Search(case, ground_of(case), unit, clock, np.random.default_rng(seed), root, known, none)
    if len(required) <= 1:
        state.offer_origins(np.array([root if len(required) else np.argmax(case.gain)]))
    return state


def _visit(state: Search, case: Case, bound: float) -> tuple[float, tuple[Case, ...]]:
    """Return the bound of ``case`` and the cases that it falls into, none where it is settled."""
    case = _degrees(state, case)
    if state.visited == 1:
        _look_everywhere(state, case)
    bound, case = _shrink(state, case, bound)
    while bound <= state.cutoff and state.clock.left > 0.0 and _relaxable(case):
        value, case, node = relax(state, case, _merge)
        bound = max(bound, value)
        if node >= 0:
            return bound, _branches(case, node)
        if bound <= state.cutoff:
            bound, case = _shrink(state, _degrees(state, case), bound)
    if bound > state.cutoff:
        return bound, ()
    if case.node_count == 0 or (len(case.cost) == 0 and case.required.any()):
        _last_tree(state, case)
        return np.inf, ()
    return bound, _branches(case, _branch_node(case))


def _relaxable(case: Case) -> bool:
    return bool(case.required.any()) and 0 < len(case.cost) <= _LP_EDGES


def _shrink(state: Search, case: Case, bound: float) -> tuple[float, Case]:
    """Bound ``case`` by ascents from changing roots and reduce it until neither takes much more out."""
    most = _ROOTS if state.visited == 1 else _ROOTS_LATER
    stale = rounds = 0
    while case.node_count and stale < most and (state.clock.left > 0.0 or not rounds):
        before = len(case.cost)
        case, value = _tighten(state, case, rounds)
        rounds += 1
        bound = max(bound, value)
        if bound > state.cutoff:
            break
        case = _degrees(state, case)
        if len(case.cost) <= _SHRINKS * before or rounds == 1:
            case = _degrees(state, reduce_distances(case))
        stale = 0 if len(case.cost) <= _SHRINKS * before else stale + 1
    return bound, case


def _merge(state: Search, case: Case, nodes: Bools) -> None:
    """Offer the best tree on ``nodes`` (n,) of ``case``, as far as a short search of its own finds it."""
    if state.merging or nodes.sum() > _MERGED_NODES:
        return
    part = renumbered(subcase(case, nodes, np.ones(len(case.cost), dtype=np.bool_)))
    inner = _begin(part, state.unit, Clock(min(state.clock.left, _MERGE_SECONDS)), 0, state.value)
    inner.merging = True
    _explore(inner, part)
    if inner.value < state.value:
        allowed = np.zeros(case.node_count, dtype=np.bool_)
        allowed[np.flatnonzero(nodes)[inner.nodes]] = True
        state.offer(case, best_tree(case, ground_of(case), allowed, _root(case)))


def _degrees(state: Search, case: Case) -> Case:
    case, value, origin = reduce_degrees(case)
    if origin != NOTHING and value < state.cutoff:
        lone = replace(case, inside=np.array([origin]))
        state.offer_origins(origins(lone, np.array([0]), np.zeros(0, dtype=np.int64)))
    if len(case.cost) == 0:
        _last_tree(state, case)
    return case


def _last_tree(state: Search, case: Case) -> None:
    """Offer the one node that is left."""
    if case.node_count:
        nodes = np.zeros(case.node_count, dtype=np.bool_)
        nodes[np.argmax(np.where(case.required, np.inf, case.gain))] = True
        value = case.constant + float(np.maximum(case.gain[~nodes], 0.0).sum())
        state.offer(case, Found(nodes, np.zeros(0, dtype=np.bool_), value))


def _root(case: Case) -> int:
    required = np.flatnonzero(case.required)
    return int(required[0]) if len(required) else -1


def _look_everywhere(state: Search, case: Case) -> None:
    """Offer trees grown from the nodes worth most, improved one node at a time."""
    ground, root = ground_of(case), _root(case)
    worth = np.where(case.required, np.inf, case.gain)
    starts = np.argsort(-worth, kind="stable")[:_STARTS]
    trees: list[Found] = []
    for start in starts:
        if not trees or state.clock.left > 0.0:
            trees.append(joined_by_paths(case, ground, case.cost, int(start), root))
    for tree in sorted(trees, key=lambda tree: tree.value)[:2]:
        if np.isfinite(tree.value):
            state.offer(case, improved(case, ground, tree, root) if state.clock.left > 0.0 else tree)


def _tighten(state: Search, case: Case, round_: int) -> tuple[Case, float]:
    """Return ``case`` less what a dual bound of it rules out, and the bound's value."""
    required = np.flatnonzero(case.required)
    root = -1
    if len(required):
        root = int(required[round_ % len(required)]) if round_ < 2 else int(state.rng.choice(required))
    tree, bound = best_ascent(case, root)
    _look_near(state, case, bound, root)
    if bound.value > state.cutoff:
        return case, bound.value
    return fixed(case, tree, bound, state.cutoff), bound.value


def _look_near(state: Search, case: Case, bound: Bound, root: int) -> None:
    """Offer the best tree on what the bound's moats opened, improved if it is near the best."""
    ground = ground_of(case)
    found = best_tree(case, ground, reached(bound), root)
    if np.isfinite(found.value) and found.value <= state.value * _NEAR:
        state.offer(case, improved(case, ground, found, root) if state.clock.left > 0.0 else found)


def _branches(case: Case, node: int) -> tuple[Case, ...]:
    """Return ``case`` with ``node`` taken in and with it taken out."""
    if case.required[node]:
        return (case,)
    out = np.ones(case.node_count, dtype=np.bool_)
    out[node] = False
    without = subcase(case, out, np.ones(len(case.cost), dtype=np.bool_))
    return with_required(case, np.array([node])), without


def _branch_node(case: Case) -> int:
    free = ~case.required
    degree = np.bincount(np.concatenate([case.tail, case.head]), minlength=case.node_count)
    if not case.required.any():
        return int(np.argmax(np.where(free, case.gain, -np.inf)))
    return int(np.argmax(np.where(free, degree + 1e-6 * case.gain, -np.inf)))
