"""Trench or microwave, site by site: the cheapest tree of both that carries every site's demand to the core.

A trench carries anything, a hop its capacity; hops whose availability falls short of what is asked are left
out. Each site has one way. The bound is that of the tree without capacities (dual ascent), or of HiGHS over
the model with flows, once reduced costs have thinned it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints, freeze, row_faults, shape_faults
from xinji.errors import Fault, InfeasibleError, raise_if
from xinji.plan.backhaul.grow import Task, Tree, empty_tree, fed_all, regrown, tree_cost
from xinji.plan.backhaul.network import Network, check_nodes, rooted
from xinji.plan.design.model import AT_LEAST, AT_MOST, EQUAL, Columns, Model, Rows, make_rows, stack
from xinji.plan.design.proof import Clock
from xinji.plan.design.solver import maximise
from xinji.plan.design.steiner.ascent import Ascent, Digraph, arc_bounds, ascend, digraph

ASCENT, FLOWS = "dual ascent without capacities", "flows with capacities, searched by HiGHS"
"""What proves ``Backhaul.bound``."""

_ORDERS = 8
_TRIALS = 10
_ROUNDS = 2_000
_MOST_ARCS = 6_000
_SLACK = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Hops:
    """Microwave hops (h) that could be built, each usable in both directions.

    ``capacity_mbps`` with the modulation planned, ``cost`` of both ends, ``availability`` [share of the year].
    """

    from_node: Ints
    to_node: Ints
    cost: Floats
    capacity_mbps: Floats
    availability: Floats

    def __post_init__(self) -> None:
        raise_if(self._faults())
        freeze(self.from_node, self.to_node, self.cost, self.capacity_mbps, self.availability)

    def _faults(self) -> Iterator[Fault]:
        h = (len(self.from_node),)
        names = ("to_node", "cost", "capacity_mbps", "availability")
        wrong = list(shape_faults("hops", [(name, getattr(self, name), h) for name in names]))
        yield from wrong
        if wrong:
            return
        for name in ("cost", "capacity_mbps"):
            values = getattr(self, name)
            bad = ~(np.isfinite(values) & (values >= 0))
            yield from row_faults("hops", bad, f"{name} is negative or missing", "Give a number of at least 0.")
        bad = ~((self.availability >= 0) & (self.availability <= 1))
        yield from row_faults("hops", bad, "availability is not a share", "Give 0 to 1.")


@dataclass(frozen=True, slots=True, eq=False)
class Backhaul:
    """The chosen trenches (``links``) and ``hops`` (positions), and how each node is fed.

    ``parent`` (n,) leads towards the core (the node itself at a point of presence, -1 where not fed),
    ``hop_load_mbps`` (h,) is what the hops carry. ``value`` is the cost; no tree of the same links and
    hops costs less than ``bound``, as ``proof`` says.
    """

    links: Ints
    hops: Ints
    parent: Ints
    hop_load_mbps: Floats
    value: float
    bound: float
    proof: str


class _Case(NamedTuple):
    """The task, its arcs (both ways of each edge without the core's own, then from the core), and the sites."""

    task: Task
    graph: Digraph
    arc_edge: Ints
    arc_cost: Floats
    core: int
    sites: Ints


def choose_links(
    network: Network,
    hops: Hops,
    demand_mbps: Floats,
    *,
    availability: float,
    seconds: float = 30.0,
    seed: int = 0,
) -> Backhaul:
    """Return the cheapest trenches and hops found that carry ``demand_mbps`` (n,) of all nodes to the roots.

    Nodes without demand need no way. The ``network``'s links are trenches; hops below ``availability`` are
    not used. The search ends after ``seconds`` of processor time.

    Raises InputError for hops or demands that do not fit, InfeasibleError where no tree was found that
    carries all demand.
    """
    raise_if(shape_faults("demand", [("demand_mbps", demand_mbps, (network.node_count,))]))
    bad = ~(np.isfinite(demand_mbps) & (demand_mbps >= 0))
    raise_if(row_faults("demand", bad, "demand_mbps is negative or missing", "Give Mbit/s of at least 0."))
    for ends in (hops.from_node, hops.to_node):
        check_nodes("hops", ends, network)
    clock = Clock(seconds)
    usable = np.flatnonzero(hops.availability >= availability)
    case = _case(network, hops, usable, demand_mbps)
    tree = _searched(case, clock, seed)
    ascent = ascend(case.graph, case.arc_cost, case.core, case.sites)
    value = tree_cost(case.task, tree)
    bound, proof = min(ascent.bound, value), ASCENT
    if bound < value * (1 - _SLACK) and clock.left:
        tree, flows = _branched(case, ascent, tree, clock)
        value = tree_cost(case.task, tree)
        proof = FLOWS if flows > bound else proof
        bound = min(max(bound, flows), value)
    return _backhaul(network, hops, usable, tree, (value, bound, proof))


def _case(network: Network, hops: Hops, usable: Ints, demand_mbps: Floats) -> _Case:
    """Return links and ``usable`` hops as one task."""
    n, m = network.node_count, len(network.cost)
    from_node = np.concatenate([network.from_node, hops.from_node[usable]])
    to_node = np.concatenate([network.to_node, hops.to_node[usable]])
    cost = np.concatenate([network.cost, hops.cost[usable]])
    graph = rooted(Network(n, from_node, to_node, cost, network.roots))
    roots = np.unique(network.roots)
    capacity = np.concatenate([np.full(m, np.inf), hops.capacity_mbps[usable], np.full(len(roots), np.inf)])
    task = Task(graph, np.concatenate([cost, np.zeros(len(roots))]), capacity, np.append(demand_mbps, 0.0))
    tail = np.concatenate([from_node, to_node, np.full(len(roots), n)])
    head = np.concatenate([to_node, from_node, roots])
    edge = np.concatenate([np.arange(len(cost)), np.arange(len(cost)), len(cost) + np.arange(len(roots))])
    sites = np.flatnonzero(demand_mbps > 0)
    least = demand_mbps[sites].min(initial=np.inf)
    # What cannot carry the site it leads to, or any site, is no arc; nor is a way back into a root.
    fine = (capacity[edge] >= np.maximum(task.demand[head], least) - _SLACK) & (tail != head)
    fine &= ~np.isin(head, roots) | (tail == n)
    kept = np.flatnonzero(fine)
    arcs = digraph(n + 1, tail[kept], head[kept])
    return _Case(task, arcs, edge[kept].astype(np.int64), task.cost[edge[kept]], n, sites)


def _searched(case: _Case, clock: Clock, seed: int) -> Tree:
    """Return the cheapest tree of several orders of feeding, each regrown in parts."""
    rng = np.random.default_rng(seed)
    best: Tree | None = None
    for turn in range(_ORDERS):
        tree = _first(case, turn, rng)
        if tree is None:
            continue
        if len(case.sites):
            tree = regrown(case.task, tree, case.sites, _ROUNDS // _ORDERS, seed + turn)
        if best is None or tree_cost(case.task, tree) < tree_cost(case.task, best):
            best = tree
        if not clock.left:
            break
    if best is None:
        message = "No way was found to carry every site's demand to a point of presence"
        raise InfeasibleError(f"{message}. Add trenches, or hops of more capacity or availability.")
    return best


def _first(case: _Case, turn: int, rng: np.random.Generator) -> Tree | None:
    """Return a tree that feeds all sites, if one is found: by trenches alone in turn 0, else in some order.

    Whom a full hop leaves without a way comes first in the next trial.
    """
    demand, task = case.task.demand, case.task
    if turn == 0:
        trenches = task._replace(capacity=np.where(np.isfinite(task.capacity), -1.0, task.capacity))
        tree = empty_tree(trenches)
        return tree if fed_all(trenches, tree, case.sites) else None
    # Big sites find room most seldom.
    order = case.sites[np.argsort(-demand[case.sites], kind="stable")] if turn == 1 else rng.permutation(case.sites)
    for _ in range(_TRIALS):
        tree = empty_tree(task)
        if fed_all(task, tree, order):
            return tree
        left = ~tree.fed[order]
        order = np.concatenate([order[left], order[~left]])
    return None


def _branched(case: _Case, ascent: Ascent, tree: Tree, clock: Clock) -> tuple[Tree, float]:
    """Return the best tree and bound of a search over the arcs that reduced costs leave."""
    value = tree_cost(case.task, tree)
    least = ascent.bound + arc_bounds(case.graph, ascent.reduced, case.core, case.sites)
    used = np.zeros(len(case.arc_edge), dtype=bool)
    way = (case.graph.head, case.graph.tail)
    used[(tree.via[way[0]] == case.arc_edge) & (tree.parent[way[0]] == way[1])] = True
    kept = np.flatnonzero((least < value * (1 - _SLACK)) | used)
    if len(kept) > _MOST_ARCS:
        return tree, 0.0
    model = _flow_model(case, kept)
    start = _values(case, kept, tree)
    answer = maximise(model, seconds=clock.left, start=start)
    # Trees with an arc left out cost at least as much as the tree at hand.
    bound = min(-answer.bound, value)
    if len(answer.values):
        found = _read(case, kept, answer.values[: len(kept)] > 0.5)
        if tree_cost(case.task, found) < value:
            tree = found
    return tree, bound


def _values(case: _Case, kept: Ints, tree: Tree) -> Floats:
    """Return ``tree`` as the values of the model over the arcs ``kept`` (k,)."""
    head, tail = case.graph.head[kept], case.graph.tail[kept]
    edge = case.arc_edge[kept]
    used = (tree.via[head] == edge) & (tree.parent[head] == tail)
    return np.concatenate([used.astype(np.float64), np.where(used, tree.load[edge], 0.0)])


def _flow_model(case: _Case, kept: Ints) -> Model:
    """Return the model of arcs ``kept`` (k,): used or not, and the flow on each (columns k on)."""
    k, total = len(kept), float(case.task.demand.sum())
    tail, head, edge = case.graph.tail[kept], case.graph.head[kept], case.arc_edge[kept]
    room = np.minimum(case.task.capacity[edge], total)
    number = np.arange(k)
    names = [f"use_{arc}" for arc in kept.tolist()] + [f"flow_{arc}" for arc in kept.tolist()]
    columns = Columns(
        name=np.array(names, dtype=np.str_),
        cost=np.concatenate([-case.arc_cost[kept], np.zeros(k)]),
        lower=np.zeros(2 * k),
        upper=np.concatenate([np.ones(k), room]),
        integer=np.concatenate([np.ones(k, dtype=bool), np.zeros(k, dtype=bool)]),
    )
    inner = np.flatnonzero(np.isin(np.arange(case.core), np.concatenate([tail, head])))
    place = np.full(case.core + 1, -1, dtype=np.int64)
    place[inner] = np.arange(len(inner))
    into, out = place[head] >= 0, place[tail] >= 0
    one, minus = np.ones(k), -np.ones(k)
    flow = [(place[head][into], number[into] + k, one[into]), (place[tail][out], number[out] + k, minus[out])]
    site = case.task.demand[inner] > 0
    fed = [(place[head][into], number[into], one[into])]
    arrive = make_rows([f"fed_{node}" for node in inner], fed, AT_MOST, np.ones(len(inner)))
    must = make_rows([f"site_{node}" for node in inner], fed, AT_LEAST, site.astype(np.float64))
    onward = [(number, number, one), *_feeders(tail, head, place)]
    parts: list[Rows] = [
        make_rows([f"balance_{node}" for node in inner], flow, EQUAL, case.task.demand[inner]),
        arrive,
        must,
        make_rows(
            [f"room_{arc}" for arc in kept], [(number, number + k, one), (number, number, -room)], AT_MOST, np.zeros(k)
        ),
        make_rows([f"onward_{arc}" for arc in kept], onward, AT_MOST, (tail == case.core).astype(np.float64)),
        make_rows(
            [f"carries_{arc}" for arc in kept],
            [(number, number + k, one), (number, number, -case.task.demand[head])],
            AT_LEAST,
            np.zeros(k),
        ),
    ]
    return Model(columns, stack(parts))


def _feeders(tail: Ints, head: Ints, place: Ints) -> list[tuple[Ints, Ints, Floats]]:
    """Return, for each arc from a node, the arcs into that node but its own opposite, with -1."""
    order = np.argsort(head, kind="stable")
    first, last = np.searchsorted(head[order], tail, side="left"), np.searchsorted(head[order], tail, side="right")
    count = np.where(place[tail] >= 0, last - first, 0)
    row = np.repeat(np.arange(len(tail)), count)
    within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    column = order[np.repeat(first, count) + within]
    fine = tail[column] != head[row]
    return [(row[fine], column[fine], np.full(int(fine.sum()), -1.0))]


def _read(case: _Case, kept: Ints, used: Bools) -> Tree:
    """Return the tree of the ``used`` (k,) of the ``kept`` arcs, with its loads."""
    tree = empty_tree(case.task)
    arcs = kept[used]
    head = case.graph.head[arcs]
    tree.parent[head], tree.via[head], tree.inside[head] = case.graph.tail[arcs], case.arc_edge[arcs], True
    fed_all(case.task, tree, case.sites)
    return tree


def _backhaul(network: Network, hops: Hops, usable: Ints, tree: Tree, proved: tuple[float, float, str]) -> Backhaul:
    """Return ``tree`` in the caller's terms."""
    n, m = network.node_count, len(network.cost)
    parent, via = tree.parent[:n].copy(), tree.via[:n]
    own = parent == n
    parent[own] = np.flatnonzero(own)
    chosen = np.unique(via[via >= 0])
    hop = usable[chosen[(chosen >= m) & (chosen < m + len(usable))] - m]
    load = np.zeros(len(hops.cost))
    load[usable] = tree.load[m : m + len(usable)]
    return Backhaul(chosen[chosen < m], hop, parent, load, *proved)


__all__ = ["ASCENT", "FLOWS", "Backhaul", "Hops", "choose_links"]
