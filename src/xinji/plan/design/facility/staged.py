"""Capacitated facility location over several stages: what opens stays open, demand grows, budgets bind.

One plan decides from which stage on each facility is open; every stage serves its own demand as in
the problem of one stage, and what it cannot or had better not serve costs what ``unserved_cost`` says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, eye_array, hstack, vstack

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.errors import InfeasibleError, SolverError, raise_if
from xinji.plan.design.facility.capacitated import fewest
from xinji.plan.design.facility.inputs import limit_faults
from xinji.plan.design.facility.master import Master
from xinji.plan.design.facility.plans import stages_of
from xinji.plan.design.facility.program import Program, serve
from xinji.plan.design.facility.proved import Proved
from xinji.plan.design.facility.relaxation import Relaxation, solve
from xinji.plan.design.facility.task import StagedTask
from xinji.plan.design.proof import Clock

_PENALTY = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class StagedLocation(Proved):
    """From which stage each facility is open, ``opened`` (m,) (T: never), and whom it serves.

    ``share`` (T, n, m) of each stage's demand by facility; the rest is unserved. ``prices`` (T, n) are
    the customers' at the root, which alone prove ``root_bound``.
    """

    opened: Ints
    share: Floats
    root_bound: float
    prices: Floats

    def __post_init__(self) -> None:
        freeze(self.opened, self.share, self.prices)


def staged_location(task: StagedTask, *, seconds: float = 60.0, seed: int = 0) -> StagedLocation:
    """Return the cheapest stages in which to open facilities; ``seconds`` of processor time limit the search.

    ``seed`` sets its restarts. Raises InfeasibleError where what must be served cannot be.
    """
    raise_if(limit_faults(seconds, seed))
    clock = Clock(seconds)
    program = staged_program(task)
    stages, count = program.shape
    scale = 0.1 * _reach(task)
    relaxation = Relaxation(Master(program, scale), seed, clock)
    proof, bound, root = solve(relaxation, clock)
    plans = relaxation.plans
    if not np.isfinite(plans.value):
        if bound > _reach(task):
            raise InfeasibleError(
                "What must be served cannot be within capacities and budgets. "
                "Raise the budgets of the first stages or give unserved demand a finite cost."
            )
        raise SolverError(f"No plan was found within {seconds:g} s; whether there is one is not proved")
    served = [serve(program, stage, plans.y[stage].astype(np.float64)).share for stage in range(stages)]
    share = np.array([part[:, :count] for part in served])
    _refuse_unserved(task, share, bound)
    bound = min(bound, plans.value)
    customer = root.price[: task.demand.size].reshape(task.demand.shape)
    return StagedLocation(plans.value, bound, proof, stages_of(plans.y), share, min(root.bound, bound), customer)


def staged_program(task: StagedTask) -> Program:
    """Return the program of ``task``; its rows: opened stays open, capacity, count of facilities, budgets."""
    stages, customers, count = task.cost.shape
    usable = np.minimum(task.capacity, task.demand.sum(axis=1)[:, None])
    must = np.where(np.isinf(task.unserved_cost), task.demand, 0.0).sum(axis=1)
    served: Bools = np.asarray(np.isinf(task.unserved_cost).any(axis=1))
    least = np.array([float(fewest(usable[t], must[t])) if served[t] else 0.0 for t in range(stages)])
    short = np.flatnonzero(usable.sum(axis=1) < must * (1.0 - 1e-12))
    if len(short):
        held, stage = usable[short[0]].sum(), short[0]
        found = f"In stage {stage} customers must get {must[stage]:g}, all facilities together hold {held:g}"
        raise InfeasibleError(f"{found}. Add facilities or capacity, or give unserved demand a finite cost.")
    later = np.vstack([task.opening_cost[1:], np.zeros((1, count))])
    spend, keep = _spending(task), _kept_open(stages, count)
    budget = np.cumsum(task.budget) if task.carry_over else task.budget
    strict = np.isfinite(task.cost).all() and np.isinf(task.unserved_cost).all()
    spare = np.where(np.isinf(task.unserved_cost), np.inf if strict else _PENALTY * _reach(task), task.unserved_cost)
    blocks = [keep, _by_stage(usable), _by_stage(np.ones((stages, count))), spend]
    return Program(
        cost=np.ascontiguousarray(task.cost.transpose(0, 2, 1)),
        demand=task.demand.copy(),
        capacity=usable,
        spare=spare.reshape(stages, customers),
        charge=task.opening_cost - later + task.running_cost,
        rows=csr_array(vstack(blocks)),
        least=np.concatenate([np.zeros(keep.shape[0]), must, least, np.full(stages, -np.inf)]),
        most=np.concatenate([np.full(keep.shape[0] + 2 * stages, np.inf), budget]),
    )


def _by_stage(weight: Floats) -> csr_array:
    """Return one row for each stage that weighs its facilities by ``weight`` (T, m)."""
    stages, count = weight.shape
    start = np.arange(stages + 1) * count
    return csr_array((weight.ravel(), np.arange(stages * count), start), shape=(stages, stages * count))


def _kept_open(stages: int, count: int) -> csr_array:
    """Return the rows ((T - 1) * m) that are at least 0 where what is open stays open."""
    size = (stages - 1) * count
    if not size:
        return csr_array((0, count))
    one, none = eye_array(size, format="csr"), csr_array((size, count))
    return csr_array(hstack([none, one]) - hstack([one, none]))


def _spending(task: StagedTask) -> csr_array:
    """Return the rows (T) of what opens and runs in each stage, or up to it where budgets carry over."""
    stages, _ = task.opening_cost.shape
    later = _by_stage(task.opening_cost + task.running_cost).tolil()
    count = task.opening_cost.shape[1]
    for stage in range(1, stages):
        later[stage, (stage - 1) * count : stage * count] = -task.opening_cost[stage]
    rows = csr_array(later)
    return csr_array(np.tril(np.ones((stages, stages))) @ rows.toarray()) if task.carry_over else rows


def _reach(task: StagedTask) -> float:
    """Return what no plan that serves whom it must costs more than."""
    serving = np.where(np.isfinite(task.cost), task.cost, 0.0).max(axis=2)
    unserved = np.where(np.isfinite(task.unserved_cost), task.unserved_cost, 0.0)
    return float(task.opening_cost.sum() + task.running_cost.sum() + np.maximum(serving, unserved).sum()) + 1.0


def _refuse_unserved(task: StagedTask, share: Floats, bound: float) -> None:
    left = np.argwhere((1.0 - share.sum(axis=2) > 1e-7) & np.isinf(task.unserved_cost))
    if not len(left):
        return
    who = f"{len(left)} demands that must be served (the first in stage {left[0][0]}, row {left[0][1]}) are not in full"
    if bound > _reach(task):
        raise InfeasibleError(f"{who}. Raise the budgets of the first stages or add capacity near them.")
    raise SolverError(f"{who} in the best plan found; whether another plan could is not proved. Give more seconds.")
