"""What it costs to carry a number of fibres along an edge: cables by size, ducts, poles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.fibre.pon.case import AERIAL, BURIED, WAYS, AccessCase
from xinji.plan.fibre.pon.prices import PonPrices
from xinji.plan.jit import compiled

_TABLED = 4
"""Up to so many cables of the largest size all mixtures are weighed; beyond, each takes one more cable and hole."""
_SPARE_CABLES = 2


class EdgePrices(NamedTuple):
    """What carrying fibres costs on each edge (m), in either way; never less for more fibres.

    ``per_m`` (rows, width) [currency/m] by fibres with spares; ``row`` (m, 2) says which row holds;
    beyond the width, ``period`` fibres more cost ``step`` (rows,) more.
    """

    opening: Floats
    length_m: Floats
    row: Ints
    per_m: Floats
    step: Floats
    period: int
    spare: float


@dataclass(frozen=True, slots=True, eq=False)
class Cables:
    """What lies in each edge (m): cables by size (m, s), way (a code of ``WAYS``), holes of duct, and prices.

    ``holes`` counts the holes in use and spare, others' cables included; ``more_holes`` those that the
    price of the trench does not hold. ``opening`` and ``laying`` [currency].
    """

    count: Ints
    way: Ints
    holes: Ints
    more_holes: Ints
    opening: Floats
    laying: Floats


@compiled
def fibres_needed(fibres: int, spare: float) -> int:
    """Return the fibres with spares, rounded up."""
    return int(np.ceil(fibres * (1.0 + spare) - 1e-9))


@compiled
def way_price(prices: EdgePrices, edge: int, way: int, fibres: int) -> float:
    """Return what ``fibres`` cost on ``edge`` carried in ``way`` [currency]."""
    need = fibres_needed(fibres, prices.spare)
    row, width = prices.row[edge, way], prices.per_m.shape[1]
    more = 0
    if need >= width:
        more = (need - width) // prices.period + 1
    per_m = prices.per_m[row, need - more * prices.period] + more * prices.step[row]
    return float(prices.opening[edge, way] + prices.length_m[edge] * per_m)


@compiled
def edge_price(prices: EdgePrices, edge: int, fibres: int) -> float:
    """Return what ``fibres`` cost on ``edge`` in the cheaper way [currency]."""
    return min(way_price(prices, edge, 0, fibres), way_price(prices, edge, 1, fibres))


def _mixtures(prices: PonPrices) -> tuple[Floats, Ints]:
    """Return the least price [currency/m] of exactly q cables for n fibres (q, n), and the size of one of them."""
    largest = int(prices.cable_fibres[-1])
    width = _TABLED * largest + 1
    least = np.full((_TABLED + _SPARE_CABLES + 1, width), np.inf)
    least[0, 0] = 0.0
    size = np.zeros(least.shape, dtype=np.int64)
    fibres = np.arange(width)
    for count in range(1, len(least)):
        rest = np.maximum(fibres - prices.cable_fibres[:, np.newaxis], 0)
        offers = prices.cable_per_m[:, np.newaxis] + least[count - 1][rest]
        size[count] = offers.argmin(axis=0)
        least[count] = offers.min(axis=0)
    return least, size


def edge_prices(case: AccessCase, prices: PonPrices) -> EdgePrices:
    """Return the price of every number of fibres on every edge of ``case``."""
    least, _ = _mixtures(prices)
    count = np.arange(len(least))
    over = case.other_cables + prices.spare_holes - case.holes
    kinds, buried = np.unique(np.clip(over, -len(least), None), return_inverse=True)
    rows = [(least + prices.hole_per_m * np.maximum(count + kind, 0)[:, np.newaxis]).min(axis=0) for kind in kinds]
    # Holes that others need are not ours to pay.
    rows = [row - prices.hole_per_m * max(int(kind), 0) for row, kind in zip(rows, kinds, strict=True)]
    step = np.full(len(rows), prices.cable_per_m[-1] + prices.hole_per_m)
    rows.append(least.min(axis=0) * prices.aerial_factor)
    row = np.full((len(case.from_node), len(WAYS)), len(rows) - 1, dtype=np.int64)
    row[:, BURIED] = buried
    # Copies: compiled code is made once for arrays that may be written, and once more for those that may not.
    return EdgePrices(
        opening=case.opening.copy(),
        length_m=case.length_m.copy(),
        row=row,
        per_m=np.array(rows),
        step=np.append(step, prices.cable_per_m[-1] * prices.aerial_factor),
        period=int(prices.cable_fibres[-1]),
        spare=prices.spare_fibres,
    )


def lay_cables(case: AccessCase, prices: PonPrices, fibres: Ints) -> Cables:
    """Return the cheapest cables, ducts and ways for ``fibres`` (m,) in each edge; none where there are no fibres.

    Each edge costs what ``edge_price`` says.
    """
    used = np.flatnonzero(fibres > 0)
    table, m = edge_prices(case, prices), len(fibres)
    count = np.zeros((m, len(prices.cable_fibres)), dtype=np.int64)
    way = np.zeros(m, dtype=np.int64)
    laying = np.zeros(m)
    more_holes = np.zeros(m, dtype=np.int64)
    mixtures = _mixtures(prices)
    for edge in used.tolist():
        offers = [way_price(table, edge, k, int(fibres[edge])) for k in range(len(WAYS))]
        way[edge] = int(np.argmin(offers))
        laying[edge] = offers[way[edge]] - case.opening[edge, way[edge]]
        over = int(case.other_cables[edge] + prices.spare_holes - case.holes[edge])
        hole = prices.hole_per_m if way[edge] == BURIED else 0.0
        need = fibres_needed(int(fibres[edge]), prices.spare_fibres)
        count[edge], more_holes[edge] = _cheapest(mixtures, prices, need, (over, hole))
    buried: Bools = (fibres > 0) & (way != AERIAL)
    opening = np.where(fibres > 0, case.opening[np.arange(m), way], 0.0)
    holes = np.where(buried, count.sum(axis=1) + case.other_cables + prices.spare_holes, 0)
    return Cables(count, way, holes, np.where(buried, more_holes, 0), opening, laying)


def _cheapest(mixtures: tuple[Floats, Ints], prices: PonPrices, need: int, duct: tuple[int, float]) -> tuple[Ints, int]:
    """Return how many cables of each size (s,) carry ``need`` fibres, and how many holes they are charged for.

    ``duct`` holds the holes short before our cables come (negative: free ones), and the price of one.
    """
    least, size = mixtures
    over, hole = duct
    count = np.zeros(len(prices.cable_fibres), dtype=np.int64)
    period, width = int(prices.cable_fibres[-1]), least.shape[1]
    more = (need - width) // period + 1 if need >= width else 0
    need -= more * period
    count[-1] = more
    paid = hole * np.maximum(np.arange(len(least)) + over, 0)
    cables = int(np.argmin(least[:, need] + paid))
    holes = max(cables + over, 0) - max(over, 0) + more
    while cables:
        kind = size[cables, need]
        count[kind] += 1
        need, cables = max(need - int(prices.cable_fibres[kind]), 0), cables - 1
    return count, holes


__all__ = ["Cables", "EdgePrices", "edge_price", "edge_prices", "fibres_needed", "lay_cables", "way_price"]
