"""What is told of a choice between trench and microwave: a row a site, a line a hop, a summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from xinji.core.arrays import AnyArray, Ints
from xinji.plan.radio.microwave import EQUIPMENT
from xinji.units import METRES_PER_KM
from xinji.workflow.hops import BackhaulChoice
from xinji.workflow.planned_network import PlannedNetwork

Columns = Mapping[str, AnyArray]

TRENCH, HOP = "trench", "hop"
_CENTS = 2
_MILLION = 1e6


def site_table(found: PlannedNetwork, choice: BackhaulChoice) -> Columns:
    """Return each site with its way, by trench or hop, and the node that it leads to (itself at a point of presence).

    ``hop`` is the row of ``microwave_hops.csv``, -1 for a trench.
    """
    sites, backhaul = choice.planned.sites, choice.backhaul
    row = np.full(len(choice.planned.kind) + 1, -1, dtype=np.int64)
    row[backhaul.hops] = np.arange(len(backhaul.hops))
    return {
        "option": found.study.problem.option_id[sites.option],
        "year": found.study.problem.years[sites.stage - 1],
        "node": sites.node,
        "demand_mbps": np.round(sites.demand_mbps, 1),
        "way": np.where(choice.feed >= 0, HOP, TRENCH),
        "towards": backhaul.parent[sites.node],
        "hop": row[choice.feed],
        "way_stands": found.study.problem.years[np.maximum(choice.ready, 1) - 1],
    }


def hop_table(choice: BackhaulChoice) -> Columns:
    """Return the chosen hops as columns; the cost is over the planned years."""
    planned, chosen = choice.planned, choice.backhaul.hops
    hops = planned.hops
    return {
        "from_node": hops.from_node[chosen],
        "to_node": hops.to_node[chosen],
        "equipment": np.array(EQUIPMENT, dtype=np.str_)[planned.kind[chosen]],
        "length_m": np.round(planned.distance_m[chosen], 1),
        "load_mbps": np.round(choice.backhaul.hop_load_mbps[chosen], 1),
        "capacity_mbps": np.round(hops.capacity_mbps[chosen], 1),
        "availability": np.round(hops.availability[chosen], 7),
        "cost": np.round(hops.cost[chosen], _CENTS),
    }


def hop_layer(choice: BackhaulChoice) -> tuple[Ints, Columns]:
    """Return the nodes (h, 2) that the chosen hops join, and their columns."""
    hops, chosen = choice.planned.hops, choice.backhaul.hops
    return np.stack([hops.from_node[chosen], hops.to_node[chosen]], axis=1), hop_table(choice)


def microwave_record(found: PlannedNetwork, choice: BackhaulChoice) -> dict[str, object]:
    """Return the summary of the choice as one object; money over the planned years, without discount."""
    backhaul = choice.backhaul
    spared = _spared(choice)
    return {
        "sites": len(choice.planned.sites.option),
        "sites_by_hop": int((choice.feed >= 0).sum()),
        "hops": len(backhaul.hops),
        "hops_offered": len(choice.planned.kind),
        "availability_asked": found.study.region.parameters.value("microwave.availability", "share"),
        "trenches_spared_km": round(float(found.case.length_m[spared].sum()) / METRES_PER_KM, 3),
        "value": round(backhaul.value, _CENTS),
        "bound": round(choice.bound, _CENTS),
        "sites_that_wait": int((choice.ready > choice.planned.sites.stage).sum()),
        "trenches_alone": round(choice.trenches_alone, _CENTS),
    }


def _spared(choice: BackhaulChoice) -> Ints:
    """Return the built trenches that only sites use and no site uses any longer."""
    used = choice.free.copy()
    used[choice.backhaul.links] = True
    return np.flatnonzero(~used)


def microwave_text(found: PlannedNetwork, choice: BackhaulChoice) -> str:
    """Return the summary of the choice in plain words."""
    return "\n".join(_lines(found, choice)) + "\n"


def _lines(found: PlannedNetwork, choice: BackhaulChoice) -> Iterator[str]:
    told, backhaul = microwave_record(found, choice), choice.backhaul
    yield f"Backhaul: {told['sites_by_hop']:,} of {told['sites']:,} sites by microwave, {told['hops']:,} hops"
    currency = found.study.region.currency
    yield f"  over the planned years, in million {currency}:"
    yield f"  trenches for sites alone   {choice.trenches_alone / _MILLION:8,.2f}"
    bound = f"no choice costs less than {choice.bound / _MILLION:,.2f}"
    yield f"  hops and trenches instead  {backhaul.value / _MILLION:8,.2f}; {bound}"
    yield f"  trenches that need not be dug: {told['trenches_spared_km']} km; the plan itself is left as it is"
    if told["sites_that_wait"]:
        yield f"  {told['sites_that_wait']:,} sites wait for a later one: column way_stands of site_backhaul.csv"
    yield "  Sight lines are over mean clutter heights: survey each hop, and confirm rain rate and prices"


__all__ = ["HOP", "TRENCH", "hop_layer", "hop_table", "microwave_record", "microwave_text", "site_table"]
