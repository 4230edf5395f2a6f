"""Local search for partial covering: annealing over the sites in, with a price on weight still missing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.covering.covers import Covers, Places, Reach
from xinji.plan.design.covering.staged_anneal import Walk, accepts, below, enter, leave, uniform
from xinji.plan.design.covering.staged_state import Field, State, gain_without, put, take
from xinji.plan.jit import compiled

_ADD, _DROP, _NEAR = 0.1, 0.2, 0.75


class Aim(NamedTuple):
    """Costs (m,), the weight to cover ``need``, what a unit of weight is worth, and ``missed``, each still missing."""

    cost: Floats
    need: float
    worth: float
    missed: float


def cheapest_greedy(covers: Covers, reach: Reach, need: float) -> Bools:
    """Return sites (m,) that cover the weight ``need``, by most new weight per cost (as much as they can, if less)."""
    return _greedy(covers.start, covers.site, covers.weight, covers.cost, reach, need)


@compiled
def _greedy(start: Ints, site: Places, weight: Floats, cost: Floats, reach: Reach, need: float) -> Bools:
    sites = len(cost)
    chosen, met = np.zeros(sites, dtype=np.bool_), np.zeros(len(weight), dtype=np.bool_)
    gain = np.zeros(sites)
    for j in range(sites):
        for k in range(reach.start[j], reach.start[j + 1]):
            gain[j] += weight[reach.point[k]]
    total = 0.0
    while total < need:
        best, rate = -1, 0.0
        for j in range(sites):
            # More than is still missing counts for nothing.
            helps = min(gain[j], need - total)
            if not chosen[j] and helps > rate * cost[j]:
                best, rate = j, helps / cost[j]
        if best < 0:
            break
        chosen[best] = True
        for k in range(reach.start[best], reach.start[best + 1]):
            i = reach.point[k]
            if not met[i]:
                met[i] = True
                total += weight[i]
                for q in range(start[i], start[i + 1]):
                    gain[site[q]] -= weight[i]
    return chosen


@compiled
def anneal_cost(
    field: Field, state: State, aim: Aim, walk: Walk, near: Places, heat: tuple[float, float], moves: int
) -> None:
    """Try ``moves`` random changes while the temperature falls from ``heat[0]`` to ``heat[1]`` (money).

    ``walk.spent`` (1,) is the cost now; ``walk.best`` (m,) keeps the stages (0 in, 1 out) of the cheapest
    choice that covers the need, ``walk.best_value`` (1,) its cost.
    """
    ratio = heat[1] / heat[0]
    for turn in range(moves):
        temperature = heat[0] * ratio ** (turn / moves)
        draw = uniform(walk.seed)
        gone, come = -1, -1
        if draw < _ADD or walk.number[0] == 0:
            come = below(walk.seed, len(aim.cost))
        else:
            gone = walk.built[below(walk.seed, walk.number[0])]
            if draw >= _NEAR:
                come = below(walk.seed, len(aim.cost))
            elif draw >= _DROP:
                come = near[gone, below(walk.seed, near.shape[1])]
                if come < 0:
                    continue
        if come >= 0 and state.stage[come] == 0:
            continue
        _try(field, state, aim, walk, temperature, (gone, come))
        enough = state.value[0] >= aim.need
        if enough and walk.spent[0] < walk.best_value[0]:
            walk.best_value[0] = walk.spent[0]
            walk.best[:] = state.stage


@compiled
def _try(field: Field, state: State, aim: Aim, walk: Walk, temperature: float, pair: tuple[int, int]) -> None:
    gone, come = pair
    weight = money = 0.0
    if gone >= 0:
        weight -= state.loss[gone]
        money -= aim.cost[gone]
    if come >= 0:
        weight += gain_without(field, state, come, 0, gone)
        money += aim.cost[come]
    short = min(state.value[0] - aim.need, 0.0)
    shorter = min(state.value[0] + weight - aim.need, 0.0)
    change = aim.worth * weight + aim.missed * (shorter - short) - money
    if not accepts(walk, change, temperature):
        return
    if gone >= 0:
        take(field, state, gone)
        leave(walk, gone)
    if come >= 0:
        put(field, state, come, 0)
        enter(walk, come)
    walk.spent[0] += money
