"""A region's folder: find it, read it into a ``Region``, write one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from rasterio.transform import Affine

from xinji.core.arrays import Codes, Floats, Shapes, Strings
from xinji.core.grid import Raster
from xinji.core.parameters import Parameters
from xinji.core.policy import Policy
from xinji.core.region import Cells, ExistingFacilities, Region, Roads
from xinji.core.vocabulary import FACILITY_KINDS, GROUPS, LAND_USES, ROAD_CLASSES
from xinji.errors import Fault, RegionError, raise_if
from xinji.io.atomic import atomic_folder
from xinji.io.check import examine
from xinji.io.check_layers import OPTIONAL, VECTORS, Layers
from xinji.io.config import CONFIG_FILE, RegionConfig, overrides, parse_config, policy, read_config
from xinji.io.parameters import load


def built_in() -> dict[str, Path]:
    """Return the folders of the regions that come with the package, by name."""
    root = Path(str(files("xinji"))) / "data" / "regions"
    folders = sorted(root.iterdir()) if root.is_dir() else []
    return {folder.name: folder for folder in folders if (folder / CONFIG_FILE).is_file()}


def locate(name_or_path: str | Path) -> Path:
    """Return the folder of a built-in region by its name, else of a region folder by its path.

    Raises RegionError where there is neither.
    """
    known = built_in()
    if str(name_or_path) in known:
        return known[str(name_or_path)]
    folder = Path(name_or_path)
    if (folder / CONFIG_FILE).is_file():
        return folder
    if folder.is_dir():
        message, remedy = f"the folder holds no {CONFIG_FILE}", "Write one with `xinji new`"
    else:
        message, remedy = "neither a built-in region nor a folder", "Check the spelling, or make one with `xinji new`"
    names = ", ".join(known) or "none"
    raise RegionError([Fault(f"region {name_or_path}", message, f"{remedy}. Built-in regions: {names}.")])


def read(folder: Path) -> tuple[Region, Policy]:
    """Read the region in ``folder``, with its policy.

    Runs every check of ``xinji.io.check``; raises RegionError with all faults that it names.
    """
    layers, report = examine(folder)
    raise_if(report.faults, RegionError)
    config = read_config(folder / CONFIG_FILE)
    parameters = load(config.profile).override(overrides(config))
    rate = parameters.value("finance.discount_rate", "share")
    return build(layers, config, parameters), policy(config, discount_rate=rate)


def build(layers: Layers, config: RegionConfig, parameters: Parameters) -> Region:
    """Return the region of ``layers`` that have passed the checks, in ``config``'s CRS."""
    frames = layers.frames
    return Region(
        name=config.name,
        title_en=config.title_en,
        title_zh=config.title_zh,
        crs=config.crs,
        latitude_deg=_latitude_deg(frames["boundary"]),
        currency=config.currency,
        boundary=frames["boundary"].geometry.iloc[0],
        cells=_cells(frames["cells"]),
        roads=_roads(frames["roads"]),
        facilities=_facilities(frames["facilities"]),
        terrain=layers.rasters["terrain"],
        clutter=layers.rasters["clutter"],
        no_build=_shapes(frames["no_build"]),
        water=_shapes(frames["water"]),
        parameters=parameters,
        attribution=config.attribution,
    )


def _latitude_deg(boundary: gpd.GeoDataFrame) -> float:
    """Return the latitude of the middle of a boundary's box."""
    west, south, east, north = boundary.total_bounds
    middle = gpd.GeoSeries([shapely.Point((west + east) / 2.0, (south + north) / 2.0)], crs=boundary.crs)
    return float(middle.to_crs("EPSG:4326").y.iloc[0])


def write(
    folder: Path, region: Region, text: str, *, overwrite: bool = False, notes: Mapping[str, str] | None = None
) -> None:
    """Write ``region`` to ``folder``; ``text`` becomes its region.toml.

    ``notes`` are further text files by name (``SOURCES.md``). Raises RegionError where ``text`` is
    not the region.toml of this region, OutputError where the folder may not be replaced or the
    disk refuses; then nothing half-written is left.
    """
    config = parse_config(text)
    faults = [
        Fault(f"{CONFIG_FILE}, {key}", f"{getattr(config, key)!r}, the region has {getattr(region, key)!r}", "Agree.")
        for key in ("name", "crs", "currency")
        if getattr(config, key) != getattr(region, key)
    ]
    raise_if(faults, RegionError)
    save(folder, layers_of(region), text, overwrite=overwrite, notes=notes)


def save(
    folder: Path, layers: Layers, text: str, *, overwrite: bool = False, notes: Mapping[str, str] | None = None
) -> None:
    """Write ``layers`` as they are to ``folder``, with ``text`` as region.toml; see ``write``.

    Faulty rows are written too, so that ``xinji check`` can list them.
    """
    names = parse_config(text).layers
    with atomic_folder(folder, marker=CONFIG_FILE, overwrite=overwrite) as fresh:
        (fresh / CONFIG_FILE).write_text(text, encoding="utf-8")
        for name, note in (notes or {}).items():
            (fresh / name).write_text(note, encoding="utf-8")
        for layer in VECTORS:
            if len(layers.frames[layer]) or layer not in OPTIONAL or layer in names.model_fields_set:
                path = fresh / getattr(names, layer)
                layers.frames[layer].to_parquet(path, index=False, compression="zstd")
        for layer, raster in layers.rasters.items():
            _write_raster(fresh / getattr(names, layer), raster)


