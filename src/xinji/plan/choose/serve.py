"""The best service by what stands: one linear program a stage."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.core.problem import Problem
from xinji.errors import InfeasibleError, SolverError
from xinji.plan.choose.bound import all_roots
from xinji.plan.choose.formulation import carriers
from xinji.plan.choose.network import shortest_lengths
from xinji.plan.choose.staged import option_nodes
from xinji.plan.design.model import AT_LEAST, AT_MOST, Columns, Model, Rows, make_rows, stack
from xinji.plan.design.solver import INFEASIBLE, OPTIMAL, maximise

_SECONDS = 600.0
_ROUNDING_M = 1e-6
_ENOUGH = 1.0 - 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class StageTask:
    """One stage's service: arcs (b) that can serve, with ``share`` and ``worth``, and what limits them.

    Entry i says that arc ``member[i]`` (of b) uses ``use[i]`` of limit ``owner[i]``; ``limit`` (q,) holds
    only limits that could bind. ``weight`` (f, b) and ``amount`` (f,) are those of the floors due.
    """

    arcs: Ints
    share: Floats
    worth: Floats
    owner: Ints
    member: Ints
    use: Floats
    limit: Floats
    floor: Ints
    weight: Floats
    amount: Floats


def serve(problem: Problem, stage: Ints, dug: Ints) -> Floats:
    """Return the service (a, T) of most worth when options stand from ``stage`` (n,) and trenches from ``dug`` (m,).

    Rows, capacities, shares, path limits and floors hold. The goal does not matter: under
    least_cost too, what stands serves what it can. Raises InfeasibleError where a floor cannot be met.
    """
    served = np.zeros((len(problem.arc_row), problem.stages))
    nobody = np.zeros(len(served))
    for t in range(1, problem.stages + 1):
        task = stage_task(problem, live_arcs(problem, stage, dug, t), t, nobody)
        share = stage_shares(task)
        if share is None:
            raise InfeasibleError(_short_of(problem, task, t))
        served[task.arcs, t - 1] = share
    return served


def stage_shares(task: StageTask) -> Floats | None:
    """Return the share (b,) of each arc that serves most worth, or None where the floors cannot be met."""
    share = _best(task, floors=False)
    if (task.weight @ share >= task.amount * _ENOUGH).all():
        return share
    share = _best(task, floors=True)
    return share if len(share) else None


def live_arcs(problem: Problem, stage: Ints, dug: Ints, t: int) -> Ints:
    """Return the arcs whose option and partner stand in stage ``t`` (1..T), within their path limit."""
    stands = (stage >= 0) & (stage <= t)
    partner = problem.arc_partner
    live = np.flatnonzero(stands[problem.arc_option] & ((partner < 0) | stands[partner]))
    return live[short_paths(problem, dug, t, live)]


def short_paths(problem: Problem, dug: Ints, t: int, arcs: Ints) -> Bools:
    """Return whether the fibre dug by stage ``t`` between option and partner keeps the limit of each of ``arcs``."""
    short = np.ones(len(arcs), dtype=bool)
    asked = np.flatnonzero((problem.arc_partner[arcs] >= 0) & np.isfinite(problem.arc_limit_m[arcs]))
    if len(asked):
        length = path_lengths(problem, dug, t, arcs[asked])
        short[asked] = length <= problem.arc_limit_m[arcs[asked]] + _ROUNDING_M
    return short


def path_lengths(problem: Problem, dug: Ints, t: int, arcs: Ints) -> Floats:
    """Return the fibre length [m] between option and partner of each of ``arcs``, along what is dug by stage ``t``.

    What needs no fibre of its own counts as standing on the metro ring.
    """
    roots, node = all_roots(problem), option_nodes(problem)
    tail, head = node[problem.arc_option[arcs]], node[problem.arc_partner[arcs]]
    if not len(roots):
        return np.where((tail < 0) & (head < 0), 0.0, np.inf)
    tail, head = np.where(tail < 0, roots[0], tail), np.where(head < 0, roots[0], head)
    sources, place = np.unique(head, return_inverse=True)
    return shortest_lengths(problem, dug, t, sources, roots)[place, tail]


def stage_task(problem: Problem, arcs: Ints, t: int, fixed: Floats) -> StageTask:
    """Return the service of stage ``t`` with the limits that could bind: those that all shares together break.

    ``fixed`` (a,) is what other arcs, of other rows, serve already.
    """
    share = np.minimum(problem.arc_share[arcs], 1.0)
    row = problem.arc_row[arcs]
    entries, limits, count = [], [], 0
    groups: list[tuple[Ints, Floats, Floats]] = [(row, np.ones(len(arcs)), np.ones(len(problem.value)))]
    other = np.flatnonzero(fixed)
    for k in range(problem.capacity.shape[1]):
        carrier, amount = carriers(problem, k), problem.amount[problem.arc_row, t - 1, k]
        taken = np.bincount(carrier[other], weights=(amount * fixed)[other], minlength=len(problem.capacity))
        groups.append((carrier[arcs], amount[arcs], np.maximum(problem.capacity[:, k] - taken, 0.0)))
    for owner, use, room in groups:
        total = np.bincount(owner, weights=use * share, minlength=len(room))
        binding = np.flatnonzero(total > room)
        number = np.full(len(room), -1, dtype=np.int64)
        number[binding] = np.arange(len(binding)) + count
        mine = np.flatnonzero(number[owner] >= 0)
        entries.append((number[owner[mine]], mine, use[mine]))
        limits.append(room[binding])
        count += len(binding)
    owner_of, member, used = (np.concatenate(column) for column in zip(*entries, strict=True))
    floor = np.flatnonzero(problem.floor_stage <= t)
    return StageTask(
        arcs=arcs,
        share=share,
        worth=problem.value[row, t - 1],
        owner=owner_of,
        member=member,
        use=used,
        limit=np.concatenate(limits),
        floor=floor,
        weight=problem.floor_weight[floor][:, row],
        amount=problem.floor_amount[floor] - problem.floor_weight[floor][:, problem.arc_row[other]] @ fixed[other],
    )


def _best(task: StageTask, *, floors: bool) -> Floats:
    """Return the share (b,) of each arc that serves most worth; empty where ``floors`` cannot be met.

    Arcs that no limit could bind serve all they can, and stay out of the program.
    """
    share = task.share.copy()
    contested, place = np.unique(task.member, return_inverse=True)
    if not len(contested):
        return share if not floors else np.zeros(0)
    parts = [_rows("limit", [(task.owner, place, task.use)], AT_MOST, task.limit)]
    if floors:
        free = np.ones(len(share), dtype=bool)
        free[contested] = False
        rest = task.amount - task.weight[:, free] @ share[free]
        which, arc = np.nonzero(task.weight[:, contested])
        parts.append(_rows("floor", [(which, arc, task.weight[:, contested][which, arc])], AT_LEAST, rest))
    columns = Columns(
        name=np.char.add("z_", task.arcs[contested].astype(np.str_)),
        cost=task.worth[contested],
        lower=np.zeros(len(contested)),
        upper=share[contested],
        integer=np.zeros(len(contested), dtype=bool),
    )
    answer = maximise(Model(columns, stack(parts)), seconds=_SECONDS)
    if answer.status == INFEASIBLE:
        return np.zeros(0)
    if answer.status != OPTIMAL:
        raise SolverError(f"The service of one stage was not solved within {_SECONDS:.0f} s")
    share[contested] = np.clip(answer.values, 0.0, share[contested])
    return _within(task, share)


def _rows(head: str, entries: list[tuple[Ints, Ints, Floats]], sense: str, rhs: Floats) -> Rows:
    return make_rows([f"{head}_{place}" for place in range(len(rhs))], entries, sense, rhs)


def _within(task: StageTask, share: Floats) -> Floats:
    """Return ``share`` (b,) scaled down where rounding in the solver broke a limit."""
    used = np.bincount(task.owner, weights=task.use * share[task.member], minlength=len(task.limit))
    broken = used > task.limit
    factor = np.where(broken, task.limit / np.where(broken, used, 1.0), 1.0)
    scale = np.ones(len(share))
    np.minimum.at(scale, task.member, factor[task.owner])
    return share * scale


def _short_of(problem: Problem, task: StageTask, t: int) -> str:
    """Return, in words, the floors that what stands misses even if it served nothing else."""
    reached = [float(_best(replace(task, worth=weight), floors=False) @ weight) for weight in task.weight]
    missed = [
        f"the floor {problem.floor_name[floor]} asks for {amount:,.1f} in {problem.years[t - 1]}; "
        f"what stands by then reaches {most:,.1f}"
        for floor, amount, most in zip(task.floor, task.amount, reached, strict=True)
        if most < amount * _ENOUGH
    ]
    together = f"the floors of {problem.years[t - 1]} can each be met by what stands by then, but not all together"
    return "; ".join(missed) or together
