"""A ledger from a plan: what the plan builds becomes the ledger's baseline."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from xinji.build.event_drafts import PlannedAsset, baseline_set, region_opened, registered
from xinji.build.ledger import BaselineChange, Ledger
from xinji.build.signature import PrivateKey
from xinji.core.assets import TRENCH
from xinji.core.offer import EXISTING
from xinji.core.problem import NEVER
from xinji.errors import Fault, InputError, raise_if
from xinji.io.building_places import areas_around, crs_faults, groups_around, trench_places
from xinji.io.plan_json import read_plan_json
from xinji.io.plan_schema import PlanDocument
from xinji.workflow.building_days import future_faults

PLAN_FILE = "plan.json"
BEFORE_THE_PLAN = "before the plan"
"""Baseline of what stood before."""
AREA_COLUMN = "name"
FIRST_YEAR, LAST_YEAR = 1900, 9999
"""Years that a ledger may plan for."""


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """A plan as a ledger takes it over.

    ``budgets`` [cents] go with ``years``, all of its policy; ``assets`` are what it builds, ``existing`` what stood
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

    ``day`` is empty for the default: the first day of the plan's first year, or today where that is earlier; a
    day that has not come yet is let in with ``future``.
    ``areas`` names a file of polygons whose ``area_column`` tells the area; without one, areas are
    the plan's groups of demand cells.
    """

    who: str
    key: PrivateKey | None = None
    day: str = ""
    baseline: str = "plan"
    areas: Path | None = None
    area_column: str = AREA_COLUMN
    future: bool = False


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
    budget = _budget(document)
    placed = [replace(asset, area=name) for asset, name in zip(bought, names.tolist(), strict=True)]
    return PlanFacts(
        region=document.region,
        crs=document.crs,
        currency=document.currency,
        profile=document.profile,
        years=tuple(budget),
        budgets=tuple(budget.values()),
        assets=tuple(asset for asset in placed if asset.year != EXISTING),
        existing=tuple(asset for asset in placed if asset.year == EXISTING),
        fingerprint=document.plan.fingerprint,
    )


def _budget(document: PlanDocument) -> dict[int, int]:
    """Return the budget [cents] of each year of the policy that ``document`` was made under, years rising.

    A plan that was made again holds what is left of it in its own budgets; what was paid is not in them, and
    years gone by are not either.
    """
    if document.replanned is None:
        return {year: document.policy.budget[str(year)] for year in document.years}
    return {year: document.replanned.money[str(year)].policy for year in sorted(map(int, document.replanned.money))}


def open_from_plan(place: str, plan: Path, opening: Opening) -> PlanFacts:
    """Make the ledger at ``place`` with the plan as its first baseline, and return what it took over.

    Raises InputError where there is a ledger already, or the plan or its areas cannot be read.
    """
    facts = planned_assets(plan, areas=opening.areas, area_column=opening.area_column)
    day, name = opening.day or first_day(facts.years), opening.baseline
    begun = [
        region_opened(facts.region, day=day, crs=facts.crs, currency=facts.currency, years=facts.years),
        *(registered(it, day=day, baseline=BEFORE_THE_PLAN, state="in_use") for it in facts.existing),
        *(registered(asset, day=day, baseline=name) for asset in facts.assets),
        baseline_set(
            name,
            day=day,
            plan=facts.fingerprint,
            years=facts.years,
            budgets=facts.budgets,
            assets=len(facts.assets),
        ),
    ]
    Ledger.begin(place, begun, who=opening.who, key=opening.key).close()
    return facts


@contextmanager
def opened_with_records(place: str, plan: Path, opening: Opening, *, keep: bool) -> Iterator[str]:
    """Yield where a ledger with the plan as its first baseline lies, for records; it moves to ``place`` at the end.

    ``place`` is the path of a file that is not there. Where anything is refused, or with ``keep`` false, nothing
    is left behind. Raises as ``open_from_plan`` does.
    """
    path = Path(place)
    if not path.parent.is_dir():
        raise InputError([Fault("ledger", f"there is no folder {path.parent}", "Make the folder first.")])
    with TemporaryDirectory(prefix=".xinji-", dir=path.parent) as folder:
        fresh = Path(folder) / path.name
        open_from_plan(str(fresh), plan, opening)
        yield str(fresh)
        if keep:
            _place(fresh, path)


def _place(fresh: Path, path: Path) -> None:
    """Move the file ``fresh`` to ``path``; raises InputError where someone else has made one there meanwhile."""
    try:
        path.hardlink_to(fresh)
    except FileExistsError as error:
        raise InputError([Fault("ledger", f"{path} was made meanwhile", "Import into it, without --plan.")]) from error
    except OSError:
        # Not every file system knows two names of one file.
        fresh.rename(path)


def open_empty(place: str, region: str, crs: str, currency: str, years: Sequence[int], opening: Opening) -> None:
    """Make a ledger without a plan; facilities come with acceptance records.

    Raises InputError where there is a ledger already, or CRS, currency or years are wrong.
    """
    faults = crs_faults(crs)
    if len(currency) != len("CNY") or not currency.isalpha() or not currency.isupper():
        faults.append(Fault("currency", f"found {currency!r}", "Give three capital letters, for example CNY."))
    if list(years) != sorted(set(years)) or not years or not FIRST_YEAR <= min(years) <= max(years) <= LAST_YEAR:
        remedy = f"Give years in order, each once, of {FIRST_YEAR} to {LAST_YEAR}."
        faults.append(Fault("years", f"found {list(years)}", remedy))
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
    raise_if([] if opening.future else future_faults("--day", opening.day), InputError)
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
