"""Offers, demand and policy become one Problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from xinji.core.arrays import Floats, Ints
from xinji.core.demand import Demand
from xinji.core.offer import EXISTING, Offer, Trenches
from xinji.core.policy import Policy
from xinji.core.problem import Problem
from xinji.core.region import Cells
from xinji.core.vocabulary import GROUPS, SERVICE_NAMES, SERVICES
from xinji.errors import Fault, OfferError, raise_if
from xinji.units import CENTS_PER_UNIT


@dataclass(frozen=True, slots=True, eq=False)
class Assembly:
    """A problem and what its options (n) and rows (r) are."""

    problem: Problem
    option_offer: Ints
    option_place: Ints
    row_cell: Ints
    row_service: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Arcs:
    cell: Ints
    service: Ints
    option: Ints
    partner: Ints
    share: Floats
    limit_m: Floats


def to_cents(amount: Floats) -> Ints:
    """Return amounts [currency] as whole cents (same shape)."""
    return np.rint(amount * CENTS_PER_UNIT).astype(np.int64)


def assemble(
    cells: Cells,
    policy: Policy,
    demand: Demand,
    trenches: Trenches,
    offers: Sequence[Offer],
    *,
    decisions: Mapping[str, int] | None = None,
) -> Assembly:
    """Return the joint problem over all ``offers``.

    ``decisions`` maps option ids to ``FORBIDDEN``, ``EXISTING`` or a stage that the user fixed; an unknown id raises
    OfferError. An option that needs fibre is joined to the nearest trench node; the last metres
    are priced as lateral.
    """
    start = np.cumsum([0, *(len(offer) for offer in offers)])
    arcs = _paired_arcs(offers, start[:-1], len(cells))
    row_cell, row_service, arc_row = _rows(arcs, demand)
    discount = (1.0 + policy.discount_rate) ** -np.arange(len(policy.years), dtype=float)
    priority = np.array([policy.priority[group] for group in GROUPS])[cells.group]
    users = demand.users[row_cell, row_service]
    node, lateral_m = _attach(trenches, offers)
    option_id = np.concatenate([offer.id for offer in offers])
    floor_weight, floor_amount = _floors(policy, cells, demand, row_cell, row_service)
    problem = Problem(
        years=np.array(policy.years, dtype=np.int64),
        discount=discount,
        budget=to_cents(np.array(policy.budget)),
        carry_over=policy.carry_over,
        goal=policy.question,
        option_id=option_id,
        capex=to_cents(_joined(offers, "capex") + lateral_m * trenches.lateral_capex_per_m),
        opex=to_cents(_joined(offers, "opex") + lateral_m * trenches.lateral_opex_per_m),
        host=np.concatenate([np.where(o.host >= 0, o.host + s, -1) for o, s in zip(offers, start[:-1], strict=True)]),
        node=node,
        built=_built(offers, option_id, decisions or {}),
        capacity=np.concatenate([offer.capacity for offer in offers]),
        node_count=len(trenches.node_x_m),
        roots=np.unique(trenches.roots),
        trench_id=trenches.id,
        from_node=trenches.from_node,
        to_node=trenches.to_node,
        trench_length_m=trenches.length_m,
        trench_capex=to_cents(trenches.capex),
        trench_opex=to_cents(trenches.opex),
        trench_built=trenches.built,
        value=users * priority[row_cell, None] * discount,
        amount=demand.amount[row_cell, row_service],
        arc_row=arc_row,
        arc_option=arcs.option,
        arc_partner=arcs.partner,
        arc_share=arcs.share,
        arc_limit_m=arcs.limit_m,
        floor_name=np.array([f"{f.group}:{f.service}:{f.year}" for f in policy.floors], dtype=np.str_),
        floor_stage=np.array([policy.years.index(f.year) + 1 for f in policy.floors], dtype=np.int64),
        floor_weight=floor_weight,
        floor_amount=floor_amount,
    )
    offer_of = np.repeat(np.arange(len(offers)), np.diff(start))
    return Assembly(problem, offer_of, np.arange(start[-1]) - start[offer_of], row_cell, row_service)


def _joined(offers: Sequence[Offer], name: str) -> Floats:
    return np.concatenate([getattr(offer, name) for offer in offers])


def _attach(trenches: Trenches, offers: Sequence[Offer]) -> tuple[Ints, Floats]:
    """Return the trench node of each option that needs fibre (else -1), and the lateral [m]."""
    tree = cKDTree(np.column_stack([trenches.node_x_m, trenches.node_y_m]))
    places = np.column_stack([_joined(offers, "x_m"), _joined(offers, "y_m")])
    distance, nearest = tree.query(places)
    needs = np.concatenate([offer.needs_fibre for offer in offers])
    return np.where(needs, nearest, -1).astype(np.int64), np.where(needs, distance, 0.0)


def _built(offers: Sequence[Offer], option_id: object, decisions: Mapping[str, int]) -> Ints:
    built = np.concatenate([offer.built for offer in offers]).astype(np.int64)
    position = {str(name): place for place, name in enumerate(np.asarray(option_id))}
    faults = []
    for name, stage in decisions.items():
        place = position.get(name)
        if place is None:
            remedy = "Keep the ids of the plan; remove the row if the asset is no longer offered."
            faults.append(Fault("decisions", f"no option has the id {name!r}", remedy))
        elif built[place] != EXISTING:
            built[place] = stage
    raise_if(faults, OfferError)
    return built


def _paired_arcs(offers: Sequence[Offer], start: Ints, cell_count: int) -> _Arcs:
    """Return the arcs of all offers; where a service needs two technologies, every pair of a cell's arcs."""
    by_technology = {offer.technology: (offer, int(s)) for offer, s in zip(offers, start, strict=True)}
    parts = []
    for code, service in enumerate(SERVICES):
        if not set(service.needs) <= set(by_technology):
            continue
        first, first_start = by_technology[service.needs[0]]
        mine = np.flatnonzero(first.arc_service == code)
        mine = mine[np.lexsort((first.arc_option[mine], first.arc_cell[mine]))]
        if len(service.needs) == 1:
            none = np.full(len(mine), -1, dtype=np.int64)
            theirs_option, share, limit = none, first.arc_share[mine], first.arc_path_limit_m[mine]
        else:
            second, second_start = by_technology[service.needs[1]]
            theirs = np.flatnonzero(second.arc_service == code)
            theirs = theirs[np.lexsort((second.arc_option[theirs], second.arc_cell[theirs]))]
            mine, theirs = _match(first.arc_cell, mine, second.arc_cell, theirs, cell_count)
            theirs_option = second.arc_option[theirs] + second_start
            share = np.minimum(first.arc_share[mine], second.arc_share[theirs])
            limit = np.minimum(first.arc_path_limit_m[mine], second.arc_path_limit_m[theirs])
        service_code = np.full(len(mine), code, dtype=np.int64)
        parts.append(
            (first.arc_cell[mine], service_code, first.arc_option[mine] + first_start, theirs_option, share, limit)
        )
    return _Arcs(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _match(cell_a: Ints, rows_a: Ints, cell_b: Ints, rows_b: Ints, cell_count: int) -> tuple[Ints, Ints]:
    """Return all pairs of rows of a and of b (each sorted by cell) that lie in the same cell."""
    count_b = np.bincount(cell_b[rows_b], minlength=cell_count)
    first_b = np.cumsum(count_b) - count_b
    repeat = count_b[cell_a[rows_a]]
    left = np.repeat(rows_a, repeat)
    within = np.arange(len(left)) - np.repeat(np.cumsum(repeat) - repeat, repeat)
    return left, rows_b[first_b[cell_a[left]] + within]


def _rows(arcs: _Arcs, demand: Demand) -> tuple[Ints, Ints, Ints]:
    """Return cell and service of each row that some arc can serve, and each arc's row."""
    services = len(SERVICES)
    key, arc_row = np.unique(arcs.cell * services + arcs.service, return_inverse=True)
    if not len(key):
        remedy = "Check that candidates lie near the cells and that parameters allow any coverage."
        raise OfferError([Fault("offers", "no option can serve any cell", remedy)])
    if demand.users.shape[1] != services:
        message = f"demand has {demand.users.shape[1]} services"
        raise OfferError([Fault("demand", message, f"Give {services}: {', '.join(SERVICE_NAMES)}.")])
    return key // services, key % services, arc_row.astype(np.int64)


def _floors(policy: Policy, cells: Cells, demand: Demand, row_cell: Ints, row_service: Ints) -> tuple[Floats, Floats]:
    """Return floor weights (f, r) in users of the floor's year, and the amounts (f,) to reach."""
    weight = np.zeros((len(policy.floors), len(row_cell)))
    amount = np.zeros(len(policy.floors))
    for place, floor in enumerate(policy.floors):
        service, year = SERVICE_NAMES.index(floor.service), policy.years.index(floor.year)
        in_group = np.ones(len(cells), dtype=bool) if floor.group == "all" else cells.group == GROUPS.index(floor.group)
        users = demand.users[:, service, year] * in_group
        weight[place] = np.where(row_service == service, users[row_cell], 0.0)
        amount[place] = floor.share * users.sum()
    return weight, amount
