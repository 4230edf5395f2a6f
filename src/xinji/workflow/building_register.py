"""Projects into a ledger, and the register of "5G + industrial Internet" projects out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xinji.build import event_drafts as drafts_of
from xinji.build.event import Draft
from xinji.build.event_drafts import ProjectFacts
from xinji.build.fold import Projects
from xinji.build.ledger import Filter, Ledger
from xinji.build.register import (
    BY_INDUSTRY,
    BY_PARK,
    BY_QUARTER,
    BY_SCENARIO,
    Division,
    Project512,
    RegisterLine,
    Scenario,
    counts,
    industrial_divisions,
    project_faults,
    quarter_end,
    quarter_of,
    register,
    total,
)
from xinji.build.states import steps_between
from xinji.core.arrays import AnyArray
from xinji.core.facilities import ACCEPTED, CANCELLED, CONTRACTED, IN_USE, NO_CONTRACT, PLANNED, STATES, Facilities
from xinji.errors import Fault, InputError, raise_if
from xinji.io.acceptance import gathered
from xinji.io.acceptance_projects import GBT4754, NO_STATE, SCENARIOS_5G, ProjectRecord, code_list, read_projects
from xinji.io.plan_tables import COUNT, MONEY, PLAIN, TEXT, Table, Value, money
from xinji.show.text import Words
from xinji.workflow.building_days import future_faults
from xinji.workflow.building_differences import project_differences
from xinji.workflow.building_drafts import ON_THE_WAY
from xinji.workflow.building_import import ImportSettings, ImportSummary, Taken, append, summary_of
from xinji.workflow.building_standing import Standing, Standings, Told, project_standings

SEPARATOR = ";"
"""Stands between the scenarios of a project in the ledger."""


@dataclass(frozen=True, slots=True)
class RegisterReport:
    """The register at the end of a quarter: all projects, lines by each grouping, and the line of them all."""

    region: str
    currency: str
    at: str
    quarter: str
    projects: tuple[Project512, ...]
    lines: Mapping[str, tuple[RegisterLine, ...]]
    total: RegisterLine
    divisions: int


def divisions() -> dict[str, Division]:
    """Return the divisions of GB/T 4754-2017 by code."""
    return {row["code"]: Division(**row) for row in code_list(GBT4754)}


def scenarios() -> dict[str, Scenario]:
    """Return the ministry's twenty typical scenarios by code (MIIT, first batch May, second November 2021)."""
    return {
        row["code"]: Scenario(row["code"], int(row["batch"]), row["name_zh"], row["name_en"])
        for row in code_list(SCENARIOS_5G)
    }


def import_projects(place: str, path: Path, settings: ImportSettings) -> ImportSummary:
    """Record the projects in ``path`` in the ledger at ``place``, and return what came of it.

    A project that the ledger has already is advanced only. Raises InputError with every fault of every
    row, and then records nothing; ConflictError where someone else changed the same projects.
    """
    records = read_projects(path, sheet=settings.sheet, ignored=settings.ignored, evidence_root=settings.evidence_root)
    with Ledger.open(place, who=settings.who, key=settings.key) as ledger:
        head = ledger.head()
        events = ledger.events(Filter(last=head.number))
        known = project_standings(events)
        faults = list(_code_faults(records))
        if not settings.future:
            days = [(record, max(record.day, record.registered)) for record in records]
            faults += [fault for it, day in days for fault in future_faults(it.layer, day, it.row)]
        taken = list(_taken(records, known, faults))
        raise_if(gathered(faults), InputError)
        found = summary_of(path.name, [record.id for record in records], taken, settings, head)
        facts = {record.layer: _facts(record) for record in records}
        found = replace(found, differing=project_differences(records, facts, events))
        return append(ledger, taken, [record.layer for record in records], found, head)


