"""3GPP TR 38.901 V17.0.0: path loss, line-of-sight probability and shadow fading, outdoors.

Scenarios are RMa (rural macro), UMa (urban macro) and UMi (urban micro, street canyon). Arrays are
float64 and broadcast together; distances are horizontal unless named otherwise. A value outside
the range of its table raises InputError, with every offending figure named.

Two readings of the text are fixed here. The effective environment height of UMa is random for a
terminal above 13 m (Table 7.4.1-1, note 1); the loss returned is its mean [dB] over that height,
each height by its printed probability. The uniform choice 12, 15, ..., (h_UT - 1.5) is empty for
terminals below 13.5 m, whose height is 1 m for sure. UMa and UMi are printed for antennas at 25 m
and 10 m; the formulas carry the height, so heights around these are let through
(``VALID_HEIGHT_M``), except that an antenna must stand above a terminal of more than 13 m.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from xinji.core.arrays import Floats
from xinji.errors import Fault, InputError, raise_if
from xinji.plan.radio.tr38901.ranges import LIGHT_M_S, TR_FREQUENCY_GHZ, range_faults, require_known

SCENARIOS = ("RMa", "UMa", "UMi")

VALID_HEIGHT_M = {"RMa": (10.0, 150.0), "UMa": (15.0, 60.0), "UMi": (5.0, 20.0)}
"""Antenna heights let through; RMa as printed, UMa and UMi around the printed 25 m and 10 m."""

VALID_TERMINAL_M = {"RMa": (1.0, 10.0), "UMa": (1.5, 22.5), "UMi": (1.5, 22.5)}
"""Terminal heights, as printed."""

VALID_DISTANCE_M = {
    ("RMa", True): (10.0, 10_000.0),
    ("RMa", False): (10.0, 5_000.0),
    ("UMa", True): (10.0, 5_000.0),
    ("UMa", False): (10.0, 5_000.0),
    ("UMi", True): (10.0, 5_000.0),
    ("UMi", False): (10.0, 5_000.0),
}
"""Horizontal distances of Table 7.4.1-1, by scenario and line of sight."""

VALID_FREQUENCY_GHZ = {"RMa": (0.5, 30.0), "UMa": TR_FREQUENCY_GHZ, "UMi": TR_FREQUENCY_GHZ}
"""Carrier frequencies, as printed (Table 7.4.1-1, note 2)."""

BUILDING_HEIGHT_M = 5.0
STREET_WIDTH_M = 20.0
ENVIRONMENT_HEIGHT_M = 1.0

TALL_TERMINAL_M = 13.0
"""Above this height a terminal of UMa sees more sky: C' of Table 7.4.2-1 and C of note 1."""

_HIGHEST_TERMINAL_M = 23.0


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
    require_known("scenario", scenario, SCENARIOS)
    link = (distance_2d_m, frequency_ghz, h_bs_m, h_ut_m)
    raise_if(link_faults(scenario, link, VALID_FREQUENCY_GHZ[scenario], los=los), InputError)
    return FORMULAS[scenario, los](*link)


def distance_3d_m(distance_2d_m: Floats, h_bs_m: Floats, h_ut_m: Floats) -> Floats:
    """Return the straight distance [m] between the antennas (TR 38.901, Figure 7.4.1-1)."""
    return np.hypot(distance_2d_m, h_bs_m - h_ut_m)


def rma_breakpoint_m(frequency_ghz: Floats, h_bs_m: Floats, h_ut_m: Floats) -> Floats:
    """Return the breakpoint distance [m] of RMa (TR 38.901, Table 7.4.1-1, note 5)."""
    return 2.0 * np.pi * h_bs_m * h_ut_m * frequency_ghz * 1e9 / LIGHT_M_S


