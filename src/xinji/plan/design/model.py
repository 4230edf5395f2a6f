"""A linear program with whole-number columns, as arrays; it knows no solver and no planning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from xinji.core.arrays import Bools, Floats, Ints, Strings, freeze

AT_MOST, AT_LEAST, EQUAL = "<=", ">=", "="


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Columns (c): name, cost (to be maximised), lower and upper limit, whether whole numbers only."""

    name: Strings
    cost: Floats
    lower: Floats
    upper: Floats
    integer: Bools

    def __post_init__(self) -> None:
        freeze(self.name, self.cost, self.lower, self.upper, self.integer)

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows (q) in compressed form: row i holds ``coefficient`` at ``column`` from start[i] to start[i + 1].

    ``sense`` is one of ``AT_MOST``, ``AT_LEAST``, ``EQUAL``, read with ``rhs`` on the right.
    """

    name: Strings
    start: Ints
    column: Ints
    coefficient: Floats
    sense: Strings
    rhs: Floats

    def __post_init__(self) -> None:
        freeze(self.name, self.start, self.column, self.coefficient, self.sense, self.rhs)

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Maximise the columns' cost under the rows."""

    columns: Columns
    rows: Rows


def make_rows(
    name: Sequence[str] | Strings,
    entries: Sequence[tuple[Ints, Ints, Floats]],
    sense: str,
    rhs: Floats,
) -> Rows:
    """Return rows named ``name`` (q,) from ``entries``: (row, column, coefficient), each of one shape.

    Entries of the same row and column are added up; those that cancel to 0 are left out.
    """
    count = len(name)
    parts = [tuple(np.ravel(part) for part in np.broadcast_arrays(*entry)) for entry in entries]
    row = np.concatenate([np.zeros(0, dtype=np.int64), *(part[0] for part in parts)])
    column = np.concatenate([np.zeros(0, dtype=np.int64), *(part[1] for part in parts)])
    coefficient = np.concatenate([np.zeros(0), *(part[2] for part in parts)])
    width = int(column.max()) + 1 if len(column) else 1
    matrix = csr_array((coefficient, (row, column)), shape=(count, width))
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return Rows(
        name=np.array(name, dtype=np.str_),
        start=np.asarray(matrix.indptr, dtype=np.int64),
        column=np.asarray(matrix.indices, dtype=np.int64),
        coefficient=np.asarray(matrix.data, dtype=np.float64),
        sense=np.full(count, sense, dtype="<U2"),
        rhs=np.broadcast_to(np.asarray(rhs, dtype=np.float64), (count,)).copy(),
    )


def stack(parts: Sequence[Rows]) -> Rows:
    """Return all rows of ``parts`` as one."""
    offset = np.cumsum([0, *(len(part.column) for part in parts)])
    starts = [part.start[1:] + shift for part, shift in zip(parts, offset[:-1], strict=True)]
    return Rows(
        name=np.concatenate([np.zeros(0, dtype=np.str_), *(part.name for part in parts)]),
        start=np.concatenate([np.zeros(1, dtype=np.int64), *starts]),
        column=np.concatenate([np.zeros(0, dtype=np.int64), *(part.column for part in parts)]),
        coefficient=np.concatenate([np.zeros(0), *(part.coefficient for part in parts)]),
        sense=np.concatenate([np.zeros(0, dtype="<U2"), *(part.sense for part in parts)]),
        rhs=np.concatenate([np.zeros(0), *(part.rhs for part in parts)]),
    )


def with_rows(model: Model, rows: Rows) -> Model:
    """Return ``model`` with ``rows`` added."""
    return replace(model, rows=stack([model.rows, rows]))


def broken_rows(model: Model, values: Floats, tolerance: float) -> Ints:
    """Return the rows that ``values`` (c,) break by more than ``tolerance`` of the row's largest coefficient."""
    rows, matrix = model.rows, matrix_of(model)
    largest = np.asarray(abs(matrix).max(axis=1).todense()).ravel() if len(rows) else np.zeros(0)
    over = matrix @ values - rows.rhs
    over = np.where(rows.sense == AT_MOST, over, np.where(rows.sense == AT_LEAST, -over, np.abs(over)))
    return np.flatnonzero(over > tolerance * np.maximum(largest, 1.0))


def matrix_of(model: Model) -> csr_array:
    """Return the rows' coefficients as a sparse matrix (q, c)."""
    rows = model.rows
    return csr_array((rows.coefficient, rows.column, rows.start), shape=(len(rows), len(model.columns)))
