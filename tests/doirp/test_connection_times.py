"""When a connection ends, by a clock that the test sets: exact, however busy the machine is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from support.doirp_world import PREFIX, World
from xinji.use.identity.doirp.bodies import Query
from xinji.use.identity.doirp.codes import OpCode, OpFlag
from xinji.use.identity.doirp.fast import FastPath
from xinji.use.identity.doirp.message import Envelope, Header, Message
from xinji.use.identity.serve_clients import LOBBY_S
from xinji.use.identity.serve_doirp_connection import Bounds, Connection, Shared

BOUNDS = Bounds(request_s=10.0, idle_s=60.0, linger_s=0.5, linger_used_s=2.0, send_s=30.0, connections=1)


class Way:
    """A transport that keeps what is written and says when it is closed."""

    def __init__(self) -> None:
        self.octets = b""
        self.ended = ""

    def write(self, octets: bytes) -> None:
        self.octets += octets

    def is_closing(self) -> bool:
        return bool(self.ended)

    def close(self) -> None:
        self.ended = self.ended or "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def get_extra_info(self, _: str) -> tuple[str, int]:
        return ("192.0.2.1", 1)

    def set_write_buffer_limits(self, *, high: int) -> None:
        assert high == BOUNDS.pending_octets

    def pause_reading(self) -> None:
        """Nothing comes but what the test sends."""

    def resume_reading(self) -> None:
        """Nothing comes but what the test sends."""


class Clock:
    """The time [s] of the event loop, as the test sets it."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def time(self) -> float:
        return self.now_s


Opened = tuple[Connection, Way]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opening(made: World, clock: Clock) -> Callable[[], Opened]:
    """Opens connections of one server, which has room for one."""
    service = made.service
    fast = FastPath(service.reader.body, service.reader.open_body, primary=service.primary, serial=service.serial)

    async def shared_now() -> Shared:
        return Shared(service, fast, BOUNDS, None, service.refresh)

    shared = asyncio.run(shared_now())

    async def opened() -> Opened:
        connection, way = Connection(shared), Way()
        cast("Any", connection)._loop = clock
        connection.connection_made(cast("asyncio.Transport", way))
        return connection, way

    return lambda: asyncio.run(opened())


def query(flags: int, name: str = "pump-7") -> bytes:
    body = Query(f"{PREFIX}/{name}").encode()
    return Message(Envelope(1), Header(OpCode.RESOLUTION, flags=flags), body).encode()


def ends_after(opened: Opened, clock: Clock, seconds: float) -> str:
    """How the connection ends: not before ``seconds`` from now, but right after."""
    connection, way = opened
    connection.check_time(clock.now_s + seconds - 0.001)
    assert way.ended == ""
    connection.check_time(clock.now_s + seconds + 0.001)
    return way.ended


@pytest.mark.parametrize("name", ["pump-7", "absent", "mixed"])
@pytest.mark.parametrize(
    ("flags", "requests", "seconds"),
    [(OpFlag.PO, 1, 0.5), (OpFlag.PO, 2, 2.0), (OpFlag.PO | OpFlag.KC, 1, 60.0), (OpFlag.PO | OpFlag.KC, 3, 60.0)],
)
def test_after_an_answer(
    opening: Callable[[], Opened], clock: Clock, flags: int, requests: int, seconds: float, name: str
) -> None:
    opened = opening()
    for _ in range(requests):
        clock.now_s += 0.1
        opened[0].data_received(query(flags, name))
    assert opened[1].octets
    assert ends_after(opened, clock, seconds) == "closed"


def test_before_a_message_and_while_it_drips_in(opening: Callable[[], Opened], clock: Clock) -> None:
    opened = opening()
    assert ends_after(opened, clock, 10.0) == "closed"
    opened[0].connection_lost(None)
    opened = opening()
    octets = query(OpFlag.PO | OpFlag.KC)
    clock.now_s += 4.0
    for octet in octets[:30]:
        opened[0].data_received(bytes((octet,)))
        clock.now_s += 0.2
    # From its first octet on, however often something comes.
    assert ends_after(opened, clock, 10.0 - 30 * 0.2) == "closed"
    assert opened[1].octets == b""


def test_what_is_answered_gives_the_next_message_its_own_time(opening: Callable[[], Opened], clock: Clock) -> None:
    opened = opening()
    octets = query(OpFlag.PO | OpFlag.KC)
    opened[0].data_received(octets[:30])
    clock.now_s += 9.0
    opened[0].data_received(octets[30:] + octets[:30])
    assert opened[1].octets
    assert ends_after(opened, clock, 10.0) == "closed"


def test_a_client_that_takes_nothing(opening: Callable[[], Opened], clock: Clock) -> None:
    opened = opening()
    opened[0].data_received(query(OpFlag.PO | OpFlag.KC))
    opened[0].pause_writing()
    assert ends_after(opened, clock, 30.0) == "aborted"


def test_who_is_one_too_many_has_a_moment_to_say_what_for(opening: Callable[[], Opened], clock: Clock) -> None:
    opening()
    silent, dripping, asking = opening(), opening(), opening()
    assert ends_after(silent, clock, LOBBY_S) == "closed"
    octets = query(OpFlag.PO | OpFlag.KC)
    clock.now_s += 1.5
    dripping[0].data_received(octets[:30])
    assert ends_after(dripping, clock, LOBBY_S - 1.5) == "closed"
    asking[0].data_received(octets)
    assert asking[1].ended == "closed"
    assert int.from_bytes(asking[1].octets[24:28], "big") == 3
