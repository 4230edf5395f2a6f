"""The octets of values: published layouts by hand, round trips, and hostile input."""

from __future__ import annotations

import contextlib
import hashlib
import pickle
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_core.identity_strategies import HANDLES, RECORDS, VALUE_LISTS, values
from xinji.use.identity import ecode, names, oid, shape_table, value_data
from xinji.use.identity.bulk_form import record_from_line
from xinji.use.identity.errors import Code, IdentifierError
from xinji.use.identity.record import (
    Record,
    Reference,
    Value,
    decode_value,
    decode_values,
    encode_value,
    encode_values,
    join,
    select,
    spans,
)
from xinji.use.identity.shapes import learn
from xinji.use.identity.wire import Cursor

URL_VALUE = Value(index=1, type="URL", data=b"http://a", ttl_s=86_400, timestamp_s=0x65000000)
URL_OCTETS = bytes.fromhex(
    "00000001"  # index
    "65000000"  # timestamp
    "00"  # relative TTL
    "00015180"  # a day
    "0e"  # admin read, admin write, public read
    "00000003 55524c"
    "00000008 687474703a2f2f61"
    "00000000"  # no references
)


def test_a_value_is_laid_out_as_published() -> None:
    assert encode_value(URL_VALUE) == URL_OCTETS
    assert decode_value(Cursor(URL_OCTETS)) == URL_VALUE


def test_admin_and_group_are_laid_out_as_published() -> None:
    admin = value_data.Admin("0.NA/88", 200, 0x0FF2)
    octets = bytes.fromhex("0ff2 00000007 302e4e412f3838 000000c8")
    assert value_data.encode_admin(admin) == octets
    assert value_data.decode_admin(octets) == value_data.decode_admin(octets + b"\0\0") == admin
    group = (Reference("88.1/a", 300),)
    assert value_data.encode_vlist(group) == bytes.fromhex("00000001 00000006 38382e312f61 0000012c")
    assert value_data.decode_vlist(value_data.encode_vlist(group)) == group


def test_a_site_is_laid_out_as_published() -> None:
    interfaces = (value_data.Interface(value_data.SERVICE_QUERY, value_data.UDP, 2641),)
    server = value_data.Server(1, "192.0.2.7", b"key", interfaces)
    site = value_data.Site((server,), serial=3, attributes=(("desc", "Wuxi"),))
    octets = bytes.fromhex(
        "0001 0300 0003 80 02 00000000"
        "00000001 00000004 64657363 00000004 57757869"
        "00000001 00000001 000000000000000000000000c0000207 00000003 6b6579"
        "00000001 02 00 00000a51"
    )
    assert value_data.encode_site(site) == octets
    assert value_data.decode_site(octets) == site


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1", "::1", "2001:db8::7", "255.255.255.255"])  # noqa: S104
def test_addresses_come_back(address: str) -> None:
    site = value_data.Site((value_data.Server(1, address),))
    back = value_data.decode_site(value_data.encode_site(site)).servers[0].address
    assert back == (address if address != "0.0.0.0" else "::")  # noqa: S104 - zeros are zeros in both families


def test_an_rsa_key_ends_in_an_empty_string_as_elsewhere() -> None:
    octets = value_data.encode_public_key(value_data.RsaPublicKey(65_537, 0xC0FFEE))
    assert octets == bytes.fromhex("0000000b") + b"RSA_PUB_KEY" + bytes.fromhex(
        "0000 00000003 010001 00000004 00c0ffee 00000000"
    )
    assert value_data.decode_public_key(octets) == (65_537, 0xC0FFEE)
    dsa = value_data.DsaPublicKey(3, 2**200, 5, 2**199)
    assert value_data.decode_public_key(value_data.encode_public_key(dsa)) == dsa


def test_a_handle_finds_its_server_by_hash() -> None:
    servers = tuple(value_data.Server(number, "192.0.2.1") for number in range(7))
    site = value_data.Site(servers)
    tail = hashlib.md5(b"88.1/A", usedforsecurity=False).hexdigest()[24:]
    number = int(tail, 16)
    number = number - 2**32 if number >= 2**31 else number
    assert value_data.server_of(site, names.fold("88.1/a")).number == abs(number) % 7


@given(values())
def test_values_come_back(value: Value) -> None:
    assert decode_value(Cursor(encode_value(value))) == value


