"""How far a passive optical network reaches from its point of presence (ITU-T G.9807.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from xinji.core.arrays import Floats, Ints
from xinji.core.offer import Trenches
from xinji.core.parameters import Parameters
from xinji.core.region import Cells
from xinji.units import METRES_PER_KM


@dataclass(frozen=True, slots=True)
class LossBudget:
    """What an optical path may lose, and what it loses before the first metre of fibre.

    ``class_db`` is the optical path loss class, ``split`` the number of lines on a port,
    ``per_doubling_db`` the loss of each 1:2 stage, ``connector_db`` that of all connectors and
    splices, ``margin_db`` what is kept for ageing and repair; ``attenuation_db_per_km`` the fibre's;
    ``longest_m`` the distance class.
    """

    class_db: float
    split: float
    per_doubling_db: float
    connector_db: float
    margin_db: float
    attenuation_db_per_km: float
    longest_m: float


def loss_budget(parameters: Parameters) -> LossBudget:
    """Return the loss budget that ``parameters`` describe."""
    return LossBudget(
        class_db=parameters.value("fibre.pon.budget", "dB"),
        split=parameters.value("fibre.pon.split", "1"),
        per_doubling_db=parameters.value("fibre.pon.split_loss", "dB"),
        connector_db=parameters.value("fibre.pon.connector_loss", "dB"),
        margin_db=parameters.value("fibre.pon.margin", "dB"),
        attenuation_db_per_km=parameters.value("fibre.pon.attenuation", "dB/km"),
        longest_m=parameters.value("fibre.pon.distance_max", "m"),
    )


def path_loss_db(length_m: Floats, budget: LossBudget) -> Floats:
    """Return the loss [dB] of paths with one splitter, margin included (length_m: shape (n,)).

    The sum that ITU-T G.9807.1 holds against the optical path loss class.
    """
    fixed_db = budget.per_doubling_db * np.log2(budget.split) + budget.connector_db + budget.margin_db
    return np.asarray(fixed_db + budget.attenuation_db_per_km * length_m / METRES_PER_KM, dtype=np.float64)


def reach_m(budget: LossBudget) -> float:
    """Return the longest path [m] that the loss budget and the distance class both allow; at least 0."""
    left_db = budget.class_db - float(path_loss_db(np.zeros(1), budget)[0])
    return max(0.0, min(budget.longest_m, left_db / budget.attenuation_db_per_km * METRES_PER_KM))


def root_distance_m(trenches: Trenches) -> Floats:
    """Return the length of fibre [m] from each node to its nearest root; infinite where none is joined.

    Of two trenches between the same nodes the shorter counts.
    """
    n = len(trenches.node_x_m)
    low = np.minimum(trenches.from_node, trenches.to_node)
    high = np.maximum(trenches.from_node, trenches.to_node)
    by_length = np.argsort(trenches.length_m, kind="stable")
    _, place = np.unique((low * n + high)[by_length], return_index=True)
    first = by_length[place]
    graph = csr_array((trenches.length_m[first], (low[first], high[first])), shape=(n, n))
    distance: Floats = dijkstra(graph, directed=False, indices=trenches.roots, min_only=True)
    return distance


def farthest_premises_m(cells: Cells, trenches: Trenches) -> tuple[Floats, Ints]:
    """Return the fibre length [m] from each cell's farthest premises to a root, and the cell's node.

    Each shape (cells,): the way along trenches, the straight lateral to the cell's centre, and half
    the diagonal of a square of the cell's area.
    """
    tree = cKDTree(np.column_stack([trenches.node_x_m, trenches.node_y_m]))
    lateral_m, node = tree.query(np.column_stack([cells.x_m, cells.y_m]))
    within_m = np.sqrt(cells.area_m2 / 2)
    total_m = np.asarray(root_distance_m(trenches)[node] + lateral_m + within_m, dtype=np.float64)
    return total_m, np.asarray(node, dtype=np.int64)


__all__ = ["LossBudget", "farthest_premises_m", "loss_budget", "path_loss_db", "reach_m", "root_distance_m"]
