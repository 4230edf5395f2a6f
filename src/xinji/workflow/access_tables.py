"""The tables and map layers of a planned network."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from xinji.core.arrays import AnyArray, Floats, Ints
from xinji.core.assets import calendar_year
from xinji.core.problem import NEVER
from xinji.plan.fibre.pon.case import WAYS
from xinji.workflow.planned_network import WEIGHTS, PlannedNetwork, beyond_plan, held_by, money_lines

Columns = Mapping[str, AnyArray]

_CENTS = 2


def network_tables(found: PlannedNetwork) -> dict[str, Columns]:
    """Return the tables by name: bill, bill beside the plan's prices, premises, critical trenches and nodes."""
    return {
        "access_bill": _bill(found),
        "access_money": _money(found),
        "access_premises": _premises(found),
        "critical_trenches": _critical_trenches(found),
        "critical_nodes": _critical_nodes(found),
    }


def network_lines(found: PlannedNetwork) -> dict[str, tuple[Ints, Columns]]:
    """Return the layers of lines by name: trenches (positions) and columns."""
    study, case, design = found.study, found.case, found.design
    used = np.flatnonzero(design.edge_stage > 0)
    cables = {
        "id": study.trenches.id[found.trench[used]],
        "year": calendar_year(design.edge_stage[used], study.problem.years),
        "way": np.array(WAYS)[design.cables.way[used]],
        "drop_fibres": design.drop_fibres[used],
        "distribution_fibres": design.distribution_fibres[used],
        "feeder_fibres": design.feeder_fibres[used],
        "other_cables": case.other_cables[used],
        "holes": design.cables.holes[used],
        "more_holes": design.cables.more_holes[used],
        "length_m": np.round(case.length_m[used], 1),
    }
    sizes = enumerate(found.prices.cable_fibres.tolist())
    cables |= {f"cables_{size}": design.cables.count[used, k] for k, size in sizes}
    critical = found.trench[found.critical.links]
    return {"fibre_cables": (found.trench[used], cables), "critical_trenches": (critical, _critical_trenches(found))}


def network_points(found: PlannedNetwork) -> dict[str, tuple[Ints, Columns]]:
    """Return the layers of points by name: nodes and columns."""
    design, years = found.design, found.study.problem.years
    units = {"boxes": design.boxes, "splitters": design.firsts, "cabinets": design.cabinets}
    everything = design.boxes + design.firsts + design.cabinets
    nodes = np.flatnonzero(everything.any(axis=1))
    place = np.searchsorted(found.case.exchanges, design.exchange[nodes])
    splitters = {
        "node": nodes,
        "year": years[(everything[nodes] > 0).argmax(axis=1)],
        "exchange": design.exchange[nodes],
        "splitter_1st": _ratio(design.first[place]),
        "splitter_2nd": _ratio(design.second[place]),
        **{name: count.sum(axis=1)[nodes] for name, count in units.items()},
    }
    rooms = found.critical.rooms
    return {
        "splitters": (nodes, splitters),
        "exchanges": (found.case.exchanges, _exchanges(found)),
        "critical_nodes": (rooms, _critical_nodes(found)),
    }


def _bill(found: PlannedNetwork) -> Columns:
    """Return the bill of materials as columns; ``beyond_plan`` is what the plan does not pay for already."""
    bill = found.design.bill
    stage = np.array([item.stage for item in bill], dtype=np.int64)
    return {
        "year": found.study.problem.years[stage - 1],
        "item": np.array([item.name for item in bill], dtype=np.str_),
        "quantity": np.round(np.array([item.quantity for item in bill], dtype=np.float64), 1),
        "unit": np.array([item.unit for item in bill], dtype=np.str_),
        "unit_cost": np.array([item.unit_cost for item in bill], dtype=np.float64),
        "total": np.round(np.array([item.total for item in bill], dtype=np.float64), _CENTS),
        "held_by_plan_price": np.array([held_by(item) for item in bill], dtype=np.str_),
        "beyond_plan": np.round(beyond_plan(found), _CENTS),
    }


def _money(found: PlannedNetwork) -> Columns:
    """Return the plan's prices beside the bill as columns."""
    lines = money_lines(found)
    return {
        "plan_price": np.array([line.price for line in lines], dtype=np.str_),
        "holds": np.array([line.holds for line in lines], dtype=np.str_),
        "in_plan": np.round(np.array([line.in_plan for line in lines]), _CENTS),
        "in_bill": np.round(np.array([line.in_bill for line in lines]), _CENTS),
        "left": np.round(np.array([line.left for line in lines]), _CENTS),
    }


def _premises(found: PlannedNetwork) -> Columns:
    """Return each connected cell's path and its loss as columns."""
    case, design = found.case, found.design
    return {
        "option": found.study.problem.option_id[found.option],
        "year": found.study.problem.years[case.premises_stage - 1],
        "lines": case.premises_lines,
        "exchange": design.exchange[case.premises_node],
        "length_m": np.round(design.length_m, 1),
        "loss_db": np.round(design.loss_db, 2),
        "reached": design.reached.astype(np.int64),
    }


def _critical_trenches(found: PlannedNetwork) -> Columns:
    """Return the trenches without a second way and what their cut takes off, worst first."""
    study = found.study
    trench = found.trench[found.critical.links]
    return {
        "id": study.trenches.id[trench],
        "year": _year(study.plan.trench_stage[trench], study.problem.years),
        "length_m": np.round(study.trenches.length_m[trench], 1),
        **_lost(found.critical.link_loss),
    }


def _critical_nodes(found: PlannedNetwork) -> Columns:
    """Return the nodes on which others hang and what their loss takes off, worst first; their own with it."""
    trenches, node = found.study.trenches, found.critical.rooms
    return {
        "node": node,
        "x_m": np.round(trenches.node_x_m[node], 1),
        "y_m": np.round(trenches.node_y_m[node], 1),
        **_lost(found.critical.room_loss),
    }


def _lost(loss: Floats) -> Columns:
    """Return what is cut off (k, len(WEIGHTS)) as columns; worth with a digit more, all else is counted."""
    worth = {f"{WEIGHTS[0]}_lost": np.round(loss[:, 0], 1)}
    return worth | {f"{name}_lost": loss[:, k].astype(np.int64) for k, name in enumerate(WEIGHTS) if k}


def _exchanges(found: PlannedNetwork) -> Columns:
    """Return what each exchange feeds as columns."""
    case, design = found.case, found.design
    own = design.exchange[case.premises_node][np.newaxis] == case.exchanges[:, np.newaxis]
    connected = own & design.reached
    at = design.exchange[np.newaxis] == case.exchanges[:, np.newaxis]
    return {
        "node": case.exchanges,
        "cells": connected.sum(axis=1),
        "lines": (connected * case.premises_lines).sum(axis=1),
        "ports": (at * design.firsts.sum(axis=1)).sum(axis=1),
        "splitter_1st": _ratio(design.first),
        "splitter_2nd": _ratio(design.second),
    }


def _ratio(split: Ints) -> AnyArray:
    """Return 1:n for splits ``n``, empty for none."""
    return np.array([f"1:{n}" if n else "" for n in split.tolist()], dtype=np.str_)


def _year(stage: Ints, years: Ints) -> Ints:
    return calendar_year(np.where(stage >= 0, stage, NEVER), years)


__all__ = ["network_lines", "network_points", "network_tables"]
