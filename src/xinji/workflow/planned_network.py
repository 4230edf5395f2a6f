"""The network of a plan in detail, and how its bill lies beside the plan's money."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.core.offer import EXISTING
from xinji.core.study import Study
from xinji.core.vocabulary import RESOURCES, SERVICE_NAMES, TECHNOLOGIES
from xinji.plan.backhaul.critical import Critical
from xinji.plan.fibre.access import access_costs, buildings, ports, premises, route_m
from xinji.plan.fibre.pon.bill import Item
from xinji.plan.fibre.pon.case import AERIAL, WAYS, AccessCase
from xinji.plan.fibre.pon.design import AccessDesign
from xinji.plan.fibre.pon.prices import PonPrices
from xinji.plan.fibre.pon.routes import shortest
from xinji.units import CENTS_PER_UNIT

FIBRE = "fibre"
WEIGHTS = ("worth", "lines", "radio_sites", "edge_nodes")
"""What a cut takes off: planned worth, lines connected, radio sites and edge nodes."""

PORT, IN_BUILDING, CONNECTION, TRENCH = (
    "fibre.pon.port",
    "fibre.in_building",
    "fibre.drop + fibre.ont",
    "fibre.trench.*",
)
DISTRIBUTION, LATERAL, NOTHING = "fibre.distribution.*", "fibre.lateral", ""
"""The plan's all-in prices that hold parts of the access network; ``NOTHING`` where none does."""

_HELD_BY = {"olt_port": PORT, "box": IN_BUILDING, "splitter": IN_BUILDING, "line": CONNECTION, "cable": TRENCH}


@dataclass(frozen=True, slots=True, eq=False)
class PlannedNetwork:
    """The network of a study: the access ``case`` over its built trenches and its ``design``; what a cut costs.

    ``trench`` (b,) are the built trenches, in the order of the case's edges; ``option`` and ``cell`` (p,) the
    gigabit options that the premises are, and their cells.
    """

    study: Study
    trench: Ints
    option: Ints
    cell: Ints
    case: AccessCase
    prices: PonPrices
    design: AccessDesign
    critical: Critical


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """What the plan pays under one of its all-in prices, and what the bill lists of it [currency].

    ``price`` names the plan's parameters (empty: the plan has no such price), ``holds`` what they pay for.
    """

    price: str
    holds: str
    in_plan: float
    in_bill: float

    @property
    def left(self) -> float:
        """What the plan's price leaves for what the bill does not list; negative where it falls short."""
        return self.in_plan - self.in_bill


def held_by(item: Item) -> str:
    """Return the plan's price that holds ``item``, of cables the first in each trench."""
    for name, price in _HELD_BY.items():
        if item.name == name or item.name.startswith(f"{name}_"):
            return price
    return NOTHING


def beyond_plan(found: PlannedNetwork) -> Floats:
    """Return what each item of the bill costs beyond what the plan pays already [currency] (shape (items,)).

    Of cables it is what they cost more than the smallest one in each trench that carries no other network's.
    """
    held = _first_cables(found)
    beyond = []
    for item in found.design.bill:
        price = held_by(item)
        if price == TRENCH:
            beyond.append(max(item.total - held.get((item.stage, item.name), 0.0), 0.0))
        else:
            beyond.append(0.0 if price else item.total)
    return np.array(beyond, dtype=np.float64)


def _first_cables(found: PlannedNetwork) -> dict[tuple[int, str], float]:
    """Return what the first cables in trenches cost, which their price holds, by stage and item of the bill."""
    case, design, prices = found.case, found.design, found.prices
    held: dict[tuple[int, str], float] = {}
    mine = np.flatnonzero((design.edge_stage > 0) & (case.other_cables == 0) & design.cables.count.any(axis=1))
    for edge in mine.tolist():
        size = int(np.flatnonzero(design.cables.count[edge])[0])
        way = int(design.cables.way[edge])
        key = (int(design.edge_stage[edge]), f"cable_{prices.cable_fibres[size]}_{WAYS[way]}")
        factor = prices.aerial_factor if way == AERIAL else 1.0
        held[key] = held.get(key, 0.0) + float(case.length_m[edge] * prices.cable_per_m[0]) * factor
    return held


