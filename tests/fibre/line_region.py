"""A region small enough to compute by hand: four nodes on a line, five roads, four cells."""

from __future__ import annotations

import numpy as np
import shapely

from xinji.core.demand import Demand
from xinji.core.grid import Grid, Raster
from xinji.core.parameters import Parameters
from xinji.core.region import Cells, ExistingFacilities, Region, Roads
from xinji.core.vocabulary import FACILITY_KINDS, GROUPS, RESOURCES, ROAD_CLASSES, SERVICES
from xinji.io.parameters import load

PARAMETERS = load("cn")
NODE_X_M = np.array([0.0, 1000.0, 2000.0, 3000.0, 50_000.0])
URBAN, RURAL = GROUPS.index("urban"), GROUPS.index("rural")


def line_region(pop_y_m: float = 30.0, parameters: Parameters = PARAMETERS, pops: int = 1) -> Region:
    """Return the region; its point of presence stands ``pop_y_m`` beside the first node."""
    x_m, y_m = np.array([1000.0, 2000.0, 3000.0, 50_000.0]), np.array([100.0, 0.0, 0.0, 0.0])
    cells = Cells(
        id=np.array(["a", "b", "empty", "cut off"]),
        x_m=x_m,
        y_m=y_m,
        shape=np.array([shapely.box(x - 125, y - 125, x + 125, y + 125) for x, y in zip(x_m, y_m, strict=True)]),
        area_m2=np.full(4, 62_500.0),
        residents=np.array([2620.0, 26.2, 0.0, 10.0]),
        workers=np.array([400.0, 0.0, 50.0, 0.0]),
        industrial_area_m2=np.zeros(4),
        land_use=np.ones(4, dtype=np.uint8),
        group=np.array([URBAN, RURAL, URBAN, RURAL], dtype=np.uint8),
    )
    ends = np.array([[0, 1], [1, 2], [2, 3], [0, 1], [1, 1]])
    classes = ("primary", "local", "motorway", "track", "service")
    roads = Roads(
        node_x_m=NODE_X_M.copy(),
        node_y_m=np.zeros(5),
        id=np.array(["r0", "r1", "r2", "r3", "loop"]),
        from_node=ends[:, 0].copy(),
        to_node=ends[:, 1].copy(),
        length_m=np.array([1000.0, 1000.0, 1000.0, 1500.0, 300.0]),
        road_class=np.array([ROAD_CLASSES.index(name) for name in classes], dtype=np.uint8),
        shape=np.array([shapely.LineString([(NODE_X_M[i], 0), (NODE_X_M[j], 0)]) for i, j in ends]),
    )
    facilities = ExistingFacilities(
        id=np.array(["mast", "pop", "pop2"][: 1 + pops]),
        kind=np.array([FACILITY_KINDS.index("radio_site"), 1, 1][: 1 + pops], dtype=np.uint8),
        x_m=np.array([9000.0, 0.0, 10.0][: 1 + pops]),
        y_m=np.array([9000.0, pop_y_m, 5.0][: 1 + pops]),
        height_m=np.zeros(1 + pops),
        bands=np.array(["700", "", ""][: 1 + pops]),
        source=np.array(["test"] * (1 + pops)),
    )
    grid = Grid("EPSG:32650", -1000.0, 1000.0, 1000.0, 2, 60)
    return Region(
        name="line",
        title_en="Line",
        title_zh="线",
        crs="EPSG:32650",
        latitude_deg=31.5,
        currency="CNY",
        boundary=shapely.box(-1000, -1000, 59_000, 1000),
        cells=cells,
        roads=roads,
        facilities=facilities,
        terrain=Raster(grid, np.zeros((2, 60))),
        clutter=Raster(grid, np.zeros((2, 60), dtype=np.uint8)),
        no_build=np.array([], dtype=object),
        water=np.array([], dtype=object),
        parameters=parameters,
        attribution=(),
    )


def demand_of(region: Region, gigabit_mbps: float = 100.0) -> Demand:
    """Return two years of demand: everybody wants gigabit access, each cell ``gigabit_mbps`` in the second."""
    shape = (len(region.cells), len(SERVICES), 2)
    users, amount = np.zeros(shape), np.zeros((*shape, len(RESOURCES)))
    users[:, 2] = region.cells.residents[:, np.newaxis]
    amount[:, 2, 1, 0] = gigabit_mbps
    return Demand(users, amount, np.full(len(SERVICES), np.inf))
