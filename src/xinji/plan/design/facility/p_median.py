"""The p-median: open p facilities so that the customers' total distance to the nearest is least."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.errors import Fault, InfeasibleError, raise_if
from xinji.plan.design.facility.inputs import expected_faults, limit_faults
from xinji.plan.design.facility.interchange import interchange, nearest, ranked
from xinji.plan.design.facility.median_dual import Choice, Effort, Near, added, ascend, in_table, without_shut
from xinji.plan.design.facility.proved import Proved
from xinji.plan.design.facility.tree import Bounded, search
from xinji.plan.design.proof import Clock

_LAYER = "p-median"
_ROOT = Effort(steps=3000, patience=30, shortest=1e-4)
_NODE = Effort(steps=200, patience=20, shortest=1e-3)
_ROUNDS = 1000
_RESTARTS = 24
_KICK = 0.5
_LEAST_KICK = 2
_DEARER = 1.1
_EQUAL = 1e-9
_WHOLE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Median(Proved):
    """Which facilities are ``open`` (m,), the ``assignment`` (n,) of customers to them, at least total distance.

    Where all distances are whole numbers, what the certificate proves is rounded up.
    ``prices`` (n,) alone prove ``root_bound``.
    """

    open: Bools
    assignment: Ints
    root_bound: float
    prices: Floats

    def __post_init__(self) -> None:
        freeze(self.open, self.assignment, self.prices)


def p_median(distance: Floats, p: int, *, seconds: float = 60.0, seed: int = 0) -> Median:
    """Return the ``p`` facilities with the least total ``distance`` (n, m) of customers (rows) to the nearest.

    ``seconds`` of processor time limit the search, ``seed`` sets its restarts. Raises InputError for
    arrays that do not fit and InfeasibleError where there are fewer than p facilities.
    """
    given = np.asarray(distance, dtype=np.float64)
    raise_if([*_faults(given, p), *limit_faults(seconds, seed)])
    if p > given.shape[1]:
        raise InfeasibleError(f"{p} facilities shall open, but there are {given.shape[1]}. Ask for at most as many.")
    clock = Clock(seconds)
    relaxation = _Relaxation(given, p, seed)
    relaxation.start(clock)
    root: list[Bounded] = []
    proof, bound = search(relaxation, given.shape[1], clock, root.append)
    assignment = nearest(relaxation.rank, relaxation.opened)[0]
    prices = root[0].price[: len(given)]
    bound, first = (min(relaxation.lift(part), relaxation.value) for part in (bound, root[0].bound))
    return Median(relaxation.value, bound, proof, relaxation.opened, assignment, first, prices)


class _Relaxation:
    """The p-median as the search over its facilities sees it."""

    def __init__(self, distance: Floats, p: int, seed: int) -> None:
        self.rank, self.p, self._table = ranked(distance), p, np.ascontiguousarray(distance.T)
        self._near = Near(distance.min(axis=1), self.rank, np.zeros((0, 0)))
        self._whole = bool((distance == np.round(distance)).all())
        self.opened: Bools = np.zeros(distance.shape[1], dtype=bool)
        self.value = np.inf
        self._random = np.random.default_rng(seed)
        self._tried: set[bytes] = set()

    def lift(self, bound: float) -> float:
        """Return ``bound``, rounded up where every total is a whole number."""
        return float(np.ceil(bound - _WHOLE)) if self._whole else bound

    def cutoff(self) -> float:
        """Return the bound from which on a node cannot hold a better choice."""
        return self.value - 1.0 + _WHOLE * 2 if self._whole else self.value - _EQUAL * self.value

    def start(self, clock: Clock) -> None:
        """Make first choices: a greedy one, then random changes to the best."""
        m = self.rank.facility.shape[1]
        first = np.zeros(m, dtype=bool)
        first[self._random.permutation(m)[: self.p]] = True
        self._try(first)
        for _ in range(_RESTARTS):
            if clock.left <= 0.0 or self.p == m:
                return
            other = self.opened.copy()
            moved = min(max(_LEAST_KICK, int(_KICK * self.p)), self.p, m - self.p)
            shut = self._random.permutation(np.flatnonzero(~other))[:moved]
            other[self._random.permutation(np.flatnonzero(other))[:moved]] = False
            other[shut] = True
            self._try(other)

    def attempt(self, y: Floats) -> float:
        """Open the p facilities where ``y`` (m,) is greatest, improve, and return the best value so far."""
        opened = np.zeros(len(y), dtype=bool)
        opened[np.argsort(-y, kind="stable")[: self.p]] = True
        self._try(opened)
        return self.value

    def _try(self, opened: Bools) -> None:
        key = np.packbits(opened).tobytes()
        if key not in self._tried:
            self._tried.add(key)
            value = interchange(self.rank, opened, _ROUNDS)
            if value < self.value:
                self.opened, self.value = opened, float(value)

    def relax(self, lower: Floats, upper: Floats, *, known: Floats, cutoff: float, clock: Clock) -> Bounded:
        """Return the dual of the node with the columns between ``lower`` and ``upper`` (m,)."""
        del clock
        status = np.where(upper < 0.5, -1, np.where(lower > 0.5, 1, 0)).astype(np.int64)
        held, free = int((status > 0).sum()), int((status == 0).sum())
        if held > self.p or held + free < self.p:
            return self._empty(status, cutoff, too_many=held > self.p)
        if held == self.p or held + free == self.p:
            opened = status > 0 if held == self.p else status >= 0
            price = nearest(self.rank, opened)[1]
            self._try(opened.copy())
            return self._bounded(price, status, opened.astype(np.float64))
        if len(known):
            return self._again(status, known[:-1])
        price = nearest(self.rank, self.opened)[1] * _DEARER
        ascent = ascend(self._near, Choice(self.p, status), price, self.cutoff(), _ROOT)
        return self._bounded(ascent.price, status, ascent.often)

    def _again(self, status: Ints, price: Floats) -> Bounded:
        """Return the dual of a node, raised from ``price`` (n,) among the facilities that are not shut."""
        kept = np.flatnonzero(status >= 0)
        table = self._table[kept]
        if in_table(table, price):
            near = Near(self._near.least, self.rank, table)
            ascent = ascend(near, Choice(self.p, status[kept]), price, self.cutoff(), _NODE)
            often = np.zeros(len(status))
            often[kept] = ascent.often
            return self._bounded(ascent.price, status, often)
        near = Near(self._near.least, without_shut(self.rank, status), table[:0])
        ascent = ascend(near, Choice(self.p, status), price, self.cutoff(), _NODE)
        return self._bounded(ascent.price, status, ascent.often)

    def _bounded(self, price: Floats, status: Ints, y: Floats) -> Bounded:
        """Return what ``price`` (n,) proves, with the best price of the row that opens p facilities."""
        total = added(self._near, price, np.zeros_like(status))
        left = self.p - int((status > 0).sum())
        free = np.sort(total[status == 0])
        if 0 < left < len(free):
            row = 0.5 * (free[left - 1] + free[left])
        elif len(free):
            row = free[0] if left <= 0 else free[-1]
        else:
            row = 0.0
        change = total - row
        held = np.where(status > 0, change, 0.0).sum() + np.minimum(change[status == 0], 0.0).sum()
        return Bounded(y, np.append(price, row), float(price.sum() + row * self.p + held), change)

    def _empty(self, status: Ints, cutoff: float, *, too_many: bool) -> Bounded:
        """Return a price of the row that lifts the bound of a node without any choice over ``cutoff``."""
        row = (-1.0 if too_many else 1.0) * (2.0 * abs(cutoff) + 1.0)
        bound = self.p * row - row * (status > 0).sum() + min(-row, 0.0) * (status == 0).sum()
        return Bounded(np.zeros(0), np.append(np.zeros(len(self.rank.facility)), row), float(bound), np.zeros(0))


def _faults(distance: Floats, p: int) -> list[Fault]:
    if distance.ndim != 2 or 0 in distance.shape:
        message = f"distance has shape {distance.shape}, expected (customers, facilities), at least one of each"
        return [Fault(_LAYER, message, "Give one row for each customer and one column for each facility.")]
    faults = list(expected_faults([("distance", distance, distance.shape)], frozenset()))
    if p < 1:
        faults.append(Fault(_LAYER, f"p is {p}, expected at least 1", "Give how many facilities shall open."))
    return faults
