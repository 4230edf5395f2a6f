"""Handles: their parts, their spelling, and other names that stand for one.

A handle is ``prefix/suffix``; a prefix is a path of segments ("88.123.1"), each derived from the one
before it. Letters of ASCII are equal in either case in the whole handle, as Handle.Net serves them by
default; other characters are compared as they are in UTF-8.

Source: RFC 3650 section 2 and RFC 3651 section 2; GS1 General Specifications section 7.9 (check digits).
"""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from xinji.use.identity import ecode, oid
from xinji.use.identity.errors import Code, IdentifierError, refuse

MAX_HANDLE_OCTETS = 255
"""Longest handle; the store's keys are at most 511 octets."""

PREFIX_OF_PREFIXES = "0.NA"
"""Prefix under which the record of each prefix lies."""

GS1_PREFIX = "GS1"
"""Prefix under which GS1 keys lie: GS1/<application identifier>/<key>."""

CHECKED_GS1_KEYS = {
    "00": (18, 18),
    "01": (14, 14),
    "253": (14, 30),
    "255": (14, 25),
    "402": (17, 17),
    "414": (13, 13),
    "417": (13, 13),
    "8003": (14, 30),
    "8017": (18, 18),
    "8018": (18, 18),
}
"""GS1 keys with a check digit: fewest and most characters."""

CHECKED_LENGTHS = {"253": 13, "255": 13, "8003": 14}
"""Of those with a serial part: how many leading digits the check digit closes."""

PLAIN_GS1_KEYS = {"401": (4, 30), "8004": (4, 30), "8010": (4, 30), "8013": (4, 30)}

FORBIDDEN = frozenset(chr(code) for code in (*range(32), 127))


def fold(handle: str | bytes) -> bytes:
    """Return the key of ``handle`` in the store: UTF-8 with ASCII letters in upper case. Checks nothing."""
    return (handle.encode() if isinstance(handle, str) else handle).upper()


def prefix_of(handle: str) -> str:
    """Return the part of ``handle`` before the first slash, empty where there is none."""
    head, slash, _ = handle.partition("/")
    return head if slash else ""


def suffix_of(handle: str) -> str:
    """Return the part of ``handle`` after the first slash."""
    return handle.partition("/")[2]


def prefix_handle(prefix: str) -> str:
    """Return the handle of the record that describes ``prefix``: who administers it and which sites serve it."""
    return f"{PREFIX_OF_PREFIXES}/{prefix}"


def described_prefix(handle: str) -> str:
    """Return the prefix that the record ``handle`` describes, empty where it describes none."""
    head, _, tail = handle.partition("/")
    return tail if head.upper() == PREFIX_OF_PREFIXES else ""


def ancestors(prefix: str) -> tuple[str, ...]:
    """Return ``prefix`` and those that it derives from, longest first: 88.1.2, 88.1, 88."""
    parts = prefix.split(".")
    return tuple(".".join(parts[:count]) for count in range(len(parts), 0, -1))


def check_handle(handle: str) -> str:
    """Return ``handle`` if it may be registered; raises IdentifierError (INVALID_HANDLE) where not."""
    prefix, slash, suffix = handle.partition("/")
    # Half a surrogate pair has no octets in UTF-8, which would raise another error than ours.
    paired = not any("\ud800" <= letter <= "\udfff" for letter in handle)
    message = ""
    if not slash:
        message = "has no slash"
    elif not suffix:
        message = "has nothing after its slash"
    elif not all(prefix.split(".")):
        message = "has an empty segment in its prefix"
    elif not FORBIDDEN.isdisjoint(handle) or not paired or any(letter.isspace() for letter in prefix):
        message = "has a character that no handle may have"
    elif len(handle.encode()) > MAX_HANDLE_OCTETS:
        message = f"is longer than {MAX_HANDLE_OCTETS} octets"
    if message:
        shown = handle[:80].encode("unicode_escape").decode()
        remedy = "Write prefix/suffix, as 88.123.1/pump-7, without control characters."
        raise refuse(Code.INVALID_HANDLE, "handle", f"{shown!r} {message}", remedy)
    return handle


def gs1_check_digit(digits: str) -> str:
    """Return the check digit that closes ``digits``: weights 3, 1, 3, ... from the right, complement to ten.

    Source: GS1 General Specifications section 7.9.1. Raises IdentifierError where there are other characters.
    """
    if not digits.isdecimal() or not digits.isascii():
        raise _gs1(f"{digits[:40]!r} is not made of digits")
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def handle_of_gs1(identifier: str, key: str) -> str:
    """Return the handle of the GS1 key ``key`` of application identifier ``identifier`` ("01" for a GTIN).

    GTINs of 8, 12 and 13 digits are filled to 14. Raises IdentifierError where the length, a character
    or the check digit is wrong.
    """
    limits = CHECKED_GS1_KEYS.get(identifier) or PLAIN_GS1_KEYS.get(identifier)
    if limits is None:
        raise _gs1(f"application identifier {identifier[:8]!r} is no key's")
    if identifier == "01" and len(key) in (8, 12, 13):
        key = key.rjust(14, "0")
    if not limits[0] <= len(key) <= limits[1] or not key.isascii() or not key.isprintable():
        raise _gs1(f"key {key[:40]!r} of ({identifier}) is not {limits[0]} to {limits[1]} ASCII characters")
    if identifier in CHECKED_GS1_KEYS:
        length = CHECKED_LENGTHS.get(identifier, len(key))
        body, given = key[: length - 1], key[length - 1]
        if gs1_check_digit(body) != given:
            raise _gs1(f"the check digit of {key[:40]!r} is {given}, computed {gs1_check_digit(body)}")
    return check_handle(f"{GS1_PREFIX}/{identifier}/{key}")


def gs1_of_handle(handle: str) -> tuple[str, str]:
    """Return application identifier and key of a handle that ``handle_of_gs1`` made."""
    parts = handle.split("/", 2)
    if len(parts) != 3 or parts[0].upper() != GS1_PREFIX:
        raise _gs1(f"{handle[:80]!r} is not the handle of a GS1 key")
    return parts[1], parts[2]


def _gs1(message: str) -> IdentifierError:
    return refuse(Code.INVALID_HANDLE, "GS1 key", message, "Give a GS1 key, as (01) 09506000134352.")


def _path_of(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError as error:
        message, remedy = f"{address[:80]!r} is no address: {error}", "Give one, as https://hdl.handle.net/88.1/x."
        raise refuse(Code.INVALID_HANDLE, "handle", message, remedy) from None


def handle_of(name: str) -> str:
    """Return the handle that ``name`` stands for.

    A handle, hdl:..., a resolver's address (https://hdl.handle.net/...), urn:oid:..., ecode:..., or
    urn:gs1:<application identifier>:<key>. Raises IdentifierError where it stands for none.
    """
    scheme, colon, rest = name.partition(":")
    scheme = scheme.lower() if colon else ""
    if scheme == "hdl":
        return check_handle(unquote(rest.lstrip("/")))
    if scheme in ("http", "https"):
        return check_handle(unquote(_path_of(name).lstrip("/")))
    if scheme == "ecode":
        return ecode.handle_of_ecode(rest)
    kind, _, body = rest.partition(":")
    if scheme == "urn" and kind.lower() == "oid":
        return oid.handle_of_oid(body)
    if scheme == "urn" and kind.lower() == "gs1":
        identifier, _, key = body.partition(":")
        return handle_of_gs1(identifier, key)
    return check_handle(name)
