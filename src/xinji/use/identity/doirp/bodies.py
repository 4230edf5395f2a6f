"""What stands in the body of each message, by operation and response (RFC 3652, section 3).

Every kind of body has ``encode`` and ``decode``; ``decode_body`` finds the kind. Handles and types are
text: the protocol says UTF-8, and octets that are not are refused.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from xinji.use.identity.doirp.codes import Digest, OpCode, OpFlag, ResponseCode
from xinji.use.identity.doirp.message import Header, malformed
from xinji.use.identity.record import Value, decode_values, encode_values
from xinji.use.identity.wire import Cursor, string, u16, u32

DIGEST_OCTETS = {Digest.MD5: 16, Digest.SHA1: 20, Digest.SHA256: 32}
"""Length of each digest [octets]."""


def numbers(values: tuple[int, ...]) -> bytes:
    """Return a list of four-octet numbers behind its length."""
    return struct.pack(f">{len(values) + 1}I", len(values), *values)


def read_numbers(cursor: Cursor) -> tuple[int, ...]:
    """Return a list of four-octet numbers behind its length."""
    count = cursor.count(4)
    return struct.unpack(f">{count}I", cursor.raw(4 * count))


def texts(values: tuple[str, ...]) -> bytes:
    """Return a list of strings behind its length."""
    return u32(len(values)) + b"".join(string(value) for value in values)


def read_texts(cursor: Cursor) -> tuple[str, ...]:
    """Return a list of strings behind its length."""
    return tuple(cursor.text() for _ in range(cursor.count(4)))


def left(cursor: Cursor) -> int:
    """Return how many octets are not read yet."""
    return cursor.end - cursor.offset


class Body(Protocol):
    """What all kinds of bodies can do."""

    def encode(self) -> bytes:
        """Return the octets."""

    @classmethod
    def decode(cls, cursor: Cursor) -> Self:
        """Return the body at ``cursor``; raises IdentifierError."""


@dataclass(frozen=True, slots=True)
class RequestDigest:
    """Digest of the request, in front of an answer's body where RD is set (RFC 3652, section 2.2.3)."""

    algorithm: Digest
    digest: bytes

    def encode(self) -> bytes:
        """Return the octets."""
        return bytes((self.algorithm,)) + self.digest

    @classmethod
    def decode(cls, cursor: Cursor) -> RequestDigest:
        """Return the digest at ``cursor``; raises IdentifierError if its algorithm is unknown."""
        number = cursor.u8()
        if number not in DIGEST_OCTETS:
            raise malformed("request digest", f"algorithm {number} is unknown")
        algorithm = Digest(number)
        return cls(algorithm, cursor.raw(DIGEST_OCTETS[algorithm]))


@dataclass(frozen=True, slots=True)
class Raw:
    """A body of a kind that is not known here, or an empty one."""

    octets: bytes = b""

    def encode(self) -> bytes:
        """Return the octets."""
        return self.octets

    @classmethod
    def decode(cls, cursor: Cursor) -> Raw:
        """Return all that is left."""
        return cls(cursor.raw(left(cursor)))


@dataclass(frozen=True, slots=True)
class Query:
    """Request to resolve (RFC 3652, section 3.2.1); empty ``indexes`` and ``types`` ask for everything."""

    handle: str
    indexes: tuple[int, ...] = ()
    types: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """Return the octets."""
        return string(self.handle) + numbers(self.indexes) + texts(self.types)

    @classmethod
    def decode(cls, cursor: Cursor) -> Query:
        """Return the query at ``cursor``."""
        return cls(cursor.text(), read_numbers(cursor), read_texts(cursor))


@dataclass(frozen=True, slots=True)
class Elements:
    """Values of a handle: answer to a query, request to create, add or modify (sections 3.2.2, 3.6)."""

    handle: str
    values: tuple[Value, ...] = ()

    def encode(self) -> bytes:
        """Return the octets."""
        return string(self.handle) + encode_values(self.values)

    @classmethod
    def decode(cls, cursor: Cursor) -> Elements:
        """Return the values at ``cursor``."""
        return cls(cursor.text(), decode_values(cursor))


