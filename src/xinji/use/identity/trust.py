"""How far a requester is trusted, and what a certificate lets its holder vouch for; pure functions.

Source: the public guide of China's industrial-Internet identifiers (teleinfo-dev/id-guide, "trusted
resolution", and the scopes "public" and "named users" of its data authorisation).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from xinji.use.identity.names import PREFIX_OF_PREFIXES, fold, prefix_of


class Standing(IntEnum):
    """Four levels of trust in a requester.

    ANONYMOUS: nothing is known; sees public values.
    IDENTIFIED: says who it is without proof; sees public values, is counted under its name.
    AUTHENTICATED: has proved an identity (``index``:``handle``); sees public values.
    AUTHORISED: authenticated, and the record's administrators name it; sees private values as well and
    changes what they allow. It is always relative to one record, so no face hands it in.
    """

    ANONYMOUS = 0
    IDENTIFIED = 1
    AUTHENTICATED = 2
    AUTHORISED = 3


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks: standing and, above ANONYMOUS, the identity ``index``:``handle``."""

    standing: Standing = Standing.ANONYMOUS
    handle: str = ""
    index: int = 0


ANONYMOUS_REQUESTER = Requester()


class Power(StrEnum):
    """Four levels of what a certificate covers (``perms`` of HS_CERT), from the widest."""

    EVERYTHING = "everything"
    DERIVED_PREFIXES = "derivedPrefixes"
    HANDLES_UNDER_THIS_PREFIX = "handlesUnderThisPrefix"
    THIS_HANDLE = "thisHandle"


@dataclass(frozen=True, slots=True)
class Grant:
    """One entry of a certificate's ``perms``: its level and, below EVERYTHING, the handle that it is about.

    For the prefix levels ``handle`` is a prefix, written 88.111 or 0.NA/88.111.
    """

    power: Power
    handle: str = ""


def _prefix(grant: Grant) -> bytes:
    return fold(grant.handle).removeprefix(fold(PREFIX_OF_PREFIXES) + b"/")


def covers(grant: Grant, handle: str) -> bool:
    """Whether ``grant`` covers ``handle``.

    derivedPrefixes covers the records of prefixes derived from its own (0.NA/88.111.5 under 88.111) and what
    lies under those; handlesUnderThisPrefix what lies directly under it; thisHandle one handle.
    """
    key = fold(handle)
    under = fold(prefix_of(handle))
    if grant.power == Power.EVERYTHING:
        return True
    if grant.power == Power.THIS_HANDLE:
        return key == fold(grant.handle)
    if grant.power == Power.HANDLES_UNDER_THIS_PREFIX:
        return under == _prefix(grant)
    stem = _prefix(grant) + b"."
    described = key.removeprefix(fold(PREFIX_OF_PREFIXES) + b"/")
    return under.startswith(stem) or (described != key and described.startswith(stem))


def implied(grant: Grant, issuer: tuple[Grant, ...]) -> bool:
    """Whether who holds ``issuer`` may pass ``grant`` on: each link of a chain covers no more than the one above."""
    if any(own.power == Power.EVERYTHING for own in issuer):
        return True
    if grant.power == Power.EVERYTHING:
        return False
    if grant.power == Power.THIS_HANDLE:
        return any(covers(own, grant.handle) for own in issuer)
    prefix = _prefix(grant).decode()
    for own in issuer:
        same = _prefix(own) == _prefix(grant) and own.power == grant.power
        if same or (own.power == Power.DERIVED_PREFIXES and covers(own, f"{PREFIX_OF_PREFIXES}/{prefix}")):
            return True
    return False
