"""Checks that every vector layer shares: rows, ids, numbers, words and geometry."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator

import geopandas as gpd
import numpy as np
import shapely

from xinji.core.arrays import Bools, Shapes, duplicate_rows
from xinji.errors import Fault
from xinji.io.check_layers import GEOMETRY_TYPES

ROWS_SHOWN = 50
"""So many rows with the same fault are named one by one; the others are counted."""


def each_row(layer: str, bad: Bools, say: Callable[[int], str], remedy: str) -> Iterator[Fault]:
    """Yield a fault for each row where ``bad`` (n,) is true, with the message ``say(row)``."""
    rows = np.flatnonzero(bad)
    for row in rows[:ROWS_SHOWN]:
        yield Fault(layer, say(int(row)), remedy, int(row))
    if len(rows) > ROWS_SHOWN:
        message = f"{len(rows) - ROWS_SHOWN} further rows have the same fault as row {rows[ROWS_SHOWN - 1]}"
        yield Fault(layer, message, remedy)


def missing(frame: gpd.GeoDataFrame, column: str) -> Bools:
    """Return which rows of ``column`` hold nothing (shape (n,))."""
    empty: Bools = frame[column].isna().to_numpy(bool)
    return empty


def id_faults(layer: str, frame: gpd.GeoDataFrame) -> Iterator[Fault]:
    """Yield missing, empty and repeated ids."""
    empty = missing(frame, "id")
    ids = np.array(["" if gone else value for gone, value in zip(empty, frame["id"], strict=True)], dtype=np.str_)
    empty = ids == ""
    yield from each_row(layer, empty, lambda _: "the id is missing", "Give every row an id of its own.")
    repeated = duplicate_rows(ids) & ~empty
    first = {value: row for row, value in reversed(list(enumerate(ids)))}

    def say(row: int) -> str:
        return f"the id {str(ids[row])!r} is already that of row {first[ids[row]]}"

    yield from each_row(layer, repeated, say, "Make ids unique.")


def number_faults(layer: str, frame: gpd.GeoDataFrame, columns: Iterable[str], unit: str) -> Iterator[Fault]:
    """Yield missing, infinite and negative numbers in ``columns`` [unit]."""
    for column in columns:
        values = frame[column].to_numpy(np.float64, na_value=np.nan)
        bad = ~(np.isfinite(values) & (values >= 0))

        def say(row: int, column: str = column, values: np.ndarray = values) -> str:
            shown = "missing" if np.isnan(values[row]) else f"{values[row]:g} {unit}"
            return f"{column} is {shown}"

        yield from each_row(layer, bad, say, "Give a finite number of at least 0.")


def text_faults(layer: str, frame: gpd.GeoDataFrame, columns: Iterable[str]) -> Iterator[Fault]:
    """Yield rows of ``columns`` that hold no text at all; an empty text is text."""
    for column in columns:
        say = always(f"{column} is missing")
        yield from each_row(layer, missing(frame, column), say, "Give a text; it may be empty.")


def word_faults(layer: str, frame: gpd.GeoDataFrame, column: str, words: tuple[str, ...]) -> Iterator[Fault]:
    """Yield rows whose ``column`` is none of ``words``, with the nearest word as the remedy."""
    values = [str(value) for value in frame[column].fillna("")]
    known = set(words)
    for word in sorted(set(values) - known):
        close = difflib.get_close_matches(word, words, 1)
        hint = f"Did you mean {close[0]!r}? " if close else ""
        bad = np.array([value == word for value in values], dtype=bool)
        say = always(f"{column} is {word!r}" if word else f"{column} is missing")
        yield from each_row(layer, bad, say, f"{hint}Use one of: {', '.join(words)}.")


def shapes_of(frame: gpd.GeoDataFrame) -> Shapes:
    """Return the geometries of ``frame`` as an object array (shape (n,))."""
    return np.array(frame.geometry.to_numpy(), dtype=object)


def geometry_faults(layer: str, frame: gpd.GeoDataFrame) -> tuple[list[Fault], Bools]:
    """Return the faults of the geometries, and which rows are sound (shape (n,))."""
    shapes, types = shapes_of(frame), GEOMETRY_TYPES[layer]
    gone = shapely.is_missing(shapes)
    empty = shapely.is_empty(shapes) & ~gone
    kinds = np.array(["" if lost else shape.geom_type for lost, shape in zip(gone, shapes, strict=True)], dtype=np.str_)
    other = ~gone & ~empty & ~np.isin(kinds, types)
    here = ~(gone | empty | other)
    infinite = here.copy()
    infinite[here] = ~np.isfinite(shapely.bounds(shapes[here])).all(axis=1)
    invalid = here & ~infinite
    invalid[invalid] = ~shapely.is_valid(shapes[invalid])
    names, mend = " or ".join(types), "Draw it again, or leave the row out."
    faults = [
        *each_row(layer, gone, lambda _: "the geometry is missing", mend),
        *each_row(layer, empty, lambda _: "the geometry is empty", mend),
        *each_row(layer, other, lambda row: f"the geometry is a {kinds[row]}, expected {names}", f"Use {names}."),
        *each_row(
            layer,
            infinite,
            lambda _: "the coordinates are not finite",
            "Check the row's coordinates: longitude and latitude may have been swapped before projecting.",
        ),
        *each_row(
            layer,
            invalid,
            lambda row: f"the geometry is invalid ({shapely.is_valid_reason(shapes[row])})",
            "Repair it, for example with QGIS 'Fix geometries'.",
        ),
    ]
    return faults, here & ~infinite & ~invalid


def always(message: str) -> Callable[[int], str]:
    """Return what says ``message`` of every row, for ``each_row``."""
    return lambda _: message
