"""Facilities of an import: surveyed ones from files, assumed ones by a rule."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from xinji.core.arrays import Floats, Ints
from xinji.core.vocabulary import FACILITY_KINDS
from xinji.errors import Fault
from xinji.io.check_rows import shapes_of
from xinji.io.import_config import FacilityRule, Source
from xinji.io.import_sources import Bench, Column, read_source
from xinji.io.region import centres

COLUMNS: Mapping[str, Column] = {
    "id": Column("text", default=""),
    "kind": Column("text", words=FACILITY_KINDS),
    "height_m": Column("number"),
    "bands": Column("text", default=""),
    "source": Column("text"),
}

_ROUNDS = 100


def import_facilities(
    entries: tuple[Source | FacilityRule, ...], cells: gpd.GeoDataFrame | None, bench: Bench
) -> gpd.GeoDataFrame:
    """Return the facilities of all ``entries`` of the mapping, in their order, with the layer's columns.

    Rows without an id are called by kind and number. ``cells`` has residents, workers,
    industrial_area_m2 and geometry; without them (they were faulty) rules are left aside.
    """
    frames: list[gpd.GeoDataFrame] = []
    for number, entry in enumerate(entries):
        place = f"import.facilities.{number}"
        if isinstance(entry, FacilityRule):
            frame = None if cells is None else _by_rule(entry, place, cells, frames, bench)
        else:
            frame = _from_file(entry, place, bench)
        if frame is not None:
            frames.append(frame)
    if not frames:
        return gpd.GeoDataFrame({name: [] for name in COLUMNS}, geometry=[], crs=bench.crs)
    joined = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=bench.crs)
    turn = joined.groupby("kind").cumcount() + 1
    named = [given or f"{kind}-{i}" for given, kind, i in zip(joined["id"], joined["kind"], turn, strict=True)]
    joined["id"] = np.array(named, dtype=object)
    return joined[[*COLUMNS, "geometry"]]


def spread(x_m: Floats, y_m: Floats, weight: Floats, count: int) -> Ints:
    """Return ``count`` distinct positions among points [m] that lie well spread over ``weight``.

    The first lies nearest the weighted mean, each further one farthest from those before (Gonzalez
    1985, Theoretical Computer Science 38, 293-306); then each moves to the weighted mean of the
    points nearest to it until nothing changes (Lloyd 1982, IEEE Transactions on Information Theory
    28(2), 129-137), and to the point with weight that is nearest there. The same every time.
    """
    heavy = np.flatnonzero(weight > 0)
    xy, mass = np.column_stack([x_m, y_m])[heavy], weight[heavy]
    centre = _farthest_first(xy, mass, count)
    nearest = np.zeros(0, dtype=np.int64)
    for _ in range(_ROUNDS):
        distance = np.hypot(*(xy[:, None, :] - centre[None, :, :]).transpose(2, 0, 1))
        before, nearest = nearest, distance.argmin(axis=1)
        if np.array_equal(before, nearest):
            break
        total = np.bincount(nearest, weights=mass, minlength=count)
        moved = [np.bincount(nearest, weights=mass * axis, minlength=count) for axis in xy.T]
        filled = total > 0
        centre[filled] = (np.column_stack(moved)[filled].T / total[filled]).T
    chosen: list[int] = []
    for point in centre:
        order = np.argsort(np.hypot(*(xy - point).T), kind="stable")
        chosen.append(next(int(row) for row in order if int(row) not in chosen))
    return heavy[np.array(chosen, dtype=np.int64)]


def _farthest_first(xy: Floats, mass: Floats, count: int) -> Floats:
    middle = np.average(xy, axis=0, weights=mass)
    picked = [int(np.hypot(*(xy - middle).T).argmin())]
    reach = np.hypot(*(xy - xy[picked[0]]).T)
    while len(picked) < count:
        picked.append(int(reach.argmax()))
        reach = np.minimum(reach, np.hypot(*(xy - xy[picked[-1]]).T))
    return xy[picked].copy()


def _from_file(source: Source, place: str, bench: Bench) -> gpd.GeoDataFrame | None:
    frame = read_source(source, place, COLUMNS, bench)
    if frame is not None:
        # Towers and exchanges are often mapped as areas; they stand in the middle.
        frame["geometry"] = frame.geometry.centroid
    return frame


def _by_rule(
    rule: FacilityRule, place: str, cells: gpd.GeoDataFrame, before: list[gpd.GeoDataFrame], bench: Bench
) -> gpd.GeoDataFrame | None:
    if rule.rule == "beside":
        points = [point for frame in before for point in frame.geometry[frame["kind"] == rule.of]]
        source = f"assumed: at each {rule.of}"
        if not points:
            message = f"no {rule.of} stands before this rule"
            bench.faults.append(Fault(place, message, "Put the entries that give them first."))
            return None
    else:
        weight = _weight(rule, cells)
        count = rule.count or 0
        if count > np.count_nonzero(weight):
            message = f"{count} are to be spread over {np.count_nonzero(weight)} cells with {rule.weight}"
            bench.faults.append(Fault(place, message, "Ask for fewer, or take another weight."))
            return None
        x_m, y_m = centres(shapes_of(cells))
        chosen = spread(x_m, y_m, weight, count)
        points = [shapely.Point(x, y) for x, y in zip(x_m[chosen], y_m[chosen], strict=True)]
        source = f"assumed: spread over {rule.weight}"
    values = {"id": "", "kind": rule.kind, "height_m": rule.height_m, "bands": rule.bands, "source": source}
    columns = {name: [value] * len(points) for name, value in values.items()}
    return gpd.GeoDataFrame(columns, geometry=points, crs=bench.crs)


def _weight(rule: FacilityRule, cells: gpd.GeoDataFrame) -> Floats:
    names = ("residents", "workers") if rule.weight == "people" else (rule.weight,)
    total: Floats = cells[list(names)].to_numpy(np.float64).sum(axis=1)
    return np.nan_to_num(total)
