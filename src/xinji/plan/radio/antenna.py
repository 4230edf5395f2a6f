"""Sector antennas: 3GPP TR 38.901 V17.0.0, Table 7.3-1, with the beamwidths of the whole panel; and cuts.

The table gives one element's pattern; the same parabolic form, with a narrower vertical beam and
an electrical tilt, is the whole antenna of 3GPP TR 36.814 V9.2.0, Table A.2.1.1-2.

An antenna known by its two principal cuts is filled in between them by horizontal projection
interpolation: F. Gil, A. R. Claro, J. M. Ferreira, C. Pardelinha, L. M. Correia, "A 3D interpolation
method for base-station-antenna radiation patterns", IEEE Antennas and Propagation Magazine 43(2), 2001.
Both cuts come out as they went in, and the back half of the vertical one is used. On columns and
panels of ``array`` (gain within 20 dB of the peak) it is off by 0.06 to 0.08 dB in the median and 0.34
to 0.63 dB in 95 %; the sum of both cuts by 0.06 to 0.09 and 0.34 to 0.58 dB, and by decibels behind an
antenna whose back lobe is not tilted like its front; the weighted sum of Vasiliadis et al. (IEEE Transactions on
Antennas and Propagation 53(7), 2005) by 0.6 to 0.8 and 3.4 to 4.5 dB.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats
from xinji.core.radio import AntennaCuts


@dataclass(frozen=True, slots=True)
class Pattern:
    """Half-power beamwidths [deg], downtilt [deg], and the largest attenuations [dB].

    ``side_lobe_db`` bounds the vertical cut, ``front_to_back_db`` the horizontal one and both together.
    """

    horizontal_beamwidth_deg: float
    vertical_beamwidth_deg: float
    downtilt_deg: float
    side_lobe_db: float
    front_to_back_db: float


def horizontal_db(pattern: Pattern, off_axis_deg: Floats) -> Floats:
    """Return the horizontal cut [dB, at most 0] (TR 38.901, Table 7.3-1)."""
    turned = (off_axis_deg + 180.0) % 360.0 - 180.0
    return -np.minimum(12.0 * (turned / pattern.horizontal_beamwidth_deg) ** 2, pattern.front_to_back_db)


def vertical_db(pattern: Pattern, depression_deg: Floats) -> Floats:
    """Return the vertical cut [dB, at most 0] at angles below the horizon (TR 38.901, Table 7.3-1)."""
    off = (depression_deg - pattern.downtilt_deg) / pattern.vertical_beamwidth_deg
    return -np.minimum(12.0 * off**2, pattern.side_lobe_db)


def sector_db(pattern: Pattern, off_axis_deg: Floats, depression_deg: Floats) -> Floats:
    """Return both cuts together [dB, at most 0] (TR 38.901, Table 7.3-1)."""
    both = horizontal_db(pattern, off_axis_deg) + vertical_db(pattern, depression_deg)
    return np.maximum(both, -pattern.front_to_back_db)


def best_sector_db(pattern: Pattern, bearing_deg: Floats, depression_deg: Floats, azimuths_deg: Floats) -> Floats:
    """Return the gain [dB, at most 0] of the sector that sees each point best.

    ``bearing_deg`` and ``depression_deg`` have one shape; ``azimuths_deg`` has shape (sectors,),
    clockwise from north.
    """
    sectors = (sector_db(pattern, bearing_deg - azimuth, depression_deg) for azimuth in azimuths_deg)
    return np.asarray(np.maximum.reduce(list(sectors)))


def tilted_deg(off_axis_deg: Floats, depression_deg: Floats, tilt_deg: Floats) -> tuple[Floats, Floats]:
    """Return both angles [deg] as seen by an antenna that is tilted down mechanically by ``tilt_deg``.

    The antenna turns about the horizontal line across its axis (TR 38.901, clause 7.1.3, with alpha
    and gamma 0). The first angle returned is within -180 to 180, the second within -90 to 90.
    """
    off, below, tilt = np.radians(off_axis_deg), np.radians(depression_deg), np.radians(tilt_deg)
    ahead, aside, up = np.cos(below) * np.cos(off), np.cos(below) * np.sin(off), -np.sin(below)
    along = ahead * np.cos(tilt) - up * np.sin(tilt)
    across = ahead * np.sin(tilt) + up * np.cos(tilt)
    seen_below = np.degrees(np.arctan2(-across, np.hypot(along, aside)))
    return np.degrees(np.arctan2(aside, along)), seen_below


def cuts_gain_db(cuts: AntennaCuts, off_axis_deg: Floats, depression_deg: Floats) -> Floats:
    """Return the gain [dB relative to the peak, at most 0] of an antenna known by two cuts.

    Horizontal projection interpolation (Gil et al. 2001): the horizontal cut, changed by how far the
    vertical one in front and behind departs from it, in shares of the angle off the axis. Between
    whole degrees cuts are linear in dB. Angles broadcast; ``depression_deg`` is within -90 to 90.
    """
    horizontal, vertical = cuts.horizontal_db, cuts.vertical_db
    front = _at_deg(vertical, depression_deg) - horizontal[0]
    back = _at_deg(vertical, 180.0 - depression_deg) - horizontal[180]
    behind = np.abs((off_axis_deg + 180.0) % 360.0 - 180.0) / 180.0
    loss = _at_deg(horizontal, off_axis_deg) + (1.0 - behind) * front + behind * back
    return np.asarray(-np.maximum(loss, 0.0))


def mounted_gain_db(cuts: AntennaCuts, off_axis_deg: Floats, depression_deg: Floats, tilt_deg: Floats) -> Floats:
    """Return ``cuts_gain_db`` of an antenna that is tilted down mechanically by ``tilt_deg``.

    The electrical tilt is in the cuts already. ``off_axis_deg`` is clockwise from the azimuth,
    ``depression_deg`` below the horizon; everything broadcasts.
    """
    return cuts_gain_db(cuts, *tilted_deg(off_axis_deg, depression_deg, tilt_deg))


def _at_deg(cut_db: Floats, angle_deg: Floats) -> Floats:
    """Return a cut (360,) at any angles, linear between whole degrees."""
    turned = np.asarray(angle_deg % 360.0)
    whole = np.floor(turned)
    first = whole.astype(np.int64) % 360
    part = turned - whole
    return np.asarray((1.0 - part) * cut_db[first] + part * cut_db[(first + 1) % 360])
