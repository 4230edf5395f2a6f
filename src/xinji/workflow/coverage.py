"""From a region and its transmitters to path loss in a store, and to coverage in files."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

import numpy as np

from xinji.core.arrays import Bools
from xinji.core.radio import LossMap
from xinji.core.region import Region
from xinji.errors import Fault, InputError, OutputError, raise_if
from xinji.io.atomic import atomic_folder
from xinji.io.calibration_file import read_calibration
from xinji.io.loss_store import LossStore, StoreAbout, Wanted, open_store, surface_fingerprint, write_loss_maps
from xinji.plan.radio.area import Mast, Surface, climate_of, surface_of
from xinji.plan.radio.bands import read_bands
from xinji.plan.radio.calibration import corrected_map
from xinji.plan.radio.cell_capacity import read_drops
from xinji.plan.radio.service import Levels, Network, Numbers, Scene, blocks_of, receive
from xinji.plan.radio.service_capacity import (
    SectorCapacity,
    Served,
    busiest,
    people_of,
    planner_mbps,
    sector_capacity,
)
from xinji.plan.radio.service_loads import asked_of, loads_of
from xinji.plan.radio.service_quality import LAYERS, PLACES, Quality, layers, read_quality
from xinji.plan.radio.service_sectors import reach_m
from xinji.plan.radio.service_statistics import Bin, Pixels, Share, Typical, histogram, pixels_of, shares, typical
from xinji.plan.radio.shadowing import read_shadowing
from xinji.workflow.cluster import Crew, Task, cluster, processes, task_of
from xinji.workflow.coverage_files import COVERAGE_FILE, Written, known_files, write_band, write_end
from xinji.workflow.coverage_run import ANY, CoverageRun, CoverageSettings, Ground
from xinji.workflow.transmitters import (
    Transmitters,
    bands_of_masts,
    foreign_levels,
    network_of,
    own_masts,
    transmitters_of,
)

COVERAGE_STEPS = ("read", "path_loss", "loads", "serve", "capacity", "write")
Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with the name of a step, how much of it is done, and of how much."""

_CACHE_BYTES = 256e6


