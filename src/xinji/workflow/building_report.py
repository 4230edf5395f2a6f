"""The ledger's state and its plan against what is, gathered from one replay for tables, terminals and scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xinji.build.earned_value import ACCRUED, MILESTONES, EarnedValue, EarningRule, curve, earned_values, earning_rule
from xinji.build.event import Event
from xinji.build.fold import fold, known_on
from xinji.build.forecast import CostForecast, FinishForecast, forecast_cost, forecast_finish
from xinji.build.ledger import Baseline, Filter, Ledger, RegionFacts
from xinji.build.variance import GROUPINGS, Variance, match, variances, whole
from xinji.core.facilities import STATES, Facilities
from xinji.errors import Fault, InputError
from xinji.workflow.building_places import ledger_parameters

END_OF_TIME = "9999-12-31"
FIRST, LATEST = "first", "latest"
"""Names that stand for the first baseline and the last one; a baseline's own name stands for itself."""
TABLED = ("stage", "technology", "area")


@dataclass(frozen=True, slots=True)
class Status:
    """A ledger at the end of the day ``at``: what it is of, and its facilities."""

    region: RegionFacts
    at: str
    events: int
    head: str
    baselines: tuple[Baseline, ...]
    facilities: Facilities


@dataclass(frozen=True, slots=True)
class VarianceSettings:
    """What to compare: the day (empty: the latest), what was known by when, the baseline, groupings and rules.

    ``known`` is an event's number, a day or a moment, or None; ``baseline`` is ``FIRST``, ``LATEST`` or a
    name; ``rule`` is one of ``earned_value.RULES``, ``cost`` of ``COST_BASES``.
    """

    at: str = ""
    known: str | int | None = None
    baseline: str = FIRST
    by: tuple[str, ...] = TABLED
    rule: str = MILESTONES
    cost: str = ACCRUED


@dataclass(frozen=True, slots=True)
class YearMoney:
    """A calendar year: budget of the plan, planned capex of its stage in the baseline, and what was paid [cents]."""

    year: int
    budget: int
    planned: int
    paid: int


@dataclass(frozen=True, slots=True)
class VarianceReport:
    """Plan against actual of a ledger; ``baseline`` is None where none was set.

    ``groups`` holds the variances of each grouping, ``earned_by`` the earned value by technology,
    ``course`` that of all at each year's end and now.
    """

    region: RegionFacts
    at: str
    head: str
    baseline: Baseline | None
    rule: EarningRule
    cost: str
    total: Variance
    groups: dict[str, tuple[Variance, ...]]
    earned: EarnedValue
    earned_by: tuple[EarnedValue, ...]
    course: tuple[EarnedValue, ...]
    cost_forecast: CostForecast
    finish_forecast: tuple[FinishForecast, ...]
    years: tuple[YearMoney, ...]
    before: Facilities
    now: Facilities


def ledger_status(place: str, *, at: str = "", known: str | int | None = None) -> Status:
    """Return the ledger at ``place`` as it stood at the end of the day ``at``, as far as was ``known``.

    Raises InputError where there is no ledger or a day is none.
    """
    with Ledger.open(place) as ledger:
        facilities = ledger.facilities(at, known=known)
        head = ledger.head()
        return Status(ledger.region(), facilities.at, head.number, str(head), ledger.baselines(), facilities)


