"""The one module that touches HiGHS: answers, failures, Ctrl-C, and the LP file that it writes."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import highspy
import numpy as np
import pytest

from support.small_problem import small_problem
from xinji.core.arrays import Floats
from xinji.errors import SolverError
from xinji.plan.choose.formulation import formulate, layout
from xinji.plan.design.model import AT_LEAST, AT_MOST, EQUAL, Columns, Model, make_rows, matrix_of, stack, with_rows
from xinji.plan.design.solver import INFEASIBLE, INTERRUPTED, OPTIMAL, STOPPED, maximise, write_lp


def _model(cost: list[float], rows: list[tuple[list[float], str, float]], *, integer: bool = False) -> Model:
    count = len(cost)
    columns = Columns(
        name=np.array([f"x_{place}" for place in range(count)]),
        cost=np.array(cost),
        lower=np.zeros(count),
        upper=np.full(count, np.inf),
        integer=np.full(count, integer),
    )
    place = np.arange(count)
    first = np.zeros(count, dtype=np.int64)
    made = [
        make_rows([f"row_{number}"], [(first, place, np.array(terms))], sense, np.array([rhs]))
        for number, (terms, sense, rhs) in enumerate(rows)
    ]
    return Model(columns, stack(made))


def _market_split(seed: int = 3) -> Model:
    """Return a market split instance (Cornuejols and Dawande 1998): hard out of all proportion to its size."""
    rng = np.random.default_rng(seed)
    share = rng.integers(0, 100, (5, 40)).astype(float)
    count, rows = share.shape[1], []
    for number, terms in enumerate(share):
        slack = np.zeros(10)
        slack[2 * number : 2 * number + 2] = 1.0, -1.0
        rows.append(([*terms, *slack], EQUAL, float(np.floor(terms.sum() / 2.0))))
    model = _model([0.0] * count + [-1.0] * 10, rows)
    whole = np.arange(count + 10) < count
    upper = np.where(whole, 1.0, np.inf)
    return replace(model, columns=replace(model.columns, integer=whole, upper=upper))


def test_a_linear_program_is_solved() -> None:
    answer = maximise(_model([3.0, 2.0], [([1.0, 1.0], AT_MOST, 4.0), ([1.0, 3.0], AT_MOST, 6.0)]), seconds=10)
    assert answer.status == OPTIMAL
    assert answer.found
    assert answer.values == pytest.approx([4.0, 0.0])
    assert answer.objective == answer.bound == pytest.approx(12.0)


def test_whole_numbers_are_kept_unless_relaxed() -> None:
    model = _model([1.0, 1.0], [([2.0, 2.0], AT_MOST, 5.0)], integer=True)
    assert maximise(model, seconds=10).objective == pytest.approx(2.0)
    assert maximise(model, seconds=10, relaxed=True).objective == pytest.approx(2.5)


@pytest.mark.parametrize("integer", [False, True])
def test_what_cannot_be_is_infeasible(*, integer: bool) -> None:
    model = _model([-1.0], [([1.0], AT_MOST, 1.0), ([1.0], AT_LEAST, 2.0)], integer=integer)
    answer = maximise(model, seconds=10)
    assert answer.status == INFEASIBLE
    assert not answer.found
    assert answer.bound == -np.inf


def test_an_unbounded_model_is_an_error() -> None:
    with pytest.raises(SolverError, match="HiGHS ended with status"):
        maximise(_model([1.0], [([-1.0], AT_MOST, 1.0)]), seconds=10)


def test_nonsense_is_refused() -> None:
    with pytest.raises(SolverError, match="not a finite number"):
        maximise(_model([1.0], [([np.nan], AT_MOST, 1.0)]), seconds=10)


def test_out_of_time_keeps_a_valid_bound() -> None:
    answer = maximise(_market_split(), seconds=0.5)
    assert answer.status == STOPPED
    assert answer.bound <= 0.0
    assert answer.objective <= answer.bound


def test_ctrl_c_ends_the_search_and_keeps_the_bound() -> None:
    begun = time.monotonic()
    timer = threading.Timer(0.6, signal.raise_signal, [signal.SIGINT])
    timer.start()
    answer = maximise(_market_split(), seconds=30)
    timer.join()
    assert answer.status == INTERRUPTED
    assert answer.bound <= 0.0
    assert time.monotonic() - begun < 15.0


def test_budgets_in_cents_are_kept_to_the_cent() -> None:
    # One cent short of affording both of two dear options.
    dear = [123_456_789.0, 234_567_891.0]
    model = _model([1.0, 1.0], [(dear, AT_MOST, sum(dear) - 1.0)], integer=True)
    model = replace(model, columns=replace(model.columns, upper=np.ones(2)))
    assert maximise(model, seconds=10).objective == pytest.approx(1.0)


def _read_back(path: Path) -> Floats:
    make: Callable[[], highspy.Highs] = highspy.Highs
    highs = make()
    highs.silent()
    assert highs.readModel(str(path)) == highspy.HighsStatus.kOk
    highs.run()
    return np.array([highs.getInfo().objective_function_value, highs.getNumRow(), highs.getNumCol()])


@pytest.mark.parametrize("seed", [0, 3, 4, 7])
def test_the_lp_file_says_what_the_model_says(tmp_path: Path, seed: int) -> None:
    problem = small_problem(seed)
    model = formulate(problem, layout(problem))
    path = tmp_path / "model.lp"
    path.write_text(write_lp(model), encoding="utf-8")
    objective, rows, columns = _read_back(path)
    assert objective == pytest.approx(maximise(model, seconds=30).objective, rel=1e-6)
    assert (rows, columns) == (len(model.rows), len(model.columns))


def test_rows_add_up_what_is_said_twice_and_drop_what_cancels() -> None:
    row, column = np.array([0, 0, 1, 1]), np.array([2, 2, 0, 0])
    rows = make_rows(["a", "b"], [(row, column, np.array([1.0, 2.0, 5.0, -5.0]))], AT_MOST, np.array(1.0))
    model = with_rows(_model([1.0, 1.0, 1.0], []), rows)
    assert matrix_of(model).toarray().tolist() == [[0.0, 0.0, 3.0], [0.0, 0.0, 0.0]]
