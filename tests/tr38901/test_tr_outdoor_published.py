"""UMa and UMi against ns-3's figures, tall terminals against draws, bands beyond the table."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinji.core.arrays import Floats
from xinji.errors import InputError
from xinji.plan.radio import p676
from xinji.plan.radio.tr38901 import (
    EXPERIMENTAL_SCENARIOS,
    experimental_path_loss_db,
    los_probability,
    office_path_loss_db,
    path_loss_db,
    uma_los_probability,
)

# ns-3, src/propagation/test/three-gpp-propagation-loss-model-test-suite.cc (5 GHz, terminal at 1.5 m),
# within 0.05 dB; the file lists UMi beyond the first two rows without asserting it.
PUBLISHED = [
    ("UMa", 25.0, 10.0, True, 72.9380),
    ("UMa", 25.0, 100.0, True, 86.2362),
    ("UMa", 25.0, 1000.0, True, 109.7252),
    ("UMa", 25.0, 5000.0, True, 137.6794),
    ("UMa", 25.0, 10.0, False, 82.5131),
    ("UMa", 25.0, 100.0, False, 106.1356),
    ("UMa", 25.0, 1000.0, False, 144.7641),
    ("UMa", 25.0, 5000.0, False, 172.0753),
    ("UMi", 10.0, 10.0, True, 69.8591),
    ("UMi", 10.0, 100.0, True, 88.4122),
    ("UMi", 10.0, 1000.0, True, 119.3114),
    ("UMi", 10.0, 5000.0, True, 147.2696),
    ("UMi", 10.0, 10.0, False, 76.7563),
    ("UMi", 10.0, 100.0, False, 107.9432),
    ("UMi", 10.0, 1000.0, False, 143.1886),
    ("UMi", 10.0, 5000.0, False, 167.8617),
]

AIR = p676.mean_global_atmosphere()


def one(value: float) -> Floats:
    return np.array([value])


def uma(d: float, f: float, h_bs: float, h_ut: float, *, los: bool) -> float:
    return float(path_loss_db("UMa", one(d), one(f), one(h_bs), one(h_ut), los=los)[0])


@pytest.mark.parametrize(("scenario", "h_bs", "distance", "los", "expected"), PUBLISHED)
def test_equals_published_figures(scenario: str, h_bs: float, distance: float, los: bool, expected: float) -> None:  # noqa: FBT001
    found = path_loss_db(scenario, one(distance), one(5.0), one(h_bs), one(1.5), los=los)[0]
    assert found == pytest.approx(expected, abs=0.05)


def test_sight_of_tall_terminals() -> None:
    # ns-3, src/propagation/test/channel-condition-model-test-suite.cc: terminal at 15 m.
    for d in (50.0, 100.0):
        low = 18 / d + math.exp(-d / 63) * (1 - 18 / d)
        more = 1 + (2 / 10) ** 1.5 * 5 / 4 * (d / 100) ** 3 * math.exp(-d / 150)
        assert uma_los_probability(one(d), one(15.0))[0] == pytest.approx(low * more, rel=1e-12)
        assert uma_los_probability(one(d), one(1.5))[0] == pytest.approx(low, rel=1e-12)


@given(st.floats(0.0, 5_000.0), st.floats(1.5, 23.0))
def test_sight_is_a_probability_and_never_below_the_low_terminals(d: float, h_ut: float) -> None:
    found = uma_los_probability(one(d), one(h_ut))[0]
    assert los_probability("UMa", one(d))[0] <= found <= 1.0


def test_sight_above_23_m_is_refused() -> None:
    with pytest.raises(InputError, match="h_ut_m has 1 values outside 0 to 23"):
        uma_los_probability(one(100.0), one(25.0))


@pytest.mark.parametrize("los", [True, False])
@pytest.mark.parametrize(("h_ut", "heights"), [(14.0, (12.0,)), (17.0, (12.0, 15.0)), (22.5, (12.0, 15.0, 18.0, 21.0))])
def test_tall_terminals_equal_the_mean_of_draws(h_ut: float, heights: tuple[float, ...], los: bool) -> None:  # noqa: FBT001
    rng, d, f, h_bs = np.random.default_rng(3), 400.0, 2.0, 25.0
    c = ((h_ut - 13) / 10) ** 1.5 * 1.25 * (d / 100) ** 3 * math.exp(-d / 150)
    draws = np.where(rng.random(200_000) < 1 / (1 + c), 1.0, rng.choice(heights, 200_000))
    straight = math.hypot(d, h_bs - h_ut)
    edge = 4 * (h_bs - draws) * (h_ut - draws) * f * 1e9 / 3e8
    far = 28 + 40 * math.log10(straight) + 20 * math.log10(f) - 9 * np.log10(edge**2 + (h_bs - h_ut) ** 2)
    loss = np.where(d <= edge, 28 + 22 * math.log10(straight) + 20 * math.log10(f), far)
    if not los:
        loss = np.maximum(loss, 13.54 + 39.08 * math.log10(straight) + 20 * math.log10(f) - 0.6 * (h_ut - 1.5))
    assert uma(d, f, h_bs, h_ut, los=los) == pytest.approx(loss.mean(), abs=0.05)


def test_terminals_just_above_13_m_join_the_low_ones() -> None:
    assert uma(400.0, 2.0, 25.0, 13.2, los=True) == pytest.approx(uma(400.0, 2.0, 25.0, 13.0, los=True), abs=0.01)


def test_mixed_heights_equal_single_ones() -> None:
    heights = np.array([1.5, 13.2, 14.0, 20.0])
    d = np.array([[100.0], [900.0]])
    found = path_loss_db("UMa", d, one(2.6), one(25.0), heights, los=True)
    expected = [[uma(float(x), 2.6, 25.0, float(h), los=True) for h in heights] for x in d[:, 0]]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_antenna_must_stand_above_a_tall_terminal() -> None:
    with pytest.raises(InputError, match="1 terminals above 13 m are not below their antenna"):
        path_loss_db("UMa", one(100.0), one(2.6), one(15.0), np.array([20.0, 1.5]), los=True)


def test_experimental_is_the_table_and_gas() -> None:
    d, f, h_bs, h_ut = one(200.0), np.array([7.0, 15.0, 60.0, 100.0]), one(10.0), one(1.5)
    for los in (True, False):
        found = experimental_path_loss_db("UMi", d, f, h_bs, h_ut, air=AIR, los=los)
        gas = p676.gas_db_km(f, AIR) * np.hypot(200.0, 8.5) / 1e3
        np.testing.assert_allclose(found, path_loss_db("UMi", d, f, h_bs, h_ut, los=los) + gas, rtol=1e-12)
    # 60 GHz oxygen: about 15 dB/km near the ground.
    assert gas[2] == pytest.approx(15.0 * 0.2, rel=0.1)


def test_experimental_above_the_table() -> None:
    office = experimental_path_loss_db("InH", one(20.0), one(140.0), one(3.0), one(1.5), air=AIR, los=True)[0]
    assert office > office_path_loss_db(np.hypot(one(20.0), 1.5), one(100.0), los=True)[0] + 20 * math.log10(1.4)
    for scenario in EXPERIMENTAL_SCENARIOS:
        link = (one(50.0), one(250.0), one(25.0 if scenario == "UMa" else 10.0), one(1.5))
        assert np.isfinite(experimental_path_loss_db(scenario, *link, air=AIR, los=True)).all()


def test_experimental_names_every_fault() -> None:
    link = (one(9.0), one(6.0), one(10.0), one(1.5))
    with pytest.raises(InputError, match="outside 7 to 300") as caught:
        experimental_path_loss_db("UMi", *link, air=AIR, los=True)
    assert len(caught.value.faults) == 2
    with pytest.raises(InputError, match="without sight"):
        experimental_path_loss_db("InF-HH", one(9.0), one(140.0), one(9.0), one(8.0), air=AIR, los=False)
    with pytest.raises(InputError, match="straight distance has 1 values outside 1 to 150"):
        experimental_path_loss_db("InH", one(900.0), one(140.0), one(3.0), one(1.5), air=AIR, los=False)
    with pytest.raises(InputError, match="'RMa' is unknown"):
        experimental_path_loss_db("RMa", one(900.0), one(140.0), one(35.0), one(1.5), air=AIR, los=False)
    with pytest.raises(InputError, match=r"frequency_ghz has 1 values outside 0.5 to 100"):
        path_loss_db("UMa", one(900.0), one(140.0), one(25.0), one(1.5), los=False)
