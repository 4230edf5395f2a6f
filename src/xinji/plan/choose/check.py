"""The independent checker: every promise of a plan, verified from the Problem alone, without the solver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from xinji.core.arrays import AnyArray, Bools, Ints
from xinji.core.offer import EXISTING, FORBIDDEN, FREE
from xinji.core.plan import Plan
from xinji.core.problem import NEVER, Problem
from xinji.core.vocabulary import RESOURCES
from xinji.errors import CheckError
from xinji.plan.choose.certificate import certified_bound
from xinji.units import CENTS_PER_UNIT

_SHARE = 1e-6
_LENGTH_M = 1e-6
_TINY = 1e-12
_OPTIMAL_GAP = 1e-4
_SERVES = 1e-9
_SERVERS = RESOURCES.index("servers")


def check(problem: Problem, plan: Plan) -> None:
    """Raise CheckError with every violation in words unless ``plan`` keeps all that ``problem`` asks."""
    found = list(_violations(problem, plan))
    if found:
        raise CheckError("\n".join(found))


def _violations(problem: Problem, plan: Plan) -> Iterator[str]:
    if plan.fingerprint != problem.fingerprint:
        prints = f"fingerprint {plan.fingerprint[:12]}, expected {problem.fingerprint[:12]}"
        yield f"the plan is of another problem: {prints}"
    wrong = [*_shapes(problem, plan)]
    yield from wrong
    if wrong:
        return
    wrong = [*_codes(problem, plan)]
    yield from wrong
    if wrong:
        return
    yield from _hosts(problem, plan)
    yield from _joined(problem, plan)
    yield from _money(problem, plan)
    yield from _shares(problem, plan)
    yield from _paths(problem, plan)
    yield from _capacities(problem, plan)
    yield from _floors(problem, plan)
    yield from _figures(problem, plan)
    yield from _proof(problem, plan)


def _shapes(problem: Problem, plan: Plan) -> Iterator[str]:
    n, stages = len(problem.option_id), problem.stages
    expected: tuple[tuple[str, AnyArray, tuple[int, ...], str], ...] = (
        ("stage", plan.stage, (n,), "i"),
        ("trench_stage", plan.trench_stage, (len(problem.trench_id),), "i"),
        ("served", plan.served, (len(problem.arc_row), stages), "f"),
        ("spend", plan.spend, (stages,), "i"),
        ("reasons.code", plan.reasons.code, (n,), "U"),
        ("reasons.cost_to_force", plan.reasons.cost_to_force, (n,), "f"),
        ("reasons.price", plan.reasons.price, (n,), "f"),
        ("reasons.worth", plan.reasons.worth, (n,), "f"),
    )
    for name, array, shape, kind in expected:
        if array.shape != shape:
            yield f"{name} has shape {array.shape}, expected {shape}"
        elif array.dtype.kind != kind:
            yield f"{name} has type {array.dtype}, expected kind {kind!r} (i whole numbers, f floats, U text)"


def _codes(problem: Problem, plan: Plan) -> Iterator[str]:
    """Yield stages out of range, and what exists, is committed or forbidden and not kept so."""
    groups = (
        ("option", problem.option_id, problem.built, plan.stage),
        ("trench", problem.trench_id, problem.trench_built, plan.trench_stage),
    )
    for kind, names, built, stage in groups:
        for place in np.flatnonzero((stage < NEVER) | (stage > problem.stages)):
            yield f"{kind} {_name(names, place)} has stage {stage[place]}, expected -1 to {problem.stages}"
        for place in np.flatnonzero((built >= EXISTING) & (stage != built)):
            asked = "exists already (stage 0)" if built[place] == EXISTING else f"is committed to stage {built[place]}"
            yield f"{kind} {_name(names, place)} {asked}, the plan has stage {stage[place]}"
        for place in np.flatnonzero((built == FORBIDDEN) & (stage != NEVER)):
            yield f"{kind} {_name(names, place)} is forbidden, the plan has stage {stage[place]}"
        for place in np.flatnonzero((built == FREE) & (stage == EXISTING)):
            yield f"{kind} {_name(names, place)} does not exist yet, the plan has stage 0"


def _hosts(problem: Problem, plan: Plan) -> Iterator[str]:
    stage, host = plan.stage, problem.host
    late = (host >= 0) & (stage >= 0) & ((stage[host] < 0) | (stage[host] > stage))
    for option in np.flatnonzero(late):
        name, other = _name(problem.option_id, option), _name(problem.option_id, host[option])
        yield f"option {name} stands from stage {stage[option]}, its host {other} has stage {stage[host[option]]}"


def _joined(problem: Problem, plan: Plan) -> Iterator[str]:
    """Yield options that stand while no trench joins their node to a root."""
    needs = (problem.node >= 0) & (problem.built != EXISTING)
    for t in range(1, problem.stages + 1):
        label = connected_components(_graph(problem, _up(plan.trench_stage, t)), directed=False)[1]
        rooted = np.isin(label[problem.node], label[_roots(problem)])
        for option in np.flatnonzero(needs & _up(plan.stage, t) & ~rooted):
            node = problem.node[option]
            yield (
                f"option {_name(problem.option_id, option)} stands in {problem.years[t - 1]}, but no trench joins "
                f"its node {node} to a point of presence"
            )


def _money(problem: Problem, plan: Plan) -> Iterator[str]:
    """Yield stages whose spending is not what the plan says, or more than the budget; to the cent."""
    spent = _spent(problem, plan)
    for t in np.flatnonzero(spent != plan.spend):
        yield f"spend in {problem.years[t]} is given as {_units(plan.spend[t])}, recomputed {_units(spent[t])}"
    if problem.goal == "least_cost":
        return
    limit, counted, since = problem.budget, spent, "in"
    if problem.carry_over:
        limit, counted, since = np.cumsum(limit), np.cumsum(spent), "up to"
    for t in np.flatnonzero(counted > limit):
        yield f"{_units(counted[t])} is spent {since} {problem.years[t]}; the budget is {_units(limit[t])}"


def _shares(problem: Problem, plan: Plan) -> Iterator[str]:
    """Yield service beyond an arc's share, by what does not stand, or of a row more than once."""
    served = plan.served
    for t in range(problem.stages):
        year, share = problem.years[t], served[:, t]
        for arc in np.flatnonzero(~((share >= 0.0) & (share <= problem.arc_share * (1.0 + _SHARE)))):
            allowed = f"allowed 0 to {problem.arc_share[arc]:g}"
            yield f"arc {arc} serves {share[arc]:g} of row {problem.arc_row[arc]} in {year}, {allowed}"
        stands = _up(plan.stage, t + 1)
        uses = share > _SERVES
        for role, option in (("option", problem.arc_option), ("partner", problem.arc_partner)):
            for arc in np.flatnonzero(uses & (option >= 0) & ~stands[option]):
                name = _name(problem.option_id, option[arc])
                yield f"arc {arc} serves row {problem.arc_row[arc]} in {year}, but its {role} {name} does not stand"
        total = np.bincount(problem.arc_row, weights=share, minlength=len(problem.value))
        for row in np.flatnonzero(total > 1.0 + _SHARE):
            yield f"row {row} is served {total[row]:.6f} times in {year}, at most once is possible"


