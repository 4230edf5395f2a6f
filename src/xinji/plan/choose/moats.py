"""Moats: cuts around trench nodes whose widths pack into the trenches' capex.

Every option that must be joined to a root lies inside its moats, and each moat is left by at least
one trench; so the widths of the moats around what a plan builds bound its trench capex from below
(Goemans and Williamson, SIAM J. Comput. 24(2), 1995, section 4: growth that prizes pay for).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.core.offer import EXISTING
from xinji.core.problem import Problem

_SAFETY = 1.0 - 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Moats:
    """Moats (k) and the nodes (v) in them; the fields are those of ``Certificate``."""

    start: Floats
    end: Floats
    parent: Ints
    node_moat: Ints
    node_time: Floats


class _Growth:
    """State of the growth: moats as a forest, and which nodes each has covered since when.

    ``prize`` (v,) is what the moats around a node may use up together [cents]; a moat without any
    left stands still until another reaches it. A moat that covers one of ``stations`` ends there
    and goes on as a new one, so that whatever stands at the station is inside all of it.
    """

    def __init__(self, problem: Problem, roots: Ints, prize: Floats, stations: Ints) -> None:
        count = problem.node_count
        self.ends = np.column_stack([problem.from_node, problem.to_node]).tolist()
        capex = np.where(problem.trench_built == EXISTING, 0, problem.trench_capex)
        self.room = capex.astype(float).tolist()
        self.paid = [0.0] * len(self.room)
        self.seen = [0.0] * len(self.room)
        self.rates = [0] * len(self.room)
        self.edges_of: list[list[int]] = [[] for _ in range(count)]
        for edge, (u, v) in enumerate(self.ends):
            self.edges_of[u].append(edge)
            self.edges_of[v].append(edge)
        self.start, self.end, self.parent, self.up = [0.0], [0.0], [-1], [0]
        self.members: list[list[int]] = [[]]
        self.active, self.left = [False], [0.0]
        self.node_moat, self.node_time = [-1] * count, [0.0] * count
        self.events: list[tuple[float, int, int]] = []
        self.now, self.growing = 0.0, 0
        self.station = np.zeros(count, dtype=bool)
        self.station[stations] = True
        for root in roots.tolist():
            self._cover(root, 0)
        for node in np.flatnonzero(prize > 0).tolist():
            if self.node_moat[node] < 0:
                self._cover(node, self._open_moat(float(prize[node])))

    def _open_moat(self, left: float) -> int:
        moat = len(self.start)
        self.start.append(self.now)
        self.end.append(self.now)
        self.parent.append(-1)
        self.up.append(moat)
        self.members.append([])
        self.left.append(left)
        self.active.append(left > 0)
        self.growing += left > 0
        if left > 0:
            heapq.heappush(self.events, (self.now + left, -1, moat))
        return moat

    def _close(self, moat: int) -> None:
        """Let ``moat`` grow no more."""
        if self.active[moat]:
            self.end[moat], self.active[moat] = self.now, False
            self.left[moat] -= self.now - self.start[moat]
            self.growing -= 1

    def _cover(self, node: int, moat: int) -> None:
        self.node_moat[node], self.node_time[node] = moat, self.now
        self.members[moat].append(node)

    def top(self, moat: int) -> int:
        """Return the outermost moat around ``moat``."""
        while self.up[moat] != moat:
            self.up[moat] = self.up[self.up[moat]]
            moat = self.up[moat]
        return moat

    def _rate(self, edge: int) -> int:
        """Return how many sides of ``edge`` grow into it now; 0 where both lie in one moat."""
        tops = [self.top(m) if (m := self.node_moat[v]) >= 0 else -1 for v in self.ends[edge]]
        if tops[0] == tops[1]:
            return 0
        return sum(t >= 0 and self.active[t] for t in tops)

    def _schedule(self, edge: int) -> None:
        """Book what ``edge`` has paid at its rate so far, and plan the moment it is full."""
        self.paid[edge] += self.rates[edge] * (self.now - self.seen[edge])
        self.seen[edge] = self.now
        rate = self.rates[edge] = self._rate(edge)
        if rate:
            heapq.heappush(self.events, (self.now + max(0.0, self.room[edge] - self.paid[edge]) / rate, edge, -1))

    def run(self) -> None:
        """Grow until every moat has met a root or used up its prizes."""
        for edge in range(len(self.room)):
            self._schedule(edge)
        while self.events and self.growing:
            when, edge, moat = heapq.heappop(self.events)
            touched = self._exhaust(when, moat) if edge < 0 else self._full(when, edge)
            for other in touched:
                self._schedule(other)

    def _exhaust(self, when: float, moat: int) -> list[int]:
        """Stop ``moat``, whose prizes are used up; return the edges whose rate changes."""
        if not self.active[moat]:
            return []
        self.now = max(self.now, when)
        self._close(moat)
        self.left[moat] = 0.0
        return [edge for node in self.members[moat] for edge in self.edges_of[node]]

    def _full(self, when: float, edge: int) -> list[int]:
        """Let ``edge`` join its sides if it is full; return the edges whose rate changes."""
        rate = self.rates[edge]
        if not rate or self.paid[edge] + rate * (when - self.seen[edge]) < self.room[edge] * (1 - 1e-12) - 1e-9:
            return []
        self.now = max(self.now, when)
        u, v = self.ends[edge]
        if self.node_moat[u] >= 0 and self.node_moat[v] >= 0:
            return [*self._merge(self.top(self.node_moat[u]), self.top(self.node_moat[v])), edge]
        inner, outer = (u, v) if self.node_moat[v] < 0 else (v, u)
        moat = self.top(self.node_moat[inner])
        self._cover(outer, moat)
        if self.station[outer] and moat:
            self.node_moat[outer] = self._wrap(moat)
        return [*self.edges_of[outer], edge]

    def _wrap(self, *moats: int) -> int:
        """Close ``moats`` and open one around them with what is left of their prizes; return it."""
        for moat in moats:
            self._close(moat)
        around = self._open_moat(sum(self.left[moat] for moat in moats))
        for moat in moats:
            self.parent[moat] = around
            self._absorb(moat, around)
        return around

    def _merge(self, a: int, b: int) -> list[int]:
        """Join two outermost moats (0: the roots'); return the edges whose rate changes."""
        if a == b:
            return []
        touched = [edge for moat in (a, b) if moat for node in self.members[moat] for edge in self.edges_of[node]]
        if 0 in (a, b):
            self._close(a + b)
            self._absorb(a + b, 0)
        else:
            self._wrap(a, b)
        return touched

    def _absorb(self, moat: int, around: int) -> None:
        """Hand the nodes of ``moat`` over to ``around``, the smaller list into the larger."""
        self.up[moat] = around
        small, large = sorted((self.members[moat], self.members[around]), key=len)
        large.extend(small)
        self.members[around], self.members[moat] = large, []


def grow_moats(problem: Problem, roots: Ints, prize: Floats, stations: Ints) -> Moats:
    """Grow moats around the nodes with a ``prize`` (v,) [cents] until a root stops each or its prizes are used up.

    ``stations`` are the nodes of all options. Moat 0 of the growth is the roots' own and is left
    out of the answer.
    """
    growth = _Growth(problem, roots, prize, stations)
    growth.run()
    for moat in range(1, len(growth.start)):
        if growth.active[moat]:
            growth.end[moat] = growth.now
    node_moat = np.array(growth.node_moat, dtype=np.int64)
    parent = np.array(growth.parent[1:], dtype=np.int64)
    return Moats(
        start=np.array(growth.start[1:]) * _SAFETY,
        end=np.array(growth.end[1:]) * _SAFETY,
        parent=np.where(parent > 0, parent - 1, -1),
        node_moat=np.where(node_moat > 0, node_moat - 1, -1),
        node_time=np.array(growth.node_time) * _SAFETY,
    )
