from __future__ import annotations

import base64
import hashlib
import json
import logging
from http.client import HTTPConnection
from urllib.parse import quote

import pytest

from support.http_node import ADMIN, HIDDEN, IDENTITY, PASSWORD, PREFIX, THING, Served
from xinji.use.identity import value_data as hs
from xinji.use.identity.keys import Secret, SigningKey, prove_secret

BASIC = "Basic " + base64.b64encode(f"{quote(IDENTITY, safe='')}:{PASSWORD}".encode()).decode()
AUTH = {"Authorization": BASIC}
API = "/api/handles/"


def values(reply_json: dict[str, object]) -> dict[int, dict[str, object]]:
    found = reply_json["values"]
    assert isinstance(found, list)
    return {value["index"]: value for value in found}


def test_a_record_as_handle_net_writes_it(node: Served) -> None:
    reply = node.ask("GET", API + THING)
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json;charset=UTF-8"
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.json["responseCode"] == 1
    assert reply.json["handle"] == THING
    found = values(reply.json)
    assert set(found) == {1, 2, 4, 100}
    assert found[2]["data"] == {"format": "string", "value": "一号水泵"}
    assert found[4]["data"] == {"format": "base64", "value": base64.b64encode(bytes(range(256))).decode()}
    assert found[100]["data"] == {
        "format": "admin",
        "value": {"handle": ADMIN, "index": 300, "permissions": "1" * 12},
    }
    assert found[1]["ttl"] == 86400
    assert str(found[1]["timestamp"]).endswith("Z")


def test_case_of_ascii_letters_is_one(node: Served) -> None:
    assert node.ask("GET", API + THING.upper()).json["handle"] == THING.upper()


@pytest.mark.parametrize(
    ("query", "indexes"),
    [
        ("?type=URL", {1}),
        ("?type=URL&type=NAME", {1, 2}),
        ("?index=2", {2}),
        ("?index=2&type=url", {1, 2}),
        ("?auth=true&publicOnly", {1, 2, 4, 100}),
        ("?pretty=true", {1, 2, 4, 100}),
    ],
)
def test_filters(node: Served, query: str, indexes: set[int]) -> None:
    reply = node.ask("GET", API + THING + query)
    assert set(values(reply.json)) == indexes
    assert (b"\n" in reply.body) == ("pretty" in query)


def test_scripts_get_a_call(node: Served) -> None:
    reply = node.ask("GET", API + THING + "?callback=a.b(1)%3Balert")
    assert reply.headers["content-type"].startswith("application/javascript")
    assert reply.body.startswith(b"a_b_1__alert({")
    assert reply.body.endswith(b"});")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"{PREFIX}/none", 404, 100),
        ("no-slash", 400, 102),
        ("", 400, 102),
        (f"{THING}?index=99", 200, 200),
        (f"{THING}?index=x", 400, 4),
        (f"{THING}?index=99999999999", 400, 4),
        (f"{THING}?index=3", 401, 402),
        ("88.1/%ff%fe", 400, 4),
        (f"{PREFIX}/" + "x" * 300, 400, 102),
    ],
)
def test_codes_and_statuses(node: Served, path: str, status: int, code: int) -> None:
    reply = node.ask("GET", API + path)
    assert (reply.status, reply.json["responseCode"]) == (status, code)


def test_values_not_found_have_an_empty_list(node: Served) -> None:
    assert node.ask("GET", f"{API}{THING}?type=NONE").json["values"] == []


def test_private_values_need_the_administrator(node: Served) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}, {"Authorization": "Nonsense"}):
        reply = node.ask("GET", API + THING, headers=headers)
        assert HIDDEN.encode() not in reply.body
        assert reply.status == (401 if headers else 200)
    shown = values(node.ask("GET", API + THING, headers=AUTH).json)
    assert shown[3]["data"] == {"format": "string", "value": HIDDEN}
    assert shown[3]["permissions"] == "1100"
    hidden = node.ask("GET", API + THING + "?publicOnly=true", headers=AUTH)
    assert HIDDEN.encode() not in hidden.body
    secret = node.ask("GET", API + ADMIN)
    assert PASSWORD.encode() not in secret.body
    assert PASSWORD.encode() not in node.ask("GET", API + ADMIN + "?index=300").body


