from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compute.grid_region import PARAMETERS
from xinji.plan.compute.energy import capex, energy_kwh, opex, server_costs

COSTS = server_costs(PARAMETERS)


def test_a_module_by_hand() -> None:
    eight = np.array([8.0])
    assert capex(eight, COSTS) == pytest.approx([8 * 61_200 + 150_000])
    assert energy_kwh(eight, COSTS) == pytest.approx([8 * 0.8 * 1.45 * 8760])
    assert opex(eight, COSTS) == pytest.approx([8 * 0.8 * 1.45 * 8760 * 0.8 + 0.05 * (8 * 61_200 + 150_000)])


def test_cabinets_come_whole() -> None:
    assert capex(np.array([0.0, 1.0, 8.0, 9.0]), COSTS) - 61_200 * np.array([0, 1, 8, 9]) == pytest.approx(
        [0, 150_000, 150_000, 300_000]
    )


def test_a_cabinet_keeps_the_ten_kilowatts_of_its_source() -> None:
    assert COSTS.servers_per_cabinet * COSTS.server_kw <= 10


@given(st.integers(0, 500), st.integers(0, 500))
def test_one_room_is_never_dearer_than_two(one: int, other: int) -> None:
    together, apart = np.array([one + other], dtype=float), np.array([one, other], dtype=float)
    assert 0 <= capex(together, COSTS)[0] <= capex(apart, COSTS).sum() + 1e-6
    assert 0 <= opex(together, COSTS)[0] <= opex(apart, COSTS).sum() + 1e-6
    assert energy_kwh(together, COSTS)[0] == pytest.approx(energy_kwh(apart, COSTS).sum())
