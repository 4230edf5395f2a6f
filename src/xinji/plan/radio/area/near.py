"""Where no terrain model serves: 3GPP TR 38.901 near the mast and above 6 GHz."""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Floats
from xinji.plan.radio.tr38901 import (
    VALID_DISTANCE_M,
    VALID_FREQUENCY_GHZ,
    VALID_HEIGHT_M,
    VALID_TERMINAL_M,
    los_probability,
    path_loss_db,
)

NEAR_M = 250.0
"""ITU-R P.1812-8 serves from about 0.25 km (its section 1)."""

FADED_M = 500.0
"""From here ITU-R P.1812-8 serves alone; in between the two fade into each other, so that no ring shows."""

UMI_HEIGHT_M = 15.0
"""Antennas below this stand under the roofs: UMi instead of UMa."""

MOSTLY_OPEN = 0.5
TALLEST_M = 13.0
"""Above this the tables' line of sight depends on the terminal's floor, which no raster knows."""


def near_weight(distance_m: Floats) -> Floats:
    """Return the share of TR 38.901 in the loss at each distance: 1 up to 0.25 km, 0 from 0.5 km."""
    return np.asarray(np.clip((FADED_M - distance_m) / (FADED_M - NEAR_M), 0.0, 1.0))


def street_loss_db(
    distance_m: Floats, frequency_ghz: float, antennas_m: tuple[float, float], clutter_m: Floats
) -> Floats:
    """Return the mean loss over line of sight and none [dB] (TR 38.901, Tables 7.4.1-1 and 7.4.2-1).

    ``distance_m`` is horizontal and ``clutter_m`` what stands at the terminal (both shape (n,)). Where
    half of the ground within 0.5 km or more is open, RMa serves up to its 30 GHz; elsewhere UMa, or
    UMi for antennas below ``UMI_HEIGHT_M``. Nearer than 10 m counts as 10 m, heights beyond a
    scenario's range as at its end, terminals above 13 m as at 13 m; beyond the tables' distance the
    loss is infinite. Raises InputError for a frequency outside a table.
    """
    mast_m, terminal_m = antennas_m
    near = distance_m <= FADED_M
    is_open = bool(near.any()) and float((clutter_m[near] > 0).mean()) <= MOSTLY_OPEN
    built = "UMa" if mast_m >= UMI_HEIGHT_M else "UMi"
    scenario = "RMa" if is_open and frequency_ghz <= VALID_FREQUENCY_GHZ["RMa"][1] else built
    nearest, farthest = VALID_DISTANCE_M[scenario, False]
    here = distance_m <= farthest
    away = np.maximum(distance_m[here], nearest)
    mast = np.full(1, np.clip(mast_m, *VALID_HEIGHT_M[scenario]))
    lowest, highest = VALID_TERMINAL_M[scenario]
    terminal = np.full(1, np.clip(terminal_m, lowest, min(highest, TALLEST_M)))
    tone = np.full(1, frequency_ghz)
    sight = los_probability(scenario, away)
    seen = path_loss_db(scenario, away, tone, mast, terminal, los=True)
    hidden = path_loss_db(scenario, away, tone, mast, terminal, los=False)
    loss = np.full(distance_m.shape, np.inf)
    loss[here] = sight * seen + (1.0 - sight) * hidden
    return loss
