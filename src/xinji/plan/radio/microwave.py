"""Microwave hops between masts: line of sight over terrain and clutter, fade margin, availability.

A hop needs clearance of its first Fresnel zone (ITU-R P.530-18, section 2.2.2, and P.526) over ground and clutter on
the effective Earth. Its margin is over the receiver's threshold at the planned modulation after free-space loss
(P.525) and gases (P.676); multipath and rain (P.530, P.838) say how much of the year it is out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import AnyArray, Bools, Floats, Ints, freeze
from xinji.core.parameters import Parameters
from xinji.plan.radio.area.surface import Surface
from xinji.plan.radio.p525 import free_space_loss_db, wavelength_m
from xinji.plan.radio.p530 import Hop, occurrence_quick_percent, outage
from xinji.plan.radio.p676 import mean_global_atmosphere, path_gas_db
from xinji.units import METRES_PER_KM

EQUIPMENT = ("mid", "e_band")
"""Kinds of radio; each has its figures, ``microwave.<kind>.<figure>``."""

EARTH_RADIUS_M = 6_371_000.0
_VERTICAL_DEG = 90.0
_BATCH = 2_000_000


@dataclass(frozen=True, slots=True)
class Equipment:
    """One kind of radio at its planned modulation.

    ``gain_dbi`` of each antenna; ``threshold_dbm`` at the receiver; ``cost`` [currency] and ``opex``
    [currency/year] of a hop, both ends; ``longest_m`` how far apart ends are looked at.
    """

    frequency_ghz: float
    capacity_mbps: float
    power_dbm: float
    gain_dbi: float
    threshold_dbm: float
    longest_m: float
    cost: float
    opex: float


@dataclass(frozen=True, slots=True)
class Rules:
    """What of the place matters and what is asked of hops: ``rain_rate_mm_h`` (R0.01), ``gradient_dn1`` [N-units/km].

    ``availability`` [share of the average year] is asked for; antennas at points of presence are ``root_height_m``
    high. ``clearance`` is asked for as a share of the first Fresnel zone's radius, on an Earth ``earth_factor`` times
    as large.
    """

    rain_rate_mm_h: float
    gradient_dn1: float
    latitude_deg: float
    clearance: float
    earth_factor: float
    availability: float
    root_height_m: float


@dataclass(frozen=True, slots=True, eq=False)
class Masts:
    """Antenna positions (n): place [m] and height over ground [m]."""

    x_m: Floats
    y_m: Floats
    height_m: Floats

    def __post_init__(self) -> None:
        freeze(self.x_m, self.y_m, self.height_m)


@dataclass(frozen=True, slots=True, eq=False)
class Sights:
    """Pairs of masts (p) with the lowest ratio of clearance to the first Fresnel zone's radius at 1 GHz.

    ``first`` and ``second`` are masts, ``near_m`` and ``far_m`` their antennas above sea level, ``ground_m`` the mean
    ground between them, ``clear_1ghz`` that ratio: at f GHz it is the square root of f times as large.
    """

    first: Ints
    second: Ints
    distance_m: Floats
    near_m: Floats
    far_m: Floats
    ground_m: Floats
    clear_1ghz: Floats


def read_equipment(parameters: Parameters, kind: str) -> Equipment:
    """Return the figures of ``kind`` (one of ``EQUIPMENT``)."""

    def value(name: str, unit: str) -> float:
        return parameters.value(f"microwave.{kind}.{name}", unit)

    return Equipment(
        frequency_ghz=value("frequency", "GHz"),
        capacity_mbps=value("bandwidth", "MHz") * value("efficiency", "bit/s/Hz"),
        power_dbm=value("power", "dBm"),
        gain_dbi=value("gain", "dB"),
        threshold_dbm=value("threshold", "dBm"),
        longest_m=value("longest", "m"),
        cost=value("cost", "currency"),
        opex=value("opex", "currency/year"),
    )


def read_rules(parameters: Parameters, latitude_deg: float) -> Rules:
    """Return the rules that ``parameters`` tell at ``latitude_deg``."""
    return Rules(
        rain_rate_mm_h=parameters.value("microwave.rain_rate", "mm/h"),
        gradient_dn1=parameters.value("microwave.gradient_dn1", "1/km"),
        latitude_deg=latitude_deg,
        clearance=parameters.value("microwave.clearance", "share"),
        earth_factor=parameters.value("microwave.earth_factor", "1"),
        availability=parameters.value("microwave.availability", "share"),
        root_height_m=parameters.value("microwave.root_height", "m"),
    )


def sights(surface: Surface, masts: Masts, first: Ints, second: Ints, earth_factor: float) -> Sights:
    """Return how clear the lines between masts ``first`` and ``second`` (p,) are over ``surface``.

    Ground and clutter are looked at every pixel, up to a pixel from either mast: an antenna stands above what
    surrounds it.
    """
    distance_m = np.hypot(masts.x_m[second] - masts.x_m[first], masts.y_m[second] - masts.y_m[first])
    ground = _at(surface, surface.ground_m, masts.x_m, masts.y_m)
    top_m = ground + masts.height_m
    clear, mean = np.full(len(first), np.inf), np.zeros(len(first))
    points = np.maximum(np.ceil(distance_m / surface.grid.cell_m).astype(np.int64), 2) + 1
    order = np.argsort(points, kind="stable")
    size = max(1, _BATCH // int(points.max(initial=1)))
    for start in range(0, len(order), size):
        mine = order[start : start + size]
        ends = (first[mine], second[mine], top_m)
        clear[mine], mean[mine] = _clearance(surface, masts, ends, distance_m[mine], earth_factor)
    return Sights(first, second, distance_m, top_m[first], top_m[second], mean, clear)


def _clearance(
    surface: Surface, masts: Masts, ends: tuple[Ints, Ints, Floats], distance_m: Floats, earth_factor: float
) -> tuple[Floats, Floats]:
    """Return the lowest clearance over the first Fresnel radius at 1 GHz, and the mean ground [m] (p,)."""
    first, second, top_m = ends
    count = int(max(2, np.ceil(distance_m.max() / surface.grid.cell_m))) + 1
    share = np.linspace(0.0, 1.0, count)[:, np.newaxis]
    x = masts.x_m[first] * (1 - share) + masts.x_m[second] * share
    y = masts.y_m[first] * (1 - share) + masts.y_m[second] * share
    ground = _at(surface, surface.ground_m, x, y)
    near_m, far_m = share * distance_m, (1 - share) * distance_m
    bulge = near_m * far_m / (2.0 * earth_factor * EARTH_RADIUS_M)
    line = top_m[first] * (1 - share) + top_m[second] * share
    above = line - ground - _at(surface, surface.clutter_m, x, y) - bulge
    between = (near_m >= surface.grid.cell_m) & (far_m >= surface.grid.cell_m)
    length = np.where(distance_m > 0, distance_m, 1.0)
    fresnel = np.sqrt(wavelength_m(np.ones(1)) * near_m * far_m / length)
    ratio = np.where(between, above / np.where(between, fresnel, 1.0), np.inf)
    return ratio.min(axis=0), ground.mean(axis=0)


def _at(surface: Surface, values: AnyArray, x_m: Floats, y_m: Floats) -> Floats:
    """Return ``values`` of the pixel under each point; outside, the nearest pixel's."""
    row, column, _ = surface.grid.locate(x_m.ravel(), y_m.ravel())
    return np.asarray(values[row, column], dtype=np.float64).reshape(x_m.shape)


