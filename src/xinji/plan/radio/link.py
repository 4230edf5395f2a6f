"""Link adaptation: from SINR to bits in a resource element and to a carrier's throughput.

The scheduler picks the modulation and coding scheme with the greatest goodput (1 - BLER) x bits, and the
number of layers with the greatest sum. Retransmissions are not combined, so that a lost block is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from xinji.core.arrays import Floats, Ints, freeze
from xinji.core.parameters import Parameters
from xinji.errors import Fault, InputError, raise_if
from xinji.plan.jit import compiled
from xinji.plan.radio.mcs import PDSCH_64QAM, PDSCH_256QAM, PDSCH_1024QAM, PUSCH_64QAM, Mcs

Singles: TypeAlias = NDArray[np.float32]

SUBCARRIERS_PER_BLOCK = 12
SYMBOLS_PER_SLOT = 14
SPACINGS_KHZ = (15.0, 30.0, 60.0, 120.0)
MAX_RATE_X1024 = 948.0
BOLTZMANN_J_K = 1.380649e-23
NOISE_TEMPERATURE_K = 290.0
TARGET_BLER = 0.1

WAYS = ("down", "up")
TABLES = {
    ("down", 6): PDSCH_64QAM,
    ("down", 8): PDSCH_256QAM,
    ("down", 10): PDSCH_1024QAM,
    ("up", 6): PUSCH_64QAM,
    ("up", 8): PDSCH_256QAM,
}
"""Table by way and highest modulation order [bit]; up to 256QAM, PUSCH uses the table of PDSCH (TS 38.214, 6.1.4.1)."""

_STEP_DB = 0.005
_TAIL = 5.0


@dataclass(frozen=True, slots=True)
class Carrier:
    """One carrier in one direction.

    ``resource_blocks`` of 12 subcarriers spaced ``subcarrier_khz``; at most ``layers`` and
    ``modulation_order`` [bit]; ``overhead`` is the share of resource elements that carry no data
    and ``time_share`` the part of the frame that runs this way.
    """

    resource_blocks: int
    subcarrier_khz: float
    layers: int
    modulation_order: int
    overhead: float
    time_share: float

    def __post_init__(self) -> None:
        checks = (
            ("resource_blocks", self.resource_blocks >= 1, "at least 1"),
            ("subcarrier_khz", self.subcarrier_khz in SPACINGS_KHZ, "one of 15, 30, 60 and 120"),
            ("layers", self.layers in range(1, 9), "1 to 8"),
            ("modulation_order", self.modulation_order in (6, 8, 10), "6, 8 or 10"),
            ("overhead", 0 <= self.overhead < 1, "at least 0 and below 1"),
            ("time_share", 0 <= self.time_share <= 1, "0 to 1"),
        )
        raise_if(
            Fault("carrier", f"{name} is {getattr(self, name)}, expected {expected}", "Mend the carrier's figures.")
            for name, good, expected in checks
            if not good
        )

    @property
    def block_elements_per_s(self) -> float:
        """Resource elements per second that one resource block leaves for data, on one layer."""
        slots_per_s = 1e3 * self.subcarrier_khz / 15.0
        elements = SUBCARRIERS_PER_BLOCK * SYMBOLS_PER_SLOT * slots_per_s
        return elements * (1.0 - self.overhead) * self.time_share

    @property
    def elements_per_s(self) -> float:
        """Resource elements per second that all resource blocks leave for data, on one layer."""
        return self.resource_blocks * self.block_elements_per_s


@dataclass(frozen=True, slots=True, eq=False)
class LinkCurve:
    """Bits of data in a resource element over SINR, all layers together, as a table of even steps.

    ``efficiency`` (m,) [bit] belongs to ``start_db`` + i ``step_db``; it is 0 at the start and never
    falls. The lowest scheme reaches a block error rate of 10 % at ``edge_sinr_db``, where it
    carries ``edge_efficiency``.
    """

    start_db: float
    step_db: float
    efficiency: Singles
    edge_sinr_db: float
    edge_efficiency: float

    def __post_init__(self) -> None:
        freeze(self.efficiency)

    def read(self, sinr_db: Singles) -> Singles:
        """Return the bits at each SINR [dB] (float32 of any shape), by linear interpolation; 0 at NaN."""
        sinr = np.ascontiguousarray(sinr_db, dtype=np.float32)
        bits = np.empty(sinr.size, dtype=np.float32)
        _interpolate(sinr.ravel(), np.float32(self.start_db), np.float32(1.0 / self.step_db), self.efficiency, bits)
        return bits.reshape(sinr.shape)


def read_carrier(parameters: Parameters, mhz: int, way: str) -> Carrier:
    """Return the carrier of band ``mhz`` going ``way`` ("down" or "up"). Raises ParameterError or InputError."""
    key = f"radio.band.{mhz}"
    return Carrier(
        resource_blocks=round(parameters.value(f"{key}.subcarriers", "subcarriers") / SUBCARRIERS_PER_BLOCK),
        subcarrier_khz=parameters.value(f"{key}.subcarrier_spacing", "kHz"),
        layers=round(parameters.value(f"{key}.layers_{way}", "layers")),
        modulation_order=round(parameters.value(f"radio.link.modulation_{way}", "bit")),
        overhead=parameters.value(f"radio.link.overhead_{way}", "share"),
        time_share=parameters.value(f"{key}.{way}_time_share", "share"),
    )


def read_noise_dbm(parameters: Parameters, mhz: int, way: str) -> float:
    """Return the receiver's noise in one resource element [dBm]: the terminal's "down", the site's "up"."""
    spacing = parameters.value(f"radio.band.{mhz}.subcarrier_spacing", "kHz")
    return noise_dbm(spacing, parameters.value(f"radio.link.noise_figure_{way}", "dB"))


