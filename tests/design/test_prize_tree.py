"""Prize-collecting trees against enumeration of all node sets; every bound below, every certificate re-proved."""

from __future__ import annotations

import gzip
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xinji.core.arrays import Floats
from xinji.errors import CheckError, InfeasibleError, InputError
from xinji.plan.design.steiner.graph import EdgeGraph
from xinji.plan.design.steiner.node_weighted import node_weighted
from xinji.plan.design.steiner.prize import PrizeTree, prize_collecting
from xinji.plan.design.steiner.prize_proof import prove

INSTANCES = Path(__file__).resolve().parents[3] / "shared" / "instances" / "pcstp"


def oracle(graph: EdgeGraph, prize: Floats, node_cost: Floats, inside: tuple[int, ...]) -> float:
    """Return the least value over all sets of nodes that hold ``inside``, each spanned by a cheapest tree (Prim)."""
    count = graph.node_count
    least = np.full((count, count), np.inf)
    for one, other, cost in zip(graph.from_node, graph.to_node, graph.cost, strict=True):
        least[one, other] = least[other, one] = min(cost, least[one, other])
    between = least.tolist()
    best = np.inf
    for size in range(1, count + 1):
        for nodes in itertools.combinations(range(count), size):
            if set(inside) <= set(nodes):
                outside = prize.sum() - prize[list(nodes)].sum()
                best = min(best, prim(between, nodes) + node_cost[list(nodes)].sum() + outside)
    return float(best)


def prim(between: list[list[float]], nodes: tuple[int, ...]) -> float:
    """Return the cost of a cheapest tree on ``nodes``."""
    away = {node: between[nodes[0]][node] for node in nodes[1:]}
    total = 0.0
    while away:
        near = min(away, key=lambda node: away[node])
        total += away.pop(near)
        away = {node: min(old, between[near][node]) for node, old in away.items()}
    return total


def check(graph: EdgeGraph, prize: Floats, node_cost: Floats, inside: tuple[int, ...], found: PrizeTree) -> None:
    """Assert that ``found`` is a tree of the value it names and that its certificate holds."""
    chosen = np.zeros(graph.node_count, dtype=bool)
    chosen[found.nodes] = True
    assert set(inside) <= set(found.nodes.tolist())
    assert len(found.edges) == len(found.nodes) - 1
    parent = list(range(graph.node_count))

    def top(node: int) -> int:
        return node if parent[node] == node else top(parent[node])

    for edge in found.edges:
        one, other = top(int(graph.from_node[edge])), top(int(graph.to_node[edge]))
        assert one != other
        assert chosen[graph.from_node[edge]]
        assert chosen[graph.to_node[edge]]
        parent[one] = other
    value = graph.cost[found.edges].sum() + node_cost[chosen].sum() + prize[~chosen].sum()
    assert found.value == pytest.approx(value)
    assert found.value + found.profit == pytest.approx(prize.sum())
    required = np.zeros(graph.node_count, dtype=bool)
    required[list(inside)] = True
    proved = prove(graph, prize, node_cost, required, found.moats)
    assert found.certified == pytest.approx(min(proved, found.value))
    assert found.certified <= found.bound <= found.value


@st.composite
def cases(draw: st.DrawFn) -> tuple[EdgeGraph, Floats, Floats]:
    """Draw a graph of at most 7 nodes, also disconnected, with loops, parallel edges and zeros."""
    count = draw(st.integers(1, 7))
    node = st.integers(0, count - 1)
    edges = draw(st.lists(st.tuples(node, node, st.integers(0, 9)), max_size=18))
    scale = draw(st.sampled_from([1.0, 0.37, np.pi]))
    prize = draw(st.lists(st.integers(0, 12), min_size=count, max_size=count))
    cost = draw(st.lists(st.integers(0, 4), min_size=count, max_size=count))
    ends = np.array([edge[:2] for edge in edges], dtype=np.int64).reshape(-1, 2)
    costs = np.array([edge[2] for edge in edges], dtype=np.float64) * scale
    graph = EdgeGraph(count, ends[:, 0].copy(), ends[:, 1].copy(), costs)
    return graph, np.array(prize) * scale, np.array(cost) * scale


@given(case=cases())
@settings(max_examples=60, deadline=None)
def test_unrooted_tree_is_the_best_of_all_node_sets(case: tuple[EdgeGraph, Floats, Floats]) -> None:
    graph, prize, _ = case
    found = prize_collecting(graph, prize, seconds=5.0, seed=1)
    check(graph, prize, 0.0 * prize, (), found)
    assert found.value == pytest.approx(oracle(graph, prize, 0.0 * prize, ()))
    assert found.bound == pytest.approx(found.value)


@given(case=cases(), data=st.data())
@settings(max_examples=60, deadline=None)
def test_rooted_tree_is_the_best_of_all_node_sets_with_the_root(
    case: tuple[EdgeGraph, Floats, Floats], data: st.DataObject
) -> None:
    graph, prize, _ = case
    root = data.draw(st.integers(0, graph.node_count - 1))
    found = prize_collecting(graph, prize, root=root, seconds=5.0, seed=1)
    check(graph, prize, 0.0 * prize, (root,), found)
    assert found.value == pytest.approx(oracle(graph, prize, 0.0 * prize, (root,)))
    assert found.bound == pytest.approx(found.value)
    assert found.value >= prize_collecting(graph, prize, seconds=5.0, seed=1).value - 1e-9


