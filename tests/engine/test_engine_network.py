"""Joining along the trench graph: shortest ways, exact costs, nothing idle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from engine.engine_graphs import joined, random_graph, star
from xinji.core.arrays import Floats, Ints
from xinji.core.offer import EXISTING, FREE
from xinji.core.problem import Problem
from xinji.plan.choose.money import spend
from xinji.plan.choose.network import (
    UNJOINED,
    Network,
    affordable,
    book_way,
    dig_way,
    graph_of,
    new_network,
    prune,
    shortest_lengths,
    start_stage,
    wanted_from,
)
from xinji.plan.choose.tidy import drop_dead_ends, drop_idle

SEEDS = st.integers(0, 100_000)


def way_costs(problem: Problem, dug: Ints, stage: int) -> Floats:
    """Return the capex of joining each node in ``stage``, by another program's shortest paths."""
    nodes = problem.node_count
    there = (dug >= 0) & (dug <= stage)
    cost = np.where(there, 1e-7, problem.trench_capex)
    least = np.full((nodes, nodes), np.inf)
    np.minimum.at(least, (problem.from_node, problem.to_node), cost)
    np.minimum.at(least, (problem.to_node, problem.from_node), cost)
    matrix = csr_array(np.where(np.isfinite(least), least, 0.0))
    return np.asarray(dijkstra(matrix, indices=problem.roots, min_only=True))


def dig_at_random(problem: Problem, network: Network, rng: np.random.Generator, times: int) -> None:
    """Join random nodes in random stages, later ones often first, and book the cost."""
    graph = graph_of(problem)
    for _ in range(times):
        stage = int(rng.integers(1, problem.stages + 1))
        start_stage(graph, network, stage, np.inf)
        node = int(rng.integers(0, problem.node_count))
        if np.isfinite(network.distance[node]):
            need = np.zeros(problem.stages)
            book_way(graph, network, node, stage, need)
            dig_way(graph, network, node, stage, np.inf)
            network.left[:] -= need


def with_some_built(problem: Problem, seed: int, codes: tuple[int, ...]) -> Problem:
    rng = np.random.default_rng(seed)
    return replace(problem, trench_built=rng.choice([FREE, FREE, *codes], len(problem.trench_id)))


def cost_of(problem: Problem, dug: Ints) -> Ints:
    return spend(problem, np.full(len(problem.option_id), -1), dug)


@given(SEEDS, st.integers(1, 3), st.integers(0, 3))
@settings(max_examples=80, deadline=None)
def test_ways_are_shortest_also_after_digging(seed: int, stage: int, times: int) -> None:
    problem = with_some_built(random_graph(seed, nodes=12, extra=8), seed, (EXISTING,))
    network = new_network(problem, problem.roots)
    dig_at_random(problem, network, np.random.default_rng(seed), times)
    start_stage(graph_of(problem), network, stage, np.inf)
    expected = way_costs(problem, network.dug, stage)
    assert network.distance == pytest.approx(expected, abs=1e-3)
    node = int(np.argmax(expected))
    nearer = dig_way(graph_of(problem), network, node, stage, np.inf)
    assert network.distance == pytest.approx(way_costs(problem, network.dug, stage), abs=1e-3)
    assert node in nearer


@given(SEEDS, st.integers(0, 6_000))
@settings(max_examples=40, deadline=None)
def test_ways_beyond_the_limit_are_left_out(seed: int, limit: int) -> None:
    problem = random_graph(seed, nodes=12, extra=8)
    network = new_network(problem, problem.roots)
    start_stage(graph_of(problem), network, 1, float(limit))
    far = way_costs(problem, network.dug, 1)
    assert network.distance == pytest.approx(np.where(far <= limit + 1e-3, far, np.inf), abs=1e-3)


@given(SEEDS, st.integers(1, 8))
@settings(max_examples=80, deadline=None)
def test_booked_costs_do_not_drift_from_what_the_trenches_cost(seed: int, times: int) -> None:
    problem = with_some_built(random_graph(seed, nodes=9, extra=4), seed, (EXISTING,))
    network = new_network(problem, problem.roots)
    dig_at_random(problem, network, np.random.default_rng(seed), times)
    assert np.array_equal(network.left, problem.budget - cost_of(problem, network.dug))
    for stage in range(1, problem.stages + 1):
        claimed = set(np.flatnonzero(network.joined <= stage).tolist())
        assert claimed <= joined(problem, network.dug, stage, problem.roots)