def test_a_refused_login_asks_again(node: Served) -> None:
    reply = node.ask("PUT", f"{API}{PREFIX}/x", body=[])
    assert reply.status == 401
    asked = [value for name, value in reply.all_headers if name.lower() == "www-authenticate"]
    assert asked[0] == 'Basic realm="handle"'
    assert asked[1].startswith('Handle sessionId="')


def test_put_adds_changes_and_refuses_mismatches(node: Served) -> None:
    path = f"{API}{PREFIX}/put"
    value = {"index": 1, "type": "URL", "data": "https://a.example/"}
    admin = {"index": 100, "type": "HS_ADMIN", "data": {"format": "admin", "value": {
        "handle": ADMIN, "index": 300, "permissions": "111111111111"}}}  # fmt: skip
    assert node.ask("PUT", path + "?overwrite=false", body={"values": [value, admin]}, headers=AUTH).status == 201
    again = node.ask("PUT", path + "?overwrite=false", body=[value], headers=AUTH)
    assert (again.status, again.json["responseCode"]) == (409, 101)
    assert node.ask("PUT", path + "?index=various", body=[{**value, "index": 2}], headers=AUTH).status == 200
    clash = node.ask("PUT", path + "?index=2&overwrite=false", body={**value, "index": 2}, headers=AUTH)
    assert (clash.status, clash.json["responseCode"]) == (409, 201)
    wrong = node.ask("PUT", path + "?index=5", body=[value], headers=AUTH)
    assert (wrong.status, wrong.json["responseCode"]) == (400, 4)
    assert node.ask("PUT", path, body={"handle": "1/2", "values": [value]}, headers=AUTH).status == 400
    assert node.ask("PUT", path, raw=b"{}", headers=AUTH).status == 400
    assert set(values(node.ask("GET", path).json)) == {1, 2, 100}
    assert node.ask("DELETE", path + "?index=2", headers=AUTH).status == 200
    assert set(values(node.ask("GET", path).json)) == {1, 100}
    assert node.ask("DELETE", path + "?index=2", headers=AUTH).status == 400
    assert node.ask("DELETE", path, headers=AUTH).status == 200
    assert node.ask("DELETE", path, headers=AUTH).status == 404


def test_every_form_of_data_comes_back(node: Served, admin_key: SigningKey) -> None:
    path = f"{API}{PREFIX}/forms"
    site = hs.Site(
        (hs.Server(1, "192.0.2.1", admin_key.public, (hs.Interface(3, 1, 2641),)),), attributes=(("desc", "x"),)
    )
    encoded_site = base64.b64encode(hs.encode_site(site)).decode()
    cited = [{"handle": THING, "index": 1}]
    shown_key = values(node.ask("GET", API + ADMIN).json)[301]["data"]
    sent = [
        {"index": 1, "type": "A", "data": {"format": "string", "value": 'ä\n"\\'}, "ttl": 60, "permissions": "1110"},
        {"index": 2, "type": "B", "data": {"format": "base64", "value": "AAECAw=="}},
        {"index": 3, "type": "C", "data": {"format": "hex", "value": "00ff"}, "permissions": "0010"},
        {"index": 4, "type": "HS_VLIST", "data": {"format": "vlist", "value": [{"handle": ADMIN, "index": 300}]}},
        {"index": 5, "type": "HS_PUBKEY", "data": shown_key},
        {"index": 6, "type": "HS_SITE", "data": {"format": "base64", "value": encoded_site}},
        {"index": 7, "type": "D", "data": "x", "ttl": "2030-01-31T00:00:00Z", "references": cited},
    ]  # fmt: skip
    assert node.ask("PUT", path, body=sent, headers=AUTH).status == 200
    found = values(node.ask("GET", path).json)
    assert found[1]["data"] == sent[0]["data"]
    assert found[1]["ttl"] == 60
    assert found[2]["data"] == sent[1]["data"]
    assert found[3]["data"] == {"format": "base64", "value": "AP8="}
    assert found[3]["permissions"] == "0010"
    assert found[4]["data"] == sent[3]["data"]
    assert found[5]["data"] == shown_key
    shown_site = found[6]["data"]
    assert isinstance(shown_site, dict)
    assert shown_site["format"] == "site"
    assert shown_site["value"]["servers"][0]["interfaces"][0] == {
        "query": True, "admin": True, "protocol": "TCP", "port": 2641}  # fmt: skip
    assert found[7]["ttl"] == "2030-01-31T00:00:00Z"
    assert found[7]["references"] == [{"handle": THING, "index": 1}]
    # What was shown can be sent back: a second record of it is the same.
    again = f"{API}{PREFIX}/forms2"
    assert node.ask("PUT", again, body=list(found.values()), headers=AUTH).status == 200
    second = values(node.ask("GET", again).json)
    assert [v["data"] for v in second.values()] == [v["data"] for v in found.values()]


