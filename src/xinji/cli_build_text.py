"""What `xinji build` prints on a terminal, in words of a language."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from xinji.build.forecast import FINISH_METHODS
from xinji.build.register import RegisterLine
from xinji.build.variance import Variance, group_order
from xinji.core.facilities import STATES
from xinji.show.building import text_table
from xinji.show.text import Words
from xinji.units import CENTS_PER_UNIT
from xinji.workflow.building_audit import AuditReport
from xinji.workflow.building_drafts import amount
from xinji.workflow.building_import import ImportSummary
from xinji.workflow.building_register import RegisterReport, register_tables
from xinji.workflow.building_report import Status, VarianceReport, state_counts
from xinji.workflow.building_tables import (
    FINISH_WORDS,
    METHOD_WORDS,
    change_share,
    group_name,
    heads,
    rule_text,
)

_THOUSAND, _WAN = 1_000, 10_000
LISTED = 50
"""So many findings are printed one by one."""


def import_lines(found: ImportSummary) -> Iterator[str]:
    """Yield what an import recorded."""
    done = "Would record" if found.dry else "Recorded"
    what = ", ".join(f"{count:,} {kind}" for kind, count in found.events.items()) or "nothing"
    yield f"{done} {found.file}: {found.rows:,} rows about {found.subjects:,}, {found.registered:,} of them new"
    yield f"  events     {what}"
    if found.states:
        yield f"  states     {', '.join(f'{count:,} {state}' for state, count in found.states.items())}"
    if found.contract_cents or found.paid_cents:
        yield f"  money      {amount(found.contract_cents)} let, {amount(found.paid_cents)} paid"
    yield f"  unchanged  {found.unchanged:,} rows told nothing new"
    yield from (f"  differing  {line}" for line in found.differing[:LISTED])
    if len(found.differing) > LISTED:
        yield f"  differing  {len(found.differing) - LISTED:,} more; --json lists all"
    yield f"  head       {found.head}"


def status_lines(found: Status, words: Words) -> Iterator[str]:
    """Yield a ledger's facilities by state and technology."""
    title = words["building.status_title"]
    yield title.format(region=found.region.region, at=found.at, n=f"{len(found.facilities):,}", events=found.events)
    yield words["building.head"].format(head=found.head)
    for baseline in found.baselines:
        yield f"{words['building.baselines']}: {baseline.name}, {baseline.day}, {baseline.assets:,}"
    technologies = group_order("technology", found.facilities.technology)
    counts = {name: state_counts(found.facilities, name) for name in ("", *technologies)}
    shown = [state for state in STATES if counts[""][state]]
    headings = [
        words["building.state"],
        *(words[f"technology.{name}"] for name in technologies),
        words["building.total"],
    ]
    rows = [[words[f"state.{state}"], *(f"{counts[name][state]:,}" for name in (*technologies, ""))] for state in shown]
    rows.append([words["building.total"], *(f"{sum(counts[name].values()):,}" for name in (*technologies, ""))])
    yield ""
    yield from text_table(headings, rows)


def variance_lines(report: VarianceReport, words: Words) -> Iterator[str]:
    """Yield plan against actual: the budget to the cent, then each grouping, earned value and forecasts."""
    yield from heads(report, words)
    yield ""
    yield from _budget(report, words)
    yield ""
    yield words["building.unit_note"].format(currency=_currency(report, words))
    for by, lines in report.groups.items():
        yield ""
        yield from _group_tables(report, by, lines, words)
    yield ""
    yield from _earned(report, words)
    yield ""
    yield from _forecast(report, words)


def _currency(report: VarianceReport, words: Words) -> str:
    return words.get(f"currency.{report.region.currency}", report.region.currency)


def _budget(report: VarianceReport, words: Words) -> Iterator[str]:
    money = report.total.money
    yield f"{words['building.budget']}{words['language.colon']}{words['building.budget_sums']}"
    names = ("planned", "added", "cancelled", "reestimated", "price", "expected", "paid", "committed", "remaining")
    rows = [[words[f"building.{name}"], amount(getattr(money, name))] for name in names]
    yield from (f"  {line}" for line in list(text_table(("", report.region.currency), rows))[:1])
    lines = list(text_table(("", report.region.currency), rows))[2:]
    yield from (f"{mark} {line}" for mark, line in zip(" ++++=   ", lines, strict=True))
    state = "balanced" if not money.difference else "unbalanced"
    left, right = amount(money.planned + money.changes), amount(money.paid + money.committed + money.remaining)
    said = words[f"building.{state}"].format(cents=money.difference)
    yield f"  {left} {'=' if not money.difference else '≠'} {right}: {said}"


def _unit(words: Words) -> int:
    return (_WAN if words["language.code"] == "zh" else _THOUSAND) * CENTS_PER_UNIT


def _short(cents: int, words: Words) -> str:
    # Adding 0.0 takes the sign from a zero.
    return f"{round(cents / _unit(words), 1) + 0.0:,.1f}"


