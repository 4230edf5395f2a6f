"""The access network of a cell: what it costs to pass and to connect its premises."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Codes, Floats
from xinji.core.parameters import Parameters
from xinji.core.vocabulary import GROUPS


@dataclass(frozen=True, slots=True)
class AccessCosts:
    """Prices and habits of the access network.

    ``per_m`` [currency/m] and ``premises_per_building`` have one value for each of ``GROUPS``;
    ``in_building`` [currency per premises passed]; ``drop`` and ``ont`` [currency per premises
    connected]; ``port`` [currency]; ``line_opex`` [currency/year per premises connected].
    """

    household_size: float
    workers_per_premises: float
    take_up: float
    per_m: Floats
    premises_per_building: Floats
    route_factor: float
    in_building: float
    drop: float
    ont: float
    port: float
    lines_per_port: float
    port_mbps: float
    line_opex: float


def access_costs(parameters: Parameters) -> AccessCosts:
    """Return the access network's prices and habits from ``parameters``."""
    value = parameters.value
    return AccessCosts(
        household_size=value("fibre.household_size", "people"),
        workers_per_premises=value("fibre.workers_per_premises", "people"),
        take_up=value("fibre.take_up", "share"),
        per_m=np.array([value(f"fibre.distribution.{group}", "currency/m") for group in GROUPS]),
        premises_per_building=np.array([value(f"fibre.premises_per_building.{group}", "1") for group in GROUPS]),
        route_factor=value("fibre.distribution.route_factor", "1"),
        in_building=value("fibre.in_building", "currency"),
        drop=value("fibre.drop", "currency"),
        ont=value("fibre.ont", "currency"),
        port=value("fibre.pon.port", "currency"),
        lines_per_port=value("fibre.pon.split", "1") * value("fibre.pon.fill", "share"),
        port_mbps=value("fibre.pon.payload", "Mbit/s") * value("fibre.pon.load", "share"),
        line_opex=value("fibre.line_opex", "currency/year"),
    )


def premises(residents: Floats, workers: Floats, costs: AccessCosts) -> Floats:
    """Return the premises of each cell, homes and places of work (shape (n,)).

    A cell with anybody in it has at least one.
    """
    count = residents / costs.household_size + workers / costs.workers_per_premises
    return np.where(residents + workers > 0, np.maximum(count, 1.0), 0.0)


def buildings(passed: Floats, group: Codes, costs: AccessCosts) -> Floats:
    """Return the buildings that hold ``passed`` premises (shape (n,)); at least one where there are any."""
    count = passed / costs.premises_per_building[group]
    return np.where(passed > 0, np.maximum(count, 1.0), 0.0)


def route_m(building_count: Floats, area_m2: Floats, costs: AccessCosts) -> Floats:
    """Return the distribution route [m] that joins the buildings of each cell (shape (n,)).

    Length of the minimum spanning tree of n points at random in an area A, 0.6331 sqrt(n A)
    (Cortina-Borja and Robinson 2000).
    """
    return np.asarray(costs.route_factor * np.sqrt(building_count * area_m2), dtype=np.float64)


def ports(connected: Floats, peak_mbps: Floats, costs: AccessCosts) -> Floats:
    """Return the OLT ports that the lines of each cell use, in fractions (shape (n,)).

    A port is full when its splits are taken, or when the busy hour fills it (peak_mbps: the larger
    of down and up). Ports are shared between cells: the splitter stands in the field.
    """
    return np.maximum(connected / costs.lines_per_port, peak_mbps / costs.port_mbps)


def capex(passed: Floats, route: Floats, port_count: Floats, group: Codes, costs: AccessCosts) -> Floats:
    """Return the capex [currency] of each cell's access network (all shapes (n,); route [m]).

    Distribution and in-building work for every premises passed; drop, ONT and a share of OLT ports
    for those connected.
    """
    pass_all = route * costs.per_m[group] + passed * costs.in_building
    connect = passed * costs.take_up * (costs.drop + costs.ont) + port_count * costs.port
    return np.asarray(pass_all + connect, dtype=np.float64)


__all__ = ["AccessCosts", "access_costs", "buildings", "capex", "ports", "premises", "route_m"]
