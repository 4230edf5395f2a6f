"""Capacity of a cell: against closed forms where there are any, and its interval against many seeds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from xinji.errors import InputError
from xinji.io.parameters import PROFILES, load
from xinji.plan.radio.cell_capacity import Drops, Layout, cell_capacity, read_drops, shared_mbps
from xinji.plan.radio.link import Carrier, curve_of, noise_dbm, throughput_mbps
from xinji.plan.radio.shadowing import Shadowing

CARRIER = Carrier(273, 30.0, 4, 8, 0.14, 0.7)
CURVE = curve_of(CARRIER, "down")
NOISE_DBM = noise_dbm(30.0, 9.0)
RULE = Shadowing(6.0, 50.0, 0.5)
DROPS = Drops(users=10.0, drops=20, seed=1, share="time", confidence=0.95)


def hexagon(load_share: float, step_m: float = 500.0) -> Layout:
    """Return seven sites at ``step_m``, one all-round sector each, of which the middle one counts."""
    turn = np.arange(6) * np.pi / 3
    x = np.concatenate([[0.0], step_m * np.cos(turn)])
    y = np.concatenate([[0.0], step_m * np.sin(turn)])
    axis = np.arange(-780.0, 781.0, 40.0)
    away = np.hypot(axis[None, None, :] - x[:, None, None], axis[None, :, None] - y[:, None, None])
    rsrp = 25.0 - (35.0 + 36.0 * np.log10(np.hypot(away, 25.0)))
    measured = np.arange(7) == 0
    return Layout(
        rsrp.astype(np.float32), np.arange(7), np.full(7, load_share), np.ones(rsrp.shape[1:]), 40.0, measured
    )


def run(layout: Layout, drops: Drops = DROPS, rule: Shadowing = RULE) -> tuple[float, float, float, float]:
    found = cell_capacity(layout, rule, drops, noise_dbm=NOISE_DBM, curve=CURVE, carrier=CARRIER)
    assert found.cell_mbps_low <= found.cell_mbps <= found.cell_mbps_high
    assert (found.drops, found.seed) == (drops.drops, drops.seed)
    return found.cell_mbps, found.user_mean_mbps, found.user_5_percent_mbps, found.outage_share


def test_flat_ground_without_fading_is_the_link_curve() -> None:
    layout = Layout(
        np.full((1, 5, 5), -100.0, np.float32), np.zeros(1, int), np.ones(1), np.ones((5, 5)), 50.0, np.ones(1, bool)
    )
    alone = float(throughput_mbps(np.array([-100.0 - NOISE_DBM], dtype=np.float32), CURVE, CARRIER)[0])
    cell, user, worst, outage = run(layout, rule=Shadowing(0.0, 50.0, 0.5))
    assert cell == pytest.approx(alone, rel=1e-5)
    assert user == pytest.approx(alone / 10, rel=1e-5)
    assert worst == pytest.approx(alone / 10, rel=1e-5)
    assert outage == 0


def test_places_count_by_their_weight() -> None:
    level = np.full((1, 1, 2), -90.0, dtype=np.float32)
    level[0, 0, 1] = -110.0
    layout = Layout(level, np.zeros(1, int), np.ones(1), np.array([[3.0, 1.0]]), 1e4, np.ones(1, bool))
    near, far = throughput_mbps(np.array([-90.0, -110.0], dtype=np.float32) - np.float32(NOISE_DBM), CURVE, CARRIER)
    cell, *_ = run(layout, replace(DROPS, users=500.0), Shadowing(0.0, 50.0, 0.5))
    assert cell == pytest.approx(0.75 * near + 0.25 * far, rel=0.01)
    equal, _, worst, _ = run(layout, replace(DROPS, users=500.0, share="rate"), Shadowing(0.0, 50.0, 0.5))
    assert equal == pytest.approx(1.0 / (0.75 / near + 0.25 / far), rel=0.02)
    # The worst of 20 drops: its users far out are a few more, each drop being equal within itself.
    assert 0.85 * equal / 500.0 < worst < equal / 500.0


def test_idle_neighbours_help_and_equal_rates_cost() -> None:
    full, idle = run(hexagon(1.0)), run(hexagon(0.0))
    assert idle[0] > 1.5 * full[0]
    fair = run(hexagon(1.0), replace(DROPS, share="rate"))
    assert fair[0] < full[0]
    assert fair[2] > full[2]


def test_a_seed_repeats_and_another_differs_within_reason() -> None:
    assert run(hexagon(0.7)) == run(hexagon(0.7))
    inside = 0
    truth = run(hexagon(0.7), replace(DROPS, drops=300, seed=99))[0]
    for seed in range(20):
        found = cell_capacity(
            hexagon(0.7), RULE, replace(DROPS, seed=seed), noise_dbm=NOISE_DBM, curve=CURVE, carrier=CARRIER
        )
        inside += found.cell_mbps_low <= truth <= found.cell_mbps_high
    assert inside >= 16


def test_users_share_time_or_rate() -> None:
    alone = np.array([100.0, 50.0, 0.0])
    assert shared_mbps(alone, "time") == pytest.approx([100 / 3, 50 / 3, 0.0])
    assert shared_mbps(alone, "rate") == pytest.approx([100 / 3, 100 / 3, 0.0])
    assert shared_mbps(np.zeros(2), "rate").tolist() == [0.0, 0.0]
    assert len(shared_mbps(np.zeros(0), "time")) == 0


@pytest.mark.parametrize("profile", PROFILES)
def test_registry_draws(profile: str) -> None:
    assert read_drops(load(profile), seed=7).seed == 7


def test_bad_questions_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        Drops(0.0, 1, 1, "luck", 1.0)
    assert len(caught.value.faults) == 4
    layout = hexagon(1.0)
    with pytest.raises(InputError, match="weight"):
        replace(layout, weight=np.zeros_like(layout.weight))
    with pytest.raises(InputError, match="shape"):
        replace(layout, site=np.arange(3))
    far = replace(layout, rsrp_dbm=np.full_like(layout.rsrp_dbm, -np.inf))
    with pytest.raises(InputError, match="0 of 20 drops"):
        run(far)
