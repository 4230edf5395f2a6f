"""A record as it lies in the store: shape number, flags, times, and the public values; private ones apart.

| octets | what |
|--------|------|
| 0-1 | number of the shape, 0 for none |
| 2 | flags: private values exist (1); spelling as the key (0), in lower case (2), given (4) |
| 3-6, 7-10 | created, last modified [s since 1970] |
| 11 | with a shape: the separator; without: length of the given spelling |
| 12- | with a shape: its parts, then a given spelling; without: given spelling, then count and values |
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct
from typing import NamedTuple

from xinji.use.identity.errors import Code, refuse
from xinji.use.identity.names import fold
from xinji.use.identity.record import Record, encode_values
from xinji.use.identity.shape_table import RAW, Expander, ShapeTable
from xinji.use.identity.shapes import join_parts, kind_of

HEAD = Struct(">2sBII")
HAS_PRIVATE, LOWER, GIVEN = 1, 2, 4

MAX_RECORD_OCTETS = 2**24
"""Most octets of a record's values together."""


class Entry(NamedTuple):
    """What a store keeps of a record: its key, the entry, and the encoded private values or nothing."""

    key: bytes
    public: bytes
    private: bytes


class Times(NamedTuple):
    """When a record was created and last modified [s since 1970]."""

    created_s: int
    modified_s: int


def encode_entry(record: Record, times: Times, shapes: ShapeTable) -> Entry:
    """Return what to store of ``record``."""
    public = [value for value in record.values if value.public]
    private = [value for value in record.values if not value.public]
    hidden = encode_values(private) if private else b""
    data, moments = [value.data for value in public], [value.timestamp_s for value in public]
    fitting = shapes.fit(kind_of(public), data, moments) if public else None
    shaped = shaped_entry(record.handle, times, fitting, flags=HAS_PRIVATE if private else 0)
    if shaped is not None:
        return Entry(*shaped, hidden)
    handle = record.handle.encode()
    key = fold(handle)
    flags, given = _spelling(handle, key)
    head = HEAD.pack(RAW, flags | (HAS_PRIVATE if private else 0), *times) + bytes((len(given),)) + given
    body = encode_values(public)
    if len(body) + len(hidden) > MAX_RECORD_OCTETS:
        message, remedy = f"the values take {len(body) + len(hidden)} octets", f"Keep to {MAX_RECORD_OCTETS}."
        raise refuse(Code.INVALID_VALUE, record.handle[:80], message, remedy)
    return Entry(key, head + body, hidden)


def shaped_entry(
    handle: str, times: Times, fitting: tuple[bytes, bytes] | None, *, flags: int = 0
) -> tuple[bytes, bytes] | None:
    """Return key and entry of a record whose public values ``fitting`` holds; None where no shape does."""
    if fitting is None:
        return None
    octets = handle.encode()
    key = fold(octets)
    spelled, given = _spelling(octets, key)
    number, joined = fitting
    if given:
        # A given spelling becomes a last part, for which the separator may have to be another.
        again = join_parts([*joined[1:].split(joined[:1]), given])
        if again is None:
            return None
        joined = again
    return key, HEAD.pack(number, flags | spelled, *times) + joined


def _spelling(handle: bytes, key: bytes) -> tuple[int, bytes]:
    if handle == key:
        return 0, b""
    if handle == key.lower():
        return LOWER, b""
    return GIVEN, handle


def body_of(entry: bytes, expanders: Mapping[bytes, Expander]) -> bytes:
    """Return count and values of the public values of ``entry``; KeyError for a shape that is not known yet."""
    number = entry[:2]
    if number == RAW:
        return entry[12 + entry[11] :]
    form, getter = expanders[number]
    return form % getter(entry[12:].split(entry[11:12]))


def flags_of(entry: bytes) -> int:
    """Return the flags of ``entry``."""
    return entry[2]


def times_of(entry: bytes) -> Times:
    """Return when the record of ``entry`` was created and last modified."""
    _, _, created_s, modified_s = HEAD.unpack_from(entry)
    return Times(created_s, modified_s)


def spelling_of(key: bytes, entry: bytes) -> str:
    """Return the handle of ``entry`` as it was registered."""
    flags = entry[2]
    if flags & LOWER:
        key = key.lower()
    elif flags & GIVEN:
        key = entry[12 : 12 + entry[11]] if entry[:2] == RAW else entry[12:].rpartition(entry[11:12])[2]
    return key.decode()
