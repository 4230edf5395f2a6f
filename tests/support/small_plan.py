"""A whole, correct Plan of a small Problem, made of its exact solution and a proved bound."""

from __future__ import annotations

from functools import cache

import numpy as np

from support.enumeration import enumerate_best
from support.small_problem import small_problem
from xinji.core.plan import Plan, Reasons
from xinji.core.problem import Problem
from xinji.errors import InfeasibleError
from xinji.plan.choose.bound import Bound, prove
from xinji.plan.choose.exact import ExactPlan, solve_exact
from xinji.plan.choose.money import spend

SECONDS = 60.0


@cache
def optimum(seed: int) -> ExactPlan | None:
    """Return the exact plan of ``small_problem(seed)``, or None where no plan can exist."""
    try:
        plan = solve_exact(small_problem(seed), seconds=SECONDS)
    except InfeasibleError:
        return None
    assert plan is not None, "the exact solver ran out of time"
    return plan


@cache
def enumerated(seed: int) -> float | None:
    """Return the best objective of ``small_problem(seed)`` by trying every plan."""
    return enumerate_best(small_problem(seed))


def proved(problem: Problem, objective: float) -> Bound:
    """Return a quickly proved bound."""
    sign = 1.0 if problem.goal == "most_value" else -1.0
    return prove(problem, target=sign * objective, rounds=3, iterations=40)


def plan_of(problem: Problem, exact: ExactPlan, bound: Bound, *, branched: bool = False) -> Plan:
    """Return the plan that carries the bound of branch and bound, or else the certificate's."""
    n = len(problem.option_id)
    certified = bound.value if problem.goal == "most_value" else -bound.value
    limit = exact.bound if branched else certified
    return Plan(
        stage=exact.stage,
        trench_stage=exact.dug,
        served=exact.served,
        objective=exact.objective,
        bound=limit,
        gap=abs(limit - exact.objective) / max(abs(exact.objective), 1e-12),
        spend=spend(problem, exact.stage, exact.dug),
        seconds=0.0,
        optimal=branched,
        interrupted=False,
        fingerprint=problem.fingerprint,
        certificate=bound.certificate,
        reasons=Reasons(np.full(n, "worth_it"), np.zeros(n), np.zeros(n), np.zeros(n)),
        notes={"bound": "branch and bound" if branched else "certificate"},
    )
