"""Cells of an import: polygons given, or squares over the boundary; people spread by area."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from xinji.core.arrays import Codes, Floats, Shapes
from xinji.core.grid import Raster
from xinji.core.vocabulary import GROUPS, LAND_USES
from xinji.io.check_rows import shapes_of
from xinji.io.config import GroupRule
from xinji.io.groups import classify, neighbourhood_sums
from xinji.io.import_config import CellsImport, Count
from xinji.io.import_sources import Bench, Column, polygons_of, read_source
from xinji.io.region import centres

_COUNTED = ("residents", "workers", "industrial_area_m2")
_UNKNOWN = LAND_USES.index("unclassified")


def import_cells(mapping: CellsImport, boundary: shapely.Geometry | None, bench: Bench) -> gpd.GeoDataFrame | None:
    """Return the cells with id, geometry, and what the mapping says of them; None if faulty.

    Columns that the mapping leaves to the clutter (land_use, industrial_area_m2) are absent.
    ``boundary`` is a shapely polygon, needed for squares only.
    """
    before = len(bench.faults)
    if mapping.cell_m is None:
        frame = _given(mapping, bench)
    else:
        frame = None if boundary is None else _squares(boundary, mapping.cell_m, bench)
    if frame is None:
        return None
    for place, count in enumerate(mapping.counts):
        spread = _spread(count, f"import.cells.counts.{place}", frame, bench)
        if spread is not None:
            frame[count.column] = frame[count.column] + spread if count.column in frame else spread
    for column in ("residents", "workers"):
        if column not in frame and column not in {count.column for count in mapping.counts}:
            remedy = "Map it in cells.polygons, or add [[import.cells.counts]]; 0 has to be said too."
            bench.fault("import.cells", f"nothing says the cells' {column}", remedy)
    return None if len(bench.faults) > before else frame


def squares(boundary: shapely.Geometry, cell_m: float) -> tuple[list[str], Shapes]:
    """Return ids and shapes of squares of side ``cell_m`` [m] over ``boundary``, cut at it.

    Corners lie at multiples of the side; ids tell row from the south and column from the west.
    """
    west, south, east, north = shapely.bounds(boundary)
    columns = np.arange(np.floor(west / cell_m), np.ceil(east / cell_m))
    rows = np.arange(np.floor(south / cell_m), np.ceil(north / cell_m))
    x, y = (axis.ravel() for axis in np.meshgrid(columns * cell_m, rows * cell_m))
    boxes = shapely.box(x, y, x + cell_m, y + cell_m)
    shapely.prepare(boundary)
    cut = polygons_of(shapely.intersection(boxes, boundary))
    kept = np.flatnonzero(shapely.area(cut) > 0)
    names = [f"{kept_row // len(columns)}-{kept_row % len(columns)}" for kept_row in kept]
    return names, cut[kept]


def areal_weights(sources: Shapes, cells: Shapes) -> tuple[np.ndarray, np.ndarray, Floats]:
    """Return source, cell and share for each pair that meets; the shares are of the source.

    A point belongs whole to the first cell that holds it. The shares of a source that lies within
    cells without overlap sum to 1.
    """
    source, cell = shapely.STRtree(cells).query(sources, predicate="intersects")
    order = np.lexsort((cell, source))
    source, cell = source[order], cell[order]
    point = shapely.get_dimensions(sources)[source] == 0
    keep = ~point | np.r_[True, np.diff(source) > 0][: len(source)]
    source, cell, point = source[keep], cell[keep], point[keep]
    share = np.ones(len(source))
    whole = sources[source[~point]]
    share[~point] = shapely.area(shapely.intersection(whole, cells[cell[~point]])) / shapely.area(whole)
    return source, cell, share


def finish_cells(frame: gpd.GeoDataFrame, clutter: Raster, rule: GroupRule, neighbourhood_m: float) -> gpd.GeoDataFrame:
    """Return the cells with land use and industrial area from ``clutter`` where absent, and groups."""
    frame = frame.copy()
    own_use = list(frame["land_use"]) if "land_use" in frame else [""] * len(frame)
    if "" in own_use or "industrial_area_m2" not in frame:
        shares = class_shares(frame.geometry.to_numpy(), clutter)
        common = [LAND_USES[code] for code in commonest(shares)]
        frame["land_use"] = [own or other for own, other in zip(own_use, common, strict=True)]
        if "industrial_area_m2" not in frame:
            industrial = shares[:, LAND_USES.index("industrial")]
            frame["industrial_area_m2"] = industrial * shapely.area(frame.geometry.to_numpy())
    frame["group"] = _groups(frame, rule, neighbourhood_m)
    return frame[["id", *_COUNTED, "land_use", "group", "geometry"]]


def class_shares(cells: Shapes, clutter: Raster) -> Floats:
    """Return the share of each land use in each cell, by the pixels whose centre it holds.

    A cell that holds no pixel's centre takes the pixel at its own. Shape (cells, land uses).
    """
    grid = clutter.grid
    column, row = (axis.ravel() for axis in np.meshgrid(np.arange(grid.columns), np.arange(grid.rows)))
    x = grid.west_m + (column + 0.5) * grid.cell_m
    y = grid.north_m - (row + 0.5) * grid.cell_m
    pixel, cell = shapely.STRtree(cells).query(shapely.points(x, y), predicate="intersects")
    codes = clutter.values
    counts = np.zeros((len(cells), len(LAND_USES)))
    np.add.at(counts, (cell, codes.ravel()[pixel].astype(np.int64)), 1.0)
    bare = np.flatnonzero(counts.sum(axis=1) == 0)
    counts[bare, clutter.sample(*(axis[bare] for axis in centres(cells)))] = 1.0
    shares: Floats = counts / counts.sum(axis=1, keepdims=True)
    return shares


def commonest(shares: Floats) -> Codes:
    """Return the land use with the largest share; unclassified only where there is no other."""
    known = shares.copy()
    known[:, _UNKNOWN] = 0.0
    return np.where(known.max(axis=1) > 0, known.argmax(axis=1), _UNKNOWN).astype(np.uint8)


def _given(mapping: CellsImport, bench: Bench) -> gpd.GeoDataFrame | None:
    source = mapping.polygons
    if source is None:
        return None
    columns: dict[str, Column] = {"id": Column("text", default="")}
    mapped = {*source.columns, *source.constants}
    columns |= {name: Column("number") for name in _COUNTED if name in mapped}
    if "land_use" in mapped:
        columns["land_use"] = Column("text", words=LAND_USES)
    areas = {f"area of {use}": theirs for use, theirs in mapping.land_use_areas.items()}
    if areas and "land_use" in mapped:
        bench.fault("import.cells", "land_use comes from a column and from areas", "Give one of them.")
    columns |= {name: Column("number") for name in areas}
    source = source.model_copy(update={"columns": {**source.columns, **areas}})
    frame = read_source(source, "import.cells.polygons", columns, bench)
    if frame is None:
        return None
    if "id" not in mapped:
        frame["id"] = [str(row) for row in range(len(frame))]
    return _use_of_areas(frame, list(mapping.land_use_areas))


def _use_of_areas(frame: gpd.GeoDataFrame, uses: list[str]) -> gpd.GeoDataFrame:
    """Turn the columns "area of ..." into land use ('' where all are 0) and industrial area."""
    if not uses:
        return frame
    columns = [f"area of {use}" for use in uses]
    area = frame[columns].to_numpy(np.float64)
    largest = np.nan_to_num(area).argmax(axis=1)
    frame["land_use"] = [uses[i] if area[row, i] > 0 else "" for row, i in enumerate(largest)]
    if "industrial" in uses and "industrial_area_m2" not in frame:
        # Two rasters of land use may differ by some square metres from the cell's own area.
        frame["industrial_area_m2"] = np.minimum(frame["area of industrial"], shapely.area(frame.geometry.to_numpy()))
    return frame.drop(columns=columns)


def _squares(boundary: shapely.Geometry, cell_m: float, bench: Bench) -> gpd.GeoDataFrame:
    names, shapes = squares(boundary, cell_m)
    return gpd.GeoDataFrame({"id": names}, geometry=list(shapes), crs=bench.crs)


def _spread(count: Count, place: str, cells: gpd.GeoDataFrame, bench: Bench) -> Floats | None:
    frame = read_source(count, place, {"value": Column("number")}, bench)
    if frame is None:
        return None
    value = frame["value"].to_numpy(np.float64)
    shapes = shapes_of(frame)
    wrong = ~(np.isfinite(value) & (value >= 0))
    if wrong.any():
        message = f"{int(wrong.sum())} rows have a missing or negative value"
        bench.fault(place, message, "Mend the file, or say `defaults`.")
        return None
    if (shapely.get_dimensions(shapes) == 1).any():
        bench.fault(place, "numbers on lines cannot be spread by area", "Give points or polygons.")
        return None
    source, cell, share = areal_weights(shapes, shapes_of(cells))
    spread = np.zeros(len(cells))
    np.add.at(spread, cell, value[source] * share)
    total, outside = float(value.sum()), float(value.sum() - spread.sum())
    # Rounding of intersections only; anything larger is asked for in the mapping.
    allowed = max(count.outside_max, 1e-6) * total
    if abs(outside) > allowed:
        what = "outside the cells" if outside > 0 else "counted twice, in cells that overlap"
        message = f"{abs(outside):,.0f} of {total:,.0f} {count.column} are {what}"
        bench.fault(place, message, "Mend the cells, or allow the share with outside_max.")
        return None
    if outside > 1e-6 * total:
        said = f"{outside:,.0f} of {total:,.0f} {count.column} lie outside the cells and are left out"
        bench.notes.append(f"{place}: {said}")
    return spread


def _groups(frame: gpd.GeoDataFrame, rule: GroupRule, neighbourhood_m: float) -> list[str]:
    shapes = shapes_of(frame)
    columns = [shapely.area(shapes), *(np.nan_to_num(frame[name].to_numpy(np.float64)) for name in _COUNTED)]
    sums = neighbourhood_sums(*centres(shapes), np.column_stack(columns), neighbourhood_m)
    use = np.array([LAND_USES.index(word) for word in frame["land_use"]], dtype=np.uint8)
    return [GROUPS[code] for code in classify(sums[:, 0], sums[:, 1], sums[:, 2], sums[:, 3], use, rule)]
