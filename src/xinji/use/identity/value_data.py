"""Octets of the data of the reserved types: HS_ADMIN, HS_SITE, HS_VLIST, HS_PUBKEY; the others are plain text.

HS_SERV and HS_ALIAS hold a handle, URL an address, EMAIL a mailbox, HS_SECKEY a secret, all as UTF-8.

Source: RFC 3651 section 3.2 with the errata of Handle.Net (permissions before the administrator, the
site's version is 1, addresses are right-aligned in 16 octets), DO-IRP specification v3.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import md5, sha1
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from xinji.use.identity.errors import Code, refuse
from xinji.use.identity.record import Reference, decode_references, encode_references
from xinji.use.identity.wire import Cursor, string, u8, u16, u32

ADMIN, SITE, SITE_PREFIX, SERV, ALIAS = "HS_ADMIN", "HS_SITE", "HS_SITE.PREFIX", "HS_SERV", "HS_ALIAS"
VLIST, PUBKEY, SECKEY, URL, EMAIL = "HS_VLIST", "HS_PUBKEY", "HS_SECKEY", "URL", "EMAIL"
CERT, SIGNATURE = "HS_CERT", "HS_SIGNATURE"

ADD_HANDLE, DELETE_HANDLE, ADD_DERIVED_PREFIX, DELETE_DERIVED_PREFIX = 0x001, 0x002, 0x004, 0x008
MODIFY_VALUE, REMOVE_VALUE, ADD_VALUE = 0x010, 0x020, 0x040
MODIFY_ADMIN, REMOVE_ADMIN, ADD_ADMIN = 0x080, 0x100, 0x200
READ_VALUE, LIST_HANDLES = 0x400, 0x800
EVERYTHING = 0xFFF
"""All that an administrator may be allowed."""

SERVICE_ADMIN, SERVICE_QUERY, SERVICE_BOTH = 1, 2, 3
UDP, TCP, HTTP, HTTPS = 0, 1, 2, 3
HASH_BY_PREFIX, HASH_BY_SUFFIX, HASH_BY_ALL = 0, 1, 2
PRIMARY_SITE, MULTI_PRIMARY = 0x80, 0x40
LEAST_SERVER, LEAST_INTERFACE, LEAST_ATTRIBUTE = 28, 6, 8
RSA, DSA = "RSA_PUB_KEY", "DSA_PUB_KEY"


def _cursor(data: bytes) -> Cursor:
    return Cursor(data, code=Code.INVALID_VALUE)


@dataclass(frozen=True, slots=True)
class Admin:
    """Who administers a record: the identity ``index``:``handle`` and the sum of what it may do."""

    handle: str
    index: int
    permissions: int = EVERYTHING


def encode_admin(admin: Admin) -> bytes:
    """Return the data of an HS_ADMIN value."""
    return u16(admin.permissions) + string(admin.handle) + u32(admin.index)


def decode_admin(data: bytes) -> Admin:
    """Read the data of an HS_ADMIN value; two further octets of an older form are passed over."""
    cursor = _cursor(data)
    permissions = cursor.u16()
    admin = Admin(cursor.text(), cursor.u32(), permissions)
    if cursor.end - cursor.offset == 2:
        cursor.raw(2)
    cursor.done()
    return admin


class Interface(NamedTuple):
    """Where a server listens: ``service`` (SERVICE_*), ``protocol`` (UDP, TCP, HTTP) and port."""

    service: int
    protocol: int
    port: int


@dataclass(frozen=True, slots=True)
class Server:
    """A server of a site: number, address, public key (as HS_PUBKEY data) and interfaces."""

    number: int
    address: str
    public_key: bytes = b""
    interfaces: tuple[Interface, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """A site of a service: ``hash_option`` says by which part of a handle one of ``servers`` answers for it."""

    servers: tuple[Server, ...]
    serial: int = 1
    version: int = 1
    protocol: tuple[int, int] = (3, 0)
    primary: bool = True
    multi_primary: bool = False
    hash_option: int = HASH_BY_ALL
    hash_filter: bytes = b""
    attributes: tuple[tuple[str, str], ...] = ()


def encode_site(site: Site) -> bytes:
    """Return the data of an HS_SITE value."""
    flags = (PRIMARY_SITE if site.primary else 0) | (MULTI_PRIMARY if site.multi_primary else 0)
    head = (
        u16(site.version) + b"".join(u8(n) for n in site.protocol) + u16(site.serial) + u8(flags) + u8(site.hash_option)
    )
    attributes = b"".join(string(name) + string(value) for name, value in site.attributes)
    servers = b"".join(_encode_server(server) for server in site.servers)
    counted = u32(len(site.attributes)) + attributes + u32(len(site.servers)) + servers
    return head + string(site.hash_filter) + counted


def _encode_server(server: Server) -> bytes:
    interfaces = b"".join(u8(i.service) + u8(i.protocol) + u32(i.port) for i in server.interfaces)
    try:
        address = ip_address(server.address).packed.rjust(16, b"\0")
    except ValueError:
        remedy = "Give one as 192.0.2.7 or 2001:db8::7."
        message = f"{server.address[:60]!r} is no address"
        raise refuse(Code.INVALID_VALUE, f"server {server.number}", message, remedy) from None
    return u32(server.number) + address + string(server.public_key) + u32(len(server.interfaces)) + interfaces


def decode_site(data: bytes) -> Site:
    """Read the data of an HS_SITE value."""
    cursor = _cursor(data)
    version, protocol, serial = cursor.u16(), (cursor.u8(), cursor.u8()), cursor.u16()
    flags, hash_option, hash_filter = cursor.u8(), cursor.u8(), cursor.string()
    attributes = tuple((cursor.text(), cursor.text()) for _ in range(cursor.count(LEAST_ATTRIBUTE)))
    servers = tuple(_decode_server(cursor) for _ in range(cursor.count(LEAST_SERVER)))
    cursor.done()
    return Site(
        servers=servers,
        serial=serial,
        version=version,
        protocol=protocol,
        primary=bool(flags & PRIMARY_SITE),
        multi_primary=bool(flags & MULTI_PRIMARY),
        hash_option=hash_option,
        hash_filter=hash_filter,
        attributes=attributes,
    )


def _decode_server(cursor: Cursor) -> Server:
    number, packed, key = cursor.u32(), cursor.raw(16), cursor.string()
    # Four octets at the end of zeros are an IPv4 address; the loopback ::1 is not one.
    short = packed[:12] == bytes(12) and packed[12:15] != bytes(3)
    address = str(IPv4Address(packed[12:]) if short else IPv6Address(packed))
    interfaces = tuple(Interface(cursor.u8(), cursor.u8(), cursor.u32()) for _ in range(cursor.count(LEAST_INTERFACE)))
    return Server(number, address, key, interfaces)


def server_of(site: Site, folded: bytes) -> Server:
    """Return the server of ``site`` that answers for the folded handle ``folded``.

    The last four octets of the MD5 of the part chosen by the site's hash option, as a signed number's
    magnitude, modulo the number of servers. Source: RFC 3651 section 3.2.2, errata to page 17.
    """
    prefix, _, suffix = folded.partition(b"/")
    part = {HASH_BY_PREFIX: prefix, HASH_BY_SUFFIX: suffix}.get(site.hash_option, folded)
    digest = md5(part, usedforsecurity=False).digest()
    number = abs(int.from_bytes(digest[12:], "big", signed=True))
    return site.servers[number % len(site.servers)]


def encode_vlist(references: tuple[Reference, ...]) -> bytes:
    """Return the data of an HS_VLIST value: the members of a group."""
    return encode_references(references)


def decode_vlist(data: bytes) -> tuple[Reference, ...]:
    """Read the data of an HS_VLIST value."""
    cursor = _cursor(data)
    references = decode_references(cursor)
    cursor.done()
    return references


class RsaPublicKey(NamedTuple):
    """The numbers of an RSA public key."""

    exponent: int
    modulus: int


class DsaPublicKey(NamedTuple):
    """The numbers of a DSA public key."""

    q: int
    p: int
    g: int
    y: int


def _number(number: int) -> bytes:
    # As a signed number: a leading zero octet where the highest bit is set.
    return string(number.to_bytes(number.bit_length() // 8 + 1, "big"))


def encode_public_key(key: RsaPublicKey | DsaPublicKey) -> bytes:
    """Return the data of an HS_PUBKEY value: name of the kind, two octets of zero, the numbers.

    Source: DO-IRP specification v3.0; Handle.Net closes RSA keys with an empty string, and so do we.
    """
    kind, tail = (RSA, u32(0)) if isinstance(key, RsaPublicKey) else (DSA, b"")
    return string(kind) + u16(0) + b"".join(_number(number) for number in key) + tail


def decode_public_key(data: bytes) -> RsaPublicKey | DsaPublicKey:
    """Read the data of an HS_PUBKEY value; what follows the numbers is not read."""
    cursor = _cursor(data)
    kind = cursor.text()
    if kind not in (RSA, DSA):
        raise cursor.wrong(f"the key is of the kind {kind[:40]!r}, not {RSA} or {DSA}")
    cursor.u16()
    numbers = [int.from_bytes(cursor.string(), "big") for _ in range(2 if kind == RSA else 4)]
    return RsaPublicKey(*numbers) if kind == RSA else DsaPublicKey(*numbers)


def hashed_secret(secret: bytes) -> bytes:
    """Return what Handle.Net keeps of a secret that is stored hashed: its SHA-1 in lower-case hexadecimal."""
    return sha1(secret, usedforsecurity=False).hexdigest().encode()
