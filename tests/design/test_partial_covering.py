"""Partial covering: enumeration, certificates by another route, odd input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from design.covering_cases import cheapest, covers_of, matrix_of, random_covers
from xinji.errors import InfeasibleError, InputError
from xinji.plan.design.covering.covers import Covers
from xinji.plan.design.covering.partial import PartialCover, partial_covering


def _holds(covers: Covers, share: float, cover: PartialCover) -> None:
    met = matrix_of(covers)
    weight = covers.weight[met[:, cover.sites].any(axis=1)].sum()
    assert cover.weight == pytest.approx(weight)
    assert weight >= share * covers.weight.sum() * (1.0 - 1e-9)
    assert cover.value == pytest.approx(covers.cost[cover.sites].sum())
    sites = np.minimum(covers.cost - met.T.astype(float) @ cover.price, 0.0).sum()
    points = np.minimum(cover.spared_price * covers.weight - cover.price, 0.0).sum() if cover.spared > 0.0 else 0.0
    bound = cover.price.sum() + sites + points - cover.spared_price * cover.spared
    assert cover.spared == pytest.approx((1.0 - share) * covers.weight.sum(), abs=1e-6)
    assert (cover.price >= 0.0).all()
    assert cover.bound <= max(bound, 0.0) + 1e-9
    assert cover.bound <= cover.value


def _reachable(covers: Covers) -> float:
    return float(covers.weight[np.diff(covers.start) > 0].sum() / covers.weight.sum())


@pytest.mark.parametrize("seed", range(10))
def test_small_covers_are_the_cheapest_of_all(seed: int) -> None:
    covers = random_covers(seed, 40, 11, 0.15)
    share = 0.8 * _reachable(covers)
    cover = partial_covering(covers, share=share, seconds=60.0, seed=0)
    _holds(covers, share, cover)
    least = cheapest(covers, share * float(covers.weight.sum()))
    assert cover.value == pytest.approx(least)
    assert 0.5 * least < cover.bound <= least + 1e-9


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    points=st.integers(1, 14),
    sites=st.integers(1, 7),
    dense=st.floats(0.0, 1.0),
    part=st.floats(0.0, 1.0),
)
def test_any_instance_is_covered_and_proved(seed: int, points: int, sites: int, dense: float, part: float) -> None:
    covers = random_covers(seed, points, sites, dense)
    share = part * _reachable(covers)
    cover = partial_covering(covers, share=share, seconds=60.0, seed=seed)
    _holds(covers, share, cover)
    least = cheapest(covers, share * float(covers.weight.sum()))
    assert cover.bound - 1e-9 <= least <= cover.value + 1e-9


def test_the_whole_weight_is_set_covering() -> None:
    met = np.array([[True, False], [False, False], [False, True]])
    covers = covers_of(met, np.array([1.0, 0.0, 2.0]), np.array([3.0, 4.0]))
    cover = partial_covering(covers, share=1.0, seconds=5.0, seed=0)
    _holds(covers, 1.0, cover)
    assert cover.value == pytest.approx(7.0)
    assert cover.bound == pytest.approx(7.0)


def test_more_than_all_sites_cover_is_refused() -> None:
    met = np.array([[True, False], [False, False], [False, True]])
    covers = covers_of(met, np.array([1.0, 1.0, 2.0]), np.array([3.0, 4.0]))
    with pytest.raises(InfeasibleError, match=r"at most 0\.75"):
        partial_covering(covers, share=0.8, seconds=5.0, seed=0)
    with pytest.raises(InfeasibleError, match="weight of 1 of 4"):
        partial_covering(covers, share=1.0, seconds=5.0, seed=0)
    with pytest.raises(InputError) as caught:
        partial_covering(covers, share=1.5, seconds=-1.0, seed=0)
    assert len(caught.value.faults) == 2


def test_free_sites_and_no_need() -> None:
    met = np.array([[True, False], [False, True]])
    covers = covers_of(met, np.array([3.0, 1.0]), np.array([0.0, 4.0]))
    cover = partial_covering(covers, share=0.7, seconds=5.0, seed=0)
    assert list(cover.sites) == [0]
    assert cover.value == cover.bound == 0.0
    _holds(covers, 0.7, cover)
    assert partial_covering(covers, share=0.0, seconds=5.0, seed=0).value == 0.0
