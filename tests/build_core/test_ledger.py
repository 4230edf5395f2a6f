"""The ledger's door, on both databases."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from support.ledger_stores import Places
from support.small_ledger import DAY, SITE, asset, built, new_ledger, registered
from xinji.build import event_drafts as drafts
from xinji.build.chain import parse_head
from xinji.build.event import Draft
from xinji.build.event_drafts import ProjectFacts
from xinji.build.ledger import ConflictError, Filter, Head, Ledger
from xinji.core.facilities import APPROVED, BUILT, CANCELLED, CONTRACTED, IN_USE, NO_CONTRACT, PLANNED, Facilities
from xinji.errors import InputError

YEARS, BUDGETS = (2026, 2027, 2028), (10**9, 10**9, 10**9)


def same(one: Facilities, other: Facilities) -> bool:
    """Return whether both hold the same, to the last bit of every column."""
    pairs = [(getattr(one, item.name), getattr(other, item.name)) for item in fields(Facilities)]
    return all(
        a == b if isinstance(a, str) else a.shape == b.shape and a.tobytes() == b.astype(a.dtype).tobytes()
        for a, b in pairs
    )


def test_a_life_in_full(ledger_place: Places) -> None:
    with new_ledger(ledger_place()) as ledger:
        ledger.append([*registered("a", "b"), *built("b")])
        facts = ProjectFacts("p", "5G 工厂", "electronics", "vision", "east", "某电子", 5, {"line": "3"})
        ledger.append(
            [
                drafts.project_registered(facts, day="2026-06-02"),
                drafts.project_advanced("p", "approved", day="2026-06-03"),
                drafts.assigned("b", "p", day="2026-06-02"),
                drafts.identified("b", "88.118.1/b", day="2026-06-02"),
                drafts.paid("b", day="2027-01-31", cents=-1, reference="credit"),
                drafts.evidenced("b", day="2026-06-02", name="a.pdf", sha256="a" * 64, size=3),
            ]
        )
        found, projects = ledger.facilities(), ledger.projects()
    assert found.at == "2027-01-31"
    assert found.id.tolist() == ["a", "b"]
    assert found.state.tolist() == [PLANNED, BUILT]
    assert str(found.since[1, CONTRACTED]) == "2026-03-01"
    assert np.isnat(found.since[1, IN_USE])
    assert found.contract_capex.tolist() == [NO_CONTRACT, 260_000_00]
    assert found.paid.tolist() == [0, 130_000_00 - 1]
    assert found.paid_year.tolist() == [2026, 2027]
    assert (found.planned_x_m[1], found.x_m[1], found.y_m[1]) == (SITE.x_m, 500_003.5, 3_400_001.0)
    assert math.isnan(found.x_m[0])
    assert found.project.tolist() == ["", "p"]
    assert found.identifier.tolist() == ["", "88.118.1/b"]
    assert (projects.id.tolist(), projects.state.tolist(), projects.owner.tolist()) == (["p"], [APPROVED], ["某电子"])
    assert projects.details == ({"line": "3"},)


def test_opened_again_it_says_the_same(ledger_place: Places) -> None:
    place = ledger_place()
    with new_ledger(place) as ledger:
        ledger.append([*registered("a"), *built("a")])
        before, head = ledger.facilities(), ledger.head()
    with Ledger.open(place) as again:
        assert same(again.facilities(), before)
        assert parse_head(str(again.head())) == head
        assert again.region().years == YEARS
        with pytest.raises(InputError, match="no name of who records"):
            again.append(registered("b"))


def test_a_copy_is_the_same_ledger(ledger_place: Places, tmp_path: Path) -> None:
    """Events copied from either database to a file, byte for byte, give the same head and the same facilities."""
    with new_ledger(ledger_place()) as ledger:
        ledger.append([*registered("a", "b"), *built("b")])
        head = ledger.copy_to(tmp_path / "copy.db")
        with Ledger.open(tmp_path / "copy.db") as copy:
            assert head == copy.head() == ledger.head()
            assert same(copy.facilities(), ledger.facilities())
            assert copy.verify(head=head).sound
        back = ledger_place()
        with Ledger.open(tmp_path / "copy.db") as copy:
            assert copy.copy_to(back) == head
        with pytest.raises(InputError, match="holds a ledger already"):
            ledger.copy_to(back)


def test_a_batch_is_recorded_whole_or_not_at_all(ledger_place: Places) -> None:
    with new_ledger(ledger_place()) as ledger:
        before = ledger.head()
        batch = [
            *registered("a", "a"),
            drafts.advanced("b", "approved", day=DAY),
            drafts.advanced("c", "contracted", day=DAY),
            *registered("d"),
            drafts.advanced("d", "contracted", day=DAY),
        ]
        with pytest.raises(InputError) as caught:
            ledger.append(batch)
        assert [fault.row for fault in caught.value.faults] == [1, 2, 3, 5]
        assert ledger.head() == before
        assert len(ledger.facilities()) == 0


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        (drafts.advanced("a", "contracted", day="2026-02-02"), "has no contract"),
        (drafts.advanced("a", "built", day="2026-02-02"), "is approved and cannot become built"),
        (drafts.advanced("a", "cancelled", day="2026-02-02"), "without a reason"),
        (drafts.returned("a", "approved", day="2026-02-02", reason="x"), "cannot go back to approved"),
        (drafts.advanced("a", "cancelled", day="2026-01-31", reason="x"), "became approved on 2026-02-01"),
        (drafts.paid("a", day="2025-12-31", cents=1, reference=""), "before a was registered"),
        (drafts.assigned("a", "p", day="2026-02-02"), "p is not registered"),
        (drafts.region_opened("x", day=DAY, crs="c", currency="CNY", years=YEARS), "begins with region_opened, once"),
        (drafts.voided(1, day=DAY, reason="x", facility="a", project=""), "event 1 is none of a"),
        (drafts.key_withdrawn("ed25519:" + "0" * 64, day=DAY, reason="x"), "the key is not trusted"),
    ],
)
def test_what_may_not_be_is_refused_in_words(ledger_place: Places, draft: Draft, words: str) -> None:
    with new_ledger(ledger_place()) as ledger:
        ledger.append([*registered("a"), drafts.advanced("a", "approved", day="2026-02-01")])
        with pytest.raises(InputError, match=words) as caught:
            ledger.append([draft])
        assert all(fault.remedy for fault in caught.value.faults)


def test_any_day_and_any_knowledge_can_be_asked_for(ledger_place: Places) -> None:
    def on(day: int) -> datetime:
        return datetime(2090, 8, day, 12, tzinfo=timezone(timedelta(hours=8)))

    with new_ledger(ledger_place()) as ledger:
        (first,) = ledger.append(registered("a"), clock=lambda: datetime(2090, 8, 1, 7, tzinfo=UTC))
        ledger.append(built("a"), clock=lambda: on(2))
        (late,) = ledger.append([drafts.paid("a", day="2026-05-02", cents=7, reference="late")], clock=lambda: on(3))
        assert late.recorded == "2090-08-03T04:00:00.000000Z"
        assert ledger.facilities("2026-03-31").state.tolist() == [CONTRACTED]
        assert ledger.facilities("2026-05-01").paid.tolist() == [130_000_00]
        assert ledger.facilities("2026-05-02").paid.tolist() == [130_000_07]
        assert ledger.facilities("2026-05-02", known="2090-08-02").paid.tolist() == [130_000_00]
        assert ledger.facilities("2026-12-31", known="2090-08-01").state.tolist() == [PLANNED]
        assert ledger.facilities(known=first.recorded).state.tolist() == [PLANNED]
        assert ledger.facilities(known=first.number).at == DAY
        assert len(ledger.facilities("2025-12-31")) == 0
        with pytest.raises(InputError, match="'yesterday' is no day"):
            ledger.facilities("yesterday")


def test_the_clock_of_a_ledger_never_goes_back(ledger_place: Places) -> None:
    with new_ledger(ledger_place()) as ledger:
        (late,) = ledger.append(registered("a"), clock=lambda: datetime(2090, 1, 1, tzinfo=UTC))
        (next_one,) = ledger.append(registered("b"))
        assert next_one.recorded == late.recorded
        assert ledger.verify().sound


def test_a_record_in_error_is_voided_and_stays(ledger_place: Places) -> None:
    with new_ledger(ledger_place()) as ledger:
        events = ledger.append([*registered("a"), *built("a")])
        by_kind = {event.kind: event.number for event in events}
        last = ledger.head().number
        with pytest.raises(InputError, match="is not its last step"):
            ledger.void(events[1].number, day="2026-07-01", reason="typo")
        with pytest.raises(InputError, match="is its only contract"):
            ledger.void(by_kind["contract_let"], day="2026-07-01", reason="typo")
        with pytest.raises(InputError, match="a is registered, and more is recorded of it"):
            ledger.void(by_kind["facility_registered"], day="2026-07-01", reason="typo")
        with pytest.raises(InputError, match="event 1 is region_opened, which is about no facility"):
            ledger.void(1, day="2026-07-01", reason="typo")
        with pytest.raises(InputError, match="there is no event 99"):
            ledger.void(99, day="2026-07-01", reason="typo")
        ledger.void(by_kind["payment_made"], day="2026-07-01", reason="paid for another site")
        ledger.void(events[-1].number, day="2026-07-01", reason="not inspected")
        with pytest.raises(InputError, match="or was voided"):
            ledger.void(events[-1].number, day="2026-07-01", reason="again")
        now = ledger.facilities()
        assert (now.state.tolist(), now.paid.tolist()) == ([BUILT - 1], [0])
        assert np.isnat(now.since[0, BUILT])
        before = ledger.facilities(known=last)
        assert (before.state.tolist(), before.paid.tolist()) == ([BUILT], [130_000_00])


def test_a_facility_registered_in_error_is_voided_while_nothing_else_is_said_of_it(ledger_place: Places) -> None:
    with new_ledger(ledger_place()) as ledger:
        slip, kept = ledger.append(registered("a", "b"))
        (step,) = ledger.append([drafts.advanced("a", "approved", day="2207-05-01")])
        assert ledger.facilities().at == "2207-05-01"
        ledger.void(step.number, day="2207-05-01", reason="the year is wrong")
        ledger.void(slip.number, day="2207-05-01", reason="there is no such site")
        assert (ledger.facilities().id.tolist(), ledger.facilities().at) == (["b"], DAY)
        assert ledger.facilities(known=step.number).id.tolist() == ["a", "b"]
        ledger.append(registered("a"))
        assert ledger.facilities().id.tolist() == ["b", "a"]
        ledger.set_baseline([asset("b")], name="one", plan="", day=DAY, years=(2027,), budgets=(1,), missing="keep")
        with pytest.raises(InputError, match="the baseline one holds b"):
            ledger.void(kept.number, day=DAY, reason="no site")
        assert ledger.verify().sound


def test_nothing_is_contracted_before_its_contract(ledger_place: Places) -> None:
    with new_ledger(ledger_place()) as ledger:
        let = drafts.contract_let("a", day="2026-12-01", contract="C", contractor="", capex=1)
        ledger.append([*registered("a"), drafts.advanced("a", "approved", day="2026-02-01"), let])
        with pytest.raises(InputError, match="contracted on 2026-03-01, and its contract let on 2026-12-01"):
            ledger.append([drafts.advanced("a", "contracted", day="2026-03-01")])
        ledger.append([drafts.advanced("a", "contracted", day="2026-12-01")])


def test_two_baselines_at_once_are_a_conflict(ledger_place: Places) -> None:
    """What a plan leaves as it is was decided on too: the second of two must look again."""
    place = ledger_place()
    plan = {"plan": "", "day": DAY, "years": (2027,), "budgets": (1,)}
    with new_ledger(place) as ledger, Ledger.open(place, who="wang") as other:
        ledger.set_baseline([asset("x"), asset("y")], name="zero", **plan)  # type: ignore[arg-type]
        head = other.head()
        assert ledger.set_baseline([asset("y")], name="one", **plan).cancelled == ("x",)  # type: ignore[arg-type]
        with pytest.raises(ConflictError, match="x was changed by li since you looked"):
            other.set_baseline([asset("x"), asset("y")], name="two", expected=head, **plan)  # type: ignore[arg-type]
        assert [baseline.name for baseline in ledger.baselines()] == ["zero", "one"]
        change = other.set_baseline([asset("x"), asset("y")], name="two", expected=other.head(), **plan)  # type: ignore[arg-type]
        assert change.reinstated == ("x",)


def test_a_failed_contract_no_longer_counts(ledger_place: Places) -> None:
    with new_ledger(ledger_place()) as ledger:
        ledger.append([*registered("a"), *built("a")[:3]])
        ledger.append([drafts.returned("a", "approved", day="2026-03-05", reason="contractor bankrupt")])
        assert ledger.facilities().contract_capex.tolist() == [NO_CONTRACT]
        with pytest.raises(InputError, match="has no contract"):
            ledger.append([drafts.advanced("a", "contracted", day="2026-03-06")])
        with pytest.raises(InputError, match="open to a contract from 2026-03-05 on"):
            ledger.append([drafts.contract_let("a", day="2026-03-04", contract="C-2", contractor="", capex=1)])
        ledger.append(
            [
                drafts.contract_let("a", day="2026-03-06", contract="C-2", contractor="", capex=9),
                drafts.contract_let("a", day="2026-03-07", contract="C-2", contractor="", capex=8),
                drafts.advanced("a", "contracted", day="2026-03-06"),
            ]
        )
        assert ledger.facilities("2026-03-06").contract_capex.tolist() == [9]
        assert ledger.facilities().contract_capex.tolist() == [8]


def test_identifiers_are_given_once(ledger_place: Places) -> None:
    with new_ledger(ledger_place()) as ledger:
        ledger.append(registered("a", "b", "c"))
        (given,) = ledger.append([drafts.identified("a", "88/1", day=DAY)])
        with pytest.raises(InputError, match=f"88/1 is assigned already, by event {given.number}"):
            ledger.append([drafts.identified("b", "88/1", day=DAY)])
        with pytest.raises(InputError, match="a has an identifier already"):
            ledger.append([drafts.identified("a", "88/2", day=DAY)])
        ledger.void(given.number, day=DAY, reason="typo")
        ledger.append([drafts.identified("b", "88/1", day=DAY), drafts.identified("a", "88/2", day=DAY)])
        with pytest.raises(InputError, match="88/1 is assigned already"):
            ledger.append([drafts.paid("a", day=DAY, cents=1, reference=""), drafts.identified("c", "88/1", day=DAY)])
        assert ledger.facilities().identifier.tolist() == ["88/2", "88/1", ""]


def test_two_people_on_different_facilities_do_not_meet(ledger_place: Places) -> None:
    place = ledger_place()
    with new_ledger(place, who="li") as li, Ledger.open(place, who="wang") as wang:
        li.append(registered("a", "b"))
        seen = li.head()
        wang.append([drafts.advanced("b", "approved", day=DAY)], expected=seen)
        li.append([drafts.advanced("a", "approved", day=DAY)], expected=seen)
        assert li.facilities().state.tolist() == [APPROVED, APPROVED]
        assert [event.who for event in li.events(Filter(kinds=("state_advanced",)))] == ["wang", "li"]


def test_two_people_on_one_facility_do(ledger_place: Places) -> None:
    place = ledger_place()
    with new_ledger(place, who="li") as li, Ledger.open(place, who="wang") as wang:
        li.append(registered("a", "b"))
        seen = li.head()
        wang.append([drafts.paid("b", day=DAY, cents=5, reference="")], expected=seen)
        with pytest.raises(ConflictError, match="b was changed by wang since you looked"):
            li.append([*registered("c"), drafts.paid("b", day=DAY, cents=5, reference="")], expected=seen)
        assert li.facilities().id.tolist() == ["a", "b"]
        li.append([drafts.paid("b", day=DAY, cents=6, reference="")], expected=li.head())
        assert li.facilities().paid.tolist() == [0, 11]
        with pytest.raises(ConflictError, match="it has no event"):
            li.append(registered("c"), expected=Head(2, "0" * 64))


def test_events_are_found_by_what_they_are(ledger_place: Places) -> None:
    with new_ledger(ledger_place()) as ledger:
        events = ledger.append([*registered("a", "b"), *built("a")])
        assert ledger.events()[1:] == events
        assert [event.kind for event in ledger.events(Filter(facility="b"))] == ["facility_registered"]
        assert len(ledger.events(Filter(first=3, last=5))) == 3
        assert len(ledger.events(Filter(kinds=("state_advanced",), since="2026-03-01", until="2026-04-01"))) == 2
        assert ledger.events(Filter(project="p")) == ()


def test_a_baseline_registers_changes_and_lets_go(ledger_place: Places) -> None:
    with new_ledger(ledger_place()) as ledger:
        plan = [asset("old", year=0), asset("a"), asset("b"), asset("c"), asset("d")]
        first = ledger.set_baseline(plan, name="first", plan="f1", day=DAY, years=YEARS, budgets=BUDGETS)
        assert first.registered == ("old", "a", "b", "c", "d")
        ledger.append([*built("a"), drafts.advanced("d", "cancelled", day="2026-02-01", reason="no site")])
        again = [asset("a", capex=1), asset("b", year=2028), asset("d"), asset("e")]
        second = ledger.set_baseline(again, name="second", plan="f2", day="2026-07-01", years=YEARS, budgets=BUDGETS)
        assert (second.registered, second.replanned, second.reinstated) == (("e",), ("b",), ("d",))
        assert (second.cancelled, second.untouched) == (("c",), ("a",))
        now = ledger.facilities()
        assert now.id.tolist() == ["old", "a", "b", "c", "d", "e"]
        assert now.state.tolist() == [IN_USE, BUILT, PLANNED, CANCELLED, PLANNED, PLANNED]
        assert now.planned_year.tolist() == [0, 2027, 2028, 2027, 2027, 2027]
        assert now.planned_capex[1] == SITE.capex
        one, two = ledger.baselines()
        assert (one.name, one.plan, one.budgets, one.assets, two.assets) == ("first", "f1", BUDGETS, 5, 4)
        assert ledger.facilities(known=one.number).id.tolist() == [item.id for item in plan]
        third = ledger.set_baseline(again, name="third", plan="f2", day="2026-07-02", years=YEARS, budgets=BUDGETS)
        assert third.untouched == ("a", "b", "d", "e")
        assert ledger.verify().sound


def test_a_baseline_that_contradicts_itself_or_the_ledger_is_refused(ledger_place: Places) -> None:
    with new_ledger(ledger_place()) as ledger:
        about = {"plan": "", "day": DAY, "years": YEARS, "budgets": BUDGETS}
        with pytest.raises(InputError, match="row 1: a is there twice"):
            ledger.set_baseline([asset("a"), asset("a")], name="x", **about)  # type: ignore[arg-type]
        ledger.set_baseline([asset("a")], name="x", **about)  # type: ignore[arg-type]
        with pytest.raises(InputError, match="there is a baseline x already"):
            ledger.set_baseline([asset("a")], name="x", **about)  # type: ignore[arg-type]
        other = replace(asset("a"), technology="fibre")
        with pytest.raises(InputError, match="a is fibre, and radio in the ledger"):
            ledger.set_baseline([other], name="y", **about)  # type: ignore[arg-type]
        kept = ledger.set_baseline([asset("b")], name="y", missing="keep", **about)  # type: ignore[arg-type]
        assert kept.cancelled == ()


def test_thousands_of_facilities_of_a_baseline(ledger_place: Places) -> None:
    """More than one look-up takes at once; every cent and place comes back."""
    plan = [replace(asset(f"s{i}", capex=10_000_00 + i), x_m=5e5 + i / 7) for i in range(4_000)]
    with new_ledger(ledger_place()) as ledger:
        ledger.set_baseline(plan, name="first", plan="f", day=DAY, years=YEARS, budgets=BUDGETS)
        ledger.append([drafts.paid(item.id, day="2026-05-01", cents=item.capex, reference="") for item in plan])
        found = ledger.facilities()
        assert found.id.tolist() == [item.id for item in plan]
        assert found.planned_x_m.tolist() == [item.x_m for item in plan]
        assert found.paid.tolist() == [item.capex for item in plan]


def test_places_that_hold_no_ledger(ledger_place: Places, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no ledger|there is no file"):
        Ledger.open(ledger_place())
    place = ledger_place()
    new_ledger(place).close()
    with pytest.raises(InputError, match="holds a ledger already"):
        new_ledger(place)
    (tmp_path / "text.db").write_text("This is no database, but a text that is longer than its header. " * 20)
    with pytest.raises(InputError, match="cannot be opened: file is not a database"):
        Ledger.open(tmp_path / "text.db")
    with pytest.raises(InputError, match="there is no folder"):
        new_ledger(str(tmp_path / "none" / "ledger.db"))
    with pytest.raises(InputError, match="no URL that is known"):
        Ledger.open("mysql://localhost/x")


def test_passwords_are_never_shown() -> None:
    with pytest.raises(InputError, match="cannot be opened") as caught:
        Ledger.open("postgresql://me:secret@127.0.0.1:1/x?connect_timeout=2")
    assert "secret" not in str(caught.value)
    assert "***" in str(caught.value)
