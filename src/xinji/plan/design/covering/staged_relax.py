"""Staged covering with shares instead of whole sites: restarted PDHG over the saddle of shares and prices.

A share (site, stage) is how much of a site stands by then, a price (point, stage) in
[0, weight * worth] what being covered is worth there. Source: Applegate and others, Practical
large-scale linear programming using PDHG, NeurIPS 2021; diagonal steps: Pock and Chambolle, ICCV 2011.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.plan.design.covering.covers import Covers, Places, Reach
from xinji.plan.design.covering.staged_project import Money, project
from xinji.plan.design.proof import Clock
from xinji.plan.jit import compiled

_EPOCH = 20
_LONGEST = 0.36
_SHORTEST = 100
_GREAT_FALL = 0.2
_SMALL_FALL = 0.8


class Lists(NamedTuple):
    """Cover lists by point (``start``, ``site``) and by site (``first``, ``point``), with ``weight`` (n,)."""

    start: Ints
    site: Places
    first: Ints
    point: Places
    weight: Floats


class Iterate(NamedTuple):
    """Shares (m, T), prices (n, T) and the budgets' prices ``money`` (T,).

    ``met`` (n, T) says how often each point is covered, ``gain`` (m, T) what each site earns.
    """

    share: Floats
    price: Floats
    met: Floats
    gain: Floats
    money: Floats


class Steps(NamedTuple):
    """Step lengths: of shares (m,), of prices (n,)."""

    share: Floats
    price: Floats


@dataclass(frozen=True, slots=True, eq=False)
class StagedRelaxation:
    """Shares (m, T) and their ``value``; prices (n, T) and (T,) with the ``bound`` they give; PDHG ``rounds``."""

    share: Floats
    value: float
    price: Floats
    money_price: Floats
    bound: float
    rounds: int


def relax(
    covers: Covers, reach: Reach, money: Money, worth: Floats, *, gap: float, rounds: int, clock: Clock
) -> StagedRelaxation:
    """Return shares and prices whose values lie within ``gap`` (relative), or the best after ``rounds``.

    Every site must cover some weight, and every point have a site and a weight. The ``clock`` only guards.
    """
    lists = Lists(covers.start, covers.site, reach.start, reach.point, covers.weight)
    reached = np.add.reduceat(covers.weight[reach.point], reach.start[:-1])
    steps = Steps(1.0 / reached, covers.weight / np.diff(covers.start))
    now = _beginning(lists, money, worth, reached)
    restart, total = now, _zeros(now)
    omega, since, done = 1.0, 0, 0
    begun = previous = np.inf
    best = _Best(now)
    while done < rounds and clock.left > 0.0 and not best.within(gap):
        _rounds(_EPOCH, lists, money, worth, Steps(steps.share / omega, steps.price * omega), now, total)
        done, since = done + _EPOCH, since + _EPOCH
        mean = Iterate(*(part / since for part in total))
        apart_now, apart_mean = best.see(now, lists, money, worth), best.see(mean, lists, money, worth)
        apart = min(apart_now, apart_mean)
        begun = min(begun, apart) if begun == np.inf else begun
        if _restarts(apart, begun, previous, since, done):
            now = mean if apart_mean < apart_now else now
            omega = _balanced(omega, now, restart, steps)
            restart, total = Iterate(*(part.copy() for part in now)), _zeros(now)
            begun, since = apart, 0
        previous = apart
    return StagedRelaxation(best.share, best.value, best.price, best.money, best.bound, done)


def _restarts(apart: float, begun: float, previous: float, since: int, done: int) -> bool:
    if apart <= _GREAT_FALL * begun or (apart <= _SMALL_FALL * begun and apart > previous):
        return True
    return since >= max(_LONGEST * done, _SHORTEST)


def _balanced(omega: float, now: Iterate, then: Iterate, steps: Steps) -> float:
    """Return the ratio of step lengths that balances how far prices and shares have moved, smoothed."""
    shares = float((((now.share - then.share) ** 2).sum(axis=1) / steps.share).sum())
    prices = float((((now.price - then.price) ** 2).sum(axis=1) / steps.price).sum())
    return float(np.sqrt(omega * np.sqrt(prices / shares))) if min(shares, prices) > 0.0 else omega


def _zeros(like: Iterate) -> Iterate:
    return Iterate(*(np.zeros_like(part) for part in like))


def _beginning(lists: Lists, money: Money, worth: Floats, reached: Floats) -> Iterate:
    """Return no shares, and every point at half its worth."""
    sites, stages = len(money.cost), len(worth)
    gain = 0.5 * np.outer(reached, worth)
    typical = float(np.median(reached / np.maximum(money.cost, 1e-9 * max(money.budget[-1], 1e-300))))
    return Iterate(
        np.zeros((sites, stages)),
        0.5 * np.outer(lists.weight, worth),
        np.zeros((len(lists.weight), stages)),
        gain,
        np.full(stages, typical),
    )


class _Best:
    """The best bound and the best shares seen, which need not come from one iterate."""

    def __init__(self, start: Iterate) -> None:
        self.bound, self.value = np.inf, 0.0
        self.share, self.price, self.money = start.share, start.price, start.money

    def within(self, gap: float) -> bool:
        return self.bound - self.value <= gap * abs(self.value)

    def see(self, seen: Iterate, lists: Lists, money: Money, worth: Floats) -> float:
        """Keep what is better; return how far the iterate's own two values lie apart."""
        fit = _fit(seen.share, money)
        bound = _dual_value(lists.weight, worth, seen, money)
        value = _primal_value(lists.weight, worth, seen.met, fit)
        if bound < self.bound:
            self.bound, self.price, self.money = bound, seen.price.copy(), seen.money.copy()
        if value > self.value:
            self.value, self.share = value, fit * seen.share
        return float(bound - value)


