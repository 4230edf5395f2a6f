"""Candidate sites: where they may stand, how far apart, and that they are always the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from support.tiny import tiny_region
from xinji.core.arrays import Shapes
from xinji.core.policy import Policy
from xinji.core.region import Region
from xinji.core.vocabulary import GROUPS
from xinji.plan.radio.candidates import KINDS, Candidates, buildable, propose


def spacing(region: Region, group: int) -> float:
    return region.parameters.value(f"radio.candidate.spacing.{GROUPS[group]}", "m")


def outline(region: Region) -> Shapes:
    return np.array([region.boundary], dtype=np.object_)


def rows(candidates: Candidates, kind: str) -> list[int]:
    return np.flatnonzero(candidates.kind == KINDS.index(kind)).tolist()


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 50))
def test_proposals_keep_the_rules(seed: int) -> None:
    region, _ = tiny_region(seed, 9)
    found = propose(region)
    existing = region.facilities.of_kind("radio_site")
    assert found.id[: len(existing)].tolist() == [f"S-{name}" for name in region.facilities.id[existing]]
    assert (found.facility[: len(existing)] == existing).all()
    assert len(set(found.id.tolist())) == len(found)
    new = [*rows(found, "roof"), *rows(found, "roadside")]
    assert new
    barred = shapely.union_all([*region.no_build, *region.water])
    for row in new:
        point = shapely.Point(found.x_m[row], found.y_m[row])
        assert shapely.contains(outline(region), point).all()
        assert not barred.intersects(point)
        others = np.arange(len(found)) < row
        gap = np.hypot(found.x_m[others] - point.x, found.y_m[others] - point.y)
        assert (gap >= spacing(region, found.group[row])).all()


def test_every_free_roof_and_node_left_out_has_a_site_near(tiny: tuple[Region, Policy]) -> None:
    region, _ = tiny
    found, cells = propose(region), region.cells
    people = cells.residents + cells.workers
    wanted = (people >= region.parameters.value("radio.candidate.people_min", "people")) & (cells.group != 3)
    for row in np.flatnonzero(wanted & buildable(region, cells.x_m, cells.y_m)):
        gap = np.hypot(found.x_m - cells.x_m[row], found.y_m - cells.y_m[row]).min()
        assert gap < spacing(region, cells.group[row])


def test_proposals_do_not_depend_on_the_order_of_cells_and_roads(tiny: tuple[Region, Policy]) -> None:
    region, _ = tiny
    cells, roads = region.cells, region.roads
    turned_cells = replace(cells, **{name: getattr(cells, name)[::-1] for name in type(cells).__dataclass_fields__})
    names = ("id", "from_node", "to_node", "length_m", "road_class", "shape")
    turned_roads = replace(roads, **{name: getattr(roads, name)[::-1] for name in names})
    turned = propose(replace(region, cells=turned_cells, roads=turned_roads))
    assert turned.id.tolist() == propose(region).id.tolist()


def test_nothing_is_proposed_where_nothing_may_be_built(tiny: tuple[Region, Policy]) -> None:
    region, _ = tiny
    found = propose(replace(region, no_build=shapely.buffer(outline(region), 10.0)))
    assert set(found.kind.tolist()) == {KINDS.index("existing")}
    assert len(found) == len(region.facilities.of_kind("radio_site"))
