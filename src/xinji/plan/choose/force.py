"""What forcing an option or a trench in or out costs: the problem solved and proved again with it forced.

Let V be the objective of the plan at hand, F that of the plan found with the asset forced, and B the bound
proved on every such plan. Against the plan at hand forcing costs V - F or less, and never less than
V - B (under least_cost F - V and B - V). Both ends are reported; neither is an estimate.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from xinji.core.arrays import Ints
from xinji.core.offer import EXISTING, FORBIDDEN, FREE
from xinji.core.plan import Certificate, Plan
from xinji.core.problem import NEVER, Problem
from xinji.errors import CheckError, Fault, InfeasibleError, InputError, raise_if
from xinji.plan.choose.bound import Bound, bound_of, prove
from xinji.plan.choose.certificate import certified_bound
from xinji.plan.choose.check import check
from xinji.plan.choose.cuts import unjoined_cuts
from xinji.plan.choose.dependents import on_top, unjoinable
from xinji.plan.choose.improve import Effort, Solution, improve, improve_from
from xinji.plan.choose.money import objective, spend
from xinji.plan.choose.network import kept
from xinji.plan.choose.serve import serve
from xinji.plan.choose.solve import SMALL, finish, gap_of, solve

OPTION, TRENCH = KINDS = ("option", "trench")
"""What can be forced."""

ANY_STAGE = 0
"""Stands for "in, in whichever stage is best"."""

_Case: TypeAlias = tuple[Problem, Plan, int]
"""A problem with something forced, the plan found of it, and the stage that is forced."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is forced: the option or trench at ``place``, out (``NEVER``), in from stage 1..T, or in (``ANY_STAGE``)."""

    kind: str
    place: int
    stage: int


@dataclass(frozen=True, slots=True, eq=False)
class Forced:
    """The plan found with something forced, and what that costs.

    ``plan`` is a plan of ``problem``, in which ``stage`` is forced (the best one, where any would do); its
    bound holds for that stage, ``bound`` for all stages that were allowed. ``low`` and ``high`` [worth, or
    currency under least_cost] enclose what forcing costs against the plan at hand: ``high`` by the plan
    found, ``low`` by ``bound``. ``best_low`` and ``best_high`` enclose what it costs against the best plan
    there is. ``spend`` (T,) [cents] is what is spent more by stage.
    ``restricts`` is false where a decision made beforehand was undone, so that forcing may also gain.
    """

    problem: Problem
    plan: Plan
    stage: int
    bound: float
    low: float
    high: float
    best_low: float
    best_high: float
    spend: Ints
    restricts: bool


