"""The ledger's reports as tables in words of a language: exact ones for files, and what a terminal shows of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal

import numpy as np

from xinji.build.earned_value import ACCRUED, WHOLE, EarnedValue
from xinji.build.forecast import FINISH_METHODS
from xinji.build.variance import Money, Variance, days_late, expected_capex, match
from xinji.core.facilities import NO_CONTRACT, STATES
from xinji.io.building_tables import DAYS, INDEX, SHARE
from xinji.io.plan_tables import COUNT, MONEY, PLAIN, TEXT, Table, Value, money
from xinji.show.text import Words, name_of
from xinji.workflow.building_report import VarianceReport

_MONEY = ("planned", "added", "cancelled", "reestimated", "price", "expected", "paid", "committed", "remaining")
_COUNTS = (
    ("count", "planned"), ("new", "added"), ("lost", "cancelled"), ("waiting", "waiting"),
    ("underway", "underway"), ("done", "done"), ("late", "late"), ("overdue", "overdue"), ("moved", "moved"),
    ("rescheduled", "rescheduled"),
)  # fmt: skip
METHOD_WORDS = {"as_planned": "as_planned", "cpi": "cpi_method", "cpi_spi": "cpi_spi", "prices": "prices"}
FINISH_WORDS = {"plan": "plan", "slip": "slip_method", "earned_schedule": "earned_schedule"}


def variance_tables(report: VarianceReport, words: Words) -> tuple[Table, ...]:
    """Return every table of ``report``, exact, for files."""
    tables = [_years(report, words)]
    for by, lines in report.groups.items():
        tables += [_money(report, by, lines, words), _progress(report, by, lines, words)]
    tables += [_earned(report, words), _course(report, words), _cost(report, words), _prices(report, words)]
    return (*tables, _finish(report, words), _facilities(report, words))


def group_name(words: Words, by: str, group: str) -> str:
    """Return what a group of the grouping ``by`` is called."""
    if not group:
        return words["building.none"]
    area = {"technology": "technology", "kind": "kind", "area": "group"}.get(by, "")
    return name_of(words, area, group) if area else group


def rule_text(report: VarianceReport, words: Words) -> str:
    """Return in words by which rule work earns, and what its cost is."""
    cost = words["building.accrued" if report.cost == ACCRUED else "building.paid_basis"]
    said = words["building.rule"].format(rule=report.rule.name, cost=cost)
    weights = [(name, weight) for name, weight in zip(STATES, report.rule.weights, strict=True) if weight]
    shares = words["language.list"].join(f"{words[f'state.{name}']} {weight / WHOLE:.0%}" for name, weight in weights)
    return f"{said}{words['building.rule_weights'].format(weights=shares)}"


def heads(report: VarianceReport, words: Words) -> tuple[str, str]:
    """Return the lines above every table: region and day, and what it is compared with."""
    baseline, currency = report.baseline, report.region.currency
    title = words["building.title"].format(region=report.region.region, at=report.at)
    if baseline is None:
        return title, words["building.no_baseline"].format(currency=currency)
    said = words["building.against"].format(
        name=baseline.name, day=baseline.day, number=baseline.number, currency=currency
    )
    return title, said


def _columns(words: Words, *columns: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((words[f"building.{key}"], form) for key, form in columns)


def _titled(words: Words, key: str, by: str) -> str:
    return words[f"building.{key}"].format(by=words[f"building.{by}"].lower())


def _money_row(found: Money) -> tuple[Decimal, ...]:
    return (*(money(getattr(found, name)) for name in _MONEY), money(found.difference))


def _money(report: VarianceReport, by: str, lines: Sequence[Variance], words: Words) -> Table:
    rows: list[tuple[Value, ...]] = [
        (group_name(words, by, line.group), *_money_row(line.money), _blank(change_share(line.money))) for line in lines
    ]
    total = report.total.money
    rows.append((words["building.total"], *_money_row(total), _blank(change_share(total))))
    columns = _columns(
        words, (by, TEXT), *((name, MONEY) for name in _MONEY), ("difference", MONEY), ("change_share", SHARE)
    )
    return Table(f"cost_by_{by}", _titled(words, "money", by), columns, tuple(rows), frozenset({len(lines)}))


def change_share(found: Money) -> float:
    """Return by what share the expected cost differs from the planned one; NaN where nothing was planned."""
    return found.changes / found.planned if found.planned else math.nan


def _blank(value: float) -> Value:
    return "" if math.isnan(value) else round(value, 6)


def _progress(report: VarianceReport, by: str, lines: Sequence[Variance], words: Words) -> Table:
    rows: list[tuple[Value, ...]] = [
        (
            name, *(getattr(line.counts, field) for _, field in _COUNTS), _blank(line.slip_days),
            _blank(line.agreed_days), _blank(line.price_ratio),
        )
        for name, line in [
            *((group_name(words, by, line.group), line) for line in lines), (words["building.total"], report.total)
        ]
    ]  # fmt: skip
    columns = _columns(
        words, (by, TEXT), *((key, COUNT) for key, _ in _COUNTS), ("slip", DAYS), ("agreed", DAYS), ("ratio", INDEX)
    )
    return Table(f"progress_by_{by}", _titled(words, "progress", by), columns, tuple(rows), frozenset({len(lines)}))


def _earned_row(name: Value, value: EarnedValue) -> tuple[Value, ...]:
    sums = (value.bac, value.pv, value.ev, value.ac, value.sv, value.cv)
    return (name, *(money(cents) for cents in sums), _blank(value.spi), _blank(value.cpi))


_EARNED = (
    *((key, MONEY) for key in ("bac", "pv", "ev", "ac", "sv", "cv")), *((key, INDEX) for key in ("spi", "cpi"))
)  # fmt: skip


def _earned(report: VarianceReport, words: Words) -> Table:
    rows = [_earned_row(group_name(words, "technology", line.group), line) for line in report.earned_by]
    rows.append(_earned_row(words["building.total"], report.earned))
    columns = _columns(words, ("technology", TEXT), *_EARNED)
    return Table("earned_value", words["building.earned"], columns, tuple(rows), frozenset({len(rows) - 1}))


def _course(report: VarianceReport, words: Words) -> Table:
    rows = tuple(_earned_row(value.at, value) for value in report.course)
    return Table("course", words["building.curve"], _columns(words, ("date", TEXT), *_EARNED), rows, frozenset())


def _cost(report: VarianceReport, words: Words) -> Table:
    found = report.cost_forecast
    named = [(words[f"building.{METHOD_WORDS[name]}"], cents) for name, cents in found.by_method.items()]
    named += [(words["building.low"], found.low), (words["building.high"], found.high)]
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (name, money(found.bac), money(cents), money(found.bac - cents)) for name, cents in named
    )
    columns = _columns(words, ("method", TEXT), ("bac", MONEY), ("eac", MONEY), ("vac", MONEY))
    totals = frozenset({len(rows) - 2, len(rows) - 1})
    return Table("cost_forecast", words["building.cost_forecast"], columns, rows, totals)


def _prices(report: VarianceReport, words: Words) -> Table:
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (
            group_name(words, "technology", price.technology), price.let, money(price.let_planned),
            money(price.let_contract), _blank(price.ratio), money(price.open_planned),
            "" if math.isnan(price.half_width) else money(round(price.half_width)),
        )
        for price in report.cost_forecast.prices
    )  # fmt: skip
    columns = _columns(
        words, ("technology", TEXT), ("let", COUNT), ("let_planned", MONEY), ("let_contract", MONEY),
        ("ratio", "0.000"), ("open_planned", MONEY), ("half_width", MONEY),
    )  # fmt: skip
    return Table("prices", words["building.price_table"], columns, rows, frozenset())


def _finish(report: VarianceReport, words: Words) -> Table:
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (
            group_name(words, "technology", line.group) if line.group else words["building.total"], line.left,
            line.planned, *(line.by_method.get(name, "") for name in FINISH_METHODS), line.low, line.high,
            _blank(line.spi_t),
        )
        for line in report.finish_forecast
    )  # fmt: skip
    columns = _columns(
        words, ("technology", TEXT), ("left", COUNT), ("planned_end", TEXT),
        *((FINISH_WORDS[name], TEXT) for name in FINISH_METHODS), ("low", TEXT), ("high", TEXT), ("spi_t", INDEX),
    )  # fmt: skip
    return Table("finish_forecast", words["building.finish_forecast"], columns, rows, frozenset({len(rows) - 1}))


def _years(report: VarianceReport, words: Words) -> Table:
    rows: list[tuple[Value, ...]] = [
        (line.year, money(line.budget), money(line.planned), money(line.paid)) for line in report.years
    ]
    sums = (sum(getattr(line, name) for line in report.years) for name in ("budget", "planned", "paid"))
    rows.append((words["building.total"], *(money(cents) for cents in sums)))
    columns = _columns(words, ("year", PLAIN), ("funds", MONEY), ("planned_year", MONEY), ("paid_year", MONEY))
    return Table("budget_by_year", words["building.years"], columns, tuple(rows), frozenset({len(rows) - 1}))


def _facilities(report: VarianceReport, words: Words) -> Table:
    both = match(report.before, report.now)
    late, now, expected, paid = days_late(both), report.now, expected_capex(report.now), report.now.paid
    agreed = now.rescheduled
    columns = _columns(
        words, ("id", TEXT), ("technology", TEXT), ("kind", TEXT), ("area", TEXT), ("project", TEXT), ("stage", PLAIN),
        ("state", TEXT), ("since", TEXT), ("planned", MONEY), ("contract", MONEY), ("paid", MONEY),
        ("expected", MONEY), ("days_late", DAYS), ("completion", TEXT), ("x_m", "0.0"), ("y_m", "0.0"),
        ("identifier", TEXT),
    )  # fmt: skip
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (
            str(now.id[k]), group_name(words, "technology", str(now.technology[k])),
            name_of(words, "kind", str(now.kind[k])), name_of(words, "group", str(now.area[k])), str(now.project[k]),
            int(both.stage[row]), words[f"state.{STATES[int(now.state[k])]}"], _day(now.since[k, now.state[k]]),
            money(both.planned[row]), "" if now.contract_capex[k] == NO_CONTRACT else money(now.contract_capex[k]),
            money(paid[k]), money(expected[k]), max(int(late[row]), 0),
            _day(now.completion[k]) if agreed[k] else "", _metres(now.x_m[k]), _metres(now.y_m[k]),
            str(now.identifier[k]),
        )
        for row, k in enumerate(both.now.tolist())
    )  # fmt: skip
    return Table("facilities", words["building.facilities"], columns, rows, frozenset())


def _day(value: np.datetime64) -> str:
    return str(value.astype("datetime64[D]"))


def _metres(value: float) -> Value:
    return "" if math.isnan(value) else round(float(value), 3)


def report_objects(report: VarianceReport) -> Iterator[tuple[str, object]]:
    """Yield what a script wants of ``report`` by key: money in cents, days as ISO 8601, null for what is unknown."""
    money_of = {name: getattr(report.total.money, name) for name in (*_MONEY, "changes", "difference")}
    yield "region", report.region.region
    yield "at", report.at
    yield "head", report.head
    yield "currency", report.region.currency
    yield "baseline", "" if report.baseline is None else report.baseline.name
    yield "earning_rule", {"name": report.rule.name, "weights": dict(zip(STATES, report.rule.weights, strict=True))}
    yield "actual_cost", report.cost
    yield "budget", money_of
    yield "total", _variance_object(report.total)
    yield "groups", {by: [_variance_object(line) for line in lines] for by, lines in report.groups.items()}
    yield "earned_value", [_earned_object(value) for value in (*report.earned_by, report.earned)]
    yield "course", [_earned_object(value) for value in report.course]
    found = report.cost_forecast
    yield "cost_forecast", {"bac": found.bac, "by_method": found.by_method, "low": found.low, "high": found.high}
    names = ("technology", "let", "let_planned", "let_contract", "open_planned", "ratio", "half_width")
    yield "prices", [{name: _null(getattr(price, name)) for name in names} for price in found.prices]
    fields = ("group", "planned", "by_method", "low", "high", "spi_t", "left")
    yield "finish_forecast", [{name: _null(getattr(line, name)) for name in fields} for line in report.finish_forecast]
    yield "years", [{name: getattr(line, name) for name in line.__slots__} for line in report.years]


def _variance_object(line: Variance) -> dict[str, object]:
    sums = {name: getattr(line.money, name) for name in (*_MONEY, "changes", "difference")}
    counts = {name: getattr(line.counts, name) for name in line.counts.__slots__}
    ratios = {"price_ratio": _null(line.price_ratio), "slip_days": _null(line.slip_days)}
    ratios["agreed_days"] = _null(line.agreed_days)
    return {"group": line.group, "money": sums, "counts": counts, **ratios}


def _earned_object(value: EarnedValue) -> dict[str, object]:
    sums = {name: getattr(value, name) for name in ("bac", "pv", "ev", "ac", "sv", "cv")}
    return {"at": value.at, "group": value.group, **sums, "spi": _null(value.spi), "cpi": _null(value.cpi)}


def _null(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value
