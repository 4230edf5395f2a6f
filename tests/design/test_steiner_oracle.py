"""The Steiner engine against Dreyfus and Wagner's recursion on small graphs."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, floyd_warshall

from design.steiner_oracle import is_steiner_tree
from xinji.errors import InfeasibleError, InputError
from xinji.plan.design.proof import Clock
from xinji.plan.design.steiner.ascent import ascend, distances
from xinji.plan.design.steiner.certificate import Potentials, proved_bound
from xinji.plan.design.steiner.cut_lp import CutLp, ascent_cuts
from xinji.plan.design.steiner.cutting import cutting_planes
from xinji.plan.design.steiner.fixing import both_ways, cost_step, cutoff, fixing, rounded
from xinji.plan.design.steiner.graph import EdgeGraph
from xinji.plan.design.steiner.maxflow import broken_cuts
from xinji.plan.design.steiner.reduce import shrink
from xinji.plan.design.steiner.reduce_graph import compressed, expanded, fixed_cost, shrinking
from xinji.plan.design.steiner.solve import SteinerTree, steiner_tree


def _random(seed: int) -> tuple[EdgeGraph, np.ndarray]:
    """Return a connected graph of 3 to 14 nodes: whole costs with ties and zeros, or real ones; loops, parallels."""
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(3, 15))
    extra = int(rng.integers(0, 2 * nodes))
    one = np.concatenate([np.arange(1, nodes), rng.integers(nodes, size=extra)])
    other = np.concatenate([[rng.integers(v) for v in range(1, nodes)], rng.integers(nodes, size=extra)])
    kind = rng.integers(3)
    if kind == 0:
        cost = rng.integers(0, 5, size=len(one)).astype(float)
    elif kind == 1:
        cost = rng.integers(90, 111, size=len(one)).astype(float)
    else:
        cost = rng.random(len(one))
    terminals = rng.permutation(nodes)[: int(rng.integers(1, min(nodes, 7) + 1))]
    return EdgeGraph(nodes, one, other, cost), terminals


def _optimum(graph: EdgeGraph, terminals: np.ndarray) -> float:
    """Return the least cost by dynamic programming over subsets of the terminals."""
    away = np.full((graph.node_count, graph.node_count), np.inf)
    np.minimum.at(away, (graph.from_node, graph.to_node), graph.cost)
    away = np.minimum(away, away.T)
    np.fill_diagonal(away, 0.0)
    for middle in range(graph.node_count):
        away = np.minimum(away, away[:, middle, None] + away[None, middle, :])
    if len(terminals) < 2:
        return 0.0
    last, rest = terminals[0], terminals[1:]
    best = {1 << k: away[terminal] for k, terminal in enumerate(rest)}
    for size in range(2, len(rest) + 1):
        for chosen in itertools.combinations(range(len(rest)), size):
            whole = sum(1 << k for k in chosen)
            split = np.full(graph.node_count, np.inf)
            part = (whole - 1) & whole
            while part:
                split = np.minimum(split, best[part] + best[whole ^ part])
                part = (part - 1) & whole
            best[whole] = (split[:, None] + away).min(axis=0)
    return float(best[(1 << len(rest)) - 1][last])


def _spans(graph: EdgeGraph, edges: np.ndarray, terminals: np.ndarray) -> bool:
    entries = (np.ones(len(edges)), (graph.from_node[edges], graph.to_node[edges]))
    shape = (graph.node_count, graph.node_count)
    label = connected_components(coo_array(entries, shape=shape), directed=False)[1]
    return len(np.unique(label[terminals])) <= 1


def _proved_plainly(graph: EdgeGraph, potentials: Potentials) -> float:
    """Return the potentials' bound by dense arrays."""
    dense = np.zeros((len(potentials.terminals), graph.node_count))
    for k in range(len(potentials.terminals)):
        part = slice(potentials.start[k], potentials.start[k + 1])
        dense[k, potentials.node[part]] = potentials.height[part]
    assert (dense[:, potentials.root] == 0.0).all()
    rise = dense[:, graph.to_node] - dense[:, graph.from_node]
    climbed = np.maximum(np.maximum(rise, 0.0).sum(axis=0), np.maximum(-rise, 0.0).sum(axis=0))
    return float(dense[np.arange(len(dense)), potentials.terminals].sum() - np.maximum(climbed - graph.cost, 0.0).sum())


def _check(graph: EdgeGraph, terminals: np.ndarray, tree: SteinerTree) -> None:
    optimum = _optimum(graph, terminals)
    slack = 1e-9 * (1.0 + optimum)
    assert _spans(graph, tree.edges, terminals)
    assert tree.value == pytest.approx(graph.cost[tree.edges].sum())
    assert tree.bound <= optimum + slack
    assert optimum <= tree.value + slack
    assert tree.certified <= tree.bound + slack
    assert tree.certified == pytest.approx(max(_proved_plainly(graph, tree.certificate), 0.0), abs=1e-9)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6))
