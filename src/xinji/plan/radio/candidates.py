"""Where a radio site may stand: existing ones, roofs, and places beside the road."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.spatial import cKDTree

from xinji.core.arrays import Bools, Codes, Floats, Ints, Shapes, Strings, freeze
from xinji.core.region import Region
from xinji.core.vocabulary import GROUPS

KINDS = ("existing", "roof", "roadside")

ROOF_PLACES = ((0.0, 0.0), (0.25, 0.25), (-0.25, -0.25), (0.25, -0.25), (-0.25, 0.25))
"""Where a roof is looked for in a cell, in its sides from the centre; the first that is free is taken."""

Allowed = Callable[[Floats, Floats], Bools]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Places for a site (s): id, kind (code of ``KINDS``), position, antenna height, group.

    ``facility`` is the position of the existing facility, or -1; ``group`` (code of ``GROUPS``) is
    that of the nearest demand cell. Ids are stable: S- and the facility, R- and the cell, N- and
    the road with the end it stands at.
    """

    id: Strings
    kind: Codes
    x_m: Floats
    y_m: Floats
    height_m: Floats
    group: Codes
    facility: Ints

    def __post_init__(self) -> None:
        freeze(self.id, self.kind, self.x_m, self.y_m, self.height_m, self.group, self.facility)

    def __len__(self) -> int:
        return len(self.id)


