"""Simulated annealing over what is built when, with budgets that may be overspent at a price for a while."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from xinji.core.arrays import Floats, Ints
from xinji.plan.design.covering.covers import Places
from xinji.plan.design.covering.staged_state import Field, State, gain_without, put, take
from xinji.plan.jit import compiled

_ADD, _SHIFT, _EXCHANGE, _NEAR = 0.1, 0.3, 0.4, 0.8
_SAME_STAGE = 0.8
_WITHIN = 1e-9
_SAMPLE = 200
_UNIT = 1.0 / 9007199254740992.0


class Purse(NamedTuple):
    """Costs (m,), cumulative ``budget`` (T,), its ``price`` (T,) and the price of each unit overspent ``over`` (T,)."""

    cost: Floats
    budget: Floats
    price: Floats
    over: Floats


class Walk(NamedTuple):
    """Where the search is: money ``spent`` (T,) and the sites ``built`` (m,), in the first ``number`` (1,) places.

    ``place`` (m,) says where each stands; ``best`` (m,) are the best stages, of ``best_value`` (1,);
    ``seed`` (1,) is the state of the random numbers.
    """

    spent: Floats
    built: Ints
    place: Ints
    number: Ints
    best: Ints
    best_value: Floats
    seed: NDArray[np.uint64]


def begin(field: Field, state: State, purse: Purse, stage: Ints, seed: int) -> Walk:
    """Build ``stage`` (m,), T for never, into the empty ``state`` and return the search that starts there."""
    sites, stages = len(stage), len(purse.budget)
    built = np.flatnonzero(stage < stages)
    for site in built:
        put(field, state, int(site), int(stage[site]))
    place = np.full(sites, -1, dtype=np.int64)
    place[built] = np.arange(len(built))
    order = np.zeros(sites, dtype=np.int64)
    order[: len(built)] = built
    spent = np.array([purse.cost[stage <= t].sum() for t in range(stages)])
    mixed = np.random.default_rng(seed).integers(1, 2**63, size=1).astype(np.uint64)
    number = np.array([len(built)], dtype=np.int64)
    return Walk(spent, order, place, number, stage.copy(), state.value.copy(), mixed)


@compiled
def anneal(
    field: Field, state: State, purse: Purse, walk: Walk, near: Places, heat: tuple[float, float], moves: int
) -> None:
    """Try ``moves`` random changes while the temperature falls from ``heat[0]`` to ``heat[1]``.

    A change adds, takes away, shifts, exchanges or swaps sites; ``near`` (m, k) names sites that share points
    with each (-1: none). ``walk.best`` keeps the best that overspends no budget.
    """
    ratio = heat[1] / heat[0]
    stages = len(purse.budget)
    for turn in range(moves):
        temperature = heat[0] * ratio ** (turn / moves)
        draw = uniform(walk.seed)
        if draw < _ADD or walk.number[0] == 0:
            _try_add(field, state, purse, walk, temperature)
        else:
            site = walk.built[below(walk.seed, walk.number[0])]
            if draw < _SHIFT:
                _try_shift(field, state, purse, walk, temperature, site)
            elif draw < _EXCHANGE:
                _try_exchange(field, state, purse, walk, temperature, site)
            else:
                other = below(walk.seed, len(purse.cost))
                if draw < _NEAR:
                    other = near[site, below(walk.seed, near.shape[1])]
                if other >= 0 and state.stage[other] == stages:
                    _try_swap(field, state, purse, walk, temperature, (site, other))
        if state.value[0] > walk.best_value[0] and _kept(walk.spent, purse.budget):
            walk.best_value[0] = state.value[0]
            walk.best[:] = state.stage


@compiled
def uniform(seed: NDArray[np.uint64]) -> float:
    """Return a number in [0, 1); ``seed`` (1,) moves on (xorshift64: Marsaglia, J. Stat. Software 8, 2003)."""
    x = seed[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    seed[0] = x
    return np.int64(x >> np.uint64(11)) * _UNIT


@compiled
def below(seed: NDArray[np.uint64], limit: int) -> int:
    """Return a whole number from 0 to ``limit`` - 1; ``seed`` (1,) moves on."""
    return int(uniform(seed) * limit)


@compiled
def _kept(spent: Floats, budget: Floats) -> bool:
    return bool((spent <= budget + _WITHIN * budget).all())


@compiled
def _charge(purse: Purse, spent: Floats, first: tuple[float, int], second: tuple[float, int]) -> float:
    """Return what two changes of spending, each (money, from which stage on), cost at the budgets' prices."""
    total = 0.0
    for t in range(min(first[1], second[1]), len(spent)):
        change = (first[0] if t >= first[1] else 0.0) + (second[0] if t >= second[1] else 0.0)
        before = max(spent[t] - purse.budget[t], 0.0)
        after = max(spent[t] + change - purse.budget[t], 0.0)
        total += purse.price[t] * change + purse.over[t] * (after - before)
    return total


@compiled
def _pay(spent: Floats, money: float, stage: int) -> None:
    for t in range(stage, len(spent)):
        spent[t] += money


