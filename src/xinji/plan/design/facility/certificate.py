"""Proving bounds and values again from the input and the certificate alone: plain numpy, nothing of the solver.

Weak duality: with a price on every customer (and on every row that plans keep), no plan costs less
than the prices paid, plus for each facility the least that it can add; a branch-and-bound tree is
proved where its leaves leave no plan out and each leaf is bounded in this way.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinji.core.arrays import Bools, Codes, Floats, Ints
from xinji.errors import CheckError
from xinji.plan.design.facility.task import StagedTask
from xinji.plan.design.facility.tree import Proof

_TOLERANCE = 1e-9


def location_bound(opening_cost: Floats, capacity: Floats, demand: Floats, cost: Floats, proof: Proof) -> float:
    """Return the bound that ``proof`` proves for a capacitated location; raises CheckError for a broken tree.

    Prices are those of the customers (n,), of the row that open capacity covers the demand, and of the
    row that counts open facilities.
    """
    total = float(demand.sum())
    usable = np.minimum(capacity, total)
    held = np.cumsum(np.sort(usable)[::-1])
    count = min(int((held < total * (1.0 - 1e-12)).sum()) + 1, len(usable))
    least = np.inf
    for price, lower, upper in leaves(proof, len(opening_cost)):
        customer, row = price[: len(demand)], np.maximum(price[len(demand) :], 0.0)
        column = opening_cost + knapsacks(cost, demand, usable, customer) - row[0] * usable - row[1]
        constant = customer.sum() + row[0] * total + row[1] * count
        least = min(least, float((constant + _smallest(column, lower, upper)).min()))
    return least


def location_value(
    opening_cost: Floats, capacity: Floats, demand: Floats, cost: Floats, opened: Bools, share: Floats
) -> float:
    """Return what a plan costs; raises CheckError where it serves someone in part, from shut or overfull facilities."""
    _check_shares(share, share.sum(axis=1), opened)
    load = demand @ share
    if (load > capacity * (1.0 + _TOLERANCE) + _TOLERANCE).any():
        raise CheckError(f"Facility {int(np.argmax(load - capacity))} serves more than its capacity")
    return float(opening_cost[opened].sum() + np.where(share > 0.0, cost, 0.0).ravel() @ share.ravel())


def single_source_bound(opening_cost: Floats, capacity: Floats, demand: Floats, cost: Floats, proof: Proof) -> float:
    """Return the bound that ``proof`` proves where each customer is served whole: plans that split demand cost no more.

    Rounded up where all finite costs are whole numbers. Raises CheckError for a broken tree.
    """
    least = location_bound(opening_cost, capacity, demand, cost, proof)
    paid = np.concatenate([opening_cost, cost[np.isfinite(cost)]])
    return float(np.ceil(least - 1e-6)) if (paid == np.round(paid)).all() else least


def single_source_value(
    opening_cost: Floats, capacity: Floats, demand: Floats, cost: Floats, opened: Bools, assignment: Ints
) -> float:
    """Return what a plan with whole customers costs; raises CheckError as ``location_value`` does."""
    share = (assignment[:, None] == np.arange(len(opening_cost))).astype(np.float64)
    return location_value(opening_cost, capacity, demand, cost, opened, share)


def median_bound(distance: Floats, p: int, proof: Proof) -> float:
    """Return the bound that ``proof`` proves for a p-median, rounded up where all distances are whole numbers.

    Prices are those of the customers (n,) and of the row that p facilities open. Raises CheckError for a broken tree.
    """
    least = np.inf
    for price, lower, upper in leaves(proof, distance.shape[1]):
        customer, row = price[:-1], price[-1]
        column = np.minimum(distance - customer[:, None], 0.0).sum(axis=0) - row
        least = min(least, float((customer.sum() + p * row + _smallest(column, lower, upper)).min()))
    return float(np.ceil(least - 1e-6)) if (distance == np.round(distance)).all() else least


def median_value(distance: Floats, p: int, opened: Bools, assignment: Ints) -> float:
    """Return the total distance; raises CheckError where other than p facilities open or one serves that is shut."""
    if int(opened.sum()) != p:
        raise CheckError(f"{int(opened.sum())} facilities are open, expected {p}")
    if not opened[assignment].all():
        raise CheckError("A customer is assigned to a facility that is not open")
    return float(distance[np.arange(len(distance)), assignment].sum())


def staged_bound(task: StagedTask, proof: Proof) -> float:
    """Return the bound that ``proof`` proves for a staged location; raises CheckError for a broken tree.

    Prices are those of the customers (T, n), then of four kinds of rows: what is open stays open
    ((T - 1) * m), capacity (T), count (T) and budget (T).
    """
    stages, customers, count = task.cost.shape
    usable = np.minimum(task.capacity, task.demand.sum(axis=1)[:, None])
    strict = np.isinf(task.unserved_cost)
    must = np.where(strict, task.demand, 0.0).sum(axis=1)
    held = np.cumsum(-np.sort(-usable, axis=1), axis=1)
    fewest = np.minimum((held < must[:, None] * (1.0 - 1e-12)).sum(axis=1) + 1, count) * strict.any(axis=1)
    limit = np.cumsum(task.budget) if task.carry_over else task.budget
    least = np.inf
    for price, lower, upper in leaves(proof, stages * count):
        pay = np.minimum(price[: stages * customers].reshape(stages, customers), task.unserved_cost)
        kept, room, fewer, money = _staged_rows(price[stages * customers :], stages, count)
        money = np.where(np.isfinite(limit), money, 0.0)
        # What opens counts in its stage, and in all later ones where budgets carry over.
        spent = -np.cumsum(money[::-1])[::-1] if task.carry_over else -money
        dearer = 1.0 + np.append(spent, 0.0)
        opening = np.vstack([task.opening_cost, np.zeros((1, count))]) * dearer[:, None]
        running = task.running_cost * (1.0 + spent)[:, None]
        column = opening[:-1] - opening[1:] + running - room[:, None] * usable - fewer[:, None]
        column[1:] -= kept
        column[:-1] += kept
        column += np.array([knapsacks(task.cost[t], task.demand[t], usable[t], pay[t]) for t in range(stages)])
        constant = pay.sum() + room @ must + fewer @ fewest + money @ np.where(money < 0.0, limit, 0.0)
        least = min(least, float((constant + _smallest(column.ravel(), lower, upper)).min()))
    return least


def _staged_rows(price: Floats, stages: int, count: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the rows' prices by kind, those of the wrong sign as 0."""
    size = (stages - 1) * count
    kept, room, fewer, money = np.split(price, [size, size + stages, size + 2 * stages])
    positive = [np.maximum(part, 0.0) for part in (kept.reshape(stages - 1, count), room, fewer)]
    return positive[0], positive[1], positive[2], np.minimum(money, 0.0)


