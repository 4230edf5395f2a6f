"""Capacity and prices against figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from xinji.core.parameters import Parameters
from xinji.core.vocabulary import BANDS_MHZ, GROUPS, RESOURCES
from xinji.io.parameters import PROFILES, load
from xinji.plan.radio.bands import eirp_per_subcarrier_dbm, offered_in, read_bands, serves
from xinji.plan.radio.capacity import band_capacity
from xinji.plan.radio.costs import HOST_KINDS, read_costs


def test_capacity_of_a_2600_carrier() -> None:
    found = band_capacity(load("cn"))[BANDS_MHZ.index(2600)]
    # 100 MHz, M.2410 dense urban 7.8 and 5.4 bit/s/Hz halved, 0.7 load, frame 7:3, three sectors.
    assert found[RESOURCES.index("down_mbps")] == pytest.approx(100 * 0.7 * 7.8 * 0.5 * 0.7 * 3)
    assert found[RESOURCES.index("up_mbps")] == pytest.approx(100 * 0.3 * 5.4 * 0.5 * 0.7 * 3)
    assert np.isinf(found[RESOURCES.index("servers")])


def test_4900_is_heavy_on_the_uplink() -> None:
    found = band_capacity(load("cn"))
    up, down = RESOURCES.index("up_mbps"), RESOURCES.index("down_mbps")
    assert found[BANDS_MHZ.index(4900), up] > found[BANDS_MHZ.index(4900), down]
    assert (found[[0, 1, 2], down] > found[[0, 1, 2], up]).all()


def test_eirp_of_one_subcarrier() -> None:
    # 200 W over 3,276 subcarriers is 61 mW each, 17.86 dBm.
    assert eirp_per_subcarrier_dbm(10 * np.log10(200_000.0), 3276, 17.0, 0.5) == pytest.approx(17.86 + 16.5, abs=0.01)


def test_a_new_tower_with_one_carrier_costs_about_what_the_ministry_reports() -> None:
    costs = read_costs(load("cn"))
    tower = costs.host_capex[HOST_KINDS.index("tower_new")]
    roof = costs.host_capex[HOST_KINDS.index("rooftop")]
    carrier = costs.carrier_capex[BANDS_MHZ.index(3500)]
    assert 250_000 <= tower + carrier <= 350_000
    # All-in CNY 203,000 to 283,000 a station (2021-22), of which four in five share a structure.
    assert 140_000 <= 0.2 * (tower + carrier) + 0.8 * (roof + carrier) <= 283_000


def test_energy_of_a_station_is_the_published_bill() -> None:
    parameters = load("cn")
    power = sum(parameters.value(f"radio.energy.{part}", "kW") for part in ("site", "carrier.3500"))
    assert power == pytest.approx(3.5)
    assert 23_000 <= power * 8760 * parameters.value("energy.tariff", "currency/kWh") <= 30_000


def test_tower_of_the_generic_profile_is_pytal_s() -> None:
    costs = read_costs(load("lmic"))
    tower, sharing = (costs.host_capex[HOST_KINDS.index(kind)] for kind in ("tower_new", "tower_shared"))
    assert tower == 4 * 5_000 + 15_000 + 2_000
    assert sharing < tower
    assert costs.carrier_capex[0] == 3 * 1_500 + 3 * 4_000 + 5_000
    rent = costs.host_opex[HOST_KINDS.index("tower_new")]
    assert rent[GROUPS.index("urban")] - rent[GROUPS.index("rural")] == pytest.approx(9_600 - 1_000)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_has_every_figure(profile: str) -> None:
    parameters: Parameters = load(profile)
    assert [band.mhz for band in read_bands(parameters)] == list(BANDS_MHZ)
    assert offered_in(parameters).shape == (len(GROUPS), len(BANDS_MHZ))
    assert serves(parameters).any(axis=1).all()
    assert (band_capacity(parameters) > 0).all()
    costs = read_costs(parameters)
    assert (costs.host_opex > 0).all()
    assert (costs.carrier_opex > 0).all()
