"""Terrain and clutter of an import, on pixels over the cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import geopandas as gpd
import numpy as np
import shapely
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.features import rasterize
from rasterio.warp import reproject
from scipy.ndimage import distance_transform_edt

from xinji.core.arrays import Bools, Codes, Floats, Shapes
from xinji.core.grid import Grid, Raster
from xinji.core.vocabulary import LAND_USES, ROAD_CLASSES
from xinji.errors import Fault
from xinji.io.dem_faults import (
    METRES_PER_UNIT,
    UNIT_WORDS,
    range_faults,
    slope_faults,
    unit_fault,
    where,
    zero_faults,
)
from xinji.io.import_config import ClutterImport, RasterSource, TerrainImport
from xinji.io.import_sources import Bench, Column, read_source
from xinji.io.raster_file import OpenRaster, RasterChoice, cropped, open_raster, pixel_m, transform_of, vertical_unit

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
    values = _heights(mapping.raster, grid, "import.terrain.raster", bench)
    if values is None:
        return None
    holes = ~np.isfinite(values)
    if holes.any():
        share = (
            f"{holes.mean():.1%} of the terrain's pixels have no height ({int(holes.sum())}), in {where(holes, grid)}"
        )
        if mapping.fill_nodata_m is None:
            remedy = 'Say what they hold: fill_nodata_m = 2.0 (metres) or "nearest"; or reduce margin_m.'
            bench.fault("import.terrain", share, remedy)
            return None
        bench.notes.append(f"import.terrain: {share}; filled with {mapping.fill_nodata_m}")
        values = _filled(values, holes, mapping.fill_nodata_m)
    # Decimetres: no source is finer, and files get small.
    return Raster(grid, np.round(values, 1).astype(np.float32))


def _heights(source: RasterSource, grid: Grid, place: str, bench: Bench) -> Floats | None:
    """Return the heights [m] of ``source`` on ``grid``, NaN where it has none; None if faulty."""
    opened = _opened(source, place, bench)
    raster = None if opened is None else _in_metres(opened, source, place, bench)
    if raster is None:
        return None
    faults = list(_height_faults(raster, grid, place))
    bench.faults += faults
    bench.notes += _height_notes(raster, grid, place)
    return None if faults else _warped(raster, grid, place, Resampling.bilinear, bench)


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
        rasterize(pairs, out=codes, transform=transform_of(grid))


def _translated(mapping: ClutterImport, grid: Grid, bench: Bench) -> Codes | None:
    place = "import.clutter.raster"
    opened = None if mapping.raster is None else _opened(mapping.raster, place, bench)
    values = None if opened is None else _warped(opened, grid, place, Resampling.nearest, bench)
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


def _opened(source: RasterSource, place: str, bench: Bench) -> OpenRaster | None:
    opened = open_raster(bench.folder / source.file, RasterChoice(source.crs, source.nodata, source.band), bench.crs)
    if not isinstance(opened, OpenRaster):
        bench.faults += [Fault(place, fault.message, fault.remedy) for fault in opened]
        return None
    bench.notes += [f"{place}: {note}" for note in opened.notes]
    return opened


def _warped(raster: OpenRaster, grid: Grid, place: str, resampling: Resampling, bench: Bench) -> Floats | None:
    """Return ``raster`` on ``grid``, NaN where it has no value; None if it has none at all there."""
    target = np.full((grid.rows, grid.columns), np.nan)
    reproject(
        raster.values,
        target,
        src_transform=raster.transform,
        src_crs=raster.crs,
        src_nodata=np.nan,
        dst_transform=transform_of(grid),
        dst_crs=CRS.from_user_input(grid.crs),
        dst_nodata=np.nan,
        resampling=resampling,
    )
    if not np.isfinite(target).any():
        bench.fault(place, f"{raster.name} does not touch the region", "Check its CRS and extent.")
        return None
    return target


def _in_metres(raster: OpenRaster, source: RasterSource, place: str, bench: Bench) -> OpenRaster | None:
    """Return ``raster`` with heights in metres, by the unit that the mapping names; None if that contradicts it."""
    band, axis = raster.unit, vertical_unit(raster.crs)
    if source.unit is None:
        wrong = list(unit_fault(place, band, axis))
        bench.faults += wrong
        return None if wrong else raster
    for whose, word in (("band", band), ("CRS's vertical axis", axis)):
        known = next((unit for unit, words in UNIT_WORDS.items() if word.lower() in words), word)
        if word and known != source.unit and not (known == "ft" and source.unit == "us_ft"):
            message = f"the {whose} of {raster.name} is in {word!r}, the mapping says {source.unit!r}"
            bench.fault(place, message, "Mend `unit`; it is for files that name none, or agrees with them.")
            return None
    bench.notes.append(f"{place}: heights in {source.unit} are converted to metres")
    return replace(raster, values=raster.values * METRES_PER_UNIT[source.unit])


def _height_faults(raster: OpenRaster, grid: Grid, place: str) -> Iterator[Fault]:
    """Yield what betrays that ``raster`` holds no metres, or holes that are not declared, around ``grid``."""
    values = cropped(raster, grid)
    wrong = list(range_faults(place, values))
    yield from wrong or slope_faults(place, values, pixel_m(raster, grid))
    if raster.nodata is None and not wrong:
        remedy = (
            "Declare it with nodata = 0; if they are true heights, give another value as nodata (-32768) to say so."
        )
        yield from zero_faults(place, values, remedy)


def _height_notes(raster: OpenRaster, grid: Grid, place: str) -> Iterator[str]:
    """Yield what the user should know of the source's heights."""
    side = pixel_m(raster, grid)
    if side > 2.0 * grid.cell_m:
        yield f"{place}: the source's pixels are {side:.3g} m wide, ours {grid.cell_m:g} m, interpolated"
    if np.dtype(raster.dtype).kind in "iu":
        top = np.iinfo(raster.dtype).max
        cut = int(np.count_nonzero(raster.values == top))
        if cut:
            yield f"{place}: {cut} pixels hold {top}, the most that {raster.dtype} can; higher ground is cut off there"
