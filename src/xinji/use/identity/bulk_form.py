"""Records as lines of JSON and as rows of CSV; pure.

JSON Lines: one record a line, as Handle.Net's HTTP interface answers with: ``{"handle": ..., "values":
[{"index": 1, "type": "URL", "data": {"format": "string", "value": ...}, "ttl": 86400, "timestamp":
"2026-03-15T08:00:00Z", "permissions": "1110", "references": [...]}]}``. ``data`` may be a plain string;
the formats are string, base64, hex and admin. Only index, type and data are needed.

CSV: one value a row under the header ``handle,index,type,data`` and any of ``format,ttl_s,permissions,
timestamp_s,references``; the rows of a record follow one another. References are a JSON list of
``"index:handle"``.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.names import check_handle
from xinji.use.identity.record import DAY_S, PUBLIC, Record, Reference, Value
from xinji.use.identity.value_data import Admin, encode_admin
from xinji.use.identity.wire import utf8

NEEDED = ("handle", "index", "type", "data")
COLUMNS = (*NEEDED, "format", "ttl_s", "permissions", "timestamp_s", "references")
FORMATS = ("string", "base64", "hex", "admin")
ABSOLUTE = "absolute"
VALUE_KEYS = frozenset(("index", "type", "data", "ttl", "ttlType", "timestamp", "permissions", "references"))
RECORD_KEYS = frozenset(("handle", "values", "responseCode"))


def _wrong(message: str, remedy: str) -> IdentifierError:
    return refuse(Code.INVALID_VALUE, "record", message, remedy)


def record_from_line(line: bytes | str, now_s: int) -> Record:
    """Return the record of a JSON line; values without a timestamp get ``now_s``. Raises IdentifierError."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _wrong(f"the line is not JSON: {str(error)[:80]}", "Write one JSON object a line.") from None
    if not isinstance(document, dict) or not RECORD_KEYS.issuperset(document):
        raise _wrong("the line is not an object of handle and values", 'Write {"handle": ..., "values": [...]}.')
    handle, values = document.get("handle"), document.get("values")
    if not isinstance(handle, str) or not isinstance(values, list):
        raise _wrong("handle is not text or values is not a list", 'Write {"handle": ..., "values": [...]}.')
    return Record(check_handle(handle), tuple([_value(item, now_s) for item in values]))


def _value(item: object, now_s: int) -> Value:
    if not isinstance(item, dict) or not VALUE_KEYS.issuperset(item):
        raise _wrong(f"{str(item)[:60]} is not a value", f"Use the keys {', '.join(sorted(VALUE_KEYS))}.")
    index, kind, ttl = item.get("index"), item.get("type"), item.get("ttl", DAY_S)
    if type(index) is not int or type(ttl) is not int or not isinstance(kind, str):
        raise _wrong(
            f"index {index!r}, type {kind!r} or ttl {ttl!r} is of the wrong kind", "Give number, text, number."
        )
    data = item.get("data")
    permissions = item.get("permissions")
    return Value(
        index=index,
        type=kind,
        data=utf8(data) if type(data) is str else data_of(data),
        ttl_s=ttl,
        ttl_absolute=item.get("ttlType") in (1, ABSOLUTE),
        timestamp_s=time_of(item["timestamp"]) if "timestamp" in item else now_s,
        permissions=PUBLIC if permissions in (None, "1110") else permissions_of(permissions),
        references=_listed(item["references"]) if item.get("references") else (),
    )


def data_of(data: object) -> bytes:
    """Return the octets of ``{"format": ..., "value": ...}``; raises IdentifierError."""
    if not isinstance(data, dict) or len(data) != 2 or "format" not in data or "value" not in data:
        raise _wrong(f"data {str(data)[:60]} is not text or format and value", "Give a text, or format and value.")
    form, value = data["format"], data["value"]
    if form == "string" and type(value) is str:
        return utf8(value)
    if form == "admin":
        return _admin(value)
    if not isinstance(value, str):
        raise _wrong(f"the value of data in the format {form!r} is not text", "Give a text.")
    return decoded(str(form), value)


def decoded(form: str, text: str) -> bytes:
    """Return the octets that ``text`` means in ``form`` (string, base64 or hex); raises IdentifierError."""
    try:
        if form == "string":
            return text.encode()
        if form == "base64":
            return base64.b64decode(text, validate=True)
        if form == "hex":
            return bytes.fromhex(text)
    except (ValueError, binascii.Error):
        raise _wrong(f"{text[:40]!r} is not {form}", "Mend the data or its format.") from None
    raise _wrong(f"the format {form[:20]!r} is unknown", f"Use one of {', '.join(FORMATS)}.")


def _admin(value: object) -> bytes:
    found = value if isinstance(value, Mapping) else {}
    handle, index, permissions = found.get("handle"), found.get("index"), found.get("permissions")
    if not isinstance(handle, str) or type(index) is not int or not isinstance(permissions, str):
        raise _wrong(f"{str(value)[:60]} is not an administrator", "Give handle, index and permissions.")
    bits = _bits(permissions, 12)
    return encode_admin(Admin(handle, index, bits))


