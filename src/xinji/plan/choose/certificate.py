"""The bound that a certificate proves, recomputed from the Problem alone with plain array arithmetic.

It shares nothing with the modules that found the certificate, so a mistake there shows here.

Weak duality: let x be any plan. Every relaxed constraint g(x) >= 0 has a price y >= 0, so objective(x)
<= objective(x) + y g(x) <= max over relaxed plans of the right side. Relaxed plans keep only: what is
built stays; a fixed option keeps its stage; an option stands no earlier than its host, or else than
the moats around it; a moat no earlier than the moat around it.

Moats: at each moment of its growth a moat is a set of nodes without a root, so a plan in which an
option stands inside has dug one of the trenches that leave it. Moats load each trench with no more
than its capex, so a plan's trenches cost at least the moats' widths, each paid when such a trench
is dug; and paying a moat in the cheapest stage up to its need keeps the order of moats.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinji.core.arrays import AnyArray, Floats, Ints
from xinji.core.offer import EXISTING, FREE
from xinji.core.plan import Certificate
from xinji.core.problem import Problem
from xinji.core.vocabulary import RESOURCES
from xinji.errors import CheckError
from xinji.units import CENTS_PER_UNIT

_SERVERS = RESOURCES.index("servers")
_LOAD_SHARE = 1e-9
_LOAD_CENTS = 1e-3


def certified_bound(problem: Problem, certificate: Certificate) -> float:
    """Return the bound that ``certificate`` proves: worth from above, or under least_cost currency from below.

    Raises CheckError with every fault where the certificate proves nothing.
    """
    faults = list(certificate_faults(problem, certificate))
    if faults:
        raise CheckError("\n".join(faults))
    floor = np.where(_floor_due(problem), certificate.floor, 0.0)
    value = _best_choice(problem, certificate, _option_gains(problem, certificate, floor))
    value += float(certificate.row.sum()) - float((floor * problem.floor_amount[:, None]).sum())
    if problem.goal == "least_cost":
        return -value
    limit = np.cumsum(problem.budget) if problem.carry_over else problem.budget
    return value + float((certificate.budget * limit).sum())


def certificate_faults(problem: Problem, certificate: Certificate) -> Iterator[str]:
    """Yield in words whatever keeps ``certificate`` from proving a bound."""
    wrong = list(_shape_faults(problem, certificate))
    yield from wrong
    if wrong:
        return
    for name in ("budget", "row", "capacity", "floor", "pair"):
        price = getattr(certificate, name)
        bad = ~(np.isfinite(price) & (price >= 0.0))
        if bad.any():
            yield f"certificate: {int(bad.sum())} of the multipliers {name!r} are negative or no number"
    circular = _circular(certificate.moat_parent)
    if circular:
        yield "certificate: moats lie around each other in a circle"
        return
    yield from _moat_faults(problem, certificate)


def pairs(problem: Problem) -> tuple[Ints, Ints, Ints, Ints]:
    """Return row (p,) and option (p,) of each pair, and (arc, pair) of each arc that stands on one (q,), (q,).

    A pair is a row and an option that arcs of the row stand on: as a partner, as a partner's host,
    or as their own host if there are at least two of them. Together they serve the row at most once.
    """
    n, arcs = len(problem.option_id), np.arange(len(problem.arc_row))
    has = problem.arc_partner >= 0
    first = problem.arc_row * n
    partner_host = np.where(has, problem.host[problem.arc_partner], -1)
    own_host = problem.host[problem.arc_option]
    columns = ((problem.arc_partner, True), (partner_host, True), (own_host, False))
    key = np.concatenate([first[anchor >= 0] + anchor[anchor >= 0] for anchor, _ in columns])
    arc = np.concatenate([arcs[anchor >= 0] for anchor, _ in columns])
    must = np.concatenate([np.full(int((anchor >= 0).sum()), far) for anchor, far in columns])
    known, place = np.unique(key, return_inverse=True)
    member = np.unique(np.column_stack([place, arc]), axis=0)
    kept = np.bincount(member[:, 0], minlength=len(known)) > 1
    kept[place[must]] = True
    number = np.cumsum(kept) - 1
    inside = kept[member[:, 0]]
    return known[kept] // n, known[kept] % n, member[inside, 1], number[member[inside, 0]]


def trench_loads(problem: Problem, certificate: Certificate) -> Floats:
    """Return for how long [cents] exactly one end of each trench (m,) lies in a moat, summed over moats."""
    grows, stops, parent = certificate.moat_from, certificate.moat_to, certificate.moat_parent
    depth = np.append(_depths(parent), -1)
    above = np.append(parent, -1)
    low, high = np.append(grows, 0.0), np.append(stops, 0.0)
    a, b = certificate.node_moat[problem.from_node], certificate.node_moat[problem.to_node]
    since_a, since_b = certificate.node_time[problem.from_node], certificate.node_time[problem.to_node]
    load = np.zeros(len(problem.trench_id))
    while ((a >= 0) | (b >= 0)).any():
        shared = a == b
        step_a = shared | (depth[a] >= depth[b])
        step_b = shared | (depth[b] >= depth[a])
        inside_a = high[a] - np.clip(since_a, low[a], high[a])
        inside_b = high[b] - np.clip(since_b, low[b], high[b])
        apart = np.where(step_a, inside_a, 0.0) + np.where(step_b, inside_b, 0.0)
        load += np.where(shared, np.abs(inside_a - inside_b), apart)
        a, b = np.where(step_a, above[a], a), np.where(step_b, above[b], b)
    return load


def _shape_faults(problem: Problem, certificate: Certificate) -> Iterator[str]:
    stages, (n, resources) = problem.stages, problem.capacity.shape
    k, nodes = len(certificate.moat_from), problem.node_count
    expected: tuple[tuple[str, tuple[int, ...]], ...] = (
        ("budget", (stages,)),
        ("row", (len(problem.value), stages)),
        ("capacity", (n, stages, resources)),
        ("floor", (len(problem.floor_name), stages)),
        ("pair", (len(pairs(problem)[0]), stages)),
        ("moat_from", (k,)),
        ("moat_to", (k,)),
        ("moat_parent", (k,)),
        ("node_moat", (nodes,)),
        ("node_time", (nodes,)),
        ("option_moat", (n,)),
    )
    for name, shape in expected:
        array: AnyArray = getattr(certificate, name)
        if array.shape != shape:
            yield f"certificate: {name} has shape {array.shape}, expected {shape}"
        elif name in {"moat_parent", "node_moat", "option_moat"} and ((array < -1) | (array >= k)).any():
            yield f"certificate: {name} names a moat that is not there"


def _moat_faults(problem: Problem, certificate: Certificate) -> Iterator[str]:
    grows, stops, since = certificate.moat_from, certificate.moat_to, certificate.node_time
    if not (np.isfinite(grows) & np.isfinite(stops) & (grows <= stops)).all() or not np.isfinite(since).all():
        yield "certificate: a moat shrinks, or a time is no number"
        return
    there = (problem.built == EXISTING) & (problem.node >= 0)
    roots = np.concatenate([problem.roots, problem.node[there]])
    for node in np.unique(roots[certificate.node_moat[roots] >= 0]):
        yield f"certificate: the root at node {node} lies in a moat"
    capex = np.where(problem.trench_built == EXISTING, 0, problem.trench_capex).astype(float)
    load = trench_loads(problem, certificate)
    for edge in np.flatnonzero(~(load <= capex * (1.0 + _LOAD_SHARE) + _LOAD_CENTS)):
        name = str(problem.trench_id[edge])
        yield f"certificate: moats load trench {name!r} with {load[edge]:,.3f} cents; its capex is {capex[edge]:,.0f}"
    yield from _option_faults(problem, certificate)


def _option_faults(problem: Problem, certificate: Certificate) -> Iterator[str]:
    """Yield the options that are not inside their moats during all of the moats' growth."""
    options = np.flatnonzero((certificate.option_moat >= 0) & (problem.host < 0))
    moat, parent = certificate.option_moat[options], certificate.moat_parent
    node = problem.node[options]
    inside, at = np.zeros(len(options), dtype=bool), np.where(node >= 0, certificate.node_moat[node], -1)
    while (at >= 0).any():
        inside |= at == moat
        at = np.where(at >= 0, parent[at], -1)
    since = np.where(node >= 0, certificate.node_time[node], np.inf)
    earliest, at = np.full(len(options), np.inf), moat.copy()
    while (at >= 0).any():
        earliest = np.where(at >= 0, np.minimum(earliest, certificate.moat_from[at]), earliest)
        at = np.where(at >= 0, parent[at], -1)
    for option in options[~(inside & (since <= earliest))]:
        yield f"certificate: option {str(problem.option_id[option])!r} is not inside its moats while they grow"


