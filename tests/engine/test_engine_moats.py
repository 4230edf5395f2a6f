"""Moats: they pack into the trenches' capex, and bound what joining any options costs."""

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
from xinji.plan.choose.moats import Moats, grow_moats
from xinji.plan.choose.staged import forest

SEEDS = st.integers(0, 100_000)
NEVER_ENDING = 1e9


def grown(problem: Problem, prize: Floats) -> Moats:
    return grow_moats(problem, problem.roots, prize, np.unique(problem.node))


def prizes(problem: Problem, seed: int, most: float) -> Floats:
    rng = np.random.default_rng(seed + 1)
    prize = np.zeros(problem.node_count)
    prize[problem.node] = rng.uniform(0.0, most, len(problem.node))
    return prize


def around(moats: Moats, node: int) -> set[int]:
    """Return the moats around ``node``."""
    found, at = set(), int(moats.node_moat[node])
    while at >= 0:
        found.add(at)
        at = int(moats.parent[at])
    return found


def loads(problem: Problem, moats: Moats) -> Floats:
    """Return for how long each trench is left by a moat: growth cut into spans in which nothing changes."""
    times = np.unique(np.concatenate([[0.0], moats.start, moats.end, moats.node_time]))
    load = np.zeros(len(problem.trench_id))
    chains = [around(moats, node) for node in range(problem.node_count)]
    for low, high in pairwise(times):
        now = (low + high) / 2
        for moat in np.flatnonzero((moats.start <= now) & (now < moats.end)).tolist():
            inside = np.array([moat in chain and moats.node_time[v] <= now for v, chain in enumerate(chains)])
            assert not inside[problem.roots].any()
            load += (inside[problem.from_node] != inside[problem.to_node]) * (high - low)
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
def test_no_trench_is_loaded_beyond_its_capex(seed: int, most: float) -> None:
    problem = random_graph(seed, nodes=9, extra=4, options=6)
    moats = grown(problem, prizes(problem, seed, most))
    assert (moats.start <= moats.end).all()
    assert (loads(problem, moats) <= problem.trench_capex * (1 + 1e-9)).all()


@given(SEEDS, st.sampled_from([400.0, 4_000.0, NEVER_ENDING]))
@settings(max_examples=12, deadline=None)
def test_moats_around_any_options_cost_no_more_than_joining_them(seed: int, most: float) -> None:
    problem = random_graph(seed, nodes=6, extra=2, options=3)
    moats = grown(problem, prizes(problem, seed, most))
    width = moats.end - moats.start
    stations = sorted(set(problem.node.tolist()))
    for count in range(1, len(stations) + 1):
        for some in combinations(stations, count):
            paid = sum(width[moat] for moat in set().union(*(around(moats, node) for node in some)))
            assert paid <= steiner(problem, some) * (1 + 1e-9)


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_a_single_option_pays_its_whole_way(seed: int) -> None:
    problem = random_graph(seed, nodes=6, extra=2, options=1)
    node = int(problem.node[0])
    prize = np.zeros(problem.node_count)
    prize[node] = NEVER_ENDING
    moats = grown(problem, prize)
    assert (moats.end - moats.start).sum() == pytest.approx(steiner(problem, (node,)))
    prize[node] = 250.0
    moats = grown(problem, prize)
    assert (moats.end - moats.start).sum() == pytest.approx(min(250.0, steiner(problem, (node,))))


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_a_station_is_inside_all_of_every_moat_around_it(seed: int) -> None:
    problem = random_graph(seed, nodes=9, extra=4, options=6)
    moats = grown(problem, prizes(problem, seed, 2_000.0))
    for node in set(problem.node.tolist()):
        for moat in around(moats, node):
            assert moats.node_time[node] <= moats.start[moat]
            above = int(moats.parent[moat])
            assert above < 0 or moats.end[moat] <= moats.start[above]


def test_existing_trenches_cost_nothing() -> None:
    problem = star([3])
    free = np.array([EXISTING, EXISTING, -1, -1])
    moats = grown(replace(problem, trench_built=free), np.array([0, 0, 0, NEVER_ENDING, 0, 0]))
    assert (moats.end - moats.start).sum() == pytest.approx(3000.0)


def test_without_prizes_there_are_no_moats() -> None:
    problem = star([1, 2, 3])
    moats = grown(problem, np.zeros(6))
    assert len(moats.start) == 0
    assert (moats.node_moat == -1).all()


def test_an_option_with_a_host_stands_on_the_host_alone() -> None:
    problem = star([3, 3])
    moats = grown(problem, np.array([0, 0, 0, NEVER_ENDING, 0, 0]))
    host = np.array([-1, 0])
    trees = forest(replace(problem, host=host), moats, moats.node_moat[problem.node])
    assert trees.parent[0] == 2 + moats.node_moat[3]
    assert trees.parent[1] == 0
    place = np.argsort(trees.order)
    below = np.flatnonzero(trees.parent >= 0)
    assert (place[below] < place[trees.parent[below]]).all()
    assert trees.opex_share == pytest.approx(0.01)
