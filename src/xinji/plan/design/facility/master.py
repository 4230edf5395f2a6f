"""The linear relaxation of a facility program in its open facilities alone, grown cut by cut.

Benders decomposition of the capacitated problem (Fischetti, Ljubic and Sinnl, EJOR 253, 2016): each
cut is the Lagrangian function of one vector of customer prices, read off a transportation problem
at a point between the linear optimum and a point inside (in-out separation, Ben-Ameur and Neto 2007).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.plan.design.facility.cuts import Cuts
from xinji.plan.design.facility.program import Prices, Program, Reduced, cut, inside, reduced, serve
from xinji.plan.design.proof import Clock
from xinji.plan.design.solver import INFEASIBLE, GrowingLp

_UNIT = 1e4
_VIOLATED = 1e-9
_WHOLE = 1e-6
_SLOW = 1e-6
_PATIENCE = 3


class Relaxed(NamedTuple):
    """Where the relaxation of a node ended: ``y`` (T, m) (empty: infeasible), the prices and what they prove."""

    y: Floats
    prices: Prices
    proved: Reduced
    bound: float


class Effort(NamedTuple):
    """Rounds of cuts, and the share of the way from the optimum towards the core at which they are sought."""

    rounds: int
    inward: float


class Master:
    """Cuts found so far and the linear program that holds them; it only grows.

    ``scale`` is the size of a plan's cost (the solver's tolerances are absolute); ``core`` (T, m) a
    point with facilities open in part that moves after the optimum.
    """

    def __init__(self, program: Program, scale: float) -> None:
        self.program, self.core, self.scale = program, inside(program), max(scale, 1e-9)
        stages, count = program.shape
        self._unit = _UNIT / self.scale
        self.cuts = [Cuts(count, program.demand.shape[1]) for _ in range(stages)]
        self._place: list[list[int]] = [[] for _ in range(stages)]
        self._lp = GrowingLp(
            np.concatenate([np.ones(stages), program.charge.ravel() * self._unit]),
            np.zeros(stages + stages * count),
            np.concatenate([np.full(stages, np.inf), np.ones(stages * count)]),
        )
        rows = program.rows
        self._norm = _norms(program)
        self._lp.add_rows(
            rows.indptr.astype(np.int64),
            rows.indices.astype(np.int64) + stages,
            rows.data / np.repeat(self._norm, np.diff(rows.indptr)),
            lower=program.least / self._norm,
            upper=program.most / self._norm,
        )

    def add(self, stage: int, price: Floats) -> None:
        """Add the cut of customer ``price`` (n,) in ``stage``."""
        stages, count = self.program.shape
        constant, slope = cut(self.program, stage, price)
        self.cuts[stage].add(constant, slope, price)
        column = np.append(stages + stage * count + np.arange(count), stage)
        self._place[stage].append(self._lp.row_count)
        entry = np.append(-slope * self._unit, 1.0)
        at_least, at_most = np.array([constant * self._unit]), np.array([np.inf])
        self._lp.add_rows(np.array([0, count + 1]), column, entry, lower=at_least, upper=at_most)

    def solve(self, lower: Floats, upper: Floats, *, effort: Effort, cutoff: float, clock: Clock) -> Relaxed:
        """Return the relaxation with y between ``lower`` and ``upper`` (T, m), as far as ``effort`` brings it.

        It ends early where the bound passes ``cutoff``, where no cut is broken any more, or where
        rounds bring next to nothing while y is not whole.
        """
        stages, count = self.program.shape
        self._lp.set_bounds(np.arange(stages * count) + stages, lower.ravel(), upper.ravel())
        best, idle, (rounds, inward) = -np.inf, 0, effort
        while True:
            answer = self._lp.solve(seconds=max(clock.left, 1.0))
            if answer.status == INFEASIBLE:
                return self._infeasible(lower, upper, cutoff)
            y = np.clip(answer.values[stages:].reshape(stages, count), lower, upper)
            height, objective = answer.values[:stages] / self._unit, answer.objective / self._unit
            rounds -= 1
            whole = bool((np.abs(y - np.round(y)) < _WHOLE).all())
            idle = 0 if objective > best + _SLOW * self.scale else idle + 1
            best = max(best, objective)
            slow = idle >= _PATIENCE and not whole
            if objective >= cutoff or rounds < 0 or slow or clock.left <= 0.0:
                break
            if inward > 0.0 and not whole:
                self.core = 0.5 * self.core + 0.5 * np.where(self.core > 0.0, y, 0.0)
            if not self._separate(y, height, inward):
                break
        return self._finish(answer.row_duals, y, lower, upper)

    def _separate(self, y: Floats, height: Floats, inward: float) -> bool:
        """Add the cuts that ``y`` breaks; where those sought inward break nothing, seek at y itself."""
        found = False
        for stage in range(self.program.stages):
            slack = _VIOLATED * self.scale
            inside = inward > 0.0 and self._try(stage, y, height, inward, slack)
            found |= inside or self._try(stage, y, height, 0.0, slack)
        return found

    def _try(self, stage: int, y: Floats, height: Floats, inward: float, slack: float) -> bool:
        point = (1.0 - inward) * y[stage] + inward * self.core[stage]
        served = serve(self.program, stage, point)
        chosen, depth = served.low, -np.inf
        for price in (served.low, 0.5 * (served.low + served.high), served.high):
            constant, slope = cut(self.program, stage, price)
            value = constant + float(slope @ self.core[stage])
            if value > depth and constant + float(slope @ y[stage]) > height[stage] + slack:
                chosen, depth = price, value
        if depth == -np.inf:
            return False
        self.add(stage, chosen)
        return True

    def _finish(self, dual: Floats, y: Floats, lower: Floats, upper: Floats) -> Relaxed:
        customer = np.array(
            [cuts.mix(_padded(dual, place)) for cuts, place in zip(self.cuts, self._place, strict=True)]
        )
        row = dual[: len(self._norm)] / (self._norm * self._unit)
        prices = Prices(customer, row)
        proved = reduced(self.program, prices)
        return Relaxed(y, prices, proved, proved.bound(lower, upper))

    def _infeasible(self, lower: Floats, upper: Floats, cutoff: float) -> Relaxed:
        """Return prices on the rows that lift the bound to ``cutoff``, where no y keeps the rows (Farkas 1902)."""
        program, size = self.program, lower.size
        rows, slack = program.rows, len(self._norm)
        lp = GrowingLp(
            np.concatenate([np.zeros(size), np.ones(2 * slack)]),
            np.concatenate([lower.ravel(), np.zeros(2 * slack)]),
            np.concatenate([upper.ravel(), np.full(2 * slack, np.inf)]),
        )
        for r in range(slack):
            part = slice(rows.indptr[r], rows.indptr[r + 1])
            column = np.concatenate([rows.indices[part], [size + r, size + slack + r]]).astype(np.int64)
            entry = np.concatenate([rows.data[part] / self._norm[r], [1.0, -1.0]])
            least, most = program.least[r : r + 1] / self._norm[r], program.most[r : r + 1] / self._norm[r]
            lp.add_rows(np.array([0, len(column)]), column, entry, lower=least, upper=most)
        ray = lp.solve(seconds=60.0).row_duals / self._norm
        none = np.zeros_like(program.demand)
        factor = self.scale
        for _ in range(40):
            prices = Prices(none, ray * factor)
            proved = reduced(program, prices)
            bound = proved.bound(lower, upper)
            if bound >= cutoff:
                break
            factor *= 4.0
        return Relaxed(np.zeros((0, 0)), prices, proved, bound)


def _norms(program: Program) -> Floats:
    rows = program.rows
    largest = np.zeros(rows.shape[0])
    np.maximum.at(largest, np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr)), np.abs(rows.data))
    return np.where(largest > 0.0, largest, 1.0)


def _padded(dual: Floats, place: list[int]) -> Floats:
    """Return the duals of a stage's cuts; those added since the last solve have none yet."""
    known: Ints = np.array([spot for spot in place if spot < len(dual)], dtype=np.int64)
    return np.asarray(dual[known])
