"""Service by what stands: against scipy's own linear programming, and what it must refuse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog

from support.small_plan import optimum
from support.small_problem import hand_problem, small_problem
from xinji.core.arrays import Floats, Ints
from xinji.core.problem import Problem
from xinji.errors import InfeasibleError
from xinji.plan.choose.serve import live_arcs, path_lengths, serve

DUG = np.array([1, 1, 2])
STAGE = np.array([1, 1, 1, 0])
SEEDS = tuple(seed for seed in range(24) if optimum(seed) is not None)


def _by_scipy(problem: Problem, stage: Ints, dug: Ints, t: int) -> float:
    """Return the best worth of stage ``t``, all constraints written out one by one."""
    live = set(live_arcs(problem, stage, dug, t).tolist())
    rows: list[Floats] = []
    room: list[float] = []
    arcs = np.arange(len(problem.arc_row))
    for row in range(len(problem.value)):
        rows.append((problem.arc_row == row).astype(float))
        room.append(1.0)
    for n, k in np.argwhere(np.isfinite(problem.capacity)):
        shared = (problem.arc_partner >= 0) & (k == 2)
        uses = np.where(shared, problem.arc_partner, problem.arc_option)
        rows.append(np.where(uses == n, problem.amount[problem.arc_row, t - 1, k], 0.0))
        room.append(float(problem.capacity[n, k]))
    for f in np.flatnonzero(problem.floor_stage <= t):
        rows.append(-problem.floor_weight[f, problem.arc_row])
        room.append(-float(problem.floor_amount[f]))
    upper = [float(problem.arc_share[arc]) if arc in live else 0.0 for arc in arcs]
    cost, bounds = -problem.value[problem.arc_row, t - 1], [(0.0, high) for high in upper]
    answer = linprog(cost, np.array(rows), room, bounds=bounds)
    assert answer.status == 0
    assert answer.fun is not None
    return -float(answer.fun)


@pytest.mark.parametrize("seed", SEEDS)
def test_service_is_the_best_there_is(seed: int) -> None:
    problem, exact = small_problem(seed), optimum(seed)
    assert exact is not None
    served = serve(problem, exact.stage, exact.dug)
    for t in range(1, problem.stages + 1):
        worth = float(problem.value[problem.arc_row, t - 1] @ served[:, t - 1])
        assert worth == pytest.approx(_by_scipy(problem, exact.stage, exact.dug, t), rel=1e-6, abs=1e-6)


def test_service_keeps_every_limit_without_rounding() -> None:
    for seed in SEEDS:
        problem, exact = small_problem(seed), optimum(seed)
        assert exact is not None
        served = serve(problem, exact.stage, exact.dug)
        assert (served >= 0.0).all()
        assert (served <= problem.arc_share[:, None]).all()
        for t in range(problem.stages):
            assert np.bincount(problem.arc_row, weights=served[:, t]).max() <= 1.0 + 1e-12


def test_path_lengths_follow_what_is_dug_and_the_metro_ring() -> None:
    problem = hand_problem()
    pair = np.array([1])
    assert path_lengths(problem, DUG, 1, pair) == pytest.approx([60.0])
    assert path_lengths(problem, np.array([1, -1, 2]), 2, pair) == pytest.approx([180.0])
    assert path_lengths(problem, np.array([1, -1, 2]), 1, pair) == pytest.approx([np.inf])
    ring = replace(problem, roots=np.array([0, 2]))
    assert path_lengths(ring, np.array([1, -1, -1]), 1, pair) == pytest.approx([100.0], abs=1e-6)
    nowhere = replace(problem, node=np.array([1, -1, -1, 0]))
    assert path_lengths(nowhere, np.array([1, -1, 2]), 1, pair) == pytest.approx([100.0], abs=1e-6)


def test_a_path_beyond_its_limit_serves_nobody() -> None:
    problem = replace(hand_problem(), floor_amount=np.array([0.0]))
    assert (serve(problem, STAGE, DUG)[1] > 0.0).all()
    assert (serve(problem, STAGE, np.array([1, -1, 1]))[1] == 0.0).all()


def test_a_floor_beats_worth() -> None:
    # The carrier takes 20 Mbit/s: 0.9 of row 0 uses 9, all of row 1 uses 4; uplink 8 is short.
    problem = replace(hand_problem(), value=np.array([[100.0, 100.0], [1.0, 1.0]]))
    free = serve(replace(problem, floor_amount=np.array([0.0])), STAGE, DUG)
    held = serve(replace(problem, floor_amount=np.array([36.0])), STAGE, DUG)
    assert free[1, 1] < 0.9
    assert held[1, 1] == pytest.approx(0.9)
    assert np.array_equal(held[:, 0], free[:, 0])


def test_a_floor_out_of_reach_is_refused_in_words() -> None:
    problem = replace(hand_problem(), floor_amount=np.array([41.0]))
    with pytest.raises(InfeasibleError, match=r"asks for 41\.0 in 2027; what stands by then reaches 40\.0"):
        serve(problem, STAGE, DUG)
    with pytest.raises(InfeasibleError, match=r"reaches 0\.0"):
        serve(problem, np.array([-1, -1, -1, 0]), DUG)


def test_floors_that_exclude_each_other_are_refused_in_words() -> None:
    problem = hand_problem()
    problem = replace(
        problem,
        floor_name=np.array(["all:a:2027", "all:b:2027"]),
        floor_stage=np.array([2, 2]),
        floor_weight=np.array([[0.0, 40.0], [40.0, 0.0]]),
        floor_amount=np.array([39.0, 36.0]),
    )
    with pytest.raises(InfeasibleError, match="not all together"):
        serve(problem, STAGE, DUG)
