"""What a network of sectors gives each place: level, server, SINR, rates and the chance of coverage.

The ground is taken block by block, and of each block only the sectors that reach it, so that memory
does not grow with the number of sites. The order of sites is that of the sectors, so that the
same sectors and maps give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.core.grid import Grid
from xinji.core.radio import CODES_PER_DB, NOT_COVERED, AntennaCuts, Losses, LossMap, Sectors
from xinji.errors import Fault, InputError, raise_if
from xinji.plan.radio.antenna import Pattern, mounted_gain_db, sector_db
from xinji.plan.radio.area import Mast
from xinji.plan.radio.interference import NOT_RECEIVED_DBM, Received, accumulate_codes, empty_tally, finish
from xinji.plan.radio.load_coupling import Links, join_links, links_of

BLOCK = 256
"""Side of a block of the ground [pixels]."""

SECTORS_A_CALL = 24

Levels = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int32]
Attenuations = npt.NDArray[np.uint16]
MapOf = Callable[[int], LossMap]
"""The path-loss map of a mast, by its position; every asked band is in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """The ground that is served: its grid, heights [m above sea level] (rows, columns), the terminal's height [m]."""

    grid: Grid
    ground_m: Levels
    terminal_m: float


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Sectors (n), the masts (m) they stand on, and how each radiates.

    ``mast_of`` (n,) is the position of a sector's mast; ``windows`` (m,) the frames of the masts'
    path-loss maps, ``map_of`` reads one. ``patterns`` are by band [MHz], ``cuts`` by the name that a
    sector's ``antenna`` holds. ``radiated`` (n,) says that a sector's map holds its antenna already, as
    those of other tools do; then nothing is taken off for it.
    """

    sectors: Sectors
    masts: tuple[Mast, ...]
    mast_of: Ints
    windows: tuple[Grid, ...]
    map_of: MapOf
    radiated: Bools
    patterns: Mapping[int, Pattern]
    cuts: Mapping[str, AntennaCuts]

    def __post_init__(self) -> None:
        known = {*self.patterns}
        faults = [
            Fault("sectors", f"antenna {name!r} is unknown", "Give its pattern file, or leave the antenna empty.")
            for name in np.unique(self.sectors.antenna).tolist()
            if name and name not in self.cuts
        ]
        faults += [
            Fault("sectors", f"band {mhz} MHz has no antenna pattern", f"Use one of {sorted(known)} MHz.")
            for mhz in np.unique(self.sectors.band_mhz[self.sectors.antenna == ""]).tolist()
            if mhz not in known
        ]
        raise_if(faults, InputError)
        freeze(self.mast_of, self.radiated)

    def on_band(self, mhz: int) -> Ints:
        """Return the positions of the sectors of a band."""
        return np.flatnonzero(self.sectors.band_mhz == mhz)


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle of the ground: its first row and column, and its shape [pixels]."""

    top: int
    left: int
    rows: int
    columns: int

    def cut(self) -> tuple[slice, slice]:
        """Return the rows and columns of the block in a raster of the whole ground."""
        return slice(self.top, self.top + self.rows), slice(self.left, self.left + self.columns)


@dataclass(frozen=True, slots=True, eq=False)
class Reception:
    """What one band brings to a block: positions of sectors (-1: none), RSRP [dBm], SINR [dB], depression [deg].

    All have the block's shape; levels are NaN where no sector is received. ``depression_deg`` is the angle
    below the horizon at which the serving antenna sees the place.
    """

    block: Block
    sector: Numbers
    rsrp_dbm: Levels
    sinr_db: Levels
    depression_deg: Levels


def masts_of(sectors: Sectors) -> tuple[tuple[Mast, ...], Ints]:
    """Return the masts of ``sectors``, one for each site and height, and the mast of each sector (n,).

    A mast stands where the first sector of its site does.
    """
    place: dict[tuple[str, float], int] = {}
    keys = list(zip(sectors.site.tolist(), sectors.height_m.tolist(), strict=True))
    mast_of = np.array([place.setdefault(key, len(place)) for key in keys], dtype=np.int64)
    first = {site: row for row, site in reversed(list(enumerate(sectors.site.tolist())))}
    masts = (
        Mast(site, float(sectors.x_m[first[site]]), float(sectors.y_m[first[site]]), height) for site, height in place
    )
    return tuple(masts), mast_of


