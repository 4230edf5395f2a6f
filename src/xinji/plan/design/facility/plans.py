"""Plans of a facility program: their cost, and a local search that skips every neighbour a cut rules out."""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.facility.master import Master
from xinji.plan.design.facility.program import Program, serve
from xinji.plan.design.proof import Clock

_TOLERANCE = 1e-9
_NEAR = 160
_TRIES = 120
_BATCH = 4096


class Plans:
    """The best plan so far, ``y`` (T, m) open or not, and the costs of all plans evaluated."""

    def __init__(self, master: Master) -> None:
        self.master, self.program = master, master.program
        self.y: Bools = np.zeros(self.program.shape, dtype=bool)
        self.value = np.inf
        self._known: dict[bytes, float] = {}

    def evaluate(self, y: Bools) -> float:
        """Return the cost of ``y`` (infinite where it breaks a row) and keep it if it is the best."""
        key = np.packbits(y).tobytes()
        if key not in self._known:
            self._known[key] = self._cost(y)
            if self._known[key] < self.value:
                self.y, self.value = y.copy(), self._known[key]
        return self._known[key]

    def _cost(self, y: Bools) -> float:
        if not keeps_rows(self.program, y[None])[0]:
            return np.inf
        whole = y.astype(np.float64)
        served = [serve(self.program, stage, whole[stage]) for stage in range(self.program.stages)]
        total = float((self.program.charge * whole).sum()) + sum(part.cost for part in served)
        if total < self.value:
            for stage, part in enumerate(served):
                self.master.add(stage, 0.5 * (part.low + part.high))
        return total

    def improve(self, y: Bools, likely: Floats, clock: Clock) -> float:
        """Search from ``y`` (T, m) by opening, shutting, moving in time and swapping; return the local best's cost.

        Facilities where ``likely`` (m,) is least are the candidates to open.
        """
        value = self.evaluate(y)
        near = np.argsort(likely, kind="stable")[:_NEAR]
        improved = np.isfinite(value)
        while improved and clock.left > 0.0:
            improved = False
            for other in self._promising(y, near, value):
                cost = self.evaluate(other)
                if cost < value - _TOLERANCE * abs(value):
                    y, value, improved = other, cost, True
                    break
        return value

    def _promising(self, y: Bools, near: Ints, value: float) -> Bools:
        """Return the neighbours (q, T, m) that no cut rules out, the cheapest by the cuts first."""
        moves = neighbours(y, near)
        keep = keeps_rows(self.program, moves)
        moves = moves[keep]
        floor = np.concatenate([np.zeros(0), *(self.floor(part) for part in _batches(moves))])
        some = np.flatnonzero(floor < value - _TOLERANCE * abs(value))
        return np.asarray(moves[some[np.argsort(floor[some], kind="stable")[:_TRIES]]])

    def floor(self, moves: Bools) -> Floats:
        """Return what no plan of ``moves`` (q, T, m) falls below, by the cuts known."""
        whole = moves.astype(np.float64)
        total = (whole * self.program.charge).sum(axis=(1, 2))
        for stage, cuts in enumerate(self.master.cuts):
            total += cuts.floor(whole[:, stage])
        return np.asarray(total)


def _batches(moves: Bools) -> list[Bools]:
    return [moves[at : at + _BATCH] for at in range(0, len(moves), _BATCH)]


def keeps_rows(program: Program, moves: Bools) -> Bools:
    """Return for each of ``moves`` (q, T, m) whether it keeps the program's rows."""
    load = program.rows @ moves.reshape(len(moves), -1).T.astype(np.float64)
    slack = _TOLERANCE * np.maximum(np.abs(np.where(np.isfinite(program.least), program.least, program.most)), 1.0)
    over = (load < (program.least - slack)[:, None]) | (load > (program.most + slack)[:, None])
    return np.asarray(~over.any(axis=0))


def stages_of(y: Bools) -> Ints:
    """Return from which stage on each facility (m,) is open; T where it never is."""
    return np.asarray(len(y) - y.sum(axis=0), dtype=np.int64)


def opened_by(stage: Ints, stages: int) -> Bools:
    """Return y (q, T, m) for ``stage`` (q, m) from which on facilities are open."""
    return np.asarray(np.arange(stages)[None, :, None] >= stage[:, None, :])


def neighbours(y: Bools, near: Ints) -> Bools:
    """Return the plans (q, T, m) that differ from ``y`` by one facility's stage or by a swap of two."""
    stages, stage = len(y), stages_of(y)
    used = np.flatnonzero(stage < stages)
    movers = np.union1d(used, near)
    facility = np.repeat(movers, stages + 1)
    single = np.tile(stage, (len(facility), 1))
    single[np.arange(len(facility)), facility] = np.tile(np.arange(stages + 1), len(movers))
    idle = near[stage[near] == stages]
    out, into = np.repeat(used, len(idle)), np.tile(idle, len(used))
    swap = np.tile(stage, (len(out), 1))
    swap[np.arange(len(out)), into] = stage[out]
    swap[np.arange(len(out)), out] = stages
    every = np.vstack([single, swap])
    return opened_by(every[(every != stage).any(axis=1)], stages)
