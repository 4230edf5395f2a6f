from __future__ import annotations

import hashlib
import json

import pytest

from xinji.build.chain import GENESIS, Head, broken, event_bytes, link, parse_head
from xinji.build.event import Record
from xinji.errors import InputError

RECORD = Record(
    1, "payment_made", "2026-01-01", "2026-01-02T00:00:00.000000Z", 'l"i', "a", "", '{"cents":1}', "", "", ""
)


def test_the_bytes_are_canonical_json_of_everything_but_hash_and_signature() -> None:
    said = json.loads(event_bytes(RECORD))
    assert list(said) == sorted(said)
    assert said == {
        "day": "2026-01-01",
        "facility": "a",
        "key": "",
        "kind": "payment_made",
        "number": 1,
        "payload": {"cents": 1},
        "project": "",
        "recorded": "2026-01-02T00:00:00.000000Z",
        "who": 'l"i',
    }
    assert event_bytes(RECORD) == json.dumps(said, separators=(",", ":"), sort_keys=True).encode()
    assert event_bytes(RECORD._replace(hash="x", signature="y")) == event_bytes(RECORD)


def test_the_hash_is_sha256_over_the_hash_before_and_the_bytes() -> None:
    assert link(GENESIS, b"abc") == hashlib.sha256(bytes(32) + b"abc").hexdigest()


def test_the_first_broken_event_is_named() -> None:
    records, previous = [], GENESIS
    for number in range(1, 6):
        record = RECORD._replace(number=number)
        previous = link(previous, event_bytes(record))
        records.append(record._replace(hash=previous))
    start = Head(0, GENESIS)
    assert list(broken(records, start)) == []
    assert [number for number, _ in broken([*records[:2], records[2]._replace(who="x"), *records[3:]], start)] == [3]
    assert [number for number, _ in broken([*records[:2], *records[3:]], start)] == [4]
    swapped = [records[0], records[2], records[1], *records[3:]]
    assert next(iter(broken(swapped, start)))[0] == 3
    assert [number for number, _ in broken([records[0]._replace(hash="zz"), *records[1:]], start)] == [1, 2]


def test_a_head_reads_back_and_nothing_else_does() -> None:
    head = Head(12, "ab" * 32)
    assert parse_head(f" {head}\n") == head
    for text in ("", "12", "12:ab", "x:" + "ab" * 32, "12:" + "AB" * 32, "-1:" + "ab" * 32, "²:" + "ab" * 32):
        with pytest.raises(InputError, match="is no head of a ledger"):
            parse_head(text)
