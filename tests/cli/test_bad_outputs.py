"""Folders in the way, disks that refuse, plans that are not whole: status 2, and nothing half-written."""

from __future__ import annotations

import errno
import json
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cli.command_line import call, listing
from xinji import cli_verbs
from xinji.errors import CheckError, OutputError
from xinji.workflow import planning
from xinji.workflow.planning import PlanRun, write_study

COMMAND = (sys.executable, "-c", "import sys; from xinji.cli import main; sys.exit(main())")


def a_file(out: Path) -> None:
    out.write_text("mine", encoding="utf-8")


def strangers(out: Path) -> None:
    out.mkdir()
    (out / "thesis.docx").write_text("mine", encoding="utf-8")


def below_a_file(out: Path) -> None:
    out.parent.rmdir()
    out.parent.write_text("mine", encoding="utf-8")


def beside_a_plan(out: Path) -> None:
    out.mkdir()
    (out / "plan.json").write_text("{}", encoding="utf-8")
    (out / "map of the council.qgz").write_text("mine", encoding="utf-8")


def open_in_qgis(out: Path) -> None:
    out.mkdir()
    for name in ("plan.json", "plan.gpkg", "plan.gpkg-wal"):
        (out / name).write_text("{}", encoding="utf-8")


@pytest.mark.parametrize(
    ("prepare", "told"),
    [
        (a_file, r"a file of this name is in the way\. Name another folder"),
        (strangers, r"the folder is not empty and holds no plan\.json.*Name another folder"),
        (below_a_file, r"could not be written: (Not a directory|File exists)\. Check the path"),
        (beside_a_plan, r"Xinji did not write \(map of the council\.qgz\), and they would be lost\. Move them"),
        (open_in_qgis, r"Xinji did not write \(plan\.gpkg-wal\).*close the plan in QGIS"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_folder_in_the_way_is_kept(
    prepare: Callable[[Path], None], told: str, region: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = region.parent / "here" / "plan"
    out.parent.mkdir()
    prepare(out)
    before = listing(region.parent)
    answer = call(capsys, "plan", region, "--out", out)
    assert answer.status == 2
    assert re.search(told, answer.err), answer.err
    assert "Searching" not in answer.err
    assert listing(region.parent) == before


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (errno.ENOSPC, r"No space left on device\. Free some space, or write to another disk\. Nothing half-written"),
        (errno.EACCES, r"Permission denied\. Choose a folder that you may write to"),
        (errno.EROFS, r"Read-only file system\. Choose a disk"),
        (errno.EIO, r"Input/output error\. Check the path and the disk"),
    ],
)
@pytest.mark.parametrize("step", ["_copy_region", "write_all", "write_study_file", "render"])
def test_a_disk_that_refuses_leaves_the_old_plan(
    step: str, code: int, told: str, planned: Path, quick_run: PlanRun,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, "refused")

    monkeypatch.setattr(planning, "plan_region", lambda *_, **__: quick_run)
    for slow, instead in (("write_all", {}), ("render", "the page")):
        monkeypatch.setattr(planning, slow, lambda *_, instead=instead, **__: instead)
    monkeypatch.setattr(planning, step, refuse)
    for out in (planned, planned.parent / "deep" / "fresh"):
        before = listing(planned.parent)
        answer = call(capsys, "plan", quick_run.source, "--out", out)
        assert answer.status == 2
        assert re.search(f"{out.name} could not be written: {told}", answer.err), answer.err
        assert answer.out == ""
        assert listing(planned.parent) == before


def test_a_disk_that_fills_up_leaves_nothing(planned: Path, tmp_path: Path) -> None:
    """A file may not grow beyond a limit [bytes] that the report passes."""
    limit = 100_000

    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    before = listing(tmp_path)
    done = subprocess.run(  # noqa: S603 - our own command
        [*COMMAND, "report", planned, "--out", tmp_path / "deep" / "page.html"],
        preexec_fn=small_files, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert re.search(r"page\.html could not be written: File too large\. .*Nothing half-written is left", done.stderr)
    assert "Traceback" not in done.stderr
    assert listing(tmp_path) == before


def test_every_file_of_a_plan_survives_a_full_disk(quick_run: PlanRun, tmp_path: Path) -> None:
    """In a child process, since the limit cannot be lifted again: each writer meets it at another size."""
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from xinji.errors import XinjiError\n"
        "from xinji.workflow.planning import PlanRun, PlanSettings, load_study, write_study\n"
        "from xinji.io.config import read_config\n"
        "plan, out = Path(sys.argv[1]), Path(sys.argv[2])\n"
        "study, config = load_study(plan), read_config(plan / 'region' / 'region.toml')\n"
        "run = PlanRun(study, plan / 'region', config, (plan / 'region' / 'region.toml').read_text(), 0.0, 0)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "refused = 0\n"
        "for limit in range(400_000, 0, -80_000):\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))\n"
        "    try:\n"
        "        write_study(run, out)\n"
        "    except XinjiError as error:\n"
        "        refused += 1\n"
        "        assert '.xinji-' not in str(error), error\n"
        "    assert not out.exists() and not list(out.parent.iterdir()), list(out.parent.iterdir())\n"
        "print(refused)\n"
    )
    plan, empty = tmp_path / "plan", tmp_path / "empty"
    empty.mkdir()
    write_study(quick_run, plan)
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", script, plan, empty / "out"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "5\n"


def test_standard_output_that_refuses(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full, which Linux alone has")
    with full.open("w") as stream:
        done = subprocess.run(  # noqa: S603 - our own command
            [*COMMAND, "parameters"], stdout=stream, stderr=subprocess.PIPE, text=True, check=False, cwd=tmp_path
        )
    assert done.returncode == 2
    assert done.stderr == "xinji: No space left on device. Check the path and the disk.\n"


def test_a_reader_that_closes_the_pipe_is_no_fault() -> None:
    with subprocess.Popen([*COMMAND, "parameters"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:  # noqa: S603
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        said = running.stderr.read()
    assert running.returncode == 0
    assert said == b""


def test_a_plan_that_the_checker_rejects_is_not_written(
    quick_run: PlanRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = quick_run.study.plan
    forged = replace(quick_run.study, plan=replace(plan, spend=plan.spend + 1))
    with pytest.raises(CheckError, match="spend in 2026 is given as"):
        write_study(replace(quick_run, study=forged), tmp_path / "plan")
    monkeypatch.setattr(planning, "plan_region", lambda *_, **__: replace(quick_run, study=forged))
    answer = call(capsys, "plan", quick_run.source, "--out", tmp_path / "plan")
    assert answer.status == 2
    assert "xinji: the checker rejects the plan: spend in 2026 is given as" in answer.err
    assert listing(tmp_path) == {}


def test_not_enough_memory(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def starve(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(cli_verbs, "run", starve)
    answer = call(capsys, "check", tmp_path)
    assert (answer.status, answer.err) == (
        2, "xinji: There is not enough memory. Close other programs, or plan a smaller region.\n",
    )  # fmt: skip


def cut(path: Path, share: float = 0.5) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def report_folder(plan: Path) -> None:
    (plan / "report.html").unlink()
    (plan / "report.html").mkdir()


REPORTS: tuple[tuple[str, Callable[[Path], object], str], ...] = (
    ("study cut short", lambda plan: cut(plan / "study.npz"), r"study\.npz: the file is damaged .*`xinji plan`"),
    ("study is text", lambda plan: (plan / "study.npz").write_text("x"), r"study\.npz: the file is damaged"),
    ("no study", lambda plan: (plan / "study.npz").unlink(), r"study\.npz: there is no such file\. Name a folder"),
    ("no region", lambda plan: shutil.rmtree(plan / "region"), r"it holds no plan\. Name a folder"),
    ("region changed", lambda plan: (plan / "region" / "x.md").write_text("x"), r"the folder was changed after .*Undo"),
    ("region cut short", lambda plan: cut(plan / "region" / "cells.parquet"), r"cells: .*cannot be read as GeoParquet"),
    ("report is a folder", report_folder,
     r"report\.html: a folder of this name is in the way\. Name a file"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "spoil", "told"), REPORTS, ids=[case[0] for case in REPORTS])
def test_a_report_needs_a_whole_plan(
    name: str, spoil: Callable[[Path], object], told: str, planned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del name
    spoil(planned)
    before = listing(planned.parent)
    answer = call(capsys, "report", planned, "--language", "en")
    assert answer.status == 2
    assert re.search(told, answer.err), answer.err
    assert listing(planned.parent) == before


def other_region(plan: Path) -> None:
    content = json.loads((plan / "plan.json").read_text(encoding="utf-8"))
    (plan / "plan.json").write_text(json.dumps(content | {"region": "elsewhere"}), encoding="utf-8")


def unknown_key(plan: Path) -> None:
    content = json.loads((plan / "plan.json").read_text(encoding="utf-8"))
    (plan / "plan.json").write_text(json.dumps(content | {"colour": "red"}), encoding="utf-8")


DIFFS: tuple[tuple[str, Callable[[Path], object], str], ...] = (
    ("no plan", lambda plan: (plan / "plan.json").unlink(), r"plan\.json: there is no such file\. Give the plan\.json"),
    ("cut short", lambda plan: cut(plan / "plan.json"), r"plan\.json: is not JSON .*Give the plan\.json"),
    ("unknown key", unknown_key, r"plan\.json: colour: "),
    (
        "other region",
        other_region,
        r"the region is 'tiny' in one plan and 'elsewhere' in the other\. Compare two plans",
    ),
)


@pytest.mark.parametrize(("name", "spoil", "told"), DIFFS, ids=[case[0] for case in DIFFS])
def test_a_difference_needs_two_plans(
    name: str, spoil: Callable[[Path], object], told: str, planned: Path, sound_plan: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    del name
    spoil(planned)
    answer = call(capsys, "diff", sound_plan, planned)
    assert answer.status == 2
    assert re.search(told, answer.err), answer.err
    assert answer.out == ""


def test_new_refuses_bad_names_and_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = call(capsys, "new", tmp_path / "My County")
    assert (answer.status, listing(tmp_path)) == (2, {})
    assert re.search(r"region name: found 'My County'\. Use lower-case letters", answer.err)
    assert call(capsys, "new", tmp_path / "my_county").status == 0
    before = listing(tmp_path)
    answer = call(capsys, "new", tmp_path / "my_county")
    assert (answer.status, listing(tmp_path)) == (2, before)
    assert re.search(r"there is one already\. Name another folder", answer.err)


def test_what_may_be_replaced_is_asked_before_the_search(planned: Path, tmp_path: Path) -> None:
    before = listing(tmp_path)
    planning.require_writable(planned)
    planning.require_writable(tmp_path / "deep" / "fresh")
    assert listing(tmp_path) == before
    (planned / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"notes\.txt"):
        planning.require_writable(planned)


def test_a_comparison_may_miss_floors_but_nothing_else(quick_run: PlanRun, monkeypatch: pytest.MonkeyPatch) -> None:
    study = quick_run.study
    said = ["floor 'all:gigabit:2026' asks for 9", "the bound 1 is on the wrong side of the objective 2"]

    def complain(*_: object) -> None:
        raise CheckError("\n".join(said))

    monkeypatch.setattr(planning, "check_plan", complain)
    missed = replace(study.sequential, notes={**study.sequential.notes, "floors": "all:gigabit:2026"})
    planning._verify(study.problem, missed)
    with pytest.raises(CheckError, match="floor 'all:gigabit:2026' asks for 9"):
        planning._verify(study.problem, study.plan)
    said.append("spend in 2026 is given as 1, recomputed 2")
    with pytest.raises(CheckError, match=r"\Athe checker rejects the plan: spend in 2026"):
        planning._verify(study.problem, missed)
