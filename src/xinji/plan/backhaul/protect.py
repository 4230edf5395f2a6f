"""The cheapest links that give asked nodes a second way to the core, link-disjoint from the first.

What stands is free; what is added is chosen by cuts: wherever a set of nodes holds an asked one and no root,
two links must leave it. Violated cuts are found by flows of two units and priced by a linear programme, whose
prices bound every answer; a search over whole links by HiGHS closes what is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints, shape_faults
from xinji.errors import raise_if
from xinji.plan.backhaul.critical import depth_first
from xinji.plan.backhaul.disjoint import Arcs, pair, split_arcs, to_sink
from xinji.plan.backhaul.network import Network, Rooted, check_nodes, rooted
from xinji.plan.design.model import AT_LEAST, Columns, Model, make_rows
from xinji.plan.design.proof import Clock
from xinji.plan.design.solver import OPTIMAL, GrowingLp, maximise
from xinji.plan.jit import compiled

CUTS, WHOLE = "prices of cuts, which repeat", "prices of cuts and branching by HiGHS"
"""What proves ``Protection.bound``; the first can be recomputed from the cuts alone."""

_SLACK = 1e-6
_TRIES = 12


@dataclass(frozen=True, slots=True, eq=False)
class Protection:
    """Links to add (``links``), their cost ``value``, and the ``bound`` that no other choice can go below.

    ``cut`` (k, n) holds sets of nodes with an asked node and no root, ``price`` (k,) what each pays: a set with
    b links that stand needs 2 - b more, and no link is paid more than its cost, but for what it would
    cost to have it anyway: ``bound_of_cuts`` adds that up. ``impossible`` are the asked nodes that have no two
    ways even with all links; nothing is promised for them.
    """

    links: Ints
    value: float
    bound: float
    proof: str
    cut: Bools
    price: Floats
    impossible: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """The network, its graph with the core, what stands (m,), and the asked nodes."""

    network: Network
    graph: Rooted
    built: Bools
    asked: Ints


def protect(network: Network, built: Bools, asked: Ints, *, seconds: float = 30.0, seed: int = 0) -> Protection:
    """Return the cheapest links to add to the ``built`` ones (m,) so that each ``asked`` node has two disjoint ways.

    The search ends after ``seconds`` of processor time; ``seed`` fixes its order of trial.

    Raises InputError where ``built`` or ``asked`` do not fit the network.
    """
    raise_if(shape_faults("links", [("built", built, network.cost.shape)]))
    check_nodes("asked nodes", asked, network)
    clock, graph = Clock(seconds), rooted(network)
    everything = np.ones(len(built), dtype=bool)
    possible = safe_nodes(network, graph, everything)
    safe = safe_nodes(network, graph, built)
    wanted = np.unique(asked)
    task = _Task(network, graph, np.asarray(built, dtype=bool), wanted[possible[wanted] & ~safe[wanted]])
    impossible = wanted[~possible[wanted]]
    none = np.zeros((0, network.node_count), dtype=bool)
    if not len(task.asked):
        return Protection(np.zeros(0, dtype=np.int64), 0.0, 0.0, CUTS, none, np.zeros(0), impossible)
    rng = np.random.default_rng(seed)
    best = _thinned(task, _grown(task, network.cost, task.asked))
    cut, price, share = _priced_cuts(task, clock)
    for weight in (network.cost * (1.0 - 0.99 * share), *([None] * _TRIES)):
        if not clock.left:
            break
        guide = network.cost * rng.uniform(0.6, 1.4, len(built)) if weight is None else weight
        other = _thinned(task, _grown(task, guide, rng.permutation(task.asked)))
        best = min(best, other, key=lambda links: float(network.cost[links].sum()))
    value, bound, proof = float(network.cost[best].sum()), bound_of_cuts(network, task.built, cut, price), CUTS
    if bound < value * (1 - _SLACK) and clock.left:
        found, branched = _branched(task, cut, best, clock)
        proof = WHOLE if branched > bound else proof
        best, bound = found, max(bound, branched)
        value = float(network.cost[best].sum())
    return Protection(np.sort(best), value, min(bound, value), proof, cut, price, impossible)


def safe_nodes(network: Network, graph: Rooted, used: Bools) -> Bools:
    """Return which nodes (n,) no cut of one ``used`` link (m,) takes off the core."""
    barred = np.zeros(len(used) + len(np.unique(network.roots)), dtype=bool)
    barred[: len(used)] = ~used
    return _safe(graph, barred, len(used))[:-1]


@compiled
def _safe(graph: Rooted, barred: Bools, links: int) -> Bools:
    """Return which nodes (n + 1,) have no bridge on their way to the core."""
    nodes = len(graph.start) - 1
    order, found, parent, parent_edge, low = depth_first(graph, nodes - 1, barred)
    safe = np.zeros(nodes, np.bool_)
    safe[nodes - 1] = True
    for node in order[1:]:
        above = parent[node]
        bridge = parent_edge[node] < links and low[node] > found[above]
        safe[node] = safe[above] and not bridge
    return safe


def bound_of_cuts(network: Network, built: Bools, cut: Bools, price: Floats) -> float:
    """Return what any choice of links costs at least, by ``price`` (k,) of the sets ``cut`` (k, n)."""
    bound, paid = 0.0, np.zeros(len(network.cost))
    for inside, amount in zip(cut, price, strict=True):
        leaves = inside[network.from_node] != inside[network.to_node]
        bound += amount * (2.0 - float((leaves & built).sum()))
        paid[leaves & ~built] += amount
    return max(0.0, float(bound - np.maximum(paid - network.cost, 0.0).sum()))


def _grown(task: _Task, weight: Floats, order: Ints) -> Ints:
    """Return added links, found by giving one asked node after the other its two cheapest ways."""
    arcs = split_arcs(task.network, nodes_apart=False, two_roots=False)
    sink = len(arcs.start) - 2
    free = task.built.copy()
    for node in order.tolist():
        _priced(arcs, np.where(free, 0.0, weight))
        _, one, two = pair(arcs, to_sink(arcs, sink), node, sink)
        free[one] = True
        free[two] = True
    return np.flatnonzero(free & ~task.built)


def _priced(arcs: Arcs, weight: Floats) -> None:
    """Give the arcs the ``weight`` (m,) of their links, in place."""
    mine = arcs.link >= 0
    arcs.cost[mine] = np.where(arcs.open[mine], 1.0, -1.0) * weight[arcs.link[mine]]


def _thinned(task: _Task, links: Ints) -> Ints:
    """Return ``links`` without those that none of the asked nodes needs, dearest tried first."""
    used = task.built.copy()
    used[links] = True
    for link in links[np.argsort(-task.network.cost[links], kind="stable")].tolist():
        used[link] = False
        if not safe_nodes(task.network, task.graph, used)[task.asked].all():
            used[link] = True
    return np.flatnonzero(used & ~task.built)


def _priced_cuts(task: _Task, clock: Clock) -> tuple[Bools, Floats, Floats]:
    """Return violated sets (k, n), their prices (k,), and the share (m,) of each link in the linear programme."""
    network, free = task.network, np.flatnonzero(~task.built)
    place = np.full(len(network.cost), -1, dtype=np.int64)
    place[free] = np.arange(len(free))
    program = GrowingLp(network.cost[free], np.zeros(len(free)), np.ones(len(free)))
    share = task.built.astype(np.float64)
    cuts: list[Bools] = []
    price = np.zeros(0)
    known: set[bytes] = set()
    while True:
        fresh = [cut for cut in _violated(task, share) if cut.tobytes() not in known]
        if not fresh or not clock.left:
            break
        known |= {cut.tobytes() for cut in fresh}
        rows = [_leaving(task, cut) for cut in fresh]
        start = np.cumsum([0, *(len(row) for row, _ in rows)])
        column = place[np.concatenate([row for row, _ in rows])]
        need = np.array([amount for _, amount in rows])
        program.add_rows(start, column, np.ones(len(column)), lower=need, upper=np.full(len(need), np.inf))
        cuts += fresh
        answer = program.solve(seconds=clock.left)
        if answer.status != OPTIMAL:
            break
        share[free], price = np.clip(answer.values, 0.0, 1.0), np.maximum(answer.row_duals, 0.0)
    held = np.array(cuts[: len(price)], dtype=bool).reshape(len(price), network.node_count)
    return held[price > 0], price[price > 0], np.where(task.built, 0.0, share)


def _leaving(task: _Task, cut: Bools) -> tuple[Ints, float]:
    """Return the links not built that leave ``cut`` (n,), and how many of them are needed."""
    network = task.network
    leaves = cut[network.from_node] != cut[network.to_node]
    return np.flatnonzero(leaves & ~task.built), 2.0 - float((leaves & task.built).sum())


def _violated(task: _Task, share: Floats) -> list[Bools]:
    """Return sets (n,) that fewer than two links leave at ``share`` (m,): each asked node's least and largest."""
    n = task.network.node_count
    room = np.concatenate([share, np.full(len(np.unique(task.network.roots)), 4.0)])
    found: dict[bytes, Bools] = {}
    for node in task.asked.tolist():
        near, far = _least_cut(task.graph, room, node, n)
        for cut in (near, far):
            if cut.any():
                found[cut[:n].tobytes()] = cut[:n]
    return list(found.values())


