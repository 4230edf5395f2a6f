"""``/api/handles``: records as Handle.Net's HTTP interface serves them.

Source: Handle.Net technical manual 9 chapter 14 (HTTP JSON interface).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from json.encoder import encode_basestring

from xinji.errors import XinjiError
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.http.handles_write import Edit, edit_of, indexes_of, number_of
from xinji.use.identity.http.login import Login
from xinji.use.identity.http.message import (
    Face,
    Headers,
    Json,
    Later,
    Request,
    Response,
    flag,
    parameters,
    said,
    text_of,
    write_json,
)
from xinji.use.identity.http.node_calls import list_handles, submit
from xinji.use.identity.http.value_json import values_json
from xinji.use.identity.http.view import View
from xinji.use.identity.node import Answer, Node
from xinji.use.identity.record import Record, encode_values
from xinji.use.identity.trust import ANONYMOUS_REQUESTER, Standing

PREFIX = b"/api/handles"
_SKIP = len(PREFIX) + 1
_SCRIPT = b"application/javascript;charset=UTF-8"
_CALLBACK = re.compile(r"[^A-Za-z0-9_$\u00a0-\U0010ffff]|(?<=^)[0-9]")
_PAGE = 10_000
"""Handles listed at most in one answer."""

STATUS = {
    Code.SUCCESS: 200,
    Code.VALUES_NOT_FOUND: 400,
    Code.SERVICE_REFERRAL: 300,
    Code.PREFIX_REFERRAL: 300,
    Code.HANDLE_NOT_FOUND: 404,
    Code.HANDLE_EXISTS: 409,
    Code.VALUE_EXISTS: 409,
    Code.PROTOCOL_ERROR: 400,
    Code.INVALID_HANDLE: 400,
    Code.INVALID_VALUE: 400,
    Code.NOT_RESPONSIBLE: 400,
    Code.OPERATION_NOT_SUPPORTED: 501,
    Code.SERVER_BUSY: 503,
    Code.READ_ONLY: 503,
    Code.AUTHENTICATION_NEEDED: 401,
    Code.AUTHENTICATION_FAILED: 401,
    Code.INVALID_ADMIN: 403,
    Code.INSUFFICIENT_PERMISSIONS: 403,
    Code.INVALID_CREDENTIAL: 403,
}
"""HTTP status of each response code; what is not here is 500.