def staged_value(task: StagedTask, opened: Ints, share: Floats) -> float:
    """Return what a staged plan costs; raises CheckError where it breaks budgets, capacities or what must be served."""
    stages = len(task.demand)
    y = np.arange(stages)[:, None] >= opened[None, :]
    new = np.arange(stages)[:, None] == opened[None, :]
    spent = (task.opening_cost * new + task.running_cost * y).sum(axis=1)
    used, limit = (np.cumsum(spent), np.cumsum(task.budget)) if task.carry_over else (spent, task.budget)
    if (used > limit * (1.0 + _TOLERANCE) + _TOLERANCE).any():
        raise CheckError(f"Stage {int(np.argmax(used - limit))} spends more than its budget")
    total = float(spent.sum())
    for stage in range(stages):
        left = 1.0 - share[stage].sum(axis=1)
        must = np.isinf(task.unserved_cost[stage])
        _check_shares(share[stage], np.where(must, 1.0 - left, np.clip(1.0 - left, 1.0, None)), y[stage])
        if (task.demand[stage] @ share[stage] > task.capacity * (1.0 + _TOLERANCE) + _TOLERANCE).any():
            raise CheckError(f"A facility serves more than its capacity in stage {stage}")
        total += float(np.where(share[stage] > 0.0, task.cost[stage], 0.0).ravel() @ share[stage].ravel())
        total += float(np.where(must, 0.0, task.unserved_cost[stage]) @ np.maximum(left, 0.0))
    return total


