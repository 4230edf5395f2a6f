"""The money of a plan that is made again: what past years left, what is owed, and where every cent goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Ints
from xinji.core.facilities import RETIRED
from xinji.core.offer import EXISTING, Offer
from xinji.core.plan import Plan
from xinji.core.problem import NEVER, Problem
from xinji.core.replanned import Reconciliation, YearMoney
from xinji.errors import InfeasibleError
from xinji.plan.choose.assemble import to_cents
from xinji.plan.choose.commit import AS_OFFERED, Commitment
from xinji.plan.choose.commit_facts import past_opex
from xinji.plan.choose.money import paid, spend
from xinji.units import CENTS_PER_UNIT

_MILLION = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Reckoning:
    """The money of all the policy's ``years`` (t,), of which ``past`` are over [cents, each (t,)].

    ``paid`` stands in the ledger; ``aside`` is owed, and not in the problem's capex; ``opex`` is what
    the problem does not know: that of past years, and of what the region does not offer. ``available``
    (remaining years,) is left for all that the problem holds; negative where more is bound than there is.
    ``before`` [cents] was paid before the policy's first year, out of other budgets.
    """

    years: Ints
    past: int
    policy: Ints
    paid: Ints
    aside: Ints
    opex: Ints
    moved: Ints
    available: Ints
    before: int


def reckon(commitment: Commitment, offers: Sequence[Offer], years: Sequence[int], budget: Ints) -> Reckoning:
    """Return the money under ``budget`` (t,) [cents] of the policy's ``years``, past ones included.

    ``offers`` are those before the ledger was laid over them: what stands in them has run in past years
    too. What past years left over moves to the first remaining one, what they overspent is taken from it.
    """
    facilities, facts = commitment.facilities, commitment.facts
    year = np.array(years, dtype=np.int64)
    past = int((year < facts.first).sum())
    spent = np.array([facilities.paid_cents[facilities.paid_year == y].sum() for y in years], dtype=np.int64)
    aside = np.array([commitment.aside[facts.due == y].sum() for y in years], dtype=np.int64)
    opex = past_opex(facilities, facts, ~commitment.offered, year) + _stood(commitment, offers, year)
    opex[past:] = _outside_opex(commitment, year)[past:]
    left = (budget - spent - opex)[:past]
    moved = np.concatenate([-left, np.zeros(len(year) - past, dtype=np.int64)])
    moved[past] += left.sum()
    return Reckoning(
        years=year,
        past=past,
        policy=budget,
        paid=spent,
        aside=aside,
        opex=opex,
        moved=moved,
        available=(budget + moved - spent - aside - opex)[past:],
        before=int(facilities.paid_cents[facilities.paid_year < year[0]].sum()),
    )


def _stood(commitment: Commitment, offers: Sequence[Offer], year: Ints) -> Ints:
    """Return what running all that the region has standing costs by ``year`` (t,) [cents]; less once it is retired."""
    opex = np.concatenate([to_cents(offer.opex) for offer in offers])
    standing = np.concatenate([offer.built == EXISTING for offer in offers])
    mine = np.flatnonzero(commitment.offered & (commitment.facilities.state == RETIRED))
    gone = year >= commitment.facts.until[mine][:, None]
    retired = (opex[commitment.option[mine]][:, None] * gone).sum(axis=0)
    return np.asarray(opex[standing].sum() - retired, dtype=np.int64)


def _outside_opex(commitment: Commitment, year: Ints) -> Ints:
    """Return what running the frozen facilities costs that the region does not offer, by ``year`` (t,) [cents]."""
    facts = commitment.facts
    outside = facts.frozen & (commitment.option < 0) & (commitment.trench < 0)
    up = outside[:, None] & (facts.year[:, None] <= year)
    return np.asarray((commitment.facilities.planned_opex[:, None] * up).sum(axis=0), dtype=np.int64)


def priced(problem: Problem, commitment: Commitment) -> Ints:
    """Return the capex (n,) [cents] of all options, that of the ledger where it has one."""
    return np.where(commitment.option_capex == AS_OFFERED, problem.capex, commitment.option_capex)


def left_to_plan(available: Ints, *, carry_over: bool) -> Ints:
    """Return budgets (years,) [cents] of at least 0 that allow the same spending as ``available`` does.

    Where money is carried over, what a later year lacks must be left over before. Where an amount stays
    negative, nothing can be afforded, and the budget is 0.
    """
    if carry_over:
        limit = np.minimum.accumulate(np.cumsum(available)[::-1])[::-1]
        available = np.diff(limit, prepend=0)
    return np.maximum(available, 0)


def require_affordable(problem: Problem, money: Reckoning, currency: str) -> None:
    """Raise InfeasibleError where what is frozen costs more than a year has, with the amounts by year.

    ``problem`` is that of the plan to make; under ``least_cost`` no budget binds.
    """
    if problem.goal == "least_cost":
        return
    stage = np.where(problem.built >= EXISTING, problem.built, NEVER)
    dug = np.where(problem.trench_built >= EXISTING, problem.trench_built, NEVER)
    bound = spend(problem, stage, dug)
    need, have = (np.cumsum(bound), np.cumsum(money.available)) if problem.carry_over else (bound, money.available)
    short = np.flatnonzero(need > have)
    if not len(short):
        return
    since = "up to" if problem.carry_over else "in"
    lines = []
    for t in range(problem.stages):
        at = money.past + t
        held = int(money.paid[at] + money.aside[at] + money.opex[at] + bound[t])
        budget = int(money.policy[at] + money.moved[at])
        over = f", {_units(need[t] - have[t])} too much {since} {problem.years[t]}" if t in short else ""
        moved = f", {_units(money.moved[at])} of it from past years" if money.moved[at] else ""
        lines.append(f"{problem.years[t]}: {_units(held)} bound, budget {_units(budget)}{moved}{over}")
    remedy = "Raise policy.budget of these years, let contracted work slip to a later year, or cancel some of it"
    head = f"what is contracted, built and in use costs more than the budget allows [million {currency}]"
    raise InfeasibleError("\n".join([f"{head}:", *lines, f"{remedy}."]))


def _units(cents: int) -> str:
    return f"{int(cents) / CENTS_PER_UNIT / _MILLION:,.2f}"


def reconcile(commitment: Commitment, money: Reckoning, problem: Problem, plan: Plan) -> Reconciliation:
    """Return where all money of the policy's years goes, under ``plan``, to the cent.

    Raises InputError where it does not add up.
    """
    capex, opex = (np.zeros(len(money.years), dtype=np.int64) for _ in range(2))
    bound = np.zeros(len(money.years), dtype=np.int64)
    frozen = commitment.option_capex != AS_OFFERED
    let = np.zeros(len(problem.trench_id), dtype=bool)
    let[commitment.trench[commitment.facts.frozen & (commitment.trench >= 0)]] = True
    parts = (
        (plan.stage, problem.capex, problem.opex, frozen),
        (plan.trench_stage, problem.trench_capex, problem.trench_opex, let),
    )
    for stage, once, yearly, mine in parts:
        built, run = paid(stage, once, yearly, problem.stages)
        capex[money.past :] += built
        opex[money.past :] += run
        bound[money.past :] += paid(stage[mine], once[mine], yearly[mine], problem.stages)[0]
    rest = np.concatenate([np.zeros(money.past, dtype=np.int64), money.available - plan.spend])
    lines = [
        YearMoney(
            year=int(year),
            policy=int(money.policy[t]),
            moved=int(money.moved[t]),
            paid=int(money.paid[t]),
            committed=int(money.aside[t] + bound[t]),
            planned=int(capex[t] - bound[t]),
            opex=int(money.opex[t] + opex[t]),
            unallocated=int(rest[t]),
        )
        for t, year in enumerate(money.years)
    ]
    return Reconciliation(tuple(lines))
