"""Diffraction over terrain by the delta-Bullington method (ITU-R P.1812-8, section 4.3, Attachment 4)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats
from xinji.plan.radio.p1812.path import diffraction_parameters
from xinji.plan.radio.p1812.spherical import Wave, clearance_at_reflection, line_of_sight_km, spherical_loss_db


@dataclass(frozen=True, slots=True)
class Terrain:
    """Profile of the surface, with the antennas above it and above the smooth Earth.

    ``distance_km``, ``surface_m`` (n,): terrain with clutter [m above mean sea level];
    ``antennas_m``: antennas above mean sea level [m]; ``effective_m``: above the smooth surface [m].
    """

    distance_km: Floats
    surface_m: Floats
    antennas_m: tuple[float, float]
    effective_m: tuple[float, float]

    @property
    def length_km(self) -> float:
        """Length of the path [km]."""
        return float(self.distance_km[-1])


@dataclass(frozen=True, slots=True)
class Diffraction:
    """Loss by diffraction for one effective Earth radius, and its parts [dB].

    ``actual_db``: Bullington over the actual profile; ``smooth_db``: Bullington over a smooth one;
    ``spherical_db``: spherical Earth; ``loss_db``: the whole.
    """

    actual_db: float
    smooth_db: float
    spherical_db: float
    loss_db: float


def delta_bullington(terrain: Terrain, wave: Wave, radius_km: float, *, closed_form: bool) -> Diffraction:
    """Return the diffraction loss for an effective Earth radius [km], equations (37) to (39).

    ``closed_form``: take the smooth part from Attachment 4 instead of from a profile at zero height.
    """
    d, length = terrain.distance_km, terrain.length_km
    actual = bullington_loss_db(d, terrain.surface_m, terrain.antennas_m, radius_km, wave.wavelength_m)
    if closed_form:
        smooth = smooth_bullington_loss_db(length, terrain.effective_m, radius_km, wave.wavelength_m)
    else:
        smooth = bullington_loss_db(d, np.zeros_like(d), terrain.effective_m, radius_km, wave.wavelength_m)
    spherical = spherical_loss_db(wave, length, terrain.effective_m, radius_km)
    return Diffraction(actual, smooth, spherical, actual + max(spherical - smooth, 0.0))


def bullington_loss_db(
    distance_km: Floats, height_m: Floats, ends_m: tuple[float, float], radius_km: float, wavelength_m: float
) -> float:
    """Return the Bullington loss over a profile [dB], equations (13) to (21).

    ``distance_km``, ``height_m`` (n,); ``ends_m``: antennas in the same datum [m].
    """
    length, near = float(distance_km[-1]), distance_km[1:-1]
    raised = height_m[1:-1] + 500.0 / radius_km * near * (length - near)
    tx_slope = float(((raised - ends_m[0]) / near).max())
    if tx_slope < (ends_m[1] - ends_m[0]) / length:
        nu = float(diffraction_parameters(distance_km, height_m, ends_m, radius_km, wavelength_m).max())
    else:
        rx_slope = float(((raised - ends_m[1]) / (length - near)).max())
        reach = (float(near[0]), float(near[-1]))
        nu = bullington_parameter(length, ends_m, (tx_slope, rx_slope), reach, wavelength_m)
    return corrected_loss_db(knife_edge_loss_db(nu), length)


def bullington_parameter(
    length_km: float,
    ends_m: tuple[float, float],
    slopes: tuple[float, float],
    reach_km: tuple[float, float],
    wavelength_m: float,
) -> float:
    """Return the diffraction parameter where both tangents cross, equations (18) to (20).

    ``slopes``: of the tangents from both ends [m/km]; ``reach_km``: first and last distance at which
    an edge can stand [km].
    """
    if slopes[0] + slopes[1] <= 0.0:
        # Both tangents are the direct ray: the edge just touches it.
        return 0.0
    crossing = (ends_m[1] - ends_m[0] + slopes[1] * length_km) / (slopes[0] + slopes[1])
    # Near grazing the crossing is lost in rounding, though it must lie among the edges.
    near = min(max(crossing, reach_km[0]), reach_km[1])
    far = length_km - near
    above = ends_m[0] + slopes[0] * near - (ends_m[0] * far + ends_m[1] * near) / length_km
    return above * math.sqrt(0.002 * length_km / (wavelength_m * near * far))


def knife_edge_loss_db(nu: float) -> float:
    """Return the loss behind a knife edge [dB] for a diffraction parameter, equation (12)."""
    if nu <= -0.78:
        return 0.0
    return 6.9 + 20.0 * math.log10(math.sqrt((nu - 0.1) ** 2 + 1.0) + nu - 0.1)


def corrected_loss_db(edge_db: float, length_km: float) -> float:
    """Return the Bullington loss [dB] from that of its knife edge [dB], equation (21)."""
    return edge_db + (1.0 - math.exp(-edge_db / 6.0)) * (10.0 + 0.02 * length_km)


def smooth_bullington_loss_db(
    length_km: float, effective_m: tuple[float, float], radius_km: float, wavelength_m: float
) -> float:
    """Return the Bullington loss over a smooth Earth in closed form [dB], Attachment 4 to Annex 1.

    ``effective_m``: heights of the antennas above the smooth surface [m].
    """
    if length_km < line_of_sight_km(effective_m, radius_km):
        clearance = clearance_at_reflection(length_km, effective_m, radius_km)
        nu = -clearance.height_m * math.sqrt(0.002 * length_km / (wavelength_m * clearance.tx_km * clearance.rx_km))
    else:
        bulge = 500.0 / radius_km
        tx_slope, rx_slope = (bulge * length_km - 2.0 * math.sqrt(bulge * height) for height in effective_m)
        reach = (math.sqrt(effective_m[0] / bulge), length_km - math.sqrt(effective_m[1] / bulge))
        nu = bullington_parameter(length_km, effective_m, (tx_slope, rx_slope), reach, wavelength_m)
    return corrected_loss_db(knife_edge_loss_db(nu), length_km)


def interpolated_loss_db(median_db: float, ducting_db: float, factor: float) -> float:
    """Return the diffraction loss for the time wanted [dB], equation (41).

    ``median_db``, ``ducting_db``: losses for the median radius and the ducting radius [dB].
    """
    return median_db + factor * (ducting_db - median_db)
