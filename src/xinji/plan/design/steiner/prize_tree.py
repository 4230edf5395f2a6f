"""Trees for prize-collecting cases: spanning trees pruned strongly, shortest paths to prizes.

Strong pruning after Johnson, Minkoff and Phillips, SODA 2000.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.plan.design.steiner.graph import EdgeGraph
from xinji.plan.design.steiner.prize_case import Case, arcs_into
from xinji.plan.jit import compiled


class Ground(NamedTuple):
    """A case as the tree kernels read it: ``ranked`` edges by cost, arcs by node, gains and what is required."""

    tail: Ints
    head: Ints
    cost: Floats
    ranked: Ints
    gain: Floats
    required: Bools
    start: Ints
    neighbour: Ints
    edge: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A tree of a case: its ``nodes`` (n,) and ``edges`` (m,) as flags, its ``value`` in the case's objective."""

    nodes: Bools
    edges: Bools
    value: float

    def __post_init__(self) -> None:
        freeze(self.nodes, self.edges)


def ground_of(case: Case) -> Ground:
    """Return ``case`` for the tree kernels."""
    start, neighbour, edge = arcs_into(case)
    ranked = np.argsort(case.cost, kind="stable")
    return Ground(case.tail, case.head, case.cost, ranked, case.gain, case.required, start, neighbour, edge)


def best_tree(case: Case, ground: Ground, allowed: Bools, root: int) -> Found:
    """Return the best tree that spans ``allowed`` nodes (n,) cheaply and is pruned; with ``root`` unless that is -1.

    The value is infinite where ``allowed`` does not join the required nodes.
    """
    nodes, edges, worth = settle(ground, allowed, root)
    return found_of(case, nodes, edges, worth)


def joined_by_paths(case: Case, ground: Ground, price: Floats, root: int, best_root: int) -> Found:
    """Return a tree grown from ``root`` by paths, cheapest by ``price`` (m,), to prizes worth them."""
    return best_tree(case, ground, joined_nodes(case, ground, price, root), best_root)


def joined_nodes(case: Case, ground: Ground, price: Floats, root: int) -> Bools:
    """Return the nodes (n,) of paths, cheapest by ``price`` (m,), that join ``root`` to prizes worth them."""
    return _grow(ground, price, root) if case.node_count else np.zeros(0, dtype=np.bool_)


def found_of(case: Case, nodes: Bools, edges: Bools, worth: float) -> Found:
    """Return the tree of ``nodes`` (n,) and ``edges`` (m,) that is ``worth`` its gains less its costs."""
    return Found(nodes, edges, case.constant + float(np.maximum(case.gain, 0.0).sum()) - worth)


def worth_of(case: Case, value: float) -> float:
    """Return the gains less the costs of a tree of ``value``."""
    return case.constant + float(np.maximum(case.gain, 0.0).sum()) - value


def spanning_tree(graph: EdgeGraph) -> Ints:
    """Return the edges (numbers) of a cheapest spanning forest of ``graph``."""
    ranked = np.argsort(graph.cost, kind="stable")
    return kruskal(graph.from_node, graph.to_node, ranked, np.ones(graph.node_count, dtype=np.bool_))


@compiled
def settle(ground: Ground, allowed: Bools, root: int) -> tuple[Bools, Bools, float]:
    """Span and prune until the nodes stay: fewer nodes may be spanned by cheaper edges."""
    nodes, edges, worth = prune(ground, allowed, _span(ground, allowed), root)
    while True:
        again, other_edges, other = prune(ground, nodes, _span(ground, nodes), root)
        if not other > worth + 1e-9 * (1.0 + abs(worth)):
            return nodes, edges, worth
        nodes, edges, worth = again, other_edges, other


@compiled
def _span(ground: Ground, allowed: Bools) -> Ints:
    return kruskal(ground.tail, ground.head, ground.ranked, allowed)


@compiled
def kruskal(tail: Ints, head: Ints, ranked: Ints, allowed: Bools) -> Ints:
    """Return the edges of a cheapest spanning forest of ``allowed``; ``ranked`` are the edges by cost."""
    parent = np.arange(len(allowed))
    wanted = allowed.sum() - 1
    chosen = np.empty(max(wanted, 0), dtype=np.int64)
    size = 0
    for rank in range(len(ranked)):
        edge = ranked[rank]
        one, other = tail[edge], head[edge]
        if not (allowed[one] and allowed[other]):
            continue
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        while parent[other] != other:
            parent[other] = parent[parent[other]]
            other = parent[other]
        if one != other:
            parent[one] = other
            chosen[size] = edge
            size += 1
            if size == wanted:
                break
    return chosen[:size]


