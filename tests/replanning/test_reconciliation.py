"""Money to the cent, whatever the ledger says: reckoning, reconciliation and the explained difference."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replanning.made_ledgers import (
    BUILT,
    CANCELLED,
    CONTRACTED,
    IN_USE,
    NO_CONTRACT,
    RETIRED,
    Row,
    ledger,
    rows_of,
)
from support.study import YEARS, made_up_study
from xinji.build.variance import expected_capex
from xinji.build.variance import reconcile as reconcile_money
from xinji.core.facilities import FROZEN, PLANNED, Facilities
from xinji.core.offer import EXISTING, FORBIDDEN
from xinji.core.problem import NEVER
from xinji.core.replanned import Reconciliation, Replanned, YearMoney
from xinji.core.study import Study
from xinji.errors import InfeasibleError, InputError
from xinji.io.plan_audit_money import money_findings
from xinji.io.plan_diff import diff_plans
from xinji.io.plan_json import plan_document
from xinji.io.plan_schema import PlanDocument
from xinji.plan.choose.commit import AS_OFFERED, Commitment, commit
from xinji.plan.choose.commit_money import Reckoning, left_to_plan, priced, reckon, reconcile, require_affordable
from xinji.plan.choose.money import spend
from xinji.show.diff import render_diff

FIRST = 2028
AT = f"{FIRST}-05-31"
LEFT = tuple(year for year in YEARS if year >= FIRST)
PAST = len(YEARS) - len(LEFT)
STUDY = made_up_study()
ROWS = list(rows_of(STUDY).values())


@dataclass(frozen=True)
class Again:
    """A plan made again, whether or not it is wise: the reconciliation has to hold for any."""

    commitment: Commitment
    money: Reckoning
    study: Study
    made: Replanned

    @property
    def document(self) -> PlanDocument:
        return plan_document(self.study, replanned=self.made)


def again(facilities: Facilities, seed: int) -> Again:
    """Return a plan that keeps what is frozen and chooses the rest at random."""
    offers, trenches = STUDY.offers, STUDY.trenches
    commitment = commit(facilities, offers, trenches, LEFT)
    money = reckon(commitment, offers, YEARS, np.rint(np.array(STUDY.policy.budget) * 100).astype(np.int64))
    dug_up = commitment.trenches
    problem = replace(
        STUDY.problem,
        years=np.array(LEFT),
        discount=STUDY.problem.discount[: len(LEFT)],
        budget=money.available,
        built=np.concatenate([offer.built for offer in commitment.offers]),
        trench_built=dug_up.built,
        trench_capex=np.rint(dug_up.capex * 100).astype(np.int64),
        value=STUDY.problem.value[:, PAST:],
        amount=STUDY.problem.amount[:, PAST:],
        floor_stage=np.minimum(STUDY.problem.floor_stage, len(LEFT)),
    )
    problem = replace(problem, capex=priced(problem, commitment))
    rng = np.random.default_rng(seed)
    stage, dug = (np.where(codes >= EXISTING, codes, NEVER) for codes in (problem.built, problem.trench_built))
    for codes, built in ((stage, problem.built), (dug, problem.trench_built)):
        free = (codes == NEVER) & (built != FORBIDDEN) & (rng.random(len(codes)) < 0.3)
        codes[free] = rng.integers(1, len(LEFT) + 1, int(free.sum()))
    plan = replace(STUDY.plan, stage=stage, trench_stage=dug, spend=spend(problem, stage, dug))
    outcome = replace(
        STUDY.outcome, **{name: getattr(STUDY.outcome, name)[..., PAST:] for name in ("users", "served", "cell_served")}
    )
    left = left_to_plan(money.available, carry_over=STUDY.policy.carry_over)
    policy = replace(STUDY.policy, years=LEFT, budget=tuple((left / 100).tolist()), floors=())
    study = replace(
        STUDY, policy=policy, problem=problem, plan=plan, outcome=outcome, sequential=plan, sequential_outcome=outcome
    )
    made = Replanned(AT, commitment.assets, reconcile(commitment, money, problem, plan), (), commitment.notes)
    return Again(commitment, money, study, made)


def states(row: Row, state: int, cost: float, paid: tuple[int, int, int], year: int) -> Row:
    since = {code: f"{min(year, FIRST)}-03-01" for code in range(1, state + 1)} if state < CANCELLED else {}
    contract = round(row.capex * cost) if state >= CONTRACTED else NO_CONTRACT
    sums = {2026: paid[0], 2027: paid[1], FIRST: paid[2]}
    return replace(
        row, state=state, contract=contract, since=since, year=year, paid={y: c for y, c in sums.items() if c}
    )


@st.composite
def ledgers(draw: st.DrawFn) -> Facilities:
    """Return a ledger of some of the plan's hostless assets and trenches in any state, with any payments."""
    own = [row for row in ROWS if row.id.startswith(("gigabit", "trench", "edge"))]
    chosen = draw(st.lists(st.sampled_from(own), unique_by=lambda row: row.id, max_size=12))
    state = st.sampled_from([PLANNED, 1, CONTRACTED, 3, BUILT, 5, IN_USE, RETIRED, CANCELLED])
    cents = st.integers(-10_000, 60_000_00)
    rows = [
        states(
            row,
            draw(state),
            draw(st.floats(0.5, 2.0)),
            (draw(cents), draw(cents), draw(cents)),
            draw(st.sampled_from(YEARS)),
        )
        for row in chosen
    ]
    rows = [replace(row, lost=draw(st.sampled_from([{}, {2026: 70_001}, {2027: 5, FIRST: 2_000_00}]))) for row in rows]
    strange = Row("elsewhere", "fibre", "gigabit_cell", 2029, 77_777, opex=333, x_m=1.0, y_m=1.0)
    if draw(st.booleans()):
        rows.append(states(strange, CONTRACTED, 1.1, (draw(cents), 0, 0), 2029))
    return ledger(rows, AT)


