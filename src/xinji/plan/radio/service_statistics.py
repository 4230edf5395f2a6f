"""How much of the area, the residents, the workers and the industrial area a network covers, and how well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.core.grid import Grid
from xinji.core.region import Cells
from xinji.core.vocabulary import GROUPS, LAND_USES

SUBJECTS = ("area_km2", "residents", "workers", "industrial_area_km2")
"""What is counted: ground, people who live and who work there, ground under industry."""

RSRP_EDGES_DBM = tuple(float(edge) for edge in range(-140, -39, 5))
SINR_EDGES_DB = tuple(float(edge) for edge in range(-20, 41, 2))

_ROWS_A_TIME = 256
_M2_PER_KM2 = 1e6

CellNumbers = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Share:
    """How much of one subject is covered on one band, in one place, in one part of the region.

    ``band`` is in MHz, or ``any``; ``place`` is ``outdoor``, ``residential`` or ``industrial`` (indoors); ``part`` is
    ``all``, ``group`` or ``land_use`` and ``name`` which one; ``total`` and ``covered`` are in the unit of
    ``subject`` (one of ``SUBJECTS``).
    """

    band: str
    place: str
    part: str
    name: str
    subject: str
    total: float
    covered: float

    @property
    def share(self) -> float | None:
        """Return the covered share, or None where there is nothing to cover."""
        return self.covered / self.total if self.total > 0 else None


@dataclass(frozen=True, slots=True)
class Bin:
    """How much ground and how many residents have a quantity from ``low`` up to ``high`` (infinite at the ends)."""

    band: str
    quantity: str
    low: float
    high: float
    area_km2: float
    residents: float


@dataclass(frozen=True, slots=True)
class Typical:
    """What a share of the ground or of the residents has at most: the 5th, 50th and 95th percentile of a quantity.

    ``of`` is ``area`` or ``residents``; places without signal count as lowest, and a percentile among them is None.
    """

    band: str
    quantity: str
    of: str
    p5: float | None
    p50: float | None
    p95: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """The pixels (p) of a grid that lie in cells: position in the flattened grid, cell, and share of the cell.

    The shares of a cell's pixels add up to one. A cell without a pixel's centre has the pixel under
    its own centre.
    """

    pixel: Ints
    cell: Ints
    share: Floats

    def __post_init__(self) -> None:
        freeze(self.pixel, self.cell, self.share)

    def mean(self, values: npt.NDArray[np.generic], cells: int) -> Floats:
        """Return the mean of a raster's values in each cell (cells,)."""
        weighted = self.share * values.ravel()[self.pixel].astype(np.float64)
        return np.asarray(np.bincount(self.cell, weights=weighted, minlength=cells), dtype=np.float64)


def pixels_of(grid: Grid, cells: Cells) -> Pixels:
    """Return which pixels of ``grid`` lie in which cell, by their centres."""
    tree = shapely.STRtree(cells.shape)
    pixels, owners = [], []
    x = grid.west_m + (np.arange(grid.columns) + 0.5) * grid.cell_m
    for top in range(0, grid.rows, _ROWS_A_TIME):
        rows = np.arange(top, min(top + _ROWS_A_TIME, grid.rows))
        across, down = np.meshgrid(x, grid.north_m - (rows + 0.5) * grid.cell_m)
        point, owner = tree.query(shapely.points(across.ravel(), down.ravel()), predicate="intersects")
        # A centre on the edge of two cells counts for the first.
        _, first = np.unique(point, return_index=True)
        pixels.append(point[first] + top * grid.columns)
        owners.append(owner[first])
    pixel, cell = np.concatenate(pixels), np.concatenate(owners)
    bare = np.flatnonzero(np.bincount(cell, minlength=len(cells)) == 0)
    row, column, _ = grid.locate(cells.x_m[bare], cells.y_m[bare])
    pixel = np.concatenate([pixel, row * grid.columns + column]).astype(np.int64)
    cell = np.concatenate([cell, bare]).astype(np.int64)
    return Pixels(pixel, cell, 1.0 / np.bincount(cell, minlength=len(cells))[cell])


def shares(covered: Mapping[tuple[str, str], Bools], pixels: Pixels, cells: Cells) -> Iterator[Share]:
    """Yield what is covered, for rasters ``covered`` by band and place.

    People and industry count as spread evenly over their cell.
    """
    amounts = _amounts(cells)
    parts = list(_parts(cells))
    for (band, place), raster in covered.items():
        cell_share = np.minimum(pixels.mean(raster, len(cells)), 1.0)
        for part, name, chosen in parts:
            for subject, amount in amounts.items():
                total = float(amount[chosen].sum())
                yield Share(band, place, part, name, subject, total, float((amount * cell_share)[chosen].sum()))


def _amounts(cells: Cells) -> dict[str, Floats]:
    values = (cells.area_m2 / _M2_PER_KM2, cells.residents, cells.workers, cells.industrial_area_m2 / _M2_PER_KM2)
    return dict(zip(SUBJECTS, values, strict=True))


def _parts(cells: Cells) -> Iterator[tuple[str, str, Bools]]:
    yield "all", "all", np.ones(len(cells), dtype=bool)
    for part, names, codes in (("group", GROUPS, cells.group), ("land_use", LAND_USES, cells.land_use)):
        for code in np.unique(codes).tolist():
            yield part, names[code], np.asarray(codes == code)


def histogram(band: str, quantity: str, values: npt.NDArray[np.float32], pixels: Pixels, cells: Cells) -> Iterator[Bin]:
    """Yield the bins of ``rsrp_dbm`` or ``sinr_db`` over the cells' ground; NaN (no signal) counts as lowest."""
    edges = np.array({"rsrp_dbm": RSRP_EDGES_DBM, "sinr_db": SINR_EDGES_DB}[quantity])
    level = np.nan_to_num(values.ravel()[pixels.pixel], nan=-np.inf)
    number = np.searchsorted(edges, level, side="right")
    bounds = np.concatenate([[-np.inf], edges, [np.inf]])
    amount = [pixels.share * amounts[pixels.cell] for amounts in (cells.area_m2 / _M2_PER_KM2, cells.residents)]
    area, residents = (np.bincount(number, weights=weights, minlength=len(edges) + 1) for weights in amount)
    for k in range(len(edges) + 1):
        yield Bin(band, quantity, float(bounds[k]), float(bounds[k + 1]), float(area[k]), float(residents[k]))


def typical(
    band: str, quantity: str, values: npt.NDArray[np.float32], pixels: Pixels, cells: Cells
) -> Iterator[Typical]:
    """Yield the percentiles of a raster over the cells' ground and their residents."""
    level = np.nan_to_num(values.ravel()[pixels.pixel].astype(np.float64), nan=-np.inf)
    order = np.argsort(level, kind="stable")
    for of, amount in (("area", cells.area_m2), ("residents", cells.residents)):
        weight = np.cumsum((pixels.share * amount[pixels.cell])[order])
        if weight[-1] > 0:
            place = np.searchsorted(weight, np.array([0.05, 0.5, 0.95]) * weight[-1])
            found = [float(one) if np.isfinite(one) else None for one in level[order[place]].tolist()]
            yield Typical(band, quantity, of, *found)
