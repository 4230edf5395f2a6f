"""Dual ascent on directed graphs: a lower bound, the cuts that prove it and the arcs' reduced costs.

Every terminal pays for growing sets of nodes around itself until arcs without cost left lead to it from
the root: Wong, Math. Prog. 28, 1984; the order, least cut first, after Pajor, Uchoa and Werneck, A robust
and scalable algorithm for the Steiner problem in graphs, Math. Prog. Comp. 10, 2018.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Floats, Ints, freeze
from xinji.plan.design.steiner.heap import empty_heap, pop, push
from xinji.plan.jit import compiled

_RELATIVE_ZERO = 1e-12


class Digraph(NamedTuple):
    """A directed graph: arcs ``tail`` -> ``head`` (m,), and the arcs by node.

    Arcs into node v are ``in_arc[in_start[v]:in_start[v + 1]]``, those out of it ``out_arc`` likewise.
    """

    tail: Ints
    head: Ints
    in_start: Ints
    in_arc: Ints
    out_start: Ints
    out_arc: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Ascent:
    """A dual solution: ``bound``, arcs' ``reduced`` costs (m,), and each terminal's set of nodes as it grew.

    Terminal k pays ``height[k]``; its set holds ``node[start[k]:start[k + 1]]``, each from the height ``since``
    on, so that an arc u -> v carries height - since(v) less what it carries at u. ``bound`` is infinite
    where no chain of arcs leads from the root to a terminal.
    """

    bound: float
    reduced: Floats
    height: Floats
    start: Ints
    node: Ints
    since: Floats

    def __post_init__(self) -> None:
        freeze(self.reduced, self.height, self.start, self.node, self.since)


class _State(NamedTuple):
    graph: Digraph
    root: int
    reduced: Floats
    terminals: Ints
    growing: Ints
    height: Floats
    last: Ints
    mark: Ints
    member: Ints
    cut: Ints
    zero: float


def digraph(node_count: int, tail: Ints, head: Ints) -> Digraph:
    """Return the graph of the arcs ``tail`` -> ``head`` (m,)."""
    parts = []
    for end in (head, tail):
        order = np.argsort(end, kind="stable").astype(np.int64)
        start = np.searchsorted(end[order], np.arange(node_count + 1)).astype(np.int64)
        parts += [start, order]
    return Digraph(np.asarray(tail, np.int64), np.asarray(head, np.int64), *parts)


def ascend(graph: Digraph, cost: Floats, root: int, terminals: Ints) -> Ascent:
    """Return a dual solution for arcs of ``cost`` (m,) and ``terminals`` (t,) to be reached from ``root``.

    May start from reduced costs of an earlier solution: the bounds then add up.
    """
    nodes = len(graph.in_start) - 1
    growing = np.zeros(nodes, dtype=np.int64)
    growing[terminals] = 1
    growing[root] = 0
    state = _State(
        graph=graph,
        root=root,
        reduced=np.array(cost, dtype=np.float64),
        terminals=np.asarray(terminals, dtype=np.int64),
        growing=growing,
        height=np.zeros(len(terminals)),
        last=np.full(len(terminals), -1, dtype=np.int64),
        mark=np.full(nodes, -1, dtype=np.int64),
        member=np.empty(nodes, dtype=np.int64),
        cut=np.empty(len(graph.tail), dtype=np.int64),
        zero=_RELATIVE_ZERO * float(cost.max(initial=0.0)),
    )
    start, node, since = _ascend(state)
    return Ascent(float(state.height.sum()), state.reduced, state.height, start, node, since)


@compiled
def _ascend(state: _State) -> tuple[Ints, Ints, Floats]:
    """Grow the terminals' sets, the one with the fewest arcs first, until the root reaches each."""
    node, since, previous = [0], [0.0], [-1]
    heap = [(0, 0)]
    heap.pop()
    graph = state.graph
    for k in range(len(state.terminals)):
        at = state.terminals[k]
        if at != state.root:
            node.append(at)
            since.append(0.0)
            previous.append(-1)
            state.last[k] = len(node) - 1
            heapq.heappush(heap, (graph.in_start[at + 1] - graph.in_start[at], k))
    visit = 0
    while len(heap) > 0:
        k = heapq.heappop(heap)[1]
        visit += 1
        size = 0
        entry = state.last[k]
        while entry >= 0:
            state.mark[node[entry]] = visit
            state.member[size] = node[entry]
            size += 1
            entry = previous[entry]
        known, looked, cut = size, 0, 0
        limit = heap[0][0] if len(heap) > 0 else np.iinfo(np.int64).max
        while True:
            size, cut = _close(state, k, visit, looked, size, cut)
            looked = size
            if cut < 0:
                state.growing[state.terminals[k]] = 0
                break
            for place in range(known, size):
                node.append(state.member[place])
                since.append(state.height[k])
                previous.append(state.last[k])
                state.last[k] = len(node) - 1
            known = size
            cut = _inside_dropped(state, visit, cut)
            if cut > limit:
                heapq.heappush(heap, (cut, k))
                break
            size, cut = _raise(state, k, visit, size, cut)
    return _by_terminal(state, node, since, previous)


