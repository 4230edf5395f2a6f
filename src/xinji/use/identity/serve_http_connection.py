"""One HTTP/1.1 connection: parsing, order of answers, bounds and time limits."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import cast

import httptools

from xinji.errors import Fault, InputError, XinjiError, raise_if
from xinji.use.identity.audit_node import CALLER, http_caller
from xinji.use.identity.http.message import Client, Later, Request, Response
from xinji.use.identity.http.site import Site
from xinji.use.identity.limits import Places, RateLimiter, network_of
from xinji.use.identity.serve_clients import LOBBY_S, Admission, Clients

_READS = (b"GET", b"HEAD")
_FLUSH_BYTES = 65_536
_LINGER_S = 2.0
_LOOPBACK = ("127.", "::1", "::ffff:127.")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_CORS = b"Access-Control-Allow-Origin: *\r\n"
_CLOSE = b"Connection: close\r\n"
_KEEP = b"Connection: keep-alive\r\n"
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 5\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a client may ask of the server.

    Sizes [bytes] of the request line's target, all header fields and the body; ``held_bytes`` of the bodies of all
    clients that are being received; ``header_fields`` [count];
    ``connections`` [count] open at once; ``idle_s`` between requests and ``request_s`` from a request's first
    byte to its last, or for taking an answer [s]. Raises InputError for a figure that is not positive.
    """

    target_bytes: int = 8_192
    header_bytes: int = 16_384
    header_fields: int = 100
    body_bytes: int = 8_388_608
    held_bytes: int = 268_435_456
    connections: int = 10_000
    idle_s: float = 65.0
    request_s: float = 30.0

    def __post_init__(self) -> None:
        figures = ((name, getattr(self, name)) for name in self.__slots__)
        raise_if((Fault("bounds", f"{n} is {v:g}", "Give a figure above 0.") for n, v in figures if v <= 0), InputError)


@dataclass(slots=True)
class Shared:
    """What the connections of a server share; the only state beside each one's own."""

    site: Site
    bounds: Bounds
    limiter: RateLimiter | None = None
    places: Places | None = None
    hook: Callable[[Request, Response], None] | None = None
    clients: Clients = field(init=False)
    heads: dict[tuple[int, bytes], bytes] = field(default_factory=dict)
    held: int = 0
    now: float = 0.0
    date: bytes = b""

    def __post_init__(self) -> None:
        self.clients = Clients(self.bounds.connections, self.places)

    def tick(self, now: float) -> None:
        """Set the time [s of the event loop] that limits are counted by, and the Date of answers."""
        self.now = now
        self.date = b"\r\nDate: " + formatdate(usegmt=True).encode("ascii")

    def head(self, status: int, media: bytes) -> bytes:
        """Return the first lines of an answer up to its length, made once for each kind of answer."""
        found = self.heads.get((status, media))
        if found is None:
            line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode("ascii")
            kind = b"Content-Type: " + media + b"\r\n" if media else b""
            found = self.heads[status, media] = line + kind + _CORS
        return found


