"""What the verbs do when all is well."""

from __future__ import annotations

import io
import json
import re
import shlex
import tomllib
from pathlib import Path

import numpy as np
import pyogrio
import pytest

from cli.command_line import call, listing
from xinji.cli_parser import parser
from xinji.cli_progress import Steps
from xinji.cli_summary import built_by_year, gap_to_joint_percent, plan_object, plan_text
from xinji.core.vocabulary import GROUPS, SERVICE_NAMES
from xinji.io.config import parse_config, read_config
from xinji.io.settings import changed_config, toml_value
from xinji.workflow.planning import PlanRun, PlanSettings, load_study, plan_region, write_study

VERBS = ("new", "import", "check", "plan", "report", "diff", "parameters")


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_examples_and_exit_statuses(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = call(capsys, verb, "--help")
    assert answer.status == 0
    assert f"examples:\n  xinji {verb} " in answer.out
    assert re.search(r"exit status:\n  0  done.*\n  2  refused", answer.out)


@pytest.mark.parametrize("verb", VERBS)
def test_the_examples_of_help_are_valid(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = call(capsys, verb, "--help").out.partition("examples:\n")[2].partition("exit status:")[0]
    lines = [re.split(r"\s{2,}|>", line.strip())[0] for line in text.splitlines() if line.startswith("  xinji ")]
    assert lines
    for line in lines:
        assert parser().parse_args(shlex.split(line)[1:]).verb == verb


def test_plan_prints_one_object_and_leaves_all_files(
    sound_region: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / "plan"
    answer = call(capsys, "plan", sound_region, "--out", out, "--json", "--language", "en", "--effort", "1")
    assert answer.status == 0, answer.err
    made = json.loads(answer.out)
    wanted = {
        "value", "bound", "gap", "seconds", "spend", "budget", "spend_by_technology", "coverage", "sequential",
        "checker", "files", "seed",
    }  # fmt: skip
    assert wanted <= set(made)
    assert made["checker"] == "green"
    assert made["gap"] == pytest.approx((made["bound"] - made["value"]) / made["value"])
    assert all(made["spend"][year] <= made["budget"][year] for year in ("2026", "2027", "2028"))
    for year, spend in made["spend"].items():
        parts = sum(by_year[year] for by_year in made["spend_by_technology"].values())
        assert parts == pytest.approx(spend, abs=0.05)
    assert list(made["coverage"]) == list(GROUPS)
    assert list(made["coverage"]["urban"]) == list(SERVICE_NAMES)
    assert all(0 <= share <= 1 for share in made["coverage"]["urban"]["gigabit"].values())
    joint, alone = made["value"], made["sequential"]["value"]
    assert made["sequential"]["gap_to_joint_percent"] == pytest.approx(100 * (joint - alone) / joint)
    assert all(Path(path).is_file() for path in made["files"].values())
    assert {"plan.gpkg", "plan.json", "report.html", "bill_of_materials.xlsx"} <= set(made["files"])
    assert "<html" in (out / "report.html").read_text(encoding="utf-8")
    assert "no plan under these budgets is worth more" in answer.err
    assert [path.name for path in tmp_path.rglob(".*")] == []


@pytest.mark.usefixtures("plain_report")
def test_the_same_seed_gives_the_same_files(quick_run: PlanRun, sound_plan: Path, tmp_path: Path) -> None:
    again = plan_region(str(quick_run.source), settings=PlanSettings(tries=1))
    write_study(again, tmp_path / "again")
    for name in ("plan.json", "region/region.toml", "tables/items.csv"):
        assert (tmp_path / "again" / name).read_bytes() == (sound_plan / name).read_bytes()


def test_a_summary_in_plain_words(quick_run: PlanRun) -> None:
    text = plan_text(quick_run, {"report.html": Path("out/report.html"), "plan.gpkg": Path("out/plan.gpkg")})
    study = quick_run.study
    assert f"value  {study.plan.objective:,.0f}" in text
    assert f"bound  {study.plan.bound:,.0f}" in text
    assert f"gap    {study.plan.gap:.2%}" in text
    assert "Planning one technology after the other under the same budgets brings" in text
    assert "Report: out/report.html" in text
    assert all(str(year) in text for year in study.policy.years)
    assert all(group in text for group in GROUPS)
    assert max(map(len, text.splitlines())) <= 120


def test_what_is_built_adds_up(quick_run: PlanRun) -> None:
    study, built = quick_run.study, built_by_year(quick_run.study)
    radio = [offer.technology for offer in study.offers].index("radio")
    stage = study.plan.stage[study.option_offer == radio]
    assert built["sites"].sum() + built["carriers"].sum() == (stage >= 1).sum()
    dug = study.problem.trench_length_m[study.plan.trench_stage >= 1].sum() / 1000
    assert built["trench_km"].sum() == pytest.approx(dug)
    gigabit = SERVICE_NAMES.index("gigabit")
    assert built["gigabit_people"].sum() == pytest.approx(study.outcome.served[:, gigabit, -1].sum())
    assert gap_to_joint_percent(study) is not None


def test_a_study_survives_its_folder(quick_run: PlanRun, sound_plan: Path) -> None:
    study = load_study(sound_plan)
    assert study.problem.fingerprint == quick_run.study.problem.fingerprint == study.plan.fingerprint
    assert np.array_equal(study.plan.served, quick_run.study.plan.served)
    assert np.array_equal(study.outcome.cell_served, quick_run.study.outcome.cell_served)
    assert study.plan.reasons.code.tolist() == quick_run.study.plan.reasons.code.tolist()
    assert (
        plan_object(quick_run, {})["built"]
        == plan_object(PlanRun(study, sound_plan, quick_run.config, "", 0.0, 0), {})["built"]
    )


def test_report_again_in_english(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chinese = (planned / "report.html").read_text(encoding="utf-8")
    assert 'lang="zh' in chinese
    answer = call(capsys, "report", planned, "--language", "en")
    assert (answer.status, answer.out) == (0, f"Report: {planned / 'report.html'}\n")
    english = (planned / "report.html").read_text(encoding="utf-8")
    assert 'lang="en' in english
    assert call(capsys, "report", planned, "--out", planned.parent / "deep" / "page.html").status == 0
    assert (planned.parent / "deep" / "page.html").read_text(encoding="utf-8") == chinese


def test_diff_of_two_plans(
    sound_plan: Path, sound_region: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "poor"
    wish = ("--set", "policy.budget=1e6", "--set", "policy.priority.rural=9", "--effort", "1")
    assert call(capsys, "plan", sound_region, "--out", other, *wish).status == 0
    answer = call(capsys, "diff", sound_plan, other)
    assert answer.status == 0
    assert "budget.2026" in answer.out
    assert "priority.rural" in answer.out
    assert "Only in A" in answer.out
    found = json.loads(call(capsys, "diff", sound_plan, other, "--json").out)
    assert {change["year_b"] for change in found["only_a"]} == {-1}
    same = call(capsys, "diff", sound_plan, sound_plan / "plan.json", "--language", "zh")
    assert same.status == 0
    assert "Only" not in same.out


@pytest.mark.usefixtures("plain_report")
def test_what_was_asked_is_kept_with_the_plan(
    sound_region: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wish = (
        "--set", "policy.budget=[3e6, 2e6, 1e6]", "--set", "parameters.energy.tariff=0.7 currency/kWh",
        "--floor", "rural:mobile_outdoor:2028:0.1",
    )  # fmt: skip
    assert call(capsys, "plan", sound_region, "--out", tmp_path / "a", *wish, "--effort", "1").status == 0
    kept = read_config(tmp_path / "a" / "region" / "region.toml")
    assert kept.policy.budget == (3e6, 2e6, 1e6)
    assert kept.policy.floors[0].share == 0.1
    assert kept.parameters["energy.tariff"].value == 0.7
    assert call(capsys, "plan", tmp_path / "a" / "region", "--out", tmp_path / "b", "--effort", "1").status == 0
    assert (tmp_path / "a" / "plan.json").read_bytes() == (tmp_path / "b" / "plan.json").read_bytes()


@pytest.mark.usefixtures("plain_report")
def test_least_money_for_a_target(sound_region: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wish = ("--question", "least_cost", "--floor", "urban:mobile_outdoor:2028:0.5", "--effort", "1")
    answer = call(capsys, "plan", sound_region, "--out", tmp_path / "plan", *wish)
    assert answer.status == 0, answer.err
    assert "no plan that meets the floors costs less than" in answer.out


def test_check_a_sound_region(sound_region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = call(capsys, "check", sound_region)
    assert answer.status == 0
    assert f"ready for `xinji plan {sound_region}`" in answer.out
    found = json.loads(call(capsys, "check", sound_region, "--json").out)
    assert found["faults"] == []
    assert {"name": "cells", "value": 64, "unit": ""} in found["quality"]


def test_check_tells_faults_as_json_too(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (region / "cells.parquet").unlink()
    answer = call(capsys, "check", region, "--json")
    assert answer.status == 2
    assert [fault["layer"] for fault in json.loads(answer.out)["faults"]] == ["cells"]


def test_new_writes_a_template(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = call(capsys, "new", tmp_path / "deep" / "my_county")
    assert answer.status == 0
    assert read_config(tmp_path / "deep" / "my_county" / "region.toml").name == "my_county"
    assert call(capsys, "new", tmp_path / "Plans 2026", "--name", "county").status == 0


def test_parameters_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    answer = call(capsys, "parameters", "energy.tariff")
    assert re.search(
        r"^energy\.tariff = [0-9.]+ currency/kWh  \([0-9.]+ to [0-9.]+; \w+, .*\)$", answer.out, re.MULTILINE
    )
    every = json.loads(call(capsys, "parameters", "--profile", "lmic", "--json").out)
    assert len(every) > 100
    assert every["energy.tariff"]["unit"] == "currency/kWh"


@pytest.mark.usefixtures("plain_report")
def test_an_old_plan_is_replaced_whole(planned: Path, sound_region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = listing(planned)
    assert call(capsys, "report", planned, "--language", "en", "--out", planned / "report_en.html").status == 0
    assert call(capsys, "plan", sound_region, "--out", planned, "--effort", "1").status == 0
    assert set(listing(planned)) == set(before)
    assert len(pyogrio.list_layers(planned / "plan.gpkg")) > 5


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_a_bar_with_time_left_on_a_terminal() -> None:
    stream = Terminal()
    told = Steps({"search": "Searching"}, stream)
    for done in range(51):
        told("search", done, 50)
    told("write", 0, 1)
    told.close()
    assert re.search(r"Searching: 100%\|.*\| 50/50, .* left", stream.getvalue())


def test_progress_is_a_line_a_tenth_elsewhere() -> None:
    stream = io.StringIO()
    told = Steps({"search": "Searching"}, stream)
    for done in range(101):
        told("search", done, 100)
    told.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 11
    assert lines[-1].endswith("Searching: 100 of 100")


def test_one_amount_stands_for_every_year(sound_region: Path) -> None:
    config = read_config(sound_region / "region.toml")
    changed, text = changed_config(config, [("policy.years", "[2026, 2027]"), ("policy.budget", "60e6")])
    assert changed.policy.budget == (60e6, 60e6)
    assert parse_config(text) == changed
    assert changed_config(config, [])[0] == config


def test_toml_on_one_line_reads_back() -> None:
    value = {"a.b": [1, 2.5, True, '新基 "x" \\ \x7f'], "c": {"d": [], "e": {"f": 1e300}}}
    assert tomllib.loads(f"x = {toml_value(value)}")["x"] == value
