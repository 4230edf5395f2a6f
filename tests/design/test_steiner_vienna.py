"""The Steiner engine on a published road network of known optimum."""

import gzip
from pathlib import Path

import numpy as np

from xinji.plan.design.proof import certified_gap
from xinji.plan.design.steiner.certificate import proved_bound
from xinji.plan.design.steiner.graph import EdgeGraph
from xinji.plan.design.steiner.solve import steiner_tree


def _read(path: Path) -> tuple[EdgeGraph, np.ndarray]:
    rows: dict[str, list[list[float]]] = {"E": [], "T": [], "Nodes": []}
    with gzip.open(path, "rt") as lines:
        for line in lines:
            word, *numbers = line.split() or [""]
            if word in rows:
                rows[word].append([float(number) for number in numbers])
    edges = np.array(rows["E"])
    ends = edges[:, :2].astype(np.int64) - 1
    terminals = np.array(rows["T"]).ravel().astype(np.int64) - 1
    return EdgeGraph(int(rows["Nodes"][0][0]), ends[:, 0], ends[:, 1], edges[:, 2]), terminals


def test_a_vienna_network_is_solved_and_its_bound_certified(shared: Path) -> None:
    # I056 of the Vienna set; optimum in optima.csv beside it.
    graph, terminals = _read(shared / "instances" / "steiner" / "instance016.gr.gz")
    tree = steiner_tree(graph, terminals, seconds=30.0)
    assert 14171206.0 <= tree.value <= 14171206.0 * 1.0005
    assert tree.bound <= 14171206.0
    assert certified_gap(tree.value, tree.bound) <= 0.001
    assert tree.certified == proved_bound(graph, terminals, tree.certificate)
    assert certified_gap(tree.value, tree.certified) <= 0.01
