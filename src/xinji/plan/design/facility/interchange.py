"""Best interchange for the p-median: swap an open facility for a shut one while that pays.

All swaps are priced in one pass over each customer's nearest facilities (Resende and Werneck, EJOR
174, 2006: gain of the one that opens, loss of the one that shuts, and what the two share).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.jit import compiled


class Ranked(NamedTuple):
    """Each customer's facilities from the nearest on: ``facility`` and ``distance`` (n, m)."""

    facility: Ints
    distance: Floats


def ranked(distance: Floats) -> Ranked:
    """Return the facilities of ``distance`` (n, m) by customer, nearest first; ties in order of number."""
    order = np.argsort(distance, axis=1, kind="stable")
    return Ranked(order.astype(np.int64), np.take_along_axis(distance, order, axis=1))


@compiled
def nearest(rank: Ranked, opened: Bools) -> tuple[Ints, Floats, Floats]:
    """Return each customer's open facility (n,), its distance and that of the next open one (infinite: none)."""
    n, m = rank.facility.shape
    first = np.full(n, -1)
    near, next_near = np.full(n, np.inf), np.full(n, np.inf)
    for i in range(n):
        for k in range(m):
            if opened[rank.facility[i, k]]:
                if first[i] < 0:
                    first[i] = rank.facility[i, k]
                    near[i] = rank.distance[i, k]
                else:
                    next_near[i] = rank.distance[i, k]
                    break
    return first, near, next_near


@compiled
def interchange(rank: Ranked, opened: Bools, rounds: int) -> float:
    """Improve ``opened`` (m,) in place by the best swap, at most ``rounds`` times; return the total distance."""
    m = len(opened)
    count = opened.sum()
    slot = np.full(m, -1)
    for _ in range(rounds):
        used = np.flatnonzero(opened)
        for place in range(count):
            slot[used[place]] = place
        first, near, next_near = nearest(rank, opened)
        gain, loss, both = _price_swaps(rank, slot[first], near, next_near, count)
        best, into, out = 1e-9 * (1.0 + near.sum()), -1, -1
        for j in range(m):
            if not opened[j]:
                for place in range(count):
                    profit = gain[j] - loss[place] + both[j, place]
                    if profit > best:
                        best, into, out = profit, j, used[place]
        if into < 0:
            return float(near.sum())
        opened[into] = True
        opened[out] = False
    return float(nearest(rank, opened)[1].sum())


@compiled
def _price_swaps(
    rank: Ranked, slot: Ints, near: Floats, next_near: Floats, count: int
) -> tuple[Floats, Floats, Floats]:
    """Return gain (m,) of opening, loss (p,) of shutting, and what a swap saves of the loss (m, p)."""
    n, m = rank.facility.shape
    gain, loss, both = np.zeros(m), np.zeros(count), np.zeros((m, count))
    for i in range(n):
        # With one facility open nobody has a second: any other distance is worth its difference.
        limit = next_near[i] if next_near[i] < np.inf else max(rank.distance[i, m - 1], near[i])
        loss[slot[i]] += limit - near[i]
        for k in range(m):
            distance = rank.distance[i, k]
            if distance >= limit:
                break
            j = rank.facility[i, k]
            gain[j] += max(near[i] - distance, 0.0)
            both[j, slot[i]] += limit - max(distance, near[i])
    return gain, loss, both