@settings(max_examples=60, deadline=None)
@given(ledgers(), st.integers(0, 2**16))
def test_every_cent_is_accounted_for_whatever_the_ledger_says(facilities: Facilities, seed: int) -> None:
    found = again(facilities, seed)
    lines, assets = found.made.reconciliation.years, found.made.assets
    budget = [round(b * 100) for b in STUDY.policy.budget]
    assert [line.policy for line in lines] == budget
    total = found.made.reconciliation.total
    assert sum(budget) == total.paid + total.committed + total.planned + total.opex + total.unallocated
    assert total.moved == 0
    assert total.paid == int(facilities.paid_cents.sum())
    for line in lines:
        assert line.policy + line.moved == line.paid + line.committed + line.planned + line.opex + line.unallocated
        assert line.committed == sum(asset.owed for asset in assets if asset.due == line.year)
        if line.year < FIRST:
            assert (line.unallocated, line.committed, line.planned) == (0, 0, 0)
    assert all(asset.cost == sum(cents for _, cents in asset.paid) + asset.owed for asset in assets)
    assert list(money_findings(found.document)) == []


@settings(max_examples=40, deadline=None)
@given(ledgers(), st.integers(0, 2**16), st.integers(0, 2**16))
def test_the_reasons_add_up_to_the_whole_difference(facilities: Facilities, seed: int, other: int) -> None:
    first, second = plan_document(STUDY), again(facilities, seed).document
    for before, after in ((first, second), (again(facilities, other).document, second), (second, second)):
        found = diff_plans(before, after).explained
        assert found is not None
        for k, year in enumerate(found.years):
            assert sum(total.money[k] for total in found.totals) == found.whole[k], year
        if before is second:
            assert not any(found.whole)
            assert found.unchanged == found.frozen
        assert sum(total.assets for total in found.totals) == len(found.assets)


def taken_over(found: Again) -> tuple[Facilities, int]:
    """Return the ledger once the plan is its baseline, and the capex of what the plan adds to it [cents]."""
    facilities, problem, plan = found.commitment.facilities, found.study.problem, found.study.plan
    options = np.flatnonzero((plan.stage >= 1) & (found.commitment.option_capex == AS_OFFERED)).tolist()
    dug = np.flatnonzero((plan.trench_stage >= 1) & (problem.trench_built < EXISTING)).tolist()
    names = np.concatenate([offer.id for offer in STUDY.offers])
    price = {str(names[i]): int(problem.capex[i]) for i in options}
    price |= {str(problem.trench_id[i]): int(problem.trench_capex[i]) for i in dug}
    known = facilities.id.tolist()
    free = ~np.isin(facilities.state, [*FROZEN, RETIRED])
    chosen = free & np.isin(facilities.id, list(price))
    reinstated = chosen & (facilities.state == CANCELLED)
    sunk = np.union1d(facilities.sunk_payments, np.flatnonzero(reinstated[facilities.paid_facility]))
    state = np.where(chosen, PLANNED, np.where(free, CANCELLED, facilities.state)).astype(np.uint8)
    capex = [
        price[name] if mine else old for name, mine, old in zip(known, chosen, facilities.planned_capex, strict=True)
    ]
    after = replace(
        facilities,
        state=state,
        planned_capex=np.array(capex, dtype=np.int64),
        contract_capex=np.where(reinstated, NO_CONTRACT, facilities.contract_capex),
        sunk_payments=sunk,
    )
    return after, sum(cents for name, cents in price.items() if name not in set(facilities.id[free].tolist()))


