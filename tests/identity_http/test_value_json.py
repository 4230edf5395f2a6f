"""Values as JSON: the fast writer against a plain one, and there and back."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from xinji.use.identity.http.value_json import value_from_json, values_json
from xinji.use.identity.record import Record, Reference, Value, encode_values

TEXT = {*range(0x09, 0x14), *range(0x20, 0x7F), *range(0x80, 0x100)}


def plain(value: Value) -> dict[str, object]:
    """Return what Handle.Net writes of a value, step by step."""
    try:
        text = value.data.decode()
        binary = any(octet not in TEXT for octet in value.data)
    except UnicodeDecodeError:
        binary = True
    shown = {"format": "base64", "value": base64.b64encode(value.data).decode()} if binary else {
        "format": "string", "value": text}  # fmt: skip
    found: dict[str, object] = {"index": value.index, "type": value.type, "data": shown}
    if value.permissions != 14:
        found["permissions"] = f"{value.permissions:04b}"
    found["ttl"] = moment(value.ttl_s) if value.ttl_absolute else value.ttl_s
    if value.timestamp_s:
        found["timestamp"] = moment(value.timestamp_s)
    if value.references:
        found["references"] = [{"handle": item.handle, "index": item.index} for item in value.references]
    return found


def moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


TYPES = st.sampled_from(["URL", "NAME", 'Ä"\\', "x" * 63])
DATA = st.one_of(
    st.binary(max_size=12), st.text(max_size=12).map(str.encode), st.sampled_from([b"\x7f", b"\\u007f", b"\n"])
)
REFERENCES = st.lists(st.builds(Reference, st.sampled_from(["1/2", 'ä/"']), st.integers(0, 9)), max_size=2).map(tuple)


def values() -> st.SearchStrategy[tuple[Value, ...]]:
    one = st.builds(
        Value,
        index=st.integers(1, 2**31 - 1),
        type=TYPES,
        data=DATA,
        ttl_s=st.integers(0, 2**32 - 1),
        ttl_absolute=st.booleans(),
        timestamp_s=st.sampled_from([0, 1, 1_800_000_000, 2**32 - 1]),
        permissions=st.integers(0, 15),
        references=REFERENCES,
    )
    return st.lists(one, max_size=5, unique_by=lambda value: value.index).map(
        lambda found: Record("1/2", tuple(found)).values
    )


@given(values())
@example((Value(index=1, type="A", data=b"\x7f"), Value(index=2, type="A", data=b"x")))
@example((Value(index=1, type="A", data=b"\xc3"), Value(index=2, type="A", data=b"\xa4")))
def test_the_fast_writer_says_what_the_plain_one_does(found: tuple[Value, ...]) -> None:
    assert json.loads(values_json(encode_values(found))) == [plain(value) for value in found]


@given(values())
def test_what_is_written_is_read(found: tuple[Value, ...]) -> None:
    written = json.loads(values_json(encode_values(found)))
    for value, entry in zip(found, written, strict=True):
        assert value_from_json(entry, "value", now_s=value.timestamp_s) == value