def _paths(problem: Problem, plan: Plan) -> Iterator[str]:
    """Yield service over a fibre path between option and partner that is longer than its limit."""
    node = _nodes(problem)
    for t in range(1, problem.stages + 1):
        used = plan.served[:, t - 1] > _SERVES
        arcs = np.flatnonzero(used & (problem.arc_partner >= 0) & np.isfinite(problem.arc_limit_m))
        if not len(arcs):
            continue
        ring = problem.node_count
        tail, head = node[problem.arc_option[arcs]], node[problem.arc_partner[arcs]]
        tail, head = np.where(tail < 0, ring, tail), np.where(head < 0, ring, head)
        start, place = np.unique(tail, return_inverse=True)
        graph = _graph(problem, _up(plan.trench_stage, t), ring=_roots(problem))
        length = dijkstra(graph, directed=False, indices=start)[place, head]
        for arc, far in zip(arcs, length, strict=True):
            limit = problem.arc_limit_m[arc]
            if far > limit + _LENGTH_M:
                ends = [_name(problem.option_id, end[arc]) for end in (problem.arc_option, problem.arc_partner)]
                yield (
                    f"arc {arc} serves in {problem.years[t - 1]} over {far:,.1f} m of fibre between {ends[0]} and "
                    f"{ends[1]}; the limit is {limit:,.1f} m"
                )


def _capacities(problem: Problem, plan: Plan) -> Iterator[str]:
    for k, resource in enumerate(RESOURCES[: problem.capacity.shape[1]]):
        carrier = problem.arc_option
        if k == _SERVERS:
            carrier = np.where(problem.arc_partner >= 0, problem.arc_partner, carrier)
        for t in range(problem.stages):
            use = problem.amount[problem.arc_row, t, k] * plan.served[:, t]
            used = np.bincount(carrier, weights=use, minlength=len(problem.option_id))
            room = np.where(_up(plan.stage, t + 1), problem.capacity[:, k], 0.0)
            for option in np.flatnonzero(used > room * (1.0 + _SHARE) + _SHARE):
                yield (
                    f"option {_name(problem.option_id, option)} carries {used[option]:,.3f} {resource} in "
                    f"{problem.years[t]}; its capacity is {room[option]:,.3f}"
                )


