"""Plan against actual: what facilities cost and when they stand, against a baseline; sums exact to the cent.

A baseline and what is now are the same ledger, replayed to two of its events. What existed before the
plan (planned year 0) is no part of either. The money that was planned and what changed it are told
by cause, the money of now by where it stands, and the two agree to the cent:

    planned + added + cancelled + re-estimated + price = paid + committed + remaining
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import AnyArray, Bools, Floats, Ints, Strings
from xinji.core.assets import TRENCH
from xinji.core.facilities import ACCEPTED, CANCELLED, CONTRACTED, IN_USE, NO_CONTRACT, RETIRED, Facilities
from xinji.core.vocabulary import TECHNOLOGIES
from xinji.errors import Fault, InputError, raise_if

GROUPINGS = ("stage", "technology", "area", "kind", "project")
"""What facilities may be grouped by; a stage is the calendar year planned in the baseline."""

ABSENT = -1
"""Position of a facility that the baseline does not hold."""


@dataclass(frozen=True, slots=True)
class Money:
    """Capex of a group of facilities [cents], by cause and by where it stands.

    ``planned`` in the baseline; then what changed it: ``added`` facilities, ``cancelled`` ones (less
    what was paid for them), ``reestimated`` by a later plan, ``price`` between plan and contract.
    ``paid`` is gone, ``committed`` owed under contracts, ``remaining`` planned and not yet let.
    """

    planned: int
    added: int
    cancelled: int
    reestimated: int
    price: int
    paid: int
    committed: int
    remaining: int

    @property
    def changes(self) -> int:
        """What was added to the baseline or taken from it [cents]."""
        return self.added + self.cancelled + self.reestimated + self.price

    @property
    def expected(self) -> int:
        """What all will have cost in the end as far as is known now [cents]."""
        return self.paid + self.committed + self.remaining

    @property
    def difference(self) -> int:
        """What does not reconcile [cents]; 0 where the books are right."""
        return self.planned + self.changes - self.expected


@dataclass(frozen=True, slots=True)
class Counts:
    """Facilities of a group in number.

    ``planned`` are in the baseline. Those of now: ``waiting`` are planned or approved, ``underway``
    contracted to built, ``done`` accepted, in use or retired, and ``cancelled``; ``added`` are those
    of all of them that the baseline lacks. ``late`` were accepted after their planned year,
    ``overdue`` should have been by now and are not, ``moved`` are planned for another year than in
    the baseline. ``rescheduled`` are let, not yet built, and have another date of completion by contract.
    """

    planned: int
    waiting: int
    underway: int
    done: int
    cancelled: int
    added: int
    late: int
    overdue: int
    moved: int
    rescheduled: int


@dataclass(frozen=True, slots=True)
class Variance:
    """A group's plan against what is: money, numbers, price and time.

    ``price_ratio`` is contract sums over planned capex of what is let; ``slip_days`` the mean of
    days late over what is late or overdue; ``agreed_days`` the mean over what is rescheduled of the days from
    the end of its planned year to the date agreed, negative where that is earlier. NaN where there is nothing
    to tell it from.
    """

    group: str
    money: Money
    counts: Counts
    price_ratio: float
    slip_days: float
    agreed_days: float


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Baseline and actual side by side: one row (k) for each facility that a plan chose.

    ``now`` is the position in ``actual``, ``before`` that in ``baseline``, or ``ABSENT`` where it
    lacks the facility or had cancelled it; ``planned`` [cents] is the baseline's capex, 0 where
    absent; ``stage`` the baseline's year, else that of now.
    """

    baseline: Facilities
    actual: Facilities
    before: Ints
    now: Ints
    planned: Ints
    stage: Ints

    def __len__(self) -> int:
        return len(self.now)


def today(facilities: Facilities) -> np.datetime64:
    """Return the day that ``facilities`` stand for."""
    return np.datetime64(facilities.at[:10], "D")


def year_end(year: Ints) -> AnyArray:
    """Return the last day of each calendar year (shape of ``year``) [days]."""
    following: AnyArray = (year - 1969).astype("datetime64[Y]").astype("datetime64[D]")
    return following - np.timedelta64(1, "D")


