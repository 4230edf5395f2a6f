"""A message: envelope, header, body and credential (RFC 3652, section 2.2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from hashlib import new as new_digest

from xinji.use.identity.doirp.codes import ENVELOPE_OCTETS, HEADER_OCTETS, VERSION, Digest, EnvelopeFlag
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.wire import Cursor, string, u16, u32

ENVELOPE = struct.Struct(">BBBBIIII")
HEADER = struct.Struct(">IIIHBxII")

NO_FLAGS = EnvelopeFlag(0)

SUGGESTED_MAJOR = 0x1F
"""The low five bits of an envelope's third octet (DO-IRP v3.0)."""

SIGNS_ENVELOPE, SIGNS_SUGGESTED = (2, 7), (2, 8)
"""Versions since which a signature covers fields of the envelope, and the suggested version too (Handle.Net 9)."""

REMEDY = "See RFC 3652, section 2.2, and DO-IRP v3.0, for the layout."


def malformed(place: str, message: str) -> IdentifierError:
    """Return the protocol error for ``message`` at ``place``."""
    return refuse(Code.PROTOCOL_ERROR, f"DO-IRP {place}", message, REMEDY)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What carries a message, or a part of one (RFC 3652, section 2.2.1).

    ``version`` and ``suggested`` (the highest version of the sender) are (major, minor); ``length``
    counts the octets of the whole message behind its envelope, in every part of it.
    """

    request: int
    session: int = 0
    sequence: int = 0
    length: int = 0
    flags: EnvelopeFlag = NO_FLAGS
    version: tuple[int, int] = VERSION
    suggested: tuple[int, int] = VERSION

    def encode(self) -> bytes:
        """Return the 20 octets."""
        major, minor = self.suggested
        third = self.flags | (major & SUGGESTED_MAJOR)
        return ENVELOPE.pack(*self.version, third, minor, self.session, self.request, self.sequence, self.length)


def decode_envelope(octets: bytes) -> Envelope:
    """Return the envelope that ``octets`` begin with; raises IdentifierError if they are fewer than 20."""
    if len(octets) < ENVELOPE_OCTETS:
        raise malformed("envelope", f"{len(octets)} octets, expected {ENVELOPE_OCTETS}")
    major, minor, third, fourth, session, request, sequence, length = ENVELOPE.unpack_from(octets)
    return Envelope(
        request,
        session=session,
        sequence=sequence,
        length=length,
        flags=EnvelopeFlag(third & ~SUGGESTED_MAJOR & 0xFF),
        version=(major, minor),
        suggested=(third & SUGGESTED_MAJOR, fourth),
    )


@dataclass(frozen=True, slots=True)
class Header:
    """What every operation has in common (RFC 3652, section 2.2.2).

    Numbers stay numbers, so that unknown ones survive; ``flags`` holds bits of ``OpFlag``.
    ``expires_s`` counts seconds since 1970; 0 means never.
    """

    op: int
    response: int = 0
    flags: int = 0
    site_serial: int = 0
    recursion: int = 0
    expires_s: int = 0

    def encode(self, body_octets: int) -> bytes:
        """Return the 24 octets in front of a body of ``body_octets``."""
        return HEADER.pack(
            self.op, self.response, self.flags, self.site_serial, self.recursion, self.expires_s, body_octets
        )


def decode_header(octets: bytes, at: int = 0) -> tuple[Header, int]:
    """Return the header at ``at`` and the length of its body [octets]; raises IdentifierError if cut short."""
    if len(octets) - at < HEADER_OCTETS:
        raise malformed("header", f"{max(len(octets) - at, 0)} octets, expected {HEADER_OCTETS}")
    *fields, body_octets = HEADER.unpack_from(octets, at)
    return Header(*fields), body_octets


@dataclass(frozen=True, slots=True)
class Credential:
    """A signature or code over a message (RFC 3652, section 2.2.4).

    ``handle`` and ``index`` name the signer's key; with an empty handle ``index`` is the counter of the
    session (DO-IRP v3.0). ``digest`` is the name of the algorithm, such as "SHA-256".
    """

    kind: str
    digest: str
    signature: bytes
    handle: str = ""
    index: int = 0
    options: int = 0

    def encode(self) -> bytes:
        """Return the credential with its length in front."""
        signed = string(self.digest) + string(self.signature)
        body = b"\0\0" + u16(self.options) + string(self.handle) + u32(self.index) + string(self.kind)
        return string(body + u32(len(signed)) + signed)


def decode_credential(octets: bytes) -> Credential | None:
    """Return the credential in ``octets``, its length in front; None if it is empty or left out."""
    if not octets:
        return None
    outer = Cursor(octets)
    inner = Cursor(outer.string())
    outer.done()
    if octets == b"\0\0\0\0":
        return None
    version, _ = inner.u8(), inner.u8()
    if version:
        raise malformed("credential", f"version {version}, expected 0")
    options, handle, index, kind = inner.u16(), inner.text(), inner.u32(), inner.text()
    signed = Cursor(inner.string())
    inner.done()
    digest, signature = signed.text(), signed.string()
    signed.done()
    return Credential(kind, digest, signature, handle, index, options)


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message; ``body`` in octets, see ``bodies`` for what stands in it."""

    envelope: Envelope
    header: Header
    body: bytes = field(default=b"", repr=False)
    credential: Credential | None = None

    @property
    def content(self) -> bytes:
        """Header and body: what digests and signatures are made of."""
        return self.header.encode(len(self.body)) + self.body

    def encode(self) -> bytes:
        """Return all octets; the length in the envelope is set to what it is."""
        tail = self.content + (u32(0) if self.credential is None else self.credential.encode())
        return replace(self.envelope, length=len(tail)).encode() + tail


