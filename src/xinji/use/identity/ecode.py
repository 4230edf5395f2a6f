"""Ecode names as handles: version V, number system NSI and main code MD of GB/T 31866.

| V | NSI | MD at most | characters of MD |
|---|-----|------------|------------------|
| 0 | 8 bits | 244 bits | binary, written here in hexadecimal |
| 1 | 4 digits | 20 | digits |
| 2 | 4 digits | 28 | digits |
| 3 | 5 digits | 39 | digits and letters |
| 4 | 5 digits | any | Unicode |

Source: GB/T 31866-2015 section 5, table 1 (kept by GB/T 31866-2023 but for version 0, which it sets
aside for GS1 keys). The standard gives an Ecode no check character of its own: a check character, where
there is one, belongs to the number system that MD comes from.
"""

from __future__ import annotations

from typing import NamedTuple

from xinji.use.identity.errors import Code, IdentifierError, refuse

ECODE_PREFIX = "ECODE"
"""Prefix under which Ecodes lie: ECODE/<V><NSI>/<MD>."""

MAX_MD = 200
"""Longest main code of version 4 taken here; the standard sets no limit."""


class Ecode(NamedTuple):
    """One Ecode: version, number system, main code, as text."""

    version: str
    system: str
    code: str


class Form(NamedTuple):
    """What a version of Ecode is made of: length of NSI and most characters of MD."""

    system_length: int
    code_most: int
    kind: str


FORMS = {
    "0": Form(2, 61, "hexadecimal"),
    "1": Form(4, 20, "digits"),
    "2": Form(4, 28, "digits"),
    "3": Form(5, 39, "digits and letters"),
    "4": Form(5, MAX_MD, "printable"),
}
"""By version; for version 0 the 8 bits of NSI and 244 bits of MD in hexadecimal digits."""

HEXADECIMAL = frozenset("0123456789ABCDEFabcdef")


def parse_ecode(text: str) -> Ecode:
    """Read an Ecode written as V, NSI and MD without gaps; raises IdentifierError where it is none."""
    form = FORMS.get(text[:1])
    if form is None:
        raise _wrong(f"the version of {text[:40]!r} is not 0 to 4")
    end = 1 + form.system_length
    return check_ecode(Ecode(text[0], text[1:end], text[end:]))


def check_ecode(name: Ecode) -> Ecode:
    """Return ``name`` if each part has the length and characters of its version."""
    form = FORMS.get(name.version)
    if form is None:
        raise _wrong(f"the version is {name.version[:8]!r}, not 0 to 4")
    allowed = "hexadecimal" if name.version == "0" else "digits"
    if len(name.system) != form.system_length or not _made_of(name.system, allowed):
        raise _wrong(f"the number system {name.system[:20]!r} is not {form.system_length} {allowed}")
    if not 1 <= len(name.code) <= form.code_most or not _made_of(name.code, form.kind):
        raise _wrong(f"the main code {name.code[:60]!r} is not 1 to {form.code_most} characters ({form.kind})")
    return name


def _made_of(text: str, kind: str) -> bool:
    if kind == "digits":
        return text.isascii() and text.isdecimal()
    if kind == "hexadecimal":
        return HEXADECIMAL.issuperset(text)
    if kind == "digits and letters":
        return text.isascii() and text.isalnum()
    return text.isprintable()


def handle_of_ecode(text: str) -> str:
    """Return the handle of an Ecode written as V, NSI and MD without gaps."""
    name = parse_ecode(text)
    handle = f"{ECODE_PREFIX}/{name.version}{name.system}/{name.code}"
    if len(handle.encode()) > MAX_MD + 55:
        raise _wrong(f"the main code {name.code[:60]!r} takes more than a handle's octets")
    return handle


def ecode_of_handle(handle: str) -> Ecode:
    """Return the Ecode of a handle that ``handle_of_ecode`` made."""
    parts = handle.split("/", 2)
    if len(parts) != 3 or parts[0].upper() != ECODE_PREFIX:
        raise _wrong(f"{handle[:60]!r} is not the handle of an Ecode")
    return parse_ecode(parts[1] + parts[2])


def _wrong(message: str) -> IdentifierError:
    return refuse(Code.INVALID_HANDLE, "Ecode", message, "Give V, NSI and MD, as 1000012345678.")
