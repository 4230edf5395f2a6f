"""Which records changed, in order: what replicas of a store go by.

Each change adds the key of its record under the next number; what the record came to stands in the record
itself. An empty key says that many records were written at once. The oldest entries go once there are
``MOST_KEPT``: who was away for longer copies anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from xinji.use.identity.store_tables import Table, Transaction

MOST_KEPT = 1_000_000
_NUMBER = 8


@dataclass(frozen=True, slots=True)
class Changed:
    """A piece of the log: numbers of its oldest and newest entry (0 if none), and entries as number and key."""

    oldest: int
    newest: int
    entries: tuple[tuple[int, bytes], ...]


def append(txn: Transaction[bytes], table: Table, keys: Iterable[bytes], *, most: int = MOST_KEPT) -> None:
    """Add ``keys`` to the log in ``table`` as part of ``txn``."""
    with txn.cursor(table) as cursor:
        number = _at(cursor.key()) if cursor.last() else 0
        for key in keys:
            number += 1
            cursor.put(number.to_bytes(_NUMBER, "big"), key, append=True)
        while cursor.first() and _at(cursor.key()) <= number - most:
            cursor.delete()


def read(txn: Transaction[bytes], table: Table, after: int, most: int) -> Changed:
    """Return at most ``most`` entries after number ``after``."""
    with txn.cursor(table) as cursor:
        if not cursor.first():
            return Changed(0, 0, ())
        oldest = _at(cursor.key())
        cursor.last()
        newest = _at(cursor.key())
        found: list[tuple[int, bytes]] = []
        if after < newest and cursor.set_range((after + 1).to_bytes(_NUMBER, "big")):
            for number, key in cursor:
                found.append((_at(number), bytes(key)))
                if len(found) >= most:
                    break
        return Changed(oldest, newest, tuple(found))


def _at(number: bytes) -> int:
    return int.from_bytes(number, "big")
