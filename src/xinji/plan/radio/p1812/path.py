"""Analysis of the path's profile (ITU-R P.1812-8, Attachment 1 to Annex 1, equations (76) to (93)).

Distances in km, heights in m above mean sea level, angles in mrad.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats
from xinji.plan.radio.p1812.profile import Link, Profile


@dataclass(frozen=True, slots=True)
class Horizons:
    """Horizons of both antennas.

    ``transhorizon`` tells whether terrain cuts the line of sight; ``tx_point``, ``rx_point`` are the
    horizons' positions in the profile (on a line-of-sight path both are the point with the least
    clearance in wavelengths), ``tx_km``, ``rx_km`` their distances from the own antenna [km];
    ``tx_mrad``, ``rx_mrad`` the elevation of the horizon [mrad]; ``path_mrad`` the angular distance.
    """

    transhorizon: bool
    tx_point: int
    rx_point: int
    tx_km: float
    rx_km: float
    tx_mrad: float
    rx_mrad: float
    path_mrad: float


@dataclass(frozen=True, slots=True)
class SmoothEarth:
    """Heights of a smooth surface fitted to the terrain, at the two ends [m above mean sea level].

    ``tx_m``, ``rx_m``: least squares; ``*_diffraction_m``: for the diffraction model;
    ``*_ducting_m``: for the ducting model; ``roughness_m``: highest terrain above the latter
    between the horizons [m].
    """

    tx_m: float
    rx_m: float
    tx_diffraction_m: float
    rx_diffraction_m: float
    tx_ducting_m: float
    rx_ducting_m: float
    roughness_m: float


def horizons_of(profile: Profile, link: Link, radius_km: float) -> Horizons:
    """Return the horizons over terrain without clutter, equations (76) to (82)."""
    d, h, length = profile.distance_km, profile.height_m, profile.length_km
    tx_m, rx_m = antenna_heights_m(profile, link)
    over = elevation_mrad(h[1:-1] - tx_m, d[1:-1], radius_km)
    direct = float(elevation_mrad(np.array([rx_m - tx_m]), np.array([length]), radius_km)[0])
    if over.max() > direct:
        back = elevation_mrad(h[1:-1] - rx_m, length - d[1:-1], radius_km)
        tx_mrad, rx_mrad = float(over.max()), float(back.max())
        tx_point = 1 + int(np.argmax(over))
        # Of equal horizons each antenna sees its nearest.
        rx_point = len(d) - 2 - int(np.argmax(back[::-1]))
    else:
        tx_mrad = direct
        rx_mrad = float(elevation_mrad(np.array([tx_m - rx_m]), np.array([length]), radius_km)[0])
        nu = diffraction_parameters(d, h, (tx_m, rx_m), radius_km, link.wavelength_m)
        tx_point = rx_point = len(d) - 2 - int(np.argmax(nu[::-1]))
    return Horizons(
        transhorizon=bool(over.max() > direct),
        tx_point=tx_point,
        rx_point=rx_point,
        tx_km=float(d[tx_point]),
        rx_km=float(length - d[rx_point]),
        tx_mrad=tx_mrad,
        rx_mrad=rx_mrad,
        path_mrad=1e3 * length / radius_km + tx_mrad + rx_mrad,
    )


def antenna_heights_m(profile: Profile, link: Link) -> tuple[float, float]:
    """Return the heights of transmitter and receiver above mean sea level [m] (Table 5)."""
    return float(profile.height_m[0]) + link.tx_height_m, float(profile.height_m[-1]) + link.rx_height_m


def elevation_mrad(rise_m: Floats, distance_km: Floats, radius_km: float) -> Floats:
    """Return the elevation [mrad] of points ``rise_m`` above the antenna (n,), equations (76) to (80)."""
    return 1e3 * np.arctan(rise_m / (1e3 * distance_km) - distance_km / (2.0 * radius_km))


def diffraction_parameters(
    distance_km: Floats, height_m: Floats, ends_m: tuple[float, float], radius_km: float, wavelength_m: float
) -> Floats:
    """Return the diffraction parameter of each inner point (n - 2,), equation (15).

    ``distance_km``, ``height_m`` (n,) are the whole profile; ``ends_m`` the antennas [m above mean
    sea level].
    """
    length, near = float(distance_km[-1]), distance_km[1:-1]
    far = length - near
    bulge = 500.0 / radius_km * near * far
    ray = (ends_m[0] * far + ends_m[1] * near) / length
    scale = np.sqrt(0.002 * length / (wavelength_m * near * far))
    return np.asarray((height_m[1:-1] + bulge - ray) * scale)


def smooth_earth_of(profile: Profile, link: Link, horizons: Horizons) -> SmoothEarth:
    """Return the smooth-Earth surface and the terrain's roughness over it, equations (83) to (93)."""
    ends = (float(profile.height_m[0]), float(profile.height_m[-1]))
    fitted = fitted_ends_m(profile.distance_km, profile.height_m)
    lowered = lowered_ends_m(profile, link, fitted)
    ducting = (min(fitted[0], ends[0]), min(fitted[1], ends[1]))
    return SmoothEarth(
        tx_m=fitted[0],
        rx_m=fitted[1],
        tx_diffraction_m=min(lowered[0], ends[0]),
        rx_diffraction_m=min(lowered[1], ends[1]),
        tx_ducting_m=ducting[0],
        rx_ducting_m=ducting[1],
        roughness_m=roughness_m(profile, horizons, ducting),
    )


