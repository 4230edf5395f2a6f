"""What must be known to judge the next event, and the rules by which it is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from xinji.build import event as kinds
from xinji.build.event import Entry, Event
from xinji.build.states import ends_contract, may_advance, may_return, next_states
from xinji.core.facilities import (
    CANCELLED,
    CONTRACTED,
    FROZEN,
    PLANNED,
    RETIRED,
    STATES,
    UNDER_CONSTRUCTION,
)

Refusal = tuple[str, str]
"""What is wrong with an event, and how to mend it."""

VOIDABLE = (
    kinds.FACILITY_REPLANNED,
    kinds.STATE_ADVANCED,
    kinds.STATE_RETURNED,
    kinds.CONTRACT_LET,
    kinds.COMPLETION_RESCHEDULED,
    kinds.PAYMENT_MADE,
    kinds.PLACE_RECORDED,
    kinds.EVIDENCE_ATTACHED,
    kinds.PROJECT_ASSIGNED,
    kinds.IDENTIFIER_ASSIGNED,
)
"""Kinds of events that can be voided; beside them a facility's registration, where nothing else is said of it."""


@dataclass(frozen=True, slots=True)
class Step:
    """A state entered: by which event, on which day."""

    number: int
    state: int
    day: str


@dataclass(frozen=True, slots=True)
class Subject:
    """A facility or project: its states so far, the events of it that count, and the days of contracts, by number."""

    since: str
    steps: list[Step]
    counts: dict[int, str] = field(default_factory=dict)
    let_on: dict[int, str] = field(default_factory=dict)

    @property
    def state(self) -> int:
        """The state it is in (code of ``STATES``)."""
        return self.steps[-1].state

    @property
    def renewed(self) -> Step:
        """The step since which contracts count: registered, or the last one that ended those before it."""
        for before, step in zip(self.steps[-2::-1], self.steps[:0:-1], strict=True):
            if ends_contract(before.state, step.state):
                return step
        return self.steps[0]


@dataclass(frozen=True, slots=True)
class Book:
    """What the events so far add up to; grows by ``enter``.

    ``subjects`` by (facility, project), of which one is empty; ``identifiers`` and ``baselines`` give the
    number of the event that assigned or set each; ``keys`` the names by key; ``signers`` all names that ever had one.
    """

    subjects: dict[tuple[str, str], Subject] = field(default_factory=dict)
    identifiers: dict[str, int] = field(default_factory=dict)
    baselines: dict[str, int] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    signers: set[str] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)

    def refusal(self, event: Event) -> Refusal | None:
        """Return why ``event`` cannot be the next, or None if it can."""
        if bool(self.opened) == (event.kind == kinds.REGION_OPENED):
            return "a ledger begins with region_opened, once", "Make the ledger with `Ledger.create`."
        return self._unsigned(event) or self._untimely(event) or _RULES[event.kind](self, event)

    def enter(self, event: Entry, number: int) -> None:
        """Take ``event`` into account; it must not have been refused."""
        subject = self.subjects.get((event.facility, "" if event.facility else event.project))
        if subject is not None:
            subject.counts[number] = event.kind
            if event.kind == kinds.CONTRACT_LET:
                subject.let_on[number] = event.day
        _ENTRIES.get(event.kind, _nothing)(self, event, number)

    def subject(self, event: Entry) -> Subject:
        """Return what ``event`` is about: its facility, or its project where it names no facility."""
        return self.subjects[event.facility, "" if event.facility else event.project]

    def _unsigned(self, event: Event) -> Refusal | None:
        if event.key:
            if self.keys.get(event.key) == event.who or (not self.signers and _introduces(event)):
                return None
            remedy = "Let someone who is trusted record it with key_trusted."
            return f"{event.who} signed with a key that is not trusted", remedy
        if event.who in self.signers:
            return f"{event.who} has a key but did not sign", "Give the key."
        if self.signers and event.kind in (kinds.KEY_TRUSTED, kinds.KEY_WITHDRAWN):
            return "a key was changed without a signature", "Sign it with a key that is trusted."
        return None

    def _untimely(self, event: Event) -> Refusal | None:
        if event.kind in (kinds.FACILITY_REGISTERED, kinds.PROJECT_REGISTERED):
            return None
        for subject in ((event.facility, ""), ("", event.project)):
            if subject == ("", ""):
                continue
            known = self.subjects.get(subject)
            name = subject[0] or subject[1]
            if known is None:
                return f"{name} is not registered", "Register it first."
            if event.day < known.since:
                return f"{event.day} is before {name} was registered on {known.since}", "Give a later day."
        return None


def _introduces(event: Event) -> bool:
    """Return whether ``event`` may be signed with a key that the ledger does not hold yet: it begins one."""
    said = (event.payload.get("name"), event.payload.get("key"))
    return event.kind == kinds.REGION_OPENED or (event.kind == kinds.KEY_TRUSTED and said == (event.who, event.key))


