"""A whole node at work, both protocols and all faces, with strangers and secrets that must never come out."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

from support.http_node import ADMIN, HIDDEN, PASSWORD, PREFIX, Reply, fill
from xinji.use.identity.audit import AuditLog, AuditSettings
from xinji.use.identity.changes import Change
from xinji.use.identity.client_link import Address, Answered, Asked, Identity, ask
from xinji.use.identity.doirp.bodies import Body
from xinji.use.identity.doirp.message import Header
from xinji.use.identity.http.faces import SiteSettings
from xinji.use.identity.keys import Secret, SigningKey, new_key
from xinji.use.identity.limits import Allowance
from xinji.use.identity.node import Node, NodeSettings, Role
from xinji.use.identity.record import PRIVATE, Record, Reference, Value
from xinji.use.identity.serve import Serving, start
from xinji.use.identity.serve_http import event_loop
from xinji.use.identity.store import Store, open_store
from xinji.use.identity.value_data import PUBKEY, SECKEY

STRANGER = f"{PREFIX}/STRANGER"
STRANGERS_PASSWORD = "of somebody who may do nothing"  # noqa: S105 (of the tests)
MASKED = f"{PREFIX}/all-private"
PRODUCT = "GS1/01/09506000134352"
TEMPLATE = f"{PREFIX}/META_1.0.0"
DOIRP_SECRET = b"the administrator's secret for DO-IRP"
SECRETS = (HIDDEN.encode(), PASSWORD.encode(), STRANGERS_PASSWORD.encode(), DOIRP_SECRET)


@cache
def admins_key() -> SigningKey:
    """The administrator's key; made once."""
    return new_key(2048)


@cache
def strangers_key() -> SigningKey:
    """A registered key without any right; made once."""
    return new_key(2048)


def by_admin() -> Identity:
    """The administrator with its key."""
    return Identity(ADMIN, 301, admins_key())


def by_stranger() -> Identity:
    """Somebody who is registered and may do nothing."""
    return Identity(STRANGER, 301, strangers_key())


def by_forger() -> Identity:
    """Who says to be the administrator, with another key."""
    return Identity(ADMIN, 301, strangers_key())


def basic(name: str, password: str) -> dict[str, str]:
    """Credentials of HTTP's basic kind; index 300."""
    return {"Authorization": "Basic " + base64.b64encode(f"300%3A{name}:{password}".encode()).decode()}


@dataclass
class Secured:
    """The node at work."""

    http_port: int
    doirp_port: int
    store: Store
    host: str = "127.0.0.1"

    def http(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        source: str = "127.0.0.1",
    ) -> Reply:
        """Return the answer to one HTTP request, sent from the address ``source``."""
        connection = HTTPConnection(self.host, self.http_port, timeout=20, source_address=(source, 0))
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            pairs = answer.getheaders()
            return Reply(answer.status, {k.lower(): v for k, v in pairs}, answer.read(), pairs)
        finally:
            connection.close()

    def doirp(
        self, op: int, body: Body, identity: Identity | None = None, *, flags: int = 0, udp: bool = False
    ) -> Answered:
        """Return the answer to one DO-IRP request."""
        asked = Asked(Header(op, flags=flags), body, identity)
        return asyncio.run(ask(Address(self.host, self.doirp_port, udp), asked))

    def held(self) -> tuple[Record, ...]:
        """All records with their private values."""
        return tuple(self.store.records(private=True))


def values_private() -> tuple[Value, ...]:
    """Values that only administrators may read."""
    return (
        Value(index=1, type="NOTE", data=HIDDEN.encode(), permissions=PRIVATE),
        Value(index=2, type=SECKEY, data=DOIRP_SECRET),
    )


def fill_secured(store: Store) -> None:
    """Register what the tests attack."""
    fill(store, admins_key())
    store.apply(Change("add", ADMIN, (Value(index=302, type=SECKEY, data=DOIRP_SECRET, permissions=PRIVATE),)))
    secret = Value(index=300, type=SECKEY, data=STRANGERS_PASSWORD.encode(), permissions=PRIVATE)
    store.apply(Change("create", STRANGER, (secret, Value(index=301, type=PUBKEY, data=strangers_key().public))))
    store.apply(Change("create", MASKED, values_private()))
    link = Value(index=1, type="gs1:pip", data=b"https://product.example/")
    hidden = Value(index=2, type="gs1:hasRetailers", data=f"https://{HIDDEN}/".encode(), permissions=PRIVATE)
    store.apply(Change("create", PRODUCT, (link, hidden)))


def by_secret() -> Identity:
    """The administrator with its secret."""
    return Identity(ADMIN, 302, Secret(DOIRP_SECRET))


def leaked(octets: bytes, *, own: bytes = b"") -> list[bytes]:
    """The secrets in ``octets``: plain, in base 64 at any offset, or in hexadecimal; ``own`` is the asker's."""
    found = []
    for secret in SECRETS:
        middles = [base64.b64encode(bytes(shift) + secret)[4:-4] for shift in range(3)]
        forms = [secret, secret.hex().encode(), quote(secret).encode(), *middles]
        if secret != own and any(form in octets or form.upper() in octets.upper() for form in forms):
            found.append(secret)
    return found


@contextmanager
def at_work(folder: Path, serving: Serving, audit: AuditSettings | None = None) -> Iterator[Secured]:
    """Serve the node from ``folder`` in a thread of its own as ``serving`` says, on free ports."""
    with open_store(folder, create=True) as store:
        fill_secured(store)
        node = Node(store, NodeSettings(role=Role.SECONDARY, administrators=(Reference(ADMIN, 0),)))
        log = None if audit is None else AuditLog(folder, audit)
        chosen = replace(serving, doirp_port=0, http_port=0, audit=log)
        loop, stop, ready = event_loop(), asyncio.Event(), threading.Event()
        ports: list[int] = []

        async def run() -> None:
            doirp, http = await start(node, chosen)
            ports.extend((http.port, doirp.port))
            ready.set()
            await stop.wait()
            await asyncio.gather(doirp.stop(1.0), http.stop(1.0))

        thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
        thread.start()
        assert ready.wait(60)
        try:
            yield Secured(ports[0], ports[1], store)
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(60)
            loop.close()
            assert not thread.is_alive()


def secured(folder: Path, *, allowance: Allowance | None = None) -> AbstractContextManager[Secured]:
    """Serve the node from ``folder``, signing, to as many wrong proofs as anybody likes."""
    site = SiteSettings(accounts={"admin": f"300:{ADMIN}"}, failures=Allowance(1e6, 1e6))
    return at_work(folder, Serving(allowance=allowance, key=admins_key(), site=site))
