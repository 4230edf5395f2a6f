"""Diffraction over a smooth spherical Earth (ITU-R P.1812-8, sections 4.3.2 and 4.3.3)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from xinji.plan.radio.p1812.profile import Polarization


@dataclass(frozen=True, slots=True)
class Ground:
    """Electrical constants of the ground: relative permittivity, conductivity [S/m]."""

    permittivity: float
    conductivity: float


LAND = Ground(22.0, 0.003)
SEA_WATER = Ground(80.0, 5.0)


@dataclass(frozen=True, slots=True)
class Wave:
    """A wave over mixed ground: frequency [GHz], polarization, share of the path over sea."""

    frequency_ghz: float
    polarization: Polarization
    sea_fraction: float

    @property
    def wavelength_m(self) -> float:
        """Wavelength [m], with the Recommendation's speed of light."""
        return 0.2998 / self.frequency_ghz


@dataclass(frozen=True, slots=True)
class Clearance:
    """Clearance of the ray over a smooth Earth where it would be reflected.

    Distances of that point from both ends [km], height of the ray above it [m].
    """

    tx_km: float
    rx_km: float
    height_m: float


def spherical_loss_db(wave: Wave, length_km: float, heights_m: tuple[float, float], radius_km: float) -> float:
    """Return the diffraction loss over a spherical Earth [dB], equations (22) to (27).

    ``heights_m``: effective heights of both antennas [m]; ``radius_km``: effective Earth radius [km].
    """
    if length_km >= line_of_sight_km(heights_m, radius_km):
        return first_term_loss_db(wave, length_km, heights_m, radius_km)
    clearance = clearance_at_reflection(length_km, heights_m, radius_km)
    needed_m = 17.456 * math.sqrt(clearance.tx_km * clearance.rx_km * wave.wavelength_m / length_km)
    if clearance.height_m > needed_m:
        return 0.0
    marginal_km = 500.0 * (length_km / (math.sqrt(heights_m[0]) + math.sqrt(heights_m[1]))) ** 2
    marginal_db = first_term_loss_db(wave, length_km, heights_m, marginal_km)
    return (1.0 - clearance.height_m / needed_m) * max(0.0, marginal_db)


def line_of_sight_km(heights_m: tuple[float, float], radius_km: float) -> float:
    """Return the longest line of sight over a smooth Earth [km], equation (22)."""
    return math.sqrt(2.0 * radius_km) * (math.sqrt(1e-3 * heights_m[0]) + math.sqrt(1e-3 * heights_m[1]))


def clearance_at_reflection(length_km: float, heights_m: tuple[float, float], radius_km: float) -> Clearance:
    """Return the clearance that counts as the least over a smooth Earth, equations (23) and (24).

    It is taken at the point of specular reflection.
    """
    total = heights_m[0] + heights_m[1]
    c = (heights_m[0] - heights_m[1]) / total
    m = 250.0 * length_km**2 / (radius_km * total)
    # The cosine nears 1 where m is a half and one antenna near the ground; rounding must not pass it.
    cosine = min(1.0, max(-1.0, 1.5 * c * math.sqrt(3.0 * m / (m + 1.0) ** 3)))
    b = 2.0 * math.sqrt((m + 1.0) / (3.0 * m)) * math.cos(math.pi / 3.0 + math.acos(cosine) / 3.0)
    tx_km = 0.5 * length_km * (1.0 + b)
    rx_km = length_km - tx_km
    tx_part = (heights_m[0] - 500.0 * tx_km**2 / radius_km) * rx_km
    rx_part = (heights_m[1] - 500.0 * rx_km**2 / radius_km) * tx_km
    return Clearance(tx_km, rx_km, (tx_part + rx_part) / length_km)


def first_term_loss_db(wave: Wave, length_km: float, heights_m: tuple[float, float], radius_km: float) -> float:
    """Return the first term of diffraction over mixed ground [dB], equation (28)."""
    land = ground_loss_db(LAND, wave, length_km, heights_m, radius_km)
    sea = ground_loss_db(SEA_WATER, wave, length_km, heights_m, radius_km)
    return wave.sea_fraction * sea + (1.0 - wave.sea_fraction) * land


def ground_loss_db(
    ground: Ground, wave: Wave, length_km: float, heights_m: tuple[float, float], radius_km: float
) -> float:
    """Return the first term of diffraction over one kind of ground [dB], equations (31), (32) and (36)."""
    f = wave.frequency_ghz
    k = surface_admittance(ground, wave, radius_km)
    beta = ground_parameter(k)
    x = 21.88 * beta * math.cbrt(f / radius_km**2) * length_km
    tx_gain, rx_gain = (
        height_gain_db(beta * 0.9575 * beta * math.cbrt(f**2 / radius_km) * height, k) for height in heights_m
    )
    return -distance_term_db(x) - tx_gain - rx_gain


def surface_admittance(ground: Ground, wave: Wave, radius_km: float) -> float:
    """Return the normalised surface admittance (K), equations (29a) and (29b)."""
    loss = 18.0 * ground.conductivity / wave.frequency_ghz
    flat = 0.036 / math.cbrt(radius_km * wave.frequency_ghz)
    horizontal = flat * math.pow((ground.permittivity - 1.0) ** 2 + loss**2, -0.25)
    if wave.polarization == "horizontal":
        return horizontal
    return horizontal * math.sqrt(ground.permittivity**2 + loss**2)


def ground_parameter(admittance: float) -> float:
    """Return the parameter of ground and polarization (beta), equation (30)."""
    second, fourth = admittance**2, admittance**4
    return (1.0 + 1.6 * second + 0.67 * fourth) / (1.0 + 4.5 * second + 1.53 * fourth)


def distance_term_db(x: float) -> float:
    """Return the distance term [dB] of a normalised distance, equation (33)."""
    if x >= 1.6:
        return 11.0 + 10.0 * math.log10(x) - 17.6 * x
    return -20.0 * math.log10(x) - 5.6488 * math.pow(x, 1.425)


def height_gain_db(height: float, admittance: float) -> float:
    """Return the height gain [dB] of a normalised height times beta, equations (34) and (35)."""
    if height > 2.0:
        gain = 17.6 * math.sqrt(height - 1.1) - 5.0 * math.log10(height - 1.1) - 8.0
    else:
        gain = 20.0 * math.log10(height + 0.1 * height**3)
    return max(gain, 2.0 + 20.0 * math.log10(admittance))
