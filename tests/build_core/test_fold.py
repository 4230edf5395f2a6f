"""The fold alone, on events made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.small_ledger import DAY, built, registered
from xinji.build import event_drafts as drafts
from xinji.build.event import Draft, Event
from xinji.build.event_drafts import ProjectFacts
from xinji.build.fold import fold, fold_projects, known_on, latest_day
from xinji.build.variance import expected_capex, reconcile
from xinji.core.facilities import ACCEPTED, BUILT, CONTRACTED, IN_USE, NO_CONTRACT, PLANNED, STATES
from xinji.plan.choose.commit_facts import facts_of


def events(made: Sequence[Draft]) -> list[Event]:
    """Return ``made`` as events, recorded a day apart from 2026-08-01 on."""
    return [
        Event(number, *about, f"2026-08-{number:02d}T00:00:00.000000Z", "li", *subject, draft.payload, "", "", "")
        for number, draft in enumerate(made, start=1)
        for about, subject in [((draft.kind, draft.day), (draft.facility, draft.project))]
    ]


def test_nothing_is_a_ledger_too() -> None:
    assert len(fold([], at=DAY)) == 0
    assert fold([], at=DAY).since.shape == (0, len(STATES))
    assert len(fold_projects([], at=DAY)) == 0


@given(st.permutations(range(5)))
def test_payments_add_up_in_any_order(order: list[int]) -> None:
    payments = [drafts.paid("a", day=f"202{row}-02-01", cents=10**row, reference="") for row in range(5)]
    made = [drafts.registered(_site(), day="2019-01-01", baseline="x")]
    found = fold(events([*made, *(payments[row] for row in order)]), at="2022-02-01")
    assert found.paid.tolist() == [111]
    assert sorted(zip(found.paid_year.tolist(), found.paid_cents.tolist(), strict=True)) == [
        (2020, 1),
        (2021, 10),
        (2022, 100),
    ]


def _site() -> drafts.PlannedAsset:
    return drafts.PlannedAsset("a", "trench", "duct", "north", 2027, np.nan, np.nan, 120.5, 5, 0)


def test_what_is_recorded_late_counts_from_its_own_day() -> None:
    made = [*registered("a"), *built("a")]
    late = drafts.contract_let("a", day="2026-02-15", contract="C-0", contractor="", capex=1)
    told = events([*made, late])
    assert fold(told, at="2026-02-20").contract_capex.tolist() == [1]
    assert fold(told).contract_capex.tolist() == [260_000_00]
    assert fold(known_on(told, len(made)), at="2026-02-20").contract_capex.tolist() == [NO_CONTRACT]


def test_knowledge_by_number_day_and_moment() -> None:
    told = events([*registered("a"), *built("a")])
    assert len(known_on(told, None)) == 8
    assert [event.number for event in known_on(told, 2)] == [1, 2]
    assert [event.number for event in known_on(told, "2026-08-03")] == [1, 2, 3]
    assert [event.number for event in known_on(told, "2026-08-03T00:00:00.000000Z")] == [1, 2, 3]
    assert [event.number for event in known_on(told, "2026-08-02T23:59:59.999999Z")] == [1, 2]


def test_days_of_states_only_move_with_the_states() -> None:
    back = drafts.returned("a", "under_construction", day="2026-07-01", reason="wrong antenna")
    again = drafts.advanced("a", "built", day="2026-08-01")
    told = events([*registered("a"), *built("a"), back, again])
    days = [fold(told, at=day).since[0, BUILT] for day in ("2026-05-31", "2026-06-01", "2026-07-01", "2026-08-01")]
    assert np.isnat(days[0])
    assert list(map(str, days[1:])) == ["2026-06-01", "NaT", "2026-08-01"]
    states = [int(fold(told, at=day).state[0]) for day in ("2026-03-31", "2026-06-30", "2026-07-31", "2026-08-01")]
    assert states == [CONTRACTED, BUILT, BUILT - 1, BUILT]


def test_a_step_back_leaves_the_days_of_what_it_comes_back_to() -> None:
    made = [*registered("a"), *built("a"), drafts.advanced("a", "accepted", day="2026-12-20")]
    made += [drafts.advanced("a", "in_use", day="2026-12-25")]
    suspended = drafts.returned("a", "accepted", day="2027-03-03", reason="service suspended")
    found = fold(events([*made, suspended]))
    assert (str(found.since[0, ACCEPTED]), str(found.since[0, IN_USE])) == ("2026-12-20", "NaT")
    withdrawn = drafts.returned("a", "built", day="2027-03-04", reason="acceptance withdrawn")
    found = fold(events([*made, suspended, withdrawn]))
    assert (str(found.since[0, BUILT]), str(found.since[0, ACCEPTED])) == ("2026-06-01", "NaT")
    # What stood before the plan was accepted no later than it came into use.
    stood = drafts.registered(_site(), day="2026-01-01", baseline="x", state="in_use")
    found = fold(events([stood, drafts.returned("a", "accepted", day="2027-01-01", reason="suspended")]))
    assert str(found.since[0, ACCEPTED]) == "2026-01-01"


def test_what_is_planned_again_begins_anew() -> None:
    gone = [
        *registered("a"),
        *built("a")[:3],
        drafts.advanced("a", "cancelled", day="2026-04-02", reason="owner refused"),
        drafts.advanced("a", "planned", day="2026-05-02", reason="chosen again"),
    ]
    found = fold(events(gone))
    assert [str(day) for day in found.since[0] if not np.isnat(day)] == ["2026-05-02"]


def test_an_amendment_of_a_contract_that_ended_counts_on_no_later_day() -> None:
    made = [*registered("a"), *built("a")[:3]]
    made += [drafts.contract_let("a", day="2026-03-09", contract="C-1", contractor="", capex=99)]
    made += [drafts.returned("a", "approved", day="2026-03-05", reason="bankrupt")]
    assert fold(events(made)).contract_capex.tolist() == [NO_CONTRACT]


def test_money_under_a_contract_that_ended_is_lost() -> None:
    """The next contract is owed whole: what the bankrupt was paid is no payment of it."""
    made = [*registered("a"), *built("a")[:3], drafts.paid("a", day="2026-03-02", cents=30, reference="C-1 deposit")]
    made += [drafts.returned("a", "approved", day="2026-03-05", reason="bankrupt")]
    made += [drafts.paid("a", day="2026-03-06", cents=-4, reference="C-1 money back")]
    made += [drafts.contract_let("a", day="2026-03-07", contract="C-2", contractor="", capex=100)]
    made += [drafts.paid("a", day="2026-03-08", cents=7, reference="C-2 deposit")]
    found = fold(events(made))
    assert (found.paid.tolist(), found.sunk.tolist()) == ([33], [26])
    assert expected_capex(found).tolist() == [126]
    before = fold(events(registered("a")))
    money = reconcile(before, found)
    assert (money.paid, money.committed, money.difference) == (33, 93, 0)
    let = fold(events([*made, drafts.advanced("a", "contracted", day="2026-03-09")]))
    facts = facts_of(let, 2027, {})
    assert (facts.owed.tolist(), facts.cost.tolist()) == ([93], [126])


def test_money_for_what_was_cancelled_is_lost_where_it_is_planned_again() -> None:
    made = [*registered("a"), *built("a")[:3], drafts.paid("a", day="2026-03-02", cents=30, reference="C-1")]
    made += [drafts.advanced("a", "cancelled", day="2026-04-02", reason="owner refused")]
    assert expected_capex(fold(events(made))).tolist() == [30]
    again = fold(events([*made, drafts.advanced("a", "planned", day="2026-05-02")]))
    assert expected_capex(again).tolist() == [30 + 250_000_00]


def test_what_was_voided_is_not_the_latest_day() -> None:
    late = drafts.paid("a", day="2207-05-01", cents=5, reference="V")
    void = drafts.voided(3, day="2207-05-02", reason="a slip of the pen", facility="a", project="")
    assert latest_day(events([*registered("a", "b"), late])) == "2207-05-01"
    assert latest_day(events([*registered("a"), *registered("b"), late, void])) == DAY
    assert latest_day([]) == ""


def test_a_fold_up_to_each_event_only_adds() -> None:
    told = events([*registered("a", "b"), *built("b"), *built("a")])
    steps = [fold(told[:last], at="9999-12-31") for last in range(1, len(told) + 1)]
    for one, other in pairwise(steps):
        assert other.id.tolist()[: len(one)] == one.id.tolist()
        assert (other.state[: len(one)] >= one.state).all()


def test_trenches_keep_their_length_and_unknown_places() -> None:
    found = fold(events([drafts.registered(_site(), day=DAY, baseline="x")]))
    assert found.technology.tolist() == ["trench"]
    assert found.length_m.tolist() == [120.5]
    assert np.isnan([found.planned_x_m[0], found.x_m[0]]).all()
    assert found.state.tolist() == [PLANNED]


def test_a_fold_changes_nothing_that_it_is_given() -> None:
    told = events([*registered("a"), *built("a")])
    before = repr(told)
    one, other = fold(told), fold(told)
    assert repr(told) == before
    assert one.since.tolist() == other.since.tolist()
    with pytest.raises(ValueError, match="read-only"):
        one.state[0] = PLANNED


def test_projects_live_too() -> None:
    facts = ProjectFacts("p", "five", "steel", "vision", "park", "owner", 7)
    told = events(
        [
            *registered("a"),
            drafts.project_registered(facts, day="2026-02-01"),
            drafts.assigned("a", "p", day="2026-02-03"),
            drafts.project_advanced("p", "approved", day="2026-02-04"),
            drafts.project_returned("p", "planned", day="2026-02-05", reason="why"),
        ]
    )
    assert [fold_projects(told, at=f"2026-02-0{day}").state.tolist() for day in (1, 4, 5)] == [[0], [1], [0]]
    assert str(fold_projects(told).registered[0]) == "2026-02-01"
    assert fold(told, at="2026-02-02").project.tolist() == [""]
    assert fold(told).project.tolist() == ["p"]
