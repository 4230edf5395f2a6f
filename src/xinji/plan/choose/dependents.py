"""What hangs together in a plan: the trenches that one option alone needs, and the options behind one trench."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from xinji.core.arrays import Bools, Ints
from xinji.core.offer import EXISTING
from xinji.core.problem import NEVER, Problem
from xinji.plan.choose.bound import all_roots
from xinji.plan.choose.staged import option_nodes
from xinji.plan.choose.tidy import drop_dead_ends

_NOTHING = 1e-6


def on_top(problem: Problem, option: int) -> Ints:
    """Return ``option`` and all options that stand on it, directly or on others."""
    at = np.arange(len(problem.host))
    found = at == option
    while (at >= 0).any():
        at = np.where(at >= 0, problem.host[at], NEVER)
        found |= at == option
    return np.flatnonzero(found)


def below(problem: Problem, option: int) -> Ints:
    """Return ``option`` and the hosts it stands on, the innermost first."""
    chain = [option]
    while problem.host[chain[-1]] >= 0:
        chain.append(int(problem.host[chain[-1]]))
    return np.array(chain, dtype=np.int64)


def trenches_alone(problem: Problem, stage: Ints, dug: Ints, option: int) -> Ints:
    """Return the trenches that only ``option`` and what stands on it need.

    Of an option that is in (``stage`` (n,)), those dug (``dug`` (m,)) that nobody else needs; of one that is
    out, the cheapest way to what is dug, none where there is no way.
    """
    if stage[option] == NEVER:
        return _way(problem, dug, int(option_nodes(problem)[option]))
    without = stage.copy()
    without[on_top(problem, option)] = NEVER
    return np.flatnonzero((drop_dead_ends(problem, stage, dug) >= 0) & (drop_dead_ends(problem, without, dug) < 0))


def _way(problem: Problem, dug: Ints, node: int) -> Ints:
    """Return the trenches of the cheapest way [capex] from ``node`` to a root or to what is dug."""
    if node < 0:
        return np.zeros(0, dtype=np.int64)
    price = np.where(dug >= 0, 0.0, problem.trench_capex.astype(float)) + _NOTHING
    order = np.argsort(-price, kind="stable")
    tail, head = problem.from_node[order], problem.to_node[order]
    low, high, v = np.minimum(tail, head), np.maximum(tail, head), problem.node_count
    # Of parallel trenches the cheapest, which comes last, counts.
    edge = dict(zip(zip(low.tolist(), high.tolist(), strict=True), order.tolist(), strict=True))
    ends = np.array(list(edge), dtype=np.int64).reshape(-1, 2)
    graph = csr_array((price[list(edge.values())], (ends[:, 0], ends[:, 1])), shape=(v, v))
    fars, befores = dijkstra(graph, directed=False, indices=np.array([node]), return_predecessors=True)
    far, before, roots = fars[0], befores[0], all_roots(problem)
    at = int(roots[np.argmin(far[roots])])
    found: list[int] = []
    if not np.isfinite(far[at]):
        return np.zeros(0, dtype=np.int64)
    while at != node:
        step = edge[min(at, int(before[at])), max(at, int(before[at]))]
        found += [step] if dug[step] < 0 else []
        at = int(before[at])
    return np.array(sorted(found), dtype=np.int64)


def unjoinable(problem: Problem) -> Bools:
    """Return the options (n,) that do not exist and that all trenches together join to no root, hosted ones too."""
    ends = (problem.from_node, problem.to_node)
    loose = _loose(problem, csr_array((np.ones(len(problem.trench_id)), ends), shape=(problem.node_count,) * 2))
    return np.asarray(loose & (problem.built != EXISTING))


def _loose(problem: Problem, graph: csr_array) -> Bools:
    """Return the options (n,) whose own or host's node ``graph`` joins to no root."""
    label = connected_components(graph, directed=False)[1]
    node = option_nodes(problem)
    return np.asarray((node >= 0) & ~np.isin(label[node], label[all_roots(problem)]))


def behind(problem: Problem, stage: Ints, dug: Ints, trench: int) -> Ints:
    """Return the options in the plan that without ``trench`` nothing dug would join to a root, hosted ones too."""
    there = dug >= 0
    there[trench] = False
    ends = (problem.from_node[there], problem.to_node[there])
    graph = csr_array((np.ones(int(there.sum())), ends), shape=(problem.node_count,) * 2)
    return np.flatnonzero((stage > EXISTING) & _loose(problem, graph))