def expected_capex(facilities: Facilities) -> Ints:
    """Return what each facility will have cost as far as is known (n,) [cents].

    The contract where there is one, else the plan, but never less than was paid for it; and what was lost under
    contracts that ended. What was cancelled, or retired without a contract, costs what was paid.
    """
    paid, sunk = facilities.paid, facilities.sunk
    let = facilities.contract_capex != NO_CONTRACT
    known = np.where(let, facilities.contract_capex, facilities.planned_capex)
    over = (facilities.state == CANCELLED) | ((facilities.state == RETIRED) & ~let)
    return np.where(over, paid, sunk + np.maximum(known, paid - sunk))


def match(baseline: Facilities, actual: Facilities) -> Matched:
    """Return ``baseline`` and ``actual`` side by side, in the order of ``actual``.

    Raises InputError where the baseline holds a facility that is gone: a ledger forgets nothing.
    """
    now = {name: k for k, name in enumerate(actual.id.tolist())}
    remedy = "Take both from the same ledger, the baseline from an earlier date."
    gone = [(row, name) for row, name in enumerate(baseline.id.tolist()) if name not in now]
    raise_if(
        [Fault("baseline", f"the facility {name!r} is not in the ledger any more", remedy, row) for row, name in gone],
        InputError,
    )
    before = np.full(len(actual), ABSENT, dtype=np.int64)
    before[[now[name] for name in baseline.id.tolist()]] = np.arange(len(baseline))
    before[before != ABSENT] = np.where(
        baseline.state[before[before != ABSENT]] == CANCELLED, ABSENT, before[before != ABSENT]
    )
    inside = before != ABSENT
    stage, planned = actual.planned_year.copy(), np.zeros(len(actual), dtype=np.int64)
    stage[inside] = baseline.planned_year[before[inside]]
    planned[inside] = baseline.planned_capex[before[inside]]
    chosen = np.flatnonzero(stage > 0)
    return Matched(baseline, actual, before[chosen], chosen.astype(np.int64), planned[chosen], stage[chosen])


def groups_of(both: Matched, by: str) -> Strings:
    """Return the group of each row (k,) under the grouping ``by``.

    Raises InputError where ``by`` is none of ``GROUPINGS``.
    """
    if by not in GROUPINGS:
        raise InputError([Fault("grouping", f"found {by!r}", f"Use one of {', '.join(GROUPINGS)}.")])
    if by == "stage":
        return both.stage.astype(np.str_)
    column: Strings = getattr(both.actual, by)[both.now]
    return column


def group_order(by: str, groups: Strings) -> tuple[str, ...]:
    """Return the different ``groups`` in the order of a table: technologies as listed, others by name."""
    found = set(groups.tolist())
    if by == "technology":
        return tuple(name for name in (*TECHNOLOGIES, TRENCH) if name in found)
    return tuple(sorted(found))


def reconcile(baseline: Facilities, actual: Facilities) -> Money:
    """Return the money of all facilities: by cause against ``baseline``, and by where it stands now."""
    both = match(baseline, actual)
    return _money(_parts(both), np.ones(len(both), dtype=bool))


def variances(baseline: Facilities, actual: Facilities, by: str) -> tuple[Variance, ...]:
    """Return each group's plan against what is, under one of ``GROUPINGS``; the money adds up to ``reconcile``."""
    both = match(baseline, actual)
    groups, parts = groups_of(both, by), _parts(both)
    return tuple(_variance(both, parts, group, groups == group) for group in group_order(by, groups))


def whole(baseline: Facilities, actual: Facilities) -> Variance:
    """Return plan against what is for all facilities together, as the group ``""``."""
    both = match(baseline, actual)
    return _variance(both, _parts(both), "", np.ones(len(both), dtype=bool))


def _parts(both: Matched) -> dict[str, Ints]:
    """Return the money of each row (k,) [cents] by the fields of ``Money``.

    The causes follow from baseline, plan and expected cost; where it stands from contract and payments.
    """
    actual, now = both.actual, both.now
    paid, contract, expected = actual.paid[now], actual.contract_capex[now], expected_capex(actual)[now]
    estimate, state = actual.planned_capex[now], actual.state[now]
    cancelled, let, new = state == CANCELLED, contract != NO_CONTRACT, both.before == ABSENT
    open_ = ~cancelled & (let | (state != RETIRED))
    owed = np.maximum(np.where(let, contract, estimate) - (paid - actual.sunk[now]), 0)
    return {
        "planned": both.planned,
        "added": np.where(new & ~cancelled, estimate, 0),
        "cancelled": np.where(cancelled, expected - both.planned, 0),
        "reestimated": np.where(~new & ~cancelled, estimate - both.planned, 0),
        "price": np.where(cancelled, 0, expected - estimate),
        "paid": paid,
        "committed": np.where(open_ & let, owed, 0),
        "remaining": np.where(open_ & ~let, owed, 0),
    }


