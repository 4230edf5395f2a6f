"""Radio, fibre and compute planned jointly on made-up regions: proved gap, and against one technology after the other.

A region is a road graph (Delaunay edges of random junctions, clustered as towns are), radio sites with two
carriers each, blocks of premises that fibre can reach, rooms for edge nodes, and cells with two services, of
which one needs a room. Money suffices for about a quarter of all that could be built.
"""

from __future__ import annotations

import os
import resource
import sys
import time

import numpy as np
from scipy.spatial import Delaunay, cKDTree

from xinji.core.arrays import Floats, Ints
from xinji.core.offer import FREE
from xinji.core.problem import Problem
from xinji.plan.choose.check import check
from xinji.plan.choose.improve import Effort
from xinji.plan.choose.sequential import solve_sequential
from xinji.plan.choose.solve import solve
from xinji.workflow.planning import plan_region

STAGES = 5
SIZES = {"2k/150": (2_000, 150), "5k/400": (5_000, 400), "100k/5k": (100_000, 5_000)}
SEEDS = 20
_CELLS_PER_SITE, _BLOCKS_PER_SITE, _SITES_PER_ROOM = 12, 2, 25
_NEAR_SITES = 4
_METRE_CENTS = 6_000


def region(seed: int, nodes: int, sites: int) -> tuple[Problem, Ints]:
    """Return a made-up region and the technology of each of its options: 0 radio, 1 fibre, 2 compute."""
    rng = np.random.default_rng(seed)
    place = _places(rng, nodes)
    edges = _roads(place)
    length = np.linalg.norm(place[edges[:, 0]] - place[edges[:, 1]], axis=1) + 1.0
    blocks, rooms = sites * _BLOCKS_PER_SITE, max(sites // _SITES_PER_ROOM, 2)
    at = rng.choice(nodes, sites + blocks + rooms, replace=False)
    kinds = (sites, 2 * sites, blocks, rooms)
    technology = np.repeat(np.array([0, 0, 1, 2]), kinds)
    capex = np.concatenate(
        [
            rng.integers(8_000_000, 20_000_000, sites),
            rng.integers(6_000_000, 14_000_000, 2 * sites),
            rng.integers(1_000_000, 20_000_000, blocks),
            rng.integers(20_000_000, 60_000_000, rooms),
        ]
    )
    n = len(capex)
    none = np.full(2 * sites, -1)
    host = np.concatenate([np.full(sites, -1), np.tile(np.arange(sites), 2), np.full(blocks + rooms, -1)])
    node = np.concatenate([at[:sites], none, at[sites:]])
    capacity = np.full((n, 3), np.inf)
    capacity[sites : 2 * sites, 0], capacity[2 * sites : 3 * sites, 0] = 120.0, 500.0
    capacity[n - rooms :, 2] = 900.0
    trench = (length * _METRE_CENTS).astype(np.int64)
    rows = _Rows(rng, place, at, sites, rooms, n)
    budget = int((capex.sum() + trench.sum() * sites / nodes) * 0.25 / STAGES)
    problem = Problem(
        years=np.arange(2026, 2026 + STAGES),
        discount=1.05 ** -np.arange(STAGES, dtype=float),
        budget=np.full(STAGES, budget),
        carry_over=False,
        goal="most_value",
        option_id=np.array([f"{'RFC'[kind]}{i}" for i, kind in enumerate(technology.tolist())]),
        capex=capex.astype(np.int64),
        opex=(capex // 20).astype(np.int64),
        host=host,
        node=node,
        built=np.full(n, FREE),
        capacity=capacity,
        node_count=nodes,
        roots=np.unique(cKDTree(place).query(rng.random((max(sites // 100, 2), 2)) * place.max())[1]),
        trench_id=np.array([f"e{i}" for i in range(len(edges))]),
        from_node=edges[:, 0].copy(),
        to_node=edges[:, 1].copy(),
        trench_length_m=length,
        trench_capex=trench,
        trench_opex=trench // 100,
        trench_built=np.full(len(edges), FREE),
        value=rows.value,
        amount=rows.amount,
        arc_row=rows.row,
        arc_option=rows.option,
        arc_partner=rows.partner,
        arc_share=np.ones(len(rows.row)),
        arc_limit_m=np.full(len(rows.row), np.inf),
        floor_name=np.zeros(0, dtype=np.str_),
        floor_stage=np.zeros(0, dtype=np.int64),
        floor_weight=np.zeros((0, len(rows.value))),
        floor_amount=np.zeros(0),
    )
    return problem, technology


class _Rows:
    """Rows (cells' two services, blocks' fibre) and the arcs that can serve them."""

    def __init__(self, rng: np.random.Generator, place: Floats, at: Ints, sites: int, rooms: int, options: int) -> None:
        cells, blocks = sites * _CELLS_PER_SITE, len(at) - sites - rooms
        where = place[rng.integers(0, len(place), cells)] + rng.normal(0.0, 100.0, (cells, 2))
        near: Ints = cKDTree(place[at[:sites]]).query(where, k=_NEAR_SITES)[1]
        nearest: Ints = cKDTree(place[at[-rooms:]]).query(where)[1]
        room = nearest + (options - rooms)
        people = rng.gamma(0.8, 300.0, cells)
        discount = 1.05 ** -np.arange(STAGES, dtype=float)
        worth = np.concatenate([people, 0.5 * people, rng.gamma(1.0, 500.0, blocks)])
        self.value = worth[:, None] * discount
        self.amount = np.zeros((len(worth), STAGES, 3))
        growth = 1.15 ** np.arange(STAGES)
        self.amount[: 2 * cells, :, 0] = (worth[: 2 * cells] * 0.1)[:, None] * growth
        self.amount[cells : 2 * cells, :, 2] = (people * 0.05)[:, None] * growth
        carrier = sites + near[:, :, None] + np.array([0, sites])
        flat = carrier.reshape(cells, -1)
        width = flat.shape[1]
        cell = np.repeat(np.arange(cells), width)
        self.row = np.concatenate([cell, cell + cells, 2 * cells + np.arange(blocks)])
        self.option = np.concatenate([flat.ravel(), flat.ravel(), 3 * sites + np.arange(blocks)])
        alone = np.full(len(cell), -1)
        self.partner = np.concatenate([alone, np.repeat(room, width), np.full(blocks, -1)])


def _places(rng: np.random.Generator, nodes: int) -> Floats:
    """Return junctions (nodes, 2) [m]: half of them in towns."""
    side = 120.0 * np.sqrt(nodes)
    towns = rng.random((max(nodes // 400, 3), 2)) * side
    near = towns[rng.integers(0, len(towns), nodes // 2)] + rng.normal(0.0, 600.0, (nodes // 2, 2))
    return np.concatenate([near, rng.random((nodes - nodes // 2, 2)) * side])


def _roads(place: Floats) -> Ints:
    """Return the edges (m, 2) between junctions: those of the Delaunay triangles, the long sides left out."""
    triangles = Delaunay(place).simplices
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]]), axis=1)
    sides = np.linalg.norm(place[edges[:, 0]] - place[edges[:, 1]], axis=1).reshape(3, -1)
    once: Ints = np.unique(edges[(sides < sides.max(axis=0)).ravel()], axis=0)
    return once.astype(np.int64)


def gaps(names: tuple[str, ...]) -> None:
    """Print the proved gap of the joint plan on each size of ``names``."""
    print("| nodes / sites | options | arcs | worth | bound | certified gap | CPU s | GiB |")
    print("|---|---|---|---|---|---|---|---|")
    for name in names:
        problem, _ = region(1, *SIZES[name])
        begun = time.process_time()
        plan = solve(problem, Effort())
        seconds = time.process_time() - begun
        check(problem, plan)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        size = f"{name} | {len(problem.option_id):,} | {len(problem.arc_row):,}"
        figures = f"{plan.objective:,.0f} | {plan.bound:,.0f} | {plan.gap:.2%}"
        print(f"| {size} | {figures} | {seconds:.0f} | {memory:.2f} |", flush=True)


def joint_against_sequential(seeds: int) -> None:
    """Print by how much the joint plan is worth more than one technology after the other, over seeded regions."""
    more = []
    for seed in range(seeds):
        problem, technology = region(100 + seed, 800, 60)
        effort = Effort(tries=60, seed=seed)
        plan = solve(problem, effort)
        other = solve_sequential(problem, technology, plan, effort)
        more.append(plan.objective / other.objective - 1.0)
    low, middle, high = np.quantile(more, [0.1, 0.5, 0.9])
    print(
        f"\nJoint against one technology after the other, {seeds} regions of 800 nodes and 60 sites: median "
        f"{middle:+.2%} of worth, 10 to 90 % of regions {low:+.2%} to {high:+.2%}, least {min(more):+.2%}, "
        f"most {max(more):+.2%}; joint better in {sum(m > 0 for m in more)}."
    )


def xinwu() -> None:
    """Print the proved gap of the built-in region, planned as ``xinji plan xinwu`` plans it."""
    begun = time.process_time()
    plan = plan_region("xinwu").study.plan
    seconds = time.process_time() - begun
    print(
        f"\nXinwu, five stages: worth {plan.objective:,.0f}, bound {plan.bound:,.0f}, certified gap {plan.gap:.2%}, "
        f"{seconds:.0f} CPU s from its files to the checked plan, the sequential plan included; the search and its "
        f"bound alone {plan.seconds:.0f} s by the wall.",
        flush=True,
    )


def main() -> None:
    """Print the tables; with the argument ``small``, without xinwu and the largest region."""
    print(f"{os.cpu_count()} cores, one used.\n")
    solve(region(0, 300, 20)[0], Effort(tries=2, rounds=1))  # compiles
    small = "small" in sys.argv[1:]
    gaps(("2k/150", "5k/400") if small else tuple(SIZES))
    if not small:
        xinwu()
    joint_against_sequential(SEEDS)


if __name__ == "__main__":
    main()
