"""Saying in plain words why no plan can meet the floors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xinji.core.offer import FORBIDDEN
from xinji.core.problem import Problem
from xinji.errors import InfeasibleError
from xinji.plan.choose.bound import first_prices, prove
from xinji.plan.choose.improve import Effort, improve
from xinji.units import CENTS_PER_UNIT

_MILLION = 1e6


def refuse(problem: Problem) -> InfeasibleError:
    """Return the error that says which floor cannot be met, what it needs and what the budget is."""
    reasons = [text for floor in range(len(problem.floor_name)) if (text := _floor_reason(problem, floor))]
    if not reasons:
        asked = "meets all floors together"
        if problem.goal == "most_value":
            asked += f" and keeps every yearly budget ({_money(float(problem.budget.sum()) / CENTS_PER_UNIT)} in all)"
        remedy = "raise the budget of the first years, lower a floor, or ask for it in a later year"
        reasons = [f"no plan was found that {asked}; {remedy}"]
    return InfeasibleError("; ".join(reasons))


def _floor_reason(problem: Problem, floor: int) -> str:
    what, year = _named(problem, floor)
    short = _unservable(problem, floor)
    if short is not None:
        return f"{what} by {year} cannot be met: {short}"
    alone = _only(problem, floor)
    stage = int(problem.floor_stage[floor])
    found, _ = improve(alone, first_prices(alone), np.full(len(problem.option_id), -1), Effort(tries=0))
    if not found.valid:
        return f"{what} by {year} cannot be met: no plan was found that serves enough of them, whatever is spent"
    proved = -prove(alone, target=found.objective, rounds=3, iterations=200).value
    if problem.goal == "least_cost":
        return ""
    budget = float(problem.budget[:stage].sum()) / CENTS_PER_UNIT
    if max(proved, -found.objective) <= budget:
        return ""
    certainty = "" if proved > budget else f", no less than {_money(proved)} proved"
    return f"{what} needs {_money(-found.objective)} by {year}{certainty}; the budget is {_money(budget)}"


def _named(problem: Problem, floor: int) -> tuple[str, str]:
    """Return a floor in words, and its year."""
    parts = str(problem.floor_name[floor]).split(":")
    words = f"{parts[0]} ({parts[1].replace('_', ' ')})" if len(parts) > 1 else parts[0]
    return f"the floor for {words}", str(problem.years[problem.floor_stage[floor] - 1])


def _money(amount: float) -> str:
    """Return an amount [currency] in millions, or in full where that says nothing."""
    return f"{amount / _MILLION:.1f} million" if amount >= 0.1 * _MILLION else f"{amount:,.0f}"


def _only(problem: Problem, floor: int) -> Problem:
    """Return the least-cost problem of one floor up to its stage, money undiscounted."""
    stage = int(problem.floor_stage[floor])
    return replace(
        problem,
        goal="least_cost",
        years=problem.years[:stage],
        discount=np.ones(stage),
        budget=problem.budget[:stage],
        built=np.where(problem.built > stage, FORBIDDEN, problem.built),
        trench_built=np.where(problem.trench_built > stage, -1, problem.trench_built),
        value=problem.value[:, :stage],
        amount=problem.amount[:, :stage],
        floor_name=problem.floor_name[[floor]],
        floor_stage=problem.floor_stage[[floor]],
        floor_weight=problem.floor_weight[[floor]],
        floor_amount=problem.floor_amount[[floor]],
    )


def _unservable(problem: Problem, floor: int) -> str | None:
    """Return why the options together cannot serve enough of the floor's users, or None."""
    usable = problem.built[problem.arc_option] != FORBIDDEN
    usable &= (problem.arc_partner < 0) | (problem.built[problem.arc_partner] != FORBIDDEN)
    share = np.bincount(problem.arc_row[usable], weights=problem.arc_share[usable], minlength=len(problem.value))
    reach = float(problem.floor_weight[floor] @ np.minimum(share, 1.0))
    amount = float(problem.floor_amount[floor])
    if reach >= amount * (1.0 - 1e-9):
        return None
    return f"all options together reach {reach:,.0f} of the {amount:,.0f} users it asks for"