@given(SEEDS, st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_committed_trenches_keep_their_stage(seed: int, times: int) -> None:
    problem = with_some_built(random_graph(seed, nodes=9, extra=4), seed, (EXISTING, 2, 3))
    network = new_network(problem, problem.roots)
    dig_at_random(problem, network, np.random.default_rng(seed), times)
    fixed = problem.trench_built >= EXISTING
    assert np.array_equal(network.dug[fixed], problem.trench_built[fixed])
    assert np.array_equal(network.left, problem.budget - cost_of(problem, network.dug))


def test_a_trench_needed_earlier_is_paid_earlier() -> None:
    problem = random_graph(0, nodes=2, extra=0)
    network, graph = new_network(problem, problem.roots), graph_of(problem)
    capex, opex = int(problem.trench_capex[0]), int(problem.trench_opex[0])
    for stage, expected in ((3, [0, 0, capex + opex]), (1, [capex + opex, opex, -capex])):
        start_stage(graph, network, stage, np.inf)
        need = np.zeros(3)
        book_way(graph, network, 1, stage, need)
        dig_way(graph, network, 1, stage, np.inf)
        assert need.tolist() == expected
    assert network.dug.tolist() == [1]


@given(SEEDS, st.integers(1, 8), st.integers(0, 3))
@settings(max_examples=80, deadline=None)
def test_pruned_trenches_join_what_is_wanted_and_cost_no_more(seed: int, times: int, extra: int) -> None:
    problem = with_some_built(random_graph(seed, nodes=9, extra=extra), seed, (EXISTING,))
    rng = np.random.default_rng(seed)
    network = new_network(problem, problem.roots)
    dig_at_random(problem, network, rng, times)
    stage = np.where(rng.random(len(problem.node)) < 0.7, network.joined[problem.node], -1)
    stage = np.where(stage == UNJOINED, -1, stage)
    dug = drop_dead_ends(problem, stage, network.dug)
    for t in range(1, problem.stages + 1):
        wanted = {int(v) for v, s in zip(problem.node, stage, strict=True) if 0 <= s <= t}
        assert wanted <= joined(problem, dug, t, problem.roots)
    before, after = cost_of(problem, network.dug), cost_of(problem, dug)
    assert (np.cumsum(after) <= np.cumsum(before)).all()
    fixed = problem.trench_built >= EXISTING
    assert np.array_equal(dug[fixed], problem.trench_built[fixed])
    if extra == 0 and not fixed.any():
        assert_no_trench_to_spare(problem, stage, dug)


def assert_no_trench_to_spare(problem: Problem, stage: Ints, dug: Ints) -> None:
    """Assert that on a tree no trench could be left out or dug a stage later."""
    for edge in np.flatnonzero(dug > 0):
        later = dug.copy()
        later[edge] = dug[edge] + 1
        t = int(dug[edge])
        wanted = {int(v) for v, s in zip(problem.node, stage, strict=True) if 0 <= s <= t}
        assert not wanted <= joined(problem, later, t, problem.roots)


def test_prune_leaves_committed_trenches_alone() -> None:
    problem = replace(star([1]), trench_built=np.array([FREE, FREE, FREE, 2]))
    dug = np.array([1, 1, 2, 2])
    wanted = wanted_from(problem, np.array([2]), problem.roots)
    prune(graph_of(problem), problem.trench_built == FREE, wanted, dug, problem.stages)
    assert dug.tolist() == [2, -1, -1, 2]


@given(st.lists(st.integers(-50, 200), min_size=3, max_size=3), st.lists(st.integers(1, 120), min_size=3, max_size=3))
@settings(deadline=None)
def test_affordable_adds_up_what_is_left(left: list[int], need: list[int]) -> None:
    left_now, need_now = np.array(left, dtype=float), np.array(need, dtype=float)
    each, together = (left_now >= need_now).all(), (np.cumsum(left_now - need_now) >= 0).all()
    for carry_over, enough in ((False, each), (True, together)):
        assert affordable(left_now, need_now, carry_over) == bool(enough)


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_fibre_lengths_share_the_ring_of_the_roots(seed: int) -> None:
    problem = replace(random_graph(seed, nodes=7, extra=3), roots=np.array([0, 6]))
    dug = np.random.default_rng(seed).integers(-1, 4, len(problem.trench_id))
    found = shortest_lengths(problem, dug, 2, np.arange(7), problem.roots)
    far = np.full((7, 7), np.inf)
    np.fill_diagonal(far, 0.0)
    for edge in np.flatnonzero((dug >= 0) & (dug <= 2)):
        u, v, length = problem.from_node[edge], problem.to_node[edge], problem.trench_length_m[edge]
        far[u, v] = far[v, u] = min(far[u, v], length)
    far[0, 6] = far[6, 0] = 0.0
    for via in range(7):
        far = np.minimum(far, far[:, via, None] + far[via])
    assert found == pytest.approx(far, abs=1e-6)


def test_idle_options_go_and_hosts_of_busy_ones_stay() -> None:
    base = random_graph(1, options=5)
    problem = replace(base, host=np.array([-1, 0, -1, 2, -1]), built=np.array([-1, -1, -1, -1, 1]))
    served = np.zeros((5, 3))
    served[1, 2] = 0.5
    stage = np.array([1, 2, 1, 1, 1])
    assert drop_idle(problem, stage, served).tolist() == [1, 2, -1, -1, 1]
    paired = replace(problem, arc_partner=np.array([-1, 3, -1, -1, -1]))
    assert drop_idle(paired, stage, served).tolist() == [1, 2, 1, 1, 1]
