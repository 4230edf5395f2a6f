"""A second decoder of DO-IRP messages, written from RFC 3652 with struct alone; shares nothing with the first."""

from __future__ import annotations

import struct
from typing import Any

DIGEST_SIZES = {1: 16, 2: 20, 3: 32}


def number(data: bytes, at: int) -> tuple[int, int]:
    return struct.unpack_from(">I", data, at)[0], at + 4


def utf8_string(data: bytes, at: int) -> tuple[str, int]:
    octets, at = byte_string(data, at)
    return octets.decode("utf-8"), at


def byte_string(data: bytes, at: int) -> tuple[bytes, int]:
    (size,) = struct.unpack_from(">I", data, at)
    content = data[at + 4 : at + 4 + size]
    if len(content) != size:
        message = "a string is cut short"
        raise ValueError(message)
    return content, at + 4 + size


def index_list(data: bytes, at: int) -> tuple[list[int], int]:
    (count,) = struct.unpack_from(">I", data, at)
    return list(struct.unpack_from(f">{count}I", data, at + 4)), at + 4 + 4 * count


def string_list(data: bytes, at: int) -> tuple[list[str], int]:
    count, at = number(data, at)
    found = []
    for _ in range(count):
        text, at = utf8_string(data, at)
        found.append(text)
    return found, at


def handle_value(data: bytes, at: int) -> tuple[dict[str, Any], int]:
    """RFC 3651, section 3.1, in the order in which Handle.Net sends the fields."""
    index, timestamp, ttl_type, ttl, permission = struct.unpack_from(">IIBIB", data, at)
    at += 14
    type_name, at = utf8_string(data, at)
    content, at = byte_string(data, at)
    count, at = number(data, at)
    references = []
    for _ in range(count):
        handle, at = utf8_string(data, at)
        reference, at = number(data, at)
        references.append((handle, reference))
    value = {
        "index": index,
        "timestamp": timestamp,
        "ttl_type": ttl_type,
        "ttl": ttl,
        "permission": permission,
        "type": type_name,
        "data": content,
        "references": references,
    }
    return value, at


def value_list(data: bytes, at: int) -> tuple[list[dict[str, Any]], int]:
    count, at = number(data, at)
    found = []
    for _ in range(count):
        value, at = handle_value(data, at)
        found.append(value)
    return found, at


def envelope(data: bytes) -> dict[str, int]:
    """Section 2.2.1."""
    major, minor, flag = struct.unpack_from(">BBH", data)
    session, request, sequence, length = struct.unpack_from(">IIII", data, 4)
    return {
        "major": major,
        "minor": minor,
        "compressed": flag >> 15,
        "encrypted": flag >> 14 & 1,
        "truncated": flag >> 13 & 1,
        "session": session,
        "request": request,
        "sequence": sequence,
        "length": length,
    }


def header(data: bytes) -> dict[str, int]:
    """Section 2.2.2."""
    names = ("op", "response", "flags", "serial", "recursion", "reserved", "expiration", "body_length")
    return dict(zip(names, struct.unpack_from(">IIIHBBII", data, 20), strict=True))


def body(data: bytes, head: dict[str, int]) -> dict[str, Any]:
    """Section 3, for what resolution and administration send; everything else comes back as octets."""
    at = 44
    found: dict[str, Any] = {}
    end = at + head["body_length"]
    if head["response"] and head["flags"] & 0x00800000:
        found["digest"] = data[at + 1 : at + 1 + DIGEST_SIZES[data[at]]]
        at += 1 + DIGEST_SIZES[data[at]]
    if at == end:
        return found
    op, response = head["op"], head["response"]
    if op == 1 and response == 0:
        found["handle"], at = utf8_string(data, at)
        found["indexes"], at = index_list(data, at)
        found["types"], at = string_list(data, at)
    elif (op == 1 and response == 1) or (op in (100, 102, 104) and response == 0):
        found["handle"], at = utf8_string(data, at)
        found["values"], at = value_list(data, at)
    elif op == 103 and response == 0:
        found["handle"], at = utf8_string(data, at)
        found["indexes"], at = index_list(data, at)
    elif response in (302, 303):
        found["handle"], at = utf8_string(data, at)
        if at < end:
            found["values"], at = value_list(data, at)
    elif response == 402:
        found["nonce"], at = byte_string(data, at)
    elif response > 1:
        found["text"], at = utf8_string(data, at)
        if at < end:
            found["indexes"], at = index_list(data, at)
    else:
        found["octets"], at = data[at:end], end
    if at != end:
        message = f"the body ends at {end}, its fields at {at}"
        raise ValueError(message)
    return found


def message(data: bytes) -> dict[str, Any]:
    """A whole message with its credential in octets (section 2.2)."""
    front, head = envelope(data), header(data)
    if len(data) != 20 + front["length"]:
        text = "the message is cut short"
        raise ValueError(text)
    content = body(data, head)
    credential, at = byte_string(data, 44 + head["body_length"])
    if at != len(data):
        text = "octets are left over"
        raise ValueError(text)
    return {"envelope": front, "header": head, "body": content, "credential": credential}
