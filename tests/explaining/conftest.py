"""A small region planned once, for every test that asks why or what if."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.tiny import write_tiny
from xinji.core.study import Study
from xinji.workflow.planning import PlanRun, PlanSettings, load_study, plan_region, write_study


@pytest.fixture(scope="session")
def asked_run(tmp_path_factory: pytest.TempPathFactory) -> PlanRun:
    folder = tmp_path_factory.mktemp("asked") / "tiny"
    write_tiny(folder, seed=1, cells_across=6)
    return plan_region(str(folder), settings=PlanSettings(tries=2))


@pytest.fixture(scope="session")
def asked_plan(tmp_path_factory: pytest.TempPathFactory, asked_run: PlanRun) -> Path:
    out = tmp_path_factory.mktemp("plans") / "asked"
    with pytest.MonkeyPatch.context() as patch:
        # The report's drawing takes longer than all the rest.
        drawn = "xinji.workflow.planning.render"
        patch.setattr(drawn, lambda _study, *, language, **_known: f"<html lang='{language}'>")
        write_study(asked_run, out, language="en")
    return out


@pytest.fixture(scope="session")
def asked_study(asked_plan: Path) -> Study:
    return load_study(asked_plan)