@given(case=cases(), data=st.data())
@settings(max_examples=60, deadline=None)
def test_node_weighted_tree_is_the_best_of_all_node_sets_with_the_terminals(
    case: tuple[EdgeGraph, Floats, Floats], data: st.DataObject
) -> None:
    graph, prize, node_cost = case
    chosen = data.draw(st.sets(st.integers(0, graph.node_count - 1), min_size=1, max_size=4))
    inside = tuple(sorted(chosen))
    best = oracle(graph, 0.0 * prize, node_cost, inside)
    if np.isinf(best):
        with pytest.raises(InfeasibleError, match="parts of the graph"):
            node_weighted(graph, node_cost, np.array(inside), seconds=5.0, seed=1)
        return
    found = node_weighted(graph, node_cost, np.array(inside), seconds=5.0, seed=1)
    check(graph, 0.0 * prize, node_cost, inside, found)
    assert found.value == pytest.approx(best)
    assert found.bound == pytest.approx(best)


def grid(count: int, seed: int) -> tuple[EdgeGraph, Floats]:
    """Return a random grid of ``count`` x ``count`` nodes, a fifth with a prize."""
    rng = np.random.default_rng(seed)
    node = np.arange(count * count).reshape(count, count)
    tail = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    head = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    prize = np.where(rng.random(count * count) < 0.2, rng.integers(1, 40, count * count), 0)
    return EdgeGraph(count * count, tail, head, rng.integers(1, 20, len(tail)).astype(float)), prize.astype(float)


@pytest.mark.parametrize("root", [None, 0])
def test_grid_is_proven_and_its_certificate_holds(root: int | None) -> None:
    graph, prize = grid(12, 3)
    found = prize_collecting(graph, prize, root=root, seconds=20.0, seed=1)
    check(graph, prize, 0.0 * prize, () if root is None else (root,), found)
    assert found.bound == found.value
    assert found.certified >= 0.95 * found.value


def test_same_seed_gives_the_same_tree() -> None:
    graph, prize = grid(10, 4)
    one, other = (prize_collecting(graph, prize, seconds=20.0, seed=7) for _ in range(2))
    assert one.nodes.tolist() == other.nodes.tolist()
    assert (one.value, one.bound, one.searched) == (other.value, other.bound, other.searched)


def test_bound_holds_when_time_is_out_at_once() -> None:
    graph, prize = grid(12, 5)
    whole = prize_collecting(graph, prize, seconds=20.0, seed=1)
    short = prize_collecting(graph, prize, seconds=0.0, seed=1)
    check(graph, prize, 0.0 * prize, (), short)
    assert short.bound <= whole.value <= short.value


def test_best_root_gives_the_unrooted_value() -> None:
    graph, prize = grid(10, 6)
    free = prize_collecting(graph, prize, seconds=20.0, seed=1)
    rooted = prize_collecting(graph, prize, root=int(free.nodes[0]), seconds=20.0, seed=1)
    assert rooted.value == pytest.approx(free.value)


def test_forged_certificates_are_rejected() -> None:
    graph, prize = grid(8, 2)
    moats = prize_collecting(graph, prize, root=0, seconds=20.0, seed=1).moats
    none = np.zeros(64)
    required = np.zeros(64, dtype=bool)
    required[0] = True
    assert prove(graph, prize, none, required, moats) > 0.0
    low = EdgeGraph(64, graph.from_node, graph.to_node, graph.cost * 0.9)
    with pytest.raises(CheckError, match="more than its cost"):
        prove(low, prize, none, required, moats)
    with pytest.raises(CheckError, match="more than its terminal's prize"):
        prove(graph, prize * 0.5, none, required, moats)
    with pytest.raises(CheckError, match="holds the root"):
        prove(graph, prize, none, required, replace(moats, root=int(moats.node[0])))
    free = prize_collecting(graph, prize, seconds=20.0, seed=1).moats
    assert free.root == -1
    with pytest.raises(CheckError, match="the way in"):
        prove(graph, prize, none, np.zeros(64, dtype=bool), replace(free, entry=free.entry * 0.5))


def test_input_errors_name_every_fault() -> None:
    graph, prize = grid(3, 1)
    prize[2], prize[4] = -1.0, np.nan
    with pytest.raises(InputError, match=r"row 2: the value is -1.*\n.*row 4: the value is nan") as error:
        prize_collecting(graph, prize)
    assert len(error.value.faults) == 2
    with pytest.raises(InputError, match="9 is no node"):
        prize_collecting(graph, np.zeros(9), root=9)
    with pytest.raises(InputError, match="shape"):
        prize_collecting(graph, np.zeros(8))
    with pytest.raises(InputError, match="no terminal"):
        node_weighted(graph, np.zeros(9), np.zeros(0, dtype=np.int64))


KNOWN = {"D15-A": 1042, "D15-B": 1108, "D16-A": 13, "D16-B": 13, "D17-A": 23, "D17-B": 23}


@pytest.mark.skipif(not INSTANCES.is_dir(), reason="the published instances are not beside the repository")
@pytest.mark.parametrize("name", sorted(KNOWN))
def test_published_instances_are_proven(name: str) -> None:
    with gzip.open(INSTANCES / f"{name}.stp.gz", "rt", encoding="ascii", errors="replace") as file:
        lines = [line.split() for line in file]
    count = next(int(words[1]) for words in lines if words[:1] == ["Nodes"])
    edges = np.array([[int(word) for word in words[1:]] for words in lines if words[:1] == ["E"]])
    prize = np.zeros(count)
    for words in lines:
        if words[:1] == ["TP"]:
            prize[int(words[1]) - 1] = float(words[2])
    graph = EdgeGraph(count, edges[:, 0] - 1, edges[:, 1] - 1, edges[:, 2].astype(float))
    found = prize_collecting(graph, prize, seconds=60.0, seed=1)
    check(graph, prize, 0.0 * prize, (), found)
    assert found.value == found.bound == KNOWN[name]
