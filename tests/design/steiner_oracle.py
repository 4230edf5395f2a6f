"""What Steiner trees are judged by: a plain check of a tree, and exact least costs of small graphs."""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Ints
from xinji.plan.design.steiner.graph import EdgeGraph


def is_steiner_tree(graph: EdgeGraph, terminals: Ints, edges: Ints) -> bool:
    """Return whether ``edges`` are one tree, without a cycle, that reaches all ``terminals``."""
    near: dict[int, list[int]] = {int(node): [] for node in terminals}
    for edge in edges.tolist():
        tail, head = int(graph.from_node[edge]), int(graph.to_node[edge])
        near.setdefault(tail, []).append(head)
        near.setdefault(head, []).append(tail)
    seen = {int(terminals[0])}
    waiting = list(seen)
    while waiting:
        for other in near[waiting.pop()]:
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return len(seen) == len(near) and len(edges) == len(near) - 1


def least_cost(graph: EdgeGraph, terminals: Ints) -> float:
    """Return the cost of the cheapest tree that spans ``terminals`` (few), infinite where there is none.

    Source: Dreyfus & Wagner, Networks 1 (1971).
    """
    nodes, ends = graph.node_count, [int(node) for node in terminals]
    distance = np.where(np.eye(nodes, dtype=bool), 0.0, np.inf)
    np.minimum.at(distance, (graph.from_node, graph.to_node), graph.cost)
    distance = np.minimum(distance, distance.T)
    for node in range(nodes):
        distance = np.minimum(distance, distance[:, node, None] + distance[node])
    best = np.full((1 << len(ends), nodes), np.inf)
    for bit, node in enumerate(ends):
        best[1 << bit] = distance[node]
    for group in range(1, 1 << len(ends)):
        part = (group - 1) & group
        while part:
            best[group] = np.minimum(best[group], best[part] + best[group ^ part])
            part = (part - 1) & group
        best[group] = (best[group][:, None] + distance).min(axis=0)
    return float(best[-1, ends[0]])
