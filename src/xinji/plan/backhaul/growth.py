"""Ways that grow with a network: whoever is connected keeps the way of that stage when more is dug."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.backhaul.network import Network, check_rows

_ROOTED = -9999
"""What scipy calls the node before a root."""


def grown_ways(network: Network, stage: Ints, stages: int) -> Bools:
    """Return the edges (m,) on the shortest ways of all nodes to the roots, each as short as its stage allows.

    ``stage`` (m,) says when each edge of ``network`` is there (0 to ``stages``); the costs are lengths. A node
    takes the shortest way there is in the stage in which it is first joined, over the ways of those joined
    before, and keeps it. The edges form a forest. Raises InputError where ``stage`` does not fit.
    """
    check_rows("network", "stage", stage.astype(np.float64), (len(network.cost),))
    n = network.node_count
    joined = np.zeros(n, dtype=bool)
    joined[network.roots] = True
    way = np.zeros(len(stage), dtype=bool)
    for now in range(stages + 1):
        there = np.flatnonzero(stage <= now)
        fresh = _new_ways(network, there, way, joined)
        way[fresh] = True
        joined[network.from_node[fresh]] = joined[network.to_node[fresh]] = True
    return way


def _new_ways(network: Network, there: Ints, way: Bools, joined: Bools) -> Ints:
    """Return the edges over which nodes not yet ``joined`` (n,) are joined when the edges ``there`` can be used."""
    n = network.node_count
    tail = np.concatenate([network.from_node[there], network.to_node[there]])
    head = np.concatenate([network.to_node[there], network.from_node[there]])
    edge = np.concatenate([there, there])
    # Into what is joined lead its own ways alone, so that these stay.
    fine = (~joined[head] | way[edge]) & (tail != head)
    tail, head, edge = tail[fine], head[fine], edge[fine]
    length: Floats = network.cost[edge]
    order = np.lexsort((edge, length, tail * n + head))
    _, first = np.unique((tail * n + head)[order], return_index=True)
    kept = order[first]
    if not len(kept):
        return np.zeros(0, dtype=np.int64)
    # An edge of no length would be no edge to scipy.
    weight = np.maximum(length[kept], np.finfo(np.float64).tiny)
    graph = csr_array((weight, (tail[kept], head[kept])), shape=(n, n))
    _, before, _ = dijkstra(graph, indices=np.unique(network.roots), min_only=True, return_predecessors=True)
    node = np.flatnonzero((before != _ROOTED) & ~joined)
    key = before[node].astype(np.int64) * n + node
    place = np.searchsorted(tail[kept] * n + head[kept], key)
    return np.asarray(edge[kept][place], dtype=np.int64)


__all__ = ["grown_ways"]
