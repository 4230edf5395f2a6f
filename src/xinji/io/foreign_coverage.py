"""Coverage that another tool computed: one raster of levels a sector, listed in a table.

The table is a CSV beside the rasters. ``sector`` names the sector (or ``site`` the site, where that
has one sector on the band), ``file`` the raster in any format that GDAL reads, ``band_mhz`` the band.
Isotropic path loss cannot be had back from levels, which hold an antenna's pattern; so levels are
kept as they are. What may be moved is their height above the noise: ``eirp_dbm`` says what one
subcarrier radiates in the raster, and levels move by what the sector's own EIRP differs from it;
``offset_db`` is added, for rasters of the whole carrier's power (-10 lg of its subcarriers).
``height_m`` must be the sector's; ``crs`` and ``nodata`` are for files that name none, ``raster_band``
counts from 1 in files of several.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.warp import reproject

from xinji.core.arrays import Floats
from xinji.core.grid import Grid
from xinji.core.radio import LevelMap, Sectors
from xinji.errors import Fault, raise_if
from xinji.io.raster_file import OpenRaster, RasterChoice, open_raster, pixel_m, transform_of
from xinji.io.text_table import TextTable, read_csv

LEVEL_MIN_DBM, LEVEL_MAX_DBM = -250.0, 20.0
"""Levels of a subcarrier that are believed [dBm]: below lies no receiver, above no place but the antenna."""
HEIGHT_APART_M = 0.5
"""So far [m] may the raster's antenna height be from the sector's."""

_NEEDED = ("file", "band_mhz")
_WHO = ("sector", "site")
_OPTIONAL = (*_WHO, "eirp_dbm", "height_m", "offset_db", "crs", "nodata", "raster_band")
_UNDECLARED = "A no-data value that is not declared is the usual cause: give it in the column nodata."


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the table: the sector's position, the raster, and what is added to its levels [dB]."""

    row: int
    sector: int
    path: Path
    choice: RasterChoice
    shift_db: float


def read_coverage(table: Path, grid: Grid, sectors: Sectors) -> tuple[LevelMap, ...]:
    """Return the levels that the CSV ``table`` lists, on ``grid``, in the table's order.

    Finer rasters are averaged in dB (the local mean), coarser ones interpolated. Raises InputError
    with every fault and its row: unknown or repeated sectors, files that are gone, cannot be read or
    placed, hold no plausible levels, or do not touch ``grid``.
    """
    text = read_csv(table)
    text.check_columns(_NEEDED, _OPTIONAL)
    if "sector" in text.columns and "site" in text.columns:
        text.faults.append(Fault(text.name, "both sector and site are given", "Keep the column sector."))
    rows = list(_rows(text, table.parent, sectors))
    maps = [found for row in rows if (found := _level_map(row, grid, sectors, text)) is not None]
    raise_if(sorted(text.faults, key=lambda fault: -1 if fault.row is None else fault.row))
    return tuple(maps)


def _rows(text: TextTable, folder: Path, sectors: Sectors) -> Iterator[_Row]:
    """Yield the rows whose sector and numbers are sound; the others become faults."""
    band = text.numbers("band_mhz", 30.0, 300_000.0, remedy="Give the carrier in whole MHz.")
    shift = text.numbers("offset_db", -200.0, 200.0, remedy="Give decibels, or nothing.", default=0.0)
    own = text.numbers("eirp_dbm", -60.0, 100.0, remedy="Give dBm of one subcarrier.", default=np.nan)
    height = text.numbers("height_m", 0.0, 400.0, remedy="Give metres above ground.", default=np.nan)
    number = text.numbers("raster_band", 1.0, 1e4, remedy="Count bands from 1.", default=np.nan)
    nodata = text.numbers("nodata", -np.inf, np.inf, remedy="Give a number.", default=np.nan)
    taken: dict[int, int] = {}
    for row in range(text.rows):
        sector = _sector(text, row, band[row], sectors)
        if sector is None:
            continue
        if sector in taken:
            message = f"sector {sectors.id[sector]} has levels in row {taken[sector]} already"
            text.faults.append(Fault(text.name, message, "Keep one of them.", row))
            continue
        taken[sector] = row
        apart = abs(height[row] - sectors.height_m[sector])
        if apart > HEIGHT_APART_M:
            message = f"made for {height[row]:g} m, sector {sectors.id[sector]} is at {sectors.height_m[sector]:g} m"
            text.faults.append(Fault(text.name, message, "Compute it again for that height, or mend one.", row))
        moved = 0.0 if np.isnan(own[row]) else float(sectors.eirp_dbm[sector] - own[row])
        choice = RasterChoice(
            str(text.texts("crs")[row]) or None,
            None if np.isnan(nodata[row]) else float(nodata[row]),
            None if np.isnan(number[row]) else int(number[row]),
        )
        yield _Row(row, sector, folder / str(text.texts("file")[row]), choice, float(shift[row]) + moved)


