"""Ducting, and times rarer than half: the rest of ITU-R P.1812-8, for paths where it matters.

Float64, one path at a time. What needs no other function is taken from the reference and compiled.
The path runs over inland ground throughout (sea fraction 0).
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from xinji.plan.jit import compiled, inlined, vectorised
from xinji.plan.radio.area.profile import Profile
from xinji.plan.radio.area.reduce import Antennas, fitted_ends, highest_above
from xinji.plan.radio.area.tail import Band
from xinji.plan.radio.p1812 import climate, ducting, line_of_sight, loss, variability

_inland_factor = compiled(climate.inland_factor)
_land_factor = compiled(climate.land_factor)
_latitude_factor = compiled(climate.latitude_factor)
focusing_db = compiled(line_of_sight.focusing_db)
_roughness_factor = compiled(ducting.roughness_factor)
_angle_factor = compiled(loss.angle_factor)
_distance_factor = compiled(loss.distance_factor)
_soft_maximum_db = compiled(loss.soft_maximum_db)
_limited_loss_db = compiled(loss.limited_loss_db)
_joined_loss_db = compiled(loss.joined_loss_db)
_upper_tail = compiled(variability._upper_tail)  # noqa: SLF001 - the same approximation as the reference's


Crests: TypeAlias = npt.NDArray[np.int32]


class Air(NamedTuple):
    """Share of time [%], latitude without sign [deg], median effective Earth radius [km]."""

    time_percent: float
    latitude_deg: float
    radius_km: float


class Horizons(NamedTuple):
    """The horizons' points in the profile, their distances [km] and elevations [mrad], as in the reference."""

    mast_point: int
    terminal_point: int
    mast_km: float
    terminal_km: float
    mast_mrad: float
    terminal_mrad: float


class Duct(NamedTuple):
    """What a path's loss needs beyond diffraction, on any band.

    Distances [km] and elevations [mrad] of both horizons; ``path_mrad`` theta (82) and ``duct_mrad``
    theta' (52); ``time_db`` A(p) (53); the factors Fi (40), Fj (57) and Fk (58); what focusing adds
    to free space at the time wanted and at that of ducting [dB] (9).
    """

    mast_km: float
    terminal_km: float
    mast_mrad: float
    terminal_mrad: float
    path_mrad: float
    duct_mrad: float
    time_db: float
    time_factor: float
    angle_factor: float
    distance_factor: float
    focus_db: float
    ducting_focus_db: float


@vectorised
def find_crests(profile: Profile, points: int, bend: tuple[float, float], crest: Crests) -> None:
    """Fill in which point up to each stands steepest seen from the antenna; of equal ones the nearest.

    ``bend`` is 500 C [m/km2] and the antenna's height [m].
    """
    curvature, mast_m = bend
    highest, found = np.float64(-1e9), 0
    for point in range(1, points):
        slope = _slope(profile, point, curvature, mast_m)
        if slope > highest:
            highest, found = slope, point
        crest[point] = np.int32(found)


@inlined
def _slope(profile: Profile, point: int, curvature: float, mast_m: float) -> np.float64:
    """Return the slope from the antenna to bare terrain at a point, over the straightened Earth [m/km]."""
    distance = np.float64(profile.distance[point])
    return np.float64((np.float64(profile.ground[point]) - mast_m) / distance - curvature * distance)


@compiled
def incidence_percent(length_km: float, latitude_deg: float) -> float:
    """Return the time with strong lapse near the ground [%] on an inland path (beta0, Equations 2 to 5)."""
    land = _land_factor(length_km, _inland_factor(length_km))
    level = math.pow(10.0, -0.015 * latitude_deg + 1.67) if latitude_deg <= 70.0 else 4.17
    return level * land * _latitude_factor(latitude_deg, land)


@compiled
def time_db(percent: float, incidence: float, length_km: float) -> float:
    """Return the loss of ducting that varies with time [dB] (A, Equation 53)."""
    ratio, level = percent / incidence, math.log10(incidence)
    decay = (9.51 - 4.8 * level + 0.198 * level * level) * 1e-6 * math.pow(length_km, 1.13)
    power = 1.076 / math.pow(2.0058 - level, 1.012) * math.exp(-decay)
    return -12.0 + (1.2 + 3.7e-3 * length_km) * math.log10(ratio) + 12.0 * math.pow(ratio, power)


@compiled
def horizons_of(
    profile: Profile, crest: Crests, last: int, end: tuple[float, float], bend: tuple[float, float]
) -> Horizons:
    """Return both horizons over bare terrain (Equations 76 to 81).

    ``end`` is the pixel's distance [km] and antenna height above the mast's foot [m]; ``bend`` is 500 C
    [m/km2] and the mast's antenna height [m]. Within sight both are the point of least clearance.
    """
    length, level = end
    curvature, mast_m = bend
    direct = (level - mast_m) / length - curvature * length
    near = int(crest[last])
    rise = _slope(profile, near, curvature, mast_m)
    if rise > direct:
        far = _terminal_crest(profile, last, end, curvature)
        run = length - np.float64(profile.distance[far])
        back = (np.float64(profile.ground[far]) - level) / run - curvature * run
    else:
        near = far = _least_clear(profile, last, (mast_m, direct, length), curvature)
        rise, back = np.float64(direct), np.float64(-direct - 2.0 * curvature * length)
    return Horizons(
        near,
        far,
        np.float64(profile.distance[near]),
        length - np.float64(profile.distance[far]),
        1e3 * math.atan(1e-3 * rise),
        1e3 * math.atan(1e-3 * back),
    )


