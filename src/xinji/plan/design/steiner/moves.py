"""Changes that could make a Steiner tree cheaper, found in one pass over the borders of its Voronoi regions.

The regions are those of the tree's nodes. Each border edge closes a path between two nodes of the tree
(1) that can replace the longest piece of a key path between them (key path exchange), and
(2) that is a way to bypass each key node in between (key node elimination: without the node and its key paths, the
    cheapest bypasses join the rest again);
(3) where three regions or more meet, a node can become a new key node (key node insertion).
Source: the neighbourhoods of Uchoa & Werneck, ACM Journal of Experimental Algorithmics 17 (2012); here every border
edge is carried along its tree path instead of in heaps that are merged upwards.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.plan.design.steiner.key_paths import Keys, Rooted, longest_part
from xinji.plan.design.steiner.shortest_path import Net, Regions
from xinji.plan.jit import compiled

MOST_BRANCHES = 6
"""Key nodes of more branches are not considered for elimination (rare on road networks)."""


class Exchanges(NamedTuple):
    """For each key path, by its bottom (n,): best ``gain`` (0: none), border ``edge``, piece ``low`` to ``high``."""

    gain: Floats
    edge: Ints
    low: Ints
    high: Ints


class Bypasses(NamedTuple):
    """The ``slot`` (n,) of each node's first pair of branches or -1; ``cost`` and border ``edge`` of each pair (p,)."""

    slot: Ints
    cost: Floats
    edge: Ints


@compiled
def pair_of(first: int, second: int) -> int:
    """Return the number of a pair of different branches."""
    high, low = max(first, second), min(first, second)
    return high * (high - 1) // 2 + low


@compiled
def no_bypasses(net: Net, tree: Rooted) -> Bypasses:
    """Return room for the bypasses of all key nodes that can be eliminated."""
    slot = np.full(len(net.terminal), -1, np.int64)
    count = 0
    for node in tree.order:
        degree = tree.degree[node]
        if 3 <= degree <= MOST_BRANCHES and not net.terminal[node]:
            slot[node] = count
            count += degree * (degree - 1) // 2
    return Bypasses(slot, np.full(count, np.inf), np.full(count, -1, np.int64))


@compiled
def _offer(bypasses: Bypasses, node: int, pair: int, edge: int, cost: float) -> None:
    if bypasses.slot[node] >= 0:
        at = bypasses.slot[node] + pair
        if cost < bypasses.cost[at]:
            bypasses.cost[at] = cost
            bypasses.edge[at] = edge


@compiled
def _bypass(keys: Keys, bypasses: Bypasses, edge: int, ends: tuple[int, int], cost: float) -> None:
    """Offer ``edge``, whose path between the tree nodes ``ends`` has ``cost``, to all key nodes between them.

    From an end inside a key path, the piece of the key path away from the eliminated node is kept and paid for.
    """
    first, second = ends
    first_in, second_in = -1, -1
    first_rest, second_rest = 0.0, 0.0
    while keys.bottom[first] != keys.bottom[second]:
        if keys.level[first] < keys.level[second]:
            first, second = second, first
            first_in, second_in = second_in, first_in
            first_rest, second_rest = second_rest, first_rest
        bottom = keys.bottom[first]
        if first_in >= 0:
            _offer(bypasses, first, pair_of(first_in, 0), edge, cost + first_rest)
        first_rest = keys.height[bottom] - keys.height[first]
        first_in = keys.branch[bottom]
        first = keys.top[first]
    if first == second:
        if first_in >= 0 and second_in >= 0:
            _offer(bypasses, first, pair_of(first_in, second_in), edge, cost + first_rest + second_rest)
        return
    if first_in >= 0:
        _offer(bypasses, first, pair_of(first_in, 0), edge, cost + first_rest + keys.height[second])
    if second_in >= 0:
        _offer(bypasses, second, pair_of(second_in, 0), edge, cost + second_rest + keys.height[first])


@compiled
def scan_borders(net: Net, regions: Regions, keys: Keys, bypasses: Bypasses, reach: float) -> Exchanges:
    """Return the best exchange of each key path and fill ``bypasses``, over borders of at most ``reach``."""
    nodes = len(net.terminal)
    best = Exchanges(
        np.zeros(nodes), np.full(nodes, -1, np.int64), np.full(nodes, -1, np.int64), np.full(nodes, -1, np.int64)
    )
    for edge in range(len(net.cost)):
        tail, head = net.tail[edge], net.head[edge]
        first, second = regions.base[tail], regions.base[head]
        if first == second or first < 0 or second < 0:
            continue
        cost = regions.distance[tail] + net.cost[edge] + regions.distance[head]
        if cost > reach:
            continue
        length, low, high = longest_part(keys, first, second)
        path = keys.bottom[low]
        if length - cost > best.gain[path]:
            best.gain[path] = length - cost
            best.edge[path] = edge
            best.low[path] = low
            best.high[path] = high
        _bypass(keys, bypasses, edge, (first, second), cost)
    return best


