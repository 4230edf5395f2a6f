"""Values as JSON and back, as Handle.Net's HTTP interface writes them.

Source: Handle.Net technical manual 9 section 14.3 (JSON representation of handle values).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from struct import Struct

from xinji.use.identity import value_data as hs
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.http.message import Json, member_number, member_text, object_of, write_json
from xinji.use.identity.http.site_json import site_from_json, site_json
from xinji.use.identity.record import DAY_S, HEAD, PRIVATE, PUBLIC, Reference, Value
from xinji.use.identity.wire import Cursor

_U32 = Struct(">I")
_TEXT_OCTETS = bytes((*range(0x09, 0x14), *range(0x20, 0x7F), *range(0x80, 0x100)))
"""Octets that text may hold; others make Handle.Net show data as base64."""
_NONE = bytes(4)
_PART, _PART_TEXT = b"\x7f", "\x7f"
"""Put between data: no octet of text, and JSON leaves it as it is."""
_OPEN, _CLOSE = '{"format":"string","value":"', '"}'
_MOST_HEADS = 65_536
_HEADS: dict[bytes, tuple[str, str, bytes]] = {}
"""What was made before, bounded; it can be emptied at any time."""
_PERMISSIONS = re.compile(r"[01]{1,4}")
_ADMIN_BITS = 12
_STRUCTURED = frozenset(kind.encode() for kind in (hs.ADMIN, hs.VLIST, hs.SITE, hs.SITE_PREFIX, hs.PUBKEY))


def values_json(body: bytes) -> str:
    """Return the JSON array of the values in ``body``, an encoded list as the store keeps it."""
    # Every resolution over HTTP goes through here: what values have in common is made once and looked up, and
    # all data is decoded and escaped in one go.
    length_of, heads = _U32.unpack_from, _HEADS
    offset = 4
    befores, afters, data = [], [], []
    while offset < len(body):
        end = offset + HEAD.size + body[offset + HEAD.size - 1]
        before, after, structured = heads.get(body[offset:end]) or _head(body[offset:end])
        start = end + 4
        end = start + length_of(body, end)[0]
        offset = end + 4
        if body[end:offset] != _NONE:
            cited, offset = _references(body, end)
            after = f"{after[:-1]}{cited}}}"
        if structured:
            before += _structured(structured, body[start:end])
            data.append(b"")
        else:
            data.append(body[start:end])
        befores.append(before)
        afters.append(after)
    return _joined(befores, data, afters) if data else "[]"


def _joined(befores: list[str], data: list[bytes], afters: list[str]) -> str:
    together = _PART.join(data)
    pieces = [","] * (4 * len(data))
    pieces[0::4], pieces[2::4] = befores, afters
    # All octets of text go, but for those put between; more left than these show that some data is binary.
    if together.translate(None, _TEXT_OCTETS) == _PART * (len(data) - 1) and _is_utf8(together):
        pieces[1::4] = encode_basestring(together.decode())[1:-1].split(_PART_TEXT)
    else:
        for place, (before, item) in enumerate(zip(befores, data, strict=True)):
            pieces[4 * place] = before.removesuffix(_OPEN)
            pieces[4 * place + 1] = _plain(item) if before.endswith(_OPEN) else ""
            pieces[4 * place + 2] = afters[place].removeprefix(_CLOSE)
    return f"[{''.join(pieces[:-1])}]"


def _is_utf8(octets: bytes) -> bool:
    if octets.isascii():
        return True
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


def _head(octets: bytes) -> tuple[str, str, bytes]:
    """Return what stands before and after the data of values with the head ``octets``, and a structured type."""
    index, stamp, absolute, ttl, permissions, _ = HEAD.unpack_from(octets)
    kind = octets[HEAD.size :]
    structured = kind if kind in _STRUCTURED else b""
    rights = "" if permissions == PUBLIC else f',"permissions":"{permissions & 15:04b}"'
    life = f'"{_moment(ttl)}"' if absolute else f"{ttl}"
    when = f',"timestamp":"{_moment(stamp)}"' if stamp else ""
    before = f'{{"index":{index},"type":{encode_basestring(kind.decode("utf-8", "replace"))},"data":'
    after = f'{rights},"ttl":{life}{when}}}'
    if len(_HEADS) >= _MOST_HEADS:
        _HEADS.clear()
    found = (before, after, structured) if structured else (before + _OPEN, _CLOSE + after, b"")
    _HEADS[octets] = found
    return found


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(data: bytes) -> str:
    if not data.translate(None, _TEXT_OCTETS):
        try:
            return f'{{"format":"string","value":{encode_basestring(data.decode())}}}'
        except UnicodeDecodeError:
            pass
    return f'{{"format":"base64","value":"{base64.b64encode(data).decode("ascii")}"}}'


@lru_cache(maxsize=4096)
def _structured(kind: bytes, data: bytes) -> str:
    """Return what data of a reserved type says; as plain data where it is not what its type promises."""
    try:
        form, found = _read_structured(kind, data)
    except IdentifierError:
        return _plain(data)
    return write_json({"format": form, "value": found}).decode()


def _read_structured(kind: bytes, data: bytes) -> tuple[str, Json]:
    if kind == hs.ADMIN.encode():
        admin = hs.decode_admin(data)
        rights = f"{admin.permissions & hs.EVERYTHING:0{_ADMIN_BITS}b}"
        return "admin", {"handle": admin.handle, "index": admin.index, "permissions": rights}
    if kind == hs.VLIST.encode():
        return "vlist", [{"handle": item.handle, "index": item.index} for item in hs.decode_vlist(data)]
    if kind == hs.PUBKEY.encode():
        return "key", key_json(data)
    return "site", site_json(hs.decode_site(data))


def _references(body: bytes, offset: int) -> tuple[str, int]:
    cursor = Cursor(body, offset)
    found = [(cursor.text(), cursor.u32()) for _ in range(cursor.u32())]
    parts = [f'{{"handle":{encode_basestring(handle)},"index":{index}}}' for handle, index in found]
    return f',"references":[{",".join(parts)}]', cursor.offset


def key_json(data: bytes) -> dict[str, Json]:
    """Return HS_PUBKEY ``data`` as the JSON web key of its numbers (RFC 7518 section 6.3, and alike for DSA)."""
    key = hs.decode_public_key(data)
    if isinstance(key, hs.RsaPublicKey):
        return {"kty": "RSA", "n": _number(key.modulus), "e": _number(key.exponent)}
    return {"kty": "DSA", "y": _number(key.y), "p": _number(key.p), "q": _number(key.q), "g": _number(key.g)}


def key_from_json(document: Json, place: str) -> bytes:
    """Return HS_PUBKEY data of what `key_json` makes; raises IdentifierError where it is something else."""
    key = object_of(document, place)
    kind = member_text(key, "kty", place).upper()
    names = {"RSA": ("e", "n"), "DSA": ("q", "p", "g", "y")}.get(kind)
    if names is None:
        message = f"keys of kind {kind[:20]!r} are not known"
        raise refuse(Code.INVALID_VALUE, place, message, "Give kty RSA or DSA.")
    numbers = [_unnumber(member_text(key, name, place), place) for name in names]
    return hs.encode_public_key(hs.RsaPublicKey(*numbers) if kind == "RSA" else hs.DsaPublicKey(*numbers))


def _number(number: int) -> str:
    octets = number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _unnumber(text: str, place: str) -> int:
    return int.from_bytes(unbase64(text.replace("-", "+").replace("_", "/"), place), "big")


def unbase64(text: str, place: str) -> bytes:
    """Return the octets of base64 ``text``, padded or not; raises IdentifierError (INVALID_VALUE) where it is none."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise refuse(Code.INVALID_VALUE, place, "it is not base64", "Encode octets as base64.") from error


