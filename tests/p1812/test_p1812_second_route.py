"""Pieces of ITU-R P.1812-8 against physics, brute force and 50-digit arithmetic."""

from __future__ import annotations

import cmath
import math
from dataclasses import replace
from decimal import Decimal, localcontext

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import airy, fresnel, ndtri

from p1812.random_paths import random_link, random_profile
from xinji.plan.radio.p1812 import effective_earth_radius_km, location_variability_db
from xinji.plan.radio.p1812.climate import centre_latitude_deg, ducting_time_percent, longest_section_km, sections_km
from xinji.plan.radio.p1812.diffraction import (
    bullington_loss_db,
    corrected_loss_db,
    knife_edge_loss_db,
    smooth_bullington_loss_db,
)
from xinji.plan.radio.p1812.ducting import roughness_factor, time_loss_db
from xinji.plan.radio.p1812.path import fitted_ends_m, horizons_of, smooth_earth_of
from xinji.plan.radio.p1812.spherical import (
    LAND,
    SEA_WATER,
    Wave,
    clearance_at_reflection,
    distance_term_db,
    first_term_loss_db,
    ground_loss_db,
    height_gain_db,
    line_of_sight_km,
    spherical_loss_db,
)
from xinji.plan.radio.p1812.variability import inverse_normal

SEEDS = range(40)


@pytest.mark.parametrize("nu", [-0.7, -0.3, 0.0, 0.5, 1.0, 2.5, 6.0, 20.0])
def test_knife_edge_is_the_fresnel_integral(nu: float) -> None:
    sine, cosine = fresnel(nu)
    exact = -20.0 * math.log10(math.hypot(1.0 - cosine - sine, cosine - sine) / 2.0)
    assert knife_edge_loss_db(nu) == pytest.approx(exact, abs=0.25)


@pytest.mark.parametrize("height", [0.02, 0.2, 1.0, 1.9, 2.5, 5.0, 20.0, 60.0])
def test_height_gain_is_the_airy_function(height: float) -> None:
    """For perfectly reflecting ground the gain is that of the first residue of the diffracted field."""
    zero = -2.338107410459767
    value, slope = airy(zero + height * cmath.exp(1j * math.pi / 3.0))[0], airy(zero)[1]
    assert height_gain_db(height, 1e-6) == pytest.approx(20.0 * math.log10(abs(value / slope)), abs=1.0)


@pytest.mark.parametrize("distance", [1.7, 3.0, 10.0, 40.0])
def test_distance_term_is_the_decay_of_the_first_residue(distance: float) -> None:
    decay = 2.338107410459767 * math.sin(math.pi / 3.0)
    exact = 20.0 * math.log10(2.0 * math.sqrt(math.pi * distance)) - 20.0 * math.log10(math.e) * decay * distance
    assert distance_term_db(distance) == pytest.approx(exact, rel=1e-3, abs=0.05)


