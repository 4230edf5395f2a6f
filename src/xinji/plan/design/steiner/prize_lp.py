"""The cut relaxation of rooted prize-collecting cases, solved by cutting planes.

Every arc and every node is taken to some degree; a node as far as it is entered, and a set without the root is
entered as far as any node in it is taken: Ljubic, Weiskircher, Pferschy, Klau, Mutzel and Fischetti, An
algorithmic framework for the exact solution of the prize-collecting Steiner tree problem, Math. Prog. 105, 2006.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, vstack

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.plan.design.solver import INFEASIBLE, OPTIMAL, GrowingLp
from xinji.plan.design.steiner.ascent import Ascent, Digraph, digraph, distances
from xinji.plan.design.steiner.cut_lp import ascent_cuts, entering
from xinji.plan.design.steiner.maxflow import Cuts
from xinji.plan.design.steiner.prize_ascent import Ascent as Moats
from xinji.plan.design.steiner.prize_case import Case, subcase, with_required

_SLACK = 1e-6
_MOST_AGE = 2


@dataclass(frozen=True, slots=True, eq=False)
class Fraction:
    """A solve of the relaxation: how far each arc (2 m,) and node (n,) is taken and the ``bound`` that duals prove.

    ``arc_excess`` (2 m,) and ``node_excess`` (n,) are reduced costs: with an arc a tree costs as much more than
    the bound, with a node as much more where positive, without it where negative.
    """

    bound: float
    arcs: Floats
    nodes: Floats
    arc_excess: Floats
    node_excess: Floats
    solved: bool

    def __post_init__(self) -> None:
        freeze(self.arcs, self.nodes, self.arc_excess, self.node_excess)

    @property
    def edges(self) -> Floats:
        """How far each edge (m,) is taken."""
        half = len(self.arcs) // 2
        return self.arcs[:half] + self.arcs[half:]


class PrizeLp:
    """The relaxation of ``case`` from its required node ``root``: the edges one way, the other way, then the nodes."""

    def __init__(self, case: Case, root: int) -> None:
        self.case, self.root = case, root
        self.graph: Digraph = digraph(
            case.node_count, np.concatenate([case.tail, case.head]), np.concatenate([case.head, case.tail])
        )
        self.cost = np.concatenate([case.cost, case.cost, np.where(case.required, 0.0, -case.gain)])
        self.shift = case.constant + float(np.maximum(case.gain, 0.0).sum())
        self.lower = np.concatenate([np.zeros(2 * len(case.cost)), case.required.astype(np.float64)])
        self.upper = np.ones(len(self.cost))
        self.upper[: 2 * len(case.cost)][self.graph.head == root] = 0.0
        self._lp = GrowingLp(self.cost, self.lower, self.upper)
        self._fixed = self._entries()
        self._rows = csr_array((0, len(self.cost)))
        self._age = np.zeros(0, dtype=np.int64)
        equal = case.node_count - 1
        upper = np.zeros(self._fixed.shape[0])
        upper[equal:] = np.inf
        self._equal = equal
        self._add(self._fixed, upper)

    @property
    def cut_count(self) -> int:
        """Cuts that the relaxation holds."""
        return len(self._age)

    @property
    def open_edges(self) -> int:
        """Edges that may be used one way at least."""
        return int(self.upper[: 2 * len(self.case.cost)].reshape(2, -1).any(axis=0).sum())

    def _entries(self) -> csr_array:
        """Return rows: what enters a node less how far it is taken; what leaves one without prize less the same."""
        case, graph = self.case, self.graph
        arcs, nodes = len(graph.tail), case.node_count
        others = np.flatnonzero(np.arange(nodes) != self.root)
        idle = np.flatnonzero(~case.required & (case.gain <= 0.0))
        enter = csr_array((np.ones(arcs), (graph.head, np.arange(arcs))), shape=(nodes, arcs + nodes))
        leave = csr_array((np.ones(arcs), (graph.tail, np.arange(arcs))), shape=(nodes, arcs + nodes))
        take = csr_array((np.ones(nodes), (np.arange(nodes), arcs + np.arange(nodes))), shape=(nodes, arcs + nodes))
        return csr_array(vstack([(enter - take).tocsr()[others], (leave - take).tocsr()[idle]]))

    def _add(self, rows: csr_array, upper: Floats) -> None:
        start, column = rows.indptr.astype(np.int64), rows.indices.astype(np.int64)
        self._lp.add_rows(start, column, rows.data, lower=np.zeros(rows.shape[0]), upper=upper)

    def add(self, cuts: Cuts) -> None:
        """Let each set of ``cuts`` be entered as far as its node is taken."""
        count = len(cuts.terminal)
        start, arc = entering(self.graph, cuts)
        row = np.concatenate([np.repeat(np.arange(count), np.diff(start)), np.arange(count)])
        column = np.concatenate([arc, len(self.graph.tail) + cuts.terminal])
        data = np.concatenate([np.ones(len(arc)), np.full(count, -1.0)])
        self._keep(csr_array((data, (row, column)), shape=(count, len(self.cost))))

    def add_pairs(self, edge: Ints, end: Ints) -> None:
        """Let each ``edge`` (k,), either way, be taken no more than its ``end`` (k,), which is not the root."""
        count, half = len(edge), len(self.case.cost)
        row = np.tile(np.arange(count), 3)
        column = np.concatenate([edge, edge + half, end + 2 * half])
        data = np.repeat([-1.0, -1.0, 1.0], count)
        self._keep(csr_array((data, (row, column)), shape=(count, len(self.cost))))

    def _keep(self, fresh: csr_array) -> None:
        count = fresh.shape[0]
        self._add(fresh, np.full(count, np.inf))
        self._rows = csr_array(vstack([self._rows, fresh]))
        self._age = np.concatenate([self._age, np.zeros(count, dtype=np.int64)])

    def confine(self, found: Fraction, spare: float) -> int:
        """Settle what no tree within ``spare`` of the bound decides otherwise; return how many columns that fixes."""
        excess = np.concatenate([found.arc_excess, found.node_excess])
        out = (excess > spare) & (self.upper > self.lower)
        certain = (excess < -spare) & (self.upper > self.lower)
        self.upper[out], self.lower[certain] = 0.0, 1.0
        place = np.flatnonzero(out | certain)
        if len(place):
            self._lp.set_bounds(place, self.lower[place], self.upper[place])
        return len(place)

    def solve(self, *, seconds: float) -> Fraction:
        """Solve within ``seconds`` from where the last solve ended; drop cuts that have long not been tight.

        The bound is infinite where the limits of the columns leave no solution.
        """
        answer = self._lp.solve(seconds=seconds)
        arcs = len(self.graph.tail)
        if answer.status == INFEASIBLE:
            none = np.zeros(len(self.cost))
            return Fraction(np.inf, none[:arcs], none[arcs:], none[:arcs], none[arcs:], solved=False)
        # Whatever the solver's tolerance, duals of the right sign prove the bound that is computed from them here.
        fixed = answer.row_duals[: self._fixed.shape[0]].copy()
        fixed[self._equal :] = np.maximum(fixed[self._equal :], 0.0)
        dual = np.maximum(answer.row_duals[len(fixed) :], 0.0)
        excess = self.cost - self._rows.T @ dual - self._fixed.T @ fixed
        bound = self.shift + float((np.where(excess > 0.0, self.lower, self.upper) * excess).sum())
        solved = answer.status == OPTIMAL
        if solved:
            self._drop(answer.values, dual)
        value = answer.values
        return Fraction(bound, value[:arcs], value[arcs:], np.maximum(excess[:arcs], 0.0), excess[arcs:], solved=solved)

    def _drop(self, value: Floats, dual: Floats) -> None:
        loose = (np.asarray(self._rows @ value) > _SLACK) & (dual <= 0.0)
        self._age = np.where(loose, self._age + 1, 0)
        old = self._age > _MOST_AGE
        if old.any():
            self._lp.delete_rows(np.flatnonzero(old) + self._fixed.shape[0])
            self._rows = self._rows[~old]
            self._age = self._age[~old]


def moat_cuts(moats: Moats) -> Cuts:
    """Return the sets that ``moats`` paid for, each with its terminal's node."""
    owner = np.repeat(np.arange(len(moats.terminals)), np.diff(moats.start))
    paid = moats.since < moats.height[owner]
    owner, node, since = owner[paid], moats.node[paid], moats.since[paid]
    order = np.lexsort((since, owner))
    start = np.searchsorted(owner[order], np.arange(len(moats.terminals) + 1)).astype(np.int64)
    cuts = ascent_cuts(Ascent(moats.bound, np.zeros(0), moats.height, start, node[order], since[order]))
    return Cuts(moats.terminals[cuts.terminal], cuts.start, cuts.node)


def fixed_by(lp: PrizeLp, found: Fraction, cutoff: float) -> Case:
    """Return the case without what no tree of value ``cutoff`` or less holds, by the reduced costs."""
    case, graph, half = lp.case, lp.graph, len(lp.case.cost)
    spare = cutoff - found.bound
    lower, upper = lp.lower[2 * half :], lp.upper[2 * half :]
    # What is in every tree is paid in the bound already.
    toll = np.where(lower > 0.0, 0.0, np.maximum(found.node_excess, 0.0))
    length = found.arc_excess + toll[graph.head]
    length[lp.upper[: 2 * half] <= 0.0] = np.inf
    reach = distances(graph, length, np.array([lp.root]))
    ends = case.prized[case.prized != lp.root]
    home = distances(graph, length, ends, backwards=True)
    way = reach[graph.tail] + length + home[graph.head]
    keep = np.minimum(way[:half], way[half:]) <= spare
    nodes: Bools = (reach + home) <= spare
    certain = ((found.node_excess < -spare) | (lower > 0.0)) & ~case.required & nodes
    return subcase(with_required(case, np.flatnonzero(certain)), (nodes & (upper > 0.0)) | case.required, keep)
