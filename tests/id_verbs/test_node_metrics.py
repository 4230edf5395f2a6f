"""What a node tells of itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from xinji.use.identity.doirp.codes import OpCode, ResponseCode
from xinji.use.identity.http.faces import site
from xinji.use.identity.http.message import Client, Request, Response
from xinji.use.identity.limits import Allowance, RateLimiter
from xinji.use.identity.metrics import NodeMetrics
from xinji.use.identity.node import Node, NodeSettings
from xinji.use.identity.serve_doirp_connection import Shared
from xinji.use.identity.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "node", create=True) as opened:
        yield opened


def request(path: str, method: str = "GET") -> Request:
    octets = path.encode()
    return Request(method.encode(), octets, b"", {}, b"", Client("127.0.0.1", 1, secure=False, certificate=b""))


def answered(metrics: NodeMetrics, path: str, method: str = "GET") -> Response:
    asked = request(path, method)
    face = next(face for face in metrics.faces() if asked.path.startswith(face.prefixes))
    answer = face.answer(asked)
    assert isinstance(answer, Response)
    return answer


def figures(metrics: NodeMetrics) -> dict[str, float]:
    lines = answered(metrics, "/metrics").body.decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(figure) for name, figure in pairs}


def test_answers_are_counted_by_face_and_status(store: Store) -> None:
    metrics = NodeMetrics(store, RateLimiter(Allowance(1, 1)), clock=lambda: 7.0)
    metrics.name_faces(site(Node(store, NodeSettings()), more=metrics.faces()).faces)
    for number in range(500):
        metrics.hook(request(f"/api/handles/88.1/{number}"), Response(404))
        metrics.hook(request(f"/{number}/x"), Response(200 + number % 2))
    metrics.doirp[OpCode.RESOLUTION, ResponseCode.SUCCESS] += 3
    metrics.doirp[77, 88] += 1
    metrics.doirp[78, 88] += 1
    found = figures(metrics)
    assert found['xinji_http_answers_total{face="/api/handles",status="404"}'] == 500
    assert found['xinji_doirp_answers_total{operation="resolution",response="success"}'] == 3
    assert found['xinji_doirp_answers_total{operation="unknown",response="unknown"}'] == 2
    assert found["xinji_start_time_seconds"] == 7
    assert found["xinji_store_records"] == 0
    # A thousand names have come in, and no more series than there are faces and statuses.
    assert sum(name.startswith("xinji_http_answers_total") for name in found) == 3
    assert not any("cache" in name for name in found)


def test_operations_that_clients_make_up_do_not_grow_the_table() -> None:
    shared = Shared.__new__(Shared)
    shared.counts = Counter()
    for operation in range(1_000, 2_000):
        shared.count(bytes(20) + operation.to_bytes(4, "big") + (4).to_bytes(4, "big") + bytes(16))
    assert dict(shared.counts) == {(-1, 4): 1_000}


def test_health_says_ok_while_the_store_can_be_read(tmp_path: Path) -> None:
    with open_store(tmp_path / "node", create=True) as store:
        metrics = NodeMetrics(store, None)
        good = answered(metrics, "/healthz")
        assert (good.status, json.loads(good.body)) == (200, {"status": "ok", "records": 0})
        assert answered(metrics, "/healthz", "HEAD").status == 200
        assert answered(metrics, "/healthz", "POST").status == 405
        assert answered(metrics, "/metrics", "DELETE").status == 405
        assert answered(metrics, "/metricsx").status == 404
        assert answered(metrics, "/healthz/x").status == 404