def blocks_of(grid: Grid, side: int = BLOCK) -> Iterator[Block]:
    """Yield blocks that cover ``grid`` once, row by row."""
    for top in range(0, grid.rows, side):
        for left in range(0, grid.columns, side):
            yield Block(top, left, min(side, grid.rows - top), min(side, grid.columns - left))


def receive(network: Network, scene: Scene, block: Block, mhz: int, noise_dbm: float) -> Reception:
    """Return what the sectors of band ``mhz`` bring to ``block`` under their loads.

    ``noise_dbm`` is the terminal's in one subcarrier. Raises InputError where a map does not lie on
    the ground's pixels or lacks the band.
    """
    tally = empty_tally(block.rows * block.columns)
    mine = reaching(network, scene, block, mhz)
    numbers: list[int] = []
    for group in _groups(network, mine):
        loss, attenuation, site_of = _codes(network, scene, block, group)
        accumulate_codes(
            tally,
            loss,
            attenuation,
            site_of=site_of,
            eirp_dbm=network.sectors.eirp_dbm[group],
            load=network.sectors.load[group],
            first_sector=len(numbers),
        )
        numbers += group.tolist()
    return _reception(network, scene, block, (finish(tally, noise_dbm), np.array([*numbers, -1], dtype=np.int32)))


