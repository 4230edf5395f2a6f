"""Every change behind the ledger's back is refused by the database, or named by the audit."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.ledger_stores import Places
from support.small_ledger import built, new_ledger, registered
from xinji.build.audit import Audit
from xinji.build.chain import GENESIS, Head, event_bytes, link
from xinji.build.event import Record
from xinji.build.ledger import Ledger
from xinji.build.store import Filter
from xinji.errors import InputError

COLUMNS = [name for name in Record._fields if name != "number"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET payload = '{}' WHERE number = 3",
        "DELETE FROM event WHERE number = 3",
        "DELETE FROM event",
        "TRUNCATE event",
        "INSERT OR REPLACE INTO event SELECT * FROM event WHERE number = 3",
        "INSERT INTO event SELECT * FROM event WHERE number = 3 ON CONFLICT (number) DO UPDATE SET who = 'x'",
    ],
)
def test_the_database_itself_refuses(ledger_place: Places, statement: str) -> None:
    with new_ledger(ledger_place()) as ledger:
        ledger.append([*registered("a"), *built("a")])
        with pytest.raises(sa.exc.DBAPIError), ledger.store.engine.begin() as connection:
            connection.execute(sa.text(statement))
        assert len(ledger.events()) == 9
        assert ledger.verify().sound


@pytest.fixture
def file(tmp_path: Path) -> Path:
    with new_ledger(str(tmp_path / "ledger.db")) as ledger:
        ledger.append([*registered("a", "b"), *built("a")])
    return tmp_path / "ledger.db"


def tamper(file: Path, statement: str, *values: object) -> None:
    """Change the file with its triggers taken off and put back, as someone with the file can."""
    with closing(sqlite3.connect(file)) as connection, connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement, values)
        for _, sql in triggers:
            connection.execute(sql)


def audit(file: Path, *, head: Head | None = None) -> Audit:
    with Ledger.open(file) as ledger:
        return ledger.verify(head=head)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("value", ["x", "", None, 7, b"\xff\xfe"])
def test_any_change_of_a_value_is_named(file: Path, column: str, value: object) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'event'")
        connection.commit()
    before = audit(file)
    tamper(file, f"UPDATE event SET {column} = ? WHERE number = 5", value)  # noqa: S608
    empty_before = column in ("project", "key", "signature")
    found = audit(file)
    assert before.sound
    assert found.sound == (value == "" and empty_before)
    assert found.sound or found.findings[0].number == 5


def test_taken_out_or_cut_off(file: Path) -> None:
    head = audit(file).head
    tamper(file, "DELETE FROM event WHERE number = 4")
    assert "events between them are missing" in str(audit(file).findings[0])
    assert audit(file).findings[0].number == 5
    tamper(file, "DELETE FROM event WHERE number >= 4")
    assert audit(file).sound
    (finding,) = audit(file, head=head).findings
    assert "ends at event 3, and the head that was kept is event 10" in finding.message


def records(file: Path) -> list[Record]:
    with Ledger.open(file) as ledger:
        return ledger.store.records(Filter())


def rewritten(file: Path, number: int, **changes: str) -> Iterator[Record]:
    """Yield all records with event ``number`` changed and every later hash made to fit."""
    previous = GENESIS
    for record in records(file):
        new = Record(**{**record._asdict(), **changes}) if record.number == number else record
        previous = link(previous, event_bytes(new))
        yield new._replace(hash=previous)


def rewrite(file: Path, rows: list[Record]) -> None:
    tamper(file, "DELETE FROM event")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executemany(f"INSERT INTO event VALUES ({','.join('?' * len(Record._fields))})", rows)  # noqa: S608


def test_a_chain_made_anew_needs_the_head_that_was_kept(file: Path) -> None:
    head = audit(file).head
    rewrite(file, list(rewritten(file, 8, payload='{"cents":1,"reference":"INV-1"}')))
    assert audit(file).sound
    assert "its hash is not the one that was kept" in str(audit(file, head=head).findings[0])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"payload": '{"cents": 1,"reference":"INV-1"}'}, "not canonical JSON"),
        ({"payload": "[" * 5000 + "]" * 5000}, "not canonical JSON"),
        ({"payload": "7"}, "not canonical JSON"),
        ({"payload": '{"cents":1}'}, "lacks ['reference']"),
        ({"facility": "c"}, "c is not registered"),
        ({"recorded": "2001"}, "before the event before it"),
        ({"kind": "tea_made"}, "the kind 'tea_made' is unknown"),
    ],
)
def test_a_chain_made_anew_still_has_to_obey_the_rules(file: Path, changes: dict[str, str], words: str) -> None:
    rewrite(file, list(rewritten(file, 8, **changes)))
    first = audit(file).findings[0]
    assert first.number == 8
    assert words in first.message


def test_missing_guards_are_named(ledger_place: Places) -> None:
    with new_ledger(ledger_place()) as ledger:
        on = " ON event" if ledger.store.engine.dialect.name == "postgresql" else ""
        with ledger.store.engine.begin() as connection:
            connection.execute(sa.text(f"DROP TRIGGER event_never_changed{on}"))
        assert [str(finding).split(".")[0] for finding in ledger.verify().findings] == [
            "ledger: the trigger event_never_changed is missing"
        ]


def test_a_guard_that_does_nothing_is_named(ledger_place: Places) -> None:
    with new_ledger(ledger_place()) as ledger:
        team = ledger.store.engine.dialect.name == "postgresql"
        does = "OR DELETE ON event FOR EACH ROW WHEN (false) EXECUTE FUNCTION event_refuse()"
        anew = does if team else "ON event WHEN 0 BEGIN SELECT 1; END"
        with ledger.store.engine.begin() as connection:
            connection.execute(sa.text(f"DROP TRIGGER event_never_changed{' ON event' if team else ''}"))
            connection.execute(sa.text(f"CREATE TRIGGER event_never_changed BEFORE UPDATE {anew}"))
        (finding,) = ledger.verify().findings
        assert "the trigger event_never_changed does something else" in finding.message


def stored(path: Path) -> bytes:
    """Return the bytes of a ledger file with nothing left beside it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
    return path.read_bytes()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_flipped_byte_changes_nothing_unseen(file: Path, place: float, flip: int) -> None:
    """One byte of the file is changed: the audit names it, the file is refused, or all events are as they were."""
    whole = stored(file)
    before = records(file)
    damaged = bytearray(stored(file))
    damaged[int(place * len(damaged))] ^= flip
    copy = file.with_name("damaged.db")
    for left in file.parent.glob("damaged.db*"):
        left.unlink()
    copy.write_bytes(damaged)
    try:
        sound = audit(copy).sound
        after = records(copy) if sound else []
    except InputError:
        sound, after = False, []
    assert not sound or after == before
    file.write_bytes(whole)


def test_a_flipped_byte_of_an_event_is_named(file: Path) -> None:
    whole = bytearray(stored(file))
    place = whole.index(b"INV-1")
    whole[place] ^= 1
    file.write_bytes(whole)
    assert [finding.number for finding in audit(file).findings] == [8]
    whole[place] = 0xFF
    file.write_bytes(whole)
    findings = audit(file).findings
    assert findings[0].number == 8
    assert "cannot be read" in findings[0].message
