"""Local search for set covering: a site goes, another comes, and points that stay uncovered grow heavier.

Source: Gao, Weise and Li, An efficient local search heuristic with row weighting for the unicost
set covering problem, EJOR 246, 2015; with costs: what is lost or won is taken per cost.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.covering.covers import Covers, Places, Reach
from xinji.plan.design.covering.staged_anneal import below
from xinji.plan.jit import compiled

_WITHIN = 1e-9


class Cover(NamedTuple):
    """Which sites are in (``chosen``, m), and what follows from it.

    Of each point: how many ``times`` (n,) it is covered, the sum ``names`` (n,) of those sites' numbers,
    its search weight ``heavy`` (n,) and its ``spot`` (n,) in ``bare``, the uncovered points. Of each site: its
    ``score`` (m,), the weight that only it covers, or would newly cover; the turn at which it last ``moved`` (m,);
    whether its points changed since it was taken away, ``free`` (m,). ``inside`` (m,) lists the sites in,
    ``place`` (m,) says where; ``numbers`` (3,): bare points, sites in, turn (from 1).
    """

    chosen: Bools
    times: Places
    names: Ints
    heavy: Floats
    bare: Ints
    spot: Ints
    score: Floats
    moved: Ints
    free: Bools
    inside: Ints
    place: Ints
    numbers: Ints


class Ground(NamedTuple):
    """Cover lists by point and by site, with what each site costs (m,), above 0."""

    start: Ints
    site: Places
    first: Ints
    point: Places
    cost: Floats


def ground_of(covers: Covers, reach: Reach, cost: Floats) -> Ground:
    """Return the lists of ``covers`` with ``cost`` (m,)."""
    return Ground(covers.start, covers.site, reach.start, reach.point, cost)


def empty_cover(points: int, ground: Ground) -> Cover:
    """Return the cover that holds no site."""
    sites = len(ground.cost)
    return Cover(
        chosen=np.zeros(sites, dtype=np.bool_),
        times=np.zeros(points, dtype=np.int32),
        names=np.zeros(points, dtype=np.int64),
        heavy=np.ones(points),
        bare=np.arange(points, dtype=np.int64),
        spot=np.arange(points, dtype=np.int64),
        score=np.diff(ground.first).astype(np.float64),
        moved=np.zeros(sites, dtype=np.int64),
        free=np.ones(sites, dtype=np.bool_),
        inside=np.zeros(sites, dtype=np.int64),
        place=np.full(sites, -1, dtype=np.int64),
        numbers=np.array([points, 0, 1], dtype=np.int64),
    )


@compiled
def enter(ground: Ground, cover: Cover, site: int) -> None:
    """Take ``site`` in."""
    cover.chosen[site] = True
    cover.inside[cover.numbers[1]] = site
    cover.place[site] = cover.numbers[1]
    cover.numbers[1] += 1
    alone = 0.0
    for k in range(ground.first[site], ground.first[site + 1]):
        i = ground.point[k]
        cover.times[i] += 1
        cover.names[i] += site
        if cover.times[i] == 1:
            alone += cover.heavy[i]
            cover.numbers[0] -= 1
            last = cover.bare[cover.numbers[0]]
            cover.bare[cover.spot[i]] = last
            cover.spot[last] = cover.spot[i]
            for q in range(ground.start[i], ground.start[i + 1]):
                cover.score[ground.site[q]] -= cover.heavy[i]
                cover.free[ground.site[q]] = True
        elif cover.times[i] == 2:
            cover.score[cover.names[i] - site] -= cover.heavy[i]
    cover.score[site] = alone


@compiled
def leave(ground: Ground, cover: Cover, site: int) -> None:
    """Take ``site`` away."""
    cover.chosen[site] = False
    cover.numbers[1] -= 1
    last = cover.inside[cover.numbers[1]]
    cover.inside[cover.place[site]] = last
    cover.place[last] = cover.place[site]
    cover.place[site] = -1
    opened = 0.0
    for k in range(ground.first[site], ground.first[site + 1]):
        i = ground.point[k]
        cover.times[i] -= 1
        cover.names[i] -= site
        if cover.times[i] == 0:
            opened += cover.heavy[i]
            cover.bare[cover.numbers[0]] = i
            cover.spot[i] = cover.numbers[0]
            cover.numbers[0] += 1
            for q in range(ground.start[i], ground.start[i + 1]):
                cover.score[ground.site[q]] += cover.heavy[i]
                cover.free[ground.site[q]] = True
        elif cover.times[i] == 1:
            cover.score[cover.names[i]] += cover.heavy[i]
    cover.score[site] = opened
    cover.free[site] = False


@compiled
def complete(ground: Ground, cover: Cover, rate: Floats) -> None:
    """Cover the bare points by the site that covers most weight per ``rate`` (m,), then drop what is not needed."""
    while cover.numbers[0] > 0:
        best, most = -1, 0.0
        for j in range(len(rate)):
            if not cover.chosen[j] and cover.score[j] > most * rate[j]:
                best, most = j, cover.score[j] / rate[j]
        enter(ground, cover, best)
    tidy(ground, cover)


@compiled
def tidy(ground: Ground, cover: Cover) -> None:
    """Drop sites without which every point stays covered, dearest first."""
    sites = cover.inside[: cover.numbers[1]].copy()
    for place in np.argsort(-ground.cost[sites]):
        site = sites[place]
        needed = False
        for k in range(ground.first[site], ground.first[site + 1]):
            if cover.times[ground.point[k]] == 1:
                needed = True
                break
        if not needed:
            leave(ground, cover, site)


@compiled
def search(ground: Ground, cover: Cover, best: Bools, spent: Floats, turns: int, seed: NDArray[np.uint64]) -> None:
    """Walk ``turns`` turns from a full cover; ``best`` (m,) keeps the cheapest, ``spent`` (2,) costs now and best."""
    for _ in range(turns):
        while cover.numbers[0] == 0:
            if spent[0] < spent[1] - _WITHIN * spent[1]:
                spent[1] = spent[0]
                best[:] = cover.chosen
            if cover.numbers[1] == 0:
                return
            _drop(ground, cover, spent, 0)
        if cover.numbers[1] > 0:
            _drop(ground, cover, spent, cover.numbers[2])
        while cover.numbers[0] > 0:
            cover.numbers[2] += 1
            point = cover.bare[below(seed, cover.numbers[0])]
            site = _filler(ground, cover, point, spent[1] - spent[0])
            for k in range(cover.numbers[0]):
                _weigh(ground, cover, cover.bare[k])
            if site < 0:
                break
            enter(ground, cover, site)
            cover.moved[site] = cover.numbers[2]
            spent[0] += ground.cost[site]


@compiled
def _drop(ground: Ground, cover: Cover, spent: Floats, barred: int) -> None:
    """Take away the site that loses least weight per cost, the longest unmoved of equals; none of turn ``barred``."""
    worst, least = -1, np.inf
    for place in range(cover.numbers[1]):
        site = cover.inside[place]
        if barred > 0 and cover.moved[site] == barred and cover.numbers[1] > 1:
            continue
        rate = cover.score[site] / ground.cost[site]
        if rate < least or (rate == least and cover.moved[site] < cover.moved[worst]):
            worst, least = site, rate
    leave(ground, cover, worst)
    cover.moved[worst] = cover.numbers[2]
    spent[0] -= ground.cost[worst]


@compiled
def _filler(ground: Ground, cover: Cover, point: int, money: float) -> int:
    """Return the site that covers ``point`` and most bare weight per cost, cheaper than ``money``; -1 if none."""
    best, most = -1, 0.0
    for k in range(ground.start[point], ground.start[point + 1]):
        site = ground.site[k]
        if cover.free[site] and ground.cost[site] < money:
            rate = cover.score[site] / ground.cost[site]
            if rate > most or (rate == most and best >= 0 and cover.moved[site] < cover.moved[best]):
                best, most = site, rate
    return best


@compiled
def _weigh(ground: Ground, cover: Cover, point: int) -> None:
    cover.heavy[point] += 1.0
    for k in range(ground.start[point], ground.start[point + 1]):
        cover.score[ground.site[k]] += 1.0
