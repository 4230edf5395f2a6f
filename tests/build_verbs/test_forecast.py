from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats

from build_verbs.some_facilities import One, facilities, ledgers
from xinji.build.earned_value import HALVES, EarningRule, earned_values, earning_rule
from xinji.build.forecast import (
    AS_PLANNED,
    AT_CPI,
    AT_CPI_SPI,
    AT_PRICES,
    BY_PLAN,
    BY_SCHEDULE,
    BY_SLIP,
    earned_days,
    forecast_cost,
    forecast_finish,
)
from xinji.core.facilities import ACCEPTED, CONTRACTED, UNDER_CONSTRUCTION, Facilities
from xinji.io.parameters import load

RULE = earning_rule(HALVES, load("cn"))
SUMS = ((100_00, 130_00), (200_00, 220_00), (300_00, 340_00), (400_00, 460_00))


def _trenches() -> tuple[Facilities, Facilities]:
    """Four trenches of 1000 let at 1150, and 500 and 100 not yet let; a radio site let, one not."""
    done = ((ACCEPTED, "2027-06-30"),)
    let = [
        One(f"t{n}", plan, technology="trench", state=ACCEPTED, contract=cost, days=done)
        for n, (plan, cost) in enumerate(SUMS)
    ]
    rest = [One("t8", 500_00, year=2028, technology="trench"), One("t9", 100_00, year=2028, technology="trench")]
    radio = [One("r1", 50_00, state=CONTRACTED, contract=80_00), One("r2", 50_00, year=2028)]
    plain = [One(one.id, one.planned, year=one.year, technology=one.technology) for one in (*let, *rest, *radio)]
    return facilities("2027-01-01", *plain), facilities("2027-12-31", *let, *rest, *radio)


def test_the_classical_estimates() -> None:
    before, now = _trenches()
    (value,) = earned_values(before, now, RULE)
    assert (value.bac, value.pv, value.ev, value.ac) == (1700_00, 1050_00, 1000_00, 1150_00)
    found = forecast_cost(before, now, value).by_method
    assert found[AS_PLANNED] == 1150_00 + 700_00
    assert found[AT_CPI] == round(1700_00 * 1150 / 1000)
    assert found[AT_CPI_SPI] == round(1150_00 + 700_00 * (1150 / 1000) * (1050 / 1000))


def test_prices_carry_over_to_what_is_not_let() -> None:
    before, now = _trenches()
    found = forecast_cost(before, now, earned_values(before, now, RULE)[0])
    radio, trench = found.prices
    assert (trench.let, trench.let_planned, trench.let_contract, trench.open_planned) == (4, 1000_00, 1150_00, 600_00)
    assert trench.ratio == pytest.approx(1.15)
    # One radio contract tells nothing of the next: the rest stays as planned.
    assert (radio.let, radio.ratio) == (1, 1.0)
    assert math.isnan(radio.half_width)
    assert found.by_method[AT_PRICES] == 1150_00 + round(1.15 * 600_00) + 80_00 + 50_00


def test_the_interval_is_that_of_a_ratio() -> None:
    """Weighted least squares through the origin, by scipy and numpy's own routes."""
    before, now = _trenches()
    trench = forecast_cost(before, now, earned_values(before, now, RULE)[0]).prices[1]
    plan, cost = np.array(SUMS, dtype=np.float64).T
    root = np.sqrt(plan)
    slope, residual, _, _ = np.linalg.lstsq((plan / root)[:, None], cost / root, rcond=None)
    assert slope[0] == pytest.approx(trench.ratio)
    scatter = residual[0] / 3
    rest = 600_00.0
    spread = math.sqrt(scatter * rest + scatter / plan.sum() * rest**2)
    assert trench.half_width == pytest.approx(stats.t.ppf(0.95, 3) * spread)


def test_low_and_high_span_every_method() -> None:
    before, now = _trenches()
    found = forecast_cost(before, now, earned_values(before, now, RULE)[0])
    half = found.prices[1].half_width
    assert found.low == min(*found.by_method.values(), found.by_method[AT_PRICES] - round(half))
    assert found.high == max(*found.by_method.values(), found.by_method[AT_PRICES] + round(half))
    assert found.low < found.high


def test_earned_schedule_by_hand() -> None:
    """Lipke: earned is what was planned until mid-June of the second year."""
    budget, stage = np.array([365_00, 730_00], dtype=np.int64), np.array([2026, 2027], dtype=np.int64)
    start = np.datetime64("2026-01-01")
    assert earned_days(budget, stage, start, 0) == 0
    assert earned_days(budget, stage, start, 36_50) == 36.5
    assert earned_days(budget, stage, start, 365_00) == 365
    assert earned_days(budget, stage, start, 365_00 + 73_00) == 365 + 36.5
    assert earned_days(budget, stage, start, 365_00 + 730_00) == 730


def test_finish_dates_by_method() -> None:
    before = facilities("2026-01-01", One("a", 100_00, year=2026), One("b", 100_00, year=2027))
    now = facilities(
        "2027-12-31",
        One("a", 100_00, year=2026, state=ACCEPTED, days=((ACCEPTED, "2027-03-01"),)),
        One("b", 100_00, year=2027, state=UNDER_CONSTRUCTION),
    )
    radio, total = forecast_finish(before, now, EarningRule("0/100", (0, 0, 0, 0, 0, 10_000, 10_000, 10_000, 0)))
    # Half is earned after all the time: two years become four. What was accepted was 60 days late.
    assert radio.by_method == {BY_PLAN: "2027-12-31", BY_SLIP: "2028-02-29", BY_SCHEDULE: "2029-12-30"}
    assert (radio.low, radio.high, radio.left, radio.spi_t) == ("2027-12-31", "2029-12-30", 1, 0.5)
    assert total.group == ""


def test_what_is_all_done_ended_when_it_did() -> None:
    before = facilities("2026-01-01", One("a", 100_00, year=2026))
    now = facilities("2028-01-01", One("a", 100_00, year=2026, state=ACCEPTED, days=((ACCEPTED, "2027-03-01"),)))
    assert {line.by_method[BY_PLAN] for line in forecast_finish(before, now, RULE)} == {"2027-03-01"}


@settings(max_examples=25, deadline=None)
@given(ledgers())
def test_no_estimate_is_below_what_is_known(pair: tuple[Facilities, Facilities]) -> None:
    before, now = pair
    (value,) = earned_values(before, now, RULE)
    found = forecast_cost(before, now, value)
    assert found.low <= min(found.by_method.values())
    assert max(found.by_method.values()) <= found.high
    for line in forecast_finish(before, now, RULE):
        assert line.low <= line.high
        assert line.left == 0 or line.low >= now.at
