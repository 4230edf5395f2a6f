"""What each link carries up to the points of presence: as routed, and after the worst single cut."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.errors import Fault, InputError
from xinji.plan.backhaul.critical import search
from xinji.plan.backhaul.network import Network, Rooted, check_rows, rooted
from xinji.plan.jit import compiled


@dataclass(frozen=True, slots=True, eq=False)
class Loads:
    """What the links (m) of a network carry [Mbit/s].

    ``load_mbps`` as all demand takes the cheapest way; ``worst_mbps`` the most after the cut of any one link,
    all demand that still reaches a root rerouted the cheapest way (equal to the load where no cut makes it
    more). ``over`` are the links whose worst load exceeds ``fill`` of their capacity; ``needed_mbps`` (m,) is the
    least of the offered capacities, in one or several systems, that carries it. ``unserved_mbps`` reaches no root.
    """

    load_mbps: Floats
    worst_mbps: Floats
    over: Bools
    needed_mbps: Floats
    unserved_mbps: float


def link_loads(
    network: Network,
    demand_mbps: Floats,
    capacity_mbps: Floats,
    ladder_mbps: Floats,
    *,
    fill: float,
    protected: bool = False,
) -> Loads:
    """Return the loads of ``network`` under ``demand_mbps`` (n,), against ``capacity_mbps`` (m,).

    ``ladder_mbps`` (l,) are the capacities that systems come with, ``fill`` (0 to 1) the share of a capacity
    that may be planned with. ``protected`` asks for the worst cut: on a ring, each link must then carry what
    comes the other way round. Without it the worst load is the load.

    Raises InputError where demand or capacity do not fit the network, or the ladder is empty.
    """
    check_rows("demand", "demand_mbps", demand_mbps, (network.node_count,))
    check_rows("links", "capacity_mbps", capacity_mbps, (len(network.cost),))
    if not (len(ladder_mbps) and (ladder_mbps > 0).all() and 0 < fill <= 1):
        raise InputError([Fault("capacities", "none is above 0, or fill is not a share", "Give Mbit/s and 0 to 1.")])
    graph = rooted(network)
    cost = np.concatenate([network.cost, np.zeros(len(np.unique(network.roots)))])
    barred = np.zeros(len(cost), dtype=bool)
    load, unserved = _routed(graph, cost, demand_mbps, barred)
    worst = load
    if protected:
        tree = search(graph, network.node_count)
        bridge = np.zeros(len(cost), dtype=bool)
        bridge[tree.parent_edge[tree.bridge]] = True
        cuts = np.flatnonzero((load > 0) & ~bridge)
        worst = _worst(graph, cost, demand_mbps, load, cuts[cuts < len(network.cost)])
    load, worst = load[: len(network.cost)], worst[: len(network.cost)]
    over = worst > fill * capacity_mbps * (1 + 1e-12)
    return Loads(load, worst, over, needed(worst / fill, ladder_mbps), float(unserved))


def needed(load_mbps: Floats, ladder_mbps: Floats) -> Floats:
    """Return the least capacity (m,) [Mbit/s] that carries each load: a step of the ladder, or several of the top."""
    steps = np.sort(ladder_mbps)
    place = np.searchsorted(steps, load_mbps * (1 - 1e-12))
    several = np.ceil(load_mbps / steps[-1] * (1 - 1e-12)) * steps[-1]
    found = np.where(place < len(steps), steps[np.minimum(place, len(steps) - 1)], several)
    return np.where(load_mbps > 0, found, 0.0)


@compiled
def _routed(graph: Rooted, cost: Floats, demand: Floats, barred: Bools) -> tuple[Floats, float]:
    """Return what each edge carries when all goes the cheapest way to the core, and what cannot."""
    nodes = len(graph.start) - 1
    core = nodes - 1
    distance = np.full(nodes, np.inf)
    via, back = np.full(nodes, -1, np.int64), np.full(nodes, -1, np.int64)
    order, count = np.empty(nodes, np.int64), 0
    distance[core] = 0.0
    heap = [(0.0, core)]
    while len(heap) > 0:
        away, node = heapq.heappop(heap)
        if away > distance[node]:
            continue
        order[count] = node
        count += 1
        for place in range(graph.start[node], graph.start[node + 1]):
            edge, other = graph.edge[place], graph.neighbour[place]
            if not barred[edge] and distance[node] + cost[edge] < distance[other]:
                distance[other] = distance[node] + cost[edge]
                via[other], back[other] = edge, node
                heapq.heappush(heap, (distance[other], other))
    load, carried = np.zeros(len(cost)), np.zeros(nodes)
    unserved = 0.0
    for node in range(core):
        carried[node] = demand[node]
        if distance[node] == np.inf:
            unserved += demand[node]
    for place in range(count - 1, 0, -1):
        node = order[place]
        load[via[node]] += carried[node]
        carried[back[node]] += carried[node]
    return load, unserved


@compiled
def _worst(graph: Rooted, cost: Floats, demand: Floats, load: Floats, cuts: Ints) -> Floats:
    """Return the most that each edge carries, as routed or after any of the ``cuts``."""
    worst = load.copy()
    barred = np.zeros(len(cost), np.bool_)
    for cut in cuts:
        barred[cut] = True
        after, _ = _routed(graph, cost, demand, barred)
        barred[cut] = False
        worst = np.maximum(worst, after)
    return worst


__all__ = ["Loads", "link_loads", "needed"]
