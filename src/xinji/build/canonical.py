"""The one way to write a value as text, so that its hash is the same everywhere (RFC 8785)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from json.encoder import encode_basestring

LARGEST_WHOLE = 2**53 - 1
"""Whole numbers beyond this are not exact to every reader of JSON (RFC 7493 section 2.2)."""


def canonical(value: object) -> str:
    """Return ``value`` as JSON text after RFC 8785: sorted keys, no blanks, shortest numbers.

    ``value`` is None, a bool, a string, a number, or a list, tuple or mapping of such; keys are strings.
    Raises ValueError for what has no such text: numbers that are not finite or not exact, lone surrogates.
    """
    if isinstance(value, str):
        return _string(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        if abs(value) > LARGEST_WHOLE:
            raise ValueError(f"{value} is beyond 2**53 - 1 and not exact to every reader")
        return str(value)
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, Mapping):
        keys = sorted(value) if "".join(value).isascii() else sorted(value, key=_utf16)
        return "{" + ",".join([f"{_string(key)}:{canonical(value[key])}" for key in keys]) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join([canonical(item) for item in value]) + "]"
    raise ValueError(f"{type(value).__name__} has no text in JSON")


def number_text(value: float) -> str:
    """Return ``value`` as ECMAScript writes a number (RFC 8785 section 3.2.2.3); raises ValueError if not finite."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is not finite")
    text = float.__repr__(value)
    if "e" not in text:
        return "0" if value == 0 else text.removesuffix(".0")
    sign, digits, exponent = Decimal(text).normalize().as_tuple()
    digit, minus = "".join(map(str, digits)), "-" * sign
    point = len(digit) + int(exponent)
    if len(digit) <= point <= 21:
        return minus + digit.ljust(point, "0")
    if -6 < point <= 0:
        return f"{minus}0.{'0' * -point}{digit}"
    rest = f".{digit[1:]}" if len(digit) > 1 else ""
    return f"{minus}{digit[0]}{rest}e{point - 1:+d}"


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be")


def _string(text: str) -> str:
    if not text.isascii():
        text.encode()
    return encode_basestring(text)
