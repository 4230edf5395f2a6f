"""OpenStreetMap PBF files as layers: roads, areas, water, towers, places."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import osmium
import shapely

from xinji.errors import Fault, RegionError

OSM_LAYERS = ("roads", "areas", "water", "towers", "places")
"""Layers that a PBF file is read as; their columns stand in ``COLUMNS``."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "roads": ("osm_id", "highway", "name", "bridge", "tunnel", "level", "node_ids"),
    "areas": ("osm_id", "land_use", "landuse", "natural", "leisure", "amenity", "aeroway", "building", "name"),
    "water": ("osm_id", "natural", "water", "name"),
    "towers": ("osm_id", "man_made", "height_m", "operator", "name"),
    "places": ("osm_id", "place", "name", "population"),
}

LAND_USE_OF_TAG: Mapping[tuple[str, str], str] = {
    ("aeroway", "aerodrome"): "airport",
    ("amenity", "college"): "educational",
    ("amenity", "hospital"): "medical",
    ("amenity", "kindergarten"): "educational",
    ("amenity", "school"): "educational",
    ("amenity", "townhall"): "administrative",
    ("amenity", "university"): "educational",
    ("landuse", "residential"): "residential",
    ("landuse", "industrial"): "industrial",
    ("landuse", "commercial"): "business_office",
    ("landuse", "retail"): "commercial_service",
    ("landuse", "railway"): "transport_station",
    ("landuse", "education"): "educational",
    ("landuse", "institutional"): "administrative",
    ("landuse", "forest"): "park_greenspace",
    ("landuse", "grass"): "park_greenspace",
    ("landuse", "recreation_ground"): "park_greenspace",
    ("landuse", "cemetery"): "park_greenspace",
    ("landuse", "village_green"): "park_greenspace",
    ("landuse", "farmland"): "open",
    ("landuse", "meadow"): "open",
    ("landuse", "orchard"): "open",
    ("landuse", "brownfield"): "open",
    ("landuse", "construction"): "open",
    ("leisure", "park"): "park_greenspace",
    ("leisure", "garden"): "park_greenspace",
    ("leisure", "nature_reserve"): "park_greenspace",
    ("leisure", "golf_course"): "park_greenspace",
    ("leisure", "pitch"): "sport_cultural",
    ("leisure", "sports_centre"): "sport_cultural",
    ("leisure", "stadium"): "sport_cultural",
    ("natural", "wood"): "park_greenspace",
    ("natural", "scrub"): "open",
    ("natural", "grassland"): "open",
    ("natural", "wetland"): "open",
    ("building", "apartments"): "residential",
    ("building", "residential"): "residential",
    ("building", "house"): "residential",
    ("building", "industrial"): "industrial",
    ("building", "warehouse"): "industrial",
    ("building", "factory"): "industrial",
    ("building", "office"): "business_office",
    ("building", "commercial"): "business_office",
    ("building", "retail"): "commercial_service",
    ("building", "train_station"): "transport_station",
    ("building", "hospital"): "medical",
    ("building", "school"): "educational",
    ("building", "university"): "educational",
}
"""Land use that an area's tag stands for; the first fitting tag counts, areas without one are left."""

_TOWERS = frozenset({"mast", "tower", "communications_tower"})
_RADIO_KEYS = ("communication:mobile_phone", "communication:gsm", "communication:lte", "communication:5g")
_MULTIPOLYGON = osmium.geom.WKBFactory()


def read_pbf(path: Path) -> dict[str, gpd.GeoDataFrame]:
    """Return the layers of ``OSM_LAYERS`` in the file at ``path``, each with its ``COLUMNS``, in EPSG:4326.

    Ways whose nodes are partly missing (cut at the edge of an extract) keep the nodes that are
    there. Towers are masts and towers tagged as communication. Raises RegionError where the file
    cannot be read.
    """
    rows: dict[str, list[dict[str, object]]] = {layer: [] for layer in OSM_LAYERS}
    try:
        for item in osmium.FileProcessor(str(path)).with_locations().with_areas():
            for layer, row in _rows(item):
                rows[layer].append(row)
    except (RuntimeError, OSError) as error:
        message = f"cannot be read as OpenStreetMap PBF ({error})"
        raise RegionError([Fault(path.name, message, "The file is damaged or cut short; fetch it again.")]) from None
    return {layer: _frame(layer, found) for layer, found in rows.items()}


