"""Replicas by prefix: three processes, one killed; what follows in order, catches up and keeps what is private."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.http_node import ADMIN as OF_NODE
from support.http_node import HIDDEN, PASSWORD, PREFIX
from support.ports import free_ports
from support.secured_node import STRANGER, STRANGERS_PASSWORD, Secured, basic, leaked
from xinji.use.identity.bulk import load
from xinji.use.identity.changes import Change
from xinji.use.identity.client import Resolver, administer, resolve_at
from xinji.use.identity.client_link import Address, Identity
from xinji.use.identity.doirp.bodies import Elements, Named
from xinji.use.identity.doirp.codes import OpCode
from xinji.use.identity.errors import Code, IdentifierError
from xinji.use.identity.keys import SigningKey, new_key, write_key
from xinji.use.identity.node import NodeSettings
from xinji.use.identity.record import PRIVATE, Record, Value
from xinji.use.identity.replica import Follower, Page, ReplicaNode, page_of
from xinji.use.identity.store import Store, open_store
from xinji.use.identity.trust import Requester, Standing
from xinji.use.identity.value_data import (
    ADMIN,
    PUBKEY,
    SERVICE_BOTH,
    SERVICE_QUERY,
    SITE,
    TCP,
    Admin,
    Interface,
    Server,
    Site,
    encode_admin,
    encode_site,
)

WHO = "88.1/ADMIN"
PREFIXES = ("88.1", "88.2", "88.3")
SHARDS = {"one": ("88.1", "88.2"), "two": ("88.2", "88.3")}
PROCESS = Path(__file__).with_name("replica_process.py")


@dataclass
class Cluster:
    """A primary and two replicas, each a process."""

    folder: Path
    key: SigningKey
    ports: dict[str, tuple[int, int]]
    running: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        doirp, http = self.ports[name]
        command = [sys.executable, str(PROCESS), str(self.folder / name), str(doirp), str(http)]
        if name in SHARDS:
            url = f"http://127.0.0.1:{self.ports['primary'][1]}"
            command += [url, str(self.folder / "key.pem"), *SHARDS[name]]
        self.running[name] = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
        out = self.running[name].stdout
        assert out is not None
        assert out.readline() == "ready\n"

    def kill(self, name: str) -> None:
        """SIGKILL."""
        process = self.running.pop(name)
        process.kill()
        process.communicate()

    def address(self, name: str) -> Address:
        return Address("127.0.0.1", self.ports[name][0])

    def site(self, name: str) -> Site:
        service = SERVICE_BOTH if name == "primary" else SERVICE_QUERY
        server = Server(1, "127.0.0.1", b"", (Interface(service, TCP, self.ports[name][0]),))
        return Site((server,), primary=name == "primary")

    def identity(self) -> Identity:
        return Identity(WHO, 301, self.key)

    def resolve(self, handle: str) -> str:
        """What a client that knows the three nodes as roots, and nothing else, finds at index 1."""
        resolver = Resolver(tuple(self.site(name) for name in self.ports))
        return asyncio.run(resolver.resolve(handle, indexes=(1,))).values[0].text

    def at(self, name: str, handle: str) -> str | None:
        """What one node says of ``handle``; None where it has none."""
        try:
            return asyncio.run(resolve_at(self.address(name), handle)).values[0].text
        except IdentifierError as error:
            if error.code != Code.HANDLE_NOT_FOUND:
                raise
            return None

    def change(self, op: int, body: Elements | Named) -> None:
        asyncio.run(administer(self.address("primary"), op, body, self.identity()))


def url(text: str, index: int = 1, permissions: int = 14) -> Value:
    return Value(index=index, type="URL", data=text.encode(), permissions=permissions)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < end, "it did not come about within 90 s"
        time.sleep(0.05)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    ports = free_ports(6)
    names = ("primary", "one", "two")
    made = Cluster(tmp_path, new_key(2048), {n: (ports[i], ports[i + 3]) for i, n in enumerate(names)})
    write_key(tmp_path / "key.pem", made.key)
    admin = Value(index=100, type=ADMIN, data=encode_admin(Admin(WHO, 301)))
    with open_store(tmp_path / "primary", create=True) as store:
        store.apply(Change("create", WHO, (admin, Value(index=301, type=PUBKEY, data=made.key.public))))
        for prefix in PREFIXES:
            holders = [name for name in names if prefix in SHARDS.get(name, PREFIXES)]
            sites = [Value(index=n, type=SITE, data=encode_site(made.site(h))) for n, h in enumerate(holders, 1)]
            store.apply(Change("create", f"0.NA/{prefix}", (*sites, admin)))
            records = (Record(f"{prefix}/{n}", (url(f"https://{n}"), admin)) for n in range(1_200))
            load(store, records)
    try:
        for name in names:
            made.start(name)
        yield made
    finally:
        for name in tuple(made.running):
            made.kill(name)


def test_every_prefix_is_resolved_with_one_node_killed(cluster: Cluster) -> None:
    for name, prefixes in SHARDS.items():
        for prefix in prefixes:
            until(lambda n=name, p=prefix: cluster.at(n, f"{p}/999") == "https://999")  # type: ignore[misc]
    cluster.kill("one")
    for prefix in PREFIXES:
        assert cluster.resolve(f"{prefix}/7") == "https://7"
    admin = Value(index=100, type=ADMIN, data=encode_admin(Admin(WHO, 301)))
    cluster.change(OpCode.CREATE_ID, Elements("88.2/new", (url("https://new"), admin)))
    cluster.change(OpCode.MODIFY_ELEMENT, Elements("88.1/7", (url("https://seven"),)))
    cluster.change(OpCode.DELETE_ID, Named("88.2/8"))
    until(lambda: cluster.at("two", "88.2/new") == "https://new" and cluster.at("two", "88.2/8") is None)
    # The killed one goes on where it was.
    cluster.start("one")
    until(lambda: cluster.at("one", "88.2/new") == "https://new" and cluster.at("one", "88.2/8") is None)
    assert cluster.at("one", "88.1/7") == "https://seven"
    # Without the primary every prefix still has a server, and nobody takes changes in its place.
    cluster.kill("primary")
    for prefix in PREFIXES:
        assert cluster.resolve(f"{prefix}/9") == "https://9"
    assert cluster.resolve("88.2/new") == "https://new"
    with pytest.raises(IdentifierError) as caught:
        asyncio.run(administer(cluster.address("one"), OpCode.DELETE_ID, Named("88.2/new"), cluster.identity()))
    assert caught.value.code == Code.NOT_RESPONSIBLE


@pytest.mark.parametrize("path", ["changes?", f"records?part={PREFIX}&"])
def test_the_feed_is_for_administrators(node: Secured, path: str) -> None:
    target = f"/replica/{path}prefix={PREFIX}&after=0"
    for headers, status in (
        ({}, 401),
        (basic(OF_NODE, "guessed"), 401),
        (basic(STRANGER, STRANGERS_PASSWORD), 403),
    ):
        reply = node.http("GET", target, headers=headers)
        assert reply.status == status
        assert not leaked(reply.body)
    told = node.http("GET", target, headers=basic(OF_NODE, PASSWORD))
    assert told.status == 200
    assert HIDDEN.encode() in told.body
    for wrong in ("/replica/x", "/replica/changes", f"/replica/changes?prefix={PREFIX}&after=x"):
        assert node.http("GET", wrong, headers=basic(OF_NODE, PASSWORD)).status in (400, 404)
    assert node.http("POST", target, body=b"", headers=basic(OF_NODE, PASSWORD)).status == 405


@dataclass
class Told:
    """A primary in words: what it answers, in turn."""

    answers: list[Page]

    def changes(self, prefixes: tuple[str, ...], after: int) -> Page:
        assert prefixes == ("88.1",)
        assert after >= 0
        return self.answers.pop(0)

    def records(self, prefixes: tuple[str, ...], part: str, after: str) -> Page:
        assert part in (*prefixes, "0.NA")
        assert after in ("", "88.1/B")
        return self.answers.pop(0)


def handles(store: Store) -> list[str]:
    return list(store.keys())


def test_a_copy_takes_away_what_is_no_more(tmp_path: Path) -> None:
    def record(name: str) -> Record:
        return Record(f"88.1/{name}", (url(name), url("hidden", 2, PRIVATE)))

    with open_store(tmp_path / "store", create=True) as store:
        for name in ("a1", "b", "c", "d"):
            store.apply(Change("create", f"88.1/{name}", (url("old"),)))
        store.apply(Change("create", "77.1/other", (url("kept"),)))
        pages = [
            Page(5, ()),
            Page(6, (record("a"), record("b")), last="88.1/B"),
            Page(7, (record("d"),)),
            Page(8, (record("e"),), ("88.1/A", "88.1/NEVER")),
            Page(8, ()),
            Page(3, (), anew=True),
            Page(9, ()),
            Page(9, (record("z"),)),
        ]
        follower = Follower(store, Told(pages), ("88.1",))
        assert follower.step()
        assert handles(store) == ["77.1/other", "88.1/a", "88.1/b", "88.1/d"]
        assert follower.reached() == 5, "what changed while it was copied comes again"
        assert follower.step()
        assert handles(store) == ["77.1/other", "88.1/b", "88.1/d", "88.1/e"]
        assert not follower.step()
        assert follower.reached() == 8
        assert follower.step()
        assert handles(store) == ["77.1/other", "88.1/z"]
        found = store.record("88.1/z", private=True)
        assert found is not None
        assert [value.public for value in found.values] == [True, False]
        # Another shard is another replica: it begins anew.
        assert Follower(store, Told([]), ("88.9",)).reached() is None
        node = ReplicaNode(store, NodeSettings())
        by = Requester(Standing.AUTHENTICATED, "88.1/z", 1)
        changes: tuple[Callable[[], object], ...] = (
            lambda: node.create("88.1/q", (), by),
            lambda: node.delete("88.1/z", by),
            lambda: node.add("88.1/z", (url("x", 9),), by),
            lambda: node.modify("88.1/z", (url("x"),), by),
            lambda: node.remove("88.1/z", (1,), by),
        )
        for change in changes:
            with pytest.raises(IdentifierError) as caught:
                change()
            assert caught.value.code == Code.READ_ONLY


def test_the_log_tells_of_every_change_in_order(tmp_path: Path) -> None:
    with open_store(tmp_path / "store", create=True) as store:
        for kind in ("create", "modify", "delete"):
            store.apply(Change(kind, "88.1/x", (url(kind),)))
        with pytest.raises(IdentifierError):
            store.apply(Change("delete", "88.1/x"))
        load(store, [Record("88.1/many", (url("m"),))])
        changed = store.changed(0, 10)
        assert (changed.oldest, changed.newest) == (1, 4)
        assert changed.entries == ((1, b"88.1/X"), (2, b"88.1/X"), (3, b"88.1/X"), (4, b""))
        assert store.changed(2, 1).entries == ((3, b"88.1/X"),)
        assert store.changed(4, 9).entries == ()


@pytest.mark.parametrize("octets", [b"", b"[]", b"{}", b'{"number":1,"records":[1]}', b'{"number":"x","records":[]}'])
def test_what_is_no_answer_is_refused(octets: bytes) -> None:
    with pytest.raises(IdentifierError):
        page_of(octets)
    assert page_of(json.dumps({"number": 1, "records": [{"handle": "1/X"}]}).encode()).deleted == ("1/X",)
