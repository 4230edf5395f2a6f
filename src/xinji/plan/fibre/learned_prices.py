"""What a ledger teaches about the price of trenches that are still to dig."""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Bools, Ints
from xinji.core.offer import Trenches
from xinji.core.parameters import Parameters
from xinji.core.replanned import LearnedCost
from xinji.plan.fibre.trench import METHODS
from xinji.units import CENTS_PER_UNIT


def learned_prices(
    trenches: Trenches, trench: Ints, cost: Ints, known: Bools, parameters: Parameters
) -> tuple[LearnedCost, ...]:
    """Return the price of each method as let and paid, where the ledger holds a trench of it.

    Facility k of the ledger is ``trench`` (k,) of ``trenches`` (-1: none) and costs ``cost`` (k,) [cents];
    only ``known`` (k,) costs count. A method's price changes by what its trenches cost in all over
    what the present price makes of them, so that a price learned before is not learned twice.
    """
    found = []
    for method in METHODS:
        rows = np.flatnonzero(known & (trench >= 0))
        rows = rows[trenches.method[trench[rows]] == method]
        planned = round(float(trenches.capex[trench[rows]].sum()) * CENTS_PER_UNIT)
        real = int(cost[rows].sum())
        if planned > 0 and real > 0:
            key = f"fibre.trench.{method}"
            before = parameters.value(key, "currency/m")
            found.append(LearnedCost(key, before, before * real / planned, len(rows), planned, real))
    return tuple(found)
