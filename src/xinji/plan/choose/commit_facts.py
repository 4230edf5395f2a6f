"""What each facility of a ledger means for money and time, before any option is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import AnyArray, Bools, Floats, Ints
from xinji.core.facilities import (
    ACCEPTED,
    BUILT,
    FROZEN,
    IN_USE,
    NO_CONTRACT,
    RETIRED,
    Facilities,
)
from xinji.errors import Fault

STANDING = (BUILT, ACCEPTED, IN_USE)
_EPOCH = 1970


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """Facilities (k) as a plan from ``first`` on has to take them.

    ``frozen`` ones are not the plan's to choose, of which ``stands`` are built. ``year`` is that of
    completion: real, or the expected one, which is never past; -1 where there is none. ``cost`` = ``paid`` +
    ``owed`` [cents]; what is owed, also by the contract of something retired, is due in ``due``. ``moved_m``
    [m] lies between the planned and the measured place, 0 where either is missing; ``until`` is the year of
    retirement, or far away.
    """

    first: int
    frozen: Bools
    stands: Bools
    year: Ints
    cost: Ints
    paid: Ints
    owed: Ints
    due: Ints
    moved_m: Floats
    until: Ints


def facts_of(facilities: Facilities, first: int, finish: Mapping[str, int]) -> Facts:
    """Return what ``facilities`` mean for a plan whose first year is ``first``.

    Who is let but not built is finished in the year that ``finish`` gives by id, else as planned, and
    no earlier than ``first``. The cost is the contract's, without one the planned, and whatever was paid if
    that is more; what is accepted without a contract costs what was paid for it, if anything was. What was paid
    under a contract that ended is spent, and pays for nothing that is owed.
    """
    state, paid, towards = facilities.state, facilities.paid, facilities.paid - facilities.sunk
    frozen, stands = np.isin(state, FROZEN), np.isin(state, STANDING)
    done = np.full(len(facilities), -1, dtype=np.int64)
    for code in reversed(STANDING):
        since = _years(facilities.since[:, code])
        done = np.where(since >= 0, since, done)
    hoped = np.array([finish.get(str(name), -1) for name in facilities.id], dtype=np.int64)
    expected = np.maximum(np.where(hoped >= 0, hoped, facilities.planned_year), first)
    year = np.where(frozen & ~stands, expected, np.where(done >= 0, done, facilities.planned_year))
    let = facilities.contract_capex != NO_CONTRACT
    settled = ~let & np.isin(state, (ACCEPTED, IN_USE)) & (towards > 0)
    agreed = np.where(let, facilities.contract_capex, np.where(settled, towards, facilities.planned_capex))
    retired = state == RETIRED
    owed = np.where(frozen | (retired & let), np.maximum(agreed - towards, 0), 0)
    apart = np.hypot(facilities.x_m - facilities.planned_x_m, facilities.y_m - facilities.planned_y_m)
    gone = _years(facilities.since[:, RETIRED])
    return Facts(
        first=first,
        frozen=frozen,
        stands=stands,
        year=year.astype(np.int64),
        cost=paid + owed,
        paid=paid,
        owed=owed,
        due=np.where(owed > 0, np.where(stands | retired, first, year), -1),
        moved_m=np.where(np.isfinite(apart), apart, 0.0),
        until=np.where(retired & (gone >= 0), gone, np.iinfo(np.int64).max),
    )


def _years(days: AnyArray) -> Ints:
    """Return the calendar year of each day (shape of ``days``), -1 for NaT."""
    missing = np.isnat(days)
    years = days.astype("datetime64[Y]").astype(np.int64) + _EPOCH
    return np.where(missing, -1, years)


def payments(facilities: Facilities, row: int) -> tuple[tuple[int, int], ...]:
    """Return calendar years and sums [cents] paid for the facility at ``row``, years rising."""
    mine = facilities.paid_facility == row
    years, place = np.unique(facilities.paid_year[mine], return_inverse=True)
    sums = np.zeros(len(years), dtype=np.int64)
    np.add.at(sums, place, facilities.paid_cents[mine])
    return tuple((int(year), int(cents)) for year, cents in zip(years, sums, strict=True) if cents)


def past_opex(facilities: Facilities, facts: Facts, counted: Bools, years: Ints) -> Ints:
    """Return what running the ``counted`` (k,) facilities cost in each of ``years`` (t,) [cents].

    Whole years, from that of completion on; the year of retirement no longer counts.
    """
    begun = facts.stands | (facilities.state == RETIRED)
    up = (counted & begun)[:, None] & (facts.year[:, None] <= years) & (years < facts.until[:, None])
    return np.asarray((facilities.planned_opex[:, None] * up).sum(axis=0), dtype=np.int64)


def ledger_faults(facilities: Facilities, facts: Facts, finish: Mapping[str, int], last: int) -> Iterator[Fault]:
    """Yield what no plan can be made from: payments to come, and wrong ``finish`` years."""
    late = facilities.paid_year > facts.first
    for row in np.unique(facilities.paid_facility[late]).tolist():
        message = f"{facilities.id[row]} has payments after {facilities.at}"
        yield Fault("ledger", message, "Correct the day of the payment, or plan at a later date.", row)
    place = {str(name): row for row, name in enumerate(facilities.id)}
    for name, year in finish.items():
        row = place.get(name, -1)
        if row < 0:
            yield Fault("--slip", f"{name} is not in the ledger", "Name an id of the ledger.")
        elif not facts.frozen[row] or facts.stands[row]:
            message = f"{name} is not contracted or under construction"
            yield Fault("--slip", message, "Only what is let and not yet built can slip.")
        elif not facts.first <= year:
            message = f"{name} is to be finished in {year}, before {facts.first}"
            yield Fault("--slip", message, f"Give a year from {facts.first} on; the plan's last is {last}.")
