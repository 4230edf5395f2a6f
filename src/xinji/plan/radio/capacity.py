"""Busy-hour capacity of a carrier, from bandwidth, frame, spectral efficiency and load."""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Floats
from xinji.core.parameters import Parameters
from xinji.core.vocabulary import BANDS_MHZ, RESOURCES


def carrier_mbps(bandwidth_mhz: Floats, time_share: Floats, efficiency_bit_s_hz: Floats, sectors: Floats) -> Floats:
    """Return what a carrier moves one way when full [Mbit/s] (all shape (n,)).

    ``time_share`` is the part of the frame that runs this way; ``efficiency_bit_s_hz`` the average
    of one sector over its places (ITU-R M.2410-0, section 4.5).
    """
    return bandwidth_mhz * time_share * efficiency_bit_s_hz * sectors


def band_capacity(parameters: Parameters) -> Floats:
    """Return the capacity of a carrier of each band (shape (bands, resources)).

    Down and up [Mbit/s] at the highest busy-hour load; a carrier puts no limit on edge servers.
    Raises ParameterError if a figure is missing.
    """
    sectors = np.full(len(BANDS_MHZ), parameters.value("radio.sectors", "sectors"))
    usable = parameters.value("radio.efficiency_derating", "share") * parameters.value("radio.load_max", "share")
    capacity = np.full((len(BANDS_MHZ), len(RESOURCES)), np.inf)
    bandwidth = _by_band(parameters, "bandwidth", "MHz")
    for resource, way in (("down_mbps", "down"), ("up_mbps", "up")):
        time_share = _by_band(parameters, f"{way}_time_share", "share")
        efficiency = _by_band(parameters, f"efficiency_{way}", "bit/s/Hz") * usable
        capacity[:, RESOURCES.index(resource)] = carrier_mbps(bandwidth, time_share, efficiency, sectors)
    return capacity


def _by_band(parameters: Parameters, figure: str, unit: str) -> Floats:
    return np.array([parameters.value(f"radio.band.{mhz}.{figure}", unit) for mhz in BANDS_MHZ])
