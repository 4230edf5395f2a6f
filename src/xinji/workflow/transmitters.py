"""Which sectors radiate: those of a plan, of a region's existing sites, or of a list; and their antennas and maps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.core.assets import offer_of
from xinji.core.grid import Grid
from xinji.core.offer import EXISTING
from xinji.core.radio import CODES_PER_DB, NOT_COVERED, AntennaCuts, LevelMap, LossMap, Sectors
from xinji.core.region import Region
from xinji.core.study import Study
from xinji.core.vocabulary import BANDS_MHZ, SERVICE_NAMES
from xinji.errors import Fault, InputError, raise_if
from xinji.io.antenna_file import read_antenna
from xinji.io.foreign_coverage import read_coverage
from xinji.io.region import locate, read
from xinji.io.sectors_file import read_sectors
from xinji.plan.demand import forecast
from xinji.plan.radio.area import Mast
from xinji.plan.radio.bands import RADIO_SERVICES, read_bands
from xinji.plan.radio.service import Network, masts_of
from xinji.plan.radio.service_loads import radio_down_mbps
from xinji.plan.radio.service_sectors import carriers_in_use, carriers_of_ids, sectors_of
from xinji.workflow.planning import load_study

PATTERN_SUFFIXES = (".msi", ".pln", ".ant", ".txt")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which transmitters: a plan's folder, a list of sectors, or neither for the region's existing sites.

    ``year`` is that up to which the plan is built (0: its last). ``antennas`` is a folder of pattern
    files; ``bands`` [MHz] leaves out all others, empty means all.
    """

    plan: Path | None = None
    year: int = 0
    sectors: Path | None = None
    antennas: Path | None = None
    bands: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Transmitters:
    """The region, its sectors, imported patterns by name, and what they are asked for.

    ``down_mbps`` (cells, radio services) is the busy-hour traffic down [Mbit/s]: what a plan serves in its year,
    otherwise what the region's users ask for in the first year. ``listed`` says that the sectors come from a
    list, with loads of their own.
    """

    region: Region
    sectors: Sectors
    cuts: Mapping[str, AntennaCuts]
    down_mbps: Floats
    listed: bool


def transmitters_of(name_or_path: str, choice: Choice) -> Transmitters:
    """Return the transmitters of a region, built-in or a folder, that ``choice`` asks for.

    A plan brings its own copy of the region. Raises InputError where there are none, or the plan is of
    another region; RegionError where the region cannot be read.
    """
    if choice.plan is not None and choice.sectors is not None:
        found = "a plan and a list of sectors are given"
        raise InputError([Fault("transmitters", found, "Name one of them: whose coverage is it?")])
    cuts = _cuts(choice.antennas)
    if choice.plan is not None:
        study = load_study(choice.plan)
        _same_region(name_or_path, study, choice.plan)
        sectors, year = _planned(study, choice.year)
        rows = [SERVICE_NAMES.index(name) for name in RADIO_SERVICES]
        served = radio_down_mbps(study.demand, year) * study.outcome.cell_served[:, rows, year]
        return Transmitters(study.region, _on_bands(sectors, choice), cuts, served, listed=False)
    region, wishes = read(locate(name_or_path))
    if choice.year:
        raise InputError([Fault("--stage", "a year is given without a plan", "Add --plan DIR, or leave it out.")])
    if choice.sectors is not None:
        load = region.parameters.value("radio.load_max", "share")
        sectors = read_sectors(choice.sectors, region.crs, load=load, antennas=list(cuts))
    else:
        sectors = sectors_of(carriers_in_use(region), region.parameters)
    listed = choice.sectors is not None
    return Transmitters(region, _on_bands(sectors, choice), cuts, radio_down_mbps(forecast(region, wishes), 0), listed)


