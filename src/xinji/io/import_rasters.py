"""Terrain and clutter of an import, on pixels over the cells."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import rasterio
import shapely
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.features import rasterize
from rasterio.warp import reproject
from scipy.ndimage import distance_transform_edt

from xinji.core.arrays import Bools, Codes, Floats, Shapes
from xinji.core.grid import Grid, Raster
from xinji.core.vocabulary import LAND_USES, ROAD_CLASSES
from xinji.io.check_layers import same_crs
from xinji.io.import_config import ClutterImport, RasterSource, TerrainImport
from xinji.io.import_sources import Bench, Column, read_source

HALF_WIDTH_M = (15.0, 12.0, 10.0, 8.0, 6.0, 4.0, 3.0, 2.0)
"""Half the width [m] that a road of each of ``ROAD_CLASSES`` is drawn with in the clutter."""


def frame_grid(shapes: Shapes, crs: str, margin_m: float, cell_m: float) -> Grid:
    """Return the grid over ``shapes`` and ``margin_m`` [m] beyond; edges at multiples of ``cell_m``."""
    west, south, east, north = shapely.total_bounds(shapes)
    first, last = np.floor((west - margin_m) / cell_m), np.ceil((east + margin_m) / cell_m)
    bottom, top = np.floor((south - margin_m) / cell_m), np.ceil((north + margin_m) / cell_m)
    return Grid(crs, float(first * cell_m), float(top * cell_m), cell_m, int(top - bottom), int(last - first))


def import_terrain(mapping: TerrainImport, grid: Grid, bench: Bench) -> Raster | None:
    """Return the terrain [m] on ``grid``, bilinear from the source's pixels; None if faulty."""
    if mapping.raster is None:
        return Raster(grid, np.full((grid.rows, grid.columns), mapping.flat_m or 0.0, dtype=np.float32))
    values = _warped(mapping.raster, grid, "import.terrain.raster", Resampling.bilinear, bench)
    if values is None:
        return None
    holes = ~np.isfinite(values)
    if holes.any():
        share = f"{holes.mean():.1%} of the terrain's pixels have no height"
        if mapping.fill_nodata_m is None:
            remedy = 'Say what they hold: fill_nodata_m = 2.0 (metres) or "nearest"; or reduce margin_m.'
            bench.fault("import.terrain", share, remedy)
            return None
        bench.notes.append(f"import.terrain: {share}; filled with {mapping.fill_nodata_m}")
        values = _filled(values, holes, mapping.fill_nodata_m)
    # Decimetres: no source is finer, and files get small.
    return Raster(grid, np.round(values, 1).astype(np.float32))


def import_clutter(
    mapping: ClutterImport, grid: Grid, roads: gpd.GeoDataFrame, water: Iterable[object], bench: Bench
) -> Raster | None:
    """Return the clutter on ``grid``; None if faulty.

    ``roads`` has geometry and road_class; ``water`` holds shapely polygons.
    """
    before = len(bench.faults)
    if mapping.raster is not None:
        codes = _translated(mapping, grid, bench)
    else:
        codes = np.full((grid.rows, grid.columns), LAND_USES.index(mapping.default), dtype=np.uint8)
        for place, source in enumerate(mapping.polygons):
            column = {"land_use": Column("text", words=LAND_USES)}
            frame = read_source(source, f"import.clutter.polygons.{place}", column, bench)
            if frame is not None:
                uses = [LAND_USES.index(word) for word in frame["land_use"]]
                _draw(codes, grid, frame.geometry, uses)
        if mapping.roads:
            widths = np.array([HALF_WIDTH_M[ROAD_CLASSES.index(word)] for word in roads["road_class"]])
            strips = shapely.buffer(roads.geometry.to_numpy(), widths)
            _draw(codes, grid, strips, [LAND_USES.index("road")] * len(strips))
        if mapping.water:
            ponds = list(water)
            _draw(codes, grid, ponds, [LAND_USES.index("water")] * len(ponds))
    return None if codes is None or len(bench.faults) > before else Raster(grid, codes)


