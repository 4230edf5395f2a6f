"""The secondary-node interfaces, by the examples of their public documents (teleinfo-dev/id-guide)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from support.http_node import ADMIN, HIDDEN, IDENTITY, PASSWORD, PREFIX, THING, Served, served
from xinji.use.identity.http.message import Client
from xinji.use.identity.keys import SigningKey
from xinji.use.identity.secondary_doip import Challenges

LIMITS = {"type": "string", "minLength": 1, "maxLength": 40}
TEMPLATE: dict[str, Any] = {
    "prefix": PREFIX,
    "version": "1.0.0",
    "industryCategory": "A",
    "industrySpecific": "01",
    "industryTrade": "011",
    "industrySubclass": "0111",
    "type": 1,
    "description": "测试模板",
    "items": [
        {"name": "地址", "idType": "URL", "metadata": LIMITS, "required": True},
        {"name": "名称", "idType": "name", "metadata": LIMITS | {"maxLength": 10}},
        {"name": "成本", "idType": "cost", "metadata": LIMITS, "public": False},
    ],
}


def entry(suffix: str, *values: dict[str, Any], version: str = "1.0.0") -> dict[str, Any]:
    found = values or (value(2000, "URL", "www.001.com"),)
    return {"handle": f"{PREFIX}/{suffix}", "templateVersion": version, "value": list(found)}


def value(index: int, kind: str, text: str, auth: str = "") -> dict[str, Any]:
    return {"data": {"format": "string", "value": text}, "auth": auth, "index": index, "type": kind}


@pytest.fixture(scope="module")
def token(node: Served) -> dict[str, str]:
    reply = node.ask("POST", "/identity/token", body={"username": "admin", "password": PASSWORD})
    assert reply.status == 200
    assert (reply.json["message"], reply.json["status"]) == ("success", 1)
    header = {"Authorization": f"Bearer {reply.json['data']['token']}"}
    added = node.ask("POST", "/snms/api/v3/template", body=TEMPLATE, headers=header)
    assert added.json == {"message": "success", "status": 1, "data": True}
    return header


def test_a_wrong_password_is_minus_two(node: Served) -> None:
    for body in ({"username": "admin", "password": "no"}, {"username": "88.1/none", "password": "x"}):
        reply = node.ask("POST", "/identity/token", body=body)
        assert reply.status == 200
        assert reply.json == {"message": "用户名/密码错误！", "status": -2, "data": None}


def test_the_password_of_the_day(node: Served) -> None:
    first = hashlib.sha256(PASSWORD.encode()).hexdigest()
    today = hashlib.sha256((first + datetime.now(UTC).strftime("%Y-%m-%d")).encode()).hexdigest()
    good = node.ask("POST", "/identity/token/v1", body={"username": IDENTITY, "password": today})
    assert good.json["data"]["token"]
    old = hashlib.sha256((first + "2019-08-15").encode()).hexdigest()
    assert node.ask("POST", "/identity/token/v1", body={"username": IDENTITY, "password": old}).json["status"] == -2


def test_detail_needs_a_token_and_a_handle(node: Served, token: dict[str, str]) -> None:
    assert node.ask("GET", f"/identityv2/data/detail?handle={THING}").json["status"] == -1
    missing = node.ask("GET", "/identityv2/data/detail", headers=token)
    assert missing.json == {"message": "缺少必要的请求参数: handle", "status": -2, "data": None}
    none = node.ask("GET", f"/identityv2/data/detail?handle={PREFIX}/none", headers=token)
    assert (none.json["message"], none.json["status"]) == ("没有找到标识", -2)


def test_register_ask_update_delete(node: Served, token: dict[str, str]) -> None:
    path, name = "/identityv2/data", f"{PREFIX}/xx002"
    made = node.ask(
        "POST",
        path,
        body=entry("xx002", value(2000, "URL", "www.a.com"), value(2001, "name", "小型机械01")),
        headers=token,
    )
    assert made.json == {"message": "success", "status": 1, "data": True}
    again = node.ask("POST", path, body=entry("xx002"), headers=token)
    assert again.json == {"message": "标识已存在", "status": -2, "data": None}
    data = node.ask("GET", f"/identityv2/data/detail?handle={name}", headers=token).json["data"]
    assert (data["code"], data["prefix"], data["handle"], data["templateVersion"]) == ("200", PREFIX, name, "1.0.0")
    assert {(item["index"], item["type"], item["data"]["value"]) for item in data["value"]} == {
        (2000, "URL", "www.a.com"), (2001, "name", "小型机械01"), (1000, "TEMPLATE_ID", f"{PREFIX}/META_1.0.0"),
        (1001, "TEMPLATE", "1.0.0"),
    }  # fmt: skip
    assert {item["data"]["format"] for item in data["value"]} == {"string"}
    assert (
        node.ask("PUT", path, body=entry("xx002", value(2000, "URL", "www.b.com")), headers=token).json["data"] is True
    )
    data = node.ask("GET", f"/identityv2/data/detail?handle={name}", headers=token).json["data"]
    assert "www.b.com" in {item["data"]["value"] for item in data["value"]}
    assert node.ask("DELETE", path, body={"handle": name}, headers=token).json["data"] is True
    gone = node.ask("DELETE", path, body={"handle": name}, headers=token)
    assert gone.json == {"message": "没有找到标识", "status": -2, "data": None}


def test_values_follow_template_and_permission(node: Served, token: dict[str, str]) -> None:
    body = entry("private", value(2000, "URL", "www.a.com"), value(2002, "cost", HIDDEN))
    assert node.ask("POST", "/identityv2/data", body=body, headers=token).json["data"] is True
    assert HIDDEN.encode() not in node.ask("GET", f"/api/handles/{PREFIX}/private").body
    assert (
        HIDDEN.encode()
        not in node.ask("GET", f"/api/v1/doip?targetId={PREFIX}/private&operationId=0.DOIP/Op.Retrieve").body
    )
    shown = node.ask("GET", f"/identityv2/data/detail?handle={PREFIX}/private", headers=token)
    assert HIDDEN.encode() in shown.body
    other = node.ask("POST", "/identity/token", body={"username": f"300:{ADMIN}X", "password": PASSWORD}).json
    assert other["status"] == -2


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (entry("w", value(1000, "x", "y")), "非法操作，索引1000在模板中不存在"),
        (entry("w", value(1001, "TEMPLATE", "y")), "索引1001为预留索引"),
        (entry("w", value(2001, "URL", "y")), "非法操作，索引2001在模板中不存在"),
        (entry("w", value(2001, "name", "y")), "URL (地址) is missing"),
        (entry("w", value(2000, "URL", "y" * 41)), "41 characters"),
        (entry("w", value(2000, "URL", "y"), value(2002, "cost", "1", "1")), "by more than the template allows"),
        (entry("w", value(2000, "URL", "y", "7")), "权限码"),
        (entry("w", version="none"), "模板不存在"),
        ({"handle": "no slash", "templateVersion": "1.0.0", "value": []}, "标识格式异常"),
        ({"handle": "1/2"}, "templateVersion must be text"),
        ({"handle": f"{PREFIX}/w", "templateVersion": "1.0.0", "value": 1}, "value 不是数组"),
        (
            {"handle": f"{PREFIX}/w", "templateVersion": "1.0.0", "value": [{"index": 1, "data": {"format": "x"}}]},
            "只支持string",
        ),
        ([], "JSON object was expected"),
    ],
)
def test_what_is_wrong_is_said(node: Served, token: dict[str, str], body: object, words: str) -> None:
    reply = node.ask("POST", "/identityv2/data", body=body, headers=token)
    assert reply.status == 200
    assert reply.json["status"] == -2
    assert reply.json["data"] is None
    assert words in reply.json["message"]


def test_batches_tell_of_each(node: Served, token: dict[str, str]) -> None:
    base = "/identityv2/data/"
    body = [entry("b1"), entry("b1"), entry("b2", value(9, "x", "y")), 7, entry("b3")]
    rows = node.ask("POST", base + "batchCreate", body=body, headers=token).json
    assert (rows["message"], rows["status"]) == ("success", 1)
    assert [row["msg"] for row in rows["data"]][:2] == ["success", "标识已存在"]
    assert rows["data"][2]["handle"] == f"{PREFIX}/b2"
    assert "索引9在模板中不存在" in rows["data"][2]["msg"]
    assert rows["data"][4] == {"handle": f"{PREFIX}/b3", "msg": "success"}
    updated = node.ask("PUT", base + "batchUpdate", body=[entry("b1"), entry("none")], headers=token).json["data"]
    assert [row["msg"] for row in updated] == ["success", "没有找到标识"]
    names = [f"{PREFIX}/b1", f"{PREFIX}/b1", f"{PREFIX}/b3", 5]
    deleted = node.ask("DELETE", base + "batchDelete", body=names, headers=token).json["data"]
    assert [(row["code"], row["msg"]) for row in deleted][:3] == [(1, "success"), (-2, "标识不存在"), (1, "success")]
    many = node.ask("POST", base + "batchCreate", body=[0] * 2001, headers=token).json
    assert (many["status"], "2000" in many["message"]) == (-2, True)
    assert node.ask("POST", base + "batchCreate", body=[], headers=token).json["data"] == []
    assert node.ask("POST", base + "batchCreate", body=[entry("b9")]).json["status"] == -1


def test_templates(node: Served, token: dict[str, str]) -> None:
    path = f"/snms/api/v3/template?prefix={PREFIX}&version=1.0.0"
    assert node.ask("GET", path).json["status"] == -1
    assert node.ask("GET", path, headers=token).json["data"] == TEMPLATE
    assert (
        node.ask("GET", "/snms/api/v3/template?prefix=1", headers=token).json["message"]
        == "缺少必要的请求参数: version"
    )
    assert node.ask("POST", "/snms/api/v3/template", body=TEMPLATE, headers=token).json["status"] == -2
    second = TEMPLATE | {"version": "2"}
    assert node.ask("POST", "/snms/api/v5/template", body=second, headers=token).json["data"] is True
    assert (
        node.ask("PUT", "/snms/api/v5/template", body=second | {"description": "x"}, headers=token).json["data"] is True
    )
    assert (
        node.ask("DELETE", "/snms/api/v5/template", body={"prefix": PREFIX, "version": "2"}, headers=token).json["data"]
        is True
    )
    bad = TEMPLATE | {"version": "3", "items": [{"name": "x"}]}
    assert node.ask("POST", "/snms/api/v3/template", body=bad, headers=token).json["status"] == -2


def test_unknown_interfaces(node: Served) -> None:
    assert node.ask("GET", "/identityv2/none").status == 404
    assert node.ask("POST", "/identityv2/data/detail", body={}).json["status"] == -2
    assert node.ask("POST", "/identity/token", raw=b"\xff{").json["status"] == -2
    assert node.ask("POST", "/identity/token", raw=b"[" * 200_000).json["status"] == -2


DOIP = "/api/v1/doip"


def doip_token(node: Served, key: SigningKey, name: str = ADMIN) -> dict[str, Any]:
    number = node.ask("GET", f"{DOIP}/public/challenge?handle={name}").json["data"]
    body = {"handle": name, "signature": base64.b64encode(key.sign(number.encode())).decode()}
    reply = node.ask("POST", f"{DOIP}/public/verify-response", body=body).json
    assert isinstance(reply, dict)
    return reply | {"sent": body}


def test_challenge_and_response(node: Served, admin_key: SigningKey) -> None:
    good = doip_token(node, admin_key)
    assert good["code"] == 1
    # The same answer is of no use a second time, and neither is one by another key or name.
    assert node.ask("POST", f"{DOIP}/public/verify-response", body=good["sent"]).json["code"] == 401
    assert doip_token(node, admin_key, THING)["code"] == 401
    wrong = node.ask("GET", f"{DOIP}/public/challenge?handle=noslash").json
    assert wrong == {"code": 40508, "message": "标识格式异常"}


@pytest.mark.usefixtures("token")
def test_doip_operations(node: Served, admin_key: SigningKey) -> None:
    header = {"Authorization": f"Bearer {doip_token(node, admin_key)['data']['token']}"}
    target = f"{DOIP}?targetId={PREFIX}/doip1&operationId=0.DOIP/Op."
    body = {
        "type": f"{PREFIX}/META_1.0.0",
        "attributes": {"content": {"URL": "www.x.com", "name": "水泵", "cost": HIDDEN}},
    }
    assert node.ask("POST", target + "Create", body=body).json == {"code": 401, "message": "没有登录，需要验证"}
    made = node.ask("POST", target + "Create", body=body, headers=header).json
    assert made == {"code": 10000, "message": "成功", "data": body}
    assert node.ask("POST", target + "Create", body=body, headers=header).json["code"] == 105
    anyone = node.ask("GET", target + "Retrieve").json
    assert (anyone["code"], anyone["message"], anyone["data"]["id"]) == (1, "成功", f"{PREFIX}/doip1")
    assert anyone["data"]["type"] == f"{PREFIX}/META_1.0.0"
    assert anyone["data"]["attributes"]["elements"] == [
        {"index": 2000, "type": "URL", "data": "www.x.com", "name": "地址", "dataType": 1},
        {"index": 2001, "type": "name", "data": "水泵", "name": "名称", "dataType": 1},
    ]
    assert set(anyone["data"]["attributes"]["attributes"]["metaData"]) == {"createTime", "updateTime", "creator"}
    assert HIDDEN in str(node.ask("GET", target + "Retrieve", headers=header).json)
    part = {"type": body["type"], "attributes": {"content": {"name": "新水泵"}}}
    assert node.ask("POST", target + "Update", body=part, headers=header).json["code"] == 106
    extend = target.replace("0.DOIP/Op.", "0.DOIP.EXTEND/Op.") + "Update.Non.Overlay"
    assert node.ask("POST", extend, body=part, headers=header).json["code"] == 10000
    assert "新水泵" in str(node.ask("GET", target + "Retrieve").json)
    odd = {"type": body["type"], "attributes": {"content": {"none": "x"}}}
    assert node.ask("POST", target + "Update", body=odd, headers=header).json["code"] == 106
    assert node.ask("POST", target + "Odd", body=body, headers=header).json["code"] == 405
    assert node.ask("POST", target + "Delete", headers=header).json == {"code": 10000, "message": "成功"}
    assert node.ask("POST", target + "Delete", headers=header).json == {"code": 104, "message": "标识对象不存在"}
    meta = node.ask("GET", f"{DOIP}?targetId={PREFIX}/META_1.0.0&operationId=0.DOIP/Op.Retrieve").json["data"]
    assert meta["type"] == "0.TYPE/DO.DOIPMETA"
    assert meta["attributes"]["content"]["itemInfos"][0]["itemBasicInfo"]["itemIndex"] == 2000
    assert node.ask("GET", f"{DOIP}?targetId=1/2").json["code"] == 106
    assert node.ask("GET", f"{DOIP}/odd").status == 404


def test_challenges_are_bounded_and_end() -> None:
    now = [0.0]
    table = Challenges(clock=lambda: now[0])
    numbers = [table.make("88.1/a") for _ in range(40)]
    assert len(table.open("88.1/A")) == 16
    assert set(table.open("88.1/a")) <= set(numbers)
    for number in range(10_050):
        table.make(f"88.1/{number}")
    assert table.open("88.1/a") == ()
    now[0] = 1e3
    assert table.open("88.1/10049") == ()


@pytest.fixture
def open_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("open") / "store") as found:
        yield found


def test_credentials_are_not_taken_where_others_can_listen(open_node: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Client

    def far(_address: str, network: int, *_rest: object, secure: bool = False) -> Client:
        assert not secure
        return made("192.0.2.1", network, secure=False)

    monkeypatch.setattr("xinji.use.identity.serve_http_connection.Client", far)
    reply = open_node.ask("POST", "/identity/token", body={"username": IDENTITY, "password": PASSWORD})
    assert reply.json["status"] == -3
    assert "Use HTTPS" in reply.json["message"]
    basic = {"Authorization": "Basic " + base64.b64encode(f"300%3A{ADMIN}:{PASSWORD}".encode()).decode()}
    refused = open_node.ask("GET", "/api/handles/" + THING, headers=basic)
    assert refused.status == 403
    assert HIDDEN.encode() not in refused.body
    assert open_node.ask("POST", "/api/sessions").status == 403
    assert open_node.ask("GET", "/api/handles/" + THING).status == 200
