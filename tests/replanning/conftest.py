"""A small region, its first plan, and what that plan builds: made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from replanning.made_ledgers import QUICK, Row, rows_of
from support.tiny import write_tiny
from xinji.workflow.planning import PlanRun, plan_region


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
