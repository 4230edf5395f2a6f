"""Rounds of the cut relaxation of a prize-collecting case: a bound, trees that its solutions suggest, deletions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.steiner.maxflow import Cuts
from xinji.plan.design.steiner.prize_bound import Arborescence, Bound, best_ascent
from xinji.plan.design.steiner.prize_case import Case
from xinji.plan.design.steiner.prize_cuts import prize_cuts
from xinji.plan.design.steiner.prize_local import improved
from xinji.plan.design.steiner.prize_lp import Fraction, PrizeLp, fixed_by, moat_cuts
from xinji.plan.design.steiner.prize_state import Search
from xinji.plan.design.steiner.prize_tree import Ground, best_tree, ground_of, joined_nodes

_ROUNDS = 200
_STALLED_ROUNDS = 5
_PROGRESS = 0.01
_MOST_CUTS = 60
_FEW_CUTS = 10
_TAKEN = 0.5
_BARELY = 1e-3
_NEAR = 1.03
_AFRESH = 0.6
_ZERO = 1e-9
_MERGED_ROUNDS = 2
_SECONDS = 0.05


def relax(state: Search, case: Case, merge: Callable[[Search, Case, Bools], None]) -> tuple[float, Case, int]:
    """Return the relaxation's bound, the case less what it rules out and a node to branch on.

    The node is -1 where none is left, or so little is left that the case is worth a relaxation of its own.
    ``merge`` looks for better trees among some nodes (n,) of the case: those of the trees of several rounds.
    """
    root = int(np.flatnonzero(case.required)[0])
    lp = PrizeLp(case, root)
    tree, bound = best_ascent(case, root)
    lp.add(moat_cuts(bound.ascent))
    lp.add_pairs(*_open_pairs(case, tree, bound))
    found = _rounds(state, lp, ground_of(case), merge)
    if found.bound > state.cutoff:
        return found.bound, case, -1
    halves = np.where(case.required, 0.0, 0.5 - np.abs(found.nodes - 0.5))
    inside = case.inside[np.argmax(halves)]
    edges, case = len(case.cost), fixed_by(lp, found, state.cutoff)
    if len(case.cost) < _AFRESH * edges:
        return found.bound, case, -1
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
        # With few edges left, a smaller case and its own cuts are solved sooner than this program again.
        if lp.open_edges < _AFRESH * len(lp.case.cost) or not _cut(lp, found):
            break
        found = lp.solve(seconds=max(state.clock.left, _SECONDS))
        open_gap = max(state.cutoff - found.bound, 0.0)
        stalled = 0 if found.bound - best.bound > _PROGRESS * open_gap else stalled + 1
        if found.bound >= best.bound:
            best = found
    return best


def _open_pairs(case: Case, tree: Arborescence, bound: Bound) -> tuple[Ints, Ints]:
    """Return every edge that an ascent left an arc without slack of, with each of its ends but the root."""
    slack = np.full(len(case.cost), np.inf)
    inner = tree.edge >= 0
    np.minimum.at(slack, tree.edge[inner], bound.ascent.slack[inner])
    edge = np.flatnonzero(slack <= _ZERO * max(abs(bound.value), 1.0))
    return _with_ends(edge, case, tree.root)


def _with_ends(edge: Ints, case: Case, root: int) -> tuple[Ints, Ints]:
    """Return ``edge`` (k,) with each end of it, without the edges at the root, where pairs say nothing."""
    edge = edge[(case.tail[edge] != root) & (case.head[edge] != root)]
    return np.tile(edge, 2), np.concatenate([case.tail[edge], case.head[edge]])


def _cut(lp: PrizeLp, found: Fraction) -> bool:
    """Add the broken pairs and broken cuts of nodes with a prize, or of others where those are few; say if any."""
    edge, end = _with_ends(np.flatnonzero(found.edges > _BARELY), lp.case, lp.root)
    over = found.edges[edge] > found.nodes[end] + _BARELY
    prized = lp.case.required | (lp.case.gain > 0.0)
    prized[lp.root] = False
    cuts = [_broken(lp, found, np.flatnonzero(prized))]
    if over.sum() + len(cuts[0].terminal) < _FEW_CUTS:
        prized[lp.root] = True
        cuts.append(_broken(lp, found, np.flatnonzero(~prized)))
    lp.add_pairs(edge[over], end[over])
    for broken in cuts:
        lp.add(broken)
    return bool(over.any()) or any(len(broken.terminal) for broken in cuts)


def _broken(lp: PrizeLp, found: Fraction, nodes: Ints) -> Cuts:
    nodes = nodes[found.nodes[nodes] > _BARELY]
    nodes = nodes[np.argsort(-found.nodes[nodes], kind="stable")]
    return prize_cuts(lp.graph, found.arcs, found.nodes, lp.root, nodes, most=_MOST_CUTS)


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
