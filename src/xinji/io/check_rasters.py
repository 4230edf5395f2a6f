"""Checks of terrain and clutter: range, codes and whether they cover the cells."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinji.core.arrays import Floats
from xinji.core.grid import Raster
from xinji.core.vocabulary import LAND_USES
from xinji.errors import Fault
from xinji.io.dem_faults import COARSE_M, range_faults, slope_faults, zero_faults


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
    heights = values.astype(np.float64)
    wrong = list(range_faults(layer, heights))
    yield from wrong or slope_faults(layer, heights, raster.grid.cell_m)


def doubts(layer: str, raster: Raster) -> Iterator[Fault]:
    """Yield a warning where the terrain may hold zeros for holes, or is too coarse for diffraction."""
    if layer != "terrain":
        return
    remedy = "If they are no sea, give the raster its no-data value and import it again."
    yield from zero_faults(layer, raster.values.astype(np.float64), remedy)
    if raster.grid.cell_m > COARSE_M:
        message = f"the pixels are {raster.grid.cell_m:g} m wide; hills and ridges between them shade nothing"
        yield Fault(layer, message, f"Give pixels of {COARSE_M:g} m or less for radio coverage.")


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