def fitted_ends_m(distance_km: Floats, height_m: Floats) -> tuple[float, float]:
    """Return the ends [m] of the straight line that fits the terrain best, equations (83) to (86)."""
    step, length = np.diff(distance_km), float(distance_km[-1])
    far, near, above, below = distance_km[1:], distance_km[:-1], height_m[1:], height_m[:-1]
    area = float((step * (above + below)).sum())
    moment = float((step * (above * (2.0 * far + near) + below * (far + 2.0 * near))).sum())
    return (2.0 * area * length - moment) / length**2, (moment - area * length) / length**2


def lowered_ends_m(profile: Profile, link: Link, fitted_m: tuple[float, float]) -> tuple[float, float]:
    """Return the fitted ends [m] lowered by what rises above the ray, equations (87) and (88)."""
    tx_m, rx_m = antenna_heights_m(profile, link)
    length, near = profile.length_km, profile.distance_km[1:-1]
    far = length - near
    above = profile.height_m[1:-1] - (tx_m * far + rx_m * near) / length
    highest = float(above.max())
    if highest <= 0.0:
        return fitted_m
    tx_slope, rx_slope = float((above / near).max()), float((above / far).max())
    share = tx_slope / (tx_slope + rx_slope)
    return fitted_m[0] - highest * share, fitted_m[1] - highest * (1.0 - share)


def roughness_m(profile: Profile, horizons: Horizons, ends_m: tuple[float, float]) -> float:
    """Return the highest terrain above the smooth surface between the horizons [m], equations (91) and (93)."""
    # Nearly straight ridges may set the two horizons a point past each other by rounding.
    first, last = sorted((horizons.tx_point, horizons.rx_point))
    between = slice(first, last + 1)
    slope = (ends_m[1] - ends_m[0]) / profile.length_km
    return float((profile.height_m[between] - (ends_m[0] + slope * profile.distance_km[between])).max())


def ducting_heights_m(link: Link, profile: Profile, smooth: SmoothEarth) -> tuple[float, float]:
    """Return both effective antenna heights for the ducting model [m], equations (92a) and (92b)."""
    tx_m, rx_m = antenna_heights_m(profile, link)
    return tx_m - smooth.tx_ducting_m, rx_m - smooth.rx_ducting_m


def diffraction_heights_m(link: Link, profile: Profile, smooth: SmoothEarth) -> tuple[float, float]:
    """Return both effective antenna heights for the diffraction model [m], equations (37) and (38)."""
    tx_m, rx_m = antenna_heights_m(profile, link)
    return tx_m - smooth.tx_diffraction_m, rx_m - smooth.rx_diffraction_m