def _bits(text: str, most: int) -> int:
    if not 1 <= len(text) <= most or not set(text) <= {"0", "1"}:
        raise _wrong(f"the permissions {text[:20]!r} are not up to {most} digits 0 and 1", "Write 1110 for public.")
    return int(text, 2)


def permissions_of(found: object) -> int:
    """Return permissions given as 1110 (admin read, admin write, public read, public write); raises IdentifierError."""
    return _bits(found if isinstance(found, str) else "", 4)


def time_of(found: object) -> int:
    """Return seconds since 1970 of a number or an ISO 8601 time; raises IdentifierError."""
    if type(found) is int:
        return found
    try:
        moment = datetime.fromisoformat(found if isinstance(found, str) else "")
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise _wrong(
            f"the timestamp {str(found)[:40]!r} is no time", "Write 2026-03-15T08:00:00Z or seconds."
        ) from None


def _reference(found: object) -> Reference:
    if isinstance(found, Mapping):
        handle, index = found.get("handle"), found.get("index")
    else:
        number, _, handle = found.partition(":") if isinstance(found, str) else ("", "", "")
        index = int(number) if number.isascii() and number.isdecimal() else None
    if not isinstance(handle, str) or type(index) is not int:
        raise _wrong(f"the reference {str(found)[:60]!r} is not index and handle", "Write 300:88.123/admin.")
    return Reference(handle, index)


def line_of(record: Record) -> str:
    """Return ``record`` as a JSON line, without the line end; ``record_from_line`` reads it back the same."""
    values = [_described(value) for value in record.values]
    return json.dumps({"handle": record.handle, "values": values}, ensure_ascii=False, separators=(",", ":"))


def _described(value: Value) -> dict[str, object]:
    form, text = _text(value.data)
    described: dict[str, object] = {
        "index": value.index,
        "type": value.type,
        "data": {"format": form, "value": text},
        "ttl": value.ttl_s,
        "timestamp": datetime.fromtimestamp(value.timestamp_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "permissions": f"{value.permissions:04b}",
    }
    if value.ttl_absolute:
        described["ttlType"] = 1
    if value.references:
        described["references"] = [{"handle": r.handle, "index": r.index} for r in value.references]
    return described


def _text(data: bytes) -> tuple[str, str]:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return "base64", base64.b64encode(data).decode()
    # A CSV or a terminal may lose control characters.
    return ("string", text) if "\0" not in text and "\r" not in text else ("base64", base64.b64encode(data).decode())


def rows_of(record: Record) -> list[list[str]]:
    """Return ``record`` as rows under ``COLUMNS``, one a value."""
    rows = []
    for value in record.values:
        form, text = _text(value.data)
        ttl = f"{value.ttl_s} {ABSOLUTE}" if value.ttl_absolute else str(value.ttl_s)
        names = [f"{r.index}:{r.handle}" for r in value.references]
        references = json.dumps(names, ensure_ascii=False) if names else ""
        fixed = [record.handle, str(value.index), value.type, text, form, ttl]
        rows.append([*fixed, f"{value.permissions:04b}", str(value.timestamp_s), references])
    return rows


def record_from_rows(rows: Sequence[Mapping[str, str]], now_s: int) -> Record:
    """Return the record of CSV rows of one handle; raises IdentifierError."""
    return Record(check_handle(rows[0]["handle"]), tuple([_cell_value(row, now_s) for row in rows]))


def _cell_value(row: Mapping[str, str], now_s: int) -> Value:
    ttl, _, kind = (row.get("ttl_s") or str(DAY_S)).partition(" ")
    if kind not in ("", ABSOLUTE):
        raise _wrong(f"the TTL ends in {kind[:20]!r}", f"Write seconds, or seconds and {ABSOLUTE}.")
    form = row.get("format") or "string"
    return Value(
        index=_number(row["index"], "index"),
        type=row["type"],
        data=decoded(form, row["data"]),
        ttl_s=_number(ttl, "ttl_s"),
        ttl_absolute=bool(kind),
        timestamp_s=_number(row["timestamp_s"], "timestamp_s") if row.get("timestamp_s") else now_s,
        permissions=permissions_of(row["permissions"]) if row.get("permissions") else PUBLIC,
        references=_references(row["references"]) if row.get("references") else (),
    )


def _references(cell: str) -> tuple[Reference, ...]:
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        found = None
    return _listed(found)


def _listed(found: object) -> tuple[Reference, ...]:
    if not isinstance(found, list):
        raise _wrong(f"the references {str(found)[:60]!r} are not a list", 'Write ["300:88.123/admin"].')
    return tuple([_reference(item) for item in found])


def _number(text: str, name: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 12:
        raise _wrong(f"{name} is {text[:20]!r}", "Give a whole number.")
    return int(text)
