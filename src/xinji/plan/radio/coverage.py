"""Which site reaches which cell on which band, outdoors and indoors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.core.parameters import Parameters
from xinji.core.region import Region
from xinji.core.vocabulary import GROUPS
from xinji.plan.radio.antenna import best_sector_db
from xinji.plan.radio.area import Climate, Mast, Surface, climate_of, loss_at, surface_of
from xinji.plan.radio.bands import Band
from xinji.plan.radio.candidates import Candidates
from xinji.plan.radio.indoor import EntryTable, entry_table, outdoor_probability
from xinji.plan.radio.p2109 import elevation_loss_db

PLACES = ("outdoor", "residential", "industrial")
"""Where a user is: outside, in a dwelling or office, in a factory hall."""

QUARTERS = ((-0.25, -0.25), (-0.25, 0.25), (0.25, -0.25), (0.25, 0.25))
"""Points of a cell at which coverage is asked, in sides of the cell from its centre."""

MEDIAN_PERCENT = 50.0
_NOWHERE_DB = 655.0
"""Stands for a loss that no model knows: nothing is received."""


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Pairs (p) of a candidate site and a cell within range.

    ``probability`` (p, bands, places) is the mean over the cell's points of the chance that RSRP
    reaches its threshold; ``rsrp_dbm`` (p, bands) the mean level outdoors.
    """

    site: Ints
    cell: Ints
    probability: Floats
    rsrp_dbm: Floats

    def __post_init__(self) -> None:
        freeze(self.site, self.cell, self.probability, self.rsrp_dbm)


@dataclass(frozen=True, slots=True, eq=False)
class _Settings:
    """What is the same for every site: the ground, thresholds, sectors, tables of entry loss by band and place."""

    surface: Surface
    climate: Climate
    terminal_m: float
    rsrp_min_dbm: float
    sigma_db: float
    azimuths_deg: Floats
    tables: dict[tuple[int, str], EntryTable]


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """How one site sees the points of cells (k pairs, q points): loss [dB] (bands, k, q), directions [deg] (k, q)."""

    loss_db: Floats
    bearing_deg: Floats
    depression_deg: Floats


def cover(region: Region, candidates: Candidates, bands: tuple[Band, ...], wanted: Bools) -> Coverage:
    """Return the coverage of every wanted cell by the candidates within range.

    ``wanted`` (cells,) says which cells have users. Path loss is that of ``area.loss_map`` over the
    region's terrain and clutter for half the time; levels scatter around it by a parameter's standard
    deviation, and indoors ITU-R P.2109-2 comes on top. Raises RegionError for terrain with holes or
    candidates that stand off it.
    """
    settings = _settings(region, bands)
    site, cell = pairs_in_range(region, candidates, wanted)
    probability = np.zeros((len(site), len(bands), len(PLACES)))
    rsrp = np.zeros((len(site), len(bands)))
    order = np.argsort(site, kind="stable")
    ends = np.flatnonzero(np.diff(site[order], append=-1)) + 1
    start = 0
    for end in ends.tolist():
        rows = order[start:end]
        start = end
        view = _view(region, candidates, settings, (int(site[rows[0]]), cell[rows], bands))
        for column, band in enumerate(bands):
            probability[rows, column], rsrp[rows, column] = _link(view, (column, band), settings)
    return Coverage(site, cell, probability, rsrp)


def pairs_in_range(region: Region, candidates: Candidates, wanted: Bools) -> tuple[Ints, Ints]:
    """Return site and cell of every pair within the range of the cell's group, by cell, then site."""
    if not len(candidates) or not wanted.any():
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    cells = region.cells
    reach = np.array([region.parameters.value(f"radio.range_max.{group}", "m") for group in GROUPS])
    rows = np.flatnonzero(wanted)
    tree = cKDTree(np.column_stack([candidates.x_m, candidates.y_m]))
    centres = np.column_stack([cells.x_m[rows], cells.y_m[rows]])
    found = tree.query_ball_point(centres, reach[cells.group[rows]], return_sorted=True)
    count = np.array([len(sites) for sites in found], dtype=np.int64)
    return np.concatenate([np.asarray(sites, dtype=np.int64) for sites in found]), np.repeat(rows, count)


