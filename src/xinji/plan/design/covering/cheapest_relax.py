"""Covering at least cost with shares instead of whole sites: restarted PDHG over the saddle of shares and prices.

Every point is covered, or given up in part; what is given up has a weight in all of at most
``spared`` (0: set covering). Source: Applegate and others, Practical large-scale linear programming
using PDHG, NeurIPS 2021; diagonal steps: Pock and Chambolle, ICCV 2011.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Floats
from xinji.plan.design.covering.covers import Covers, Reach
from xinji.plan.design.covering.staged_relax import Lists
from xinji.plan.design.proof import Clock
from xinji.plan.jit import compiled

_EPOCH = 20
_LONGEST = 0.36
_SHORTEST = 100
_GREAT_FALL = 0.2
_SMALL_FALL = 0.8
_NEWTON_ROUNDS = 60
_TOLERANCE = 1e-9


class Iterate(NamedTuple):
    """Shares of sites (m,) and shares given up (n,), prices (n,) and the price of weight given up (1,).

    ``met`` (n,) says how often each point is covered, ``gain`` (m,) what each site earns.
    """

    share: Floats
    left: Floats
    price: Floats
    met: Floats
    gain: Floats
    spared_price: Floats


class Steps(NamedTuple):
    """Step lengths: of shares (m,), of shares given up (n,), of prices (n,)."""

    share: Floats
    left: Floats
    price: Floats


@dataclass(frozen=True, slots=True, eq=False)
class CheapestRelaxation:
    """Shares (m,), prices (n,) and ``spared_price`` with the ``bound`` they prove; PDHG ``rounds``."""

    share: Floats
    price: Floats
    spared_price: float
    bound: float
    rounds: int


def relax_cost(
    covers: Covers, reach: Reach, *, spared: float, gap: float, rounds: int, clock: Clock
) -> CheapestRelaxation:
    """Return prices whose bound rose by less than ``gap`` (relative) between restarts, or those after ``rounds``.

    Every site must cover a point, and every point have a site. The ``clock`` only guards.
    """
    lists = Lists(covers.start, covers.site, reach.start, reach.point, covers.weight)
    steps, now = _beginning(covers, reach, spared)
    restart, total = now, _zeros(now)
    omega, since, done = 1.0, 0, 0
    begun = previous = np.inf
    best, best_bound, best_share = now, -np.inf, now.share
    while done < rounds and clock.left > 0.0:
        scaled = Steps(steps.share / omega, steps.left / omega, steps.price * omega)
        _rounds(_EPOCH, lists, covers.cost, spared, scaled, now, total)
        done, since = done + _EPOCH, since + _EPOCH
        mean = Iterate(*(part / since for part in total))
        apart = []
        for seen in (now, mean):
            bound, value = _bound(covers, seen, spared), _value(covers, seen)
            apart.append(value - bound)
            if bound > best_bound:
                best, best_bound = Iterate(*(part.copy() for part in seen)), bound
        begun = min(begun, *apart) if begun == np.inf else begun
        if min(apart) <= gap * max(abs(best_bound), 1e-300):
            best_share = now.share if apart[0] <= apart[1] else mean.share
            break
        if _restarts(min(apart), begun, previous, since, done):
            now = mean if apart[1] < apart[0] else now
            omega = _balanced(omega, now, restart, steps)
            restart, total = Iterate(*(part.copy() for part in now)), _zeros(now)
            begun, since = min(apart), 0
        previous = min(apart)
        best_share = mean.share
    return CheapestRelaxation(best_share.copy(), best.price, float(best.spared_price[0]), float(best_bound), done)


def _restarts(apart: float, begun: float, previous: float, since: int, done: int) -> bool:
    if apart <= _GREAT_FALL * begun or (apart <= _SMALL_FALL * begun and apart > previous):
        return True
    return since >= max(_LONGEST * done, _SHORTEST)


def _balanced(omega: float, now: Iterate, then: Iterate, steps: Steps) -> float:
    """Return the ratio of step lengths that balances how far prices and shares have moved, smoothed."""
    shares = float(((now.share - then.share) ** 2 / steps.share).sum())
    shares += float(((now.left - then.left) ** 2 / steps.left).sum())
    prices = float(((now.price - then.price) ** 2 / steps.price).sum())
    return float(np.sqrt(omega * np.sqrt(prices / shares))) if min(shares, prices) > 0.0 else omega


def _zeros(like: Iterate) -> Iterate:
    return Iterate(*(np.zeros_like(part) for part in like))


def _beginning(covers: Covers, reach: Reach, spared: float) -> tuple[Steps, Iterate]:
    """Return steps in proportion to what a point pays at the cheapest rate of its sites, and a start there."""
    rate = covers.cost / np.diff(reach.start)
    floor = 1e-3 * float(rate.mean()) + 1e-300
    pays = np.maximum(np.minimum.reduceat(rate[covers.site], covers.start[:-1]), floor)
    gain = np.add.reduceat(pays[reach.point], reach.start[:-1])
    several = np.diff(covers.start) + (1.0 if spared > 0.0 else 0.0)
    start = Iterate(
        np.zeros(covers.sites), np.zeros(covers.points), pays.copy(), np.zeros(covers.points), gain, np.zeros(1)
    )
    start.spared_price[0] = float(np.median(pays / np.maximum(covers.weight, 1e-300))) if spared > 0.0 else 0.0
    return Steps(1.0 / gain, 1.0 / pays, pays / several), start


def _bound(covers: Covers, seen: Iterate, spared: float) -> float:
    total = seen.price.sum() + np.minimum(covers.cost - seen.gain, 0.0).sum()
    if spared > 0.0:
        total += np.minimum(seen.spared_price[0] * covers.weight - seen.price, 0.0).sum()
        total -= seen.spared_price[0] * spared
    return float(total)


def _value(covers: Covers, seen: Iterate) -> float:
    """Return the cost of the shares, with what they miss made up at the cheapest rate of the points' prices."""
    missed = np.maximum(1.0 - seen.met - seen.left, 0.0)
    return float(covers.cost @ seen.share + missed @ np.maximum(seen.price, seen.price.mean()))


