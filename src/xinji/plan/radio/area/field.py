"""The path loss from one mast to every pixel around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.core.grid import Grid
from xinji.core.radio import CODES_PER_DB, NOT_COVERED, Losses, LossMap
from xinji.errors import Fault, InputError, raise_if
from xinji.plan.radio.area.bands import band_rows
from xinji.plan.radio.area.enhance import Air
from xinji.plan.radio.area.near import FADED_M, NEAR_M, near_weight, street_loss_db
from xinji.plan.radio.area.rays import Fan, Window, fan_of, fan_to
from xinji.plan.radio.area.reduce import Antennas
from xinji.plan.radio.area.surface import Climate, Mast, Surface
from xinji.plan.radio.area.trace import Ground, trace
from xinji.plan.radio.p1812 import effective_earth_radius_km

VALID_FREQUENCY_MHZ = (30.0, 100_000.0)

NEAR_MODEL_MHZ = 500.0
"""From here TR 38.901 serves near the mast; below, nothing does, and ITU-R P.1812-8 serves alone from 0.25 km."""

TERRAIN_MODEL_MHZ = 6_000.0
"""Up to here ITU-R P.1812-8 is used, above TR 38.901."""

RAYS_PER_RIM_PIXEL = 4.0
"""Keeps a pixel within an eighth of a pixel of its ray; with 2 the engine is a fifth faster and errs twice as much."""

VALID_ANTENNA_M = (1.0, 3_000.0)
VALID_RADIUS_M = (250.0, 200_000.0)


def loss_map(
    surface: Surface,
    mast: Mast,
    *,
    frequency_mhz: tuple[float, ...],
    radius_m: float,
    terminal_m: float,
    climate: Climate,
) -> LossMap:
    """Return the basic transmission loss from a mast to the pixels within ``radius_m``.

    Up to 6 GHz this is ITU-R P.1812-8 along the nearest of as many rays as the rim has pixels, over
    terrain and clutter, with each pixel's own distance and height; nearer than 0.25 km it is the
    mean of 3GPP TR 38.901 over line of sight and none, and from there to 0.5 km the two fade into
    each other. Above 6 GHz TR 38.901 serves alone, as far as its tables go; below 0.5 GHz nothing
    serves nearer than 0.25 km. The terminal stands ``terminal_m`` above ground, outdoors. Raises
    InputError with every figure out of range.
    """
    raise_if(_faults(surface.grid, mast, frequency_mhz, (radius_m, terminal_m)), InputError)
    frame = _frame(surface, mast, radius_m)
    fan = fan_of(frame.window, rays_of(radius_m, frame.window.cell_m), radius_m)
    codes = _traced(frame, fan, (mast.height_m, terminal_m), frequency_mhz, climate)
    loss = codes.reshape(len(frequency_mhz), frame.grid.rows, frame.grid.columns)
    _fade_in(loss, frame, (mast.height_m, terminal_m, radius_m), frequency_mhz)
    return LossMap(mast.site, mast.x_m, mast.y_m, mast.height_m, terminal_m, frequency_mhz, frame.grid, loss)


def loss_at(
    surface: Surface,
    mast: Mast,
    pixels: tuple[Ints, Ints],
    *,
    frequency_mhz: tuple[float, ...],
    terminal_m: float,
    climate: Climate,
) -> Floats:
    """Return what ``loss_map`` would hold at some pixels [dB] (bands, k), infinite where no model serves.

    ``pixels`` are rows and columns of the surface (each (k,), at least one). Who asks for some places of
    a wide surround pays for these alone. Raises InputError as ``loss_map`` does.
    """
    rows, columns = pixels
    grid, cell_m = surface.grid, surface.grid.cell_m
    east, south = (mast.x_m - grid.west_m) / cell_m - 0.5, (grid.north_m - mast.y_m) / cell_m - 0.5
    distance = np.hypot(columns - east, rows - south) * cell_m
    radius_m = max(float(distance.max()) + cell_m, FADED_M, 4.0 * cell_m)
    raise_if(_faults(grid, mast, frequency_mhz, (radius_m, terminal_m)), InputError)
    frame = _frame(surface, mast, radius_m)
    place = (rows - frame.top) * frame.grid.columns + (columns - frame.left)
    fan = fan_to(frame.window, rays_of(radius_m, cell_m), place)
    codes = _traced(frame, fan, (mast.height_m, terminal_m), frequency_mhz, climate)
    _fade_in(
        codes.reshape(len(frequency_mhz), frame.grid.rows, frame.grid.columns),
        frame,
        (mast.height_m, terminal_m, radius_m),
        frequency_mhz,
    )
    found = codes[:, place]
    return np.where(found == NOT_COVERED, np.inf, found / CODES_PER_DB)


class _Frame(NamedTuple):
    """A window of a surface: its frame, the mast's place in it, its first row and column, what it holds."""

    grid: Grid
    window: Window
    top: int
    left: int
    ground: Ground


def _traced(
    frame: _Frame, fan: Fan, antennas_m: tuple[float, float], frequency_mhz: tuple[float, ...], climate: Climate
) -> Losses:
    """Return the loss of the model over terrain (bands, pixels), ``NOT_COVERED`` above 6 GHz and off the fan."""
    codes = np.full((len(frequency_mhz), frame.grid.rows * frame.grid.columns), NOT_COVERED, dtype=np.uint16)
    terrain = [place for place, mhz in enumerate(frequency_mhz) if mhz <= TERRAIN_MODEL_MHZ]
    if not terrain:
        return codes
    bands = band_rows(np.array([frequency_mhz[place] for place in terrain]) / 1e3, climate)
    radius_km = effective_earth_radius_km(climate.refractivity_gradient)
    antennas = Antennas(
        np.float32(antennas_m[0]),
        np.float32(antennas_m[1]),
        np.float32(500.0 / radius_km),
        np.float32(0.78 / bands[:, 2].min()),
    )
    air = Air(climate.time_percent, abs(climate.latitude_deg), radius_km)
    found = np.full((len(terrain), codes.shape[1]), NOT_COVERED, dtype=np.uint16)
    trace(frame.ground, frame.window, fan, antennas, bands, air, found)
    codes[terrain] = found
    return codes


