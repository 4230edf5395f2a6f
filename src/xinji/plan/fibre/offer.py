"""The fibre offer: one gigabit option for each inhabited cell within reach of a point of presence."""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Bools, Floats
from xinji.core.demand import Demand
from xinji.core.offer import FREE, Offer, Trenches
from xinji.core.region import Region
from xinji.core.vocabulary import RESOURCES, SERVICE_NAMES
from xinji.errors import Fault, InputError
from xinji.plan.fibre.access import access_costs, buildings, capex, ports, premises, route_m
from xinji.plan.fibre.reach import farthest_premises_m, loss_budget, reach_m

GIGABIT = SERVICE_NAMES.index("gigabit")


def offer(region: Region, demand: Demand, trenches: Trenches) -> Offer:
    """Return the gigabit options, ``G-<cell id>``, each serving the whole of its own cell.

    An option holds the cell's distribution network, drops, ONTs and share of OLT ports, sized for
    the busiest year of ``demand``; the feeder is the shared trench graph, so each needs fibre. A
    cell gets none if nobody lives in it or ``out_of_reach`` says so.

    Raises InputError if ``demand`` has another number of cells than ``region``.
    """
    cells, costs = region.cells, access_costs(region.parameters)
    _check_cells(region, demand)
    chosen = np.flatnonzero((cells.residents > 0) & ~out_of_reach(region, trenches))
    group = cells.group[chosen]
    passed = premises(cells.residents[chosen], cells.workers[chosen], costs)
    port_count = ports(passed * costs.take_up, _peak_mbps(demand)[chosen], costs)
    route = route_m(buildings(passed, group, costs), cells.area_m2[chosen], costs)
    n = len(chosen)
    return Offer(
        technology="fibre",
        id=np.array([f"G-{cell}" for cell in cells.id[chosen]], dtype=np.str_),
        kind=np.full(n, "gigabit_cell"),
        payer=np.full(n, "operator"),
        x_m=cells.x_m[chosen],
        y_m=cells.y_m[chosen],
        capex=capex(passed, route, port_count, group, costs),
        opex=passed * costs.take_up * costs.line_opex,
        host=np.full(n, -1, dtype=np.int64),
        needs_fibre=np.ones(n, dtype=bool),
        built=np.full(n, FREE, dtype=np.int64),
        capacity=np.full((n, len(RESOURCES)), np.inf),
        arc_cell=chosen.astype(np.int64),
        arc_service=np.full(n, GIGABIT, dtype=np.uint8),
        arc_option=np.arange(n, dtype=np.int64),
        arc_share=np.ones(n),
        arc_path_limit_m=np.full(n, np.inf),
    )


def out_of_reach(region: Region, trenches: Trenches) -> Bools:
    """Return the inhabited cells that no passive optical network reaches (shape (cells,)).

    Their farthest premises lie beyond the loss budget or the distance class from every point of
    presence, or the roads do not join them to one.
    """
    distance_m, _ = farthest_premises_m(region.cells, trenches)
    beyond: Bools = (region.cells.residents > 0) & (distance_m > reach_m(loss_budget(region.parameters)))
    return beyond


def _peak_mbps(demand: Demand) -> Floats:
    """Return the busy-hour gigabit traffic [Mbit/s] of each cell in its busiest year and direction."""
    links = [RESOURCES.index("down_mbps"), RESOURCES.index("up_mbps")]
    peak: Floats = demand.amount[:, GIGABIT][..., links].max(axis=(1, 2), initial=0.0)
    return peak


def _check_cells(region: Region, demand: Demand) -> None:
    if len(demand.users) != len(region.cells):
        message = f"demand has {len(demand.users)} cells, the region {len(region.cells)}"
        raise InputError([Fault("demand", message, "Make the demand from this region.")])


__all__ = ["GIGABIT", "offer", "out_of_reach"]
