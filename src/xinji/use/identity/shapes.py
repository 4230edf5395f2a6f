"""What records have in common, kept once: a shape holds the octets that many records' values share.

Of a value on the wire only the timestamp and the data differ between records of one kind. A shape keeps
everything between them, so that a record is stored as the differing parts alone ("slots") joined by an
octet that occurs in none of them, and comes back to its wire form by one split and one format, both in C.
A record without a known shape, or with a part that no slot can hold, is stored as it goes on the wire.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter

from xinji.use.identity.record import HEAD, Value, encode_references
from xinji.use.identity.wire import U32, utf8

SEPARATORS = tuple(bytes((octet,)) for octet in (*range(0xFF, 0xF4, -1), 0xC0, 0xC1, *range(0x01, 0x08)))
"""Octets that may part slots: those that never occur in UTF-8 first."""

MAX_SHAPES = 4_000
"""Most shapes of a store; their numbers are two octets."""

SHORT = 255
"""Longest data of a slot whose length is one octet; wide ones have two."""


Kind = tuple[tuple[object, ...], ...]
"""What the values of a record have besides data and timestamps; equal for records of one kind."""


def kind_of(values: Iterable[Value]) -> Kind:
    """Return what tells the kind of a record from its values."""
    return tuple([(v.index, v.type, v.ttl_s, v.ttl_absolute, v.permissions, v.references) for v in values])


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape: ``form`` (octets with ``%b`` for each slot), where each slot's part comes from, and fixed data.

    ``even``: all timestamps are one, ``moment`` if that is given, otherwise kept in part 0. ``wide``
    (values): data of two octets' length. ``fixed`` holds by position the data that all records share.
    """

    kind: Kind
    wide: tuple[bool, ...]
    fixed: tuple[bytes | None, ...]
    even: bool = True
    moment: int | None = None

    def form(self) -> bytes:
        """Return the octets of the list of values with ``%b`` in place of timestamps and data."""
        pieces = [U32.pack(len(self.kind))]
        for (index, name, ttl_s, absolute, permissions, references), wide, data in zip(
            self.kind, self.wide, self.fixed, strict=True
        ):
            type_octets = utf8(str(name))
            head = HEAD.pack(index, self.moment or 0, absolute, ttl_s, permissions, len(type_octets))
            tail = encode_references(references)  # type: ignore[arg-type]  # the kind holds it as an object
            moment = b"%b" if self.moment is None else _plain(head[4:8])
            pieces += [_plain(head[:4]), moment, _plain(head[8:] + type_octets)]
            if data is None:
                pieces += [bytes(2 if wide else 3), b"%b"]
            else:
                pieces.append(_plain(U32.pack(len(data)) + data))
            pieces.append(_plain(tail))
        return b"".join(pieces)

    def getter(self) -> Callable[[Sequence[bytes]], tuple[bytes, ...]]:
        """Return what puts the stored parts in the order of the slots; parts beyond are left out."""
        order: list[int] = []
        part = 1 if self.even and self.moment is None else 0
        for data in self.fixed:
            if self.moment is None:
                order.append(0 if self.even else part)
                part += not self.even
            if data is None:
                order.append(part)
                part += 1
        # Of a single item, itemgetter returns the item and not a tuple of it.
        return itemgetter(*order) if len(order) > 1 else partial(_first, len(order))

    def parts(self, data: Sequence[bytes], moments: Sequence[int]) -> list[bytes] | None:
        """Return the parts to keep of values with ``data`` and timestamps ``moments`` [s], one or one for each value.

        None where this shape cannot hold them.
        """
        if self.even:
            if moments[0] != (self.moment or moments[0]) or len(set(moments)) > 1:
                return None
            parts = [] if self.moment is not None else [U32.pack(moments[0])]
        else:
            parts = []
            moments = moments if len(moments) == len(data) else [moments[0]] * len(data)
        for place, octets in enumerate(data):
            if not self.even:
                parts.append(U32.pack(moments[place]))
            fixed, wide = self.fixed[place], self.wide[place]
            if fixed is not None:
                if fixed != octets:
                    return None
            elif len(octets) > (0xFFFF if wide else SHORT):
                return None
            else:
                parts.append(len(octets).to_bytes(2 if wide else 1, "big") + octets)
        return parts


def _first(number: int, parts: Sequence[bytes]) -> tuple[bytes, ...]:
    return tuple(parts[:number])


def _plain(octets: bytes) -> bytes:
    return octets.replace(b"%", b"%%")


def join_parts(parts: Iterable[bytes]) -> bytes | None:
    """Return a separator and the parts joined by it; None where every separator occurs in a part."""
    plain = b"".join(parts)
    for separator in SEPARATORS:
        if separator not in plain:
            return separator + separator.join(parts)
    return None


def learn(samples: Sequence[Sequence[Value]]) -> list[Shape]:
    """Return the shapes for records of one kind after ``samples`` of it, the closest first.

    With data and timestamp fixed where all samples agree (at least two), then with one timestamp, then with
    a timestamp for each value.
    """
    kind = kind_of(samples[0])
    columns = list(zip(*([value.data for value in values] for values in samples), strict=True))
    wide = tuple(max(map(len, column)) > SHORT // 2 for column in columns)
    free: tuple[None, ...] = (None,) * len(columns)
    fixed = tuple(column[0] if len(column) > 1 and len(set(column)) == 1 else None for column in columns)
    moments = {value.timestamp_s for values in samples for value in values}
    moment = min(moments) if len(moments) == 1 and len(samples) > 1 and moments != {0} else None
    closest = Shape(kind, wide, fixed, moment=moment)
    shapes = [] if moment is None and fixed == free else [closest]
    return [*shapes, Shape(kind, wide, free), Shape(kind, wide, free, even=False)]
