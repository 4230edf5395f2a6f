"""Changes to one record, as a fold: what stands, a change, what stands then. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.names import check_handle
from xinji.use.identity.record import Record, Value

KINDS = ("create", "replace", "delete", "add", "put", "modify", "remove")
"""Kinds of change: new record; record in place of any; no record; new values; new or changed values;
changed values; fewer values."""

Check = Callable[[Record | None], None]
"""Raises IdentifierError where the record as it stands forbids the change."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change to the record of ``handle``: ``kind`` (of KINDS), ``values`` or, to remove, ``indexes``.

    ``check`` is called with the record as it stands inside the same transaction. Values get the time of
    the change as their timestamp unless ``keep_times``.
    """

    kind: str
    handle: str
    values: tuple[Value, ...] = ()
    indexes: tuple[int, ...] = ()
    check: Check | None = None
    keep_times: bool = False


def apply_change(record: Record | None, change: Change, now_s: int) -> Record | None:
    """Return the record after ``change``, None where it is deleted; raises IdentifierError where it cannot be."""
    if change.kind not in KINDS:
        remedy = f"Use one of {', '.join(KINDS)}."
        raise refuse(Code.OPERATION_NOT_SUPPORTED, change.handle, f"the change {change.kind!r} is unknown", remedy)
    if change.check is not None:
        change.check(record)
    values = change.values if change.keep_times else tuple(replace(v, timestamp_s=now_s) for v in change.values)
    if change.kind in ("create", "replace"):
        if record is not None and change.kind == "create":
            remedy = "Modify it, or choose another name."
            raise refuse(Code.HANDLE_EXISTS, change.handle, "the handle is registered", remedy)
        return Record(check_handle(change.handle), values)
    if record is None:
        raise refuse(Code.HANDLE_NOT_FOUND, change.handle, "the handle is not registered", "Create it first.")
    if change.kind == "delete":
        return None
    if change.kind == "remove":
        return _without(record, change.indexes)
    return _with(record, change.kind, values)


def _with(record: Record, kind: str, values: tuple[Value, ...]) -> Record:
    Record(record.handle, values)
    held = {value.index: value for value in record.values}
    given = {value.index: value for value in values}
    both, new = sorted(held.keys() & given.keys()), sorted(given.keys() - held.keys())
    if kind == "add" and both:
        raise _indexes(Code.VALUE_EXISTS, record, both, "exist already", "Modify them, or choose free indexes.")
    if kind == "modify" and new:
        raise _indexes(Code.VALUES_NOT_FOUND, record, new, "do not exist", "Add them.")
    return Record(record.handle, tuple((held | given).values()))


def _without(record: Record, indexes: tuple[int, ...]) -> Record:
    missing = sorted(set(indexes) - {value.index for value in record.values})
    if missing:
        raise _indexes(Code.VALUES_NOT_FOUND, record, missing, "do not exist", "Leave them out.")
    return Record(record.handle, tuple(value for value in record.values if value.index not in indexes))


def _indexes(code: Code, record: Record, indexes: list[int], what: str, remedy: str) -> IdentifierError:
    shown = ", ".join(map(str, indexes[:20])) + (", ..." if len(indexes) > 20 else "")
    return refuse(code, record.handle, f"the values {shown} {what}", remedy)
