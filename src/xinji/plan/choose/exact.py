"""Small problems to the end: branch and bound, with cuts added until trenches join what stands."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.core.offer import EXISTING, FORBIDDEN, FREE
from xinji.core.problem import NEVER, Problem
from xinji.errors import InfeasibleError, SolverError
from xinji.plan.choose.cuts import first_cuts, flow_cuts, long_path_cuts, unjoined_cuts
from xinji.plan.choose.formulation import (
    Layout,
    formulate,
    joined_cut,
    layout,
    path_cut,
)
from xinji.plan.choose.money import objective, spend
from xinji.plan.choose.serve import serve, short_paths
from xinji.plan.choose.tidy import drop_idle
from xinji.plan.design.model import Model, broken_rows, stack, with_rows
from xinji.plan.design.solver import INFEASIBLE, INTERRUPTED, OPTIMAL, Answer, maximise
from xinji.units import CENTS_PER_UNIT

_RELAXED_ROUNDS = 12
_SERVES = 1e-12
_STANDS = 0.5
_CLOSED = 1e-6
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class ExactPlan:
    """Stages ``stage`` (n,) and ``dug`` (m,) (0 existing, -1 never), ``served`` (a, T), and the proof.

    ``objective`` and ``bound`` are in the units of ``Plan``; ``optimal`` says that they meet;
    ``interrupted`` that Ctrl-C ended the search.
    """

    stage: Ints
    dug: Ints
    served: Floats
    objective: float
    bound: float
    optimal: bool
    interrupted: bool


def solve_exact(problem: Problem, *, seconds: float, start: tuple[Ints, Ints] | None = None) -> ExactPlan | None:
    """Return the best plan found within ``seconds``, or None if none was found in that time.

    ``start`` holds the stages (n,) and trench stages (m,) of a known plan, which shortens the search; the
    plan returned is no worse. A start that breaks a constraint is not used.

    Raises InfeasibleError where no plan can exist, SolverError where the solver fails, and
    KeyboardInterrupt where Ctrl-C came before there was a plan.
    """
    _refuse_orphans(problem)
    end = time.monotonic() + seconds
    at = layout(problem)
    model = with_rows(formulate(problem, at), joined_cut(problem, at, first_cuts(problem)))
    model = _tightened(problem, at, model, end)
    best = None if start is None else _known(problem, at, model, start)
    bound, status = np.inf, OPTIMAL
    while status == OPTIMAL and time.monotonic() < end:
        known = None if best is None else _columns(problem, at, best)
        answer = maximise(model, seconds=end - time.monotonic(), start=known)
        if answer.status == INFEASIBLE:
            raise InfeasibleError(_why(problem, max(end - time.monotonic(), 1.0)))
        bound, status = min(bound, answer.bound), answer.status
        if not answer.found:
            break
        stage, dug, served = _read(problem, at, answer)
        joins, paths = unjoined_cuts(problem, stage, dug), long_path_cuts(problem, served, dug)
        if not joins:
            best = _better(problem, best, _plan(problem, stage, dug, sure=not paths))
        if not (joins or paths):
            break
        model = with_rows(model, stack([joined_cut(problem, at, joins), path_cut(problem, at, paths)]))
    if status == INTERRUPTED and best is None:
        raise KeyboardInterrupt
    return None if best is None else _proved(problem, best, bound, interrupted=status == INTERRUPTED)


def _known(problem: Problem, at: Layout, model: Model, start: tuple[Ints, Ints]) -> ExactPlan | None:
    """Return the plan of the stages ``start``, or None where it breaks a constraint."""
    stage, dug = start
    try:
        served = serve(problem, stage, dug)
    except InfeasibleError:
        return None
    value = objective(problem, stage, dug, served)
    plan = ExactPlan(stage, dug, served, value, value, optimal=False, interrupted=False)
    broken = broken_rows(model, _columns(problem, at, plan), _ROUNDING)
    over = problem.goal == "most_value" and _over(problem, spend(problem, stage, dug)).any()
    return None if len(broken) or over or unjoined_cuts(problem, stage, dug) else plan


def _columns(problem: Problem, at: Layout, plan: ExactPlan) -> Floats:
    """Return the columns' values (c,) of ``plan``."""
    values, t = np.zeros(at.count), np.arange(1, problem.stages + 1)
    for column, first in ((at.stand, plan.stage), (at.dug, plan.dug)):
        values[column] = (first[:, None] >= EXISTING) & (first[:, None] <= t)
    values[at.served] = plan.served
    return values


def _tightened(problem: Problem, at: Layout, model: Model, end: float) -> Model:
    """Return ``model`` with the cuts that its relaxation breaks, found in a few rounds."""
    known: set[tuple[int, bytes]] = set()
    for _ in range(_RELAXED_ROUNDS):
        answer = maximise(model, seconds=max(end - time.monotonic(), 0.0), relaxed=True)
        if answer.status != OPTIMAL:
            return model
        cuts = flow_cuts(problem, answer.values[at.stand], answer.values[at.dug])
        fresh = [cut for cut in cuts if (cut.option, cut.edges.tobytes()) not in known]
        if not fresh:
            return model
        known |= {(cut.option, cut.edges.tobytes()) for cut in fresh}
        model = with_rows(model, joined_cut(problem, at, fresh))
    return model


