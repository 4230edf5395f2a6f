"""The bound that a certificate proves, recomputed from the Problem alone with plain array arithmetic.

It shares nothing with the modules that found the certificate, so a mistake there shows here.

Weak duality: let x be any plan. Every relaxed constraint g(x) >= 0 has a price y >= 0, so objective(x)
<= objective(x) + y g(x) <= max over relaxed plans of the right side. Relaxed plans keep only: what is
built stays; a fixed option keeps its stage; an option stands no earlier than its host.

Trenches: let p(t) be what a cent of capex costs in stage t, upkeep from then on counted, or in a cheaper stage
before it, so that p never rises. Digging in stage s costs at least p(s), which is the sum of the rents p(t) - p(t +
1), none negative, over the stages t from s on. So a plan's trenches cost at least, for every stage, the rent times
the capex of what is dug by then, which holds a tree that joins what stands. At each moment of its growth the
set around a core of that stage holds no root but all that stands in the core, so the tree enters the set;
it uses a trench in one direction, and each direction is loaded with no more than its capex by the cores of
one stage. So the tree costs at least the widths of the cores in which something stands, and these at least what
the options in them bear, if what a core's options bear of it is no more than its width.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import AnyArray, Floats, Ints
from xinji.core.offer import EXISTING, FREE
from xinji.core.plan import Certificate
from xinji.core.problem import Problem
from xinji.core.vocabulary import RESOURCES
from xinji.errors import CheckError
from xinji.plan.choose.block_proof import site_gains, sites
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
    value = _best_choice(problem, certificate, _arc_profits(problem, certificate, floor))
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
    for name in ("budget", "row", "capacity", "floor", "pair", "charge"):
        price = getattr(certificate, name)
        bad = ~(np.isfinite(price) & (price >= 0.0))
        if bad.any():
            yield f"certificate: {int(bad.sum())} of the multipliers {name!r} are negative or no number"
    yield from _core_faults(problem, certificate)


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


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """What the sets around cores do together: ``load`` (T, 2, m) [cents] on each trench forwards and backwards.

    ``rooted`` are cores whose set comes to hold a root while it grows; ``outside`` options that an
    innermost core's set does not hold from the start.
    """

    load: Floats
    rooted: Ints
    outside: Ints


def cover(problem: Problem, certificate: Certificate) -> Cover:
    """Return for how long [cents] the growing sets enter each trench in each direction, and what they hold wrongly.

    Every core must stand before its parent (``certificate_faults`` says so first).
    """
    count, stages = len(certificate.core_width), problem.stages
    covers = _grouped(certificate.cover_core, count)
    tail = np.concatenate([problem.from_node, problem.to_node])
    head = np.concatenate([problem.to_node, problem.from_node])
    entering = _grouped(head, problem.node_count)
    alone = (problem.host < 0) & (problem.node >= 0)
    placed = np.where(alone[:, None], certificate.option_core, -1)
    housed = _grouped(placed.ravel(), count)
    unplaced = ~alone & (certificate.option_core >= 0).any(axis=1)
    is_root = np.zeros(problem.node_count, dtype=bool)
    is_root[_joined_from_start(problem)] = True
    load, since = np.zeros((stages, 2 * len(problem.trench_id))), np.full(problem.node_count, np.inf)
    below: list[list[Ints]] = [[np.zeros(0, dtype=np.int64)] for _ in range(count)]
    rooted, outside = [], [np.flatnonzero(unplaced)]
    for core, width in enumerate(certificate.core_width):
        own = covers.of(np.array([core]))
        np.minimum.at(since, certificate.cover_node[own], certificate.cover_time[own])
        inner = np.concatenate(below[core])
        since[inner] = 0.0
        held = np.unique(np.concatenate([inner, certificate.cover_node[own]]))
        into = entering.of(held)
        grown = np.maximum(np.minimum(since[tail[into]], width) - since[head[into]], 0.0)
        load[certificate.core_stage[core] - 1, into] += grown
        rooted += [core] if (is_root[held] & (since[held] < width)).any() else []
        inside = housed.of(np.array([core])) // stages
        outside.append(inside[since[problem.node[inside]] > 0.0])
        since[held] = np.inf
        below[core] = []
        if certificate.core_parent[core] >= 0:
            below[certificate.core_parent[core]].append(held)
    return Cover(load.reshape(stages, 2, -1), np.array(rooted, dtype=np.int64), np.unique(np.concatenate(outside)))


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    """Places of an array by what stands there: those of value g at ``place[start[g]:start[g + 1]]``."""

    start: Ints
    place: Ints

    def of(self, groups: Ints) -> Ints:
        """Return the places of all ``groups`` (g,), one group after the other."""
        low, high = self.start[groups], self.start[groups + 1]
        size = high - low
        before: Ints = np.cumsum(size) - size
        return self.place[np.arange(int(size.sum())) + np.repeat(low - before, size)]


def _grouped(values: Ints, count: int) -> _Groups:
    """Return the places of the values 0 to ``count`` - 1; -1 stands nowhere."""
    order = np.argsort(values, kind="stable")
    return _Groups(np.searchsorted(values[order], np.arange(count + 1)).astype(np.int64), order.astype(np.int64))


def _joined_from_start(problem: Problem) -> Ints:
    there = (problem.built == EXISTING) & (problem.node >= 0)
    return np.unique(np.concatenate([problem.roots, problem.node[there]]))


def _shape_faults(problem: Problem, certificate: Certificate) -> Iterator[str]:
    stages, (n, resources) = problem.stages, problem.capacity.shape
    k, covers = len(certificate.core_width), len(certificate.cover_core)
    expected: tuple[tuple[str, tuple[int, ...]], ...] = (
        ("budget", (stages,)),
        ("row", (len(problem.value), stages)),
        ("capacity", (n, stages, resources)),
        ("floor", (len(problem.floor_name), stages)),
        ("pair", (len(pairs(problem)[0]), stages)),
        ("charge", (n, stages)),
        ("core_stage", (k,)),
        ("core_width", (k,)),
        ("core_parent", (k,)),
        ("cover_core", (covers,)),
        ("cover_node", (covers,)),
        ("cover_time", (covers,)),
        ("option_core", (n, stages)),
    )
    places = {"cover_core": k, "cover_node": problem.node_count}
    for name, shape in expected:
        array: AnyArray = getattr(certificate, name)
        if array.shape != shape:
            yield f"certificate: {name} has shape {array.shape}, expected {shape}"
        elif name in {"core_parent", "option_core"} and ((array < -1) | (array >= k)).any():
            yield f"certificate: {name} names a core that is not there"
        elif name == "core_stage" and ((array < 1) | (array > stages)).any():
            yield "certificate: core_stage names a stage that is not there"
        elif name in places and ((array < 0) | (array >= places[name])).any():
            yield f"certificate: {name} names a core or a node that is not there"


def _core_faults(problem: Problem, certificate: Certificate) -> Iterator[str]:
    width, since = certificate.core_width, certificate.cover_time
    if not (np.isfinite(width) & (width >= 0.0)).all() or not (np.isfinite(since) & (since >= 0.0)).all():
        yield "certificate: a core has a negative width, or a time is negative or no number"
        return
    parent, stage = certificate.core_parent, certificate.core_stage
    if ((parent >= 0) & (parent <= np.arange(len(width)))).any():
        yield "certificate: a core comes after the one around it"
        return
    inner, option_core = parent >= 0, certificate.option_core
    elsewhere = (option_core >= 0) & (np.append(stage, -1)[option_core] != np.arange(1, problem.stages + 1))
    if (stage[inner] != stage[parent[inner]]).any() or elsewhere.any():
        yield "certificate: a core lies in one of another stage, or an option in a core of another stage"
        return
    found = cover(problem, certificate)
    for core in found.rooted:
        yield f"certificate: the set around core {core} holds a root"
    for option in found.outside:
        yield f"certificate: option {str(problem.option_id[option])!r} is not in its core's set from the start"
    capex = np.where(problem.trench_built == EXISTING, 0, problem.trench_capex).astype(float)
    load = found.load.max(axis=(0, 1))
    for edge in np.flatnonzero(~(load <= capex * (1.0 + _LOAD_SHARE) + _LOAD_CENTS)):
        name = str(problem.trench_id[edge])
        yield f"certificate: cores load trench {name!r} with {load[edge]:,.3f} cents; its capex is {capex[edge]:,.0f}"
    yield from _charge_faults(problem, certificate)


def _charge_faults(problem: Problem, certificate: Certificate) -> Iterator[str]:
    """Yield what options bear beyond the cores around them: each core takes up to its width from those within."""
    borne = certificate.option_core >= 0
    bare = ~borne & (certificate.charge > 0.0)
    for option in np.flatnonzero(bare.any(axis=1)):
        yield f"certificate: option {str(problem.option_id[option])!r} bears a charge and lies in no core"
    count = len(certificate.core_width)
    left = np.bincount(certificate.option_core[borne], weights=certificate.charge[borne], minlength=count)
    for core, (width, around) in enumerate(zip(certificate.core_width, certificate.core_parent, strict=True)):
        rest = left[core] - width
        if around >= 0:
            left[around] += max(rest, 0.0)
        elif rest > _LOAD_SHARE * left[core] + _LOAD_CENTS:
            yield f"certificate: options bear {rest:,.3f} cents more than core {core} and those in it are wide"


def _depths(parent: Ints) -> Ints:
    """Return how many nodes stand above each (k,)."""
    depth, above = np.zeros(len(parent), dtype=np.int64), parent.copy()
    while (above >= 0).any():
        depth += above >= 0
        above = np.where(above >= 0, parent[above], -1)
    return depth


def _floor_due(problem: Problem) -> AnyArray:
    return np.arange(1, problem.stages + 1) >= problem.floor_stage[:, None]


def _arc_profits(problem: Problem, certificate: Certificate, floor: Floats) -> Floats:
    """Return what each arc adds to the Lagrangian by serving its whole row in each stage (a, T)."""
    price = _capacity_prices(problem, certificate)
    worth = problem.floor_weight.T @ floor - certificate.row
    if problem.goal == "most_value":
        worth = worth + problem.value
    profit = worth[problem.arc_row]
    for k in range(problem.capacity.shape[1]):
        partner = problem.arc_partner if k == _SERVERS else np.full(len(profit), -1)
        carrier = np.where(partner >= 0, partner, problem.arc_option)
        profit = profit - problem.amount[problem.arc_row, :, k] * price[carrier, :, k]
    _, _, arc, pair = pairs(problem)
    np.subtract.at(profit, arc, certificate.pair[pair])
    return profit


def _capacity_prices(problem: Problem, certificate: Certificate) -> Floats:
    return np.where(np.isfinite(problem.capacity)[:, None, :], certificate.capacity, 0.0)


def _own_gains(problem: Problem, certificate: Certificate) -> Floats:
    """Return what each option standing in each stage adds to the Lagrangian (n, T), costs and arcs apart."""
    limited = np.isfinite(problem.capacity)
    price = _capacity_prices(problem, certificate)
    gain: Floats = (np.where(limited, problem.capacity, 0.0)[:, None, :] * price).sum(axis=2)
    np.add.at(gain, pairs(problem)[1], certificate.pair)
    return gain


def _cent_prices(problem: Problem, certificate: Certificate) -> Floats:
    """Return what a cent spent in each stage (T,) takes off the Lagrangian."""
    if problem.goal == "least_cost":
        return np.asarray(problem.discount / CENTS_PER_UNIT, dtype=np.float64)
    rows = np.tri(problem.stages) if problem.carry_over else np.eye(problem.stages)
    return np.asarray(rows.T @ certificate.budget)


def _best_choice(problem: Problem, certificate: Certificate, profit: Floats) -> float:
    """Return the largest total gain of options, each standing from a stage on or never.

    ``profit`` (a, T) is that of the arcs. Column s of ``total`` is the gain of an option with all that it hosts
    standing from stage s on; the last column is never. Levels are folded into the one above them, the deepest
    first; whole sites come first of all.
    """
    n, stages = len(problem.option_id), problem.stages
    price, gain = _cent_prices(problem, certificate), _own_gains(problem, certificate)
    whole = [(site, site_gains(problem, site, profit, gain, price)) for site in sites(problem)]
    np.add.at(gain, problem.arc_option, problem.arc_share[:, None] * np.maximum(profit, 0.0))
    held = np.array([price[max(s - 1, 0) :].sum() for s in range(stages + 1)])
    paid = np.append(0.0, price)
    rent = _rents(problem, price)
    total = np.zeros((n, stages + 2))
    for s in range(stages + 1):
        total[:, s] = gain[:, max(s - 1, 0) :].sum(axis=1) - problem.opex * held[s] - problem.capex * paid[s]
        total[:, s] -= certificate.charge[:, s - 1 :] @ rent[s - 1 :] if s else 0.0
    built = problem.built[:, None]
    stage = np.arange(stages + 2)
    never, fixed = stage == stages + 1, built >= EXISTING
    allowed = np.where(fixed, stage == built, never | ((built == FREE) & (stage >= 1)))
    total[~allowed] = -np.inf
    for site, worth in whole:
        total[site.option] = 0.0
        total[site.host] += worth
    return _folded(problem, total)


def _rents(problem: Problem, price: Floats) -> Floats:
    """Return what a cent of trench capex costs at least for standing in each stage (T,), at the ``price`` of a cent."""
    priced = problem.trench_capex > 0
    upkeep = float((problem.trench_opex[priced] / problem.trench_capex[priced]).min()) if priced.any() else 0.0
    dug = price + upkeep * np.cumsum(price[::-1])[::-1]
    return np.asarray(-np.diff(np.minimum.accumulate(dug), append=0.0))


def _folded(problem: Problem, total: Floats) -> float:
    """Return the largest sum over the hosts' forest of the gains ``total`` (n, T + 2), which is written over."""
    parent = problem.host
    depth, value = _depths(parent), 0.0
    for level in range(int(depth.max(initial=-1)), -1, -1):
        nodes = np.flatnonzero(depth == level)
        best = np.maximum.accumulate(total[nodes, ::-1], axis=1)[:, ::-1]
        if level:
            np.add.at(total, parent[nodes], best)
        else:
            value = float(best[:, 0].sum())
    return value
