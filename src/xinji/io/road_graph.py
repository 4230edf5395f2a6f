"""The road graph: from lines to nodes and edges; one connected piece, no needless node."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from xinji.core.arrays import Bools, Codes, Floats, Ints, Shapes, Strings
from xinji.core.region import Roads
from xinji.core.vocabulary import ROAD_CLASSES
from xinji.errors import Fault, RegionError
from xinji.io.road_vertices import Lines, Vertices, add_crossings, find_vertices

HIGHWAY_CLASS = {
    "motorway": "motorway",
    "trunk": "trunk",
    "primary": "primary",
    "secondary": "secondary",
    "tertiary": "tertiary",
    "motorway_link": "motorway",
    "trunk_link": "trunk",
    "primary_link": "primary",
    "secondary_link": "secondary",
    "tertiary_link": "tertiary",
    "unclassified": "local",
    "residential": "local",
    "living_street": "local",
    "road": "local",
    "service": "service",
    "track": "track",
}
"""Road class of OpenStreetMap's drivable ``highway`` values."""

NOT_DRIVABLE = frozenset(
    (
        *("footway", "cycleway", "path", "steps", "pedestrian", "bridleway", "corridor", "crossing", "ladder"),
        *("via_ferrata", "platform", "elevator", "bus_stop", "busway", "bus_guideway", "raceway", "escape"),
        *("emergency_bay", "rest_area", "services", "construction", "proposed", "planned", "abandoned", "razed"),
        *("disused", "no"),
    )
)
"""``highway`` values that are no street a trench can follow, or not built."""

_MOTORWAY = ROAD_CLASSES.index("motorway")


@dataclass(frozen=True, slots=True)
class GraphRules:
    """How lines become a graph.

    Vertices within ``snap_m`` [m] are one point; shapes may leave the true line by ``simplify_m``
    [m] (lengths are the true ones); a loop of at least ``loop_m`` [m] becomes a spur to its middle,
    a shorter one goes. ``node_crossings`` joins lines that merely cross on the same level: only for
    sources without shared vertices.
    """

    snap_m: float = 0.5
    simplify_m: float = 5.0
    loop_m: float = 200.0
    node_crossings: bool = False


@dataclass(frozen=True, slots=True)
class GraphReport:
    """Metres of road by what became of them, and the number of pieces before all but one went."""

    total_m: float
    kept_m: float
    disconnected_m: float
    loop_m: float
    parallel_m: float
    pieces: int

    @property
    def dropped_share(self) -> float:
        """Share of the lines' length that is not in the graph."""
        return 1.0 - self.kept_m / self.total_m


@dataclass(frozen=True, slots=True, eq=False)
class _Edges:
    """Edges (m): id, first and last point, length [m], class, and the coordinates of each."""

    id: Strings
    start: Ints
    end: Ints
    length_m: Floats
    road_class: Codes
    xy: tuple[Floats, ...]

    def take(self, rows: Ints) -> _Edges:
        picked = tuple(self.xy[row] for row in rows)
        ends = self.start[rows], self.end[rows]
        return _Edges(self.id[rows], *ends, self.length_m[rows], self.road_class[rows], picked)

    def total_m(self) -> float:
        return float(self.length_m.sum())


def build(lines: Lines, rules: GraphRules) -> tuple[Roads, GraphReport]:
    """Return the road graph of ``lines`` and what was left out.

    Lines meet where they share a point (see ``find_vertices``); edges run between such points,
    ends, and changes of class. Of several pieces the longest stays; of parallel edges the shortest,
    but any other before a motorway. Edge ids are the line's id and the number of the part along
    it; a joined chain carries its first part's. Raises RegionError where nothing is left.
    """
    if rules.node_crossings and len(lines):
        lines = add_crossings(lines, rules.snap_m)
    if not len(lines):
        raise RegionError([Fault("roads", "no drivable road is left", "Check the filter and the class mapping.")])
    vertices = find_vertices(lines, rules.snap_m)
    point_x, point_y = _point_coordinates(vertices)
    edges = _split(lines, vertices, point_x, point_y)
    total_m = edges.total_m()
    edges, pieces = _largest_piece(edges)
    connected_m = edges.total_m()
    edges, loop_m, parallel_m = _simplify(edges, rules.loop_m, len(point_x))
    report = GraphReport(total_m, edges.total_m(), total_m - connected_m, loop_m, parallel_m, pieces)
    if not len(edges.id):
        raise RegionError([Fault("roads", "no connected road is left", "Check that roads share their end points.")])
    return _as_roads(edges, rules.simplify_m), report


def _point_coordinates(vertices: Vertices) -> tuple[Floats, Floats]:
    """Return one position for every point: that of the first vertex there."""
    _, first = np.unique(vertices.point, return_index=True)
    return vertices.x_m[first], vertices.y_m[first]


