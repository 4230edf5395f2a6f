"""When each splitter, cabinet and edge is first needed, if those who come first share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Ints
from xinji.plan.fibre.pon.prices import Sizes
from xinji.plan.fibre.pon.splitters import Forest, Placing
from xinji.plan.jit import compiled


@dataclass(frozen=True, slots=True, eq=False)
class Timing:
    """What is set in which stage (T): ``boxes``, ``firsts`` and ``cabinets`` (n, T) by node.

    ``edge_stage`` (n,) is when the edge from each node towards the exchange is first used (0 never):
    it is opened then, once, with cables and ducts for all stages.
    """

    boxes: Ints
    firsts: Ints
    cabinets: Ints
    edge_stage: Ints


def timing(forest: Forest, placing: Placing, sizes: Sizes, lines: Ints) -> Timing:
    """Return when the units of ``placing`` are needed by ``lines`` (n, T), those connected in each stage.

    At each node lines that come earlier take the first places, and later ones are carried on.
    """
    carried = np.stack([placing.drop, placing.distribution])
    per = (sizes.box_lines, sizes.first_boxes, sizes.cabinet_firsts)
    boxes, firsts, cabinets, first_stage = _timing(forest, carried, per, lines)
    return Timing(boxes, firsts, cabinets, first_stage)


@compiled
def _taken(waiting: Ints, count: int) -> Ints:
    """Take the ``count`` earliest of ``waiting`` (T,) away, and return them by stage (T,)."""
    taken = np.zeros_like(waiting)
    for stage in range(len(waiting)):
        taken[stage] = min(waiting[stage], count)
        count -= taken[stage]
        waiting[stage] -= taken[stage]
    return taken


@compiled
def _grouped(taken: Ints, per: int) -> Ints:
    """Return how many groups of ``per`` begin in each stage (T,) when ``taken`` (T,) fill them in turn."""
    groups = np.zeros_like(taken)
    before = 0
    for stage in range(len(taken)):
        after = before + taken[stage]
        groups[stage] = (after + per - 1) // per - (before + per - 1) // per
        before = after
    return groups


@compiled
def _timing(forest: Forest, carried: Ints, per: tuple[int, int, int], lines: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Return boxes, splitters of the first level and cabinets (n, T), and the stage of each edge (n,)."""
    nodes, stages = lines.shape
    drop, distribution = lines.copy(), np.zeros_like(lines)
    boxes, firsts, cabinets = np.zeros_like(lines), np.zeros_like(lines), np.zeros_like(lines)
    begun = np.full(nodes, stages + 1, np.int64)
    for node in forest.order:
        for stage in range(stages):
            if lines[node, stage] > 0:
                begun[node] = min(begun[node], stage + 1)
        boxes[node] = _grouped(_taken(drop[node], drop[node].sum() - carried[0, node]), per[0])
        distribution[node] += boxes[node]
        firsts[node] = _grouped(_taken(distribution[node], distribution[node].sum() - carried[1, node]), per[1])
        cabinets[node] = _grouped(firsts[node], per[2])
        parent = forest.parent[node]
        if parent >= 0:
            drop[parent] += drop[node]
            distribution[parent] += distribution[node]
            begun[parent] = min(begun[parent], begun[node])
    for node in range(nodes):
        if begun[node] > stages or forest.edge[node] < 0:
            begun[node] = 0
    return boxes, firsts, cabinets, begun


__all__ = ["Timing", "timing"]
