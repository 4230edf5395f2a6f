"""What the Irregular Terrain Model needs: the link, its ground and climate, and which variability is asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from xinji.core.arrays import Floats, freeze
from xinji.errors import Fault, InputError, raise_if

NAME = "ITM"


class Climate(IntEnum):
    """Radio climates (Hufford, Table 5.1)."""

    EQUATORIAL = 1
    CONTINENTAL_SUBTROPICAL = 2
    MARITIME_SUBTROPICAL = 3
    DESERT = 4
    CONTINENTAL_TEMPERATE = 5
    MARITIME_TEMPERATE_LAND = 6
    MARITIME_TEMPERATE_SEA = 7


class Siting(IntEnum):
    """How carefully a terminal's place is chosen, where the terrain is known by its irregularity alone."""

    RANDOM = 0
    CAREFUL = 1
    VERY_CAREFUL = 2


class Service(IntEnum):
    """Which variabilities a user of the service meets together (Hufford, The Algorithm, section 5)."""

    SINGLE_MESSAGE = 0
    ACCIDENTAL = 1
    MOBILE = 2
    BROADCAST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ItmLink:
    """A link: antennas above ground [m], 0.5 to 3000; 20 to 20,000 MHz; the ground; the air.

    ``permittivity`` is relative to free space; ``conductivity_s_m`` [S/m]; ``refractivity`` the
    minimum monthly mean at sea level, 250 to 400 N-units. Raises InputError with every fault.
    """

    tx_height_m: float
    rx_height_m: float
    frequency_mhz: float
    vertical: bool
    permittivity: float
    conductivity_s_m: float
    refractivity: float
    climate: Climate

    def __post_init__(self) -> None:
        raise_if(self._faults(), InputError)

    def _faults(self) -> Iterator[Fault]:
        ranges = (
            ("tx_height_m", 0.5, 3000.0),
            ("rx_height_m", 0.5, 3000.0),
            ("frequency_mhz", 20.0, 20_000.0),
            ("refractivity", 250.0, 400.0),
            ("permittivity", 1.0, math.inf),
        )
        for name, low, high in ranges:
            value = getattr(self, name)
            if not low <= value <= high:
                found = f"{name} is {value:g}, expected {low:g} to {high:g}"
                yield Fault(NAME, found, "Use values within the model's range.")
        if not self.conductivity_s_m > 0.0:
            yield Fault(NAME, f"conductivity_s_m is {self.conductivity_s_m:g}", "Give a positive conductivity.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The share of time, locations and situations that the loss is not exceeded in [%, 0 to 100, both excluded].

    ``fixed_location`` and ``fixed_situation`` leave the direct variability of location (as in
    interference problems on a known path) or of situation out. Raises InputError with every fault.
    """

    service: Service
    time_percent: float
    location_percent: float
    situation_percent: float
    fixed_location: bool = False
    fixed_situation: bool = False

    def __post_init__(self) -> None:
        raise_if(self._faults(), InputError)

    def _faults(self) -> Iterator[Fault]:
        for name in ("time_percent", "location_percent", "situation_percent"):
            value = getattr(self, name)
            if not 0.0 < value < 100.0:
                yield Fault(NAME, f"{name} is {value:g}", "Give a percentage between 0 and 100, both excluded.")


def service_of(code: int) -> tuple[Service, bool, bool]:
    """Return service, ``fixed_location`` and ``fixed_situation`` of a variability mode ``code`` (mdvar).

    Its units are the service; 10 stands for a fixed location, 20 for a fixed situation. Raises
    InputError for any other code.
    """
    if not 0 <= code < 40 or code % 10 > Service.BROADCAST:
        remedy = "Use 0 to 3, and 10 or 20 (or both) more."
        raise InputError([Fault(NAME, f"the mode of variability is {code}", remedy)])
    return Service(code % 10), code // 10 % 2 == 1, code >= 20


@dataclass(frozen=True, slots=True, eq=False)
class Terrain:
    """Heights above sea level [m] (n,), evenly spaced by ``step_m`` from the transmitter to the receiver.

    Raises InputError with every fault.
    """

    step_m: float
    height_m: Floats

    def __post_init__(self) -> None:
        raise_if(self._faults(), InputError)
        freeze(self.height_m)

    @property
    def intervals(self) -> int:
        """Number of intervals."""
        return len(self.height_m) - 1

    @property
    def distance_m(self) -> float:
        """Length of the path [m]."""
        return self.intervals * self.step_m

    def _faults(self) -> Iterator[Fault]:
        if self.height_m.ndim != 1 or self.height_m.size < 3:
            found = f"the terrain has shape {self.height_m.shape}"
            yield Fault(NAME, found, "Give at least 3 heights in one row.")
        elif not all(map(math.isfinite, self.height_m)):
            yield Fault(NAME, "the terrain has missing heights", "Fill the gaps before, or leave the path out.")
        if not (math.isfinite(self.step_m) and self.step_m > 0.0):
            yield Fault(NAME, f"step_m is {self.step_m:g}", "Give a positive distance.")
