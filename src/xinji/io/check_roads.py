"""Checks of the road graph: its nodes, its lengths and whether it hangs together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from xinji.core.arrays import Bools, Floats, Ints, Shapes
from xinji.core.vocabulary import ROAD_CLASSES
from xinji.errors import Fault
from xinji.io.check_layers import Findings
from xinji.io.check_rows import each_row, id_faults, missing, shapes_of, word_faults

NODE_TOLERANCE_M = 1.0
"""Line ends that share a node may lie so far apart."""
LARGEST_SHARE_MIN = 0.8
"""The largest piece must hold this share of the length; fibre reaches no other piece."""
LENGTH_RATIO_MAX = 3.0
"""A road may be so many times as long as its simplified line."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """How the road graph hangs together: number of pieces, share of length in the largest."""

    count: int
    largest_share: float


def check_roads(frame: gpd.GeoDataFrame, sound: Bools, found: Findings) -> None:
    """Add what is wrong with the rows of ``roads``; ``sound`` (n,) says whose geometry is usable."""
    found.faults.extend(id_faults("roads", frame))
    found.faults.extend(word_faults("roads", frame, "road_class", ROAD_CLASSES))
    found.faults.extend(_length_faults(frame, sound))
    known = ~(missing(frame, "from_node") | missing(frame, "to_node"))
    message = "from_node or to_node is missing"
    found.faults.extend(each_row("roads", ~known, lambda _: message, "Give the node at each end."))
    found.warnings.extend(_long_warnings(frame, sound))
    usable = known & sound
    if usable.any():
        found.faults.extend(_node_faults(frame, usable))
        _check_pieces(pieces(frame, usable), found)


def pieces(frame: gpd.GeoDataFrame, usable: Bools) -> Pieces:
    """Return how the ``usable`` rows (n,) of the graph hang together."""
    start, end = _ends(frame, usable)
    nodes, position = np.unique(np.concatenate([start, end]), return_inverse=True)
    edges = (np.ones(len(start)), (position[: len(start)], position[len(start) :]))
    count, label = connected_components(coo_matrix(edges, shape=(len(nodes), len(nodes))), directed=False)
    length: Floats = shapely.length(shapes_of(frame)[usable])
    shares = np.bincount(label[position[: len(start)]], weights=length, minlength=count)
    total = float(shares.sum())
    return Pieces(int(count), float(shares.max()) / total if total > 0 else 0.0)


def _check_pieces(graph: Pieces, found: Findings) -> None:
    if graph.count == 1:
        return
    message = f"the road graph is in {graph.count} pieces; the largest holds {graph.largest_share:.1%} of the length"
    remedy = "Join roads at shared nodes (`xinji import` snaps and splits them), or leave the islands out."
    if graph.largest_share < LARGEST_SHARE_MIN:
        expected = f", expected at least {LARGEST_SHARE_MIN:.0%}"
        found.faults.append(Fault("roads", message + expected, remedy))
    else:
        found.warnings.append(Fault("roads", message, remedy))


def _ends(frame: gpd.GeoDataFrame, usable: Bools) -> tuple[Ints, Ints]:
    chosen = frame[usable]
    return chosen["from_node"].to_numpy(np.int64), chosen["to_node"].to_numpy(np.int64)


def _length_faults(frame: gpd.GeoDataFrame, sound: Bools) -> Iterator[Fault]:
    length_m = frame["length_m"].to_numpy(np.float64, na_value=np.nan)
    bad = ~(np.isfinite(length_m) & (length_m > 0))
    remedy = "Give the length in metres, or leave the row out."
    yield from each_row("roads", bad, lambda row: f"length_m is {length_m[row]:g}, expected more than 0", remedy)
    shapes = shapes_of(frame)
    straight_m = np.zeros(len(frame))
    start, end = shapely.get_point(shapes[sound], 0), shapely.get_point(shapes[sound], -1)
    straight_m[sound] = shapely.distance(start, end)
    short = ~bad & (length_m < straight_m - 2 * NODE_TOLERANCE_M)
    yield from each_row(
        "roads",
        short,
        lambda row: f"length_m is {length_m[row]:.1f}, shorter than the {straight_m[row]:.1f} m between its ends",
        "Give the length of the road in metres; another unit or a wrong line is the usual cause.",
    )
    flat = sound.copy()
    flat[sound] = shapely.length(shapes[sound]) == 0
    yield from each_row("roads", flat, lambda _: "the line has zero length", "Leave the row out.")


def _long_warnings(frame: gpd.GeoDataFrame, sound: Bools) -> Iterator[Fault]:
    length_m = frame["length_m"].to_numpy(np.float64, na_value=np.nan)
    line_m = np.full(len(frame), np.inf)
    line_m[sound] = shapely.length(shapes_of(frame)[sound])
    yield from each_row(
        "roads",
        (length_m > LENGTH_RATIO_MAX * line_m) & np.isfinite(length_m) & (line_m > 0),
        lambda row: f"length_m is {length_m[row]:,.0f}, the line is {line_m[row]:,.0f} m long",
        "Give the length of the road in metres; another unit is the usual cause.",
    )


def _node_faults(frame: gpd.GeoDataFrame, usable: Bools) -> Iterator[Fault]:
    rows = np.flatnonzero(usable)
    shapes: Shapes = shapes_of(frame)[usable]
    start, end = _ends(frame, usable)
    nodes = np.concatenate([start, end])
    points = np.concatenate([shapely.get_point(shapes, 0), shapely.get_point(shapes, -1)])
    _, position = np.unique(nodes, return_inverse=True)
    # The median resists one stray end, so that the stray is named and not its neighbours.
    away_m = _from_median(shapely.get_coordinates(points), position)
    apart = np.zeros(len(frame))
    np.maximum.at(apart, np.concatenate([rows, rows]), away_m)
    yield from each_row(
        "roads",
        apart > NODE_TOLERANCE_M,
        lambda row: f"an end lies {apart[row]:.1f} m from its node ({NODE_TOLERANCE_M:g} m allowed)",
        "Move the line's end to the node, or mend from_node and to_node.",
    )


def _from_median(points: Floats, position: Ints) -> Floats:
    order = np.argsort(position, kind="stable")
    breaks = np.flatnonzero(np.diff(position[order])) + 1
    away = np.zeros(len(points))
    for members in np.split(order, breaks):
        centre = np.median(points[members], axis=0)
        away[members] = np.hypot(*(points[members] - centre).T)
    return away