@compiled
def _close(state: _State, k: int, visit: int, looked: int, size: int, cut: int) -> tuple[int, int]:
    """Take in what reaches the set without cost; return its size and arcs, -1 where it meets a growing one or the root.

    The nodes before ``looked`` have been seen already, and their arcs stand in the first ``cut`` places.
    """
    graph = state.graph
    own = state.terminals[k]
    for place in range(looked, size):
        at = state.member[place]
        if at == state.root or (state.growing[at] == 1 and at != own):
            return size, -1
    place = looked
    while place < size:
        into = state.member[place]
        place += 1
        for slot in range(graph.in_start[into], graph.in_start[into + 1]):
            arc = graph.in_arc[slot]
            other = graph.tail[arc]
            if state.mark[other] == visit:
                continue
            if state.reduced[arc] > state.zero:
                state.cut[cut] = arc
                cut += 1
                continue
            if other == state.root or state.growing[other] == 1:
                return place, -1
            state.mark[other] = visit
            state.member[size] = other
            size += 1
    return size, cut


@compiled
def _inside_dropped(state: _State, visit: int, cut: int) -> int:
    """Drop the arcs whose tail has come in; return how many are left."""
    kept = 0
    for place in range(cut):
        arc = state.cut[place]
        if state.mark[state.graph.tail[arc]] != visit:
            state.cut[kept] = arc
            kept += 1
    return kept


@compiled
def _raise(state: _State, k: int, visit: int, size: int, cut: int) -> tuple[int, int]:
    """Pay until an arc is used up and take in its tail; return the set's size and the arcs left."""
    step = np.inf
    for place in range(cut):
        step = min(step, state.reduced[state.cut[place]])
    state.height[k] += step
    if cut == 0:
        state.member[size] = state.root
        return size + 1, cut
    kept = 0
    for place in range(cut):
        arc = state.cut[place]
        left = state.reduced[arc] - step
        if left > state.zero:
            state.reduced[arc] = left
            state.cut[kept] = arc
            kept += 1
            continue
        state.reduced[arc] = 0.0
        other = state.graph.tail[arc]
        if state.mark[other] != visit:
            state.mark[other] = visit
            state.member[size] = other
            size += 1
    return size, kept


@compiled
def _by_terminal(state: _State, node: list[int], since: list[float], previous: list[int]) -> tuple[Ints, Ints, Floats]:
    """Return each terminal's nodes in the order in which they came; those met last, which end it, carry nothing."""
    start = np.zeros(len(state.terminals) + 1, dtype=np.int64)
    for k in range(len(state.terminals)):
        count = 0
        entry = state.last[k]
        while entry >= 0:
            count += since[entry] < state.height[k]
            entry = previous[entry]
        start[k + 1] = start[k] + count
    nodes = np.empty(start[-1], dtype=np.int64)
    heights = np.empty(start[-1])
    for k in range(len(state.terminals)):
        place = start[k + 1]
        entry = state.last[k]
        while entry >= 0:
            if since[entry] < state.height[k]:
                place -= 1
                nodes[place] = node[entry]
                heights[place] = since[entry]
            entry = previous[entry]
    return start, nodes, heights


def distances(graph: Digraph, length: Floats, source: Ints, *, backwards: bool = False) -> Floats:
    """Return the distance (n,) by arcs of ``length`` (m,) from the nearest ``source``, or to it where ``backwards``."""
    if backwards:
        return _spread(graph.in_start, graph.in_arc, graph.tail, length, source)
    return _spread(graph.out_start, graph.out_arc, graph.head, length, source)


@compiled
def _spread(start: Ints, arcs: Ints, end: Ints, length: Floats, source: Ints) -> Floats:
    nodes = len(start) - 1
    away = np.full(nodes, np.inf)
    heap = empty_heap(nodes)
    for node in source:
        away[node] = 0.0
        push(heap, away, node)
    while heap.size[0] > 0:
        node = pop(heap, away)
        for slot in range(start[node], start[node + 1]):
            arc = arcs[slot]
            other = end[arc]
            reached = away[node] + length[arc]
            if reached < away[other]:
                away[other] = reached
                push(heap, away, other)
    return away


def arc_bounds(graph: Digraph, reduced: Floats, root: int, terminals: Ints) -> Floats:
    """Return for each arc (m,) how far above the dual bound a tree that uses it is at least; infinite where none can.

    A tree with the arc u -> v holds a chain from the root over it to a terminal; the terminals' sets
    are paid for by every tree, so that the chain's ``reduced`` costs (m,) come on top.
    """
    others = np.asarray(terminals, dtype=np.int64)
    there = distances(graph, reduced, np.array([root], dtype=np.int64))
    on = distances(graph, reduced, others[others != root], backwards=True)
    return np.asarray(there[graph.tail] + reduced + on[graph.head])
