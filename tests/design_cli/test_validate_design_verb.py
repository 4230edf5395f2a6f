"""``xinji validate design``: rows, statuses, interrupts, and what is refused before anything runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cli.command_line import call
from design_cli.made_instances import (
    COVERING_BEST,
    FACILITY_BEST,
    MEDIAN_BEST,
    PRIZE_BEST,
    STEINER,
    STEINER_BEST,
    WORD_BEST,
    write_all,
)
from xinji.errors import SolverError
from xinji.io.instances import Instance, family_of
from xinji.workflow import validate_design, validate_design_engines
from xinji.workflow.validate_design import design_tasks
from xinji.workflow.validate_design_result import DesignResult

BEST = {
    ("steiner", "pair"): STEINER_BEST,
    ("pcstp", "path"): PRIZE_BEST,
    ("cflp", "capx_2"): FACILITY_BEST,
    ("cflp", "capx_3"): WORD_BEST,
    ("cflp", "pair"): FACILITY_BEST,
    ("pmedian", "path"): MEDIAN_BEST,
    ("covering", "tiny"): COVERING_BEST,
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_all(tmp_path / "instances")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """Let every engine answer with the optimum at once; returns what was asked."""
    asked: list[tuple[str, float]] = []

    def solve(instance: Instance, seconds: float) -> DesignResult:
        family = family_of(instance)
        asked.append((f"{family} {instance.name}", seconds))
        value = BEST[family, instance.name]
        return DesignResult(family, instance.name, value, value, getattr(instance, "known", None), 0.25, whole=True)

    monkeypatch.setattr(validate_design, "solve_instance", solve)
    return asked


def test_every_engine_solves_small_instances(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = call(capsys, "validate", "design", "--data", data, "--seconds", "20", "--json")
    assert said.status == 0, said.err
    rows = json.loads(said.out)
    assert {(row["family"], row["instance"]): row["value"] for row in rows} == pytest.approx(BEST)
    assert all(row["bound"] == pytest.approx(row["value"]) for row in rows)
    assert all(row["gap"] in (None, pytest.approx(0.0)) for row in rows)
    assert all(
        list(row) == ["family", "instance", "value", "bound", "known", "gap", "certified_gap", "seconds"]
        for row in rows
    )


def test_limits_go_by_family_and_size(
    data: Path, quick: list[tuple[str, float]], capsys: pytest.CaptureFixture[str]
) -> None:
    said = call(capsys, "validate", "design", "--data", data)
    assert said.status == 0
    assert dict(quick) == {
        "steiner pair": 30.0,
        "pcstp path": 10.0,
        "cflp capx_2": 60.0,
        "cflp capx_3": 60.0,
        "cflp pair": 60.0,
        "pmedian path": 30.0,
        "covering tiny": 6.0,
    }
    assert "covering 1m is left out" in said.err
    assert said.out.splitlines()[1].startswith("steiner")


def test_sizes_choose_and_seconds_allow(data: Path) -> None:
    def chosen(seconds: float | None, sizes: tuple[str, ...] = ()) -> list[str]:
        tasks = design_tasks(data, seconds=seconds, sizes=sizes)
        return [task.instance.name for task in tasks if family_of(task.instance) == "covering"]

    assert chosen(None) == ["tiny"]
    assert chosen(299.0) == ["tiny"]
    assert chosen(300.0) == ["tiny", "1m"]
    assert chosen(None, ("1m",)) == ["1m"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("design", "--sizes", "3k"), "--sizes: the size '3k' is unknown. Use tiny, 1m."),
        (("design", "--details"), "--details: `xinji validate design` has no such option"),
        (("radio", "--seconds", "3"), "--seconds: `xinji validate radio` has no such option"),
        (("radio", "--sizes", "1m", "--jobs", "2"), "--jobs: `xinji validate radio` has no such option"),
        (("design", "--seconds", "0"), "expected a number above 0"),
        (("design", "--sizes", ","), "expected names of sizes"),
    ],
)
def test_what_is_asked_wrongly_is_refused(
    data: Path, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = call(capsys, "validate", *words, "--data", data)
    assert said.status == 2
    assert message in said.err
    assert not said.out


def test_faults_are_told_before_anything_runs(
    data: Path, quick: list[tuple[str, float]], capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "steiner" / "bad.gr").write_text(STEINER.replace("E 1 2 5", "E 1 2"), encoding="utf-8")
    (data / "pmedian" / "bad.txt").write_text("3 3 1\n1 2\n", encoding="utf-8")
    said = call(capsys, "validate", "design", "--data", data)
    assert said.status == 2
    assert "steiner/bad.gr, row 3: line 4: 'E 1 2' is no edge" in said.err
    assert "pmedian/bad.txt: 2 numbers follow the first three" in said.err
    assert not quick


def test_ctrl_c_prints_what_is_done(
    data: Path, quick: list[tuple[str, float]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = vars(validate_design)["solve_instance"]

    def stop(instance: Instance, seconds: float) -> DesignResult:
        if len(quick) == 2:
            raise KeyboardInterrupt
        made: DesignResult = answer(instance, seconds)
        return made

    monkeypatch.setattr(validate_design, "solve_instance", stop)
    said = call(capsys, "validate", "design", "--data", data, "--json")
    assert said.status == 2
    assert "after 2 of 7 instances" in said.err
    assert [row["family"] for row in json.loads(said.out)] == ["steiner", "pcstp"]


def test_an_engine_that_fails_is_a_row_and_the_others_go_on(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise SolverError("nothing was proved")

    def crash(*_: object) -> None:
        raise IndexError("out of range")

    monkeypatch.setattr(validate_design_engines, "_warm", lambda _family: None)
    monkeypatch.setattr(validate_design_engines, "_run", fail)
    first = call(capsys, "validate", "design", "--data", data / "cflp")
    monkeypatch.setattr(validate_design_engines, "_run", crash)
    second = call(capsys, "validate", "design", "--data", data / "cflp", "--json")
    assert first.status == second.status == 1
    assert first.out.count("the engine gives no answer (SolverError: nothing was proved)") == 3
    assert "IndexError: out of range" in second.err
    assert [row["value"] for row in json.loads(second.out)] == [None, None, None]


@pytest.mark.parametrize(("family", "engine"), [("steiner", "steiner_tree"), ("pcstp", "prize_collecting")])
def test_a_bound_that_its_certificate_does_not_prove_is_a_fault(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, family: str, engine: str
) -> None:
    honest = getattr(validate_design_engines, engine)

    def boast(*given: object, **limits: object) -> object:
        found = honest(*given, **limits)
        return replace(found, certified=found.certified + 1.0)

    monkeypatch.setattr(validate_design_engines, "_warm", lambda _family: None)
    monkeypatch.setattr(validate_design_engines, engine, boast)
    said = call(capsys, "validate", "design", "--data", data / family)
    assert said.status == 1
    assert "its certificate proves" in said.out


def test_two_processes_give_the_same_rows(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alone, both = (
        call(capsys, "validate", "design", "--data", data / "cflp", "--jobs", jobs, "--json") for jobs in ("1", "2")
    )
    assert alone.status == both.status == 0
    rows = [[{**row, "seconds": 0} for row in json.loads(said.out)] for said in (alone, both)]
    assert rows[0] == rows[1]
