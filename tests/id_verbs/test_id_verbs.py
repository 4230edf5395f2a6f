"""The sub-verbs of `xinji id` on a store, through the command line."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xinji.cli import main
from xinji.use.identity.record import Record
from xinji.use.identity.serve import Serving
from xinji.use.identity.store import open_store

PREFIX = "88.123.10"
PUMP = f"{PREFIX}/pump-7"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            status = main(["id", *map(str, arguments)])
        except SystemExit as error:
            status = int(error.code or 0)
        out, err = capsys.readouterr()
        return status, out, err

    return call


def said(answer: tuple[int, str, str]) -> dict[str, Any]:
    status, out, err = answer
    assert status == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def held(store: Path, handle: str) -> Record:
    """The record with all its values, private ones too."""
    with open_store(store, read_only=True) as opened:
        record = opened.record(handle, private=True)
    assert record is not None
    return record


def whole(store: Path) -> bytes:
    return (store / "data.mdb").read_bytes()


def refused(answer: tuple[int, str, str], *words: str) -> None:
    status, out, err = answer
    assert (status, out) == (2, "")
    assert "Traceback" not in err
    for word in words:
        assert word in err, err


def test_help_of_each_sub_verb_has_examples(run: Run) -> None:
    status, out, _ = run("--help")
    assert status == 0
    for verb in (
        "init",
        "serve",
        "resolve",
        "register",
        "import",
        "export",
        "backup",
        "restore",
        "key",
        "prefix",
        "replica",
    ):
        assert verb in out
        status, text, _ = run(verb, "--help")
        assert status == 0
        assert f"xinji id {verb}" in text
        assert "exit status" in text


def test_a_new_node_has_its_prefix_an_administrator_and_a_key_of_its_own(node: Path, home: Path) -> None:
    assert stat.S_IMODE((home / "admin.pem").stat().st_mode) == 0o600
    assert {value.type for value in held(node, f"0.NA/{PREFIX}").values} == {"HS_SITE", "HS_ADMIN"}
    assert {value.type for value in held(node, f"{PREFIX}/ADMIN").values} == {"HS_PUBKEY", "HS_ADMIN"}
    assert b"PRIVATE" not in whole(node)


def test_init_writes_over_nothing_and_leaves_nothing_half_made(run: Run, home: Path, tmp_path: Path) -> None:
    before = whole(home / "node")
    refused(run("init", home / "node", "--prefix", PREFIX, "--key", tmp_path / "k.pem"), "already")
    assert whole(home / "node") == before
    refused(run("init", tmp_path / "new", "--prefix", PREFIX, "--key", home / "admin.pem"), "admin.pem")
    refused(run("init", tmp_path / "new", "--prefix", "88..1", "--key", tmp_path / "k.pem"), "empty segment")
    key = ("--key", tmp_path / "k.pem")
    refused(run("init", tmp_path / "new", "--prefix", PREFIX, *key, "--host", "not an address"), "address")
    ports = ("--doirp-port", "70000", "--http-port", "0")
    refused(run("init", tmp_path / "new", "--prefix", PREFIX, *key, *ports), "70000", "--http-port")
    assert {path.name for path in tmp_path.iterdir()} == {"home"}


def test_a_name_is_registered_with_private_values_and_resolved_without(run: Run, node: Path) -> None:
    values = ("--value", "1:URL=https://plant.example/pump-7?a=b", "--value", "2:NAME=一号水泵")
    found = said(run("register", node, PUMP, *values, "--private", "3:COST=1100.00", "--json"))
    assert found == {"handle": PUMP, "values": 3}
    answer = said(run("resolve", PUMP.upper(), "--store", node, "--json"))
    assert {value["type"]: value["data"] for value in answer["values"]} == {
        "URL": "https://plant.example/pump-7?a=b",
        "NAME": "一号水泵",
        "HS_ADMIN": f"300:{PREFIX}/ADMIN may do 111111111111",
    }
    assert all(value["public"] for value in answer["values"])
    cost = held(node, PUMP).by_index(3)
    assert cost is not None
    assert (cost.data, cost.public) == (b"1100.00", False)
    status, out, _ = run("resolve", f"hdl:{PUMP}", "--store", node, "--type", "NAME", "--index", "1")
    assert status == 0
    assert "一号水泵" in out
    assert "pump-7?a=b" in out
    assert "HS_ADMIN" not in out
    refused(run("resolve", PUMP, "--store", node, "--index", "3"), PUMP, "authentication needed")


def test_a_registered_name_is_replaced_only_on_request(run: Run, node: Path) -> None:
    assert run("register", node, PUMP, "--value", "1:URL=https://a.example/1")[0] == 0
    refused(run("register", node, PUMP, "--value", "1:URL=https://a.example/2"), "registered")
    assert run("register", node, PUMP, "--value", "100:NAME=new", "--replace")[0] == 0
    record = held(node, PUMP)
    # The administrator gives way to what stands at its usual index.
    assert [(value.index, value.type) for value in record.values] == [(100, "NAME"), (101, "HS_ADMIN")]


@pytest.mark.parametrize("name", ["urn:oid:1.2.156.3088.1.7", "ecode:1031234567890123456", "urn:gs1:01:09506000134352"])
def test_names_of_other_kinds_are_adapters_on_the_same_store(run: Run, node: Path, name: str) -> None:
    status, _, err = run("register", node, name, "--value", "1:NAME=thing")
    assert status == 0, err
    found = said(run("resolve", name, "--store", node, "--json"))
    assert found["values"][0]["data"] == "thing"
    # Under its handle it is the same thing.
    assert said(run("resolve", found["handle"], "--store", node, "--json")) == found


def test_what_is_no_text_is_shown_in_base_64(run: Run, node: Path, tmp_path: Path) -> None:
    lines = [
        {"index": 1, "type": "PHOTO", "data": {"format": "base64", "value": "AAECAw=="}},
        {"index": 2, "type": "HS_ADMIN", "data": {"format": "base64", "value": "AA=="}},
        {"index": 3, "type": "NAME", "data": "\x1b[2Jcleared"},
    ]
    source = tmp_path / "one.jsonl"
    source.write_text(json.dumps({"handle": PUMP, "values": lines}) + "\n", encoding="utf-8")
    assert run("import", node, source)[0] == 0
    status, out, _ = run("resolve", PUMP, "--store", node)
    assert status == 0
    assert "base64:AAECAw==" in out
    assert "\x1b" not in out


def test_export_and_import_give_the_same_records_back(run: Run, node: Path, tmp_path: Path) -> None:
    assert run("register", node, PUMP, "--value", "1:NAME=泵", "--private", "2:COST=7")[0] == 0
    for form in ("jsonl", "csv"):
        first, second = tmp_path / f"first.{form}", tmp_path / f"second.{form}"
        assert said(run("export", node, first, "--with-private", "--json")) == {"records": 3}
        new = tmp_path / f"new_{form}"
        assert said(run("import", new, first, "--create", "--processes", "1", "--json"))["records"] == 3
        assert run("export", new, second, "--with-private")[0] == 0
        assert second.read_bytes() == first.read_bytes()
        public = tmp_path / f"public.{form}"
        assert said(run("export", node, public, "--under", f"{PREFIX}/p", "--json")) == {"records": 1}
        assert "COST" not in public.read_text(encoding="utf-8")
        refused(run("export", node, first), "exists")


def test_a_bad_file_is_refused_with_all_faults_and_nothing_is_written(run: Run, node: Path, tmp_path: Path) -> None:
    source = tmp_path / "bad.csv"
    source.write_text(f"handle,1:URL\n{PREFIX}/ok,https://a.example\nno slash,x\n{PREFIX}/,y\n", encoding="utf-8")
    before = whole(node)
    refused(run("import", node, source, "--processes", "1"), "no slash", "nothing after its slash")
    assert whole(node) == before
    refused(run("import", tmp_path / "new", source, "--create", "--processes", "1"), "no slash")
    refused(run("import", tmp_path / "new", tmp_path / "none.csv", "--create"), "none.csv")
    refused(run("import", tmp_path / "new", tmp_path / "x.xlsx", "--create"), ".jsonl")
    refused(run("import", tmp_path / "new", source), "no identifier store")
    refused(run("export", node, tmp_path / "x.xlsx"), ".jsonl")
    assert {path.name for path in tmp_path.iterdir()} == {"home", "bad.csv"}


def test_a_backup_comes_back_whole_and_a_damaged_one_does_not(run: Run, node: Path, tmp_path: Path) -> None:
    assert run("register", node, PUMP, "--value", "1:NAME=泵", "--private", "2:COST=7")[0] == 0
    folder = tmp_path / "backup"
    made = said(run("backup", node, folder, "--json"))
    assert made["records"] == 3
    assert said(run("restore", folder, tmp_path / "again", "--json"))["fingerprint"] == made["fingerprint"]
    assert held(tmp_path / "again", PUMP) == held(node, PUMP)
    refused(run("restore", folder, node), "exists")
    refused(run("backup", node, folder), "exists")
    with (folder / "data.mdb").open("r+b") as file:
        file.write(b"damage")
    refused(run("restore", folder, tmp_path / "third"), "fingerprint")
    refused(run("restore", tmp_path / "nothing", tmp_path / "third"), "nothing")
    refused(run("backup", tmp_path / "nothing", tmp_path / "fourth"), "no identifier store")
    assert {path.name for path in tmp_path.iterdir()} == {"home", "backup", "again"}


def test_a_key_is_written_once_and_shows_its_public_half_alone(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "li.pem"
    found = said(run("key", path, "--json"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_text()
    assert "PRIVATE KEY" in before
    assert found["public"]
    assert found["public"] not in before
    refused(run("key", path), "li.pem")
    assert path.read_text() == before


BAD = {
    "nothing to register": (("register", "NODE", PUMP), ("there is no value",)),
    "every value is looked at": (
        ("register", "NODE", "no slash", "--value", "x:URL=a", "--value", "1URL=a", "--private", "0:COST=7secret"),
        ("no slash", "'x:URL'", "'1URL'", "index is 0"),
    ),
    "no equals sign": (("register", "NODE", PUMP, "--private", "2:COST 7secret"), ("no = in it",)),
    "digits without end": (("register", "NODE", PUMP, "--value", f"{'9' * 6000}:URL=a"), ("INDEX:TYPE=TEXT",)),
    "an index twice": (("register", "NODE", PUMP, "--value", "1:A=a", "--value", "1:B=b"), ("1",)),
    "half a character": (("register", "NODE", PUMP, "--value", "1:A=\udcff"), ("UTF-8",)),
    "half a character in a name": (("register", "NODE", "88.1/\udcff", "--value", "1:A=a"), ("no handle may have",)),
    "store without name": (("register", "NODE", "--value", "1:A=a"), ("STORE NAME",)),
    "no proof": (("register", PUMP, "--server", "127.0.0.1", "--value", "1:A=a"), ("--identity",)),
    "ledger without prefix": (("register", "NODE", "--ledger", "x.ledger"), ("--prefix",)),
    "ledger with values": (
        ("register", "NODE", PUMP, "--ledger", "x", "--prefix", PREFIX, "--value", "1:A=a"),
        ("no name or --server", "--value"),
    ),
    "nowhere to look": (("resolve", PUMP), ("--store",)),
    "everything wrong at once": (
        ("resolve", "no slash", "--server", "h:99999", "--identity", "300"),
        ("no slash", "h:99999", "--key", "INDEX:HANDLE"),
    ),
    "an address that is none": (("resolve", "https://[x/88.1/a", "--store", "NODE"), ("no address",)),
    "an unknown name": (("resolve", f"{PREFIX}/none", "--store", "NODE"), ("handle not found",)),
    "nobody listens": (("resolve", PUMP, "--server", "127.0.0.1:1"), ("127.0.0.1:1",)),
    "no store": (("resolve", PUMP, "--store", "NODE/none"), ("no identifier store",)),
    "serving with everything wrong": (
        (
            "serve",
            "NODE",
            "--role",
            "national",
            "--tls",
            "x",
            "--admin",
            "me",
            "--http-port",
            "70000",
            "--cache",
            "a:b",
        ),
        ("--prefix", "--tls-key", "'me'", "70000", "'a:b'"),
    ),
    "a rate without a burst": (("serve", "NODE", "--burst", "0"), ("burst",)),
    "serving nothing": (("serve", "NODE/none"), ("no identifier store",)),
    "a certificate that is none": (("serve", "NODE", "--tls", "x.pem", "--tls-key", "x.pem"), ("x.pem",)),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_whole(run: Run, node: Path, case: str) -> None:
    arguments, words = BAD[case]
    before = whole(node)
    answer = run(*(word.replace("NODE", str(node)) for word in arguments))
    refused(answer, *words)
    assert "7secret" not in answer[2]
    assert whole(node) == before


@pytest.mark.parametrize(
    ("options", "audited", "connections"),
    [
        ((), True, 512),
        (("--no-audit-log", "--connections", "7"), False, 7),
        (("--read-only", "--connections", "0"), False, None),
        (("--read-only", "--audit-log"), True, 512),
    ],
)
def test_what_serve_keeps_and_allows(
    run: Run,
    node: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    connections: int | None,
    *,
    audited: bool,
) -> None:
    asked: list[Serving] = []
    monkeypatch.setattr("xinji.cli_id.serve", lambda _node, serving, _told: asked.append(serving))
    assert run("serve", node, *options)[0] == 0
    assert [(serving.audit is not None, serving.connections_each) for serving in asked] == [(audited, connections)]
    assert (node / "audit.jsonl").exists() == audited


def test_a_node_loads_no_maps_and_no_ledger() -> None:
    """They would take longer to load than the node has to start."""
    loaded = "import sys, xinji.cli_id; print(*sorted({'geopandas', 'pandas', 'sqlalchemy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == ""
