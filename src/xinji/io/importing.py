"""Make a region folder from common formats, by the mapping in its region.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import geopandas as gpd
import numpy as np
import shapely

from xinji.core.arrays import Shapes
from xinji.core.vocabulary import FACILITY_KINDS, GROUPS
from xinji.errors import Fault, RegionError, raise_if
from xinji.io.check import check_layers, check_settings
from xinji.io.check_layers import Findings, Layers
from xinji.io.check_rows import shapes_of
from xinji.io.config import CONFIG_FILE, RegionConfig, dump_config, read_config
from xinji.io.import_cells import finish_cells, import_cells
from xinji.io.import_config import AreaSource, ImportConfig, parse_import
from xinji.io.import_facilities import import_facilities
from xinji.io.import_rasters import frame_grid, import_clutter, import_terrain
from xinji.io.import_roads import import_roads
from xinji.io.import_sources import Bench, polygons_of, read_source
from xinji.io.region import save
from xinji.io.road_graph import GraphReport

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with the name of a step, its number from 1, and how many there are."""

NOTE_FILE = "IMPORT.md"
_STEPS = (
    "boundary",
    "cells",
    "roads",
    "water and no-build zones",
    "terrain",
    "clutter",
    "facilities",
    "check",
    "write",
)
_ROUND = 8.0
"""Outlines are kept to 1/8 m, which is exact in binary, so that files get small."""


@dataclass(frozen=True, slots=True)
class RegionSummary:
    """What an import has made: counts, totals, and notes on what was left out or filled.

    ``group_cells`` and ``facilities`` count by name of ``GROUPS`` and ``FACILITY_KINDS``;
    ``industrial_area_m2`` [m2] is the cells' total; ``warnings`` are those of ``xinji check``.
    """

    name: str
    folder: Path
    cells: int
    residents: float
    workers: float
    industrial_area_m2: float
    group_cells: Mapping[str, int]
    road_nodes: int
    road_edges: int
    road_graph: GraphReport
    facilities: Mapping[str, int]
    bytes: int
    notes: tuple[str, ...]
    warnings: tuple[Fault, ...]


