"""Places as built: from longitude and latitude into a ledger's CRS, held against the planned ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.core.facilities import Facilities
from xinji.core.parameters import Parameters
from xinji.errors import Fault
from xinji.io.acceptance import AcceptanceRecord
from xinji.io.building_places import projected, unshifted
from xinji.io.check_gcj import POINTS_MAX, suspicion
from xinji.io.parameters import load

Place = tuple[float, float]
"""x and y [m] in a ledger's CRS."""

MILLIMETRES = 3
"""Decimals kept of a place [m]; surveys give no more."""
_FITS = 0.35
"""A row fits the GCJ-02 shift if it lies within this share of the shift's length where the shift puts it."""
_POINTS_MIN = 16
"""Fewer points cannot reach the score that a sign test of the whole sheet asks for."""
_PROFILES = {"CNY": "cn"}
_CHECK = "Convert to WGS-84 before handing it in; if a survey says it is right, import with --places-checked."


@dataclass(frozen=True, slots=True)
class _Told:
    """Places (n,) that records told: as built and planned [m], and where it would lie if it was GCJ-02."""

    row: Ints
    x_m: Floats
    y_m: Floats
    planned_x_m: Floats
    planned_y_m: Floats
    back_x_m: Floats
    back_y_m: Floats


def ledger_parameters(currency: str) -> Parameters:
    """Return the figures of the profile that a ledger's ``currency`` stands for: China's, or that of all others."""
    return load(_PROFILES.get(currency, "lmic"))


def distance_max_m(parameters: Parameters) -> float:
    """Return how far from its planned place a facility may stand before a record is doubted [m]."""
    return parameters.value("build.as_built.distance_max", "m")


def checked_places(
    records: Sequence[AcceptanceRecord], now: Facilities, crs: str, far_m: float, *, trusted: bool
) -> tuple[dict[int, Place], list[Fault]]:
    """Return the places [m, ``crs``] that ``records`` tell, by their position, and what is doubtful of them.

    Doubted is a place more than ``far_m`` from the planned one, and one off it by the shift of China's map
    datum GCJ-02, unless ``trusted``. Refused in any case is what lies outside the CRS or is no metres.
    """
    told = _told(records, now, crs)
    places = {
        int(row): (round(x, MILLIMETRES), round(y, MILLIMETRES))
        for row, x, y in zip(told.row.tolist(), told.x_m.tolist(), told.y_m.tolist(), strict=True)
    }
    faults = list(_impossible(records, told, crs))
    if not trusted and not faults:
        faults = list(_doubtful(records, told, crs, far_m))
    return places, faults


def _told(records: Sequence[AcceptanceRecord], now: Facilities, crs: str) -> _Told:
    known = {name: k for k, name in enumerate(now.id.tolist())}
    rows = [row for row, record in enumerate(records) if record.place is not None or record.place_m is not None]
    degrees = np.array([records[row].place or (np.nan, np.nan) for row in rows], dtype=np.float64).reshape(-1, 2)
    metres = np.array([records[row].place_m or (np.nan, np.nan) for row in rows], dtype=np.float64).reshape(-1, 2)
    given = np.isfinite(degrees[:, 0])
    x_m, y_m, back_x_m, back_y_m = (metres[:, axis].copy() for axis in (0, 1, 0, 1))
    if given.any():
        x_m[given], y_m[given] = projected(crs, degrees[given, 0], degrees[given, 1])
        back_x_m[given], back_y_m[given] = unshifted(crs, degrees[given, 0], degrees[given, 1])
    at = np.array([known.get(records[row].id, -1) for row in rows], dtype=np.int64)
    planned_x_m, planned_y_m = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    planned_x_m[at >= 0] = now.planned_x_m[at[at >= 0]]
    planned_y_m[at >= 0] = now.planned_y_m[at[at >= 0]]
    return _Told(np.array(rows, dtype=np.int64), x_m, y_m, planned_x_m, planned_y_m, back_x_m, back_y_m)


def _impossible(records: Sequence[AcceptanceRecord], told: _Told, crs: str) -> Iterator[Fault]:
    for k in np.flatnonzero(~(np.isfinite(told.x_m) & np.isfinite(told.y_m))).tolist():
        record = records[int(told.row[k])]
        message = f"longitude and latitude {record.place} lie outside {crs}"
        yield Fault(record.layer, message, "Check that longitude comes first.", record.row)
    for k, row in enumerate(told.row.tolist()):
        record = records[row]
        if record.place_m is not None and abs(told.x_m[k]) <= 180 and abs(told.y_m[k]) <= 90:
            message = f"x and y are {record.place_m}, which look like degrees"
            yield Fault(
                record.layer, message, f"Give metres in {crs}, or name the columns longitude and latitude.", row
            )


def _doubtful(records: Sequence[AcceptanceRecord], told: _Told, crs: str, far_m: float) -> Iterator[Fault]:
    off_m = np.hypot(told.x_m - told.planned_x_m, told.y_m - told.planned_y_m)
    shift_m = np.hypot(told.x_m - told.back_x_m, told.y_m - told.back_y_m)
    back_m = np.hypot(told.back_x_m - told.planned_x_m, told.back_y_m - told.planned_y_m)
    shifted = (shift_m > 0) & (back_m <= _FITS * shift_m) & (np.abs(off_m - shift_m) <= _FITS * shift_m)
    for k in np.flatnonzero(shifted | (off_m > far_m)).tolist():
        record = records[int(told.row[k])]
        if shifted[k]:
            message = f"the place is {off_m[k]:.0f} m off the planned one, and {back_m[k]:.0f} m if it is GCJ-02"
            yield Fault(record.layer, f"{message}: a GCJ-02 shift is suspected", _CHECK, record.row)
        else:
            message = f"the place is {off_m[k]:,.0f} m off the planned one, expected at most {far_m:,.0f} m"
            remedy = "Check longitude and latitude; if it was moved there, import with --places-checked."
            yield Fault(record.layer, message, remedy, record.row)
    if not shifted.any():
        yield from _whole_sheet(records, told, crs)


def _whole_sheet(records: Sequence[AcceptanceRecord], told: _Told, crs: str) -> Iterator[Fault]:
    """Yield a fault if the places of a sheet as a whole fit the planned ones only once the shift is taken off."""
    both = np.flatnonzero(np.isfinite(told.planned_x_m) & np.isfinite(told.back_x_m))
    if len(both) < _POINTS_MIN:
        return
    chosen = both[np.unique(np.linspace(0, len(both) - 1, POINTS_MAX).astype(np.int64))]

    def misfit(x_m: Floats, y_m: Floats) -> Floats:
        return np.hypot(x_m - told.planned_x_m[chosen], y_m - told.planned_y_m[chosen])

    said = suspicion(crs, told.x_m[chosen], told.y_m[chosen], misfit)
    if said:
        name = records[0].layer.rsplit(" line ", 1)[0]
        yield Fault(name, f"a GCJ-02 shift against the planned places is suspected; {said}", _CHECK)
