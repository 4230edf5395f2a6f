"""Lagrangian dual of the p-median: a price on serving each customer (Cornuejols, Fisher and Nemhauser 1977).

With the prices given, facility j adds the sum of min(0, distance - price) over the customers, and
the p least of these are opened. Only customers' nearest facilities matter, so that a step is short.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.facility.interchange import Ranked
from xinji.plan.jit import compiled

_DEFLECTED = 0.7


class Ascent(NamedTuple):
    """The best prices (n,), their bound, and how often (m,) each facility was among those opened lately."""

    price: Floats
    bound: float
    often: Floats


class Choice(NamedTuple):
    """How many facilities to open, and whether each (m,) is free (0), shut (-1) or open (1)."""

    wanted: int
    status: Ints


@compiled
def added(rank: Ranked, price: Floats, status: Ints) -> Floats:
    """Return what each facility (m,) that is not shut adds at least, never more than 0."""
    n, m = rank.facility.shape
    total = np.zeros(len(status))
    for i in range(n):
        for k in range(m):
            step = rank.distance[i, k] - price[i]
            if step >= 0.0:
                break
            total[rank.facility[i, k]] += step
    return np.where(status < 0, 0.0, total)


@compiled
def without_shut(rank: Ranked, status: Ints) -> Ranked:
    """Return ``rank`` without the facilities that are shut, so that steps at a node are shorter."""
    n, m = rank.facility.shape
    count = (status >= 0).sum()
    facility, distance = np.empty((n, count), dtype=np.int64), np.empty((n, count))
    for i in range(n):
        place = 0
        for k in range(m):
            j = rank.facility[i, k]
            if status[j] >= 0:
                facility[i, place] = j
                distance[i, place] = rank.distance[i, k]
                place += 1
    return Ranked(facility, distance)


@compiled
def ascend(rank: Ranked, choice: Choice, start: Floats, target: float, steps: int, patience: int) -> Ascent:
    """Raise the dual bound by ``steps`` deflected subgradient steps from ``start`` (n,), towards ``target``.

    A step is halved where ``patience`` steps brought nothing; it ends once the bound reaches the target.
    """
    n, m = len(start), len(choice.status)
    price, best, bound = start.copy(), start.copy(), -np.inf
    direction, often, length, idle = np.zeros(n), np.zeros(m), 1.0, 0
    for step in range(steps):
        taken, value = _pick(rank, choice, price)
        for j in range(m):
            often[j] = 0.95 * often[j] + (0.05 if taken[j] else 0.0)
        if value > bound + 1e-7 * abs(bound):
            idle = 0
        else:
            idle += 1
        if value > bound:
            bound = value
            best[:] = price
        if bound >= target or length < 1e-4:
            break
        if idle >= patience:
            idle, length = 0, 0.5 * length
            price[:] = best
            direction[:] = 0.0
            continue
        _turn(rank, taken, price, direction, step)
        norm = (direction * direction).sum()
        if norm <= 1e-12:
            break
        move = length * (1.002 * target - value) / norm
        for i in range(n):
            price[i] = max(price[i] + move * direction[i], rank.distance[i, 0])
    return Ascent(best, bound, often / max(often.max(), 1e-12))


@compiled
def _turn(rank: Ranked, taken: Bools, price: Floats, direction: Floats, step: int) -> None:
    """Blend the subgradient, 1 less the facilities that serve each customer, into ``direction`` (n,)."""
    n, m = rank.facility.shape
    weight = 1.0 if step == 0 else _DEFLECTED
    for i in range(n):
        served = 0
        for k in range(m):
            if rank.distance[i, k] >= price[i]:
                break
            if taken[rank.facility[i, k]]:
                served += 1
        direction[i] = weight * (1.0 - served) + (1.0 - weight) * direction[i]


@compiled
def _pick(rank: Ranked, choice: Choice, price: Floats) -> tuple[Bools, float]:
    """Return the facilities that the prices open, and the dual bound."""
    total = added(rank, price, choice.status)
    m = len(total)
    taken = np.zeros(m, dtype=np.bool_)
    value, left = price.sum(), choice.wanted
    key = np.empty(m)
    for j in range(m):
        key[j] = total[j] if choice.status[j] == 0 else np.inf
        if choice.status[j] > 0:
            taken[j] = True
            value += total[j]
            left -= 1
    for j in np.argsort(key)[: max(left, 0)]:
        if key[j] < np.inf:
            taken[j] = True
            value += key[j]
    return taken, value
