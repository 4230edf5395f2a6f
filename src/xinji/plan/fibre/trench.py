"""The trench graph: every road, what it costs to dig or string along it, and where fibre starts."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from xinji.core.arrays import Bools, Codes, Floats, Ints, row_faults
from xinji.core.offer import FREE, Trenches
from xinji.core.parameters import Parameters
from xinji.core.region import Region
from xinji.core.vocabulary import GROUPS, ROAD_CLASSES
from xinji.errors import OfferError, raise_if

METHODS = ("open_trench", "duct_in_footway", "micro_trench", "aerial")
"""How a trench is built; each has its price per metre, ``fibre.trench.<method>``."""

_BUILT_UP = {
    "motorway": "open_trench",
    "trunk": "open_trench",
    "primary": "open_trench",
    "secondary": "duct_in_footway",
    "tertiary": "duct_in_footway",
    "local": "micro_trench",
    "service": "micro_trench",
    "track": "aerial",
}
_POLES_WHERE_RURAL = ("tertiary", "local", "service", "track")


def trenches(region: Region) -> Trenches:
    """Return the whole road graph as a trench graph, with the points of presence as roots.

    An edge keeps the ends of its road, is named ``T-<road id>``, and is as long as the fibre in it:
    the road's length times ``fibre.length_expansion``. Its capex [currency] is that length times
    the price of its method, on motorways times ``fibre.motorway_factor``; its opex [currency/year]
    is ``fibre.opex_share`` of the capex. Nothing is dug yet: region folders hold no ducts.

    Raises OfferError if there is no point of presence, or one is farther than
    ``fibre.pop_distance_max`` from every road node.
    """
    roads, parameters = region.roads, region.parameters
    chosen = methods(roads.road_class, rural_roads(region))
    length_m = roads.length_m * parameters.value("fibre.length_expansion", "1")
    motorway = roads.road_class == ROAD_CLASSES.index("motorway")
    capex = length_m * price_per_m(chosen, motorway, parameters)
    lateral = parameters.value("fibre.lateral", "currency/m")
    opex_share = parameters.value("fibre.opex_share", "share/year")
    names = np.array(METHODS, dtype=np.str_)[chosen]
    return Trenches(
        node_x_m=roads.node_x_m.copy(),
        node_y_m=roads.node_y_m.copy(),
        id=np.array([f"T-{road}" for road in roads.id], dtype=np.str_),
        from_node=roads.from_node.copy(),
        to_node=roads.to_node.copy(),
        length_m=length_m,
        capex=capex,
        opex=capex * opex_share,
        built=np.full(len(roads), FREE, dtype=np.int64),
        road=np.arange(len(roads), dtype=np.int64),
        method=names,
        payer="operator",
        roots=roots(region),
        lateral_capex_per_m=lateral,
        lateral_opex_per_m=lateral * opex_share,
    )


def rural_roads(region: Region) -> Bools:
    """Return whether the cell nearest to each road's middle is rural (shape (m,)).

    The middle is that of the straight line between the road's ends.
    """
    roads, cells = region.roads, region.cells
    x_m = (roads.node_x_m[roads.from_node] + roads.node_x_m[roads.to_node]) / 2
    y_m = (roads.node_y_m[roads.from_node] + roads.node_y_m[roads.to_node]) / 2
    _, cell = cKDTree(np.column_stack([cells.x_m, cells.y_m])).query(np.column_stack([x_m, y_m]))
    rural: Bools = cells.group[cell] == GROUPS.index("rural")
    return rural


def methods(road_class: Codes, rural: Bools) -> Ints:
    """Return the position in ``METHODS`` for each road (road_class, rural: shape (m,)).

    Main roads get ducts under the carriageway, secondary ones under the footway, local streets a
    micro-trench; tracks, and in rural land every lesser road, get poles.
    """
    built_up = np.array([METHODS.index(_BUILT_UP[name]) for name in ROAD_CLASSES], dtype=np.int64)
    poles = np.array([name in _POLES_WHERE_RURAL for name in ROAD_CLASSES])
    return np.where(rural & poles[road_class], METHODS.index("aerial"), built_up[road_class])


def price_per_m(chosen: Ints, motorway: Bools, parameters: Parameters) -> Floats:
    """Return the price [currency/m] of each edge (chosen: positions in ``METHODS``; shape (m,))."""
    prices = np.array([parameters.value(f"fibre.trench.{name}", "currency/m") for name in METHODS])
    factor = parameters.value("fibre.motorway_factor", "1")
    return np.asarray(prices[chosen] * np.where(motorway, factor, 1.0), dtype=np.float64)


def roots(region: Region) -> Ints:
    """Return the road nodes next to the points of presence, rising and each once.

    Raises OfferError naming every point of presence that is too far from the roads; that there is
    none at all is the trench graph's own fault to tell.
    """
    roads, facilities = region.roads, region.facilities
    pops = facilities.of_kind("fibre_pop")
    if not len(pops):
        return pops
    tree = cKDTree(np.column_stack([roads.node_x_m, roads.node_y_m]))
    distance_m, node = tree.query(np.column_stack([facilities.x_m[pops], facilities.y_m[pops]]))
    limit_m = region.parameters.value("fibre.pop_distance_max", "m")
    far = np.zeros(len(facilities), dtype=bool)
    far[pops] = distance_m > limit_m
    message = f"the point of presence is farther than {limit_m:g} m from every road node"
    remedy = "Check its position, add the missing road, or raise fibre.pop_distance_max."
    raise_if(row_faults("facilities", far, message, remedy), OfferError)
    return np.unique(node).astype(np.int64)


__all__ = ["METHODS", "methods", "price_per_m", "roots", "rural_roads", "trenches"]
