from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.csgraph import minimum_spanning_tree

from fibre.line_region import PARAMETERS, RURAL, URBAN
from xinji.core.vocabulary import GROUPS
from xinji.io.parameters import load
from xinji.plan.fibre.access import access_costs, buildings, capex, ports, premises, route_m

COSTS = access_costs(PARAMETERS)
people = st.floats(0, 20_000)


def test_premises_are_homes_and_places_of_work() -> None:
    found = premises(np.array([262.0, 0.0, 1.0, 0.0]), np.array([40.0, 200.0, 0.0, 0.0]), COSTS)
    assert found == pytest.approx([100 + 2, 10, 1, 0])


def test_buildings_hold_more_premises_in_the_city() -> None:
    groups = np.array([URBAN, RURAL, URBAN], dtype=np.uint8)
    assert buildings(np.array([300.0, 300.0, 0.0]), groups, COSTS) == pytest.approx([10, 300, 0])


def test_route_is_as_long_as_spanning_trees_of_random_points() -> None:
    # On a torus, so that the border, which a large area does not feel, adds nothing.
    rng, n, side_m = np.random.default_rng(20), 400, 1000.0
    lengths = []
    for _ in range(20):
        x, y = rng.uniform(0, side_m, (2, n))
        apart = [np.abs(np.subtract.outer(axis, axis)) for axis in (x, y)]
        distance = np.hypot(*[np.minimum(gap, side_m - gap) for gap in apart])
        lengths.append(minimum_spanning_tree(distance).sum())
    formula = route_m(np.array([float(n)]), np.array([side_m**2]), COSTS)[0]
    assert np.mean(lengths) == pytest.approx(formula, rel=0.015)


def test_a_port_fills_by_its_splits_or_by_its_traffic() -> None:
    assert COSTS.lines_per_port == pytest.approx(64 * 0.8)
    assert COSTS.port_mbps == pytest.approx(8669 * 0.8)
    found = ports(np.array([102.4, 102.4]), np.array([100.0, 3 * 8669 * 0.8]), COSTS)
    assert found == pytest.approx([2, 3])


def test_capex_by_hand() -> None:
    one = np.ones(1)
    found = capex(100 * one, 500 * one, 2 * one, np.array([URBAN], dtype=np.uint8), COSTS)
    # 500 m at 150; 100 passed at 120; 60 connected at 200 + 200; 2 ports at 1,920.
    assert found == pytest.approx([75_000 + 12_000 + 24_000 + 3_840])


@given(st.lists(st.tuples(people, people, st.integers(0, len(GROUPS) - 1)), min_size=1, max_size=5))
def test_cost_is_never_negative_and_grows_with_people(rows: list[tuple[float, float, int]]) -> None:
    residents, workers = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    group = np.array([row[2] for row in rows], dtype=np.uint8)
    cost = [_cost(residents * factor, workers, group) for factor in (1.0, 2.0)]
    assert (cost[0] >= 0).all()
    assert (cost[1] >= cost[0] - 1e-6).all()


@pytest.mark.parametrize("profile", ["cn", "lmic"])
def test_rural_premises_cost_more_than_urban_ones(profile: str) -> None:
    # Half a hectare a home in the country, a dense block in the city (FBA: 3,000 against 1,000 USD a home in the US).
    costs = access_costs(load(profile))
    residents, group = np.array([2000.0, 30.0]), np.array([URBAN, RURAL], dtype=np.uint8)
    passed = premises(residents, np.zeros(2), costs)
    route = route_m(buildings(passed, group, costs), np.full(2, 62_500.0), costs)
    urban, rural = capex(passed, route, np.zeros(2), group, costs) / passed
    assert rural > 1.5 * urban


def _cost(residents: np.ndarray, workers: np.ndarray, group: np.ndarray) -> np.ndarray:
    passed = premises(residents, workers, COSTS)
    route = route_m(buildings(passed, group, COSTS), np.full(len(passed), 62_500.0), COSTS)
    return capex(passed, route, ports(passed * COSTS.take_up, residents, COSTS), group, COSTS)
