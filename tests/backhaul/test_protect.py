from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import minimum_spanning_tree

from backhaul.small_networks import joined, random_network, triangles
from xinji.core.arrays import Bools, Ints
from xinji.errors import InputError
from xinji.plan.backhaul.network import Network
from xinji.plan.backhaul.protect import CUTS, bound_of_cuts, protect


def holds(network: Network, links: set[int], asked: Ints) -> bool:
    """Return whether each asked node reaches a root after the cut of any one link."""
    wanted = set(asked.tolist())
    return all(wanted <= joined(network, links=links - {link}) for link in (*links, -1))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_choice_is_cheaper(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_network(rng, 6, 9)
    built: Bools = rng.random(len(network.cost)) < 0.35
    asked = rng.choice(network.node_count, int(rng.integers(1, network.node_count + 1)), replace=False)
    found = protect(network, built, asked, seconds=1e3)
    every = set(range(len(network.cost)))
    stands, free = set(np.flatnonzero(built).tolist()), np.flatnonzero(~built).tolist()
    for node in asked.tolist():
        assert (node in found.impossible) == (not holds(network, every, np.array([node])))
    wanted = np.setdiff1d(asked, found.impossible)
    assert holds(network, stands | set(found.links.tolist()), wanted)
    sets = [chosen for count in range(len(free) + 1) for chosen in combinations(free, count)]
    sets.sort(key=lambda chosen: float(network.cost[list(chosen)].sum()))
    best = next(
        float(network.cost[list(chosen)].sum()) for chosen in sets if holds(network, stands | set(chosen), wanted)
    )
    assert found.value == pytest.approx(best)
    assert found.value == pytest.approx(float(network.cost[found.links].sum()))
    assert best * (1 - 1e-6) - 1e-6 <= found.bound <= best + 1e-9


def test_cuts_prove_the_bound() -> None:
    rng = np.random.default_rng(2)
    place, edges = triangles(rng, 300)
    cost = np.hypot(*(place[edges[:, 0]] - place[edges[:, 1]]).T)
    tree = minimum_spanning_tree(csr_array((cost, (edges[:, 0], edges[:, 1])), shape=(300, 300))).tocoo()
    dug = set(zip(tree.row.tolist(), tree.col.tolist(), strict=True))
    built = np.array([(a, b) in dug or (b, a) in dug for a, b in edges.tolist()])
    network = Network(300, edges[:, 0].copy(), edges[:, 1].copy(), cost, np.array([0]))
    asked = rng.choice(np.arange(1, 300), 30, replace=False)
    found = protect(network, built, asked, seconds=60.0)
    assert found.bound >= 0.97 * found.value
    # The same bound, added up in another way: no use of the solver, nor of the function that the engine uses.
    paid, bound = np.zeros(len(cost)), 0.0
    for inside, price in zip(found.cut, found.price, strict=True):
        assert inside[asked].any()
        assert not inside[0]
        assert price > 0
        leaves = [k for k, (a, b) in enumerate(edges.tolist()) if inside[a] != inside[b]]
        bound += price * (2 - sum(bool(built[k]) for k in leaves))
        for k in leaves:
            paid[k] += 0.0 if built[k] else price
    bound -= sum(max(0.0, float(p - c)) for p, c in zip(paid, cost, strict=True))
    assert bound_of_cuts(network, built, found.cut, found.price) == pytest.approx(bound)
    if found.proof == CUTS:
        assert found.bound == pytest.approx(bound)
    with_all = built.copy()
    with_all[found.links] = True
    assert not len(protect(network, with_all, asked).links)


def test_wrong_shapes_are_refused() -> None:
    network = Network(2, np.array([0]), np.array([1]), np.ones(1), np.array([0]))
    with pytest.raises(InputError, match="expected"):
        protect(network, np.zeros(3, dtype=bool), np.array([1]))
    with pytest.raises(InputError, match="not in the network"):
        protect(network, np.zeros(1, dtype=bool), np.array([2]))
