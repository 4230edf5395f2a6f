"""Free space and diffraction (ITU-R P.525, P.526) against published logs, exact integrals and symmetry."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from xinji.core.arrays import Floats
from xinji.errors import InputError
from xinji.plan.radio.p525 import free_space_loss_db, wavelength_m
from xinji.plan.radio.p526 import (
    LAND,
    bullington_db,
    knife_edge_db,
    knife_edge_exact_db,
    knife_edge_parameter,
    smooth_earth_db,
)

LOG_RADIUS_KM = 3.0 * 6371.0
"""The logs keep the figures of the last pass, whose effective Earth radius is that of small percentages."""


def test_free_space_is_the_rounded_formula() -> None:
    distance, frequency = np.array([[0.01], [1.0], [80.0]]), np.array([0.7, 3.5, 140.0])
    rounded = 92.45 + 20.0 * np.log10(distance) + 20.0 * np.log10(frequency)
    np.testing.assert_allclose(free_space_loss_db(distance, frequency), rounded, atol=0.003)
    assert wavelength_m(np.array(0.299792458)) == pytest.approx(1.0, rel=1e-15)
    with pytest.raises(InputError, match=r"(?s)distance_km.*frequency_ghz"):
        free_space_loss_db(np.array([0.0]), np.array([-1.0]))


def test_edge_integrals_by_quadrature() -> None:
    for parameter in (-1.5, -0.5, 0.0, 0.7, 2.0):
        cosine = quad(lambda s: np.cos(np.pi * s**2 / 2.0), 0.0, parameter)[0]
        sine = quad(lambda s: np.sin(np.pi * s**2 / 2.0), 0.0, parameter)[0]
        field = (1.0 + 1.0j) / 2.0 * ((0.5 - cosine) - 1.0j * (0.5 - sine))
        exact = knife_edge_exact_db(np.array(parameter))
        assert exact == pytest.approx(-20.0 * np.log10(abs(field)), abs=1e-9)


def test_edge_formula_follows_the_integrals() -> None:
    parameter = np.linspace(-0.78, 20.0, 4_000)
    np.testing.assert_allclose(knife_edge_db(parameter), knife_edge_exact_db(parameter), atol=0.13)
    assert knife_edge_db(np.array([-0.78, -3.0])).tolist() == [0.0, 0.0]
    assert np.isnan(knife_edge_db(np.array([np.nan]))).all()


def test_edge_parameter_is_the_extra_path_in_half_waves() -> None:
    # nu^2 / 2 is the detour over the edge in half wavelengths, for small angles.
    height, near, far, frequency = 30.0, 4_000.0, 9_000.0, 0.9
    detour = np.hypot(near, height) + np.hypot(far, height) - near - far
    found = knife_edge_parameter(np.array(height), np.array(near / 1e3), np.array(far / 1e3), np.array(frequency))
    expected = np.sqrt(4.0 * detour / (0.299792458 / frequency))
    assert found == pytest.approx(expected, rel=1e-4)
    with pytest.raises(InputError, match="near_km"):
        knife_edge_parameter(np.array(1.0), np.array(0.0), np.array(1.0), np.array(1.0))


def _case(shared: Path, name: str) -> tuple[Floats, Floats, dict[str, float]]:
    lines = (shared / "validation" / "p1812" / "profiles" / f"{name}.csv").read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("Number of Points"))
    points = lines[start + 1 : start + 1 + int(lines[start].split(",")[1])]
    columns = np.array([line.split(",") for line in points], dtype=np.float64)
    surface = columns[:, 1] + columns[:, 3]
    surface[[0, -1]] = columns[[0, -1], 1]
    log: dict[str, float] = {}
    for line in (shared / "validation" / "p1812" / "results" / f"{name}_0_log.csv").read_text().splitlines():
        cells = line.split(",")
        if len(cells) > 3 and cells[3] and not cells[0].startswith("#"):
            log[cells[0].strip()] = float(cells[3])
    return columns[:, 0], surface, log


@pytest.mark.parametrize("name", ["rburg", "rburg_rural_noclutter", "b2iseac", "b2iseac_dense_urban_land"])
def test_bullington_of_logged_profiles(name: str, shared: Path) -> None:
    distance, surface, log = _case(shared, name)
    found = bullington_db(
        distance,
        surface,
        ends_m=(log["hts (m)"], log["hrs (m)"]),
        frequency_ghz=log["f (GHz)"],
        earth_radius_km=LOG_RADIUS_KM,
    )
    # The logs take 0.2998 for the speed of light, which is worth a part in 1e5 of nu.
    assert found == pytest.approx(log["Lbulla (dB)"], abs=5e-4)


def test_smooth_earth_of_a_logged_path(shared: Path) -> None:
    _, _, log = _case(shared, "rburg")
    heights = np.array(log["htc (m)"]), np.array(log["hrc (m)"])
    found = smooth_earth_db(
        np.array(log["d (km)"]),
        np.array(log["f (GHz)"]),
        heights,
        ground=LAND,
        earth_radius_km=LOG_RADIUS_KM,
        polarization="horizontal",
    )
    assert found == pytest.approx(log["Ldsph (dB)"], abs=1e-7)


@given(st.floats(0.05, 10.0), st.floats(60.0, 300.0), st.floats(2.0, 200.0), st.floats(2.0, 200.0))
def test_smooth_earth_is_reciprocal(frequency: float, distance: float, one: float, other: float) -> None:
    heights = np.array(one), np.array(other)
    polarizations: tuple[Literal["horizontal", "vertical"], ...] = ("horizontal", "vertical")
    for polarization in polarizations:
        loss = [
            smooth_earth_db(
                np.array(distance),
                np.array(frequency),
                pair,
                ground=LAND,
                earth_radius_km=8500.0,
                polarization=polarization,
            )
            for pair in (heights, heights[::-1])
        ]
        assert loss[0] == pytest.approx(loss[1], rel=1e-12)


@given(st.lists(st.floats(0.0, 400.0), min_size=3, max_size=12), st.floats(0.1, 6.0), st.floats(1.0, 50.0))
def test_bullington_is_reciprocal(heights: list[float], frequency: float, mast: float) -> None:
    ground = np.array(heights)
    distance = np.linspace(0.0, 20.0, len(ground))
    ends = ground[0] + mast, ground[-1] + 10.0
    there = bullington_db(distance, ground, ends_m=ends, frequency_ghz=frequency, earth_radius_km=8500.0)
    back = bullington_db(distance, ground[::-1], ends_m=ends[::-1], frequency_ghz=frequency, earth_radius_km=8500.0)
    assert there == pytest.approx(back, rel=1e-7, abs=1e-7)


def test_bullington_of_one_edge_is_that_edge() -> None:
    distance, ground = np.array([0.0, 6.0, 20.0]), np.array([0.0, 90.0, 0.0])
    found = bullington_db(distance, ground, ends_m=(20.0, 30.0), frequency_ghz=1.0, earth_radius_km=1e12)
    above = np.array(90.0 - (20.0 + 10.0 * 6.0 / 20.0))
    edge = knife_edge_db(knife_edge_parameter(above, np.array(6.0), np.array(14.0), np.array(1.0)))
    assert found == pytest.approx(edge + (1.0 - np.exp(-edge / 6.0)) * 10.4, rel=1e-9)


def test_bad_profiles_and_values_are_refused() -> None:
    ground = np.array([0.0, 1.0, 2.0])
    with pytest.raises(InputError, match="three or more points"):
        bullington_db(ground[:2], ground[:2], ends_m=(1.0, 1.0), frequency_ghz=1.0, earth_radius_km=8500.0)
    with pytest.raises(InputError, match=r"(?s)distance_km.*height_m.*frequency_ghz"):
        bullington_db(ground[::-1], ground * np.nan, ends_m=(1.0, 1.0), frequency_ghz=0.0, earth_radius_km=8500.0)
    heights = np.array(0.0), np.array(1.0)
    with pytest.raises(InputError, match=r"heights_m\[0\]"):
        smooth_earth_db(
            np.array(50.0), np.array(1.0), heights, ground=LAND, earth_radius_km=8500.0, polarization="vertical"
        )
    slanted = cast("Literal['vertical']", "slanted")
    with pytest.raises(InputError, match="slanted"):
        smooth_earth_db(
            np.array(50.0), np.array(1.0), heights, ground=LAND, earth_radius_km=8500.0, polarization=slanted
        )
