"""The page on radio says which model serves where as the rules do."""

from __future__ import annotations

from house.pages import ROOT
from xinji.plan.radio.rules import rules_table


def test_the_table_of_models_is_that_of_the_rules() -> None:
    lines = (ROOT / "docs" / "explanation" / "radio.md").read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("| model | frequency"))
    found = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[start:]]
    header, *rows = rules_table()
    assert found[0] == header
    assert set("".join(found[1])) == {"-"}
    assert found[2 : 2 + len(rows)] == rows
    assert found[2 + len(rows)] == ("",)
