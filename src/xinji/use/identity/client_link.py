"""One request to one DO-IRP server and its answer, over TCP or UDP; proof of identity where it is asked for."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass, replace

from xinji.use.identity.doirp.bodies import Body, Challenge, ChallengeAnswer, Failure, Names, decode_body
from xinji.use.identity.doirp.codes import (
    ENVELOPE_OCTETS,
    PUBLIC_KEY,
    SECRET_KEY,
    Digest,
    OpCode,
    OpFlag,
    ResponseCode,
)
from xinji.use.identity.doirp.fragments import Assembly, split
from xinji.use.identity.doirp.message import (
    Envelope,
    Header,
    Message,
    decode_envelope,
    decode_message,
    request_digest,
    signed_octets,
)
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.keys import Secret, SigningKey, prove_key, prove_secret, verify

ANSWER_OCTETS = 16 * 2**20
"""Longest answer taken [octets]."""

MOST_PARTS = 1_024
"""Most messages that one answer may consist of (flag CN)."""

TIMEOUT_S = 5.0
"""How long an answer over TCP may take [s]."""

UDP_TIMEOUT_S, UDP_TRIES = 2.0, 3
"""After how long a request over UDP is sent again [s] (RFC 3652, section 2.1.2: 2 to 5 s), and how often."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens; ``public_key`` (data of HS_PUBKEY) verifies what it signs."""

    host: str
    port: int
    udp: bool = False
    public_key: bytes = b""

    def __str__(self) -> str:
        return f"{self.host}:{self.port} ({'UDP' if self.udp else 'TCP'})"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: the handle and index under which the public half of ``key``, or the secret, is registered."""

    handle: str
    index: int
    key: SigningKey | Secret


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and how to ask it: signed answer wanted, proving who asks, within ``timeout_s``."""

    header: Header
    body: Body
    identity: Identity | None = None
    certified: bool = False
    timeout_s: float = TIMEOUT_S


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer: its response code and its body; ``bodies`` where it came in several messages."""

    code: int
    body: Body
    bodies: tuple[Body, ...] = ()


def _broken(address: Address, message: str) -> IdentifierError:
    return refuse(Code.ERROR, f"server {address}", message, "Try again, or ask another server.")


async def _read(reader: asyncio.StreamReader, address: Address) -> bytes:
    front = await reader.readexactly(ENVELOPE_OCTETS)
    octets = decode_envelope(front).length
    if octets > ANSWER_OCTETS:
        raise _broken(address, f"the answer is said to have {octets} octets, more than {ANSWER_OCTETS}")
    return front + await reader.readexactly(octets)


async def _over_tcp(address: Address, request: bytes, number: int) -> list[bytes]:
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(request)
        found: list[bytes] = []
        while len(found) < MOST_PARTS:
            octets = await _read(reader, address)
            message = decode_message(octets)
            if message.envelope.request != number:
                continue
            found.append(octets)
            if not message.header.flags & OpFlag.CN:
                return found
        raise _broken(address, f"the answer has more than {MOST_PARTS} messages")
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


class _Answers(asyncio.DatagramProtocol):
    """Waits for the datagrams of one answer."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._assembly = Assembly(most=1, most_octets=ANSWER_OCTETS)
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002 (asyncio's own signature)
        """Keep ``data`` if it belongs to the answer; what does not is dropped."""
        with suppress(IdentifierError):
            if self.answer.done() or decode_envelope(data).request != self._number:
                return
            message = self._assembly.add("server", data)
            if message is not None:
                self.answer.set_result(message)

    def error_received(self, exc: Exception) -> None:
        """Fail at once where nobody listens."""
        if not self.answer.done():
            self.answer.set_exception(exc)


async def _over_udp(address: Address, request: bytes, number: int) -> list[bytes]:
    loop = asyncio.get_running_loop()
    transport, answers = await loop.create_datagram_endpoint(
        lambda: _Answers(number), remote_addr=(address.host, address.port)
    )
    try:
        for _ in range(UDP_TRIES):
            for part in split(request):
                transport.sendto(part)
            with suppress(TimeoutError):
                return [await asyncio.wait_for(asyncio.shield(answers.answer), UDP_TIMEOUT_S)]
    finally:
        answers.answer.cancel()
        transport.close()
    raise _broken(address, f"no answer after {UDP_TRIES} requests")


async def _exchange(address: Address, message: Message, timeout_s: float) -> list[Message]:
    """Send ``message`` and return the answer's messages; raises IdentifierError where none comes."""
    send = _over_udp if address.udp else _over_tcp
    try:
        async with asyncio.timeout(timeout_s + (UDP_TRIES * UDP_TIMEOUT_S if address.udp else 0.0)):
            found = await send(address, message.encode(), message.envelope.request)
    except TimeoutError:
        raise _broken(address, f"no answer within {timeout_s:g} s") from None
    except asyncio.IncompleteReadError:
        raise _broken(address, "the connection was closed before the answer was whole") from None
    except OSError as error:
        raise _broken(address, f"it cannot be reached: {error.strerror or type(error).__name__}") from None
    return [decode_message(octets) for octets in found]


def _check_signature(address: Address, answer: Message) -> None:
    credential = answer.credential
    if credential is None or not answer.header.flags & OpFlag.CT:
        raise _broken(address, "the answer is not signed, though that was asked for")
    if not address.public_key:
        raise _broken(address, "its public key is not known, so that nothing it signs can be verified")
    signed = signed_octets(answer, credential.index)
    if not verify(address.public_key, signed, credential.signature, credential.digest):
        raise _broken(address, "the signature of the answer is wrong")


def _check_digest(address: Address, answer: Message, request: bytes) -> None:
    digest, _ = decode_body(answer.header, answer.body)
    if digest is None or digest.digest != request_digest(request, digest.algorithm):
        raise _broken(address, "the answer is to another request than the one sent")


def _proof(identity: Identity, answer: Message) -> ChallengeAnswer:
    digest, challenge = decode_body(answer.header, answer.body)
    if digest is None or digest.algorithm == Digest.MD5 or not isinstance(challenge, Challenge):
        raise refuse(Code.ERROR, "challenge", "the challenge has no SHA digest of the request", "Ask another server.")
    octets = challenge.nonce + digest.digest
    if isinstance(identity.key, Secret):
        return ChallengeAnswer(SECRET_KEY, identity.handle, identity.index, prove_secret(identity.key, octets))
    return ChallengeAnswer(PUBLIC_KEY, identity.handle, identity.index, prove_key(identity.key, octets))


async def ask(address: Address, asked: Asked) -> Answered:
    """Return the answer of the server at ``address``, whatever it is; challenges are answered if there is an identity.

    Raises IdentifierError where no answer comes, it is malformed, or, of a certified request, its signature
    or its digest is wrong.
    """
    flags = asked.header.flags | (OpFlag.CT | OpFlag.RD if asked.certified else 0)
    header = replace(asked.header, flags=flags)
    message = Message(Envelope(secrets.randbits(31)), header, asked.body.encode())
    first = message.encode()
    answers = await _exchange(address, message, asked.timeout_s)
    if answers[0].header.response == ResponseCode.AUTHEN_NEEDED and asked.identity is not None:
        if asked.certified:
            _check_signature(address, answers[0])
        # Without this check a false server could have us sign for a request that we never made.
        _check_digest(address, answers[0], first)
        proof = _proof(asked.identity, answers[0])
        envelope = Envelope(secrets.randbits(31), session=answers[0].envelope.session)
        message = Message(envelope, Header(OpCode.CHALLENGE_RESPONSE, flags=flags), proof.encode())
        answers = await _exchange(address, message, asked.timeout_s)
    found = []
    for answer in answers:
        if asked.certified:
            _check_signature(address, answer)
        found.append(decode_body(answer.header, answer.body)[1])
    if asked.certified:
        _check_digest(address, answers[0], first)
    body = found[0]
    if len(found) > 1 and all(isinstance(part, Names) for part in found):
        body = Names(tuple(name for part in found if isinstance(part, Names) for name in part.handles))
    return Answered(answers[0].header.response, body, tuple(found))


def succeeded(answered: Answered, place: str) -> Body:
    """Return the body of a success; raises IdentifierError with the server's own words for anything else."""
    if answered.code == ResponseCode.SUCCESS:
        return answered.body
    text = answered.body.text if isinstance(answered.body, Failure) else ""
    known = {int(code): code for code in ResponseCode}
    meaning = known[answered.code].meaning if answered.code in known else f"response {answered.code}"
    codes = {int(code): code for code in Code}
    code = codes.get(answered.code, Code.ERROR)
    raise refuse(code, place, f"{meaning}{': ' if text else ''}{text}", "See what the server says.")
