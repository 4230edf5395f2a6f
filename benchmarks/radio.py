"""The radio engine: accuracy and speed on the same configurations in one run, and the packages that people use.

    python benchmarks/radio.py [--quick] [--shared DIR] [--out FILE]

Speeds are per core, in processor time. ``--quick`` shows in seconds that all works; its figures mean nothing.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numba
import numpy as np
import sinr
from radio_parts import accuracy, batch, peers, scenes, speed

from xinji.core.arrays import Floats
from xinji.workflow.validate import validate_radio

SHARED = Path(__file__).resolve().parents[2] / "shared"
TERRAIN = Path("regions/porto_alegre/poa_elevation.tif")
SITES_WANTED, BATCH_RADIUS_M = 10_000, 10_000.0
CASES_TOLERANCE_DB, KERNEL_DB, MEDIAN_DB, OFTEN_DB, BIAS_DB = 1e-6, 0.02, 0.03, 0.6, 0.03
NEAR_SPEED, FAR_SPEED, LINK_SPEED = 1.5e6, 1.0e6, 500e6
FURTHER_BAND_PERCENT, CORE_MINUTES = 15.0, 40.0
BUSY_LOAD = 1.5


@dataclass(frozen=True, slots=True)
class Size:
    """How much is computed: pixels of the terrain's side, radii [m], sampled pixels, sites, pixels of the SINR."""

    terrain: int = 4_096
    near_m: float = 20_000.0
    far_m: float = 50_000.0
    sample: int = 1_000
    slow_sample: int = 150
    sites: int = 30
    batch_m: float = BATCH_RADIUS_M
    sinr: int = sinr.SIZES[0]


