from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings

from build_verbs.some_facilities import One, facilities, ledgers
from xinji.build.earned_value import (
    COST_BASES,
    HALVES,
    MILESTONES,
    NOTHING_OR_ALL,
    PAID,
    RULES,
    EarningRule,
    curve,
    earned_values,
    earning_rule,
    planned_share,
    share_of,
)
from xinji.build.variance import GROUPINGS
from xinji.core.facilities import (
    ACCEPTED,
    BUILT,
    CANCELLED,
    CONTRACTED,
    PLANNED,
    STATES,
    UNDER_CONSTRUCTION,
    Facilities,
)
from xinji.core.parameters import Parameters
from xinji.errors import InputError
from xinji.io.parameters import PROFILES, load

BEFORE = facilities(
    "2027-01-01",
    One("done", 1000_00),
    One("half", 1000_00),
    One("late", 1000_00),
    One("next", 2000_00, year=2028),
    One("gone", 9999_00),
)
NOW = facilities(
    "2027-07-02",  # 183 of 365 days
    One("done", 1000_00, state=ACCEPTED, contract=1100_00, paid=((2027, 500_00),), days=((ACCEPTED, "2027-06-01"),)),
    One("half", 1000_00, state=UNDER_CONSTRUCTION, contract=1000_00, paid=((2027, 450_00),)),
    One("late", 1000_00, state=CONTRACTED, contract=1000_00),
    One("next", 2000_00, year=2028),
    One("gone", 9999_00, state=CANCELLED, paid=((2027, 9_00),)),
)


@pytest.fixture(params=PROFILES)
def registry(request: pytest.FixtureRequest) -> Parameters:
    return load(request.param)


def test_earned_value_by_hand(registry: Parameters) -> None:
    (found,) = earned_values(BEFORE, NOW, earning_rule(HALVES, registry))
    assert found.bac == 5000_00
    assert found.pv == 3 * round(1000_00 * 183 / 365)
    assert found.ev == 1000_00 + 500_00
    # Accrued: the contract of what is accepted, and half a contract, of which less was paid.
    assert found.ac == 1100_00 + 500_00 + 9_00
    assert (found.sv, found.cv) == (found.ev - found.pv, -109_00)
    assert found.spi == pytest.approx(1500 / (3 * 501.37))
    assert found.cpi == pytest.approx(1500 / 1609)


def test_the_rules_differ_in_what_is_under_way(registry: Parameters) -> None:
    earned = {name: earned_values(BEFORE, NOW, earning_rule(name, registry))[0].ev for name in RULES}
    share = registry.value("build.earned.under_construction", "share")
    assert earned == {
        NOTHING_OR_ALL: 1000_00,
        HALVES: 1500_00,
        MILESTONES: 1000_00 + round(1000_00 * share),
    }


def test_paid_is_what_was_paid(registry: Parameters) -> None:
    assert earned_values(BEFORE, NOW, earning_rule(HALVES, registry), cost=PAID)[0].ac == 959_00


def test_an_index_of_nothing_is_not_a_number(registry: Parameters) -> None:
    (found,) = earned_values(BEFORE, facilities("2026-06-01", *_planned()), earning_rule(HALVES, registry))
    assert (found.pv, found.ev, found.ac) == (0, 0, 0)
    assert math.isnan(found.spi)
    assert math.isnan(found.cpi)


def _planned() -> tuple[One, ...]:
    years = (("done", 1000_00, 2027), ("half", 1000_00, 2027), ("late", 1000_00, 2027), ("next", 2000_00, 2028))
    return tuple(One(name, cents, year=year) for name, cents, year in (*years, ("gone", 9999_00, 2027)))


def test_the_course_ends_in_the_whole_budget(registry: Parameters) -> None:
    days = ("2026-12-31", "2027-12-31", "2028-12-31")
    values = curve(BEFORE, [facilities(day, *_planned()) for day in days], earning_rule(HALVES, registry))
    assert [value.pv for value in values] == [0, 3000_00 + 9999_00, values[0].bac]


def test_leap_years_have_a_day_more() -> None:
    over, length = planned_share(np.array([2027, 2028, 2029]), np.datetime64("2028-03-01"))
    assert over.tolist() == [365, 61, 0]
    assert length.tolist() == [365, 366, 365]


def test_shares_are_rounded_half_up() -> None:
    assert share_of(np.array([1, 3, 10]), np.array([1, 1, 1]), np.array([2, 2, 3])).tolist() == [1, 2, 3]


def test_weights_that_fall_are_refused(registry: Parameters) -> None:
    entries = dict(registry.entries)
    entries["build.earned.built"] = type(entries["build.earned.built"])(
        "build.earned.built", 0.1, "share", "", 0.0, 1.0, "assumption", "a test"
    )
    with pytest.raises(InputError, match="no later state earn less"):
        earning_rule(MILESTONES, Parameters("cn", entries))


def test_unknown_rules_are_refused(registry: Parameters) -> None:
    with pytest.raises(InputError, match="milestones, 50/50, 0/100"):
        earning_rule("80/20", registry)
    with pytest.raises(InputError, match="accrued, paid"):
        earned_values(BEFORE, NOW, earning_rule(HALVES, registry), cost="felt")


def test_every_rule_ends_with_all_at_acceptance(registry: Parameters) -> None:
    for name in RULES:
        weights = earning_rule(name, registry).weights
        assert len(weights) == len(STATES)
        assert (weights[PLANNED], weights[ACCEPTED], weights[CANCELLED]) == (0, 10_000, 0)
        assert weights[CONTRACTED] <= weights[UNDER_CONSTRUCTION] <= weights[BUILT] <= weights[ACCEPTED]


@settings(max_examples=25, deadline=None)
@given(ledgers())
def test_groups_add_up_to_the_cent(pair: tuple[Facilities, Facilities]) -> None:
    before, now = pair
    rule = EarningRule("odd", (0, 0, 1234, 3333, 8765, 10_000, 10_000, 10_000, 0))
    for cost in COST_BASES:
        (total,) = earned_values(before, now, rule, cost=cost)
        assert 0 <= total.pv <= total.bac
        assert 0 <= total.ev <= total.bac
        for by in GROUPINGS:
            lines = earned_values(before, now, rule, by=by, cost=cost)
            for field in ("bac", "pv", "ev", "ac", "sv", "cv"):
                assert sum(getattr(line, field) for line in lines) == getattr(total, field)
