"""What the busiest sectors of a network carry, by Monte Carlo in a window around each, beside the planner's figure.

A window holds the places where fading may hand a user over to the sector: those where its median level falls
short of the best server's by no more than ``SPREADS`` standard deviations of the difference of two sites' fading.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.core.grid import Grid
from xinji.core.parameters import Parameters
from xinji.core.region import Cells
from xinji.core.vocabulary import BANDS_MHZ, RESOURCES
from xinji.plan.radio.capacity import band_capacity
from xinji.plan.radio.cell_capacity import CellCapacity, Drops, Layout, try_capacity
from xinji.plan.radio.interference import NOT_RECEIVED_DBM
from xinji.plan.radio.service import Block, Levels, Network, Numbers, Scene, levels_at, overlap, reaching
from xinji.plan.radio.service_loads import UNDER_NOISE_DB
from xinji.plan.radio.service_quality import Quality
from xinji.plan.radio.service_statistics import Pixels
from xinji.plan.radio.shadowing import Shadowing

SPREADS = 3.0

_CODE_DB = 0.05
"""Levels that differ by less are equal: the raster of the best server is kept in hundredths of a decibel."""

_MOST_VALUES = 16_000_000
_MOST_USERS = 20_000
_LEAST_SHARE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """One band over the whole ground (rows, columns): the best server, its RSRP [dBm], people a pixel."""

    server: Numbers
    rsrp_dbm: Levels
    people: Levels


@dataclass(frozen=True, slots=True)
class SectorCapacity:
    """A sector's capacity down: ``found`` by Monte Carlo, and what the planner reckons with [Mbit/s].

    ``planner_mbps`` is that of a sector that is busy all the time, as the simulated one is. ``found`` is None
    where fading leaves the sector almost no user.
    """

    sector: str
    band_mhz: int
    load: float
    planner_mbps: float
    found: CellCapacity | None


def people_of(grid: Grid, pixels: Pixels, cells: Cells) -> Levels:
    """Return residents and workers of each pixel (rows, columns), spread evenly over the pixels of their cell."""
    here = pixels.share * (cells.residents + cells.workers)[pixels.cell]
    spread = np.bincount(pixels.pixel, weights=here, minlength=grid.rows * grid.columns)
    return spread.astype(np.float32).reshape(grid.rows, grid.columns)


def busiest(network: Network, server: Numbers, mhz: int, count: int) -> Ints:
    """Return the ``count`` busiest sectors of a band, by load and then id; only those that serve best somewhere."""
    mine = network.on_band(mhz)
    mine = mine[np.isin(mine, server)]
    order = np.lexsort((network.sectors.id[mine], -network.sectors.load[mine]))
    return mine[order[:count]]


def planner_mbps(parameters: Parameters, mhz: int) -> float:
    """Return what the planner reckons one always busy sector of a carrier to move down [Mbit/s].

    It is ``capacity.band_capacity`` of one sector, without the highest load that planning allows. Raises
    ParameterError if a figure is missing.
    """
    carrier = band_capacity(parameters)[BANDS_MHZ.index(mhz), RESOURCES.index("down_mbps")]
    sectors, load = parameters.value("radio.sectors", "sectors"), parameters.value("radio.load_max", "share")
    return float(carrier) / sectors / load


def sector_capacity(
    network: Network,
    scene: Scene,
    served: Served,
    sector: int,
    *,
    quality: Quality,
    shadowing: Shadowing,
    drops: Drops,
) -> CellCapacity | None:
    """Return the capacity down of a sector that serves best somewhere, or None where fading leaves it no user.

    All sectors that reach its window above the noise disturb it for their loads. Users are where ``served``
    has people, or evenly spread where the sector serves (almost) none; on average ``drops.users`` of
    them lie where it is the best server.
    """
    layout, users = layout_of(network, scene, served, sector, shadowing=shadowing, noise_dbm=quality.noise_dbm)
    # The simulation counts users by all its sectors, here they are told for the measured one.
    asked = replace(drops, users=min(drops.users * users, _MOST_USERS) / len(layout.site))
    return try_capacity(
        layout, shadowing, asked, noise_dbm=quality.noise_dbm, curve=quality.curve, carrier=quality.carrier
    )


def layout_of(
    network: Network, scene: Scene, served: Served, sector: int, *, shadowing: Shadowing, noise_dbm: float
) -> tuple[Layout, float]:
    """Return the window around a sector, and how many users it holds for one where the sector is the best server.

    Windows beyond ``_MOST_VALUES`` levels are thinned to every second pixel, every third and so on.
    """
    spread_db = shadowing.sigma_db * float(np.sqrt(2.0 * (1.0 - shadowing.between_sites)))
    rows, columns, own = _near(network, scene, served, sector, SPREADS * spread_db)
    people = served.people[rows, columns].astype(np.float64)
    if not people[own].sum() > _LEAST_SHARE * people.sum():
        people = np.ones(len(rows))
    block = Block(int(rows.min()), int(columns.min()), int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1)
    mine = reaching(network, scene, block, int(network.sectors.band_mhz[sector]))
    step = int(np.ceil(np.sqrt(len(mine) * block.rows * block.columns / _MOST_VALUES)))
    down, across = np.arange(0, block.rows, step), np.arange(0, block.columns, step)
    shape = (len(down), len(across))
    place = (rows - block.top) // step * shape[1] + (columns - block.left) // step
    weight: Floats = np.bincount(place, weights=people, minlength=shape[0] * shape[1]).astype(np.float64)
    points = (np.repeat(block.top + down, shape[1]), np.tile(block.left + across, shape[0]))
    level = levels_at(network, scene, mine, points)
    heard = level[:, weight > 0].max(axis=1, initial=NOT_RECEIVED_DBM) >= noise_dbm - UNDER_NOISE_DB
    heard |= mine == sector
    level, mine = level[heard], mine[heard]
    level[level <= NOT_RECEIVED_DBM] = -np.inf
    layout = Layout(
        rsrp_dbm=level.reshape(-1, *shape),
        site=np.unique(network.sectors.site[mine], return_inverse=True)[1].astype(np.int64),
        load=network.sectors.load[mine],
        weight=weight.reshape(shape),
        cell_m=scene.grid.cell_m * step,
        measured=np.asarray(mine == sector),
    )
    return layout, float(people.sum() / people[own].sum())


def _near(network: Network, scene: Scene, served: Served, sector: int, margin_db: float) -> tuple[Ints, Ints, Bools]:
    """Return rows and columns (n,) of the pixels that the sector may serve, and where it is the best server (n,)."""
    ground = Block(0, 0, scene.grid.rows, scene.grid.columns)
    part = overlap(scene.grid, ground, network.windows[int(network.mast_of[sector])])
    if part is None:
        part = ground
    rows = np.repeat(np.arange(part.top, part.top + part.rows), part.columns)
    columns = np.tile(np.arange(part.left, part.left + part.columns), part.rows)
    level = levels_at(network, scene, np.array([sector]), (rows, columns))[0]
    own = served.server[part.cut()].ravel() == sector
    least = served.rsrp_dbm[part.cut()].ravel() - np.float32(margin_db + _CODE_DB)
    near = own | ((level > NOT_RECEIVED_DBM) & (level >= least))
    return rows[near], columns[near], own[near]
