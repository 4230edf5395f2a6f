"""The resolver: from a root through service records and referrals to the responsible server, trusting nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from support.doirp_world import PREFIX, World, address, by_key, key, run_with, server_key, value
from xinji.use.identity.changes import Change
from xinji.use.identity.client import Resolver, ResolverOptions, resolve_at
from xinji.use.identity.client_link import Address, Asked, ask
from xinji.use.identity.doirp.bodies import Elements, Query, Referral
from xinji.use.identity.doirp.codes import OpCode, OpFlag, ResponseCode
from xinji.use.identity.doirp.message import Envelope, Header, Message, decode_message
from xinji.use.identity.doirp.operations import service_of
from xinji.use.identity.errors import Code, IdentifierError
from xinji.use.identity.node import Node, NodeSettings, Role
from xinji.use.identity.record import Value
from xinji.use.identity.serve_doirp import DoirpServer, start_doirp
from xinji.use.identity.store import open_store
from xinji.use.identity.value_data import SERVICE_BOTH, TCP, UDP, Interface, Server, Site, encode_site


def site(port: int, public: bytes | None = None) -> Site:
    interfaces = (Interface(SERVICE_BOTH, TCP, port), Interface(SERVICE_BOTH, UDP, port))
    return Site((Server(1, "127.0.0.1", server_key().public if public is None else public, interfaces),))


def site_value(port: int, index: int = 1, kind: str = "HS_SITE", public: bytes | None = None) -> Value:
    return value(index, kind, encode_site(site(port, public)))


class RootServer:
    """A root server whose records a test writes."""

    def __init__(self, folder: Path) -> None:
        self.store = open_store(folder / "root", create=True)
        self.server: DoirpServer

    def put(self, handle: str, *values: Value) -> None:
        """Register ``handle`` with ``values``."""
        self.store.apply(Change("replace", handle, values))


def with_root(tmp_path: Path, test: Callable[[DoirpServer, RootServer, Resolver], Awaitable[None]]) -> None:
    """Run ``test`` with the server of the world, a root server, and a resolver that knows the root alone."""

    async def run(server: DoirpServer, _: World) -> None:
        root = RootServer(tmp_path)
        service = service_of(Node(root.store, NodeSettings(role=Role.NATIONAL)), key=server_key())
        root.server = await start_doirp(service, host="127.0.0.1", port=0)
        try:
            await test(server, root, Resolver((site(root.server.port),)))
        finally:
            await root.server.stop()
            service.close()
            root.store.close()

    run_with(tmp_path, run)


@pytest.mark.parametrize("udp", [False, True], ids=["TCP", "UDP"])
def test_a_service_record_leads_to_the_server(tmp_path: Path, udp: bool) -> None:  # noqa: FBT001
    async def test(server: DoirpServer, root: RootServer, resolver: Resolver) -> None:
        root.put(f"0.NA/{PREFIX}", site_value(server.port))
        resolver.options = ResolverOptions(udp=udp)
        record = await resolver.resolve(f"{PREFIX}/pump-7", types=("URL",))
        assert [v.text for v in record.values] == ["https://example.org/pump-7"]
        asked = root.server.counts.total()
        await resolver.resolve(f"{PREFIX}/other")
        assert root.server.counts.total() == asked, "the service of a prefix is remembered"

    with_root(tmp_path, test)


def test_a_service_handle_is_followed(tmp_path: Path) -> None:
    async def test(server: DoirpServer, root: RootServer, resolver: Resolver) -> None:
        root.put(f"0.NA/{PREFIX}", value(1, "HS_SERV", "0.SERV/one"))
        root.put("0.SERV/one", site_value(server.port))
        assert (await resolver.resolve(f"{PREFIX}/other")).values

    with_root(tmp_path, test)


def test_the_service_of_derived_prefixes_is_followed(tmp_path: Path) -> None:
    async def test(server: DoirpServer, root: RootServer, resolver: Resolver) -> None:
        root.put("0.NA/88", site_value(9), site_value(server.port, 2, "HS_SITE.PREFIX"))
        assert (await resolver.resolve(f"{PREFIX}/other")).values

    with_root(tmp_path, test)


def test_a_referral_is_followed(tmp_path: Path) -> None:
    async def test(server: DoirpServer, root: RootServer, resolver: Resolver) -> None:
        # The root refers whoever asks it for the handle itself.
        root.put(f"0.NA/{PREFIX}", site_value(server.port))
        resolver.services[PREFIX.upper()] = (float("inf"), resolver.roots)
        before = root.server.counts[OpCode.RESOLUTION, ResponseCode.SUCCESS]
        assert (await resolver.resolve(f"{PREFIX}/other")).values
        assert root.server.counts[OpCode.RESOLUTION, ResponseCode.SUCCESS] == before

    with_root(tmp_path, test)


def test_loops_end(tmp_path: Path) -> None:
    async def test(_: DoirpServer, root: RootServer, resolver: Resolver) -> None:
        root.put("0.NA/66", site_value(root.server.port))
        with pytest.raises(IdentifierError, match="referrals were followed") as caught:
            await resolver.resolve("66/x")
        assert caught.value.code == Code.NOT_RESPONSIBLE
        root.put("0.NA/67", value(1, "HS_SERV", "0.SERV/a"))
        root.put("0.SERV/a", value(1, "HS_SERV", "0.SERV/a"))
        with pytest.raises(IdentifierError, match="no site"):
            await resolver.resolve("67/x")

    with_root(tmp_path, test)


def test_what_the_servers_say_comes_back(tmp_path: Path) -> None:
    async def test(server: DoirpServer, root: RootServer, resolver: Resolver) -> None:
        root.put(f"0.NA/{PREFIX}", site_value(server.port))
        for handle, code in (
            (f"{PREFIX}/nothing", Code.HANDLE_NOT_FOUND),
            ("5.5/unknown", Code.HANDLE_NOT_FOUND),
            ("no handle", Code.INVALID_HANDLE),
            (f"{PREFIX}/secret", Code.VALUES_NOT_FOUND),
        ):
            with pytest.raises(IdentifierError) as caught:
                await resolver.resolve(handle, types=("NOTE",))
            assert caught.value.code == code, handle
        record = await resolver.resolve(f"{PREFIX}/secret", types=("NOTE",), identity=by_key())
        assert record.values[0].data == b"for administrators"

    with_root(tmp_path, test)


def test_signed_answers_are_verified(tmp_path: Path) -> None:
    async def test(server: DoirpServer, root: RootServer, resolver: Resolver) -> None:
        resolver.options = ResolverOptions(certified=True)
        root.put(f"0.NA/{PREFIX}", site_value(server.port))
        assert (await resolver.resolve(f"{PREFIX}/pump-7")).values
        root.put(f"0.NA/{PREFIX}", site_value(server.port, public=key().public))
        with pytest.raises(IdentifierError, match="signature of the answer is wrong"):
            await Resolver(resolver.roots, resolver.options).resolve(f"{PREFIX}/pump-7")
        root.put(f"0.NA/{PREFIX}", site_value(server.port, public=b""))
        with pytest.raises(IdentifierError, match="key is not known"):
            await Resolver(resolver.roots, resolver.options).resolve(f"{PREFIX}/pump-7")

    with_root(tmp_path, test)


def test_one_server_by_its_address(tmp_path: Path) -> None:
    async def test(server: DoirpServer, _: World) -> None:
        record = await resolve_at(address(server), f"{PREFIX}/pump-7", certified=True)
        assert len(record.values) == 4
        with pytest.raises(IdentifierError):
            await resolve_at(address(server), f"{PREFIX}/nothing")

    run_with(tmp_path, test)


def fake(answer: Callable[[Message], bytes], test: Callable[[Address], Awaitable[None]]) -> None:
    """Run ``test`` against a server that gives ``answer`` to each message."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        front = await reader.readexactly(20)
        message = decode_message(front + await reader.readexactly(int.from_bytes(front[16:], "big")))
        writer.write(answer(message))
        await writer.drain()
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            await test(Address("127.0.0.1", server.sockets[0].getsockname()[1]))

    asyncio.run(run())


