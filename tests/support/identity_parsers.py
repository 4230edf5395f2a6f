"""Parsers of the identity core for names, bulk forms and templates; see ``parsers``."""

from __future__ import annotations

import json
from collections.abc import Callable

from xinji.use.identity import names, oid
from xinji.use.identity.bulk_form import line_of, record_from_line
from xinji.use.identity.bulk_table import columns_of, is_table, record_from_cells
from xinji.use.identity.shape_table import decode_shape, encode_shape
from xinji.use.identity.templates import template_from_json


def name(octets: bytes) -> object:
    """Read a name of any kind."""
    return names.handle_of(octets.decode("utf-8", "surrogateescape"))


def line(octets: bytes) -> object:
    """Read a record from a JSON line and write it again."""
    return line_of(record_from_line(octets, 0))


def table(octets: bytes) -> object:
    """Read the first line as a table's header and the others as its rows, cells parted by commas."""
    rows = [row.split(",") for row in octets.decode("latin-1").split("\n")]
    if not is_table(rows[0]):
        return None
    columns = columns_of(rows[0], "table")
    return [record_from_cells(row, columns, 0) for row in rows[1:]]


def template(octets: bytes) -> object:
    """Read a template from JSON."""
    try:
        document = json.loads(octets)
    except (ValueError, RecursionError):
        return None
    return template_from_json(document)


def shape(octets: bytes) -> object:
    """Read a shape as a damaged store might hold it, and make its form."""
    found = decode_shape(octets)
    return found.form(), found.getter(), encode_shape(found)


PARSERS: dict[str, Callable[[bytes], object]] = {
    "identity name": name,
    "identity object identifier": oid.decode_oid,
    "identity JSON line": line,
    "identity table": table,
    "identity template": template,
    "identity shape": shape,
}

SEEDS: dict[str, tuple[bytes, ...]] = {
    "identity name": (b"88.1/a", b"urn:oid:1.2.156", b"ecode:1000012345678", b"urn:gs1:01:09506000134352"),
    "identity object identifier": (bytes.fromhex("2a864886f70d"),),
    "identity JSON line": (
        (
            b'{"handle":"88.1/a","values":[{"index":1,"type":"URL","data":{"format":"string","value":"x"},"ttl":5,'
            b'"timestamp":"2026-03-15T08:00:00Z","permissions":"1110","references":[{"handle":"88.1/b","index":1}]}]}'
        ),
    ),
    "identity table": (b"handle,1:URL,2:COST:1100,100:HS_ADMIN\n88.1/a,x,,200:0.NA/88.1:111\n",),
    "identity template": (
        b'{"prefix":"88.1","version":"1","items":[{"idType":"ip","metadata":{"type":"string","maxLength":10}}]}',
        (
            b'{"metaHandle":"88.1/M","metaItemCreateDTOS":[{"englishName":"n","itemSchemaCreateDTO":{"dataType":2,'
            b'"numberRange":"[1,10]"}}]}'
        ),
    ),
    "identity shape": (b"\x01\0\0\0\0\0\0\0\x01\0\0" + bytes(3) + b"\x01" + bytes(9) + b"\x0e\0\0\0\x01N" + bytes(8),),
}
