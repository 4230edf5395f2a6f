"""A plan made again as the ledger's next baseline: its budgets are those of the policy, and nothing is left half."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from replanning.made_ledgers import CONTRACTED, Row, ledger
from replanning.test_reconciliation import AT, FIRST, ROWS, STUDY, again, states
from support.study import YEARS
from xinji.build.event_drafts import advanced, contract_let, paid
from xinji.build.ledger import Ledger
from xinji.cli import main
from xinji.errors import InputError
from xinji.io.plan_json import write_plan_json
from xinji.workflow.building_open import Opening, open_from_plan, opened_with_records, planned_assets, set_plan
from xinji.workflow.building_report import LATEST, VarianceSettings, variance_report

BUDGETS = tuple(round(budget * 100) for budget in STUDY.policy.budget)
HEADER = "id,state,date,contract,contract_capex,paid_total"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the first plan's file."""
    return write_plan_json(tmp_path_factory.mktemp("first") / "plan.json", STUDY)


@pytest.fixture(scope="module")
def site() -> Row:
    """Return something that the first plan builds in its first year."""
    return next(row for row in ROWS if row.id.startswith("gigabit") and row.year == YEARS[0])


def test_the_next_baseline_has_the_budgets_of_the_policy(first: Path, site: Row, tmp_path: Path) -> None:
    made = again(ledger([states(site, CONTRACTED, 1.0, (5_00, 0, 7_00), FIRST)], AT), 3)
    second = write_plan_json(tmp_path / "plan.json", made.study, replanned=made.made)
    assert (planned_assets(first).years, planned_assets(first).budgets) == (YEARS, BUDGETS)
    place, opening = str(tmp_path / "a.ledger"), Opening(who="li", future=True)
    open_from_plan(place, first, opening)
    with Ledger.open(place, who="li") as book:
        book.append([
            advanced(site.id, "approved", day="2026-03-01"),
            contract_let(site.id, day="2026-03-01", contract="C-1", contractor="", capex=site.capex),
            advanced(site.id, "contracted", day="2026-03-01"),
            paid(site.id, day="2026-03-02", cents=5_00, reference="1"),
            paid(site.id, day=f"{FIRST}-03-02", cents=7_00, reference="2"),
        ])  # fmt: skip
    set_plan(place, second, Opening(who="li", baseline="again", day=AT, future=True))
    for baseline in ("plan", LATEST):
        found = variance_report(place, VarianceSettings(at=AT, baseline=baseline))
        assert tuple(line.year for line in found.years) == YEARS
        assert tuple(line.budget for line in found.years) == BUDGETS
        assert {line.year: line.paid for line in found.years if line.paid} == {YEARS[0]: 5_00, FIRST: 7_00}
        assert sum(line.paid for line in found.years) == found.total.money.paid


def run(*words: object) -> int:
    return main(["build", *map(str, words)])


def test_a_refused_sheet_leaves_no_ledger(first: Path, site: Row, tmp_path: Path) -> None:
    place, sheet = tmp_path / "a.ledger", tmp_path / "sheet.csv"
    asked = ("import", place, sheet, "--plan", first, "--who", "li")
    for row in ("nowhere,built,2026-02-01,C-1,10,5", f"{site.id},built,not a day,C-1,10,5"):
        sheet.write_text(f"{HEADER}\n{row}\n", encoding="utf-8")
        assert run(*asked) == 2
        assert [path.name for path in tmp_path.iterdir()] == ["sheet.csv"]
    sheet.write_text(f"{HEADER}\n{site.id},contracted,2026-02-01,C-1,10,5\n", encoding="utf-8")
    assert run(*asked, "--dry-run") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.csv"]
    assert run(*asked) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"a.ledger", "sheet.csv"}
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert place.stat().st_nlink == 1
    with Ledger.open(place) as book:
        assert (book.facilities().paid.sum(), len(book.baselines())) == (5_00, 1)


def test_a_ledger_that_someone_made_meanwhile_stays(first: Path, tmp_path: Path) -> None:
    place = tmp_path / "a.ledger"
    with (
        pytest.raises(InputError, match="was made meanwhile"),
        opened_with_records(str(place), first, Opening(who="li"), keep=True),
    ):
        open_from_plan(str(place), first, Opening(who="wang"))
    with Ledger.open(place) as book:
        assert book.events()[0].who == "wang"
    assert [path.name for path in tmp_path.iterdir()] == ["a.ledger"]


@pytest.mark.parametrize("years", ["0", "1899,1900", "2027,10000"])
def test_years_of_no_calendar_are_refused(years: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--region", "a", "--crs", "EPSG:32650", "--currency", "CNY", "--years", years, "--who", "li")
    assert run("open", tmp_path / "e.ledger", *words) == 2
    assert "1900 to 9999" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())
