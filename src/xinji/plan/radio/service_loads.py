"""How busy each sector is when it carries what the people and works of a region ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.core.demand import Demand
from xinji.core.parameters import Parameters
from xinji.core.region import Cells
from xinji.core.vocabulary import BANDS_MHZ, RESOURCES, SERVICE_NAMES
from xinji.plan.radio.bands import RADIO_SERVICES, serves
from xinji.plan.radio.coverage import QUARTERS
from xinji.plan.radio.link import max_rate_mbps
from xinji.plan.radio.load_coupling import Links, coupled_loads
from xinji.plan.radio.service import Network, Scene, links
from xinji.plan.radio.service_quality import Quality

UNDER_NOISE_DB = 10.0
"""Sectors further below the noise than this disturb nobody."""


@dataclass(frozen=True, slots=True, eq=False)
class Loads:
    """Loads of sectors (n,), those that the demand would need ``wanted`` (n,), and the share of demand out of reach."""

    load: Floats
    wanted: Floats
    unreached_share: float

    def __post_init__(self) -> None:
        freeze(self.load, self.wanted)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What places (n) ask for: their pixels, and busy-hour traffic down [Mbit/s] (n, radio services)."""

    row: Ints
    column: Ints
    down_mbps: Floats

    def __post_init__(self) -> None:
        freeze(self.row, self.column, self.down_mbps)


def radio_down_mbps(demand: Demand, year: int) -> Floats:
    """Return what radio services ask for down in the busy hour of the year at position ``year`` (cells, services)."""
    rows = [SERVICE_NAMES.index(name) for name in RADIO_SERVICES]
    return np.asarray(demand.amount[:, rows, year, RESOURCES.index("down_mbps")])


def asked_of(amount: Floats, cells: Cells, scene: Scene) -> Asked:
    """Return ``amount`` [Mbit/s] (cells, radio services) in quarters of cells; those off the ground are left out."""
    side = np.sqrt(cells.area_m2)[:, None]
    east, north = np.array(QUARTERS).T
    x, y = (cells.x_m[:, None] + side * east).ravel(), (cells.y_m[:, None] + side * north).ravel()
    row, column, inside = scene.grid.locate(x, y)
    part = np.repeat(amount / len(QUARTERS), len(QUARTERS), axis=0)
    wanting = inside & (part.sum(axis=1) > 0)
    return Asked(row[wanting], column[wanting], part[wanting])


def loads_of(
    network: Network, scene: Scene, qualities: Mapping[int, Quality], asked: Asked, parameters: Parameters
) -> Loads:
    """Return the loads at which the sectors carry what is ``asked``, interference between them included.

    A place's traffic is split over the bands that carry its service and reach it with the level that counts
    as covered, by what their carriers can move at most.
    """
    sectors = len(network.sectors)
    load, wanted = np.zeros(sectors), np.zeros(sectors)
    found = {
        mhz: links(network, scene, (asked.row, asked.column), mhz, quality.noise_dbm - UNDER_NOISE_DB)
        for mhz, quality in qualities.items()
    }
    traffic = split(found, qualities, asked.down_mbps, serves(parameters))
    for mhz, quality in qualities.items():
        coupled = coupled_loads(
            found[mhz],
            traffic[mhz],
            quality.carrier,
            quality.curve,
            sectors=sectors,
            noise_dbm=quality.noise_dbm,
        )
        mine = network.on_band(mhz)
        load[mine], wanted[mine] = coupled.load[mine], coupled.wanted[mine]
    total = float(asked.down_mbps.sum())
    carried = sum(float(part.sum()) for part in traffic.values())
    return Loads(load, wanted, max(0.0, 1.0 - carried / total) if total > 0 else 0.0)


def split(
    found: Mapping[int, Links], qualities: Mapping[int, Quality], down_mbps: Floats, carried: Bools
) -> dict[int, Floats]:
    """Return the traffic (n,) [Mbit/s] that each band takes; ``carried`` (radio services, bands) says what it may."""
    weight = {
        mhz: np.where(_covered(found[mhz], quality.rsrp_min_dbm), max_rate_mbps(quality.carrier), 0.0)
        for mhz, quality in qualities.items()
    }
    traffic = {mhz: np.zeros(len(down_mbps)) for mhz in qualities}
    for service in range(down_mbps.shape[1]):
        mine = {mhz: weight[mhz] * bool(carried[service, BANDS_MHZ.index(mhz)]) for mhz in qualities}
        total = np.sum(list(mine.values()), axis=0)
        for mhz, part in mine.items():
            traffic[mhz] += down_mbps[:, service] * np.divide(part, total, out=np.zeros_like(part), where=total > 0)
    return traffic


def _covered(found: Links, rsrp_min_dbm: float) -> Floats:
    """Return 1 where the best sector of a point reaches the level that counts as covered (n,), else 0."""
    level = np.zeros(len(found))
    served = np.diff(found.start) > 0
    level[served] = found.rsrp_mw[found.start[:-1][served]]
    return np.asarray(level >= 10.0 ** (rsrp_min_dbm / 10.0), dtype=np.float64)
