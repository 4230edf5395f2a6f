"""The map layers of a plan held against the study that they were written from: every attribute that differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import pyogrio.errors
import shapely

from xinji.core.study import Study
from xinji.io.plan_audit import same
from xinji.io.plan_geopackage import FACTS_LAYER
from xinji.io.plan_layers import Words, plan_facts, plan_layers

GEOPACKAGE = "plan.gpkg"
LAYER_FOLDER = "layers"

EDITABLE = ("decision", "fixed_year")
"""Columns that a planner may change in QGIS without the plan being another."""

MOVED_M = 1.0
"""A shape counts as moved from here on [m]; rewriting a file shifts it by far less."""

_UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    pa.ArrowException,
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
)


def layer_findings(folder: Path, study: Study, languages: Sequence[Words]) -> Iterator[str]:
    """Yield where plan.gpkg and the GeoParquet layers in ``folder`` say otherwise than ``study``.

    They may be in any one of ``languages``. What a planner may edit in plan.gpkg (``EDITABLE``) is not compared there.
    """
    choices = [plan_layers(study, words) for words in languages]
    book = folder / GEOPACKAGE
    if book.is_file():
        yield from _facts_findings(book, study)
    for name in choices[0]:
        frames = [layers[name] for layers in choices]
        if book.is_file():
            yield from _layer_findings(f"{GEOPACKAGE}, {name}", frames, _from_geopackage(book, name), EDITABLE)
        parquet = folder / LAYER_FOLDER / f"{name}.parquet"
        yield from _layer_findings(f"{LAYER_FOLDER}/{parquet.name}", frames, _from_parquet(parquet), ())
    if not book.is_file():
        yield f"{GEOPACKAGE}: the file is missing"


def _from_geopackage(path: Path, name: str) -> Callable[[], pd.DataFrame]:
    return lambda: pyogrio.read_dataframe(path, layer=name)


def _from_parquet(path: Path) -> Callable[[], pd.DataFrame]:
    return lambda: gpd.read_parquet(path)


def _facts_findings(path: Path, study: Study) -> Iterator[str]:
    place = f"{GEOPACKAGE}, {FACTS_LAYER}"
    facts = {key: value for key, value in plan_facts(study).items() if key != "version"}
    try:
        table = pyogrio.read_dataframe(path, layer=FACTS_LAYER, read_geometry=False)
    except _UNREADABLE as error:
        yield f"{place}: cannot be read ({error})"
        return
    if len(table) != 1:
        yield f"{place}: there are {len(table)} rows, expected 1"
        return
    for key, expected in facts.items():
        given = table[key].iloc[0] if key in table.columns else None
        plain = given.item() if isinstance(given, np.generic) else given
        if not same(plain, expected):
            yield f"{place}, {key}: found {plain!r}, the proved plan has {expected!r}"


def _layer_findings(
    place: str, frames: Sequence[gpd.GeoDataFrame], read: Callable[[], pd.DataFrame], editable: Sequence[str]
) -> Iterator[str]:
    try:
        given = read()
    except _UNREADABLE as error:
        yield f"{place}: cannot be read ({error})"
        return
    # Reasons are in the reader's language: the one that most rows speak.
    expected = max(frames, key=lambda frame: _hits(given, frame))
    key = "id" if "id" in expected.columns else "name"
    if key not in given.columns:
        yield f"{place}: the column {key} is missing"
        return
    names = expected[key].astype(str).tolist()
    found = {name: row for row, name in enumerate(given[key].astype(str).tolist())}
    yield from (f"{place}: {name} is missing" for name in names if name not in found)
    yield from (f"{place}: {name} is none of the plan's" for name in sorted(set(found) - set(names)))
    if len(found) < len(given):
        yield f"{place}: {len(given) - len(found)} rows have the {key} of another"
    there = [row for row, name in enumerate(names) if name in found]
    rows = given.iloc[[found[names[row]] for row in there]]
    yield from _column_findings(place, rows, expected.iloc[there], key, editable)


def _hits(given: pd.DataFrame, expected: pd.DataFrame) -> int:
    if "reason" not in given.columns or "reason" not in expected.columns:
        return 0
    return int(given["reason"].isin(expected["reason"]).sum())


def _column_findings(
    place: str, given: pd.DataFrame, expected: gpd.GeoDataFrame, key: str, editable: Sequence[str]
) -> Iterator[str]:
    names = expected[key].astype(str).tolist()
    for column in expected.columns:
        if column in (*editable, "geometry"):
            continue
        if column not in given.columns:
            yield f"{place}: the column {column} is missing"
            continue
        for name, one, other in zip(names, _plain(given[column]), _plain(expected[column]), strict=True):
            if not same(one, other):
                yield f"{place}, {name}, {column}: found {one!r}, the proved plan has {other!r}"
    if not isinstance(given, gpd.GeoDataFrame) or given.crs != expected.crs:
        yield f"{place}: the layer has no shapes in {expected.crs}"
        return
    away = shapely.distance(shapely.centroid(given.geometry.to_numpy()), shapely.centroid(expected.geometry.to_numpy()))
    for row in np.flatnonzero(~(away <= MOVED_M)).tolist():
        yield f"{place}, {names[row]}: its shape was moved or is gone"


def _plain(column: pd.Series[Any]) -> list[object]:
    """Return the values as Python's own, with None for what is missing."""
    return column.astype(object).where(column.notna(), None).tolist()
