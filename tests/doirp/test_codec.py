"""The codec of DO-IRP: corpus written from the specification, round trips, and a second decoder."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import doirp_decoder as second
from support.doirp_strategies import messages, parts
from xinji.use.identity.doirp import bodies
from xinji.use.identity.doirp.bodies import decode_body, encode_body
from xinji.use.identity.doirp.codes import EnvelopeFlag, OpCode, OpFlag, ResponseCode
from xinji.use.identity.doirp.fragments import PART_OCTETS, Assembly, split
from xinji.use.identity.doirp.message import Envelope, Header, Message, decode_envelope, decode_message
from xinji.use.identity.errors import Code, IdentifierError

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.hex"))


def octets_of(path: Path) -> bytes:
    """The octets of a corpus file: hexadecimal up to the # of each line."""
    return bytes.fromhex("".join(line.partition("#")[0] for line in path.read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_corpus_decodes_and_encodes_to_the_octet(path: Path) -> None:
    octets = octets_of(path)
    message = decode_message(octets)
    digest, body = decode_body(message.header, message.body)
    assert not isinstance(body, bodies.Raw) or not body.octets or message.header.op == OpCode.GET_SITEINFO
    assert encode_body(body, digest) == message.body
    assert message.encode() == octets
    assert "section" in path.read_text(encoding="utf-8").splitlines()[1]


def test_corpus_covers_every_kind_of_body() -> None:
    seen = set()
    for path in CORPUS:
        message = decode_message(octets_of(path))
        seen.add(type(decode_body(message.header, message.body)[1]))
    known = {*bodies.REQUESTS.values(), *bodies.ANSWERS.values(), *bodies.OUTCOMES.values(), bodies.Failure}
    assert known - seen == {bodies.SessionKey}, "an answer to a session is never sent"


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_second_decoder_reads_the_corpus(path: Path) -> None:
    octets = octets_of(path)
    found, message = second.message(octets), decode_message(octets)
    assert same(found, message)


def same(found: dict[str, Any], message: Message) -> bool:
    """Whether both decoders see the same."""
    envelope, header = message.envelope, message.header
    front, head, content = found["envelope"], found["header"], found["body"]
    assert (front["major"], front["minor"]) == envelope.version
    assert (front["session"], front["request"], front["length"]) == (
        envelope.session,
        envelope.request,
        envelope.length,
    )
    assert (head["op"], head["response"], head["flags"]) == (header.op, header.response, header.flags)
    assert (head["serial"], head["recursion"], head["expiration"]) == (
        header.site_serial,
        header.recursion,
        header.expires_s,
    )
    digest, body = decode_body(header, message.body)
    assert content.get("digest") == (None if digest is None else digest.digest)
    for name in ("handle", "text", "nonce"):
        if name in content:
            assert content[name] == getattr(body, name)
    for name in ("indexes", "types"):
        if name in content:
            assert tuple(content[name]) == getattr(body, name)
    if "values" in content:
        fields = [(v["index"], v["type"], v["data"], v["ttl"], v["timestamp"]) for v in content["values"]]
        assert isinstance(body, bodies.Elements | bodies.Referral)
        assert fields == [(v.index, v.type, v.data, v.ttl_s, v.timestamp_s) for v in body.values]
    return True


@settings(deadline=None)
@given(parts())
def test_every_body_round_trips(made: tuple[Header, bodies.RequestDigest | None, bodies.Body]) -> None:
    header, digest, body = made
    octets = encode_body(body, digest)
    assert decode_body(header, octets) == (digest, body)


@settings(deadline=None)
@given(messages())
def test_every_message_round_trips(message: Message) -> None:
    octets = message.encode()
    again = decode_message(octets)
    assert again == replace(message, envelope=replace(message.envelope, length=len(octets) - 20))
    assert again.encode() == octets
    assert same(second.message(octets), again)


@settings(deadline=None)
@given(messages(), st.data())
def test_a_message_cut_short_or_changed_is_refused_or_read(message: Message, data: st.DataObject) -> None:
    octets = bytearray(message.encode())
    place = data.draw(st.integers(0, len(octets) - 1))
    octets[place] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(octets)))
    for broken in (bytes(octets), bytes(octets[:cut])):
        assert outcome(broken) in (None, Code.PROTOCOL_ERROR, Code.INVALID_VALUE)


