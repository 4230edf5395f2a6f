"""Records of other nodes, kept for as long as their owners allow; pure.

A record is kept until the first of its values is too old: after its TTL, counted from when it was fetched, or at
the moment that an absolute TTL names. That a handle does not exist is kept too, for a shorter time of its own.
When there is no room, what has not been asked for the longest goes first. Source: RFC 3651 section 3.1 (TTL),
RFC 2308 section 5 (negative answers).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from xinji.errors import Fault, InputError, raise_if
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.names import fold
from xinji.use.identity.record import Record, Value, type_matches

ENTRY_OCTETS = 512
"""What an entry takes beside its handle and data [octets], about."""


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """How much is kept and for how long.

    At most ``entries`` [count] and ``octets`` [octets, about]; a record for ``most_s`` [s] at most, whatever its
    TTL, and that there is none for ``absent_s`` [s]. Raises InputError for a figure that is not positive.
    """

    entries: int = 100_000
    octets: int = 256 * 2**20
    most_s: float = 86_400.0
    absent_s: float = 60.0

    def __post_init__(self) -> None:
        raise_if(self._faults(), InputError)

    def _faults(self) -> Iterator[Fault]:
        for name in ("entries", "octets", "most_s", "absent_s"):
            figure = getattr(self, name)
            if not figure > 0:
                yield Fault("cache", f"{name} is {figure:g}", "Give a figure above 0.")


@dataclass(slots=True)
class CacheCounts:
    """Questions answered from what is kept (a record, or that there is none), those that were not, and entries lost.

    ``evicted`` are those that went for want of room.
    """

    hits: int = 0
    absent: int = 0
    misses: int = 0
    evicted: int = 0


@dataclass(frozen=True, slots=True)
class _Entry:
    record: Record | None
    fetched_s: float
    until_s: float
    octets: int


class RecordCache:
    """Records by handle; one thread uses it. ``clock`` gives seconds since 1970, for TTLs may be absolute."""

    def __init__(self, settings: CacheSettings | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self.settings = CacheSettings() if settings is None else settings
        self.counts = CacheCounts()
        self.octets = 0
        self._clock = clock
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, handle: str) -> Record | None:
        """Return the record of ``handle`` if it is kept, relative TTLs less its age; None where nothing is known.

        Raises IdentifierError (HANDLE_NOT_FOUND) where it is kept that there is none.
        """
        key, now_s = fold(handle), self._clock()
        entry = self._entries.get(key)
        # Before it was fetched: the clock was set back, so that nobody knows how old it is.
        if entry is None or not entry.fetched_s <= now_s < entry.until_s:
            self._drop(key)
            self.counts.misses += 1
            return None
        self._entries.move_to_end(key)
        if entry.record is None:
            self.counts.absent += 1
            raise refuse(Code.HANDLE_NOT_FOUND, handle, "the handle is not registered", "Check the spelling.")
        self.counts.hits += 1
        return _aged(entry.record, now_s - entry.fetched_s)

    def keep(self, handle: str, record: Record) -> None:
        """Keep ``record`` as the answer to ``handle`` for as long as its values allow."""
        now_s = self._clock()
        ends = [value.ttl_s if value.ttl_absolute else now_s + value.ttl_s for value in record.values]
        # A record that holds nothing says no more than that there is none.
        until_s = min(ends, default=now_s + self.settings.absent_s)
        self._put(fold(handle), record, now_s, min(until_s, now_s + self.settings.most_s))

    def keep_absent(self, handle: str) -> None:
        """Keep that ``handle`` does not exist."""
        now_s = self._clock()
        self._put(fold(handle), None, now_s, now_s + self.settings.absent_s)

    def _put(self, key: bytes, record: Record | None, now_s: float, until_s: float) -> None:
        self._drop(key)
        octets = len(key) + ENTRY_OCTETS + sum(map(_octets, record.values if record is not None else ()))
        if until_s <= now_s or octets > self.settings.octets:
            return
        self._entries[key] = _Entry(record, now_s, until_s, octets)
        self.octets += octets
        while len(self._entries) > self.settings.entries or self.octets > self.settings.octets:
            self._drop(next(iter(self._entries)))
            self.counts.evicted += 1

    def _drop(self, key: bytes) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.octets -= entry.octets


def _octets(value: Value) -> int:
    return ENTRY_OCTETS + len(value.data) + len(value.type) + ENTRY_OCTETS * len(value.references)


def _aged(record: Record, age_s: float) -> Record:
    """Return ``record`` with what is left of its relative TTLs, so that caches in a row do not add up."""
    whole_s = int(age_s)
    if not whole_s:
        return record
    values = (
        value if value.ttl_absolute else replace(value, ttl_s=max(value.ttl_s - whole_s, 0)) for value in record.values
    )
    return Record(record.handle, tuple(values))


def chosen(record: Record, types: tuple[str, ...], indexes: tuple[int, ...]) -> Record:
    """Return ``record`` with the values of ``types`` or at ``indexes``, with all if none is given.

    Raises IdentifierError (VALUES_NOT_FOUND) where none matches.
    """
    if not types and not indexes:
        return record
    wanted = [kind.encode() for kind in types]
    values = tuple(
        value
        for value in record.values
        if value.index in indexes or any(type_matches(value.type.encode(), kind) for kind in wanted)
    )
    if not values:
        raise refuse(Code.VALUES_NOT_FOUND, record.handle, "it has no such values", "Ask for others.")
    return Record(record.handle, values)


def is_absence(error: IdentifierError) -> bool:
    """Return whether ``error`` says that a handle does not exist, and not that somebody could not be asked."""
    return error.code == Code.HANDLE_NOT_FOUND