def _fit(share: Floats, money: Money) -> float:
    """Return the factor, at most 1, that brings the shares within every budget."""
    spent = money.cost @ share
    over = spent > money.budget
    return float((money.budget[over] / spent[over]).min(initial=1.0))


@compiled
def _dual_value(weight: Floats, worth: Floats, seen: Iterate, money: Money) -> float:
    sites, stages = seen.gain.shape
    total = np.dot(seen.money, money.budget)
    for i in range(len(weight)):
        for t in range(stages):
            total += weight[i] * worth[t] - seen.price[i, t]
    for j in range(sites):
        best = earned = 0.0
        for t in range(stages - 1, money.opens[j] - 1, -1):
            earned += seen.gain[j, t] - seen.money[t] * money.cost[j]
            best = max(best, earned)
        total += best
    return float(total)


@compiled
def _primal_value(weight: Floats, worth: Floats, met: Floats, fit: float) -> float:
    total = 0.0
    for i in range(len(weight)):
        for t in range(len(worth)):
            total += weight[i] * worth[t] * min(1.0, fit * met[i, t])
    return total


@compiled
def _rounds(count: int, lists: Lists, money: Money, worth: Floats, steps: Steps, now: Iterate, total: Iterate) -> None:
    """Do ``count`` rounds of PDHG in place, adding each iterate to ``total``."""
    share, met = np.empty_like(now.share), np.empty_like(now.met)
    wanted = np.empty_like(now.share)
    for _ in range(count):
        for j in range(len(wanted)):
            wanted[j] = now.share[j] + steps.share[j] * now.gain[j]
        project(wanted, steps.share, money, now.money, share)
        met[:] = now.met
        _meet(lists, share, now)
        _reprice(lists, worth, steps.price, met, now)
        total.share[:] += now.share
        total.price[:] += now.price
        total.met[:] += now.met
        total.gain[:] += now.gain
        total.money[:] += now.money


@compiled
def _meet(lists: Lists, share: Floats, now: Iterate) -> None:
    """Take the new ``share``; only sites that changed touch their points."""
    sites, stages = share.shape
    change = np.empty(stages)
    for j in range(sites):
        changed = False
        for t in range(stages):
            change[t] = share[j, t] - now.share[j, t]
            changed |= change[t] != 0.0
            now.share[j, t] = share[j, t]
        if changed:
            for k in range(lists.first[j], lists.first[j + 1]):
                i = lists.point[k]
                for t in range(stages):
                    now.met[i, t] += change[t]


@compiled
def _reprice(lists: Lists, worth: Floats, step: Floats, before: Floats, now: Iterate) -> None:
    """Move the prices against the extrapolated shares; only points that changed touch their sites."""
    points, stages = before.shape
    change = np.empty(stages)
    for i in range(points):
        changed = False
        for t in range(stages):
            old = now.price[i, t]
            new = old - step[i] * (2.0 * now.met[i, t] - before[i, t] - 1.0)
            new = min(max(new, 0.0), lists.weight[i] * worth[t])
            change[t] = new - old
            changed |= change[t] != 0.0
            now.price[i, t] = new
        if changed:
            for k in range(lists.start[i], lists.start[i + 1]):
                j = lists.site[k]
                for t in range(stages):
                    now.gain[j, t] += change[t]
