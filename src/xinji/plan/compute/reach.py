"""Which aggregation rooms are near enough to which cells, along the trench graph."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from xinji.core.arrays import Floats, Ints
from xinji.core.offer import Trenches


def distance_m(trenches: Trenches, room_xy_m: Floats, cell_xy_m: Floats) -> Floats:
    """Return the fibre length [m] from each room to each cell (room_xy_m (k, 2), cell_xy_m (n, 2); shape (k, n)).

    Measured between the graph nodes nearest to each; infinite where no road joins them. Of two
    trenches between the same nodes the shorter counts.
    """
    tree = cKDTree(np.column_stack([trenches.node_x_m, trenches.node_y_m]))
    _, room_node = tree.query(room_xy_m)
    _, cell_node = tree.query(cell_xy_m)
    n = len(trenches.node_x_m)
    low = np.minimum(trenches.from_node, trenches.to_node)
    high = np.maximum(trenches.from_node, trenches.to_node)
    by_length = np.argsort(trenches.length_m, kind="stable")
    _, place = np.unique((low * n + high)[by_length], return_index=True)
    first = by_length[place]
    graph = csr_array((trenches.length_m[first], (low[first], high[first])), shape=(n, n))
    between: Floats = dijkstra(graph, directed=False, indices=np.asarray(room_node, dtype=np.int64))
    return between[:, cell_node]


def nearest_rooms(distances_m: Floats, limit_m: float, most: int) -> tuple[Ints, Ints]:
    """Return pairs of cell and room: each cell's nearest rooms within ``limit_m``, at most ``most``.

    ``distances_m`` has shape (rooms, cells). Pairs are sorted by cell, then by distance; equal
    distances keep the order of the rooms.
    """
    order = np.argsort(distances_m, axis=0, kind="stable")[:most]
    near = np.take_along_axis(distances_m, order, axis=0) <= limit_m
    near &= np.isfinite(np.take_along_axis(distances_m, order, axis=0))
    cell, rank = np.nonzero(near.T)
    return cell.astype(np.int64), order[rank, cell].astype(np.int64)


__all__ = ["distance_m", "nearest_rooms"]
