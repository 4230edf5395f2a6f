"""Checks that every table of TR 38.901 shares: values within their printed ranges, known names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from xinji.core.arrays import Bools, Floats
from xinji.errors import Fault, InputError, raise_if

TR_FREQUENCY_GHZ = (0.5, 100.0)
"""Carrier frequencies of TR 38.901 (clause 1; Table 7.4.1-1, note 2); RMa ends at 30 GHz."""

LIGHT_M_S = 3.0e8
"""Speed of light as the breakpoints are printed with (Table 7.4.1-1, notes 1 and 5)."""

Range = tuple[float, float]


def range_faults(layer: str, checks: Iterable[tuple[str, Floats, Range]]) -> Iterator[Fault]:
    """Yield a fault for each ``(name, values, (low, high))`` with values outside, or missing."""
    for name, values, (low, high) in checks:
        bad: Bools = ~((values >= low) & (values <= high))
        if bad.any():
            found = f"{name} has {int(bad.sum())} values outside {low:g} to {high:g}, such as {values[bad].flat[0]:g}"
            yield Fault(layer, found, "Leave these links out or use another model.")


def require_known(what: str, name: str, known: Iterable[str]) -> None:
    """Raise InputError where ``name`` is none of ``known``; ``what`` says what is named."""
    names = tuple(known)
    if name not in names:
        fault = Fault("TR 38.901", f"{what} {name!r} is unknown", f"Use one of {', '.join(names)}.")
        raise_if([fault], InputError)
