"""Two disjoint paths from a node to the core, at least cost.

Two augmentations of a flow of two units (Suurballe, Networks 4, 1974; Bhandari, Survivable Networks, 1999),
with the distances to the core as potentials, which all nodes share, so that the first path is known and the
second takes one search with early end.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.backhaul.network import Network, check_nodes
from xinji.plan.jit import compiled

LINKS, NODES = "links", "nodes"
APART = (LINKS, NODES)
"""What two paths may not share: links, or nodes too (but the node itself, and a root where one is enough)."""


class Arcs(NamedTuple):
    """Arcs of capacity 1 from ``start[v]:start[v + 1]``: ``head``, ``cost``, ``back`` (its opposite), ``link`` (-1).

    Arcs without capacity have ``open`` False: they are opposites.
    """

    start: Ints
    head: Ints
    cost: Floats
    back: Ints
    link: Ints
    open: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Two paths for each asked node (t).

    ``found`` (t,) counts the disjoint paths there are, 0 to 2. ``value`` (t,) is their cost together
    (infinite where there are not two) and ``bound`` what no such pair can cost less than (the same: the
    flow is optimal). Links of path one of node i stand at ``first[first_start[i]:first_start[i + 1]]``, from the
    node on, those of path two likewise; where there is one path only, it is the cheapest.
    """

    found: Ints
    value: Floats
    bound: Floats
    first_start: Ints
    first: Ints
    second_start: Ints
    second: Ints


def disjoint_pairs(network: Network, nodes: Ints, *, apart: str = LINKS, two_roots: bool = False) -> Pairs:
    """Return the cheapest pair of disjoint paths from each of ``nodes`` (t,) to the roots of ``network``.

    ``apart`` is one of ``APART``. With ``two_roots`` the paths end at different roots. A root has paths
    of no length to itself, and needs them to another if ``two_roots``.

    Raises InputError for nodes outside the network.
    """
    check_nodes("nodes", nodes, network)
    arcs = split_arcs(network, nodes_apart=apart == NODES, two_roots=two_roots)
    sink = len(arcs.start) - 2
    potential = to_sink(arcs, sink)
    is_root = np.isin(np.arange(network.node_count), network.roots)
    found = np.zeros(len(nodes), dtype=np.int64)
    value = np.full(len(nodes), np.inf)
    paths: tuple[list[Ints], list[Ints]] = ([], [])
    for place, node in enumerate(nodes.tolist()):
        # A node stands in nobody's way to itself; a root begins where its own way to the sink does.
        begin = 2 * node + (0 if is_root[node] and not two_roots else 1) if apart == NODES else node
        found[place], one, two = pair(arcs, potential, begin, sink)
        if found[place] == 2:
            value[place] = float(network.cost[one].sum() + network.cost[two].sum())
        paths[0].append(one)
        paths[1].append(two)
    flat = [(_starts(side), np.concatenate([np.zeros(0, dtype=np.int64), *side])) for side in paths]
    return Pairs(found, value, value.copy(), *flat[0], *flat[1])


def _starts(paths: list[Ints]) -> Ints:
    return np.cumsum([0, *(len(path) for path in paths)]).astype(np.int64)


def split_arcs(network: Network, *, nodes_apart: bool, two_roots: bool) -> Arcs:
    """Return the arcs of ``network``; the last node is the sink behind all roots.

    Where nodes are to stay apart, node v is the pair 2 v (in) and 2 v + 1 (out). A sink's arcs are doubled
    unless two roots are asked for.
    """
    n, m = network.node_count, len(network.cost)
    roots = np.unique(network.roots)
    edges, none = np.arange(m), np.full(n, -1)
    tails, heads = [network.from_node, network.to_node], [network.to_node, network.from_node]
    links, costs = [edges, edges], [network.cost, network.cost]
    sink = n
    entry = roots
    if nodes_apart:
        tails, heads = [2 * tail + 1 for tail in tails], [2 * head for head in heads]
        tails, heads = [*tails, 2 * np.arange(n)], [*heads, 2 * np.arange(n) + 1]
        links, costs = [*links, none], [*costs, np.zeros(n)]
        # Where two roots are wanted, a path may not run on through the root where the other ends.
        sink, entry = 2 * n, 2 * roots + int(two_roots)
    ends = np.tile(entry, 1 if two_roots else 2)
    tails, heads = [*tails, ends], [*heads, np.full(len(ends), sink)]
    links, costs = [*links, np.full(len(ends), -1)], [*costs, np.zeros(len(ends))]
    return _sorted_arcs(
        sink + 1, np.concatenate(tails), np.concatenate(heads), np.concatenate(costs), np.concatenate(links)
    )


