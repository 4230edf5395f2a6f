"""Checks of terrain and clutter: range, codes and whether they cover the cells."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinji.core.arrays import Floats
from xinji.core.grid import Raster
from xinji.core.vocabulary import LAND_USES
from xinji.errors import Fault

TERRAIN_MIN_M, TERRAIN_MAX_M = -500.0, 9_000.0
"""The Dead Sea's shore lies at -430 m, the highest summit at 8,849 m."""


def value_faults(layer: str, raster: Raster) -> Iterator[Fault]:
    """Yield a fault if the raster holds values that its layer cannot hold."""
    values = raster.values
    if layer == "clutter":
        unknown = values[values >= len(LAND_USES)]
        if unknown.size:
            codes = ", ".join(map(str, np.unique(unknown)[:5]))
            message = f"{unknown.size} pixels hold unknown codes ({codes})"
            remedy = f"Use the codes 0 to {len(LAND_USES) - 1}; no other value, no-data included, is known."
            yield Fault(layer, message, remedy)
        return
    finite = values[np.isfinite(values)]
    far = finite[(finite < TERRAIN_MIN_M) | (finite > TERRAIN_MAX_M)]
    if far.size:
        message = f"{far.size} pixels lie between {far.min():g} and {far.max():g} m"
        expected = f"expected {TERRAIN_MIN_M:g} to {TERRAIN_MAX_M:g} m"
        remedy = "Give metres above the sea; a no-data value that is not declared is the usual cause."
        yield Fault(layer, f"{message}, {expected}", remedy)


def cover_faults(layer: str, raster: Raster, x_m: Floats, y_m: Floats, whose: str) -> Iterator[Fault]:
    """Yield a fault if some of the points [m] (each shape (n,)) lie beyond the raster."""
    inside = covered(raster, x_m, y_m)
    if not inside.all():
        message = f"{int((~inside).sum())} of {len(inside)} {whose} lie beyond the raster"
        yield Fault(layer, message, "Give a raster that covers the whole region.")


def covered(raster: Raster, x_m: Floats, y_m: Floats) -> np.ndarray:
    """Return which points [m] lie on the raster (shape (n,))."""
    _, _, inside = raster.grid.locate(x_m, y_m)
    return inside
