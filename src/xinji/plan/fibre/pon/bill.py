"""The bill of materials of an access network, stage by stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Ints
from xinji.plan.fibre.pon.cables import Cables
from xinji.plan.fibre.pon.case import AERIAL, BURIED, WAYS, AccessCase
from xinji.plan.fibre.pon.prices import PonPrices, Scheme
from xinji.plan.fibre.pon.stages import Timing


@dataclass(frozen=True, slots=True)
class Item:
    """So much of one thing, bought in one stage.

    ``quantity`` counts ``unit`` (``"pcs"`` or ``"m"``) at ``unit_cost`` [currency]; ``total`` [currency]. The
    unit cost of opened edges is their mean.
    """

    stage: int
    name: str
    quantity: float
    unit: str
    unit_cost: float
    total: float


def unit_items(scheme: Scheme, when: Timing, prices: PonPrices) -> Iterator[Item]:
    """Yield ports, splitters, cabinets and boxes of one exchange."""
    first, second = prices.output * scheme.first, prices.output * scheme.second
    things = (
        ("olt_port", when.firsts, prices.port),
        (f"splitter_1x{scheme.first}", when.firsts, first),
        ("cabinet", when.cabinets, prices.cabinet),
        (f"splitter_1x{scheme.second}", when.boxes, second),
        ("box", when.boxes, prices.box),
    )
    for name, count, cost in things:
        for stage, quantity in enumerate(count.sum(axis=0).tolist(), start=1):
            if quantity:
                yield Item(stage, name, float(quantity), "pcs", cost, quantity * cost)


def line_items(case: AccessCase, lines: Ints, prices: PonPrices) -> Iterator[Item]:
    """Yield the lines connected, from ``lines`` (n, T): drop and ONT."""
    for stage, quantity in enumerate(lines.sum(axis=0).tolist(), start=1):
        if quantity and case.stages >= stage:
            yield Item(stage, "line", float(quantity), "pcs", prices.line, quantity * prices.line)


def edge_items(case: AccessCase, cables: Cables, edge_stage: Ints, prices: PonPrices) -> Iterator[Item]:
    """Yield what is opened, laid and ducted, by stage; ``edge_stage`` (m,) is 0 where nothing is."""
    for stage in range(1, case.stages + 1):
        for way, name in enumerate(WAYS):
            mine = (edge_stage == stage) & (cables.way == way)
            length = case.length_m[mine]
            opened = cables.opening[mine]
            paid = opened > 0
            if paid.any():
                metres, total = float(length[paid].sum()), float(opened.sum())
                yield Item(stage, f"opening_{name}", metres, "m", total / metres if metres else 0.0, total)
            factor = prices.aerial_factor if way == AERIAL else 1.0
            for size, per_m, count in zip(prices.cable_fibres, prices.cable_per_m, cables.count[mine].T, strict=True):
                metres = float((count * length).sum())
                if metres:
                    cost = float(per_m) * factor
                    yield Item(stage, f"cable_{size}_{name}", metres, "m", cost, metres * cost)
            metres = float((cables.more_holes[mine] * length).sum())
            if way == BURIED and metres:
                yield Item(stage, "duct_hole", metres, "m", prices.hole_per_m, metres * prices.hole_per_m)


def added_up(items: Iterator[Item]) -> tuple[Item, ...]:
    """Return ``items`` with those of one stage, name and unit cost made one, by stage and then name."""
    found: dict[tuple[int, str, float], list[Item]] = {}
    for item in items:
        key = (item.stage, item.name, 0.0 if item.name.startswith("opening") else item.unit_cost)
        found.setdefault(key, []).append(item)
    lines = []
    for (stage, name, cost), same in sorted(found.items()):
        quantity, total = sum(item.quantity for item in same), sum(item.total for item in same)
        mean = cost if cost or not quantity else total / quantity
        lines.append(Item(stage, name, quantity, same[0].unit, mean, total))
    return tuple(lines)


def by_stage(items: tuple[Item, ...], stages: int) -> list[float]:
    """Return what ``items`` cost in each stage [currency]."""
    return [float(np.sum([item.total for item in items if item.stage == stage + 1])) for stage in range(stages)]


__all__ = ["Item", "added_up", "by_stage", "edge_items", "line_items", "unit_items"]
