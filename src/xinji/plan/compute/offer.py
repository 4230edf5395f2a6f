"""The compute offer: edge nodes at aggregation rooms, in modules sized by the demand around them."""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.core.demand import Demand
from xinji.core.offer import FREE, Offer, Trenches
from xinji.core.parameters import Parameters
from xinji.core.region import ExistingFacilities, Region
from xinji.core.vocabulary import RESOURCES, SERVICE_NAMES
from xinji.errors import Fault, InputError, OfferError, ParameterError
from xinji.plan.compute.energy import capex, opex, server_costs
from xinji.plan.compute.latency import latency_budget, path_limit_m
from xinji.plan.compute.reach import distance_m, nearest_rooms

EDGE = SERVICE_NAMES.index("industrial_edge")
ROOM_KINDS = ("fibre_pop", "server_room", "data_centre")
"""Kinds of facility that can house an edge node."""


def offer(region: Region, demand: Demand, trenches: Trenches) -> Offer:
    """Return the edge options of each room: ``E-<room id>/1``, then its expansions ``/2`` and so on.

    The first is a module of ``compute.module_servers`` and needs fibre; an expansion is hosted by
    the one before it. Expansions are sized so that the room could carry every cell that may use it
    (``room_servers``). Arcs lead to cells with ``industrial_edge`` demand, from the nearest rooms
    whose fibre path keeps the latency limit.

    Raises OfferError if the limit leaves no time for fibre at all, InputError if ``demand`` has
    another number of cells than ``region``, ParameterError if a count is not whole.
    """
    _check_cells(region, demand)
    parameters = region.parameters
    limit_m = fibre_limit_m(demand, parameters)
    rooms = np.flatnonzero(_is_room(region.facilities))
    cell, room = _pairs(region, demand, trenches, rooms, limit_m)
    servers = room_servers(_peak_servers(demand), cell, room, len(rooms), parameters)
    count, steps = len(rooms), servers.shape[1]
    size, costs = servers.ravel(), server_costs(parameters)
    first = np.tile(np.arange(steps) == 0, count)
    capacity = np.full((count * steps, len(RESOURCES)), np.inf)
    capacity[:, RESOURCES.index("servers")] = size
    names = region.facilities.id[rooms]
    option = (room[:, np.newaxis] * steps + np.arange(steps)).ravel()
    return Offer(
        technology="compute",
        id=np.array([f"E-{name}/{step + 1}" for name in names for step in range(steps)], dtype=np.str_),
        kind=np.where(first, "edge_module", "edge_expansion"),
        payer=np.full(count * steps, "operator"),
        x_m=np.repeat(region.facilities.x_m[rooms], steps),
        y_m=np.repeat(region.facilities.y_m[rooms], steps),
        capex=capex(size, costs),
        opex=opex(size, costs),
        host=np.where(first, -1, np.arange(count * steps) - 1).astype(np.int64),
        needs_fibre=first,
        built=np.full(count * steps, FREE, dtype=np.int64),
        capacity=capacity,
        arc_cell=np.repeat(cell, steps),
        arc_service=np.full(len(option), EDGE, dtype=np.uint8),
        arc_option=option,
        arc_share=np.ones(len(option)),
        arc_path_limit_m=np.full(len(option), limit_m),
    )


def fibre_limit_m(demand: Demand, parameters: Parameters) -> float:
    """Return the longest fibre [m] between radio site and edge node that ``industrial_edge`` allows.

    Raises OfferError if radio, processing and switching alone exceed the limit.
    """
    asked_ms = float(demand.latency_ms[EDGE])
    budget = latency_budget(parameters, asked_ms)
    limit_m = path_limit_m(asked_ms, budget)
    if limit_m < 0:
        message = (
            f"industrial_edge allows {asked_ms:g} ms one way, but radio, processing and switching "
            f"take {budget.fixed_ms:g} ms"
        )
        remedy = "Lower compute.latency.* or the latency of the slowest band, or let the scenarios wait longer."
        raise OfferError([Fault("compute offer", message, remedy)])
    return limit_m


def room_servers(peak: Floats, cell: Ints, room: Ints, rooms: int, parameters: Parameters) -> Floats:
    """Return the servers of each room's module and expansions, shape (rooms, 1 + expansions).

    What the cells of a room need in their busiest year (peak: servers by cell), less the module, is
    split evenly over ``compute.expansions_per_room`` expansions in whole servers, each at least a
    full cabinet and at most ``compute.expansion_servers_max``.
    """
    module = parameters.value("compute.module_servers", "servers")
    expansions = _whole("compute.expansions_per_room", parameters)
    most = parameters.value("compute.expansion_servers_max", "servers")
    least = min(parameters.value("compute.servers_per_cabinet", "servers"), most)
    needed = np.bincount(room, weights=peak[cell], minlength=rooms)
    step = np.clip(np.ceil((needed - module) / expansions), least, most)
    return np.column_stack([np.full(rooms, module), *[step] * expansions])


def _pairs(region: Region, demand: Demand, trenches: Trenches, rooms: Ints, limit_m: float) -> tuple[Ints, Ints]:
    """Return pairs of cell position and place in ``rooms``, for cells that want an edge node."""
    users = demand.users[:, EDGE].max(axis=1, initial=0.0)
    wanting = np.flatnonzero(users > 0)
    if not (len(rooms) and len(wanting)):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    facilities, cells = region.facilities, region.cells
    room_xy_m = np.column_stack([facilities.x_m[rooms], facilities.y_m[rooms]])
    cell_xy_m = np.column_stack([cells.x_m[wanting], cells.y_m[wanting]])
    most = _whole("compute.rooms_per_cell_max", region.parameters)
    cell, room = nearest_rooms(distance_m(trenches, room_xy_m, cell_xy_m), limit_m, most)
    return wanting[cell].astype(np.int64), room


def _is_room(facilities: ExistingFacilities) -> Bools:
    housed = np.zeros(len(facilities), dtype=bool)
    for kind in ROOM_KINDS:
        housed[facilities.of_kind(kind)] = True
    return housed


def _peak_servers(demand: Demand) -> Floats:
    """Return the servers that each cell needs in its busiest year."""
    peak: Floats = demand.amount[:, EDGE, :, RESOURCES.index("servers")].max(axis=1, initial=0.0)
    return peak


def _whole(key: str, parameters: Parameters) -> int:
    """Return a parameter that counts things; ParameterError if it is not a whole number of at least 1."""
    value = parameters.value(key, "1")
    if value < 1 or value % 1:
        raise ParameterError([Fault(f"parameter {key}", f"value is {value:g}", "Give a whole number of at least 1.")])
    return int(value)


def _check_cells(region: Region, demand: Demand) -> None:
    if len(demand.users) != len(region.cells):
        message = f"demand has {len(demand.users)} cells, the region {len(region.cells)}"
        raise InputError([Fault("demand", message, "Make the demand from this region.")])


__all__ = ["EDGE", "ROOM_KINDS", "fibre_limit_m", "offer", "room_servers"]
