from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compute.grid_region import PARAMETERS
from xinji.plan.compute.latency import fibre_delay_ms, latency_budget, one_way_ms, path_limit_m

BUDGET = latency_budget(PARAMETERS, 10.0)


def test_light_takes_4_9_microseconds_a_kilometre() -> None:
    # 1.468 / 299,792.458 km/s = 4.8967 us/km, the 4.9 us/km of the field.
    assert fibre_delay_ms(np.array([1000.0]), 1.468) == pytest.approx([4.8967e-3], rel=1e-4)


def test_the_slowest_band_that_serves_and_keeps_the_limit_counts() -> None:
    latency_ms = {700: 8.0, 2600: 7.0, 3500: 6.0, 4900: 5.0}
    values = {f"radio.band.{mhz}.latency": value for mhz, value in latency_ms.items()}
    values |= {f"radio.band.{mhz}.serves.industrial_edge": float(mhz != 2600) for mhz in latency_ms}
    entries = PARAMETERS.entries
    bands = PARAMETERS.override({key: replace(entries[key], value=value) for key, value in values.items()})
    found = [latency_budget(bands, asked_ms).radio_ms for asked_ms in (np.inf, 8.0, 7.9, 5.5, 2.0)]
    assert found == [8.0, 8.0, 6.0, 5.0, 5.0]


def test_limit_by_hand() -> None:
    budget = replace(BUDGET, radio_ms=4.0, processing_ms=1.0, hops=4.0, hop_ms=0.125)
    assert budget.fixed_ms == pytest.approx(5.5)
    # 0.5 ms of light at 4.8967 us/km.
    assert path_limit_m(6.0, budget) == pytest.approx(500 / 4.8967 * 1000, rel=1e-4)
    assert path_limit_m(5.0, budget) < 0
    assert path_limit_m(np.inf, budget) == np.inf


@given(st.floats(10, 200))
def test_limit_and_latency_are_inverse(limit_ms: float) -> None:
    length_m = np.array([path_limit_m(limit_ms, BUDGET)])
    assert one_way_ms(length_m, BUDGET) == pytest.approx([limit_ms])


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_latency_is_additive_in_length(one_m: float, other_m: float) -> None:
    alone = fibre_delay_ms(np.array([one_m, other_m]), BUDGET.group_index)
    assert fibre_delay_ms(np.array([one_m + other_m]), BUDGET.group_index) == pytest.approx([alone.sum()])
    assert (one_way_ms(np.array([one_m, other_m]), BUDGET) >= BUDGET.fixed_ms).all()
