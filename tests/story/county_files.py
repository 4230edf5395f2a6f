"""A county as its bureau has it: common files, made from a seed, with 14 errors in the list of sites."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from numpy.random import Generator, default_rng

CRS = "EPSG:32650"
WEST, SOUTH = 500_000.0, 3_400_000.0
COLUMNS, ROWS, CELL_M = 12, 10, 600.0
WIDTH, HEIGHT = COLUMNS * CELL_M, ROWS * CELL_M
SITES = 320

PARKS = ((0, 0, 3, 2), (9, 1, 11, 3), (9, 7, 12, 9))
"""The three industrial parks: first column and row, last column and row (exclusive)."""
TOWN = (4, 3, 8, 7)

ERRORS = {
    10: ("id", "S0003", "already that of row 3"),
    25: ("id", "S0020", "already that of row 20"),
    41: ("height", "-20", "height_m is -20"),
    57: ("height", "3500", "height_m is 3500 m, expected at most"),
    73: ("height", "", "height_m is missing"),
    88: ("bands", "n78", "bands hold n78"),
    104: ("bands", "700/2600", "bands hold 700/2600"),
    120: ("lon", "118.02", "outside the boundary"),
    137: ("lat", "30.17", "outside the boundary"),
    155: ("lon", "0", "outside the boundary"),
    171: ("height", "800", "height_m is 800 m, expected at most"),
    190: ("height", "inf", "height_m is inf"),
    230: ("bands", "5G", "bands hold 5G"),
    301: ("lat", "71.2", "outside the boundary"),
}
"""By row of sites.csv: the column, what stands there wrongly, and what the check says of it."""

REGION_TOML = f"""
format = 1
name = "county"
title_en = "River county"
title_zh = "江滨县"
crs = "{CRS}"
currency = "CNY"
profile = "cn"
attribution = ["Made-up figures"]

[policy]
years = [2026, 2027]
budget = [60e6, 60e6]

[import.boundary]
file = "boundary.gpkg"

[import.cells.polygons]
file = "cells.shp"
columns = {{ id = "code", residents = "pop", workers = "jobs", land_use = "use" }}
translate = {{ land_use = {{ M = "industrial", R = "residential", E = "open" }} }}

[[import.roads]]
file = "roads.geojson"
columns = {{ road_class = "highway" }}

[[import.facilities]]
file = "sites.csv"
columns = {{ id = "id", height_m = "height", bands = "bands", source = "owner" }}
constants = {{ kind = "radio_site" }}

[[import.facilities]]
file = "rooms.gpkg"
columns = {{ kind = "kind" }}
constants = {{ source = "county archive", height_m = 0.0 }}

[[import.no_build]]
file = "no_build.gpkg"

[import.terrain]
raster = {{ file = "dem.tif" }}

[[import.clutter.polygons]]
file = "parks.geojson"
constants = {{ land_use = "industrial" }}

