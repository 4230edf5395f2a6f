"""pyhandle, a client that others wrote, against a node."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from pyhandle.client.resthandleclient import RESTHandleClient  # type: ignore[import-untyped]
from pyhandle.handleexceptions import (  # type: ignore[import-untyped]
    HandleAlreadyExistsException,
    HandleAuthenticationError,
    HandleNotFoundException,
)

from support.http_node import HIDDEN, IDENTITY, PASSWORD, PREFIX, THING, Served

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def client(node: Served) -> Iterator[RESTHandleClient]:
    made = RESTHandleClient.instantiate_with_username_and_password(
        node.url, IDENTITY, PASSWORD, handleowner=IDENTITY, HTTPS_verify=False
    )
    yield made
    made._RESTHandleClient__handlesystemconnector._HandleSystemConnector__session.close()


def test_it_reads(client: RESTHandleClient) -> None:
    record = client.retrieve_handle_record_json(THING)
    assert record["responseCode"] == 1
    assert client.get_value_from_handle(THING, "NAME") == "一号水泵"
    assert client.retrieve_handle_record(THING)["URL"] == "https://assets.example/pump-7"
    assert HIDDEN not in json.dumps(record)
    assert client.retrieve_handle_record_json(f"{PREFIX}/none") is None


def test_it_creates_modifies_and_deletes(client: RESTHandleClient) -> None:
    handle = f"{PREFIX}/made-by-pyhandle"
    assert client.register_handle(handle, "https://a.example/1", NAME="阀门", STATE="built") == handle
    assert client.get_value_from_handle(handle, "URL") == "https://a.example/1"
    with pytest.raises(HandleAlreadyExistsException):
        client.register_handle(handle, "https://a.example/2")
    client.register_handle(handle, "https://a.example/2", overwrite=True, STATE="built")
    client.modify_handle_value(handle, STATE="in_use", PLACE="120.4,31.5")
    assert client.get_value_from_handle(handle, "STATE") == "in_use"
    assert client.get_value_from_handle(handle, "PLACE") == "120.4,31.5"
    client.delete_handle_value(handle, "STATE")
    assert client.get_value_from_handle(handle, "STATE") is None
    assert client.delete_handle(handle)
    with pytest.raises(HandleNotFoundException):
        client.modify_handle_value(handle, STATE="x")
    assert client.retrieve_handle_record_json(handle) is None


def test_it_generates_names(client: RESTHandleClient) -> None:
    handle = client.generate_and_register_handle(PREFIX, "https://a.example/g")
    assert client.get_value_from_handle(handle, "URL") == "https://a.example/g"


def test_it_takes_a_list_of_entries(client: RESTHandleClient) -> None:
    handle = f"{PREFIX}/entries"
    entries = [
        {"index": 1, "type": "URL", "data": {"format": "string", "value": "https://a.example/e"}},
        {"index": 100, "type": "HS_ADMIN", "data": {"format": "admin", "value": {
            "handle": f"{PREFIX}/ADMIN", "index": 300, "permissions": "011111110011"}}},
    ]  # fmt: skip
    assert client.register_handle_json(handle, entries) == handle
    assert client.retrieve_handle_record_json(handle)["values"][1]["data"]["value"]["permissions"] == "011111110011"


def test_a_wrong_password_is_refused(node: Served) -> None:
    client = RESTHandleClient.instantiate_with_username_and_password(node.url, IDENTITY, "wrong", HTTPS_verify=False)
    with pytest.raises(HandleAuthenticationError):
        client.register_handle(f"{PREFIX}/not", "https://a.example")
    with pytest.raises(HandleAuthenticationError):
        client.delete_handle(THING)
    client._RESTHandleClient__handlesystemconnector._HandleSystemConnector__session.close()
