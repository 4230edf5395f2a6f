"""plan.json: everything of a plan that another program needs, the same bytes for the same plan."""

from __future__ import annotations

import json
import math
from importlib.metadata import version
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from xinji.core.assets import assets_of, calendar_year
from xinji.core.offer import EXISTING
from xinji.core.plan import Plan
from xinji.core.policy import Floor, Policy
from xinji.core.problem import NEVER
from xinji.core.replanned import Replanned
from xinji.core.study import SPEND_COLUMNS, Outcome, Study
from xinji.core.vocabulary import GROUPS, SERVICE_NAMES
from xinji.errors import Fault, InputError, raise_if
from xinji.io.atomic import atomic_file
from xinji.io.plan_schema import (
    SCHEMA_NAME,
    SCHEMA_VERSION,
    FloorEntry,
    LearnedEntry,
    LedgerAssetEntry,
    OptionEntry,
    OutcomeEntry,
    ParameterEntry,
    PlanDocument,
    PolicyEntry,
    ReplannedEntry,
    ResultEntry,
    TrenchEntry,
    YearMoneyEntry,
)
from xinji.units import CENTS_PER_UNIT

_DIGITS = 9
"""Digits kept of a computed figure: more would be noise, and would differ between machines."""


def write_plan_json(path: Path, study: Study, *, replanned: Replanned | None = None) -> Path:
    """Write ``study`` to ``path``, whole or not at all, and return it.

    Keys are sorted and nothing depends on the clock (how long the search took is left out). The key
    ``replanned`` stands only where the plan was made again from a ledger. Raises OutputError where the disk
    refuses.
    """
    document = plan_document(study, replanned=replanned).model_dump(mode="json")
    if replanned is None:
        # Readers of the form without this key can still read a plan that has nothing to say there.
        del document["replanned"]
    text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    with atomic_file(path) as fresh:
        fresh.write_text(text + "\n", encoding="utf-8")
    return path


def read_plan_json(path: Path) -> PlanDocument:
    """Return the plan in ``path``.

    Raises InputError with every fault: no such file, not JSON, keys missing, unknown or of the wrong kind.
    """
    remedy = "Give the plan.json that `xinji plan` wrote."
    if path.is_dir():
        path = path / "plan.json"
    if not path.is_file():
        raise InputError([Fault(str(path), "there is no such file", remedy)])
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError([Fault(str(path), f"is not JSON ({error})", remedy)]) from error
    try:
        return PlanDocument.model_validate(raw)
    except ValidationError as error:
        places = [(".".join(map(str, item["loc"])) or "the whole", item["msg"]) for item in error.errors()]
        faults = [Fault(f"{path.name}: {place}", message, remedy) for place, message in places]
        raise_if(faults, InputError)
        raise


def plan_document(study: Study, *, replanned: Replanned | None = None) -> PlanDocument:
    """Return ``study``, and what a ledger left of it, in the form of plan.json."""
    region, years = study.region, study.policy.years
    entries = region.parameters.entries
    return PlanDocument(
        form=SCHEMA_NAME,
        form_version=SCHEMA_VERSION,
        version=version("xinji"),
        region=region.name,
        title_en=region.title_en,
        title_zh=region.title_zh,
        crs=region.crs,
        currency=region.currency,
        profile=region.parameters.profile,
        attribution=list(region.attribution),
        years=list(years),
        policy=_policy(study.policy, study.outcome),
        parameters={
            key: ParameterEntry(
                value=e.value, unit=e.unit, year=e.year, low=e.low, high=e.high,
                status=e.status, source=e.source, url=e.url, note=e.note,
            )
            for key, e in entries.items()
        },
        options=_options(study),
        trenches=_trenches(study),
        plan=_result(study.plan, study.outcome, years),
        sequential=_result(study.sequential, study.sequential_outcome, years),
        replanned=None if replanned is None else _replanned(replanned),
    )  # fmt: skip


def _plain(value: float) -> float:
    """Return ``value`` with the digits that mean something."""
    return float(f"{value:.{_DIGITS}g}")


def _finite(value: float) -> float | None:
    """Return ``value`` with the digits that mean something, or None where no finite figure exists."""
    return _plain(value) if math.isfinite(value) else None


def _policy(policy: Policy, outcome: Outcome) -> PolicyEntry:
    return PolicyEntry(
        question=policy.question,
        budget={str(y): round(b * CENTS_PER_UNIT) for y, b in zip(policy.years, policy.budget, strict=True)},
        carry_over=policy.carry_over,
        discount_rate=policy.discount_rate,
        build_ahead=policy.build_ahead,
        priority=dict(policy.priority),
        floors=[_floor(floor, policy.years, outcome) for floor in policy.floors],
    )


