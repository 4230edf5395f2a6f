"""A raster's place on the ground, and the raster itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import AnyArray, Bools, Floats, Ints, freeze
from xinji.errors import Fault, RegionError, raise_if


@dataclass(frozen=True, slots=True)
class Grid:
    """CRS, affine frame and shape of a north-up raster.

    ``west_m`` and ``north_m`` are the outer corner of the first pixel; ``cell_m`` its side;
    ``rows`` run south and ``columns`` run east.
    """

    crs: str
    west_m: float
    north_m: float
    cell_m: float
    rows: int
    columns: int

    def __post_init__(self) -> None:
        faults = []
        if not self.cell_m > 0:
            faults.append(Fault("grid", f"cell size is {self.cell_m} m", "Give a positive cell size."))
        if self.rows < 1 or self.columns < 1:
            message = f"shape is {self.rows} x {self.columns}"
            faults.append(Fault("grid", message, "Give at least one row and one column."))
        raise_if(faults, RegionError)

    def locate(self, x_m: Floats, y_m: Floats) -> tuple[Ints, Ints, Bools]:
        """Return row, column and whether inside, for points [m] (each shape (n,)).

        Rows and columns of points outside are clipped to the nearest pixel.
        """
        column = np.floor((x_m - self.west_m) / self.cell_m).astype(np.int64)
        row = np.floor((self.north_m - y_m) / self.cell_m).astype(np.int64)
        inside = (row >= 0) & (row < self.rows) & (column >= 0) & (column < self.columns)
        return np.clip(row, 0, self.rows - 1), np.clip(column, 0, self.columns - 1), inside


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """Values (shape (rows, columns)) on a grid."""

    grid: Grid
    values: AnyArray

    def __post_init__(self) -> None:
        shape = (self.grid.rows, self.grid.columns)
        if self.values.shape != shape:
            message = f"values have shape {self.values.shape}, the grid {shape}"
            raise RegionError([Fault("raster", message, "Give one value for each pixel.")])
        freeze(self.values)

    def sample(self, x_m: Floats, y_m: Floats) -> AnyArray:
        """Return the value of the pixel under each point [m] (shape (n,)); outside, the nearest pixel's."""
        row, column, _ = self.grid.locate(x_m, y_m)
        return self.values[row, column]
