from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compute.grid_region import EDGE, PARAMETERS, SIDE_M, demand_of, graph_of, grid_region
from xinji.core.demand import Demand
from xinji.core.offer import Offer
from xinji.core.parameters import Parameters
from xinji.core.vocabulary import RESOURCES
from xinji.errors import InputError, OfferError, ParameterError
from xinji.plan.compute.latency import latency_budget, one_way_ms
from xinji.plan.compute.offer import fibre_limit_m, offer
from xinji.plan.compute.reach import distance_m, nearest_rooms
from xinji.units import SPEED_OF_LIGHT_M_S

SERVERS = np.array([6.0, 4.0, 20.0, 0.0])
FIXED_MS = latency_budget(PARAMETERS, np.inf).fixed_ms


def test_two_options_a_room_and_arcs_where_servers_are_wanted() -> None:
    found = offer(grid_region(), demand_of(SERVERS), graph_of(grid_region()))
    assert found.technology == "compute"
    assert found.id.tolist() == ["E-pop/1", "E-pop/2", "E-dc/1", "E-dc/2"]
    assert found.kind.tolist() == ["edge_module", "edge_expansion"] * 2
    assert found.host.tolist() == [-1, 0, -1, 2]
    assert found.needs_fibre.tolist() == [True, False, True, False]
    assert found.x_m.tolist() == [0, 0, SIDE_M, SIDE_M]
    # Both rooms may serve all three cells: 30 servers, 8 in the module, 22 in the expansion.
    assert found.capacity[:, RESOURCES.index("servers")].tolist() == [8, 22, 8, 22]
    assert np.isinf(found.capacity[:, :2]).all()
    assert found.capex[:2] == pytest.approx([8 * 61_200 + 150_000, 22 * 61_200 + 3 * 150_000])
    assert (found.arc_service == EDGE).all()
    pairs = sorted(zip(found.arc_cell.tolist(), found.id[found.arc_option].tolist(), strict=True))
    everywhere = ["E-dc/1", "E-dc/2", "E-pop/1", "E-pop/2"]
    assert pairs == [(cell, option) for cell in (0, 1, 2) for option in everywhere]


def test_a_tight_latency_leaves_only_the_room_next_door() -> None:
    found = offer(grid_region(), demand_of(SERVERS, _latency_for(SIDE_M * 0.99)), graph_of(grid_region()))
    assert _pairs(found) == {(0, "E-pop/1"), (0, "E-pop/2"), (2, "E-dc/1"), (2, "E-dc/2")}
    found = offer(grid_region(), demand_of(SERVERS, _latency_for(SIDE_M * 1.01)), graph_of(grid_region()))
    assert {pair for pair in _pairs(found) if pair[1].endswith("/1")} == {
        (0, "E-pop/1"),
        (1, "E-pop/1"),
        (1, "E-dc/1"),
        (2, "E-dc/1"),
    }
    assert found.arc_path_limit_m == pytest.approx(SIDE_M * 1.01)


@given(st.floats(FIXED_MS + 0.01, 100))
def test_a_path_at_the_limit_takes_exactly_the_latency(latency_ms: float) -> None:
    limit_m = fibre_limit_m(demand_of(SERVERS, latency_ms), PARAMETERS)
    assert one_way_ms(np.array([limit_m]), latency_budget(PARAMETERS, latency_ms)) == pytest.approx([latency_ms])


def test_a_latency_that_leaves_nothing_for_fibre_is_refused() -> None:
    with pytest.raises(OfferError, match="industrial_edge allows 5 ms one way"):
        offer(grid_region(), demand_of(SERVERS, 5.0), graph_of(grid_region()))


def test_expansions_are_capped_and_shared_between_steps() -> None:
    region = grid_region(_with(PARAMETERS, {"compute.expansions_per_room": 3.0, "compute.expansion_servers_max": 7.0}))
    found = offer(region, demand_of(SERVERS), graph_of(region))
    assert found.id[:4].tolist() == ["E-pop/1", "E-pop/2", "E-pop/3", "E-pop/4"]
    assert found.host[:4].tolist() == [-1, 0, 1, 2]
    assert found.capacity[:4, 2].tolist() == [8, 7, 7, 7]
    assert found.kind.tolist()[4:] == ["edge_module", *["edge_expansion"] * 3]


def test_no_demand_no_arcs_but_the_same_ids() -> None:
    found = offer(grid_region(), demand_of(np.zeros(4)), graph_of(grid_region()))
    assert found.id.tolist() == ["E-pop/1", "E-pop/2", "E-dc/1", "E-dc/2"]
    assert len(found.arc_cell) == 0
    assert found.capacity[:, 2].tolist() == [8, 8, 8, 8]  # an expansion fills at least its cabinet


@pytest.mark.parametrize("value", [0.0, 1.5])
@pytest.mark.parametrize("key", ["compute.rooms_per_cell_max", "compute.expansions_per_room"])
def test_counts_must_be_whole(key: str, value: float) -> None:
    region = grid_region(_with(PARAMETERS, {key: value}))
    with pytest.raises(ParameterError, match="whole number of at least 1"):
        offer(region, demand_of(SERVERS), graph_of(region))


def test_demand_of_another_region_is_refused() -> None:
    demand = demand_of(SERVERS)
    shorter = Demand(demand.users[:3].copy(), demand.amount[:3].copy(), demand.latency_ms.copy())
    with pytest.raises(InputError, match="demand has 3 cells, the region 4"):
        offer(grid_region(), shorter, graph_of(grid_region()))


def test_distance_goes_round_the_square() -> None:
    corners = np.array([[0.0, 0.0], [SIDE_M, SIDE_M]])
    cells = np.array([[10.0, 10.0], [SIDE_M, 5.0], [SIDE_M, SIDE_M]])
    found = distance_m(graph_of(grid_region()), corners, cells)
    assert found == pytest.approx(np.array([[0, SIDE_M, 2 * SIDE_M], [2 * SIDE_M, SIDE_M, 0]]))


@given(st.integers(0, 10_000), st.floats(0, 1.2), st.integers(1, 4))
def test_nearest_rooms_equal_sorting_each_cell(seed: int, limit_m: float, most: int) -> None:
    distances = np.random.default_rng(seed).uniform(0, 1, (3, 5))
    distances[distances > 0.9] = np.inf
    cell, room = nearest_rooms(distances, limit_m, most)
    expected = []
    for c in range(5):
        ranked = sorted((float(distances[r, c]), r) for r in range(3))[:most]
        expected += [(c, r) for d, r in ranked if d <= limit_m]
    assert list(zip(cell.tolist(), room.tolist(), strict=True)) == expected


def test_a_room_exactly_at_the_limit_is_near_enough() -> None:
    cell, _ = nearest_rooms(np.array([[5.0, 5.0 + 1e-9]]), 5.0, 1)
    assert cell.tolist() == [0]


def test_an_unlimited_latency_still_needs_a_road() -> None:
    cell, _ = nearest_rooms(np.array([[1.0, np.inf]]), np.inf, 1)
    assert cell.tolist() == [0]


def _latency_for(length_m: float) -> float:
    return FIXED_MS + length_m * 1.468 / SPEED_OF_LIGHT_M_S * 1000


def _pairs(found: Offer) -> set[tuple[int, str]]:
    return set(zip(found.arc_cell.tolist(), found.id[found.arc_option].tolist(), strict=True))


def _with(parameters: Parameters, values: dict[str, float]) -> Parameters:
    entries = parameters.entries
    return parameters.override({k: replace(entries[k], value=v, low=min(v, entries[k].low)) for k, v in values.items()})