@compiled
def prune(ground: Ground, allowed: Bools, chosen: Ints, root: int) -> tuple[Bools, Bools, float]:
    """Return the best subtree of the forest ``chosen``, as flags of nodes and edges, and its worth."""
    count = len(allowed)
    order, above, by, size = _hang(ground, allowed, chosen, root)
    worth, pays = _worths(ground, order[:size], above, by)
    top = root
    if top < 0 and size > 0:
        top = order[np.argmax(worth[order[:size]])]
    nodes = np.zeros(count, dtype=np.bool_)
    edges = np.zeros(len(ground.cost), dtype=np.bool_)
    if top < 0:
        return nodes, edges, -np.inf
    nodes[top] = True
    for place in range(size):
        node = order[place]
        if node != top and pays[node] and nodes[above[node]]:
            nodes[node] = True
            edges[by[node]] = True
    whole = not (ground.required & ~nodes).any()
    return nodes, edges, worth[top] if whole else -np.inf


@compiled
def _worths(ground: Ground, order: Ints, above: Ints, by: Ints) -> tuple[Floats, Bools]:
    """Return what each node with the best of what hangs below it is worth, and whether it pays its way up."""
    worth, must = ground.gain.copy(), ground.required.copy()
    pays = np.zeros(len(worth), dtype=np.bool_)
    for place in range(len(order) - 1, -1, -1):
        node = order[place]
        up = above[node]
        if up >= 0 and (must[node] or worth[node] > ground.cost[by[node]]):
            pays[node] = True
            worth[up] += worth[node] - ground.cost[by[node]]
            must[up] |= must[node]
    return worth, pays


@compiled
def _hang(ground: Ground, allowed: Bools, chosen: Ints, root: int) -> tuple[Ints, Ints, Ints, int]:
    """Return the forest from above: nodes in order, the node above each (-1 at the top) and the edge to it."""
    count = len(allowed)
    first, after = np.full(count, -1, dtype=np.int64), np.empty(2 * len(chosen), dtype=np.int64)
    for place in range(len(chosen)):
        one, other = ground.tail[chosen[place]], ground.head[chosen[place]]
        after[2 * place], first[one] = first[one], 2 * place
        after[2 * place + 1], first[other] = first[other], 2 * place + 1
    order = np.empty(count, dtype=np.int64)
    above, by = np.full(count, -2, dtype=np.int64), np.full(count, -1, dtype=np.int64)
    size = begin = 0
    for top in range(count):
        node = root if root >= 0 else top
        if above[node] == -2 and allowed[node]:
            above[node] = -1
            order[size] = node
            size += 1
        while begin < size:
            node = order[begin]
            begin += 1
            half = first[node]
            while half >= 0:
                edge = chosen[half >> 1]
                other = ground.tail[edge] + ground.head[edge] - node
                if above[other] == -2:
                    above[other], by[other] = node, edge
                    order[size] = other
                    size += 1
                half = after[half]
        if root >= 0:
            break
    return order, above, by, size


@compiled
def _grow(ground: Ground, price: Floats, root: int) -> Bools:
    """Return the nodes of the paths that join prizes to ``root``, each by the time it is reached if it pays."""
    count = len(ground.gain)
    start, neighbour, edges, gain = ground.start, ground.neighbour, ground.edge, ground.gain
    nodes = np.zeros(count, dtype=np.bool_)
    away, before = np.full(count, np.inf), np.full(count, -1, dtype=np.int64)
    away[root] = 0.0
    nodes[root] = True
    heap = [(0.0, root)]
    while len(heap) > 0:
        label, node = heapq.heappop(heap)
        if label > away[node]:
            continue
        if not nodes[node] and (ground.required[node] or gain[node] >= label):
            back = node
            while back >= 0 and not nodes[back]:
                nodes[back] = True
                away[back] = 0.0
                heapq.heappush(heap, (0.0, back))
                back = before[back]
            continue
        for place in range(start[node], start[node + 1]):
            other = neighbour[place]
            reach = label + price[edges[place]] + max(-gain[other], 0.0)
            if reach < away[other]:
                away[other], before[other] = reach, node
                heapq.heappush(heap, (reach, other))
    return nodes
