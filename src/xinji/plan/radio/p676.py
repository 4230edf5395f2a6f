"""ITU-R P.676-13, Annex 1: attenuation by oxygen and water vapour, line by line, 1 to 1000 GHz.

Arrays are float64 and broadcast together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats, freeze
from xinji.plan.radio.p676_lines import OXYGEN, VAPOUR
from xinji.plan.radio.ranges import check_ranges

NAME = "ITU-R P.676"


@dataclass(frozen=True, slots=True, eq=False)
class Atmosphere:
    """Air along a path; the three arrays broadcast together.

    ``dry_pressure_hpa`` [hPa] is the pressure without the vapour's part, the Recommendation's p (the
    function ``dry_pressure_hpa`` takes the vapour off a barometer's reading); ``temperature_k`` [K];
    ``vapour_g_m3`` the water vapour density [g/m3]. Raises InputError for a pressure or temperature
    that is not positive or a negative density.
    """

    dry_pressure_hpa: Floats
    temperature_k: Floats
    vapour_g_m3: Floats

    def __post_init__(self) -> None:
        named = (("dry_pressure_hpa", self.dry_pressure_hpa), ("temperature_k", self.temperature_k))
        checks = [(name, v, np.isfinite(v) & (v > 0.0), "the positive numbers") for name, v in named]
        fine = np.isfinite(self.vapour_g_m3) & (self.vapour_g_m3 >= 0.0)
        check_ranges(NAME, [*checks, ("vapour_g_m3", self.vapour_g_m3, fine, "the numbers from 0 up")])
        freeze(self.dry_pressure_hpa, self.temperature_k, self.vapour_g_m3)


def vapour_pressure_hpa(temperature_k: Floats, vapour_g_m3: Floats) -> Floats:
    """Return the water vapour's partial pressure [hPa] (ITU-R P.676-13, equation 4)."""
    return np.asarray(vapour_g_m3 * temperature_k / 216.7)


def dry_pressure_hpa(total_pressure_hpa: Floats, temperature_k: Floats, vapour_g_m3: Floats) -> Floats:
    """Return the dry part [hPa] of the barometric pressure, total less vapour (ITU-R P.676-13, equation 4)."""
    return np.asarray(total_pressure_hpa - vapour_pressure_hpa(temperature_k, vapour_g_m3))


def mean_global_atmosphere() -> Atmosphere:
    """Return the mean global reference atmosphere at sea level (ITU-R P.835-6, Annex 1, section 1).

    1013.25 hPa in all, 288.15 K and 7.5 g/m3.
    """
    temperature, vapour = np.asarray(288.15), np.asarray(7.5)
    return Atmosphere(dry_pressure_hpa(np.asarray(1013.25), temperature, vapour), temperature, vapour)


def oxygen_db_km(frequency_ghz: Floats, air: Atmosphere) -> Floats:
    """Return the specific attenuation [dB/km] of dry air (ITU-R P.676-13, equations 1 and 2a).

    Raises InputError for a frequency outside 1 to 1000 GHz.
    """
    _check(frequency_ghz)
    theta = 300.0 / air.temperature_k
    pressure = air.dry_pressure_hpa
    vapour = vapour_pressure_hpa(air.temperature_k, air.vapour_g_m3)
    total = _dry_continuum(frequency_ghz, air)
    for centre, a1, a2, a3, a4, a5, a6 in OXYGEN:
        strength = a1 * 1e-7 * pressure * theta**3 * np.exp(a2 * (1.0 - theta))  # equation 3
        width = a3 * 1e-4 * (pressure * theta ** (0.8 - a4) + 1.1 * vapour * theta)  # equation 6a
        width = np.sqrt(width**2 + 2.25e-6)  # equation 6b
        overlap = (a5 + a6 * theta) * 1e-4 * (pressure + vapour) * theta**0.8  # equation 7
        total = total + strength * line_shape(frequency_ghz, centre, width, overlap)
    return np.asarray(0.1820 * frequency_ghz * total)


def vapour_db_km(frequency_ghz: Floats, air: Atmosphere) -> Floats:
    """Return the specific attenuation [dB/km] of water vapour (ITU-R P.676-13, equations 1 and 2b).

    Raises InputError for a frequency outside 1 to 1000 GHz.
    """
    _check(frequency_ghz)
    theta = 300.0 / air.temperature_k
    pressure = air.dry_pressure_hpa
    vapour = vapour_pressure_hpa(air.temperature_k, air.vapour_g_m3)
    none, total = np.asarray(0.0), np.asarray(0.0)
    for centre, b1, b2, b3, b4, b5, b6 in VAPOUR:
        strength = b1 * 1e-1 * vapour * theta**3.5 * np.exp(b2 * (1.0 - theta))  # equation 3
        width = b3 * 1e-4 * (pressure * theta**b4 + b5 * vapour * theta**b6)  # equation 6a
        width = 0.535 * width + np.sqrt(0.217 * width**2 + 2.1316e-12 * centre**2 / theta)  # equation 6b
        total = total + strength * line_shape(frequency_ghz, centre, width, none)
    return np.asarray(0.1820 * frequency_ghz * total)


def line_shape(frequency_ghz: Floats, centre_ghz: float, width_ghz: Floats, overlap: Floats) -> Floats:
    """Return the shape factor of one line (ITU-R P.676-13, equation 5); ``overlap`` is its delta."""
    below, above = centre_ghz - frequency_ghz, centre_ghz + frequency_ghz
    lower = (width_ghz - overlap * below) / (below**2 + width_ghz**2)
    upper = (width_ghz - overlap * above) / (above**2 + width_ghz**2)
    return np.asarray(frequency_ghz / centre_ghz * (lower + upper))


def _dry_continuum(frequency_ghz: Floats, air: Atmosphere) -> Floats:
    """Return the Debye and pressure-induced nitrogen terms (ITU-R P.676-13, equations 8 and 9)."""
    theta = 300.0 / air.temperature_k
    pressure = air.dry_pressure_hpa
    width = 5.6e-4 * (pressure + vapour_pressure_hpa(air.temperature_k, air.vapour_g_m3)) * theta**0.8
    debye = 6.14e-5 / (width * (1.0 + (frequency_ghz / width) ** 2))
    nitrogen = 1.4e-12 * pressure * theta**1.5 / (1.0 + 1.9e-5 * frequency_ghz**1.5)
    return np.asarray(frequency_ghz * pressure * theta**2 * (debye + nitrogen))


def gas_db_km(frequency_ghz: Floats, air: Atmosphere) -> Floats:
    """Return the specific attenuation [dB/km] of air (ITU-R P.676-13, equation 1).

    Raises InputError for a frequency outside 1 to 1000 GHz.
    """
    return oxygen_db_km(frequency_ghz, air) + vapour_db_km(frequency_ghz, air)


def path_gas_db(distance_km: Floats, frequency_ghz: Floats, air: Atmosphere) -> Floats:
    """Return the attenuation [dB] by gases of a terrestrial path (ITU-R P.676-13, Annex 1, section 2.1).

    The air is the same all along the path, which is near the ground and slightly inclined at most.
    Raises InputError for a frequency outside 1 to 1000 GHz or a negative distance.
    """
    fine = np.isfinite(distance_km) & (distance_km >= 0.0)
    check_ranges(NAME, [("distance_km", distance_km, fine, "the numbers from 0 up")])
    return np.asarray(distance_km * gas_db_km(frequency_ghz, air))


def _check(frequency_ghz: Floats) -> None:
    fine = (frequency_ghz >= 1.0) & (frequency_ghz <= 1000.0)
    check_ranges(NAME, [("frequency_ghz", frequency_ghz, fine, "1 to 1000")])
