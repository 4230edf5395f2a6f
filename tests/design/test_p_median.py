"""The p-median: optimum against enumeration, bound against plain numpy, published instances, messages."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from design.facility_cases import enumerated_median
from xinji.errors import CheckError, InfeasibleError, InputError
from xinji.plan.design.facility.certificate import median_bound, median_value
from xinji.plan.design.facility.interchange import interchange, nearest, ranked
from xinji.plan.design.facility.median_dual import Choice, Effort, Near, added, ascend, in_table
from xinji.plan.design.facility.p_median import p_median
from xinji.plan.design.facility.tree import Gains


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_optimum_is_that_of_enumeration_and_both_proofs_hold(seed: int, whole: bool) -> None:  # noqa: FBT001
    draw = np.random.default_rng(seed)
    customers, count = int(draw.integers(1, 12)), int(draw.integers(1, 9))
    distance = draw.integers(0, 30, (customers, count)).astype(float)
    distance = distance if whole else distance + draw.random(distance.shape)
    p = int(draw.integers(1, count + 1))
    found = p_median(distance, p, seconds=20.0)
    assert found.value == pytest.approx(enumerated_median(distance, p), abs=1e-6)
    assert found.bound == pytest.approx(found.value, abs=1e-6)
    assert median_value(distance, p, found.open, found.assignment) == pytest.approx(found.value)
    assert median_bound(distance, p, found.certificate) >= found.bound - 1e-6


def test_interchange_ends_where_no_swap_pays() -> None:
    draw = np.random.default_rng(3)
    distance = draw.random((60, 25))
    rank, opened = ranked(distance), np.arange(25) < 6
    total = interchange(rank, opened, 100)
    assert opened.sum() == 6
    assert total == pytest.approx(distance[:, opened].min(axis=1).sum())
    for out in np.flatnonzero(opened):
        for into in np.flatnonzero(~opened):
            other = opened.copy()
            other[[out, into]] = other[[into, out]]
            assert distance[:, other].min(axis=1).sum() >= total - 1e-6
    assert nearest(rank, opened)[1].sum() == pytest.approx(total)


def test_a_table_and_ranks_price_alike() -> None:
    draw = np.random.default_rng(5)
    distance = draw.integers(1, 60, (50, 20)).astype(float)
    rank, price = ranked(distance), draw.uniform(5.0, 30.0, 50)
    by_rank = Near(distance.min(axis=1), rank, np.zeros((0, 0)))
    by_table = Near(by_rank.least, rank, distance.T.copy())
    status = draw.integers(-1, 2, 20)
    expected = np.where(status < 0, 0.0, np.minimum(distance - price[:, None], 0.0).sum(axis=0))
    for near in (by_rank, by_table):
        assert added(near, price, status) == pytest.approx(expected)
    choice = Choice(int((status > 0).sum()) + 3, status)
    first, second = (ascend(near, choice, price, 900.0, Effort(60, 10, 1e-3)) for near in (by_rank, by_table))
    assert first.bound == pytest.approx(second.bound)
    assert first.price == pytest.approx(second.price)
    assert in_table(by_table.table, price)
    assert not in_table(by_table.table, np.full(50, 2.0))


def test_a_tree_proves_what_multipliers_cannot() -> None:
    distance = np.random.default_rng(11).integers(1, 100, (60, 60)).astype(float)
    found = p_median(distance, 6, seconds=60.0)
    assert found.proof == "branch and bound"
    assert found.root_bound < found.bound == found.value == median_bound(distance, 6, found.certificate)


def test_columns_that_rose_most_on_both_sides_are_split_first() -> None:
    gains = Gains(3)
    for column, side, gain in ((0, 0, 4.0), (0, 1, 4.0), (1, 0, 1.0), (1, 1, 1.0)):
        gains.note((column, side, 0.5), gain)
    worth = gains.worth(np.full(3, 0.5))
    assert worth[0] > worth[2] > worth[1]
    assert gains.worth(np.array([0.0, 1.0, 0.0])).tolist() == [0.0, 0.0, 0.0]


def test_the_same_seed_gives_the_same_answer() -> None:
    distance = np.random.default_rng(8).integers(1, 99, (40, 40)).astype(float)
    first, second = p_median(distance, 6, seed=4), p_median(distance, 6, seed=4)
    assert (first.open == second.open).all()
    assert (first.certificate.price == second.certificate.price).all()


def test_a_bound_out_of_time_is_still_proved() -> None:
    distance = np.random.default_rng(9).random((60, 60))
    found = p_median(distance, 5, seconds=1e-9)
    assert median_bound(distance, 5, found.certificate) >= found.bound - 1e-9
    assert found.bound <= p_median(distance, 5, seconds=60.0).value


def test_more_than_there_are_cannot_open() -> None:
    with pytest.raises(InfeasibleError, match="5 facilities shall open, but there are 4"):
        p_median(np.ones((4, 4)), 5)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        p_median(np.full((2, 2), np.nan), 0, seconds=0.0)
    assert len(caught.value.faults) == 3


def test_a_customer_at_a_shut_facility_is_refused() -> None:
    with pytest.raises(CheckError, match="not open"):
        median_value(np.ones((2, 2)), 1, np.array([True, False]), np.array([0, 1]))


@pytest.mark.parametrize("name", ["pmed2", "pmed6"])
def test_published_optimum_is_proved(shared: Path, name: str) -> None:
    folder = shared / "instances" / "pmedian"
    with gzip.open(folder / f"{name}.txt.gz", "rt") as file:
        _, size, *lines = (line.split() for line in file if line.strip())
    distance, p = np.array([line[-int(size[0]) :] for line in lines], dtype=float), int(size[2])
    optimum = float((folder / f"{name}.txt.opt").read_text().split()[-1])
    found = p_median(distance, p, seconds=60.0)
    assert found.value == optimum
    assert median_bound(distance, p, found.certificate) == optimum
