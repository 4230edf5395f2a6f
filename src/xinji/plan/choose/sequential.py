"""Planning one technology after the other under the same budgets, for comparison.

Each technology gets, year by year, the share of the budget that it has in the joint plan (trenches
in proportion), and what those before it left over: the kindest split that a ministry could choose
without planning jointly. What is built for one is there for the next.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.core.offer import FORBIDDEN, FREE
from xinji.core.plan import Plan
from xinji.core.problem import NEVER, Problem
from xinji.plan.choose.bound import bound_of
from xinji.plan.choose.improve import Effort, Solution
from xinji.plan.choose.money import paid, spend
from xinji.plan.choose.solve import finish, search


def solve_sequential(problem: Problem, technology: Ints, joint: Plan, effort: Effort) -> Plan:
    """Return the plan made by planning ``technology`` (n,) codes 0, 1, 2 ... one after the other.

    The bound and the certificate are those of ``joint``: both answer the same problem. Floors that a
    technology alone cannot meet are left to the next; the note ``floors`` names those still missed.
    """
    begun = time.monotonic()
    shares = _shares(problem, technology, joint)
    stage = np.where(problem.built == FREE, NEVER, np.maximum(problem.built, NEVER))
    dug = np.where(problem.trench_built == FREE, NEVER, problem.trench_built)
    tries = max(1, effort.tries // len(shares)) if effort.tries else 0
    for step in range(len(shares)):
        part = _step(problem, technology, step, (stage, dug), np.minimum(shares[: step + 1].sum(axis=0), 1.0))
        found, _, _ = search(part, replace(effort, tries=tries, rounds=1))
        found = _kept(part, found, stage, dug)
        stage, dug = found.stage, found.dug
    certificate = replace(joint.certificate, floor=joint.certificate.floor[:0])
    plan = finish(_without_floors(problem), stage, dug, bound_of(certificate, joint.bound), interrupted=False)
    missed = _missed(problem, plan.served)
    return replace(
        plan,
        bound=joint.bound,
        gap=abs(joint.bound - plan.objective) / max(abs(plan.objective), 1e-12),
        fingerprint=problem.fingerprint,
        certificate=joint.certificate,
        seconds=time.monotonic() - begun,
        notes={"bound": joint.notes["bound"], **({"floors": missed} if missed else {})},
    )


def _shares(problem: Problem, technology: Ints, joint: Plan) -> Floats:
    """Return each technology's share of the joint plan's spending by stage (technologies, T)."""
    count = int(technology.max(initial=0)) + 1
    money = np.zeros((count, problem.stages))
    for code in range(count):
        mine = technology == code
        capex, opex = paid(joint.stage[mine], problem.capex[mine], problem.opex[mine], problem.stages)
        money[code] = capex + opex
    total = money.sum(axis=0)
    return np.where(total > 0, money / np.maximum(total, 1.0), 1.0 / count)


def _step(problem: Problem, technology: Ints, step: int, done: tuple[Ints, Ints], share: Floats) -> Problem:
    """Return the problem of one technology: those before it committed, those after it out of reach."""
    stage, dug = done
    before = np.where(stage >= 0, stage, FORBIDDEN)
    built = np.where(technology < step, before, np.where(technology > step, FORBIDDEN, problem.built))
    usable = built[problem.arc_option] != FORBIDDEN
    usable &= (problem.arc_partner < 0) | (built[problem.arc_partner] != FORBIDDEN)
    reach = np.bincount(problem.arc_row[usable], weights=problem.arc_share[usable], minlength=len(problem.value))
    possible = problem.floor_weight @ np.minimum(reach, 1.0) >= problem.floor_amount
    return replace(
        problem,
        built=built,
        trench_built=np.where(dug >= 0, dug, problem.trench_built),
        budget=np.floor(problem.budget * share).astype(np.int64),
        floor_name=problem.floor_name[possible],
        floor_stage=problem.floor_stage[possible],
        floor_weight=problem.floor_weight[possible],
        floor_amount=problem.floor_amount[possible],
    )


def _kept(part: Problem, found: Solution, stage: Ints, dug: Ints) -> Solution:
    """Return ``found`` if it keeps the budgets and what was built before, else the state before it."""
    within = part.goal == "least_cost" or bool(
        (np.cumsum(spend(part, found.stage, found.dug)) <= np.cumsum(part.budget)).all()
    )
    return found if within and np.isfinite(found.objective) else replace(found, stage=stage, dug=dug)


def _without_floors(problem: Problem) -> Problem:
    return replace(
        problem,
        floor_name=problem.floor_name[:0],
        floor_stage=problem.floor_stage[:0],
        floor_weight=problem.floor_weight[:0],
        floor_amount=problem.floor_amount[:0],
    )


def _missed(problem: Problem, served: Floats) -> str:
    """Return the names of the floors that ``served`` (a, T) misses, separated by commas."""
    rows = np.zeros((len(problem.value), problem.stages))
    np.add.at(rows, problem.arc_row, served)
    reached = problem.floor_weight @ rows
    holds = np.arange(1, problem.stages + 1) >= problem.floor_stage[:, None]
    short = (holds & (reached < problem.floor_amount[:, None] * (1 - 1e-6))).any(axis=1)
    return ", ".join(problem.floor_name[short].tolist())
