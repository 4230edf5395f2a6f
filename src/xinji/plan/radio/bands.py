"""The bands a site may carry: their radio figures and where and for what they are offered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools
from xinji.core.parameters import Parameters
from xinji.core.vocabulary import BANDS_MHZ, GROUPS, SERVICES
from xinji.plan.radio.antenna import Pattern

RADIO_SERVICES = tuple(service.name for service in SERVICES if "radio" in service.needs)
"""Services that need a radio carrier, in the order of ``SERVICES``."""


@dataclass(frozen=True, slots=True)
class Band:
    """One band's carrier.

    ``eirp_per_subcarrier_dbm`` is radiated along the axis of a sector; ``latency_ms`` is one way
    over the radio.
    """

    mhz: int
    eirp_per_subcarrier_dbm: float
    pattern: Pattern
    latency_ms: float

    @property
    def frequency_ghz(self) -> float:
        """Centre frequency [GHz]."""
        return self.mhz / 1e3


def read_bands(parameters: Parameters) -> tuple[Band, ...]:
    """Return the bands of ``BANDS_MHZ`` with their figures. Raises ParameterError if one is missing."""
    return tuple(_read_band(parameters, mhz) for mhz in BANDS_MHZ)


def eirp_per_subcarrier_dbm(power_dbm: float, subcarriers: float, gain_dbi: float, loss_db: float) -> float:
    """Return the EIRP of one subcarrier [dBm], power spread evenly (3GPP TS 38.215, 5.1.1: RSRP is per element)."""
    return float(power_dbm - 10.0 * np.log10(subcarriers) + gain_dbi - loss_db)


def offered_in(parameters: Parameters) -> Bools:
    """Return whether a band is offered in a group's cells (shape (groups, bands))."""
    rows = [[parameters.value(f"radio.band.{mhz}.offered.{group}", "flag") for mhz in BANDS_MHZ] for group in GROUPS]
    return np.asarray(rows) > 0


def serves(parameters: Parameters) -> Bools:
    """Return whether a band carries a radio service (shape (radio services, bands))."""
    rows = [
        [parameters.value(f"radio.band.{mhz}.serves.{name}", "flag") for mhz in BANDS_MHZ] for name in RADIO_SERVICES
    ]
    return np.asarray(rows) > 0


def _read_band(parameters: Parameters, mhz: int) -> Band:
    key = f"radio.band.{mhz}"
    pattern = Pattern(
        horizontal_beamwidth_deg=parameters.value("radio.horizontal_beamwidth", "deg"),
        vertical_beamwidth_deg=parameters.value(f"{key}.vertical_beamwidth", "deg"),
        downtilt_deg=parameters.value("radio.downtilt", "deg"),
        side_lobe_db=parameters.value("radio.side_lobe", "dB"),
        front_to_back_db=parameters.value("radio.front_to_back", "dB"),
    )
    eirp = eirp_per_subcarrier_dbm(
        parameters.value(f"{key}.power", "dBm"),
        parameters.value(f"{key}.subcarriers", "subcarriers"),
        parameters.value(f"{key}.antenna_gain", "dBi"),
        parameters.value(f"{key}.feeder_loss", "dB"),
    )
    return Band(mhz, eirp, pattern, parameters.value(f"{key}.latency", "ms"))
