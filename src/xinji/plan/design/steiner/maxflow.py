"""Cuts that a fractional solution breaks, by maximum flows from each terminal back to the root.

Dinic's algorithm, run from the terminal, stops at whatever the root reaches with full capacity, so that
it stays near the terminal. The arcs of each cut found count as full from then on: further cuts for the
same terminal lie behind it (nested cuts, Koch and Martin, Networks 32, 1998).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.steiner.ascent import Digraph
from xinji.plan.jit import compiled

_EPSILON = 1e-9
_CREEP = 1e-5


class Cuts(NamedTuple):
    """Sets of nodes without the root that hold terminal number ``terminal`` (q,): ``node[start[i]:start[i + 1]]``."""

    terminal: Ints
    start: Ints
    node: Ints


class _Flow(NamedTuple):
    graph: Digraph
    capacity: Floats
    given: Floats
    flow: Floats
    full: Bools
    level: Ints
    queue: Ints
    slot: Ints
    size: Ints


def broken_cuts(
    graph: Digraph, value: Floats, root: int, terminals: Ints, *, open_arc: Bools, most: int, nested: int = 5
) -> Cuts:
    """Return up to ``most`` cuts that arcs of ``value`` (m,) cross by less than 1, ``nested`` of them a terminal.

    ``terminals`` (t,) are tried in their order; only arcs that are ``open_arc`` (m,) can be used.
    """
    nodes, arcs = len(graph.in_start) - 1, len(graph.tail)
    # A little flow everywhere ("creep flow") prefers, of cuts of one value, those with the fewest arcs.
    capacity = np.clip(value, 0.0, 1.0) + np.where(open_arc, _CREEP, 0.0)
    flow = _Flow(
        graph=graph,
        capacity=capacity,
        given=capacity.copy(),
        flow=np.zeros(arcs),
        full=np.zeros(nodes, dtype=np.bool_),
        level=np.full(nodes, -1, dtype=np.int64),
        queue=np.empty(nodes, dtype=np.int64),
        slot=np.empty(nodes, dtype=np.int64),
        size=np.zeros(1, dtype=np.int64),
    )
    code = np.random.default_rng(nodes).integers(1 << 62, size=nodes)
    return _broken(flow, root, np.asarray(terminals, dtype=np.int64), code, most, nested)


@compiled
def _broken(flow: _Flow, root: int, terminals: Ints, code: Ints, most: int, nested: int) -> Cuts:
    _fill(flow, root)
    owner, start, node = [0], [0], [0]
    owner.pop()
    node.pop()
    known = {0}
    for k in range(len(terminals)):
        if len(owner) >= most:
            break
        sink = terminals[k]
        for _ in range(nested):
            if flow.full[sink] or _saturate(flow, sink) >= 1.0 - 1e-6:
                break
            sign = 0
            for place in range(flow.size[0]):
                sign ^= code[flow.queue[place]]
            if sign not in known:
                known.add(sign)
                node.extend(flow.queue[: flow.size[0]])
                owner.append(k)
                start.append(len(node))
            _make_full(flow)
        flow.flow[:] = 0.0
        flow.capacity[:] = flow.given
    return Cuts(np.array(owner), np.array(start), np.array(node))


@compiled
def _fill(flow: _Flow, root: int) -> None:
    """Mark what the root reaches over arcs of full capacity."""
    graph = flow.graph
    flow.full[root] = True
    flow.queue[0] = root
    first, last = 0, 1
    while first < last:
        node = flow.queue[first]
        first += 1
        for slot in range(graph.out_start[node], graph.out_start[node + 1]):
            arc = graph.out_arc[slot]
            if flow.capacity[arc] >= 1.0 - _EPSILON and not flow.full[graph.head[arc]]:
                flow.full[graph.head[arc]] = True
                flow.queue[last] = graph.head[arc]
                last += 1


@compiled
def _saturate(flow: _Flow, sink: int) -> float:
    """Send flow to ``sink`` until it is 1 or most; what the last search saw stands in the queue."""
    total = 0.0
    for slot in range(flow.graph.in_start[sink], flow.graph.in_start[sink + 1]):
        total += flow.flow[flow.graph.in_arc[slot]]
    while total < 1.0 - _EPSILON and _levels(flow, sink):
        total += _block(flow, sink)
    for place in range(flow.size[0]):
        flow.level[flow.queue[place]] = -1
    return total


@compiled
def _levels(flow: _Flow, sink: int) -> bool:
    """Search back from ``sink``; return whether the full part was met."""
    graph = flow.graph
    for place in range(flow.size[0]):
        flow.level[flow.queue[place]] = -1
    flow.queue[0], flow.level[sink], flow.slot[sink] = sink, 0, 0
    first, last = 0, 1
    found = False
    while first < last and not found:
        node = flow.queue[first]
        first += 1
        count = graph.in_start[node + 1] - graph.in_start[node]
        for step in range(count + graph.out_start[node + 1] - graph.out_start[node]):
            other, left = _residual(flow, node, step, count)
            if left > _EPSILON and flow.level[other] < 0:
                flow.level[other], flow.slot[other] = flow.level[node] + 1, 0
                flow.queue[last] = other
                last += 1
                found = found or flow.full[other]
    flow.size[0] = last
    return found


@compiled
def _residual(flow: _Flow, node: int, step: int, count: int) -> tuple[int, float]:
    """Return the next node towards the root over one of ``node``'s arcs and what may still flow there."""
    graph = flow.graph
    if step < count:
        arc = graph.in_arc[graph.in_start[node] + step]
        return graph.tail[arc], flow.capacity[arc] - flow.flow[arc]
    arc = graph.out_arc[graph.out_start[node] + step - count]
    return graph.head[arc], flow.flow[arc]


