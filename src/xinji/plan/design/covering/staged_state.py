"""What is built when, kept so that a change costs only the points of the sites it touches."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.plan.design.covering.covers import Places, Reach
from xinji.plan.jit import compiled


class Field(NamedTuple):
    """The ground of the search: points by site (``start``, ``point``), ``weight`` (n,) and ``tail`` (T + 1,).

    ``tail[t]`` is what one unit of weight earns that is covered from stage t on; ``tail[T]`` is 0.
    """

    start: Ints
    point: Places
    weight: Floats
    tail: Floats


class State(NamedTuple):
    """Opening ``stage`` (m,) of each site, T for never, and what follows from it.

    Of each point: the stage that covers it ``first`` and the next one ``second`` if one cover of the
    first were gone (T for none), its ``owner``, the one site that covers it first (-1 if several or none), and by
    stage how many ``times`` opening sites cover it and the sum of their ``names`` (n, T). Of each
    site: ``loss`` (m,), what taking it away would lose. ``value`` (1,) is the total.
    """

    stage: Ints
    first: Ints
    second: Ints
    owner: Places
    times: Places
    names: Ints
    loss: Floats
    value: Floats


def empty_state(points: int, sites: int, stages: int) -> State:
    """Return the state in which nothing is ever built."""
    return State(
        stage=np.full(sites, stages, dtype=np.int64),
        first=np.full(points, stages, dtype=np.int64),
        second=np.full(points, stages, dtype=np.int64),
        owner=np.full(points, -1, dtype=np.int32),
        times=np.zeros((points, stages), dtype=np.int32),
        names=np.zeros((points, stages), dtype=np.int64),
        loss=np.zeros(sites),
        value=np.zeros(1),
    )


def field_of(reach: Reach, weight: Floats, worth: Floats) -> Field:
    """Return the ground for points of ``weight`` (n,) under stage weights ``worth`` (T,)."""
    tail = np.append(np.cumsum(worth[::-1])[::-1], 0.0)
    return Field(reach.start, reach.point, weight, tail)


@compiled
def put(field: Field, state: State, site: int, stage: int) -> None:
    """Let a site that is never built open at ``stage``."""
    tail, stages = field.tail, state.times.shape[1]
    state.stage[site] = stage
    for k in range(field.start[site], field.start[site + 1]):
        i = field.point[k]
        state.times[i, stage] += 1
        state.names[i, stage] += site
        second = state.second[i]
        if stage >= second:
            continue
        first = state.first[i]
        if stage < first:
            worth = field.weight[i] * (tail[stage] - tail[first])
            if first < stages and second > first:
                state.loss[state.owner[i]] -= field.weight[i] * (tail[first] - tail[second])
            state.first[i], state.second[i], state.owner[i] = stage, first, site
            state.loss[site] += worth
            state.value[0] += worth
        else:
            state.loss[state.owner[i]] -= field.weight[i] * (tail[stage] - tail[second])
            state.second[i] = stage
            if stage == first:
                state.owner[i] = -1


@compiled
def take(field: Field, state: State, site: int) -> None:
    """Take a site away from the stage at which it opens."""
    tail, stages = field.tail, state.times.shape[1]
    stage = state.stage[site]
    state.stage[site] = stages
    for k in range(field.start[site], field.start[site + 1]):
        i = field.point[k]
        state.times[i, stage] -= 1
        state.names[i, stage] -= site
        first, second = state.first[i], state.second[i]
        if stage > second or (stage == second and state.times[i, stage] > (1 if first == second else 0)):
            continue
        weight = field.weight[i]
        if stage == first and second > first:
            state.loss[site] -= weight * (tail[first] - tail[second])
            state.value[0] -= weight * (tail[first] - tail[second])
            first = second
            state.first[i] = first
            known = first
        else:
            known = second
        _settle(field, state, i, first, known)


@compiled
def _settle(field: Field, state: State, point: int, first: int, known: int) -> None:
    """Find a point's second stage and owner again after a cover at ``known`` is gone or has moved to the front."""
    stages = state.times.shape[1]
    if first == stages:
        state.second[point] = stages
        state.owner[point] = -1
        return
    if state.times[point, first] > 1:
        state.second[point] = first
        state.owner[point] = -1
        return
    second = first + 1
    while second < stages and state.times[point, second] == 0:
        second += 1
    owner = state.names[point, first]
    before = max(known, first)
    state.loss[owner] += field.weight[point] * (field.tail[before] - field.tail[second])
    state.second[point] = second
    state.owner[point] = owner


@compiled
def gain_without(field: Field, state: State, site: int, stage: int, gone: int) -> float:
    """Return what opening ``site`` at ``stage`` earns once the built site ``gone`` (-1: none) is taken away."""
    earned = 0.0
    for k in range(field.start[site], field.start[site + 1]):
        i = field.point[k]
        first = state.first[i]
        if gone >= 0 and state.owner[i] == gone:
            first = state.second[i]
        if first > stage:
            earned += field.weight[i] * (field.tail[stage] - field.tail[first])
    return earned