As Handle.Net has it but for one: a wrong proof is 401, which Handle.Net's authentication filter answers too.
"""

Elsewhere = Callable[[str, tuple[str, ...], tuple[int, ...]], Future[Record | None]]
"""Asks other nodes for the public values of a handle, of these types or at these indexes."""

_NOT_HERE = (Code.NOT_RESPONSIBLE, Code.SERVICE_REFERRAL, Code.PREFIX_REFERRAL)


@dataclass(frozen=True, slots=True)
class HandlesFace:
    """The face over a node, its public values in a view, and the login of its requesters.

    Handles that other nodes serve are asked of ``elsewhere``; without it clients are told whom to ask.
    """

    node: Node
    view: View
    login: Login
    elsewhere: Elsewhere | None = None

    def face(self) -> Face:
        """Return the face."""
        return Face((PREFIX,), self.answer, self.refuse)

    def refuse(self, status: int, message: str) -> Response:
        """Return a refusal in the form of this interface."""
        code = Code.PROTOCOL_ERROR if 400 <= status < 500 else Code.SERVER_BUSY if status == 503 else Code.ERROR
        return Response(status, write_json({"responseCode": int(code), "message": message}))

    def answer(self, request: Request) -> Response | Later:
        """Answer a request; a plain resolution takes the shortest way."""
        path = request.path
        plain = not request.query and request.method in (b"GET", b"HEAD") and b"authorization" not in request.headers
        if plain and path[len(PREFIX) : _SKIP] == b"/":
            name = path[_SKIP:]
            body = None if b"%" in name else self.view.body(name.upper())
            if body is not None:
                shown = encode_basestring(name.decode())
                return Response(200, f'{{"responseCode":1,"handle":{shown},"values":{values_json(body)}}}'.encode())
        handle = ""
        asked: dict[str, list[str]] = {}
        try:
            if path[len(PREFIX) : _SKIP] not in (b"", b"/"):
                raise refuse(Code.PROTOCOL_ERROR, "path", "nothing is served here", "Ask for /api/handles/....")
            handle = text_of(path[_SKIP:], "path")
            asked = parameters(request.query)
            return self._answer(request, handle, asked)
        except IdentifierError as error:
            return self._refused(error, handle, asked)

    def _answer(self, request: Request, handle: str, asked: dict[str, list[str]]) -> Response | Later:
        if request.method in (b"GET", b"HEAD"):
            if handle:
                return self._resolve(request, handle, asked)
            if "prefix" in asked:
                return self._list(request, asked)
            raise refuse(Code.INVALID_HANDLE, "path", "there is no handle in it", "Ask for /api/handles/prefix/suffix.")
        if request.method in (b"PUT", b"DELETE"):
            requester = self.login.requester(request)
            proved = requester.standing >= Standing.AUTHENTICATED
            edit = edit_of(request, handle, asked, now_s=int(time.time()), proved=proved)
            future = submit(self.node, edit.kind, edit.handle, edit.values, edit.indexes, requester)
            return Later((future,), lambda errors: self._edited(edit, errors[0], asked))
        message = f"{request.method.decode('ascii', 'replace')} is not offered"
        return self.refuse(405, message)._replace(headers=((b"Allow", b"GET, HEAD, PUT, DELETE, OPTIONS"),))

    def _resolve(self, request: Request, handle: str, asked: dict[str, list[str]]) -> Response | Later:
        """Return what a request with parameters or credentials asks of the record ``handle``."""
        requester = self.login.requester(request)
        if flag(asked, "publicOnly"):
            requester = ANONYMOUS_REQUESTER
        types, indexes = tuple(asked.get("type", ())), tuple(indexes_of(asked))
        found = self.node.resolve(handle, types=types, indexes=indexes, requester=requester)
        if self.elsewhere is not None and found.code in _NOT_HERE and not flag(asked, "auth"):
            future = self.elsewhere(handle, types, indexes)
            return Later((future,), lambda errors: self._told(future, errors[0], handle, asked))
        return _written(_document(found, handle), _status_of(found), asked)

    def _told(
        self, future: Future[Record | None], error: XinjiError | None, handle: str, asked: dict[str, list[str]]
    ) -> Response:
        """Return what another node answered, or why it did not."""
        if isinstance(error, IdentifierError) and error.code != Code.VALUES_NOT_FOUND:
            return self._refused(error, handle, asked)
        if error is not None and not isinstance(error, IdentifierError):
            return self._refused(refuse(Code.ERROR, handle, said(error), "See the log."), handle, asked)
        record = future.result() if error is None else None
        code = Code.SUCCESS if record is not None else Code.VALUES_NOT_FOUND
        found = Answer(code, handle, record.values if record is not None else ())
        return _written(_document(found, handle), _status_of(found), asked)

    def _list(self, request: Request, asked: dict[str, list[str]]) -> Response:
        prefix = asked["prefix"][0]
        requester = self.login.requester(request)
        page, size = number_of(asked, "page"), number_of(asked, "pageSize")
        total, handles = list_handles(self.node, prefix, requester, start=page * size, size=min(size or _PAGE, _PAGE))
        document: dict[str, Json] = {"responseCode": 1, "prefix": prefix, "totalCount": str(total)}
        if "page" in asked and "pageSize" in asked:
            document |= {"page": page, "pageSize": size}
        document["handles"] = list(handles)
        return _written(write_json(document).decode(), 200, asked)

    def _edited(self, edit: Edit, error: XinjiError | None, asked: dict[str, list[str]]) -> Response:
        if isinstance(error, IdentifierError):
            return self._refused(error, edit.handle, asked)
        if error is not None:
            return self._refused(refuse(Code.ERROR, edit.handle, said(error), "See the log."), edit.handle, asked)
        document = write_json({"responseCode": 1, "handle": edit.handle}).decode()
        return _written(document, 201 if edit.creates else 200, asked)

    def _refused(self, error: IdentifierError, handle: str, asked: dict[str, list[str]]) -> Response:
        document: dict[str, Json] = {"responseCode": int(error.code), "message": said(error)}
        if handle:
            document["handle"] = handle
        status = STATUS.get(error.code, 500)
        headers: Headers = self.login.challenge() if status == 401 else ()
        return _written(write_json(document).decode(), status, asked)._replace(headers=headers)


def _status_of(found: Answer) -> int:
    # That a record holds no such values is no mistake of the client's.
    return 200 if found.code == Code.VALUES_NOT_FOUND else STATUS.get(found.code, 500)


def _document(found: Answer, handle: str) -> str:
    """Return the JSON of an answer to a resolution."""
    start = f'{{"responseCode":{int(found.code)},"handle":{encode_basestring(handle)}'
    if found.code in (Code.SUCCESS, Code.VALUES_NOT_FOUND):
        return f'{start},"values":{values_json(encode_values(found.values))}}}'
    if found.referral is not None:
        values = values_json(encode_values(found.referral.values))
        return f'{start},"referralHandle":{encode_basestring(found.referral.prefix)},"values":{values}}}'
    return f"{start}}}"


def _written(document: str, status: int, asked: dict[str, list[str]]) -> Response:
    """Return ``document`` as it was asked for: pretty, or as a call of a script's function."""
    if flag(asked, "pretty"):
        document = json.dumps(json.loads(document), ensure_ascii=False, indent=2)
    callback = asked.get("callback")
    if callback is None:
        return Response(status, document.encode("utf-8", "replace"))
    name = _CALLBACK.sub("_", callback[0]) or "_"
    return Response(status, f"{name}({document});".encode("utf-8", "replace"), _SCRIPT)
