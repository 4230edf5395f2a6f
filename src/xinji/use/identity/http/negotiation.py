"""What a client would rather have: media types and languages in the order of its wishes.

Source: RFC 9110 sections 12.4.2, 12.5.1 and 12.5.4; RFC 4647 section 3.3.1 (basic filtering).
"""

from __future__ import annotations

from typing import NamedTuple

_MOST = 64


class Wish(NamedTuple):
    """One media or language range and its weight, 0 for what is not wanted."""

    range: str
    weight: float


def wishes(header: bytes) -> tuple[Wish, ...]:
    """Return the ranges of an Accept or Accept-Language ``header``, the most wanted first, in lower case.

    What is not written as the standard has it is passed over; at most 64 ranges are read.
    """
    found = []
    for item in header.decode("latin-1").split(",")[:_MOST]:
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                weight = _weight(parameter[2:])
        if name:
            found.append(Wish(name, weight))
    # Of equal weight the more particular one first: text/html before text/*, before */*.
    return tuple(sorted(found, key=lambda wish: (-wish.weight, wish.range.count("*"))))


def _weight(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        return 0.0
    return found if 0.0 <= found <= 1.0 else 0.0


def media_matches(wanted: str, media: str) -> bool:
    """Return whether the media type ``media`` lies in the range ``wanted``."""
    kind, _, subtype = wanted.partition("/")
    own, _, part = media.partition(";")[0].strip().lower().partition("/")
    return kind in ("*", own) and subtype in ("*", part)


def language_matches(wanted: str, tag: str) -> bool:
    """Return whether the language ``tag`` lies in the range ``wanted``: de covers de-CH."""
    tag = tag.lower()
    return wanted in ("*", tag) or tag.startswith(wanted + "-")


def best_media(header: bytes, offered: tuple[str, ...]) -> str:
    """Return which of ``offered`` the Accept ``header`` wants most, the first one where it does not say.

    Empty where it wants none of them.
    """
    asked = wishes(header)
    if not asked:
        return offered[0]
    refused = {wish.range for wish in asked if wish.weight <= 0}
    for wish in asked:
        for media in offered:
            if wish.weight > 0 and media_matches(wish.range, media) and media not in refused:
                return media
    return ""
