"""The exact solver, the proved bound, its certificate and the checker against trying every plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from support.small_plan import SECONDS, enumerated, optimum, plan_of, proved
from support.small_problem import small_problem
from xinji.core.offer import EXISTING, FORBIDDEN, FREE
from xinji.core.problem import NEVER
from xinji.errors import CheckError, InfeasibleError
from xinji.plan.choose.certificate import certified_bound
from xinji.plan.choose.check import check
from xinji.plan.choose.exact import solve_exact

INFEASIBLE = (6, 21, 27, 33, 45, 53)
FEASIBLE = tuple(seed for seed in range(54) if seed not in INFEASIBLE)


@pytest.mark.parametrize("seed", FEASIBLE)
def test_the_exact_plan_is_the_best_of_all_plans(seed: int) -> None:
    exact, best = optimum(seed), enumerated(seed)
    assert exact is not None
    assert exact.optimal
    assert exact.objective == pytest.approx(best, rel=1e-6)
    assert exact.bound == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("seed", INFEASIBLE)
def test_the_exact_solver_refuses_what_no_plan_meets(seed: int) -> None:
    assert enumerated(seed) is None
    with pytest.raises(InfeasibleError, match=r"the budget is [\d,.]+|No plan at any cost"):
        solve_exact(small_problem(seed), seconds=SECONDS)


@pytest.mark.parametrize("seed", FEASIBLE)
def test_no_plan_beats_the_proved_bound_and_the_certificate_agrees(seed: int) -> None:
    problem, best = small_problem(seed), enumerated(seed)
    assert best is not None
    bound = proved(problem, best)
    certified = certified_bound(problem, bound.certificate)
    sign = 1.0 if problem.goal == "most_value" else -1.0
    assert certified == pytest.approx(sign * bound.value, rel=1e-9)
    assert bound.value >= sign * best - 1e-6 * abs(best)
    exact = optimum(seed)
    assert exact is not None
    check(problem, plan_of(problem, exact, bound))
    check(problem, plan_of(problem, exact, bound, branched=True))


def test_the_problems_cover_what_a_problem_can_ask() -> None:
    problems = [small_problem(seed) for seed in FEASIBLE]
    assert len(problems) >= 40
    assert {problem.goal for problem in problems} == {"most_value", "least_cost"}
    assert {problem.carry_over for problem in problems} == {True, False}
    assert {problem.stages for problem in problems} == {2, 3}
    assert {len(problem.floor_name) for problem in problems} == {0, 1, 2}
    for codes in ([p.built for p in problems], [p.trench_built for p in problems]):
        assert any((code == EXISTING).any() for code in codes)
        assert any((code > EXISTING).any() for code in codes)
    assert any((problem.built == FORBIDDEN).any() for problem in problems)


@pytest.mark.parametrize("seed", FEASIBLE[:20])
def test_every_trench_dug_is_needed(seed: int) -> None:
    problem, exact = small_problem(seed), optimum(seed)
    assert exact is not None
    fixed = problem.trench_built != FREE
    assert np.array_equal(exact.dug[fixed], problem.trench_built[fixed])
    for edge in np.flatnonzero(~fixed & (exact.dug > 0)):
        without = exact.dug.copy()
        without[edge] = NEVER
        shorter = plan_of(problem, replace(exact, dug=without), proved(problem, exact.objective))
        with pytest.raises(CheckError, match=r"no trench joins|of fibre between"):
            check(problem, shorter)
