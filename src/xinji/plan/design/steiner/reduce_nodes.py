"""The reduction that takes a node of low degree out: its edges are merged in pairs.

A node that no terminal is has degree at most 2 in some optimal tree if, for every three or more of its
neighbours, the edges to them cost at least the spanning tree of their special distances without the node
(Duin and Volgenant, Networks 19, 1989, BDm test). Pairs whose special distance is no more are left out.
"""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.steiner.reduce_edges import Search, empty_search, meeting, spread
from xinji.plan.design.steiner.reduce_graph import Shrinking, between, delete, has_room, insert, joined_origin
from xinji.plan.design.steiner.reduce_records import Records, recorded_distance
from xinji.plan.jit import compiled

MOST = 5


@compiled
def replace_nodes(work: Shrinking, records: Records, forced: Bools, settled: Floats, visits: int) -> int:
    """Take out nodes of degree 3 to ``MOST``, where the test holds or ``forced`` (n,) says so; return how many.

    ``forced`` marks nodes known to have degree at most 2 in what is looked for. ``settled`` (n,) keeps what was around
    each node when it last failed, so that it is tried again only after a change there. No edges are gained.
    """
    nodes = len(work.first)
    searches = (
        empty_search(nodes),
        empty_search(nodes),
        empty_search(nodes),
        empty_search(nodes),
        empty_search(nodes),
    )
    avoiding, passing = np.zeros((MOST, MOST)), np.zeros((MOST, MOST))
    done = 0
    for node in range(nodes):
        degree = work.degree[node]
        if work.terminal[node] == 1 or degree < 3 or degree > MOST or not has_room(work, degree * degree):
            continue
        slots, others, cost = _around(work, node, degree)
        now = _vicinity(work, others, cost)
        if settled[node] == now and not forced[node]:
            continue
        settled[node] = now
        _distances(work, records, (node, others, cost), visits, searches, avoiding, passing)
        if not forced[node] and not _degree_two(cost, avoiding, passing):
            continue
        if _replaced(work, slots, others, cost, avoiding, passing):
            done += 1
    return done


@compiled
def _vicinity(work: Shrinking, others: Ints, cost: Floats) -> float:
    """Return a number that changes, but for rare chance, with a node's edges or its neighbours' degrees."""
    total = 0.0
    for place in range(len(others)):
        total += (1.0 + cost[place]) * (work.degree[others[place]] + 1.0 / (1.0 + others[place]))
    return total


@compiled
def _around(work: Shrinking, node: int, degree: int) -> tuple[Ints, Ints, Floats]:
    slots, others, cost = np.empty(degree, np.int64), np.empty(degree, np.int64), np.empty(degree)
    half = work.first[node]
    for place in range(degree):
        slots[place], others[place], cost[place] = half >> 1, work.end[half ^ 1], work.cost[half >> 1]
        half = work.after[half]
    return slots, others, cost


@compiled
def _distances(
    work: Shrinking,
    records: Records,
    around: tuple[int, Ints, Floats],
    visits: int,
    searches: tuple[Search, Search, Search, Search, Search],
    avoiding: Floats,
    passing: Floats,
) -> None:
    """Find special distances between neighbours on ways that avoid the node, and by the records that may pass it."""
    node, others, cost = around
    degree = len(others)
    limit = np.sort(cost)[-2:].sum()
    for i in range(degree):
        spread(work, searches[i], others[i], limit, node, -1, visits)
    for i in range(degree):
        for j in range(i):
            near = meeting(work, searches[i], searches[j])
            avoiding[i, j] = avoiding[j, i] = near
            passing[i, j] = passing[j, i] = min(near, recorded_distance(records, others[i], others[j]))


@compiled
def _degree_two(cost: Floats, avoiding: Floats, passing: Floats) -> bool:
    """Return whether the test holds for every subset; ways that may pass the node count where strictly shorter."""
    degree = len(cost)
    for subset in range(1 << degree):
        size, total = 0, 0.0
        for i in range(degree):
            if subset >> i & 1:
                size += 1
                total += cost[i]
        if size < 3:
            continue
        if _spanning(avoiding, subset, degree) <= total or _spanning(passing, subset, degree) < total:
            continue
        return False
    return True


@compiled
def _spanning(distance: Floats, subset: int, degree: int) -> float:
    """Return the cost of the least spanning tree of ``subset`` (Prim)."""
    away = np.full(degree, np.inf)
    left = subset
    total = 0.0
    first = True
    while left:
        chosen = -1
        for i in range(degree):
            if left >> i & 1 and (chosen < 0 or away[i] < away[chosen]):
                chosen = i
        if not first:
            total += away[chosen]
        first = False
        left &= ~(1 << chosen)
        for i in range(degree):
            away[i] = min(away[i], distance[chosen, i])
    return total


@compiled
def _replaced(work: Shrinking, slots: Ints, others: Ints, cost: Floats, avoiding: Floats, passing: Floats) -> bool:
    """Merge the edges in ``slots`` of one node in pairs unless that gains edges; return whether it did."""
    degree = len(others)
    fresh = 0
    for i in range(degree):
        for j in range(i):
            pair = cost[i] + cost[j]
            fresh += avoiding[i, j] > pair and passing[i, j] >= pair and between(work, others[i], others[j]) < 0
    if fresh > degree:
        return False
    origins = np.empty(degree, np.int64)
    for i in range(degree):
        origins[i] = work.origin[slots[i]]
        delete(work, slots[i])
    for i in range(degree):
        for j in range(i):
            pair = cost[i] + cost[j]
            if avoiding[i, j] > pair and passing[i, j] >= pair:
                insert(work, others[i], others[j], pair, joined_origin(work, origins[i], origins[j]))
    return True
