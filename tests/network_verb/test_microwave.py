"""Microwave hops: clearance and margin by hand, and the choice between trench and hop walked through again."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyogrio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from network_verb.connected import connected_study
from xinji.cli import main
from xinji.core.grid import Grid
from xinji.core.study import Study
from xinji.io.parameters import load
from xinji.plan.radio.area.surface import Surface
from xinji.plan.radio.microwave import (
    Equipment,
    Masts,
    availability,
    clear_sights,
    margin_db,
    read_equipment,
    read_rules,
    sights,
)
from xinji.workflow import access
from xinji.workflow.access import plan_network
from xinji.workflow.hops import choose_backhaul, microwave_hops
from xinji.workflow.planned_network import PlannedNetwork

CELL_M, COLUMNS = 10.0, 201
PAIR = (np.array([0]), np.array([1]))


def flat(bump_m: float = 0.0, column: int = 100) -> Surface:
    """Return a plain of 2 km by 10 m, 50 m above the sea, with clutter ``bump_m`` high in one column."""
    grid = Grid("EPSG:32650", 0.0, 10.0, CELL_M, 1, COLUMNS)
    clutter = np.zeros((1, COLUMNS), dtype=np.float32)
    clutter[0, column] = bump_m
    ground = np.full((1, COLUMNS), 50.0, dtype=np.float32)
    return Surface(grid, ground, clutter, np.zeros((1, COLUMNS), dtype=np.uint8))


def ends(near_m: float, far_m: float) -> Masts:
    return Masts(np.array([5.0, 2005.0]), np.array([5.0, 5.0]), np.array([near_m, far_m]))


@given(st.floats(0.0, 60.0), st.integers(2, 198), st.floats(5.0, 60.0), st.floats(5.0, 60.0))
def test_clearance_is_that_of_one_obstacle(bump_m: float, column: int, near_m: float, far_m: float) -> None:
    found = sights(flat(bump_m, column), ends(near_m, far_m), *PAIR, 4 / 3)
    least = math.inf
    for step in range(1, 200):
        d1, d2 = 10.0 * step, 2000.0 - 10.0 * step
        line = near_m + (far_m - near_m) * d1 / 2000.0
        above = line - d1 * d2 / (2 * 4 / 3 * 6_371_000.0) - (bump_m if step == column else 0.0)
        least = min(least, above / math.sqrt(0.299792458 * d1 * d2 / 2000.0))
    # Clutter heights are float32.
    assert found.clear_1ghz[0] == pytest.approx(least, rel=1e-6, abs=1e-5)
    assert found.distance_m[0] == 2000.0
    assert found.ground_m[0] == 50.0


def test_a_house_in_the_way_stops_the_hop() -> None:
    equipment = read_equipment(load("cn"), "mid")
    rules = read_rules(load("cn"), 31.5)
    # Half of the first Fresnel zone at 23 GHz and 1 km either way: sqrt(0.013 * 500) = 2.55 m, of which 0.6.
    for house_m, clear in ((28.0, True), (28.8, False)):
        found = sights(flat(house_m), ends(30.0, 30.0), *PAIR, rules.earth_factor)
        assert clear_sights(found, equipment, rules).tolist() == [clear]
    near = replace(equipment, longest_m=1999.0)
    assert not clear_sights(sights(flat(), ends(30.0, 30.0), *PAIR, 4 / 3), near, rules).any()


def test_margin_and_outage() -> None:
    equipment = Equipment(23.0, 700.0, 20.0, 40.0, -60.0, 15_000.0, 1.0, 1.0)
    margin = margin_db(np.array([2000.0]), equipment)
    free_space = 92.45 + 20 * math.log10(23.0) + 20 * math.log10(2.0)
    # Air takes 0.2 dB/km at 23 GHz (ITU-R P.676, figure 1).
    assert margin[0] == pytest.approx(20.0 + 80.0 + 60.0 - free_space - 0.4, abs=0.1)
    rules = read_rules(load("cn"), 31.5)
    found = sights(flat(), ends(30.0, 30.0), *PAIR, 4 / 3)
    first = np.array([0])
    dry, wet = (availability(found, first, equipment, replace(rules, rain_rate_mm_h=rate))[0] for rate in (20.0, 120.0))
    weak = availability(found, first, replace(equipment, power_dbm=-10.0), rules)[0]
    deaf = availability(found, first, replace(equipment, power_dbm=-90.0), rules)[0]
    assert 1.0 > dry >= wet > weak > deaf == 0.0


@pytest.fixture(scope="module")
def network() -> PlannedNetwork:
    """Return a plan with few cells, so that most trenches are the sites' own, and hops next to free."""
    study = connected_study(3)
    stage = study.plan.stage.copy()
    cells = np.flatnonzero(np.array([offer.technology for offer in study.offers])[study.option_offer] == "fibre")
    stage[cells[2:]] = -1
    entries = dict(study.region.parameters.entries)
    for key in ("microwave.mid.cost", "microwave.e_band.cost"):
        entries[key] = replace(entries[key], value=entries[key].low)
    region = replace(study.region, parameters=replace(study.region.parameters, entries=entries))
    return plan_network(replace(study, region=region, plan=replace(study.plan, stage=stage)))


