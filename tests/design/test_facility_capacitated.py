"""Capacitated location: optimum against enumeration, bound against plain numpy, published instances, messages."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from design.facility_cases import UNREACHABLE, enumerated_location
from xinji.core.arrays import Floats
from xinji.errors import CheckError, InfeasibleError, InputError
from xinji.plan.design.facility.capacitated import capacitated_location
from xinji.plan.design.facility.certificate import (
    location_bound,
    location_value,
    single_source_bound,
    single_source_value,
)
from xinji.plan.design.facility.single_source import single_source_location
from xinji.plan.design.facility.transport import transport

Case = tuple[Floats, Floats, Floats, Floats]


def random_case(seed: int) -> Case:
    draw = np.random.default_rng(seed)
    count, customers = int(draw.integers(1, 6)), int(draw.integers(1, 9))
    demand = draw.integers(0, 9, customers).astype(float)
    capacity = draw.integers(1, 20, count).astype(float)
    capacity[0] += max(demand.sum() - capacity.sum(), 0.0)
    if seed % 4 == 0:
        capacity[:] = np.inf
    cost = draw.integers(0, 25, (customers, count)).astype(float)
    return draw.integers(0, 40, count).astype(float), capacity, demand, cost


def clustered(seed: int, count: int, customers: int, tightness: float) -> Case:
    draw = np.random.default_rng(seed)
    site, home = draw.random((count, 2)), draw.random((customers, 2))
    demand = draw.integers(1, 101, customers).astype(float)
    distance = np.linalg.norm(home[:, None] - site, axis=2) * 1000.0
    capacity = np.full(count, demand.sum() / tightness)
    return draw.uniform(0.5, 1.5, count) * 1200.0 * customers, capacity, demand, distance * demand[:, None]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_optimum_is_that_of_enumeration_and_both_proofs_hold(seed: int) -> None:
    case = random_case(seed)
    found = capacitated_location(*case, seconds=20.0)
    assert found.value == pytest.approx(enumerated_location(*case), abs=1e-6)
    assert found.bound == pytest.approx(found.value, abs=1e-6)
    assert location_value(*case, found.open, found.share) == pytest.approx(found.value, abs=1e-6)
    assert location_bound(*case, found.certificate) >= found.bound - 1e-6
    root = replace(found.certificate, parent=np.array([-1]), column=np.array([-1]), side=np.array([-1]))
    assert root.kind == "multipliers"


@pytest.mark.parametrize("tightness", [4.7, 6.1])
def test_a_tree_proves_what_multipliers_cannot(tightness: float) -> None:
    case = clustered(3, 20, 60, tightness)
    found = capacitated_location(*case, seconds=60.0)
    assert found.proof == "branch and bound"
    assert found.root_bound < found.bound == pytest.approx(found.value, rel=1e-8)
    assert location_bound(*case, found.certificate) == pytest.approx(found.value, rel=1e-8)


def test_a_bound_out_of_time_is_still_proved() -> None:
    case = clustered(5, 20, 60, 6.1)
    found = capacitated_location(*case, seconds=1e-9)
    assert found.bound < found.value
    assert location_bound(*case, found.certificate) >= found.bound - 1e-6
    assert found.bound <= capacitated_location(*case, seconds=60.0).value


def test_a_tree_with_a_leaf_cut_off_is_refused() -> None:
    case = clustered(3, 20, 60, 6.1)
    proof = capacitated_location(*case, seconds=60.0).certificate
    cut = replace(proof, **{name: getattr(proof, name)[:-1].copy() for name in ("parent", "column", "side", "prices")})
    with pytest.raises(CheckError, match="neither a leaf"):
        location_bound(*case, cut)


def test_a_plan_with_an_overfull_facility_is_refused() -> None:
    case = clustered(4, 5, 10, 2.5)
    everyone = np.zeros((10, 5))
    everyone[:, 0] = 1.0
    with pytest.raises(CheckError, match="more than its capacity"):
        location_value(*case, np.array([True, False, False, False, False]), everyone)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_transport_prices_prove_its_cost(seed: int) -> None:
    draw = np.random.default_rng(seed)
    customers, count = int(draw.integers(1, 12)), int(draw.integers(1, 6))
    cost = draw.integers(0, 20, (customers, count)).astype(float)
    demand, most = draw.integers(0, 9, customers).astype(float), draw.choice([0.3, 0.5, 1.0], count)
    most[0] = 1.0
    capacity = most * demand.sum() if seed % 2 else draw.uniform(0.5, 1.0, count) * demand.sum()
    capacity[0] = demand.sum()
    found = transport(cost, demand, capacity, most)
    assert found.share.sum(axis=1) == pytest.approx(np.ones(customers))
    assert (demand @ found.share <= capacity + 1e-7).all()
    dear = cost + demand[:, None] * found.price
    for price in (found.low, found.high):
        dual = price.sum() - found.price @ capacity + (np.minimum(dear - price[:, None], 0.0) @ most).sum()
        assert dual == pytest.approx(found.cost, abs=1e-6)


def test_pairs_without_a_finite_cost_are_not_served() -> None:
    cost = np.array([[np.inf, 3.0], [1.0, np.inf], [5.0, 1.0]])
    opening, capacity, demand = np.array([1.0, 2.0]), np.array([9.0, 4.0]), np.array([2.0, 2.0, 3.0])
    found = capacitated_location(opening, capacity, demand, cost)
    assert found.value == pytest.approx(enumerated_location(opening, capacity, demand, cost))
    assert found.value < UNREACHABLE
    assert found.share[0, 0] == found.share[1, 1] == 0.0


def test_customers_out_of_reach_are_named() -> None:
    cost = np.array([[1.0, 2.0], [np.inf, np.inf]])
    with pytest.raises(InfeasibleError, match="row 1"):
        capacitated_location(np.ones(2), np.full(2, 9.0), np.ones(2), cost)


def test_too_little_capacity_is_told_in_figures() -> None:
    with pytest.raises(InfeasibleError, match="want 12, all 2 facilities together hold 10"):
        capacitated_location(np.ones(2), np.full(2, 5.0), np.full(3, 4.0), np.ones((3, 2)))


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        capacitated_location(np.array([1.0, -1.0]), np.ones(3), np.array([1.0, np.nan]), np.ones((2, 2)), seed=-1)
    assert len(caught.value.faults) == 4


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6))
def test_whole_customers_cost_what_enumeration_says(seed: int) -> None:
    draw = np.random.default_rng(seed)
    opening, demand = draw.integers(0, 30, 3).astype(float), draw.integers(1, 6, 4).astype(float)
    capacity, cost = draw.integers(9, 14, 3).astype(float), draw.integers(0, 20, (4, 3)).astype(float)
    best = np.inf
    for code in range(3**4):
        assigned = np.array([code // 3**i % 3 for i in range(4)])
        if (np.bincount(assigned, demand, 3) <= capacity).all():
            best = min(best, opening[np.unique(assigned)].sum() + cost[np.arange(4), assigned].sum())
    case = (opening, capacity, demand, cost)
    found = single_source_location(*case, seconds=20.0)
    assert found.value == pytest.approx(best)
    assert single_source_value(*case, found.open, found.assignment) == pytest.approx(best)
    assert found.split.bound <= found.bound <= found.value
    assert single_source_bound(*case, found.certificate) == pytest.approx(found.bound)
    assert found.solver_bound == pytest.approx(best)


def test_a_bound_for_whole_customers_is_proved_by_prices_alone() -> None:
    case = clustered(6, 8, 30, 3.5)
    found = single_source_location(*case, seconds=5.0)
    assert 0.0 < found.gap < 0.05
    assert single_source_bound(*case, found.certificate) == pytest.approx(found.bound, rel=1e-9)
    assert single_source_value(*case, found.open, found.assignment) == pytest.approx(found.value)
    with pytest.raises(CheckError, match="more than its capacity"):
        single_source_value(*case, found.open, np.full(30, np.flatnonzero(found.open)[0]))
    broken = replace(found.certificate, prices=np.full(len(found.certificate.prices), -1))
    with pytest.raises(CheckError, match="neither a leaf"):
        single_source_bound(*case, broken)


@pytest.mark.parametrize(("name", "optimum"), [("cap41", 1040444.375), ("cap104", 928941.750)])
def test_published_optimum_is_proved(shared: Path, name: str, optimum: float) -> None:
    with gzip.open(shared / "instances" / "cflp" / f"{name}.txt.gz", "rt") as file:
        count, customers, *numbers = (float(word) for word in file.read().split())
    sites = np.array(numbers[: 2 * int(count)]).reshape(-1, 2)
    people = np.array(numbers[2 * int(count) :]).reshape(int(customers), -1)
    case = (sites[:, 1].copy(), sites[:, 0].copy(), people[:, 0].copy(), people[:, 1:].copy())
    found = capacitated_location(*case, seconds=60.0)
    assert found.value == pytest.approx(optimum, abs=1e-3)
    assert location_bound(*case, found.certificate) == pytest.approx(optimum, abs=1e-3)
