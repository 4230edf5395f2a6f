"""Lay the trenches of a plan anew: the same options joined in the same stages, by a cheaper tree."""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Ints
from xinji.core.offer import FREE
from xinji.core.problem import Problem
from xinji.plan.choose.network import UNJOINED, wanted_from
from xinji.plan.design.steiner.graph import EdgeGraph
from xinji.plan.design.steiner.local_search import improve

__all__ = ["relaid"]


def relaid(problem: Problem, stage: Ints, dug: Ints, roots: Ints) -> Ints:
    """Return the stages of trenches (m,) of a cheaper tree that joins what stands at ``stage`` (n,) in time.

    Local search on the Steiner tree from what is ``dug``; each trench is then dug when the first option
    behind it needs it. What exists or is committed stays. Returns ``dug`` where a tree would need a
    committed trench before its time.
    """
    wanted = wanted_from(problem, stage, roots)
    terminals = np.flatnonzero((wanted > 0) & (wanted < UNJOINED))
    if not len(terminals):
        return dug
    m, hub = len(problem.trench_id), problem.node_count
    graph = EdgeGraph(
        hub + 1,
        np.concatenate([problem.from_node, roots]),
        np.concatenate([problem.to_node, np.full(len(roots), hub)]),
        np.concatenate(
            [np.where(problem.trench_built == FREE, problem.trench_capex, 0).astype(float), np.zeros(len(roots))]
        ),
    )
    known = np.concatenate([np.flatnonzero(dug >= 0), m + np.arange(len(roots))])
    tree = improve(graph, np.append(terminals, hub), known)
    first = _first_need(graph, tree, np.append(wanted, 0), hub)
    fresh = np.where(problem.trench_built == FREE, -1, problem.trench_built)
    late = tree[tree < m]
    if (fresh[late] > first[late]).any():
        return dug
    free = late[(problem.trench_built[late] == FREE) & (first[late] < UNJOINED)]
    fresh[free] = first[free]
    return fresh


def _first_need(graph: EdgeGraph, tree: Ints, wanted: Ints, hub: int) -> Ints:
    """Return the first stage (m,) in which each edge of ``tree`` is needed to join a node behind it to ``hub``."""
    need = np.full(len(graph.cost), UNJOINED, dtype=np.int64)
    earliest = wanted.copy()
    beside: dict[int, list[tuple[int, int]]] = {}
    for edge in tree.tolist():
        a, b = int(graph.from_node[edge]), int(graph.to_node[edge])
        beside.setdefault(a, []).append((b, edge))
        beside.setdefault(b, []).append((a, edge))
    order, seen = [(hub, -1, -1)], {hub}
    for node, _, _ in order:
        for other, edge in beside.get(node, ()):
            if other not in seen:
                seen.add(other)
                order.append((other, node, edge))
    for node, before, edge in reversed(order[1:]):
        need[edge] = earliest[node]
        earliest[before] = min(earliest[before], earliest[node])
    return need
