"""GS1 Digital Link URIs: the path of identifiers and values, and what their query asks for.

Source: GS1 Digital Link standard, URI syntax, release 1.4.0 (uncompressed form).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from xinji.use.identity.errors import Code, refuse
from xinji.use.identity.gs1 import KINDS, PRIMARY_KEYS, QUALIFIERS, check_value
from xinji.use.identity.http.message import parameters, text_of

_COMPRESSED = re.compile(r"[A-Za-z0-9_-]{10,}")
_ALPHAS = frozenset(
    "gtin itip gmn cpid gln partyGln payTo party gsrnp gsrn gcn sscc gdti ginc gsin grai giai".split()  # noqa: SIM905
)
_SAFE = "-._~"
_KEPT = "%/:?@!$&'()*+,;=-._~"
"""What a query string keeps as it is; nothing of it can end a header field."""


@dataclass(frozen=True, slots=True)
class DigitalLink:
    """What a GS1 Digital Link URI says.

    ``path`` holds the primary key and its qualifiers as pairs of application identifier and value; ``stem`` what
    stands before them in the URI's path (percent-encoded); ``query`` the query string, ``asked`` its parameters.
    """

    path: tuple[tuple[str, str], ...]
    stem: str
    query: str
    asked: dict[str, list[str]]

    @property
    def uri_path(self) -> str:
        """The canonical path: /01/09506000134352/10/ABC."""
        return uri_path(self.path)

    @property
    def levels(self) -> tuple[tuple[tuple[str, str], ...], ...]:
        """The path itself and every shorter one, the most particular first."""
        return tuple(self.path[:count] for count in range(len(self.path), 0, -1))

    def first(self, name: str) -> str:
        """Return the first value of the query parameter ``name``, empty where there is none."""
        return self.asked.get(name, [""])[0]


def uri_path(path: tuple[tuple[str, str], ...]) -> str:
    """Return the URI path of identifiers and values, percent-encoded."""
    return "".join(f"/{identifier}/{quote(value, safe=_SAFE)}" for identifier, value in path)


def names_gs1(path: bytes) -> bool:
    """Return whether ``path`` (of a URI) could be a GS1 Digital Link: a primary key stands in it."""
    return any(segment in _PRIMARY_OCTETS for segment in path.split(b"/"))


_PRIMARY_OCTETS = frozenset(key.encode("ascii") for key in PRIMARY_KEYS)


def parse(path: bytes, query: bytes = b"") -> DigitalLink:
    """Return what the URI with ``path`` and ``query`` (both percent-encoded) says.

    A slash at the end is tolerated. Raises IdentifierError: INVALID_HANDLE where it is no GS1 Digital Link or a
    key is wrong, OPERATION_NOT_SUPPORTED for the compressed form.
    """
    segments = [segment for segment in path.strip(b"/").split(b"/") if segment]
    starts = [place for place, segment in enumerate(segments) if segment in _PRIMARY_OCTETS]
    texts = [text_of(segment, "path") for segment in segments]
    if not starts:
        raise _no_key(texts)
    start = starts[0]
    rest = texts[start:]
    if len(rest) % 2:
        message = f"{rest[-1][:40]!r} at the end of the path has no value"
        raise refuse(Code.INVALID_HANDLE, "path", message, "Write /identifier/value pairs.")
    pairs = list(zip(rest[::2], rest[1::2], strict=True))
    _check_order(pairs)
    checked = tuple((identifier, check_value(identifier, value)) for identifier, value in pairs)
    asked = parameters(query)
    stem = "".join(f"/{quote(text, safe=_SAFE)}" for text in texts[:start])
    return DigitalLink(checked, stem, quote(query, safe=_KEPT), asked)


def _no_key(texts: list[str]) -> Exception:
    if texts and _ALPHAS.intersection(texts):
        message = "names of identifiers in letters were withdrawn"
        return refuse(Code.INVALID_HANDLE, "path", message, "Use numbers: /01/ for /gtin/.")
    if texts and _COMPRESSED.fullmatch(texts[-1]):
        message = "the compressed form of GS1 Digital Link is not offered here"
        return refuse(Code.OPERATION_NOT_SUPPORTED, "path", message, "Send the uncompressed form, /01/....")
    message = "there is no GS1 primary key in the path"
    return refuse(Code.INVALID_HANDLE, "path", message, "Write /01/09506000134352, or another key.")


def _check_order(pairs: list[tuple[str, str]]) -> None:
    """Raise IdentifierError unless the qualifiers belong to the key and stand in their order."""
    key = pairs[0][0]
    given = tuple(identifier for identifier, _ in pairs[1:])
    for order in QUALIFIERS.get(key, ((),)):
        places = [order.index(identifier) if identifier in order else -1 for identifier in given]
        if -1 not in places and places == sorted(set(places)):
            return
    allowed = " or ".join("/".join(order) for order in QUALIFIERS.get(key, ())) or "no qualifiers"
    message = f"after ({key}) {KINDS[key].title} stands {'/'.join(given)[:60]}"
    raise refuse(Code.INVALID_HANDLE, "path", message, f"Allowed are {allowed}, each at most once, in this order.")
