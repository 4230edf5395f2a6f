"""The words of reports, maps and tables, by language."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

from xinji.errors import Fault, InputError

LANGUAGES = ("zh", "en")

Words = Mapping[str, str]
"""Words by dotted key, such as ``reason.outbid``."""


@lru_cache(maxsize=len(LANGUAGES))
def words(language: str) -> Words:
    """Return the words of ``language`` (one of ``LANGUAGES``) by dotted key; a list is numbered from 0.

    Raises InputError if the language is unknown.
    """
    if language not in LANGUAGES:
        message = f"the language is {language!r}"
        raise InputError([Fault("language", message, f"Use one of {', '.join(LANGUAGES)}.")])
    text = (files("xinji") / "show" / f"text_{language}.toml").read_text(encoding="utf-8")
    return MappingProxyType(dict(_flat("", tomllib.loads(text))))


def _flat(prefix: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{prefix}.{key}" if prefix else key, inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _flat(f"{prefix}.{number}", inner)
    else:
        yield prefix, str(value)


def name_of(text: Words, area: str, key: str) -> str:
    """Return what ``key`` is called, or ``key`` itself: kinds and payers may be the user's own."""
    return text.get(f"{area}.{key}", key)


def listed(text: Words, area: str) -> tuple[str, ...]:
    """Return the texts of a numbered list in their order."""
    found: list[str] = []
    while f"{area}.{len(found)}" in text:
        found.append(text[f"{area}.{len(found)}"])
    return tuple(found)
