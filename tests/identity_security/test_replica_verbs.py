"""Replicas as an operator makes them: three processes by the command line, one killed, every name still resolves."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import pytest

from support.ports import free_ports
from xinji.cli import main
from xinji.errors import InputError
from xinji.use.identity.client_link import Address
from xinji.use.identity.errors import IdentifierError
from xinji.use.identity.store import open_store
from xinji.use.identity.value_data import SITE, decode_site
from xinji.workflow import identity_replicas as replicas
from xinji.workflow.identity import resolve_there

PREFIXES = ("88.1", "88.2", "88.3")
SHARDS = {"EAST": PREFIXES[:2], "WEST": PREFIXES[1:]}
EACH = 40
ENTRY = [sys.executable, "-c", "import sys, xinji.cli; sys.exit(xinji.cli.main())", "id", "serve"]
PATIENCE_S = 90.0

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(["id", *map(str, arguments)])
        out, err = capsys.readouterr()
        return status, out, err

    return call


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {PATIENCE_S:g} s"
        time.sleep(0.05)


@dataclass
class Nodes:
    """A primary and two replicas, each a process of its own."""

    home: Path
    ports: dict[str, tuple[int, int]]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def options(self, name: str) -> list[str]:
        doirp, http = self.ports[name]
        return ["--doirp-port", str(doirp), "--http-port", str(http)]

    def start(self, name: str) -> None:
        command = [*ENTRY, str(self.home / name), *self.options(name)]
        if name in SHARDS:
            command += ["--replica-of", f"127.0.0.1:{self.ports['PRIMARY'][1]}"]
            command += ["--identity", f"300:{SHARDS[name][0]}/{name}", "--identity-key", f"{self.home}/{name}.pem"]
            command += [word for prefix in SHARDS[name] for word in ("--prefix", prefix)]
        with (self.home / f"{name}.log").open("ab") as out:
            self.running[name] = subprocess.Popen(command, stdout=out, stderr=out)  # noqa: S603

    def listens(self, name: str) -> bool:
        assert self.running[name].poll() is None, (self.home / f"{name}.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.ports[name][0])) == 0

    def kill(self, name: str) -> None:
        """SIGKILL, and wait until it is gone."""
        process = self.running.pop(name)
        process.kill()
        process.wait(20)

    def roots(self) -> list[Address]:
        """All three, also those that are dead: what a client is told once and for all."""
        return [Address("127.0.0.1", doirp) for doirp, _ in self.ports.values()]

    def resolved(self, prefix: str, suffix: str, roots: list[Address] | None = None) -> str:
        found = resolve_there(roots or self.roots(), f"{prefix}/{suffix}", types=("URL",), indexes=())
        return found.values[0].text

    def metric(self, name: str, metric: str) -> float:
        with urlopen(f"http://127.0.0.1:{self.ports[name][1]}/metrics", timeout=20) as answer:
            lines = answer.read().decode().splitlines()
        return float(next(line for line in lines if line.startswith(f"{metric} ")).split()[1])


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    ports = free_ports(6)
    made = Nodes(tmp_path, {name: (ports[n], ports[n + 3]) for n, name in enumerate(("PRIMARY", *SHARDS))})
    store = f"{tmp_path}/PRIMARY"
    rows = [f"{prefix}/{n},https://plant.example/{prefix}/{n}\n" for prefix in PREFIXES for n in range(EACH)]
    (tmp_path / "pumps.csv").write_text("handle,1:URL\n" + "".join(rows))
    key = ("--key", f"{tmp_path}/admin.pem")
    assert main(["id", "init", store, "--prefix", PREFIXES[0], *key, *made.options("PRIMARY")]) == 0
    for prefix in PREFIXES[1:]:
        assert main(["id", "prefix", store, prefix, "--like", PREFIXES[0]]) == 0
    assert main(["id", "import", store, f"{tmp_path}/pumps.csv", "--processes", "1"]) == 0
    for name, shard in SHARDS.items():
        words = [word for prefix in shard for word in ("--prefix", prefix)]
        key = ("--key", f"{tmp_path}/{name}.pem")
        assert main(["id", "replica", store, name, *words, *key, *made.options(name)]) == 0
    try:
        for name in made.ports:
            made.start(name)
        for name in made.ports:
            until(lambda name=name: made.listens(name), f"{name} listens")  # type: ignore[misc]
        yield made
    finally:
        for name in tuple(made.running):
            made.kill(name)


def test_three_processes_one_killed(nodes: Nodes, run: Run) -> None:
    names = [(prefix, str(n)) for prefix in PREFIXES for n in range(0, EACH, 13)]
    for prefix, suffix in names:
        assert nodes.resolved(prefix, suffix) == f"https://plant.example/{prefix}/{suffix}"
    nodes.kill("EAST")
    for prefix, suffix in names:
        assert nodes.resolved(prefix, suffix) == f"https://plant.example/{prefix}/{suffix}"
    # What is registered at the primary reaches the replicas, also the one that was dead, and outlives the primary.
    proof = ("--identity", f"300:{PREFIXES[0]}/ADMIN", "--key", nodes.home / "admin.pem")
    primary, east, west = nodes.roots()
    server = ("--server", f"127.0.0.1:{primary.port}")
    status, _, err = run("register", "88.2/new", *server, *proof, "--value", "1:URL=https://plant.example/new")
    assert status == 0, err
    nodes.start("EAST")
    for replica in (east, west):
        until(lambda at=replica: at_replica(nodes, at) == "https://plant.example/new", "it arrives")  # type: ignore[misc]
    nodes.kill("PRIMARY")
    for prefix, suffix in names:
        assert nodes.resolved(prefix, suffix) == f"https://plant.example/{prefix}/{suffix}"
    assert nodes.resolved("88.2", "new") == "https://plant.example/new"
    # A client that knows one replica alone is sent to the other one for what the first does not hold.
    assert nodes.resolved("88.3", "1", [east]) == "https://plant.example/88.3/1"
    servers = [word for root in nodes.roots() for word in ("--server", f"127.0.0.1:{root.port}")]
    status, out, err = run("resolve", "88.1/7", *servers, "--json")
    assert status == 0, err
    assert "https://plant.example/88.1/7" in out
    # Replicas take no changes, and say for how long they have been alone.
    status, _, _ = run("register", "88.2/x", "--server", f"127.0.0.1:{east.port}", *proof, "--value", "1:URL=x")
    assert status == 2
    until(lambda: nodes.metric("EAST", "xinji_replica_silence_seconds") > 1.5, "its silence is told")


def at_replica(nodes: Nodes, root: Address) -> str:
    """What one replica alone says of the new name, empty where it has not heard of it."""
    try:
        return nodes.resolved("88.2", "new", [root])
    except IdentifierError:
        return ""


def test_the_primary_names_its_replicas(run: Run, tmp_path: Path) -> None:
    store, key = tmp_path / "node", tmp_path / "east.pem"
    assert run("init", store, "--prefix", "88.1", "--key", tmp_path / "admin.pem")[0] == 0
    where = ("--host", "10.0.0.6", "--doirp-port", "2651", "--key", key)
    status, out, _ = run("replica", store, "EAST", "--prefix", "88.1", *where, "--json")
    assert status == 0
    assert json.loads(out)["identity"] == "300:88.1/EAST"
    with open_store(store, read_only=True) as opened:
        record = opened.record("0.NA/88.1", private=True)
    assert record is not None
    sites = [decode_site(value.data) for value in record.of_type(SITE)]
    assert [(site.primary, site.servers[0].address) for site in sites] == [(True, "127.0.0.1"), (False, "10.0.0.6")]
    # The same name is refused, and its key file not left; a prefix that is not there as well.
    again = ("--key", tmp_path / "again.pem")
    status, _, err = run("replica", store, "EAST", "--prefix", "88.1", *again)
    assert (status, (tmp_path / "again.pem").exists()) == (2, False)
    status, _, err = run("replica", store, "WEST", "--prefix", "88.1", "--prefix", "88.7", *again)
    assert (status, (tmp_path / "again.pem").exists()) == (2, False)
    assert "prefix 88.7" in err
    assert run("prefix", store, "88.7", "--like", "88.6")[0] == 2
    assert run("prefix", store, "88.1", "--like", "88.1")[0] == 2


def test_what_does_not_make_a_replica_is_refused_together(run: Run, tmp_path: Path) -> None:
    replica = ("--replica-of", "http://h/path")
    status, _, err = run("serve", tmp_path / "new", *replica, "--read-only", "--identity", "nobody")
    assert status == 2
    for word in ("http://h/path", "--prefix", "--identity-key", "--read-only", "nobody"):
        assert word in err, err
    assert not (tmp_path / "new").exists()
    status, _, err = run("serve", tmp_path / "new", "--identity", "300:1/A")
    assert status == 2
    assert "Give --replica-of" in err


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("localhost:81", "http://localhost:81"),
        ("[::1]:8001", "http://[::1]:8001"),
        ("10.0.0.5:8443", "https://10.0.0.5:8443"),
        ("node.example", "https://node.example:8000"),
        ("http://10.0.0.5", "http://10.0.0.5:8000"),
        ("https://node.example:443/", ""),
        ("ftp://node.example", ""),
        ("host:99999", ""),
        ("", ""),
    ],
)
def test_where_a_primary_is(text: str, url: str) -> None:
    """Proofs are taken where nobody else can listen: HTTPS, unless it is this machine."""
    if url:
        assert replicas.primary_url(text) == url
    else:
        with pytest.raises(InputError, match="HOST:PORT"):
            replicas.primary_url(text)
