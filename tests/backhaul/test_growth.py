"""Ways that grow: a forest in which everybody has a way from the stage in which any way is there."""

from __future__ import annotations

import numpy as np
import pytest

from backhaul.small_networks import joined, random_network
from xinji.core.arrays import Ints
from xinji.errors import InputError
from xinji.plan.backhaul.growth import grown_ways
from xinji.plan.backhaul.network import Network

STAGES = 3


@pytest.mark.parametrize("seed", range(40))
def test_everybody_has_one_way_as_soon_as_there_is_any(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_network(rng, 9, 16)
    stage = rng.integers(0, STAGES + 1, len(network.cost))
    way = grown_ways(network, stage, STAGES)
    for now in range(STAGES + 1):
        there = np.flatnonzero(stage <= now)
        reached = joined(network, links=set(there.tolist()))
        assert joined(network, links=set(there[way[there]].tolist())) == reached
    assert way.sum() == len(reached) - len(network.roots)


@pytest.mark.parametrize("seed", range(20))
def test_ways_are_shortest_when_all_is_there_at_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_network(rng, 9, 16, zeros=False)
    way = grown_ways(network, np.ones(len(network.cost), dtype=np.int64), 1)
    assert distances(network, np.flatnonzero(way)) == distances(network, np.arange(len(way)))


def distances(network: Network, links: Ints) -> dict[int, float]:
    """Return the distance of every node from the roots over ``links``, by trying all links over and over."""
    found = dict.fromkeys(network.roots.tolist(), 0.0)
    for _ in range(network.node_count):
        for link in links.tolist():
            ends = int(network.from_node[link]), int(network.to_node[link])
            for a, b in (ends, ends[::-1]):
                if a in found:
                    found[b] = min(found.get(b, np.inf), found[a] + float(network.cost[link]))
    return found


def test_a_shorter_way_that_comes_later_moves_nobody() -> None:
    network = Network(3, np.array([0, 1, 0]), np.array([1, 2, 2]), np.array([5.0, 5.0, 1.0]), np.array([0]))
    assert grown_ways(network, np.array([1, 1, 2]), 2).tolist() == [True, True, False]
    assert grown_ways(network, np.array([1, 2, 2]), 2).tolist() == [True, False, True]


def test_stages_that_do_not_fit_are_refused() -> None:
    network = random_network(np.random.default_rng(1))
    with pytest.raises(InputError):
        grown_ways(network, np.zeros(len(network.cost) + 1, dtype=np.int64), 1)
