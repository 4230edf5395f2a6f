"""Capacity of a cell by Monte Carlo: users dropped where people are, under shadow fading that is alike nearby.

Each drop draws the shadow fading towards every site and the places of the users; every user takes the
strongest sector, and a sector shares its resources among its users by time or to equal rates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.core.parameters import Parameters
from xinji.errors import Fault, InputError, raise_if
from xinji.plan.radio.interference import Singles, best_server
from xinji.plan.radio.link import Carrier, LinkCurve, throughput_mbps
from xinji.plan.radio.shadowing import Shadowing, shadowing_db

SHARES = ("time", "rate")

_LEAST_DROPS = 2
"""Without two drops there is no spread."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The sectors around a cell and where its users may be.

    ``rsrp_dbm`` (sectors, rows, columns) is the median level without shadow fading; ``site``
    (sectors,) numbers the sites from 0; ``load`` (sectors,) is the busy share of each as an interferer;
    ``weight`` (rows, columns) the density of users; ``cell_m`` a pixel's side; ``measured``
    (sectors,) the sectors whose users count.
    """

    rsrp_dbm: Singles
    site: Ints
    load: Floats
    weight: Floats
    cell_m: float
    measured: Bools

    def __post_init__(self) -> None:
        raise_if(self._faults(), InputError)
        freeze(self.rsrp_dbm, self.site, self.load, self.weight, self.measured)

    def _faults(self) -> Iterator[Fault]:
        if self.rsrp_dbm.ndim != 3 or self.rsrp_dbm.shape[1:] != self.weight.shape:
            found = f"rsrp_dbm has shape {self.rsrp_dbm.shape}, weight {self.weight.shape}"
            yield Fault("layout", found, "Give levels (sectors, rows, columns) and weights (rows, columns).")
            return
        for name in ("site", "load", "measured"):
            if getattr(self, name).shape != (len(self.rsrp_dbm),):
                yield Fault("layout", f"{name} has shape {getattr(self, name).shape}", "Give one value a sector.")
                return
        if not (np.isfinite(self.weight).all() and (self.weight >= 0).all() and self.weight.sum() > 0):
            yield Fault("layout", "weight is negative, missing or zero everywhere", "Give the density of users.")
        if np.isnan(self.rsrp_dbm).any():
            yield Fault("layout", "rsrp_dbm holds missing numbers", "Give minus infinity where there is no path.")
        if not ((self.load >= 0) & (self.load <= 1)).all():
            yield Fault("layout", "load is outside 0 to 1", "Give the busy share of resources.")
        if not self.measured.any() or self.site.min() < 0:
            yield Fault("layout", "no sector is measured or a site is negative", "Mark at least one sector.")


@dataclass(frozen=True, slots=True)
class Drops:
    """How the users are drawn.

    ``users`` a sector on average, ``drops`` (at least 2), ``seed``; ``share`` is ``"time"`` (round
    robin, and proportional fair where channels stand still: equal time) or ``"rate"`` (equal rates:
    the harmonic mean); ``confidence`` of the interval.
    """

    users: float
    drops: int
    seed: int
    share: str
    confidence: float

    def __post_init__(self) -> None:
        checks = (
            ("users", 0 < self.users < np.inf, "above 0"),
            ("drops", self.drops >= 2, "at least 2"),
            ("share", self.share in SHARES, "time or rate"),
            ("confidence", 0 < self.confidence < 1, "between 0 and 1"),
        )
        raise_if(
            Fault("drops", f"{name} is {getattr(self, name)}, expected {expected}", "Mend the figure.")
            for name, good, expected in checks
            if not good
        )


@dataclass(frozen=True, slots=True)
class CellCapacity:
    """What a cell carries when its users always have something to send or receive [Mbit/s].

    ``cell_mbps`` is the mean over measured cells with users and its confidence interval over drops;
    ``user_mean_mbps`` and ``user_5_percent_mbps`` are over all users; ``outage_share`` of the users
    get nothing. ``users`` is the mean number in a measured cell that has any. ``seed`` and ``drops`` repeat
    the question.
    """

    cell_mbps: float
    cell_mbps_low: float
    cell_mbps_high: float
    user_mean_mbps: float
    user_5_percent_mbps: float
    outage_share: float
    users: float
    drops: int
    seed: int


def read_drops(parameters: Parameters, seed: int) -> Drops:
    """Return how the registry wants users drawn. Raises ParameterError or InputError."""
    return Drops(
        users=parameters.value("radio.capacity.users", "users"),
        drops=round(parameters.value("radio.capacity.drops", "drops")),
        seed=seed,
        share=SHARES[0],
        confidence=parameters.value("radio.capacity.confidence", "share"),
    )


def cell_capacity(
    layout: Layout, shadowing: Shadowing, drops: Drops, *, noise_dbm: float, curve: LinkCurve, carrier: Carrier
) -> CellCapacity:
    """Return the capacity of the measured sectors on ``carrier``.

    ``noise_dbm`` is per resource element. Interferers are busy for their load whatever the drop.
    Raises InputError if fewer than two drops have a user in a measured sector.
    """
    cells, users = _cells(layout, shadowing, drops, noise_dbm=noise_dbm, curve=curve, carrier=carrier)
    if len(cells) < _LEAST_DROPS:
        found = f"{len(cells)} of {drops.drops} drops have a user in a measured sector"
        raise_if([Fault("cell capacity", found, "Ask for more users or drops, or check weights and levels.")])
    return _summary(cells, users, drops)


def try_capacity(
    layout: Layout, shadowing: Shadowing, drops: Drops, *, noise_dbm: float, curve: LinkCurve, carrier: Carrier
) -> CellCapacity | None:
    """Return what ``cell_capacity`` does, or None for sectors that almost no drop brings a user to."""
    cells, users = _cells(layout, shadowing, drops, noise_dbm=noise_dbm, curve=curve, carrier=carrier)
    return _summary(cells, users, drops) if len(cells) >= _LEAST_DROPS else None


def _cells(
    layout: Layout, shadowing: Shadowing, drops: Drops, *, noise_dbm: float, curve: LinkCurve, carrier: Carrier
) -> tuple[list[float], list[Floats]]:
    """Return the mean of the measured cells in each drop that has users there, and all users' rates [Mbit/s]."""
    rng = np.random.default_rng(drops.seed)
    cells: list[float] = []
    users: list[Floats] = []
    for _ in range(drops.drops):
        sector, alone = _drop(rng, layout, shadowing, drops, noise_dbm=noise_dbm, curve=curve, carrier=carrier)
        shared = [shared_mbps(alone[sector == k], drops.share) for k in np.flatnonzero(layout.measured)]
        shared = [rates for rates in shared if len(rates)]
        if shared:
            cells.append(float(np.mean([rates.sum() for rates in shared])))
            users.extend(shared)
    return cells, users


