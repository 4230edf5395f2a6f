"""ITU-R P.530-18: outage of line-of-sight microwave hops by multipath fading and rain.

The narrow-band outage of one polarization: section 2.3 (multipath, average worst month and average
year), section 2.4.1 (rain, average year) and their sum. What P.530-18 reads from digital maps (the
geoclimatic factor and dN75) is given; so is the rain rate of ITU-R P.837. The formulas of P.530-17,
which need no maps but a refractivity gradient, stand beside those of P.530-18: their geoclimatic
factors belong to their own formulas and are not to be mixed. Arrays are float64 and broadcast
together. Percentages of time throughout.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, freeze
from xinji.plan.radio.p838 import coefficients
from xinji.plan.radio.ranges import check_ranges
from xinji.units import METRES_PER_KM

NAME = "ITU-R P.530"
LEAST_MULTIPATH_KM = 5.0
"""Multipath fading of hops up to this length may be set to zero (section 2.3)."""
LEAST_RAIN_PERCENT, MOST_RAIN_PERCENT = 0.001, 1.0
"""Rain attenuation is given for percentages of time within these (section 2.4.1, step 5)."""
POSITIVE, FROM_ZERO = "the positive numbers", "the numbers from 0 up"


@dataclass(frozen=True, slots=True, eq=False)
class Hop:
    """Microwave hops; the arrays broadcast together.

    ``distance_km``; ``frequency_ghz``; ``near_m`` and ``far_m`` the antennas' heights above sea level
    [m]; ``terrain_m`` the mean height of the terrain along the path, without trees [m]; ``tilt_deg``
    the polarization's angle from the horizontal; ``latitude_deg``; ``rain_rate_mm_h`` the rain rate
    exceeded for 0.01% of the year at one minute's integration (R0.01).
    """

    distance_km: Floats
    frequency_ghz: Floats
    near_m: Floats
    far_m: Floats
    terrain_m: Floats
    tilt_deg: Floats
    latitude_deg: Floats
    rain_rate_mm_h: Floats

    def __post_init__(self) -> None:
        rate, distance, frequency = self.rain_rate_mm_h, self.distance_km, self.frequency_ghz
        heights = [(name, getattr(self, name)) for name in ("near_m", "far_m", "terrain_m")]
        checks = (
            ("distance_km", distance, np.isfinite(distance) & (distance > 0.0), POSITIVE),
            ("frequency_ghz", frequency, (frequency >= 1.0) & (frequency <= 100.0), "1 to 100"),
            ("tilt_deg", self.tilt_deg, np.abs(self.tilt_deg) <= 180.0, "-180 to 180"),
            ("latitude_deg", self.latitude_deg, np.abs(self.latitude_deg) <= 90.0, "-90 to 90"),
            ("rain_rate_mm_h", rate, np.isfinite(rate) & (rate >= 0.0), FROM_ZERO),
        )
        tall = [(name, values, np.isfinite(values), "the finite numbers") for name, values in heights]
        check_ranges(NAME, [*checks, *tall])
        freeze(*(getattr(self, name) for name in self.__slots__))


@dataclass(frozen=True, slots=True, eq=False)
class Outage:
    """Percentages of an average year in which hops are out (all of one shape).

    ``rain_within`` is false where rain's percentage is a bound on the safe side: the fade margin is
    deeper than the attenuation of 0.001% of the year (0.001 is given, it is less), or shallower
    than that of 1% (100 is given: the hop is of no use).
    """

    multipath_percent: Floats
    rain_percent: Floats
    total_percent: Floats
    rain_within: Bools

    @property
    def availability(self) -> Floats:
        """Share of the year, 0 to 1, in which the hop works."""
        return np.asarray(1.0 - self.total_percent / 100.0)


def inclination_mrad(hop: Hop) -> Floats:
    """Return the magnitude of the path's inclination [mrad] (ITU-R P.530-18, section 2.3.1, step 2)."""
    return np.asarray(np.abs(hop.far_m - hop.near_m) / hop.distance_km)


def path_height_m(hop: Hop) -> Floats:
    """Return hc, the mean height of the path above the terrain [m] (ITU-R P.530-18, section 2.3.1, step 2).

    The Earth of four thirds its radius takes off d^2 / 102.
    """
    return np.asarray((hop.near_m + hop.far_m) / 2.0 - hop.distance_km**2 / 102.0 - hop.terrain_m)


