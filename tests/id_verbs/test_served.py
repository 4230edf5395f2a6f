"""`xinji id serve` as a process of its own, asked by clients."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from pyhandle.client.resthandleclient import RESTHandleClient  # type: ignore[import-untyped]

from support.small_ledger import built, new_ledger, registered
from xinji.cli import main
from xinji.use.identity.client import Resolver, ResolverOptions
from xinji.use.identity.client_link import Address
from xinji.use.identity.store import open_store
from xinji.workflow.identity import service_site, site_at

PREFIX = "88.123.10"
ADMIN = f"300:{PREFIX}/ADMIN"
MONEY = "260000.00"
LISTENS = re.compile(r"DO-IRP on 127\.0\.0\.1:(\d+).*HTTP on http://127\.0\.0\.1:(\d+)")
START_S = 60

Run = Callable[..., tuple[int, str, str]]


@dataclass
class Served:
    """A node at work, its folder and where it logs."""

    process: subprocess.Popen[str]
    home: Path
    log: Path
    doirp_port: int
    http_port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def get(self, path: str) -> bytes:
        with urlopen(self.url + path, timeout=60) as answer:  # noqa: S310 (this machine's own)
            body: bytes = answer.read()
        return body


def listening(process: subprocess.Popen[str], log: Path) -> tuple[int, int]:
    """Return the ports that the node says it listens on."""
    for _ in range(START_S * 10):
        found = LISTENS.search(log.read_text(encoding="utf-8"))
        if found:
            return int(found[1]), int(found[2])
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    pytest.fail(f"the node did not start: {log.read_text(encoding='utf-8')}")


def told_port(store: Path) -> int:
    with open_store(store, read_only=True) as opened:
        site = service_site(opened, (PREFIX,))
    assert site is not None
    return site.servers[0].interfaces[0].port


@pytest.fixture(scope="module")
def served(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    home, log, place = folder / "home", folder / "log.txt", str(folder / "small.ledger")
    shutil.copytree(made, home)
    with new_ledger(place) as ledger:
        ledger.append(registered("R-1", "R-2"))
        ledger.append(built("R-1"))
    store = str(home / "node")
    assert main(["id", "register", store, "--ledger", place, "--prefix", PREFIX, "--who", "li"]) == 0
    # Where the record of the prefix sends clients.
    ports = ("--doirp-port", str(told_port(home / "node")), "--http-port", "0")
    command = [sys.executable, "-c", "import sys, xinji.cli; sys.exit(xinji.cli.main())", "id", "serve", store, *ports]
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, text=True)  # noqa: S603
    try:
        yield Served(process, home, log, *listening(process, log))
    finally:
        process.kill()
        process.wait(60)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(["id", *map(str, arguments)])
        out, err = capsys.readouterr()
        return status, out, err

    return call


@pytest.mark.filterwarnings("ignore")
def test_pyhandle_resolves_a_facility(served: Served) -> None:
    client = RESTHandleClient(handle_server_url=served.url)
    record = client.retrieve_handle_record(f"{PREFIX}/R-1")
    assert record["STATE"] == "built"
    assert record["PLACE"].startswith("geo:30.7")
    assert MONEY not in json.dumps(client.retrieve_handle_record_json(f"{PREFIX}/R-1"))
    assert client.retrieve_handle_record_json(f"{PREFIX}/none") is None
    client._RESTHandleClient__handlesystemconnector._HandleSystemConnector__session.close()


def test_do_irp_clients_resolve_it_too(served: Served, run: Run) -> None:
    root = site_at(Address("127.0.0.1", served.doirp_port))
    for udp in (False, True):
        record = asyncio.run(Resolver((root,), ResolverOptions(udp=udp)).resolve(f"{PREFIX}/R-1", types=("STATE",)))
        assert [value.text for value in record.values] == ["built"]
    server = ("--server", f"127.0.0.1:{served.doirp_port}")
    status, out, _ = run("resolve", f"hdl:{PREFIX}/r-1", *server, "--json")
    assert status == 0
    assert '"built"' in out
    assert MONEY not in out
    status, out, err = run("resolve", f"{PREFIX}/none", *server)
    assert (status, out) == (2, "")
    assert f"{PREFIX}/none" in err
    proof = ("--identity", ADMIN, "--key", served.home / "admin.pem")
    status, out, _ = run("resolve", f"{PREFIX}/R-1", *server, *proof)
    assert status == 0
    assert f"{MONEY}  (private)" in out


def test_its_administrator_registers_over_do_irp_and_nobody_else(served: Served, run: Run, tmp_path: Path) -> None:
    server = ("--server", f"127.0.0.1:{served.doirp_port}")
    values = ("--value", "1:URL=https://a.example/7", "--private", "2:COST=777.77")
    proof = ("--identity", ADMIN, "--key", served.home / "admin.pem")
    status, _, err = run("register", f"{PREFIX}/pump-7", *server, *proof, *values)
    assert status == 0, err
    status, out, _ = run("resolve", f"{PREFIX}/pump-7", *server, *proof)
    assert status == 0
    # Whoever registers it may read it and change it again.
    assert "777.77  (private)" in out
    assert f"{ADMIN} may do" in out
    assert b"777.77" not in served.get(f"/api/handles/{PREFIX}/pump-7")
    assert run("register", f"{PREFIX}/pump-7", *server, *proof, *values)[0] == 2
    assert run("key", tmp_path / "other.pem")[0] == 0
    forged = ("--identity", ADMIN, "--key", tmp_path / "other.pem")
    status, out, err = run("register", f"{PREFIX}/pump-8", *server, *forged, *values)
    assert (status, out) == (2, "")
    assert "Traceback" not in err
    assert run("resolve", f"{PREFIX}/pump-8", *server)[0] == 2
    # The log of changes is on where nothing else is said.
    done = json.loads((served.home / "node" / "audit.jsonl").read_text().splitlines()[-1])
    assert (done["what"], done["handle"], done["who"], done["how"]) == (
        "create",
        f"{PREFIX}/pump-7",
        ADMIN,
        "HS_PUBKEY",
    )
    refused = (served.home / "node" / "audit-refused.jsonl").read_text()
    assert "HANDLE_EXISTS" in refused
    assert "AUTHENTICATION_FAILED" in refused
    assert "777.77" not in refused
    assert 'xinji_audit_entries_total{result="refused"} 2.0' in served.get("/metrics").decode()


def test_it_is_backed_up_while_it_serves(served: Served, run: Run, tmp_path: Path) -> None:
    assert run("backup", served.home / "node", tmp_path / "backup")[0] == 0
    assert run("restore", tmp_path / "backup", tmp_path / "again")[0] == 0
    assert run("resolve", f"{PREFIX}/R-2", "--store", tmp_path / "again")[0] == 0


def test_it_tells_how_it_is(served: Served) -> None:
    found: dict[str, Any] = json.loads(served.get("/healthz"))
    assert found["status"] == "ok"
    assert found["records"] >= 4
    served.get(f"/api/handles/{PREFIX}/R-2")
    text = served.get("/metrics").decode()
    assert 'xinji_http_answers_total{face="/api/handles",status="200"}' in text
    assert 'xinji_http_answers_total{face="/healthz",status="200"}' in text
    assert 'xinji_connections{protocol="http"} 1.0' in text


def test_a_port_that_is_taken_is_refused(served: Served, run: Run) -> None:
    port = ("--doirp-port", str(served.doirp_port), "--http-port", "0")
    status, _, err = run("serve", served.home / "node", *port)
    assert status == 2
    assert f"DO-IRP: 127.0.0.1, port {served.doirp_port}" in err
    port = ("--doirp-port", "0", "--http-port", str(served.http_port))
    status, _, err = run("serve", served.home / "node", *port)
    assert status == 2
    assert "HTTP: 127.0.0.1" in err


def test_it_ends_when_told_and_has_logged_no_secret(served: Served) -> None:
    served.process.terminate()
    assert served.process.wait(60) == 0
    log = served.log.read_text(encoding="utf-8")
    assert log.splitlines()[-1] == "Stopped."
    assert "Traceback" not in log
    key = (served.home / "admin.pem").read_text().splitlines()[1]
    for secret in (MONEY, "777.77", key):
        assert secret not in log
