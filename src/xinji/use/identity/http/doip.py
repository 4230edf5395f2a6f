"""``/doip``: the DOIP interface for HTTP clients over the node's records.

Source: DOIP specification v2.0 (DONA Foundation, 2018); Cordra documentation, "DOIP API for HTTP Clients".
A record is a digital object: its ``attributes`` hold ``values`` in the form of Handle.Net's HTTP interface, so
that nothing of it is lost either way.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from xinji.errors import XinjiError
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.http.login import Login
from xinji.use.identity.http.message import (
    Face,
    Headers,
    Json,
    Later,
    Request,
    Response,
    member_text,
    object_of,
    parameters,
    read_json,
    said,
    write_json,
)
from xinji.use.identity.http.node_calls import list_handles, submit
from xinji.use.identity.http.value_json import value_from_json, values_json
from xinji.use.identity.names import check_handle, fold
from xinji.use.identity.node import Node
from xinji.use.identity.record import Value, encode_values
from xinji.use.identity.trust import Requester, Standing
from xinji.use.identity.value_data import ADMIN, Admin, encode_admin

PREFIX = b"/doip"
HELLO, LIST_OPERATIONS = "0.DOIP/Op.Hello", "0.DOIP/Op.ListOperations"
RETRIEVE, CREATE = "0.DOIP/Op.Retrieve", "0.DOIP/Op.Create"
UPDATE, DELETE, SEARCH = "0.DOIP/Op.Update", "0.DOIP/Op.Delete", "0.DOIP/Op.Search"
SERVICE_OPERATIONS = (HELLO, LIST_OPERATIONS, CREATE, SEARCH)
OBJECT_OPERATIONS = (LIST_OPERATIONS, RETRIEVE, UPDATE, DELETE)
_CHANGES = (CREATE, UPDATE, DELETE)
TYPE = "TYPE"
"""Type of the value that names a digital object's type; without one it is ``DEFAULT_TYPE``."""
DEFAULT_TYPE = "0.TYPE/DO.Record"
_PAGE = 1_000
ADMIN_INDEX = 100
"""Index of the first administrator, by convention."""
OK = "0.DOIP/Status.001"

STATUS: dict[Code, tuple[int, str]] = {
    Code.HANDLE_NOT_FOUND: (404, "0.DOIP/Status.104"),
    Code.VALUES_NOT_FOUND: (404, "0.DOIP/Status.104"),
    Code.HANDLE_EXISTS: (409, "0.DOIP/Status.105"),
    Code.VALUE_EXISTS: (409, "0.DOIP/Status.105"),
    Code.PROTOCOL_ERROR: (400, "0.DOIP/Status.101"),
    Code.INVALID_HANDLE: (400, "0.DOIP/Status.101"),
    Code.INVALID_VALUE: (400, "0.DOIP/Status.101"),
    Code.NOT_RESPONSIBLE: (404, "0.DOIP/Status.104"),
    Code.SERVICE_REFERRAL: (404, "0.DOIP/Status.104"),
    Code.PREFIX_REFERRAL: (404, "0.DOIP/Status.104"),
    Code.AUTHENTICATION_NEEDED: (401, "0.DOIP/Status.102"),
    Code.AUTHENTICATION_FAILED: (401, "0.DOIP/Status.102"),
    Code.INVALID_ADMIN: (403, "0.DOIP/Status.103"),
    Code.INSUFFICIENT_PERMISSIONS: (403, "0.DOIP/Status.103"),
    Code.INVALID_CREDENTIAL: (403, "0.DOIP/Status.103"),
    Code.OPERATION_NOT_SUPPORTED: (400, "0.DOIP/Status.200"),
    Code.SERVER_BUSY: (503, "0.DOIP/Status.500"),
}
"""HTTP and DOIP status of each response code; what is not here is a system error."""

