"""Recommendation ITU-R P.1812-8 (09/2025): path-specific loss of terrestrial links, 30 MHz to 6 GHz.

The float64 reference that fast kernels are measured against: every equation is a function of its
own, and ``Breakdown`` keeps every intermediate.

What is known of the versions, from public implementations and the published validation data:
version 7 (08/2023) put another troposcatter model into section 4.4, which users were then advised
not to use; the validation data of version 8 follow equations (44) and (45) as in version 6, and
all other figures are those of version 6 as well. Equations are numbered as in those data.
Equations that the data do not name are cited by section or attachment.

Not part of it: building entry loss (section 4.8; see ``p2109``) and the maps of refractivity
(section 3.5), whose values are inputs.
"""

from xinji.plan.radio.p1812.breakdown import LOG_NAMES, Breakdown
from xinji.plan.radio.p1812.climate import effective_earth_radius_km
from xinji.plan.radio.p1812.loss import basic_transmission_loss
from xinji.plan.radio.p1812.profile import Link, Profile
from xinji.plan.radio.p1812.variability import location_variability_db

__all__ = [
    "LOG_NAMES",
    "Breakdown",
    "Link",
    "Profile",
    "basic_transmission_loss",
    "effective_earth_radius_km",
    "location_variability_db",
]
