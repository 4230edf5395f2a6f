"""The fast path for names that are not registered: plain DO-IRP resolutions under the node's own prefixes.

Whatever else could be the answer (a referral, another node's name, a malformed one) is left to ``Service``, which gives
the same octets for the rest.
"""

from __future__ import annotations

import re

from xinji.use.identity.doirp.codes import HEADER_OCTETS, OpCode, OpFlag, ResponseCode
from xinji.use.identity.doirp.fast import (
    FRONT_AT,
    IDENTIFIER_AT,
    KEPT,
    NO_CREDENTIAL,
    NOTHING_ASKED,
    REST,
    REST_AT,
    FastPath,
    Kind,
    Scan,
)
from xinji.use.identity.doirp.service import Service
from xinji.use.identity.errors import IdentifierError
from xinji.use.identity.names import MAX_HANDLE_OCTETS, PREFIX_OF_PREFIXES, check_handle, fold
from xinji.use.identity.node import Node

EMPTY_OCTETS = HEADER_OCTETS + len(NO_CREDENTIAL)
"""Length of an answer without a body, behind its envelope [octets]."""

SUFFIX = re.compile(rb"[^\x00-\x1f\x7f]+").fullmatch
"""Matches what may stand behind the slash of a handle, its length and being UTF-8 left aside."""


class AbsentPath:
    """Answers plain requests that ``fast`` passed over, as their names are not there; ``keep`` as `FastPath` has it."""

    __slots__ = ("_fast", "_lookup", "_primary", "_serial", "_served", "keep")

    def __init__(self, fast: FastPath, service: Service) -> None:
        self._fast = fast
        self._lookup = service.reader.body
        self._primary = service.primary
        self._serial = service.serial
        self._served = served(service.node)
        self.keep = False

    def scan(self, buffer: bytes, at: int, most: int) -> Scan:
        """Answer up to ``most`` requests for absent names in ``buffer`` from ``at`` on; stop at the first other."""
        pieces: list[bytes] = []
        answers = 0
        while answers < most:
            rest = buffer[at + REST_AT : at + IDENTIFIER_AT]
            kind = self._fast.kinds.get((buffer[at : at + FRONT_AT], rest))
            if kind is None or at + kind.octets > len(buffer):
                break
            if not self._absent(buffer[at + IDENTIFIER_AT : at + kind.octets]):
                break
            pieces += (kind.front, buffer[at + FRONT_AT : at + REST_AT], self._head(kind))
            at += kind.octets
            answers += 1
            self.keep = bool(kind.flags & OpFlag.KC)
        return Scan(at, answers, pieces)

    def _absent(self, asked: bytes) -> bool:
        """Whether ``asked``, what stands behind a header, asks for all of a name that is not there and should be."""
        identifier = asked[: -len(NOTHING_ASKED)]
        key = identifier.upper()
        prefix, _, suffix = key.partition(b"/")
        # The rules of `names.check_handle` for what stands under a prefix that keeps to them.
        if asked[len(identifier) :] != NOTHING_ASKED or prefix not in self._served or not SUFFIX(suffix):
            return False
        if len(identifier) > MAX_HANDLE_OCTETS or self._lookup(key) is not None:
            return False
        return identifier.isascii() or _is_text(identifier)

    def _head(self, kind: Kind) -> bytes:
        """Return what follows the number in an answer to a request of ``kind``: RFC 3652, section 3.2.3."""
        flags = kind.flags & KEPT | (OpFlag.AT if self._primary else 0)
        code = ResponseCode.ID_NOT_FOUND
        # The last field is the length of the credential: there is no body in between.
        return REST.pack(0, EMPTY_OCTETS, OpCode.RESOLUTION, code, flags, self._serial, kind.recursion, 0, 0, 0)


def _is_text(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


def served(node: Node) -> frozenset[bytes]:
    """Return the prefixes right under which a name that ``node`` does not hold is nowhere."""
    return frozenset(fold(prefix) for prefix in node.settings.prefixes if _is_prefix(prefix))


def _is_prefix(prefix: str) -> bool:
    try:
        check_handle(f"{prefix}/x")
    except IdentifierError:
        return False
    return "/" not in prefix and fold(prefix) != fold(PREFIX_OF_PREFIXES)