def _same_region(name_or_path: str, study: Study, plan: Path) -> None:
    asked = locate(name_or_path).resolve()
    region, _ = read(asked)
    if region.name != study.region.name or region.crs != study.region.crs:
        message = f"it is a plan of {study.region.name} ({study.region.crs}), not of {region.name} ({region.crs})"
        raise InputError([Fault(str(plan), message, "Name the region that was planned.")])


def _planned(study: Study, year: int) -> tuple[Sectors, int]:
    """Return the sectors that stand by ``year`` under the plan, and the position of that year."""
    years = study.policy.years
    if year and year not in years:
        listed = ", ".join(map(str, years))
        raise InputError([Fault("--stage", f"{year} is no year of the plan", f"Use one of {listed}.")])
    place = years.index(year) if year else len(years) - 1
    offer, option = offer_of(study, "radio")
    stage = np.where(option >= 0, study.plan.stage[option], -1)
    stands = (stage >= EXISTING) & (stage <= place + 1)
    carriers = np.flatnonzero(stands & (offer.host >= 0))
    site = offer.id[offer.host[carriers]]
    band = np.array([int(kind.removeprefix("carrier_")) for kind in offer.kind[carriers].tolist()], dtype=np.int64)
    try:
        found = carriers_of_ids(study.region, site, band)
    except KeyError as error:
        message = f"the plan's site {error.args[0]} is none of the region's candidates"
        raise InputError([Fault("plan", message, "Run `xinji plan` again with this version.")]) from None
    return sectors_of(found, study.region.parameters), place


def _on_bands(sectors: Sectors, choice: Choice) -> Sectors:
    """Return the sectors on the bands asked for. Raises InputError where none is left, or a band has no figures."""
    if not len(sectors):
        remedy = "Give a plan (--plan DIR), a list (--sectors FILE), or the bands of the region's radio sites."
        message = "nothing radiates: no radio site has a band in use"
        if choice.plan is not None:
            message, remedy = "nothing radiates: the plan builds no carrier by then", "Name a later year with --stage."
        raise InputError([Fault("transmitters", message, remedy)])
    there = sorted({int(mhz) for mhz in sectors.band_mhz})
    wanted = choice.bands or tuple(there)
    faults = [
        Fault("bands", f"no sector radiates at {mhz} MHz", f"Bands there are: {', '.join(map(str, there))} MHz.")
        for mhz in wanted
        if mhz not in there
    ]
    faults += [
        Fault("bands", f"the registry has no carrier at {mhz} MHz", f"Use {', '.join(map(str, BANDS_MHZ))} MHz.")
        for mhz in wanted
        if mhz in there and mhz not in BANDS_MHZ
    ]
    raise_if(faults, InputError)
    return chosen(sectors, np.isin(sectors.band_mhz, wanted))


def _cuts(folder: Path | None) -> dict[str, AntennaCuts]:
    """Return the patterns in ``folder`` by the names of their files, without suffix."""
    if folder is None:
        return {}
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    files = [file for file in files if file.suffix.lower() in PATTERN_SUFFIXES]
    if not files:
        message = "there is no such folder" if not folder.is_dir() else "the folder holds no antenna pattern"
        suffixes = ", ".join(PATTERN_SUFFIXES)
        raise InputError([Fault(str(folder), message, f"Give a folder of MSI Planet files ({suffixes}).")])
    return {file.stem: read_antenna(file).cuts for file in files}


def own_masts(sectors: Sectors, foreign: Mapping[int, LossMap]) -> tuple[tuple[Mast, ...], Ints]:
    """Return the masts whose path loss is ours to compute, and the mast of each sector (n,), -1 where it is not."""
    own = np.array([row not in foreign for row in range(len(sectors))], dtype=bool)
    masts, mast_of_own = masts_of(chosen(sectors, own))
    mast_of = np.full(len(sectors), -1, dtype=np.int64)
    mast_of[own] = mast_of_own
    return masts, mast_of


