"""Where splitters go: an exact dynamic programme over the routes.

All fibre runs away from the exchange: a splitter stands on the way from the exchange to whatever it
serves (the model of Chardy, Costa, Faye and Trampont, European Journal of Operational Research 222,
2012, with whole boxes and cabinets). An edge carries ``drop`` fibres (one for each line that is not
split yet, seen from the premises), ``distribution`` fibres (one for each box) and ``feeder`` fibres
(one for each splitter of the first level) in common cables; its price rises with their sum.

The programme rests on one fact: wherever a full box's worth of lines meets, setting the box there costs
no more than anywhere nearer the exchange, because no edge then carries more fibres and no unit is added;
likewise for cabinets full of splitters. So the fibres that leave a node undivided are fewer than a box,
or a cabinet, takes, and a label is their numbers with the feeders and the least cost that leads to them.
One label makes another needless if it carries no more fibres of any kind at no more cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.plan.fibre.pon.cables import EdgePrices, edge_price
from xinji.plan.fibre.pon.prices import Sizes
from xinji.plan.jit import compiled

MOST_LABELS = 400
"""Labels kept at a node; where more are needed the result is no longer exact, and says so."""


class Labels(NamedTuple):
    """Labels (q): fibres that go on (drop, distribution, feeder) and the cost so far.

    ``node`` where it was made, from the labels ``first`` and ``second`` (-1 none), by setting ``boxes``,
    ``firsts`` (splitters of the first level) and ``cabinets`` there.
    """

    drop: Ints
    distribution: Ints
    feeder: Ints
    cost: Floats
    node: Ints
    first: Ints
    second: Ints
    boxes: Ints
    firsts: Ints
    cabinets: Ints


class Units(NamedTuple):
    """``Sizes`` as the kernels read them."""

    box_lines: int
    first_boxes: int
    cabinet_firsts: int
    box_cost: float
    first_cost: float
    cabinet_cost: float


@dataclass(frozen=True, slots=True, eq=False)
class Placing:
    """Where splitters stand and what the edges carry, for one forest.

    ``boxes``, ``firsts`` and ``cabinets`` (n,) at the nodes; ``drop``, ``distribution`` and ``feeder`` (n,)
    fibres on the edge from each node towards the exchange. ``cost`` is theirs with all cables and
    openings, ``bound`` what no placing on these routes can cost less than.
    """

    boxes: Ints
    firsts: Ints
    cabinets: Ints
    drop: Ints
    distribution: Ints
    feeder: Ints
    cost: float
    bound: float


@compiled
def _room(size: int) -> Labels:
    """Return room for ``size`` labels."""
    return Labels(
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
        np.zeros(size),
        np.zeros(size, np.int64),
        np.full(size, -1, np.int64),
        np.full(size, -1, np.int64),
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
    )


@compiled
def _copy(source: Labels, place: int, target: Labels, at: int) -> None:
    """Write the label at ``place`` of ``source`` to ``at`` of ``target``."""
    target.drop[at] = source.drop[place]
    target.distribution[at] = source.distribution[place]
    target.feeder[at] = source.feeder[place]
    target.cost[at] = source.cost[place]
    target.node[at] = source.node[place]
    target.first[at] = source.first[place]
    target.second[at] = source.second[place]
    target.boxes[at] = source.boxes[place]
    target.firsts[at] = source.firsts[place]
    target.cabinets[at] = source.cabinets[place]


@compiled
def _grown(labels: Labels, size: int) -> Labels:
    """Return ``labels`` with room for at least ``size``."""
    if size <= len(labels.cost):
        return labels
    larger = _room(2 * size)
    for place in range(len(labels.cost)):
        _copy(labels, place, larger, place)
    return larger


@compiled
def _fill(labels: Labels, at: int, units: Units) -> None:
    """Set the boxes and cabinets that the fibres of label ``at`` fill."""
    full = labels.drop[at] // units.box_lines
    labels.drop[at] -= full * units.box_lines
    labels.distribution[at] += full
    labels.boxes[at] += full
    labels.cost[at] += full * units.box_cost
    whole = labels.distribution[at] // (units.first_boxes * units.cabinet_firsts)
    _set_firsts(labels, at, whole * units.cabinet_firsts, whole, units)


@compiled
def _set_firsts(labels: Labels, at: int, firsts: int, cabinets: int, units: Units) -> None:
    """Set ``firsts`` splitters in ``cabinets`` new cabinets for as many of the label's fibres as they take."""
    labels.distribution[at] -= min(labels.distribution[at], firsts * units.first_boxes)
    labels.feeder[at] += firsts
    labels.firsts[at] += firsts
    labels.cabinets[at] += cabinets
    labels.cost[at] += firsts * units.first_cost + cabinets * units.cabinet_cost