def outcome(octets: bytes) -> Code | None:
    """The code with which ``octets`` are refused; None if they can be read."""
    try:
        found = decode_message(octets)
        decode_body(found.header, found.body)
    except IdentifierError as error:
        return error.code
    return None


def test_made_up_lengths_cost_nothing() -> None:
    huge = b"\0\0\0\x01a" + b"\xff\xff\xff\xff"
    for header in (Header(1), Header(1, 1), Header(103), Header(105, 1), Header(1, 302), Header(200), Header(400)):
        with pytest.raises(IdentifierError):
            decode_body(header, huge)
    with pytest.raises(IdentifierError, match="announced"):
        decode_message(Message(Envelope(1), Header(1)).encode()[:40] + b"\xff\xff\xff\xff")


def test_a_message_of_another_kind_is_kept_as_it_is() -> None:
    message = Message(Envelope(9), Header(777, flags=5), b"anything")
    again = decode_message(message.encode())
    assert decode_body(again.header, again.body) == (None, bodies.Raw(b"anything"))
    assert again.encode() == message.encode()


def test_flags_and_suggested_version_share_an_octet() -> None:
    octets = bytes.fromhex("0209 e30b 00000000 00000007 00000000 00000018".replace(" ", ""))
    envelope = decode_envelope(octets)
    assert envelope.version == (2, 9)
    assert envelope.suggested == (3, 11)
    assert int(envelope.flags) == 0xE0
    assert envelope.encode() == octets
    with pytest.raises(IdentifierError, match="compressed"):
        decode_message(octets + bytes(24))


def test_every_code_has_a_meaning_and_a_source() -> None:
    for code in (*OpCode, *ResponseCode):
        assert code.meaning
        assert code.source.startswith(("RFC 3652, section", "DO-IRP v3.0", "Handle.Net"))
    assert len({int(flag) for flag in OpFlag}) == 12


def test_codes_of_the_node_are_those_of_the_protocol() -> None:
    # 504 and 506 are of Handle.Net alone and are never answered here.
    assert {int(code) for code in Code} - {504, 506} <= {int(code) for code in ResponseCode}


@settings(deadline=None)
@given(st.integers(0, 4 * PART_OCTETS), st.randoms())
def test_parts_come_together_in_any_order(octets: int, chance: random.Random) -> None:
    message = Message(Envelope(5), Header(1, 1), bytes(octets)).encode()
    datagrams = split(message)
    assert all(len(datagram) <= 512 for datagram in datagrams)
    chance.shuffle(datagrams)
    assembly = Assembly()
    found = [assembly.add("peer", datagram) for datagram in datagrams]
    assert found[:-1] == [None] * (len(found) - 1)
    assert found[-1] == message
    assert not assembly.waiting


def test_parts_with_their_own_length_come_together() -> None:
    # RFC 3652, section 2.3: the length in each envelope reflects the size of the packet.
    message = Message(Envelope(5), Header(1, 1), bytes(range(256)) * 4).encode()
    assembly, found = Assembly(), None
    for datagram in split(message):
        own = replace(decode_envelope(datagram), length=len(datagram) - 20).encode() + datagram[20:]
        assert found is None
        found = assembly.add("peer", own)
    assert found == message


def test_parts_without_the_flag_come_together() -> None:
    # Seen in the field, and allowed for by Wireshark's dissector.
    message = Message(Envelope(5), Header(1, 1), bytes(range(256)) * 4).encode()
    assembly, found = Assembly(), None
    for datagram in split(message):
        assert found is None
        bare = replace(decode_envelope(datagram), flags=EnvelopeFlag(0)).encode() + datagram[20:]
        found = assembly.add("peer", bare)
    assert found == message
    short = message[:100]
    assert assembly.add("peer", short) == short, "what is cut short otherwise is no part"


def test_parts_that_never_end_take_bounded_memory() -> None:
    now = [0.0]
    assembly = Assembly(most=4, most_octets=10_000, clock=lambda: now[0])
    part = split(Message(Envelope(1), Header(1), bytes(2_000)).encode())[0]
    for sender in range(50):
        assert assembly.add(sender, part) is None
    assert len(assembly.waiting) == 4
    now[0] = 60.0
    assembly.add("late", part)
    assert len(assembly.waiting) == 1
    far = replace(decode_envelope(part), sequence=10_000).encode() + part[20:]
    with pytest.raises(IdentifierError, match="longer"):
        assembly.add("late", far)
