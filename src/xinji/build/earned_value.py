"""Earned value: planned value, earned value and actual cost of a plan, and the indices made of them.

Names and definitions are those of ISO 21508:2018 (Earned value management in project and programme
management) and PMI's Practice Standard for Earned Value Management (2nd edition, 2011, chapters 4
to 6). What is measured against is the baseline kept current: facilities cancelled since leave it,
facilities added since enter it at the cost and year they were planned with; prices never change it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xinji.build.variance import ABSENT, Matched, group_order, groups_of, match, today
from xinji.core.arrays import AnyArray, Bools, Ints
from xinji.core.facilities import (
    ACCEPTED,
    BUILT,
    CANCELLED,
    CONTRACTED,
    IN_USE,
    NO_CONTRACT,
    RETIRED,
    STATES,
    UNDER_CONSTRUCTION,
    Facilities,
)
from xinji.core.parameters import Parameters
from xinji.errors import Fault, InputError

WHOLE = 10_000
"""Weights are counted in ten-thousandths, so that money stays a whole number of cents."""

MILESTONES, HALVES, NOTHING_OR_ALL = "milestones", "50/50", "0/100"
RULES = (MILESTONES, HALVES, NOTHING_OR_ALL)
"""How work earns value: by state, half at its start and half at acceptance, or all at acceptance."""

ACCRUED, PAID = "accrued", "paid"
COST_BASES = (ACCRUED, PAID)
"""What work cost: as it was done at the contract's price, or what was paid for it."""


@dataclass(frozen=True, slots=True)
class EarningRule:
    """What share of its worth a facility has earned in each of ``STATES`` [ten-thousandths]."""

    name: str
    weights: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EarnedValue:
    """Earned value of a group at the end of the day ``at`` [cents].

    ``bac`` is the budget at completion, ``pv`` the planned value, ``ev`` the earned value, ``ac`` the
    actual cost.
    """

    at: str
    group: str
    bac: int
    pv: int
    ev: int
    ac: int

    @property
    def sv(self) -> int:
        """Schedule variance [cents], EV - PV; negative is behind."""
        return self.ev - self.pv

    @property
    def cv(self) -> int:
        """Cost variance [cents], EV - AC; negative is over."""
        return self.ev - self.ac

    @property
    def spi(self) -> float:
        """Schedule performance index, EV / PV; NaN while nothing was planned."""
        return self.ev / self.pv if self.pv else float("nan")

    @property
    def cpi(self) -> float:
        """Cost performance index, EV / AC; NaN while nothing was spent."""
        return self.ev / self.ac if self.ac else float("nan")


def earning_rule(name: str, parameters: Parameters) -> EarningRule:
    """Return the rule of ``name`` (one of ``RULES``); milestones are weighted by ``parameters``.

    Raises InputError if the name is unknown, or a later milestone weighs less than an earlier one.
    """
    if name not in RULES:
        raise InputError([Fault("earning rule", f"found {name!r}", f"Use one of {', '.join(RULES)}.")])
    weights = [0] * len(STATES)
    for state in (ACCEPTED, IN_USE, RETIRED):
        weights[state] = WHOLE
    if name == HALVES:
        weights[UNDER_CONSTRUCTION] = weights[BUILT] = WHOLE // 2
    if name == MILESTONES:
        for state in (CONTRACTED, UNDER_CONSTRUCTION, BUILT):
            weights[state] = round(parameters.value(f"build.earned.{STATES[state]}", "share") * WHOLE)
        milestones = weights[: ACCEPTED + 1]
        if milestones != sorted(milestones):
            message = f"the shares earned are {', '.join(f'{w / WHOLE:g}' for w in milestones)} in order of state"
            raise InputError([Fault("build.earned", message, "Let no later state earn less than an earlier one.")])
    return EarningRule(name, tuple(weights))


def planned_share(stage: Ints, day: np.datetime64) -> tuple[Ints, Ints]:
    """Return how many days of each planned year (k,) are over at the end of ``day``, and how many it has.

    A plan says in which year, not on which day: its value is planned evenly over the year's days.
    """
    first: AnyArray = (stage - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    after: AnyArray = (stage - 1969).astype("datetime64[Y]").astype("datetime64[D]")
    length = (after - first).astype(np.int64)
    over = (day - first).astype(np.int64) + 1
    return np.clip(over, 0, length), length


def share_of(cents: Ints, part: Ints, of: Ints) -> Ints:
    """Return ``cents`` times ``part`` over ``of`` (each (k,), none negative), rounded half up to whole cents."""
    return (2 * cents * part + of) // (2 * of)


def scope(both: Matched) -> tuple[Ints, Ints]:
    """Return the budget [cents] and the year of each row (k,) in the baseline kept current."""
    estimate = both.actual.planned_capex[both.now]
    budget = np.where(both.before == ABSENT, estimate, both.planned)
    return np.where(both.actual.state[both.now] == CANCELLED, 0, budget), both.stage


def earned_values(
    baseline: Facilities, actual: Facilities, rule: EarningRule, *, by: str = "", cost: str = ACCRUED
) -> tuple[EarnedValue, ...]:
    """Return the earned value at the day of ``actual``: of all (``by`` empty), or by one of ``GROUPINGS``.

    ``cost`` is one of ``COST_BASES``. Every facility is rounded to the cent by itself, so groups add up
    to the whole exactly. Raises InputError where ``by`` or ``cost`` is unknown.
    """
    if cost not in COST_BASES:
        raise InputError([Fault("cost", f"found {cost!r}", f"Use one of {', '.join(COST_BASES)}.")])
    both = match(baseline, actual)
    budget, stage = scope(both)
    weight = np.array(rule.weights, dtype=np.int64)[both.actual.state[both.now]]
    every = np.full(len(both), WHOLE, dtype=np.int64)
    columns = (
        budget,
        share_of(budget, *planned_share(stage, today(actual))),
        share_of(budget, weight, every),
        actual_cost(both, weight, cost),
    )
    if not by:
        return (_sum(actual.at, "", columns, np.ones(len(both), dtype=bool)),)
    groups = groups_of(both, by)
    return tuple(_sum(actual.at, name, columns, groups == name) for name in group_order(by, groups))


def actual_cost(both: Matched, weight: Ints, cost: str) -> Ints:
    """Return the actual cost of each row (k,) [cents], of which ``weight`` ten-thousandths is done.

    Paid: what was paid. Accrued: the contract's price of what is done, never less than was paid for it, and
    what was lost under contracts that ended; bills follow work by months, and a cost index made of payments
    alone would praise late payers.
    """
    paid, contract = both.actual.paid[both.now], both.actual.contract_capex[both.now]
    if cost == PAID:
        return paid
    let = (contract != NO_CONTRACT) & (both.actual.state[both.now] != CANCELLED)
    every, sunk = np.full(len(both), WHOLE, dtype=np.int64), both.actual.sunk[both.now]
    return np.where(let, sunk + np.maximum(paid - sunk, share_of(np.maximum(contract, 0), weight, every)), paid)


def curve(
    baseline: Facilities, snapshots: Sequence[Facilities], rule: EarningRule, *, cost: str = ACCRUED
) -> tuple[EarnedValue, ...]:
    """Return the earned value of all facilities at the day of each of ``snapshots``, in their order.

    Raises InputError where a snapshot is older than the baseline and lacks what that holds.
    """
    return tuple(earned_values(baseline, snapshot, rule, cost=cost)[0] for snapshot in snapshots)


def _sum(at: str, group: str, columns: Sequence[Ints], mine: Bools) -> EarnedValue:
    return EarnedValue(at, group, *(int(column[mine].sum()) for column in columns))
