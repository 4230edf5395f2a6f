"""Rounds of dual ascent, trees along its free arcs, and deletion of what no better tree can use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.plan.design.proof import Clock
from xinji.plan.design.steiner.ascent import Ascent, Digraph, arc_bounds, ascend, digraph
from xinji.plan.design.steiner.graph import EdgeGraph

_RELATIVE_TOLERANCE = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Fixing:
    """What dual ascents from several roots say: the best ``ascent`` with its ``root``, and ``edge_bound`` (m,).

    ``edge_bound`` is what a tree with the edge costs at least.
    """

    root: int
    ascent: Ascent
    edge_bound: Floats


def both_ways(graph: EdgeGraph) -> Digraph:
    """Return each edge as two arcs: 2 e from its first to its second end, 2 e + 1 back."""
    tail = np.column_stack([graph.from_node, graph.to_node]).ravel()
    head = np.column_stack([graph.to_node, graph.from_node]).ravel()
    return digraph(graph.node_count, tail, head)


def fixing(graph: EdgeGraph, terminals: Ints, roots: Ints, clock: Clock) -> Fixing:
    """Return what dual ascents on ``graph`` from each of the ``roots``, terminals themselves, prove together.

    The first root always counts, each further one where ``clock`` has as much time left as the one before took.
    """
    arcs, cost = both_ways(graph), np.repeat(graph.cost, 2)
    edge_bound = np.zeros(len(graph.cost))
    best: tuple[int, Ascent] | None = None
    for root in roots:
        begun = clock.spent
        ascent = ascend(arcs, cost, int(root), terminals)
        if best is None or ascent.bound > best[1].bound:
            best = int(root), ascent
        by_arc = ascent.bound + arc_bounds(arcs, ascent.reduced, int(root), terminals)
        np.maximum(edge_bound, by_arc.reshape(-1, 2).min(axis=1), out=edge_bound)
        if clock.left <= clock.spent - begun:
            break
    if best is None:
        raise ValueError("A dual ascent needs at least one root")
    return Fixing(*best, edge_bound)


def cost_step(cost: Floats) -> float:
    """Return a number that every sum of ``cost`` is a multiple of: the costs' common divisor if whole, else 0."""
    if not len(cost) or cost.max(initial=0.0) * len(cost) > 2.0**53 or (cost != np.floor(cost)).any():
        return 0.0
    return float(np.gcd.reduce(cost.astype(np.int64)))


def cutoff(value: float, step: float) -> float:
    """Return the bound from which on nothing is better than ``value``, sums being multiples of ``step``."""
    return value - step + _RELATIVE_TOLERANCE * abs(value) if step > 0.0 else value


def rounded(bound: float, step: float) -> float:
    """Return the least possible sum that is not below ``bound``."""
    if step <= 0.0:
        return bound
    return float(np.ceil(bound / step - _RELATIVE_TOLERANCE * max(abs(bound / step), 1.0)) * step)