@compiled
def accepts(walk: Walk, change: float, temperature: float) -> bool:
    """Return whether a ``change`` of the aim is taken at this ``temperature``."""
    return change >= 0.0 or uniform(walk.seed) < np.exp(change / temperature)


@compiled
def enter(walk: Walk, site: int) -> None:
    """Note that ``site`` is built."""
    walk.built[walk.number[0]] = site
    walk.place[site] = walk.number[0]
    walk.number[0] += 1


@compiled
def leave(walk: Walk, site: int) -> None:
    """Note that ``site`` is built no more."""
    walk.number[0] -= 1
    last = walk.built[walk.number[0]]
    walk.built[walk.place[site]] = last
    walk.place[last] = walk.place[site]
    walk.place[site] = -1


@compiled
def _try_add(field: Field, state: State, purse: Purse, walk: Walk, temperature: float) -> None:
    stages = len(purse.budget)
    site = below(walk.seed, len(purse.cost))
    stage = below(walk.seed, stages)
    cost = purse.cost[site]
    if state.stage[site] < stages or cost > purse.budget[stage]:
        return
    charge = _charge(purse, walk.spent, (cost, stage), (0.0, stages))
    if accepts(walk, gain_without(field, state, site, stage, -1) - charge, temperature):
        put(field, state, site, stage)
        _pay(walk.spent, cost, stage)
        enter(walk, site)


@compiled
def _try_shift(field: Field, state: State, purse: Purse, walk: Walk, temperature: float, site: int) -> None:
    stages, before = len(purse.budget), state.stage[site]
    after = below(walk.seed, stages + 1)
    cost = purse.cost[site]
    if after == before or (after < stages and cost > purse.budget[after]):
        return
    change = -state.loss[site] - _charge(purse, walk.spent, (-cost, before), (cost, after))
    if after < stages:
        change += gain_without(field, state, site, after, site)
    if accepts(walk, change, temperature):
        take(field, state, site)
        _pay(walk.spent, -cost, before)
        if after < stages:
            put(field, state, site, after)
            _pay(walk.spent, cost, after)
        else:
            leave(walk, site)


@compiled
def _try_exchange(field: Field, state: State, purse: Purse, walk: Walk, temperature: float, site: int) -> None:
    other = walk.built[below(walk.seed, walk.number[0])]
    mine, theirs = state.stage[site], state.stage[other]
    if mine == theirs or max(purse.cost[site], purse.cost[other]) > purse.budget[min(mine, theirs)]:
        return
    dearer = purse.cost[other] - purse.cost[site]
    change = -_charge(purse, walk.spent, (dearer, mine), (-dearer, theirs)) - state.value[0]
    take(field, state, site)
    take(field, state, other)
    put(field, state, site, theirs)
    put(field, state, other, mine)
    if accepts(walk, change + state.value[0], temperature):
        _pay(walk.spent, dearer, mine)
        _pay(walk.spent, -dearer, theirs)
    else:
        take(field, state, site)
        take(field, state, other)
        put(field, state, site, mine)
        put(field, state, other, theirs)


@compiled
def _try_swap(field: Field, state: State, purse: Purse, walk: Walk, temperature: float, pair: tuple[int, int]) -> None:
    site, other = pair
    before = state.stage[site]
    after = before if uniform(walk.seed) < _SAME_STAGE else below(walk.seed, len(purse.budget))
    if purse.cost[other] > purse.budget[after]:
        return
    change = gain_without(field, state, other, after, site) - state.loss[site]
    change -= _charge(purse, walk.spent, (-purse.cost[site], before), (purse.cost[other], after))
    if accepts(walk, change, temperature):
        take(field, state, site)
        put(field, state, other, after)
        _pay(walk.spent, -purse.cost[site], before)
        _pay(walk.spent, purse.cost[other], after)
        leave(walk, site)
        enter(walk, other)


@compiled
def neighbours(start: Ints, site: Places, weight: Floats, field_start: Ints, field_point: Places, width: int) -> Places:
    """Return for each site (m,) the ``width`` sites that share most weight with it, by a sample of points; -1 fills."""
    sites = len(field_start) - 1
    found = np.full((sites, width), -1, dtype=np.int32)
    shared, touched = np.zeros(sites), np.empty(sites, dtype=np.int64)
    for j in range(sites):
        number = 0
        low, high = field_start[j], field_start[j + 1]
        stride = max(1, (high - low) // _SAMPLE)
        for k in range(low, high, stride):
            i = field_point[k]
            for q in range(start[i], start[i + 1]):
                other = site[q]
                if shared[other] == 0.0:
                    touched[number] = other
                    number += 1
                shared[other] += weight[i] + 1e-300
        shared[j] = 0.0
        order = np.argsort(-shared[touched[:number]])
        for rank in range(min(width, number)):
            other = touched[order[rank]]
            if shared[other] > 0.0:
                found[j, rank] = other
        for rank in range(number):
            shared[touched[rank]] = 0.0
    return found
