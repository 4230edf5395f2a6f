"""Service around a change: limits hold, rows elsewhere keep theirs, and nothing is lost where the change reaches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from support.small_plan import optimum
from support.small_problem import hand_problem, small_problem
from xinji.core.arrays import Floats, Ints
from xinji.core.problem import Problem
from xinji.plan.choose.formulation import carriers
from xinji.plan.choose.near import serve_near
from xinji.plan.choose.serve import serve

SEEDS = tuple(seed for seed in range(24) if optimum(seed) is not None)


def _without_floors(seed: int) -> tuple[Problem, Ints, Ints]:
    problem, exact = small_problem(seed), optimum(seed)
    assert exact is not None
    return replace(problem, floor_amount=np.zeros(len(problem.floor_amount))), exact.stage, exact.dug


def _less(problem: Problem, stage: Ints, option: int) -> Ints:
    """Return ``stage`` without ``option`` and what stands on it."""
    at, gone = np.arange(len(stage)), np.zeros(len(stage), dtype=bool)
    while (at >= 0).any():
        gone |= at == option
        at = np.where(at >= 0, problem.host[at], -1)
    return np.where(gone, -1, stage)


def _worth(problem: Problem, served: Floats) -> float:
    return float((problem.value[problem.arc_row] * served).sum())


def _keeps_limits(problem: Problem, served: Floats) -> bool:
    rows = all(np.bincount(problem.arc_row, weights=part).max() <= 1.0 + 1e-9 for part in served.T)
    used = np.zeros((*problem.capacity.shape, problem.stages))
    for k in range(problem.capacity.shape[1]):
        np.add.at(used[:, k], carriers(problem, k), problem.amount[problem.arc_row, :, k] * served)
    return rows and bool((used <= problem.capacity[:, :, None] * (1.0 + 1e-9) + 1e-9).all())


@pytest.mark.parametrize("seed", SEEDS)
def test_adding_and_taking_away_an_option_is_served_as_from_nothing(seed: int) -> None:
    problem, stage, dug = _without_floors(seed)
    whole = serve(problem, stage, dug)
    for option in np.flatnonzero(stage > 0):
        fewer = _less(problem, stage, int(option))
        part = serve(problem, fewer, dug)
        for now, then, known, best in ((stage, fewer, part, whole), (fewer, stage, whole, part)):
            found = serve_near(problem, now, dug, then, known)
            assert found is not None
            assert _keeps_limits(problem, found)
            assert _worth(problem, found) <= _worth(problem, best) * (1.0 + 1e-9) + 1e-9
            assert _worth(problem, found) >= _worth(problem, best) * 0.95


def test_rows_that_no_change_reaches_keep_their_service() -> None:
    problem, stage, dug = _without_floors(SEEDS[0])
    known = serve(problem, stage, dug)
    same = serve_near(problem, stage, dug, stage, known)
    assert same is not None
    assert np.array_equal(same, known)


def test_a_floor_out_of_reach_is_none() -> None:
    problem = replace(hand_problem(), floor_amount=np.array([36.0]))
    stage, dug = np.array([1, 1, 1, 0]), np.array([1, 1, 2])
    known = serve(problem, stage, dug)
    assert serve_near(problem, np.array([-1, -1, -1, 0]), dug, stage, known) is None
