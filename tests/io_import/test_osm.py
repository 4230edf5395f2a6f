"""OpenStreetMap files: a small one written here, and broken ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import osmium
import pytest
from osmium.osm.mutable import Node, Way

from xinji.core.vocabulary import LAND_USES
from xinji.errors import RegionError
from xinji.io.osm import COLUMNS, LAND_USE_OF_TAG, read_pbf


@pytest.fixture
def pbf(tmp_path: Path) -> Path:
    path = tmp_path / "small.osm.pbf"
    writer = osmium.SimpleWriter(str(path))
    corners = [(120.0, 31.0), (120.01, 31.0), (120.01, 31.01), (120.0, 31.01)]
    for number, corner in enumerate(corners, start=1):
        writer.add_node(Node(id=number, location=corner, version=1))
    tower = {"man_made": "mast", "tower:type": "communication", "height": "35 m"}
    writer.add_node(Node(id=5, location=(120.005, 31.005), tags=tower, version=1))
    writer.add_node(Node(id=6, location=(120.005, 31.006), tags={"man_made": "tower"}, version=1))
    place = {"place": "town", "name": "梅村", "population": "12,000"}
    writer.add_node(Node(id=7, location=(120.006, 31.006), tags=place, version=1))
    writer.add_way(Way(id=1, nodes=[1, 2, 3], tags={"highway": "primary", "bridge": "yes"}, version=1))
    writer.add_way(Way(id=2, nodes=[3, 99], tags={"highway": "service"}, version=1))
    writer.add_way(Way(id=3, nodes=[1, 4], tags={"highway": "footway", "layer": "-2"}, version=1))
    writer.add_way(Way(id=4, nodes=[1, 2, 3, 1], tags={"landuse": "industrial"}, version=1))
    writer.add_way(Way(id=5, nodes=[1, 3, 4, 1], tags={"natural": "water", "name": "太湖"}, version=1))
    writer.add_way(Way(id=6, nodes=[1, 2, 4, 1], tags={"landuse": "quarry"}, version=1))
    writer.close()
    return path


def test_layers(pbf: Path) -> None:
    layers = read_pbf(pbf)
    for name, columns in COLUMNS.items():
        assert list(layers[name].columns) == [*columns, "geometry"]
        assert layers[name].crs.to_epsg() == 4326
    roads = layers["roads"].set_index("osm_id")
    # Way 2 keeps one node only: it is cut at the extract's edge.
    assert list(roads.index) == ["1", "3"]
    assert list(roads["level"]) == [1, -2]
    assert roads.loc["1", "node_ids"] == [1, 2, 3]
    assert list(layers["areas"]["land_use"]) == ["industrial"]
    assert list(layers["water"]["name"]) == ["太湖"]
    assert layers["places"].iloc[0]["population"] == 12_000
    assert list(layers["towers"]["osm_id"]) == ["5"]
    assert np.array_equal(layers["towers"]["height_m"], [35.0])


def test_land_uses_are_known() -> None:
    assert set(LAND_USE_OF_TAG.values()) <= set(LAND_USES)


def test_a_file_cut_short_is_told(pbf: Path) -> None:
    whole = pbf.read_bytes()
    pbf.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RegionError, match=r"small.osm.pbf: cannot be read as OpenStreetMap PBF"):
        read_pbf(pbf)
