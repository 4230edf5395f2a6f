"""Line-of-sight propagation with short-term effects (ITU-R P.1812-8, section 4.2)."""

from __future__ import annotations

import math


def free_space_loss_db(frequency_ghz: float, length_km: float, rise_m: float) -> float:
    """Return the basic transmission loss in free space [dB], equations (8) and (8a).

    ``rise_m``: difference of the antennas' heights above mean sea level [m].
    """
    squared_km2 = length_km**2 + (1e-3 * rise_m) ** 2
    return 92.4 + 20.0 * math.log10(frequency_ghz) + 10.0 * math.log10(squared_km2)


def focusing_db(percent: float, horizons_km: float) -> float:
    """Return the correction for multipath and focusing [dB], equations (9a) and (9b).

    ``percent``: of time; ``horizons_km``: sum of the distances to both horizons [km].
    """
    return 2.6 * (1.0 - math.exp(-0.1 * horizons_km)) * math.log10(percent / 50.0)
