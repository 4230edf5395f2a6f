"""What a plan costs, to the cent."""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Ints
from xinji.core.problem import Problem


def paid(stage: Ints, capex: Ints, opex: Ints, stages: int) -> tuple[Ints, Ints]:
    """Return capex and opex by stage (T,) [cents] of assets (n,) built in ``stage`` (0 existing, -1 never)."""
    once, yearly = np.zeros(stages + 1, dtype=np.int64), np.zeros(stages + 1, dtype=np.int64)
    standing = stage >= 0
    np.add.at(once, stage[standing], capex[standing])
    np.add.at(yearly, np.maximum(stage[standing], 1), opex[standing])
    return once[1:], np.cumsum(yearly[1:])


def spend(problem: Problem, stage: Ints, dug: Ints) -> Ints:
    """Return the spending by stage (T,) [cents]: capex and opex of options (n,) and trenches (m,)."""
    options = paid(stage, problem.capex, problem.opex, problem.stages)
    trenches = paid(dug, problem.trench_capex, problem.trench_opex, problem.stages)
    return np.asarray(options[0] + options[1] + trenches[0] + trenches[1])


def objective(problem: Problem, stage: Ints, dug: Ints, served: object) -> float:
    """Return the worth of ``served`` (a, T), or the discounted cost [currency] under least_cost."""
    if problem.goal == "least_cost":
        return float(problem.discount @ spend(problem, stage, dug)) / 100.0
    return float((problem.value[problem.arc_row] * np.asarray(served)).sum())
