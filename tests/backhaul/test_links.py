from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backhaul.small_networks import random_network, triangles
from xinji.core.arrays import Floats
from xinji.errors import InfeasibleError, InputError
from xinji.plan.backhaul.links import Hops, choose_links
from xinji.plan.backhaul.network import Network


def random_hops(rng: np.random.Generator, nodes: int) -> Hops:
    count = int(rng.integers(0, 5))
    ends = rng.integers(0, nodes, (2, count))
    money, capacity = rng.integers(1, 5, count).astype(float), rng.integers(1, 12, count).astype(float)
    return Hops(ends[0], ends[1], money, capacity, rng.random(count))


def fed_loads(
    ends: list[tuple[int, int]], chosen: tuple[int, ...], roots: list[int], demand: Floats
) -> dict[int, float] | None:
    """Return what each of the ``chosen`` edges carries, or None where they are no forest that feeds all demand."""
    load, seen = dict.fromkeys(chosen, 0.0), set(roots)
    order: list[tuple[int, int, int]] = []
    left = set(chosen)
    while True:
        step = next((k for k in left if len(set(ends[k]) & seen) == 1), None)
        if step is None:
            break
        above = next(node for node in ends[step] if node in seen)
        below = ends[step][0] + ends[step][1] - above
        order.append((step, above, below))
        seen.add(below)
        left.remove(step)
    if left or any(demand[node] > 0 and node not in seen for node in range(len(demand))):
        return None
    carried = demand.copy()
    for step, above, below in reversed(order):
        load[step] = float(carried[below])
        carried[above] += carried[below]
    return load


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_tree_is_cheaper(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_network(rng, 6, 6, zeros=False)
    hops = random_hops(rng, network.node_count)
    demand = np.where(rng.random(network.node_count) < 0.6, rng.integers(1, 6, network.node_count), 0).astype(float)
    m = len(network.cost)
    tails, heads = np.append(network.from_node, hops.from_node), np.append(network.to_node, hops.to_node)
    ends = list(zip(tails.tolist(), heads.tolist(), strict=True))
    cost = np.append(network.cost, hops.cost)
    room = np.append(np.full(m, np.inf), np.where(hops.availability >= 0.3, hops.capacity_mbps, -1.0))
    best = np.inf
    for count in range(network.node_count):
        for chosen in combinations(range(len(ends)), count):
            load = fed_loads(ends, chosen, network.roots.tolist(), demand)
            if load is not None and all(carried <= room[k] for k, carried in load.items()):
                best = min(best, float(cost[list(chosen)].sum()))
    if np.isinf(best):
        with pytest.raises(InfeasibleError, match="No way was found"):
            choose_links(network, hops, demand, availability=0.3, seconds=1e3)
        return
    found = choose_links(network, hops, demand, availability=0.3, seconds=1e3)
    assert found.value == pytest.approx(best)
    assert found.bound == pytest.approx(best)
    chosen = (*found.links.tolist(), *(m + found.hops).tolist())
    load = fed_loads(ends, chosen, network.roots.tolist(), demand)
    assert load is not None
    assert found.value == pytest.approx(float(cost[list(chosen)].sum()))
    for hop in found.hops.tolist():
        assert found.hop_load_mbps[hop] == pytest.approx(load[m + hop])


def test_cheap_hops_replace_trenches_up_to_their_capacity() -> None:
    # Four sites in a row, 10 a trench; a hop from the core to the third site costs 12 and carries two sites.
    network = Network(5, np.arange(4), np.arange(1, 5), np.full(4, 10.0), np.array([0]))
    demand = np.array([0.0, 0.0, 0.0, 5.0, 5.0])
    for capacity, availability, expected in ((10.0, 0.9999, 22.0), (9.0, 0.9999, 40.0), (10.0, 0.99, 40.0)):
        hops = Hops(np.array([0]), np.array([3]), np.array([12.0]), np.array([capacity]), np.array([availability]))
        found = choose_links(network, hops, demand, availability=0.999)
        assert found.value == found.bound == expected
        assert found.parent[4] == 3
        assert found.parent[0] == 0


def test_a_larger_case_is_bounded() -> None:
    rng = np.random.default_rng(4)
    place, edges = triangles(rng, 150)
    trench = 15_000.0 * np.hypot(*(place[edges[:, 0]] - place[edges[:, 1]]).T) * 12.0
    sites = rng.choice(150, 15, replace=False)
    demand = np.zeros(150)
    demand[sites] = rng.uniform(200.0, 900.0, 15)
    pairs = np.array(list(combinations(sites.tolist(), 2)))
    hops = Hops(
        pairs[:, 0].copy(),
        pairs[:, 1].copy(),
        np.full(len(pairs), 20_000.0),
        rng.choice([800.0, 2000.0], len(pairs)),
        np.full(len(pairs), 0.9999),
    )
    network = Network(150, edges[:, 0].copy(), edges[:, 1].copy(), trench, sites[:1].copy())
    found = choose_links(network, hops, demand, availability=0.999, seconds=8.0)
    assert 0.5 * found.value < found.bound <= found.value
    assert len(found.hops)
    assert (found.hop_load_mbps <= hops.capacity_mbps + 1e-6).all()


def test_wrong_hops_are_refused() -> None:
    with pytest.raises(InputError) as raised:
        Hops(np.array([0]), np.array([1]), np.array([-1.0]), np.array([np.nan]), np.array([2.0]))
    assert len(raised.value.faults) == 3
    network = Network(2, np.array([0]), np.array([1]), np.ones(1), np.array([0]))
    hops = Hops(np.array([0]), np.array([9]), np.ones(1), np.ones(1), np.ones(1))
    with pytest.raises(InputError, match="not in the network"):
        choose_links(network, hops, np.ones(2), availability=0.5)
    with pytest.raises(InputError, match="negative or missing"):
        choose_links(network, hops, np.array([np.nan, 1.0]), availability=0.5)
