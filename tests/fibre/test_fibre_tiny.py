from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from support.tiny import tiny_region
from xinji.core.offer import Offer, Trenches
from xinji.core.region import Region
from xinji.io.parameters import load
from xinji.plan.demand import forecast
from xinji.plan.fibre.offer import offer
from xinji.plan.fibre.trench import METHODS, trenches


@pytest.fixture(scope="module", params=["cn", "lmic"])
def made(request: pytest.FixtureRequest) -> tuple[Region, Trenches, Offer]:
    region, policy = tiny_region(3)
    region = replace(region, parameters=load(request.param))
    graph = trenches(region)
    return region, graph, offer(region, forecast(region, policy), graph)


def test_the_whole_road_graph_is_a_trench_graph(made: tuple[Region, Trenches, Offer]) -> None:
    region, graph, _ = made
    assert len(graph) == len(region.roads)
    assert set(graph.method.tolist()) <= set(METHODS)
    assert len(graph.roots) == 1
    per_m = graph.capex / graph.length_m
    prices = {region.parameters.value(f"fibre.trench.{name}", "currency/m") for name in METHODS}
    assert {round(float(price), 6) for price in per_m} <= {round(price, 6) for price in prices}


def test_nobody_is_left_out(made: tuple[Region, Trenches, Offer]) -> None:
    region, _, found = made
    assert found.arc_cell.tolist() == np.flatnonzero(region.cells.residents > 0).tolist()
    assert (found.capex > 0).all()


def test_offers_are_the_same_each_time(made: tuple[Region, Trenches, Offer]) -> None:
    region, graph, found = made
    _, policy = tiny_region(3)
    again = offer(region, forecast(region, policy), graph)
    assert again.id.tolist() == found.id.tolist()
    assert (again.capex == found.capex).all()
