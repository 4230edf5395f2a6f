"""The ledger of a region's facilities: append events, and ask for what they add up to on any day."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from xinji.build import event as kinds
from xinji.build import event_drafts as drafts_of
from xinji.build.audit import Audit, audit_records
from xinji.build.book import Book, book_of
from xinji.build.canonical import canonical
from xinji.build.chain import Head, event_bytes, link
from xinji.build.event import Draft, Event, Record, event_of
from xinji.build.event_drafts import PlannedAsset
from xinji.build.event_payload import draft_faults, is_day
from xinji.build.fold import Projects, fold, fold_projects, known_on
from xinji.build.signature import PrivateKey
from xinji.build.store import ConflictError, Filter, Last, Store, Writer, open_store
from xinji.core.facilities import CANCELLED, FROZEN, RETIRED, STATES, Facilities
from xinji.errors import Fault, InputError, raise_if

Clock = Callable[[], datetime]
"""Gives the moment of recording; with a time zone."""

_EVERYTHING = Filter()


@dataclass(frozen=True, slots=True)
class RegionFacts:
    """The region of a ledger, as its first event has it."""

    region: str
    crs: str
    currency: str
    years: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Baseline:
    """A plan as it was taken over: ``number`` is the event up to which the ledger holds it whole.

    ``plan`` is its fingerprint, ``budgets`` [cents] go with ``years``, ``assets`` counts what it builds.
    """

    name: str
    plan: str
    day: str
    number: int
    years: tuple[int, ...]
    budgets: tuple[int, ...]
    assets: int


@dataclass(frozen=True, slots=True)
class BaselineChange:
    """Ids of facilities by what a new baseline did to them, each in the plan's or the ledger's order."""

    registered: tuple[str, ...]
    replanned: tuple[str, ...]
    reinstated: tuple[str, ...]
    cancelled: tuple[str, ...]
    untouched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """An open ledger. ``who`` records; empty, it can only be read. ``key`` signs what is recorded."""

    store: Store
    who: str
    key: PrivateKey | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()

    @staticmethod
    def create(
        place: str | Path,
        *,
        region: str,
        crs: str,
        currency: str,
        years: Sequence[int],
        day: str,
        who: str,
        key: PrivateKey | None = None,
    ) -> Ledger:
        """Return a new ledger at ``place`` for ``region``, which ``who`` opens on ``day``.

        ``years`` are those that are planned. A ``key`` becomes the one that ``who`` has to sign with.
        Raises InputError if there is a ledger already.
        """
        begun = drafts_of.region_opened(region, day=day, crs=crs, currency=currency, years=years)
        return Ledger.begin(place, [begun], who=who, key=key)

    @staticmethod
    def begin(place: str | Path, drafts: Sequence[Draft], *, who: str, key: PrivateKey | None = None) -> Ledger:
        """Return a new ledger at ``place`` that begins with ``drafts``, all or none, the first of them region_opened.

        A ``key`` becomes the one that ``who`` has to sign with. Raises InputError if there is a ledger already,
        or ``drafts`` cannot be recorded; then no file is left behind.
        """
        begun = list(drafts)
        if key is not None:
            begun.insert(1, drafts_of.key_trusted(who, key.public, day=begun[0].day))
        raise_if([*_name_faults(who), *draft_faults(begun)])
        ledger = Ledger(open_store(place, create=True), who, key)
        with ExitStack() as undo:
            undo.callback(ledger.store.discard)
            ledger.append(begun)
            undo.pop_all()
        return ledger

    @staticmethod
    def open(place: str | Path, *, who: str = "", key: PrivateKey | None = None) -> Ledger:
        """Return the ledger at ``place``: a SQLite file's path, or a URL of SQLite or PostgreSQL.

        Raises InputError if there is none or it was written by a newer Xinji.
        """
        return Ledger(open_store(place, create=False), who, key)

    def head(self) -> Head:
        """Return number and hash of the last event; worth keeping elsewhere (``verify``)."""
        last = self.store.last()
        return Head(last.number, last.hash)

    def append(
        self,
        drafts: Sequence[Draft],
        *,
        expected: Head | None = None,
        looked_at: Collection[str] = (),
        clock: Clock | None = None,
    ) -> tuple[Event, ...]:
        """Record ``drafts``, all or none, and return them as events.

        ``expected`` is the head that the caller looked at, ``looked_at`` further facilities that they went by.
        Raises InputError with every fault (``row`` is the position in ``drafts``), ConflictError if one of
        their facilities or projects has changed since ``expected``, OutputError if the database fails.
        """
        raise_if([*_name_faults(self.who), *draft_faults(drafts)])
        texts = [canonical(draft.payload) for draft in drafts]
        now = (clock or _now)()
        with self.store.writing() as writer:
            raise_if(_conflicts(writer, drafts, expected, looked_at), ConflictError)
            events, records = self._accepted(writer, drafts, texts, _moment(now))
            if self.key is not None:
                signed = [self.key.sign(event.hash) for event in events]
                events = [replace(event, signature=made) for event, made in zip(events, signed, strict=True)]
                records = [record._replace(signature=made) for record, made in zip(records, signed, strict=True)]
            if records:
                writer.insert(records)
        return tuple(events)

    def check(self, drafts: Sequence[Draft]) -> None:
        """Raise InputError with every fault if ``drafts`` could not be recorded now; record nothing."""
        raise_if([*_name_faults(self.who), *draft_faults(drafts)])
        texts = [canonical(draft.payload) for draft in drafts]
        with self.store.writing() as writer:
            self._accepted(writer, drafts, texts, _moment(_now()))

    def set_baseline(
        self,
        assets: Sequence[PlannedAsset],
        *,
        name: str,
        plan: str,
        day: str,
        years: Sequence[int],
        budgets: Sequence[int],
        missing: str = "cancel",
        expected: Head | None = None,
    ) -> BaselineChange:
        """Take over the ``assets`` of a plan (fingerprint ``plan``) as the baseline ``name``, all or nothing.

        ``budgets`` [cents] go with ``years``. New ids are registered, changed ones that are not frozen
        planned anew, cancelled ones taken up again. What is planned or approved but not in the plan is
        cancelled, or kept with ``missing="keep"``. What is frozen or retired stays as it is.
        Raises as ``append`` does.
        """
        if missing not in ("cancel", "keep"):
            raise ValueError("missing is 'cancel' or 'keep'")
        setting = drafts_of.baseline_set(name, day=day, plan=plan, years=years, budgets=budgets, assets=len(assets))
        raise_if([*draft_faults([setting]), *_asset_faults(assets)])
        head = expected or self.head()
        known = fold(self.events(Filter(last=head.number)), at="9999-12-31")
        change, drafts = _baseline_drafts(assets, known, setting, cancel=missing == "cancel")
        # What stays as it is was decided on too: it must not have been changed meanwhile.
        free = known.id[~np.isin(known.state, [*FROZEN, RETIRED])].tolist()
        self.append([*drafts, setting], expected=head, looked_at={*free, *(asset.id for asset in assets)})
        return change

    def void(self, number: int, *, day: str, reason: str, expected: Head | None = None) -> Event:
        """Record that event ``number`` was recorded in error; it counts no longer, and is still there.

        Of a facility's states only the last can be voided. Raises InputError if the event is not there or
        is of no kind that can be voided.
        """
        found = self.events(Filter(first=number, last=number)) if number > 0 else ()
        if not found:
            raise InputError([Fault("events", f"there is no event {number}", "Name one of the ledger.")])
        if not (found[0].facility or found[0].project):
            message = f"event {number} is {found[0].kind}, which is about no facility and no project"
            raise InputError([Fault("events", message, "Such an event stays; record what holds now.")])
        draft = drafts_of.voided(number, day=day, reason=reason, facility=found[0].facility, project=found[0].project)
        return self.append([draft], expected=expected)[0]

    def events(self, wanted: Filter = _EVERYTHING) -> tuple[Event, ...]:
        """Return the events that ``wanted`` lets through, in order of their numbers."""
        return tuple(map(event_of, self.store.records(wanted)))

    def facilities(self, at: str = "", *, known: str | int | None = None) -> Facilities:
        """Return the facilities at the end of the day ``at`` (empty: the latest in the ledger).

        ``known`` limits to what was recorded by then: the number of an event, a day, or a moment
        (``fold.known_on``). Raises InputError if ``at`` or ``known`` is no day.
        """
        return fold(self._known(at, known), at=at)

    def projects(self, at: str = "", *, known: str | int | None = None) -> Projects:
        """Return the projects at the end of the day ``at``; the rest is as for ``facilities``."""
        return fold_projects(self._known(at, known), at=at)

    def baselines(self) -> tuple[Baseline, ...]:
        """Return the baselines in the order in which they were set; ``facilities(known=number)`` is each one's plan."""
        found = self.events(Filter(kinds=(kinds.BASELINE_SET,)))
        return tuple(
            Baseline(
                name=event.payload["name"],
                plan=event.payload["plan"],
                day=event.day,
                number=event.number,
                years=tuple(event.payload["years"]),
                budgets=tuple(event.payload["budgets"]),
                assets=event.payload["assets"],
            )
            for event in found
        )

    def region(self) -> RegionFacts:
        """Return the region that the ledger is of."""
        said = self.events(Filter(last=1))[0].payload
        return RegionFacts(said["region"], said["crs"], said["currency"], tuple(said["years"]))

    def verify(self, *, head: Head | None = None, trusted: Mapping[str, Collection[str]] | None = None) -> Audit:
        """Return whether every event is what was recorded: chain, signatures, rules, the database's own guards.

        ``head`` is one that was kept elsewhere; ``trusted`` the keys by name that were: no others count then,
        and what anyone else recorded, or recorded without one of these keys, is a finding.
        """
        return audit_records(self.store, head=head, trusted=trusted)

    def copy_to(self, place: str | Path) -> Head:
        """Write every event, byte for byte, into a new ledger at ``place`` and return its head.

        Raises InputError if there is a ledger already.
        """
        records = self.store.records(_EVERYTHING)
        target = open_store(place, create=True)
        try:
            with target.writing() as writer:
                writer.insert(records)
            last = target.last()
        finally:
            target.close()
        return Head(last.number, last.hash)

    def _known(self, at: str, known: str | int | None) -> Sequence[Event]:
        raise_if(_day_faults(at, known))
        return known_on(self.events(), known)

    def _accepted(
        self, writer: Writer, drafts: Sequence[Draft], texts: Sequence[str], recorded: str
    ) -> tuple[list[Event], list[Record]]:
        """Return ``drafts`` as the next events and records, not yet signed; raises InputError for what is refused."""
        last = writer.last()
        events, records = self._chained(drafts, texts, last, max(recorded, last.recorded))
        raise_if(_judged(_book(writer, drafts), events))
        return events, records

    def _chained(
        self, drafts: Sequence[Draft], texts: Sequence[str], last: Last, recorded: str
    ) -> tuple[list[Event], list[Record]]:
        """Return ``drafts`` as events and records that follow ``last``, not yet signed."""
        key = self.key.public if self.key is not None else ""
        events, records, previous = [], [], last.hash
        for number, (draft, text) in enumerate(zip(drafts, texts, strict=True), start=last.number + 1):
            about = (draft.facility, draft.project)
            record = Record(number, draft.kind, draft.day, recorded, self.who, *about, text, key, "", "")
            previous = link(previous, event_bytes(record))
            said = draft.payload
            records.append(record._replace(hash=previous))
            events.append(Event(number, draft.kind, draft.day, recorded, self.who, *about, said, key, previous, ""))
        return events, records


