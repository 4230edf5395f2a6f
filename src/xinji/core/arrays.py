"""Array aliases, and the checks that every core type makes on itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from xinji.errors import Fault

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
Codes: TypeAlias = NDArray[np.uint8]
Strings: TypeAlias = NDArray[np.str_]
Shapes: TypeAlias = NDArray[np.object_]
AnyArray: TypeAlias = NDArray[Any]


def freeze(*arrays: AnyArray) -> None:
    """Make ``arrays`` read-only, so that a frozen type is frozen all the way down."""
    for array in arrays:
        array.setflags(write=False)


def shape_faults(layer: str, expected: Iterable[tuple[str, AnyArray, tuple[int, ...]]]) -> Iterator[Fault]:
    """Yield a fault for each ``(name, array, shape)`` whose array has another shape."""
    for name, array, shape in expected:
        if array.shape != shape:
            message = f"{name} has shape {array.shape}, expected {shape}"
            yield Fault(layer, message, "Give one value for each row, in the same order.")


def row_faults(layer: str, bad: Bools, message: str, remedy: str) -> Iterator[Fault]:
    """Yield a fault for every row where ``bad`` is true (bad: shape (n,))."""
    for row in np.flatnonzero(bad):
        yield Fault(layer, message, remedy, int(row))


def duplicate_rows(values: AnyArray) -> Bools:
    """Return, for each value, whether an earlier row holds the same value (shape (n,))."""
    _, first = np.unique(values, return_index=True)
    repeated = np.ones(values.shape, dtype=bool)
    repeated[first] = False
    return repeated
