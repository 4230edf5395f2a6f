"""Ours and the packages that people use, each on a problem: what it finds, what it proves, in what time.

Each method builds its own model from the same arrays; building counts, importing and compiling do not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import highspy
import numpy as np
from scipy.sparse import coo_array, csc_array

from xinji.core.arrays import Floats, Ints
from xinji.io.instances_facility import FacilityInstance
from xinji.io.instances_graph import PrizeInstance, SteinerInstance
from xinji.plan.design.covering.covers import Covers, covered_weight
from xinji.plan.design.covering.generator import clustered_covers
from xinji.plan.design.covering.maximal import max_covering
from xinji.plan.design.covering.staged import staged_covering
from xinji.plan.design.facility.capacitated import capacitated_location
from xinji.plan.design.proof import Clock
from xinji.plan.design.steiner.graph import EdgeGraph
from xinji.plan.design.steiner.heuristic import heuristic_tree
from xinji.plan.design.steiner.prize import prize_collecting
from xinji.plan.design.steiner.solve import steiner_tree

STAGES, DISCOUNT = 5, 0.95
_SMALL = (300, 60, 6.0)
_ROUNDS, _WARM_S, _SPARE = 8, 1.0, 1.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a method: value, bound (NaN: it gives none) and processor seconds."""

    value: float
    bound: float
    seconds: float
    note: str = ""


Timed = tuple[float, float, str]


def _timed(run: Callable[[], Timed]) -> Outcome:
    """Return the outcome of ``run``, which returns value, bound and note."""
    begun = time.process_time()
    value, bound, note = run()
    return Outcome(value, bound, time.process_time() - begun, note)


def _compile(run: Callable[[], object]) -> None:
    """Let ``run``, a small problem with ``_WARM_S`` as its limit, compile: it runs until it keeps that limit."""
    for _ in range(_ROUNDS):
        begun = time.process_time()
        run()
        if time.process_time() - begun < _SPARE * _WARM_S:
            return


def our_covering(covers: Covers, budget: float, seconds: float) -> Outcome:
    """Ask our maximal covering."""
    small = clustered_covers(*_SMALL, 1)

    def run() -> Timed:
        found = max_covering(covers, budget=budget, seconds=seconds, seed=0)
        return found.value, found.bound, ""

    _compile(lambda: max_covering(small, budget=5.0, seconds=_WARM_S, seed=0))
    return _timed(run)


def highs_covering(covers: Covers, budget: float, seconds: float) -> Outcome:
    """Ask HiGHS for the mixed-integer program."""

    def run() -> Timed:
        n, m = covers.points, covers.sites
        row = np.repeat(np.arange(n), np.diff(covers.start))
        cover = coo_array((-np.ones(len(row)), (row, covers.site)), shape=(n + 1, m + n))
        met = coo_array((np.ones(n), (np.arange(n), m + np.arange(n))), shape=(n + 1, m + n))
        spent = coo_array((covers.cost, (np.full(m, n), np.arange(m))), shape=(n + 1, m + n))
        matrix = csc_array(cover + met + spent)
        gain = np.concatenate([np.zeros(m), covers.weight])
        limit = np.append(np.zeros(n), budget)
        whole = np.arange(m, dtype=np.int32)
        shares, bound, note = _highs((-gain, matrix, limit), np.ones(m + n), whole, seconds)
        sites = np.flatnonzero(shares[:m] > 0.5)
        return (covered_weight(covers, sites) if len(sites) else math.nan), -bound, note

    return _timed(run)


