"""How attenuation varies with time, location and situation around its reference."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from xinji.plan.radio.itm.inputs import Climate, Service, Share
from xinji.plan.radio.itm.medium import Geometry, Medium, roughness_m, smooth_horizon_m

Curve = tuple[float, float, float, float, float]
"""Two levels [dB] and three distances [m] of a curve over effective distance."""


@dataclass(frozen=True, slots=True)
class _ClimateCurves:
    """Curves of a climate (Hufford, Table 5.1, after Technical Note 101, equations III.69 and III.70).

    ``median`` shift, ``low`` and ``high`` deviation; ``tail`` factor and deviate from which the high
    deviation is another; the factors of frequency for low and high deviation.
    """

    median: Curve
    low: Curve
    high: Curve
    tail: tuple[float, float]
    low_frequency: tuple[float, float, float]
    high_frequency: tuple[float, float, float]


_FLAT = (1.0, 0.0, 0.0)

CURVES: Mapping[Climate, _ClimateCurves] = {
    Climate.EQUATORIAL: _ClimateCurves(
        (-9.67, 12.7, 144.9e3, 190.3e3, 133.8e3),
        (2.13, 159.5, 762.2e3, 123.6e3, 94.5e3),
        (2.11, 102.3, 636.9e3, 134.8e3, 95.6e3),
        (1.224, 1.282),
        _FLAT,
        _FLAT,
    ),
    Climate.CONTINENTAL_SUBTROPICAL: _ClimateCurves(
        (-0.62, 9.19, 228.9e3, 205.2e3, 143.6e3),
        (2.66, 7.67, 100.4e3, 172.5e3, 136.4e3),
        (6.87, 15.53, 138.7e3, 143.7e3, 98.6e3),
        (0.801, 2.161),
        _FLAT,
        (0.93, 0.31, 2.00),
    ),
    Climate.MARITIME_SUBTROPICAL: _ClimateCurves(
        (1.26, 15.5, 262.6e3, 185.2e3, 99.8e3),
        (6.11, 6.65, 138.2e3, 242.2e3, 178.6e3),
        (10.08, 9.60, 165.3e3, 225.7e3, 129.7e3),
        (1.380, 1.282),
        _FLAT,
        _FLAT,
    ),
    Climate.DESERT: _ClimateCurves(
        (-9.21, 9.05, 84.1e3, 101.1e3, 98.6e3),
        (1.98, 13.11, 139.1e3, 132.7e3, 193.5e3),
        (3.68, 159.3, 464.4e3, 93.1e3, 94.2e3),
        (1.000, 20.0),
        _FLAT,
        (0.93, 0.19, 1.79),
    ),
    Climate.CONTINENTAL_TEMPERATE: _ClimateCurves(
        (-0.62, 9.19, 228.9e3, 205.2e3, 143.6e3),
        (2.68, 7.16, 93.7e3, 186.8e3, 133.5e3),
        (4.75, 8.12, 93.2e3, 135.9e3, 113.4e3),
        (1.224, 1.282),
        (0.92, 0.25, 1.77),
        (0.93, 0.31, 2.00),
    ),
    Climate.MARITIME_TEMPERATE_LAND: _ClimateCurves(
        (-0.39, 2.86, 141.7e3, 315.9e3, 167.4e3),
        (6.86, 10.38, 187.8e3, 169.6e3, 108.9e3),
        (8.58, 13.97, 216.0e3, 152.0e3, 122.7e3),
        (1.518, 1.282),
        _FLAT,
        _FLAT,
    ),
    Climate.MARITIME_TEMPERATE_SEA: _ClimateCurves(
        (3.15, 857.9, 2222.0e3, 164.8e3, 116.3e3),
        (8.51, 169.8, 609.8e3, 119.9e3, 106.6e3),
        (8.43, 8.19, 136.2e3, 188.5e3, 122.9e3),
        (1.518, 1.282),
        _FLAT,
        _FLAT,
    ),
}


def upper_quantile(share: float) -> float:
    """Return the standard normal deviate exceeded with probability ``share`` (0 to 1, both excluded).

    Abramowitz and Stegun, equation 26.2.23, whose error of up to 4.5e-4 is part of the model.
    """
    t = math.sqrt(-2.0 * math.log(min(share, 1.0 - share)))
    top = 2.515516 + t * (0.802853 + t * 0.010328)
    bottom = 1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))
    return math.copysign(1.0, 0.5 - share) * (t - top / bottom)


def curve_db(curve: Curve, distance_m: float) -> float:
    """Return a climate's curve [dB] at an effective distance (Technical Note 101, equations III.69 and III.70)."""
    c1, c2, x1, x2, x3 = curve
    grown = (distance_m / x1) ** 2
    return (c1 + c2 / (1.0 + ((distance_m - x2) / x3) ** 2)) * grown / (1.0 + grown)