def surface_duct_term(hop: Hop, dn75: Floats) -> Floats:
    """Return vsr, what ducts at the surface add (ITU-R P.530-18, section 2.3.1, step 3), below its limit.

    ``dn75`` [N-units] is the increase of refractivity over the lowest 75 m that is exceeded in 0.1%
    of the average worst month (a digital map of the Recommendation).
    """
    limit = dn75 * hop.distance_km**1.5 * np.sqrt(hop.frequency_ghz) / 24_730.0
    decay = np.exp(-path_height_m(hop) / (2.5 * np.sqrt(hop.distance_km)))
    return np.minimum((dn75 / 50.0) ** 1.8 * decay, limit)


def occurrence_percent(hop: Hop, geoclimatic_factor: Floats, dn75: Floats) -> Floats:
    """Return p0, the multipath occurrence factor [%] (ITU-R P.530-18, section 2.3.1 at a fade of 0 dB).

    ``geoclimatic_factor`` K and ``dn75`` [N-units] come from the Recommendation's digital maps. Zero
    up to 5 km. Raises InputError for values that are not positive, and for hops beyond 5 km at
    frequencies outside 15/d to 45 GHz.
    """
    _check_multipath(hop)
    checks = [("geoclimatic_factor", geoclimatic_factor, geoclimatic_factor > 0.0, POSITIVE)]
    check_ranges(NAME, [*checks, ("dn75", dn75, dn75 >= 0.0, FROM_ZERO)])
    exponent = -0.376 * np.tanh((path_height_m(hop) - 147.0) / 125.0) - 0.334 * inclination_mrad(hop) ** 0.39
    exponent = exponent - 0.00027 * _lower_m(hop) + 17.85 * surface_duct_term(hop, dn75)
    length_term = geoclimatic_factor * hop.distance_km**3.51
    factor = length_term * (hop.frequency_ghz**2 + 13.0) ** 0.447 * 10.0**exponent
    return np.where(hop.distance_km > LEAST_MULTIPATH_KM, factor, 0.0)


def geoclimatic_quick(gradient_dn1: Floats) -> Floats:
    """Return K for quick planning (ITU-R P.530-17, section 2.3.1, step 1).

    ``gradient_dn1`` [N-units/km] is the refractivity gradient in the lowest 65 m that is not
    exceeded in 1% of an average year (ITU-R P.453).
    """
    return np.asarray(10.0 ** (-4.6 - 0.0027 * gradient_dn1))


def geoclimatic_detailed(gradient_dn1: Floats, roughness_m: Floats) -> Floats:
    """Return K for detailed design (ITU-R P.530-17, section 2.3.1, step 1).

    ``gradient_dn1`` as in ``geoclimatic_quick``; ``roughness_m`` [m] is the standard deviation of the
    terrain's height in an area of 110 km by 110 km. Raises InputError for a negative roughness.
    """
    check_ranges(NAME, [("roughness_m", roughness_m, roughness_m >= 0.0, FROM_ZERO)])
    return np.asarray(10.0 ** (-4.4 - 0.0027 * gradient_dn1) * (10.0 + roughness_m) ** -0.46)


def occurrence_quick_percent(hop: Hop, gradient_dn1: Floats) -> Floats:
    """Return p0 [%] by the quick formula (ITU-R P.530-17, section 2.3.1, step 3 at a fade of 0 dB).

    Raises InputError as ``occurrence_percent`` does.
    """
    _check_multipath(hop)
    slant = (1.0 + inclination_mrad(hop)) ** -1.29 * 10.0 ** (-0.00089 * _lower_m(hop))
    factor = geoclimatic_quick(gradient_dn1) * hop.distance_km**3.1 * slant * hop.frequency_ghz**0.8
    return np.where(hop.distance_km > LEAST_MULTIPATH_KM, factor, 0.0)


def occurrence_detailed_percent(hop: Hop, gradient_dn1: Floats, roughness_m: Floats) -> Floats:
    """Return p0 [%] by the detailed formula (ITU-R P.530-17, section 2.3.1, step 3 at a fade of 0 dB).

    Raises InputError as ``occurrence_percent`` and ``geoclimatic_detailed`` do.
    """
    _check_multipath(hop)
    slant = (1.0 + inclination_mrad(hop)) ** -1.03 * 10.0 ** (-0.00076 * _lower_m(hop))
    geoclimatic = geoclimatic_detailed(gradient_dn1, roughness_m)
    factor = geoclimatic * hop.distance_km**3.4 * slant * hop.frequency_ghz**0.8
    return np.where(hop.distance_km > LEAST_MULTIPATH_KM, factor, 0.0)


