"""Arguments and wishes that cannot be: status 2, in plain words, and nothing written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli.command_line import call, listing

SETTINGS = (
    (("--set", "policy.budgett=60e6"), r"policy\.budgett: the key is unknown\. Did you mean 'budget'"),
    (("--set", "policy.priority.rurall=2"), r"policy\.priority\.rurall: the key is unknown\. Did you mean 'rural'"),
    (("--set", "policy.budget=60 million"), r"policy\.budget: found '60 million'\. It must be"),
    (("--set", "policy.budget=[1e6, 2e6]"), r"policy\.budget: 2 budgets for 3 years\. Give one budget"),
    (("--set", "policy.budget=-5"), r"the budget of 2026 is -5.*at least 0"),
    (("--set", "policy.budget=nan"), r"policy\.budget\.0: found nan\. It must be a finite number"),
    (("--set", "policy.budget=0"), r"policy\.budget: the budget is zero in every year\. Give"),
    (("--set", "policy.years=[2028, 2027, 2026]"), r"policy\.years: years are \(2028, 2027, 2026\).*rising order"),
    (("--set", "policy.carry_over=yes"), r"policy\.carry_over: found 'yes'\. It must be a valid boolean"),
    (("--set", "policy.question.x=1", "--set", "policy.question=most_value"), None),
    (("--set", "policy.discount_rate.x=1"), r"policy\.discount_rate: found \{'x': 1\}|holds no keys of its own"),
    (("--set", "budget=60e6"), r"--set budget: the key is neither .* Name policy\.<key>"),
    (("--set", "policy.=1"), r"Name policy\.<key>"),
    (("--set", "parameters.energy.tarif=1"), r"parameters\.energy\.tarif: the parameter is unknown\. Did you mean"),
    (
        ("--set", "parameters.energy.tariff=dear"),
        r"the value is 'dear', not a number\. Give a number in 'currency/kWh'",
    ),
    (("--set", "parameters.energy.tariff=1 CNY"), r"the unit is 'CNY', the registry keeps 'currency/kWh'\. Give"),
    (("--set", "policy.floors=3"), r"policy\.floors: found 3\. It must be"),
    (("--floor", "poor:gigabit:2027:0.5"), r"policy\.floors\.0: group 'poor' is unknown\. Use one of: .*rural"),
    (("--floor", "rural:fax:2027:0.5"), r"service 'fax' is unknown\. Use one of: .*gigabit"),
    (("--floor", "rural:gigabit:2040:0.5"), r"year 2040 is not planned\. Use one of: 2026"),
    (("--floor", "rural:gigabit:2027:50"), r"share is 50.*a share from 0 to 1"),
    (("--question", "least_cost"), r"policy\.floors: the question is least_cost but no floor is given\. Add"),
    (("--keep", "none.gpkg"), r"none\.gpkg: there is no such file\. Give the plan\.gpkg"),
)
USAGE = (
    (("plan",), "the following arguments are required: REGION"),
    (("plot", "tiny"), "invalid choice: 'plot'"),
    (("plan", "tiny", "--lang", "en"), "unrecognized arguments: --lang"),
    (("plan", "tiny", "--language", "fr"), "argument --language: invalid choice: 'fr'"),
    (("plan", "tiny", "--question", "best"), "argument --question: invalid choice: 'best'"),
    (("plan", "tiny", "--effort", "-1"), "argument --effort: found '-1', expected a whole number"),
    (("plan", "tiny", "--seed", "1.5"), "argument --seed: found '1.5', expected a whole number"),
    (("plan", "tiny", "--seconds", "0"), "argument --seconds: found '0', expected a number of seconds above 0"),
    (("plan", "tiny", "--seconds", "nan"), "argument --seconds: found 'nan'"),
    (("plan", "tiny", "--set", "policy.budget"), "argument --set: found 'policy.budget', expected KEY=VALUE"),
    (("plan", "tiny", "--set", "=5"), "expected KEY=VALUE"),
    (("plan", "tiny", "--floor", "rural:gigabit:2027"), "expected GROUP:SERVICE:YEAR:SHARE"),
    (("plan", "tiny", "--floor", "rural:gigabit:soon:0.5"), "expected GROUP:SERVICE:YEAR:SHARE"),
    (("plan", "tiny", "--out", ""), "argument --out: the path is empty"),
    (("plan", "ti\0ny", "--out", "a\0b"), "argument --out: the path holds a null character"),
    (("parameters", "--profile", "us"), "argument --profile: invalid choice: 'us'"),
    (("import", "tiny"), "the following arguments are required: --out"),
)


@pytest.mark.parametrize(
    ("wish", "told"), SETTINGS, ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_a_wrong_setting_is_refused(
    wish: tuple[str, ...], told: str | None, region: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = listing(region.parent)
    answer = call(capsys, "plan", region, "--out", region.parent / "plan", *wish)
    assert answer.status == 2
    assert told is None or re.search(told, answer.err), answer.err
    assert "Traceback" not in answer.err
    assert answer.out == ""
    assert listing(region.parent) == before


@pytest.mark.parametrize(
    ("arguments", "told"), USAGE, ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_wrong_usage_is_refused(arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = call(capsys, *arguments)
    assert answer.status == 2
    assert told in answer.err.replace("\n", " ")
    assert "usage: xinji" in answer.err


def test_an_unknown_region_names_those_that_are_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("check", "plan"):
        answer = call(capsys, verb, tmp_path / "xinwo", *(("--out", tmp_path / "plan") if verb == "plan" else ()))
        assert answer.status == 2
        assert re.search(r"xinwo: neither a built-in region nor a folder\. .*xinwu", answer.err)
    answer = call(capsys, "check", tmp_path)
    assert re.search(r"holds no region\.toml\. Write one with `xinji new`", answer.err)
    assert listing(tmp_path) == {}


def test_wrong_settings_are_told_at_once(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = call(
        capsys, "plan", region, "--out", region.parent / "plan", "--set", "policy.budgett=1",
        "--set", "parameters.nothing=1", "--set", "parameters.energy.tariff=1 m",
    )  # fmt: skip
    assert answer.status == 2
    assert len([line for line in answer.err.splitlines() if line.startswith("xinji: ")]) == 3


def test_a_floor_beyond_the_budget_is_explained_in_money(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = listing(region.parent)
    wish = ("--set", "policy.budget=200000", "--floor", "rural:gigabit:2026:0.9", "--effort", "0")
    answer = call(capsys, "plan", region, "--out", region.parent / "plan", *wish)
    assert answer.status == 2
    assert re.search(r"the floor for rural .*needs [0-9.]+ million by 2026.*; the budget is 0\.2", answer.err), (
        answer.err
    )
    assert listing(region.parent) == before


def test_a_floor_beyond_all_options_is_explained_in_users(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = listing(region.parent)
    deaf = [f"--set=parameters.radio.band.{band}.serves.mobile_indoor=0" for band in (700, 2600, 3500, 4900)]
    wish = ("--floor", "all:mobile_indoor:2026:0.5", "--effort", "0")
    answer = call(capsys, "plan", region, "--out", region.parent / "plan", *wish, *deaf)
    assert answer.status == 2
    told = r"by 2026 cannot be met: all options together reach [0-9,]+ of the [0-9,]+ users it asks for"
    assert re.search(told, answer.err), answer.err
    assert listing(region.parent) == before
