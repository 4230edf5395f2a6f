"""What the service answers, message by message, without a socket."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import doirp_decoder as second
from support.doirp_world import PREFIX, World, server_key
from support.parsers import corpus
from xinji.use.identity.doirp.bodies import Body, Elements, Failure, Named, Query, Raw, Referral, decode_body
from xinji.use.identity.doirp.codes import OpCode, OpFlag, ResponseCode
from xinji.use.identity.doirp.fast import FastPath
from xinji.use.identity.doirp.message import Envelope, Header, Message, decode_message, signed_octets
from xinji.use.identity.keys import verify
from xinji.use.identity.value_data import decode_site

R = ResponseCode


def query(
    handle: str, *, flags: int = OpFlag.PO, indexes: tuple[int, ...] = (), types: tuple[str, ...] = ()
) -> Message:
    return Message(Envelope(11), Header(OpCode.RESOLUTION, flags=flags), Query(handle, indexes, types).encode())


def request(op: int, body: Body, flags: int = 0) -> Message:
    return Message(Envelope(11), Header(op, flags=flags), body.encode())


def body_of(answer: Message) -> Body:
    return decode_body(answer.header, answer.body)[1]


def indexes_of(answer: Message) -> list[int]:
    assert answer.header.response == R.SUCCESS
    body = body_of(answer)
    assert isinstance(body, Elements)
    return [value.index for value in body.values]


def test_all_public_values(made: World) -> None:
    answer = made.ask(query(f"{PREFIX}/PUMP-7"))
    assert indexes_of(answer) == [1, 2, 3, 100]
    body = body_of(answer)
    assert isinstance(body, Elements)
    assert body.handle == f"{PREFIX}/PUMP-7", "spelled as it was asked for"
    assert body.values[0].data == b"https://example.org/pump-7"
    assert answer.envelope.request == 11
    assert answer.envelope.session == 0
    assert answer.header.flags == OpFlag.PO | OpFlag.AT
    assert answer.header.site_serial == 7


@pytest.mark.parametrize(
    ("indexes", "types", "expected"),
    [
        ((2,), (), [2]),
        ((), ("url",), [1]),
        ((), ("DESC",), [2]),
        ((), ("DESC.",), [2, 3]),
        ((1,), ("DESC.",), [1, 2, 3]),
        ((1, 999), (), [1]),
    ],
)
def test_filters(made: World, indexes: tuple[int, ...], types: tuple[str, ...], expected: list[int]) -> None:
    # RFC 3652, section 3.2.1: what matches an index and what matches a type are both returned.
    assert indexes_of(made.ask(query(f"{PREFIX}/pump-7", indexes=indexes, types=types))) == expected


def test_a_selection_without_match(made: World) -> None:
    assert made.ask(query(f"{PREFIX}/pump-7", indexes=(77,))).header.response == R.ELEMENT_NOT_FOUND
    assert indexes_of(made.ask(query(f"{PREFIX}/empty"))) == []


def test_not_found_has_no_body(made: World) -> None:
    answer = made.ask(query(f"{PREFIX}/nothing"))
    assert answer.header.response == R.ID_NOT_FOUND
    assert answer.body == b""


@pytest.mark.parametrize("handle", ["", "noslash", "/x", "88.123.1/", "88..1/x", "a\0b/c", "x/" + "y" * 600])
def test_handles_that_are_none(made: World, handle: str) -> None:
    assert made.ask(query(handle)).header.response == R.INVALID_ID


def test_referral(made: World) -> None:
    answer = made.ask(query("99.5/thing"))
    assert answer.header.response == R.SERVICE_REFERRAL
    body = body_of(answer)
    assert isinstance(body, Referral)
    assert body.handle == ""
    assert decode_site(body.values[0].data).servers[0].address == "192.0.2.9"
    assert made.ask(query("99.5/thing", flags=OpFlag.DNR)).header.response == R.SERVER_NOT_RESP
    assert made.ask(query("77.1/thing")).header.response == R.SERVER_NOT_RESP


def test_private_values(made: World) -> None:
    mixed = f"{PREFIX}/mixed"
    assert indexes_of(made.ask(query(mixed))) == [1, 100]
    assert made.ask(query(mixed, flags=0)).header.response == R.AUTHEN_NEEDED
    assert indexes_of(made.ask(query(mixed, flags=0, types=("URL",)))) == [1]
    assert made.ask(query(mixed, indexes=(2,))).header.response == R.AUTHEN_NEEDED
    assert made.ask(query(mixed, indexes=(3,))).header.response == R.ACCESS_DENIED
    assert made.ask(query(mixed, types=("NOTE",))).header.response == R.ELEMENT_NOT_FOUND
    assert b"administrators" not in made.ask(query(mixed)).encode()


def test_a_challenge_names_the_request(made: World) -> None:
    asked = query(f"{PREFIX}/secret", flags=0)
    answer = made.ask(asked)
    found = second.message(answer.encode())
    assert found["header"]["flags"] & OpFlag.RD
    assert found["envelope"]["session"]
    assert len(found["body"]["nonce"]) >= 20
    assert len(found["body"]["digest"]) == 32
    old = made.ask(replace(asked, envelope=replace(asked.envelope, version=(2, 1), suggested=(0, 0))))
    assert old.envelope.version == (2, 1)
    assert len(second.message(old.encode())["body"]["digest"]) == 20


def test_request_digest(made: World) -> None:
    asked = query(f"{PREFIX}/pump-7", flags=OpFlag.PO | OpFlag.RD)
    answer = made.ask(asked)
    digest, _ = decode_body(answer.header, answer.body)
    assert digest is not None
    assert digest.digest == hashlib.sha256(asked.encode()[20:-4]).digest()


def test_signed_answers(made: World) -> None:
    answer = made.ask(query(f"{PREFIX}/pump-7", flags=OpFlag.PO | OpFlag.CT))
    assert answer.header.flags & OpFlag.CT
    assert answer.credential is not None
    signed = (answer.credential.signature, answer.credential.digest)
    assert verify(server_key().public, signed_octets(answer), *signed)
    other = replace(answer, envelope=replace(answer.envelope, request=12))
    assert not verify(server_key().public, signed_octets(other), *signed)


def test_site_information(made: World) -> None:
    answer = made.ask(request(OpCode.GET_SITEINFO, Named("/")))
    body = body_of(answer)
    assert isinstance(body, Raw)
    assert decode_site(body.octets).servers[0].public_key == server_key().public


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"expires_s": 1_000}, R.ERROR),
        ({"recursion": 11}, R.RECUR_LIMIT_EXCEEDED),
        ({"flags": OpFlag.ENC}, R.SESSION_FAILED),
        ({"response": 1}, R.PROTOCOL_ERROR),
        ({"op": 777}, R.OPERATION_DENIED),
        ({"op": OpCode.HOME_PREFIX}, R.PROTOCOL_ERROR),
    ],
)
def test_requests_that_cannot_be_met(made: World, change: dict[str, int], code: ResponseCode) -> None:
    asked = query(f"{PREFIX}/pump-7")
    answer = made.ask(replace(asked, header=replace(asked.header, **change)))
    assert answer.header.response == code
    assert answer.envelope.request == 11


def test_an_expiry_in_the_future_is_met(made: World) -> None:
    asked = query(f"{PREFIX}/pump-7")
    assert made.ask(replace(asked, header=replace(asked.header, expires_s=2**32 - 1))).header.response == R.SUCCESS


def test_operations_that_are_not_offered(made: World) -> None:
    home = request(OpCode.HOME_PREFIX, Named("0.NA/1"))
    assert made.ask(home).header.response == R.OPERATION_DENIED
    session = request(OpCode.SESSION_TERMINATE, Raw())
    assert made.ask(session).header.response == R.SESSION_FAILED
    asked = query(f"{PREFIX}/pump-7")
    within = replace(asked, envelope=replace(asked.envelope, session=5))
    assert made.ask(within).header.response == R.SESSION_TIMEOUT


def test_errors_keep_the_operation(made: World) -> None:
    answer = made.ask(Message(Envelope(3), Header(OpCode.CREATE_ID), b"\0\0\0\x09cut"))
    assert answer.header.op == OpCode.CREATE_ID
    assert answer.header.response == R.PROTOCOL_ERROR
    assert isinstance(body_of(answer), Failure)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_whatever_comes_is_answered_in_form(made: World, data: st.DataObject) -> None:
    octets = bytearray(data.draw(st.sampled_from(corpus())))
    for _ in range(data.draw(st.integers(0, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    answer = made.ask(bytes(octets))
    assert answer.header.response != R.RESERVED
    assert answer.envelope.request == int.from_bytes(octets[8:12], "big")
    second.message(answer.encode())


HANDLES = st.sampled_from(
    ["pump-7", "PUMP-7", "other", "mixed", "secret", "empty", "long", "huge", "水泵", "nothing", "ADMIN"]
).map(lambda name: f"{PREFIX}/{name}")
FLAGS = st.lists(
    st.sampled_from([OpFlag.KC, OpFlag.REC, OpFlag.CA, OpFlag.AT, OpFlag.DNR]), max_size=3, unique=True
).map(sum)
QUERIES = st.builds(
    lambda handle, flags, number, version, po: Message(
        Envelope(number, version=version, suggested=version),
        Header(OpCode.RESOLUTION, flags=flags | (OpFlag.PO if po else 0), recursion=number % 3),
        Query(handle).encode(),
    ),
    HANDLES,
    FLAGS,
    st.integers(0, 2**32 - 1),
    st.sampled_from([(2, 1), (2, 11), (3, 0)]),
    st.booleans(),
)


@settings(deadline=None, max_examples=200)
@given(st.lists(QUERIES, min_size=1, max_size=8))
def test_fast_path_gives_the_octets_of_the_slow_one(made: World, queries: list[Message]) -> None:
    service = made.service
    service.refresh()
    fast = FastPath(service.reader.body, service.reader.open_body, primary=True, serial=service.serial)
    octets = [message.encode() for message in queries]
    buffer, at = b"".join(octets), 0
    for message in octets:
        scan = fast.scan(buffer[at : at + len(message)], 0)
        slow = service.answer(message)
        assert isinstance(slow, bytes)
        if scan.answers:
            assert b"".join(scan.pieces) == slow
        at += len(message)
    run = fast.scan(buffer, 0)
    expected = [service.answer(message) for message in octets[: run.answers]]
    assert b"".join(run.pieces) == b"".join(part for part in expected if isinstance(part, bytes))
    if run.answers < len(octets):
        assert run.at == sum(map(len, octets[: run.answers]))


def test_fast_path_takes_plain_queries(made: World) -> None:
    service = made.service
    service.refresh()
    fast = FastPath(service.reader.body, service.reader.open_body)
    plain = query(f"{PREFIX}/pump-7").encode()
    assert fast.scan(plain * 300, 0)[:2] == (256 * len(plain), 256)
    assert fast.scan(query(f"{PREFIX}/pump-7", flags=0).encode(), 0).answers == 1
    assert fast.scan(query(f"{PREFIX}/mixed", flags=0).encode(), 0).answers == 0
    for other in (
        query(f"{PREFIX}/pump-7", flags=OpFlag.CT | OpFlag.PO),
        query(f"{PREFIX}/pump-7", flags=OpFlag.RD | OpFlag.PO),
        query(f"{PREFIX}/pump-7", indexes=(1,)),
        query(f"{PREFIX}/huge"),
        query(f"{PREFIX}/nothing"),
    ):
        assert fast.scan(other.encode(), 0).answers == 0
    assert fast.scan(plain[:-1], 0).at == 0


def test_made_up_headers_take_bounded_memory(made: World) -> None:
    fast = FastPath(made.service.reader.body, made.service.reader.open_body)
    for number in range(5_000):
        message = query(f"{PREFIX}/pump-7")
        made_up = replace(message, header=replace(message.header, site_serial=number))
        fast.scan(made_up.encode(), 0)
    assert len(fast.kinds) <= 1_024


def test_a_mirror_takes_no_changes(made: World) -> None:
    service = replace(made.service, primary=False)
    octets = request(OpCode.DELETE_ID, Named(f"{PREFIX}/pump-7")).encode()
    answer = service.answer(octets)
    assert isinstance(answer, bytes)
    found = decode_message(answer)
    assert found.header.response == R.SERVER_NOT_RESP
    assert not found.header.flags & OpFlag.AT
