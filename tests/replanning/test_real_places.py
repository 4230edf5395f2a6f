"""A site built elsewhere serves from where it stands: held against a region that has it there as a facility."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xinji.core.offer import Offer
from xinji.core.region import Region
from xinji.core.vocabulary import GROUPS
from xinji.plan.radio.bands import read_bands
from xinji.plan.radio.candidates import Candidates, propose
from xinji.plan.radio.coverage import cover
from xinji.plan.radio.offer import offer as radio_offer
from xinji.plan.radio.real_places import HOST_KIND_OF, Masts, at_real_places
from xinji.workflow.planning import PlanRun

AWAY_M = 260.0


def masts(name: str, kind: str, x_m: float, y_m: float) -> Masts:
    return Masts(np.array([name]), np.array([kind]), np.array([x_m]), np.array([y_m]))


def reach(offer: Offer, host: str) -> set[tuple[str, int, int]]:
    """Return band, cell and service of every arc of the site ``host``."""
    arcs = zip(offer.id[offer.arc_option].tolist(), offer.arc_cell, offer.arc_service, strict=True)
    return {(name.rpartition("-")[2], int(c), int(s)) for name, c, s in arcs if name.startswith(f"{host}-")}


def levels(region: Region, candidates: Candidates, name: str) -> dict[int, list[float]]:
    """Return what each cell receives from the site ``name`` [dBm], by band."""
    wanted = np.ones(len(region.cells), dtype=bool)
    found = cover(region, candidates, read_bands(region.parameters), wanted)
    mine = np.flatnonzero(candidates.id[found.site] == name)
    return {int(found.cell[row]): found.rsrp_dbm[row].tolist() for row in mine}


def with_site(region: Region, x_m: float, y_m: float, height_m: float) -> Region:
    """Return ``region`` with a structure without bands at the place, as ``xinji import`` would give it."""
    old = region.facilities
    one = {"id": "real", "kind": old.kind[old.of_kind("radio_site")[0]], "x_m": x_m, "y_m": y_m}
    one |= {"height_m": height_m, "bands": "", "source": "surveyed"}
    columns = {name: np.append(getattr(old, name), np.array([value])) for name, value in one.items()}
    columns["kind"] = columns["kind"].astype(np.uint8)
    return replace(region, facilities=type(old)(**columns))


def test_coverage_is_that_of_the_real_place(first: PlanRun) -> None:
    region, demand = first.study.region, first.study.demand
    candidates = propose(region)
    site = int(np.flatnonzero(candidates.kind == 1)[0])
    name, height = str(candidates.id[site]), float(candidates.height_m[site])
    x_m, y_m = float(candidates.x_m[site]) + AWAY_M, float(candidates.y_m[site]) + AWAY_M
    real = masts(name, "rooftop", x_m, y_m)
    there = with_site(region, x_m, y_m, height)
    expected = levels(there, propose(there), "S-real")
    assert levels(region, at_real_places(region, candidates, real), name) == expected != {}
    moved = radio_offer(region, demand, masts=real)
    assert reach(moved, name) != reach(first.study.offers[0], name)
    host = int(np.flatnonzero(moved.id == name)[0])
    assert (moved.x_m[host], moved.y_m[host], str(moved.kind[host])) == (x_m, y_m, "rooftop")
    others = [n for n in first.study.offers[0].id.tolist() if not n.startswith(name)]
    assert set(others) == {n for n in moved.id.tolist() if not n.startswith(name)}


def test_a_site_that_no_candidate_is_becomes_one(first: PlanRun) -> None:
    region = first.study.region
    candidates = propose(region)
    x_m, y_m = float(region.cells.x_m[7]) + 3.0, float(region.cells.y_m[7]) + 4.0
    for kind in HOST_KIND_OF:
        found = at_real_places(region, candidates, masts("ours", kind, x_m, y_m))
        assert len(found) == len(candidates) + 1
        assert (found.id[-1], found.x_m[-1], found.group[-1]) == ("ours", x_m, region.cells.group[7])
        where = "roof" if kind == "rooftop" else "tower"
        group = GROUPS[int(region.cells.group[7])]
        assert found.height_m[-1] == region.parameters.value(f"radio.height.{where}.{group}", "m")
        assert found.id[:-1].tolist() == candidates.id.tolist()
