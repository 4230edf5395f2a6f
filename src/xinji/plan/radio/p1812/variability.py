"""Variability over places, and the normal distribution (ITU-R P.1812-8, section 4.7 and Attachment 2)."""

from __future__ import annotations

import math

from xinji.errors import Fault, InputError, raise_if


def inverse_normal(probability: float) -> float:
    """Return the inverse complementary normal distribution, Attachment 2 to Annex 1.

    ``probability`` between 0 and 1 is held within 1e-6 to 1 - 1e-6 as there; wrong by 4.5e-4 at most.
    """
    held = min(max(probability, 1e-6), 1.0 - 1e-6)
    return _upper_tail(held) if held <= 0.5 else -_upper_tail(1.0 - held)


def location_variability_db(
    frequency_ghz: float, rx_height_m: float, clutter_m: float, *, resolution_m: float
) -> float:
    """Return the standard deviation of the loss over places outdoors [dB], section 4.7.

    ``rx_height_m`` and ``clutter_m``: the receiver's and the representative clutter's height there
    [m above ground]; ``resolution_m``: side of the square that the variability applies to [m].
    Raises InputError for a frequency outside 0.03 to 6 GHz or a length that makes no sense.
    """
    checks = (
        ("frequency_ghz", frequency_ghz, 0.03, 6.0),
        ("rx_height_m", rx_height_m, 1.0, 3000.0),
        ("clutter_m", clutter_m, 0.0, 3000.0),
        ("resolution_m", resolution_m, 0.1, 1e5),
    )
    raise_if(
        (
            Fault("ITU-R P.1812", f"{name} is {value:g}, expected {low:g} to {high:g}", "Use values within the range.")
            for name, value, low, high in checks
            if not low <= value <= high
        ),
        InputError,
    )
    spread = (0.024 * frequency_ghz + 0.52) * math.pow(resolution_m, 0.28)
    return spread * height_factor(rx_height_m, clutter_m)


def height_factor(rx_height_m: float, clutter_m: float) -> float:
    """Return the share of variability left at a height: 1 within clutter, 0 from 10 m above it, section 4.7."""
    return min(1.0, max(0.0, 1.0 - (rx_height_m - clutter_m) / 10.0))


def _upper_tail(probability: float) -> float:
    """Return the argument whose upper tail is ``probability``, at most 0.5 (Attachment 2)."""
    t = math.sqrt(-2.0 * math.log(probability))
    upper = (0.010328 * t + 0.802853) * t + 2.515516698
    lower = ((0.001308 * t + 0.189269) * t + 1.432788) * t + 1.0
    return t - upper / lower
