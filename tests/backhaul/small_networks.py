"""Small random networks, and what can be read from them by looking at everything."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.spatial import Delaunay

from xinji.core.arrays import Floats
from xinji.plan.backhaul.network import Network


def random_network(
    rng: np.random.Generator, most_nodes: int = 7, most_links: int = 11, *, zeros: bool = True
) -> Network:
    """Return a network with loops, parallel links and cut-off nodes, and one to three roots."""
    nodes, links = int(rng.integers(2, most_nodes)), int(rng.integers(1, most_links))
    return Network(
        nodes,
        rng.integers(0, nodes, links),
        rng.integers(0, nodes, links),
        rng.integers(0 if zeros else 1, 9, links).astype(float),
        rng.choice(nodes, int(rng.integers(1, min(nodes, 3) + 1)), replace=False),
    )


def joined(network: Network, *, links: set[int], without: int = -1) -> set[int]:
    """Return the nodes that reach a root over ``links``, with no use of node ``without``."""
    seen = {root for root in network.roots.tolist() if root != without}
    grows = True
    while grows:
        grows = False
        for link in links:
            ends = {int(network.from_node[link]), int(network.to_node[link])}
            if without not in ends and ends & seen and ends - seen:
                seen |= ends
                grows = True
    return seen


def simple_paths(network: Network, node: int) -> Iterator[tuple[int, list[int], list[int]]]:
    """Yield root, links and nodes of every simple path from ``node`` to a root."""
    roots = set(network.roots.tolist())

    def go(at: int, nodes: list[int], links: list[int]) -> Iterator[tuple[int, list[int], list[int]]]:
        if at in roots:
            yield at, links, nodes
        for link in range(len(network.cost)):
            ends = (int(network.from_node[link]), int(network.to_node[link]))
            if at in ends:
                other = ends[0] + ends[1] - at
                if other not in nodes:
                    yield from go(other, [*nodes, other], [*links, link])

    yield from go(node, [node], [])


def triangles(rng: np.random.Generator, nodes: int) -> tuple[Floats, np.ndarray]:
    """Return random places (n, 2) and the edges (m, 2) of a planar mesh over them."""
    place = rng.random((nodes, 2))
    corners = Delaunay(place).simplices
    pairs = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]])
    return place, np.unique(np.sort(pairs, axis=1), axis=0).astype(np.int64)
