"""The proved bound against the linear programs of HiGHS, in one run on one machine.

A made-up staged covering instance of xinwu's size: who is served by which carrier, which carriers stand
on which sites, in which year, under yearly budgets and capacities. It has no trenches, so that the
relaxation behind our bound and the linear program have the same best value: only the time and the
precision differ. HiGHS is asked with its interior-point and its first-order method within
limits of time; a bound is computed from its row duals, which prove one at any time just as multipliers do.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import highspy
import numpy as np
from scipy.spatial import cKDTree

from xinji.core.arrays import Floats, Ints
from xinji.core.offer import FREE
from xinji.core.problem import NEVER, Problem
from xinji.plan.choose.bound import prove
from xinji.plan.choose.formulation import formulate, layout
from xinji.plan.choose.improve import Effort
from xinji.plan.choose.solve import search
from xinji.plan.design.model import AT_LEAST, AT_MOST, Model, matrix_of

CELLS, SITES, CARRIERS, STAGES = 6_500, 700, 3, 5
SERVERS_PER_CELL = 6
SEED, TRIES = 1, 40
_new: Callable[[], highspy.Highs] = highspy.Highs
ROUNDS = (5, 1)
RIVALS = (("ipm", 60.0), ("pdlp", 5.0), ("pdlp", 15.0), ("pdlp", 60.0))


@dataclass(frozen=True, slots=True)
class Line:
    """One method: seconds, the bound that it proves, and how it ended."""

    method: str
    seconds: float
    bound: float
    ended: str


def instance(seed: int, cells: int = CELLS, sites: int = SITES) -> Problem:
    """Return a staged covering problem: ``cells`` rows, each served by carriers of its nearest sites."""
    rng = np.random.default_rng(seed)
    n = sites * (1 + CARRIERS)
    host = np.where(np.arange(n) < sites, -1, np.arange(n) % sites)
    people = rng.gamma(0.8, 150.0, cells)
    arc_row, arc_option = _arcs(rng, cells, sites)
    capex = np.where(
        np.arange(n) < sites, rng.integers(8_000_000, 25_000_000, n), rng.integers(6_000_000, 15_000_000, n)
    )
    capacity = np.full((n, 3), np.inf)
    capacity[sites:, 0] = rng.choice([104.0, 573.0, 573.0], n - sites)
    discount = 1.08 ** -np.arange(STAGES, dtype=float)
    return Problem(
        years=np.arange(2026, 2026 + STAGES),
        discount=discount,
        budget=np.full(STAGES, int(capex.sum() * 0.06)),
        carry_over=False,
        goal="most_value",
        option_id=np.array([f"o{i}" for i in range(n)]),
        capex=capex.astype(np.int64),
        opex=(capex // 12).astype(np.int64),
        host=host,
        node=np.full(n, -1),
        built=np.full(n, FREE),
        capacity=capacity,
        node_count=1,
        roots=np.array([0]),
        trench_id=np.zeros(0, dtype=np.str_),
        from_node=np.zeros(0, dtype=np.int64),
        to_node=np.zeros(0, dtype=np.int64),
        trench_length_m=np.zeros(0),
        trench_capex=np.zeros(0, dtype=np.int64),
        trench_opex=np.zeros(0, dtype=np.int64),
        trench_built=np.zeros(0, dtype=np.int64),
        value=people[:, None] * discount,
        amount=(people[:, None] * 0.15 * 1.15 ** np.arange(STAGES))[:, :, None] * np.array([1.0, 0.3, 0.0]),
        arc_row=arc_row,
        arc_option=arc_option,
        arc_partner=np.full(len(arc_row), -1),
        arc_share=np.ones(len(arc_row)),
        arc_limit_m=np.full(len(arc_row), np.inf),
        floor_name=np.zeros(0, dtype=np.str_),
        floor_stage=np.zeros(0, dtype=np.int64),
        floor_weight=np.zeros((0, cells)),
        floor_amount=np.zeros(0),
    )


def _arcs(rng: np.random.Generator, cells: int, sites: int) -> tuple[Ints, Ints]:
    """Return row and option of the arcs: from each cell to a carrier each of its nearest sites."""
    near = cKDTree(rng.random((sites, 2))).query(rng.random((cells, 2)), k=SERVERS_PER_CELL)[1]
    carrier = rng.integers(0, CARRIERS, near.shape)
    option = sites + carrier * sites + near
    return np.repeat(np.arange(cells), SERVERS_PER_CELL), option.ravel().astype(np.int64)


def proved_by_duals(model: Model, dual: Floats) -> float:
    """Return the bound that row duals (q,) prove by weak duality, whatever their precision."""
    rows, columns = model.rows, model.columns
    dual = np.where(rows.sense == AT_MOST, np.maximum(dual, 0.0), dual)
    dual = np.where(rows.sense == AT_LEAST, np.minimum(dual, 0.0), dual)
    left = columns.cost - matrix_of(model).T @ dual
    return float(dual @ rows.rhs + np.maximum(left * columns.lower, left * columns.upper).sum())


def lp_bound(model: Model, solver: str, limit_s: float) -> Line:
    """Return what HiGHS' ``solver`` proves of the linear program within ``limit_s``."""
    columns, rows = model.columns, model.rows
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(columns), len(rows)
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = columns.cost, columns.lower, columns.upper
    # Cents become hundreds of millions in a row: brought near 1, as the package does for its own programs.
    largest = np.maximum(np.asarray(abs(matrix_of(model)).max(axis=1).todense()).ravel(), 1.0)
    factor = np.exp2(-np.floor(np.log2(largest)))
    lp.row_lower_ = np.where(rows.sense == AT_MOST, -highspy.kHighsInf, rows.rhs * factor)
    lp.row_upper_ = np.where(rows.sense == AT_LEAST, highspy.kHighsInf, rows.rhs * factor)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = rows.start.astype(np.int32), rows.column.astype(np.int32)
    lp.a_matrix_.value_ = rows.coefficient * np.repeat(factor, np.diff(rows.start))
    highs = _new()
    highs.silent()
    for option, value in (("solver", solver), ("time_limit", limit_s), ("run_crossover", "off")):
        highs.setOptionValue(option, value)
    highs.passModel(lp)
    begun = time.perf_counter()
    highs.run()
    seconds = time.perf_counter() - begun
    dual = np.array(highs.getSolution().row_dual, dtype=float)
    bound = proved_by_duals(model, dual * factor) if len(dual) and np.isfinite(dual).all() else np.inf
    ended = str(highs.modelStatusToString(highs.getModelStatus())).lower()
    return Line(f"HiGHS {highs.version()} {solver}, {limit_s:g} s", seconds, bound, ended)


