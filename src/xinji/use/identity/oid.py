"""Object identifiers as handles: 1.2.156.3088.7 is the handle OID/1.2.156.3088.7.

Source: ITU-T X.660 | ISO/IEC 9834-1 (arcs), ISO/IEC 29168-1 (resolution), RFC 3061 (urn:oid).
"""

from __future__ import annotations

import re

from xinji.use.identity.errors import Code, IdentifierError, refuse

OID_PREFIX = "OID"
"""Prefix under which object identifiers lie."""

MAX_ARC_DIGITS = 39
"""Longest arc: those under 2.25 are 128-bit numbers."""

MAX_LENGTH = 240

FORM = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+", re.ASCII)


def check_oid(name: str) -> str:
    """Return the object identifier ``name`` in digits and full stops; raises IdentifierError where it is none.

    The first arc is 0, 1 or 2; the second is below 40 under 0 and 1 (X.660 section 7.6).
    """
    if len(name) > MAX_LENGTH or FORM.fullmatch(name) is None:
        raise _wrong(f"{name[:60]!r} is not numbers joined by full stops, without leading zeros")
    arcs = name.split(".")
    if max(len(arc) for arc in arcs) > MAX_ARC_DIGITS:
        raise _wrong(f"{name[:60]!r} has an arc of more than {MAX_ARC_DIGITS} digits")
    if arcs[0] != "2" and (len(arcs[1]) > 2 or int(arcs[1]) >= 40):
        raise _wrong(f"the second arc of {name[:60]!r} is {arcs[1][:20]}, below 40 is allowed under {arcs[0]}")
    return name


def handle_of_oid(name: str) -> str:
    """Return the handle of an object identifier given as 1.2.156, urn:oid:1.2.156 or /1/2/156."""
    dotted = name.removeprefix("urn:oid:")
    if dotted.startswith("/"):
        dotted = dotted[1:].replace("/", ".")
    return f"{OID_PREFIX}/{check_oid(dotted)}"


def oid_of_handle(handle: str) -> str:
    """Return the object identifier of a handle that ``handle_of_oid`` made."""
    prefix, _, suffix = handle.partition("/")
    if prefix.upper() != OID_PREFIX:
        raise _wrong(f"{handle[:60]!r} is not the handle of an object identifier")
    return check_oid(suffix)


def urn_of_oid(name: str) -> str:
    """Return the URN of an object identifier (RFC 3061)."""
    return f"urn:oid:{check_oid(name)}"


def encode_oid(name: str) -> bytes:
    """Return the content octets of ``name`` in the basic encoding rules (X.690 section 8.19)."""
    arcs = [int(arc) for arc in check_oid(name).split(".")]
    octets = bytearray()
    for number in (arcs[0] * 40 + arcs[1], *arcs[2:]):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(0x80 | number & 0x7F)
        octets += bytes(reversed(groups))
    return bytes(octets)


def decode_oid(octets: bytes) -> str:
    """Read what ``encode_oid`` writes; raises IdentifierError where the octets are not an object identifier."""
    if not octets or octets[-1] & 0x80 or len(octets) > MAX_LENGTH:
        raise _wrong(f"{len(octets)} octets do not end an object identifier")
    numbers, number, fresh = [], 0, True
    for octet in octets:
        if fresh and octet == 0x80:
            raise _wrong("an arc starts with an empty group")
        number, fresh = number << 7 | octet & 0x7F, not octet & 0x80
        if fresh:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return check_oid(".".join(str(arc) for arc in (first, numbers[0] - 40 * first, *numbers[1:])))


def _wrong(message: str) -> IdentifierError:
    return refuse(Code.INVALID_HANDLE, "object identifier", message, "Give one as 1.2.156.3088.7.")
