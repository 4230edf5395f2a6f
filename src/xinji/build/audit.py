"""Whether a ledger still is what was recorded: its chain, signatures, rules and the database's own guards."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from xinji.build.book import Book
from xinji.build.canonical import canonical
from xinji.build.chain import GENESIS, Head, broken
from xinji.build.event import Event, Record, event_of
from xinji.build.event_payload import entry_faults
from xinji.build.signature import verify
from xinji.build.store import Filter, Store
from xinji.errors import InputError

_AT_ONCE = 5000
_UNTRUE = "What is recorded is not what was recorded: compare with a backup or a copy, and restore it."
_UNKNOWN = "Ask who that is, and add their key to your list; else compare with a backup or a copy, and restore it."


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with event ``number`` (0: with the ledger as a whole), and what to do."""

    number: int
    message: str
    remedy: str

    def __str__(self) -> str:
        place = f"event {self.number}" if self.number else "ledger"
        return f"{place}: {self.message}. {self.remedy}"


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit read and found: counts of events, the head, and findings in order of the events."""

    events: int
    head: Head
    signed: int
    unsigned: int
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


@dataclass(slots=True)
class _State:
    """How far the audit has come."""

    head: Head = field(default_factory=lambda: Head(0, GENESIS))
    recorded: str = ""
    events: int = 0
    signed: int = 0
    book: Book = field(default_factory=Book)
    refused: set[tuple[str, str]] = field(default_factory=set)


def audit_records(store: Store, *, head: Head | None, trusted: Mapping[str, Collection[str]] | None) -> Audit:
    """Return what an audit of all events in ``store`` finds.

    ``head`` is one that was kept elsewhere. Where ``trusted`` is given, only its names and their keys count,
    whatever the ledger itself says: whatever anyone else recorded is a finding, for who can write the file can
    also make it anew under another name.
    """
    state = _State()
    findings = [*_guards(store)]
    for piece in _read(store):
        if isinstance(piece, Finding):
            findings.append(piece)
            continue
        findings.extend(_examine(piece, state, trusted))
        if head is not None and piece.number == head.number and piece.hash != head.hash:
            findings.append(Finding(piece.number, "its hash is not the one that was kept", _UNTRUE))
    if head is not None and state.head.number < head.number:
        message = f"it ends at event {state.head.number}, and the head that was kept is event {head.number}"
        findings.append(Finding(0, message, _UNTRUE))
    return Audit(state.events, state.head, state.signed, state.events - state.signed, tuple(findings))


def _guards(store: Store) -> Iterator[Finding]:
    remedy = "Copy the ledger to a new place once its events are found sound."
    try:
        for missing in store.guards():
            yield Finding(0, missing, remedy)
    except InputError as error:
        yield Finding(0, error.faults[0].message, remedy)


def _read(store: Store) -> Iterator[Record | Finding]:
    """Yield all records in order, and a finding in place of each stretch that cannot be read."""
    try:
        end = store.last().number
    except InputError as error:
        yield Finding(0, error.faults[0].message, error.faults[0].remedy)
        return
    if not isinstance(end, int):
        yield Finding(0, f"the last event is numbered {end!r}", _UNTRUE)
        return
    for first in range(1, end + 1, _AT_ONCE):
        last = min(first + _AT_ONCE - 1, end)
        try:
            yield from store.records(Filter(first=first, last=last))
        except InputError:
            yield from _read_singly(store, first, last)


def _read_singly(store: Store, first: int, last: int) -> Iterator[Record | Finding]:
    for number in range(first, last + 1):
        try:
            yield from store.records(Filter(first=number, last=number))
        except InputError as error:
            yield Finding(number, error.faults[0].message, error.faults[0].remedy)


def _examine(record: Record, state: _State, trusted: Mapping[str, Collection[str]] | None) -> Iterator[Finding]:
    """Yield what is wrong with ``record``, which is the next after ``state``; moves ``state`` on."""
    for number, message in broken([record], state.head):
        yield Finding(number, message, _UNTRUE)
    event = _parsed(record)
    if not all(isinstance(value, str) for value in record[1:]):
        yield Finding(record.number, "it holds a value that is no text", _UNTRUE)
    elif event is None:
        yield Finding(record.number, "its payload is not canonical JSON", _UNTRUE)
    else:
        faults = tuple(entry_faults(event))
        for message, remedy in faults:
            yield Finding(record.number, message, remedy)
        if not faults:
            yield from _ruled(event, state)
            yield from _signed(event, trusted)
    if str(record.recorded) < state.recorded:
        yield Finding(record.number, f"it was recorded at {record.recorded}, before the event before it", _UNTRUE)
    state.head, state.recorded = Head(record.number, record.hash), str(record.recorded)
    state.events += 1
    state.signed += bool(record.signature)


def _parsed(record: Record) -> Event | None:
    """Return ``record`` as an event, None where its payload is no canonical object."""
    try:
        event = event_of(record)
        fits = isinstance(event.payload, dict) and canonical(event.payload) == record.payload
    except (TypeError, ValueError, RecursionError):
        return None
    return event if fits else None


def _ruled(event: Event, state: _State) -> Iterator[Finding]:
    about = (event.facility, event.project)
    if about != ("", "") and about in state.refused:
        return
    refusal = state.book.refusal(event)
    if refusal is None:
        state.book.enter(event, event.number)
    else:
        state.refused.add(about)
        yield Finding(event.number, f"it should have been refused: {refusal[0]}", _UNTRUE)


def _signed(event: Event, trusted: Mapping[str, Collection[str]] | None) -> Iterator[Finding]:
    if bool(event.key) != bool(event.signature):
        lacks = "its signature is missing" if event.key else "it has a signature without a key"
        yield Finding(event.number, lacks, _UNTRUE)
    elif event.key and not verify(event.key, event.hash, event.signature):
        yield Finding(event.number, f"the signature of {event.who} is forged or damaged", _UNTRUE)
    if trusted is None:
        return
    if event.who not in trusted:
        yield Finding(event.number, f"it was recorded by {event.who}, for whom you trust no key", _UNKNOWN)
    elif event.key not in trusted[event.who]:
        yield Finding(event.number, f"it carries no key that you trust for {event.who}", _UNTRUE)
