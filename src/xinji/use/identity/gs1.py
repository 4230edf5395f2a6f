"""GS1 identification keys and their qualifiers: which there are, how they are written, their check characters.

Source: GS1 General Specifications release 24, sections 3.2 to 3.9 and 7.9 to 7.11; GS1 Digital Link standard,
URI syntax, release 1.4.0, section 4.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.names import GS1_PREFIX, check_handle, gs1_check_digit

_X = r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]"
"""Character set 82 (GS1 General Specifications figure 7.11-1)."""
_Y = r"[#\-/0-9A-Z]"
"""Character set 39 (figure 7.11-2)."""
_GMN_WEIGHTS = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83)
_GMN_MODULUS = 1021
_GMN_CHARACTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_SET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


class Kind(NamedTuple):
    """One application identifier: title, how its value is written, how many leading digits a check digit closes."""

    title: str
    form: re.Pattern[str]
    words: str
    checked: int = 0


def _kind(title: str, form: str, words: str, checked: int = 0) -> Kind:
    return Kind(title, re.compile(form), words, checked)


KINDS: dict[str, Kind] = {
    "00": _kind("SSCC", r"\d{18}", "18 digits", 18),
    "01": _kind("GTIN", r"\d{14}", "14 digits", 14),
    "253": _kind("GDTI", rf"\d{{13}}{_X}{{0,17}}", "13 digits and up to 17 characters", 13),
    "255": _kind("GCN", r"\d{13}\d{0,12}", "13 digits and up to 12 digits", 13),
    "401": _kind("GINC", rf"\d{{4}}{_X}{{0,26}}", "4 digits and up to 26 characters"),
    "402": _kind("GSIN", r"\d{17}", "17 digits", 17),
    "410": _kind("SHIP TO", r"\d{13}", "13 digits", 13),
    "411": _kind("BILL TO", r"\d{13}", "13 digits", 13),
    "412": _kind("PURCHASE FROM", r"\d{13}", "13 digits", 13),
    "413": _kind("SHIP FOR", r"\d{13}", "13 digits", 13),
    "414": _kind("GLN", r"\d{13}", "13 digits", 13),
    "415": _kind("PAY TO", r"\d{13}", "13 digits", 13),
    "416": _kind("PROD/SERV LOC", r"\d{13}", "13 digits", 13),
    "417": _kind("PARTY GLN", r"\d{13}", "13 digits", 13),
    "8003": _kind("GRAI", rf"0\d{{13}}{_X}{{0,16}}", "0, 13 digits and up to 16 characters", 14),
    "8004": _kind("GIAI", rf"\d{{4}}{_X}{{0,26}}", "4 digits and up to 26 characters"),
    "8006": _kind("ITIP", r"\d{18}", "18 digits", 14),
    "8010": _kind("CPID", rf"\d{{4}}{_Y}{{0,26}}", "4 digits and up to 26 of 0-9 A-Z # - /"),
    "8013": _kind("GMN", rf"\d{{4}}{_X}{{1,21}}", "4 digits and up to 21 characters"),
    "8017": _kind("GSRN - PROVIDER", r"\d{18}", "18 digits", 18),
    "8018": _kind("GSRN - RECIPIENT", r"\d{18}", "18 digits", 18),
    "10": _kind("BATCH/LOT", rf"{_X}{{1,20}}", "1 to 20 characters"),
    "21": _kind("SERIAL", rf"{_X}{{1,20}}", "1 to 20 characters"),
    "22": _kind("CPV", rf"{_X}{{1,20}}", "1 to 20 characters"),
    "235": _kind("TPX", rf"{_X}{{1,28}}", "1 to 28 characters"),
    "254": _kind("GLN EXTENSION COMPONENT", rf"{_X}{{1,20}}", "1 to 20 characters"),
    "7040": _kind("UIC+EXT", rf"\d{_X}{{3}}", "a digit and 3 characters"),
    "8011": _kind("CPID SERIAL", r"0|[1-9]\d{0,11}", "1 to 12 digits without a leading zero"),
    "8019": _kind("SRIN", r"\d{1,10}", "1 to 10 digits"),
    "8020": _kind("REF NO", rf"{_X}{{1,25}}", "1 to 25 characters"),
}
"""Application identifiers that name something, by number."""

QUALIFIERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "01": (("22", "10", "21"), ("235",)),
    "8006": (("22", "10", "21"),),
    "8010": (("8011",),),
    "414": (("254",), ("7040",)),
    "415": (("8020",),),
    "417": (("7040",),),
    "8004": (("7040",),),
    "8017": (("8019",),),
    "8018": (("8019",),),
}
"""Key qualifiers of each primary key: the orders in which they may follow it, each one optional."""

PRIMARY_KEYS = (
    "00", "01", "253", "255", "401", "402", "410", "411", "412", "413", "414", "415", "416", "417",
    "8003", "8004", "8006", "8010", "8013", "8017", "8018",
)  # fmt: skip
"""Application identifiers that stand first."""

_PADDED_GTINS = (8, 12, 13)


def check_value(identifier: str, value: str) -> str:
    """Return ``value`` of application ``identifier`` in its full form (GTINs with 14 digits).

    Raises IdentifierError (INVALID_HANDLE) for characters, a length or check characters that are wrong.
    """
    kind = KINDS[identifier]
    if identifier == "01" and len(value) in _PADDED_GTINS:
        value = value.zfill(14)
    if not value.isascii() or not kind.form.fullmatch(value):
        raise _wrong(identifier, f"{value[:40]!r} is not {kind.words}")
    if kind.checked:
        closing = gs1_check_digit(value[: kind.checked - 1])
        if value[kind.checked - 1] != closing:
            raise _wrong(identifier, f"the check digit of {value!r} is {value[kind.checked - 1]}, not {closing}")
    further = _FURTHER.get(identifier)
    if further is not None:
        further(value)
    return value


def gmn_check_characters(text: str) -> str:
    """Return the pair of characters that closes the Global Model Number ``text`` (character set 82).

    Source: GS1 General Specifications section 7.9.5.
    """
    values = (_SET_82.index(character) for character in reversed(text))
    total = sum(value * weight for value, weight in zip(values, _GMN_WEIGHTS, strict=False)) % _GMN_MODULUS
    return _GMN_CHARACTERS[total >> 5] + _GMN_CHARACTERS[total & 31]


def _check_gmn(value: str) -> None:
    closing = gmn_check_characters(value[:-2])
    if value[-2:] != closing:
        raise _wrong("8013", f"the check characters of {value!r} are {value[-2:]}, not {closing}")


def _check_itip(value: str) -> None:
    piece, total = int(value[14:16]), int(value[16:18])
    if not 1 <= piece <= total:
        raise _wrong("8006", f"piece {piece} of {total} is none")


_FURTHER: dict[str, Callable[[str], None]] = {"8006": _check_itip, "8013": _check_gmn}


def handle_of(path: tuple[tuple[str, str], ...]) -> str:
    """Return the handle under which what ``path`` names is registered: GS1/01/09506000134352/10/ABC.

    ``path`` holds the primary key and its qualifiers as pairs of identifier and value. Raises IdentifierError
    (INVALID_HANDLE) where that is too long for a handle.
    """
    return check_handle("/".join((GS1_PREFIX, *(part for pair in path for part in pair))))


def _wrong(identifier: str, message: str) -> IdentifierError:
    kind = KINDS[identifier]
    return refuse(Code.INVALID_HANDLE, f"({identifier}) {kind.title}", message, f"Write {kind.words}.")
