"""The search on small random problems: every plan passes the checker, and Ctrl-C keeps what is found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from support.enumeration import enumerate_best
from support.small_plan import optimum
from support.small_problem import SERVER, small_problem
from xinji.core.offer import EXISTING, FREE
from xinji.core.plan import Plan
from xinji.core.problem import Problem
from xinji.errors import InfeasibleError
from xinji.plan.choose import solve as solving
from xinji.plan.choose.bound import first_prices
from xinji.plan.choose.check import check
from xinji.plan.choose.explain import REASONS
from xinji.plan.choose.improve import Effort, Solution, improve, improve_from
from xinji.plan.choose.money import spend
from xinji.plan.choose.solve import finish, outdo, search, solve

BRIEF = Effort(tries=6, seed=1, rounds=2)
SEEDS = (0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 15, 16, 19, 23, 28)
COMMITTED_TRENCHES = (150, 159, 213, 240)
COMMITTED_OVER_BUDGET = (36, 62, 248)
NO_PLAN = (6, 21, 27, 33, 53, 68)
HARD_FLOORS = (69, 85, 231, 253)


def sign(problem: Problem) -> float:
    return 1.0 if problem.goal == "most_value" else -1.0


def searched(seed: int, effort: Effort = BRIEF) -> tuple[Problem, Plan]:
    """Return a small problem and what search, proof and tidying make of it, without branch and bound."""
    problem = small_problem(seed)
    found, bound, interrupted = search(problem, effort)
    assert found.valid
    return problem, finish(problem, found.stage, found.dug, bound, interrupted=interrupted)


def test_the_seeds_ask_for_all_that_a_problem_can() -> None:
    problems = [small_problem(seed) for seed in SEEDS]
    assert {problem.goal for problem in problems} == {"most_value", "least_cost"}
    assert {problem.carry_over for problem in problems} == {True, False}
    assert {problem.stages for problem in problems} == {2, 3}
    assert any((problem.trench_built == EXISTING).any() for problem in problems)
    assert any((problem.built > EXISTING).any() for problem in problems)
    assert any((small_problem(seed).trench_built > EXISTING).any() for seed in COMMITTED_TRENCHES)


@pytest.mark.parametrize("seed", [*SEEDS, *COMMITTED_TRENCHES])
def test_a_searched_plan_passes_the_checker(seed: int) -> None:
    problem, plan = searched(seed)
    check(problem, plan)
    best = optimum(seed)
    assert best is not None
    assert plan.gap >= 0.0
    assert sign(problem) * plan.objective <= sign(problem) * best.objective + 1e-6 * abs(best.objective)
    assert sign(problem) * plan.bound >= sign(problem) * best.objective - 1e-6 * abs(best.objective)
    assert set(plan.reasons.code.tolist()) <= set(REASONS)


@pytest.mark.parametrize("seed", COMMITTED_OVER_BUDGET)
def test_a_plan_over_budget_is_never_called_valid(seed: int) -> None:
    problem = small_problem(seed)
    found, _, _ = search(problem, BRIEF)
    spent, limit = spend(problem, found.stage, found.dug), problem.budget
    if problem.carry_over:
        spent, limit = np.cumsum(spent), np.cumsum(limit)
    assert found.valid == bool((spent <= limit).all())


@pytest.mark.parametrize("seed", NO_PLAN)
def test_what_no_plan_can_keep_is_refused(seed: int) -> None:
    with pytest.raises(InfeasibleError):
        solve(small_problem(seed), BRIEF)


@pytest.mark.parametrize("seed", [*HARD_FLOORS, *COMMITTED_OVER_BUDGET])
def test_a_small_problem_is_not_refused_where_a_plan_exists(seed: int) -> None:
    best, problem = optimum(seed), small_problem(seed)
    assert best is not None
    plan = solve(problem, BRIEF)
    check(problem, plan)
    assert plan.objective == pytest.approx(best.objective, rel=1e-6)


@pytest.mark.parametrize("seed", range(40))
def test_a_small_problem_is_solved_to_what_enumeration_finds(seed: int) -> None:
    problem = small_problem(seed)
    best = enumerate_best(problem)
    if best is None:
        with pytest.raises(InfeasibleError):
            solve(problem, BRIEF)
        return
    plan = solve(problem, BRIEF)
    check(problem, plan)
    assert plan.optimal
    assert plan.notes["bound"] == "branch and bound"
    assert plan.objective == pytest.approx(best, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("seed", [0, 7, 12, 16])
def test_the_same_seed_gives_the_same_plan(seed: int) -> None:
    (_, one), (_, two) = searched(seed), searched(seed)
    assert np.array_equal(one.stage, two.stage)
    assert np.array_equal(one.trench_stage, two.trench_stage)
    assert np.array_equal(one.served, two.served)
    assert (one.objective, one.bound) == (two.objective, two.bound)


@pytest.mark.parametrize("seed", [0, 3, 5, 7, 11, 12, 13, 16])
def test_searching_is_never_worse_than_not_searching(seed: int) -> None:
    problem = small_problem(seed)
    nothing = np.full(len(problem.option_id), -1)
    figures = []
    for tries in (0, 5, 40):
        found, interrupted = improve(problem, first_prices(problem), nothing, Effort(tries=tries, seed=2))
        assert found.valid
        assert not interrupted
        figures.append(found.objective)
    assert figures[0] <= figures[1] + 1e-9
    assert figures[0] <= figures[2] + 1e-9


def test_most_searches_of_small_problems_end_near_the_optimum() -> None:
    close = 0
    for seed in SEEDS:
        _, plan = searched(seed, replace(BRIEF, tries=30))
        best = optimum(seed)
        assert best is not None
        close += abs(plan.objective - best.objective) <= 0.05 * abs(best.objective)
    assert close >= len(SEEDS) // 2


@pytest.mark.parametrize("seed", [0, 3, 12])
def test_ctrl_c_keeps_the_best_plan(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "SMALL", 0)
    seen = []

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 3:
            raise KeyboardInterrupt

    problem = small_problem(seed)
    plan = solve(problem, replace(BRIEF, tries=50, progress=stop))
    assert plan.interrupted
    assert not plan.optimal
    assert seen == [(1, 50), (2, 50), (3, 50)]
    check(problem, plan)


def test_seconds_end_the_search() -> None:
    calls = []
    problem = small_problem(0)
    nothing = np.full(len(problem.option_id), -1)
    effort = Effort(tries=10_000, seconds=0.0, progress=lambda done, _: calls.append(done))
    found, interrupted = improve(problem, first_prices(problem), nothing, effort)
    assert found.valid
    assert not interrupted
    assert not calls


def plan_of_nothing(problem: Problem) -> Plan:
    _, bound, _ = search(problem, replace(BRIEF, tries=0))
    stage = np.where(problem.built == FREE, -1, np.maximum(problem.built, -1))
    dug = np.where(problem.trench_built == FREE, -1, problem.trench_built)
    return finish(problem, stage, dug, bound, interrupted=False)


@pytest.mark.parametrize("seed", [2, 4, 10])
def test_outdo_adopts_a_better_plan_and_keeps_the_bound(seed: int) -> None:
    problem, other = searched(seed)
    plan = plan_of_nothing(problem)
    assert other.objective > plan.objective
    adopted = outdo(problem, plan, other, BRIEF)
    check(problem, adopted)
    assert adopted.objective >= other.objective * (1 - 1e-9)
    assert adopted.bound == plan.bound


def test_outdo_leaves_a_plan_that_needs_no_help() -> None:
    problem, good = searched(2)
    poor = plan_of_nothing(problem)
    assert outdo(problem, good, poor, BRIEF) is good
    assert outdo(problem, replace(poor, optimal=True), good, BRIEF).objective == poor.objective
    missing = replace(good, notes={"bound": "certificate", "floors": "all:gigabit:2027"})
    assert outdo(problem, poor, missing, BRIEF) is poor


def test_improving_a_plan_starts_from_it() -> None:
    problem, good = searched(12, replace(BRIEF, tries=30))
    prices = first_prices(problem)
    found = improve_from(problem, prices, (good.stage, good.trench_stage), replace(BRIEF, tries=0))
    assert isinstance(found, Solution)
    assert np.array_equal(found.stage, good.stage)
    assert found.objective == pytest.approx(good.objective, rel=1e-6)


def test_dear_servers_are_left_out() -> None:
    problem = small_problem(2)
    dear = problem.capex.copy()
    dear[SERVER] = int(problem.budget.sum()) + 1
    found, _, _ = search(replace(problem, capex=dear), BRIEF)
    assert found.valid
    assert found.stage[SERVER] == -1