QUICK = Size(512, 3_000.0, 6_000.0, 20, 4, 3, 2_000.0, 50_000)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; ``met`` is None where there is no target or nothing was measured."""

    what: str
    on: str
    target: str
    measured: str
    met: bool | None = None

    def __str__(self) -> str:
        verdict = {True: "yes", False: "**no**", None: "-"}[self.met]
        return f"| {self.what} | {self.on} | {self.target} | {self.measured} | {verdict} |"


def validation_rows(data: Path) -> Iterator[Row]:
    """Yield a row for each set of published figures."""
    if not data.is_dir():
        yield Row("published figures", "-", "-", f"skipped: there is no {data}")
        return
    for one in validate_radio(data):
        if one.worst is None or one.tolerance is None:
            continue
        measured = f"{one.passed:,} of {one.cases:,}, worst {one.worst:.2g} {one.unit}"
        target = f"every one within {one.tolerance:g} {one.unit}"
        yield Row(f"{one.set} cases", "published figures", target, measured, one.passed == one.cases)


def _by_band(figures: Iterable[str]) -> str:
    return "; ".join(f"{mhz / 1e3:g} GHz: {said}" for mhz, said in zip(scenes.BANDS_MHZ, figures, strict=True))


def _spread_row(what: str, on: str, error: Floats, *, judged: bool = True) -> Row:
    """Return median, 95 % and bias of errors [dB] (bands, pixels)."""
    size = np.abs(error)
    figures = np.stack([np.median(size, axis=1), np.percentile(size, 95, axis=1), error.mean(axis=1)], axis=1)
    said = _by_band(f"{median:.3f} / {often:.3f} / {bias:+.3f} dB" for median, often, bias in figures)
    if not judged:
        return Row(what, on, "-", said)
    met = bool((np.abs(figures) <= (MEDIAN_DB, OFTEN_DB, BIAS_DB)).all())
    return Row(what, on, f"at most {MEDIAN_DB:g} / {OFTEN_DB:g} / {BIAS_DB:g} dB", said, met)


def accuracy_rows(scene: scenes.Scene, n: int) -> Iterator[Row]:
    """Yield what the raster errs by, and what the choice of points along a path alone changes."""
    errors = accuracy.measure(scene, n)
    worst = np.abs(errors.same).max(axis=1)
    on = f"{scene.name}, {scene.radius_m / 1e3:g} km, {errors.same.shape[1]:,} pixels"
    said = _by_band(f"{one:.3f} dB" for one in worst)
    met = bool(worst.max() <= KERNEL_DB)
    yield Row("fast kernel against float64 on the same profile, worst", on, f"at most {KERNEL_DB:g} dB", said, met)
    what = "median / 95 % / bias of"
    yield _spread_row(f"{what} raster against own profile, a point each pixel length", on, errors.every_cell)
    yield _spread_row(f"{what} raster against own profile, equal steps", on, errors.equal_steps)
    between = errors.every_cell - errors.equal_steps
    yield _spread_row(f"{what} the two own profiles, one against the other", on, between, judged=False)


def speed_row(scene: scenes.Scene, mhz: float, found: float, target: float) -> Row:
    """Return the row of a speed [pixels/s]."""
    on = f"{scene.name}, {scene.radius_m / 1e3:g} km"
    said = f"at least {target / 1e6:g} million pixels/s"
    return Row(f"speed, {mhz / 1e3:g} GHz", on, said, f"{found / 1e6:.2f} million pixels/s", found >= target)


def scene_rows(scene: scenes.Scene, size: Size) -> Iterator[Row]:
    """Yield accuracy, speed and the cost of a further band on one configuration."""
    yield from accuracy_rows(scene, size.sample)
    for mhz in scenes.BANDS_MHZ:
        yield speed_row(scene, mhz, speed.pixels_per_second(scene, mhz), NEAR_SPEED)
    extra = speed.further_band_percent(scene)
    what = f"one more band ({scenes.FURTHER_MHZ / 1e3:g} to {scenes.FIRST_MHZ / 1e3:g} GHz)"
    on, said = f"{scene.name}, {scene.radius_m / 1e3:g} km", f"at most {FURTHER_BAND_PERCENT:g} % of the first"
    yield Row(what, on, said, f"{extra:.1f} %", extra <= FURTHER_BAND_PERCENT)


def sinr_row(pixels: int) -> Row:
    """Return the speed of the SINR from path-loss codes."""
    made = sinr.case(pixels)
    made.codes()
    found = pixels * sinr.INTERFERERS / speed.cpu_seconds(made.codes)
    on, said = f"{pixels:,} pixels, {sinr.INTERFERERS} interferers", f"at least {LINK_SPEED / 1e6:.0f} million links/s"
    return Row("SINR from path-loss codes", on, said, f"{found / 1e6:,.0f} million links/s", found >= LINK_SPEED)


def batch_rows(scene: scenes.Scene, size: Size) -> Iterator[Row]:
    """Yield what many sites cost, extrapolated from a few."""
    found = batch.run(scene, size.sites, size.batch_m)
    minutes = (found.compute_s + found.store_s) * SITES_WANTED / 60.0
    on = f"{scene.name}, {size.batch_m / 1e3:g} km, one band; {found.sites} sites measured"
    what = f"{SITES_WANTED:,} sites with store, extrapolated"
    parts = f"{found.compute_s * 1e3:.0f} + {found.store_s * 1e3:.0f} ms a site, computing + store"
    yield Row(
        what,
        on,
        f"at most {CORE_MINUTES:g} core-minutes",
        f"{minutes:.1f} core-minutes ({parts})",
        minutes <= CORE_MINUTES,
    )
    whole = found.bytes_a_site * SITES_WANTED / 1e9
    yield Row("store, extrapolated", on, "-", f"{found.bytes_a_site / 1e3:,.0f} kB a site, {whole:.1f} GB")
    start, some, every = found.peak_mib
    growth = f"{every:,.0f} MiB; {some:,.0f} after {max(found.sites // 3, 1)} sites, {start:,.0f} before the first"
    yield Row("peak memory", on, "bounded", growth, every - some <= 0.1 * some)


def peer_lines(scene: scenes.Scene, size: Size, engine: float) -> Iterator[str]:
    """Yield the table of the packages on the same profiles; ``engine`` is the area engine's speed [pixels/s]."""
    given = peers.paths(scene, size.sample)
    some = replace(given, profiles=given.profiles[: size.slow_sample])
    ours, itm_loss = peers.our_itm(some)
    made = [peers.reference(scene, given), ours]
    skipped = []
    if peers.missing("pycraf"):
        skipped.append("pycraf is not installed: its row is left out.")
    else:
        made.append(peers.pycraf(scene, given))
    if peers.missing("itmlogic"):
        skipped.append("itmlogic is not installed: its row is left out.")
    else:
        made.append(peers.itmlogic(some, itm_loss))
    on = f"{scene.name}, {scene.radius_m / 1e3:g} km, {scenes.FIRST_MHZ / 1e3:g} GHz"
    yield f"On {on}; {len(given.profiles):,} pixels, {len(some.profiles):,} for ITM:\n"
    yield "| method | pixels/s per core | ratio | compared with | median difference, dB | worst, dB |"
    yield "|---|---|---|---|---|---|"
    yield f"| xinji, area engine, P.1812-8 | {engine:,.0f} | 1 | see above | - | - |"
    for one in made:
        speeds = f"{one.pixels_per_second:,.0f} | {engine / one.pixels_per_second:,.0f}"
        gap = "- | - | -" if not one.against else f"{one.against} | {one.median_db:.2f} | {one.worst_db:.2f}"
        yield f"| {one.method} | {speeds} | {gap} |"
    if skipped:
        yield ""
        yield from skipped


