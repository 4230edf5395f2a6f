"""3GPP TR 38.901 V17.0.0: path loss, line-of-sight probability and shadow fading, outdoors.

Scenarios are RMa (rural macro), UMa (urban macro) and UMi (urban micro, street canyon). Arrays are
float64 and broadcast together; distances are horizontal unless named otherwise. A value outside
the range of its table raises InputError, with every offending figure named.

Two readings of the text are fixed here. The effective environment height of UMa is 1 m throughout
(Table 7.4.1-1, note 1, gives it with probability 1 to a terminal below 13 m). UMa and UMi are
printed for antennas at 25 m and 10 m; the formulas carry the height, so heights around these are
let through (``VALID_HEIGHT_M``).
"""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Bools, Floats
from xinji.errors import Fault, InputError, raise_if
from xinji.units import SPEED_OF_LIGHT_M_S

SCENARIOS = ("RMa", "UMa", "UMi")

VALID_HEIGHT_M = {"RMa": (10.0, 150.0), "UMa": (15.0, 60.0), "UMi": (5.0, 20.0)}
"""Antenna heights let through; RMa as printed, UMa and UMi around the printed 25 m and 10 m."""

VALID_TERMINAL_M = {"RMa": (1.0, 10.0), "UMa": (1.5, 13.0), "UMi": (1.5, 22.5)}
"""Terminal heights; UMa ends at 13 m, above which the environment height is random."""

VALID_DISTANCE_M = {
    ("RMa", True): (10.0, 10_000.0),
    ("RMa", False): (10.0, 5_000.0),
    ("UMa", True): (10.0, 5_000.0),
    ("UMa", False): (10.0, 5_000.0),
    ("UMi", True): (10.0, 5_000.0),
    ("UMi", False): (10.0, 5_000.0),
}
"""Horizontal distances of Table 7.4.1-1, by scenario and line of sight."""

VALID_FREQUENCY_GHZ = {"RMa": (0.5, 30.0), "UMa": (0.5, 100.0), "UMi": (0.5, 100.0)}

BUILDING_HEIGHT_M = 5.0
STREET_WIDTH_M = 20.0
ENVIRONMENT_HEIGHT_M = 1.0


def path_loss_db(
    scenario: str,
    distance_2d_m: Floats,
    frequency_ghz: Floats,
    h_bs_m: Floats,
    h_ut_m: Floats,
    *,
    los: bool,
) -> Floats:
    """Return the median path loss [dB] of Table 7.4.1-1.

    ``scenario`` is one of ``SCENARIOS``. Raises InputError for an unknown scenario or any value
    outside the ranges of the table.
    """
    _check(scenario, (distance_2d_m, frequency_ghz, h_bs_m, h_ut_m), los=los)
    formula = _FORMULAS[scenario, los]
    return formula(distance_2d_m, frequency_ghz, h_bs_m, h_ut_m)


def distance_3d_m(distance_2d_m: Floats, h_bs_m: Floats, h_ut_m: Floats) -> Floats:
    """Return the straight distance [m] between the antennas (TR 38.901, Figure 7.4.1-1)."""
    return np.hypot(distance_2d_m, h_bs_m - h_ut_m)


def rma_breakpoint_m(frequency_ghz: Floats, h_bs_m: Floats, h_ut_m: Floats) -> Floats:
    """Return the breakpoint distance [m] of RMa (TR 38.901, Table 7.4.1-1, note 5)."""
    return 2.0 * np.pi * h_bs_m * h_ut_m * frequency_ghz * 1e9 / SPEED_OF_LIGHT_M_S


def urban_breakpoint_m(frequency_ghz: Floats, h_bs_m: Floats, h_ut_m: Floats) -> Floats:
    """Return the breakpoint distance [m] of UMa and UMi (TR 38.901, Table 7.4.1-1, note 1)."""
    above = (h_bs_m - ENVIRONMENT_HEIGHT_M) * (h_ut_m - ENVIRONMENT_HEIGHT_M)
    return 4.0 * above * frequency_ghz * 1e9 / SPEED_OF_LIGHT_M_S


