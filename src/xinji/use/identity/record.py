"""Values and records of the identifier node, and their octets on the wire and in the store.

Source: RFC 3651 section 3.1 with the errata of Handle.Net (the TTL type comes first, times are 4 octets
of seconds), DO-IRP specification v3.0 "Handle value": index, timestamp, TTL type, TTL, permissions,
type, data, references.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct

from xinji.errors import Fault
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.wire import U32, Cursor, string, utf8

ADMIN_READ, ADMIN_WRITE, PUBLIC_READ, PUBLIC_WRITE = 8, 4, 2, 1
"""Permission bits of a value: who may read and write it."""

PUBLIC = ADMIN_READ | ADMIN_WRITE | PUBLIC_READ
PRIVATE = ADMIN_READ | ADMIN_WRITE

NEVER_PUBLIC = "HS_SECKEY"
"""Type whose values are private whatever their permissions say."""

DAY_S = 86_400
"""TTL [s] where none is given, as Handle.Net has it."""

MAX_INDEX = 2**31 - 1
MAX_TYPE_OCTETS = 255
MAX_DATA_OCTETS = 2**20
MAX_VALUES = 2_048
MAX_REFERENCES = 1_024
MAX_NUMBER = 2**32 - 1

HEAD = Struct(">IIBIBI")
"""Index, timestamp, TTL type, TTL, permissions, length of the type."""

LEAST_VALUE = HEAD.size + 8
LEAST_REFERENCE = 8


@dataclass(frozen=True, slots=True)
class Reference:
    """A value of another record: its handle and index (0 for the whole record)."""

    handle: str
    index: int


@lru_cache(maxsize=4_096)
def _type_octets(kind: str) -> int:
    return len(utf8(kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value of a record: ``index`` (1 to 2**31 - 1), ``type``, ``data``.

    ``ttl_s`` [s] says how long a resolver may keep it, from when it was fetched or, if
    ``ttl_absolute``, as seconds since 1970; ``timestamp_s`` [s since 1970] when it was last changed;
    ``permissions`` the sum of ADMIN_READ, ADMIN_WRITE, PUBLIC_READ and PUBLIC_WRITE.

    Raises IdentifierError (INVALID_VALUE) with every fault at once.
    """

    index: int
    type: str
    data: bytes
    ttl_s: int = DAY_S
    ttl_absolute: bool = False
    timestamp_s: int = 0
    permissions: int = PUBLIC
    references: tuple[Reference, ...] = ()

    def __repr__(self) -> str:
        # A secret key must not reach a log by way of a message that quotes its value.
        data = "hidden" if self.type == NEVER_PUBLIC else repr(self.data)
        return f"Value(index={self.index}, type={self.type!r}, data={data}, permissions={self.permissions:04b})"

    def __post_init__(self) -> None:
        if self._wrong():
            raise IdentifierError(tuple(self._faults()), Code.INVALID_VALUE)

    @property
    def public(self) -> bool:
        """Whether anybody may read it; a secret key is private whatever its permissions say."""
        return bool(self.permissions & PUBLIC_READ) and self.type != NEVER_PUBLIC

    @property
    def text(self) -> str:
        """The data as UTF-8; raises IdentifierError where it is none."""
        try:
            return self.data.decode()
        except UnicodeDecodeError:
            place, remedy = f"value {self.index}", "Read .data, or mend what registered it."
            raise refuse(Code.INVALID_VALUE, place, f"the data of type {self.type} is not UTF-8", remedy) from None

    def _wrong(self) -> bool:
        # Each test stands alone so that the usual value passes them without a call.
        numbers = self.ttl_s | self.timestamp_s | self.permissions
        return (
            not 0 < self.index <= MAX_INDEX
            or not 0 <= numbers <= MAX_NUMBER
            or self.permissions > 15
            or len(self.data) > MAX_DATA_OCTETS
            or not 0 < _type_octets(self.type) <= MAX_TYPE_OCTETS
            or len(self.references) > MAX_REFERENCES
        )

    def _faults(self) -> Iterator[Fault]:
        place = f"value {self.index}"
        for name, number, low, high in (
            ("index", self.index, 1, MAX_INDEX),
            ("type length", _type_octets(self.type), 1, MAX_TYPE_OCTETS),
            ("data length", len(self.data), 0, MAX_DATA_OCTETS),
            ("TTL", self.ttl_s, 0, MAX_NUMBER),
            ("timestamp", self.timestamp_s, 0, MAX_NUMBER),
            ("permissions", self.permissions, 0, 15),
            ("number of references", len(self.references), 0, MAX_REFERENCES),
        ):
            if not low <= number <= high:
                yield Fault(place, f"the {name} is {number}", f"Keep it within {low} and {high}.")


