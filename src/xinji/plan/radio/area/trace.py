"""All rays of one mast: sample, reduce, close, and put each pixel's loss in its place."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xinji.core.radio import Losses
from xinji.plan.jit import vectorised
from xinji.plan.radio.area.enhance import Air, Crests, duct_of, find_crests, focusing_db, guided_db, joined_db
from xinji.plan.radio.area.profile import Line, Profile, accumulate, sample, steepen
from xinji.plan.radio.area.quiet import Quiet, fill_quiet, least_ducting_db, nearer_ducting_db, survey_mast
from xinji.plan.radio.area.rays import Fan, Window
from xinji.plan.radio.area.reduce import Antennas, Ends, Reduced, angular_distance, clear_ray, reduce_ray
from xinji.plan.radio.area.smooth import Smooth, smooth_paths
from xinji.plan.radio.area.tail import SCATTER_SHOWS_DB, Band, diffraction_db, median_db, spread_db
from xinji.plan.radio.p1812.climate import DUCTING_RADIUS_KM

HALF_THE_TIME_PERCENT = 50.0


class Ground(NamedTuple):
    """Terrain and clutter heights [m] over a window (rows, columns), and whether there is any clutter."""

    ground: Line
    clutter: Line
    cluttered: bool


class Scene(NamedTuple):
    """What all rays share: the surface and its frame, the terrain at the mast [m], antennas, air, bands (b, 9)."""

    surface: Ground
    window: Window
    foot_m: np.float32
    antennas: Antennas
    air: Air
    bands: Line


class Points(NamedTuple):
    """What is kept of one ray's points.

    ``bare`` and ``top`` are steepest slopes to terrain without and with clutter under the median
    curvature, ``seldom`` the latter under that of ducting [m/km].
    """

    profile: Profile
    bare: Line
    top: Line
    seldom: Line
    crest: Crests
    quiet: Quiet


class Paths(NamedTuple):
    """What is kept of one ray's pixels (m,).

    ``seldom`` and ``bulged`` are ``reduced`` and ``smooth`` for the curvature of ducting; ``rise`` is the
    terminal's height over the mast's antenna [m]; ``spread`` and ``level`` are those of ``spread_db``;
    ``excess`` and ``rare`` (b, m) are diffraction losses for both curvatures [dB]; ``pressing`` tells
    how near ducting comes to mattering [dB], ``least`` from where it does; ``chosen`` the pixels that need it.
    """

    ends: Ends
    reduced: Reduced
    smooth: Smooth
    seldom: Reduced
    bulged: Smooth
    rise: Line
    spread: Line
    level: Line
    angle: Line
    pressing: Line
    least: Line
    excess: Line
    rare: Line
    loss: Line
    chosen: npt.NDArray[np.int32]


@vectorised
def trace(surface: Ground, window: Window, fan: Fan, antennas: Antennas, bands: Line, air: Air, codes: Losses) -> None:
    """Fill in the loss not exceeded in ``air``'s share of time, in hundredths of a decibel.

    ``bands`` (b, 9) holds the fields of ``Band``; ``codes`` (b, rows x columns).
    """
    rays = fan.start.size - 1
    farthest, widest = 0.0, 0
    for ray in range(rays):
        widest = max(widest, fan.start[ray + 1] - fan.start[ray])
    for one in fan.distance_m:
        farthest = max(farthest, one)
    scene = Scene(surface, window, _foot(surface, window), antennas, air, bands)
    points = _points(int(farthest / window.cell_m) + 3, window.cell_m / 1e3, scene)
    lines = np.zeros((19, widest), np.float32)
    by_band = np.zeros((3, bands.shape[0], widest), np.float32)
    whole = np.zeros((2, widest), np.int32)
    for ray in range(rays):
        first, size = fan.start[ray], fan.start[ray + 1] - fan.start[ray]
        if size > 0:
            paths = _paths(lines, by_band, whole, size)
            here = _place(scene, fan, first, paths)
            turn = 2.0 * np.pi * ray / rays
            heading = (np.sin(turn), -np.cos(turn))
            sample((surface.ground, surface.clutter), window, heading, here, points.profile)
            _reduce(scene, points, here, paths)
            _close(scene, points, here, paths)
            for row in range(bands.shape[0]):
                for at in range(size):
                    code = np.uint16(min(paths.loss[row, at], np.float32(655)) * np.float32(100) + np.float32(0.5))
                    codes[row, fan.pixel[first + at]] = code


@vectorised
def _place(scene: Scene, fan: Fan, first: int, paths: Paths) -> int:
    """Fill in where one ray's pixels lie, and return how many points its profile needs."""
    reach = np.float32(0)
    flat = scene.surface.ground.ravel()
    higher = scene.antennas.terminal_m - scene.antennas.mast_m
    for at in range(paths.rise.size):
        reach = max(reach, fan.distance_m[first + at])
        paths.ends.distance[at] = fan.distance_m[first + at] * np.float32(1e-3)
        paths.ends.ground[at] = flat[fan.pixel[first + at]] - scene.foot_m
        paths.rise[at] = paths.ends.ground[at] + higher
    return int(reach / scene.window.cell_m) + 2


