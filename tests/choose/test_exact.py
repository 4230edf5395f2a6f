"""What the exact solver says where there is no plan, and what it does with a known one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from support.small_plan import SECONDS, optimum
from support.small_problem import hand_problem, small_problem
from xinji.core.offer import EXISTING, FORBIDDEN
from xinji.errors import InfeasibleError
from xinji.plan.choose.cuts import crossing, first_cuts, flow_cuts, long_path_cuts, unjoined_cuts
from xinji.plan.choose.exact import solve_exact
from xinji.plan.choose.serve import serve


def test_the_hand_problem_is_built_at_once() -> None:
    plan = solve_exact(hand_problem(), seconds=SECONDS)
    assert plan is not None
    assert plan.stage.tolist() == [1, 1, 1, EXISTING]
    assert plan.dug.tolist() == [1, 1, 2]
    assert plan.optimal


def test_budgets_too_small_are_named() -> None:
    problem = replace(hand_problem(), budget=np.array([0, 100]))
    with pytest.raises(InfeasibleError, match=r"need [\d.,]+ in 2026 in the cheapest plan; the budget is 0.00"):
        solve_exact(problem, seconds=SECONDS)


def test_a_floor_out_of_reach_at_any_cost_is_named() -> None:
    problem = replace(hand_problem("least_cost"), floor_amount=np.array([50.0]))
    with pytest.raises(InfeasibleError, match=r"at any cost .* asks for 50\.0 in 2027"):
        solve_exact(problem, seconds=SECONDS)
    with pytest.raises(InfeasibleError, match=r"at any cost .* asks for 50\.0 in 2027"):
        solve_exact(replace(problem, goal="most_value"), seconds=SECONDS)


@pytest.mark.parametrize("codes", [[2, 1, -1, 0], [FORBIDDEN, 1, -1, 0], [-1, EXISTING, -1, 0]])
def test_what_stands_before_its_host_is_refused(codes: list[int]) -> None:
    problem = replace(hand_problem(), built=np.array(codes))
    with pytest.raises(InfeasibleError, match=r"'carrier' is fixed to stage \d, but its host 'site'"):
        solve_exact(problem, seconds=SECONDS)


def test_a_node_that_no_trench_reaches_is_never_joined() -> None:
    problem = hand_problem()
    island = replace(problem, node_count=4, node=np.array([3, -1, 2, 0]), floor_amount=np.zeros(1))
    plan = solve_exact(island, seconds=SECONDS)
    assert plan is not None
    assert plan.stage.tolist() == [-1, -1, -1, EXISTING]
    assert plan.dug.tolist() == [-1, -1, 2]


def test_path_limits_cost_worth() -> None:
    for seed in (0, 4, 8, 16):
        problem, limited = small_problem(seed), optimum(seed)
        free = solve_exact(replace(problem, arc_limit_m=np.full(len(problem.arc_row), np.inf)), seconds=SECONDS)
        assert free is not None
        assert limited is not None
        assert free.objective > limited.objective + 1e-6


def test_a_known_plan_is_kept_where_time_runs_out() -> None:
    problem, best = small_problem(0), optimum(0)
    assert best is not None
    assert solve_exact(problem, seconds=0.0) is None
    kept = solve_exact(problem, seconds=0.0, start=(best.stage, best.dug))
    assert kept is not None
    assert kept.objective == pytest.approx(best.objective)
    assert not kept.optimal


def test_a_start_that_breaks_a_constraint_is_not_used() -> None:
    problem, best = small_problem(0), optimum(0)
    assert best is not None
    everything = np.where(problem.built == -1, 1, problem.built), np.where(problem.trench_built == -1, 1, best.dug)
    assert solve_exact(problem, seconds=0.0, start=everything) is None
    again = solve_exact(problem, seconds=SECONDS, start=everything)
    assert again is not None
    assert again.objective == pytest.approx(best.objective)


@pytest.mark.parametrize("seed", [0, 4, 8, 16, 20])
def test_no_cut_takes_the_best_plan_away(seed: int) -> None:
    problem, best = small_problem(seed), optimum(seed)
    assert best is not None
    assert unjoined_cuts(problem, best.stage, best.dug) == []
    served = serve(problem, best.stage, best.dug)
    assert long_path_cuts(problem, served, best.dug) == []
    rng = np.random.default_rng(seed)
    half = flow_cuts(problem, rng.random((7, problem.stages)), 0.3 * rng.random((7, problem.stages)))
    assert half
    for cut in [*first_cuts(problem), *half]:
        if best.stage[cut.option] > 0:
            dug = best.dug[cut.edges]
            assert ((dug >= 0) & (dug <= best.stage[cut.option])).any()


def test_crossing_trenches_have_one_end_inside() -> None:
    assert crossing(hand_problem(), np.array([False, True, True])).tolist() == [0, 2]


@pytest.mark.parametrize("seed", [0, 2, 4, 8, 16, 20, 26])
def test_nothing_idle_is_built(seed: int) -> None:
    problem, best = small_problem(seed), optimum(seed)
    assert best is not None
    used = best.served.max(axis=1) > 0.0
    busy = {*problem.arc_option[used].tolist(), *problem.arc_partner[used].tolist()}
    busy |= {int(problem.host[option]) for option in busy if option >= 0}
    assert set(np.flatnonzero((best.stage > 0) & (problem.built == -1)).tolist()) <= busy
