"""What was recorded in error: an event that says so, after which the record counts no longer."""

from __future__ import annotations

from xinji.build.chain import parse_head
from xinji.build.ledger import Event, Filter, Head, Ledger
from xinji.errors import Fault, InputError
from xinji.workflow import building_days
from xinji.workflow.building_advance import Hand


def void_event(place: str, number: int, reason: str, hand: Hand) -> tuple[Event, Event, Head]:
    """Record in the ledger at ``place`` that event ``number`` was recorded in error.

    Returns that event, the one that voids it, and the ledger's head after it. Raises InputError where the event
    is not there or is of no kind that can be voided, ConflictError where its facility changed since ``hand.head``.
    """
    if not reason.strip():
        raise InputError([Fault("--reason", "it is empty", "Say why the record was wrong.")])
    with Ledger.open(place, who=hand.who, key=hand.key) as ledger:
        looked = parse_head(hand.head) if hand.head else ledger.head()
        found = ledger.events(Filter(first=number, last=number)) if number > 0 else ()
        # A thing whose own day is still to come is voided on that day: nothing is said of it earlier.
        day = max([building_days.today(), *(event.day for event in _beginning(ledger, found))])
        done = ledger.void(number, day=day, reason=reason, expected=looked)
        return found[0], done, ledger.head()


def _beginning(ledger: Ledger, found: tuple[Event, ...]) -> tuple[Event, ...]:
    """Return the events that registered what ``found`` is about."""
    told: list[Event] = []
    for event in found:
        if event.facility:
            told += ledger.events(Filter(kinds=("facility_registered",), facility=event.facility))
        if event.project:
            told += ledger.events(Filter(kinds=("project_registered",), project=event.project))
    return tuple(told)