def deep_fade_percent(occurrence: Floats, fade_db: Floats) -> Floats:
    """Return the share of the worst month [%] with fades deeper than ``fade_db``, for deep fades.

    ITU-R P.530-18, section 2.3.1, step 3, by the occurrence factor p0 [%]: for small percentages.
    """
    return np.asarray(occurrence * 10.0 ** (-0.1 * fade_db))


def conversion_db(hop: Hop) -> Floats:
    """Return the ratio [dB] of the worst month's to the year's percentage (ITU-R P.530-18, section 2.3.4, step 2).

    At most 10.8 dB: no month holds more than the fades of twelve.
    """
    latitude = np.abs(hop.latitude_deg)
    swing = np.abs(np.cos(2.0 * np.radians(latitude))) ** 0.7
    term = 1.1 + np.where(latitude <= 45.0, swing, -swing)
    ratio = 10.5 - 5.6 * np.log10(term) - 2.7 * np.log10(hop.distance_km)
    return np.minimum(ratio + 1.7 * np.log10(1.0 + inclination_mrad(hop)), 10.8)


def worst_month_percent(occurrence: Floats, fade_db: Floats) -> Floats:
    """Return the share of the average worst month [%] with fades deeper than ``fade_db`` (any depth).

    ITU-R P.530-18, section 2.3.2, by the occurrence factor p0 [%]. Raises InputError for p0 outside
    0 to 2000, where the method is monotonic, or a negative fade.
    """
    return _fade_percent(occurrence, fade_db, np.asarray(0.0))


def annual_percent(hop: Hop, occurrence: Floats, fade_db: Floats) -> Floats:
    """Return the share of the average year [%] with fades deeper than ``fade_db`` (any depth).

    ITU-R P.530-18, section 2.3.4, by the worst month's occurrence factor p0 [%]. Raises InputError
    as ``worst_month_percent`` does.
    """
    return _fade_percent(occurrence, fade_db, conversion_db(hop))


def _fade_percent(occurrence: Floats, fade_db: Floats, reduction_db: Floats) -> Floats:
    """Return the percentage of time of a fade, ``reduction_db`` below the worst month's tail.

    ITU-R P.530-18, section 2.3.2, equations 12 to 18, with the change of section 2.3.4, step 4.
    """
    fine = (occurrence >= 0.0) & (occurrence < 2000.0)
    checks = [("occurrence", occurrence, fine, "0 to 2000")]
    check_ranges(NAME, [*checks, ("fade_db", fade_db, fade_db >= 0.0, FROM_ZERO)])
    some = np.where(occurrence > 0.0, occurrence, 1.0)
    turn_db = 25.0 + 1.2 * np.log10(some)
    deep = deep_fade_percent(some, fade_db + reduction_db)
    at_turn = deep_fade_percent(some, turn_db + reduction_db)
    slope = -20.0 * np.log10(-np.log1p(-at_turn / 100.0)) / turn_db
    bent = (slope - 2.0) / _bend(turn_db) - _sag(turn_db)
    slope_here = 2.0 + _bend(fade_db) * (bent + _sag(fade_db))
    shallow = -100.0 * np.expm1(-(10.0 ** (-slope_here * fade_db / 20.0)))
    return np.where(occurrence > 0.0, np.where(fade_db >= turn_db, deep, shallow), 0.0)


def _bend(fade_db: Floats) -> Floats:
    """Return the factor of equations 16 and 17 (ITU-R P.530-18, section 2.3.2)."""
    return np.asarray((1.0 + 0.3 * 10.0 ** (-fade_db / 20.0)) * 10.0 ** (-0.016 * fade_db))


def _sag(fade_db: Floats) -> Floats:
    """Return the term of equations 16 and 17 (ITU-R P.530-18, section 2.3.2)."""
    return np.asarray(4.3 * (10.0 ** (-fade_db / 20.0) + fade_db / 800.0))


def distance_factor(hop: Hop, exponent: Floats) -> Floats:
    """Return r, effective over actual length in rain (ITU-R P.530-18, section 2.4.1, step 3), at most 2.5.

    ``exponent`` is the alpha of ITU-R P.838.
    """
    growth = 0.477 * hop.distance_km**0.633 * hop.rain_rate_mm_h ** (0.073 * exponent) * hop.frequency_ghz**0.123
    inverse = growth + 10.579 * np.expm1(-0.024 * hop.distance_km)
    return 1.0 / np.maximum(inverse, 0.4)