def value_from_json(document: Json, place: str, *, now_s: int) -> Value:
    """Return the value that ``document`` describes, changed at ``now_s`` [s since 1970].

    A secret key is private unless it says otherwise, and it may not say that everybody reads it.
    Raises IdentifierError (protocol error, INVALID_VALUE) with what is missing or of the wrong form.
    """
    entry = object_of(document, place)
    index = _index(entry, place)
    place = f"{place} {index}"
    kind = member_text(entry, "type", place)
    secret = kind.upper() == hs.SECKEY
    permissions = _rights(entry.get("permissions"), place, default=PRIVATE if secret else PUBLIC)
    if secret and permissions & (PUBLIC ^ PRIVATE):
        message = "a secret key that everybody may read is none"
        raise refuse(Code.INVALID_VALUE, place, message, 'Leave "permissions" out, or give "1100".')
    absolute, ttl_s = _life(entry.get("ttl"), place)
    cited = entry.get("references")
    return Value(
        index=index,
        type=kind,
        data=_data(entry.get("data"), place),
        ttl_s=ttl_s,
        ttl_absolute=absolute,
        timestamp_s=now_s,
        permissions=permissions,
        references=() if cited is None else references_from_json(cited, place),
    )


def _index(entry: dict[str, Json], place: str) -> int:
    # Clients write the index of administrators as text now and then; Handle.Net reads both.
    found = entry.get("index")
    if isinstance(found, str) and found.isascii() and found.isdecimal() and len(found) <= 10:
        return int(found)
    return member_number(entry, "index", place)


