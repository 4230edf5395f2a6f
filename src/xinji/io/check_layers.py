"""Open the layers of a region folder; what cannot be opened or has the wrong shape is a fault."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyproj
import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from shapely.errors import ShapelyError

from xinji.core.arrays import AnyArray
from xinji.core.grid import Grid, Raster
from xinji.errors import Fault
from xinji.io.config import LayerNames
from xinji.io.dem_faults import unit_fault, where

VECTORS = ("cells", "roads", "facilities", "boundary", "no_build", "water")
RASTERS = ("terrain", "clutter")
OPTIONAL = ("no_build", "water")

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "cells": {
        "id": "text",
        "residents": "number",
        "workers": "number",
        "industrial_area_m2": "number",
        "land_use": "text",
        "group": "text",
    },
    "roads": {
        "id": "text",
        "road_class": "text",
        "from_node": "whole number",
        "to_node": "whole number",
        "length_m": "number",
    },
    "facilities": {"id": "text", "kind": "text", "height_m": "number", "bands": "text", "source": "text"},
    "boundary": {},
    "no_build": {},
    "water": {},
}
"""Columns of each vector layer beside ``geometry``, and what they hold."""

GEOMETRY_TYPES: Mapping[str, tuple[str, ...]] = {
    "cells": ("Polygon", "MultiPolygon"),
    "roads": ("LineString",),
    "facilities": ("Point",),
    "boundary": ("Polygon", "MultiPolygon"),
    "no_build": ("Polygon", "MultiPolygon"),
    "water": ("Polygon", "MultiPolygon"),
}

_UNREADABLE = (OSError, ValueError, KeyError, TypeError, pa.ArrowException, ShapelyError)
_IMPORT = "Run `xinji import` again, or see the region format."
_TERRAIN_TYPES = ("int16", "int32", "float32", "float64")


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """The layers of a region folder by name (``VECTORS``, ``RASTERS``).

    ``frames`` holds GeoDataFrames with ``COLUMNS`` and a ``geometry`` column, in the region's CRS,
    rows in file order; ``rasters`` holds terrain [m] and clutter (codes of ``LAND_USES``).
    """

    frames: Mapping[str, gpd.GeoDataFrame]
    rasters: Mapping[str, Raster]


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """Faults and warnings as they are gathered, in the order of the checks; both lists grow."""

    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)


def open_layers(folder: Path, names: LayerNames, crs: str, found: Findings) -> Layers:
    """Open every layer of ``folder``, adding what is wrong to ``found``.

    Layers that cannot be used at all (no file, no column) are left out; a layer in another CRS is a
    fault and is brought into ``crs``, so that its rows can be checked as well. A layer that names no
    CRS keeps none.
    """
    frames = {}
    for layer in VECTORS:
        path = folder / getattr(names, layer)
        if path.exists():
            frame = _open_frame(layer, path, found)
            if frame is not None:
                frames[layer] = frame
        elif layer not in OPTIONAL or layer in names.model_fields_set:
            found.faults.append(Fault(layer, f"the file {path.name} is missing", _IMPORT))
        else:
            frames[layer] = gpd.GeoDataFrame(geometry=[], crs=crs or None)
    rasters = {}
    for layer in RASTERS:
        raster = _open_raster(layer, folder / getattr(names, layer), crs, found)
        if raster is not None:
            rasters[layer] = raster
    return Layers({layer: _in_crs(layer, frame, crs, found) for layer, frame in frames.items()}, rasters)


def same_crs(one: object, other: object) -> bool:
    """Return whether two CRS descriptions mean the same system (the order of axes aside)."""
    return bool(_parsed(one).equals(_parsed(other), ignore_axis_order=True))


@lru_cache(maxsize=64)
def _parsed(crs: object) -> pyproj.CRS:
    return pyproj.CRS.from_user_input(crs)


def _open_frame(layer: str, path: Path, found: Findings) -> gpd.GeoDataFrame | None:
    try:
        frame = gpd.read_parquet(path)
    except _UNREADABLE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        message = f"{path.name} cannot be read as GeoParquet ({reason})"
        found.faults.append(Fault(layer, message, "The file is damaged, cut short or not GeoParquet; write it again."))
        return None
    frame = frame.reset_index(drop=True)
    fine = _check_columns(layer, frame, found)
    if frame.crs is None:
        remedy = "Write the layer with its CRS; without it nobody knows where it lies."
        found.faults.append(Fault(layer, f"{path.name} names no CRS", remedy))
    return frame if fine else None


def _check_columns(layer: str, frame: gpd.GeoDataFrame, found: Findings) -> bool:
    fine = True
    if frame.geometry.name != "geometry":
        message = f"the geometry column is called {frame.geometry.name!r}"
        found.faults.append(Fault(layer, message, "Call it 'geometry'."))
        fine = False
    for column, kind in COLUMNS[layer].items():
        if column not in frame.columns:
            found.faults.append(Fault(layer, f"the column {column!r} is missing", f"Add it ({kind})."))
            fine = False
        elif len(frame) and not _holds(frame[column], kind):
            message = f"the column {column!r} holds {frame[column].dtype}, expected {kind}"
            found.faults.append(Fault(layer, message, f"Write it as {kind}."))
            fine = False
    unused = sorted(set(map(str, frame.columns)) - {*COLUMNS[layer], "geometry"})
    if unused:
        message = f"columns that nothing reads: {', '.join(unused)}"
        found.warnings.append(Fault(layer, message, "Remove or rename them; see the region format."))
    return fine


def _holds(column: pd.Series, kind: str) -> bool:
    if kind == "text":
        return bool(column.dropna().map(lambda value: isinstance(value, str)).all())
    if kind == "number":
        return bool(pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column))
    return bool(pd.api.types.is_integer_dtype(column))


def _in_crs(layer: str, frame: gpd.GeoDataFrame, crs: str, found: Findings) -> gpd.GeoDataFrame:
    if not crs or frame.crs is None or same_crs(frame.crs, crs):
        return frame
    where = frame.crs.to_string()
    kind = "geographic (degrees)" if frame.crs.is_geographic else "another one"
    message = f"the CRS is {where if len(where) < 40 else frame.crs.name}, {kind}; the region's is {crs}"
    found.faults.append(Fault(layer, message, f"Reproject the layer to {crs}; `xinji import` does it."))
    return frame.to_crs(crs)


def _open_raster(layer: str, path: Path, crs: str, found: Findings) -> Raster | None:
    if not path.exists():
        found.faults.append(Fault(layer, f"the file {path.name} is missing", _IMPORT))
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path) as source:
                faults, grid = _raster_frame(layer, source, crs)
                values = source.read(1)
                faults += _meaning_faults(layer, source) if layer == "terrain" else []
                faults += _hole_faults(layer, values, source.nodata, grid)
                if layer == "terrain" and source.nodata is not None:
                    # What is known to be a hole is no height, so that no other check reads it as one.
                    values = np.where(values == source.nodata, np.nan, values)
    except (RasterioError, OSError) as error:
        message = f"{path.name} cannot be read as GeoTIFF ({str(error).splitlines()[0]})"
        found.faults.append(Fault(layer, message, "The file is damaged, cut short or not a GeoTIFF; write it again."))
        return None
    found.faults.extend(faults)
    return None if grid is None else Raster(grid, values)


def _raster_frame(layer: str, source: rasterio.DatasetReader, crs: str) -> tuple[list[Fault], Grid | None]:
    frame, faults = source.transform, []
    expected = ("uint8",) if layer == "clutter" else _TERRAIN_TYPES
    if source.dtypes[0] not in expected:
        message = f"the values are {source.dtypes[0]}, expected {' or '.join(expected)}"
        faults.append(Fault(layer, message, "Write the raster with that type."))
    if source.count != 1:
        faults.append(Fault(layer, f"{source.count} bands, expected 1", "Keep one band."))
    if source.crs is None:
        faults.append(Fault(layer, "the raster names no CRS", "Write it with its CRS."))
    elif crs and not same_crs(source.crs.to_wkt(), crs):
        message = f"the CRS is {source.crs.to_string()[:60]}, the region's is {crs}"
        faults.append(Fault(layer, message, f"Reproject the raster to {crs}; `xinji import` does it."))
        return faults, None
    if frame.is_identity:
        message, remedy = (
            "the raster has no georeference",
            "Write it with its frame, so that its first row has a place.",
        )
        faults.append(Fault(layer, message, remedy))
        return faults, None
    if frame.b or frame.d:
        faults.append(Fault(layer, "the raster is rotated", "Warp it to a north-up grid."))
        return faults, None
    if frame.e >= 0:
        message = "rows run from south to north"
        faults.append(Fault(layer, message, "Flip the raster so that its first row is the northernmost."))
        return faults, None
    if abs(frame.a + frame.e) > 1e-6 * abs(frame.a):
        message = f"pixels are {frame.a:g} x {-frame.e:g} m, expected squares"
        faults.append(Fault(layer, message, "Resample the raster to square pixels."))
        return faults, None
    return faults, Grid(crs, frame.c, frame.f, frame.a, source.height, source.width)


def _meaning_faults(layer: str, source: rasterio.DatasetReader) -> list[Fault]:
    """Return what says that the numbers are not plain metres."""
    faults = list(unit_fault(layer, (source.units[0] or "").strip(), ""))
    scale, offset = source.scales[0], source.offsets[0]
    if (scale, offset) != (1.0, 0.0):
        message = f"the raster has a scale of {scale:g} and an offset of {offset:g}, expected plain metres"
        faults.append(Fault(layer, message, "Write the heights themselves; `xinji import` does it."))
    return faults


def _hole_faults(layer: str, values: AnyArray, nodata: float | None, grid: Grid | None) -> list[Fault]:
    holes = ~np.isfinite(values)
    if nodata is not None:
        holes |= values == nodata
    if not holes.any():
        return []
    message = f"{int(holes.sum())} of {holes.size} pixels have no value"
    if grid is not None:
        message += f", in {where(holes, grid)}"
    remedy = "Fill the holes by a rule of your own choice (`xinji import` takes one); nothing is filled silently."
    return [Fault(layer, message, remedy)]
