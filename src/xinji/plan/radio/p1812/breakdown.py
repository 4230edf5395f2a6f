"""The result of a prediction with every intermediate (ITU-R P.1812-8)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """Loss and field strength, and all that led to them.

    Symbols and equations are those of the Recommendation and of its published validation data;
    heights ``*_amsl_m`` and of smooth surfaces are above mean sea level [m].

    Result: ``loss_db`` (Lb, 69) for the time and the places wanted; ``field_dbuv_m`` (Ep, 70) for 1 kW
    effective radiated power.

    Path: ``path_length_km`` (d); ``transhorizon``; ``tx_horizon_km``, ``rx_horizon_km`` (dlt 78, dlr
    81a); ``tx_horizon_mrad``, ``rx_horizon_mrad`` (theta_t 76-78, theta_r 79-81); ``path_angle_mrad``
    (theta 82); ``tx_amsl_m``, ``rx_amsl_m`` (hts, hrs); ``tx_diffraction_amsl_m``,
    ``rx_diffraction_amsl_m`` (htc, hrc of Table 5, equal to the former).

    Climate: ``sea_fraction`` (omega); ``longest_land_km``, ``longest_inland_km`` (dtm, dlm);
    ``centre_latitude_deg`` (phi, 4); ``ducting_time_percent`` (beta0, 5);
    ``effective_earth_radius_km`` (ae, 7a).

    Smooth surface: ``tx_smooth_m``, ``rx_smooth_m`` (hst 85, hsr 86, least squares);
    ``tx_smooth_ducting_m``, ``rx_smooth_ducting_m`` (hst 90a, hsr 90b); ``tx_smooth_diffraction_m``,
    ``rx_smooth_diffraction_m`` (hstd, hsrd 89); ``tx_effective_diffraction_m``,
    ``rx_effective_diffraction_m`` (37a, 37b); ``tx_effective_ducting_m``, ``rx_effective_ducting_m``
    (hte 92a, hre 92b); ``roughness_m`` (hm, 93).

    Weights: ``time_factor`` (Fi, 40); ``angle_factor`` (Fj, 57); ``distance_factor`` (Fk, 58).

    Line of sight [dB]: ``free_space_db`` (Lbfs, 8); ``line_of_sight_db`` (Lb0p, 10);
    ``line_of_sight_ducting_db`` (Lb0b, 11).

    Diffraction beyond line of sight [dB], for the median radius (``*_median_db``) and for the radius
    exceeded in the time of ducting (``*_ducting_db``): ``bullington_actual_*`` (Lbulla, 21),
    ``bullington_smooth_*`` (Lbulls, 21), ``spherical_*`` (Ldsph, 27), ``diffraction_excess_*`` (Ld50,
    Ldb, 39); ``diffraction_excess_db`` (Ldp, 41).

    Basic transmission losses [dB]: ``diffraction_median_db`` (Lbd50, 42); ``diffraction_db`` (Lbd, 43);
    ``line_of_sight_minimum_db`` (Lminb0p, 59); ``ducting_db`` (Lba, 46); ``ducting_minimum_db``
    (Lminbap, 60); ``diffraction_or_ducting_db`` (Lbda, 61); ``enhanced_db`` (Lbam, 62);
    ``troposcatter_db`` (Lbs, 44); ``median_places_db`` (Lbc, 63); ``places_excess_db``: what
    variability over places adds.
    """

    loss_db: float
    field_dbuv_m: float
    path_length_km: float
    transhorizon: bool
    tx_horizon_km: float
    rx_horizon_km: float
    tx_horizon_mrad: float
    rx_horizon_mrad: float
    path_angle_mrad: float
    tx_amsl_m: float
    rx_amsl_m: float
    tx_diffraction_amsl_m: float
    rx_diffraction_amsl_m: float
    sea_fraction: float
    longest_land_km: float
    longest_inland_km: float
    centre_latitude_deg: float
    ducting_time_percent: float
    effective_earth_radius_km: float
    tx_smooth_m: float
    rx_smooth_m: float
    tx_smooth_ducting_m: float
    rx_smooth_ducting_m: float
    tx_smooth_diffraction_m: float
    rx_smooth_diffraction_m: float
    tx_effective_diffraction_m: float
    rx_effective_diffraction_m: float
    tx_effective_ducting_m: float
    rx_effective_ducting_m: float
    roughness_m: float
    time_factor: float
    angle_factor: float
    distance_factor: float
    free_space_db: float
    line_of_sight_db: float
    line_of_sight_ducting_db: float
    bullington_actual_median_db: float
    bullington_smooth_median_db: float
    spherical_median_db: float
    diffraction_excess_median_db: float
    bullington_actual_ducting_db: float
    bullington_smooth_ducting_db: float
    spherical_ducting_db: float
    diffraction_excess_ducting_db: float
    diffraction_excess_db: float
    diffraction_median_db: float
    diffraction_db: float
    line_of_sight_minimum_db: float
    ducting_db: float
    ducting_minimum_db: float
    diffraction_or_ducting_db: float
    enhanced_db: float
    troposcatter_db: float
    median_places_db: float
    places_excess_db: float


LOG_NAMES: dict[str, str] = {
    "d (km),": "path_length_km",
    "dlt (km),Eq (78)": "tx_horizon_km",
    "dlr (km),Eq (81a)": "rx_horizon_km",
    "th_t (mrad),Eqs (76-78)": "tx_horizon_mrad",
    "th_r (mrad),Eqs (79-81)": "rx_horizon_mrad",
    "th (mrad),Eq (82)": "path_angle_mrad",
    "hts (m),": "tx_amsl_m",
    "hrs (m),": "rx_amsl_m",
    "htc (m),Table 5": "tx_diffraction_amsl_m",
    "hrc (m),Table 5": "rx_diffraction_amsl_m",
    "w,Table 5": "sea_fraction",
    "dtm (km),Sec 3.6": "longest_land_km",
    "dlm (km),Sec 3.6": "longest_inland_km",
    "phi (deg),Eq (4)": "centre_latitude_deg",
    "b0 (%),Eq (5)": "ducting_time_percent",
    "ae (km),Eq (7a)": "effective_earth_radius_km",
    "hst (m),Eq (85)": "tx_smooth_m",
    "hsr (m),Eq (86)": "rx_smooth_m",
    "hst (m),Eq (90a)": "tx_smooth_ducting_m",
    "hsr (m),Eq (90b)": "rx_smooth_ducting_m",
    "hstd (m),Eq (89)": "tx_smooth_diffraction_m",
    "hsrd (m),Eq (89)": "rx_smooth_diffraction_m",
    "htc (m),Eq (37a)": "tx_effective_diffraction_m",
    "hrc (m),Eq (37b)": "rx_effective_diffraction_m",
    "hte (m),Eq (92a)": "tx_effective_ducting_m",
    "hre (m),Eq (92b)": "rx_effective_ducting_m",
    "hm (m),Eq (93)": "roughness_m",
    "Fi,Eq (40)": "time_factor",
    "Fj,Eq (57)": "angle_factor",
    "Fk,Eq (58)": "distance_factor",
    "Lbfs,Eq (8)": "free_space_db",
    "Lb0p,Eq (10)": "line_of_sight_db",
    "Lb0b,Eq (11)": "line_of_sight_ducting_db",
    "Lbulla (dB),Eq (21)": "bullington_actual_ducting_db",
    "Lbulls (dB),Eq (21)": "bullington_smooth_ducting_db",
    "Ldsph (dB),Eq (27)": "spherical_ducting_db",
    "Ld50 (dB),Eq (39)": "diffraction_excess_median_db",
    "Ldb (dB),Eq (39)": "diffraction_excess_ducting_db",
    "Ldp (dB),Eq (41)": "diffraction_excess_db",
    "Lbd50 (dB),Eq (42)": "diffraction_median_db",
    "Lbd (dB),Eq (43)": "diffraction_or_ducting_db",
    "Lminb0p (dB),Eq (59)": "line_of_sight_minimum_db",
    "Lba (dB),Eq (46)": "ducting_db",
    "Lminbap (dB),Eq (60)": "ducting_minimum_db",
    "Lbda (dB),Eq (61)": "diffraction_or_ducting_db",
    "Lbam (dB),Eq (62)": "enhanced_db",
    "Lbs (dB),Eq (44)": "troposcatter_db",
    "Lbc (dB),Eq (63)": "median_places_db",
    "Lb (dB),Eq (69)": "loss_db",
    "Ep (dBuV/m),Eq (70)": "field_dbuv_m",
}
"""Rows of the published validation logs ("first column,reference") to fields of ``Breakdown``.

The logs print Lbulla, Lbulls and Ldsph of the ducting radius, and in the row of Lbd the value of
Lbda (the two differ where ducting limits diffraction; the true one is ``diffraction_db``).
"""