@dataclass(frozen=True, slots=True)
class Removal:
    """Request to remove the values at ``indexes`` (RFC 3652, section 3.6.2)."""

    handle: str
    indexes: tuple[int, ...]

    def encode(self) -> bytes:
        """Return the octets."""
        return string(self.handle) + numbers(self.indexes)

    @classmethod
    def decode(cls, cursor: Cursor) -> Removal:
        """Return the request at ``cursor``."""
        return cls(cursor.text(), read_numbers(cursor))


@dataclass(frozen=True, slots=True)
class Named:
    """One handle: requests to delete, list, home and unhome, and the answer to create (sections 3.6.5, 3.7)."""

    handle: str

    def encode(self) -> bytes:
        """Return the octets."""
        return string(self.handle)

    @classmethod
    def decode(cls, cursor: Cursor) -> Named:
        """Return the handle at ``cursor``."""
        return cls(cursor.text())


@dataclass(frozen=True, slots=True)
class Names:
    """Handles or prefixes that were listed (RFC 3652, section 3.7)."""

    handles: tuple[str, ...]

    def encode(self) -> bytes:
        """Return the octets."""
        return texts(self.handles)

    @classmethod
    def decode(cls, cursor: Cursor) -> Names:
        """Return the list at ``cursor``."""
        return cls(read_texts(cursor))


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request failed and which values are to blame (RFC 3652, section 3.3); may be empty altogether."""

    text: str = ""
    indexes: tuple[int, ...] = ()

    def encode(self) -> bytes:
        """Return the octets."""
        if not self.text and not self.indexes:
            return b""
        return string(self.text) + (numbers(self.indexes) if self.indexes else b"")

    @classmethod
    def decode(cls, cursor: Cursor) -> Failure:
        """Return the failure at ``cursor``."""
        text = cursor.text() if left(cursor) else ""
        return cls(text, read_numbers(cursor) if left(cursor) else ())


@dataclass(frozen=True, slots=True)
class Referral:
    """Who is responsible instead (RFC 3652, section 3.4): a handle to ask, or HS_SITE values."""

    handle: str = ""
    values: tuple[Value, ...] = ()

    def encode(self) -> bytes:
        """Return the octets."""
        return string(self.handle) + (encode_values(self.values) if self.values or not self.handle else b"")

    @classmethod
    def decode(cls, cursor: Cursor) -> Referral:
        """Return the referral at ``cursor``."""
        handle = cursor.text()
        return cls(handle, decode_values(cursor) if left(cursor) else ())


@dataclass(frozen=True, slots=True)
class Challenge:
    """A nonce to be signed together with the request's digest (RFC 3652, section 3.5.1)."""

    nonce: bytes

    def encode(self) -> bytes:
        """Return the octets."""
        return string(self.nonce)

    @classmethod
    def decode(cls, cursor: Cursor) -> Challenge:
        """Return the challenge at ``cursor``."""
        return cls(cursor.string())


@dataclass(frozen=True, slots=True)
class ChallengeAnswer:
    """Proof that the client holds the key at ``handle``, ``index`` (RFC 3652, section 3.5.2)."""

    kind: str
    handle: str
    index: int
    proof: bytes

    def encode(self) -> bytes:
        """Return the octets."""
        return string(self.kind) + string(self.handle) + u32(self.index) + string(self.proof)

    @classmethod
    def decode(cls, cursor: Cursor) -> ChallengeAnswer:
        """Return the answer at ``cursor``."""
        return cls(cursor.text(), cursor.text(), cursor.u32(), cursor.string())


