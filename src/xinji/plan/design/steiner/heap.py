"""A binary heap of nodes whose keys stand in an array of their own and may decrease."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.plan.jit import compiled


class Heap(NamedTuple):
    """The nodes that wait: ``item`` (n,), least first, ``place`` (n,) of each or -1, and how many, ``size`` (1,)."""

    item: Ints
    place: Ints
    size: Ints


@compiled
def empty_heap(nodes: int) -> Heap:
    """Return a heap for ``nodes`` nodes with none waiting."""
    return Heap(np.empty(nodes, np.int64), np.full(nodes, -1, np.int64), np.zeros(1, np.int64))


@compiled
def push(heap: Heap, key: Floats, node: int | np.int64) -> None:
    """Let ``node`` wait, or move it forward after its ``key`` has decreased."""
    item, place = heap.item, heap.place
    at = place[node]
    if at < 0:
        at = heap.size[0]
        heap.size[0] += 1
    own = key[node]
    while at > 0:
        above = (at - 1) >> 1
        other = item[above]
        if key[other] <= own:
            break
        item[at] = other
        place[other] = at
        at = above
    item[at] = node
    place[node] = at


@compiled
def pop(heap: Heap, key: Floats) -> int:
    """Remove and return the node of least ``key``; the heap must not be empty."""
    item, place = heap.item, heap.place
    first = int(item[0])
    place[first] = -1
    heap.size[0] -= 1
    size = heap.size[0]
    if size == 0:
        return first
    moved = item[size]
    own = key[moved]
    at = 0
    while 2 * at + 1 < size:
        below = 2 * at + 1
        if below + 1 < size and key[item[below + 1]] < key[item[below]]:
            below += 1
        other = item[below]
        if own <= key[other]:
            break
        item[at] = other
        place[other] = at
        at = below
    item[at] = moved
    place[moved] = at
    return first
