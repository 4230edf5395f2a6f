"""``/api/v1/doip``: identifiers as digital objects, as the enterprise nodes of China's system serve them.

Source: teleinfo-dev/id-guide, docs/dev-tools/standard/api: handle.md, challenge.md, state-code.md.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from xinji.errors import XinjiError
from xinji.use.identity.certificates import Tokens
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.http.doip import CREATE, DELETE, RETRIEVE, UPDATE, with_admin
from xinji.use.identity.http.login import Login
from xinji.use.identity.http.message import (
    Face,
    Json,
    Later,
    Request,
    Response,
    member_text,
    object_of,
    parameters,
    read_json,
)
from xinji.use.identity.http.node_calls import submit
from xinji.use.identity.http.value_json import unbase64
from xinji.use.identity.names import check_handle, fold, prefix_of
from xinji.use.identity.node import Node
from xinji.use.identity.record import Record, Value
from xinji.use.identity.secondary_forms import CHANGED, doip_failed, doip_refuse_http, doip_told
from xinji.use.identity.secondary_templates import META, TEMPLATE, TEMPLATE_ID, UNSAID, TemplateBook, logged_in
from xinji.use.identity.templates import FORMS, Template, template_from_json
from xinji.use.identity.trust import Requester
from xinji.use.identity.value_data import ADMIN, decode_admin
from xinji.use.identity.wire import string

PREFIX = b"/api/v1/doip"
UPDATE_PART = "0.DOIP.EXTEND/Op.Update.Non.Overlay"
META_TYPE = "0.TYPE/DO.DOIPMETA"
_BEIJING = timezone(timedelta(hours=8))
_CHALLENGE_S = 120.0
_EACH, _MOST = 16, 10_000


class Challenges:
    """Numbers that identities were given to sign; each is good once, for two minutes; the table is bounded."""

    __slots__ = ("_clock", "_open")

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: dict[bytes, list[tuple[float, str]]] = {}

    def make(self, handle: str) -> str:
        """Return a new number for ``handle``; the oldest one goes where there are too many."""
        key = fold(handle)
        kept = [entry for entry in self._open.pop(key, []) if entry[0] > self._clock()][1 - _EACH :]
        while len(self._open) >= _MOST:
            del self._open[next(iter(self._open))]
        number = secrets.token_hex(16)
        self._open[key] = [*kept, (self._clock() + _CHALLENGE_S, number)]
        return number

    def open(self, handle: str) -> tuple[str, ...]:
        """Return the numbers that ``handle`` may still sign."""
        now = self._clock()
        return tuple(number for ends, number in self._open.get(fold(handle), ()) if ends > now)

    def spend(self, handle: str) -> None:
        """Make an end of all numbers of ``handle``: one was signed."""
        self._open.pop(fold(handle), None)


@dataclass(frozen=True, slots=True)
class SecondaryDoipFace:
    """The face over a node."""

    node: Node
    login: Login
    tokens: Tokens
    challenges: Challenges = field(default_factory=Challenges)

    def face(self) -> Face:
        """Return the face."""
        return Face((PREFIX,), self.answer, doip_refuse_http)

    def answer(self, request: Request) -> Response | Later:
        """Answer an operation, a request for a challenge, or the answer to one."""
        routes: dict[tuple[bytes, bytes], Callable[[Request], Response | Later]] = {
            (b"GET", b""): self._retrieve,
            (b"POST", b""): self._change,
            (b"GET", b"/public/challenge"): self._challenge,
            (b"POST", b"/public/verify-response"): self._verify,
        }
        method = b"GET" if request.method == b"HEAD" else request.method
        handler = routes.get((method, request.path.removeprefix(PREFIX).rstrip(b"/")))
        if handler is None:
            return doip_refuse_http(404, "接口不存在")
        try:
            return handler(request)
        except IdentifierError as error:
            return doip_failed(error)

    def _challenge(self, request: Request) -> Response:
        handle = check_handle(parameters(request.query).get("handle", [""])[0])
        return doip_told(1, "成功", self.challenges.make(handle))

    def _verify(self, request: Request) -> Response:
        document = object_of(read_json(request.body), "body")
        handle = check_handle(member_text(document, "handle", "body"))
        signature = unbase64(member_text(document, "signature", "body"), "signature")
        proof = string("SHA-256") + string(signature)

        def attempt() -> Requester | None:
            for number in self.challenges.open(handle):
                found = self.login.by_signature(handle, number.encode("ascii"), proof)
                if found is not None:
                    return found
            return None

        requester = self.login.prove(request.client, attempt)
        self.challenges.spend(handle)
        return doip_told(1, "成功", {"token": self.tokens.make(requester, now_s=int(time.time()))})

    def _retrieve(self, request: Request) -> Response:
        operation, target = _asked(request)
        if operation != RETRIEVE:
            raise refuse(Code.OPERATION_NOT_SUPPORTED, "operationId", "不支持的操作类型", f"GET只支持{RETRIEVE}。")
        requester = self.login.requester(request)
        found = self.node.resolve(target, requester=requester)
        if found.code in (Code.INSUFFICIENT_PERMISSIONS, Code.AUTHENTICATION_NEEDED):
            return doip_told(403, "没有权限查看数据")
        if found.code not in (Code.SUCCESS, Code.VALUES_NOT_FOUND):
            raise refuse(found.code, target[:80], "标识对象不存在", "请检查标识。")
        return doip_told(1, "成功", self._object(target, found.values, requester))

    def _object(self, target: str, values: tuple[Value, ...], requester: Requester) -> Json:
        document = next((value for value in values if value.type == TEMPLATE and value.index == 1), None)
        times = self._times(target, values)
        if document is not None:
            content = _meta_json(template_from_json(read_json(document.data, proved=True)))
            return {"id": target, "type": META_TYPE, "attributes": {"content": content, "metaData": times}}
        named = next((value.data.decode("utf-8", "replace") for value in values if value.type == TEMPLATE_ID), "")
        template = _template(TemplateBook(self.node), named, requester) if named else None
        elements = [
            _element(value, template)
            for value in values
            if not value.type.startswith("HS_") and value.type not in (TEMPLATE, TEMPLATE_ID)
        ]
        return {"id": target, "type": named, "attributes": {"attributes": {"metaData": times}, "elements": elements}}

    def _times(self, target: str, values: tuple[Value, ...]) -> dict[str, Json]:
        reader = self.node.store.fresh()
        try:
            found = reader.find(fold(target))
        finally:
            reader.rest()
        times: dict[str, Json] = {}
        if found is not None:
            times = {"createTime": _moment(found.created_s), "updateTime": _moment(found.modified_s)}
        admin = next((value for value in values if value.type == ADMIN), None)
        return times if admin is None else times | {"creator": decode_admin(admin.data).handle}

    def _change(self, request: Request) -> Later:
        operation, target = _asked(request)
        requester = logged_in(self.login, request)
        check_handle(target)
        if operation == DELETE:
            future = submit(self.node, "delete", target, (), (), requester)
            return Later((future,), lambda errors: _changed(errors[0], None))
        if operation not in (CREATE, UPDATE, UPDATE_PART):
            raise refuse(Code.OPERATION_NOT_SUPPORTED, "operationId", "不支持的操作类型", f"请使用{CREATE}等。")
        document = object_of(read_json(request.body, proved=True), "body")
        template = _template(TemplateBook(self.node), member_text(document, "type", "body"), requester)
        content = object_of(object_of(document.get("attributes"), "attributes").get("content"), "attributes.content")
        record = Record(target, tuple(_values(content, template)))
        fitted = TemplateBook(self.node).fitted(record, template, whole=operation != UPDATE_PART)
        if operation == CREATE:
            future = submit(self.node, "create", target, with_admin(fitted.values, requester), (), requester)
        else:
            future = submit(self.node, "put", target, fitted.values, (), requester)
        return Later((future,), lambda errors: _changed(errors[0], document))


def _asked(request: Request) -> tuple[str, str]:
    found = parameters(request.query)
    for name in ("operationId", "targetId"):
        if not found.get(name, [""])[0]:
            raise refuse(Code.PROTOCOL_ERROR, "query", f"缺少{name}", f"请提供{name}。")
    return found["operationId"][0], found["targetId"][0]


def _changed(error: XinjiError | None, document: Json) -> Response:
    return doip_told(CHANGED, "成功", document) if error is None else doip_failed(error)


def _template(book: TemplateBook, handle: str, requester: Requester) -> Template:
    suffix = check_handle(handle).partition("/")[2]
    if not suffix.startswith(META):
        raise refuse(Code.INVALID_VALUE, handle[:80], "元数据不存在", f"请使用前缀/{META}版本。")
    return book.find(prefix_of(handle), suffix.removeprefix(META), requester)


def _values(content: dict[str, Json], template: Template) -> list[Value]:
    """Return the values of ``content`` at the indexes of ``template``; raises IdentifierError for other names."""
    found = []
    for name, text in content.items():
        item = template.item(name)
        if item is None:
            raise refuse(Code.INVALID_VALUE, name[:40], f"实体{name[:40]}不属于该元数据", "请按元数据填写。")
        data = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
        place = f"{name}"
        if text is None or isinstance(text, (bool, dict)):
            raise refuse(Code.INVALID_VALUE, place, "属性值须为文本、数值或数组", "请使用引号。")
        octets = data.encode("utf-8", "replace")
        found.append(Value(index=item.index, type=name, data=octets, permissions=UNSAID))
    return found


def _element(value: Value, template: Template | None) -> Json:
    item = None if template is None else template.item(value.type)
    try:
        data: Json = value.data.decode()
    except UnicodeDecodeError:
        data = base64.b64encode(value.data).decode("ascii")
    if item is not None and item.form == "reference" and isinstance(data, str) and data.startswith("["):
        data = _listed(data)
    element: dict[str, Json] = {"index": value.index, "type": value.type, "data": data}
    element["name"] = value.type if item is None else item.title or item.name
    element["dataType"] = 1 if item is None else FORMS.index(item.form) + 1
    return element


def _listed(text: str) -> Json:
    try:
        return read_json(text.encode(), proved=True)
    except IdentifierError:
        return text


def _meta_json(template: Template) -> Json:
    """Return ``template`` as the documents show metadata."""
    names = ("industryCategory", "industrySpecific", "industryTrade", "industrySubclass")
    basic: dict[str, Json] = {"metaName": template.description, "metaCode": template.version, "metaState": 1}
    basic |= dict(zip(names, template.industry, strict=False))
    items: list[Json] = [
        {
            "itemBasicInfo": {
                "itemIndex": item.index,
                "itemCode": item.name,
                "enName": item.name,
                "cnName": item.title,
                "state": 0,
            },
            "itemSchemaInfo": {
                "dataType": FORMS.index(item.form) + 1,
                "minLength": item.shortest,
                "maxLength": item.longest,
            },
        }
        for item in template.items
    ]
    required: list[Json] = [item.name for item in template.items if item.required]
    unique: list[Json] = [item.name for item in template.items if item.unique]
    return {"basicInfo": basic, "itemInfos": items, "required": required, "uniqueness": unique}


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, _BEIJING).strftime("%Y-%m-%d %H:%M:%S")
