"""The road graph against small drawings and against shortest paths over every segment."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra

from xinji.core.region import Roads
from xinji.core.vocabulary import ROAD_CLASSES
from xinji.errors import RegionError
from xinji.io.road_graph import HIGHWAY_CLASS, NOT_DRIVABLE, GraphReport, GraphRules, build
from xinji.io.road_vertices import Lines

LOCAL, MOTORWAY, PRIMARY = (ROAD_CLASSES.index(name) for name in ("local", "motorway", "primary"))
EXACT = GraphRules(simplify_m=0.0)


def lines(
    *paths: Sequence[tuple[float, float]],
    classes: list[int] | None = None,
    levels: list[int] | None = None,
    ids: list[str] | None = None,
    keys: list[int] | None = None,
) -> Lines:
    shape = np.empty(len(paths), dtype=object)
    shape[:] = [shapely.LineString(path) for path in paths]
    return Lines(
        np.array(ids or [f"w{i}" for i in range(len(paths))]),
        shape,
        np.array(classes or [LOCAL] * len(paths), dtype=np.uint8),
        np.array(levels or [0] * len(paths), dtype=np.int64),
        np.array(keys or [], dtype=np.int64),
    )


def graph(roads: Roads) -> coo_array:
    n = len(roads.node_x_m)
    return coo_array((roads.length_m, (roads.from_node, roads.to_node)), shape=(n, n))


def test_lines_meet_at_a_shared_vertex() -> None:
    roads, report = build(lines([(0, 0), (100, 0), (200, 0)], [(100, 0), (100, 80)]), EXACT)
    assert len(roads) == 3
    assert len(roads.node_x_m) == 4
    assert report == GraphReport(280.0, 280.0, 0.0, 0.0, 0.0, 1)
    assert sorted(roads.id) == ["w0-0", "w0-1", "w1-0"]


def test_a_mere_crossing_does_not_join_unless_asked() -> None:
    cross = lines([(0, 0), (200, 0)], [(100, -50), (100, 70)])
    roads, report = build(cross, EXACT)
    assert (len(roads), report.pieces, report.disconnected_m) == (1, 2, 120.0)
    roads, report = build(cross, GraphRules(simplify_m=0.0, node_crossings=True))
    assert (len(roads), report.pieces, report.kept_m) == (4, 1, 320.0)


def test_a_crossing_on_another_level_never_joins() -> None:
    cross = lines([(0, 0), (200, 0)], [(100, -50), (100, 70)], levels=[0, 1])
    assert build(cross, GraphRules(node_crossings=True))[1].pieces == 2


def test_an_end_that_touches_a_line_joins_when_asked() -> None:
    touch = lines([(0, 0), (200, 0)], [(100, 0.3), (100, 70)])
    assert build(touch, EXACT)[1].pieces == 2
    roads, report = build(touch, GraphRules(simplify_m=0.0, node_crossings=True))
    assert (len(roads), report.pieces) == (3, 1)


@pytest.mark.parametrize(("gap_m", "pieces"), [(0.4, 1), (0.6, 2)])
def test_vertices_within_half_a_metre_are_one(gap_m: float, pieces: int) -> None:
    assert build(lines([(0, 0), (100, 0)], [(100 + gap_m, 0), (300, 0)]), EXACT)[1].pieces == pieces


def test_a_bridge_joins_its_ramps_and_not_the_road_below() -> None:
    ramp, bridge, ramp2 = [(0, 0), (50, 0)], [(50, 0), (100, 0), (150, 0)], [(150, 0), (200, 0)]
    below = [(100, -500), (100, 0), (100, 90)]
    _, report = build(lines(ramp, bridge, ramp2, below, levels=[0, 1, 0, 0]), EXACT)
    assert report.pieces == 2
    assert report.kept_m == 590.0
    assert build(lines(ramp, bridge, ramp2, below), EXACT)[1].pieces == 1


def test_node_numbers_decide_where_there_are_any() -> None:
    one, two = [(0, 0), (100, 0), (200, 0)], [(100, 0), (100, 80)]
    assert build(lines(one, two, keys=[1, 2, 3, 2, 4]), EXACT)[1].pieces == 1
    assert build(lines(one, two, keys=[1, 2, 3, 5, 4]), EXACT)[1].pieces == 2


def test_chains_of_one_class_become_one_edge() -> None:
    roads, _ = build(lines([(0, 0), (100, 0)], [(200, 0), (100, 0)], [(200, 0), (300, 0)]), EXACT)
    assert len(roads) == 1
    assert roads.length_m[0] == 300.0
    assert roads.id[0] == "w0-0"
    roads, _ = build(lines([(0, 0), (100, 0)], [(100, 0), (200, 0)], classes=[LOCAL, PRIMARY]), EXACT)
    assert len(roads) == 2


def test_a_short_loop_goes_and_a_long_one_becomes_a_spur() -> None:
    stem = [(0, 0), (100, 0)]
    small = [(100, 0), (110, 0), (110, 10), (100, 0)]
    roads, report = build(lines(stem, small), EXACT)
    assert (len(roads), round(report.loop_m, 6)) == (1, round(20 + np.hypot(10, 10), 6))
    big = [(100, 0), (200, 0), (200, 100), (100, 100), (100, 0)]
    roads, report = build(lines(stem, big), EXACT)
    assert report.loop_m == 200.0
    assert roads.length_m.sum() == 300.0


def test_a_ring_of_several_lines_stays_joined_to_its_stem() -> None:
    # The ring's first line does not begin at the stem.
    ring = [[(200, 0), (200, 100)], [(200, 100), (100, 100)], [(100, 100), (100, 0)], [(100, 0), (200, 0)]]
    roads, _ = build(lines(*ring, [(0, 0), (100, 0)]), EXACT)
    assert connected_components(graph(roads), directed=False)[0] == 1
    assert roads.length_m.sum() == 300.0


def test_of_parallels_the_shortest_stays_but_any_other_before_a_motorway() -> None:
    stems = [[(-50, 0), (0, 0)], [(0, 0), (0, -40)], [(100, 0), (150, 0)], [(100, 0), (100, -40)]]
    short, long = [(0, 0), (100, 0)], [(0, 0), (50, 60), (100, 0)]
    roads, report = build(lines(*stems, short, long), EXACT)
    assert len(roads) == 5
    assert report.parallel_m == pytest.approx(2 * np.hypot(50, 60))
    roads, report = build(lines(*stems, short, long, classes=[LOCAL] * 4 + [MOTORWAY, LOCAL]), EXACT)
    assert report.parallel_m == 100.0
    assert MOTORWAY not in roads.road_class


def test_shapes_are_simplified_and_lengths_are_not() -> None:
    wave = [(10.0 * i, 2.0 * (i % 2)) for i in range(21)]
    roads, _ = build(lines(wave), GraphRules(simplify_m=5.0))
    assert shapely.get_num_coordinates(roads.shape[0]) == 2
    assert roads.length_m[0] == pytest.approx(20 * np.hypot(10, 2))


def test_nothing_left_is_told() -> None:
    with pytest.raises(RegionError, match="no drivable road"):
        build(lines(), GraphRules())


def test_faulty_lines_are_told_together() -> None:
    shape = np.array([shapely.Point(0, 0), shapely.LineString([(0, 0), (1, 1)])], dtype=object)
    level = np.zeros(2, dtype=np.int64)
    with pytest.raises(RegionError) as caught:
        Lines(np.array(["a", "b"]), shape, np.array([200, 0], dtype=np.uint8), level, np.zeros(9, dtype=np.int64))
    assert len(caught.value.faults) == 3


def test_highway_values_are_either_a_class_or_left_out() -> None:
    assert not set(HIGHWAY_CLASS) & NOT_DRIVABLE
    assert set(HIGHWAY_CLASS.values()) == set(ROAD_CLASSES)


@st.composite
def walks(draw: st.DrawFn) -> list[list[tuple[float, float]]]:
    """Draw lines that run along a lattice of 100 m, so that they share vertices again and again."""
    paths = []
    for _ in range(draw(st.integers(2, 12))):
        x, y = draw(st.integers(0, 5)), draw(st.integers(0, 5))
        path = [(x, y)]
        for dx, dy in draw(st.lists(st.sampled_from([(1, 0), (0, 1), (-1, 0), (0, -1)]), min_size=1, max_size=6)):
            x, y = x + dx, y + dy
            path.append((x, y))
        paths.append([(100.0 * a, 100.0 * b) for a, b in path])
    return paths


def segment_distances(paths: list[list[tuple[float, float]]], nodes: list[tuple[float, float]]) -> np.ndarray:
    """Return shortest distances between ``nodes`` over every single segment of ``paths``."""
    points = sorted({point for path in paths for point in path})
    at = {point: i for i, point in enumerate(points)}
    pairs = {(at[a], at[b]) for path in paths for a, b in pairwise(path)}
    rows, columns = np.array(sorted(pairs)).T
    matrix = coo_array((np.full(len(rows), 100.0), (rows, columns)), shape=(len(points), len(points)))
    chosen = [at[node] for node in nodes]
    return dijkstra(matrix.tocsr(), directed=False, indices=chosen)[:, chosen]


@settings(max_examples=60, deadline=None)
@given(walks())
def test_distances_between_nodes_are_those_over_all_segments(paths: list[list[tuple[float, float]]]) -> None:
    # No loop is long enough to be opened, so that each node is a point of the drawing.
    try:
        roads, report = build(lines(*paths), GraphRules(simplify_m=0.0, loop_m=1e9))
    except RegionError:
        reject()  # nothing but a loop
    assert connected_components(graph(roads), directed=False)[0] == 1
    assert (roads.from_node != roads.to_node).all()
    ends = np.sort(np.column_stack([roads.from_node, roads.to_node]), axis=1)
    assert len(np.unique(ends, axis=0)) == len(ends)
    degree = np.bincount(ends.ravel())
    assert (degree != 2).all()
    assert report.kept_m == pytest.approx(roads.length_m.sum())
    total = report.kept_m + report.disconnected_m + report.loop_m + report.parallel_m
    assert total == pytest.approx(report.total_m)
    nodes = list(zip(roads.node_x_m.tolist(), roads.node_y_m.tolist(), strict=True))
    found = dijkstra(graph(roads).tocsr(), directed=False)
    np.testing.assert_allclose(found, segment_distances(paths, nodes))


@settings(max_examples=30, deadline=None)
@given(walks(), st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_nothing(paths: list[list[tuple[float, float]]], random: object) -> None:
    # A snake over the whole lattice joins all of them: of several pieces either may be the longest.
    snake = [(100.0 * x, 100.0 * y) for x in range(-6, 12) for y in (range(-6, 12) if x % 2 else range(11, -7, -1))]
    paths = [*paths, snake]
    order = list(range(len(paths)))
    random.shuffle(order)  # type: ignore[attr-defined]
    one, _ = build(lines(*paths), EXACT)
    two, _ = build(lines(*(paths[i] for i in order), ids=[f"w{i}" for i in order]), EXACT)
    assert one.length_m.sum() == pytest.approx(two.length_m.sum())
    assert len(one.node_x_m) == len(two.node_x_m)
