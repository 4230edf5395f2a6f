"""Money that went into contracts that ended: spent, and no payment of what is let or planned now."""

from __future__ import annotations

from pathlib import Path

from build_verbs.some_facilities import One, facilities
from support.small_ledger import DAY, asset, built, new_ledger
from xinji.build import event_drafts as drafts
from xinji.build.earned_value import ACCRUED, PAID, earned_values, earning_rule
from xinji.build.forecast import AT_PRICES, forecast_cost
from xinji.build.variance import Money, expected_capex, reconcile
from xinji.core.facilities import CONTRACTED, PLANNED, UNDER_CONSTRUCTION
from xinji.io.parameters import load
from xinji.workflow.building_audit import AuditSettings, audit_ledger

LOST = ((2026, 30_00),)
BEFORE = facilities("2026-12-01", One("let", 100_00), One("open", 200_00, year=2028))
NOW = facilities(
    "2027-07-02",
    One("let", 100_00, state=UNDER_CONSTRUCTION, contract=110_00, paid=((2027, 20_00),), lost=LOST),
    One("open", 200_00, year=2028, state=PLANNED, lost=((2027, 7_00),)),
)


def test_variance_counts_it_beside_what_is_owed() -> None:
    assert NOW.sunk.tolist() == [30_00, 7_00]
    assert expected_capex(NOW).tolist() == [140_00, 207_00]
    assert reconcile(BEFORE, NOW) == Money(
        planned=300_00, added=0, cancelled=0, reestimated=0, price=10_00 + 30_00 + 7_00,
        paid=57_00, committed=90_00, remaining=200_00,
    )  # fmt: skip
    assert reconcile(BEFORE, NOW).difference == 0


def test_work_costs_it_beside_the_contract() -> None:
    rule = earning_rule("50/50", load("cn"))
    (accrued,) = earned_values(BEFORE, NOW, rule, cost=ACCRUED)
    (paid,) = earned_values(BEFORE, NOW, rule, cost=PAID)
    assert (accrued.ac, paid.ac, accrued.ev) == (30_00 + 55_00 + 7_00, 57_00, 50_00)


def test_the_rest_is_forecast_at_prices_beside_it() -> None:
    let = [One(f"l{n}", 100_00, state=CONTRACTED, contract=150_00) for n in range(3)]
    rest = One("open", 200_00, year=2028, lost=((2027, 7_00),))
    before = facilities("2026-12-01", *(One(one.id, one.planned) for one in let), One("open", 200_00, year=2028))
    now = facilities("2027-07-02", *let, rest)
    value = earned_values(before, now, earning_rule("50/50", load("cn")))[0]
    assert forecast_cost(before, now, value).by_method[AT_PRICES] == 450_00 + 307_00


def test_an_audit_finds_no_fault_with_it(tmp_path: Path) -> None:
    place = str(tmp_path / "a.ledger")
    years = (2027,)
    with new_ledger(place) as ledger:
        ledger.set_baseline([asset("a"), asset("b")], name="p", plan="", day=DAY, years=years, budgets=(1,))
        for name in ("a", "b"):
            ledger.append([*built(name)[:3], drafts.paid(name, day="2026-03-02", cents=30_00, reference="deposit")])
        ledger.append([
            drafts.returned("a", "approved", day="2026-04-01", reason="the contractor is bankrupt"),
            drafts.advanced("b", "cancelled", day="2026-04-01", reason="the owner refuses"),
        ])  # fmt: skip
        ledger.append([drafts.advanced("b", "planned", day="2026-05-01", reason="chosen again")])
        assert ledger.facilities().sunk.tolist() == [30_00, 30_00]
    assert audit_ledger(place, AuditSettings()).findings == ()
    with new_ledger(str(tmp_path / "b.ledger")) as ledger:
        ledger.set_baseline([asset("a")], name="p", plan="", day=DAY, years=years, budgets=(1,))
        ledger.append([drafts.paid("a", day="2026-03-02", cents=30_00, reference="no contract")])
    (finding,) = audit_ledger(str(tmp_path / "b.ledger"), AuditSettings()).findings
    assert "30.00 paid without a contract" in finding.message
