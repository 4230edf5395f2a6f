"""A Problem's arcs and prices in the order that the kernels read them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.core.problem import Problem
from xinji.core.vocabulary import RESOURCES

SERVERS = RESOURCES.index("servers")
"""The resource that a partner option carries; the others are the option's own."""


class Index(NamedTuple):
    """Arcs sorted by option, those of most worth for its capacity first.

    ``start`` (n + 1,) delimits the arcs of an option; ``arc`` (a,) is the arc's place in the
    Problem; ``row``, ``partner``, ``share`` follow that order. A pair is a row (``pair_row`` (p,))
    and an option (``pair_option`` (p,)) that several of its arcs stand on: what they serve together
    is at most 1 where that option stands, else 0. ``owner`` (a,) is the option of each arc, ``by_row`` (a,)
    the arcs in order of their rows. ``pair`` (a, 3) are the arc's pairs with its
    partner, its partner's host and its own option's host, or -1. ``amount`` (r, T, resources) and
    ``capacity`` (n, resources) are the Problem's; ``limited`` (n, resources) marks finite ones.
    """

    start: Ints
    arc: Ints
    row: Ints
    partner: Ints
    pair: Ints
    share: Floats
    owner: Ints
    by_row: Ints
    pair_row: Ints
    pair_option: Ints
    amount: Floats
    capacity: Floats
    limited: Bools


def index(problem: Problem) -> Index:
    """Return the arcs of ``problem`` in kernel order."""
    n = len(problem.option_id)
    order = np.lexsort((problem.arc_row, -_density(problem), problem.arc_option))
    row, partner = problem.arc_row[order], problem.arc_partner[order]
    pair_row, pair_option, pair = _pairs(problem, row, problem.arc_option[order], partner)
    limited = np.isfinite(problem.capacity)
    return Index(
        start=np.searchsorted(problem.arc_option[order], np.arange(n + 1)).astype(np.int64),
        arc=order.astype(np.int64),
        row=row.copy(),
        partner=partner.copy(),
        pair=pair,
        share=problem.arc_share[order].copy(),
        owner=problem.arc_option[order].copy(),
        by_row=np.argsort(row, kind="stable").astype(np.int64),
        pair_row=pair_row,
        pair_option=pair_option,
        amount=problem.amount.copy(),
        capacity=np.where(limited, problem.capacity, 0.0),
        limited=limited.copy(),
    )


def _pairs(problem: Problem, row: Ints, option: Ints, partner: Ints) -> tuple[Ints, Ints, Ints]:
    """Return row and option of each pair (p,), in order of row and then option, and each arc's pairs (a, 3).

    An own host with a single arc of the row makes no pair: the arc's own option says as much.
    """
    n = len(problem.option_id)
    partner_host = np.where(partner >= 0, problem.host[partner], -1)
    host = problem.host[option]
    host = np.where((host == partner) | (host == partner_host), -1, host)
    anchor = np.column_stack([partner, partner_host, host])
    key = np.where(anchor >= 0, row[:, None] * n + anchor, -1)
    values, place, count = np.unique(key, return_inverse=True, return_counts=True)
    place = place.reshape(key.shape)
    needed = np.zeros(len(values), dtype=bool)
    needed[place[:, :2]] = True
    needed = (needed | (count > 1)) & (values >= 0)
    number = np.where(needed, np.cumsum(needed) - 1, -1)
    return values[needed] // n, values[needed] % n, number[place].astype(np.int64)


def _density(problem: Problem) -> Floats:
    """Return the last stage's worth of each arc's row (a,) for the largest share of a capacity that it takes.

    Rows that a floor counts come before all others: floors are promises.
    """
    capacity = np.maximum(problem.capacity[problem.arc_option], 1e-9)
    share = (problem.amount[problem.arc_row, -1] / capacity).max(axis=1)
    density = problem.value[problem.arc_row, -1] / np.maximum(share, 1e-9)
    promised = problem.floor_weight.sum(axis=0)[problem.arc_row] > 0
    return np.asarray(density + promised * (1.0 + density.max(initial=0.0)))


def stage_prices(problem: Problem, budget_multiplier: Floats) -> Floats:
    """Return the worth of a cent in each stage (T,).

    Under least_cost it is the discount factor, in currency units; with carried-over money, a cent
    of stage t weighs on the budget of every stage from t on.
    """
    if problem.goal == "least_cost":
        return problem.discount / 100.0
    if problem.carry_over:
        return np.cumsum(budget_multiplier[::-1])[::-1].copy()
    return budget_multiplier.copy()


def budget_limits(problem: Problem) -> Floats:
    """Return what each budget row allows (T,) [cents]: the stage's own, or all up to it."""
    budget = problem.budget.astype(float)
    return np.cumsum(budget) if problem.carry_over else budget


def row_worth(problem: Problem, floor_multiplier: Floats) -> Floats:
    """Return the worth of serving each row in each stage (r, T), floors' multipliers included."""
    worth = problem.value.copy() if problem.goal == "most_value" else np.zeros_like(problem.value)
    return worth + problem.floor_weight.T @ floor_multiplier
