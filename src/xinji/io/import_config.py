"""The table ``[import]`` of ``region.toml``: which sources make which layer, and how."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AllowInfNan,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    Tag,
    ValidationError,
    model_validator,
)

from xinji.core.vocabulary import FACILITY_KINDS, LAND_USES
from xinji.errors import Fault, RegionError, raise_if
from xinji.io.groups import NEIGHBOURHOOD_M
from xinji.io.road_graph import GraphRules

Text: TypeAlias = Annotated[str, Strict(), Field(min_length=1)]
Number: TypeAlias = Annotated[float, Strict(), AllowInfNan(allow_inf_nan=False)]
Length: TypeAlias = Annotated[Number, Field(gt=0)]
Flag: TypeAlias = Annotated[bool, Strict()]
Scalar: TypeAlias = Annotated[str, Strict()] | Flag | Annotated[int, Strict()] | Number

_RULES = GraphRules()

DROP = "drop"
"""In ``translate``: a row with this value is left out."""
OTHERS = "*"
"""In ``translate``: every value that is not listed."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Range(_Table):
    """Numbers from ``min`` to ``max``, both included; either may be left out."""

    min: Number | None = None
    max: Number | None = None


class Source(_Table):
    """One vector file and how its columns become ours.

    ``file`` is relative to the region.toml (or the data folder given). ``layer`` names the layer of
    a GeoPackage, of a zipped folder or of a PBF (``OSM_LAYERS``). ``crs`` is for files that name
    none; ``coordinate_system`` "gcj02" takes China's map shift off. ``x`` and ``y`` name the columns
    of a CSV's coordinates. ``where`` keeps rows by value, list of values, or range. ``columns`` says
    which of their columns is ours (ours = theirs), ``constants`` gives the same value to every row,
    ``defaults`` is for rows where their column is empty, ``factors`` scales a number to our unit,
    ``translate`` turns words into ours; see ``DROP`` and ``OTHERS``.
    """

    file: Text
    layer: Text | None = None
    crs: Text | None = None
    coordinate_system: Literal["wgs84", "gcj02"] = "wgs84"
    encoding: Text | None = None
    x: Text = "lon"
    y: Text = "lat"
    where: dict[str, Scalar | tuple[Scalar, ...] | Range] = {}
    columns: dict[str, Text] = {}
    constants: dict[str, Scalar] = {}
    defaults: dict[str, Scalar] = {}
    factors: dict[str, Number] = {}
    translate: dict[str, dict[str, Text]] = {}

    @model_validator(mode="after")
    def _each_column_once(self) -> Source:
        twice = sorted(set(self.columns) & set(self.constants))
        if twice:
            raise ValueError(f"{', '.join(twice)} is given both as a column and as a constant")
        idle = sorted((set(self.translate) | set(self.factors) | set(self.defaults)) - set(self.columns))
        if idle:
            raise ValueError(f"translate, factors or defaults for {', '.join(idle)}, which no column is named for")
        return self


class AreaSource(Source):
    """A source of polygons.

    ``buffer_m`` [m] widens them, ``simplify_m`` [m] is how far outlines may move, and polygons below
    ``min_area_m2`` [m2] are left out, in this order.
    """

    min_area_m2: Annotated[Number, Field(ge=0)] = 0.0
    buffer_m: Number = 0.0
    simplify_m: Annotated[Number, Field(ge=0)] = 0.0


class Count(Source):
    """Points or polygons whose number ``column`` is spread over the cells, by area; totals are kept.

    The number itself is ``columns.value`` (or ``constants.value``); ``outside_max`` is the share of
    the total that may lie outside the cells and is left out.
    """

    column: Literal["residents", "workers", "industrial_area_m2"]
    outside_max: Annotated[Number, Field(ge=0, le=1)] = 0.0


