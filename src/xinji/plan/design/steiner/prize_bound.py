"""What a dual solution says about a prize-collecting case: a bound, and what no better tree holds.

Reduced-cost tests after Duin, Preprocessing the Steiner problem in graphs, 2000, with prizes by
Rehfeldt, Koch and Maher, Networks 73, 2019, section 4.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.plan.design.steiner.prize_ascent import Arcs, Ascent, ascend
from xinji.plan.design.steiner.prize_case import Case, subcase, with_required
from xinji.plan.jit import compiled

_ENTRY_SHARES = (1.0, 0.5, 0.25, 0.125, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Arborescence:
    """A case with directions: arcs by the node they enter, the ``edge`` of each (-1 from outside), its ``twin``.

    ``root`` is a required node, or the node after the last, whose arcs into the prized nodes cost ``entry``:
    a tree takes exactly one of them, so every bound is less ``entry``.
    """

    arcs: Arcs
    edge: Ints
    twin: Ints
    root: int
    entry: float

    def __post_init__(self) -> None:
        freeze(*self.arcs, self.edge, self.twin)


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """``value``: no tree of the case costs less. ``reach`` (n,) is the slack from the root, ``home`` to a leaf."""

    value: float
    ascent: Ascent
    reach: Floats
    home: Floats


def direct(case: Case, root: int, entry: float = 0.0) -> Arborescence:
    """Return ``case`` as arcs from ``root``; with ``root`` = node count from outside, at ``entry`` for each way in."""
    nodes, edges = case.node_count, np.arange(len(case.cost))
    doors = case.prized if root == nodes else np.zeros(0, dtype=np.int64)
    into = np.concatenate([case.head, case.tail, doors])
    out_of = np.concatenate([case.tail, case.head, np.full(len(doors), root)])
    edge = np.concatenate([edges, edges, np.full(len(doors), -1)])
    toll = np.concatenate([case.cost, case.cost, np.full(len(doors), entry)])
    toll[: 2 * len(edges)] += np.maximum(-case.gain, 0.0)[into[: 2 * len(edges)]]
    order = np.argsort(into, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    twin = np.full(len(order), -1, dtype=np.int64)
    twin[place[edges]] = place[len(edges) + edges]
    twin[place[len(edges) + edges]] = place[edges]
    start = np.searchsorted(into[order], np.arange(nodes + 1 + (root == nodes))).astype(np.int64)
    return Arborescence(Arcs(start, out_of[order], toll[order]), edge[order], twin, root, entry)


def bound_of(case: Case, tree: Arborescence) -> Bound:
    """Return the bound that dual ascent proves for ``case`` directed as ``tree``."""
    terminals = case.prized
    limit = np.where(case.required, np.inf, case.gain)[terminals]
    others = terminals != tree.root
    ascent = ascend(tree.arcs, tree.root, terminals[others], limit[others])
    # The root is in the tree whatever it is worth; its own gain is no part of any moat.
    leaves = _leaves(case, tree.root)
    reach, home = _distances(tree.arcs, tree.twin, ascent.slack, tree.root, leaves)
    return Bound(case.constant + ascent.bound - tree.entry, ascent, reach[: case.node_count], home[: case.node_count])


def best_ascent(case: Case, root: int = -1) -> tuple[Arborescence, Bound]:
    """Return the bound of ``case`` from ``root``, by default its first required node.

    Without any, from outside: at several shares of the greatest gain for the way in, the best bound.
    """
    required = np.flatnonzero(case.required)
    if len(required):
        tree = direct(case, root if root >= 0 else int(required[0]))
        return tree, bound_of(case, tree)
    most = max(float(case.gain.max(initial=0.0)), 0.0)
    options = [direct(case, case.node_count, most * share) for share in _ENTRY_SHARES]
    return max(((option, bound_of(case, option)) for option in options), key=lambda pair: pair[1].value)


def _leaves(case: Case, root: int) -> Ints:
    """Return the nodes that a best tree may end in."""
    least = np.full(case.node_count, np.inf)
    np.minimum.at(least, case.tail, case.cost)
    np.minimum.at(least, case.head, case.cost)
    ends = case.required | (case.gain > least)
    if root < case.node_count:
        ends[root] = False
    return np.flatnonzero(ends)


def fixed(case: Case, tree: Arborescence, bound: Bound, cutoff: float) -> Case:
    """Return ``case`` without what no tree of value ``cutoff`` or less holds, and with all that each of them holds."""
    spare = cutoff - bound.value
    through = bound.reach + bound.home
    nodes = (through <= spare) | case.required
    arcs, into = tree.arcs, np.repeat(np.arange(len(tree.arcs.start) - 1), np.diff(tree.arcs.start))
    inner = tree.edge >= 0
    way = bound.reach[arcs.tail[inner]] + bound.ascent.slack[inner] + bound.home[into[inner]]
    edges = np.zeros(len(case.cost), dtype=np.bool_)
    edges[tree.edge[inner][(way <= spare) & (into[inner] != tree.root)]] = True
    ascent = bound.ascent
    certain = case.gain[ascent.terminals] - ascent.height > spare
    certain &= ~case.required[ascent.terminals] & nodes[ascent.terminals]
    # A tree of two nodes or fewer ends in the root alone: no edge needs to lead to a leaf then.
    return subcase(with_required(case, ascent.terminals[certain]), nodes, edges)


@compiled
def _distances(arcs: Arcs, twin: Ints, slack: Floats, root: int, leaves: Ints) -> tuple[Floats, Floats]:
    start, tail = arcs.start, arcs.tail
    count = len(start) - 1
    reach, home = np.full(count, np.inf), np.full(count, np.inf)
    into = np.empty(len(tail), dtype=np.int64)
    for node in range(count):
        into[start[node] : start[node + 1]] = node
    reach[root] = 0.0
    heap = [(0.0, root)]
    for arc in range(len(tail)):
        if tail[arc] == root:
            reach[into[arc]] = min(reach[into[arc]], slack[arc])
            heapq.heappush(heap, (slack[arc], into[arc]))
    while len(heap) > 0:
        away, node = heapq.heappop(heap)
        if away > reach[node]:
            continue
        for arc in range(start[node], start[node + 1]):
            if twin[arc] >= 0 and away + slack[twin[arc]] < reach[tail[arc]]:
                reach[tail[arc]] = away + slack[twin[arc]]
                heapq.heappush(heap, (reach[tail[arc]], tail[arc]))
    for leaf in leaves:
        home[leaf] = 0.0
        heapq.heappush(heap, (0.0, leaf))
    while len(heap) > 0:
        away, node = heapq.heappop(heap)
        if away > home[node]:
            continue
        for arc in range(start[node], start[node + 1]):
            if away + slack[arc] < home[tail[arc]]:
                home[tail[arc]] = away + slack[arc]
                heapq.heappush(heap, (home[tail[arc]], tail[arc]))
    return reach, home


def reached(bound: Bound) -> Bools:
    """Return the nodes (n,) that the root reaches without slack: where a good tree is looked for."""
    return np.asarray(bound.reach <= 1e-9 * max(abs(bound.value), 1.0))