def _frame(layer: str, rows: list[dict[str, object]]) -> gpd.GeoDataFrame:
    columns = {name: [row[name] for row in rows] for name in COLUMNS[layer]}
    return gpd.GeoDataFrame(columns, geometry=[row["geometry"] for row in rows], crs="EPSG:4326")


def _rows(item: Any) -> Iterable[tuple[str, dict[str, object]]]:  # noqa: ANN401 - pyosmium has no stubs
    tags = dict(item.tags)
    if not tags:
        return
    if item.is_node():
        yield from _node_rows(item, tags)
    elif item.is_way():
        if "highway" in tags and tags.get("area") != "yes":
            yield from _road_row(item, tags)
    elif item.is_area():
        yield from _area_rows(item, tags)


def _node_rows(node: Any, tags: dict[str, str]) -> Iterable[tuple[str, dict[str, object]]]:  # noqa: ANN401
    geometry = shapely.Point(node.location.lon, node.location.lat)
    if _is_radio_tower(tags):
        yield "towers", _tower(node.id, tags, geometry)
    if "place" in tags:
        people = _number(tags.get("population", ""))
        yield "places", _row("places", node.id, tags, geometry) | {"population": people}


def _road_row(way: Any, tags: dict[str, str]) -> Iterable[tuple[str, dict[str, object]]]:  # noqa: ANN401
    nodes = [node for node in way.nodes if node.location.valid()]
    if len(nodes) < 2:
        return
    geometry = shapely.LineString([(node.lon, node.lat) for node in nodes])
    level = _number(tags.get("layer", ""))
    if math.isnan(level):
        level = (tags.get("bridge", "no") != "no") - float(tags.get("tunnel", "no") != "no")
    more = {"level": int(level), "node_ids": [node.ref for node in nodes]}
    yield "roads", _row("roads", way.id, tags, geometry) | more


def _area_rows(area: Any, tags: dict[str, str]) -> Iterable[tuple[str, dict[str, object]]]:  # noqa: ANN401
    is_water = tags.get("natural") == "water" or tags.get("landuse") in {"reservoir", "basin"}
    is_water |= tags.get("waterway") == "riverbank"
    use = next((LAND_USE_OF_TAG[tag] for tag in tags.items() if tag in LAND_USE_OF_TAG), None)
    is_tower = _is_radio_tower(tags)
    if not (is_water or is_tower or use):
        return
    geometry = shapely.make_valid(shapely.from_wkb(_MULTIPOLYGON.create_multipolygon(area)))
    if is_tower:
        yield "towers", _tower(area.orig_id(), tags, geometry.centroid)
    if is_water:
        yield "water", _row("water", area.orig_id(), tags, geometry)
    elif use:
        yield "areas", _row("areas", area.orig_id(), tags, geometry) | {"land_use": use}


def _row(layer: str, number: int, tags: dict[str, str], geometry: object) -> dict[str, object]:
    return {name: tags.get(name) for name in COLUMNS[layer]} | {"osm_id": str(number), "geometry": geometry}


def _tower(number: int, tags: dict[str, str], geometry: object) -> dict[str, object]:
    return _row("towers", number, tags, geometry) | {"height_m": _number(tags.get("height", ""))}


def _is_radio_tower(tags: dict[str, str]) -> bool:
    if any(tags.get(key, "no") != "no" for key in _RADIO_KEYS):
        return True
    if tags.get("man_made") == "communications_tower":
        return True
    return tags.get("man_made") in _TOWERS and tags.get("tower:type") == "communication"


def _number(text: str) -> float:
    """Return the number at the start of a tag's value, or NaN where there is none."""
    try:
        return float(text.removesuffix("m").strip().replace(",", ""))
    except ValueError:
        return math.nan
