"""What binds around options of a plan: money, capacities, floors, and users that others serve already."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.core.plan import Plan
from xinji.core.problem import Problem
from xinji.core.vocabulary import RESOURCES
from xinji.plan.choose.index import stage_prices

_FULL = 0.999
_SERVERS = RESOURCES.index("servers")


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """What limits a plan around some options.

    ``left`` (T,) [cents] is unspent money by stage, carried over where that is allowed; ``price`` (T,) what
    a cent more is worth there at the prices that prove the bound [worth/cent, or currency/cent under
    least_cost]. ``full`` (T, resources) counts the options whose capacity is used up. ``floors`` are the
    positions of floors that are met with nothing to spare and that the options help to meet.
    ``taken`` (T,) is the share of the worth in the options' reach that others serve.
    """

    left: Ints
    price: Floats
    full: Ints
    floors: Ints
    taken: Floats


def binding(problem: Problem, plan: Plan, options: Ints) -> Binding:
    """Return what binds around ``options`` (positions) of ``plan``."""
    left = problem.budget - plan.spend
    mine = np.isin(problem.arc_option, options) | np.isin(problem.arc_partner, options)
    return Binding(
        left=np.cumsum(left) if problem.carry_over else left,
        price=stage_prices(problem, plan.certificate.budget),
        full=_full(problem, plan, options),
        floors=_floors(problem, plan, np.unique(problem.arc_row[mine])),
        taken=_taken(problem, plan, mine),
    )


def loads(problem: Problem, plan: Plan) -> Floats:
    """Return what each option carries (n, T, resources), in units of its capacity."""
    used = np.zeros((len(problem.option_id), problem.stages, problem.capacity.shape[1]))
    amount = problem.amount[problem.arc_row] * plan.served[:, :, None]
    paired = problem.arc_partner >= 0
    for k in range(used.shape[2]):
        carrier = np.where(paired, problem.arc_partner, problem.arc_option) if k == _SERVERS else problem.arc_option
        np.add.at(used[:, :, k], carrier, amount[:, :, k])
    return used


def _full(problem: Problem, plan: Plan, options: Ints) -> Ints:
    capacity = problem.capacity[options][:, None, :]
    limited = np.isfinite(capacity) & (capacity > 0)
    return np.asarray((limited & (loads(problem, plan)[options] >= _FULL * capacity)).sum(axis=0))


def _floors(problem: Problem, plan: Plan, rows: Ints) -> Ints:
    reached = np.zeros((len(problem.value), problem.stages))
    np.add.at(reached, problem.arc_row, plan.served)
    share = problem.floor_weight @ reached
    due = np.arange(1, problem.stages + 1) >= problem.floor_stage[:, None]
    tight = (due & (share * _FULL <= problem.floor_amount[:, None])).any(axis=1)
    helped = problem.floor_weight[:, rows].sum(axis=1) > 0
    return np.flatnonzero(tight & helped)


def _taken(problem: Problem, plan: Plan, mine: Bools) -> Floats:
    rows = np.unique(problem.arc_row[mine])
    others = np.zeros((len(problem.value), problem.stages))
    np.add.at(others, problem.arc_row[~mine], plan.served[~mine])
    worth = problem.value[rows]
    total = worth.sum(axis=0)
    return np.asarray(np.divide((worth * others[rows]).sum(axis=0), total, out=np.zeros_like(total), where=total > 0))