def reply(message: Message, code: int, body: bytes, flags: int = 0) -> bytes:
    return Message(Envelope(message.envelope.request), Header(message.header.op, code, flags), body).encode()


FALSE_ANSWERS: dict[str, Callable[[Message], bytes]] = {
    "nothing": lambda _: b"",
    "cut short": lambda m: reply(m, 1, b"")[:30],
    "another request's": lambda m: reply(replace(m, envelope=Envelope(1 ^ m.envelope.request)), 1, b""),
    "endless": lambda m: reply(m, 1, b"")[:16] + b"\xff\xff\xff\xff",
    "made up": lambda m: reply(m, 1, Query("a/b").encode()[:-2]),
    "wrong digest": lambda m: reply(m, 402, b"\x03" + bytes(32) + b"\0\0\0\x14" + bytes(20), OpFlag.RD),
    "no digest": lambda m: reply(m, 402, b"\0\0\0\x14" + bytes(20)),
    "weak digest": lambda m: reply(m, 402, b"\x01" + bytes(16) + b"\0\0\0\x14" + bytes(20), OpFlag.RD),
    "more and more": lambda m: reply(m, 1, Elements("a/b").encode(), OpFlag.CN) * 1_100,
}


@pytest.mark.parametrize("name", FALSE_ANSWERS)
def test_false_answers_are_refused(name: str) -> None:
    async def test(place: Address) -> None:
        asked = Asked(Header(OpCode.RESOLUTION), Query("a/b"), by_key(), timeout_s=5.0)
        with pytest.raises(IdentifierError):
            await ask(place, asked)

    fake(FALSE_ANSWERS[name], test)


def test_an_unsigned_answer_is_no_signed_one() -> None:
    async def test(place: Address) -> None:
        asked = Asked(Header(OpCode.RESOLUTION), Query("a/b"), certified=True)
        with pytest.raises(IdentifierError, match="not signed"):
            await ask(replace(place, public_key=server_key().public), asked)

    fake(lambda m: reply(m, 1, Elements("a/b").encode()), test)


def test_a_referral_to_the_root_means_ones_own_root() -> None:
    async def test(place: Address) -> None:
        resolver = Resolver((site(place.port),))
        with pytest.raises(IdentifierError, match="referrals were followed"):
            await resolver.resolve("1.1/x")

    fake(lambda m: reply(m, 302, Referral("0.NA/0.NA").encode()), test)