def money_lines(found: PlannedNetwork) -> tuple[MoneyLine, ...]:
    """Return the plan's prices beside the bill, price by price; those of the bill add up to its value."""
    billed: dict[str, float] = {}
    for item in found.design.bill:
        billed[held_by(item)] = billed.get(held_by(item), 0.0) + item.total
    cables = sum(item.total for item in found.design.bill if held_by(item) == TRENCH)
    first = sum(_first_cables(found).values())
    return (
        *_cell_lines(found, billed),
        MoneyLine(TRENCH, "first cable of each trench (its digging apart)", first, cables),
        MoneyLine(NOTHING, "cabinets and more holes of duct", 0.0, billed.get(NOTHING, 0.0)),
    )


def _cell_lines(found: PlannedNetwork, billed: dict[str, float]) -> Iterator[MoneyLine]:
    """Yield what the plan pays for the connected cells, as the fibre offer prices them."""
    study, cell = found.study, found.cell
    cells, costs = study.region.cells, access_costs(study.region.parameters)
    passed = premises(cells.residents[cell], cells.workers[cell], costs)
    group = cells.group[cell]
    port_count = ports(passed * costs.take_up, peak_mbps(study)[cell], costs)
    route = route_m(buildings(passed, group, costs), cells.area_m2[cell], costs)
    amounts = (
        (PORT, "OLT ports", port_count.sum() * costs.port),
        (IN_BUILDING, "riser or wall cable, box and share of splitters", passed.sum() * costs.in_building),
        (CONNECTION, "drop and ONT of each line", passed.sum() * costs.take_up * (costs.drop + costs.ont)),
        (DISTRIBUTION, "routes between the buildings of a cell", (route * costs.per_m[group]).sum()),
    )
    for price, holds, amount in amounts:
        yield MoneyLine(price, holds, float(amount), billed.get(price, 0.0))
    paid = float(study.problem.capex[found.option].sum()) / CENTS_PER_UNIT
    rest = paid - float(sum(amount for _, _, amount in amounts))
    yield MoneyLine(LATERAL, "ways from the trench to the cells", rest, 0.0)


def peak_mbps(study: Study) -> Floats:
    """Return the busy-hour gigabit traffic [Mbit/s] of each cell in its busiest year and direction (shape (cells,))."""
    links = [RESOURCES.index("down_mbps"), RESOURCES.index("up_mbps")]
    peak: Floats = study.demand.amount[:, SERVICE_NAMES.index("gigabit")][..., links].max(axis=(1, 2), initial=0.0)
    return peak


def joined_nodes(study: Study, technology: str) -> Ints:
    """Return the trench nodes of what stands of ``technology`` and is joined by fibre."""
    problem = study.problem
    code = np.array([TECHNOLOGIES.index(offer.technology) for offer in study.offers])[study.option_offer]
    mine = (code == TECHNOLOGIES.index(technology)) & (study.plan.stage >= EXISTING) & (problem.node >= 0)
    nodes: Ints = problem.node[mine]
    return nodes


def used_edges(case: AccessCase) -> Bools:
    """Return the edges (m,) on the shortest ways from the premises of ``case`` to the exchanges."""
    ways = shortest(case, np.asarray(np.isfinite(case.opening).any(axis=1)))
    used = np.zeros(len(case.from_node), dtype=bool)
    for node in np.unique(case.premises_node).tolist():
        at = node
        while ways.edge[at] >= 0 and not used[ways.edge[at]]:
            used[ways.edge[at]] = True
            at = int(ways.parent[at])
    return used


__all__ = [
    "FIBRE",
    "NOTHING",
    "TRENCH",
    "WEIGHTS",
    "MoneyLine",
    "PlannedNetwork",
    "beyond_plan",
    "held_by",
    "joined_nodes",
    "money_lines",
    "peak_mbps",
    "used_edges",
]
