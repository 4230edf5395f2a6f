"""Site records as JSON and back, as Handle.Net's HTTP interface writes them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from ipaddress import ip_address

from xinji.use.identity import value_data as hs
from xinji.use.identity.errors import Code, refuse
from xinji.use.identity.http.message import Json, member_number, member_text, object_of

_PROTOCOLS = ("UDP", "TCP", "HTTP", "HTTPS")


def site_json(site: hs.Site) -> dict[str, Json]:
    """Return ``site`` as JSON."""
    found: dict[str, Json] = {
        "version": site.version,
        "protocolVersion": ".".join(str(part) for part in site.protocol),
        "serialNumber": site.serial,
        "primarySite": site.primary,
        "multiPrimary": site.multi_primary,
    }
    if site.hash_option != hs.HASH_BY_ALL:
        found["hashOption"] = site.hash_option
    if site.hash_filter:
        found["hashFilter"] = site.hash_filter.decode("utf-8", "replace")
    found["attributes"] = [{"name": name, "value": value} for name, value in site.attributes]
    found["servers"] = [_server_json(server) for server in site.servers]
    return found


def _server_json(server: hs.Server) -> dict[str, Json]:
    interfaces: list[Json] = [
        {
            "query": bool(interface.service & hs.SERVICE_QUERY),
            "admin": bool(interface.service & hs.SERVICE_ADMIN),
            "protocol": _PROTOCOLS[interface.protocol] if interface.protocol < len(_PROTOCOLS) else interface.protocol,
            "port": interface.port,
        }
        for interface in server.interfaces
    ]
    key: Json = {"format": "base64", "value": base64.b64encode(server.public_key).decode("ascii")}
    return {"serverId": server.number, "address": server.address, "publicKey": key, "interfaces": interfaces}


def site_from_json(document: Json, place: str, key_from_json: Callable[[Json, str], bytes]) -> hs.Site:
    """Return the site that ``document`` describes; ``key_from_json`` reads a server's key.

    Raises IdentifierError with what is missing or of the wrong form.
    """
    entry = object_of(document, place)
    major, _, minor = _text(entry, "protocolVersion", "2.11", place).partition(".")
    if not (major + minor).isascii() or not (major + minor).isdecimal() or int(major) > 255 or int(minor or "0") > 255:
        raise refuse(Code.INVALID_VALUE, place, "protocolVersion is no version", 'Write "3.0".')
    return hs.Site(
        servers=tuple(_server(item, place, key_from_json) for item in _list(entry.get("servers", []), place)),
        serial=_within(entry, "serialNumber", 1, place, 65_535),
        version=_within(entry, "version", 1, place, 65_535),
        protocol=(int(major), int(minor or "0")),
        primary=entry.get("primarySite") is True,
        multi_primary=entry.get("multiPrimary") is True,
        hash_option=_within(entry, "hashOption", hs.HASH_BY_ALL, place, hs.HASH_BY_ALL),
        hash_filter=_text(entry, "hashFilter", "", place).encode("utf-8", "replace"),
        attributes=tuple(_attribute(item, place) for item in _list(entry.get("attributes", []), place)),
    )


def _server(document: Json, place: str, key_from_json: Callable[[Json, str], bytes]) -> hs.Server:
    entry = object_of(document, place)
    address = member_text(entry, "address", place)
    try:
        ip_address(address)
    except ValueError as error:
        message = f"{address[:60]!r} is no IP address"
        raise refuse(Code.INVALID_VALUE, place, message, "Give an IPv4 or IPv6 address.") from error
    interfaces = tuple(_interface(item, place) for item in _list(entry.get("interfaces", []), place))
    number = _within(entry, "serverId", 1, place, 2**31)
    return hs.Server(number, address, _key(entry, place, key_from_json), interfaces)


def _key(entry: dict[str, Json], place: str, key_from_json: Callable[[Json, str], bytes]) -> bytes:
    found = entry.get("publicKey")
    if found is None:
        return b""
    key = object_of(found, place)
    if member_text(key, "format", place) == "key":
        return key_from_json(key.get("value"), place)
    try:
        return base64.b64decode(member_text(key, "value", place), validate=True)
    except ValueError as error:
        raise refuse(Code.INVALID_VALUE, place, "publicKey is not base64", "Give format key or base64.") from error


def _interface(document: Json, place: str) -> hs.Interface:
    entry = object_of(document, place)
    asked = entry.get("protocol")
    protocol = _PROTOCOLS.index(asked) if isinstance(asked, str) and asked in _PROTOCOLS else asked
    if not isinstance(protocol, int) or not 0 <= protocol <= 255:
        message = "an interface's protocol is not known"
        raise refuse(Code.INVALID_VALUE, place, message, f"Use one of {', '.join(_PROTOCOLS)}.")
    query = hs.SERVICE_QUERY if entry.get("query") is True else 0
    admin = hs.SERVICE_ADMIN if entry.get("admin") is True else 0
    return hs.Interface(query | admin, protocol, _within(entry, "port", 0, place, 65_535))


def _attribute(document: Json, place: str) -> tuple[str, str]:
    entry = object_of(document, place)
    return member_text(entry, "name", place), member_text(entry, "value", place)


def _list(document: Json, place: str) -> list[Json]:
    if not isinstance(document, list):
        raise refuse(Code.INVALID_VALUE, place, "a list was expected", "Write [...].")
    return document


def _text(entry: dict[str, Json], name: str, default: str, place: str) -> str:
    return member_text(entry, name, place) if name in entry else default


def _within(entry: dict[str, Json], name: str, default: int, place: str, most: int) -> int:
    found = member_number(entry, name, place) if name in entry else default
    if not 0 <= found <= most:
        raise refuse(Code.INVALID_VALUE, place, f"{name} is {found}", f"Keep it within 0 and {most}.")
    return found
