"""One check that every Recommendation's ranges go through: all faults are named at once."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from xinji.errors import Fault, InputError, raise_if


def check_ranges(layer: str, checks: Iterable[tuple[str, npt.ArrayLike, npt.ArrayLike, str]]) -> None:
    """Raise InputError naming each ``(name, values, fine, allowed)`` with a value that is not fine.

    ``layer`` names the Recommendation, ``fine`` is true where a value is within range (of the shape
    of ``values``; comparisons with NaN are false, so a missing value is a fault) and ``allowed``
    words the range.
    """
    faults = []
    for name, given, within, allowed in checks:
        values, bad = np.broadcast_arrays(np.asarray(given, dtype=np.float64), ~np.asarray(within, dtype=bool))
        if bad.any():
            message = f"{name} has {int(bad.sum())} values outside {allowed}, such as {values[bad].flat[0]:g}"
            faults.append(Fault(layer, message, "Use values within the Recommendation's range."))
    raise_if(faults, InputError)
