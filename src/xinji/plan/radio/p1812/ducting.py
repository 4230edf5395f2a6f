"""Propagation by ducting and layer reflection (ITU-R P.1812-8, section 4.5)."""

from __future__ import annotations

import math

from xinji.plan.radio.p1812.climate import Climate, inland_factor
from xinji.plan.radio.p1812.path import Horizons
from xinji.plan.radio.p1812.profile import Link


def ducting_loss_db(
    link: Link,
    climate: Climate,
    horizons: Horizons,
    *,
    length_km: float,
    antennas_m: tuple[float, float],
    effective_m: tuple[float, float],
    roughness_m: float,
) -> float:
    """Return the basic transmission loss by ducting and layer reflection [dB], equation (46).

    ``antennas_m``: heights above mean sea level [m]; ``effective_m``: above the smooth surface [m];
    ``roughness_m``: terrain above the smooth surface between the horizons [m].
    """
    incidence = (
        climate.ducting_time_percent
        * geometry_factor(climate, length_km, effective_m)
        * roughness_factor(roughness_m, length_km - horizons.tx_km - horizons.rx_km)
    )
    fixed = coupling_loss_db(link, climate, horizons, antennas_m)
    angle = ducting_angle_mrad(horizons, length_km, climate.effective_earth_radius_km)
    specific = specific_loss_db(link.frequency_ghz, climate.effective_earth_radius_km)
    return fixed + specific * angle + time_loss_db(link.time_percent, incidence, length_km)


def coupling_loss_db(link: Link, climate: Climate, horizons: Horizons, antennas_m: tuple[float, float]) -> float:
    """Return the fixed loss between antennas and the duct [dB], equation (47)."""
    f, over_sea = link.frequency_ghz, climate.sea_fraction >= 0.75
    spread = 102.45 + 20.0 * math.log10(f) + 20.0 * math.log10(horizons.tx_km + horizons.rx_km)
    shielding = shielding_loss_db(f, horizons.tx_km, horizons.tx_mrad)
    shielding += shielding_loss_db(f, horizons.rx_km, horizons.rx_mrad)
    coast = 0.0
    if over_sea:
        coast += coast_coupling_db(climate.tx_coast_km, horizons.tx_km, antennas_m[0])
        coast += coast_coupling_db(climate.rx_coast_km, horizons.rx_km, antennas_m[1])
    return spread + long_wave_loss_db(f) + shielding + coast


def long_wave_loss_db(frequency_ghz: float) -> float:
    """Return the correction for wavelength below 0.5 GHz [dB], equation (47a)."""
    return 45.375 - 137.0 * frequency_ghz + 92.5 * frequency_ghz**2 if frequency_ghz < 0.5 else 0.0


def shielding_loss_db(frequency_ghz: float, horizon_km: float, horizon_mrad: float) -> float:
    """Return the loss by shielding of the site [dB], equations (48) and (48a)."""
    angle = horizon_mrad - 0.1 * horizon_km
    if angle <= 0.0:
        return 0.0
    edge = 20.0 * math.log10(1.0 + 0.361 * angle * math.sqrt(frequency_ghz * horizon_km))
    return edge + 0.264 * angle * math.cbrt(frequency_ghz)


def coast_coupling_db(coast_km: float, horizon_km: float, antenna_m: float) -> float:
    """Return the correction for coupling into ducts over sea [dB, at most 0], equations (49) and (49a).

    To be used where at least 75 % of the path is over sea.
    """
    if coast_km > min(5.0, horizon_km):
        return 0.0
    return -3.0 * math.exp(-0.25 * coast_km**2) * (1.0 + math.tanh(0.07 * (50.0 - antenna_m)))


def specific_loss_db(frequency_ghz: float, radius_km: float) -> float:
    """Return the loss per angle [dB/mrad], equation (51)."""
    return 5e-5 * radius_km * math.cbrt(frequency_ghz)


def ducting_angle_mrad(horizons: Horizons, length_km: float, radius_km: float) -> float:
    """Return the angular distance with horizons no higher than a duct allows [mrad], equations (52) and (52a)."""
    tx_mrad = min(horizons.tx_mrad, 0.1 * horizons.tx_km)
    rx_mrad = min(horizons.rx_mrad, 0.1 * horizons.rx_km)
    return 1e3 * length_km / radius_km + tx_mrad + rx_mrad


def time_loss_db(percent: float, incidence: float, length_km: float) -> float:
    """Return the loss that varies with time [dB], equation (53).

    ``percent``: of time; ``incidence``: of ducting on this path [%] (beta).
    """
    ratio = percent / incidence
    slope = (1.2 + 3.7e-3 * length_km) * math.log10(ratio)
    return -12.0 + slope + 12.0 * math.pow(ratio, time_exponent(incidence, length_km))


def time_exponent(incidence: float, length_km: float) -> float:
    """Return the exponent of variation with time (Gamma), equation (53a)."""
    level = math.log10(incidence)
    decay = (9.51 - 4.8 * level + 0.198 * level**2) * 1e-6 * math.pow(length_km, 1.13)
    return 1.076 / math.pow(2.0058 - level, 1.012) * math.exp(-decay)


def geometry_factor(climate: Climate, length_km: float, effective_m: tuple[float, float]) -> float:
    """Return the correction of incidence for the path's geometry (mu2), equations (55) and (55a)."""
    tau = inland_factor(climate.longest_inland_km)
    exponent = max(-3.4, -0.6 - 3.5e-9 * math.pow(length_km, 3.1) * tau)
    reach = (math.sqrt(effective_m[0]) + math.sqrt(effective_m[1])) ** 2
    return min(1.0, math.pow(500.0 / climate.effective_earth_radius_km * length_km**2 / reach, exponent))


def roughness_factor(roughness_m: float, between_km: float) -> float:
    """Return the correction of incidence for rough terrain (mu3), equations (56) and (56a).

    ``between_km``: distance between the horizons [km].
    """
    if roughness_m <= 10.0:
        return 1.0
    return math.exp(-4.6e-5 * (roughness_m - 10.0) * (43.0 + 6.0 * min(between_km, 40.0)))