def effective_distance_m(distance_m: float, geometry: Geometry, medium: Medium) -> float:
    """Return the distance [m] that variability goes by (Hufford, equation 5.3)."""
    reach_m = sum(smooth_horizon_m(height, 9_000e3) for height in geometry.effective_m)
    reach_m += math.cbrt(575.7e12 / medium.wave_number)
    return 130e3 * distance_m / reach_m if distance_m < reach_m else 130e3 + distance_m - reach_m


def frequency_factor(factors: tuple[float, float, float], wave_number: float) -> float:
    """Return the factor of frequency on a deviation (Hufford, section 5)."""
    first, second, third = factors
    turned = third * math.log(0.133 * wave_number)
    return first + second / (turned * turned + 1.0)


def time_deviation_db(curves: _ClimateCurves, deviate: float, distance_m: float, wave_number: float) -> float:
    """Return the deviation in time [dB] that belongs to a deviate (Hufford, section 5)."""
    if deviate < 0.0:
        return curve_db(curves.low, distance_m) * frequency_factor(curves.low_frequency, wave_number)
    high = curve_db(curves.high, distance_m) * frequency_factor(curves.high_frequency, wave_number)
    factor, change = curves.tail
    if deviate <= change:
        return high
    return factor * high + (1.0 - factor) * high * change / deviate


def location_deviation_db(distance_m: float, irregular_m: float, wave_number: float) -> float:
    """Return the deviation over locations [dB] (Hufford, equation 5.9)."""
    rough = wave_number * roughness_m(distance_m, irregular_m)
    return 10.0 * rough / (rough + 13.0)


def varied_db(
    reference_db: float, distance_m: float, geometry: Geometry, medium: Medium, climate: Climate, *, share: Share
) -> float:
    """Return the attenuation relative to free space [dB] not exceeded in a ``share`` (Hufford, section 5)."""
    curves = CURVES[climate]
    effective_m = effective_distance_m(distance_m, geometry, medium)
    time, location, situation = _deviates(share)
    sigma_time = time_deviation_db(curves, time, effective_m, medium.wave_number)
    sigma_location = 0.0
    if not share.fixed_location:
        sigma_location = location_deviation_db(distance_m, geometry.irregularity_m, medium.wave_number)
    sigma_situation = 0.0 if share.fixed_situation else 5.0 + 3.0 * math.exp(-effective_m / 100e3)
    spread = sigma_situation**2 + (sigma_time * time) ** 2 / (7.8 + situation**2)
    spread += (sigma_location * location) ** 2 / (24.0 + situation**2)
    sigmas = (sigma_time, sigma_location)
    result = reference_db - curve_db(curves.median, effective_m)
    result -= _combined_db(share.service, sigmas, (time, location, situation), spread)
    # Fields well above free space are rare, so gains are bent towards 2.9 dB at most.
    return result if result >= 0.0 else result * (29.0 - result) / (29.0 - 10.0 * result)


def _deviates(share: Share) -> tuple[float, float, float]:
    """Return the deviates of time, location and situation, tied together as the service has it."""
    percents = (share.time_percent, share.location_percent, share.situation_percent)
    time, location, situation = (upper_quantile(percent / 100.0) for percent in percents)
    if share.service == Service.SINGLE_MESSAGE:
        return situation, situation, situation
    if share.service == Service.ACCIDENTAL:
        return time, situation, situation
    return (time, time, situation) if share.service == Service.MOBILE else (time, location, situation)


def _combined_db(
    service: Service, sigmas: tuple[float, float], deviates: tuple[float, float, float], spread: float
) -> float:
    """Return the deviation from the median [dB] (Hufford, equation 5.11 and what follows)."""
    sigma_time, sigma_location = sigmas
    time, location, situation = deviates
    if service == Service.SINGLE_MESSAGE:
        return math.sqrt(sigma_time**2 + sigma_location**2 + spread) * situation
    if service == Service.ACCIDENTAL:
        return sigma_time * time + math.sqrt(sigma_location**2 + spread) * situation
    if service == Service.MOBILE:
        return math.hypot(sigma_time, sigma_location) * time + math.sqrt(spread) * situation
    return sigma_time * time + sigma_location * location + math.sqrt(spread) * situation
