"""From measured levels and a network's path-loss maps to a calibration: its file, its figures, what it says."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.core.calibration import ALL, Calibration, Evidence
from xinji.core.radio import CODES_PER_DB, NOT_COVERED, Measurements
from xinji.core.region import Region
from xinji.core.vocabulary import LAND_USES
from xinji.errors import Fault, InputError
from xinji.io.calibration_file import write_calibration
from xinji.io.measurements import Frame, read_measurements
from xinji.plan.radio.calibration import calibrate as fit_model
from xinji.plan.radio.calibration_bins import Comparison
from xinji.plan.radio.calibration_settings import read_settings
from xinji.plan.radio.service import Network, Scene, attenuation_codes, view

STEP = "calibrate"
"""The step that is told to ``progress``, by masts compared."""

Progress: TypeAlias = Callable[[str, int, int], None]

_HEADER = ("land use", "points", "bins", "sites", "offset", "std error", "spread", "held-out MAE", "RMSE", "bias", "")
_NEAREST_M = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationRun:
    """A calibration, how many levels it had (``rows`` in the file, ``compared``), warnings, and its file if written."""

    calibration: Calibration
    rows: int
    compared: int
    warnings: tuple[Fault, ...]
    file: Path | None

    def text(self) -> str:
        """Return what was found in lines for a terminal."""
        return "\n".join(_lines(self))

    def record(self) -> dict[str, object]:
        """Return what was found as an object for JSON; figures that nobody knows are None."""
        found = self.calibration
        uses = {
            use: {
                "applied": bool(found.applied[code]),
                "offset_db": float(found.offset_db[code]),
                "sigma_db": float(found.sigma_db[code]),
            }
            for code, use in enumerate(LAND_USES)
        }
        plain = _known(
            {
                "model": found.model,
                "slope_db": found.slope_db,
                "reference_m": found.reference_m,
                "distance_m": list(found.distance_m),
                "site_sigma_db": found.site_sigma_db,
                "bands_mhz": list(found.bands_mhz),
                "rows": self.rows,
                "compared": self.compared,
                "land_use": uses,
                "evidence": [asdict(one) for one in found.evidence],
                "verdicts": [asdict(one) for one in found.verdicts],
                "warnings": [asdict(one) for one in self.warnings],
                "file": "" if self.file is None else str(self.file),
            }
        )
        return plain if isinstance(plain, dict) else {}


def calibrate(
    region: Region,
    measurements: Path,
    network: Network,
    scene: Scene,
    *,
    gcj02: bool = False,
    out: Path | None = None,
    progress: Progress | None = None,
) -> CalibrationRun:
    """Fit the path loss of ``network`` to the levels in a file; see ``xinji.plan.radio.calibration``.

    A level of ``measurements`` is compared with that of the strongest sector that its serving site has on its band.
    ``gcj02`` says that the file's degrees are in GCJ-02; ``out`` is written if given, also where the
    calibration is the identity. Raises InputError with every fault of the file, OutputError where the
    disk refuses.
    """
    tell = progress or _quiet
    settings = read_settings(region.parameters)
    file = read_measurements(measurements, Frame(scene.grid, _bands(network), region.roads.shape), gcj02=gcj02)
    levels = file.measurements
    predicted, distance_m = predict(network, scene, levels, tell)
    reached = np.isfinite(predicted)
    warnings = list(file.warnings)
    if not reached.all():
        found = f"{int((~reached).sum())} rows lie beyond the path-loss map of their serving site"
        warnings.append(Fault(measurements.name, found, "Give a larger radius, or check the serving sites."))
    if not reached.any():
        raise InputError(warnings)
    points = Comparison(
        x_m=levels.x_m[reached],
        y_m=levels.y_m[reached],
        measured_dbm=levels.rsrp_dbm[reached],
        predicted_dbm=predicted[reached],
        clutter_class=region.clutter.sample(levels.x_m[reached], levels.y_m[reached]).astype(np.uint8),
        site=levels.site[reached],
        band_mhz=levels.band_mhz[reached],
        distance_m=distance_m[reached],
    )
    found_now = fit_model(points, settings)
    if out is not None:
        write_calibration(out, found_now)
    return CalibrationRun(found_now, file.rows, len(points), tuple(warnings), out)


def predict(network: Network, scene: Scene, levels: Measurements, tell: Progress) -> tuple[Floats, Floats]:
    """Return the RSRP [dBm] of the strongest sector of each level's site and band, and its distance [m] (each (n,)).

    Levels that no map of the site covers are minus infinite. Each map is read once.
    """
    predicted, distance = np.full(len(levels), -np.inf), np.full(len(levels), np.nan)
    rows, columns, _ = scene.grid.locate(levels.x_m, levels.y_m)
    masts = np.unique(network.mast_of[np.isin(network.sectors.site, levels.site)]).tolist()
    for done, mast in enumerate(masts):
        tell(STEP, done, len(masts))
        # A mast of another tool's coverage bears its sector's name, so the site is asked of the sector.
        site = network.sectors.site[np.flatnonzero(network.mast_of == mast)[0]]
        here = np.flatnonzero(levels.site == site)
        for place, level in _from_mast(network, scene, mast, (rows, columns), (here, levels.band_mhz)):
            better = level > predicted[place]
            predicted[place[better]] = level[better]
            one = network.masts[mast]
            away = np.hypot(levels.x_m[place] - one.x_m, levels.y_m[place] - one.y_m)
            distance[place[better]] = np.maximum(away[better], _NEAREST_M)
    return predicted, distance


def _from_mast(
    network: Network, scene: Scene, mast: int, pixels: tuple[Ints, Ints], asked: tuple[Ints, Ints]
) -> Iterator[tuple[Ints, Floats]]:
    """Yield, for each sector of a mast, the levels of its band that its map covers and its RSRP there [dBm]."""
    (rows, columns), (here, band_mhz) = pixels, asked
    found, grid = network.map_of(mast), scene.grid
    top = round((grid.north_m - found.grid.north_m) / grid.cell_m)
    left = round((found.grid.west_m - grid.west_m) / grid.cell_m)
    down, across = rows[here] - top, columns[here] - left
    inside = (down >= 0) & (down < found.grid.rows) & (across >= 0) & (across < found.grid.columns)
    here, down, across = here[inside], down[inside], across[inside]
    bearing, depression = view(scene, network.masts[mast], (rows[here], columns[here]))
    for sector in np.flatnonzero(network.mast_of == mast).tolist():
        mhz = int(network.sectors.band_mhz[sector])
        codes = found.loss[found.frequency_mhz.index(float(mhz)), down, across]
        mine = (band_mhz[here] == mhz) & (codes != NOT_COVERED)
        lost = codes[mine].astype(np.float64)
        if not network.radiated[sector]:
            lost += attenuation_codes(network, sector, bearing[mine], depression[mine])
        yield here[mine], network.sectors.eirp_dbm[sector] - lost / CODES_PER_DB


def _bands(network: Network) -> dict[str, tuple[int, ...]]:
    """Return the bands [MHz] of each site."""
    sites, bands = network.sectors.site, network.sectors.band_mhz
    return {str(name): tuple(np.unique(bands[sites == name]).tolist()) for name in np.unique(sites)}


def _quiet(_step: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def _known(value: object) -> object:
    if isinstance(value, dict):
        return {key: _known(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_known(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _lines(run: CalibrationRun) -> Iterator[str]:
    found = run.calibration
    bands = ", ".join(map(str, found.bands_mhz))
    yield f"Compared {run.compared:,} of {run.rows:,} measured levels on {bands} MHz"
    of_all = [one for one in found.verdicts if one.subject == ALL and one.kind != "doubt"]
    words = {"enough": "Calibrated", "refused": "Not calibrated"}
    yield from (f"  {words[one.kind]}: {one.message}" for one in of_all)
    yield from _table(found)
    if found.slope_db:
        near, far = found.distance_m
        slope = f"slope {found.slope_db:+.1f} dB a decade about {found.reference_m:,.0f} m"
        yield f"  {slope}, from {near:,.0f} to {far:,.0f} m"
    rest = [one for one in found.verdicts if one not in of_all]
    yield from (f"  {'look into ' if one.kind == 'doubt' else ''}{one.subject}: {one.message}" for one in rest)
    if found.applied.any():
        yield "  An offset common to all sites cannot be told from a wrong EIRP of all; see that the powers are right."
    if run.file is not None:
        yield f"Wrote {run.file}" + ("" if found.applied.any() else ", which changes nothing")


def _table(found: Calibration) -> Iterator[str]:
    rows = [_HEADER, *(_row(found, one) for one in found.evidence)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    for row in rows if len(rows) > 1 else []:
        cells = [text.rjust(width) for text, width in zip(row[1:-1], widths[1:-1], strict=True)]
        yield ("  " + "  ".join([row[0].ljust(widths[0]), *cells, row[-1]])).rstrip()


def _row(found: Calibration, one: Evidence) -> tuple[str, ...]:
    applied = one.subject != ALL and bool(found.applied[LAND_USES.index(one.subject)])
    return (
        one.subject,
        f"{one.points:,}",
        f"{one.bins:,}",
        f"{one.sites:,}",
        _shown(one.offset_db, "+.1f"),
        _shown(one.stderr_db, ".1f"),
        f"{_shown(one.spread_before_db, '.1f')} > {_shown(one.spread_after_db, '.1f')}",
        f"{_shown(one.before.mae_db, '.1f')} > {_shown(one.after.mae_db, '.1f')}",
        f"{_shown(one.before.rmse_db, '.1f')} > {_shown(one.after.rmse_db, '.1f')}",
        f"{_shown(one.before.bias_db, '+.1f')} > {_shown(one.after.bias_db, '+.1f')}",
        "applied" if applied else "",
    )


def _shown(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else "-"