def rain_001_db(hop: Hop) -> Floats:
    """Return the rain attenuation [dB] exceeded in 0.01% of the year (ITU-R P.530-18, section 2.4.1, step 4).

    Raises InputError for a hop longer than 60 km.
    """
    check_ranges(NAME, [("distance_km", hop.distance_km, hop.distance_km <= 60.0, "0 to 60 for rain")])
    elevation = np.degrees(np.arctan2(hop.far_m - hop.near_m, METRES_PER_KM * hop.distance_km))
    k, alpha = coefficients(hop.frequency_ghz, np.asarray(elevation), hop.tilt_deg)
    specific = k * hop.rain_rate_mm_h**alpha
    return np.asarray(specific * hop.distance_km * distance_factor(hop, alpha))


def scaling(frequency_ghz: Floats) -> tuple[Floats, Floats, Floats]:
    """Return C1, C2 and C3, which scale rain attenuation to percentages (ITU-R P.530-18, section 2.4.1, step 5)."""
    c0 = 0.12 + 0.4 * np.log10(np.maximum(frequency_ghz / 10.0, 1.0) ** 0.8)
    c1 = 0.07**c0 * 0.12 ** (1.0 - c0)
    return np.asarray(c1), np.asarray(0.855 * c0 + 0.546 * (1.0 - c0)), np.asarray(0.139 * c0 + 0.043 * (1.0 - c0))


def rain_db(hop: Hop, percent: Floats) -> Floats:
    """Return the rain attenuation [dB] exceeded in ``percent`` of the year (ITU-R P.530-18, section 2.4.1).

    Raises InputError for a percentage outside 0.001 to 1 or a hop longer than 60 km.
    """
    fine = (percent >= LEAST_RAIN_PERCENT) & (percent <= MOST_RAIN_PERCENT)
    check_ranges(NAME, [("percent", percent, fine, "0.001 to 1")])
    c1, c2, c3 = scaling(hop.frequency_ghz)
    return np.asarray(rain_001_db(hop) * c1 * percent ** -(c2 + c3 * np.log10(percent)))


def rain_percent(hop: Hop, fade_db: Floats) -> tuple[Floats, Bools]:
    """Return the share of the year [%] with more rain attenuation than ``fade_db``, and where it is exact.

    ``rain_db`` solved for the percentage. Where the answer is outside 0.001 to 1% it is a bound on
    the safe side, as ``Outage`` says, and the second array is false. Raises InputError for a fade
    that is not positive or a hop longer than 60 km.
    """
    check_ranges(NAME, [("fade_db", fade_db, np.isfinite(fade_db) & (fade_db > 0.0), POSITIVE)])
    most, least = rain_db(hop, np.asarray(LEAST_RAIN_PERCENT)), rain_db(hop, np.asarray(MOST_RAIN_PERCENT))
    _, c2, c3 = scaling(hop.frequency_ghz)
    raining = least > 0.0
    ratio = np.log10(np.where(raining, np.clip(fade_db, least, most), 1.0) / np.where(raining, least, 1.0))
    decades = (np.sqrt(c2**2 - 4.0 * c3 * ratio) - c2) / (2.0 * c3)
    percent = np.where(fade_db < least, 100.0, 10.0**decades)
    return np.where(raining, percent, 0.0), ~raining | ((fade_db >= least) & (fade_db <= most))


def outage(hop: Hop, occurrence: Floats, margin_db: Floats) -> Outage:
    """Return how much of the average year hops are out by their fade margins.

    Multipath (ITU-R P.530-18, section 2.3.4, not selective fading) and rain (section 2.4.1) do not
    fall together, so that their percentages add up. ``occurrence`` is p0 [%] by one of the
    ``occurrence`` functions; ``margin_db`` [dB] is over the receiver's threshold after free-space and
    gaseous loss. Raises InputError for a margin that is not positive, p0 outside 0 to 2000 or a hop
    longer than 60 km.
    """
    rain, within = rain_percent(hop, margin_db)
    multipath = annual_percent(hop, occurrence, margin_db)
    rain, multipath, within = np.broadcast_arrays(rain, multipath, within)
    return Outage(multipath, rain, np.minimum(rain + multipath, 100.0), within)


def _lower_m(hop: Hop) -> Floats:
    """Return hL, the height of the lower antenna above sea level [m]."""
    return np.minimum(hop.near_m, hop.far_m)


def _check_multipath(hop: Hop) -> None:
    long = hop.distance_km > LEAST_MULTIPATH_KM
    fine = (hop.frequency_ghz >= 15.0 / hop.distance_km) & (hop.frequency_ghz <= 45.0)
    check_ranges(NAME, [("frequency_ghz", hop.frequency_ghz, fine | ~long, "15/d to 45 beyond 5 km")])
