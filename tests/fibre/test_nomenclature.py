from __future__ import annotations

from pathlib import Path

import pytest

from xinji.core.parameters import STATUSES
from xinji.core.policy import QUESTIONS
from xinji.core.vocabulary import FACILITY_KINDS, GROUPS, RESOURCES, SERVICE_NAMES
from xinji.plan.fibre.trench import METHODS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "nomenclature.md"
ROWS = [
    [part.strip() for part in line.strip("|").split("|")]
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("|") and not line.startswith("|---")
]
TERMS = [row for row in ROWS if len(row) == 5 and row[0] != "term"]


@pytest.mark.parametrize(
    "name", [*GROUPS, *SERVICE_NAMES, *RESOURCES, *METHODS, *FACILITY_KINDS, *STATUSES, *QUESTIONS]
)
def test_every_fixed_name_is_explained(name: str) -> None:
    assert any(f"`{name}`" in cell for row in TERMS for cell in row)


def test_terms_are_unique_translated_and_defined() -> None:
    names = [row[0] for row in TERMS]
    assert len(names) == len(set(names))
    assert all(len(row) in (3, 5) for row in ROWS)
    for term, chinese, _, _, definition in TERMS:
        assert any("一" <= letter <= "鿿" for letter in chinese), term
        assert definition, term
