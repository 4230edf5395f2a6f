"""Interfaces of a secondary node of China's industrial-Internet identifier system: tokens and identifiers.

Source: teleinfo-dev/id-guide, docs/dev-tools/snms: identity-auth.md, handle-operate.md, attachment.md.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

from xinji.errors import XinjiError
from xinji.use.identity.certificates import Tokens
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.http.doip import with_admin
from xinji.use.identity.http.login import Login
from xinji.use.identity.http.message import (
    Face,
    Json,
    Later,
    Request,
    Response,
    member_number,
    member_text,
    object_of,
    parameters,
    read_json,
    said,
)
from xinji.use.identity.http.node_calls import submit
from xinji.use.identity.names import check_handle, prefix_of
from xinji.use.identity.node import Node, Outcome
from xinji.use.identity.record import PRIVATE, PUBLIC, Record, Value
from xinji.use.identity.secondary_forms import FAILED, FORBIDDEN, failed, outcome, refuse_http, told, words
from xinji.use.identity.secondary_templates import (
    TEMPLATE,
    UNSAID,
    VERSION_INDEX,
    TemplateBook,
    TemplateRoutes,
    logged_in,
)
from xinji.use.identity.trust import Requester

PREFIXES = (b"/identity/", b"/identityv2/", b"/snms/")
MOST_IN_A_BATCH = 2_000
"""Identifiers in one batch request."""
_BEIJING = timezone(timedelta(hours=8))
_WRONG_LOGIN = "用户名/密码错误！"
_FORMAT = "string"

Handler = Callable[[Request], Response | Later]


@dataclass(frozen=True, slots=True)
class SecondaryFace:
    """The face over a node; ``accounts`` gives identities (index:handle) to the user names of applications."""

    node: Node
    login: Login
    tokens: Tokens
    accounts: Mapping[str, str] = field(default_factory=dict)

    def face(self) -> Face:
        """Return the face."""
        book = TemplateBook(self.node)
        routes: dict[tuple[bytes, bytes], Handler] = {
            (b"POST", b"/identity/token"): self._token,
            (b"POST", b"/identity/token/v1"): self._daily_token,
            (b"GET", b"/identityv2/data/detail"): self._detail,
        }
        edits = IdentifierRoutes(self.node, self.login, book)
        routes |= edits.routes() | TemplateRoutes(self.node, self.login, book).routes()
        return Face(PREFIXES, lambda request: _answer(routes, request), refuse_http)

    def _token(self, request: Request) -> Response:
        name, password = self._credentials(request)
        return self._logged_in(request, lambda: self.login.by_password(name, password))

    def _daily_token(self, request: Request) -> Response:
        """Take the digest of password and day, sha256(sha256(password) + day), in hexadecimal."""
        name, digest = self._credentials(request)
        # The documents say a day, not whose: that of Beijing and that of UTC are taken.
        days = {datetime.now(zone).strftime("%Y-%m-%d") for zone in (_BEIJING, UTC)}

        def fits(secret: bytes) -> bool:
            first = hashlib.sha256(secret).hexdigest()
            return any(
                hmac.compare_digest(hashlib.sha256((first + day).encode()).hexdigest().encode(), digest.lower())
                for day in days
            )

        return self._logged_in(request, lambda: self.login.by_secret(name, fits))

    def _credentials(self, request: Request) -> tuple[str, bytes]:
        document = object_of(read_json(request.body), "body")
        name = member_text(document, "username", "body")
        password = member_text(document, "password", "body").encode("utf-8", "replace")
        return self.accounts.get(name, name), password

    def _logged_in(self, request: Request, attempt: Callable[[], Requester | None]) -> Response:
        try:
            requester = self.login.prove(request.client, attempt)
        except IdentifierError as error:
            if error.code == Code.INVALID_ADMIN:
                return told(None, status=FORBIDDEN, message=said(error))
            return told(None, status=FAILED, message=_WRONG_LOGIN)
        return told({"token": self.tokens.make(requester, now_s=int(time.time()))})

    def _detail(self, request: Request) -> Response:
        requester = logged_in(self.login, request)
        handle = parameters(request.query).get("handle", [""])[0]
        if not handle:
            return told(None, status=FAILED, message="缺少必要的请求参数: handle")
        found = self.node.resolve(handle, requester=requester)
        if found.code not in (Code.SUCCESS, Code.VALUES_NOT_FOUND):
            raise refuse(found.code, handle[:80], "没有找到标识", "请检查标识。")
        return told(_detail_json(handle, found.values))


@dataclass(frozen=True, slots=True)
class IdentifierRoutes:
    """Registering, updating and deleting identifiers, one or many at once."""

    node: Node
    login: Login
    book: TemplateBook

    def routes(self) -> dict[tuple[bytes, bytes], Handler]:
        """Return what is served, by method and path."""
        return {
            (b"POST", b"/identityv2/data"): lambda request: self._one("create", request),
            (b"PUT", b"/identityv2/data"): lambda request: self._one("put", request),
            (b"DELETE", b"/identityv2/data"): self._delete,
            (b"POST", b"/identityv2/data/batchCreate"): lambda request: self._many("create", request),
            (b"PUT", b"/identityv2/data/batchUpdate"): lambda request: self._many("put", request),
            (b"DELETE", b"/identityv2/data/batchDelete"): self._delete_many,
        }

    def _one(self, kind: str, request: Request) -> Later:
        requester = logged_in(self.login, request)
        future = self._submitted(kind, read_json(request.body, proved=True), requester)
        return Later((future,), outcome)

    def _delete(self, request: Request) -> Later:
        requester = logged_in(self.login, request)
        handle = check_handle(member_text(object_of(read_json(request.body, proved=True), "body"), "handle", "body"))
        future = submit(self.node, "delete", handle, (), (), requester)
        return Later((future,), outcome)

    def _many(self, kind: str, request: Request) -> Later:
        requester = logged_in(self.login, request)
        entries = _batch(request)
        names: list[str] = []
        batch = Batch()
        for entry in entries:
            names.append(_handle_in(entry))
            batch.take(partial(self._submitted, kind, entry, requester))
        return batch.later(lambda errors: told([_row(n, e) for n, e in zip(names, errors, strict=True)]))

    def _submitted(self, kind: str, entry: Json, requester: Requester) -> Outcome:
        record = self._record(entry, requester)
        values = with_admin(record.values, requester) if kind == "create" else record.values
        return submit(self.node, kind, record.handle, values, (), requester)

    def _deleted(self, handle: str, requester: Requester) -> Outcome:
        return submit(self.node, "delete", check_handle(handle), (), (), requester)

    def _delete_many(self, request: Request) -> Later:
        requester = logged_in(self.login, request)
        names: list[str] = []
        batch = Batch()
        for entry in _batch(request):
            names.append(entry if isinstance(entry, str) else "")
            batch.take(partial(self._deleted, names[-1], requester))
        return batch.later(lambda errors: told([_deleted_row(n, e) for n, e in zip(names, errors, strict=True)]))

    def _record(self, document: Json, requester: Requester) -> Record:
        """Return the record that ``document`` describes, as its template wants it.

        Raises IdentifierError with every fault where the template does not allow it.
        """
        entry = object_of(document, "body")
        handle = check_handle(member_text(entry, "handle", "body"))
        version = member_text(entry, "templateVersion", "body")
        entries = entry.get("value")
        if not isinstance(entries, list):
            raise refuse(Code.PROTOCOL_ERROR, "value", "value 不是数组", '请提供 "value": [...]。')
        values = tuple(_value(item) for item in entries)
        template = self.book.find(prefix_of(handle), version, requester)
        return self.book.fitted(Record(handle, values), template)


class Batch:
    """Changes of a batch request: those that were queued and those that were refused before, in their order."""

    __slots__ = ("_futures", "_places", "_refused")

    def __init__(self) -> None:
        self._futures: list[Outcome] = []
        self._places: list[int] = []
        self._refused: dict[int, XinjiError] = {}

    def take(self, attempt: Callable[[], Outcome]) -> None:
        """Queue what ``attempt`` submits, or keep why it was refused."""
        place = len(self._futures) + len(self._refused)
        try:
            future = attempt()
        except IdentifierError as error:
            self._refused[place] = error
        else:
            self._futures.append(future)
            self._places.append(place)

    def later(self, finish: Callable[[list[XinjiError | None]], Response]) -> Later:
        """Return the answer that ``finish`` makes of each entry's error, None where it went well."""

        def together(errors: tuple[XinjiError | None, ...]) -> Response:
            whole: list[XinjiError | None] = [None] * (len(errors) + len(self._refused))
            for place, error in (*zip(self._places, errors, strict=True), *self._refused.items()):
                whole[place] = error
            return finish(whole)

        return Later(tuple(self._futures), together)


