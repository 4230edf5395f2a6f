"""The fast path for questions after some values: plain DO-IRP resolutions but for indexes or types that they name.

Whatever is not answered with values that are there, and public, is left to ``Service``, which gives the same octets
for the rest.
"""

from __future__ import annotations

from struct import error as StructError  # noqa: N812 (the module names it in lower case)
from typing import NamedTuple

from xinji.use.identity.doirp.codes import ENVELOPE_OCTETS, HEADER_OCTETS, MAJORS, VERSION, OpCode, OpFlag, ResponseCode
from xinji.use.identity.doirp.fast import (
    FRONT_AT,
    IDENTIFIER_AT,
    IGNORED,
    KEPT,
    LENGTH_OCTETS,
    LONG_BODY,
    MOST_IDENTIFIER,
    MOST_KNOWN,
    NO_CREDENTIAL,
    NOTHING_ASKED,
    REST,
    REST_AT,
    Lookup,
    Scan,
)
from xinji.use.identity.doirp.service import Service
from xinji.use.identity.value_scan import choice_of, chosen_octets
from xinji.use.identity.wire import U32

MOST_ASKED = 16
"""Indexes and types that a question may name; longer ones gain little here."""


class Kind(NamedTuple):
    """Questions that are alike but for number, identifier and what they ask for.

    ``octets`` is the length of a whole message, ``identifier`` that of its identifier, ``front`` begins the answers.
    """

    octets: int
    identifier: int
    flags: int
    recursion: int
    front: bytes


class FilteredPath:
    """Answers such questions; ``keep``: whether the last one answered asks to keep the connection."""

    __slots__ = ("_kinds", "_primary", "_public", "_serial", "_whole", "keep")

    def __init__(self, service: Service) -> None:
        self._public: Lookup = service.reader.body
        self._whole: Lookup = service.reader.open_body
        self._primary = service.primary
        self._serial = service.serial
        self._kinds: dict[tuple[bytes, bytes], Kind | None] = {}
        self.keep = False

    def scan(self, buffer: bytes, at: int, most: int) -> Scan:
        """Answer up to ``most`` such questions in ``buffer`` from ``at`` on; stop at the first other message."""
        pieces: list[bytes] = []
        answers = 0
        while answers < most:
            known = buffer[at : at + FRONT_AT], buffer[at + REST_AT : at + IDENTIFIER_AT]
            kind = self._kinds[known] if known in self._kinds else self._learn(*known)
            if kind is None or at + kind.octets > len(buffer):
                break
            identifier = buffer[at + IDENTIFIER_AT : at + IDENTIFIER_AT + kind.identifier]
            values = self._values(kind, identifier, buffer[at + IDENTIFIER_AT + kind.identifier : at + kind.octets])
            if not values:
                break
            head = self._head(kind, len(values))
            pieces += (kind.front, buffer[at + FRONT_AT : at + REST_AT], head, identifier, values, NO_CREDENTIAL)
            at += kind.octets
            answers += 1
            self.keep = bool(kind.flags & OpFlag.KC)
        return Scan(at, answers, pieces)

    def _learn(self, front: bytes, rest: bytes) -> Kind | None:
        """Return the kind of messages that begin with ``front`` and ``rest``; None if they are no such questions."""
        if len(front) + len(rest) < FRONT_AT + REST.size:
            return None
        sequence, length, op, response, flags, _, recursion, expires, body, octets = REST.unpack(rest)
        harmless = op == OpCode.RESOLUTION and not (sequence or response or expires or flags & ~(IGNORED | KEPT))
        fits = length == HEADER_OCTETS + body + len(NO_CREDENTIAL) and body > octets + len(NOTHING_ASKED)
        # No compression, encryption or truncation, and no session.
        bare = front[0] in MAJORS and not front[2] & 0xE0 and front[4:] == NO_CREDENTIAL
        found = None
        if harmless and fits and bare and 0 < octets <= MOST_IDENTIFIER and length <= LONG_BODY:
            answer = front[:2] + bytes(VERSION) + front[4:]
            found = Kind(ENVELOPE_OCTETS + length, octets, int(flags), recursion, answer)
        if len(self._kinds) >= MOST_KNOWN:
            self._kinds.clear()
        self._kinds[front, rest] = found
        return found

    def _values(self, kind: Kind, identifier: bytes, asked: bytes) -> bytes:
        """Return count and octets of the values that are ``asked`` for; empty where it is not for us to answer."""
        try:
            indexes, types = _asked(asked)
        except (StructError, UnicodeDecodeError, ValueError):
            return b""
        # A private value counts where it is asked for by its index, or by those who do not ask for public ones only.
        lookup = self._public if kind.flags & OpFlag.PO and not indexes else self._whole
        body = lookup(identifier.upper())
        if body is None:
            return b""
        values = chosen_octets(body, choice_of(types, indexes))
        return values if len(NO_CREDENTIAL) < len(values) <= LONG_BODY else b""

    def _head(self, kind: Kind, values: int) -> bytes:
        """Return what stands between number and identifier of an answer with ``values`` octets of values."""
        body = LENGTH_OCTETS + kind.identifier + values
        flags = kind.flags & KEPT | (OpFlag.AT if self._primary else 0)
        length = HEADER_OCTETS + body + len(NO_CREDENTIAL)
        code = ResponseCode.SUCCESS
        return REST.pack(
            0, length, OpCode.RESOLUTION, code, flags, self._serial, kind.recursion, 0, body, kind.identifier
        )


def _asked(octets: bytes) -> tuple[frozenset[int], tuple[str, ...]]:
    """Return the indexes and types in ``octets``, which end in an empty credential.

    Raises struct's error, UnicodeDecodeError or ValueError where they hold something else.
    """
    (count,) = U32.unpack_from(octets)
    at = LENGTH_OCTETS * (1 + min(count, MOST_ASKED))
    indexes = frozenset(number for (number,) in U32.iter_unpack(octets[LENGTH_OCTETS:at]))
    (kinds,) = U32.unpack_from(octets, at)
    at += LENGTH_OCTETS
    types = []
    for _ in range(min(kinds, MOST_ASKED)):
        end = at + LENGTH_OCTETS + U32.unpack_from(octets, at)[0]
        types.append(octets[at + LENGTH_OCTETS : end].decode())
        at = end
    if max(count, kinds) > MOST_ASKED or octets[at:] != NO_CREDENTIAL:
        message = "this is no short question"
        raise ValueError(message)
    return indexes, tuple(types)
