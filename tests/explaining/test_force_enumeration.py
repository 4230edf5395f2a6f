"""What forcing costs, held against the enumeration of every plan: the interval holds the true cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.engine_graphs import star
from support.enumeration import enumerate_best
from support.small_plan import enumerated
from support.small_problem import small_problem
from xinji.core.offer import EXISTING, FORBIDDEN, FREE
from xinji.core.plan import Plan
from xinji.core.problem import NEVER, Problem
from xinji.errors import InfeasibleError, InputError
from xinji.plan.choose import force as module
from xinji.plan.choose.bound import prove
from xinji.plan.choose.check import check
from xinji.plan.choose.force import ANY_STAGE, OPTION, TRENCH, Wish, finished, force
from xinji.plan.choose.improve import Effort, Solution
from xinji.plan.choose.solve import solve

QUICK = Effort(tries=4, rounds=2)
SEEDS = (0, 1, 2, 3)
"""With three stages and codes, with a floor, plain, and asking for the least money."""


def plan_of(problem: Problem) -> Plan:
    try:
        return solve(problem, QUICK)
    except InfeasibleError:
        pytest.skip("no plan of this problem exists")


def kept_by_hand(problem: Problem, wish: Wish) -> Problem:
    """Return ``problem`` with ``wish`` and nothing else decided: hosts and ways are left to the enumeration."""
    if wish.kind == OPTION:
        built = problem.built.copy()
        built[wish.place] = FORBIDDEN if wish.stage == NEVER else wish.stage
        return replace(problem, built=built)
    if wish.stage != NEVER:
        dug = problem.trench_built.copy()
        dug[wish.place] = wish.stage
        return replace(problem, trench_built=dug)
    left = np.arange(len(problem.trench_id)) != wish.place
    return replace(
        problem,
        trench_id=problem.trench_id[left],
        from_node=problem.from_node[left],
        to_node=problem.to_node[left],
        trench_length_m=problem.trench_length_m[left],
        trench_capex=problem.trench_capex[left],
        trench_opex=problem.trench_opex[left],
        trench_built=problem.trench_built[left],
    )


def best_forced(problem: Problem, wish: Wish) -> float | None:
    """Return the best objective over all plans that keep ``wish``, by trying every plan."""
    stages = range(1, problem.stages + 1) if wish.stage == ANY_STAGE else [wish.stage]
    found = [enumerate_best(kept_by_hand(problem, replace(wish, stage=stage))) for stage in stages]
    values = [value for value in found if value is not None]
    if not values:
        return None
    return max(values) if problem.goal == "most_value" else min(values)


def wishes(problem: Problem, plan: Plan) -> list[Wish]:
    """Return two wishes about options and two about trenches, each against what the plan does."""
    free = [int(k) for k in np.flatnonzero(problem.built == FREE) if (problem.built[problem.host == k] < 0).all()]
    dug = [int(k) for k in np.flatnonzero(problem.trench_built == FREE)]
    options = [Wish(OPTION, k, ANY_STAGE if plan.stage[k] == NEVER else NEVER) for k in free]
    trenches = [Wish(TRENCH, k, problem.stages if plan.trench_stage[k] == NEVER else NEVER) for k in dug]
    return [*options[:2], *trenches[:1], *trenches[-1:]]


@pytest.mark.parametrize("small", [True, False], ids=["exact", "searched"])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_interval_holds_the_true_cost(monkeypatch: pytest.MonkeyPatch, seed: int, small: bool) -> None:  # noqa: FBT001
    problem = small_problem(seed)
    plan = plan_of(problem)
    if not small:
        monkeypatch.setattr(module, "SMALL", 0)
    sign = 1.0 if problem.goal == "most_value" else -1.0
    best = enumerated(seed)
    assert best is not None
    for wish in wishes(problem, plan):
        true = best_forced(problem, wish)
        try:
            found = force(problem, plan, wish, QUICK)
        except InfeasibleError:
            assert true is None or not small
            continue
        assert true is not None
        slack = 1e-6 * abs(best)
        assert found.low - slack <= sign * (plan.objective - true) <= found.high + slack
        assert found.best_low - slack <= sign * (best - true) <= found.best_high + slack
        assert found.low <= found.high
        check(found.problem, found.plan)
        assert found.spend.tolist() == (found.plan.spend - plan.spend).tolist()
        if small:
            assert found.high == pytest.approx(sign * (plan.objective - true), abs=slack)


def test_wishes_that_cannot_be_are_refused() -> None:
    problem = replace(star([1, 3, -1]), host=np.array([-1, -1, 1]), built=np.array([EXISTING, FREE, 1]))
    plan = solve(problem, QUICK)
    with pytest.raises(InputError, match="it stands already"):
        force(problem, plan, Wish(OPTION, 0, NEVER), QUICK)
    with pytest.raises(InputError, match="'option_2' stands on it, and exists or is committed"):
        force(problem, plan, Wish(OPTION, 1, NEVER), QUICK)
    with pytest.raises(InputError, match="the stage is 3"):
        force(problem, plan, Wish(TRENCH, 0, 3), QUICK)


def test_an_island_cannot_be_forced_in() -> None:
    problem = star([1, 5])
    plan = solve(replace(problem, built=np.array([FREE, FORBIDDEN])), QUICK)
    with pytest.raises(InfeasibleError, match="no way leads from a point of presence to option_1"):
        force(problem, plan, Wish(OPTION, 1, ANY_STAGE), QUICK)


def test_undoing_a_decision_may_gain() -> None:
    """What was committed to a poor place is released: the plan without it is better, and the cost negative."""
    problem = replace(star([1, 3]), built=np.array([FREE, 1]), budget=np.array([7_700, 1_000]))
    found = force(problem, solve(problem, QUICK), Wish(OPTION, 1, NEVER), QUICK)
    assert not found.restricts
    assert found.high == found.low
    assert found.plan.stage.tolist()[1] == NEVER


def test_the_way_of_something_forced_late_may_be_dug_early() -> None:
    """Trenches dug before the year that needs them stay where that year could not pay for them."""
    problem = replace(star([3]), budget=np.array([6_200, 700]), built=np.array([2]))
    bound = prove(problem, target=100.0, rounds=1)
    early = Solution(np.array([2]), np.array([1, 1, 1, -1]), np.zeros((1, 2)), 0.0, valid=True)
    made = finished(problem, early, bound)
    assert made.trench_stage.tolist() == [1, 1, 1, -1]
    check(problem, made)
