"""Checks of cells, facilities, boundary and zones, row by row and against one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import geopandas as gpd
import numpy as np
import shapely

from xinji.core.arrays import Bools, Floats, Ints, Shapes, duplicate_rows
from xinji.core.vocabulary import BANDS_MHZ, FACILITY_KINDS, GROUPS, LAND_USES
from xinji.errors import Fault
from xinji.io.check_layers import Findings
from xinji.io.check_rows import always, each_row, id_faults, missing, number_faults, shapes_of, text_faults, word_faults
from xinji.units import M2_PER_KM2

OUTSIDE_M = 500.0
"""A cell's centre or a facility may lie so far outside the boundary."""
RESIDENTS_PER_KM2_MAX = 200_000.0
"""Above any measured density of residents; the densest quarters of the world hold about 130,000."""
WORKERS_PER_KM2_MAX = 1_000_000.0
"""Above any measured density of workers."""
DENSITY_AREA_MIN_M2 = 10_000.0
"""Densities of smaller cells say little: slivers at the boundary hold whole buildings."""
HEIGHT_MAX_M = 400.0
"""No antenna of a mobile network stands higher above the ground."""
ROAD_M = 1_000.0
"""A facility farther from any road is doubtful."""
OVERLAP_MAX = 0.01
"""Cells may overlap by this share of their area."""
INDUSTRY_TOLERANCE = 1.01
"""Industrial area may exceed the cell's by rounding only."""


def check_cells(frame: gpd.GeoDataFrame, sound: Bools, found: Findings) -> None:
    """Add what is wrong with the rows of ``cells``; ``sound`` (n,) says whose geometry is usable."""
    found.faults.extend(id_faults("cells", frame))
    found.faults.extend(number_faults("cells", frame, ("residents", "workers"), "people"))
    found.faults.extend(number_faults("cells", frame, ("industrial_area_m2",), "m2"))
    found.faults.extend(word_faults("cells", frame, "land_use", LAND_USES))
    found.faults.extend(word_faults("cells", frame, "group", GROUPS))
    shapes = shapes_of(frame)
    area_m2 = np.full(len(frame), np.nan)
    area_m2[sound] = shapely.area(shapes[sound])
    found.faults.extend(_density_faults(frame, area_m2))
    if sound.any():
        found.faults.extend(_overlap_faults(shapes[sound]))
    people = frame["residents"].to_numpy(np.float64, na_value=0.0) + frame["workers"].to_numpy(np.float64, na_value=0.0)
    if not people.any():
        found.faults.append(Fault("cells", "nobody lives or works in any cell", "Give residents and workers."))


def check_facilities(frame: gpd.GeoDataFrame, found: Findings) -> None:
    """Add what is wrong with the rows of ``facilities``, geometry aside."""
    found.faults.extend(id_faults("facilities", frame))
    found.faults.extend(word_faults("facilities", frame, "kind", FACILITY_KINDS))
    found.faults.extend(text_faults("facilities", frame, ("bands", "source")))
    found.faults.extend(number_faults("facilities", frame, ("height_m",), "m"))
    height_m = frame["height_m"].to_numpy(np.float64, na_value=np.nan)
    found.faults.extend(
        each_row(
            "facilities",
            np.isfinite(height_m) & (height_m > HEIGHT_MAX_M),
            lambda row: f"height_m is {height_m[row]:g} m, expected at most {HEIGHT_MAX_M:g} m above the ground",
            "Give the height above the ground in metres, not above the sea and not in another unit.",
        )
    )
    grounded = (frame["kind"] == "radio_site").to_numpy(bool) & (height_m == 0)
    message = "a radio site of height 0 m covers next to nothing"
    found.warnings.extend(each_row("facilities", grounded, always(message), "Give the height of its antennas."))
    _check_bands(frame, found)
    for kind, consequence, grave in (
        ("fibre_pop", "everything built must be joined to one", True),
        ("server_room", "no edge node can be offered", False),
    ):
        if not (frame["kind"] == kind).any():
            fault = Fault("facilities", f"there is no facility of kind {kind}", f"Add one: {consequence}.")
            (found.faults if grave else found.warnings).append(fault)


def check_boundary(frame: gpd.GeoDataFrame, found: Findings) -> None:
    """Add a fault unless ``boundary`` is one row."""
    if len(frame) > 1:
        message = f"{len(frame)} rows, expected 1"
        found.faults.append(Fault("boundary", message, "Dissolve them into one polygon or multipolygon."))


def check_places(layer: str, points: Shapes, rows: Ints, boundary: shapely.Geometry, crs: str) -> Iterator[Fault]:
    """Yield a fault for each of ``points`` (n,) outside ``boundary``; ``rows`` (n,) are their rows."""
    shapely.prepare(boundary)
    away_m = shapely.distance(boundary, points)
    outside = away_m > OUTSIDE_M
    if not outside.any():
        return
    x_m, y_m = shapely.get_x(points), shapely.get_y(points)
    swapped = outside & shapely.contains_xy(boundary, y_m, x_m)
    if swapped.sum() > len(points) / 2:
        message = f"x and y look swapped: {int(swapped.sum())} of {len(points)} rows lie in the region the other way"
        yield Fault(layer, message, f"Write easting first, northing second, in {crs}.")
        return
    bad, where = np.zeros(int(rows.max()) + 1, dtype=bool), np.zeros(int(rows.max()) + 1, dtype=np.int64)
    bad[rows[outside]], where[rows] = True, np.arange(len(rows))

    def say(row: int) -> str:
        if swapped[where[row]]:
            return "x and y look swapped: the point lies in the region the other way"
        return f"it lies {away_m[where[row]] / 1000:.1f} km outside the boundary ({OUTSIDE_M:g} m allowed)"

    yield from each_row(layer, bad, say, "Mend the coordinates, or leave the row out.")


