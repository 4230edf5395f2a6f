"""The fast path for names that are not there, and values passed over undecoded: the same octets as the slow ways."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.doirp_strategies import VALUES
from support.doirp_world import PREFIX, World, connected, read_message, run_with
from xinji.use.identity.changes import Change
from xinji.use.identity.doirp.bodies import Query
from xinji.use.identity.doirp.codes import OpCode, OpFlag, ResponseCode
from xinji.use.identity.doirp.fast import FastPath
from xinji.use.identity.doirp.message import Envelope, Header, Message, decode_message
from xinji.use.identity.errors import IdentifierError
from xinji.use.identity.node import Node, NodeSettings
from xinji.use.identity.record import Value, decode_values, encode_values, type_matches
from xinji.use.identity.serve_absent import AbsentPath, served
from xinji.use.identity.serve_doirp import DoirpServer
from xinji.use.identity.serve_filtered import FilteredPath
from xinji.use.identity.value_scan import choice_of, chosen_values
from xinji.use.identity.wire import Cursor

NAMES = (
    "absent", "Absent-2", "没有", "pump-7", "secret", "mixed", "empty", "a\tb", "a\x00", "x" * 300, "", "a/b/c",
)  # fmt: skip
HANDLES = (
    *(f"{PREFIX}/{name}" for name in NAMES),
    f"{PREFIX.upper()}/X",
    "99.5/x",
    "1.2/x",
    f"0.NA/{PREFIX}.7",
    "x",
    "",
)
FLAGS = (OpFlag.PO | OpFlag.KC, 0, OpFlag.PO, OpFlag.KC | OpFlag.AT, OpFlag.REC, OpFlag.DNR, OpFlag.RD, OpFlag.CT)


def asked(number: int, handle: str | bytes, flags: int = FLAGS[0]) -> bytes:
    octets = handle if isinstance(handle, bytes) else handle.encode()
    body = Query("?").encode().replace(b"\0\0\0\1?", len(octets).to_bytes(4, "big") + octets, 1)
    return Message(Envelope(number), Header(OpCode.RESOLUTION, flags=flags), body).encode()


_HELD: list[World] = []


@pytest.fixture(autouse=True)
def kept(made: World) -> None:
    """Let tests with examples of hypothesis have the world too, without a fixture for each example."""
    _HELD[:] = [made]
    made.service.refresh()


def held() -> World:
    return _HELD[0]


def paths(made: World) -> tuple[FastPath, AbsentPath]:
    service = made.service
    fast = FastPath(service.reader.body, service.reader.open_body, primary=service.primary, serial=service.serial)
    return fast, AbsentPath(fast, service)


@pytest.mark.parametrize("flags", FLAGS)
def test_it_answers_what_the_service_answers_or_nothing(made: World, flags: int) -> None:
    made.service.refresh()
    fast, absent = paths(made)
    answered = []
    handles: tuple[str | bytes, ...] = (*HANDLES, b"88.123.1/\xff\xfe", b"\xff/x")
    for number, handle in enumerate(handles):
        octets = asked(number, handle, flags)
        at = fast.scan(octets, 0).at
        scan = absent.scan(octets, at, 9)
        if scan.answers:
            assert scan.at == len(octets)
            assert b"".join(scan.pieces) == made.service.answer(octets)
            assert absent.keep == bool(flags & OpFlag.KC)
            answered.append(handle)
    plain = not flags & (OpFlag.RD | OpFlag.CT)
    quick = [f"{PREFIX}/{name}" for name in ("absent", "Absent-2", "没有", "a/b/c")]
    assert answered == ([*quick, f"{PREFIX.upper()}/X"] if plain else [])


def test_parts_of_a_message_and_filters_are_left_alone(made: World) -> None:
    fast, absent = paths(made)
    whole = asked(1, f"{PREFIX}/absent")
    assert fast.scan(whole, 0).answers == 0
    assert absent.scan(whole, 0, 1).answers == 1
    assert absent.scan(whole, 0, 0).answers == 0
    for octets in range(len(whole)):
        assert absent.scan(whole[:octets], 0, 1).answers == 0
    query = Query(f"{PREFIX}/absent", (1,))
    filtered = Message(Envelope(1), Header(OpCode.RESOLUTION, flags=FLAGS[0]), query.encode()).encode()
    fast.scan(filtered, 0)
    assert absent.scan(filtered, 0, 1).answers == 0


def test_names_that_are_there_and_such_that_are_not_in_one_stream(tmp_path: Path) -> None:
    names = ["absent", "pump-7", "没有", "absent", "secret", "other", "pump-7", "a\tb"] * 40

    async def test(server: DoirpServer, made: World) -> None:
        told: Counter[tuple[int, int]] = Counter()
        async with connected(server) as (reader, writer):
            writer.write(b"".join(asked(number, f"{PREFIX}/{name}") for number, name in enumerate(names)))
            for number, name in enumerate(names):
                octets = await read_message(reader)
                assert octets == made.service.answer(asked(number, f"{PREFIX}/{name}"))
                told[OpCode.RESOLUTION, decode_message(octets).header.response] += 1
            # What is registered now is found now.
            made.store.apply(Change("create", f"{PREFIX}/absent", (Value(index=1, type="URL", data=b"x"),)))
            writer.write(asked(7, f"{PREFIX}/absent"))
            assert decode_message(await read_message(reader)).header.response == ResponseCode.SUCCESS
        told[OpCode.RESOLUTION, ResponseCode.SUCCESS] += 1
        assert told[OpCode.RESOLUTION, ResponseCode.ID_NOT_FOUND] == 120
        assert server.counts == told

    run_with(tmp_path, test)


@pytest.mark.parametrize("udp", [False, True])
def test_a_datagram_and_a_connection_get_the_same(tmp_path: Path, *, udp: bool) -> None:
    async def test(server: DoirpServer, made: World) -> None:
        octets = asked(3, f"{PREFIX}/absent")
        expected = made.service.answer(octets)
        if not udp:
            async with connected(server) as (reader, writer):
                writer.write(octets)
                assert await read_message(reader) == expected
            return
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        class Client(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002 (asyncio's own)
                answer.set_result(data)

        way, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            Client, remote_addr=("127.0.0.1", server.port)
        )
        way.sendto(octets)
        assert await asyncio.wait_for(answer, 30.0) == expected
        way.close()

    run_with(tmp_path, test)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=8), st.binary(max_size=8), st.text(max_size=300)))
def test_any_name_gets_what_the_service_answers(suffix: str | bytes) -> None:
    """Every suffix, in characters and octets of any kind; the world holds none of them."""
    made = held()
    octets = asked(
        1, f"{PREFIX}/".encode() + (suffix if isinstance(suffix, bytes) else suffix.encode("utf-8", "replace"))
    )
    fast, absent = paths(made)
    scan = absent.scan(octets, fast.scan(octets, 0).at, 1)
    if scan.answers:
        assert b"".join(scan.pieces) == made.service.answer(octets)


def test_a_prefix_that_is_none_is_left_alone(made: World) -> None:
    node = Node(made.store, NodeSettings(prefixes=("88..1", "0.na", "88.1", "a b", "", "x/y")))
    assert served(node) == {b"88.1"}


NAMED = st.sampled_from(
    ("pump-7", "other", "mixed", "secret", "empty", "long", "huge", "水泵", "ADMIN", "absent", "a/b")
)
ASKED_TYPES = st.lists(
    st.sampled_from(("URL", "url", "DESC.", "desc", "HS_ADMIN", "HS_SECKEY", "NOTE", "")), max_size=3
)
ASKED_INDEXES = st.lists(st.sampled_from((0, 1, 2, 3, 100, 300, 301, 2**31)), max_size=3)


@settings(deadline=None, max_examples=400)
@given(NAMED, ASKED_INDEXES, ASKED_TYPES, st.sampled_from(FLAGS))
def test_questions_after_some_values_get_what_the_service_answers(
    name: str, indexes: list[int], types: list[str], flags: int
) -> None:
    """Permissions too: what is private is asked for by index, by type and by nobody in particular."""
    made = held()
    body = Query(f"{PREFIX}/{name}", tuple(indexes), tuple(types)).encode()
    octets = Message(Envelope(5), Header(OpCode.RESOLUTION, flags=flags), body).encode()
    filtered = FilteredPath(made.service)
    scan = filtered.scan(octets + octets, 0, 1)
    if scan.answers:
        assert scan.at == len(octets)
        assert b"".join(scan.pieces) == made.service.answer(octets)
        assert filtered.keep == bool(flags & OpFlag.KC)
    elif name == "pump-7" and indexes == [1] and not flags & (OpFlag.RD | OpFlag.CT):
        pytest.fail("a usual question was not answered")


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_parts_and_damage_of_such_questions_are_left_alone(made: World, cut: int) -> None:
    body = Query(f"{PREFIX}/pump-7", (1,), ("DESC",)).encode()
    octets = Message(Envelope(5), Header(OpCode.RESOLUTION, flags=FLAGS[0]), body).encode()
    filtered = FilteredPath(made.service)
    assert filtered.scan(octets, 0, 1).answers == 1
    assert filtered.scan(octets[:-cut], 0, 1).answers == 0
    for value in (0, 1, 2, 127, 255):
        damaged = octets[:-cut] + bytes((value,)) + octets[len(octets) - cut + 1 :]
        scan = filtered.scan(damaged, 0, 1)
        if scan.answers:
            assert b"".join(scan.pieces) == made.service.answer(damaged)


KINDS = st.sampled_from(["URL", "url", "a.", "A.b", "a.b.", ".", "", "HS_ADMIN", "é."])


@settings(deadline=None)
@given(VALUES, st.lists(KINDS, max_size=3), st.frozensets(st.integers(1, 6), max_size=2))
def test_values_passed_over_are_those_that_do_not_match(
    values: tuple[Value, ...], types: list[str], indexes: frozenset[int]
) -> None:
    named = tuple(
        Value(
            index=number, type=("URL", "a", "A.B.c", "é.x")[number % 4], data=value.data, ttl_s=value.ttl_s,
            ttl_absolute=value.ttl_absolute, timestamp_s=value.timestamp_s, permissions=value.permissions,
            references=value.references,
        )
        for number, value in enumerate((*values, *values), 1)
    )  # fmt: skip
    body = encode_values(named)
    expected = tuple(
        value
        for value in decode_values(Cursor(body))
        if not (types or indexes)
        or value.index in indexes
        or any(type_matches(value.type.encode(), kind.encode()) for kind in types)
    )
    assert chosen_values(body, choice_of(types, indexes)) == expected


@settings(deadline=None)
@given(VALUES, st.integers(0, 200), st.integers(0, 255))
def test_octets_that_are_damaged_are_refused_or_read_as_before(
    values: tuple[Value, ...], place: int, octet: int
) -> None:
    body = bytearray(encode_values(values))
    body[place % len(body)] = octet
    everything = choice_of((), frozenset())
    try:
        expected = decode_values(Cursor(bytes(body)))
    except IdentifierError:
        with pytest.raises(IdentifierError):
            chosen_values(bytes(body), everything)
    else:
        assert chosen_values(bytes(body), everything) == expected
