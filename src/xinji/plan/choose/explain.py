"""Why each option is in the plan or out of it, and what the opposite would cost."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order

from xinji.core.arrays import Bools, Floats, Ints
from xinji.core.offer import EXISTING, FORBIDDEN
from xinji.core.plan import Plan, Reasons
from xinji.core.problem import Problem
from xinji.plan.choose.bound import Multipliers, all_roots
from xinji.plan.choose.construct import State, Task, new_state, out_gains, resume, task
from xinji.plan.choose.dependents import behind
from xinji.plan.choose.index import row_worth, stage_prices
from xinji.plan.choose.network import UNJOINED, graph_of, new_network, spread_joined, start_stage

REASONS = {
    "existing": "stands already",
    "fixed": "in because it was committed or fixed beforehand",
    "worth_it": "in because it is worth more than its price at the margin",
    "hosts_others": "in because others stand on it",
    "meets_floor": "in because a floor needs it",
    "outbid": "out because the money buys more elsewhere",
    "no_demand_left": "out because others serve its users already",
    "host_out": "out because its host is not built",
    "no_fibre_path": "out because no way leads from it to a point of presence",
    "forbidden": "out because it was ruled out beforehand",
}

TRENCH_REASONS = {
    "existing": "is there already",
    "fixed": "in because it was committed beforehand",
    "joins": "in because what stands behind it has no other way to a point of presence",
    "shortens": "in because it makes a second way: a shorter path, or one dug in time",
    "joined_otherwise": "out because both its ends are joined without it",
    "leads_nowhere": "out because nothing is built that needs it",
}


def explain(problem: Problem, stage: Ints, dug: Ints, served: Floats, prices: Multipliers) -> Reasons:
    """Return code, cost to force, price and worth of each option (n,).

    For what is in, worth is what is served through it now; for what is out, what it would add in
    its best stage. The cost to force is the difference between worth and price at the bound's price
    of money: an estimate, not a new plan.
    """
    n = len(problem.option_id)
    money = stage_prices(problem, prices.budget)
    worth = _worth_in(problem, served)
    unique_m, joinable = _way_costs(problem, stage, dug)
    adds, when = _worth_out(problem, stage, served, prices)
    out = stage < 0
    first = np.where(out, when, np.maximum(stage, 1))
    priced = _priced(problem, first, stage == EXISTING, unique_m, money)
    currency = _priced(problem, first, stage == EXISTING, unique_m, np.full(problem.stages, 0.01))
    worth = np.where(out, adds, worth)
    serves = np.bincount(problem.arc_option, minlength=n) + np.bincount(
        problem.arc_partner[problem.arc_partner >= 0], minlength=n
    )
    code = np.full(n, "outbid", dtype="U14")
    code[out & (worth <= 0)] = "no_demand_left"
    code[out & (problem.host >= 0) & (stage[problem.host] < 0)] = "host_out"
    code[out & ~joinable] = "no_fibre_path"
    code[out & (problem.built == FORBIDDEN)] = "forbidden"
    code[~out] = "worth_it"
    code[~out & (worth < priced) & (len(problem.floor_name) > 0)] = "meets_floor"
    code[~out & (serves == 0)] = "hosts_others"
    code[~out & (problem.built > EXISTING)] = "fixed"
    code[stage == EXISTING] = "existing"
    if problem.goal == "least_cost":
        code[code == "worth_it"] = "meets_floor"
        force = np.where(out, currency, 0.0)
    else:
        force = np.where(out, np.maximum(priced - worth, 0.0), np.maximum(worth - priced, 0.0))
    return Reasons(code, np.asarray(force), currency, worth)


def _worth_in(problem: Problem, served: Floats) -> Floats:
    worth = (problem.value[problem.arc_row] * served).sum(axis=1)
    n = len(problem.option_id)
    paired = problem.arc_partner >= 0
    total = np.bincount(problem.arc_option, weights=worth, minlength=n)
    total += np.bincount(problem.arc_partner[paired], weights=worth[paired], minlength=n)
    return np.asarray(total)


def _priced(problem: Problem, first: Ints, existing: Bools, trench: Floats, price: Floats) -> Floats:
    """Return capex and opex (n,) from stage ``first`` on with the trench, each stage's money at ``price`` (T,)."""
    later = np.cumsum(price[::-1])[::-1]
    once = np.where(existing, 0.0, problem.capex + trench)
    return np.asarray(once * price[first - 1] + problem.opex * later[first - 1])


