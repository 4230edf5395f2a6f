"""Trenches laid anew: never dearer, everything joined in time, what is committed untouched."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.engine_graphs import joined, random_graph
from xinji.core.arrays import Ints
from xinji.core.offer import EXISTING
from xinji.core.problem import Problem
from xinji.plan.choose.relay import relaid


def _everything_dug(problem: Problem) -> Ints:
    return np.where(problem.trench_built == EXISTING, EXISTING, 1)


@given(st.integers(0, 100_000))
@settings(max_examples=60, deadline=None)
def test_all_that_stands_is_joined_in_time_by_a_tree_that_is_no_dearer(seed: int) -> None:
    problem = random_graph(seed, nodes=12, extra=8, options=5)
    stage = np.random.default_rng(seed).integers(-1, problem.stages + 1, len(problem.option_id))
    stage = np.where(stage == 0, 1, stage)
    dug = relaid(problem, stage, _everything_dug(problem), problem.roots)
    for now in range(1, problem.stages + 1):
        needed = set(problem.node[(stage > 0) & (stage <= now)].tolist())
        assert needed <= joined(problem, dug, now, problem.roots)
    again = relaid(problem, stage, dug, problem.roots)
    assert problem.trench_capex[again > 0].sum() <= problem.trench_capex[dug > 0].sum()
    if (stage > 0).any():
        assert problem.trench_capex[dug > 0].sum() <= problem.trench_capex.sum()


@given(st.integers(0, 100_000))
@settings(max_examples=40, deadline=None)
def test_what_exists_or_is_committed_keeps_its_stage(seed: int) -> None:
    problem = random_graph(seed, nodes=10, extra=6, options=4)
    built = np.random.default_rng(seed).choice([-1, -1, EXISTING, 1, 2], len(problem.trench_id))
    problem = replace(problem, trench_built=built)
    stage = np.full(len(problem.option_id), problem.stages)
    before = np.where(built >= EXISTING, built, 1)
    dug = relaid(problem, stage, before, problem.roots)
    assert np.array_equal(dug[built >= EXISTING], built[built >= EXISTING])


def test_nothing_to_join_changes_nothing() -> None:
    problem = random_graph(3)
    dug = _everything_dug(problem)
    assert np.array_equal(relaid(problem, np.full(len(problem.option_id), -1), dug, problem.roots), dug)
