from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fibre.line_region import PARAMETERS, demand_of, line_region
from xinji.core.demand import Demand
from xinji.errors import InputError
from xinji.plan.fibre.offer import GIGABIT, offer, out_of_reach
from xinji.plan.fibre.trench import trenches


def test_every_inhabited_cell_within_reach_has_one_option() -> None:
    region = line_region()
    graph = trenches(region)
    found = offer(region, demand_of(region), graph)
    assert found.technology == "fibre"
    assert found.id.tolist() == ["G-a", "G-b"]
    assert found.arc_cell.tolist() == [0, 1]
    assert found.arc_option.tolist() == [0, 1]
    assert (found.arc_service == GIGABIT).all()
    assert found.arc_share.tolist() == [1.0, 1.0]
    assert found.needs_fibre.all()
    assert np.isinf(found.capacity).all()
    assert np.isinf(found.arc_path_limit_m).all()
    assert (found.host == -1).all()
    assert out_of_reach(region, graph).tolist() == [False, False, False, True]


def test_costs_by_hand() -> None:
    region = line_region()
    found = offer(region, demand_of(region), trenches(region))
    passed = np.array([2620 / 2.62 + 400 / 20, 26.2 / 2.62])
    route = 0.6331 * np.sqrt(np.array([passed[0] / 30, passed[1] / 1]) * 62_500)
    connected = 0.6 * passed
    expected = route * [150, 40] + passed * 120 + connected * (200 + 200) + connected / 51.2 * 1920
    assert found.capex == pytest.approx(expected)
    assert found.opex == pytest.approx(connected * 60)


def test_traffic_buys_ports() -> None:
    region = line_region()
    graph = trenches(region)
    quiet = offer(region, demand_of(region, 0.0), graph)
    busy = offer(region, demand_of(region, 40 * 8669 * 0.8), graph)
    assert (busy.capex - quiet.capex) == pytest.approx(1920 * (40 - np.array([1020, 10]) * 0.6 / 51.2))


def test_a_cell_beyond_the_loss_budget_has_no_option() -> None:
    entry = PARAMETERS.entries["fibre.pon.distance_max"]
    # The farthest premises of a lie at 1,376.8 m, of b at 2,376.8 m.
    near = PARAMETERS.override({entry.key: replace(entry, value=2000.0, low=0.0)})
    region = line_region(parameters=near)
    graph = trenches(region)
    assert offer(region, demand_of(region), graph).id.tolist() == ["G-a"]
    assert out_of_reach(region, graph).tolist() == [False, True, False, True]


def test_demand_of_another_region_is_refused() -> None:
    region = line_region()
    demand = demand_of(region)
    shorter = Demand(demand.users[:3].copy(), demand.amount[:3].copy(), demand.latency_ms.copy())
    with pytest.raises(InputError, match="demand has 3 cells, the region 4"):
        offer(region, shorter, trenches(region))
