"""How evenly a plan serves, by measures that do not depend on the weights it was made with."""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Bools, Floats
from xinji.core.frontier import Figures
from xinji.core.plan import Plan
from xinji.core.problem import Problem
from xinji.core.study import Outcome
from xinji.core.vocabulary import GROUPS, SERVICES

_TENTH = 0.1
_RESIDENTS: Bools = np.array([service.unit == "people" for service in SERVICES])


def figures(problem: Problem, plan: Plan, made: Outcome, users: Floats) -> Figures:
    """Return how ``plan`` with outcome ``made`` fares; worth is that of ``problem``'s own weights.

    ``users`` (cells, services, T) are all there are.
    """
    served, total = made.served[:, :, -1], made.users[:, :, -1]
    by_group = _share(served.sum(axis=1), total.sum(axis=1))
    worst = int(np.nanargmin(by_group))
    last = users[:, :, -1]
    cell = _share((last * made.cell_served[:, :, -1]).sum(axis=1), last.sum(axis=1))
    return Figures(
        worth=float((problem.value[problem.arc_row] * plan.served).sum()),
        served=float(served.sum() / total.sum()),
        clusters=_number(by_group[0]),
        residents=_number(_share(served[:, _RESIDENTS].sum(), total[:, _RESIDENTS].sum())),
        worst_group=GROUPS[worst],
        worst_group_share=_number(by_group[worst]),
        worst_tenth=worst_share(cell, last.sum(axis=1), _TENTH),
    )


def worst_share(share: Floats, users: Floats, part: float) -> float:
    """Return the mean share (cells,) among the ``part`` of ``users`` (cells,) who fare worst."""
    here = users > 0
    order = np.argsort(share[here], kind="stable")
    weight, low = users[here][order], share[here][order]
    before = np.cumsum(weight) - weight
    counted = np.clip(part * weight.sum() - before, 0.0, weight)
    return float(counted @ low / counted.sum()) if len(weight) else 0.0


def _share(served: Floats, users: Floats) -> Floats:
    """Return the served share, missing where there are no users."""
    total = np.asarray(users, dtype=float)
    return np.asarray(np.divide(served, total, out=np.full_like(total, np.nan), where=total > 0))


def _number(value: Floats) -> float:
    """Return a share, 1 where nobody is there to be served."""
    return 1.0 if np.isnan(value) else float(value)