def _settings(region: Region, bands: tuple[Band, ...]) -> _Settings:
    read = region.parameters.value
    sectors = int(read("radio.sectors", "sectors"))
    climate = replace(climate_of(region), time_percent=MEDIAN_PERCENT)
    sigma_db = read("radio.shadowing.sigma", "dB")
    return _Settings(
        surface=surface_of(region),
        climate=climate,
        terminal_m=read("radio.terminal_height", "m"),
        rsrp_min_dbm=read("radio.rsrp_min", "dBm"),
        sigma_db=sigma_db,
        azimuths_deg=read("radio.azimuth_first", "deg") + 360.0 / sectors * np.arange(sectors, dtype=np.float64),
        tables=_tables(region.parameters, bands, sigma_db),
    )


def _tables(parameters: Parameters, bands: tuple[Band, ...], sigma_db: float) -> dict[tuple[int, str], EntryTable]:
    return {
        (band.mhz, place): entry_table(
            band.frequency_ghz, parameters.value(f"radio.thermally_efficient_share.{place}", "share"), sigma_db
        )
        for band in bands
        for place in PLACES[1:]
    }


def _view(
    region: Region, candidates: Candidates, settings: _Settings, asked: tuple[int, Ints, tuple[Band, ...]]
) -> _View:
    (site, cell, bands), cells = asked, region.cells
    side = np.sqrt(cells.area_m2[cell])[:, None]
    east, north = np.array(QUARTERS).T
    x, y = cells.x_m[cell][:, None] + side * east, cells.y_m[cell][:, None] + side * north
    mast = Mast(
        str(candidates.id[site]),
        float(candidates.x_m[site]),
        float(candidates.y_m[site]),
        float(candidates.height_m[site]),
    )
    away = np.hypot(x - mast.x_m, y - mast.y_m)
    row, column, _ = settings.surface.grid.locate(x.ravel(), y.ravel())
    loss = loss_at(
        settings.surface,
        mast,
        (row, column),
        frequency_mhz=tuple(float(band.mhz) for band in bands),
        terminal_m=settings.terminal_m,
        climate=settings.climate,
    )
    ground = settings.surface.ground_m
    foot = settings.surface.grid.locate(np.array([mast.x_m]), np.array([mast.y_m]))
    drop = float(ground[foot[0][0], foot[1][0]]) + mast.height_m - settings.terminal_m - ground[row, column]
    return _View(
        np.minimum(loss, _NOWHERE_DB).reshape(len(bands), *x.shape),
        np.degrees(np.arctan2(x - mast.x_m, y - mast.y_m)),
        np.degrees(np.arctan2(drop.reshape(x.shape), np.maximum(away, 1.0))),
    )


def _link(view: _View, asked: tuple[int, Band], settings: _Settings) -> tuple[Floats, Floats]:
    """Return the probability (k, places) and the mean RSRP outdoors [dBm] (k,) on one band."""
    row, band = asked
    level = band.eirp_per_subcarrier_dbm - view.loss_db[row]
    level += best_sector_db(band.pattern, view.bearing_deg, view.depression_deg, settings.azimuths_deg)
    margin = level - settings.rsrp_min_dbm
    probability = np.empty((len(level), len(PLACES)))
    probability[:, 0] = outdoor_probability(margin, np.full((1, 1), settings.sigma_db)).mean(axis=1)
    # The elevation term belongs to the main part of the loss; taken off the margin it is an upper bound.
    inside = margin - elevation_loss_db(view.depression_deg)
    for column, place in enumerate(PLACES[1:], start=1):
        probability[:, column] = settings.tables[band.mhz, place].read(inside).mean(axis=1)
    return probability, level.mean(axis=1)