def spopt_covering(covers: Covers, budget: float, seconds: float) -> Outcome:
    """Ask spopt for a maximal covering, over PuLP and HiGHS, from a dense matrix as it wants one."""
    from pulp import HiGHS  # noqa: PLC0415 - it is a peer that may be missing
    from spopt.locate import MCLP  # noqa: PLC0415 - likewise

    def run() -> Timed:
        n, m = covers.points, covers.sites
        far = np.full((n, m), 2.0)
        far[np.repeat(np.arange(n), np.diff(covers.start)), covers.site] = 0.5
        model = MCLP.from_cost_matrix(far, covers.weight, 1.0, p_facilities=int(budget))
        model = model.solve(HiGHS(timeLimit=seconds, msg=False), results=False)
        chosen = [at for at, variable in enumerate(model.fac_vars) if (variable.varValue or 0.0) > 0.5]
        value = covered_weight(covers, np.array(chosen, dtype=np.int64)) if chosen else math.nan
        return value, math.nan, "it gives no bound"

    return _timed(run)


def our_staged(covers: Covers, budget: float, seconds: float) -> Outcome:
    """Ask our staged covering, budgets rising evenly over five stages; the note compares with cost-benefit greedy."""
    small = clustered_covers(*_SMALL, 1)
    worth = DISCOUNT ** np.arange(STAGES)

    def run() -> Timed:
        money: Floats = np.floor(budget * np.arange(1, STAGES + 1) / STAGES)
        found = staged_covering(covers, worth=worth, budget=money, seconds=seconds, seed=0)
        better = found.value / found.greedy_value - 1.0
        return found.value, found.bound, f"{better:.2%} better than cost-benefit greedy"

    even = np.arange(1.0, STAGES + 1.0)
    _compile(lambda: staged_covering(small, worth=worth, budget=even, seconds=_WARM_S, seed=0))
    return _timed(run)


def our_tree(problem: SteinerInstance, seconds: float) -> Outcome:
    """Ask our Steiner tree, with its bound."""

    def run() -> Timed:
        found = steiner_tree(_graph(problem), problem.terminals, seconds=seconds, seed=0)
        return found.value, found.bound, ""

    graph, terminals = _small_grid()
    _compile(lambda: steiner_tree(graph, terminals, seconds=_WARM_S, seed=0))
    return _timed(run)


def our_first_tree(problem: SteinerInstance, _seconds: float) -> Outcome:
    """Ask our heuristic alone for its first local optimum."""

    def run() -> Timed:
        tree = heuristic_tree(_graph(problem), problem.terminals, clock=Clock(), starts=0)
        return float(problem.cost[tree].sum()), math.nan, "without its bound"

    graph, terminals = _small_grid()
    _compile(lambda: heuristic_tree(graph, terminals, clock=Clock(), starts=0))
    return _timed(run)


def our_prize_tree(problem: PrizeInstance, seconds: float) -> Outcome:
    """Ask our prize-collecting tree."""

    def run() -> Timed:
        root = problem.root if problem.root >= 0 else None
        found = prize_collecting(_graph(problem), problem.prize, root=root, seconds=seconds, seed=0)
        return found.value, found.bound, ""

    graph, ends = _small_grid()
    prize = np.zeros(graph.node_count)
    prize[ends] = 5.0
    _compile(lambda: prize_collecting(graph, prize, seconds=_WARM_S, seed=0))
    return _timed(run)


def _graph(problem: SteinerInstance | PrizeInstance) -> EdgeGraph:
    return EdgeGraph(problem.node_count, problem.from_node, problem.to_node, problem.cost)


def _small_grid() -> tuple[EdgeGraph, Ints]:
    node = np.arange(64).reshape(8, 8)
    tail = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    head = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    cost = np.random.default_rng(1).integers(1, 20, len(tail)).astype(float)
    return EdgeGraph(64, tail, head, cost), node[::2, ::2].ravel()


def networkx_tree(problem: SteinerInstance, method: str) -> Outcome:
    """Ask networkx for a Steiner tree by ``method``; the graph is built before the clock starts."""
    import networkx as nx  # noqa: PLC0415 - it is a peer that may be missing

    graph = nx.Graph()
    for a, b, cost in zip(problem.from_node.tolist(), problem.to_node.tolist(), problem.cost.tolist(), strict=True):
        if not graph.has_edge(a, b) or graph[a][b]["weight"] > cost:
            graph.add_edge(a, b, weight=cost)

    def run() -> Timed:
        tree = nx.approximation.steiner_tree(graph, problem.terminals.tolist(), weight="weight", method=method)
        return float(tree.size(weight="weight")), math.nan, "it gives no bound"

    return _timed(run)


