"""Prize-collecting Steiner trees: which nodes to join at what cost and which prizes to leave, with a bound.

Reductions, dual ascent with reduced-cost fixing, tree heuristics and branch and bound: Rehfeldt, Koch and
Maher, Networks 73, 2019; Leitner, Ljubic, Luipersbeck and Sinnl, INFORMS J. Computing 30, 2018.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.errors import Fault, InfeasibleError, InputError, raise_if
from xinji.plan.design.proof import Clock, certified_gap
from xinji.plan.design.steiner.graph import EdgeGraph
from xinji.plan.design.steiner.prize_bound import best_ascent
from xinji.plan.design.steiner.prize_case import Case, common_unit, make_case, subcase
from xinji.plan.design.steiner.prize_proof import Moats
from xinji.plan.design.steiner.prize_search import search
from xinji.plan.design.steiner.prize_tree import spanning_tree


@dataclass(frozen=True, slots=True, eq=False)
class PrizeTree:
    """A tree of ``nodes`` and ``edges`` (numbers, sorted) and what is proved about it.

    ``value`` = ``edge_cost`` + ``node_cost`` + ``left_out``, the prizes of the nodes outside; no tree's value
    is below ``bound``. ``profit`` is the prizes inside less both costs, so value + profit is the sum of all
    prizes. ``moats`` prove ``certified`` at most ``bound`` in one pass (``prize_proof.prove``); what lies
    between the two rests on reductions and on branch and bound over ``searched`` nodes.
    """

    nodes: Ints
    edges: Ints
    value: float
    bound: float
    edge_cost: float
    node_cost: float
    left_out: float
    profit: float
    certified: float
    moats: Moats
    searched: int

    def __post_init__(self) -> None:
        freeze(self.nodes, self.edges)

    @property
    def gap(self) -> float:
        """The distance of the bound from the value, relative to the value."""
        return certified_gap(self.value, self.bound)


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A graph with ``prize`` and ``node_cost`` (v,) and the nodes ``required`` (v,)."""

    graph: EdgeGraph
    prize: Floats
    node_cost: Floats
    required: Bools


def prize_collecting(
    graph: EdgeGraph, prize: Floats, *, root: int | None = None, seconds: float = 60.0, seed: int = 0
) -> PrizeTree:
    """Return a tree of least edge costs + prizes (v,) left out, with ``root`` inside if one is named.

    Without a root the tree has at least one node. ``seconds`` limit the processor time of the search; the
    answer depends on ``seed`` and, where the limit ends the search, on the machine.
    Raises InputError with every prize that is negative or no number, and for a root outside the graph.
    """
    raise_if(task_faults(graph, "prizes", prize, () if root is None else (root,)), InputError)
    required = np.zeros(graph.node_count, dtype=np.bool_)
    if root is not None:
        required[root] = True
    task = Task(graph, np.asarray(prize, dtype=np.float64), np.zeros(graph.node_count), required)
    return solve_task(task, seconds=seconds, seed=seed)


def solve_task(task: Task, *, seconds: float, seed: int) -> PrizeTree:
    """Return the best tree of ``task`` found within ``seconds``.

    Raises InfeasibleError where no tree joins what is required.
    """
    whole = make_case(task.graph, task.prize, task.node_cost, task.required)
    unit = common_unit(task.graph.cost, task.prize, task.node_cost)
    clock = Clock(seconds)
    parts = list(_parts(task))
    moats, certified = certificate(whole)
    value, bound, searched = np.inf, np.inf, 0
    nodes = np.zeros(whole.node_count, dtype=np.bool_)
    for part in parts:
        case = subcase(whole, part, np.ones(len(whole.cost), dtype=np.bool_))
        found = search(case, unit=unit, seconds=clock.left, seed=seed, known=value)
        bound, searched = min(bound, found.bound), searched + found.searched
        if found.value < value:
            value, nodes = found.value, np.zeros(whole.node_count, dtype=np.bool_)
            nodes[np.flatnonzero(part)[found.nodes]] = True
    return _result(task, nodes, max(min(bound, value), certified), certified, (moats, searched))


