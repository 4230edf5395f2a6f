"""Groups: each threshold from both sides, and neighbourhoods against a plain double loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinji.core.vocabulary import GROUPS, LAND_USES
from xinji.io.config import GroupRule
from xinji.io.groups import NEIGHBOURHOOD_M, NEVER_INDUSTRIAL, classify, neighbourhood_sums

RULE = GroupRule()


def group(residents: float, workers: float, industrial: float, use: str = "open", rule: GroupRule = RULE) -> str:
    """Classify one cell of 1 km2 with a share ``industrial`` of industrial land."""
    area, people, jobs, industry = (np.array([value]) for value in (1e6, residents, workers, industrial * 1e6))
    code = classify(area, people, jobs, industry, np.array([LAND_USES.index(use)], dtype=np.uint8), rule)
    return GROUPS[code[0]]


@pytest.mark.parametrize(
    ("residents", "workers", "industrial", "expected"),
    [
        (0, 500, 0.3, "industrial_cluster"),
        (0, 499, 0.3, "town"),
        (0, 500, 0.299, "town"),
        (9_000, 500, 0.3, "industrial_cluster"),
        (1_500, 0, 0.0, "urban"),
        (1_499, 0, 0.0, "town"),
        (0, 1_500, 0.0, "urban"),
        (300, 0, 0.0, "town"),
        (299, 299, 0.0, "rural"),
        (0, 0, 1.0, "rural"),
    ],
)
def test_thresholds(residents: float, workers: float, industrial: float, expected: str) -> None:
    assert group(residents, workers, industrial) == expected


@pytest.mark.parametrize("use", NEVER_INDUSTRIAL)
def test_such_land_is_never_in_an_industrial_cluster(use: str) -> None:
    assert group(0, 5_000, 0.9, use) == "urban"


def test_the_rule_is_the_users() -> None:
    rule = GroupRule(
        industrial_area_share_min=0.1,
        workers_per_km2_min=10.0,
        residents_per_km2_urban_min=5_000.0,
        residents_per_km2_town_min=1_000.0,
    )
    assert group(0, 10, 0.1, rule=rule) == "industrial_cluster"
    assert group(4_999, 0, 0.0, rule=rule) == "town"
    assert group(999, 0, 0.0, rule=rule) == "rural"


def test_without_industry_there_is_no_industrial_cluster() -> None:
    rule = GroupRule(industrial_area_share_min=0.0, workers_per_km2_min=0.0)
    assert group(0, 0, 0.0, rule=rule) == "rural"


def test_the_neighbourhood_is_a_square_kilometre() -> None:
    assert np.pi * NEIGHBOURHOOD_M**2 == pytest.approx(1e6, rel=0.02)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30, unique=True))
def test_neighbourhoods_are_those_of_a_double_loop(places: list[tuple[int, int]]) -> None:
    xy = np.array(places, dtype=np.float64) * 250.0
    values = np.column_stack([np.arange(len(xy)) + 1.0, xy[:, 0]])
    expected = [
        sum(values[j] for j in range(len(xy)) if np.hypot(*(xy[i] - xy[j])) <= NEIGHBOURHOOD_M) for i in range(len(xy))
    ]
    found = neighbourhood_sums(xy[:, 0], xy[:, 1], values, NEIGHBOURHOOD_M)
    np.testing.assert_allclose(found, expected)
    np.testing.assert_array_equal(neighbourhood_sums(xy[:, 0], xy[:, 1], values, 0.0), values)