def our_bound(problem: Problem, target: float, rounds: int) -> Line:
    """Return what our bound proves in ``rounds`` of 250 iterations; ``solve`` takes 5."""
    begun = time.perf_counter()
    bound = prove(problem, target=target, rounds=rounds)
    return Line(
        f"xinji, bound.prove, {rounds * 250:,} iterations", time.perf_counter() - begun, bound.value, "all rounds done"
    )


def main() -> None:
    """Print the table."""
    search(instance(SEED, cells=200, sites=20), Effort(tries=2, rounds=1))  # compiles
    problem = instance(SEED)
    begun = time.perf_counter()
    found, _, _ = search(problem, Effort(tries=TRIES, rounds=2))
    heuristic_s = time.perf_counter() - begun
    lines = [our_bound(problem, found.objective, rounds) for rounds in ROUNDS]
    model = formulate(problem, layout(problem))
    lines += [lp_bound(model, solver, limit_s) for solver, limit_s in RIVALS]
    best = min(line.bound for line in lines)
    print(
        f"{len(problem.option_id):,} options, {len(problem.arc_row):,} arcs, {problem.stages} stages; as a linear "
        f"program {len(model.columns):,} columns, {len(model.rows):,} rows. {os.cpu_count()} cores, seed {SEED}.\n"
    )
    print("| method | ended | seconds | ratio of seconds | bound | over the best bound |")
    print("|---|---|---|---|---|---|")
    for line in lines:
        over = f"{line.bound / best - 1:.1e}" if np.isfinite(line.bound) else "-"
        bound = f"{line.bound:,.0f}" if np.isfinite(line.bound) else "none"
        ratio = line.seconds / lines[0].seconds
        print(f"| {line.method} | {line.ended} | {line.seconds:.1f} | {ratio:.1f} | {bound} | {over} |")
    built = int((found.stage != NEVER).sum())
    gap = best / found.objective - 1
    print(f"\nHeuristic: {built:,} options built, {found.objective:,.0f}, {gap:.2%} under the best bound,")
    print(f"{heuristic_s:.1f} s with its own bound ({TRIES} tries).")


if __name__ == "__main__":
    main()