def certificate(case: Case) -> tuple[Moats, float]:
    """Return the moats that dual ascent finds for the unreduced ``case`` and the bound that they prove."""
    tree, bound = best_ascent(case)
    ascent = bound.ascent
    root = tree.root if tree.root < case.node_count else -1
    moats = Moats(root, tree.entry, ascent.terminals, ascent.height, ascent.start, ascent.node, ascent.since)
    return moats, bound.value


def _parts(task: Task) -> Iterator[Bools]:
    """Yield the nodes (v,) of each connected part that a best tree may lie in, the one of most prizes first."""
    graph = task.graph
    ends = (np.asarray(graph.from_node), np.asarray(graph.to_node))
    links = coo_array((np.ones(len(graph.cost)), ends), shape=(graph.node_count, graph.node_count))
    _, label = connected_components(links, directed=False)
    asked = np.unique(label[task.required])
    if len(asked) > 1:
        raise InfeasibleError(
            f"the nodes to join lie in {len(asked)} parts of the graph that no edge links; add edges or ask for fewer"
        )
    gain = np.maximum(task.prize - task.node_cost, 0.0)
    worth = np.bincount(label, gain)
    for part in asked if len(asked) else np.argsort(-worth, kind="stable"):
        # A part without prizes is no better than one node of any other.
        if len(asked) or worth[part] > 0.0 or part == np.argmax(worth):
            yield label == part


def _result(task: Task, nodes: Bools, bound: float, certified: float, proof: tuple[Moats, int]) -> PrizeTree:
    graph = task.graph
    edges = _spanning_edges(graph, nodes)
    edge_cost, node_cost = float(graph.cost[edges].sum()), float(task.node_cost[nodes].sum())
    left_out = float(task.prize[~nodes].sum())
    value = edge_cost + node_cost + left_out
    return PrizeTree(
        nodes=np.flatnonzero(nodes),
        edges=edges,
        value=value,
        bound=min(bound, value),
        edge_cost=edge_cost,
        node_cost=node_cost,
        left_out=left_out,
        profit=float(task.prize[nodes].sum()) - edge_cost - node_cost,
        certified=min(certified, value),
        moats=proof[0],
        searched=proof[1],
    )


def _spanning_edges(graph: EdgeGraph, nodes: Bools) -> Ints:
    """Return the edges (numbers, sorted) of a cheapest tree on ``nodes`` (v,)."""
    inner = np.flatnonzero(nodes[graph.from_node] & nodes[graph.to_node])
    place = np.cumsum(nodes) - 1
    part = EdgeGraph(
        int(nodes.sum()), place[graph.from_node[inner]], place[graph.to_node[inner]], graph.cost[inner].copy()
    )
    return np.sort(inner[spanning_tree(part)])


def task_faults(graph: EdgeGraph, layer: str, amount: Floats, nodes: Ints | tuple[int, ...]) -> Iterator[Fault]:
    """Yield what is wrong with an ``amount`` of each node and with ``nodes`` by number."""
    if graph.node_count < 1:
        yield Fault("graph", "it has no node", "A tree needs at least one.")
    if np.shape(amount) != (graph.node_count,):
        yield Fault(layer, f"shape {np.shape(amount)} for {graph.node_count} nodes", "Give one value for each node.")
        return
    for node in np.flatnonzero(~(np.isfinite(amount) & (amount >= 0.0))):
        yield Fault(layer, f"the value is {amount[node]}", "Give numbers of at least 0.", row=int(node))
    for asked in nodes:
        if not 0 <= asked < graph.node_count:
            yield Fault("nodes", f"{asked} is no node of the graph", f"Use 0 to {graph.node_count - 1}.")