@pytest.mark.parametrize(
    "value",
    [
        {"index": 0, "type": "A", "data": "x"},
        {"index": "x", "type": "A", "data": "x"},
        {"index": 1, "type": "", "data": "x"},
        {"index": 1, "type": "A", "data": None},
        {"index": 1, "type": "A", "data": {"format": "odd", "value": "x"}},
        {"index": 1, "type": "A", "data": {"format": "base64", "value": "!"}},
        {"index": 1, "type": "A", "data": {"format": "hex", "value": "0"}},
        {
            "index": 1,
            "type": "A",
            "data": {"format": "admin", "value": {"handle": "1/2", "index": 1, "permissions": "2"}},
        },
        {"index": 1, "type": "A", "data": {"format": "site", "value": {"servers": [{"address": "nowhere"}]}}},
        {"index": 1, "type": "A", "data": {"format": "key", "value": {"kty": "EC"}}},
        {"index": 1, "type": "A", "data": "x", "ttl": -1},
        {"index": 1, "type": "A", "data": "x", "ttl": "soon"},
        {"index": 1, "type": "A", "data": "x", "permissions": "9"},
        {"index": 1, "type": "A", "data": "x", "references": [1]},
        {"index": 1, "type": "HS_SECKEY", "data": "x", "permissions": "1110"},
        {"index": 1, "type": "A", "data": "\ud800"},
        [1],
    ],
)
def test_values_of_a_wrong_form_are_refused_with_their_reason(node: Served, value: object) -> None:
    reply = node.ask("PUT", f"{API}{PREFIX}/wrong", body=[value], headers=AUTH)
    assert reply.status == 400
    assert reply.json["responseCode"] in (4, 202)
    assert reply.json["message"]


def test_a_secret_key_is_private_unless_told(node: Served) -> None:
    path = f"{API}{PREFIX}/secret"
    body = [{"index": 1, "type": "HS_SECKEY", "data": "hush"}, {"index": 2, "type": "A", "data": "x"}]
    assert node.ask("PUT", path, body=body, headers=AUTH).status == 200
    assert b"hush" not in node.ask("GET", path).body


def test_listing_is_for_administrators(node: Served) -> None:
    assert node.ask("GET", f"/api/handles?prefix={PREFIX}").status == 401
    reply = node.ask("GET", f"/api/handles?prefix={PREFIX}", headers=AUTH)
    assert THING.lower() in {name.lower() for name in reply.json["handles"]}
    assert int(reply.json["totalCount"]) == len(reply.json["handles"])
    paged = node.ask("GET", f"/api/handles?prefix={PREFIX}&page=1&pageSize=1", headers=AUTH)
    assert paged.json["handles"] == reply.json["handles"][1:2]
    assert paged.json["pageSize"] == 1
    assert node.ask("GET", f"/api/handles?prefix={PREFIX}&page=9999999&pageSize=100", headers=AUTH).status == 501


def challenge(node: Served) -> tuple[str, bytes]:
    found = node.ask("POST", "/api/sessions").json
    return found["sessionId"], base64.b64decode(found["nonce"])


def handle_header(session: str, cnonce: bytes, kind: str, index: int, alg: str, signature: bytes) -> dict[str, str]:
    b64 = [base64.b64encode(part).decode() for part in (cnonce, signature)]
    return {
        "Authorization": f'Handle sessionId="{session}", cnonce="{b64[0]}", id="{index}:{ADMIN}", type="{kind}", '
        f'alg="{alg}", signature="{b64[1]}"'
    }


