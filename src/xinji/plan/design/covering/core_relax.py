"""The relaxation of a large instance, by way of its core: the sites that rough prices favour.

A few rounds on the whole instance say which sites can matter. On these alone many points have the
same list and merge, so that a round costs a fraction of one on the whole. The prices found are then
spread over the points, and the whole instance judges them: a site left out that earns too much joins
the core (pricing, as in column generation: Gilmore and Gomory, Operations Research 9, 1961).
"""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Bools, Floats
from xinji.plan.design.covering.covers import Covers
from xinji.plan.design.covering.pdhg import Begin, Relaxed, lists_of, look, relax
from xinji.plan.design.covering.reduce import Merged, join_prices, merge_points, spread_price
from xinji.plan.design.proof import Clock

_SMALL = 1_000_000
_ROUGH, _ROUGH_PART = 0.01, 0.4
_TURNS = ((0.1, 0.35), (0.05, 0.6), (0.05, 0.8), (0.05, 1.0))
_FREE = 2
_SHARED = 1e-6


def relax_by_core(covers: Covers, budget: float, *, seconds: float, gap: float, rounds: int) -> Relaxed:
    """Return the relaxation's answer as ``pdhg.relax`` does; small instances are left to it."""
    if len(covers.site) <= _SMALL:
        return relax(covers, budget, seconds=seconds, gap=gap, rounds=rounds)
    clock = Clock(seconds)
    best = relax(covers, budget, seconds=_ROUGH_PART * seconds, gap=_ROUGH, rounds=rounds)
    gain, inside = best.gain, np.zeros(covers.sites, dtype=np.bool_)
    for turn, (near, part) in enumerate(_TURNS):
        if clock.left <= 0.0:
            break
        close = near_sites(best, gain, covers.cost, near)
        inside = close if turn < _FREE else inside | close
        core = merge_points(covers, inside)
        begin = Begin(join_prices(core, best.price), best.share[core.site], best.balance)
        fine = relax(core.covers, budget, seconds=part * clock.left, gap=gap, rounds=rounds, first=begin)
        seen = _on_whole(covers, budget, core, fine)
        best, gain = _better(best, seen), seen.gain
        if seen.bound <= fine.bound * (1.0 + gap) and fine.bound <= fine.value * (1.0 + gap):
            break
    return best


def near_sites(relaxed: Relaxed, gain: Floats, cost: Floats, near: float) -> Bools:
    """Return the sites (m,) in use, or whose ``gain`` (m,) is at most a part ``near`` below their cost's worth."""
    worth = relaxed.budget_price * cost
    return np.asarray((relaxed.share > _SHARED) | (worth - gain <= near * worth))


def _on_whole(covers: Covers, budget: float, core: Merged, fine: Relaxed) -> Relaxed:
    """Return what the core's answer is worth on all sites."""
    price = spread_price(core, covers.weight, fine.price).astype(np.float32)
    share = np.zeros(covers.sites)
    share[core.site] = fine.share
    seen = look(lists_of(covers), covers, budget, price, share)
    return Relaxed(
        seen.price, seen.share, seen.gain, seen.bound, seen.value, seen.budget_price, fine.rounds, fine.balance
    )


def _better(best: Relaxed, seen: Relaxed) -> Relaxed:
    """Return the better bound with its prices, and the better shares with their value."""
    proof = seen if seen.bound < best.bound else best
    value = seen if seen.value > best.value else best
    return Relaxed(
        proof.price,
        value.share,
        proof.gain,
        proof.bound,
        value.value,
        proof.budget_price,
        best.rounds + seen.rounds,
        seen.balance,
    )
