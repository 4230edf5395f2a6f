"""ITU-R P.2109-2: building entry loss, by the fraction of places it is not exceeded at.

Arrays are float64 and broadcast together. Valid from 0.08 to 100 GHz.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from xinji.core.arrays import Floats
from xinji.errors import Fault, InputError, raise_if


@dataclass(frozen=True, slots=True)
class Building:
    """Model coefficients of one kind of building (ITU-R P.2109-2, Table 1)."""

    r: float
    s: float
    t: float
    u: float
    v: float
    w: float
    x: float
    y: float
    z: float


TRADITIONAL = Building(12.64, 3.72, 0.96, 9.6, 2.0, 9.1, -3.0, 4.5, -2.0)
THERMALLY_EFFICIENT = Building(28.19, -3.00, 8.48, 13.5, 3.8, 27.8, -2.9, 9.4, -2.1)


def horizontal_median_db(building: Building, frequency_ghz: Floats) -> Floats:
    """Return the median loss [dB] of horizontal paths (ITU-R P.2109-2, equation 9)."""
    decades = np.log10(frequency_ghz)
    return np.asarray(building.r + building.s * decades + building.t * decades**2)


def elevation_loss_db(elevation_deg: Floats) -> Floats:
    """Return the correction [dB] for the path's elevation angle (ITU-R P.2109-2, equation 10)."""
    return 0.212 * np.abs(elevation_deg)


def entry_loss_db(building: Building, frequency_ghz: Floats, probability: Floats, elevation_deg: Floats) -> Floats:
    """Return the loss [dB] not exceeded at a fraction ``probability`` of places.

    ITU-R P.2109-2, equations 1 to 8. ``elevation_deg`` [deg] is the path's at the façade. Raises
    InputError for a frequency outside 0.08 to 100 GHz, a probability outside (0, 1) or an angle
    beyond the vertical.
    """
    _check(frequency_ghz, probability, elevation_deg)
    decades, quantile = np.log10(frequency_ghz), ndtri(probability)
    main = horizontal_median_db(building, frequency_ghz) + elevation_loss_db(elevation_deg)
    main = main + quantile * (building.u + building.v * decades)
    other = building.w + building.x * decades + quantile * (building.y + building.z * decades)
    power = 10.0 ** (0.1 * main) + 10.0 ** (0.1 * other) + 10.0 ** (0.1 * -3.0)
    return np.asarray(10.0 * np.log10(power))


def _check(frequency_ghz: Floats, probability: Floats, elevation_deg: Floats) -> None:
    checks = (
        ("frequency_ghz", frequency_ghz, (frequency_ghz >= 0.08) & (frequency_ghz <= 100.0), "0.08 to 100"),
        ("probability", probability, (probability > 0.0) & (probability < 1.0), "0 to 1, both excluded"),
        ("elevation_deg", elevation_deg, np.abs(elevation_deg) <= 90.0, "-90 to 90"),
    )
    faults = []
    for name, values, fine, allowed in checks:
        if not fine.all():
            message = f"{name} has {int((~fine).sum())} values outside {allowed}, such as {values[~fine].flat[0]:g}"
            faults.append(Fault("ITU-R P.2109", message, "Use values within the Recommendation's range."))
    raise_if(faults, InputError)
