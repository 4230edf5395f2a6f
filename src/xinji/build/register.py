"""Registers of "5G + industrial Internet" projects (the 512 programme), counted as the ministry counts them.

The ministry tells how many projects are being built or stand at the end of a quarter, and how many
of them are new in it ("more than 3,100 projects, 700 of them new in the second quarter", MIIT, press
conference of 19 July 2022), in how many industrial divisions of GB/T 4754 and in which of its twenty typical
scenarios. A project counts once, in one industry and one park, and once in each of its scenarios,
whose numbers therefore add up to more. It counts from the quarter in which its contract was let;
one that was cancelled counts no more from the quarter in which it was.
Source of the programme: MIIT, 工信厅信管〔2019〕78号, 2019-11-19.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from xinji.errors import Fault, InputError, raise_if

BY_QUARTER, BY_INDUSTRY, BY_SCENARIO, BY_PARK = "quarter", "industry", "scenario", "park"
REGISTER_GROUPINGS = (BY_QUARTER, BY_INDUSTRY, BY_SCENARIO, BY_PARK)

INDUSTRIAL_SECTIONS = ("B", "C", "D")
"""Sections of GB/T 4754 that are industry: mining, manufacturing, power, heat, gas and water."""


@dataclass(frozen=True, slots=True)
class Division:
    """A division of GB/T 4754-2017: two digits, the letter of its section, and its names."""

    code: str
    section: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """One of the ministry's typical scenarios: short code, batch (1 or 2) and names."""

    code: str
    batch: int
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Project512:
    """A project as the register lists it.

    ``industry`` is a code of GB/T 4754 (a section's letter is not enough: two to four digits, its
    letter before them or not); ``scenarios`` holds codes; ``park`` may be empty. ``let_on``,
    ``accepted_on`` and ``cancelled_on`` are ISO 8601 days, empty for never.
    Money [cents]: ``planned_cents`` as announced, ``contract_cents`` and ``paid_cents`` of its facilities.
    """

    id: str
    name: str
    owner: str
    industry: str
    scenarios: tuple[str, ...]
    park: str
    let_on: str
    accepted_on: str
    cancelled_on: str
    planned_cents: int
    contract_cents: int
    paid_cents: int
    facilities: int


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """A group of projects at the end of a quarter: how many, how many new in it or accepted by then, and their money.

    ``group`` is a division's or scenario's code, a park's name (empty: in none) or a quarter such as
    ``2027Q2``; money [cents] is that of the projects counted, as known now.
    """

    quarter: str
    group: str
    projects: int
    new: int
    finished: int
    planned_cents: int
    contract_cents: int
    paid_cents: int


def quarter_of(day: str) -> str:
    """Return the quarter of an ISO 8601 ``day``, such as ``2027Q2``."""
    return f"{day[:4]}Q{(int(day[5:7]) + 2) // 3}"


def quarter_end(day: str) -> str:
    """Return the last day of the quarter that holds the ISO 8601 ``day``."""
    return day[:4] + ("-03-31", "-06-30", "-09-30", "-12-31")[int(quarter_of(day)[5]) - 1]


def quarters_between(first: str, last: str) -> tuple[str, ...]:
    """Return every quarter from ``first`` to ``last``, both included."""
    begin, end = (int(text[:4]) * 4 + int(text[5]) - 1 for text in (first, last))
    return tuple(f"{number // 4:04d}Q{number % 4 + 1}" for number in range(begin, end + 1))


def division_of(industry: str) -> str:
    """Return the two digits of the division that a code of GB/T 4754 lies in, empty where it names none."""
    digits = industry[1:] if industry[:1].isalpha() else industry
    return digits[:2] if digits.isascii() and digits.isdigit() and 2 <= len(digits) <= 4 else ""


