"""What a ledger tells of each facility and project, day by day: records are held against the day that they speak of."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Generic, TypeVar

from xinji.build import event as kinds
from xinji.build.event import Event
from xinji.build.states import ends_contract
from xinji.core.facilities import NO_CONTRACT, PLANNED, STATES
from xinji.workflow.building_places import Place

T = TypeVar("T")

Sum = tuple[str, int]
"""A contract's number, and what it is let for [cents]."""

ENDED: Sum = ("", NO_CONTRACT)
"""Stands where all contracts before it have ended."""


@dataclass(slots=True)
class Told(Generic[T]):
    """What was told of one thing, by day and, on one day, in the order in which it was told."""

    entries: list[tuple[str, T]] = field(default_factory=list)

    def add(self, day: str, value: T) -> None:
        """Take up that ``value`` holds from ``day`` on."""
        insort(self.entries, (day, value), key=itemgetter(0))

    @property
    def last(self) -> T | None:
        """What holds in the end; None where nothing was told."""
        return self.entries[-1][1] if self.entries else None

    def on(self, day: str) -> list[T]:
        """Return what was told on ``day``."""
        return [value for when, value in self.entries if when == day]

    def during(self, day: str) -> list[T]:
        """Return what held when ``day`` began, and what was told on it."""
        return [value for when, value in self.entries if when < day][-1:] + self.on(day)

    def has(self, day: str, value: T) -> bool:
        """Return whether ``value`` held at some time of ``day``, or holds in the end."""
        return value == self.last or value in self.during(day)

    def keep_last(self) -> None:
        """Forget all but what holds in the end."""
        del self.entries[:-1]


@dataclass(slots=True)
class Standing:
    """A facility or project as it stands while records are taken one after the other; money in cents.

    ``turns`` are the days on which it went back or began anew, ``vouchers`` what was paid by reference,
    ``evidence`` hashes of files, ``completion`` the days to which completion was rescheduled, empty from where
    a contract ended; ``renewed`` is the number of the event that ended contracts last. All but ``states`` and
    ``evidence`` stay empty for a project.
    """

    states: Told[int]
    turns: set[str] = field(default_factory=set)
    project: Told[str] = field(default_factory=Told)
    place: Told[Place] = field(default_factory=Told)
    sums: Told[Sum] = field(default_factory=Told)
    contractor: str = ""
    completion: Told[str] = field(default_factory=Told)
    payments: Told[int] = field(default_factory=Told)
    vouchers: dict[str, int] = field(default_factory=dict)
    evidence: set[str] = field(default_factory=set)
    renewed: int = 0

    @property
    def state(self) -> int:
        """The state it is in (code of ``STATES``)."""
        return self.states.entries[-1][1]

    @property
    def since(self) -> str:
        """The day of its last step, forward or back (ISO 8601)."""
        return self.states.entries[-1][0]

    @property
    def let(self) -> bool:
        """Whether a contract counts."""
        return self.sums.last not in (None, ENDED)

    @property
    def contract(self) -> int:
        """What it is let for now [cents], 0 where it is not."""
        return 0 if self.sums.last is None or self.sums.last == ENDED else self.sums.last[1]

    @property
    def paid(self) -> int:
        """What was paid until now [cents]."""
        return sum(cents for _, cents in self.payments.entries)

    def enter(self, state: int, day: str) -> None:
        """Take up a step to ``state``, forward or back."""
        old = self.state
        if ends_contract(old, state):
            self.sums.add(day, ENDED)
            self.completion.add(day, "")
        if state < old or ends_contract(old, state):
            self.turns.add(day)
        self.states.add(day, state)

    def was(self, state: int, day: str) -> bool:
        """Return whether it was in ``state`` at some time of ``day``, which is no later than its last step.

        On a day on which it went back, only what was entered on it counts: the same word may be news.
        """
        if day > self.since:
            return False
        return state in (self.states.on(day) if day in self.turns else self.states.during(day))

    def was_let(self, agreed: Sum, day: str) -> bool:
        """Return whether ``agreed`` was what it was let for at some time of ``day``, or is in the end."""
        told = self.sums.on(day)
        return agreed in told or (ENDED not in told and self.sums.has(day, agreed))

    def open_sums(self, day: str) -> list[Sum]:
        """Return every sum until the end of ``day`` that was agreed since contracts ended last."""
        told = [agreed for when, agreed in self.sums.entries if when <= day]
        ends = [k for k, agreed in enumerate(told) if agreed == ENDED]
        return told[ends[-1] + 1 :] if ends else told

    def totals(self, day: str) -> list[int]:
        """Return what was paid until ``day`` began and after each payment on it [cents]; the last is until its end."""
        found = [sum(cents for when, cents in self.payments.entries if when < day)]
        for cents in self.payments.on(day):
            found.append(found[-1] + cents)
        return found

    def keep_present(self) -> None:
        """Forget what was: what is told from here on is news, even where it was so before."""
        self.turns.clear()
        for told in (self.states, self.sums):
            told.keep_last()
        self.completion.keep_last()


