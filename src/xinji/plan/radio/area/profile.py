"""One ray's profile and everything along it that all of its pixels share.

Heights are metres above the mast's foot, distances kilometres. Slopes seen from the mast are running
maxima along the profile, sums that the smooth Earth is fitted by are running sums.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from xinji.plan.jit import vectorised
from xinji.plan.radio.area.rays import Window

Line: TypeAlias = npt.NDArray[np.float32]


class Profile(NamedTuple):
    """A ray's points (k,), a step apart, the mast's foot first.

    ``ground`` is the terrain and ``top`` the terrain with clutter [m]; ``distance`` [km] and its
    inverse; ``steepest`` the steepest slope to bare terrain without curvature [m/km]; ``area`` and
    ``moment`` the running sums of Equations (85) and (86).
    """

    distance: Line
    inverse: Line
    ground: Line
    top: Line
    steepest: Line
    area: npt.NDArray[np.float64]
    moment: npt.NDArray[np.float64]


@vectorised
def sample(
    surface: tuple[Line, Line], window: Window, heading: tuple[float, float], points: int, profile: Profile
) -> None:
    """Fill in terrain (bilinear) and clutter (nearest) at ``points`` points along a heading.

    ``surface`` holds ground and clutter over the window (rows, columns); ``heading`` is pixels east
    and south for one step.
    """
    ground, clutter = surface
    east, south = heading
    last_row, last_column = window.rows - 1, window.columns - 1
    across, down = window.east, window.south
    base = np.float32(0.0)
    for point in range(points):
        x = min(max(across + east * point, 0.0), float(last_column))
        y = min(max(down + south * point, 0.0), float(last_row))
        column, row = min(int(x), last_column - 1), min(int(y), last_row - 1)
        right, below = np.float32(x - column), np.float32(y - row)
        upper = ground[row, column] + right * (ground[row, column + 1] - ground[row, column])
        lower = ground[row + 1, column] + right * (ground[row + 1, column + 1] - ground[row + 1, column])
        height = upper + below * (lower - upper)
        if point == 0:
            base = height
        profile.ground[point] = height - base
        profile.top[point] = height - base + clutter[int(y + 0.5), int(x + 0.5)]


@vectorised
def accumulate(profile: Profile, points: int, mast_m: np.float32) -> None:
    """Fill in running slopes from the antenna ``mast_m`` above the foot, and running sums."""
    step = np.float64(profile.distance[1])
    steepest = np.float32(-1e9)
    area, moment = 0.0, 0.0
    profile.steepest[0], profile.area[0], profile.moment[0] = steepest, 0.0, 0.0
    for point in range(1, points):
        here, there = np.float64(profile.ground[point]), np.float64(profile.ground[point - 1])
        area += step * (here + there)
        moment += step * step * (here * (3 * point - 1) + there * (3 * point - 2))
        steepest = max(steepest, (profile.ground[point] - mast_m) * profile.inverse[point])
        profile.steepest[point], profile.area[point], profile.moment[point] = steepest, area, moment


@vectorised
def steepen(profile: Profile, heights: Line, points: int, bend: tuple[np.float32, np.float32], steepest: Line) -> None:
    """Fill in the steepest slope from the antenna up to each point [m/km], over a curved Earth.

    ``bend`` is 500 C [m/km2] and the antenna's height [m]. The slope is that of the height less
    500 C d^2: over an Earth straightened so, a ray is straight whatever pixel it ends in.
    """
    curvature, mast_m = bend
    so_far = np.float32(-1e9)
    for point in range(1, points):
        slope = (heights[point] - mast_m) * profile.inverse[point] - curvature * profile.distance[point]
        so_far = max(so_far, slope)
        steepest[point] = so_far
