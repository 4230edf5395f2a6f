"""The same problem under other budgets or weights: each point a plan with its own proved bound.

Points do not wait for one another: each is proved, and searched from the plan at hand, on its own, so that
it does not matter where and in what order that happens. In the end each point takes what the others
found where it is better and allowed, and the bound that any of their certificates proves lowest.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.core.plan import Certificate, Plan
from xinji.core.problem import Problem
from xinji.plan.choose.bound import Bound, bound_of, prove
from xinji.plan.choose.feasible import refuse
from xinji.plan.choose.force import carried_bound, finished, standing_value
from xinji.plan.choose.improve import Effort, Solution, improve, improve_from, starts
from xinji.plan.choose.money import spend
from xinji.plan.choose.network import kept
from xinji.plan.choose.serve import serve

Assets: TypeAlias = tuple[Ints, Ints]
"""Stages (n,) and (m,) of options and trenches."""


@dataclass(frozen=True, slots=True, eq=False)
class Begun:
    """A point proved: its number, certificate and bound (on the maximised objective), and a first plan.

    ``first`` is None where none was found, and ``refused`` then says why.
    """

    point: int
    certificate: Certificate
    value: float
    first: Assets | None
    refused: str


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """What one search of a point found: the assets of a plan and its service (a, T).

    ``hurried`` says that its time was over before its tries were.
    """

    point: int
    restart: int
    assets: Assets
    served: Floats
    hurried: bool


@dataclass(frozen=True, slots=True, eq=False)
class Prove:
    """Proves a bound of ``problem`` and finds a first plan of it near ``start``, a plan of a like problem."""

    point: int
    problem: Problem
    certificate: Certificate
    start: Assets
    rounds: int

    def run(self) -> Begun:
        """Return the bound, and the first plan where there is one."""
        # What came by mail is read-only again, so that the same compiled code runs on it.
        problem = replace(self.problem)
        first = begin(problem, self.certificate, self.start)
        value = first[1] if first else float(problem.value.sum())
        carried, fresh = carried_bound(problem, self.certificate), prove(problem, target=value, rounds=self.rounds)
        bound = fresh if carried is None or fresh.value < carried.value else carried
        anew = built_from(problem, fresh)
        if anew is not None and (first is None or anew[1] > first[1]):
            first = anew
        refused = "" if first else str(refuse(problem))
        return Begun(self.point, bound.certificate, bound.value, first[0] if first else None, refused)


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """Searches plans of ``problem`` from ``start``, a plan of it, by the prices of ``certificate``."""

    point: int
    restart: int
    problem: Problem
    certificate: Certificate
    start: Assets
    effort: Effort

    def run(self) -> Tried:
        """Return the best plan found."""
        problem, begun = replace(self.problem), time.monotonic()
        found = improve_from(problem, bound_of(self.certificate, 0.0).multipliers, self.start, self.effort)
        hurried = time.monotonic() - begun > self.effort.seconds
        served = serve(problem, found.stage, found.dug)
        return Tried(self.point, self.restart, (found.stage, found.dug), served, hurried)


def begin(problem: Problem, certificate: Certificate, start: Assets) -> tuple[Assets, float] | None:
    """Return the better plan of ``start`` as it is and what the constructor makes of it, with its objective.

    None where neither keeps every rule.
    """
    built, _ = improve(problem, bound_of(certificate, 0.0).multipliers, start[0], Effort(tries=0))
    value = standing_value(problem, *start)
    if value is not None and not (built.valid and built.objective > value):
        return start, value
    return ((built.stage, built.dug), built.objective) if built.valid else None


def built_from(problem: Problem, bound: Bound) -> tuple[Assets, float] | None:
    """Return the plan built from nothing along the relaxed choice of ``bound``; None where it breaks a rule."""
    start, *others = starts(bound.standing)
    made, _ = improve(problem, bound.multipliers, start, Effort(tries=0), others)
    return ((made.stage, made.dug), made.objective) if made.valid else None


def settled(problems: Sequence[Problem], begun: Sequence[Begun], tried: Sequence[Tried]) -> tuple[Plan | None, ...]:
    """Return the plan of each of ``problems``, from all that was found for any of them; None where there is none.

    The problems differ in budgets and worth alone. The order of ``begun`` and ``tried`` does not matter.
    """
    order = sorted(tried, key=lambda one: (one.point, one.restart))
    proofs = sorted(begun, key=lambda one: one.point)
    return tuple(_settle(point, problems, proofs, order) for point in range(len(problems)))


def _settle(point: int, problems: Sequence[Problem], proofs: Sequence[Begun], tried: Sequence[Tried]) -> Plan | None:
    problem = problems[point]
    best, most = None, -np.inf
    for one in tried:
        left = problem.budget - spend(problem, *one.assets)
        worth = float((problem.value[problem.arc_row] * one.served).sum())
        if worth > most and kept(left.astype(float), carry_over=problem.carry_over):
            best, most = one, worth
    if best is None:
        return None
    alike = [one for one in proofs if np.array_equal(problems[one.point].value, problem.value)]
    bounds = [made for one in alike if (made := carried_bound(problem, one.certificate)) is not None]
    nothing = np.zeros((len(problem.arc_row), problem.stages))
    found = Solution(*best.assets, served=nothing, objective=most, valid=True)
    return finished(problem, found, min(bounds, key=lambda made: made.value))