class _RefusedError(Exception):
    """Stops the parser: what comes is more than is taken."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Connection(asyncio.Protocol):
    """A client's connection; requests are answered in the order in which they came (RFC 9112 section 9.3.2)."""

    __slots__ = (
        "_body", "_body_size", "_busy", "_client", "_closing", "_deadline", "_header_size", "_headers",
        "_http11", "_parser", "_paused", "_queue", "_reading", "_shared", "_target", "_task", "_transport",
    )  # fmt: skip

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._body_size = 0
        self._client = Client("", 0, secure=False)
        self._queue: deque[tuple[Request, bytes]] = deque()
        self._closing = self._busy = self._paused = False
        self._reading = True
        self._deadline = shared.now + shared.bounds.idle_s
        self._task: asyncio.Task[None] | None = None
        self._new_message()

    def _new_message(self) -> None:
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._header_size = 0
        self._body: list[bytes] = []
        self._shared.held -= self._body_size
        self._body_size = 0

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start: see who it is, turn away what is one too many."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        address = str(peer[0]) if isinstance(peer, tuple) and peer else ""
        network = network_of(address)
        admission = self._shared.clients.enter(self, network)
        if admission != Admission.SERVED:
            self._transport.write(_BUSY)
            self._closing = True
            if admission == Admission.SHUT:
                self._transport.close()
            else:
                self._see_out(LOBBY_S)
            return
        tls = cast("ssl.SSLObject | None", transport.get_extra_info("ssl_object"))
        certificate = b"" if tls is None else tls.getpeercert(binary_form=True) or b""
        secure = tls is not None or not address or address.startswith(_LOOPBACK)
        self._client = Client(address, network, secure, tls is not None, certificate)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (the base class's form)
        """End: forget the connection."""
        self._shared.clients.leave(self)
        self._closing = True
        self._queue.clear()
        self._new_message()
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Parse what came and answer what is complete."""
        if self._closing:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # No other protocol is offered: the request is answered as it stands (RFC 9110 section 7.8).
            self._closing = True
        except httptools.HttpParserCallbackError as error:
            self._turn_away(error.__context__)
            return
        except httptools.HttpParserError:
            self._turn_away(_RefusedError(400, "this is not HTTP/1.1"))
            return
        self._work()

    def eof_received(self) -> bool:
        """Close once what was asked is answered; the client sends no more."""
        self._closing = True
        if not self._queue and not self._busy:
            self._transport.close()
        return True

    def pause_writing(self) -> None:
        """Wait: the client takes no more answers for now."""
        self._paused = True
        self._deadline = self._shared.now + self._shared.bounds.request_s

    def resume_writing(self) -> None:
        """Go on answering."""
        self._paused = False
        self._work()

    # Called by the parser.

    def on_message_begin(self) -> None:
        """Count the time of a request from its first byte."""
        self._new_message()
        self._deadline = self._shared.now + self._shared.bounds.request_s

    def on_url(self, url: bytes) -> None:
        """Take a part of the request's target."""
        self._target += url
        if len(self._target) > self._shared.bounds.target_bytes:
            raise _RefusedError(414, f"the path is longer than {self._shared.bounds.target_bytes} bytes")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header field; the same field twice is a list (RFC 9110 section 5.2)."""
        bounds = self._shared.bounds
        headers = self._headers
        self._header_size += len(name) + len(value) + 4
        name = name.lower()
        if name in headers:
            value = headers[name] + b", " + value
        headers[name] = value
        if self._header_size > bounds.header_bytes or len(headers) > bounds.header_fields:
            message = f"the header is larger than {bounds.header_bytes} bytes or {bounds.header_fields} fields"
            raise _RefusedError(431, message)

    def on_headers_complete(self) -> None:
        """Turn away what is announced too large, ask for what waits to be asked."""
        headers = self._headers
        if b"content-length" in headers and int(headers[b"content-length"]) > self._shared.bounds.body_bytes:
            raise _RefusedError(413, f"the body is larger than {self._shared.bounds.body_bytes} bytes")
        if headers.get(b"expect", b"").lower() == b"100-continue" and not self._queue and not self._busy:
            self._transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._body_size += len(body)
        self._shared.held += len(body)
        if self._body_size > self._shared.bounds.body_bytes:
            raise _RefusedError(413, f"the body is larger than {self._shared.bounds.body_bytes} bytes")
        if self._shared.held > self._shared.bounds.held_bytes:
            raise _RefusedError(503, "too much is being received; come again")
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Queue the request."""
        path, _, query = self._target.partition(b"?")
        if not path.startswith(b"/"):
            path = _path_of(path)
        parser = self._parser
        body = b"".join(self._body) if self._body else b""
        request = Request(parser.get_method(), path, query, self._headers, body, self._client)
        old = parser.get_http_version() != "1.1"
        host = self._headers.get(b"host", b"" if old else b",")
        if b"," in host:
            # RFC 9112 section 3.2: no more and, since HTTP/1.1, no fewer.
            raise _RefusedError(400, "exactly one Host is needed")
        keeps = parser.should_keep_alive() and not self._shared.clients.stopping
        after = (_KEEP if old else b"") if keeps else _CLOSE
        self._queue.append((request, after))
        self._deadline = self._shared.now + self._shared.bounds.idle_s

    # Answering.

    def _work(self) -> None:
        """Answer what is queued, as far as the client takes answers and the store has written."""
        shared = self._shared
        queue = self._queue
        if queue and not self._busy and not self._paused:
            shared.site.refresh()
        while queue and not self._busy and not self._paused:
            out: list[bytes] = []
            size = 0
            while queue and size < _FLUSH_BYTES:
                request, after = queue.popleft()
                response = self._respond(request)
                if isinstance(response, Later):
                    self._busy = True
                    self._task = asyncio.create_task(self._answer_later(request, response, after))
                    break
                size += self._put(out, request, response, after)
            if out:
                self._transport.writelines(out)
        self._pace()

    def _respond(self, request: Request) -> Response | Later:
        limiter = self._shared.limiter
        if limiter is not None and not limiter.admit(self._client.network):
            response = self._shared.site.refuse(request.path, 429, "too many requests from this network; wait")
            return response._replace(headers=(*response.headers, (b"Retry-After", b"1")))
        site = self._shared.site
        if request.method not in _READS or b"authorization" in request.headers:
            face = site.face_of(request.path)
            CALLER.set(http_caller(request, "" if face is None else face.prefixes[0].decode("ascii")))
        return site.answer(request)

    async def _answer_later(self, request: Request, later: Later, after: bytes) -> None:
        errors: list[XinjiError | None] = []
        try:
            for future in later.futures:
                try:
                    # A change that is queued is made, whether or not its client stays to hear of it.
                    await asyncio.shield(asyncio.wrap_future(future))
                    errors.append(None)
                except XinjiError as error:
                    errors.append(error)
            out: list[bytes] = []
            self._put(out, request, later.finish(tuple(errors)), after)
            self._busy = False
        finally:
            self._task = None
            if self._busy:
                self._transport.abort()
        self._transport.writelines(out)
        self._work()

    def _put(self, out: list[bytes], request: Request, response: Response, after: bytes) -> int:
        """Append the bytes of ``response`` to ``out`` and return how many."""
        shared = self._shared
        status, body, media, headers = response
        head = shared.head(status, media)
        if headers:
            head += b"".join([name + b": " + value + b"\r\n" for name, value in headers])
        head += after
        if after is _CLOSE:
            self._closing = True
            self._queue.clear()
        # What has no body has no length either (RFC 9110 section 8.6); the line that the date follows may be any.
        length = b"Content-Length: %d" % len(body) if status not in (204, 304) else b"Vary: Origin"
        piece = b"".join((head, length, shared.date, b"\r\n\r\n", b"" if request.method == b"HEAD" else body))
        out.append(piece)
        if shared.hook is not None:
            shared.hook(request, response)
        return len(piece)

    def _pace(self) -> None:
        """Read on, or wait until what was read is answered; close where nothing is left to do."""
        waiting = bool(self._queue) or self._busy or self._paused
        if self._closing and not waiting:
            self._transport.close()
        elif waiting and self._reading:
            self._transport.pause_reading()
            self._reading = False
        elif not waiting and not self._reading:
            self._transport.resume_reading()
            self._reading = True

    def _turn_away(self, reason: BaseException | None) -> None:
        """Answer what was complete, then say why the rest is not taken, and close."""
        self._work()
        if self._transport.is_closing():
            return
        if self._busy or self._queue:
            self._transport.abort()
            return
        if not isinstance(reason, _RefusedError):
            reason = _RefusedError(400, "the request cannot be read")
        path = self._target.partition(b"?")[0]
        response = self._shared.site.refuse(path, reason.status, reason.message)
        request = Request(b"GET", path, b"", {}, b"", self._client)
        out: list[bytes] = []
        self._put(out, request, response, _CLOSE)
        self._transport.writelines(out)
        self._see_out(_LINGER_S)

    def _see_out(self, linger_s: float) -> None:
        """Close after what was said, and pass over what still comes for ``linger_s``."""
        if self._transport.can_write_eof():
            # Closing with octets unread would reset the connection before the client saw why (RFC 9112 section 9.6).
            self._transport.write_eof()
            self._deadline = self._shared.now + linger_s
        else:
            self._transport.close()

    # Called by the server.

    def check_time(self, now_s: float) -> None:
        """Close the connection where its time is over."""
        if now_s > self._deadline and not self._busy:
            if self._paused:
                self._transport.abort()
            else:
                self._transport.close()

    def finish(self) -> None:
        """Close as soon as no answer is under way."""
        if not self._queue and not self._busy:
            self._transport.close()
        self._closing = True

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()


def _path_of(target: bytes) -> bytes:
    """Return the path of an absolute ``target`` (RFC 9112 section 3.2.2), ``*`` as it is."""
    try:
        return httptools.parse_url(target).path or b"/"
    except httptools.HttpParserInvalidURLError:
        return target