def decode_message(octets: bytes) -> Message:
    """Return the message in ``octets``, which must be whole; raises IdentifierError."""
    envelope = decode_envelope(octets)
    if envelope.flags:
        raise malformed("envelope", "the message is compressed, encrypted or a part of one")
    if len(octets) - ENVELOPE_OCTETS != envelope.length:
        found = len(octets) - ENVELOPE_OCTETS
        raise malformed("envelope", f"{envelope.length} octets are announced, {found} follow")
    header, body_octets = decode_header(octets, ENVELOPE_OCTETS)
    start = ENVELOPE_OCTETS + HEADER_OCTETS
    if body_octets > len(octets) - start:
        raise malformed("header", f"a body of {body_octets} octets is announced, {len(octets) - start} follow")
    end = start + body_octets
    return Message(envelope, header, octets[start:end], decode_credential(octets[end:]))


def request_digest(octets: bytes, algorithm: Digest) -> bytes:
    """Return the digest over header and body of the request in ``octets`` (RFC 3652, section 2.2.3)."""
    _, body_octets = decode_header(octets, ENVELOPE_OCTETS)
    content = octets[ENVELOPE_OCTETS : ENVELOPE_OCTETS + HEADER_OCTETS + body_octets]
    return new_digest(algorithm.meaning, content, usedforsecurity=False).digest()


def signed_octets(message: Message, counter: int = 0) -> bytes:
    """Return what a credential of ``message`` signs.

    RFC 3652, section 2.2.4, signs header and body. Since version 2.7 version, session, request and
    ``counter`` stand in front, since 2.8 the suggested version too, which keeps an answer from being
    passed off as that to another request (Handle.Net 9; DO-IRP v3.0).
    """
    envelope = message.envelope
    front = b""
    if envelope.version >= SIGNS_ENVELOPE:
        suggested = envelope.suggested if envelope.version >= SIGNS_SUGGESTED else ()
        front = bytes((*envelope.version, *suggested))
        front += u32(envelope.session) + u32(envelope.request) + u32(counter)
    return front + message.content
