"""The one module that touches HiGHS (Huangfu and Hall, Math. Prog. Comp. 10, 2018)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

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


@dataclass(frozen=True, slots=True, eq=False)
class LpAnswer:
    """What the solver found for a linear program of c columns and q rows.

    ``row_duals`` (q,) say by how much the objective changes for one more unit on a row's right side,
    ``reduced_costs`` (c,) likewise for a column's limit: where maximised, a row ``<=`` has a dual of
    at least 0; where minimised, a row ``>=``. ``status`` is ``OPTIMAL``, ``INFEASIBLE`` or ``STOPPED``
    (out of time). Numbers are what floating-point simplex ends with, and nothing is proved where
    ``status`` is ``STOPPED``: who needs a bound computes it from the duals. All arrays are empty where
    the program is infeasible.
    """

    values: Floats
    row_duals: Floats
    reduced_costs: Floats
    objective: float
    status: str


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


def relaxed(model: Model, *, seconds: float) -> LpAnswer:
    """Return the best solution of ``model`` with whole numbers let go, and its duals, found within ``seconds``.

    Raises SolverError where HiGHS fails or the model is unbounded.
    """
    highs = _loaded(model, whole=False)
    highs.setOptionValue("time_limit", max(float(seconds), 0.0))
    highs.run()
    answer = _lp_answer(highs)
    return replace(answer, row_duals=answer.row_duals * _row_factors(model)) if len(answer.row_duals) else answer


class GrowingLp:
    """A linear program that stays in the solver while rows and columns come and go; each solve starts from the last.

    Columns have ``cost``, ``lower`` and ``upper`` (c,); rows are ``lower <= sum <= upper``, infinite where
    open. The dual simplex solves it, on one thread. Rows and columns keep the order in which they came.
    """

    def __init__(self, cost: Floats, lower: Floats, upper: Floats, *, maximise: bool = False) -> None:
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(cost), 0
        lp.sense_ = highspy.ObjSense.kMaximize if maximise else highspy.ObjSense.kMinimize
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, lower, upper
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.zeros(1, dtype=np.int32)
        self._highs = _silent()
        self._highs.setOptionValue("solver", "simplex")
        self._highs.setOptionValue("presolve", "off")
        _accept(self._highs.passModel(lp), "the columns")

    @property
    def row_count(self) -> int:
        """Rows there are."""
        return int(self._highs.getNumRow())

    @property
    def column_count(self) -> int:
        """Columns there are."""
        return int(self._highs.getNumCol())

    def add_rows(self, start: Ints, column: Ints, coefficient: Floats, *, lower: Floats, upper: Floats) -> None:
        """Add rows in compressed form: row i holds ``coefficient`` at ``column`` from start[i] to start[i + 1]."""
        compressed = (len(column), start[:-1].astype(np.int32), column.astype(np.int32), coefficient)
        _accept(self._highs.addRows(len(lower), lower, upper, *compressed), "rows")

    def add_columns(self, cost: Floats, lower: Floats, upper: Floats, entries: tuple[Ints, Ints, Floats]) -> None:
        """Add columns; ``entries`` are (start, row, coefficient): column i has the rows start[i]:start[i + 1]."""
        start, row, coefficient = entries
        compressed = (len(row), start[:-1].astype(np.int32), row.astype(np.int32), coefficient)
        _accept(self._highs.addCols(len(cost), cost, lower, upper, *compressed), "columns")

    def set_bounds(self, column: Ints, lower: Floats, upper: Floats) -> None:
        """Replace the limits of ``column`` (k,)."""
        _accept(self._highs.changeColsBounds(len(column), column.astype(np.int32), lower, upper), "limits")

    def set_costs(self, column: Ints, cost: Floats) -> None:
        """Replace the costs of ``column`` (k,)."""
        _accept(self._highs.changeColsCost(len(column), column.astype(np.int32), cost), "costs")

    def set_row_bounds(self, row: Ints, lower: Floats, upper: Floats) -> None:
        """Replace the limits of ``row`` (k,)."""
        for place, low, high in zip(row, lower, upper, strict=True):
            _accept(self._highs.changeRowBounds(int(place), float(low), float(high)), "limits of a row")

    def delete_rows(self, row: Ints) -> None:
        """Take ``row`` (k,) out; those after them move up. Rows that bind cost the next solve its start."""
        _accept(self._highs.deleteRows(len(row), np.sort(row).astype(np.int32)), "rows to delete")

    def solve(self, *, seconds: float) -> LpAnswer:
        """Solve within ``seconds`` from where the last solve ended.

        Raises SolverError where HiGHS fails or the program is unbounded.
        """
        self._highs.setOptionValue("time_limit", self._highs.getRunTime() + max(float(seconds), 0.0))
        self._highs.run()
        return _lp_answer(self._highs)


def _accept(status: highspy.HighsStatus, what: str) -> None:
    if status == highspy.HighsStatus.kError:
        raise SolverError(f"HiGHS refuses {what}: numbers are not finite, indices outside or arrays of two lengths")


def _silent() -> highspy.Highs:
    highs = _new()
    highs.silent()
    highs.setOptionValue("threads", 1)
    return highs


def _lp_answer(highs: highspy.Highs) -> LpAnswer:
    status, name = highs.getModelStatus(), highspy.HighsModelStatus
    if status == name.kInfeasible:
        return LpAnswer(np.zeros(0), np.zeros(0), np.zeros(0), np.nan, INFEASIBLE)
    if status not in {name.kOptimal, name.kModelEmpty, name.kTimeLimit}:
        raise SolverError(f"HiGHS ended with status {highs.modelStatusToString(status)!r}")
    solution = highs.getSolution()
    return LpAnswer(
        values=np.array(solution.col_value, dtype=np.float64),
        row_duals=np.array(solution.row_dual, dtype=np.float64),
        reduced_costs=np.array(solution.col_dual, dtype=np.float64),
        objective=float(highs.getInfo().objective_function_value),
        status=STOPPED if status == name.kTimeLimit else OPTIMAL,
    )


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
    highs = _silent()
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