class CellsImport(_Table):
    """Cells from ``polygons``, or squares of ``cell_m`` [m] over the boundary, and what they hold.

    ``land_use_areas`` names, for a land use, the column of ``polygons`` with its area [m2]; the
    largest wins. Where all are 0, and without areas or a column land_use, a cell takes the commonest
    class of the clutter. Industrial area comes from the column, from ``land_use_areas``, from
    ``counts``, or else from the clutter.
    """

    polygons: Source | None = None
    cell_m: Length | None = None
    land_use_areas: dict[Literal[LAND_USES], Text] = {}  # type: ignore[valid-type]
    counts: tuple[Count, ...] = ()

    @model_validator(mode="after")
    def _one_way(self) -> CellsImport:
        if (self.polygons is None) == (self.cell_m is None):
            raise ValueError("give either polygons or cell_m")
        if self.land_use_areas and self.polygons is None:
            raise ValueError("land_use_areas are columns of polygons, and there are none")
        return self


class GraphImport(_Table):
    """How road lines become a graph (see ``GraphRules``); ``within_m`` [m] leaves out roads far off."""

    snap_m: Length = _RULES.snap_m
    simplify_m: Annotated[Number, Field(ge=0)] = _RULES.simplify_m
    loop_m: Length = _RULES.loop_m
    node_crossings: Flag = False
    within_m: Annotated[Number, Field(ge=0)] | None = None


class FacilityRule(_Table):
    """Facilities that nobody has surveyed, placed by a rule; their source says "assumed".

    "spread" puts ``count`` of them where the sum over cells of ``weight`` times squared distance is
    small; "beside" puts one at each facility of the kind ``of``. ``height_m`` is above ground.
    """

    rule: Literal["spread", "beside"]
    kind: Literal[FACILITY_KINDS]  # type: ignore[valid-type]
    count: Annotated[int, Strict(), Field(ge=1)] | None = None
    weight: Literal["people", "residents", "workers", "industrial_area_m2"] = "people"
    of: Literal[FACILITY_KINDS] | None = None  # type: ignore[valid-type]
    height_m: Annotated[Number, Field(ge=0)] = 0.0
    bands: Annotated[str, Strict()] = ""

    @model_validator(mode="after")
    def _needs(self) -> FacilityRule:
        if self.rule == "spread" and (self.count is None or self.of is not None):
            raise ValueError("the rule spread takes count, and not of")
        if self.rule == "beside" and (self.of is None or self.count is not None):
            raise ValueError("the rule beside takes of, and not count")
        return self


_FROM_FILE, _BY_RULE = "from-file", "by-rule"


def _facility_entry(entry: object) -> str:
    by_rule = "rule" in entry if isinstance(entry, dict) else isinstance(entry, FacilityRule)
    return _BY_RULE if by_rule else _FROM_FILE


FacilityEntry: TypeAlias = Annotated[
    Annotated[Source, Tag(_FROM_FILE)] | Annotated[FacilityRule, Tag(_BY_RULE)], Discriminator(_facility_entry)
]


class RasterSource(_Table):
    """A raster file; ``crs`` is for files that name none, ``nodata`` for those that do not declare it.

    ``band`` counts from 1 in files of several; ``unit`` is for heights that are not metres.
    """

    file: Text
    crs: Text | None = None
    nodata: Number | None = None
    band: Annotated[int, Strict(), Field(ge=1)] | None = None
    unit: Literal["m", "dm", "cm", "mm", "ft", "us_ft"] | None = None


class TerrainImport(_Table):
    """Terrain on pixels of ``cell_m`` [m], from a ``raster`` or flat at ``flat_m`` [m].

    Holes are a fault unless ``fill_nodata_m`` says what they hold: a height [m], or "nearest".
    """

    cell_m: Length = 50.0
    raster: RasterSource | None = None
    flat_m: Number | None = None
    fill_nodata_m: Number | Literal["nearest"] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> TerrainImport:
        if (self.raster is None) == (self.flat_m is None):
            raise ValueError("give either raster or flat_m")
        return self


