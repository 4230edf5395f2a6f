"""Joining options along the trench graph, stage by stage, with every cost booked exactly.

A trench planned for a later stage may be dug earlier: its capex then moves to the earlier stage.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from xinji.core.arrays import Bools, Floats, Ints
from xinji.core.problem import Problem
from xinji.plan.jit import compiled

UNJOINED = 1 << 30
_HALF_A_CENT = 0.5


class Graph(NamedTuple):
    """The trench graph, both directions of each edge: neighbours of node v stand at start[v]:start[v + 1].

    ``committed`` (m,) marks trenches whose stage is fixed: no one digs them earlier.
    """

    start: Ints
    neighbour: Ints
    edge: Ints
    capex: Floats
    opex: Floats
    committed: Bools


class Network(NamedTuple):
    """What is dug so far: all arrays are written in place.

    ``dug`` (m,) is the stage of each trench (-1 never), ``joined`` (v,) the stage from which a node
    is joined to a root, ``distance`` (v,) the capex [cents] of joining it in the stage at hand,
    ``before`` and ``before_edge`` (v,) the way back, ``left`` (T,) the unspent budget [cents].
    """

    dug: Ints
    joined: Ints
    distance: Floats
    before: Ints
    before_edge: Ints
    left: Floats


def graph_of(problem: Problem) -> Graph:
    """Return the trench graph of ``problem``; of parallel trenches each stays."""
    m, nodes = len(problem.trench_id), problem.node_count
    tail = np.concatenate([problem.from_node, problem.to_node])
    order = np.argsort(tail, kind="stable")
    return Graph(
        start=np.searchsorted(tail[order], np.arange(nodes + 1)).astype(np.int64),
        neighbour=np.concatenate([problem.to_node, problem.from_node])[order],
        edge=np.tile(np.arange(m), 2)[order].astype(np.int64),
        capex=problem.trench_capex.astype(float),
        opex=problem.trench_opex.astype(float),
        committed=problem.trench_built > 0,
    )


def new_network(problem: Problem, roots: Ints) -> Network:
    """Return the network of what exists and is committed, its opex booked against the budgets."""
    nodes, stages = problem.node_count, problem.stages
    joined = np.full(nodes, UNJOINED, dtype=np.int64)
    joined[roots] = 0
    left = problem.budget.astype(float)
    dug = problem.trench_built.copy()
    for edge in np.flatnonzero(dug >= 0):
        first = max(int(dug[edge]) - 1, 0)
        left[first:] -= problem.trench_opex[edge]
        if dug[edge] > 0:
            left[first] -= problem.trench_capex[edge]
    dug[dug < 0] = -1
    none = np.full(nodes, -1, dtype=np.int64)
    network = Network(dug, joined, np.full(nodes, np.inf), none, none.copy(), left)
    for stage in range(stages + 1):
        spread_joined(problem, network, stage)
    return network


def spread_joined(problem: Problem, network: Network, stage: int) -> None:
    """Mark every node that trenches dug by ``stage`` join to a root as joined by then."""
    label = components(problem, network.dug, stage)
    rooted = np.unique(label[network.joined <= stage])
    reached = np.isin(label, rooted)
    network.joined[reached] = np.minimum(network.joined[reached], stage)


def components(problem: Problem, dug: Ints, stage: int) -> Ints:
    """Return the component (v,) of each node under the trenches dug by ``stage``."""
    there = (dug >= 0) & (dug <= stage)
    ends = (problem.from_node[there], problem.to_node[there])
    matrix = csr_array((np.ones(int(there.sum())), ends), shape=(problem.node_count,) * 2)
    return np.asarray(connected_components(matrix, directed=False)[1], dtype=np.int64)


@compiled
def relax(graph: Graph, network: Network, stage: int, sources: Ints, limit: float) -> Ints:
    """Spread shortest ways of at most ``limit`` [cents of capex] from ``sources``; return the nodes come nearer."""
    heap = [(network.distance[node], node) for node in sources]
    heapq.heapify(heap)
    nearer = [-1 for _ in range(0)]
    while heap:
        far, node = heapq.heappop(heap)
        if far > network.distance[node]:
            continue
        nearer.append(node)
        for place in range(graph.start[node], graph.start[node + 1]):
            edge, other = graph.edge[place], graph.neighbour[place]
            there = 0 <= network.dug[edge] <= stage
            reached = far if there else far + graph.capex[edge]
            if graph.committed[edge] and not there:
                continue
            if reached <= limit and reached < network.distance[other]:
                network.distance[other] = reached
                network.before[other] = node
                network.before_edge[other] = edge
                heapq.heappush(heap, (reached, other))
    return np.array(nearer, dtype=np.int64)


@compiled
def start_stage(graph: Graph, network: Network, stage: int, limit: float) -> None:
    """Make ``distance`` hold for ``stage``: from every node joined by then, infinite beyond ``limit`` [cents]."""
    network.distance[:] = np.inf
    network.before[:] = -1
    network.before_edge[:] = -1
    sources = np.flatnonzero(network.joined <= stage)
    network.distance[sources] = 0.0
    relax(graph, network, stage, sources, limit)


@compiled
def book_way(graph: Graph, network: Network, node: int, stage: int, need: Floats) -> None:
    """Add to ``need`` (T,) [cents] what joining ``node`` in ``stage`` costs in each stage."""
    stages = len(need)
    while network.before_edge[node] >= 0:
        edge = network.before_edge[node]
        dug = network.dug[edge]
        if dug < 0 or dug > stage:
            need[stage - 1] += graph.capex[edge]
            last = stages
            if dug > stage:
                need[dug - 1] -= graph.capex[edge]
                last = dug - 1
            for t in range(stage - 1, last):
                need[t] += graph.opex[edge]
        node = network.before[node]


@compiled
def dig_way(graph: Graph, network: Network, node: int, stage: int, limit: float) -> Ints:
    """Dig the way to ``node`` in ``stage`` and spread its nearness; return the nodes that came nearer.

    The costs are the caller's to book (``book_way`` beforehand).
    """
    way = [node]
    while network.before_edge[node] >= 0:
        edge = network.before_edge[node]
        if network.dug[edge] < 0 or network.dug[edge] > stage:
            network.dug[edge] = stage
        node = network.before[node]
        way.append(node)
    nodes = np.array(way, dtype=np.int64)
    for node in nodes:
        network.joined[node] = min(network.joined[node], stage)
        network.distance[node] = 0.0
        network.before[node] = -1
        network.before_edge[node] = -1
    return relax(graph, network, stage, nodes, limit)


@compiled
def affordable(left: Floats, need: Floats, carry_over: bool) -> bool:
    """Return whether ``left`` (T,) covers ``need`` (T,) in every stage, carried-over money counted if allowed."""
    saved = 0.0
    for t in range(len(left)):
        rest = left[t] - need[t] + saved
        if rest < -_HALF_A_CENT and need[: t + 1].any():
            return False
        saved = rest if carry_over else 0.0
    return True


def kept(left: Floats, *, carry_over: bool) -> bool:
    """Return whether no stage's budget is overspent, carried-over money counted if allowed."""
    rest = np.cumsum(left) if carry_over else left
    return bool((rest >= -_HALF_A_CENT).all())


