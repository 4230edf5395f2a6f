"""What a PUT or DELETE under ``/api/handles`` asks to change."""

from __future__ import annotations

from dataclasses import dataclass

from xinji.use.identity.errors import Code, refuse
from xinji.use.identity.http.message import Json, Request, flag, is_json, read_json
from xinji.use.identity.http.value_json import value_from_json
from xinji.use.identity.names import check_handle, fold
from xinji.use.identity.record import MAX_INDEX, MAX_VALUES, Value

VARIOUS = "various"


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a record: ``kind`` as the store knows it; ``creates`` where nothing may be overwritten."""

    kind: str
    handle: str
    values: tuple[Value, ...] = ()
    indexes: tuple[int, ...] = ()
    creates: bool = False


def edit_of(request: Request, handle: str, asked: dict[str, list[str]], *, now_s: int, proved: bool) -> Edit:
    """Return what ``request`` asks for; ``proved`` says whether it is known who asks.

    PUT makes a record or takes its place (``overwrite=false``: only makes one); with ``index`` it adds or changes
    values (``overwrite=false``: only adds). DELETE removes the record or, with ``index``, values. Raises
    IdentifierError where the request says something else.
    """
    check_handle(handle)
    various = asked.get("index") == [VARIOUS]
    indexes = () if various else indexes_of(asked)
    if request.method == b"DELETE":
        return Edit("remove" if indexes else "delete", handle, indexes=indexes)
    if not is_json(request):
        raise refuse(Code.PROTOCOL_ERROR, "body", "it is not announced as JSON", "Send Content-Type: application/json.")
    values = _values(read_json(request.body, proved=proved), handle, now_s)
    overwrites = flag(asked, "overwrite", default=True)
    if not indexes and not various:
        return Edit("replace" if overwrites else "create", handle, values, creates=not overwrites)
    if indexes and set(indexes) != {value.index for value in values}:
        message = "the indexes in the query are not those of the values"
        raise refuse(Code.PROTOCOL_ERROR, "query", message, "Name the same ones, or index=various.")
    return Edit("put" if overwrites else "add", handle, values, creates=not overwrites)


def indexes_of(asked: dict[str, list[str]]) -> tuple[int, ...]:
    """Return the indexes in the query; raises IdentifierError (protocol error) where one is no index."""
    return tuple(_number(text, "index", MAX_INDEX) for text in asked.get("index", ()))


def number_of(asked: dict[str, list[str]], name: str) -> int:
    """Return the number under ``name``, 0 where there is none; raises IdentifierError where it is no number."""
    return _number(asked[name][0], name, MAX_INDEX) if name in asked else 0


def _number(text: str, name: str, most: int) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 10 or int(text) > most:
        message = f"{name} {text[:20]!r} is no number up to {most}"
        raise refuse(Code.PROTOCOL_ERROR, "query", message, f"Write {name}=1.")
    return int(text)


def _values(document: Json, handle: str, now_s: int) -> tuple[Value, ...]:
    """Return the values in the body of a PUT: a record, a list of values or one value."""
    entries: Json = document
    if isinstance(document, dict):
        named = document.get("handle", handle)
        if not isinstance(named, str) or fold(named.encode("utf-8", "replace")) != fold(handle):
            message = "the body is for another handle than the path"
            raise refuse(Code.PROTOCOL_ERROR, "body", message, "Name the same handle, or leave it out.")
        entries = document.get("values", [document])
    if not isinstance(entries, list) or len(entries) > MAX_VALUES:
        message = f"there is no list of at most {MAX_VALUES} values in it"
        raise refuse(Code.PROTOCOL_ERROR, "body", message, 'Send {"values": [...]}.')
    return tuple(value_from_json(entry, "value", now_s=now_s) for entry in entries)
