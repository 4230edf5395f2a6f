"""Ten thousand hostile clients: the table of networks stays bounded and whoever behaves is served."""

from __future__ import annotations

import socket
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.http_node import ADMIN, THING, served
from support.secured_node import Secured, basic, secured
from xinji.use.identity.doirp.bodies import Query
from xinji.use.identity.doirp.codes import OpCode, ResponseCode
from xinji.use.identity.doirp.message import Envelope, Header, Message, decode_message
from xinji.use.identity.limits import Allowance, RateLimiter, network_of

HOSTILE = 10_000
GOOD = "127.250.0.1"
PATH = f"/api/handles/{THING}"
ASKED = Message(Envelope(5), Header(OpCode.RESOLUTION), Query(THING, (1,)).encode()).encode()


def address_of(number: int) -> str:
    """An address of the machine's own in a network (/24) of its own."""
    return f"127.{1 + number // 250}.{number % 250}.1"


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A node where each network has five requests, and one more in three hours."""
    allowance = Allowance(rate_per_s=0.0001, burst=5.0, networks=16_384)
    with secured(tmp_path_factory.mktemp("limited") / "store", allowance=allowance) as found:
        yield found


def metric(node: Secured, name: str, source: str) -> float:
    text = node.http("GET", "/metrics", source=source).body.decode()
    return float(next(line for line in text.splitlines() if line.startswith(f"{name} ")).split()[1])


def test_the_table_does_not_grow_with_its_attackers() -> None:
    limiter = RateLimiter(Allowance(rate_per_s=0.01, burst=5.0, networks=4_096), clock=lambda: 0.0)
    assert limiter.admit(network_of(GOOD))
    networks = [network_of(address_of(number)) for number in range(HOSTILE)]
    assert len(set(networks)) == HOSTILE
    tracemalloc.start()
    for network in networks * 6:
        limiter.admit(network)
    octets, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(limiter) <= 4_097
    assert octets < 2**20
    # Who was there before keeps the rest of its own allowance, to the last request.
    assert [limiter.admit(network_of(GOOD)) for _ in range(5)] == [True] * 4 + [False]


def test_ipv6_attackers_cannot_use_their_many_addresses() -> None:
    limiter = RateLimiter(Allowance(rate_per_s=0.01, burst=5.0), clock=lambda: 0.0)
    admitted = sum(limiter.admit(network_of(f"2001:db8:0:12{n % 256:02x}::{n:x}")) for n in range(HOSTILE))
    assert admitted == 5
    assert len(limiter) == 1


def test_ten_thousand_networks_over_udp(limited: Secured) -> None:
    """Every one of 10,000 networks asks until it is refused; a newcomer is served by both protocols."""
    for number in range(HOSTILE):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hostile:
            hostile.bind((address_of(number), 0))
            for _ in range(2):
                hostile.sendto(ASKED, (limited.host, limited.doirp_port))
            if number % 50 == 0:
                # Waiting now and then keeps the system's own buffer from overflowing.
                hostile.settimeout(60)
                assert decode_message(hostile.recv(4_096)).header.response == ResponseCode.SUCCESS
    assert limited.http("GET", PATH, source=GOOD).status == 200
    assert limited.http("GET", PATH, source=GOOD).json["responseCode"] == 1
    held = metric(limited, "xinji_limited_networks", GOOD)
    assert HOSTILE * 0.9 < held <= 16_385


def test_one_network_with_hundreds_of_connections(limited: Secured) -> None:
    """300 open connections of one network get five answers together; the others' share is untouched."""
    head = f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    statuses: list[bytes] = []
    with ExitStack() as stack:
        connections = [
            stack.enter_context(
                socket.create_connection(
                    (limited.host, limited.http_port), timeout=60, source_address=(f"127.200.0.{1 + number % 250}", 0)
                )
            )
            for number in range(300)
        ]
        for connection in connections:
            connection.sendall(head)
        statuses.extend(connection.recv(65_536)[9:12] for connection in connections)
        assert limited.http("GET", PATH, source="127.251.0.1").status == 200
    assert statuses.count(b"200") == 5
    assert statuses.count(b"429") == 295


def test_three_hundred_silent_connections_hold_nobody_up(limited: Secured) -> None:
    with ExitStack() as stack:
        for number in range(300):
            port = limited.http_port if number % 2 else limited.doirp_port
            source = (address_of(5_000 + number), 0)
            sent = b"GET /api" if number % 2 else ASKED[:30]
            made = socket.create_connection((limited.host, port), timeout=60, source_address=source)
            stack.enter_context(made).sendall(sent)
        assert limited.http("GET", PATH, source="127.252.0.1").status == 200
        with socket.create_connection(
            (limited.host, limited.doirp_port), timeout=60, source_address=("127.252.0.2", 0)
        ) as good:
            good.sendall(ASKED)
            assert decode_message(good.recv(4_096)).header.response == ResponseCode.SUCCESS


def test_over_the_limit_is_said_in_each_protocol(limited: Secured) -> None:
    source = "127.253.0.1"
    statuses = [limited.http("GET", PATH, source=source).status for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    with socket.create_connection(
        (limited.host, limited.doirp_port), timeout=60, source_address=(source, 0)
    ) as connection:
        connection.sendall(ASKED)
        assert decode_message(connection.recv(4_096)).header.response == ResponseCode.SERVER_BUSY
        assert connection.recv(1) == b""


def test_wrong_passwords_have_a_limit_of_their_own(tmp_path: Path) -> None:
    with served(tmp_path / "store") as node:
        statuses = [node.ask("GET", PATH, headers=basic(ADMIN, f"guess {number}")).status for number in range(24)]
        assert statuses[:20] == [401] * 20
        assert statuses[20:] == [503] * 4
        assert node.ask("GET", PATH).status == 200