@compiled
def _block(flow: _Flow, sink: int) -> float:
    """Send a blocking flow along the levels; return how much."""
    graph = flow.graph
    path, total = [sink], 0.0
    while len(path) > 0:
        node = path[-1]
        if flow.full[node]:
            total += _augment(flow, path)
            path = [sink]
            continue
        count = graph.in_start[node + 1] - graph.in_start[node]
        most = count + graph.out_start[node + 1] - graph.out_start[node]
        while flow.slot[node] < most:
            other, left = _residual(flow, node, flow.slot[node], count)
            if left > _EPSILON and flow.level[other] == flow.level[node] + 1:
                path.append(other)
                break
            flow.slot[node] += 1
        if flow.slot[node] == most:
            path.pop()
            if len(path) > 0:
                flow.slot[path[-1]] += 1
    return total


@compiled
def _augment(flow: _Flow, path: list[int]) -> float:
    graph = flow.graph
    amount = np.inf
    for place in range(len(path) - 1):
        node = path[place]
        count = graph.in_start[node + 1] - graph.in_start[node]
        amount = min(amount, _residual(flow, node, flow.slot[node], count)[1])
    for place in range(len(path) - 1):
        node = path[place]
        count = graph.in_start[node + 1] - graph.in_start[node]
        step = flow.slot[node]
        if step < count:
            flow.flow[graph.in_arc[graph.in_start[node] + step]] += amount
        else:
            flow.flow[graph.out_arc[graph.out_start[node] + step - count]] -= amount
    return amount


@compiled
def _make_full(flow: _Flow) -> None:
    """Give the arcs into the set in the queue full capacity."""
    graph = flow.graph
    for place in range(flow.size[0]):
        flow.level[flow.queue[place]] = 0
    for place in range(flow.size[0]):
        node = flow.queue[place]
        for slot in range(graph.in_start[node], graph.in_start[node + 1]):
            arc = graph.in_arc[slot]
            if flow.level[graph.tail[arc]] < 0:
                flow.capacity[arc] = 1.0
    for place in range(flow.size[0]):
        flow.level[flow.queue[place]] = -1
