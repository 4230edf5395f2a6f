"""Attenuation far beyond the horizon by tropospheric scatter."""

from __future__ import annotations

import math

from xinji.plan.radio.itm.medium import WAVE_NUMBER_MHZ_M, Geometry, Medium

_GAIN_CURVES = ((25.0, 24.0), (80.0, 45.0), (177.0, 68.0), (395.0, 80.0), (705.0, 105.0))
_ATTENUATION_CURVES = (
    (10e3, 133.4, 0.332e-3, -10.0),
    (70e3, 104.6, 0.212e-3, -2.5),
    (math.inf, 71.8, 0.157e-3, 5.0),
)
_TOP_GAIN_DB = 15.0
_SMALLEST = 0.2


def attenuation_db(angle_distance_m: float) -> float:
    """Return the attenuation function F(theta d) [dB] (Hufford, equation 6.9)."""
    offset, slope, decades = next(curve[1:] for curve in _ATTENUATION_CURVES if angle_distance_m <= curve[0])
    return offset + slope * angle_distance_m + decades * math.log10(angle_distance_m)


def frequency_gain_db(r: float, efficiency: float) -> float:
    """Return the frequency gain function H01 [dB] for an efficiency cut to 1 to 5 (Hufford, equation 6.13)."""
    efficiency = min(max(efficiency, 1.0), 5.0)
    lower = int(efficiency)
    share = efficiency - lower
    curves = [10.0 * math.log10(1.0 + (a / r**2 + b) / r**2) for a, b in _GAIN_CURVES[lower - 1 : lower + 1]]
    return curves[0] if share == 0.0 else (1.0 - share) * curves[0] + share * curves[1]


def scattering_efficiency(crossover_m: float, refractivity: float) -> float:
    """Return the scattering efficiency eta_s (Technical Note 101, equation 9.3a; Hufford, equation 4.67)."""
    fall = math.exp(-(min(1.7, crossover_m / 8.0e3) ** 6))
    return crossover_m / 1.7556e3 * (1.0 + (0.031 - 2.32e-3 * refractivity + 5.67e-6 * refractivity**2) * fall)


def height_loss_db(distance_m: float, geometry: Geometry, medium: Medium) -> float:
    """Return the frequency gain H0 [dB] of both antennas; infinite where both are too low.

    Hufford, equations 4.66, 4.67 and 6.13, after Technical Note 101, equations 9.3 to 9.5.
    """
    angle = sum(geometry.elevation_rad) + distance_m / medium.earth_radius_m
    r1, r2 = (2.0 * medium.wave_number * angle * height for height in geometry.effective_m)
    if r1 < _SMALLEST and r2 < _SMALLEST:
        return math.inf
    apart_m = geometry.horizon_m[0] - geometry.horizon_m[1]
    ratio = geometry.effective_m[1] / geometry.effective_m[0]
    if apart_m < 0.0:
        apart_m, ratio = -apart_m, 1.0 / ratio
    asymmetry = (distance_m - apart_m) / (distance_m + apart_m)
    q = min(max(0.1, ratio / asymmetry), 10.0)
    s = max(0.1, asymmetry)
    crossover_m = (distance_m - apart_m) * (distance_m + apart_m) * angle * 0.25 / distance_m
    efficiency = scattering_efficiency(crossover_m, medium.refractivity)
    mean = 0.5 * (frequency_gain_db(r1, efficiency) + frequency_gain_db(r2, efficiency))
    correction = 6.0 * (0.6 - math.log10(max(efficiency, 1.0))) * math.log10(s) * math.log10(q)
    gain = max(mean + min(mean, correction), 0.0)
    if efficiency >= 1.0:
        return gain
    root = math.sqrt(2.0)
    least = ((1.0 + root / r1) * (1.0 + root / r2)) ** 2 * (r1 + r2) / (r1 + r2 + 2.0 * root)
    return efficiency * gain + (1.0 - efficiency) * 10.0 * math.log10(least)


def scatter_db(distance_m: float, gain_db: float, geometry: Geometry, medium: Medium) -> float:
    """Return the attenuation [dB] by scatter with frequency gain ``gain_db`` (Hufford, equation 4.63)."""
    angle = distance_m / medium.earth_radius_m - geometry.line_of_sight_rad(medium)
    spread = 10.0 * math.log10(medium.wave_number * WAVE_NUMBER_MHZ_M * angle**4)
    air = 0.1 * (medium.refractivity - 301.0) * math.exp(-angle * distance_m / 40e3)
    return attenuation_db(angle * distance_m) + spread - air + gain_db


def scatter_line(geometry: Geometry, medium: Medium) -> tuple[float, float, float] | None:
    """Return slope [dB/m] of the scatter line, and a distance [m] with the value [dB] there.

    None where scatter is not defined. Above 15 dB the farther point's frequency gain serves both
    (Hufford, page 12).
    """
    near_m, far_m = geometry.horizons_m + 200e3, geometry.horizons_m + 400e3
    far_gain = height_loss_db(far_m, geometry, medium)
    near_gain = far_gain if far_gain > _TOP_GAIN_DB else height_loss_db(near_m, geometry, medium)
    if math.isinf(near_gain):
        return None
    if near_gain > _TOP_GAIN_DB:
        near_gain = far_gain
    near = scatter_db(near_m, near_gain, geometry, medium)
    far = scatter_db(far_m, far_gain, geometry, medium)
    return (far - near) / (far_m - near_m), near_m, near