def _draw(codes: Codes, grid: Grid, shapes: Iterable[object], uses: list[int]) -> None:
    """Write ``uses`` into the pixels whose centre lies in ``shapes``, the later over the earlier."""
    pairs = list(zip(shapes, uses, strict=True))
    if pairs:
        rasterize(pairs, out=codes, transform=_transform(grid))


def _translated(mapping: ClutterImport, grid: Grid, bench: Bench) -> Codes | None:
    place = "import.clutter.raster"
    values = None if mapping.raster is None else _warped(mapping.raster, grid, place, Resampling.nearest, bench)
    if values is None:
        return None
    codes = np.full(values.shape, LAND_USES.index(mapping.default), dtype=np.uint8)
    known = np.isnan(values)
    for number, use in mapping.classes.items():
        here = values == float(number)
        codes[here] = LAND_USES.index(use)
        known |= here
    unknown = np.unique(values[~known])
    if len(unknown):
        listed = ", ".join(f"{value:g}" for value in unknown)
        remedy = "Add them to clutter.classes, each with one of the land uses."
        bench.fault(place, f"values without a class: {listed}", remedy)
        return None
    return codes


def _filled(values: Floats, holes: Bools, fill: float | str) -> Floats:
    if fill == "nearest":
        row, column = distance_transform_edt(holes, return_distances=False, return_indices=True)
        nearest: Floats = values[row, column]
        return nearest
    return np.where(holes, float(fill), values)


def _warped(source: RasterSource, grid: Grid, place: str, resampling: Resampling, bench: Bench) -> Floats | None:
    """Return band 1 of ``source`` on ``grid``, NaN where it has none; None if faulty."""
    path: Path = bench.folder / source.file
    if not path.exists():
        bench.fault(place, f"there is no file {path}", "Mend `file`, or name the data's folder.")
        return None
    try:
        with rasterio.open(path) as raster:
            crs = _crs(source, raster, place, bench)
            if crs is None:
                return None
            values = raster.read(1).astype(np.float64)
            nodata = raster.nodata if source.nodata is None else source.nodata
            transform = raster.transform
    except (RasterioError, OSError) as error:
        message = f"{path.name} cannot be read as a raster ({str(error).splitlines()[0]})"
        bench.fault(place, message, "The file is damaged, cut short or of another format.")
        return None
    if nodata is not None:
        values[values == nodata] = np.nan
    target = np.full((grid.rows, grid.columns), np.nan)
    reproject(
        values,
        target,
        src_transform=transform,
        src_crs=crs,
        src_nodata=np.nan,
        dst_transform=_transform(grid),
        dst_crs=CRS.from_user_input(grid.crs),
        dst_nodata=np.nan,
        resampling=resampling,
    )
    if not np.isfinite(target).any():
        bench.fault(place, f"{path.name} does not touch the region", "Check its CRS and extent.")
        return None
    return target


def _crs(source: RasterSource, raster: rasterio.DatasetReader, place: str, bench: Bench) -> CRS | None:
    if source.crs is not None:
        try:
            given = pyproj.CRS.from_user_input(source.crs)
        except pyproj.exceptions.CRSError:
            bench.fault(place, f"{source.crs!r} is no coordinate reference system", 'Write it like "EPSG:4326".')
            return None
        if raster.crs is not None and not same_crs(raster.crs.to_wkt(), given):
            message = f"the file says its CRS is {raster.crs.to_string()[:60]}, the mapping says {source.crs}"
            bench.fault(place, message, "Remove `crs`; it is for files that name none.")
            return None
        return CRS.from_user_input(source.crs)
    if raster.crs is None:
        bench.fault(place, f"{source.file} names no CRS", 'Add crs = "EPSG:..." if you know it.')
        return None
    return raster.crs


def _transform(grid: Grid) -> rasterio.Affine:
    return rasterio.Affine(grid.cell_m, 0.0, grid.west_m, 0.0, -grid.cell_m, grid.north_m)
