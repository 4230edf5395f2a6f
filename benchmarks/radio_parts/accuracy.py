"""Errors of the raster: against the float64 reference on the same profile, and on each pixel's own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from radio_parts.scenes import ANTENNA_M, BANDS_MHZ, SEED, TERMINAL_M, Scene

from xinji.core.arrays import Floats, Ints
from xinji.core.radio import CODES_PER_DB, NOT_COVERED, LossMap
from xinji.plan.radio.area.field import rays_of
from xinji.plan.radio.area.near import FADED_M
from xinji.plan.radio.area.rays import Window, fan_of
from xinji.plan.radio.p1812 import Link, Profile, basic_transmission_loss

INLAND = 4
COAST_KM = 500.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Pixels (n,) of a map: their place in it, and in the surface in pixels from the first one's centre.

    ``distance_m`` from the mast; ``turn`` is the bearing of the ray that serves the pixel [rad].
    """

    row: Ints
    column: Ints
    x: Floats
    y: Floats
    distance_m: Floats
    turn: Floats


@dataclass(frozen=True, slots=True)
class Errors:
    """Raster less reference [dB], a row for each band and a column for each pixel, and the reference's seconds."""

    same: Floats
    every_cell: Floats
    equal_steps: Floats
    reference_s: float


def link(scene: Scene, mhz: float) -> Link:
    """Return the link of the reference."""
    climate = scene.climate
    return Link(
        frequency_ghz=mhz / 1e3,
        time_percent=climate.time_percent,
        location_percent=50.0,
        sigma_db=0.0,
        tx_height_m=ANTENNA_M,
        rx_height_m=TERMINAL_M,
        polarization="vertical" if climate.vertical else "horizontal",
        tx_latitude_deg=climate.latitude_deg,
        tx_longitude_deg=120.0,
        rx_latitude_deg=climate.latitude_deg,
        rx_longitude_deg=120.0,
        refractivity_gradient=climate.refractivity_gradient,
        surface_refractivity=climate.surface_refractivity,
        tx_coast_km=COAST_KM,
        rx_coast_km=COAST_KM,
    )


def _place(scene: Scene) -> tuple[float, float]:
    """Return the mast's pixels east and south of the first pixel's centre."""
    grid, mast = scene.surface.grid, scene.mast
    return (mast.x_m - grid.west_m) / grid.cell_m - 0.5, (grid.north_m - mast.y_m) / grid.cell_m - 0.5


def _turns(scene: Scene, made: LossMap, left: int, top: int) -> npt.NDArray[np.float64]:
    """Return the bearing of each pixel's ray [rad] (rows x columns,)."""
    cell = scene.surface.grid.cell_m
    east, south = _place(scene)
    window = Window(made.grid.rows, made.grid.columns, east - left, south - top, cell)
    rays = rays_of(scene.radius_m, cell)
    fan = fan_of(window, rays, scene.radius_m)
    turn = np.full(made.grid.rows * made.grid.columns, np.nan)
    turn[fan.pixel] = np.repeat(np.arange(rays), np.diff(fan.start)) * (2.0 * np.pi / rays)
    return turn


def draw(scene: Scene, made: LossMap, n: int) -> Sample:
    """Return ``n`` pixels of a map, drawn from those that ITU-R P.1812-8 serves alone."""
    grid = scene.surface.grid
    left, top = (
        round((made.grid.west_m - grid.west_m) / grid.cell_m),
        round((grid.north_m - made.grid.north_m) / grid.cell_m),
    )
    east, south = _place(scene)
    row, column = np.nonzero(made.loss[0] != NOT_COVERED)
    distance = np.hypot(column + left - east, row + top - south) * grid.cell_m
    far = np.nonzero(distance > FADED_M)[0]
    picked = np.random.default_rng(SEED).choice(far, min(n, len(far)), replace=False)
    row, column = row[picked], column[picked]
    turn = _turns(scene, made, left, top)[row * made.grid.columns + column]
    x, y = (column + left).astype(float), (row + top).astype(float)
    return Sample(row, column, x, y, distance[picked], turn)