def rays_of(radius_m: float, cell_m: float) -> int:
    """Return how many rays leave the mast: a multiple of four, so that symmetric ground has symmetric losses."""
    return 4 * int(np.ceil(RAYS_PER_RIM_PIXEL * 0.5 * np.pi * radius_m / cell_m))


def _frame(surface: Surface, mast: Mast, radius_m: float) -> _Frame:
    """Return the window of the pixels within the radius."""
    grid = surface.grid
    east, south = (mast.x_m - grid.west_m) / grid.cell_m - 0.5, (grid.north_m - mast.y_m) / grid.cell_m - 0.5
    reach = radius_m / grid.cell_m
    left, right = max(int(np.floor(east - reach)), 0), min(int(np.ceil(east + reach)), grid.columns - 1)
    top, bottom = max(int(np.floor(south - reach)), 0), min(int(np.ceil(south + reach)), grid.rows - 1)
    frame = Grid(
        grid.crs,
        grid.west_m + left * grid.cell_m,
        grid.north_m - top * grid.cell_m,
        grid.cell_m,
        bottom - top + 1,
        right - left + 1,
    )
    window = Window(frame.rows, frame.columns, east - left, south - top, grid.cell_m)
    box = np.s_[top : bottom + 1, left : right + 1]
    clutter = surface.clutter_m[box].copy()
    return _Frame(frame, window, top, left, Ground(surface.ground_m[box].copy(), clutter, bool(clutter.any())))


def _fade_in(
    loss: Losses, frame: _Frame, lengths_m: tuple[float, float, float], frequency_mhz: tuple[float, ...]
) -> None:
    """Put the model without terrain where it serves: near the mast, and above 6 GHz."""
    (mast_m, terminal_m, radius_m), window, clutter_m = lengths_m, frame.window, frame.ground.clutter
    for row, mhz in enumerate(frequency_mhz):
        traced = mhz <= TERRAIN_MODEL_MHZ
        (top, bottom), (left, right) = _around(window, min(FADED_M, radius_m) if traced else radius_m)
        down, across = np.ogrid[top:bottom, left:right]
        distance = np.hypot(down - window.south, across - window.east) * window.cell_m
        weight = near_weight(distance) if traced else np.ones_like(distance)
        box = loss[row, top:bottom, left:right]
        if mhz < NEAR_MODEL_MHZ:
            box[distance < NEAR_M] = NOT_COVERED
            continue
        here = np.nonzero((weight > 0) & (distance <= radius_m))
        built = clutter_m[top:bottom, left:right][here].astype(np.float64)
        near = street_loss_db(distance[here], mhz / 1e3, (mast_m, terminal_m), built)
        far = box[here].astype(np.float64) / CODES_PER_DB
        share = weight[here]
        mixed = np.where(share < 1.0, share * near + (1.0 - share) * far, near)
        coded = np.round(np.minimum(mixed, 655.0) * CODES_PER_DB)
        box[here] = np.where(np.isfinite(mixed), coded, NOT_COVERED).astype(np.uint16)


def _around(window: Window, reach_m: float) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the rows and columns, from and up to, that may lie within a distance of the mast."""
    reach = reach_m / window.cell_m
    top, left = max(int(np.floor(window.south - reach)), 0), max(int(np.floor(window.east - reach)), 0)
    bottom, right = int(np.ceil(window.south + reach)) + 1, int(np.ceil(window.east + reach)) + 1
    return (top, min(bottom, window.rows)), (left, min(right, window.columns))


def _faults(
    grid: Grid, mast: Mast, frequency_mhz: tuple[float, ...], lengths_m: tuple[float, float]
) -> Iterator[Fault]:
    radius_m, terminal_m = lengths_m
    if not frequency_mhz:
        yield Fault("path loss", "no frequency is given", "Give at least one in MHz.")
    figures = [
        *(("frequency", mhz, VALID_FREQUENCY_MHZ, "MHz") for mhz in frequency_mhz),
        ("radius", radius_m, VALID_RADIUS_M, "m"),
        (f"antenna height of {mast.site}", mast.height_m, VALID_ANTENNA_M, "m"),
        ("terminal height", terminal_m, VALID_ANTENNA_M, "m"),
    ]
    for name, value, (low, high), unit in figures:
        if not low <= value <= high:
            yield Fault("path loss", f"{name} is {value:g} {unit}", f"Give a figure from {low:g} to {high:g} {unit}.")
    if not radius_m >= 4 * grid.cell_m:
        found = f"the radius of {radius_m:g} m is under four pixels of {grid.cell_m:g} m"
        yield Fault("path loss", found, "Give a larger radius or a finer terrain.")
    column, row = (mast.x_m - grid.west_m) / grid.cell_m, (grid.north_m - mast.y_m) / grid.cell_m
    if not (0 <= column < grid.columns and 0 <= row < grid.rows):
        found = f"site {mast.site} at {mast.x_m:.0f}, {mast.y_m:.0f} stands off the terrain"
        yield Fault("path loss", found, "Give a terrain that holds it, or leave the site out.")
    elif grid.rows < 2 or grid.columns < 2:
        yield Fault("path loss", "the terrain is one pixel wide", "Give at least two rows and columns.")
