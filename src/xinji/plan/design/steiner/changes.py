"""Changes of a Steiner tree made one after the other, each kept only where it is still valid and still gains.

Moves are found for the tree as it stood; earlier changes may have spoilt later ones. The tree is kept as parent
links, cut and joined edge by edge, and a change that does not hold what it promised is undone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.steiner.key_paths import Keys, Rooted
from xinji.plan.design.steiner.moves import MOST_BRANCHES, Bypasses, Exchanges, bypass_tree, insertion_gain
from xinji.plan.design.steiner.shortest_path import Net, Regions, prune
from xinji.plan.jit import compiled


class Change(NamedTuple):
    """Edges to take out (``removed``) and put in (``added``), nodes that must be connected after it (``attached``).

    ``filled`` (3,) says how many of each there are.
    """

    removed: Ints
    added: Ints
    attached: Ints
    filled: Ints


class Found(NamedTuple):
    """All that one pass has found on a tree: what the moves are made of."""

    regions: Regions
    tree: Rooted
    keys: Keys
    exchanges: Exchanges
    bypasses: Bypasses


@compiled
def _root(tree: Rooted, node: int) -> int:
    while tree.parent[node] >= 0:
        node = tree.parent[node]
    return node


@compiled
def _cut(net: Net, tree: Rooted, edge: int) -> bool:
    """Take ``edge`` out; return whether it was in the tree."""
    tail, head = net.tail[edge], net.head[edge]
    if tree.link[tail] != edge and tree.link[head] != edge:
        return False
    node = tail if tree.link[tail] == edge else head
    tree.link[node] = -1
    tree.parent[node] = -1
    tree.degree[tail] -= 1
    tree.degree[head] -= 1
    return True


@compiled
def _join(net: Net, tree: Rooted, edge: int) -> bool:
    """Put ``edge`` in; return whether it joins two trees (else nothing happens)."""
    tail, head = net.tail[edge], net.head[edge]
    if _root(tree, tail) == _root(tree, head):
        return False
    node, above, link = tail, head, edge
    while node >= 0:
        next_node, next_link = tree.parent[node], tree.link[node]
        tree.parent[node], tree.link[node] = above, link
        above, link, node = node, next_link, next_node
    tree.degree[tail] += 1
    tree.degree[head] += 1
    return True


@compiled
def _whole(net: Net, tree: Rooted, change: Change) -> bool:
    """Return whether ``change`` left everything in one tree but bare nodes of the paths it took out."""
    root = _root(tree, change.attached[0])
    for node in change.attached[1 : change.filled[2]]:
        if _root(tree, node) != root:
            return False
    for edge in change.removed[: change.filled[0]]:
        for node in (net.tail[edge], net.head[edge]):
            if (tree.degree[node] > 0 or net.terminal[node]) and _root(tree, node) != root:
                return False
    return True


@compiled
def attempt(net: Net, tree: Rooted, change: Change, least: float) -> bool:
    """Make ``change`` on ``tree`` where it gains more than ``least``; return whether it did."""
    gain = 0.0
    cuts, joins = 0, 0
    intact = True
    for edge in change.removed[: change.filled[0]]:
        intact = _cut(net, tree, edge)
        if not intact:
            break
        gain += net.cost[edge]
        cuts += 1
    if intact:
        for edge in change.added[: change.filled[1]]:
            if _join(net, tree, edge):
                gain -= net.cost[edge]
                change.added[joins] = edge
                joins += 1
    if intact and gain > least and _whole(net, tree, change):
        return True
    for edge in change.added[:joins]:
        _cut(net, tree, edge)
    for edge in change.removed[:cuts]:
        _join(net, tree, edge)
    return False


@compiled
def _climb(tree: Rooted, low: int, high: int, into: Ints, count: int) -> int:
    """Append the edges of the tree from ``low`` up to ``high``; return the new count."""
    while low != high:
        into[count] = tree.link[low]
        count += 1
        low = tree.parent[low]
    return count


@compiled
def _take(found: Found, change: Change, low: int, high: int) -> None:
    """Add the loss of the piece from ``low`` up to ``high``."""
    change.filled[0] = _climb(found.tree, low, high, change.removed, change.filled[0])
    change.attached[change.filled[2]] = low
    change.attached[change.filled[2] + 1] = high
    change.filled[2] += 2


@compiled
def _chain(net: Net, found: Found, change: Change, node: int) -> None:
    """Add the path from ``node`` to its base."""
    via = found.regions.via
    while via[node] >= 0:
        change.added[change.filled[1]] = via[node]
        change.filled[1] += 1
        node = net.tail[via[node]] + net.head[via[node]] - node


@compiled
def _bridge(net: Net, found: Found, change: Change, edge: int) -> None:
    """Add the whole path over the border ``edge``."""
    change.added[change.filled[1]] = edge
    change.filled[1] += 1
    _chain(net, found, change, net.tail[edge])
    _chain(net, found, change, net.head[edge])


@compiled
def _exchange(net: Net, found: Found, change: Change, path: int) -> None:
    exchanges = found.exchanges
    _take(found, change, exchanges.low[path], exchanges.high[path])
    _bridge(net, found, change, exchanges.edge[path])


@compiled
def _eliminate(net: Net, found: Found, change: Change, node: int) -> None:
    keys = found.keys
    _take(found, change, node, keys.top[node])
    child = keys.child[node]
    while child >= 0:
        _take(found, change, child, node)
        child = keys.sibling[child]
    kept = 0
    for at in range(change.filled[2]):
        if change.attached[at] != node:
            change.attached[kept] = change.attached[at]
            kept += 1
    change.filled[2] = kept
    _, edges = bypass_tree(found.bypasses, node, found.tree.degree[node])
    for edge in edges:
        _bridge(net, found, change, edge)
        for end in (net.tail[edge], net.head[edge]):
            base = found.regions.base[end]
            if keys.bottom[base] == node and base != node:
                change.filled[1] = _climb(found.tree, base, keys.top[node], change.added, change.filled[1])
            elif keys.top[base] == node:
                change.filled[1] = _climb(found.tree, keys.bottom[base], base, change.added, change.filled[1])


@compiled
def _insert(net: Net, found: Found, change: Change, node: int) -> None:
    _, ways, pieces = insertion_gain(net, found.regions, found.keys, node)
    _take(found, change, pieces[0], pieces[1])
    _take(found, change, pieces[2], pieces[3])
    _chain(net, found, change, node)
    for edge in ways:
        change.added[change.filled[1]] = edge
        change.filled[1] += 1
        _chain(net, found, change, net.tail[edge] + net.head[edge] - node)


EXCHANGE, ELIMINATION, INSERTION = 0, 1, 2


@compiled
def make_changes(net: Net, found: Found, gains: Floats, least: float) -> Bools:
    """Return the tree (m,) after all changes that still gain more than ``least``, the best first.

    ``gains`` (3, n): of exchanges by bottom, eliminations and insertions by node, 0 where there is none.
    """
    nodes = len(net.terminal)
    old = found.tree
    tree = Rooted(old.parent.copy(), old.link.copy(), old.degree.copy(), old.order)
    # No path is longer than the graph, and an elimination has the most of them: two and two kept pieces a bypass.
    room = 2 * MOST_BRANCHES * (nodes + 1)
    change = Change(np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int64), np.zeros(3, np.int64))
    flat = gains.ravel()
    moves = np.flatnonzero(flat > least)
    for move in moves[np.argsort(-flat[moves])]:
        kind, node = move // nodes, move % nodes
        change.filled[:] = 0
        if kind == EXCHANGE:
            _exchange(net, found, change, node)
        elif kind == ELIMINATION:
            _eliminate(net, found, change, node)
        else:
            _insert(net, found, change, node)
        attempt(net, tree, change, least)
    inside = np.zeros(len(net.cost), np.bool_)
    for node in range(nodes):
        if tree.link[node] >= 0:
            inside[tree.link[node]] = True
    prune(net, inside)
    return inside
