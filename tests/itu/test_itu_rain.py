"""ITU-R P.838-3 against the ITU-R's validation rows, a 40-digit evaluation, and its symmetries."""

from __future__ import annotations

from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinji.errors import InputError
from xinji.plan.radio.p838 import (
    ALPHA_HORIZONTAL,
    ALPHA_VERTICAL,
    CIRCULAR_DEG,
    HORIZONTAL_DEG,
    K_HORIZONTAL,
    K_VERTICAL,
    VERTICAL_DEG,
    Curve,
    coefficients,
    curve_value,
    rain_db_km,
)

# Rows of the ITU-R's validation examples (elevation, GHz, mm/h, tilt, k, alpha, dB/km).
PUBLISHED = [
    (22.27833468, 29.0, 50.639304, 0.0, 0.22168203, 0.95543001, 9.42430244),
    (85.80459566, 14.25, 99.13558978, 90.0, 0.04133039, 1.09499629, 6.34064598),
    (48.24117054, 29.0, 63.62668149, 90.0, 0.21517927, 0.93116621, 10.28699163),
    (20.14335809, 14.25, 42.91007183, 90.0, 0.04319835, 1.0631531, 2.35032323),
]
# ITU-R P.838-3, Table 5, printed with four significant digits (GHz, kH, alphaH, kV, alphaV).
TABLE_5 = [
    (1.0, 0.0000259, 0.9691, 0.0000308, 0.8592),
    (10.0, 0.01217, 1.2571, 0.01129, 1.2156),
    (30.0, 0.2403, 0.9485, 0.2291, 0.9129),
    (100.0, 1.3671, 0.6815, 1.3680, 0.6765),
]
HALF_A_DIGIT = 5.01e-9
"""The rows are printed with eight decimals."""


def _check(rows: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> None:
    k, alpha = coefficients(rows[:, 1], rows[:, 0], rows[:, 3])
    np.testing.assert_allclose(k, rows[:, 4], rtol=0.0, atol=HALF_A_DIGIT)
    np.testing.assert_allclose(alpha, rows[:, 5], rtol=0.0, atol=HALF_A_DIGIT)
    found = rain_db_km(rows[:, 2], rows[:, 1], rows[:, 0], rows[:, 3])
    np.testing.assert_allclose(found, rows[:, 6], rtol=0.0, atol=HALF_A_DIGIT)


def test_rows_kept_here() -> None:
    _check(np.array(PUBLISHED))


def test_all_published_rows(shared: Path) -> None:
    path = shared / "validation" / "p838" / "rain.csv"
    rows = np.loadtxt(path, delimiter=",", skiprows=2, encoding="latin-1")
    assert len(rows) > 20
    _check(rows)


def test_table_of_the_recommendation() -> None:
    for frequency, *expected in TABLE_5:
        flat = coefficients(np.array(frequency), np.array(0.0), np.array(HORIZONTAL_DEG))
        upright = coefficients(np.array(frequency), np.array(0.0), np.array(VERTICAL_DEG))
        assert [float(v) for v in (*flat, *upright)] == pytest.approx(expected, rel=5e-4)


@pytest.mark.parametrize("curve", [K_HORIZONTAL, K_VERTICAL, ALPHA_HORIZONTAL, ALPHA_VERTICAL])
@pytest.mark.parametrize("frequency", ["1", "6.2", "7.125", "28.5", "86", "140", "313.7", "1000"])
def test_curves_in_40_digits(curve: Curve, frequency: str) -> None:
    with localcontext() as context:
        context.prec = 40
        decades = Decimal(frequency).log10()
        total = Decimal(repr(curve.slope)) * decades + Decimal(repr(curve.offset))
        for height, centre, width in curve.bells:
            reach = (decades - Decimal(repr(centre))) / Decimal(repr(width))
            total += Decimal(repr(height)) * (-reach * reach).exp()
    # The two sharp bells of alphaV nearly cancel (48.3 - 48.6), which costs two digits of double precision.
    assert float(curve_value(curve, np.array(float(frequency)))) == pytest.approx(float(total), abs=3e-14)


@given(st.floats(1.0, 1000.0), st.floats(-90.0, 90.0), st.floats(-180.0, 180.0), st.floats(0.01, 250.0))
def test_symmetries(frequency: float, elevation: float, tilt: float, rate: float) -> None:
    f, r = np.array(frequency), np.array(rate)
    one = rain_db_km(r, f, np.array(elevation), np.array(tilt))
    assert rain_db_km(r, f, np.array(-elevation), np.array(-tilt)) == pytest.approx(one, rel=1e-12)
    turned = tilt - 180.0 if tilt > 0.0 else tilt + 180.0
    assert rain_db_km(r, f, np.array(elevation), np.array(turned)) == pytest.approx(one, rel=1e-12)
    overhead = rain_db_km(r, f, np.array(90.0), np.array(tilt))
    assert overhead == pytest.approx(rain_db_km(r, f, np.array(0.0), np.array(CIRCULAR_DEG)), rel=1e-12)


def test_no_rain_no_loss_and_faults_are_all_named() -> None:
    assert rain_db_km(np.array(0.0), np.array(30.0), np.array(0.0), np.array(0.0)) == 0.0
    with pytest.raises(InputError) as caught:
        coefficients(np.array([0.5]), np.array([91.0]), np.array([200.0]))
    for name in ("frequency_ghz", "elevation_deg", "tilt_deg"):
        assert name in str(caught.value)
    with pytest.raises(InputError, match="rain_rate_mm_h"):
        rain_db_km(np.array([-1.0]), np.array([30.0]), np.array([0.0]), np.array([0.0]))
