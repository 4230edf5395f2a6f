"""Reductions in turn until they no longer pay: what is left has an optimal tree of the same cost.

The order of the tests follows Polzin and Vahdati Daneshmand, Discrete Appl. Math. 112, 2001.
"""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Bools, Floats
from xinji.plan.design.proof import Clock
from xinji.plan.design.steiner.reduce_edges import local_deletions, recorded_deletions, short_links
from xinji.plan.design.steiner.reduce_graph import Shrinking, all_degree_tests, terminal_count
from xinji.plan.design.steiner.reduce_nodes import replace_nodes
from xinji.plan.design.steiner.reduce_records import records_of

_ROUNDS = 30
_LEAST_PROGRESS = 0.02
_VISITS = 60
_PAIR_VISITS = 80


def edges_left(work: Shrinking) -> int:
    """Return how many edges there are."""
    return len(work.origin) - int(work.tally[0])


def shrink(work: Shrinking, clock: Clock, *, rounds: int = _ROUNDS, forced: Bools | None = None) -> None:
    """Apply all reductions in ``rounds``, until one takes less than a small share of the edges or time is out.

    ``forced`` (n,) marks nodes that are to have degree at most 2, by proof from elsewhere.
    """
    marked = np.zeros(len(work.first), dtype=bool) if forced is None else forced.copy()
    longest = 0.0
    settled = np.full(len(work.first), np.nan)
    for _round in range(rounds):
        before = edges_left(work)
        all_degree_tests(work)
        begun = clock.spent
        if terminal_count(work) < 2 or clock.left <= longest:
            return
        _one_round(work, marked, settled)
        longest = clock.spent - begun
        marked[:] = False
        if before - edges_left(work) <= _LEAST_PROGRESS * before:
            return


def _one_round(work: Shrinking, forced: Bools, settled: Floats) -> None:
    recorded_deletions(work, records_of(work))
    all_degree_tests(work)
    short_links(work, records_of(work))
    all_degree_tests(work)
    if terminal_count(work) < 2:
        return
    records = records_of(work)
    replace_nodes(work, records, forced, settled, _PAIR_VISITS)
    local_deletions(work, _VISITS)
    all_degree_tests(work)
