"""Open one band of somebody else's raster: where it lies and what it holds, or every reason why not.

What is unambiguous is read as it says: rows from south to north and rotated frames by their affine
frame, integers by their scale and offset. What is not is refused: no frame, no CRS, several bands.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyproj
import rasterio
from rasterio.crs import CRS
from rasterio.enums import MaskFlags
from rasterio.errors import CRSError, NotGeoreferencedWarning, RasterioError
from rasterio.warp import transform as transform_points

from xinji.core.arrays import Floats
from xinji.core.grid import Grid
from xinji.errors import Fault
from xinji.io.check_layers import same_crs


@dataclass(frozen=True, slots=True)
class RasterChoice:
    """What the user says of a raster: CRS and no-data value where the file names none, which band."""

    crs: str | None = None
    nodata: float | None = None
    band: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class OpenRaster:
    """One band as it was found.

    ``values`` (rows, columns) are NaN where the raster has none, scale and offset applied;
    ``transform`` leads from column and row to coordinates in ``crs``; ``unit`` is the band's own
    word ('' if none); ``dtype`` is that of the file; ``nodata`` is what stood for no value (None if
    nothing did); ``notes`` say what was read in an unusual way.
    """

    name: str
    values: Floats
    transform: rasterio.Affine
    crs: CRS
    unit: str
    dtype: str
    nodata: float | None
    notes: tuple[str, ...]


def open_raster(path: Path, choice: RasterChoice, crs: str) -> OpenRaster | tuple[Fault, ...]:
    """Return the band that ``choice`` names of the raster at ``path``, or every fault that forbids it.

    ``crs`` is the CRS that it is to be brought into.
    """
    if not path.is_file():
        return (Fault(path.name, f"there is no file {path}", "Mend `file`, or name the data's folder."),)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path) as source:
                own, faults = _crs(source, choice, path.name, crs)
                faults = (*faults, *_frame_faults(source, own, path.name), *_band_faults(source, choice, path.name))
                return faults if own is None or faults else _read(source, choice, path.name, own)
    except (RasterioError, OSError) as error:
        message = f"{path.name} cannot be read as a raster ({str(error).splitlines()[0]})"
        return (Fault(path.name, message, "The file is damaged, cut short or of another format."),)


def pixel_m(raster: OpenRaster, grid: Grid) -> float:
    """Return the side of the raster's pixels [m], seen in the middle of ``grid``."""
    east, south = grid.west_m + grid.columns * grid.cell_m, grid.north_m - grid.rows * grid.cell_m
    middle = ([(grid.west_m + east) / 2.0], [(grid.north_m + south) / 2.0])
    x, y = (part[0] for part in transform_points(CRS.from_user_input(grid.crs), raster.crs, *middle))
    frame = raster.transform
    xs, ys = [x, x + frame.a, x + frame.b], [y, y + frame.d, y + frame.e]
    back = np.array(transform_points(raster.crs, CRS.from_user_input(grid.crs), xs, ys))
    sides = np.hypot(*(back[:, 1:] - back[:, :1]))
    return float(np.sqrt(sides.prod()))


def cropped(raster: OpenRaster, grid: Grid) -> Floats:
    """Return the raster's values over ``grid`` and a pixel beyond; empty where they do not touch."""
    edge = np.linspace(0.0, 1.0, 9)
    across, down = (part.ravel() for part in np.meshgrid(edge, edge))
    x = grid.west_m + across * grid.columns * grid.cell_m
    y = grid.north_m - down * grid.rows * grid.cell_m
    xs, ys = transform_points(CRS.from_user_input(grid.crs), raster.crs, x, y)
    back, xs, ys = ~raster.transform, np.array(xs), np.array(ys)
    columns, rows = back.a * xs + back.b * ys + back.c, back.d * xs + back.e * ys + back.f
    place = np.isfinite(columns) & np.isfinite(rows)
    if not place.any():
        return raster.values[:0]
    high, wide = raster.values.shape
    top, bottom = np.clip([rows[place].min() - 1, rows[place].max() + 2], 0, high).astype(int)
    left, right = np.clip([columns[place].min() - 1, columns[place].max() + 2], 0, wide).astype(int)
    return raster.values[top:bottom, left:right]


def transform_of(grid: Grid) -> rasterio.Affine:
    """Return the affine frame of ``grid``."""
    return rasterio.Affine(grid.cell_m, 0.0, grid.west_m, 0.0, -grid.cell_m, grid.north_m)


