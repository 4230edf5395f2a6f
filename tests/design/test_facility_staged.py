"""Staged location: optimum against enumeration, bound and value against plain numpy, messages."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from design.facility_cases import DEAREST, enumerated_stages, random_task
from xinji.errors import CheckError, InfeasibleError, InputError
from xinji.plan.design.facility.certificate import staged_bound, staged_value
from xinji.plan.design.facility.staged import staged_location


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6))
def test_optimum_is_that_of_enumeration_and_both_proofs_hold(seed: int) -> None:
    task = random_task(seed)
    best = enumerated_stages(task)
    if best > DEAREST:
        with pytest.raises(InfeasibleError):
            staged_location(task, seconds=20.0)
        return
    found = staged_location(task, seconds=20.0)
    assert found.value == pytest.approx(best, abs=1e-5)
    assert found.bound == pytest.approx(best, abs=1e-5)
    assert staged_value(task, found.opened, found.share) == pytest.approx(found.value, abs=1e-5)
    assert staged_bound(task, found.certificate) >= found.bound - 1e-5


def test_a_plan_over_its_budget_is_refused() -> None:
    task = replace(random_task(1), budget=np.zeros(len(random_task(1).budget)))
    stages, customers, count = task.cost.shape
    task = replace(task, opening_cost=np.ones((stages, count)))
    with pytest.raises(CheckError, match="spends more"):
        staged_value(task, np.zeros(count, dtype=np.int64), np.zeros((stages, customers, count)))


def test_money_that_carries_over_is_worth_at_least_as_much() -> None:
    kept = replace(random_task(12), carry_over=True)
    lapsed = replace(kept, carry_over=False)
    assert enumerated_stages(kept) <= enumerated_stages(lapsed)
    if enumerated_stages(lapsed) < DEAREST:
        assert staged_location(kept).value <= staged_location(lapsed).value + 1e-9


def test_too_little_capacity_is_told_by_stage() -> None:
    task = random_task(2)
    task = replace(task, capacity=np.zeros(len(task.capacity)), demand=task.demand + 1.0)
    with pytest.raises(InfeasibleError, match="In stage 0 customers must get"):
        staged_location(replace(task, unserved_cost=np.full(task.demand.shape, np.inf)))


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        replace(random_task(2), budget=np.zeros(9), capacity=np.array([np.nan]))
    assert len(caught.value.faults) >= 2
