"""Prize-collecting trees as the reductions, bounds and searches of this package see them.

A prize and a node's own cost are one number, its gain: a tree pays its edges, the negative gains of
its nodes and the positive gains of the nodes it leaves out. Whatever a reduction merges is remembered
as an origin, so that a tree of the reduced case names the nodes of the first one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.plan.design.steiner.graph import EdgeGraph
from xinji.plan.jit import compiled

NOTHING = -1
"""The origin of an edge that stands for no node in between."""
_DECIMAL_PLACES = 4
_EXACT = 1e13


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """Edges ``tail``-``head`` (m,) of ``cost``; nodes (n,) with ``gain``, some ``required``.

    A tree's value is ``constant`` + its edges + the negative gains inside + the positive gains outside.
    ``inside`` (n,) and ``path`` (m,) are origins: below ``leaves`` a node of the first graph, above it the
    row ``joined`` (j, 2) of two origins.
    """

    tail: Ints
    head: Ints
    cost: Floats
    gain: Floats
    required: Bools
    constant: float
    inside: Ints
    path: Ints
    joined: Ints
    leaves: int

    def __post_init__(self) -> None:
        freeze(self.tail, self.head, self.cost, self.gain, self.required, self.inside, self.path, self.joined)

    @property
    def node_count(self) -> int:
        """Nodes left."""
        return len(self.gain)

    @property
    def prized(self) -> Ints:
        """The nodes that a tree may end in: required or with a positive gain."""
        return np.flatnonzero(self.required | (self.gain > 0.0))


def make_case(graph: EdgeGraph, prize: Floats, node_cost: Floats, required: Bools) -> Case:
    """Return the case of ``graph`` with ``prize`` and ``node_cost`` (v,) at least 0; parallel edges and loops go."""
    paid = np.where(required, node_cost, np.minimum(prize, node_cost))
    case = Case(
        tail=np.asarray(graph.from_node, dtype=np.int64).copy(),
        head=np.asarray(graph.to_node, dtype=np.int64).copy(),
        cost=np.asarray(graph.cost, dtype=np.float64).copy(),
        gain=np.where(required, 0.0, prize - node_cost),
        required=required.copy(),
        constant=float(paid.sum()),
        inside=np.arange(graph.node_count, dtype=np.int64),
        path=np.full(len(graph.cost), NOTHING, dtype=np.int64),
        joined=np.zeros((0, 2), dtype=np.int64),
        leaves=graph.node_count,
    )
    return subcase(case, np.ones(graph.node_count, dtype=np.bool_), np.ones(len(graph.cost), dtype=np.bool_))


def subcase(case: Case, nodes: Bools, edges: Bools) -> Case:
    """Return ``case`` with ``nodes`` (n,) and ``edges`` (m,) alone; of parallel edges the cheapest stays.

    Positive gains of nodes that go are left out for good and join the constant.
    """
    keep = edges & nodes[case.tail] & nodes[case.head] & (case.tail != case.head)
    place = np.cumsum(nodes) - 1
    low = np.minimum(case.tail[keep], case.head[keep])
    high = np.maximum(case.tail[keep], case.head[keep])
    order = np.lexsort((case.cost[keep], high, low))
    low, high = low[order], high[order]
    first = np.ones(len(low), dtype=np.bool_)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    chosen = np.flatnonzero(keep)[order][first]
    return replace(
        case,
        tail=place[low[first]],
        head=place[high[first]],
        cost=case.cost[chosen],
        gain=case.gain[nodes],
        required=case.required[nodes],
        constant=case.constant + float(np.maximum(case.gain[~nodes], 0.0).sum()),
        inside=case.inside[nodes],
        path=case.path[chosen],
    )


def renumbered(case: Case) -> Case:
    """Return ``case`` as a first one: its origins are its own nodes."""
    return replace(
        case,
        inside=np.arange(case.node_count, dtype=np.int64),
        path=np.full(len(case.cost), NOTHING, dtype=np.int64),
        joined=np.zeros((0, 2), dtype=np.int64),
        leaves=case.node_count,
    )


def with_required(case: Case, nodes: Ints) -> Case:
    """Return ``case`` with ``nodes`` required: their negative gains are paid, their positive ones certain."""
    required, gain = case.required.copy(), case.gain.copy()
    required[nodes] = True
    gain[nodes] = 0.0
    paid = float(np.maximum(-case.gain[nodes], 0.0).sum())
    return replace(case, required=required, gain=gain, constant=case.constant + paid)


def origins(case: Case, nodes: Ints, edges: Ints) -> Ints:
    """Return the nodes of the first graph that ``nodes`` and ``edges`` of ``case`` stand for, sorted."""
    roots = np.concatenate([case.inside[nodes], case.path[edges]])
    return np.flatnonzero(_expand(roots, case.joined, case.leaves))


@compiled
def _expand(roots: Ints, joined: Ints, leaves: int) -> Bools:
    found = np.zeros(leaves, dtype=np.bool_)
    seen = np.zeros(len(joined), dtype=np.bool_)
    stack = np.empty(len(roots) + 2 * len(joined) + 1, dtype=np.int64)
    size = len(roots)
    stack[:size] = roots
    while size:
        size -= 1
        origin = stack[size]
        if origin < 0:
            continue
        if origin < leaves:
            found[origin] = True
        elif not seen[origin - leaves]:
            seen[origin - leaves] = True
            stack[size] = joined[origin - leaves, 0]
            stack[size + 1] = joined[origin - leaves, 1]
            size += 2
    return found


def common_unit(*amounts: Floats) -> float:
    """Return the greatest number that divides all ``amounts``, or 0 if they have no common decimal places."""
    every = np.concatenate([np.ravel(amount) for amount in amounts])
    largest = float(every.max(initial=0.0))
    for places in range(_DECIMAL_PLACES + 1):
        scaled = every * 10.0**places
        whole = np.rint(scaled)
        # Beyond this, sums of the amounts are no longer exact enough to round.
        if largest * 10.0**places * len(every) > _EXACT:
            return 0.0
        if (np.abs(scaled - whole) <= 1e-9 * np.maximum(scaled, 1.0)).all():
            return float(np.gcd.reduce(whole.astype(np.int64))) / 10.0**places
    return 0.0


def arcs_into(case: Case) -> tuple[Ints, Ints, Ints]:
    """Return the arcs by the node they enter: start (n + 1,), tail (2 m,), edge (2 m,), cheapest first."""
    edges = np.arange(len(case.cost))
    into = np.concatenate([case.tail, case.head])
    out_of = np.concatenate([case.head, case.tail])
    edge = np.concatenate([edges, edges])
    order = np.lexsort((case.cost[edge], into))
    start = np.searchsorted(into[order], np.arange(case.node_count + 1)).astype(np.int64)
    return start, out_of[order], edge[order]
