"""What betrays a terrain raster that is not heights in metres, or not heights everywhere.

A raster rarely says that it is wrong; its values do: heights that no place on Earth has, slopes that
no landscape has, pixels of exactly 0 that stand far below all their neighbours. Feet in flat land
look like metres: only the file's own unit can tell.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinji.core.arrays import Bools, Floats
from xinji.core.grid import Grid, Raster
from xinji.errors import Fault

TERRAIN_MIN_M, TERRAIN_MAX_M = -500.0, 9_000.0
"""The Dead Sea's shore lies at -430 m, the highest summit at 8,849 m."""
STEEP_MAX = 0.8
"""Half of all neighbouring heights differ by less than this share of their distance [m/m], in the Himalaya too."""
SETTLED_MAX_M = 5_200.0
"""The highest town, La Rinconada, lies at 5,100 m."""
SETTLED_SLOPE_MAX = 0.8
"""Half of the inhabited places of a region lie on gentler ground than this [m/m, 39 degrees]."""
URBAN_SLOPE_MAX, URBAN_PER_KM2, URBAN_CELLS_MIN = 0.35, 1_500.0, 10
"""Half of the cells of a town this dense lie on gentler ground than this [m/m, 19 degrees], if it has so many."""
COARSE_M = 100.0
"""Pixels beyond this [m] miss hills and ridges that decide diffraction."""
DROP_MIN_M, DROP_RATIO = 30.0, 10.0
"""Zeros stand for holes if half of their edges drop by this much [m] and so many times what nine in ten others do."""

METRES_PER_UNIT = {"m": 1.0, "dm": 0.1, "cm": 0.01, "mm": 0.001, "ft": 0.3048, "us_ft": 1200.0 / 3937.0}
"""Metres in each unit of height that an import may name; a US survey foot is 1200/3937 m."""

UNIT_WORDS = {
    "m": ("m", "metre", "metres", "meter", "meters"),
    "dm": ("dm", "decimetre", "decimetres", "decimeter", "decimeters"),
    "cm": ("cm", "centimetre", "centimetres", "centimeter", "centimeters"),
    "mm": ("mm", "millimetre", "millimetres", "millimeter", "millimeters"),
    "ft": ("ft", "foot", "feet", "international foot"),
    "us_ft": ("us_ft", "us-ft", "ftus", "us survey foot", "us survey feet"),
}
"""Words that rasters and CRSs use for these units, in small letters."""

_UNITS = "Convert the heights to metres above the sea; `unit` of an import's raster does it."
_UNDECLARED = "Declare it as the raster's no-data value; `nodata` of an import's raster does it."


def where(pixels: Bools, grid: Grid) -> str:
    """Return in words where the true ones of ``pixels`` (rows, columns) lie."""
    rows, columns = (np.flatnonzero(pixels.any(axis=axis)) for axis in (1, 0))
    west, east = grid.west_m + columns[0] * grid.cell_m, grid.west_m + (columns[-1] + 1) * grid.cell_m
    north, south = grid.north_m - rows[0] * grid.cell_m, grid.north_m - (rows[-1] + 1) * grid.cell_m
    frame = f"x {west:.0f} to {east:.0f}, y {south:.0f} to {north:.0f}"
    return f"rows {rows[0]} to {rows[-1]}, columns {columns[0]} to {columns[-1]} ({frame})"


def range_faults(place: str, values: Floats) -> Iterator[Fault]:
    """Yield a fault if some of ``values`` are heights [m] that no place on Earth has."""
    finite = values[np.isfinite(values)]
    far = finite[(finite < TERRAIN_MIN_M) | (finite > TERRAIN_MAX_M)]
    if not far.size:
        return
    expected = f"expected {TERRAIN_MIN_M:g} to {TERRAIN_MAX_M:g} m"
    kinds, counts = np.unique(far, return_counts=True)
    if len(kinds) <= 2:
        said = " and ".join(f"{value:g} in {count} pixels" for value, count in zip(kinds, counts, strict=True))
        message = f"the heights hold {said}, {expected}; that is probably a no-data value which is not declared"
        yield Fault(place, message, _UNDECLARED)
        return
    message = f"{far.size} pixels lie between {far.min():g} and {far.max():g} m, {expected}"
    near = "; they are probably decimetres, centimetres or feet" if far.min() > 0 else ""
    yield Fault(place, f"{message}{near}", _UNITS if near else f"{_UNITS} Check the no-data value too.")