def _way_costs(problem: Problem, stage: Ints, dug: Ints) -> tuple[Floats, Bools]:
    """Return the trench capex [cents] (n,) that only this option needs, and whether any way leads to it (n,)."""
    network = new_network(problem, all_roots(problem))
    network.dug[:] = dug
    there = dug >= 0
    ends = (problem.from_node[there], problem.to_node[there])
    order, parent, edge = _tree(problem, ends, np.flatnonzero(there))
    needed = np.zeros(problem.node_count + 1)
    standing = (stage > 0) & (problem.node >= 0)
    np.add.at(needed, problem.node[standing], 1.0)
    alone = np.zeros(problem.node_count + 1)
    for node in order[:0:-1]:
        if parent[node] >= 0:
            needed[parent[node]] += needed[node]
    for node in order[1:]:
        if edge[node] >= 0 and needed[node] == 1:
            alone[node] = problem.trench_capex[edge[node]] + alone[parent[node]]
    network.joined[order[order < problem.node_count]] = 0
    start_stage(graph_of(problem), network, problem.stages, np.inf)
    node = problem.node
    cost = np.where(stage > 0, alone[node], network.distance[node])
    joinable = (node < 0) | np.isfinite(network.distance[node])
    return np.where((node >= 0) & np.isfinite(cost), cost, 0.0), joinable


def _tree(problem: Problem, ends: tuple[Ints, Ints], edges: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the nodes outward from the roots, each node's parent, and its trench (-1 from the ring)."""
    v, roots = problem.node_count, all_roots(problem)
    tail, head = np.concatenate([ends[0], np.full(len(roots), v)]), np.concatenate([ends[1], roots])
    matrix = csr_array((np.ones(len(tail)), (tail, head)), shape=(v + 1, v + 1))
    order, parent = breadth_first_order(matrix, v, directed=False)
    low, high = np.minimum(*ends), np.maximum(*ends)
    number = {(int(a), int(b)): int(e) for a, b, e in zip(low, high, edges, strict=True)}
    edge = np.full(v + 1, -1, dtype=np.int64)
    for node in order[1:]:
        a, b = sorted((int(node), int(parent[node])))
        edge[node] = number.get((a, b), -1)
    return np.asarray(order, dtype=np.int64), np.asarray(parent, dtype=np.int64), edge


def _worth_out(problem: Problem, stage: Ints, served: Floats, prices: Multipliers) -> tuple[Floats, Ints]:
    """Return what each option that is out would add (n,), and from which stage it would add most for its cost."""
    plan, state = standing_state(problem, stage, served, prices)
    money = stage_prices(problem, prices.budget)
    worth = row_worth(problem, prices.floor)
    adds, when = np.zeros(len(stage)), np.ones(len(stage), dtype=np.int64)
    best = np.full(len(stage), -np.inf)
    later = np.cumsum(money[::-1])[::-1]
    for t in range(1, problem.stages + 1):
        gain = out_gains(plan, state, worth, t)
        net = gain - problem.capex * money[t - 1] - problem.opex * later[t - 1]
        better = net > best
        best, adds, when = np.where(better, net, best), np.where(better, gain, adds), np.where(better, t, when)
    return adds, when


def standing_state(problem: Problem, stage: Ints, served: Floats, prices: Multipliers) -> tuple[Task, State]:
    """Return the constructor's view of a finished plan: what stands and what it serves (a, T)."""
    plan = task(problem, stage_prices(problem, prices.budget), prices.capacity)
    state = new_state(problem, plan.arcs)
    resume(plan, state, served[plan.arcs.arc], stage)
    return plan, state


def trench_reason(problem: Problem, plan: Plan, trench: int) -> str:
    """Return why ``trench`` is in ``plan`` or out of it, a key of ``TRENCH_REASONS``."""
    built, stage = problem.trench_built[trench], plan.trench_stage[trench]
    if built == EXISTING:
        return "existing"
    if stage >= EXISTING:
        alone = len(behind(problem, plan.stage, plan.trench_stage, trench)) > 0
        return "fixed" if built > EXISTING else "joins" if alone else "shortens"
    network = new_network(problem, all_roots(problem))
    network.dug[:] = plan.trench_stage
    spread_joined(problem, network, problem.stages)
    ends = np.array([problem.from_node[trench], problem.to_node[trench]])
    return "joined_otherwise" if (network.joined[ends] < UNJOINED).all() else "leads_nowhere"
