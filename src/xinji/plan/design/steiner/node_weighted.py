"""Steiner trees whose nodes cost money: all terminals joined at least cost of edges and nodes, with a bound.

The engine is that of prize-collecting trees: a node's cost is paid on the arc that enters it, and a terminal
is a node whose prize no tree can leave. Node weights: Klein and Ravi, J. Algorithms 19, 1995.
"""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.errors import Fault, InputError, raise_if
from xinji.plan.design.steiner.graph import EdgeGraph
from xinji.plan.design.steiner.prize import PrizeTree, Task, solve_task, task_faults


def node_weighted(
    graph: EdgeGraph, node_cost: Floats, terminals: Ints, *, seconds: float = 60.0, seed: int = 0
) -> PrizeTree:
    """Return a tree that joins ``terminals`` (t,) at the least sum of its edges' and its nodes' costs (v,).

    The terminals' own costs count. ``seconds`` limit the processor time of the search. Raises InputError with
    every cost that is negative or no number, for terminals outside the graph or none at all, and
    InfeasibleError where no edges join the terminals.
    """
    wanted = np.asarray(terminals, dtype=np.int64)
    nodes = tuple(int(node) for node in wanted)
    none = () if nodes else (Fault("nodes", "there is no terminal", "Name at least one node to join."),)
    raise_if((*none, *task_faults(graph, "node costs", node_cost, nodes)), InputError)
    required = np.zeros(graph.node_count, dtype=np.bool_)
    required[wanted] = True
    task = Task(graph, np.zeros(graph.node_count), np.asarray(node_cost, dtype=np.float64), required)
    return solve_task(task, seconds=seconds, seed=seed)