def book_of(events: Iterable[Event]) -> Book:
    """Return the book of ``events``, which were all accepted in this order."""
    book = Book()
    for event in events:
        book.enter(event, event.number)
    return book


def _nothing(_book: Book, _event: Entry, _number: int) -> None:
    return


def _fine(_book: Book, _event: Event) -> Refusal | None:
    return None


def _register(book: Book, event: Event) -> Refusal | None:
    if (event.facility, event.project) in book.subjects:
        return f"{event.facility or event.project} is registered already", "Give another id."
    return None


def _step(book: Book, event: Event) -> Refusal | None:
    subject, new = book.subject(event), STATES.index(event.payload["state"])
    old, name = subject.state, event.facility or event.project
    if event.day < subject.steps[-1].day:
        message = f"{name} became {STATES[old]} on {subject.steps[-1].day}, after {event.day}"
        return message, "Give a later day, or void the earlier record."
    if event.kind == kinds.STATE_RETURNED:
        message = f"{name} is {STATES[old]} and cannot go back to {STATES[new]}"
        return None if may_return(old, new) else (message, "Go back one step at a time.")
    if not may_advance(old, new):
        after = " or ".join(STATES[state] for state in next_states(old))
        remedy = f"From {STATES[old]} it may become {after}." if after else f"{STATES[old]} is the end."
        return f"{name} is {STATES[old]} and cannot become {STATES[new]}", remedy
    return _unready(subject, event, new)


def _unready(subject: Subject, event: Event, new: int) -> Refusal | None:
    """Return what ``event`` lacks for the step to ``new``, which is the next by its place."""
    name = event.facility or event.project
    if new == CANCELLED and not event.payload["reason"]:
        return f"{name} is cancelled without a reason", "Give the reason."
    if new == CONTRACTED and event.facility and not _contracts(subject):
        return f"{name} has no contract", "Record contract_let first."
    first = min((subject.let_on[number] for number in _contracts(subject)), default="")
    if new == CONTRACTED and event.day < first:
        return f"{name} is contracted on {event.day}, and its contract let on {first}", "Mend one of the days."
    return None


def _contracts(subject: Subject) -> list[int]:
    """Return the numbers of the contracts of ``subject`` that count."""
    renewed = subject.renewed.number
    return [number for number, kind in subject.counts.items() if kind == kinds.CONTRACT_LET and number > renewed]


def _contract(book: Book, event: Event) -> Refusal | None:
    subject = book.subject(event)
    if subject.state in (CANCELLED, RETIRED):
        return f"{event.facility} is {STATES[subject.state]}", "No contract is let for it; plan it again first."
    if event.day < subject.renewed.day:
        return f"{event.facility} was open to a contract from {subject.renewed.day} on", "Give no earlier day."
    return None


def _reschedule(book: Book, event: Event) -> Refusal | None:
    subject, completion = book.subject(event), event.payload["completion"]
    if subject.state not in (CONTRACTED, UNDER_CONSTRUCTION):
        remedy = "Only what is contracted or under construction has a date of completion to move."
        return f"{event.facility} is {STATES[subject.state]}", remedy
    if event.day < subject.renewed.day:
        return f"{event.facility} was open to a contract from {subject.renewed.day} on", "Give no earlier day."
    if completion < event.day:
        return f"{event.facility} was to be complete by {completion}, before {event.day}", "Give a date still to come."
    return None


def _replan(book: Book, event: Event) -> Refusal | None:
    state = book.subject(event).state
    if state in (*FROZEN, RETIRED, CANCELLED):
        return f"{event.facility} is {STATES[state]}", "Only what is planned or approved can be planned anew."
    return None


def _identify(book: Book, event: Event) -> Refusal | None:
    if event.payload["identifier"] in book.identifiers:
        number = book.identifiers[event.payload["identifier"]]
        return f"{event.payload['identifier']} is assigned already, by event {number}", "Give another identifier."
    if kinds.IDENTIFIER_ASSIGNED in book.subject(event).counts.values():
        return f"{event.facility} has an identifier already", "Void the event that assigned it first."
    return None


def _baseline(book: Book, event: Event) -> Refusal | None:
    if event.payload["name"] in book.baselines:
        return f"there is a baseline {event.payload['name']} already", "Give another name."
    return None


def _void(book: Book, event: Event) -> Refusal | None:
    subject, number = book.subject(event), event.payload["number"]
    kind = subject.counts.get(number)
    if number == subject.steps[0].number and event.facility:
        return _unsaid(book, event, subject)
    if kind not in VOIDABLE:
        name = event.facility or event.project
        return f"event {number} is none of {name} that can be voided, or was voided", f"Name {', '.join(VOIDABLE)}."
    if kind in (kinds.STATE_ADVANCED, kinds.STATE_RETURNED) and subject.steps[-1].number != number:
        return f"event {number} is not its last step", f"Void event {subject.steps[-1].number} first."
    if kind == kinds.CONTRACT_LET and subject.state in FROZEN and _contracts(subject) == [number]:
        return f"event {number} is its only contract, and it is {STATES[subject.state]}", "Set the state back first."
    return None