def heights(scene: Scene, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return terrain (bilinear) and clutter (nearest) [m] at points in pixels (n,)."""
    ground, clutter = scene.surface.ground_m, scene.surface.clutter_m
    x, y = np.clip(x, 0.0, ground.shape[1] - 1.0), np.clip(y, 0.0, ground.shape[0] - 1.0)
    column, row = np.minimum(x.astype(int), ground.shape[1] - 2), np.minimum(y.astype(int), ground.shape[0] - 2)
    right, below = x - column, y - row
    upper = ground[row, column] * (1.0 - right) + ground[row, column + 1] * right
    lower = ground[row + 1, column] * (1.0 - right) + ground[row + 1, column + 1] * right
    return upper * (1.0 - below) + lower * below, clutter[(y + 0.5).astype(int), (x + 0.5).astype(int)].astype(float)


def intervals(scene: Scene, distance_m: float) -> int:
    """Return the number of intervals of a path, each about a pixel."""
    return int(distance_m / scene.surface.grid.cell_m + 0.5)


def _profile(scene: Scene, distance_m: Floats, x: Floats, y: Floats) -> Profile:
    ground, clutter = heights(scene, x, y)
    return Profile(distance_m / 1e3, ground, clutter, np.full(len(ground), INLAND))


def ray_profile(scene: Scene, sample: Sample, k: int) -> Profile:
    """Return the profile that the raster uses: along the ray, then to the pixel's own distance and height."""
    return _cells(scene, sample, k, float(sample.turn[k]))


def every_cell_profile(scene: Scene, sample: Sample, k: int) -> Profile:
    """Return a point for each pixel length along the straight line from the mast, and the pixel itself."""
    east, south = _place(scene)
    return _cells(scene, sample, k, float(np.arctan2(sample.x[k] - east, south - sample.y[k])))


def _cells(scene: Scene, sample: Sample, k: int, turn: float) -> Profile:
    east, south = _place(scene)
    step = np.arange(intervals(scene, float(sample.distance_m[k])))
    x, y = np.append(east + np.sin(turn) * step, sample.x[k]), np.append(south - np.cos(turn) * step, sample.y[k])
    return _profile(scene, np.append(step * scene.surface.grid.cell_m, sample.distance_m[k]), x, y)


def equal_steps_profile(scene: Scene, sample: Sample, k: int) -> Profile:
    """Return equal intervals of about a pixel on the straight line from the mast to the pixel."""
    east, south = _place(scene)
    share = np.linspace(0.0, 1.0, intervals(scene, float(sample.distance_m[k])) + 1)
    x, y = east + (sample.x[k] - east) * share, south + (sample.y[k] - south) * share
    return _profile(scene, sample.distance_m[k] * share, x, y)


def measure(scene: Scene, n: int) -> Errors:
    """Return the errors of a sample of ``n`` pixels on all bands."""
    made = scene.map(*BANDS_MHZ)
    sample = draw(scene, made, n)
    level = made.loss[:, sample.row, sample.column] / CODES_PER_DB
    links = [link(scene, mhz) for mhz in BANDS_MHZ]
    kinds: tuple[Callable[[Scene, Sample, int], Profile], ...] = (ray_profile, every_cell_profile, equal_steps_profile)
    wanted = np.empty((len(kinds), *level.shape))
    spent = 0.0
    for kind, profile_of in enumerate(kinds):
        for k in range(level.shape[1]):
            profile = profile_of(scene, sample, k)
            begun = time.process_time()
            wanted[kind, :, k] = [basic_transmission_loss(profile, one).loss_db for one in links]
            spent += time.process_time() - begun
    same, every_cell, equal_steps = level - wanted
    return Errors(same, every_cell, equal_steps, spent / wanted.size)
