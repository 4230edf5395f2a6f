"""Reductions that delete dear edges and contract cheap ones: special distances and short links.

An edge that costs at least the special distance of its ends, measured without it, is in some optimal tree's
complement (Duin and Volgenant, Networks 19, 1989); the cheapest edge out of a terminal's region is in some
optimal tree if the second cheapest costs at least the way over the first to the next terminal (SL test,
Polzin and Vahdati Daneshmand, Discrete Appl. Math. 112, 2001).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.steiner.heap import Heap, empty_heap, pop, push
from xinji.plan.design.steiner.reduce_graph import Shrinking, contract, delete, terminal_count
from xinji.plan.design.steiner.reduce_records import Records, recorded_distance
from xinji.plan.jit import compiled

_STEPS_A_VISIT = 10


class Search(NamedTuple):
    """A search around one node: ``away`` (n,) infinite where not seen, ``seen`` (n,) the first ``size`` (1,) nodes."""

    away: Floats
    seen: Ints
    size: Ints
    heap: Heap


@compiled
def empty_search(nodes: int) -> Search:
    """Return a search that has seen nothing."""
    return Search(np.full(nodes, np.inf), np.empty(nodes, np.int64), np.zeros(1, np.int64), empty_heap(nodes))


@compiled
def forget(search: Search) -> None:
    """Make ``search`` ready for another one."""
    for place in range(search.size[0]):
        search.away[search.seen[place]] = np.inf
        search.heap.place[search.seen[place]] = -1
    search.size[0] = 0
    search.heap.size[0] = 0


@compiled
def spread(
    work: Shrinking, search: Search, begin: int, limit: float, barred: int, barred_slot: int, visits: int
) -> None:
    """Find distances from ``begin`` up to ``limit`` on ways that avoid a node and an edge, at ``visits`` nodes.

    Fewer where these have many edges, which would make the tests dearer than what they delete in dense graphs.
    """
    forget(search)
    steps = _STEPS_A_VISIT * visits
    search.away[begin] = 0.0
    search.seen[0] = begin
    search.size[0] = 1
    push(search.heap, search.away, begin)
    while search.heap.size[0] > 0 and visits > 0 and steps > 0:
        visits -= 1
        node = pop(search.heap, search.away)
        steps -= work.degree[node]
        if work.terminal[node] == 1 and node != begin:
            continue
        half = work.first[node]
        while half >= 0:
            other = work.end[half ^ 1]
            reached = search.away[node] + work.cost[half >> 1]
            if reached <= limit and reached < search.away[other] and other != barred and half >> 1 != barred_slot:
                if search.away[other] == np.inf:
                    search.seen[search.size[0]] = other
                    search.size[0] += 1
                search.away[other] = reached
                push(search.heap, search.away, other)
            half = work.after[half]


@compiled
def meeting(work: Shrinking, one: Search, other: Search) -> float:
    """Return the special distance between the origins of two searches over nodes that both saw."""
    best = np.inf
    if one.size[0] > other.size[0]:
        one, other = other, one
    for place in range(one.size[0]):
        node = one.seen[place]
        near, far = one.away[node], other.away[node]
        if far < np.inf:
            best = min(best, max(near, far) if work.terminal[node] == 1 else near + far)
    return best


@compiled
def recorded_deletions(work: Shrinking, records: Records) -> int:
    """Delete edges by the records: first those on no recorded path, at equal cost too, then strictly dearer ones."""
    done = 0
    for strict in range(2):
        for slot in range(len(work.cost)):
            if work.origin[slot] < 0 or (strict == 0 and records.used[slot]):
                continue
            distance = recorded_distance(records, work.end[2 * slot], work.end[2 * slot + 1])
            if distance < work.cost[slot] or (strict == 0 and distance == work.cost[slot]):
                delete(work, slot)
                done += 1
    return done


@compiled
def local_deletions(work: Shrinking, visits: int) -> int:
    """Delete edges whose ends are joined otherwise at no more cost, within ``visits`` nodes of each end."""
    one, other = empty_search(len(work.first)), empty_search(len(work.first))
    done = 0
    for slot in range(len(work.cost)):
        if work.origin[slot] < 0:
            continue
        ends = work.end[2 * slot], work.end[2 * slot + 1]
        if work.degree[ends[0]] < 2 or work.degree[ends[1]] < 2:
            continue
        spread(work, one, ends[0], work.cost[slot], -1, slot, visits)
        if one.size[0] < 2 and one.away[ends[1]] == np.inf:
            continue
        spread(work, other, ends[1], work.cost[slot], -1, slot, visits)
        if meeting(work, one, other) <= work.cost[slot]:
            delete(work, slot)
            done += 1
    return done


def short_links(work: Shrinking, records: Records) -> int:
    """Contract edges that leave a terminal's region far cheaper than all others; return how many."""
    # The test is settled for all regions before the first contraction, and each region takes part in one only.
    slot = _links_that_hold(work, records.base[:, 0].copy(), records.away[:, 0].copy())
    for each in slot:
        contract(work, int(each))
    return len(slot)


@compiled
def _leaving(work: Shrinking, base: Ints) -> tuple[Ints, Floats]:
    """Return the slot of the cheapest edge that leaves each region, -1 for none, and the second least cost."""
    nodes = len(work.first)
    least, second = np.full(nodes, -1, np.int64), np.full(nodes, np.inf)
    for slot in range(len(work.cost)):
        if work.origin[slot] < 0:
            continue
        one, other = base[work.end[2 * slot]], base[work.end[2 * slot + 1]]
        if one == other or one < 0 or other < 0:
            continue
        for region in (one, other):
            old = least[region]
            if old < 0 or work.cost[slot] < work.cost[old]:
                second[region] = work.cost[old] if old >= 0 else np.inf
                least[region] = slot
            else:
                second[region] = min(second[region], work.cost[slot])
    return least, second


@compiled
def _links_that_hold(work: Shrinking, base: Ints, away: Floats) -> Ints:
    nodes = len(work.first)
    least, second = _leaving(work, base)
    busy = np.zeros(nodes, np.bool_)
    held = np.empty(nodes, np.int64)
    count = 0
    for region in range(nodes):
        slot = least[region]
        if slot < 0 or terminal_count(work) - count < 2:
            continue
        one, other = work.end[2 * slot], work.end[2 * slot + 1]
        if busy[base[one]] or busy[base[other]] or work.terminal[region] == 0:
            continue
        # Joined at no cost, a terminal may lie in another's region; then leaving its own proves nothing.
        if base[base[one]] != base[one] or base[base[other]] != base[other]:
            continue
        if second[region] >= away[one] + work.cost[slot] + away[other]:
            busy[base[one]], busy[base[other]] = True, True
            held[count] = slot
            count += 1
    return held[:count]


@compiled
def delete_marked(work: Shrinking, slots: Ints, marked: Bools) -> int:
    """Delete those of ``slots`` (k,) that are ``marked`` (k,); return how many."""
    done = 0
    for place in range(len(slots)):
        if marked[place] and work.origin[slots[place]] >= 0:
            delete(work, slots[place])
            done += 1
    return done
