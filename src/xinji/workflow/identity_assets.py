"""Identifiers for all that a ledger holds: one record a facility in the node, one event a name in the ledger."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import quote

import numpy as np

from xinji.build.event_drafts import identified
from xinji.build.ledger import Ledger
from xinji.build.signature import PrivateKey
from xinji.core.facilities import NO_CONTRACT, STATES, Facilities
from xinji.errors import Fault, InputError, XinjiError, raise_if
from xinji.io.building_places import geographic
from xinji.units import CENTS_PER_UNIT
from xinji.use.identity import value_data as hs
from xinji.use.identity.bulk import load
from xinji.use.identity.changes import Change
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.names import check_handle, fold, prefix_handle
from xinji.use.identity.record import PRIVATE, Record, Value
from xinji.use.identity.store import Store, open_store
from xinji.workflow.identity import ADMIN_INDEX, ADMIN_SUFFIX, KEY_INDEX, READ_ONLY, note_here

PUBLIC_TYPES = (
    "NAME",
    "TECHNOLOGY",
    "KIND",
    "AREA",
    "STATE",
    "STATE_SINCE",
    "PLANNED_YEAR",
    "PLACE",
    "PLACE_SOURCE",
    "LENGTH_M",
)
"""What anybody may know of a facility, in the order of its indexes from ``FIRST_PUBLIC`` on."""
PRIVATE_TYPES = ("PROJECT", "PLANNED_CAPEX", "PLANNED_OPEX", "CONTRACT_CAPEX", "PAID", "CURRENCY")
"""What its owner alone may: money, and under which project; from ``FIRST_PRIVATE`` on."""
URL_INDEX, FIRST_PUBLIC, FIRST_PRIVATE = 1, 2001, 3001
OWN = frozenset(
    (
        URL_INDEX,
        ADMIN_INDEX,
        *range(FIRST_PUBLIC, FIRST_PUBLIC + len(PUBLIC_TYPES)),
        *range(FIRST_PRIVATE, FIRST_PRIVATE + len(PRIVATE_TYPES)),
    )
)
"""Indexes that the ledger has the say of; values at others stay as their owners wrote them."""
_ROUNDS = 8
"""How often a record is read again that others change meanwhile."""
PLACE_DECIMALS = 6
"""Decimals of a degree in a place: a tenth of a metre."""


@dataclass(frozen=True, slots=True)
class Naming:
    """How facilities are named: under ``prefix``, found at ``endpoint`` of their owner, recorded by ``who``.

    ``endpoint`` is the address of the owner's own service, to which a facility's id is added; none without one.
    """

    prefix: str
    who: str
    endpoint: str = ""
    key: PrivateKey | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """What naming came to: records new, changed and as they were, names new to the ledger, seconds."""

    new: int
    changed: int
    same: int
    identified: int
    seconds: float


def name_ledger(store: Path, place: str, naming: Naming) -> Named:
    """Give every facility of the ledger at ``place`` an identifier, and write what it stands for to ``store``.

    Run again it writes what has changed since and nothing else. Raises InputError with every id that no
    identifier can be made of, or that has one under another prefix; nothing is written then.
    """
    begun = time.monotonic()
    with open_store(store) as records, Ledger.open(place, who=naming.who, key=naming.key) as ledger:
        facilities, region = ledger.facilities(), ledger.region()
        raise_if(_faults(records, facilities, naming), InputError)
        made = list(_records(facilities, region.crs, region.currency, naming))
        known = [records.record(record.handle, private=True) for record in made]
        raise_if(_foreign(facilities, made, known), InputError)
        # Records first: if the ledger then cannot be written, the next run finds them as this one left them. A name
        # in the ledger without a record would be anybody's to register.
        fresh = [record for record, old in zip(made, known, strict=True) if old is None]
        if fresh:
            load(records, fresh)
        today = dt.datetime.now(dt.UTC).date().isoformat()
        drafts = [
            identified(str(facilities.id[k]), record.handle, day=max(today, _first_day(facilities, k)))
            for k, record in enumerate(made)
            if not facilities.identifier[k]
        ]
        try:
            if drafts:
                ledger.append(drafts)
        except XinjiError:
            for record in fresh:
                records.apply(Change("delete", record.handle, check=partial(_stands, record)))
            raise
        changed = _change(records, [(record, old) for record, old in zip(made, known, strict=True) if old is not None])
        if fresh or changed:
            note_here(store, f"import {len(fresh) + changed} records")
    same = len(made) - len(fresh) - changed
    return Named(len(fresh), changed, same, len(drafts), time.monotonic() - begun)


def _foreign(facilities: Facilities, made: list[Record], known: list[Record | None]) -> Iterator[Fault]:
    """Find records that somebody registered before the ledger named the facility.

    Whoever may add names under the prefix could otherwise take a facility's, with rights of his own, and read what
    is written beside them.
    """
    for k, (record, old) in enumerate(zip(made, known, strict=True)):
        if old is None or facilities.identifier[k]:
            continue
        own = {value.index: (value.type, value.data) for value in record.values if value.type == hs.ADMIN}
        rights = {value.index: (value.type, value.data) for value in old.values if value.type == hs.ADMIN}
        if rights != own or any(value.index not in OWN for value in old.values):
            message = f"{record.handle} is registered, but not by this ledger"
            yield Fault("store", message, "See who did with `xinji id resolve`; delete it, then run this again.", k)


def _change(store: Store, pairs: list[tuple[Record, Record]]) -> int:
    """Make of each record that stands what the ledger says, and return how many had to change.

    Each is compared once more where it is written, and made again where a node that serves meanwhile changed it:
    what others wrote and were told is written stays. Raises IdentifierError where one changes all the time.
    """
    count = 0
    for _ in range(_ROUNDS):
        merged = [(_with_others(record, old), record, old) for record, old in pairs]
        merged = [(whole, record, old) for whole, record, old in merged if _differs(whole, old)]
        futures = [
            store.submit(Change("replace", whole.handle, whole.values, check=partial(_stands, old), keep_times=True))
            for whole, _, old in merged
        ]
        pairs = []
        for future, (_, record, _) in zip(futures, merged, strict=True):
            error = future.exception()
            if error is None:
                count += 1
            elif isinstance(error, _ChangedError):
                now = store.record(record.handle, private=True)
                pairs.append((record, now if now is not None else Record(record.handle, ())))
            else:
                raise error
        if not pairs:
            return count
    raise refuse(Code.SERVER_BUSY, pairs[0][0].handle, "others change it all the time", "Run this again later.")


class _ChangedError(IdentifierError):
    """A record is not what it was when it was read."""


def _stands(old: Record, record: Record | None) -> None:
    found = Record(old.handle, ()) if record is None else record
    if found != old:
        raise _ChangedError([Fault("store", f"{old.handle} has changed", "Read it again.")], Code.SERVER_BUSY)


def _first_day(facilities: Facilities, row: int) -> str:
    """Return a day on which the facility was registered already: the plan of a later year may be so too."""
    days = facilities.since[row].astype("datetime64[D]")
    return str(days[~np.isnat(days)].min())


def _faults(store: Store, facilities: Facilities, naming: Naming) -> Iterator[Fault]:
    prefix = naming.prefix
    if naming.endpoint and not naming.endpoint.startswith(("https://", "http://")):
        yield Fault("endpoint", f"found {naming.endpoint[:80]!r}", "Give an address, as https://assets.example.")
    if store.record(prefix_handle(prefix)) is None:
        message = f"the store does not hold the prefix {prefix}"
        yield Fault("prefix", message, "Make the node with `xinji id init`, or name the prefix it was made with.")
    taken = {fold(f"{prefix}/{ADMIN_SUFFIX}"): "the administrator of the prefix"}
    for k, name in enumerate(facilities.id.tolist()):
        handle = f"{prefix}/{name}"
        other = taken.setdefault(fold(handle.encode("utf-8", "replace")), name)
        if other != name:
            message = f"{name} would have the name of {other}"
            yield Fault("ledger", message, "Names do not tell ASCII letters' case apart: use another id.", k)
        named = str(facilities.identifier[k])
        if named and named != handle:
            message = f"{name} is named {named} already"
            yield Fault("ledger", message, "A name is for good: use its prefix.", k)
        try:
            check_handle(handle)
        except IdentifierError as error:
            yield from (replace(fault, row=k) for fault in error.faults)


def _records(facilities: Facilities, crs: str, currency: str, naming: Naming) -> Iterator[Record]:
    built = np.isfinite(facilities.x_m) & np.isfinite(facilities.y_m)
    x_m = np.where(built, facilities.x_m, facilities.planned_x_m)
    y_m = np.where(built, facilities.y_m, facilities.planned_y_m)
    longitude, latitude = geographic(crs, x_m, y_m)
    since = facilities.since.astype("datetime64[D]").astype(str)
    paid = facilities.paid
    admin = hs.encode_admin(hs.Admin(f"{naming.prefix}/{ADMIN_SUFFIX}", KEY_INDEX))
    ruled = Value(index=ADMIN_INDEX, type=hs.ADMIN, data=admin, permissions=READ_ONLY)
    for k, name in enumerate(facilities.id.tolist()):
        state = int(facilities.state[k])
        length = float(facilities.length_m[k])
        year = int(facilities.planned_year[k])
        known = np.isfinite(longitude[k])
        public = (
            name,
            str(facilities.technology[k]),
            str(facilities.kind[k]),
            str(facilities.area[k]),
            STATES[state],
            str(since[k, state]),
            str(year) if year > 0 else "",
            _geo(float(latitude[k]), float(longitude[k])) if known else "",
            ("as built" if built[k] else "planned") if known else "",
            f"{length:.1f}" if np.isfinite(length) else "",
        )
        contract = int(facilities.contract_capex[k])
        private = (
            str(facilities.project[k]),
            _money(int(facilities.planned_capex[k])),
            _money(int(facilities.planned_opex[k])),
            "" if contract == NO_CONTRACT else _money(contract),
            _money(int(paid[k])),
            currency,
        )
        values = [*_values(PUBLIC_TYPES, public, FIRST_PUBLIC), *_hidden(private), ruled]
        if naming.endpoint:
            address = f"{naming.endpoint.rstrip('/')}/{quote(name, safe='')}"
            values.insert(0, Value(index=URL_INDEX, type="URL", data=address.encode()))
        yield Record(f"{naming.prefix}/{name}", _stamped(values))


def _geo(latitude: float, longitude: float) -> str:
    """Return a geo URI (RFC 5870), WGS-84."""
    return f"geo:{latitude:.{PLACE_DECIMALS}f},{longitude:.{PLACE_DECIMALS}f}"


def _money(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // CENTS_PER_UNIT}.{abs(cents) % CENTS_PER_UNIT:02d}"


def _values(types: tuple[str, ...], texts: tuple[str, ...], first: int) -> Iterator[Value]:
    for number, (kind, text) in enumerate(zip(types, texts, strict=True)):
        if text:
            yield Value(index=first + number, type=kind, data=text.encode())


def _hidden(texts: tuple[str, ...]) -> Iterator[Value]:
    for value in _values(PRIVATE_TYPES, texts, FIRST_PRIVATE):
        yield replace(value, permissions=PRIVATE)


def _stamped(values: list[Value]) -> tuple[Value, ...]:
    now_s = int(time.time())
    return tuple(replace(value, timestamp_s=now_s) for value in sorted(values, key=lambda value: value.index))


def _with_others(record: Record, old: Record | None) -> Record:
    """Return ``record`` with the values that others gave it since."""
    if old is None:
        return record
    others = tuple(value for value in old.values if value.index not in OWN)
    return Record(record.handle, tuple(sorted((*record.values, *others), key=lambda value: value.index)))


def _differs(record: Record, old: Record) -> bool:
    """Return whether what ``record`` says is not what ``old`` says, whenever it was written."""

    def said(one: Record) -> list[Value]:
        return sorted((replace(value, timestamp_s=0) for value in one.values), key=lambda value: value.index)

    return said(record) != said(old)
