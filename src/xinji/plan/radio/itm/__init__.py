"""The ITS Irregular Terrain Model (Longley-Rice), version 1.2.2: point-to-point and area modes, 20 MHz to 20 GHz.

Sources: G. A. Hufford, A. G. Longley and W. A. Kissick, A Guide to the Use of the ITS Irregular
Terrain Model in the Area Prediction Mode, NTIA Report 82-100, 1982; G. A. Hufford, The ITS Irregular
Terrain Model, version 1.2.2: The Algorithm; A. G. Longley and P. L. Rice, ESSA Technical Report ERL
79-ITS 67, 1968; P. L. Rice and others, NBS Technical Note 101, 1967. A second route beside ITU-R
P.1812: of another origin, older, and without clutter.
"""

from xinji.plan.radio.itm.inputs import Climate, ItmLink, Service, Share, Siting, Terrain, service_of
from xinji.plan.radio.itm.loss import Prediction, area_loss, free_space_db, point_to_point_loss
from xinji.plan.radio.itm.reference import Regime

__all__ = [
    "Climate",
    "ItmLink",
    "Prediction",
    "Regime",
    "Service",
    "Share",
    "Siting",
    "Terrain",
    "area_loss",
    "free_space_db",
    "point_to_point_loss",
    "service_of",
]
