"""Smaller covering instances with the same answer: points with the same list merged, useless sites left out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.covering.covers import Covers, Places, Reach
from xinji.plan.jit import compiled

_LOAD = 2
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_STEP = np.uint64(0x9E3779B97F4A7C15)


class Merged(NamedTuple):
    """``covers`` whose points are groups of points with the same list, weights added up.

    ``group`` (n,) is the group of each point, -1 where it has no list or no weight; ``site`` (kept
    sites,) the position of each site of ``covers`` in the instance merged.
    """

    covers: Covers
    group: Ints
    site: Ints


def merge_points(covers: Covers, kept: Bools | None = None) -> Merged:
    """Return ``covers`` with the points that have the same list merged, on the ``kept`` sites (m,) only.

    Lists are compared entry by entry, hashes only find them. Points that no kept site covers, or of
    weight 0, are left out.
    """
    keep = np.ones(covers.sites, dtype=np.bool_) if kept is None else kept
    sites = np.flatnonzero(keep)
    number = np.full(covers.sites, -1, dtype=np.int32)
    number[sites] = np.arange(len(sites), dtype=np.int32)
    group, first, length = _groups(covers.start, covers.site, covers.weight, number)
    start = np.zeros(len(first) + 1, dtype=np.int64)
    np.cumsum(length, out=start[1:])
    site = np.empty(int(start[-1]), dtype=np.int32)
    _fill(covers.start, covers.site, number, first, (start, site))
    member = group >= 0
    weight = np.zeros(len(first))
    np.add.at(weight, group[member], covers.weight[member])
    return Merged(Covers(start, site, weight, covers.cost[sites]), group, sites)


def spread_price(merged: Merged, weight: Floats, price: Floats) -> Floats:
    """Return prices (n,) of the points of ``weight`` (n,), each its share of its group's ``price`` (groups,).

    A point without a group costs its weight: nothing covers it, so its price pays no site.
    """
    total = merged.covers.weight
    part = np.divide(price, total, out=np.zeros(len(total)), where=total > 0.0)
    spread = weight.copy()
    member = merged.group >= 0
    spread[member] = np.minimum(weight[member] * part[merged.group[member]], weight[member])
    return spread


def join_prices(merged: Merged, price: Floats) -> Floats:
    """Return the prices of the groups: those of their points (n,) added up."""
    member = merged.group >= 0
    total = np.bincount(merged.group[member], weights=price[member], minlength=merged.covers.points)
    return np.minimum(total, merged.covers.weight)


def dominated_sites(covers: Covers, reach: Reach) -> Ints:
    """Return for each site (m,) one that costs no more and covers all that it covers, or -1.

    Of sites that cover the same points at the same cost the first stands; whoever dominates is not
    dominated itself. A site that covers nothing has none.
    """
    over = _dominators(covers.start, covers.site, covers.cost, reach)
    for _ in range(len(over)):
        chained = (over >= 0) & (over[over] >= 0)
        if not chained.any():
            break
        over[chained] = over[over[chained]]
    return over


class Ordered(NamedTuple):
    """``covers`` with neighbours next to each other in memory; ``site`` (m,): the position each site had."""

    covers: Covers
    site: Ints


def neighbours_together(covers: Covers, reach: Reach) -> Ordered:
    """Return ``covers`` with sites in the order of a breadth-first walk and points by their first site."""
    order = _walk(covers.start, covers.site, reach)
    number = np.empty(covers.sites, dtype=np.int32)
    number[order] = np.arange(covers.sites, dtype=np.int32)
    rows = np.argsort(_first_site(covers.start, covers.site, number), kind="stable")
    start = np.zeros(covers.points + 1, dtype=np.int64)
    np.cumsum(np.diff(covers.start)[rows], out=start[1:])
    site = np.empty(len(covers.site), dtype=np.int32)
    _fill(covers.start, covers.site, number, rows, (start, site))
    return Ordered(Covers(start, site, covers.weight[rows], covers.cost[order]), order)


@compiled
def _walk(start: Ints, site: Places, reach: Reach) -> Ints:
    """Return the sites in the order of a breadth-first walk along shared points."""
    sites = len(reach.start) - 1
    met, read = np.zeros(sites, dtype=np.bool_), np.zeros(len(start) - 1, dtype=np.bool_)
    order = np.empty(sites, dtype=np.int64)
    count = head = 0
    for root in range(sites):
        if not met[root]:
            met[root] = True
            order[count] = root
            count += 1
        while head < count:
            j = order[head]
            head += 1
            for q in range(reach.start[j], reach.start[j + 1]):
                i = reach.point[q]
                if read[i]:
                    continue
                read[i] = True
                for k in range(start[i], start[i + 1]):
                    if not met[site[k]]:
                        met[site[k]] = True
                        order[count] = site[k]
                        count += 1
    return order


@compiled
def _first_site(start: Ints, site: Places, number: Places) -> Ints:
    first = np.full(len(start) - 1, len(number), dtype=np.int64)
    for i in range(len(first)):
        for k in range(start[i], start[i + 1]):
            first[i] = min(first[i], np.int64(number[site[k]]))
    return first


@compiled
def _mixed(value: np.uint64) -> np.uint64:
    """Return 64 well-mixed bits of ``value`` (the finaliser of SplitMix64)."""
    value = (value + np.uint64(1)) * _STEP
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))


@compiled
def _same(start: Ints, site: Places, number: Places, stamp: Ints, pair: tuple[int, int, int]) -> bool:
    """Return whether the lists of two points agree on the kept sites; ``pair`` ends with the first's length."""
    one, other, length = pair
    for k in range(start[one], start[one + 1]):
        if number[site[k]] >= 0:
            stamp[site[k]] = one
    seen = 0
    for k in range(start[other], start[other + 1]):
        if number[site[k]] >= 0:
            if stamp[site[k]] != one:
                return False
            seen += 1
    return seen == length


