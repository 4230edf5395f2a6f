"""Groups of cells from a rule: land use, and the density of workers and residents round about."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from xinji.core.arrays import Bools, Codes, Floats
from xinji.core.vocabulary import GROUPS, LAND_USES
from xinji.io.config import GroupRule
from xinji.units import M2_PER_KM2

NEIGHBOURHOOD_M = 560.0
"""Radius [m] of a circle of 1 km2, the cell of the Degree of Urbanisation."""

NEVER_INDUSTRIAL = ("residential", "airport", "educational", "medical", "sport_cultural", "park_greenspace", "water")
"""A cell of such a land use stays out of an industrial cluster, however much industry is near."""


def neighbourhood_sums(x_m: Floats, y_m: Floats, values: Floats, radius_m: float) -> Floats:
    """Return the sums of ``values`` (n, k) over all cells whose centre lies within ``radius_m`` [m] (shape (n, k)).

    A radius of 0 gives the values themselves.
    """
    if radius_m == 0:
        return values.copy()
    tree = cKDTree(np.column_stack([x_m, y_m]))
    near = tree.sparse_distance_matrix(tree, radius_m, output_type="coo_matrix").tocsr()
    near.data[:] = 1.0
    near.setdiag(1.0)
    return np.asarray(near @ values, dtype=np.float64)


def classify(
    area_m2: Floats, residents: Floats, workers: Floats, industrial_area_m2: Floats, land_use: Codes, rule: GroupRule
) -> Codes:
    """Return the code of ``GROUPS`` of each cell (all shape (n,)).

    The first four are those of the cell or, for cells smaller than about 1 km2, the sums over its
    neighbourhood (``neighbourhood_sums``); ``land_use`` is the cell's own. In this order:

    * industrial cluster: the industrial share of the area and the workers per km2 both reach the
      rule's thresholds, and the cell's own land use is none of ``NEVER_INDUSTRIAL``;
    * urban (economically developed): residents or workers per km2, whichever are more, reach
      ``residents_per_km2_urban_min``: people count where they are by night or by day;
    * town: likewise ``residents_per_km2_town_min``;
    * rural: all others.

    The thresholds of urban and town default to those of the Degree of Urbanisation, 1,500 and 300
    residents per km2 of a 1 km2 cell (United Nations Statistical Commission, 51st session, 2020,
    item 3(j)); its minimum populations of contiguous clusters are not asked, since a region's edge
    cuts clusters. Those of industry are assumptions.
    """
    area_km2 = np.maximum(area_m2 / M2_PER_KM2, np.finfo(np.float64).tiny)
    per_km2 = np.maximum(residents, workers) / area_km2
    industrial: Bools = industrial_area_m2 >= rule.industrial_area_share_min * area_m2
    industrial &= workers >= rule.workers_per_km2_min * area_km2
    industrial &= industrial_area_m2 > 0
    industrial &= ~np.isin(land_use, [LAND_USES.index(name) for name in NEVER_INDUSTRIAL])
    urban = per_km2 >= rule.residents_per_km2_urban_min
    town = per_km2 >= rule.residents_per_km2_town_min
    codes = np.select([industrial, urban, town], [0, 1, 2], default=GROUPS.index("rural"))
    return codes.astype(np.uint8)
