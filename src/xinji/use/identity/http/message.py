"""What every HTTP face takes and gives: requests, responses and the forms that more than one face uses."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias
from urllib.parse import unquote_to_bytes

from xinji.errors import XinjiError
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.record import Record

JSON = b"application/json;charset=UTF-8"
"""Media type of JSON answers, as Handle.Net writes it."""
PROBLEM = b"application/problem+json"
"""Media type of RFC 9457 problem details."""

UNPROVED_OCTETS = 65_536
"""Longest JSON that is read of somebody unknown: a few milliseconds' work."""

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""What JSON holds."""
Headers = tuple[tuple[bytes, bytes], ...]
"""Names and values of further header fields."""


class Client(NamedTuple):
    """Who is at the other end of a connection.

    ``network`` is `limits.network_of` the ``address``; ``tls`` says that the connection is encrypted, ``secure`` that
    it is or never leaves the machine; ``certificate`` is the client's (DER), empty where it showed none.
    """

    address: str
    network: int
    secure: bool
    tls: bool = False
    certificate: bytes = b""


class Request(NamedTuple):
    """One HTTP request; header names are in lower case, ``path`` and ``query`` still percent-encoded."""

    method: bytes
    path: bytes
    query: bytes
    headers: dict[bytes, bytes]
    body: bytes
    client: Client


class Response(NamedTuple):
    """One HTTP answer."""

    status: int
    body: bytes = b""
    media: bytes = JSON
    headers: Headers = ()


class Later(NamedTuple):
    """An answer that waits for the store: ``finish`` makes it of each future's error, None where it went well."""

    futures: tuple[Future[Record | None], ...]
    finish: Callable[[tuple[XinjiError | None, ...]], Response]


@dataclass(frozen=True, slots=True)
class Face:
    """One interface of the node under its path ``prefixes``.

    ``answer`` serves a request; ``refuse`` says in the face's own form why one was not served, given the HTTP
    status and a sentence.
    """

    prefixes: tuple[bytes, ...]
    answer: Callable[[Request], Response | Later]
    refuse: Callable[[int, str], Response]


def write_json(document: Json, *, pretty: bool = False) -> bytes:
    """Return ``document`` as UTF-8 JSON, in one line unless ``pretty``."""
    if pretty:
        return json.dumps(document, ensure_ascii=False, indent=2).encode("utf-8", "replace")
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def read_json(body: bytes, *, proved: bool = False) -> Json:
    """Return the JSON in ``body``, a long one only of who is ``proved``: reading it keeps all others waiting.

    Raises IdentifierError (protocol error) where it is not JSON in UTF-8, is nested too deeply, holds numbers
    that JSON does not know, or is longer than ``UNPROVED_OCTETS`` of somebody unknown.
    """
    if not proved and len(body) > UNPROVED_OCTETS:
        message = f"a body of {len(body)} octets comes from somebody unknown"
        raise refuse(Code.PROTOCOL_ERROR, "body", message, f"Prove who you are, or send at most {UNPROVED_OCTETS}.")
    remedy = "Send one JSON document in UTF-8."
    try:
        document: Json = json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        message = f"the body is not JSON ({type(error).__name__})"
        raise refuse(Code.PROTOCOL_ERROR, "body", message, remedy) from error
    return document


def _no_number(text: str) -> float:
    message = f"{text} is no JSON number"
    raise ValueError(message)


def text_of(encoded: bytes, place: str, *, plus: bool = False) -> str:
    """Return percent-``encoded`` bytes as text; ``plus`` reads ``+`` as a space.

    Raises IdentifierError (protocol error) where that is not UTF-8.
    """
    if plus:
        encoded = encoded.replace(b"+", b" ")
    if b"%" in encoded:
        encoded = unquote_to_bytes(encoded)
    try:
        return encoded.decode("utf-8")
    except UnicodeDecodeError as error:
        message = "percent-decoding it does not give UTF-8"
        raise refuse(Code.PROTOCOL_ERROR, place, message, "Encode text as UTF-8, then by percent.") from error


def parameters(query: bytes) -> dict[str, list[str]]:
    """Return the parameters of ``query`` with each one's values in order.

    Raises IdentifierError (protocol error) where a name or value is not UTF-8.
    """
    found: dict[str, list[str]] = {}
    for pair in query.split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            place = "query"
            found.setdefault(text_of(name, place, plus=True), []).append(text_of(value, place, plus=True))
    return found


def flag(found: dict[str, list[str]], name: str, *, default: bool = False) -> bool:
    """Return whether parameter ``name`` is set: empty, ``yes`` or ``true``, as Handle.Net reads it."""
    values = found.get(name)
    if not values:
        return default
    return values[0].lower() in {"", "yes", "true"}


def is_json(request: Request) -> bool:
    """Return whether ``request`` says that its body is JSON."""
    media = request.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    return media == b"application/json"


def problem(status: int, message: str) -> Response:
    """Return an RFC 9457 answer for what belongs to no face."""
    document: Json = {"type": "about:blank", "status": status, "detail": message}
    return Response(status, write_json(document), PROBLEM)


def object_of(document: Json, place: str) -> dict[str, Json]:
    """Return ``document``, which must be a JSON object.

    Raises IdentifierError (protocol error) where it is anything else.
    """
    if not isinstance(document, dict):
        message = f"a JSON object was expected, not {_kind(document)}"
        raise refuse(Code.PROTOCOL_ERROR, place, message, "Send {...}.")
    return document


def member_text(document: dict[str, Json], name: str, place: str) -> str:
    """Return the text under ``name``.

    Raises IdentifierError (protocol error) where it is missing or not text.
    """
    found = document.get(name)
    if not isinstance(found, str):
        message = f"{name} must be text, not {_kind(found)}"
        raise refuse(Code.PROTOCOL_ERROR, place, message, f"Give {name} in quotes.")
    return found


def member_number(document: dict[str, Json], name: str, place: str) -> int:
    """Return the whole number under ``name``.

    Raises IdentifierError (protocol error) where it is missing or not a whole number.
    """
    found = document.get(name)
    if not isinstance(found, int) or isinstance(found, bool):
        message = f"{name} must be a whole number, not {_kind(found)}"
        raise refuse(Code.PROTOCOL_ERROR, place, message, f"Give {name} as a number.")
    return found


def _kind(found: Json) -> str:
    if found is None:
        return "nothing"
    names: dict[type, str] = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list"}
    return names.get(type(found), "an object")


def said(error: XinjiError) -> str:
    """Return what ``error`` says in one line, fit to be sent to a client."""
    if isinstance(error, IdentifierError):
        return "; ".join(f"{fault.message}. {fault.remedy}" for fault in error.faults)
    return type(error).__name__
