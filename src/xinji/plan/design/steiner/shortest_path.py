"""Steiner trees by shortest paths: the repeated shortest path heuristic.

Takahashi & Matsuyama (1980), in the form of Poggi de Aragao & Werneck (2002): one search grows from the
tree, and the nodes of each path that joins the tree start again at distance 0. Every tree is then the least
spanning tree of its nodes without leaves that are no terminals.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.errors import Fault, InfeasibleError, InputError, raise_if
from xinji.plan.design.steiner.graph import EdgeGraph, star
from xinji.plan.design.steiner.heap import Heap, empty_heap, pop, push
from xinji.plan.jit import compiled


class Net(NamedTuple):
    """A graph and its terminals as the kernels read them.

    ``start`` (n + 1,), ``neighbour`` (2 m,) and ``edge`` (2 m,) as in ``Star``, with the ``length`` (2 m,) of each step
    (its edge's cost); ``tail``, ``head`` and ``cost`` (m,); ``order`` (m,) the edges by cost; ``terminal`` (n,) and
    the list of ``terminals`` (k,).
    """

    start: Ints
    neighbour: Ints
    edge: Ints
    length: Floats
    tail: Ints
    head: Ints
    cost: Floats
    order: Ints
    terminal: Bools
    terminals: Ints


def prepare(graph: EdgeGraph, terminals: Ints) -> Net:
    """Return ``graph`` with its ``terminals`` (k,) for the kernels.

    Raises InputError where a terminal is no node or there is none.
    """
    nodes = np.unique(np.asarray(terminals, np.int64))
    raise_if(_terminal_faults(graph.node_count, nodes), InputError)
    by_node = star(graph)
    cost = np.array(graph.cost, np.float64)
    terminal = np.zeros(graph.node_count, np.bool_)
    terminal[nodes] = True
    tail = np.array(graph.from_node, np.int64)
    head = np.array(graph.to_node, np.int64)
    order = np.argsort(cost, kind="stable")
    length = cost[by_node.edge]
    return Net(by_node.start, by_node.neighbour, by_node.edge, length, tail, head, cost, order, terminal, nodes)


def steps(net: Net, weight: Floats) -> Floats:
    """Return the length (2 m,) of each step for a ``weight`` of edges (m,), or of arcs (2 m,).

    Arc 2 e leads from the tail of edge e to its head, arc 2 e + 1 back.
    """
    if len(weight) == len(net.cost):
        return np.asarray(weight[net.edge], np.float64)
    return np.asarray(weight[2 * net.edge + (net.neighbour == net.tail[net.edge])], np.float64)


def _terminal_faults(node_count: int, nodes: Ints) -> list[Fault]:
    if len(nodes) == 0:
        return [Fault("terminals", "there is none", "Name at least one node that the tree must reach.")]
    outside = nodes[(nodes < 0) | (nodes >= node_count)]
    text = f"Use nodes 0 to {node_count - 1}."
    return [Fault("terminals", f"{node} is no node of the graph", text) for node in outside.tolist()]


class Regions(NamedTuple):
    """Each node's nearest source: ``distance`` (n,) to it, ``base`` (n,) itself, edge ``via`` (n,) towards it.

    -1 and infinity where no source is within reach; ``via`` is -1 at the sources.
    """

    distance: Floats
    base: Ints
    via: Ints


@compiled
def voronoi(net: Net, source: Bools, reach: float) -> Regions:
    """Return the Voronoi regions of the ``source`` nodes (n,), as far as ``reach``."""
    nodes = len(source)
    distance = np.full(nodes, np.inf)
    base = np.full(nodes, -1, np.int64)
    via = np.full(nodes, -1, np.int64)
    heap = empty_heap(nodes)
    for node in range(nodes):
        if source[node]:
            distance[node] = 0.0
            base[node] = node
    for node in range(nodes):
        if source[node]:
            _spread(net, net.length, Regions(distance, base, via), heap, node, reach)
    while heap.size[0] > 0:
        _spread(net, net.length, Regions(distance, base, via), heap, pop(heap, distance), reach)
    return Regions(distance, base, via)


@compiled
def _spread(net: Net, length: Floats, regions: Regions, heap: Heap, node: int, reach: float) -> None:
    """Offer the neighbours of ``node`` the way through it."""
    own = regions.distance[node]
    for at in range(net.start[node], net.start[node + 1]):
        other = net.neighbour[at]
        total = own + length[at]
        if total < regions.distance[other] and total <= reach:
            regions.distance[other] = total
            regions.base[other] = regions.base[node]
            regions.via[other] = net.edge[at]
            push(heap, regions.distance, other)


@compiled
def grown(net: Net, length: Floats, root: int) -> Bools:
    """Return the nodes (n,) of the repeated shortest path tree from ``root``, each step taken at ``length`` (2 m,).

    Terminals that cannot be reached are left out.
    """
    nodes = len(net.terminal)
    used = np.zeros(nodes, np.bool_)
    regions = Regions(np.full(nodes, np.inf), np.full(nodes, -1, np.int64), np.full(nodes, -1, np.int64))
    heap = empty_heap(nodes)
    missing = len(net.terminals) - int(net.terminal[root])
    used[root] = True
    regions.distance[root] = 0.0
    push(heap, regions.distance, root)
    while heap.size[0] > 0 and missing > 0:
        node = pop(heap, regions.distance)
        if net.terminal[node] and not used[node]:
            missing -= 1
            step = node
            while not used[step]:
                used[step] = True
                regions.distance[step] = 0.0
                push(heap, regions.distance, step)
                edge = regions.via[step]
                step = net.tail[edge] + net.head[edge] - step
        else:
            _spread(net, length, regions, heap, node, np.inf)
    return used


@compiled
def find(leader: Ints, node: int) -> int:
    """Return the leader of the set of ``node`` and shorten the way to it."""
    while leader[node] != node:
        leader[node] = leader[leader[node]]
        node = leader[node]
    return node


@compiled
def spanning(net: Net, used: Bools) -> Bools:
    """Return the least spanning forest (m,) of the ``used`` nodes (n,) without leaves that are no terminals."""
    leader = np.arange(len(used))
    inside = np.zeros(len(net.cost), np.bool_)
    for edge in net.order:
        if used[net.tail[edge]] and used[net.head[edge]]:
            first, second = find(leader, net.tail[edge]), find(leader, net.head[edge])
            if first != second:
                leader[second] = first
                inside[edge] = True
    prune(net, inside)
    return inside


@compiled
def prune(net: Net, inside: Bools) -> None:
    """Take from the forest ``inside`` (m,), one by one, the leaves that are no terminals."""
    degree = np.zeros(len(net.terminal), np.int64)
    for edge in range(len(inside)):
        if inside[edge]:
            degree[net.tail[edge]] += 1
            degree[net.head[edge]] += 1
    for first in range(len(degree)):
        node = first
        while degree[node] == 1 and not net.terminal[node]:
            degree[node] = 0
            for at in range(net.start[node], net.start[node + 1]):
                if inside[net.edge[at]]:
                    inside[net.edge[at]] = False
                    node = net.neighbour[at]
                    degree[node] -= 1
                    break


@compiled
def touched(net: Net, inside: Bools) -> Bools:
    """Return the nodes (n,) at the edges ``inside`` (m,) and the terminals."""
    used = net.terminal.copy()
    for edge in range(len(inside)):
        if inside[edge]:
            used[net.tail[edge]] = True
            used[net.head[edge]] = True
    return used


@compiled
def value(net: Net, inside: Bools) -> float:
    """Return the cost of the edges ``inside`` (m,)."""
    total = 0.0
    for edge in range(len(inside)):
        if inside[edge]:
            total += net.cost[edge]
    return total


def spans(net: Net, inside: Bools) -> bool:
    """Return whether the forest ``inside`` (m,), pruned, is one tree with all terminals."""
    return bool(inside.sum() == touched(net, inside).sum() - 1)


def checked(net: Net, inside: Bools) -> Bools:
    """Return ``inside`` (m,); raises InfeasibleError where it leaves a terminal out."""
    if not spans(net, inside):
        raise InfeasibleError("The terminals are not connected: no tree reaches them all. Add the missing edges.")
    return inside


def short_tree(graph: EdgeGraph, terminals: Ints, *, weight: Floats | None = None, root: int | None = None) -> Ints:
    """Return the edges of the repeated shortest path tree that starts at ``root`` (else the first terminal).

    ``weight`` of the edges (m,) or the arcs (2 m,: tail to head, then back, edge by edge), at least 0, guides the paths
    instead of the cost: the reduced costs of a dual ascent from ``root``, say.
    Raises InputError (no terminal) or InfeasibleError (terminals not connected).
    Source: Takahashi & Matsuyama, Math. Japonica 24 (1980).
    """
    net = prepare(graph, terminals)
    guide = net.length if weight is None else steps(net, weight)
    begin = int(net.terminals[0]) if root is None else root
    return np.flatnonzero(checked(net, spanning(net, grown(net, guide, begin))))
