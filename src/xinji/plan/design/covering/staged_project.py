"""The nearest staged shares that rise over the stages and keep within every budget."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.plan.jit import compiled

_NEWTON_ROUNDS = 30
_HALVINGS = 20
_TOLERANCE = 1e-5
_RIDGE = 1e-6
_STRONG_RIDGE = 1e-3


class Money(NamedTuple):
    """What building costs and when money is there.

    ``cost`` (m,) of each site, ``budget`` (T,) cumulative, ``opens`` (m,) the first stage whose
    budget holds the site's cost alone (T where none does).
    """

    cost: Floats
    budget: Floats
    opens: Ints


@compiled
def project(wanted: Floats, step: Floats, money: Money, price: Floats, share: Floats) -> None:
    """Write into ``share`` (m, T) the shares nearest to ``wanted`` (m, T), in the metric 1 / ``step`` (m,).

    They rise over the stages from 0 to 1 and keep within the budgets, whose prices ``price`` (T,)
    are where the search starts and are replaced by those that hold: the dual, concave and
    smooth, is climbed by Newton steps of T unknowns with backtracking.
    """
    stages = len(money.budget)
    spent, slope = np.empty(stages), np.empty((stages, stages))
    scale = max(money.budget[-1], 1e-300)
    ridge = 1e-300
    for j in range(len(step)):
        ridge += step[j] * money.cost[j] ** 2
    value = _priced(wanted, step, money, price, share, spent, slope)
    for turn in range(_NEWTON_ROUNDS):
        over = spent - money.budget
        if _unmet(over, price) <= _TOLERANCE * scale:
            return
        weight = _STRONG_RIDGE if turn % 8 == 7 else _RIDGE
        move = _newton_step(slope, over, price, weight * ridge)
        length, climbed = 1.0, False
        for _ in range(_HALVINGS):
            trial = np.maximum(price + length * move, 0.0)
            rise = np.dot(trial - price, over)
            reached = _priced(wanted, step, money, trial, share, spent, slope)
            if reached >= value + 1e-4 * rise - 1e-12 * abs(value):
                climbed = True
                break
            length *= 0.3
        if not climbed:
            _priced(wanted, step, money, price, share, spent, slope)
            return
        price[:] = trial
        value = reached


@compiled
def _unmet(over: Floats, price: Floats) -> float:
    """Return the largest overspending, or the largest rest of a budget that has a price."""
    worst = 0.0
    for t in range(len(over)):
        worst = max(worst, abs(over[t]) if price[t] > 0.0 else over[t])
    return worst


@compiled
def _newton_step(slope: Floats, over: Floats, price: Floats, ridge: float) -> Floats:
    """Return the step that meets the budgets to first order; prices at 0 with money left stay there."""
    matrix, right = slope.copy(), over.copy()
    for t in range(len(over)):
        matrix[t, t] += ridge
    for t in range(len(over)):
        if price[t] <= 0.0 and over[t] <= 0.0:
            matrix[t, :] = 0.0
            matrix[:, t] = 0.0
            matrix[t, t] = 1.0
            right[t] = 0.0
    return np.asarray(np.linalg.solve(matrix, right))


@compiled
def _priced(
    wanted: Floats, step: Floats, money: Money, price: Floats, share: Floats, spent: Floats, slope: Floats
) -> float:
    """Return the dual at ``price``; fill ``share``, what it spends (T,) and its slope (T, T) against the price."""
    sites, stages = wanted.shape
    level, width = np.empty(stages), np.empty(stages, dtype=np.int64)
    spent[:] = 0.0
    slope[:] = 0.0
    distance = 0.0
    for j in range(sites):
        pull = step[j] * money.cost[j]
        least = wanted[j].max() <= 0.0
        if least or money.opens[j] >= stages:
            share[j] = 0.0
        else:
            _rising(wanted[j], pull, price, money.opens[j], share[j], level, width)
            _slopes(share[j], pull * money.cost[j], money.opens[j], level, width, slope)
        apart = 0.0
        for t in range(stages):
            spent[t] += money.cost[j] * share[j, t]
            apart += (share[j, t] - wanted[j, t]) ** 2
        distance += apart / step[j]
    return float(0.5 * distance + np.dot(price, spent - money.budget))


@compiled
def _rising(wanted: Floats, pull: float, price: Floats, opens: int, share: Floats, level: Floats, width: Ints) -> None:
    """Fill one site's shares: the nearest rising ones (pool adjacent violators), kept within 0 to 1.

    Source: Barlow and others, Statistical Inference under Order Restrictions, 1972, chapter 1.
    """
    stages = len(wanted)
    blocks = 0
    for t in range(opens, stages):
        level[blocks] = wanted[t] - pull * price[t]
        width[blocks] = 1
        blocks += 1
        while blocks > 1 and level[blocks - 2] > level[blocks - 1]:
            both = width[blocks - 2] + width[blocks - 1]
            level[blocks - 2] = (level[blocks - 2] * width[blocks - 2] + level[blocks - 1] * width[blocks - 1]) / both
            width[blocks - 2] = both
            blocks -= 1
    share[:opens] = 0.0
    t = opens
    for block in range(blocks):
        reached = min(max(level[block], 0.0), 1.0)
        for _ in range(width[block]):
            share[t] = reached
            t += 1


@compiled
def _slopes(share: Floats, pull: float, opens: int, level: Floats, width: Ints, slope: Floats) -> None:
    """Add how one site's spending answers the prices: each block between 0 and 1 moves as one."""
    t, block = opens, 0
    while t < len(share):
        size = width[block]
        if 0.0 < level[block] < 1.0:
            for a in range(t, t + size):
                for b in range(t, t + size):
                    slope[a, b] += pull / size
        t += size
        block += 1
