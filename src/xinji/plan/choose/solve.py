"""Problem to Plan: heuristic, proved bound, service, reasons."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.core.plan import Plan
from xinji.core.problem import Problem
from xinji.errors import InfeasibleError
from xinji.plan.choose.bound import Bound, bound_of, first_prices, prove
from xinji.plan.choose.exact import ExactPlan, solve_exact
from xinji.plan.choose.explain import explain
from xinji.plan.choose.feasible import refuse
from xinji.plan.choose.improve import Effort, Solution, improve, improve_from, starts
from xinji.plan.choose.money import objective, spend
from xinji.plan.choose.network import kept
from xinji.plan.choose.serve import serve
from xinji.plan.choose.tidy import drop_dead_ends, drop_idle

SMALL = 150
"""Up to this many options and trenches times stages the problem is solved to the optimum."""

_EXACT_SECONDS = 30.0
_BRANCH_AND_BOUND = "branch and bound"


def solve(problem: Problem, effort: Effort) -> Plan:
    """Return a plan of ``problem`` with a proved bound.

    Small problems are solved to the optimum by branch and bound. Raises InfeasibleError, with the
    reason in plain words, if the floors cannot be met. Ctrl-C ends the search and keeps the best plan.
    """
    begun = time.monotonic()
    solution, bound, interrupted = search(problem, effort)
    exact = None if interrupted else _small_optimum(problem, solution, min(_EXACT_SECONDS, effort.seconds))
    if exact is not None:
        plan = _exact_plan(problem, exact, bound)
    elif solution.valid:
        plan = finish(problem, solution.stage, solution.dug, bound, interrupted=interrupted)
    else:
        raise refuse(problem)
    return replace(plan, seconds=time.monotonic() - begun)


def outdo(problem: Problem, plan: Plan, other: Plan, effort: Effort) -> Plan:
    """Return ``plan``, or a plan searched for from ``other`` where that is better and keeps every floor.

    Both are plans of ``problem``; the bound stays that of ``plan``.
    """
    sign = 1.0 if problem.goal == "most_value" else -1.0
    if plan.optimal or "floors" in other.notes or sign * other.objective <= sign * plan.objective:
        return plan
    begun = time.monotonic()
    bound = bound_of(plan.certificate, sign * plan.bound)
    found = improve_from(problem, bound.multipliers, (other.stage, other.trench_stage), effort)
    better = finish(problem, found.stage, found.dug, bound, interrupted=plan.interrupted)
    return replace(better, seconds=plan.seconds + time.monotonic() - begun)


def search(problem: Problem, effort: Effort) -> tuple[Solution, Bound, bool]:
    """Return the best plan found (perhaps not valid), a proved bound, and whether Ctrl-C stopped the search."""
    nothing = np.full(len(problem.option_id), -1, dtype=np.int64)
    first, stopped = improve(problem, first_prices(problem), nothing, replace(effort, tries=0))
    bound = prove(problem, target=first.objective, rounds=effort.rounds)
    start, *others = starts(bound.standing)
    hurried = replace(effort, tries=0) if bound.interrupted else effort
    found, interrupted = improve(problem, bound.multipliers, start, hurried, others)
    best = max(first, found, key=lambda plan: (plan.valid, plan.objective))
    return best, bound, stopped or bound.interrupted or interrupted


def finish(problem: Problem, stage: Ints, dug: Ints, bound: Bound, *, interrupted: bool) -> Plan:
    """Return the plan of given stages: best service, nothing idle, reasons, and the gap to ``bound``."""
    served = serve(problem, stage, dug)
    stage = drop_idle(problem, stage, served)
    dug = _put_off(problem, stage, dug)
    value = objective(problem, stage, dug, served)
    limit = bound.value if problem.goal == "most_value" else -bound.value
    return _plan(problem, stage, dug, served, (value, limit), bound, interrupted=interrupted)


def _put_off(problem: Problem, stage: Ints, dug: Ints) -> Ints:
    """Return ``dug`` without dead ends, each trench as late as needed; as it was where that overspends."""
    later = drop_dead_ends(problem, stage, dug)
    left = (problem.budget - spend(problem, stage, later)).astype(float)
    afforded = problem.goal == "least_cost" or kept(left, carry_over=problem.carry_over)
    return later if afforded else dug


def gap_of(value: float, bound: float) -> float:
    """Return the distance of ``bound`` from ``value``, relative to ``value``."""
    return abs(bound - value) / max(abs(value), 1e-12)


def _plan(
    problem: Problem,
    stage: Ints,
    dug: Ints,
    served: Floats,
    figures: tuple[float, float],
    bound: Bound,
    *,
    interrupted: bool,
) -> Plan:
    value, limit = figures
    return Plan(
        stage=stage,
        trench_stage=dug,
        served=served,
        objective=value,
        bound=limit,
        gap=gap_of(value, limit),
        spend=spend(problem, stage, dug),
        seconds=0.0,
        optimal=False,
        interrupted=interrupted,
        fingerprint=problem.fingerprint,
        certificate=bound.certificate,
        reasons=explain(problem, stage, dug, served, bound.multipliers),
        notes={"bound": "certificate"},
    )


def _small_optimum(problem: Problem, known: Solution, seconds: float) -> ExactPlan | None:
    """Return the best plan by branch and bound, or None where the problem is not small or time ran out."""
    if (len(problem.option_id) + len(problem.trench_id)) * problem.stages > SMALL:
        return None
    start = (known.stage, known.dug) if known.valid else None
    try:
        return solve_exact(problem, seconds=seconds, start=start)
    except InfeasibleError as proved:
        raise refuse(problem) from proved


def _exact_plan(problem: Problem, exact: ExactPlan, bound: Bound) -> Plan:
    """Return the plan that branch and bound found, with its own bound and the certificate beside it."""
    figures = (objective(problem, exact.stage, exact.dug, exact.served), exact.bound)
    plan = _plan(problem, exact.stage, exact.dug, exact.served, figures, bound, interrupted=exact.interrupted)
    return replace(plan, optimal=exact.optimal, notes={"bound": _BRANCH_AND_BOUND})


__all__ = ["SMALL", "InfeasibleError", "finish", "gap_of", "outdo", "search", "solve"]
