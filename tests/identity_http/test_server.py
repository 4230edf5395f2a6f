"""The HTTP/1.1 server itself: order, bounds, time limits, ends."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from support.http_node import ADMIN, HIDDEN, PASSWORD, THING, Served, served
from xinji.errors import InputError
from xinji.use.identity.http.message import Face, Request, Response, problem
from xinji.use.identity.http.site import Site
from xinji.use.identity.keys import read_key
from xinji.use.identity.limits import Allowance, RateLimiter
from xinji.use.identity.serve_http import HttpOptions, event_loop, start_http, tls_context
from xinji.use.identity.serve_http_connection import Bounds

HEAD = b"GET /api/handles/" + THING.encode() + b" HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = HEAD.replace(b"Host: a", b"Host: a\r\nConnection: close")

PATIENCE_S = 60.0
"""How long a test waits for what has to come about; idle connections are kept longer by default."""


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"it did not come about within {PATIENCE_S:g} s"
        time.sleep(0.02)


def test_pipelined_requests_are_answered_in_order(node: Served) -> None:
    paths = [b"/api/handles/88.123.1/none-%d" % number for number in range(40)]
    sent = b"".join(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n" for path in paths)
    got = node.octets(sent + LAST)
    places = [got.index(b'"88.123.1/none-%d"' % number) for number in range(40)]
    assert places == sorted(places)
    assert got.count(b"HTTP/1.1 404") == 40
    assert got.count(b"HTTP/1.1 200") == 1


def test_a_change_between_two_reads_is_answered_in_its_place(node: Served) -> None:
    basic = base64.b64encode(f"300%3A{ADMIN}:{PASSWORD}".encode())
    path = b"/api/handles/88.123.1/order"
    body = b'[{"index":1,"type":"A","data":"first"}]'
    put = (
        b"PUT " + path + b" HTTP/1.1\r\nHost: a\r\nAuthorization: Basic " + basic
        + b"\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )  # fmt: skip
    read = b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n"
    got = node.octets(read + put + read.replace(b"Host: a", b"Host: a\r\nConnection: close"))
    assert re.findall(rb"HTTP/1\.1 (\d+)", got) == [b"404", b"200", b"200"]
    assert got.endswith(b"}]}")
    assert b'"value":"first"' in got


def test_chunked_bodies_and_expect_are_read(node: Served) -> None:
    chunked = (
        b"POST /identity/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
        b"Expect: 100-continue\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    )
    got = node.octets(chunked)
    assert got.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_http_1_0_and_absolute_targets(node: Served) -> None:
    old = node.octets(b"GET /api/handles/" + THING.encode() + b" HTTP/1.0\r\n\r\n")
    assert old.startswith(b"HTTP/1.1 200")
    assert b"Connection: close" in old
    absolute = LAST.replace(b"GET /", b"GET http://a.example/")
    assert node.octets(absolute).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400"),
        (b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", b"400"),
        (b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", b"400"),
        (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", b"400"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", b"400"),
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X%d: 1\r\n" % n for n in range(200)) + b"\r\n", b"431"),
        (b"PUT /doip HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", b"413"),
    ],
)
def test_what_is_no_request_is_refused_and_closed(node: Served, sent: bytes, status: bytes) -> None:
    got = node.octets(sent)
    assert got.startswith(b"HTTP/1.1 " + status), got[:200]
    assert b"Connection: close" in got
    assert node.ask("GET", "/api/handles/" + THING).status == 200


def test_a_refusal_has_the_form_of_its_face(node: Served) -> None:
    large = b"Host: a\r\nContent-Length: 99999999999\r\n\r\n"
    assert b'"responseCode":4' in node.octets(b"PUT /api/handles/1/2 HTTP/1.1\r\n" + large)
    assert b'"status":-2' in node.octets(b"POST /identityv2/data HTTP/1.1\r\n" + large)
    assert b'"code":101' in node.octets(b"POST /api/v1/doip HTTP/1.1\r\n" + large)
    assert b"0.DOIP/Status.101" in node.octets(b"POST /doip HTTP/1.1\r\n" + large)
    assert b"application/problem+json" in node.octets(b"POST /01/1 HTTP/1.1\r\n" + large)


def test_an_upgrade_is_passed_over(node: Served) -> None:
    got = node.octets(HEAD.replace(b"Host: a", b"Host: a\r\nConnection: Upgrade\r\nUpgrade: h2c"))
    assert got.startswith(b"HTTP/1.1 200")


def test_slow_and_silent_clients_are_cut_off(tmp_path: Path) -> None:
    with served(tmp_path / "store", options=HttpOptions(bounds=Bounds(idle_s=1.0, request_s=1.0))) as node:
        for sent in (HEAD[:20], b""):
            with socket.create_connection((node.host, node.port), timeout=PATIENCE_S) as slow:
                slow.sendall(sent)
                # The end, and no answer; that none comes would be an error here.
                assert slow.recv(1) == b""
        until(lambda: node.server.connections == 0)


def test_a_client_that_does_not_read_holds_little(tmp_path: Path) -> None:
    options = HttpOptions(bounds=Bounds(request_s=2.0))
    with (
        served(tmp_path / "store", options=options) as node,
        socket.create_connection((node.host, node.port), timeout=0.2) as silent,
    ):
        # It ends as nothing more is taken, or as the server has had enough of it.
        with suppress(OSError):
            for _ in range(200):
                silent.sendall(HEAD * 2_000)
        # The server stopped reading: what it holds is bounded, and others are served.
        assert node.ask("GET", "/api/handles/" + THING).status == 200


def test_bodies_of_all_clients_together_are_bounded(tmp_path: Path) -> None:
    bounds = Bounds(body_bytes=1_000_000, held_bytes=1_500_000)
    with served(tmp_path / "store", options=HttpOptions(bounds=bounds)) as node:
        part = b"POST /identity/token HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 900_000
        with socket.create_connection((node.host, node.port)) as first:
            first.sendall(part)
            until(lambda: node.server.held >= 900_000)
            assert node.octets(part).startswith(b"HTTP/1.1 503")
        until(lambda: node.server.held == 0)
        # The first is gone, and what it held with it.
        with socket.create_connection((node.host, node.port)) as again:
            again.sendall(part + b"x" * 100_000)
            assert again.recv(20).startswith(b"HTTP/1.1 200")


def test_a_change_is_made_though_its_client_leaves(node: Served) -> None:
    basic = base64.b64encode(f"300%3A{ADMIN}:{PASSWORD}".encode())
    body = b'[{"index":1,"type":"A","data":"x"}]'
    for number in range(20):
        with socket.create_connection((node.host, node.port)) as leaving:
            leaving.sendall(
                b"PUT /api/handles/88.123.1/left-%d HTTP/1.1\r\nHost: a\r\nAuthorization: Basic " % number
                + basic
                + b"\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
                + body
            )
    paths = [f"/api/handles/88.123.1/left-{number}" for number in range(20)]
    until(lambda: {node.ask("GET", path).status for path in paths} == {200})


def test_one_connection_too_many_is_turned_away(tmp_path: Path) -> None:
    with served(tmp_path / "store", options=HttpOptions(bounds=Bounds(connections=2))) as node:
        kept = [socket.create_connection((node.host, node.port)) for _ in range(2)]
        for one in kept:
            one.sendall(HEAD)
            assert one.recv(10)
        assert node.octets(b"").startswith(b"HTTP/1.1 503")
        for one in kept:
            one.close()


def test_the_rate_limit_answers_429_in_each_form(tmp_path: Path) -> None:
    options = HttpOptions(limiter=RateLimiter(Allowance(rate_per_s=0.001, burst=3)))
    with served(tmp_path / "store", options=options) as node:
        replies = [node.ask("GET", "/api/handles/" + THING) for _ in range(5)]
        assert [reply.status for reply in replies] == [200, 200, 200, 429, 429]
        assert replies[-1].headers["retry-after"] == "1"
        assert replies[-1].json["responseCode"] == 4
        assert node.ask("GET", "/identityv2/data/detail").json["status"] == -2


def test_wrong_passwords_are_limited_by_network(tmp_path: Path) -> None:
    with served(tmp_path / "store") as node:
        wrong = {"Authorization": "Basic " + base64.b64encode(f"300%3A{ADMIN}:no".encode()).decode()}
        right = {"Authorization": "Basic " + base64.b64encode(f"300%3A{ADMIN}:{PASSWORD}".encode()).decode()}
        assert {node.ask("GET", "/api/handles/" + THING, headers=wrong).status for _ in range(20)} == {401}
        for headers in (wrong, right):
            reply = node.ask("GET", "/api/handles/" + THING, headers=headers)
            assert reply.status == 503
            assert HIDDEN.encode() not in reply.body
        assert node.ask("GET", "/api/handles/" + THING).status == 200


def test_a_mistake_of_ours_is_a_500_and_the_hook_sees_everything() -> None:
    seen: list[tuple[bytes, int]] = []

    def broken(request: Request) -> Response:
        raise KeyError(request.path)

    async def run() -> bytes:
        site = Site((Face((b"/broken",), broken, problem),))
        hook = HttpOptions(hook=lambda request, response: seen.append((request.path, response.status)))
        server = await start_http(site, host="127.0.0.1", port=0, options=hook)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            b"GET /broken HTTP/1.1\r\nHost: a\r\n\r\nGET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        got = await reader.read()
        writer.close()
        await writer.wait_closed()
        await server.stop()
        return got

    loop = event_loop()
    got = loop.run_until_complete(run())
    loop.close()
    assert got.count(b"HTTP/1.1 500") == 1
    assert b"KeyError" not in got
    assert seen == [(b"/broken", 500), (b"/none", 404)]


def test_stopping_ends_idle_connections_at_once() -> None:
    async def run() -> None:
        server = await start_http(Site(()), host="127.0.0.1", port=0)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(HEAD)
        assert (await reader.readline()).startswith(b"HTTP/1.1 404")
        # Were the idle connection waited for, this would take ten minutes.
        await asyncio.wait_for(server.stop(grace_s=600.0), PATIENCE_S)
        await asyncio.wait_for(reader.read(), PATIENCE_S)
        assert reader.at_eof()
        writer.close()
        await writer.wait_closed()

    loop = event_loop()
    loop.run_until_complete(run())
    loop.close()


def self_signed(folder: Path, name: str, subject: str) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(  # noqa: S603
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", subject,  # noqa: S607
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


@pytest.mark.skipif(not Path("/usr/bin/openssl").exists(), reason="needs the openssl program to make certificates")
def test_tls_and_client_certificates(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, "server", "/CN=127.0.0.1")
    own_certificate, own_key = self_signed(tmp_path, "client", f"/UID=301:{ADMIN.replace('/', chr(92) + '/')}")
    own_key.chmod(0o600)
    client = ssl.create_default_context(cafile=str(certificate))
    client.load_cert_chain(own_certificate, own_key)
    options = HttpOptions(tls=tls_context(certificate, key, clients=own_certificate))
    with served(tmp_path / "store", options=options, key=read_key(own_key), client_tls=client) as node:
        wanted = {"Authorization": 'Handle clientCert="true"'}
        assert HIDDEN.encode() not in node.ask("GET", "/api/handles/" + THING).body
        assert HIDDEN.encode() in node.ask("GET", "/api/handles/" + THING, headers=wanted).body
        node.tls = ssl.create_default_context(cafile=str(certificate))
        assert node.ask("GET", "/api/handles/" + THING, headers=wanted).status == 401
        # A request in the clear gets no answer in the clear.
        assert b"HTTP/1.1 200" not in node.octets(HEAD)


def test_a_key_that_is_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_text("no")
    with pytest.raises(InputError, match=r"a\.pem, a\.pem cannot be used"):
        tls_context(tmp_path / "a.pem", tmp_path / "a.pem")


def test_bounds_are_positive() -> None:
    with pytest.raises(InputError, match="body_bytes is 0"):
        Bounds(body_bytes=0)