@settings(max_examples=50, deadline=None)
@given(VALUE_LISTS, st.lists(st.integers(1, 9), max_size=3), st.lists(st.sampled_from(["url", "a.b."]), max_size=2))
def test_filtering_octets_is_filtering_values(
    given_values: tuple[Value, ...], indexes: list[int], types: list[str]
) -> None:
    body = encode_values(given_values)
    assert decode_values(Cursor(body)) == given_values
    assert [body[span.start : span.end] for span in spans(body)] == [encode_value(value) for value in given_values]

    def wanted(value: Value) -> bool:
        kind = "".join(chr(ord(c) - 32) if "a" <= c <= "z" else c for c in value.type)
        named = ("url" in types and kind == "URL") or ("a.b." in types and (kind == "A.B" or kind.startswith("A.B.")))
        return (not types and not indexes) or value.index in indexes or named

    assert decode_values(Cursor(select(body, types, indexes))) == tuple(filter(wanted, given_values))
    half = len(given_values) // 2
    both = join(encode_values(given_values[half:]), encode_values(given_values[:half]))
    assert decode_values(Cursor(both)) == tuple(sorted(given_values, key=lambda value: value.index))


@settings(max_examples=50, deadline=None)
@given(RECORDS)
def test_shapes_come_back(record: Record) -> None:
    if record.values:
        for shape in learn([record.values, record.values]):
            assert shape_table.decode_shape(shape_table.encode_shape(shape)) == shape


DECODERS: list[Callable[[bytes], object]] = [
    lambda octets: decode_values(Cursor(octets)),
    spans,
    value_data.decode_admin,
    value_data.decode_site,
    value_data.decode_vlist,
    value_data.decode_public_key,
    oid.decode_oid,
    shape_table.decode_shape,
    lambda octets: record_from_line(octets, 0),
    lambda octets: names.handle_of(octets.decode("utf-8", "surrogateescape")),
    lambda octets: ecode.parse_ecode(octets.decode("latin-1")),
]

SEEDS = [
    encode_values((URL_VALUE, Value(index=2, type="a", data=b"", references=(Reference("88.1/a", 1),)))),
    value_data.encode_site(
        value_data.Site((value_data.Server(1, "192.0.2.7", b"k", (value_data.Interface(3, 1, 80),)),))
    ),
    value_data.encode_admin(value_data.Admin("0.NA/88", 200)),
    value_data.encode_public_key(value_data.RsaPublicKey(3, 55)),
    b'{"handle":"88.1/a","values":[{"index":1,"type":"URL","data":{"format":"string","value":"x"},"ttl":5}]}',
    b"urn:oid:1.2.156.3088.1",
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw octets near a well-formed message."""
    octets = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(octets) - 1, 0)))
        action = draw(st.sampled_from(["set", "cut", "add", "huge"]))
        if action == "set" and octets:
            octets[place] = draw(st.integers(0, 255))
        elif action == "cut":
            del octets[place:]
        elif action == "add":
            octets[place:place] = draw(st.binary(max_size=6))
        else:
            octets[place : place + 4] = draw(st.sampled_from([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0"]))
    return bytes(octets)


@given(st.one_of(st.binary(max_size=200), mutated()))
def test_hostile_octets_raise_one_error_only(octets: bytes) -> None:
    for decode in DECODERS:
        with contextlib.suppress(IdentifierError):
            decode(octets)


def test_announced_sizes_cost_no_memory() -> None:
    """A few octets that announce gigabytes are refused before anything is made."""
    tracemalloc.start()
    for octets in (b"\xff\xff\xff\xff" * 8, b"\x7f\xff\xff\xff" + bytes(40), bytes(14) + b"\x7f\xff\xff\xff"):
        for decode in DECODERS[:6]:
            with contextlib.suppress(IdentifierError):
                decode(octets)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000


@given(HANDLES)
def test_folding_knows_ascii_only(handle: str) -> None:
    folded = names.fold(handle)
    assert folded == names.fold(handle.encode()) == names.fold(folded)
    assert len(folded) == len(handle.encode())
    assert names.check_handle(handle) == handle


def test_all_faults_of_a_value_are_told_at_once() -> None:
    with pytest.raises(IdentifierError) as caught:
        Value(index=0, type="", data=b"", ttl_s=-1, permissions=16)
    assert len(caught.value.faults) == 4
    assert caught.value.code == Code.INVALID_VALUE
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert (again.faults, again.code) == (caught.value.faults, caught.value.code)


def test_indexes_are_unique_and_in_order() -> None:
    two, one = (Value(index=index, type="a", data=b"") for index in (2, 1))
    assert Record("88/a", (two, one)).values == (one, two)
    with pytest.raises(IdentifierError, match=r"\[2\]"):
        Record("88/a", (two, two))


def test_a_secret_key_is_never_public() -> None:
    assert not Value(index=1, type="HS_SECKEY", data=b"s", permissions=15).public


def test_numbers_that_do_not_fit_are_refused() -> None:
    for make in (
        lambda: value_data.encode_admin(value_data.Admin("a", -1)),
        lambda: value_data.encode_admin(value_data.Admin("a", 1, 2**16)),
        lambda: value_data.encode_site(value_data.Site((value_data.Server(1, "nowhere"),))),
        lambda: value_data.encode_admin(value_data.Admin("\ud800", 1)),
        lambda: Value(index=1, type="\ud800", data=b""),
    ):
        with pytest.raises(IdentifierError):
            make()
