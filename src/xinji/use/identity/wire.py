"""Bounded reading and writing of the primitive fields of handle messages; all integers big-endian.

Source: RFC 3652 section 2.2.4 and DO-IRP specification v3.0: a string is a 4-octet length and its octets.
"""

from __future__ import annotations

from struct import Struct

from xinji.use.identity.errors import Code, IdentifierError, refuse

U16 = Struct(">H")
U32 = Struct(">I")


def u8(number: int) -> bytes:
    """Return ``number`` in one octet; raises IdentifierError (INVALID_VALUE) where it does not fit."""
    return _fit(number, 1)


def u16(number: int) -> bytes:
    """Return ``number`` in two octets; raises IdentifierError (INVALID_VALUE) where it does not fit."""
    return _fit(number, 2)


def u32(number: int) -> bytes:
    """Return ``number`` in four octets; raises IdentifierError (INVALID_VALUE) where it does not fit."""
    return _fit(number, 4)


def _fit(number: int, octets: int) -> bytes:
    if not 0 <= number < 1 << 8 * octets:
        remedy = f"Keep it within 0 and {(1 << 8 * octets) - 1}."
        raise refuse(Code.INVALID_VALUE, "number", f"{number} does not fit {octets} octets", remedy)
    return number.to_bytes(octets, "big")


def string(content: bytes | str) -> bytes:
    """Return a 4-octet length followed by ``content`` (text as UTF-8)."""
    octets = utf8(content) if isinstance(content, str) else content
    return U32.pack(len(octets)) + octets


def utf8(text: str) -> bytes:
    """Return ``text`` as UTF-8; raises IdentifierError (INVALID_VALUE) where half a surrogate pair has none."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        shown = text[:40].encode("unicode_escape").decode()
        remedy = "Give whole characters."
        raise refuse(Code.INVALID_VALUE, "text", f"{shown!r} cannot be written as UTF-8", remedy) from None


class Cursor:
    """Reads ``buffer[offset:end]`` field by field; no field reaches past ``end``, nothing is made beyond its size.

    Every method raises IdentifierError (``code``) where the octets end too early or say the impossible.
    """

    __slots__ = ("buffer", "code", "end", "offset")

    def __init__(
        self, buffer: bytes, offset: int = 0, end: int | None = None, *, code: Code = Code.PROTOCOL_ERROR
    ) -> None:
        self.buffer = buffer
        self.offset = offset
        self.end = len(buffer) if end is None else min(end, len(buffer))
        self.code = code

    def _take(self, size: int) -> int:
        start = self.offset
        if size > self.end - start:
            raise self.wrong(f"{size} octets are announced at octet {start}, {max(self.end - start, 0)} are left")
        self.offset = start + size
        return start

    def wrong(self, message: str) -> IdentifierError:
        """Return the error that says ``message`` of these octets."""
        return refuse(self.code, "message", message, "Send fields as the DO-IRP specification lays them out.")

    def u8(self) -> int:
        """Read one octet as a number."""
        return self.buffer[self._take(1)]

    def u16(self) -> int:
        """Read two octets as a number."""
        return int(U16.unpack_from(self.buffer, self._take(2))[0])

    def u32(self) -> int:
        """Read four octets as a number."""
        return int(U32.unpack_from(self.buffer, self._take(4))[0])

    def raw(self, size: int) -> bytes:
        """Read ``size`` octets."""
        start = self._take(size)
        return bytes(self.buffer[start : start + size])

    def string(self) -> bytes:
        """Read a 4-octet length and as many octets."""
        return self.raw(self.u32())

    def text(self) -> str:
        """Read a string that must be UTF-8."""
        octets = self.string()
        try:
            return octets.decode()
        except UnicodeDecodeError:
            raise self.wrong(f"{len(octets)} octets before octet {self.offset} are not UTF-8") from None

    def count(self, least: int) -> int:
        """Read how many items follow, each of at least ``least`` octets; refuse more than can be there."""
        number = self.u32()
        if number * least > self.end - self.offset:
            raise self.wrong(f"{number} items are announced, {self.end - self.offset} octets are left")
        return number

    def done(self) -> None:
        """Refuse octets that are left over."""
        if self.offset != self.end:
            raise self.wrong(f"{self.end - self.offset} octets are left over")
