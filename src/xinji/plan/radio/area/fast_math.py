"""Logarithm and power of two in float32, without branches, so that loops over them vectorise.

Coefficients are minimax fits; the errors stated are measured by tests against float64.
"""

from __future__ import annotations

import numpy as np

from xinji.plan.jit import inlined

LOG10_2 = np.float32(0.30102999566398120)
LOG2_E = np.float32(1.44269504088896341)
LOG2_10 = np.float32(3.32192809488736235)


@inlined
def log2(value: np.float32) -> np.float32:
    """Return the base-2 logarithm of a positive float32 (error below 2e-6)."""
    bits = np.float32(value).view(np.int32)
    power = np.int32(np.int32(bits - np.int32(0x3F3504F3)) >> np.int32(23))
    part = np.int32(bits - np.int32(power << np.int32(23))).view(np.float32) - np.float32(1)
    ratio = part / (np.float32(2) + part)
    square = ratio * ratio
    series = np.float32(0.41159803) + square * np.float32(0.34176486)
    series = np.float32(0.57708538) + square * series
    series = np.float32(0.96179666) + square * series
    series = np.float32(2.88539008) + square * series
    return np.float32(np.float32(power) + ratio * series)


@inlined
def log10(value: np.float32) -> np.float32:
    """Return the decimal logarithm of a positive float32 (error below 1e-6)."""
    return np.float32(LOG10_2 * log2(value))


@inlined
def exp2(value: np.float32) -> np.float32:
    """Return two to a power, which is held within -120 and 120 (relative error below 3e-7)."""
    held = np.float32(min(max(value, np.float32(-120)), np.float32(120)))
    whole = np.floor(held + np.float32(0.5))
    part = np.float32(held - whole)
    series = np.float32(0.00133998531) + part * np.float32(0.000153707102)
    series = np.float32(0.00961837326) + part * series
    series = np.float32(0.0555032902) + part * series
    series = np.float32(0.240226485) + part * series
    series = np.float32(0.693147206) + part * series
    series = np.float32(1) + part * series
    scale = np.int32(np.int32(np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)
    return np.float32(scale * series)