def urban_breakpoint_m(frequency_ghz: Floats, h_bs_m: Floats, h_ut_m: Floats) -> Floats:
    """Return the breakpoint distance [m] of UMa and UMi over ground 1 m high (Table 7.4.1-1, note 1)."""
    return _breakpoint_m(frequency_ghz, h_bs_m, h_ut_m, ENVIRONMENT_HEIGHT_M)


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
    """Return the path loss [dB] of UMa LOS, its mean over environment heights (Table 7.4.1-1)."""
    return _over_heights(_uma_los_db, distance_2d_m, frequency_ghz, h_bs_m, h_ut_m)


def uma_nlos_db(distance_2d_m: Floats, frequency_ghz: Floats, h_bs_m: Floats, h_ut_m: Floats) -> Floats:
    """Return the path loss [dB] of UMa NLOS, its mean over environment heights (Table 7.4.1-1)."""
    return _over_heights(_uma_nlos_db, distance_2d_m, frequency_ghz, h_bs_m, h_ut_m)


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
    require_known("scenario", scenario, SCENARIOS)
    if scenario == "RMa":
        return np.where(distance_2d_m <= 10.0, 1.0, np.exp(-(distance_2d_m - 10.0) / 1_000.0))
    decay_m = {"UMa": 63.0, "UMi": 36.0}[scenario]
    certain = 18.0 / np.maximum(distance_2d_m, 18.0)
    return np.asarray(certain + np.exp(-distance_2d_m / decay_m) * (1.0 - certain))


def uma_los_probability(distance_2d_m: Floats, h_ut_m: Floats) -> Floats:
    """Return the probability of line of sight of UMa with C'(h_UT) (TR 38.901, Table 7.4.2-1).

    Raises InputError for a terminal above 23 m.
    """
    raise_if(range_faults("TR 38.901 UMa", [("h_ut_m", h_ut_m, (0.0, _HIGHEST_TERMINAL_M))]), InputError)
    return los_probability("UMa", distance_2d_m) * (1.0 + environment_c(distance_2d_m, h_ut_m))


def environment_c(distance_2d_m: Floats, h_ut_m: Floats) -> Floats:
    """Return C(d_2D, h_UT) of Table 7.4.1-1, note 1: C'(h_UT) and g(d_2D) multiplied, 0 up to 13 m."""
    height = (np.maximum(h_ut_m - TALL_TERMINAL_M, 0.0) / 10.0) ** 1.5
    spread = 1.25 * (distance_2d_m / 100.0) ** 3 * np.exp(-distance_2d_m / 150.0)
    return np.asarray(height * np.where(distance_2d_m <= 18.0, 0.0, spread))


def shadow_fading_db(scenario: str, distance_2d_m: Floats, breakpoint_m: Floats, *, los: bool) -> Floats:
    """Return the standard deviation [dB] of shadow fading (TR 38.901, Table 7.4.1-1).

    ``breakpoint_m`` [m] matters to RMa LOS alone. Raises InputError for an unknown scenario.
    """
    require_known("scenario", scenario, SCENARIOS)
    if scenario == "RMa" and los:
        return np.where(distance_2d_m <= breakpoint_m, 4.0, 6.0)
    sigma = {("UMa", True): 4.0, ("UMi", True): 4.0, ("RMa", False): 8.0, ("UMa", False): 6.0, ("UMi", False): 7.82}
    return np.full(np.broadcast_shapes(distance_2d_m.shape, breakpoint_m.shape), sigma[scenario, los])


def link_faults(
    scenario: str, link: tuple[Floats, Floats, Floats, Floats], band_ghz: tuple[float, float], *, los: bool
) -> Iterator[Fault]:
    """Yield what is out of range in ``link``: distance, frequency, antenna and terminal height.

    ``scenario`` is one of ``SCENARIOS``; ``band_ghz`` bounds the frequency.
    """
    layer = f"TR 38.901 {scenario} {'LOS' if los else 'NLOS'}"
    ranges = (VALID_DISTANCE_M[scenario, los], band_ghz, VALID_HEIGHT_M[scenario], VALID_TERMINAL_M[scenario])
    names = ("distance_2d_m", "frequency_ghz", "h_bs_m", "h_ut_m")
    yield from range_faults(layer, zip(names, link, ranges, strict=True))
    _, _, h_bs_m, h_ut_m = link
    under = (h_ut_m > TALL_TERMINAL_M) & (h_bs_m <= h_ut_m)
    if scenario == "UMa" and under.any():
        found = f"{int(under.sum())} terminals above {TALL_TERMINAL_M:g} m are not below their antenna"
        yield Fault(layer, found, "UMa serves from above the roofs; use UMi or leave these links out.")


