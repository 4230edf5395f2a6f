"""Cuts on a small program priced by the simplex method: exact shares break more cuts than those nearly solved.

The linear relaxation of the core stays in HiGHS while cuts come; each solve is a few steps of the dual
simplex from the last. It begins small: a point whose price is all of its weight just adds to what its
sites earn, one whose price is 0 is taken as covered, and both get a row of their own once the
shares break it. So do sites get a share once they earn their cost's worth. All of this only widens the
program, so that the prices prove a bound at any time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.covering.certificate import Cuts, earned, earned_by_cuts
from xinji.plan.design.covering.covers import Covers
from xinji.plan.design.covering.cuts import STRICT, WIDE, Tight, judged, program_of, separate
from xinji.plan.design.covering.pdhg import knapsack, lists_of
from xinji.plan.design.proof import Clock
from xinji.plan.design.solver import OPTIMAL, GrowingLp

_PERIODS = 200
_WALL = 8.0
_NEAR, _SHARED, _TOLERANCE = 0.01, 1e-6, 1e-6
_FEW, _MANY, _PARTS, _WORTH = 5, 100, 4, 1e-7
_FREE, _BROKEN = 1e-3, 1e-3


@dataclass(slots=True, eq=False)
class _Program:
    """The program in HiGHS: columns are the sites, then the points of ``point``; row 0 is the budget.

    ``place`` (n,): the position of a point there, or -1; ``base`` (n,): its price while it has no row;
    ``worth`` (m,): what a site earns from points without a row; ``row``: the point of each row, or -1 for a cut.
    """

    lp: GrowingLp
    covers: Covers
    place: Ints
    base: Floats
    worth: Floats
    active: Bools
    row: list[int]
    count: int = 0


def tighten_exactly(covers: Covers, budget: float, begin: Tight, goal: float, clock: Clock) -> Tight:
    """Return better prices than ``begin`` has, with cuts, until the bound is ``goal`` or the clock runs out.

    HiGHS counts time by the wall, so each solve may take several times as long by it: on a busy machine
    processor time is a part of that.
    """
    program, found = _begin(covers, budget, begin), begin.cuts.point
    _add_cuts(program, found)
    best, empty = begin, 0
    for period in range(_PERIODS):
        answer = program.lp.solve(seconds=_WALL * clock.left)
        if answer.status != OPTIMAL:
            break
        share = np.clip(answer.values[: covers.sites], 0.0, 1.0)
        price, paid = _prices(program, answer.row_duals)
        now = judged(lists_of(covers), covers, budget, (price, paid, share, begin.balance), found)
        best = now if now.bound < best.bound else best
        if best.bound <= goal or clock.left <= 0.0 or empty > _PARTS:
            break
        grown = _admit(program, _earned(covers, now) > answer.row_duals[0] * covers.cost + _TOLERANCE)
        grown += _add_broken(program, share)
        new = _new_cuts(covers, share, found, period) if grown < _MANY else np.zeros((0, 3), dtype=np.int64)
        empty = 0 if len(new) or grown else empty + 1
        _add_cuts(program, new)
        found = np.concatenate([found, new])
    used = best.cuts.price > _WORTH
    return Tight(best.price, Cuts(best.cuts.point[used], best.cuts.price[used]), best.share, best.bound, best.balance)


def _new_cuts(covers: Covers, share: Floats, found: Ints, period: int) -> Ints:
    new = separate(covers, share, found, STRICT, (0, 1))
    if len(new) >= _FEW:
        return new
    wide = separate(covers, share, np.concatenate([found, new]), WIDE, (period % _PARTS, _PARTS))
    return np.concatenate([new, wide])


def _earned(covers: Covers, tight: Tight) -> Floats:
    return earned(covers, tight.price) + earned_by_cuts(covers, tight.cuts)


def _begin(covers: Covers, budget: float, begin: Tight) -> _Program:
    """Return the program of the sites in use, or nearly worth their cost, and the points priced in between."""
    gain = _earned(covers, begin)
    worth = knapsack(gain, covers.cost, budget)[1] * covers.cost
    active = np.asarray((begin.share > _SHARED) | (worth - gain <= _NEAR * worth))
    low, high = begin.price <= _FREE * covers.weight, begin.price >= (1.0 - _FREE) * covers.weight
    base = np.where(low, 0.0, covers.weight)
    earns = earned(covers, base)
    lp = GrowingLp(earns, np.zeros(covers.sites), active.astype(np.float64), maximise=True)
    every = np.arange(covers.sites)
    lp.add_rows(
        np.array([0, covers.sites]), every, covers.cost, lower=np.full(1, -np.inf), upper=np.full(1, float(budget))
    )
    place = np.full(covers.points, -1, dtype=np.int64)
    program = _Program(lp, covers, place, base, earns, active, [-1])
    _add_points(program, np.flatnonzero(~low & ~high))
    return program


def _prices(program: _Program, duals: Floats) -> tuple[Floats, Floats]:
    """Return the prices of points (n,) and of cuts from the rows' duals."""
    row, price = np.array(program.row), program.base.copy()
    own = row >= 0
    price[row[own]] = np.maximum(duals[own], 0.0)
    return price, np.maximum(duals[~own][1:], 0.0)


