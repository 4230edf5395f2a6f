"""A build office's month: acceptance records come in, 40 facilities late, trenching +18 %; the rest is planned anew."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.tiny import write_tiny
from xinji.build.fold import fold
from xinji.build.ledger import Ledger
from xinji.cli import main
from xinji.core.facilities import FROZEN, UNDER_CONSTRUCTION, Facilities
from xinji.workflow import building_days, planning

LATE = 40
DEARER = 1.18
AT = "2027-01-31"
COLUMNS = ("id", "date", "state", "contract", "contractor", "contract_capex", "paid_total", "payment_reference")


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_tiny(tmp_path / "tiny", seed=3, cells_across=12)
    monkeypatch.chdir(tmp_path)
    # The report's drawings take longer than all else, and have tests of their own.
    monkeypatch.setattr(planning, "render", lambda _study, *, language, **_known: f"<html lang='{language}'>")
    monkeypatch.setattr(building_days, "today", lambda: AT)
    return tmp_path


def xinji(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    status = main(arguments)
    out, err = capsys.readouterr()
    assert status == 0, err
    return out


def plan(capsys: pytest.CaptureFixture[str], out: str, *more: str) -> dict[str, Any]:
    wish = ("--set", "policy.budget=[18e6, 9e6, 9e6]", "--effort", "1", "--json")
    return dict(json.loads(xinji(capsys, "plan", "tiny", "--out", out, *wish, *more)))


def document(out: str) -> dict[str, Any]:
    return dict(json.loads((Path("plans") / out / "plan.json").read_text(encoding="utf-8")))


def write_records(path: Path, planned: dict[str, Any]) -> dict[str, int]:
    """Write what the contractors report of the facilities of 2026; return the contract sums [cents]."""
    options = {name: entry for name, entry in planned["options"].items() if entry["year"] == 2026}
    sites = sorted(options, key=lambda name: (options[name]["technology"] != "radio", name))
    late, sums = set(sites[:LATE]), {}
    rows: list[dict[str, str]] = []
    bought = [(name, entry, 1.0) for name, entry in options.items()]
    bought += [(name, e, DEARER) for name, e in planned["trenches"].items() if e["year"] == 2026]
    for number, (name, entry, share) in enumerate(bought):
        cents = round(entry["capex"] * share)
        paid = cents * 3 // 10 if name in late else cents
        sums[name] = cents
        rows.append(
            dict(
                zip(
                    COLUMNS,
                    (
                        name,
                        "2026-12-15",
                        "under_construction" if name in late else "accepted",
                        f"HT-2026-{number:03d}",
                        "Tiny Works",
                        amount(cents),
                        amount(paid),
                        f"V-{number:03d}",
                    ),
                    strict=True,
                )
            )
        )
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return sums


def amount(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def same(one: Facilities, other: Facilities) -> bool:
    fields = [name for name in Facilities.__slots__ if name != "at"]
    return all(np.array_equal(getattr(one, f), getattr(other, f), equal_nan=nan(f)) for f in fields)


def nan(name: str) -> bool:
    return name.endswith("_m") or name in ("since", "completion")


def spent(years: Iterable[dict[str, int]]) -> int:
    names = ("paid", "committed", "planned", "opex", "unallocated")
    return sum(line[name] for line in years for name in names)


def test_the_month_of_a_build_office(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan(capsys, "plans/first")
    first = document("first")
    xinji(capsys, "build", "open", "office.ledger", "--plan", "plans/first", "--who", "office")
    sums = write_records(office / "records.csv", first)
    xinji(capsys, "build", "import", "office.ledger", "records.csv", "--who", "office")
    variance = json.loads(xinji(capsys, "build", "variance", "office.ledger", "--at", AT, "--json"))["budget"]
    assert variance["difference"] == 0
    xinji(capsys, "build", "audit", "office.ledger")

    made = plan(capsys, "plans/again", "--ledger", "office.ledger", "--at", AT, "--learn-costs")
    assert made["checker"] == "green"
    for cost in made["replanned"]["learned"]:
        assert cost["after"] == pytest.approx(cost["before"] * DEARER, rel=1e-6)
    again = document("again")
    with Ledger.open("office.ledger") as ledger:
        facilities, events = ledger.facilities(AT), ledger.events()
    assert same(facilities, fold(events, at=AT))

    frozen_stay(again, facilities, sums)
    money = again["replanned"]["money"]
    assert sum(line["policy"] for line in money.values()) == 36_000_000_00 == spent(money.values())
    paid, owed = (sum(line[name] for line in money.values()) for name in ("paid", "committed"))
    assert (paid, owed) == (int(facilities.paid_cents.sum()), variance["committed"])
    assert paid == variance["paid"]
    assert "plan.json" in xinji(capsys, "verify", "plans/again")

    found = json.loads(xinji(capsys, "diff", "plans/first", "plans/again", "--json"))["explained"]
    assert [sum(column) for column in zip(*(t["money"] for t in found["totals"]), strict=True)] == found["whole"]
    reasons = {total["reason"]: total for total in found["totals"]}
    assert reasons["slipped"]["assets"] == LATE
    assert sum(reasons["slipped"]["money"]) == 0
    dug = {name: entry["capex"] for name, entry in first["trenches"].items() if entry["year"] == 2026}
    assert reasons["dearer"]["assets"] == len(dug)
    assert (
        sum(reasons["dearer"]["money"])
        == variance["price"]
        == sum(round(capex * DEARER) - capex for capex in dug.values())
    )
    text = xinji(capsys, "diff", "plans/first", "plans/again", "--language", "zh")
    assert "差异说明" in text


def frozen_stay(again: dict[str, Any], facilities: Facilities, sums: dict[str, int]) -> None:
    """Assert that the plan has every frozen facility where the ledger has it, at its real cost."""
    existing = {name for name, entry in again["options"].items() if entry["capex"] == 0}
    late = 0
    for k in np.flatnonzero(np.isin(facilities.state, FROZEN)).tolist():
        name = str(facilities.id[k])
        if name in existing and name not in sums:
            continue
        entry = again["options"].get(name) or again["trenches"][name]
        asset = again["replanned"]["assets"][name]
        slipped = facilities.state[k] == UNDER_CONSTRUCTION
        late += slipped
        waits = asset["treatment"] == "waits"
        assert entry["year"] == (2027 if slipped or waits else 0)
        assert asset["cost"] == sums[name]
        assert asset["owed"] == (sums[name] - sums[name] * 3 // 10 if slipped else 0)
    assert late == LATE
