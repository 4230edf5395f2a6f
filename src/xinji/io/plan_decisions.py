"""What a planner decided in a GeoPackage of a plan, read back with every fault at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyogrio.errors

from xinji.core.arrays import Floats
from xinji.core.offer import EXISTING, FORBIDDEN, FREE, Offer, Trenches
from xinji.errors import Fault, InputError, raise_if
from xinji.io.plan_layers import DECISIONS, FIXED_WORD, FORBIDDEN_WORD, OPTION_LAYERS

MOVED_M = 1.0
"""A point counts as moved from here on [m]; rewriting a file shifts it by far less."""

TRENCH_LAYER = "trenches"
_NEEDED = ("id", "decision", "fixed_year")


@dataclass(frozen=True, slots=True)
class Decisions:
    """What is no longer the plan's to choose.

    ``options`` gives the stage (1..T) of each option that must be built then, or ``FORBIDDEN`` for
    one that must not be; ``trenches`` the stage of each trench that must be dug then.
    """

    options: Mapping[str, int]
    trenches: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the offers say of an option or trench: place [m] (none for what has an extent), host, built."""

    place: tuple[float, float] | None
    host: str
    built: int


@dataclass(frozen=True, slots=True)
class _Row:
    layer: str
    row: int
    id: str
    decision: str
    year: int | None


def read_decisions(path: Path, offers: Sequence[Offer], trenches: Trenches, years: Sequence[int]) -> Decisions:
    """Return the decisions in the plan file ``path``, which must be of the same options.

    ``years`` are those of the new plan. Raises InputError with every fault: the file or a layer is
    missing or unreadable, an id is unknown, repeated or gone, a point was moved, a decision is not
    one of ``DECISIONS``, a year is missing or not planned, or decisions contradict each other or
    what exists.
    """
    options = _known_options(offers)
    ditches = {str(name): _Known(None, "", int(b)) for name, b in zip(trenches.id, trenches.built, strict=True)}
    layers = _read_layers(path)
    rows: list[_Row] = []
    faults: list[Fault] = []
    for name, layer in layers.items():
        known = ditches if name == TRENCH_LAYER else options
        missing = [column for column in _NEEDED if column not in layer.columns]
        if missing:
            message = f"column {', '.join(missing)} is missing"
            faults.append(Fault(name, message, "Edit the plan.gpkg that Xinji wrote; keep its columns."))
            continue
        found = list(_rows(name, layer))
        rows += found
        faults += _row_faults(found, known, years)
        faults += _moved_faults(name, layer, known)
    if not faults:
        faults += _gone_faults(rows, layers, options, ditches)
        faults += _host_faults(rows, options, years)
    raise_if(faults, InputError)
    return _decisions(rows, years)


def _known_options(offers: Sequence[Offer]) -> dict[str, _Known]:
    known = {}
    for offer in offers:
        areal = set(offer.arc_option.tolist()) if offer.technology == "fibre" else set()
        for i, name in enumerate(offer.id.tolist()):
            host = int(offer.host[i])
            place = None if i in areal else (float(offer.x_m[i]), float(offer.y_m[i]))
            known[str(name)] = _Known(place, str(offer.id[host]) if host >= 0 else "", int(offer.built[i]))
    return known


def _read_layers(path: Path) -> dict[str, gpd.GeoDataFrame]:
    remedy = "Give the plan.gpkg that `xinji plan` wrote, saved and closed in QGIS."
    if not path.is_file():
        raise InputError([Fault(str(path), "there is no such file", remedy)])
    try:
        names = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
        chosen = [name for name in names if name in (*OPTION_LAYERS, TRENCH_LAYER)]
        layers = {name: pyogrio.read_dataframe(path, layer=name) for name in chosen}
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
        raise InputError([Fault(str(path), f"cannot be read as a GeoPackage ({error})", remedy)]) from error
    if not layers:
        raise InputError([Fault(str(path), f"holds none of the layers {', '.join(OPTION_LAYERS)}", remedy)])
    return layers


def _rows(name: str, layer: gpd.GeoDataFrame) -> Iterator[_Row]:
    years = pd.to_numeric(layer["fixed_year"], errors="coerce").tolist()
    cells = zip(layer["id"].tolist(), layer["decision"].tolist(), years, strict=True)
    for row, (key, decision, year) in enumerate(cells):
        plain = "" if pd.isna(decision) else str(decision).strip().lower()
        yield _Row(name, row, "" if pd.isna(key) else str(key), plain, None if pd.isna(year) else int(year))


def _row_faults(rows: Sequence[_Row], known: Mapping[str, _Known], years: Sequence[int]) -> Iterator[Fault]:
    seen: set[str] = set()
    for row in rows:
        if row.id not in known:
            message = f"the id {row.id!r} is unknown"
            remedy = "Remove the row: new options come from the region's layers, not from the plan."
            yield Fault(row.layer, message, remedy, row.row)
            continue
        if row.id in seen:
            yield Fault(row.layer, f"the id {row.id!r} is used before", "Remove the copy.", row.row)
        seen.add(row.id)
        yield from _decision_faults(row, known[row.id], years)


