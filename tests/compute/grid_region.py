"""A square of roads with two rooms and a mast, and demand for edge nodes that a test can set."""

from __future__ import annotations

import numpy as np
import shapely

from xinji.core.arrays import Floats
from xinji.core.demand import Demand
from xinji.core.grid import Grid, Raster
from xinji.core.offer import FREE, Trenches
from xinji.core.parameters import Parameters
from xinji.core.region import Cells, ExistingFacilities, Region, Roads
from xinji.core.vocabulary import FACILITY_KINDS, RESOURCES, SERVICES
from xinji.io.parameters import load

PARAMETERS = load("cn")
EDGE = 4
SIDE_M = 10_000.0
CORNERS = np.array([[0.0, 0.0], [SIDE_M, 0.0], [SIDE_M, SIDE_M], [0.0, SIDE_M]])
ENDS = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])


def grid_region(parameters: Parameters = PARAMETERS) -> Region:
    """Return the region: a cell at each corner, rooms at corners 0 (pop) and 2 (data centre), a mast at 1."""
    x_m, y_m = CORNERS[:, 0].copy(), CORNERS[:, 1].copy()
    cells = Cells(
        id=np.array(["c0", "c1", "c2", "c3"]),
        x_m=x_m,
        y_m=y_m,
        shape=np.array([shapely.box(x - 1, y - 1, x + 1, y + 1) for x, y in CORNERS]),
        area_m2=np.full(4, 4.0),
        residents=np.zeros(4),
        workers=np.full(4, 100.0),
        industrial_area_m2=np.zeros(4),
        land_use=np.zeros(4, dtype=np.uint8),
        group=np.zeros(4, dtype=np.uint8),
    )
    roads = Roads(
        node_x_m=x_m.copy(),
        node_y_m=y_m.copy(),
        id=np.array(["r0", "r1", "r2", "r3"]),
        from_node=ENDS[:, 0].copy(),
        to_node=ENDS[:, 1].copy(),
        length_m=np.full(4, SIDE_M),
        road_class=np.zeros(4, dtype=np.uint8),
        shape=np.array([shapely.LineString(CORNERS[pair]) for pair in ENDS]),
    )
    kinds = [FACILITY_KINDS.index(kind) for kind in ("fibre_pop", "radio_site", "data_centre")]
    facilities = ExistingFacilities(
        id=np.array(["pop", "mast", "dc"]),
        kind=np.array(kinds, dtype=np.uint8),
        x_m=x_m[:3].copy(),
        y_m=y_m[:3].copy(),
        height_m=np.zeros(3),
        bands=np.array(["", "700", ""]),
        source=np.array(["test"] * 3),
    )
    grid = Grid("EPSG:32650", -1000.0, 11_000.0, 1000.0, 12, 12)
    return Region(
        name="grid",
        title_en="Grid",
        title_zh="网格",
        crs="EPSG:32650",
        latitude_deg=31.5,
        currency="CNY",
        boundary=shapely.box(-1000, -1000, 11_000, 11_000),
        cells=cells,
        roads=roads,
        facilities=facilities,
        terrain=Raster(grid, np.zeros((12, 12))),
        clutter=Raster(grid, np.zeros((12, 12), dtype=np.uint8)),
        no_build=np.array([], dtype=object),
        water=np.array([], dtype=object),
        parameters=parameters,
        attribution=(),
    )


def graph_of(region: Region) -> Trenches:
    """Return the roads as a trench graph of the same lengths, its root at corner 0."""
    roads = region.roads
    m = len(roads)
    return Trenches(
        node_x_m=roads.node_x_m.copy(),
        node_y_m=roads.node_y_m.copy(),
        id=np.array([f"T-{road}" for road in roads.id]),
        from_node=roads.from_node.copy(),
        to_node=roads.to_node.copy(),
        length_m=roads.length_m.copy(),
        capex=np.ones(m),
        opex=np.zeros(m),
        built=np.full(m, FREE),
        road=np.arange(m),
        method=np.full(m, "aerial"),
        payer="operator",
        roots=np.array([0]),
        lateral_capex_per_m=1.0,
        lateral_opex_per_m=0.0,
    )


def demand_of(servers: Floats, latency_ms: float = 10.0) -> Demand:
    """Return two years of demand: ``servers`` (4,) in the second, half in the first, one worker for each."""
    shape = (4, len(SERVICES), 2)
    users, amount = np.zeros(shape), np.zeros((*shape, len(RESOURCES)))
    users[:, EDGE] = np.outer(servers, [0.5, 1.0])
    amount[:, EDGE, :, RESOURCES.index("servers")] = np.outer(servers, [0.5, 1.0])
    limits = np.full(len(SERVICES), np.inf)
    limits[EDGE] = latency_ms
    return Demand(users, amount, limits)
