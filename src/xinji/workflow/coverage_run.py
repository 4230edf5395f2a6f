"""What a coverage run is asked, what it stands on, and what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xinji.io.loss_store import StoreAbout
from xinji.plan.radio.area import Climate, Surface
from xinji.plan.radio.service import Scene
from xinji.plan.radio.service_capacity import SectorCapacity
from xinji.plan.radio.service_loads import Loads
from xinji.plan.radio.service_statistics import Bin, Share, Typical
from xinji.workflow.transmitters import Choice, Transmitters

LOADS = ("demand", "given")
"""Where sectors' loads come from: what people and works ask for, or the sectors' own."""

ANY = "any"
"""Stands beside the bands where coverage by at least one of them is meant."""


@dataclass(frozen=True, slots=True)
class CoverageSettings:
    """What is asked of a coverage run beyond its transmitters.

    Heights, radius [m] and ``time_percent`` [%] of 0 mean the registry's; ``store`` is the folder that keeps path
    loss; ``foreign`` a table of rasters of another tool, ``calibration`` a file of ``xinji calibrate``. Path
    loss is computed by ``workers`` processes (0: one for each core), or on the Dask cluster at ``cluster``.
    ``loads`` is one of ``LOADS``, or empty: the list's own where sectors are listed, else what demand asks.
    The capacity of the ``capacity`` busiest sectors of each band is simulated from ``seed``.
    """

    choice: Choice = field(default_factory=Choice)
    terminal_m: float = 0.0
    radius_m: float = 0.0
    time_percent: float = 0.0
    store: Path | None = None
    foreign: Path | None = None
    calibration: Path | None = None
    cluster: str = ""
    workers: int = 0
    loads: str = ""
    capacity: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What a run's path loss is computed on and how: surface, climate, terminal [m], radius [m], and its store."""

    surface: Surface
    climate: Climate
    terminal_m: float
    radius_m: float
    store: Path
    about: StoreAbout

    @property
    def scene(self) -> Scene:
        """Return the ground as the sectors see it."""
        return Scene(self.surface.grid, self.surface.ground_m, self.terminal_m)


@dataclass(frozen=True, slots=True, eq=False)
class CoverageRun:
    """What a run found: shares and typical figures, histograms, loads, maps ``computed`` and ``kept`` from before.

    ``capacities`` are those of the busiest sectors, where ``settings`` ask for them.
    """

    transmitters: Transmitters
    ground: Ground
    bands: tuple[int, ...]
    shares: tuple[Share, ...]
    typical: tuple[Typical, ...]
    bins: tuple[Bin, ...]
    loads: Loads | None
    computed: int
    kept: int
    seconds: float
    files: Mapping[str, Path]
    capacities: tuple[SectorCapacity, ...] = ()
    settings: CoverageSettings = field(default_factory=CoverageSettings)
