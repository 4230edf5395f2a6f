"""Parsers of what strangers send over HTTP, by name, for the fuzzer and the property tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from xinji.use.identity.certificates import Tokens, certificate_identity, read_claims
from xinji.use.identity.gs1_links import links_of, linkset_json, linkset_text
from xinji.use.identity.gs1_uri import parse
from xinji.use.identity.http.handles_write import edit_of
from xinji.use.identity.http.login import handle_parameters
from xinji.use.identity.http.message import Client, Face, Request, Response, parameters, problem, read_json
from xinji.use.identity.http.negotiation import best_media, wishes
from xinji.use.identity.http.site import Site
from xinji.use.identity.http.value_json import value_from_json, values_json
from xinji.use.identity.record import Value, decode_values, encode_values
from xinji.use.identity.serve_http_connection import Bounds, Connection, Shared
from xinji.use.identity.templates import template_from_json
from xinji.use.identity.wire import Cursor

HERE = Client("127.0.0.1", 1, secure=True)


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Return the address of the peer."""
        return ("127.0.0.1", 1) if name == "peername" else default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep ``data``."""
        self.written += bytes(data)

    def is_closing(self) -> bool:
        """Return whether it was closed."""
        return self.closed

    def can_write_eof(self) -> bool:
        """Say no."""
        return False

    def close(self) -> None:
        """Note it."""
        self.closed = True

    def abort(self) -> None:
        """Note it."""
        self.closed = True

    def pause_reading(self) -> None:
        """Do nothing."""

    def resume_reading(self) -> None:
        """Do nothing."""


def http_connection(octets: bytes) -> bytes:
    """Feed a connection, in two parts, and return what it answers."""

    def echo(request: Request) -> Response:
        return Response(200, request.path + request.query + request.body)

    shared = Shared(Site((Face((b"/",), echo, problem),)), Bounds(body_bytes=4_096))
    shared.tick(0.0)
    connection, wire = Connection(shared), Wire()
    connection.connection_made(wire)
    half = len(octets) // 2
    connection.data_received(octets[:half])
    connection.data_received(octets[half:])
    return wire.written


def values_from_json(octets: bytes) -> object:
    """Read a value from JSON and, where that goes well, write it and read it again."""
    value = value_from_json(read_json(octets), "value", now_s=1)
    return values_json(encode_values((value,)))


def values_to_json(octets: bytes) -> object:
    """Write an encoded list of values as JSON where it is one."""
    values = decode_values(Cursor(octets))
    return read_json(values_json(encode_values(values)).encode("utf-8", "replace"))


def put_request(octets: bytes) -> object:
    """Read what a PUT asks for."""
    headers = {b"content-type": b"application/json"}
    request = Request(b"PUT", b"/api/handles/88.1/a", b"", headers, octets, HERE)
    return edit_of(request, "88.1/a", {}, now_s=1, proved=True)


def gs1_links(octets: bytes) -> object:
    """Read a link from a value and write its linkset."""
    links, text = links_of((Value(index=1, type="gs1:pip", data=octets),))
    return linkset_json([("https://a.example/", links, text)]), linkset_text([("https://a.example/", links, text)])


PARSERS: dict[str, Callable[[bytes], object]] = {
    "http connection": http_connection,
    "http query": parameters,
    "http JSON": read_json,
    "http value": values_from_json,
    "http values": values_to_json,
    "http put": put_request,
    "http authorization": lambda octets: handle_parameters(octets.decode("latin-1")),
    "http accept": lambda octets: (wishes(octets), best_media(octets, ("text/html", "application/json"))),
    "gs1 path": lambda octets: parse(b"/01/" + octets),
    "gs1 query": lambda octets: parse(b"/01/09506000134352", octets),
    "gs1 link": gs1_links,
    "certificate": lambda octets: read_claims(octets, "token"),
    "client certificate": certificate_identity,
    "bearer token": lambda octets: Tokens(b"k" * 32).read(octets.decode("latin-1"), now_s=1),
    "template": lambda octets: template_from_json(read_json(octets)),
}
"""Parsers by name."""

SEEDS: dict[str, tuple[bytes, ...]] = {
    "http connection": (
        b"GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nabGET / HTTP/1.0\r\n\r\n",
    ),
    "http value": (
        b'{"index":1,"type":"URL","data":{"format":"string","value":"x"},"ttl":60,"permissions":"1110"}',
        (
            b'{"index":"100","type":"HS_ADMIN","data":{"format":"admin","value":{"handle":"1/2","index":3,'
            b'"permissions":"111111111111"}}}'
        ),
        (
            b'{"index":1,"type":"HS_SITE","data":{"format":"site","value":{"servers":[{"serverId":1,"address":"::1",'
            b'"interfaces":[{"query":true,"admin":true,"protocol":"TCP","port":1}]}]}}}'
        ),
    ),
    "http authorization": (
        b'sessionId="a", cnonce="AA==", id="300:1/2", type="HS_PUBKEY", alg="SHA256", signature=AA',
    ),
    "gs1 path": (b"09506000134352/10/ABC/21/1", b"9506000134376"),
    "gs1 link": (b'{"href":"https://a.example/","hreflang":["en"],"type":"text/html"}',),
    "template": (b'{"prefix":"1","version":"1","items":[{"name":"a","idType":"b","metadata":{"maxLength":3}}]}',),
}
"""Inputs to start from."""
