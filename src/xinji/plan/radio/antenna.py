"""Sector antennas: 3GPP TR 38.901 V17.0.0, Table 7.3-1, with the beamwidths of the whole panel.

The table gives one element's pattern; the same parabolic form, with a narrower vertical beam and
an electrical tilt, is the whole antenna of 3GPP TR 36.814 V9.2.0, Table A.2.1.1-2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats


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
