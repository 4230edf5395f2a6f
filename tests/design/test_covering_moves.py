"""Moves of sites of equal cost: what is kept while sites move is what a recount finds, and optima are met."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from design.covering_cases import matrix_of, random_covers
from xinji.plan.design.covering import moves
from xinji.plan.design.covering.covers import covered_weight, reach_of
from xinji.plan.design.covering.generator import clustered_covers, site_budget
from xinji.plan.design.covering.greedy import greedy
from xinji.plan.design.covering.local import Search, ground_of, improve
from xinji.plan.design.covering.merging import improve_and_merge

_COVERS = clustered_covers(1500, 300, 12.0, 8)
_REACH = reach_of(_COVERS)
_BUDGET = site_budget(300, 12.0)


def _seeds(seed: int) -> moves.Seeds:
    return np.array([seed, 0], dtype=np.uint64)


@pytest.mark.parametrize("temperature", [1e-3, 30.0])
def test_what_is_kept_is_what_a_recount_finds(temperature: float) -> None:
    land = moves.land_of(_COVERS, _REACH)
    begin = np.random.default_rng(3).choice(300, _BUDGET, replace=False)
    stand, best = moves.stand_of(land, begin), np.sort(begin)
    assert stand.total[0] == pytest.approx(covered_weight(_COVERS, begin))
    top, read = moves.move(land, stand, (temperature, 0.0, 3e6), best, _seeds(7))
    assert read >= 3e6
    assert len(set(stand.member.tolist())) == _BUDGET
    assert stand.member.tolist() != np.sort(begin).tolist()
    assert (np.flatnonzero(stand.chosen) == np.sort(stand.member)).all()
    times = matrix_of(_COVERS)[:, stand.member].sum(axis=1)
    assert (stand.times == times).all()
    assert (stand.open == np.where(times == 0, _COVERS.weight, 0.0)).all()
    assert stand.total[0] == pytest.approx(covered_weight(_COVERS, stand.member))
    assert top == pytest.approx(covered_weight(_COVERS, best))
    assert top >= stand.total[0] - 1e-6


def test_the_same_seed_moves_the_same_sites() -> None:
    land, begin = moves.land_of(_COVERS, _REACH), np.arange(_BUDGET)
    found = []
    for seed in (5, 5, 6):
        stand = moves.stand_of(land, begin)
        moves.move(land, stand, (30.0, 0.0, 1e6), begin.copy(), _seeds(seed))
        found.append(stand.member.tolist())
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_near_are_the_sites_that_share_most() -> None:
    covers = random_covers(4, 50, 60, 0.08, whole=True)
    land, met = moves.land_of(covers, reach_of(covers)), matrix_of(covers)
    shared = (met * covers.weight[:, None]).T @ met
    np.fill_diagonal(shared, 0.0)
    for site in range(60):
        near = land.near[site][land.near[site] >= 0]
        most = np.sort(shared[site])[::-1][: land.near.shape[1]]
        assert site not in near
        assert shared[site][near].tolist() == pytest.approx(most[most > 0.0].tolist())


def test_the_pool_holds_most_gains_away_from_each_other() -> None:
    land = moves.land_of(_COVERS, _REACH)
    stand = moves.stand_of(land, np.arange(_BUDGET))
    moves.move(land, stand, (1e-3, 0.0, 1.0), np.arange(_BUDGET), _seeds(2))
    pool = stand.pool[stand.pool >= 0]
    assert len(pool) > 1
    for one, other in combinations(pool.tolist(), 2):
        assert other not in land.near[one]


@pytest.mark.parametrize("seed", range(6))
def test_moves_meet_the_optimum(seed: int) -> None:
    covers = random_covers(seed, 60, 14, 0.15, whole=True)
    best = max(covered_weight(covers, np.array(sites)) for sites in combinations(range(14), 4))
    reach = reach_of(covers)
    found = improve(ground_of(covers, reach, 4.0), np.arange(4), Search(np.inf, 0.1, seed, 0.0))
    assert len(found) == 4
    assert covered_weight(covers, found) == pytest.approx(best)


def test_an_anneal_stops_at_the_bound_and_leaves_odd_choices_alone() -> None:
    ground = ground_of(_COVERS, _REACH, 4.0)
    begin = greedy(_COVERS, _REACH, 4.0)
    value = covered_weight(_COVERS, begin)
    assert improve(ground, begin, Search(value, 60.0, 0, 0.0)).tolist() == sorted(begin.tolist())
    assert improve(ground, np.zeros(0, dtype=np.int64), Search(np.inf, 60.0, 0, 0.0)).tolist() == []
    assert improve(ground, np.arange(300), Search(np.inf, 60.0, 0, 0.0)).tolist() == list(range(300))


def test_anneals_beat_the_greedy_choice_where_costs_are_equal_or_not() -> None:
    for covers in (_COVERS, random_covers(5, 2000, 200, 0.06)):
        reach = reach_of(covers)
        begin = greedy(covers, reach, 12.0)
        found = improve_and_merge(covers, reach, begin, 12.0, Search(np.inf, 0.6, 3, 1.0))
        assert covers.cost[found].sum() <= 12.0 * (1.0 + 1e-9)
        assert covered_weight(covers, found) > covered_weight(covers, begin)
