"""The best plan of a small Problem by trying every plan: shares nothing with the package's solver."""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from xinji.core.arrays import Bools, Floats, Ints
from xinji.core.offer import EXISTING, FORBIDDEN, FREE
from xinji.core.problem import Problem
from xinji.core.vocabulary import RESOURCES

Net = tuple[int, ...]
Block = tuple[int, tuple[int, ...]]
"""A service problem: stage index, and the arcs that can serve."""


def enumerate_best(problem: Problem) -> float | None:
    """Return the best objective (worth, or discounted currency) over all plans; None where there is none."""
    options = _assignments(problem.built, problem.stages)
    options = options[[_hosted(problem, row) for row in options]]
    trenches = _assignments(problem.trench_built, problem.stages)
    bits = 1 << np.arange(options.shape[1])
    standing = np.stack([((options >= 0) & (options <= t)) @ bits for t in range(1, problem.stages + 1)], axis=1)
    nets = [[_net(row, t) for t in range(1, problem.stages + 1)] for row in trenches]
    different = {net for row in nets for net in row}
    joinable = {net: _joinable(problem, net) for net in different}
    lengths = {net: _lengths(problem, net) for net in different}
    needs = bits[(problem.node >= 0) & (problem.built != EXISTING)].sum()
    join = np.array([[joinable[net] for net in row] for row in nets])
    spend = _spend(options, problem.capex, problem.opex, problem.stages)
    spend_below = _spend(trenches, problem.trench_capex, problem.trench_opex, problem.stages)
    blocks: dict[Block, int] = {}
    tables = {(t, net): np.full(1 << options.shape[1], -1) for net in different for t in range(problem.stages)}
    uses, costs = [np.zeros((0, problem.stages), dtype=np.int64)], [np.zeros((0, problem.stages), dtype=np.int64)]
    for k, row in enumerate(nets):
        fits = ((standing & needs & ~join[k]) == 0).all(axis=1)
        if problem.goal == "most_value":
            total, limit = spend + spend_below[k], problem.budget
            if problem.carry_over:
                total, limit = np.cumsum(total, axis=1), np.cumsum(limit)
            fits &= (total <= limit).all(axis=1)
        for t in range(problem.stages):
            table = tables[t, row[t]]
            for mask in np.unique(standing[fits, t]):
                if table[mask] < 0:
                    block = _block(problem, t, int(mask), lengths[row[t]])
                    table[mask] = blocks.setdefault(block, len(blocks))
        uses.append(np.stack([tables[t, row[t]][standing[fits, t]] for t in range(problem.stages)], axis=1))
        costs.append(spend[fits] + spend_below[k])
    served = _values(problem, list(blocks))[np.concatenate(uses)]
    possible = np.isfinite(served).all(axis=1)
    if not possible.any():
        return None
    if problem.goal == "most_value":
        return float(served[possible].sum(axis=1).max())
    return float((np.concatenate(costs)[possible] @ problem.discount).min()) / 100.0


def _assignments(built: Ints, stages: int) -> Ints:
    choices = {FREE: [-1, *range(1, stages + 1)], FORBIDDEN: [-1]}
    return np.array(list(product(*(choices.get(code, [code]) for code in built.tolist()))), dtype=np.int64)


def _net(stage: Ints, t: int) -> Net:
    return tuple(np.flatnonzero((stage >= 0) & (stage <= t)).tolist())


def _hosted(problem: Problem, stage: Ints) -> bool:
    pairs = [(stage[n], stage[h]) for n, h in enumerate(problem.host) if h >= 0]
    return all(mine < 0 or 0 <= theirs <= mine for mine, theirs in pairs)


def _spend(stage: Ints, capex: Ints, opex: Ints, stages: int) -> Ints:
    """Return (plans, T) cents."""
    by_stage = [(stage == t) @ capex + ((stage >= 0) & (stage <= t)) @ opex for t in range(1, stages + 1)]
    return np.stack(by_stage, axis=1)


def _roots(problem: Problem) -> list[int]:
    there = [int(v) for v, code in zip(problem.node, problem.built, strict=True) if code == EXISTING and v >= 0]
    return [*problem.roots.tolist(), *there]


def _joinable(problem: Problem, net: Net) -> int:
    """Return, as bits, the options whose own node is reached from a root."""
    reached = set(_roots(problem))
    for _ in range(problem.node_count):
        for e in net:
            ends = {int(problem.from_node[e]), int(problem.to_node[e])}
            if ends & reached:
                reached |= ends
    return sum(1 << n for n, node in enumerate(problem.node.tolist()) if node in reached)


