"""Ledgers made by hand: the facilities of a plan, let, built, paid, slipped or cancelled as a test needs them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from xinji.core.assets import TRENCH, assets_of
from xinji.core.facilities import (
    ACCEPTED,
    BUILT,
    CANCELLED,
    CONTRACTED,
    IN_USE,
    NO_CONTRACT,
    PLANNED,
    RETIRED,
    STATES,
    UNDER_CONSTRUCTION,
    Facilities,
)
from xinji.core.study import Study
from xinji.workflow.planning import PlanSettings

NAN = float("nan")
QUICK = PlanSettings(tries=1)
AT = "2027-03-31"
DEARER = 1.18


@dataclass(frozen=True)
class Row:
    """One facility; ``since`` gives the day of each state that was entered, ``paid`` cents by year.

    ``lost`` are cents by year that were paid, beside those, under a contract that ended.
    """

    id: str
    technology: str
    kind: str
    year: int
    capex: int
    opex: int = 0
    state: int = PLANNED
    x_m: float = NAN
    y_m: float = NAN
    built_x_m: float = NAN
    built_y_m: float = NAN
    length_m: float = NAN
    contract: int = NO_CONTRACT
    completion: str = "NaT"
    since: Mapping[int, str] = field(default_factory=dict)
    paid: Mapping[int, int] = field(default_factory=dict)
    lost: Mapping[int, int] = field(default_factory=dict)


def rows_of(study: Study) -> dict[str, Row]:
    """Return everything that the plan of ``study`` builds, as planned."""
    assets, trenches, problem = assets_of(study), study.trenches, study.problem
    rows = {}
    for i in np.flatnonzero(study.plan.stage >= 1).tolist():
        name, technology, kind = (str(column[i]) for column in (assets.id, assets.technology, assets.kind))
        x_m, y_m = float(assets.x_m[i]), float(assets.y_m[i])
        cost = int(assets.capex[i]), int(assets.opex[i])
        rows[name] = Row(name, technology, kind, int(assets.year[i]), *cost, x_m=x_m, y_m=y_m)
    for i in np.flatnonzero(study.plan.trench_stage >= 1).tolist():
        name, year = str(trenches.id[i]), int(problem.years[study.plan.trench_stage[i] - 1])
        cost = int(problem.trench_capex[i]), int(problem.trench_opex[i])
        rows[name] = Row(name, TRENCH, str(trenches.method[i]), year, *cost, length_m=float(trenches.length_m[i]))
    return rows


def built(row: Row, year: int, *, share: float = 1.0, state: int = ACCEPTED) -> Row:
    """Return ``row`` built, accepted and fully paid in ``year`` at ``share`` of its planned cost."""
    cost = round(row.capex * share)
    since = {code: f"{year}-0{code}-15" for code in range(CONTRACTED, state + 1)}
    return replace(row, state=state, contract=cost, since=since, paid={year: cost})


def let(row: Row, *, paid: Mapping[int, int] | None = None, share: float = 1.0, state: int = CONTRACTED) -> Row:
    """Return ``row`` under contract at ``share`` of its planned cost, with what was ``paid`` so far."""
    return replace(row, state=state, contract=round(row.capex * share), paid=paid or {})


def ledger(rows: Iterable[Row], at: str) -> Facilities:
    """Return the facilities of ``rows`` as of the day ``at``."""
    rows = list(rows)
    since = np.full((len(rows), len(STATES)), np.datetime64("NaT"), dtype="datetime64[D]")
    for place, row in enumerate(rows):
        for code, day in row.since.items():
            since[place, code] = np.datetime64(day)
    payments = [(k, year, cents) for k, row in enumerate(rows) for year, cents in row.paid.items()]
    counting = len(payments)
    payments += [(k, year, cents) for k, row in enumerate(rows) for year, cents in row.lost.items()]
    who, year, cents = (np.array(column, dtype=np.int64) for column in zip(*payments, strict=True)) if payments else (
        np.zeros(0, dtype=np.int64) for _ in range(3)
    )  # fmt: skip
    text: dict[str, Any] = {
        name: np.array([getattr(r, name) for r in rows], dtype=np.str_) for name in ("id", "technology", "kind")
    }
    whole = {"planned_year": "year", "planned_capex": "capex", "planned_opex": "opex", "contract_capex": "contract"}
    real = {"planned_x_m": "x_m", "planned_y_m": "y_m", "x_m": "built_x_m", "y_m": "built_y_m", "length_m": "length_m"}
    numbers: dict[str, Any] = {n: np.array([getattr(r, key) for r in rows], np.int64) for n, key in whole.items()}
    numbers |= {n: np.array([getattr(r, key) for r in rows], np.float64) for n, key in real.items()}
    empty = np.array([""] * len(rows), dtype=np.str_)
    return Facilities(
        at=at,
        **text,
        area=empty,
        project=empty.copy(),
        identifier=empty.copy(),
        state=np.array([r.state for r in rows], dtype=np.uint8),
        since=since,
        **numbers,
        completion=np.array([r.completion for r in rows], dtype="datetime64[D]"),
        paid_facility=who,
        paid_year=year,
        paid_cents=cents,
        sunk_payments=np.arange(counting, len(payments), dtype=np.int64),
    )


def month(rows: dict[str, Row]) -> list[Row]:
    """Return the ledger of March 2027: most of 2026 accepted, some sites and trenches late, trenches dearer."""
    done = [row for row in rows.values() if row.year == 2026]
    towers = {name for name in rows if f"{name}-" in " ".join(row.id for row in done)}
    late_site = next(row.id for row in done if row.id in towers)
    found = []
    for number, row in enumerate(rows.values()):
        dug = row.technology == "trench"
        late = row.id == late_site or row.id.startswith(f"{late_site}-")
        if row.year == 2026 and (late or (dug and number % 5 == 0)):
            share = DEARER if dug else 1.0
            found.append(let(row, share=share, paid={2026: row.capex // 3, 2027: 777}, state=UNDER_CONSTRUCTION))
        elif row.year == 2026:
            found.append(built(row, 2026, share=DEARER if dug else 1.0))
        else:
            found.append(row)
    ends = next(k for k, row in enumerate(found) if row.year == 2028 and row.technology == "fibre")
    found[ends] = replace(found[ends], state=CANCELLED, paid={2027: 5_000})
    return found


__all__ = [
    "ACCEPTED",
    "AT",
    "BUILT",
    "CANCELLED",
    "CONTRACTED",
    "DEARER",
    "IN_USE",
    "NO_CONTRACT",
    "QUICK",
    "RETIRED",
    "UNDER_CONSTRUCTION",
    "Row",
    "built",
    "ledger",
    "let",
    "month",
    "rows_of",
]
