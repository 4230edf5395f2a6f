from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fibre.line_region import PARAMETERS, line_region
from xinji.core.offer import Trenches
from xinji.plan.fibre.reach import farthest_premises_m, loss_budget, path_loss_db, reach_m, root_distance_m
from xinji.plan.fibre.trench import trenches

BUDGET = loss_budget(PARAMETERS)


def test_default_reach_by_hand() -> None:
    # N2 31 dB; 1:64 is six doublings of 3.5 dB = 21; 2 dB connectors, 1 dB margin: 7 dB left at 0.4 dB/km.
    assert reach_m(BUDGET) == pytest.approx(17_500)


@pytest.mark.parametrize(
    ("class_db", "split", "expected_m"),
    [
        (29.0, 64.0, 12_500.0),  # N1
        (31.0, 32.0, 20_000.0),  # a smaller split: the distance class of 20 km binds
        (35.0, 64.0, 17_500.0 + 10_000.0),  # E2, in the 40 km class
        (29.0, 1024.0, 0.0),  # the splitter alone takes everything
    ],
)
def test_reach_by_class_and_split(class_db: float, split: float, expected_m: float) -> None:
    longest_m = 40_000.0 if class_db > 31 else 20_000.0
    assert reach_m(replace(BUDGET, class_db=class_db, split=split, longest_m=longest_m)) == pytest.approx(expected_m)


@given(st.floats(28, 40), st.integers(1, 7), st.floats(0.2, 0.5))
def test_a_path_as_long_as_the_reach_just_keeps_the_budget(class_db: float, doublings: int, attenuation: float) -> None:
    budget = replace(BUDGET, class_db=class_db, split=2.0**doublings, attenuation_db_per_km=attenuation, longest_m=1e9)
    reach = reach_m(budget)
    loss = path_loss_db(np.array([reach]), budget)[0]
    assert loss == pytest.approx(class_db) or (reach == 0 and loss > class_db)


def test_distance_takes_the_shorter_of_two_parallel_roads_and_knows_what_is_cut_off() -> None:
    graph = trenches(line_region())
    assert root_distance_m(graph) == pytest.approx([0, 1100, 2200, 3300, np.inf])
    distance_m, node = farthest_premises_m(line_region().cells, graph)
    assert node.tolist() == [1, 2, 3, 4]
    corner_m = np.sqrt(62_500 / 2)
    assert distance_m == pytest.approx([1100 + 100 + corner_m, 2200 + corner_m, 3300 + corner_m, np.inf])


@given(st.integers(0, 10_000))
def test_distance_equals_that_of_a_relaxation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m = 8, 14
    from_node, to_node, length_m = rng.integers(0, n, m), rng.integers(0, n, m), rng.uniform(1, 100, m)
    graph = _graph(n, from_node, to_node, length_m, rng.integers(0, n, 2))
    expected = np.full(n, np.inf)
    expected[graph.roots] = 0
    for _ in range(n):
        for i, j, length in zip(from_node, to_node, length_m, strict=True):
            expected[i] = min(expected[i], expected[j] + length)
            expected[j] = min(expected[j], expected[i] + length)
    assert root_distance_m(graph) == pytest.approx(expected)


def _graph(n: int, from_node: np.ndarray, to_node: np.ndarray, length_m: np.ndarray, roots: np.ndarray) -> Trenches:
    m = len(length_m)
    return Trenches(
        node_x_m=np.arange(n, dtype=np.float64),
        node_y_m=np.zeros(n),
        id=np.array([f"T-{i}" for i in range(m)]),
        from_node=from_node,
        to_node=to_node,
        length_m=length_m,
        capex=np.zeros(m),
        opex=np.zeros(m),
        built=np.full(m, -1),
        road=np.arange(m),
        method=np.full(m, "aerial"),
        payer="operator",
        roots=roots,
        lateral_capex_per_m=0.0,
        lateral_opex_per_m=0.0,
    )
