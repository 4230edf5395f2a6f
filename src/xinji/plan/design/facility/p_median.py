"""The p-median: open p facilities so that the customers' total distance to the nearest is least."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.errors import Fault, InfeasibleError, raise_if
from xinji.plan.design.facility.inputs import expected_faults, limit_faults
from xinji.plan.design.facility.interchange import Ranked, interchange, nearest, ranked
from xinji.plan.design.facility.median_dual import Choice, added, ascend, without_shut
from xinji.plan.design.facility.tree import Bounded, Proof, search
from xinji.plan.design.proof import Clock, certified_gap

_LAYER = "p-median"
_ROOT_STEPS = 3000
_NODE_STEPS = 120
_PATIENCE = 30
_NODE_PATIENCE = 12
_ROUNDS = 1000
_RESTARTS = 12
_KICK = 0.15
_DEARER = 1.1
_EQUAL = 1e-9
_WHOLE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Median:
    """Which facilities are ``open`` (m,), the ``assignment`` (n,) of customers to them, and the total distance.

    No choice has a smaller total than ``bound``; ``certificate`` proves it (where all distances are
    whole numbers, what it proves is rounded up). ``prices`` (n,) alone prove ``root_bound``.
    """

    open: Bools
    assignment: Ints
    value: float
    bound: float
    root_bound: float
    prices: Floats
    certificate: Proof

    def __post_init__(self) -> None:
        freeze(self.open, self.assignment, self.prices)

    @property
    def proof(self) -> str:
        """What proves the bound: ``multipliers`` or ``branch and bound``."""
        return self.certificate.kind

    @property
    def gap(self) -> float:
        """How much better any choice could be, relative to the value."""
        return certified_gap(self.value, self.bound)


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
    relaxation = _Relaxation(ranked(given), p, seed, whole=bool((given == np.round(given)).all()))
    relaxation.start(clock)
    root: list[Bounded] = []
    proof, bound = search(relaxation, given.shape[1], clock, root.append)
    assignment = nearest(relaxation.rank, relaxation.opened)[0]
    prices = root[0].price[: len(given)]
    bound, first = (min(relaxation.lift(part), relaxation.value) for part in (bound, root[0].bound))
    return Median(relaxation.opened, assignment, relaxation.value, bound, first, prices, proof)


class _Relaxation:
    """The p-median as the search over its facilities sees it."""

    def __init__(self, rank: Ranked, p: int, seed: int, *, whole: bool) -> None:
        self.rank, self.p, self._whole = rank, p, whole
        self.opened: Bools = np.zeros(rank.facility.shape[1], dtype=bool)
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
            moved = max(1, int(_KICK * min(self.p, m - self.p)))
            other[self._random.permutation(np.flatnonzero(other))[:moved]] = False
            other[self._random.permutation(np.flatnonzero(~other))[:moved]] = True
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
        choice = Choice(self.p, status)
        if len(known):
            rank = without_shut(self.rank, status)
            ascent = ascend(rank, choice, known[:-1], self.cutoff(), _NODE_STEPS, _NODE_PATIENCE)
        else:
            price = nearest(self.rank, self.opened)[1] * _DEARER
            ascent = ascend(self.rank, choice, price, self.cutoff(), _ROOT_STEPS, _PATIENCE)
        return self._bounded(ascent.price, status, ascent.often)

    def _bounded(self, price: Floats, status: Ints, y: Floats) -> Bounded:
        """Return what ``price`` (n,) proves, with the best price of the row that opens p facilities."""
        total = added(self.rank, price, np.zeros_like(status))
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