_Formula = Callable[[Floats, Floats, Floats, Floats], Floats]
_HeightFormula = Callable[[Floats, Floats, Floats, Floats, float], Floats]


def _breakpoint_m(frequency_ghz: Floats, h_bs_m: Floats, h_ut_m: Floats, environment_m: float) -> Floats:
    above = (h_bs_m - environment_m) * (h_ut_m - environment_m)
    return 4.0 * above * frequency_ghz * 1e9 / LIGHT_M_S


def _uma_los_db(
    distance_2d_m: Floats, frequency_ghz: Floats, h_bs_m: Floats, h_ut_m: Floats, environment_m: float
) -> Floats:
    straight = distance_3d_m(distance_2d_m, h_bs_m, h_ut_m)
    edge = _breakpoint_m(frequency_ghz, h_bs_m, h_ut_m, environment_m)
    tone = 28.0 + 20.0 * np.log10(frequency_ghz)
    near = tone + 22.0 * np.log10(straight)
    far = tone + 40.0 * np.log10(straight) - 9.0 * np.log10(edge**2 + (h_bs_m - h_ut_m) ** 2)
    return np.where(distance_2d_m <= edge, near, far)


def _uma_nlos_db(
    distance_2d_m: Floats, frequency_ghz: Floats, h_bs_m: Floats, h_ut_m: Floats, environment_m: float
) -> Floats:
    straight = distance_3d_m(distance_2d_m, h_bs_m, h_ut_m)
    loss = 13.54 + 39.08 * np.log10(straight) + 20.0 * np.log10(frequency_ghz) - 0.6 * (h_ut_m - 1.5)
    return np.maximum(loss, _uma_los_db(distance_2d_m, frequency_ghz, h_bs_m, h_ut_m, environment_m))


def _over_heights(
    formula: _HeightFormula, distance_2d_m: Floats, frequency_ghz: Floats, h_bs_m: Floats, h_ut_m: Floats
) -> Floats:
    """Return the mean loss [dB] over the environment heights of Table 7.4.1-1, note 1."""
    ground = formula(distance_2d_m, frequency_ghz, h_bs_m, h_ut_m, ENVIRONMENT_HEIGHT_M)
    if not (h_ut_m > TALL_TERMINAL_M).any():
        return ground
    total, count = np.zeros_like(ground), np.zeros_like(ground)
    for height in np.arange(12.0, float(h_ut_m.max()) - 1.5 + 1e-9, 3.0):
        within = h_ut_m - 1.5 >= height
        terminal = np.maximum(h_ut_m, height + 1.5)
        total += np.where(within, formula(distance_2d_m, frequency_ghz, h_bs_m, terminal, float(height)), 0.0)
        count += within
    raised = np.where(count > 0, total / np.maximum(count, 1.0), ground)
    chance = 1.0 / (1.0 + environment_c(distance_2d_m, h_ut_m))
    return np.asarray(chance * ground + (1.0 - chance) * raised)


FORMULAS: dict[tuple[str, bool], _Formula] = {
    ("RMa", True): rma_los_db,
    ("RMa", False): rma_nlos_db,
    ("UMa", True): uma_los_db,
    ("UMa", False): uma_nlos_db,
    ("UMi", True): umi_los_db,
    ("UMi", False): umi_nlos_db,
}
"""Path loss by scenario and line of sight, unchecked."""