def propose(region: Region) -> Candidates:
    """Return the candidate sites of a region: existing first, then roofs, then roadsides.

    Roofs are taken from the cell with most people down; roadside places likewise, by the people of
    the nearest cell. Each keeps the spacing of its group to every site taken before. None stands
    in water, in a no-build zone or outside the boundary; existing ones stay where they are.
    """
    spacing = _by_group(region, "radio.candidate.spacing", "m")
    cell_tree = cKDTree(np.column_stack([region.cells.x_m, region.cells.y_m]))
    known = region.facilities.of_kind("radio_site")
    taken = _Spaced(region.facilities.x_m[known], region.facilities.y_m[known])
    existing = _existing(region, known, cell_tree)
    allowed = _allowed(region)
    roofs = _pick(_roofs(region, allowed), spacing, taken)
    roadsides = _pick(_roadsides(region, allowed, cell_tree), spacing, taken)
    parts = (existing, roofs, roadsides)
    names = Candidates.__dataclass_fields__
    return Candidates(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def buildable(region: Region, x_m: Floats, y_m: Floats) -> Bools:
    """Return whether a site may be built at each point [m] (shape (n,)).

    True inside the boundary, outside no-build zones and water.
    """
    return _allowed(region)(x_m, y_m)


class _Spaced:
    """Points taken so far, in buckets, so that a spacing is checked against near ones only."""

    def __init__(self, x_m: Floats, y_m: Floats) -> None:
        self._bucket_m = 1_000.0
        self._buckets: dict[tuple[int, int], list[tuple[float, float]]] = {}
        for x, y in zip(x_m.tolist(), y_m.tolist(), strict=True):
            self.add(x, y)

    def add(self, x_m: float, y_m: float) -> None:
        """Take a point."""
        self._buckets.setdefault(self._place(x_m, y_m), []).append((x_m, y_m))

    def is_free(self, x_m: float, y_m: float, spacing_m: float) -> bool:
        """Return whether no point taken lies nearer than the spacing."""
        column, row = self._place(x_m, y_m)
        reach = int(spacing_m // self._bucket_m) + 1
        near = (
            point
            for i in range(column - reach, column + reach + 1)
            for j in range(row - reach, row + reach + 1)
            for point in self._buckets.get((i, j), ())
        )
        return all((x - x_m) ** 2 + (y - y_m) ** 2 >= spacing_m**2 for x, y in near)

    def _place(self, x_m: float, y_m: float) -> tuple[int, int]:
        return int(x_m // self._bucket_m), int(y_m // self._bucket_m)


def _by_group(region: Region, key: str, unit: str) -> Floats:
    return np.array([region.parameters.value(f"{key}.{group}", unit) for group in GROUPS])


def _allowed(region: Region) -> Allowed:
    boundary: Shapes = np.array([region.boundary], dtype=np.object_)
    # Prepared geometry makes the many point tests below fast; it leaves the shapes as they are.
    shapely.prepare(boundary)
    barred = shapely.STRtree(np.concatenate([region.no_build, region.water]))

    def allowed(x_m: Floats, y_m: Floats) -> Bools:
        fine: Bools = shapely.contains_xy(boundary, x_m, y_m)
        blocked, _ = barred.query(shapely.points(x_m, y_m), predicate="intersects")
        fine[blocked] = False
        return fine

    return allowed


def _existing(region: Region, rows: Ints, cell_tree: cKDTree) -> Candidates:
    facilities = region.facilities
    x_m, y_m = facilities.x_m[rows], facilities.y_m[rows]
    group = region.cells.group[_nearest(cell_tree, x_m, y_m)]
    ids = np.array([f"S-{name}" for name in facilities.id[rows]], dtype=np.str_)
    return _candidates("existing", ids, (x_m, y_m), facilities.height_m[rows], group, rows)


def _roofs(region: Region, allowed: Allowed) -> Candidates:
    cells = region.cells
    people = cells.residents + cells.workers
    enough = people >= region.parameters.value("radio.candidate.people_min", "people")
    rows = np.flatnonzero(enough & (cells.group != GROUPS.index("rural")))
    rows = rows[np.lexsort((cells.id[rows], -people[rows]))]
    east, north = np.array(ROOF_PLACES).T
    side = np.sqrt(cells.area_m2[rows])[:, None]
    x_m = (cells.x_m[rows][:, None] + east * side).ravel()
    y_m = (cells.y_m[rows][:, None] + north * side).ravel()
    rows, fine = np.repeat(rows, len(ROOF_PLACES)), allowed(x_m, y_m)
    rows, x_m, y_m = rows[fine], x_m[fine], y_m[fine]
    ids = np.array([f"R-{name}" for name in cells.id[rows]], dtype=np.str_)
    group = cells.group[rows]
    height = _by_group(region, "radio.height.roof", "m")[group]
    return _candidates("roof", ids, (x_m, y_m), height, group, np.full(len(rows), -1))


def _roadsides(region: Region, allowed: Allowed, cell_tree: cKDTree) -> Candidates:
    roads, cells = region.roads, region.cells
    node_id = _node_ids(region)
    cell = _nearest(cell_tree, roads.node_x_m, roads.node_y_m)
    near = np.hypot(roads.node_x_m - cells.x_m[cell], roads.node_y_m - cells.y_m[cell]) <= np.sqrt(cells.area_m2[cell])
    people = cells.residents + cells.workers
    fine = near & (node_id != "") & allowed(roads.node_x_m, roads.node_y_m)
    rows = np.flatnonzero(fine)
    rows = rows[np.lexsort((node_id[rows], -people[cell[rows]]))]
    group = cells.group[cell[rows]]
    height = _by_group(region, "radio.height.tower", "m")[group]
    ids = np.array([f"N-{name}" for name in node_id[rows]], dtype=np.str_)
    return _candidates(
        "roadside", ids, (roads.node_x_m[rows], roads.node_y_m[rows]), height, group, np.full(len(rows), -1)
    )


def _node_ids(region: Region) -> Strings:
    """Return a stable name for each node: the first road, by id, that ends there, and which end."""
    roads = region.roads
    name = np.array([""] * len(roads.node_x_m), dtype=object)
    for row in np.argsort(roads.id, kind="stable")[::-1]:
        name[roads.to_node[row]] = f"{roads.id[row]}-b"
        name[roads.from_node[row]] = f"{roads.id[row]}-a"
    return name.astype(np.str_)


def _pick(pool: Candidates, spacing_m: Floats, taken: _Spaced) -> Candidates:
    """Return those of ``pool`` that keep their group's spacing, in its order, one for each id; they are taken then."""
    kept, used = [], set()
    rows = zip(pool.id.tolist(), pool.x_m.tolist(), pool.y_m.tolist(), pool.group.tolist(), strict=True)
    for row, (name, x, y, group) in enumerate(rows):
        if name not in used and taken.is_free(x, y, float(spacing_m[group])):
            taken.add(x, y)
            used.add(name)
            kept.append(row)
    chosen = np.array(kept, dtype=np.int64)
    return Candidates(**{name: getattr(pool, name)[chosen] for name in Candidates.__dataclass_fields__})


def _candidates(
    kind: str, ids: Strings, place_m: tuple[Floats, Floats], height_m: Floats, group: Codes, facility: Ints
) -> Candidates:
    return Candidates(
        id=ids,
        kind=np.full(len(ids), KINDS.index(kind), dtype=np.uint8),
        x_m=place_m[0],
        y_m=place_m[1],
        height_m=height_m,
        group=group,
        facility=facility.astype(np.int64),
    )


def _nearest(cell_tree: cKDTree, x_m: Floats, y_m: Floats) -> Ints:
    _, cell = cell_tree.query(np.column_stack([x_m, y_m]))
    return np.asarray(cell, dtype=np.int64)
