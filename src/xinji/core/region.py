"""The region: everything that is known of the ground before a plan is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import (
    Codes,
    Floats,
    Ints,
    Shapes,
    Strings,
    duplicate_rows,
    freeze,
    row_faults,
    shape_faults,
)
from xinji.core.grid import Raster
from xinji.core.parameters import Parameters
from xinji.core.vocabulary import FACILITY_KINDS, GROUPS, LAND_USES, ROAD_CLASSES
from xinji.errors import Fault, RegionError, raise_if


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Demand cells (n): id, centre [m], outline, area, people, and what the land is used for.

    ``shape`` holds shapely polygons; ``land_use`` and ``group`` are codes of ``LAND_USES`` and
    ``GROUPS``.
    """

    id: Strings
    x_m: Floats
    y_m: Floats
    shape: Shapes
    area_m2: Floats
    residents: Floats
    workers: Floats
    industrial_area_m2: Floats
    land_use: Codes
    group: Codes

    def __post_init__(self) -> None:
        raise_if(self._faults(), RegionError)
        freeze(self.id, self.x_m, self.y_m, self.area_m2, self.residents, self.workers)
        freeze(self.industrial_area_m2, self.land_use, self.group)

    def __len__(self) -> int:
        return len(self.id)

    def _faults(self) -> Iterator[Fault]:
        n = (len(self.id),)
        names = ("x_m", "y_m", "shape", "area_m2", "residents", "workers", "industrial_area_m2", "land_use", "group")
        wrong = list(shape_faults("cells", [(name, getattr(self, name), n) for name in names]))
        yield from wrong
        if wrong:
            return
        if not len(self.id):
            yield Fault("cells", "the layer is empty", "Give at least one cell.")
        yield from row_faults("cells", duplicate_rows(self.id), "the id is used before", "Make ids unique.")
        for name in ("residents", "workers", "industrial_area_m2", "area_m2"):
            values = getattr(self, name)
            bad = ~(np.isfinite(values) & (values >= 0))
            yield from row_faults("cells", bad, f"{name} is negative or missing", "Give a number of at least 0.")
        yield from row_faults("cells", self.land_use >= len(LAND_USES), "unknown land use", "See the region format.")
        yield from row_faults("cells", self.group >= len(GROUPS), "unknown group", "See the region format.")


@dataclass(frozen=True, slots=True, eq=False)
class Roads:
    """The road graph: nodes (n) and edges (m); ``road_class`` is a code of ``ROAD_CLASSES``.

    ``from_node`` and ``to_node`` are node positions; ``shape`` holds shapely LineStrings.
    """

    node_x_m: Floats
    node_y_m: Floats
    id: Strings
    from_node: Ints
    to_node: Ints
    length_m: Floats
    road_class: Codes
    shape: Shapes

    def __post_init__(self) -> None:
        raise_if(self._faults(), RegionError)
        freeze(self.node_x_m, self.node_y_m, self.id, self.from_node, self.to_node, self.length_m, self.road_class)

    def __len__(self) -> int:
        return len(self.id)

    def _faults(self) -> Iterator[Fault]:
        m, n = (len(self.id),), (len(self.node_x_m),)
        names = ("from_node", "to_node", "length_m", "road_class", "shape")
        wrong = list(shape_faults("roads", [(name, getattr(self, name), m) for name in names]))
        wrong += shape_faults("roads", [("node_y_m", self.node_y_m, n)])
        yield from wrong
        if wrong:
            return
        yield from row_faults("roads", duplicate_rows(self.id), "the id is used before", "Make ids unique.")
        outside = np.zeros(m, dtype=bool)
        for node in (self.from_node, self.to_node):
            outside |= (node < 0) | (node >= n[0])
        yield from row_faults("roads", outside, "an end is not a node of the graph", "Run `xinji import` again.")
        bad = ~(np.isfinite(self.length_m) & (self.length_m > 0))
        yield from row_faults("roads", bad, "length is not positive", "Give the length in metres.")
        yield from row_faults("roads", self.road_class >= len(ROAD_CLASSES), "unknown class", "See the region format.")


@dataclass(frozen=True, slots=True, eq=False)
class ExistingFacilities:
    """What stands already (k): radio sites, fibre points of presence, server rooms, data centres.

    ``kind`` is a code of ``FACILITY_KINDS``; ``bands`` lists the bands in use at a radio site in
    MHz, separated by ``;``, empty if none; ``source`` says where the row comes from ("assumed: ..."
    where nobody surveyed it).
    """

    id: Strings
    kind: Codes
    x_m: Floats
    y_m: Floats
    height_m: Floats
    bands: Strings
    source: Strings

    def __post_init__(self) -> None:
        raise_if(self._faults(), RegionError)
        freeze(self.id, self.kind, self.x_m, self.y_m, self.height_m, self.bands, self.source)

    def __len__(self) -> int:
        return len(self.id)

    def of_kind(self, kind: str) -> Ints:
        """Return the positions of the facilities of ``kind`` (one of ``FACILITY_KINDS``)."""
        return np.flatnonzero(self.kind == FACILITY_KINDS.index(kind))

    def _faults(self) -> Iterator[Fault]:
        k = (len(self.id),)
        names = ("kind", "x_m", "y_m", "height_m", "bands", "source")
        wrong = list(shape_faults("facilities", [(name, getattr(self, name), k) for name in names]))
        yield from wrong
        if wrong:
            return
        yield from row_faults("facilities", duplicate_rows(self.id), "the id is used before", "Make ids unique.")
        yield from row_faults("facilities", self.kind >= len(FACILITY_KINDS), "unknown kind", "See the region format.")
        bad = ~(np.isfinite(self.height_m) & (self.height_m >= 0))
        yield from row_faults("facilities", bad, "height is negative or missing", "Give the height in metres.")


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A region: projected in metres, all layers in one CRS.

    ``latitude_deg`` is that of the boundary's middle. ``terrain`` holds metres above sea level,
    ``clutter`` codes of ``LAND_USES``; ``boundary`` is a shapely polygon or multipolygon; ``no_build``
    and ``water`` hold shapely polygons;
    ``attribution`` lists what every map of the region must name.
    """

    name: str
    title_en: str
    title_zh: str
    crs: str
    latitude_deg: float
    currency: str
    boundary: object
    cells: Cells
    roads: Roads
    facilities: ExistingFacilities
    terrain: Raster
    clutter: Raster
    no_build: Shapes
    water: Shapes
    parameters: Parameters
    attribution: tuple[str, ...]

    def __post_init__(self) -> None:
        faults = [
            Fault(layer, f"the CRS is {grid.crs}, the region's {self.crs}", "Reproject with `xinji import`.")
            for layer, grid in (("terrain", self.terrain.grid), ("clutter", self.clutter.grid))
            if grid.crs != self.crs
        ]
        raise_if(faults, RegionError)
