"""Small random cases of the facility engines, and their optima by enumeration and linear programming."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.optimize import linprog

from xinji.core.arrays import Bools, Floats
from xinji.plan.design.facility.task import StagedTask

UNREACHABLE = 1e9
DEAREST = 1e6


def serving_cost(cost: Floats, demand: Floats, capacity: Floats, unserved: Floats) -> float:
    """Return the least cost of serving from facilities that are all open; above DEAREST if it cannot be."""
    customers, count = cost.shape
    table = np.column_stack([cost, unserved])
    table = np.where(np.isinf(table), UNREACHABLE, table)
    once = np.kron(np.eye(customers), np.ones((1, count + 1)))
    load = np.zeros((count, customers * (count + 1)))
    for j in range(count):
        load[j, j :: count + 1] = demand
    limit = np.minimum(capacity, demand.sum() + 1.0)
    rows = {"A_ub": load, "b_ub": limit} if count else {}
    return float(linprog(table.ravel(), A_eq=once, b_eq=np.ones(customers), **rows).fun)


def enumerated_location(opening_cost: Floats, capacity: Floats, demand: Floats, cost: Floats) -> float:
    """Return the least total over every set of facilities."""
    best, none = np.inf, np.full(len(demand), np.inf)
    for choice in itertools.product([False, True], repeat=len(opening_cost)):
        opened = np.array(choice)
        serving = serving_cost(cost[:, opened], demand, capacity[opened], none)
        best = min(best, float(opening_cost[opened].sum()) + serving)
    return best


def enumerated_median(distance: Floats, p: int) -> float:
    """Return the least total distance over every choice of p facilities."""
    sets = itertools.combinations(range(distance.shape[1]), p)
    return min(float(distance[:, list(opened)].min(axis=1).sum()) for opened in sets)


def enumerated_stages(task: StagedTask) -> float:
    """Return the least total over every stage of every facility; above DEAREST if none will do."""
    stages, _, count = task.cost.shape
    best, known = np.inf, {}
    for choice in itertools.product(range(stages + 1), repeat=count):
        y = np.arange(stages)[:, None] >= np.array(choice)
        new = np.arange(stages)[:, None] == np.array(choice)
        spent = (task.opening_cost * new + task.running_cost * y).sum(axis=1)
        used, limit = (np.cumsum(spent), np.cumsum(task.budget)) if task.carry_over else (spent, task.budget)
        if (used > limit + 1e-9).any():
            continue
        total = float(spent.sum())
        for stage in range(stages):
            key = (stage, y[stage].tobytes())
            if key not in known:
                known[key] = _stage_cost(task, stage, y[stage])
            total += known[key]
        best = min(best, total)
    return best


def _stage_cost(task: StagedTask, stage: int, opened: Bools) -> float:
    cost, capacity = task.cost[stage][:, opened], task.capacity[opened]
    return serving_cost(cost, task.demand[stage], capacity, task.unserved_cost[stage])


def random_task(seed: int) -> StagedTask:
    """Return a task of up to three stages, facilities and five customers, drawn from ``seed``."""
    draw = np.random.default_rng(seed)
    stages, count, customers = (int(draw.integers(1, top)) for top in (4, 4, 6))
    cost = draw.integers(0, 30, (stages, customers, count)).astype(float)
    cost[draw.random(cost.shape) < 0.1 * (seed % 3)] = np.inf
    unserved = draw.integers(5, 60, (stages, customers)).astype(float)
    unserved[draw.random(unserved.shape) < 0.3 * (seed % 2)] = np.inf
    budget = draw.integers(0, 40, stages).astype(float) if seed % 5 else np.full(stages, np.inf)
    return StagedTask(
        opening_cost=draw.integers(0, 30, (stages, count)).astype(float),
        running_cost=draw.integers(0, 6, (stages, count)).astype(float),
        capacity=draw.integers(1, 20, count).astype(float),
        demand=draw.integers(0, 7, (stages, customers)).astype(float),
        cost=cost,
        unserved_cost=unserved,
        budget=budget,
        carry_over=bool(seed % 4 < 2),
    )
