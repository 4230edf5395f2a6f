"""Search by anneals whose answers are merged exactly: the best choice among the sites of two of them.

Anneals from different seeds agree on most sites; where they differ, one is better here and the other
there. The best choice from the sites of both is a small whole-number program, mostly solved at its
root (tour merging: Cook and Seymour, INFORMS J. Computing 15, 2003).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xinji.core.arrays import Bools, Ints
from xinji.plan.design.covering.covers import Covers, Reach, covered_weight
from xinji.plan.design.covering.exact import best_of
from xinji.plan.design.covering.local import Search, ground_of, improve
from xinji.plan.design.proof import Clock

_FRESH, _ANNEALS = 3, 18
_PATIENCE = 12
_SLACK = 1e-9
_SITES, _CHUNK = 600, 300
_MERGING = 0.1


def improve_and_merge(covers: Covers, reach: Reach, sites: Ints, budget: float, search: Search) -> Ints:
    """Return sites (rising) within ``budget`` that cover at least as much as ``sites``.

    The first anneals begin at ``sites``, the others at the best choice so far; after k that brought nothing the next
    one is k + 1 times as long.
    """
    clock, ground = Clock(search.seconds), ground_of(covers, reach, budget)
    each = search.seconds / _ANNEALS
    best, idle, value = np.sort(sites), 0, covered_weight(covers, sites)
    for turn in range(_ANNEALS):
        if turn and (clock.left <= 0.0 or idle >= _PATIENCE or value >= search.bound * (1.0 - _SLACK)):
            break
        begin = sites if turn < _FRESH else best
        seconds = min(each * (1 + idle), clock.left)
        found = improve(ground, begin, replace(search, seconds=seconds, seed=search.seed + turn))
        best, before = merged(covers, budget, best, found, _MERGING * clock.left), value
        value = covered_weight(covers, best)
        idle = 0 if value > before else idle + 1
    return best


def merged(covers: Covers, budget: float, one: Ints, other: Ints, seconds: float) -> Ints:
    """Return the best choice (rising) found on the sites of ``one`` and ``other``, at least the better of the two.

    Where they have many sites together, those in both stay, and the others are settled a few hundred at
    a time, in the order of their positions: neighbours should stand next to each other.
    """
    first, second = _marks(covers, one), _marks(covers, other)
    chosen = first if covered_weight(covers, one) >= covered_weight(covers, other) else second
    clock, free = Clock(seconds), np.flatnonzero(first | second)
    if (first == second).all():
        return np.flatnonzero(chosen)
    if len(free) > _SITES:
        free = np.flatnonzero(first != second)
    chunks = np.array_split(free, -(-len(free) // _CHUNK) if len(free) > _SITES else 1)
    for chunk in chunks:
        chosen = best_of(covers, chosen, budget, _marks(covers, chunk), clock.left)
    return np.flatnonzero(chosen)


def _marks(covers: Covers, sites: Ints) -> Bools:
    mark = np.zeros(covers.sites, dtype=np.bool_)
    mark[sites] = True
    return mark
