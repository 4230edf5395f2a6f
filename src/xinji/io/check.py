"""Check a region folder: every fault of every layer at once, warnings, and a quality summary."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from xinji.core.arrays import Bools, Shapes
from xinji.core.parameters import Parameters
from xinji.core.vocabulary import FACILITY_KINDS
from xinji.errors import Fault, InputError, RegionError
from xinji.io.check_gcj import clutter_faults, gcj_faults
from xinji.io.check_layers import OPTIONAL, Findings, Layers, open_layers
from xinji.io.check_places import check_boundary, check_cells, check_facilities, check_places, site_warnings
from xinji.io.check_rasters import cover_faults, covered, doubts, value_faults
from xinji.io.check_roads import check_roads, pieces
from xinji.io.check_rows import geometry_faults, shapes_of
from xinji.io.config import CONFIG_FILE, RegionConfig, overrides, read_config, salvage
from xinji.io.dem_faults import settled_faults
from xinji.io.parameters import load
from xinji.units import M2_PER_KM2, METRES_PER_KM


@dataclass(frozen=True, slots=True)
class Quality:
    """One line of the data-quality summary; ``unit`` is '' for a bare count."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was found in a region folder: faults forbid a plan, warnings do not."""

    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    quality: tuple[Quality, ...]


def check(folder: Path) -> CheckReport:
    """Return everything that is wrong or doubtful in the region ``folder``, and its quality summary."""
    return examine(folder)[1]


def examine(folder: Path) -> tuple[Layers, CheckReport]:
    """Return the layers of ``folder``, as far as they can be opened, and what the checks say of them."""
    found = Findings()
    path = folder / CONFIG_FILE
    try:
        config = read_config(path)
    except RegionError as error:
        found.faults.extend(error.faults)
        names, crs = salvage(path)
        layers = open_layers(folder, names, crs, found)
        quality = check_layers(layers, crs, found, trusted=False)
        return layers, CheckReport(tuple(found.faults), tuple(found.warnings), quality)
    settings_quality = check_settings(config, found)
    layers = open_layers(folder, config.layers, config.crs, found)
    quality = check_layers(layers, config.crs, found, trusted=config.gcj02_checked)
    return layers, CheckReport(tuple(found.faults), tuple(found.warnings), (*quality, *settings_quality))


def check_settings(config: RegionConfig, found: Findings) -> tuple[Quality, ...]:
    """Add to ``found`` what is wrong with parameters and budgets; return the parameters' quality."""
    for year, budget in zip(config.policy.years, config.policy.budget, strict=True):
        if budget == 0:
            place = f"{CONFIG_FILE}, policy.budget"
            found.warnings.append(Fault(place, f"{year} has no budget", "Give an amount, unless that is meant."))
    try:
        registry = load(config.profile)
    except InputError as error:
        found.faults.extend(error.faults)
        return ()
    wrong = list(_override_faults(config, registry))
    found.faults.extend(wrong)
    if wrong:
        return ()
    entries = registry.override(overrides(config)).entries.values()
    doubtful = sum(entry.status == "user must confirm" for entry in entries)
    assumed = sum(entry.status == "assumption" for entry in entries)
    return (
        Quality("parameters", len(entries), ""),
        Quality("parameters that the user must confirm", doubtful, ""),
        Quality("parameters assumed", assumed, ""),
        Quality("parameters set by the region", len(config.parameters), ""),
    )


def check_layers(layers: Layers, crs: str, found: Findings, *, trusted: bool) -> tuple[Quality, ...]:
    """Add to ``found`` what is wrong with ``layers`` in ``crs`` ('' if unknown); return their quality.

    ``trusted`` makes a suspected GCJ-02 shift a warning.
    """
    placed = {layer for layer, frame in layers.frames.items() if crs and frame.crs is not None}
    sound = _check_each(layers, placed, found)
    wrong = {layer: list(value_faults(layer, raster)) for layer, raster in layers.rasters.items()}
    for layer, raster in layers.rasters.items():
        found.faults.extend(wrong[layer])
        found.warnings.extend(doubts(layer, raster))
    points: dict[str, tuple[Shapes, Bools]] = {
        layer: (shapely.centroid(shapes_of(layers.frames[layer])), sound[layer])
        for layer in ("cells", "facilities")
        if layer in sound
    }
    if "terrain" in layers.rasters and not wrong["terrain"] and "cells" in points:
        found.faults.extend(_town_faults(layers, *points["cells"]))
    if crs:
        _check_together(layers, sound, points, crs, found)
        suspected = list(_shift_faults(layers, sound, points, crs))
        (found.warnings if trusted else found.faults).extend(suspected)
    return tuple(_quality(layers, sound))


def _check_each(layers: Layers, placed: set[str], found: Findings) -> dict[str, Bools]:
    """Check the rows of each layer; return, for those ``placed`` in a CRS, which rows have sound geometry."""
    sound = {}
    for layer, frame in layers.frames.items():
        if not len(frame):
            if layer not in OPTIONAL:
                found.faults.append(Fault(layer, "the layer is empty", "Give at least one row."))
            continue
        faults, usable = geometry_faults(layer, frame)
        found.faults.extend(faults)
        if layer in placed:
            sound[layer] = usable
        else:
            # Lengths and areas mean nothing without a CRS: only the columns are checked.
            usable = np.zeros(len(frame), dtype=bool)
        if layer == "cells":
            check_cells(frame, usable, found)
        elif layer == "roads":
            check_roads(frame, usable, found)
        elif layer == "facilities":
            check_facilities(frame, found)
        elif layer == "boundary":
            check_boundary(frame, found)
    return sound


