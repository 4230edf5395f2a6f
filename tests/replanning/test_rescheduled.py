"""A date that the ledger moved moves the plan's year, as a slip that is asked for does."""

from __future__ import annotations

from dataclasses import replace

from replanning.made_ledgers import AT, BUILT, QUICK, UNDER_CONSTRUCTION, Row, built, ledger, let
from xinji.io.plan_diff import diff_plans
from xinji.io.plan_json import plan_document
from xinji.workflow.planning import PlanRun, plan_region
from xinji.workflow.replanning import begin, freeze_offers


def test_the_ledger_says_when_what_is_let_is_finished(first: PlanRun, rows: dict[str, Row]) -> None:
    study = first.study
    names = [row.id for row in rows.values() if row.technology == "fibre" and row.year == 2026][:4]
    assert len(names) == 4
    late, sooner, past, done = (rows[name] for name in names)
    made = ledger(
        [
            replace(let(late), completion="2028-05-31"),
            replace(let(replace(sooner, year=2028)), completion="2027-10-31"),
            replace(let(past, state=UNDER_CONSTRUCTION), completion="2026-12-31"),
            replace(built(done, 2026, state=BUILT), completion="2028-05-31"),
        ],
        AT,
    )
    start = begin(made, study.region, study.policy, first.config)
    # A date gone by is finished this year at the soonest.
    assert start.finish == {late.id: 2028, sooner.id: 2027, past.id: 2027}
    asked = begin(made, study.region, study.policy, first.config, slips=((sooner.id, 2028),))
    assert asked.finish == {late.id: 2028, sooner.id: 2028, past.id: 2027}
    assets = {asset.id: asset for asset in freeze_offers(start, study.offers, study.trenches).commitment.assets}
    assert [assets[name].year for name in names] == [2028, 2027, 2027, 2026]
    assert assets[late.id].due == 2028
    assert assets[late.id].state == "contracted"


def test_the_difference_is_explained_as_a_slip(first: PlanRun, rows: dict[str, Row], office_region: object) -> None:
    row = next(row for row in rows.values() if row.technology == "fibre" and row.year == 2026)
    settings = replace(QUICK, ledger=ledger([replace(let(row), completion="2028-05-31")], AT))
    run = plan_region(str(office_region), settings=settings)
    found = diff_plans(plan_document(first.study), plan_document(run.study, replanned=run.replanned)).explained
    assert found is not None
    reasons = [reason for reason in found.assets if reason.id == row.id]
    assert [(reason.reason, dict(reason.money)) for reason in reasons] == [
        ("slipped", {2026: -row.capex, 2028: row.capex})
    ]