@settings(max_examples=60, deadline=None)
@given(ledgers(), st.integers(0, 2**16))
def test_variance_and_the_plan_made_again_expect_the_same_to_the_cent(facilities: Facilities, seed: int) -> None:
    """Wherever every payment has its contract, as an audit asks for."""
    let = facilities.contract_capex != NO_CONTRACT
    loose = ~let & (facilities.paid != facilities.sunk) & (facilities.state != CANCELLED)
    cents = np.where(loose[facilities.paid_facility], 0, facilities.paid_cents)
    found = again(replace(facilities, paid_cents=cents), seed)
    after, added = taken_over(found)
    total = found.made.reconciliation.total
    beyond = sum(asset.owed for asset in found.made.assets if asset.due > YEARS[-1])
    said = total.paid + found.money.before + total.committed + total.planned + beyond
    assert int(expected_capex(after).sum()) + added == said
    assert reconcile_money(after, after).expected + added == said


def test_a_contract_that_ended_pays_for_nothing_of_the_next() -> None:
    row = next(row for row in ROWS if row.id.startswith("gigabit"))
    new = replace(states(row, CONTRACTED, 1.0, (0, 0, 0), 2029), contract=100_00, lost={2026: 30_00}, paid={2027: 9_00})
    found = again(ledger([new], AT), 3)
    asset = found.made.assets[0]
    assert (asset.owed, asset.cost, found.made.reconciliation.total.paid) == (91_00, 130_00, 39_00)
    assert found.commitment.facilities.sunk.tolist() == [30_00]


def test_what_was_retired_runs_no_longer_but_its_contract_is_paid() -> None:
    option = next(offer for offer in STUDY.offers if (offer.built == EXISTING).any())
    place = int(np.flatnonzero(option.built == EXISTING)[0])
    opex = round(float(option.opex[place]) * 100)
    assert opex > 0
    row = Row(str(option.id[place]), "radio", "macro", 0, 0, opex=opex, state=IN_USE, since={IN_USE: "2026-01-01"})
    retired = {IN_USE: "2026-01-01", RETIRED: "2027-06-30"}
    found = [again(ledger([it], AT), 1) for it in (row, replace(row, state=RETIRED, since=retired))]
    runs, gone = (one.money.opex[:PAST].tolist() for one in found)
    assert [cents - less for cents, less in zip(runs, gone, strict=True)] == [0, opex]
    moved = [one.made.reconciliation.years[PAST].moved for one in found]
    assert moved[1] - moved[0] == opex
    built = next(row for row in ROWS if row.id.startswith("gigabit"))
    over = replace(states(built, RETIRED, 1.0, (0, 0, 0), 2026), contract=100_00, paid={2026: 90_00})
    (asset,) = again(ledger([over], AT), 1).made.assets
    assert (asset.treatment, asset.owed, asset.due, asset.cost) == ("retired", 10_00, FIRST, 100_00)


