"""The state of facilities and projects, as a fold over events: pure, so any day and any knowledge can be replayed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from typing import Any

import numpy as np

from xinji.build import event as kinds
from xinji.build.event import Event
from xinji.build.states import ends_contract
from xinji.core.arrays import AnyArray, Codes, Ints, Strings, freeze
from xinji.core.facilities import CANCELLED, NO_CONTRACT, PLANNED, STATES, Facilities

_NEVER = "NaT"


@dataclass(frozen=True, slots=True, eq=False)
class Projects:
    """The projects (n) of a ledger as they stand at the end of the day ``at``; rows as in ``Facilities``.

    ``since`` (n, states) is the day on which each state was entered last (NaT for never, or gone back on),
    ``planned_cents`` the money that the project was registered with.
    """

    at: str
    id: Strings
    name: Strings
    industry: Strings
    scenario: Strings
    park: Strings
    owner: Strings
    planned_cents: Ints
    state: Codes
    since: AnyArray
    registered: AnyArray
    details: tuple[Mapping[str, str], ...]

    def __post_init__(self) -> None:
        freeze(*(value for item in fields(self) if isinstance(value := getattr(self, item.name), np.ndarray)))

    def __len__(self) -> int:
        return len(self.id)


@dataclass(slots=True)
class _Row:
    """A facility or project on its way through the events."""

    registered: str
    technology: str
    facts: Mapping[str, Any]
    state: int
    since: list[str]
    project: str = ""
    identifier: str = ""
    x_m: float = math.nan
    y_m: float = math.nan
    contract: int = NO_CONTRACT
    completion: str = _NEVER
    payments: list[int] = field(default_factory=list)
    ended: bool = False
    renewed: int = 0


@dataclass(frozen=True, slots=True)
class _Tally:
    """What events add up to; ``sunk`` are positions of payments under contracts that have ended."""

    facilities: dict[str, _Row] = field(default_factory=dict)
    projects: dict[str, _Row] = field(default_factory=dict)
    payments: list[tuple[str, int, int]] = field(default_factory=list)
    sunk: list[int] = field(default_factory=list)


def known_on(events: Sequence[Event], known: str | int | None) -> Sequence[Event]:
    """Return those of ``events`` that were recorded by ``known``.

    ``known`` is the number of an event, a day (its end in UTC), a moment as ``Event.recorded`` gives
    it, or None for all.
    """
    if known is None:
        return events
    if isinstance(known, int):
        return [event for event in events if event.number <= known]
    if "T" in known:
        return [event for event in events if event.recorded <= known]
    next_day = (date.fromisoformat(known) + timedelta(days=1)).isoformat()
    return [event for event in events if event.recorded < next_day]


def latest_day(events: Iterable[Event]) -> str:
    """Return the latest day on which anything happened, empty where nothing did; what was voided did not happen."""
    return max((event.day for event in _counting(events) if event.kind != kinds.EVENT_VOIDED), default="")


def _counting(events: Iterable[Event]) -> list[Event]:
    """Return those of ``events`` that were not voided."""
    told = list(events)
    void = {event.payload["number"] for event in told if event.kind == kinds.EVENT_VOIDED}
    return [event for event in told if event.number not in void]


def fold(events: Sequence[Event], *, at: str = "") -> Facilities:
    """Return the facilities as they stand at the end of the day ``at`` (empty: the latest of the events).

    ``events`` are in order of their numbers, from the first on. Facilities come in the order in which they
    were registered. An event that was voided does not count on any day.
    """
    day = at or latest_day(events)
    tally = _tallied(events, day)
    rows = list(tally.facilities.values())
    place = {name: row for row, name in enumerate(tally.facilities)}
    return Facilities(
        at=day,
        id=_strings(tally.facilities),
        technology=_strings([row.technology for row in rows]),
        kind=_said(rows, "kind"),
        area=_said(rows, "area"),
        project=_strings([row.project for row in rows]),
        identifier=_strings([row.identifier for row in rows]),
        state=np.array([row.state for row in rows], dtype=np.uint8),
        since=_days(rows),
        planned_year=_amounts(rows, "planned_year"),
        planned_x_m=_metres(rows, "planned_x_m"),
        planned_y_m=_metres(rows, "planned_y_m"),
        x_m=np.array([row.x_m for row in rows], dtype=np.float64),
        y_m=np.array([row.y_m for row in rows], dtype=np.float64),
        length_m=_metres(rows, "length_m"),
        planned_capex=_amounts(rows, "planned_capex"),
        planned_opex=_amounts(rows, "planned_opex"),
        contract_capex=_ints([row.contract for row in rows]),
        completion=np.array([row.completion for row in rows], dtype="datetime64[D]"),
        paid_facility=_ints([place[name] for name, _, _ in tally.payments]),
        paid_year=_ints([year for _, year, _ in tally.payments]),
        paid_cents=_ints([cents for _, _, cents in tally.payments]),
        sunk_payments=_ints(sorted(tally.sunk)),
    )


def fold_projects(events: Sequence[Event], *, at: str = "") -> Projects:
    """Return the projects as they stand at the end of the day ``at``; the rest is as for ``fold``."""
    day = at or latest_day(events)
    tally = _tallied([event for event in events if event.project], day)
    rows = list(tally.projects.values())
    return Projects(
        at=day,
        id=_strings(tally.projects),
        name=_said(rows, "name"),
        industry=_said(rows, "industry"),
        scenario=_said(rows, "scenario"),
        park=_said(rows, "park"),
        owner=_said(rows, "owner"),
        planned_cents=_amounts(rows, "planned_cents"),
        state=np.array([row.state for row in rows], dtype=np.uint8),
        since=_days(rows),
        registered=np.array([row.registered for row in rows], dtype="datetime64[D]"),
        details=tuple(row.facts["details"] for row in rows),
    )


def _tallied(events: Sequence[Event], day: str) -> _Tally:
    """Return what ``events`` until ``day`` add up to, taken by day and, on one day, by number."""
    counts = [event for event in _counting(events) if event.day <= day]
    counts.sort(key=_day)
    tally = _Tally()
    for event in counts:
        if event.kind in _TAKES:
            _TAKES[event.kind](tally, event)
    return tally


def _day(event: Event) -> str:
    return event.day


def _take_facility(tally: _Tally, event: Event) -> None:
    state = STATES.index(event.payload["state"])
    since = [_NEVER] * len(STATES)
    since[state] = event.day
    tally.facilities[event.facility] = _Row(event.day, event.payload["technology"], event.payload, state, since)


def _take_project(tally: _Tally, event: Event) -> None:
    since = [_NEVER] * len(STATES)
    since[PLANNED] = event.day
    tally.projects[event.project] = _Row(event.day, "", event.payload, PLANNED, since)


def _take_plan(tally: _Tally, event: Event) -> None:
    tally.facilities[event.facility].facts = event.payload


def _take_state(tally: _Tally, event: Event) -> None:
    row = tally.facilities[event.facility] if event.facility else tally.projects[event.project]
    state = STATES.index(event.payload["state"])
    if ends_contract(row.state, state):
        tally.sunk.extend(row.payments)
        row.payments.clear()
        row.ended = row.ended or row.contract != NO_CONTRACT
        row.renewed = event.number
        row.contract, row.completion = NO_CONTRACT, _NEVER
    if event.kind == kinds.STATE_RETURNED:
        # The step back undoes the step there: what it comes back to has been so since it first was.
        left = row.since[row.state]
        row.since[row.state] = _NEVER
        row.since[state] = left if row.since[state] == _NEVER else row.since[state]
    else:
        if row.state == CANCELLED:
            row.since = [_NEVER] * len(STATES)
        row.since[state] = event.day
    row.state = state


def _take_contract(tally: _Tally, event: Event) -> None:
    row = tally.facilities[event.facility]
    # A contract recorded before the step that ended it does not count, even where its day is a later one.
    if event.number > row.renewed:
        row.contract, row.ended = event.payload["capex"], False


def _take_completion(tally: _Tally, event: Event) -> None:
    row = tally.facilities[event.facility]
    row.completion = event.payload["completion"] if event.number > row.renewed else row.completion


def _take_payment(tally: _Tally, event: Event) -> None:
    row = tally.facilities[event.facility]
    # Between a contract that ended and the next, money settles the old one.
    (tally.sunk if row.ended else row.payments).append(len(tally.payments))
    tally.payments.append((event.facility, int(event.day[:4]), event.payload["cents"]))


def _take_place(tally: _Tally, event: Event) -> None:
    row = tally.facilities[event.facility]
    row.x_m, row.y_m = event.payload["x_m"], event.payload["y_m"]


def _take_assignment(tally: _Tally, event: Event) -> None:
    row = tally.facilities.get(event.facility)
    if row is not None:
        row.project = event.project


def _take_identifier(tally: _Tally, event: Event) -> None:
    tally.facilities[event.facility].identifier = event.payload["identifier"]


_TAKES: dict[str, Callable[[_Tally, Event], None]] = {
    kinds.FACILITY_REGISTERED: _take_facility,
    kinds.PROJECT_REGISTERED: _take_project,
    kinds.FACILITY_REPLANNED: _take_plan,
    kinds.STATE_ADVANCED: _take_state,
    kinds.STATE_RETURNED: _take_state,
    kinds.CONTRACT_LET: _take_contract,
    kinds.COMPLETION_RESCHEDULED: _take_completion,
    kinds.PAYMENT_MADE: _take_payment,
    kinds.PLACE_RECORDED: _take_place,
    kinds.PROJECT_ASSIGNED: _take_assignment,
    kinds.IDENTIFIER_ASSIGNED: _take_identifier,
}


def _strings(values: Iterable[str]) -> Strings:
    return np.array(list(values), dtype=np.str_)


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def _said(rows: Sequence[_Row], key: str) -> Strings:
    return _strings(row.facts[key] for row in rows)


def _amounts(rows: Sequence[_Row], key: str) -> Ints:
    return _ints([row.facts[key] for row in rows])


def _days(rows: Sequence[_Row]) -> AnyArray:
    return np.array([row.since for row in rows], dtype="datetime64[D]").reshape(len(rows), len(STATES))


def _metres(rows: Sequence[_Row], key: str) -> AnyArray:
    values = [row.facts[key] for row in rows]
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)
