"""The server on real sockets: order, bounds, times, and what it does with clients that mean harm."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from support import doirp_decoder as second
from support.doirp_world import PREFIX, World, address, connected, read_message, run_with, world
from support.parsers import corpus
from xinji.errors import XinjiError
from xinji.use.identity.changes import Change
from xinji.use.identity.client_link import Address, Asked, ask
from xinji.use.identity.doirp.bodies import Failure, Query
from xinji.use.identity.doirp.codes import OpCode, OpFlag, ResponseCode
from xinji.use.identity.doirp.message import Envelope, Header, Message, decode_message
from xinji.use.identity.limits import Allowance, RateLimiter
from xinji.use.identity.serve_doirp import DoirpOptions, DoirpServer, start_doirp
from xinji.use.identity.serve_doirp_connection import Bounds
from xinji.use.identity.serve_http import event_loop

Loop = Callable[[], asyncio.AbstractEventLoop]
LOOPS = [asyncio.new_event_loop, pytest.param(event_loop, id="uvloop where installed")]

PATIENCE_S = 60.0
"""How long a test waits for what has to come about; no test is about this time."""

PLAIN = OpFlag.PO | OpFlag.KC


def query(number: int, name: str = "pump-7", flags: int = PLAIN) -> bytes:
    return Message(
        Envelope(number), Header(OpCode.RESOLUTION, flags=flags), Query(f"{PREFIX}/{name}").encode()
    ).encode()


@pytest.mark.parametrize("loop", LOOPS)
def test_many_requests_in_any_pieces_are_answered_in_order(tmp_path: Path, loop: Loop) -> None:
    names = ["pump-7", "other", "nothing", "mixed", "long", "水泵", "huge"]
    chance = random.Random(3)  # noqa: S311

    async def test(server: DoirpServer, _: World) -> None:
        octets = b"".join(query(number, chance.choice(names)) for number in range(400))
        async with connected(server) as (reader, writer):
            at = 0
            while at < len(octets):
                size = chance.choice((1, 19, 20, 81, 500, 5_000))
                writer.write(octets[at : at + size])
                at += size
                if chance.random() < 0.1:
                    await asyncio.sleep(0)
            for number in range(400):
                found = second.message(await read_message(reader))
                assert found["envelope"]["request"] == number
        assert server.counts[OpCode.RESOLUTION, ResponseCode.SUCCESS] + server.counts[1, 100] == 400

    run_with(tmp_path, test, loop=loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_udp_gives_what_tcp_gives(tmp_path: Path, loop: Loop) -> None:
    async def test(server: DoirpServer, _: World) -> None:
        for name, indexes in (("pump-7", ()), ("nothing", ()), ("long", (1, 2)), ("水泵", ())):
            asked = Asked(Header(OpCode.RESOLUTION, flags=OpFlag.PO), Query(f"{PREFIX}/{name}", indexes))
            by_udp = await ask(address(server, udp=True), asked)
            assert by_udp == await ask(address(server), asked)
        for name in ("long", "huge"):
            refused = await ask(address(server, udp=True), replace(asked, body=Query(f"{PREFIX}/{name}")))
            assert refused.code == ResponseCode.ERROR
            assert isinstance(refused.body, Failure)
            assert "over TCP" in refused.body.text

    run_with(tmp_path, test, loop=loop)


def test_datagrams_that_cannot_be_read_are_dropped(tmp_path: Path) -> None:
    async def test(server: DoirpServer, _: World) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.connect(("127.0.0.1", server.port))
            for octets in (b"", b"x", bytes(19), b"\xff" * 512, query(1)[:30]):
                peer.send(octets)
        asked = Asked(Header(OpCode.RESOLUTION, flags=OpFlag.PO), Query(f"{PREFIX}/pump-7"))
        assert (await ask(address(server, udp=True), asked)).code == ResponseCode.SUCCESS

    run_with(tmp_path, test)


def test_a_message_that_is_wrong_does_not_end_the_connection(tmp_path: Path) -> None:
    broken = Message(Envelope(1), Header(OpCode.CREATE_ID, flags=OpFlag.KC), b"\xff\xff\xff\xff").encode()

    async def test(server: DoirpServer, _: World) -> None:
        async with connected(server) as (reader, writer):
            writer.write(broken + query(2))
            first, then = decode_message(await read_message(reader)), decode_message(await read_message(reader))
            assert (first.header.response, first.envelope.request) == (ResponseCode.PROTOCOL_ERROR, 1)
            assert (then.header.response, then.envelope.request) == (ResponseCode.SUCCESS, 2)

    run_with(tmp_path, test)


@pytest.mark.parametrize(
    "octets",
    [
        bytes((9, 9)) + query(1)[2:],
        query(1)[:16] + b"\xff\xff\xff\xff",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        random.Random(1).randbytes(500),  # noqa: S311
    ],
    ids=["version 9", "length", "HTTP", "noise"],
)
def test_hopeless_octets_get_an_error_and_an_end(tmp_path: Path, octets: bytes) -> None:
    async def test(server: DoirpServer, _: World) -> None:
        async with connected(server) as (reader, writer):
            writer.write(octets)
            answer = decode_message(await asyncio.wait_for(reader.read(), PATIENCE_S))
            assert answer.header.response == ResponseCode.PROTOCOL_ERROR
        async with connected(server) as (reader, writer):
            writer.write(query(5))
            assert decode_message(await read_message(reader)).header.response == ResponseCode.SUCCESS

    run_with(tmp_path, test)


def test_the_server_stays_up_under_broken_messages(tmp_path: Path) -> None:
    chance = random.Random(9)  # noqa: S311
    seeds = corpus()

    async def test(server: DoirpServer, _: World) -> None:
        for _round in range(60):
            octets = bytearray(b"".join(chance.choices(seeds, k=4)))
            for _place in range(6):
                octets[chance.randrange(len(octets))] = chance.randrange(256)
            async with connected(server) as (reader, writer):
                writer.write(bytes(octets[: chance.randrange(len(octets))]))
                writer.write_eof()
                await asyncio.wait_for(reader.read(), PATIENCE_S)
        async with connected(server) as (reader, writer):
            writer.write(query(5))
            assert decode_message(await read_message(reader)).header.response == ResponseCode.SUCCESS

    run_with(tmp_path, test)


@pytest.mark.parametrize("loop", LOOPS)
def test_connections_end_when_they_should(tmp_path: Path, loop: Loop) -> None:
    bounds = Bounds(request_s=0.3, idle_s=0.6, linger_s=0.1, linger_used_s=0.4)

    async def lasts(server: DoirpServer, octets: bytes, *more: bytes) -> tuple[float, bytes]:
        loop = asyncio.get_running_loop()
        async with connected(server) as (reader, writer):
            writer.write(octets)
            start = loop.time()
            for part in more:
                await asyncio.sleep(0.05)
                # An answer still unread hides the end of the stream, not that the connection is gone.
                if reader.at_eof() or writer.is_closing():
                    break
                writer.write(part)
            found = b""
            with suppress(ConnectionError):
                found = await asyncio.wait_for(reader.read(), PATIENCE_S)
            return loop.time() - start, found

    async def test(server: DoirpServer, _: World) -> None:
        # That it ends at all, and not too early, is what a busy machine can tell; when, test_connection_times.py.
        once, kept = query(1, flags=OpFlag.PO), query(1)
        drip = [bytes((octet,)) for octet in kept[1:]]
        ends = await asyncio.gather(
            lasts(server, once), lasts(server, kept), lasts(server, b""), lasts(server, kept[:1], *drip)
        )
        for (lasted, found), least, answered in zip(
            ends, (0.05, 0.5, 0.2, 0.2), (True, True, False, False), strict=True
        ):
            assert lasted > least
            # A message that drips in has its time from its first octet, however often something comes.
            assert bool(found) == answered

    run_with(tmp_path, test, DoirpOptions(bounds), loop=loop)


def test_too_many_connections_are_turned_away(tmp_path: Path) -> None:
    async def test(server: DoirpServer, _: World) -> None:
        async with connected(server) as (reader, writer), connected(server) as (second_reader, second_writer):
            writer.write(query(1))
            second_writer.write(query(2))
            await read_message(reader)
            await read_message(second_reader)
            async with connected(server) as (third, _writer):
                with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                    await read_message(third)
            assert server.connections == 2

    run_with(tmp_path, test, DoirpOptions(Bounds(connections=2)))


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_takes_nothing_is_not_waited_for(tmp_path: Path, loop: Loop) -> None:
    bounds = Bounds(pending_octets=65_536, send_s=0.5)

    async def test(server: DoirpServer, _: World) -> None:
        with socket.socket() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            peer.connect(("127.0.0.1", server.port))
            peer.setblocking(False)  # noqa: FBT003 (the library's own signature)
            octets, sent = query(1, "huge") * 400, 0
            loop = asyncio.get_running_loop()
            start = loop.time()
            while server.connections != 0 or loop.time() < start + 0.5:
                try:
                    sent += peer.send(octets)
                except BlockingIOError:
                    await asyncio.sleep(0.02)
                except OSError:
                    break
                assert loop.time() < start + PATIENCE_S
        # 60,000 octets for each request: what was taken in is far less than what was asked for.
        assert server.counts[OpCode.RESOLUTION, ResponseCode.SUCCESS] < 400

    run_with(tmp_path, test, DoirpOptions(bounds), loop=loop)


def test_a_network_that_asks_too_much_is_told_so(tmp_path: Path) -> None:
    async def test(server: DoirpServer, _: World) -> None:
        async with connected(server) as (reader, writer):
            writer.write(b"".join(query(number) for number in range(100)))
            octets = await asyncio.wait_for(reader.read(), PATIENCE_S)
        codes, at = [], 0
        while at < len(octets):
            size = 20 + int.from_bytes(octets[at + 16 : at + 20], "big")
            codes.append(decode_message(octets[at : at + size]).header.response)
            at += size
        assert codes[-1] == ResponseCode.SERVER_BUSY
        assert 1 < codes.count(ResponseCode.SUCCESS) <= 50
        assert len(codes) == codes.count(ResponseCode.SUCCESS) + 1

    limiter = RateLimiter(Allowance(rate_per_s=0.5, burst=50))
    run_with(tmp_path, test, DoirpOptions(limiter=limiter))


def test_a_change_is_seen_by_the_next_request(tmp_path: Path) -> None:
    async def test(server: DoirpServer, made: World) -> None:
        async with connected(server) as (reader, writer):
            writer.write(query(1, "new"))
            assert decode_message(await read_message(reader)).header.response == ResponseCode.ID_NOT_FOUND
            made.store.apply(Change("create", f"{PREFIX}/new", ()))
            await asyncio.sleep(1.2)  # past the moment at which the snapshot is let go
            writer.write(query(2, "new"))
            assert decode_message(await read_message(reader)).header.response == ResponseCode.SUCCESS

    run_with(tmp_path, test)


def test_an_address_in_use_is_reported(tmp_path: Path) -> None:
    async def test(server: DoirpServer, made: World) -> None:
        with pytest.raises(OSError, match="in use"):
            await start_doirp(made.service, host="127.0.0.1", port=server.port)

    run_with(tmp_path, test)


def test_no_server_there_is_an_error_in_words() -> None:
    async def run() -> None:
        with socket.socket() as peer:
            peer.bind(("127.0.0.1", 0))
            port = peer.getsockname()[1]
            asked = Asked(Header(OpCode.RESOLUTION), Query("1/2"), timeout_s=1.0)
            with pytest.raises(XinjiError, match="cannot be reached"):
                await ask(Address("127.0.0.1", port), asked)

    asyncio.run(run())


def test_stopping_finishes_what_is_under_way(tmp_path: Path) -> None:
    made = world(tmp_path)

    async def run() -> None:
        server = await start_doirp(made.service, host="127.0.0.1", port=0)
        async with connected(server) as (reader, writer):
            writer.write(query(1))
            await read_message(reader)
            await server.stop()
            assert await reader.read() == b""

    asyncio.run(run())
    made.service.close()
    made.store.close()