def site_warnings(frame: gpd.GeoDataFrame, sound: Bools, zones: Mapping[str, Shapes], roads: Shapes) -> Iterator[Fault]:
    """Yield a warning for each facility that stands in a zone, in water, far from roads or twice.

    ``zones`` holds the polygons of ``no_build`` and ``water``, ``roads`` LineStrings.
    """
    rows, points = np.flatnonzero(sound), shapes_of(frame)[sound]
    for layer, words in (("no_build", "in a no-build zone"), ("water", "in water")):
        inside = np.zeros(len(frame), dtype=bool)
        hits, _ = shapely.STRtree(zones[layer]).query(points, predicate="intersects")
        inside[rows[hits]] = True
        remedy = "Check its position; what stands is kept, but nothing new is built there."
        yield from each_row("facilities", inside, always(f"it stands {words}"), remedy)
    away_m = np.zeros(len(frame))
    if len(roads) and len(points):
        away_m[rows] = shapely.distance(points, roads[shapely.STRtree(roads).nearest(points)])
    yield from each_row(
        "facilities",
        away_m > ROAD_M,
        lambda row: f"the nearest road is {away_m[row]:,.0f} m away",
        "Check its position, and whether roads are missing: fibre follows them.",
    )
    places = [f"{kind} {shape.x:.1f} {shape.y:.1f}" for kind, shape in zip(frame["kind"][sound], points, strict=True)]
    twice = np.zeros(len(frame), dtype=bool)
    twice[rows] = duplicate_rows(np.array(places, dtype=np.str_))
    message = "another facility of its kind stands at the very same place"
    yield from each_row("facilities", twice, always(message), "Leave one out, unless both are there.")


def _density_faults(frame: gpd.GeoDataFrame, area_m2: Floats) -> Iterator[Fault]:
    large = area_m2 >= DENSITY_AREA_MIN_M2
    for column, most in (("residents", RESIDENTS_PER_KM2_MAX), ("workers", WORKERS_PER_KM2_MAX)):
        people = frame[column].to_numpy(np.float64, na_value=np.nan)
        density = np.divide(people * M2_PER_KM2, area_m2, out=np.zeros(len(frame)), where=large)

        def say(row: int, column: str = column, density: Floats = density, most: float = most) -> str:
            return f"{density[row]:,.0f} {column}/km2, expected at most {most:,.0f}"

        bad = np.isfinite(density) & (density > most)
        yield from each_row("cells", bad, say, "Check the number and the cell's outline.")
    industry = frame["industrial_area_m2"].to_numpy(np.float64, na_value=np.nan)
    yield from each_row(
        "cells",
        np.isfinite(industry) & (industry > INDUSTRY_TOLERANCE * area_m2),
        lambda row: f"industrial_area_m2 is {industry[row]:,.0f}, the cell has {area_m2[row]:,.0f} m2",
        "Give the industrial land inside the cell.",
    )


def _overlap_faults(shapes: Shapes) -> Iterator[Fault]:
    total, union = float(shapely.area(shapes).sum()), float(shapely.union_all(shapes).area)
    if total > union * (1 + OVERLAP_MAX):
        message = f"cells overlap by {(total - union) / M2_PER_KM2:.2f} km2 ({total / union - 1:.1%})"
        yield Fault("cells", message, "Cut the cells so that nobody is counted twice.")


def _check_bands(frame: gpd.GeoDataFrame, found: Findings) -> None:
    for row, text in enumerate(frame["bands"]):
        words = [word.strip() for word in text.split(";") if word.strip()] if isinstance(text, str) else []
        wrong = [word for word in words if not word.isdigit()]
        other = [word for word in words if word.isdigit() and int(word) not in BANDS_MHZ]
        if wrong:
            remedy = 'Give bands in MHz separated by ";", for example "700;2600".'
            found.faults.append(Fault("facilities", f"bands hold {', '.join(wrong)}", remedy, row))
        if other:
            message = f"bands {', '.join(other)} MHz are not planned with"
            remedy = f"Planned bands are {', '.join(map(str, BANDS_MHZ))} MHz; the others are left aside."
            found.warnings.append(Fault("facilities", message, remedy, row))
    silent = ~missing(frame, "bands") & (frame["kind"] == "radio_site").to_numpy(bool)
    silent &= (frame["bands"].fillna("").map(str).str.strip() == "").to_numpy(bool)
    if silent.any():
        message = f"{int(silent.sum())} radio sites name no band: they count as sites with no 5G yet"
        found.warnings.append(Fault("facilities", message, "Give the bands in use where they are known."))