def bands_of_masts(sectors: Sectors, mast_of: Ints, masts: int) -> list[tuple[float, ...]]:
    """Return the bands [MHz] that radiate from each mast."""
    return [tuple(np.unique(sectors.band_mhz[mast_of == mast]).astype(float).tolist()) for mast in range(masts)]


def network_of(
    found: Transmitters,
    foreign: Mapping[int, LossMap],
    windows: Callable[[Mast], Grid],
    map_of: Callable[[Mast], LossMap],
) -> Network:
    """Return the network of ``found``.

    ``windows`` and ``map_of`` give the frames and maps of our own masts; ``foreign`` holds, by sector, those
    that another tool computed, which stand on masts of their own.
    """
    own, mast_of = own_masts(found.sectors, foreign)
    rows = sorted(foreign)
    mast_of[rows] = len(own) + np.arange(len(rows))
    theirs = [foreign[row] for row in rows]
    radiated = np.zeros(len(found.sectors), dtype=bool)
    radiated[rows] = True
    return Network(
        sectors=found.sectors,
        masts=own + tuple(Mast(one.site, one.x_m, one.y_m, one.height_m) for one in theirs),
        mast_of=mast_of,
        windows=tuple(windows(mast) for mast in own) + tuple(one.grid for one in theirs),
        map_of=lambda number: map_of(own[number]) if number < len(own) else theirs[number - len(own)],
        radiated=radiated,
        patterns={band.mhz: band.pattern for band in read_bands(found.region.parameters)},
        cuts=found.cuts,
    )


def chosen(sectors: Sectors, kept: Bools) -> Sectors:
    """Return the sectors of which ``kept`` (n,) says so, in their order."""
    columns = {field.name: getattr(sectors, field.name)[kept] for field in fields(sectors)}
    return Sectors(**columns)


def foreign_levels(table: Path | None, grid: Grid, sectors: Sectors, *, terminal_m: float) -> dict[int, LossMap]:
    """Return what another tool computed, as maps by the position of the sector; see ``read_coverage``."""
    if table is None:
        return {}
    place = {name: row for row, name in enumerate(sectors.id.tolist())}
    return {
        place[one.sector]: _as_loss(one, sectors, place[one.sector], terminal_m)
        for one in read_coverage(table, grid, sectors)
    }


def _as_loss(levels: LevelMap, sectors: Sectors, row: int, terminal_m: float) -> LossMap:
    """Return levels as the loss from the sector's own EIRP, antenna included, cut to where there are any.

    Raises InputError where a level is above the EIRP.
    """
    rows, columns = (np.flatnonzero(np.isfinite(levels.rsrp_dbm).any(axis=axis)) for axis in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    cut = (slice(top, int(rows[-1]) + 1), slice(left, int(columns[-1]) + 1))
    level, eirp = levels.rsrp_dbm[cut], float(sectors.eirp_dbm[row])
    with np.errstate(invalid="ignore"):
        loss = np.rint((eirp - level) * CODES_PER_DB)
    known = np.isfinite(loss)
    if (loss[known] < 0).any():
        message = f"levels up to {float(np.nanmax(level)):g} dBm exceed the sector's EIRP of {eirp:g} dBm a subcarrier"
        remedy = "Give levels of one subcarrier (RSRP), or offset_db that turns them into it."
        raise InputError([Fault(f"coverage of {levels.sector}", message, remedy)])
    codes = np.where(known, np.minimum(np.where(known, loss, 0), NOT_COVERED - 1), NOT_COVERED).astype(np.uint16)
    grid = levels.grid
    frame = Grid(
        grid.crs,
        grid.west_m + left * grid.cell_m,
        grid.north_m - top * grid.cell_m,
        grid.cell_m,
        *level.shape,
    )
    place = (float(sectors.x_m[row]), float(sectors.y_m[row]), float(sectors.height_m[row]))
    return LossMap(levels.sector, *place, terminal_m, (float(levels.band_mhz),), frame, codes[None])