def _summary(cells: list[float], users: list[Floats], drops: Drops) -> CellCapacity:
    every = np.concatenate(users)
    mean = float(np.mean(cells))
    error = float(np.std(cells, ddof=1) / np.sqrt(len(cells)))
    half = float(student.ppf(0.5 + drops.confidence / 2.0, len(cells) - 1)) * error
    return CellCapacity(
        cell_mbps=mean,
        cell_mbps_low=mean - half,
        cell_mbps_high=mean + half,
        user_mean_mbps=float(every.mean()),
        user_5_percent_mbps=float(np.quantile(every, 0.05)),
        outage_share=float((every == 0).mean()),
        users=len(every) / len(users),
        drops=drops.drops,
        seed=drops.seed,
    )


def shared_mbps(alone_mbps: Floats, share: str) -> Floats:
    """Return what each user of one cell gets [Mbit/s] (n,), from what each would get alone.

    By time each gets its n-th part. To equal rates each gets 1 / sum(1 / alone), so that the cell
    carries the harmonic mean; users in outage get nothing and take no time.
    """
    if share == "time":
        return alone_mbps / max(len(alone_mbps), 1)
    reached = alone_mbps > 0
    rates = np.zeros(len(alone_mbps))
    if reached.any():
        rates[reached] = 1.0 / (1.0 / alone_mbps[reached]).sum()
    return rates


def _drop(
    rng: np.random.Generator,
    layout: Layout,
    shadowing: Shadowing,
    drops: Drops,
    *,
    noise_dbm: float,
    curve: LinkCurve,
    carrier: Carrier,
) -> tuple[Ints, Floats]:
    """Return the sector of each user of one drop, -1 for none, and what it would get alone [Mbit/s]."""
    shape = layout.weight.shape
    fading = shadowing_db(
        rng, int(layout.site.max()) + 1, (shape[0], shape[1]), cell_m=layout.cell_m, shadowing=shadowing
    )
    density = layout.weight.ravel() / layout.weight.sum()
    place = rng.choice(density.size, size=max(round(drops.users * len(layout.site)), 1), p=density)
    median = layout.rsrp_dbm.reshape(len(layout.site), -1)[:, place]
    level = median - fading.reshape(len(fading), -1)[:, place][layout.site]
    received = best_server(level.astype(np.float64), layout.load, noise_dbm)
    return received.sector.astype(np.int64), throughput_mbps(received.sinr_db, curve, carrier).astype(np.float64)