def _money(parts: dict[str, Ints], mine: Bools) -> Money:
    return Money(*(int(parts[name][mine].sum()) for name in Money.__dataclass_fields__))


def _variance(both: Matched, parts: dict[str, Ints], group: str, mine: Bools) -> Variance:
    actual, now = both.actual, both.now
    contract, estimate, state = actual.contract_capex[now], actual.planned_capex[now], actual.state[now]
    let = mine & (contract != NO_CONTRACT) & (state != CANCELLED)
    base = int(estimate[let].sum())
    late = days_late(both)
    slipped, agreed = mine & (late > 0), mine & actual.rescheduled[now]
    return Variance(
        group=group,
        money=_money(parts, mine),
        counts=_counts(both, mine, late),
        price_ratio=int(contract[let].sum()) / base if base else float("nan"),
        slip_days=float(late[slipped].mean()) if slipped.any() else float("nan"),
        agreed_days=float(days_agreed(both)[agreed].mean()) if agreed.any() else float("nan"),
    )


def _counts(both: Matched, mine: Bools, late: Floats) -> Counts:
    state, new = both.actual.state[both.now], both.before == ABSENT
    done, cancelled = is_done(state), state == CANCELLED
    moved = ~new & ~cancelled & (both.actual.planned_year[both.now] != both.stage)

    def number(which: Bools) -> int:
        return int(np.count_nonzero(which & mine))

    return Counts(
        planned=number(~new),
        waiting=number(state < CONTRACTED),
        underway=number((state >= CONTRACTED) & ~done & ~cancelled),
        done=number(done),
        cancelled=number(cancelled),
        added=number(new),
        late=number(done & (late > 0)),
        overdue=number(~done & (late > 0)),
        moved=number(moved),
        rescheduled=number(both.actual.rescheduled[both.now]),
    )


def is_done(state: AnyArray) -> Bools:
    """Return which states (any shape) mean that a facility was accepted."""
    done: Bools = (state >= ACCEPTED) & (state <= RETIRED)
    return done


def accepted_on(facilities: Facilities) -> AnyArray:
    """Return the day on which each facility was accepted (n,) [days, NaT if it is not].

    Where the ledger knows no such day, that on which it came into use, or else was retired.
    """
    never = np.datetime64("NaT", "D")
    day = np.full(len(facilities), never)
    for state in (ACCEPTED, IN_USE, RETIRED):
        day = np.where(np.isnat(day), facilities.since[:, state].astype("datetime64[D]"), day)
    return np.where(is_done(facilities.state), day, never)


def days_late(both: Matched) -> Floats:
    """Return how many days after its planned year each row (k,) was accepted, or is by now; 0 where cancelled.

    Negative where there is, or was, time left.
    """
    finished = accepted_on(both.actual)[both.now]
    end = np.where(np.isnat(finished), today(both.actual), finished)
    late = (end - year_end(both.stage)) / np.timedelta64(1, "D")
    return np.where(both.actual.state[both.now] == CANCELLED, 0.0, late)


def days_agreed(both: Matched) -> Floats:
    """Return how many days after its planned year each row (k,) is to be complete by contract; NaN where not agreed."""
    agreed = np.where(both.actual.rescheduled, both.actual.completion, np.datetime64("NaT", "D"))[both.now]
    days: Floats = (agreed - year_end(both.stage)) / np.timedelta64(1, "D")
    return days


def money_faults(money: Money) -> Iterator[Fault]:
    """Yield a fault if ``money`` does not reconcile."""
    if money.difference:
        message = f"planned and changes differ from paid, committed and remaining by {money.difference} cents"
        yield Fault("budget", message, "Run `xinji build audit`, and compare the payments with the accounts.")
