"""The fast path: plain resolutions straight from the receive buffer to the answer.

A request is plain if its envelope and header have been seen before and found harmless, it asks for all
values and has no credential. Requests that follow one another on a connection mostly differ in their
number and identifier alone, so that one look-up stands for all checks of a whole run, and ``struct`` takes
the run apart. Everything else takes the slow path through ``Service``, which gives the same octets.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from xinji.use.identity.doirp.codes import ENVELOPE_OCTETS, HEADER_OCTETS, MAJORS, VERSION, OpCode, OpFlag, ResponseCode

Lookup = Callable[[bytes], bytes | None]
"""Gives the encoded values of the record with a key; None where the fast path cannot answer."""

REST = struct.Struct(">IIIIIHBxIII")
"""Sequence number, message length, op code, response code, flags, serial, recursions, expiry, body length, and
the length of the identifier: octets 12 to 48 of a request."""

FRONT_AT, REST_AT, IDENTIFIER_AT = 8, 12, 48
"""Octets before the request's number, before ``REST``, and before the identifier."""

NOTHING_ASKED = bytes(12)
"""Behind the identifier: no indexes, no types, no credential."""

FRAME_OCTETS = IDENTIFIER_AT + len(NOTHING_ASKED)
"""Length of a plain request without its identifier [octets]."""

NO_CREDENTIAL = bytes(4)

LENGTH_OCTETS = 4
"""Length of the length of a string [octets]."""

IGNORED = OpFlag.AT | OpFlag.REC | OpFlag.CA | OpFlag.DNR | OpFlag.OWE | OpFlag.MNS
"""Flags that change nothing in the answer to a query for what is here."""

KEPT = OpFlag.KC | OpFlag.PO
"""Flags of a request that its answer keeps."""

MOST_IDENTIFIER = 511
"""Longest identifier that a store can have [octets]."""

MOST_KNOWN = 1_024
"""How many kinds of requests are remembered; made-up ones would otherwise take memory."""

MOST_HEADS = 4_096
"""How many answer lengths are remembered with each kind of request."""

NO_VALUES = 4
"""Length of an empty list of values [octets]."""

LONG_BODY = 4_096
"""Longer answers are left to the slow path, which minds how much is under way [octets]."""

MOST_AT_ONCE = 256
"""How many requests are answered before anything is sent."""

PIECES = 5
"""Pieces of each answer: number, head, identifier, values, and what parts it from the next."""


class Scan(NamedTuple):
    """What a scan came to: where the first message begins that was not answered, answers, and their pieces."""

    at: int
    answers: int
    pieces: list[bytes]


@dataclass(slots=True)
class Kind:
    """Requests that are alike but for number and identifier.

    ``frame`` takes one apart: front, number, rest, identifier, end. ``front`` begins the answers. ``heads``
    hold what stands between number and identifier of an answer by the length of its values.
    """

    octets: int
    flags: int
    recursion: int
    frame: struct.Struct
    front: bytes
    lookup: Lookup
    heads: dict[int, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class FastPath:
    """Answers plain requests.

    ``public`` gives the encoded public values of a record with a key, ``whole`` those of a record that has
    no others, and both None for any other record. ``fold`` makes the key of an identifier. ``primary`` and
    ``serial`` go into the answers. ``keep``: whether the last request answered asks to keep the connection.
    """

    public: Lookup
    whole: Lookup
    fold: Callable[[bytes], bytes] = bytes.upper
    primary: bool = True
    serial: int = 1
    keep: bool = False
    kinds: dict[tuple[bytes, bytes], Kind] = field(default_factory=dict)

    def scan(self, buffer: bytes, at: int, most: int = MOST_AT_ONCE) -> Scan:
        """Answer up to ``most`` plain requests in ``buffer`` from ``at`` on; stop at the first other message."""
        last = len(buffer) - FRAME_OCTETS
        pieces: list[bytes] = []
        answers = 0
        while at <= last and answers < most:
            front, rest = buffer[at : at + FRONT_AT], buffer[at + REST_AT : at + IDENTIFIER_AT]
            kind = self.kinds.get((front, rest)) or self._learn(front, rest)
            if kind is None:
                break
            run = min((len(buffer) - at) // kind.octets, most - answers)
            found = self._answer(kind, buffer[at : at + run * kind.octets], (front, rest), pieces)
            if not found:
                break
            answers += found
            at += found * kind.octets
            self.keep = bool(kind.flags & OpFlag.KC)
        return Scan(at, answers, pieces)

    def _answer(self, kind: Kind, run: bytes, known: tuple[bytes, bytes], pieces: list[bytes]) -> int:
        """Answer the requests in ``run`` as long as they are of ``kind``, whose front and rest are ``known``."""
        front, rest = known
        lookup, fold, heads, begin = kind.lookup, self.fold, kind.heads, NO_CREDENTIAL + kind.front
        before = len(pieces)
        pieces.append(kind.front)
        for own, number, other, identifier, end in kind.frame.iter_unpack(run):
            if own != front or other != rest or end != NOTHING_ASKED:
                break
            body = lookup(fold(identifier))
            if body is None:
                break
            head = heads.get(len(body)) or self._head(kind, len(body))
            if not head:
                break
            pieces += (number, head, identifier, body, begin)
        answers = (len(pieces) - before) // PIECES
        if answers:
            pieces[-1] = NO_CREDENTIAL
        else:
            pieces.pop()
        return answers

    def _learn(self, front: bytes, rest: bytes) -> Kind | None:
        """Return the kind of requests that begin with ``front`` and ``rest``; None if they are not plain."""
        sequence, length, op, response, flags, _, recursion, expires, body, octets = REST.unpack(rest)
        harmless = op == OpCode.RESOLUTION and not (sequence or response or expires or flags & ~(IGNORED | KEPT))
        fits = length == HEADER_OCTETS + body + len(NO_CREDENTIAL) and body == octets + len(NOTHING_ASKED)
        # No compression, encryption or truncation, and no session.
        bare = front[0] in MAJORS and not front[2] & 0xE0 and front[4:] == NO_CREDENTIAL
        if not harmless or not fits or not bare or not 0 < octets <= MOST_IDENTIFIER:
            return None
        if len(self.kinds) >= MOST_KNOWN:
            self.kinds.clear()
        frame = struct.Struct(f">{FRONT_AT}s4s{REST.size}s{octets}s{len(NOTHING_ASKED)}s")
        lookup = self.public if flags & OpFlag.PO else self.whole
        answer = front[:2] + bytes(VERSION) + front[4:]
        kind = self.kinds[front, rest] = Kind(ENVELOPE_OCTETS + length, flags, recursion, frame, answer, lookup)
        return kind

    def _head(self, kind: Kind, values: int) -> bytes:
        """Return what stands between number and identifier of an answer with ``values`` octets of values."""
        if not NO_VALUES < values <= LONG_BODY:
            return b""
        if len(kind.heads) >= MOST_HEADS:
            kind.heads.clear()
        identifier = kind.octets - FRAME_OCTETS
        body = LENGTH_OCTETS + identifier + values
        flags = kind.flags & KEPT | (OpFlag.AT if self.primary else 0)
        length = HEADER_OCTETS + body + len(NO_CREDENTIAL)
        op, success = OpCode.RESOLUTION, ResponseCode.SUCCESS
        head = REST.pack(0, length, op, success, flags, self.serial, kind.recursion, 0, body, identifier)
        kind.heads[values] = head
        return head
