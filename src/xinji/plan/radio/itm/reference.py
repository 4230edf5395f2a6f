"""The reference attenuation relative to free space: in sight, beyond the horizon, and far beyond it."""

from __future__ import annotations

import cmath
import math
from enum import Enum

from xinji.plan.radio.itm.diffraction import diffraction_line
from xinji.plan.radio.itm.medium import Geometry, Medium, roughness_m, terrain_deviation_m
from xinji.plan.radio.itm.scatter import scatter_line


class Regime(Enum):
    """What carries the signal."""

    LINE_OF_SIGHT = "line of sight"
    DIFFRACTION = "diffraction"
    SCATTER = "scatter"


def two_ray_db(distance_m: float, geometry: Geometry, medium: Medium) -> float:
    """Return the attenuation [dB] of a direct and a reflected ray (Hufford, equations 4.46 to 4.50)."""
    height = sum(geometry.effective_m)
    sine = height / math.hypot(distance_m, height)
    deviation = terrain_deviation_m(roughness_m(distance_m, geometry.irregularity_m))
    smooth = (sine - medium.impedance) / (sine + medium.impedance)
    reflection = smooth * math.exp(-min(10.0, medium.wave_number * deviation * sine))
    power = abs(reflection) ** 2
    if power < 0.25 or power < sine:
        reflection *= math.sqrt(sine / power)
    phase = 2.0 * medium.wave_number * geometry.effective_m[0] * geometry.effective_m[1] / distance_m
    if phase > math.pi / 2.0:
        phase = math.pi - (math.pi / 2.0) ** 2 / phase
    return -20.0 * math.log10(abs(cmath.exp(-1j * phase) + reflection))


def in_sight_db(distance_m: float, line: tuple[float, float], geometry: Geometry, medium: Medium) -> float:
    """Return the attenuation [dB] of two rays weighted with the diffraction line (Hufford, section 4).

    ``line`` is the diffraction line's slope [dB/m] and value at the transmitter [dB].
    """
    smooth_m = max(10e3, geometry.smooth_horizons_m(medium))
    weight = 1.0 / (1.0 + medium.frequency_mhz * geometry.irregularity_m / smooth_m)
    diffracted = line[0] * distance_m + line[1]
    return weight * two_ray_db(distance_m, geometry, medium) + (1.0 - weight) * diffracted


def line_of_sight_db(distance_m: float, line: tuple[float, float], geometry: Geometry, medium: Medium) -> float:
    """Return the attenuation [dB] within the smooth-earth horizon distance.

    A curve through three points, of a linear and a logarithmic term (Hufford, section 4; ERL
    79-ITS 67, equations 3.16 to 3.21).
    """
    slope, start = line
    edge_m, reach_m = geometry.smooth_horizons_m(medium), geometry.horizons_m
    edge = slope * edge_m + start
    d0_m = 0.04 * medium.frequency_mhz * geometry.effective_m[0] * geometry.effective_m[1]
    if start >= 0.0:
        d0_m = min(d0_m, 0.5 * reach_m)
        d1_m = d0_m + 0.25 * (reach_m - d0_m)
    else:
        d1_m = max(-start / slope, 0.25 * reach_m)
    a1 = in_sight_db(d1_m, line, geometry, medium)
    terms = None
    if d0_m < d1_m:
        a0 = in_sight_db(d0_m, line, geometry, medium)
        terms = _curve((d0_m, d1_m, edge_m), (a0, a1, edge), line)
    if terms is None:
        rise = max(edge - a1, 0.0) / (edge_m - d1_m)
        terms = (rise or slope, 0.0)
    linear, logarithmic = terms
    return edge + linear * (distance_m - edge_m) + logarithmic * math.log(distance_m / edge_m)


def _curve(
    distances_m: tuple[float, float, float], levels_db: tuple[float, float, float], line: tuple[float, float]
) -> tuple[float, float] | None:
    """Return the linear [dB/m] and logarithmic term through three points (ERL 79-ITS 67, equations 3.20, 3.21).

    None where the curve would be no curve, and the line through the outer two points serves.
    """
    d0, d1, d2 = distances_m
    a0, a1, a2 = levels_db
    q = math.log(d2 / d0)
    lift = (d2 - d0) * (a1 - a0) - (d1 - d0) * (a2 - a0)
    logarithmic = max(0.0, lift / ((d2 - d0) * math.log(d1 / d0) - (d1 - d0) * q))
    if not (line[1] > 0.0 or logarithmic > 0.0):
        return None
    linear = (a2 - a0 - logarithmic * q) / (d2 - d0)
    if linear >= 0.0:
        return linear, logarithmic
    logarithmic = max(a2 - a0, 0.0) / q
    return (0.0 if logarithmic > 0.0 else line[0]), logarithmic


def beyond_horizon_db(
    distance_m: float, line: tuple[float, float], geometry: Geometry, medium: Medium
) -> tuple[float, Regime]:
    """Return the attenuation [dB] beyond the horizon, by diffraction or scatter (Hufford, section 4)."""
    slope, start = line
    diffracted = slope * distance_m + start
    scattered = scatter_line(geometry, medium)
    if scattered is None:
        return diffracted, Regime.DIFFRACTION
    scatter_slope, at_m, level = scattered
    scale_m = math.cbrt(medium.earth_radius_m**2 / medium.frequency_mhz)
    least_m = geometry.horizons_m + 1.088 * scale_m * math.log(medium.frequency_mhz)
    crossing_m = (level - start - scatter_slope * at_m) / (slope - scatter_slope)
    change_m = max(geometry.smooth_horizons_m(medium), least_m, crossing_m)
    if distance_m <= change_m:
        return diffracted, Regime.DIFFRACTION
    return slope * change_m + start + scatter_slope * (distance_m - change_m), Regime.SCATTER


def reference_attenuation(distance_m: float, geometry: Geometry, medium: Medium) -> tuple[float, Regime]:
    """Return the median attenuation relative to free space [dB, at least 0] and what carries the signal.

    Hufford, The ITS Irregular Terrain Model, version 1.2.2: The Algorithm, section 4.
    """
    line = diffraction_line(geometry, medium)
    if distance_m < geometry.smooth_horizons_m(medium):
        return max(line_of_sight_db(distance_m, line, geometry, medium), 0.0), Regime.LINE_OF_SIGHT
    attenuation, regime = beyond_horizon_db(distance_m, line, geometry, medium)
    return max(attenuation, 0.0), regime