def _check_together(
    layers: Layers, sound: dict[str, Bools], points: dict[str, tuple[Shapes, Bools]], crs: str, found: Findings
) -> None:
    boundary = _usable(layers, sound, "boundary")
    for layer, (centres, usable) in points.items():
        if len(boundary) and usable.any():
            rows = np.flatnonzero(usable)
            found.faults.extend(check_places(layer, centres[usable], rows, boundary[0], crs))
    roads = _usable(layers, sound, "roads")
    if "facilities" in sound:
        zones = {layer: _usable(layers, sound, layer) for layer in ("no_build", "water")}
        found.warnings.extend(site_warnings(layers.frames["facilities"], sound["facilities"], zones, roads))
    if len(boundary) and len(roads) and not shapely.intersects(boundary[0], roads).any():
        message = "no road lies in the region"
        found.faults.append(Fault("roads", message, "Check the CRS and the order of the coordinates."))
    for layer, raster in layers.rasters.items():
        for whose, (centres, usable) in points.items():
            if usable.any() and whose == "cells":
                x_m, y_m = shapely.get_x(centres[usable]), shapely.get_y(centres[usable])
                found.faults.extend(cover_faults(layer, raster, x_m, y_m, whose))


def _town_faults(layers: Layers, centres: Shapes, usable: Bools) -> Iterator[Fault]:
    residents = layers.frames["cells"]["residents"].to_numpy(np.float64, na_value=np.nan)
    lived = np.flatnonzero(usable & (residents > 0))
    per_km2 = residents[lived] / shapely.area(shapes_of(layers.frames["cells"])[lived]) * M2_PER_KM2
    x_m, y_m = shapely.get_x(centres[lived]), shapely.get_y(centres[lived])
    yield from settled_faults(layers.rasters["terrain"], x_m, y_m, per_km2)


def _shift_faults(
    layers: Layers, sound: dict[str, Bools], points: dict[str, tuple[Shapes, Bools]], crs: str
) -> Iterator[Fault]:
    boundary, roads = _usable(layers, sound, "boundary"), _usable(layers, sound, "roads")
    placed = {
        layer: (shapely.get_x(centres[usable]), shapely.get_y(centres[usable]))
        for layer, (centres, usable) in points.items()
        if usable.any()
    }
    yield from gcj_faults(crs, placed, roads, boundary)
    if len(roads) and "clutter" in layers.rasters:
        yield from clutter_faults(crs, roads, layers.rasters["clutter"])


def _usable(layers: Layers, sound: dict[str, Bools], layer: str) -> Shapes:
    if layer not in sound:
        return np.array([], dtype=object)
    return shapes_of(layers.frames[layer])[sound[layer]]


def _override_faults(config: RegionConfig, registry: Parameters) -> Iterator[Fault]:
    for key, own in config.parameters.items():
        place = f"{CONFIG_FILE}, parameters.{key}"
        if key not in registry.entries:
            close = difflib.get_close_matches(key, registry.entries, 1)
            hint = f"Did you mean {close[0]!r}? " if close else ""
            yield Fault(place, "the parameter is unknown", f"{hint}`xinji parameters` lists all.")
        elif registry.entries[key].unit != own.unit:
            kept = registry.entries[key].unit
            message = f"the unit is {own.unit!r}, the registry keeps {kept!r}"
            yield Fault(place, message, f"Give the value in {kept!r}.")


def _quality(layers: Layers, sound: dict[str, Bools]) -> Iterator[Quality]:
    if "cells" in sound:
        cells = layers.frames["cells"]
        yield Quality("cells", len(cells), "")
        yield Quality("residents", float(cells["residents"].sum()), "people")
        yield Quality("workers", float(cells["workers"].sum()), "people")
        area = float(shapely.area(_usable(layers, sound, "cells")).sum())
        yield Quality("area of the cells", area / M2_PER_KM2, "km2")
        boundary = _usable(layers, sound, "boundary")
        if len(boundary):
            inside = shapely.union_all(_usable(layers, sound, "cells")).intersection(boundary[0]).area
            yield Quality("boundary covered by cells", 100.0 * inside / boundary[0].area, "%")
        yield Quality("industrial area", float(cells["industrial_area_m2"].sum()) / M2_PER_KM2, "km2")
    if "roads" in sound and sound["roads"].any():
        roads = layers.frames["roads"]
        graph = pieces(roads, sound["roads"])
        yield Quality("roads", float(roads["length_m"].sum()) / METRES_PER_KM, "km")
        yield Quality("road graph: pieces", graph.count, "")
        yield Quality("road graph: length in the largest piece", 100.0 * graph.largest_share, "%")
    if "facilities" in sound:
        facilities = layers.frames["facilities"]
        for kind in FACILITY_KINDS:
            yield Quality(f"facilities: {kind}", int((facilities["kind"] == kind).sum()), "")
        assumed = facilities["source"].fillna("").map(str).str.startswith("assumed").mean()
        yield Quality("facilities assumed, not surveyed", 100.0 * float(assumed), "%")
    if "terrain" in layers.rasters and "cells" in sound and sound["cells"].any():
        centres = shapely.centroid(_usable(layers, sound, "cells"))
        inside = covered(layers.rasters["terrain"], shapely.get_x(centres), shapely.get_y(centres))
        yield Quality("cells on the terrain", 100.0 * float(inside.mean()), "%")