def machine() -> str:
    """Return date, processor, versions, and whether other work was going on."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text(encoding="utf-8").splitlines() if about.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    load = os.getloadavg()[1]
    busy = f", busy with other work: load {load:.1f} before" if load > BUSY_LOAD else ""
    versions = f"Python {platform.python_version()}, numba {numba.__version__}, NumPy {np.__version__}"
    return f"Run on {dt.datetime.now(dt.UTC).date()}, {os.cpu_count()} cores ({model}{busy}), {versions}."


def configuration(size: Size) -> str:
    """Return what all figures were computed on."""
    made, clutter = scenes, scenes.CLUTTER_M
    return " ".join(
        (
            f"Pixels of {made.CELL_M:g} m, antenna {made.ANTENNA_M:g} m and terminal {made.TERMINAL_M:g} m above",
            f"ground, vertical polarization, {made.TIME_PERCENT:g} % of time, 50 % of places, dN {made.GRADIENT:g}",
            f"N-units/km, N0 {made.REFRACTIVITY:g}. Fractal terrain: {size.terrain:,} pixels square, seed {made.SEED},",
            f"Hurst {made.HURST:g}, standard deviation {made.ROUGHNESS_M:g} m over",
            f"{made.AT_PIXELS * made.CELL_M / 1e3:.0f} km; clutter of {min(clutter):g} to {max(clutter):g} m",
            f"in patches of {made.PATCH_PIXELS * made.CELL_M:g} m.",
            f"Speeds: processor time, one core, warm, medians of {speed.TRIES} runs.",
        )
    )


def report(size: Size, shared: Path) -> Iterator[str]:
    """Yield the lines of the report."""
    yield f"{machine()}\n\n{configuration(size)}\n"
    yield "| what | on | target | measured | met |"
    yield "|---|---|---|---|---|"
    bare, built = scenes.fractal_scenes(size.terrain, size.near_m)
    replace(bare, radius_m=size.batch_m).map(*scenes.BANDS_MHZ)  # compiles
    yield from map(str, validation_rows(shared / "validation"))
    for scene in (bare, built):
        yield from map(str, scene_rows(scene, size))
    for scene in (bare, built):
        far = replace(scene, radius_m=size.far_m)
        yield str(speed_row(far, scenes.FIRST_MHZ, speed.pixels_per_second(far, scenes.FIRST_MHZ), FAR_SPEED))
    real = shared / TERRAIN
    if real.exists():
        yield from map(str, scene_rows(scenes.real_scene(real), size))
    else:
        yield str(Row("real terrain", "-", "-", f"skipped: there is no {real}"))
    yield str(sinr_row(size.sinr))
    for scene in (bare, built):
        yield from map(str, batch_rows(scene, size))
    yield ""
    yield from peer_lines(bare, size, speed.pixels_per_second(bare, scenes.FIRST_MHZ))
    yield f"\nLoad over the last five minutes, of which this run is 1: {os.getloadavg()[1]:.1f}."


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that all works")
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of validation data and regions")
    parser.add_argument("--out", type=Path, help="file to write the report to as well")
    asked = parser.parse_args()
    lines = []
    for line in report(QUICK if asked.quick else Size(), asked.shared):
        print(line, flush=True)
        lines.append(line)
    if asked.out is not None:
        asked.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