@compiled
def _least_cut(graph: Rooted, room: Floats, node: int, core: int) -> tuple[Bools, Bools]:
    """Return the side of ``node`` in its nearest and its farthest least cut from ``core``; none if two units pass."""
    nodes = len(graph.start) - 1
    # Flow over edge e is counted from the lower to the higher of its ends.
    flow = np.zeros(len(room))
    total = 0.0
    via = np.full(nodes, -1, np.int64)
    queue = np.empty(nodes, np.int64)
    while True:
        via[:] = -1
        via[node] = -2
        queue[0], read, write = node, 0, 1
        while read < write and via[core] == -1:
            at = queue[read]
            read += 1
            for place in range(graph.start[at], graph.start[at + 1]):
                other, edge = graph.neighbour[place], graph.edge[place]
                ahead = 1.0 if at < other else -1.0
                if via[other] == -1 and room[edge] - ahead * flow[edge] > 1e-9:
                    via[other] = place
                    queue[write] = other
                    write += 1
        if via[core] == -1:
            break
        step, at = np.inf, core
        while at != node:
            edge, before = graph.edge[via[at]], _tail(graph, via[at])
            step = min(step, room[edge] - (1.0 if before < at else -1.0) * flow[edge])
            at = before
        at = core
        while at != node:
            edge, before = graph.edge[via[at]], _tail(graph, via[at])
            flow[edge] += step if before < at else -step
            at = before
        total += step
        if total >= 2.0 - _SLACK:
            return np.zeros(nodes, np.bool_), np.zeros(nodes, np.bool_)
    return via != -1, ~_backwards(graph, room, flow, core)


