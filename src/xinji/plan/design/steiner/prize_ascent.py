"""Dual ascent for prize-collecting arborescences: a lower bound by moats that grow around the prizes.

Every node with a prize pays for cuts around itself up to its prize, required nodes without limit, and no
arc carries more than its cost: Wong, Math. Prog. 28, 1984; with prizes Leitner, Ljubic, Luipersbeck and
Sinnl, A dual ascent-based branch-and-bound framework for the prize-collecting Steiner tree and related
problems, INFORMS J. Computing 30, 2018.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Floats, Ints, freeze
from xinji.plan.jit import compiled

_ACTIVE, _PAID, _JOINED = 0, 1, 2
_RELATIVE_ZERO = 1e-11
_PATIENCE = 1.25


class Arcs(NamedTuple):
    """Arcs by the node they enter: those into node v stand at ``start[v]:start[v + 1]`` of ``tail`` and ``cost``."""

    start: Ints
    tail: Ints
    cost: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Ascent:
    """A dual solution: ``bound`` = sum of ``height`` (t,), what each of the ``terminals`` paid; arcs' ``slack`` left.

    Terminal k's moat holds ``node[start[k]:start[k + 1]]``, each since the height ``since``; it paid ``since``
    before the node came in, so an arc i -> j carries what is paid between j's entry and i's.
    """

    bound: float
    terminals: Ints
    height: Floats
    slack: Floats
    start: Ints
    node: Ints
    since: Floats

    def __post_init__(self) -> None:
        freeze(self.terminals, self.height, self.slack, self.start, self.node, self.since)


class _State(NamedTuple):
    """What is known of each terminal k and of each node while the moats grow.

    ``asleep_on[k]`` is the terminal whose moat lies in k's, ``sleeper`` and ``next_sleeper`` the chain of
    those asleep on one; ``last[k]`` is k's newest entry; ``mark`` the last visit that met a node, ``member``
    and ``cut`` the nodes and arcs of the moat being visited.
    """

    arcs: Arcs
    root: int
    slack: Floats
    terminals: Ints
    limit: Floats
    height: Floats
    status: Ints
    terminal_at: Ints
    asleep_on: Ints
    sleeper: Ints
    next_sleeper: Ints
    last: Ints
    mark: Ints
    member: Ints
    cut: Ints
    zero: float


def ascend(arcs: Arcs, root: int, terminals: Ints, limit: Floats) -> Ascent:
    """Return a dual solution for ``terminals`` (t,) that pay up to ``limit`` (t,), infinite where required.

    Raises nothing; a required terminal that no arc chain from ``root`` reaches makes the bound infinite.
    """
    nodes = len(arcs.start) - 1
    scale = float(arcs.cost.max()) if len(arcs.cost) else 1.0
    at = np.full(nodes, -1, dtype=np.int64)
    at[terminals] = np.arange(len(terminals))
    none = np.full(len(terminals), -1, dtype=np.int64)
    state = _State(
        arcs=arcs,
        root=root,
        slack=arcs.cost.copy(),
        terminals=terminals,
        limit=limit,
        height=np.zeros(len(terminals)),
        status=np.zeros(len(terminals), dtype=np.int64),
        terminal_at=at,
        asleep_on=none.copy(),
        sleeper=none.copy(),
        next_sleeper=none.copy(),
        last=none.copy(),
        mark=np.full(nodes, -1, dtype=np.int64),
        member=np.empty(nodes, dtype=np.int64),
        cut=np.empty(len(arcs.tail), dtype=np.int64),
        zero=_RELATIVE_ZERO * scale,
    )
    start, node, since = _ascend(state)
    return Ascent(float(state.height.sum()), terminals, state.height, state.slack, start, node, since)


@compiled
def _ascend(state: _State) -> tuple[Ints, Ints, Floats]:
    """Grow moats, the one with the fewest arcs first, until each has paid its limit or met the root."""
    node, since, previous = [0], [0.0], [-1]
    heap = [(0, 0)]
    heap.pop()
    for k in range(len(state.terminals)):
        at = state.terminals[k]
        if at == state.root:
            state.status[k] = _JOINED
            continue
        node.append(at)
        since.append(0.0)
        previous.append(-1)
        state.last[k] = len(node) - 1
        heapq.heappush(heap, (state.arcs.start[at + 1] - state.arcs.start[at], k))
    visit = 0
    while len(heap) > 0:
        k = heapq.heappop(heap)[1]
        visit += 1
        known = size = _collect(state, k, visit, node, previous)
        looked, cut = 0, 0
        most = _PATIENCE * heap[0][0] if len(heap) > 0 else np.inf
        while True:
            size, cut = _close(state, k, visit, looked, size, cut)
            looked = size
            for place in range(known, size):
                node.append(state.member[place])
                since.append(state.height[k])
                previous.append(state.last[k])
                state.last[k] = len(node) - 1
            known = size
            if state.status[k] != _ACTIVE:
                _wake(state, k, heap)
            elif state.asleep_on[k] < 0 and cut <= most:
                _raise(state, k, cut)
                continue
            elif state.asleep_on[k] < 0:
                heapq.heappush(heap, (cut, k))
            break
    return _by_terminal(state, node, since, previous)


@compiled
def _collect(state: _State, k: int, visit: int, node: list[int], previous: list[int]) -> int:
    size = 0
    entry = state.last[k]
    while entry >= 0:
        state.mark[node[entry]] = visit
        state.member[size] = node[entry]
        size += 1
        entry = previous[entry]
    return size


@compiled
def _close(state: _State, k: int, visit: int, looked: int, size: int, cut: int) -> tuple[int, int]:
    """Take in what reaches the moat without cost; return its size and how many arcs lead into it.

    The arcs into the nodes before ``looked`` stand in the first ``cut`` places already. Ends where the moat
    meets the root or another growing terminal, or has paid its limit.
    """
    if state.status[k] != _ACTIVE:
        return size, cut
    kept = 0
    for place in range(cut):
        arc = state.cut[place]
        if state.slack[arc] > state.zero:
            state.cut[kept] = arc
            kept += 1
        elif state.mark[state.arcs.tail[arc]] != visit:
            size = _enter(state, k, visit, size, state.arcs.tail[arc])
            if state.status[k] != _ACTIVE or state.asleep_on[k] >= 0:
                return size, 0
    place = looked
    while place < size:
        into = state.member[place]
        place += 1
        for arc in range(state.arcs.start[into], state.arcs.start[into + 1]):
            if state.mark[state.arcs.tail[arc]] == visit:
                continue
            if state.slack[arc] > state.zero:
                state.cut[kept] = arc
                kept += 1
                continue
            size = _enter(state, k, visit, size, state.arcs.tail[arc])
            if state.status[k] != _ACTIVE or state.asleep_on[k] >= 0:
                return size, 0
    cut = 0
    for place in range(kept):
        if state.mark[state.arcs.tail[state.cut[place]]] != visit:
            state.cut[cut] = state.cut[place]
            cut += 1
    return size, cut


@compiled
def _enter(state: _State, k: int, visit: int, size: int, other: int) -> int:
    """Take node ``other`` into the moat unless it is the root; return the moat's size."""
    if other == state.root:
        state.status[k] = _JOINED
        return size
    state.mark[other] = visit
    state.member[size] = other
    if state.terminal_at[other] >= 0:
        _meet(state, k, state.terminal_at[other])
    return size + 1


