"""Serving all customers from open facilities at least cost: a transportation problem with few sources.

Successive shortest paths (Ahuja, Magnanti and Orlin, Network Flows, 1993, section 9.7) on a graph
whose nodes are the facilities alone: an arc from a to b is the customer who moves most cheaply.
Every customer starts at the cheapest facilities; what overloads a facility then moves along
shortest paths to facilities with room, which keeps the flow optimal for the loads it has.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.errors import SolverError
from xinji.plan.jit import compiled

_TINY = 1e-11
_SPILT = 1e-6
_MOVES = 2000


class Served(NamedTuple):
    """Shares (n, k) of each customer by facility, and the dual prices that prove them cheapest.

    ``price`` (k,) is what a unit of a facility's capacity is worth; ``low`` and ``high`` (n,) are the
    limits between which each customer's own price may lie. ``cost`` is the total serving cost.
    """

    share: Floats
    price: Floats
    low: Floats
    high: Floats
    cost: float


class _Input(NamedTuple):
    """Cost (n, k) of all of a demand, demand (n,), capacity (k,) and largest share (k,) of any one customer."""

    cost: Floats
    demand: Floats
    capacity: Floats
    most: Floats


class _Arcs(NamedTuple):
    """Cost (k, k) of moving one unit from facility to facility, and the customer (k, k) who moves (-1 none)."""

    cost: Floats
    customer: Ints


def transport(cost: Floats, demand: Floats, capacity: Floats, most: Floats) -> Served:
    """Return the cheapest shares (n, k) for ``cost`` (n, k) of serving all of a demand from a facility.

    ``capacity`` (k,) limits a facility's load, ``most`` (k,) the share of any customer it serves
    (1 for an open facility; a fraction for one that is open in part). Raises SolverError where the
    capacity does not do or arithmetic breaks down.
    """
    given = _Input(np.ascontiguousarray(cost), demand, capacity, most)
    share, price, left = _flow(given)
    if left > _SPILT * max(float(demand.sum()), 1.0):
        raise SolverError(f"A transportation problem of {len(most)} facilities leaves {left:g} units unserved")
    low, high = _customer_prices(given, share, price)
    return Served(share, price, low, high, float(np.where(share > 0.0, cost, 0.0).ravel() @ share.ravel()))


@compiled
def _flow(given: _Input) -> tuple[Floats, Floats, float]:
    """Return the shares (n, k), the capacity prices (k,) and the load that found no room."""
    n, k = given.cost.shape
    share = np.zeros((n, k))
    left = _fill(given, share)
    load = np.zeros(k)
    for i in range(n):
        for a in range(k):
            load[a] += given.demand[i] * share[i, a]
    tiny = _TINY * (given.demand.sum() + 1.0)
    arcs = _Arcs(np.full((k, k), np.inf), np.full((k, k), -1))
    for i in range(n):
        _offer(given, share, arcs, i)
    room = given.capacity - load
    before = np.full(k, -1)
    distance = np.zeros(k)
    for _ in range(_MOVES * (n + k)):
        if room.min() >= -tiny:
            break
        end = _shortest(arcs.cost, room, tiny, distance, before)
        if end < 0 or not _move(given, share, arcs, room, before, end):
            break
    over = 0.0
    for a in range(k):
        over += max(-room[a] - tiny, 0.0)
    return share, _prices(arcs.cost, room, tiny), left + over


@compiled
def _fill(given: _Input, share: Floats) -> float:
    """Serve each customer from the cheapest facilities, whatever their load; return the demand not served."""
    n = len(given.demand)
    left = 0.0
    for i in range(n):
        open_share = 1.0
        for a in np.argsort(given.cost[i]):
            part = min(given.most[a], open_share)
            share[i, a] = part
            open_share -= part
            if open_share <= _TINY:
                share[i, a] += max(open_share, 0.0)
                open_share = 0.0
                break
        left += open_share * max(given.demand[i], 1.0)
    return left


@compiled
def _offer(given: _Input, share: Floats, arcs: _Arcs, i: int) -> None:
    """Improve the arcs by what customer ``i`` could move."""
    if given.demand[i] <= 0.0:
        return
    k = len(given.most)
    for a in range(k):
        if share[i, a] > 0.0:
            for b in range(k):
                if b != a and share[i, b] < given.most[b]:
                    step = (given.cost[i, b] - given.cost[i, a]) / given.demand[i]
                    if step < arcs.cost[a, b]:
                        arcs.cost[a, b] = step
                        arcs.customer[a, b] = i


@compiled
def _rescan(given: _Input, share: Floats, arcs: _Arcs, a: int, b: int) -> None:
    """Find the cheapest customer to move from ``a`` to ``b`` anew."""
    best, who = np.inf, -1
    for i in range(len(given.demand)):
        if share[i, a] > 0.0 and share[i, b] < given.most[b] and given.demand[i] > 0.0:
            step = (given.cost[i, b] - given.cost[i, a]) / given.demand[i]
            if step < best:
                best, who = step, i
    arcs.cost[a, b] = best
    arcs.customer[a, b] = who


@compiled
def _shortest(cost: Floats, room: Floats, tiny: float, distance: Floats, before: Ints) -> int:
    """Return the facility with room that is nearest to the overloaded ones (-1: none is reached)."""
    k = len(room)
    less = 1e-12 * _largest(cost)
    distance[:] = np.where(room < -tiny, 0.0, np.inf)
    before[:] = -1
    for _ in range(k):
        changed = False
        for a in range(k):
            if distance[a] < np.inf:
                for b in range(k):
                    if distance[a] + cost[a, b] < distance[b] - less:
                        distance[b] = distance[a] + cost[a, b]
                        before[b] = a
                        changed = True
        if not changed:
            break
    end = -1
    for a in range(k):
        if room[a] > tiny and distance[a] < np.inf and (end < 0 or distance[a] < distance[end]):
            end = a
    return end


@compiled
def _largest(cost: Floats) -> float:
    """Return the largest finite size of ``cost``."""
    largest = 0.0
    for value in cost.flat:
        if abs(value) < np.inf:
            largest = max(largest, abs(value))
    return largest


@compiled
def _move(given: _Input, share: Floats, arcs: _Arcs, room: Floats, before: Ints, end: int) -> bool:
    """Move as much as the path to ``end`` allows; return whether anything moved."""
    k = len(room)
    amount, b, steps = room[end], end, 0
    while before[b] >= 0 and steps <= k:
        a = before[b]
        i = arcs.customer[a, b]
        amount = min(amount, min(share[i, a], given.most[b] - share[i, b]) * given.demand[i])
        b = a
        steps += 1
    amount = min(amount, -room[b])
    if steps > k or amount <= 0.0:
        return False
    room[b] += amount
    room[end] -= amount
    moved = np.empty(steps, dtype=np.int64)
    b = end
    for step in range(steps):
        a = before[b]
        i = arcs.customer[a, b]
        moved[step] = i
        part = amount / given.demand[i]
        # What moves whole leaves exactly nothing behind, so that rounding never keeps a path alive.
        share[i, b] = given.most[b] if given.most[b] - share[i, b] <= part + _TINY else share[i, b] + part
        share[i, a] = 0.0 if share[i, a] <= part + _TINY else share[i, a] - part
        b = a
    for i in moved:
        for a in range(k):
            for b in range(k):
                if arcs.customer[a, b] == i and (share[i, a] <= 0.0 or share[i, b] >= given.most[b]):
                    _rescan(given, share, arcs, a, b)
    for i in moved:
        _offer(given, share, arcs, int(i))
    return True


@compiled
def _prices(cost: Floats, room: Floats, tiny: float) -> Floats:
    """Return for each facility what one unit costs to move to the nearest facility with room.

    Facilities that reach none take the least prices that keep every arc from paying.
    """
    k = len(room)
    price = np.where(room > tiny, 0.0, np.inf)
    _settle(cost, price)
    cut_off = np.isinf(price)
    if not cut_off.any():
        return np.maximum(price, 0.0)
    inner = np.where(cut_off, 0.0, np.inf)
    _settle(cost, inner)
    lift = 0.0
    for b in range(k):
        if cut_off[b]:
            lift = max(lift, -inner[b])
            for a in range(k):
                if not cut_off[a] and cost[a, b] < np.inf:
                    lift = max(lift, price[a] - cost[a, b] - inner[b])
    for b in range(k):
        if cut_off[b]:
            price[b] = inner[b] + lift
    return np.maximum(price, 0.0)


@compiled
def _settle(cost: Floats, price: Floats) -> None:
    """Lower ``price`` until no arc within the facilities that have one pays (Bellman and Ford)."""
    k = len(price)
    for _ in range(k):
        changed = False
        for a in range(k):
            for b in range(k):
                if cost[a, b] + price[b] < price[a] - 1e-12 * abs(price[b]):
                    price[a] = cost[a, b] + price[b]
                    changed = True
        if not changed:
            break


@compiled
def _customer_prices(given: _Input, share: Floats, price: Floats) -> tuple[Floats, Floats]:
    """Return the least and the greatest price (n,) of each customer that the shares allow."""
    n, k = share.shape
    low, high = np.zeros(n), np.zeros(n)
    for i in range(n):
        used, unused = -np.inf, np.inf
        for a in range(k):
            full = given.cost[i, a] + given.demand[i] * price[a]
            if share[i, a] > 0.0:
                used = max(used, full)
            if share[i, a] < given.most[a]:
                unused = min(unused, full)
        low[i] = used
        high[i] = max(used, unused) if unused < np.inf else used
    return low, high
