"""Rounds of the cut relaxation of a prize-collecting case: a bound, trees that its solutions suggest, deletions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.steiner.maxflow import Cuts
from xinji.plan.design.steiner.prize_bound import best_ascent
from xinji.plan.design.steiner.prize_case import Case
from xinji.plan.design.steiner.prize_cuts import prize_cuts
from xinji.plan.design.steiner.prize_local import improved
from xinji.plan.design.steiner.prize_lp import Fraction, PrizeLp, fixed_by, moat_cuts
from xinji.plan.design.steiner.prize_state import Search
from xinji.plan.design.steiner.prize_tree import Ground, best_tree, ground_of, joined_nodes

_ROUNDS = 200
_STALLED_ROUNDS = 12
_PROGRESS = 0.01
_MOST_CUTS = 60
_FEW_CUTS = 10
_TAKEN = 0.5
_BARELY = 1e-3
_NEAR = 1.03
_MERGED_ROUNDS = 6
_SECONDS = 0.05


def relax(state: Search, case: Case, merge: Callable[[Search, Case, Bools], None]) -> tuple[float, Case, int]:
    """Return the relaxation's bound, the case less what it rules out and a node to branch on (-1 if none is left).

    ``merge`` looks for better trees among some nodes (n,) of the case: those of the trees of several rounds.
    """
    root = int(np.flatnonzero(case.required)[0])
    lp = PrizeLp(case, root)
    lp.add(moat_cuts(best_ascent(case, root)[1].ascent))
    found = _rounds(state, lp, ground_of(case), merge)
    if found.bound > state.cutoff:
        return found.bound, case, -1
    halves = np.where(case.required, 0.0, 0.5 - np.abs(found.nodes - 0.5))
    inside = case.inside[np.argmax(halves)]
    case = fixed_by(lp, found, state.cutoff)
    kept = np.flatnonzero((case.inside == inside) & ~case.required)
    free = kept if len(kept) else np.flatnonzero(~case.required)
    return found.bound, case, int(free[0]) if len(free) else -1


def _rounds(state: Search, lp: PrizeLp, ground: Ground, merge: Callable[[Search, Case, Bools], None]) -> Fraction:
    """Solve and cut until the bound passes the best tree, no cut is broken or none helps; return the best solve."""
    best = found = lp.solve(seconds=max(state.clock.left, _SECONDS))
    stalled = 0
    seen = np.zeros(lp.case.node_count, dtype=np.bool_)
    for round_ in range(1, _ROUNDS + 1):
        if best.bound > state.cutoff or not found.solved:
            break
        seen |= _offer_trees(state, lp.case, ground, found, lp.root) | (found.nodes > _BARELY)
        if round_ % _MERGED_ROUNDS == 0:
            merge(state, lp.case, seen)
            seen[:] = False
        if best.bound > state.cutoff or stalled > _STALLED_ROUNDS or state.clock.left <= 0.0:
            break
        lp.confine(found, state.cutoff - found.bound)
        cuts = _cuts(lp, found)
        if not len(cuts.terminal):
            break
        lp.add(cuts)
        found = lp.solve(seconds=max(state.clock.left, _SECONDS))
        open_gap = max(state.cutoff - found.bound, 0.0)
        stalled = 0 if found.bound - best.bound > _PROGRESS * open_gap else stalled + 1
        if found.bound >= best.bound:
            best = found
    return best


def _cuts(lp: PrizeLp, found: Fraction) -> Cuts:
    """Return broken cuts of nodes with a prize, or of others where those are few."""
    prized = lp.case.required | (lp.case.gain > 0.0)
    prized[lp.root] = False
    cuts = _both(_pairs(lp, found), _broken(lp, found, np.flatnonzero(prized)))
    if len(cuts.terminal) < _FEW_CUTS:
        prized[lp.root] = True
        cuts = _both(cuts, _broken(lp, found, np.flatnonzero(~prized)))
    return cuts


def _pairs(lp: PrizeLp, found: Fraction) -> Cuts:
    """Return broken cuts of two neighbours: an edge is taken no more than either of its ends."""
    case = lp.case
    ends = [(case.tail, case.head), (case.head, case.tail)]
    over = [(found.edges > found.nodes[one] + _BARELY) & (one != lp.root) & (other != lp.root) for one, other in ends]
    broken = [np.stack([other[at], one[at]], axis=1) for (one, other), at in zip(ends, over, strict=True)]
    pairs = np.concatenate(broken)
    return Cuts(pairs[:, 0].copy(), 2 * np.arange(len(pairs) + 1), pairs.ravel())


def _broken(lp: PrizeLp, found: Fraction, nodes: Ints) -> Cuts:
    nodes = nodes[found.nodes[nodes] > _BARELY]
    nodes = nodes[np.argsort(-found.nodes[nodes], kind="stable")]
    return prize_cuts(lp.graph, found.arcs, found.nodes, lp.root, nodes, most=_MOST_CUTS)


def _both(one: Cuts, other: Cuts) -> Cuts:
    return Cuts(
        np.concatenate([one.terminal, other.terminal]),
        np.concatenate([one.start, one.start[-1] + other.start[1:]]),
        np.concatenate([one.node, other.node]),
    )


def _offer_trees(state: Search, case: Case, ground: Ground, found: Fraction, root: int) -> Bools:
    """Offer the trees on nodes taken more than half and on paths that the solution makes cheap; return their nodes."""
    price: Floats = case.cost * np.maximum(1.0 - found.edges, 0.0)
    seen = np.zeros(case.node_count, dtype=np.bool_)
    for allowed in (found.nodes > _TAKEN, joined_nodes(case, ground, price, root)):
        tree = best_tree(case, ground, allowed, root)
        if np.isfinite(tree.value) and tree.value <= state.value * _NEAR:
            tree = improved(case, ground, tree, root)
            state.offer(case, tree)
            seen |= tree.nodes
    return seen