@pytest.mark.parametrize("seed", SEEDS)
def test_first_term_in_fifty_digits(seed: int) -> None:
    link = random_link(seed)
    ground, wave = (LAND, SEA_WATER)[seed % 2], Wave(link.frequency_ghz, link.polarization, 0.0)
    heights, length = (link.tx_height_m, link.rx_height_m), 20.0 + seed
    found = ground_loss_db(ground, wave, length, heights, 8500.0)
    with localcontext() as context:
        context.prec = 50
        f, third = Decimal(link.frequency_ghz), Decimal(1) / 3
        permittivity, loss = Decimal(ground.permittivity), 18 * Decimal(ground.conductivity) / f
        k = Decimal("0.036") / (8500 * f) ** third / ((permittivity - 1) ** 2 + loss**2).sqrt().sqrt()
        k *= (permittivity**2 + loss**2).sqrt() if link.polarization == "vertical" else 1
        beta = (1 + Decimal("1.6") * k**2 + Decimal("0.67") * k**4) / (
            1 + Decimal("4.5") * k**2 + Decimal("1.53") * k**4
        )
        x = Decimal("21.88") * beta * (f / 8500**2) ** third * Decimal(length)
        if x >= Decimal("1.6"):
            exact = -11 - 10 * x.log10() + Decimal("17.6") * x
        else:
            exact = 20 * x.log10() + Decimal("5.6488") * x ** Decimal("1.425")
        for height in heights:
            b = Decimal("0.9575") * beta**2 * (f**2 / 8500) ** third * Decimal(height)
            if b > 2:
                above = b - Decimal("1.1")
                gain = Decimal("17.6") * above.sqrt() - 5 * above.log10() - 8
            else:
                gain = 20 * (b + b**3 / 10).log10()
            exact -= max(gain, 2 + 20 * k.log10())
    assert found == pytest.approx(float(exact), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("nu", [-0.77, 0.0, 1.3, 12.0])
def test_corrected_knife_edge_in_fifty_digits(nu: float) -> None:
    with localcontext() as context:
        context.prec = 50
        shifted = Decimal(nu) - Decimal("0.1")
        edge = Decimal("6.9") + 20 * ((shifted**2 + 1).sqrt() + shifted).log10()
        exact = edge + (1 - (-edge / 6).exp()) * (10 + Decimal("0.02") * 40)
    assert corrected_loss_db(knife_edge_loss_db(nu), 40.0) == pytest.approx(float(exact), rel=1e-12)


@pytest.mark.parametrize(("percent", "incidence", "length"), [(1.0, 3.0, 80.0), (50.0, 1e-6, 300.0), (10.0, 40.0, 2.0)])
def test_ducting_in_fifty_digits(percent: float, incidence: float, length: float) -> None:
    with localcontext() as context:
        context.prec = 50
        p, beta, d = Decimal(percent), Decimal(incidence), Decimal(length)
        level = beta.log10()
        decay = (Decimal("9.51") - Decimal("4.8") * level + Decimal("0.198") * level**2) * d ** Decimal("1.13")
        power = Decimal("1.076") / (Decimal("2.0058") - level) ** Decimal("1.012") * (-decay / 1000000).exp()
        slope = (Decimal("1.2") + Decimal("0.0037") * d) * (p / beta).log10()
        exact = -12 + slope + 12 * (p / beta) ** power
    assert time_loss_db(percent, incidence, length) == pytest.approx(float(exact), rel=1e-12)


def test_roughness_factor_at_figures() -> None:
    assert roughness_factor(10.0, 5.0) == 1.0
    assert roughness_factor(30.0, 60.0) == pytest.approx(math.exp(-4.6e-5 * 20.0 * 283.0))


def test_inverse_normal_keeps_its_stated_error() -> None:
    for percent in np.linspace(0.1, 99.9, 999):
        assert inverse_normal(percent / 100.0) == pytest.approx(-float(ndtri(percent / 100.0)), abs=4.6e-4)


@pytest.mark.parametrize("seed", SEEDS)
def test_clearance_is_taken_where_the_ray_would_be_reflected(seed: int) -> None:
    """At the point of specular reflection both grazing angles are equal; it is found by bisection."""
    rng = np.random.default_rng(seed)
    heights = (float(rng.uniform(1.0, 400.0)), float(rng.uniform(1.0, 400.0)))
    length = float(rng.uniform(0.05, 0.999)) * line_of_sight_km(heights, 8500.0)

    def angle_gap(near: float) -> float:
        far = length - near
        return heights[0] / near - 500.0 * near / 8500.0 - heights[1] / far + 500.0 * far / 8500.0

    near = float(brentq(angle_gap, 1e-9 * length, (1.0 - 1e-9) * length, xtol=1e-12, rtol=1e-14))
    ray = heights[0] + (heights[1] - heights[0]) * near / length
    found = clearance_at_reflection(length, heights, 8500.0)
    assert found.tx_km == pytest.approx(near, rel=1e-7)
    assert found.height_m == pytest.approx(ray - 1e3 * near * (length - near) / (2.0 * 8500.0), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("length", [18.0, 22.0, 26.0])
def test_sub_path_loss_fades_to_nothing_at_half_a_fresnel_zone(length: float) -> None:
    """Antennas of one height: loss falls linearly with clearance, to 0 at 0.552 of the first Fresnel zone."""
    wave, height = Wave(1.0, "vertical", 0.3), 20.0
    clearance = height - 500.0 * (0.5 * length) ** 2 / 8500.0
    fresnel_m = math.sqrt(wave.wavelength_m * 1e3 * length / 4.0)
    full = first_term_loss_db(wave, length, (height, height), 500.0 * length**2 / (4.0 * height))
    found = spherical_loss_db(wave, length, (height, height), 8500.0)
    assert found == pytest.approx((1.0 - clearance / (0.552 * fresnel_m)) * full, rel=1e-4)
    assert 0.0 < found < full
    assert spherical_loss_db(wave, 8.0, (height, height), 8500.0) == 0.0


@pytest.mark.parametrize("seed", SEEDS)
def test_smooth_surface_is_the_least_squares_line(seed: int) -> None:
    profile = random_profile(seed)
    # Simpson's rule is exact for the products of straight pieces with straight lines.
    near, far = profile.distance_km[:-1], profile.distance_km[1:]
    x = np.concatenate((near, 0.5 * (near + far), far))
    weight = np.sqrt(np.concatenate((far - near, 4.0 * (far - near), far - near)))
    y = np.interp(x, profile.distance_km, profile.height_m)
    basis = np.stack((1.0 - x / profile.length_km, x / profile.length_km), axis=1)
    ends = np.linalg.lstsq(basis * weight[:, None], y * weight, rcond=None)[0]
    found = fitted_ends_m(profile.distance_km, profile.height_m)
    assert found == pytest.approx(tuple(ends), rel=1e-9, abs=1e-8)


@pytest.mark.parametrize("seed", SEEDS)
def test_horizons_and_roughness_by_walking_the_profile(seed: int) -> None:
    """On ground bent down by curvature, horizons are where a straight line from the antenna last touches."""
    profile, link = random_profile(seed), random_link(seed)
    radius = effective_earth_radius_km(link.refractivity_gradient)
    found = horizons_of(profile, link, radius)
    d, n = [float(value) for value in profile.distance_km], len(profile)
    bent = [float(h) - 1e3 * x * x / (2.0 * radius) for x, h in zip(d, profile.height_m, strict=True)]
    tx, rx = bent[0] + link.tx_height_m, bent[-1] + link.rx_height_m
    blocked = [i for i in range(1, n - 1) if bent[i] > tx + (rx - tx) * d[i] / d[-1]]
    assert found.transhorizon == bool(blocked)
    if blocked:
        steepest = max(blocked, key=lambda i: (bent[i] - tx) / d[i])
        last = max(blocked, key=lambda i: (bent[i] - rx) / (d[-1] - d[i]))
        assert (found.tx_point, found.rx_point) == (steepest, last)
        assert found.tx_mrad == pytest.approx(1e3 * math.atan((bent[steepest] - tx) / (1e3 * d[steepest])), abs=1e-9)
    smooth = smooth_earth_of(profile, link, found)
    low, high = min(smooth.tx_m, float(profile.height_m[0])), min(smooth.rx_m, float(profile.height_m[-1]))
    rises = [
        float(profile.height_m[i]) - (low + (high - low) * d[i] / d[-1])
        for i in range(found.tx_point, found.rx_point + 1)
    ]
    assert smooth.roughness_m == pytest.approx(max(rises), abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_bullington_by_crossing_tangents(seed: int) -> None:
    """The knife edge by geometry on bent ground: tangents meet in a point; its height over the ray counts."""
    profile, link = random_profile(seed), random_link(seed)
    d, length, radius = profile.distance_km, profile.length_km, 8500.0
    bent = profile.surface_m() + 1e3 * d * (length - d) / (2.0 * radius)
    tx, rx = float(profile.height_m[0]) + link.tx_height_m, float(profile.height_m[-1]) + link.rx_height_m
    inner = slice(1, len(d) - 1)
    ray = tx + (rx - tx) * d / length
    if (bent > ray)[inner].any():
        up = float(np.max((bent - tx)[inner] / d[inner]))
        down = float(np.max((bent - rx)[inner] / (length - d)[inner]))
        near, above = np.linalg.solve([[up, -1.0], [down, 1.0]], [-tx, rx + down * length])
        edges = [(float(near), float(above) - (tx + (rx - tx) * float(near) / length))]
    else:
        edges = [(float(x), float(y)) for x, y in zip(d[inner], (bent - ray)[inner], strict=True)]
    nu = [y * math.sqrt(2e-3 * length / (link.wavelength_m * x * (length - x))) for x, y in edges]
    expected = corrected_loss_db(knife_edge_loss_db(max(nu)), length)
    found = bullington_loss_db(d, profile.surface_m(), (tx, rx), radius, link.wavelength_m)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("length", [5.0, 40.0, 80.0, 150.0])
def test_closed_form_of_the_smooth_earth_equals_a_dense_profile(length: float) -> None:
    distance = np.linspace(0.0, length, 40_001)
    for heights in ((30.0, 10.0), (200.0, 2.0), (50.0, 50.0)):
        dense = bullington_loss_db(distance, np.zeros_like(distance), heights, 8500.0, 0.3)
        assert smooth_bullington_loss_db(length, heights, 8500.0, 0.3) == pytest.approx(dense, abs=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_centre_latitude_by_vectors(seed: int) -> None:
    link = random_link(seed)
    ends = []
    for latitude, longitude in (
        (link.tx_latitude_deg, link.tx_longitude_deg),
        (link.rx_latitude_deg, link.rx_longitude_deg),
    ):
        north, east = math.radians(latitude), math.radians(longitude)
        ends.append(np.array([math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)]))
    middle = ends[0] + ends[1]
    length = 6371.0 * math.acos(float(ends[0] @ ends[1]))
    expected = math.degrees(math.asin(float(middle[2] / np.linalg.norm(middle))))
    assert centre_latitude_deg(link, length) == pytest.approx(expected, abs=1e-6)


def test_sections_by_counting_small_steps() -> None:
    for seed in SEEDS:
        profile = random_profile(seed)
        x = (np.arange(200_000) + 0.5) * profile.length_km / 200_000
        owner = np.abs(profile.distance_km - x[:, None]).argmin(axis=1) if len(profile) < 12 else None
        if owner is None:
            continue
        inside = (profile.zone == 4)[owner]
        total = float(sections_km(profile.distance_km, profile.zone == 4).sum())
        assert total == pytest.approx(inside.mean() * profile.length_km, abs=1e-3 * profile.length_km)
    lengths = sections_km(np.array([0.0, 1.0, 3.0, 4.0, 8.0]), np.array([True, False, True, True, False]))
    assert lengths.tolist() == [0.5, 4.0]
    assert longest_section_km(np.array([0.0, 1.0]), np.array([False, False])) == 0.0


def test_ducting_time_falls_with_land_and_latitude() -> None:
    assert ducting_time_percent(0.0, 0.0, 0.0) == pytest.approx(10.0**1.67, rel=1e-3)
    assert ducting_time_percent(75.0, 0.0, 0.0) == pytest.approx(4.17, rel=1e-3)
    assert ducting_time_percent(30.0, 10.0, 10.0) > ducting_time_percent(30.0, 60.0, 60.0)
    assert ducting_time_percent(-30.0, 9.0, 5.0) == ducting_time_percent(30.0, 9.0, 5.0)


def test_effective_radius_at_figures() -> None:
    assert effective_earth_radius_km(39.25) == pytest.approx(6371.0 * 4.0 / 3.0)


def test_location_variability_at_figures() -> None:
    """Section 4.7: (0.024 f + 0.52) w^0.28, less above clutter."""
    full = location_variability_db(0.6, 1.5, 15.0, resolution_m=500.0)
    assert full == pytest.approx((0.024 * 0.6 + 0.52) * 500.0**0.28)
    assert location_variability_db(0.6, 15.0, 15.0, resolution_m=500.0) == pytest.approx(full)
    assert location_variability_db(0.6, 19.0, 15.0, resolution_m=500.0) == pytest.approx(0.6 * full)
    assert location_variability_db(0.6, 25.0, 15.0, resolution_m=500.0) == 0.0


def test_a_link_at_one_place_is_its_own_centre() -> None:
    link = replace(random_link(1), tx_latitude_deg=50.0, rx_latitude_deg=50.0, tx_longitude_deg=8.0)
    assert centre_latitude_deg(replace(link, rx_longitude_deg=8.0), 0.0) == pytest.approx(50.0)
