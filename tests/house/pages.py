"""What stands in the pages of the documentation: commands, links, blocks of code."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES += sorted(page for page in (ROOT / "docs").rglob("*.md") if "_build" not in page.parts)

_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a console block, and the lines that the page says it prints."""

    command: str
    expected: tuple[str, ...]


def blocks(page: Path, language: str) -> list[str]:
    """Return the blocks of ``language`` on ``page``, without their indent."""
    found = _BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [re.sub(rf"^{m[1]}", "", m[3], flags=re.MULTILINE) for m in found if m[2] == language]


def steps(page: Path) -> list[Step]:
    """Return the commands of all console blocks on ``page``, in order."""
    found: list[Step] = []
    for block in blocks(page, "console"):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Step(line[2:].split("  #")[0].strip(), ()))
            elif found:
                found[-1] = Step(found[-1].command, (*found[-1].expected, line))
    return found


def xinji_commands() -> Iterator[tuple[Path, list[str]]]:
    """Yield every ``xinji`` command in a console block of any page, as its arguments."""
    for page in PAGES:
        for step in steps(page):
            words = shlex.split(step.command, comments=True)
            if words and words[0] == "xinji":
                yield page, words[1:]


def local_links(page: Path) -> list[str]:
    """Return the files that ``page`` links to."""
    return [target for target in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target]