@compiled
def _kept(labels: Labels, count: int) -> Ints:
    """Return the places among the first ``count`` labels that no other makes needless, cheapest first."""
    order = np.argsort(labels.cost[:count], kind="mergesort")
    kept = np.empty(count, np.int64)
    found = 0
    for place in order:
        needless = False
        for other in kept[:found]:
            if (
                labels.drop[other] <= labels.drop[place]
                and labels.distribution[other] <= labels.distribution[place]
                and labels.feeder[other] <= labels.feeder[place]
            ):
                needless = True
                break
        if not needless:
            # A dearer label seen before may carry more at the same cost.
            kept[found] = place
            found += 1
    return kept[:found]


@compiled
def _coarse(labels: Labels, count: int, most: int) -> int:
    """Make the first ``count`` labels at most ``most``, each carrying and costing no more than those it stands for."""
    per = (count + most - 1) // most
    made = 0
    for begin in range(0, count, per):
        _copy(labels, begin, labels, made)
        for place in range(begin + 1, min(begin + per, count)):
            labels.drop[made] = min(labels.drop[made], labels.drop[place])
            labels.distribution[made] = min(labels.distribution[made], labels.distribution[place])
            labels.feeder[made] = min(labels.feeder[made], labels.feeder[place])
            labels.cost[made] = min(labels.cost[made], labels.cost[place])
        made += 1
    return made


@compiled
def _append(arena: Labels, used: int, fresh: Labels, count: int, limit: tuple[int, bool]) -> tuple[Labels, int, bool]:
    """Append what is worth keeping of the first ``count`` ``fresh`` labels to the ``arena``.

    ``limit`` holds the most labels and whether, beyond it, they are joined (for a bound) rather than cut.
    Returns the arena, the labels in use, and whether all that mattered was kept.
    """
    most, joined = limit
    kept = _kept(fresh, count)
    whole = len(kept) <= most
    arena = _grown(arena, used + len(kept))
    if whole or not joined:
        for place in kept[: min(most, len(kept))]:
            _copy(fresh, place, arena, used)
            used += 1
        return arena, used, whole
    # By what they carry, so that those joined are alike.
    weight = fresh.distribution[kept] * 1000 + fresh.drop[kept]
    pick = _room(len(kept))
    for at, place in enumerate(kept[np.argsort(weight, kind="mergesort")]):
        _copy(fresh, place, pick, at)
    made = _coarse(pick, len(kept), most)
    for place in range(made):
        _copy(pick, place, arena, used)
        used += 1
    return arena, used, whole


@compiled
def _closings(arena: Labels, begin: int, end: int, node: int, units: Units) -> tuple[Labels, int]:
    """Return all labels that follow from those at ``begin:end`` by setting units that are not full at ``node``."""
    fresh = _room(6 * (end - begin))
    count = 0
    for place in range(begin, end):
        for box in range(2):
            if box and arena.drop[place] == 0:
                continue
            for cabinet in range(3):
                _copy(arena, place, fresh, count)
                fresh.node[count], fresh.first[count], fresh.second[count] = node, place, -1
                fresh.boxes[count] = fresh.firsts[count] = fresh.cabinets[count] = 0
                if box:
                    fresh.drop[count] = 0
                    fresh.distribution[count] += 1
                    fresh.boxes[count] = 1
                    fresh.cost[count] += units.box_cost
                    _fill(fresh, count, units)
                waiting = fresh.distribution[count]
                firsts = 0
                if cabinet == 1:
                    firsts = (waiting + units.first_boxes - 1) // units.first_boxes
                elif cabinet == 2 and waiting % units.first_boxes:
                    firsts = waiting // units.first_boxes
                if cabinet and not firsts:
                    continue
                if firsts:
                    _set_firsts(fresh, count, firsts, 1, units)
                count += 1
    return fresh, count


@compiled
def _combined(
    arena: Labels, ours: tuple[int, int], theirs: tuple[int, int], node: int, units: Units
) -> tuple[Labels, int]:
    """Return every label of ``ours`` (begin, end) met with every one of ``theirs`` at ``node``."""
    fresh = _room((ours[1] - ours[0]) * (theirs[1] - theirs[0]))
    count = 0
    for one in range(ours[0], ours[1]):
        for other in range(theirs[0], theirs[1]):
            fresh.drop[count] = arena.drop[one] + arena.drop[other]
            fresh.distribution[count] = arena.distribution[one] + arena.distribution[other]
            fresh.feeder[count] = arena.feeder[one] + arena.feeder[other]
            fresh.cost[count] = arena.cost[one] + arena.cost[other]
            fresh.node[count], fresh.first[count], fresh.second[count] = node, one, other
            _fill(fresh, count, units)
            count += 1
    return fresh, count


