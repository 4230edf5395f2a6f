"""The access network's design: routes, splitters, cables, loss of every path, bill and bound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.errors import Fault, InputError
from xinji.plan.fibre.pon.bill import Item, added_up, edge_items, line_items, unit_items
from xinji.plan.fibre.pon.bounds import any_route_bound
from xinji.plan.fibre.pon.cables import Cables, edge_prices, lay_cables
from xinji.plan.fibre.pon.case import AccessCase
from xinji.plan.fibre.pon.optics import split_loss_db, within
from xinji.plan.fibre.pon.prices import SCHEMES, PonPrices, Scheme, Sizes, sizes_of
from xinji.plan.fibre.pon.routes import Routes, route, shortest
from xinji.plan.fibre.pon.splitters import MOST_LABELS, Forest, Placing, place_splitters
from xinji.plan.fibre.pon.stages import Timing, timing
from xinji.plan.fibre.reach import LossBudget

EXACT = "dynamic programme over the only routes there are"
ROUTED = "least tree by dual ascent, and the fewest units that hold all lines"
"""What proves ``AccessDesign.bound``."""


@dataclass(frozen=True, slots=True, eq=False)
class AccessDesign:
    """A designed access network: nodes n, edges m, premises p, exchanges k, stages T.

    ``first`` and ``second`` (k,) are the split of each exchange's scheme (0 where it serves nobody).
    ``parent`` (n,) and ``parent_edge`` (n,) lead towards the exchange ``exchange`` (n,) (-1 none). ``boxes``,
    ``firsts`` (splitters of the first level, each on its own port) and ``cabinets`` (n, T) are set at
    nodes; ``drop_fibres``, ``distribution_fibres``, ``feeder_fibres`` and ``edge_stage`` (m,) say what
    each edge carries and from when, ``cables`` in what. ``reached`` (p,) are the premises within loss budget
    and distance class, ``length_m`` and ``loss_db`` (p,) their paths (infinite where there is none).
    ``value`` [currency] is the sum of ``bill``. No design that connects the same premises over the offered
    edges, with one scheme an exchange and all fibre running away from the exchange, costs less than ``bound``;
    none on the routes taken less than ``route_bound``. ``proof`` says what proves the bound.
    """

    first: Ints
    second: Ints
    parent: Ints
    parent_edge: Ints
    exchange: Ints
    boxes: Ints
    firsts: Ints
    cabinets: Ints
    drop_fibres: Ints
    distribution_fibres: Ints
    feeder_fibres: Ints
    edge_stage: Ints
    cables: Cables
    reached: Bools
    length_m: Floats
    loss_db: Floats
    bill: tuple[Item, ...]
    value: float
    bound: float
    route_bound: float
    proof: str


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The design of one exchange."""

    place: int
    scheme: Scheme
    sizes: Sizes
    forest: Forest
    placing: Placing
    when: Timing
    served: Bools


def design_access(
    case: AccessCase,
    prices: PonPrices,
    budget: LossBudget,
    *,
    schemes: Sequence[Scheme] = SCHEMES,
    most_labels: int = MOST_LABELS,
) -> AccessDesign:
    """Return the cheapest passive optical network for ``case`` that was found, and the bound on any other.

    Each exchange takes the cheapest of those ``schemes`` that reach most of its lines within ``budget``;
    premises beyond every scheme are marked, not connected. Everything is bought for the last stage's
    lines when it is first used, so that no trench is opened twice.

    Raises InputError where no scheme keeps to the split limit.
    """
    allowed = [scheme for scheme in schemes if scheme.split <= prices.split_limit]
    if not allowed:
        message = f"every scheme splits a port more than 1:{prices.split_limit}"
        raise InputError([Fault("schemes", message, "Offer smaller splitters or raise the limit.")])
    routes = route(case, prices, _longest_m(allowed, budget))
    length_m = routes.distance_m[case.premises_node] + case.premises_tail_m
    parts = list(_parts(case, prices, budget, (routes, length_m), (allowed, most_labels)))
    reached = np.zeros(len(length_m), dtype=bool)
    loss_db = split_loss_db(length_m, min(allowed, key=lambda scheme: scheme.split), budget)
    for part in parts:
        reached |= part.served
        own = routes.root[case.premises_node] == case.exchanges[part.place]
        loss_db[own] = split_loss_db(length_m[own], part.scheme, budget)
    return _joined(case, prices, parts, (routes, length_m), (reached, loss_db, allowed))


def _longest_m(schemes: Sequence[Scheme], budget: LossBudget) -> float:
    """Return the longest path [m] that any of ``schemes`` allows."""
    least_db = min(float(split_loss_db(np.zeros(1), scheme, budget)[0]) for scheme in schemes)
    left_m = (budget.class_db - least_db) / budget.attenuation_db_per_km * 1000.0
    return max(0.0, min(left_m, budget.longest_m))