def _floor(floor: Floor, years: tuple[int, ...], outcome: Outcome) -> FloorEntry:
    groups = range(len(GROUPS)) if floor.group == "all" else [GROUPS.index(floor.group)]
    service = SERVICE_NAMES.index(floor.service)
    served = outcome.served[list(groups), service].sum(axis=0)
    users = outcome.users[list(groups), service].sum(axis=0)
    share = np.divide(served, users, out=np.ones_like(served), where=users > 0)
    reached = {str(y): _plain(share[k]) for k, y in enumerate(years) if y >= floor.year}
    return FloorEntry(group=floor.group, service=floor.service, year=floor.year, share=floor.share, reached=reached)


def _options(study: Study) -> dict[str, OptionEntry]:
    assets, reasons, problem = assets_of(study), study.plan.reasons, study.problem
    entries = {}
    for i, key in enumerate(assets.id.tolist()):
        host = int(assets.host[i])
        entries[key] = OptionEntry(
            technology=str(assets.technology[i]),
            kind=str(assets.kind[i]),
            payer=str(assets.payer[i]),
            x_m=round(float(assets.x_m[i]), 3),
            y_m=round(float(assets.y_m[i]), 3),
            host=str(assets.id[host]) if host >= 0 else "",
            year=int(assets.year[i]),
            committed=bool(problem.built[i] > EXISTING),
            capex=int(assets.capex[i]),
            opex=int(assets.opex[i]),
            reason=str(reasons.code[i]),
            price=_finite(reasons.price[i]),
            worth=_finite(reasons.worth[i]),
            cost_to_force=_finite(reasons.cost_to_force[i]),
        )
    return entries


def _trenches(study: Study) -> dict[str, TrenchEntry]:
    trenches, problem, roads = study.trenches, study.problem, study.region.roads
    year = calendar_year(study.plan.trench_stage, problem.years)
    return {
        str(trenches.id[i]): TrenchEntry(
            road=str(roads.id[trenches.road[i]]) if trenches.road[i] >= 0 else "",
            method=str(trenches.method[i]),
            payer=trenches.payer,
            year=int(year[i]),
            length_m=round(float(problem.trench_length_m[i]), 3),
            capex=int(problem.trench_capex[i]),
            opex=int(problem.trench_opex[i]),
        )
        for i in np.flatnonzero(study.plan.trench_stage != NEVER).tolist()
    }


def _result(plan: Plan, outcome: Outcome, years: tuple[int, ...]) -> ResultEntry:
    return ResultEntry(
        objective=_plain(plan.objective),
        bound=_plain(plan.bound),
        gap=_plain(plan.gap),
        optimal=plan.optimal,
        interrupted=plan.interrupted,
        spend={str(y): int(s) for y, s in zip(years, plan.spend, strict=True)},
        fingerprint=plan.fingerprint,
        notes=dict(plan.notes),
        outcome=_outcome(outcome, years),
    )


def _outcome(outcome: Outcome, years: tuple[int, ...]) -> OutcomeEntry:
    people = [
        {
            group: {
                service: {str(y): _plain(values[g, s, k]) for k, y in enumerate(years)}
                for s, service in enumerate(SERVICE_NAMES)
            }
            for g, group in enumerate(GROUPS)
        }
        for values in (outcome.users, outcome.served)
    ]
    money = [
        {str(y): {name: int(values[k, c]) for c, name in enumerate(SPEND_COLUMNS)} for k, y in enumerate(years)}
        for values in (outcome.capex, outcome.opex)
    ]
    return OutcomeEntry(users=people[0], served=people[1], capex=money[0], opex=money[1])


def _replanned(made: Replanned) -> ReplannedEntry:
    return ReplannedEntry(
        at=made.at,
        assets={
            asset.id: LedgerAssetEntry(
                technology=asset.technology,
                kind=asset.kind,
                state=asset.state,
                treatment=asset.treatment,
                year=asset.year,
                serves=asset.serves,
                planned_cost=asset.planned_cost,
                cost=asset.cost,
                paid={str(year): cents for year, cents in asset.paid},
                owed=asset.owed,
                due=asset.due,
                moved_m=asset.moved_m,
            )
            for asset in made.assets
        },
        money={
            str(line.year): YearMoneyEntry(
                policy=line.policy,
                moved=line.moved,
                paid=line.paid,
                committed=line.committed,
                planned=line.planned,
                opex=line.opex,
                unallocated=line.unallocated,
            )
            for line in made.reconciliation.years
        },
        learned=[
            LearnedEntry(
                key=cost.key,
                before=_plain(cost.before),
                after=_plain(cost.after),
                count=cost.count,
                planned=cost.planned,
                real=cost.real,
            )
            for cost in made.learned
        ],
        notes=list(made.notes),
    )
