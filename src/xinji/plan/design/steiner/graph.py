"""Graphs as the Steiner kernels read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Floats, Ints, freeze
from xinji.errors import Fault, InputError, raise_if


@dataclass(frozen=True, slots=True, eq=False)
class EdgeGraph:
    """An undirected graph: edges ``from_node``-``to_node`` (m,) of ``cost`` (m,) at least 0 on ``node_count`` nodes.

    Raises InputError with every edge that leaves the graph or whose cost is negative or no number.
    """

    node_count: int
    from_node: Ints
    to_node: Ints
    cost: Floats

    def __post_init__(self) -> None:
        raise_if(self._faults(), InputError)
        freeze(self.from_node, self.to_node, self.cost)

    def _faults(self) -> Iterator[Fault]:
        if not len(self.from_node) == len(self.to_node) == len(self.cost):
            found = f"{len(self.from_node)} starts, {len(self.to_node)} ends and {len(self.cost)} costs"
            yield Fault("edges", f"{found} of edges", "Give one of each for every edge.")
            return
        ends = np.concatenate([self.from_node, self.to_node])
        outside = ((ends < 0) | (ends >= self.node_count)).reshape(2, -1).any(axis=0)
        for edge in np.flatnonzero(outside):
            yield Fault("edges", "an end is no node of the graph", f"Use 0 to {self.node_count - 1}.", row=int(edge))
        for edge in np.flatnonzero(~(np.isfinite(self.cost) & (self.cost >= 0.0))):
            yield Fault("edges", f"the cost is {self.cost[edge]}", "Costs are numbers of at least 0.", row=int(edge))


class Star(NamedTuple):
    """Edges by node: those of node v stand at ``start[v]:start[v + 1]`` of ``neighbour`` and ``edge`` (2 m,)."""

    start: Ints
    neighbour: Ints
    edge: Ints


def star(graph: EdgeGraph) -> Star:
    """Return the edges of ``graph`` by node."""
    edges = np.arange(len(graph.cost))
    tail = np.concatenate([graph.from_node, graph.to_node])
    order = np.argsort(tail, kind="stable")
    head = np.concatenate([graph.to_node, graph.from_node])[order]
    start = np.searchsorted(tail[order], np.arange(graph.node_count + 1))
    return Star(start.astype(np.int64), head.astype(np.int64), np.concatenate([edges, edges])[order].astype(np.int64))