def import_region(
    source: Path,
    folder: Path,
    *,
    data_dir: Path | None = None,
    overwrite: bool = False,
    notes: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> RegionSummary:
    """Make the region ``folder`` from the mapping ``source``, a region.toml or the folder that holds it.

    Sources are relative to the region.toml, or to ``data_dir``. ``notes`` are further text files by
    name. Raises RegionError with every fault of mapping, sources and outcome, OutputError where
    ``folder`` may not be replaced or the disk refuses; then nothing half-written is left.
    """
    path = source / CONFIG_FILE if source.is_dir() else source
    config, mapping = _read_both(path)
    bench = Bench(data_dir or path.parent, config.crs)
    tell = _teller(progress)
    layers, graph = _layers(config, mapping, bench, tell)
    tell("check")
    found = Findings()
    check_settings(config, found)
    check_layers(layers, config.crs, found, trusted=config.gcj02_checked)
    raise_if(found.faults, RegionError)
    tell("write")
    text = _without_import(config)
    said = f"# Import of {config.name}\n\n" + "".join(f"- {note}\n" for note in _all_notes(bench, graph))
    said += f"\n## Mapping\n\n```toml\n{path.read_text(encoding='utf-8').strip()}\n```\n"
    save(folder, layers, text, overwrite=overwrite, notes={NOTE_FILE: said, **(notes or {})})
    return _summary(config, folder, layers, graph, tuple(_all_notes(bench, graph)), tuple(found.warnings))


def _teller(progress: Progress | None) -> Callable[[str], None]:
    def tell(step: str) -> None:
        if progress is not None:
            progress(step, _STEPS.index(step) + 1, len(_STEPS))

    return tell


def _read_both(path: Path) -> tuple[RegionConfig, ImportConfig]:
    """Read settings and mapping, and tell the faults of both at once."""
    faults: list[Fault] = []
    config: RegionConfig | None = None
    mapping: ImportConfig | None = None
    table: object = {}
    try:
        config = read_config(path)
        table = config.import_
    except RegionError as error:
        faults += error.faults
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8")).get("import", {})
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            raise error from None
    try:
        mapping = parse_import(table if isinstance(table, dict) else {}, path.name)
    except RegionError as error:
        faults += error.faults
    if config is None or mapping is None:
        raise RegionError(faults)
    return config, mapping


def _layers(
    config: RegionConfig, mapping: ImportConfig, bench: Bench, tell: Callable[[str], None]
) -> tuple[Layers, GraphReport]:
    tell("boundary")
    boundary = _boundary(mapping, bench)
    tell("cells")
    cells = import_cells(mapping.cells, boundary, bench)
    if boundary is None and mapping.boundary is None and cells is not None:
        boundary = hull(shapes_of(cells))
    tell("roads")
    made = import_roads(mapping.roads, mapping.road_graph, boundary, bench)
    tell("water and no-build zones")
    water = _areas(mapping.water, "import.water", boundary, mapping.margin_m, bench)
    no_build = _areas(mapping.no_build, "import.no_build", boundary, mapping.margin_m, bench)
    if cells is None or made is None or boundary is None:
        _other_faults(mapping, cells, made, boundary, bench)
        raise RegionError(bench.faults)
    roads, graph = made
    shapes = shapes_of(cells)
    tell("terrain")
    terrain_grid = frame_grid(shapes, config.crs, mapping.margin_m, mapping.terrain.cell_m)
    terrain = import_terrain(mapping.terrain, terrain_grid, bench)
    tell("clutter")
    clutter_grid = frame_grid(shapes, config.crs, mapping.margin_m, mapping.clutter.cell_m)
    clutter = import_clutter(mapping.clutter, clutter_grid, roads, water, bench)
    if clutter is not None:
        cells = finish_cells(cells, clutter, config.groups, mapping.group_neighbourhood_m)
    tell("facilities")
    facilities = import_facilities(mapping.facilities, cells if clutter is not None else None, bench)
    if terrain is None or clutter is None or bench.faults:
        raise RegionError(bench.faults)
    frames = {"cells": cells, "roads": roads, "facilities": facilities}
    areas: dict[str, Iterable[object]] = {"boundary": [_rounded(boundary)], "no_build": no_build, "water": water}
    frames |= {layer: gpd.GeoDataFrame(geometry=list(rows), crs=config.crs) for layer, rows in areas.items()}
    return Layers(frames, {"terrain": terrain, "clutter": clutter}), graph


def _other_faults(
    mapping: ImportConfig,
    cells: gpd.GeoDataFrame | None,
    made: tuple[gpd.GeoDataFrame, GraphReport] | None,
    boundary: shapely.Geometry | None,
    bench: Bench,
) -> None:
    """Look into the sources that are left when cells, roads or boundary have failed, for their faults."""
    import_facilities(mapping.facilities, None, bench)
    known = [frame for frame in (cells, made[0] if made else None) if frame is not None]
    shapes: Shapes = np.array([boundary], dtype=object)
    if boundary is None:
        shapes = shapes_of(known[0]) if known else shapes[:0]
    if len(shapes):
        roads = made[0] if made else gpd.GeoDataFrame({"road_class": []}, geometry=[], crs=bench.crs)
        terrain_grid = frame_grid(shapes, bench.crs, mapping.margin_m, mapping.terrain.cell_m)
        import_terrain(mapping.terrain, terrain_grid, bench)
        clutter_grid = frame_grid(shapes, bench.crs, mapping.margin_m, mapping.clutter.cell_m)
        import_clutter(mapping.clutter, clutter_grid, roads, [], bench)


def hull(cells: Shapes) -> shapely.Geometry:
    """Return the outline of ``cells``, with gaps of up to 2 m between them closed."""
    return shapely.buffer(shapely.buffer(shapely.union_all(cells), 1.0, join_style="mitre"), -1.0, join_style="mitre")


def _boundary(mapping: ImportConfig, bench: Bench) -> shapely.Geometry | None:
    if mapping.boundary is None:
        return None
    frame = read_source(mapping.boundary, "import.boundary", {}, bench)
    if frame is None:
        return None
    shapes = shapes_of(frame)
    if not (shapely.get_dimensions(shapes) == 2).all():
        bench.fault("import.boundary", "not all of it are polygons", "Give the area, not its outline.")
        return None
    # Rounded before squares are cut at it, so that degrees do not leave slivers of a millimetre.
    return _rounded(shapely.union_all(polygons_of(shapes)))


def _areas(
    sources: tuple[AreaSource, ...], layer: str, boundary: shapely.Geometry | None, margin_m: float, bench: Bench
) -> Shapes:
    """Return the polygons of ``sources`` within ``margin_m`` [m] of the boundary's box."""
    found: list[shapely.Geometry] = []
    for number, source in enumerate(sources):
        place = f"{layer}.{number}"
        frame = read_source(source, place, {}, bench)
        if frame is None or boundary is None:
            continue
        shapes = shapes_of(frame)
        if source.buffer_m == 0 and not (shapely.get_dimensions(shapes) == 2).all():
            bench.fault(place, "not all of it are polygons", "Give areas, or widen lines and points with buffer_m.")
            continue
        wide = shapely.buffer(shapes, source.buffer_m) if source.buffer_m else shapes
        frame_box = shapely.buffer(shapely.box(*shapely.bounds(boundary)), margin_m, join_style="mitre")
        cut = polygons_of(shapely.intersection(polygons_of(wide), frame_box))
        cut = polygons_of(shapely.simplify(cut, source.simplify_m)) if source.simplify_m else cut
        cut = np.array([_rounded(shape) for shape in cut], dtype=object)
        found += list(cut[(shapely.area(cut) > 0) & (shapely.area(cut) >= source.min_area_m2)])
    result = np.empty(len(found), dtype=object)
    result[:] = found
    return result


def _rounded(shape: shapely.Geometry) -> shapely.Geometry:
    rounded: shapely.Geometry = polygons_of(np.array([shapely.set_precision(shape, 1.0 / _ROUND)], dtype=object))[0]
    return rounded


def _without_import(config: RegionConfig) -> str:
    """Return region.toml as it stands in the folder made: the mapping is done with (see NOTE_FILE)."""
    table = config.model_dump(by_alias=True, exclude_unset=True)
    table.pop("import", None)
    return dump_config(RegionConfig.model_validate(table))


def _all_notes(bench: Bench, graph: GraphReport) -> list[str]:
    shares = {
        "in pieces that do not hang together": graph.disconnected_m,
        "loops": graph.loop_m,
        "parallel to a shorter edge": graph.parallel_m,
    }
    said = ", ".join(f"{metres / graph.total_m:.1%} {what}" for what, metres in shares.items())
    return [*bench.notes, f"roads: {graph.dropped_share:.1%} of the drivable length is left out ({said})"]


def _summary(
    config: RegionConfig,
    folder: Path,
    layers: Layers,
    graph: GraphReport,
    notes: tuple[str, ...],
    warnings: tuple[Fault, ...],
) -> RegionSummary:
    cells, roads, facilities = (layers.frames[layer] for layer in ("cells", "roads", "facilities"))
    return RegionSummary(
        name=config.name,
        folder=folder,
        cells=len(cells),
        residents=float(cells["residents"].sum()),
        workers=float(cells["workers"].sum()),
        industrial_area_m2=float(cells["industrial_area_m2"].sum()),
        group_cells={group: int((cells["group"] == group).sum()) for group in GROUPS},
        road_nodes=len(np.unique(roads[["from_node", "to_node"]].to_numpy())),
        road_edges=len(roads),
        road_graph=graph,
        facilities={kind: int((facilities["kind"] == kind).sum()) for kind in FACILITY_KINDS},
        bytes=sum(file.stat().st_size for file in folder.iterdir()),
        notes=notes,
        warnings=warnings,
    )
