"""Radio climate along the path: zones, incidence of ducting, effective Earth radius (sections 3.3 to 3.7)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats
from xinji.plan.radio.p1812.profile import COASTAL_LAND, INLAND, SEA, Link, Profile

EARTH_RADIUS_KM = 6371.0
DUCTING_RADIUS_KM = 3.0 * EARTH_RADIUS_KM
"""Effective Earth radius exceeded for the ducting time percentage [km], equation (7b)."""


@dataclass(frozen=True, slots=True)
class Climate:
    """Radio climate of one path.

    ``sea_fraction``: share of the path over sea; ``longest_land_km``, ``longest_inland_km``:
    longest unbroken sections [km]; ``centre_latitude_deg`` [deg]; ``ducting_time_percent``: time
    with strong lapse near the ground [%]; ``effective_earth_radius_km``: median [km];
    ``tx_coast_km``, ``rx_coast_km``: land to the coast, 0 at sea [km].
    """

    sea_fraction: float
    longest_land_km: float
    longest_inland_km: float
    centre_latitude_deg: float
    ducting_time_percent: float
    effective_earth_radius_km: float
    tx_coast_km: float
    rx_coast_km: float


def climate_of(profile: Profile, link: Link) -> Climate:
    """Return the radio climate of a path (ITU-R P.1812-8, sections 3.3 to 3.7 and 4.1)."""
    zone = profile.zone
    at_sea = zone == SEA
    land = longest_section_km(profile.distance_km, (zone == COASTAL_LAND) | (zone == INLAND))
    inland = longest_section_km(profile.distance_km, zone == INLAND)
    latitude = centre_latitude_deg(link, profile.length_km)
    return Climate(
        sea_fraction=float(sections_km(profile.distance_km, at_sea).sum()) / profile.length_km,
        longest_land_km=land,
        longest_inland_km=inland,
        centre_latitude_deg=latitude,
        ducting_time_percent=ducting_time_percent(latitude, land, inland),
        effective_earth_radius_km=effective_earth_radius_km(link.refractivity_gradient),
        tx_coast_km=0.0 if at_sea[0] else link.tx_coast_km,
        rx_coast_km=0.0 if at_sea[-1] else link.rx_coast_km,
    )


def sections_km(distance_km: Floats, inside: Bools) -> Floats:
    """Return the lengths [km] of the unbroken sections where ``inside`` (n,) holds (shape (sections,)).

    Borders lie halfway between points.
    """
    edges = np.concatenate((distance_km[:1], 0.5 * (distance_km[1:] + distance_km[:-1]), distance_km[-1:]))
    change = np.diff(inside.astype(np.int8), prepend=0, append=0)
    return np.asarray(edges[change < 0] - edges[change > 0])


def longest_section_km(distance_km: Floats, inside: Bools) -> float:
    """Return the longest unbroken section where ``inside`` (n,) holds [km], 0 where there is none (section 3.6)."""
    return float(sections_km(distance_km, inside).max(initial=0.0))


def centre_latitude_deg(link: Link, length_km: float) -> float:
    """Return the latitude [deg] halfway along the great circle from transmitter towards receiver.

    ITU-R P.2001-6, Attachment H, whose intermediate points serve section 3.6.
    """
    tx, rx = math.radians(link.tx_latitude_deg), math.radians(link.rx_latitude_deg)
    east = math.radians(link.rx_longitude_deg - link.tx_longitude_deg)
    cosine = math.sin(tx) * math.sin(rx) + math.cos(tx) * math.cos(rx) * math.cos(east)
    bearing = math.atan2(math.cos(tx) * math.cos(rx) * math.sin(east), math.sin(rx) - cosine * math.sin(tx))
    angle = 0.5 * length_km / EARTH_RADIUS_KM
    sine = math.sin(tx) * math.cos(angle) + math.cos(tx) * math.sin(angle) * math.cos(bearing)
    return math.degrees(math.asin(min(1.0, max(-1.0, sine))))


def inland_factor(longest_inland_km: float) -> float:
    """Return how far inland the path runs (tau), 0 to 1, equation (3)."""
    return 1.0 - math.exp(-4.12e-4 * math.pow(longest_inland_km, 2.41))


def land_factor(longest_land_km: float, tau: float) -> float:
    """Return the reduction of ducting by land (mu1), at most 1, equation (2)."""
    near = math.pow(10.0, -longest_land_km / (16.0 - 6.6 * tau))
    far = math.pow(10.0, -5.0 * (0.496 + 0.354 * tau))
    return min(1.0, math.pow(near + far, 0.2))


def latitude_factor(latitude_deg: float, mu1: float) -> float:
    """Return the reduction of ducting by latitude (mu4), equation (4)."""
    north = abs(latitude_deg)
    return math.pow(mu1, -0.935 + 0.0176 * north if north <= 70.0 else 0.3)


def ducting_time_percent(latitude_deg: float, longest_land_km: float, longest_inland_km: float) -> float:
    """Return the time [%] with a lapse beyond 100 N-units/km in the lowest 100 m (beta0), equation (5)."""
    mu1 = land_factor(longest_land_km, inland_factor(longest_inland_km))
    north = abs(latitude_deg)
    incidence = math.pow(10.0, -0.015 * north + 1.67) if north <= 70.0 else 4.17
    return incidence * mu1 * latitude_factor(latitude_deg, mu1)


def effective_earth_radius_km(refractivity_gradient: float) -> float:
    """Return the median effective Earth radius [km], equations (6) and (7a).

    ``refractivity_gradient``: lapse [N-units/km], below 157.
    """
    return EARTH_RADIUS_KM * 157.0 / (157.0 - refractivity_gradient)
