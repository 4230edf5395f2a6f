"""The whole verbs, through the command line, on both databases."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openpyxl import load_workbook

from support.ledger_stores import Places
from support.study import made_up_study
from xinji.build.ledger import Ledger
from xinji.cli import main
from xinji.io.building_places import projected
from xinji.io.check_gcj import gcj02
from xinji.io.plan_json import write_plan_json

CRS = "EPSG:32650"
COLUMNS = "id,state,date,contract,contract_capex,paid_total,longitude,latitude,technology,kind,area,planned_year"
SITES = (
    "S-1,accepted,2027-03-05,HT-1,100.00,60.00,117.31,31.50,radio,rooftop,东园,2027",
    "S-2,under_construction,2027-04-01,HT-1,200.50,,117.32,31.51,radio,rooftop,东园,2027",
    "T-1,in_use,2027-05-01,HT-2,118.00,118.00,,,trench,open_trench,西园,2026",
    "S-3,planned,2027-05-02,,,,117.33,31.52,radio,rooftop,,2028",
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
def place(ledger_place: Places, run: Run) -> str:
    """Return a ledger without a plan."""
    made = ledger_place()
    years = ("--years", "2027,2028", "--day", "2026-12-01")
    assert run("open", made, "--region", "park", "--crs", CRS, "--currency", "CNY", *years, "--who", "li")[0] == 0
    return made


def sheet(folder: Path, *rows: str, columns: str = COLUMNS, name: str = "records.csv") -> Path:
    path = folder / name
    path.write_text("\n".join((columns, *rows)) + "\n", encoding="utf-8")
    return path


def said(out: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(out)
    return found


def test_records_come_in_whole_and_once(place: str, run: Run, tmp_path: Path) -> None:
    path = sheet(tmp_path, *SITES)
    status, out, _ = run("import", place, path, "--new", "--who", "li", "--json", "--dry-run")
    assert (status, said(out)["registered"], said(out)["dry"]) == (0, 4, True)
    status, out, _ = run("import", place, path, "--new", "--who", "li", "--json")
    found = said(out)
    assert (found["rows"], found["registered"], found["contract_cents"], found["paid_cents"]) == (4, 4, 418_50, 178_00)
    assert found["states"] == {
        "approved": 3, "contracted": 3, "under_construction": 3, "built": 2, "accepted": 2, "in_use": 1,
    }  # fmt: skip
    again = said(run("import", place, path, "--who", "li", "--json")[1])
    assert (again["events"], again["unchanged"], again["head"]) == ({}, 4, found["head"])
    states = said(run("status", place, "--json")[1])["states"]["all"]
    assert (states["planned"], states["under_construction"], states["accepted"], states["in_use"]) == (1, 1, 1, 1)
    # Replayed to the day before the second site was begun.
    states = said(run("status", place, "--json", "--at", "2027-03-31")[1])["states"]["all"]
    assert (sum(states.values()), states["accepted"]) == (1, 1)


def test_what_stood_before_comes_in_as_it_is(place: str, run: Run, tmp_path: Path) -> None:
    path = sheet(tmp_path, "O-1,in_use,2026-12-05,radio,rooftop", columns="id,state,date,technology,kind")
    found = said(run("import", place, path, "--new", "--who", "li", "--json")[1])
    assert found["events"] == {"facility_registered": 1}
    assert said(run("status", place, "--json")[1])["states"]["all"]["in_use"] == 1
    # It is no part of any plan.
    assert run("variance", place)[0] == 2


def test_one_fault_keeps_everything_out(place: str, run: Run, tmp_path: Path) -> None:
    assert run("import", place, sheet(tmp_path, *SITES), "--new", "--who", "li")[0] == 0
    head = said(run("status", place, "--json")[1])["head"]
    columns = "id,state,date,contract,contract_capex,payment,payment_reference,paid_total,reason,project"
    status, out, err = run("import", place, sheet(
        tmp_path,
        "S-2,built,2027-06-01,,,,,,,",
        "S-1,built,2027-06-01,,,,,,,",
        "S-9,built,2027-06-01,,,,,,,",
        "S-3,contracted,2027-06-01,,,,,,,",
        "S-2,accepted,2027-03-01,,,,,,,",
        "T-1,in_use,2027-06-01,HT-9,,,,,,",
        "T-1,in_use,2027-06-01,,,5.00,,,,",
        "T-1,in_use,2027-06-01,,,,,117.99,,",
        "T-1,in_use,2027-06-01,,,,,,,P-1",
        columns=columns,
    ), "--who", "li")  # fmt: skip
    assert (status, out) == (2, "")
    lines = [line.removeprefix("xinji: records.csv line ") for line in err.splitlines()]
    assert [line.split(": ")[1].split(". ")[0] for line in lines] == [
        "S-1 is accepted since 2027-03-05 and cannot become built",
        "the ledger has no facility 'S-9'",
        "S-3 has no contract and is to be contracted",
        "S-2 became under_construction on 2027-04-01, after 2027-03-01",
        "the contract HT-9 is new and has no sum",
        "a payment has no voucher, and could be counted twice",
        "117.99 were paid until now, the ledger has 118.00",
        "the ledger has no project 'P-1'",
    ]
    assert said(run("status", place, "--json")[1])["head"] == head


def test_plan_against_actual_to_the_cent(place: str, run: Run, tmp_path: Path) -> None:
    assert run("import", place, sheet(tmp_path, *SITES), "--new", "--who", "li")[0] == 0
    status, out, _ = run("variance", place, "--at", "2027-12-31", "--json", "--by", "technology,area")
    found = said(out)
    assert status == 0
    budget = found["budget"]
    assert (budget["planned"], budget["added"], budget["difference"]) == (0, 418_50, 0)
    assert (budget["paid"], budget["committed"], budget["remaining"]) == (178_00, 240_50, 0)
    assert [line["group"] for line in found["groups"]["area"]] == ["", "东园", "西园"]
    assert [line["counts"]["late"] for line in found["groups"]["technology"]] == [0, 1]
    total = found["earned_value"][-1]
    assert total["ev"] == 100_00 + 60_15 + 118_00
    assert found["cost_forecast"]["low"] <= found["cost_forecast"]["high"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_tables_go_to_files_that_open(place: str, run: Run, tmp_path: Path, language: str) -> None:
    assert run("import", place, sheet(tmp_path, *SITES), "--new", "--who", "li")[0] == 0
    status, out, _ = run("variance", place, "--language", language, "--out", tmp_path / "out")
    words = {"zh": ("核对到分，平衡", "合计"), "en": ("reconciles to the cent", "Total")}[language]
    assert status == 0
    assert all(word in out for word in words)
    book = load_workbook(tmp_path / "out" / "variance.xlsx")
    assert len(book.sheetnames) == len(list((tmp_path / "out").glob("*.csv"))) == 13
    raw = (tmp_path / "out" / "cost_by_stage.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(raw.decode("utf-8-sig").splitlines()))
    assert rows[-1][0] == words[1]
    assert rows[-1][6:10] == ["418.5", "178", "240.5", "0"]
    cells = [cell.value for cell in book.worksheets[1][len(rows) + 4]]
    assert cells[0] == words[1]
    assert cells[6] == 418.5


def test_a_step_by_hand_forward_and_back(place: str, run: Run, tmp_path: Path) -> None:
    assert run("import", place, sheet(tmp_path, *SITES), "--new", "--who", "li")[0] == 0
    proof = tmp_path / "proof.pdf"
    proof.write_bytes(b"handed over")
    let = ("--contract", "HT-3", "--contractor", "无锡电信工程", "--sum", "50.25", "--evidence", proof)
    status, out, _ = run(
        "advance", place, "S-3", "--to", "已建成", "--day", "2027-06-01", *let, "--who", "li", "--json"
    )
    assert status == 0
    kinds = [event["kind"] for event in said(out)["events"]]
    assert kinds == ["contract_let", *["state_advanced"] * 4, "evidence_attached"]
    pay = ("--pay", "20", "--voucher", "V-1", "--day", "2027-06-02", "--who", "li")
    assert run("advance", place, "S-3", *pay)[0] == 0
    assert run("advance", place, "S-3", *pay)[0] == 2
    back = ("--to", "under_construction", "--back", "--day", "2027-06-03", "--who", "li")
    assert "no state or no reason is given" in run("advance", place, "S-3", *back)[2]
    assert run("advance", place, "S-3", *back, "--reason", "leaks")[0] == 0
    status, out, _ = run("status", place, "--facility", "S-3")
    assert "state_returned" in out
    assert "reason leaks" in out
    assert said(run("status", place, "--json")[1])["facilities"]["S-3"] == {
        "state": "under_construction", "contract": 50_25, "paid": 20_00,
    }  # fmt: skip


def test_two_at_once_lose_nothing(place: str, run: Run, tmp_path: Path) -> None:
    assert run("import", place, sheet(tmp_path, *SITES), "--new", "--who", "li")[0] == 0
    head = said(run("status", place, "--json")[1])["head"]
    step = ("--to", "built", "--day", "2027-07-01", "--head", head)
    assert run("advance", place, "S-2", *step, "--who", "wang")[0] == 0
    status, _, err = run("advance", place, "S-2", *step, "--who", "li")
    assert status == 2
    assert "S-2 was changed by wang since you looked" in err
    # What is about other facilities is no conflict.
    other = ("--to", "in_use", "--day", "2027-07-01", "--head", head, "--who", "li")
    assert run("advance", place, "S-1", *other)[0] == 0


def test_a_sound_ledger_passes_its_audit(place: str, run: Run, tmp_path: Path) -> None:
    proof = tmp_path / "proof.pdf"
    proof.write_bytes(b"handed over")
    path = sheet(tmp_path, f"{SITES[0]},proof.pdf", columns=f"{COLUMNS},evidence")
    taken = ("--new", "--who", "li", "--evidence", tmp_path, "--json")
    head = said(run("import", place, path, *taken)[1])["head"]
    status, out, _ = run("audit", place, "--head", head, "--evidence", tmp_path)
    assert status == 0, out
    assert "evidence: 1 matches" in out
    proof.write_bytes(b"altered")
    status, out, _ = run("audit", place, "--evidence", tmp_path)
    assert status == 1
    assert "proof.pdf of S-1 is not the file that was handed in" in out
    proof.unlink()
    assert "proof.pdf of S-1 is missing" in run("audit", place, "--evidence", tmp_path)[1]
    wrong = head.split(":")[0] + ":" + "0" * 64
    assert run("audit", place, "--head", wrong, "--evidence", tmp_path)[0] == 1
    assert run("audit", place, "--head", "nonsense")[0] == 2


def test_an_audit_finds_money_without_a_contract(place: str, run: Run, tmp_path: Path) -> None:
    assert run("import", place, sheet(tmp_path, *SITES), "--new", "--who", "li")[0] == 0
    for name, amount in (("S-1", "40.01"), ("S-3", "5")):
        assert (
            run("advance", place, name, "--pay", amount, "--voucher", "V", "--day", "2027-08-01", "--who", "li")[0] == 0
        )
    status, out, _ = run("audit", place)
    assert status == 1
    assert "S-1: 100.01 paid, contract 100.00" in out
    assert "S-3: 5.00 paid without a contract" in out


def test_an_audit_finds_a_changed_record(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "park.ledger"
    made = ("--region", "park", "--crs", CRS, "--currency", "CNY", "--years", "2027", "--day", "2026-12-01")
    assert run("open", place, *made, "--who", "li")[0] == 0
    assert run("import", place, sheet(tmp_path, *SITES), "--new", "--who", "li")[0] == 0
    with sqlite3.connect(place) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        (events,) = (name for name in tables if "event" in name)
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {trigger}")
        changed = database.execute(f"UPDATE {events} SET day = '2027-01-01' WHERE number = 4")  # noqa: S608
        assert changed.rowcount == 1
    database.close()
    status, out, _ = run("audit", place)
    assert status == 1
    assert "chain: event 4" in out


def test_signatures_are_asked_of_who_has_a_key(run: Run, tmp_path: Path) -> None:
    key, place = tmp_path / "li.pem", tmp_path / "park.ledger"
    status, out, _ = run("key", key)
    assert status == 0
    public = out.splitlines()[-1]
    assert public.startswith("ed25519:")
    made = ("--region", "park", "--crs", CRS, "--currency", "CNY", "--years", "2027", "--day", "2026-12-01")
    assert run("open", place, *made, "--who", "li", "--key", key)[0] == 0
    path = sheet(tmp_path, *SITES)
    assert "li has a key but did not sign" in run("import", place, path, "--new", "--who", "li")[2]
    assert run("import", place, path, "--new", "--who", "li", "--key", key)[0] == 0
    trusted = tmp_path / "keys.txt"
    trusted.write_text(f"{public} li\n", encoding="utf-8")
    assert run("audit", place, "--trusted", trusted)[0] == 0
    assert run("key", tmp_path / "wang.pem")[0] == 0
    status, out, _ = run("key", tmp_path / "zhao.pem")
    trust = ("--trust", out.splitlines()[-1], "--name", "zhao", "--ledger", place)
    assert run("key", *trust, "--who", "li")[0] == 2
    assert run("key", *trust, "--who", "li", "--key", key)[0] == 0
    assert run("key")[0] == 2


def test_places_are_held_against_the_plan(place: str, run: Run, tmp_path: Path) -> None:
    rows = [f"P-{n},planned,2027-01-01,,,,{117.3 + n / 1000:.3f},31.5,radio,rooftop,,2027" for n in range(3)]
    assert run("import", place, sheet(tmp_path, *rows), "--new", "--who", "li")[0] == 0

    shifted = [float(axis[0]) for axis in gcj02(np.array([117.3]), np.array([31.5]))]
    columns = "id,state,date,lon,lat"
    path = sheet(
        tmp_path,
        f"P-0,planned,2027-02-01,{shifted[0]:.7f},{shifted[1]:.7f}",
        "P-1,planned,2027-02-01,117.401,31.5",
        "P-2,planned,2027-02-01,117.3021,31.5",
        columns=columns,
    )
    status, _, err = run("import", place, path, "--who", "li")
    assert status == 2
    assert "line 2" in err
    assert "a GCJ-02 shift is suspected" in err.splitlines()[0]
    assert "line 3" in err
    assert "9,496 m off the planned one" in err or "m off the planned one, expected at most 1,000 m" in err
    assert len(err.splitlines()) == 2
    assert run("import", place, path, "--who", "li", "--places-checked")[0] == 0
    with Ledger.open(place) as ledger:
        now = ledger.facilities()
    x_m, y_m = projected(CRS, np.array([117.3021]), np.array([31.5]))
    assert (now.x_m[2], now.y_m[2]) == (round(float(x_m[0]), 3), round(float(y_m[0]), 3))
    swapped = sheet(tmp_path, "P-1,planned,2027-02-02,31.5,91", columns=columns)
    assert "Give a number from -90 to 90" in run("import", place, swapped, "--who", "li")[2]
    metric = sheet(tmp_path, "P-1,planned,2027-02-02,117.3,31.5", columns="id,state,date,x,y")
    assert "look like degrees" in run("import", place, metric, "--who", "li", "--places-checked")[2]


def test_projects_and_their_register(place: str, run: Run, tmp_path: Path) -> None:
    columns = "项目编号,项目名称,企业,行业代码,应用场景,园区,投资额(万元),登记日期,状态,日期"
    path = sheet(
        tmp_path,
        "X-1,视觉质检,甲公司,C39,机器视觉质检;S08,东园,120.5,2027-01-10,在建,2027-02-01",
        "X-2,能效管控,乙公司,4411,生产能效管控,,80,2027-04-02,签约,2027-04-20",
        "X-3,未开工,丙公司,36,S01,东园,10,2027-04-02,,",
        columns=columns,
        name="projects.csv",
    )
    status, out, err = run("import", place, path, "--projects", "--who", "li", "--json")
    assert status == 0, err
    assert said(out)["registered"] == 3
    assert said(run("import", place, path, "--projects", "--who", "li", "--json")[1])["unchanged"] == 3
    records = sheet(tmp_path, *(f"{row},X-1" for row in SITES[:2]), columns=f"{COLUMNS},project")
    assert run("import", place, records, "--new", "--who", "li")[0] == 0
    found = said(run("register", place, "--json", "--at", "2027-06-30")[1])
    assert (found["quarter"], found["total"]["projects"], found["total"]["new"], found["divisions"]) == (
        "2027Q2",
        2,
        1,
        2,
    )
    assert [(p["id"], p["contract_cents"], p["paid_cents"], p["facilities"]) for p in found["projects"]] == [
        ("X-1", 300_50, 60_00, 2), ("X-2", 0, 0, 0), ("X-3", 0, 0, 0),
    ]  # fmt: skip
    # A quarter is told at its end, whatever day of it is named.
    assert said(run("register", place, "--json", "--at", "2027-04-10")[1])["total"] == found["total"]
    for language, word in (("zh", "机器视觉质检"), ("en", "Machine-vision quality inspection")):
        status, out, _ = run("register", place, "--language", language, "--out", tmp_path / language)
        assert status == 0
        assert word in out
        assert load_workbook(tmp_path / language / "register.xlsx").worksheets[2]["C5"].value == word
    wrong = sheet(tmp_path, "X-9,x,y,C99,飞行,,1,2027-01-01,,", columns=columns, name="wrong.csv")
    err = run("import", place, wrong, "--projects", "--who", "li")[2]
    assert "the industry is 'C99'" in err
    assert "the scenario is '飞行'" in err


def test_a_ledger_without_projects_has_no_register(place: str, run: Run) -> None:
    status, _, err = run("register", place)
    assert status == 2
    assert "there is no project with a scenario" in err


def test_nothing_planned_is_no_variance(place: str, run: Run) -> None:
    assert run("variance", place)[0] == 2
    assert "there is no baseline 'x'" in run("variance", place, "--baseline", "x")[2]


def test_what_open_refuses(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "park.ledger"
    status, _, err = run("open", place)
    assert status == 2
    assert err.count("it is missing") == 4
    assert "the plan says it already" in run("open", place, "--plan", tmp_path, "--crs", CRS)[2]
    wrong = ("--region", "park", "--crs", "EPSG:4326", "--currency", "yuan", "--years", "2028,2027")
    assert run("open", place, *wrong)[2].count("xinji: ") == 3
    assert not place.exists()
    for years in ("0", "2027,10000"):
        known = ("--region", "park", "--crs", CRS, "--currency", "CNY", "--years", years)
        assert "of 1900 to 9999" in run("open", place, *known)[2]
    assert run("open", place, "--plan", tmp_path / "none")[0] == 2
    assert run("status", place)[0] == 2
    assert run("import", place, tmp_path / "none.csv")[0] == 2


def test_folders_stay_as_they_were(place: str, run: Run, tmp_path: Path) -> None:
    assert run("import", place, sheet(tmp_path, *SITES), "--new", "--who", "li")[0] == 0
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    status, _, err = run("variance", place, "--out", tmp_path / "file")
    assert status == 2
    assert "file" in err
    assert (tmp_path / "file").read_text(encoding="utf-8") == "in the way"
    shutil.rmtree(tmp_path / "out", ignore_errors=True)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a plan's file."""
    return write_plan_json(tmp_path_factory.mktemp("plan") / "plan.json", made_up_study())


