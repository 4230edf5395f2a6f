"""A small identifier node over HTTP for tests, and a plain client for it."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any

from xinji.use.identity import value_data as hs
from xinji.use.identity.changes import Change
from xinji.use.identity.http.faces import SiteSettings, site
from xinji.use.identity.keys import SigningKey
from xinji.use.identity.node import Node, NodeSettings, Role
from xinji.use.identity.record import PRIVATE, Reference, Value
from xinji.use.identity.serve_http import HttpOptions, HttpServer, event_loop, start_http
from xinji.use.identity.store import Store, open_store

PREFIX = "88.123.1"
ADMIN = f"{PREFIX}/ADMIN"
IDENTITY = f"300:{ADMIN}"
PASSWORD = "correct horse battery staple"  # noqa: S105 (of the tests)
THING = f"{PREFIX}/pump-7"
HIDDEN = "the hidden value"


@dataclass
class Reply:
    """What a server answered."""

    status: int
    headers: dict[str, str]
    body: bytes
    all_headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Served:
    """A node at work."""

    host: str
    port: int
    store: Store
    server: HttpServer
    loop: asyncio.AbstractEventLoop
    tls: ssl.SSLContext | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{'http' if self.tls is None else 'https'}://{self.host}:{self.port}"

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Reply:
        """Return the answer to one request."""
        sent = dict(headers or {})
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        if self.tls is None:
            connection = HTTPConnection(self.host, self.port, timeout=20)
        else:
            connection = HTTPSConnection(self.host, self.port, timeout=20, context=self.tls)
        try:
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            pairs = answer.getheaders()
            return Reply(answer.status, {k.lower(): v for k, v in pairs}, answer.read(), pairs)
        finally:
            connection.close()

    def octets(self, sent: bytes, *, more: bool = False) -> bytes:
        """Return all that comes back for ``sent`` until the server closes (or, ``more``, a second of silence)."""
        with socket.create_connection((self.host, self.port), timeout=2 if more else 10) as connection:
            connection.sendall(sent)
            parts = []
            while True:
                try:
                    part = connection.recv(65_536)
                except TimeoutError:
                    break
                if not part:
                    break
                parts.append(part)
            return b"".join(parts)


def fill(store: Store, key: SigningKey | None = None) -> None:
    """Register a prefix, its administrator and a thing with public and private values."""
    admin = Value(index=100, type=hs.ADMIN, data=hs.encode_admin(hs.Admin(ADMIN, 300)))
    own = [Value(index=300, type=hs.SECKEY, data=PASSWORD.encode(), permissions=PRIVATE), admin]
    if key is not None:
        own.append(Value(index=301, type=hs.PUBKEY, data=key.public))
    store.apply(Change("create", f"0.NA/{PREFIX}", (admin,)))
    store.apply(Change("create", ADMIN, tuple(own)))
    values = (
        Value(index=1, type="URL", data=b"https://assets.example/pump-7"),
        Value(index=2, type="NAME", data="一号水泵".encode()),
        Value(index=3, type="COST", data=HIDDEN.encode(), permissions=PRIVATE),
        Value(index=4, type="PHOTO", data=bytes(range(256))),
        admin,
    )
    store.apply(Change("create", THING, values))


@contextmanager
def served(
    folder: Path,
    *,
    settings: SiteSettings | None = None,
    options: HttpOptions | None = None,
    key: SigningKey | None = None,
    client_tls: ssl.SSLContext | None = None,
) -> Iterator[Served]:
    """Serve a filled node from ``folder`` in a thread of its own."""
    with open_store(folder, create=True) as store:
        fill(store, key)
        node_settings = NodeSettings(role=Role.SECONDARY, administrators=(Reference(ADMIN, 0),))
        ready: list[HttpServer] = []
        started = threading.Event()
        loop = event_loop()
        stop = asyncio.Event()

        async def run() -> None:
            whole = site(Node(store, node_settings), settings)
            server = await start_http(whole, host="127.0.0.1", port=0, options=options)
            ready.append(server)
            started.set()
            await stop.wait()
            await server.stop(grace_s=1.0)

        thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
        thread.start()
        assert started.wait(20)
        try:
            yield Served("127.0.0.1", ready[0].port, store, ready[0], loop, client_tls)
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(20)
            loop.close()
            assert not thread.is_alive()
