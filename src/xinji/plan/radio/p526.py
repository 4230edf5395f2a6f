"""ITU-R P.526-15: diffraction over one knife edge, over the smooth Earth, and over a profile.

Arrays are float64; those of single edges and of the smooth Earth broadcast together. Heights in
metres, distances in kilometres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import fresnel

from xinji.core.arrays import Bools, Floats
from xinji.errors import Fault, InputError
from xinji.plan.radio.p525 import wavelength_m
from xinji.plan.radio.ranges import check_ranges
from xinji.units import METRES_PER_KM

NAME = "ITU-R P.526"
NEGLIGIBLE_EDGE = -0.78
"""Below this parameter an edge costs nothing (equation 31)."""


def knife_edge_parameter(height_m: Floats, near_km: Floats, far_km: Floats, frequency_ghz: Floats) -> Floats:
    """Return nu of an edge ``height_m`` above the straight line (ITU-R P.526-15, equation 26).

    ``near_km`` and ``far_km`` are its distances from the two ends. Raises InputError for a distance
    or frequency that is not positive.
    """
    named = (("near_km", near_km), ("far_km", far_km), ("frequency_ghz", frequency_ghz))
    check_ranges(NAME, [(name, values, values > 0.0, "the positive numbers") for name, values in named])
    per_m = (1.0 / near_km + 1.0 / far_km) / METRES_PER_KM
    return np.asarray(height_m * np.sqrt(2.0 / wavelength_m(frequency_ghz) * per_m))


def knife_edge_db(parameter: Floats) -> Floats:
    """Return the loss of a knife edge by its nu, zero up to -0.78 (ITU-R P.526-15, equation 31)."""
    shifted = np.maximum(parameter, NEGLIGIBLE_EDGE) - 0.1
    loss = 6.9 + 20.0 * np.log10(np.sqrt(shifted**2 + 1.0) + shifted)
    return np.where(parameter <= NEGLIGIBLE_EDGE, 0.0, loss)


def knife_edge_exact_db(parameter: Floats) -> Floats:
    """Return the loss of a knife edge by its nu from Fresnel's integrals (ITU-R P.526-15, equation 30)."""
    sine, cosine = fresnel(parameter)
    return np.asarray(-20.0 * np.log10(np.hypot(1.0 - cosine - sine, cosine - sine) / 2.0))


@dataclass(frozen=True, slots=True)
class Ground:
    """Relative permittivity and conductivity [S/m] of a surface."""

    permittivity: float
    conductivity_s_m: float


LAND = Ground(22.0, 0.003)
SEA = Ground(80.0, 5.0)


def surface_admittance(
    ground: Ground,
    frequency_ghz: Floats,
    earth_radius_km: float,
    polarization: Literal["horizontal", "vertical"],
) -> Floats:
    """Return the normalised surface admittance K (ITU-R P.526-15, equations 10 and 11)."""
    loss_term = 18.0 * ground.conductivity_s_m / frequency_ghz
    horizontal = 0.036 * (earth_radius_km * frequency_ghz) ** (-1.0 / 3.0)
    horizontal = horizontal * ((ground.permittivity - 1.0) ** 2 + loss_term**2) ** -0.25
    if polarization == "horizontal":
        return np.asarray(horizontal)
    return np.asarray(horizontal * np.sqrt(ground.permittivity**2 + loss_term**2))


def smooth_earth_db(
    distance_km: Floats,
    frequency_ghz: Floats,
    heights_m: tuple[Floats, Floats],
    *,
    ground: Ground,
    earth_radius_km: float,
    polarization: Literal["horizontal", "vertical"],
) -> Floats:
    """Return the loss over free space beyond the smooth Earth's horizon, first term of the series.

    ITU-R P.526-15, section 3.1.1.2, equations 13 to 18. ``heights_m`` are the two antennas' above
    the surface, ``earth_radius_km`` is effective. Negative where the series does not hold (within
    the line of sight). Raises InputError for a value that is not positive or another polarization.
    """
    if polarization not in ("horizontal", "vertical"):
        found = f"the polarization is {polarization!r}"
        raise InputError([Fault(NAME, found, "Give horizontal or vertical.")])
    named = (
        ("distance_km", distance_km),
        ("frequency_ghz", frequency_ghz),
        ("heights_m[0]", heights_m[0]),
        ("heights_m[1]", heights_m[1]),
        ("earth_radius_km", np.asarray(earth_radius_km)),
    )
    check_ranges(NAME, [(name, values, values > 0.0, "the positive numbers") for name, values in named])
    admittance = surface_admittance(ground, frequency_ghz, earth_radius_km, polarization)
    square = admittance**2
    beta = (1.0 + 1.6 * square + 0.67 * square**2) / (1.0 + 4.5 * square + 1.53 * square**2)
    length = 21.88 * beta * (frequency_ghz / earth_radius_km**2) ** (1.0 / 3.0) * distance_km
    scale = 0.9575 * beta * (frequency_ghz**2 / earth_radius_km) ** (1.0 / 3.0)
    gains = [_height_gain_db(beta * scale * height, admittance) for height in heights_m]
    return np.asarray(-_distance_db(length) - gains[0] - gains[1])


