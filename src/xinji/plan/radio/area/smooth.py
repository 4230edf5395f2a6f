"""Spherical-Earth geometry of every pixel's path: the part that does not depend on the frequency."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.plan.jit import inlined, vectorised
from xinji.plan.radio.area.fast_math import exp2, log2
from xinji.plan.radio.area.profile import Line
from xinji.plan.radio.area.reduce import Ends, Reduced


class Smooth(NamedTuple):
    """What is kept of the smooth path (m,).

    ``clearance`` of Bullington's construction over it [m^0.5]; ``margin`` the smallest clearance
    over the one required, times the square root of the wavelength [m^0.5]; ``inverse_root`` the
    effective Earth radius of the first-term diffraction to the power -1/3 [km^-1/3].
    """

    clearance: Line
    margin: Line
    inverse_root: Line


_STEPS = 4


@vectorised
def smooth_paths(ends: Ends, reduced: Reduced, earth: tuple[np.float32, np.float32], smooth: Smooth) -> None:
    """Fill in Equations (22) to (26), and Bullington's (13) to (20) over zero heights.

    ``earth`` is the effective radius and the distance between profile points [km]. Where the
    Recommendation takes a maximum over the profile's points, the exact maximum is found first, then
    the two points beside it are compared; beyond the horizon the exact one is kept.
    """
    radius_km, step_km = earth
    curvature = np.float32(500) / radius_km
    for pixel in range(ends.distance.size):
        length = ends.distance[pixel]
        mast, terminal = max(reduced.mast_m[pixel], np.float32(0.01)), max(reduced.terminal_m[pixel], np.float32(0.01))
        reach = np.sqrt(mast) + np.sqrt(terminal)
        beyond = length * np.sqrt(curvature) >= reach
        share = _lowest_share(length, mast, terminal, curvature)
        smooth.margin[pixel] = np.float32(0) if beyond else _margin(length, (mast, terminal), curvature, share)
        marginal = np.float32(500) * (length / reach) ** 2
        smooth.inverse_root[pixel] = exp2(np.float32(-1 / 3) * log2(radius_km if beyond else marginal))
        near = _sight_clearance(length, (mast, terminal), curvature, (share, step_km))
        far = _beyond_clearance(length, mast, terminal, curvature)
        smooth.clearance[pixel] = far if beyond else near


@inlined
def _lowest_share(length: np.float32, mast: np.float32, terminal: np.float32, curvature: np.float32) -> np.float32:
    """Return b of Equation (24c): the root within -1 to 1 of m b^3 - (m + 1) b + c = 0, by Newton's method."""
    whole = mast + terminal
    offset = (mast - terminal) / whole
    bulge = np.float32(0.5) * curvature * length * length / whole
    share = offset / (np.float32(1) + bulge)
    for _ in range(_STEPS):
        square = share * share
        value = (bulge * square - bulge - np.float32(1)) * share + offset
        share -= value / min(np.float32(3) * bulge * square - bulge - np.float32(1), np.float32(-1e-3))
    return np.float32(min(max(share, np.float32(-0.9999)), np.float32(0.9999)))


@inlined
def _margin(
    length: np.float32, heights: tuple[np.float32, np.float32], curvature: np.float32, share: np.float32
) -> np.float32:
    """Return the smallest clearance over the required one (Equations 23 to 25), times sqrt(wavelength)."""
    mast, terminal = heights
    first = np.float32(0.5) * length * (np.float32(1) + share)
    second = length - first
    gap = (mast - curvature * first * first) * second + (terminal - curvature * second * second) * first
    return np.float32(gap / length / (np.float32(17.456) * np.sqrt(first * second / length)))


@inlined
def _sight_clearance(
    length: np.float32,
    heights: tuple[np.float32, np.float32],
    curvature: np.float32,
    start: tuple[np.float32, np.float32],
) -> np.float32:
    """Return the largest clearance within sight.

    With u^2 = d1 / d2 it is the maximum of A u / (1 + u^2) - h1 / u - h2 u; ``start`` is b of
    Equation (24c), from which Newton's method sets out, and the distance between points [km].
    """
    mast, terminal = heights
    share, step = start
    bulge = curvature * length * length
    ratio = np.sqrt((np.float32(1) + share) / (np.float32(1) - share))
    for _ in range(2):
        square = ratio * ratio
        wide = np.float32(1) / (np.float32(1) + square)
        slope = bulge * (np.float32(1) - square) * wide * wide + mast / square - terminal
        bend = bulge * ratio * (np.float32(2) * square - np.float32(6)) * wide * wide * wide
        ratio -= slope / min(bend - np.float32(2) * mast / (square * ratio), np.float32(-1e-6))
        ratio = min(max(ratio, np.float32(0.02)), np.float32(50))
    square = ratio * ratio
    points = np.floor(length / step + np.float32(0.5)) - np.float32(1)
    before = np.floor(length * square / (np.float32(1) + square) / step)
    first = _clearance_at(min(max(before, np.float32(1)), points) * step, length, heights, bulge)
    second = _clearance_at(min(before + np.float32(1), points) * step, length, heights, bulge)
    return np.float32(max(first, second))


@inlined
def _clearance_at(
    first: np.float32, length: np.float32, heights: tuple[np.float32, np.float32], bulge: np.float32
) -> np.float32:
    """Return the clearance at one point of a flat profile [m^0.5] (Equation 15 over zero heights)."""
    near = max(first / length, np.float32(1e-6))
    far = max(np.float32(1) - near, np.float32(1e-6))
    above = bulge * near * far - heights[0] * far - heights[1] * near
    return np.float32(above * np.sqrt(np.float32(0.002) / (length * near * far)))


@inlined
def _beyond_clearance(length: np.float32, mast: np.float32, terminal: np.float32, curvature: np.float32) -> np.float32:
    """Return the clearance beyond the horizon, by tangents to the smooth Earth (section 4.3.1, or Attachment 4)."""
    rise = curvature * length - np.float32(2) * np.sqrt(curvature * mast)
    back = curvature * length - np.float32(2) * np.sqrt(curvature * terminal)
    slope = (terminal - mast) / length
    point = length * (slope + back) / max(rise + back, np.float32(1e-6))
    point = min(max(point, length * np.float32(1e-5)), length * np.float32(0.99999))
    return np.float32((rise - slope) * np.sqrt(np.float32(0.002) * length * point / (length - point)))