def noise_dbm(subcarrier_khz: float, noise_figure_db: float) -> float:
    """Return thermal noise k T B at 290 K and the receiver's own, in one resource element [dBm]."""
    thermal_mw = BOLTZMANN_J_K * NOISE_TEMPERATURE_K * subcarrier_khz * 1e3 * 1e3
    return float(10.0 * np.log10(thermal_mw) + noise_figure_db)


def block_error_rate(sinr_db: Floats, mcs: Mcs) -> Floats:
    """Return the share of code blocks that are lost at each SINR [dB] (any shape)."""
    median = mcs.sinr_db + ndtri(TARGET_BLER) * mcs.spread_db
    return np.asarray(ndtr((median - sinr_db) / mcs.spread_db))


def best_mcs(sinr_db: Floats, table: tuple[Mcs, ...]) -> Ints:
    """Return the position in ``table`` of the scheme with the greatest goodput at each SINR (n,).

    It is -1 below the SINR at which the lowest scheme reaches a block error rate of 10 %.
    """
    best = _goodput(sinr_db, table).argmax(axis=0)
    return np.where(sinr_db < min(mcs.sinr_db for mcs in table), -1, best)


def efficiency_bit_s_hz(sinr_db: Floats, table: tuple[Mcs, ...], layers: int) -> Floats:
    """Return the goodput of a resource element [bit] at each SINR (n,), in float64; the reference.

    The SINR is that of one layer with all power; n layers share it evenly and do not disturb one
    another. It never falls with the SINR.
    """
    by_rank = [rank * _goodput(sinr_db - 10.0 * np.log10(rank), table).max(axis=0) for rank in range(1, layers + 1)]
    return np.asarray(np.max(by_rank, axis=0))


def curve_of(carrier: Carrier, way: str) -> LinkCurve:
    """Return the look-up table of ``carrier`` going ``way``. Raises InputError if there is no such modulation."""
    table = TABLES.get((way, carrier.modulation_order))
    if table is None:
        found = f"no table for {carrier.modulation_order} bit {way}"
        raise InputError([Fault("link", found, "Use 6, 8 or 10 bit down, 6 or 8 bit up.")])
    low, high = table[0], max(table, key=lambda mcs: mcs.sinr_db)
    start = low.sinr_db - _TAIL * low.spread_db
    end = high.sinr_db + _TAIL * high.spread_db + float(10.0 * np.log10(carrier.layers))
    sinr = start + _STEP_DB * np.arange(int(np.ceil((end - start) / _STEP_DB)) + 1, dtype=np.float64)
    efficiency = efficiency_bit_s_hz(sinr, table, carrier.layers)
    efficiency[0] = 0.0
    edge = (1.0 - TARGET_BLER) * low.efficiency
    return LinkCurve(start, _STEP_DB, efficiency.astype(np.float32), low.sinr_db, edge)


def throughput_mbps(sinr_db: Singles, curve: LinkCurve, carrier: Carrier) -> Singles:
    """Return what a user alone on the carrier gets [Mbit/s] at each SINR [dB] (float32 of any shape); 0 at NaN."""
    return curve.read(sinr_db) * np.float32(carrier.elements_per_s / 1e6)


def max_rate_mbps(carrier: Carrier) -> float:
    """Return the maximum data rate of a carrier [Mbit/s], times its share of the frame (3GPP TS 38.306, 4.1.2).

    1e-6 v Q f R_max 12 N_PRB / T_s (1 - OH), with scaling factor f = 1 and R_max = 948/1024.
    """
    symbol_s = 1e-3 / (SYMBOLS_PER_SLOT * carrier.subcarrier_khz / 15.0)
    bits = carrier.layers * carrier.modulation_order * MAX_RATE_X1024 / 1024.0
    blocks = SUBCARRIERS_PER_BLOCK * carrier.resource_blocks / symbol_s
    return 1e-6 * bits * blocks * (1.0 - carrier.overhead) * carrier.time_share


def _goodput(sinr_db: Floats, table: tuple[Mcs, ...]) -> Floats:
    """Return the goodput [bit] of each scheme at each SINR (schemes, n)."""
    return np.stack([(1.0 - block_error_rate(sinr_db, mcs)) * mcs.efficiency for mcs in table])


@compiled
def _interpolate(sinr: Singles, start: np.float32, per_db: np.float32, table: Singles, bits: Singles) -> None:
    last = len(table) - 1
    for i in range(len(sinr)):
        place = (sinr[i] - start) * per_db
        # The comparison is false for NaN.
        if place > 0:
            below = int(min(place, np.float32(last)))
            share = place - np.float32(below)
            bits[i] = table[last] if below == last else table[below] + share * (table[below + 1] - table[below])
        else:
            bits[i] = 0
