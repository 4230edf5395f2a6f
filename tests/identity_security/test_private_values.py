"""Private values and secrets in no byte that leaves the node for who may not read them, over any face."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from support.http_node import ADMIN, HIDDEN, PASSWORD, PREFIX, THING
from support.secured_node import (
    MASKED,
    PRODUCT,
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
from xinji.use.identity.backup import back_up, restore
from xinji.use.identity.bulk import export_csv, export_jsonl
from xinji.use.identity.doirp.bodies import Elements, Query
from xinji.use.identity.doirp.codes import OpCode, OpFlag, ResponseCode
from xinji.use.identity.doirp.message import Envelope, Header, Message
from xinji.use.identity.record import Value

HANDLES = (THING, THING.upper(), ADMIN, STRANGER, MASKED, PRODUCT, f"{PREFIX}/none", f"0.NA/{PREFIX}")
STRANGERS = {"nobody": {}, "a stranger": basic(STRANGER, STRANGERS_PASSWORD), "a guesser": basic(ADMIN, "guessed")}


def paths() -> Iterator[str]:
    queries = ("", "?publicOnly=true", "?index=3", "?index=300&index=301&index=302&index=1&index=2", "?type=HS_SECKEY")
    for handle, query in product(HANDLES, (*queries, "?auth=true", "?callback=f", "?type=NOTE&pretty=true")):
        yield f"/api/handles/{handle}{query}"
    for handle in HANDLES:
        yield f"/doip?operationId=0.DOIP/Op.Retrieve&targetId={handle}"
        yield f"/doip?operationId=0.DOIP/Op.Retrieve&targetId={handle}&element=3"
        yield f"/identityv2/data/detail?handle={handle}"
        yield f"/api/v1/doip?targetId={handle}&operationId=0.DOIP/Op.Retrieve"
        yield f"/{handle}"
    yield f"/api/handles?prefix={PREFIX}"
    yield f"/doip?operationId=0.DOIP/Op.Search&targetId=service&query=id:{PREFIX}/*"
    for query in ("", "?linkType=all", "?linkType=gs1:hasRetailers", "?linkType=linkset"):
        yield f"/01/09506000134352{query}"
    yield from ("/metrics", "/healthz", "/.well-known/gs1resolver", "/api/sessions", "/%ff", "/doip?operationId=")


@pytest.mark.parametrize("who", STRANGERS)
def test_no_http_face_tells(node: Secured, who: str) -> None:
    for accept in ("*/*", "application/linkset+json"):
        for path in paths():
            reply = node.http("GET", path, headers=STRANGERS[who] | {"Accept": accept})
            assert not leaked(repr(reply.all_headers).encode() + reply.body), path


@pytest.mark.parametrize("who", STRANGERS)
def test_no_error_repeats_what_is_there(node: Secured, who: str) -> None:
    headers = STRANGERS[who] | {"Content-Type": "application/json"}
    guess = {"index": 3, "type": "COST", "data": {"format": "string", "value": "1"}}
    writes: tuple[tuple[str, str, object], ...] = (
        ("PUT", f"/api/handles/{THING}?index=various&overwrite=false", {"values": [guess]}),
        ("PUT", f"/api/handles/{MASKED}", {"values": [guess]}),
        ("DELETE", f"/api/handles/{THING}?index=3", {}),
        ("POST", f"/doip?operationId=0.DOIP/Op.Update&targetId={MASKED}", {"attributes": {"values": [guess]}}),
        ("POST", "/identityv2/data/batchCreate", [{"handle": MASKED, "templateVersion": "1", "value": []}]),
    )
    for method, path, document in writes:
        reply = node.http(method, path, body=json.dumps(document).encode(), headers=headers)
        assert reply.status >= 400 or reply.json["status"] != 1 or "success" not in str(reply.json["data"])
        assert not leaked(reply.body)


def doirp_octets(node: Secured, octets: bytes, *, udp: bool) -> bytes:
    """The message that comes back for ``octets``."""
    kind = socket.SOCK_DGRAM if udp else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as connection:
        connection.settimeout(60)
        connection.connect((node.host, node.doirp_port))
        connection.sendall(octets)
        if udp:
            return connection.recv(65_536)
        found = b""
        while len(found) < 20 or len(found) < 20 + int.from_bytes(found[16:20], "big"):
            part = connection.recv(65_536)
            assert part, "the connection ended within an answer"
            found += part
        return found


SELECTIONS = ((), (3,), (1, 2, 3, 300, 301, 302))
KINDS = ((), ("COST",), ("HS_SECKEY",), ("NOTE", "URL"))


@pytest.mark.parametrize("udp", [False, True], ids=["TCP", "UDP"])
def test_doirp_does_not_tell(node: Secured, *, udp: bool) -> None:
    for handle, indexes, types in product(HANDLES, SELECTIONS, KINDS):
        for flags in (0, OpFlag.PO):
            message = Message(
                Envelope(3), Header(OpCode.RESOLUTION, flags=flags), Query(handle, indexes, types).encode()
            )
            assert not leaked(doirp_octets(node, message.encode(), udp=udp)), (handle, indexes, types, flags)


def test_doirp_does_not_tell_strangers_nor_forgers(node: Secured) -> None:
    for handle, identity in product((THING, ADMIN, MASKED, PRODUCT), (by_stranger(), by_forger())):
        for indexes in SELECTIONS:
            answered = node.doirp(OpCode.RESOLUTION, Query(handle, indexes), identity, flags=OpFlag.CT | OpFlag.RD)
            octets = b"".join(body.encode() for body in (answered.body, *answered.bodies))
            assert not leaked(octets)
    for op in (OpCode.ADD_ELEMENT, OpCode.MODIFY_ELEMENT):
        body = Elements(THING, (Value(index=3, type="COST", data=b"1"),))
        assert not leaked(node.doirp(op, body, by_stranger()).body.encode())


def test_the_administrator_is_told(node: Secured) -> None:
    # The sweeps above can find what they look for.
    shown = node.http("GET", f"/api/handles/{THING}", headers=basic(ADMIN, PASSWORD)).body
    assert leaked(shown) == [HIDDEN.encode()]
    for identity in (by_admin(), by_secret()):
        answered = node.doirp(OpCode.RESOLUTION, Query(THING), identity)
        assert answered.code == ResponseCode.SUCCESS
        assert leaked(answered.body.encode()) == [HIDDEN.encode()]
    assert leaked(base64.b64encode(b"a" + HIDDEN.encode() + b"b")) == [HIDDEN.encode()]


def test_exports_without_private_values(node: Secured, tmp_path: Path) -> None:
    for export, name in ((export_jsonl, "a.jsonl"), (export_csv, "a.csv")):
        assert export(node.store, tmp_path / name) > 4
        assert not leaked((tmp_path / name).read_bytes())
        export(node.store, tmp_path / f"all-{name}", private=True)
        assert HIDDEN.encode() in leaked((tmp_path / f"all-{name}").read_bytes())


def test_what_holds_private_values_is_for_its_owner_alone(node: Secured, tmp_path: Path) -> None:
    back_up(node.store, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "restored")
    assert HIDDEN.encode() in leaked((tmp_path / "restored" / "data.mdb").read_bytes())
    for folder in (node.store.folder, tmp_path / "backup", tmp_path / "restored"):
        assert folder.stat().st_mode & 0o077 == 0, folder.name
    assert (node.store.folder / "data.mdb").stat().st_mode & 0o077 == 0
    export_jsonl(node.store, tmp_path / "all.jsonl", private=True)
    assert (tmp_path / "all.jsonl").stat().st_mode & 0o077 == 0
