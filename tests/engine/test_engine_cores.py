"""Cores: they pack into the trenches' capex by direction, and bound what joining any options costs."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.engine_graphs import joined, random_graph, star
from xinji.core.arrays import Floats
from xinji.core.offer import EXISTING
from xinji.core.problem import Problem
from xinji.plan.choose.cores import Cores, grow_cores

SEEDS = st.integers(0, 100_000)
NEVER_ENDING = 1e9


def grown(problem: Problem, prize: Floats) -> Cores:
    return grow_cores(problem, problem.roots, prize, np.unique(problem.node))


def prizes(problem: Problem, seed: int, most: float) -> Floats:
    rng = np.random.default_rng(seed + 1)
    prize = np.zeros(problem.node_count)
    prize[problem.node] = rng.uniform(0.0, most, len(problem.node)) * (rng.random(len(problem.node)) < 0.7)
    return prize


def around(cores: Cores, node: int) -> set[int]:
    """Return the cores around the station ``node``."""
    found, at = set(), int(cores.node_core[node])
    while at >= 0:
        found.add(at)
        at = int(cores.parent[at])
    return found


def since(cores: Cores, core: int) -> dict[int, float]:
    """Return the nodes of the set around ``core`` and the width from which on it holds each."""
    times: dict[int, float] = {}
    for own, node, time in zip(cores.cover_core, cores.cover_node, cores.cover_time, strict=True):
        chain, at = [], int(own)
        while at >= 0:
            chain.append(at)
            at = int(cores.parent[at])
        if core in chain:
            times[int(node)] = min(times.get(int(node), np.inf), float(time) if own == core else 0.0)
    return times


def loads(problem: Problem, cores: Cores) -> Floats:
    """Return for how long each trench is entered forwards and backwards (2, m): growth cut into still spans."""
    load = np.zeros((2, len(problem.trench_id)))
    for core, width in enumerate(cores.width):
        times = since(cores, core)
        for low, high in pairwise(sorted({0.0, width, *(t for t in times.values() if t < width)})):
            held = np.array([times.get(v, np.inf) <= (low + high) / 2 for v in range(problem.node_count)])
            assert not held[problem.roots].any()
            into = np.array([held[problem.to_node], held[problem.from_node]])
            load += (into & ~into[::-1]) * (high - low)
    return load


def steiner(problem: Problem, terminals: tuple[int, ...]) -> float:
    """Return the least capex of trenches that join ``terminals`` to a root, by trying every set of trenches."""
    m, best = len(problem.trench_id), np.inf
    for bits in range(1 << m):
        dug = np.where((bits >> np.arange(m)) & 1 == 1, 1, -1)
        cost = float(problem.trench_capex[dug > 0].sum())
        if cost < best and set(terminals) <= joined(problem, dug, 1, problem.roots):
            best = cost
    return best


@given(SEEDS, st.sampled_from([300.0, 3_000.0, NEVER_ENDING]))
@settings(max_examples=60, deadline=None)
def test_no_direction_of_a_trench_is_loaded_beyond_its_capex(seed: int, most: float) -> None:
    problem = random_graph(seed, nodes=9, extra=4, options=6)
    cores = grown(problem, prizes(problem, seed, most))
    assert (cores.width >= 0.0).all()
    assert (loads(problem, cores) <= problem.trench_capex * (1 + 1e-9)).all()


@given(SEEDS, st.sampled_from([400.0, 4_000.0, NEVER_ENDING]))
@settings(max_examples=12, deadline=None)
def test_cores_around_any_options_cost_no_more_than_joining_them(seed: int, most: float) -> None:
    problem = random_graph(seed, nodes=6, extra=2, options=3)
    cores = grown(problem, prizes(problem, seed, most))
    stations = sorted(set(problem.node.tolist()))
    for count in range(1, len(stations) + 1):
        for some in combinations(stations, count):
            paid = sum(cores.width[core] for core in set().union(*(around(cores, node) for node in some)))
            assert paid <= steiner(problem, some) * (1 + 1e-9)


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_a_single_option_pays_its_whole_way_whatever_its_prize(seed: int) -> None:
    problem = random_graph(seed, nodes=6, extra=2, options=1)
    node = int(problem.node[0])
    prize = np.zeros(problem.node_count)
    for prize[node] in (0.0, 250.0, NEVER_ENDING):
        assert grown(problem, prize).width.sum() == pytest.approx(steiner(problem, (node,)))


def test_options_of_a_star_pay_all_of_it() -> None:
    street = star([1, 2, 3])
    cores = grown(street, np.array([0, NEVER_ENDING, NEVER_ENDING, NEVER_ENDING, 0, 0]))
    assert cores.width.sum() == pytest.approx(steiner(street, (1, 2, 3)))


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_a_station_is_inside_all_of_every_core_around_it(seed: int) -> None:
    problem = random_graph(seed, nodes=9, extra=4, options=6)
    cores = grown(problem, prizes(problem, seed, 2_000.0))
    for node in set(problem.node.tolist()) - set(problem.roots.tolist()):
        assert around(cores, node)
        for core in around(cores, node):
            assert since(cores, core)[node] == 0.0


def test_an_island_that_nothing_joins_ends_its_core() -> None:
    cores = grown(star([3, 5]), np.array([0, 0, 0, NEVER_ENDING, 0, NEVER_ENDING]))
    assert np.isfinite(cores.width).all()


def test_existing_trenches_cost_nothing() -> None:
    problem = star([3])
    free = np.array([EXISTING, EXISTING, -1, -1])
    cores = grown(replace(problem, trench_built=free), np.array([0, 0, 0, NEVER_ENDING, 0, 0]))
    assert cores.width.sum() == pytest.approx(3000.0)


def test_who_has_no_prize_pays_what_the_others_leave() -> None:
    problem = star([1, 2, 3])
    cores = grown(problem, np.array([0, 0, NEVER_ENDING, 0, 0, 0]))
    first = sum(cores.width[core] for core in around(cores, 2))
    assert first == pytest.approx(steiner(problem, (2,)))
    assert cores.width.sum() == pytest.approx(steiner(problem, (1, 2, 3)))
