"""Attenuation over free space on a terrestrial path: gases (ITU-R P.676) and rain (ITU-R P.838).

What path-loss models fitted in clear air below some tens of gigahertz leave out, and what decides
the reach of bands from 7 GHz to the sub-terahertz. Arrays are float64 and broadcast together.
"""

from __future__ import annotations

from xinji.core.arrays import Floats
from xinji.plan.radio.p676 import Atmosphere, path_gas_db
from xinji.plan.radio.p838 import rain_db_km


def terrestrial_excess_db(
    distance_km: Floats,
    frequency_ghz: Floats,
    air: Atmosphere,
    rain_rate_mm_h: Floats,
    *,
    elevation_deg: Floats,
    tilt_deg: Floats,
) -> Floats:
    """Return the attenuation [dB] by gases and rain along a path.

    ITU-R P.676-13, Annex 1, section 2.1, and ITU-R P.838-3, equation 1, each times the distance: the
    rain falls alike all along the path, which suits radio cells of a few kilometres and overstates
    longer paths (ITU-R P.530 shortens those). ``elevation_deg`` is the path's and ``tilt_deg`` the
    polarization's angle. Raises InputError for a frequency outside 1 to 1000 GHz, a negative
    distance or rain rate, or an angle beyond its range.
    """
    gas = path_gas_db(distance_km, frequency_ghz, air)
    return gas + distance_km * rain_db_km(rain_rate_mm_h, frequency_ghz, elevation_deg, tilt_deg)
