"""Logarithm and power in float32 are as exact as their docstrings state."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from xinji.plan.radio.area.fast_math import exp2, log2, log10
from xinji.plan.radio.area.reduce import milliradians

Line = npt.NDArray[np.float32]


def over(function: Callable[[np.float32], np.float32], values: Line) -> npt.NDArray[np.float64]:
    return np.array([function(value) for value in values], dtype=np.float64)


def test_logarithms() -> None:
    values = np.geomspace(1e-30, 1e30, 100_001).astype(np.float32)
    exact = np.log2(values.astype(np.float64))
    # A float32 of the logarithm's size cannot be closer than half its own step.
    step = np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64)
    assert (np.abs(over(log2, values) - exact) < 2e-6 + step).all()
    near = np.geomspace(0.1, 10.0, 50_001).astype(np.float32)
    assert np.abs(over(log2, near) - np.log2(near.astype(np.float64))).max() < 2e-6
    assert np.abs(over(log10, near) - np.log10(near.astype(np.float64))).max() < 1e-6


def test_power_of_two() -> None:
    values = np.linspace(-20.0, 20.0, 50_001).astype(np.float32)
    assert np.abs(over(exp2, values) / np.exp2(values.astype(np.float64)) - 1.0).max() < 3e-7
    outside = np.array([-1e9, -120.5, 130.0, 1e9], dtype=np.float32)
    assert np.allclose(over(exp2, outside), [2.0**-120, 2.0**-120, 2.0**120, 2.0**120], rtol=1e-6)


def test_angle_of_a_slope() -> None:
    slope = np.linspace(-2000.0, 2000.0, 40_001).astype(np.float32)
    exact = 1e3 * np.arctan(1e-3 * slope.astype(np.float64))
    assert np.abs(over(milliradians, slope) - exact).max() < 1e-3
