"""Sources in every format the importer reads: a small town of 2 x 1 km at EPSG:32650."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely

CRS = "EPSG:32650"
WEST, SOUTH = 500_000.0, 3_400_000.0

POLICY = """
[policy]
years = [2026, 2027]
budget = [1e6, 1e6]
"""

HEAD = f"""
format = 1
name = "town"
title_en = "Town"
title_zh = "镇"
crs = "{CRS}"
currency = "CNY"
profile = "cn"
attribution = ["nobody"]
{POLICY}
"""

MAPPING = """
[import]
margin_m = 100.0
group_neighbourhood_m = 0.0

[import.boundary]
file = "boundary.geojson"

[import.cells]
cell_m = 250.0

[[import.cells.counts]]
file = "census.gpkg"
layer = "blocks"
column = "residents"
columns = { value = "people" }

[[import.cells.counts]]
file = "firms.csv"
column = "workers"
x = "lng"
y = "lat"
columns = { value = "staff" }

[[import.roads]]
file = "roads.zip"
encoding = "GBK"
columns = { id = "name", road_class = "type" }
translate = { road_class = { "主干道" = "primary", "支路" = "local", "规划" = "drop" } }

[[import.facilities]]
file = "rooms.parquet"
crs = "EPSG:32650"
columns = { kind = "what", height_m = "height" }
constants = { source = "survey 2025" }
translate = { kind = { exchange = "fibre_pop", room = "server_room" } }
defaults = { height_m = 0.0 }

[[import.facilities]]
rule = "spread"
kind = "radio_site"
count = 2
weight = "residents"
height_m = 25.0
bands = "700"

[[import.water]]
file = "pond.geojson"

[[import.no_build]]
file = "pond.geojson"
buffer_m = 10.0

[import.terrain]
cell_m = 50.0
raster = { file = "dem.tif" }
fill_nodata_m = 3.0

[import.clutter]
cell_m = 50.0
default = "open"

[[import.clutter.polygons]]
file = "uses.geojson"
columns = { land_use = "class" }
translate = { land_use = { "M" = "industrial", "R" = "residential" } }
"""


def write_sources(folder: Path) -> Path:
    """Write all sources and the mapping to ``folder``; return the region.toml."""
    box = shapely.box(WEST, SOUTH, WEST + 2_000, SOUTH + 1_000)
    _frame({}, [box]).to_crs(4326).to_file(folder / "boundary.geojson", engine="pyogrio")
    blocks = [
        shapely.box(WEST, SOUTH, WEST + 1_000, SOUTH + 1_000),
        shapely.box(WEST + 900, SOUTH, WEST + 1_300, SOUTH + 900),
    ]
    _frame({"people": [8_000, 777]}, blocks).to_file(folder / "census.gpkg", layer="blocks", engine="pyogrio")
    _frame({"people": [1]}, [box]).to_file(folder / "census.gpkg", layer="wards", engine="pyogrio")
    firms = _frame({}, shapely.points(WEST + np.array([1_510.0, 1_700.0]), SOUTH + np.array([510.0, 700.0])))
    lonlat = firms.to_crs(4326).geometry
    table = pd.DataFrame({"lng": lonlat.x, "lat": lonlat.y, "staff": [1_200, 34]})
    table.to_csv(folder / "firms.csv", index=False)
    _write_roads(folder)
    rooms = {"what": ["exchange", "room"], "height": [12.0, np.nan]}
    points = shapely.points(WEST + np.array([300.0, 1_500.0]), SOUTH + np.array([300.0, 600.0]))
    _frame(rooms, points).set_crs(None, allow_override=True).to_parquet(folder / "rooms.parquet")
    pond = shapely.box(WEST + 400, SOUTH + 600, WEST + 600, SOUTH + 800)
    _frame({}, [pond]).to_crs(4326).to_file(folder / "pond.geojson", engine="pyogrio")
    uses = [blocks[0], shapely.box(WEST + 1_250, SOUTH + 250, WEST + 2_000, SOUTH + 1_000)]
    _frame({"class": ["R", "M"]}, uses).to_crs(4326).to_file(folder / "uses.geojson", engine="pyogrio")
    _write_dem(folder / "dem.tif")
    path = folder / "region.toml"
    path.write_text(HEAD + MAPPING, encoding="utf-8")
    return path


def _frame(columns: Mapping[str, object], shapes: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=CRS)  # type: ignore[call-overload]


def _write_roads(folder: Path) -> None:
    middle, east = (WEST + 1_000, SOUTH + 500), (WEST + 2_000, SOUTH + 500)
    shapes = [
        shapely.LineString([(WEST, SOUTH + 500), middle, east]),
        shapely.LineString([(WEST + 1_000, SOUTH), middle, (WEST + 1_000, SOUTH + 1_000)]),
        shapely.LineString([(WEST, SOUTH), middle]),
    ]
    columns = {"name": ["新华路", "人民路", "规划路"], "type": ["主干道", "支路", "规划"]}
    frame = _frame(columns, shapes)
    (folder / "roads").mkdir()
    frame.to_file(folder / "roads" / "roads.shp", engine="pyogrio", encoding="GBK")
    # Without the .cpg nothing but the mapping tells the encoding, as is common in China.
    (folder / "roads" / "roads.cpg").unlink()
    with zipfile.ZipFile(folder / "roads.zip", "w") as archive:
        for file in sorted((folder / "roads").iterdir()):
            archive.write(file, file.name)


def _write_dem(path: Path) -> None:
    heights = np.full((80, 120), 20.0, dtype=np.float32)
    heights[40:44, 40:44] = -9999.0
    frame = {"driver": "GTiff", "height": 80, "width": 120, "count": 1, "dtype": "float32", "crs": CRS}
    corner = rasterio.Affine(25.0, 0.0, WEST - 500, 0.0, -25.0, SOUTH + 1_500)
    with rasterio.open(path, "w", **frame, transform=corner, nodata=-9999.0) as target:
        target.write(heights, 1)
