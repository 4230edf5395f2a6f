"""What is said where floors cannot be met."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from support.small_plan import SECONDS
from support.small_problem import hand_problem
from xinji.core.offer import EXISTING, FORBIDDEN
from xinji.core.problem import Problem
from xinji.errors import InfeasibleError
from xinji.plan.choose.check import check
from xinji.plan.choose.exact import solve_exact
from xinji.plan.choose.feasible import refuse
from xinji.plan.choose.improve import Effort
from xinji.plan.choose.money import spend
from xinji.plan.choose.solve import solve

BRIEF = Effort(tries=3, rounds=2)
MILLION = 100_000_000


def dear(amount: float = 20.0, budget: tuple[int, int] = (400_000_000, 250_000_000)) -> Problem:
    """Return the hand problem at a hundred thousand times its prices, its floor for ``amount`` of row 0's 40 users.

    The existing cell reaches 10 of them, the carrier 36, both together 40.
    """
    problem, factor = hand_problem(), 100_000
    return replace(
        problem,
        capex=problem.capex * factor,
        opex=problem.opex * factor,
        trench_capex=problem.trench_capex * factor,
        trench_opex=problem.trench_opex * factor,
        budget=np.array(budget),
        floor_name=np.array(["urban:mobile_outdoor:2027"]),
        floor_weight=np.array([[40.0, 0.0]]),
        floor_amount=np.array([amount]),
    )


def test_money_that_is_short_is_told_in_millions() -> None:
    problem = dear(budget=(100_000_000, 60_000_000))
    least = solve_exact(replace(problem, goal="least_cost", discount=np.ones(2)), seconds=SECONDS)
    assert least is not None
    needed = spend(problem, least.stage, least.dug).sum() / MILLION
    with pytest.raises(InfeasibleError) as caught:
        solve(problem, BRIEF)
    text = str(caught.value)
    assert "the floor for urban (mobile outdoor) needs" in text
    assert f"needs {needed:.1f} million by 2027" in text
    assert "the budget is 1.6" in text


def test_the_cheapest_plan_that_was_found_fits_the_budget_where_one_exists() -> None:
    plan = solve(dear(), BRIEF)
    assert (plan.spend <= [400_000_000, 250_000_000]).all()


def test_a_floor_beyond_all_shares_names_the_users() -> None:
    with pytest.raises(InfeasibleError, match=r"all options together reach 40 of the 50 users it asks for"):
        solve(dear(amount=50.0), BRIEF)


def test_what_is_forbidden_serves_nobody() -> None:
    problem = replace(dear(), built=np.array([-1, FORBIDDEN, -1, EXISTING]))
    with pytest.raises(InfeasibleError, match=r"by 2027 cannot be met: all options together reach 10 of the 20 users"):
        solve(problem, BRIEF)


def test_capacity_that_is_short_is_told() -> None:
    problem = dear(amount=35.0)
    capacity = problem.capacity.copy()
    capacity[1] = 2.0
    with pytest.raises(InfeasibleError, match="no plan was found that serves enough of them, whatever is spent"):
        solve(replace(problem, capacity=capacity), BRIEF)


def test_a_floor_that_only_pairs_can_meet_is_met() -> None:
    problem = hand_problem()
    plan = solve(problem, BRIEF)
    check(problem, plan)
    assert "whatever is spent" not in str(refuse(problem))


def test_floors_that_only_together_are_too_dear_are_told_so() -> None:
    problem = dear(budget=(1_000_000_000, 1_000_000_000))
    text = str(refuse(problem))
    assert "meets all floors together" in text
    assert "20.0 million in all" in text


def test_no_budget_is_named_where_none_binds() -> None:
    problem = replace(dear(budget=(0, 0)), goal="least_cost")
    assert "the budget is" not in str(refuse(problem))
