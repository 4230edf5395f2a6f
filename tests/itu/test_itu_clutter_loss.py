"""ITU-R P.2108-1 against NTIA's rows, another evaluation in plain floats, and its limits."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinji.core.arrays import Floats
from xinji.errors import InputError
from xinji.plan.radio.p2108 import STREET_WIDTH_M, Clutter, height_gain_db, slant_db, terrestrial_db

PRINTED = 0.0501
"""NTIA prints tenths of a decibel."""


def _terrestrial(row: Floats) -> Floats:
    return terrestrial_db(row[1:2], row[0:1], row[2:3] / 100.0)


def _slant(row: Floats) -> Floats:
    return slant_db(row[0:1], row[1:2], row[2:3] / 100.0)


def _height_gain(row: Floats) -> Floats:
    return height_gain_db(Clutter(int(row[4])), row[0:1], row[1:2], row[3:4], row[2:3])


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("TerrestrialStatisticalModel", _terrestrial),
        ("AeronauticalStatisticalModel", _slant),
        ("HeightGainTerminalCorrectionModel", _height_gain),
    ],
)
def test_all_published_rows(name: str, model: Callable[[Floats], Floats], shared: Path) -> None:
    rows = np.loadtxt(shared / "validation" / "p2108" / f"{name}.csv", delimiter=",", skiprows=1)
    assert len(rows) > 3
    for row in rows:
        if row[-2] != 0:  # the code of an input that is out of range
            with pytest.raises(InputError):
                model(row)
        else:
            assert model(row)[0] == pytest.approx(row[-1], abs=PRINTED)


def test_rows_kept_here() -> None:
    assert _terrestrial(np.array([67.0, 5.4, 30.5]))[0] == pytest.approx(30.9, abs=PRINTED)
    assert _terrestrial(np.array([3.5, 1.0, 99.9]))[0] == pytest.approx(42.8, abs=PRINTED)
    assert _slant(np.array([30.0, 2.0, 99.0]))[0] == pytest.approx(87.3, abs=PRINTED)
    assert _height_gain(np.array([1.5, 2.0, 27.0, 20.0, 6.0]))[0] == pytest.approx(27.1, abs=PRINTED)
    assert _height_gain(np.array([1.5, 2.0, 27.0, 10.0, 1.0]))[0] == pytest.approx(16.0, abs=PRINTED)


@given(st.floats(0.5, 67.0), st.floats(0.25, 100.0), st.floats(0.001, 0.999))
def test_terrestrial_in_plain_floats(frequency: float, distance: float, share: float) -> None:
    def before_ceiling(reach: float) -> float:
        long = 1.0 / (10**-12.5 * frequency**-5 + 10**-16.5) ** 2  # 10 to the power of Ll
        weights = long**-0.2, 10 ** (-6.596) * reach**-4.78 * frequency**-0.6
        variance = (16.0 * weights[0] + 36.0 * weights[1]) / sum(weights)
        return -5.0 * math.log10(sum(weights)) + math.sqrt(variance) * NormalDist().inv_cdf(share)

    found = terrestrial_db(np.array(distance), np.array(frequency), np.array(share))
    assert found == pytest.approx(min(before_ceiling(distance), before_ceiling(2.0)), rel=1e-9, abs=1e-9)


@given(st.floats(10.0, 100.0), st.floats(0.0, 90.0), st.floats(0.001, 0.999))
def test_slant_in_plain_floats(frequency: float, elevation: float, share: float) -> None:
    level = 1.0 - elevation / 90.0
    angle = math.pi / 2.0 - (0.05 * level + math.radians(elevation))
    base = 93.0 * frequency**0.175 * -math.log(1.0 - share) * math.tan(angle)
    expected = max(base, 0.0) ** (level / 2.0) - 1.0 + 0.6 * NormalDist().inv_cdf(share)
    found = slant_db(np.array(frequency), np.array(elevation), np.array(share))
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-8)


def test_median_grows_with_distance_to_its_ceiling_at_2_km() -> None:
    distance, median = np.linspace(0.25, 4.0, 61), np.array(0.5)
    loss = terrestrial_db(distance, np.array(3.5), median)
    assert (np.diff(loss[distance <= 2.0]) > 0.0).all()
    np.testing.assert_allclose(loss[distance >= 2.0], terrestrial_db(np.array(2.0), np.array(3.5), median))


@pytest.mark.parametrize("clutter", list(Clutter))
def test_height_gain_falls_to_nothing_at_the_clutter(clutter: Clutter) -> None:
    top = np.array(clutter.height_m)
    height = np.linspace(1.0, clutter.height_m, 50)
    loss = height_gain_db(clutter, np.array(0.7), height, top, np.array(STREET_WIDTH_M))
    assert (np.diff(loss) < 0.0).all()
    assert loss[-1] == 0.0
    below = height_gain_db(clutter, np.array(0.7), top * (1.0 - 1e-9), top, np.array(STREET_WIDTH_M))
    assert below == pytest.approx(0.0, abs=0.005)


def test_heights_of_table_3() -> None:
    assert [clutter.height_m for clutter in Clutter] == [10.0, 10.0, 10.0, 15.0, 15.0, 20.0]


def test_faults_are_all_named() -> None:
    with pytest.raises(InputError) as caught:
        height_gain_db(Clutter.URBAN, np.array([3.1]), np.array([0.0]), np.array([-1.0]), np.array([0.0]))
    for name in ("frequency_ghz", "height_m", "clutter_height_m", "street_width_m"):
        assert name in str(caught.value)
    with pytest.raises(InputError) as caught:
        terrestrial_db(np.array([0.2]), np.array([0.4]), np.array([1.0]))
    for name in ("distance_km", "frequency_ghz", "probability"):
        assert name in str(caught.value)
    with pytest.raises(InputError) as caught:
        slant_db(np.array([9.0]), np.array([-1.0]), np.array([np.nan]))
    for name in ("frequency_ghz", "elevation_deg", "probability"):
        assert name in str(caught.value)
