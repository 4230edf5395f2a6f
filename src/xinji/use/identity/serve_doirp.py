"""The DO-IRP server: TCP and UDP on one port, one event loop, one thread."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import cast

from xinji.use.identity.doirp.codes import UDP_OCTETS, ResponseCode
from xinji.use.identity.doirp.fast import FastPath
from xinji.use.identity.doirp.fragments import Assembly, split
from xinji.use.identity.doirp.service import Later, Service, refusal
from xinji.use.identity.errors import IdentifierError
from xinji.use.identity.limits import Places, RateLimiter, network_of
from xinji.use.identity.serve_clients import Rounds, StreamServer
from xinji.use.identity.serve_doirp_connection import Bounds, Connection, Shared, message_end, settle

TICK_S = 0.1
"""How often times are checked [s]."""

REST_TICKS = 10
"""How many ticks lie between two moments at which the snapshot of the store is let go."""

BACKLOG = 2_048

MOST_WAITING = 256
"""Datagrams whose answers may wait at once."""


@dataclass(frozen=True, slots=True)
class DoirpOptions:
    """How to serve: within ``bounds``, under a rate ``limiter``, over UDP too if ``udp``.

    ``places`` says how many connections each network may have. ``reuse_port`` lets several processes share one port.
    """

    bounds: Bounds = field(default_factory=Bounds)
    limiter: RateLimiter | None = None
    places: Places | None = None
    udp: bool = True
    reuse_port: bool = False


class Datagrams(asyncio.DatagramProtocol):
    """The UDP side: each datagram is a message or a part of one."""

    _transport: asyncio.DatagramTransport

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._assembly = Assembly(most_octets=shared.bounds.datagram_octets)
        self._waiting: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def error_received(self, exc: Exception) -> None:
        """Go on: a client that is gone is not ours to report."""

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer ``data``; what has no readable envelope is dropped, as nobody could match an answer to it."""
        shared = self._shared
        network = network_of(addr[0])
        if not shared.allowance(network, 1):
            return
        shared.refresh()
        whole = message_end(data, 0) == len(data)
        scan = shared.plain(data, 0, 1 if whole else 0)
        if scan.answers:
            self._send(b"".join(scan.pieces), addr)
            return
        try:
            message = self._assembly.add(addr, data)
        except IdentifierError:
            return
        if message is None:
            return
        end = message_end(message, 0)
        if end != len(message):
            message = message[:end]
        answer = shared.service.answer(message, network)
        if not isinstance(answer, Later):
            shared.count(answer)
            self._send(answer, addr)
        elif len(self._waiting) < MOST_WAITING:
            task = asyncio.get_running_loop().create_task(self._wait(answer, addr))
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)
        else:
            self._send(refusal(message, ResponseCode.SERVER_BUSY, "too many changes under way"), addr)

    async def _wait(self, answer: Later, addr: tuple[str, int]) -> None:
        octets = await settle(answer)
        self._shared.count(octets)
        self._send(octets, addr)

    def _send(self, answer: bytes, addr: tuple[str, int]) -> None:
        if len(answer) > self._shared.bounds.udp_answer_octets:
            why = f"the answer has {len(answer)} octets, more than is sent over UDP; ask over TCP"
            answer = refusal(answer, ResponseCode.ERROR, why)
        parts = [answer] if len(answer) <= UDP_OCTETS else split(answer)
        if len(parts) > 1 and not self._shared.allowance(network_of(addr[0]), len(parts) - 1):
            return
        for part in parts:
            self._transport.sendto(part, addr)


class DoirpServer(StreamServer):
    """A server at work; ``start_doirp`` makes it."""

    def __init__(self, listener: asyncio.Server, datagrams: asyncio.DatagramTransport | None, shared: Shared) -> None:
        super().__init__(listener, shared.clients, Rounds(TICK_S, REST_TICKS, shared.service.rest))
        self._datagrams = datagrams
        self._counts = shared.counts

    @property
    def counts(self) -> Counter[tuple[int, int]]:
        """How many answers were given by operation and response code."""
        return self._counts

    async def stop(self, grace_s: float = 5.0) -> None:
        """Take nothing more, finish the answers under way within ``grace_s``, then close what is left."""
        if self._datagrams is not None:
            self._datagrams.close()
        await super().stop(grace_s)


async def start_doirp(service: Service, *, host: str, port: int, options: DoirpOptions | None = None) -> DoirpServer:
    """Serve ``service`` on ``host`` and ``port`` (0 picks a free one) until the result is stopped.

    Raises OSError where the address cannot be had.
    """
    chosen = DoirpOptions() if options is None else options
    loop = asyncio.get_running_loop()
    fast = FastPath(service.reader.body, service.reader.open_body, primary=service.primary, serial=service.serial)
    shared = Shared(service, fast, chosen.bounds, chosen.limiter, service.refresh, chosen.places)
    reuse = chosen.reuse_port or None
    listener = await loop.create_server(lambda: Connection(shared), host, port, backlog=BACKLOG, reuse_port=reuse)
    datagrams = None
    if chosen.udp:
        address = (host, int(listener.sockets[0].getsockname()[1]))
        try:
            datagrams, _ = await loop.create_datagram_endpoint(
                lambda: Datagrams(shared), local_addr=address, reuse_port=reuse
            )
        except OSError:
            listener.close()
            raise
    return DoirpServer(listener, datagrams, shared)