def shortest_lengths(problem: Problem, dug: Ints, stage: int, nodes: Ints, roots: Ints) -> Floats:
    """Return the fibre length [m] from ``nodes`` (k,) to every node (k, v) along what is dug by ``stage``.

    Roots are joined among each other by the operator's metro ring, whose length is not counted:
    they share one extra node at no length.
    """
    there = (dug >= 0) & (dug <= stage)
    v = problem.node_count
    tail = np.concatenate([problem.from_node[there], roots])
    head = np.concatenate([problem.to_node[there], np.full(len(roots), v)])
    # A stored length of zero would read as "no edge".
    length = np.concatenate([np.maximum(problem.trench_length_m[there], 1e-9), np.full(len(roots), 1e-9)])
    low, high = np.minimum(tail, head), np.maximum(tail, head)
    order = np.lexsort((length, high, low))
    low, high, length = low[order], high[order], length[order]
    first = np.ones(len(low), dtype=bool)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    matrix = csr_array((length[first], (low[first], high[first])), shape=(v + 1, v + 1))
    return np.asarray(dijkstra(matrix, directed=False, indices=nodes))[:, :v]


def wanted_from(problem: Problem, stage: Ints, roots: Ints) -> Ints:
    """Return the first stage (v,) in which a node must be joined: 0 for roots, UNJOINED where nothing needs it."""
    wanted = np.full(problem.node_count, UNJOINED, dtype=np.int64)
    needs = (stage >= 0) & (problem.node >= 0)
    np.minimum.at(wanted, problem.node[needs], stage[needs])
    wanted[roots] = 0
    return wanted


@compiled
def prune(graph: Graph, free: Bools, wanted: Ints, dug: Ints, stages: int) -> None:
    """Put off or leave out the ``free`` (m,) trenches that lead nowhere ``wanted`` (v,), in place."""
    nodes = len(wanted)
    for now in range(stages, 0, -1):
        degree = np.zeros(nodes, dtype=np.int64)
        for node in range(nodes):
            for place in range(graph.start[node], graph.start[node + 1]):
                degree[node] += 0 <= dug[graph.edge[place]] <= now
        loose = [node for node in range(nodes) if degree[node] == 1 and wanted[node] > now]
        while len(loose) > 0:
            node = loose.pop()
            for place in range(graph.start[node], graph.start[node + 1]):
                edge, other = graph.edge[place], graph.neighbour[place]
                if 0 <= dug[edge] <= now and free[edge] and degree[node] == 1:
                    dug[edge] = now + 1 if now < stages else -1
                    degree[node] -= 1
                    degree[other] -= 1
                    if degree[other] == 1 and wanted[other] > now:
                        loose.append(other)
