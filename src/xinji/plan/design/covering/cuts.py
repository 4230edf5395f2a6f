"""Cuts on three points that bring the bound of maximal covering below its linear relaxation.

Three sites of share 1/2 each cover three points whole that any one of them covers only two of: the
relaxation lives on such odd circles. Each is cut off (``certificate.py`` proves the cut), and the
prices move on by the method of ``pdhg.py``, now with the covered share z of the points in cuts as
variables of their own, and a price for each cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.plan.design.covering.certificate import Cuts
from xinji.plan.design.covering.covers import Covers, Places, Reach, reach_of
from xinji.plan.design.covering.pdhg import Lists, Singles, add_prices, knapsack, lists_of, project, sweep
from xinji.plan.design.covering.reduce import Merged, merge_points
from xinji.plan.design.proof import Clock
from xinji.plan.jit import compiled

_PERIODS = 200
_ROUNDS, _LOOK = 300, 50
_LEAST, _PART = 0.02, 0.02
STRICT, WIDE = 0.02, 0.2
_TRIES, _MOST = 16, 3000
_SAMPLE, _FEWER, _FEW = 15_000, 8, 20
_TINY = 1e-30
_OVERLAP = (0.15, 0.85)


@dataclass(slots=True, eq=False)
class Tight:
    """Prices of points (n,) and of ``cuts`` on them, the shares (m,) they go with, and the bound they prove."""

    price: Floats
    cuts: Cuts
    share: Floats
    bound: float
    balance: float


class Program(NamedTuple):
    """The cut program: lists by point; cuts by site (``held``) with 1 or 2; points in cuts by their position."""

    point: Ints
    inside: Ints
    held: Ints
    site: Ints
    times: Floats
    worth: Floats


def tighten(covers: Covers, budget: float, begin: Tight, goal: float, clock: Clock) -> Tight:
    """Return better prices than ``begin`` has, with cuts, until the bound is ``goal`` or the clock runs out.

    Of many points a part is looked at in each period as the first of three, in turn. Where few cuts are
    found among points that are covered just once, others come into question too.
    """
    best, now, found, price = begin, begin, begin.cuts.point, begin.cuts.price
    parts, empty, slack = 1 + covers.points // _SAMPLE, 0, STRICT
    for period in range(_PERIODS):
        new = separate(covers, now.share, found, slack, (period % parts, parts))
        empty = 0 if len(new) else empty + 1
        if clock.left <= 0.0 or (slack == WIDE and empty >= parts):
            break
        if slack == STRICT and len(new) * parts < _FEW:
            slack, parts, empty = WIDE, parts * _FEWER, 0
        found, price = np.concatenate([found, new]), np.concatenate([price, np.zeros(len(new))])
        now = _settle(covers, budget, Tight(now.price, Cuts(found, price), now.share, np.inf, now.balance), clock)
        best = now if now.bound < best.bound else best
        if best.bound <= goal:
            break
        used = now.cuts.price > 0.0
        found, price = now.cuts.point[used], now.cuts.price[used]
    return best


def separate(covers: Covers, share: Floats, known: Ints, slack: float, part: tuple[int, int]) -> Ints:
    """Return triples of points (q, 3) whose cut the ``share`` (m,) of sites breaks, the most broken first.

    Points come into question whose list has a share within ``slack`` of 1; ``part``: which part of
    them, of how many, is looked at as the first of three.
    """
    split = (share > _PART) & (share < 1.0 - _PART)
    core = merge_points(covers, split)
    head = np.full(core.covers.points, -1, dtype=np.int64)
    heavy = np.argsort(covers.weight, kind="stable")
    heavy = heavy[core.group[heavy] >= 0]
    head[core.group[heavy]] = heavy
    met = np.zeros(covers.points)
    _meet(lists_of(covers), share, met)
    over = np.where(np.abs(met[head] - 1.0) < slack, np.maximum(met[head] - 1.0, 0.0), np.inf)
    lists = (core.covers.start, core.covers.site, reach_of(core.covers))
    triple, broken = _triples(*lists, share[core.site], over, part)
    good = np.flatnonzero(broken > _LEAST)
    rows = np.sort(head[triple[good[np.argsort(-broken[good])]]], axis=1)
    both = np.concatenate([known, rows])
    _, first = np.unique(both, axis=0, return_index=True)
    fresh = np.sort(first[first >= len(known)])
    return both[fresh[:_MOST]]


def to_points(merged: Merged, covers: Covers, tight: Tight) -> tuple[Floats, Cuts]:
    """Return prices of the points of ``covers`` (n,) and cuts on them, from those of their groups.

    A group's price is shared by weight, and a cut becomes pieces, each on one member of each of its
    three groups that still has room for it.
    """
    total = merged.covers.weight
    over = np.bincount(tight.cuts.point.ravel(), weights=np.repeat(tight.cuts.price, 3), minlength=len(total))
    price = np.clip(tight.price, 0.0, np.maximum(total - over, 0.0))
    part = np.divide(price, total, out=np.zeros(len(total)), where=total > 0.0)
    spread = covers.weight.copy()
    member = np.flatnonzero(merged.group >= 0)
    spread[member] *= part[merged.group[member]]
    spread = np.minimum(spread, covers.weight)
    order = member[np.argsort(merged.group[member], kind="stable")]
    start = np.searchsorted(merged.group[order], np.arange(len(total) + 1))
    room = (covers.weight - spread)[order]
    pieces = _pieces(tight.cuts.point, tight.cuts.price, start, room)
    return spread, Cuts(order[pieces[0]], pieces[1])


def _pieces(point: Ints, price: Floats, start: Ints, room: Floats) -> tuple[Ints, Floats]:
    """Return members (p, 3), by their place in the groups, and prices (p,) of the pieces of each cut."""
    at = start[:-1].copy()
    triple, paid = [], []
    for cut in range(len(price)):
        left = float(price[cut])
        while left > 0.0:
            places = [int(at[group]) for group in point[cut]]
            last = [place + 1 >= start[group + 1] for place, group in zip(places, point[cut], strict=True)]
            piece = min([left, *(float(room[place]) for place, end in zip(places, last, strict=True) if not end)])
            room[places] -= piece
            left -= piece
            if piece > 0.0:
                triple.append(places)
                paid.append(piece)
            for group, place, end in zip(point[cut], places, last, strict=True):
                at[group] += not end and room[place] <= 0.0
    return np.array(triple, dtype=np.int64).reshape(-1, 3), np.array(paid)


def program_of(covers: Covers, cuts: Cuts) -> Program:
    """Return the rows of ``cuts``: which sites they pay, once or twice, and a scale of their prices."""
    point, inside = np.unique(cuts.point, return_inverse=True)
    rows = cuts.point.ravel()
    length = covers.start[rows + 1] - covers.start[rows]
    first = np.repeat(covers.start[rows] - (np.cumsum(length) - length), length)
    site = covers.site[first + np.arange(int(length.sum()))].astype(np.int64)
    cut = np.repeat(np.repeat(np.arange(len(cuts.price)), 3), length)
    pair, times = np.unique(cut * covers.sites + site, return_counts=True)
    worth = covers.weight[cuts.point].min(axis=1)
    return Program(
        point,
        inside.reshape(-1, 3),
        pair // covers.sites,
        pair % covers.sites,
        ((times + 1) // 2).astype(np.float64),
        worth,
    )


class _Steps(NamedTuple):
    """Step lengths at balance 1 of shares (m,), points' prices (n,), covered shares (k,) and cuts' prices (q,)."""

    share: Floats
    price: Singles
    met: Floats
    cut: Floats


def _steps(covers: Covers, program: Program, cuts: int) -> _Steps:
    column = np.zeros(covers.sites)
    add_prices(lists_of(covers), covers.weight, column)
    column += np.bincount(program.site, weights=program.times * program.worth[program.held], minlength=covers.sites)
    length = np.diff(covers.start).astype(np.float64)
    length[program.point] += 1.0
    row = np.bincount(program.held, weights=program.times, minlength=cuts) + 3.0
    inside = np.bincount(program.inside.ravel(), weights=np.repeat(program.worth, 3), minlength=len(program.point))
    return _Steps(
        np.where(column > 0.0, 1.0 / np.maximum(column, _TINY), 0.0),
        (covers.weight / np.maximum(length, 1.0)).astype(np.float32),
        1.0 / np.maximum(covers.weight[program.point] + inside, _TINY),
        program.worth / row,
    )


def _settle(covers: Covers, budget: float, begin: Tight, clock: Clock) -> Tight:
    """Return the best prices that some rounds from ``begin`` find with its cuts."""
    lists, program = lists_of(covers), program_of(covers, begin.cuts)
    steps, weight = _steps(covers, program, len(begin.cuts.price)), covers.weight.astype(np.float32)
    x, z, v = begin.share.copy(), np.ones(len(program.point)), begin.cuts.price.copy()
    u = begin.price.astype(np.float32)
    first = (x.copy(), z.copy(), v.copy(), u.copy())
    kept, goal, gain = u.copy(), np.ones(covers.points, dtype=np.float32), np.zeros(covers.sites, dtype=np.float32)
    add_prices(lists, u, gain)
    balance, budget_price, best, since = begin.balance, 0.0, begin, 0
    for turn in range(_ROUNDS):
        paid = np.bincount(program.site, weights=program.times * v[program.held], minlength=covers.sites)
        taken = np.bincount(program.inside.ravel(), weights=np.repeat(v, 3), minlength=len(z))
        step, share = steps.share * balance, np.empty_like(x)
        target = x + step * (gain + paid)
        budget_price = project(target, step * covers.cost, covers.cost, budget, budget_price, share)
        met = np.clip(z + balance * steps.met * (covers.weight[program.point] - u[program.point] - taken), 0.0, 1.0)
        over_x, over_z = 2.0 * share - x, 2.0 * met - z
        goal[program.point] = over_z
        left = np.bincount(program.held, weights=program.times * over_x[program.site], minlength=len(v))
        cut = np.maximum(v + steps.cut / balance * (over_z[program.inside].sum(axis=1) - left - 1.0), 0.0)
        pull = (since + 1.0) / (since + 2.0)
        moves = np.array([2.0 * pull, -pull, 1.0 - pull, 1.0 / balance], dtype=np.float32)
        sweep(lists, over_x.astype(np.float32), moves, (u, first[3], kept, weight, steps.price, goal), gain)
        x = pull * over_x + (1.0 - pull) * first[0]
        z = pull * over_z + (1.0 - pull) * first[1]
        v = pull * (2.0 * cut - v) + (1.0 - pull) * first[2]
        since += 1
        if (turn + 1) % _LOOK == 0:
            seen = judged(lists, covers, budget, (kept, cut, share, balance), begin.cuts.point)
            best = seen if seen.bound < best.bound else best
            if clock.left <= 0.0:
                break
        if since >= 2 * _LOOK:
            x, z, v = share.copy(), met.copy(), cut.copy()
            u[:] = kept
            first, since = (x.copy(), z.copy(), v.copy(), u.copy()), 0
            gain[:] = 0.0
            add_prices(lists, u, gain)
    return Tight(best.price, best.cuts, share, best.bound, balance)


def judged(
    lists: Lists, covers: Covers, budget: float, state: tuple[Singles | Floats, Floats, Floats, float], point: Ints
) -> Tight:
    """Return the bound that prices (n,) and cuts on ``point`` (q, 3) prove.

    ``state``: prices, cuts' prices, shares and balance; prices that points have no room for are cut back.
    """
    price = np.minimum(state[0].astype(np.float64), covers.weight)
    cuts = Cuts(point, state[1])
    taken = np.bincount(point.ravel(), weights=np.repeat(cuts.price, 3), minlength=covers.points)
    price = np.minimum(price, np.maximum(covers.weight - taken, 0.0))
    gain = np.zeros(covers.sites)
    add_prices(lists, price, gain)
    program = program_of(covers, cuts)
    gain += np.bincount(program.site, weights=program.times * cuts.price[program.held], minlength=covers.sites)
    most, _ = knapsack(gain, covers.cost, budget)
    left = float(np.maximum(covers.weight - price - taken, 0.0).sum()) + float(cuts.price.sum())
    return Tight(price, cuts, state[2], left + most, state[3])


@compiled
def _meet(lists: Lists, share: Floats, met: Floats) -> None:
    for i in range(len(met)):
        for k in range(lists.start[i], lists.start[i + 1]):
            met[i] += share[lists.site[k]]


@compiled
def _overlap(start: Ints, site: Places, share: Floats, mark: Ints, pair: tuple[int, int]) -> float:
    """Return the share of the sites of point ``pair[0]`` whose mark is at least ``pair[1]``."""
    total = 0.0
    for k in range(start[pair[0]], start[pair[0] + 1]):
        if mark[site[k]] >= pair[1]:
            total += share[site[k]]
    return total


@compiled
def _shift(start: Ints, site: Places, mark: Ints, point: int, by: int) -> None:
    """Add ``by`` to the marks of the sites of ``point``."""
    for k in range(start[point], start[point + 1]):
        mark[site[k]] += by


@compiled
def _triples(
    start: Ints, site: Places, reach: Reach, share: Floats, over: Floats, part: tuple[int, int]
) -> tuple[Ints, Floats]:
    """Return for each point of the part the triple with it that is broken most, of those tried, and by how much.

    The cut is broken by the sum of the three overlaps of two lists, less twice the overlap of all
    three, less 1 and less what each list's share is ``over`` 1.
    """
    points, sites = len(start) - 1, len(share)
    best, broken = np.zeros((points, 3), dtype=np.int64), np.zeros(points)
    mark, seen, near = np.zeros(sites, np.int64), np.full(points, -1, np.int64), np.zeros(points, np.int64)
    lap = np.zeros(points)
    for i in range(part[0], points, part[1]):
        if over[i] == np.inf:
            continue
        mark[:] = 0
        for k in range(start[i], start[i + 1]):
            mark[site[k]] = 1
        held = 0
        for k in range(start[i], start[i + 1]):
            for q in range(reach.start[site[k]], reach.start[site[k] + 1]):
                other = reach.point[q]
                if seen[other] != i and over[other] < np.inf:
                    seen[other] = i
                    lap[other] = _overlap(start, site, share, mark, (other, 1))
                    near[held] = other
                    held += 1
        stride = max(held // _TRIES, 1)
        for a in range(i % stride, held, stride):
            one = near[a]
            if not _OVERLAP[0] < lap[one] < _OVERLAP[1]:
                continue
            _shift(start, site, mark, one, 2)
            for b in range(held):
                two = near[b]
                if lap[one] + lap[two] - over[i] - over[one] - over[two] <= broken[i]:
                    continue
                all_three = _overlap(start, site, share, mark, (two, 3))
                value = lap[one] + lap[two] + _overlap(start, site, share, mark, (two, 2)) - 2.0 * all_three - 1.0
                value -= over[i] + over[one] + over[two]
                if value > broken[i] and two not in (one, i):
                    broken[i] = value
                    best[i, 0], best[i, 1], best[i, 2] = i, one, two
            _shift(start, site, mark, one, -2)
    return best, broken
