"""The chain of hashes that makes a change to any recorded event show.

The hash of an event is SHA-256 over the 32 bytes of the hash before it and the event's canonical bytes:
the UTF-8 of a JSON object after RFC 8785 with the keys day, facility, key, kind, number, payload, project,
recorded and who. Money is whole cents. A signature is made over the hash, so it is not part of it;
the signing key is, so a signature cannot be taken away unseen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from json.encoder import encode_basestring

from xinji.build.event import Record
from xinji.errors import Fault, InputError

GENESIS = "0" * 64
"""The hash before the first event."""


@dataclass(frozen=True, slots=True)
class Head:
    """Number and hash of the last event; kept elsewhere, it proves that nothing before it changed since."""

    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


def parse_head(text: str) -> Head:
    """Return the head that ``str(head)`` printed; raises InputError for any other text."""
    number, _, digest = text.strip().partition(":")
    hexadecimal = len(digest) == len(GENESIS) and set(digest) <= set("0123456789abcdef")
    if not (number.isdecimal() and number.isascii() and hexadecimal):
        message = f"{text.strip()!r} is no head of a ledger"
        raise InputError([Fault("head", message, "Give NUMBER:HASH as the ledger printed it.")])
    return Head(int(number), digest)


def event_bytes(record: Record) -> bytes:
    """Return the canonical bytes of ``record``: all but its hash and signature.

    Raises TypeError or ValueError if a value is of another type than ``Record`` says.
    """
    number, kind, day, recorded, who, facility, project, payload, key, _, _ = record
    texts = (day, facility, key, kind, project, recorded, who)
    day, facility, key, kind, project, recorded, who = map(encode_basestring, texts)
    return (
        f'{{"day":{day},"facility":{facility},"key":{key},"kind":{kind},"number":{int.__repr__(number)},'
        f'"payload":{payload},"project":{project},"recorded":{recorded},"who":{who}}}'
    ).encode()


def link(previous: str, content: bytes) -> str:
    """Return the hash of ``content`` (an event's bytes) after the hash ``previous``, both hexadecimal."""
    return hashlib.sha256(bytes.fromhex(previous) + content).hexdigest()


def broken(records: Iterable[Record], before: Head) -> Iterator[tuple[int, str]]:
    """Yield number and message of each of ``records`` that does not follow from the one before it.

    The first of them follows ``before``. An event is held against the hash that the one before it
    carries, so that each change shows where it was made.
    """
    head = before
    for record in records:
        if record.number != head.number + 1:
            yield record.number, f"it follows event {head.number}: events between them are missing"
        elif not _follows(record, head.hash):
            yield record.number, "its content and the hash before it do not give its hash"
        head = Head(record.number, record.hash)


def _follows(record: Record, previous: str) -> bool:
    try:
        return link(previous, event_bytes(record)) == record.hash
    except (TypeError, ValueError):
        # A damaged file can hold values of any type.
        return False
