"""DOIP for HTTP clients, as Cordra documents it."""

from __future__ import annotations

import base64
import json

import pytest

from support.http_node import ADMIN, HIDDEN, PASSWORD, PREFIX, THING, Served

AUTH = {"Authorization": "Basic " + base64.b64encode(f"300%3A{ADMIN}:{PASSWORD}".encode()).decode()}


def at(operation: str, target: str, **more: str) -> str:
    extra = "".join(f"&{name}={text}" for name, text in more.items())
    return f"/doip?operationId=0.DOIP/Op.{operation}&targetId={target}{extra}"


def test_hello_and_operations(node: Served) -> None:
    hello = node.ask("GET", at("Hello", "service"))
    assert hello.json["type"] == "0.TYPE/DOIPServiceInfo"
    assert hello.json["id"] == "88.123.1/service"
    assert hello.json["attributes"]["protocolVersion"] == "2.0"
    assert json.loads(hello.headers["doip-response"]) == {"status": "0.DOIP/Status.001"}
    assert "0.DOIP/Op.Create" in node.ask("POST", at("ListOperations", "88.123.1/service")).json
    assert "0.DOIP/Op.Retrieve" in node.ask("GET", at("ListOperations", THING)).json
    short = node.ask("GET", f"/doip?o=0.DOIP/Op.Retrieve&t={THING}")
    assert short.json["id"] == THING


def test_create_retrieve_update_delete(node: Served) -> None:
    name = f"{PREFIX}/object"
    value = {"index": 1, "type": "NAME", "data": {"format": "string", "value": "泵"}}
    hidden = {"index": 2, "type": "COST", "data": {"format": "string", "value": HIDDEN}, "permissions": "1100"}
    body = {"id": name, "type": "0.TYPE/Pump", "attributes": {"values": [value, hidden]}}
    assert node.ask("POST", at("Create", "service"), body=body).status == 401
    made = node.ask("POST", at("Create", "service"), body=body, headers=AUTH)
    assert made.status == 200
    assert (made.json["id"], made.json["type"]) == (name, "0.TYPE/Pump")
    again = node.ask("POST", at("Create", "service"), body=body, headers=AUTH)
    assert again.status == 409
    assert json.loads(again.headers["doip-response"])["status"] == "0.DOIP/Status.105"
    public = node.ask("GET", at("Retrieve", name))
    assert public.json["attributes"]["values"][0]["data"] == value["data"]
    assert HIDDEN.encode() not in public.body
    assert HIDDEN.encode() in node.ask("GET", at("Retrieve", name), headers=AUTH).body
    changed = {"attributes": {"values": [value | {"data": "新"}]}}
    assert node.ask("POST", at("Update", name), body=changed).status == 401
    assert node.ask("POST", at("Update", name), body=changed, headers=AUTH).status == 200
    assert node.ask("GET", at("Retrieve", name)).json["attributes"]["values"][0]["data"]["value"] == "新"
    assert node.ask("GET", at("Delete", name), headers=AUTH).status == 400
    assert node.ask("POST", at("Delete", name), headers=AUTH).status == 200
    assert node.ask("GET", at("Retrieve", name)).status == 404


def test_search_by_beginning_is_for_administrators(node: Served) -> None:
    path = at("Search", "service", query=f"id:{PREFIX}/pum*")
    assert node.ask("GET", path).status == 401
    found = node.ask("GET", path, headers=AUTH).json
    assert [name.lower() for name in found["results"]] == [THING.lower()]
    declined = node.ask("GET", at("Search", "service", query="NAME:x"), headers=AUTH)
    assert json.loads(declined.headers["doip-response"])["status"] == "0.DOIP/Status.200"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/doip", 400),
        ("GET", "/doip?operationId=0.DOIP/Op.Hello", 400),
        ("GET", at("Nothing", "service"), 400),
        ("GET", at("Hello", THING), 400),
        ("GET", at("Retrieve", f"{PREFIX}/none"), 404),
        ("GET", at("Retrieve", "noslash"), 400),
        ("POST", at("Create", "service"), 400),
        ("PUT", at("Update", THING), 405),
        ("GET", "/doip/x", 404),
        ("GET", "/doip?operationId=%ff&targetId=1", 400),
    ],
)
def test_errors(node: Served, method: str, path: str, status: int) -> None:
    reply = node.ask(method, path, headers=AUTH)
    assert reply.status == status
    assert reply.json["message"]
    assert json.loads(reply.headers["doip-response"])["status"].startswith("0.DOIP/Status.")
