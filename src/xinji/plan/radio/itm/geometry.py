"""From a terrain profile, or from statistics of terrain, to the model's geometry."""

from __future__ import annotations

import math

import numpy as np

from xinji.core.arrays import Floats
from xinji.plan.radio.itm.inputs import Siting, Terrain
from xinji.plan.radio.itm.medium import Geometry, Medium, Pair, smooth_horizon_m

_SITING_GAIN_M = {Siting.CAREFUL: 4.0, Siting.VERY_CAREFUL: 9.0}
_LOW_ANTENNA_M = 5.0


def mean_height_m(terrain: Terrain) -> float:
    """Return the mean height of the path's middle 80 % [m]."""
    tenth = int(0.1 * terrain.intervals)
    return float(np.mean(terrain.height_m[tenth : terrain.intervals - tenth + 1]))


def horizons(terrain: Terrain, height_m: Pair, earth_radius_m: float) -> tuple[Pair, Pair]:
    """Return the elevation angles [rad] and the distances [m] of both horizons.

    Technical Note 101, equation 6.15; of terminals in sight, each is the other's horizon.
    """
    ground, length = terrain.height_m, terrain.distance_m
    tops = (ground[0] + height_m[0], ground[-1] + height_m[1])
    distance = terrain.step_m * np.arange(1, terrain.intervals)
    angles, distances = [], []
    for own, other, away in ((tops[0], tops[1], distance), (tops[1], tops[0], length - distance)):
        direct = (other - own) / length - length / (2.0 * earth_radius_m)
        blocked = (ground[1:-1] - own) / away - away / (2.0 * earth_radius_m)
        highest = int(np.argmax(blocked))
        seen = blocked[highest] <= direct
        angles.append(float(direct if seen else blocked[highest]))
        distances.append(float(length if seen else away[highest]))
    return (angles[0], angles[1]), (distances[0], distances[1])


def fitted_line(height_m: Floats, start: float, end: float) -> Pair:
    """Return the heights [m] at both ends of the line fitted to the terrain between two indices.

    Least squares with the trapezoidal rule (Hufford, section 6); indices may be fractional and
    are widened where they leave no interval.
    """
    last = len(height_m) - 1
    first_index = int(max(start, 0.0))
    last_index = last - int(max(last - end, 0.0))
    if last_index <= first_index:
        first_index = max(first_index - 1, 0)
        last_index = last - max(last - (last_index + 1), 0)
    count = last_index - first_index
    part = height_m[first_index : last_index + 1].copy()
    part[[0, -1]] *= 0.5
    offset = np.arange(count + 1) - 0.5 * count
    mean = float(part.sum()) / count
    slope = 12.0 * float((part * offset).sum()) / ((count**2 + 2.0) * count)
    middle = last_index - 0.5 * count
    return mean - slope * middle, mean + slope * (last - middle)


def irregularity_m(terrain: Terrain, start_m: float, end_m: float) -> float:
    """Return the terrain irregularity [m] of the part between two distances (Hufford, section 6).

    The interdecile range about a fitted line of 35 to 245 evenly spaced heights, carried over to
    long distances (ERL 79-ITS 67, equation 3); 0 for parts below two intervals.
    """
    start, end = start_m / terrain.step_m, end_m / terrain.step_m
    if end - start < 2.0:
        return 0.0
    decile = min(max(4, int(0.1 * (end - start + 8.0))), 25)
    count = 10 * decile - 5
    heights = np.interp(np.linspace(start, end, count), np.arange(len(terrain.height_m)), terrain.height_m)
    above = np.sort(heights - np.linspace(*fitted_line(heights, 0.0, count - 1.0), count))[::-1]
    interdecile = float(above[decile - 1] - above[count - decile])
    return interdecile / (1.0 - 0.8 * math.exp(-(end_m - start_m) / 50e3))


