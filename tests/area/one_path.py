"""Seeded ground, and the float64 reference's answer for single pixels of an area."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xinji.core.grid import Grid
from xinji.core.radio import NOT_COVERED
from xinji.plan.radio.area import Climate, Mast, Surface, loss_map
from xinji.plan.radio.area.field import rays_of
from xinji.plan.radio.p1812 import Link, Profile, basic_transmission_loss

CELL_M = 30.0
EARTH_KM = 6371.0


def fractal(size: int, seed: int, rough_m: float) -> npt.NDArray[np.float64]:
    """Return heights [m] (size, size) with the spectrum of hills, lowest 0, standard deviation ``rough_m``."""
    rng = np.random.default_rng(seed)
    wave = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    wave[0, 0] = 1.0
    tone = (rng.normal(size=wave.shape) + 1j * rng.normal(size=wave.shape)) * wave**-1.8
    tone[0, 0] = 0.0
    heights = np.fft.irfft2(tone, (size, size))
    heights *= rough_m / heights.std()
    return np.asarray(heights - heights.min())


def clutter(size: int, seed: int) -> npt.NDArray[np.float64]:
    """Return clutter heights [m] (size, size) in blocks of four pixels."""
    blocks = np.random.default_rng(seed).choice([0.0, 0.0, 10.0, 15.0, 20.0], size=(size // 4 + 1, size // 4 + 1))
    return np.asarray(blocks.repeat(4, 0).repeat(4, 1)[:size, :size])


def surface(
    ground_m: npt.NDArray[np.float64], clutter_m: npt.NDArray[np.float64] | None = None, cell_m: float = CELL_M
) -> Surface:
    """Return a surface whose first pixel's outer corner is at 0, rows * cell."""
    rows, columns = ground_m.shape
    grid = Grid("EPSG:32650", 0.0, rows * cell_m, cell_m, rows, columns)
    above = np.zeros(ground_m.shape) if clutter_m is None else clutter_m
    return Surface(
        grid, ground_m.astype(np.float32), above.astype(np.float32), np.zeros(ground_m.shape, dtype=np.uint8)
    )


def link_of(mast_m: float, terminal_m: float, ghz: float, length_km: float, climate: Climate) -> Link:
    """Return the reference's link, its middle at the climate's latitude."""
    half = np.degrees(0.5 * length_km / EARTH_KM)
    return Link(
        frequency_ghz=ghz,
        time_percent=climate.time_percent,
        location_percent=50.0,
        sigma_db=0.0,
        tx_height_m=mast_m,
        rx_height_m=terminal_m,
        polarization="vertical" if climate.vertical else "horizontal",
        tx_latitude_deg=climate.latitude_deg - half,
        tx_longitude_deg=10.0,
        rx_latitude_deg=climate.latitude_deg + half,
        rx_longitude_deg=10.0,
        refractivity_gradient=climate.refractivity_gradient,
        surface_refractivity=climate.surface_refractivity,
        tx_coast_km=500.0,
        rx_coast_km=500.0,
    )


def ray_profile(ground: Surface, mast: Mast, pixel: tuple[int, int], rays: int) -> Profile:
    """Return the profile to a pixel along its nearest ray: a point a cell, then the pixel itself."""
    grid, (row, column) = ground.grid, pixel
    east, south = (mast.x_m - grid.west_m) / grid.cell_m - 0.5, (grid.north_m - mast.y_m) / grid.cell_m - 0.5
    length = np.hypot(column - east, row - south)
    turn = 2.0 * np.pi * np.round(np.arctan2(column - east, south - row) / (2.0 * np.pi) * rays) / rays
    along = np.arange(int(length + 0.5))
    x = np.clip(east + np.sin(turn) * along, 0.0, grid.columns - 1.0)
    y = np.clip(south - np.cos(turn) * along, 0.0, grid.rows - 1.0)
    heights = ground.ground_m.astype(np.float64)
    left, top = np.minimum(x.astype(int), grid.columns - 2), np.minimum(y.astype(int), grid.rows - 2)
    right, below = x - left, y - top
    upper = heights[top, left] * (1.0 - right) + heights[top, left + 1] * right
    lower = heights[top + 1, left] * (1.0 - right) + heights[top + 1, left + 1] * right
    stands = ground.clutter_m[(y + 0.5).astype(int), (x + 0.5).astype(int)].astype(np.float64)
    return Profile(
        np.append(along, length) * grid.cell_m / 1e3,
        np.append(upper * (1.0 - below) + lower * below, heights[row, column]),
        np.append(stands, 0.0),
        np.full(len(along) + 1, 4),
    )


def differences_db(
    ground: Surface, mast: Mast, climate: Climate, *, radius_m: float, terminal_m: float, count: int
) -> npt.NDArray[np.float64]:
    """Return area less reference [dB] (pixels, bands) of some pixels beyond 0.5 km, on three bands."""
    mhz = (700.0, 2600.0, 6000.0)
    area = loss_map(ground, mast, frequency_mhz=mhz, radius_m=radius_m, terminal_m=terminal_m, climate=climate)
    rays = rays_of(radius_m, ground.grid.cell_m)
    left = round((area.grid.west_m - ground.grid.west_m) / ground.grid.cell_m)
    top = round((ground.grid.north_m - area.grid.north_m) / ground.grid.cell_m)
    rows, columns = np.nonzero(area.loss[0] != NOT_COVERED)
    found = []
    for at in np.random.default_rng(5).permutation(len(rows)):
        row, column = int(rows[at]), int(columns[at])
        profile = ray_profile(ground, mast, (row + top, column + left), rays)
        if profile.length_km < 0.5:
            continue
        links = [link_of(mast.height_m, terminal_m, f / 1e3, profile.length_km, climate) for f in mhz]
        exact = [basic_transmission_loss(profile, link).loss_db for link in links]
        found.append(area.loss[:, row, column] / 100.0 - exact)
        if len(found) == count:
            break
    return np.array(found)
