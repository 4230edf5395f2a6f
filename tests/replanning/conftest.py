"""A small region, its first plan, and what that plan builds: made once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from replanning.made_ledgers import AT, QUICK, Row, ledger, month, rows_of
from support.tiny import write_tiny
from xinji.core.facilities import Facilities
from xinji.workflow import planning
from xinji.workflow.planning import PlanRun, plan_region, write_study


@pytest.fixture(scope="session")
def office_region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("office") / "tiny"
    write_tiny(folder, seed=1, cells_across=6)
    return folder


@pytest.fixture(scope="session")
def first(office_region: Path) -> PlanRun:
    return plan_region(str(office_region), settings=QUICK)


@pytest.fixture(scope="session")
def rows(first: PlanRun) -> dict[str, Row]:
    return rows_of(first.study)


@pytest.fixture(scope="session")
def first_folder(first: PlanRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first") / "plan"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "render", lambda _study, *, language, **_known: f"<html lang='{language}'>")
        write_study(first, folder, language="en")
    return folder


@pytest.fixture(scope="session")
def facilities(rows: dict[str, Row]) -> Facilities:
    return ledger(month(rows), AT)


@pytest.fixture(scope="session")
def again(office_region: Path, facilities: Facilities, first_folder: Path) -> PlanRun:
    settings = replace(QUICK, ledger=facilities, learn_costs=True, last=first_folder)
    return plan_region(str(office_region), settings=settings)
