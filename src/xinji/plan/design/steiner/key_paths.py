"""A tree seen as key nodes and the key paths between them.

Key nodes are the terminals, the root and the nodes of degree 3 or more; a key path runs between two key nodes
over nodes of degree 2. A key path is known by its lower key node, its ``bottom``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.steiner.shortest_path import Net
from xinji.plan.jit import compiled


class Rooted(NamedTuple):
    """A tree from its root: ``parent`` (n,), the edge ``link`` (n,) to it, both -1 at the root and outside.

    ``degree`` (n,) counts the edges of the tree at each node;
    ``order`` (k,) lists the nodes of the tree, parents first.
    """

    parent: Ints
    link: Ints
    degree: Ints
    order: Ints


class Keys(NamedTuple):
    """The key paths of a rooted tree, all (n,) and only meant for nodes of the tree.

    ``bottom`` and ``top``: the key nodes at the ends of the node's key path (a key node's own path leads up);
    ``height``: length from the node up to ``top``; ``level``: key paths from the root; ``branch``: which of its top's
    branches the path of this bottom is, 1 onwards (0 leads up); ``child`` and ``sibling``: first lower key node and
    the next one with the same top, or -1.
    """

    bottom: Ints
    top: Ints
    height: Floats
    level: Ints
    branch: Ints
    child: Ints
    sibling: Ints


@compiled
def rooted(net: Net, inside: Bools, root: int) -> Rooted:
    """Return the tree ``inside`` (m,) as seen from ``root``."""
    nodes = len(net.terminal)
    parent = np.full(nodes, -1, np.int64)
    link = np.full(nodes, -1, np.int64)
    degree = np.zeros(nodes, np.int64)
    order = np.empty(nodes, np.int64)
    order[0] = root
    count = 1
    done = 0
    while done < count:
        node = order[done]
        done += 1
        for at in range(net.start[node], net.start[node + 1]):
            edge = net.edge[at]
            if inside[edge]:
                degree[node] += 1
                if edge != link[node]:
                    other = net.neighbour[at]
                    parent[other] = node
                    link[other] = edge
                    order[count] = other
                    count += 1
    return Rooted(parent, link, degree, order[:count])


@compiled
def is_key(net: Net, tree: Rooted, node: int) -> bool:
    """Return whether ``node`` of the tree is a key node."""
    return bool(net.terminal[node] or tree.degree[node] != 2)


@compiled
def find_keys(net: Net, tree: Rooted) -> Keys:
    """Return the key paths of ``tree``, whose root must be a terminal."""
    nodes = len(net.terminal)
    keys = Keys(
        np.full(nodes, -1, np.int64),
        np.full(nodes, -1, np.int64),
        np.zeros(nodes),
        np.zeros(nodes, np.int64),
        np.zeros(nodes, np.int64),
        np.full(nodes, -1, np.int64),
        np.full(nodes, -1, np.int64),
    )
    for at in range(len(tree.order) - 1, 0, -1):
        node = tree.order[at]
        if is_key(net, tree, node):
            keys.bottom[node] = node
        above = tree.parent[node]
        if not is_key(net, tree, above):
            keys.bottom[above] = keys.bottom[node]
    keys.bottom[tree.order[0]] = tree.order[0]
    for node in tree.order[1:]:
        above = tree.parent[node]
        passing = not is_key(net, tree, above)
        keys.top[node] = keys.top[above] if passing else above
        keys.height[node] = net.cost[tree.link[node]] + (keys.height[above] if passing else 0.0)
        top = keys.top[node]
        keys.level[node] = keys.level[top] + 1
        if keys.bottom[node] == node:
            before = keys.child[top]
            keys.branch[node] = 1 if before < 0 else keys.branch[before] + 1
            keys.sibling[node] = before
            keys.child[top] = node
    return keys


@compiled
def longest_part(keys: Keys, first: int, second: int) -> tuple[float, int, int]:
    """Return length, lower and upper node of the longest piece of a key path between ``first`` and ``second``."""
    length, low, high = 0.0, first, first
    while keys.bottom[first] != keys.bottom[second]:
        if keys.level[first] < keys.level[second]:
            first, second = second, first
        if keys.height[first] > length:
            length, low, high = keys.height[first], first, keys.top[first]
        first = keys.top[first]
    rest = keys.height[first] - keys.height[second]
    if abs(rest) > length:
        length = abs(rest)
        low, high = (first, second) if rest > 0.0 else (second, first)
    return length, low, high
