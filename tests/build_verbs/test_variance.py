from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings

from build_verbs.some_facilities import One, facilities, ledgers
from xinji.build.variance import (
    GROUPINGS,
    Counts,
    Money,
    expected_capex,
    match,
    reconcile,
    variances,
    whole,
    year_end,
)
from xinji.core.facilities import (
    ACCEPTED,
    CANCELLED,
    CONTRACTED,
    IN_USE,
    RETIRED,
    UNDER_CONSTRUCTION,
    Facilities,
)
from xinji.errors import InputError

BEFORE = facilities(
    "2026-12-01",
    One("site", 100_00),
    One("dear", 200_00, technology="trench"),
    One("gone", 300_00, area="west"),
    One("open", 400_00, year=2028),
    One("again", 500_00, year=2028),
)
NOW = facilities(
    "2028-01-10",
    One("site", 100_00, state=ACCEPTED, contract=90_00, paid=((2027, 90_00),), days=((ACCEPTED, "2027-11-30"),)),
    One(
        "dear", 200_00, state=UNDER_CONSTRUCTION, contract=236_00, paid=((2027, 100_00), (2028, -1_00)),
        technology="trench",
    ),
    One("gone", 300_00, state=CANCELLED, paid=((2027, 7_00),), area="west"),
    One("open", 400_00, year=2028),
    One("again", 450_00, year=2029),
    One("new", 50_00, year=2028, state=CONTRACTED, contract=60_00, area="west"),
)  # fmt: skip


def test_the_money_is_what_one_computes_by_hand() -> None:
    assert reconcile(BEFORE, NOW) == Money(
        planned=1500_00,
        added=50_00,
        cancelled=7_00 - 300_00,
        reestimated=-50_00,
        price=-10_00 + 36_00 + 10_00,
        paid=90_00 + 99_00 + 7_00,
        committed=0 + 137_00 + 60_00,
        remaining=400_00 + 450_00,
    )
    assert reconcile(BEFORE, NOW).expected == 1243_00
    assert reconcile(BEFORE, NOW).difference == 0


def test_numbers_and_days() -> None:
    found = whole(BEFORE, NOW)
    assert found.counts == Counts(
        planned=5, waiting=2, underway=2, done=1, cancelled=1, added=1, late=0, overdue=1, moved=1, rescheduled=0
    )
    assert found.price_ratio == pytest.approx((90 + 236 + 60) / (100 + 200 + 50))
    assert found.slip_days == 10.0


def test_late_is_later_than_the_planned_year() -> None:
    before = facilities("2027-01-01", One("a", 1), One("b", 1))
    now = facilities(
        "2029-01-01",
        One("a", 1, state=IN_USE, days=((ACCEPTED, "2028-01-31"), (IN_USE, "2028-05-01"))),
        One("b", 1, state=RETIRED, days=((IN_USE, "2027-12-31"), (RETIRED, "2028-12-01"))),
    )
    found = whole(before, now)
    assert (found.counts.late, found.counts.overdue, found.slip_days) == (1, 0, 31.0)


def test_what_was_paid_beyond_the_contract_is_expected_too() -> None:
    now = facilities(
        "2027-06-01",
        One("over", 10_00, state=ACCEPTED, contract=10_00, paid=((2027, 12_00),), days=((ACCEPTED, "2027-05-01"),)),
        One("retired", 10_00, state=RETIRED, paid=((2027, 3_00),), days=((RETIRED, "2027-05-01"),)),
    )
    assert expected_capex(now).tolist() == [12_00, 3_00]


def test_groups_come_in_the_order_of_a_table() -> None:
    assert [line.group for line in variances(BEFORE, NOW, "technology")] == ["radio", "trench"]
    assert [line.group for line in variances(BEFORE, NOW, "stage")] == ["2027", "2028"]
    assert [line.group for line in variances(BEFORE, NOW, "area")] == ["east", "west"]


def test_what_stood_before_is_no_part_of_it() -> None:
    old = One("old", 77, year=0, state=IN_USE, days=((IN_USE, "2020-01-01"),))
    assert len(match(facilities("2026-01-01", old), facilities("2027-01-01", old))) == 0


def test_a_baseline_from_another_ledger_is_refused() -> None:
    with pytest.raises(InputError, match="'site' is not in the ledger any more"):
        match(BEFORE, facilities("2028-01-01", One("other", 1)))


def test_an_unknown_grouping_is_refused() -> None:
    with pytest.raises(InputError, match="stage, technology, area, kind, project"):
        variances(BEFORE, NOW, "colour")


def test_years_end_on_their_last_day() -> None:
    assert year_end(np.array([2027, 2028])).astype(str).tolist() == ["2027-12-31", "2028-12-31"]


@settings(max_examples=25, deadline=None)
@given(ledgers())
def test_every_group_reconciles_and_all_add_up(pair: tuple[Facilities, Facilities]) -> None:
    before, now = pair
    total = whole(before, now)
    assert total.money.difference == 0
    assert total.money.paid == int(now.paid.sum())
    for by in GROUPINGS:
        lines = variances(before, now, by)
        assert all(line.money.difference == 0 for line in lines)
        for field in Money.__dataclass_fields__:
            assert sum(getattr(line.money, field) for line in lines) == getattr(total.money, field)
        for field in Counts.__dataclass_fields__:
            assert sum(getattr(line.counts, field) for line in lines) == getattr(total.counts, field)
    counts = total.counts
    assert counts.waiting + counts.underway + counts.done + counts.cancelled == len(now)
    assert math.isnan(total.slip_days) == (counts.late + counts.overdue == 0)
