"""The audit log: who changed what, who tried to, nothing secret in it, and no flood that fills the disk."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from support.http_node import ADMIN, HIDDEN, PASSWORD, PREFIX, THING
from support.secured_node import (
    STRANGER,
    STRANGERS_PASSWORD,
    Secured,
    basic,
    by_admin,
    by_forger,
    by_secret,
    by_stranger,
    leaked,
)
from xinji.cli import main
from xinji.errors import OutputError
from xinji.use.identity.audit import DONE_FILE, REFUSED_FILE, AuditLog, AuditSettings, Event, Result
from xinji.use.identity.doirp.bodies import Elements, Named, Removal
from xinji.use.identity.doirp.codes import OpCode
from xinji.use.identity.http.faces import SiteSettings
from xinji.use.identity.limits import Allowance, network_of, network_text
from xinji.use.identity.record import PRIVATE, Value
from xinji.use.identity.serve import Serving

AtWork = Callable[..., AbstractContextManager[Secured]]

JSON = {"Content-Type": "application/json"}
LOOPBACK = "127.0.0.0/24"


def lines(folder: Path, name: str = DONE_FILE) -> list[dict[str, Any]]:
    """What the log says, oldest first, without when."""
    if not (folder / name).exists():
        return []
    found = [json.loads(line) for line in (folder / name).read_text().splitlines()]
    assert all(entry.pop("when").endswith("+00:00") for entry in found)
    return found


@pytest.fixture(scope="module")
def audited(at_work: AtWork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    site = SiteSettings(accounts={"admin": f"300:{ADMIN}"}, failures=Allowance(1e6, 1e6))
    settings = AuditSettings(refused=Allowance(1e6, 1e6))
    with at_work(tmp_path_factory.mktemp("audited") / "store", Serving(site=site), settings) as found:
        yield found


@pytest.fixture
def node(audited: Secured) -> Secured:
    """The node with an empty log."""
    for name in (DONE_FILE, REFUSED_FILE):
        (audited.store.folder / name).unlink(missing_ok=True)
    return audited


def url(text: str = "https://plant.example/x") -> Value:
    return Value(index=1, type="URL", data=text.encode())


def test_changes_over_do_irp_name_who_made_them_and_with_what(node: Secured) -> None:
    handle = f"{PREFIX}/audited"
    secret = Value(index=2, type="NOTE", data=HIDDEN.encode(), permissions=PRIVATE)
    node.doirp(OpCode.CREATE_ID, Elements(handle, (url(), secret)), by_admin())
    node.doirp(OpCode.MODIFY_ELEMENT, Elements(handle, (url("https://plant.example/y"),)), by_secret(), udp=True)
    node.doirp(OpCode.REMOVE_ELEMENT, Removal(handle, (2,)), by_admin())
    node.doirp(OpCode.DELETE_ID, Named(handle), by_admin())
    by_key = {"handle": handle, "who": f"301:{ADMIN}", "how": "HS_PUBKEY", "face": "DO-IRP", "network": LOOPBACK}
    done = {"result": "done"}
    assert lines(node.store.folder) == [
        by_key | done | {"what": "create", "indexes": [1, 2], "values": 2},
        by_key | done | {"what": "modify", "indexes": [1], "values": 1, "who": f"302:{ADMIN}", "how": "HS_SECKEY"},
        by_key | done | {"what": "remove", "indexes": [2], "values": 1},
        by_key | done | {"what": "delete"},
    ]
    assert lines(node.store.folder, REFUSED_FILE) == []
    assert stat.S_IMODE((node.store.folder / DONE_FILE).stat().st_mode) == 0o600


def test_refused_attempts_over_do_irp_are_told(node: Secured) -> None:
    node.doirp(OpCode.DELETE_ID, Named(THING), by_stranger())
    node.doirp(OpCode.DELETE_ID, Named(THING), by_forger())
    told = {"face": "DO-IRP", "network": LOOPBACK, "how": "HS_PUBKEY"}
    right = {"what": "delete", "handle": THING, "who": f"301:{STRANGER}", "result": "INSUFFICIENT_PERMISSIONS"}
    proof = {"what": "prove", "claims": f"301:{ADMIN}", "result": "AUTHENTICATION_FAILED"}
    assert lines(node.store.folder, REFUSED_FILE) == [told | right, told | proof]
    assert lines(node.store.folder) == []


def test_changes_and_attempts_over_http(node: Secured) -> None:
    path = f"/api/handles/{PREFIX}/web"
    body = json.dumps([{"index": 1, "type": "URL", "data": "https://plant.example/x"}]).encode()
    right, wrong = basic(ADMIN, PASSWORD), basic(ADMIN, "a guess that is secret")
    assert node.http("PUT", path, body=body, headers=right | JSON).status == 200
    assert node.http("PUT", path, body=body, headers=wrong | JSON).status == 401
    assert node.http("PUT", path, body=body, headers=JSON).status == 401
    assert node.http("DELETE", path, headers=basic(STRANGER, STRANGERS_PASSWORD)).status == 403
    assert node.http("GET", path, headers=wrong).status == 401
    # A password in the place of the name is no name that anybody has.
    assert node.http("GET", path, headers=basic("hunter2/hunter2", "x")).status == 401
    told = {"face": "/api/handles", "network": LOOPBACK}
    who = {"who": f"300:{ADMIN}", "how": "basic"}
    change = {"handle": f"{PREFIX}/web", "what": "replace", "indexes": [1], "values": 1}
    assert lines(node.store.folder) == [told | who | change | {"result": "done"}]
    failed = {"what": "prove", "how": "basic", "result": "AUTHENTICATION_FAILED"}
    stranger = {"who": f"300:{STRANGER}", "how": "basic", "result": "INSUFFICIENT_PERMISSIONS"}
    assert lines(node.store.folder, REFUSED_FILE) == [
        told | failed | {"claims": f"300:{ADMIN}"},
        told | change | {"result": "AUTHENTICATION_NEEDED"},
        told | stranger | {"what": "delete", "handle": f"{PREFIX}/web"},
        told | failed | {"claims": f"300:{ADMIN}"},
        told | failed | {"claims": "unknown"},
    ]


def test_tokens_have_a_name_and_every_entry_of_a_batch_a_line(node: Secured) -> None:
    login = json.dumps({"username": "admin", "password": PASSWORD}).encode()
    token = node.http("POST", "/identity/token", body=login, headers=JSON).json["data"]["token"]
    gone = json.dumps([f"{PREFIX}/none-1", f"{PREFIX}/none-2"]).encode()
    bearer = {"Authorization": f"Bearer {token}"} | JSON
    assert node.http("DELETE", "/identityv2/data/batchDelete", body=gone, headers=bearer).status == 200
    found = lines(node.store.folder, REFUSED_FILE)
    assert [entry["handle"] for entry in found] == [f"{PREFIX}/none-1", f"{PREFIX}/none-2"]
    assert {entry["result"] for entry in found} == {"HANDLE_NOT_FOUND"}
    assert {entry["who"] for entry in found} == {f"300:{ADMIN}"}
    (how,) = {entry["how"] for entry in found}
    assert how.startswith("token ")
    assert len(how) == len("token ") + 8
    assert all(part not in (node.store.folder / REFUSED_FILE).read_text() for part in token.split("."))
    wrong = json.dumps({"username": "admin", "password": "wrong"}).encode()
    assert node.http("POST", "/identity/token", body=wrong, headers=JSON).json["status"] != 1
    last = lines(node.store.folder, REFUSED_FILE)[-1]
    assert (last["what"], last["face"], last["result"]) == ("prove", "/identity/", "AUTHENTICATION_FAILED")


def test_nothing_secret_comes_into_the_log(node: Secured) -> None:
    values = [{"index": 1, "type": "NOTE", "data": HIDDEN, "permissions": "1100"}]
    body = json.dumps(values).encode()
    for name, password in ((ADMIN, PASSWORD), (STRANGER, STRANGERS_PASSWORD), (PASSWORD, ADMIN), (HIDDEN, "x")):
        node.http("PUT", f"/api/handles/{PREFIX}/secret", body=body, headers=basic(name, password) | JSON)
    login = json.dumps({"username": PASSWORD, "password": PASSWORD}).encode()
    node.http("POST", "/identity/token", body=login, headers=JSON)
    node.doirp(OpCode.ADD_ELEMENT, Elements(THING, (Value(index=77, type="NOTE", data=HIDDEN.encode()),)), by_admin())
    written = (node.store.folder / DONE_FILE).read_bytes() + (node.store.folder / REFUSED_FILE).read_bytes()
    assert written.count(b"\n") >= 5
    assert not leaked(written)


def test_a_flood_of_attempts_is_counted_and_pushes_out_no_change(tmp_path: Path) -> None:
    settings = AuditSettings(most_octets=4_096, kept=2, refused=Allowance(rate_per_s=1.0, burst=20.0))
    now = [1_700_000_000.0]
    log = AuditLog(tmp_path, settings, clock=lambda: now[0])
    log.write(Event("create", "88.1/kept"))
    for number in range(20_000):
        now[0] += 0.01
        log.write(Event("prove", claims=f"88.1/{number}", refused="AUTHENTICATION_FAILED"))
    # Twenty at once and one for each of the 200 seconds.
    assert log.counts[Result.REFUSED] == pytest.approx(220, abs=2)
    assert log.counts[Result.COUNTED] == 20_000 - log.counts[Result.REFUSED]
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {DONE_FILE, REFUSED_FILE, f"{REFUSED_FILE}.1", f"{REFUSED_FILE}.2"}
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 4 * 4_096
    assert [entry["handle"] for entry in lines(tmp_path)] == ["88.1/kept"]
    told = lines(tmp_path, REFUSED_FILE)
    assert all(entry["not_written_before"] == 99 for entry in told)


def test_files_are_put_aside_by_size_and_the_oldest_goes(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, AuditSettings(most_octets=1_000, kept=3))
    for number in range(60):
        log.write(Event("create", f"88.1/{number}"))
    kept = [f"{DONE_FILE}.3", f"{DONE_FILE}.2", f"{DONE_FILE}.1", DONE_FILE]
    assert {path.name for path in tmp_path.iterdir()} == set(kept)
    numbers = [int(entry["handle"].partition("/")[2]) for name in kept for entry in lines(tmp_path, name)]
    assert numbers == list(range(numbers[0], 60))
    assert all((tmp_path / name).stat().st_size <= 1_000 for name in kept)


def test_what_cannot_be_written_is_counted_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = AuditLog(tmp_path / "none")
    with pytest.raises(OutputError, match="audit log"):
        log.check()
    log.write(Event("create", "88.1/x"))
    assert log.counts == {Result.LOST: 1}
    assert "the audit log is not written: FileNotFoundError" in caplog.text
    caplog.clear()
    caplog.handler.records.clear()


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:10.1.2.3", "10.1.2.0/24"),
        ("2001:db8:0:ff42::9", "2001:db8:0:ff00::/56"),
        ("no address", "none"),
    ],
)
def test_networks_in_words(address: str, text: str) -> None:
    assert network_text(network_of(address)) == text


def test_changes_to_the_files_are_noted_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, key = f"{tmp_path}/node", f"{tmp_path}/admin.pem"
    assert main(["id", "init", store, "--prefix", "88.9", "--key", key]) == 0
    assert main(["id", "register", store, "88.9/pump", "--private", "2:COST=1100.77"]) == 0
    (tmp_path / "more.csv").write_text("handle,1:URL\n88.9/a,https://a.example\n88.9/b,https://b.example\n")
    assert main(["id", "import", store, f"{tmp_path}/more.csv", "--processes", "1"]) == 0
    first, second = lines(Path(store))
    assert (first["what"], first["handle"], first["indexes"], first["how"]) == (
        "create",
        "88.9/pump",
        [2, 100],
        "files",
    )
    assert first["who"].startswith("user ")
    assert second["what"] == "import 2 records"
    assert "1100.77" not in (Path(store) / DONE_FILE).read_text()
    assert "1100.77" not in capsys.readouterr().out
