"""A facility program as the search over its open facilities sees it: relaxation, plans and cutoff."""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Bools, Floats
from xinji.plan.design.facility.master import Effort, Master
from xinji.plan.design.facility.plans import Plans, keeps_rows, neighbours
from xinji.plan.design.facility.program import Program
from xinji.plan.design.facility.tree import Bounded, Proof, search
from xinji.plan.design.proof import Clock

_ROOT_ROUNDS = 400
_NODE_ROUNDS = 10
_INWARD = 0.3
_EQUAL = 1e-9
_KICKS = 3
_KICK_MOVES = 3
_KICK_WIDTH = 12
_LEVELS = (0.5, 0.25, 0.1, 0.02)


class Relaxation:
    """Holds the master, the plans and what the last relaxation says of each facility."""

    def __init__(self, master: Master, seed: int, clock: Clock) -> None:
        self.master, self.plans, self.clock = master, Plans(master), clock
        self._random = np.random.default_rng(seed)
        self._program: Program = master.program
        self._kicked = False
        self._likely: Floats = np.zeros(self._program.shape[1])

    def cutoff(self) -> float:
        """Return the bound from which on a node cannot hold a better plan."""
        return self.plans.value - _EQUAL * abs(self.plans.value) if np.isfinite(self.plans.value) else np.inf

    def relax(self, lower: Floats, upper: Floats, *, known: Floats, cutoff: float, clock: Clock) -> Bounded:
        """Return the relaxation with the columns between ``lower`` and ``upper`` (T * m,)."""
        shape, root = self._program.shape, not len(known)
        low, high = lower.reshape(shape), upper.reshape(shape)
        effort = Effort(_ROOT_ROUNDS, _INWARD) if root else Effort(_NODE_ROUNDS, 0.0)
        found = self.master.solve(low, high, effort=effort, cutoff=cutoff, clock=clock)
        if root:
            self._likely = found.proved.column.min(axis=0)
        price = np.concatenate([found.prices.customer.ravel(), found.prices.row])
        return Bounded(found.y.ravel(), price, found.bound, found.proved.column.ravel())

    def attempt(self, y: Floats) -> float:
        """Round ``y`` (T * m,), improve the best rounding, and return the value of the best plan so far."""
        part = y.reshape(self._program.shape)
        rounded = [complete(self._program, part, level) for level in _LEVELS]
        values = [self.plans.evaluate(plan) for plan in rounded]
        if not np.isfinite(min(values)):
            rounded.append(np.zeros(self._program.shape, dtype=bool))
            values.append(self.plans.evaluate(rounded[-1]))
        best = int(np.argmin(values))
        if np.isfinite(values[best]):
            self.plans.improve(rounded[best], self._likely, self.clock)
            if not self._kicked:
                self._kicked = True
                self._restart()
        return self.plans.value

    def _restart(self) -> None:
        """Search again from random changes to the best plan: a few moves at a time."""
        for _ in range(_KICKS):
            y = self.plans.y
            for _ in range(_KICK_MOVES):
                near = self._random.permutation(len(self._likely))[:_KICK_WIDTH]
                moves = neighbours(y, near)
                moves = moves[keeps_rows(self._program, moves)]
                y = moves[self._random.integers(len(moves))] if len(moves) else y
            self.plans.improve(y, self._likely, self.clock)


def complete(program: Program, y: Floats, level: float) -> Bools:
    """Return ``y`` (T, m) rounded at ``level``; likely ones then open for capacity, unlikely ones shut for budgets."""
    stages = len(y)
    plan = np.logical_or.accumulate(y >= level, axis=0)
    order = np.argsort(-y.sum(axis=0), kind="stable")
    for stage in range(stages):
        for j in order:
            if not _short(program, plan):
                break
            plan[stage:, j] = True
    for j in order[::-1]:
        if not _over(program, plan):
            break
        plan[:, j] = False
    return np.asarray(plan)


def _short(program: Program, plan: Bools) -> bool:
    load = program.rows @ plan.ravel().astype(np.float64)
    return bool((load < program.least - _EQUAL * np.maximum(np.abs(program.least), 1.0)).any())


def _over(program: Program, plan: Bools) -> bool:
    load = program.rows @ plan.ravel().astype(np.float64)
    return bool((load > program.most + _EQUAL * np.maximum(np.abs(program.most), 1.0)).any())


def solve(relaxation: Relaxation, clock: Clock) -> tuple[Proof, float, Bounded]:
    """Return the proof, its bound and the root's relaxation."""
    root: list[Bounded] = []
    columns = relaxation.master.program.charge.size
    proof, bound = search(relaxation, columns, clock, root.append)
    return proof, bound, root[0]
