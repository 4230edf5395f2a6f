from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xinji.build.register import (
    BY_INDUSTRY,
    BY_PARK,
    BY_QUARTER,
    BY_SCENARIO,
    Project512,
    division_of,
    industrial_divisions,
    project_faults,
    quarter_of,
    quarters_between,
    register,
    total,
)
from xinji.errors import InputError
from xinji.workflow.building_register import divisions, scenarios


def project(
    name: str, industry: str = "C39", uses: tuple[str, ...] = ("S06",), park: str = "east", let: str = "2027-02-01",
    accepted: str = "", cancelled: str = "",
) -> Project512:  # fmt: skip
    return Project512(name, name, "", industry, uses, park, let, accepted, cancelled, 100, 90, 30, 1)


SOME = (
    project("a", accepted="2027-06-30"),
    project("b", "3612", ("S06", "S08"), let="2027-03-31"),
    project("c", "D44", ("S13",), "", let="2027-04-01"),
    project("d", let="2027-01-05", cancelled="2027-05-05"),
    project("e", let=""),
    project("f", "I63", ("S09",), let="2028-01-01"),
)


def test_projects_by_quarter_by_hand() -> None:
    lines = register(SOME, by=BY_QUARTER, until="2027-08-01")
    assert [(line.group, line.projects, line.new, line.finished) for line in lines] == [
        ("2027Q1", 3, 3, 0),  # a, b and d
        ("2027Q2", 3, 1, 1),  # d is cancelled, c is new, a is accepted
        ("2027Q3", 3, 0, 1),
    ]


def test_projects_by_group_by_hand() -> None:
    def at(by: str) -> dict[str, int]:
        return {line.group: line.projects for line in register(SOME, by=by, until="2027-06-30")}

    assert at(BY_INDUSTRY) == {"36": 1, "39": 1, "44": 1}
    assert at(BY_SCENARIO) == {"S06": 2, "S08": 1, "S13": 1}
    assert at(BY_PARK) == {"": 1, "east": 2}
    line = total(SOME, until="2027-06-30")
    assert (line.projects, line.new, line.planned_cents, line.contract_cents, line.paid_cents) == (3, 1, 300, 270, 90)


def test_only_industry_counts_as_industry() -> None:
    assert industrial_divisions(SOME, divisions(), until="2027-12-31") == 3
    assert industrial_divisions(SOME, divisions(), until="2028-03-31") == 3


def test_the_lists_are_those_published() -> None:
    found = divisions()
    assert list(found) == [f"{code:02d}" for code in range(1, 98)]
    # GB/T 4754-2017: 20 sections, 97 divisions; the industry of the statistics has 7 + 31 + 3 = 41.
    assert "".join(dict.fromkeys(d.section for d in found.values())) == "ABCDEFGHIJKLMNOPQRST"
    assert Counter(d.section for d in found.values() if d.section in "BCD") == {"B": 7, "C": 31, "D": 3}
    assert (found["39"].name_zh, found["36"].name_zh) == ("计算机、通信和其他电子设备制造业", "汽车制造业")
    twenty = scenarios()
    assert Counter(scenario.batch for scenario in twenty.values()) == {1: 10, 2: 10}
    assert len({scenario.name_zh for scenario in twenty.values()}) == len({s.name_en for s in twenty.values()}) == 20
    assert twenty["S06"].name_zh == "机器视觉质检"


def test_what_cannot_be_counted_is_named() -> None:
    wrong = (
        project("a", "C"), project("b", "D39"), project("c", "98"), project("d", uses=("S21",)), project("e", uses=()),
    )  # fmt: skip
    found = [fault.message for fault in project_faults(wrong, divisions(), scenarios())]
    assert found == [
        "the industry is 'C'",
        "division 39 is of section C, not D",
        "the industry is '98'",
        "the scenario is 'S21'",
        "no scenario is given",
    ]
    assert not list(project_faults(SOME, divisions(), scenarios()))


def test_codes_of_any_depth_lie_in_their_division() -> None:
    assert [division_of(code) for code in ("39", "C39", "392", "C3921", "C", "", "39210", "x")] == [
        "39", "39", "39", "39", "", "", "", "",
    ]  # fmt: skip


def test_quarters() -> None:
    assert [quarter_of(f"2027-{month:02d}-01") for month in (1, 3, 4, 12)] == ["2027Q1", "2027Q1", "2027Q2", "2027Q4"]
    assert quarters_between("2026Q4", "2027Q2") == ("2026Q4", "2027Q1", "2027Q2")


def test_an_unknown_grouping_is_refused() -> None:
    with pytest.raises(InputError, match="quarter, industry, scenario, park"):
        register(SOME, by="colour", until="2027-06-30")


_DAYS = st.dates().map(lambda day: f"{2026 + day.year % 3}-{day.month:02d}-{min(day.day, 28):02d}")


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.builds(
            project,
            st.uuids().map(str),
            st.sampled_from(("C39", "36", "D44", "I63")),
            st.lists(st.sampled_from(sorted(scenarios())), min_size=1, max_size=3, unique=True).map(tuple),
            st.sampled_from(("", "east", "west")),
            st.just("") | _DAYS,
        ),
        max_size=12,
    ),
    _DAYS,
)
def test_each_project_counts_once_but_for_its_scenarios(projects: list[Project512], until: str) -> None:
    line = total(projects, until=until)
    for by in (BY_INDUSTRY, BY_PARK):
        assert sum(group.projects for group in register(projects, by=by, until=until)) == line.projects
    uses = sum(len(p.scenarios) for p in projects if p.let_on and quarter_of(p.let_on) <= quarter_of(until))
    assert sum(group.projects for group in register(projects, by=BY_SCENARIO, until=until)) == uses
    quarters = register(projects, by=BY_QUARTER, until=until)
    # With nothing cancelled, what is new in the quarters adds up to all.
    assert sum(quarter.new for quarter in quarters) == line.projects == (quarters[-1].projects if quarters else 0)
