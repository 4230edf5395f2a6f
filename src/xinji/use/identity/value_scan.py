"""Some values of an encoded list: what is not asked for is passed over, not decoded."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from struct import error as StructError  # noqa: N812 (the module names it in lower case)

from xinji.use.identity.record import HEAD, Value, decode_references, decode_value, decode_values
from xinji.use.identity.wire import U32, Cursor

NO_REFERENCES = bytes(4)

U32_OCTETS = 4


@dataclass(frozen=True, slots=True)
class Choice:
    """Which values are asked for: all if ``every``, else those at ``indexes``, of ``types`` or below ``stems``.

    Types and stems (types that end in a full stop, "A.") are in upper case.
    """

    every: bool
    indexes: Container[int]
    types: frozenset[bytes]
    stems: tuple[bytes, ...]

    def takes(self, kind: bytes) -> bool:
        """Whether a value of type ``kind`` is asked for by its type; the rule of `record.type_matches`."""
        kind = kind.upper()
        return kind in self.types or (bool(self.stems) and (kind + b".").startswith(self.stems))


def choice_of(types: Iterable[str], indexes: frozenset[int]) -> Choice:
    """Return what a query for ``types`` and ``indexes`` asks for: all where it names none."""
    asked = [kind.encode().upper() for kind in types]
    stems = tuple(kind for kind in asked if kind.endswith(b"."))
    return Choice(not asked and not indexes, indexes, frozenset(asked), stems)


def chosen_values(body: bytes, choice: Choice) -> tuple[Value, ...]:
    """Return the values of the encoded list ``body`` that ``choice`` takes, as decoding all of them would give them.

    Raises IdentifierError where the octets are malformed.
    """
    try:
        return _chosen(body, choice)
    except (StructError, UnicodeDecodeError):
        # What is wrong, and where, the careful reader says.
        values = decode_values(Cursor(body))
    return tuple(value for value in values if choice.every or _wanted(choice, value))


def chosen_octets(body: bytes, choice: Choice) -> bytes:
    """Return the encoded list of those values of ``body`` that ``choice`` takes; empty where the octets are malformed.

    Values with references are not for this short way: a list that holds one comes back empty too.
    """
    kept = []
    try:
        (count,) = U32.unpack_from(body)
        at = U32_OCTETS
        for _ in range(count):
            index, _, _, _, _, octets = HEAD.unpack_from(body, at)
            data_at = at + HEAD.size + octets + U32_OCTETS
            end = data_at + U32.unpack_from(body, data_at - U32_OCTETS)[0] + U32_OCTETS
            if body[end - U32_OCTETS : end] != NO_REFERENCES:
                return b""
            if choice.every or index in choice.indexes or choice.takes(body[at + HEAD.size : data_at - U32_OCTETS]):
                kept.append(body[at:end])
            at = end
    except StructError:
        return b""
    return U32.pack(len(kept)) + b"".join(kept) if at == len(body) else b""


def _wanted(choice: Choice, value: Value) -> bool:
    return value.index in choice.indexes or choice.takes(value.type.encode())


def _chosen(body: bytes, choice: Choice) -> tuple[Value, ...]:
    found = []
    (count,) = U32.unpack_from(body)
    at = U32_OCTETS
    for _ in range(count):
        index, timestamp_s, kind_of_ttl, ttl_s, permissions, octets = HEAD.unpack_from(body, at)
        data_at = at + HEAD.size + octets + U32_OCTETS
        kind = body[at + HEAD.size : data_at - U32_OCTETS]
        end = data_at + U32.unpack_from(body, data_at - U32_OCTETS)[0]
        wanted = choice.every or index in choice.indexes or choice.takes(kind)
        plain = body[end : end + U32_OCTETS] == NO_REFERENCES and kind_of_ttl <= 1
        if plain and wanted:
            value = Value(
                index=index,
                type=kind.decode(),
                data=body[data_at:end],
                ttl_s=ttl_s,
                ttl_absolute=bool(kind_of_ttl),
                timestamp_s=timestamp_s,
                # Only the low four bits are permissions.
                permissions=permissions & 15,
            )
            found.append(value)
        at = end + U32_OCTETS if plain else _passed(body, at if wanted else end, found if wanted else None)
    return tuple(found)


def _passed(body: bytes, at: int, found: list[Value] | None) -> int:
    """Read a value with references at ``at`` into ``found``, or its references alone; return where it ends."""
    cursor = Cursor(body, at)
    if found is None:
        decode_references(cursor)
    else:
        found.append(decode_value(cursor))
    return cursor.offset