def _parts(
    case: AccessCase,
    prices: PonPrices,
    budget: LossBudget,
    ways: tuple[Routes, Floats],
    options: tuple[list[Scheme], int],
) -> Iterator[_Part]:
    """Yield the design of each exchange that reaches anybody."""
    routes, length_m = ways
    table = edge_prices(case, prices)
    for place, exchange in enumerate(case.exchanges.tolist()):
        own = (routes.root[case.premises_node] == exchange) & (case.premises_lines > 0)
        if exchange in case.exchanges[:place] or not own.any():
            continue
        fits = [own & within(length_m, scheme, budget) for scheme in options[0]]
        most = max(int(case.premises_lines[fit].sum()) for fit in fits)
        if not most:
            continue
        order = routes.order[routes.root[routes.order] == exchange]
        best: _Part | None = None
        bound = np.inf
        for scheme, served in zip(options[0], fits, strict=True):
            if case.premises_lines[served].sum() < most:
                continue
            sizes = sizes_of(scheme, prices)
            forest = Forest(order, routes.parent, routes.edge, case.lines_at(served))
            placing = place_splitters(forest, table, sizes, most_labels=options[1])
            bound = min(bound, placing.bound)
            if best is None or placing.cost < best.placing.cost:
                when = timing(forest, placing, sizes, _lines(case, served))
                best = _Part(place, scheme, sizes, forest, placing, when, served)
        if best is not None:
            yield _with_bound(best, bound)


def _with_bound(part: _Part, bound: float) -> _Part:
    """Return ``part`` with the least bound of all schemes."""
    placing = part.placing
    fibres = (placing.drop, placing.distribution, placing.feeder)
    lowered = Placing(placing.boxes, placing.firsts, placing.cabinets, *fibres, placing.cost, bound)
    return _Part(part.place, part.scheme, part.sizes, part.forest, lowered, part.when, part.served)


def _lines(case: AccessCase, served: Bools) -> Ints:
    """Return the lines of the ``served`` premises (p,) by node and stage (shape (n, T))."""
    lines = np.zeros((case.node_count, case.stages), dtype=np.int64)
    np.add.at(lines, (case.premises_node[served], case.premises_stage[served] - 1), case.premises_lines[served])
    return lines


def _joined(
    case: AccessCase,
    prices: PonPrices,
    parts: list[_Part],
    ways: tuple[Routes, Floats],
    paths: tuple[Bools, Floats, list[Scheme]],
) -> AccessDesign:
    """Return the design of all exchanges together."""
    routes, length_m = ways
    reached, loss_db, allowed = paths
    m, shape = len(case.from_node), (case.node_count, case.stages)
    scheme = np.zeros((2, len(case.exchanges)), dtype=np.int64)
    units = np.zeros((3, *shape), dtype=np.int64)
    fibres = np.zeros((3, m), dtype=np.int64)
    edge_stage = np.zeros(m, dtype=np.int64)
    for part in parts:
        scheme[:, part.place] = part.scheme.first, part.scheme.second
        units += np.stack([part.when.boxes, part.when.firsts, part.when.cabinets])
        nodes = np.flatnonzero(part.when.edge_stage > 0)
        edges = routes.edge[nodes]
        placing = part.placing
        fibres[:, edges] = np.stack([placing.drop, placing.distribution, placing.feeder])[:, nodes]
        edge_stage[edges] = part.when.edge_stage[nodes]
    cables = lay_cables(case, prices, fibres.sum(axis=0))
    items = [item for part in parts for item in unit_items(part.scheme, part.when, prices)]
    items += edge_items(case, cables, edge_stage, prices)
    items += line_items(case, _lines(case, reached), prices)
    bill = added_up(iter(items))
    value = float(sum(item.total for item in bill))
    lines = prices.line * float(case.premises_lines[reached].sum())
    route_bound = min(value, sum(part.placing.bound for part in parts) + lines)
    only = _only_routes(case)
    bound = route_bound if only else min(any_route_bound(case, prices, allowed, reached) + lines, route_bound)
    return AccessDesign(
        first=scheme[0],
        second=scheme[1],
        parent=routes.parent,
        parent_edge=routes.edge,
        exchange=routes.root,
        boxes=units[0],
        firsts=units[1],
        cabinets=units[2],
        drop_fibres=fibres[0],
        distribution_fibres=fibres[1],
        feeder_fibres=fibres[2],
        edge_stage=edge_stage,
        cables=cables,
        reached=reached,
        length_m=length_m,
        loss_db=loss_db,
        bill=bill,
        value=value,
        bound=bound,
        route_bound=route_bound,
        proof=EXACT if only else ROUTED,
    )


def _only_routes(case: AccessCase) -> bool:
    """Return whether each node that is joined to an exchange has one way only to any."""
    usable: Bools = np.asarray(np.isfinite(case.opening).any(axis=1))
    joined = np.isfinite(shortest(case, usable).distance_m)
    core = np.isin(np.arange(case.node_count), case.exchanges)
    loop = (case.from_node == case.to_node) | (core[case.from_node] & core[case.to_node])
    inside = usable & joined[case.from_node] & ~loop
    return bool(inside.sum() == joined.sum() - len(np.unique(case.exchanges)))


__all__ = ["EXACT", "ROUTED", "AccessDesign", "design_access"]
