"""A backhaul network: links between nodes, and the nodes where it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Floats, Ints, freeze, row_faults, shape_faults
from xinji.errors import Fault, raise_if


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Undirected links (m) of ``cost`` (m,) at least 0 between ``node_count`` nodes.

    ``roots`` (k,) are points of presence: the operator's core joins them, and nothing cuts that off. What
    ``cost`` means (currency, metres) is the caller's choice.
    """

    node_count: int
    from_node: Ints
    to_node: Ints
    cost: Floats
    roots: Ints

    def __post_init__(self) -> None:
        raise_if(self._faults())
        freeze(self.from_node, self.to_node, self.cost, self.roots)

    def _faults(self) -> Iterator[Fault]:
        m = (len(self.from_node),)
        wrong = list(shape_faults("links", [(name, getattr(self, name), m) for name in ("to_node", "cost")]))
        yield from wrong
        if wrong:
            return
        for layer, nodes in (("links", self.from_node), ("links", self.to_node), ("roots", self.roots)):
            bad = (nodes < 0) | (nodes >= self.node_count)
            yield from row_faults(layer, bad, "the node is not in the network", f"Give 0 to {self.node_count - 1}.")
        bad = ~(np.isfinite(self.cost) & (self.cost >= 0))
        yield from row_faults("links", bad, "the cost is negative or missing", "Give a number of at least 0.")
        if not len(self.roots):
            yield Fault("roots", "there is none", "Name at least one point of presence.")


class Rooted(NamedTuple):
    """A network with one more node, its core (number n), which an edge from m on joins to each root.

    Neighbours of node v stand at ``start[v]:start[v + 1]`` of ``neighbour`` and ``edge``.
    """

    start: Ints
    neighbour: Ints
    edge: Ints


def rooted(network: Network) -> Rooted:
    """Return ``network`` with its core."""
    roots = np.unique(network.roots)
    tail = np.concatenate([network.from_node, roots]).astype(np.int64)
    head = np.concatenate([network.to_node, np.full(len(roots), network.node_count)]).astype(np.int64)
    ends, others = np.concatenate([tail, head]), np.concatenate([head, tail])
    edges = np.tile(np.arange(len(tail)), 2)
    order = np.argsort(ends, kind="stable")
    start = np.searchsorted(ends[order], np.arange(network.node_count + 2))
    return Rooted(start.astype(np.int64), others[order], edges[order].astype(np.int64))


def check_rows(layer: str, name: str, values: Floats, shape: tuple[int, ...]) -> None:
    """Raise InputError unless ``values`` have ``shape`` and are numbers of at least 0."""
    raise_if(shape_faults(layer, [(name, values, shape)]))
    bad = ~(np.isfinite(values) & (values >= 0))
    rows = np.asarray(bad.reshape(len(bad), -1).any(axis=1))
    raise_if(row_faults(layer, rows, f"{name} is negative or missing", "Give a number of at least 0."))


def check_nodes(layer: str, nodes: Ints, network: Network) -> None:
    """Raise InputError unless ``nodes`` (t,) are nodes of ``network``."""
    bad = (nodes < 0) | (nodes >= network.node_count)
    raise_if(row_faults(layer, bad, "the node is not in the network", f"Give 0 to {network.node_count - 1}."))


__all__ = ["Network", "Rooted", "check_nodes", "check_rows", "rooted"]