class ClutterImport(_Table):
    """Clutter on pixels of ``cell_m`` [m]: from a ``raster`` of classes, or drawn.

    A raster's ``classes`` translate its numbers to land uses. Otherwise ``polygons`` (with a column or
    constant land_use) are drawn one after the other, then the ``roads`` and the ``water`` of the
    region if they are true. ``default`` is what stands where nothing is known.
    """

    cell_m: Length = 50.0
    raster: RasterSource | None = None
    classes: dict[str, Literal[LAND_USES]] = {}  # type: ignore[valid-type]
    polygons: tuple[Source, ...] = ()
    roads: Flag = True
    water: Flag = True
    default: Literal[LAND_USES] = "open"  # type: ignore[valid-type]

    @model_validator(mode="after")
    def _one_way(self) -> ClutterImport:
        if self.raster is not None and (self.polygons or not self.classes):
            raise ValueError("a raster takes classes, and no polygons")
        if self.raster is None and self.classes:
            raise ValueError("classes translate a raster, and there is none")
        if self.raster is not None and self.raster.unit is not None:
            raise ValueError("unit is for heights; a raster of classes has none")
        return self


class ImportConfig(_Table):
    """The whole table ``[import]``.

    ``margin_m`` [m] is how far terrain and clutter reach beyond the cells. Groups follow from the
    densities within ``group_neighbourhood_m`` [m] of each cell (0: the cell's own).
    """

    margin_m: Annotated[Number, Field(ge=0)] = 500.0
    group_neighbourhood_m: Annotated[Number, Field(ge=0)] = NEIGHBOURHOOD_M
    boundary: Source | None = None
    cells: CellsImport
    roads: tuple[Source, ...]
    road_graph: GraphImport = GraphImport()
    facilities: tuple[FacilityEntry, ...]
    no_build: tuple[AreaSource, ...] = ()
    water: tuple[AreaSource, ...] = ()
    terrain: TerrainImport
    clutter: ClutterImport

    @model_validator(mode="after")
    def _whole(self) -> ImportConfig:
        for layer in ("roads", "facilities"):
            if not getattr(self, layer):
                raise ValueError(f"no source of {layer} is given")
        if self.boundary is None and self.cells.cell_m is not None:
            raise ValueError("cell_m needs a boundary to lay squares over")
        return self


def parse_import(table: Mapping[str, Any], name: str = "region.toml") -> ImportConfig:
    """Return the table ``[import]`` of the file ``name``; raises RegionError with every fault in it."""
    if not table:
        remedy = "Add [import.cells], [[import.roads]] and the others; see docs/how-to/import-a-region.md."
        raise RegionError([Fault(f"{name}, import", "the table is missing", remedy)])
    try:
        return ImportConfig.model_validate(dict(table))
    except ValidationError as error:
        faults = {str(fault): fault for found in error.errors() for fault in _faults(found, name)}
        raise_if(faults.values(), RegionError)
        raise


def _faults(error: Any, name: str) -> Iterator[Fault]:  # noqa: ANN401 - pydantic's ErrorDetails
    loc = [str(part) for part in error["loc"] if part not in (_FROM_FILE, _BY_RULE)]
    place = ", ".join([name, ".".join(["import", *loc])])
    message = str(error["msg"])
    if error["type"] == "extra_forbidden":
        yield Fault(place, "the key is unknown", _suggestion(loc[-1]))
    elif error["type"] == "missing":
        yield Fault(place, "the key is missing", f"Add {loc[-1]!r}; see docs/how-to/import-a-region.md.")
    elif error["type"] == "value_error":
        yield Fault(place, message.removeprefix("Value error, "), "Mend the mapping.")
    else:
        found = repr(error["input"])
        shown = found if len(found) <= 60 else found[:57] + "..."
        yield Fault(place, f"found {shown}", message.replace("Input should be", "It must be") + ".")


def _suggestion(key: str) -> str:
    models = (ImportConfig, CellsImport, GraphImport, Count, AreaSource, FacilityRule, TerrainImport, ClutterImport)
    known = sorted({field for model in models for field in model.model_fields})
    close = difflib.get_close_matches(key, known, 1)
    return f"Did you mean {close[0]!r}?" if close else "Remove it; docs/how-to/import-a-region.md lists all keys."