def _unsaid(book: Book, event: Event, subject: Subject) -> Refusal | None:
    """Return why the registration of a facility cannot be voided: something else counts of it, or a plan has it."""
    others = [str(number) for number, kind in subject.counts.items() if kind != kinds.EVENT_VOIDED]
    if others:
        remedy = f"Void event {others[-1]} first, or cancel the facility."
        return f"{event.facility} is registered, and more is recorded of it", remedy
    held = [name for name, number in book.baselines.items() if number > subject.steps[0].number]
    if held:
        return f"the baseline {held[0]} holds {event.facility}", "Cancel the facility."
    return None


def _trust(book: Book, event: Event) -> Refusal | None:
    if event.payload["key"] in book.keys:
        return f"the key is trusted already, for {book.keys[event.payload['key']]}", "Give another key."
    return None


def _withdraw(book: Book, event: Event) -> Refusal | None:
    if event.payload["key"] not in book.keys:
        return "the key is not trusted", "Name a key that is."
    return None


_RULES: dict[str, Callable[[Book, Event], Refusal | None]] = {
    kinds.REGION_OPENED: _fine,
    kinds.FACILITY_REGISTERED: _register,
    kinds.FACILITY_REPLANNED: _replan,
    kinds.STATE_ADVANCED: _step,
    kinds.STATE_RETURNED: _step,
    kinds.CONTRACT_LET: _contract,
    kinds.COMPLETION_RESCHEDULED: _reschedule,
    kinds.PAYMENT_MADE: _fine,
    kinds.PLACE_RECORDED: _fine,
    kinds.EVIDENCE_ATTACHED: _fine,
    kinds.PROJECT_REGISTERED: _register,
    kinds.PROJECT_ASSIGNED: _fine,
    kinds.IDENTIFIER_ASSIGNED: _identify,
    kinds.BASELINE_SET: _baseline,
    kinds.EVENT_VOIDED: _void,
    kinds.KEY_TRUSTED: _trust,
    kinds.KEY_WITHDRAWN: _withdraw,
}


def _enter_region(book: Book, event: Entry, _number: int) -> None:
    book.opened.add(event.payload["region"])


def _enter_registered(book: Book, event: Entry, number: int) -> None:
    state = STATES.index(event.payload["state"]) if event.facility else PLANNED
    subject = Subject(event.day, [Step(number, state, event.day)])
    book.subjects[event.facility, event.project] = subject


def _enter_step(book: Book, event: Entry, number: int) -> None:
    book.subject(event).steps.append(Step(number, STATES.index(event.payload["state"]), event.day))


def _enter_identifier(book: Book, event: Entry, number: int) -> None:
    book.identifiers[event.payload["identifier"]] = number


def _enter_baseline(book: Book, event: Entry, number: int) -> None:
    book.baselines[event.payload["name"]] = number


def _enter_void(book: Book, event: Entry, _number: int) -> None:
    subject, number = book.subject(event), event.payload["number"]
    if number == subject.steps[0].number:
        del book.subjects[event.facility, ""]
        return
    kind = subject.counts.pop(number)
    if kind in (kinds.STATE_ADVANCED, kinds.STATE_RETURNED):
        subject.steps.pop()
    elif kind == kinds.IDENTIFIER_ASSIGNED:
        freed = [name for name, by in book.identifiers.items() if by == number]
        for name in freed:
            del book.identifiers[name]


def _enter_trust(book: Book, event: Entry, _number: int) -> None:
    book.keys[event.payload["key"]] = event.payload["name"]
    book.signers.add(event.payload["name"])


def _enter_withdraw(book: Book, event: Entry, _number: int) -> None:
    del book.keys[event.payload["key"]]


_ENTRIES: dict[str, Callable[[Book, Entry, int], None]] = {
    kinds.REGION_OPENED: _enter_region,
    kinds.FACILITY_REGISTERED: _enter_registered,
    kinds.PROJECT_REGISTERED: _enter_registered,
    kinds.STATE_ADVANCED: _enter_step,
    kinds.STATE_RETURNED: _enter_step,
    kinds.IDENTIFIER_ASSIGNED: _enter_identifier,
    kinds.BASELINE_SET: _enter_baseline,
    kinds.EVENT_VOIDED: _enter_void,
    kinds.KEY_TRUSTED: _enter_trust,
    kinds.KEY_WITHDRAWN: _enter_withdraw,
}
