"""Local search among sites of equal cost: chosen sites move, one at a time, while a temperature falls.

A step takes one chosen site out, each in turn, and draws its successor with the probabilities of Boltzmann
from itself, a few of the sites that share most with it, and one of those that would gain most anywhere
(heat bath: Geman and Geman, IEEE PAMI 6, 1984). Only how often a point is covered is kept, and what it
is worth while it is not: a gain is one sum over the points of a site, so that a step costs about ten such sums,
whether the site moves or stays, and nothing over the lists of the points.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from xinji.core.arrays import Floats, Ints
from xinji.plan.design.covering.covers import Covers, Reach
from xinji.plan.design.covering.pdhg import Lists, Marks, lists_of
from xinji.plan.jit import compiled, vectorised

Seeds: TypeAlias = NDArray[np.uint64]

_NEAR, _TRIES = 32, 8
_SAMPLE = 60
_POOL, _POOL_PART = 64, 3
_RENEW = 12.0
_STEP = 100.0
_FAR = 12.0


class Land(NamedTuple):
    """An instance as the moves read it: points by site, weights (n,), near sites (m, near), -1 behind them."""

    reach: Lists
    weight: Floats
    near: Ints


class Stand(NamedTuple):
    """A choice of sites, kept up to date.

    ``times`` (n,): chosen sites that cover the point; ``open`` (n,): its weight while there are none, else
    0; ``member`` (chosen,): the chosen sites; ``chosen`` (m,): 1 for them; ``total`` (1,): the weight
    covered; ``pool``: sites that would gain most, no two near each other, -1 behind them.
    """

    times: Marks
    open: Floats
    member: Ints
    chosen: Ints
    total: Floats
    pool: Ints


def land_of(covers: Covers, reach: Reach) -> Land:
    """Return ``covers`` as the moves read it; near are the sites that share most weight (on a sample of points)."""
    by_site = Lists(reach.start.view(np.uint64), reach.point.view(np.uint32))
    near = np.full((covers.sites, _NEAR), -1, dtype=np.int64)
    _find_near(lists_of(covers), by_site, covers.weight, near)
    return Land(by_site, covers.weight, near)


def stand_of(land: Land, sites: Ints) -> Stand:
    """Return the choice of ``sites`` (any number of positions)."""
    stand = Stand(
        times=np.zeros(len(land.weight), dtype=np.uint32),
        open=land.weight.copy(),
        member=np.sort(sites),
        chosen=np.zeros(len(land.near), dtype=np.int64),
        total=np.zeros(1),
        pool=np.full(max(_POOL, len(sites) // _POOL_PART), -1, dtype=np.int64),
    )
    for site in stand.member.tolist():
        stand.total[0] += _gain(land.reach, stand.open, site)
        _put(land, stand, site)
        stand.chosen[site] = 1
    return stand


@compiled
def _find_near(lists: Lists, reach: Lists, weight: Floats, near: Ints) -> None:
    """Fill ``near`` (m, near) with the sites that share most weight with each, most first."""
    common, touched = np.zeros(len(near)), np.zeros(len(near), dtype=np.int64)
    for j in range(len(near)):
        held = 0
        low, high = np.int64(reach.start[j]), np.int64(reach.start[j + 1])
        for q in range(low, high, max(int(high - low) // _SAMPLE, 1)):
            i = reach.site[q]
            for k in range(lists.start[i], lists.start[i + 1]):
                other = lists.site[k]
                if common[other] == 0.0 and weight[i] > 0.0:
                    touched[held] = other
                    held += 1
                common[other] += weight[i]
        common[j] = 0.0
        _keep_most(touched[:held], common, near[j])
        for t in range(held):
            common[touched[t]] = 0.0


@compiled
def _keep_most(site: Ints, value: Floats, kept: Ints) -> None:
    """Fill ``kept`` with those ``site`` whose ``value`` (m,) is largest and above 0, largest first."""
    held = 0
    for t in range(len(site)):
        worth = value[site[t]]
        if worth <= 0.0 or (held == len(kept) and worth <= value[kept[held - 1]]):
            continue
        place = min(held, len(kept) - 1)
        while place > 0 and value[kept[place - 1]] < worth:
            kept[place] = kept[place - 1]
            place -= 1
        kept[place] = site[t]
        held = min(held + 1, len(kept))


@vectorised
def _gain(reach: Lists, open_weight: Floats, site: int) -> float:
    """Return the weight that ``site`` would add."""
    total = 0.0
    for q in range(reach.start[site], reach.start[site + 1]):
        total += open_weight[reach.site[q]]
    return total


@compiled
def _put(land: Land, stand: Stand, site: int) -> None:
    reach = land.reach
    for q in range(reach.start[site], reach.start[site + 1]):
        stand.times[reach.site[q]] += 1
        stand.open[reach.site[q]] = 0.0


@compiled
def _take(land: Land, stand: Stand, site: int) -> None:
    reach = land.reach
    for q in range(reach.start[site], reach.start[site + 1]):
        i = reach.site[q]
        stand.times[i] -= 1
        if stand.times[i] == 0:
            stand.open[i] = land.weight[i]


@compiled
def draw(state: Seeds) -> float:
    """Return a number in [0, 1) (xorshift64*, Vigna, ACM TOMS 42, 2016)."""
    value = state[0]
    value ^= value >> np.uint64(12)
    value ^= value << np.uint64(25)
    value ^= value >> np.uint64(27)
    state[0] = value
    return np.float64((value * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) / 9007199254740992.0


@compiled
def _renew_pool(land: Land, stand: Stand) -> None:
    """Fill the pool with the sites of most gain, none near one before it."""
    gain, shut = np.zeros(len(land.near)), stand.chosen > 0
    for j in range(len(gain)):
        if not shut[j]:
            gain[j] = _gain(land.reach, stand.open, j)
    held = 0
    stand.pool[:] = -1
    for j in np.argsort(-gain):
        if held == len(stand.pool) or gain[j] <= 0.0:
            break
        if not shut[j]:
            stand.pool[held] = j
            held += 1
            for other in land.near[j]:
                if other >= 0:
                    shut[other] = True


@compiled
def _successors(land: Land, stand: Stand, site: int, drawn: tuple[Ints, Floats, Seeds]) -> int:
    """List sites that may follow ``site``, which is out, itself first, with their gains; return how many there are."""
    following, gain, state = drawn
    near = land.near[site]
    first, count = np.int64(draw(state) * len(near)), 0
    for t in range(_TRIES + 2):
        if t == 0:
            other = site
        elif t <= _TRIES:
            other = near[(first + t) % len(near)]
        else:
            other = stand.pool[np.int64(draw(state) * len(stand.pool))]
        if other >= 0 and (stand.chosen[other] == 0 or t == 0):
            following[count], gain[count] = other, _gain(land.reach, stand.open, other)
            count += 1
    return count


@compiled
def _pick(gain: Floats, temperature: float, state: Seeds) -> int:
    """Draw a place of ``gain`` with weights of Boltzmann."""
    most, pick, total = np.max(gain), 0, 0.0
    for t in range(len(gain)):
        if gain[t] >= most - _FAR * temperature:
            chance = np.exp((gain[t] - most) / temperature)
            total += chance
            if draw(state) * total < chance:
                pick = t
    return pick


@compiled
def move(land: Land, stand: Stand, goal: tuple[float, float, float], best: Ints, state: Seeds) -> tuple[float, float]:
    """Let every chosen site in turn move or stay, in whole rounds; return the best value known and the pairs read.

    ``goal``: temperature, the best value known, the pairs to read at least. ``best`` (chosen,) receives every
    better choice. ``state``: the seed, and the pairs that may be read before the pool is renewed.
    """
    temperature, top, enough = goal
    following, gain = np.zeros(_TRIES + 2, dtype=np.int64), np.zeros(_TRIES + 2)
    start, pairs, done = land.reach.start, float(len(land.reach.site)), 0.0
    while done < enough:
        read = 0.0
        if state[1] == 0:
            _renew_pool(land, stand)
            read = pairs
            state[1] = np.uint64(_RENEW * pairs) + np.uint64(1)
        for at in range(len(stand.member)):
            site = stand.member[at]
            _take(land, stand, site)
            count = _successors(land, stand, site, (following, gain, state))
            pick = _pick(gain[:count], temperature, state)
            other = following[pick]
            _put(land, stand, other)
            read += (count + 2) * float(start[site + 1] - start[site]) + _STEP
            if other != site:
                stand.chosen[site], stand.chosen[other], stand.member[at] = 0, 1, other
                stand.total[0] += gain[pick] - gain[0]
                if stand.total[0] > top:
                    top = stand.total[0]
                    best[:] = stand.member
        state[1] -= min(state[1], np.uint64(read))
        done += read
    return top, done
