"""Proofs: none can be guessed, none costs much, and a network may get few of them wrong."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.doirp_world import ADMIN, PREFIX, SECRET, SECRET_INDEX, World, world
from xinji.use.identity.doirp.bodies import Challenge, ChallengeAnswer, Named, Verification, decode_body
from xinji.use.identity.doirp.codes import Mac, OpCode, ResponseCode
from xinji.use.identity.doirp.message import Envelope, Header, Message, decode_message
from xinji.use.identity.doirp.proofs import ProofLimits, Proofs
from xinji.use.identity.doirp.service import Later
from xinji.use.identity.errors import IdentifierError
from xinji.use.identity.keys import Secret, check_secret, prove_secret
from xinji.use.identity.limits import WRONG_PROOFS, Allowance, RateLimiter
from xinji.use.identity.record import Value
from xinji.use.identity.wire import string, u32

R = ResponseCode
HERE, THERE = 1, 2
NONCE, DIGEST = bytes(20), bytes(32)
BURST = int(WRONG_PROOFS.burst)
Prove = Callable[[bytes], bytes]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[World]:
    """A world that counts wrong proofs as a node does, by a clock that stands."""
    found = world(tmp_path)
    for proofs in (found.service.proofs, found.service.verifications):
        proofs.wrong = RateLimiter(WRONG_PROOFS, clock=lambda: 0.0)
    yield found
    found.service.close()
    found.store.close()


def answered(made: World, message: Message, network: int) -> Message:
    """What a client of ``network`` is answered."""
    found = made.service.answer(message.encode(), network)
    while isinstance(found, Later):
        found.future.exception()
        found = found.finish()
    return decode_message(found)


def proved(made: World, prove: Prove, *, network: int = HERE, proving: int | None = None) -> int:
    """The response to a deletion asked for in ``network`` and proved in ``proving``."""
    made.service.refresh()
    asked = Message(Envelope(1), Header(OpCode.DELETE_ID), Named(f"{PREFIX}/nothing").encode())
    first = answered(made, asked, network)
    digest, body = decode_body(first.header, first.body)
    assert isinstance(body, Challenge)
    assert digest is not None
    sent = ChallengeAnswer("HS_SECKEY", ADMIN, SECRET_INDEX, prove(body.nonce + digest.digest)).encode()
    message = Message(Envelope(2, session=first.envelope.session), Header(OpCode.CHALLENGE_RESPONSE), sent)
    return answered(made, message, network if proving is None else proving).header.response


def right(challenge: bytes) -> bytes:
    """Prove the secret."""
    return prove_secret(SECRET, challenge)


def wrong(challenge: bytes) -> bytes:
    """Prove another secret."""
    return prove_secret(Secret(b"a guess"), challenge)


def short_key(bits: int) -> Prove:
    """Guess a derived key of so many bits."""
    return lambda challenge: (
        bytes((Mac.PBKDF2_HMAC_SHA1,))
        + string(b"salt")
        + u32(1)
        + u32(bits)
        + string(hmac.digest(bytes(bits // 8), challenge, "sha1"))
    )


@pytest.mark.parametrize("bits", [0, 1, 8, 16, 152, 159])
def test_a_client_cannot_have_a_key_short_enough_to_guess(bits: int) -> None:
    with pytest.raises(IdentifierError, match="160"):
        check_secret(SECRET, NONCE, short_key(bits)(NONCE))
    assert check_secret(SECRET, NONCE, prove_secret(SECRET, NONCE, Mac.PBKDF2_HMAC_SHA1))


def test_guessing_a_short_key_proves_nothing(made: World) -> None:
    made.service.proofs.wrong = RateLimiter(Allowance(1e6, 1e6))
    responses = {proved(made, short_key(8)) for _ in range(600)}
    assert R.SUCCESS not in responses
    assert R.ID_NOT_FOUND not in responses
    assert proved(made, right) == R.ID_NOT_FOUND


def test_a_network_may_get_few_proofs_wrong(made: World) -> None:
    assert {proved(made, wrong) for _ in range(BURST)} == {R.AUTHEN_FAILED}
    assert proved(made, wrong) == R.SERVER_BUSY
    # Nor does it learn that a proof is right; others are not shut out.
    assert proved(made, right) == R.SERVER_BUSY
    assert proved(made, right, network=THERE) == R.ID_NOT_FOUND


def test_malformed_proofs_count_too(made: World) -> None:
    for _ in range(BURST):
        assert proved(made, lambda _: b"") == R.PROTOCOL_ERROR
    assert proved(made, right) == R.SERVER_BUSY


def test_right_proofs_are_free(made: World) -> None:
    assert {proved(made, right) for _ in range(3 * BURST)} == {R.ID_NOT_FOUND}


def test_a_challenge_is_answered_from_where_it_was_asked_for(made: World) -> None:
    assert proved(made, right, network=HERE, proving=THERE) == R.AUTHEN_TIMEOUT
    # A sender that was made up costs the network it names nothing.
    for _ in range(2 * BURST):
        assert proved(made, wrong, network=HERE, proving=THERE) == R.AUTHEN_TIMEOUT
    assert proved(made, right, network=THERE) == R.ID_NOT_FOUND


def test_verifying_others_proofs_is_counted_apart(made: World) -> None:
    def verified(proof: bytes) -> int:
        body = Verification(ADMIN, SECRET_INDEX, NONCE, DIGEST, proof)
        return answered(made, Message(Envelope(1), Header(OpCode.VERIFY_RESPONSE), body.encode()), HERE).header.response

    made.service.refresh()
    for _ in range(BURST):
        assert verified(wrong(NONCE + DIGEST)) == R.SUCCESS
    assert verified(right(NONCE + DIGEST)) == R.SERVER_BUSY
    assert proved(made, right) == R.ID_NOT_FOUND


def test_proofs_sent_all_at_once_are_not_told_right_from_wrong_either() -> None:
    proofs = Proofs(RateLimiter(WRONG_PROOFS, clock=lambda: 0.0))
    key = Value(index=1, type="HS_SECKEY", data=SECRET.octets)
    sent = [*(wrong(NONCE) for _ in range(2 * BURST)), right(NONCE)]
    futures = [proofs.submit(HERE, key, (NONCE,), proof) for proof in sent]
    found = [None if future is None else proofs.right(HERE, future) for future in futures]
    proofs.close()
    assert found == [False] * BURST + [None] * (BURST + 1)


def test_few_proofs_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()

    def slow(*_: object) -> bool:
        return go.wait(60.0)

    monkeypatch.setattr("xinji.use.identity.doirp.proofs.check_proof", slow)
    proofs = Proofs(RateLimiter(Allowance(1e6, 1e6)), ProofLimits(each=3, most=5))
    key = Value(index=1, type="HS_SECKEY", data=SECRET.octets)

    def taken(network: int) -> list[bool]:
        return [proofs.submit(network, key, (NONCE,), b"") is not None for _ in range(4)]

    assert taken(HERE) == [True, True, True, False]
    assert taken(THERE) == [True, True, False, False]
    go.set()
    proofs.close()
    assert not proofs._waiting
