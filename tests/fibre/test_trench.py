from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fibre.line_region import PARAMETERS, line_region
from xinji.core.offer import FREE
from xinji.core.vocabulary import ROAD_CLASSES
from xinji.errors import OfferError
from xinji.io.parameters import load
from xinji.plan.fibre.trench import METHODS, methods, price_per_m, roots, trenches

OPEN, MICRO, AERIAL = 200.0, 80.0, 40.0


def test_each_road_is_priced_by_its_method_and_lengthened() -> None:
    graph = trenches(line_region())
    # r0 primary: open; r1 local, nearest to the rural cell b: poles; r2 motorway: open times 3;
    # r3 track: poles; the loop stands at the urban cell a: micro-trench.
    assert graph.method.tolist() == ["open_trench", "aerial", "open_trench", "aerial", "micro_trench"]
    assert graph.length_m == pytest.approx([1100, 1100, 1100, 1650, 330])
    expected = [1100 * OPEN, 1100 * AERIAL, 1100 * OPEN * 3, 1650 * AERIAL, 330 * MICRO]
    assert graph.capex == pytest.approx(expected)
    assert graph.opex == pytest.approx([0.015 * cost for cost in expected])
    assert graph.id.tolist() == ["T-r0", "T-r1", "T-r2", "T-r3", "T-loop"]
    assert (graph.built == FREE).all()
    assert graph.road.tolist() == [0, 1, 2, 3, 4]
    assert graph.roots.tolist() == [0]
    assert graph.lateral_opex_per_m == pytest.approx(0.015 * graph.lateral_capex_per_m)


def test_two_points_of_presence_at_one_node_are_one_root() -> None:
    assert roots(line_region(pops=2)).tolist() == [0]


def test_a_point_of_presence_far_from_the_roads_is_a_fault_with_its_row() -> None:
    with pytest.raises(OfferError, match=r"facilities, row 1: .*farther than 500 m") as caught:
        trenches(line_region(pop_y_m=501.0))
    assert [fault.row for fault in caught.value.faults] == [1]
    assert trenches(line_region(pop_y_m=499.0)).roots.tolist() == [0]


def test_without_a_point_of_presence_there_is_no_graph() -> None:
    with pytest.raises(OfferError, match="no fibre point of presence"):
        trenches(line_region(pops=0))


@pytest.mark.parametrize("profile", ["cn", "lmic"])
def test_poles_are_never_dearer_than_digging_and_motorways_the_dearest(profile: str) -> None:
    parameters = load(profile)
    codes = np.arange(len(ROAD_CLASSES), dtype=np.uint8)
    price = {}
    for rural in (False, True):
        chosen = methods(codes, np.full(len(codes), rural))
        price[rural] = price_per_m(chosen, codes == 0, parameters)
        assert price[rural].argmax() == ROAD_CLASSES.index("motorway")
        assert (np.diff(price[rural]) <= 0).all()  # classes run from the main road to the track
    assert (price[True] <= price[False]).all()


@given(st.integers(0, len(ROAD_CLASSES) - 1), st.booleans(), st.floats(0.1, 1e5), st.floats(0.01, 0.99))
def test_cost_is_additive_along_a_road(road_class: int, rural: bool, length_m: float, share: float) -> None:  # noqa: FBT001
    codes = np.full(3, road_class, dtype=np.uint8)
    chosen = methods(codes, np.full(3, rural))
    price = price_per_m(chosen, codes == 0, PARAMETERS)
    whole, left, right = price * np.array([length_m, length_m * share, length_m * (1 - share)])
    assert whole >= 0
    assert left + right == pytest.approx(whole)


def test_methods_are_all_priced_and_all_used() -> None:
    codes = np.arange(len(ROAD_CLASSES), dtype=np.uint8)
    used = set(methods(codes, np.zeros(len(codes), dtype=bool)).tolist())
    assert used == set(range(len(METHODS)))


def test_an_override_changes_the_price() -> None:
    entry = PARAMETERS.entries["fibre.trench.open_trench"]
    dearer = PARAMETERS.override({entry.key: replace(entry, value=300.0)})
    assert trenches(line_region(parameters=dearer)).capex[0] == pytest.approx(1100 * 300)