def _split(lines: Lines, vertices: Vertices, point_x: Floats, point_y: Floats) -> _Edges:
    """Cut the lines at every point that is an end or that is passed more than once."""
    same_line = np.r_[False, vertices.line[1:] == vertices.line[:-1]]
    repeats = same_line & np.r_[False, vertices.point[1:] == vertices.point[:-1]]
    passes = np.bincount(vertices.point[~repeats], minlength=len(point_x))
    node = vertices.is_end | (passes[vertices.point] > 1)
    at = np.flatnonzero(node)
    inside = vertices.line[at[:-1]] == vertices.line[at[1:]]
    first, last = at[:-1][inside], at[1:][inside]
    xy = np.column_stack([vertices.x_m, vertices.y_m])
    step = np.r_[0.0, np.hypot(*np.diff(xy, axis=0).T)]
    along = np.cumsum(step)
    length_m = along[last] - along[first]
    solid = length_m > 0
    first, last, length_m = first[solid], last[solid], length_m[solid]
    shapes = []
    for begin, end in zip(first, last, strict=True):
        part = xy[begin : end + 1].copy()
        for tip, vertex in ((0, begin), (-1, end)):
            part[tip] = point_x[vertices.point[vertex]], point_y[vertices.point[vertex]]
        shapes.append(part)
    owner = vertices.line[first]
    ids = _part_ids(lines.id[owner])
    ends = vertices.point[first], vertices.point[last]
    return _Edges(ids, *ends, length_m, lines.road_class[owner], tuple(shapes))


