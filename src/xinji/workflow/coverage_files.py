"""The folder of a coverage run: maps as GeoTIFF and PNG, sectors, statistics, sources."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from xinji.core.grid import Raster
from xinji.errors import Fault, InputError
from xinji.io.cog import Band, write_cog
from xinji.io.sectors_file import write_sectors
from xinji.plan.radio.service import Levels, Network, Numbers
from xinji.plan.radio.service_capacity import SectorCapacity
from xinji.plan.radio.service_statistics import Share
from xinji.show.coverage_map import save_coverage_png
from xinji.workflow.coverage_run import CoverageRun

COVERAGE_FILE = "coverage.json"
"""What says that a folder is one of a coverage run, and lists its files."""

UNITS = {"dbm": "dBm", "db": "dB", "mbps": "Mbit/s", "probability": ""}
TITLES = {
    "rsrp_dbm": "RSRP of the best server, median outdoors",
    "sinr_db": "SINR, interferers as busy as their loads",
    "down_mbps": "Throughput down of one user alone in the cell",
    "up_mbps": "Throughput up of one user alone in the cell",
    "outdoor_probability": "Chance of coverage outdoors",
    "residential_probability": "Chance of coverage in dwellings and offices",
    "industrial_probability": "Chance of coverage in factory halls",
    "residential_rsrp_dbm": "RSRP in dwellings and offices, median place",
    "industrial_rsrp_dbm": "RSRP in factory halls, median place",
}
"""What each raster shows."""

_CAPACITY = (
    "drops",
    "users",
    "cell_mbps",
    "low",
    "high",
    "user_mean",
    "user_5_percent",
    "outage_share",
    "load",
    "planner_mbps",
)
_STEPS = {"probability": 1.0 / 256.0, "mbps": 1.0 / 16.0}


@dataclass(frozen=True, slots=True)
class Written:
    """Where files are written, where they will be in the end, in which language, and those so far by name."""

    fresh: Path
    out: Path
    language: str
    names: list[str] = field(default_factory=list)

    def path(self, name: str) -> Path:
        """Return where to write the file ``name``, and remember it."""
        self.names.append(name)
        return self.fresh / name

    def files(self) -> dict[str, Path]:
        """Return the paths of all files by their names, as they will be in the end."""
        return {name: self.out / name for name in self.names}


def known_files(marker: Path) -> set[str]:
    """Return the names of the files that an earlier run wrote. Raises InputError where its record is damaged."""
    try:
        kept = json.loads(marker.read_text(encoding="utf-8"))["files"]
        return {*map(str, kept), COVERAGE_FILE}
    except (OSError, ValueError, KeyError, TypeError) as error:
        remedy = "Name another folder, or remove this one."
        raise InputError([Fault(str(marker), f"the file is damaged ({error})", remedy)]) from None


def write_band(
    written: Written, run: CoverageRun, network: Network, mhz: int, found: tuple[Numbers, Mapping[str, Levels]]
) -> None:
    """Write the maps of one band: each raster as a cloud-optimised GeoTIFF, and RSRP as a picture."""
    (server, rasters), region, grid = found, run.transmitters.region, run.ground.surface.grid
    tags = {"SOURCE": " · ".join(region.attribution), "SOFTWARE": f"Xinji {version('xinji')}", "BAND_MHZ": str(mhz)}
    for name, values in rasters.items():
        kind = name.rpartition("_")[2]
        band = Band(Raster(grid, values), f"{TITLES[name]}, {mhz} MHz", UNITS[kind])
        write_cog(written.path(f"{name}_{mhz}.tif"), [band], tags=tags, step=_STEPS.get(kind, 1.0 / 128.0))
    best = Band(Raster(grid, server), f"Best server, {mhz} MHz: number in servers.csv", "")
    write_cog(written.path(f"server_{mhz}.tif"), [best], nodata=-1, tags=tags)
    mine = network.on_band(mhz)
    sites = (network.sectors.x_m[mine], network.sectors.y_m[mine])
    levels = Raster(grid, rasters["rsrp_dbm"])
    save_coverage_png(written.path(f"rsrp_{mhz}.png"), region, levels, sites, mhz=mhz, language=written.language)


def write_end(written: Written, run: CoverageRun, network: Network) -> dict[str, Path]:
    """Write what sums up a run: sectors, statistics as CSV and JSON, sources; return all files by name."""
    sectors, region = network.sectors, run.transmitters.region
    write_sectors(written.path("sectors.gpkg"), sectors, region.crs)
    wanted = sectors.load if run.loads is None else run.loads.wanted
    rows = zip(
        range(len(sectors)),
        sectors.id.tolist(),
        sectors.site.tolist(),
        sectors.band_mhz.tolist(),
        sectors.load.round(4).tolist(),
        wanted.round(4).tolist(),
        strict=True,
    )
    heads = ("number", "id", "site", "band_mhz", "load", "load_wanted")
    _write_csv(written.path("servers.csv"), heads, rows)
    _write_csv(
        written.path("statistics.csv"),
        ("band", "place", "part", "name", "subject", "total", "covered", "share"),
        (
            (*(getattr(one, key) for key in ("band", "place", "part", "name", "subject")), *_amounts(one))
            for one in run.shares
        ),
    )
    _write_csv(
        written.path("histograms.csv"),
        ("band", "quantity", "low", "high", "area_km2", "residents"),
        (tuple(_plain(value) for value in asdict(one).values()) for one in run.bins),
    )
    if run.capacities:
        found = [capacity_row(one, run.settings.seed) for one in run.capacities]
        lines = ([_plain(value) for value in row.values()] for row in found)
        _write_csv(written.path("capacity.csv"), list(found[0]), lines)
    written.path("SOURCES.md").write_text(sources_text(run, written.names), encoding="utf-8")
    record = {**coverage_object(run), "files": list(written.names)}
    text = json.dumps(record, ensure_ascii=False, indent=1, allow_nan=False)
    written.path(COVERAGE_FILE).write_text(text + "\n", encoding="utf-8")
    return written.files()


def coverage_object(run: CoverageRun) -> dict[str, object]:
    """Return what a run found, for a program: shares are null where there is nothing to cover."""
    ground, sectors = run.ground, run.transmitters.sectors
    return {
        "region": run.transmitters.region.name,
        "crs": ground.about.crs,
        "bands_mhz": list(run.bands),
        "sites": len(set(sectors.site.tolist())),
        "sectors": len(sectors),
        "pixel_m": ground.surface.grid.cell_m,
        "radius_m": ground.radius_m,
        "terminal_m": ground.terminal_m,
        "time_percent": ground.climate.time_percent,
        "store": str(ground.store),
        "maps": {"computed": run.computed, "kept": run.kept},
        "loads": _loads_object(run),
        "shares": [{**asdict(one), "share": one.share} for one in run.shares],
        "typical": [asdict(one) for one in run.typical],
        "histograms": [{key: _finite(value) for key, value in asdict(one).items()} for one in run.bins],
        "capacity": [capacity_row(one, run.settings.seed) for one in run.capacities],
        "attribution": list(run.transmitters.region.attribution),
    }


def capacity_row(one: SectorCapacity, seed: int) -> dict[str, object]:
    """Return a sector's capacity [Mbit/s] by column; what the simulation gives is None where no user came."""
    row: dict[str, object] = {"sector": one.sector, "band_mhz": one.band_mhz, "seed": seed, **dict.fromkeys(_CAPACITY)}
    row |= {"load": one.load, "planner_mbps": one.planner_mbps}
    if one.found is not None:
        found = one.found
        row |= {"drops": found.drops, "users": found.users, "outage_share": found.outage_share}
        row |= {"cell_mbps": found.cell_mbps, "low": found.cell_mbps_low, "high": found.cell_mbps_high}
        row |= {"user_mean": found.user_mean_mbps, "user_5_percent": found.user_5_percent_mbps}
    return row