def _ratio(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{round(share, 3) + 0.0:+.1%}"


def _group_tables(report: VarianceReport, by: str, lines: Sequence[Variance], words: Words) -> Iterator[str]:
    """Yield two tables of a grouping: what it costs, and how far it has come."""
    named = [(group_name(words, by, line.group), line) for line in lines] + [(words["building.total"], report.total)]
    keys = ("planned", "expected", "change_share", "paid", "committed", "remaining", "ratio")
    yield from text_table(
        [words[f"building.{key}"] for key in (by, *keys)], [_cost_row(*pair, words) for pair in named]
    )
    yield ""
    marks = (
        "count",
        "new",
        "lost",
        "waiting",
        "underway",
        "done",
        "late",
        "overdue",
        "moved",
        "slip",
        "rescheduled",
        "agreed",
    )
    yield from text_table([words[f"building.{key}"] for key in (by, *marks)], [_progress_row(*pair) for pair in named])


def _cost_row(name: str, line: Variance, words: Words) -> list[str]:
    money = line.money
    sums = [_short(money.planned, words), _short(money.expected, words), _percent(change_share(money))]
    sums += [_short(cents, words) for cents in (money.paid, money.committed, money.remaining)]
    return [name, *sums, _ratio(line.price_ratio)]


def _progress_row(name: str, line: Variance) -> list[str]:
    counts = line.counts
    numbers = (counts.planned, counts.added, counts.cancelled, counts.waiting, counts.underway, counts.done)
    late = (counts.late, counts.overdue, counts.moved)
    slip, agreed = ("-" if math.isnan(days) else f"{days:,.0f}" for days in (line.slip_days, line.agreed_days))
    return [name, *(f"{number:,}" for number in (*numbers, *late)), slip, f"{counts.rescheduled:,}", agreed]


def _earned(report: VarianceReport, words: Words) -> Iterator[str]:
    yield words["building.earned"]
    yield rule_text(report, words)
    keys = ("technology", "bac", "pv", "ev", "ac", "sv", "cv", "spi", "cpi")
    rows = [
        [
            group_name(words, "technology", value.group) if value.group else words["building.total"],
            *(_short(getattr(value, name), words) for name in ("bac", "pv", "ev", "ac", "sv", "cv")),
            _ratio(value.spi), _ratio(value.cpi),
        ]
        for value in (*report.earned_by, report.earned)
    ]  # fmt: skip
    yield from text_table([words[f"building.{key}"] for key in keys], rows)


def _forecast(report: VarianceReport, words: Words) -> Iterator[str]:
    found = report.cost_forecast
    named = [(words[f"building.{METHOD_WORDS[name]}"], cents) for name, cents in found.by_method.items()]
    named += [(words["building.low"], found.low), (words["building.high"], found.high)]
    rows = [[name, _short(cents, words), _short(found.bac - cents, words)] for name, cents in named]
    yield from text_table([words["building.cost_forecast"], words["building.eac"], words["building.vac"]], rows)
    yield ""
    keys = ("technology", "left", "planned_end", *(FINISH_WORDS[name] for name in FINISH_METHODS), "spi_t")
    rows = [
        [
            group_name(words, "technology", line.group) if line.group else words["building.total"], f"{line.left:,}",
            line.planned, *(line.by_method.get(name, "-") for name in FINISH_METHODS), _ratio(line.spi_t),
        ]
        for line in report.finish_forecast
    ]  # fmt: skip
    yield words["building.finish_forecast"]
    yield from text_table([words[f"building.{key}"] for key in keys], rows)


def register_lines(report: RegisterReport, words: Words) -> Iterator[str]:
    """Yield the register's tables, without money, and what the whole adds up to."""
    yield words["register.title"].format(quarter=report.quarter)
    line: RegisterLine = report.total
    covered = len(report.lines["scenario"])
    yield words["register.summary"].format(
        projects=line.projects, new=line.new, divisions=report.divisions, scenarios=covered
    )
    for table in register_tables(report, words)[:-1]:
        yield ""
        yield table.title
        names = [k for k, (_, form) in enumerate(table.columns) if form in ("@", "General")]
        shown = [*names, *range(len(names), len(names) + 3)]
        rows = [[str(row[k]) for k in shown] for row in table.rows]
        yield from text_table([table.columns[k][0] for k in shown], rows, left=len(names))
    yield ""
    yield words["register.scenario_note"]


def audit_lines(found: AuditReport) -> Iterator[str]:
    """Yield what an audit looked at and every finding."""
    yield f"Ledger of {found.events:,} events, {found.signed:,} signed, head {found.head}"
    for name, money in found.money.items():
        left, right = amount(money.planned + money.changes), amount(money.expected)
        yield f"  budget against {name}: planned + changes {left}, paid + committed + remaining {right}"
    if found.evidence:
        counts = ", ".join(f"{count:,} {state}" for state, count in found.evidence.items() if count)
        yield f"  evidence: {counts or 'no files'}"
    elif found.files:
        yield f"  evidence: {found.files:,} files were not looked at; name their folder with --evidence"
    for finding in found.findings[:LISTED]:
        yield f"  {finding.check}: {finding.message}. {finding.remedy}"
    if len(found.findings) > LISTED:
        yield f"  and {len(found.findings) - LISTED:,} further findings; --json lists all"
    yield f"{len(found.findings):,} findings" if found.findings else "Nothing found: sound."
