"""A region planned again from a ledger: nothing frozen changes, the proof holds, the money is there to the cent."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from replanning.made_ledgers import AT, DEARER, QUICK, Row, built, ledger, let
from xinji.core.facilities import Facilities
from xinji.core.offer import EXISTING
from xinji.core.policy import Floor
from xinji.core.problem import NEVER
from xinji.core.replanned import Replanned
from xinji.errors import InfeasibleError, InputError, PolicyError
from xinji.io.plan_decisions import Decisions
from xinji.plan.choose.check import check
from xinji.workflow import planning
from xinji.workflow.planning import PlanRun, PlanSettings, diff, plan_region, write_study
from xinji.workflow.replanning import begin, freeze_offers, replanned_object, replanned_text
from xinji.workflow.verify import verify_plan


def made_of(run: PlanRun) -> Replanned:
    assert run.replanned is not None
    return run.replanned


def years_of(run: PlanRun) -> dict[str, int]:
    """Return the stage of every option and trench."""
    problem, plan = run.study.problem, run.study.plan
    pairs = ((problem.option_id, plan.stage), (problem.trench_id, plan.trench_stage))
    return {str(name): int(stage) for names, stages in pairs for name, stage in zip(names, stages, strict=True)}


def frozen_of(run: PlanRun) -> Iterable[tuple[str, int]]:
    first = run.study.policy.years[0]
    for asset in made_of(run).assets:
        if asset.treatment in ("stands", "committed", "waits"):
            yield asset.id, EXISTING if asset.serves == EXISTING else asset.serves - first + 1


def test_nothing_frozen_changes_whatever_is_wished(
    again: PlanRun, office_region: Path, facilities: Facilities, rows: dict[str, Row]
) -> None:
    wish = (("policy.priority.rural", "9"), ("policy.priority.industrial_cluster", "0"))
    other = plan_region(str(office_region), settings=replace(QUICK, ledger=facilities, changes=wish))
    for run in (again, other):
        stage = years_of(run)
        frozen = dict(frozen_of(run))
        assert len(frozen) == sum(row.year == 2026 for row in rows.values())
        assert {name: stage[name] for name in frozen} == frozen
        check(run.study.problem, run.study.plan)
    assert any(years_of(again)[name] != stage for name, stage in years_of(other).items())


def test_only_what_is_left_is_planned(again: PlanRun, facilities: Facilities) -> None:
    study, made = again.study, made_of(again)
    assert study.policy.years == (2027, 2028)
    total = made.reconciliation.total
    assert total.policy == total.paid + total.committed + total.planned + total.opex + total.unallocated
    assert total.paid == int(facilities.paid_cents.sum())
    lines = made.reconciliation.years
    assert [line.year for line in lines] == [2026, 2027, 2028]
    assert lines[0].moved == -lines[1].moved
    for line, budget, spent in zip(lines[1:], study.problem.budget, study.plan.spend, strict=True):
        assert line.unallocated == budget - spent >= 0
    text = replanned_text(made, "CNY")
    assert f"{total.policy / 100:,.2f}" in text
    assert json.loads(json.dumps(replanned_object(made)))["total_cents"]["paid"] == total.paid


def test_what_is_learned_prices_what_is_left_and_is_not_learned_twice(
    again: PlanRun, first: PlanRun, office_region: Path, facilities: Facilities
) -> None:
    learned = made_of(again).learned
    assert learned
    for cost in learned:
        assert cost.after == pytest.approx(cost.before * DEARER, rel=1e-6)
        assert again.study.region.parameters.entries[cost.key].value == cost.after
        assert f"{facilities.at}" in again.study.region.parameters.entries[cost.key].source
    taught = {cost.key.rpartition(".")[2] for cost in learned}
    free = (again.study.trenches.built == -1) & np.isin(again.study.trenches.method, list(taught))
    before, after = first.study.trenches.capex[free], again.study.trenches.capex[free]
    assert np.allclose(after, before * DEARER)
    region, _, config, _ = planning._read(office_region, QUICK)
    wishes = first.study.policy
    once = begin(facilities, region, wishes, config, learn=True)
    twice = begin(facilities, once.region, wishes, once.config, learn=True)
    assert [cost.after for cost in twice.learned] == pytest.approx([cost.after for cost in once.learned])
    assert not begin(facilities, region, wishes, config).learned


def test_the_files_hold_and_a_changed_cent_is_found(
    again: PlanRun, first: PlanRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "render", lambda _study, *, language, **_known: f"<html lang='{language}'>")
    for name, run in (("first", first), ("again", again)):
        write_study(run, tmp_path / name)
    assert verify_plan(tmp_path / "again").findings == ()
    raw = json.loads((tmp_path / "first" / "plan.json").read_text(encoding="utf-8"))
    assert "replanned" not in raw
    found = diff(tmp_path / "first", tmp_path / "again")
    assert found.explained is not None
    reasons = {total.reason: total for total in found.explained.totals}
    assert {"slipped", "dearer", "cancelled", "re_optimised", "running"} <= set(reasons)
    assert reasons["slipped"].total == 0
    frozen = {asset.id for asset in made_of(again).assets if asset.treatment in ("stands", "committed")}
    assert not frozen & {change.id for change in (*found.only_a, *found.only_b)}
    assert not frozen & {asset.id for asset in found.explained.assets if asset.reason == "re_optimised"}
    path = tmp_path / "again" / "plan.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["replanned"]["money"]["2027"]["paid"] += 1
    path.write_text(json.dumps(raw), encoding="utf-8")
    assert any("replanned.money.2027" in line for line in verify_plan(tmp_path / "again").findings)


def test_a_planner_cannot_move_what_the_ledger_froze(
    again: PlanRun, office_region: Path, facilities: Facilities, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = next(a.id for a in made_of(again).assets if a.treatment == "committed" and a.technology != "trench")
    decisions = Decisions({name: 2}, {})
    monkeypatch.setattr(planning, "read_decisions", lambda *_: decisions)
    asked = replace(QUICK, ledger=facilities, keep=tmp_path / "plan.gpkg")
    with pytest.raises(InputError, match=f"{name} is committed to 2027 by the ledger"):
        plan_region(str(office_region), settings=asked)


def test_too_much_under_contract_is_refused_before_any_search(
    office_region: Path, rows: dict[str, Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "solve", None)
    name = next(row.id for row in rows.values() if row.technology == "fibre")
    costly = ledger([let(replace(rows[name], year=2028), share=1e6 / rows[name].capex * 1000)], AT)
    with pytest.raises(InfeasibleError, match="too much in 2028") as caught:
        plan_region(str(office_region), settings=replace(QUICK, ledger=costly))
    assert "too much in 2027" not in str(caught.value)
    slipped = replace(QUICK, ledger=costly, slips=((name, 2031),))
    with pytest.raises(TypeError, match="NoneType"):
        plan_region(str(office_region), settings=slipped)


def test_wishes_that_need_a_ledger_or_years_are_refused(office_region: Path, first: PlanRun) -> None:
    with pytest.raises(InputError, match="--slip") as caught:
        plan_region(str(office_region), settings=PlanSettings(slips=(("x", 2027),), learn_costs=True))
    assert "--learn-costs" in str(caught.value)
    study = first.study
    with pytest.raises(PolicyError, match="last planned year is 2028"):
        begin(ledger([], "2029-01-01"), study.region, study.policy, first.config)


def test_floors_of_years_gone_by_hold_on(first: PlanRun) -> None:
    study = first.study
    floors = (
        Floor("rural", "gigabit", 2026, 0.3),
        Floor("rural", "gigabit", 2027, 0.2),
        Floor("all", "gigabit", 2028, 0.1),
    )
    start = begin(ledger([], AT), study.region, replace(study.policy, floors=floors), first.config)
    assert start.wishes.floors == (Floor("rural", "gigabit", 2027, 0.3), Floor("all", "gigabit", 2028, 0.1))


def test_built_sites_stand_where_they_were_measured(first: PlanRun, rows: dict[str, Row]) -> None:
    study, name = first.study, next(row.id for row in rows.values() if row.kind == "rooftop")
    moved = replace(built(rows[name], 2026), built_x_m=rows[name].x_m + 30.0, built_y_m=rows[name].y_m + 40.0)
    strange = let(Row("ours", "radio", "tower_new", 2027, 900, x_m=1.0, y_m=2.0))
    lost = let(Row("lost", "radio", "tower_new", 2027, 900))
    start = begin(ledger([moved, strange, lost], AT), study.region, study.policy, first.config)
    places = list(zip(start.masts.id, start.masts.x_m, start.masts.y_m, strict=True))
    assert places == [(name, moved.built_x_m, moved.built_y_m), ("ours", 1.0, 2.0)]
    offers = freeze_offers(replace(start, ledger=ledger([moved], AT)), study.offers, study.trenches).commitment
    assert offers.assets[0].moved_m == 50.0
    assert any(f"{name} by 50 m" in note and "coverage" in note for note in offers.notes)


def test_an_empty_ledger_changes_no_option(office_region: Path, first: PlanRun) -> None:
    run = plan_region(str(office_region), settings=replace(QUICK, tries=0, ledger=ledger([], "2026-02-01")))
    assert made_of(run).assets == ()
    assert run.study.problem.fingerprint == first.study.problem.fingerprint
    total = made_of(run).reconciliation.total
    assert (total.paid, total.committed) == (0, 0)
    assert total.planned + total.opex == int(run.study.plan.spend.sum())
    assert NEVER in run.study.plan.stage
