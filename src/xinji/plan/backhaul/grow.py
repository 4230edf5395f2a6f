"""Trees of trenches and microwave hops, grown site by site under the hops' capacities, and grown again in parts."""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.backhaul.network import Rooted
from xinji.plan.jit import compiled

_FITS = 1e-9


class Task(NamedTuple):
    """Edges (with those to the core at the end) of ``cost`` and ``capacity``; ``demand`` (n + 1,), above 0 at sites."""

    graph: Rooted
    cost: Floats
    capacity: Floats
    demand: Floats


class Tree(NamedTuple):
    """``parent`` and ``via`` (n + 1,) lead to the core (-1 none); ``inside`` are the tree's nodes, ``fed`` its sites.

    ``load`` (e,) is what each edge carries. All are written in place.
    """

    parent: Ints
    via: Ints
    inside: Bools
    fed: Bools
    load: Floats


@compiled
def empty_tree(task: Task) -> Tree:
    """Return the tree that holds the core alone."""
    nodes = len(task.demand)
    inside = np.zeros(nodes, np.bool_)
    inside[nodes - 1] = True
    fed = np.zeros(nodes, np.bool_)
    return Tree(np.full(nodes, -1, np.int64), np.full(nodes, -1, np.int64), inside, fed, np.zeros(len(task.cost)))


@compiled
def _room(task: Task, tree: Tree, node: int) -> float:
    """Return what the way from the core to ``node`` can still carry."""
    room = np.inf
    while tree.parent[node] >= 0:
        edge = tree.via[node]
        room = min(room, task.capacity[edge] - tree.load[edge])
        node = tree.parent[node]
    return room


@compiled
def feed(task: Task, tree: Tree, site: int) -> bool:
    """Join ``site`` to the tree the cheapest way that has room; return whether there was one."""
    demand = task.demand[site]
    if tree.inside[site]:
        if _room(task, tree, site) < demand - _FITS:
            return False
        _carry(tree, site, demand)
        tree.fed[site] = True
        return True
    nodes = len(task.demand)
    distance = np.full(nodes, np.inf)
    onward, by = np.full(nodes, -1, np.int64), np.full(nodes, -1, np.int64)
    distance[site] = 0.0
    heap = [(0.0, site)]
    while len(heap) > 0:
        away, node = heapq.heappop(heap)
        if away > distance[node]:
            continue
        if tree.inside[node]:
            if _room(task, tree, node) < demand - _FITS:
                continue
            while node != site:
                below, edge = onward[node], by[node]
                tree.parent[below], tree.via[below], tree.inside[below] = node, edge, True
                node = below
            _carry(tree, site, demand)
            tree.fed[site] = True
            return True
        for place in range(task.graph.start[node], task.graph.start[node + 1]):
            edge, other = task.graph.edge[place], task.graph.neighbour[place]
            if task.capacity[edge] < demand - _FITS:
                continue
            reached = distance[node] + task.cost[edge]
            if reached < distance[other]:
                distance[other] = reached
                onward[other], by[other] = node, edge
                heapq.heappush(heap, (distance[other], other))
    return False


@compiled
def _carry(tree: Tree, site: int, demand: float) -> None:
    """Add ``demand`` to the loads between the core and ``site``."""
    node = site
    while tree.parent[node] >= 0:
        tree.load[tree.via[node]] += demand
        node = tree.parent[node]


@compiled
def starve(task: Task, tree: Tree, sites: Ints) -> None:
    """Take ``sites`` out, with all edges that then lead nowhere."""
    for site in sites:
        if tree.fed[site]:
            _carry(tree, site, -task.demand[site])
            tree.fed[site] = False
    children = np.zeros(len(task.demand), np.int64)
    for node in range(len(children)):
        if tree.parent[node] >= 0:
            children[tree.parent[node]] += 1
    for site in sites:
        node = site
        while tree.parent[node] >= 0 and children[node] == 0 and not tree.fed[node]:
            above = tree.parent[node]
            tree.load[tree.via[node]] = 0.0
            tree.parent[node], tree.via[node], tree.inside[node] = -1, -1, False
            children[above] -= 1
            node = above


@compiled
def tree_cost(task: Task, tree: Tree) -> float:
    """Return what the tree's edges cost."""
    total = 0.0
    for node in range(len(task.demand)):
        if tree.via[node] >= 0:
            total += task.cost[tree.via[node]]
    return total


@compiled
def _copied(tree: Tree) -> Tree:
    return Tree(tree.parent.copy(), tree.via.copy(), tree.inside.copy(), tree.fed.copy(), tree.load.copy())


@compiled
def fed_all(task: Task, tree: Tree, sites: Ints) -> bool:
    """Feed ``sites`` one after the other; return whether all could be."""
    fine = True
    for site in sites:
        fine = feed(task, tree, site) and fine
    return fine


@compiled
def regrown(task: Task, tree: Tree, sites: Ints, rounds: int, seed: int) -> Tree:
    """Return the tree after ``rounds`` of taking a few sites out and feeding them anew, kept where no dearer."""
    np.random.seed(seed)  # noqa: NPY002 - the compiled generator; it is not numpy's own
    cost = tree_cost(task, tree)
    for turn in range(rounds):
        most = min(len(sites), 2 + turn % 7)
        picked = sites[np.random.permutation(len(sites))[:most]]  # noqa: NPY002 - likewise
        trial = _copied(tree)
        starve(task, trial, picked)
        if not fed_all(task, trial, picked):
            continue
        after = tree_cost(task, trial)
        if after <= cost:
            tree, cost = trial, after
    return tree


__all__ = ["Task", "Tree", "empty_tree", "fed_all", "feed", "regrown", "starve", "tree_cost"]
