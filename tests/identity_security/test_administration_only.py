"""Every write of every face, by nobody, by a stranger and by forgers: refused in its own form, nothing changes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.http_node import ADMIN, PASSWORD, PREFIX, THING, Reply
from support.secured_node import (
    STRANGER,
    STRANGERS_PASSWORD,
    TEMPLATE,
    Secured,
    basic,
    by_admin,
    by_forger,
    by_stranger,
)
from xinji.use.identity.client_link import Identity
from xinji.use.identity.doirp.bodies import Body, Elements, Named, Removal
from xinji.use.identity.doirp.codes import OpCode, OpFlag, ResponseCode
from xinji.use.identity.keys import Secret
from xinji.use.identity.record import Value
from xinji.use.identity.value_data import ADMIN as HS_ADMIN
from xinji.use.identity.value_data import Admin, encode_admin

R = ResponseCode
NEW = f"{PREFIX}/by-a-stranger"
URL = Value(index=1, type="URL", data=b"https://stranger.example/")
OWN = Value(index=200, type=HS_ADMIN, data=encode_admin(Admin(STRANGER, 301)))

DOIRP_WRITES: dict[str, tuple[int, Body, int]] = {
    "create": (OpCode.CREATE_ID, Elements(NEW, (URL, OWN)), 0),
    "create over": (OpCode.CREATE_ID, Elements(THING, (URL, OWN)), OpFlag.OWE),
    "create with a minted name": (OpCode.CREATE_ID, Elements(f"{PREFIX}/", (URL, OWN)), OpFlag.MNS),
    "create a derived prefix": (OpCode.CREATE_ID, Elements(f"0.NA/{PREFIX}.9", (OWN,)), 0),
    "delete": (OpCode.DELETE_ID, Named(THING), 0),
    "add": (OpCode.ADD_ELEMENT, Elements(THING, (Value(index=9, type="X", data=b"x"),)), 0),
    "add an administrator": (OpCode.ADD_ELEMENT, Elements(THING, (OWN,)), 0),
    "add over": (OpCode.ADD_ELEMENT, Elements(THING, (URL,)), OpFlag.OWE),
    "modify": (OpCode.MODIFY_ELEMENT, Elements(THING, (URL,)), 0),
    "modify the key": (OpCode.MODIFY_ELEMENT, Elements(ADMIN, (Value(index=301, type="HS_PUBKEY", data=b"x"),)), 0),
    "remove": (OpCode.REMOVE_ELEMENT, Removal(THING, (1,)), 0),
    "home a prefix": (OpCode.HOME_PREFIX, Named("0.NA/1.2"), 0),
}


@pytest.mark.parametrize("name", DOIRP_WRITES)
def test_doirp(node: Secured, name: str) -> None:
    op, body, flags = DOIRP_WRITES[name]
    before = node.held()
    homing = op == OpCode.HOME_PREFIX
    assert node.doirp(op, body, flags=flags).code == (R.OPERATION_DENIED if homing else R.AUTHEN_NEEDED)
    if not homing:
        attempts: dict[str, tuple[Identity, set[int]]] = {
            "a stranger": (by_stranger(), {R.INVALID_ADMIN, R.ACCESS_DENIED}),
            "another key": (by_forger(), {R.AUTHEN_FAILED}),
            "a wrong secret": (Identity(ADMIN, 300, Secret(b"guessed")), {R.AUTHEN_FAILED}),
            "a key that is no key": (Identity(THING, 1, Secret(b"x")), {R.AUTHEN_FAILED}),
            "nobody there": (Identity(f"{PREFIX}/none", 300, Secret(b"x")), {R.AUTHEN_FAILED}),
        }
        for who, (identity, codes) in attempts.items():
            assert node.doirp(op, body, identity, flags=flags).code in codes, who
    assert node.held() == before


def doc(**members: Any) -> bytes:
    return json.dumps(members).encode()


def listed(*entries: Any) -> bytes:
    return json.dumps(entries).encode()


PLAIN = {"index": 1, "type": "URL", "data": {"format": "string", "value": "https://stranger.example/"}}
ENTRY = {"templateVersion": "1.0.0", "value": [PLAIN | {"index": 2000, "auth": ""}]}
SHEET = {"prefix": PREFIX, "version": "9", "items": [{"name": "a", "idType": "URL", "metadata": {"type": "string"}}]}
CONTENT = {"type": TEMPLATE, "attributes": {"content": {"URL": "www.x.com"}}}

HTTP_WRITES: dict[str, tuple[str, str, bytes]] = {
    "handles: create": ("PUT", f"/api/handles/{NEW}", doc(values=[PLAIN])),
    "handles: replace": ("PUT", f"/api/handles/{THING}", doc(values=[PLAIN])),
    "handles: change a value": ("PUT", f"/api/handles/{THING}?index=1", doc(**PLAIN)),
    "handles: change values": ("PUT", f"/api/handles/{THING}?index=various", doc(values=[PLAIN])),
    "handles: delete": ("DELETE", f"/api/handles/{THING}", b""),
    "handles: delete a value": ("DELETE", f"/api/handles/{THING}?index=1", b""),
    "DOIP: create": (
        "POST",
        "/doip?operationId=0.DOIP/Op.Create&targetId=service",
        doc(id=NEW, type="0.TYPE/X", attributes={"values": [PLAIN]}),
    ),
    "DOIP: update": (
        "POST",
        f"/doip?operationId=0.DOIP/Op.Update&targetId={THING}",
        doc(attributes={"values": [PLAIN]}),
    ),
    "DOIP: delete": ("POST", f"/doip?operationId=0.DOIP/Op.Delete&targetId={THING}", b""),
    "secondary: create": ("POST", "/identityv2/data", doc(handle=NEW, **ENTRY)),
    "secondary: update": ("PUT", "/identityv2/data", doc(handle=THING, **ENTRY)),
    "secondary: delete": ("DELETE", "/identityv2/data", doc(handle=THING)),
    "secondary: batchCreate": ("POST", "/identityv2/data/batchCreate", listed({"handle": NEW, **ENTRY})),
    "secondary: batchUpdate": ("PUT", "/identityv2/data/batchUpdate", listed({"handle": THING, **ENTRY})),
    "secondary: batchDelete": ("DELETE", "/identityv2/data/batchDelete", listed(THING)),
    "secondary: template": ("POST", "/snms/api/v3/template", json.dumps(SHEET).encode()),
    "secondary: change a template": ("PUT", "/snms/api/v5/template", json.dumps(SHEET | {"version": "1.0.0"}).encode()),
    "secondary: delete a template": ("DELETE", "/snms/api/v5/template", doc(prefix=PREFIX, version="1.0.0")),
    "enterprise: create": ("POST", f"/api/v1/doip?targetId={NEW}&operationId=0.DOIP/Op.Create", doc(**CONTENT)),
    "enterprise: update": ("POST", f"/api/v1/doip?targetId={THING}&operationId=0.DOIP/Op.Update", doc(**CONTENT)),
    "enterprise: update in part": (
        "POST",
        f"/api/v1/doip?targetId={THING}&operationId=0.DOIP.EXTEND/Op.Update.Non.Overlay",
        doc(**CONTENT),
    ),
    "enterprise: delete": ("POST", f"/api/v1/doip?targetId={THING}&operationId=0.DOIP/Op.Delete", b""),
}

SHEET_OF_ADMIN = {
    "prefix": PREFIX,
    "version": "1.0.0",
    "industryCategory": "A",
    "industrySpecific": "01",
    "industryTrade": "011",
    "industrySubclass": "0111",
    "type": 1,
    "items": [{"name": "地址", "idType": "URL", "metadata": {"type": "string", "minLength": 1, "maxLength": 40}}],
}


@pytest.fixture(scope="module")
def ready(node: Secured) -> Secured:
    """The node with a template, so that what follows fails for want of permission and for nothing else."""
    sent = json.dumps(SHEET_OF_ADMIN).encode()
    made = node.http("POST", "/snms/api/v3/template", body=sent, headers=basic(ADMIN, PASSWORD))
    assert made.json == {"message": "success", "status": 1, "data": True}
    return node


def stranger_token(node: Secured) -> dict[str, str]:
    body = doc(username=f"300:{STRANGER}", password=STRANGERS_PASSWORD)
    return {"Authorization": f"Bearer {node.http('POST', '/identity/token', body=body).json['data']['token']}"}


def refused(name: str, reply: Reply, *, known: bool) -> bool:
    """Whether ``reply`` refuses in the form of its face, for want of a proof or (``known``) of a right."""
    said = reply.json
    if name.startswith("handles"):
        codes = {400, 401} if known else {402, 403}
        return reply.status == (403 if known else 401) and said["responseCode"] in codes
    if name.startswith("DOIP"):
        doip = json.loads(reply.headers["doip-response"])["status"]
        wanted = "0.DOIP/Status.103" if known else "0.DOIP/Status.102"
        return reply.status == (403 if known else 401) and doip == wanted
    if name.startswith("enterprise"):
        return reply.status == 200 and said["code"] in ({103, 406} if known else {401})
    if known and "batch" in name:
        return said["status"] == 1 and [row["msg"] for row in said["data"]] == ["没有权限"]
    return reply.status == 200 and said["status"] == (-3 if known else -1)


@pytest.mark.parametrize("name", HTTP_WRITES)
def test_http(ready: Secured, name: str) -> None:
    method, path, body = HTTP_WRITES[name]
    before = ready.held()
    json_media = {"Content-Type": "application/json"}
    nobodies: dict[str, dict[str, str]] = {
        "nobody": {},
        "a wrong password": basic(ADMIN, "guessed"),
        "the password of another": basic(ADMIN, STRANGERS_PASSWORD),
        "an invented token": {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIzMDA6eCJ9."},
        "an invented session": {"Authorization": 'Handle sessionId="1"'},
    }
    for who, headers in nobodies.items():
        reply = ready.http(method, path, body=body, headers=json_media | headers)
        assert refused(name, reply, known=False), (who, reply)
    for headers in (basic(STRANGER, STRANGERS_PASSWORD), stranger_token(ready)):
        reply = ready.http(method, path, body=body, headers=json_media | headers)
        assert refused(name, reply, known=True), reply
    assert ready.held() == before


@pytest.mark.parametrize("path", ["/01/09506000134352", "/.well-known/gs1resolver", "/metrics", "/healthz"])
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_other_paths_take_no_changes(node: Secured, method: str, path: str) -> None:
    before = node.held()
    reply = node.http(method, path, body=b"{}", headers=basic(ADMIN, PASSWORD))
    assert 400 <= reply.status < 500
    assert node.held() == before


def test_the_administrator_may(ready: Secured) -> None:
    # What the others were refused is possible, so their refusals were for who they are.
    assert ready.doirp(OpCode.CREATE_ID, Elements(NEW, (URL,)), by_admin()).code == R.SUCCESS
    assert ready.doirp(OpCode.MODIFY_ELEMENT, Elements(THING, (URL,)), by_admin()).code == R.SUCCESS
    path, body = HTTP_WRITES["handles: change a value"][1:]
    headers = {"Content-Type": "application/json"} | basic(ADMIN, PASSWORD)
    assert ready.http("PUT", path, body=body, headers=headers).status == 200
    assert ready.doirp(OpCode.DELETE_ID, Named(NEW), by_admin()).code == R.SUCCESS
    batch = HTTP_WRITES["secondary: batchCreate"][2]
    assert ready.http("POST", "/identityv2/data/batchCreate", body=batch, headers=headers).json["data"] == [
        {"handle": NEW, "msg": "success"}
    ]
