"""InH and InF against published figures, formulas by hand, and a hall strewn with clutter."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinji.core.arrays import Floats
from xinji.errors import InputError
from xinji.plan.radio.tr38901 import (
    FACTORIES,
    Clutter,
    distance_3d_m,
    factory_k_m,
    factory_los_probability,
    factory_path_loss_db,
    factory_shadow_fading_db,
    office_los_probability,
    office_path_loss_db,
    office_shadow_fading_db,
)

# ns-3, src/propagation/test/three-gpp-propagation-loss-model-test-suite.cc (5 GHz, 3 m and 1.5 m), within 0.05 dB.
OFFICE_PUBLISHED = [
    (1.0, True, 50.8072),
    (10.0, True, 63.7630),
    (50.0, True, 75.7750),
    (100.0, True, 80.9802),
    (1.0, False, 50.8072),
    (10.0, False, 73.1894),
    (50.0, False, 99.7824),
    (100.0, False, 111.3062),
]

SPARSE, DENSE = Clutter(0.2, 10.0, 5.0), Clutter(0.6, 2.0, 5.0)


def one(value: float) -> Floats:
    return np.array([value])


@pytest.mark.parametrize(("distance", "los", "expected"), OFFICE_PUBLISHED)
def test_office_equals_published_figures(distance: float, los: bool, expected: float) -> None:  # noqa: FBT001
    straight = distance_3d_m(one(distance), one(3.0), one(1.5))
    assert office_path_loss_db(straight, one(5.0), los=los)[0] == pytest.approx(expected, abs=0.05)


def test_office_sight_of_the_table() -> None:
    # The figures that ns-3's channel-condition-model-test-suite.cc asserts, and both sides of each edge.
    mixed = {1.2: 1.0, 5.0: math.exp(-3.8 / 4.7), 6.5: 0.32, 10.0: math.exp(-3.5 / 32.6) * 0.32}
    opened = {5.0: 1.0, 30.0: math.exp(-25 / 70.8), 49.0: math.exp(-44 / 70.8), 100.0: math.exp(-51 / 211.7) * 0.54}
    for office, expected in (("mixed", mixed), ("open", opened)):
        found = office_los_probability(office, np.array(list(expected)))
        np.testing.assert_allclose(found, list(expected.values()), rtol=1e-12)
    with pytest.raises(InputError, match=r"office 'closed' is unknown. Use one of mixed, open"):
        office_los_probability("closed", one(3.0))


def test_office_refuses_what_is_out_of_range() -> None:
    with pytest.raises(InputError, match="distance_3d_m has 1 values outside 1 to 150") as caught:
        office_path_loss_db(one(200.0), one(101.0), los=True)
    assert len(caught.value.faults) == 2
    assert office_shadow_fading_db(one(3.0), los=True) == 3.0
    assert office_shadow_fading_db(one(3.0), los=False) == 8.03


def by_hand(factory: str, d: float, f: float) -> float:
    seen = 31.84 + 21.5 * math.log10(d) + 19 * math.log10(f)
    sparse_low = max(33 + 25.5 * math.log10(d) + 20 * math.log10(f), seen)
    return {
        "InF-SL": sparse_low,
        "InF-DL": max(18.6 + 35.7 * math.log10(d) + 20 * math.log10(f), sparse_low),
        "InF-SH": max(32.4 + 23 * math.log10(d) + 20 * math.log10(f), seen),
        "InF-DH": max(33.63 + 21.9 * math.log10(d) + 20 * math.log10(f), seen),
    }[factory]


@given(st.sampled_from(FACTORIES[:4]), st.floats(1.0, 600.0), st.floats(0.5, 100.0))
def test_factory_equals_the_table_by_hand(factory: str, d: float, f: float) -> None:
    found = factory_path_loss_db(factory, one(d), one(f), los=False)[0]
    assert found == pytest.approx(by_hand(factory, d, f), abs=1e-9)
    assert found >= factory_path_loss_db(factory, one(d), one(f), los=True)[0]
    assert factory_path_loss_db(factory, one(min(600.0, d * 1.1)), one(f), los=False)[0] >= found


def test_dense_low_hall_never_loses_less_than_a_sparse_one() -> None:
    d = np.array([2.0, 10.0, 30.0, 100.0])
    low, dense = (factory_path_loss_db(name, d, one(3.5), los=False) for name in ("InF-SL", "InF-DL"))
    assert (dense >= low).all()
    assert dense[0] == low[0]
    assert dense[3] > low[3]


def test_factory_shadow_fading_of_the_table() -> None:
    sigma = {name: float(factory_shadow_fading_db(name, one(9.0), los=False)[0]) for name in FACTORIES[:4]}
    assert sigma == {"InF-SL": 5.7, "InF-DL": 7.2, "InF-SH": 5.9, "InF-DH": 4.0}
    assert factory_shadow_fading_db("InF-HH", one(9.0), los=True) == 4.3
    with pytest.raises(InputError, match="no path loss without sight"):
        factory_shadow_fading_db("InF-HH", one(9.0), los=False)
    with pytest.raises(InputError, match="no path loss without sight"):
        factory_path_loss_db("InF-HH", one(9.0), one(3.5), los=False)


def test_k_of_the_table() -> None:
    flat = -10.0 / math.log(0.8)
    assert factory_k_m("InF-SL", SPARSE, one(3.0), one(1.5))[0] == pytest.approx(flat)
    assert factory_k_m("InF-SH", SPARSE, one(8.0), one(1.5))[0] == pytest.approx(flat * 6.5 / 3.5)
    assert factory_k_m("InF-DH", DENSE, one(8.0), one(1.5))[0] == pytest.approx(-2.0 / math.log(0.4) * 6.5 / 3.5)
    assert factory_los_probability("InF-HH", one(500.0), SPARSE, one(9.0), one(7.0))[0] == 1.0


def test_sight_in_a_hall_strewn_with_clutter() -> None:
    # Second route: cut the hall into squares of the clutter's size, fill each at random, walk a line
    # that stays below the clutter; it is free with probability (1 - r)^(d/size), which the table's exponent is.
    rng = np.random.default_rng(7)
    filled = rng.random((40_000, 6)) < SPARSE.density
    free = 1.0 - filled.any(axis=1).mean()
    found = factory_los_probability("InF-SL", one(60.0), SPARSE, one(3.0), one(1.5))[0]
    assert found == pytest.approx(free, abs=0.01)
    # An antenna above the clutter: only the part of the ray below its top can be cut.
    reach = 60.0 * (SPARSE.height_m - 1.5) / (8.0 - 1.5)
    high = factory_los_probability("InF-SH", one(60.0), SPARSE, one(8.0), one(1.5))[0]
    assert high == pytest.approx(0.8 ** (reach / 10.0), rel=1e-12)


def test_halls_refuse_what_contradicts_their_name() -> None:
    with pytest.raises(InputError) as caught:
        factory_k_m("InF-DH", SPARSE, one(4.0), one(6.0))
    message = str(caught.value)
    for part in ("clutter density is 0.2", "h_bs_m has 1 values not above", "h_ut_m has 1 values not below"):
        assert part in message
    with pytest.raises(InputError, match="unknown"):
        factory_k_m("InF", SPARSE, one(4.0), one(6.0))
    with pytest.raises(InputError) as caught:
        Clutter(1.0, 0.0, 11.0)
    assert len(caught.value.faults) == 3