class Forest(NamedTuple):
    """Nodes from far to near (``order``), each with ``parent``, the ``edge`` towards it (-1 none) and ``lines``."""

    order: Ints
    parent: Ints
    edge: Ints
    lines: Ints


@compiled
def _cheapest_whole(labels: Labels, count: int) -> int:
    """Return the cheapest of the first ``count`` labels with nothing undivided; setting all units gives one."""
    best, cost = -1, np.inf
    for place in range(count):
        if labels.drop[place] == 0 and labels.distribution[place] == 0 and labels.cost[place] < cost:
            best, cost = place, labels.cost[place]
    return best


@compiled
def _programme(forest: Forest, prices: EdgePrices, units: Units, limit: tuple[int, bool]) -> tuple[Labels, Ints, bool]:
    """Return the labels, the best one (n,) of each root (-1 elsewhere), and whether none that mattered was lost."""
    nodes = len(forest.parent)
    begin, end = np.full(nodes, -1, np.int64), np.full(nodes, -1, np.int64)
    best = np.full(nodes, -1, np.int64)
    arena, used, exact = _room(1024), 0, True
    for node in forest.order:
        if forest.lines[node] > 0:
            own = _room(1)
            own.drop[0], own.node[0] = forest.lines[node], node
            _fill(own, 0, units)
            start = used
            arena, used, _ = _append(arena, used, own, 1, limit)
            ours = (start, used)
            if begin[node] >= 0:
                fresh, count = _combined(arena, ours, (begin[node], end[node]), node, units)
                start = used
                arena, used, whole = _append(arena, used, fresh, count, limit)
                exact = exact and whole
                ours = (start, used)
            begin[node], end[node] = ours
        if begin[node] < 0:
            continue
        fresh, count = _closings(arena, begin[node], end[node], node, units)
        edge, parent = forest.edge[node], forest.parent[node]
        if edge < 0:
            place = _cheapest_whole(fresh, count)
            arena = _grown(arena, used + 1)
            _copy(fresh, place, arena, used)
            best[node] = used
            used += 1
            continue
        for place in range(count):
            fibres = fresh.drop[place] + fresh.distribution[place] + fresh.feeder[place]
            fresh.cost[place] += edge_price(prices, edge, fibres)
        start = used
        arena, used, whole = _append(arena, used, fresh, count, limit)
        exact = exact and whole
        if begin[parent] >= 0:
            fresh, count = _combined(arena, (begin[parent], end[parent]), (start, used), parent, units)
            start = used
            arena, used, whole = _append(arena, used, fresh, count, limit)
            exact = exact and whole
        begin[parent], end[parent] = start, used
    return arena, best, exact


@compiled
def _collect(arena: Labels, best: Ints, forest: Forest) -> tuple[Ints, Ints]:
    """Return the units (3, n) set at each node and the fibres (3, n) on each node's edge, for the ``best`` labels."""
    nodes = len(forest.parent)
    units, fibres = np.zeros((3, nodes), np.int64), np.zeros((3, nodes), np.int64)
    stack = [place for place in best if place >= 0]
    while len(stack) > 0:
        place = stack.pop()
        node = arena.node[place]
        units[0, node] += arena.boxes[place]
        units[1, node] += arena.firsts[place]
        units[2, node] += arena.cabinets[place]
        for before in (arena.first[place], arena.second[place]):
            if before < 0:
                continue
            below = arena.node[before]
            if below != node:
                fibres[0, below] = arena.drop[before]
                fibres[1, below] = arena.distribution[before]
                fibres[2, below] = arena.feeder[before]
            stack.append(before)
    return units, fibres


def place_splitters(forest: Forest, prices: EdgePrices, sizes: Sizes, *, most_labels: int = MOST_LABELS) -> Placing:
    """Return the cheapest boxes, cabinets and fibres for the lines of ``forest``, with the bound that proves it.

    Exact (cost equals bound) unless a node needs more than ``most_labels`` labels. Then cheaper labels
    were cut, and the bound comes from a second pass in which labels are joined instead.
    """
    units = Units(
        sizes.box_lines,
        sizes.first_boxes,
        sizes.cabinet_firsts,
        sizes.box_cost,
        sizes.first_cost,
        sizes.cabinet_cost,
    )
    arena, best, exact = _programme(forest, prices, units, (most_labels, False))
    roots = best[best >= 0]
    cost = float(arena.cost[roots].sum())
    placed, fibres = _collect(arena, best, forest)
    bound = cost
    if not exact:
        joined, best, _ = _programme(forest, prices, units, (most_labels, True))
        bound = min(cost, float(joined.cost[best[best >= 0]].sum()))
    return Placing(placed[0], placed[1], placed[2], fibres[0], fibres[1], fibres[2], cost, bound)


__all__ = ["MOST_LABELS", "Forest", "Placing", "place_splitters"]
