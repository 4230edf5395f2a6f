"""What the reductions know of distances: each node's nearest terminals and the bottlenecks between terminals.

Special distances after Duin and Volgenant, Networks 19, 1989, from the nearest terminals as in Polzin and
Vahdati Daneshmand, Discrete Appl. Math. 112, 2001. They never grow while the graph shrinks, so that what
is found here stays an upper limit.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.steiner.reduce_graph import Shrinking
from xinji.plan.jit import compiled

NEAREST = 4


class Records(NamedTuple):
    """Per node its nearest terminals: ``base`` (n, k) or -1, ``away`` (n, k); ``used`` (s,) marks edges on those paths.

    The terminals' minimum spanning tree by distance: ``above`` (n,) and ``link`` (n,), the longest distance
    on the way to it, in a forest whose depth is logarithmic.
    """

    base: Ints
    away: Floats
    used: Bools
    above: Ints
    link: Floats


def records_of(work: Shrinking) -> Records:
    """Return the records of ``work`` as it stands."""
    nodes = len(work.first)
    records = Records(
        base=np.full((nodes, NEAREST), -1, dtype=np.int64),
        away=np.full((nodes, NEAREST), np.inf),
        used=np.zeros(len(work.cost), dtype=np.bool_),
        above=np.arange(nodes, dtype=np.int64),
        link=np.full(nodes, np.inf),
    )
    _nearest(work, records)
    slot = np.flatnonzero(work.origin >= 0)
    one, other = work.end[2 * slot], work.end[2 * slot + 1]
    length = records.away[one, 0] + work.cost[slot] + records.away[other, 0]
    across = (records.base[one, 0] != records.base[other, 0]) & np.isfinite(length)
    order = np.argsort(length[across], kind="stable")
    _span(work, records, slot[across][order], length[across][order])
    return records


@compiled
def _nearest(work: Shrinking, records: Records) -> None:
    heap = [(0.0, 0, 0, 0)]
    heap.pop()
    for terminal in np.flatnonzero(work.terminal):
        heapq.heappush(heap, (0.0, int(terminal), int(terminal), -1))
    while len(heap) > 0:
        away, node, base, slot = heapq.heappop(heap)
        rank = 0
        while rank < NEAREST and records.base[node, rank] >= 0 and records.base[node, rank] != base:
            rank += 1
        if rank == NEAREST or records.base[node, rank] == base:
            continue
        records.base[node, rank], records.away[node, rank] = base, away
        if slot >= 0:
            records.used[slot] = True
        if work.terminal[node] == 1 and node != base:
            continue
        half = work.first[node]
        while half >= 0:
            other = work.end[half ^ 1]
            reached = away + work.cost[half >> 1]
            if reached < records.away[other, NEAREST - 1]:
                heapq.heappush(heap, (reached, other, base, half >> 1))
            half = work.after[half]


@compiled
def _span(work: Shrinking, records: Records, slots: Ints, length: Floats) -> None:
    """Kruskal; a smaller tree hangs below the larger one, by the link that joined them."""
    size = np.ones(len(records.above), np.int64)
    for place in range(len(slots)):
        slot = slots[place]
        one, other = records.base[work.end[2 * slot], 0], records.base[work.end[2 * slot + 1], 0]
        while records.above[one] != one:
            one = records.above[one]
        while records.above[other] != other:
            other = records.above[other]
        if one == other:
            continue
        if size[one] < size[other]:
            one, other = other, one
        size[one] += size[other]
        records.above[other], records.link[other] = one, length[place]
        records.used[slot] = True


@compiled
def bottleneck(records: Records, one: int, other: int) -> float:
    """Return the longest link between two terminals in their spanning tree (links grow towards the top)."""
    worst = 0.0
    while one != other:
        if records.link[one] > records.link[other]:
            one, other = other, one
        worst = max(worst, records.link[one])
        if records.above[one] == one:
            return np.inf
        one = records.above[one]
    return worst


@compiled
def recorded_distance(records: Records, one: int, other: int) -> float:
    """Return an upper limit of the special distance between two nodes over their nearest terminals."""
    best = np.inf
    for i in range(NEAREST):
        if records.base[one, i] < 0 or records.away[one, i] >= best:
            break
        for j in range(NEAREST):
            if records.base[other, j] < 0 or records.away[other, j] >= best:
                break
            reach = max(records.away[one, i], records.away[other, j])
            best = min(best, max(reach, bottleneck(records, records.base[one, i], records.base[other, j])))
    return best
