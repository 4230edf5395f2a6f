"""The whole prediction: basic transmission loss over a profile, or over terrain of an irregularity."""

from __future__ import annotations

import math
from dataclasses import dataclass

from xinji.errors import Fault, InputError, raise_if
from xinji.plan.radio.itm.geometry import area_geometry, mean_height_m, profile_geometry
from xinji.plan.radio.itm.inputs import NAME, ItmLink, Share, Siting, Terrain
from xinji.plan.radio.itm.medium import Geometry, Medium, medium_of, smooth_horizon_m
from xinji.plan.radio.itm.reference import Regime, reference_attenuation
from xinji.plan.radio.itm.variability import varied_db


@dataclass(frozen=True, slots=True)
class Prediction:
    """Basic transmission loss [dB] with its parts.

    ``loss_db`` is free space plus the reference attenuation as varied; ``cautions`` name what lies
    outside the range in which the model was tried.
    """

    loss_db: float
    free_space_db: float
    reference_db: float
    regime: Regime
    geometry: Geometry
    cautions: tuple[str, ...]


def point_to_point_loss(terrain: Terrain, link: ItmLink, share: Share) -> Prediction:
    """Return the loss over a known profile not exceeded in a share of time, locations and situations.

    The ITS Irregular Terrain Model, version 1.2.2, point-to-point mode. Raises InputError where the
    model does not hold.
    """
    medium = medium_of(link, mean_height_m(terrain))
    geometry = profile_geometry(terrain, (link.tx_height_m, link.rx_height_m), medium)
    return _prediction(terrain.distance_m, geometry, medium, link, share)


def area_loss(
    distance_km: float, irregularity_m: float, siting: tuple[Siting, Siting], link: ItmLink, share: Share
) -> Prediction:
    """Return the loss at a distance over terrain known by its irregularity [m].

    The ITS Irregular Terrain Model, version 1.2.2, area mode, at sea level; ``siting`` is of the
    transmitter and the receiver. Raises InputError where the model does not hold.
    """
    faults = []
    if not (math.isfinite(distance_km) and distance_km > 0.0):
        faults.append(Fault(NAME, f"distance_km is {distance_km:g}", "Give a positive distance."))
    if not (math.isfinite(irregularity_m) and irregularity_m >= 0.0):
        faults.append(Fault(NAME, f"irregularity_m is {irregularity_m:g}", "Give at least 0 m."))
    raise_if(faults, InputError)
    medium = medium_of(link, 0.0)
    geometry = area_geometry(irregularity_m, (link.tx_height_m, link.rx_height_m), siting, medium)
    return _prediction(1000.0 * distance_km, geometry, medium, link, share)


def free_space_db(distance_m: float, frequency_mhz: float) -> float:
    """Return the free-space basic transmission loss [dB], with the model's constant of 32.45 dB."""
    return 32.45 + 20.0 * math.log10(frequency_mhz) + 20.0 * math.log10(distance_m / 1000.0)


def _prediction(distance_m: float, geometry: Geometry, medium: Medium, link: ItmLink, share: Share) -> Prediction:
    reference_db, regime = reference_attenuation(distance_m, geometry, medium)
    free_db = free_space_db(distance_m, link.frequency_mhz)
    varied = varied_db(reference_db, distance_m, geometry, medium, link.climate, share=share)
    cautions = _cautions(distance_m, geometry, medium, link)
    return Prediction(free_db + varied, free_db, reference_db, regime, geometry, cautions)


def _cautions(distance_m: float, geometry: Geometry, medium: Medium, link: ItmLink) -> tuple[str, ...]:
    """Return what lies outside the range in which the model was tried (NTIA Report 82-100)."""
    smooth = [smooth_horizon_m(height, medium.earth_radius_m) for height in geometry.effective_m]
    pairs = list(zip(geometry.horizon_m, smooth, strict=True))
    heights = (link.tx_height_m, link.rx_height_m)
    said = (
        (not 40.0 <= link.frequency_mhz <= 10_000.0, "frequency outside 40 to 10,000 MHz"),
        (not all(1.0 <= height <= 1000.0 for height in heights), "antenna height outside 1 to 1000 m"),
        (max(map(abs, geometry.elevation_rad)) > 0.2, "horizon beyond 0.2 rad from the horizontal"),
        (any(near < 0.1 * far for near, far in pairs), "horizon nearer than a tenth of smooth earth's"),
        (any(near > 3.0 * far for near, far in pairs), "horizon farther than three times smooth earth's"),
        (medium.refractivity < 250.0, "surface refractivity below 250 N-units"),
        (not 1e3 <= distance_m <= 1000e3, "distance outside 1 to 1000 km"),
        (
            distance_m < abs(geometry.effective_m[0] - geometry.effective_m[1]) / 0.2,
            "path steeper than 0.2 rad",
        ),
    )
    return tuple(words for true, words in said if true)