Standings = dict[str, Standing]


def _counting(events: Sequence[Event]) -> list[Event]:
    """Return the ``events`` that were not voided, by day and, on one day, by number."""
    void = {event.payload["number"] for event in events if event.kind == kinds.EVENT_VOIDED}
    counts = [event for event in events if event.number not in void and event.kind != kinds.EVENT_VOIDED]
    return sorted(counts, key=lambda event: (event.day, event.number))


def standings(events: Sequence[Event]) -> Standings:
    """Return how each facility stands after the ledger's ``events``, and how it came there."""
    return _standings((event.facility, event) for event in _counting(events) if event.facility)


def project_standings(events: Sequence[Event]) -> Standings:
    """Return how each project stands after the ledger's ``events``, and how it came there."""
    about = [event for event in _counting(events) if event.project and not event.facility]
    return _standings((event.project, event) for event in about)


def _standings(told: Iterable[tuple[str, Event]]) -> Standings:
    found: Standings = {}
    for name, event in told:
        said = event.payload
        if event.kind in (kinds.FACILITY_REGISTERED, kinds.PROJECT_REGISTERED):
            begun = STATES.index(said["state"]) if event.kind == kinds.FACILITY_REGISTERED else PLANNED
            found[name] = Standing(Told([(event.day, begun)]))
        else:
            _take(found[name], event)
    return found


def _take(standing: Standing, event: Event) -> None:
    said, day = event.payload, event.day
    if event.kind in (kinds.STATE_ADVANCED, kinds.STATE_RETURNED):
        old, new = standing.state, STATES.index(said["state"])
        standing.renewed = event.number if ends_contract(old, new) else standing.renewed
        standing.enter(new, day)
    elif event.kind == kinds.CONTRACT_LET and event.number > standing.renewed:
        standing.sums.add(day, (said["contract"], said["capex"]))
        standing.contractor = said["contractor"]
    elif event.kind == kinds.COMPLETION_RESCHEDULED:
        standing.completion.add(day, said["completion"])
    elif event.kind == kinds.PAYMENT_MADE:
        standing.payments.add(day, said["cents"])
        standing.vouchers[said["reference"]] = said["cents"]
    elif event.kind == kinds.PLACE_RECORDED:
        standing.place.add(day, (said["x_m"], said["y_m"]))
    elif event.kind == kinds.EVIDENCE_ATTACHED:
        standing.evidence.add(said["sha256"])
    elif event.kind == kinds.PROJECT_ASSIGNED:
        standing.project.add(day, event.project)


def project_ids(events: Sequence[Event]) -> set[str]:
    """Return the ids of all projects that ``events`` registered."""
    return {event.project for event in events if event.kind == kinds.PROJECT_REGISTERED}
