"""Steiner trees near the optimum: restarts, local search, and the best parts of all that was found.

Each round grows a tree from a random terminal and brings it to a local optimum. A few more trees are grown in the
union of it and the best tree, and the best parts of all these are kept. Rounds take turns: paths are short under
randomly disturbed costs (Pajor, Uchoa & Werneck, Mathematical Programming Computation 10 (2018)) or under the reduced
costs of a dual ascent from that terminal (Wong, Mathematical Programming 28 (1984)).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.errors import Fault, InputError
from xinji.plan.design.proof import Clock
from xinji.plan.design.steiner.ascent import ascend
from xinji.plan.design.steiner.crossover import best_parts
from xinji.plan.design.steiner.fixing import both_ways
from xinji.plan.design.steiner.graph import EdgeGraph
from xinji.plan.design.steiner.local_search import MOST_PASSES, improve_on, search
from xinji.plan.design.steiner.shortest_path import Net, checked, grown, prepare, spanning, steps, value

STARTS = 200
"""Rounds unless told otherwise."""

DISTURBANCE = 0.7
"""Greatest share that is added to a cost at random."""

COST_SHARE = 0.03
"""Share of the cost that is added to reduced costs, to choose among paths that have none."""


UNION_STARTS = 2
"""Trees grown in the union of the best tree and the one of a round."""


def heuristic_tree(
    graph: EdgeGraph,
    terminals: Ints,
    *,
    clock: Clock,
    seed: int = 0,
    starts: int = STARTS,
    start: Ints | None = None,
    hint: Floats | None = None,
) -> Ints:
    """Return the edges of a good tree that spans ``terminals``, after ``starts`` rounds or when ``clock`` has run out.

    ``start``: edges to begin from that connect the terminals; ``hint``: weights at least 0 of the edges (m,) or the
    arcs (2 m,), such as reduced costs, that guide one more tree. The same input gives the same tree unless the clock
    cuts it short. Raises InputError (no terminal, hint of another length) or InfeasibleError (not connected).
    """
    net = prepare(graph, terminals)
    rng = np.random.default_rng(seed)
    first = int(net.terminals[0])
    best = _local(net, net.length, first)
    if start is not None:
        best = _better(net, best, improve_on(net, start))
    if hint is not None:
        best = _better(net, best, _local(net, _hinted(net, hint), first))
    if len(net.terminals) > 1:
        rounds: tuple[Callable[[int], Floats], ...] = (partial(_disturbed, net, rng), _reduced(graph, net))
        longest = 0.0
        for turn in range(starts):
            # A round that time would cut short is not begun.
            if clock.left <= longest:
                break
            begun = clock.spent
            root = int(rng.choice(net.terminals))
            other = _local(net, rounds[turn % len(rounds)](root), root)
            best = _better(net, best, other if clock.left == 0.0 else _united(net, rng, best, other))
            longest = max(longest, clock.spent - begun)
    return np.flatnonzero(best)


def _hinted(net: Net, hint: Floats) -> Floats:
    """Return the step lengths (2 m,) that ``hint`` asks for."""
    if len(hint) not in (len(net.cost), 2 * len(net.cost)):
        found = f"{len(hint)} weights for {len(net.cost)} edges"
        raise InputError([Fault("hint", found, "Give one for each edge, or two for its two directions.")])
    return steps(net, hint) + COST_SHARE * net.length


def _disturbed(net: Net, rng: np.random.Generator, _root: int) -> Floats:
    """Return step lengths (2 m,) of randomly raised costs, the same both ways."""
    return steps(net, net.cost * (1.0 + DISTURBANCE * rng.random(len(net.cost))))


def _reduced(graph: EdgeGraph, net: Net) -> Callable[[int], Floats]:
    """Return what gives the step lengths (2 m,) of a dual ascent from a root."""
    arcs, cost = both_ways(graph), np.repeat(net.cost, 2)

    def lengths(root: int) -> Floats:
        return _hinted(net, ascend(arcs, cost, root, net.terminals).reduced)

    return lengths


def _local(net: Net, length: Floats, root: int) -> Bools:
    """Return the local optimum reached from the shortest path tree of steps of ``length`` from ``root``."""
    return search(net, checked(net, spanning(net, grown(net, length, root))), MOST_PASSES)


def _united(net: Net, rng: np.random.Generator, first: Bools, second: Bools) -> Bools:
    """Return a local optimum made of edges of the trees ``first`` and ``second`` (m,), then improved with all edges."""
    edges = np.flatnonzero(first | second)
    ends = np.concatenate([net.tail[edges], net.head[edges]])
    nodes = np.unique(np.concatenate([ends, net.terminals]))
    tail, head = np.searchsorted(nodes, ends).reshape(2, -1)
    small = prepare(
        EdgeGraph(len(nodes), tail, head, net.cost[edges]), np.searchsorted(nodes, net.terminals).astype(np.int64)
    )
    best = search(small, best_parts(small, first[edges], second[edges]), MOST_PASSES)
    for _ in range(UNION_STARTS):
        root = int(rng.choice(small.terminals))
        best = _better(small, best, _local(small, _disturbed(small, rng, root), root))
    inside = np.zeros(len(net.cost), np.bool_)
    inside[edges[best]] = True
    return search(net, inside, MOST_PASSES)


def _better(net: Net, best: Bools, other: Bools) -> Bools:
    """Return the cheapest of ``best``, ``other`` and the local optimum of their best parts."""
    both = search(net, best_parts(net, best, other), MOST_PASSES)
    return min((best, other, both), key=lambda tree: value(net, tree))
