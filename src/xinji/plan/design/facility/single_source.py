"""Capacitated facility location where each customer is served whole by one facility."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.errors import InfeasibleError, SolverError
from xinji.plan.design.facility.capacitated import Location, capacitated_location
from xinji.plan.design.facility.proved import Proved
from xinji.plan.design.model import AT_MOST, EQUAL, Columns, Model, make_rows, stack
from xinji.plan.design.proof import Clock
from xinji.plan.design.solver import INFEASIBLE, maximise

_SHARE = 0.5
_LEAST_S = 1.0
_WHOLE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class SingleSource(Proved):
    """Which facilities are ``open`` (m,), the ``assignment`` (n,) of customers, and what it costs.

    The ``certificate`` is that of ``split``, the cheapest plan that may split demand; where all costs
    are whole numbers, what it proves is rounded up.
    ``solver_bound`` is what the solver's own branch and bound says, which leaves nothing to check.
    """

    open: Bools
    assignment: Ints
    solver_bound: float
    split: Location

    def __post_init__(self) -> None:
        freeze(self.open, self.assignment)


def single_source_location(
    opening_cost: Floats,
    capacity: Floats,
    demand: Floats,
    cost: Floats,
    *,
    seconds: float = 60.0,
    seed: int = 0,
) -> SingleSource:
    """Return the cheapest plan with whole customers; the arrays are those of ``capacitated_location``.

    Half of ``seconds`` (the solver's part by the wall clock) bounds the problem that may split demand. Raises
    InputError for arrays that do not fit, InfeasibleError where no plan exists and SolverError where
    none was found in time.
    """
    clock = Clock(seconds)
    split = capacitated_location(opening_cost, capacity, demand, cost, seconds=_SHARE * seconds, seed=seed)
    given = [np.asarray(part, dtype=np.float64) for part in (opening_cost, capacity, demand, cost)]
    model = _model(*given)
    answer = maximise(model, seconds=max(clock.left, _LEAST_S))
    if answer.status == INFEASIBLE:
        raise InfeasibleError(
            "The customers fit into the facilities only where their demand is split. Allow splitting, or add capacity."
        )
    if not answer.found:
        raise SolverError(f"No plan with whole customers was found within {seconds:g} s. Give more seconds.")
    count, customers = len(given[0]), len(given[2])
    opened = np.round(answer.values[:count]) > 0.0
    assignment = np.argmax(answer.values[count:].reshape(customers, count), axis=1)
    value = float(given[0][opened].sum() + given[3][np.arange(customers), assignment].sum())
    whole = all((part == np.round(part)).all() for part in (given[0], given[3][np.isfinite(given[3])]))
    bound = min(float(np.ceil(split.bound - _WHOLE)) if whole else split.bound, value)
    searched = min(max(bound, -answer.bound), value)
    return SingleSource(value, bound, split.certificate, opened, assignment.astype(np.int64), searched, split)


def _model(opening_cost: Floats, capacity: Floats, demand: Floats, cost: Floats) -> Model:
    """Return the model: columns y (m), then x (n * m), 0 where a pair has no finite cost."""
    count, customers = len(opening_cost), len(demand)
    site: Ints = np.arange(count, dtype=np.int64)
    pair: Ints = count + np.arange(customers * count, dtype=np.int64).reshape(customers, count)
    one: Floats = np.ones(1)
    reachable = np.isfinite(cost).ravel()
    columns = Columns(
        name=np.array([*(f"y{j}" for j in site), *(f"x{i}_{j}" for i in range(customers) for j in site)]),
        cost=-np.concatenate([opening_cost, np.where(reachable, cost.ravel(), 0.0)]),
        lower=np.zeros(count + customers * count),
        upper=np.concatenate([np.ones(count), reachable.astype(np.float64)]),
        integer=np.ones(count + customers * count, dtype=bool),
    )
    usable = np.minimum(capacity, demand.sum())
    who: Ints = np.arange(customers, dtype=np.int64)
    where: Ints = pair - count
    served = make_rows([f"serve{i}" for i in who], [(who[:, None], pair, one)], EQUAL, np.ones(customers))
    room = make_rows(
        [f"room{j}" for j in site],
        [(site[None, :], pair, demand[:, None]), (site, site, -usable)],
        AT_MOST,
        np.zeros(count),
    )
    link = make_rows(
        [f"link{i}_{j}" for i in who for j in site],
        [(where, pair, one), (where, site[None, :], -one)],
        AT_MOST,
        np.zeros(customers * count),
    )
    return Model(columns, stack([served, room, link]))
