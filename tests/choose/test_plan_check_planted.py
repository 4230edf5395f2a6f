"""Every kind of violation, planted in a correct plan, is found and named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from support.small_plan import SECONDS, plan_of, proved
from support.small_problem import hand_problem
from xinji.core.arrays import Floats, Ints
from xinji.core.plan import Plan
from xinji.core.problem import Problem
from xinji.errors import CheckError
from xinji.plan.choose.certificate import certified_bound
from xinji.plan.choose.check import check
from xinji.plan.choose.exact import solve_exact
from xinji.plan.choose.money import spend

Planted = tuple[Problem, Plan]


def correct(problem: Problem, *, branched: bool = False) -> Planted:
    exact = solve_exact(problem, seconds=SECONDS)
    assert exact is not None
    return problem, plan_of(problem, exact, proved(problem, exact.objective), branched=branched)


def _staged(problem: Problem, plan: Plan, stage: Ints | None = None, trench: Ints | None = None) -> Plan:
    """Return ``plan`` with other stages and the spending that belongs to them."""
    stage = plan.stage if stage is None else stage
    trench = plan.trench_stage if trench is None else trench
    return replace(plan, stage=stage, trench_stage=trench, spend=spend(problem, stage, trench))


def _at(values: Ints, place: int, value: int) -> Ints:
    changed = values.copy()
    changed[place] = value
    return changed


def _serving(plan: Plan, arc: int, t: int, share: float) -> Floats:
    served = plan.served.copy()
    served[arc, t] = share
    return served


def _of_another_problem(problem: Problem, plan: Plan) -> Planted:
    return replace(problem, opex=problem.opex + 1), plan


def _wrong_shape(problem: Problem, plan: Plan) -> Planted:
    return problem, replace(plan, served=plan.served[:, :1])


def _money_as_floats(problem: Problem, plan: Plan) -> Planted:
    return problem, replace(plan, spend=plan.spend.astype(float))


def _stage_out_of_range(problem: Problem, plan: Plan) -> Planted:
    return problem, replace(plan, stage=_at(plan.stage, 0, 3))


def _existing_rebuilt(problem: Problem, plan: Plan) -> Planted:
    return problem, _staged(problem, plan, _at(plan.stage, 3, 1))


def _committed_put_off(problem: Problem, plan: Plan) -> Planted:
    return problem, _staged(problem, plan, trench=_at(plan.trench_stage, 2, -1))


def _free_called_existing(problem: Problem, plan: Plan) -> Planted:
    return problem, _staged(problem, plan, _at(plan.stage, 0, 0))


def _forbidden_built(problem: Problem, plan: Plan) -> Planted:
    forbidden = replace(problem, built=_at(problem.built, 2, -2))
    return forbidden, replace(plan, fingerprint=forbidden.fingerprint)


def _host_missing(problem: Problem, plan: Plan) -> Planted:
    return problem, _staged(problem, plan, _at(plan.stage, 0, -1))


def _host_later(problem: Problem, plan: Plan) -> Planted:
    return problem, _staged(problem, plan, _at(plan.stage, 0, 2))


def _cut_off(problem: Problem, plan: Plan) -> Planted:
    return problem, _staged(problem, plan, trench=_at(_at(plan.trench_stage, 0, -1), 1, -1))


def _over_budget(problem: Problem, plan: Plan) -> Planted:
    tight = replace(problem, budget=plan.spend - np.array([1, 0]))
    return tight, replace(plan, fingerprint=tight.fingerprint)


def _over_carried_budget(problem: Problem, plan: Plan) -> Planted:
    tight = replace(problem, carry_over=True, budget=plan.spend + np.array([100, -101]))
    return tight, replace(plan, fingerprint=tight.fingerprint)


def _wrong_spend(problem: Problem, plan: Plan) -> Planted:
    return problem, replace(plan, spend=plan.spend + np.array([0, 1]))


def _share_exceeded(problem: Problem, plan: Plan) -> Planted:
    return problem, replace(plan, served=_serving(plan, 2, 0, 0.26))


def _negative_share(problem: Problem, plan: Plan) -> Planted:
    return problem, replace(plan, served=_serving(plan, 2, 0, -0.01))


def _share_no_number(problem: Problem, plan: Plan) -> Planted:
    return problem, replace(plan, served=_serving(plan, 2, 0, np.nan))


def _served_by_nothing(problem: Problem, plan: Plan) -> Planted:
    return problem, _staged(problem, plan, _at(plan.stage, 1, -1))


def _partner_missing(problem: Problem, plan: Plan) -> Planted:
    return problem, _staged(problem, plan, _at(plan.stage, 2, -1))


def _row_twice(problem: Problem, plan: Plan) -> Planted:
    return problem, replace(plan, served=_serving(replace(plan, served=_serving(plan, 0, 1, 0.9)), 2, 1, 0.25))


def _path_too_long(problem: Problem, plan: Plan) -> Planted:
    short = replace(problem, arc_limit_m=np.array([np.inf, 50.0, np.inf]))
    return short, replace(plan, fingerprint=short.fingerprint)


def _over_capacity(problem: Problem, plan: Plan) -> Planted:
    small = replace(problem, capacity=problem.capacity * np.array([[1.0], [0.3], [1.0], [1.0]]))
    return small, replace(plan, fingerprint=small.fingerprint)


def _over_servers(problem: Problem, plan: Plan) -> Planted:
    small = replace(problem, capacity=np.where(np.arange(4)[:, None] == 2, 0.1, problem.capacity))
    return small, replace(plan, fingerprint=small.fingerprint)


def _floor_missed(problem: Problem, plan: Plan) -> Planted:
    served = plan.served.copy()
    served[1] = 0.0
    return problem, replace(plan, served=served)


def _wrong_objective(problem: Problem, plan: Plan) -> Planted:
    return problem, replace(plan, objective=plan.objective * 1.00001)


def _bound_below(problem: Problem, plan: Plan) -> Planted:
    return problem, replace(plan, bound=plan.objective * 0.99)


def _wrong_gap(problem: Problem, plan: Plan) -> Planted:
    return problem, replace(plan, gap=plan.gap / 2.0)


def _bound_not_proved(problem: Problem, plan: Plan) -> Planted:
    bound = (plan.objective + plan.bound) / 2.0
    return problem, replace(plan, bound=bound, gap=bound / plan.objective - 1.0)


def _called_optimal(problem: Problem, plan: Plan) -> Planted:
    return problem, replace(plan, optimal=True)


def _broken_certificate(problem: Problem, plan: Plan) -> Planted:
    return problem, replace(plan, certificate=replace(plan.certificate, row=plan.certificate.row - 1e3))


PLANTED: tuple[tuple[Callable[[Problem, Plan], Planted], str], ...] = (
    (_of_another_problem, "of another problem"),
    (_wrong_shape, r"served has shape \(3, 1\), expected \(3, 2\)"),
    (_money_as_floats, "spend has type float64"),
    (_stage_out_of_range, "option 'site' has stage 3, expected -1 to 2"),
    (_existing_rebuilt, "option 'cell' exists already"),
    (_committed_put_off, "trench 'ring' is committed to stage 2, the plan has stage -1"),
    (_free_called_existing, "option 'site' does not exist yet"),
    (_forbidden_built, "option 'room' is forbidden"),
    (_host_missing, "option 'carrier' stands from stage 1, its host 'site' has stage -1"),
    (_host_later, "its host 'site' has stage 2"),
    (_cut_off, "option 'site' stands in 2026, but no trench joins its node 1"),
    (_over_budget, r"is spent in 2026; the budget is \d"),
    (_over_carried_budget, r"is spent up to 2027; the budget is \d"),
    (_wrong_spend, "spend in 2027 is given as"),
    (_share_exceeded, r"arc 2 serves 0.26 of row 0 in 2026, allowed 0 to 0.25"),
    (_negative_share, r"arc 2 serves -0.01"),
    (_share_no_number, r"arc 2 serves nan"),
    (_served_by_nothing, "its option 'carrier' does not stand"),
    (_partner_missing, "its partner 'room' does not stand"),
    (_row_twice, r"row 0 is served 1.150000 times in 2027"),
    (_path_too_long, r"60.0 m of fibre between 'carrier' and 'room'; the limit is 50.0 m"),
    (_over_capacity, "option 'carrier' carries .* down_mbps in 2026; its capacity is 6.000"),
    (_over_servers, "option 'room' carries .* servers in 2027; its capacity is 0.100"),
    (_floor_missed, "floor 'all:industrial_edge:2027' asks for 10.000 in 2027, the plan reaches 0.000"),
    (_wrong_objective, "the objective is given as"),
    (_bound_below, "is on the wrong side of the objective"),
    (_wrong_gap, "the gap is given as"),
    (_bound_not_proved, "the certificate proves"),
    (_called_optimal, "called optimal at a gap"),
    (_broken_certificate, "multipliers 'row' are negative"),
)


@pytest.fixture(scope="module")
def good() -> Planted:
    return correct(hand_problem())


def test_the_correct_plan_passes_and_uses_what_the_plants_break(good: Planted) -> None:
    problem, plan = good
    check(problem, plan)
    assert plan.stage.tolist() == [1, 1, 1, 0]
    assert (plan.served[1] > 0.0).any()


@pytest.mark.parametrize(("plant", "words"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_a_planted_violation_is_found(good: Planted, plant: Callable[[Problem, Plan], Planted], words: str) -> None:
    problem, plan = plant(*good)
    with pytest.raises(CheckError, match=words):
        check(problem, plan)


@pytest.mark.parametrize(("goal", "carry_over"), [("most_value", True), ("least_cost", False), ("least_cost", True)])
def test_other_goals_and_carried_budgets_pass_too(goal: str, *, carry_over: bool) -> None:
    check(*correct(hand_problem(goal, carry_over=carry_over)))
    check(*correct(hand_problem(goal, carry_over=carry_over), branched=True))


def test_all_violations_are_listed_at_once(good: Planted) -> None:
    problem, plan = good
    broken = replace(plan, gap=9.0, spend=plan.spend + 1, served=_serving(plan, 2, 0, 0.3))
    with pytest.raises(CheckError) as caught:
        check(problem, broken)
    assert len(str(caught.value).splitlines()) >= 4


def test_a_branched_bound_may_not_contradict_its_certificate() -> None:
    problem, plan = correct(hand_problem("least_cost"), branched=True)
    better = certified_bound(problem, plan.certificate) / 2.0
    with pytest.raises(CheckError, match=r"the certificate's bound .* is on the wrong side"):
        check(problem, replace(plan, objective=better, bound=better))
