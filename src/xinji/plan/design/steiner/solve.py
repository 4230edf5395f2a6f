"""Steiner trees with a proved bound: reductions, dual ascent, local search and cutting planes in turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from xinji.core.arrays import Floats, Ints, freeze
from xinji.plan.design.proof import Clock
from xinji.plan.design.steiner.ascent import ascend
from xinji.plan.design.steiner.certificate import Potentials, potentials_of, proved_bound
from xinji.plan.design.steiner.cutting import cutting_planes, set_entries
from xinji.plan.design.steiner.fixing import Fixing, both_ways, cost_step, cutoff, fixing, rounded
from xinji.plan.design.steiner.graph import EdgeGraph
from xinji.plan.design.steiner.heuristic import heuristic_tree
from xinji.plan.design.steiner.local_search import improve
from xinji.plan.design.steiner.reduce import edges_left, shrink
from xinji.plan.design.steiner.reduce_edges import delete_marked
from xinji.plan.design.steiner.reduce_graph import (
    Reduced,
    compressed,
    expanded,
    fixed_cost,
    shrinking,
    terminal_count,
)

_FIRST_STARTS = 8
_FIRST_SHARE = 0.15
_ROUND_STARTS = 3
_ROUNDS = 12
_ROOTS = 5
_CERTIFICATE_ROOTS = 3
_CERTIFICATE_SHARE = 0.04
_EXPLORED_SHARE = 0.3
_EXPLORING_STARTS = 300
_MOST_ENTRIES = 10_000_000
_LEAST_PROGRESS = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class SteinerTree:
    """A tree that spans the terminals: ``edges`` (k,) of the graph, their cost ``value``, and ``bound``.

    No tree costs less than ``bound``: proved by reductions, potentials on what they leave and deletions.
    ``certificate`` proves ``certified``, most of the bound, on the first graph, whatever the reductions did.
    """

    edges: Ints
    value: float
    bound: float
    certificate: Potentials
    certified: float

    def __post_init__(self) -> None:
        freeze(self.edges)


class _Search:
    """The graph as it shrinks, the best tree and the best bound so far.

    ``pace``: processor seconds that the last search for a better tree took.
    """

    def __init__(self, graph: EdgeGraph, terminals: Ints, *, clock: Clock, seed: int) -> None:
        self.graph, self.terminals, self.clock = graph, terminals, clock
        self.rng = np.random.default_rng(seed)
        self.step = cost_step(graph.cost)
        self.edges = heuristic_tree(graph, terminals, clock=clock, starts=0)
        self.value = float(graph.cost[self.edges].sum())
        self.bound = 0.0
        self.pace = 0.0
        self.work = shrinking(graph, terminals)

    @property
    def proved(self) -> bool:
        """Whether no better tree can exist."""
        return self.bound >= cutoff(self.value, self.step)

    def offer(self, edges: Ints) -> None:
        """Keep the tree of ``edges`` of the first graph if it is the best."""
        value = float(self.graph.cost[edges].sum())
        if value < self.value:
            self.edges, self.value = edges, value

    def raise_bound(self, bound: float) -> None:
        """Note that a tree better than the best one costs at least ``bound``."""
        self.bound = max(self.bound, min(self.value, rounded(bound, self.step)))


def steiner_tree(graph: EdgeGraph, terminals: Ints, *, seconds: float = 30.0, seed: int = 0) -> SteinerTree:
    """Return a tree of least cost that spans ``terminals``, or the best found in ``seconds`` of processor time.

    Raises InputError (no terminal, a node that does not exist) or InfeasibleError (terminals not connected).
    """
    clock = Clock(seconds)
    search = _Search(graph, np.unique(np.asarray(terminals, dtype=np.int64)), clock=clock, seed=seed)
    shrink(search.work, clock, rounds=1)
    _explore(search, _FIRST_SHARE * clock.left, _FIRST_STARTS)
    certificate = _certificate(search)
    certified = proved_bound(graph, search.terminals, certificate)
    search.raise_bound(certified)
    _fix(search)
    _explore(search, _EXPLORED_SHARE * clock.left, _EXPLORING_STARTS)
    while not search.proved and clock.left > 0.0:
        if _cut(search):
            break
        _fix(search)
    _explore(search, clock.left, _EXPLORING_STARTS)
    return SteinerTree(search.edges, search.value, min(search.bound, search.value), certificate, certified)


def _certificate(search: _Search) -> Potentials:
    """Return potentials on the first graph, from the best of several roots: as many as a small share of time allows."""
    arcs, cost = both_ways(search.graph), np.repeat(search.graph.cost, 2)
    allowed, begun = _CERTIFICATE_SHARE * search.clock.left, search.clock.spent
    best: tuple[float, Potentials] | None = None
    for root in search.rng.permutation(search.terminals)[:_CERTIFICATE_ROOTS].tolist():
        ascent = ascend(arcs, cost, root, search.terminals)
        if best is None or ascent.bound > best[0]:
            best = ascent.bound, potentials_of(ascent, root, search.terminals)
        if search.clock.spent - begun > allowed:
            break
    if best is None:
        raise ValueError("A dual ascent needs at least one root")
    return best[1]


def _fix(search: _Search) -> None:
    """Reduce, bound by dual ascent, improve and delete in turn while that takes edges away."""
    for _ in range(_ROUNDS):
        before, begun = edges_left(search.work), search.clock.spent
        shrink(search.work, search.clock)
        if _round(search) or search.clock.left <= search.clock.spent - begun:
            return
        if before - edges_left(search.work) <= _LEAST_PROGRESS * before:
            return


def _round(search: _Search) -> bool:
    """Bound, improve and delete once; return whether the best tree is proved to be one."""
    paid = fixed_cost(search.work, search.graph.cost)
    if terminal_count(search.work) < 2:
        _offer(search, np.zeros(0, dtype=np.int64))
        search.raise_bound(paid)
        return True
    left = compressed(search.work)
    if not _spans(left):
        search.raise_bound(search.value)
        return True
    found = _fixing(search, left)
    search.raise_bound(paid + found.ascent.bound)
    _improve(search, left, np.asarray(found.ascent.reduced).reshape(-1, 2).min(axis=1), _ROUND_STARTS)
    useless = paid + found.edge_bound >= cutoff(search.value, search.step)
    delete_marked(search.work, left.slot, useless)
    return search.proved


def _cut(search: _Search) -> bool:
    """Bound by cutting planes, improve and delete; return whether there is nothing left to do."""
    paid = fixed_cost(search.work, search.graph.cost)
    left = compressed(search.work)
    if len(left.terminals) < 2 or not _spans(left):
        # Whatever is better than the best tree would have to use a deleted edge.
        search.raise_bound(search.value)
        return True
    found = _fixing(search, left)
    if set_entries(found) > _MOST_ENTRIES:
        return True
    limit = cutoff(search.value, search.step) - paid
    cut = cutting_planes(left.graph, left.terminals, found, limit=limit, clock=search.clock, rng=search.rng)
    search.raise_bound(paid + cut.bound)
    _improve(search, left, (1.0 - np.clip(cut.value, 0.0, 1.0)) * left.graph.cost, _ROUND_STARTS)
    useless = paid + cut.edge_bound >= cutoff(search.value, search.step)
    delete_marked(search.work, left.slot, useless)
    return cut.exhausted or search.proved


def _fixing(search: _Search, left: Reduced) -> Fixing:
    """Return what dual ascents from several roots prove on what is left."""
    return fixing(left.graph, left.terminals, search.rng.permutation(left.terminals)[:_ROOTS], search.clock)


def _explore(search: _Search, seconds: float, starts: int) -> None:
    """Restart the heuristic in what is left for ``seconds``, unless the best tree is proved to be one."""
    left = compressed(search.work)
    if search.proved or seconds <= search.pace or len(left.terminals) < 2 or not _spans(left):
        return
    own, begun = int(search.rng.integers(2**31)), search.clock.spent
    tree = heuristic_tree(left.graph, left.terminals, clock=Clock(seconds), seed=own, starts=starts)
    _offer(search, left.slot[tree])
    search.pace = search.pace or search.clock.spent - begun


def _spans(left: Reduced) -> bool:
    """Return whether what is left still joins the terminals."""
    graph = left.graph
    ends = (graph.from_node, graph.to_node)
    entries = (np.ones(len(graph.cost)), ends)
    label = connected_components(coo_array(entries, shape=(graph.node_count, graph.node_count)), directed=False)[1]
    return len(np.unique(label[left.terminals])) == 1


def _improve(search: _Search, left: Reduced, hint: Floats, starts: int) -> None:
    """Look for a better tree in what is left, along edges of little ``hint`` (m,) first, if time is enough."""
    begun = search.clock.spent
    if search.clock.left <= search.pace:
        return
    own = int(search.rng.integers(2**31))
    tree = heuristic_tree(left.graph, left.terminals, clock=search.clock, starts=starts, hint=hint, seed=own)
    _offer(search, left.slot[tree])
    search.pace = search.clock.spent - begun


def _offer(search: _Search, slot: Ints) -> None:
    """Offer the tree of the shrunken graph in ``slot`` (k,)."""
    edges = np.flatnonzero(expanded(search.work, slot, len(search.graph.cost)))
    search.offer(improve(search.graph, search.terminals, edges))
