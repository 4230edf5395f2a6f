"""Roads of an import: from lines in files to the road graph as a layer."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from xinji.core.arrays import Floats
from xinji.core.vocabulary import ROAD_CLASSES
from xinji.errors import RegionError
from xinji.io.check_rows import shapes_of
from xinji.io.import_config import DROP, GraphImport, Source
from xinji.io.import_sources import Bench, Column, read_source
from xinji.io.road_graph import HIGHWAY_CLASS, NOT_DRIVABLE, GraphReport, GraphRules, build
from xinji.io.road_vertices import Lines
from xinji.units import METRES_PER_KM

COLUMNS: Mapping[str, Column] = {
    "id": Column("text", default=""),
    "road_class": Column("text", words=ROAD_CLASSES, known={**HIGHWAY_CLASS, **dict.fromkeys(NOT_DRIVABLE, DROP)}),
    "level": Column("number", default=0),
    "node_ids": Column("list", default=0),
}
"""Our columns of a source of roads; OpenStreetMap's highway values are known as road classes."""

_ROUND = 8.0


def import_roads(
    sources: tuple[Source, ...], graph: GraphImport, boundary: shapely.Geometry | None, bench: Bench
) -> tuple[gpd.GeoDataFrame, GraphReport] | None:
    """Return the road graph of all ``sources`` as the layer's frame, and its report; None if faulty."""
    read = [read_source(source, f"import.roads.{i}", COLUMNS, bench) for i, source in enumerate(sources)]
    frames = [frame for frame in read if frame is not None]
    if len(frames) < len(sources):
        return None
    roads = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=bench.crs).explode(ignore_index=True)
    if not (shapely.get_type_id(shapes_of(roads)) == 1).all():
        bench.fault("import.roads", "not all geometries are lines", "Keep lines only, with `where`.")
        return None
    numbered = [name or f"road{row}" for row, name in enumerate(roads["id"])]
    roads["id"] = np.array(numbered, dtype=object)
    if graph.within_m is not None and boundary is not None:
        roads = _near(roads, boundary, graph.within_m, bench)
    rules = GraphRules(graph.snap_m, graph.simplify_m, graph.loop_m, graph.node_crossings)
    try:
        made, report = build(_lines(roads), rules)
    except RegionError as error:
        bench.faults += error.faults
        return None
    columns = {
        "id": made.id,
        "road_class": [ROAD_CLASSES[code] for code in made.road_class],
        "from_node": made.from_node,
        "to_node": made.to_node,
        "length_m": np.round(made.length_m, 2),
    }
    # To 1/8 m, exact in binary: both ends of a shape still fall on their nodes, and files get small.
    shapes = shapely.transform(made.shape, _rounded)
    gone = shapely.length(shapes) == 0
    shapes[gone] = made.shape[gone]
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=bench.crs), report


def _near(roads: gpd.GeoDataFrame, boundary: shapely.Geometry, within_m: float, bench: Bench) -> gpd.GeoDataFrame:
    shapely.prepare(boundary)
    near = shapely.dwithin(roads.geometry.to_numpy(), boundary, within_m)
    lost_m = float(roads.geometry[~near].length.sum())
    if lost_m:
        bench.notes.append(f"import.roads: {lost_m / METRES_PER_KM:.1f} km lie beyond {within_m:g} m of the boundary")
    return roads[near].reset_index(drop=True)


def _lines(roads: gpd.GeoDataFrame) -> Lines:
    shapes = shapes_of(roads)
    level = np.nan_to_num(roads["level"].to_numpy(np.float64)).astype(np.int64)
    keys = np.zeros(0, dtype=np.int64)
    lists = [isinstance(given, list) for given in roads["node_ids"]]
    if lists and all(lists):
        keys = np.concatenate([np.array(given, dtype=np.int64) for given in roads["node_ids"]])
    classes = np.array([ROAD_CLASSES.index(word) for word in roads["road_class"]], dtype=np.uint8)
    return Lines(np.array(list(roads["id"]), dtype=np.str_), shapes, classes, level, keys)


def _rounded(xy: Floats) -> Floats:
    return np.round(xy * _ROUND) / _ROUND