def _circular(parent: Ints) -> bool:
    above, rest = parent.copy(), len(parent)
    while (above >= 0).any() and rest:
        above = np.where(above >= 0, parent[above], -1)
        rest -= 1
    return bool((above >= 0).any())


def _depths(parent: Ints) -> Ints:
    """Return how many nodes stand above each (k,)."""
    depth, above = np.zeros(len(parent), dtype=np.int64), parent.copy()
    while (above >= 0).any():
        depth += above >= 0
        above = np.where(above >= 0, parent[above], -1)
    return depth


def _floor_due(problem: Problem) -> AnyArray:
    return np.arange(1, problem.stages + 1) >= problem.floor_stage[:, None]


def _option_gains(problem: Problem, certificate: Certificate, floor: Floats) -> Floats:
    """Return what each option standing in each stage adds to the Lagrangian (n, T), costs apart."""
    limited = np.isfinite(problem.capacity)
    price = np.where(limited[:, None, :], certificate.capacity, 0.0)
    worth = problem.floor_weight.T @ floor - certificate.row
    if problem.goal == "most_value":
        worth = worth + problem.value
    profit = worth[problem.arc_row]
    for k in range(problem.capacity.shape[1]):
        partner = problem.arc_partner if k == _SERVERS else np.full(len(profit), -1)
        carrier = np.where(partner >= 0, partner, problem.arc_option)
        profit = profit - problem.amount[problem.arc_row, :, k] * price[carrier, :, k]
    _, pair_option, arc, pair = pairs(problem)
    np.subtract.at(profit, arc, certificate.pair[pair])
    gain: Floats = (np.where(limited, problem.capacity, 0.0)[:, None, :] * price).sum(axis=2)
    np.add.at(gain, problem.arc_option, problem.arc_share[:, None] * np.maximum(profit, 0.0))
    np.add.at(gain, pair_option, certificate.pair)
    return gain


