"""The documentation names what exists: commands, options, files, targets, dependencies."""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path

import pytest

from house.pages import PAGES, ROOT, local_links, steps, xinji_commands
from xinji.cli_parser import parser

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
IMPORTED_AS = {"pyjwt": "jwt"}
STANDARD = {"__future__", *sys.stdlib_module_names}


def verbs() -> list[str]:
    actions = [action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return sorted(actions[0].choices)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    missing = [target for target in local_links(page) if not (page.parent / target).exists()]
    assert not missing


def test_every_command_in_the_pages_parses(capsys: pytest.CaptureFixture[str]) -> None:
    commands = list(xinji_commands())
    assert len(commands) >= 15
    for page, words in commands:
        try:
            parser().parse_args(words)
        except SystemExit:
            pytest.fail(f"{name(page)}: xinji {' '.join(words)}: {capsys.readouterr().err}")


@pytest.mark.parametrize("verb", verbs())
def test_every_verb_is_told(verb: str) -> None:
    reference = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    assert f"`xinji {verb}`" in reference
    assert f"```{{command}} {verb}\n" in reference
    assert f"$ xinji {verb}" in (ROOT / "README.md").read_text(encoding="utf-8")
    chosen = parser()._subparsers
    assert chosen is not None
    text = chosen._group_actions[0].choices[verb].format_help()  # type: ignore[index]  # argparse says no type
    assert "examples:" in text
    assert "exit status:" in text


def test_the_set_up_is_two_commands() -> None:
    commands = [step.command for step in steps(ROOT / "README.md") if not step.command.startswith(("xinji", "source"))]
    assert commands == ["make run", "make test"]


def test_every_make_target_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    assert {"run", "test", "lint", "docs", "bench", "clean"} <= targets
    for page in PAGES:
        named = set(re.findall(r"(?:^\$ |`|&& )make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
        assert named <= targets, name(page)


def test_every_dependency_has_its_reason() -> None:
    page = (ROOT / "docs" / "explanation" / "dependencies.md").read_text(encoding="utf-8")
    groups = [[entry for entry in group if isinstance(entry, str)] for group in PROJECT["dependency-groups"].values()]
    for entry in [*PROJECT["project"]["dependencies"], *(entry for group in groups for entry in group)]:
        package = re.split(r"[\[<>=]", entry)[0]
        assert re.search(rf"\b{re.escape(package)}\b", page), f"{package} has no line in dependencies.md"


def test_what_is_imported_is_declared() -> None:
    names = (re.split(r"[\[<>=]", entry)[0] for entry in PROJECT["project"]["dependencies"])
    declared = {IMPORTED_AS.get(package, package.replace("-", "_")) for package in names}
    imported: set[str] = set()
    for file in (ROOT / "src").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        imported |= set(re.findall(r"^(?:import (?=\w+)|from (?=[\w.]+ import ))(\w+)", text, re.MULTILINE))
    third_party = {module for module in imported if module not in STANDARD and module != "xinji"}
    assert third_party == declared


def test_the_nomenclature_and_the_four_kinds_of_page_are_there() -> None:
    assert (ROOT / "docs" / "nomenclature.md").is_file()
    for kind in ("tutorial", "how-to", "reference", "explanation"):
        assert list((ROOT / "docs" / kind).glob("*.md")), kind


def test_decisions_are_five_lines_each() -> None:
    parts = (ROOT / "docs" / "explanation" / "decisions.md").read_text(encoding="utf-8").split("\n## ")[1:]
    assert len(parts) >= 5
    for part in parts:
        assert len(part.strip().splitlines()) == 6, part.splitlines()[0]
