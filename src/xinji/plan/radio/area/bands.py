"""What the traced model needs of each band and of the climate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xinji.core.arrays import Floats
from xinji.plan.radio.area.surface import Climate
from xinji.plan.radio.p1812.climate import effective_earth_radius_km
from xinji.plan.radio.p1812.ducting import long_wave_loss_db

SPEED_OF_LIGHT_M_GHZ = 0.2998
"""As ITU-R P.1812-8 rounds it in its diffraction parameter."""

LAND_PERMITTIVITY, LAND_CONDUCTIVITY_S_M = 22.0, 0.003


def band_rows(frequency_ghz: Floats, climate: Climate) -> npt.NDArray[np.float32]:
    """Return the fields of ``tail.Band``, a row for each frequency (bands, 9)."""
    lossy = 18.0 * LAND_CONDUCTIVITY_S_M / frequency_ghz
    admittance = 0.036 * frequency_ghz ** (-1 / 3) * ((LAND_PERMITTIVITY - 1.0) ** 2 + lossy**2) ** -0.25
    if climate.vertical:
        admittance = admittance * np.sqrt(LAND_PERMITTIVITY**2 + lossy**2)
    tone = 25.0 * np.log10(frequency_ghz) - 2.5 * np.log10(frequency_ghz / 2.0) ** 2
    seldom = 10.125 * np.log10(50.0 / climate.time_percent) ** 0.7
    long_wave = [long_wave_loss_db(ghz) for ghz in frequency_ghz.tolist()]
    return np.column_stack(
        [
            frequency_ghz ** (1 / 3),
            frequency_ghz ** (2 / 3),
            np.sqrt(frequency_ghz / SPEED_OF_LIGHT_M_GHZ),
            admittance,
            92.4 + 20.0 * np.log10(frequency_ghz),
            190.1 + tone - 0.15 * climate.surface_refractivity - seldom,
            frequency_ghz,
            102.45 + 20.0 * np.log10(frequency_ghz) + long_wave,
            5e-5 * effective_earth_radius_km(climate.refractivity_gradient) * frequency_ghz ** (1 / 3),
        ]
    ).astype(np.float32)
