"""The radio offer on a small region: hosts, carriers, arcs and what the rules leave out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from xinji.core.demand import Demand
from xinji.core.offer import EXISTING, FREE, Offer
from xinji.core.policy import Policy
from xinji.core.region import Region
from xinji.core.vocabulary import BANDS_MHZ, GROUPS, SERVICE_NAMES
from xinji.errors import RegionError
from xinji.io.parameters import load
from xinji.plan.demand import forecast
from xinji.plan.radio.arcs import strongest
from xinji.plan.radio.offer import offer


def with_value(region: Region, key: str, value: float) -> Region:
    entry = region.parameters.entries[key]
    low, high = min(value, entry.low), max(value, entry.high)
    return replace(
        region, parameters=region.parameters.override({key: replace(entry, value=value, low=low, high=high)})
    )


def with_bands(region: Region, bands: list[str]) -> Region:
    rows = region.facilities.of_kind("radio_site")
    new = region.facilities.bands.astype("U20").copy()
    new[rows[: len(bands)]] = bands
    return replace(region, facilities=replace(region.facilities, bands=new))


def servers(found: Offer, service: str) -> dict[int, set[str]]:
    """Return the sites that can serve each cell."""
    rows = np.flatnonzero(found.arc_service == SERVICE_NAMES.index(service))
    sites: dict[int, set[str]] = {}
    for row in rows:
        host = found.host[found.arc_option[row]]
        sites.setdefault(int(found.arc_cell[row]), set()).add(str(found.id[host]))
    return sites


@pytest.fixture(scope="module")
def demand(tiny: tuple[Region, Policy]) -> Demand:
    return forecast(*tiny)


@pytest.fixture(scope="module")
def made(tiny: tuple[Region, Policy], demand: Demand) -> Offer:
    return offer(tiny[0], demand)


def test_each_host_is_followed_by_its_carriers(made: Offer) -> None:
    hosts = made.host < 0
    assert hosts[0]
    last = -1
    for row, is_host in enumerate(hosts.tolist()):
        if is_host:
            last = row
            assert made.kind[row] in {"tower_new", "tower_shared", "rooftop"}
            assert made.payer[row] == "tower company"
            assert np.isinf(made.capacity[row]).all()
        else:
            assert made.host[row] == last
            assert made.kind[row] == f"carrier_{made.id[row].rsplit('-', 1)[1]}"
            assert made.id[row].startswith(f"{made.id[last]}-")
            assert made.payer[row] == "operator"
            assert np.isfinite(made.capacity[row, :2]).all()
        assert made.needs_fibre[row] == (is_host and made.built[row] == FREE)


def test_arcs_start_at_carriers_and_none_that_is_free_lacks_them(made: Offer) -> None:
    assert (made.host[made.arc_option] >= 0).all()
    free = np.flatnonzero((made.host >= 0) & (made.built == FREE))
    assert set(free.tolist()) <= set(made.arc_option.tolist())
    pairs = np.column_stack([made.arc_option, made.arc_cell, made.arc_service])
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    assert (made.arc_share == 1.0).all()


def test_only_users_are_served_and_gigabit_is_not(made: Offer, demand: Demand) -> None:
    assert (demand.users[made.arc_cell, made.arc_service].max(axis=1) > 0).all()
    assert SERVICE_NAMES.index("gigabit") not in made.arc_service


def test_a_cell_keeps_a_bounded_number_of_sites(tiny: tuple[Region, Policy], made: Offer, demand: Demand) -> None:
    for service, place in (("mobile_outdoor", "outdoor"), ("mobile_indoor", "indoor")):
        most = tiny[0].parameters.value(f"radio.servers_per_cell_max.{place}", "sites")
        assert max(map(len, servers(made, service).values())) <= most + 1
    few = with_value(tiny[0], "radio.servers_per_cell_max.outdoor", 1)
    narrow = servers(offer(few, demand), "mobile_outdoor")
    assert max(map(len, narrow.values())) <= 2
    assert narrow.keys() == servers(made, "mobile_outdoor").keys()


def test_existing_sites_stand_and_cost_their_upkeep_alone(tiny: tuple[Region, Policy], demand: Demand) -> None:
    region = with_bands(tiny[0], ["700;2600", "", "1800"])
    found = offer(region, demand)
    names = [f"S-{name}" for name in region.facilities.id[region.facilities.of_kind("radio_site")][:3]]
    row = {name: place for place, name in enumerate(found.id.tolist())}
    for name, stands in zip(names, (True, False, True), strict=True):
        place = row[name]
        assert found.built[place] == (EXISTING if stands else FREE)
        assert (found.capex[place] == 0) == stands
        assert found.opex[place] > 0
        assert found.kind[place] == "tower_shared"
    for mhz in (700, 2600):
        assert found.built[row[f"{names[0]}-{mhz}"]] == EXISTING
        assert found.capex[row[f"{names[0]}-{mhz}"]] == 0
    assert found.built[row[f"{names[2]}-700"]] == FREE
    assert found.built[row[f"{names[0]}-3500"]] == FREE


def test_a_band_that_is_no_number_is_refused_with_its_row(tiny: tuple[Region, Policy], demand: Demand) -> None:
    region = with_bands(tiny[0], ["n78", "700;xyz"])
    rows = region.facilities.of_kind("radio_site")
    with pytest.raises(RegionError) as caught:
        offer(region, demand)
    assert [fault.row for fault in caught.value.faults] == rows[:2].tolist()


def test_rules_say_where_and_for_what_a_band_is_offered(tiny: tuple[Region, Policy], demand: Demand) -> None:
    region = with_bands(tiny[0], [""] * 3)
    found = offer(region, demand)
    industry = {SERVICE_NAMES.index(name) for name in ("industrial_wide", "industrial_edge")}
    of_4900 = found.kind[found.arc_option] == "carrier_4900"
    assert of_4900.any()
    assert set(found.arc_service[of_4900].tolist()) <= industry
    groups = region.cells.group[found.arc_cell[found.kind[found.arc_option] == "carrier_3500"]]
    assert set(groups.tolist()) <= {GROUPS.index("industrial_cluster"), GROUPS.index("urban")}
    without = region
    for group in GROUPS:
        without = with_value(without, f"radio.band.4900.offered.{group}", 0)
    assert "carrier_4900" not in offer(without, demand).kind


def test_a_flow_quicker_than_the_radio_gets_no_arc(tiny: tuple[Region, Policy], demand: Demand) -> None:
    limit = demand.latency_ms.copy()
    limit[SERVICE_NAMES.index("industrial_edge")] = 0.5
    found = offer(tiny[0], replace(demand, latency_ms=limit))
    assert SERVICE_NAMES.index("industrial_edge") not in found.arc_service


def test_a_stricter_target_leaves_fewer_arcs(tiny: tuple[Region, Policy], made: Offer, demand: Demand) -> None:
    strict = offer(with_value(tiny[0], "radio.coverage_probability_min.indoor", 0.95), demand)
    indoor = SERVICE_NAMES.index("mobile_indoor")
    assert 0 < (strict.arc_service == indoor).sum() < (made.arc_service == indoor).sum()


def test_same_region_same_offer_in_both_profiles(tiny: tuple[Region, Policy], made: Offer, demand: Demand) -> None:
    again = offer(tiny[0], demand)
    assert again.id.tolist() == made.id.tolist()
    assert (again.arc_option == made.arc_option).all()
    poor = replace(tiny[0], parameters=load("lmic"))
    cheap = offer(poor, forecast(poor, tiny[1]))
    assert len(cheap)
    assert set(cheap.kind[cheap.host >= 0].tolist()) <= {f"carrier_{mhz}" for mhz in BANDS_MHZ}


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 20)), max_size=40, unique=True), st.integers(1, 4))
def test_strongest_equals_sorting_each_cell(pairs: list[tuple[int, int]], most: int) -> None:
    cell, site = (np.array([pair[k] for pair in pairs], dtype=np.int64) for k in (0, 1))
    level = np.array([-((7 * c + 3 * s) % 5) if (c + s) % 6 else -np.inf for c, s in pairs], dtype=np.float64)
    kept = strongest(cell, site, level, most)
    for name in set(cell.tolist()):
        rows = [row for row in np.flatnonzero(cell == name) if np.isfinite(level[row])]
        best = sorted(rows, key=lambda row: (-level[row], site[row]))[:most]
        assert sorted(np.flatnonzero(kept & (cell == name)).tolist()) == sorted(best)


def test_a_region_without_room_or_users_gets_an_empty_offer(tiny: tuple[Region, Policy], demand: Demand) -> None:
    region, facilities = tiny[0], tiny[0].facilities
    names = type(facilities).__dataclass_fields__
    bare = replace(facilities, **{name: getattr(facilities, name)[:2] for name in names})
    outline = np.array([region.boundary], dtype=np.object_)
    full = replace(region, facilities=bare, no_build=shapely.buffer(outline, 10.0))
    assert len(offer(full, demand)) == 0
    nobody = offer(region, replace(demand, users=np.zeros_like(demand.users)))
    assert len(nobody.arc_cell) == 0
    assert (nobody.built == EXISTING).all()
