"""Capacitated facility location: which facilities to open and who is served from where, at least cost.

The convention is that of the OR-Library (Beasley, JORS 41, 1990): a customer's demand may be split,
and the cost of a pair is that of serving all of the customer's demand from the facility.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from xinji.core.arrays import Bools, Floats, freeze
from xinji.errors import Fault, InfeasibleError, SolverError, raise_if
from xinji.plan.design.facility.inputs import LAYER, expected_faults, limit_faults
from xinji.plan.design.facility.master import Master
from xinji.plan.design.facility.program import Program, serve
from xinji.plan.design.facility.proved import Proved
from xinji.plan.design.facility.relaxation import Relaxation, solve
from xinji.plan.design.proof import Clock

_PENALTY = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Location(Proved):
    """Which facilities are ``open`` (m,), what ``share`` (n, m) of each demand they serve, and what it costs.

    ``prices`` (n,) are the customers' multipliers that alone prove ``root_bound``. All costs in the
    unit of the input.
    """

    open: Bools
    share: Floats
    root_bound: float
    prices: Floats

    def __post_init__(self) -> None:
        freeze(self.open, self.share, self.prices)


def capacitated_location(
    opening_cost: Floats,
    capacity: Floats,
    demand: Floats,
    cost: Floats,
    *,
    seconds: float = 60.0,
    seed: int = 0,
) -> Location:
    """Return the cheapest facilities to open, for ``opening_cost`` and ``capacity`` (m,), ``demand`` (n,).

    ``cost`` (n, m) is that of serving all of a customer's demand from a facility, infinite where
    that cannot be; a demand may be split. ``capacity`` may be infinite. ``seconds`` of processor time
    limit the search, ``seed`` sets its restarts. Raises InputError for arrays that do not fit,
    InfeasibleError where all facilities together do not do.
    """
    given = [np.asarray(part, dtype=np.float64) for part in (opening_cost, capacity, demand, cost)]
    raise_if([*_faults(*given), *limit_faults(seconds, seed)])
    clock = Clock(seconds)
    program, count = location_program(*given)
    scale = float(given[0].mean() * count + np.where(np.isfinite(given[3]), given[3], 0.0).mean(axis=1).sum())
    master = Master(program, scale)
    relaxation = Relaxation(master, seed, clock)
    proof, bound, root = solve(relaxation, clock)
    plans = relaxation.plans
    if not np.isfinite(plans.value):
        raise SolverError(f"No plan was found within {seconds:g} s")
    share = serve(program, 0, plans.y[0].astype(np.float64)).share
    _refuse_unserved(share[:, -1], proof_bound=bound, reach=_reach(given[0], given[3]))
    bound = min(bound, plans.value)
    customer = root.price[: len(demand)]
    return Location(plans.value, bound, proof, plans.y[0], share[:, :-1], min(root.bound, bound), customer)


def location_program(opening_cost: Floats, capacity: Floats, demand: Floats, cost: Floats) -> tuple[Program, int]:
    """Return the program, and how many facilities it takes at least (its rows: enough capacity, enough facilities)."""
    total = float(demand.sum())
    usable = np.minimum(capacity, total)
    if usable.sum() < total * (1.0 - 1e-12):
        raise InfeasibleError(
            f"The customers want {total:g}, all {len(capacity)} facilities together hold {usable.sum():g}. "
            "Add facilities or capacity, or take customers out."
        )
    count = fewest(usable, total)
    penalty = np.inf if np.isfinite(cost).all() else _PENALTY * max(_reach(opening_cost, cost), 1.0)
    program = Program(
        cost=np.ascontiguousarray(cost.T)[None],
        demand=demand[None].copy(),
        capacity=usable[None],
        spare=np.full((1, len(demand)), penalty),
        charge=opening_cost[None].copy(),
        rows=csr_array(np.vstack([usable, np.ones(len(usable))])),
        least=np.array([total, float(count)]),
        most=np.full(2, np.inf),
    )
    return program, count


def fewest(capacity: Floats, total: float) -> int:
    """Return how many facilities of ``capacity`` (m,) it takes at least to hold ``total``; at least 1."""
    largest_first = np.cumsum(np.sort(capacity)[::-1])
    return min(int(np.searchsorted(largest_first, total * (1.0 - 1e-12))) + 1, len(capacity))


def _reach(opening_cost: Floats, cost: Floats) -> float:
    """Return what no plan that serves everyone costs more than."""
    return float(opening_cost.sum() + np.where(np.isfinite(cost), cost, 0.0).max(axis=1).sum())


def _refuse_unserved(unserved: Floats, *, proof_bound: float, reach: float) -> None:
    left = np.flatnonzero(unserved > 1e-9)
    if not len(left):
        return
    who = f"{len(left)} customers (the first is row {left[0]}) cannot be served in full from facilities that reach them"
    if proof_bound > reach:
        raise InfeasibleError(f"{who}. Add capacity near them or give more pairs a finite cost.")
    raise SolverError(f"{who} in the best plan found; whether another plan could is not proved. Give more seconds.")


def _faults(opening_cost: Floats, capacity: Floats, demand: Floats, cost: Floats) -> list[Fault]:
    count, customers = opening_cost.size, demand.size
    expected = [
        ("opening_cost", opening_cost, (count,)),
        ("capacity", capacity, (count,)),
        ("demand", demand, (customers,)),
        ("cost", cost, (customers, count)),
    ]
    faults = list(expected_faults(expected, frozenset({"capacity", "cost"})))
    if not count or not customers:
        message = f"there are {count} facilities and {customers} customers"
        faults.append(Fault(LAYER, message, "Give at least one of each."))
    return faults
