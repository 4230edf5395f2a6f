"""What any access network must cost, whichever routes it takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xinji.core.arrays import Bools
from xinji.plan.design.steiner.ascent import ascend, digraph
from xinji.plan.fibre.pon.case import AccessCase
from xinji.plan.fibre.pon.prices import PonPrices, Scheme, sizes_of
from xinji.plan.fibre.pon.routes import least_weights, merged


def any_route_bound(case: AccessCase, prices: PonPrices, schemes: Sequence[Scheme], served: Bools) -> float:
    """Return what connecting the ``served`` premises (p,) costs at least [currency], lines themselves left out.

    The edges form a tree that joins them to the exchanges, and each carries at least one fibre: a dual
    ascent bounds that. The units are the fewest that hold all lines. The two never pay for the same.
    """
    lines = int(case.premises_lines[served].sum())
    units = units_bound(lines, schemes, prices, exchanges=len(np.unique(case.exchanges)))
    return units + edges_bound(case, prices, served & (case.premises_lines > 0))


def units_bound(lines: int, schemes: Sequence[Scheme], prices: PonPrices, *, exchanges: int) -> float:
    """Return what the boxes, splitters, ports and cabinets for ``lines`` cost at least [currency].

    Several exchanges may each have their own scheme: then units are counted in fractions.
    """
    least = np.inf
    for scheme in schemes:
        sizes = sizes_of(scheme, prices)
        boxes = lines / sizes.box_lines
        boxes = float(np.ceil(boxes)) if exchanges == 1 else boxes
        firsts = boxes / sizes.first_boxes
        firsts = float(np.ceil(firsts)) if exchanges == 1 else firsts
        cabinets = firsts / sizes.cabinet_firsts
        cabinets = float(np.ceil(cabinets)) if exchanges == 1 else cabinets
        cost = boxes * sizes.box_cost + firsts * sizes.first_cost + cabinets * sizes.cabinet_cost
        least = min(least, cost)
    return least if lines else 0.0


def edges_bound(case: AccessCase, prices: PonPrices, served: Bools) -> float:
    """Return what a tree from the exchanges to the ``served`` premises (p,) costs at least, one fibre in each edge."""
    graph, _ = merged(case, least_weights(case, prices))
    root = int(case.exchanges[0])
    wanted = np.zeros(case.node_count, dtype=bool)
    wanted[case.premises_node[served]] = True
    wanted[case.exchanges] = False
    if not wanted.any():
        return 0.0
    tail = np.concatenate([graph.from_node, graph.to_node])
    head = np.concatenate([graph.to_node, graph.from_node])
    both = np.concatenate([graph.cost, graph.cost])
    return ascend(digraph(case.node_count, tail, head), both, root, np.flatnonzero(wanted)).bound


__all__ = ["any_route_bound", "edges_bound", "units_bound"]
