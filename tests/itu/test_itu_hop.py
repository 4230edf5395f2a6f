"""ITU-R P.530-18 against published rain figures, 40-digit evaluations, and its limits."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinji.errors import InputError
from xinji.plan.radio.p530 import (
    Hop,
    annual_percent,
    conversion_db,
    deep_fade_percent,
    distance_factor,
    geoclimatic_detailed,
    geoclimatic_quick,
    occurrence_detailed_percent,
    occurrence_percent,
    occurrence_quick_percent,
    outage,
    rain_001_db,
    rain_db,
    rain_percent,
    scaling,
    surface_duct_term,
    worst_month_percent,
)

MIDDLE = {
    "distance_km": 30.0,
    "frequency_ghz": 7.5,
    "near_m": 420.0,
    "far_m": 310.0,
    "terrain_m": 250.0,
    "tilt_deg": 90.0,
    "latitude_deg": 31.0,
    "rain_rate_mm_h": 55.0,
}


def hop_of(**changes: float) -> Hop:
    return Hop(**{name: np.array(value, dtype=np.float64) for name, value in (MIDDLE | changes).items()})


@pytest.mark.parametrize(("rate", "expected"), [(1.0, 1.3009), (10.0, 8.1584)])
def test_published_rain_attenuation(rate: float, expected: float) -> None:
    # MathWorks' documentation of rainpl (P.530-17, section 2.4.1, unchanged in P.530-18): 10 km, 20 GHz, horizontal.
    hop = hop_of(distance_km=10.0, frequency_ghz=20.0, rain_rate_mm_h=rate, near_m=0.0, far_m=0.0, tilt_deg=0.0)
    assert rain_001_db(hop) == pytest.approx(expected, abs=5.1e-5)


@pytest.mark.parametrize(("near", "far", "dn75"), [(420.0, 310.0, 60.0), (90.0, 95.0, 120.0), (1900.0, 700.0, 12.0)])
def test_occurrence_in_40_digits(near: float, far: float, dn75: float) -> None:
    hop = hop_of(near_m=near, far_m=far, terrain_m=60.0)
    found = occurrence_percent(hop, np.array(2.5e-5), np.array(dn75))
    with localcontext() as context:
        context.prec = 40
        d, f, ten = Decimal(30), Decimal("7.5"), Decimal(10)
        one, other = Decimal(near), Decimal(far)
        height = (one + other) / 2 - d * d / 102 - 60
        limit = Decimal(dn75) * d ** Decimal("1.5") * f.sqrt() / 24730
        duct = min((Decimal(dn75) / 50) ** Decimal("1.8") * (-height / (Decimal("2.5") * d.sqrt())).exp(), limit)
        grown = (2 * (height - 147) / 125).exp()
        exponent = Decimal("-0.376") * (grown - 1) / (grown + 1)
        exponent -= Decimal("0.334") * (abs(one - other) / d) ** Decimal("0.39")
        exponent += Decimal("17.85") * duct - Decimal("0.00027") * min(one, other)
        expected = Decimal("2.5e-5") * d ** Decimal("3.51") * (f * f + 13) ** Decimal("0.447") * ten**exponent
    assert found == pytest.approx(float(expected), rel=1e-12)


def test_ducts_are_limited_where_the_path_is_low() -> None:
    low = hop_of(near_m=60.0, far_m=60.0, terrain_m=55.0)
    limit = 60.0 * 30.0**1.5 * math.sqrt(7.5) / 24_730.0
    assert surface_duct_term(low, np.array(60.0)) == pytest.approx(limit, rel=1e-12)
    assert surface_duct_term(hop_of(near_m=3000.0), np.array(60.0)) < 1e-6


def test_formulas_of_p530_17() -> None:
    # Worked by hand from the printed formulas: 40 km, 6 GHz, 100 m and 180 m, dN1 = -250, roughness 32.4 m.
    hop = hop_of(distance_km=40.0, frequency_ghz=6.0, near_m=100.0, far_m=180.0)
    gradient, roughness = np.array(-250.0), np.array(32.4)
    assert geoclimatic_quick(gradient) == pytest.approx(10**-3.925, rel=1e-12)
    assert geoclimatic_detailed(gradient, roughness) == pytest.approx(10**-3.725 * 42.4**-0.46, rel=1e-12)
    quick = 10 ** (-3.925 + 3.1 * math.log10(40) - 1.29 * math.log10(3) + 0.8 * math.log10(6) - 0.089)
    assert occurrence_quick_percent(hop, gradient) == pytest.approx(quick, rel=1e-12)
    detailed = -3.725 - 0.46 * math.log10(42.4) + 3.4 * math.log10(40) - 1.03 * math.log10(3)
    detailed = 10 ** (detailed + 0.8 * math.log10(6) - 0.076)
    assert occurrence_detailed_percent(hop, gradient, roughness) == pytest.approx(detailed, rel=1e-12)


def test_a_published_worked_occurrence() -> None:
    # A course's benchmark: 11 GHz, 30 km, antennas at 220 m and 250 m, dN1 = -300 give p0 = 10.3%. It has
    # the earlier 0.001 for each metre of the lower antenna in place of 0.00089.
    hop = hop_of(distance_km=30.0, frequency_ghz=11.0, near_m=220.0, far_m=250.0)
    found = occurrence_quick_percent(hop, np.array(-300.0)) * 10.0 ** (-(0.001 - 0.00089) * 220.0)
    assert found == pytest.approx(10.3, abs=0.05)


def test_short_hops_have_no_multipath() -> None:
    hop = replace(hop_of(frequency_ghz=38.0), distance_km=np.array([1.0, 5.0, 5.1]))
    gradient = np.array(-300.0)
    for factor in (
        occurrence_percent(hop, np.array(1e-4), np.array(60.0)),
        occurrence_quick_percent(hop, gradient),
        occurrence_detailed_percent(hop, gradient, np.array(20.0)),
    ):
        assert factor[:2].tolist() == [0.0, 0.0]
        assert factor[2] > 0.0
        assert annual_percent(hop, factor, np.array(10.0))[:2].tolist() == [0.0, 0.0]


def _fades_in_40_digits(occurrence: float, fade: float, reduction: float) -> float:
    with localcontext() as context:
        context.prec = 40
        ten, p0, a = Decimal(10), Decimal(occurrence), Decimal(fade)
        turn = 25 + Decimal("1.2") * p0.log10()
        if a >= turn:
            return float(p0 * ten ** (-(a + Decimal(reduction)) / 10))
        part = p0 * ten ** (-(turn + Decimal(reduction)) / 10)
        q = -20 * (-((100 - part) / 100).ln()).log10() / turn

        def bend(x: Decimal) -> Decimal:
            return (1 + Decimal("0.3") * ten ** (-x / 20)) * ten ** (Decimal("-0.016") * x)

        def sag(x: Decimal) -> Decimal:
            return Decimal("4.3") * (ten ** (-x / 20) + x / 800)

        q = 2 + bend(a) * ((q - 2) / bend(turn) - sag(turn) + sag(a))
        return float(100 * (1 - (-(ten ** (-q * a / 20))).exp()))


@given(st.floats(1e-3, 1900.0), st.floats(0.0, 60.0))
def test_fades_in_40_digits(occurrence: float, fade: float) -> None:
    found = worst_month_percent(np.array(occurrence), np.array(fade))
    assert found == pytest.approx(_fades_in_40_digits(occurrence, fade, 0.0), rel=1e-10)
    hop = hop_of()
    reduction = float(conversion_db(hop))
    yearly = annual_percent(hop, np.array(occurrence), np.array(fade))
    assert yearly == pytest.approx(_fades_in_40_digits(occurrence, fade, reduction), rel=1e-10)


@given(st.floats(1e-3, 1900.0))
def test_fades_are_continuous_and_fall(occurrence: float) -> None:
    turn = 25.0 + 1.2 * math.log10(occurrence)
    p0 = np.array(occurrence)
    below, above = (worst_month_percent(p0, np.array(turn + step)) for step in (-1e-9, 1e-9))
    assert below == pytest.approx(above, rel=1e-8)
    assert (np.diff(worst_month_percent(p0, np.linspace(0.0, 60.0, 241))) < 0.0).all()
    at_rest = worst_month_percent(p0, np.array(0.0))
    assert at_rest == pytest.approx(100.0 * (1.0 - math.exp(-1.0)), rel=1e-12)


@given(st.floats(5.1, 200.0), st.floats(-90.0, 90.0), st.floats(0.0, 3000.0))
def test_the_worst_month_is_at_most_the_whole_year(distance: float, latitude: float, rise: float) -> None:
    hop = hop_of(distance_km=distance, latitude_deg=latitude, near_m=0.0, far_m=rise)
    ratio = 10.0 ** (0.1 * float(conversion_db(hop)))
    assert ratio <= 12.03
    south = replace(hop, latitude_deg=-hop.latitude_deg)
    assert conversion_db(south) == conversion_db(hop)
    swing = 5.6 * math.log10(1.1 + math.copysign(abs(math.cos(math.radians(2 * latitude))) ** 0.7, 45 - abs(latitude)))
    free = 10.5 - swing - 2.7 * math.log10(distance) + 1.7 * math.log10(1.0 + rise / distance)
    assert conversion_db(hop) == pytest.approx(min(free, 10.8), rel=1e-9, abs=1e-9)


def test_rain_distance_factor_is_held_at_2_5() -> None:
    assert distance_factor(hop_of(distance_km=0.1), np.array(1.0)) == 2.5
    free = distance_factor(hop_of(distance_km=12.0), np.array(1.0))
    inverse = 0.477 * 12.0**0.633 * 55.0**0.073 * 7.5**0.123 - 10.579 * (1.0 - math.exp(-0.288))
    assert free == pytest.approx(1.0 / inverse, rel=1e-12)


def test_rain_scaling() -> None:
    # Below 10 GHz nothing changes; above, 0.4 log (f / 10)^0.8 moves the curve to that of wet climates.
    for low in (1.0, 9.9, 10.0):
        c1, c2, c3 = scaling(np.array(low))
        assert (c1, c2, c3) == pytest.approx((0.07**0.12 * 0.12**0.88, 0.58308, 0.05452), rel=1e-12)
    c0 = 0.12 + 0.32 * math.log10(3.8)
    assert scaling(np.array(38.0))[1] == pytest.approx(0.855 * c0 + 0.546 * (1.0 - c0), rel=1e-12)
    hop = hop_of(frequency_ghz=23.0)
    assert rain_db(hop, np.array(0.01)) == pytest.approx(float(rain_001_db(hop)), rel=0.01)


@given(st.floats(1.0, 100.0), st.floats(0.2, 60.0), st.floats(1.0, 180.0), st.floats(-3.0, 0.0))
def test_rain_percentage_is_the_inverse(frequency: float, distance: float, rate: float, decades: float) -> None:
    hop = hop_of(frequency_ghz=frequency, distance_km=distance, rain_rate_mm_h=rate)
    percent = np.array(10.0**decades).clip(0.001, 1.0)
    found, _ = rain_percent(hop, rain_db(hop, percent))
    # A fade at the very end of the range may round to just outside it.
    if 0.00101 < percent < 0.99:
        assert found == pytest.approx(float(percent), rel=1e-9)


def test_outage_adds_up_and_marks_its_bounds() -> None:
    hop = hop_of(frequency_ghz=18.0, distance_km=12.0)
    p0 = occurrence_percent(hop, np.array(1e-5), np.array(40.0))
    deep, shallow = float(rain_db(hop, np.array(0.001))), float(rain_db(hop, np.array(1.0)))
    margin = np.array([0.5 * shallow, (shallow + deep) / 2.0, deep + 5.0])
    found = outage(hop, p0, margin)
    assert found.rain_within.tolist() == [False, True, False]
    assert found.rain_percent[0] == 100.0
    assert 0.001 < found.rain_percent[1] < 1.0
    assert found.rain_percent[2] == pytest.approx(0.001, rel=1e-9)
    np.testing.assert_allclose(found.multipath_percent, annual_percent(hop, p0, margin))
    added = np.minimum(found.multipath_percent + found.rain_percent, 100.0)
    np.testing.assert_allclose(found.total_percent, added)
    np.testing.assert_allclose(found.availability, 1.0 - added / 100.0)
    assert found.availability[0] == 0.0


def test_outage_is_the_same_both_ways_and_dry_places_have_none_by_rain() -> None:
    hop = hop_of()
    back = replace(hop, near_m=hop.far_m, far_m=hop.near_m)
    one, other = (outage(h, occurrence_percent(h, np.array(1e-5), np.array(40.0)), np.array(15.0)) for h in (hop, back))
    assert one.total_percent == pytest.approx(float(other.total_percent), rel=1e-12)
    dry = outage(hop_of(rain_rate_mm_h=0.0), np.array(0.0), np.array(15.0))
    assert float(dry.total_percent) == 0.0
    assert dry.rain_within.all()


def test_deep_fades_lose_a_decade_in_10_db() -> None:
    assert deep_fade_percent(np.array(50.0), np.array(30.0)) == pytest.approx(0.05, rel=1e-12)


def test_faults_are_all_named() -> None:
    with pytest.raises(InputError) as caught:
        hop_of(distance_km=0.0, frequency_ghz=120.0, tilt_deg=999.0, latitude_deg=91.0, rain_rate_mm_h=-1.0)
    for name in ("distance_km", "frequency_ghz", "tilt_deg", "latitude_deg", "rain_rate_mm_h"):
        assert name in str(caught.value)
    with pytest.raises(InputError, match="terrain_m"):
        hop_of(terrain_m=math.nan)
    with pytest.raises(InputError, match="15/d to 45 beyond 5 km"):
        occurrence_percent(hop_of(frequency_ghz=80.0), np.array(1e-4), np.array(60.0))
    with pytest.raises(InputError, match="geoclimatic_factor"):
        occurrence_percent(hop_of(), np.array(0.0), np.array(60.0))
    with pytest.raises(InputError, match="60 for rain"):
        rain_001_db(hop_of(distance_km=61.0))
    with pytest.raises(InputError, match=r"0\.001 to 1"):
        rain_db(hop_of(), np.array([2.0]))
    with pytest.raises(InputError, match="0 to 2000"):
        worst_month_percent(np.array([2000.0]), np.array([10.0]))
    with pytest.raises(InputError, match="roughness_m"):
        geoclimatic_detailed(np.array(-300.0), np.array(-1.0))
    with pytest.raises(InputError, match="fade_db"):
        outage(hop_of(), np.array(1.0), np.array([0.0]))
