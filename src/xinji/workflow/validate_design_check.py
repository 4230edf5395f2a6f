"""Answers of the design engines worked out again from the instance alone, with plain array arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from xinji.core.arrays import Bools, Floats, Ints
from xinji.io.instances_covering import CoverLists
from xinji.io.instances_facility import FacilityInstance, MedianInstance
from xinji.io.instances_graph import PrizeInstance, SteinerInstance

SHARE = 1e-6
"""Relative error that a capacity or a served share may have."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What an answer is worth when worked out again, and what is wrong with it."""

    value: float
    faults: tuple[str, ...]


def check_tree(instance: SteinerInstance, edges: Ints) -> Checked:
    """Return what ``edges`` (positions) cost; faults where they do not join all terminals or one is none."""
    wrong = list(_places("edge", edges, len(instance.cost)))
    if wrong:
        return Checked(np.inf, tuple(wrong))
    label = _parts(instance, edges)
    apart = len(np.unique(label[instance.terminals]))
    if apart > 1:
        wrong.append(f"the terminals lie in {apart} parts that no edge joins")
    return Checked(float(instance.cost[edges].sum()), tuple(wrong))


def check_prize_tree(instance: PrizeInstance, edges: Ints, nodes: Ints) -> Checked:
    """Return the cost of ``edges`` and of the prizes outside ``nodes``; faults where they are no tree on them."""
    wrong = [*_places("edge", edges, len(instance.cost)), *_places("node", nodes, instance.node_count)]
    if wrong:
        return Checked(np.inf, tuple(wrong))
    inside = np.zeros(instance.node_count, dtype=bool)
    inside[nodes] = True
    ends = np.concatenate([instance.from_node[edges], instance.to_node[edges]])
    if not inside[ends].all():
        wrong.append(f"edges end at {len(np.unique(ends[~inside[ends]]))} nodes that the tree does not name")
    apart = len(np.unique(_parts(instance, edges)[nodes]))
    if apart > 1:
        wrong.append(f"the tree lies in {apart} parts")
    if instance.root >= 0 and not inside[instance.root]:
        wrong.append(f"the root, node {instance.root + 1}, is outside the tree")
    return Checked(float(instance.cost[edges].sum() + instance.prize[~inside].sum()), tuple(wrong))


def check_sites(instance: FacilityInstance, opened: Bools, share: Floats) -> Checked:
    """Return what opening ``opened`` (m,) and serving ``share`` (n, m) of customers costs, capacities kept."""
    shape = instance.cost.shape
    if opened.shape != shape[1:] or share.shape != shape:
        return Checked(np.inf, (f"shapes are {opened.shape} and {share.shape}, expected {shape[1:]} and {shape}",))
    wrong = list(_service_faults(instance, opened, share))
    return Checked(float(instance.opening[opened].sum() + (instance.cost * share)[share > 0].sum()), tuple(wrong))


def _service_faults(instance: FacilityInstance, opened: Bools, share: Floats) -> Iterator[str]:
    if not (share >= -SHARE).all():
        yield "a customer is served less than nothing, or by no number"
    served = share.sum(axis=1)
    short = int((~(np.abs(served - 1.0) <= SHARE)).sum())
    if short:
        yield f"{short} customers are not served exactly once"
    closed = int((share[:, ~opened] > SHARE).any(axis=0).sum())
    if closed:
        yield f"{closed} closed sites serve customers"
    load = instance.demand @ share
    over = int((load > instance.capacity * (1.0 + SHARE) + SHARE).sum())
    if over:
        yield f"{over} sites serve more than their capacity"


def check_medians(instance: MedianInstance, sites: Ints) -> Checked:
    """Return the total distance to the nearest of ``sites``; faults where there are more than may open."""
    wrong = list(_places("site", sites, instance.distance.shape[1]))
    if wrong or not len(sites):
        return Checked(np.inf, tuple(wrong) or ("no site is open",))
    if len(sites) > instance.sites:
        wrong.append(f"{len(sites)} sites are open, {instance.sites} may be")
    return Checked(float(instance.distance[:, sites].min(axis=1).sum()), tuple(wrong))


def check_cover(lists: CoverLists, sites: Ints) -> Checked:
    """Return the weight that ``sites`` cover; faults where there are more than may open."""
    wrong = list(_places("site", sites, lists.sites))
    if wrong:
        return Checked(-np.inf, tuple(wrong))
    if len(sites) > lists.count:
        wrong.append(f"{len(sites)} sites are open, {lists.count} may be")
    chosen = np.zeros(lists.sites, dtype=np.int64)
    chosen[sites] = 1
    passed = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(chosen[lists.site])])
    covered = passed[lists.start[1:]] > passed[lists.start[:-1]]
    return Checked(float(lists.weight[covered].sum()), tuple(wrong))


def _places(what: str, places: Ints, count: int) -> Iterator[str]:
    if places.ndim != 1 or places.dtype.kind not in "iu":
        yield f"the {what}s are no list of whole numbers"
    elif len(places) and (places.min() < 0 or places.max() >= count):
        yield f"a {what} is none of the {count:,}"
    elif len(np.unique(places)) < len(places):
        yield f"a {what} stands twice"


def _parts(instance: SteinerInstance | PrizeInstance, edges: Ints) -> Ints:
    ends = (instance.from_node[edges], instance.to_node[edges])
    graph = csr_array((np.ones(len(edges)), ends), shape=(instance.node_count,) * 2)
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