def _sorted_arcs(nodes: int, tail: Ints, head: Ints, cost: Floats, link: Ints) -> Arcs:
    """Return the arcs and their opposites by tail."""
    count = len(tail)
    tails, heads = np.concatenate([tail, head]), np.concatenate([head, tail])
    order = np.argsort(tails, kind="stable")
    rank = np.empty(2 * count, dtype=np.int64)
    rank[order] = np.arange(2 * count)
    back = rank[np.concatenate([np.arange(count, 2 * count), np.arange(count)])]
    costs, links = np.concatenate([cost, -cost]), np.concatenate([link, link])
    return Arcs(
        start=np.searchsorted(tails[order], np.arange(nodes + 1)).astype(np.int64),
        head=heads[order].astype(np.int64),
        cost=costs[order],
        back=back[order].astype(np.int64),
        link=links[order].astype(np.int64),
        open=order < count,
    )


@compiled
def to_sink(arcs: Arcs, sink: int) -> Floats:
    """Return the cost (v,) of the cheapest way from each node to ``sink``."""
    nodes = len(arcs.start) - 1
    distance = np.full(nodes, np.inf)
    distance[sink] = 0.0
    heap = [(0.0, sink)]
    while len(heap) > 0:
        away, node = heapq.heappop(heap)
        if away > distance[node]:
            continue
        for arc in range(arcs.start[node], arcs.start[node + 1]):
            onward = arcs.back[arc]
            if arcs.open[onward]:
                other = arcs.head[arc]
                reached = distance[node] + arcs.cost[onward]
                if reached < distance[other]:
                    distance[other] = reached
                    heapq.heappush(heap, (distance[other], other))
    return distance


@compiled
def _search(arcs: Arcs, potential: Floats, used: Bools, begin: int, sink: int) -> Ints:
    """Return the arcs of the cheapest way from ``begin`` to ``sink`` beside what is ``used``; none where there is none.

    ``potential`` makes every cost at least 0: those of used arcs' opposites too.
    """
    nodes = len(arcs.start) - 1
    distance = np.full(nodes, np.inf)
    via = np.full(nodes, -1, np.int64)
    done = np.zeros(nodes, np.bool_)
    distance[begin] = 0.0
    heap = [(0.0, begin)]
    while len(heap) > 0:
        away, node = heapq.heappop(heap)
        if away > distance[node]:
            continue
        done[node] = True
        if node == sink:
            break
        for arc in range(arcs.start[node], arcs.start[node + 1]):
            free = (arcs.open[arc] and not used[arc]) or used[arcs.back[arc]]
            other = arcs.head[arc]
            if not free or done[other] or potential[other] == np.inf:
                continue
            step = max(arcs.cost[arc] + potential[other] - potential[node], 0.0)
            if distance[node] + step < distance[other]:
                distance[other] = distance[node] + step
                via[other] = arc
                heapq.heappush(heap, (distance[other], other))
    if via[sink] < 0:
        return np.empty(0, np.int64)
    path = [via[sink]]
    node = arcs.head[arcs.back[path[0]]]
    while node != begin:
        path.append(via[node])
        node = arcs.head[arcs.back[via[node]]]
    return np.array(path[::-1])


@compiled
def pair(arcs: Arcs, potential: Floats, begin: int, sink: int) -> tuple[int, Ints, Ints]:
    """Return how many disjoint ways lead from ``begin`` to ``sink``, and the links of each."""
    none = np.empty(0, np.int64)
    if potential[begin] == np.inf:
        return 0, none, none
    used = np.zeros(len(arcs.head), np.bool_)
    found = 0
    for _ in range(2):
        path = _search(arcs, potential, used, begin, sink)
        if len(path) == 0:
            break
        found += 1
        for arc in path:
            if used[arcs.back[arc]]:
                used[arcs.back[arc]] = False
            else:
                used[arc] = True
    _cancel(arcs, used)
    one = _walk(arcs, used, begin, sink)
    two = _walk(arcs, used, begin, sink) if found == 2 else none
    return found, one, two


@compiled
def _cancel(arcs: Arcs, used: Bools) -> None:
    """Take away flows that run to and fro over one link."""
    for arc in range(len(used)):
        if not used[arc] or arcs.link[arc] < 0:
            continue
        node = arcs.head[arc]
        for other in range(arcs.start[node], arcs.start[node + 1]):
            if used[other] and other != arcs.back[arc] and arcs.link[other] == arcs.link[arc]:
                used[arc] = used[other] = False
                break


@compiled
def _walk(arcs: Arcs, used: Bools, begin: int, sink: int) -> Ints:
    """Take one way from ``begin`` to ``sink`` out of what is ``used``; return its links."""
    links = [-1]
    node = begin
    while node != sink:
        for arc in range(arcs.start[node], arcs.start[node + 1]):
            if used[arc]:
                used[arc] = False
                if arcs.link[arc] >= 0:
                    links.append(arcs.link[arc])
                node = arcs.head[arc]
                break
    return np.array(links[1:], dtype=np.int64)


__all__ = ["APART", "LINKS", "NODES", "Arcs", "Pairs", "disjoint_pairs", "pair", "split_arcs", "to_sink"]
