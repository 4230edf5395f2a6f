"""Cores: groups of options whose directed cuts pack into the trenches' capex.

Whatever stands inside a core is joined to a root by a path that enters every set of nodes around the core.
Such a set grows from the core's own nodes; each direction of a trench may be entered by growing sets for as
much as its capex (a tree uses a trench one way only), so that the widths of the cores of a plan bound its
trench capex from below. Dual ascent on directed cuts (Wong, Math. Prog. 28, 1984), growth that prizes pay
for (Goemans and Williamson, SIAM J. Comput. 24(2), 1995); cores merge where one reaches another.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.core.offer import EXISTING
from xinji.core.problem import Problem
from xinji.plan.design.steiner.graph import EdgeGraph, star
from xinji.plan.jit import compiled

_SAFETY = 1.0 - 1e-12
_NOTHING = 1e-9
_STEP = 0.15
_GROWING, _WAITING, _SPENT, _ENDED = 0, 1, 2, 3
_ISLAND = -2


@dataclass(frozen=True, slots=True, eq=False)
class Cores:
    """Cores (k) and what their sets cover (c); the fields are those of ``Certificate``.

    ``node_core`` (v,) is the core that begins at a node, or -1.
    """

    width: Floats
    parent: Ints
    cover_core: Ints
    cover_node: Ints
    cover_time: Floats
    node_core: Ints


class _Land(NamedTuple):
    """The graph by node (as ``Star``), ``arc`` (2 m,) that enters a node, roots, and the first core of each station."""

    start: Ints
    neighbour: Ints
    arc: Ints
    is_root: Bools
    station: Ints


class _Growth(NamedTuple):
    """State of the growth, written in place.

    ``room`` (2 m,) is what each direction of a trench can still take. By core (2 stations,): ``width``,
    ``level`` with the widest inside it, ``left`` of its prizes, ``around`` it, ``top`` (union-find),
    ``status``, the station ``met``, and ``first`` to ``last`` of its list of nodes. By node:
    ``inside`` the set of the phase that carries this number, ``distance`` to it.
    """

    room: Floats
    width: Floats
    level: Floats
    left: Floats
    around: Ints
    top: Ints
    status: Ints
    met: Ints
    first: Ints
    last: Ints
    inside: Ints
    distance: Floats


class _Lists(NamedTuple):
    """What grows in length: nodes of the cores as linked lists (``item``, ``follow``), and the covers."""

    item: list[int]
    follow: list[int]
    core: list[int]
    node: list[int]
    time: list[float]


@compiled
def _top(top: Ints, core: int) -> int:
    """Return the outermost core around ``core``."""
    while top[core] != core:
        top[core] = top[top[core]]
        core = top[core]
    return core


@compiled
def _merge(growth: _Growth, lists: _Lists, core: int, other: int, new: int) -> None:
    """Let the core ``new`` stand around two outermost cores and go on with what is left of their prizes."""
    growth.level[new] = max(growth.level[core], growth.level[other])
    growth.left[new] = growth.left[core] + growth.left[other]
    growth.top[core] = growth.top[other] = new
    growth.around[core] = growth.around[other] = new
    lists.follow[growth.last[core]] = growth.first[other]
    growth.first[new], growth.last[new] = growth.first[core], growth.last[other]


@compiled
def _own_nodes(growth: _Growth, lists: _Lists, core: int, phase: int) -> list[int]:
    """Return the nodes in the set of ``core``, and drop those that its list holds twice."""
    nodes = [0 for _ in range(0)]
    place, before = growth.first[core], -1
    while place >= 0:
        node = lists.item[place]
        if growth.inside[node] == phase:
            lists.follow[before] = lists.follow[place]
            if growth.last[core] == place:
                growth.last[core] = before
        else:
            growth.inside[node] = phase
            nodes.append(node)
            before = place
        place = lists.follow[place]
    return nodes


@compiled
def _look(land: _Land, growth: _Growth, node: int, far: float, heap: list[tuple[float, int]], seen: list[int]) -> None:
    """Put the neighbours of ``node`` outside the set on ``heap`` with their distance through it."""
    for place in range(land.start[node], land.start[node + 1]):
        other = land.neighbour[place]
        through = far + growth.room[land.arc[place]]
        if through < growth.distance[other] and growth.inside[other] != growth.inside[node]:
            growth.distance[other] = through
            seen.append(other)
            heappush(heap, (through, other))


@compiled
def _stops(land: _Land, growth: _Growth, node: int) -> bool:
    """Return whether a growing set must stop at ``node``: a root, or a station whose core can still grow."""
    if land.is_root[node]:
        return True
    return bool(land.station[node] >= 0 and growth.status[_top(growth.top, land.station[node])] < _SPENT)


@compiled
def _load(land: _Land, growth: _Growth, nodes: list[int], phase: int, reach: float) -> None:
    """Take what a set that grows by ``reach`` needs off the room of the directions that enter it at ``nodes``."""
    for node in nodes:
        since = growth.distance[node]
        for place in range(land.start[node], land.start[node + 1]):
            other = land.neighbour[place]
            until = min(growth.distance[other], reach) if growth.inside[other] == phase else reach
            if until > since:
                arc = land.arc[place]
                growth.room[arc] = max(0.0, growth.room[arc] - (until - since))


@compiled
def _advance(land: _Land, growth: _Growth, lists: _Lists, core: int, phase: int, step: float) -> int:
    """Grow ``core`` to the nearest root or station that stops it, or by a step; return where it stops, or -1.

    ``_ISLAND`` says that the set holds all that could lead to it.
    """
    own = _own_nodes(growth, lists, core, phase)
    seen, heap, covered = [0 for _ in range(0)], [(0.0, 0) for _ in range(0)], [0 for _ in range(0)]
    for node in own:
        growth.distance[node] = 0.0
    for node in own:
        _look(land, growth, node, 0.0, heap, seen)
    stop, reach = _ISLAND, min(growth.left[core], max(step, _STEP * growth.level[core]))
    while len(heap) > 0:
        far, node = heappop(heap)
        if far > reach:
            stop = -1
            break
        if growth.inside[node] == phase:
            continue
        if _stops(land, growth, node):
            stop, reach = node, far
            break
        growth.inside[node] = phase
        covered.append(node)
        _look(land, growth, node, far, heap, seen)
    _load(land, growth, own, phase, reach)
    _load(land, growth, covered, phase, reach)
    for node in covered:
        lists.core.append(core)
        lists.node.append(node)
        lists.time.append(growth.width[core] + growth.distance[node])
        lists.follow[growth.last[core]] = growth.last[core] = len(lists.item)
        lists.item.append(node)
        lists.follow.append(-1)
    for group in (own, seen):
        for node in group:
            growth.distance[node] = np.inf
    growth.width[core] += reach
    growth.level[core] += reach
    growth.left[core] -= reach
    return stop


@compiled
def _begin(growth: _Growth, lists: _Lists, stations: Ints, prize: Floats) -> list[tuple[float, int]]:
    """Open a core at every station; return those with a prize, to grow first."""
    queue = [(0.0, 0) for _ in range(0)]
    for core in range(len(stations)):
        growth.left[core] = prize[stations[core]]
        growth.first[core] = growth.last[core] = core
        lists.item.append(stations[core])
        lists.follow.append(-1)
        lists.core.append(core)
        lists.node.append(stations[core])
        lists.time.append(0.0)
        if growth.left[core] > _NOTHING:
            queue.append((0.0, core))
        else:
            growth.status[core] = _SPENT
    return queue


@compiled
def _grow_all(
    land: _Land, growth: _Growth, lists: _Lists, queue: list[tuple[float, int]], at: tuple[int, int, float]
) -> tuple[int, int]:
    """Grow the cores of ``queue``, the least level first; ``at`` (cores made, phase, step); return the first two."""
    made, phase, step = at
    while len(queue) > 0:
        _, core = heappop(queue)
        if growth.top[core] != core or growth.status[core] > _WAITING:
            continue
        if growth.status[core] == _WAITING:
            growth.status[core] = _GROWING
            other = _top(growth.top, land.station[growth.met[core]])
            if other != core and growth.status[other] < _SPENT:
                _merge(growth, lists, core, other, made)
                heappush(queue, (growth.level[made], made))
                made += 1
                continue
        phase += 1
        stop = _advance(land, growth, lists, core, phase, step)
        if stop == _ISLAND or (stop >= 0 and land.is_root[stop]):
            growth.status[core] = _ENDED
        elif stop >= 0:
            growth.status[core], growth.met[core] = _WAITING, stop
            heappush(queue, (growth.level[core], core))
        elif growth.left[core] > _NOTHING:
            heappush(queue, (growth.level[core], core))
        else:
            growth.status[core] = _SPENT
    return made, phase


@compiled
def _grow(land: _Land, growth: _Growth, stations: Ints, prize: Floats, step: float) -> tuple[int, Ints, Ints, Floats]:
    """Grow cores on their prizes, then on what room is left; return their number and the covers."""
    none = [0 for _ in range(0)]
    lists = _Lists(none, [0 for _ in range(0)], [0 for _ in range(0)], [0 for _ in range(0)], [0.0 for _ in range(0)])
    queue = _begin(growth, lists, stations, prize)
    made, phase = _grow_all(land, growth, lists, queue, (len(stations), 0, step))
    # What nobody's prize pays for costs the others nothing, and keeps those without a prize out.
    for core in range(made):
        if growth.top[core] == core and growth.status[core] == _SPENT:
            growth.status[core], growth.left[core] = _GROWING, np.inf
            queue.append((growth.level[core], core))
    heapify(queue)
    made, phase = _grow_all(land, growth, lists, queue, (made, phase, step))
    return made, np.array(lists.core), np.array(lists.node), np.array(lists.time)


def grow_cores(problem: Problem, roots: Ints, prize: Floats, stations: Ints) -> Cores:
    """Grow cores around ``stations`` (nodes), those with a ``prize`` (v,) [cents] first and as far as it pays.

    What room is left in the trenches then goes to the others, so that no station is joined for nothing
    where a trench is its own.
    """
    cost = np.where(problem.trench_built == EXISTING, 0, problem.trench_capex).astype(float)
    roads = star(EdgeGraph(problem.node_count, problem.from_node, problem.to_node, cost))
    is_root = np.zeros(problem.node_count, dtype=bool)
    is_root[roots] = True
    stations = stations[~is_root[stations]].astype(np.int64)
    node_core = np.full(problem.node_count, -1, dtype=np.int64)
    node_core[stations] = np.arange(len(stations))
    tail = np.repeat(np.arange(problem.node_count), np.diff(roads.start))
    backwards = problem.to_node[roads.edge] != tail
    land = _Land(roads.start, roads.neighbour, 2 * roads.edge + backwards, is_root, node_core)
    growth = _new_growth(np.repeat(cost, 2), problem.node_count, 2 * len(stations) + 1)
    paid = cost[cost > 0.0]
    step = float(np.median(paid)) if len(paid) else 1.0
    made, core, node, time = _grow(land, growth, stations, prize.astype(float), step)
    return Cores(growth.width[:made] * _SAFETY, growth.around[:made].copy(), core, node, time * _SAFETY, node_core)


def _new_growth(room: Floats, nodes: int, cores: int) -> _Growth:
    none = np.full(cores, -1, dtype=np.int64)
    return _Growth(
        room=room,
        width=np.zeros(cores),
        level=np.zeros(cores),
        left=np.zeros(cores),
        around=none.copy(),
        top=np.arange(cores),
        status=np.zeros(cores, dtype=np.int64),
        met=none.copy(),
        first=none.copy(),
        last=none.copy(),
        inside=np.full(nodes, -1, dtype=np.int64),
        distance=np.full(nodes, np.inf),
    )