def rough_horizon_m(effective_m: float, irregular_m: float, medium: Medium) -> float:
    """Return the median horizon distance [m] over irregular terrain (Hufford, equation 3.3)."""
    fall = 0.07 * math.sqrt(irregular_m / max(effective_m, _LOW_ANTENNA_M))
    return smooth_horizon_m(effective_m, medium.earth_radius_m) * math.exp(-fall)


def rough_elevation_rad(effective_m: float, horizon_m: float, irregular_m: float, medium: Medium) -> float:
    """Return the median elevation angle [rad] of a horizon (Hufford, equation 3.4)."""
    smooth_m = smooth_horizon_m(effective_m, medium.earth_radius_m)
    return (0.65 * irregular_m * (smooth_m / horizon_m - 1.0) - 2.0 * effective_m) / smooth_m


def profile_geometry(terrain: Terrain, height_m: Pair, medium: Medium) -> Geometry:
    """Return the geometry of a path over a known profile (Hufford, section 6)."""
    length = terrain.distance_m
    elevation_rad, horizon_m = horizons(terrain, height_m, medium.earth_radius_m)
    start_m = min(15.0 * height_m[0], 0.1 * horizon_m[0])
    end_m = length - min(15.0 * height_m[1], 0.1 * horizon_m[1])
    irregular_m = irregularity_m(terrain, start_m, end_m)
    in_sight = sum(horizon_m) > 1.5 * length
    near_m, far_m = (end_m, start_m) if in_sight else (0.9 * horizon_m[0], length - 0.9 * horizon_m[1])
    step = terrain.step_m
    planes = (
        fitted_line(terrain.height_m, start_m / step, near_m / step)[0],
        fitted_line(terrain.height_m, far_m / step, end_m / step)[1],
    )
    ends = (float(terrain.height_m[0]), float(terrain.height_m[-1]))
    effective_m = (height_m[0] + max(ends[0] - planes[0], 0.0), height_m[1] + max(ends[1] - planes[1], 0.0))
    if not in_sight:
        return Geometry(height_m, effective_m, horizon_m, elevation_rad, irregular_m, profile_known=True)
    reach_m = sum(rough_horizon_m(height, irregular_m, medium) for height in effective_m)
    if reach_m <= length:
        # The terminals do see one another, so the heights are raised until statistics say so too.
        lift = (length / reach_m) ** 2
        effective_m = (effective_m[0] * lift, effective_m[1] * lift)
    return _statistical(height_m, effective_m, irregular_m, medium, profile_known=True)


def area_geometry(irregular_m: float, height_m: Pair, siting: tuple[Siting, Siting], medium: Medium) -> Geometry:
    """Return the median geometry over terrain of an irregularity [m] (Hufford, section 3)."""
    effective_m = (
        sited_height_m(height_m[0], siting[0], irregular_m),
        sited_height_m(height_m[1], siting[1], irregular_m),
    )
    return _statistical(height_m, effective_m, irregular_m, medium, profile_known=False)


def sited_height_m(height_m: float, siting: Siting, irregular_m: float) -> float:
    """Return the effective height [m] of a terminal sited with some care (Hufford, equation 3.2)."""
    if siting == Siting.RANDOM:
        return height_m
    gain = _SITING_GAIN_M[siting]
    if height_m < _LOW_ANTENNA_M:
        gain *= math.sin(0.1 * math.pi * height_m)
    return height_m + (1.0 + gain) * math.exp(-min(20.0, 2.0 * height_m / max(1e-3, irregular_m)))


def _statistical(
    height_m: Pair, effective_m: Pair, irregular_m: float, medium: Medium, *, profile_known: bool
) -> Geometry:
    """Return the geometry with median horizons for effective heights."""
    tx_m, rx_m = (rough_horizon_m(height, irregular_m, medium) for height in effective_m)
    elevation_rad = (
        rough_elevation_rad(effective_m[0], tx_m, irregular_m, medium),
        rough_elevation_rad(effective_m[1], rx_m, irregular_m, medium),
    )
    return Geometry(height_m, effective_m, (tx_m, rx_m), elevation_rad, irregular_m, profile_known=profile_known)
