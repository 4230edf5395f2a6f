"""What a site and a carrier cost to build and to keep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats, freeze
from xinji.core.parameters import Parameters
from xinji.core.vocabulary import BANDS_MHZ, GROUPS
from xinji.units import HOURS_PER_YEAR

HOST_KINDS = ("tower_new", "tower_shared", "rooftop")
"""What carries the antennas; a shared tower belongs to somebody else and stands already."""

RENT_OF = {"tower_new": "ground", "tower_shared": "tower", "rooftop": "roof"}
"""What is leased: the ground under a new tower, a place on a tower that stands, a roof."""


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """Prices of hosts by kind (h) and group (g), and of carriers by band (b).

    Capex [currency] has shapes (h,) and (b,); opex [currency/year] shapes (h, g) and (b,).
    """

    host_capex: Floats
    host_opex: Floats
    carrier_capex: Floats
    carrier_opex: Floats

    def __post_init__(self) -> None:
        freeze(self.host_capex, self.host_opex, self.carrier_capex, self.carrier_opex)


def read_costs(parameters: Parameters) -> Costs:
    """Return the prices of a profile. Raises ParameterError if a figure is missing.

    A host is its structure and power supply; it is kept with rent, upkeep and the site's own
    energy. A carrier is equipment of all sectors and its installation; it is kept with upkeep of
    the equipment and its energy.
    """
    upkeep = parameters.value("radio.maintenance_share", "1/year")
    tariff = parameters.value("energy.tariff", "currency/kWh")
    structure = np.array([parameters.value(f"radio.cost.{kind}", "currency") for kind in HOST_KINDS])
    host_capex = structure + parameters.value("radio.cost.power", "currency")
    rent = [
        [parameters.value(f"radio.rent.{RENT_OF[kind]}.{group}", "currency/year") for group in GROUPS]
        for kind in HOST_KINDS
    ]
    site_energy = energy_cost(np.array([parameters.value("radio.energy.site", "kW")]), tariff)
    equipment = np.array([parameters.value(f"radio.cost.carrier.{mhz}", "currency") for mhz in BANDS_MHZ])
    power = np.array([parameters.value(f"radio.energy.carrier.{mhz}", "kW") for mhz in BANDS_MHZ])
    return Costs(
        host_capex=host_capex,
        host_opex=np.asarray(rent) + upkeep * host_capex[:, None] + site_energy,
        carrier_capex=equipment + parameters.value("radio.cost.carrier_installation", "currency"),
        carrier_opex=upkeep * equipment + energy_cost(power, tariff),
    )


def energy_cost(power_kw: Floats, tariff_per_kwh: float) -> Floats:
    """Return the yearly cost of a mean power draw [currency/year] (shape of ``power_kw``)."""
    return power_kw * HOURS_PER_YEAR * tariff_per_kwh
