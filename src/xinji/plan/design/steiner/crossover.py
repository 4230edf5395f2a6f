"""The best of two Steiner trees, part by part.

In the union of two trees every terminal and every node where blocks (biconnected components) meet is reached by both
trees within each block; so each block may take its edges from either tree, whatever the others do, and the cheaper
choice in every block is a tree at most as dear as both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Ints
from xinji.plan.design.steiner.shortest_path import Net, spanning, touched
from xinji.plan.jit import compiled


class _Walk(NamedTuple):
    """A depth-first walk: ``depth`` (n,) of each node or -1, lowest depth ``low`` (n,) seen from it.

    ``at`` (n,) is the next step to take, ``link`` (n,) the edge to the node above;
    ``path`` (n,) and ``open_edges`` (m,) are stacks of the nodes and the edges whose block is not closed.
    """

    depth: Ints
    low: Ints
    at: Ints
    link: Ints
    path: Ints
    open_edges: Ints


@compiled
def blocks(net: Net, inside: Bools) -> Ints:
    """Return the block (m,) of each edge of ``inside`` (m,), -1 for the others.

    Source: Hopcroft & Tarjan, Communications of the ACM 16 (1973), algorithm 447.
    """
    nodes = len(net.terminal)
    block = np.full(len(inside), -1, np.int64)
    walk = _Walk(
        np.full(nodes, -1, np.int64),
        np.zeros(nodes, np.int64),
        net.start[:-1].copy(),
        np.full(nodes, -1, np.int64),
        np.empty(nodes, np.int64),
        np.empty(len(inside), np.int64),
    )
    count = 0
    for root in net.terminals:
        if walk.depth[root] < 0:
            count = _walk_from(net, inside, walk, root, block, count)
    return block


@compiled
def _walk_from(net: Net, inside: Bools, walk: _Walk, root: int, block: Ints, count: int) -> int:
    """Give the blocks of ``inside`` (m,) around ``root`` numbers from ``count`` on; return the next one."""
    walk.path[0] = root
    walk.depth[root] = 0
    length, waiting = 1, 0
    while length > 0:
        node = walk.path[length - 1]
        if walk.at[node] < net.start[node + 1]:
            edge, other = net.edge[walk.at[node]], net.neighbour[walk.at[node]]
            walk.at[node] += 1
            if not inside[edge] or edge == walk.link[node]:
                continue
            if walk.depth[other] < 0:
                walk.open_edges[waiting] = edge
                waiting += 1
                walk.depth[other] = walk.low[other] = length
                walk.link[other] = edge
                walk.path[length] = other
                length += 1
            elif walk.depth[other] < walk.depth[node]:
                walk.open_edges[waiting] = edge
                waiting += 1
                walk.low[node] = min(walk.low[node], walk.depth[other])
            continue
        length -= 1
        if length == 0:
            break
        above = walk.path[length - 1]
        walk.low[above] = min(walk.low[above], walk.low[node])
        if walk.low[node] >= walk.depth[above]:
            waiting = _close(walk, block, count, waiting, walk.link[node])
            count += 1
    return count


@compiled
def _close(walk: _Walk, block: Ints, number: int, waiting: int, last: int) -> int:
    """Give the waiting edges down to ``last`` their block; return how many still wait."""
    while waiting > 0:
        waiting -= 1
        edge = walk.open_edges[waiting]
        block[edge] = number
        if edge == last:
            break
    return waiting


@compiled
def best_parts(net: Net, first: Bools, second: Bools) -> Bools:
    """Return the tree (m,) that takes each block of the union from the cheaper of ``first`` and ``second`` (m,)."""
    block = blocks(net, first | second)
    excess = np.zeros(len(first))
    for edge in range(len(first)):
        if first[edge] != second[edge]:
            excess[block[edge]] += net.cost[edge] if first[edge] else -net.cost[edge]
    chosen = np.zeros(len(first), np.bool_)
    for edge in range(len(first)):
        if block[edge] >= 0:
            chosen[edge] = second[edge] if excess[block[edge]] > 0.0 else first[edge]
    return spanning(net, touched(net, chosen))