@dataclass(frozen=True, slots=True)
class Verification:
    """Request to verify a proof made with a secret key held here (RFC 3652, section 3.5.3).

    The challenge stands as nonce and digest behind their lengths (DO-IRP v3.0).
    """

    handle: str
    index: int
    nonce: bytes
    digest: bytes
    proof: bytes

    def encode(self) -> bytes:
        """Return the octets."""
        challenge = string(self.nonce) + string(self.digest)
        return string(self.handle) + u32(self.index) + challenge + string(self.proof)

    @classmethod
    def decode(cls, cursor: Cursor) -> Verification:
        """Return the request at ``cursor``."""
        return cls(cursor.text(), cursor.u32(), cursor.string(), cursor.string(), cursor.string())


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether a proof matches its challenge (RFC 3652, section 3.5.4)."""

    match: bool

    def encode(self) -> bytes:
        """Return the octets."""
        return bytes((self.match,))

    @classmethod
    def decode(cls, cursor: Cursor) -> Verified:
        """Return the answer at ``cursor``."""
        octet = cursor.u8()
        if octet > 1:
            raise malformed("verification", f"the result is {octet}, expected 0 or 1")
        return cls(bool(octet))


@dataclass(frozen=True, slots=True)
class SessionSetup:
    """Request for a session (DO-IRP v3.0); decoded to be refused in good form."""

    mode: int
    timeout_s: int
    handle: str
    index: int
    key: bytes

    def encode(self) -> bytes:
        """Return the octets."""
        return u16(self.mode) + u32(self.timeout_s) + string(self.handle) + u32(self.index) + string(self.key)

    @classmethod
    def decode(cls, cursor: Cursor) -> SessionSetup:
        """Return the request at ``cursor``."""
        return cls(cursor.u16(), cursor.u32(), cursor.text(), cursor.u32(), cursor.string())


@dataclass(frozen=True, slots=True)
class SessionKey:
    """Answer to the set-up of a session: the server's half of the key (DO-IRP v3.0)."""

    mode: int
    key: bytes

    def encode(self) -> bytes:
        """Return the octets."""
        return u16(self.mode) + string(self.key)

    @classmethod
    def decode(cls, cursor: Cursor) -> SessionKey:
        """Return the answer at ``cursor``."""
        return cls(cursor.u16(), cursor.string())


REQUESTS: Mapping[int, type[Body]] = {
    OpCode.RESOLUTION: Query,
    OpCode.GET_SITEINFO: Named,
    OpCode.CREATE_ID: Elements,
    OpCode.DELETE_ID: Named,
    OpCode.ADD_ELEMENT: Elements,
    OpCode.REMOVE_ELEMENT: Removal,
    OpCode.MODIFY_ELEMENT: Elements,
    OpCode.LIST_IDS: Named,
    OpCode.LIST_DERIVED_PREFIXES: Named,
    OpCode.CHALLENGE_RESPONSE: ChallengeAnswer,
    OpCode.VERIFY_RESPONSE: Verification,
    OpCode.HOME_PREFIX: Named,
    OpCode.UNHOME_PREFIX: Named,
    OpCode.LIST_HOMED_PREFIXES: Named,
    OpCode.SESSION_SETUP: SessionSetup,
}
"""Kind of body of each request."""

ANSWERS: Mapping[int, type[Body]] = {
    OpCode.RESOLUTION: Elements,
    OpCode.CREATE_ID: Named,
    OpCode.LIST_IDS: Names,
    OpCode.LIST_DERIVED_PREFIXES: Names,
    OpCode.LIST_HOMED_PREFIXES: Names,
    OpCode.VERIFY_RESPONSE: Verified,
    OpCode.SESSION_SETUP: SessionKey,
}
"""Kind of body of each answer with the response SUCCESS; the others are empty or, of GET_SITEINFO, a site."""

OUTCOMES: Mapping[int, type[Body]] = {
    ResponseCode.SERVICE_REFERRAL: Referral,
    ResponseCode.PREFIX_REFERRAL: Referral,
    ResponseCode.AUTHEN_NEEDED: Challenge,
}
"""Kind of body of answers whose response alone decides."""


def kind_of(header: Header, octets: int) -> type[Body]:
    """Return the kind of a body of ``octets`` behind ``header``; ``Raw`` for kinds not known here."""
    if header.response == ResponseCode.RESERVED:
        return REQUESTS.get(header.op, Raw)
    if header.response == ResponseCode.SUCCESS:
        # RFC 3652, section 3.6.4, leaves the answer to a creation empty; DO-IRP v3.0 names the handle.
        return ANSWERS.get(header.op, Raw) if octets else Raw
    return OUTCOMES.get(header.response, Failure)


def decode_body(header: Header, octets: bytes) -> tuple[RequestDigest | None, Body]:
    """Return the digest of the request, if it is there, and the body; raises IdentifierError."""
    cursor = Cursor(octets)
    answers = header.response != ResponseCode.RESERVED and header.flags & OpFlag.RD
    digest = RequestDigest.decode(cursor) if answers else None
    body = kind_of(header, left(cursor)).decode(cursor)
    cursor.done()
    return digest, body


def encode_body(body: Body, digest: RequestDigest | None = None) -> bytes:
    """Return the octets of ``body``, behind ``digest`` where there is one."""
    return body.encode() if digest is None else digest.encode() + body.encode()
