"""The files of a designed network: tables as CSV, cables, splitters and weak points as a GeoPackage, a summary."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pyogrio.errors
import shapely

from xinji.core.arrays import AnyArray, Ints, Shapes
from xinji.core.study import Study
from xinji.errors import OutputError
from xinji.io.plan_layers import trench_shapes

GEOPACKAGE, SUMMARY = "network.gpkg", "network.json"

Columns = Mapping[str, AnyArray]
Layers = Mapping[str, tuple[Ints, Columns]]
"""Positions of trenches or nodes, and a column for each thing told of them, by layer.

Among lines, pairs of nodes are straight ones."""

_GDAL_ERRORS = (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError)


def write_network_files(
    folder: Path, study: Study, tables: Mapping[str, Columns], shapes: tuple[Layers, Layers], summary: object
) -> tuple[str, ...]:
    """Write ``tables`` as ``<name>.csv``, a GeoPackage and the ``summary`` to ``folder``; return the files' names.

    ``shapes`` are layers of trenches of ``study`` and layers of its nodes; one without rows is left out. Raises
    OutputError where the disk refuses.
    """
    names = [f"{name}.csv" for name in tables]
    for name, columns in tables.items():
        _write_csv(folder / f"{name}.csv", columns)
    lines, points = shapes
    _write_layers(folder / GEOPACKAGE, study, _lines(study, lines) | _points(study, points))
    text = json.dumps(summary, ensure_ascii=False, indent=1, allow_nan=False)
    (folder / SUMMARY).write_text(f"{text}\n", encoding="utf-8")
    return (*names, GEOPACKAGE, SUMMARY)


def _lines(study: Study, layers: Layers) -> dict[str, gpd.GeoDataFrame]:
    shapes = trench_shapes(study)
    return {
        name: gpd.GeoDataFrame(dict(columns), geometry=shapes[place] if place.ndim == 1 else _straight(study, place))
        for name, (place, columns) in layers.items()
    }


def _straight(study: Study, pairs: Ints) -> Shapes:
    """Return the straight lines between pairs of nodes (h, 2)."""
    x_m, y_m = study.trenches.node_x_m, study.trenches.node_y_m
    ends = np.stack([x_m[pairs], y_m[pairs]], axis=2)
    return np.asarray(shapely.linestrings(ends), dtype=object).reshape(-1)


def _points(study: Study, layers: Layers) -> dict[str, gpd.GeoDataFrame]:
    x_m, y_m = study.trenches.node_x_m, study.trenches.node_y_m
    return {
        name: gpd.GeoDataFrame(
            dict(columns), geometry=np.asarray(shapely.points(x_m[node], y_m[node]), dtype=object).reshape(-1)
        )
        for name, (node, columns) in layers.items()
    }


def _write_layers(path: Path, study: Study, layers: Mapping[str, gpd.GeoDataFrame]) -> None:
    for name, layer in layers.items():
        if not len(layer):
            continue
        there = path.exists()
        options = None if there else {"VERSION": "1.2"}
        shown = layer.set_crs(study.region.crs)
        try:
            pyogrio.write_dataframe(shown, path, layer=name, driver="GPKG", append=there, dataset_options=options)
        except _GDAL_ERRORS as error:
            message = f"{path.name} could not be written: {error}. Check the disk's free space."
            raise OutputError(f"{message} Nothing half-written is left.") from error


def _write_csv(path: Path, columns: Columns) -> None:
    """Write ``columns`` to ``path``, one row each, with a heading."""
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


__all__ = ["GEOPACKAGE", "SUMMARY", "Columns", "Layers", "write_network_files"]
