"""Clustered covering instances of any size, from a seed: for tests, benchmarks and `xinji validate design`.

Demand points and sites stand partly in towns (normal around random centres, of random size and
share) and partly anywhere in the unit square; weights are whole numbers of a log-normal; a site
covers a disc whose radius gives a point the asked mean number of covers.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from xinji.core.arrays import Floats, Ints
from xinji.plan.design.covering.covers import Covers, Places
from xinji.plan.jit import compiled

_IN_TOWNS = 0.65
_SPREAD = (0.01, 0.06)
_SHARES = 0.7
_LEAST_TOWNS = 8
_SAMPLE = 3000
_HALVINGS = 30
_SURPLUS = 1.2
_LEAST_BUDGET = 5


def clustered_covers(points: int, sites: int, mean_covers: float, seed: int) -> Covers:
    """Return an instance of ``points`` and ``sites`` at cost 1, each point with about ``mean_covers`` in its list."""
    rng = np.random.default_rng(seed)
    towns = max(_LEAST_TOWNS, int(np.sqrt(sites) / 2))
    centre, spread = rng.random((towns, 2)), rng.uniform(*_SPREAD, towns)
    share = rng.dirichlet(np.full(towns, _SHARES))
    demand = _scatter(rng, points, (centre, spread, share))
    stand = _scatter(rng, sites, (centre, spread, share))
    weight = np.round(rng.lognormal(1.0, 1.0, points) + 1.0)
    radius = _radius(demand[rng.choice(points, min(points, _SAMPLE), replace=False)], stand, mean_covers)
    start, site = _discs(demand, stand, radius)
    return Covers(start, site, weight, np.ones(sites))


def site_budget(sites: int, mean_covers: float) -> int:
    """Return a number of sites that can cover most, yet not all, of a clustered instance."""
    return max(_LEAST_BUDGET, round(sites / mean_covers * _SURPLUS))


def _scatter(rng: np.random.Generator, count: int, towns: tuple[Floats, Floats, Floats]) -> Floats:
    """Return places (count, 2) in the unit square, first those in towns."""
    centre, spread, share = towns
    inside = int(count * _IN_TOWNS)
    town = rng.choice(len(share), size=inside, p=share)
    near = centre[town] + rng.normal(size=(inside, 2)) * spread[town, None]
    return np.asarray(np.clip(np.concatenate([near, rng.random((count - inside, 2))]), 0.0, 1.0))


def _radius(sample: Floats, stand: Floats, mean_covers: float) -> float:
    tree = KDTree(stand)
    low, high = 1e-4, 1.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if tree.query_ball_point(sample, middle, return_length=True).mean() > mean_covers:
            high = middle
        else:
            low = middle
    return 0.5 * (low + high)


def _discs(demand: Floats, stand: Floats, radius: float) -> tuple[Ints, Places]:
    """Return the sites within ``radius`` of each point, compressed, by squares as wide as the radius."""
    side = max(int(1.0 / radius), 1)
    square = _squares(stand, side)
    order = np.argsort(square, kind="stable")
    begin = np.searchsorted(square[order], np.arange(side * side + 1)).astype(np.int64)
    tiles = (begin, order.astype(np.int32))
    start = np.zeros(len(demand) + 1, dtype=np.int64)
    _near(demand, stand, (radius, side), tiles, (start, np.zeros(0, dtype=np.int32)))
    site = np.empty(int(start[1:].sum()), dtype=np.int32)
    np.cumsum(start, out=start)
    _near(demand, stand, (radius, side), tiles, (start, site))
    return start, site


def _squares(places: Floats, side: int) -> Ints:
    cell = np.minimum((places * side).astype(np.int64), side - 1)
    return np.asarray(cell[:, 0] * side + cell[:, 1])


@compiled
def _near(
    demand: Floats, stand: Floats, size: tuple[float, int], tiles: tuple[Ints, Places], lists: tuple[Ints, Places]
) -> None:
    """Count into ``lists[0][i + 1]`` the sites near point i; where ``lists[1]`` has room, fill it instead."""
    radius, side = size
    begin, order = tiles
    start, site = lists
    for i in range(len(demand)):
        row = min(int(demand[i, 0] * side), side - 1)
        column = min(int(demand[i, 1] * side), side - 1)
        count = 0
        for r in range(max(row - 1, 0), min(row + 2, side)):
            for c in range(max(column - 1, 0), min(column + 2, side)):
                for k in range(begin[r * side + c], begin[r * side + c + 1]):
                    j = order[k]
                    if (demand[i, 0] - stand[j, 0]) ** 2 + (demand[i, 1] - stand[j, 1]) ** 2 <= radius * radius:
                        if len(site):
                            site[start[i] + count] = j
                        count += 1
        if not len(site):
            start[i + 1] = count