def _answer(routes: dict[tuple[bytes, bytes], Handler], request: Request) -> Response | Later:
    method = b"GET" if request.method == b"HEAD" else request.method
    handler = routes.get((method, request.path.rstrip(b"/")))
    if handler is None:
        known = any(path == request.path.rstrip(b"/") for _, path in routes)
        return refuse_http(405 if known else 404, "请求方式不支持" if known else "接口不存在")
    try:
        return handler(request)
    except IdentifierError as error:
        return failed(error)


def _batch(request: Request) -> list[Json]:
    entries = read_json(request.body, proved=True)
    if not isinstance(entries, list):
        raise refuse(Code.PROTOCOL_ERROR, "body", "请求体不是数组", "请提供 [...]。")
    if len(entries) > MOST_IN_A_BATCH:
        message = f"一次最多支持{MOST_IN_A_BATCH}条，收到{len(entries)}条"
        raise refuse(Code.PROTOCOL_ERROR, "body", message, "请分批提交。")
    return entries


def _value(document: Json) -> Value:
    entry = object_of(document, "value")
    index = member_number(entry, "index", "value")
    place = f"value {index}"
    if index == VERSION_INDEX:
        raise refuse(Code.INVALID_VALUE, place, f"非法操作，索引{index}为预留索引", "请使用其他索引。")
    data = object_of(entry.get("data"), place)
    if data.get("format") != _FORMAT:
        raise refuse(Code.INVALID_VALUE, place, "标识属性内容格式只支持string", '请使用 "format": "string"。')
    auth = entry.get("auth", "")
    if auth not in ("", "0", "1"):
        raise refuse(Code.INVALID_VALUE, place, "权限码只支持0（不公开）和1（公开）", '请使用 "auth": "1"。')
    return Value(
        index=index,
        type=member_text(entry, "type", place),
        data=member_text(data, "value", place).encode("utf-8", "replace"),
        permissions={"0": PRIVATE, "1": PUBLIC}.get(str(auth), UNSAID),
    )


