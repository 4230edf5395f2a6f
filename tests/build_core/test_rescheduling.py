"""The date of completion of what is let moves by an event of its own, and its state stays; on both databases."""

from __future__ import annotations

import numpy as np
import pytest
import sqlalchemy as sa

from support.ledger_stores import Places, postgres_place
from support.small_ledger import built, new_ledger, registered
from xinji.build import event_drafts as drafts
from xinji.build.event import COMPLETION_RESCHEDULED, Draft, Event
from xinji.build.ledger import Ledger
from xinji.core.facilities import CONTRACTED, PLANNED
from xinji.errors import InputError, OutputError

LET = built("a")[:3]
"""Approved in February 2026, let on 1 March 2026."""


def moved(day: str, completion: str, reason: str = "permit late") -> Draft:
    return drafts.rescheduled("a", completion, day=day, reason=reason)


def completion(ledger: Ledger, at: str = "", known: str | int | None = None) -> str:
    return str(ledger.facilities(at, known=known).completion[0])


def test_a_date_moves_and_the_state_stays(ledger_place: Places) -> None:
    with new_ledger(ledger_place()) as ledger:
        ledger.append([*registered("a"), *LET])
        before = ledger.head().number
        ledger.append([moved("2026-04-10", "2028-03-31"), moved("2026-06-01", "2028-06-30", "flood")])
        found = ledger.facilities()
        assert (int(found.state[0]), str(found.completion[0]), bool(found.rescheduled[0])) == (
            CONTRACTED,
            "2028-06-30",
            True,
        )
        assert (found.planned_year.tolist(), str(found.since[0, CONTRACTED])) == ([2027], "2026-03-01")
        assert [completion(ledger, day) for day in ("2026-04-09", "2026-04-10", "2026-06-01")] == [
            "NaT",
            "2028-03-31",
            "2028-06-30",
        ]
        assert completion(ledger, "9999-12-31", known=before) == "NaT"
        event = ledger.events()[-1]
        assert (event.kind, event.who, event.day) == (COMPLETION_RESCHEDULED, "li", "2026-06-01")
        assert event.payload == {"completion": "2028-06-30", "reason": "flood"}
        ledger.void(event.number, day="2026-06-02", reason="another site's")
        assert completion(ledger) == "2028-03-31"
        assert ledger.verify().sound


def test_it_ends_with_its_contract(ledger_place: Places) -> None:
    with new_ledger(ledger_place()) as ledger:
        ledger.append([*registered("a"), *LET, moved("2026-04-10", "2028-03-31")])
        ledger.append([drafts.returned("a", "approved", day="2026-05-01", reason="contract fails")])
        assert completion(ledger) == "NaT"
        assert completion(ledger, "2026-04-30") == "2028-03-31"
        ledger.append(
            [
                drafts.contract_let("a", day="2026-06-01", contract="C-2", contractor="", capex=1),
                drafts.advanced("a", "contracted", day="2026-06-01"),
            ]
        )
        assert completion(ledger) == "NaT"
        with pytest.raises(InputError, match="was open to a contract from 2026-05-01"):
            ledger.append([moved("2026-04-20", "2028-03-31")])
        # What is built has no date to come, whatever was agreed.
        ledger.append([moved("2026-06-02", "2028-03-31")])
        steps = [drafts.advanced("a", state, day="2026-07-01") for state in ("under_construction", "built")]
        ledger.append(steps)
        found = ledger.facilities()
        assert (str(found.completion[0]), bool(found.rescheduled[0])) == ("2028-03-31", False)
        assert ledger.verify().sound


@pytest.mark.parametrize(
    ("steps", "draft", "message"),
    [
        (0, moved("2026-03-01", "2028-01-01"), "a is planned"),
        (1, moved("2026-03-01", "2028-01-01"), "a is approved"),
        (7, moved("2026-07-01", "2028-01-01"), "a is built"),
        (3, moved("2026-05-01", "2026-04-30"), "was to be complete by 2026-04-30, before 2026-05-01"),
        (3, drafts.rescheduled("b", "2028-01-01", day="2026-05-01", reason="x"), "b is not registered"),
        (3, moved("2026-05-01", "2028-01-01", ""), "reason is ''"),
        (3, moved("2026-05-01", "next year"), "completion is 'next year'"),
    ],
)
def test_what_cannot_be_is_refused(ledger_place: Places, steps: int, draft: Draft, message: str) -> None:
    with new_ledger(ledger_place()) as ledger:
        ledger.append([*registered("a"), *built("a")[:steps]])
        head = ledger.head()
        with pytest.raises(InputError, match=message):
            ledger.append([draft])
        assert ledger.head() == head


def test_a_role_that_may_select_and_insert_keeps_the_ledger_and_changes_nothing() -> None:
    place = postgres_place()
    url = sa.make_url(place).set(drivername="postgresql+psycopg")
    schema = str(url.query["options"]).partition("=")[2]
    role = f"clerk_{schema}"
    owner = sa.create_engine(url, poolclass=sa.NullPool)
    new_ledger(place).close()
    with owner.begin() as connection:
        for statement in (
            f"CREATE ROLE {role} LOGIN",
            f"GRANT USAGE ON SCHEMA {schema} TO {role}",
            f"GRANT SELECT, INSERT ON {schema}.event TO {role}",
            f"GRANT SELECT ON {schema}.alembic_version TO {role}",
        ):
            connection.execute(sa.text(statement))
    with Ledger.open(place.replace("xinji@", f"{role}@"), who="wang") as ledger:
        ledger.append([*registered("a"), *built("a")], expected=ledger.head())
        assert ledger.facilities().paid.tolist() == [130_000_00]
        assert ledger.verify().sound
        for statement in (
            "UPDATE event SET who = 'nobody'",
            "DELETE FROM event",
            "TRUNCATE event",
            "DROP TRIGGER event_never_changed ON event",
            "ALTER TABLE event DISABLE TRIGGER ALL",
            "UPDATE alembic_version SET version_num = '0001'",
        ):
            with (
                pytest.raises(sa.exc.ProgrammingError, match=r"permission denied|must be owner"),
                ledger.store.engine.begin() as connection,
            ):
                connection.execute(sa.text(statement))
        assert ledger.verify().sound
    assert [event.who for event in _events(place)] == ["li", *["wang"] * 8]
    # Who may only look is told so, and nothing is recorded.
    with owner.begin() as connection:
        connection.execute(sa.text(f"REVOKE INSERT ON {schema}.event FROM {role}"))
    with (
        Ledger.open(place.replace("xinji@", f"{role}@"), who="wang") as ledger,
        pytest.raises(OutputError, match=r"permission denied for table event\. Nothing was recorded"),
    ):
        ledger.append(registered("b"))
    owner.dispose()


def _events(place: str) -> tuple[Event, ...]:
    with Ledger.open(place) as ledger:
        return ledger.events()


def test_ledgers_in_one_database_do_not_wait_for_each_other() -> None:
    one, other = new_ledger(postgres_place()), new_ledger(postgres_place())
    with one, other, one.store.writing() as writer:
        other.append(registered("a"))
        assert writer.last().number == 1
        assert other.facilities().state.tolist() == [PLANNED]
        assert np.isnat(other.facilities().completion).all()