def test_a_plan_becomes_the_baseline_and_the_next_one_changes_it(
    ledger_place: Places, planned: Path, run: Run, tmp_path: Path
) -> None:
    place, document = ledger_place(), json.loads(planned.read_text(encoding="utf-8"))
    status, out, err = run("open", place, "--plan", planned, "--who", "li", "--json")
    assert status == 0, err
    bought = {name: e for part in ("options", "trenches") for name, e in document[part].items() if e["year"] > 0}
    assert said(out)["facilities"] == len(bought)
    assert said(out)["capex"] == sum(entry["capex"] for entry in bought.values())
    assert run("open", place, "--plan", planned, "--who", "li")[0] == 2
    budget = said(run("variance", place, "--json")[1])["budget"]
    assert (budget["planned"], budget["changes"], budget["remaining"]) == (said(out)["capex"], 0, said(out)["capex"])
    assert run("baseline", place, "--plan", planned, "--name", "plan", "--who", "li")[0] == 2

    first, second = sorted(bought, key=lambda name: bought[name]["year"])[:2]
    day = f"{bought[first]['year']}-06-01"
    let = ("--to", "contracted", "--day", day, "--contract", "HT-1", "--sum", "77.77")
    assert run("advance", place, first, *let, "--who", "li")[0] == 0
    for name in (first, second):
        part = "options" if name in document["options"] else "trenches"
        document[part][name]["year"] = -1
    again = tmp_path / "plan.json"
    again.write_text(json.dumps(document), encoding="utf-8")
    status, out, err = run("baseline", place, "--plan", again, "--name", "again", "--who", "li", "--json")
    assert status == 0, err
    # What is let stays; what is not, and is in the new plan no longer, is cancelled.
    assert said(out)["cancelled"] == [second]
    budget = said(run("variance", place, "--json")[1])["budget"]
    assert budget["cancelled"] == -bought[second]["capex"]
    assert budget["committed"] == 77_77
    assert budget["difference"] == 0
    assert run("audit", place)[0] == 0
    assert said(run("variance", place, "--baseline", "latest", "--json")[1])["budget"]["cancelled"] == 0


def test_what_is_refused_leaves_no_ledger_begun(run: Run, planned: Path, tmp_path: Path) -> None:
    place = tmp_path / "park.ledger"
    assert run("open", place, "--plan", planned, "--name", " x", "--who", "li")[0] == 2
    assert not place.exists()
    assert run("open", place, "--plan", planned, "--name", "x", "--who", "li")[0] == 0


def test_files_of_others_stay_as_they_are(run: Run, planned: Path, tmp_path: Path) -> None:
    place = tmp_path / "plan.gpkg"
    with closing(sqlite3.connect(place)) as database, database:
        database.execute("PRAGMA application_id = 1196444487")
        database.execute("CREATE TABLE gpkg_contents (table_name TEXT)")
    before = place.read_bytes()
    for verb in (("status", place), ("open", place, "--plan", planned, "--who", "li"), ("audit", place)):
        status, _, err = run(*verb)
        assert status == 2
        assert "holds no ledger, but other data" in err
    assert place.read_bytes() == before


def test_a_plan_of_elsewhere_is_no_baseline(place: str, planned: Path, run: Run) -> None:
    status, _, err = run("baseline", place, "--plan", planned, "--name", "x", "--who", "li")
    assert status == 2
    assert "Give a plan of the ledger's region" in err
