"""What a plan will have cost, and when it will stand: several methods side by side, never one number alone.

Estimates at completion (EAC) are those of PMI's Practice Standard for Earned Value Management (2nd
edition, 2011, chapter 6) and one made facility by facility from observed prices, with an interval.
Finish dates follow the plan, the slips observed, and earned schedule (W. Lipke, "Schedule is
Different", The Measurable News, summer 2003).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.special import stdtrit

from xinji.build.earned_value import WHOLE, EarnedValue, EarningRule, planned_share, scope, share_of
from xinji.build.variance import Matched, days_late, expected_capex, group_order, is_done, match, today, year_end
from xinji.core.arrays import Bools, Floats, Ints
from xinji.core.facilities import CANCELLED, NO_CONTRACT, RETIRED, Facilities

AS_PLANNED, AT_CPI, AT_CPI_SPI, AT_PRICES = "as_planned", "cpi", "cpi_spi", "prices"
COST_METHODS = (AS_PLANNED, AT_CPI, AT_CPI_SPI, AT_PRICES)
BY_PLAN, BY_SLIP, BY_SCHEDULE = "plan", "slip", "earned_schedule"
FINISH_METHODS = (BY_PLAN, BY_SLIP, BY_SCHEDULE)

CONFIDENCE = 0.9
"""Of the interval that prices give."""
LET_MIN = 3
"""So many contracts of a technology must be let before their prices say anything of the next."""
SETTLED_MIN = 0.05
"""Before such a share of a budget is planned and earned, earned schedule swings too wildly to forecast from."""

Day: TypeAlias = np.datetime64


@dataclass(frozen=True, slots=True)
class Prices:
    """Observed prices of a technology and what they make of the rest [cents].

    ``let`` contracts for ``let_planned`` cost ``let_contract``; the ``open_planned`` that is not let
    costs ``ratio`` times as much, give or take ``half_width``. Where fewer than ``LET_MIN`` are let,
    the ratio is 1 and the half width NaN: nothing is known.
    """

    technology: str
    let: int
    let_planned: int
    let_contract: int
    open_planned: int
    ratio: float
    half_width: float


@dataclass(frozen=True, slots=True)
class CostForecast:
    """Estimates at completion [cents] by method, and prices by technology.

    ``by_method`` leaves out a method that has nothing to go by; ``low`` and ``high`` span all methods
    and the interval of the prices; ``bac`` is the budget at completion.
    """

    bac: int
    by_method: dict[str, int]
    prices: tuple[Prices, ...]
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class FinishForecast:
    """When the last facility of a technology (``""``: of all) will be accepted, by method [ISO 8601 days].

    ``by_method`` leaves out a method that has nothing to go by; ``spi_t`` is earned schedule over
    actual time, NaN before the first planned year. ``planned`` is the baseline's last day.
    """

    group: str
    planned: str
    by_method: dict[str, str]
    low: str
    high: str
    spi_t: float
    left: int


def forecast_cost(baseline: Facilities, actual: Facilities, value: EarnedValue) -> CostForecast:
    """Return what all will have cost, from the earned ``value`` of the same day.

    EAC = AC + (BAC - EV) for the rest as planned, AC + (BAC - EV) / CPI for the rest at the cost
    so far, AC + (BAC - EV) / (CPI SPI) where lost time is bought back (PMI 2011, chapter 6), and at
    observed prices: contracts as they are, the rest at its technology's ratio of contract to plan.
    """
    both = match(baseline, actual)
    prices = observed_prices(both)
    rest = value.bac - value.ev
    found = {AS_PLANNED: value.ac + rest}
    if value.ev > 0 and value.ac > 0:
        found[AT_CPI] = value.ac + _divided(rest, value.ac, value.ev)
    if value.ev > 0 and value.ac > 0 and value.pv > 0:
        found[AT_CPI_SPI] = value.ac + _divided(rest, value.ac * value.pv, value.ev * value.ev)
    settled, half_width = _at_prices(both, prices)
    found[AT_PRICES] = settled
    known = list(found.values())
    return CostForecast(
        bac=value.bac,
        by_method=found,
        prices=prices,
        low=min(*known, settled - half_width),
        high=max(*known, settled + half_width),
    )


def _divided(cents: int, part: int, of: int) -> int:
    """Return ``cents`` times ``part`` over ``of``, rounded half up."""
    return (2 * cents * part + of) // (2 * of)


def observed_prices(both: Matched) -> tuple[Prices, ...]:
    """Return the prices that contracts show, by technology.

    Contracts c cost r times their plan p, with a variance in proportion to p: r is then best
    estimated by sum c / sum p, and what P more will cost has the variance s2 (P + P^2 / sum p),
    s2 = sum((c - r p)^2 / p) / (n - 1); n - 1 degrees of freedom (R. M. Royall, Biometrika 57
    (1970) 377, section 3).
    """
    technology = both.actual.technology[both.now]
    return tuple(_prices(both, name, technology == name) for name in group_order("technology", technology))


def _open(both: Matched) -> Bools:
    """Return which rows (k,) are neither let nor over."""
    state, contract = both.actual.state[both.now], both.actual.contract_capex[both.now]
    found: Bools = (contract == NO_CONTRACT) & (state != CANCELLED) & (state != RETIRED)
    return found


def _prices(both: Matched, technology: str, mine: Bools) -> Prices:
    plan, contract = both.actual.planned_capex[both.now], both.actual.contract_capex[both.now]
    let = mine & (contract != NO_CONTRACT) & (both.actual.state[both.now] != CANCELLED) & (plan > 0)
    number, base, cost = int(np.count_nonzero(let)), int(plan[let].sum()), int(contract[let].sum())
    rest = int(plan[mine & _open(both)].sum())
    if number < LET_MIN:
        return Prices(technology, number, base, cost, rest, 1.0, math.nan)
    ratio = cost / base
    error: Floats = contract[let] - ratio * plan[let]
    variance = float((error**2 / plan[let]).sum()) / (number - 1) * (rest + rest * rest / base)
    quantile = float(stdtrit(number - 1, 0.5 + CONFIDENCE / 2.0))
    return Prices(technology, number, base, cost, rest, ratio, quantile * math.sqrt(variance))


def _at_prices(both: Matched, prices: Sequence[Prices]) -> tuple[int, int]:
    """Return what all will have cost at observed prices, and the half width of its interval [cents].

    Technologies are priced by different contracts: their errors add up as squares.
    """
    plan, paid, sunk = (column[both.now] for column in (both.actual.planned_capex, both.actual.paid, both.actual.sunk))
    technology, rest = both.actual.technology[both.now], _open(both)
    total = int(expected_capex(both.actual)[both.now][~rest].sum())
    for price in prices:
        mine = rest & (technology == price.technology)
        priced = np.rint(plan[mine] * price.ratio).astype(np.int64)
        total += int((sunk[mine] + np.maximum(priced, paid[mine] - sunk[mine])).sum())
    squares = sum(price.half_width**2 for price in prices if not math.isnan(price.half_width))
    return total, round(math.sqrt(squares))


def forecast_finish(baseline: Facilities, actual: Facilities, rule: EarningRule) -> tuple[FinishForecast, ...]:
    """Return when each technology, and last all together (``""``), will be accepted.

    ``plan``: the latest planned year's end of what is left, or the date to which it was rescheduled, and not
    before now. ``slip``: the same, where no date was agreed anew later by the mean slip of what was accepted.
    ``earned_schedule``: the planned time divided by
    SPI(t), where SPI(t) is the time in which as much was planned as is earned now, over the time
    gone. A group of which nothing is left has the day of its last acceptance alone.
    """
    both = match(baseline, actual)
    technology = both.actual.technology[both.now]
    names = group_order("technology", technology)
    groups = [(name, technology == name) for name in names] + [("", np.ones(len(both), dtype=bool))]
    return tuple(_finish(both, name, mine, rule) for name, mine in groups if _live(both, mine).any())


def _live(both: Matched, mine: Bools) -> Bools:
    live: Bools = mine & (both.actual.state[both.now] != CANCELLED)
    return live


def _finish(both: Matched, group: str, mine: Bools, rule: EarningRule) -> FinishForecast:
    live, now = _live(both, mine), today(both.actual)
    left = live & ~is_done(both.actual.state[both.now])
    planned = year_end(both.stage)[live].max()
    spi_t = _time_index(both, live, rule)
    if not left.any():
        late: Floats = days_late(both)[live]
        last = (year_end(both.stage)[live] + late.astype("timedelta64[D]")).max()
        return FinishForecast(group, str(planned), {BY_PLAN: str(last)}, str(last), str(last), spi_t, 0)
    ends = year_end(np.maximum(both.actual.planned_year[both.now], both.stage)[left])
    agreed, dates = both.actual.rescheduled[both.now][left], both.actual.completion[both.now][left]
    found = {BY_PLAN: max(np.where(agreed, dates, ends).max(), now)}
    slip = _mean_slip(both, live)
    if not math.isnan(slip):
        slipped = ends + np.timedelta64(round(slip), "D")
        found[BY_SLIP] = max(np.where(agreed, dates, slipped).max(), now)
    if _settled(both, live, rule):
        first = _new_year(int(both.stage[live].min()))
        days = (planned - first).astype(np.int64) + 1
        found[BY_SCHEDULE] = max(first + np.timedelta64(math.ceil(days / spi_t) - 1, "D"), now)
    days_found = list(found.values())
    return FinishForecast(
        group=group,
        planned=str(planned),
        by_method={name: str(day) for name, day in found.items()},
        low=str(min(days_found)),
        high=str(max(days_found)),
        spi_t=spi_t,
        left=int(np.count_nonzero(left)),
    )


def _mean_slip(both: Matched, live: Bools) -> float:
    """Return by how many days what was accepted, or should be by now, is late on average; NaN if nothing was due."""
    late, done = days_late(both), is_done(both.actual.state[both.now])
    due = live & (done | (late > 0))
    return float(np.maximum(late[due], 0.0).mean()) if due.any() else math.nan


def _settled(both: Matched, mine: Bools, rule: EarningRule) -> bool:
    """Return whether of the budget of the rows ``mine`` enough was both planned and earned by now to go by."""
    budget, stage = (column[mine] for column in scope(both))
    planned = int(share_of(budget, *planned_share(stage, today(both.actual))).sum())
    earned = _earned(both, mine, budget, rule)
    return min(planned, earned) >= max(SETTLED_MIN * int(budget.sum()), 1)


def _earned(both: Matched, mine: Bools, budget: Ints, rule: EarningRule) -> int:
    weight = np.array(rule.weights, dtype=np.int64)[both.actual.state[both.now][mine]]
    return int(share_of(budget, weight, np.full(len(budget), WHOLE, dtype=np.int64)).sum())


def _time_index(both: Matched, mine: Bools, rule: EarningRule) -> float:
    """Return SPI(t) of the rows ``mine``: earned schedule over actual time; NaN before the first planned year."""
    budget, stage = (column[mine] for column in scope(both))
    first = _new_year(int(stage.min()))
    gone = int((today(both.actual) - first).astype(np.int64)) + 1
    if gone <= 0:
        return math.nan
    return earned_days(budget, stage, first, _earned(both, mine, budget, rule)) / gone


def earned_days(budget: Ints, stage: Ints, first: Day, earned: int) -> float:
    """Return after how many days from ``first`` the plan had planned ``earned`` [cents]: the earned schedule.

    ``budget`` [cents] and ``stage`` [year] have shape (k,). Planned value grows evenly within a year,
    so the time is that of the whole years before and a share of the next.
    """
    for year in np.unique(stage).tolist():
        inside = int(budget[stage == year].sum())
        start = _new_year(year)
        _, length = planned_share(np.array([year], dtype=np.int64), start)
        before = int((start - first).astype(np.int64))
        if earned < inside:
            return before + int(length[0]) * earned / inside
        earned -= inside
    return float(before + int(length[0]))


def _new_year(year: int) -> Day:
    """Return the first day of the calendar ``year``."""
    return np.datetime64(f"{year:04d}-01-01", "D")
