"""Sites kept whole: what a set of options serves, when they are built, and what the certificate says of both."""

from __future__ import annotations

import ast
import inspect
import itertools
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from support.small_plan import SECONDS
from support.small_problem import SITE_A, SITE_B
from support.small_sites import site_problem
from xinji.core.arrays import Floats, Ints
from xinji.core.offer import EXISTING, FREE
from xinji.core.plan import Certificate
from xinji.core.problem import Problem
from xinji.errors import InfeasibleError
from xinji.plan.choose import block_proof, certificate
from xinji.plan.choose.block import LARGEST, Blocks, Terms, block_gains, block_hosts, blocks_of, line_needs, no_blocks
from xinji.plan.choose.bound import Multipliers, prove, relaxation
from xinji.plan.choose.certificate import certified_bound
from xinji.plan.choose.charges import Charges
from xinji.plan.choose.exact import solve_exact
from xinji.plan.choose.index import Index, index

SEEDS = st.sampled_from([0, 2, 3, 4, 7, 8, 11, 13, 18, 23])
DRAWS = st.integers(0, 2**32 - 1)


@cache
def _begun(seed: int) -> tuple[Problem, Certificate]:
    problem = site_problem(seed)
    return problem, prove(problem, target=0.0, rounds=1, iterations=1).certificate


def _drawn(problem: Problem, given_: Certificate, draw: int, size: float) -> Certificate:
    rng = np.random.default_rng(draw)
    worth = float(problem.value.mean()) if problem.goal == "most_value" else float(problem.capex.mean()) / 100.0
    scales = {"budget": worth / float(problem.budget.mean()), "row": worth, "floor": worth / 20.0, "pair": worth}
    scales["capacity"] = worth / float(problem.amount.mean()) / 10.0
    drawn = {}
    for name, scale in scales.items():
        shape = getattr(given_, name).shape
        drawn[name] = rng.exponential(size * scale, shape) * (rng.random(shape) < 0.6)
    return replace(given_, **drawn)


def _relaxed(problem: Problem, arcs: Index, blocks: Blocks, proof: Certificate) -> tuple[float, Ints, Floats]:
    return relaxation(problem, arcs, blocks, _charges(problem, proof), _prices(proof))


def _prices(proof: Certificate) -> Multipliers:
    return Multipliers(proof.budget, proof.row, proof.capacity, proof.floor, proof.pair)


def _charges(problem: Problem, proof: Certificate) -> Charges:
    return Charges(proof.charge, (), np.full(len(problem.option_id), -1))


def _terms(problem: Problem, blocks: Blocks, draw: int, *, alike: bool) -> Terms:
    """Return drawn terms; ``alike`` arcs of a row all gain the same."""
    rng = np.random.default_rng(draw)
    n, stages = len(problem.option_id), problem.stages
    order = index(problem)
    profit = rng.normal(3.0, 4.0, (len(problem.value), stages))[order.row]
    profit += 0.0 if alike else rng.normal(0.0, 2.0, profit.shape)
    alone = np.zeros((n, stages))
    np.add.at(alone, np.repeat(np.arange(n), np.diff(order.start)), order.share[:, None] * np.maximum(profit, 0.0))
    return Terms(
        built=problem.built,
        standing=rng.normal(-2.0, 4.0, (n, stages)),
        cost=rng.exponential(8.0, (n, stages)),
        need=line_needs(problem, blocks),
        profit=profit,
        alone=alone,
    )


def _most(problem: Problem, options: Ints, k: int, profit: Floats, t: int) -> float:
    """Return the worth of the arcs of ``options`` by linear programming; ``profit`` (a,) in the index' order."""
    arcs = index(problem)
    option = np.repeat(np.arange(len(arcs.start) - 1), np.diff(arcs.start))
    mine = np.flatnonzero(np.isin(option, options))
    rows, place = np.unique(arcs.row[mine], return_inverse=True)
    once = (place == np.arange(len(rows))[:, None]).astype(float)
    use = (option[mine] == options[:, None]) * problem.amount[arcs.row[mine], t, k]
    finite = np.isfinite(problem.capacity[options, k])
    limits = np.concatenate([np.ones(len(rows)), problem.capacity[options, k][finite]])
    bounds = [(0.0, share) for share in arcs.share[mine].tolist()]
    found = linprog(-profit[mine], A_ub=np.vstack([once, use[finite]]), b_ub=limits, bounds=bounds)
    assert found.x is not None
    return float(profit[mine] @ found.x)


@settings(max_examples=40, deadline=None)
@given(SEEDS, DRAWS, st.booleans())
def test_a_set_serves_what_a_linear_program_serves(seed: int, draw: int, alike: bool) -> None:  # noqa: FBT001 - hypothesis hands it over
    problem = site_problem(seed, whole_shares=True)
    blocks = blocks_of(problem, index(problem))
    terms = _terms(problem, blocks, draw, alike=alike)
    terms = terms._replace(standing=np.zeros_like(terms.standing))
    _, table = block_gains(blocks, index(problem), terms)
    for b, t in itertools.product(range(len(blocks.host)), range(problem.stages)):
        children = blocks.child[blocks.child_start[b] : blocks.child_start[b + 1]]
        for chosen in range(1, 1 << len(children)):
            options = np.array([c for i, c in enumerate(children) if chosen >> i & 1])
            exact = _most(problem, options, int(blocks.resource[b]), terms.profit[:, t], t)
            ours = table[blocks.table[b] + chosen, t]
            assert ours >= exact - 1e-9 * max(exact, 1.0)
            assert not alike or ours == pytest.approx(exact, rel=1e-9, abs=1e-9)


