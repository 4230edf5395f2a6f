"""Reductions of prize-collecting cases by special distances.

An edge goes if a walk between its ends costs, on every stretch and less the gains met on it, no more.
Rehfeldt, Koch and Maher, Networks 73, 2019, section 3.3; for Steiner trees Duin and Volgenant, 1989.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.steiner.prize_case import Case, arcs_into, subcase
from xinji.plan.jit import compiled

_LIGHT_EDGES_PER_NODE = 3
_BUCKETS = 64
_SETTLED_AT_MOST = 400
_SETTLED_LIGHT = 200


class _Walks(NamedTuple):
    """The case by node, which edges are ``kept`` and which may be ``walked``, and the labels of one search.

    ``back`` (n,) is the cost since the last node worth stopping at, ``peak`` its maximum on the way,
    ``parent`` the edge it came by, ``met`` the search that wrote the label, ``done`` the one that settled it.
    Nodes wait by label in buckets: ``newest`` entry of each, ``older`` entry and ``node`` of each entry.
    """

    start: Ints
    neighbour: Ints
    edge: Ints
    cost: Floats
    worth: Floats
    kept: Bools
    walked: Bools
    back: Floats
    peak: Floats
    parent: Ints
    met: Ints
    done: Ints
    newest: Ints
    older: Ints
    node: Ints


def reduce_distances(case: Case) -> Case:
    """Return ``case`` without the edges that a walk of cheaper stretches replaces."""
    light = _LIGHT_EDGES_PER_NODE * case.node_count
    nodes = np.ones(case.node_count, dtype=np.bool_)
    if len(case.cost) > 2 * light:
        # In dense graphs few light edges replace most of the others.
        walked = np.zeros(len(case.cost), dtype=np.bool_)
        walked[np.argsort(case.cost, kind="stable")[:light]] = True
        case = subcase(case, nodes, _sweep(_walks(case, walked), _SETTLED_LIGHT))
    walked = np.ones(len(case.cost), dtype=np.bool_)
    return subcase(case, nodes, _sweep(_walks(case, walked), _SETTLED_AT_MOST))


def _walks(case: Case, walked: Bools) -> _Walks:
    start, neighbour, edge = arcs_into(case)
    count = case.node_count
    return _Walks(
        start=start,
        neighbour=neighbour,
        edge=edge,
        cost=case.cost,
        worth=np.where(case.required, np.inf, case.gain),
        kept=np.ones(len(case.cost), dtype=np.bool_),
        walked=walked,
        back=np.zeros(count),
        peak=np.zeros(count),
        parent=np.zeros(count, dtype=np.int64),
        met=np.full(count, -1, dtype=np.int64),
        done=np.full(count, -1, dtype=np.int64),
        newest=np.full(_BUCKETS + 1, -1, dtype=np.int64),
        older=np.empty(len(edge) + 1, dtype=np.int64),
        node=np.empty(len(edge) + 1, dtype=np.int64),
    )


@compiled
def _sweep(walks: _Walks, settled: int) -> Bools:
    kept, walked, edges = walks.kept, walks.walked, walks.edge
    for node in range(len(walks.worth)):
        limit = -1.0
        for place in range(walks.start[node], walks.start[node + 1]):
            if kept[edges[place]]:
                limit = walks.cost[edges[place]]
        if limit < 0.0:
            continue
        _search(walks, node, limit, settled)
        for place in range(walks.start[node], walks.start[node + 1]):
            edge, other = edges[place], walks.neighbour[place]
            reached = walks.met[other] == node and walks.parent[other] != edge
            if reached and walks.peak[other] <= walks.cost[edge]:
                kept[edge] = False
                walked[edge] = False
    return kept


@compiled
def _search(walks: _Walks, root: int, limit: float, settled: int) -> None:
    """Label the nodes that walks from ``root`` reach with no stretch above ``limit``."""
    # Every array by its own name: handing the tuple to helpers in the inner loop costs more than the loop.
    start, neighbour, edges, cost, walked = walks.start, walks.neighbour, walks.edge, walks.cost, walks.walked
    back, peak, parent, met, done = walks.back, walks.peak, walks.parent, walks.met, walks.done
    worth, newest, older, waiting = walks.worth, walks.newest, walks.older, walks.node
    met[root], back[root], peak[root], parent[root] = root, 0.0, 0.0, -1
    newest[:] = -1
    newest[0], older[0], waiting[0] = 0, -1, root
    entries = 1
    per_bucket = _BUCKETS / limit if limit > 0.0 else 0.0
    for bucket in range(_BUCKETS + 1):
        while newest[bucket] >= 0 and settled > 0:
            node = waiting[newest[bucket]]
            newest[bucket] = older[newest[bucket]]
            if done[node] == root:
                continue
            done[node] = root
            settled -= 1
            away = max(0.0, back[node] - worth[node]) if node != root else 0.0
            for place in range(start[node], start[node + 1]):
                edge, other = edges[place], neighbour[place]
                reach = away + cost[edge]
                if reach > limit:
                    break
                # Of two walks as cheap the one that is not the edge from the root may replace it.
                tie = back[other] if node != root and peak[node] <= reach else np.nextafter(back[other], -np.inf)
                if done[other] == root or not walked[edge] or (met[other] == root and reach > tie):
                    continue
                met[other], back[other], parent[other] = root, reach, edge
                peak[other] = max(reach, peak[node])
                # Labels may fall below the bucket at hand, where a node was worth stopping at.
                slot = max(bucket, int(reach * per_bucket))
                older[entries], waiting[entries] = newest[slot], other
                newest[slot] = entries
                entries += 1
