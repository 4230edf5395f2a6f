"""The report of a plan made again from a ledger: what is fixed, where the money goes, and why, to the cent."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markupsafe import Markup

from replanning.made_ledgers import AT, QUICK
from xinji.core.facilities import Facilities
from xinji.core.replanned import FROZEN_TREATMENTS, Replanned
from xinji.core.study import Study
from xinji.errors import InputError
from xinji.io.plan_json import read_plan_json
from xinji.io.plan_replanned import replanned_in
from xinji.show import report as show_report
from xinji.show.building import building_words
from xinji.show.ledger_chart import ledger_chart
from xinji.show.ledger_section import ledger_section
from xinji.show.look import to_svg
from xinji.show.report import render
from xinji.show.text import Words
from xinji.workflow.planning import PlanRun, PlanSettings, plan_region, report, write_study
from xinji.workflow.replanning_last import LAST_FILE, explained, read_last


class Tables(HTMLParser):
    """The tables of the section ``ledger``, by their captions, as rows of texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.inside, self.part = False, ""
        self.found: list[tuple[str, list[list[str]]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "section":
            self.inside = dict(attrs).get("id") == "ledger"
        self.part = tag if tag in ("caption", "td", "th") else self.part
        if self.inside and tag == "table":
            self.found.append(("", []))
        elif self.inside and tag == "tr":
            self.found[-1][1].append([])
        elif self.inside and tag in ("td", "th"):
            self.found[-1][1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("caption", "td", "th"):
            self.part = ""

    def handle_data(self, data: str) -> None:
        if not self.inside or not self.part:
            return
        caption, rows = self.found[-1]
        if self.part == "caption":
            self.found[-1] = (caption + data, rows)
        else:
            rows[-1][-1] += data


def cents(text: str) -> int:
    return int(Decimal(text.replace(",", "").replace("−", "-").replace("+", "")) * 100)


@pytest.fixture(scope="module", autouse=True)
def quick_figures() -> Iterator[None]:
    """Draw the ledger's chart alone: maps and the other charts have tests of their own."""

    def drawn(study: Study, text: Words, replanned: Replanned | None) -> dict[str, Markup]:
        figures = dict.fromkeys(("overview", "stages", "coverage", "spend", "curve", "compare"), Markup("<svg></svg>"))
        if replanned is not None:
            chart = ledger_chart(replanned, text, study.region.currency)
            figures["ledger"] = Markup(to_svg(chart, "ledger", "chart"))  # noqa: S704 - our own
        return figures

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(show_report, "_figures", drawn)
        yield


@pytest.fixture(scope="module")
def made(again: PlanRun) -> Replanned:
    assert again.replanned is not None
    return again.replanned


@pytest.fixture(scope="module", params=["en", "zh"])
def page(again: PlanRun, request: pytest.FixtureRequest) -> str:
    why = explained(again.last, again.study, again.replanned)
    return render(again.study, language=request.param, replanned=again.replanned, explained=why)


def test_the_tables_add_up_to_the_cent(page: str, made: Replanned) -> None:
    tables = Tables(page).found
    assert len(tables) == 4
    states, money, reasons, assets = (rows for _, rows in tables)
    frozen = [asset for asset in made.assets if asset.treatment in FROZEN_TREATMENTS]
    total = next(row for row in states[1:] if int(row[1]) == len(frozen))
    upper = states[1 : states.index(total)]
    assert [sum(cents(row[k]) for row in upper) for k in range(2, 7)] == [cents(text) for text in total[2:]]
    assert cents(total[3]) == sum(asset.cost for asset in frozen) == cents(total[5]) + cents(total[6])
    assert cents(total[4]) == cents(total[3]) - cents(total[2])
    gone = [asset for asset in made.assets if asset.treatment == "cancelled"]
    assert [int(row[1]) for row in states[states.index(total) + 1 :]] == [len(gone)] == [1]
    for row in money[1:]:
        policy, moved, *rest = map(cents, row[1:])
        assert policy + moved == sum(rest)
    assert [row[0] for row in money[1:-1]] == [str(line.year) for line in made.reconciliation.years]
    for row in reasons[1:]:
        assert sum(map(cents, row[2:-1])) == cents(row[-1])
    for column in range(2, len(reasons[0])):
        assert sum(cents(row[column]) for row in reasons[1:-1]) == cents(reasons[-1][column])
    assert len(assets) == 13


def test_the_page_says_what_was_given_back_and_what_was_learned(page: str, made: Replanned) -> None:
    gone = next(asset for asset in made.assets if asset.treatment == "cancelled")
    section = page[page.index('<section id="ledger"') :]
    section = section[: section.index("</section>")]
    for said in (AT, f"{(gone.planned_cost - gone.cost) / 100:,.2f}", f"{gone.cost / 100:,.2f}"):
        assert said in section
    assert all(cost.key in section for cost in made.learned)
    assert "<svg" in section
    assert 'href="#ledger"' in page


def test_figures_and_tables_are_numbered_in_their_order(page: str) -> None:
    captions = re.findall(r"<b>(\D+?) ?(\d+)</b>", page)
    for kind in {name for name, _ in captions}:
        numbers = [int(number) for name, number in captions if name == kind]
        assert numbers == list(range(1, len(numbers) + 1))
    assert len({name for name, _ in captions}) == 2


def test_without_a_last_plan_the_page_says_how_to_name_one(again: PlanRun) -> None:
    text = render(again.study, language="en", replanned=again.replanned)
    assert len(Tables(text).found) == 2
    assert "xinji plan --last" in text
    plain = render(again.study, language="en")
    assert 'id="ledger"' not in plain
    assert "#ledger" not in plain


def test_the_report_is_made_again_from_the_folder_alone(again: PlanRun, first_folder: Path, tmp_path: Path) -> None:
    paths = write_study(again, tmp_path / "again", language="en")
    assert paths[LAST_FILE].read_bytes() == (first_folder / "plan.json").read_bytes()
    before = paths["report.html"].read_bytes()
    assert report(tmp_path / "again", language="en").read_bytes() == before
    again_made = replanned_in(read_plan_json(tmp_path / "again"))
    assert again_made is not None
    assert again.replanned is not None
    assert again_made.reconciliation == again.replanned.reconciliation
    assert set(again_made.assets) == set(again.replanned.assets)
    assert replanned_in(read_plan_json(first_folder)) is None
    (tmp_path / "again" / LAST_FILE).unlink()
    assert "xinji plan --last" in report(tmp_path / "again", language="en").read_text(encoding="utf-8")


def wrong_plans(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield plans that no difference can be told to, and what is said of each."""
    raw = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    yield folder / "nothing", "no such file"
    changed = {"region": raw | {"region": "elsewhere"}, "money": json.loads(json.dumps(raw))}
    changed["money"]["plan"]["spend"]["2026"] += 1
    for name, said in (("region", "its region is 'elsewhere'"), ("money", "does not add up")):
        path = folder.parent / f"{name}.json"
        path.write_text(json.dumps(changed[name]), encoding="utf-8")
        yield path, said


def test_a_wrong_last_plan_is_refused_before_the_search(
    office_region: Path, first_folder: Path, facilities: Facilities, tmp_path: Path
) -> None:
    folder = shutil.copytree(first_folder, tmp_path / "first")
    told: list[str] = []
    for path, said in wrong_plans(folder):
        settings = replace(QUICK, ledger=facilities, last=path)
        with pytest.raises(InputError, match=said):
            plan_region(str(office_region), settings=settings, progress=lambda step, *_: told.append(step))
    assert "search" not in told
    with pytest.raises(InputError, match="there is no ledger to plan from"):
        plan_region(str(office_region), settings=PlanSettings(last=first_folder))


def test_the_last_plan_may_itself_be_made_from_a_ledger(again: PlanRun, tmp_path: Path) -> None:
    write_study(again, tmp_path / "again", language="en")
    last = read_last(tmp_path / "again", region=again.study.region.name, currency=again.study.region.currency)
    found = explained(last, again.study, again.replanned)
    assert found is not None
    assert not any(found.whole)
    assert found.assets == ()
    assert again.replanned is not None
    section = ledger_section(building_words("en"), again.replanned, found, "CNY")
    assert section.assets_left == ""
    assert [row.cells[-1] for row in section.reasons] == ["0.00"] * len(section.reasons)


def test_notes_name_what_a_reader_would_not_expect(again: PlanRun, made: Replanned) -> None:
    treatments = ["outside", "beyond", "waits"]
    assets = tuple(
        replace(asset, treatment=treatments[k % 3], moved_m=float(k)) for k, asset in enumerate(made.assets[:9])
    )
    assets += (replace(made.assets[9], treatment="paid", paid=((2024, 12_345),)),)
    for language in ("en", "zh"):
        section = ledger_section(building_words(language), replace(made, assets=assets), None, "CNY")
        notes = " ".join(section.notes)
        assert "123.45" in notes
        assert all(assets[k].id in notes for k in (0, 1, 2, 8))
        assert "ledger." not in notes
        svg = to_svg(ledger_chart(made, building_words(language), again.study.region.currency), "ledger", "x")
        assert all(f"{line.year}" in svg for line in made.reconciliation.years)
