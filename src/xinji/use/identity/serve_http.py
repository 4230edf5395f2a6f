"""The HTTP/1.1 server: one event loop, one thread, one store snapshot for what arrives together."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from xinji.errors import Fault, InputError
from xinji.use.identity.http.message import Request, Response
from xinji.use.identity.http.site import Site
from xinji.use.identity.limits import Places, RateLimiter
from xinji.use.identity.serve_clients import Rounds, StreamServer
from xinji.use.identity.serve_http_connection import Bounds, Connection, Shared

_TICK_S = 1.0
_BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """How to serve: over ``tls`` or in the clear, within ``bounds``, under a rate ``limiter``.

    ``places`` says how many connections each network may have. ``hook`` is called with each request and its answer,
    for measuring. ``reuse_port`` lets several processes share one port.
    """

    tls: ssl.SSLContext | None = None
    bounds: Bounds = field(default_factory=Bounds)
    limiter: RateLimiter | None = None
    places: Places | None = None
    hook: Callable[[Request, Response], None] | None = None
    reuse_port: bool = False


class HttpServer(StreamServer):
    """A server at work; `start_http` makes it."""

    def __init__(self, listener: asyncio.Server, shared: Shared) -> None:
        super().__init__(listener, shared.clients, Rounds(_TICK_S, 1, shared.site.rest, shared.tick))
        self._shared = shared

    @property
    def held(self) -> int:
        """How large the bodies are, together, that are being received [bytes]."""
        return self._shared.held


async def start_http(site: Site, *, host: str, port: int, options: HttpOptions | None = None) -> HttpServer:
    """Serve ``site`` on ``host`` and ``port`` (0 picks a free one) until the result is stopped.

    Raises OSError where the address cannot be had.
    """
    chosen = HttpOptions() if options is None else options
    loop = asyncio.get_running_loop()
    shared = Shared(site, chosen.bounds, chosen.limiter, chosen.places, chosen.hook)
    shared.tick(loop.time())
    listener = await loop.create_server(
        lambda: Connection(shared),
        host,
        port,
        ssl=chosen.tls,
        backlog=_BACKLOG,
        reuse_port=chosen.reuse_port or None,
        ssl_handshake_timeout=None if chosen.tls is None else chosen.bounds.request_s,
    )
    return HttpServer(listener, shared)


def tls_context(certificate: Path, key: Path, *, clients: Path | None = None) -> ssl.SSLContext:
    """Return what a TLS server needs: its ``certificate`` chain and private ``key``, TLS 1.2 or later.

    ``clients`` names the certificates (PEM) that clients may prove their identity by; each may be a
    self-signed one. Raises InputError for files that cannot be read or do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
        if clients is not None:
            context.load_verify_locations(clients)
            context.verify_mode = ssl.CERT_OPTIONAL
    except (OSError, ssl.SSLError) as error:
        message = f"{certificate.name}, {key.name} cannot be used: {type(error).__name__}"
        remedy = "Give a PEM certificate chain, its own private key without a passphrase, and PEM client certificates."
        raise InputError([Fault("tls", message, remedy)]) from error
    return context


def event_loop() -> asyncio.AbstractEventLoop:
    """Return a new event loop: uvloop's where it is installed, else Python's own."""
    try:
        import uvloop  # noqa: PLC0415 (optional)
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
