"""Smaller set-covering instances with the same answer."""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Bools, Ints
from xinji.plan.design.covering.covers import Covers, Places, Reach
from xinji.plan.jit import compiled

_LONGEST_LIST = 48


def implied_points(covers: Covers, reach: Reach) -> Bools:
    """Return which points (n,) are covered wherever some other point is.

    Their lists hold the whole list of another point that is not left out itself; of equal lists the first
    point stays. Lists beyond a length rule nobody out.
    """
    order = np.argsort(np.diff(covers.start), kind="stable")
    return _implied(covers.start, covers.site, reach.start, reach.point, order)


@compiled
def _implied(start: Ints, site: Places, first: Ints, point: Places, order: Ints) -> Bools:
    points = len(start) - 1
    out = np.zeros(points, dtype=np.bool_)
    stamp = np.full(len(first) - 1, -1, dtype=np.int64)
    mark = np.zeros(points, dtype=np.uint64)
    for i in range(points):
        for k in range(start[i], start[i + 1]):
            mark[i] |= np.uint64(1) << np.uint64((site[k] * 40503) % 64)
    for i in order:
        size = start[i + 1] - start[i]
        if out[i] or size == 0 or size > _LONGEST_LIST:
            continue
        rare = _rarest(start, site, first, stamp, i)
        for q in range(first[rare], first[rare + 1]):
            other = point[q]
            if other == i or out[other] or (mark[i] & ~mark[other]) != np.uint64(0):
                continue
            length = start[other + 1] - start[other]
            if length < size or (length == size and other < i):
                continue
            out[other] = _holds(start, site, stamp, i, other)
    return out


@compiled
def _rarest(start: Ints, site: Places, first: Ints, stamp: Ints, point: int) -> int:
    """Stamp the sites of ``point`` with its number and return the one that covers fewest points."""
    rare = site[start[point]]
    for k in range(start[point], start[point + 1]):
        stamp[site[k]] = point
        if first[site[k] + 1] - first[site[k]] < first[rare + 1] - first[rare]:
            rare = site[k]
    return int(rare)


@compiled
def _holds(start: Ints, site: Places, stamp: Ints, point: int, other: int) -> bool:
    """Return whether the list of ``other`` holds that of ``point``, whose sites are stamped with its number."""
    left = start[point + 1] - start[point]
    for k in range(start[other], start[other + 1]):
        if stamp[site[k]] == point:
            left -= 1
    return bool(left == 0)