[import.clutter]
default = "open"
"""


def write_county(folder: Path, seed: int = 7) -> None:
    """Write all files of the county to ``folder``, with the errors in sites.csv."""
    random = default_rng(seed)
    folder.mkdir(parents=True)
    _write_cells(folder, random)
    _write_roads(folder)
    _write_sites(folder, random)
    _write_areas(folder)
    _write_dem(folder / "dem.tif")
    (folder / "region.toml").write_text(REGION_TOML, encoding="utf-8")


def mend(folder: Path) -> None:
    """Mend the errors, as the bureau would after looking the sites up: by the list of the other office."""
    sound = pd.read_csv(folder / "sites_sound.csv", dtype=str, keep_default_na=False)
    sound.to_csv(folder / "sites.csv", index=False)


def _frame(columns: dict[str, object], shapes: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=CRS)  # type: ignore[call-overload]


def _box(area: tuple[int, int, int, int]) -> shapely.Polygon:
    west, south, east, north = area
    return shapely.box(WEST + west * CELL_M, SOUTH + south * CELL_M, WEST + east * CELL_M, SOUTH + north * CELL_M)


def _write_cells(folder: Path, random: Generator) -> None:
    row, column = (part.ravel() for part in np.divmod(np.arange(ROWS * COLUMNS), COLUMNS))
    shapes = [_box((c, r, c + 1, r + 1)) for r, c in zip(row.tolist(), column.tolist(), strict=True)]
    park = np.zeros(len(row), dtype=bool)
    for west, south, east, north in PARKS:
        park |= (column >= west) & (column < east) & (row >= south) & (row < north)
    west, south, east, north = TOWN
    town = (column >= west) & (column < east) & (row >= south) & (row < north)
    residents = np.where(town, random.poisson(12_000, len(row)), np.where(park, random.poisson(60, len(row)), 0))
    residents = np.where(~town & ~park, random.poisson(90, len(row)), residents)
    workers = np.where(park, random.poisson(2_500, len(row)), np.where(town, random.poisson(600, len(row)), 3))
    columns = {
        "code": [f"C{number:03d}" for number in range(len(row))],
        "pop": residents.astype(float),
        "jobs": workers.astype(float),
        "use": np.where(park, "M", np.where(town, "R", "E")),
    }
    _frame(columns, shapes).to_file(folder / "cells.shp")
    _frame({}, [_box((0, 0, COLUMNS, ROWS))]).to_file(folder / "boundary.gpkg")


def _write_roads(folder: Path) -> None:
    lines, classes = [], []
    for c in range(COLUMNS):
        x = WEST + (c + 0.5) * CELL_M
        lines.append(shapely.LineString([(x, SOUTH + (r + 0.5) * CELL_M) for r in range(ROWS)]))
        classes.append("primary" if c % 5 == 2 else "residential")
    for r in range(ROWS):
        y = SOUTH + (r + 0.5) * CELL_M
        lines.append(shapely.LineString([(WEST + (c + 0.5) * CELL_M, y) for c in range(COLUMNS)]))
        classes.append("secondary" if r % 4 == 1 else "unclassified")
    _frame({"highway": classes}, lines).to_crs(4326).to_file(folder / "roads.geojson")


def _write_sites(folder: Path, random: Generator) -> None:
    """Write 320 sites beside roads, more of them in the town, once sound and once with the errors."""
    middle, spread = np.array([WIDTH * 0.5, HEIGHT * 0.5]), np.array([WIDTH * 0.3, HEIGHT * 0.3])
    place = np.clip(random.normal(middle, spread, (SITES, 2)), 300.0, [WIDTH - 300.0, HEIGHT - 300.0])
    along = random.integers(0, 2, SITES)
    lane = (np.floor(place / CELL_M) + 0.5) * CELL_M + random.uniform(-15.0, 15.0, (SITES, 2))
    place[np.arange(SITES), along] = lane[np.arange(SITES), along]
    points = gpd.GeoSeries(shapely.points(place + np.array([WEST, SOUTH])), crs=CRS).to_crs(4326)
    table = pd.DataFrame(
        {
            "id": [f"S{number:04d}" for number in range(SITES)],
            "lon": points.x.map("{:.7f}".format),
            "lat": points.y.map("{:.7f}".format),
            "height": random.uniform(20.0, 45.0, SITES).round(0).astype(int).astype(str),
            "bands": random.choice(["700;2600;3500", "700;2600;4900", "2600;3500;4900", ""], SITES),
            "owner": "tower company, 2025",
        }
    )
    table.to_csv(folder / "sites_sound.csv", index=False)
    for row, (column, wrong, _) in ERRORS.items():
        table.loc[row, column] = wrong
    table.to_csv(folder / "sites.csv", index=False)


def _write_areas(folder: Path) -> None:
    rooms = [_box(area).centroid for area in (TOWN, *PARKS)]
    kinds = ["fibre_pop", "server_room", "fibre_pop", "server_room"]
    _frame({"kind": kinds}, rooms).to_file(folder / "rooms.gpkg")
    pop = gpd.read_file(folder / "rooms.gpkg")
    pd.concat([pop, _frame({"kind": ["server_room"]}, [rooms[0]])]).to_file(folder / "rooms.gpkg")
    zones = [_box((3, 8, 4, 10)), shapely.Point(WEST + 4_650.0, SOUTH + 1_250.0).buffer(200.0)]
    _frame({"reason": ["reserve", "water works"]}, zones).to_file(folder / "no_build.gpkg")
    names = [f"park {number}" for number in (1, 2, 3)]
    _frame({"name": names}, [_box(park) for park in PARKS]).to_file(folder / "parks.geojson")


def _write_dem(path: Path) -> None:
    rows, columns = int(HEIGHT + 2_000) // 100, int(WIDTH + 2_000) // 100
    y, x = np.mgrid[0:rows, 0:columns] * 100.0
    heights = (30.0 + 12.0 * np.sin(x / 1_700.0) * np.cos(y / 1_300.0)).astype(np.float32)
    corner = rasterio.Affine(100.0, 0.0, WEST - 1_000.0, 0.0, -100.0, SOUTH + HEIGHT + 1_000.0)
    frame = {"driver": "GTiff", "height": rows, "width": columns, "count": 1, "dtype": "float32", "crs": CRS}
    with rasterio.open(path, "w", **frame, transform=corner) as target:
        target.write(heights, 1)
