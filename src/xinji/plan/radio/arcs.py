"""Which carrier may serve which cell and service: coverage, rules, and a bound on their number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Codes, Floats, Ints, freeze
from xinji.core.demand import Demand
from xinji.core.region import Region
from xinji.core.vocabulary import SERVICE_NAMES
from xinji.plan.radio.bands import RADIO_SERVICES, Band, offered_in, serves
from xinji.plan.radio.candidates import Candidates
from xinji.plan.radio.coverage import PLACES, Coverage

PLACE_OF = {
    "mobile_outdoor": "outdoor",
    "mobile_indoor": "residential",
    "industrial_wide": "industrial",
    "industrial_edge": "industrial",
}
"""Where the users of each radio service are."""


@dataclass(frozen=True, slots=True, eq=False)
class Arcs:
    """Arcs (a): the carrier of ``band`` (position) at ``site`` (position) can serve a service of a cell.

    ``service`` holds codes of ``SERVICES``.
    """

    site: Ints
    band: Ints
    cell: Ints
    service: Codes

    def __post_init__(self) -> None:
        freeze(self.site, self.band, self.cell, self.service)

    def __len__(self) -> int:
        return len(self.site)


def wanted_cells(demand: Demand) -> Bools:
    """Return whether a cell has users of any radio service in any year (shape (cells,))."""
    rows = [SERVICE_NAMES.index(name) for name in RADIO_SERVICES]
    return np.asarray((demand.users[:, rows] > 0).any(axis=(1, 2)))


def choose_arcs(
    region: Region, demand: Demand, candidates: Candidates, coverage: Coverage, bands: tuple[Band, ...]
) -> Arcs:
    """Return the arcs of every radio service, by service, cell, site and band.

    A pair is kept on a band where the chance of coverage reaches its target, the band is offered
    in the cell's group, carries the service, and is quick enough for it. Of these each cell keeps
    its strongest sites by RSRP (a parameter says how many) and the strongest existing one.
    """
    read = region.parameters.value
    most = {place: int(read("radio.servers_per_cell_max.indoor", "sites")) for place in PLACES}
    most["outdoor"] = int(read("radio.servers_per_cell_max.outdoor", "sites"))
    exists = candidates.facility[coverage.site] >= 0
    parts = []
    for code, usable in _usable(region, demand, coverage, bands):
        level = np.where(usable, coverage.rsrp_dbm, -np.inf).max(axis=1, initial=-np.inf)
        kept = strongest(coverage.cell, coverage.site, level, most[PLACE_OF[SERVICE_NAMES[code]]])
        kept |= strongest(coverage.cell, coverage.site, np.where(exists, level, -np.inf), 1)
        pair, band = np.nonzero(usable & kept[:, None])
        parts.append((coverage.site[pair], band, coverage.cell[pair], np.full(len(pair), code, dtype=np.uint8)))
    site, band, cell, service = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Arcs(site, band, cell, service)


def strongest(cell: Ints, site: Ints, level_dbm: Floats, most: int) -> Bools:
    """Return which pairs are among the ``most`` strongest of their cell (all shape (p,)).

    A level of minus infinity is never kept; equal levels go by the site's position.
    """
    order = np.lexsort((site, -level_dbm, cell))
    ordered = cell[order]
    fresh = np.ones(len(cell), dtype=bool)
    fresh[1:] = ordered[1:] != ordered[:-1]
    place = np.arange(len(cell))
    rank = place - np.maximum.accumulate(np.where(fresh, place, 0))
    kept = np.zeros(len(cell), dtype=bool)
    kept[order] = rank < most
    return kept & np.isfinite(level_dbm)


def _usable(region: Region, demand: Demand, coverage: Coverage, bands: tuple[Band, ...]) -> list[tuple[int, Bools]]:
    """Return, by service code, whether a pair can serve it on each band (shape (p, bands))."""
    read = region.parameters.value
    target = {place: read("radio.coverage_probability_min.indoor", "share") for place in PLACES}
    target["outdoor"] = read("radio.coverage_probability_min.outdoor", "share")
    offered = offered_in(region.parameters)[region.cells.group[coverage.cell]]
    carried = serves(region.parameters)
    delay_ms = np.array([band.latency_ms for band in bands])
    found = []
    for row, name in enumerate(RADIO_SERVICES):
        code = SERVICE_NAMES.index(name)
        covered = coverage.probability[:, :, PLACES.index(PLACE_OF[name])] >= target[PLACE_OF[name]]
        asked = (demand.users[coverage.cell, code] > 0).any(axis=1)
        quick = delay_ms <= demand.latency_ms[code]
        found.append((code, covered & offered & (carried[row] & quick) & asked[:, None]))
    return found
