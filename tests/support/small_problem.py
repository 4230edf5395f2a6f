"""Small random problems of the staged choice, small enough to enumerate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.core.offer import EXISTING, FORBIDDEN, FREE
from xinji.core.problem import Problem

SITE_A, CARRIER_A, SITE_B, CARRIER_B, ROOM, SERVER, CELL = range(7)
"""The options: two sites with a carrier each, a room with a server in it, and a gigabit cell."""

OPTIONS = ("site_a", "carrier_a", "site_b", "carrier_b", "room", "server", "cell")
_HOST = (-1, SITE_A, -1, SITE_B, -1, ROOM, -1)


def small_problem(seed: int) -> Problem:
    """Return a problem of 7 options, 7 trenches, 6 to 8 nodes, 2 or 3 stages, and 5 rows.

    The seed decides goal, carry-over, floors, what exists, is committed or forbidden, and every figure.
    With three stages some options and trenches are fixed or shut, so that it stays small.
    """
    rng = np.random.default_rng(seed)
    stages = 3 if seed % 3 == 0 else 2
    problem = _plain(rng, stages, nodes=int(rng.integers(6, 9)))
    problem = _with_codes(rng, problem, seed)
    problem = _with_floors(rng, problem, count=1 + seed // 4 % 2 if seed % 4 in (1, 3) else 0)
    return replace(problem, goal="least_cost") if seed % 4 == 3 else problem


def _plain(rng: np.random.Generator, stages: int, nodes: int) -> Problem:
    n, m, rows = len(OPTIONS), 7, 5
    from_node, to_node = _graph(rng, nodes, m)
    length = rng.integers(1, 9, m).astype(np.float64) * 100.0
    capex = rng.integers(200, 2000, n) * 100
    trench_capex = (length * rng.integers(2, 6, m)).astype(np.int64) * 100 // 4
    arcs = _arcs(rng, rows)
    grow = 1.0 + 0.2 * np.arange(stages)
    discount = 1.05 ** -np.arange(stages, dtype=float)
    value = rng.integers(10, 200, rows)[:, None] * grow * discount
    amount = rng.integers(1, 20, (rows, 3))[:, None, :] * grow[:, None] * np.array([1.0, 0.5, 0.3])
    node = np.full(n, -1, dtype=np.int64)
    node[[SITE_A, SITE_B, ROOM, CELL]] = rng.integers(0, nodes, 4)
    total = float(capex.sum() + trench_capex.sum())
    return Problem(
        years=np.arange(2026, 2026 + stages),
        discount=discount,
        budget=np.rint(total * rng.uniform(0.3, 0.9) / stages * rng.uniform(0.6, 1.4, stages)).astype(np.int64),
        carry_over=bool(rng.random() < 0.5),
        goal="most_value",
        option_id=np.array(OPTIONS),
        capex=capex,
        opex=rng.integers(0, 6000, n),
        host=np.array(_HOST),
        node=node,
        built=np.full(n, FREE),
        capacity=_capacities(rng, n),
        node_count=nodes,
        roots=np.unique(rng.integers(0, nodes, 1 + int(rng.random() < 0.3))),
        trench_id=np.array([f"trench_{e}" for e in range(m)]),
        from_node=from_node,
        to_node=to_node,
        trench_length_m=length,
        trench_capex=trench_capex,
        trench_opex=trench_capex // 50,
        trench_built=np.full(m, FREE),
        value=value,
        amount=amount,
        arc_row=arcs[0],
        arc_option=arcs[1],
        arc_partner=arcs[2],
        arc_share=rng.integers(3, 11, len(arcs[0])) / 10.0,
        arc_limit_m=np.where(arcs[2] >= 0, rng.choice([400.0, 700.0, 1200.0, np.inf], len(arcs[0])), np.inf),
        floor_name=np.zeros(0, dtype=np.str_),
        floor_stage=np.zeros(0, dtype=np.int64),
        floor_weight=np.zeros((0, rows)),
        floor_amount=np.zeros(0),
    )


def _graph(rng: np.random.Generator, nodes: int, edges: int) -> tuple[Ints, Ints]:
    """Return a random tree over the nodes, and random further edges between different nodes."""
    tail = [int(rng.integers(0, node)) for node in range(1, nodes)]
    head = list(range(1, nodes))
    while len(tail) < edges:
        u, v = rng.choice(nodes, 2, replace=False)
        tail.append(int(u))
        head.append(int(v))
    return np.array(tail[:edges], dtype=np.int64), np.array(head[:edges], dtype=np.int64)


def _arcs(rng: np.random.Generator, rows: int) -> tuple[Ints, Ints, Ints]:
    """Return row, option and partner of the arcs: rows 0 and 1 by carriers, 2 and 3 by pairs, 4 by the cell."""
    plain = [(row, option, -1) for row in (0, 1) for option in (CARRIER_A, CARRIER_B) if rng.random() < 0.9]
    pairs = [(r, o, p) for r in (2, 3) for o in (CARRIER_A, CARRIER_B) for p in (ROOM, SERVER) if rng.random() < 0.8]
    others = [(4, CELL, -1), (0, CELL, -1), (2, CARRIER_A, SERVER)]
    row, option, partner = np.array(sorted({*plain, *pairs, *others})).T
    return row.astype(np.int64) % rows, option.astype(np.int64), partner.astype(np.int64)


def _capacities(rng: np.random.Generator, n: int) -> Floats:
    capacity = rng.integers(4, 40, (n, 3)).astype(float)
    return np.where(rng.random((n, 3)) < 0.4, np.inf, capacity)


def _with_codes(rng: np.random.Generator, problem: Problem, seed: int) -> Problem:
    """Return ``problem`` with some options and trenches existing, committed or forbidden."""
    built, trench_built = problem.built.copy(), problem.trench_built.copy()
    codes = [EXISTING, int(rng.integers(1, problem.stages + 1)), FORBIDDEN]
    codes = codes[seed // 2 % 3 :] + codes[: seed // 2 % 3]
    count = 2 if problem.stages == 3 else seed % 3
    for place, code in zip(rng.choice([SITE_A, SITE_B, ROOM, CELL], count, replace=False), codes, strict=False):
        built[place] = code
    trenches = rng.choice(len(trench_built), 2 if problem.stages == 3 else seed % 2, replace=False)
    for place, code in zip(trenches, codes, strict=False):
        trench_built[place] = max(code, EXISTING)
    return replace(problem, built=built, trench_built=trench_built)


def _with_floors(rng: np.random.Generator, problem: Problem, count: int) -> Problem:
    rows = len(problem.value)
    weight = rng.integers(0, 50, (count, rows)).astype(float)
    due = rng.integers(1, problem.stages + 1, count)
    return replace(
        problem,
        floor_name=np.array([f"all:service_{f}:{problem.years[s - 1]}" for f, s in enumerate(due)], dtype=np.str_),
        floor_stage=due,
        floor_weight=weight,
        floor_amount=weight.sum(axis=1) * rng.uniform(0.03, 0.25, count),
    )


def hand_problem(goal: str = "most_value", *, carry_over: bool = False) -> Problem:
    """Return the problem of the golden files: 4 options, 3 trenches, 2 rows, 2 stages, figures easy to follow.

    Trenches: point of presence 0 - site's node 1 (5.00), 1 - room's node 2 (3.00), 0 - 2 (4.00, stage 2, committed).
    """
    return Problem(
        years=np.array([2026, 2027]),
        discount=np.array([1.0, 0.5]),
        budget=np.array([4000, 2500]),
        carry_over=carry_over,
        goal=goal,
        option_id=np.array(["site", "carrier", "room", "cell"]),
        capex=np.array([1000, 400, 700, 900]),
        opex=np.array([10, 4, 7, 9]),
        host=np.array([-1, 0, -1, -1]),
        node=np.array([1, -1, 2, 0]),
        built=np.array([FREE, FREE, FREE, EXISTING]),
        capacity=np.array([[np.inf] * 3, [20.0, 8.0, np.inf], [np.inf, np.inf, 3.0], [np.inf] * 3]),
        node_count=3,
        roots=np.array([0]),
        trench_id=np.array(["north", "east", "ring"]),
        from_node=np.array([0, 1, 0]),
        to_node=np.array([1, 2, 2]),
        trench_length_m=np.array([100.0, 60.0, 80.0]),
        trench_capex=np.array([500, 300, 400]),
        trench_opex=np.array([5, 3, 4]),
        trench_built=np.array([FREE, FREE, 2]),
        value=np.array([[100.0, 60.0], [50.0, 30.0]]),
        amount=np.array([[[10.0, 5.0, 0.0]] * 2, [[4.0, 6.0, 2.0]] * 2]),
        arc_row=np.array([0, 1, 0]),
        arc_option=np.array([1, 1, 3]),
        arc_partner=np.array([-1, 2, -1]),
        arc_share=np.array([0.9, 1.0, 0.25]),
        arc_limit_m=np.array([np.inf, 120.0, np.inf]),
        floor_name=np.array(["all:industrial_edge:2027"]),
        floor_stage=np.array([2]),
        floor_weight=np.array([[0.0, 40.0]]),
        floor_amount=np.array([10.0]),
    )
