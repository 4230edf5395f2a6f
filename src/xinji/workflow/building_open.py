"""A ledger from a plan: what the plan builds becomes the ledger's baseline."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xinji.build.event_drafts import PlannedAsset, registered
from xinji.build.ledger import BaselineChange, Ledger
from xinji.build.signature import PrivateKey
from xinji.core.assets import TRENCH
from xinji.core.offer import EXISTING
from xinji.core.problem import NEVER
from xinji.errors import Fault, InputError, raise_if
from xinji.io.building_places import areas_around, crs_faults, groups_around, trench_places
from xinji.io.plan_json import read_plan_json

PLAN_FILE = "plan.json"
BEFORE_THE_PLAN = "before the plan"
"""Baseline of what stood before."""
AREA_COLUMN = "name"


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """A plan as a ledger takes it over.

    ``budgets`` [cents] go with ``years``; ``assets`` are what it builds, ``existing`` what stood
    before; ``fingerprint`` is that of its problem.
    """

    region: str
    crs: str
    currency: str
    profile: str
    years: tuple[int, ...]
    budgets: tuple[int, ...]
    assets: tuple[PlannedAsset, ...]
    existing: tuple[PlannedAsset, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Opening:
    """How a ledger begins: by whom (with which key), on which day, under which name the plan is kept.

    ``day`` is empty for the default: the first day of the plan's first year, or today where that is earlier.
    ``areas`` names a file of polygons whose ``area_column`` tells the area; without one, areas are
    the plan's groups of demand cells.
    """

    who: str
    key: PrivateKey | None = None
    day: str = ""
    baseline: str = "plan"
    areas: Path | None = None
    area_column: str = AREA_COLUMN


def planned_assets(plan: Path, *, areas: Path | None = None, area_column: str = AREA_COLUMN) -> PlanFacts:
    """Return what the plan in ``plan`` (a folder or its plan.json) builds, and what stood before.

    Raises InputError where the plan or the areas cannot be read.
    """
    document = read_plan_json(plan)
    folder = plan if plan.is_dir() else plan.parent
    middles = trench_places(folder, document.crs)
    unknown = (math.nan, math.nan)
    bought = [
        PlannedAsset(name, o.technology, o.kind, "", o.year, o.x_m, o.y_m, math.nan, o.capex, o.opex)
        for name, o in document.options.items()
        if o.year != NEVER
    ] + [
        PlannedAsset(name, TRENCH, t.method, "", t.year, *middles.get(name, unknown), t.length_m, t.capex, t.opex)
        for name, t in document.trenches.items()
        if t.year != NEVER
    ]
    x_m, y_m = (np.array([getattr(asset, axis) for asset in bought], dtype=np.float64) for axis in ("x_m", "y_m"))
    if areas is None:
        names = groups_around(folder, document.crs, x_m, y_m)
    else:
        names = areas_around(areas, area_column, document.crs, x_m, y_m)
    placed = [replace(asset, area=name) for asset, name in zip(bought, names.tolist(), strict=True)]
    return PlanFacts(
        region=document.region,
        crs=document.crs,
        currency=document.currency,
        profile=document.profile,
        years=tuple(document.years),
        budgets=tuple(document.policy.budget[str(year)] for year in document.years),
        assets=tuple(asset for asset in placed if asset.year != EXISTING),
        existing=tuple(asset for asset in placed if asset.year == EXISTING),
        fingerprint=document.plan.fingerprint,
    )


def open_from_plan(place: str, plan: Path, opening: Opening) -> PlanFacts:
    """Make the ledger at ``place`` with the plan as its first baseline, and return what it took over.

    Raises InputError where there is a ledger already, or the plan or its areas cannot be read.
    """
    facts = planned_assets(plan, areas=opening.areas, area_column=opening.area_column)
    day = opening.day or first_day(facts.years)
    with Ledger.create(
        place,
        region=facts.region,
        crs=facts.crs,
        currency=facts.currency,
        years=facts.years,
        day=day,
        who=opening.who,
        key=opening.key,
    ) as ledger:
        if facts.existing:
            stood = [registered(it, day=day, baseline=BEFORE_THE_PLAN, state="in_use") for it in facts.existing]
            ledger.append(stood)
        ledger.set_baseline(
            facts.assets,
            name=opening.baseline,
            plan=facts.fingerprint,
            day=day,
            years=facts.years,
            budgets=facts.budgets,
        )
    return facts


def open_empty(place: str, region: str, crs: str, currency: str, years: Sequence[int], opening: Opening) -> None:
    """Make a ledger without a plan; facilities come with acceptance records.

    Raises InputError where there is a ledger already, or CRS, currency or years are wrong.
    """
    faults = crs_faults(crs)
    if len(currency) != len("CNY") or not currency.isalpha() or not currency.isupper():
        faults.append(Fault("currency", f"found {currency!r}", "Give three capital letters, for example CNY."))
    if list(years) != sorted(set(years)) or not years:
        faults.append(Fault("years", f"found {list(years)}", "Give years in order, each once."))
    raise_if(faults, InputError)
    day = opening.day or first_day(years)
    Ledger.create(
        place, region=region, crs=crs, currency=currency, years=years, day=day, who=opening.who, key=opening.key
    ).close()


def set_plan(place: str, plan: Path, opening: Opening) -> BaselineChange:
    """Make the plan in ``plan`` the next baseline of the ledger at ``place``, and return what that did.

    What is let, built or in use stays as it is; what is planned or approved and not in the plan is
    cancelled. ``opening.day`` is empty for the latest day in the ledger. Raises InputError where the
    plan is of another region, CRS or currency, or the ledger refuses it.
    """
    facts = planned_assets(plan, areas=opening.areas, area_column=opening.area_column)
    with Ledger.open(place, who=opening.who, key=opening.key) as ledger:
        region, head = ledger.region(), ledger.head()
        pairs = (("region", region.region, facts.region), ("crs", region.crs, facts.crs))
        raise_if(
            [
                Fault(f"plan, {name}", f"it is {new!r}, the ledger's is {old!r}", "Give a plan of the ledger's region.")
                for name, old, new in (*pairs, ("currency", region.currency, facts.currency))
                if old != new
            ],
            InputError,
        )
        return ledger.set_baseline(
            facts.assets,
            name=opening.baseline,
            plan=facts.fingerprint,
            day=opening.day or ledger.facilities().at,
            years=facts.years,
            budgets=facts.budgets,
            expected=head,
        )


def first_day(years: Sequence[int]) -> str:
    """Return the first day of the first of ``years``, or today where that is earlier (ISO 8601)."""
    return min(dt.date(min(years), 1, 1), dt.datetime.now(tz=dt.UTC).date()).isoformat()