def test_hops_join_sites_within_reach(network: PlannedNetwork) -> None:
    planned = microwave_hops(network.study)
    hops, sites = planned.hops, planned.sites
    assert len(hops.cost)
    assert set(sites.roots.tolist()) >= set(network.case.exchanges.tolist())
    known = set(sites.node.tolist()) | set(sites.roots.tolist())
    assert set(hops.from_node.tolist()) | set(hops.to_node.tolist()) <= known
    assert (hops.from_node != hops.to_node).all()
    assert (sites.demand_mbps == 100.0).all()


def test_every_site_s_way_can_be_walked(network: PlannedNetwork) -> None:
    choice = choose_backhaul(network)
    study, case, planned, backhaul = network.study, network.case, choice.planned, choice.backhaul
    hops = planned.hops
    assert len(backhaul.hops)
    assert choice.bound <= backhaul.value <= choice.trenches_alone
    assert (hops.availability[backhaul.hops] >= 0.9999).all()
    trench = {
        frozenset((int(case.from_node[k]), int(case.to_node[k]))): int(study.plan.trench_stage[network.trench[k]])
        for k in backhaul.links.tolist()
    }
    hop = {frozenset((int(hops.from_node[k]), int(hops.to_node[k]))): k for k in backhaul.hops.tolist()}
    load = dict.fromkeys(hop.values(), 0.0)
    stage = {int(node): int(when) for node, when in zip(planned.sites.node, planned.sites.stage, strict=True)}
    for site, start in enumerate(planned.sites.node.tolist()):
        node, stands = start, 0
        while node not in planned.sites.roots:
            above = int(backhaul.parent[node])
            link = frozenset((node, above))
            if link in hop:
                load[hop[link]] += planned.sites.demand_mbps[site]
                stands = max(stands, stage.get(node, 0), stage.get(above, 0))
            else:
                stands = max(stands, trench[link])
            node = above
        assert stands == choice.ready[site] <= planned.sites.stage[site]
    for chosen, carried in load.items():
        assert carried == pytest.approx(backhaul.hop_load_mbps[chosen])
        assert carried <= hops.capacity_mbps[chosen] + 1e-9
    years = study.problem.stages + 1 - study.plan.trench_stage[network.trench]
    money = (study.problem.trench_capex + 0.0)[network.trench] + study.problem.trench_opex[network.trench] * years
    paid = np.where(choice.free, 0.0, money / 100)[backhaul.links].sum() + hops.cost[backhaul.hops].sum()
    assert backhaul.value == pytest.approx(paid)


def test_the_verb_lists_them(
    network: PlannedNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study: Study = network.study
    monkeypatch.setattr(access, "load_study", lambda _: study)
    assert main(["network", "plan", "--out", str(tmp_path / "out"), "--microwave", "--json"]) == 0
    printed = capsys.readouterr()
    told = json.loads(printed.out)["microwave"]
    assert told["bound"] <= told["value"] <= told["trenches_alone"]
    assert told["sites_that_wait"] == 0
    assert "survey each hop" in printed.err
    layer = pyogrio.read_dataframe(tmp_path / "out" / "network.gpkg", layer="microwave_hops")
    assert len(layer) == told["hops"] > 0
    assert (tmp_path / "out" / "site_backhaul.csv").is_file()