def _distance_db(length: Floats) -> Floats:
    """Return F(X) (ITU-R P.526-15, equation 17)."""
    long = 11.0 + 10.0 * np.log10(length) - 17.6 * length
    return np.where(length >= 1.6, long, -20.0 * np.log10(length) - 5.6488 * length**1.425)


def _height_gain_db(height: Floats, admittance: Floats) -> Floats:
    """Return G(Y), at least 2 + 20 log K (ITU-R P.526-15, equation 18)."""
    over = np.maximum(height, 2.0) - 1.1
    high = 17.6 * np.sqrt(over) - 5.0 * np.log10(over) - 8.0
    low = 20.0 * np.log10(height + 0.1 * height**3)
    return np.maximum(np.where(height > 2.0, high, low), 2.0 + 20.0 * np.log10(admittance))


def bullington_db(
    distance_km: Floats,
    height_m: Floats,
    *,
    ends_m: tuple[float, float],
    frequency_ghz: float,
    earth_radius_km: float,
) -> float:
    """Return the loss over free space of a terrain profile by Bullington's one edge.

    ITU-R P.526-15, section 4.5.1. ``distance_km`` and ``height_m`` (n,) are the profile from the
    transmitter (distance 0) to the receiver, ``ends_m`` the antennas' heights above sea level,
    ``earth_radius_km`` the effective radius. Raises InputError if the profile has fewer than three
    points, does not start at 0 or does not go forward.
    """
    _check_profile(distance_km, height_m, frequency_ghz, earth_radius_km)
    total = float(distance_km[-1])
    near = distance_km[1:-1]
    far = total - near
    bulged = height_m[1:-1] + METRES_PER_KM / 2.0 * near * far / earth_radius_km
    scale = 2.0 / METRES_PER_KM * total / float(wavelength_m(np.asarray(frequency_ghz)))
    slope_out = float(((bulged - ends_m[0]) / near).max())
    if slope_out < (ends_m[1] - ends_m[0]) / total:
        above = bulged - (ends_m[0] * far + ends_m[1] * near) / total
        worst = float((above * np.sqrt(scale / (near * far))).max())
    else:
        slope_back = float(((bulged - ends_m[1]) / far).max())
        edge = (ends_m[1] - ends_m[0] + slope_back * total) / (slope_out + slope_back)
        beyond = total - edge
        above_edge = ends_m[0] + slope_out * edge - (ends_m[0] * beyond + ends_m[1] * edge) / total
        worst = above_edge * float(np.sqrt(scale / (edge * beyond)))
    loss = float(knife_edge_db(np.asarray(worst)))
    return loss + (1.0 - float(np.exp(-loss / 6.0))) * (10.0 + 0.02 * total)


def _check_profile(distance_km: Floats, height_m: Floats, frequency_ghz: float, earth_radius_km: float) -> None:
    if distance_km.shape != height_m.shape or distance_km.ndim != 1 or len(distance_km) < 3:
        found = f"the profile has {distance_km.shape} distances and {height_m.shape} heights"
        raise InputError([Fault(NAME, found, "Give both for the same three or more points.")])
    forward: Bools = np.concatenate([distance_km[:1] == 0.0, np.diff(distance_km) > 0.0])
    checks = (
        ("distance_km", distance_km, forward, "rising distances from 0"),
        ("height_m", height_m, np.isfinite(height_m), "the finite numbers"),
        ("frequency_ghz", frequency_ghz, frequency_ghz > 0.0, "the positive numbers"),
        ("earth_radius_km", earth_radius_km, earth_radius_km > 0.0, "the positive numbers"),
    )
    check_ranges(NAME, checks)
