"""Arguments that several verbs share, and the kinds of value they take."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from pathlib import Path


def add_region(verb: argparse.ArgumentParser) -> None:
    """Add the region that a verb is about."""
    verb.add_argument("region", metavar="REGION", help="a built-in region's name, or a region folder")


def add_language(verb: argparse.ArgumentParser, default: str = "zh") -> None:
    """Add the choice of language."""
    text = f"Chinese or English (default: {default})"
    verb.add_argument("--language", choices=("zh", "en"), default=default, help=text)


def add_sub_verbs(
    verb: argparse.ArgumentParser, dest: str, helps: Mapping[str, str], epilogs: Mapping[str, str]
) -> dict[str, argparse.ArgumentParser]:
    """Add a parser for each sub-verb of ``helps``, whose choice goes to ``dest``; return them by name."""
    verbs = verb.add_subparsers(dest=dest, required=True, metavar="VERB")
    return {
        name: verbs.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=epilogs[name],
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        for name, text in helps.items()
    }


def path(text: str) -> Path:
    """Return ``text`` as a path. Raises ArgumentTypeError where it is none."""
    if not text.strip():
        raise argparse.ArgumentTypeError("the path is empty")
    if "\0" in text:
        raise argparse.ArgumentTypeError("the path holds a null character")
    return Path(text)


def whole(text: str) -> int:
    """Return ``text`` as a whole number. Raises ArgumentTypeError where it is none."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number of at least 0")
    return int(text)


def above_zero(text: str) -> float:
    """Return ``text`` as a finite number above 0. Raises ArgumentTypeError where it is none."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number above 0")
    return value
