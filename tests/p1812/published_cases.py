"""Published validation profiles and logs of ITU-R P.1812-8, as the package's own types."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from xinji.plan.radio.p1812 import Link, Profile


def read_profile(path: Path) -> Profile:
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    start = next(row for row, cells in enumerate(rows) if cells and cells[0] == "Number of Points:")
    table = [[float(cell) for cell in cells[:5]] for cells in rows[start + 1 : start + 1 + int(rows[start][1])]]
    d, h, _, clutter, zone = np.array(table).T
    return Profile(d.copy(), h.copy(), clutter.copy(), zone.astype(np.int64))


def read_log(path: Path) -> dict[str, float]:
    values = {}
    for cells in csv.reader(path.read_text(encoding="utf-8").splitlines()[1:]):
        if len(cells) == 5 and cells[0].strip():
            values[f"{cells[0].strip()},{cells[1].strip()}"] = float(cells[3])
    return values


def link_of(log: dict[str, float]) -> Link:
    return Link(
        frequency_ghz=log["f (GHz),"],
        time_percent=log["p (%),"],
        location_percent=log["pL (%),"],
        sigma_db=log["sigmaL (dB),"],
        tx_height_m=log["htg (m),"],
        rx_height_m=log["hrg (m),"],
        polarization="horizontal" if log["pol,"] == 1 else "vertical",
        tx_latitude_deg=log["phi_t (deg),"],
        tx_longitude_deg=log["lam_t (deg),"],
        rx_latitude_deg=log["phi_r (deg),"],
        rx_longitude_deg=log["lam_r (deg),"],
        refractivity_gradient=log["DN,"],
        surface_refractivity=log["N0,"],
        tx_coast_km=log["dct (km),"],
        rx_coast_km=log["dcr (km),"],
    )
