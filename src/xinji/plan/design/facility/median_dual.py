"""Lagrangian dual of the p-median: a price on serving each customer (Cornuejols, Fisher and Nemhauser 1977).

With the prices given, facility j adds the sum of min(0, distance - price) over the customers, and
the p least of these are opened. Where most facilities are ruled out, a step runs through the table
of those left; elsewhere only customers' nearest facilities matter, so that a step is short.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.facility.interchange import Ranked
from xinji.plan.jit import compiled, vectorised

_DEFLECTED = 0.7
_DENSE = 25


class Ascent(NamedTuple):
    """The best prices (n,), their bound, and how often (m,) each facility was among those opened lately."""

    price: Floats
    bound: float
    often: Floats


class Choice(NamedTuple):
    """How many facilities to open, and whether each (m,) is free (0), shut (-1) or open (1)."""

    wanted: int
    status: Ints


class Near(NamedTuple):
    """Each customer's ``least`` distance (n,), and facilities nearest first or a ``table`` (m, n) of all distances.

    The table counts where it has rows.
    """

    least: Floats
    rank: Ranked
    table: Floats


class Effort(NamedTuple):
    """The most steps, after how many idle ones their length is halved, and the least length."""

    steps: int
    patience: int
    shortest: float


def in_table(table: Floats, price: Floats) -> bool:
    """Return whether prices (n,) reach so much of the ``table`` (m, n) that it is faster than ranks."""
    return bool((table < price).sum() * _DENSE > table.size)


@compiled
def added(near: Near, price: Floats, status: Ints) -> Floats:
    """Return what each facility (m,) that is not shut adds at least, never more than 0."""
    if len(near.table):
        return np.where(status < 0, 0.0, _added_in_table(near.table, price))
    rank, total = near.rank, np.zeros(len(status))
    n, m = rank.facility.shape
    for i in range(n):
        for k in range(m):
            step = rank.distance[i, k] - price[i]
            if step >= 0.0:
                break
            total[rank.facility[i, k]] += step
    return np.where(status < 0, 0.0, total)


@vectorised
def _added_in_table(table: Floats, price: Floats) -> Floats:
    """Return the sum (m,) of min(0, distance - price) over each row."""
    total = np.zeros(len(table))
    for j in range(len(table)):
        row, least = table[j], 0.0
        for i in range(len(price)):
            least += min(row[i] - price[i], 0.0)
        total[j] = least
    return total


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
def ascend(near: Near, choice: Choice, start: Floats, target: float, effort: Effort) -> Ascent:
    """Raise the dual bound by deflected subgradient steps from ``start`` (n,), towards ``target``.

    A step is halved where some steps brought nothing; it ends once the bound reaches the target.
    """
    n, m = len(start), len(choice.status)
    price, best, bound = start.copy(), start.copy(), -np.inf
    direction, often, length, idle = np.zeros(n), np.zeros(m), 1.0, 0
    for step in range(effort.steps):
        taken, value = _pick(near, choice, price)
        for j in range(m):
            often[j] = 0.95 * often[j] + (0.05 if taken[j] else 0.0)
        if value > bound + 1e-7 * abs(bound):
            idle = 0
        else:
            idle += 1
        if value > bound:
            bound = value
            best[:] = price
        if bound >= target or length < effort.shortest:
            break
        if idle >= effort.patience:
            idle, length = 0, 0.5 * length
            price[:] = best
            direction[:] = 0.0
            continue
        served = _served(near, taken, price)
        weight = 1.0 if step == 0 else _DEFLECTED
        norm = 0.0
        for i in range(n):
            direction[i] = weight * (1.0 - served[i]) + (1.0 - weight) * direction[i]
            norm += direction[i] * direction[i]
        if norm <= 1e-12:
            break
        move = length * (1.002 * target - value) / norm
        for i in range(n):
            price[i] = max(price[i] + move * direction[i], near.least[i])
    return Ascent(best, bound, often / max(often.max(), 1e-12))


@compiled
def _served(near: Near, taken: Bools, price: Floats) -> Floats:
    """Return by how many of the facilities taken each customer (n,) is served at its price."""
    if len(near.table):
        return _served_in_table(near.table, np.flatnonzero(taken), price)
    rank, served = near.rank, np.zeros(len(price))
    n, m = rank.facility.shape
    for i in range(n):
        for k in range(m):
            if rank.distance[i, k] >= price[i]:
                break
            if taken[rank.facility[i, k]]:
                served[i] += 1.0
    return served


@vectorised
def _served_in_table(table: Floats, used: Ints, price: Floats) -> Floats:
    """Return how many rows of ``used`` (k,) lie below each price (n,)."""
    served = np.zeros(len(price))
    for j in used:
        row = table[j]
        for i in range(len(price)):
            served[i] += 1.0 if row[i] < price[i] else 0.0
    return served


@compiled
def _pick(near: Near, choice: Choice, price: Floats) -> tuple[Bools, float]:
    """Return the facilities that the prices open, and the dual bound."""
    total = added(near, price, choice.status)
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
