"""How long a fibre may be for a flow to keep its latency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats
from xinji.core.parameters import Parameters
from xinji.core.vocabulary import BANDS_MHZ
from xinji.units import SPEED_OF_LIGHT_M_S

_MS_PER_S = 1_000.0


@dataclass(frozen=True, slots=True)
class LatencyBudget:
    """What a one-way flow from a device to an edge node spends besides the time in the fibre.

    ``radio_ms`` is the radio access, ``processing_ms`` the user plane function, ``hops`` the number
    of switches, each taking ``hop_ms``; ``group_index`` is the fibre's.
    """

    radio_ms: float
    processing_ms: float
    hops: float
    hop_ms: float
    group_index: float

    @property
    def fixed_ms(self) -> float:
        """Time spent before the first metre of fibre [ms]."""
        return self.radio_ms + self.processing_ms + self.hops * self.hop_ms


def latency_budget(parameters: Parameters, asked_ms: float) -> LatencyBudget:
    """Return the latency budget of flows with a one-way limit of ``asked_ms``.

    Any band that serves ``industrial_edge`` and whose own latency keeps the limit may carry the
    flow, so the slowest of these counts; if none does, the fastest band.
    """
    bands_ms = {mhz: parameters.value(f"radio.band.{mhz}.latency", "ms") for mhz in BANDS_MHZ}
    serving = [mhz for mhz in BANDS_MHZ if parameters.value(f"radio.band.{mhz}.serves.industrial_edge", "flag") > 0]
    usable_ms = [bands_ms[mhz] for mhz in serving if bands_ms[mhz] <= asked_ms]
    return LatencyBudget(
        radio_ms=max(usable_ms, default=min(bands_ms.values())),
        processing_ms=parameters.value("compute.latency.processing", "ms"),
        hops=parameters.value("compute.latency.hops", "1"),
        hop_ms=parameters.value("compute.latency.hop", "ms"),
        group_index=parameters.value("compute.group_index", "1"),
    )


def fibre_delay_ms(length_m: Floats, group_index: float) -> Floats:
    """Return the time of light through fibre [ms], length times group index over c (shape (n,)).

    At a group index of 1.468 (ITU-T G.652 fibre) that is 4.9 microseconds a kilometre.
    """
    return np.asarray(length_m * group_index / SPEED_OF_LIGHT_M_S * _MS_PER_S, dtype=np.float64)


def one_way_ms(length_m: Floats, budget: LatencyBudget) -> Floats:
    """Return the latency [ms] from a device to an edge node over fibres of ``length_m`` (shape (n,))."""
    return budget.fixed_ms + fibre_delay_ms(length_m, budget.group_index)


def path_limit_m(limit_ms: float, budget: LatencyBudget) -> float:
    """Return the longest fibre [m] that keeps a one-way limit; negative if nothing is left for fibre.

    Inverse of ``one_way_ms``; infinite if no limit is asked.
    """
    return (limit_ms - budget.fixed_ms) / _MS_PER_S * SPEED_OF_LIGHT_M_S / budget.group_index


__all__ = ["LatencyBudget", "fibre_delay_ms", "latency_budget", "one_way_ms", "path_limit_m"]
