"""Local search on prize-collecting trees: nodes in, nodes out, paths to prizes in, as long as that pays.

Vertex insertion and elimination after Uchoa and Werneck, Fast local search for Steiner trees in graphs, ALENEX
2010: a cheapest tree with one more node is found among the old tree's edges and the node's own.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.steiner.prize_case import Case
from xinji.plan.design.steiner.prize_tree import Found, Ground, found_of, kruskal, prune, settle, worth_of
from xinji.plan.jit import compiled

_WORK = 20_000_000
_BETTER = 1e-9


class _Paths(NamedTuple):
    """Cheapest paths from a tree: how far each node (n,) is ``away`` and the one ``before`` it on the way."""

    away: Floats
    before: Ints


def improved(case: Case, ground: Ground, found: Found, root: int) -> Found:
    """Return ``found`` after taking single nodes in and out, and paths to prizes in, as long as that pays."""
    tries = max(_WORK // max(len(case.cost), 1), 1)
    nodes, edges, worth = _improve(ground, found.nodes, worth_of(case, found.value), root, tries)
    return found_of(case, nodes, edges, worth)


@compiled
def _improve(ground: Ground, nodes: Bools, worth: float, root: int, tries: int) -> tuple[Bools, Bools, float]:
    count = len(nodes)
    rank = np.empty(len(ground.ranked), dtype=np.int64)
    rank[ground.ranked] = np.arange(len(rank))
    nodes, edges, settled = settle(ground, nodes, root)
    worth = max(worth, settled)
    tree, inner = np.sort(rank[edges]), _inner(ground, nodes)
    paths = _paths_from(ground, nodes)
    slack = _dearest(ground, edges)
    idle, node = 0, 0
    while idle < count and tries > 0:
        if _may_help(ground, nodes, node, root, paths, slack):
            tries -= 1
            trial = _changed(nodes, node, paths)
            ranks = inner if nodes[node] else _with(ground, nodes, trial, tree, rank)
            _, _, other = prune(ground, trial, kruskal(ground.tail, ground.head, ground.ranked[ranks], trial), root)
            if other > worth + _BETTER * (1.0 + abs(worth)):
                nodes, edges, worth = settle(ground, trial, root)
                tree, inner = np.sort(rank[edges]), _inner(ground, nodes)
                paths = _paths_from(ground, nodes)
                slack = _dearest(ground, edges)
                idle = 0
        idle += 1
        node = (node + 1) % count
    return nodes, edges, worth


@compiled
def _dearest(ground: Ground, edges: Bools) -> float:
    dearest = 0.0
    for edge in range(len(edges)):
        if edges[edge]:
            dearest = max(dearest, ground.cost[edge])
    return dearest


@compiled
def _inner(ground: Ground, nodes: Bools) -> Ints:
    """Return the ranks of the edges between ``nodes``, in order."""
    found = np.empty(len(ground.ranked), dtype=np.int64)
    size = 0
    for place in range(len(ground.ranked)):
        edge = ground.ranked[place]
        if nodes[ground.tail[edge]] and nodes[ground.head[edge]]:
            found[size] = place
            size += 1
    return found[:size].copy()


@compiled
def _with(ground: Ground, nodes: Bools, trial: Bools, tree: Ints, rank: Ints) -> Ints:
    """Return the ranks, in order, of the edges of the ``tree`` and of those of the nodes that ``trial`` adds."""
    more = [tree]
    for node in np.flatnonzero(trial & ~nodes):
        own = slice(ground.start[node], ground.start[node + 1])
        more.append(rank[ground.edge[own][trial[ground.neighbour[own]]]])
    size = 0
    for part in more:
        size += len(part)
    found, size = np.empty(size, dtype=np.int64), 0
    for part in more:
        found[size : size + len(part)] = part
        size += len(part)
    return np.sort(found)


@compiled
def _may_help(ground: Ground, nodes: Bools, node: int, root: int, paths: _Paths, slack: float) -> bool:
    """Return whether to try ``node`` in, where two of its edges or a prize speak for it, or out."""
    if nodes[node]:
        return node != root and not ground.required[node]
    if ground.gain[node] > 0.0 and paths.away[node] < ground.gain[node] + slack:
        return True
    met = 0
    for place in range(ground.start[node], ground.start[node + 1]):
        met += nodes[ground.neighbour[place]]
        if met == 2:
            return True
    return False


@compiled
def _changed(nodes: Bools, node: int, paths: _Paths) -> Bools:
    """Return ``nodes`` less ``node``, or with it and the path to it."""
    trial = nodes.copy()
    if trial[node]:
        trial[node] = False
        return trial
    while node >= 0 and not trial[node]:
        trial[node] = True
        node = paths.before[node]
    return trial


@compiled
def _paths_from(ground: Ground, nodes: Bools) -> _Paths:
    count = len(nodes)
    away, before = np.full(count, np.inf), np.full(count, -1, dtype=np.int64)
    heap = [(0.0, 0)]
    heap.pop()
    for node in range(count):
        if nodes[node]:
            away[node] = 0.0
            heap.append((0.0, node))
    while len(heap) > 0:
        label, node = heapq.heappop(heap)
        if label > away[node]:
            continue
        for place in range(ground.start[node], ground.start[node + 1]):
            other = ground.neighbour[place]
            # Gains on the way pay for it, but no stretch of it costs less than nothing.
            reach = label + max(ground.cost[ground.edge[place]] - ground.gain[other], 0.0)
            if ground.gain[other] > 0.0:
                reach = label + ground.cost[ground.edge[place]]
            if reach < away[other]:
                away[other], before[other] = reach, node
                heapq.heappush(heap, (reach, other))
    return _Paths(away, before)
