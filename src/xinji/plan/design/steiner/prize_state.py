"""A branch and bound search for prize-collecting trees under way: its best tree and what a better one may cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Ints
from xinji.plan.design.proof import Clock
from xinji.plan.design.steiner.prize_case import Case, origins
from xinji.plan.design.steiner.prize_tree import Found, Ground, best_tree

_EQUAL = 1e-9


@dataclass
class Search:
    """A search under way: the first ``case``, its best tree so far; ``merging`` if it is part of another search."""

    case: Case
    ground: Ground
    unit: float
    clock: Clock
    rng: np.random.Generator
    root: int
    value: float
    nodes: Bools
    visited: int = 0
    merging: bool = False

    @property
    def cutoff(self) -> float:
        """The greatest value that a better tree may have."""
        if not np.isfinite(self.value):
            return np.inf
        return self.value - (self.unit * (1.0 - 1e-6) if self.unit > 0.0 else _EQUAL * max(abs(self.value), 1.0))

    def offer(self, case: Case, found: Found) -> None:
        """Keep a tree of a reduced ``case`` if it is the best so far."""
        if found.value < self.value - _EQUAL * max(abs(self.value), 1.0) or not np.isfinite(self.value):
            self.offer_origins(origins(case, np.flatnonzero(found.nodes), np.flatnonzero(found.edges)))

    def offer_origins(self, inside: Ints) -> None:
        """Keep the best tree on the nodes ``inside`` of the first graph if it is the best so far."""
        allowed = np.zeros(self.case.node_count, dtype=np.bool_)
        allowed[inside] = True
        tree = best_tree(self.case, self.ground, allowed, self.root)
        if tree.value < self.value:
            self.value, self.nodes = tree.value, tree.nodes