def _scenario_codes(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the codes of scenarios given by code or name; what is unknown stays as it is."""
    names = {scenario.name_zh: code for code, scenario in scenarios().items()}
    names |= {scenario.name_en.lower(): code for code, scenario in scenarios().items()}
    return tuple(dict.fromkeys(names.get(text, names.get(text.lower(), text.upper())) for text in texts))


def _code_faults(records: Sequence[ProjectRecord]) -> Iterator[Fault]:
    listed = [_facts(record) for record in records]
    projects = [
        Project512(
            f.id, f.name, f.owner, f.industry, tuple(f.scenario.split(SEPARATOR)), f.park, "", "", "", 0, 0, 0, 0
        )
        for f in listed
    ]
    for fault in project_faults(projects, divisions(), scenarios()):
        row = fault.row or 0
        yield Fault(records[row].layer, fault.message, fault.remedy, records[row].row)


def _facts(record: ProjectRecord) -> ProjectFacts:
    return ProjectFacts(
        id=record.id,
        name=record.name,
        industry=record.industry,
        scenario=SEPARATOR.join(_scenario_codes(record.scenarios)),
        park=record.park,
        owner=record.owner,
        planned_cents=record.planned_cents,
    )


def _taken(records: Sequence[ProjectRecord], known: Standings, faults: list[Fault]) -> Taken:
    taken: Taken = []
    for row in sorted(range(len(records)), key=lambda k: (records[k].day, k)):
        record = records[row]
        if record.id not in known:
            taken.append((row, drafts_of.project_registered(_facts(record), day=record.registered)))
            known[record.id] = Standing(Told([(record.registered, PLANNED)]))
        taken += [(row, draft) for draft in _project_drafts(record, known[record.id], faults)]
    return taken


def _project_drafts(record: ProjectRecord, standing: Standing, faults: list[Fault]) -> Iterator[Draft]:
    old, new = standing.state, record.state
    if new not in (NO_STATE, old) and not standing.was(new, record.day):
        steps = () if old == CANCELLED else steps_between(old, new)
        if not steps:
            message = f"{record.id} is {STATES[old]} and cannot become {STATES[new]}"
            faults.append(Fault(record.layer, message, "Mend the state.", record.row))
        for state in steps:
            reason = record.reason if state == new else ON_THE_WAY.format(state=STATES[new])
            yield drafts_of.project_advanced(record.id, STATES[state], day=record.day, reason=reason)
            standing.enter(state, record.day)
    for file in record.evidence:
        if file.sha256 not in standing.evidence:
            yield drafts_of.project_evidenced(
                record.id, day=record.day, name=file.name, sha256=file.sha256, size=file.size
            )
            standing.evidence.add(file.sha256)


def register_report(place: str, *, at: str = "", known: str | int | None = None) -> RegisterReport:
    """Return the register of the ledger at ``place`` at the end of the quarter that holds the day ``at``.

    Projects without scenarios are no part of it. Raises InputError where there is no ledger, or it holds
    no such project by then.
    """
    with Ledger.open(place) as ledger:
        region = ledger.region()
        facilities = ledger.facilities(quarter_end(at or ledger.facilities(known=known).at), known=known)
        found = ledger.projects(facilities.at, known=known)
    projects = tuple(_projects(found, facilities))
    if not projects:
        remedy = "Import them with `xinji build import LEDGER FILE --projects`."
        raise InputError([Fault("ledger", f"there is no project with a scenario by {facilities.at}", remedy)])
    lines = {
        by: register(projects, by=by, until=facilities.at) for by in (BY_QUARTER, BY_INDUSTRY, BY_SCENARIO, BY_PARK)
    }
    return RegisterReport(
        region=region.region,
        currency=region.currency,
        at=facilities.at,
        quarter=quarter_of(facilities.at),
        projects=projects,
        lines=lines,
        total=total(projects, until=facilities.at),
        divisions=industrial_divisions(projects, divisions(), until=facilities.at),
    )


def _projects(found: Projects, facilities: Facilities) -> Iterator[Project512]:
    paid, contract = facilities.paid, facilities.contract_capex
    for k in np.argsort(found.id).tolist():
        name = str(found.id[k])
        if not found.scenario[k]:
            continue
        mine = facilities.project == name
        let = mine & (contract != NO_CONTRACT) & (facilities.state != CANCELLED)
        accepted = [_day(found.since[k, state]) for state in (ACCEPTED, IN_USE)]
        yield Project512(
            id=name,
            name=str(found.name[k]),
            owner=str(found.owner[k]),
            industry=str(found.industry[k]),
            scenarios=tuple(str(found.scenario[k]).split(SEPARATOR)),
            park=str(found.park[k]),
            let_on=_day(found.since[k, CONTRACTED]),
            accepted_on=accepted[0] or accepted[1],
            cancelled_on=_day(found.since[k, CANCELLED]) if found.state[k] == CANCELLED else "",
            planned_cents=int(found.planned_cents[k]),
            contract_cents=int(contract[let].sum()),
            paid_cents=int(paid[mine].sum()),
            facilities=int(np.count_nonzero(mine)),
        )


def _day(value: AnyArray) -> str:
    return "" if np.isnat(value) else str(value.astype("datetime64[D]"))


def register_tables(report: RegisterReport, words: Words) -> tuple[Table, ...]:
    """Return the register's tables: by quarter, industry, scenario and park, and the list of its projects."""
    quarter = tuple((line.group, line.projects, line.new, line.finished) for line in report.lines[BY_QUARTER])
    columns = _columns(words, ("quarter", TEXT), ("projects", COUNT), ("new", COUNT), ("finished", COUNT))
    return (
        Table("register_by_quarter", words["register.by_quarter"], columns, quarter, frozenset()),
        *(_grouped(report, by, words) for by in (BY_INDUSTRY, BY_SCENARIO, BY_PARK)),
        _list(report, words),
    )


def _columns(words: Words, *columns: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((words[f"register.{key}"], form) for key, form in columns)


_SUMS = (
    ("projects", COUNT), ("new", COUNT), ("finished", COUNT), ("planned", MONEY), ("contract", MONEY), ("paid", MONEY),
)  # fmt: skip


def _sums(line: RegisterLine) -> tuple[Value, ...]:
    sums = (line.planned_cents, line.contract_cents, line.paid_cents)
    return (line.projects, line.new, line.finished, *(money(cents) for cents in sums))


def _grouped(report: RegisterReport, by: str, words: Words) -> Table:
    chinese = words["language.code"] == "zh"
    heads: tuple[tuple[str, str], ...]
    if by == BY_INDUSTRY:
        heads, listed = (("code", TEXT), ("section", TEXT), ("industry", TEXT)), divisions()
        named = {code: (code, d.section, d.name_zh if chinese else d.name_en) for code, d in listed.items()}
    elif by == BY_SCENARIO:
        heads, found = (("code", TEXT), ("batch", PLAIN), ("scenario", TEXT)), scenarios()
        named = {code: (code, str(s.batch), s.name_zh if chinese else s.name_en) for code, s in found.items()}
    else:
        heads, named = (("park", TEXT),), {}
    outside = words["register.no_park"]
    rows = [(*named.get(line.group, (line.group or outside,)), *_sums(line)) for line in report.lines[by]]
    blanks = ("",) * (len(heads) - 1)
    rows.append((words["building.total"], *blanks, *_sums(report.total)))
    columns = _columns(words, *heads, *_SUMS)
    return Table(f"register_by_{by}", words[f"register.by_{by}"], columns, tuple(rows), frozenset({len(rows) - 1}))


def _list(report: RegisterReport, words: Words) -> Table:
    chinese = words["language.code"] == "zh"
    names = {code: s.name_zh if chinese else s.name_en for code, s in scenarios().items()}
    mark = words["language.list"]
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (
            p.id, p.name, p.owner, p.industry, mark.join(names[code] for code in p.scenarios), p.park, p.let_on,
            p.accepted_on, p.facilities, money(p.planned_cents), money(p.contract_cents), money(p.paid_cents),
        )
        for p in report.projects
        if counts(p, report.quarter)
    )  # fmt: skip
    columns = _columns(
        words, ("code", TEXT), ("name", TEXT), ("owner", TEXT), ("industry", TEXT), ("scenario", TEXT), ("park", TEXT),
        ("let_on", TEXT), ("accepted_on", TEXT), ("facilities", COUNT), ("planned", MONEY), ("contract", MONEY),
        ("paid", MONEY),
    )  # fmt: skip
    return Table("register_projects", words["register.list"], columns, rows, frozenset())
