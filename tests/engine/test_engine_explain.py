"""Reasons: one case for each code, by construction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.engine_graphs import star
from xinji.core.arrays import Floats
from xinji.core.offer import EXISTING, FORBIDDEN, FREE
from xinji.core.plan import Reasons
from xinji.core.problem import Problem
from xinji.plan.choose.bound import Multipliers
from xinji.plan.choose.explain import REASONS, explain, standing_state
from xinji.plan.choose.index import index


def prices(problem: Problem, cent: float = 0.001) -> Multipliers:
    stages, (n, resources) = problem.stages, problem.capacity.shape
    return Multipliers(
        budget=np.full(stages, cent),
        row=np.zeros(problem.value.shape),
        capacity=np.zeros((n, stages, resources)),
        floor=np.zeros((len(problem.floor_name), stages)),
        pair=np.zeros((len(index(problem).pair_row), stages)),
    )


def served_from(problem: Problem, stages: list[int]) -> Floats:
    stage = np.array(stages)[problem.arc_option][:, None]
    return ((stage >= 0) & (stage <= np.arange(1, problem.stages + 1))).astype(float)


def explained(problem: Problem, stages: list[int], dug: list[int], cent: float = 0.001) -> Reasons:
    served = served_from(problem, stages)
    return explain(problem, np.array(stages), np.array(dug), served, prices(problem, cent))


def codes(problem: Problem, stages: list[int], dug: list[int], cent: float = 0.001) -> list[str]:
    found = explained(problem, stages, dug, cent).code.tolist()
    assert set(found) <= set(REASONS)
    return [str(code) for code in found]


def test_what_was_decided_beforehand_is_said_first() -> None:
    problem = replace(star([1, 1, 1, 1]), built=np.array([EXISTING, 2, FORBIDDEN, FREE]))
    assert codes(problem, [0, 2, -1, 1], [1, -1, -1, -1]) == ["existing", "fixed", "forbidden", "worth_it"]


def test_an_island_has_no_fibre_path() -> None:
    assert codes(star([1, 5]), [1, -1], [1, -1, -1, -1]) == ["worth_it", "no_fibre_path"]


def test_an_existing_option_makes_its_island_joinable() -> None:
    problem = replace(star([4, 5]), built=np.array([EXISTING, FREE]))
    assert codes(problem, [0, -1], [-1, -1, -1, -1]) == ["existing", "outbid"]


def test_what_needs_a_host_that_is_out_says_so() -> None:
    problem = replace(star([3, -1]), host=np.array([-1, 0]))
    assert codes(problem, [-1, -1], [-1] * 4)[1] == "host_out"


def test_a_host_that_serves_nobody_itself_hosts_others() -> None:
    base = star([1, -1])
    only = np.array([1])
    problem = replace(
        base,
        host=np.array([-1, 0]),
        arc_row=only,
        arc_option=only,
        arc_partner=np.array([-1]),
        arc_share=np.ones(1),
        arc_limit_m=np.full(1, np.inf),
    )
    served = np.ones((1, 2))
    found = explain(problem, np.array([1, 1]), np.array([1, -1, -1, -1]), served, prices(problem))
    assert found.code.tolist() == ["hosts_others", "worth_it"]
    assert found.worth.tolist() == [0.0, 150.0]


def test_users_served_by_others_leave_no_demand() -> None:
    problem = replace(star([1, 1]), arc_row=np.array([0, 0]))
    assert codes(problem, [1, -1], [1, -1, -1, -1]) == ["worth_it", "no_demand_left"]


def test_what_is_dear_is_outbid_and_the_cost_to_force_it_is_the_difference() -> None:
    problem = star([1, 3])
    found = explained(problem, [1, -1], [1, -1, -1, -1], cent=0.05)
    assert found.code.tolist()[1] == "outbid"
    cents = 500 + 5000 + 2 * 50
    assert found.worth[1] == 150.0
    assert found.price[1] == pytest.approx(cents / 100)
    assert found.cost_to_force[1] == pytest.approx(cents * 0.05 - found.worth[1])


def test_the_price_holds_the_trenches_that_nothing_else_needs() -> None:
    found = explained(star([2, 3]), [1, 1], [1, 1, 1, -1])
    assert found.price.tolist() == [pytest.approx((500 + 100) / 100), pytest.approx((500 + 3000 + 100) / 100)]
    alone = explained(star([1, 3]), [-1, 2], [2, 2, 2, -1])
    assert alone.price[1] == pytest.approx((500 + 6000 + 50) / 100)
    assert alone.price[0] == pytest.approx((500 + 100) / 100)


def with_floor(problem: Problem) -> Problem:
    return replace(
        problem,
        floor_name=np.array(["rural:mobile_outdoor:2027"]),
        floor_stage=np.array([2]),
        floor_weight=np.ones((1, len(problem.value))),
        floor_amount=np.array([1.0]),
    )


def test_a_floor_is_why_something_dear_is_in() -> None:
    problem = star([3])
    assert codes(with_floor(problem), [1], [1, 1, 1, -1], cent=1.0) == ["meets_floor"]
    assert codes(with_floor(problem), [1], [1, 1, 1, -1], cent=1e-6) == ["worth_it"]


def test_under_least_cost_everything_in_meets_a_floor_and_money_is_what_forcing_costs() -> None:
    problem = replace(with_floor(star([1, 3])), goal="least_cost")
    found = explained(problem, [1, -1], [1, -1, -1, -1])
    assert found.code.tolist()[0] == "meets_floor"
    assert found.cost_to_force[0] == 0.0
    assert found.cost_to_force[1] == pytest.approx(found.price[1])


def test_every_reason_can_be_given() -> None:
    assert set(REASONS) == {
        "existing", "fixed", "worth_it", "hosts_others", "meets_floor",
        "outbid", "no_demand_left", "host_out", "no_fibre_path", "forbidden",
    }  # fmt: skip
    assert all(text.startswith(("in because", "out because", "stands")) for text in REASONS.values())


def test_the_state_of_a_finished_plan_leaves_what_is_not_served() -> None:
    problem = replace(star([1, 2]), arc_row=np.array([0, 1]), capacity=np.full((2, 3), 1.5))
    served = np.array([[0.25, 1.0], [0.0, 0.0]])
    _, state = standing_state(problem, np.array([1, -1]), served, prices(problem))
    assert state.rest.tolist() == [[0.75, 0.0], [1.0, 1.0]]
    assert state.room[0, :, 0].tolist() == [1.25, 0.5]