def _quiet(_step: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def default_out(region_name: str) -> Path:
    """Return where coverage goes unless told otherwise."""
    return Path("out") / f"{region_name}_coverage"


def ground_of(found: Transmitters, settings: CoverageSettings, beside: Path) -> Ground:
    """Return the ground of a run; its store lies beside the folder ``beside`` unless told otherwise.

    Raises InputError where terrain, climate or a figure is out of range.
    """
    region, read = found.region, found.region.parameters.value
    surface = surface_of(region)
    climate = climate_of(region)
    if settings.time_percent:
        climate = replace(climate, time_percent=settings.time_percent)
    terminal = settings.terminal_m or read("radio.terminal_height", "m")
    about = StoreAbout(
        crs=region.crs,
        surface=surface_fingerprint(surface.grid, surface.ground_m, surface.clutter_m, surface.clutter_class),
        climate=asdict(climate),
        terminal_m=terminal,
        model=f"ITU-R P.1812-8 and 3GPP TR 38.901, Xinji {version('xinji')}",
    )
    digest = hashlib.sha256(repr(about).encode()).hexdigest()[:8]
    store = settings.store or beside.parent / "path_loss" / f"{region.name}-{digest}"
    return Ground(surface, climate, terminal, settings.radius_m or reach_m(region.parameters), store, about)


def crew_of(settings: CoverageSettings) -> Crew:
    """Return who computes path loss. Raises InputError where Dask is asked for and not installed."""
    if settings.cluster:
        return cluster(settings.cluster)
    return processes(settings.workers or len(os.sched_getaffinity(0)))


def path_loss(
    found: Transmitters, ground: Ground, foreign: Mapping[int, LossMap], crew: Crew, tell: Progress
) -> tuple[LossStore, int, int]:
    """Compute what the store lacks; return it with the numbers of maps computed and kept from before.

    Each map is on disk before the next is taken from the crew, so that an interrupted run goes on where
    it stopped. Raises InputError where a site stands off the terrain or the store is of another ground.
    """
    masts, mast_of = own_masts(found.sectors, foreign)
    _check_masts(ground.surface, masts)
    bands = bands_of_masts(found.sectors, mast_of, len(masts))
    wanted = [
        Wanted(mast.site, mast.x_m, mast.y_m, mast.height_m, ground.radius_m, asked)
        for mast, asked in zip(masts, bands, strict=True)
    ]
    store = open_store(ground.store, ground.about)
    missing = store.missing(wanted)
    kept = len(wanted) - len(missing)
    tell("path_loss", kept, len(wanted))
    if missing:
        maps = crew(_tasks(ground, missing))
        told = _told(maps, tell, kept, len(wanted))
        store = write_loss_maps(ground.store, told, ground.about, radius_m=ground.radius_m)
    return store, len(missing), kept


def _check_masts(surface: Surface, masts: Iterable[Mast]) -> None:
    """Raise InputError with every mast that stands off the surface."""
    places = list(masts)
    x, y = np.array([mast.x_m for mast in places]), np.array([mast.y_m for mast in places])
    _, _, inside = surface.grid.locate(x, y)
    raise_if(
        [
            Fault(
                "sites",
                f"{places[row].site} stands at {x[row]:.0f}, {y[row]:.0f}, off the region's terrain",
                "Leave it out, or widen terrain and clutter of the region.",
            )
            for row in np.flatnonzero(~inside).tolist()
        ],
        InputError,
    )


def _tasks(ground: Ground, missing: Iterable[Wanted]) -> Iterator[Task]:
    for want in missing:
        mast = Mast(want.site, want.x_m, want.y_m, want.height_m)
        asked = Task(ground.surface, mast, want.frequency_mhz, want.radius_m, ground.terminal_m, ground.climate)
        yield task_of(asked)


def _told(maps: Iterable[LossMap], tell: Progress, done: int, total: int) -> Iterator[LossMap]:
    for number, made in enumerate(maps, 1):
        yield made
        tell("path_loss", done + number, total)


def network_from(
    found: Transmitters, ground: Ground, store: LossStore, foreign: Mapping[int, LossMap], calibration: Path | None
) -> Network:
    """Return the network that radiates over the maps of ``store``, corrected by ``calibration`` if there is one."""
    region, correction = found.region, read_calibration(calibration) if calibration is not None else None
    sizes = (2 * entry.rows * entry.columns * len(entry.frequency_mhz) for entry in store.entries.values())
    largest = max(sizes, default=1)

    @lru_cache(maxsize=max(4, int(_CACHE_BYTES // largest)))
    def map_of(mast: Mast) -> LossMap:
        read = store.read(mast.site, height_m=mast.height_m)
        return read if correction is None else corrected_map(correction, read, region.clutter)

    return network_of(
        found, foreign, lambda mast: store.entries[mast.site, mast.height_m].grid(ground.about.crs), map_of
    )


def require_writable(out: Path) -> None:
    """Raise OutputError unless coverage may be written to ``out``; asked before long work."""
    marker = out / COVERAGE_FILE
    if not marker.is_file():
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            message = f"{out}: what stands there was not written by `xinji coverage`"
            raise OutputError(f"{message}. Name another folder with --out.")
        return
    known = known_files(marker)
    foreign = [file.name for file in sorted(out.iterdir()) if file.name not in known]
    if foreign:
        listed = ", ".join(foreign[:5]) + (" ..." if len(foreign) > 5 else "")
        message = f"{out}: the folder holds files that Xinji did not write ({listed}), and they would be lost"
        raise OutputError(f"{message}. Move them away (close the maps in QGIS first), or name another folder.")


def cover(
    name_or_path: str,
    out: Path | None = None,
    *,
    settings: CoverageSettings | None = None,
    language: str = "zh",
    progress: Progress | None = None,
) -> CoverageRun:
    """Compute the coverage of a region's transmitters and write it to the folder ``out``, whole or not at all.

    Raises InputError with what is wrong in region, transmitters or settings, OutputError where the folder
    holds something else or the disk refuses. What path loss was computed before an error or an interrupt
    stays in the store.
    """
    begun, tell, settings = time.monotonic(), progress or _quiet, settings or CoverageSettings()
    tell("read", 0, 1)
    crew = crew_of(settings)
    found = transmitters_of(name_or_path, settings.choice)
    out = out or default_out(found.region.name)
    require_writable(out)
    ground = ground_of(found, settings, out)
    foreign = foreign_levels(settings.foreign, ground.surface.grid, found.sectors, terminal_m=ground.terminal_m)
    store, computed, kept = path_loss(found, ground, foreign, crew, tell)
    radiating = network_from(found, ground, store, foreign, settings.calibration)
    there = {int(mhz) for mhz in found.sectors.band_mhz}
    qualities = {
        band.mhz: read_quality(found.region.parameters, band)
        for band in read_bands(found.region.parameters)
        if band.mhz in there
    }
    loads = None
    if settings.loads == "demand" or not (settings.loads or found.listed):
        tell("loads", 0, 1)
        asked = asked_of(found.down_mbps, found.region.cells, ground.scene)
        loads = loads_of(radiating, ground.scene, qualities, asked, found.region.parameters)
        radiating = replace(radiating, sectors=replace(radiating.sectors, load=loads.load))
    run = CoverageRun(found, ground, tuple(qualities), (), (), (), loads, computed, kept, 0.0, {})
    with atomic_folder(out, marker=COVERAGE_FILE) as fresh:
        begun_run = replace(run, seconds=begun, settings=settings)
        return _serve(begun_run, radiating, qualities, Written(fresh, out, language), tell)


def network(
    name_or_path: str, *, settings: CoverageSettings, progress: Progress | None = None
) -> tuple[Region, Network, Scene]:
    """Return a region, its transmitters over their path-loss maps, and the ground; computes what the store lacks.

    Raises InputError as ``cover`` does.
    """
    tell = progress or _quiet
    tell("read", 0, 1)
    crew = crew_of(settings)
    found = transmitters_of(name_or_path, settings.choice)
    ground = ground_of(found, settings, default_out(found.region.name))
    store, _, _ = path_loss(found, ground, {}, crew, tell)
    return found.region, network_from(found, ground, store, {}, None), ground.scene


def _serve(
    run: CoverageRun, network: Network, qualities: Mapping[int, Quality], written: Written, tell: Progress
) -> CoverageRun:
    """Write the maps band by band, then what sums them up; ``run.seconds`` is when it began."""
    cells, scene = run.transmitters.region.cells, run.ground.scene
    pixels = pixels_of(scene.grid, cells)
    target = _targets(run)
    covered: dict[str, Bools] = {}
    found_shares: list[Share] = []
    found_typical: list[Typical] = []
    bins: list[Bin] = []
    capacities: list[SectorCapacity] = []
    for mhz, quality in qualities.items():
        with tempfile.TemporaryDirectory(prefix="xinji-") as scratch:
            told = _steps("serve", tell, mhz, tuple(qualities))
            server, rasters = _band(network, scene, quality, Path(scratch), told)
            here = {place: np.asarray(rasters[f"{place}_probability"] >= target[place]) for place in PLACES}
            covered = {place: here[place] | covered[place] if covered else here[place] for place in PLACES}
            found_shares += shares({(str(mhz), place): here[place] for place in PLACES}, pixels, cells)
            found_typical += _typical(str(mhz), rasters, pixels, run)
            for quantity in ("rsrp_dbm", "sinr_db"):
                bins += histogram(str(mhz), quantity, rasters[quantity], pixels, cells)
            write_band(written, run, network, mhz, (server, rasters))
            if run.settings.capacity:
                served = Served(server, rasters["rsrp_dbm"], people_of(scene.grid, pixels, cells))
                told = _steps("capacity", tell, mhz, tuple(qualities))
                capacities += _capacities(run, network, served, quality, told)
    found_shares += shares({(ANY, place): covered[place] for place in PLACES}, pixels, cells)
    run = replace(
        run,
        shares=tuple(found_shares),
        typical=tuple(found_typical),
        bins=tuple(bins),
        capacities=tuple(capacities),
        seconds=time.monotonic() - run.seconds,
    )
    tell("write", 0, 1)
    return replace(run, files=write_end(written, run, network))


def _capacities(
    run: CoverageRun,
    network: Network,
    served: Served,
    quality: Quality,
    tell: Callable[[int, int], None],
) -> Iterator[SectorCapacity]:
    """Yield the capacity of the busiest sectors of a band."""
    parameters, mhz = run.transmitters.region.parameters, quality.band.mhz
    shadowing, drops = read_shadowing(parameters), read_drops(parameters, run.settings.seed)
    chosen = busiest(network, served.server, mhz, run.settings.capacity).tolist()
    for number, sector in enumerate(chosen):
        tell(number, len(chosen))
        found = sector_capacity(
            network, run.ground.scene, served, sector, quality=quality, shadowing=shadowing, drops=drops
        )
        name, load = str(network.sectors.id[sector]), float(network.sectors.load[sector])
        yield SectorCapacity(name, mhz, load, planner_mbps(parameters, mhz), found)
    tell(len(chosen), len(chosen))


def _steps(step: str, tell: Progress, mhz: int, bands: tuple[int, ...]) -> Callable[[int, int], None]:
    """Return what tells how far a band is, as a part of all bands."""
    before = bands.index(mhz)
    return lambda done, total: tell(step, before * total + done, total * len(bands))


def _targets(run: CoverageRun) -> dict[str, float]:
    """Return the chance of coverage from which a place counts as covered, by place."""
    read = run.transmitters.region.parameters.value
    outdoor, indoor = (read(f"radio.coverage_probability_min.{where}", "share") for where in ("outdoor", "indoor"))
    return {place: outdoor if place == "outdoor" else indoor for place in PLACES}


def _typical(band: str, rasters: Mapping[str, Levels], pixels: Pixels, run: CoverageRun) -> Iterator[Typical]:
    for quantity in ("rsrp_dbm", "sinr_db", "down_mbps", "up_mbps"):
        yield from typical(band, quantity, rasters[quantity], pixels, run.transmitters.region.cells)


def _band(
    network: Network, scene: Scene, quality: Quality, scratch: Path, tell: Callable[[int, int], None]
) -> tuple[Numbers, dict[str, Levels]]:
    """Return the best server and the rasters of ``LAYERS``, kept on disk in ``scratch`` rather than in memory."""
    shape = (scene.grid.rows, scene.grid.columns)
    server = np.memmap(scratch / "server", np.int32, "w+", shape=shape)
    rasters = {name: np.memmap(scratch / name, np.float32, "w+", shape=shape) for name in LAYERS}
    blocks = list(blocks_of(scene.grid))
    for number, block in enumerate(blocks):
        tell(number, len(blocks))
        got = receive(network, scene, block, quality.band.mhz, quality.noise_dbm)
        server[block.cut()] = got.sector
        for name, values in layers(got, quality, network.sectors).items():
            rasters[name][block.cut()] = values
    tell(len(blocks), len(blocks))
    return np.asarray(server), {name: np.asarray(raster) for name, raster in rasters.items()}