@compiled
def _terminal_crest(profile: Profile, last: int, end: tuple[float, float], curvature: float) -> int:
    """Return the point that stands steepest seen back from the pixel, of equal ones the nearest to it."""
    length, level = end
    found, rise, run = 1, -1e30, 1.0
    for point in range(1, last + 1):
        away = length - np.float64(profile.distance[point])
        above = np.float64(profile.ground[point]) - level - curvature * away * away
        if above * run >= rise * away:
            found, rise, run = point, above, away
    return found


@compiled
def _least_clear(profile: Profile, last: int, sight: tuple[float, float, float], curvature: float) -> int:
    """Return the point with the greatest diffraction parameter of a path within sight, of equal ones the last.

    ``sight`` is the line's start [m], slope [m/km] over the straightened Earth and length [km].
    """
    start, slope, length = sight
    found, depth, width = 1, 1e30, 1.0
    for point in range(1, last + 1):
        here = np.float64(profile.distance[point])
        gap = start + (slope + curvature * here) * here - np.float64(profile.ground[point])
        squared, product = gap * gap, here * (length - here)
        if squared * width <= depth * product:
            found, depth, width = point, squared, product
    return found


@compiled
def duct_of(profile: Profile, crest: Crests, last: int, end: tuple[float, float], antennas: Antennas, air: Air) -> Duct:
    """Return what ducting and rare times need of a path.

    ``end`` is the pixel's distance [km] and ground above the mast's foot [m].
    """
    length, ground = end
    mast_m, terminal_m = np.float64(antennas.mast_m), np.float64(antennas.terminal_m)
    curvature = 500.0 / air.radius_km
    seen = horizons_of(profile, crest, last, (length, ground + terminal_m), (curvature, mast_m))
    path = 1e3 * length / air.radius_km
    held = min(seen.mast_mrad, 0.1 * seen.mast_km) + min(seen.terminal_mrad, 0.1 * seen.terminal_km)
    often = incidence_percent(length, air.latitude_deg)
    time_factor = 1.0
    if air.time_percent > often:
        time_factor = _upper_tail(0.01 * air.time_percent) / _upper_tail(0.01 * often)
    horizons_km = seen.mast_km + seen.terminal_km
    return Duct(
        seen.mast_km,
        seen.terminal_km,
        seen.mast_mrad,
        seen.terminal_mrad,
        path + seen.mast_mrad + seen.terminal_mrad,
        path + held,
        time_db(air.time_percent, often * _terrain_share(profile, last, end, antennas, (curvature, seen)), length),
        time_factor,
        _angle_factor(path + seen.mast_mrad + seen.terminal_mrad),
        _distance_factor(length),
        focusing_db(air.time_percent, horizons_km),
        focusing_db(often, horizons_km),
    )


@compiled
def _terrain_share(
    profile: Profile, last: int, end: tuple[float, float], antennas: Antennas, view: tuple[float, Horizons]
) -> float:
    """Return the share of ducting that antennas and rough terrain leave (mu2 mu3, Equations 55 and 56).

    ``view`` is 500 C [m/km2] and the horizons.
    """
    length, ground = end
    curvature, seen = view
    fitted = fitted_ends(profile, last, (length, ground))
    foot, far = min(fitted[0], 0.0), min(fitted[1], ground)
    mast, terminal = antennas.mast_m - foot, antennas.terminal_m + ground - far
    exponent = max(-3.4, -0.6 - 3.5e-9 * math.pow(length, 3.1) * _inland_factor(length))
    reach = (math.sqrt(mast) + math.sqrt(terminal)) ** 2
    geometry = min(1.0, math.pow(curvature * length * length / reach, exponent))
    points = min(seen.mast_point, seen.terminal_point), max(seen.mast_point, seen.terminal_point)
    rough = highest_above(profile, points, (np.float32(foot), np.float32((far - foot) / length)))
    return geometry * _roughness_factor(np.float64(rough), length - seen.mast_km - seen.terminal_km)


@compiled
def shielding_db(horizon_km: float, horizon_mrad: float, band: Band) -> float:
    """Return the loss by shielding of a site [dB] (Equation 48)."""
    angle = horizon_mrad - 0.1 * horizon_km
    if angle <= 0.0:
        return 0.0
    edge = 20.0 * math.log10(1.0 + 0.361 * angle * math.sqrt(band.frequency_ghz * horizon_km))
    return edge + 0.264 * angle * np.float64(band.third)


@compiled
def guided_db(band: Band, duct: Duct) -> float:
    """Return the loss by ducting and layer reflection [dB] (Lba, Equation 46)."""
    fixed = np.float64(band.guided) + 20.0 * math.log10(duct.mast_km + duct.terminal_km)
    fixed += shielding_db(duct.mast_km, duct.mast_mrad, band) + shielding_db(duct.terminal_km, duct.terminal_mrad, band)
    return fixed + np.float64(band.per_mrad) * duct.duct_mrad + duct.time_db


@compiled
def joined_db(free: float, excess: tuple[float, float], scattered: float, guided: float, duct: Duct) -> float:
    """Return the loss for the time wanted [dB] (Equations 41, 43, and 59 to 69).

    ``free`` is the loss in free space, ``excess`` that of diffraction for the median radius and for
    the ducting one (the median's again at half the time), ``scattered`` Equation (44) [dB].
    """
    sight = free + duct.focus_db
    bent = excess[0] + duct.time_factor * (excess[1] - excess[0])
    limited = _limited_loss_db(sight + bent, _soft_maximum_db(guided, sight), duct.distance_factor)
    least = sight + bent
    if duct.time_factor < 1.0:
        median = free + excess[0]
        least = median + (free + duct.ducting_focus_db + bent - median) * duct.time_factor
    enhanced = limited + (least - limited) * duct.angle_factor
    return max(sight, _joined_loss_db(scattered, enhanced))
