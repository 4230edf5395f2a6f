"""The directed cut relaxation, solved by cutting planes; every solve gives a bound by its duals alone.

Arcs are columns between 0 and 1, every set that holds a terminal but not the root is entered (Wong, Math.
Prog. 28, 1984), and what enters a node without terminal leaves it (Koch and Martin, Networks 32, 1998).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.plan.design.solver import INFEASIBLE, OPTIMAL, GrowingLp
from xinji.plan.design.steiner.ascent import Ascent, Digraph
from xinji.plan.design.steiner.maxflow import Cuts
from xinji.plan.jit import compiled

_SLACK = 1e-6
_MOST_AGE = 4


@dataclass(frozen=True, slots=True, eq=False)
class Relaxed:
    """A solve of the relaxation: arcs' ``value`` (m,), ``reduced`` costs (m,), and the ``bound`` they prove.

    ``dual`` (q,) is at least 0 for each of ``cuts``, ``balance`` (n,) for each node (0 at terminals);
    ``solved`` says whether the solver came to its end.
    """

    value: Floats
    reduced: Floats
    bound: float
    dual: Floats
    cuts: Cuts
    balance: Floats
    solved: bool

    def __post_init__(self) -> None:
        freeze(self.value, self.reduced, self.dual, self.balance)


class CutLp:
    """The relaxation for ``graph`` with arc ``cost`` (m,), growing by cuts."""

    def __init__(self, graph: Digraph, cost: Floats, root: int, terminals: Ints) -> None:
        self.graph, self.cost, self.root = graph, np.asarray(cost, dtype=np.float64), root
        self.terminals = np.asarray(terminals, dtype=np.int64)
        arcs, nodes = len(cost), len(graph.in_start) - 1
        self._lp = GrowingLp(self.cost, np.zeros(arcs), np.ones(arcs))
        self._cuts = Cuts(np.zeros(0, np.int64), np.zeros(1, np.int64), np.zeros(0, np.int64))
        self._age = np.zeros(0, dtype=np.int64)
        inner = np.ones(nodes, dtype=bool)
        inner[self.terminals] = False
        inner[root] = False
        self._inner = np.flatnonzero(inner)
        self._balance = _balance_rows(graph, self._inner)
        self._rows = csr_array((0, arcs))
        self._lp.add_rows(
            self._balance.indptr.astype(np.int64),
            self._balance.indices.astype(np.int64),
            self._balance.data,
            lower=np.zeros(len(self._inner)),
            upper=np.full(len(self._inner), np.inf),
        )

    @property
    def cut_count(self) -> int:
        """Cuts that the relaxation holds."""
        return len(self._age)

    def add(self, cuts: Cuts) -> None:
        """Let every set of ``cuts`` be entered."""
        start, arc = entering(self.graph, cuts)
        count = len(cuts.terminal)
        self._lp.add_rows(start, arc, np.ones(len(arc)), lower=np.ones(count), upper=np.full(count, np.inf))
        fresh = csr_array((np.ones(len(arc)), arc, start), shape=(count, len(self.cost)))
        self._rows = _stacked(self._rows, fresh)
        self._age = np.concatenate([self._age, np.zeros(count, dtype=np.int64)])
        self._cuts = Cuts(
            np.concatenate([self._cuts.terminal, cuts.terminal]),
            np.concatenate([self._cuts.start, self._cuts.start[-1] + cuts.start[1:]]),
            np.concatenate([self._cuts.node, cuts.node]),
        )

    def bar(self, arcs: Bools) -> None:
        """Let the marked ``arcs`` (m,) be used by no solution from now on."""
        place = np.flatnonzero(arcs)
        self._lp.set_bounds(place, np.zeros(len(place)), np.zeros(len(place)))

    def solve(self, *, seconds: float) -> Relaxed:
        """Solve within ``seconds`` from where the last solve ended; drop cuts that have long not been tight.

        The bound is infinite where the barred arcs leave no solution.
        """
        answer = self._lp.solve(seconds=seconds)
        if answer.status == INFEASIBLE:
            nothing = np.zeros(0)
            return Relaxed(nothing, self.cost, np.inf, nothing, self._cuts, nothing, solved=False)
        inner = len(self._inner)
        # Whatever the solver's tolerance, duals of at least 0 prove the bound that is computed from them here.
        dual = np.maximum(answer.row_duals[inner:], 0.0)
        kept = np.maximum(answer.row_duals[:inner], 0.0)
        reduced = self.cost - self._rows.T @ dual - self._balance.T @ kept
        bound = float(dual.sum() + np.minimum(reduced, 0.0).sum())
        balance = np.zeros(len(self.graph.in_start) - 1)
        balance[self._inner] = kept
        solved = answer.status == OPTIMAL
        found = Relaxed(answer.values, np.maximum(reduced, 0.0), bound, dual, self._cuts, balance, solved=solved)
        if found.solved:
            self._drop(answer.values, dual)
        return found

    def _drop(self, value: Floats, dual: Floats) -> None:
        loose = (np.asarray(self._rows @ value) > 1.0 + _SLACK) & (dual <= 0.0)
        self._age = np.where(loose, self._age + 1, 0)
        old = self._age > _MOST_AGE
        if old.any():
            self._lp.delete_rows(np.flatnonzero(old) + len(self._inner))
            self._rows = self._rows[~old]
            self._cuts = chosen(self._cuts, ~old)
            self._age = self._age[~old]


def _stacked(one: csr_array, other: csr_array) -> csr_array:
    data = np.concatenate([one.data, other.data])
    place = np.concatenate([one.indices, other.indices])
    start = np.concatenate([one.indptr, one.indptr[-1] + other.indptr[1:]])
    return csr_array((data, place, start), shape=(len(start) - 1, one.shape[1]))


def _balance_rows(graph: Digraph, inner: Ints) -> csr_array:
    """Return what leaves each of the ``inner`` nodes less what enters it, as rows over arcs."""
    row = np.full(len(graph.in_start) - 1, -1, dtype=np.int64)
    row[inner] = np.arange(len(inner))
    arcs = np.arange(len(graph.tail))
    place = np.concatenate([row[graph.tail], row[graph.head]])
    sign = np.repeat([1.0, -1.0], len(arcs))
    held = place >= 0
    entries = (sign[held], (place[held], np.concatenate([arcs, arcs])[held]))
    return csr_array(entries, shape=(len(inner), len(arcs)))


def chosen(cuts: Cuts, kept: Bools) -> Cuts:
    """Return those of ``cuts`` (q,) that are ``kept`` (q,)."""
    size = np.diff(cuts.start)
    node = cuts.node[np.repeat(kept, size)]
    return Cuts(cuts.terminal[kept], np.concatenate([[0], np.cumsum(size[kept])]), node)


def entering(graph: Digraph, cuts: Cuts) -> tuple[Ints, Ints]:
    """Return the arcs that enter each of ``cuts`` (q,) in compressed form: (start, arc)."""
    return _entering(graph, cuts.start, cuts.node)


@compiled
def _entering(graph: Digraph, start: Ints, node: Ints) -> tuple[Ints, Ints]:
    mark = np.full(len(graph.in_start) - 1, -1, np.int64)
    first = np.zeros(len(start), np.int64)
    arcs = [0]
    arcs.pop()
    for cut in range(len(start) - 1):
        for place in range(start[cut], start[cut + 1]):
            mark[node[place]] = cut
        for place in range(start[cut], start[cut + 1]):
            at = node[place]
            for slot in range(graph.in_start[at], graph.in_start[at + 1]):
                arc = graph.in_arc[slot]
                if mark[graph.tail[arc]] != cut:
                    arcs.append(arc)
        first[cut + 1] = len(arcs)
    return first, np.array(arcs)


def ascent_cuts(ascent: Ascent) -> Cuts:
    """Return the sets that an ``ascent`` raised, smallest first for each terminal."""
    return _grown_sets(ascent.start, ascent.node, ascent.since)


@compiled
def _grown_sets(start: Ints, node: Ints, since: Floats) -> Cuts:
    owner, first, nodes = [0], [0], [0]
    owner.pop()
    nodes.pop()
    for k in range(len(start) - 1):
        for place in range(start[k], start[k + 1]):
            last = place + 1 == start[k + 1]
            if last or since[place + 1] > since[place]:
                nodes.extend(node[start[k] : place + 1])
                owner.append(k)
                first.append(len(nodes))
    return Cuts(np.array(owner), np.array(first), np.array(nodes))
