"""Loss into buildings and cars: tables, limits, and the way inside against draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinji.core.arrays import Floats
from xinji.errors import InputError
from xinji.plan.radio.tr38901 import (
    CAR_SIGMA_DB,
    O2I_SIGMA_DB,
    car_loss_db,
    indoor_distance_m,
    indoor_loss_db,
    material_loss_db,
    penetration_loss_db,
    wall_loss_db,
)


def one(value: float) -> Floats:
    return np.array([value])


def test_materials_of_the_table() -> None:
    expected = {"multi_pane_glass": 2.0 + 0.2 * 10, "irr_glass": 23.0 + 0.3 * 10, "concrete": 45.0, "wood": 4.85 + 1.2}
    for material, loss in expected.items():
        assert material_loss_db(material, one(10.0))[0] == pytest.approx(loss)
    with pytest.raises(InputError, match="material 'paper' is unknown"):
        material_loss_db("paper", one(10.0))


@given(st.floats(0.5, 100.0))
def test_wall_equals_the_table_by_hand_and_stays_between_its_materials(f: float) -> None:
    concrete, glass, coated = 5 + 4 * f, 2 + 0.2 * f, 23 + 0.3 * f
    low = 5 - 10 * math.log10(0.3 * 10 ** (-glass / 10) + 0.7 * 10 ** (-concrete / 10))
    high = 5 - 10 * math.log10(0.7 * 10 ** (-coated / 10) + 0.3 * 10 ** (-concrete / 10))
    assert wall_loss_db("low", one(f))[0] == pytest.approx(low, abs=1e-9)
    assert wall_loss_db("high", one(f))[0] == pytest.approx(high, abs=1e-9)
    assert min(glass, concrete) <= low - 5.0 <= max(glass, concrete)
    assert min(coated, concrete) <= high - 5.0 <= max(coated, concrete)


def test_high_frequencies_leave_the_glass_alone() -> None:
    assert wall_loss_db("low", one(100.0))[0] == pytest.approx(5.0 + 22.0 - 10 * math.log10(0.3), abs=1e-9)


@pytest.mark.parametrize(("scenario", "depth"), [("UMa", 25.0), ("UMi", 25.0), ("RMa", 10.0)])
def test_way_inside_is_the_smaller_of_two_uniform_numbers(scenario: str, depth: float) -> None:
    draws = np.random.default_rng(5).uniform(0.0, depth, (200_000, 2)).min(axis=1)
    shares = np.array([0.1, 0.5, 0.9])
    np.testing.assert_allclose(indoor_distance_m(scenario, shares), np.quantile(draws, shares), rtol=0.02)
    even = indoor_distance_m(scenario, (np.arange(10_000) + 0.5) / 10_000)
    assert indoor_loss_db(even).mean() == pytest.approx(0.5 * depth / 3.0, rel=1e-3)


def test_whole_loss_and_what_is_not_defined() -> None:
    found = penetration_loss_db("UMa", "high", one(3.5), one(8.0))[0]
    assert found == pytest.approx(wall_loss_db("high", one(3.5))[0] + 4.0)
    with pytest.raises(InputError, match=r"building 'high' is unknown. Use one of low"):
        penetration_loss_db("RMa", "high", one(3.5), one(8.0))
    with pytest.raises(InputError, match="indoor_m has 1 values outside 0 to 25"):
        penetration_loss_db("UMa", "low", one(3.5), one(26.0))
    with pytest.raises(InputError, match=r"outside 0.5 to 100"):
        wall_loss_db("low", one(0.3))
    assert O2I_SIGMA_DB == {"low": 4.4, "high": 6.5}


def test_cars() -> None:
    assert car_loss_db(one(3.5), metallised=False)[0] == 9.0
    assert car_loss_db(one(3.5), metallised=True)[0] == 20.0
    assert CAR_SIGMA_DB == 5.0
    with pytest.raises(InputError, match=r"outside 0.6 to 60"):
        car_loss_db(one(70.0), metallised=False)