def clear_sights(found: Sights, equipment: Equipment, rules: Rules) -> Bools:
    """Return the pairs (p,) that ``equipment`` could join: near enough, and with the Fresnel zone clear as asked."""
    ratio = found.clear_1ghz * np.sqrt(equipment.frequency_ghz)
    fine: Bools = (found.distance_m > 0) & (found.distance_m <= equipment.longest_m) & (ratio >= rules.clearance)
    return fine


def margin_db(distance_m: Floats, equipment: Equipment) -> Floats:
    """Return the fade margin [dB] of hops ``distance_m`` (p,) long: over the threshold, in clear air."""
    distance_km, frequency = distance_m / METRES_PER_KM, np.full(len(distance_m), equipment.frequency_ghz)
    loss = free_space_loss_db(distance_km, frequency) + path_gas_db(distance_km, frequency, mean_global_atmosphere())
    return np.asarray(equipment.power_dbm + 2.0 * equipment.gain_dbi - loss - equipment.threshold_dbm)


def availability(found: Sights, chosen: Ints, equipment: Equipment, rules: Rules) -> Floats:
    """Return the share of the average year in which the ``chosen`` pairs (k,) hold their modulation; 0 without margin.

    Vertical polarization. Raises InputError where ITU-R P.530 has no formula, beyond 5 km above 45 GHz.
    """
    margin = margin_db(found.distance_m[chosen], equipment)
    share = np.zeros(len(chosen))
    able = np.flatnonzero(margin > 0)
    if not len(able):
        return share
    mine = chosen[able]
    hop = Hop(
        distance_km=found.distance_m[mine] / METRES_PER_KM,
        frequency_ghz=np.array([equipment.frequency_ghz]),
        near_m=found.near_m[mine],
        far_m=found.far_m[mine],
        terrain_m=found.ground_m[mine],
        tilt_deg=np.array([_VERTICAL_DEG]),
        latitude_deg=np.array([rules.latitude_deg]),
        rain_rate_mm_h=np.array([rules.rain_rate_mm_h]),
    )
    multipath = occurrence_quick_percent(hop, np.array([rules.gradient_dn1]))
    share[able] = outage(hop, multipath, margin[able]).availability
    return share


__all__ = [
    "EQUIPMENT",
    "Equipment",
    "Masts",
    "Rules",
    "Sights",
    "availability",
    "clear_sights",
    "margin_db",
    "read_equipment",
    "read_rules",
    "sights",
]
