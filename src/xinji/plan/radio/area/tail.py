"""From a path's kept numbers to its loss on one band: closed forms in float32."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.plan.jit import inlined, vectorised
from xinji.plan.radio.area.fast_math import LOG2_10, LOG2_E, LOG10_2, exp2, log2, log10
from xinji.plan.radio.area.profile import Line
from xinji.plan.radio.area.reduce import Ends, Reduced
from xinji.plan.radio.area.smooth import Smooth

SCATTER_SHOWS_DB = np.float32(12.0)
"""Tropospheric scatter this far above diffraction changes the sum by less than 0.01 dB."""


class Band(NamedTuple):
    """One band's constants: powers of the frequency [GHz], and terms of Equations (8), (12), (29), (44) and (46).

    ``per_wavelength`` is the wavelength [m] to the power -1/2; ``admittance`` is Equation (29) without the
    radius; ``free_space`` [dB] that of Equation (8); ``scatter`` [dB] all of (44) but distance and angle;
    ``guided`` [dB] all of (47) but horizons, and ``per_mrad`` [dB/mrad] is Equation (51).
    """

    third: np.float32
    two_thirds: np.float32
    per_wavelength: np.float32
    admittance: np.float32
    free_space: np.float32
    scatter: np.float32
    frequency_ghz: np.float32
    guided: np.float32
    per_mrad: np.float32


@inlined
def knife_edge_db(parameter: np.float32) -> np.float32:
    """Return the knife-edge loss [dB] of a diffraction parameter (Equation 12)."""
    moved = max(parameter, np.float32(-0.78)) - np.float32(0.1)
    loss = np.float32(6.9) + np.float32(20) * log10(np.sqrt(moved * moved + np.float32(1)) + moved)
    return np.float32(loss if parameter > np.float32(-0.78) else np.float32(0))


@inlined
def bullington_db(parameter: np.float32, distance_km: np.float32) -> np.float32:
    """Return Bullington's loss [dB] (Equation 21)."""
    loss = knife_edge_db(parameter)
    return np.float32(
        loss
        + (np.float32(1) - exp2(loss * (-LOG2_E / np.float32(6)))) * (np.float32(10) + np.float32(0.02) * distance_km)
    )


@inlined
def height_gain_db(height: np.float32, admittance: np.float32) -> np.float32:
    """Return the height gain [dB] of a normalized height times beta, held at 2 + 20 log K (Equation 35)."""
    high = height > np.float32(2)
    above = max(height - np.float32(1.1), np.float32(1e-3))
    low = max(height + np.float32(0.1) * height * height * height, np.float32(1e-12))
    level = log10(above if high else low)
    gain = np.float32(17.6) * np.sqrt(above) - np.float32(5) * level - np.float32(8)
    gain = gain if high else np.float32(20) * level
    return np.float32(max(gain, np.float32(2) + np.float32(20) * log10(admittance)))


@inlined
def first_term_db(
    distance_km: np.float32, heights: tuple[np.float32, np.float32], inverse_root: np.float32, band: Band
) -> np.float32:
    """Return the first-term diffraction loss over land [dB] (Equations 29 to 36)."""
    mast, terminal = heights
    admittance = band.admittance * inverse_root
    square = admittance * admittance
    fourth = square * square
    beta = (np.float32(1) + np.float32(1.6) * square + np.float32(0.67) * fourth) / (
        np.float32(1) + np.float32(4.5) * square + np.float32(1.53) * fourth
    )
    reach = np.float32(21.88) * beta * band.third * inverse_root * inverse_root * distance_km
    rise = np.float32(0.9575) * beta * beta * band.two_thirds * inverse_root
    power = log2(max(reach, np.float32(1e-12)))
    near = np.float32(-20) * LOG10_2 * power - np.float32(5.6488) * exp2(np.float32(1.425) * power)
    far = np.float32(11) + np.float32(10) * LOG10_2 * power - np.float32(17.6) * reach
    fall = far if reach >= np.float32(1.6) else near
    return np.float32(-fall - height_gain_db(rise * mast, admittance) - height_gain_db(rise * terminal, admittance))


@vectorised
def diffraction_db(ends: Ends, reduced: Reduced, smooth: Smooth, band: Band, loss: Line) -> None:
    """Fill in the delta-Bullington loss [dB] of one curvature (Equations 27 and 39)."""
    for pixel in range(loss.size):
        length = ends.distance[pixel]
        heights = (max(reduced.mast_m[pixel], np.float32(0.01)), max(reduced.terminal_m[pixel], np.float32(0.01)))
        sphere = max(first_term_db(length, heights, smooth.inverse_root[pixel], band), np.float32(0))
        sphere *= max(np.float32(1) - smooth.margin[pixel] * band.per_wavelength, np.float32(0))
        flat = bullington_db(smooth.clearance[pixel] * band.per_wavelength, length)
        actual = bullington_db(reduced.clearance[pixel] * band.per_wavelength, length)
        loss[pixel] = actual + max(sphere - flat, np.float32(0))


@vectorised
def spread_db(ends: Ends, rise: Line, spread: Line, level: Line) -> None:
    """Fill in free-space loss without its frequency [dB] (Equation 8), and 20 log d of the horizontal distance.

    ``rise`` [m] is the terminal's height over the mast's antenna.
    """
    for pixel in range(spread.size):
        length, height = ends.distance[pixel], rise[pixel] * np.float32(1e-3)
        spread[pixel] = np.float32(10) * log10(length * length + height * height)
        level[pixel] = np.float32(20) * log10(length)


@vectorised
def median_db(paths: tuple[Line, Line, Line], band: Band, excess: Line, loss: Line) -> None:
    """Fill in the loss not exceeded in half the time [dB] (Equations 42, 44, 63 and 69), where ducting adds nothing.

    ``paths`` holds both results of ``spread_db`` and the path's angle [mrad]; ``excess`` [dB] is that
    of diffraction.
    """
    spread, level, angle = paths
    for pixel in range(loss.size):
        free = band.free_space + spread[pixel]
        diffracted = free + excess[pixel]
        scattered = band.scatter + level[pixel]
        # An angle that another band asked for does not count on this one.
        bend = np.float32(0.573) * angle[pixel]
        scattered += bend if diffracted > scattered - SCATTER_SHOWS_DB else np.float32(0)
        gap = exp2(np.float32(-0.2) * LOG2_10 * np.abs(diffracted - scattered))
        both = min(diffracted, scattered) - np.float32(5) * log10(np.float32(1) + gap)
        loss[pixel] = max(free, both)
