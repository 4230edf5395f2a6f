"""Uplink: power control by hand, blocks by enumeration, interference by brute force."""

from __future__ import annotations

import numpy as np
import pytest

from xinji.errors import InputError
from xinji.io.parameters import PROFILES, load
from xinji.plan.radio.link import Carrier, curve_of, noise_dbm
from xinji.plan.radio.uplink import (
    PowerControl,
    coupling_loss_db,
    interference_mw,
    noise_rise_db,
    read_margin_db,
    read_power_control,
    sinr_by_blocks_db,
    transmit_power_dbm,
    uplink_curve,
)

CARRIER = Carrier(273, 30.0, 2, 6, 0.08, 0.3)
CONTROL = PowerControl(26.0, -90.0, 0.8)
NOISE_DBM = noise_dbm(30.0, 5.0)
CURVE = uplink_curve(CARRIER, CONTROL, noise_dbm=NOISE_DBM, margin_db=3.0)


def test_power_is_that_of_ts_38_213() -> None:
    # 10 blocks at 30 kHz are 20 of 180 kHz: -90 + 13.01 + 80 = 3.01 dBm at 100 dB.
    found = transmit_power_dbm(np.array([100.0, 150.0]), np.array([10.0, 10.0]), 30.0, CONTROL)
    assert found == pytest.approx([3.0103, 26.0], abs=1e-3)


def test_sinr_by_hand() -> None:
    # 26 dBm over 12 subcarriers, 130 dB, noise -124.2 + 3: 15.21 - 130 + 121.2 = 6.4 dB.
    found = sinr_by_blocks_db(np.array([130.0]), np.array([1.0]), 30.0, PowerControl(26, 0, 1.0), floor_dbm=-121.2)
    assert found == pytest.approx([6.41], abs=0.01)


def test_the_number_of_blocks_is_the_best_of_all() -> None:
    link = curve_of(CARRIER, "up")
    for loss in (75.0, 100.0, 118.35, 128.0, 137.5, 143.2):
        rates = []
        for blocks in range(1, CARRIER.resource_blocks + 1):
            power = min(26.0, -90.0 + 10 * np.log10(2.0 * blocks) + 0.8 * loss)
            sinr = power - 10 * np.log10(12 * blocks) - loss - NOISE_DBM - 3.0
            bits = float(link.read(np.array([sinr], dtype=np.float32))[0])
            rates.append(bits * blocks * CARRIER.block_elements_per_s / 1e6)
        found = CURVE.read(np.array([loss], dtype=np.float32))
        assert found.rate_mbps[0] == pytest.approx(max(rates), rel=2e-3)
        assert found.power_dbm[0] <= 26.0
        assert rates[found.blocks[0] - 1] == pytest.approx(max(rates), rel=0.02)


def test_farther_out_the_rate_falls_the_blocks_shrink_and_it_ends() -> None:
    loss = np.arange(60.0, 200.0, 0.5, dtype=np.float32)
    found = CURVE.read(loss)
    assert (np.diff(found.rate_mbps) <= 1e-4).all()
    edge = np.flatnonzero(found.blocks > 0)[-1]
    assert found.blocks[0] == CARRIER.resource_blocks
    assert found.blocks[edge] == 1
    assert (found.rate_mbps[edge + 1 :] == 0).all()
    assert np.isnan(found.power_dbm[edge + 1 :]).all()
    assert 140.0 < loss[edge] < 160.0


def test_fewer_blocks_beat_the_whole_carrier_at_the_edge() -> None:
    whole = sinr_by_blocks_db(np.array([130.0]), np.array([273.0]), 30.0, CONTROL, floor_dbm=NOISE_DBM + 3.0)
    alone = curve_of(CARRIER, "up").read(whole.astype(np.float32))[0] * CARRIER.elements_per_s / 1e6
    assert CURVE.read(np.array([130.0], dtype=np.float32)).rate_mbps[0] > max(4 * alone, 0.3)


def test_missing_losses_are_outages_and_shapes_are_kept() -> None:
    loss = np.array([[np.inf, np.nan, 500.0], [10.0, 30.0, 31.0]], dtype=np.float32)
    found = CURVE.read(loss)
    assert (found.rate_mbps[0] == 0).all()
    assert (found.blocks[0] == 0).all()
    assert found.rate_mbps[1, 0] == found.rate_mbps[1, 1] > 0
    assert np.isnan(found.density_dbm()[0]).all()


def test_density_is_power_over_subcarriers() -> None:
    found = CURVE.read(np.array([125.0], dtype=np.float32))
    assert found.density_dbm()[0] == pytest.approx(found.power_dbm[0] - 10 * np.log10(12 * found.blocks[0]), abs=1e-4)


def test_interference_is_what_a_loop_finds() -> None:
    rng = np.random.default_rng(1)
    loss = rng.uniform(90, 150, (4, 60)).astype(np.float32)
    loss[2, 7] = np.inf
    server, weight, load = loss.argmin(axis=0), rng.uniform(0, 3, 60), np.array([0.2, 0.9, 1.0, 0.0])
    server[5] = -1
    density = rng.uniform(-30, 10, 60).astype(np.float32)
    density[11] = np.nan
    found = interference_mw(loss, server, weight, load, density)
    for victim in range(4):
        total = 0.0
        for cell in set(range(4)) - {victim}:
            mine = [i for i in range(60) if server[i] == cell and np.isfinite(density[i])]
            users = sum(weight[i] for i in mine)
            for i in mine:
                heard = 10 ** ((float(density[i]) - float(loss[victim, i])) / 10)
                total += load[cell] * weight[i] / users * heard
        assert found[victim] == pytest.approx(total, rel=1e-6)
    assert noise_rise_db(np.array([0.0, 10 ** (NOISE_DBM / 10)]), NOISE_DBM) == pytest.approx([0.0, 3.0103], abs=1e-4)


def test_coupling_loss_counts_the_antenna() -> None:
    # 35 dBm EIRP of 22 dBi is 13 dBm conducted; received with -95 dBm it lost 108 dB.
    assert coupling_loss_db(np.array([-95.0], dtype=np.float32), 35.0, 22.0) == pytest.approx([108.0])


@pytest.mark.parametrize("profile", PROFILES)
def test_registry_has_the_figures(profile: str) -> None:
    parameters = load(profile)
    assert read_power_control(parameters, 700).power_max_dbm == 23.0
    assert read_power_control(parameters, 3500).power_max_dbm == 26.0
    assert read_margin_db(parameters) > 0


def test_bad_figures_are_refused() -> None:
    with pytest.raises(InputError, match="alpha"):
        PowerControl(23.0, -90.0, 1.2)
    with pytest.raises(InputError, match="still carried"):
        uplink_curve(CARRIER, PowerControl(200.0, 100.0, 1.0), noise_dbm=NOISE_DBM, margin_db=0.0)
