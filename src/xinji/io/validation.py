"""The sets of published figures in a folder: which there are, and their cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from xinji.errors import Fault, InputError, raise_if
from xinji.io.validation_itm import read_pfls
from xinji.io.validation_p1812 import P1812Set, read_p1812
from xinji.io.validation_tables import Kind, Table, read_table

_P2109 = Kind(
    "entry loss",
    {
        "frequency_ghz": ("frequency", "freqency", "f"),
        "probability_percent": ("probability", "p"),
        "building_type": ("building type",),
        "elevation_deg": ("elevation angle", "elevation"),
        "entry_loss_db": ("building entry loss", "entry loss"),
    },
    {},
)

_P676 = Kind(
    "specific attenuation",
    {
        "frequency_ghz": ("f", "frequency"),
        "pressure_hpa": ("p", "pressure"),
        "temperature_k": ("t", "temperature"),
        "vapour_g_m3": ("rho",),
        "oxygen_db_km": ("gamma0", "gammao"),
        "vapour_db_km": ("gammaw",),
    },
    {"total_db_km": ("gamma",)},
)

_P838 = Kind(
    "rain",
    {
        "elevation_deg": ("el",),
        "frequency_ghz": ("f", "frequency"),
        "rain_mm_h": ("r",),
        "tilt_deg": ("tau",),
        "k": ("k",),
        "alpha": ("alpha",),
        "rain_db_km": ("gamma_r",),
    },
    {},
)

_P2108 = (
    Kind(
        "terrestrial",
        {
            "frequency_ghz": ("f__ghz",),
            "distance_km": ("d__km",),
            "location_percent": ("p",),
            "refused": ("rtn",),
            "loss_db": ("l_ctt__db",),
        },
        {},
    ),
    Kind(
        "aeronautical",
        {
            "frequency_ghz": ("f__ghz",),
            "elevation_deg": ("theta_deg", "theta__deg"),
            "location_percent": ("p",),
            "refused": ("rtn",),
            "loss_db": ("l_ces__db",),
        },
        {},
    ),
    Kind(
        "height gain",
        {
            "frequency_ghz": ("f__ghz",),
            "height_m": ("h__meter",),
            "street_width_m": ("w_s__meter",),
            "clutter_height_m": ("r__meter",),
            "clutter_type": ("clutter_type",),
            "refused": ("rtn",),
            "loss_db": ("a_h__db",),
        },
        {},
    ),
)

_TR38901 = Kind(
    "path loss",
    {
        "scenario": ("scenario",),
        "h_bs_m": ("h_bs_m",),
        "distance_2d_m": ("distance_2d_m",),
        "los": ("los",),
        "path_loss_db": ("path_loss_db",),
    },
    {
        "asserted": ("asserted",),
        "h_ut_m": ("h_ut_m",),
        "frequency_ghz": ("frequency_ghz", "f_ghz"),
    },
    words=("scenario",),
)

POINT_TO_POINT = "point to point"
"""The kind of table whose rows go with terrain lines."""

_ITM = (
    Kind(
        POINT_TO_POINT,
        {
            "tx_height_m": ("h_tx__meter",),
            "rx_height_m": ("h_rx__meter",),
            "permittivity": ("epsilon",),
            "conductivity_s_m": ("sigma",),
            "refractivity": ("n_0",),
            "frequency_mhz": ("f__mhz",),
            "polarization": ("pol",),
            "climate": ("climate",),
            "time_percent": ("time",),
            "location_percent": ("location",),
            "situation_percent": ("situation",),
            "variability_mode": ("mdvar",),
            "loss_db": ("a__db",),
        },
        {},
    ),
    Kind(
        "area",
        {
            "tx_height_m": ("h_tx__meter",),
            "rx_height_m": ("h_rx__meter",),
            "irregularity_m": ("delta_h__meter",),
            "variability_mode": ("mdvar",),
            "distance_km": ("d__km",),
            "tx_siting": ("tx_siting_criteria",),
            "rx_siting": ("rx_siting_criteria",),
            "permittivity": ("epsilon",),
            "conductivity_s_m": ("sigma",),
            "refractivity": ("n_0",),
            "frequency_mhz": ("f__mhz",),
            "polarization": ("pol",),
            "climate": ("climate",),
            "time_percent": ("time",),
            "location_percent": ("location",),
            "situation_percent": ("situation",),
            "loss_db": ("a__db",),
        },
        {},
    ),
)

KINDS: Mapping[str, tuple[Kind, ...]] = {
    "p2108": _P2108,
    "p2109": (_P2109,),
    "p676": (_P676,),
    "p838": (_P838,),
    "tr38901": (_TR38901,),
    "itm": _ITM,
}
"""Sets that are tables: the folder's name -> the kinds of table in it."""

