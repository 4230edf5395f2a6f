"""The connections of one TCP server: how many there may be, who is turned away, and how they end.

Who is one too many, of all or of its own network, is told so in the protocol's own words: to be told, it waits in a
small lobby for a moment; where that is full too, the connection ends without a word.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from xinji.use.identity.limits import Places

LOBBY = 256
"""Connections that may wait at once to be told that there are too many."""

LOBBY_S = 2.0
"""How long each may wait there [s]."""


class Admission(StrEnum):
    """What becomes of a new connection: it is served, told that there are too many, or ended without a word."""

    SERVED = "served"
    LOBBY = "lobby"
    SHUT = "shut"


class Refusal(StrEnum):
    """Why a connection is not served: there are too many, too many of its network, or the server is stopping."""

    FULL = "full"
    NETWORK = "network"
    STOPPING = "stopping"


class Client(Protocol):
    """A connection as its server sees it."""

    def check_time(self, now_s: float) -> None:
        """Close where its time is over, ``now_s`` by the event loop's clock."""

    def finish(self) -> None:
        """Close once the answers under way are sent."""

    def abort(self) -> None:
        """Close at once."""


@dataclass(slots=True, eq=False)
class Clients:
    """The connections that are open, at most ``most`` and of each network as many as ``places`` has for it.

    ``refused`` counts those that were not served, by reason.
    """

    most: int
    places: Places | None = None
    served: dict[Client, int] = field(default_factory=dict)
    lobby: set[Client] = field(default_factory=set)
    refused: Counter[Refusal] = field(default_factory=Counter)
    stopping: bool = False
    drained: asyncio.Event = field(default_factory=asyncio.Event)

    def __len__(self) -> int:
        return len(self.served)

    def enter(self, client: Client, network: int) -> Admission:
        """Return what becomes of ``client``, which comes from ``network``."""
        reason = self._reason(network)
        if reason is None:
            self.served[client] = network
            return Admission.SERVED
        self.refused[reason] += 1
        if self.stopping or len(self.lobby) >= LOBBY:
            return Admission.SHUT
        self.lobby.add(client)
        return Admission.LOBBY

    def _reason(self, network: int) -> Refusal | None:
        if self.stopping:
            return Refusal.STOPPING
        if len(self.served) >= self.most:
            return Refusal.FULL
        if self.places is not None and not self.places.take(network):
            return Refusal.NETWORK
        return None

    def leave(self, client: Client) -> None:
        """Forget ``client``, whose connection has ended."""
        self.lobby.discard(client)
        network = self.served.pop(client, None)
        if network is not None and self.places is not None:
            self.places.leave(network)
        if self.stopping and not self.served:
            self.drained.set()

    def check_times(self, now_s: float) -> None:
        """End the connections whose time is over."""
        for client in (*self.served, *self.lobby):
            client.check_time(now_s)

    async def end(self, grace_s: float) -> None:
        """Finish the answers under way within ``grace_s``, then close what is left."""
        self.stopping = True
        for client in (*self.served, *self.lobby):
            client.finish()
        if self.served:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.drained.wait(), grace_s)
        for client in (*self.served, *self.lobby):
            client.abort()


@dataclass(frozen=True, slots=True)
class Rounds:
    """What a server does again and again: every ``tick_s`` [s] ``tick``, every ``rest_ticks`` of them ``rest``."""

    tick_s: float
    rest_ticks: int
    rest: Callable[[], None]
    tick: Callable[[float], None] = lambda _: None


class StreamServer:
    """The TCP side of a server at work; made in the event loop that it runs in."""

    def __init__(self, listener: asyncio.Server, clients: Clients, rounds: Rounds) -> None:
        self._listener = listener
        self._clients = clients
        self._rounds = rounds
        self._sweeper = asyncio.create_task(self._sweep())

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._listener.sockets[0].getsockname()[1])

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._clients)

    @property
    def refused(self) -> Counter[Refusal]:
        """How many connections were not served, by reason."""
        return self._clients.refused

    async def stop(self, grace_s: float = 5.0) -> None:
        """Take no more connections, finish the answers under way within ``grace_s``, then close what is left."""
        self._listener.close()
        await self._clients.end(grace_s)
        self._sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await self._sweeper
        self._rounds.rest()

    async def _sweep(self) -> None:
        rounds, ticks = self._rounds, 0
        while True:
            await asyncio.sleep(rounds.tick_s)
            now_s = asyncio.get_running_loop().time()
            rounds.tick(now_s)
            self._clients.check_times(now_s)
            ticks += 1
            if ticks % rounds.rest_ticks == 0:
                rounds.rest()
