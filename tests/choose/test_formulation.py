"""Every constraint is one function, one golden LP file and one paragraph of the reference.

Where a constraint is changed on purpose, run this file with XINJI_UPDATE_GOLDEN=1 in the environment and read the
difference before committing it.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from support.small_problem import hand_problem
from xinji.plan.choose import formulation
from xinji.plan.choose.formulation import CONSTRAINTS, CUTS, OBJECTIVES, JoinedCut, PathCut, formulate, layout
from xinji.plan.design.model import Model, with_rows
from xinji.plan.design.solver import write_lp

GOLDEN = Path(__file__).parent / "golden"
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "formulation.md"
NAMES = [function.__name__ for function in (*CONSTRAINTS, *CUTS, *OBJECTIVES.values())]


def _bare(model: Model) -> Model:
    return replace(model, columns=replace(model.columns, cost=np.zeros(len(model.columns))))


def _model(name: str) -> Model:
    """Return the golden problem with one constraint or objective and nothing else."""
    problem = hand_problem(name if name in OBJECTIVES else "most_value")
    at = layout(problem)
    if name in OBJECTIVES:
        return formulate(problem, at, [])
    constraints = [function for function in CONSTRAINTS if function.__name__ == name]
    model = _bare(formulate(problem, at, constraints))
    if name == "joined_cut":
        return with_rows(model, formulation.joined_cut(problem, at, [JoinedCut(2, np.array([1, 2]))]))
    if name == "path_cut":
        return with_rows(model, formulation.path_cut(problem, at, [PathCut(1, np.array([1]))]))
    return model


@pytest.mark.parametrize("name", NAMES)
def test_a_constraint_writes_its_golden_file(name: str) -> None:
    path, text = GOLDEN / f"{name}.lp", write_lp(_model(name))
    if os.environ.get("XINJI_UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"{path.name} is missing: run with XINJI_UPDATE_GOLDEN=1 and read it"
    assert text == path.read_text(encoding="utf-8")


def test_every_golden_file_belongs_to_a_constraint() -> None:
    assert {path.stem for path in GOLDEN.glob("*.lp")} == {*NAMES, "budget_carried"}


def test_carried_over_budgets_have_their_golden_file() -> None:
    problem = hand_problem(carry_over=True)
    text = write_lp(_bare(formulate(problem, layout(problem), [formulation.budget])))
    path = GOLDEN / "budget_carried.lp"
    if os.environ.get("XINJI_UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_constraint_has_its_paragraph(name: str) -> None:
    sections = REFERENCE.read_text(encoding="utf-8").split("\n### ")
    mine = [section for section in sections if section.startswith(f"`{name}`\n")]
    assert len(mine) == 1, f"docs/reference/formulation.md needs one section '### `{name}`'"
    body = mine[0].partition("\n")[2]
    assert "$$" in body
    assert len(body.split()) > 20


def test_every_public_function_that_makes_rows_is_registered() -> None:
    made = {
        name
        for name, value in vars(formulation).items()
        if callable(value) and getattr(value, "__annotations__", {}).get("return") == "Rows"
        if not name.startswith("_") and value.__module__ == formulation.__name__
    }
    assert made == {function.__name__ for function in (*CONSTRAINTS, *CUTS)}


def test_least_cost_has_no_budget_rows() -> None:
    problem = hand_problem("least_cost")
    assert len(formulation.budget(problem, layout(problem))) == 0