def layers_of(region: Region) -> Layers:
    """Return the layers that ``region`` is written as."""
    cells, roads, facilities = region.cells, region.roads, region.facilities
    columns: dict[str, dict[str, object]] = {
        "cells": {
            "id": cells.id,
            "residents": cells.residents,
            "workers": cells.workers,
            "industrial_area_m2": cells.industrial_area_m2,
            "land_use": _words(cells.land_use, LAND_USES),
            "group": _words(cells.group, GROUPS),
        },
        "roads": {
            "id": roads.id,
            "road_class": _words(roads.road_class, ROAD_CLASSES),
            "from_node": roads.from_node,
            "to_node": roads.to_node,
            "length_m": roads.length_m,
        },
        "facilities": {
            "id": facilities.id,
            "kind": _words(facilities.kind, FACILITY_KINDS),
            "height_m": facilities.height_m,
            "bands": facilities.bands,
            "source": facilities.source,
        },
    }
    geometry: dict[str, Iterable[object]] = {
        "cells": cells.shape,
        "roads": roads.shape,
        "facilities": [shapely.Point(x, y) for x, y in zip(facilities.x_m, facilities.y_m, strict=True)],
        "boundary": [region.boundary],
        "no_build": region.no_build,
        "water": region.water,
    }
    frames = {
        layer: gpd.GeoDataFrame(columns.get(layer, {}), geometry=list(shapes), crs=region.crs)
        for layer, shapes in geometry.items()
    }
    return Layers(frames, {"terrain": region.terrain, "clutter": region.clutter})


def centres(shapes: Shapes) -> tuple[Floats, Floats]:
    """Return x and y [m] of the centre of each polygon (each shape (n,)).

    The centre is the centroid, or where that lies outside the polygon, a point on its surface.
    """
    points = shapely.centroid(shapes)
    points = np.where(shapely.covers(shapes, points), points, shapely.point_on_surface(shapes))
    return shapely.get_x(points), shapely.get_y(points)


def _cells(frame: gpd.GeoDataFrame) -> Cells:
    shapes = _shapes(frame)
    x_m, y_m = centres(shapes)
    return Cells(
        id=_strings(frame, "id"),
        x_m=x_m,
        y_m=y_m,
        shape=shapes,
        area_m2=shapely.area(shapes),
        residents=_floats(frame, "residents"),
        workers=_floats(frame, "workers"),
        industrial_area_m2=_floats(frame, "industrial_area_m2"),
        land_use=_codes(frame, "land_use", LAND_USES),
        group=_codes(frame, "group", GROUPS),
    )


def _roads(frame: gpd.GeoDataFrame) -> Roads:
    shapes = _shapes(frame)
    ends = np.concatenate([frame["from_node"].to_numpy(np.int64), frame["to_node"].to_numpy(np.int64)])
    _, first, position = np.unique(ends, return_index=True, return_inverse=True)
    points = np.concatenate([shapely.get_point(shapes, 0), shapely.get_point(shapes, -1)])[first]
    return Roads(
        node_x_m=shapely.get_x(points),
        node_y_m=shapely.get_y(points),
        id=_strings(frame, "id"),
        from_node=position[: len(frame)].astype(np.int64),
        to_node=position[len(frame) :].astype(np.int64),
        length_m=_floats(frame, "length_m"),
        road_class=_codes(frame, "road_class", ROAD_CLASSES),
        shape=shapes,
    )


def _facilities(frame: gpd.GeoDataFrame) -> ExistingFacilities:
    shapes = _shapes(frame)
    return ExistingFacilities(
        id=_strings(frame, "id"),
        kind=_codes(frame, "kind", FACILITY_KINDS),
        x_m=shapely.get_x(shapes),
        y_m=shapely.get_y(shapes),
        height_m=_floats(frame, "height_m"),
        bands=_strings(frame, "bands"),
        source=_strings(frame, "source"),
    )


def _shapes(frame: gpd.GeoDataFrame) -> Shapes:
    shapes: Shapes = np.array(frame.geometry.to_numpy(), dtype=object)
    return shapes


def _strings(frame: gpd.GeoDataFrame, column: str) -> Strings:
    return np.array(list(frame[column]), dtype=np.str_)


def _floats(frame: gpd.GeoDataFrame, column: str) -> Floats:
    values: Floats = frame[column].to_numpy(np.float64, copy=True)
    return values


def _codes(frame: gpd.GeoDataFrame, column: str, words: tuple[str, ...]) -> Codes:
    return np.array([words.index(word) for word in frame[column]], dtype=np.uint8)


def _words(codes: Codes, words: tuple[str, ...]) -> list[str]:
    return [words[code] for code in codes]


def _write_raster(path: Path, raster: Raster) -> None:
    grid, values = raster.grid, raster.values
    if values.dtype == np.float64:
        values = values.astype(np.float32)
    profile = {
        "driver": "GTiff",
        "height": grid.rows,
        "width": grid.columns,
        "count": 1,
        "dtype": values.dtype.name,
        "crs": grid.crs,
        "transform": Affine(grid.cell_m, 0.0, grid.west_m, 0.0, -grid.cell_m, grid.north_m),
        "compress": "deflate",
        "predictor": 3 if values.dtype.kind == "f" else 2,
    }
    with rasterio.open(path, "w", **profile) as target:
        target.write(values, 1)