def rma_near_db(straight_m: Floats, frequency_ghz: Floats) -> Floats:
    """Return PL1 [dB] of RMa LOS at a straight distance [m] (TR 38.901, Table 7.4.1-1)."""
    built = BUILDING_HEIGHT_M**1.72
    spreading = 20.0 * np.log10(40.0 * np.pi * straight_m * frequency_ghz / 3.0)
    slope = min(0.03 * built, 10.0) * np.log10(straight_m) - min(0.044 * built, 14.77)
    return np.asarray(spreading + slope + 0.002 * np.log10(BUILDING_HEIGHT_M) * straight_m)


def rma_los_db(distance_2d_m: Floats, frequency_ghz: Floats, h_bs_m: Floats, h_ut_m: Floats) -> Floats:
    """Return the path loss [dB] of RMa LOS (TR 38.901, Table 7.4.1-1)."""
    straight = distance_3d_m(distance_2d_m, h_bs_m, h_ut_m)
    edge = rma_breakpoint_m(frequency_ghz, h_bs_m, h_ut_m)
    far = rma_near_db(edge, frequency_ghz) + 40.0 * np.log10(straight / edge)
    return np.where(distance_2d_m <= edge, rma_near_db(straight, frequency_ghz), far)


def rma_nlos_db(distance_2d_m: Floats, frequency_ghz: Floats, h_bs_m: Floats, h_ut_m: Floats) -> Floats:
    """Return the path loss [dB] of RMa NLOS (TR 38.901, Table 7.4.1-1)."""
    straight = distance_3d_m(distance_2d_m, h_bs_m, h_ut_m)
    built = 161.04 - 7.1 * np.log10(STREET_WIDTH_M) + 7.5 * np.log10(BUILDING_HEIGHT_M)
    height = (24.37 - 3.7 * (BUILDING_HEIGHT_M / h_bs_m) ** 2) * np.log10(h_bs_m)
    slope = (43.42 - 3.1 * np.log10(h_bs_m)) * (np.log10(straight) - 3.0)
    terminal = 3.2 * np.log10(11.75 * h_ut_m) ** 2 - 4.97
    loss = built - height + slope + 20.0 * np.log10(frequency_ghz) - terminal
    return np.asarray(np.maximum(loss, rma_los_db(distance_2d_m, frequency_ghz, h_bs_m, h_ut_m)))


def uma_los_db(distance_2d_m: Floats, frequency_ghz: Floats, h_bs_m: Floats, h_ut_m: Floats) -> Floats:
    """Return the path loss [dB] of UMa LOS (TR 38.901, Table 7.4.1-1)."""
    straight = distance_3d_m(distance_2d_m, h_bs_m, h_ut_m)
    edge = urban_breakpoint_m(frequency_ghz, h_bs_m, h_ut_m)
    tone = 28.0 + 20.0 * np.log10(frequency_ghz)
    near = tone + 22.0 * np.log10(straight)
    far = tone + 40.0 * np.log10(straight) - 9.0 * np.log10(edge**2 + (h_bs_m - h_ut_m) ** 2)
    return np.where(distance_2d_m <= edge, near, far)


def uma_nlos_db(distance_2d_m: Floats, frequency_ghz: Floats, h_bs_m: Floats, h_ut_m: Floats) -> Floats:
    """Return the path loss [dB] of UMa NLOS (TR 38.901, Table 7.4.1-1)."""
    straight = distance_3d_m(distance_2d_m, h_bs_m, h_ut_m)
    loss = 13.54 + 39.08 * np.log10(straight) + 20.0 * np.log10(frequency_ghz) - 0.6 * (h_ut_m - 1.5)
    return np.maximum(loss, uma_los_db(distance_2d_m, frequency_ghz, h_bs_m, h_ut_m))


def umi_los_db(distance_2d_m: Floats, frequency_ghz: Floats, h_bs_m: Floats, h_ut_m: Floats) -> Floats:
    """Return the path loss [dB] of UMi street canyon LOS (TR 38.901, Table 7.4.1-1)."""
    straight = distance_3d_m(distance_2d_m, h_bs_m, h_ut_m)
    edge = urban_breakpoint_m(frequency_ghz, h_bs_m, h_ut_m)
    tone = 32.4 + 20.0 * np.log10(frequency_ghz)
    near = tone + 21.0 * np.log10(straight)
    far = tone + 40.0 * np.log10(straight) - 9.5 * np.log10(edge**2 + (h_bs_m - h_ut_m) ** 2)
    return np.where(distance_2d_m <= edge, near, far)


