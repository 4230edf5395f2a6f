"""What a report says: sums, signs, floors and reasons, each by a second route."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.study import Wish, made_up_study
from xinji.core.policy import Floor
from xinji.core.study import Study
from xinji.show import facts
from xinji.show.marks import COSTS, Mark, basis_of_kind, marks, numbers_of
from xinji.show.numbers import in_unit, money, percent, short, signed_percent
from xinji.show.text import words

EN, ZH = words("en"), words("zh")


@pytest.fixture(scope="module")
def study() -> Study:
    return made_up_study()


@pytest.mark.parametrize(
    ("cents", "en", "zh"),
    [
        (0, "CNY 0", "0.0 万元"),
        (123_456_00, "CNY 123,456", "12.3 万元"),
        (6_000_000_000, "CNY 60.0 million", "6,000 万元"),
        (30_000_000_000, "CNY 300.0 million", "3.00 亿元"),
    ],
)
def test_money_is_told_as_each_language_tells_it(cents: int, en: str, zh: str) -> None:
    assert money(EN, "CNY", cents) == en
    assert money(ZH, "CNY", cents) == zh
    assert money(ZH, "BRL", 10_000_00).endswith("BRL")


@given(st.floats(1e-6, 1e9))
def test_three_digits_are_kept(value: float) -> None:
    assert float(short(value).replace(",", "")) == pytest.approx(value, rel=0.006)


def test_a_zero_has_no_sign() -> None:
    assert in_unit(-1, 1e6) == "0"
    assert in_unit(-5e8, 1e8) == "−5.00"
    assert signed_percent(-1e-9) == "+0.0 %"
    assert signed_percent(-0.25) == "−25.0 %"
    assert percent(0.081) == "8.1 %"


@pytest.mark.parametrize(
    ("question", "joint", "alone", "word"),
    [
        ("most_value", 120.0, 100.0, "20.0 % more"),
        ("most_value", 80.0, 100.0, "20.0 % less"),
        ("most_value", 100.0, 100.0, "the same value"),
        ("least_cost", 80.0, 100.0, "20.0 % cheaper"),
        ("least_cost", 120.0, 100.0, "20.0 % dearer"),
    ],
)
def test_the_comparison_is_told_whatever_its_sign(question: str, joint: float, alone: float, word: str) -> None:
    study = made_up_study(wish=Wish(question=question))
    plan, other = replace(study.plan, objective=joint), replace(study.sequential, objective=alone)
    assert word in facts.compared(replace(study, plan=plan, sequential=other), EN)


def test_a_floor_is_met_in_every_year_from_its_own_on(study: Study) -> None:
    served = study.outcome.users * np.array([0.1, 0.5, 0.9, 0.4, 0.9])
    partly = replace(study, outcome=replace(study.outcome, served=served))
    assert facts.floor_met(partly, Floor("urban", "gigabit", 2028, 0.4))
    assert not facts.floor_met(partly, Floor("urban", "gigabit", 2028, 0.41))
    assert facts.floor_met(partly, Floor("all", "gigabit", 2030, 0.9))
    assert facts.reached(partly.outcome, "all", "gigabit") == pytest.approx((0.1, 0.5, 0.9, 0.4, 0.9))


def test_tables_add_up(study: Study) -> None:
    spend = facts.spend_rows(study, ZH)
    assert len(spend) == len(study.policy.years) + 1
    assert spend[-1].cells[-3] == in_unit(int(study.plan.spend.sum()), 1e6)
    bill = facts.bill_rows(study, EN, numbers_of(study.region.parameters))
    assert bill[-1].cells[-2] == in_unit(int(study.outcome.capex.sum()), 1e8)
    counted = sum(int(row.cells[2].replace(",", "")) for row in facts.reason_rows(study, EN))
    assert counted == len(study.plan.stage)


def test_what_is_out_would_come_in_at_its_break_even_price(study: Study) -> None:
    out = int(np.flatnonzero(study.plan.stage < 0)[0])
    n = len(study.plan.stage)
    reasons = replace(
        study.plan.reasons, code=np.full(n, "outbid"), price=np.full(n, 300_000.0), worth=np.full(n, 40.0),
        cost_to_force=np.full(n, 20.0),
    )  # fmt: skip
    outbid = replace(study, plan=replace(study.plan, reasons=reasons))
    # Money is worth (40 + 20) / 300,000 a unit here; at that rate 40 pays for 200,000.
    assert "CNY 200,000" in facts.need_said(outbid, EN, out)
    for code in ("no_demand_left", "host_out", "no_fibre_path", "forbidden", "too_late"):
        other = replace(reasons, code=np.full(n, code))
        told = facts.need_said(replace(study, plan=replace(study.plan, reasons=other)), EN, out)
        assert told == EN[f"needs.{code}"]


def test_the_most_valuable_left_out_come_first(study: Study) -> None:
    rows = facts.out_rows(study, EN)
    out = np.flatnonzero(study.plan.stage < 0)
    best = study.problem.option_id[out[np.argmax(study.plan.reasons.worth[out])]]
    assert rows[0].cells[0] == best
    assert len(rows) == min(facts.TOP_OUT, len(out))


def test_marks_join_what_lies_together(study: Study) -> None:
    numbers = {"a.x": 1, "a.y": 2, "ab": 3, "b": 4, "c.d.e": 5}
    assert marks(numbers, ["a", "c.d"]) == (Mark("a.x", 1, 2), Mark("c.d.e", 5, 5))
    assert marks(numbers, ["nothing"]) == ()
    known = numbers_of(study.region.parameters)
    assert list(known.values()) == list(range(1, len(known) + 1))
    assert marks(known, COSTS)


def test_what_is_bought_leads_to_its_price() -> None:
    assert basis_of_kind("trench", "aerial") == ("fibre.trench.aerial",)
    assert basis_of_kind("radio", "carrier_700") == ("radio.cost.carrier", "radio.energy")
    assert basis_of_kind("compute", "unheard of") == ("compute",)


def test_units_are_told_part_by_part() -> None:
    assert facts.unit_said(ZH, "currency/m", "CNY") == "元/米"
    assert facts.unit_said(EN, "currency/year", "USD") == "USD/year"
    assert facts.unit_said(ZH, "dBm", "CNY") == "dBm"


def test_what_existing_assets_take_is_told_apart(study: Study) -> None:
    problem, plan = study.problem, study.plan
    running = int(problem.opex[plan.stage == 0].sum())
    assert running > 0
    assert money(EN, "CNY", running) in facts.money_said(study, EN)
    bought = sum(
        int(problem.opex[plan.stage == t].sum() + problem.trench_opex[plan.trench_stage == t].sum())
        for t in range(1, 6)
    )
    assert int(study.outcome.opex[-1].sum()) == running + bought
