"""Proofs sent twice, proofs for something else, altered signatures, forged and expired tokens: none is taken."""

from __future__ import annotations

import base64
import hmac
import json
import socket
import time
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from support.http_node import ADMIN, HIDDEN, PASSWORD, PREFIX, THING
from support.secured_node import Secured, admins_key, basic
from xinji.use.identity.certificates import Tokens
from xinji.use.identity.doirp.bodies import Body, Challenge, ChallengeAnswer, Elements, Named, decode_body
from xinji.use.identity.doirp.codes import PUBLIC_KEY, OpCode, ResponseCode
from xinji.use.identity.doirp.message import Envelope, Header, Message, decode_message
from xinji.use.identity.http import faces
from xinji.use.identity.keys import prove_key
from xinji.use.identity.record import Value
from xinji.use.identity.trust import Requester, Standing

R = ResponseCode


def exchanged(node: Secured, octets: bytes) -> Message:
    """The answer to ``octets`` on a connection of its own, as who records and replays them would send them."""
    with socket.create_connection((node.host, node.doirp_port), timeout=60) as connection:
        connection.sendall(octets)
        front = _exactly(connection, 20)
        return decode_message(front + _exactly(connection, int.from_bytes(front[16:], "big")))


def _exactly(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = connection.recv(count - len(found))
        assert part, "the connection ended within an answer"
        found += part
    return found


def request(op: int, body: Body) -> bytes:
    return Message(Envelope(7), Header(op), body.encode()).encode()


def challenged(node: Secured, octets: bytes) -> tuple[int, bytes]:
    """Session and octets to be signed of the challenge to the request ``octets``."""
    answer = exchanged(node, octets)
    assert answer.header.response == R.AUTHEN_NEEDED
    digest, body = decode_body(answer.header, answer.body)
    assert digest is not None
    assert isinstance(body, Challenge)
    return answer.envelope.session, body.nonce + digest.digest


def proof(session: int, octets: bytes) -> bytes:
    answer = ChallengeAnswer(PUBLIC_KEY, ADMIN, 301, octets)
    return Message(Envelope(8, session=session), Header(OpCode.CHALLENGE_RESPONSE), answer.encode()).encode()


def creation(name: str) -> bytes:
    return request(OpCode.CREATE_ID, Elements(f"{PREFIX}/{name}", (Value(index=1, type="URL", data=b"https://x/"),)))


def test_doirp_proof_is_good_once(node: Secured) -> None:
    session, octets = challenged(node, creation("once"))
    signed = proof(session, prove_key(admins_key(), octets))
    assert exchanged(node, signed).header.response == R.SUCCESS
    assert exchanged(node, request(OpCode.DELETE_ID, Named(f"{PREFIX}/once"))).header.response == R.AUTHEN_NEEDED
    for _ in range(3):
        assert exchanged(node, signed).header.response == R.AUTHEN_TIMEOUT
    assert node.store.record(f"{PREFIX}/once") is not None


def test_doirp_proof_is_good_for_its_request_alone(node: Secured) -> None:
    _, octets = challenged(node, creation("harmless"))
    good = prove_key(admins_key(), octets)
    session, _ = challenged(node, request(OpCode.DELETE_ID, Named(THING)))
    assert exchanged(node, proof(session, good)).header.response == R.AUTHEN_FAILED
    assert node.store.record(THING) is not None


@pytest.mark.parametrize("place", [0, 5, 40, -1])
def test_doirp_altered_signatures(node: Secured, place: int) -> None:
    session, octets = challenged(node, request(OpCode.DELETE_ID, Named(THING)))
    good = bytearray(prove_key(admins_key(), octets))
    good[place] ^= 1
    assert exchanged(node, proof(session, bytes(good))).header.response not in (R.SUCCESS, R.AUTHEN_NEEDED)
    assert node.store.record(THING) is not None
    # The failed attempt has spent the challenge: nobody tries again and again.
    good[place] ^= 1
    assert exchanged(node, proof(session, bytes(good))).header.response == R.AUTHEN_TIMEOUT


def test_doirp_sessions_cannot_be_guessed(node: Secured) -> None:
    sessions = [challenged(node, request(OpCode.DELETE_ID, Named(THING)))[0] for _ in range(40)]
    assert len(set(sessions)) == 40
    steps = {later - earlier for earlier, later in pairwise(sessions)}
    assert len(steps) > 30


def handle_header(session: str, cnonce: bytes, signature: bytes) -> dict[str, str]:
    sent = [base64.b64encode(part).decode() for part in (cnonce, signature)]
    text = (
        f'Handle sessionId="{session}", cnonce="{sent[0]}", id="301:{ADMIN}", type="HS_PUBKEY", alg="SHA256", '
        f'signature="{sent[1]}"'
    )
    return {"Authorization": text}


def http_challenge(node: Secured) -> tuple[str, bytes]:
    found = node.http("POST", "/api/sessions").json
    return found["sessionId"], base64.b64decode(found["nonce"])


def test_handle_proof_over_http_is_good_once_and_in_its_session(node: Secured) -> None:
    path = f"/api/handles/{THING}"
    session, nonce = http_challenge(node)
    signature = admins_key().sign(nonce + b"c" * 16)
    signed = handle_header(session, b"c" * 16, signature)
    other, _ = http_challenge(node)
    assert node.http("GET", path, headers=handle_header(other, b"c" * 16, signature)).status == 401
    assert HIDDEN.encode() in node.http("GET", path, headers=signed).body
    replayed = node.http("GET", path, headers=signed)
    assert replayed.status == 401
    assert HIDDEN.encode() not in replayed.body
    altered = handle_header(other, b"c" * 16, bytes(256))
    assert node.http("DELETE", path, headers=altered).status == 401


def test_enterprise_challenge_is_good_once(node: Secured) -> None:
    base = "/api/v1/doip/public"
    number = node.http("GET", f"{base}/challenge?handle={ADMIN}").json["data"]
    body = {"handle": ADMIN, "signature": base64.b64encode(admins_key().sign(number.encode())).decode()}
    forged = body | {"signature": base64.b64encode(bytes(256)).decode()}
    answers = [
        node.http("POST", f"{base}/verify-response", body=json.dumps(one).encode()).json["code"]
        for one in (forged, body, body)
    ]
    assert answers == [401, 1, 401]


def token_of(node: Secured) -> str:
    body = json.dumps({"username": "admin", "password": PASSWORD}).encode()
    token = node.http("POST", "/identity/token", body=body).json["data"]["token"]
    assert isinstance(token, str)
    return token


def part(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def test_tokens_cannot_be_forged(node: Secured) -> None:
    good = token_of(node)
    head, claims, signature = good.split(".")
    later = part({"sub": f"300:{ADMIN}", "iat": 0, "exp": int(time.time()) + 10**6, "jti": "x"})
    none = part({"alg": "none", "typ": "JWT"})
    own = Tokens(b"k" * 32).make(Requester(Standing.AUTHENTICATED, ADMIN, 300), now_s=int(time.time()))
    public = hmac.digest(admins_key().public, f"{head}.{later}".encode(), "sha256")
    as_secret = f"{head}.{later}.{base64.urlsafe_b64encode(public).rstrip(b'=').decode()}"
    forged = (
        f"{none}.{later}.", f"{none}.{claims}.{signature}", f"{head}.{later}.{signature}", f"{head}.{claims}.", own,
        good[:-4], as_secret, "..", "",
    )  # fmt: skip
    path = f"/api/handles/{THING}"
    assert HIDDEN.encode() in node.http("GET", path, headers={"Authorization": f"Bearer {good}"}).body
    for token in forged:
        reply = node.http("GET", path, headers={"Authorization": f"Bearer {token}"})
        assert reply.status == 401, token
        assert HIDDEN.encode() not in reply.body


def test_tokens_expire(node: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    token = {"Authorization": f"Bearer {token_of(node)}"}
    path = f"/identityv2/data/detail?handle={THING}"
    assert node.http("GET", path, headers=token).json["status"] == 1
    ahead = SimpleNamespace(time=lambda: time.time() + 86_402)
    monkeypatch.setattr(faces, "time", ahead)
    assert node.http("GET", path, headers=token).json["status"] == -1
    monkeypatch.undo()
    assert node.http("GET", path, headers=token).json["status"] == 1


def test_a_password_of_yesterday_is_not_taken(node: Secured) -> None:
    body = json.dumps({"username": "admin", "password": "0" * 64}).encode()
    assert node.http("POST", "/identity/token/v1", body=body).json["status"] == -2
    assert node.http("GET", f"/api/handles/{THING}", headers=basic(ADMIN, "")).status == 401
