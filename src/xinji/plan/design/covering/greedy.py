"""The greedy choice: site by site, the one that gains most per cost among those that the budget still allows."""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Ints
from xinji.plan.design.covering.covers import Covers, Reach
from xinji.plan.design.covering.local import Choice, Field, choice_of, field_of, put
from xinji.plan.jit import compiled

_NONE = np.zeros(0, dtype=np.int64)


def greedy(covers: Covers, reach: Reach, budget: float) -> Ints:
    """Return sites within ``budget`` in the order of their choice, each of most gain per cost at its turn.

    Gains are exact at every turn; the first of equals is taken, and none that gains nothing.
    """
    field = field_of(covers, reach, budget)
    choice = choice_of(field, _NONE)
    fill(field, choice)
    return choice.member[: int(choice.total[0])].copy()


@compiled
def fill(field: Field, choice: Choice) -> None:
    """Add to the choice the site of most gain per cost, until none that gains is affordable."""
    while True:
        best, top = -1, 0.0
        left = field.budget - choice.total[2]
        for j in range(len(choice.gain)):
            if choice.gain[j] > 0.0 and field.cost[j] <= left and choice.place[j] < 0:
                ratio = choice.gain[j] / field.cost[j] if field.cost[j] > 0.0 else np.inf
                if ratio > top:
                    best, top = j, ratio
        if best < 0:
            return
        put(field, choice, best)
