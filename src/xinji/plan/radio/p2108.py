"""ITU-R P.2108-1: loss in the clutter around a terminal.

Three models: height gain (section 3.1, 0.03 to 3 GHz) of a terminal below the clutter, and the
statistics over locations of terrestrial paths (section 3.2, 0.5 to 67 GHz) and of paths to an
aircraft or satellite (section 3.3, 10 to 100 GHz). Arrays are float64 and broadcast together.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from scipy.special import ndtri

from xinji.core.arrays import Floats
from xinji.plan.radio.p526 import knife_edge_db
from xinji.plan.radio.ranges import check_ranges

NAME = "ITU-R P.2108"
STREET_WIDTH_M = 27.0
"""The street width to use where none is known (section 3.1)."""


class Clutter(IntEnum):
    """Kinds of surroundings (ITU-R P.2108-1, Table 3)."""

    WATER = 1
    OPEN = 2
    SUBURBAN = 3
    URBAN = 4
    TREES = 5
    DENSE_URBAN = 6

    @property
    def height_m(self) -> float:
        """Representative height [m] to use where none is known (ITU-R P.2108-1, Table 3)."""
        return {Clutter.URBAN: 15.0, Clutter.TREES: 15.0, Clutter.DENSE_URBAN: 20.0}.get(self, 10.0)


def height_gain_db(
    clutter: Clutter, frequency_ghz: Floats, height_m: Floats, clutter_height_m: Floats, street_width_m: Floats
) -> Floats:
    """Return the loss to add for a terminal at ``height_m`` among clutter of ``clutter_height_m``.

    ITU-R P.2108-1, section 3.1, equations 2a to 2g; the path's own loss is then computed to the
    clutter's height. Zero for a terminal above the clutter. Raises InputError for a frequency
    outside 0.03 to 3 GHz or a height or width that is not positive.
    """
    lengths = (("height_m", height_m), ("clutter_height_m", clutter_height_m), ("street_width_m", street_width_m))
    fine = (frequency_ghz >= 0.03) & (frequency_ghz <= 3.0)
    checks = [("frequency_ghz", frequency_ghz, fine, "0.03 to 3")]
    check_ranges(NAME, checks + [(name, values, values > 0.0, "the positive numbers") for name, values in lengths])
    if clutter in {Clutter.WATER, Clutter.OPEN}:
        loss = -(21.8 + 6.2 * np.log10(frequency_ghz)) * np.log10(height_m / clutter_height_m)
        return np.where(height_m < clutter_height_m, loss, 0.0)
    short = np.maximum(clutter_height_m - height_m, 0.0)
    angle_deg = np.degrees(np.arctan(short / street_width_m))
    loss = knife_edge_db(0.342 * np.sqrt(frequency_ghz) * np.sqrt(short * angle_deg)) - 6.03
    return np.where(height_m < clutter_height_m, loss, 0.0)


def terrestrial_db(distance_km: Floats, frequency_ghz: Floats, probability: Floats) -> Floats:
    """Return the loss not exceeded at a fraction ``probability`` of places, terminal in the clutter.

    ITU-R P.2108-1, section 3.2, equations 3 to 6, for one end of a terrestrial path in urban or
    suburban clutter; paths of at least 1 km may count it at both ends. Raises InputError for a
    frequency outside 0.5 to 67 GHz, a path below 0.25 km or a probability outside (0, 1).
    """
    checks = (
        ("frequency_ghz", frequency_ghz, (frequency_ghz >= 0.5) & (frequency_ghz <= 67.0), "0.5 to 67"),
        ("distance_km", distance_km, np.isfinite(distance_km) & (distance_km >= 0.25), "the numbers from 0.25 up"),
        ("probability", probability, (probability > 0.0) & (probability < 1.0), "0 to 1, both excluded"),
    )
    check_ranges(NAME, checks)
    quantile = ndtri(probability)
    # The ceiling is the loss at 2 km (equation 6), not the loss at the lesser distance: at small
    # probabilities the loss beyond 2 km may lie below it.
    here = _terrestrial_db(distance_km, frequency_ghz, quantile)
    return np.minimum(here, _terrestrial_db(np.asarray(2.0), frequency_ghz, quantile))


def _terrestrial_db(distance_km: Floats, frequency_ghz: Floats, quantile: Floats) -> Floats:
    """Return the loss before its ceiling (ITU-R P.2108-1, equations 3a to 5b)."""
    decades = np.log10(frequency_ghz)
    long = -2.0 * np.log10(10.0 ** (-5.0 * decades - 12.5) + 10.0**-16.5)
    short = 32.98 + 23.9 * np.log10(distance_km) + 3.0 * decades
    long_weight, short_weight = 10.0 ** (-0.2 * long), 10.0 ** (-0.2 * short)
    weight = long_weight + short_weight
    deviation = np.sqrt((4.0**2 * long_weight + 6.0**2 * short_weight) / weight)
    return np.asarray(-5.0 * np.log10(weight) + deviation * quantile)


def slant_db(frequency_ghz: Floats, elevation_deg: Floats, probability: Floats) -> Floats:
    """Return the loss not exceeded at a fraction ``probability`` of places, to an aircraft or satellite.

    ITU-R P.2108-1, section 3.3, equation 7; ``elevation_deg`` is the angle at which the terminal in
    the clutter sees the other end. Raises InputError for a frequency outside 10 to 100 GHz, an angle
    outside 0 to 90 degrees or a probability outside (0, 1).
    """
    checks = (
        ("frequency_ghz", frequency_ghz, (frequency_ghz >= 10.0) & (frequency_ghz <= 100.0), "10 to 100"),
        ("elevation_deg", elevation_deg, (elevation_deg >= 0.0) & (elevation_deg <= 90.0), "0 to 90"),
        ("probability", probability, (probability > 0.0) & (probability < 1.0), "0 to 1, both excluded"),
    )
    check_ranges(NAME, checks)
    level = 1.0 - elevation_deg / 90.0
    cotangent = 1.0 / np.tan(0.05 * level + np.radians(elevation_deg))
    base = -93.0 * frequency_ghz**0.175 * np.log1p(-probability) * cotangent
    return np.asarray(base ** (0.5 * level) - 1.0 + 0.6 * ndtri(probability))
