"""Where ducting cannot change the loss at half the time, told without the path's horizons at its far end.

Equation (61) lets ducting lower the loss only where Lba (46) is below free space with diffraction.
A bound from below on Lba - 20 log f needs little: the loss that varies with time falls with the
incidence of ducting, which geometry and rough terrain only lower (mu2, mu3 at most 1), so that of
Equation (5) bounds it; both horizons are no nearer than the mast's; shielding of the mast's site is
known from the ray. The angle theta' is negative at most where one horizon is held, by no more than
the slope between the antennas, and that site's shielding then makes up a part.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from xinji.plan.jit import vectorised
from xinji.plan.radio.area.enhance import incidence_percent, time_db
from xinji.plan.radio.area.fast_math import log10
from xinji.plan.radio.area.profile import Line, Profile
from xinji.plan.radio.area.reduce import Antennas, Ends, milliradians

SLACK_DB = np.float32(0.05)
"""Covers rounding of the bound, and its change within a step of the profile."""


class Quiet(NamedTuple):
    """Tables for a profile's points (k,), and two constants.

    ``time`` is the loss of ducting that varies with time for the greatest incidence, ``spread`` 20 log d
    [dB]; of each ray ``horizon`` is the distance of the mast's horizon [km] and ``shield`` the loss by
    shielding of its site, at least [dB]. ``lowest_ghz`` is the lowest band; ``lean`` what theta' can
    take off, less the shielding it costs [dB/mrad].
    """

    time: Line
    spread: Line
    horizon: Line
    shield: Line
    lowest_ghz: np.float32
    lean: np.float32


Duty: TypeAlias = tuple[Antennas, Quiet]


@vectorised
def fill_quiet(step_km: float, latitude_deg: float, quiet: Quiet) -> None:
    """Fill in the tables of ``quiet``."""
    for point in range(1, quiet.time.size):
        length = point * step_km
        quiet.time[point] = time_db(50.0, incidence_percent(length, latitude_deg), length)
        quiet.spread[point] = 20.0 * np.log10(length)


@vectorised
def survey_mast(profile: Profile, bare: Line, points: int, quiet: Quiet) -> None:
    """Fill in the mast's horizon and shielding at each point of one ray; ``bare`` as in ``trace.Points``."""
    steepest, horizon, shield = np.float32(-1e9), np.float32(0), np.float32(0)
    for point in range(1, points):
        if bare[point] > steepest:
            steepest, horizon = bare[point], profile.distance[point]
            shield = _edge_db(milliradians(steepest), horizon, quiet)
        quiet.horizon[point], quiet.shield[point] = horizon, shield


@vectorised
def least_ducting_db(ends: Ends, rise: Line, last: npt.NDArray[np.int32], quiet: Quiet, least: Line) -> None:
    """Fill in the bound for each pixel [dB]; ``rise`` [m] and ``last`` are those of ``trace.Paths``."""
    for pixel in range(least.size):
        point = last[pixel]
        tilt = quiet.lean * np.abs(rise[pixel]) / ends.distance[pixel]
        near = np.float32(20) * log10(max(quiet.horizon[point], np.float32(1e-6))) + quiet.shield[point]
        least[pixel] = quiet.time[point] + min(near, quiet.spread[point]) - tilt - SLACK_DB


@vectorised
def nearer_ducting_db(
    profile: Profile, last: int, end: tuple[np.float32, np.float32], slopes: tuple[np.float32, np.float32], scene: Duty
) -> np.float32:
    """Return the bound of one path with both its horizons [dB].

    ``end`` is the pixel's distance [km] and antenna height above the mast's foot [m]; ``slopes`` are
    those of ``reduce.angular_distance``.
    """
    length, level = end
    rise, back = slopes
    antennas, quiet = scene
    chord = (level - antennas.mast_m) / length
    least = quiet.time[last] - quiet.lean * np.abs(chord) - SLACK_DB
    if rise <= chord - antennas.curvature * length:
        return np.float32(least + quiet.spread[last])
    horizon = _terminal_horizon_km(profile, last, end, back, antennas.curvature)
    both = np.float32(20) * log10(quiet.horizon[last] + horizon)
    return np.float32(least + both + quiet.shield[last] + _edge_db(milliradians(back), horizon, quiet))


@vectorised
def _terminal_horizon_km(
    profile: Profile, last: int, end: tuple[np.float32, np.float32], back: np.float32, curvature: np.float32
) -> np.float32:
    """Return the distance from the pixel to the nearest point that stands as steep as ``back`` within rounding [km]."""
    length, level = end
    nearly = back - np.float32(1e-5) * (np.float32(1) + np.abs(back))
    point = last
    while point > 1:
        run = length - profile.distance[point]
        if profile.ground[point] - level - curvature * run * run >= nearly * run - np.float32(1e-4):
            break
        point -= 1
    return np.float32(length - profile.distance[point])


@vectorised
def _edge_db(angle: np.float32, horizon: np.float32, quiet: Quiet) -> np.float32:
    """Return the logarithmic part of a site's shielding on the lowest band [dB] (Equation 48)."""
    above = angle - np.float32(0.1) * horizon
    if above <= 0:
        return np.float32(0)
    wave = np.sqrt(quiet.lowest_ghz * horizon)
    return np.float32(np.float32(20) * log10(np.float32(1) + np.float32(0.361) * above * wave))