def test_tree_and_bounds_enclose_the_optimum(seed: int) -> None:
    graph, terminals = _random(seed)
    tree = steiner_tree(graph, terminals, seconds=20.0, seed=seed)
    _check(graph, terminals, tree)
    # On graphs this small the engine closes the gap unless the relaxation itself leaves one.
    assert tree.value == pytest.approx(_optimum(graph, terminals), rel=0.15, abs=1e-9)


@settings(max_examples=300, deadline=None)
@example(166)  # two terminals joined at no cost: one lies in the other's region
@given(st.integers(0, 10**6))
def test_reductions_keep_the_optimum(seed: int) -> None:
    graph, terminals = _random(seed)
    work = shrinking(graph, terminals)
    shrink(work, Clock(20.0))
    left = compressed(work)
    paid = fixed_cost(work, graph.cost)
    optimum = _optimum(graph, terminals)
    assert paid + _optimum(left.graph, left.terminals) == pytest.approx(optimum, abs=1e-9)
    # All that is left stands for edges of the first graph that span the terminals.
    assert _spans(graph, np.flatnonzero(expanded(work, left.slot, len(graph.cost))), terminals)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6))
def test_fixing_and_cutting_planes_spare_the_optimum(seed: int) -> None:
    graph, terminals = _random(seed)
    if len(terminals) < 2:
        return
    optimum = _optimum(graph, terminals)
    found = fixing(graph, terminals, terminals[:2], Clock())
    limit = optimum + 1e-6
    cut = cutting_planes(graph, terminals, found, limit=limit, clock=Clock(20.0), rng=np.random.default_rng(seed))
    for bound, edge_bound in ((found.ascent.bound, found.edge_bound), (cut.bound, cut.edge_bound)):
        assert bound <= optimum + 1e-6
        kept = np.flatnonzero(edge_bound < limit)
        left = EdgeGraph(graph.node_count, graph.from_node[kept], graph.to_node[kept], graph.cost[kept])
        assert _optimum(left, terminals) == pytest.approx(optimum, abs=1e-9)
    assert cut.bound >= found.ascent.bound - 1e-9


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6))
def test_separation_finds_a_cut_exactly_where_one_is_broken(seed: int) -> None:
    graph, terminals = _random(seed)
    rng = np.random.default_rng(seed)
    arcs = both_ways(graph)
    value = rng.choice([0.0, 0.3, 0.5, 1.0], size=len(arcs.tail))
    root, others = int(terminals[0]), terminals[1:]
    cuts = broken_cuts(arcs, value, root, others, open_arc=np.ones(len(value), dtype=bool), most=100)
    broken = set()
    for k, terminal in enumerate(others):
        inner = [v for v in range(graph.node_count) if v not in (root, terminal)]
        least = np.inf
        for bits in range(1 << len(inner)):
            inside = np.zeros(graph.node_count, dtype=bool)
            inside[[terminal, *(v for place, v in enumerate(inner) if bits >> place & 1)]] = True
            least = min(least, value[inside[arcs.head] & ~inside[arcs.tail]].sum())
        if least < 0.99:
            broken.add(k)
    for cut, k in enumerate(cuts.terminal):
        inside = np.zeros(graph.node_count, dtype=bool)
        inside[cuts.node[cuts.start[cut] : cuts.start[cut + 1]]] = True
        assert inside[others[k]]
        assert not inside[root]
    assert bool(broken) == bool(len(cuts.terminal))
    assert set(cuts.terminal.tolist()) <= broken


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_ascent_on_asymmetric_arcs_leaves_no_negative_cost_and_frees_a_way(seed: int) -> None:
    graph, terminals = _random(seed)
    arcs = both_ways(graph)
    cost = np.random.default_rng(seed).random(len(arcs.tail))
    root = int(terminals[0])
    found = ascend(arcs, cost, root, terminals)
    climbed = np.zeros(len(cost))
    for k in range(len(terminals)):
        height = np.zeros(graph.node_count)
        part = slice(found.start[k], found.start[k + 1])
        height[found.node[part]] = found.height[k] - found.since[part]
        climbed += np.maximum(height[arcs.head] - height[arcs.tail], 0.0)
    np.testing.assert_allclose(found.reduced, cost - climbed, atol=1e-9)
    assert found.bound == pytest.approx(found.height.sum())
    reach = distances(arcs, found.reduced, np.array([root]))
    np.testing.assert_allclose(reach[terminals], 0.0, atol=1e-9)
    dense = np.full((graph.node_count, graph.node_count), np.inf)
    np.minimum.at(dense, (arcs.tail, arcs.head), cost)
    np.testing.assert_allclose(distances(arcs, cost, np.array([root])), floyd_warshall(dense)[root], atol=1e-12)


