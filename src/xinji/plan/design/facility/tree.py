"""Branch and bound over open facilities that leaves a proof behind: a tree whose leaves anyone can bound again."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from xinji.core.arrays import Floats, Ints, freeze
from xinji.plan.design.proof import Clock

_FREE = 1e-6
_REFRESH = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """A tree of nodes (N,), the root first, and the prices (R, q) that bound its leaves by weak duality.

    Node i is its ``parent`` (-1 at the root) with ``column`` shut (``side`` 0) or open (1). An inner
    node has ``prices`` -1 and two children that differ in side alone; a leaf names a row of ``price``.
    The least bound of the leaves bounds every plan.
    """

    parent: Ints
    column: Ints
    side: Ints
    prices: Ints
    price: Floats

    def __post_init__(self) -> None:
        freeze(self.parent, self.column, self.side, self.prices, self.price)

    @property
    def kind(self) -> str:
        """``multipliers`` where one vector of prices proves the bound, ``branch and bound`` elsewhere."""
        return "multipliers" if len(self.parent) == 1 else "branch and bound"


@dataclass(frozen=True, slots=True, eq=False)
class Bounded:
    """What a relaxation says of a node: ``y`` (c,) (empty: no plan), its prices (q,), their bound and reduced costs.

    ``change`` (c,) is what moving a free column off the side where the bound has it adds at least;
    it is positive for columns held shut and negative for columns held open.
    """

    y: Floats
    price: Floats
    bound: float
    change: Floats


class Relaxation(Protocol):
    """What the search needs of a problem."""

    def relax(self, lower: Floats, upper: Floats, *, known: Floats, cutoff: float, clock: Clock) -> Bounded:
        """Return the relaxation with the columns between ``lower`` and ``upper`` (c,).

        ``known`` (q,) are the prices that bound the node so far, empty at the root.
        """

    def attempt(self, y: Floats) -> float:
        """Make a plan near ``y`` (c,) and return the value of the best plan so far."""

    def cutoff(self) -> float:
        """Return the bound from which on a node cannot hold a better plan."""


@dataclass(slots=True)
class _Nodes:
    """The tree as it grows."""

    parent: list[int] = field(default_factory=list)
    column: list[int] = field(default_factory=list)
    side: list[int] = field(default_factory=list)
    prices: list[int] = field(default_factory=list)
    price: list[Floats] = field(default_factory=list)
    bound: list[float] = field(default_factory=list)

    def add(self, parent: int, column: int, side: int, prices: int, bound: float) -> int:
        """Append a node and return its place."""
        for part, value in ((self.parent, parent), (self.column, column), (self.side, side), (self.prices, prices)):
            part.append(value)
        self.bound.append(bound)
        return len(self.parent) - 1

    def proof(self) -> tuple[Proof, float]:
        """Return the tree with only the prices that leaves name, and the least bound of its leaves."""
        row = np.array(self.prices, dtype=np.int64)
        used, place = np.unique(row[row >= 0], return_inverse=True)
        row[row >= 0] = place
        parent, column, side = (np.array(part, dtype=np.int64) for part in (self.parent, self.column, self.side))
        least = min(bound for bound, prices in zip(self.bound, self.prices, strict=True) if prices >= 0)
        return Proof(parent, column, side, row, np.array([self.price[spot] for spot in used])), least


@dataclass(frozen=True, slots=True, eq=False)
class _Open:
    """A node that waits: its limits (c,) and place in the tree."""

    lower: Floats
    upper: Floats
    place: int
    split: tuple[int, int, float] = (-1, 0, 0.0)


class Gains:
    """By how much the bound rose, for each unit that a column moved to a side (2, c) when a node was split there.

    Pseudo-costs (Benichou and others, Mathematical Programming 1, 1971); a column without any counts as the mean.
    """

    def __init__(self, columns: int) -> None:
        self._total, self._count = np.zeros((2, columns)), np.zeros((2, columns))

    def note(self, split: tuple[int, int, float], gain: float) -> None:
        """Note the ``gain`` of a node whose ``split`` is the column, its side and how far it moved."""
        column, side, moved = split
        self._total[side, column] += gain / max(moved, _FREE)
        self._count[side, column] += 1.0

    def worth(self, y: Floats) -> Floats:
        """Return for each column (c,) what a split there promises: the product of both sides' rises."""
        mean = (self._total.sum(axis=1) / np.maximum(self._count.sum(axis=1), 1.0))[:, None]
        rate = (self._total + np.maximum(mean, _FREE)) / (self._count + 1.0)
        return np.asarray(rate[0] * y * rate[1] * (1.0 - y))


