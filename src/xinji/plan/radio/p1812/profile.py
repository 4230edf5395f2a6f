"""What the prediction needs: the path's profile and the link's parameters (ITU-R P.1812-8, section 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from xinji.core.arrays import Floats, freeze, row_faults, shape_faults
from xinji.errors import Fault, InputError, raise_if

SEA, COASTAL_LAND, INLAND = 1, 3, 4
"""Radio-climatic zones (Table 3): B, A1 and A2."""

SHORTEST_KM, LONGEST_KM = 0.25, 3000.0
FEWEST_POINTS = 5

Zones: TypeAlias = NDArray[np.integer[Any]]
Polarization: TypeAlias = Literal["horizontal", "vertical"]


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """The path from transmitter to receiver, n points, at least 5.

    ``distance_km`` (n,) rises from 0 to 0.25 to 3000 km; ``height_m`` (n,) is terrain above mean
    sea level [m]; ``clutter_m`` (n,) the representative clutter height above it [m], not used at
    the two ends; ``zone`` (n,) integers: 1 sea, 3 coastal land, 4 inland. Raises InputError with
    every fault.
    """

    distance_km: Floats
    height_m: Floats
    clutter_m: Floats
    zone: Zones

    def __post_init__(self) -> None:
        raise_if(self._faults(), InputError)
        freeze(self.distance_km, self.height_m, self.clutter_m, self.zone)

    def __len__(self) -> int:
        return len(self.distance_km)

    @property
    def length_km(self) -> float:
        """Length of the path [km]."""
        return float(self.distance_km[-1])

    def surface_m(self) -> Floats:
        """Return terrain with representative clutter, bare at both ends [m] (n,), equation (1c)."""
        surface = self.height_m + self.clutter_m
        surface[0], surface[-1] = self.height_m[0], self.height_m[-1]
        return surface

    def _faults(self) -> Iterator[Fault]:
        n = (self.distance_km.size,)
        wrong = list(shape_faults("profile", [(name, getattr(self, name), n) for name in self.__slots__]))
        wrong.extend(self._type_faults())
        yield from wrong
        if not wrong:
            yield from self._value_faults()

    def _type_faults(self) -> Iterator[Fault]:
        for name in ("distance_km", "height_m", "clutter_m"):
            kind = getattr(self, name).dtype
            if kind != np.float64:
                yield Fault("profile", f"{name} is {kind}, expected float64", "Convert it.")
        if not np.issubdtype(self.zone.dtype, np.integer):
            yield Fault("profile", f"zone is {self.zone.dtype}, expected integers", "Convert it.")
        if self.distance_km.size < FEWEST_POINTS:
            found = f"has {self.distance_km.size} points, expected at least {FEWEST_POINTS}"
            yield Fault("profile", found, "Sample the path more densely.")

    def _value_faults(self) -> Iterator[Fault]:
        for name in ("distance_km", "height_m", "clutter_m"):
            missing = ~np.isfinite(getattr(self, name))
            yield from row_faults("profile", missing, f"{name} is missing", "Give a number.")
        if self.distance_km[0] != 0.0:
            found = f"begins at {self.distance_km[0]:g} km, expected 0"
            yield Fault("profile", found, "Count distances from the transmitter.", 0)
        falling = np.diff(self.distance_km, prepend=-np.inf) <= 0.0
        yield from row_faults("profile", falling, "distance does not rise", "Give each point once, in order.")
        if not SHORTEST_KM <= self.distance_km[-1] <= LONGEST_KM:
            found = f"is {self.distance_km[-1]:g} km long, expected {SHORTEST_KM} to {LONGEST_KM:g} km"
            yield Fault("profile", found, "Use a short-range model below this range.")
        yield from row_faults("profile", self.clutter_m < 0.0, "clutter is below ground", "Give at least 0 m.")
        unknown = ~np.isin(self.zone, (SEA, COASTAL_LAND, INLAND))
        remedy = "Use 1 for sea, 3 for coastal land or 4 for inland."
        yield from row_faults("profile", unknown, "the radio-climatic zone is unknown", remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Parameters of a link and of its climate.

    ``frequency_ghz`` 0.03 to 6; ``time_percent`` 1 to 50 and ``location_percent`` 1 to 99: of time
    and of places the loss is not exceeded; ``sigma_db`` standard deviation over places [dB]
    (see ``location_variability_db``); ``tx_height_m``, ``rx_height_m`` antennas above ground, 1 to
    3000 m; positions [deg], of which only the path centre's latitude is used;
    ``refractivity_gradient`` lapse of refractivity in the lowest kilometre [N-units/km, positive];
    ``surface_refractivity`` at sea level [N-units]; ``tx_coast_km``, ``rx_coast_km`` land to the
    coast along the path [km], taken as 0 for a terminal at sea. Raises InputError with every fault.
    """

    frequency_ghz: float
    time_percent: float
    location_percent: float
    sigma_db: float
    tx_height_m: float
    rx_height_m: float
    polarization: Polarization
    tx_latitude_deg: float
    tx_longitude_deg: float
    rx_latitude_deg: float
    rx_longitude_deg: float
    refractivity_gradient: float
    surface_refractivity: float
    tx_coast_km: float
    rx_coast_km: float

    def __post_init__(self) -> None:
        raise_if(self._faults(), InputError)

    @property
    def wavelength_m(self) -> float:
        """Wavelength [m], with the Recommendation's speed of light."""
        return 0.2998 / self.frequency_ghz

    def _faults(self) -> Iterator[Fault]:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:
                found = f"{name} is {value:g}, expected {low:g} to {high:g}"
                yield Fault("link", found, "Use values within the Recommendation's range.")
        if not 0.0 < self.refractivity_gradient < 157.0:
            found = f"refractivity_gradient is {self.refractivity_gradient:g}, expected above 0 and below 157"
            yield Fault("link", found, "Give the median lapse as a positive number.")
        if self.polarization not in {"horizontal", "vertical"}:
            found = f"polarization is {self.polarization!r}"
            yield Fault("link", found, "Use 'horizontal' or 'vertical'.")


_RANGES = (
    ("frequency_ghz", 0.03, 6.0),
    ("time_percent", 1.0, 50.0),
    ("location_percent", 1.0, 99.0),
    ("sigma_db", 0.0, 100.0),
    ("tx_height_m", 1.0, 3000.0),
    ("rx_height_m", 1.0, 3000.0),
    ("tx_latitude_deg", -90.0, 90.0),
    ("tx_longitude_deg", -180.0, 180.0),
    ("rx_latitude_deg", -90.0, 90.0),
    ("rx_longitude_deg", -180.0, 180.0),
    ("surface_refractivity", 100.0, 500.0),
    ("tx_coast_km", 0.0, 3000.0),
    ("rx_coast_km", 0.0, 3000.0),
)
