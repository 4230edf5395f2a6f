"""What whole sites are worth at most, recomputed for the certificate from the Problem alone.

It shares nothing with the module that the search uses (``block``), and proves the same worth in another
way. A site is a host that serves nothing itself, with up to ``LARGEST`` options on it that host nothing.
With the set S of its options standing in a stage, let d be the worth of rows per amount of the kept
resource, falling, f(j) the most of it that the first j rows can take, and y what rows take in any plan. Then

    sum of d y = sum over j of (d(j) - d(j + 1)) (y(1) + .. + y(j)) <= sum of (d(j) - d(j + 1)) f(j),

where f(j) is the least, over the sets U within S, of what U offers and all that rows can take which others
than U can serve too: a cut between rows and options, so no plan passes it (Ford and Fulkerson 1956).
A row is paid by the best of its arcs on S, and takes no more than its arcs' shares or 1. All together gain no
more than the arcs of S one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.core.offer import EXISTING, FREE
from xinji.core.problem import Problem
from xinji.core.vocabulary import RESOURCES

LARGEST = 5
"""Options on a site at most; those with more are not kept whole."""

_RADIO = [k for k, name in enumerate(RESOURCES) if name != "servers"]


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """Sites of equally many options: ``host`` (b,), ``option`` (b, c) and the ``resource`` (b,) each keeps."""

    host: Ints
    option: Ints
    resource: Ints


def sites(problem: Problem) -> Iterator[Sites]:
    """Yield the sites kept whole, by their number of options; each keeps the resource that is scarcer at its end."""
    held = problem.host >= 0
    count = np.bincount(problem.host[held], minlength=len(problem.host))
    serves = np.zeros(len(count), dtype=bool)
    serves[problem.arc_option] = True
    plain = (count == 0) & held
    flat = np.bincount(problem.host[plain], minlength=len(count)) == count
    used = np.bincount(problem.host[held & serves], minlength=len(count)) > 0
    order = np.argsort(problem.host, kind="stable")
    for size in range(1, LARGEST + 1):
        host = np.flatnonzero((count == size) & flat & used & ~serves)
        if len(host):
            first = np.searchsorted(problem.host[order], host)
            option = order[first[:, None] + np.arange(size)]
            yield Sites(host, option, _scarcer(problem, host, option))


def _scarcer(problem: Problem, host: Ints, option: Ints) -> Ints:
    at = np.full(len(problem.host), -1)
    at[option] = np.arange(len(host))[:, None]
    rows = len(problem.value)
    known = np.unique(at[problem.arc_option] * rows + problem.arc_row)
    known = known[known >= 0]
    share = np.empty((len(_RADIO), len(host)))
    for place, k in enumerate(_RADIO):
        need = np.bincount(known // rows, weights=problem.amount[known % rows, -1, k], minlength=len(host))
        share[place] = need / np.maximum(problem.capacity[option, k].sum(axis=1), 1e-9)
    return np.asarray(np.array(_RADIO)[share.argmax(axis=0)], dtype=np.int64)


def site_gains(problem: Problem, kept: Sites, profit: Floats, own: Floats, price: Floats) -> Floats:
    """Return what the options of each site add at most if its host stands from stage 0..T on, or never (b, T + 2).

    ``profit`` (a, T) is what each arc gains by serving its whole row, ``own`` (n, T) what each option gains by
    standing in a stage, costs and arcs apart; ``price`` (T,) is that of a cent.
    """
    sets = 1 << kept.option.shape[1]
    holds = (np.arange(sets)[:, None] >> np.arange(kept.option.shape[1])) & 1 == 1
    running = own - problem.opex[:, None] * price
    worth = np.einsum("si,bit->bst", holds.astype(float), running[kept.option])
    by_option = np.argsort(problem.arc_option, kind="stable")
    start = np.searchsorted(problem.arc_option[by_option], np.arange(len(problem.host) + 1))
    for b, options in enumerate(kept.option):
        arcs = np.concatenate([by_option[start[i] : start[i + 1]] for i in options])
        bit = np.repeat(np.arange(len(options)), start[options + 1] - start[options])
        worth[b] += _set_worths(problem, options, int(kept.resource[b]), (arcs, bit), profit[arcs])
    return _over_stages(problem, kept, holds, worth, price)


def _set_worths(problem: Problem, options: Ints, k: int, arcs: tuple[Ints, Ints], profit: Floats) -> Floats:
    """Return what each set of ``options`` gains by serving in each stage (sets, T) at most."""
    stages, size = profit.shape[1], len(options)
    row, place = np.unique(problem.arc_row[arcs[0]], return_inverse=True)
    best, share = np.zeros((size, len(row), stages)), np.zeros((size, len(row)))
    alone = np.zeros((size, stages))
    np.add.at(alone, arcs[1], problem.arc_share[arcs[0], None] * np.maximum(profit, 0.0))
    np.maximum.at(best, (arcs[1], place), profit)
    np.add.at(share, (arcs[1], place), problem.arc_share[arcs[0]])
    can = np.zeros((size, len(row)), dtype=bool)
    can[arcs[1], place] = True
    amount, value = problem.amount[row, :, k], np.zeros((1 << size, stages))
    for chosen in range(1, 1 << size):
        inside = [i for i in range(size) if chosen >> i & 1]
        limit = np.minimum(share[inside].sum(axis=0), 1.0)[:, None]
        gain = best[inside].max(axis=0)
        value[chosen] = (gain * limit * (amount <= 0.0)).sum(axis=0)
        value[chosen] += _packed(gain, amount, limit * amount, can[inside], problem.capacity[options[inside], k])
        value[chosen] = np.minimum(value[chosen], alone[inside].sum(axis=0))
    return value


def _packed(gain: Floats, amount: Floats, most: Floats, can: Floats, offer: Floats) -> Floats:
    """Return the sum of (d(j) - d(j + 1)) f(j) in each stage (T,), for rows of some amount."""
    density = np.where(amount > 0.0, gain / np.where(amount > 0.0, amount, 1.0), 0.0)
    order = np.argsort(-density, axis=0, kind="stable")
    density = np.take_along_axis(density, order, axis=0)
    fall = density - np.vstack([density[1:], np.zeros((1, density.shape[1]))])
    least = np.full(density.shape, np.inf)
    for cut in range(1 << len(offer)):
        within = (cut >> np.arange(len(offer)) & 1).astype(bool)
        beyond = most * can[~within].any(axis=0)[:, None]
        least = np.minimum(least, offer[within].sum() + np.take_along_axis(beyond, order, axis=0).cumsum(axis=0))
    return np.asarray((fall * least).sum(axis=0))


def _over_stages(problem: Problem, kept: Sites, holds: Floats, worth: Floats, price: Floats) -> Floats:
    """Return the best of each site over sets that only grow, by its host's stage (b, T + 2)."""
    b, sets, stages = worth.shape
    built, capex = problem.built[kept.option][:, :, None], problem.capex[kept.option][:, :, None]
    stage = np.arange(1, stages + 1)
    build = np.where((built == FREE) | (built == stage), capex * price, np.inf)
    early = np.where(built == EXISTING, 0.0, build)[:, :, 0]
    missing = np.where(holds[None], 0.0, np.where(built[:, :, 0] >= EXISTING, np.inf, 0.0)[:, None]).sum(axis=2)
    ahead = worth[:, :, -1] - missing
    total = np.full((b, stages + 2), -np.inf)
    total[:, -1] = -missing[:, 0]
    for t in range(stages - 1, -1, -1):
        paid = np.where(holds[None], build[:, None, :, t], 0.0).sum(axis=2)
        total[:, t + 1] = (ahead - paid).max(axis=1)
        if t:
            then = np.full((b, sets), -np.inf)
            for now in range(sets):
                for later in range(sets):
                    if now & later == now:
                        then[:, now] = np.maximum(then[:, now], ahead[:, later] - paid[:, later & ~now])
            ahead = then + worth[:, :, t - 1]
    paid = np.where(holds[None], early[:, None], 0.0).sum(axis=2)
    total[:, 0] = (ahead - paid).max(axis=1)
    return total
