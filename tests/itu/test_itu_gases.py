"""ITU-R P.676-13 against 3,100 published rows, a complex-number form of the lines, and its limits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinji.core.arrays import Floats
from xinji.errors import InputError
from xinji.plan.radio import p676
from xinji.plan.radio.excess import terrestrial_excess_db
from xinji.plan.radio.p676 import (
    Atmosphere,
    dry_pressure_hpa,
    gas_db_km,
    mean_global_atmosphere,
    oxygen_db_km,
    path_gas_db,
    vapour_db_km,
    vapour_pressure_hpa,
)
from xinji.plan.radio.p676_lines import OXYGEN, VAPOUR, Line
from xinji.plan.radio.p838 import rain_db_km

# Rows of crc-covlib's tests (GHz, hPa dry, g/m3, K, dB/km oxygen, dB/km vapour) and of the ITU-R's
# validation examples for P.676-13 (1013.25 hPa dry, 288.15 K, 7.5 g/m3).
PUBLISHED = [
    (556.0, 1016.6666666666665, 11.166666666666666, 295.3722222222222, 0.07083934159248939, 22090.52458927439),
    (112.0, 1016.6666666666665, 15.0, 286.48333333333335, 0.10553244193164828, 1.3032173554712065),
    (1.0, 1049.9999999999998, 3.5, 286.48333333333335, 0.005742345655389052, 2.288320515083473e-05),
    (889.0, 1005.5555555555554, 12.444444444444443, 242.0388888888889, 0.2956354435807673, 303.93401496739256),
    (12.0, 1013.25, 7.5, 288.15, 0.00869826406877357, 0.00953538822024593),
    (20.0, 1013.25, 7.5, 288.15, 0.0118835504778076, 0.0970473048151117),
    (69.0, 1013.25, 7.5, 288.15, 0.406985624197677, 0.204833228256435),
]
EXACT = 1e-12
"""The rows are printed with 14 to 16 digits; the sums of 44 and 35 lines round at a few 1e-15."""


def _rows(path: Path, header: int, columns: tuple[int, ...]) -> tuple[Floats, Atmosphere, Floats]:
    rows = np.loadtxt(path, delimiter=",", skiprows=header)
    assert len(rows) > 50
    frequency, pressure, temperature, vapour = (rows[:, column].copy() for column in columns)
    return frequency, Atmosphere(pressure, temperature, vapour), rows


def test_rows_kept_here() -> None:
    rows = np.array(PUBLISHED)
    air = Atmosphere(rows[:, 1].copy(), rows[:, 3].copy(), rows[:, 2].copy())
    np.testing.assert_allclose(oxygen_db_km(rows[:, 0], air), rows[:, 4], rtol=EXACT)
    np.testing.assert_allclose(vapour_db_km(rows[:, 0], air), rows[:, 5], rtol=EXACT)


def test_rows_of_covlib(shared: Path) -> None:
    path = shared / "validation" / "p676" / "specific_attenuation.csv"
    frequency, air, rows = _rows(path, 1, (0, 1, 3, 2))
    np.testing.assert_allclose(oxygen_db_km(frequency, air), rows[:, 4], rtol=EXACT)
    np.testing.assert_allclose(vapour_db_km(frequency, air), rows[:, 5], rtol=EXACT)


def test_rows_of_the_itu(shared: Path) -> None:
    # The header's "g/cm3" is a slip: 7.5 is the usual density in g/m3, and only that reproduces the rows.
    path = shared / "validation" / "p676" / "itu_13_gamma.csv"
    frequency, air, rows = _rows(path, 2, (0, 1, 2, 3))
    np.testing.assert_allclose(oxygen_db_km(frequency, air), rows[:, 4], rtol=EXACT)
    np.testing.assert_allclose(vapour_db_km(frequency, air), rows[:, 5], rtol=EXACT)
    np.testing.assert_allclose(gas_db_km(frequency, air), rows[:, 6], rtol=EXACT)


def test_rows_give_the_dry_pressure(shared: Path) -> None:
    path = shared / "validation" / "p676" / "specific_attenuation.csv"
    frequency, air, rows = _rows(path, 1, (0, 1, 3, 2))
    less = dry_pressure_hpa(air.dry_pressure_hpa, air.temperature_k, air.vapour_g_m3)
    as_total = oxygen_db_km(frequency, Atmosphere(less, air.temperature_k, air.vapour_g_m3))
    assert np.abs(as_total / rows[:, 4] - 1.0).max() > 0.01


@pytest.mark.parametrize(("name", "model"), [("OXYGEN", oxygen_db_km), ("VAPOUR", vapour_db_km)])
def test_rows_would_show_a_slip_in_any_coefficient(
    name: str, model: Callable[[Floats, Atmosphere], Floats], monkeypatch: pytest.MonkeyPatch
) -> None:
    # At the rows' own frequencies and ranges of weather, a part in a thousand in any one coefficient
    # (a millionth in a centre) moves some row by more than the tolerance the rows are met with.
    frequency = np.repeat(np.linspace(1.0, 1000.0, 10), 4)
    air = Atmosphere(np.full(40, 1000.0), np.tile([235.0, 260.0, 285.0, 313.0], 10), np.full(40, 9.0))
    lines: tuple[Line, ...] = getattr(p676, name)
    before = model(frequency, air)
    for row, line in enumerate(lines):
        for column, value in enumerate(line):
            nudged = list(line)
            nudged[column] = value * (1.0 + (1e-6 if column == 0 else 1e-3)) if value else 1e-3
            table = [*lines[:row], tuple(nudged), *lines[row + 1 :]]
            monkeypatch.setattr(p676, name, tuple(table))
            moved = np.abs(model(frequency, air) / before - 1.0).max()
            assert moved > 3.0 * EXACT, (row, column)


def _complex_db_km(frequency: float, pressure: float, temperature: float, vapour: float) -> tuple[float, float]:
    """Return both attenuations from complex refractivities (Liebe's form of the Van Vleck-Weisskopf lines)."""
    theta, damp = 300.0 / temperature, vapour * temperature / 216.7
    dry = wet = 0j
    for f0, a1, a2, a3, a4, a5, a6 in OXYGEN:
        width = complex(np.hypot(a3 * 1e-4 * (pressure * theta ** (0.8 - a4) + 1.1 * damp * theta), 1.5e-3))
        mixing = (a5 + a6 * theta) * 1e-4 * (pressure + damp) * theta**0.8
        strength = a1 * 1e-7 * pressure * theta**3 * np.exp(a2 * (1 - theta))
        below = (1 - 1j * mixing) / (f0 - frequency - 1j * width)
        dry += strength * frequency / f0 * (below - (1 + 1j * mixing) / (f0 + frequency + 1j * width))
    relaxation = 5.6e-4 * (pressure + damp) * theta**0.8
    dry += 6.14e-5 * pressure * theta**2 * frequency / (frequency - 1j * relaxation)
    dry += 1.4e-12j * frequency * pressure**2 * theta**3.5 / (1 + 1.9e-5 * frequency**1.5)
    for f0, b1, b2, b3, b4, b5, b6 in VAPOUR:
        collision = b3 * 1e-4 * (pressure * theta**b4 + b5 * damp * theta**b6)
        width = 0.535 * collision + np.hypot(np.sqrt(0.217) * collision, f0 * np.sqrt(2.1316e-12 / theta))
        pole = 1 / (f0 - frequency - 1j * width) - 1 / (f0 + frequency + 1j * width)
        wet += b1 * 0.1 * damp * theta**3.5 * np.exp(b2 * (1 - theta)) * frequency / f0 * pole
    return 0.182 * frequency * dry.imag, 0.182 * frequency * wet.imag


@given(st.floats(1.0, 1000.0), st.floats(0.5, 1100.0), st.floats(180.0, 330.0), st.floats(0.0, 40.0))
def test_lines_equal_the_complex_form(frequency: float, pressure: float, temperature: float, vapour: float) -> None:
    air = Atmosphere(np.array([pressure]), np.array([temperature]), np.array([vapour]))
    oxygen, water = _complex_db_km(frequency, pressure, temperature, vapour)
    assert oxygen_db_km(np.array([frequency]), air)[0] == pytest.approx(oxygen, rel=1e-9, abs=1e-15)
    assert vapour_db_km(np.array([frequency]), air)[0] == pytest.approx(water, rel=1e-9, abs=1e-15)


def test_dry_air_has_no_vapour_and_the_peak_is_at_60_ghz() -> None:
    air = Atmosphere(np.array(1013.25), np.array(288.15), np.array(0.0))
    frequency = np.linspace(1.0, 350.0, 3_491)
    assert not vapour_db_km(frequency, air).any()
    assert frequency[oxygen_db_km(frequency, air).argmax()] == pytest.approx(60.0, abs=1.0)


def test_the_mean_atmosphere_adds_up_to_sea_level_pressure() -> None:
    air = mean_global_atmosphere()
    total = air.dry_pressure_hpa + vapour_pressure_hpa(air.temperature_k, air.vapour_g_m3)
    assert total == pytest.approx(1013.25, rel=1e-15)


def test_path_attenuation_is_by_length() -> None:
    air, frequency = mean_global_atmosphere(), np.array([10.0, 60.0, 140.0, 300.0])
    length = np.array([[0.0], [0.5], [3.0]])
    np.testing.assert_allclose(path_gas_db(length, frequency, air), length * gas_db_km(frequency, air), rtol=1e-15)


def test_excess_is_gas_and_rain() -> None:
    air, frequency = mean_global_atmosphere(), np.array([8.0, 15.0, 140.0, 300.0])
    flat, length = np.array(0.0), np.array(0.8)
    dry = terrestrial_excess_db(length, frequency, air, np.array(0.0), elevation_deg=flat, tilt_deg=flat)
    np.testing.assert_allclose(dry, path_gas_db(length, frequency, air), rtol=1e-15)
    wet = terrestrial_excess_db(length, frequency, air, np.array(40.0), elevation_deg=flat, tilt_deg=flat)
    rain = rain_db_km(np.array(40.0), frequency, flat, flat)
    np.testing.assert_allclose(wet - dry, length * rain, rtol=1e-12)


def test_every_value_out_of_range_is_named() -> None:
    with pytest.raises(InputError) as caught:
        Atmosphere(np.array([0.0]), np.array([np.nan]), np.array([-1.0]))
    for name in ("dry_pressure_hpa", "temperature_k", "vapour_g_m3"):
        assert name in str(caught.value)
    air = mean_global_atmosphere()
    with pytest.raises(InputError, match="1 to 1000"):
        gas_db_km(np.array([0.9, 5.0]), air)
    with pytest.raises(InputError, match="2 values outside 1 to 1000"):
        vapour_db_km(np.array([np.nan, 1001.0]), air)
    with pytest.raises(InputError, match="distance_km"):
        path_gas_db(np.array([-1.0]), np.array([5.0]), air)
