"""A small region, its sectors as a list, and one coverage run of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.tiny import write_tiny
from xinji.core.radio import Sectors
from xinji.io.region import read
from xinji.io.sectors_file import write_sectors
from xinji.plan.radio.service_sectors import carriers_in_use, sectors_of
from xinji.workflow import coverage_files, planning
from xinji.workflow.coverage import cover
from xinji.workflow.coverage_run import CoverageRun, CoverageSettings
from xinji.workflow.planning import PlanRun, PlanSettings, plan_region, write_study

SETTINGS = CoverageSettings(radius_m=1_500.0, workers=1)
QUICK = ("--radius", "1500", "--workers", "1", "--language", "en")


@pytest.fixture(scope="session")
def small_region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small") / "tiny"
    write_tiny(folder, seed=1)
    return folder


@pytest.fixture(scope="session")
def small_sectors(small_region: Path) -> Sectors:
    region, _ = read(small_region)
    return sectors_of(carriers_in_use(region), region.parameters)


@pytest.fixture(scope="session")
def sector_list(small_region: Path, small_sectors: Sectors) -> Path:
    path = small_region.parent / "sectors.csv"
    write_sectors(path, small_sectors, read(small_region)[0].crs)
    return path


@pytest.fixture(scope="session")
def covered(small_region: Path) -> CoverageRun:
    return cover(str(small_region), small_region.parent / "covered", settings=SETTINGS, language="en")


@pytest.fixture
def no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the drawing out, which takes longer than all the rest of a run: nobody looks at it."""
    monkeypatch.setattr(coverage_files, "save_coverage_png", lambda path, *_, **__: path.write_bytes(b"\x89PNG"))


@pytest.fixture(scope="session")
def small_run(small_region: Path) -> PlanRun:
    return plan_region(str(small_region), settings=PlanSettings(tries=1))


@pytest.fixture
def small_plan(small_run: PlanRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # The report's drawing takes longer than all the rest, and nobody looks at it here.
    monkeypatch.setattr(planning, "render", lambda _study, *, language, **_known: f"<html lang='{language}'>")
    write_study(small_run, tmp_path / "plan", language="en")
    return tmp_path / "plan"
