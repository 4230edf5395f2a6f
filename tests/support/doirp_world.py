"""A small world for tests of the DO-IRP server: a store with records of every kind, keys, and a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from xinji.use.identity.changes import Change
from xinji.use.identity.client_link import Address, Identity
from xinji.use.identity.doirp.message import Message, decode_message
from xinji.use.identity.doirp.operations import service_of
from xinji.use.identity.doirp.service import Later, Service
from xinji.use.identity.keys import Secret, SigningKey, new_key
from xinji.use.identity.limits import Allowance
from xinji.use.identity.node import Node, NodeSettings
from xinji.use.identity.record import PRIVATE, Reference, Value
from xinji.use.identity.serve_doirp import DoirpOptions, DoirpServer, start_doirp
from xinji.use.identity.store import Store, open_store
from xinji.use.identity.value_data import (
    SERVICE_BOTH,
    TCP,
    Admin,
    Interface,
    Server,
    Site,
    encode_admin,
    encode_site,
)

PREFIX = "88.123.1"
ADMIN = f"{PREFIX}/ADMIN"
SECRET = Secret(b"a secret that nobody else knows")
KEY_INDEX, SECRET_INDEX, STRANGER_INDEX = 300, 301, 302
NEVER = 1


@cache
def key() -> SigningKey:
    """The administrator's key; made once."""
    return new_key(2048)


@cache
def server_key() -> SigningKey:
    """The server's key; made once."""
    return new_key(2048)


def value(index: int, kind: str, data: bytes | str, permissions: int = 14) -> Value:
    octets = data.encode() if isinstance(data, str) else data
    return Value(index=index, type=kind, data=octets, timestamp_s=1_700_000_000, permissions=permissions)


def admin_value(index: int, key_index: int, permissions: int = 0xFFF) -> Value:
    return value(index, "HS_ADMIN", encode_admin(Admin(ADMIN, key_index, permissions)))


def records() -> dict[str, tuple[Value, ...]]:
    """The records of the world by handle."""
    site = Site((Server(1, "192.0.2.9", interfaces=(Interface(SERVICE_BOTH, TCP, 2641),)),))
    return {
        f"0.NA/{PREFIX}": (admin_value(100, KEY_INDEX), admin_value(101, SECRET_INDEX)),
        ADMIN: (
            value(KEY_INDEX, "HS_PUBKEY", key().public),
            value(SECRET_INDEX, "HS_SECKEY", SECRET.octets, PRIVATE),
            value(STRANGER_INDEX, "HS_SECKEY", b"of somebody without rights", PRIVATE),
        ),
        f"{PREFIX}/pump-7": (
            value(1, "URL", "https://example.org/pump-7"),
            value(2, "DESC", "Pump 7"),
            value(3, "DESC.LONG", "A pump"),
            admin_value(100, KEY_INDEX),
        ),
        f"{PREFIX}/other": (value(1, "URL", "https://example.org/other"),),
        f"{PREFIX}/mixed": (
            value(1, "URL", "https://example.org/mixed"),
            value(2, "NOTE", "for administrators", PRIVATE),
            value(3, "GONE", "for nobody", NEVER),
            admin_value(100, SECRET_INDEX),
        ),
        f"{PREFIX}/secret": (value(2, "NOTE", "for administrators", PRIVATE), admin_value(100, KEY_INDEX, 0x400)),
        f"{PREFIX}/empty": (),
        f"{PREFIX}/long": tuple(value(i, "DATA", bytes((i,)) * 900) for i in range(1, 11)),
        f"{PREFIX}/huge": (value(1, "DATA", bytes(60_000)),),
        f"{PREFIX}/水泵": (value(1, "URL", "https://example.org/水泵"),),
        "0.NA/99.5": (value(1, "HS_SITE", encode_site(site)),),
    }


def fill(store: Store) -> None:
    """Put the records of the world into ``store``."""
    for handle, values in records().items():
        store.apply(Change("create", handle, values, keep_times=True))


@dataclass(frozen=True, slots=True, repr=False)
class World:
    """A store, the node and its service."""

    store: Store
    service: Service

    def ask(self, message: Message | bytes) -> Message:
        """The answer of the service, waited for."""
        self.service.refresh()
        answer = self.service.answer(message if isinstance(message, bytes) else message.encode())
        while isinstance(answer, Later):
            answer.future.exception()
            answer = answer.finish()
        return decode_message(answer)


def world(folder: Path, *, primary: bool = True) -> World:
    """Make a world in ``folder``."""
    store = open_store(folder / "store", create=True)
    fill(store)
    rulers = (Reference(ADMIN, KEY_INDEX),)
    node = Node(store, NodeSettings(prefixes=(PREFIX,), administrators=rulers))
    site = Site((Server(1, "127.0.0.1", server_key().public, (Interface(SERVICE_BOTH, TCP, 2641),)),), serial=7)
    # Tests offer more wrong proofs than a network may; how many that is has a test of its own.
    service = service_of(node, key=server_key(), site=site, primary=primary, failures=Allowance(1e6, 1e6))
    return World(store, service)


def run_with(
    folder: Path,
    test: Callable[[DoirpServer, World], object],
    options: DoirpOptions | None = None,
    loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Run the coroutine function ``test`` with a server in the world of ``folder``, on a ``loop`` of some kind."""

    async def run() -> None:
        made = world(folder)
        try:
            server = await start_doirp(made.service, host="127.0.0.1", port=0, options=options)
            try:
                await test(server, made)  # type: ignore[misc]
            finally:
                await server.stop(grace_s=1.0)
        finally:
            made.service.close()
            made.store.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(run())


@asynccontextmanager
async def connected(server: DoirpServer) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to ``server``."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def read_message(reader: asyncio.StreamReader) -> bytes:
    """The next message on a connection."""
    front = await asyncio.wait_for(reader.readexactly(20), 10.0)
    return front + await asyncio.wait_for(reader.readexactly(int.from_bytes(front[16:], "big")), 10.0)


def address(server: DoirpServer, *, udp: bool = False) -> Address:
    """Where ``server`` listens."""
    return Address("127.0.0.1", server.port, udp, server_key().public)


def by_key() -> Identity:
    """The administrator with its key."""
    return Identity(ADMIN, KEY_INDEX, key())


BY_SECRET = Identity(ADMIN, SECRET_INDEX, SECRET)
BY_STRANGER = Identity(ADMIN, STRANGER_INDEX, Secret(b"of somebody without rights"))
