"""The staged choice as a linear program with whole numbers: one function a constraint.

Columns, for every stage t: ``X`` an option stands, ``U`` a trench stands, ``z`` the share of its row that an
arc serves. ``docs/reference/formulation.md`` gives each constraint a paragraph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import AnyArray, Bools, Floats, Ints, Strings
from xinji.core.offer import EXISTING, FORBIDDEN
from xinji.core.problem import Problem
from xinji.core.vocabulary import RESOURCES
from xinji.plan.design.model import AT_LEAST, AT_MOST, EQUAL, Columns, Model, Rows, make_rows, stack
from xinji.units import CENTS_PER_UNIT

_SERVERS = RESOURCES.index("servers")


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the columns stand: ``stand`` (n, T), ``dug`` (m, T), ``served`` (a, T)."""

    stand: Ints
    dug: Ints
    served: Ints

    @property
    def count(self) -> int:
        """Number of columns."""
        return self.stand.size + self.dug.size + self.served.size


@dataclass(frozen=True, slots=True, eq=False)
class JoinedCut:
    """In whatever stage ``option`` stands, so must one of ``edges``: they part its node from every root."""

    option: int
    edges: Ints


@dataclass(frozen=True, slots=True, eq=False)
class PathCut:
    """In whatever stage ``arc`` serves, one of ``edges`` must stand: without any, its path is too long."""

    arc: int
    edges: Ints


Constraint = Callable[[Problem, Layout], Rows]


def layout(problem: Problem) -> Layout:
    """Return the places of the columns of ``problem``: options, trenches, arcs, each stage by stage."""
    stages = problem.stages
    sizes = (len(problem.option_id), len(problem.trench_id), len(problem.arc_row))
    start = np.cumsum([0, *sizes]) * stages
    pairs = zip(start[:-1], sizes, strict=True)
    return Layout(*(np.arange(low, low + size * stages).reshape(size, stages) for low, size in pairs))


def built_stays(problem: Problem, at: Layout) -> Rows:
    """Return X[n, t-1] <= X[n, t] and U[e, t-1] <= U[e, t]."""
    return stack([_stays("option", at.stand, problem.stages), _stays("trench", at.dug, problem.stages)])


def host_first(problem: Problem, at: Layout) -> Rows:
    """Return X[n, t] <= X[host, t]."""
    options = np.flatnonzero(problem.host >= 0)
    name = _names("host_first", options, problem.stages)
    return _less(name, at.stand[options], at.stand[problem.host[options]], np.array(1.0))


def fixed(problem: Problem, at: Layout) -> Rows:
    """Return X = 1 or X = 0 where an option exists, is committed to a stage, or is forbidden; the same for U."""
    parts = []
    for kind, built, column in (("option", problem.built, at.stand), ("trench", problem.trench_built, at.dug)):
        place = np.flatnonzero((built >= EXISTING) | (built == FORBIDDEN))
        stage = np.arange(1, problem.stages + 1)
        stands = (built[place, None] >= EXISTING) & (stage >= built[place, None])
        name = _names(f"fixed_{kind}", place, problem.stages)
        entry = (np.arange(len(name)), column[place].ravel(), np.ones(len(name)))
        parts.append(make_rows(name, [entry], EQUAL, stands.ravel().astype(float)))
    return stack(parts)


def serve_needs_option(problem: Problem, at: Layout) -> Rows:
    """Return z[a, t] <= share[a] X[option, t]."""
    arcs = np.arange(len(problem.arc_row))
    name = _names("serve_needs_option", arcs, problem.stages)
    return _less(name, at.served, at.stand[problem.arc_option], problem.arc_share[:, None])


def serve_needs_partner(problem: Problem, at: Layout) -> Rows:
    """Return z[a, t] <= share[a] X[partner, t]."""
    arcs = np.flatnonzero(problem.arc_partner >= 0)
    name = _names("serve_needs_partner", arcs, problem.stages)
    return _less(name, at.served[arcs], at.stand[problem.arc_partner[arcs]], problem.arc_share[arcs, None])