def test_two_ledgers_apart_by_one_slip_one_price_and_one_end_say_just_that() -> None:
    rows = [row for row in ROWS if row.id.startswith("gigabit") and row.year in (2026, 2027)][:3]
    slip, dear, gone = rows
    base = again(ledger([states(row, PLANNED, 1.0, (0, 0, 0), row.year) for row in rows], AT), 1)
    late = states(slip, CONTRACTED, 1.0, (0, 0, 0), slip.year)
    costly = states(dear, IN_USE, 1.18, (0, 0, 0), dear.year)
    costly = replace(costly, paid={dear.year: costly.contract})
    ended = states(gone, CANCELLED, 1.0, (150, 0, 0), gone.year)
    found = diff_plans(plan_document(STUDY), again(ledger([late, costly, ended], AT), 1).document).explained
    assert base.made.reconciliation.total.committed == 0
    assert found is not None
    by_reason = {reason.reason: reason for reason in found.assets if reason.id in {slip.id, dear.id, gone.id}}
    assert {(r.reason, r.id) for r in found.assets if r.id in {slip.id, dear.id}} == {
        ("slipped", slip.id),
        ("dearer", dear.id),
    }
    assert dict(by_reason["slipped"].money) == {slip.year: -slip.capex, FIRST: slip.capex}
    assert dict(by_reason["dearer"].money) == {dear.year: costly.contract - dear.capex}
    assert dict(by_reason["cancelled"].money)[gone.year] in (-gone.capex, 150 - gone.capex)
    assert (found.frozen, found.unchanged) == (2, 0)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_people_can_read_the_explanation(language: str) -> None:
    rows = [states(row, IN_USE, 1.18, (50, 0, 7), row.year) for row in ROWS if row.id.startswith("gigabit")]
    text = render_diff(
        diff_plans(plan_document(STUDY), again(ledger(rows, AT), 3).document), language=language, listed=2
    )
    assert AT in text
    assert "replan." not in text
    assert ("Whole difference" if language == "en" else "全部差异") in text


@given(
    years=st.lists(st.tuples(st.integers(-50, 100), st.integers(0, 100)), min_size=1, max_size=5),
    carry_over=st.booleans(),
)
def test_budgets_without_debts_allow_the_same_plans(years: list[tuple[int, int]], *, carry_over: bool) -> None:
    available, spending = (np.array(column, dtype=np.int64) for column in zip(*years, strict=True))
    left = left_to_plan(available, carry_over=carry_over)
    assert (left >= 0).all()
    if carry_over:
        limits, asked = (np.cumsum(available), np.cumsum(left)), np.cumsum(spending)
    else:
        limits, asked = (available, left), spending
    if (np.minimum.accumulate(limits[0][::-1])[::-1][0] if carry_over else limits[0].min()) >= 0:
        assert (asked <= limits[0]).all() == (asked <= limits[1]).all()
        assert not carry_over or left.sum() == available.sum()


def test_a_reconciliation_that_does_not_add_up_is_refused() -> None:
    line = YearMoney(2026, 100, 0, 40, 30, 20, 5, 5)
    assert Reconciliation((line,)).total.unallocated == 5
    with pytest.raises(InputError, match="2026 leaves 5 cents, 6 are said"):
        Reconciliation((replace(line, unallocated=6),))
    with pytest.raises(InputError, match="no year misses"):
        Reconciliation((replace(line, moved=1, unallocated=6),))


def test_changed_money_is_found_again() -> None:
    found = again(ledger([states(ROWS[-1], CONTRACTED, 1.0, (5, 0, 0), 2029)], AT), 5).document
    made = found.replanned
    assert made is not None
    line = made.money[str(FIRST)]
    for change in ({"paid": line.paid + 1}, {"committed": line.committed + 1}, {"opex": line.opex + 1}, {"moved": 9}):
        other = made.model_copy(update={"money": {**made.money, str(FIRST): line.model_copy(update=change)}})
        assert list(money_findings(found.model_copy(update={"replanned": other})))
    name, asset = next(iter(made.assets.items()))
    for change in ({"cost": asset.cost + 1}, {"serves": 2030 if asset.serves != 2030 else 2029}):
        other = made.model_copy(update={"assets": {**made.assets, name: asset.model_copy(update=change)}})
        assert any(name in line for line in money_findings(found.model_copy(update={"replanned": other})))


def test_too_much_under_contract_is_refused_with_the_amounts_by_year() -> None:
    rows = [states(row, CONTRACTED, 40.0, (0, 0, 0), 2029) for row in ROWS if row.id.startswith("gigabit")]
    found = again(ledger(rows, AT), 0)
    problem = replace(found.study.problem, carry_over=False)
    with pytest.raises(InfeasibleError) as caught:
        require_affordable(problem, found.money, "CNY")
    text = str(caught.value)
    assert "too much in 2029" in text
    assert "too much in 2028" not in text
    assert "policy.budget" in text
    assert "slip" in text
    require_affordable(replace(problem, goal="least_cost"), found.money, "CNY")
