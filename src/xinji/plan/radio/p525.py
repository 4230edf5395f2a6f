"""ITU-R P.525-4: attenuation in free space.

Arrays are float64 and broadcast together.
"""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Floats
from xinji.plan.radio.ranges import check_ranges
from xinji.units import METRES_PER_KM, SPEED_OF_LIGHT_M_S


def wavelength_m(frequency_ghz: Floats) -> Floats:
    """Return the wavelength in free space [m]."""
    return np.asarray(SPEED_OF_LIGHT_M_S * 1e-9 / frequency_ghz)


def free_space_loss_db(distance_km: Floats, frequency_ghz: Floats) -> Floats:
    """Return the basic transmission loss between isotropic antennas (ITU-R P.525-4, equation 3).

    The exact form in the wavelength, of which 92.45 + 20 log f + 20 log d is the rounded one.
    Raises InputError for a distance or frequency that is not positive.
    """
    finite = np.isfinite(distance_km) & (distance_km > 0.0)
    checks = (
        ("distance_km", distance_km, finite, "the positive numbers"),
        ("frequency_ghz", frequency_ghz, np.isfinite(frequency_ghz) & (frequency_ghz > 0.0), "the positive numbers"),
    )
    check_ranges("ITU-R P.525", checks)
    turns = 4.0 * np.pi * distance_km * METRES_PER_KM / wavelength_m(frequency_ghz)
    return np.asarray(20.0 * np.log10(turns))