def _lengths(problem: Problem, net: Net) -> Floats:
    """Return all shortest lengths (v + 1, v + 1), the metro ring last (Floyd and Warshall)."""
    ring = problem.node_count
    far = np.full((ring + 1, ring + 1), np.inf)
    np.fill_diagonal(far, 0.0)
    edges = [(int(problem.from_node[e]), int(problem.to_node[e]), float(problem.trench_length_m[e])) for e in net]
    for u, v, length in [*edges, *((root, ring, 0.0) for root in _roots(problem))]:
        far[u, v] = far[v, u] = min(far[u, v], length)
    for via in range(ring + 1):
        far = np.minimum(far, far[:, via, None] + far[via])
    return far


def _node(problem: Problem, option: int) -> int:
    while problem.node[option] < 0 and problem.host[option] >= 0:
        option = int(problem.host[option])
    node = int(problem.node[option])
    return node if node >= 0 else problem.node_count


def _block(problem: Problem, t: int, mask: int, far: Floats) -> Block:
    live = []
    ends = zip(problem.arc_option.tolist(), problem.arc_partner.tolist(), strict=True)
    for arc, (option, partner) in enumerate(ends):
        if not mask >> option & 1 or (partner >= 0 and not mask >> partner & 1):
            continue
        if partner >= 0 and far[_node(problem, option), _node(problem, partner)] > problem.arc_limit_m[arc] + 1e-6:
            continue
        live.append(arc)
    return t, tuple(live)


def _values(problem: Problem, blocks: list[Block]) -> Floats:
    """Return the largest worth served of each block, minus infinity where a floor is missed.

    All blocks are one linear program; missing a floor costs more than anything could gain.
    """
    triples: list[tuple[int, int, float]] = []
    limit: list[float] = []
    cost: list[float] = []
    upper: list[float] = []
    span: list[tuple[int, int, int]] = []
    for t, live in blocks:
        first = len(cost)
        cost += [-float(problem.value[problem.arc_row[arc], t]) for arc in live]
        upper += [float(problem.arc_share[arc]) for arc in live]
        for terms, room in _limits(problem, t, live):
            triples += [(len(limit), first + place, use) for place, use in terms]
            limit.append(room)
        last = len(cost)
        for f in np.flatnonzero(problem.floor_stage <= t + 1):
            weights = [(p, -float(problem.floor_weight[f, problem.arc_row[arc]])) for p, arc in enumerate(live)]
            triples += [(len(limit), first + p, w) for p, w in weights]
            triples.append((len(limit), len(cost), -1.0))
            limit.append(-float(problem.floor_amount[f]))
            cost.append(1e4)
            upper.append(np.inf)
        span.append((first, last, len(cost)))
    if not cost:
        return np.zeros(len(blocks))
    row, column, use = zip(*triples, strict=True) if triples else ((), (), ())
    matrix = csr_array((np.array(use, dtype=float), (row, column)), shape=(len(limit), len(cost)))
    rooms = LinearConstraint(matrix, ub=np.array(limit))
    answer = milp(np.array(cost), constraints=rooms, bounds=Bounds(0.0, np.array(upper)))
    assert answer.status == 0, answer.message
    gain = -np.array(cost) * answer.x
    missed: Bools = np.array([(answer.x[last:end] > 1e-7).any() for _, last, end in span])
    return np.where(missed, -np.inf, [gain[first:last].sum() for first, last, _ in span])


def _limits(problem: Problem, t: int, live: tuple[int, ...]) -> list[tuple[list[tuple[int, float]], float]]:
    """Return (terms, room): rows served once, and capacities."""
    rows = range(len(problem.value))
    found = [([(p, 1.0) for p, arc in enumerate(live) if problem.arc_row[arc] == row], 1.0) for row in rows]
    for k, resource in enumerate(RESOURCES):
        for n in range(len(problem.option_id)):
            terms = []
            for p, arc in enumerate(live):
                own = resource != "servers" or problem.arc_partner[arc] < 0
                if n == (problem.arc_option if own else problem.arc_partner)[arc]:
                    terms.append((p, float(problem.amount[problem.arc_row[arc], t, k])))
            if np.isfinite(problem.capacity[n, k]):
                found.append((terms, float(problem.capacity[n, k])))
    return [(terms, room) for terms, room in found if terms]