def row_once(problem: Problem, at: Layout) -> Rows:
    """Return sum of z over the arcs of a row <= 1."""
    rows = np.unique(problem.arc_row)
    place = np.searchsorted(rows, problem.arc_row)
    row = place[:, None] * problem.stages + np.arange(problem.stages)
    name = _names("row_once", rows, problem.stages)
    return make_rows(name, [(row, at.served, np.array(1.0))], AT_MOST, np.array(1.0))


def capacity(problem: Problem, at: Layout) -> Rows:
    """Return sum of amount z over what an option carries <= capacity X, for each limited resource.

    Servers are carried by an arc's partner where it has one, every other resource by its option.
    """
    stages, resources = problem.stages, problem.capacity.shape[1]
    limited = np.argwhere(np.isfinite(problem.capacity))
    number = np.full(problem.capacity.shape, -1, dtype=np.int64)
    number[limited[:, 0], limited[:, 1]] = np.arange(len(limited))
    stage = np.arange(stages)
    entries: list[tuple[Ints, Ints, Floats]] = []
    for k in range(resources):
        carrier = carriers(problem, k)
        arcs = np.flatnonzero(number[carrier, k] >= 0)
        row = number[carrier[arcs], k][:, None] * stages + stage
        entries.append((row, at.served[arcs], problem.amount[problem.arc_row[arcs], :, k]))
    room = -problem.capacity[limited[:, 0], limited[:, 1]][:, None]
    own = np.arange(len(limited))[:, None] * stages + stage
    entries.append((own, at.stand[limited[:, 0]], np.broadcast_to(room, own.shape)))
    name = [f"capacity_{n}_{k}_{t + 1}" for n, k in limited for t in range(stages)]
    return make_rows(name, entries, AT_MOST, np.array(0.0))


def budget(problem: Problem, at: Layout) -> Rows:
    """Return capex in the stage of building and opex from then on <= budget [cents].

    With carry_over, all up to a stage is held against all budgets up to it. Under least_cost
    nothing is bound.
    """
    stages = problem.stages
    if problem.goal != "most_value":
        return stack([])
    entries = []
    for stage in range(stages):
        counted = range(stage + 1) if problem.carry_over else (stage,)
        for t in counted:
            entries += [(np.full(column.shape, stage), column, cost) for column, cost in _spent(problem, at, t)]
    limit = np.cumsum(problem.budget) if problem.carry_over else problem.budget
    return make_rows([f"budget_{t + 1}" for t in range(stages)], entries, AT_MOST, limit.astype(float))


def floors(problem: Problem, at: Layout) -> Rows:
    """Return floor_weight times what is served of each row >= floor_amount, from the floor's stage on."""
    due = np.argwhere(np.arange(1, problem.stages + 1) >= problem.floor_stage[:, None])
    entries = [
        (np.full(len(problem.arc_row), row), at.served[:, t], problem.floor_weight[f, problem.arc_row])
        for row, (f, t) in enumerate(due)
    ]
    name = [f"floor_{f}_{t + 1}" for f, t in due]
    return make_rows(name, entries, AT_LEAST, problem.floor_amount[due[:, 0]])


def joined_cut(problem: Problem, at: Layout, cuts: Sequence[JoinedCut]) -> Rows:
    """Return X[option, t] <= sum of U[e, t] over the edges of each cut, in every stage."""
    entries: list[tuple[Ints, Ints, Floats]] = []
    name, stages = [], problem.stages
    for number, cut in enumerate(cuts):
        row = number * stages + np.arange(stages)
        entries.append((row, at.stand[cut.option], np.ones(stages)))
        entries.append((np.tile(row, (len(cut.edges), 1)), at.dug[cut.edges], -np.ones((len(cut.edges), stages))))
        name += [f"joined_{cut.option}_{number}_{t + 1}" for t in range(stages)]
    return make_rows(name, entries, AT_MOST, np.array(0.0))


def path_cut(problem: Problem, at: Layout, cuts: Sequence[PathCut]) -> Rows:
    """Return z[arc, t] <= share times the sum of U[e, t] over the edges of each cut, in every stage."""
    entries: list[tuple[Ints, Ints, Floats]] = []
    name, stages = [], problem.stages
    for number, cut in enumerate(cuts):
        row = number * stages + np.arange(stages)
        shares = np.full((len(cut.edges), stages), -problem.arc_share[cut.arc])
        entries.append((row, at.served[cut.arc], np.ones(stages)))
        entries.append((np.tile(row, (len(cut.edges), 1)), at.dug[cut.edges], shares))
        name += [f"path_{cut.arc}_{number}_{t + 1}" for t in range(stages)]
    return make_rows(name, entries, AT_MOST, np.array(0.0))