def _admit(program: _Program, good: Bools) -> int:
    """Let sites (m,) that earn more than their cost's worth have a share; return how many there are."""
    more = np.flatnonzero(good & ~program.active)
    program.active[more] = True
    program.lp.set_bounds(more, np.zeros(len(more)), np.ones(len(more)))
    return len(more)


def _add_broken(program: _Program, share: Floats) -> int:
    """Add the points whose row the ``share`` (m,) breaks; return how many there are."""
    covers = program.covers
    row = np.repeat(np.arange(covers.points), np.diff(covers.start))
    met = np.bincount(row, weights=share[covers.site], minlength=covers.points)
    broken = np.where(program.base > 0.0, met > 1.0 + _BROKEN, met < 1.0 - _BROKEN)
    more = np.flatnonzero((program.place < 0) & broken)
    _add_points(program, more)
    return len(more)


def _add_points(program: _Program, point: Ints) -> None:
    """Give each ``point`` (k,) a covered share and the row that holds it to its sites' shares."""
    if not len(point):
        return
    covers, lp, count = program.covers, program.lp, len(point)
    length = np.diff(covers.start)[point]
    first = np.repeat(covers.start[point] - (np.cumsum(length) - length), length)
    site = covers.site[first + np.arange(int(length.sum()))].astype(np.int64)
    program.worth -= np.bincount(site, weights=np.repeat(program.base[point], length), minlength=covers.sites)
    lp.set_costs(np.arange(covers.sites), program.worth)
    nothing = (np.zeros(count + 1, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
    lp.add_columns(covers.weight[point], np.zeros(count), np.ones(count), nothing)
    program.place[point] = program.count + np.arange(count)
    program.count += count
    row = np.concatenate([np.arange(count), np.repeat(np.arange(count), length)])
    column = np.concatenate([covers.sites + program.place[point], site])
    factor = np.concatenate([np.ones(count), np.full(len(site), -1.0)])
    _add_rows(program, (row, column, factor), np.zeros(count))
    program.row += point.tolist()


def _add_cuts(program: _Program, point: Ints) -> None:
    """Add the cuts on ``point`` (q, 3) as rows."""
    if not len(point):
        return
    used = np.unique(point)
    _add_points(program, used[program.place[used] < 0])
    parts = program_of(program.covers, Cuts(point, np.zeros(len(point))))
    row = np.concatenate([np.repeat(np.arange(len(point)), 3), parts.held])
    column = np.concatenate([program.covers.sites + program.place[point.ravel()], parts.site])
    factor = np.concatenate([np.ones(point.size), -parts.times])
    _add_rows(program, (row, column, factor), np.ones(len(point)))
    program.row += [-1] * len(point)


def _add_rows(program: _Program, entries: tuple[Ints, Ints, Floats], upper: Floats) -> None:
    row, column, factor = entries
    order = np.argsort(row, kind="stable")
    start = np.searchsorted(row[order], np.arange(len(upper) + 1)).astype(np.int64)
    low = np.full(len(upper), -np.inf)
    program.lp.add_rows(start, column[order], factor[order], lower=low, upper=upper)
