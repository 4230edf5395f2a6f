"""ITU-R P.838-3: specific attenuation by rain, 1 to 1000 GHz.

Arrays are float64 and broadcast together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats
from xinji.plan.radio.ranges import check_ranges

NAME = "ITU-R P.838"
HORIZONTAL_DEG = 0.0
CIRCULAR_DEG = 45.0
VERTICAL_DEG = 90.0


@dataclass(frozen=True, slots=True)
class Curve:
    """One coefficient's curve over log10 f: bells (height, centre, width), slope and offset."""

    bells: tuple[tuple[float, float, float], ...]
    slope: float
    offset: float


K_HORIZONTAL = Curve(
    (
        (-5.33980, -0.10008, 1.13098),
        (-0.35351, 1.26970, 0.45400),
        (-0.23789, 0.86036, 0.15354),
        (-0.94158, 0.64552, 0.16817),
    ),
    -0.18961,
    0.71147,
)
"""Table 1: log10 of k for horizontal polarization."""

K_VERTICAL = Curve(
    (
        (-3.80595, 0.56934, 0.81061),
        (-3.44965, -0.22911, 0.51059),
        (-0.39902, 0.73042, 0.11899),
        (0.50167, 1.07319, 0.27195),
    ),
    -0.16398,
    0.63297,
)
"""Table 2: log10 of k for vertical polarization."""

ALPHA_HORIZONTAL = Curve(
    (
        (-0.14318, 1.82442, -0.55187),
        (0.29591, 0.77564, 0.19822),
        (0.32177, 0.63773, 0.13164),
        (-5.37610, -0.96230, 1.47828),
        (16.1721, -3.29980, 3.43990),
    ),
    0.67849,
    -1.95537,
)
"""Table 3: alpha for horizontal polarization."""

ALPHA_VERTICAL = Curve(
    (
        (-0.07771, 2.33840, -0.76284),
        (0.56727, 0.95545, 0.54039),
        (-0.20238, 1.14520, 0.26809),
        (-48.2991, 0.791669, 0.116226),
        (48.5833, 0.791459, 0.116479),
    ),
    -0.053739,
    0.83433,
)
"""Table 4: alpha for vertical polarization."""


def curve_value(curve: Curve, frequency_ghz: Floats) -> Floats:
    """Return log10 k or alpha of one polarization (ITU-R P.838-3, equations 2 and 3)."""
    decades = np.log10(frequency_ghz)
    value = curve.slope * decades + curve.offset
    for height, centre, width in curve.bells:
        value = value + height * np.exp(-(((decades - centre) / width) ** 2))
    return np.asarray(value)


def coefficients(frequency_ghz: Floats, elevation_deg: Floats, tilt_deg: Floats) -> tuple[Floats, Floats]:
    """Return k and alpha of the power law (ITU-R P.838-3, equations 2 to 5).

    ``elevation_deg`` is the path's, ``tilt_deg`` the polarization's from the horizontal (45 for
    circular). Raises InputError for a frequency outside 1 to 1000 GHz or an angle beyond its range.
    """
    checks = (
        ("frequency_ghz", frequency_ghz, (frequency_ghz >= 1.0) & (frequency_ghz <= 1000.0), "1 to 1000"),
        ("elevation_deg", elevation_deg, np.abs(elevation_deg) <= 90.0, "-90 to 90"),
        ("tilt_deg", tilt_deg, np.abs(tilt_deg) <= 180.0, "-180 to 180"),
    )
    check_ranges(NAME, checks)
    k_flat = 10.0 ** curve_value(K_HORIZONTAL, frequency_ghz)
    k_upright = 10.0 ** curve_value(K_VERTICAL, frequency_ghz)
    flat = k_flat * curve_value(ALPHA_HORIZONTAL, frequency_ghz)
    upright = k_upright * curve_value(ALPHA_VERTICAL, frequency_ghz)
    mix = np.cos(np.radians(elevation_deg)) ** 2 * np.cos(2.0 * np.radians(tilt_deg))
    k = (k_flat + k_upright + (k_flat - k_upright) * mix) / 2.0
    alpha = (flat + upright + (flat - upright) * mix) / (2.0 * k)
    return np.asarray(k), np.asarray(alpha)


def rain_db_km(rain_rate_mm_h: Floats, frequency_ghz: Floats, elevation_deg: Floats, tilt_deg: Floats) -> Floats:
    """Return the specific attenuation [dB/km] in rain (ITU-R P.838-3, equation 1).

    Raises InputError as ``coefficients`` does, and for a rain rate [mm/h] that is negative.
    """
    fine = np.isfinite(rain_rate_mm_h) & (rain_rate_mm_h >= 0.0)
    check_ranges(NAME, [("rain_rate_mm_h", rain_rate_mm_h, fine, "the numbers from 0 up")])
    k, alpha = coefficients(frequency_ghz, elevation_deg, tilt_deg)
    return np.asarray(k * rain_rate_mm_h**alpha)
