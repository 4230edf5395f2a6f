"""Which way fibre takes from each exchange: a forest whose roots are the exchanges."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.steiner.graph import EdgeGraph, Star, star
from xinji.plan.design.steiner.shortest_path import short_tree
from xinji.plan.fibre.pon.cables import edge_price, edge_prices
from xinji.plan.fibre.pon.case import AccessCase
from xinji.plan.fibre.pon.prices import PonPrices
from xinji.plan.jit import compiled


@dataclass(frozen=True, slots=True, eq=False)
class Routes:
    """The forest of routes over the nodes (n).

    ``parent`` and ``edge`` lead towards the exchange ``root`` (-1 at exchanges and where none reaches);
    ``distance_m`` is the fibre to it (infinite where none reaches); ``order`` lists the reached nodes,
    farther ones before nearer ones.
    """

    parent: Ints
    edge: Ints
    root: Ints
    distance_m: Floats
    order: Ints


def route(case: AccessCase, prices: PonPrices, longest_m: float) -> Routes:
    """Return routes to the premises of ``case``, at most ``longest_m`` long where any are.

    Where opening edges costs something, routes keep to a short tree by that cost and the least cable's,
    and leave it only for premises that it would put beyond reach; else each takes the shortest way.
    """
    usable: Bools = np.asarray(np.isfinite(case.opening).any(axis=1))
    everything = shortest(case, usable)
    wanted: Bools = np.zeros(case.node_count, dtype=np.bool_)
    wanted[case.premises_node[case.premises_lines > 0]] = True
    wanted &= np.isfinite(everything.distance_m)
    opening = case.opening.min(axis=1, initial=np.inf)
    if not wanted.any() or not (opening[usable] > 0).any():
        return everything
    chosen: Bools = np.zeros(len(usable), dtype=np.bool_)
    chosen[cheap_edges(case, least_weights(case, prices), wanted)] = True
    tail_m = np.zeros(case.node_count)
    np.maximum.at(tail_m, case.premises_node, case.premises_tail_m)
    far = wanted & (shortest(case, chosen).distance_m + tail_m > longest_m)
    for node in np.flatnonzero(far).tolist():
        step = node
        while everything.edge[step] >= 0:
            chosen[everything.edge[step]] = True
            step = int(everything.parent[step])
    return shortest(case, chosen)


def least_weights(case: AccessCase, prices: PonPrices) -> Floats:
    """Return what carrying one fibre costs on each edge (m,) [currency]; infinite where no cable can be had."""
    return _one_fibre(edge_prices(case, prices))


@compiled
def _one_fibre(prices: object) -> Floats:
    weight = np.empty(len(prices.length_m))  # type: ignore[attr-defined]  # an EdgePrices; compiled
    for edge in range(len(weight)):
        weight[edge] = edge_price(prices, edge, 1)  # type: ignore[arg-type]  # likewise
    return weight


def merged(case: AccessCase, weight: Floats) -> tuple[EdgeGraph, Ints]:
    """Return the graph with all exchanges made one (node 0 of them stands for all), and the edges (k,) it holds.

    Edges of infinite weight are left out.
    """
    kept = np.flatnonzero(np.isfinite(weight))
    place = np.arange(case.node_count)
    place[case.exchanges] = case.exchanges[0]
    graph = EdgeGraph(case.node_count, place[case.from_node[kept]], place[case.to_node[kept]], weight[kept])
    return graph, kept


def cheap_edges(case: AccessCase, weight: Floats, wanted: Bools) -> Ints:
    """Return the edges of a short tree by ``weight`` (m,) that joins the ``wanted`` nodes (n,) to the exchanges."""
    graph, kept = merged(case, weight)
    wanted = wanted.copy()
    wanted[case.exchanges] = False
    terminals = np.append(np.flatnonzero(wanted), case.exchanges[0])
    return kept[short_tree(graph, terminals, root=int(case.exchanges[0]))]


def shortest(case: AccessCase, chosen: Bools) -> Routes:
    """Return the shortest ways (by length) along the ``chosen`` edges (m,)."""
    kept = np.flatnonzero(chosen)
    graph = EdgeGraph(case.node_count, case.from_node[kept], case.to_node[kept], case.length_m[kept])
    distance, root, towards = _nearest(star(graph), graph.cost, np.unique(case.exchanges))
    reached = towards >= 0
    parent = np.full(case.node_count, -1, dtype=np.int64)
    edge = np.full(case.node_count, -1, dtype=np.int64)
    nodes = np.flatnonzero(reached)
    via = kept[towards[reached]]
    edge[nodes] = via
    parent[nodes] = case.from_node[via] + case.to_node[via] - nodes
    depth = _depth(parent)
    known = np.flatnonzero(root >= 0)
    order = known[np.argsort(-depth[known], kind="stable")]
    return Routes(parent, edge, root, distance, order)


@compiled
def _nearest(graph: Star, length: Floats, sources: Ints) -> tuple[Floats, Ints, Ints]:
    """Return the distance (n,) to the nearest of ``sources`` (k,), which it is, and the edge towards it (-1 none)."""
    nodes = len(graph.start) - 1
    distance = np.full(nodes, np.inf)
    root, edge = np.full(nodes, -1, np.int64), np.full(nodes, -1, np.int64)
    heap = [(0.0, sources[0])]
    for source in sources:
        distance[source], root[source] = 0.0, source
        heap.append((0.0, source))
    while len(heap) > 0:
        away, node = heapq.heappop(heap)
        if away > distance[node]:
            continue
        for place in range(graph.start[node], graph.start[node + 1]):
            other, reached = graph.neighbour[place], away + length[graph.edge[place]]
            if reached < distance[other]:
                distance[other], root[other], edge[other] = reached, root[node], graph.edge[place]
                heapq.heappush(heap, (reached, other))
    return distance, root, edge


@compiled
def _depth(parent: Ints) -> Ints:
    """Return the number of edges (n,) between each node and the end of its way."""
    depth = np.full(len(parent), -1, np.int64)
    for node in range(len(parent)):
        steps, at = 0, node
        while depth[at] < 0 and parent[at] >= 0:
            at = parent[at]
            steps += 1
        total = steps + max(depth[at], 0)
        at = node
        while depth[at] < 0:
            depth[at] = total
            total -= 1
            if parent[at] < 0:
                break
            at = parent[at]
    return depth


__all__ = ["Routes", "cheap_edges", "least_weights", "merged", "route", "shortest"]