def rustworkx_tree(problem: SteinerInstance) -> Outcome:
    """Ask rustworkx for a Steiner tree (Kou, Markowsky and Berman); the graph is built before the clock starts."""
    import rustworkx as rx  # noqa: PLC0415 - it is a peer that may be missing

    graph = rx.PyGraph(multigraph=False)
    graph.add_nodes_from(range(problem.node_count))
    # Of parallel edges the last one stays, so the cheapest must come last.
    order = np.argsort(-problem.cost, kind="stable")
    columns = (problem.from_node[order].tolist(), problem.to_node[order].tolist(), problem.cost[order].tolist())
    graph.add_edges_from(list(zip(*columns, strict=True)))

    def run() -> Timed:
        tree = rx.steiner_tree(graph, problem.terminals.tolist(), float)
        return float(sum(tree.edges())), math.nan, "it gives no bound"

    return _timed(run)


def our_location(problem: FacilityInstance, seconds: float) -> Outcome:
    """Ask our capacitated facility location."""
    data = (problem.opening, problem.capacity, problem.demand, problem.cost)
    rng = np.random.default_rng(1)
    small = (np.full(8, 60.0), np.full(8, 8.0), rng.uniform(0.5, 2.0, 24), 100.0 * rng.random((24, 8)))

    def run() -> Timed:
        found = capacitated_location(*data, seconds=seconds, seed=0)
        return found.value, found.bound, ""

    _compile(lambda: capacitated_location(*small, seconds=_WARM_S, seed=0))
    return _timed(run)


def highs_location(problem: FacilityInstance, seconds: float) -> Outcome:
    """Ask HiGHS for the mixed-integer program with a row for each customer and site."""

    def run() -> Timed:
        n, m = problem.cost.shape
        customer, site = (part.ravel() for part in np.indices((n, m)))
        share = m + np.arange(n * m)
        ones = np.ones(n * m)
        rows = [
            (customer, share, -ones),
            (n + site, share, problem.demand[customer]),
            (n + np.arange(m), np.arange(m), -problem.capacity),
            (n + m + np.arange(n * m), share, ones),
            (n + m + np.arange(n * m), site, -ones),
        ]
        row, column, value = (np.concatenate([part[k] for part in rows]) for k in range(3))
        matrix = csc_array((value, (row, column)), shape=(n + m + n * m, m + n * m))
        limit = np.concatenate([-np.ones(n), np.zeros(m + n * m)])
        cost = np.concatenate([problem.opening, problem.cost.ravel()])
        shares, bound, note = _highs((cost, matrix, limit), np.ones(m + n * m), np.arange(m, dtype=np.int32), seconds)
        return (float(cost @ shares) if len(shares) else math.nan), bound, note

    return _timed(run)


def _highs(
    program: tuple[Floats, csc_array, Floats], upper: Floats, whole: np.ndarray, seconds: float
) -> tuple[Floats, float, str]:
    """Minimise cost under matrix x <= limit; return x (empty: none found), the bound, and how it ended."""
    cost, matrix, limit = program
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(cost), len(limit)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, np.zeros(len(cost)), upper
    lp.row_lower_, lp.row_upper_ = np.full(len(limit), -highspy.kHighsInf), limit
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32)
    lp.a_matrix_.value_ = matrix.data
    highs = highspy.Highs()
    highs.silent()
    for option, value in (("threads", 1), ("parallel", "off"), ("time_limit", seconds)):
        highs.setOptionValue(option, value)
    highs.passModel(lp)
    highs.changeColsIntegrality(len(whole), whole, np.full(len(whole), highspy.HighsVarType.kInteger))
    highs.run()
    info, status = highs.getInfo(), highs.modelStatusToString(highs.getModelStatus()).lower()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    shares = np.array(highs.getSolution().col_value) if found else np.zeros(0)
    return shares, float(info.mip_dual_bound), status
