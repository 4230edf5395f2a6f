"""Maximal covering: values and bounds against enumeration, and certificates by a second route."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array

from xinji.core.arrays import Floats
from xinji.errors import InputError
from xinji.plan.design.covering.certificate import NO_CUTS, Cuts, covering_bound
from xinji.plan.design.covering.covers import Covers, covered, covered_weight, reach_of
from xinji.plan.design.covering.generator import clustered_covers, site_budget
from xinji.plan.design.covering.greedy import greedy
from xinji.plan.design.covering.maximal import CoveringPlan, max_covering
from xinji.plan.design.covering.pdhg import relax
from xinji.plan.design.covering.reduce import dominated_sites, merge_points, neighbours_together, spread_price


def small(seed: int, *, points: int = 40, sites: int = 10, even: bool = True) -> Covers:
    rng = np.random.default_rng(seed)
    listed = rng.random((points, sites)) < rng.uniform(0.05, 0.4)
    weight = rng.integers(0, 9, points).astype(float) if seed % 2 else rng.random(points)
    cost = np.ones(sites) if even else rng.integers(0, 6, sites) / 2.0
    return of_matrix(listed, weight, cost)


def of_matrix(listed: np.ndarray[tuple[int, int], np.dtype[np.bool_]], weight: Floats, cost: Floats) -> Covers:
    start = np.concatenate([[0], np.cumsum(listed.sum(axis=1))]).astype(np.int64)
    return Covers(start, np.nonzero(listed)[1].astype(np.int32), weight, cost)


def matrix(covers: Covers) -> Floats:
    ones = np.ones(len(covers.site))
    return np.asarray(csr_array((ones, covers.site, covers.start), shape=(covers.points, covers.sites)).todense())


def best_by_enumeration(covers: Covers, budget: float) -> float:
    listed, best = matrix(covers) > 0.0, 0.0
    for size in range(covers.sites + 1):
        for chosen in combinations(range(covers.sites), size):
            if covers.cost[list(chosen)].sum() <= budget:
                best = max(best, float(covers.weight[listed[:, list(chosen)].any(axis=1)].sum()))
    return best


def bound_by_second_route(covers: Covers, budget: float, price: Floats, cuts: Cuts = NO_CUTS) -> float:
    """Return the least over budget prices of the Lagrangian, by plain dense sums: no sorting, no knapsack."""
    listed = matrix(covers)
    gain, left = price @ listed, covers.weight - price
    for three, paid in zip(cuts.point, cuts.price, strict=True):
        gain = gain + paid * np.ceil(listed[three].sum(axis=0) / 2.0)
        left[three] -= paid
    paid = covers.cost > 0.0
    levels = np.concatenate([[0.0], gain[paid] / covers.cost[paid]])
    earned = [level * budget + np.maximum(gain - level * covers.cost, 0.0).sum() for level in levels]
    return float(np.maximum(left, 0.0).sum() + cuts.price.sum() + min(earned))


def whole_plan(covers: Covers, budget: float, plan: CoveringPlan) -> None:
    assert covers.cost[plan.sites].sum() <= budget * (1 + 1e-9)
    assert (np.diff(plan.sites) > 0).all()
    chosen = np.zeros(covers.sites)
    chosen[plan.sites] = 1.0
    assert plan.value == pytest.approx(covers.weight[matrix(covers) @ chosen > 0.0].sum())
    assert (plan.price >= 0.0).all()
    assert (plan.price <= covers.weight).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), even=st.booleans(), budget=st.integers(0, 5))
def test_value_and_bound_enclose_the_optimum(seed: int, even: bool, budget: int) -> None:  # noqa: FBT001 - hypothesis names them
    covers = small(seed, sites=8, even=even)
    plan = max_covering(covers, budget=float(budget), seconds=0.05, seed=seed)
    best = best_by_enumeration(covers, budget)
    whole_plan(covers, budget, plan)
    assert plan.value <= best + 1e-9
    assert plan.bound >= best - 1e-9
    assert plan.bound <= bound_by_second_route(covers, budget, plan.price, plan.cuts) * (1 + 1e-6) + 1e-6


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), budget=st.floats(0.0, 9.0), even=st.booleans())
def test_any_prices_prove_a_bound(seed: int, budget: float, even: bool) -> None:  # noqa: FBT001 - hypothesis names them
    covers = small(seed, even=even)
    price = np.random.default_rng(seed + 1).random(covers.points) * covers.weight
    bound = covering_bound(covers, budget, price)
    assert bound >= best_by_enumeration(covers, budget) - 1e-9
    assert bound <= bound_by_second_route(covers, budget, price) * (1 + 1e-6) + 1e-6


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), budget=st.integers(0, 5))
def test_any_prices_of_cuts_prove_a_bound(seed: int, budget: int) -> None:
    covers, rng = small(seed, sites=7), np.random.default_rng(seed + 2)
    price = rng.random(40) * covers.weight * 0.5
    cuts = Cuts(
        np.array([rng.choice(40, 3, replace=False) for _ in range(30)]), rng.random(30) * rng.choice([0.1, 1.0])
    )
    bound = covering_bound(covers, budget, price, cuts)
    assert bound >= best_by_enumeration(covers, budget) - 1e-9
    assert bound <= bound_by_second_route(covers, budget, price, cuts) * (1 + 1e-6) + 1e-6


def test_cuts_close_an_odd_circle() -> None:
    # Any site covers two of three points; the relaxation covers all with shares of 1/2 of a budget of 1.5.
    listed = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype=bool)
    covers = of_matrix(np.repeat(listed, 2, axis=0), np.array([1.0, 2.0, 1.0, 2.0, 1.5, 1.5]), np.ones(3) * 1.0)
    uneven = replace(covers, cost=np.array([1.0, 1.0, 1.0 + 1e-9]))
    plan = max_covering(uneven, budget=1.5, seconds=2.0, seed=0)
    assert plan.relaxed == pytest.approx(9.0, rel=1e-3)
    assert plan.value == pytest.approx(6.0)
    assert plan.bound <= 7.6
    assert len(plan.cuts.price)


def test_cuts_on_the_same_point_twice_prove_nothing() -> None:
    covers = small(3)
    with pytest.raises(InputError) as caught:
        covering_bound(
            covers, 2.0, covers.weight, Cuts(np.array([[0, 1, 1], [0, 1, 2], [3, 4, 40]]), np.array([1.0, -1.0, 1.0]))
        )
    assert sorted(str(fault.row) for fault in caught.value.faults) == ["0", "1", "2"]


def test_prices_outside_the_weights_prove_nothing() -> None:
    covers = small(3)
    price = covers.weight.copy()
    price[5] += 1.0
    price[7] = -1.0
    with pytest.raises(InputError) as caught:
        covering_bound(covers, 2.0, price)
    assert [fault.row for fault in caught.value.faults] == [5, 7]


def test_small_instances_are_solved_to_the_optimum() -> None:
    found = [
        (max_covering(small(k), budget=3.0, seconds=0.2, seed=1).value, best_by_enumeration(small(k), 3.0))
        for k in range(12)
    ]
    assert all(value == pytest.approx(best) for value, best in found)


def test_unequal_costs_are_solved_to_the_optimum() -> None:
    max_covering(small(0, even=False), budget=4.0, seconds=0.5, seed=1)  # compiles
    for k in range(12):
        covers = small(k, even=False)
        plan = max_covering(covers, budget=4.0, seconds=0.5, seed=1)
        assert plan.value == pytest.approx(best_by_enumeration(covers, 4.0)), k


def test_odd_instances_have_their_plain_answers() -> None:
    nothing = of_matrix(np.zeros((3, 2), dtype=bool), np.ones(3), np.ones(2))
    plan = max_covering(nothing, budget=1.0, seconds=0.1, seed=0)
    assert (plan.value, plan.bound) == (0.0, 0.0)
    all_of_it = max_covering(small(4), budget=1e9, seconds=0.1, seed=0)
    reachable = small(4).weight[np.diff(small(4).start) > 0].sum()
    assert all_of_it.value == pytest.approx(reachable)
    assert all_of_it.bound == pytest.approx(reachable, rel=1e-3)
    no_money = max_covering(small(4), budget=0.5, seconds=0.1, seed=0)
    assert (no_money.value, len(no_money.sites)) == (0.0, 0)
    assert no_money.bound < 1e-3
    no_sites = of_matrix(np.zeros((3, 0), dtype=bool), np.ones(3), np.ones(0))
    assert max_covering(no_sites, budget=2.0, seconds=0.1, seed=0).bound == 0.0
    with pytest.raises(InputError, match="budget: it is -1"):
        max_covering(small(4), budget=-1.0, seconds=1.0, seed=0)


def test_a_clustered_instance_is_near_its_bound_and_the_same_each_time() -> None:
    covers = clustered_covers(2000, 500, 25.0, 3)
    budget = site_budget(500, 25.0)
    plan = max_covering(covers, budget=budget, seconds=4.0, seed=5)
    assert plan.gap < 0.01
    assert plan.value > covered_weight(covers, greedy(covers, reach_of(covers), budget))
    assert plan.bound == pytest.approx(bound_by_second_route(covers, budget, plan.price, plan.cuts), rel=1e-4)


def test_the_relaxation_closes_its_own_gap() -> None:
    covers = clustered_covers(1500, 300, 12.0, 8)
    found = relax(covers, 20.0, seconds=60.0, gap=1e-4, rounds=20_000)
    assert found.value <= found.bound <= found.value * 1.0001
    assert covers.cost @ found.share <= 20.0 * (1 + 1e-6)
    met = np.minimum(matrix(covers) @ found.share, 1.0)
    assert found.value == pytest.approx(float(covers.weight @ met))


def test_sites_that_cover_nothing_take_no_budget_from_the_relaxation() -> None:
    for k in (8, 9, 11):
        covers = small(k, even=False)
        listed = matrix(covers)
        rows = np.block([[-listed, np.eye(40)], [covers.cost[None], np.zeros((1, 40))]])
        worth = np.concatenate([np.zeros(10), -covers.weight])
        exact = linprog(worth, A_ub=rows, b_ub=np.concatenate([np.zeros(40), [4.0]]), bounds=(0.0, 1.0))
        best = -float(exact.fun or 0.0)
        found = relax(covers, 4.0, seconds=60.0, gap=1e-4, rounds=20_000)
        assert found.value == pytest.approx(best, rel=2e-4), k
        assert found.bound == pytest.approx(best, rel=2e-4), k


def test_greedy_takes_the_most_gain_at_each_turn() -> None:
    covers = small(9, points=80, sites=15)
    listed, met, expected = matrix(covers) > 0.0, np.zeros(80, dtype=bool), []
    for _ in range(5):
        gain = (covers.weight * ~met) @ listed
        if gain.max() > 0.0:
            expected.append(int(gain.argmax()))
            met |= listed[:, expected[-1]]
    assert greedy(covers, reach_of(covers), 5.0).tolist() == expected


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_merging_keeps_every_value_and_bound(seed: int) -> None:
    covers = small(seed, points=60, sites=5)
    merged = merge_points(covers)
    rng = np.random.default_rng(seed)
    chosen = np.flatnonzero(rng.random(5) < 0.5)
    assert covered_weight(merged.covers, chosen) == pytest.approx(covered_weight(covers, chosen))
    assert merged.covers.points <= 31
    rows = {tuple(row) for row in matrix(merged.covers)}
    assert len(rows) == merged.covers.points
    price = rng.random(merged.covers.points) * merged.covers.weight
    spread = spread_price(merged, covers.weight, price)
    whole = bound_by_second_route(merged.covers, 2.0, price)
    assert bound_by_second_route(covers, 2.0, spread) == pytest.approx(whole)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_dominated_sites_cover_no_more_than_who_dominates_them(seed: int) -> None:
    covers = small(seed, points=8, sites=12, even=False)
    over = dominated_sites(covers, reach_of(covers))
    listed = matrix(covers) > 0.0
    for site in np.flatnonzero(over >= 0):
        assert not (listed[:, site] & ~listed[:, over[site]]).any()
        assert covers.cost[over[site]] <= covers.cost[site]
        assert over[over[site]] == -1
    for site in np.flatnonzero((over < 0) & listed.any(axis=0)):
        for other in set(range(12)) - {int(site)}:
            inside = not (listed[:, site] & ~listed[:, other]).any() and covers.cost[other] <= covers.cost[site]
            same = (listed[:, site] == listed[:, other]).all() and covers.cost[other] == covers.cost[site]
            assert not inside or (same and other > site)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_neighbours_together_is_the_same_instance(seed: int) -> None:
    covers = small(seed, even=False)
    ordered = neighbours_together(covers, reach_of(covers))
    assert sorted(ordered.site.tolist()) == list(range(covers.sites))
    chosen = np.flatnonzero(np.random.default_rng(seed).random(covers.sites) < 0.3)
    same = covered_weight(covers, ordered.site[chosen])
    assert covered_weight(ordered.covers, chosen) == pytest.approx(same)
    assert (ordered.covers.cost == covers.cost[ordered.site]).all()


def test_faults_of_cover_lists_are_told_all_at_once() -> None:
    good = small(2)
    with pytest.raises(InputError) as caught:
        replace(good, weight=np.where(np.arange(40) == 3, -1.0, good.weight), cost=np.full(10, np.nan))
    assert len(caught.value.faults) == 11
    with pytest.raises(InputError, match="sites reach from 0 to 10"):
        Covers(np.array([0, 2]), np.array([0, 10], dtype=np.int32), np.ones(1), np.ones(10))
    with pytest.raises(InputError, match="listed twice"):
        Covers(np.array([0, 2]), np.array([4, 4], dtype=np.int32), np.ones(1), np.ones(10))
    with pytest.raises(InputError, match="start does not rise"):
        Covers(np.array([0, 3]), np.array([4, 5], dtype=np.int32), np.ones(1), np.ones(10))


def test_reach_is_the_lists_turned_round() -> None:
    covers = small(11)
    reach = reach_of(covers)
    back = [reach.point[reach.start[j] : reach.start[j + 1]].tolist() for j in range(covers.sites)]
    assert back == [np.flatnonzero(column).tolist() for column in matrix(covers).T]
    chosen = np.zeros(covers.sites, dtype=np.bool_)
    chosen[[1, 4]] = True
    assert (covered(covers, chosen) == (matrix(covers)[:, [1, 4]] > 0.0).any(axis=1)).all()


def test_the_generator_gives_the_asked_shape() -> None:
    covers = clustered_covers(3000, 400, 20.0, 7)
    assert (covers.points, covers.sites) == (3000, 400)
    assert np.diff(covers.start).mean() == pytest.approx(20.0, rel=0.1)
    assert (covers.site == clustered_covers(3000, 400, 20.0, 7).site).all()
    assert (clustered_covers(3000, 400, 20.0, 8).weight != covers.weight).any()
    assert site_budget(2000, 50) == 48
