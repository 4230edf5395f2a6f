"""Small random covering instances, and the plain answers that the engines are held against."""

from __future__ import annotations

from itertools import product

import numpy as np

from xinji.core.arrays import Bools, Floats
from xinji.plan.design.covering.covers import Covers


def random_covers(seed: int, points: int, sites: int, share: float, *, whole: bool = False) -> Covers:
    """Return a covering instance in which each site covers each point with probability ``share``."""
    rng = np.random.default_rng(seed)
    met = rng.random((points, sites)) < share
    weight = np.round(rng.lognormal(1.0, 1.0, points) + 1.0)
    cost = np.ones(sites) if whole else np.round(rng.lognormal(0.0, 0.4, sites), 3)
    return covers_of(met, weight, cost)


def covers_of(met: Bools, weight: Floats, cost: Floats) -> Covers:
    """Return the cover lists of the matrix ``met`` (n, m)."""
    start = np.append(0, np.cumsum(met.sum(axis=1))).astype(np.int64)
    return Covers(start, np.nonzero(met)[1].astype(np.int32), weight.astype(np.float64), cost.astype(np.float64))


def matrix_of(covers: Covers) -> Bools:
    """Return the matrix (n, m) of which site covers which point."""
    met = np.zeros((covers.points, covers.sites), dtype=np.bool_)
    met[np.repeat(np.arange(covers.points), np.diff(covers.start)), covers.site] = True
    return met


def best_staged(covers: Covers, worth: Floats, budget: Floats) -> float:
    """Return the best value of any staged plan within the budgets, by trying all of them."""
    met, stages = matrix_of(covers), len(worth)
    best = 0.0
    for plan in product(range(stages + 1), repeat=covers.sites):
        stage = np.array(plan)
        standing = stage[None, :] <= np.arange(stages)[:, None]
        if (standing @ covers.cost <= budget + 1e-9).all():
            served = (met.astype(np.int64) @ standing.T.astype(np.int64)) > 0
            best = max(best, float(covers.weight @ served @ worth))
    return best


def choices(sites: int) -> Bools:
    """Return every choice of sites as a row (2^m, m)."""
    return (np.arange(2**sites)[:, None] >> np.arange(sites)[None, :] & 1).astype(np.bool_)


def cheapest(covers: Covers, need: float) -> float:
    """Return the least cost of sites that cover the weight ``need``, by trying all choices (infinite if none does)."""
    chosen = choices(covers.sites)
    served = (chosen.astype(np.int64) @ matrix_of(covers).T.astype(np.int64)) > 0
    enough = served @ covers.weight >= need * (1.0 - 1e-12)
    cost = chosen @ covers.cost
    return float(cost[enough].min(initial=np.inf))
