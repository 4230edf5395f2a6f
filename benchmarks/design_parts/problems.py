"""The problems that all methods are given: made up by seed, or published ones from a folder beside the repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from xinji.io.instances import Instance, read_instances
from xinji.io.instances_facility import FacilityInstance
from xinji.io.instances_graph import PrizeInstance, SteinerInstance
from xinji.plan.design.covering.covers import Covers
from xinji.plan.design.covering.generator import clustered_covers, site_budget

SEED = 0
PUBLISHED = ("instance016", "instance108", "instance116")
"""Of PACE 2018: Vienna I056 and I037, VLSI alue7065."""


def covering(points: int, sites: int, mean_covers: float) -> tuple[Covers, float]:
    """Return a clustered covering problem and its budget in sites."""
    return clustered_covers(points, sites, mean_covers, SEED), float(site_budget(sites, mean_covers))


def roads(side: int, terminals: int) -> SteinerInstance:
    """Return a made-up road graph: a grid with streets taken out, and costs in metres."""
    rng = np.random.default_rng(SEED)
    node = np.arange(side * side).reshape(side, side)
    tail = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    head = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    # The outer ring and every fifth street stay, so that all is joined.
    kept = (rng.random(len(tail)) < 0.8) | (tail // side % 5 == 0) | (tail % side % 5 == 0)
    cost = np.round(rng.uniform(60.0, 140.0, len(tail)), 1)
    ends = np.sort(rng.choice(node[::5].ravel(), terminals, replace=False))
    return SteinerInstance("made-up roads", "", side * side, tail[kept], head[kept], cost[kept], ends, None)


def published(shared: Path) -> Iterator[SteinerInstance]:
    """Yield those of ``PUBLISHED`` that lie in the folder ``shared``."""
    chosen = (one for one in _read(shared, "steiner") if one.name in PUBLISHED)
    yield from (one for one in chosen if isinstance(one, SteinerInstance))


def published_prizes(shared: Path) -> Iterator[PrizeInstance]:
    """Yield the prize-collecting trees that lie in the folder ``shared``."""
    yield from (one for one in _read(shared, "pcstp") if isinstance(one, PrizeInstance))


def published_facilities(shared: Path) -> Iterator[FacilityInstance]:
    """Yield the facility problems that lie in the folder ``shared``."""
    yield from (one for one in _read(shared, "cflp") if isinstance(one, FacilityInstance))


def _read(shared: Path, family: str) -> Iterator[Instance]:
    folder = shared / "instances" / family
    if folder.is_dir():
        yield from read_instances(folder)


def facilities(sites: int, customers: int) -> FacilityInstance:
    """Return a capacitated problem drawn as Cornuejols, Sridharan and Thizy (EJOR 50, 1991) do."""
    rng = np.random.default_rng(SEED)
    where, who = rng.random((sites, 2)), rng.random((customers, 2))
    demand = rng.uniform(5.0, 35.0, customers)
    capacity = rng.uniform(10.0, 160.0, sites)
    # All sites together hold five times the demand.
    capacity *= 5.0 * demand.sum() / capacity.sum()
    opening = rng.uniform(0.0, 90.0, sites) + rng.uniform(100.0, 110.0, sites) * np.sqrt(capacity)
    cost = 10.0 * np.hypot(*(who[:, None] - where[None]).transpose(2, 0, 1)) * demand[:, None]
    return FacilityInstance(f"{sites} x {customers}", "", opening, capacity, demand, cost, None)
