"""Areal weighting, facilities by rule, the map shift, and rasters, each by a second route."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from xinji.core.grid import Grid, Raster
from xinji.core.vocabulary import LAND_USES
from xinji.errors import RegionError
from xinji.io.check_gcj import gcj02
from xinji.io.import_cells import areal_weights, class_shares, commonest, squares
from xinji.io.import_config import ClutterImport, RasterSource, TerrainImport, parse_import
from xinji.io.import_facilities import spread
from xinji.io.import_rasters import frame_grid, import_clutter, import_terrain
from xinji.io.import_sources import Bench, polygons_of, unshift

CRS = "EPSG:32650"


def shapes(*given: shapely.Geometry) -> np.ndarray:
    found = np.empty(len(given), dtype=object)
    found[:] = given
    return found


def test_a_polygon_is_shared_by_area() -> None:
    cells = shapes(shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10))
    source, cell, share = areal_weights(shapes(shapely.box(8, 2, 12, 4), shapely.box(19, 0, 29, 10)), cells)
    found = dict(zip(zip(source.tolist(), cell.tolist(), strict=True), share.tolist(), strict=True))
    assert found == pytest.approx({(0, 0): 0.5, (0, 1): 0.5, (1, 1): 0.1})


def test_a_point_on_an_edge_counts_once() -> None:
    cells = shapes(shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10))
    source, cell, share = areal_weights(shapes(shapely.Point(10, 5), shapely.Point(15, 5), shapely.Point(99, 5)), cells)
    assert (source.tolist(), cell.tolist(), share.tolist()) == ([0, 1], [0, 1], [1.0, 1.0])


corner = st.floats(0.0, 90.0)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(corner, corner, st.floats(0.5, 10.0)), min_size=1, max_size=8))
def test_totals_are_kept_on_cells_that_cover_all(boxes: list[tuple[float, float, float]]) -> None:
    _, cells = squares(shapely.box(0, 0, 100, 100).difference(shapely.box(200, 200, 201, 201)), 12.5)
    sources = shapes(*(shapely.box(x, y, x + side, y + side) for x, y, side in boxes))
    source, _, share = areal_weights(sources, cells)
    np.testing.assert_allclose(np.bincount(source, weights=share), 1.0, rtol=1e-9)


def test_squares_are_cut_at_the_boundary() -> None:
    names, cells = squares(shapely.Point(0, 0).buffer(500), 250.0)
    assert len(set(names)) == len(names) == 16
    assert shapely.area(cells).sum() == pytest.approx(shapely.Point(0, 0).buffer(500).area)
    assert set(np.mod(shapely.bounds(cells[5]), 250.0)) == {0.0}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_spread_finds_the_best_where_there_are_clusters(count: int) -> None:
    rng = np.random.default_rng(4)
    centre = np.array([[0.0, 0.0], [5_000.0, 0.0], [0.0, 9_000.0]])[:count]
    xy = np.concatenate([c + rng.normal(0, 100, (5, 2)) for c in centre])
    weight = rng.uniform(1, 9, len(xy))

    def cost(chosen: tuple[int, ...]) -> float:
        return float((weight * ((xy[:, None] - xy[list(chosen)]) ** 2).sum(axis=2).min(axis=1)).sum())

    found = spread(xy[:, 0], xy[:, 1], weight, count)
    best = min(combinations(range(len(xy)), count), key=cost)
    assert sorted(found.tolist()) == sorted(best)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 3)), min_size=6, max_size=40))
def test_spread_gives_distinct_cells_with_people(rows: list[tuple[int, int, int]]) -> None:
    x, y, weight = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    count = int(np.count_nonzero(weight))
    for wanted in {min(1, count), count // 2, count} - {0}:
        found = spread(x, y, weight, wanted)
        assert len(set(found.tolist())) == wanted
        assert (weight[found] > 0).all()


def test_the_map_shift_is_taken_off() -> None:
    true = np.column_stack([np.linspace(100, 122, 9), np.linspace(22, 45, 9)])
    shifted = np.column_stack(gcj02(true[:, 0], true[:, 1]))
    assert np.abs(shifted - true).max() > 1e-3
    back = shapely.get_coordinates(unshift(shapes(*(shapely.Point(xy) for xy in shifted))))
    np.testing.assert_allclose(back, true, atol=1e-9)


def test_a_bow_tie_is_mended_to_polygons() -> None:
    tie = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2), (0, 0), (-3, 0), (0, 0)])
    (mended,) = polygons_of(shapes(tie))
    assert mended.is_valid
    assert mended.geom_type == "MultiPolygon"
    assert mended.area == pytest.approx(2.0)


def test_class_shares_count_pixels_and_small_cells_ask_the_pixel_they_lie_on() -> None:
    use = [LAND_USES.index(name) for name in ("industrial", "water", "unclassified")]
    codes = np.array([[use[0], use[1]], [use[0], use[2]]], dtype=np.uint8)
    clutter = Raster(Grid(CRS, 0.0, 20.0, 10.0, 2, 2), codes)
    cells = shapes(shapely.box(0, 0, 20, 20), shapely.box(11, 1, 12, 2), shapely.box(11, 11, 12, 12))
    shares = class_shares(cells, clutter)
    assert shares[0, use].tolist() == [0.5, 0.25, 0.25]
    assert shares.sum(axis=1).tolist() == [1.0, 1.0, 1.0]
    assert [LAND_USES[code] for code in commonest(shares)] == ["industrial", "unclassified", "water"]


def write_raster(path: Path, values: np.ndarray, crs: str | None = CRS) -> RasterSource:
    frame = rasterio.Affine(10.0, 0.0, 1_000.0, 0.0, -10.0, 2_000.0)
    profile = {"driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1, "crs": crs}
    with rasterio.open(path, "w", **profile, dtype=values.dtype.name, transform=frame) as target:
        target.write(values, 1)
    return RasterSource(file=path.name)


GRID = Grid(CRS, 1_000.0, 2_000.0, 10.0, 4, 5)


def test_terrain_on_its_own_grid_is_unchanged(tmp_path: Path) -> None:
    values = np.arange(20, dtype=np.int16).reshape(4, 5)
    source = write_raster(tmp_path / "dem.tif", values)
    terrain = import_terrain(TerrainImport(raster=source), GRID, Bench(tmp_path, CRS))
    assert terrain is not None
    np.testing.assert_array_equal(terrain.values, values)


@pytest.mark.parametrize(("fill", "expected"), [(7.5, 7.5), ("nearest", 1.0)])
def test_holes_are_filled_as_told(tmp_path: Path, fill: float | Literal["nearest"], expected: float) -> None:
    values = np.ones((4, 5), dtype=np.int16)
    values[2, 2] = -1
    source = write_raster(tmp_path / "dem.tif", values).model_copy(update={"nodata": -1.0})
    bench = Bench(tmp_path, CRS)
    mapping = TerrainImport(raster=source, fill_nodata_m=fill)
    terrain = import_terrain(mapping, GRID, bench)
    assert terrain is not None
    assert terrain.values[2, 2] == expected
    assert len(bench.notes) == 1
    assert import_terrain(TerrainImport(raster=source), GRID, bench) is None
    assert "have no height" in bench.faults[0].message


def test_a_raster_elsewhere_or_without_a_crs_is_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path, CRS)
    source = write_raster(tmp_path / "dem.tif", np.ones((4, 5), dtype=np.int16))
    far = Grid(CRS, 90_000.0, 2_000.0, 10.0, 4, 5)
    assert import_terrain(TerrainImport(raster=source), far, bench) is None
    bare = write_raster(tmp_path / "bare.tif", np.ones((4, 5), dtype=np.int16), crs=None)
    assert import_terrain(TerrainImport(raster=bare), GRID, bench) is None
    wrong = source.model_copy(update={"crs": "EPSG:4326"})
    assert import_terrain(TerrainImport(raster=wrong), GRID, bench) is None
    messages = [fault.message for fault in bench.faults]
    for message, part in zip(messages, ("does not touch", "names no CRS", "the mapping says"), strict=True):
        assert part in message


def test_clutter_numbers_without_a_class_are_listed(tmp_path: Path) -> None:
    values = np.array([[1, 2], [3, 9]], dtype=np.uint8)
    bench = Bench(tmp_path, CRS)
    grid = Grid(CRS, 1_000.0, 2_000.0, 10.0, 2, 2)
    source = write_raster(tmp_path / "clutter.tif", values)
    roads = gpd.GeoDataFrame({"road_class": []}, geometry=[], crs=CRS)
    known = {"1": "residential", "2": "water"}
    assert import_clutter(ClutterImport(raster=source, classes=known), grid, roads, [], bench) is None
    assert bench.faults[0].message == "values without a class: 3, 9"
    whole = ClutterImport(raster=source, classes=known | {"3": "open", "9": "road"})
    clutter = import_clutter(whole, grid, roads, [], Bench(tmp_path, CRS))
    assert clutter is not None
    assert [LAND_USES[code] for code in clutter.values.ravel()] == ["residential", "water", "open", "road"]


def test_frames_lie_on_multiples_of_the_pixel() -> None:
    grid = frame_grid(shapes(shapely.box(101, 101, 299, 299)), CRS, 50.0, 50.0)
    assert (grid.west_m, grid.north_m, grid.rows, grid.columns) == (50.0, 350.0, 6, 6)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"cells": {}}, "give either polygons or cell_m"),
        ({"cells": {"cell_m": 250.0}}, "cell_m needs a boundary"),
        ({"roads": []}, "no source of roads is given"),
        ({"facilities": []}, "no source of facilities is given"),
        ({"terrain": {}}, "give either raster or flat_m"),
        ({"terrain": {"flat_m": 3.0, "cell_m": 0.0}}, "import.terrain.cell_m: found 0.0"),
        ({"clutter": {"classes": {"1": "open"}}}, "there is none"),
        ({"clutter": {"raster": {"file": "a.tif"}}}, "a raster takes classes"),
        ({"clutter": {"default": "opne"}}, "import.clutter.default: found 'opne'"),
        ({"roads": [{"file": "a", "columns": {"id": "x"}, "constants": {"id": "y"}}]}, "both as a column and"),
        ({"roads": [{"file": "a", "factors": {"id": 2.0}}]}, "which no column is named for"),
        ({"facilities": [{"rule": "beside", "kind": "server_room"}]}, "takes of, and not count"),
        ({"facilities": [{"file": "a", "fiel": "b"}]}, "import.facilities.0.fiel: the key is unknown"),
        ({"sites": {}}, "import.sites: the key is unknown"),
        ({"terrain": None}, "import.terrain"),
    ],
)
def test_mappings_that_cannot_be(change: dict[str, object], expected: str) -> None:
    whole: dict[str, object] = {
        "cells": {"polygons": {"file": "a.gpkg"}},
        "roads": [{"file": "a.gpkg"}],
        "facilities": [{"rule": "spread", "kind": "fibre_pop", "count": 1}],
        "terrain": {"flat_m": 3.0},
        "clutter": {},
    }
    parse_import(whole)
    with pytest.raises(RegionError) as caught:
        parse_import(whole | change)
    assert any(expected in str(fault) for fault in caught.value.faults), caught.value.faults
