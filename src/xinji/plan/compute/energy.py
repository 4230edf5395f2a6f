"""Price, energy and upkeep of servers in an aggregation room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats
from xinji.core.parameters import Parameters
from xinji.units import HOURS_PER_YEAR


@dataclass(frozen=True, slots=True)
class ServerCosts:
    """Prices of servers and what runs them.

    ``server`` and ``cabinet`` [currency]; ``server_kw`` the average draw of one server; ``pue`` the
    power usage effectiveness (ISO/IEC 30134-2); ``tariff`` [currency/kWh]; ``maintenance_share`` of
    the capex each year.
    """

    server: float
    cabinet: float
    servers_per_cabinet: float
    server_kw: float
    pue: float
    tariff: float
    maintenance_share: float


def server_costs(parameters: Parameters) -> ServerCosts:
    """Return the prices that ``parameters`` describe."""
    return ServerCosts(
        server=parameters.value("compute.server", "currency"),
        cabinet=parameters.value("compute.cabinet", "currency"),
        servers_per_cabinet=parameters.value("compute.servers_per_cabinet", "servers"),
        server_kw=parameters.value("compute.server_power", "kW"),
        pue=parameters.value("compute.pue", "1"),
        tariff=parameters.value("energy.tariff", "currency/kWh"),
        maintenance_share=parameters.value("compute.maintenance_share", "share/year"),
    )


def capex(servers: Floats, costs: ServerCosts) -> Floats:
    """Return the capex [currency] of ``servers`` with whole cabinets to hold them (shape (n,))."""
    cabinets = np.ceil(servers / costs.servers_per_cabinet)
    return np.asarray(servers * costs.server + cabinets * costs.cabinet, dtype=np.float64)


def energy_kwh(servers: Floats, costs: ServerCosts) -> Floats:
    """Return the yearly energy [kWh] of the room: that of the servers times PUE (shape (n,)).

    PUE is the energy of the room over that of its IT equipment (ISO/IEC 30134-2).
    """
    return np.asarray(servers * costs.server_kw * costs.pue * HOURS_PER_YEAR, dtype=np.float64)


def opex(servers: Floats, costs: ServerCosts) -> Floats:
    """Return the opex [currency/year] of ``servers``: energy and maintenance (shape (n,))."""
    return energy_kwh(servers, costs) * costs.tariff + capex(servers, costs) * costs.maintenance_share


__all__ = ["ServerCosts", "capex", "energy_kwh", "opex", "server_costs"]