@compiled
def _tail(graph: Rooted, place: int) -> int:
    """Return the node whose neighbours hold ``place``."""
    return int(np.searchsorted(graph.start, place, side="right")) - 1


@compiled
def _backwards(graph: Rooted, room: Floats, flow: Floats, core: int) -> Bools:
    """Return the nodes from which more could still flow to ``core``."""
    seen = np.zeros(len(graph.start) - 1, np.bool_)
    seen[core] = True
    stack = [core]
    while len(stack) > 0:
        at = stack.pop()
        for place in range(graph.start[at], graph.start[at + 1]):
            other, edge = graph.neighbour[place], graph.edge[place]
            ahead = 1.0 if other < at else -1.0
            if not seen[other] and room[edge] - ahead * flow[edge] > 1e-9:
                seen[other] = True
                stack.append(other)
    return seen


def _branched(task: _Task, cut: Bools, best: Ints, clock: Clock) -> tuple[Ints, float]:
    """Return the best links found by searching whole ones under ever more cuts, and the bound proved so."""
    network, free = task.network, np.flatnonzero(~task.built)
    place = np.full(len(network.cost), -1, dtype=np.int64)
    place[free] = np.arange(len(free))
    cuts = list(cut)
    bound = 0.0
    while clock.left:
        model = _whole(task, cuts, free, place)
        start = np.isin(free, best).astype(np.float64)
        answer = maximise(model, seconds=clock.left, start=start)
        bound = max(bound, -answer.bound)
        if not len(answer.values):
            break
        share = task.built.astype(np.float64)
        share[free] = np.round(answer.values)
        fresh = _violated(task, share)
        chosen = _thinned(task, _grown(task, np.where(share > 0, 0.0, network.cost), task.asked))
        best = min(best, chosen, key=lambda links: float(network.cost[links].sum()))
        if not fresh or bound >= float(network.cost[best].sum()) * (1 - 1e-9):
            break
        cuts += fresh
    return best, bound


def _whole(task: _Task, cuts: list[Bools], free: Ints, place: Ints) -> Model:
    """Return the model of whole links (not built) under ``cuts``."""
    rows = [_leaving(task, cut) for cut in cuts]
    count = np.array([len(row) for row, _ in rows])
    column = place[np.concatenate([row for row, _ in rows])]
    columns = Columns(
        name=np.array([f"link_{link}" for link in free], dtype=np.str_),
        cost=-task.network.cost[free],
        lower=np.zeros(len(free)),
        upper=np.ones(len(free)),
        integer=np.ones(len(free), dtype=bool),
    )
    entries = [(np.repeat(np.arange(len(rows)), count), column, np.ones(len(column)))]
    names = [f"cut_{number}" for number in range(len(rows))]
    return Model(columns, make_rows(names, entries, AT_LEAST, np.array([need for _, need in rows])))


__all__ = ["CUTS", "WHOLE", "Protection", "bound_of_cuts", "protect", "safe_nodes"]
