"""Which pixel belongs to which ray around a mast."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xinji.core.arrays import Ints
from xinji.plan.jit import vectorised

Distances = npt.NDArray[np.float32]
Positions = npt.NDArray[np.int32]


OWN_M = 250.0
"""No ray is needed nearer, where ITU-R P.1812-8 does not serve."""


class Fan(NamedTuple):
    """Pixels by ray: those of ray r stand in ``pixel[start[r]:start[r + 1]]``.

    ``pixel`` (m,) is the position in the flattened window; ``distance_m`` (m,) from the mast; ray r
    leaves the mast at r turns of a full circle divided by the number of rays, clockwise from north.
    """

    start: npt.NDArray[np.int64]
    pixel: Positions
    distance_m: Distances


class Window(NamedTuple):
    """A window's shape, and the mast's place in it [pixels].

    ``east`` is counted from the first column's centre, ``south`` from the first row's.
    """

    rows: int
    columns: int
    east: float
    south: float
    cell_m: float


@vectorised
def turn_of(east: np.float32, north: np.float32) -> np.float32:
    """Return the bearing of a direction as a share of a full turn, 0 to 1 (error below 3e-7).

    The arctangent on 0 to 1 is an odd polynomial; octants are unfolded without branches.
    """
    across, along = np.abs(east), np.abs(north)
    ratio = min(across, along) / max(across, along, np.float32(1e-20))
    square = ratio * ratio
    series = np.float32(-0.00536750281) + square * np.float32(0.0010889879)
    series = np.float32(0.0127021824) + square * series
    series = np.float32(-0.0210839994) + square * series
    series = np.float32(0.0315336864) + square * series
    series = np.float32(-0.0530277237) + square * series
    series = np.float32(0.159154407) + square * series
    turn = ratio * series
    turn = turn if along >= across else np.float32(0.25) - turn
    turn = turn if north >= 0 else np.float32(0.5) - turn
    return np.float32(turn if east >= 0 else np.float32(1) - turn)


@vectorised
def fan_of(window: Window, rays: int, radius_m: float) -> Fan:
    """Return the pixels within the radius, by nearest ray.

    Those that a mast stands in are left out: nearer than half a pixel, at most ``OWN_M``.
    """
    ray = np.empty((window.rows, window.columns), np.int32)
    reach = np.float32((radius_m / window.cell_m) ** 2)
    own = np.float32(min(0.5, OWN_M / window.cell_m) ** 2)
    for row in range(window.rows):
        north = np.float32(window.south - row)
        line = ray[row]
        for column in range(window.columns):
            east = np.float32(column) - np.float32(window.east)
            place = np.int32(turn_of(east, north) * np.float32(rays) + np.float32(0.5))
            place = place if place < rays else np.int32(place - rays)
            gap = east * east + north * north
            line[column] = place if (gap <= reach) & (gap > own) else np.int32(-1)
    start = np.zeros(rays + 1, np.int64)
    flat = ray.ravel()
    for place in flat:
        if place >= 0:
            start[place + 1] += 1
    for one in range(rays):
        start[one + 1] += start[one]
    pixel = np.empty(start[rays], np.int32)
    distance = np.empty(start[rays], np.float32)
    free = start[:-1].copy()
    for row in range(window.rows):
        along = window.south - row
        for column in range(window.columns):
            number = ray[row, column]
            if number >= 0:
                at = free[number]
                free[number] = at + 1
                pixel[at] = np.int32(row * window.columns + column)
                distance[at] = np.float32(window.cell_m * np.sqrt((column - window.east) ** 2 + along * along))
    return Fan(start, pixel, distance)


def fan_to(window: Window, rays: int, place: Ints) -> Fan:
    """Return chosen pixels (positions in the flattened window, (k,)) by nearest ray; the mast's own is left out."""
    chosen = np.unique(place)
    row, column = np.divmod(chosen, window.columns)
    east, north = column - window.east, window.south - row
    gap = np.hypot(east, north)
    ray = np.rint(np.arctan2(east, north) / (2.0 * np.pi) * rays).astype(np.int64) % rays
    away = np.flatnonzero(gap > 0.5)
    order = away[np.argsort(ray[away], kind="stable")]
    start = np.zeros(rays + 1, dtype=np.int64)
    np.cumsum(np.bincount(ray[order], minlength=rays), out=start[1:])
    return Fan(start, chosen[order].astype(np.int32), (gap[order] * window.cell_m).astype(np.float32))