def _decision_faults(row: _Row, known: _Known, years: Sequence[int]) -> Iterator[Fault]:
    span = f"{years[0]} to {years[-1]}"
    if row.decision not in DECISIONS:
        message = f"the decision of {row.id} is {row.decision!r}"
        yield Fault(row.layer, message, f"Use one of {', '.join(DECISIONS)}.", row.row)
    elif row.decision == FIXED_WORD and known.built == EXISTING:
        message = f"{row.id} exists already and cannot be built in a year"
        yield Fault(row.layer, message, "Set its decision back to free.", row.row)
    elif row.decision == FIXED_WORD and row.year not in years:
        found = "no fixed_year" if row.year is None else f"fixed_year {row.year}"
        yield Fault(row.layer, f"{row.id} is fixed with {found}", f"Give a year from {span}.", row.row)
    elif row.decision == FORBIDDEN_WORD and row.layer == TRENCH_LAYER:
        remedy = "Set its decision back to free; to keep a road closed, draw a no-build zone in the region."
        yield Fault(row.layer, f"{row.id} is a trench and cannot be forbidden", remedy, row.row)
    elif row.decision == FORBIDDEN_WORD and known.built not in (FREE, FORBIDDEN):
        state = "exists already" if known.built == EXISTING else "is committed"
        remedy = "Set its decision back to free, or take it out of the region's facilities."
        yield Fault(row.layer, f"{row.id} {state} and cannot be forbidden", remedy, row.row)
    elif row.decision != FIXED_WORD and row.year is not None:
        message = f"{row.id} has fixed_year {row.year} but is {row.decision}"
        yield Fault(row.layer, message, "Set its decision to fixed, or clear the year.", row.row)


def _moved_faults(name: str, layer: gpd.GeoDataFrame, known: Mapping[str, _Known]) -> Iterator[Fault]:
    if name in (TRENCH_LAYER, "gigabit"):
        return
    shape = layer.geometry
    lost = (shape.isna() | shape.is_empty).to_numpy()
    for row in np.flatnonzero(lost).tolist():
        yield Fault(name, f"{layer['id'].iloc[row]} has lost its point", "Undo the edit.", row)
    for row in np.flatnonzero(~lost).tolist():
        found = known.get(str(layer["id"].iloc[row]))
        if found is None or found.place is None:
            continue
        point = shape.iloc[row].centroid
        away: Floats = np.hypot(point.x - found.place[0], point.y - found.place[1])
        if away > MOVED_M:
            message = f"{layer['id'].iloc[row]} was moved by {away:,.0f} m"
            remedy = "Move it back: a place is part of what its id means. A new place belongs in the region's layers."
            yield Fault(name, message, remedy, row)


def _gone_faults(
    rows: Sequence[_Row],
    layers: Mapping[str, gpd.GeoDataFrame],
    options: Mapping[str, _Known],
    trenches: Mapping[str, _Known],
) -> Iterator[Fault]:
    for known, names in ((options, OPTION_LAYERS), (trenches, (TRENCH_LAYER,))):
        here = {row.id for row in rows if row.layer in names}
        gone = sorted(set(known) - here)
        if not gone:
            continue
        listed = ", ".join(gone[:5]) + (" ..." if len(gone) > 5 else "")
        message = (
            f"{len(gone)} of {len(known)} ids are gone from {', '.join(n for n in names if n in layers) or names[0]}"
        )
        yield Fault("plan file", f"{message}: {listed}", "Keep every row; set the decision to forbidden instead.")


def _host_faults(rows: Sequence[_Row], options: Mapping[str, _Known], years: Sequence[int]) -> Iterator[Fault]:
    by_id = {row.id: row for row in rows if row.layer != TRENCH_LAYER}
    for row in by_id.values():
        host = by_id.get(options[row.id].host)
        if row.decision != FIXED_WORD or host is None:
            continue
        if host.decision == FORBIDDEN_WORD:
            message = f"{row.id} is fixed but {host.id}, on which it stands, is forbidden"
            yield Fault(row.layer, message, "Free one of the two.", row.row)
        elif host.decision == FIXED_WORD and (host.year or years[0]) > (row.year or years[0]):
            message = f"{row.id} is fixed in {row.year}, before {host.id}, on which it stands ({host.year})"
            yield Fault(row.layer, message, "Fix both in one year, or the host earlier.", row.row)


def _decisions(rows: Sequence[_Row], years: Sequence[int]) -> Decisions:
    options: dict[str, int] = {}
    trenches: dict[str, int] = {}
    for row in rows:
        target = trenches if row.layer == TRENCH_LAYER else options
        if row.decision == FIXED_WORD and row.year is not None:
            target[row.id] = years.index(row.year) + 1
        elif row.decision == FORBIDDEN_WORD:
            target[row.id] = FORBIDDEN
    return Decisions(options, trenches)
