"""Trench or microwave for the sites of a plan: hops with a line of sight, and the cheapest choice between the two."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from xinji.core.arrays import AnyArray, Bools, Floats, Ints
from xinji.core.offer import EXISTING
from xinji.core.study import Study
from xinji.core.vocabulary import RESOURCES, TECHNOLOGIES
from xinji.plan.backhaul.links import Backhaul, Hops, choose_links
from xinji.plan.backhaul.network import Network
from xinji.plan.radio.area.surface import surface_of
from xinji.plan.radio.candidates import propose
from xinji.plan.radio.microwave import (
    EQUIPMENT,
    Masts,
    availability,
    clear_sights,
    read_equipment,
    read_rules,
    sights,
)
from xinji.units import CENTS_PER_UNIT
from xinji.workflow.planned_network import PlannedNetwork, joined_nodes, used_edges

RADIO, EDGE = TECHNOLOGIES[0], TECHNOLOGIES[2]

_ROUNDS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """The planned sites (s) that ask for backhaul, and the points of presence.

    ``option``, trench ``node``, ``stage`` and ``demand_mbps`` (what the planned carriers can move at once) of
    each site; ``masts`` holds the antennas of the sites and then of the ``roots`` (r,), which are nodes.
    """

    option: Ints
    node: Ints
    stage: Ints
    demand_mbps: Floats
    roots: Ints
    masts: Masts


@dataclass(frozen=True, slots=True, eq=False)
class PlannedHops:
    """Hops (h) between trench nodes: equipment (position in ``EQUIPMENT``), length, stage in which both ends stand."""

    sites: Sites
    hops: Hops
    kind: Ints
    distance_m: Floats
    stage: Ints


@dataclass(frozen=True, slots=True, eq=False)
class BackhaulChoice:
    """The cheapest trenches and hops for the sites, beside trenches alone [currency over the planned years].

    ``free`` (b,) are built trenches that the rest of the plan needs in any case; ``feed`` (s,) is the hop that feeds
    each site's node, -1 where a trench does; ``ready`` (s,) the stage from which its whole way stands. The
    ``bound`` holds whatever the order of building.
    """

    planned: PlannedHops
    free: Bools
    backhaul: Backhaul
    feed: Ints
    ready: Ints
    bound: float
    trenches_alone: float


def microwave_hops(study: Study) -> PlannedHops:
    """Return the microwave hops between the planned sites of ``study``, and from them to points of presence.

    A hop has its first Fresnel zone clear of terrain and clutter at the sites' antenna heights; rain and multipath
    decide its availability. Costs are capex and opex of the years that the plan still has when the later end stands.
    """
    parameters, years = study.region.parameters, study.problem.stages
    rules = read_rules(parameters, study.region.latitude_deg)
    found = _sites(study, rules.root_height_m)
    kinds = [read_equipment(parameters, kind) for kind in EQUIPMENT]
    pairs = _pairs(found, max(kind.longest_m for kind in kinds))
    seen = sights(surface_of(study.region), found.masts, pairs[:, 0], pairs[:, 1], rules.earth_factor)
    node = np.concatenate([found.node, found.roots])
    stage = np.concatenate([found.stage, np.ones(len(found.roots), dtype=np.int64)])
    parts: list[tuple[AnyArray, ...]] = []
    for number, kind in enumerate(kinds):
        chosen = np.flatnonzero(clear_sights(seen, kind, rules))
        share = availability(seen, chosen, kind, rules)
        ends = (seen.first[chosen], seen.second[chosen])
        later = np.maximum(stage[ends[0]], stage[ends[1]])
        in_use = years + 1 - later
        capacity = np.full(len(chosen), kind.capacity_mbps)
        cost, code = kind.cost + kind.opex * in_use, np.full(len(chosen), number)
        parts.append((node[ends[0]], node[ends[1]], cost, capacity, share, code, seen.distance_m[chosen], later))
    joined = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    return PlannedHops(found, Hops(*joined[:5]), *joined[5:])


def choose_backhaul(found: PlannedNetwork, *, seconds: float = 60.0, seed: int = 0) -> BackhaulChoice:
    """Return how the sites of a plan are best joined: by the trenches that it digs, or by microwave.

    Trenches that cells, edge nodes or the like need cost nothing more; the others cost their capex, and their opex of
    the years that are left. Hops by which a site would wait for others that come later are barred, one after the
    other. Raises InfeasibleError where no choice carries all sites' traffic.
    """
    study, case = found.study, found.case
    problem, trench = study.problem, found.trench
    planned = microwave_hops(study)
    free = _free(found)
    in_use = problem.stages + 1 - np.maximum(study.plan.trench_stage[trench], 1)
    money = (problem.trench_capex[trench] + problem.trench_opex[trench] * in_use) / CENTS_PER_UNIT
    cost = np.where(free | (study.plan.trench_stage[trench] == EXISTING), 0.0, money)
    demand = np.zeros(case.node_count)
    np.add.at(demand, planned.sites.node, planned.sites.demand_mbps)
    network = Network(case.node_count, case.from_node, case.to_node, cost, planned.sites.roots)
    limit = read_rules(study.region.parameters, study.region.latitude_deg).availability
    none = replace(planned.hops, availability=np.zeros(len(planned.hops.cost)))
    alone = choose_links(network, none, demand, availability=1.0, seconds=seconds, seed=seed)
    hops, stage = planned.hops, study.plan.trench_stage[trench]
    chosen = choose_links(network, hops, demand, availability=limit, seconds=seconds, seed=seed)
    bound = chosen.bound
    for _ in range(_ROUNDS):
        barred = _barred(planned, chosen, _ready(planned, network, chosen, stage))
        if not barred.any():
            break
        hops = replace(hops, availability=np.where(barred, 0.0, hops.availability))
        chosen = choose_links(network, hops, demand, availability=limit, seconds=seconds, seed=seed)
    ready = _ready(planned, network, chosen, stage)[planned.sites.node]
    feed = _feeds(planned, chosen)[planned.sites.node]
    return BackhaulChoice(planned, free, chosen, feed, ready, min(bound, chosen.value), alone.value)


def _ready(planned: PlannedHops, network: Network, backhaul: Backhaul, trench_stage: Ints) -> Ints:
    """Return the stage from which the whole way of each node stands (n,); 0 where it needs nothing."""
    parent, feed = backhaul.parent, _feeds(planned, backhaul)
    link_stage = np.zeros(len(parent), dtype=np.int64)
    for link in backhaul.links.tolist():
        ends = int(network.from_node[link]), int(network.to_node[link])
        for child, above in (ends, ends[::-1]):
            if parent[child] == above and feed[child] < 0:
                link_stage[child] = trench_stage[link]
    hopped = np.flatnonzero(feed >= 0)
    link_stage[hopped] = planned.stage[feed[hopped]]
    ready = np.zeros(len(parent), dtype=np.int64)
    order = _from_roots(parent)
    for node in order.tolist():
        above = parent[node]
        if above >= 0 and above != node:
            ready[node] = max(link_stage[node], ready[above])
    return ready


def _from_roots(parent: Ints) -> Ints:
    """Return all nodes, each after its parent."""
    here = np.arange(len(parent))
    depth = np.zeros(len(parent), dtype=np.int64)
    above = np.where(parent >= 0, parent, here)
    while (above != here).any():
        depth += above != here
        here, above = above, np.where(parent[above] >= 0, parent[above], above)
    order: Ints = np.argsort(depth, kind="stable")
    return order


def _barred(planned: PlannedHops, backhaul: Backhaul, ready: Ints) -> Bools:
    """Return the hops (h,) to bar, since a site waits for what lies beyond them."""
    hops, sites, parent = planned.hops, planned.sites, backhaul.parent
    feed = _feeds(planned, backhaul)
    barred = np.zeros(len(hops.cost), dtype=bool)
    for site in np.flatnonzero(ready[sites.node] > sites.stage).tolist():
        node, stage = int(sites.node[site]), int(sites.stage[site])
        while parent[node] != node and not (feed[node] >= 0 and ready[node] > stage):
            node = int(parent[node])
        if parent[node] == node:
            continue
        # Whatever this node would reach by a hop too late, it would reach too late again.
        ends = ((hops.from_node, hops.to_node), (hops.to_node, hops.from_node))
        for mine, other in ends:
            barred |= (mine == node) & ((ready[other] > stage) | (planned.stage > stage))
    return barred


def _sites(study: Study, root_height_m: float) -> Sites:
    """Return the planned sites that are joined by fibre, with the antennas of the candidates that they were."""
    problem, plan, trenches = study.problem, study.plan, study.trenches
    offers = [offer.technology for offer in study.offers]
    radio = np.array(offers)[study.option_offer] == RADIO
    option = np.flatnonzero(radio & (plan.stage > EXISTING) & (problem.node >= 0))
    carrier = np.flatnonzero(radio & (plan.stage >= EXISTING) & (problem.host >= 0))
    moved = np.zeros(len(problem.node))
    np.add.at(moved, problem.host[carrier], problem.capacity[carrier, RESOURCES.index("down_mbps")])
    candidates = propose(study.region)
    place = {str(name): row for row, name in enumerate(candidates.id)}
    row = np.array([place[str(name)] for name in problem.option_id[option]], dtype=np.int64)
    existing = problem.node[(plan.stage == EXISTING) & (problem.node >= 0)]
    roots = np.union1d(trenches.roots, existing)
    masts = Masts(
        np.concatenate([candidates.x_m[row], trenches.node_x_m[roots]]),
        np.concatenate([candidates.y_m[row], trenches.node_y_m[roots]]),
        np.concatenate([candidates.height_m[row], np.full(len(roots), root_height_m)]),
    )
    return Sites(option, problem.node[option], plan.stage[option], moved[option], roots, masts)


def _pairs(found: Sites, longest_m: float) -> Ints:
    """Return the pairs (p, 2) of masts no farther apart than ``longest_m``, at different nodes, not both roots."""
    tree = cKDTree(np.column_stack([found.masts.x_m, found.masts.y_m]))
    pairs = tree.query_pairs(longest_m, output_type="ndarray").astype(np.int64).reshape(-1, 2)
    node = np.concatenate([found.node, found.roots])
    fine = (node[pairs[:, 0]] != node[pairs[:, 1]]) & (pairs[:, 0] < len(found.node))
    kept: Ints = pairs[fine]
    return kept[np.lexsort((kept[:, 1], kept[:, 0]))]


def _free(found: PlannedNetwork) -> Bools:
    """Return the built trenches (b,) that cells or edge nodes need."""
    nodes = joined_nodes(found.study, EDGE)
    count = len(nodes)
    ones = np.ones(count, dtype=np.int64)
    alone = replace(
        found.case, premises_node=nodes, premises_lines=ones, premises_stage=ones, premises_tail_m=np.zeros(count)
    )
    free: Bools = (found.design.edge_stage > 0) | used_edges(alone)
    return free


def _feeds(planned: PlannedHops, backhaul: Backhaul) -> Ints:
    """Return the hop that feeds each node (n,), -1 where none does."""
    feed = np.full(len(backhaul.parent), -1, dtype=np.int64)
    hops = planned.hops
    for hop in backhaul.hops.tolist():
        ends = int(hops.from_node[hop]), int(hops.to_node[hop])
        for child, parent in (ends, ends[::-1]):
            if backhaul.parent[child] == parent:
                feed[child] = hop
    return feed


__all__ = ["BackhaulChoice", "PlannedHops", "Sites", "choose_backhaul", "microwave_hops"]
