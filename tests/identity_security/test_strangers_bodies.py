"""What strangers send is not worked on before it is known who they are, nor signed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support.secured_node import Secured, admins_key
from xinji.use.identity.client_link import Identity
from xinji.use.identity.errors import IdentifierError
from xinji.use.identity.http.message import UNPROVED_OCTETS, read_json
from xinji.use.identity.keys import SigningKey
from xinji.use.identity.serve_replica import HttpSource

BOMB = b"[" + b"{}," * (UNPROVED_OCTETS // 3) + b"{}]"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of all texts that were read as JSON."""
    lengths: list[int] = []
    loads: Callable[..., object] = json.loads

    def counted(text: str, **options: object) -> object:
        lengths.append(len(text))
        return loads(text, **options)

    monkeypatch.setattr("xinji.use.identity.http.message.json.loads", counted)
    return lengths


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/identity/token"),
        ("POST", "/identityv2/data"),
        ("POST", "/identityv2/data/batchCreate"),
        ("POST", "/api/v1/doip/public/verify-response"),
        ("POST", "/api/v1/doip?operationId=0.DOIP/Op.Create&targetId=88.123.1/x"),
        ("POST", "/api/sessions"),
        ("PUT", "/api/handles/88.123.1/x"),
        ("POST", "/doip?operationId=0.DOIP/Op.Create&targetId=88.123.1/service"),
    ],
)
def test_a_long_body_of_a_stranger_is_not_read(node: Secured, read: list[int], method: str, path: str) -> None:
    answer = node.http(method, path, body=BOMB, headers=JSON)
    assert 400 <= answer.status < 500 or b'"status":1' not in answer.body.replace(b" ", b"")
    assert not [length for length in read if length > UNPROVED_OCTETS]


def test_who_is_known_may_send_more() -> None:
    assert read_json(BOMB, proved=True)
    with pytest.raises(IdentifierError, match=str(UNPROVED_OCTETS)):
        read_json(BOMB)
    assert read_json(b"[" + b" " * (UNPROVED_OCTETS - 2) + b"]") == []


@pytest.mark.parametrize("between", ["X", "!", "%2F", "\\"])
def test_a_path_beside_the_interface_gives_no_record(node: Secured, between: str) -> None:
    handle = next(record.handle for record in node.held() if record.handle.startswith("88.123.1/"))
    assert node.http("GET", f"/api/handles/{handle}").status == 200
    assert node.http("GET", f"/api/handles{between}{handle}").status != 200


@contextmanager
def false_primary(number: object) -> Iterator[str]:
    """Serve something that asks to have ``number`` signed; gives its address."""

    class Face(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            octets = json.dumps({"status": 1, "data": number}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            self.wfile.write(octets)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Face)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    "number", ["eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIzMDA6ODguMS9BRE1JTiJ9", "", "A" * 32, "0" * 33, {"a": 1}, None]
)
def test_a_replica_signs_nothing_but_numbers(monkeypatch: pytest.MonkeyPatch, number: object) -> None:
    signed: list[bytes] = []

    def sign(_: SigningKey, octets: bytes) -> bytes:
        signed.append(octets)
        return b""

    monkeypatch.setattr(SigningKey, "sign", sign)
    with false_primary(number) as url, pytest.raises(IdentifierError, match="asks to have signed"):
        HttpSource(url, Identity("88.123.1/ADMIN", 300, admins_key()))._log_in()
    assert not signed
