"""Ctrl-C at several moments: the search keeps its best plan, everything else leaves nothing behind."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.command_line import call, listing
from xinji.core.arrays import Ints
from xinji.core.plan import Plan
from xinji.core.problem import Problem
from xinji.io import plan_files
from xinji.plan.choose.improve import Effort
from xinji.plan.choose.sequential import solve_sequential
from xinji.workflow import planning
from xinji.workflow.planning import PlanRun

COMMAND = (sys.executable, "-c", "import sys; from xinji.cli import main; sys.exit(main())")


def interrupted(region: Path, out: Path, when: str, *more: str) -> tuple[int, str, str]:
    """Plan ``region`` in a process of its own, and press Ctrl-C once a line that matches ``when`` appears."""
    command = [*COMMAND, "plan", str(region), "--out", str(out), "--json", *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:  # noqa: S603
        assert running.stderr is not None
        assert running.stdout is not None
        said = ""
        while not re.search(when, said):
            line = running.stderr.readline()
            assert line, f"ended before {when}: {said}"
            said += line
        running.send_signal(signal.SIGINT)
        said += running.stderr.read()
        printed = running.stdout.read()
    return running.returncode, printed, said


def test_the_search_keeps_the_best_plan(region: Path, tmp_path: Path) -> None:
    when = r"Searching.*: \d+ of 2000"
    status, printed, said = interrupted(region, tmp_path / "plan", when, "--effort", "2000", "--seconds", "300")
    assert status == 0, said
    made = json.loads(printed)
    assert made["interrupted"] is True
    assert made["value"] > 0
    assert "The search was stopped with Ctrl-C: this is the best plan found until then." in said
    assert (tmp_path / "plan" / "report.html").is_file()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("when", ["Reading", "Writing"])
def test_other_steps_leave_nothing(when: str, region: Path, tmp_path: Path) -> None:
    before = listing(tmp_path)
    status, printed, said = interrupted(region, tmp_path / "deep" / "plan", when, "--effort", "1")
    assert status == 2, said
    assert printed == ""
    assert said.endswith("xinji: Interrupted. Nothing half-written is left.\n")
    assert "Traceback" not in said
    assert listing(tmp_path) == before


def test_while_the_program_loads(tmp_path: Path) -> None:
    with subprocess.Popen([*COMMAND, "plan", "xinwu"], stderr=subprocess.PIPE, text=True, cwd=tmp_path) as running:  # noqa: S603
        assert running.stderr is not None
        time.sleep(0.6)
        running.send_signal(signal.SIGINT)
        said = running.stderr.read()
    # Before the first line of the program runs, Python itself answers.
    assert running.returncode in {2, -signal.SIGINT}, said
    assert listing(tmp_path) == {}


@pytest.mark.parametrize("step", ["_copy_region", "write_study_file", "render", "write_all"])
def test_no_moment_of_writing_leaves_half_a_plan(
    step: str, quick_run: PlanRun, planned: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def press(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(planning, "plan_region", lambda *_, **__: quick_run)
    monkeypatch.setattr(planning, step, press)
    before = listing(planned.parent)
    answer = call(capsys, "plan", quick_run.source, "--out", planned)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.endswith("xinji: Interrupted. Nothing half-written is left.\n")
    assert listing(planned.parent) == before


@pytest.mark.parametrize("file", ["write_plan_json", "write_geopackage", "write_workbook", "write_csvs"])
@pytest.mark.usefixtures("plain_report")
def test_no_file_of_a_plan_is_left_alone(
    file: str, quick_run: PlanRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write: Callable[..., object] = getattr(plan_files, file)

    def press(*arguments: object, **more: object) -> None:
        write(*arguments, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(plan_files, file, press)
    with pytest.raises(KeyboardInterrupt):
        planning.write_study(quick_run, tmp_path / "plan")
    assert listing(tmp_path) == {}


def test_the_comparison_is_cut_short(sound_region: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the comparison does not cost the plan."""
    efforts: list[int] = []

    def press(problem: Problem, technology: Ints, joint: Plan, effort: Effort) -> Plan:
        efforts.append(effort.tries)
        if effort.tries:
            raise KeyboardInterrupt
        return solve_sequential(problem, technology, joint, effort)

    monkeypatch.setattr(planning, "solve_sequential", press)
    made = planning.plan_region(str(sound_region), settings=planning.PlanSettings(tries=2))
    assert efforts == [2, 0]
    assert made.study.sequential.objective > 0
