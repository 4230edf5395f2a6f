"""Loads of cells that disturb one another: the more one carries, the more all others need.

Load coupling of Siomina and Yuan, "Analysis of cell load coupling for LTE network planning and
optimization", IEEE Transactions on Wireless Communications 11(6), 2012; Fehske and Fettweis,
"Aggregation of variables in load models for interference-coupled cellular data networks", ICC 2012.
The load of cell c is f_c(load) = sum over its points of demand / rate(SINR(load)). As f rises with every
load, iteration from empty cells climbs to the least fixed point (Yates, "A framework for uplink
power control in cellular radio systems", IEEE JSAC 13(7), 1995); for a rate that is concave in the
way of Shannon's it is the only one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.errors import Fault, SolverError, raise_if
from xinji.plan.jit import compiled
from xinji.plan.radio.interference import Numbers, Singles
from xinji.plan.radio.link import Carrier, LinkCurve


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """Which sectors each point receives, and how strongly.

    The links of point i are ``start[i]`` to ``start[i + 1]`` (``start`` is (n + 1,)); ``sector`` (m,)
    and ``rsrp_mw`` (m,) [mW] belong to a link. The first link of a point is its server; a
    point may have none.
    """

    start: Ints
    sector: Numbers
    rsrp_mw: Singles

    def __post_init__(self) -> None:
        freeze(self.start, self.sector, self.rsrp_mw)

    def __len__(self) -> int:
        return len(self.start) - 1

    def server(self) -> Numbers:
        """Return the serving sector of each point (n,), -1 where there is none."""
        served = np.diff(self.start) > 0
        server = np.full(len(self), -1, dtype=np.int32)
        server[served] = self.sector[self.start[:-1][served]]
        return server


@dataclass(frozen=True, slots=True, eq=False)
class Coupled:
    """The loads at which every cell carries its demand.

    ``load`` (sectors,) from 0 to 1, where a cell that cannot carry its demand is full;
    ``wanted`` (sectors,) is the load that it would need, ``overloaded`` (sectors,) whether that is
    more than 1. ``sinr_db`` (n,) is that of each point at these loads, NaN where no sector is
    received; ``outage`` (n,) says where it lies below the lowest scheme's.
    """

    load: Floats
    wanted: Floats
    overloaded: Bools
    sinr_db: Singles
    outage: Bools
    rounds: int


def links_of(rsrp_dbm: Singles, floor_dbm: float) -> Links:
    """Return the links of ``rsrp_dbm`` (sectors, n) that reach ``floor_dbm``."""
    n = rsrp_dbm.shape[1]
    level = np.where(rsrp_dbm >= floor_dbm, rsrp_dbm, -np.inf).T
    order = np.argsort(-level, axis=1, kind="stable")
    ranked = np.take_along_axis(level, order, axis=1)
    kept = np.isfinite(ranked)
    start = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(kept.sum(axis=1), out=start[1:])
    return Links(start, order[kept].astype(np.int32), (10.0 ** (ranked[kept] / 10.0)).astype(np.float32))


def join_links(blocks: Sequence[Links]) -> Links:
    """Return the links of all points of ``blocks``, one block after the other."""
    ends = np.cumsum([0, *(block.start[-1] for block in blocks)])
    starts = [block.start[:-1] + end for block, end in zip(blocks, ends[:-1], strict=True)]
    return Links(
        start=np.concatenate([*starts, ends[-1:]]).astype(np.int64),
        sector=np.concatenate([block.sector for block in blocks]),
        rsrp_mw=np.concatenate([block.rsrp_mw for block in blocks]),
    )


def coupled_loads(
    links: Links,
    demand_mbps: Floats,
    carrier: Carrier,
    curve: LinkCurve,
    *,
    sectors: int,
    noise_dbm: float,
    tolerance: float = 1e-6,
    rounds: int = 1_000,
) -> Coupled:
    """Return the least loads that carry ``demand_mbps`` (n,) [Mbit/s] on ``carrier``.

    ``noise_dbm`` is per resource element. A point in outage takes the resources of a point at the
    edge. Raises InputError for demands that are negative or do not fit the points, SolverError if
    the loads still move by more than ``tolerance`` after ``rounds``.
    """
    raise_if(_faults(links, demand_mbps, sectors))
    noise, server = 10.0 ** (noise_dbm / 10.0), links.server()
    load = np.zeros(sectors)
    for count in range(1, rounds + 1):
        wanted = wanted_loads(links, demand_mbps, load, carrier, curve, noise_mw=noise)
        following = np.minimum(wanted, 1.0)
        moved = float(np.abs(following - load).max(initial=0.0))
        load = following
        if moved <= tolerance:
            sinr = point_sinr_db(links, load, noise)
            outage = (server < 0) | (sinr < curve.edge_sinr_db)
            return Coupled(load, wanted, wanted > 1.0, sinr.astype(np.float32), outage, count)
    raise SolverError(f"loads still move by {moved:.1e} after {rounds} rounds; allow more rounds or a wider tolerance")


def wanted_loads(
    links: Links, demand_mbps: Floats, load: Floats, carrier: Carrier, curve: LinkCurve, *, noise_mw: float
) -> Floats:
    """Return f(load): what each cell needs (sectors,) while the others are busy for ``load`` (sectors,)."""
    server = links.server()
    bits = curve.read(point_sinr_db(links, load, noise_mw).astype(np.float32))
    rate_mbps = np.maximum(bits, np.float32(curve.edge_efficiency)) * (carrier.elements_per_s / 1e6)
    served = server >= 0
    share = demand_mbps[served] / rate_mbps[served]
    return np.asarray(np.bincount(server[served], weights=share, minlength=len(load)))


def point_sinr_db(links: Links, load: Floats, noise_mw: float) -> Floats:
    """Return the SINR of each point [dB] (n,) at ``load`` (sectors,), NaN where no sector is received."""
    ratio = np.empty(len(links))
    _ratios(links.start, links.sector, links.rsrp_mw, load, noise_mw, ratio)
    return np.asarray(10.0 * np.log10(ratio))


def _faults(links: Links, demand_mbps: Floats, sectors: int) -> list[Fault]:
    faults = []
    if demand_mbps.shape != (len(links),):
        found = f"demand has shape {demand_mbps.shape}, expected ({len(links)},)"
        faults.append(Fault("load coupling", found, "Give one demand for each point."))
    if not (np.isfinite(demand_mbps).all() and (demand_mbps >= 0).all()):
        faults.append(Fault("load coupling", "demand is negative or missing", "Give Mbit/s of at least 0."))
    if len(links.sector) and not 0 <= links.sector.min() <= links.sector.max() < sectors:
        faults.append(Fault("load coupling", f"a link names a sector beyond the {sectors}", "Give all sectors."))
    return faults


@compiled
def _ratios(start: Ints, sector: Numbers, rsrp_mw: Singles, load: Floats, noise_mw: float, ratio: Floats) -> None:
    for i in range(len(ratio)):
        first = start[i]
        if first == start[i + 1]:
            ratio[i] = np.nan
            continue
        interference = noise_mw
        for k in range(first + 1, start[i + 1]):
            interference += load[sector[k]] * np.float64(rsrp_mw[k])
        ratio[i] = np.float64(rsrp_mw[first]) / interference