def slope_faults(place: str, values: Floats, pixel_m: float) -> Iterator[Fault]:
    """Yield a fault if ``values`` (rows, columns), ``pixel_m`` [m] apart, are steeper than any landscape."""
    steps = _steps(values)
    if not steps.size:
        return
    middle = float(np.median(steps))
    if middle > STEEP_MAX * pixel_m:
        message = f"half of the neighbouring heights differ by {middle:.3g} m or more over {pixel_m:.3g} m"
        guess = "no landscape is so steep; they are probably centimetres, decimetres or feet"
        yield Fault(place, f"{message}: {guess}", _UNITS)


def zero_faults(place: str, values: Floats, remedy: str) -> Iterator[Fault]:
    """Yield a fault if pixels of exactly 0 among ``values`` (rows, columns) look like holes."""
    zero = values == 0.0
    if not zero.any() or zero.all():
        return
    drops = [
        np.abs(one - two)[(one == 0.0) != (two == 0.0)]
        for one, two in ((values[1:], values[:-1]), (values[:, 1:], values[:, :-1]))
    ]
    edges = np.concatenate(drops)
    edges = edges[np.isfinite(edges)]
    others = _steps(np.where(zero, np.nan, values))
    if not edges.size:
        return
    drop, usual = float(np.median(edges)), float(np.quantile(others, 0.9)) if others.size else 0.0
    if drop > max(DROP_MIN_M, DROP_RATIO * usual):
        message = f"{int(zero.sum())} pixels hold exactly 0 and lie {drop:.0f} m below their neighbours"
        yield Fault(place, f"{message}; they are probably holes, not sea", remedy)


def settled_faults(terrain: Raster, x_m: Floats, y_m: Floats, residents_per_km2: Floats) -> Iterator[Fault]:
    """Yield a fault if people live at ``x_m``, ``y_m`` [m] where nobody can (each shape (n,)).

    Heights in a smaller unit than metres put towns on impossible heights or slopes.
    """
    values = terrain.values.astype(np.float64)
    heights = terrain.sample(x_m, y_m).astype(np.float64)
    heights = heights[np.isfinite(heights)]
    if heights.size and np.median(heights) > SETTLED_MAX_M:
        message = f"half of the inhabited cells lie above {np.median(heights):.0f} m"
        yield Fault("terrain", f"{message}; the highest town on Earth lies at 5,100 m", _UNITS)
        return
    if min(values.shape) < 2:
        return
    north, east = np.gradient(values, terrain.grid.cell_m)
    slopes = Raster(terrain.grid, np.hypot(north, east)).sample(x_m, y_m)
    urban = slopes[np.isfinite(slopes) & (residents_per_km2 >= URBAN_PER_KM2)]
    slopes = slopes[np.isfinite(slopes)]
    tests = (("inhabited", slopes, SETTLED_SLOPE_MAX, 1), ("densely settled", urban, URBAN_SLOPE_MAX, URBAN_CELLS_MIN))
    for which, found, most, least in tests:
        if found.size >= least and np.median(found) > most:
            message = f"half of the {which} cells lie on slopes of {np.median(found):.2g} m a metre or more"
            yield Fault("terrain", f"{message}; the heights are probably centimetres, decimetres or feet", _UNITS)
            return


def unit_fault(place: str, band: str, axis: str) -> Iterator[Fault]:
    """Yield a fault if the unit of the ``band`` or of the CRS's vertical ``axis`` ('' if none) is not the metre."""
    said = {axis: "the unit of the CRS's vertical axis", band: "the band's unit"}
    for word, whose in said.items():
        if word and word.lower() not in UNIT_WORDS["m"]:
            yield Fault(place, f"{whose} is {word!r}, expected metres", _UNITS)


def _steps(values: Floats) -> Floats:
    """Return by how much neighbours along rows and columns differ, where both have a value."""
    steps = np.concatenate([np.abs(np.diff(values, axis=axis)).ravel() for axis in (0, 1)])
    known: Floats = steps[np.isfinite(steps)]
    return known