def variance_report(place: str, settings: VarianceSettings) -> VarianceReport:
    """Return plan against actual of the ledger at ``place``.

    Raises InputError where there is no ledger, no such baseline, or nothing was planned by that day.
    """
    with Ledger.open(place) as ledger:
        region, head, baselines = ledger.region(), ledger.head(), ledger.baselines()
        events = ledger.events(Filter(last=head.number))
        now = ledger.facilities(settings.at, known=settings.known)
    chosen = _baseline(baselines, settings.baseline)
    if chosen and now.at < chosen.day:
        message = f"{now.at} is before the baseline {chosen.name!r} of {chosen.day}"
        raise InputError([Fault("at", message, "Give a later --at or an earlier --baseline.")])
    known = known_on(events, settings.known)
    before = fold(known_on(events, chosen.number if chosen else 1), at=END_OF_TIME)
    if not len(match(before, now)):
        message = f"no facility of a plan is in it by {now.at}"
        raise InputError([Fault("ledger", message, "Give a later --at, or import records first.")])
    rule = earning_rule(settings.rule, ledger_parameters(region.currency))
    earned = earned_values(before, now, rule, cost=settings.cost)[0]
    return VarianceReport(
        region=region,
        at=now.at,
        head=str(head),
        baseline=chosen,
        rule=rule,
        cost=settings.cost,
        total=whole(before, now),
        groups={by: variances(before, now, by) for by in _groupings(settings.by)},
        earned=earned,
        earned_by=earned_values(before, now, rule, by="technology", cost=settings.cost),
        course=curve(before, [*_year_ends(known, chosen, now.at), now], rule, cost=settings.cost),
        cost_forecast=forecast_cost(before, now, earned),
        finish_forecast=forecast_finish(before, now, rule),
        years=_years(chosen, before, now),
        before=before,
        now=now,
    )


def _groupings(wanted: Sequence[str]) -> tuple[str, ...]:
    return tuple(by for by in GROUPINGS if by in wanted)


def _baseline(baselines: Sequence[Baseline], name: str) -> Baseline | None:
    """Return the baseline of ``name``, None where the ledger has none at all."""
    named = {baseline.name: baseline for baseline in baselines}
    if baselines and name not in named:
        named |= {FIRST: baselines[0], LATEST: baselines[-1]}
    if name in named:
        return named[name]
    if not baselines and name in (FIRST, LATEST):
        return None
    known = ", ".join((FIRST, LATEST, *(baseline.name for baseline in baselines)))
    raise InputError([Fault("baseline", f"there is no baseline {name!r}", f"Use one of {known}.")])


def _year_ends(events: Sequence[Event], baseline: Baseline | None, at: str) -> list[Facilities]:
    """Return the facilities at the end of each year between the baseline and the day ``at``."""
    begun = baseline.day if baseline else min(event.day for event in events)
    days = [f"{year:04d}-12-31" for year in range(int(begun[:4]), int(at[:4]) + 1)]
    return [fold(events, at=day) for day in days if begun <= day < at]


def _years(baseline: Baseline | None, before: Facilities, now: Facilities) -> tuple[YearMoney, ...]:
    both = match(before, now)
    budgets = dict(zip(baseline.years, baseline.budgets, strict=True)) if baseline else {}
    # What stood before the plan is no part of either side.
    ours = np.isin(now.paid_facility, both.now)
    years = sorted({*budgets, *both.stage.tolist(), *now.paid_year[ours].tolist()})
    return tuple(
        YearMoney(
            year=year,
            budget=budgets.get(year, 0),
            planned=int(both.planned[both.stage == year].sum()),
            paid=int(now.paid_cents[ours & (now.paid_year == year)].sum()),
        )
        for year in years
    )


def facility_events(place: str, facility: str, *, at: str = "", known: str | int | None = None) -> tuple[Event, ...]:
    """Return what the ledger at ``place`` recorded of ``facility`` until the day ``at``, as far as was ``known``.

    Raises InputError where there is no ledger or no such facility.
    """
    with Ledger.open(place) as ledger:
        found = known_on(ledger.events(Filter(facility=facility, until=at)), known)
    if not found:
        message, remedy = f"the ledger has no facility {facility!r} by then", "Check the id."
        raise InputError([Fault("facility", message, remedy)])
    return tuple(found)


def state_counts(facilities: Facilities, technology: str = "") -> dict[str, int]:
    """Return how many facilities (of ``technology``, or of all) are in each state, in the order of ``STATES``."""
    mine = facilities.state if not technology else facilities.state[facilities.technology == technology]
    return {name: int(np.count_nonzero(mine == code)) for code, name in enumerate(STATES)}
