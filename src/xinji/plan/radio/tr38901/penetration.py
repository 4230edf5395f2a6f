"""3GPP TR 38.901 V17.0.0, clause 7.4.3: loss into buildings (O2I) and into cars.

The whole loss of a link into a building is the outdoor path loss over the whole distance, the wall
(``wall_loss_db``), the way inside (``indoor_loss_db``) and a normal deviate of ``O2I_SIGMA_DB``.
Low-loss and high-loss buildings stand in UMa and UMi, low-loss ones alone in RMa, high-loss ones
alone in InF. Never add ITU-R P.2109 to these: both hold the same wall.
"""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Floats
from xinji.errors import InputError, raise_if
from xinji.plan.radio.tr38901.ranges import TR_FREQUENCY_GHZ, range_faults, require_known

MATERIALS_DB = {
    "multi_pane_glass": (2.0, 0.2),
    "irr_glass": (23.0, 0.3),
    "concrete": (5.0, 4.0),
    "wood": (4.85, 0.12),
}
"""Loss [dB] of materials as a + b f with f in GHz (TR 38.901, Table 7.4.3-1)."""

O2I_SIGMA_DB = {"low": 4.4, "high": 6.5}
"""Standard deviation [dB] of the loss into a building (TR 38.901, Table 7.4.3-2)."""

INDOOR_SLOPE_DB_M = 0.5
"""Loss [dB] of each metre inside (TR 38.901, Table 7.4.3-2)."""

INDOOR_DEPTH_M = {"RMa": 10.0, "UMa": 25.0, "UMi": 25.0}
"""The way inside is the smaller of two uniform numbers from 0 to this [m] (clause 7.4.3.1)."""

CAR_LOSS_DB = 9.0
CAR_SIGMA_DB = 5.0
"""Mean and standard deviation of the loss into a car (TR 38.901, clause 7.4.3.2)."""

CAR_METALLISED_LOSS_DB = 20.0
"""Mean loss [dB] into a car with metal-coated windows (clause 7.4.3.2)."""

CAR_FREQUENCY_GHZ = (0.6, 60.0)
"""Frequencies for which the loss into a car is printed (clause 7.4.3.2)."""

_SHARES = {"low": ("multi_pane_glass", 0.3, 0.7), "high": ("irr_glass", 0.7, 0.3)}


def material_loss_db(material: str, frequency_ghz: Floats) -> Floats:
    """Return the loss [dB] through one of ``MATERIALS_DB`` (TR 38.901, Table 7.4.3-1).

    Raises InputError for an unknown material or a frequency outside 0.5 to 100 GHz.
    """
    require_known("material", material, MATERIALS_DB)
    raise_if(range_faults("TR 38.901 O2I", [("frequency_ghz", frequency_ghz, TR_FREQUENCY_GHZ)]), InputError)
    constant, slope = MATERIALS_DB[material]
    return constant + slope * frequency_ghz


def wall_loss_db(building: str, frequency_ghz: Floats) -> Floats:
    """Return PL_tw [dB], the loss through the outer wall (TR 38.901, Table 7.4.3-2).

    ``building`` is ``"low"`` (30 % plain glass, the rest concrete) or ``"high"`` (70 % coated glass).
    Raises InputError for another name or a frequency outside 0.5 to 100 GHz.
    """
    require_known("building", building, O2I_SIGMA_DB)
    glass, glazed, walled = _SHARES[building]
    through_glass = 10.0 ** (-material_loss_db(glass, frequency_ghz) / 10.0)
    through_wall = 10.0 ** (-material_loss_db("concrete", frequency_ghz) / 10.0)
    return np.asarray(5.0 - 10.0 * np.log10(glazed * through_glass + walled * through_wall))


def indoor_loss_db(indoor_m: Floats) -> Floats:
    """Return PL_in [dB] over the way inside [m] (TR 38.901, Table 7.4.3-2).

    Raises InputError for a way outside 0 to 25 m.
    """
    deepest = max(INDOOR_DEPTH_M.values())
    raise_if(range_faults("TR 38.901 O2I", [("indoor_m", indoor_m, (0.0, deepest))]), InputError)
    return INDOOR_SLOPE_DB_M * indoor_m


def indoor_distance_m(scenario: str, probability: Floats) -> Floats:
    """Return the way inside [m] that a share ``probability`` of terminals does not exceed.

    The smaller of two uniform numbers (TR 38.901, clause 7.4.3.1): 1 - (1 - x/depth)^2 solved for
    x. Raises InputError for an unknown scenario or a share outside 0 to 1.
    """
    require_known("scenario", scenario, INDOOR_DEPTH_M)
    raise_if(range_faults("TR 38.901 O2I", [("probability", probability, (0.0, 1.0))]), InputError)
    return np.asarray(INDOOR_DEPTH_M[scenario] * (1.0 - np.sqrt(1.0 - probability)))


def penetration_loss_db(scenario: str, building: str, frequency_ghz: Floats, indoor_m: Floats) -> Floats:
    """Return the median loss [dB] into a building, wall and way inside (TR 38.901, clause 7.4.3.1).

    Raises InputError as ``wall_loss_db`` and ``indoor_loss_db`` do, and for a high-loss building in
    RMa, where only low-loss ones are defined.
    """
    require_known("scenario", scenario, INDOOR_DEPTH_M)
    require_known("building", building, ("low",) if scenario == "RMa" else tuple(O2I_SIGMA_DB))
    return wall_loss_db(building, frequency_ghz) + indoor_loss_db(indoor_m)


def car_loss_db(frequency_ghz: Floats, *, metallised: bool) -> Floats:
    """Return the mean loss [dB] into a car (TR 38.901, clause 7.4.3.2), its deviation ``CAR_SIGMA_DB``.

    ``metallised`` means windows coated with metal. Raises InputError for a frequency outside 0.6 to
    60 GHz.
    """
    raise_if(range_faults("TR 38.901 car", [("frequency_ghz", frequency_ghz, CAR_FREQUENCY_GHZ)]), InputError)
    return np.full(frequency_ghz.shape, CAR_METALLISED_LOSS_DB if metallised else CAR_LOSS_DB)
