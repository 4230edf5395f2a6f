"""3GPP TR 38.901 V17.0.0: path loss, line of sight and shadow fading inside an office (InH).

Arrays are float64 and broadcast together. A value outside the range of its table raises InputError.
"""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Floats
from xinji.errors import InputError, raise_if
from xinji.plan.radio.tr38901.ranges import TR_FREQUENCY_GHZ, range_faults, require_known

OFFICES = ("mixed", "open")
"""Mixed offices have rooms and cubicles, open ones cubicles alone; they differ in sight only."""

OFFICE_DISTANCE_M = (1.0, 150.0)
"""Straight distances of Table 7.4.1-1, InH."""

OFFICE_SIGMA_DB = {True: 3.0, False: 8.03}
"""Standard deviation [dB] of shadow fading by line of sight (Table 7.4.1-1, InH)."""


def office_path_loss_db(distance_3d_m: Floats, frequency_ghz: Floats, *, los: bool) -> Floats:
    """Return the median path loss [dB] at a straight distance [m] (TR 38.901, Table 7.4.1-1, InH).

    Raises InputError for a distance outside 1 to 150 m or a frequency outside 0.5 to 100 GHz.
    """
    checks = [
        ("distance_3d_m", distance_3d_m, OFFICE_DISTANCE_M),
        ("frequency_ghz", frequency_ghz, TR_FREQUENCY_GHZ),
    ]
    raise_if(range_faults("TR 38.901 InH", checks), InputError)
    return office_formula_db(distance_3d_m, frequency_ghz, los=los)


def office_formula_db(distance_3d_m: Floats, frequency_ghz: Floats, *, los: bool) -> Floats:
    """Return the path loss [dB] of Table 7.4.1-1, InH, for any values."""
    seen = 32.4 + 17.3 * np.log10(distance_3d_m) + 20.0 * np.log10(frequency_ghz)
    if los:
        return np.asarray(seen)
    hidden = 17.3 + 38.3 * np.log10(distance_3d_m) + 24.9 * np.log10(frequency_ghz)
    return np.maximum(seen, hidden)


def office_los_probability(office: str, distance_2d_m: Floats) -> Floats:
    """Return the probability of line of sight in one of ``OFFICES`` (TR 38.901, Table 7.4.2-1).

    Raises InputError for an unknown office.
    """
    require_known("office", office, OFFICES)
    near, edge, decay, far_decay, far = {
        "mixed": (1.2, 6.5, 4.7, 32.6, 0.32),
        "open": (5.0, 49.0, 70.8, 211.7, 0.54),
    }[office]
    # The table gives the edge of a mixed office to the far branch, of an open one to the near branch.
    beyond = distance_2d_m >= edge if office == "mixed" else distance_2d_m > edge
    inside = np.exp(-np.maximum(distance_2d_m - near, 0.0) / decay)
    return np.where(beyond, far * np.exp(-(distance_2d_m - edge) / far_decay), inside)


def office_shadow_fading_db(distance_2d_m: Floats, *, los: bool) -> Floats:
    """Return the standard deviation [dB] of shadow fading (TR 38.901, Table 7.4.1-1, InH)."""
    return np.full(distance_2d_m.shape, OFFICE_SIGMA_DB[los])
