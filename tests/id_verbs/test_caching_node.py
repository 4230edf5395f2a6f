"""A node that answers for others' identifiers too, over HTTP and DO-IRP."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from xinji.use.identity.changes import Change
from xinji.use.identity.client_link import Address, Answered, Asked, ask
from xinji.use.identity.doirp.bodies import Elements, Query
from xinji.use.identity.doirp.codes import OpCode, OpFlag, ResponseCode
from xinji.use.identity.doirp.message import Header
from xinji.use.identity.node import Node, NodeSettings
from xinji.use.identity.record import PRIVATE, Value
from xinji.use.identity.serve import Serving, start
from xinji.use.identity.store import Store, open_store
from xinji.workflow.identity import site_at

THING = "88.7/pump"
VALUES = (
    Value(index=1, type="NAME", data="泵".encode()),
    Value(index=2, type="COST", data=b"hidden", permissions=PRIVATE),
)


async def http(port: int, path: str) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


async def doirp(port: int, handle: str, flags: int, *types: str) -> Answered:
    return await ask(
        Address("127.0.0.1", port), Asked(Header(OpCode.RESOLUTION, flags=flags), Query(handle, (), types))
    )


async def compare(own: Store, others: Store) -> None:
    """Ask a caching node for what another one serves, then once more when that one is gone."""
    theirs = Node(others, NodeSettings(prefixes=("88.7",)))
    far, far_http = await start(theirs, Serving(doirp_port=0, http_port=0))
    root = site_at(Address("127.0.0.1", far.port))
    near, near_http = await start(
        Node(own, NodeSettings(prefixes=("88.8",))), Serving(doirp_port=0, http_port=0, root=root)
    )
    recursive = OpFlag.REC | OpFlag.PO
    try:
        status, body = await http(near_http.port, f"/api/handles/{THING}")
        assert status == 200
        found: dict[str, Any] = json.loads(body)
        assert (found["responseCode"], found["handle"]) == (1, THING)
        assert [value["data"]["value"] for value in found["values"]] == ["泵"]
        assert b"hidden" not in body
        assert (await http(near_http.port, "/api/handles/88.7/none"))[0] == 404
        assert (await http(near_http.port, "/api/handles/88.8/none"))[0] == 404
        assert (await http(near_http.port, f"/api/handles/{THING}?auth=true"))[0] == 400
        plain = await doirp(near.port, THING, OpFlag.PO)
        assert plain.code == ResponseCode.SERVER_NOT_RESP
        assert (await doirp(near.port, THING, recursive | OpFlag.AT)).code == ResponseCode.SERVER_NOT_RESP
        await far.stop(1.0)
        # What is kept is answered without the other node.
        told = await doirp(near.port, THING, recursive, "NAME")
        assert told.code == ResponseCode.SUCCESS
        assert isinstance(told.body, Elements)
        assert [value.data.decode() for value in told.body.values] == ["泵"]
        assert (await doirp(near.port, "88.7/none", recursive)).code == ResponseCode.ID_NOT_FOUND
        status, body = await http(near_http.port, f"/api/handles/{THING}?type=EMAIL")
        assert (status, json.loads(body)["responseCode"]) == (200, 200)
        # What is not is an error in the protocol's own form.
        status, body = await http(near_http.port, "/api/handles/88.7/other")
        assert (status, json.loads(body)["responseCode"]) == (500, 2)
        assert (await doirp(near.port, "88.7/other", recursive)).code == ResponseCode.ERROR
        _, text = await http(near_http.port, "/metrics")
        assert b'xinji_cache_answers_total{kind="hit"} 2.0' in text
        assert b'xinji_cache_answers_total{kind="absent"} 1.0' in text
        assert b"xinji_cache_records 2.0" in text
    finally:
        for server in (far_http, near, near_http):
            await server.stop(1.0)


@pytest.mark.filterwarnings("default::ResourceWarning")
def test_it_asks_once_and_answers_from_what_it_keeps(tmp_path: Path) -> None:
    with open_store(tmp_path / "own", create=True) as own, open_store(tmp_path / "others", create=True) as others:
        others.apply(Change("create", THING, VALUES))
        asyncio.run(compare(own, others))
