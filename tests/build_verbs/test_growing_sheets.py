"""A sheet that grows from month to month, and records that go back to what was: told once, and never lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from support.ledger_stores import Places
from xinji.build.ledger import Filter, Ledger
from xinji.cli import main
from xinji.workflow import building_days

COLUMNS = "id,state,date,contract,contract_capex,settled_capex,paid_total,x_m,y_m,project,reason"
HEAD = "technology,kind"
LIFE = (
    "S-1,contracted,2027-02-01,A1,200.00,,,,,,",
    "S-1,在建,2027-03-05,A1,200.00,,100.00,500000,3400000,,",
    "S-1,在建,2027-03-20,A1,230.00,,120.00,500001,3400000,,",
    "S-1,验收,2027-04-05,A1,200.00,210.00,210.00,500000,3400000,,",
    "S-1,退役,2028-04-05,,,,,,,,gone",
)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str | Path) -> tuple[int, str, str]:
        status = main(["build", *map(str, arguments)])
        out, err = capsys.readouterr()
        return status, out, err

    return call


@pytest.fixture
def place(ledger_place: Places, run: Run, tmp_path: Path) -> str:
    """Return a ledger with one site that is planned."""
    made = ledger_place()
    where = ("--region", "park", "--crs", "EPSG:32650", "--currency", "CNY", "--years", "2027,2028")
    assert run("open", made, *where, "--day", "2026-12-01", "--who", "li")[0] == 0
    path = sheet(tmp_path, ["S-1,planned,2027-01-01,radio,macro"], f"id,state,date,{HEAD}")
    assert run("import", made, path, "--new", "--who", "li")[0] == 0
    return made


def sheet(folder: Path, rows: Sequence[str], columns: str = COLUMNS) -> Path:
    path = folder / "records.csv"
    path.write_text("\n".join((columns, *rows)) + "\n", encoding="utf-8")
    return path


def taken(run: Run, place: str, path: Path, *more: str) -> dict[str, Any]:
    status, out, err = run("import", place, path, "--who", "li", "--json", *more)
    assert status == 0, err
    return dict(json.loads(out))


def lets(place: str) -> list[tuple[str, int]]:
    with Ledger.open(place) as ledger:
        events = ledger.events(Filter(kinds=("contract_let",)))
    return [(event.day, event.payload["capex"]) for event in events]


def test_a_sheet_may_be_handed_in_every_month(place: str, run: Run, tmp_path: Path) -> None:
    new = []
    for rows in range(1, len(LIFE) + 1):
        new.append(taken(run, place, sheet(tmp_path, LIFE[:rows])))
        again = taken(run, place, sheet(tmp_path, LIFE[:rows]))
        assert (again["events"], again["unchanged"]) == ({}, rows)
    assert [(month["contract_cents"], month["paid_cents"]) for month in new] == [
        (200_00, 0), (0, 100_00), (30_00, 20_00), (-20_00, 90_00), (0, 0),
    ]  # fmt: skip
    assert lets(place) == [("2027-02-01", 200_00), ("2027-03-20", 230_00), ("2027-04-05", 210_00)]
    with Ledger.open(place) as ledger:
        assert len(ledger.events(Filter(kinds=("place_recorded",)))) == 3
        now = ledger.facilities()
    assert (now.paid.tolist(), now.contract_capex.tolist()) == ([210_00], [210_00])


def test_all_months_at_once_come_to_the_same(place: str, run: Run, tmp_path: Path) -> None:
    found = taken(run, place, sheet(tmp_path, LIFE))
    assert (found["contract_cents"], found["paid_cents"]) == (210_00, 210_00)
    assert taken(run, place, sheet(tmp_path, LIFE))["events"] == {}


def test_what_was_never_so_is_still_refused(place: str, run: Run, tmp_path: Path) -> None:
    taken(run, place, sheet(tmp_path, LIFE[:4]))
    rows = [
        "S-1,建成,2027-05-01,,,,,,,,",
        "S-1,退役,2027-03-20,,,,,,,,",
        "S-1,在建,2027-03-20,,,,90,,,,",
        "S-1,在建,2027-03-10,,,,110,,,,",
        "S-1,验收,2027-05-01,A1,230,,,,,,",
    ]
    for row, words in zip(rows, (
        "S-1 is accepted since 2027-04-05 and cannot become built",
        "S-1 became accepted on 2027-04-05, after 2027-03-20",
        "90.00 were paid until now, the ledger has 120.00",
        "110.00 were paid until now, the ledger has 100.00 by 2027-03-10 and 210.00 in all",
        "A1 was let for 230.00, and is A1 for 210.00 since",
    ), strict=True):  # fmt: skip
        status, _, err = run("import", place, sheet(tmp_path, [row]), "--who", "li")
        assert (status, words in err) == (2, True), err


def test_a_contract_amended_back_counts(place: str, run: Run, tmp_path: Path) -> None:
    rows = [f"S-1,contracted,2027-0{month}-01,A1,{cents}.00,,,,,," for month, cents in ((2, 100), (3, 120), (4, 100))]
    for last in (1, 2, 3):
        taken(run, place, sheet(tmp_path, rows[:last]))
    assert [cents for _, cents in lets(place)] == [100_00, 120_00, 100_00]
    assert taken(run, place, sheet(tmp_path, rows))["unchanged"] == 3
    by_hand = ("--contract", "A1", "--sum", "120", "--day", "2027-05-01", "--who", "li")
    assert run("advance", place, "S-1", *by_hand)[0] == 0
    assert lets(place)[-1] == ("2027-05-01", 120_00)


@pytest.mark.parametrize("way", ["sheet", "hand"])
def test_a_contract_that_ended_may_be_let_again_as_it_was(place: str, run: Run, tmp_path: Path, way: str) -> None:
    row = "S-1,contracted,2027-02-01,A1,100.00,,,,,,"
    taken(run, place, sheet(tmp_path, [row]))
    back = ("--to", "approved", "--back", "--reason", "bankrupt", "--day", "2027-03-01", "--who", "li")
    assert run("advance", place, "S-1", *back)[0] == 0
    assert taken(run, place, sheet(tmp_path, [row]))["events"] == {}
    if way == "sheet":
        taken(run, place, sheet(tmp_path, [row, row.replace("02-01", "03-02")]))
        assert taken(run, place, sheet(tmp_path, [row, row.replace("02-01", "03-02")]))["events"] == {}
    else:
        let = ("--to", "contracted", "--contract", "A1", "--sum", "100", "--day", "2027-03-01", "--who", "li")
        assert run("advance", place, "S-1", *let)[0] == 0
    assert [cents for _, cents in lets(place)] == [100_00, 100_00]
    with Ledger.open(place) as ledger:
        assert ledger.facilities().contract_capex.tolist() == [100_00]
    assert run("audit", place)[0] == 0


def test_projects_are_told_once_too(place: str, run: Run, tmp_path: Path) -> None:
    for name in ("a.pdf", "b.pdf"):
        (tmp_path / name).write_bytes(name.encode())
    columns = "id,name,industry,scenario,registered,state,date,evidence"
    rows = [
        "X-1,n,C39,S01,2027-01-10,签约,2027-02-01,a.pdf",
        "X-1,n,C39,S01,2027-01-10,验收,2027-06-01,a.pdf;b.pdf",
    ]
    first = taken(run, place, sheet(tmp_path, rows[:1], columns), "--projects")
    assert first["events"] == {"project_registered": 1, "state_advanced": 2, "evidence_attached": 1}
    second = taken(run, place, sheet(tmp_path, rows, columns), "--projects")
    assert second["events"] == {"state_advanced": 3, "evidence_attached": 1}
    assert taken(run, place, sheet(tmp_path, rows, columns), "--projects")["events"] == {}


def test_what_differs_and_is_not_recorded_is_told(place: str, run: Run, tmp_path: Path) -> None:
    columns = f"id,state,date,{HEAD},planned_capex"
    path = sheet(tmp_path, ["S-1,planned,2027-01-01,radio,rooftop,12.50"], columns)
    lines = [f"records.csv line 2: {text}" for text in (
        "kind of S-1 is rooftop there, and stays macro", "planned_capex of S-1 is 12.50 there, and stays 0.00",
    )]  # fmt: skip
    assert taken(run, place, path)["differing"] == lines
    assert f"differing  {lines[0]}" in run("import", place, path, "--who", "li")[1]
    columns = "id,name,industry,scenario,registered,planned_capex"
    one = sheet(tmp_path, ["X-1,n,C39,S01,2027-01-10,5"], columns)
    assert taken(run, place, one, "--projects")["differing"] == []
    assert taken(run, place, one, "--projects")["differing"] == []
    other = sheet(tmp_path, ["X-1,n,C40,S01,2027-01-10,9.99"], columns)
    assert [line.split(": ")[1] for line in taken(run, place, other, "--projects")["differing"]] == [
        "industry of X-1 is C40 there, and stays C39", "planned of X-1 is 9.99 there, and stays 5.00",
    ]  # fmt: skip


def test_texts_stay_texts_in_tables(place: str, run: Run, tmp_path: Path) -> None:
    rows = ["N-1,planned,2027-01-01,radio,macro,=1+1,2027"]
    taken(run, place, sheet(tmp_path, rows, f"id,state,date,{HEAD},area,planned_year"), "--new")
    assert run("variance", place, "--out", tmp_path / "out")[0] == 0
    assert "'=1+1" in (tmp_path / "out" / "cost_by_area.csv").read_text(encoding="utf-8-sig")


def test_a_dry_run_finds_what_the_ledger_would_refuse(place: str, run: Run, tmp_path: Path) -> None:
    path = sheet(tmp_path, [f"S-1,approved,2027-02-01,,,,,,,,{'长' * 4001}"])
    head = json.loads(run("status", place, "--json")[1])["head"]
    for more in ((), ("--dry-run",)):
        status, _, err = run("import", place, path, "--who", "li", *more)
        assert status == 2
        assert "reason is '长长" in err
    early = sheet(tmp_path, ["S-1,approved,2026-12-31,,,,,,,,"])
    assert run("import", place, early, "--who", "li", "--dry-run")[0] == 2
    fine = sheet(tmp_path, ['S-1,approved,2027-02-01,,,,,,,,"第一行\n第二行"'])
    assert taken(run, place, fine, "--dry-run")["events"] == {"state_advanced": 1}
    assert json.loads(run("status", place, "--json")[1])["head"] == head
    taken(run, place, fine)
    with Ledger.open(place) as ledger:
        assert ledger.events()[-1].payload["reason"] == "第一行 第二行"


def test_the_first_key_of_a_ledger_is_trusted_by_itself(place: str, run: Run, tmp_path: Path) -> None:
    """As the guide has it: make a key, let the ledger trust it, sign."""
    key = tmp_path / "li.pem"
    public = run("key", key)[1].splitlines()[-1]
    signed = ("--who", "li", "--key", key)
    path = sheet(tmp_path, LIFE[:1])
    assert "signed with a key that is not trusted" in run("import", place, path, *signed)[2]
    assert run("key", "--trust", public, "--name", "li", "--ledger", place, *signed)[0] == 0
    assert run("import", place, path, *signed)[0] == 0


def test_days_to_come_are_refused_unless_they_are_meant(place: str, run: Run, tmp_path: Path) -> None:
    path = sheet(tmp_path, ["S-1,approved,2207-05-01,,,,,,,,"])
    status, _, err = run("import", place, path, "--who", "li")
    assert status == 2
    assert "line 2, row 0: the day is 2207-05-01, which has not come yet" in err
    assert f"Give a day until {building_days.today()}" in err
    step = ("S-1", "--to", "approved", "--day", "2207-05-01", "--who", "li")
    assert "--day: the day is 2207-05-01" in run("advance", place, *step)[2]
    begun = ("--region", "x", "--crs", "EPSG:32650", "--currency", "CNY", "--years", "2207", "--day", "2207-05-01")
    assert "--day: the day is 2207-05-01" in run("open", tmp_path / "x.ledger", *begun, "--who", "li")[2]
    columns = "id,name,industry,scenario,registered"
    projects = sheet(tmp_path, ["X-1,n,C39,S01,2207-05-01"], columns)
    assert "which has not come yet" in run("import", place, projects, "--projects", "--who", "li")[2]
    assert json.loads(run("status", place, "--json")[1])["at"] == "2027-01-01"
    assert run("advance", place, *step, "--future")[0] == 0
    assert json.loads(run("status", place, "--json")[1])["at"] == "2207-05-01"


def test_what_was_recorded_in_error_is_voided(place: str, run: Run, tmp_path: Path) -> None:
    rows = ["N-1,approved,2207-05-01,radio,macro"]
    taken(run, place, sheet(tmp_path, rows, f"id,state,date,{HEAD}"), "--new", "--future")
    listed = json.loads(run("status", place, "--facility", "N-1", "--json")[1])
    numbers = [event["number"] for event in listed]
    who = ("--reason", "the year is wrong", "--who", "li")
    assert "more is recorded of it" in run("void", place, str(numbers[0]), *who)[2]
    status, out, _ = run("void", place, str(numbers[1]), *who)
    assert status == 0
    assert f"Event {numbers[1]} counts no longer: 2207-05-01  N-1  state_advanced" in out
    found = json.loads(run("void", place, str(numbers[0]), *who, "--json")[1])
    assert (found["void"]["kind"], found["event"]["kind"]) == ("facility_registered", "event_voided")
    assert run("audit", place, "--head", found["head"])[0] == 0
    after = json.loads(run("status", place, "--json")[1])
    assert (after["at"], list(after["facilities"])) == ("2027-01-01", ["S-1"])
    assert run("void", place, "999", *who)[0] == run("void", place, "1", *who)[0] == 2
    assert run("void", place, str(numbers[0]), "--reason", " ", "--who", "li")[0] == 2
    # The sheet that is mended comes in as if nothing had been.
    mended = sheet(tmp_path, ["N-1,approved,2027-05-01,radio,macro"], f"id,state,date,{HEAD}")
    assert taken(run, place, mended, "--new")["registered"] == 1


def test_a_payment_in_error_is_voided_and_paid_again(place: str, run: Run) -> None:
    pay = ("S-1", "--pay", "5", "--voucher", "V-1", "--day", "2027-02-01", "--who", "li")
    number = json.loads(run("advance", place, *pay, "--json")[1])["events"][0]["number"]
    assert "void the payment" in run("audit", place)[1]
    assert run("void", place, str(number), "--reason", "paid for S-2", "--who", "li")[0] == 0
    assert run("audit", place)[0] == 0
    assert run("advance", place, *pay)[0] == 0
