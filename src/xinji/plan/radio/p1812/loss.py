"""The whole prediction: from profile and link to basic transmission loss (ITU-R P.1812-8, section 4)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from xinji.plan.radio.p1812.breakdown import Breakdown
from xinji.plan.radio.p1812.climate import DUCTING_RADIUS_KM, Climate, climate_of
from xinji.plan.radio.p1812.diffraction import Diffraction, Terrain, delta_bullington, interpolated_loss_db
from xinji.plan.radio.p1812.ducting import ducting_loss_db
from xinji.plan.radio.p1812.line_of_sight import focusing_db, free_space_loss_db
from xinji.plan.radio.p1812.path import (
    Horizons,
    SmoothEarth,
    antenna_heights_m,
    diffraction_heights_m,
    ducting_heights_m,
    horizons_of,
    smooth_earth_of,
)
from xinji.plan.radio.p1812.profile import SEA, Link, Profile
from xinji.plan.radio.p1812.spherical import Wave
from xinji.plan.radio.p1812.troposcatter import troposcatter_loss_db
from xinji.plan.radio.p1812.variability import inverse_normal


@dataclass(frozen=True, slots=True)
class _Geometry:
    """What the mechanisms share: length, antennas above sea, horizons, smooth surface and heights above it."""

    length_km: float
    antennas_m: tuple[float, float]
    horizons: Horizons
    smooth: SmoothEarth
    diffraction_m: tuple[float, float]
    ducting_m: tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Mechanisms:
    """Losses of the single mechanisms [dB]; diffraction is on top of line of sight."""

    free_space_db: float
    line_of_sight_db: float
    line_of_sight_ducting_db: float
    median: Diffraction
    ducting: Diffraction
    excess_db: float
    ducting_db: float
    troposcatter_db: float


@dataclass(frozen=True, slots=True)
class _Combination:
    """Steps from the mechanisms to the loss at half of the places [dB]."""

    minimum_db: float
    ducting_minimum_db: float
    limited_db: float
    enhanced_db: float
    median_places_db: float


def basic_transmission_loss(profile: Profile, link: Link, *, closed_form_smooth: bool = False) -> Breakdown:
    """Return the basic transmission loss of a link with all intermediates.

    ITU-R P.1812-8, section 4, outdoors. ``closed_form_smooth``: take the smooth part of diffraction
    from Attachment 4 to Annex 1, which needs no profile.
    """
    climate = climate_of(profile, link)
    geometry = _geometry(profile, link, climate)
    factors = (
        time_factor(link.time_percent, climate.ducting_time_percent),
        angle_factor(geometry.horizons.path_mrad),
        distance_factor(profile.length_km),
    )
    mechanisms = _mechanisms(profile, link, climate, geometry, factors[0], closed_form_smooth=closed_form_smooth)
    combined = _combined(mechanisms, climate.sea_fraction, factors)
    places = 0.0 if profile.zone[-1] == SEA else places_excess_db(link)
    loss_db = max(mechanisms.line_of_sight_db, combined.median_places_db + places)
    return _breakdown(link, climate, geometry, factors, mechanisms, combined, places, loss_db)


def time_factor(percent: float, ducting_percent: float) -> float:
    """Return the weight of ducting conditions at a time percentage (Fi), equations (40) and (40a)."""
    if percent <= ducting_percent:
        return 1.0
    return inverse_normal(percent / 100.0) / inverse_normal(ducting_percent / 100.0)


def angle_factor(path_mrad: float) -> float:
    """Return the weight of line of sight for an angular distance (Fj), equation (57)."""
    return 1.0 - 0.5 * (1.0 + math.tanh(3.0 * 0.8 * (path_mrad - 0.3) / 0.3))


def distance_factor(length_km: float) -> float:
    """Return the weight of short distance (Fk), equation (58)."""
    return 1.0 - 0.5 * (1.0 + math.tanh(3.0 * 0.5 * (length_km - 20.0) / 20.0))


def soft_maximum_db(first_db: float, second_db: float) -> float:
    """Return the smooth maximum of ducting and line-of-sight loss [dB], equation (60)."""
    return 2.5 * float(np.logaddexp(first_db / 2.5, second_db / 2.5))


def limited_loss_db(diffraction_db: float, minimum_db: float, factor: float) -> float:
    """Return the diffraction loss limited by ducting [dB], equation (61)."""
    if minimum_db > diffraction_db:
        return diffraction_db
    return minimum_db + (diffraction_db - minimum_db) * factor


def joined_loss_db(troposcatter_db: float, enhanced_db: float) -> float:
    """Return the loss of troposcatter together with the other mechanisms [dB], equation (63)."""
    # In natural logarithms, because both powers vanish beyond 1,600 dB.
    scale = 0.2 * math.log(10.0)
    return -float(np.logaddexp(-scale * troposcatter_db, -scale * enhanced_db)) / scale


def places_excess_db(link: Link) -> float:
    """Return what variability over places adds outdoors on land [dB], section 4.7."""
    return -inverse_normal(link.location_percent / 100.0) * link.sigma_db


def field_strength_dbuv_m(frequency_ghz: float, loss_db: float) -> float:
    """Return the field strength for 1 kW effective radiated power [dB(uV/m)], equation (70)."""
    return 199.36 + 20.0 * math.log10(frequency_ghz) - loss_db


def _geometry(profile: Profile, link: Link, climate: Climate) -> _Geometry:
    horizons = horizons_of(profile, link, climate.effective_earth_radius_km)
    smooth = smooth_earth_of(profile, link, horizons)
    return _Geometry(
        length_km=profile.length_km,
        antennas_m=antenna_heights_m(profile, link),
        horizons=horizons,
        smooth=smooth,
        diffraction_m=diffraction_heights_m(link, profile, smooth),
        ducting_m=ducting_heights_m(link, profile, smooth),
    )


def _mechanisms(
    profile: Profile, link: Link, climate: Climate, geometry: _Geometry, factor: float, *, closed_form_smooth: bool
) -> _Mechanisms:
    horizons, antennas = geometry.horizons, geometry.antennas_m
    free = free_space_loss_db(link.frequency_ghz, profile.length_km, antennas[0] - antennas[1])
    seen_km = horizons.tx_km + horizons.rx_km
    terrain = Terrain(profile.distance_km, profile.surface_m(), antennas, geometry.diffraction_m)
    wave = Wave(link.frequency_ghz, link.polarization, climate.sea_fraction)
    median = delta_bullington(terrain, wave, climate.effective_earth_radius_km, closed_form=closed_form_smooth)
    ducting = delta_bullington(terrain, wave, DUCTING_RADIUS_KM, closed_form=closed_form_smooth)
    # At half of the time the median holds as it is (section 4.3.5), though the factor is only nearly 0.
    weight = 0.0 if link.time_percent == 50.0 else factor
    return _Mechanisms(
        free_space_db=free,
        line_of_sight_db=free + focusing_db(link.time_percent, seen_km),
        line_of_sight_ducting_db=free + focusing_db(climate.ducting_time_percent, seen_km),
        median=median,
        ducting=ducting,
        excess_db=interpolated_loss_db(median.loss_db, ducting.loss_db, weight),
        ducting_db=ducting_loss_db(
            link,
            climate,
            horizons,
            length_km=profile.length_km,
            antennas_m=antennas,
            effective_m=geometry.ducting_m,
            roughness_m=geometry.smooth.roughness_m,
        ),
        troposcatter_db=troposcatter_loss_db(link, profile.length_km, horizons.path_mrad),
    )


def _minimum_loss_db(mechanisms: _Mechanisms, sea_fraction: float, factor: float) -> float:
    """Return the notional least loss of line of sight with sub-path diffraction over sea [dB], equation (59).

    ``factor``: weight of ducting conditions; 1 up to the time percentage of ducting.
    """
    over_land_db = (1.0 - sea_fraction) * mechanisms.excess_db
    if factor == 1.0:
        return mechanisms.line_of_sight_db + over_land_db
    median_db = mechanisms.free_space_db + mechanisms.median.loss_db
    return median_db + (mechanisms.line_of_sight_ducting_db + over_land_db - median_db) * factor


def _combined(mechanisms: _Mechanisms, sea_fraction: float, factors: tuple[float, float, float]) -> _Combination:
    minimum = _minimum_loss_db(mechanisms, sea_fraction, factors[0])
    ducting_minimum = soft_maximum_db(mechanisms.ducting_db, mechanisms.line_of_sight_db)
    diffraction = mechanisms.line_of_sight_db + mechanisms.excess_db
    limited = limited_loss_db(diffraction, ducting_minimum, factors[2])
    enhanced = limited + (minimum - limited) * factors[1]
    return _Combination(
        minimum_db=minimum,
        ducting_minimum_db=ducting_minimum,
        limited_db=limited,
        enhanced_db=enhanced,
        median_places_db=joined_loss_db(mechanisms.troposcatter_db, enhanced),
    )


def _breakdown(
    link: Link,
    climate: Climate,
    geometry: _Geometry,
    factors: tuple[float, float, float],
    mechanisms: _Mechanisms,
    combined: _Combination,
    places_db: float,
    loss_db: float,
) -> Breakdown:
    horizons, smooth, median, ducting = geometry.horizons, geometry.smooth, mechanisms.median, mechanisms.ducting
    return Breakdown(
        loss_db=loss_db,
        field_dbuv_m=field_strength_dbuv_m(link.frequency_ghz, loss_db),
        path_length_km=geometry.length_km,
        transhorizon=horizons.transhorizon,
        tx_horizon_km=horizons.tx_km,
        rx_horizon_km=horizons.rx_km,
        tx_horizon_mrad=horizons.tx_mrad,
        rx_horizon_mrad=horizons.rx_mrad,
        path_angle_mrad=horizons.path_mrad,
        tx_amsl_m=geometry.antennas_m[0],
        rx_amsl_m=geometry.antennas_m[1],
        tx_diffraction_amsl_m=geometry.antennas_m[0],
        rx_diffraction_amsl_m=geometry.antennas_m[1],
        sea_fraction=climate.sea_fraction,
        longest_land_km=climate.longest_land_km,
        longest_inland_km=climate.longest_inland_km,
        centre_latitude_deg=climate.centre_latitude_deg,
        ducting_time_percent=climate.ducting_time_percent,
        effective_earth_radius_km=climate.effective_earth_radius_km,
        tx_smooth_m=smooth.tx_m,
        rx_smooth_m=smooth.rx_m,
        tx_smooth_ducting_m=smooth.tx_ducting_m,
        rx_smooth_ducting_m=smooth.rx_ducting_m,
        tx_smooth_diffraction_m=smooth.tx_diffraction_m,
        rx_smooth_diffraction_m=smooth.rx_diffraction_m,
        tx_effective_diffraction_m=geometry.diffraction_m[0],
        rx_effective_diffraction_m=geometry.diffraction_m[1],
        tx_effective_ducting_m=geometry.ducting_m[0],
        rx_effective_ducting_m=geometry.ducting_m[1],
        roughness_m=smooth.roughness_m,
        time_factor=factors[0],
        angle_factor=factors[1],
        distance_factor=factors[2],
        free_space_db=mechanisms.free_space_db,
        line_of_sight_db=mechanisms.line_of_sight_db,
        line_of_sight_ducting_db=mechanisms.line_of_sight_ducting_db,
        bullington_actual_median_db=median.actual_db,
        bullington_smooth_median_db=median.smooth_db,
        spherical_median_db=median.spherical_db,
        diffraction_excess_median_db=median.loss_db,
        bullington_actual_ducting_db=ducting.actual_db,
        bullington_smooth_ducting_db=ducting.smooth_db,
        spherical_ducting_db=ducting.spherical_db,
        diffraction_excess_ducting_db=ducting.loss_db,
        diffraction_excess_db=mechanisms.excess_db,
        diffraction_median_db=mechanisms.free_space_db + median.loss_db,
        diffraction_db=mechanisms.line_of_sight_db + mechanisms.excess_db,
        line_of_sight_minimum_db=combined.minimum_db,
        ducting_db=mechanisms.ducting_db,
        ducting_minimum_db=combined.ducting_minimum_db,
        diffraction_or_ducting_db=combined.limited_db,
        enhanced_db=combined.enhanced_db,
        troposcatter_db=mechanisms.troposcatter_db,
        median_places_db=combined.median_places_db,
        places_excess_db=places_db,
    )
