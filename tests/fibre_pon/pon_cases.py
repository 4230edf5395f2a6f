"""Small access networks, random and by hand, and every design of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.plan.fibre.pon.case import AccessCase
from xinji.plan.fibre.pon.prices import PonPrices, Sizes
from xinji.plan.fibre.reach import LossBudget

BUDGET = LossBudget(31.0, 64.0, 3.5, 2.0, 1.0, 0.4, 20_000.0)
PRICES = PonPrices(
    cable_fibres=np.array([2, 4, 12]),
    cable_per_m=np.array([1.0, 1.5, 3.0]),
    aerial_factor=1.2,
    hole_per_m=2.0,
    spare_holes=1,
    spare_fibres=0.0,
    box=30.0,
    cabinet=200.0,
    cabinet_splitters=2,
    output=2.0,
    port=100.0,
    line=10.0,
    fill=1.0,
    lines_per_port=64.0,
    split_limit=64,
)


def tree_case(parent: list[int], lines: list[int], length_m: Floats, *, stage: list[int] | None = None) -> AccessCase:
    """Return the case of a tree: node i + 1 hangs on ``parent[i]``, node 0 is the exchange, all is dug already."""
    m, nodes = len(parent), np.flatnonzero(lines)
    return AccessCase(
        node_count=m + 1,
        from_node=np.array(parent, dtype=np.int64),
        to_node=np.arange(1, m + 1),
        length_m=np.asarray(length_m, dtype=np.float64),
        opening=np.tile([0.0, np.inf], (m, 1)),
        holes=np.full(m, 2),
        other_cables=np.zeros(m, dtype=np.int64),
        exchanges=np.array([0]),
        premises_node=nodes,
        premises_lines=np.array(lines)[nodes],
        premises_stage=np.array(stage)[nodes] if stage else np.ones(len(nodes), dtype=np.int64),
        premises_tail_m=np.zeros(len(nodes)),
        stages=max(stage or [1]),
    )


def random_tree(rng: np.random.Generator, nodes: int, most_lines: int) -> AccessCase:
    """Return a random tree of ``nodes`` nodes with up to ``most_lines`` lines at each."""
    parent = [int(rng.integers(0, node)) for node in range(1, nodes)]
    lines = rng.integers(0, most_lines + 1, nodes).tolist()
    return tree_case(parent, lines, rng.uniform(10.0, 400.0, nodes - 1), stage=rng.integers(1, 4, nodes).tolist())


def with_stages(case: AccessCase, stages: int) -> AccessCase:
    """Return ``case`` with so many stages."""
    return replace(case, stages=stages)


def every_design(parent: list[int], lines: list[int], sizes: Sizes, price: Floats) -> float:
    """Return the least cost of all designs of a tree, by enumeration; ``price`` (m + 1, fibres) for each node's edge.

    Each node (farthest first) may split any number of its lines and boxes, in any way.
    """
    nodes = len(lines)

    def go(node: int, drop: Ints, boxes: Ints, feeders: Ints) -> float:
        if node < 0:
            return 0.0
        least = np.inf
        for split, cost in options(int(drop[node]), int(boxes[node]), last=node == 0):
            up = (int(drop[node]) - split[0], int(boxes[node]) + split[1] - split[2], int(feeders[node]) + split[3])
            if node == 0:
                least = min(least, cost)
                continue
            paid = cost + (price[node, sum(up)] if sum(up) else 0.0)
            onward = [column.copy() for column in (drop, boxes, feeders)]
            for column, more in zip(onward, up, strict=True):
                column[parent[node - 1]] += more
            least = min(least, paid + go(node - 1, onward[0], onward[1], onward[2]))
        return least

    def options(drop: int, boxes: int, *, last: bool) -> Iterator[tuple[tuple[int, int, int, int], float]]:
        for taken in [drop] if last else range(drop + 1):
            made = -(-taken // sizes.box_lines)
            for into in [boxes + made] if last else range(boxes + made + 1):
                firsts = -(-into // sizes.first_boxes)
                cabinets = -(-firsts // sizes.cabinet_firsts)
                cost = made * sizes.box_cost + firsts * sizes.first_cost + cabinets * sizes.cabinet_cost
                yield (taken, made, into, firsts), float(cost)

    none = np.zeros(nodes, dtype=np.int64)
    return go(nodes - 1, np.array(lines, dtype=np.int64), none.copy(), none.copy())


def every_count(most: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield all tuples of counts from 0 to ``most``."""
    yield from product(*(range(count + 1) for count in most))
