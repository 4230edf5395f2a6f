"""Planning one technology after the other: within the same budgets, never beyond the joint bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from support.small_problem import CARRIER_A, CARRIER_B, CELL, ROOM, SERVER, SITE_A, SITE_B, hand_problem, small_problem
from xinji.core.arrays import Ints
from xinji.core.offer import EXISTING
from xinji.core.problem import Problem
from xinji.errors import CheckError
from xinji.plan.choose.check import check
from xinji.plan.choose.improve import Effort
from xinji.plan.choose.money import spend
from xinji.plan.choose.sequential import solve_sequential
from xinji.plan.choose.solve import solve

BRIEF = Effort(tries=6, seed=1, rounds=2)
WORTH = (0, 1, 2, 4, 5, 8, 10, 13)
COST = (3, 7, 15, 19)


def technologies() -> Ints:
    code = np.zeros(7, dtype=np.int64)
    code[[SITE_A, CARRIER_A, SITE_B, CARRIER_B]] = 0
    code[CELL] = 1
    code[[ROOM, SERVER]] = 2
    return code


def violations(problem: Problem, plan: object) -> list[str]:
    """Return what the checker holds against a plan, floors apart."""
    try:
        check(problem, plan)  # type: ignore[arg-type]
    except CheckError as error:
        return [line for line in str(error).splitlines() if not line.startswith("floor ")]
    return []


@pytest.mark.parametrize("seed", WORTH)
def test_budgets_are_kept_and_the_joint_bound_holds(seed: int) -> None:
    problem = small_problem(seed)
    joint = solve(problem, BRIEF)
    plan = solve_sequential(problem, technologies(), joint, BRIEF)
    assert violations(problem, plan) == []
    assert plan.bound == joint.bound
    assert plan.objective <= joint.bound * (1 + 1e-6)
    if joint.optimal and not plan.notes.get("floors"):
        assert plan.objective <= joint.objective * (1 + 1e-6)
    spent, limit = spend(problem, plan.stage, plan.trench_stage), problem.budget
    if problem.carry_over:
        spent, limit = np.cumsum(spent), np.cumsum(limit)
    assert (spent <= limit).all()


@pytest.mark.parametrize("seed", COST)
def test_meeting_floors_one_after_the_other_costs_no_less(seed: int) -> None:
    problem = small_problem(seed)
    joint = solve(problem, BRIEF)
    plan = solve_sequential(problem, technologies(), joint, BRIEF)
    assert plan.notes.get("floors") or plan.objective >= joint.objective * (1 - 1e-6)


@pytest.mark.parametrize("seed", [1, 3, 5, 7])
def test_the_floors_in_the_notes_are_those_that_are_missed(seed: int) -> None:
    problem = small_problem(seed)
    plan = solve_sequential(problem, technologies(), solve(problem, BRIEF), BRIEF)
    missed = []
    for floor, name in enumerate(problem.floor_name.tolist()):
        reached = problem.floor_weight[floor, problem.arc_row] @ plan.served
        due = reached[problem.floor_stage[floor] - 1 :]
        if (due < problem.floor_amount[floor] * (1 - 1e-6)).any():
            missed.append(name)
    assert plan.notes.get("floors", "") == ", ".join(missed)


def test_what_exists_stays_and_order_is_kept() -> None:
    problem = replace(hand_problem(), floor_amount=np.array([0.0]))
    joint = solve(problem, BRIEF)
    plan = solve_sequential(problem, np.array([0, 0, 2, 1]), joint, BRIEF)
    assert plan.stage[3] == EXISTING
    assert violations(problem, plan) == []
    assert plan.notes["bound"] == joint.notes["bound"]
    assert plan.fingerprint == problem.fingerprint


def test_one_technology_alone_gets_all_the_money() -> None:
    problem = small_problem(2)
    joint = solve(problem, BRIEF)
    plan = solve_sequential(problem, np.zeros(7, dtype=np.int64), joint, replace(BRIEF, tries=30))
    assert violations(problem, plan) == []
    assert plan.objective == pytest.approx(joint.objective, rel=0.05)
