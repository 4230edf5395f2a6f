from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backhaul.small_networks import random_network, simple_paths, triangles
from xinji.errors import InputError
from xinji.plan.backhaul.critical import critical_points
from xinji.plan.backhaul.disjoint import APART, LINKS, NODES, disjoint_pairs
from xinji.plan.backhaul.network import Network


def cheapest_pair(network: Network, node: int, apart: str, *, two_roots: bool) -> float:
    """Return the cost of the cheapest pair of all."""
    best = np.inf
    for one, two in combinations_with_replacement(list(simple_paths(network, node)), 2):
        if (one is two and one[1]) or set(one[1]) & set(two[1]) or (two_roots and one[0] == two[0]):
            continue
        shared = set(one[2]) & set(two[2]) - {node}
        if apart == NODES and shared - ({one[0]} if one[0] == two[0] and not two_roots else set()):
            continue
        best = min(best, float(network.cost[one[1]].sum() + network.cost[two[1]].sum()))
    return best


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(APART), st.booleans())
def test_no_pair_is_cheaper(seed: int, apart: str, two_roots: bool) -> None:  # noqa: FBT001 - drawn
    network = random_network(np.random.default_rng(seed))
    nodes = np.arange(network.node_count)
    found = disjoint_pairs(network, nodes, apart=apart, two_roots=two_roots)
    for node in nodes.tolist():
        assert found.value[node] == cheapest_pair(network, node, apart, two_roots=two_roots)
        assert (found.found[node] == 2) == np.isfinite(found.value[node])
        sides = ((found.first, found.first_start), (found.second, found.second_start))
        ways = [links[start[node] : start[node + 1]].tolist() for links, start in sides]
        assert not set(ways[0]) & set(ways[1])
        for way in ways[: found.found[node]]:
            assert end_of(network, node, way) in network.roots


def end_of(network: Network, node: int, links: list[int]) -> int:
    """Return where ``links`` lead from ``node``; fails where they do not hang together."""
    for link in links:
        ends = (int(network.from_node[link]), int(network.to_node[link]))
        assert node in ends
        node = ends[0] + ends[1] - node
    return node


def test_pairs_agree_with_critical_links() -> None:
    rng = np.random.default_rng(5)
    place, edges = triangles(rng, 400)
    kept = edges[rng.random(len(edges)) < 0.5]
    cost = np.hypot(*(place[kept[:, 0]] - place[kept[:, 1]]).T)
    network = Network(400, kept[:, 0].copy(), kept[:, 1].copy(), cost, np.array([0, 1]))
    found = disjoint_pairs(network, np.arange(400), apart=LINKS)
    alone = np.zeros((400, 400))
    np.fill_diagonal(alone, 1.0)
    critical = critical_points(network, alone)
    hanging = critical.link_loss.any(axis=0)
    assert (found.found[critical.joined & ~hanging] == 2).all()
    assert (found.found[hanging] == 1).all()
    assert (found.found[~critical.joined] == 0).all()
    assert (found.bound == found.value).all()


def test_unknown_nodes_are_refused() -> None:
    network = Network(2, np.array([0]), np.array([1]), np.ones(1), np.array([0]))
    with pytest.raises(InputError, match="not in the network"):
        disjoint_pairs(network, np.array([7]))
