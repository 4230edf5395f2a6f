"""Random trench graphs with options on them, and hand-made problems; every figure follows from the seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xinji.core.arrays import Ints
from xinji.core.offer import FREE
from xinji.core.problem import Problem


def star(nodes: list[int]) -> Problem:
    """Return a problem of one option for each of ``nodes`` on a line of four trenches, one row each.

    Nodes 0 (root) - 1 - 2 - 3 and an island 4 - 5; trenches cost 10.00, 20.00 and 30.00, on the island 1.00.
    """
    n = len(nodes)
    return Problem(
        years=np.array([2026, 2027]),
        discount=np.array([1.0, 0.5]),
        budget=np.array([100_000, 100_000]),
        carry_over=False,
        goal="most_value",
        option_id=np.array([f"option_{i}" for i in range(n)]),
        capex=np.full(n, 500),
        opex=np.full(n, 50),
        host=np.full(n, -1),
        node=np.array(nodes),
        built=np.full(n, FREE),
        capacity=np.full((n, 3), np.inf),
        node_count=6,
        roots=np.array([0]),
        trench_id=np.array(["a", "b", "c", "island"]),
        from_node=np.array([0, 1, 2, 4]),
        to_node=np.array([1, 2, 3, 5]),
        trench_length_m=np.array([100.0, 200.0, 300.0, 10.0]),
        trench_capex=np.array([1000, 2000, 3000, 100]),
        trench_opex=np.array([10, 20, 30, 1]),
        trench_built=np.full(4, FREE),
        value=np.repeat(np.array([[100.0, 50.0]]), n, axis=0),
        amount=np.ones((n, 2, 3)),
        arc_row=np.arange(n),
        arc_option=np.arange(n),
        arc_partner=np.full(n, -1),
        arc_share=np.ones(n),
        arc_limit_m=np.full(n, np.inf),
        floor_name=np.zeros(0, dtype=np.str_),
        floor_stage=np.zeros(0, dtype=np.int64),
        floor_weight=np.zeros((0, n)),
        floor_amount=np.zeros(0),
    )


def random_graph(seed: int, *, nodes: int = 7, extra: int = 3, stages: int = 3, options: int = 4) -> Problem:
    """Return a connected graph of ``nodes`` with ``extra`` trenches over a tree, and ``options`` at random nodes."""
    rng = np.random.default_rng(seed)
    base, node = star([0] * options), rng.integers(1, nodes, options)
    tail = [int(rng.integers(0, node)) for node in range(1, nodes)]
    head = list(range(1, nodes))
    for _ in range(extra):
        u, v = rng.choice(nodes, 2, replace=False)
        tail.append(int(u))
        head.append(int(v))
    m = len(tail)
    return replace(
        base,
        years=np.arange(2026, 2026 + stages),
        discount=1.05 ** -np.arange(stages, dtype=float),
        budget=np.full(stages, 1_000_000),
        value=np.ones((options, stages)),
        amount=np.ones((options, stages, 3)),
        node=node,
        node_count=nodes,
        trench_id=np.array([f"trench_{e}" for e in range(m)]),
        from_node=np.array(tail),
        to_node=np.array(head),
        trench_length_m=rng.integers(1, 50, m).astype(float),
        trench_capex=rng.integers(1, 50, m) * 100,
        trench_opex=rng.integers(0, 9, m),
        trench_built=np.full(m, FREE),
    )


def joined(problem: Problem, dug: Ints, stage: int, roots: Ints) -> set[int]:
    """Return the nodes that trenches dug by ``stage`` join to ``roots``, by spreading along every trench."""
    found, grown = set(roots.tolist()), True
    while grown:
        grown = False
        for edge in np.flatnonzero((dug >= 0) & (dug <= stage)):
            ends = {int(problem.from_node[edge]), int(problem.to_node[edge])}
            if ends & found and not ends <= found:
                found, grown = found | ends, True
    return found