def _sector(text: TextTable, row: int, band: float, sectors: Sectors) -> int | None:
    """Return the position of the row's sector; None, and a fault, where it is not one and known."""
    column = "sector" if "sector" in text.columns else "site"
    name = str(text.texts(column)[row])
    names = sectors.id if column == "sector" else sectors.site
    found = np.flatnonzero(names == name)
    here = found[sectors.band_mhz[found] == band]
    if len(here) == 1:
        return int(here[0])
    if not name:
        message, remedy = f"the {column} is missing", "Add the column sector with the sector's id."
    elif not len(found):
        message, remedy = f"{column} {name!r} is unknown", "Name one of the sector list."
    elif not len(here):
        bands = ", ".join(map(str, np.unique(sectors.band_mhz[found])))
        message, remedy = f"{column} {name!r} is on {bands} MHz, not {band:g}", "Mend band_mhz."
    else:
        message = f"site {name!r} has {len(here)} sectors on {band:g} MHz"
        remedy = "Name the sector instead of the site."
    text.faults.append(Fault(text.name, message, remedy, row))
    return None


def _level_map(row: _Row, grid: Grid, sectors: Sectors, text: TextTable) -> LevelMap | None:
    """Return the levels of ``row`` on ``grid``; None, and faults, where they cannot be had."""
    opened = open_raster(row.path, row.choice, grid.crs)
    faults = list(opened) if not isinstance(opened, OpenRaster) else list(_level_faults(opened))
    place = f"{text.name}, {row.path.name}"
    levels = _on_grid(opened, grid) if isinstance(opened, OpenRaster) and not faults else None
    if levels is not None and not np.isfinite(levels).any():
        faults.append(Fault(place, "the raster holds no level within the area", "Check its CRS and extent."))
    text.faults.extend(Fault(place, fault.message, fault.remedy, row.row) for fault in faults)
    if levels is None or faults:
        return None
    shifted = (levels + row.shift_db).astype(np.float32)
    return LevelMap(str(sectors.id[row.sector]), int(sectors.band_mhz[row.sector]), grid, shifted)


def _level_faults(raster: OpenRaster) -> Iterator[Fault]:
    """Yield what tells that the values are no received levels in dBm."""
    values = raster.values[np.isfinite(raster.values)]
    if not values.size:
        yield Fault("", "no pixel has a level", "Check the raster and its no-data value.")
        return
    low, high = float(values.min()), float(values.max())
    seen = f"the values are {low:g} to {high:g}"
    if low >= 0 and high < 1e-3:
        yield Fault("", f"{seen}, expected dBm; they look like milliwatts", "Convert them to dBm: 10 lg of milliwatts.")
    elif low >= 0:
        message = f"{seen}, all positive, expected received levels in dBm; they look like path loss or dBuV/m"
        yield Fault("", message, "Export received levels in dBm from the other tool.")
    elif low < LEVEL_MIN_DBM or high > LEVEL_MAX_DBM:
        count = int(np.count_nonzero((values < LEVEL_MIN_DBM) | (values > LEVEL_MAX_DBM)))
        message = f"{seen}, expected {LEVEL_MIN_DBM:g} to {LEVEL_MAX_DBM:g} dBm; {count} pixels lie outside"
        yield Fault("", message, _UNDECLARED)
    elif high == 0.0 and np.count_nonzero(values == 0.0) > 1:
        message = f"{int(np.count_nonzero(values == 0.0))} pixels hold exactly 0 dBm"
        yield Fault("", message, _UNDECLARED)


def _on_grid(raster: OpenRaster, grid: Grid) -> npt.NDArray[np.float32]:
    finer = pixel_m(raster, grid) < 0.75 * grid.cell_m
    target: Floats = np.full((grid.rows, grid.columns), np.nan)
    reproject(
        raster.values,
        target,
        src_transform=raster.transform,
        src_crs=raster.crs,
        src_nodata=np.nan,
        dst_transform=transform_of(grid),
        dst_crs=CRS.from_user_input(grid.crs),
        dst_nodata=np.nan,
        resampling=Resampling.average if finer else Resampling.bilinear,
    )
    return target.astype(np.float32)