@compiled
def bypass_tree(bypasses: Bypasses, node: int, degree: int) -> tuple[float, Ints]:
    """Return cost and border edges (degree - 1,) of the cheapest bypasses that join all branches of ``node``."""
    chosen = np.empty(degree - 1, np.int64)
    joined = np.zeros(degree, np.bool_)
    joined[0] = True
    total = 0.0
    for step in range(degree - 1):
        least, place, new = np.inf, -1, -1
        for first in range(degree):
            for second in range(degree):
                if joined[first] and not joined[second]:
                    at = bypasses.slot[node] + pair_of(first, second)
                    if bypasses.cost[at] < least:
                        least, place, new = bypasses.cost[at], at, second
        if new < 0:
            return np.inf, chosen
        joined[new] = True
        chosen[step] = bypasses.edge[place]
        total += least
    return total, chosen


@compiled
def star_length(keys: Keys, node: int) -> np.float64:
    """Return the length of all key paths at the key node ``node``."""
    total: np.float64 = keys.height[node]
    child = keys.child[node]
    while child >= 0:
        total += keys.height[child]
        child = keys.sibling[child]
    return total


@compiled
def elimination_gains(net: Net, tree: Rooted, keys: Keys, bypasses: Bypasses) -> Floats:
    """Return what the elimination of each node (n,) gains at least, 0 where it gains nothing."""
    gain = np.zeros(len(net.terminal))
    for node in tree.order:
        if bypasses.slot[node] >= 0:
            cost, _ = bypass_tree(bypasses, node, tree.degree[node])
            gain[node] = max(star_length(keys, node) - cost, 0.0)
    return gain


@compiled
def longest_reach(tree: Rooted, keys: Keys, bypasses: Bypasses) -> float:
    """Return the length above which no path can take part in an exchange or elimination."""
    reach = 0.0
    for node in tree.order:
        if keys.bottom[node] == node:
            reach = max(reach, keys.height[node])
        if bypasses.slot[node] >= 0:
            reach = max(reach, star_length(keys, node))
    return reach


@compiled
def insertion_gain(net: Net, regions: Regions, keys: Keys, node: int) -> tuple[float, Ints, Ints]:
    """Return what ``node`` as a new key node on three paths would gain.

    Also returns the edges of the second and third path at the node (2,) and the lower and upper nodes of the two
    pieces that they replace (4,).
    """
    ways = np.full(2, -1, np.int64)
    pieces = np.full(4, -1, np.int64)
    own = regions.base[node]
    least, next_least = np.inf, np.inf
    bases = np.full(2, -1, np.int64)
    for at in range(net.start[node], net.start[node + 1]):
        other, edge = net.neighbour[at], net.edge[at]
        base = regions.base[other]
        length = net.cost[edge] + regions.distance[other]
        if base < 0 or base == own:
            continue
        if length < least:
            if base != bases[0]:
                next_least, bases[1], ways[1] = least, bases[0], ways[0]
            least, bases[0], ways[0] = length, base, edge
        elif length < next_least and base != bases[0]:
            next_least, bases[1], ways[1] = length, base, edge
    if bases[1] < 0:
        return 0.0, ways, pieces
    gain = _two_pieces(keys, (own, bases[0], bases[1]), pieces) - regions.distance[node] - least - next_least
    return gain, ways, pieces


@compiled
def _two_pieces(keys: Keys, ends: tuple[int, int, int], pieces: Ints) -> float:
    """Return the length of the two longest pieces whose loss parts three tree nodes; put them into ``pieces`` (4,)."""
    first = longest_part(keys, ends[0], ends[1])
    second = longest_part(keys, ends[0], ends[2])
    third = longest_part(keys, ends[1], ends[2])
    if first[0] >= second[0] and first[0] >= third[0]:
        longest, rest = first, (third if first[1] == second[1] else second)
    elif second[0] >= third[0]:
        longest, rest = second, (third if second[1] == first[1] else first)
    else:
        longest, rest = third, (second if third[1] == first[1] else first)
    pieces[0], pieces[1], pieces[2], pieces[3] = longest[1], longest[2], rest[1], rest[2]
    return longest[0] + rest[0]
