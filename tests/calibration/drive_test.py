"""Drive tests made from a known truth: sites, routes, correlated shadowing, offsets by land use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats
from xinji.core.vocabulary import LAND_USES
from xinji.plan.radio.calibration_bins import Comparison

OPEN, RESIDENTIAL, INDUSTRIAL = (LAND_USES.index(name) for name in ("open", "residential", "industrial"))
TRUTH_DB = {OPEN: -4.0, RESIDENTIAL: 6.0, INDUSTRIAL: 2.0}
STEP_M = 10.0


@dataclass(frozen=True, slots=True)
class Truth:
    """How a drive test is made: sites, routes by site, and what the model lacks [dB]."""

    sites: int = 12
    routes: int = 4
    points: int = 250
    site_sigma_db: float = 2.0
    sigma_db: float = 7.0
    decorrelation_m: float = 50.0
    slope_db: float = 0.0
    offsets_db: tuple[tuple[int, float], ...] = tuple(TRUTH_DB.items())


def drive(seed: int, truth: Truth | None = None) -> Comparison:
    """Return a drive test: each route is a straight line away from its site, past all land uses in turn."""
    truth = truth or Truth()
    random = np.random.default_rng(seed)
    shape = (truth.sites, truth.routes, truth.points)
    along = 200.0 + STEP_M * np.arange(truth.points) + random.uniform(0.0, 50.0, shape[:2])[:, :, None]
    bearing = (2 * np.pi * (np.arange(truth.routes) + random.uniform(size=(truth.sites, 1))) / truth.routes)[:, :, None]
    x_m = 6_000.0 * np.arange(truth.sites)[:, None, None] + along * np.sin(bearing)
    y_m = along * np.cos(bearing)
    codes = np.array([code for code, _ in truth.offsets_db])
    offsets = np.array([offset for _, offset in truth.offsets_db])
    stretch = (np.arange(truth.points) * STEP_M // 250.0).astype(np.int64) + random.integers(0, 9, shape[:2])[
        :, :, None
    ]
    use = stretch % len(codes)
    lacking = offsets[use] + truth.slope_db * np.log10(along / 1_000.0)
    lacking = lacking + random.normal(0.0, truth.site_sigma_db, truth.sites)[:, None, None]
    lacking = lacking + truth.sigma_db * shadowing(random, shape, truth.decorrelation_m)
    predicted = 15.0 - 128.0 - 37.6 * np.log10(along / 1_000.0) + 20.0
    fading = random.normal(0.0, 2.0, shape)
    names = np.array([f"S{number:02d}" for number in range(truth.sites)])
    return Comparison(
        x_m=x_m.ravel(),
        y_m=y_m.ravel(),
        measured_dbm=(predicted - lacking + fading).ravel(),
        predicted_dbm=predicted.ravel(),
        clutter_class=codes[use].ravel().astype(np.uint8),
        site=np.broadcast_to(names[:, None, None], shape).ravel(),
        band_mhz=np.full(x_m.size, 2600, dtype=np.int64),
        distance_m=np.broadcast_to(along, shape).ravel().copy(),
    )


def shadowing(random: np.random.Generator, shape: tuple[int, int, int], decorrelation_m: float) -> Floats:
    """Return Gudmundson's process of unit variance along each route."""
    keep = np.exp(-STEP_M / decorrelation_m) if decorrelation_m else 0.0
    values = random.normal(size=shape)
    for k in range(1, shape[2]):
        values[:, :, k] = keep * values[:, :, k - 1] + np.sqrt(1.0 - keep**2) * values[:, :, k]
    return values
