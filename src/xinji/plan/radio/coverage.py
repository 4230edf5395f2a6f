"""Which site reaches which cell on which band, outdoors and indoors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from xinji.core.arrays import Bools, Floats, Ints, Strings, freeze
from xinji.core.parameters import Parameters
from xinji.core.region import Region
from xinji.core.vocabulary import GROUPS
from xinji.plan.radio.antenna import best_sector_db
from xinji.plan.radio.bands import Band
from xinji.plan.radio.candidates import Candidates
from xinji.plan.radio.indoor import EntryTable, entry_table, outdoor_probability
from xinji.plan.radio.p2109 import elevation_loss_db
from xinji.plan.radio.tr38901 import (
    SCENARIOS,
    VALID_DISTANCE_M,
    VALID_HEIGHT_M,
    los_probability,
    path_loss_db,
    rma_breakpoint_m,
    shadow_fading_db,
)

PLACES = ("outdoor", "residential", "industrial")
"""Where a user is: outside, in a dwelling or office, in a factory hall."""

QUARTERS = ((-0.25, -0.25), (-0.25, 0.25), (0.25, -0.25), (0.25, 0.25))
"""Points of a cell at which coverage is asked, in sides of the cell from its centre."""

_CHUNK = 20_000
_NEAREST_M = min(low for low, _ in VALID_DISTANCE_M.values())


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
class _Paths:
    """Paths from sites to the points of cells, all of one scenario (k pairs, q points).

    Distance [m], bearing and depression [deg] have shape (k, q); ``height_m`` (k, 1);
    ``clear`` (k, 1) is whether bare terrain leaves the straight line free.
    """

    scenario: str
    distance_m: Floats
    bearing_deg: Floats
    depression_deg: Floats
    height_m: Floats
    clear: Bools


@dataclass(frozen=True, slots=True, eq=False)
class _Settings:
    """What is the same for every path: thresholds, sectors, tables of entry loss."""

    terminal_m: float
    rsrp_min_dbm: float
    azimuths_deg: Floats
    efficient_share: dict[str, float]
    terrain_points: int
    tables: dict[tuple[int, str, float], EntryTable]

    def table(self, band: Band, place: str, sigma_db: float) -> EntryTable:
        """Return the entry table of a band, kind of building and fading, made once."""
        key = (band.mhz, place, sigma_db)
        if key not in self.tables:
            self.tables[key] = entry_table(band.frequency_ghz, self.efficient_share[place], sigma_db)
        return self.tables[key]


def cover(region: Region, candidates: Candidates, bands: tuple[Band, ...], wanted: Bools) -> Coverage:
    """Return the coverage of every wanted cell by the candidates within range.

    ``wanted`` (cells,) says which cells have users. Cells of the rural group follow RMa; others
    UMa, or UMi below an antenna height that is a parameter. Heights beyond a scenario's range
    count as at its end, distances below 10 m as 10 m.
    """
    settings = _settings(region.parameters)
    site, cell = pairs_in_range(region, candidates, wanted)
    probability = np.zeros((len(site), len(bands), len(PLACES)))
    rsrp = np.zeros((len(site), len(bands)))
    scenario = _scenarios(region, candidates, site, cell)
    for name, rows in _chunks(scenario):
        paths = _paths(region, candidates, settings, (name, site[rows], cell[rows]))
        for column, band in enumerate(bands):
            probability[rows, column], rsrp[rows, column] = _link(paths, band, settings)
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


def is_clear(region: Region, start_m: Floats, end_m: Floats, points: int) -> Bools:
    """Return whether bare terrain leaves the straight line between two points free (shape (k,)).

    ``start_m`` and ``end_m`` (k, 3) hold x, y and height above ground [m]; terrain is read at
    ``points`` places in between. A missing elevation blocks nothing.
    """
    ground = region.terrain.sample
    first = ground(start_m[:, 0], start_m[:, 1]) + start_m[:, 2]
    last = ground(end_m[:, 0], end_m[:, 1]) + end_m[:, 2]
    clear = np.ones(len(start_m), dtype=bool)
    for part in np.arange(1, points + 1) / (points + 1):
        middle = start_m[:, :2] + part * (end_m[:, :2] - start_m[:, :2])
        clear &= ~(ground(middle[:, 0], middle[:, 1]) > first + part * (last - first))
    return clear


def _settings(parameters: Parameters) -> _Settings:
    sectors = int(parameters.value("radio.sectors", "sectors"))
    first = parameters.value("radio.azimuth_first", "deg")
    return _Settings(
        terminal_m=parameters.value("radio.terminal_height", "m"),
        rsrp_min_dbm=parameters.value("radio.rsrp_min", "dBm"),
        azimuths_deg=first + 360.0 / sectors * np.arange(sectors, dtype=np.float64),
        efficient_share={
            place: parameters.value(f"radio.thermally_efficient_share.{place}", "share") for place in PLACES[1:]
        },
        terrain_points=int(parameters.value("radio.terrain_points", "points")),
        tables={},
    )


def _scenarios(region: Region, candidates: Candidates, site: Ints, cell: Ints) -> Strings:
    low = candidates.height_m[site] <= region.parameters.value("radio.umi_height_max", "m")
    rural = region.cells.group[cell] == GROUPS.index("rural")
    return np.where(rural, "RMa", np.where(low, "UMi", "UMa"))


def _chunks(scenario: Strings) -> Iterator[tuple[str, Ints]]:
    for name in SCENARIOS:
        rows = np.flatnonzero(scenario == name)
        for start in range(0, len(rows), _CHUNK):
            yield name, rows[start : start + _CHUNK]


def _paths(region: Region, candidates: Candidates, settings: _Settings, pairs: tuple[str, Ints, Ints]) -> _Paths:
    scenario, site, cell = pairs
    cells, side = region.cells, np.sqrt(region.cells.area_m2[cell])[:, None]
    east, north = np.array(QUARTERS).T
    across = cells.x_m[cell][:, None] + side * east - candidates.x_m[site][:, None]
    along = cells.y_m[cell][:, None] + side * north - candidates.y_m[site][:, None]
    distance = np.clip(np.hypot(across, along), _NEAREST_M, VALID_DISTANCE_M[scenario, False][1])
    height = np.clip(candidates.height_m[site], *VALID_HEIGHT_M[scenario])[:, None]
    antenna = np.column_stack([candidates.x_m[site], candidates.y_m[site], candidates.height_m[site]])
    user = np.column_stack([cells.x_m[cell], cells.y_m[cell], np.full(len(cell), settings.terminal_m)])
    return _Paths(
        scenario,
        distance,
        np.degrees(np.arctan2(across, along)),
        np.degrees(np.arctan2(height - settings.terminal_m, distance)),
        height,
        is_clear(region, antenna, user, settings.terrain_points)[:, None],
    )


def _link(paths: _Paths, band: Band, settings: _Settings) -> tuple[Floats, Floats]:
    """Return the probability (k, places) and the mean RSRP outdoors [dBm] (k,) on one band."""
    sight = los_probability(paths.scenario, paths.distance_m) * paths.clear
    radiated = band.eirp_per_subcarrier_dbm + best_sector_db(
        band.pattern, paths.bearing_deg, paths.depression_deg, settings.azimuths_deg
    )
    probability = np.zeros((len(paths.distance_m), len(PLACES)))
    level = np.zeros_like(paths.distance_m)
    frequency, terminal = np.full((1, 1), band.frequency_ghz), np.full((1, 1), settings.terminal_m)
    edge = rma_breakpoint_m(frequency, paths.height_m, terminal)
    for los, weight in ((True, sight), (False, 1.0 - sight)):
        loss = path_loss_db(paths.scenario, paths.distance_m, frequency, paths.height_m, terminal, los=los)
        sigma = shadow_fading_db(paths.scenario, paths.distance_m, edge, los=los)
        margin = radiated - loss - settings.rsrp_min_dbm
        level += weight * (radiated - loss)
        for column, place in enumerate(PLACES):
            chance = _chance(margin, sigma, paths.depression_deg, (band, place, settings))
            probability[:, column] += (weight * chance).mean(axis=1)
    return probability, level.mean(axis=1)


def _chance(margin: Floats, sigma: Floats, depression: Floats, where: tuple[Band, str, _Settings]) -> Floats:
    band, place, settings = where
    if place == "outdoor":
        return outdoor_probability(margin, sigma)
    # The elevation term belongs to the main part of the loss; taken off the margin it is an upper bound.
    inside = margin - elevation_loss_db(depression)
    chance = np.zeros_like(inside)
    for value in np.unique(sigma).tolist():
        rows = sigma == value
        chance[rows] = settings.table(band, place, value).read(inside[rows])
    return chance