def links(network: Network, scene: Scene, points: tuple[Ints, Ints], mhz: int, floor_dbm: float) -> Links:
    """Return the sectors of a band that points (rows, columns, each (n,)) receive above ``floor_dbm``.

    Sectors are numbered by their position in the network; points stay in their order.
    """
    rows, columns = points
    parts, order = [], []
    for block in blocks_of(scene.grid, BLOCK):
        inside = (rows // BLOCK == block.top // BLOCK) & (columns // BLOCK == block.left // BLOCK)
        here = np.flatnonzero(inside)
        if not len(here):
            continue
        mine = reaching(network, scene, block, mhz)
        rsrp = np.full((max(1, len(mine)), len(here)), NOT_RECEIVED_DBM, dtype=np.float32)
        if len(mine):
            rsrp[:] = levels_at(network, scene, mine, (rows[here], columns[here]))
        found = links_of(rsrp, floor_dbm)
        parts.append(replace(found, sector=mine.astype(np.int32)[found.sector]))
        order.append(here)
    return _in_order(join_links(parts), np.concatenate(order))


def _in_order(found: Links, point: Ints) -> Links:
    """Return links with their points back in order; ``point`` (n,) says which point each row of ``found`` is."""
    count = np.diff(found.start)
    ranked = np.argsort(point, kind="stable")
    start = np.concatenate([[0], np.cumsum(count[ranked])]).astype(found.start.dtype)
    place = np.repeat(found.start[:-1][ranked] - start[:-1], count[ranked]) + np.arange(start[-1])
    return Links(start, found.sector[place], found.rsrp_mw[place])


def reaching(network: Network, scene: Scene, block: Block, mhz: int) -> Ints:
    """Return the positions of the sectors of a band whose maps overlap the block."""
    mine, cell_m = network.on_band(mhz), scene.grid.cell_m
    if not len(mine):
        return mine
    west = scene.grid.west_m + block.left * cell_m
    north = scene.grid.north_m - block.top * cell_m
    frames = [network.windows[mast] for mast in network.mast_of[mine]]
    left, top = (np.array([getattr(frame, name) for frame in frames]) for name in ("west_m", "north_m"))
    wide, high = (np.array([getattr(frame, name) for frame in frames]) * cell_m for name in ("columns", "rows"))
    across: Bools = (left < west + block.columns * cell_m) & (left + wide > west)
    return mine[across & (top > north - block.rows * cell_m) & (top - high < north)]


def overlap(grid: Grid, block: Block, window: Grid) -> Block | None:
    """Return the part of ``block`` that ``window`` covers, or None where there is none."""
    top, left = _offset(grid, window)
    first, west = max(block.top, top), max(block.left, left)
    last = min(block.top + block.rows, top + window.rows)
    east = min(block.left + block.columns, left + window.columns)
    return Block(first, west, last - first, east - west) if last > first and east > west else None


def _offset(grid: Grid, window: Grid) -> tuple[int, int]:
    """Return row and column of the window's first pixel in ``grid``. Raises InputError where pixels do not match."""
    row, column = (grid.north_m - window.north_m) / grid.cell_m, (window.west_m - grid.west_m) / grid.cell_m
    off = max(abs(row - round(row)), abs(column - round(column)), abs(window.cell_m / grid.cell_m - 1.0))
    if off > 1e-3 or window.crs != grid.crs:
        message = (
            f"a path-loss map has pixels of {window.cell_m:g} m that do not lie on the ground's of {grid.cell_m:g} m"
        )
        raise InputError([Fault("path loss", message, "Compute it on this region's terrain, in another --store.")])
    return round(row), round(column)


def _groups(network: Network, mine: Ints) -> Iterator[Ints]:
    """Yield ``mine`` by mast, as many masts at a time as bring about ``SECTORS_A_CALL`` sectors."""
    ordered = mine[np.argsort(network.mast_of[mine], kind="stable")]
    ends = np.flatnonzero(np.diff(network.mast_of[ordered], append=-1)) + 1
    start = 0
    for end in ends.tolist():
        if end - start >= SECTORS_A_CALL or end == len(ordered):
            yield ordered[start:end]
            start = end


def _codes(network: Network, scene: Scene, block: Block, group: Ints) -> tuple[Losses, Attenuations, Ints]:
    """Return loss (masts, n) and attenuation (sectors, n) of a group over a block, and each sector's row of loss."""
    masts, site_of = np.unique(network.mast_of[group], return_inverse=True)
    shape = (block.rows, block.columns)
    loss = np.full((len(masts), *shape), NOT_COVERED, dtype=np.uint16)
    attenuation = np.zeros((len(group), *shape), dtype=np.uint16)
    for number, mast in enumerate(masts.tolist()):
        part = overlap(scene.grid, block, network.windows[mast])
        if part is None:
            continue
        place = (slice(part.top - block.top, part.top - block.top + part.rows),
                 slice(part.left - block.left, part.left - block.left + part.columns))  # fmt: skip
        mine = np.flatnonzero((site_of == number) & ~network.radiated[group])
        loss[number][place] = _loss_in(network, scene, mast, (part, int(network.sectors.band_mhz[group[0]])))
        bearing, depression = view(scene, network.masts[mast], _pixels(part))
        for row in mine.tolist():
            attenuation[row][place] = attenuation_codes(network, int(group[row]), bearing, depression)
    return loss.reshape(len(masts), -1), attenuation.reshape(len(group), -1), site_of.astype(np.int64)


def _loss_in(network: Network, scene: Scene, mast: int, asked: tuple[Block, int]) -> Losses:
    """Return the loss codes of a mast over a block that its map covers, on one band [MHz]."""
    (part, mhz), found = asked, network.map_of(mast)
    top, left = _offset(scene.grid, found.grid)
    bands = np.array(found.frequency_mhz)
    place = np.flatnonzero(bands == mhz)
    if not len(place):
        message = f"the path loss of {found.site} has no band {mhz} MHz, only {', '.join(f'{one:g}' for one in bands)}"
        raise InputError([Fault("path loss", message, "Leave the band out, or compute it in another --store.")])
    rows = slice(part.top - top, part.top - top + part.rows)
    return found.loss[place[0], rows, part.left - left : part.left - left + part.columns]


def _pixels(part: Block) -> tuple[Ints, Ints]:
    """Return rows (rows, 1) and columns (1, columns) of a block."""
    rows = np.arange(part.top, part.top + part.rows, dtype=np.int64)
    return rows[:, None], np.arange(part.left, part.left + part.columns, dtype=np.int64)[None, :]


def view(scene: Scene, mast: Mast, pixels: tuple[Ints, Ints]) -> tuple[Floats, Floats]:
    """Return bearing and depression [deg] of pixels (rows and columns that broadcast) as a mast's antenna sees them.

    Both ends stand on their own ground: the antenna at its height, the terminal at the scene's.
    """
    grid, (rows, columns) = scene.grid, pixels
    row, column, _ = grid.locate(np.array([mast.x_m]), np.array([mast.y_m]))
    east = (grid.west_m - mast.x_m) + (columns + 0.5) * grid.cell_m
    north = (grid.north_m - mast.y_m) - (rows + 0.5) * grid.cell_m
    drop = float(scene.ground_m[row[0], column[0]]) + mast.height_m - scene.terminal_m - scene.ground_m[rows, columns]
    return np.degrees(np.arctan2(east, north)), np.degrees(np.arctan2(drop, np.hypot(east, north)))


def attenuation_codes(network: Network, sector: int, bearing_deg: Floats, depression_deg: Floats) -> Attenuations:
    """Return a sector's attenuation below its EIRP [hundredths of dB] towards directions (any one shape)."""
    sectors = network.sectors
    off_axis, tilt = bearing_deg - float(sectors.azimuth_deg[sector]), float(sectors.downtilt_deg[sector])
    name = str(sectors.antenna[sector])
    if name:
        gain = mounted_gain_db(network.cuts[name], off_axis, depression_deg, np.full(1, tilt))
    else:
        pattern = replace(network.patterns[int(sectors.band_mhz[sector])], downtilt_deg=tilt)
        gain = sector_db(pattern, off_axis, depression_deg)
    return np.asarray(np.rint(np.clip(-CODES_PER_DB * gain, 0.0, NOT_COVERED - 1.0)), dtype=np.uint16)


def levels_at(network: Network, scene: Scene, group: Ints, points: tuple[Ints, Ints]) -> Levels:
    """Return the RSRP [dBm] of a group of sectors at points (rows, columns) of the ground (sectors, n)."""
    rows, columns = points
    level = np.full((len(group), len(rows)), NOT_RECEIVED_DBM, dtype=np.float32)
    mhz = int(network.sectors.band_mhz[group[0]])
    for mast in np.unique(network.mast_of[group]).tolist():
        window = network.windows[mast]
        top, left = _offset(scene.grid, window)
        down, across = rows - top, columns - left
        here = np.flatnonzero((down >= 0) & (down < window.rows) & (across >= 0) & (across < window.columns))
        whole = Block(top, left, window.rows, window.columns)
        codes = _loss_in(network, scene, mast, (whole, mhz))[down[here], across[here]]
        here, codes = here[codes != NOT_COVERED], codes[codes != NOT_COVERED].astype(np.float32)
        bearing, depression = view(scene, network.masts[mast], (rows[here], columns[here]))
        for row in np.flatnonzero(network.mast_of[group] == mast).tolist():
            sector = int(group[row])
            if not network.radiated[sector]:
                attenuation = attenuation_codes(network, sector, bearing, depression)
                level[row, here] = network.sectors.eirp_dbm[sector] - (codes + attenuation) / CODES_PER_DB
            else:
                level[row, here] = network.sectors.eirp_dbm[sector] - codes / CODES_PER_DB
    return level


def _reception(network: Network, scene: Scene, block: Block, found: tuple[Received, Numbers]) -> Reception:
    """Return what was received in the network's own numbers of sectors; ``found`` pairs it with those of the tally."""
    received, numbers = found
    shape = (block.rows, block.columns)
    sector = numbers[received.sector].reshape(shape)
    depression = np.full(shape, np.nan, dtype=np.float32)
    for mast in np.unique(network.mast_of[sector[sector >= 0]]).tolist():
        mine = (sector >= 0) & (network.mast_of[sector] == mast)
        rows, columns = np.nonzero(mine)
        _, depression[mine] = view(scene, network.masts[mast], (rows + block.top, columns + block.left))
    return Reception(block, sector, received.rsrp_dbm.reshape(shape), received.sinr_db.reshape(shape), depression)
