"""The air and the ground of a path, and its geometry as the model sees it."""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

from xinji.errors import Fault, InputError
from xinji.plan.radio.itm.inputs import NAME, ItmLink

Pair = tuple[float, float]
"""One figure for the transmitter, one for the receiver."""

WAVE_NUMBER_MHZ_M = 47.7
"""Frequency of wave number 1/m [MHz m]."""

_EARTH_CURVATURE_PER_M = 157e-9


@dataclass(frozen=True, slots=True)
class Medium:
    """Frequency [MHz], ground transfer impedance, effective earth radius [m], surface refractivity [N-units]."""

    frequency_mhz: float
    impedance: complex
    earth_radius_m: float
    refractivity: float

    @property
    def wave_number(self) -> float:
        """Wave number [1/m]."""
        return self.frequency_mhz / WAVE_NUMBER_MHZ_M


@dataclass(frozen=True, slots=True)
class Geometry:
    """Terminals and terrain in the model's few figures.

    ``height_m`` antennas above ground, ``effective_m`` above the dominant reflecting plane,
    ``horizon_m`` distances of the horizons, ``elevation_rad`` their elevation angles;
    ``irregularity_m`` the interdecile range of terrain over long distances; ``profile_known``
    whether they come from a profile or from statistics.
    """

    height_m: Pair
    effective_m: Pair
    horizon_m: Pair
    elevation_rad: Pair
    irregularity_m: float
    profile_known: bool

    @property
    def horizons_m(self) -> float:
        """Sum of the horizon distances [m]."""
        return sum(self.horizon_m)

    def smooth_horizons_m(self, medium: Medium) -> float:
        """Return the sum of the horizon distances over smooth earth [m] (Hufford, section 3)."""
        return sum(smooth_horizon_m(height, medium.earth_radius_m) for height in self.effective_m)

    def line_of_sight_rad(self, medium: Medium) -> float:
        """Return the angular extent of the line-of-sight region [rad] (Hufford, section 4)."""
        return -max(sum(self.elevation_rad), -self.horizons_m / medium.earth_radius_m)


def smooth_horizon_m(height_m: float, earth_radius_m: float) -> float:
    """Return the horizon distance [m] over smooth earth (Hufford, section 3)."""
    return math.sqrt(2.0 * height_m * earth_radius_m)


def roughness_m(distance_m: float, irregularity_m: float) -> float:
    """Return the interdecile range of terrain [m] over a distance (ERL 79-ITS 67, equation 3)."""
    return irregularity_m * (1.0 - 0.8 * math.exp(-distance_m / 50e3))


def terrain_deviation_m(rough_m: float) -> float:
    """Return the deviation of terrain in the first Fresnel zone [m] (ERL 79-ITS 67, equation 3.6a)."""
    return 0.78 * rough_m * math.exp(-0.5 * rough_m**0.25)


def medium_of(link: ItmLink, mean_height_m: float) -> Medium:
    """Return the medium over terrain of a mean height above sea level [m].

    Refractivity falls with height (Technical Note 101, equation 4.3); it bends rays (equation 4.4);
    the ground's impedance is its surface transfer impedance. Raises InputError where a figure is beyond
    what the model holds for.
    """
    refractivity = link.refractivity * math.exp(-mean_height_m / 9460.0)
    curvature = _EARTH_CURVATURE_PER_M * (1.0 - 0.04665 * math.exp(refractivity / 179.3))
    permittivity = complex(link.permittivity, 18_000.0 * link.conductivity_s_m / link.frequency_mhz)
    impedance = cmath.sqrt(permittivity - 1.0)
    if link.vertical:
        impedance /= permittivity
    faults = []
    if not 150.0 <= refractivity <= 400.0:
        found = f"the surface refractivity is {refractivity:.4g} N-units at {mean_height_m:.4g} m"
        faults.append(Fault(NAME, found, "Use paths with 150 to 400 N-units at their mean height."))
    if not 4_000e3 <= 1.0 / curvature <= 13_333_333.0:
        found = f"the effective earth radius is {1e-3 / curvature:.4g} km, expected 4000 to 13333 km"
        faults.append(Fault(NAME, found, "Use another refractivity."))
    if impedance.real <= abs(impedance.imag):
        found = f"the ground's impedance is {impedance:.3g}, expected a real part above the imaginary part"
        faults.append(Fault(NAME, found, "Use a lower conductivity or a higher permittivity."))
    if faults:
        raise InputError(faults)
    return Medium(link.frequency_mhz, impedance, 1.0 / curvature, refractivity)