_BY_HTTP = dict(STATUS.values()) | {500: "0.DOIP/Status.500"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One operation asked for."""

    operation: str
    target: str
    parameters: dict[str, list[str]]
    request: Request
    requester: Requester

    @property
    def proved(self) -> bool:
        """Whether it is known who asks."""
        return self.requester.standing >= Standing.AUTHENTICATED


@dataclass(frozen=True, slots=True)
class DoipFace:
    """The face over a node; ``service`` is the identifier of the node itself, ``address`` where it is reached."""

    node: Node
    login: Login
    service: str
    address: str = ""
    _operations: dict[str, Callable[[Asked], Response | Later]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._operations.update(
            {
                HELLO: self._hello,
                LIST_OPERATIONS: self._list_operations,
                RETRIEVE: self._retrieve,
                CREATE: self._create,
                UPDATE: self._update,
                DELETE: self._delete,
                SEARCH: self._search,
            }
        )

    def face(self) -> Face:
        """Return the face."""
        return Face((PREFIX,), self.answer, self.refuse)

    def refuse(self, status: int, message: str) -> Response:
        """Return a refusal with the DOIP status that is nearest to the HTTP ``status``."""
        doip = _BY_HTTP.get(status, "0.DOIP/Status.101" if status < 500 else "0.DOIP/Status.500")
        return _answered({"message": message}, status, doip)

    def answer(self, request: Request) -> Response | Later:
        """Answer one operation."""
        if request.path not in (PREFIX, PREFIX + b"/"):
            return self.refuse(404, "operations are asked of /doip")
        if request.method not in (b"GET", b"HEAD", b"POST"):
            return self.refuse(405, "operations are asked for by GET or POST")
        try:
            return self._operate(request)
        except IdentifierError as error:
            return self._refused(error)

    def _operate(self, request: Request) -> Response | Later:
        found = parameters(request.query)
        operation = _named(found, "operationId", "o")
        target = _named(found, "targetId", "t")
        known = self._operations.get(operation)
        if known is None:
            message = f"operation {operation[:60]!r} is not known"
            remedy = f"Ask for one of {', '.join(self._operations)}."
            raise refuse(Code.OPERATION_NOT_SUPPORTED, "operationId", message, remedy)
        if operation in _CHANGES and request.method != b"POST":
            raise refuse(Code.PROTOCOL_ERROR, "method", f"{operation} changes something", "Send it by POST.")
        return known(Asked(operation, target, found, request, self.login.requester(request)))

    def _hello(self, asked: Asked) -> Response:
        self._of_service(asked)
        attributes: dict[str, Json] = {"protocol": "HTTPS" if asked.request.client.tls else "HTTP"}
        attributes |= {"protocolVersion": "2.0", "ipAddress": self.address}
        return _answered({"id": self.service, "type": "0.TYPE/DOIPServiceInfo", "attributes": attributes})

    def _list_operations(self, asked: Asked) -> Response:
        if self._is_service(asked.target):
            return _answered(list(SERVICE_OPERATIONS))
        self._found(asked)
        return _answered(list(OBJECT_OPERATIONS))

    def _retrieve(self, asked: Asked) -> Response:
        values = self._found(asked)
        document = _object_text(asked.target, values)
        return Response(200, document.encode("utf-8", "replace"), headers=_status_header(OK))

    def _create(self, asked: Asked) -> Later:
        self._of_service(asked)
        document = object_of(read_json(asked.request.body, proved=asked.proved), "body")
        handle = check_handle(member_text(document, "id", "body"))
        return self._changed("create", handle, with_admin(_values(document), asked.requester), asked)

    def _update(self, asked: Asked) -> Later:
        document = object_of(read_json(asked.request.body, proved=asked.proved), "body")
        if fold(str(document.get("id", asked.target)).encode("utf-8", "replace")) != fold(asked.target):
            raise refuse(Code.PROTOCOL_ERROR, "body", "its id is not the target's", "Leave id out.")
        return self._changed("put", check_handle(asked.target), _values(document), asked)

    def _delete(self, asked: Asked) -> Later:
        future = submit(self.node, "delete", check_handle(asked.target), (), (), asked.requester)
        return Later((future,), lambda errors: self._finished(errors[0], Response(200, b"", b"", _status_header(OK))))

    def _search(self, asked: Asked) -> Response:
        """Return the objects whose identifiers begin as ``query`` says: id:88.123.1/pump*."""
        self._of_service(asked)
        query = _named(asked.parameters, "query", "query")
        if not query.startswith("id:") or not query.endswith("*") or "/" not in query:
            message = "only identifiers are searched, by their beginning"
            raise refuse(Code.OPERATION_NOT_SUPPORTED, "query", message, "Ask for id:prefix/begin*.")
        size = min(_page(asked, "pageSize", 100), _PAGE)
        start = _page(asked, "pageNum", 0) * size
        total, handles = list_handles(self.node, query[3:-1], asked.requester, start=start, size=size)
        results: list[Json] = list(handles)
        return _answered({"size": total, "results": results})

    def _found(self, asked: Asked) -> tuple[Value, ...]:
        found = self.node.resolve(asked.target, requester=asked.requester)
        if found.code not in (Code.SUCCESS, Code.VALUES_NOT_FOUND):
            raise refuse(found.code, asked.target[:80], "the object is not here", "Look for its identifier elsewhere.")
        return found.values

    def _changed(self, kind: str, handle: str, values: tuple[Value, ...], asked: Asked) -> Later:
        future = submit(self.node, kind, handle, values, (), asked.requester)
        document = _object_text(handle, values).encode("utf-8", "replace")
        done = Response(200, document, headers=_status_header(OK))
        return Later((future,), lambda errors: self._finished(errors[0], done))

    def _finished(self, error: XinjiError | None, done: Response) -> Response:
        if error is None:
            return done
        if isinstance(error, IdentifierError):
            return self._refused(error)
        return self.refuse(500, said(error))

    def _refused(self, error: IdentifierError) -> Response:
        status, doip = STATUS.get(error.code, (500, "0.DOIP/Status.500"))
        response = _answered({"message": said(error)}, status, doip)
        if status == 401:
            return response._replace(headers=(*response.headers, *self.login.challenge()))
        return response

    def _is_service(self, target: str) -> bool:
        return target == "service" or fold(target) == fold(self.service)

    def _of_service(self, asked: Asked) -> None:
        if not self._is_service(asked.target):
            message = f"the target of {asked.operation} is the service"
            raise refuse(Code.PROTOCOL_ERROR, "targetId", message, f"Give targetId={self.service}.")


def with_admin(values: tuple[Value, ...], requester: Requester) -> tuple[Value, ...]:
    """Return ``values`` with an HS_ADMIN value for ``requester`` where there is none: else nobody could change them."""
    if any(value.type == ADMIN for value in values):
        return values
    used = {value.index for value in values}
    index = next(index for index in range(ADMIN_INDEX, ADMIN_INDEX + len(used) + 1) if index not in used)
    data = encode_admin(Admin(requester.handle, requester.index))
    return (*values, Value(index=index, type=ADMIN, data=data))


def _named(found: dict[str, list[str]], name: str, short: str) -> str:
    values = found.get(name) or found.get(short)
    if not values or not values[0]:
        raise refuse(Code.PROTOCOL_ERROR, "query", f"{name} is missing", f"Give {name}=....")
    return values[0]


def _page(asked: Asked, name: str, default: int) -> int:
    values = asked.parameters.get(name)
    if not values:
        return default
    if not values[0].isascii() or not values[0].isdecimal() or len(values[0]) > 9:
        raise refuse(Code.PROTOCOL_ERROR, "query", f"{name} is no number", f"Write {name}=0.")
    return int(values[0])


def _values(document: dict[str, Json]) -> tuple[Value, ...]:
    """Return the values of the record that the digital object ``document`` stands for."""
    attributes = object_of(document.get("attributes"), "attributes")
    entries = attributes.get("values")
    if not isinstance(entries, list):
        message = "attributes.values is no list"
        raise refuse(Code.PROTOCOL_ERROR, "attributes", message, 'Give {"values": [{"index": ..., ...}]}.')
    now_s = int(time.time())
    values = tuple(value_from_json(entry, "value", now_s=now_s) for entry in entries)
    kind = document.get("type")
    if isinstance(kind, str) and kind != DEFAULT_TYPE and all(value.type != TYPE for value in values):
        free = max((value.index for value in values), default=0) + 1
        values += (Value(index=free, type=TYPE, data=kind.encode("utf-8", "replace"), timestamp_s=now_s),)
    return values


def _object_text(handle: str, values: tuple[Value, ...]) -> str:
    kind = next((value.data.decode("utf-8", "replace") for value in values if value.type == TYPE), DEFAULT_TYPE)
    shown = values_json(encode_values(values))
    return f'{{"id":{json.dumps(handle)},"type":{json.dumps(kind)},"attributes":{{"values":{shown}}}}}'


def _answered(document: Json, status: int = 200, doip: str = OK) -> Response:
    return Response(status, write_json(document), headers=_status_header(doip))


def _status_header(doip: str) -> Headers:
    return ((b"Doip-Response", f'{{"status":"{doip}"}}'.encode("ascii")),)