def _part_ids(names: Strings) -> Strings:
    """Return a name for each part of a line: ``id-0``, ``id-1`` ... in the order given."""
    _, group = np.unique(names, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.r_[True, np.diff(group[order]) > 0]
    rank = np.empty(len(names), dtype=np.int64)
    place = np.arange(len(names))
    rank[order] = place - np.maximum.accumulate(np.where(starts, place, 0))
    return np.array([f"{name}-{number}" for name, number in zip(names, rank, strict=True)], dtype=np.str_)


def _largest_piece(edges: _Edges) -> tuple[_Edges, int]:
    """Keep the connected piece with the greatest length; return it and how many there were."""
    points = int(max(edges.start.max(), edges.end.max())) + 1
    links = coo_array((np.ones(len(edges.id), dtype=bool), (edges.start, edges.end)), shape=(points, points))
    label = connected_components(links, directed=False)[1][edges.start]
    lengths = np.bincount(label, weights=edges.length_m)
    pieces = len(np.unique(label))
    return edges.take(np.flatnonzero(label == lengths.argmax())), pieces


def _simplify(edges: _Edges, loop_m: float, points: int) -> tuple[_Edges, float, float]:
    """Drop loops and parallels and join chains until nothing changes; return metres dropped too."""
    loops = parallels = 0.0
    while True:
        before, total = len(edges.id), edges.total_m()
        edges, points = _open_loops(edges, loop_m, points)
        loops += total - edges.total_m()
        if not len(edges.id):
            return edges, loops, parallels
        total = edges.total_m()
        edges = edges.take(_shortest_of_parallels(edges))
        parallels += total - edges.total_m()
        edges = _join_chains(edges)
        if len(edges.id) in (before, 0):
            return edges, loops, parallels


def _open_loops(edges: _Edges, loop_m: float, points: int) -> tuple[_Edges, int]:
    """Turn long loops into spurs to their middle and drop short ones; return the new point count."""
    is_loop = edges.start == edges.end
    opened = np.flatnonzero(is_loop & (edges.length_m >= loop_m))
    end, length_m, xy = edges.end.copy(), edges.length_m.copy(), list(edges.xy)
    for row in opened:
        half = shapely.get_coordinates(_first_half(edges.xy[row]))
        end[row], length_m[row], xy[row] = points, length_m[row] / 2, half
        points += 1
    keep = ~is_loop
    keep[opened] = True
    return replace(edges, end=end, length_m=length_m, xy=tuple(xy)).take(np.flatnonzero(keep)), points


def _first_half(xy: Floats) -> shapely.LineString:
    at = np.r_[0.0, np.hypot(*np.diff(xy, axis=0).T).cumsum()]
    middle = at[-1] / 2
    tip = [np.interp(middle, at, xy[:, axis]) for axis in (0, 1)]
    return shapely.LineString([*xy[at < middle], tip])


def _shortest_of_parallels(edges: _Edges) -> Ints:
    """Return the edges that are the best between their two ends: no motorway, then shortest."""
    low, high = np.minimum(edges.start, edges.end), np.maximum(edges.start, edges.end)
    order = np.lexsort((np.arange(len(low)), edges.length_m, edges.road_class == _MOTORWAY, high, low))
    first = np.r_[True, (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)]
    return np.sort(order[first])


def _join_chains(edges: _Edges) -> _Edges:
    """Join edges of one class at points where nothing else meets."""
    member, chain = _chains(edges)
    if not len(member):
        return edges
    starts = np.flatnonzero(np.r_[True, np.diff(chain) > 0])
    degree = np.bincount(np.concatenate([edges.start, edges.end]))
    merged = [_joined(edges, rows, degree) for rows in np.split(member, starts[1:])]
    keep = np.ones(len(edges.id), dtype=bool)
    keep[member] = False
    joined = _Edges(
        np.array([m[0] for m in merged], dtype=np.str_),
        np.array([m[1] for m in merged], dtype=np.int64),
        np.array([m[2] for m in merged], dtype=np.int64),
        np.array([m[3] for m in merged], dtype=np.float64),
        edges.road_class[member[starts]],
        tuple(m[4] for m in merged),
    )
    return _concatenate(edges.take(np.flatnonzero(keep)), joined)


def _chains(edges: _Edges) -> tuple[Ints, Ints]:
    """Return edges that have a neighbour to join, ordered by chain, and the chain of each."""
    m = len(edges.id)
    point = np.concatenate([edges.start, edges.end])
    owner = np.tile(np.arange(m), 2)
    order = np.argsort(point, kind="stable")
    point, owner = point[order], owner[order]
    first = np.flatnonzero(np.r_[True, np.diff(point) > 0])
    pairs = first[np.diff(np.r_[first, len(point)]) == 2]
    one, two = owner[pairs], owner[pairs + 1]
    fit = (one != two) & (edges.road_class[one] == edges.road_class[two])
    links = coo_array((np.ones(int(fit.sum()), dtype=bool), (one[fit], two[fit])), shape=(m, m))
    label = connected_components(links, directed=False)[1]
    member = np.flatnonzero(np.bincount(label)[label] > 1)
    member = member[np.argsort(label[member], kind="stable")]
    return member, label[member].astype(np.int64)


def _joined(edges: _Edges, rows: Ints, degree: Ints) -> tuple[str, int, int, float, Floats]:
    """Return id, ends, length [m] and coordinates of the chain made of ``rows``."""
    at: dict[int, list[int]] = {}
    for row in rows:
        for point in (int(edges.start[row]), int(edges.end[row])):
            at.setdefault(point, []).append(int(row))
    tips = [point for point, owners in at.items() if len(owners) == 1]
    # A ring has no tip: it begins where it meets other edges, or anywhere if it stands alone.
    junctions = [point for point in at if degree[point] != 2]
    begin = here = [*tips, *junctions, int(edges.start[rows[0]])][0]
    coordinates: list[Floats] = []
    left = {int(row) for row in rows}
    while left:
        row = next(r for r in at[here] if r in left)
        left.remove(row)
        forward = edges.start[row] == here
        part = edges.xy[row] if forward else edges.xy[row][::-1]
        coordinates.append(part if not coordinates else part[1:])
        here = int(edges.end[row] if forward else edges.start[row])
    return str(edges.id[rows.min()]), begin, here, float(edges.length_m[rows].sum()), np.concatenate(coordinates)


def _concatenate(one: _Edges, two: _Edges) -> _Edges:
    return _Edges(
        np.concatenate([one.id, two.id]),
        np.concatenate([one.start, two.start]),
        np.concatenate([one.end, two.end]),
        np.concatenate([one.length_m, two.length_m]),
        np.concatenate([one.road_class, two.road_class]),
        (*one.xy, *two.xy),
    )


def _as_roads(edges: _Edges, simplify_m: float) -> Roads:
    """Return the edges, sorted by id, as roads with nodes numbered from 0 and simplified shapes."""
    edges = edges.take(np.argsort(edges.id, kind="stable"))
    shape = np.empty(len(edges.id), dtype=object)
    shape[:] = [shapely.LineString(xy) for xy in edges.xy]
    both, node = np.unique(np.concatenate([edges.start, edges.end]), return_inverse=True)
    from_node, to_node = np.split(node, 2)
    node_xy = np.empty((len(both), 2))
    node_xy[from_node] = [xy[0] for xy in edges.xy]
    node_xy[to_node] = [xy[-1] for xy in edges.xy]
    return Roads(
        node_x_m=node_xy[:, 0].copy(),
        node_y_m=node_xy[:, 1].copy(),
        id=edges.id,
        from_node=from_node.astype(np.int64),
        to_node=to_node.astype(np.int64),
        length_m=edges.length_m,
        road_class=edges.road_class,
        shape=_simplified(shape, simplify_m),
    )


def _simplified(shape: Shapes, simplify_m: float) -> Shapes:
    simple: Shapes = shapely.simplify(shape, simplify_m, preserve_topology=False)
    # A short bent edge between two points at one place may shrink to nothing: keep it as it is.
    gone: Bools = shapely.length(simple) == 0
    simple[gone] = shape[gone]
    return simple
