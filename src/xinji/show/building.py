"""The words and text tables of the ledger's verbs, by language."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

from xinji.show.text import LANGUAGES, Words, words

_GAP = "  "
_WIDE = 0x2E7F
"""Characters from here on are two columns wide."""


@lru_cache(maxsize=len(LANGUAGES))
def building_words(language: str) -> Words:
    """Return the words of ``language`` (one of ``LANGUAGES``), those of the ledger with them, by dotted key.

    Raises InputError if the language is unknown.
    """
    common = words(language)
    text = (files("xinji") / "show" / f"building_{language}.toml").read_text(encoding="utf-8")
    own = {f"{area}.{key}": str(value) for area, part in tomllib.loads(text).items() for key, value in part.items()}
    return MappingProxyType({**common, **own})


def breadth(text: str) -> int:
    """Return how many columns of a terminal ``text`` takes; Chinese characters take two."""
    return sum(2 if ord(letter) > _WIDE else 1 for letter in text)


def text_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> Iterator[str]:
    """Yield the lines of a table: a heading, a rule and ``rows``; the first ``left`` columns stand to the left."""
    every = [headings, *rows]
    widths = [max(breadth(row[column]) for row in every) for column in range(len(headings))]
    for number, row in enumerate(every):
        yield _GAP.join(_cell(text, widths[k], left=k < left) for k, text in enumerate(row)).rstrip()
        if not number:
            yield _GAP.join("-" * width for width in widths)


def _cell(text: str, width: int, *, left: bool) -> str:
    blank = " " * (width - breadth(text))
    return text + blank if left else blank + text
