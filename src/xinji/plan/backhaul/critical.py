"""What a cut costs: the links and rooms on which others hang, with all that they would cut off.

Bridges and articulation points by one depth-first search (Tarjan, SIAM Journal on Computing 1, 1972;
Hopcroft and Tarjan, Communications of the ACM 16, 1973), from the core that joins all points of presence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.backhaul.network import Network, Rooted, check_rows, rooted
from xinji.plan.jit import compiled


@dataclass(frozen=True, slots=True, eq=False)
class Critical:
    """The ``links`` (b,) and ``rooms`` (nodes, a) without which others are cut off, worst first.

    ``link_loss`` (b, w) and ``room_loss`` (a, w) are the weights then cut off, a room's own with it;
    ``joined`` (n,) says which nodes reach the core at all, ``unjoined`` (w,) the weights of those that
    do not. Worst is by the first weight, then by the others.
    """

    links: Ints
    link_loss: Floats
    rooms: Ints
    room_loss: Floats
    joined: Bools
    unjoined: Floats


def critical_points(network: Network, weight: Floats) -> Critical:
    """Return what a single cut of ``network`` costs; ``weight`` (n, w) is what stands at each node.

    Weights may be premises, people, Mbit/s or worth. A link is listed if its cut takes any node off, a room if
    its loss takes off any other node. Time grows as nodes and links do.

    Raises InputError where weights do not fit the network.
    """
    check_rows("weights", "weight", weight, (network.node_count, weight.shape[-1] if weight.ndim == 2 else 1))
    tree = search(rooted(network), network.node_count)
    loss, room_loss, depends = _losses(tree.order, tree.parent, tree.low, tree.found, weight)
    bridge = np.flatnonzero(tree.bridge & (tree.parent_edge < len(network.cost)) & (tree.parent_edge >= 0))
    rooms = np.flatnonzero(depends)
    links, link_loss = _worst_first(tree.parent_edge[bridge], loss[bridge])
    listed, listed_loss = _worst_first(rooms, room_loss[rooms])
    joined = tree.found[:-1] >= 0
    return Critical(links, link_loss, listed, listed_loss, joined, weight[~joined].sum(axis=0))


def _worst_first(items: Ints, loss: Floats) -> tuple[Ints, Floats]:
    """Return ``items`` (k,) and their ``loss`` (k, w), worst first; ties by number."""
    order = np.lexsort((items, *(-loss[:, column] for column in range(loss.shape[1] - 1, -1, -1))))
    return items[order], loss[order]


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """A depth-first search from the core over the nodes and the core (n + 1).

    ``found`` is the order of arrival (-1 never), ``order`` lists the arrived, ``parent`` and ``parent_edge`` the
    way back (-1 none), ``low`` the earliest arrival that the nodes beyond reach otherwise; ``bridge`` says
    whether the edge to the parent is the only way.
    """

    order: Ints
    found: Ints
    parent: Ints
    parent_edge: Ints
    low: Ints
    bridge: Bools


def search(graph: Rooted, core: int, barred: Bools | None = None) -> Search:
    """Return the search from ``core`` over all edges but the ``barred`` ones (m + k,)."""
    edges = int(graph.edge.max(initial=-1)) + 1
    closed = np.zeros(edges, dtype=bool) if barred is None else barred
    order, found, parent, parent_edge, low = depth_first(graph, core, closed)
    above = np.where(parent >= 0, found[parent], -1)
    return Search(order, found, parent, parent_edge, low, (parent >= 0) & (low > above))


@compiled
def depth_first(graph: Rooted, core: int, barred: Bools) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Return order, found, parent, parent_edge and low of ``Search``."""
    nodes = len(graph.start) - 1
    found, low = np.full(nodes, -1, np.int64), np.full(nodes, -1, np.int64)
    parent, parent_edge = np.full(nodes, -1, np.int64), np.full(nodes, -1, np.int64)
    order, count = np.empty(nodes, np.int64), 1
    place = graph.start[:-1].copy()
    order[0], found[core], low[core] = core, 0, 0
    node = core
    while node >= 0:
        if place[node] < graph.start[node + 1]:
            other, edge = graph.neighbour[place[node]], graph.edge[place[node]]
            place[node] += 1
            if barred[edge] or edge == parent_edge[node]:
                continue
            if found[other] >= 0:
                low[node] = min(low[node], found[other])
                continue
            parent[other], parent_edge[other] = node, edge
            found[other] = low[other] = count
            order[count] = other
            count += 1
            node = other
        else:
            above = parent[node]
            if above >= 0:
                low[above] = min(low[above], low[node])
            node = above
    return order[:count], found, parent, parent_edge, low


@compiled
def _losses(order: Ints, parent: Ints, low: Ints, found: Ints, weight: Floats) -> tuple[Floats, Floats, Bools]:
    """Return the weights beyond the edge to each parent, those lost with each node, and whether others depend on it."""
    nodes, kinds = weight.shape
    loss, room = np.zeros((nodes, kinds)), np.zeros((nodes, kinds))
    depends = np.zeros(nodes, np.bool_)
    for place in range(len(order) - 1, 0, -1):
        node = order[place]
        for kind in range(kinds):
            loss[node, kind] += weight[node, kind]
            room[node, kind] += weight[node, kind]
        above = parent[node]
        if above == nodes:
            continue
        for kind in range(kinds):
            loss[above, kind] += loss[node, kind]
        if low[node] >= found[above]:
            depends[above] = True
            for kind in range(kinds):
                room[above, kind] += loss[node, kind]
    return loss, room, depends


__all__ = ["Critical", "Search", "critical_points", "depth_first", "search"]