def search(relaxation: Relaxation, columns: int, clock: Clock, tell: Callable[[Bounded], None]) -> tuple[Proof, float]:
    """Return a proof and its bound; best bound first, until the leaves pass the cutoff or the clock ends.

    ``tell`` is handed the root's relaxation.
    """
    nodes = _Nodes()
    root = _Open(np.zeros(columns), np.ones(columns), nodes.add(-1, -1, -1, 0, -np.inf))
    nodes.price.append(np.zeros(0))
    gains = Gains(columns)
    heap: list[tuple[float, int, _Open]] = [(-np.inf, 0, root)]
    while heap and heap[0][0] < relaxation.cutoff():
        first = heap[0][2].place == 0
        if clock.left <= 0.0 and not first:
            break
        inherited, _, node = heapq.heappop(heap)
        known = nodes.price[nodes.prices[node.place]]
        found = relaxation.relax(node.lower, node.upper, known=known, cutoff=relaxation.cutoff(), clock=clock)
        nodes.price.append(found.price)
        if first or found.bound > inherited:
            nodes.prices[node.place], nodes.bound[node.place] = len(nodes.price) - 1, found.bound
        if len(found.y) and found.bound < relaxation.cutoff():
            relaxation.attempt(found.y)
        if first:
            tell(found)
        elif node.split[0] >= 0 and len(found.y):
            gains.note(node.split, max(found.bound - inherited, 0.0))
        if not len(found.y) or nodes.bound[node.place] >= relaxation.cutoff():
            continue
        for child in _branch(nodes, node, found, gains, relaxation.cutoff()):
            heapq.heappush(heap, (nodes.bound[child.place], child.place, child))
    return nodes.proof()


def _branch(nodes: _Nodes, node: _Open, found: Bounded, gains: Gains, cutoff: float) -> list[_Open]:
    """Fix what reduced costs fix, then return the two sides of the column that is least decided."""
    lower, upper, place = node.lower.copy(), node.upper.copy(), node.place
    free, newest = lower < upper, len(nodes.price) - 1
    for column in np.flatnonzero(free & (found.bound + np.abs(found.change) >= cutoff)):
        shut = found.change[column] > 0.0
        lower[column] = upper[column] = 0.0 if shut else 1.0
        nodes.add(place, int(column), 1 if shut else 0, newest, found.bound + abs(float(found.change[column])))
        inner, place = place, nodes.add(place, int(column), 0 if shut else 1, nodes.prices[place], nodes.bound[place])
        nodes.prices[inner] = -1
    fixed, free = int(free.sum()), lower < upper
    fixed -= int(free.sum())
    if not free.any() or fixed > _REFRESH * free.sum():
        return [_Open(lower, upper, place)] if fixed else []
    doubt = np.where(free, np.minimum(found.y, 1.0 - found.y), -1.0)
    closest = doubt if doubt.max() > _FREE else -np.where(free, np.abs(found.change), np.inf)
    split = int(np.argmax(np.where(doubt > _FREE, gains.worth(found.y), -1.0) if doubt.max() > _FREE else closest))
    children = []
    for side in (0, 1):
        low, high = lower.copy(), upper.copy()
        low[split] = high[split] = float(side)
        moved = float(found.y[split] if side == 0 else 1.0 - found.y[split])
        spot = nodes.add(place, split, side, nodes.prices[place], nodes.bound[place])
        children.append(_Open(low, high, spot, (split, side, moved)))
    nodes.prices[place] = -1
    return children
