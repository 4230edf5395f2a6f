"""A graph that shrinks: edges are deleted, merged in series and contracted, and lead back to the first ones.

Edges stand in slots; slot e has the half-edges 2 e and 2 e + 1, chained by the node at which they stand.
Each edge has an origin: a first edge, or two origins whose edges it stands for.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.steiner.graph import EdgeGraph
from xinji.plan.jit import compiled

_ORIGINS_AN_EDGE = 8
_FREE, _ORIGINS, _FIXED, _TERMINALS = range(4)


class Shrinking(NamedTuple):
    """The graph at work; all arrays are written in place.

    ``end`` (2 s,) is the node of each half-edge, ``cost`` (s,) of each slot, ``first`` (n,) each node's
    first half-edge or -1, ``after`` and ``before`` (2 s,) the chain, ``degree`` (n,), ``terminal`` (n,) 1 or 0,
    ``origin`` (s,) of each slot or -1 where it is free, ``free`` (s,) a stack of free slots, ``parts`` (o, 2)
    the origins that an origin joins (-1 for a first edge), ``fixed`` (n,) the origins of contracted edges,
    ``into`` (n,) the node that a node was contracted into, ``tally`` (4,) free slots, origins, fixed, terminals.
    """

    end: Ints
    cost: Floats
    first: Ints
    after: Ints
    before: Ints
    degree: Ints
    terminal: Ints
    origin: Ints
    free: Ints
    parts: Ints
    fixed: Ints
    into: Ints
    tally: Ints


class Reduced(NamedTuple):
    """What is left: ``graph`` on fresh nodes, ``terminals`` (t,), old ``node`` (n,) and ``slot`` (m,) of each."""

    graph: EdgeGraph
    terminals: Ints
    node: Ints
    slot: Ints


def shrinking(graph: EdgeGraph, terminals: Ints) -> Shrinking:
    """Return ``graph`` ready to shrink, without loops and with the cheapest of parallel edges."""
    kept = _simple_edges(graph)
    slots, nodes, edges = len(kept), graph.node_count, len(graph.cost)
    terminal = np.zeros(nodes, dtype=np.int64)
    terminal[terminals] = 1
    work = Shrinking(
        end=np.column_stack([graph.from_node[kept], graph.to_node[kept]]).ravel().astype(np.int64),
        cost=graph.cost[kept].astype(np.float64),
        first=np.full(nodes, -1, dtype=np.int64),
        after=np.full(2 * slots, -1, dtype=np.int64),
        before=np.full(2 * slots, -1, dtype=np.int64),
        degree=np.zeros(nodes, dtype=np.int64),
        terminal=terminal,
        origin=kept.astype(np.int64),
        free=np.empty(slots, dtype=np.int64),
        parts=np.full((_ORIGINS_AN_EDGE * edges, 2), -1, dtype=np.int64),
        fixed=np.empty(nodes, dtype=np.int64),
        into=np.arange(nodes, dtype=np.int64),
        tally=np.array([0, edges, 0, int(terminal.sum())], dtype=np.int64),
    )
    _link_all(work)
    return work


def _simple_edges(graph: EdgeGraph) -> Ints:
    low, high = np.minimum(graph.from_node, graph.to_node), np.maximum(graph.from_node, graph.to_node)
    order = np.lexsort((graph.cost, high, low))
    order = order[low[order] != high[order]]
    again = np.zeros(len(order), dtype=bool)
    again[1:] = (low[order][1:] == low[order][:-1]) & (high[order][1:] == high[order][:-1])
    return np.sort(order[~again])


@compiled
def _link_all(work: Shrinking) -> None:
    for half in range(len(work.end)):
        _link(work, half)


@compiled
def _link(work: Shrinking, half: int) -> None:
    node = work.end[half]
    old = work.first[node]
    work.after[half], work.before[half] = old, -1
    if old >= 0:
        work.before[old] = half
    work.first[node] = half
    work.degree[node] += 1


@compiled
def _unlink(work: Shrinking, half: int) -> None:
    node, after, before = work.end[half], work.after[half], work.before[half]
    if before >= 0:
        work.after[before] = after
    else:
        work.first[node] = after
    if after >= 0:
        work.before[after] = before
    work.degree[node] -= 1


@compiled
def delete(work: Shrinking, slot: int) -> None:
    """Delete the edge in ``slot``."""
    _unlink(work, 2 * slot)
    _unlink(work, 2 * slot + 1)
    work.origin[slot] = -1
    work.free[work.tally[_FREE]] = slot
    work.tally[_FREE] += 1


@compiled
def between(work: Shrinking, one: int, other: int) -> int:
    """Return the slot of the edge between two nodes, -1 if there is none."""
    if work.degree[one] > work.degree[other]:
        one, other = other, one
    half = work.first[one]
    while half >= 0:
        if work.end[half ^ 1] == other:
            return int(half >> 1)
        half = work.after[half]
    return -1


@compiled
def insert(work: Shrinking, one: int, other: int, cost: float, origin: int) -> None:
    """Insert an edge between two nodes unless there is one that costs no more; a dearer one goes."""
    if one == other:
        return
    slot = between(work, one, other)
    if slot >= 0:
        if cost < work.cost[slot]:
            work.cost[slot], work.origin[slot] = cost, origin
        return
    work.tally[_FREE] -= 1
    slot = work.free[work.tally[_FREE]]
    work.end[2 * slot], work.end[2 * slot + 1] = one, other
    work.cost[slot], work.origin[slot] = cost, origin
    _link(work, 2 * slot)
    _link(work, 2 * slot + 1)


@compiled
def joined_origin(work: Shrinking, one: int, other: int) -> int:
    """Return a new origin that stands for two others."""
    made = int(work.tally[_ORIGINS])
    work.parts[made, 0], work.parts[made, 1] = one, other
    work.tally[_ORIGINS] += 1
    return made


@compiled
def has_room(work: Shrinking, wanted: int) -> bool:
    """Return whether ``wanted`` more origins can be made."""
    return bool(work.tally[_ORIGINS] + wanted <= len(work.parts))


@compiled
def contract(work: Shrinking, slot: int) -> int:
    """Take the edge in ``slot`` into the tree; return the terminal that its two ends become."""
    kept, gone = int(work.end[2 * slot]), int(work.end[2 * slot + 1])
    if work.degree[kept] < work.degree[gone]:
        kept, gone = gone, kept
    work.fixed[work.tally[_FIXED]] = work.origin[slot]
    work.tally[_FIXED] += 1
    delete(work, slot)
    half = work.first[gone]
    while half >= 0:
        other, cost, origin = work.end[half ^ 1], work.cost[half >> 1], work.origin[half >> 1]
        after = work.after[half]
        delete(work, half >> 1)
        insert(work, kept, other, cost, origin)
        half = after
    work.tally[_TERMINALS] += 1 - work.terminal[kept] - work.terminal[gone]
    work.terminal[kept], work.terminal[gone] = 1, 0
    work.into[gone] = kept
    return kept


@compiled
def terminal_count(work: Shrinking) -> int:
    """Return how many terminals are left."""
    return int(work.tally[_TERMINALS])


def compressed(work: Shrinking) -> Reduced:
    """Return what is left as a graph of its own; a lone terminal is kept."""
    slot = np.flatnonzero(work.origin >= 0)
    ends = work.end.reshape(-1, 2)[slot]
    node = np.union1d(ends, np.flatnonzero(work.terminal)).astype(np.int64)
    place = np.zeros(len(work.first), dtype=np.int64)
    place[node] = np.arange(len(node))
    graph = EdgeGraph(len(node), place[ends[:, 0]], place[ends[:, 1]], work.cost[slot])
    return Reduced(graph, np.flatnonzero(work.terminal[node]), node, slot)


def fixed_cost(work: Shrinking, cost: Floats) -> float:
    """Return what the contracted edges cost by the first edges' ``cost`` (m,)."""
    uses = np.zeros(len(cost), dtype=np.int64)
    _count_uses(work, work.fixed[: work.tally[_FIXED]].copy(), uses)
    return float((uses * cost).sum())