def _read(problem: Problem, at: Layout, answer: Answer) -> tuple[Ints, Ints, Floats]:
    """Return stages (n,), trench stages (m,) and service (a, T) of a solution."""
    stages = []
    for column, built in ((at.stand, problem.built), (at.dug, problem.trench_built)):
        standing = answer.values[column] > _STANDS
        first = np.where(standing.any(axis=1), standing.argmax(axis=1) + 1, NEVER)
        stages.append(np.where(built == EXISTING, EXISTING, first).astype(np.int64))
    return stages[0], stages[1], answer.values[at.served]


def _plan(problem: Problem, stage: Ints, dug: Ints, *, sure: bool) -> ExactPlan | None:
    """Return the plan without what is idle; None where it misses a floor, which a ``sure`` one must not."""
    try:
        served = serve(problem, stage, dug)
    except InfeasibleError as error:
        if sure:
            raise SolverError(f"The solver's plan does not keep its floors: {error}") from error
        return None
    stage = drop_idle(problem, stage, served)
    dug = _pruned(problem, stage, dug, served)
    if problem.goal == "most_value" and _over(problem, spend(problem, stage, dug)).any():
        raise SolverError("The solver's rounding broke a budget; give amounts in smaller units")
    value = objective(problem, stage, dug, served)
    return ExactPlan(stage, dug, served, value, value, optimal=False, interrupted=False)


def _pruned(problem: Problem, stage: Ints, dug: Ints, served: Floats) -> Ints:
    """Return ``dug`` (m,) without trenches that neither join what stands nor shorten a path in use, dearest first."""
    idle = np.flatnonzero((problem.trench_built == FREE) & (dug >= 0))
    for edge in idle[np.argsort(-problem.trench_capex[idle], kind="stable")]:
        without = dug.copy()
        without[edge] = NEVER
        if not unjoined_cuts(problem, stage, without) and not _too_long(problem, served, without):
            dug = without
    return dug


def _too_long(problem: Problem, served: Floats, dug: Ints) -> bool:
    """Return whether ``served`` (a, T) uses a path that is too long along ``dug`` (m,)."""
    used = [(t, np.flatnonzero(served[:, t - 1] > _SERVES)) for t in range(1, problem.stages + 1)]
    return not all(short_paths(problem, dug, t, arcs).all() for t, arcs in used)


def _better(problem: Problem, old: ExactPlan | None, new: ExactPlan | None) -> ExactPlan | None:
    if old is None or new is None:
        return old or new
    higher = new.objective > old.objective
    return new if higher == (problem.goal == "most_value") else old


def _proved(problem: Problem, plan: ExactPlan, bound: float, *, interrupted: bool) -> ExactPlan:
    """Return ``plan`` with the solver's ``bound`` on the maximised objective, turned into the plan's units."""
    worth = problem.goal == "most_value"
    bound = max(bound, plan.objective) if worth else min(max(-bound, 0.0), plan.objective)
    closed = abs(bound - plan.objective) <= _CLOSED * max(abs(plan.objective), 1.0)
    return replace(plan, bound=bound, optimal=closed, interrupted=interrupted)


def _over(problem: Problem, spent: Ints) -> Ints:
    """Return by how much ``spent`` (T,) exceeds what each budget row allows (T,) [cents]."""
    if problem.carry_over:
        return np.asarray(np.maximum(np.cumsum(spent) - np.cumsum(problem.budget), 0))
    return np.asarray(np.maximum(spent - problem.budget, 0))


def _refuse_orphans(problem: Problem) -> None:
    """Raise InfeasibleError where something exists or is committed before its host can stand."""
    host = problem.host
    fixed = np.flatnonzero((problem.built >= EXISTING) & (host >= 0))
    earliest = np.where(problem.built[host] == FREE, 1, problem.built[host])
    words = [
        f"option {str(problem.option_id[n])!r} is fixed to stage {problem.built[n]}, but its host "
        f"{str(problem.option_id[host[n]])!r} cannot stand by then"
        for n in fixed
        if problem.built[host[n]] == FORBIDDEN or earliest[n] > problem.built[n]
    ]
    if words:
        raise InfeasibleError("; ".join(words))


def _why(problem: Problem, seconds: float) -> str:
    """Return in words why no plan exists: floors out of reach at any cost, or budgets too small."""
    if problem.goal == "least_cost":
        everything = np.where(problem.built == FREE, 1, np.where(problem.built == FORBIDDEN, NEVER, problem.built))
        trenches = np.where(problem.trench_built == FREE, 1, problem.trench_built)
        try:
            serve(problem, everything, trenches)
        except InfeasibleError as error:
            return f"No plan at any cost meets the floors: {error}"
        return "No plan at any cost meets the floors with what is committed, forbidden and within reach of a trench"
    try:
        cheapest = solve_exact(replace(problem, goal="least_cost"), seconds=seconds)
    except InfeasibleError as error:
        return str(error)
    if cheapest is None:
        return "No plan meets the floors and keeps what is committed within these budgets"
    spent = spend(problem, cheapest.stage, cheapest.dug)
    over = _over(problem, spent)
    t = int(np.flatnonzero(over)[0]) if over.any() else problem.stages - 1
    need, have = (
        (spent[: t + 1].sum(), problem.budget[: t + 1].sum()) if problem.carry_over else (spent[t], problem.budget[t])
    )
    return (
        f"The floors and what is committed need {need / CENTS_PER_UNIT:,.2f} in {_span(problem, t)} in the cheapest "
        f"plan; the budget is {have / CENTS_PER_UNIT:,.2f}, and no other plan keeps within the budgets"
    )


def _span(problem: Problem, t: int) -> str:
    if problem.carry_over and t:
        return f"{problem.years[0]} to {problem.years[t]}"
    return str(problem.years[t])