@compiled
def _rounds(count: int, lists: Lists, cost: Floats, spared: float, steps: Steps, now: Iterate, total: Iterate) -> None:
    """Do ``count`` rounds of PDHG in place, adding each iterate to ``total``."""
    met, left = np.empty_like(now.met), np.empty_like(now.left)
    for _ in range(count):
        met[:] = now.met
        left[:] = now.left
        for j in range(len(cost)):
            share = min(max(now.share[j] + steps.share[j] * (now.gain[j] - cost[j]), 0.0), 1.0)
            change = share - now.share[j]
            if change != 0.0:
                now.share[j] = share
                for k in range(lists.first[j], lists.first[j + 1]):
                    now.met[lists.point[k]] += change
        if spared > 0.0:
            _give_up(lists.weight, spared, steps.left, now)
        for i in range(len(met)):
            filled = 2.0 * (now.met[i] + now.left[i]) - met[i] - left[i]
            price = max(now.price[i] + steps.price[i] * (1.0 - filled), 0.0)
            change = price - now.price[i]
            if change != 0.0:
                now.price[i] = price
                for k in range(lists.start[i], lists.start[i + 1]):
                    now.gain[lists.site[k]] += change
        total.share[:] += now.share
        total.left[:] += now.left
        total.price[:] += now.price
        total.met[:] += now.met
        total.gain[:] += now.gain
        total.spared_price[:] += now.spared_price


@compiled
def _give_up(weight: Floats, spared: float, step: Floats, now: Iterate) -> None:
    """Move the shares given up by their prices and back within the weight ``spared``, by a guarded Newton search."""
    wanted = now.left + step * now.price
    low, high, price = 0.0, np.inf, now.spared_price[0]
    typical = now.price.sum() / weight.sum()
    for _ in range(_NEWTON_ROUNDS):
        given, slope = _given(wanted, step, weight, price)
        over = given - spared
        if abs(over) <= _TOLERANCE * spared or (over < 0.0 and price == 0.0):
            break
        if over > 0.0:
            low = price
        else:
            high = price
        move = price + over / slope if slope > 0.0 else np.inf
        if not low < move < high:
            move = 0.5 * (low + high) if high < np.inf else 2.0 * low + typical
            if over < 0.0 and slope > 0.0 and price + over / slope <= 0.0 and low == 0.0:
                move = 0.0
        price = move
    now.spared_price[0] = price
    for i in range(len(wanted)):
        now.left[i] = min(max(wanted[i] - step[i] * price * weight[i], 0.0), 1.0)


@compiled
def _given(wanted: Floats, step: Floats, weight: Floats, price: float) -> tuple[float, float]:
    """Return the weight given up at ``price``, and how fast it falls with it."""
    given = slope = 0.0
    for i in range(len(wanted)):
        left = wanted[i] - step[i] * price * weight[i]
        given += weight[i] * min(max(left, 0.0), 1.0)
        if 0.0 < left < 1.0:
            slope += step[i] * weight[i] ** 2
    return given, slope
