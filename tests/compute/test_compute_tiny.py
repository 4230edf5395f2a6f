from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from compute.grid_region import EDGE, graph_of
from support.tiny import tiny_region
from xinji.core.vocabulary import RESOURCES
from xinji.io.parameters import load
from xinji.plan.compute.offer import offer
from xinji.plan.demand import forecast


@pytest.mark.parametrize("profile", ["cn", "lmic"])
def test_every_cell_that_wants_an_edge_node_reaches_both_rooms(profile: str) -> None:
    region, policy = tiny_region(3)
    region = replace(region, parameters=load(profile))
    demand = forecast(region, policy)
    found = offer(region, demand, graph_of(region))
    assert found.id.tolist() == ["E-f000/1", "E-f000/2", "E-f001/1", "E-f001/2"]
    wanting = np.flatnonzero(demand.users[:, EDGE].max(axis=1) > 0)
    assert len(wanting) > 0
    assert found.arc_cell.tolist() == np.repeat(wanting, 4).tolist()
    peak = demand.amount[:, EDGE, :, RESOURCES.index("servers")].max(axis=1)
    expected = np.clip(np.ceil(peak.sum() - 8), 8, 64)
    assert found.capacity[:, RESOURCES.index("servers")].tolist() == [8, expected, 8, expected]
