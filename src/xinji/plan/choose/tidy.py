"""Leaving out of a plan what nobody needs."""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.core.offer import FREE
from xinji.core.problem import NEVER, Problem
from xinji.plan.choose.bound import all_roots
from xinji.plan.choose.network import graph_of, prune, wanted_from

_NOTHING = 1e-9


def drop_idle(problem: Problem, stage: Ints, served: Floats) -> Ints:
    """Return ``stage`` (n,) without the free options through which nothing is served and on which nothing stands."""
    n = len(stage)
    used = served.max(axis=1, initial=0.0) > _NOTHING
    busy = np.zeros(n, dtype=bool)
    busy[problem.arc_option[used]] = True
    busy[problem.arc_partner[used & (problem.arc_partner >= 0)]] = True
    busy |= problem.built != FREE
    while True:
        hosts = np.zeros(n, dtype=bool)
        hosts[problem.host[busy & (stage >= 0) & (problem.host >= 0)]] = True
        if not (hosts & ~busy).any():
            return np.where(busy, stage, NEVER)
        busy |= hosts


def drop_dead_ends(problem: Problem, stage: Ints, dug: Ints) -> Ints:
    """Return ``dug`` (m,) without the free trenches that lead to no option.

    A trench is put off to the first stage in which something behind it needs it.
    """
    dug = dug.copy()
    wanted = wanted_from(problem, stage, all_roots(problem))
    prune(graph_of(problem), problem.trench_built == FREE, wanted, dug, problem.stages)
    return dug