P1812 = "p1812"
"""The set of profiles and logs."""

SETS = (P1812, *KINDS)
"""Every set that can be read, by its folder's name."""

_PFLS = "pfls.csv"


@dataclass(frozen=True, slots=True)
class ValidationData:
    """What a folder holds: the P.1812 cases, tables by set, and the names of other folders."""

    p1812: P1812Set | None
    tables: Mapping[str, tuple[Table, ...]]
    others: tuple[str, ...]


def read_validation(data: Path) -> ValidationData:
    """Return every set in the folder ``data``; sets that are absent are left out.

    Raises InputError with every fault of every file: a missing folder, no set at all, a set without
    a case, missing columns, cells that are no numbers.
    """
    if not data.is_dir():
        raise InputError([Fault(str(data), "there is no such folder", "Name the folder that holds the sets.")])
    folders = sorted(path for path in data.iterdir() if path.is_dir() and not path.name.startswith((".", "_")))
    present = {path.name: path for path in folders if path.name in SETS}
    if not present:
        remedy = f"Give it one or more of the folders {', '.join(SETS)}."
        raise InputError([Fault(str(data), "the folder holds no set of figures", remedy)])
    faults: list[Fault] = []
    p1812 = read_p1812(present[P1812], faults) if P1812 in present else None
    tables = {name: _tables(present[name], faults) for name in KINDS if name in present}
    if "itm" in tables:
        tables["itm"] = _with_terrain(present["itm"], tables["itm"], faults)
    raise_if(faults, InputError)
    return ValidationData(p1812, tables, tuple(path.name for path in folders if path.name not in SETS))


def _tables(folder: Path, faults: list[Fault]) -> tuple[Table, ...]:
    name = folder.name
    paths = [path for path in sorted(folder.iterdir()) if path.suffix.lower() == ".csv" and path.name.lower() != _PFLS]
    before = len(faults)
    read = [read_table(path, f"{name}/{path.name}", KINDS[name], faults) for path in paths]
    tables = tuple(table for table in read if table is not None)
    if len(faults) == before and not any(len(table) for table in tables):
        faults.append(Fault(name, "the set holds no case", "Give it a table with at least one row below its header."))
    return tables


def _with_terrain(folder: Path, tables: tuple[Table, ...], faults: list[Fault]) -> tuple[Table, ...]:
    """Return ``tables`` with a terrain line for each point-to-point row, in their order."""
    paths = [path for path in folder.iterdir() if path.name.lower() == _PFLS]
    over_terrain = [table for table in tables if table.kind == POINT_TO_POINT]
    rows = sum(map(len, over_terrain))
    if not paths:
        if rows:
            faults.append(Fault(folder.name, f"{_PFLS} is missing", "Give one terrain line for each row of p2p.csv."))
        return tables
    file = f"{folder.name}/{paths[0].name}"
    before = len(faults)
    lines = list(read_pfls(paths[0], file, faults))
    if len(faults) == before and len(lines) != rows:
        message = f"{len(lines)} terrain lines for {rows} rows of point-to-point cases"
        faults.append(Fault(file, message, "Give one line for each row, in their order."))
    starts = {table.file: sum(map(len, over_terrain[:at])) for at, table in enumerate(over_terrain)}
    return tuple(
        replace(table, terrain=tuple(lines[starts[table.file] : starts[table.file] + len(table)]))
        if table.file in starts
        else table
        for table in tables
    )
