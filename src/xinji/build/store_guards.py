"""The database's own guards of a ledger: whether each trigger is there, and does what it was made to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

_SQLITE = {
    "event_never_changed": """CREATE TRIGGER event_never_changed BEFORE UPDATE ON event
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END""",
    "event_never_deleted": """CREATE TRIGGER event_never_deleted BEFORE DELETE ON event
    BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END""",
    "event_appended": """CREATE TRIGGER event_appended BEFORE INSERT ON event
    WHEN NEW.number <> (SELECT COALESCE(MAX(number), 0) + 1 FROM event)
    BEGIN SELECT RAISE(ABORT, 'events are only appended'); END""",
}
"""The text of each trigger, as SQLite keeps it."""

_ROW, _BEFORE, _DELETE, _UPDATE, _TRUNCATE = 1, 2, 8, 16, 32
_REFUSE = "BEGIN RAISE EXCEPTION 'events are never changed or deleted'; END"
_POSTGRESQL = {
    "event_never_changed": f"{_ROW | _BEFORE | _DELETE | _UPDATE} always {_REFUSE}",
    "event_never_emptied": f"{_BEFORE | _TRUNCATE} always {_REFUSE}",
}
"""When each trigger fires (bits of pg_trigger.tgtype), under no condition, and the text of its function."""

_IN_SQLITE = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'event'"
_IN_POSTGRESQL = """
SELECT tgname,
    CONCAT(tgtype, CASE WHEN tgqual IS NULL AND CAST(tgattr AS text) = '' THEN ' always ' ELSE ' ' END, prosrc)
FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
WHERE tgrelid = CAST('event' AS regclass) AND tgenabled IN ('O', 'A')
"""


QUERIES = {"sqlite": _IN_SQLITE, "postgresql": _IN_POSTGRESQL}
"""By dialect, what gives the name of each trigger on the table of events, and what it does."""


def guard_faults(dialect: str, rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield what is missing of the triggers, or was changed in them, in words; ``rows`` answer the dialect's query."""
    found = {str(name): _plain(text) for name, text in rows}
    for name, text in (_POSTGRESQL if dialect == "postgresql" else _SQLITE).items():
        if name not in found:
            yield f"the trigger {name} is missing"
        elif found[name] != _plain(text):
            yield f"the trigger {name} does something else than it was made for"


def _plain(text: object) -> str:
    return " ".join(str(text).split())
