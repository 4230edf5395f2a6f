"""Which vertices of road lines are one point: by coordinates, by node number, by level."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from xinji.core.arrays import (
    Bools,
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
from xinji.core.vocabulary import ROAD_CLASSES
from xinji.errors import Fault, RegionError, raise_if


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Drivable road lines (n): id, shapely LineString [m], class code of ``ROAD_CLASSES``, level.

    ``level`` is the height order of a line where it crosses others (0 on the ground, 1 on a
    bridge, -1 in a tunnel). ``vertex_key`` gives the surveyor's own number of every vertex (for
    OpenStreetMap the node id), line after line; empty where the source has none. Ids may repeat
    (a way that was cut into pieces).
    """

    id: Strings
    shape: Shapes
    road_class: Codes
    level: Ints
    vertex_key: Ints

    def __post_init__(self) -> None:
        raise_if(self._faults(), RegionError)
        freeze(self.id, self.road_class, self.level, self.vertex_key)

    def __len__(self) -> int:
        return len(self.id)

    def _faults(self) -> Iterator[Fault]:
        n = (len(self.id),)
        wrong = list(shape_faults("roads", [(k, getattr(self, k), n) for k in ("shape", "road_class", "level")]))
        yield from wrong
        if wrong:
            return
        yield from row_faults("roads", self.road_class >= len(ROAD_CLASSES), "unknown class", "See the region format.")
        bad = (shapely.get_type_id(self.shape) != 1) | shapely.is_empty(self.shape)
        yield from row_faults("roads", bad, "the shape is no line", "Give LineStrings; split multi-part lines.")
        vertices = int(shapely.get_num_coordinates(self.shape).sum())
        if len(self.vertex_key) not in (0, vertices):
            message = f"{len(self.vertex_key)} vertex numbers for {vertices} vertices"
            yield Fault("roads", message, "Give the node number of every vertex, or none at all.")


@dataclass(frozen=True, slots=True, eq=False)
class Vertices:
    """All vertices (v) of lines, one line after the other.

    ``line`` is the position of the line; ``point`` the number of the place, equal for vertices that
    are one point; ``x_m`` and ``y_m`` the vertex itself; ``is_end`` true at both ends of a line.
    """

    line: Ints
    point: Ints
    x_m: Floats
    y_m: Floats
    is_end: Bools


def find_vertices(lines: Lines, snap_m: float) -> Vertices:
    """Return the vertices of ``lines`` and which of them are one point.

    Vertices are one point if they carry the same node number or, where there are no numbers, if
    they lie within ``snap_m`` [m] on the same level. A line's end that meets nothing on its own
    level joins what lies there on the others: so a bridge joins its ramps, but not the road below.
    """
    xy, line = shapely.get_coordinates(lines.shape, return_index=True)
    is_end = np.ones(len(line), dtype=bool)
    is_end[1:-1] = (line[1:-1] != line[:-2]) | (line[1:-1] != line[2:])
    if len(lines.vertex_key):
        point = np.unique(lines.vertex_key, return_inverse=True)[1]
    else:
        place = _places(xy, snap_m)
        point = _split_levels(place, lines.level[line], is_end)
    return Vertices(line.astype(np.int64), point.astype(np.int64), xy[:, 0], xy[:, 1], is_end)


def _places(xy: Floats, snap_m: float) -> Ints:
    """Return the place of each vertex (v, 2) [m]; within ``snap_m`` is the same place."""
    exact, place = np.unique(xy, axis=0, return_inverse=True)
    pairs = cKDTree(exact).query_pairs(snap_m, output_type="ndarray")
    return _join(len(exact), pairs[:, 0], pairs[:, 1])[place.ravel()]


def _join(count: int, first: Ints, second: Ints) -> Ints:
    """Return the component number of each of ``count`` items, where first[i] is joined to second[i]."""
    links = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(count, count))
    return connected_components(links, directed=False)[1].astype(np.int64)


def _split_levels(place: Ints, level: Ints, is_end: Bools) -> Ints:
    """Split places by level, save where a line's end meets nothing on its own level (all shape (v,))."""
    keys, group = np.unique(np.column_stack([place, level]), axis=0, return_inverse=True)
    group = group.ravel()
    members = np.bincount(group, minlength=len(keys))
    lonely_end = (members == 1) & (np.bincount(group, weights=is_end, minlength=len(keys)) == 1)
    place_of_group = keys[:, 0]
    has_lonely = np.zeros(int(place.max()) + 1, dtype=bool)
    has_lonely[place_of_group[lonely_end]] = True
    first_of_place = np.searchsorted(place_of_group, np.arange(len(has_lonely)))
    joined = np.flatnonzero(has_lonely[place_of_group])
    return _join(len(keys), joined, first_of_place[place_of_group[joined]])[group]


def add_crossings(lines: Lines, snap_m: float) -> Lines:
    """Return the lines with a vertex wherever two of the same level cross or touch.

    For sources that were drawn without shared vertices. Vertex numbers are given up.
    """
    first, second = shapely.STRtree(lines.shape).query(lines.shape, predicate="dwithin", distance=snap_m)
    wanted = (first < second) & (lines.level[first] == lines.level[second])
    first, second = first[wanted], second[wanted]
    crossing, pair = shapely.get_parts(shapely.intersection(lines.shape[first], lines.shape[second]), return_index=True)
    found = [(crossing, first[pair]), (crossing, second[pair])]
    for one, other in ((first, second), (second, first)):
        for end in (0, -1):
            tip = shapely.get_point(lines.shape[one], end)
            near = shapely.dwithin(tip, lines.shape[other], snap_m)
            found.append((tip[near], other[near]))
    points = np.concatenate([points for points, _ in found])
    owner = np.concatenate([owner for _, owner in found])
    is_point = shapely.get_type_id(points) == 0
    shape = _with_points(lines.shape, points[is_point], owner[is_point], snap_m)
    return Lines(lines.id, shape, lines.road_class, lines.level, np.zeros(0, dtype=np.int64))


def _with_points(shape: Shapes, points: Shapes, owner: Ints, snap_m: float) -> Shapes:
    """Insert ``points`` into the lines ``owner`` where these have no vertex within ``snap_m`` yet."""
    result = shape.copy()
    along = shapely.line_locate_point(shape[owner], points)
    order = np.lexsort((along, owner))
    starts = np.flatnonzero(np.r_[True, np.diff(owner[order]) > 0]) if len(order) else order
    for rows in np.split(order, starts[1:]):
        if not len(rows):
            continue
        xy = shapely.get_coordinates(shape[owner[rows[0]]])
        at = np.r_[0.0, np.hypot(*np.diff(xy, axis=0).T).cumsum()]
        free = np.abs(at[:, None] - along[rows]).min(axis=0) > snap_m
        new = rows[free & ~duplicate_rows(along[rows])]
        both = np.concatenate([xy, shapely.get_coordinates(points[new])])
        result[owner[rows[0]]] = shapely.LineString(both[np.argsort(np.r_[at, along[new]], kind="stable")])
    return result
