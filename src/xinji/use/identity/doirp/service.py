"""What a server answers to a message: pure of sockets, one message in, octets or something to wait for out."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from xinji.errors import XinjiError
from xinji.use.identity.doirp import bodies
from xinji.use.identity.doirp.bodies import Body, Failure, Raw, RequestDigest, decode_body, encode_body
from xinji.use.identity.doirp.challenges import Challenges
from xinji.use.identity.doirp.codes import (
    ENVELOPE_OCTETS,
    MAJORS,
    SIGNED,
    VERSION,
    Digest,
    OpCode,
    OpFlag,
    ResponseCode,
)
from xinji.use.identity.doirp.message import (
    Credential,
    Envelope,
    Header,
    Message,
    decode_envelope,
    decode_header,
    decode_message,
    malformed,
    request_digest,
    signed_octets,
)
from xinji.use.identity.doirp.proofs import Proofs
from xinji.use.identity.errors import IdentifierError
from xinji.use.identity.keys import SigningKey
from xinji.use.identity.node import Node
from xinji.use.identity.store import Reader
from xinji.use.identity.trust import ANONYMOUS_REQUESTER, Requester
from xinji.use.identity.value_data import Site

LOGGER = logging.getLogger(__name__)

MOST_RECURSIONS = 10
"""How often a request may have been passed on (RFC 3652, section 2.2.2.5)."""

MOST_TEXT = 400
"""Longest explanation sent with an error [characters]."""

SINCE_SHA256 = (2, 8)
"""Version since which digests are made with SHA-256; RFC 3652 knows MD5 and SHA-1 only."""

EMPTY_FAILURES = (ResponseCode.ID_NOT_FOUND, ResponseCode.SERVER_BUSY)
"""Errors whose body is empty (RFC 3652, section 3.2.3)."""

ECHOED = OpFlag.KC | OpFlag.PO
"""Flags of a request that its answer keeps."""

_MISTAKES = (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, RuntimeError, TypeError, ValueError)
"""What a mistake of ours could raise; the client learns no more than that there was one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a request came to; ``session`` and ``digest`` of a challenge, ``more`` where more messages follow.

    What another node said is not ``authoritative``.
    """

    code: int
    body: Body = field(default_factory=Raw)
    session: int = 0
    digest: RequestDigest | None = None
    more: tuple[Body, ...] = ()
    authoritative: bool = True


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that waits for ``future``; ``then`` says what it comes to."""

    future: Future[Any]
    then: Callable[[], Step]


@dataclass(frozen=True, slots=True)
class Later:
    """An answer that waits for ``future``; ``finish`` gives the octets, or something more to wait for."""

    future: Future[Any]
    finish: Callable[[], bytes | Later]


@dataclass(frozen=True, slots=True, repr=False)
class Ask:
    """A request: the octets it came in, what they say and who stands behind it.

    ``reply``: the envelope of the proof that let it pass a challenge; the answer goes back to that.
    """

    octets: bytes
    message: Message
    body: Body
    network: int = 0
    requester: Requester = ANONYMOUS_REQUESTER
    reply: Envelope | None = None

    @property
    def envelope(self) -> Envelope:
        """The envelope that the answer goes back to."""
        return self.message.envelope if self.reply is None else self.reply


Step = Outcome | Pending | Ask
"""What a handler comes to; another request is carried out, and answered, instead."""

Handler = Callable[["Service", Ask], Step]


def failed(code: int, text: str = "", indexes: tuple[int, ...] = ()) -> Outcome:
    """Return the outcome of a request that failed."""
    return Outcome(code, Failure() if code in EMPTY_FAILURES else Failure(text[:MOST_TEXT], indexes))


def _own_version(version: tuple[int, int]) -> tuple[int, int]:
    return version if version[0] in MAJORS else VERSION


def refusal(octets: bytes, code: int, text: str = "") -> bytes:
    """Return the error answer to a message of which no more than the envelope need be readable."""
    try:
        envelope = decode_envelope(octets)
    except IdentifierError:
        envelope = Envelope(0)
    try:
        header, _ = decode_header(octets, ENVELOPE_OCTETS)
    except IdentifierError:
        header = Header(OpCode.RESERVED)
    reply = Envelope(envelope.request, version=_own_version(envelope.version))
    head = Header(header.op, code, header.flags & ECHOED, recursion=header.recursion)
    return Message(reply, head, failed(code, text).body.encode()).encode()


