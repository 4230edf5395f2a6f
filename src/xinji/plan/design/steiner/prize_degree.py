"""Reductions of prize-collecting cases by degree and by adjacency, run until none applies.

Rehfeldt, Koch and Maher, Reduction techniques for the prize collecting Steiner tree problem and the
maximum-weight connected subgraph problem, Networks 73, 2019, sections 3.1 and 3.2.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.steiner.prize_case import NOTHING, Case, subcase
from xinji.plan.jit import compiled

_CONSTANT, _TOTAL, _SINGLE = 0, 1, 2
_JOINED, _SINGLE_ORIGIN, _REQUIRED = 0, 1, 2


class Net(NamedTuple):
    """A case that is being taken apart: half-edges 2 e and 2 e + 1 of edge e hang on their nodes in chains.

    ``number`` holds the constant, the sum of positive gains and the value of the best tree of one node;
    ``tally`` the joined origins in use, that tree's origin and how many nodes are required.
    """

    first: Ints
    after: Ints
    before: Ints
    node: Ints
    degree: Ints
    cost: Floats
    gain: Floats
    required: Bools
    inside: Ints
    path: Ints
    joined: Ints
    leaves: Ints
    gone: Bools
    number: Floats
    tally: Ints


def reduce_degrees(case: Case) -> tuple[Case, float, int]:
    """Return ``case`` without nodes and edges that degree or adjacency decide, and the best single node met.

    The single node comes as its value and its origin (infinity and ``NOTHING`` where none was met): the
    reductions keep a best tree among those of at least two nodes.
    """
    net = _net(case)
    _run(net)
    alive = ~net.gone
    edges = (net.after[::2] != -2) if len(case.cost) else np.zeros(0, dtype=np.bool_)
    used = int(net.tally[_JOINED])
    left = replace(
        case,
        tail=np.ascontiguousarray(net.node[::2]),
        head=np.ascontiguousarray(net.node[1::2]),
        cost=net.cost,
        gain=net.gain,
        required=net.required,
        constant=float(net.number[_CONSTANT]),
        inside=net.inside,
        path=net.path,
        joined=net.joined[:used].copy(),
    )
    left = replace(left, gain=np.where(alive, left.gain, 0.0))
    return subcase(left, alive, edges), float(net.number[_SINGLE]), int(net.tally[_SINGLE_ORIGIN])


def _net(case: Case) -> Net:
    node = np.empty(2 * len(case.cost), dtype=np.int64)
    node[::2], node[1::2] = case.tail, case.head
    room = 3 * case.node_count + 2 * len(case.cost)
    joined = np.empty((len(case.joined) + room, 2), dtype=np.int64)
    joined[: len(case.joined)] = case.joined
    total = float(np.maximum(case.gain, 0.0).sum())
    net = Net(
        first=np.full(case.node_count, -1, dtype=np.int64),
        after=np.full(len(node), -2, dtype=np.int64),
        before=np.full(len(node), -1, dtype=np.int64),
        node=node,
        degree=np.zeros(case.node_count, dtype=np.int64),
        cost=case.cost.copy(),
        gain=case.gain.copy(),
        required=case.required.copy(),
        inside=case.inside.copy(),
        path=case.path.copy(),
        joined=joined,
        leaves=np.array([case.leaves], dtype=np.int64),
        gone=np.zeros(case.node_count, dtype=np.bool_),
        number=np.array([case.constant, total, np.inf]),
        tally=np.array([len(case.joined), NOTHING, case.required.sum()], dtype=np.int64),
    )
    _hang_all(net)
    return net


@compiled
def _hang_all(net: Net) -> None:
    for half in range(len(net.node)):
        _hang(net, half, net.node[half])


@compiled
def _hang(net: Net, half: int, node: int) -> None:
    net.node[half] = node
    old = net.first[node]
    net.after[half] = old
    net.before[half] = -1
    if old >= 0:
        net.before[old] = half
    net.first[node] = half
    net.degree[node] += 1


@compiled
def _unhang(net: Net, half: int) -> None:
    node, after, before = net.node[half], net.after[half], net.before[half]
    if before >= 0:
        net.after[before] = after
    else:
        net.first[node] = after
    if after >= 0:
        net.before[after] = before
    net.after[half] = -2
    net.degree[node] -= 1


@compiled
def _drop_edge(net: Net, edge: int) -> None:
    _unhang(net, 2 * edge)
    _unhang(net, 2 * edge + 1)


@compiled
def _join(net: Net, one: int, other: int) -> int:
    if one < 0:
        return other
    if other < 0:
        return one
    row = net.tally[_JOINED]
    net.joined[row, 0] = one
    net.joined[row, 1] = other
    net.tally[_JOINED] = row + 1
    return int(row + net.leaves[0])


@compiled
def _single(net: Net, node: int) -> None:
    """Remember the tree of ``node`` alone, if no other node is required."""
    value = net.number[_CONSTANT] + net.number[_TOTAL] - net.gain[node]
    alone = net.tally[_REQUIRED] == 1 if net.required[node] else net.tally[_REQUIRED] == 0 and net.gain[node] > 0.0
    if alone and value < net.number[_SINGLE]:
        net.number[_SINGLE] = value
        net.tally[_SINGLE_ORIGIN] = net.inside[node]


@compiled
def _leave_out(net: Net, node: int) -> None:
    """Take ``node``, which no tree of two nodes gains by, out of the case."""
    _single(net, node)
    paid = max(net.gain[node], 0.0)
    net.number[_CONSTANT] += paid
    net.number[_TOTAL] -= paid
    while net.first[node] >= 0:
        _drop_edge(net, net.first[node] >> 1)
    net.gone[node] = True


@compiled
def _edge_between(net: Net, one: int, other: int) -> int:
    """Return the edge between two nodes, or -1."""
    if net.degree[one] > net.degree[other]:
        one, other = other, one
    half = net.first[one]
    while half >= 0:
        if net.node[half ^ 1] == other:
            return int(half >> 1)
        half = net.after[half]
    return -1


@compiled
def _put_edge(net: Net, edge: int, one: int, other: int) -> None:
    """Hang the loose ``edge`` between two nodes, unless it is a loop or a cheaper edge is there."""
    if one == other:
        return
    known = _edge_between(net, one, other)
    if known >= 0:
        if net.cost[known] <= net.cost[edge]:
            return
        _drop_edge(net, known)
    _hang(net, 2 * edge, one)
    _hang(net, 2 * edge + 1, other)


@compiled
def _merge(net: Net, edge: int, goes: int, stays: int) -> None:
    """Make one node of the two ends of ``edge``: a best tree holds both or neither."""
    _single(net, goes)
    _single(net, stays)
    before = max(net.gain[goes], 0.0) + max(net.gain[stays], 0.0)
    paid = net.cost[edge] + max(-net.gain[goes], 0.0) + max(-net.gain[stays], 0.0)
    gain = net.gain[goes] + net.gain[stays] - net.cost[edge]
    if net.required[goes] or net.required[stays]:
        if net.required[goes] and net.required[stays]:
            net.tally[_REQUIRED] -= 1
        net.required[stays] = True
        gain = 0.0
    net.number[_CONSTANT] += paid - max(-gain, 0.0)
    net.number[_TOTAL] += max(gain, 0.0) - before
    net.gain[stays] = gain
    net.inside[stays] = _join(net, _join(net, net.inside[stays], net.inside[goes]), net.path[edge])
    _drop_edge(net, edge)
    while net.first[goes] >= 0:
        half = net.first[goes]
        other = net.node[half ^ 1]
        _drop_edge(net, half >> 1)
        _put_edge(net, half >> 1, stays, other)
    net.gone[goes] = True


@compiled
def _bridge(net: Net, node: int) -> None:
    """Replace ``node`` of two edges, which no best tree ends in, by one edge."""
    _single(net, node)
    one, two = net.first[node], net.after[net.first[node]]
    left, right = net.node[one ^ 1], net.node[two ^ 1]
    edge, spare = one >> 1, two >> 1
    _drop_edge(net, edge)
    _drop_edge(net, spare)
    paid = max(net.gain[node], 0.0)
    net.number[_CONSTANT] += paid
    net.number[_TOTAL] -= paid
    net.cost[edge] += net.cost[spare] - net.gain[node]
    net.path[edge] = _join(net, _join(net, net.path[edge], net.path[spare]), net.inside[node])
    net.gone[node] = True
    _put_edge(net, edge, left, right)


@compiled
def _cheapest(net: Net, node: int) -> int:
    """Return the half-edge of ``node`` of least cost; among equals one whose far end has the greatest gain."""
    best = -1
    half = net.first[node]
    while half >= 0:
        better = best < 0 or net.cost[half >> 1] < net.cost[best >> 1]
        if not better and net.cost[half >> 1] == net.cost[best >> 1]:
            better = _worth(net, net.node[half ^ 1]) > _worth(net, net.node[best ^ 1])
        if better:
            best = half
        half = net.after[half]
    return best


@compiled
def _worth(net: Net, node: int) -> float:
    return np.inf if net.required[node] else net.gain[node]


@compiled
def _step(net: Net, node: int) -> int:
    """Apply one reduction at ``node``; return a node of the change, or -1 if none applies."""
    degree = net.degree[node]
    free = not net.required[node]
    if degree == 0:
        if free:
            _leave_out(net, node)
        return -1
    cheapest = _cheapest(net, node)
    cost, other = net.cost[cheapest >> 1], net.node[cheapest ^ 1]
    if free and net.gain[node] <= cost and degree == 1:
        _leave_out(net, node)
        return int(other)
    if degree == 1 or min(_worth(net, node), _worth(net, other)) >= cost:
        _merge(net, cheapest >> 1, node, other)
        return int(other)
    if degree == 2 and free and net.gain[node] <= cost:
        _bridge(net, node)
        return int(other)
    return -1


@compiled
def _run(net: Net) -> None:
    count = len(net.first)
    queue = np.arange(count)
    waiting = np.ones(count, dtype=np.bool_)
    begin, size = 0, count
    while size:
        node = queue[begin]
        begin = (begin + 1) % count
        size -= 1
        waiting[node] = False
        changed = -1 if net.gone[node] else _step(net, node)
        if changed < 0:
            continue
        size = _enlist(queue, waiting, changed, begin, size)
        half = net.first[changed]
        while half >= 0:
            size = _enlist(queue, waiting, net.node[half ^ 1], begin, size)
            half = net.after[half]


@compiled
def _enlist(queue: Ints, waiting: Bools, node: int, begin: int, size: int) -> int:
    if waiting[node]:
        return size
    waiting[node] = True
    queue[(begin + size) % len(queue)] = node
    return size + 1