def _loads_object(run: CoverageRun) -> dict[str, object]:
    if run.loads is None:
        return {"from": "given", "mean": float(run.transmitters.sectors.load.mean())}
    return {
        "from": "demand",
        "mean": float(run.loads.load.mean()),
        "full_sectors": int((run.loads.wanted > 1.0).sum()),
        "demand_out_of_reach": run.loads.unreached_share,
    }


def _amounts(one: Share) -> tuple[str, str, str]:
    share = one.share
    return f"{one.total:.6g}", f"{one.covered:.6g}", "" if share is None else f"{share:.6f}"


def _plain(value: object) -> object:
    return f"{value:.6g}" if isinstance(value, float) else value


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write_csv(path: Path, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows(rows)


def sources_text(run: CoverageRun, names: Sequence[str]) -> str:
    """Return the list of sources, models and files that goes with the maps."""
    region, ground = run.transmitters.region, run.ground
    climate = ground.climate
    lines = [
        f"# Coverage of {region.title_en} ({region.title_zh})",
        "",
        "## Data that every map made of these files must name",
        "",
        *(f"- {line}" for line in region.attribution),
        "",
        "## Models",
        "",
        f"- {ground.about.model}: path loss up to {ground.radius_m / 1e3:g} km from each site",
        f"- Terminal {ground.terminal_m:g} m above ground outdoors",
        f"- Loss not exceeded in {climate.time_percent:g} % of the time",
        f"- dN {climate.refractivity_gradient:g} N-units/km, N0 {climate.surface_refractivity:g} N-units",
        "- ITU-R P.2109: loss into buildings, added to the loss outdoors and to nothing else",
        "- 3GPP TR 38.214 link adaptation: throughput of one user alone in the cell",
        *(["- Capacity of sectors: Monte Carlo, fading alike nearby (Gudmundson 1991)"] if run.capacities else []),
        f"- Loads of sectors: {'carry the demand of the region' if run.loads is not None else 'as given'}",
        "",
        "## Files",
        "",
        *(f"- `{name}`{_said(name)}" for name in names),
        "",
    ]
    return "\n".join(lines)


def _said(name: str) -> str:
    others = {
        "sectors.gpkg": "sectors as points",
        "servers.csv": "numbers of the best-server rasters, with loads",
        "statistics.csv": "covered area, people and industry by band, place and part of the region",
        "histograms.csv": "area and residents by class of RSRP and SINR",
        "capacity.csv": "capacity of the busiest sectors by Monte Carlo, beside the planner's figure",
    }
    base = name.rpartition("_")[0]
    said = others.get(name) or TITLES.get(base) or {"server": "number of the best server"}.get(base, "")
    return f": {said}" if said else ""
