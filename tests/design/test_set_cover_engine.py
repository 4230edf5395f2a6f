"""Set covering: enumeration, certificates by another route, reductions, odd input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from design.covering_cases import choices, covers_of, matrix_of, random_covers
from xinji.errors import InputError
from xinji.plan.design.covering.cheapest_certificate import cheapest_bound
from xinji.plan.design.covering.covers import Covers, covered, reach_of
from xinji.plan.design.covering.set_cover import SetCover, set_covering
from xinji.plan.design.covering.set_reduce import implied_points
from xinji.plan.design.covering.set_search import empty_cover, ground_of, search


def _least(covers: Covers) -> float:
    """Return the cost of the cheapest cover of every point, by trying all choices."""
    chosen = choices(covers.sites)
    served = (chosen.astype(np.int64) @ matrix_of(covers).T.astype(np.int64)) > 0
    return float((chosen @ covers.cost)[served.all(axis=1)].min(initial=np.inf))


def _coverable(seed: int, points: int, sites: int, share: float, *, whole: bool = False) -> Covers:
    covers = random_covers(seed, points, sites, share, whole=whole)
    met = matrix_of(covers)
    met[np.arange(points), np.random.default_rng(seed).integers(0, sites, points)] = True
    return covers_of(met, covers.weight, covers.cost)


def _holds(covers: Covers, cover: SetCover) -> None:
    met = matrix_of(covers)
    assert met[:, cover.sites].any(axis=1).all()
    assert cover.value == pytest.approx(covers.cost[cover.sites].sum())
    assert (cover.price >= 0.0).all()
    bound = cover.price.sum() + np.minimum(covers.cost - met.T.astype(float) @ cover.price, 0.0).sum()
    whole = (covers.cost % 1.0 == 0.0).all()
    assert cover.bound <= (np.ceil(bound - 1e-6) if whole else bound) + 1e-9 or cover.bound == 0.0
    assert cover.bound <= cover.value


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("whole", [False, True])
def test_small_covers_are_the_cheapest_of_all(seed: int, whole: bool) -> None:  # noqa: FBT001 - a case
    covers = _coverable(seed, 30, 12, 0.12, whole=whole)
    cover = set_covering(covers, seconds=60.0, seed=0)
    _holds(covers, cover)
    least = _least(covers)
    assert cover.value == pytest.approx(least)
    assert cover.bound <= least + 1e-9
    assert cover.gap < 0.25


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), points=st.integers(1, 14), sites=st.integers(1, 7), share=st.floats(0.0, 1.0))
def test_any_instance_is_covered_and_proved(seed: int, points: int, sites: int, share: float) -> None:
    covers = _coverable(seed, points, sites, share)
    cover = set_covering(covers, seconds=60.0, seed=seed)
    _holds(covers, cover)
    assert cover.bound - 1e-9 <= _least(covers) <= cover.value + 1e-9


def test_points_without_a_site_are_listed() -> None:
    met = np.array([[True, False], [False, False], [False, True], [False, False]])
    with pytest.raises(InputError) as caught:
        set_covering(covers_of(met, np.ones(4), np.ones(2)), seconds=1.0, seed=0)
    assert [fault.row for fault in caught.value.faults] == [1, 3]


def test_free_sites_come_first_and_weights_do_not_matter() -> None:
    met = np.array([[True, False, False], [True, True, False], [False, True, True]])
    covers = covers_of(met, np.array([0.0, 1.0, 0.0]), np.array([0.0, 3.0, 2.0]))
    cover = set_covering(covers, seconds=5.0, seed=0)
    _holds(covers, cover)
    assert list(cover.sites) == [0, 2]
    assert cover.bound == cover.value == 2.0
    free = covers_of(met, np.ones(3), np.zeros(3))
    assert set_covering(free, seconds=5.0, seed=0).value == 0.0


@pytest.mark.parametrize("seed", range(6))
def test_implied_points_change_nothing(seed: int) -> None:
    covers = _coverable(seed, 40, 8, 0.2)
    kept = ~implied_points(covers, reach_of(covers))
    met = matrix_of(covers)
    assert kept.sum() < 40
    for choice in choices(8):
        assert met[kept][:, choice].any(axis=1).all() == met[:, choice].any(axis=1).all()


def test_prices_below_zero_prove_nothing() -> None:
    covers = random_covers(0, 4, 2, 0.5)
    with pytest.raises(InputError, match="price"):
        cheapest_bound(covers, price=-np.ones(4))
    with pytest.raises(InputError, match="spared"):
        cheapest_bound(covers, price=np.ones(4), spared=1.0, spared_price=-1.0)


def test_the_search_keeps_its_books() -> None:
    covers = _coverable(3, 50, 15, 0.1)
    ground = ground_of(covers, reach_of(covers), covers.cost)
    cover = empty_cover(50, ground)
    best, spent = np.ones(15, dtype=np.bool_), np.array([0.0, covers.cost.sum() + 1.0])
    met = matrix_of(covers)
    for _ in range(20):
        search(ground, cover, best, spent, 10, np.array([12345], dtype=np.uint64))
        count = met @ cover.chosen.astype(int)
        assert (cover.times == count).all()
        assert sorted(cover.bare[: cover.numbers[0]]) == list(np.flatnonzero(count == 0))
        assert spent[0] == pytest.approx(covers.cost[cover.chosen].sum())
        alone = (count[:, None] == cover.chosen[None, :].astype(int)) & met
        assert cover.score == pytest.approx(cover.heavy @ alone)
        assert covered(covers, best).all()
    assert covers.cost[best].sum() == pytest.approx(spent[1])
