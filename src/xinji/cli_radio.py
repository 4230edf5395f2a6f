"""What the radio verbs do, and what they print."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import fmean, stdev

from xinji.cli_progress import steps
from xinji.core.vocabulary import GROUPS
from xinji.plan.radio.service_quality import PLACES
from xinji.plan.radio.service_statistics import SUBJECTS
from xinji.workflow import calibrate as calibration
from xinji.workflow import coverage
from xinji.workflow.coverage_files import coverage_object
from xinji.workflow.coverage_run import CoverageRun, CoverageSettings
from xinji.workflow.transmitters import Choice

DONE = 0

_STEPS = {
    "read": "Reading the region and its transmitters",
    "path_loss": "Computing path loss",
    "loads": "Finding how busy each sector is",
    "serve": "Best server, SINR, rates and chances of coverage",
    "capacity": "Simulating the busiest sectors",
    "write": "Writing maps",
    "calibrate": "Comparing with what was measured",
}


def run_coverage(arguments: Namespace) -> int:
    """Compute and write coverage, print what is covered; return the exit status. Raises XinjiError."""
    with steps(_STEPS) as progress, _kept_maps_told():
        made = coverage.cover(
            arguments.region,
            arguments.out,
            settings=_settings(arguments),
            language=arguments.language,
            progress=progress,
        )
    text = "\n".join(coverage_lines(made)) + "\n"
    if arguments.json:
        sys.stderr.write(text)
        _say_object({**coverage_object(made), "seconds": round(made.seconds, 3), "files": _paths(made)})
    else:
        sys.stdout.write(text)
    return DONE


def run_calibrate(arguments: Namespace) -> int:
    """Fit the model to measurements and print what came of it; return the exit status. Raises XinjiError."""
    settings = _settings(arguments)
    with steps(_STEPS) as progress, _kept_maps_told():
        region, network, scene = coverage.network(arguments.region, settings=settings, progress=progress)
        made = calibration.calibrate(
            region,
            arguments.measurements,
            network,
            scene,
            gcj02=arguments.gcj02,
            out=arguments.out,
            progress=progress,
        )
    for fault in made.warnings:
        sys.stderr.write(f"xinji: warning: {fault}\n")
    if arguments.json:
        sys.stderr.write(made.text() + "\n")
        _say_object(made.record())
    else:
        sys.stdout.write(made.text() + "\n")
    return DONE


@contextmanager
def _kept_maps_told() -> Iterator[None]:
    """Say, if the block is interrupted, that what was computed is not lost."""
    try:
        yield
    except KeyboardInterrupt:
        sys.stderr.write("xinji: path loss computed so far is kept; the same command goes on from there\n")
        raise


def _settings(arguments: Namespace) -> CoverageSettings:
    """Return what is asked; not every verb has every argument."""
    asked = vars(arguments)
    return CoverageSettings(
        choice=Choice(arguments.plan, arguments.stage, arguments.sectors, arguments.antennas, arguments.bands),
        terminal_m=arguments.terminal_height,
        radius_m=arguments.radius,
        time_percent=arguments.time_percent,
        store=arguments.store,
        foreign=asked.get("foreign"),
        calibration=asked.get("calibration"),
        cluster=arguments.cluster,
        workers=arguments.workers,
        loads=asked.get("loads", ""),
        capacity=asked.get("capacity", 0),
        seed=asked.get("seed", 0),
    )


def _say_object(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False, default=str) + "\n")


def _paths(made: CoverageRun) -> dict[str, str]:
    return {name: str(path) for name, path in made.files.items()}


def coverage_lines(made: CoverageRun) -> Iterator[str]:
    """Yield what a run found, in plain words."""
    region, sectors = made.transmitters.region, made.transmitters.sectors
    sites = len(set(sectors.site.tolist()))
    yield f"Coverage of {region.title_en} ({region.title_zh}): {sites:,} sites, {len(sectors):,} sectors"
    yield (
        f"  path loss    {made.computed:,} maps computed, {made.kept:,} taken from {made.ground.store};"
        f" {made.ground.radius_m / 1e3:g} km around each site at {made.ground.surface.grid.cell_m:g} m"
    )
    if made.loads is not None:
        full = int((made.loads.wanted > 1.0).sum())
        yield (
            f"  loads        {made.loads.load.mean():.1%} on average under the demand; {full:,} sectors are full;"
            f" {made.loads.unreached_share:.1%} of the demand is out of reach"
        )
    yield ""
    yield from _covered(made)
    yield ""
    yield from _typical(made)
    yield from _capacities(made)
    yield ""
    yield f"Maps for QGIS: {len([name for name in made.files if name.endswith('.tif')])} GeoTIFFs, sectors.gpkg"
    yield f"Statistics: {made.files['statistics.csv']}"
    if made.capacities:
        yield f"Capacity: {made.files['capacity.csv']}"
    for name, path in made.files.items():
        if name.endswith(".png"):
            yield f"Picture: {path}"
    yield f"Sources: {made.files['SOURCES.md']}"


def _covered(made: CoverageRun) -> Iterator[str]:
    heads = "".join(f"{text:>12}" for text in ("area", "residents", "workers", "industry"))
    yield f"  covered share of         {heads}"
    by = {(one.band, one.place, one.part, one.name, one.subject): one.share for one in made.shares}
    bands = list(dict.fromkeys(one.band for one in made.shares))
    rows = [(band, place, "all", "all") for band in bands for place in PLACES]
    rows += [(bands[-1], place, "group", group) for group in GROUPS for place in PLACES]
    for band, place, part, name in rows:
        if (band, place, part, name, SUBJECTS[0]) not in by:
            continue
        label = f"{band} {'MHz' if band.isdigit() else 'band'}" if part == "all" else name
        found = [by[band, place, part, name, subject] for subject in SUBJECTS]
        cells = "".join(f"{'-':>12}" if share is None else f"{share:12.1%}" for share in found)
        yield f"  {label:<19}{_SHORT[place]:<8}{cells}"


_SHORT = {"outdoor": "outside", "residential": "homes", "industrial": "halls"}


def _typical(made: CoverageRun) -> Iterator[str]:
    yield "  of residents, 5 % / 50 % / 95 % have at most"
    for one in made.typical:
        if one.of == "residents":
            name, _, unit = one.quantity.rpartition("_")
            unit = {"dbm": "dBm", "db": "dB", "mbps": "Mbit/s"}[unit]
            found = " / ".join("no signal" if value is None else f"{value:.1f}" for value in (one.p5, one.p50, one.p95))
            yield f"  {one.band + ' MHz':<10}{name.upper() if name in ('rsrp', 'sinr') else name:<6}{found} {unit}"


def _capacities(made: CoverageRun) -> Iterator[str]:
    """Yield a line for each band whose busiest sectors were simulated."""
    if made.capacities:
        yield ""
        yield f"  capacity down of the busiest sectors, always busy, by Monte Carlo from seed {made.settings.seed}"
    for mhz in dict.fromkeys(one.band_mhz for one in made.capacities):
        mine = [one for one in made.capacities if one.band_mhz == mhz]
        cells = [one.found.cell_mbps for one in mine if one.found is not None]
        spread = f" ± {stdev(cells):.1f}" if len(cells) > 1 else ""
        found = f"{fmean(cells):.1f}{spread}" if cells else "no user in any,"
        planner = fmean(one.planner_mbps for one in mine)
        yield f"  {f'{mhz} MHz':<10}{len(cells)} sectors: {found} Mbit/s; the planner reckons with {planner:.1f}"