@vectorised
def _reduce(scene: Scene, points: Points, here: int, paths: Paths) -> None:
    """Fill in everything along one ray, and diffraction on every band."""
    profile, antennas, ends = points.profile, scene.antennas, paths.ends
    step_km = profile.distance[1]
    accumulate(profile, here, antennas.mast_m)
    steepen(profile, profile.ground, here, (antennas.curvature, antennas.mast_m), points.bare)
    if scene.surface.cluttered:
        steepen(profile, profile.top, here, (antennas.curvature, antennas.mast_m), points.top)
    reduce_ray(profile, points.top if scene.surface.cluttered else points.bare, ends, antennas, paths.reduced)
    smooth_paths(ends, paths.reduced, (np.float32(500) / antennas.curvature, step_km), paths.smooth)
    spread_db(ends, paths.rise, paths.spread, paths.level)
    for row in range(scene.bands.shape[0]):
        diffraction_db(
            ends, paths.reduced, paths.smooth, _band(scene.bands[row]), paths.excess[row, : ends.distance.size]
        )
    if scene.air.time_percent < HALF_THE_TIME_PERCENT:
        radius_km = np.float32(DUCTING_RADIUS_KM)
        bent = Antennas(antennas.mast_m, antennas.terminal_m, np.float32(500) / radius_km, antennas.clear)
        steepen(profile, profile.top, here, (bent.curvature, bent.mast_m), points.seldom)
        clear_ray(profile, points.seldom, ends, bent, paths.seldom)
        smooth_paths(ends, paths.seldom, (radius_km, step_km), paths.bulged)
        for row in range(scene.bands.shape[0]):
            diffraction_db(
                ends, paths.seldom, paths.bulged, _band(scene.bands[row]), paths.rare[row, : ends.distance.size]
            )


@vectorised
def _close(scene: Scene, points: Points, here: int, paths: Paths) -> None:
    """Fill in the loss of one ray's pixels on every band."""
    if scene.air.time_percent < HALF_THE_TIME_PERCENT:
        for at in range(paths.rise.size):
            paths.chosen[at] = np.int32(at)
        _enhance(scene, points, here, paths, paths.rise.size)
        return
    size = paths.rise.size
    _press(scene, points, here, paths)
    for row in range(scene.bands.shape[0]):
        band = _band(scene.bands[row])
        median_db((paths.spread, paths.level, paths.angle), band, paths.excess[row, :size], paths.loss[row, :size])
    count = 0
    for at in range(paths.rise.size):
        last = paths.reduced.last[at]
        if paths.pressing[at] > paths.least[at] and last > 0:
            end = (paths.ends.distance[at], paths.ends.ground[at] + scene.antennas.terminal_m)
            slopes = (points.bare[last], paths.reduced.back[at])
            bound = nearer_ducting_db(points.profile, last, end, slopes, (scene.antennas, points.quiet))
            if paths.pressing[at] > bound:
                paths.chosen[count] = np.int32(at)
                count += 1
    if count > 0:
        _enhance(scene, points, here, paths, count)


@vectorised
def _press(scene: Scene, points: Points, here: int, paths: Paths) -> None:
    """Fill in how far ducting is from mattering, and the angle of paths on which scatter may show."""
    survey_mast(points.profile, points.bare, here, points.quiet)
    least_ducting_db(paths.ends, paths.rise, paths.reduced.last, points.quiet, paths.least)
    shows = paths.angle
    shows[:] = np.float32(-1e9)
    paths.pressing[:] = np.float32(-1e9)
    for row in range(scene.bands.shape[0]):
        band, excess = _band(scene.bands[row]), paths.excess[row, : shows.size]
        scatter = band.scatter - band.free_space - SCATTER_SHOWS_DB
        guided = band.guided - band.free_space
        for at in range(excess.size):
            diffracted = excess[at] + paths.spread[at]
            shows[at] = max(shows[at], diffracted - paths.level[at] - scatter)
            paths.pressing[at] = max(paths.pressing[at], diffracted - guided)
    for at in range(shows.size):
        # Without an angle scatter is least.
        if shows[at] > 0:
            end = (paths.ends.distance[at], paths.ends.ground[at] + scene.antennas.terminal_m)
            slopes = (points.bare[max(paths.reduced.last[at], 0)], paths.reduced.back[at])
            found = angular_distance(slopes, end, scene.antennas)
            paths.angle[at] = max(found, np.float32(0))
        else:
            paths.angle[at] = np.float32(0)


