"""Rounds of the cut relaxation: bounds, deletions and what its solutions say about good trees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.plan.design.proof import Clock
from xinji.plan.design.steiner.ascent import arc_bounds, ascend
from xinji.plan.design.steiner.cut_lp import CutLp, Relaxed, ascent_cuts
from xinji.plan.design.steiner.fixing import Fixing, both_ways
from xinji.plan.design.steiner.graph import EdgeGraph
from xinji.plan.design.steiner.maxflow import broken_cuts

_MOST_CUTS = 3000
_ROUNDS = 10000
_STALLED_ROUNDS = 15
_STALLED_SHARE = 0.01
_ENOUGH_DELETED = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Cutting:
    """What the relaxation proved: ``bound``, ``edge_bound`` (m,) of trees with each edge, and its last ``value`` (m,).

    ``exhausted`` says that more time would bring no more.
    """

    bound: float
    edge_bound: Floats
    value: Floats
    exhausted: bool

    def __post_init__(self) -> None:
        freeze(self.edge_bound, self.value)


class _Course:
    """The relaxation on one graph, with the best that was proved so far; arcs dearer than ``limit`` are barred."""

    def __init__(self, graph: EdgeGraph, terminals: Ints, found: Fixing, limit: float) -> None:
        self.terminals, self.root, self.limit = terminals, found.root, limit
        self.arcs, cost = both_ways(graph), np.repeat(graph.cost, 2)
        self.lp = CutLp(self.arcs, cost, found.root, terminals)
        self.lp.add(ascent_cuts(found.ascent))
        own = arc_bounds(self.arcs, found.ascent.reduced, found.root, terminals)
        self.arc_bound: Floats = np.maximum(found.ascent.bound + own, np.repeat(found.edge_bound, 2))
        self.bound = found.ascent.bound
        self.value = np.zeros(len(cost))
        self.barred: Bools = np.zeros(len(cost), dtype=bool)
        self._bar()

    def note(self, relaxed: Relaxed) -> None:
        """Take over what the duals of ``relaxed``, raised further by dual ascent, prove."""
        reduced = np.where(self.barred, np.inf, relaxed.reduced)
        more = ascend(self.arcs, np.where(self.barred, self.limit, reduced), self.root, self.terminals)
        after = np.where(self.barred, np.inf, more.reduced)
        for bound, left in ((relaxed.bound, reduced), (relaxed.bound + more.bound, after)):
            above = bound + arc_bounds(self.arcs, left, self.root, self.terminals)
            np.maximum(self.arc_bound, above, out=self.arc_bound)
            self.bound = max(self.bound, bound)
        self._bar()

    def _bar(self) -> None:
        fresh = (self.arc_bound >= self.limit) & ~self.barred
        self.lp.bar(fresh)
        self.barred = self.barred | fresh

    def deleted(self) -> float:
        """Return the share of edges that are barred both ways."""
        return float(self.barred.reshape(-1, 2).all(axis=1).mean())

    def separated(self, order: Ints) -> int:
        """Add cuts that the last solution breaks; return how many."""
        cuts = broken_cuts(self.arcs, self.value, self.root, order, open_arc=~self.barred, most=_MOST_CUTS)
        if len(cuts.terminal):
            self.lp.add(cuts)
        return len(cuts.terminal)

    def result(self, *, exhausted: bool) -> Cutting:
        """Return what was found."""
        edge_bound = self.arc_bound.reshape(-1, 2).min(axis=1)
        return Cutting(self.bound, edge_bound, self.value.reshape(-1, 2).max(axis=1), exhausted)


def set_entries(found: Fixing) -> int:
    """Return about how many nodes stand in the sets of the ascent's cuts."""
    size = np.diff(found.ascent.start)
    return int((size * (size + 1) // 2).sum())


def cutting_planes(
    graph: EdgeGraph, terminals: Ints, found: Fixing, *, limit: float, clock: Clock, rng: np.random.Generator
) -> Cutting:
    """Return what cutting planes prove within ``clock`` on trees of ``graph`` that cost less than ``limit``.

    Starts from the cuts of ``found``; ends early once many edges are barred, so that reductions can go on.
    """
    course = _Course(graph, terminals, found, limit)
    gaps: list[float] = []
    others = terminals[terminals != found.root]
    longest = 0.0
    for _ in range(_ROUNDS):
        # What follows a solve takes time of its own.
        relaxed = course.lp.solve(seconds=clock.left - longest)
        begun = clock.spent
        if np.isinf(relaxed.bound):
            course.bound = limit
            return course.result(exhausted=True)
        course.note(relaxed)
        if not relaxed.solved or clock.left <= longest or course.bound >= limit:
            return course.result(exhausted=course.bound >= limit)
        course.value = np.asarray(relaxed.value)
        gaps.append(limit - course.bound)
        if course.deleted() > _ENOUGH_DELETED:
            return course.result(exhausted=False)
        stalled = len(gaps) > _STALLED_ROUNDS and gaps[-1] > (1.0 - _STALLED_SHARE) * gaps[-_STALLED_ROUNDS]
        if course.separated(rng.permutation(others)) == 0 or stalled:
            return course.result(exhausted=True)
        longest = max(longest, clock.spent - begun)
    return course.result(exhausted=False)
