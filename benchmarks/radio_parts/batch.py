"""Many sites in a process of their own: time, bytes and peak memory, the store included."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common_parts.memory import peak_mib
from radio_parts.scenes import (
    ANTENNA_M,
    CELL_M,
    FIRST_MHZ,
    SEED,
    TERMINAL_M,
    Scene,
    climate,
    surface,
)

from xinji.core.radio import LossMap
from xinji.io.loss_store import StoreAbout, surface_fingerprint, write_loss_maps
from xinji.plan.radio.area import Mast, Surface, loss_map


@dataclass(frozen=True, slots=True)
class Task:
    """A batch: the terrain's file, the number of sites, the radius [m]."""

    terrain: Path
    sites: int
    radius_m: float


@dataclass(frozen=True, slots=True)
class Batch:
    """What a site costs: seconds of processor time and bytes.

    ``peak_mib`` is the peak memory [MiB] when the terrain was read, after a third of the sites and after all.
    """

    sites: int
    compute_s: float
    store_s: float
    bytes_a_site: float
    peak_mib: tuple[float, float, float]


def masts(ground: Surface, sites: int, radius_m: float) -> list[Mast]:
    """Return sites at random places with the whole radius on the terrain."""
    rng = np.random.default_rng(SEED)
    side = ground.grid.rows * ground.grid.cell_m
    place = rng.uniform(radius_m + CELL_M, side - radius_m - CELL_M, (sites, 2))
    return [Mast(f"site{k}", float(x), float(y), ANTENNA_M) for k, (x, y) in enumerate(place)]


def work(task: Task) -> Batch:
    """Compute and store the batch in this process."""
    read = np.load(task.terrain)
    made = surface(read["ground"], read["clutter"])
    about = StoreAbout(made.grid.crs, surface_fingerprint(made.grid, made.ground_m), {}, TERMINAL_M, "xinji, benchmark")
    sites = masts(made, task.sites + 1, task.radius_m)
    peaks, spent = [peak_mib()], [0.0]

    def maps(some: list[Mast]) -> Iterator[LossMap]:
        for mast in some:
            begun = time.process_time()
            yielded = loss_map(
                made, mast, frequency_mhz=(FIRST_MHZ,), radius_m=task.radius_m, terminal_m=TERMINAL_M, climate=climate()
            )
            spent[0] += time.process_time() - begun
            yield yielded

    with tempfile.TemporaryDirectory() as folder:
        write_loss_maps(Path(folder) / "warm", maps(sites[-1:]), about, radius_m=task.radius_m)
        spent[0] = 0.0
        third, store = max(task.sites // 3, 1), Path(folder) / "store"
        begun = time.process_time()
        for some in (sites[:third], sites[third:-1]):
            write_loss_maps(store, maps(some), about, radius_m=task.radius_m)
            peaks.append(peak_mib())
        whole = time.process_time() - begun
        size = sum(path.stat().st_size for path in store.iterdir())
    n = task.sites
    return Batch(n, spent[0] / n, (whole - spent[0]) / n, size / n, (peaks[0], peaks[1], peaks[2]))


def run(scene: Scene, sites: int, radius_m: float) -> Batch:
    """Compute and store the batch in a fresh process, whose peak memory is then the batch's own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "terrain.npz"
        np.savez(path, ground=scene.surface.ground_m, clutter=scene.surface.clutter_m)
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            return pool.submit(work, Task(path, sites, radius_m)).result()
