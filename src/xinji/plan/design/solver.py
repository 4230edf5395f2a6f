"""The one module that touches HiGHS (Huangfu and Hall, Math. Prog. Comp. 10, 2018)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import highspy
import numpy as np

from xinji.core.arrays import Floats, Ints, Strings
from xinji.errors import SolverError
from xinji.plan.design.model import AT_LEAST, AT_MOST, Model

OPTIMAL = "optimal"
INFEASIBLE = "infeasible"
STOPPED = "time limit"
INTERRUPTED = "interrupted"

_TOLERANCE = 1e-9
_GAP = 1e-9
_LOOK_S = 0.05
_LP_LINE = 6
_new: Callable[[], highspy.Highs] = highspy.Highs


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the solver found.

    ``values`` (c,) is empty where no solution was found; ``objective`` is then minus infinity.
    ``bound`` is what no solution can exceed (minus infinity where infeasible). ``status`` is one of
    ``OPTIMAL``, ``INFEASIBLE``, ``STOPPED`` (out of time), ``INTERRUPTED`` (Ctrl-C).
    """

    values: Floats
    objective: float
    bound: float
    status: str

    @property
    def found(self) -> bool:
        """Whether there is a solution."""
        return bool(len(self.values))


def maximise(model: Model, *, seconds: float, relaxed: bool = False, start: Floats | None = None) -> Answer:
    """Return the best solution of ``model`` found within ``seconds``; ``relaxed`` lets whole numbers go.

    ``start`` (c,) is a solution to begin with, if one is known.
    Ctrl-C ends a search over whole numbers early with status ``INTERRUPTED``. Raises SolverError
    where HiGHS fails or the model is unbounded.
    """
    whole = bool(model.columns.integer.any()) and not relaxed
    highs = _loaded(model, whole=whole)
    highs.setOptionValue("time_limit", max(float(seconds), 0.0))
    if start is not None:
        known = highspy.HighsSolution()
        known.col_value = start.tolist()
        highs.setSolution(known)
    interrupted = _run_interruptibly(highs) if whole else _run(highs)
    return _answer(model, highs, whole=whole, interrupted=interrupted)


def _loaded(model: Model, *, whole: bool) -> highspy.Highs:
    columns, rows = model.columns, model.rows
    if not all(np.isfinite(part).all() for part in (columns.cost, rows.coefficient, rows.rhs)):
        raise SolverError("A cost, coefficient or right side of the model is not a finite number")
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(columns), len(rows)
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = columns.cost, columns.lower, columns.upper
    factor = _row_factors(model)
    rhs = rows.rhs * factor
    lp.row_lower_ = np.where(rows.sense == AT_MOST, -highspy.kHighsInf, rhs)
    lp.row_upper_ = np.where(rows.sense == AT_LEAST, highspy.kHighsInf, rhs)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = rows.start.astype(np.int32), rows.column.astype(np.int32)
    lp.a_matrix_.value_ = rows.coefficient * np.repeat(factor, np.diff(rows.start))
    highs = _new()
    highs.silent()
    for option, value in (("mip_rel_gap", _GAP), ("mip_abs_gap", _GAP), ("mip_feasibility_tolerance", _TOLERANCE)):
        highs.setOptionValue(option, value)
    if highs.passModel(lp) == highspy.HighsStatus.kError:
        raise SolverError(f"HiGHS refuses the model ({len(rows)} rows, {len(columns)} columns)")
    if whole:
        place = np.flatnonzero(columns.integer).astype(np.int32)
        kinds = np.full(len(place), highspy.HighsVarType.kInteger)
        highs.changeColsIntegrality(len(place), place, kinds)
    return highs


def _row_factors(model: Model) -> Floats:
    """Return a power of two for each row that brings its largest coefficient near 1.

    The solver's tolerance is absolute, and budgets are in cents.
    """
    rows = model.rows
    largest = np.zeros(len(rows))
    np.maximum.at(largest, np.repeat(np.arange(len(rows)), np.diff(rows.start)), np.abs(rows.coefficient))
    return np.asarray(np.exp2(-np.floor(np.log2(np.where(largest > 0.0, largest, 1.0)))))


def _run(highs: highspy.Highs) -> bool:
    highs.run()
    return False