def project_faults(
    projects: Sequence[Project512], divisions: Mapping[str, Division], scenarios: Mapping[str, Scenario]
) -> Iterator[Fault]:
    """Yield what the register cannot count: unknown industries, a wrong section letter, unknown scenarios or none."""
    known = f"Use codes of {', '.join(scenarios)}, or their names."
    for row, project in enumerate(projects):
        place, code = f"project {project.id}", division_of(project.industry)
        if code not in divisions:
            remedy = "Give a division, group or class of GB/T 4754-2017, such as C39 or 3921."
            yield Fault(place, f"the industry is {project.industry!r}", remedy, row)
        elif project.industry[:1].isalpha() and project.industry[0].upper() != divisions[code].section:
            section = divisions[code].section
            yield Fault(place, f"division {code} is of section {section}, not {project.industry[0]}", "Mend it.", row)
        for scenario in project.scenarios:
            if scenario not in scenarios:
                yield Fault(place, f"the scenario is {scenario!r}", known, row)
        if not project.scenarios:
            yield Fault(place, "no scenario is given", known, row)


def register(projects: Sequence[Project512], *, by: str, until: str) -> tuple[RegisterLine, ...]:
    """Return the register by one of ``REGISTER_GROUPINGS`` at the end of the quarter that holds the day ``until``.

    By quarter: one line a quarter from the first contract on. Else one line for each group that has
    a project counted. Raises InputError where ``by`` is unknown.
    """
    if by not in REGISTER_GROUPINGS:
        raise InputError([Fault("register", f"found {by!r}", f"Use one of {', '.join(REGISTER_GROUPINGS)}.")])
    last = quarter_of(until)
    let = [quarter_of(project.let_on) for project in projects if project.let_on]
    if by == BY_QUARTER:
        quarters = quarters_between(min(let), last) if let and min(let) <= last else ()
        return tuple(_line(projects, quarter, quarter) for quarter in quarters)
    pick: Mapping[str, Callable[[Project512], tuple[str, ...]]] = {
        BY_INDUSTRY: lambda project: (division_of(project.industry),),
        BY_SCENARIO: lambda project: project.scenarios,
        BY_PARK: lambda project: (project.park,),
    }
    groups = sorted({group for project in projects if counts(project, last) for group in pick[by](project)})
    return tuple(_line([p for p in projects if group in pick[by](p)], last, group) for group in groups)


def total(projects: Sequence[Project512], *, until: str) -> RegisterLine:
    """Return the line of all projects, each once, at the end of the quarter that holds the day ``until``."""
    return _line(projects, quarter_of(until), "")


def industrial_divisions(projects: Sequence[Project512], divisions: Mapping[str, Division], *, until: str) -> int:
    """Return in how many of the divisions of industry projects are counted (GB/T 4754-2017 has 41)."""
    lines = register(projects, by=BY_INDUSTRY, until=until)
    return sum(line.group in divisions and divisions[line.group].section in INDUSTRIAL_SECTIONS for line in lines)


def counts(project: Project512, quarter: str) -> bool:
    """Return whether ``project`` is being built or stands at the end of ``quarter``."""
    begun = bool(project.let_on) and quarter_of(project.let_on) <= quarter
    return begun and not (project.cancelled_on and quarter_of(project.cancelled_on) <= quarter)


def _line(projects: Sequence[Project512], quarter: str, group: str) -> RegisterLine:
    mine = [project for project in projects if counts(project, quarter)]
    return RegisterLine(
        quarter=quarter,
        group=group,
        projects=len(mine),
        new=sum(quarter_of(project.let_on) == quarter for project in mine),
        finished=sum(bool(p.accepted_on) and quarter_of(p.accepted_on) <= quarter for p in mine),
        planned_cents=sum(project.planned_cents for project in mine),
        contract_cents=sum(project.contract_cents for project in mine),
        paid_cents=sum(project.paid_cents for project in mine),
    )


def require_sound(
    projects: Sequence[Project512], divisions: Mapping[str, Division], scenarios: Mapping[str, Scenario]
) -> None:
    """Raise InputError with all that the register cannot count."""
    raise_if(project_faults(projects, divisions, scenarios), InputError)
