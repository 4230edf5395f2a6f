"""Build stages on a forest: the part of the relaxation that is solved exactly.

Nodes of the forest are the options; an option's parent is its host, which must stand no later than the option
does. Each node has a gain for every stage in which it may be built. The best stages follow from one pass up
and one pass down the forest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.core.offer import FORBIDDEN, FREE
from xinji.core.problem import Problem
from xinji.plan.jit import compiled


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Options (n,) with what hosts them: ``order`` holds children before parents, ``parent`` is -1 at the top.

    ``built`` (n,) is the code of ``Problem.built``.
    """

    order: Ints
    parent: Ints
    built: Ints


def option_nodes(problem: Problem) -> Ints:
    """Return the trench node at which each option (n,) is joined: its own or its host's, or -1."""
    node, at = problem.node.copy(), np.arange(len(problem.node))
    while True:
        missing = (node < 0) & (problem.host[at] >= 0)
        if not missing.any():
            return node
        at = np.where(missing, problem.host[at], at)
        node = np.where(missing, problem.node[at], node)


def forest(problem: Problem) -> Forest:
    """Return the forest of options on their hosts."""
    parent = problem.host
    depth, above = np.zeros(len(parent), dtype=np.int64), parent
    while (above >= 0).any():
        depth += above >= 0
        above = np.where(above >= 0, parent[above], -1)
    return Forest(order=np.argsort(-depth, kind="stable"), parent=parent.astype(np.int64), built=problem.built)


@compiled
def _allowed(built: int, stage: int, stages: int) -> bool:
    """Return whether the code ``built`` allows standing from ``stage`` on (``stages``: never)."""
    if built == FREE:
        return stage > 0
    if built == FORBIDDEN:
        return stage == stages
    return stage == built


@compiled
def _pass_up(order: Ints, parent: Ints, built: Ints, total: Floats) -> Ints:
    """Turn gains into best totals of whole branches, in place; return the best stage from each on (nodes, T + 2)."""
    nodes, columns = total.shape
    stages = columns - 1
    choice = np.full((nodes, columns), stages, dtype=np.int64)
    for node in order:
        for stage in range(columns):
            if not _allowed(built[node], stage, stages):
                total[node, stage] = -np.inf
        for stage in range(stages - 1, -1, -1):
            better = total[node, stage] > total[node, stage + 1]
            choice[node, stage] = stage if better else choice[node, stage + 1]
            total[node, stage] = max(total[node, stage], total[node, stage + 1])
        if parent[node] >= 0:
            total[parent[node]] += total[node]
    return choice


@compiled
def best_stages(order: Ints, parent: Ints, built: Ints, gain: Floats) -> tuple[float, Ints]:
    """Return the largest total gain and the stage of every node (-1 never).

    ``gain`` (nodes, T + 1) is the gain of standing from stage 0..T on; never building gains 0.
    """
    nodes, stages = gain.shape
    total = np.zeros((nodes, stages + 1))
    total[:, :stages] = gain
    choice = _pass_up(order, parent, built, total)
    value = 0.0
    chosen = np.full(nodes, -1, dtype=np.int64)
    for node in order[::-1]:
        first = 0
        if parent[node] < 0:
            value += total[node, 0]
        else:
            first = stages if chosen[parent[node]] < 0 else chosen[parent[node]]
        stage = choice[node, first]
        chosen[node] = stage if stage < stages else -1
    return value, chosen
