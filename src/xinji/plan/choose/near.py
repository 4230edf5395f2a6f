"""The best service around what changed in a plan; the rest is served as before."""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.core.problem import Problem
from xinji.plan.choose.serve import live_arcs, stage_shares, stage_task


def serve_near(problem: Problem, stage: Ints, dug: Ints, before: Ints, served: Floats) -> Floats | None:
    """Return a service (a, T) as ``serve`` does, best for the rows around what changed; rows elsewhere keep theirs.

    ``served`` (a, T) is the service of the plan ``before`` (n,). A
    row is around a change if what changed can serve it, or an option beside it that serves such a row. Costs
    as much as the change is large, not the region. Returns None where a floor cannot be met so.
    """
    found = served.copy()
    for t in range(1, problem.stages + 1):
        live = live_arcs(problem, stage, dug, t)
        moved = _moved(problem, (stage >= 0) & (stage <= t), (before >= 0) & (before <= t))
        lost = found[:, t - 1] > 0.0
        lost[live] = False
        moved |= lost
        if not moved.any():
            continue
        near = _rows_near(problem, live, moved, found[:, t - 1])[problem.arc_row]
        found[near, t - 1] = 0.0
        task = stage_task(problem, live[near[live]], t, found[:, t - 1])
        share = stage_shares(task)
        if share is None:
            return None
        found[task.arcs, t - 1] = share
    return found


def _moved(problem: Problem, now: Bools, then: Bools) -> Bools:
    """Return the arcs (a,) whose option or partner stands only ``now`` or only ``then`` (n,)."""
    changed, partner = now != then, problem.arc_partner
    return np.asarray(changed[problem.arc_option] | ((partner >= 0) & changed[partner]))


def _rows_near(problem: Problem, live: Ints, moved: Bools, served: Floats) -> Bools:
    """Return the rows (r,) of the arcs ``moved`` (a,), and those that options can serve that can or did serve them."""
    near = np.zeros(len(problem.value), dtype=bool)
    near[problem.arc_row[moved]] = True
    beside = np.zeros(len(problem.option_id), dtype=bool)
    beside[problem.arc_option[live[near[problem.arc_row[live]]]]] = True
    beside[problem.arc_option[near[problem.arc_row] & (served > 0.0)]] = True
    near[problem.arc_row[live[beside[problem.arc_option[live]]]]] = True
    return near