def most_value(problem: Problem, at: Layout) -> Floats:
    """Return the columns' cost (c,): the worth of what is served."""
    cost = np.zeros(at.count)
    cost[at.served] = problem.value[problem.arc_row]
    return cost


def least_cost(problem: Problem, at: Layout) -> Floats:
    """Return the columns' cost (c,): minus the discounted spending [currency]."""
    cost = np.zeros(at.count)
    for t in range(problem.stages):
        for column, money in _spent(problem, at, t):
            cost[column] -= money * problem.discount[t] / CENTS_PER_UNIT
    return cost


CONSTRAINTS: tuple[Constraint, ...] = (
    built_stays,
    host_first,
    fixed,
    serve_needs_option,
    serve_needs_partner,
    row_once,
    capacity,
    budget,
    floors,
)
"""Every constraint but the cuts, which ``exact`` adds where a solution breaks them."""

CUTS = (joined_cut, path_cut)

OBJECTIVES = {"most_value": most_value, "least_cost": least_cost}
"""The objective of each goal of a Problem."""


def formulate(problem: Problem, at: Layout, constraints: Sequence[Constraint] = CONSTRAINTS) -> Model:
    """Return ``problem`` without any cut as a model."""
    upper = np.ones(at.count)
    upper[at.served] = problem.arc_share[:, None]
    integer = np.zeros(at.count, dtype=bool)
    integer[at.stand], integer[at.dug] = True, True
    name = [_names(letter, np.arange(len(part)), problem.stages) for letter, part in _parts(at)]
    columns = Columns(
        name=np.concatenate(name),
        cost=OBJECTIVES[problem.goal](problem, at),
        lower=np.zeros(at.count),
        upper=upper,
        integer=integer,
    )
    return Model(columns, stack([constraint(problem, at) for constraint in constraints]))


def carriers(problem: Problem, resource: int) -> Ints:
    """Return the option (a,) whose capacity of ``resource`` each arc uses."""
    with_partner = (problem.arc_partner >= 0) & (resource == _SERVERS)
    return np.where(with_partner, problem.arc_partner, problem.arc_option)


def _parts(at: Layout) -> tuple[tuple[str, Ints], ...]:
    return (("X", at.stand), ("U", at.dug), ("z", at.served))


def _names(head: str, places: Ints, stages: int) -> Strings:
    """Return head_place_stage for every place and stage; positions, because ids need not suit the LP format."""
    return np.array([f"{head}_{place}_{t + 1}" for place in places for t in range(stages)], dtype=np.str_)


def _stays(kind: str, column: Ints, stages: int) -> Rows:
    name = [f"built_stays_{kind}_{place}_{t + 1}" for place in range(len(column)) for t in range(1, stages)]
    return _less(np.array(name, dtype=np.str_), column[:, :-1], column[:, 1:], np.array(1.0))


def _less(name: Strings, small: Ints, large: Ints, factor: AnyArray) -> Rows:
    """Return small <= factor large, elementwise."""
    row = np.arange(small.size).reshape(small.shape)
    entries = [(row, small, np.array(1.0)), (row, large, -np.broadcast_to(factor, small.shape))]
    return make_rows(name, entries, AT_MOST, np.array(0.0))


def _spent(problem: Problem, at: Layout, t: int) -> list[tuple[Ints, Floats]]:
    """Return (columns, cents): what standing options and trenches add to the spending of stage index ``t``."""
    terms: list[tuple[Ints, Floats]] = []
    groups = (
        (at.stand, problem.built, problem.capex, problem.opex),
        (at.dug, problem.trench_built, problem.trench_capex, problem.trench_opex),
    )
    for column, built, capex, opex in groups:
        paid: Bools = built != EXISTING
        once = np.where(paid, capex, 0).astype(float)
        terms.append((column[:, t], once + opex))
        if t:
            terms.append((column[:, t - 1], -once))
    return terms
