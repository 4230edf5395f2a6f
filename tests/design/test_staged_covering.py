"""Staged covering: enumeration, certificates by another route, odd input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from design.covering_cases import best_staged, covers_of, matrix_of, random_covers
from xinji.core.arrays import Floats
from xinji.errors import InputError
from xinji.plan.design.covering.covers import Covers
from xinji.plan.design.covering.generator import clustered_covers
from xinji.plan.design.covering.staged import StagedCovering, staged_covering

WORTH = 1.08 ** -np.arange(3.0)


def _holds(covers: Covers, worth: Floats, budget: Floats, plan: StagedCovering) -> None:
    """Check value, budgets and bound with dense matrices."""
    met, stages = matrix_of(covers), len(worth)
    standing = (plan.stage >= 0) & (plan.stage[None, :] <= np.arange(stages)[:, None])
    assert (standing @ covers.cost <= budget + 1e-9).all()
    served = (met.astype(int) @ standing.T.astype(int)) > 0
    assert plan.value == pytest.approx(float(covers.weight @ served @ worth), rel=1e-9, abs=1e-9)
    limit = covers.weight[:, None] * worth
    assert (plan.price >= 0.0).all()
    assert (plan.price <= limit).all()
    assert (plan.money_price >= 0.0).all()
    bound = (limit - plan.price).sum() + plan.money_price @ budget
    for site in range(covers.sites):
        earned = plan.price[met[:, site]].sum(axis=0) - covers.cost[site] * plan.money_price
        runs = [earned[t:].sum() for t in range(stages) if covers.cost[site] <= budget[t]]
        bound += max([0.0, *runs])
    assert plan.bound == pytest.approx(bound, rel=1e-9, abs=1e-9)
    assert plan.bound >= plan.value - 1e-9
    assert plan.value >= plan.greedy_value - 1e-9


@pytest.mark.parametrize("seed", range(8))
def test_small_plans_are_the_best_of_all(seed: int) -> None:
    covers = random_covers(seed, 25, 6, 0.25)
    budget = np.array([0.25, 0.4, 0.6]) * covers.cost.sum()
    plan = staged_covering(covers, worth=WORTH, budget=budget, seconds=60.0, seed=1)
    _holds(covers, WORTH, budget, plan)
    best = best_staged(covers, WORTH, budget)
    assert plan.value == pytest.approx(best, rel=1e-9)
    assert plan.bound >= best - 1e-9


def _lp_bound(covers: Covers, worth: Floats, budget: Floats) -> float:
    """Return the value of the relaxation, solved whole by another solver."""
    met, stages = matrix_of(covers).astype(float), len(worth)
    n, m = met.shape
    rows, right = [], []
    for t in range(stages):
        block = np.zeros((n, stages * (m + n)))
        block[:, t * m : (t + 1) * m] = -met
        block[:, stages * m + t * n : stages * m + (t + 1) * n] = np.eye(n)
        money = np.zeros((1, stages * (m + n)))
        money[0, t * m : (t + 1) * m] = covers.cost
        rows += [block, money]
        right += [np.zeros(n), budget[t : t + 1]]
        if t:
            rise = np.zeros((m, stages * (m + n)))
            rise[:, (t - 1) * m : t * m], rise[:, t * m : (t + 1) * m] = np.eye(m), -np.eye(m)
            rows.append(rise)
            right.append(np.zeros(m))
    gain = np.concatenate([np.zeros(stages * m), *(worth[t] * covers.weight for t in range(stages))])
    answer = linprog(-gain, A_ub=np.vstack(rows), b_ub=np.concatenate(right), bounds=(0.0, 1.0))
    assert answer.fun is not None
    return -float(answer.fun)


@pytest.mark.parametrize("seed", range(2))
def test_the_bound_is_that_of_the_relaxation(seed: int) -> None:
    covers = random_covers(100 + seed, 60, 20, 0.1)
    budget = np.array([0.15, 0.25, 0.4]) * covers.cost.sum()
    plan = staged_covering(covers, worth=WORTH, budget=budget, seconds=60.0, seed=0)
    _holds(covers, WORTH, budget, plan)
    known = _lp_bound(covers, WORTH, budget)
    assert plan.bound == pytest.approx(known, rel=2e-3)
    assert plan.value > 0.9 * known


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    points=st.integers(1, 12),
    sites=st.integers(1, 5),
    share=st.floats(0.0, 1.0),
    money=st.lists(st.floats(0.0, 3.0), min_size=1, max_size=3),
)
def test_any_instance_is_proved(seed: int, points: int, sites: int, share: float, money: list[float]) -> None:
    covers = random_covers(seed, points, sites, share)
    budget, worth = np.cumsum(money), np.linspace(1.0, 0.5, len(money))
    plan = staged_covering(covers, worth=worth, budget=budget, seconds=60.0, seed=seed)
    _holds(covers, worth, budget, plan)
    assert plan.value >= 0.999 * best_staged(covers, worth, budget)


def test_the_search_leaves_no_money_over_and_beats_the_greedy_plan() -> None:
    covers = clustered_covers(2_000, 400, 30.0, 3)
    budget = np.array([3.0, 6.0, 9.0])
    plan = staged_covering(covers, worth=WORTH, budget=budget, seconds=60.0, seed=0)
    _holds(covers, WORTH, budget, plan)
    assert [int(((plan.stage >= 0) & (plan.stage <= t)).sum()) for t in range(3)] == budget.tolist()
    assert plan.value > 1.01 * plan.greedy_value


def test_the_same_seed_gives_the_same_plan() -> None:
    covers = random_covers(7, 300, 40, 0.06)
    budget = np.array([3.0, 6.0, 8.0])
    first, second = (staged_covering(covers, worth=WORTH, budget=budget, seconds=60.0, seed=3) for _ in range(2))
    assert (first.stage == second.stage).all()
    assert first.bound == second.bound
    assert first.gap < 0.05


def test_free_sites_and_points_without_weight() -> None:
    met = np.array([[True, False], [False, True], [False, False], [True, True]])
    covers = covers_of(met, np.array([2.0, 3.0, 5.0, 0.0]), np.array([0.0, 4.0]))
    plan = staged_covering(covers, worth=np.ones(2), budget=np.array([0.0, 4.0]), seconds=10.0, seed=0)
    _holds(covers, np.ones(2), np.array([0.0, 4.0]), plan)
    assert plan.value == pytest.approx(7.0)
    assert plan.bound == pytest.approx(7.0, rel=1e-3)


def test_nothing_to_gain_or_to_spend() -> None:
    covers = random_covers(1, 10, 3, 0.5)
    for worth, budget in ((np.zeros(2), np.ones(2)), (np.ones(2), np.zeros(2))):
        plan = staged_covering(covers, worth=worth, budget=budget, seconds=10.0, seed=0)
        _holds(covers, worth, budget, plan)
        assert plan.value == plan.bound == 0.0


def test_all_faults_are_told_at_once() -> None:
    covers = random_covers(1, 5, 2, 0.5)
    with pytest.raises(InputError) as caught:
        staged_covering(covers, worth=np.array([1.0, -1.0]), budget=np.array([2.0, 1.0]), seconds=0.0, seed=0)
    assert len(caught.value.faults) == 3
    with pytest.raises(InputError, match="for 2 stages"):
        staged_covering(covers, worth=np.ones(2), budget=np.ones(3), seconds=1.0, seed=0)