def _cent_prices(problem: Problem, certificate: Certificate) -> Floats:
    """Return what a cent spent in each stage (T,) takes off the Lagrangian."""
    if problem.goal == "least_cost":
        return np.asarray(problem.discount / CENTS_PER_UNIT, dtype=np.float64)
    rows = np.tri(problem.stages) if problem.carry_over else np.eye(problem.stages)
    return np.asarray(rows.T @ certificate.budget)


def _best_choice(problem: Problem, certificate: Certificate, gain: Floats) -> float:
    """Return the largest total gain of options and moats, each standing from a stage on or never.

    Column s of ``total`` is the gain of a node with all above it in the forest standing from stage s on; the
    last column is never. Levels are folded into the one above them, the deepest first.
    """
    n, stages = gain.shape
    price = _cent_prices(problem, certificate)
    held = np.array([price[max(s - 1, 0) :].sum() for s in range(stages + 1)])
    paid = np.append(0.0, price)
    priced = problem.trench_capex > 0
    upkeep = float((problem.trench_opex[priced] / problem.trench_capex[priced]).min()) if priced.any() else 0.0
    total = np.zeros((n + len(certificate.moat_from), stages + 2))
    for s in range(stages + 1):
        total[:n, s] = gain[:, max(s - 1, 0) :].sum(axis=1) - problem.opex * held[s] - problem.capex * paid[s]
        total[n:, s] = -(certificate.moat_to - certificate.moat_from) * (paid[s] + upkeep * held[s])
    built = np.append(problem.built, np.full(len(total) - n, FREE))[:, None]
    stage = np.arange(stages + 2)
    never, fixed = stage == stages + 1, built >= EXISTING
    allowed = np.where(fixed, stage == built, never | ((built == FREE) & (stage >= 1)))
    total[~allowed] = -np.inf
    moat = np.where(certificate.option_moat >= 0, certificate.option_moat + n, -1)
    own = np.where(problem.host >= 0, problem.host, moat)
    parent = np.append(own, np.where(certificate.moat_parent >= 0, certificate.moat_parent + n, -1))
    depth, value = _depths(parent), 0.0
    for level in range(int(depth.max(initial=-1)), -1, -1):
        nodes = np.flatnonzero(depth == level)
        best = np.maximum.accumulate(total[nodes, ::-1], axis=1)[:, ::-1]
        if level:
            np.add.at(total, parent[nodes], best)
        else:
            value = float(best[:, 0].sum())
    return value
