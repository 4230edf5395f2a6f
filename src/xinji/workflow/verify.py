"""A plan proved again from its files alone, in code that shares nothing with the solver.

The plan's folder holds the problem as arrays, the plan, and a certificate: multipliers, cores and charges that
anyone can check by adding up. Feasibility, money and value are worked out again from the problem, the bound from
the certificate, and every other file is held against that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.core.plan import Plan
from xinji.core.problem import Problem
from xinji.core.study import Outcome, Study
from xinji.core.vocabulary import GROUPS, TECHNOLOGIES
from xinji.errors import CheckError, Fault, RegionError
from xinji.io.plan_audit import json_findings, table_findings
from xinji.io.plan_audit_layers import layer_findings
from xinji.io.region import read
from xinji.io.study_file import read_study_file
from xinji.plan.choose.certificate import certified_bound
from xinji.plan.choose.check import check
from xinji.show.text import LANGUAGES, words
from xinji.units import CENTS_PER_UNIT

STUDY_FILE = "study.npz"
REGION_FOLDER = "region"

CERTIFICATE, BRANCHED = "certificate", "branch and bound"
"""What a plan's bound may rest on: its certificate, or the solver's word."""

FINDINGS_SHOWN = 50
"""So many findings are printed; ``--json`` has them all."""

_RELATIVE = 1e-6
_MILLION = 1e6
_OF_FLOORS = ("floor ", "the bound ", "the certificate's bound ")


@dataclass(frozen=True, slots=True)
class Verification:
    """What was proved of a plan, and what was not.

    ``value`` is worked out again (None: the plan's arrays do not fit the problem); ``bound`` is what
    the certificate proves (None: nothing), ``claimed`` the bound that the plan states, ``rests_on``
    what that rests on; ``spend`` and ``budget`` [cents] by year. ``findings`` lists everything that
    does not hold; where there is none, ``checked`` says what was.
    """

    title: str
    currency: str
    question: str
    value: float | None
    bound: float | None
    claimed: float
    rests_on: str
    spend: Mapping[int, int]
    budget: Mapping[int, int]
    fingerprint: str
    checked: tuple[str, ...]
    findings: tuple[str, ...]

    @property
    def gap(self) -> float | None:
        """Distance of the certificate's bound from the value, as a share of the value."""
        if self.bound is None or self.value is None:
            return None
        return abs(self.bound - self.value) / max(abs(self.value), 1e-12)

    def record(self) -> dict[str, object]:
        """Return the verification as a JSON object; money in currency units."""
        return {
            "proved": not self.findings,
            "question": self.question,
            "value": self.value,
            "bound": self.bound,
            "gap": self.gap,
            "claimed_bound": self.claimed if math.isfinite(self.claimed) else None,
            "claimed_bound_rests_on": self.rests_on,
            "currency": self.currency,
            "spend": {str(year): cents / CENTS_PER_UNIT for year, cents in self.spend.items()},
            "budget": {str(year): cents / CENTS_PER_UNIT for year, cents in self.budget.items()},
            "fingerprint": self.fingerprint,
            "checked": list(self.checked),
            "findings": list(self.findings),
        }


def verify_plan(folder: Path) -> Verification:
    """Return what can be proved of the plan in ``folder`` from its files, and every finding.

    Raises InputError where the folder holds no plan, or a file that the proof needs is missing or damaged.
    """
    study = _read(folder)
    problem, plan = study.problem, study.plan
    findings = [f"{STUDY_FILE}: {line}" for line in _plan_findings(study)]
    misfits = list(_misfits(study))
    if misfits:
        findings += [f"{STUDY_FILE}: {line}; the other files are not compared" for line in misfits]
    else:
        languages = [words(language) for language in LANGUAGES]
        findings += json_findings(folder, study)
        findings += table_findings(folder, study, languages)
        findings += layer_findings(folder, study, languages)
    years = problem.years.tolist()
    return Verification(
        title=f"{study.region.title_en} ({study.region.title_zh}), {years[0]} to {years[-1]}",
        currency=study.region.currency,
        question=problem.goal,
        value=None if misfits else _value(problem, plan),
        bound=_proved(problem, plan),
        claimed=plan.bound,
        rests_on=BRANCHED if plan.notes.get("bound") == BRANCHED else CERTIFICATE,
        spend={} if misfits else dict(zip(years, _spent(problem, plan).sum(axis=1).tolist(), strict=True)),
        budget=dict(zip(years, problem.budget.tolist(), strict=True)),
        fingerprint=problem.fingerprint,
        checked=() if findings else tuple(_checked(study)),
        findings=tuple(findings),
    )


def _read(folder: Path) -> Study:
    if not (folder / REGION_FOLDER).is_dir():
        message = "it holds no plan" if folder.is_dir() else "there is no such folder"
        raise RegionError([Fault(str(folder), message, "Name a folder that `xinji plan` wrote.")])
    region, policy = read(folder / REGION_FOLDER)
    return read_study_file(folder / STUDY_FILE, region, policy, folder / REGION_FOLDER)


def _proved(problem: Problem, plan: Plan) -> float | None:
    """Return what the certificate proves; None where it proves nothing (the check of the plan says why)."""
    try:
        bound = certified_bound(problem, plan.certificate)
    except CheckError:
        return None
    return bound if math.isfinite(bound) else None


def _misfits(study: Study) -> Iterator[str]:
    """Yield arrays that do not fit the problem or the region, on which nothing further can be computed."""
    problem, plan, users = study.problem, study.plan, study.demand.users
    n, m, rows = len(problem.option_id), len(problem.trench_id), len(problem.value)
    kinds = np.array([len(offer) for offer in study.offers], dtype=np.int64)
    cells, services = users.shape[:2]
    offer = np.clip(study.option_offer, 0, len(kinds) - 1)
    arrays: tuple[tuple[str, Ints, int, int, Ints | int], ...] = (
        ("plan.stage", plan.stage, n, -1, problem.stages + 1),
        ("plan.trench_stage", plan.trench_stage, m, -1, problem.stages + 1),
        ("option_offer", study.option_offer, n, 0, len(kinds)),
        ("option_place", study.option_place, n, 0, kinds[offer] if len(offer) == n else 0),
        ("row_cell", study.row_cell, rows, 0, cells),
        ("row_service", study.row_service, rows, 0, services),
    )
    for name, array, length, low, high in arrays:
        if array.shape != (length,) or array.dtype.kind != "i":
            yield f"{name} has shape {array.shape} of {array.dtype}, expected {length} whole numbers"
        elif ((array < low) | (array >= high)).any():
            yield f"{name} holds positions that are out of range"
    if cells != len(study.region.cells.id) or plan.served.shape != (len(problem.arc_row), problem.stages):
        yield f"demand is of {cells} cells and plan.served has shape {plan.served.shape}"


def _plan_findings(study: Study) -> Iterator[str]:
    """Yield what the problem does not bear out of both plans and of what they are said to bring."""
    plans = (("", study.plan, study.outcome), ("sequential plan: ", study.sequential, study.sequential_outcome))
    for name, plan, outcome in plans:
        try:
            check(study.problem, plan)
        except CheckError as error:
            # A plan made one technology after the other may miss floors, and says so: it answers a lesser question.
            forgiven = _OF_FLOORS if name and plan.notes.get("floors") else ()
            yield from (f"{name}{line}" for line in str(error).splitlines() if not line.startswith(forgiven or ("\0",)))
        if not list(_misfits(replace(study, plan=plan))):
            yield from (f"{name}{line}" for line in _outcome_findings(study, plan, outcome))


def _outcome_findings(study: Study, plan: Plan, outcome: Outcome) -> Iterator[str]:
    """Yield figures of ``outcome`` that do not follow from the plan, its money and the demand."""
    problem, users = study.problem, study.demand.users
    capex, opex = _money(problem, plan, study.option_offer)
    row = np.zeros((len(problem.value), problem.stages))
    np.add.at(row, problem.arc_row, plan.served)
    cell = np.zeros(users.shape)
    cell[study.row_cell, study.row_service] = np.minimum(row, 1.0)
    member = study.region.cells.group == np.arange(len(GROUPS))[:, None]
    served = np.array([(users * cell)[mine].sum(axis=0) for mine in member])
    everyone = np.array([users[mine].sum(axis=0) for mine in member])
    figures: tuple[tuple[str, Floats | Ints, Floats | Ints], ...] = (
        ("capex", outcome.capex, capex),
        ("opex", outcome.opex, opex),
        ("users", outcome.users, everyone),
        ("served", outcome.served, served),
        ("cell_served", outcome.cell_served, cell),
    )
    for name, given, expected in figures:
        if given.shape != expected.shape:
            yield f"outcome.{name} has shape {given.shape}, expected {expected.shape}"
            continue
        wrong = ~np.isclose(given, expected, rtol=_RELATIVE, atol=_RELATIVE)
        if wrong.any():
            at = tuple(int(place[0]) for place in np.nonzero(wrong))
            found = f"the first at {at} is {given[at]:.9g}, worked out again {expected[at]:.9g}"
            yield f"outcome.{name}: {int(wrong.sum())} figures do not follow from the plan; {found}"


def _money(problem: Problem, plan: Plan, offer: Ints) -> tuple[Ints, Ints]:
    """Return capex and opex by stage and where the money goes (T, len(SPEND_COLUMNS)) [cents]."""
    stages = np.arange(1, problem.stages + 1)[:, None]
    sets = [
        *(
            (plan.stage[offer == k], problem.capex[offer == k], problem.opex[offer == k])
            for k in range(len(TECHNOLOGIES))
        ),
        (plan.trench_stage, problem.trench_capex, problem.trench_opex),
    ]
    capex = np.stack([(capex * (built == stages)).sum(axis=1) for built, capex, _ in sets], axis=1)
    opex = np.stack([(opex * ((built >= 0) & (built <= stages))).sum(axis=1) for built, _, opex in sets], axis=1)
    return capex, opex


def _spent(problem: Problem, plan: Plan) -> Ints:
    capex, opex = _money(problem, plan, np.zeros(len(problem.option_id), dtype=np.int64))
    spent: Ints = capex + opex
    return spent


def _value(problem: Problem, plan: Plan) -> float:
    """Return what the plan is worth, or costs under least_cost [currency], worked out from its arrays."""
    if problem.goal == "least_cost":
        return float((problem.discount * _spent(problem, plan).sum(axis=1)).sum()) / CENTS_PER_UNIT
    return float(np.einsum("at,at->", problem.value[problem.arc_row], plan.served))


def _checked(study: Study) -> Iterator[str]:
    problem, plan = study.problem, study.plan
    options, trenches = ((stage >= 1).sum() for stage in (plan.stage, plan.trench_stage))
    yield f"{options:,} of {len(plan.stage):,} options and {trenches:,} of {len(plan.trench_stage):,} trenches are new"
    yield "every option stands on its host and is joined to a point of presence by trenches that are dug"
    yield f"{int((plan.served > 0).any(axis=1).sum()):,} services are within share, capacity and length of path"
    yield "spending, to the cent, is within the budgets" if problem.goal == "most_value" else "spending, to the cent"
    yield f"{len(problem.floor_name)} floors are reached"
    yield "the certificate's multipliers, cores and charges prove the bound for every plan of the problem"
    yield "plan.json, tables, workbook, GeoPackage and GeoParquet say the same, figure by figure"


def verification_text(found: Verification) -> str:
    """Return what was proved in plain words."""
    return "\n".join(_lines(found))


def _lines(found: Verification) -> Iterator[str]:
    yield f"Plan of {found.title}: {'NOT proved' if found.findings else 'proved'}"
    yield from _worth(found)
    yield f"  spend and budget in million {found.currency}"
    for year, cents in found.spend.items():
        money = (amount / CENTS_PER_UNIT / _MILLION for amount in (cents, found.budget[year]))
        yield f"  {year} {next(money):8.2f} {next(money):8.2f}"
    if found.findings:
        yield f"{len(found.findings)} findings:"
        yield from (f"  {line}" for line in found.findings[:FINDINGS_SHOWN])
        if len(found.findings) > FINDINGS_SHOWN:
            yield f"  and {len(found.findings) - FINDINGS_SHOWN} more (--json lists all)"
    else:
        yield "  checked"
        yield from (f"  - {line}" for line in found.checked)
        yield f"  fingerprint {found.fingerprint}"
    yield "  report.html is not read: `xinji report` makes it again from what is proved here."


def _worth(found: Verification) -> Iterator[str]:
    least = found.question == "least_cost"
    scale, unit, form = (_MILLION, f" million {found.currency}", ",.2f") if least else (1.0, "", ",.0f")
    if found.value is not None:
        yield f"  value  {found.value / scale:{form}}{unit}, worked out again"
    if found.bound is None:
        yield "  bound  none: the certificate does not hold"
    else:
        what = "no plan that meets the floors costs less" if least else "no plan under these budgets is worth more"
        yield f"  bound  {found.bound / scale:{form}}{unit}, by the certificate: {what}"
    if found.gap is not None:
        yield f"  gap    {found.gap:.2%}"
    if found.rests_on == BRANCHED:
        yield f"  The plan states {found.claimed / scale:{form}}{unit} by branch and bound: that is the solver's word,"
        yield "  and not proved here."
