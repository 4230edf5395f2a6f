"""Exact search in windows: a few neighbouring chosen sites are freed, and the best answer there is proved by HiGHS."""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.covering.covers import Covers, Reach, covered, covered_weight, reach_of
from xinji.plan.design.covering.reduce import merge_points
from xinji.plan.design.model import AT_MOST, Columns, Model, make_rows, stack
from xinji.plan.design.proof import Clock
from xinji.plan.design.solver import maximise

_WHOLE, _WINDOW = 20_000, 30_000
_FIRST = 4
_PATIENCE = 12
_SLACK = 1e-9
_LEAST = 1e-6
_ROOM_S = 0.02


def fixed_sites(short: Floats, gap: float) -> tuple[Bools, Bools]:
    """Return the sites (m,) that no better choice uses, and those that every better choice uses.

    ``short`` (m,): what a site's gain at the prices of a bound lacks of its cost's worth; ``gap``:
    how far that bound is above the value to be beaten (reduced-cost fixing).
    """
    return short > gap, -short > gap


def refine(covers: Covers, sites: Ints, budget: float, free: Bools, limit: tuple[float, int]) -> Ints:
    """Return sites (rising) within ``budget`` that cover at least as much as ``sites``.

    Only ``free`` sites (m,) and chosen ones come into question; ``limit``: processor seconds, seed.
    Where all of them make a small enough program, the answer is the best of all.
    """
    clock, rng = Clock(limit[0]), np.random.default_rng(limit[1])
    chosen = np.zeros(covers.sites, dtype=np.bool_)
    chosen[sites] = True
    if int((free | chosen)[covers.site].sum()) <= _WHOLE:
        return np.flatnonzero(best_of(covers, chosen, budget, free | chosen, clock.left))
    reach, size, failed = reach_of(covers), _FIRST, 0
    while clock.left > _ROOM_S and size < chosen.sum():
        window = _window(covers, reach, chosen, size, rng)
        better = best_of(covers, chosen, budget, window & (free | chosen), clock.left)
        failed = 0 if (better != chosen).any() else failed + 1
        chosen = better
        if failed > _PATIENCE:
            size, failed = size + size // 2, 0
    return np.flatnonzero(chosen)


def best_of(covers: Covers, chosen: Bools, budget: float, free: Bools, seconds: float) -> Bools:
    """Return the best choice (m,) that agrees with ``chosen`` outside ``free`` (m,), itself if none is better."""
    stays = chosen & ~free
    done = covered(covers, stays)
    rest = Covers(covers.start, covers.site, np.where(done, 0.0, covers.weight), covers.cost)
    part = merge_points(rest, free)
    if seconds <= 0.0 or not part.covers.points:
        return chosen
    money = budget * (1.0 + _SLACK) - float(covers.cost[stays].sum())
    model = _model(part.covers, money)
    before = chosen[part.site].astype(np.float64)
    known = np.concatenate([before, covered(part.covers, before > 0.0).astype(np.float64)])
    answer = maximise(model, seconds=seconds, start=known)
    if not len(answer.values):
        return chosen
    better = stays.copy()
    better[part.site] = answer.values[: len(part.site)] > 0.5
    gain = covered_weight(covers, np.flatnonzero(better)) - covered_weight(covers, np.flatnonzero(chosen))
    keeps = float(covers.cost[better].sum()) <= budget * (1.0 + _SLACK)
    return better if keeps and gain > _LEAST else chosen


def _model(covers: Covers, money: float) -> Model:
    """Return the whole-number program: a point counts where a site of its list is chosen, within ``money``."""
    sites, points = covers.sites, covers.points
    one = np.ones(1)
    columns = Columns(
        name=np.array([*(f"site_{j}" for j in range(sites)), *(f"point_{i}" for i in range(points))], dtype=np.str_),
        cost=np.concatenate([np.zeros(sites), covers.weight]),
        lower=np.zeros(sites + points),
        upper=np.ones(sites + points),
        integer=np.arange(sites + points) < sites,
    )
    row = np.repeat(np.arange(points), np.diff(covers.start))
    lists = (row, covers.site.astype(np.int64), -one)
    points_met = (np.arange(points), sites + np.arange(points), one)
    met = make_rows([f"met_{i}" for i in range(points)], [lists, points_met], AT_MOST, np.zeros(points))
    spent = make_rows(
        ["budget"], [(np.zeros(sites, dtype=np.int64), np.arange(sites), covers.cost)], AT_MOST, money * one
    )
    return Model(columns, stack([met, spent]))


def _window(covers: Covers, reach: Reach, chosen: Bools, size: int, rng: np.random.Generator) -> Bools:
    """Return the sites (m,) around ``size`` neighbouring chosen ones, grown from a random one by shared points."""
    inside = np.zeros(covers.sites, dtype=np.bool_)
    queue, seen, pairs = [int(rng.choice(np.flatnonzero(chosen)))], set[int](), 0
    while queue and len(seen) < size and pairs < _WINDOW:
        site = queue.pop(0)
        if site in seen:
            continue
        seen.add(site)
        points = reach.point[reach.start[site] : reach.start[site + 1]]
        lists = [covers.site[covers.start[i] : covers.start[i + 1]] for i in points.tolist()]
        near = np.unique(np.concatenate(lists)) if lists else np.zeros(0, dtype=np.int64)
        pairs += sum(len(part) for part in lists)
        inside[near] = True
        queue += [int(j) for j in rng.permutation(near[chosen[near]]) if int(j) not in seen]
    return inside
