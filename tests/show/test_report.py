"""The report: whole, self-contained, in one language, every figure with a way to its source."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from support.study import Wish, made_up_study
from xinji.core.study import Study
from xinji.errors import InputError
from xinji.show.report import render
from xinji.show.text import words

VOID = {"meta", "link", "br", "img", "col", "hr", "input"}


class Page(HTMLParser):
    """What a page holds: ids, links, tags left open, and its visible text by section."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.section = ""
        self.texts: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "section":
            self.section = found.get("id") or ""
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag == "a":
            self.links.append(str(found.get("href")))
        self.loads += [str(found[key]) for key in ("src", "xlink:href", "data") if key in found]
        self.loads += [str(found["href"])] if tag in ("link", "use", "image") and "href" in found else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and "style" not in self.open:
            self.texts.append((self.section, data.strip()))


@pytest.fixture(scope="module")
def study() -> Study:
    return made_up_study()


@pytest.fixture(scope="module")
def pages(study: Study) -> dict[str, str]:
    return {language: render(study, language=language) for language in ("zh", "en")}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_is_whole_and_needs_nothing_from_outside(pages: dict[str, str], language: str) -> None:
    page = Page(pages[language])
    assert page.open == []
    assert "script" not in page.tags
    assert all(load.startswith(("#", "data:image/png;base64,")) for load in page.loads)
    assert page.loads
    assert len(page.ids) == len(set(page.ids))
    assert not re.search(r"@import|url\((?!#)", pages[language])
    assert page.tags.count("svg") == 6
    assert not [text for _, text in page.texts if re.search(r"{\w*}", text)]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_mark_leads_to_a_figure_with_its_source(pages: dict[str, str], study: Study, language: str) -> None:
    page = Page(pages[language])
    inside = [link[1:] for link in page.links if link.startswith("#")]
    assert set(inside) <= set(page.ids)
    assert {f"p-{key}" for key in study.region.parameters.entries} <= set(page.ids)
    assert len([link for link in inside if link.startswith("p-")]) > 20
    said = " ".join(text for section, text in page.texts if section == "assume")
    for entry in study.region.parameters.entries.values():
        assert entry.source in said
    assert "https://example.org/a?b=1&c=2" in page.links


def test_no_english_is_left_in_the_chinese_report(pages: dict[str, str], study: Study) -> None:
    page = Page(pages["zh"])
    given = {*study.problem.option_id.tolist(), *study.region.attribution, study.plan.fingerprint}
    own = [text for section, text in page.texts if section != "assume" and text not in given]
    latin = {word for text in own for word in re.findall(r"[A-Za-z]{4,}", text)}
    attribution = set(re.findall(r"[A-Za-z]{4,}", " ".join(study.region.attribution)))
    assert latin - attribution == {"Xinji", "bill", "materials", "xlsx", "EPSG"}


def test_the_figures_are_the_plans(pages: dict[str, str], study: Study) -> None:
    page = Page(pages["en"])
    said = " ".join(text for _, text in page.texts)
    assert f"{study.plan.objective:,.0f}" in said
    assert f"{study.plan.bound:,.0f}" in said
    assert "8.1 %" in said
    assert study.plan.fingerprint in said
    assert "1 of 2 universal-service floors are not met" in said
    assert "weighted user-years, not in money" in said
    for name in study.region.attribution:
        assert name in said


def test_the_same_study_gives_the_same_page(study: Study, pages: dict[str, str]) -> None:
    assert render(study, language="zh") == pages["zh"]


def test_names_from_outside_cannot_break_the_page(study: Study) -> None:
    region = replace(study.region, title_en="<script>alert(1)</script> & Co", attribution=("<b>me</b>",))
    html = render(replace(study, region=region), language="en")
    assert "<script" not in html
    assert "<b>me</b>" not in html
    assert Page(html).open == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_other_question_is_told_in_money(language: str) -> None:
    text = words(language)
    html = render(made_up_study(wish=Wish(question="least_cost")), language=language)
    page = Page(html)
    shown = [said for _, said in page.texts]
    assert text["key.cost"] in shown
    assert text["key.value_unit"] not in shown


def test_an_interrupted_plan_says_so(study: Study) -> None:
    plan = replace(study.plan, interrupted=True)
    assert words("en")["report.interrupted"] in render(replace(study, plan=plan), language="en")


def test_an_empty_plan_has_a_report_too() -> None:
    study = made_up_study(wish=Wish(budget=0.0))
    assert not (study.plan.stage > 0).any()
    for language in ("zh", "en"):
        assert Page(render(study, language=language)).open == []


def test_an_unknown_language_is_refused(study: Study) -> None:
    with pytest.raises(InputError):
        render(study, language="fr")
