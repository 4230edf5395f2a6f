"""A sound region and a plan of it, made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from support.tiny import write_tiny
from xinji.workflow import planning
from xinji.workflow.planning import PlanRun, PlanSettings, plan_region, write_study

QUICK = PlanSettings(tries=1)


@pytest.fixture(scope="session")
def sound_region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound") / "tiny"
    write_tiny(folder, seed=1, cells_across=8)
    return folder


@pytest.fixture(scope="session")
def quick_run(sound_region: Path) -> PlanRun:
    return plan_region(str(sound_region), settings=QUICK)


@pytest.fixture(scope="session")
def sound_plan(tmp_path_factory: pytest.TempPathFactory, quick_run: PlanRun) -> Path:
    out = tmp_path_factory.mktemp("plans") / "first"
    write_study(quick_run, out, language="zh")
    return out


@pytest.fixture
def region(sound_region: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound_region, tmp_path / "tiny"))


@pytest.fixture
def planned(sound_plan: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound_plan, tmp_path / "first"))


@pytest.fixture
def plain_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the report's drawing out where a test does not look at it: it takes longer than all the rest."""
    monkeypatch.setattr(planning, "render", lambda _study, *, language, **_known: f"<html lang='{language}'>")