@compiled
def _groups(start: Ints, site: Places, weight: Floats, number: Places) -> tuple[Ints, Ints, Ints]:
    """Return the group of each point, the first point of each group and the length of its list."""
    points = len(weight)
    size = 1
    while size < _LOAD * points:
        size *= 2
    table = np.full(size, -1, dtype=np.int32)
    stamp = np.full(len(number), -1, dtype=np.int64)
    group = np.full(points, -1, dtype=np.int64)
    first, length, key = np.empty(points, np.int64), np.empty(points, np.int64), np.empty(points, np.uint64)
    count = 0
    for i in range(points):
        mixed, held = np.uint64(0), 0
        for k in range(start[i], start[i + 1]):
            if number[site[k]] >= 0:
                mixed += _mixed(np.uint64(site[k]))
                held += 1
        if held == 0 or weight[i] <= 0.0:
            continue
        slot = np.int64(mixed & np.uint64(size - 1))
        while table[slot] >= 0:
            g = table[slot]
            if key[g] == mixed and length[g] == held and _same(start, site, number, stamp, (first[g], i, held)):
                break
            slot = (slot + 1) & (size - 1)
        if table[slot] < 0:
            table[slot] = count
            first[count], length[count], key[count] = i, held, mixed
            count += 1
        group[i] = table[slot]
    return group, first[:count].copy(), length[:count].copy()


@compiled
def _fill(start: Ints, site: Places, number: Places, first: Ints, made: tuple[Ints, Places]) -> None:
    place = 0
    for g in range(len(first)):
        for k in range(start[first[g]], start[first[g] + 1]):
            if number[site[k]] >= 0:
                made[1][place] = number[site[k]]
                place += 1


@compiled
def _dominators(start: Ints, site: Places, cost: Floats, reach: Reach) -> Ints:
    """Return for each site one that dominates it, or -1: the sites common to the lists of all its points."""
    sites = len(cost)
    over = np.full(sites, -1, dtype=np.int64)
    seen = np.zeros(sites, dtype=np.int64)
    for j in range(sites):
        low, high = reach.start[j], reach.start[j + 1]
        if low == high:
            continue
        # Points in order: after k of them a site is common to all if it was seen k times.
        rare = reach.point[low]
        for q in range(low, high):
            point = reach.point[q]
            if start[point + 1] - start[point] < start[rare + 1] - start[rare]:
                rare = point
        common = site[start[rare] : start[rare + 1]].copy()
        count = len(common)
        for t in range(count):
            seen[common[t]] = 0
        for q in range(low, high):
            if count <= 1:
                break
            count = _keep_common(start, site, (reach.point[q], q - low + 1, count), common, seen)
        for t in range(count):
            other = common[t]
            size, wide = high - low, reach.start[other + 1] - reach.start[other]
            strictly = wide > size or cost[other] < cost[j] or other < j
            if other != j and cost[other] <= cost[j] and strictly:
                over[j] = other
                break
    return over


@compiled
def _keep_common(start: Ints, site: Places, step: tuple[int, int, int], common: Places, seen: Ints) -> int:
    """Keep of the first sites of ``common`` those that the point's list holds; return how many are left.

    ``step``: the point, the number of points so far with it, the number of sites still common.
    """
    point, turn, count = step
    for k in range(start[point], start[point + 1]):
        if seen[site[k]] == turn - 1:
            seen[site[k]] = turn
    left = 0
    for t in range(count):
        if seen[common[t]] == turn:
            common[left] = common[t]
            left += 1
    return left