def _detail_json(handle: str, values: tuple[Value, ...]) -> dict[str, Json]:
    version = next((value.data for value in values if value.index == VERSION_INDEX and value.type == TEMPLATE), b"")
    shown: list[Json] = [
        {
            "data": {"format": _FORMAT, "value": value.data.decode("utf-8", "replace")},
            "auth": "1" if value.public else "0",
            "index": value.index,
            "type": value.type,
        }
        for value in values
        if not value.type.startswith("HS_")
    ]
    return {
        "code": "200",
        "prefix": prefix_of(handle),
        "handle": handle,
        "templateVersion": version.decode("utf-8", "replace"),
        "value": shown,
    }


def _handle_in(entry: Json) -> str:
    found = entry.get("handle") if isinstance(entry, dict) else None
    return found if isinstance(found, str) else ""


def _row(handle: str, error: XinjiError | None) -> Json:
    return {"handle": handle, "msg": "success" if error is None else words(error)}


def _deleted_row(handle: str, error: XinjiError | None) -> Json:
    if error is None:
        return {"handle": handle, "code": 1, "msg": "success"}
    missing = isinstance(error, IdentifierError) and error.code == Code.HANDLE_NOT_FOUND
    return {"handle": handle, "code": FAILED, "msg": "标识不存在" if missing else words(error)}
