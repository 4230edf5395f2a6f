"""Experimental: TR 38.901 run for 6G candidate bands, 7 to 300 GHz, with gas added.

TR 38.901 is printed to 100 GHz (RMa to 30 GHz); release 19 reviewed it for 7 to 24 GHz, and the
figures here are those of V17. Above 100 GHz nobody has validated the formulas: what comes out is
an extrapolation of their frequency terms, to compare candidate bands with, never to plan on.
Oxygen and water vapour (ITU-R P.676), which the tables leave out, are added for air that the caller
names.
"""

from __future__ import annotations

from collections.abc import Iterator

from xinji.core.arrays import Floats
from xinji.errors import Fault, InputError, raise_if
from xinji.plan.radio import p676
from xinji.plan.radio.tr38901 import factory, indoor_office, outdoor
from xinji.plan.radio.tr38901.ranges import range_faults, require_known
from xinji.units import METRES_PER_KM

EXPERIMENTAL_SCENARIOS = ("UMa", "UMi", "InH", *factory.FACTORIES)
"""Scenarios that are run beyond their tables; RMa is left out, since it already ends at 30 GHz."""

EXPERIMENTAL_FREQUENCY_GHZ = (7.0, 300.0)


def experimental_path_loss_db(
    scenario: str,
    distance_2d_m: Floats,
    frequency_ghz: Floats,
    h_bs_m: Floats,
    h_ut_m: Floats,
    *,
    air: p676.Atmosphere,
    los: bool,
) -> Floats:
    """Return an experimental path loss [dB] for 7 to 300 GHz: TR 38.901 and gas on the straight way.

    ``scenario`` is one of ``EXPERIMENTAL_SCENARIOS``; ``air`` is that of ITU-R P.676. Everything
    broadcasts together. Raises InputError for an unknown scenario, values outside the ranges of its
    table (frequency apart) or a frequency outside 7 to 300 GHz.
    """
    require_known("scenario", scenario, EXPERIMENTAL_SCENARIOS)
    link = (distance_2d_m, frequency_ghz, h_bs_m, h_ut_m)
    straight = outdoor.distance_3d_m(distance_2d_m, h_bs_m, h_ut_m)
    raise_if(_faults(scenario, link, straight, los=los), InputError)
    gas_db = p676.path_gas_db(straight / METRES_PER_KM, frequency_ghz, air)
    if scenario == "InH":
        return indoor_office.office_formula_db(straight, frequency_ghz, los=los) + gas_db
    if scenario in factory.FACTORIES:
        return factory.factory_formula_db(scenario, straight, frequency_ghz, los=los) + gas_db
    return outdoor.FORMULAS[scenario, los](*link) + gas_db


def _faults(
    scenario: str, link: tuple[Floats, Floats, Floats, Floats], straight_m: Floats, *, los: bool
) -> Iterator[Fault]:
    layer = f"TR 38.901 {scenario}, experimental"
    if scenario in outdoor.SCENARIOS:
        yield from outdoor.link_faults(scenario, link, EXPERIMENTAL_FREQUENCY_GHZ, los=los)
        return
    if scenario == "InF-HH" and not los:
        yield Fault(layer, "has no path loss without sight", "Give los=True, or name another hall.")
    distance = indoor_office.OFFICE_DISTANCE_M if scenario == "InH" else factory.FACTORY_DISTANCE_M
    checks = [("straight distance", straight_m, distance), ("frequency_ghz", link[1], EXPERIMENTAL_FREQUENCY_GHZ)]
    yield from range_faults(layer, checks)
