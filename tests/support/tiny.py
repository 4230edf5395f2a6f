"""A small valid region made from a seed, for every test that needs one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyproj
import shapely

from xinji.core.arrays import Codes, Floats, Shapes
from xinji.core.grid import Grid, Raster
from xinji.core.policy import Policy
from xinji.core.region import Cells, ExistingFacilities, Region, Roads
from xinji.core.vocabulary import FACILITY_KINDS, GROUPS, LAND_USES, ROAD_CLASSES
from xinji.io.config import RegionConfig, dump_config
from xinji.io.parameters import load
from xinji.io.region import write

CRS = "EPSG:32651"
CELL_M = 250.0
WEST_M, SOUTH_M = 250_000.0, 3_480_000.0
PIXEL_M = 25.0
MARGIN_M = 500.0
YEARS = (2026, 2027, 2028)

_BLOCKS = (
    ("industrial_cluster", "industrial", 100.0, 900.0),
    ("urban", "residential", 600.0, 200.0),
    ("town", "residential", 60.0, 20.0),
    ("rural", "open", 5.0, 1.0),
)
"""The four quarters of the region: group, land use, mean residents and workers of a cell."""


def tiny_region(seed: int, cells_across: int = 6) -> tuple[Region, Policy]:
    """Return a square region of ``cells_across`` x ``cells_across`` cells of 250 m, and a policy for it.

    Its quarters are industrial, urban, town and rural; roads form a grid of uneven spacing, all in
    one piece; facilities are one fibre point of presence, one server room and a few radio sites
    beside roads; parameters are those of profile cn.
    """
    random = np.random.default_rng(seed)
    side_m = cells_across * CELL_M
    roads = _roads(random, side_m)
    cells = _cells(random, cells_across)
    region = Region(
        name="tiny",
        title_en="Tiny region",
        title_zh="小区域",
        crs=CRS,
        latitude_deg=_latitude_deg(side_m),
        currency="CNY",
        boundary=shapely.box(WEST_M, SOUTH_M, WEST_M + side_m, SOUTH_M + side_m),
        cells=cells,
        roads=roads,
        facilities=_facilities(random, roads, max(3, cells_across**2 // 9)),
        terrain=_terrain(side_m),
        clutter=_clutter(cells, roads, side_m),
        no_build=np.array([shapely.box(WEST_M, SOUTH_M, WEST_M + 90.0, SOUTH_M + 90.0)], dtype=object),
        water=np.array([shapely.box(WEST_M + 10.0, SOUTH_M + 10.0, WEST_M + 80.0, SOUTH_M + 80.0)], dtype=object),
        parameters=load("cn"),
        attribution=("Synthetic data",),
    )
    priority = dict(zip(GROUPS, (3.0, 2.0, 1.0, 1.0), strict=True))
    budget = (2_000_000.0 + 50_000.0 * cells_across**2,) * len(YEARS)
    return region, Policy(YEARS, budget, priority=priority)


def tiny_config(region: Region, policy: Policy) -> RegionConfig:
    """Return the region.toml of a tiny region."""
    fields = {key: getattr(region, key) for key in ("name", "title_en", "title_zh", "crs", "currency", "attribution")}
    wishes = {
        "years": policy.years,
        "budget": policy.budget,
        "carry_over": policy.carry_over,
        "discount_rate": policy.discount_rate,
        "build_ahead": policy.build_ahead,
        "question": policy.question,
        "priority": dict(policy.priority),
        "floors": [{key: getattr(f, key) for key in ("group", "service", "year", "share")} for f in policy.floors],
    }
    return RegionConfig.model_validate({**fields, "format": 1, "profile": "cn", "policy": wishes})


def write_tiny(folder: Path, seed: int = 1, cells_across: int = 6) -> tuple[Region, Policy]:
    """Write a tiny region to ``folder`` and return it with its policy."""
    region, policy = tiny_region(seed, cells_across)
    write(folder, region, dump_config(tiny_config(region, policy)))
    return region, policy


def _cells(random: np.random.Generator, across: int) -> Cells:
    row, column = (part.ravel() for part in np.divmod(np.arange(across**2), across))
    quarter = 2 * (row >= (across + 1) // 2) + (column >= (across + 1) // 2)
    west, south = WEST_M + column * CELL_M, SOUTH_M + row * CELL_M
    industrial = np.array([use == "industrial" for _, use, _, _ in _BLOCKS])[quarter]
    return Cells(
        id=np.array([f"c{r:03d}_{c:03d}" for r, c in zip(row, column, strict=True)], dtype=np.str_),
        x_m=west + CELL_M / 2,
        y_m=south + CELL_M / 2,
        shape=shapely.box(west, south, west + CELL_M, south + CELL_M),
        area_m2=np.full(across**2, CELL_M**2),
        residents=random.poisson(np.array([block[2] for block in _BLOCKS])[quarter]).astype(np.float64),
        workers=random.poisson(np.array([block[3] for block in _BLOCKS])[quarter]).astype(np.float64),
        industrial_area_m2=np.where(industrial, CELL_M**2 * random.uniform(0.4, 0.9, across**2), 0.0),
        land_use=np.array([LAND_USES.index(block[1]) for block in _BLOCKS], dtype=np.uint8)[quarter],
        group=np.array([GROUPS.index(block[0]) for block in _BLOCKS], dtype=np.uint8)[quarter],
    )


def _latitude_deg(side_m: float) -> float:
    to_degrees = pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    return float(to_degrees.transform(WEST_M + side_m / 2.0, SOUTH_M + side_m / 2.0)[1])


def _roads(random: np.random.Generator, side_m: float) -> Roads:
    lines = max(3, round(side_m / 400.0) + 1)
    stations = [np.concatenate([[0.0], np.cumsum(random.uniform(0.5, 1.5, lines - 1))]) for _ in range(2)]
    east, north = (station / station[-1] * (side_m - 20.0) + 10.0 for station in stations)
    x_m, y_m = WEST_M + np.tile(east, lines), SOUTH_M + np.repeat(north, lines)
    node = np.arange(lines**2).reshape(lines, lines)
    start = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    end = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    ends = np.stack([x_m[start], y_m[start], x_m[end], y_m[end]], axis=1).reshape(-1, 2, 2)
    shape: Shapes = np.array(shapely.linestrings(ends), dtype=object)
    classes = np.array([ROAD_CLASSES.index(name) for name in ("primary", "secondary", "tertiary", "local")])
    return Roads(
        node_x_m=x_m,
        node_y_m=y_m,
        id=np.array([f"r{number:04d}" for number in range(len(start))], dtype=np.str_),
        from_node=start.astype(np.int64),
        to_node=end.astype(np.int64),
        length_m=np.asarray(shapely.length(shape)),
        road_class=random.choice(classes, len(start)).astype(np.uint8),
        shape=shape,
    )


def _facilities(random: np.random.Generator, roads: Roads, sites: int) -> ExistingFacilities:
    kinds = ["fibre_pop", "server_room", *["radio_site"] * sites]
    edge = random.choice(len(roads), len(kinds), replace=len(kinds) > len(roads))
    beside = shapely.line_interpolate_point(roads.shape[edge], random.uniform(0.2, 0.8, len(kinds)), normalized=True)
    offset = random.uniform(-9.0, 9.0, (2, len(kinds)))
    return ExistingFacilities(
        id=np.array([f"f{number:03d}" for number in range(len(kinds))], dtype=np.str_),
        kind=np.array([FACILITY_KINDS.index(kind) for kind in kinds], dtype=np.uint8),
        x_m=shapely.get_x(beside) + offset[0],
        y_m=shapely.get_y(beside) + offset[1],
        height_m=np.where(np.arange(len(kinds)) < 2, 0.0, random.uniform(20.0, 45.0, len(kinds)).round(1)),
        bands=np.array(["", "", *random.choice(["700", "2600", "700;2600", ""], sites)], dtype=np.str_),
        source=np.array([*["surveyed"] * 2, *["assumed: synthetic"] * sites], dtype=np.str_),
    )


def _grid(side_m: float) -> tuple[Grid, Floats, Floats]:
    pixels = round((side_m + 2 * MARGIN_M) / PIXEL_M)
    grid = Grid(CRS, WEST_M - MARGIN_M, SOUTH_M + side_m + MARGIN_M, PIXEL_M, pixels, pixels)
    middle = (np.arange(pixels) + 0.5) * PIXEL_M
    x_m, y_m = np.meshgrid(grid.west_m + middle, grid.north_m - middle)
    return grid, x_m, y_m


def _terrain(side_m: float) -> Raster:
    grid, x_m, y_m = _grid(side_m)
    hills = 20.0 + 8.0 * np.sin((x_m - WEST_M) / 300.0) * np.cos((y_m - SOUTH_M) / 400.0)
    return Raster(grid, hills.astype(np.float32))


def _clutter(cells: Cells, roads: Roads, side_m: float) -> Raster:
    grid, x_m, y_m = _grid(side_m)
    across = round(side_m / CELL_M)
    column, row = ((part // CELL_M).astype(np.int64) for part in (x_m - WEST_M, y_m - SOUTH_M))
    inside = (column >= 0) & (column < across) & (row >= 0) & (row < across)
    use: Codes = np.full(x_m.shape, LAND_USES.index("open"), dtype=np.uint8)
    use[inside] = cells.land_use[(row * across + column)[inside]]
    middles = shapely.points(x_m.ravel(), y_m.ravel())
    close, _ = shapely.STRtree(roads.shape).query(middles, predicate="dwithin", distance=PIXEL_M / 2)
    use.ravel()[close] = LAND_USES.index("road")
    return Raster(grid, use)
