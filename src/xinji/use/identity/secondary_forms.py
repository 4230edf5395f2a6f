"""Answers of the secondary-node interfaces, in the forms of their public documents.

Source: teleinfo-dev/id-guide, docs/dev-tools/snms (interfaces, status codes) and docs/dev-tools/standard/api
(DOIP interface, state codes).
"""

from __future__ import annotations

from xinji.errors import XinjiError
from xinji.use.identity.errors import Code, IdentifierError
from xinji.use.identity.http.message import Json, Response, said, write_json

DONE, NOT_LOGGED_IN, FAILED, FORBIDDEN, BROKEN = 1, -1, -2, -3, -4
"""``status``: done; log in first; the message says why not; no permission; the node's own fault."""

WORDS = {
    Code.HANDLE_NOT_FOUND: "没有找到标识",
    Code.HANDLE_EXISTS: "标识已存在",
    Code.VALUE_EXISTS: "标识属性已存在",
    Code.VALUES_NOT_FOUND: "标识属性不存在",
    Code.INVALID_HANDLE: "标识格式异常",
    Code.NOT_RESPONSIBLE: "非本企业标识",
    Code.SERVICE_REFERRAL: "非本企业标识",
    Code.PREFIX_REFERRAL: "非本企业标识",
    Code.AUTHENTICATION_NEEDED: "没有登录，需要验证",
    Code.AUTHENTICATION_FAILED: "没有登录，需要验证",
    Code.INSUFFICIENT_PERMISSIONS: "没有权限",
    Code.INVALID_ADMIN: "没有权限",
    Code.SERVER_BUSY: "系统繁忙",
}
"""What the documents say for each response code; other codes are explained by the error itself."""

_STATUS = {
    Code.AUTHENTICATION_NEEDED: NOT_LOGGED_IN,
    Code.AUTHENTICATION_FAILED: NOT_LOGGED_IN,
    Code.INSUFFICIENT_PERMISSIONS: FORBIDDEN,
    Code.INVALID_ADMIN: FORBIDDEN,
    Code.INVALID_CREDENTIAL: FORBIDDEN,
    Code.ERROR: BROKEN,
}

DOIP_CODES = {
    Code.SUCCESS: 1,
    Code.PROTOCOL_ERROR: 106,
    Code.INVALID_VALUE: 106,
    Code.INVALID_HANDLE: 40508,
    Code.HANDLE_NOT_FOUND: 104,
    Code.VALUES_NOT_FOUND: 104,
    Code.HANDLE_EXISTS: 105,
    Code.VALUE_EXISTS: 105,
    Code.NOT_RESPONSIBLE: 701,
    Code.SERVICE_REFERRAL: 701,
    Code.PREFIX_REFERRAL: 701,
    Code.AUTHENTICATION_NEEDED: 401,
    Code.AUTHENTICATION_FAILED: 401,
    Code.INVALID_CREDENTIAL: 102,
    Code.INSUFFICIENT_PERMISSIONS: 406,
    Code.INVALID_ADMIN: 103,
    Code.OPERATION_NOT_SUPPORTED: 405,
}
"""``code`` of the DOIP interface for each response code; what is not here is 500."""

CHANGED = 10_000
"""``code`` of a change that was made."""


def words(error: XinjiError) -> str:
    """Return what the documents say of ``error``, else what it says itself."""
    if isinstance(error, IdentifierError) and error.code in WORDS:
        return WORDS[error.code]
    return said(error)


def status_of(error: XinjiError) -> int:
    """Return the ``status`` for ``error``."""
    return _STATUS.get(error.code, FAILED) if isinstance(error, IdentifierError) else BROKEN


def told(data: Json, *, status: int = DONE, message: str = "success", http: int = 200) -> Response:
    """Return an answer: ``message``, ``status`` and ``data``.

    Clients of this interface read ``status``, so that a request that failed is HTTP 200 as well.
    """
    return Response(http, write_json({"message": message, "status": status, "data": data}))


def failed(error: XinjiError) -> Response:
    """Return the answer for ``error``."""
    return told(None, status=status_of(error), message=words(error))


def outcome(errors: tuple[XinjiError | None, ...]) -> Response:
    """Return the answer to one change: that it was made, or its error."""
    error = errors[0]
    return told(data=True) if error is None else failed(error)


def refuse_http(status: int, message: str) -> Response:
    """Return the refusal of a request that was not read, with its HTTP ``status``."""
    return told(None, status=BROKEN if status >= 500 else FAILED, message=message, http=status)


def doip_told(code: int, message: str, data: Json = None, *, http: int = 200) -> Response:
    """Return an answer of the DOIP interface: ``code``, ``message`` and, where there is any, ``data``."""
    document: dict[str, Json] = {"code": code, "message": message}
    if data is not None:
        document["data"] = data
    return Response(http, write_json(document))


def doip_failed(error: XinjiError) -> Response:
    """Return the answer of the DOIP interface for ``error``."""
    code = DOIP_CODES.get(error.code, 500) if isinstance(error, IdentifierError) else 500
    if code == 106:
        return doip_told(code, f"请求入参错误：{said(error)}")
    if isinstance(error, IdentifierError) and error.code == Code.HANDLE_NOT_FOUND:
        return doip_told(code, "标识对象不存在")
    return doip_told(code, words(error))


def doip_refuse_http(status: int, message: str) -> Response:
    """Return the refusal of a request to the DOIP interface that was not read."""
    return doip_told(500 if status >= 500 else 101, message, http=status)