@vectorised
def _enhance(scene: Scene, points: Points, here: int, paths: Paths, count: int) -> None:
    """Fill in the loss of the first ``count`` chosen pixels, ducting included."""
    antennas, profile = scene.antennas, points.profile
    find_crests(profile, here, (500.0 / scene.air.radius_km, np.float64(antennas.mast_m)), points.crest)
    half = scene.air.time_percent >= HALF_THE_TIME_PERCENT
    rare = paths.excess if half else paths.rare
    for place in range(count):
        at = paths.chosen[place]
        last = paths.reduced.last[at]
        length, ground = np.float64(paths.ends.distance[at]), np.float64(paths.ends.ground[at])
        if last < 1:
            # Nothing lies between the antennas.
            for row in range(scene.bands.shape[0]):
                free = scene.bands[row, 4] + paths.spread[at]
                paths.loss[row, at] = free + focusing_db(scene.air.time_percent, length)
            continue
        duct = duct_of(profile, points.crest, last, (length, ground), antennas, scene.air)
        for row in range(scene.bands.shape[0]):
            band = _band(scene.bands[row])
            free = np.float64(band.free_space + paths.spread[at])
            excess = (np.float64(paths.excess[row, at]), np.float64(rare[row, at]))
            guided = guided_db(band, duct)
            if half and guided >= free + excess[0]:
                continue
            scattered = np.float64(band.scatter + paths.level[at]) + 0.573 * duct.path_mrad
            paths.loss[row, at] = joined_db(free, excess, scattered, guided, duct)


@vectorised
def _points(size: int, step_km: float, scene: Scene) -> Points:
    """Return room for a ray's points, the tables filled in."""
    distance = np.empty(size, np.float32)
    inverse = np.empty(size, np.float32)
    for point in range(size):
        distance[point] = point * step_km
        inverse[point] = 1.0 / max(point * step_km, 1e-9)
    line = np.zeros((10, size), np.float32)
    line[3:6] = np.float32(-1e9)
    sums = np.zeros((2, size), np.float64)
    lowest, lean = np.float32(1e9), np.float32(0)
    for row in range(scene.bands.shape[0]):
        band = _band(scene.bands[row])
        lowest, lean = min(lowest, band.frequency_ghz), max(lean, band.per_mrad - np.float32(0.264) * band.third)
    quiet = Quiet(line[6], line[7], line[8], line[9], lowest, lean)
    if scene.air.time_percent >= HALF_THE_TIME_PERCENT:
        fill_quiet(step_km, scene.air.latitude_deg, quiet)
    return Points(
        Profile(distance, inverse, line[0], line[1], line[2], sums[0], sums[1]),
        line[3],
        line[4],
        line[5],
        np.zeros(size, np.int32),
        quiet,
    )


@vectorised
def _paths(line: Line, by_band: npt.NDArray[np.float32], whole: npt.NDArray[np.int32], size: int) -> Paths:
    """Return one ray's share of the room for pixels."""
    return Paths(
        Ends(line[0, :size], line[1, :size]),
        Reduced(line[2, :size], line[18, :size], line[3, :size], line[4, :size], whole[0, :size]),
        Smooth(line[5, :size], line[6, :size], line[7, :size]),
        Reduced(line[8, :size], line[18, :size], line[3, :size], line[4, :size], whole[0, :size]),
        Smooth(line[9, :size], line[10, :size], line[11, :size]),
        line[12, :size],
        line[13, :size],
        line[14, :size],
        line[15, :size],
        line[16, :size],
        line[17, :size],
        by_band[0],
        by_band[1],
        by_band[2],
        whole[1],
    )


@vectorised
def _band(row: Line) -> Band:
    return Band(row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8])


@vectorised
def _foot(surface: Ground, window: Window) -> np.float32:
    """Return the terrain at the mast [m], as ``sample`` reads it."""
    x = min(max(window.east, 0.0), float(window.columns - 1))
    y = min(max(window.south, 0.0), float(window.rows - 1))
    column, row = min(int(x), window.columns - 2), min(int(y), window.rows - 2)
    right, below = np.float32(x - column), np.float32(y - row)
    ground = surface.ground
    upper = ground[row, column] + right * (ground[row, column + 1] - ground[row, column])
    lower = ground[row + 1, column] + right * (ground[row + 1, column + 1] - ground[row + 1, column])
    return np.float32(upper + below * (lower - upper))