def test_relaxation_of_an_odd_cycle_of_terminals_is_tight() -> None:
    # A triangle of terminals around a hub: star 3 x 1 against two sides of 2.
    graph = EdgeGraph(4, np.array([0, 1, 2, 0, 1, 2]), np.array([1, 2, 0, 3, 3, 3]), np.array([2.0, 2, 2, 1, 1, 1]))
    terminals = np.arange(3)
    arcs = both_ways(graph)
    lp = CutLp(arcs, np.repeat(graph.cost, 2), 0, terminals)
    lp.add(ascent_cuts(ascend(arcs, np.repeat(graph.cost, 2), 0, terminals)))
    found = lp.solve(seconds=10.0)
    assert found.bound == pytest.approx(3.0)
    assert steiner_tree(graph, terminals).bound == 3.0
    lp.bar(np.ones(12, dtype=bool))
    assert lp.solve(seconds=10.0).bound == np.inf


def test_costs_with_a_common_step_round_bounds_up() -> None:
    assert cost_step(np.array([4.0, 6.0])) == 2.0
    assert cost_step(np.array([4.0, 6.5])) == 0.0
    assert rounded(8.0000001, 2.0) == 10.0
    assert rounded(8.0, 2.0) == 8.0
    assert rounded(8.3, 0.0) == 8.3
    assert cutoff(10.0, 2.0) == pytest.approx(8.0)


def test_what_cannot_be_joined_and_what_does_not_exist_is_said() -> None:
    graph = EdgeGraph(4, np.array([0, 2]), np.array([1, 3]), np.ones(2))
    with pytest.raises(InfeasibleError, match="connect"):
        steiner_tree(graph, np.array([0, 3]))
    with pytest.raises(InputError):
        steiner_tree(graph, np.array([0, 7]))
    alone = steiner_tree(graph, np.array([2]))
    assert (len(alone.edges), alone.value, alone.bound) == (0, 0.0, 0.0)


def test_a_certificate_is_checked_not_believed() -> None:
    graph = EdgeGraph(3, np.array([0, 1]), np.array([1, 2]), np.array([2.0, 3.0]))
    terminals = np.array([0, 2])
    one = np.array([0, 1])
    fair = Potentials(0, np.array([2]), np.array([0, 2]), np.array([1, 2]), np.array([2.0, 5.0]))
    assert proved_bound(graph, terminals, fair) == 5.0
    # One unit too much on both edges proves no more than the cost, less what was overcharged.
    greedy = Potentials(0, np.array([2]), np.array([0, 2]), np.array([1, 2]), np.array([3.0, 7.0]))
    assert proved_bound(graph, terminals, greedy) == 5.0
    for bad in (
        Potentials(1, np.array([2]), np.array([0, 2]), one + 1, np.array([2.0, 5.0])),
        Potentials(0, np.array([2]), np.array([0, 2]), one, np.array([2.0, 5.0])),
        Potentials(0, np.array([2]), np.array([0, 2]), one + 1, np.array([2.0, -5.0])),
        Potentials(0, np.array([2, 2]), np.array([0, 1, 2]), one + 1, np.array([2.0, 5.0])),
        Potentials(0, np.array([1]), np.array([0, 2]), one + 1, np.array([2.0, 5.0])),
        Potentials(0, np.array([2]), np.array([0, 3]), one + 1, np.array([2.0, 5.0])),
    ):
        with pytest.raises(InputError, match="potentials"):
            proved_bound(graph, terminals, bad)


def test_a_dual_ascent_without_time_has_one_root() -> None:
    graph, terminals = _random(5)
    one = fixing(graph, terminals, terminals, Clock(0.0))
    assert one.root == terminals[0]
    assert fixing(graph, terminals, terminals, Clock()).ascent.bound >= one.ascent.bound


def test_the_search_keeps_to_its_seconds() -> None:
    rng = np.random.default_rng(8)
    side, seconds = 70, 2.0
    node = np.arange(side * side).reshape(side, side)
    tail = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    head = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    graph = EdgeGraph(side * side, tail, head, rng.uniform(1.0, 3.0, len(tail)))
    terminals = rng.choice(side * side, 300, replace=False)
    steiner_tree(graph, terminals, seconds=0.0)
    clock = Clock(seconds)
    tree = steiner_tree(graph, terminals, seconds=seconds)
    assert clock.spent <= 1.25 * seconds
    assert tree.bound >= tree.certified
    assert is_steiner_tree(graph, terminals, tree.edges)
