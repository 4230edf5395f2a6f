"""What the facility engines check of the arrays that they are handed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinji.core.arrays import Floats, shape_faults
from xinji.errors import Fault

LAYER = "facility location"


def number_faults(name: str, values: Floats, *, infinite: bool = False) -> Iterator[Fault]:
    """Yield a fault where ``values`` are below 0 or no numbers; ``infinite`` values may be allowed."""
    bad = np.isnan(values) | (values < 0.0) | (np.isinf(values) & (not infinite))
    if bad.any():
        place = tuple(int(spot) for spot in np.argwhere(bad)[0])
        allowed = "at least 0, infinite allowed" if infinite else "finite and at least 0"
        found = f"{int(bad.sum())} values of {name} are out of range, the first {values[place]:g} at {place}"
        yield Fault(LAYER, found, f"Give {name} {allowed}.")


def limit_faults(seconds: float, seed: int) -> Iterator[Fault]:
    """Yield a fault for a time limit or seed that makes no sense."""
    if not seconds > 0.0:
        yield Fault(LAYER, f"seconds is {seconds}, expected more than 0", "Give the limit of processor time [s].")
    if seed < 0:
        yield Fault(LAYER, f"seed is {seed}, expected at least 0", "Give a whole number from 0 on.")


def expected_faults(expected: list[tuple[str, Floats, tuple[int, ...]]], unlimited: frozenset[str]) -> Iterator[Fault]:
    """Yield the faults in shape and range of each (name, values, shape); ``unlimited`` ones may be infinite."""
    yield from shape_faults(LAYER, expected)
    for name, values, _ in expected:
        yield from number_faults(name, values, infinite=name in unlimited)
