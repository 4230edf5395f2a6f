"""A date of completion that moves, through sheets, by hand and in every report; on both databases."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from build_verbs.some_facilities import One, facilities
from support.ledger_stores import Places
from xinji.build.earned_value import HALVES, earned_values, earning_rule
from xinji.build.forecast import BY_PLAN, BY_SLIP, forecast_finish
from xinji.build.variance import whole
from xinji.cli import main
from xinji.core.facilities import ACCEPTED, BUILT, CANCELLED, CONTRACTED, UNDER_CONSTRUCTION
from xinji.io.parameters import load

RULE = earning_rule(HALVES, load("cn"))
FIRST = """id,state,date,contract,contract_capex,technology,kind,planned_year
S-1,contracted,2027-03-05,HT-1,100.00,radio,rooftop,2027
S-2,contracted,2027-03-05,HT-1,200.00,radio,rooftop,2027
"""
SECOND = """编号,状态,日期,计划竣工日期,原因
S-1,在建,2027-06-01,2028-03-31,许可延误
S-2,已签约,2027-06-02,,
"""

Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str | Path) -> tuple[int, Any, str]:
        status = main(["build", *map(str, arguments), "--json"])
        out, err = capsys.readouterr()
        return status, json.loads(out) if out else None, err

    return call


@pytest.fixture
def place(ledger_place: Places, run: Run, tmp_path: Path) -> str:
    made = ledger_place()
    region = ("--region", "park", "--crs", "EPSG:32650", "--currency", "CNY", "--years", "2027,2028")
    assert run("open", made, *region, "--day", "2026-12-01", "--who", "li")[0] == 0
    (tmp_path / "first.csv").write_text(FIRST, encoding="utf-8")
    assert run("import", made, tmp_path / "first.csv", "--new", "--who", "li")[0] == 0
    return made


def test_a_sheet_moves_a_date_once(place: str, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "second.csv"
    path.write_text(SECOND, encoding="utf-8")
    status, found, _ = run("import", place, path, "--who", "wang")
    assert (status, found["events"]) == (0, {"state_advanced": 1, "completion_rescheduled": 1})
    again = run("import", place, path, "--who", "wang")[1]
    assert (again["events"], again["head"]) == ({}, found["head"])
    events = run("status", place, "--facility", "S-1")[1]
    told = next(event for event in events if event["kind"] == "completion_rescheduled")
    assert (told["who"], told["day"], told["payload"]) == (
        "wang", "2027-06-01", {"completion": "2028-03-31", "reason": "许可延误"},
    )  # fmt: skip
    status, found, _ = run("variance", place, "--at", "2027-12-31", "--out", tmp_path / "out")
    total = found["total"]
    assert (status, total["counts"]["rescheduled"], total["agreed_days"]) == (0, 1, 91.0)
    assert next(line for line in found["finish_forecast"] if not line["group"])["by_method"]["plan"] == "2028-03-31"
    with (tmp_path / "out" / "facilities.csv").open(encoding="utf-8-sig") as file:
        assert [row["Completion agreed"] for row in csv.DictReader(file)] == ["2028-03-31", ""]
    assert run("audit", place)[:2] == (0, run("audit", place)[1])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("S-1,在建,2027-06-01,2028-03-31,", "rescheduled to 2028-03-31 without a reason"),
        ("S-1,在建,2027-06-01,2027-05-31,x", "was to be complete by 2027-05-31, before 2027-06-01"),
        ("S-1,已建成,2027-06-01,2027-07-31,x", "S-1 is built"),
        ("S-1,在建,2027-06-01,2028.13.1,x", "计划竣工日期 is '2028.13.1'"),
    ],
)
def test_a_wrong_date_is_refused_by_its_row(place: str, run: Run, tmp_path: Path, row: str, said: str) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text(SECOND.splitlines()[0] + "\n" + row + "\n", encoding="utf-8")
    status, _, err = run("import", place, path, "--who", "li")
    assert status == 2
    assert said in err
    assert "wrong.csv line 2" in err


def test_by_hand(place: str, run: Run) -> None:
    step = ("advance", place, "S-1", "S-2", "--day", "2027-05-01", "--who", "li", "--completion", "2028-06-30")
    status, _, err = run(*step)
    assert status == 2
    assert "without a reason" in err
    status, found, _ = run(*step, "--reason", "owner's roof")
    assert status == 0
    assert [event["kind"] for event in found["events"]] == ["completion_rescheduled"] * 2
    status, _, err = run(*step, "--reason", "owner's roof")
    assert "there is nothing to record" in err
    # A step and a new date on one day.
    both = ("advance", place, "S-1", "--day", "2027-05-02", "--to", "under_construction")
    found = run(*both, "--completion", "2028-01-31", "--reason", "sooner", "--who", "li")[1]
    assert [event["kind"] for event in found["events"]] == ["state_advanced", "completion_rescheduled"]
    assert run("audit", place)[0] == 0


def test_only_what_is_let_and_not_built_is_rescheduled() -> None:
    before = facilities("2027-01-01", *(One(name, 1_00) for name in "abcdef"))
    done = ((ACCEPTED, "2027-06-30"),)
    now = facilities(
        "2027-12-31",
        One("a", 1_00, state=CONTRACTED, contract=1_00, completion="2028-03-31"),
        One("b", 1_00, state=UNDER_CONSTRUCTION, contract=1_00, completion="2027-11-30"),
        One("c", 1_00, state=BUILT, contract=1_00, completion="2029-01-01"),
        One("d", 1_00, state=CANCELLED, completion="2029-01-01"),
        One("e", 1_00),
        One("f", 1_00, state=ACCEPTED, contract=1_00, days=done, completion="2029-01-01"),
    )
    found = whole(before, now)
    assert (found.counts.rescheduled, found.agreed_days) == (2, (91 - 31) / 2)
    line = forecast_finish(before, now, RULE)[-1]
    assert line.by_method[BY_PLAN] == "2028-03-31"
    # A date agreed anew is not slipped once more.
    assert line.by_method[BY_SLIP] == "2028-03-31"
    # The money planned and earned by now does not change with a date.
    plain = facilities("2027-12-31", *(One(name, 1_00, state=CONTRACTED, contract=1_00) for name in "abcdef"))
    late = facilities(
        "2027-12-31", *(One(name, 1_00, state=CONTRACTED, contract=1_00, completion="2029-01-01") for name in "abcdef")
    )
    assert earned_values(before, plain, RULE) == earned_values(before, late, RULE)
