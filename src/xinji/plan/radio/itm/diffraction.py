"""Attenuation beyond the horizon by diffraction: two knife edges and a rounded earth, weighted."""

from __future__ import annotations

import math

from xinji.plan.radio.itm.medium import Geometry, Medium, roughness_m, terrain_deviation_m

_EARTH_RADIUS_M = 6_370e3
_KNOWN_PATH = 10.0
"""Antennas on known paths: C of ERL 79-ITS 67, page 3-8."""


def knife_edge_db(v_squared: float) -> float:
    """Return the attenuation [dB] of a knife edge (Technical Note 101, equations III.24b and III.24c)."""
    if v_squared < 5.76:
        return 6.02 + 9.11 * math.sqrt(v_squared) - 1.27 * v_squared
    return 12.953 + 10.0 * math.log10(v_squared)


def double_edge_db(distance_m: float, geometry: Geometry, medium: Medium) -> float:
    """Return the attenuation [dB] of the two horizons as knife edges (Technical Note 101, equation I.1)."""
    angle = distance_m / medium.earth_radius_m - geometry.line_of_sight_rad(medium)
    beyond_m = distance_m - geometry.horizons_m
    factor = 0.0795775 * medium.wave_number * angle**2
    first, second = (factor * near * beyond_m / (beyond_m + near) for near in geometry.horizon_m)
    return knife_edge_db(first) + knife_edge_db(second)


def height_gain_db(distance_km: float, k: float) -> float:
    """Return the height-gain function F(x, K) [dB] over a rounded earth (Hufford, section 6, after Vogler 1964)."""
    if distance_km < 200.0:
        return _near_height_gain_db(distance_km, k)
    far = 0.05751 * distance_km - 4.343 * math.log(distance_km)
    if distance_km >= 2000.0:
        return far
    weight = 0.0134 * distance_km * math.exp(-0.005 * distance_km)
    return (1.0 - weight) * far + weight * (17.372 * math.log(distance_km) - 117.0)


def _near_height_gain_db(distance_km: float, k: float) -> float:
    steep = -math.log(k)
    if k < 1e-5 or distance_km * steep**3 > 5495.0:
        return -117.0 + (17.372 * math.log(distance_km) if distance_km > 1.0 else 0.0)
    return 2.5e-5 * distance_km**2 / k - 8.686 * steep - 15.0


def rounded_earth_db(distance_m: float, geometry: Geometry, medium: Medium) -> float:
    """Return the attenuation [dB] of a rounded earth by Vogler's three radii (Hufford, equation 4.20).

    The radii are that between the horizons and those from each terminal to its horizon (Vogler
    1964, equations 2, 3, 6a, 7a and 13).
    """
    angle = distance_m / medium.earth_radius_m - geometry.line_of_sight_rad(medium)
    between_m = distance_m - geometry.horizons_m
    arcs = [(between_m / angle, between_m)]
    arcs += [
        (0.5 * near**2 / height, near) for near, height in zip(geometry.horizon_m, geometry.effective_m, strict=True)
    ]
    root = math.cbrt(medium.frequency_mhz)
    scaled, ks = [], []
    for radius_m, length_m in arcs:
        c0 = math.cbrt(4.0 / 3.0 * _EARTH_RADIUS_M / radius_m)
        k = 0.017778 * c0 / root / abs(medium.impedance)
        scaled.append((1.607 - k) * c0**2 * root * length_m / 1000.0)
        ks.append(k)
    total = sum(scaled)
    distance_db = 0.05751 * total - 10.0 * math.log10(total)
    return distance_db - height_gain_db(scaled[1], ks[1]) - height_gain_db(scaled[2], ks[2]) - 20.0


def edge_weight(distance_m: float, geometry: Geometry, medium: Medium) -> float:
    """Return the weight of the rounded earth against knife edges (ERL 79-ITS 67, equation 3.23)."""
    product = geometry.height_m[0] * geometry.height_m[1]
    excess = geometry.effective_m[0] * geometry.effective_m[1] - product
    product += _KNOWN_PATH if geometry.profile_known else 0.0
    reach = geometry.horizons_m - geometry.line_of_sight_rad(medium) * medium.earth_radius_m
    rough = min(roughness_m(distance_m, geometry.irregularity_m) * medium.wave_number, 6283.2)
    q = (math.sqrt(1.0 + excess / product) + reach / distance_m) * rough
    return 25.1 / (25.1 + math.sqrt(q))


def clutter_db(geometry: Geometry, medium: Medium) -> float:
    """Return the attenuation [dB] of what stands on the terrain (ERL 79-ITS 67, equation 3.38c)."""
    rough = roughness_m(geometry.smooth_horizons_m(medium), geometry.irregularity_m)
    product = geometry.height_m[0] * geometry.height_m[1]
    return min(15.0, 5.0 * math.log10(1.0 + 1e-5 * product * medium.frequency_mhz * terrain_deviation_m(rough)))


def diffraction_db(distance_m: float, geometry: Geometry, medium: Medium) -> float:
    """Return the attenuation [dB] at a distance beyond both horizons (Hufford, section 4)."""
    weight = edge_weight(distance_m, geometry, medium)
    rounded = rounded_earth_db(distance_m, geometry, medium)
    edges = double_edge_db(distance_m, geometry, medium)
    return weight * rounded + (1.0 - weight) * edges + clutter_db(geometry, medium)


def diffraction_line(geometry: Geometry, medium: Medium) -> tuple[float, float]:
    """Return slope [dB/m] and value at the transmitter [dB] of the diffraction line (Hufford, section 4)."""
    scale_m = math.cbrt(medium.earth_radius_m**2 / medium.frequency_mhz)
    near_m = max(geometry.smooth_horizons_m(medium), geometry.horizons_m + 5.0 * scale_m)
    far_m = near_m + 10.0 * scale_m
    near, far = (diffraction_db(distance, geometry, medium) for distance in (near_m, far_m))
    slope = (far - near) / (far_m - near_m)
    return slope, near - slope * near_m
