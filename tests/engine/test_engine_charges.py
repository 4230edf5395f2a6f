"""Charges: together never more than joining what stands, in any stage; rents never more than digging."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.engine_graphs import random_graph, star
from engine.test_engine_cores import steiner
from xinji.core.arrays import Floats
from xinji.core.offer import EXISTING, FORBIDDEN
from xinji.plan.choose.charges import charge, dues, prizes, rents, stations, upkeep

SEEDS = st.integers(0, 100_000)
MONEY = st.lists(st.floats(0.0, 10.0), min_size=1, max_size=6)


def drawn(seed: int, options: int, stages: int, most: float) -> Floats:
    rng = np.random.default_rng(seed + 1)
    return np.asarray(rng.uniform(0.0, most, (options, stages)) * (rng.random((options, stages)) < 0.7))


@given(SEEDS, st.sampled_from([0.0, 400.0, 4_000.0, 1e9]))
@settings(max_examples=20, deadline=None)
def test_what_any_options_bear_is_no_more_than_joining_them_costs(seed: int, most: float) -> None:
    problem = random_graph(seed, nodes=6, extra=2, options=4)
    made = charge(problem, stations(problem, problem.roots), drawn(seed, 4, problem.stages, most))
    assert (made.cents >= 0.0).all()
    for count in range(1, 5):
        for some in combinations(range(4), count):
            together = steiner(problem, tuple({int(node) for node in problem.node[list(some)]}))
            assert (made.cents[list(some)].sum(axis=0) <= together * (1 + 1e-9)).all()


@given(SEEDS, st.sampled_from([0.0, 4_000.0, 1e9]))
@settings(max_examples=20, deadline=None)
def test_all_that_cores_are_wide_is_borne(seed: int, most: float) -> None:
    problem = random_graph(seed, nodes=9, extra=4, options=6)
    made = charge(problem, stations(problem, problem.roots), drawn(seed, 6, problem.stages, most))
    wide = [cores.width.sum() for cores in made.cores]
    assert made.cents.sum(axis=0) == pytest.approx(wide)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_one_with_a_prize_in_one_stage_bears_its_whole_way_there(seed: int) -> None:
    problem = random_graph(seed, nodes=8, extra=3, options=3)
    prize = np.zeros((3, problem.stages))
    prize[0, 0] = 1e9
    made = charge(problem, stations(problem, problem.roots), prize)
    at_its_node = made.cents[problem.node == problem.node[0], 0].sum()
    assert at_its_node == pytest.approx(steiner(problem, (int(problem.node[0]),)))


def test_what_exists_is_forbidden_or_stands_on_a_host_bears_nothing() -> None:
    problem = star([1, 2, 3, 3])
    built = np.array([EXISTING, FORBIDDEN, -1, -1])
    problem = replace(problem, built=built, host=np.array([-1, -1, -1, 2]))
    made = charge(problem, stations(problem, np.array([0, 1])), np.full((4, problem.stages), 1e9))
    assert (made.station >= 0).tolist() == [False, False, True, False]
    assert (made.cents > 0.0).any(axis=1).tolist() == [False, False, True, False]


@given(MONEY, st.floats(0.0, 0.2))
def test_rents_never_cost_more_than_digging_and_as_much_where_prices_fall(money: list[float], share: float) -> None:
    price = np.array(money)
    payer, rent = rents(price, share)
    dug = price + share * np.cumsum(price[::-1])[::-1]
    assert (rent >= -1e-12).all()
    assert (payer <= np.arange(len(price))).all()
    tail = np.cumsum(rent[::-1])[::-1]
    assert (tail <= dug + 1e-9).all()
    assert np.allclose(tail, np.minimum.accumulate(dug))
    assert np.allclose(tail, dug[payer])


@given(SEEDS, MONEY)
def test_who_bears_its_prizes_stays_with_the_stage_that_it_began_in(seed: int, money: list[float]) -> None:
    price = np.sort(np.array(money))[::-1] + 1e-3
    stages = len(price)
    base = random_graph(seed, nodes=6, extra=2, options=3)
    problem = replace(
        base,
        years=np.arange(2027, 2027 + stages),
        discount=np.ones(stages),
        budget=np.full(stages, 100),
        value=np.ones((len(base.value), stages)),
        amount=np.ones((len(base.value), stages, base.amount.shape[2])),
    )
    gains = np.random.default_rng(seed).normal(0.0, 5.0, (3, stages))
    _, rent = rents(price, upkeep(problem))
    prize = prizes(problem, gains, price)
    assert (prize >= 0.0).all()
    left = np.append(gains - np.cumsum((prize * rent)[:, ::-1], axis=1)[:, ::-1], np.zeros((3, 1)), axis=1)
    begin = np.append(gains, np.zeros((3, 1)), axis=1).argmax(axis=1)
    assert (left[np.arange(3), begin] >= left.max(axis=1) - 1e-6).all()
    never = begin == stages
    assert (prize[never] == 0.0).all()


def test_what_is_committed_bears_anything_from_its_stage_on() -> None:
    problem = replace(star([1, 2]), built=np.array([2, -1]))
    gains = np.full((2, problem.stages), -1.0)
    prize = prizes(problem, gains, np.linspace(2.0, 1.0, problem.stages))
    assert (prize[1] == 0.0).all()
    assert prize[0, 0] == 0.0
    assert (prize[0, 1:] > problem.trench_capex.sum()).all()


def test_dues_are_the_rents_from_a_stage_on() -> None:
    problem = star([1, 2, 3])
    made = charge(problem, stations(problem, problem.roots), np.full((3, problem.stages), 1e9))
    rent = np.arange(1.0, problem.stages + 1.0)
    due = dues(made, rent)
    for s in range(problem.stages):
        assert due[:, s] == pytest.approx((made.cents[:, s:] * rent[s:]).sum(axis=1))