def force(problem: Problem, plan: Plan, wish: Wish, effort: Effort) -> Forced:
    """Return the best plan found from ``plan`` of ``problem`` with ``wish`` forced, and what that costs.

    ``effort.tries`` are shared out among the stages that are allowed; where ``effort.seconds`` [s] are over,
    the bound of a stage is the one that the plan's own certificate proves. Raises InputError where the wish
    cannot be, InfeasibleError where no plan was found that keeps it.
    """
    raise_if(_faults(problem, wish), InputError)
    stages = range(1, problem.stages + 1) if wish.stage == ANY_STAGE else [wish.stage]
    share = replace(effort, tries=-(-effort.tries // len(stages)), seconds=effort.seconds / len(stages))
    found: list[_Case] = []
    limits, reasons = [], []
    for stage in stages:
        try:
            part = forced_problem(problem, replace(wish, stage=stage))
            made, limit = _again(part, plan, _start(problem, part, plan, wish), share)
        except InfeasibleError as error:
            reasons.append(str(error))
            # A search that ended without a plan proves nothing.
            limits += [] if isinstance(error.__cause__, InfeasibleError) else [np.inf]
            continue
        limits.append(limit)
        found += [(part, made, stage)] if made is not None else []
    if not found:
        raise _impossible(problem, wish, reasons)
    best = max(found, key=lambda case: _sign(problem) * case[1].objective)
    return _costs(problem, plan, wish, best, max(limits))


def forced_problem(problem: Problem, wish: Wish) -> Problem:
    """Return ``problem`` with ``wish`` as a decision made beforehand.

    What stands on an option that is forced out is out too, and a trench that is forced out is not there; nor
    are options that no way then leads to. Raises InfeasibleError where such an option is asked for.
    """
    if wish.kind == TRENCH:
        change = _without if wish.stage == NEVER else _with_trench
        return _without_islands(change(problem, wish.place, wish.stage))
    built = problem.built.copy()
    if wish.stage == NEVER:
        built[on_top(problem, wish.place)] = FORBIDDEN
    else:
        built[wish.place] = wish.stage
    return _without_islands(replace(problem, built=built))


def _without_islands(problem: Problem) -> Problem:
    """Return ``problem`` with the options shut that nothing can join to a root."""
    island = unjoinable(problem)
    asked = np.flatnonzero(island & (problem.built > EXISTING))
    if len(asked):
        names = ", ".join(problem.option_id[asked].tolist())
        raise InfeasibleError(f"no way leads from a point of presence to {names}") from InfeasibleError("no way")
    return replace(problem, built=np.where(island, FORBIDDEN, problem.built))


def _with_trench(problem: Problem, place: int, stage: int) -> Problem:
    built = problem.trench_built.copy()
    built[place] = stage
    return replace(problem, trench_built=built)


def _without(problem: Problem, place: int, _never: int) -> Problem:
    rest = np.delete(np.arange(len(problem.trench_id)), place)
    return replace(
        problem,
        trench_id=problem.trench_id[rest],
        from_node=problem.from_node[rest],
        to_node=problem.to_node[rest],
        trench_length_m=problem.trench_length_m[rest],
        trench_capex=problem.trench_capex[rest],
        trench_opex=problem.trench_opex[rest],
        trench_built=problem.trench_built[rest],
    )


def _faults(problem: Problem, wish: Wish) -> Iterator[Fault]:
    built = problem.built if wish.kind == OPTION else problem.trench_built
    names = problem.option_id if wish.kind == OPTION else problem.trench_id
    name = str(names[wish.place])
    if not NEVER <= wish.stage <= problem.stages:
        yield Fault(name, f"the stage is {wish.stage}", f"Give one from {NEVER} (never) to {problem.stages}.")
    if built[wish.place] == EXISTING:
        yield Fault(name, "it stands already, which no plan decides", "Ask for something that is built or left out.")
    if wish.kind == OPTION and wish.stage == NEVER:
        for other in on_top(problem, wish.place):
            if other != wish.place and problem.built[other] >= EXISTING:
                message = f"{str(problem.option_id[other])!r} stands on it, and exists or is committed"
                yield Fault(name, message, "Ask for that one instead.")


def _impossible(problem: Problem, wish: Wish, reasons: list[str]) -> InfeasibleError:
    name = str((problem.option_id if wish.kind == OPTION else problem.trench_id)[wish.place])
    what = "without" if wish.stage == NEVER else "with"
    why = reasons[0] if reasons else "the search found none within its effort"
    return InfeasibleError(f"no plan {what} {name}: {why}")


def _sign(problem: Problem) -> float:
    return 1.0 if problem.goal == "most_value" else -1.0


def _again(part: Problem, plan: Plan, start: tuple[Ints, Ints], effort: Effort) -> tuple[Plan | None, float]:
    """Return the plan found of ``part``, if any, and a bound on the maximised objective of every such plan.

    Raises InfeasibleError where there is proof that none exists.
    """
    sign = _sign(part)
    if (len(part.option_id) + len(part.trench_id)) * part.stages <= SMALL:
        made = solve(part, effort)
        return made, sign * made.bound
    begun = time.monotonic()
    carried = carried_bound(part, plan.certificate)
    firm = with_hosts(part, start[0])
    first = _begin(firm, bound_of(plan.certificate, np.inf), (_committed(firm.built, start[0]), start[1]), effort)
    target = first.objective if first.valid else sign * plan.objective
    bound = carried
    if carried is None or time.monotonic() - begun < effort.seconds:
        fresh = prove(part, target=target, rounds=effort.rounds)
        bound = fresh if carried is None or fresh.value < carried.value else carried
    if bound is None or not first.valid:
        return None, np.inf if bound is None else bound.value
    left = max(effort.seconds - (time.monotonic() - begun), 0.0)
    found = improve_from(firm, bound.multipliers, (first.stage, first.dug), replace(effort, seconds=left))
    return finished(part, found, bound), bound.value


def finished(problem: Problem, found: Solution, bound: Bound) -> Plan:
    """Return the tidied plan of ``found`` with its ``bound``. Raises CheckError where the checker rejects it.

    Tidying puts trenches off to the year that needs them; where that year cannot pay for them, they stay.
    """
    plan = finish(problem, found.stage, found.dug, bound, interrupted=False)
    try:
        check(problem, plan)
    except CheckError:
        plan = replace(plan, trench_stage=found.dug, spend=spend(problem, plan.stage, found.dug))
        value = objective(problem, plan.stage, found.dug, plan.served)
        plan = replace(plan, objective=value, gap=gap_of(value, plan.bound))
        check(problem, plan)
    return plan


def carried_bound(problem: Problem, certificate: Certificate) -> Bound | None:
    """Return what the ``certificate`` of a like problem proves of ``problem``; None where it proves nothing.

    Any prices prove a bound of any problem of the same shape, if the cores fit its trenches.
    """
    try:
        value = certified_bound(problem, certificate)
    except CheckError:
        return None
    return bound_of(certificate, _sign(problem) * value)


def _start(problem: Problem, part: Problem, plan: Plan, wish: Wish) -> tuple[Ints, Ints]:
    """Return the stages (n,) and (m,) of ``plan`` with the wish of ``part`` in place; perhaps no valid plan."""
    gone = part.built == FORBIDDEN
    stage = np.where(gone, NEVER, _committed(part.built, plan.stage))
    dug = plan.trench_stage
    if len(part.trench_id) < len(problem.trench_id):
        dug = np.delete(dug, wish.place)
    return stage, _committed(part.trench_built, dug)


def with_hosts(problem: Problem, stage: Ints) -> Problem:
    """Return ``problem`` with the free hosts of what is committed committed too, where the search could drop them.

    Each stands from its ``stage`` (n,) on or, where that is too late, from when it is needed.
    """
    built = problem.built.copy()
    for option in np.flatnonzero(problem.built > EXISTING):
        due, at = built[option], int(problem.host[option])
        while at >= 0 and built[at] == FREE:
            due = stage[at] if EXISTING < stage[at] <= due else due
            built[at] = due
            at = int(problem.host[at])
    return replace(problem, built=built)


def _committed(built: Ints, stage: Ints) -> Ints:
    return np.where(built >= EXISTING, built, stage)


def _begin(part: Problem, bound: Bound, start: tuple[Ints, Ints], effort: Effort) -> Solution:
    """Return the better of ``start`` as it is and what the constructor makes of it; perhaps not valid."""
    built, _ = improve(part, bound.multipliers, start[0], replace(effort, tries=0))
    value = standing_value(part, *start)
    if value is None or (built.valid and built.objective >= value):
        return built
    nothing = np.zeros((len(part.arc_row), part.stages))
    return Solution(*start, served=nothing, objective=value, valid=True)


def standing_value(problem: Problem, stage: Ints, dug: Ints) -> float | None:
    """Return the maximised objective of a plan's stages (n,) and (m,); None where it breaks a rule of ``problem``."""
    hosted = problem.host >= 0
    late = hosted & (stage >= 0) & ((stage[problem.host] < 0) | (stage[problem.host] > stage))
    over = problem.goal == "most_value" and not kept(
        problem.budget - spend(problem, stage, dug).astype(float), carry_over=problem.carry_over
    )
    if late.any() or over or unjoined_cuts(problem, stage, dug):
        return None
    try:
        served = serve(problem, stage, dug)
    except InfeasibleError:
        return None
    return _sign(problem) * objective(problem, stage, dug, served)


def _costs(problem: Problem, plan: Plan, wish: Wish, best: _Case, limit: float) -> Forced:
    """Return what ``best`` costs; ``limit`` bounds the maximised objective of every plan that keeps ``wish``."""
    part, made, stage = best
    sign = _sign(problem)
    code = int((problem.built if wish.kind == OPTION else problem.trench_built)[wish.place])
    restricts = code in (FREE, wish.stage) or (code == FORBIDDEN and wish.stage == NEVER)
    ours, theirs = sign * plan.objective, sign * made.objective
    if restricts:
        limit = min(limit, sign * plan.bound)
    high, best_high = ours - theirs, sign * plan.bound - theirs
    low = min(ours - limit, high)
    return Forced(
        problem=part,
        plan=made,
        stage=stage,
        bound=sign * limit,
        low=low,
        high=high,
        best_low=max(low, 0.0) if restricts else low,
        best_high=max(best_high, 0.0) if restricts else best_high,
        spend=made.spend - plan.spend,
        restricts=restricts,
    )
