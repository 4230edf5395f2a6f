"""Challenges, proofs and changes, through the client and by hand."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, padding

from support.doirp_world import (
    ADMIN,
    BY_SECRET,
    BY_STRANGER,
    KEY_INDEX,
    PREFIX,
    SECRET,
    SECRET_INDEX,
    World,
    address,
    admin_value,
    by_key,
    key,
    run_with,
    value,
)
from xinji.use.identity.changes import Change
from xinji.use.identity.client import administer
from xinji.use.identity.client_link import Asked, Identity, ask
from xinji.use.identity.doirp.bodies import (
    Body,
    Challenge,
    ChallengeAnswer,
    Elements,
    Named,
    Names,
    Query,
    Raw,
    Removal,
    Verification,
    Verified,
    decode_body,
)
from xinji.use.identity.doirp.challenges import ChallengeLimits, Challenges
from xinji.use.identity.doirp.codes import Digest, Mac, OpCode, OpFlag, ResponseCode
from xinji.use.identity.doirp.message import Envelope, Header, Message
from xinji.use.identity.errors import Code, IdentifierError
from xinji.use.identity.keys import Secret, SigningKey, prove_key, prove_secret
from xinji.use.identity.record import PRIVATE, Value
from xinji.use.identity.serve_doirp import DoirpServer

R = ResponseCode
NEW = f"{PREFIX}/new"


def request(op: int, body: Body, *, number: int = 1, flags: int = 0) -> Message:
    return Message(Envelope(number), Header(op, flags=flags), body.encode())


def challenged(world: World, message: Message) -> tuple[int, bytes, bytes]:
    """Session, nonce and digest of the challenge that answers ``message``."""
    answer = world.ask(message)
    assert answer.header.response == R.AUTHEN_NEEDED
    assert answer.header.op == message.header.op
    digest, body = decode_body(answer.header, answer.body)
    assert isinstance(body, Challenge)
    assert digest is not None
    return answer.envelope.session, body.nonce, digest.digest


def proof_message(session: int, kind: str, index: int, proof: bytes, number: int = 2) -> Message:
    body = ChallengeAnswer(kind, ADMIN, index, proof)
    return Message(Envelope(number, session=session), Header(OpCode.CHALLENGE_RESPONSE), body.encode())


def by_hand(world: World, message: Message, prove: Callable[[bytes, bytes], bytes], kind: str, index: int) -> Message:
    session, nonce, digest = challenged(world, message)
    return world.ask(proof_message(session, kind, index, prove(nonce, digest)))


# Proofs written out from RFC 3652, section 3.5.2, and from what Handle.Net 9 sends.
SECRETS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "SHA-1": lambda n, d: b"\x02" + hashlib.sha1(SECRET.octets + n + d + SECRET.octets).digest(),  # noqa: S324
    "SHA-256": lambda n, d: b"\x03" + hashlib.sha256(SECRET.octets + n + d + SECRET.octets).digest(),
    "HMAC SHA-1": lambda n, d: b"\x12" + hmac.digest(SECRET.octets, n + d, "sha1"),
    "HMAC SHA-256": lambda n, d: b"\x13" + hmac.digest(SECRET.octets, n + d, "sha256"),
    "RFC body": lambda n, d: (
        b"\x12" + hmac.digest(SECRET.octets, bytes((3,)) + d + len(n).to_bytes(4, "big") + n, "sha1")
    ),
    "PBKDF2": lambda n, d: (
        b"\x22"
        b"\0\0\0\x04salt\0\0\x03\xe8\0\0\0\xa0\0\0\0\x14"
        + hmac.digest(hashlib.pbkdf2_hmac("sha1", SECRET.octets, b"salt", 1000, 20), n + d, "sha1")
    ),
}


@pytest.mark.parametrize("name", SECRETS)
def test_proofs_with_a_secret(made: World, name: str) -> None:
    asked = request(OpCode.RESOLUTION, Query(f"{PREFIX}/mixed"))
    answer = by_hand(made, asked, SECRETS[name], "HS_SECKEY", SECRET_INDEX)
    assert answer.header.response == R.SUCCESS
    assert answer.header.op == OpCode.RESOLUTION, "the answer is to the request that waited"
    assert answer.envelope.request == 2, "and goes back to the proof"
    body = decode_body(answer.header, answer.body)[1]
    assert isinstance(body, Elements)
    assert [v.index for v in body.values] == [1, 2, 100]


@pytest.mark.parametrize(("digest", "made_of"), [("SHA-256", hashes.SHA256()), ("SHA1", hashes.SHA1())])  # noqa: S303
def test_proofs_with_a_key(made: World, digest: str, made_of: hashes.HashAlgorithm) -> None:
    private = key().private
    assert not isinstance(private, dsa.DSAPrivateKey)

    def prove(nonce: bytes, request_digest: bytes) -> bytes:
        signature = private.sign(nonce + request_digest, padding.PKCS1v15(), made_of)
        return b"".join(len(part).to_bytes(4, "big") + part for part in (digest.encode(), signature))

    asked = request(OpCode.RESOLUTION, Query(f"{PREFIX}/secret"))
    answer = by_hand(made, asked, prove, "HS_PUBKEY", KEY_INDEX)
    assert answer.header.response == R.SUCCESS


def test_a_dsa_key_proves_too(fresh: World) -> None:
    own = SigningKey(dsa.generate_private_key(1024))  # noqa: S505 (the length that DSA began with)
    fresh.store.apply(Change("add", ADMIN, (value(310, "HS_PUBKEY", own.public),)))
    fresh.store.apply(Change("add", f"{PREFIX}/secret", (admin_value(101, 310),)))
    asked = request(OpCode.RESOLUTION, Query(f"{PREFIX}/secret"))
    answer = by_hand(fresh, asked, lambda n, d: prove_key(own, n + d), "HS_PUBKEY", 310)
    assert answer.header.response == R.SUCCESS


def test_wrong_proofs(made: World) -> None:
    asked = request(OpCode.RESOLUTION, Query(f"{PREFIX}/mixed"))
    wrong = Secret(b"not the secret")
    cases = [
        (lambda n, d: prove_secret(wrong, n + d), "HS_SECKEY", SECRET_INDEX, R.AUTHEN_FAILED),
        (lambda n, d: prove_secret(SECRET, d + n), "HS_SECKEY", SECRET_INDEX, R.AUTHEN_FAILED),
        (lambda n, d: prove_secret(SECRET, n + d), "HS_SECKEY", 999, R.AUTHEN_FAILED),
        (lambda n, d: prove_secret(SECRET, n + d), "HS_PUBKEY", SECRET_INDEX, R.AUTHEN_FAILED),
        (lambda _n, _d: b"\x11" + bytes(16), "HS_SECKEY", SECRET_INDEX, R.INVALID_CREDENTIAL),
        (
            lambda _n, _d: b"\x22\0\0\0\x01s\xff\xff\xff\xff\0\0\0\xa0\0\0\0\0",
            "HS_SECKEY",
            SECRET_INDEX,
            R.INVALID_CREDENTIAL,
        ),
        (lambda _n, _d: b"", "HS_SECKEY", SECRET_INDEX, R.PROTOCOL_ERROR),
        (lambda _n, _d: b"\0\0\0\x03MD5\0\0\0\0", "HS_PUBKEY", KEY_INDEX, R.INVALID_CREDENTIAL),
        (lambda n, d: prove_secret(Secret(key().public), n + d), "HS_SECKEY", KEY_INDEX, R.AUTHEN_FAILED),
    ]
    for prove, kind, index, code in cases:
        assert by_hand(made, asked, prove, kind, index).header.response == code


def test_a_proof_is_good_once_and_for_its_request_alone(made: World) -> None:
    asked = request(OpCode.RESOLUTION, Query(f"{PREFIX}/mixed"))
    session, nonce, digest = challenged(made, asked)
    proof = prove_secret(SECRET, nonce + digest)
    message = proof_message(session, "HS_SECKEY", SECRET_INDEX, proof)
    assert made.ask(message).header.response == R.SUCCESS
    assert made.ask(message).header.response == R.AUTHEN_TIMEOUT, "a replay finds no challenge"
    other, _, _ = challenged(made, request(OpCode.DELETE_ID, Named(f"{PREFIX}/mixed")))
    stolen = proof_message(other, "HS_SECKEY", SECRET_INDEX, proof)
    assert made.ask(stolen).header.response == R.AUTHEN_FAILED
    assert made.ask(proof_message(other, "HS_SECKEY", SECRET_INDEX, proof)).header.response == R.AUTHEN_TIMEOUT
    assert made.store.record(f"{PREFIX}/mixed") is not None


def test_challenges_grow_old_and_take_bounded_memory() -> None:
    now = [0.0]
    challenges = Challenges(ChallengeLimits(patience_s=10, most=5, most_octets=2_000), clock=lambda: now[0])
    octets = request(OpCode.DELETE_ID, Named(NEW)).encode()
    sessions = [challenges.issue(octets, Digest.SHA256)[0] for _ in range(50)]
    assert len(challenges.standing) == 5
    assert len(set(sessions)) == 50
    assert challenges.take(sessions[0]) is None
    assert challenges.take(sessions[-1]) is not None
    now[0] = 11.0
    assert challenges.take(sessions[-2]) is None
    big = Message(Envelope(1), Header(1), bytes(900)).encode()
    for _ in range(5):
        challenges.issue(big, Digest.SHA256)
    assert challenges.octets <= 2_000
    assert len(challenges.standing) == 2


def test_nothing_changes_without_proof(made: World) -> None:
    before = {record.handle: record for record in made.store.records(private=True)}
    bodies: list[tuple[OpCode, Body]] = [
        (OpCode.CREATE_ID, Elements(NEW, (value(1, "URL", "x"),))),
        (OpCode.DELETE_ID, Named(f"{PREFIX}/pump-7")),
        (OpCode.ADD_ELEMENT, Elements(f"{PREFIX}/pump-7", (value(9, "URL", "x"),))),
        (OpCode.REMOVE_ELEMENT, Removal(f"{PREFIX}/pump-7", (1,))),
        (OpCode.MODIFY_ELEMENT, Elements(f"{PREFIX}/pump-7", (value(1, "URL", "x"),))),
        (OpCode.LIST_IDS, Named(f"0.NA/{PREFIX}")),
        (OpCode.LIST_DERIVED_PREFIXES, Named(f"0.NA/{PREFIX}")),
        (OpCode.LIST_HOMED_PREFIXES, Named("0.NA/0.NA")),
    ]
    for op, body in bodies:
        assert made.ask(request(op, body)).header.response == R.AUTHEN_NEEDED
        for proof in (b"", b"\x13" + bytes(32)):
            forged = by_hand(made, request(op, body), lambda _n, _d, proof=proof: proof, "HS_SECKEY", SECRET_INDEX)  # type: ignore[misc]
            assert forged.header.response in (R.AUTHEN_FAILED, R.PROTOCOL_ERROR)
    assert {record.handle: record for record in made.store.records(private=True)} == before


def data_of(world: World, handle: str) -> dict[int, bytes]:
    record = world.store.record(handle, private=True)
    return {} if record is None else {v.index: v.data for v in record.values}


@pytest.mark.parametrize("identity", [by_key, lambda: BY_SECRET], ids=["key", "secret"])
def test_the_life_of_a_handle(tmp_path: Path, identity: Callable[[], Identity]) -> None:
    who = identity()

    async def test(server: DoirpServer, world: World) -> None:
        place = address(server)

        async def do(op: int, body: Body) -> Body:
            return await administer(place, op, body, who)

        admin = admin_value(100, who.index)
        made = await do(OpCode.CREATE_ID, Elements(NEW, (value(1, "URL", "one"), admin)))
        assert made == Named(NEW)
        with pytest.raises(IdentifierError) as caught:
            await do(OpCode.CREATE_ID, Elements(NEW.upper(), (admin,)))
        assert caught.value.code == Code.HANDLE_EXISTS
        await do(OpCode.ADD_ELEMENT, Elements(NEW, (value(2, "NOTE", "two", PRIVATE),)))
        with pytest.raises(IdentifierError) as caught:
            await do(OpCode.ADD_ELEMENT, Elements(NEW, (value(3, "A", "x"), value(2, "B", "y"))))
        assert caught.value.code == Code.VALUE_EXISTS
        assert set(data_of(world, NEW)) == {1, 2, 100}, "all of a change or nothing"
        await do(OpCode.MODIFY_ELEMENT, Elements(NEW, (value(1, "URL", "changed"),)))
        assert data_of(world, NEW)[1] == b"changed"
        await do(OpCode.REMOVE_ELEMENT, Removal(NEW, (2, 77)))
        await do(OpCode.REMOVE_ELEMENT, Removal(NEW, (77,)))
        assert set(data_of(world, NEW)) == {1, 100}
        listed = await do(OpCode.LIST_IDS, Named(f"0.NA/{PREFIX}"))
        assert isinstance(listed, Names)
        assert NEW in listed.handles
        assert await do(OpCode.DELETE_ID, Named(NEW)) == Raw()
        assert world.store.record(NEW) is None

    run_with(tmp_path, test)


def test_refusals_leave_no_noise(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test(server: DoirpServer, _: World) -> None:
        for _again in range(3):
            with pytest.raises(IdentifierError):
                await administer(address(server), OpCode.DELETE_ID, Named(NEW), by_key())

    run_with(tmp_path, test)
    gc.collect()
    assert not caplog.records


def test_rights_are_kept_to(tmp_path: Path) -> None:
    async def test(server: DoirpServer, _: World) -> None:
        place, secret = address(server), f"{PREFIX}/secret"
        with pytest.raises(IdentifierError) as caught:
            await administer(place, OpCode.CREATE_ID, Elements(NEW, ()), BY_STRANGER)
        assert caught.value.code == Code.INSUFFICIENT_PERMISSIONS
        with pytest.raises(IdentifierError) as caught:
            await administer(place, OpCode.DELETE_ID, Named(secret), BY_SECRET)
        assert caught.value.code == Code.INSUFFICIENT_PERMISSIONS
        with pytest.raises(IdentifierError) as caught:
            await administer(place, OpCode.LIST_HOMED_PREFIXES, Named("0.NA/0.NA"), BY_SECRET)
        assert caught.value.code == Code.INVALID_ADMIN
        homed = await administer(place, OpCode.LIST_HOMED_PREFIXES, Named("0.NA/0.NA"), by_key())
        assert homed == Names((f"0.NA/{PREFIX}",))
        seen = await ask(place, Asked(Header(OpCode.RESOLUTION), Query(secret), BY_STRANGER))
        assert seen.code in (R.ACCESS_DENIED, R.SUCCESS)
        assert b"for administrators" not in seen.body.encode()

    run_with(tmp_path, test)


def test_options_of_a_creation(tmp_path: Path) -> None:
    async def test(server: DoirpServer, world: World) -> None:
        place, admin = address(server), admin_value(100, KEY_INDEX)

        async def create(handle: str, flags: int, *values: Value) -> Body:
            asked = Asked(Header(OpCode.CREATE_ID, flags=flags), Elements(handle, (*values, admin)), by_key())
            answered = await ask(place, asked)
            assert answered.code == R.SUCCESS
            return answered.body

        minted = await create(f"{PREFIX}/m-", OpFlag.MNS)
        assert isinstance(minted, Named)
        assert minted.handle.startswith(f"{PREFIX}/m-")
        assert len(minted.handle) == len(f"{PREFIX}/m-") + 32
        await create(NEW, 0, value(1, "URL", "old"))
        await create(NEW, OpFlag.OWE, value(2, "URL", "new"))
        assert set(data_of(world, NEW)) == {2, 100}

    run_with(tmp_path, test)


def test_long_lists_come_in_several_messages(tmp_path: Path) -> None:
    async def test(server: DoirpServer, world: World) -> None:
        changes = [Change("create", f"{PREFIX}/n{number:05}", ()) for number in range(2_500)]
        for future in [world.store.submit(change) for change in changes]:
            future.result()
        asked = Asked(Header(OpCode.LIST_IDS), Named(f"0.NA/{PREFIX}"), by_key(), certified=True)
        answered = await ask(address(server), asked)
        assert isinstance(answered.body, Names)
        assert len(answered.bodies) == 2
        assert len({name for name in answered.body.handles if "/n" in name}) == 2_500
        prefixes = await administer(address(server), OpCode.LIST_DERIVED_PREFIXES, Named(f"0.NA/{PREFIX}"), by_key())
        assert prefixes == Names(())

    run_with(tmp_path, test)


def test_administration_over_udp(tmp_path: Path) -> None:
    async def test(server: DoirpServer, world: World) -> None:
        values = (value(1, "URL", "x" * 1_500), admin_value(100, KEY_INDEX))
        await administer(address(server, udp=True), OpCode.CREATE_ID, Elements(NEW, values), by_key())
        assert data_of(world, NEW)[1] == b"x" * 1_500

    run_with(tmp_path, test)


def test_many_administrators_at_once(tmp_path: Path) -> None:
    async def test(server: DoirpServer, world: World) -> None:
        place = address(server)
        admin = admin_value(100, KEY_INDEX)
        bodies = [Elements(f"{PREFIX}/c{number}", (admin,)) for number in range(30)]
        await asyncio.gather(*(administer(place, OpCode.CREATE_ID, body, BY_SECRET) for body in bodies))
        assert len(list(world.store.keys(f"{PREFIX}/c"))) == 30

    run_with(tmp_path, test)


def test_verification_of_a_proof(made: World) -> None:
    nonce, digest = bytes(20), bytes(32)
    proof = prove_secret(SECRET, nonce + digest, Mac.HMAC_SHA256)
    for sent, match in ((proof, True), (proof[:-1] + b"\0", False)):
        asked = request(OpCode.VERIFY_RESPONSE, Verification(ADMIN, SECRET_INDEX, nonce, digest, sent))
        answer = made.ask(asked)
        own, body = decode_body(answer.header, answer.body)
        assert body == Verified(match)
        assert own is not None
        assert own.digest == hashlib.sha256(asked.encode()[20:-4]).digest()
    for wrong in (
        Verification(ADMIN, KEY_INDEX, nonce, digest, proof),
        Verification(ADMIN, SECRET_INDEX, nonce, b"short", proof),
        Verification(NEW, SECRET_INDEX, nonce, digest, proof),
    ):
        assert made.ask(request(OpCode.VERIFY_RESPONSE, wrong)).header.response == R.AUTHEN_FAILED


def test_an_expired_request_is_not_carried_out_after_its_proof(made: World) -> None:
    asked = request(OpCode.DELETE_ID, Named(f"{PREFIX}/pump-7"))
    late = replace(asked, header=replace(asked.header, expires_s=int(made.service.clock()) + 60))
    session, nonce, digest = challenged(made, late)
    service = made.service
    clock, service.clock = service.clock, lambda: clock() + 120
    try:
        answer = made.ask(proof_message(session, "HS_SECKEY", SECRET_INDEX, prove_secret(SECRET, nonce + digest)))
    finally:
        service.clock = clock
    assert answer.header.response == R.ERROR
    assert made.store.record(f"{PREFIX}/pump-7") is not None