def _now() -> datetime:
    return datetime.now(UTC)


def _moment(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _name_faults(who: str) -> Iterator[Fault]:
    if not who or who != who.strip() or not who.isprintable():
        yield Fault("ledger", f"{who!r} is no name of who records", "Open the ledger with `who`.")


def _day_faults(at: str, known: str | int | None) -> Iterator[Fault]:
    days = [at] if at else []
    days += [known[:10]] if isinstance(known, str) else []
    for day in days:
        if not is_day(day):
            yield Fault("ledger", f"{day!r} is no day", "Give a date of the calendar as YYYY-MM-DD.")


def _conflicts(
    writer: Writer, drafts: Sequence[Draft], expected: Head | None, looked_at: Collection[str]
) -> Iterator[Fault]:
    """Yield a fault for each facility of ``looked_at``, and facility or project of ``drafts``, changed since."""
    if expected is None:
        return
    if writer.hash_of(expected.number) != expected.hash:
        yield Fault("ledger", f"it has no event {expected}", "Look at the ledger again: this head is another's.")
        return
    facilities, projects = _named(drafts)
    facilities |= set(looked_at)
    for record in writer.about(facilities, projects - {""}, after=expected.number):
        name = record.facility if record.facility in facilities else record.project
        message = f"{name} was changed by {record.who} since you looked (event {record.number}, {record.kind})"
        yield Fault("ledger", message, "Look at it again, then record what still holds.")


def _named(drafts: Iterable[Draft]) -> tuple[set[str], set[str]]:
    """Return the facilities of ``drafts``, and the projects that they themselves are about."""
    facilities = {draft.facility for draft in drafts if draft.facility}
    return facilities, {draft.project for draft in drafts if draft.project and not draft.facility}


def _book(writer: Writer, drafts: Sequence[Draft]) -> Book:
    """Return the book of all events that the judgement of ``drafts`` depends on."""
    facilities, _ = _named(drafts)
    projects = {draft.project for draft in drafts if draft.project}
    records = {record.number: record for record in writer.general()}
    about = writer.about(facilities, projects)
    # What others assign to a project is not about the project.
    records.update((row.number, row) for row in about if not row.facility or row.facility in facilities)
    book = book_of(event_of(records[number]) for number in sorted(records))
    if any(draft.kind == kinds.IDENTIFIER_ASSIGNED for draft in drafts):
        book.identifiers.clear()
        book.identifiers.update(_identifiers(writer))
    return book


def _identifiers(writer: Writer) -> dict[str, int]:
    """Return every identifier of the ledger that counts, with the number of the event that assigned it."""
    events = list(map(event_of, writer.of_kinds(kinds.IDENTIFIER_ASSIGNED, kinds.EVENT_VOIDED)))
    void = {event.payload["number"] for event in events if event.kind == kinds.EVENT_VOIDED}
    given = [event for event in events if event.kind == kinds.IDENTIFIER_ASSIGNED and event.number not in void]
    return {event.payload["identifier"]: event.number for event in given}


def _judged(book: Book, events: Sequence[Event]) -> Iterator[Fault]:
    """Yield why each of ``events`` cannot be recorded; ``book`` takes up those that can."""
    refused: set[tuple[str, str]] = set()
    for row, event in enumerate(events):
        about = (event.facility, event.project)
        if about != ("", "") and about in refused:
            # What follows from a refused event would only repeat the fault.
            continue
        refusal = book.refusal(event)
        if refusal is None:
            book.enter(event, event.number)
        else:
            refused.add(about)
            yield Fault("events", *refusal, row)


def _asset_faults(assets: Sequence[PlannedAsset]) -> Iterator[Fault]:
    seen: set[str] = set()
    for row, asset in enumerate(assets):
        if asset.id in seen:
            yield Fault("assets", f"{asset.id} is there twice", "Give each asset an id of its own.", row)
        seen.add(asset.id)


def _baseline_drafts(
    assets: Sequence[PlannedAsset], known: Facilities, setting: Draft, *, cancel: bool
) -> tuple[BaselineChange, list[Draft]]:
    """Return what ``assets`` change of the facilities ``known``, and the events that do it."""
    name, day = setting.payload["name"], setting.day
    place = {facility: row for row, facility in enumerate(known.id.tolist())}
    raise_if(_technology_faults(assets, known, place))
    lists: dict[str, list[str]] = {item: [] for item in BaselineChange.__slots__}
    drafts: list[Draft] = []
    for asset in assets:
        row = place.get(asset.id)
        if row is None:
            lists["registered"].append(asset.id)
            state = "in_use" if asset.year == 0 else "planned"
            drafts.append(drafts_of.registered(asset, day=day, baseline=name, state=state))
        elif known.state[row] in (*FROZEN, RETIRED):
            lists["untouched"].append(asset.id)
        elif known.state[row] == CANCELLED:
            lists["reinstated"].append(asset.id)
            reason = f"chosen again by {name}"
            drafts.append(drafts_of.advanced(asset.id, "planned", day=day, reason=reason))
            drafts.append(drafts_of.replanned(asset, day=day, baseline=name))
        elif _same(asset, known, row):
            lists["untouched"].append(asset.id)
        else:
            lists["replanned"].append(asset.id)
            drafts.append(drafts_of.replanned(asset, day=day, baseline=name))
    if cancel:
        lists["cancelled"] += _gone(assets, known)
        reason = f"no longer in the plan {name}"
        drafts += [drafts_of.advanced(gone, "cancelled", day=day, reason=reason) for gone in lists["cancelled"]]
    return BaselineChange(*(tuple(lists[item]) for item in BaselineChange.__slots__)), drafts


def _gone(assets: Sequence[PlannedAsset], known: Facilities) -> list[str]:
    """Return the ids of what is planned or approved but not among ``assets``."""
    free = ~np.isin(known.state, [*FROZEN, RETIRED, CANCELLED])
    wanted = {asset.id for asset in assets}
    return [facility for facility in known.id[free].tolist() if facility not in wanted]


def _technology_faults(assets: Sequence[PlannedAsset], known: Facilities, place: Mapping[str, int]) -> Iterator[Fault]:
    for row, asset in enumerate(assets):
        there = place.get(asset.id)
        if there is not None and known.technology[there] != asset.technology:
            message = f"{asset.id} is {asset.technology}, and {known.technology[there]} in the ledger"
            yield Fault("assets", message, "Give another id to another thing.", row)


def _same(asset: PlannedAsset, known: Facilities, row: int) -> bool:
    """Return whether the ledger has ``asset`` exactly so at position ``row``."""
    named = (known.kind[row], known.area[row], known.planned_year[row], known.planned_capex[row])
    if (*named, known.planned_opex[row]) != (asset.kind, asset.area, asset.year, asset.capex, asset.opex):
        return False
    pairs = (
        (known.planned_x_m[row], asset.x_m),
        (known.planned_y_m[row], asset.y_m),
        (known.length_m[row], asset.length_m),
    )
    return all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in pairs)


__all__ = [
    "STATES",
    "Audit",
    "Baseline",
    "BaselineChange",
    "ConflictError",
    "Draft",
    "Event",
    "Filter",
    "Head",
    "Ledger",
    "PlannedAsset",
    "Projects",
    "RegionFacts",
]