def _run_interruptibly(highs: highspy.Highs) -> bool:
    """Run in a thread, so that Ctrl-C arrives; return whether it did."""
    interrupted = False

    def look(event: highspy.highs.HighsCallbackEvent) -> None:
        if interrupted:
            event.interrupt()

    highs.cbMipInterrupt += look
    highs.startSolve()
    while True:
        try:
            if highs.wait(_LOOK_S)[0]:
                return interrupted
        except KeyboardInterrupt:
            interrupted = True


def _answer(model: Model, highs: highspy.Highs, *, whole: bool, interrupted: bool) -> Answer:
    status, name = highs.getModelStatus(), highspy.HighsModelStatus
    if status in {name.kInfeasible, name.kUnboundedOrInfeasible} and np.isfinite(_reach(model)):
        return Answer(np.zeros(0), -np.inf, -np.inf, INFEASIBLE)
    stopped = {name.kTimeLimit, name.kInterrupt}
    # An empty model has no columns, or none that a row or cost touches.
    if status not in {name.kOptimal, name.kModelEmpty, *stopped}:
        raise SolverError(f"HiGHS ended with status {highs.modelStatusToString(status)!r}")
    info = highs.getInfo()
    feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    values = np.array(highs.getSolution().col_value, dtype=np.float64)
    if status in stopped:
        bound = float(info.mip_dual_bound) if whole else np.inf
        kind = INTERRUPTED if interrupted else STOPPED
        if not (feasible and len(values)):
            return Answer(np.zeros(0), -np.inf, min(bound, _reach(model)), kind)
        return Answer(values, float(model.columns.cost @ values), min(bound, _reach(model)), kind)
    objective = float(model.columns.cost @ values)
    return Answer(values, objective, max(objective, float(info.mip_dual_bound)) if whole else objective, OPTIMAL)


def _reach(model: Model) -> float:
    """Return what the columns' limits alone allow, possibly infinite."""
    columns = model.columns
    limit = np.where(columns.cost > 0.0, columns.upper, columns.lower)
    paid = columns.cost != 0.0
    return float((columns.cost[paid] * limit[paid]).sum())


def write_lp(model: Model) -> str:
    """Return ``model`` in the LP format of CPLEX, names and order kept, numbers exact to the last digit."""
    columns, rows = model.columns, model.rows
    lines = ["Maximize", *_expression("obj", _costs(model), columns.cost[_costs(model)], columns.name)]
    lines.append("Subject To")
    for row in range(len(rows)):
        part = slice(rows.start[row], rows.start[row + 1])
        lines += _expression(str(rows.name[row]), rows.column[part], rows.coefficient[part], columns.name)
        lines[-1] += f" {rows.sense[row]} {_number(rows.rhs[row])}"
    lines.append("Bounds")
    for name, low, high in zip(columns.name, columns.lower, columns.upper, strict=True):
        lines.append(f" {_limit(low)} <= {name} <= {_limit(high)}")
    if columns.integer.any():
        lines += ["General", *(f" {name}" for name in columns.name[columns.integer])]
    return "\n".join([*lines, "End", ""])


def _costs(model: Model) -> Ints:
    return np.flatnonzero(model.columns.cost)


def _expression(label: str, column: Ints, coefficient: Floats, name: Strings) -> list[str]:
    """Return `` label: + 2 x - y ...`` wrapped to a few terms a line; a row without terms names column 0 at 0."""
    pairs = list(zip(column, coefficient, strict=True)) or [(0, 0.0)]
    terms = [f"{'-' if value < 0 else '+'} {_number(abs(value))} {name[place]}" for place, value in pairs]
    return list(_wrapped(f" {label}:", terms))


def _wrapped(head: str, terms: list[str]) -> Iterator[str]:
    for place in range(0, len(terms), _LP_LINE):
        yield " ".join([head if place == 0 else "  ", *terms[place : place + _LP_LINE]])


def _number(value: float) -> str:
    return f"{float(value):.17g}" if float(f"{float(value):.15g}") != value else f"{float(value):.15g}"


def _limit(value: float) -> str:
    return _number(value) if np.isfinite(value) else ("inf" if value > 0 else "-inf")