def umi_nlos_db(distance_2d_m: Floats, frequency_ghz: Floats, h_bs_m: Floats, h_ut_m: Floats) -> Floats:
    """Return the path loss [dB] of UMi street canyon NLOS (TR 38.901, Table 7.4.1-1)."""
    straight = distance_3d_m(distance_2d_m, h_bs_m, h_ut_m)
    loss = 22.4 + 35.3 * np.log10(straight) + 21.3 * np.log10(frequency_ghz) - 0.3 * (h_ut_m - 1.5)
    return np.maximum(loss, umi_los_db(distance_2d_m, frequency_ghz, h_bs_m, h_ut_m))


def los_probability(scenario: str, distance_2d_m: Floats) -> Floats:
    """Return the probability of line of sight for terminals up to 13 m (TR 38.901, Table 7.4.2-1).

    ``distance_2d_m`` [m] has any shape. Raises InputError for an unknown scenario.
    """
    if scenario not in SCENARIOS:
        raise_if([_unknown(scenario)], InputError)
    if scenario == "RMa":
        return np.where(distance_2d_m <= 10.0, 1.0, np.exp(-(distance_2d_m - 10.0) / 1_000.0))
    decay_m = {"UMa": 63.0, "UMi": 36.0}[scenario]
    certain = 18.0 / np.maximum(distance_2d_m, 18.0)
    return np.asarray(certain + np.exp(-distance_2d_m / decay_m) * (1.0 - certain))


def shadow_fading_db(scenario: str, distance_2d_m: Floats, breakpoint_m: Floats, *, los: bool) -> Floats:
    """Return the standard deviation [dB] of shadow fading (TR 38.901, Table 7.4.1-1).

    ``breakpoint_m`` [m] matters to RMa LOS alone. Raises InputError for an unknown scenario.
    """
    if scenario not in SCENARIOS:
        raise_if([_unknown(scenario)], InputError)
    if scenario == "RMa" and los:
        return np.where(distance_2d_m <= breakpoint_m, 4.0, 6.0)
    sigma = {("UMa", True): 4.0, ("UMi", True): 4.0, ("RMa", False): 8.0, ("UMa", False): 6.0, ("UMi", False): 7.82}
    return np.full(np.broadcast_shapes(distance_2d_m.shape, breakpoint_m.shape), sigma[scenario, los])


_FORMULAS = {
    ("RMa", True): rma_los_db,
    ("RMa", False): rma_nlos_db,
    ("UMa", True): uma_los_db,
    ("UMa", False): uma_nlos_db,
    ("UMi", True): umi_los_db,
    ("UMi", False): umi_nlos_db,
}


def _unknown(scenario: str) -> Fault:
    return Fault("TR 38.901", f"scenario {scenario!r} is unknown", f"Use one of {', '.join(SCENARIOS)}.")


def _check(scenario: str, link: tuple[Floats, Floats, Floats, Floats], *, los: bool) -> None:
    if scenario not in SCENARIOS:
        raise_if([_unknown(scenario)], InputError)
    ranges = (
        ("distance_2d_m", VALID_DISTANCE_M[scenario, los]),
        ("frequency_ghz", VALID_FREQUENCY_GHZ[scenario]),
        ("h_bs_m", VALID_HEIGHT_M[scenario]),
        ("h_ut_m", VALID_TERMINAL_M[scenario]),
    )
    faults = []
    for (name, (low, high)), values in zip(ranges, link, strict=True):
        bad: Bools = ~((values >= low) & (values <= high))
        if bad.any():
            found = f"{name} has {int(bad.sum())} values outside {low:g} to {high:g}, such as {values[bad].flat[0]:g}"
            sight = "LOS" if los else "NLOS"
            faults.append(Fault(f"TR 38.901 {scenario} {sight}", found, "Leave these links out or use another model."))
    raise_if(faults, InputError)