@dataclass(slots=True, repr=False)
class Service:
    """The DO-IRP face of ``node``; ``reader`` is the serving thread's own view of the store.

    ``key`` signs answers where it is asked for, ``site`` is the service information that is handed out.
    ``primary`` says whether changes are taken. ``handlers`` hold what each operation does (``operations``).
    ``proofs`` checks those of requesters; ``verifications`` those that are sent to be verified, apart from them,
    since the sender of a datagram can be made up and must keep nobody from proving itself.
    """

    node: Node
    reader: Reader
    handlers: Mapping[int, Handler]
    proofs: Proofs
    verifications: Proofs
    key: SigningKey | None = None
    site: Site | None = None
    primary: bool = True
    challenges: Challenges = field(default_factory=Challenges)
    clock: Callable[[], float] = time.time
    workers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "doirp-keys"))

    @property
    def serial(self) -> int:
        """Serial number of the service information."""
        return 0 if self.site is None else self.site.serial

    def refresh(self) -> None:
        """See the newest records from now on."""
        self.reader.refresh()

    def rest(self) -> None:
        """Let go of the store's snapshot until the next ``refresh``."""
        self.reader.rest()

    def close(self) -> None:
        """Let go of the snapshot and end the threads for keys; no message is answered afterwards."""
        self.reader.rest()
        self.proofs.close()
        self.verifications.close()
        self.workers.shutdown()

    def answer(self, octets: bytes, network: int = 0) -> bytes | Later:
        """Return the answer to the message in ``octets``; whatever goes wrong is an answer too."""
        try:
            ask = self._read(octets, network)
        except IdentifierError as error:
            return refusal(octets, error.code, str(error))
        return self._settle(ask, self._guarded(ask, lambda: self._carry_out(ask)))

    def _read(self, octets: bytes, network: int) -> Ask:
        message = decode_message(octets)
        if message.header.response != ResponseCode.RESERVED:
            raise malformed("header", f"response code {message.header.response} stands in a request")
        _, body = decode_body(message.header, message.body)
        return Ask(octets, message, body, network)

    def _carry_out(self, ask: Ask) -> Step:
        handler = self.handlers.get(ask.message.header.op)
        code, text = self._unmet(ask)
        if code:
            return failed(code, text)
        if handler is None:
            return failed(ResponseCode.OPERATION_DENIED, f"operation {ask.message.header.op} is not offered")
        return handler(self, ask)

    def _unmet(self, ask: Ask) -> tuple[int, str]:
        """Return with which code, and why, ``ask`` is refused whatever it asks for; 0 if it is not."""
        header = ask.message.header
        if header.expires_s and header.expires_s < self.clock():
            return ResponseCode.ERROR, "the request has expired"
        if header.recursion > MOST_RECURSIONS:
            return ResponseCode.RECUR_LIMIT_EXCEEDED, f"passed on {header.recursion} times"
        if header.flags & OpFlag.ENC:
            return ResponseCode.SESSION_FAILED, "there are no sessions here, so nothing can be encrypted"
        if header.flags & OpFlag.CT and self.key is None:
            return ResponseCode.OPERATION_DENIED, "this server has no key to sign with"
        if ask.message.envelope.session and header.op != OpCode.CHALLENGE_RESPONSE:
            return ResponseCode.SESSION_TIMEOUT, "there is no such session"
        return 0, ""

    def challenge(self, ask: Ask) -> Outcome:
        """Return the challenge to prove who stands behind ``ask`` (RFC 3652, section 3.5.1)."""
        modern = ask.message.envelope.version >= SINCE_SHA256
        algorithm = Digest.SHA256 if modern else Digest.SHA1
        session, challenge = self.challenges.issue(ask.octets, algorithm, ask.network)
        from_digest = RequestDigest(algorithm, challenge.digest)
        return Outcome(ResponseCode.AUTHEN_NEEDED, bodies.Challenge(challenge.nonce), session, from_digest)

    def _guarded(self, ask: Ask, work: Callable[[], Step]) -> Step:
        try:
            return work()
        except IdentifierError as error:
            return failed(error.code, str(error))
        except (*_MISTAKES, XinjiError) as error:
            # The text could hold what the client sent, secrets too: its kind is enough to look it up.
            LOGGER.error("%s in operation %d", type(error).__name__, ask.message.header.op)  # noqa: TRY400
            return failed(ResponseCode.ERROR, "the node could not carry this out; its log says more")

    def _settle(self, ask: Ask, step: Step) -> bytes | Later:
        if isinstance(step, Ask):
            return self._settle(step, self._guarded(step, lambda: self._carry_out(step)))
        if isinstance(step, Pending):
            then = step.then
            return Later(step.future, lambda: self._settle(ask, self._guarded(ask, then)))
        return self._encode(ask, step)

    def _encode(self, ask: Ask, outcome: Outcome) -> bytes | Later:
        header = ask.message.header
        flags = header.flags & ECHOED | (OpFlag.AT if self.primary and outcome.authoritative else 0)
        digest = outcome.digest
        if digest is None and header.flags & OpFlag.RD:
            modern = ask.message.envelope.version >= SINCE_SHA256
            algorithm = Digest.SHA256 if modern else Digest.SHA1
            digest = RequestDigest(algorithm, request_digest(ask.octets, algorithm))
        if digest is not None:
            flags |= OpFlag.RD
        key = self.key if header.flags & OpFlag.CT else None
        if key is not None:
            flags |= OpFlag.CT
        reply = ask.envelope
        envelope = Envelope(reply.request, session=outcome.session, version=_own_version(reply.version))
        messages = []
        parts = (outcome.body, *outcome.more)
        for place, body in enumerate(parts):
            more = OpFlag.CN if place + 1 < len(parts) else 0
            head = Header(header.op, outcome.code, flags | more, self.serial, header.recursion)
            messages.append(Message(envelope, head, encode_body(body, digest)))
        if key is None:
            return b"".join(message.encode() for message in messages)
        future = self.workers.submit(_signed, key, messages)
        return Later(future, future.result)


def _signed(key: SigningKey, messages: list[Message]) -> bytes:
    found = []
    for message in messages:
        credential = Credential(SIGNED, "SHA-256", key.sign(signed_octets(message)))
        found.append(replace(message, credential=credential).encode())
    return b"".join(found)
