"""Where a plan's assets lie: trenches from the plan's layers, and the township, park or group around a place."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from xinji.core.arrays import Floats, Strings
from xinji.errors import Fault, InputError
from xinji.io.check_gcj import gcj02
from xinji.io.check_rows import shapes_of

_TRENCHES, _CELLS = Path("layers") / "trenches.parquet", Path("layers") / "cells.parquet"


def trench_places(folder: Path, crs: str) -> dict[str, tuple[float, float]]:
    """Return the middle of each trench [m, ``crs``] in a plan's ``folder``; none where its layers are not there."""
    path = folder / _TRENCHES
    if not path.is_file():
        return {}
    frame = gpd.read_parquet(path).to_crs(crs)
    middles = shapely.line_interpolate_point(shapes_of(frame), 0.5, normalized=True)
    places = zip(shapely.get_x(middles).tolist(), shapely.get_y(middles).tolist(), strict=True)
    return dict(zip(frame["id"].tolist(), places, strict=True))


def groups_around(folder: Path, crs: str, x_m: Floats, y_m: Floats) -> Strings:
    """Return the group of the plan's cell nearest to each place (n,) [m, ``crs``]; empty where that is not known."""
    path = folder / _CELLS
    known = np.isfinite(x_m) & np.isfinite(y_m)
    if not path.is_file() or not known.any():
        return np.full(len(x_m), "", dtype=np.str_)
    frame = gpd.read_parquet(path).to_crs(crs)
    nearest = shapely.STRtree(shapes_of(frame)).nearest(shapely.points(x_m[known], y_m[known]))
    return _spread(known, np.array(frame["group"].tolist(), dtype=np.str_)[nearest])


def areas_around(path: Path, column: str, crs: str, x_m: Floats, y_m: Floats) -> Strings:
    """Return the value of ``column`` of the polygon in ``path`` around each place (n,) [m, ``crs``], or ''.

    ``path`` is a GeoPackage, GeoJSON, shapefile or GeoParquet. Raises InputError where it cannot be
    read, or has no such column or CRS.
    """
    if not path.is_file():
        raise InputError([Fault(str(path), "there is no such file", "Check the spelling.")])
    try:
        frame = gpd.read_parquet(path) if path.suffix == ".parquet" else gpd.read_file(path)
    except (OSError, ValueError, RuntimeError) as error:
        message = f"the areas cannot be read ({type(error).__name__})"
        raise InputError([Fault(path.name, message, "Give a GeoPackage, GeoJSON or GeoParquet file.")]) from error
    if column not in frame:
        known = ", ".join(str(name) for name in frame.columns if name != frame.geometry.name)
        raise InputError([Fault(path.name, f"there is no column {column!r}", f"It has {known}.")])
    if frame.crs is None:
        raise InputError([Fault(path.name, "the layer has no CRS", "Set it, for example to EPSG:4326.")])
    known_places = np.isfinite(x_m) & np.isfinite(y_m)
    shapes = shapes_of(frame.to_crs(crs))
    point, polygon = shapely.STRtree(shapes).query(
        shapely.points(x_m[known_places], y_m[known_places]), predicate="intersects"
    )
    names = np.array([str(name) for name in frame[column]], dtype=np.str_)
    found = np.full(int(known_places.sum()), "", dtype=names.dtype)
    # On a shared border the polygon that comes first in the file counts.
    order = np.lexsort((-polygon, point))
    found[point[order]] = names[polygon[order]]
    return _spread(known_places, found)


def projected(crs: str, longitude: Floats, latitude: Floats) -> tuple[Floats, Floats]:
    """Return WGS-84 places (each (n,)) [degrees] in ``crs`` [m]; infinite where it does not reach."""
    to_crs = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    x_m, y_m = to_crs.transform(longitude, latitude)
    return np.asarray(x_m, dtype=np.float64), np.asarray(y_m, dtype=np.float64)


def geographic(crs: str, x_m: Floats, y_m: Floats) -> tuple[Floats, Floats]:
    """Return places (each (n,)) [m, ``crs``] as WGS-84 longitude and latitude [degrees]; NaN where not known."""
    known = np.isfinite(x_m) & np.isfinite(y_m)
    longitude, latitude = np.full(x_m.shape, np.nan), np.full(x_m.shape, np.nan)
    to_degrees = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    longitude[known], latitude[known] = to_degrees.transform(x_m[known], y_m[known])
    return longitude, latitude


def unshifted(crs: str, longitude: Floats, latitude: Floats) -> tuple[Floats, Floats]:
    """Return in ``crs`` [m] where places (each (n,)) [degrees] lie if they were given in GCJ-02."""
    shifted_longitude, shifted_latitude = gcj02(longitude, latitude)
    # The shift changes by less than a metre over its own length.
    return projected(crs, 2.0 * longitude - shifted_longitude, 2.0 * latitude - shifted_latitude)


def crs_faults(crs: str) -> list[Fault]:
    """Return what is wrong with ``crs`` as that of a ledger."""
    remedy = "Give a projected CRS in metres, for example EPSG:32650."
    try:
        found = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError:
        return [Fault("crs", f"{crs!r} is unknown", remedy)]
    in_metres = found.is_projected and all(axis.unit_name == "metre" for axis in found.axis_info)
    return [] if in_metres else [Fault("crs", f"{crs!r} is not projected in metres", remedy)]


def _spread(known: np.ndarray, values: Strings) -> Strings:
    whole = np.full(len(known), "", dtype=values.dtype if len(values) else np.dtype("U1"))
    whole[known] = values
    return whole
