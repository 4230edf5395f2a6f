"""One TCP connection of the DO-IRP server: takes octets in, keeps answers in order, and never more than it must."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from xinji.use.identity.doirp.codes import ENVELOPE_OCTETS, MAJORS, OpCode, OpFlag, ResponseCode
from xinji.use.identity.doirp.fast import MOST_AT_ONCE, FastPath, Scan
from xinji.use.identity.doirp.service import Later, Service, refusal
from xinji.use.identity.limits import Places, RateLimiter, network_of
from xinji.use.identity.serve_absent import AbsentPath
from xinji.use.identity.serve_clients import LOBBY_S, Admission, Clients
from xinji.use.identity.serve_filtered import FilteredPath

KEEP = OpFlag.KC >> 24
"""The bit for keeping the connection, in the first octet of the flags."""

LENGTH_AT, OP_AT, RESPONSE_AT, FLAGS_AT = 16, 20, 24, 28
"""Where message length, op code, response code and flags stand in a message."""

FOUND, ABSENT = ((int(OpCode.RESOLUTION), int(code)) for code in (ResponseCode.SUCCESS, ResponseCode.ID_NOT_FOUND))
"""What resolutions are counted as."""

OPERATIONS = frozenset(map(int, OpCode))
UNKNOWN = -1
"""Operations that are counted each by itself, and what all others are counted as."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a client may take of the server.

    ``message_octets``: longest message over TCP. ``datagram_octets``: longest message in parts over UDP;
    ``udp_answer_octets``: longest answer over UDP, whose sender may be made up: above it, and above four times the
    usual record, the client is sent to TCP, lest the server flood others. ``connections``: open at once.
    ``held_octets``: of all messages together that have not come whole.
    ``pending_octets``: answers that wait to be sent. Times [s]: ``request_s`` for a message to come whole,
    ``idle_s`` between messages where the client asked for the connection to be kept, ``linger_s`` where it
    did not and used it once, ``linger_used_s`` and used it more often, ``send_s`` to take what was asked for.
    """

    message_octets: int = 4 * 2**20
    datagram_octets: int = 16_384
    udp_answer_octets: int = 2_048
    connections: int = 8_192
    pending_octets: int = 512 * 1024
    held_octets: int = 256 * 2**20
    request_s: float = 10.0
    idle_s: float = 60.0
    linger_s: float = 0.1
    linger_used_s: float = 2.0
    send_s: float = 30.0


@dataclass(slots=True, eq=False)
class Shared:
    """What all connections of a server share; ``counts`` of answers by operation and response, for measuring.

    ``refresh`` makes the newest records visible; it is called before messages that came together. ``held``: octets
    of messages that have not come whole. ``keep``: whether the last plain request asks to keep the connection.
    """

    service: Service
    fast: FastPath
    bounds: Bounds
    limiter: RateLimiter | None
    refresh: Callable[[], None]
    places: Places | None = None
    clients: Clients = field(init=False)
    counts: Counter[tuple[int, int]] = field(default_factory=Counter)
    held: int = 0
    keep: bool = False
    absent: AbsentPath = field(init=False)
    filtered: FilteredPath = field(init=False)

    def __post_init__(self) -> None:
        self.clients = Clients(self.bounds.connections, self.places)
        self.absent = AbsentPath(self.fast, self.service)
        self.filtered = FilteredPath(self.service)

    def count(self, answer: bytes) -> None:
        """Count the message that ``answer`` begins with."""
        response = int.from_bytes(answer[RESPONSE_AT:FLAGS_AT], "big")
        operation = int.from_bytes(answer[OP_AT:RESPONSE_AT], "big")
        # All unknown operations count as one: clients, who name them, must not make the table grow.
        self.counts[operation if operation in OPERATIONS else UNKNOWN, response] += 1

    def plain(self, buffer: bytes, at: int, most: int) -> Scan:
        """Answer and count up to ``most`` plain requests in ``buffer`` from ``at`` on; stop at the first other one."""
        scan = self.fast.scan(buffer, at, most)
        found, absent, pieces = scan.answers, 0, scan.pieces
        if found:
            self.keep = self.fast.keep
        while scan.at < len(buffer) and found + absent < most:
            path: AbsentPath | FilteredPath = self.absent
            scan = path.scan(buffer, scan.at, most - found - absent)
            absent += scan.answers
            if not scan.answers:
                path = self.filtered
                scan = path.scan(buffer, scan.at, most - found - absent)
                found += scan.answers
            if not scan.answers:
                break
            pieces += scan.pieces
            self.keep = path.keep
            scan = self.fast.scan(buffer, scan.at, most - found - absent)
            found += scan.answers
            pieces += scan.pieces
            if scan.answers:
                self.keep = self.fast.keep
        if found:
            self.counts[FOUND] += found
        if absent:
            self.counts[ABSENT] += absent
        return Scan(scan.at, found + absent, pieces)

    def allowance(self, network: int, asked: int) -> int:
        """Return how many of ``asked`` requests ``network`` may make now, taking them from its bucket."""
        if self.limiter is None:
            return asked
        while asked and not self.limiter.admit(network, asked):
            asked //= 2
        return asked


async def settle(answer: bytes | Later) -> bytes:
    """Wait for what ``answer`` waits for."""
    while isinstance(answer, Later):
        # Not cancelled with who waits: a change that is under way is carried out.
        waiting = asyncio.wrap_future(answer.future)
        await asyncio.wait([waiting])
        # What went wrong is for ``finish`` to say; asyncio would log it as forgotten.
        waiting.exception()
        answer = answer.finish()
    return answer


def message_end(buffer: bytes, at: int) -> int | None:
    """Return where the message at ``at`` ends, whether it has come or not; None if its envelope has not."""
    if at + ENVELOPE_OCTETS > len(buffer):
        return None
    return at + ENVELOPE_OCTETS + int.from_bytes(buffer[at + LENGTH_AT : at + ENVELOPE_OCTETS], "big")


def whole_messages(buffer: bytes, at: int) -> int:
    """Return how many messages have come whole from ``at`` on, at most as many as are answered at once."""
    found = 0
    end = message_end(buffer, at)
    while end is not None and end <= len(buffer) and found < MOST_AT_ONCE:
        found += 1
        end = message_end(buffer, end)
    return found


class Connection(asyncio.Protocol):
    """One client; what it sends is answered in its order.

    A message that must wait, for a change to be written or a proof to be checked, holds up those behind it.
    """

    _transport: asyncio.Transport

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._loop = asyncio.get_running_loop()
        self._chunks: list[bytes] = []
        self._held = 0
        self._needed = 0
        self._network = 0
        self._answered = 0
        self._granted = 0
        self._partial = False
        self._keep = True
        self._choked = False
        self._ended = False
        self._lobby = False
        self._task: asyncio.Task[None] | None = None
        self._until_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection; who is one too many may say what it wants, to be told so."""
        transport = self._transport = cast("asyncio.Transport", transport)
        shared = self._shared
        peer = transport.get_extra_info("peername")
        self._network = network_of(peer[0] if isinstance(peer, tuple) else "")
        admission = shared.clients.enter(self, self._network)
        if admission == Admission.SHUT:
            transport.abort()
            return
        self._lobby = admission == Admission.LOBBY
        transport.set_write_buffer_limits(high=shared.bounds.pending_octets)
        self._until_s = self._loop.time() + (LOBBY_S if self._lobby else shared.bounds.request_s)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's own signature)
        """Forget the connection; a change that is under way is carried out all the same."""
        self._shared.clients.leave(self)
        self._keep_chunks([])

    def data_received(self, data: bytes) -> None:
        """Take ``data`` in; work once a message may be whole."""
        self._chunks.append(data)
        self._held += len(data)
        self._shared.held += len(data)
        if self._shared.held > self._shared.bounds.held_octets:
            self._give_up(b"".join(self._chunks), ResponseCode.SERVER_BUSY, "too much is being received")
        elif self._task is None and not self._choked and self._held >= self._needed:
            self._work()

    def eof_received(self) -> bool:
        """Keep the way out open while answers are under way."""
        self._ended = True
        return self._task is not None or self._choked

    def pause_writing(self) -> None:
        """Take nothing in while the client does not take its answers."""
        self._choked = True
        self._until_s = self._loop.time() + self._shared.bounds.send_s

    def resume_writing(self) -> None:
        """Go on."""
        self._choked = False
        if self._task is None and not self._transport.is_closing():
            self._work()

    def check_time(self, now_s: float) -> None:
        """Close the connection if its time is over."""
        if self._task is None and now_s > self._until_s:
            self.abort() if self._choked else self._transport.close()

    def finish(self) -> None:
        """Close once the answers under way are sent."""
        self._ended = True
        if self._task is None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def _work(self) -> None:
        """Answer what has come until something is missing, must be waited for, or the client is choked."""
        buffer, at = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks), 0
        self._shared.refresh()
        self._needed = 0
        while at < len(buffer) and not (self._choked or self._transport.is_closing() or self._task is not None):
            start = at
            at = self._step(buffer, at)
            if at == start:
                break
        self._rest(buffer, at)

    def _step(self, buffer: bytes, at: int) -> int:
        """Answer the plain requests from ``at`` on, or one other message; return where to go on."""
        shared = self._shared
        if self._lobby:
            return self._turn_away(buffer, at)
        if not self._granted:
            asked = MOST_AT_ONCE if shared.limiter is None else whole_messages(buffer, at)
            self._granted = shared.allowance(self._network, asked)
        plain = self._plain(buffer, at)
        if plain != at:
            return plain
        end = self._message(buffer, at)
        if end is None:
            return at
        message = buffer[at:end]
        if not self._granted:
            self._give_up(message, ResponseCode.SERVER_BUSY, "too many requests from your network")
            return end
        self._granted -= 1
        answer = shared.service.answer(message, self._network)
        if isinstance(answer, Later):
            self._task = self._loop.create_task(self._wait(answer, message))
        else:
            self._send(answer, message)
        return end

    def _turn_away(self, buffer: bytes, at: int) -> int:
        """Tell who is one too many so, in answer to its first message from ``at`` on; return where that ends."""
        end = self._message(buffer, at)
        if end is None:
            return at
        self._give_up(buffer[at:end], ResponseCode.SERVER_BUSY, "too many connections")
        return end

    def _give_up(self, message: bytes, code: int, why: str) -> None:
        """Refuse ``message``, of which no more than the envelope need have come, and close."""
        self._send(refusal(message, code, why), b"")
        self._transport.close()

    def _keep_chunks(self, chunks: list[bytes]) -> None:
        """Hold ``chunks``, which have not been answered, and nothing else."""
        held = sum(map(len, chunks))
        self._shared.held += held - self._held
        self._chunks, self._held = chunks, held

    def _message(self, buffer: bytes, at: int) -> int | None:
        """Return where the message at ``at`` ends if it has come whole; a hopeless one closes the connection."""
        self._needed = 0
        end = message_end(buffer, at)
        if end is None:
            return None
        unknown = buffer[at] not in MAJORS
        if unknown or end - at > self._shared.bounds.message_octets + ENVELOPE_OCTETS:
            why = "the version is not spoken here" if unknown else "the message is too long"
            self._give_up(buffer[at:], ResponseCode.PROTOCOL_ERROR, why)
            return None
        self._needed = end - at
        return end if end <= len(buffer) else None

    def _plain(self, buffer: bytes, at: int) -> int:
        """Answer the plain requests from ``at`` on, for names that are here or nowhere; return where to go on."""
        scan = self._shared.plain(buffer, at, self._granted)
        if scan.answers:
            self._transport.write(b"".join(scan.pieces))
            self._answered += scan.answers
            self._granted -= scan.answers
            self._keep = self._shared.keep
        return scan.at

    def _send(self, answer: bytes, message: bytes) -> None:
        self._transport.write(answer)
        self._answered += 1
        self._shared.count(answer)
        self._keep = len(message) > FLAGS_AT and bool(message[FLAGS_AT] & KEEP)

    async def _wait(self, answer: Later, message: bytes) -> None:
        octets = await settle(answer)
        self._task = None
        if not self._transport.is_closing():
            self._send(octets, message)
            self._work()

    def _rest(self, buffer: bytes, at: int) -> None:
        """Keep what is left of ``buffer`` from ``at`` on, and set the time by which more must come."""
        rest = buffer[at:] if at else buffer
        self._keep_chunks([rest] if rest else [])
        if self._transport.is_closing():
            return
        if self._task is not None or self._choked:
            self._transport.pause_reading()
            return
        if self._ended:
            self._transport.close()
            return
        self._transport.resume_reading()
        bounds, now = self._shared.bounds, self._loop.time()
        if not rest:
            linger = bounds.linger_s if self._answered <= 1 else bounds.linger_used_s
            self._until_s = now + (bounds.idle_s if self._keep else linger)
        elif not self._lobby and (at or not self._partial):
            # A message that drips in has its time from its first octet.
            self._until_s = now + bounds.request_s
        self._partial = bool(rest)
