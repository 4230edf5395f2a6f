"""Propagation by tropospheric scatter (ITU-R P.1812-8, section 4.4)."""

from __future__ import annotations

import math

from xinji.plan.radio.p1812.profile import Link


def frequency_loss_db(frequency_ghz: float) -> float:
    """Return the loss that depends on frequency [dB], equation (45)."""
    return 25.0 * math.log10(frequency_ghz) - 2.5 * math.log10(0.5 * frequency_ghz) ** 2


def troposcatter_loss_db(link: Link, length_km: float, path_mrad: float) -> float:
    """Return the basic transmission loss by troposcatter [dB], equation (44).

    ``path_mrad``: angular distance of the path [mrad].
    """
    fading = 10.125 * math.pow(math.log10(50.0 / link.time_percent), 0.7)
    spread = 20.0 * math.log10(length_km) + 0.573 * path_mrad
    return 190.1 + frequency_loss_db(link.frequency_ghz) + spread - 0.15 * link.surface_refractivity - fading
