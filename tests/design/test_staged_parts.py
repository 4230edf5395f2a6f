"""The parts of staged covering: certificate, projection, the search's books."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, minimize

from design.covering_cases import best_staged, matrix_of, random_covers
from xinji.core.arrays import Floats, Ints
from xinji.errors import InputError
from xinji.plan.design.covering.covers import Covers, reach_of
from xinji.plan.design.covering.staged_anneal import Purse, anneal, begin, neighbours
from xinji.plan.design.covering.staged_certificate import staged_bound, staged_spending, staged_value
from xinji.plan.design.covering.staged_greedy import staged_greedy
from xinji.plan.design.covering.staged_project import Money, project
from xinji.plan.design.covering.staged_state import State, empty_state, field_of

WORTH = 1.08 ** -np.arange(3.0)


@pytest.mark.parametrize("seed", range(5))
def test_any_prices_prove_a_bound(seed: int) -> None:
    covers = random_covers(seed, 15, 5, 0.3)
    budget = np.array([0.2, 0.3, 0.7]) * covers.cost.sum()
    best = best_staged(covers, WORTH, budget)
    rng = np.random.default_rng(seed)
    for _ in range(20):
        price = rng.random((15, 3)) * np.outer(covers.weight, WORTH)
        money = rng.exponential(5.0, 3)
        bound = staged_bound(covers, worth=WORTH, budget=budget, price=price, money_price=money)
        assert bound >= best - 1e-9


def test_prices_out_of_range_prove_nothing() -> None:
    covers = random_covers(0, 4, 2, 0.5)
    limit, free = np.outer(covers.weight, WORTH), np.zeros(3)
    with pytest.raises(InputError, match="outside 0 to its weight"):
        staged_bound(covers, worth=WORTH, budget=np.ones(3), price=limit * 1.01, money_price=free)
    with pytest.raises(InputError, match="budget's price"):
        staged_bound(covers, worth=WORTH, budget=np.ones(3), price=limit, money_price=free - 1.0)


@pytest.mark.parametrize("seed", range(6))
def test_projection_is_the_nearest_point(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sites, stages = 4, 3
    cost, budget = rng.lognormal(0.0, 0.4, sites), np.array([0.4, 0.9, 1.5])
    step, wanted = rng.uniform(0.2, 2.0, sites), rng.normal(0.4, 0.8, (sites, stages))
    share, price = np.zeros((sites, stages)), np.full(stages, 0.3)
    opens = np.array([0, 0, 1, 0], dtype=np.int64)
    project(wanted, step, Money(cost, budget, opens), price, share)

    def distance(flat: Floats) -> float:
        return float((((flat.reshape(sites, stages) - wanted) ** 2) / step[:, None]).sum())

    rises = np.kron(np.eye(sites), np.diff(np.eye(stages), axis=0))
    spends = np.kron(cost, np.eye(stages))
    rules = [LinearConstraint(rises, 0.0, np.inf), LinearConstraint(spends, -np.inf, budget)]
    limits = [(0.0, 0.0 if t < opens[j] else 1.0) for j in range(sites) for t in range(stages)]
    known = minimize(distance, np.zeros(sites * stages), method="SLSQP", bounds=limits, constraints=rules, tol=1e-12)
    assert known.success
    assert distance(share.ravel()) == pytest.approx(known.fun, rel=1e-4, abs=1e-4)
    assert (cost @ share <= budget + 1e-4).all()
    assert (price >= 0.0).all()


def _books(covers: Covers, state: State, stages: int) -> None:
    """Check all that the state keeps against a count from scratch."""
    met, tail = matrix_of(covers), np.append(np.cumsum(WORTH[:stages][::-1])[::-1], 0.0)
    loss, value = np.zeros(covers.sites), 0.0
    for i in range(covers.points):
        opening = np.sort(state.stage[met[i]])
        first, second = (int(opening[k]) if len(opening) > k else stages for k in (0, 1))
        assert (state.first[i], state.second[i]) == (first, second)
        value += covers.weight[i] * tail[first]
        alone = np.flatnonzero(met[i] & (state.stage == first))
        if first < second:
            assert state.owner[i] == alone[0]
            loss[alone[0]] += covers.weight[i] * (tail[first] - tail[second])
        else:
            assert state.owner[i] == -1
    assert state.value[0] == pytest.approx(value)
    built = state.stage < stages
    assert state.loss[built] == pytest.approx(loss[built])
    assert np.abs(state.loss[~built]).max(initial=0.0) < 1e-6


def _empty_plan(sites: int, stages: int) -> Ints:
    return np.full(sites, stages, dtype=np.int64)


@pytest.mark.parametrize("seed", range(4))
def test_the_search_keeps_its_books(seed: int) -> None:
    covers, stages = random_covers(seed, 40, 12, 0.2), 3
    reach = reach_of(covers)
    field, state = field_of(reach, covers.weight, WORTH), empty_state(40, 12, stages)
    budget = np.array([2.0, 3.0, 5.0])
    purse = Purse(covers.cost, budget, np.full(3, 2.0), np.full(3, 2.0))
    walk = begin(field, state, purse, _empty_plan(12, stages), seed)
    near = neighbours(covers.start, covers.site, covers.weight, reach.start, reach.point, 5)
    for heat in (50.0, 5.0, 0.5):
        anneal(field, state, purse, walk, near, (heat, heat / 2.0), 500)
        _books(covers, state, stages)
        stage = np.where(state.stage == stages, -1, state.stage)
        assert walk.spent == pytest.approx(staged_spending(covers, stage, stages))
        assert state.value[0] == pytest.approx(staged_value(covers, stage, WORTH))
        assert sorted(walk.built[: walk.number[0]]) == list(np.flatnonzero(state.stage < stages))
    best = np.where(walk.best == stages, -1, walk.best)
    assert (staged_spending(covers, best, stages) <= budget + 1e-6).all()
    assert walk.best_value[0] == pytest.approx(staged_value(covers, best, WORTH))


def test_neighbours_share_most_weight_first() -> None:
    covers = random_covers(5, 60, 8, 0.4)
    reach = reach_of(covers)
    near = neighbours(covers.start, covers.site, covers.weight, reach.start, reach.point, 3)
    met = matrix_of(covers).astype(float)
    shared = met.T @ (met * covers.weight[:, None])
    np.fill_diagonal(shared, -1.0)
    for site in range(8):
        assert sorted(shared[site, near[site]]) == pytest.approx(sorted(shared[site])[-3:])


def test_greedy_takes_most_weight_per_cost() -> None:
    covers = random_covers(9, 30, 8, 0.3)
    budget = np.array([1.0, 2.5])
    stage = staged_greedy(covers, reach_of(covers), budget)
    met, left, spent = matrix_of(covers), covers.weight.copy(), 0.0
    for t in range(2):
        chosen: set[int] = set(np.flatnonzero((stage >= 0) & (stage < t)))
        while True:
            fits = [j for j in range(8) if j not in chosen and spent + covers.cost[j] <= budget[t]]
            rates = {j: left[met[:, j]].sum() / covers.cost[j] for j in fits}
            if not rates or max(rates.values()) == 0.0:
                break
            best = max(rates, key=lambda j: rates[j])
            assert stage[best] == t
            chosen.add(best)
            spent += covers.cost[best]
            left[met[:, best]] = 0.0