@compiled
def _meet(state: _State, k: int, met: int) -> None:
    """Let terminal k rest on another growing one that its moat met, or be done where that one is."""
    if state.status[met] == _PAID:
        return
    if state.status[met] == _JOINED:
        state.status[k] = _JOINED
        return
    while state.asleep_on[met] >= 0:
        met = state.asleep_on[met]
    if met != k:
        state.asleep_on[k] = met
        state.next_sleeper[k] = state.sleeper[met]
        state.sleeper[met] = k


@compiled
def _raise(state: _State, k: int, cut: int) -> None:
    """Pay for the arcs into the moat until one is used up or the limit is met."""
    step = state.limit[k] - state.height[k]
    for place in range(cut):
        step = min(step, state.slack[state.cut[place]])
    state.height[k] += step
    for place in range(cut):
        left = state.slack[state.cut[place]] - step
        state.slack[state.cut[place]] = left if left > state.zero else 0.0
    # A required terminal that nothing reaches would grow without end.
    if step == np.inf or state.limit[k] - state.height[k] <= state.zero:
        state.status[k] = _PAID


@compiled
def _wake(state: _State, k: int, heap: list[tuple[int, int]]) -> None:
    """Let those asleep on a finished terminal go on, or finish with it where it met the root."""
    waiting = [k]
    while len(waiting) > 0:
        done = waiting.pop()
        sleeper = state.sleeper[done]
        state.sleeper[done] = -1
        while sleeper >= 0:
            state.asleep_on[sleeper] = -1
            if state.status[done] == _JOINED:
                state.status[sleeper] = _JOINED
                waiting.append(sleeper)
            else:
                heapq.heappush(heap, (0, sleeper))
            sleeper = state.next_sleeper[sleeper]


@compiled
def _by_terminal(state: _State, node: list[int], since: list[float], previous: list[int]) -> tuple[Ints, Ints, Floats]:
    start = np.zeros(len(state.terminals) + 1, dtype=np.int64)
    nodes = np.empty(len(node) - 1, dtype=np.int64)
    heights = np.empty(len(node) - 1)
    size = 0
    for k in range(len(state.terminals)):
        entry = state.last[k]
        while entry >= 0:
            nodes[size] = node[entry]
            heights[size] = since[entry]
            size += 1
            entry = previous[entry]
        start[k + 1] = size
    return start, nodes, heights