def _by_trying(problem: Problem, terms: Terms, value: Floats, options: Ints, host_stage: int) -> float:
    """Return the best of a block over all stages of its options, which stand no earlier than the host."""
    stages, best = problem.stages, -np.inf
    for plan in itertools.product(range(stages + 2), repeat=len(options)):
        worth = 0.0
        for option, stage in zip(options, plan, strict=True):
            code = problem.built[option]
            fits = stage == stages + 1 or stage > 0 if code == FREE else stage == (code if code >= 0 else stages + 1)
            worth += 0.0 if fits and stage >= host_stage else -np.inf
            worth -= terms.cost[option, stage - 1] if 0 < stage <= stages else 0.0
        for t in range(stages):
            worth += value[sum(1 << i for i, stage in enumerate(plan) if stage <= t + 1), t]
        best = max(best, worth)
    return best


@settings(max_examples=40, deadline=None)
@given(SEEDS, DRAWS)
def test_options_are_built_when_it_is_best(seed: int, draw: int) -> None:
    problem = site_problem(seed)
    blocks = blocks_of(problem, index(problem))
    terms = _terms(problem, blocks, draw, alike=False)
    gain, table = block_gains(blocks, index(problem), terms)
    for b, host_stage in itertools.product(range(len(blocks.host)), range(problem.stages + 1)):
        options = blocks.child[blocks.child_start[b] : blocks.child_start[b + 1]]
        code = problem.built[options]
        if ((code >= EXISTING) & (code < host_stage)).any():
            continue  # The forest rules out a host that comes after what stands on it.
        value = table[blocks.table[b] : blocks.table[b + 1]]
        exact = _by_trying(problem, terms, value, options, host_stage)
        assert gain[b, host_stage] == pytest.approx(exact, rel=1e-9, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(SEEDS, DRAWS, st.sampled_from([0.05, 0.3, 1.0]))
def test_the_certificate_finds_the_same_worth_another_way(seed: int, draw: int, size: float) -> None:
    problem, begun = _begun(seed)
    proof, arcs = _drawn(problem, begun, draw, size), index(problem)
    sign = 1.0 if problem.goal == "most_value" else -1.0
    whole = _relaxed(problem, arcs, blocks_of(problem, arcs), proof)[0]
    assert sign * certified_bound(problem, proof) == pytest.approx(whole, rel=1e-9, abs=1e-9)
    alone = _relaxed(problem, arcs, no_blocks(problem, arcs), proof)[0]
    assert whole <= alone + 1e-9 * abs(alone)


@cache
def _best(seed: int) -> float | None:
    try:
        plan = solve_exact(site_problem(seed), seconds=SECONDS)
    except InfeasibleError:
        return None
    assert plan is not None
    return plan.objective


@settings(max_examples=100, deadline=None)
@given(SEEDS, DRAWS, st.sampled_from([0.02, 0.1, 0.3]))
def test_any_prices_bound_the_best_plan(seed: int, draw: int, size: float) -> None:
    best = _best(seed)
    problem, begun = _begun(seed)
    if best is None:
        return
    bound = certified_bound(problem, _drawn(problem, begun, draw, size))
    over = bound - best if problem.goal == "most_value" else best - bound
    assert over >= -1e-9 * max(abs(bound), abs(best))


def test_whole_sites_prove_more() -> None:
    gained = []
    for seed in (0, 2, 4, 8):
        problem, best = site_problem(seed), _best(seed)
        if best is None or problem.goal != "most_value":
            continue
        bound = prove(problem, target=best, rounds=3, iterations=60)
        assert certified_bound(problem, bound.certificate) == pytest.approx(bound.value, rel=1e-9)
        assert bound.value >= best * (1.0 - 1e-9)
        gained.append(relaxation_alone(problem, best) - bound.value)
    assert gained
    assert max(gained) > 0.0


def relaxation_alone(problem: Problem, target: float) -> float:
    """Return the bound of as many rounds without whole sites (what the last prices prove option by option)."""
    bound = prove(problem, target=target, rounds=2, iterations=90)
    arcs = index(problem)
    return _relaxed(problem, arcs, no_blocks(problem, arcs), bound.certificate)[0]


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({}, [SITE_A, SITE_B]),
        ({"host": (2, 1)}, [SITE_B]),
        ({"arc_option": (0, SITE_A)}, [SITE_B]),
    ],
)
def test_only_plain_sites_are_kept_whole(change: dict[str, tuple[int, int]], left: list[int]) -> None:
    problem = site_problem(0)
    if "host" in change:
        host = problem.host.copy()
        host[-1] = 1
        problem = replace(problem, host=host)
    if "arc_option" in change:
        option = problem.arc_option.copy()
        option[0] = SITE_A
        problem = replace(problem, arc_option=option)
    host, resource = block_hosts(problem)
    theirs = [
        (int(h), int(k)) for kept in block_proof.sites(problem) for h, k in zip(kept.host, kept.resource, strict=True)
    ]
    assert host.tolist() == left
    assert sorted(theirs) == list(zip(host.tolist(), resource.tolist(), strict=True))


def test_the_certificate_shares_nothing_with_the_search() -> None:
    allowed = {"xinji.plan.choose.block_proof"}
    for module in (certificate, block_proof):
        nodes = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.ImportFrom)]
        assert {node.module for node in nodes if str(node.module).startswith("xinji.plan")} <= allowed
    assert block_proof.LARGEST == LARGEST
