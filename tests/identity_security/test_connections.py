"""Connections: of each network so many and no more, over both protocols together; who is refused is told so."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack

import pytest

from support.http_node import THING
from support.secured_node import Secured
from xinji.errors import InputError
from xinji.use.identity.doirp.bodies import Query
from xinji.use.identity.doirp.codes import OpCode, ResponseCode
from xinji.use.identity.doirp.message import Envelope, Header, Message, decode_message
from xinji.use.identity.limits import Places, network_of
from xinji.use.identity.serve import Serving, open_files
from xinji.use.identity.serve_clients import LOBBY, Admission, Clients, Refusal

AtWork = Callable[..., AbstractContextManager[Secured]]

EACH = 20
PATH = f"/api/handles/{THING}"
HEAD = f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
ASKED = Message(Envelope(5), Header(OpCode.RESOLUTION), Query(THING, (1,)).encode()).encode()


@pytest.fixture(scope="module")
def node(at_work: AtWork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A node where each network may have twenty connections."""
    with at_work(tmp_path_factory.mktemp("narrow") / "store", Serving(connections_each=EACH)) as found:
        yield found


def connected(node: Secured, port: int, source: str) -> socket.socket:
    return socket.create_connection((node.host, port), timeout=30, source_address=(source, 0))


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it did not come about within 30 s"
        time.sleep(0.02)


def metric(node: Secured, name: str) -> float:
    text = node.http("GET", "/metrics", source="127.99.0.1").body.decode()
    return float(next(line for line in text.splitlines() if line.startswith(f"{name} ")).split()[1])


def doirp_answer(connection: socket.socket) -> int:
    connection.sendall(ASKED)
    octets = connection.recv(65_536)
    assert int.from_bytes(octets[8:12], "big") == 5, "the refusal is no answer to the request"
    return decode_message(octets).header.response


def test_one_network_cannot_hold_all_connections(node: Secured) -> None:
    """Slow-loris: half requests on many connections of one network, over both protocols."""
    refused = 'xinji_refused_connections_total{protocol="http",reason="network"}'
    before = metric(node, refused)
    with ExitStack() as stack:
        for number in range(EACH):
            port, sent = ((node.http_port, HEAD[:20]), (node.doirp_port, ASKED[:30]))[number % 2]
            held = stack.enter_context(connected(node, port, f"127.60.0.{1 + number}"))
            held.sendall(sent)
        # A server takes connections in their order: those before are counted once this one is answered.
        one_more = stack.enter_context(connected(node, node.http_port, "127.60.0.200"))
        one_more.sendall(HEAD)
        told = one_more.recv(65_536)
        assert told.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 5\r\n" in told
        assert b"Connection: close\r\n" in told
        with connected(node, node.doirp_port, "127.60.0.201") as another:
            assert doirp_answer(another) == ResponseCode.SERVER_BUSY
            assert another.recv(1) == b""
        # The others are served, by both protocols.
        assert node.http("GET", PATH, source="127.61.0.1").status == 200
        with connected(node, node.doirp_port, "127.61.0.1") as other:
            assert doirp_answer(other) == ResponseCode.SUCCESS
        assert metric(node, refused) == before + 1
        assert metric(node, "xinji_network_connections_most") == EACH
        assert metric(node, refused.replace("http", "doirp")) >= 1

    # What is closed may be opened again.
    def served_again() -> bool:
        with connected(node, node.http_port, "127.60.0.1") as again:
            again.sendall(HEAD)
            return again.recv(12) == b"HTTP/1.1 200"

    until(served_again)


def test_a_refused_client_that_sends_nothing_is_gone_soon(node: Secured) -> None:
    with ExitStack() as stack:
        for number in range(EACH):
            held = stack.enter_context(connected(node, node.http_port, f"127.62.0.{1 + number}"))
            held.sendall(HEAD)
            assert held.recv(12) == b"HTTP/1.1 200"
        silent = stack.enter_context(connected(node, node.doirp_port, "127.62.0.99"))
        assert silent.recv(1) == b""


def test_places_are_given_back_and_the_table_holds_no_more_than_is_open() -> None:
    places = Places(3)
    one, other = network_of("192.0.2.1"), network_of("192.0.3.1")
    assert [places.take(network_of(f"192.0.2.{n}")) for n in range(5)] == [True] * 3 + [False] * 2
    assert places.take(other)
    assert (len(places), places.fullest()) == (2, 3)
    places.leave(one)
    assert places.take(one)
    assert not places.take(one)
    for network in (one, one, one, other):
        places.leave(network)
    assert (len(places), places.fullest()) == (0, 0)
    # An attacker's many addresses of IPv6 are one network: /56, so a /64 as well.
    assert [places.take(network_of(f"2001:db8:0:12{n:02x}::{n}")) for n in range(5)] == [True] * 3 + [False] * 2
    with pytest.raises(InputError, match="connections is 0"):
        Places(0)


class Quiet:
    """A connection that only says what was done to it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def check_time(self, now_s: float) -> None:
        self.done.append(f"time {now_s}")

    def finish(self) -> None:
        self.done.append("finish")

    def abort(self) -> None:
        self.done.append("abort")


def test_the_lobby_is_small_and_frees_no_places() -> None:
    async def run() -> None:
        places = Places(100_000)
        clients = Clients(2, places)
        served, turned = [Quiet(), Quiet()], [Quiet() for _ in range(LOBBY + 1)]
        assert [clients.enter(client, 7) for client in served] == [Admission.SERVED] * 2
        assert [clients.enter(client, 7) for client in turned] == [Admission.LOBBY] * LOBBY + [Admission.SHUT]
        assert clients.refused == {Refusal.FULL: LOBBY + 1}
        clients.check_times(3.0)
        assert served[0].done == turned[0].done == ["time 3.0"]
        clients.leave(turned[0])
        assert (len(clients), places.fullest()) == (2, 2)
        clients.leave(served[0])
        assert (len(clients), places.fullest()) == (1, 1)
        ending = asyncio.create_task(clients.end(30.0))
        await asyncio.sleep(0)
        assert clients.enter(Quiet(), 7) == Admission.SHUT
        clients.leave(served[1])
        await asyncio.wait_for(ending, 10.0)
        assert served[1].done[-1] == "finish"
        assert turned[-2].done[-1] == "abort"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("least", "most", "made", "warned"),
    [
        (1_024, 524_288, (20_000, 524_288), False),
        (1_024, -1, (20_000, -1), False),
        (1_024, 4_096, (4_096, 4_096), True),
        (65_536, 524_288, None, False),
        (-1, -1, None, False),
    ],
)
def test_a_node_has_files_for_its_connections(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, least: int, most: int,
    made: tuple[int, int] | None, *, warned: bool,
) -> None:  # fmt: skip
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr("xinji.use.identity.serve.resource.getrlimit", lambda _: (least, most))
    monkeypatch.setattr("xinji.use.identity.serve.resource.setrlimit", lambda _, limits: asked.append(limits))
    assert open_files() == (20_000 if not warned else most)
    assert asked == ([made] if made is not None else [])
    assert ("open files" in caplog.text) == warned