def knapsacks(cost: Floats, demand: Floats, capacity: Floats, price: Floats) -> Floats:
    """Return the least (m,) that serving priced customers, divisible, can add at each facility."""
    gain = np.maximum(price[:, None] - cost, 0.0)
    rate = np.where(demand[:, None] > 0.0, gain / np.where(demand > 0.0, demand, 1.0)[:, None], np.inf)
    order = np.argsort(-rate, axis=0, kind="stable")
    weight = np.where(gain > 0.0, demand[:, None], 0.0)
    weight, gain = np.take_along_axis(weight, order, axis=0), np.take_along_axis(gain, order, axis=0)
    before = np.cumsum(weight, axis=0) - weight
    part = np.clip((capacity - before) / np.where(weight > 0.0, weight, 1.0), 0.0, 1.0)
    part = np.where(weight > 0.0, part, 1.0)
    return np.asarray(-(gain * part).sum(axis=0))


def leaves(proof: Proof, columns: int) -> Iterator[tuple[Floats, Codes, Codes]]:
    """Yield each row of prices with the limits (k, c) of the k leaves that it bounds.

    Raises CheckError unless the tree's leaves together hold every choice of the columns.
    """
    lower, upper = _limits(proof, columns)
    for row in range(len(proof.price)):
        some = proof.prices == row
        if some.any():
            yield proof.price[row], lower[some], upper[some]


def _limits(proof: Proof, columns: int) -> tuple[Codes, Codes]:
    """Return the limits (N, c) of every node, and check that the children of each inner node complete it."""
    nodes = len(proof.parent)
    lower, upper = np.zeros((nodes, columns), dtype=np.uint8), np.ones((nodes, columns), dtype=np.uint8)
    children: list[list[int]] = [[] for _ in range(nodes)]
    for node in range(1, nodes):
        parent, column, side = int(proof.parent[node]), int(proof.column[node]), int(proof.side[node])
        if not (0 <= parent < node and 0 <= column < columns and side in {0, 1}):
            raise CheckError(f"Node {node} of the tree hangs from no earlier node or column")
        lower[node], upper[node] = lower[parent], upper[parent]
        (lower if side else upper)[node, column] = side
        children[parent].append(node)
    for node in range(nodes):
        _check_children(proof, node, children[node])
    return lower, upper


def _check_children(proof: Proof, node: int, children: list[int]) -> None:
    below = np.array(children, dtype=np.int64)
    if proof.prices[node] >= 0:
        whole = not children and proof.prices[node] < len(proof.price)
    else:
        sides: Ints = np.sort(proof.side[below])
        whole = len(children) == 2 and sides.tolist() == [0, 1] and len(set(proof.column[below].tolist())) == 1
    if not whole:
        raise CheckError(f"Node {node} of the tree is neither a leaf with prices nor split in two sides")


def _smallest(column: Floats, lower: Codes, upper: Codes) -> Floats:
    """Return the least of ``column`` (c,) over each leaf's limits (k, c); infinite where they leave nothing."""
    least = np.where(column > 0.0, column * lower, column * upper).sum(axis=1)
    return np.asarray(np.where((lower > upper).any(axis=1), np.inf, least))


def _check_shares(share: Floats, served: Floats, opened: Bools) -> None:
    if (share < -_TOLERANCE).any() or (np.abs(served - 1.0) > _TOLERANCE * 10).any():
        raise CheckError(f"Customer {int(np.argmax(np.abs(served - 1.0)))} is not served once")
    if (share[:, ~opened] > 0.0).any():
        raise CheckError("A customer is served from a facility that is not open")
