"""The linear programs of the solver module: duals and growing rows against strong duality by hand."""

import numpy as np
import pytest

from xinji.errors import SolverError
from xinji.plan.design.model import AT_MOST, Columns, Model, make_rows
from xinji.plan.design.solver import INFEASIBLE, OPTIMAL, GrowingLp, relaxed


def _model() -> Model:
    columns = Columns(
        name=np.array(["a", "b"]),
        cost=np.array([3.0, 5.0]),
        lower=np.zeros(2),
        upper=np.array([np.inf, 4.0]),
        integer=np.ones(2, dtype=bool),
    )
    entries = [(np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([1.0, 300.0, 200.0]))]
    return Model(columns, make_rows(["first", "second"], entries, AT_MOST, np.array([4.0, 1500.0])))


def test_relaxed_gives_duals_of_the_rows_as_written() -> None:
    answer = relaxed(_model(), seconds=10.0)
    assert answer.status == OPTIMAL
    # a = 7 / 3 from the second row at b = 4: the row's price is 3 / 300 a unit, and b keeps 5 - 200 * 3 / 300.
    np.testing.assert_allclose(answer.values, [7 / 3, 4.0])
    np.testing.assert_allclose(answer.row_duals, [0.0, 0.01], atol=1e-12)
    np.testing.assert_allclose(answer.reduced_costs, [0.0, 3.0], atol=1e-12)
    assert answer.objective == pytest.approx(27.0)


def _cover(maximise: bool = False) -> GrowingLp:  # noqa: FBT001, FBT002 - the tests' own
    sign = -1.0 if maximise else 1.0
    return GrowingLp(sign * np.array([1.0, 2.0, 3.0]), np.zeros(3), np.ones(3), maximise=maximise)


def _row(lp: GrowingLp, *columns: int) -> None:
    place = np.array(columns)
    lp.add_rows(np.array([0, len(place)]), place, np.ones(len(place)), lower=np.ones(1), upper=np.full(1, np.inf))


def test_a_growing_program_takes_rows_bounds_columns_and_loses_rows() -> None:
    lp = _cover()
    assert lp.solve(seconds=10.0).objective == 0.0
    _row(lp, 0, 1)
    _row(lp, 1, 2)
    answer = lp.solve(seconds=10.0)
    assert answer.objective == pytest.approx(2.0)
    assert (answer.row_duals >= -1e-12).all()
    assert answer.row_duals.sum() == pytest.approx(2.0)
    lp.set_bounds(np.array([1]), np.zeros(1), np.zeros(1))
    answer = lp.solve(seconds=10.0)
    assert answer.objective == pytest.approx(4.0)
    assert answer.reduced_costs[1] == pytest.approx(2.0 - answer.row_duals.sum())
    lp.add_columns(np.ones(1), np.zeros(1), np.ones(1), (np.array([0, 1]), np.array([1]), np.ones(1)))
    assert (lp.row_count, lp.column_count) == (2, 4)
    assert lp.solve(seconds=10.0).objective == pytest.approx(2.0)
    lp.delete_rows(np.array([0]))
    assert lp.solve(seconds=10.0).objective == pytest.approx(1.0)
    lp.set_costs(np.array([3]), np.full(1, 0.5))
    lp.set_row_bounds(np.array([0]), np.full(1, 0.5), np.full(1, np.inf))
    assert lp.solve(seconds=10.0).objective == pytest.approx(0.25)


def test_maximised_duals_have_the_sign_of_the_objective() -> None:
    lp = _cover(maximise=True)
    _row(lp, 0, 1)
    answer = lp.solve(seconds=10.0)
    assert answer.objective == pytest.approx(-1.0)
    assert answer.row_duals[0] == pytest.approx(-1.0)


def test_no_solution_is_a_status_and_a_bad_index_an_error() -> None:
    lp = _cover()
    lp.add_rows(np.array([0, 1]), np.zeros(1, dtype=int), np.ones(1), lower=np.full(1, 2.0), upper=np.full(1, 2.0))
    assert lp.solve(seconds=10.0).status == INFEASIBLE
    with pytest.raises(SolverError, match="refuses rows"):
        _row(lp, 7)
