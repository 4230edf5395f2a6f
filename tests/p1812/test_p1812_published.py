"""Every published case of ITU-R P.1812-8, with every logged intermediate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from p1812.published_cases import link_of, read_log, read_profile
from xinji.plan.radio.p1812 import LOG_NAMES, Breakdown, Link, Profile, basic_transmission_loss

# Profile b2iseac_rural_land_1km (the same ground cover all along) and rows of its three logs.
KEPT_HEIGHT_M = (754.4, 754.4, 729.9, 685.3, 634.3, 610.3)
KEPT_ROWS = {
    "Lb0p,Eq (10)": (71.72701604, 71.97443875, 72.14737981),
    "Ldp (dB),Eq (41)": (15.33794877, 15.33850268, 15.34252882),
    "Lba (dB),Eq (46)": (112.9858494, 129.015484, 187.2264202),
    "Lbs (dB),Eq (44)": (96.62572426, 103.419116, 111.2989308),
    "Lb (dB),Eq (69)": (87.0385433, 87.30268122, 87.48987104),
}
INPUT_ROWS = {
    *("Ptx (kW),", "Gtx (dBi),", "Grx (dBi),", "f (GHz),", "p (%),", "pL (%),", "sigmaL (dB),", "pol,"),
    *("phi_t (deg),", "phi_r (deg),", "lam_t (deg),", "lam_r (deg),", "htg (m),", "hrg (m),", "DN,", "N0,"),
    *("dct (km),", "dcr (km),", "R2 (m),", "Rn-1 (m),"),
}


def kept_link(percent: float) -> Link:
    return Link(
        frequency_ghz=0.0953,
        time_percent=percent,
        location_percent=50.0,
        sigma_db=0.0,
        tx_height_m=60.0,
        rx_height_m=7.0,
        polarization="horizontal",
        tx_latitude_deg=53.18333333,
        tx_longitude_deg=-6.333333333,
        rx_latitude_deg=53.18768858,
        rx_longitude_deg=-6.320246243,
        refractivity_gradient=45.0,
        surface_refractivity=326.079979,
        tx_coast_km=500.0,
        rx_coast_km=500.0,
    )


def test_case_kept_here() -> None:
    height = np.array(KEPT_HEIGHT_M)
    profile = Profile(np.array([0.0, 0.2, 0.4, 0.6, 0.8, 1.0]), height, np.full(6, 10.0), np.full(6, 4))
    for column, percent in enumerate((1.0, 10.0, 50.0)):
        found = basic_transmission_loss(profile, kept_link(percent))
        for row, values in KEPT_ROWS.items():
            assert getattr(found, LOG_NAMES[row]) == pytest.approx(values[column], rel=1e-9)


def test_every_published_case(shared: Path) -> None:
    folder = shared / "validation" / "p1812"
    profiles = {path.stem: read_profile(path) for path in sorted((folder / "profiles").glob("*.csv"))}
    logs = sorted((folder / "results").glob("*_log.csv"))
    assert len(logs) >= 33
    for path in logs:
        log = read_log(path)
        found = basic_transmission_loss(profiles[path.stem.rsplit("_", 2)[0]], link_of(log))
        assert found.loss_db == pytest.approx(log["Lb (dB),Eq (69)"], rel=0, abs=1e-6)
        for row, field in LOG_NAMES.items():
            assert getattr(found, field) == pytest.approx(log[row], rel=1e-9, abs=1e-12), (path.stem, row)


def test_logs_hold_no_result_without_a_field(shared: Path) -> None:
    log = read_log(shared / "validation" / "p1812" / "results" / "b2iseac_0_log.csv")
    assert set(log) - INPUT_ROWS == set(LOG_NAMES)


def test_the_logged_diffraction_loss_is_the_limited_one(shared: Path) -> None:
    """The logs' Lbd is Lbda; the breakdown keeps equation (43) apart."""
    folder = shared / "validation" / "p1812"
    log = read_log(folder / "results" / "rburg_urban_with_clutter_3_log.csv")
    found = basic_transmission_loss(read_profile(folder / "profiles" / "rburg_urban_with_clutter.csv"), link_of(log))
    assert found.diffraction_db == pytest.approx(log["Lb0p,Eq (10)"] + log["Ldp (dB),Eq (41)"], abs=1e-6)
    assert found.diffraction_db - log["Lbd (dB),Eq (43)"] > 19.0


def test_every_name_is_a_field() -> None:
    assert set(LOG_NAMES.values()) <= set(Breakdown.__slots__)