def _rights(found: Json, place: str, *, default: int) -> int:
    if found is None:
        return default
    if found == "*":
        return 0b1111
    if isinstance(found, str) and _PERMISSIONS.fullmatch(found):
        return int(found, 2)
    message = "permissions are four bits: administrators read, write, everybody reads, writes"
    raise refuse(Code.INVALID_VALUE, place, message, 'Give "1110", or leave them out.')


def _life(found: Json, place: str) -> tuple[bool, int]:
    if found is None:
        return False, DAY_S
    if isinstance(found, int) and not isinstance(found, bool):
        return False, found
    if isinstance(found, str):
        try:
            return True, int(datetime.fromisoformat(found).timestamp())
        except (ValueError, OverflowError) as error:
            message = "ttl is no ISO 8601 time"
            raise refuse(Code.INVALID_VALUE, place, message, 'Give seconds, or "2027-01-31T00:00:00Z".') from error
    raise refuse(Code.INVALID_VALUE, place, "ttl is no number", "Give seconds as a whole number.")


def _data(found: Json, place: str) -> bytes:
    if isinstance(found, str):
        return _octets(found, place)
    entry = object_of(found, place)
    form = member_text(entry, "format", place).lower()
    if form in _PLAIN_FORMS:
        return _PLAIN_FORMS[form](member_text(entry, "value", place), place)
    if form in _OTHER_FORMS:
        return _OTHER_FORMS[form](entry.get("value"), place)
    message = f"format {form[:20]!r} is not known"
    raise refuse(Code.INVALID_VALUE, place, message, f"Use {', '.join((*_PLAIN_FORMS, *_OTHER_FORMS))}.")


def _octets(text: str, place: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise refuse(Code.INVALID_VALUE, place, "half a character has no UTF-8", "Send whole characters.") from error


def _unhex(text: str, place: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise refuse(Code.INVALID_VALUE, place, "it is not hexadecimal", "Write two digits an octet.") from error


def _admin(document: Json, place: str) -> bytes:
    entry = object_of(document, place)
    rights = entry.get("permissions")
    if isinstance(rights, str) and re.fullmatch(r"[01]{1,13}", rights):
        permissions = int(rights, 2) & hs.EVERYTHING
    elif rights == "*":
        permissions = hs.EVERYTHING
    else:
        message = "an administrator's permissions are twelve bits as text"
        raise refuse(Code.INVALID_VALUE, place, message, 'Give "111111111111", or fewer rights.')
    return hs.encode_admin(hs.Admin(_handle(entry, place), _index(entry, place), permissions))


def _handle(entry: dict[str, Json], place: str) -> str:
    return _octets(member_text(entry, "handle", place), place).decode()


def references_from_json(document: Json, place: str) -> tuple[Reference, ...]:
    """Return the references in a JSON array of handles and indexes; raises IdentifierError where one is none."""
    if not isinstance(document, list):
        raise refuse(Code.INVALID_VALUE, place, "references are no list", 'Give [{"handle": ..., "index": ...}].')
    entries = [object_of(item, place) for item in document]
    return tuple(Reference(_handle(entry, place), _index(entry, place)) for entry in entries)


def _vlist(document: Json, place: str) -> bytes:
    return hs.encode_vlist(references_from_json(document, place))


def _site(document: Json, place: str) -> bytes:
    return hs.encode_site(site_from_json(document, place, key_from_json))


_PLAIN_FORMS: dict[str, Callable[[str, str], bytes]] = {"string": _octets, "base64": unbase64, "hex": _unhex}
_OTHER_FORMS: dict[str, Callable[[Json, str], bytes]] = {
    "admin": _admin,
    "vlist": _vlist,
    "site": _site,
    "key": key_from_json,
}