@dataclass(frozen=True, slots=True)
class Record:
    """The values under one handle in the order of their indexes; no index twice.

    Raises IdentifierError (INVALID_VALUE).
    """

    handle: str
    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        indexes = [value.index for value in self.values]
        if len(set(indexes)) != len(indexes):
            twice = sorted({index for index in indexes if indexes.count(index) > 1})
            message, remedy = f"the indexes {twice} are given more than once", "Give every value its own index."
            raise refuse(Code.INVALID_VALUE, self.handle, message, remedy)
        if len(indexes) > MAX_VALUES:
            message, remedy = f"there are {len(indexes)} values", f"Keep to {MAX_VALUES}."
            raise refuse(Code.INVALID_VALUE, self.handle, message, remedy)
        if indexes != sorted(indexes):
            object.__setattr__(self, "values", tuple(sorted(self.values, key=lambda value: value.index)))

    def by_index(self, index: int) -> Value | None:
        """Return the value at ``index``, None where there is none."""
        return next((value for value in self.values if value.index == index), None)

    def of_type(self, kind: str) -> tuple[Value, ...]:
        """Return the values whose type is ``kind``."""
        return tuple(value for value in self.values if value.type == kind)


def encode_value(value: Value) -> bytes:
    """Return the octets of ``value``."""
    kind = utf8(value.type)
    head = HEAD.pack(value.index, value.timestamp_s, value.ttl_absolute, value.ttl_s, value.permissions, len(kind))
    return b"".join((head, kind, U32.pack(len(value.data)), value.data, encode_references(value.references)))


def encode_references(references: Iterable[Reference]) -> bytes:
    """Return a 4-octet count and each reference's handle and index: references of a value, data of HS_VLIST."""
    parts = [string(reference.handle) + U32.pack(reference.index) for reference in references]
    return U32.pack(len(parts)) + b"".join(parts)


def decode_references(cursor: Cursor) -> tuple[Reference, ...]:
    """Read what ``encode_references`` writes."""
    number = cursor.count(LEAST_REFERENCE)
    if number > MAX_REFERENCES:
        raise cursor.wrong(f"{number} references are announced, {MAX_REFERENCES} are allowed")
    return tuple(Reference(cursor.text(), cursor.u32()) for _ in range(number))


def decode_value(cursor: Cursor) -> Value:
    """Read one value; raises IdentifierError where it is malformed."""
    index, timestamp_s = cursor.u32(), cursor.u32()
    kind_of_ttl, ttl_s, permissions = cursor.u8(), cursor.u32(), cursor.u8()
    if kind_of_ttl > 1:
        raise cursor.wrong(f"the TTL type of value {index} is {kind_of_ttl}, not 0 (relative) or 1 (absolute)")
    return Value(
        index=index,
        type=cursor.text(),
        data=cursor.string(),
        ttl_s=ttl_s,
        ttl_absolute=bool(kind_of_ttl),
        timestamp_s=timestamp_s,
        # Only the low four bits are permissions; peers are told to ignore the others.
        permissions=permissions & 15,
        references=decode_references(cursor),
    )


def encode_values(values: Iterable[Value]) -> bytes:
    """Return a 4-octet count and the octets of each value."""
    parts = [encode_value(value) for value in values]
    return U32.pack(len(parts)) + b"".join(parts)


def decode_values(cursor: Cursor) -> tuple[Value, ...]:
    """Read a count and as many values."""
    number = cursor.count(LEAST_VALUE)
    if number > MAX_VALUES:
        raise cursor.wrong(f"{number} values are announced, {MAX_VALUES} are allowed")
    return tuple(decode_value(cursor) for _ in range(number))


@dataclass(frozen=True, slots=True)
class Span:
    """Where a value lies in the octets of a list: ``body[start:end]``, with what filters ask for."""

    start: int
    end: int
    index: int
    permissions: int
    type: bytes


def spans(body: bytes) -> list[Span]:
    """Return where each value of an encoded list lies; raises IdentifierError where the octets are malformed."""
    cursor = Cursor(body)
    found = []
    for _ in range(cursor.count(LEAST_VALUE)):
        start = cursor.offset
        index = cursor.u32()
        cursor.raw(9)
        permissions, kind = cursor.u8(), cursor.string()
        cursor.string()
        for _ in range(cursor.count(LEAST_REFERENCE)):
            cursor.string()
            cursor.u32()
        found.append(Span(start, cursor.offset, index, permissions, kind))
    cursor.done()
    return found


def type_matches(kind: bytes, asked: bytes) -> bool:
    """Whether a value of type ``kind`` answers a query for ``asked``.

    Equal in ASCII letters of either case, or under a type asked for with a full stop at its end
    ("a.b." finds "a.b" and "a.b.c"). Source: RFC 3651 section 3.1; Handle.Net's resolution.
    """
    kind, asked = kind.upper(), asked.upper()
    if asked.endswith(b"."):
        return kind.startswith(asked) or kind == asked[:-1]
    return kind == asked


def select(body: bytes, types: Iterable[bytes | str], indexes: Iterable[int]) -> bytes:
    """Return the encoded list of those values of ``body`` that match a type or an index; all if neither is given."""
    asked = [kind.encode() if isinstance(kind, str) else kind for kind in types]
    wanted = set(indexes)
    if not asked and not wanted:
        return body
    kept = [
        body[span.start : span.end]
        for span in spans(body)
        if span.index in wanted or any(type_matches(span.type, kind) for kind in asked)
    ]
    return U32.pack(len(kept)) + b"".join(kept)


def join(*bodies: bytes) -> bytes:
    """Return one encoded list of the values of all ``bodies`` in the order of their indexes."""
    parts = [(span.index, body[span.start : span.end]) for body in bodies for span in spans(body)]
    parts.sort()
    return U32.pack(len(parts)) + b"".join(part for _, part in parts)
