from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backhaul.small_networks import random_network
from xinji.core.arrays import Floats
from xinji.errors import InputError
from xinji.plan.backhaul.loads import link_loads, needed
from xinji.plan.backhaul.network import Network

LADDER = np.array([1.0, 10.0, 40.0])


def by_hand(network: Network, demand: Floats, without: int) -> tuple[Floats, float]:
    """Return the loads when each node's demand takes its cheapest way (Bellman-Ford), ``without`` one link."""
    core, far = network.node_count, float("inf")
    distance, via = [far] * core + [0.0], [-1] * (core + 1)
    for root in network.roots.tolist():
        distance[root] = 0.0
    for _ in range(core):
        for link, cost in enumerate(network.cost.tolist()):
            for tail, head in ((network.from_node, network.to_node), (network.to_node, network.from_node)):
                reached = distance[int(tail[link])] + cost
                if link != without and reached < distance[int(head[link])]:
                    distance[int(head[link])], via[int(head[link])] = reached, link
    load, lost = np.zeros(len(network.cost)), 0.0
    for node in range(core):
        at = node
        if distance[node] == far:
            lost += demand[node]
            continue
        while via[at] >= 0:
            load[via[at]] += demand[node]
            at = int(network.from_node[via[at]] + network.to_node[via[at]]) - at
    return load, lost


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_loads_are_those_of_every_cut(seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = random_network(rng)
    # Costs that make every cheapest way the only one.
    cost = rng.uniform(1.0, 2.0, len(drawn.cost))
    network = Network(drawn.node_count, drawn.from_node, drawn.to_node, cost, drawn.roots)
    demand = rng.uniform(0.0, 5.0, network.node_count)
    found = link_loads(network, demand, np.full(len(cost), 6.0), LADDER, fill=0.5, protected=True)
    load, lost = by_hand(network, demand, -1)
    assert found.load_mbps == pytest.approx(load)
    assert found.unserved_mbps == pytest.approx(lost)
    worst = np.max([load, *(by_hand(network, demand, link)[0] for link in range(len(cost)))], axis=0)
    assert found.worst_mbps == pytest.approx(worst)
    assert found.over.tolist() == (worst > 3.0).tolist()
    assert (found.needed_mbps * 0.5 >= worst * (1 - 1e-9)).all()


def test_a_ring_carries_all_the_other_way_round() -> None:
    ends = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])
    network = Network(4, ends[:, 0], ends[:, 1], np.array([1.0, 1.0, 1.0, 1.1]), np.array([0]))
    demand = np.array([0.0, 1.0, 2.0, 4.0])
    tree = link_loads(network, demand, np.full(4, 5.0), LADDER, fill=1.0)
    assert tree.load_mbps.tolist() == tree.worst_mbps.tolist() == [3.0, 2.0, 0.0, 4.0]
    ring = link_loads(network, demand, np.full(4, 5.0), LADDER, fill=1.0, protected=True)
    assert ring.worst_mbps.tolist() == [7.0, 6.0, 4.0, 7.0]
    assert ring.over.tolist() == [True, True, False, True]


def test_capacities_come_in_steps() -> None:
    found = needed(np.array([0.0, 0.5, 1.0, 10.5, 40.0, 41.0, 90.0]), LADDER)
    assert found.tolist() == [0.0, 1.0, 1.0, 40.0, 40.0, 80.0, 120.0]


def test_wrong_demand_is_refused() -> None:
    network = Network(2, np.array([0]), np.array([1]), np.ones(1), np.array([0]))
    with pytest.raises(InputError, match="negative or missing"):
        link_loads(network, np.array([1.0, -1.0]), np.ones(1), LADDER, fill=1.0)
    with pytest.raises(InputError, match="none is above 0"):
        link_loads(network, np.ones(2), np.ones(1), np.zeros(0), fill=1.0)