def expanded(work: Shrinking, slot: Ints, edges: int) -> Bools:
    """Return the first edges (m,) that the edges in ``slot`` (k,) and the contracted ones stand for."""
    uses = np.zeros(edges, dtype=np.int64)
    origins = np.concatenate([work.origin[slot], work.fixed[: work.tally[_FIXED]]])
    _count_uses(work, origins, uses)
    return np.asarray(uses > 0)


@compiled
def _count_uses(work: Shrinking, origins: Ints, uses: Ints) -> None:
    waiting = [0]
    waiting.pop()
    waiting.extend(origins)
    while len(waiting) > 0:
        origin = waiting.pop()
        if work.parts[origin, 0] < 0:
            uses[origin] += 1
        else:
            waiting.append(work.parts[origin, 0])
            waiting.append(work.parts[origin, 1])


@compiled
def degree_tests(work: Shrinking, waiting: list[int]) -> int:
    """Apply the tests of degree 1 and 2 to the nodes ``waiting`` and what they touch; return how many applied."""
    done = 0
    while len(waiting) > 0:
        node = waiting.pop()
        half = work.first[node]
        if half < 0:
            continue
        other = work.end[half ^ 1]
        if work.degree[node] == 1:
            if work.terminal[node] == 0:
                delete(work, half >> 1)
            elif work.tally[_TERMINALS] > 1:
                other = contract(work, half >> 1)
            else:
                continue
            done += 1
            waiting.append(other)
        elif work.degree[node] == 2 and work.terminal[node] == 0 and has_room(work, 1):
            second = work.after[half]
            far = work.end[second ^ 1]
            origin = joined_origin(work, work.origin[half >> 1], work.origin[second >> 1])
            cost = work.cost[half >> 1] + work.cost[second >> 1]
            delete(work, half >> 1)
            delete(work, second >> 1)
            insert(work, other, far, cost, origin)
            done += 1
            waiting.append(other)
            waiting.append(far)
    return done


@compiled
def all_degree_tests(work: Shrinking) -> int:
    """Apply the degree tests to all nodes; return how many applied."""
    waiting = [0]
    waiting.pop()
    waiting.extend(np.flatnonzero((work.degree > 0) & (work.degree <= 2)))
    return degree_tests(work, waiting)
