"""The ground and what stands on it, on one grid; where antennas stand; the climate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xinji.core.arrays import AnyArray, Codes, freeze
from xinji.core.grid import Grid, Raster
from xinji.core.parameters import Parameters
from xinji.core.region import Region
from xinji.core.vocabulary import LAND_USES
from xinji.errors import Fault, RegionError, raise_if

Heights = npt.NDArray[np.float32]

VALID_HEIGHT_M = (-500.0, 9_000.0)
"""Heights above sea level that land has, with room for the sea's coasts and mines."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Terrain and clutter on one grid (rows, columns).

    ``ground_m`` is the terrain above sea level [m]; ``clutter_m`` the representative clutter height
    above it [m] (ITU-R P.1812-8, section 3.2.1); ``clutter_class`` codes of ``LAND_USES``.
    """

    grid: Grid
    ground_m: Heights
    clutter_m: Heights
    clutter_class: Codes

    def __post_init__(self) -> None:
        raise_if(self._faults(), RegionError)
        freeze(self.ground_m, self.clutter_m, self.clutter_class)

    def _faults(self) -> Iterator[Fault]:
        shape = (self.grid.rows, self.grid.columns)
        for name in ("ground_m", "clutter_m", "clutter_class"):
            if getattr(self, name).shape != shape:
                found = f"{name} has shape {getattr(self, name).shape}, the grid {shape}"
                yield Fault("surface", found, "Give one value for each pixel.")
                return
        holes = ~np.isfinite(self.ground_m)
        if holes.any():
            row, column = np.argwhere(holes)[0].tolist()
            found = f"the terrain has {int(holes.sum())} pixels without height, the first in row {row}, column {column}"
            yield Fault("terrain", found, "Fill the holes (GDAL's gdal_fillnodata) or give a terrain without them.")
            return
        low, high = VALID_HEIGHT_M
        if self.ground_m.min() < low or self.ground_m.max() > high:
            lowest, highest = self.ground_m.min(), self.ground_m.max()
            found = f"heights run from {lowest:g} to {highest:g}, land from {low:g} to {high:g} m"
            yield Fault("terrain", found, "Give metres above sea level, and declare the code of missing pixels.")
        if not (np.isfinite(self.clutter_m) & (self.clutter_m >= 0)).all():
            yield Fault("clutter", "heights are negative or missing", "Give metres above ground.")


@dataclass(frozen=True, slots=True)
class Mast:
    """Where a site's antennas are: x and y [m] in the surface's CRS, height above ground [m]."""

    site: str
    x_m: float
    y_m: float
    height_m: float


@dataclass(frozen=True, slots=True)
class Climate:
    """What ITU-R P.1812-8 asks of the atmosphere.

    ``time_percent`` is the share of the year in which the loss is not exceeded (1 to 50);
    ``refractivity_gradient`` dN [N-units/km] and ``surface_refractivity`` N0 [N-units] are those of
    the path's middle; ``latitude_deg`` its latitude; ``vertical`` is the polarization.
    """

    time_percent: float
    refractivity_gradient: float
    surface_refractivity: float
    latitude_deg: float
    vertical: bool = True

    def __post_init__(self) -> None:
        ranges = (
            ("time_percent", self.time_percent, 1.0, 50.0),
            ("refractivity_gradient", self.refractivity_gradient, 0.0, 150.0),
            ("surface_refractivity", self.surface_refractivity, 200.0, 450.0),
            ("latitude_deg", self.latitude_deg, -90.0, 90.0),
        )
        faults = [
            Fault("climate", f"{name} is {value:g}", f"Give a figure from {low:g} to {high:g}.")
            for name, value, low, high in ranges
            if not low <= value <= high
        ]
        raise_if(faults, RegionError)


def surface_of(region: Region) -> Surface:
    """Return a region's surface, on the finer of its two rasters' grids.

    Terrain is interpolated bilinearly, clutter taken from the pixel underneath; its height is the
    parameter of its land use. Raises RegionError if the terrain has holes or no heights in metres.
    """
    terrain, clutter = region.terrain, region.clutter
    grid = min(terrain.grid, clutter.grid, key=lambda one: one.cell_m)
    x = grid.west_m + (np.arange(grid.columns) + 0.5) * grid.cell_m
    y = grid.north_m - (np.arange(grid.rows) + 0.5) * grid.cell_m
    ground = bilinear(terrain, x, y)
    across, down = np.meshgrid(x, y)
    codes = clutter.sample(across.ravel(), down.ravel()).reshape(across.shape).astype(np.uint8)
    heights = clutter_heights_m(region.parameters)
    return Surface(grid, ground, heights[codes], codes)


def bilinear(raster: Raster, x_m: AnyArray, y_m: AnyArray) -> Heights:
    """Return a raster at the crossings of columns ``x_m`` (columns,) and rows ``y_m`` (rows,)."""
    grid = raster.grid
    column = np.clip((x_m - grid.west_m) / grid.cell_m - 0.5, 0.0, grid.columns - 1.0)
    row = np.clip((grid.north_m - y_m) / grid.cell_m - 0.5, 0.0, grid.rows - 1.0)
    left = np.minimum(column.astype(np.int64), grid.columns - 1)
    top = np.minimum(row.astype(np.int64), grid.rows - 1)
    right, bottom = np.minimum(left + 1, grid.columns - 1), np.minimum(top + 1, grid.rows - 1)
    east, south = column - left, (row - top)[:, None]
    values = raster.values.astype(np.float64)
    upper = values[top][:, left] * (1 - east) + values[top][:, right] * east
    lower = values[bottom][:, left] * (1 - east) + values[bottom][:, right] * east
    return np.asarray(upper * (1 - south) + lower * south, dtype=np.float32)


def clutter_heights_m(parameters: Parameters) -> Heights:
    """Return the representative clutter height of each land use [m] (land uses,). Raises ParameterError."""
    return np.array([parameters.value(f"radio.clutter_height.{name}", "m") for name in LAND_USES], dtype=np.float32)


def climate_of(region: Region) -> Climate:
    """Return the climate of a region, at its middle. Raises ParameterError if a figure is missing."""
    read = region.parameters.value
    return Climate(
        time_percent=read("radio.time_percent", "%"),
        refractivity_gradient=read("radio.refractivity_gradient", "N-units/km"),
        surface_refractivity=read("radio.surface_refractivity", "N-units"),
        latitude_deg=region.latitude_deg,
    )
