"""Heuristic Steiner trees: valid on any graph, at the optimum of small ones, near that of published ones."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from design.steiner_oracle import is_steiner_tree, least_cost
from xinji.core.arrays import Ints
from xinji.errors import InfeasibleError, InputError
from xinji.plan.design.proof import Clock
from xinji.plan.design.steiner.crossover import best_parts, blocks
from xinji.plan.design.steiner.graph import EdgeGraph
from xinji.plan.design.steiner.heuristic import heuristic_tree
from xinji.plan.design.steiner.local_search import improve
from xinji.plan.design.steiner.shortest_path import prepare, short_tree

INSTANCES = Path(__file__).parents[3] / "shared" / "instances" / "steiner"
SETTINGS = settings(max_examples=100, deadline=None, derandomize=True)


def random_case(rng: np.random.Generator, *, nodes: int, extra: int, terminals: int) -> tuple[EdgeGraph, Ints]:
    """Return a connected graph with loops, parallel edges and free edges."""
    order = rng.permutation(nodes)
    above = [int(order[rng.integers(max(0, k - 3), k)]) for k in range(1, nodes)]
    tail = np.concatenate([np.array(above, np.int64), rng.integers(0, nodes, extra)])
    head = np.concatenate([order[1:], rng.integers(0, nodes, extra)])
    cost = rng.integers(0, 12, len(tail)).astype(float)
    return EdgeGraph(nodes, tail, head, cost), rng.choice(nodes, terminals, replace=False)


def cases() -> st.SearchStrategy[tuple[EdgeGraph, Ints]]:
    def case(seed: int, nodes: int, extra: int, terminals: int) -> tuple[EdgeGraph, Ints]:
        rng = np.random.default_rng(seed)
        return random_case(rng, nodes=nodes, extra=extra, terminals=min(terminals, nodes))

    return st.builds(case, st.integers(0, 2**31), st.integers(1, 30), st.integers(0, 40), st.integers(1, 6))


def clock() -> Clock:
    return Clock(60.0)


@SETTINGS
@given(cases())
def test_every_tree_is_valid_and_no_cheaper_than_the_optimum(case: tuple[EdgeGraph, Ints]) -> None:
    graph, terminals = case
    optimum = least_cost(graph, terminals)
    trees = [short_tree(graph, terminals), short_tree(graph, terminals, weight=np.ones(len(graph.cost)))]
    trees += [improve(graph, terminals, tree) for tree in trees]
    trees.append(heuristic_tree(graph, terminals, clock=clock(), starts=4))
    for tree in trees:
        assert is_steiner_tree(graph, terminals, tree)
        assert graph.cost[tree].sum() >= optimum - 1e-9
    assert graph.cost[trees[0]].sum() <= 2.0 * optimum + 1e-9
    for before, after in zip(trees[:2], trees[2:4], strict=True):
        assert graph.cost[after].sum() <= graph.cost[before].sum() + 1e-9


def test_it_finds_the_optimum_of_small_graphs() -> None:
    rng = np.random.default_rng(3)
    missed = 0
    for _ in range(60):
        graph, terminals = random_case(rng, nodes=40, extra=40, terminals=7)
        tree = heuristic_tree(graph, terminals, clock=clock(), starts=10)
        missed += bool(graph.cost[tree].sum() > least_cost(graph, terminals) + 1e-9)
    assert missed <= 1


def grid(side: int, rng: np.random.Generator) -> EdgeGraph:
    node = np.arange(side * side).reshape(side, side)
    tail = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    head = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    return EdgeGraph(side * side, tail, head, rng.uniform(1.0, 2.0, len(tail)))


@SETTINGS
@given(st.integers(0, 2**31))
def test_best_parts_are_no_dearer_than_either_tree(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = grid(12, rng)
    net = prepare(graph, rng.choice(144, 15, replace=False))
    trees = []
    for _ in range(2):
        edges = short_tree(graph, net.terminals, weight=rng.uniform(0.5, 2.0, len(graph.cost)))
        trees.append(np.isin(np.arange(len(graph.cost)), edges))
    both = np.flatnonzero(best_parts(net, trees[0], trees[1]))
    assert is_steiner_tree(graph, net.terminals, both)
    assert graph.cost[both].sum() <= min(graph.cost[tree].sum() for tree in trees) + 1e-9
    assert not both.size or (trees[0] | trees[1])[both].mean() > 0.5


def test_blocks_meet_in_cut_nodes() -> None:
    # A triangle and a square that share node 2, and a bridge from 5 to 6.
    tail, head = np.array([0, 1, 2, 2, 3, 4, 5, 5]), np.array([1, 2, 0, 3, 4, 5, 2, 6])
    graph = EdgeGraph(7, tail, head, np.ones(8))
    block = blocks(prepare(graph, np.array([0])), np.ones(8, np.bool_)).tolist()
    assert len(set(block[:3])) == len(set(block[3:7])) == 1
    assert len({block[0], block[3], block[7]}) == 3


def test_each_move_finds_its_textbook_gain() -> None:
    # Exchange: the chain 0-1-2 of 5 + 5 gives way to the edge 0-2 of 6 once 1 is no terminal.
    ring = EdgeGraph(4, np.array([0, 1, 0, 3]), np.array([1, 2, 3, 2]), np.array([5.0, 5.0, 3.0, 3.0]))
    assert improve(ring, np.array([0, 2]), np.array([0, 1])).tolist() == [2, 3]
    # Insertion: three terminals two by two at 4, or all by a hub at 2 each.
    hub = EdgeGraph(
        4, np.array([0, 1, 2, 3, 3, 3]), np.array([1, 2, 0, 0, 1, 2]), np.array([4.0, 4.0, 4.0, 2.0, 2.0, 2.0])
    )
    assert improve(hub, np.array([0, 1, 2]), np.array([0, 1])).tolist() == [3, 4, 5]
    # Elimination: the same with a dear hub.
    dear = EdgeGraph(4, hub.from_node, hub.to_node, np.array([4.0, 4.0, 5.0, 3.0, 3.0, 3.0]))
    assert improve(dear, np.array([0, 1, 2]), np.array([3, 4, 5])).tolist() == [0, 1]


def test_same_seed_same_tree_and_start_is_never_lost() -> None:
    rng = np.random.default_rng(5)
    graph = grid(30, rng)
    terminals = rng.choice(900, 60, replace=False)
    first, second = (heuristic_tree(graph, terminals, clock=clock(), starts=6, seed=7) for _ in range(2))
    assert first.tolist() == second.tolist()
    again = heuristic_tree(graph, terminals, clock=Clock(0.0), start=first)
    assert graph.cost[again].sum() <= graph.cost[first].sum() + 1e-9
    hinted = heuristic_tree(graph, terminals, clock=Clock(0.0), hint=np.ones(len(graph.cost)))
    assert is_steiner_tree(graph, terminals, hinted)


def test_faults_are_said_in_plain_words() -> None:
    graph = EdgeGraph(3, np.array([0]), np.array([1]), np.array([1.0]))
    with pytest.raises(InfeasibleError, match="not connected"):
        short_tree(graph, np.array([0, 2]))
    with pytest.raises(InfeasibleError, match="not connected"):
        improve(graph, np.array([0, 2]), np.array([0]))
    with pytest.raises(InputError, match="3 is no node"):
        heuristic_tree(graph, np.array([0, 3]), clock=clock())
    with pytest.raises(InputError, match="there is none"):
        heuristic_tree(graph, np.array([], np.int64), clock=clock())
    with pytest.raises(InputError, match="5 weights for 1 edges"):
        heuristic_tree(graph, np.array([0, 1]), clock=clock(), hint=np.ones(5))
    assert heuristic_tree(graph, np.array([2]), clock=clock()).tolist() == []


def test_the_oracle_knows_a_valid_tree_from_others() -> None:
    graph = EdgeGraph(4, np.array([0, 1, 2, 0]), np.array([1, 2, 0, 3]), np.ones(4))
    terminals = np.array([0, 1, 2])
    assert is_steiner_tree(graph, terminals, np.array([0, 1]))
    assert not is_steiner_tree(graph, terminals, np.array([0, 1, 2]))
    assert not is_steiner_tree(graph, terminals, np.array([0, 3]))
    assert not is_steiner_tree(graph, terminals, np.array([0, 0]))
    assert least_cost(graph, terminals) == 2.0


@pytest.mark.skipif(not INSTANCES.is_dir(), reason="the published instances are not beside the repository")
@pytest.mark.parametrize(
    ("name", "rounds", "percent"), [("instance016", 4, 0.02), ("instance108", 4, 0.02), ("instance008", 12, 0.7)]
)
def test_published_instances(name: str, rounds: int, percent: float) -> None:
    with (INSTANCES / "optima.csv").open() as lines:
        optimum = {row["file"]: float(row["upper"]) for row in csv.DictReader(lines)}[f"{name}.gr.gz"]
    with gzip.open(INSTANCES / f"{name}.gr.gz", "rt") as text:
        rows = [line.split() for line in text if line[:2] in ("E ", "T ")]
    edges = np.array([row[1:] for row in rows if row[0] == "E"], np.int64)
    terminals = np.array([row[1] for row in rows if row[0] == "T"], np.int64) - 1
    graph = EdgeGraph(int(edges[:, :2].max()), edges[:, 0] - 1, edges[:, 1] - 1, edges[:, 2].astype(float))
    tree = heuristic_tree(graph, terminals, clock=Clock(120.0), starts=rounds)
    assert is_steiner_tree(graph, terminals, tree)
    assert optimum <= graph.cost[tree].sum() <= optimum * (1.0 + percent / 100.0)
