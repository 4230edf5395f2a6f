"""Charges: what options pay for the trenches of each stage in the relaxation.

By stage t a plan has dug trenches that join all that stands by then. Digging in stage s at the price p(s) of a
cent, never rising, is paying the rent p(t) - p(t + 1) in every stage t from s on: what stands in a stage bears
the rent of a tree of that stage, and each stage has cores of its own, which pack into the same capex. So the
few options of the first years bear the whole way to a root, not only the part that those of all years share.
What a core is wide is split among the options in it, in proportion to what their prizes have left; options
are then chosen one by one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.core.offer import EXISTING, FORBIDDEN
from xinji.core.problem import Problem
from xinji.plan.choose.cores import Cores, grow_cores
from xinji.plan.jit import compiled

_SAFETY = 1.0 - 1e-12
_NOTHING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Charges:
    """``cents`` (n, T) of trench capex that each option bears where it stands, and the ``cores`` of each stage (T,).

    ``station`` (n,) is the node around which an option's cores grow, or -1.
    """

    cents: Floats
    cores: tuple[Cores, ...]
    station: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Stations:
    """Where cores can stand: ``roots``, ``station`` (n,) as in ``Charges``, and the nodes of all stations."""

    roots: Ints
    station: Ints
    nodes: Ints


def stations(problem: Problem, roots: Ints) -> Stations:
    """Return the stations of the options that are joined on their own, and not from the start."""
    free = (problem.built != EXISTING) & (problem.built != FORBIDDEN)
    alone = (problem.host < 0) & free & (problem.node >= 0)
    alone &= ~np.isin(problem.node, roots)
    station = np.where(alone, problem.node, -1)
    return Stations(roots, station, np.unique(station[alone]))


def upkeep(problem: Problem) -> float:
    """Return the least yearly opex of a trench per unit of capex."""
    priced = problem.trench_capex > 0
    share = problem.trench_opex[priced] / problem.trench_capex[priced]
    return float(share.min()) if len(share) else 0.0


def rents(money: Floats, opex_share: float) -> tuple[Ints, Floats]:
    """Return what a cent of trench costs for standing in each stage (T,), and the stage that pays for it (T,).

    ``money`` (T,) is the price of a cent by stage. Digging costs capex once and ``opex_share`` in every stage
    from then on. Where that is dearer later, the cheapest stage so far is taken: no plan pays less.
    """
    later = np.cumsum(money[::-1])[::-1]
    price = money + opex_share * later
    payer = np.arange(len(money))
    for t in range(1, len(money)):
        payer[t] = t if price[t] < price[payer[t - 1]] else payer[t - 1]
    return payer, price[payer] - np.append(price[payer][1:], 0.0)


def charge(problem: Problem, at: Stations, prize: Floats) -> Charges:
    """Grow cores for each stage on the prizes (n, T) [cents] of options and split their widths."""
    alone = at.station >= 0
    own = np.where(alone[:, None], prize, 0.0)
    count = np.bincount(at.station[alone], minlength=problem.node_count)
    cents, grown = np.zeros(own.shape), []
    for t in range(problem.stages):
        total = np.bincount(at.station[alone], weights=own[alone, t], minlength=problem.node_count).astype(float)
        cores = grow_cores(problem, at.roots, total, at.nodes)
        borne = np.zeros(problem.node_count)
        borne[at.nodes] = _split(cores.width, cores.parent, total[at.nodes])
        place = at.station[alone]
        part = np.where(total[place] > _NOTHING, own[alone, t] / np.maximum(total[place], _NOTHING), 1.0 / count[place])
        cents[alone, t] = borne[place] * part * _SAFETY
        grown.append(cores)
    return Charges(cents, tuple(grown), at.station)


@compiled
def _split(width: Floats, parent: Ints, left: Floats) -> Floats:
    """Return what each station (k,) bears of the cores' ``width``, in proportion to what is ``left`` of its prize.

    The stations' own cores come first, every core before the one around it. Where nothing is left, all bear alike.
    """
    stations = len(left)
    left, borne = left.copy(), np.zeros(stations)
    first, last = np.full(len(width), -1), np.full(len(width), -1)
    follow = np.full(stations, -1)
    for core in range(stations):
        first[core] = last[core] = core
    for core in range(len(width)):
        total, members, station = 0.0, 0, first[core]
        while station >= 0:
            total += left[station]
            members += 1
            station = follow[station]
        station = first[core]
        while station >= 0:
            pays = width[core] * (left[station] / total if total > _NOTHING else 1.0 / members)
            borne[station] += pays
            left[station] = max(0.0, left[station] - pays)
            station = follow[station]
        around = parent[core]
        if around >= 0 and first[around] < 0:
            first[around], last[around] = first[core], last[core]
        elif around >= 0:
            follow[last[around]] = first[core]
            last[around] = last[core]
    return borne


def dues(charges: Charges, rent: Floats) -> Floats:
    """Return what each option pays at the ``rent`` (T,) of each stage, by the stage from which it stands (n, T)."""
    return np.asarray(np.cumsum((charges.cents * rent)[:, ::-1], axis=1)[:, ::-1])


def prizes(problem: Problem, gains: Floats, money: Floats) -> Floats:
    """Return what every option can bear in each stage (n, T) [cents of trench capex].

    ``gains`` (n, T) is what it gains with all that it hosts by standing from each stage on, trenches apart. The
    best stage to begin with stays as good as any later one, and as never; what is committed bears anything.
    """
    stages = problem.stages
    _, rent = rents(money, upkeep(problem))
    gains = np.append(np.maximum(gains, -1e18), np.zeros((len(gains), 1)), axis=1)
    begin = gains.argmax(axis=1)
    step = np.where(np.arange(stages) >= begin[:, None], gains[:, :-1] - gains[:, 1:], 0.0)
    saved = np.minimum.accumulate(np.cumsum(step, axis=1)[:, ::-1], axis=1)[:, ::-1]
    prize = np.maximum(np.diff(saved, axis=1, prepend=0.0), 0.0)
    prize = np.where(rent > 0.0, prize / np.where(rent > 0.0, rent, 1.0), 0.0)
    committed = problem.built > EXISTING
    due = np.arange(1, stages + 1) >= problem.built[:, None]
    everything = float(problem.trench_capex.sum() + 1)
    return np.where(committed[:, None], np.where(due, everything, 0.0), np.minimum(prize, everything))