def test_a_challenge_signed_with_the_key_opens_a_session(node: Served, admin_key: SigningKey) -> None:
    session, nonce = challenge(node)
    cnonce = b"c" * 16
    signed = handle_header(session, cnonce, "HS_PUBKEY", 301, "SHA256", admin_key.sign(nonce + cnonce))
    assert HIDDEN.encode() in node.ask("GET", API + THING, headers=signed).body
    # The session goes on without a new proof; the proof itself is spent.
    assert (
        HIDDEN.encode() in node.ask("GET", API + THING, headers={"Authorization": f'Handle sessionId="{session}"'}).body
    )
    assert node.ask("GET", API + THING, headers=signed).status == 401
    shown = node.ask("GET", "/api/sessions/this", headers={"Authorization": f'Handle sessionId="{session}"'}).json
    assert shown == {"sessionId": session, "authenticated": True, "id": f"301:{ADMIN}"}
    assert (
        node.ask("DELETE", "/api/sessions/this", headers={"Authorization": f'Handle sessionId="{session}"'}).status
        == 204
    )
    assert node.ask("GET", API + THING, headers={"Authorization": f'Handle sessionId="{session}"'}).status == 401


def test_a_challenge_answered_with_the_secret(node: Served) -> None:
    session, nonce = challenge(node)
    mac = prove_secret(Secret(PASSWORD.encode()), nonce + b"cc")[1:]
    signed = handle_header(session, b"cc", "HS_SECKEY", 300, "HMAC-SHA256", mac)
    assert HIDDEN.encode() in node.ask("GET", API + THING, headers=signed).body
    session, nonce = challenge(node)
    plain = hashlib.sha1(PASSWORD.encode() + nonce + b"cc" + PASSWORD.encode()).digest()  # noqa: S324
    signed = handle_header(session, b"cc", "HS_SECKEY", 300, "SHA-1", plain)
    put = node.ask("PUT", "/api/sessions/this", headers=signed)
    assert put.json["authenticated"] is True


@pytest.mark.parametrize(
    "header",
    [
        'Handle sessionId="none"',
        "Handle",
        "Handle ,,,",
        'Handle sessionId="{s}", cnonce="!!", id="301:x/y", type="HS_PUBKEY", alg="SHA256", signature="AA=="',
        'Handle sessionId="{s}", cnonce="AA==", id="", type="HS_PUBKEY", alg="SHA256", signature="AA=="',
        'Handle sessionId="{s}", cnonce="AA==", id="301:88.123.1/ADMIN", type="ODD", alg="SHA256", signature="AA=="',
        'Handle sessionId="{s}", cnonce="AA==", id="301:88.123.1/ADMIN", type="HS_PUBKEY", alg="MD5", signature="AA=="',
        'Handle sessionId="{s}", cnonce="AA==", id="300:88.123.1/ADMIN", type="HS_SECKEY", alg="PBKDF2-HMAC-SHA1"',
        'Handle clientCert="true"',
        "Basic",
        "Basic ====",
        "Bearer " + "a" * 3000,
    ],
)
def test_forged_proofs_are_401(node: Served, header: str) -> None:
    session, _ = challenge(node)
    reply = node.ask("GET", API + THING, headers={"Authorization": header.replace("{s}", session)})
    assert reply.status == 401
    assert HIDDEN.encode() not in reply.body


def test_options_and_head(node: Served) -> None:
    options = node.ask("OPTIONS", API + THING)
    assert options.status == 204
    assert "PUT" in options.headers["access-control-allow-methods"]
    assert "Authorization" in options.headers["access-control-allow-headers"]
    head, get = node.ask("HEAD", API + THING), node.ask("GET", API + THING)
    assert head.body == b""
    assert head.headers["content-length"] == str(len(get.body))
    assert node.ask("POST", API + THING).status == 405
    assert node.ask("GET", "/api/handlesX/1/2").status == 400


def test_secrets_stay_out_of_logs(node: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    node.ask("GET", API + THING, headers=AUTH)
    node.ask("PUT", f"{API}{PREFIX}/log", body=[{"index": 1, "type": "HS_SECKEY", "data": "hush-hush"}], headers=AUTH)
    node.ask("GET", API + THING, headers={"Authorization": "Basic " + base64.b64encode(b"a:hush-hush").decode()})
    assert "hush-hush" not in caplog.text
    assert PASSWORD not in caplog.text
    assert BASIC not in caplog.text


def test_many_requests_on_one_connection(node: Served) -> None:
    connection = HTTPConnection(node.host, node.port, timeout=10)
    for _ in range(50):
        connection.request("GET", API + THING)
        assert json.loads(connection.getresponse().read())["responseCode"] == 1
    connection.close()