def _crs(
    source: rasterio.DatasetReader, choice: RasterChoice, name: str, target: str
) -> tuple[CRS | None, tuple[Fault, ...]]:
    own = source.crs
    if choice.crs is not None:
        try:
            given = CRS.from_user_input(choice.crs)
        except CRSError:
            return None, (
                Fault(name, f"{choice.crs!r} is no coordinate reference system", 'Write it like "EPSG:4326".'),
            )
        if own is not None and not same_crs(own.to_wkt(), given.to_wkt()):
            message = f"the file says its CRS is {own.to_string()[:60]}, the mapping says {choice.crs}"
            return None, (Fault(name, message, "Remove `crs`; it is for files that name none."),)
        own = given
    if own is None:
        return None, (Fault(name, f"{name} names no CRS", 'Add crs = "EPSG:..." if you know it.'),)
    try:
        pyproj.Transformer.from_crs(own.to_wkt(), target)
    except pyproj.exceptions.ProjError:
        message = f"the CRS {own.to_string()[:60]} has no known place on the ground"
        return None, (Fault(name, message, "Write the raster with a CRS of the Earth, such as an EPSG code."),)
    return own, ()


def _frame_faults(source: rasterio.DatasetReader, crs: CRS | None, name: str) -> Iterator[Fault]:
    frame = source.transform
    if frame.is_identity:
        kept = "ground control points" if source.gcps[0] else "rational polynomials" if source.rpcs else "no frame"
        message = f"{name} has no affine frame ({kept}), so nobody knows where its first row lies"
        yield Fault(name, message, "Write it with its georeference, for example with gdalwarp.")
        return
    if math.isclose(frame.determinant, 0.0, abs_tol=1e-300):
        yield Fault(name, f"{name} has pixels without area", "Write it with its true georeference.")
        return
    if crs is not None:
        yield from _edge_faults(source, crs, name)


def _edge_faults(source: rasterio.DatasetReader, crs: CRS, name: str) -> Iterator[Fault]:
    """Yield a fault if the coordinates of the corners cannot be in ``crs``."""
    frame = source.transform
    corners = [(column, row) for column in (0, source.width) for row in (0, source.height)]
    xs = [frame.a * column + frame.b * row + frame.c for column, row in corners]
    ys = [frame.d * column + frame.e * row + frame.f for column, row in corners]
    west, east, south, north = min(xs), max(xs), min(ys), max(ys)
    degrees = max(abs(west), abs(east)) <= 360.0 and max(abs(south), abs(north)) <= 90.0
    if crs.is_geographic and not degrees:
        message = f"the CRS is in degrees, the frame reaches from ({west:g}, {south:g}) to ({east:g}, {north:g})"
        yield Fault(name, message, "Its coordinates look projected: name the CRS that they are in.")
    elif not crs.is_geographic and degrees and abs(frame.a) < 1.0:
        message = f"the CRS is projected, but its pixels are {abs(frame.a):g} wide and its edges fit degrees"
        yield Fault(name, message, 'Name the CRS that the coordinates are in, probably "EPSG:4326".')


def _band_faults(source: rasterio.DatasetReader, choice: RasterChoice, name: str) -> Iterator[Fault]:
    if choice.band is None and source.count != 1:
        yield Fault(name, f"{name} has {source.count} bands, expected 1", "Say which with `band`, counted from 1.")
        return
    band = choice.band or 1
    if band > source.count:
        yield Fault(name, f"{name} has {source.count} bands, band {band} is asked for", "Mend `band`.")
    elif np.dtype(source.dtypes[band - 1]).kind not in "iuf":
        yield Fault(name, f"the values are {source.dtypes[band - 1]}", "Give whole or real numbers.")


def _read(source: rasterio.DatasetReader, choice: RasterChoice, name: str, crs: CRS) -> OpenRaster:
    band = choice.band or 1
    raw = source.read(band)
    values = raw.astype(np.float64)
    nodata = source.nodatavals[band - 1] if choice.nodata is None else choice.nodata
    if nodata is not None:
        values[raw == nodata] = np.nan
    if MaskFlags.per_dataset in source.mask_flag_enums[band - 1]:
        values[source.dataset_mask() == 0] = np.nan
    values[~np.isfinite(values)] = np.nan
    scale, offset = source.scales[band - 1], source.offsets[band - 1]
    notes = []
    if (scale, offset) != (1.0, 0.0):
        values = values * scale + offset
        notes.append(f"{name}: the file's scale {scale:g} and offset {offset:g} are applied")
    frame = source.transform
    if frame.b or frame.d:
        notes.append(f"{name}: the raster is rotated; it is warped by its frame")
    elif frame.e > 0:
        notes.append(f"{name}: rows run from south to north; they are turned by the file's frame")
    unit = (source.units[band - 1] or "").strip()
    return OpenRaster(name, values, frame, crs, unit, source.dtypes[band - 1], nodata, tuple(notes))


def vertical_unit(crs: CRS) -> str:
    """Return the unit of the vertical axis of ``crs``, '' where it has none."""
    axes = pyproj.CRS.from_user_input(crs.to_wkt()).axis_info
    return next((axis.unit_name for axis in axes if axis.direction in ("up", "down")), "")
