"""Whether a layer was left in GCJ-02, China's shifted map datum.

The transform from WGS-84 is the one published with the first open implementations (eviltransform,
https://github.com/googollee/eviltransform); it moves a point by roughly 300 to 700 m.

The test slides a layer by that shift, taken off and put on, and by the same length in six other
directions, and asks of each point whether it then fits its neighbour (boundary, roads, clutter)
better or worse. A shift is suspected only if taking it off (or putting it on) makes far more points
fit better than worse, compared with where the layer stands and with each of the other slides: a
sign test, which no outlier can sway. Chance, or a shift of another cause, does not point that way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
import pyproj
import shapely

from xinji.core.arrays import Floats, Shapes
from xinji.core.grid import Raster
from xinji.core.vocabulary import LAND_USES
from xinji.errors import Fault

POINTS_MAX = 2000
"""So many points, spread evenly over the rows, are tested at most."""
WON_MIN = 0.6
"""Of the points that change, this share must fit better after the slide than where they stand."""
SCORE_MIN = 4.0
"""The sign test's standard score against the layer where it stands; chance gives 4 once in 30,000."""
SCORE_OTHERS_MIN = 1.5
"""The sign test's standard score against each slide in another direction."""

_AXIS_M = 6_378_245.0
_ECCENTRICITY2 = 0.00669342162296594323
_DIRECTIONS = 8
_CHINA = (72.004, 0.8293, 137.8347, 55.8271)

Misfit: TypeAlias = Callable[[Floats, Floats], Floats]
"""How badly points [m] fit, each for itself (at least 0, shape (n,))."""


def gcj02(longitude: Floats, latitude: Floats) -> tuple[Floats, Floats]:
    """Return the GCJ-02 longitude and latitude [degrees] of WGS-84 points (each shape (n,))."""
    x, y = longitude - 105.0, latitude - 35.0
    ripple = 20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x))
    north += (ripple + 20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x))
    east += (ripple + 20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    angle = np.radians(latitude)
    curve = 1.0 - _ECCENTRICITY2 * np.sin(angle) ** 2
    meridian_m = _AXIS_M * (1.0 - _ECCENTRICITY2) / curve**1.5
    parallel_m = _AXIS_M / np.sqrt(curve) * np.cos(angle)
    return longitude + np.degrees(east / parallel_m), latitude + np.degrees(north / meridian_m)


def shift_m(crs: str, x_m: Floats, y_m: Floats) -> tuple[Floats, Floats]:
    """Return how far GCJ-02 moves each point [m] east and north in ``crs``; 0 outside China."""
    to_degrees = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    longitude, latitude = to_degrees.transform(x_m, y_m)
    west, south, east, north = _CHINA
    inside = (longitude > west) & (longitude < east) & (latitude > south) & (latitude < north)
    moved_x, moved_y = to_degrees.transform(*gcj02(longitude, latitude), direction="INVERSE")
    return np.where(inside, moved_x - x_m, 0.0), np.where(inside, moved_y - y_m, 0.0)


def suspicion(crs: str, x_m: Floats, y_m: Floats, misfit: Misfit) -> str:
    """Return in words what the slides of these points [m] (each shape (n,)) say, or '' if nothing."""
    chosen = np.unique(np.linspace(0, len(x_m) - 1, POINTS_MAX).astype(np.int64))
    x_m, y_m = x_m[chosen], y_m[chosen]
    east_m, north_m = shift_m(crs, x_m, y_m)
    length_m = float(np.median(np.hypot(east_m, north_m)))
    if length_m == 0.0:
        return ""
    turns = np.arange(_DIRECTIONS) * 2.0 * np.pi / _DIRECTIONS
    slides = [
        misfit(x_m - east_m * c + north_m * s, y_m - east_m * s - north_m * c)
        for c, s in zip(np.cos(turns), np.sin(turns), strict=True)
    ]
    standing = misfit(x_m, y_m)
    for turn, verb in ((0, "taken off"), (_DIRECTIONS // 2, "put on")):
        better, worse = _sign_test(slides[turn], standing)
        others = [_sign_test(slides[turn], slide) for n, slide in enumerate(slides) if n != turn]
        clear = better >= WON_MIN * (better + worse) and _score(better, worse) >= SCORE_MIN
        if clear and all(_score(*pair) >= SCORE_OTHERS_MIN for pair in others):
            counts = f"{better} of {len(standing)} points fit better and {worse} worse"
            return f"with the shift of {length_m:.0f} m {verb}, {counts}"
    return ""


def _sign_test(slid: Floats, standing: Floats) -> tuple[int, int]:
    return int(np.count_nonzero(slid < standing)), int(np.count_nonzero(slid > standing))


def _score(better: int, worse: int) -> float:
    """Return the standard score of the sign test (McNemar, Psychometrika 12 (1947) 153), ties left out."""
    return (better - worse) / math.sqrt(max(better + worse, 1))


def gcj_faults(crs: str, points: dict[str, tuple[Floats, Floats]], roads: Shapes, boundary: Shapes) -> Iterator[Fault]:
    """Yield a fault for each layer of ``points`` [m] that fits boundary or roads only once shifted.

    ``roads`` holds LineStrings, ``boundary`` one polygon; either may be empty.
    """
    for layer, (x_m, y_m) in points.items():
        if len(boundary):
            said = suspicion(crs, x_m, y_m, _outside(boundary[0]))
            if said:
                yield _fault(layer, "the boundary", said)
                continue
        if layer == "facilities" and len(roads):
            said = suspicion(crs, x_m, y_m, _off_road(roads))
            if said:
                yield _fault(layer, "the roads", said)


def clutter_faults(crs: str, roads: Shapes, clutter: Raster) -> Iterator[Fault]:
    """Yield a fault if ``roads`` (LineStrings) lie on the clutter's roads only once shifted."""
    if not (clutter.values == LAND_USES.index("road")).any():
        return
    middles = shapely.line_interpolate_point(roads, 0.5, normalized=True)

    def misfit(x_m: Floats, y_m: Floats) -> Floats:
        return np.where(clutter.sample(x_m, y_m) == LAND_USES.index("road"), 0.0, 1.0)

    said = suspicion(crs, shapely.get_x(middles), shapely.get_y(middles), misfit)
    if said:
        yield _fault("roads", "the clutter's roads", said)


def _fault(layer: str, other: str, said: str) -> Fault:
    remedy = "Convert the layer to WGS-84 before importing it; if a trusted map says it lies right, set gcj02_checked."
    return Fault(layer, f"a GCJ-02 shift against {other} is suspected; {said}", remedy)


def _outside(boundary: shapely.Geometry) -> Misfit:
    shapely.prepare(boundary)

    def misfit(x_m: Floats, y_m: Floats) -> Floats:
        return np.where(shapely.contains_xy(boundary, x_m, y_m), 0.0, 1.0)

    return misfit


def _off_road(roads: Shapes) -> Misfit:
    tree = shapely.STRtree(roads)

    def misfit(x_m: Floats, y_m: Floats) -> Floats:
        points = shapely.points(x_m, y_m)
        return np.asarray(shapely.distance(points, roads[tree.nearest(points)]))

    return misfit
