"""Cuts that a fractional prize-collecting arborescence breaks, by maximum flows on the arcs in use.

A set that holds node v but not the root is entered as far as v is in the tree: Ljubic, Weiskircher, Pferschy,
Klau, Mutzel and Fischetti, Math. Prog. 105, 2006. Of each flow both the cut next to v and that next to the root
are taken, then cuts behind the former (back and nested cuts, Koch and Martin, Networks 32, 1998).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.steiner.ascent import Digraph
from xinji.plan.design.steiner.maxflow import Cuts
from xinji.plan.jit import compiled

_EPSILON = 1e-9
_IN_USE = 1e-6
_BROKEN_BY = 1e-3
_FREE = 2.0
_NESTED = 4


class _Net(NamedTuple):
    """The arcs in use by head (``in_start``, ``in_arc``) and by tail; ``capacity`` and ``flow`` of each.

    ``mark`` (n,) names the last search that met a node, ``via`` the step it took there (arc, or ~arc against its
    direction), ``queue`` the nodes met, ``number`` that search and how many nodes it met.
    """

    tail: Ints
    head: Ints
    in_start: Ints
    in_arc: Ints
    out_start: Ints
    out_arc: Ints
    capacity: Floats
    flow: Floats
    mark: Ints
    via: Ints
    queue: Ints
    number: Ints


def prize_cuts(graph: Digraph, value: Floats, taken: Floats, root: int, nodes: Ints, *, most: int) -> Cuts:
    """Return about ``most`` sets entered by arcs of ``value`` (m,) less than one of ``nodes`` (k,) is ``taken`` (n,).

    The cuts name their node, not its place among ``nodes``, which are tried in their order.
    """
    count = len(graph.in_start) - 1
    used = np.flatnonzero(value > _IN_USE)
    tail, head = graph.tail[used], graph.head[used]
    by_head, by_tail = np.argsort(head, kind="stable"), np.argsort(tail, kind="stable")
    every = np.arange(count + 1)
    net = _Net(
        tail=tail,
        head=head,
        in_start=np.searchsorted(head[by_head], every),
        in_arc=by_head,
        out_start=np.searchsorted(tail[by_tail], every),
        out_arc=by_tail,
        capacity=value[used],
        flow=np.zeros(len(used)),
        mark=np.zeros(count, dtype=np.int64),
        via=np.zeros(count, dtype=np.int64),
        queue=np.empty(count, dtype=np.int64),
        number=np.zeros(2, dtype=np.int64),
    )
    code = np.random.default_rng(count).integers(1 << 62, size=count)
    return _cuts(net, taken, root, np.asarray(nodes, dtype=np.int64), code, most)


@compiled
def _cuts(net: _Net, taken: Floats, root: int, nodes: Ints, code: Ints, most: int) -> Cuts:
    owner, start, node = [0], [0], [0]
    owner.pop()
    node.pop()
    known = {0}
    given = net.capacity.copy()
    inside = np.zeros(len(net.mark), dtype=np.bool_)
    for sink in nodes:
        if len(owner) >= most:
            break
        net.flow[:] = 0.0
        net.capacity[:] = given
        total = 0.0
        for depth in range(_NESTED):
            total += _send(net, root, sink, taken[sink] - total)
            if total > taken[sink] - _BROKEN_BY:
                break
            inside[:] = False
            inside[net.queue[: net.number[1]]] = True
            sign = _sign(inside, sink, code)
            if sign not in known:
                known.add(sign)
                _keep(inside, sink, owner, start, node)
            if depth == 0:
                _search_forth(net, root)
                beyond = net.mark != net.number[0]
                sign = _sign(beyond, sink, code)
                if sign not in known:
                    known.add(sign)
                    _keep(beyond, sink, owner, start, node)
            for arc in range(len(net.tail)):
                if inside[net.head[arc]] and not inside[net.tail[arc]]:
                    net.capacity[arc] = _FREE
    return Cuts(np.array(owner), np.array(start), np.array(node))


@compiled
def _sign(inside: Bools, sink: int, code: Ints) -> int:
    """Return a number that names the set ``inside`` and its node."""
    sign = code[sink] >> 1
    for member in range(len(inside)):
        if inside[member]:
            sign ^= code[member]
    return int(sign)


@compiled
def _keep(inside: Bools, sink: int, owner: list[int], start: list[int], node: list[int]) -> None:
    node.extend(np.flatnonzero(inside))
    owner.append(sink)
    start.append(len(node))


@compiled
def _send(net: _Net, root: int, sink: int, wanted: float) -> float:
    """Send up to ``wanted`` more from ``root`` to ``sink``; what the last search saw stands in the queue."""
    sent = 0.0
    while wanted - sent > _EPSILON and _search_back(net, root, sink):
        amount = wanted - sent
        node = root
        while node != sink:
            step = net.via[node]
            if step >= 0:
                amount = min(amount, net.capacity[step] - net.flow[step])
                node = net.head[step]
            else:
                amount = min(amount, net.flow[~step])
                node = net.tail[~step]
        node = root
        while node != sink:
            step = net.via[node]
            if step >= 0:
                net.flow[step] += amount
                node = net.head[step]
            else:
                net.flow[~step] -= amount
                node = net.tail[~step]
        sent += amount
    return sent


@compiled
def _search_back(net: _Net, root: int, sink: int) -> bool:
    """Look for a way on which more may flow from ``root`` to ``sink``, from its end."""
    net.number[0] += 1
    number = net.number[0]
    net.queue[0], net.mark[sink] = sink, number
    begin, size = 0, 1
    while begin < size:
        node = net.queue[begin]
        begin += 1
        for place in range(net.in_start[node], net.in_start[node + 1]):
            arc = net.in_arc[place]
            other = net.tail[arc]
            if net.mark[other] != number and net.capacity[arc] - net.flow[arc] > _EPSILON:
                net.mark[other], net.via[other] = number, arc
                net.queue[size] = other
                size += 1
                if other == root:
                    return True
        for place in range(net.out_start[node], net.out_start[node + 1]):
            arc = net.out_arc[place]
            other = net.head[arc]
            if net.mark[other] != number and net.flow[arc] > _EPSILON:
                net.mark[other], net.via[other] = number, ~arc
                net.queue[size] = other
                size += 1
    net.number[1] = size
    return False


@compiled
def _search_forth(net: _Net, root: int) -> None:
    """Mark what more may flow to from ``root``."""
    net.number[0] += 1
    number = net.number[0]
    net.queue[0], net.mark[root] = root, number
    begin, size = 0, 1
    while begin < size:
        node = net.queue[begin]
        begin += 1
        for place in range(net.out_start[node], net.out_start[node + 1]):
            arc = net.out_arc[place]
            other = net.head[arc]
            if net.mark[other] != number and net.capacity[arc] - net.flow[arc] > _EPSILON:
                net.mark[other] = number
                net.queue[size] = other
                size += 1
        for place in range(net.in_start[node], net.in_start[node + 1]):
            arc = net.in_arc[place]
            other = net.tail[arc]
            if net.mark[other] != number and net.flow[arc] > _EPSILON:
                net.mark[other] = number
                net.queue[size] = other
                size += 1
    net.number[1] = size
