"""Staged covering by the most weight per cost, stage after stage."""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.plan.design.covering.covers import Covers, Places, Reach
from xinji.plan.jit import compiled

_SLACK = 1e-9


def staged_greedy(covers: Covers, reach: Reach, budget: Floats) -> Ints:
    """Return the opening stage (m,) of each site, -1 for never, by cost-benefit.

    In each stage the site that newly covers most weight per cost, among those that the cumulative
    ``budget`` (T,) of the stage still holds, is opened until none fits or none covers anything new.
    """
    return _by_benefit(covers.start, covers.site, covers.weight, covers.cost, reach.start, reach.point, budget)


@compiled
def _by_benefit(
    start: Ints, site: Places, weight: Floats, cost: Floats, first: Ints, point: Places, budget: Floats
) -> Ints:
    sites = len(cost)
    stage = np.full(sites, -1, dtype=np.int64)
    met = np.zeros(len(weight), dtype=np.bool_)
    gain = np.zeros(sites)
    for j in range(sites):
        for k in range(first[j], first[j + 1]):
            gain[j] += weight[point[k]]
    spent = 0.0
    for t in range(len(budget)):
        while True:
            best, rate = -1, 0.0
            for j in range(sites):
                if stage[j] < 0 and gain[j] > rate * cost[j] and spent + cost[j] <= budget[t]:
                    if cost[j] == 0.0:
                        best = j
                        break
                    best, rate = j, gain[j] / cost[j]
            if best < 0 or gain[best] <= _SLACK * weight.max():
                break
            stage[best] = t
            spent += cost[best]
            for k in range(first[best], first[best + 1]):
                i = point[k]
                if not met[i]:
                    met[i] = True
                    for q in range(start[i], start[i + 1]):
                        gain[site[q]] -= weight[i]
    return stage
