"""The tutorial, executed: its commands one after the other, and what it says that they print."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from house.pages import ROOT, local_links, steps

PAGE = ROOT / "docs" / "tutorial" / "first-plan.md"
FIGURES = ("Xinwu District, Wuxi: what stands in 2030", "Mobile indoors", "Industrial clusters")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_ANYTHING = "..."


def run(command: str, folder: Path) -> str:
    """Run ``command`` in ``folder`` with the commands of this environment first; return what it prints."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(  # noqa: S602 - the page's own commands
        command, cwd=folder, env={**os.environ, "PATH": path}, shell=True, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def alike(said: str, printed: str) -> bool:
    """Return whether both lines have the same words, and numbers that agree within a factor of two."""
    if _NUMBER.sub("#", said).split() != _NUMBER.sub("#", printed).split():
        return False
    pairs = zip(_NUMBER.findall(said), _NUMBER.findall(printed), strict=True)
    return all(close(*(float(text.replace(",", "")) for text in pair)) for pair in pairs)


def close(one: float, other: float) -> bool:
    """Return whether two figures are the same, loosely; years and zeros have to be exact."""
    if 2000 <= one < 2100 or 0 in (one, other):
        return one == other
    return 0.5 <= one / other <= 2.0


def missing_lines(said: tuple[str, ...], printed: str) -> list[str]:
    """Return the lines of the page that were not printed in that order; ``...`` skips lines."""
    rest = iter(printed.splitlines())
    return [line for line in said if line not in ("", _ANYTHING) and not any(alike(line, real) for real in rest)]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the whole tutorial in an empty folder and return the folder."""
    folder = tmp_path_factory.mktemp("tutorial")
    commands = steps(PAGE)
    assert len(commands) >= 6
    for step in commands:
        printed = run(step.command, folder)
        assert not missing_lines(step.expected, printed), f"{step.command} printed\n{printed}"
    return folder


def test_every_command_runs_and_prints_what_the_page_says(done: Path) -> None:
    assert (done / "out" / "first" / "plan.gpkg").stat().st_size > 100_000
    assert (done / "out" / "first" / "bill_of_materials.xlsx").is_file()


def test_the_plan_is_as_good_as_the_page_says(done: Path) -> None:
    plans = {
        name: json.loads((done / "out" / name / "plan.json").read_text("utf-8"))["plan"] for name in ("first", "more")
    }
    said = re.search(r"At (\d+) %, a better plan may exist", PAGE.read_text(encoding="utf-8"))
    assert said is not None
    assert plans["first"]["gap"] <= max(0.15, float(said[1]) / 100)
    assert plans["more"]["objective"] > plans["first"]["objective"]
    assert all(cents <= 60_000_000_00 for cents in plans["first"]["spend"].values())


def test_the_report_holds_the_pictures_of_the_page(done: Path) -> None:
    english, chinese = (done / "out" / name for name in ("first/report.html", "first_zh.html"))
    page = english.read_text(encoding="utf-8")
    assert page.count("<svg ") >= 6
    assert "http-equiv" not in page
    assert not re.search(r'(?:src|href)="https?://[^"]+\.(?:js|css|png|svg|woff2?)"', page), (
        "the report needs a network"
    )
    for words in FIGURES:
        assert words in page
    assert "无锡市新吴区" in chinese.read_text(encoding="utf-8")


def test_the_page_shows_its_pictures() -> None:
    pictures = [target for target in local_links(PAGE) if target.endswith(".png")]
    assert len(pictures) >= 4
    for target in pictures:
        pixels = imread(PAGE.parent / target)
        assert min(pixels.shape[:2]) >= 300
        assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 50, f"{target} is blank"


def test_loose_comparison_is_not_blind() -> None:
    assert alike("  value  7,158,021 (users)", " value 6,900,000.5 (users)")
    assert not alike("value 7,158,021", "value 715,802")
    assert not alike("year 2026", "year 2027")
    assert not alike("0 warnings", "3 warnings")
    assert missing_lines(("a 1", "...", "b"), "a 1\nx\nc") == ["b"]