def _floors(problem: Problem, plan: Plan) -> Iterator[str]:
    for floor, name in enumerate(problem.floor_name):
        reached = problem.floor_weight[floor, problem.arc_row] @ plan.served
        amount = problem.floor_amount[floor]
        for t in range(int(problem.floor_stage[floor]) - 1, problem.stages):
            if not reached[t] >= amount * (1.0 - _SHARE):
                asked = f"asks for {amount:,.3f} in {problem.years[t]}"
                yield f"floor {str(name)!r} {asked}, the plan reaches {reached[t]:,.3f}"


def _figures(problem: Problem, plan: Plan) -> Iterator[str]:
    """Yield figures that do not follow from the plan's own arrays."""
    if problem.goal == "most_value":
        objective = float((problem.value[problem.arc_row] * plan.served).sum())
    else:
        objective = float(problem.discount @ _spent(problem, plan)) / CENTS_PER_UNIT
    if not _near(plan.objective, objective):
        yield f"the objective is given as {plan.objective:.9g}, recomputed {objective:.9g}"
    over = plan.objective - plan.bound if problem.goal == "most_value" else plan.bound - plan.objective
    if not over <= _SHARE * max(abs(plan.objective), _TINY):
        yield f"the bound {plan.bound:.9g} is on the wrong side of the objective {plan.objective:.9g}"
    gap = abs(plan.bound - plan.objective) / max(abs(plan.objective), _TINY)
    if not (plan.gap == gap or abs(plan.gap - gap) <= _SHARE * max(1.0, gap)):
        yield f"the gap is given as {plan.gap:.9g}, recomputed {gap:.9g}"
    if plan.optimal and not gap <= _OPTIMAL_GAP:
        yield f"the plan is called optimal at a gap of {gap:.3g}"


def _proof(problem: Problem, plan: Plan) -> Iterator[str]:
    """Yield why the certificate does not prove the plan's bound.

    A bound from branch and bound may be tighter than the certificate, which must then still be valid.
    """
    try:
        proved = certified_bound(problem, plan.certificate)
    except CheckError as error:
        yield str(error)
        return
    if plan.notes.get("bound") == "branch and bound":
        short = plan.objective - proved if problem.goal == "most_value" else proved - plan.objective
        if not short <= _SHARE * max(abs(plan.objective), _TINY):
            yield f"the certificate's bound {proved:.9g} is on the wrong side of the objective {plan.objective:.9g}"
    elif not _near(plan.bound, proved):
        yield f"the bound is given as {plan.bound:.9g}, the certificate proves {proved:.9g}"


def _up(stage: Ints, t: int) -> Bools:
    """Return what stands in stage ``t`` (1..T)."""
    return (stage >= EXISTING) & (stage <= t)


def _roots(problem: Problem) -> Ints:
    there = (problem.built == EXISTING) & (problem.node >= 0)
    return np.concatenate([problem.roots, problem.node[there]])


def _nodes(problem: Problem) -> Ints:
    """Return the node (n,) of each option or of the nearest host that has one; -1 where none has."""
    node, host = problem.node.copy(), problem.host.copy()
    while ((node < 0) & (host >= 0)).any():
        node = np.where((node < 0) & (host >= 0), problem.node[host], node)
        host = np.where(host >= 0, problem.host[host], -1)
    return node


def _graph(problem: Problem, standing: Bools, ring: Ints | None = None) -> csr_array:
    """Return the standing trenches as a graph of lengths [m]; ``ring`` nodes are joined by one further node."""
    count = problem.node_count
    tail, head, length = problem.from_node[standing], problem.to_node[standing], problem.trench_length_m[standing]
    if ring is not None:
        tail, head = np.append(tail, ring), np.append(head, np.full(len(ring), count))
        length = np.append(length, np.zeros(len(ring)))
    low, high = np.minimum(tail, head), np.maximum(tail, head)
    order = np.lexsort((length, high, low))
    _, first = np.unique(low[order] * (count + 1) + high[order], return_index=True)
    kept = order[first]
    # The graph routines take a stored zero for no edge.
    length = np.maximum(length[kept], _TINY)
    return csr_array((length, (low[kept], high[kept])), shape=(count + 1,) * 2)


def _spent(problem: Problem, plan: Plan) -> Ints:
    """Return capex in the stage of building and opex of all that stands, by stage (T,) [cents]."""
    spent = np.zeros(problem.stages, dtype=np.int64)
    for t in range(1, problem.stages + 1):
        spent[t - 1] += problem.capex[plan.stage == t].sum() + problem.opex[_up(plan.stage, t)].sum()
        spent[t - 1] += problem.trench_capex[plan.trench_stage == t].sum()
        spent[t - 1] += problem.trench_opex[_up(plan.trench_stage, t)].sum()
    return spent


def _near(given: float, expected: float) -> bool:
    return given == expected or abs(given - expected) <= _SHARE * max(abs(expected), _TINY)


def _units(cents: int) -> str:
    return f"{int(cents) / CENTS_PER_UNIT:,.2f}"


def _name(names: AnyArray, place: np.integer[Any]) -> str:
    return repr(str(names[place]))
